//! From options and the first rows of a sheet to its columns: where the table lies, its header, its types.

mod tally;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use fenhe_core::schema::{FORMAT, SPELLING, projection};
use fenhe_core::{DecodeOptions, Error, Kind, Limits, Result, SchemaRef};
use fenhe_values::{FieldSpec, SchemaFile, Spelling, Trim};

use crate::cells::{Area, Block, Cell, Row, Value, letters};
use crate::error::{NAME, config};
use crate::options::{ExcelOptions, Hidden, Types};
use crate::values::{Context, display};
use crate::workbook::{Around, Sheet, Workbook};
use tally::infer;

/// Rows looked at.
pub(crate) const SAMPLE: usize = 2_000;

/// Which cells are looked at, before anything is known about their content.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) sheet: Sheet,
    pub(crate) area: Area,
    /// Header rows that are known, `None`: to be found.
    pub(crate) header: Option<u32>,
    /// Whether the caller said which columns.
    pub(crate) bounded: bool,
}

/// What is settled before the first record.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) schema: SchemaRef,
    pub(crate) specs: Vec<FieldSpec>,
    /// Sheet columns of the chosen fields.
    pub(crate) places: Vec<u16>,
    /// Names and sheet columns of all fields, for rejects.
    pub(crate) all: Vec<(String, u16)>,
    pub(crate) area: Area,
    /// The last row that is no record.
    pub(crate) header_end: u32,
    pub(crate) reasons: Vec<String>,
    pub(crate) why: Vec<(String, String)>,
}

/// The sheet and area that the options name.
pub(crate) fn place(
    workbook: &Workbook,
    options: &ExcelOptions,
    dataset: Option<&str>,
) -> Result<Place> {
    let header = header_rows(options)?;
    let mut area = match &options.range {
        Some(range) => Area::parse(range)
            .ok_or_else(|| config("range", format!("{range} is no range such as B3:F200")))?,
        None => Area::ALL,
    };
    area.first_row = area.first_row.saturating_add(options.skip_lines);
    if let Some(name) = &options.table {
        for sheet in &workbook.sheets {
            let tables = workbook.tables(sheet)?;
            if let Some(table) = tables.into_iter().find(|t| t.name.eq_ignore_ascii_case(name)) {
                let header = Some(u32::from(table.header));
                let mut area = table.area;
                area.last_row = area.last_row.saturating_sub(table.totals);
                return Ok(Place { sheet: sheet.clone(), area, header, bounded: true });
            }
        }
        return Err(missing(format!("no table {name}")));
    }
    let wanted = dataset.filter(|d| !d.is_empty()).or(options.sheet.as_deref());
    let sheet = match wanted {
        Some(name) => {
            let by_number = || {
                let number = name.parse::<usize>().ok()?;
                workbook.sheets.get(number.checked_sub(1)?)
            };
            let found = workbook.sheets.iter().find(|s| s.name == name);
            found.or_else(by_number).ok_or_else(|| {
                let names: Vec<&str> = workbook.sheets.iter().map(|s| s.name.as_str()).collect();
                missing(format!("no sheet {name}")).hint(format!("sheets are {}", names.join(", ")))
            })?
        }
        None => {
            let visible = workbook.sheets.iter().find(|s| !s.hidden);
            visible.or(workbook.sheets.first()).ok_or_else(|| missing("no worksheet".into()))?
        }
    };
    let bounded = area.last_column < Area::ALL.last_column;
    Ok(Place { sheet: sheet.clone(), area, header, bounded })
}

fn missing(what: String) -> Error {
    Error::new(Kind::NotFound, "excel.sheet", format!("the workbook has {what}")).at_offset(0)
}

fn header_rows(options: &ExcelOptions) -> Result<Option<u32>> {
    Ok(match options.header.as_deref() {
        None => None,
        Some("true" | "yes" | "on") => Some(1),
        Some("false" | "no" | "off") => Some(0),
        Some(number) => Some(
            number
                .parse()
                .ok()
                .filter(|n| *n <= 64)
                .ok_or_else(|| config("header", "true, false or a number of rows up to 64"))?,
        ),
    })
}

/// Whether merged areas and the like must be known before the rows.
pub(crate) fn needs_around(options: &ExcelOptions, place: &Place) -> bool {
    options.merged == crate::options::Merged::Fill
        || options.hidden == Hidden::Skip
        || place.header.is_some_and(|rows| rows > 1)
}

