//! How a column becomes an item: the steps of the mapping, and what stands against it.

use std::collections::BTreeMap;

use arrow_schema::DataType;
use fenhe_contract::{Contract, Field};
use fenhe_mapping::{Codes, Derived, FieldMapping, Operation, Side, Spelling, Step, Unit};
use fenhe_rules::CodeTable;
use fenhe_rules::identifiers::Identifier;

use crate::Words;
use crate::find::{identifier, title_of};
use crate::names::same_thing;
use crate::profile::Column;
use crate::report::{Conflict, ConflictKind, Status};
use crate::words::{percent, type_of};

/// Below this share of values in the code table, the codes are other codes.
const CODES: f64 = 0.95;
/// From this share on, what is not of the type is bad data and not another type.
const MOSTLY: f64 = 0.5;

/// How an item is made.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    /// `None` when no conversion is known.
    pub(crate) mapping: Option<FieldMapping>,
    pub(crate) conversion: Vec<Words>,
    pub(crate) conflicts: Vec<Conflict>,
}

impl Proposal {
    pub(crate) fn status(&self) -> Status {
        match () {
            () if !self.conflicts.is_empty() => Status::Conflicting,
            () if !self.conversion.is_empty() => Status::Derivable,
            () => Status::Supplied,
        }
    }

    fn step(&mut self, operation: Operation, en: impl Into<String>, zh: impl Into<String>) {
        if let Some(mapping) = &mut self.mapping {
            mapping.steps.push(Step::new(operation));
        }
        self.conversion.push(Words::new(en, zh));
    }

    fn cast(&mut self, field: &Field) {
        if let Some(mapping) = &mut self.mapping {
            mapping.data_type = Some(field.kind.data_type().clone());
        }
        let kind = type_of(field.kind.data_type());
        let (en, zh) = (format!("read as {}", kind.en), format!("转换为{}", kind.zh));
        self.conversion.push(Words::new(en, zh));
    }

    pub(crate) fn against(
        &mut self,
        kind: ConflictKind,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        self.conflicts.push(Conflict { kind, words: Words::new(en, zh) });
    }
}

/// How `column` becomes `field`.
pub(crate) fn propose(contract: &Contract, field: &Field, column: &Column) -> Proposal {
    let mut proposal = Proposal {
        mapping: Some(FieldMapping::renamed(&field.name, &column.name)),
        conversion: Vec::new(),
        conflicts: Vec::new(),
    };
    match field.kind.data_type() {
        DataType::Utf8 => text(contract, field, column, &mut proposal),
        DataType::Date32 => date(field, column, &mut proposal),
        _ if field.kind.is_exact() => number(field, column, &mut proposal),
        same if *same == column.data_type => {}
        other => {
            let castable = column.is_text() || arrow_cast::can_cast_types(&column.data_type, other);
            match castable {
                true => proposal.cast(field),
                false => other_type(field, column, &mut proposal),
            }
        }
    }
    proposal
}

/// Whether an item can be read out of the number of a person, and how.
pub(crate) fn derive(field: &Field, number: &Column) -> Option<Proposal> {
    let names = [field.name.as_str(), field.title.as_str()];
    let is = |thing: &str| names.iter().any(|name| same_thing(name, thing));
    let (derived, en, zh) = match () {
        () if is("csrq") && *field.kind.data_type() == DataType::Date32 => {
            (Derived::BirthDate, "the birth date in the number", "取证件号码中的出生日期")
        }
        () if is("xb") && field.kind.is_text() => {
            (Derived::Sex, "the sex in the number", "取证件号码中的性别")
        }
        () => return None,
    };
    let mut proposal = Proposal {
        mapping: Some(FieldMapping::renamed(&field.name, &number.name)),
        conversion: Vec::new(),
        conflicts: Vec::new(),
    };
    if number.has_odd_spelling() {
        proposal.step(Operation::PlainId, "plain spelling of the number", "证件号码规范书写");
    }
    proposal.step(Operation::Derive(derived), en, zh);
    Some(proposal)
}

fn text(contract: &Contract, field: &Field, column: &Column, proposal: &mut Proposal) {
    if !column.is_text() {
        match column.data_type.is_nested() || column.data_type.is_binary() {
            true => other_type(field, column, proposal),
            false => {
                proposal.cast(field);
                let fixed = field.length.is_some_and(|l| l.min > 1 && Some(l.min) == l.max);
                if fixed && column.data_type.is_numeric() {
                    proposal.against(
                        ConflictKind::Type,
                        "the column holds numbers: leading zeros of the code are lost",
                        "该列为数值型，代码的前导零已丢失",
                    );
                }
            }
        }
        return;
    }
    let kind = identifier(field);
    if kind.is_some() && column.has_odd_spelling() {
        proposal.step(
            Operation::PlainId,
            "blanks, hyphens, full width and small letters put right",
            "去除空格和连字符，全角转半角，小写转大写",
        );
    } else if column.has_blanks() {
        proposal.step(Operation::Trim(Side::Both), "blanks at the ends removed", "去除首尾空格");
    }
    let citizen =
        matches!(kind, Some(Identifier::Citizen | Identifier::Citizen18 | Identifier::Person));
    let wants_18 = field.length.is_some_and(|length| length.min == 18);
    if citizen && column.has_old_citizens() && (wants_18 || kind == Some(Identifier::Citizen18)) {
        proposal.step(
            Operation::UpgradeId { assume_century: false },
            "numbers of 15 digits become 18",
            "15 位号码升为 18 位",
        );
    }
    let coded = field.written.code_table.is_some();
    codes(contract, field, column, proposal);
    let most = field.length.and_then(|length| length.max).map(u64::from);
    // What becomes a code or a number of 18 characters has another length.
    if let Some(most) = most.filter(|most| column.longest > *most && !coded && kind.is_none()) {
        let longest = column.longest;
        proposal.against(
            ConflictKind::Length,
            format!("values have up to {longest} characters, the contract takes {most}"),
            format!("值最长 {longest} 个字符，合约最多 {most} 个字符"),
        );
    }
}

