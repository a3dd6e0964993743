//! Rows of a catalogue sheet as drafts of contracts.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_rules::CodeTable;

use super::headings::Column;
use crate::catalogue::{
    Catalogue, FormatClass, Grade, Open, ResourceFormat, Sensitivity, Sharing, SharingMode,
    SharingType, UpdateCycle,
};
use crate::draft::{Draft, FieldDraft};
use crate::kind::from_sheet;

/// One information resource of a sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The draft of its contract: check it with [`Contract::from_draft`](crate::Contract::from_draft).
    pub draft: Draft,
    /// The row of each of its fields (from 1, the heading not counted).
    pub rows: Vec<u64>,
    /// What could not be understood, with the row (from 1, the heading not counted). Nothing of it is in the draft.
    pub faults: Vec<(u64, Fault)>,
}

/// Reads the rows of a sheet. A sheet may list several resources, one below the other.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, RecordBatch, StringArray};
/// use fenhe_contract::{Contract, NoFiles, sheet};
/// let column = |values: [&str; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
/// let rows = RecordBatch::try_from_iter([
///     ("信息资源名称", column(["个体工商户登记信息", ""])),
///     ("信息项名称", column(["纳税人识别号", "注册资金"])),
///     ("字段名称", column(["NSRSBH", "ZCZJ"])),
///     ("数据类型", column(["字符型C", "N"])),
///     ("字段长度", column(["20", "14"])),
///     ("小数位数", column(["", "2"])),
///     ("主键", column(["是", "否"])),
/// ])?;
/// let resources = sheet::read(&[rows])?;
/// let contract = Contract::from_draft(resources[0].draft.clone(), &NoFiles)?;
/// assert_eq!(contract.title(), "个体工商户登记信息");
/// let types: Vec<_> = contract.fields().iter().map(|field| field.kind.to_string()).collect();
/// assert_eq!(types, ["c..20", "n14,2"]);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
///
/// # Errors
/// [`Kind::Invalid`] with code `sheet.headings` when neither names nor titles of items are there.
pub fn read(batches: &[RecordBatch]) -> Result<Vec<Resource>> {
    let mut resources: Vec<Resource> = Vec::new();
    let mut number = 0;
    for batch in batches {
        for row in rows(batch)? {
            number += 1;
            // A row of blanks separates, or ends a sheet.
            if row.is_empty() {
                continue;
            }
            let title = row.get(&Column::Resource);
            let other = |known: &Resource| title.is_some_and(|title| *title != known.draft.title);
            if resources.last().is_none_or(other) {
                resources.push(Resource {
                    draft: start(title),
                    rows: Vec::new(),
                    faults: Vec::new(),
                });
            }
            if let Some(resource) = resources.last_mut() {
                resource.add(&row, number);
            }
        }
    }
    for (index, resource) in resources.iter_mut().enumerate() {
        name_it(&mut resource.draft, index);
    }
    Ok(resources)
}

/// The cells of a row that hold something.
type Row = BTreeMap<Column, String>;

fn rows(batch: &RecordBatch) -> Result<Vec<Row>> {
    let mut rows = vec![Row::new(); batch.num_rows()];
    let mut known = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let Some(column) = Column::of(field.name()) else { continue };
        known.push(column);
        let text = arrow_cast::cast(array, &DataType::Utf8)?;
        for (row, cell) in rows.iter_mut().zip(text.as_string::<i32>()) {
            let cell = cell.unwrap_or_default().trim();
            if !cell.is_empty() {
                row.entry(column).or_insert_with(|| cell.to_owned());
            }
        }
    }
    if !known.contains(&Column::Name) && !known.contains(&Column::Title) {
        return Err(Error::new(
            Kind::Invalid,
            "sheet.headings",
            "there is no column with names of items",
        )
        .hint(
            "headings are those of the catalogue: 信息项名称, 字段名称, 数据类型, 字段长度, ...",
        ));
    }
    // A number alone is no row: sheets are numbered beyond their last item.
    for row in &mut rows {
        if row.keys().all(|column| *column == Column::Number) {
            row.clear();
        }
    }
    Ok(rows)
}

fn start(title: Option<&String>) -> Draft {
    Draft { version: "1.0.0".into(), title: title.cloned().unwrap_or_default(), ..Draft::default() }
}

/// A name for the contract out of its title: what a name cannot have is left out.
fn name_it(draft: &mut Draft, index: usize) {
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    draft.name = draft.title.chars().filter(plain).take(128).collect();
    if draft.name.is_empty() {
        draft.name = format!("resource{}", index + 1);
    }
}

impl Resource {
    fn add(&mut self, row: &Row, number: u64) {
        self.resource(row, number);
        let cell = |column| row.get(&column).cloned();
        let (name, title) = (cell(Column::Name), cell(Column::Title));
        let Some(name) = name.or_else(|| title.clone()) else { return };
        let mut field = FieldDraft { name, title, ..FieldDraft::default() };
        field.kind = self.kind(row, number);
        let key = self.yes(row, Column::Key, number) == Some(true);
        let required = self.yes(row, Column::Required, number);
        let nullable = self.yes(row, Column::Nullable, number);
        field.required = required.or_else(|| nullable.map(|nullable| !nullable));
        if key {
            self.draft.key.push(field.name.clone());
            field.required = None;
        }
        field.unit = cell(Column::Unit);
        field.format = cell(Column::Format);
        field.origin = cell(Column::Origin);
        field.about = cell(Column::About);
        field.sensitivity = self.word(row, Column::Sensitivity, number, Sensitivity::parse);
        field.grade = self.word(row, Column::Grade, number, Grade::parse);
        self.table(row, number, &mut field);
        if self.draft.field.iter().any(|other| other.name == field.name) {
            self.fault(number, "sheet.twice", &field.name, "a name that is there once", "it again");
            return;
        }
        self.draft.field.push(field);
        self.rows.push(number);
    }