/// Settles everything by the first rows of the sheet.
pub(crate) fn settle(
    options: &ExcelOptions,
    open: &DecodeOptions,
    place: &Place,
    around: &Around,
    cx: &Context,
    sample: &[&Block],
) -> Result<Settled> {
    let area = place.area;
    let rows: Vec<(&Block, &Row)> = sample
        .iter()
        .flat_map(|block| block.rows.iter().map(move |row| (*block, row)))
        .filter(|(_, row)| (area.first_row..=area.last_row).contains(&row.number))
        .take(SAMPLE)
        .collect();
    let columns = columns(&rows, place, options, around);
    Limits::check("fields", open.limits.fields, columns.len() as u64)
        .map_err(|e| e.at_offset(0).at_field(place.sheet.name.clone()))?;
    let (header, mut reasons) = header(&rows, &columns, place, cx);
    let names = names(&header, &columns, around, cx);
    let header_end = header.last().map_or(area.first_row.saturating_sub(1), |(_, row)| row.number);
    let body: Vec<(&Block, &Row)> =
        rows.iter().filter(|(_, row)| row.number > header_end).copied().collect();
    reasons.push(format!(
        "sheet {}, columns {} to {}, records from row {}",
        place.sheet.name,
        columns.first().map(|c| letters(*c)).unwrap_or_default(),
        columns.last().map(|c| letters(*c)).unwrap_or_default(),
        header_end + 1
    ));
    let mut settled = Settled {
        schema: Arc::new(Schema::empty()),
        specs: Vec::new(),
        places: Vec::new(),
        all: names.iter().cloned().zip(columns.iter().copied()).collect(),
        area: Area {
            first_column: columns.first().copied().unwrap_or(area.first_column),
            last_column: columns.last().copied().unwrap_or(area.first_column),
            ..area
        },
        header_end,
        reasons,
        why: Vec::new(),
    };
    settled.choose(options, open, cx, &body, &place.sheet.name)?;
    Ok(settled)
}

impl Settled {
    fn choose(
        &mut self,
        options: &ExcelOptions,
        open: &DecodeOptions,
        cx: &Context,
        body: &[(&Block, &Row)],
        sheet: &str,
    ) -> Result<()> {
        let base = spelling(options)?;
        let file = match (&options.schema, &open.schema) {
            (Some(file), None) => Some(
                SchemaFile::parse(&file.text)
                    .map_err(|e| e.source_name(file.name.clone()))?
                    .schema(),
            ),
            _ => None,
        };
        let file = file.map(Arc::new);
        let given = open.schema.as_ref().or(file.as_ref());
        let mut fields = Vec::new();
        if let Some(schema) = given {
            let all: Vec<Field> =
                self.all.iter().map(|(n, _)| Field::new(n, DataType::Utf8, true)).collect();
            let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
            let at = projection(&Schema::new(all), &names)
                .map_err(|e| e.at_offset(0).source_name(sheet.to_owned()))?;
            for (field, at) in schema.fields().iter().zip(at) {
                let mut spec = FieldSpec::from_field(field)?;
                if !field.metadata().contains_key(SPELLING) {
                    spec.spelling = base.clone();
                }
                let place = self.all.get(at).map(|(_, place)| *place).unwrap_or_default();
                fields.push((spec, place, field.as_ref().clone()));
            }
        } else {
            for (name, place) in &self.all {
                let (data_type, why) = match options.types {
                    Types::Text => (DataType::Utf8, "text, as asked".to_owned()),
                    Types::Infer => infer(cx, body, *place),
                };
                self.why.push((name.clone(), why));
                let spec = FieldSpec::new(name, data_type).spelled(base.clone());
                let field = spec.to_field();
                fields.push((spec, *place, field));
            }
        }
        if let Some(columns) = &open.columns {
            let all = Schema::new(fields.iter().map(|(_, _, f)| f.clone()).collect::<Vec<_>>());
            let at = projection(&all, columns).map_err(|e| e.at_offset(0))?;
            fields = at.iter().filter_map(|at| fields.get(*at).cloned()).collect();
        }
        let mut metadata = match given {
            Some(schema) => schema.metadata().clone(),
            None => Default::default(),
        };
        metadata.insert(FORMAT.into(), NAME.into());
        metadata.insert(SPELLING.into(), serde_json::json!({ "sheet": sheet }).to_string());
        self.schema = Arc::new(Schema::new_with_metadata(
            fields.iter().map(|(_, _, f)| f.clone()).collect::<Vec<_>>(),
            metadata,
        ));
        self.places = fields.iter().map(|(_, place, _)| *place).collect();
        self.specs = fields.into_iter().map(|(spec, _, _)| spec).collect();
        Ok(())
    }
}