fn codes(contract: &Contract, field: &Field, column: &Column, proposal: &mut Proposal) {
    let Some(table) = field.written.code_table.as_deref().and_then(|name| contract.table(name))
    else {
        return;
    };
    let name = table.name().to_owned();
    let title = table_title(&table);
    if column.present == 0 {
        return;
    }
    let Some((codes, titles)) = column.codes(&table) else {
        return proposal.against(
            ConflictKind::Code,
            format!("too many different values for codes of {title}"),
            format!("取值过多，不是 {title} 的代码"),
        );
    };
    if codes == 0 && name == "gbt2261.1" && column.all_among(&["M", "F", "m", "f"]) {
        let pairs = [("M", "1"), ("F", "2"), ("m", "1"), ("f", "2")];
        let pairs: BTreeMap<String, String> =
            pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let en = "M and F become codes of GB/T 2261.1";
        return proposal.step(
            Operation::Code(Codes::Pairs(pairs)),
            en,
            "M/F 转为 GB/T 2261.1 代码",
        );
    }
    if titles > 0 {
        proposal.step(
            Operation::Code(Codes::Table(name.clone())),
            format!("words become codes of {title}"),
            format!("名称转为 {title} 代码"),
        );
    }
    let share = column.share(codes + titles);
    if share < CODES {
        let outside = percent(1.0 - share);
        proposal.against(
            ConflictKind::Code,
            format!("{outside} of the values are not in {title}: another code table"),
            format!("{outside} 的值不在 {title} 中，代码体系不同"),
        );
    }
}

/// How people know a table.
pub(crate) fn table_title(table: &CodeTable) -> String {
    match table.source() {
        "" => table.name().to_owned(),
        source => source.to_owned(),
    }
}

fn date(field: &Field, column: &Column, proposal: &mut Proposal) {
    match &column.data_type {
        DataType::Date32 => {}
        DataType::Timestamp(..) | DataType::Date64 => proposal.cast(field),
        _ if column.is_text() && (column.present == 0 || column.date_share() >= MOSTLY) => {
            proposal.step(
                Operation::Date { spellings: vec![Spelling::Usual], pivot: None },
                "dates read in the usual spellings",
                "按常见写法解析日期",
            );
        }
        _ => other_type(field, column, proposal),
    }
}

fn number(field: &Field, column: &Column, proposal: &mut Proposal) {
    if let (Some(from), Some(to)) = (unit_of_column(column), unit_of_field(field))
        && from != to
    {
        let (from_word, to_word) = (unit_word(from), unit_word(to));
        proposal.step(
            Operation::Unit { from, to },
            format!("{from_word} become {to_word}"),
            format!("{from_word}换算为{to_word}"),
        );
    }
    if column.data_type == *field.kind.data_type() {
        return;
    }
    let numeric = column.data_type.is_integer() || column.data_type.is_decimal();
    let text = column.is_text() && (column.present == 0 || column.number_share() >= MOSTLY);
    match numeric || text {
        true => proposal.cast(field),
        false if column.data_type.is_floating() => {
            proposal.cast(field);
            proposal.against(
                ConflictKind::Type,
                "the column holds binary fractions: sums are not exact",
                "该列为浮点数，合计不精确",
            );
        }
        false => other_type(field, column, proposal),
    }
}

/// No conversion is known.
fn other_type(field: &Field, column: &Column, proposal: &mut Proposal) {
    proposal.mapping = None;
    proposal.conversion.clear();
    let wanted = type_of(field.kind.data_type());
    let (en, zh) = match column.is_text() {
        true => (
            format!("the values are text and mostly no {}", wanted.en),
            format!("该列为文本，多数值不能转换为{}", wanted.zh),
        ),
        false => (
            format!("{} does not become {}", column.native, wanted.en),
            format!("{} 不能转换为{}", column.native, wanted.zh),
        ),
    };
    proposal.against(ConflictKind::Type, en, zh);
}

/// What the title of a column says about its unit.
fn unit_of_column(column: &Column) -> Option<Unit> {
    let title = column.title.as_deref().unwrap_or(&column.name);
    unit(title)
}

fn unit_of_field(field: &Field) -> Option<Unit> {
    field.written.unit.as_deref().and_then(unit).or_else(|| unit(title_of(field)))
}

/// The unit in a text: as the whole of it, or in brackets.
fn unit(text: &str) -> Option<Unit> {
    let inside = text.split_once(['(', '（']).map_or(text, |(_, rest)| rest);
    let word = inside.trim_end_matches([')', '）']).trim();
    UNITS.iter().find(|(known, _)| *known == word).map(|(_, unit)| *unit)
}

const UNITS: &[(&str, Unit)] = &[
    ("分", Unit::Fen),
    ("角", Unit::Jiao),
    ("元", Unit::Yuan),
    ("人民币元", Unit::Yuan),
    ("千元", Unit::Thousand),
    ("万元", Unit::TenThousand),
    ("百万元", Unit::Million),
    ("千万元", Unit::TenMillion),
    ("亿元", Unit::HundredMillion),
];

fn unit_word(unit: Unit) -> &'static str {
    UNITS.iter().find(|(_, known)| *known == unit).map_or("", |(word, _)| word)
}
