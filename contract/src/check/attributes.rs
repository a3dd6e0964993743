//! Rules that follow from the attributes of a field.

use fenhe_rules::{Rule, Severity, Unit, rule};

use crate::FieldType;
use crate::contract::Lengths;
use crate::draft::FieldDraft;

/// Code of a missing required value.
const REQUIRED: &str = "contract.required";
/// Code of a text that is too short or too long.
const LENGTH_CODE: &str = "contract.length";
/// Code of a text with other characters than its type allows.
const CHARACTERS: &str = "contract.characters";
/// Code of a text that does not match the pattern.
const PATTERN: &str = "contract.pattern";
/// Code of a value that is no code of the table.
const CODE: &str = "contract.code_table";

/// The rules that follow from the attributes of a field.
pub(super) fn attribute_rules(
    text: &FieldDraft,
    kind: &FieldType,
    length: Option<Lengths>,
    severity: Severity,
) -> Vec<Rule> {
    let field = text.name.clone();
    let mut rules = Vec::new();
    if text.required == Some(true) {
        rules.push(Rule::NotNull(rule::NotNull {
            field: field.clone(),
            blank: false,
            severity: Severity::Reject,
            code: Some(REQUIRED.into()),
            message: None,
        }));
    }
    let counted = length.map(|Lengths { min, max, unit }| (min, max, unit));
    match (kind.characters(), counted) {
        (Some(class), Some((min, max, Unit::Chars))) => {
            let most = max.map(|max| max.to_string()).unwrap_or_default();
            let times = if max == Some(min) { most } else { format!("{min},{most}") };
            let pattern = format!("{class}{{{times}}}");
            rules.push(pattern_rule(&field, pattern, severity, CHARACTERS));
        }
        (class, counted) => {
            if let Some((min, max, unit)) = counted {
                rules.push(Rule::Length(rule::Length {
                    field: field.clone(),
                    min: min.into(),
                    max: max.map(u64::from),
                    unit,
                    severity,
                    code: Some(LENGTH_CODE.into()),
                    message: None,
                }));
            }
            if let Some(class) = class {
                rules.push(pattern_rule(&field, format!("{class}*"), severity, CHARACTERS));
            }
        }
    }
    if let Some(pattern) = &text.pattern {
        rules.push(pattern_rule(&field, pattern.clone(), severity, PATTERN));
    }
    if let Some(table) = &text.code_table {
        rules.push(Rule::CodeTable(rule::CodeTable {
            field,
            table: table.clone(),
            on: None,
            on_field: None,
            severity,
            code: Some(CODE.into()),
            message: None,
        }));
    }
    rules
}

fn pattern_rule(field: &str, pattern: String, severity: Severity, code: &str) -> Rule {
    Rule::Pattern(rule::Pattern {
        field: field.into(),
        pattern,
        severity,
        code: Some(code.into()),
        message: None,
    })
}

/// The attribute that a rule comes from.
pub(crate) fn attribute(rule: &Rule) -> &'static str {
    match rule {
        Rule::NotNull(_) => "required",
        Rule::Length(_) => "length",
        Rule::CodeTable(_) => "code_table",
        Rule::Pattern(rule) if rule.code.as_deref() == Some(PATTERN) => "pattern",
        _ => "type",
    }
}