/// What the options say about all columns.
fn spelling(options: &ExcelOptions) -> Result<Spelling> {
    let mut spelling = Spelling::default();
    if let Some(nulls) = &options.nulls {
        spelling.nulls.clone_from(nulls);
    }
    if let Some(word) = &options.trim {
        spelling.trim =
            Trim::from_word(word).ok_or_else(|| config("trim", "none, left, right or both"))?;
    }
    if let Some(dates) = &options.dates {
        spelling.date.patterns.clone_from(dates);
    }
    Ok(spelling)
}

/// The sheet columns of the table.
fn columns(
    rows: &[(&Block, &Row)],
    place: &Place,
    options: &ExcelOptions,
    around: &Around,
) -> Vec<u16> {
    let area = place.area;
    let seen = rows.iter().flat_map(|(block, row)| block.cells_of(row));
    let seen = seen.map(|cell| cell.column).filter(|c| area.has_column(*c));
    let (least, most) =
        seen.fold((u16::MAX, None), |(l, m), c| (l.min(c), Some(m.unwrap_or(0).max(c))));
    let span = match (place.bounded, most) {
        (true, _) => area.first_column..=area.last_column,
        (false, Some(most)) => least..=most,
        (false, None) => return Vec::new(),
    };
    let hidden = |column: &u16| {
        options.hidden == Hidden::Skip
            && around.hidden_columns.iter().any(|(a, b)| (a..=b).contains(&column))
    };
    span.filter(|column| !hidden(column)).collect()
}

fn is_text(cx: &Context, block: &Block, cell: &Cell) -> bool {
    match cell.value {
        Value::Shared => cx.strings.get(cell.a).is_some_and(|t| !t.trim().is_empty()),
        Value::Inline => !block.inline(cell).trim().is_empty(),
        _ => false,
    }
}

/// The header rows and why.
fn header<'a>(
    rows: &[(&'a Block, &'a Row)],
    columns: &[u16],
    place: &Place,
    cx: &Context,
) -> (Vec<(&'a Block, &'a Row)>, Vec<String>) {
    let within = |cell: &&Cell| columns.binary_search(&cell.column).is_ok();
    let filled = |(block, row): &(&Block, &Row)| block.cells_of(row).iter().filter(within).count();
    let not_blank: Vec<_> = rows.iter().filter(|row| filled(row) > 0).copied().collect();
    if let Some(count) = place.header {
        let take = usize::try_from(count).unwrap_or(0);
        let mut header: Vec<_> = not_blank.iter().take(take).copied().collect();
        if place.bounded && count > 0 {
            // In a range the header is its first rows, blank or not.
            let end = place.area.first_row.saturating_add(count - 1);
            header = rows.iter().filter(|(_, row)| row.number <= end).copied().collect();
        }
        return (header, vec![format!("{count} header rows, as asked")]);
    }
    let widest = not_blank.iter().map(filled).max().unwrap_or(0);
    let found = not_blank.iter().take(32).position(|row| {
        let (block, line) = *row;
        let mut cells = block.cells_of(line).iter().filter(within);
        filled(row) * 5 >= widest * 4 && cells.all(|cell| is_text(cx, block, cell))
    });
    match found.and_then(|at| not_blank.get(at).map(|row| (at, *row))) {
        Some((at, row)) => {
            let mut why =
                vec![format!("row {} holds texts in the columns: the header", row.1.number)];
            if at > 0 {
                why.push(format!("{at} rows above the header are no records"));
            }
            (vec![row], why)
        }
        None => (Vec::new(), vec!["no row of texts above the others: no header".to_owned()]),
    }
}

/// Unique names of the columns.
fn names(header: &[(&Block, &Row)], columns: &[u16], around: &Around, cx: &Context) -> Vec<String> {
    let mut used = BTreeSet::new();
    let mut names = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        let mut parts: Vec<String> = Vec::new();
        for (block, row) in header {
            let of = |column: u16| {
                let cell = block.cell(row, column, usize::MAX)?;
                let text = display(cx, block, cell);
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                (!text.is_empty()).then_some(text)
            };
            let merged = || {
                let covers = |a: &&Area| {
                    a.has_column(*column) && (a.first_row..=a.last_row).contains(&row.number)
                };
                let area = around.merged.iter().find(covers)?;
                (area.first_row == row.number).then(|| of(area.first_column)).flatten()
            };
            let part = of(*column).or_else(|| if header.len() > 1 { merged() } else { None });
            parts.extend(part.filter(|part| parts.last() != Some(part)));
        }
        let name = match parts.join(".") {
            name if name.is_empty() => format!("column_{}", number + 1),
            name => name,
        };
        let mut unique = name.clone();
        let mut count = 1_u32;
        while !used.insert(unique.clone()) {
            count += 1;
            unique = format!("{name}_{count}");
        }
        names.push(unique);
    }
    names
}