    /// What the row says about the resource: the first row that says something counts.
    fn resource(&mut self, row: &Row, number: u64) {
        let cell = |column| row.get(&column).cloned();
        let list = |text: String| -> Vec<String> {
            let parts = text.split(['/', ';', '；', '、', ',', '，', '>']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let format = self.word(row, Column::FormatClass, number, FormatClass::parse);
        let sharing = Sharing {
            kind: self.word(row, Column::SharingType, number, SharingType::parse),
            condition: cell(Column::SharingCondition),
            mode: self.word(row, Column::SharingMode, number, SharingMode::parse),
        };
        let update = self.word(row, Column::Update, number, UpdateCycle::parse);
        let published = self.word(row, Column::Published, number, |text| text.parse().ok());
        let open = self.yes(row, Column::Open, number);
        let Draft { about, update: cycle, catalogue, .. } = &mut self.draft;
        if about.is_empty() {
            *about = cell(Column::Summary).unwrap_or_default();
        }
        *cycle = cycle.or(update);
        let Catalogue { class, related, .. } = catalogue;
        if class.is_empty() {
            *class = cell(Column::Class).map(list).unwrap_or_default();
        }
        if related.is_empty() {
            let codes = |text: String| {
                text.split([';', '；', '、', ',', '，'])
                    .map(|code| code.trim().to_owned())
                    .collect()
            };
            *related = cell(Column::Related).map(codes).unwrap_or_default();
        }
        fill(&mut catalogue.code, cell(Column::Code));
        fill(&mut catalogue.provider, cell(Column::Provider));
        fill(&mut catalogue.provider_code, cell(Column::ProviderCode));
        let kind = cell(Column::FormatKind).unwrap_or_default();
        fill(&mut catalogue.format, format.map(|class| ResourceFormat { class, kind }));
        fill(&mut catalogue.published, published);
        fill(&mut catalogue.open.open, open);
        let Open { condition, .. } = &mut catalogue.open;
        fill(condition, cell(Column::OpenCondition));
        fill(&mut catalogue.sharing.kind, sharing.kind);
        fill(&mut catalogue.sharing.condition, sharing.condition);
        fill(&mut catalogue.sharing.mode, sharing.mode);
    }

    /// The notation of the type; text when nothing is said.
    fn kind(&mut self, row: &Row, number: u64) -> Option<String> {
        let said = row.get(&Column::Type)?;
        let length = self.count(row, Column::Length, number);
        let scale = self.count(row, Column::Scale, number);
        match from_sheet(said, length, scale) {
            Ok(kind) => Some(kind),
            Err(found) => {
                let place = Column::Type.heading();
                self.fault(number, "sheet.type", place, "a data type such as C, N, D, T", found);
                None
            }
        }
    }

    /// A code table that is known; any other is kept as words.
    fn table(&self, row: &Row, _number: u64, field: &mut FieldDraft) {
        let Some(said) = row.get(&Column::Table) else { return };
        let known = known_table(said);
        let is_text = field
            .kind
            .as_deref()
            .is_none_or(|kind| kind.starts_with('c') || kind.starts_with('a') || kind == "text");
        match known {
            Some(name) if is_text => field.code_table = Some(name.to_owned()),
            _ => {
                let words = format!("数据字典: {said}");
                field.about = Some(match field.about.take() {
                    Some(about) => format!("{about}; {words}"),
                    None => words,
                });
            }
        }
    }

    fn count(&mut self, row: &Row, column: Column, number: u64) -> Option<u32> {
        let said = row.get(&column)?;
        // Spreadsheets give whole numbers as 20.0.
        let whole = said.strip_suffix(".0").unwrap_or(said);
        match whole.parse() {
            Ok(count) => Some(count),
            Err(_) if matches!(whole, "-" | "—" | "/" | "无") => None,
            Err(_) => {
                self.fault(number, "sheet.number", column.heading(), "a whole number", "text");
                None
            }
        }
    }

    fn yes(&mut self, row: &Row, column: Column, number: u64) -> Option<bool> {
        self.word(row, column, number, |text| match text {
            "是" | "Y" | "y" | "√" | "1" | "Yes" | "yes" | "true" | "TRUE" | "PK" | "必填" => {
                Some(true)
            }
            "否" | "N" | "n" | "×" | "0" | "No" | "no" | "false" | "FALSE" | "非必填" => {
                Some(false)
            }
            _ => None,
        })
    }

    fn word<T>(
        &mut self,
        row: &Row,
        column: Column,
        number: u64,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let said = row.get(&column)?;
        let word = read(said);
        if word.is_none() && !matches!(said.as_str(), "-" | "—" | "/" | "无") {
            let place = column.heading();
            self.fault(number, "sheet.word", place, "one of the words of the guideline", "another");
        }
        word
    }

    fn fault(&mut self, row: u64, code: &'static str, field: &str, expected: &str, found: &str) {
        self.faults.push((row, Fault::new(code, field, expected, found)));
    }
}

/// The built-in table that a sheet means: by its name, its source, or the number of the standard.
fn known_table(said: &str) -> Option<&'static str> {
    let small = |text: &str| -> String {
        text.chars().filter(char::is_ascii_graphic).collect::<String>().to_lowercase()
    };
    let number = small(said.split(['-', '—']).next().unwrap_or(said)).replace('/', "");
    let source = |name: &str| CodeTable::built_in(name).is_some_and(|t| t.source() == said);
    let by_number = |name: &str| name == number && !said.contains("字母");
    CodeTable::BUILT_IN.into_iter().find(|name| source(name) || by_number(name))
}

fn fill<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}
