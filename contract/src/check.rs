//! From a contract as written to one that fits together.

mod attributes;
mod canonical;
mod tables;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{Field as ArrowField, Schema};
use fenhe_core::schema::{CODE_TABLE, LENGTH, NATIVE_TYPE, SENSITIVITY, TITLE, with};
use fenhe_core::{Error, nearest};
use fenhe_rules::{Checker, CodeTable, Context, Date, KeySet, Rule, Severity};
use serde::Deserialize;
use serde_json::Value;

use self::attributes::{attribute, attribute_rules};
use self::canonical::hash;
use self::tables::tables;
use crate::contract::{Contract, Field, Lengths, columns};
use crate::draft::{Draft, FieldDraft, RuleText};
use crate::text::{Step, Tables, Wrong, key};
use crate::{FieldType, Version};

/// Checks a contract and fills in what follows from it.
pub(crate) fn contract(mut draft: Draft, files: &dyn Tables) -> Result<Contract, Wrong> {
    let version: Version =
        draft.version.parse().map_err(|error| at(vec![key("version")], error))?;
    draft.version = version.to_string();
    name(&draft.name, vec![key("name")], "contract.name")?;
    if draft.dataset.is_none() {
        draft.dataset = Some(draft.name.clone());
    }
    let tables = tables(&mut draft, files)?;
    names(&draft)?;
    let default = std::mem::take(&mut draft.severity);
    let mut fields = Vec::with_capacity(draft.field.len());
    for (index, text) in draft.field.iter_mut().enumerate() {
        let key_part = draft.key.contains(&text.name);
        fields.push(field(text, index, key_part, default, &tables)?);
    }
    totals(&draft, &fields)?;
    let schema = Arc::new(Schema::new(fields.iter().map(arrow_field).collect::<Vec<_>>()));
    let checks = Checks { schema: &schema, tables: &tables };
    let mut rules = Vec::new();
    for (index, field) in fields.iter_mut().enumerate() {
        let own = field.rules.len();
        for (number, text) in field.written.rules.iter_mut().enumerate() {
            let path = vec![key("field"), Step::At(index), key("rules"), Step::At(number)];
            field.rules.push(checks.rule(text, Some(&field.name), field.severity, path)?);
        }
        for rule in field.rules.iter().take(own) {
            let place = attribute(rule);
            let path = vec![key("field"), Step::At(index), key(place)];
            checks.compiles(rule, path)?;
        }
        rules.extend(field.rules.iter().cloned());
    }
    for (number, text) in draft.rule.iter_mut().enumerate() {
        let path = vec![key("rule"), Step::At(number)];
        rules.push(checks.rule(text, None, default, path)?);
    }
    draft.field = fields.iter().map(|field| field.written.clone()).collect();
    let hash = hash(&draft);
    Ok(Contract { draft, version, fields, rules, tables, schema, hash })
}

/// A name that columns, files and URIs can have: letters of any script, digits, `_`, `-` and `.`.
pub(crate) fn name(name: &str, path: Vec<Step>, code: &'static str) -> Result<(), Wrong> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.chars().count() > 128 || !name.chars().all(plain) {
        let message = "a name has letters, digits, _ - and . (at most 128)";
        return Err(Wrong::new(path, code, message));
    }
    Ok(())
}

/// Names of fields are there once, and the key consists of them.
fn names(draft: &Draft) -> Result<(), Wrong> {
    if draft.field.is_empty() {
        return Err(Wrong::new(Vec::new(), "contract.empty", "there is no [[field]]"));
    }
    let mut seen = HashSet::new();
    for (index, field) in draft.field.iter().enumerate() {
        let path = vec![key("field"), Step::At(index), key("name")];
        name(&field.name, path.clone(), "contract.name")?;
        if !seen.insert(field.name.as_str()) {
            let message = format!("two fields are called {}", field.name);
            return Err(Wrong::new(path, "contract.name", message));
        }
    }
    for (index, part) in draft.key.iter().enumerate() {
        let path = vec![key("key"), Step::At(index)];
        let Some(at) = draft.field.iter().position(|field| field.name == *part) else {
            return Err(unknown(path, "field", part, seen.iter().copied()));
        };
        if draft.field.get(at).is_some_and(|field| field.required == Some(false)) {
            let path = vec![key("field"), Step::At(at), key("required")];
            let message = format!("{part} is part of the key and therefore required");
            return Err(Wrong::new(path, "contract.key", message));
        }
        if draft.key.iter().take(index).any(|other| other == part) {
            return Err(Wrong::new(path, "contract.key", format!("{part} is there twice")));
        }
    }
    Ok(())
}

fn totals(draft: &Draft, fields: &[Field]) -> Result<(), Wrong> {
    for (index, total) in draft.totals.iter().enumerate() {
        let path = vec![key("totals"), Step::At(index)];
        match fields.iter().find(|field| field.name == *total) {
            None => {
                let names = fields.iter().map(|field| field.name.as_str());
                return Err(unknown(path, "field", total, names));
            }
            Some(field) if !field.kind.is_exact() => {
                let message = format!("{total} is {}, which has no exact sum", field.kind);
                return Err(Wrong::new(path, "contract.totals", message)
                    .hint("control totals are whole numbers or decimals"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Everything about a field but its own rules.
fn field(
    text: &mut FieldDraft,
    index: usize,
    key_part: bool,
    default: Severity,
    tables: &[CodeTable],
) -> Result<Field, Wrong> {
    let path = |name: &str| vec![key("field"), Step::At(index), key(name)];
    let Some(written) = &text.kind else {
        let message = format!("{} has no type", text.name);
        return Err(Wrong::new(path("name"), "contract.type", message));
    };
    let kind = FieldType::parse(written).map_err(|error| at(path("type"), error))?;
    let length = length(text, &kind, path("length"))?;
    let severity = text.severity.unwrap_or(default);
    let required = text.required.unwrap_or(key_part);
    text.kind = Some(kind.to_string());
    text.severity = Some(severity);
    text.required = Some(required);
    for (attribute, given) in
        [("code_table", text.code_table.is_some()), ("pattern", text.pattern.is_some())]
    {
        if given && !kind.is_text() {
            let message = format!("{} is {kind}; only text has a {attribute}", text.name);
            return Err(Wrong::new(path(attribute), "contract.type", message));
        }
    }
    if let Some(table) = &text.code_table
        && CodeTable::built_in(table).is_none()
        && !tables.iter().any(|own| own.name() == table)
    {
        let names = tables.iter().map(CodeTable::name).chain(CodeTable::BUILT_IN);
        return Err(unknown(path("code_table"), "code table", table, names));
    }
    let rules = attribute_rules(text, &kind, length, severity);
    Ok(Field {
        name: text.name.clone(),
        title: text.title.clone().unwrap_or_default(),
        kind,
        length,
        required,
        severity,
        rules,
        written: text.clone(),
    })
}

fn length(text: &FieldDraft, kind: &FieldType, path: Vec<Step>) -> Result<Option<Lengths>, Wrong> {
    let unit = text.length_unit.unwrap_or_default();
    let (min, of_type) = kind.length();
    let max = match (of_type, text.length) {
        (Some(a), Some(b)) if a != b => {
            let message = format!("{} says {a}, length says {b}", kind);
            return Err(Wrong::new(path, "contract.length", message)
                .hint("leave out length, the type says it"));
        }
        (_, Some(_)) if !kind.is_text() => {
            let message = format!("{} is {kind}; only text has a length", text.name);
            return Err(Wrong::new(path, "contract.length", message)
                .hint("digits of a number are in its type: n10,2 or decimal(10,2)"));
        }
        (_, Some(0)) => {
            return Err(Wrong::new(path, "contract.length", "no text has a length of 0"));
        }
        (a, b) => a.or(b),
    };
    Ok((min > 0 || max.is_some()).then_some(Lengths { min, max, unit }))
}

struct Checks<'a> {
    schema: &'a Schema,
    tables: &'a [CodeTable],
}

impl Checks<'_> {
    /// Reads a rule, fills in the field and the severity that go without saying, and sees whether it can be applied.
    fn rule(
        &self,
        text: &mut RuleText,
        field: Option<&str>,
        severity: Severity,
        path: Vec<Step>,
    ) -> Result<Rule, Wrong> {
        if let Some(name) = field {
            let several =
                matches!(text.get("rule").and_then(Value::as_str), Some("unique" | "reference"));
            if several {
                text.entry("fields").or_insert_with(|| Value::from(vec![name]));
            } else {
                text.entry("field").or_insert_with(|| Value::from(name));
            }
        }
        let severity_name = if severity == Severity::Warn { "warn" } else { "reject" };
        text.entry("severity").or_insert_with(|| Value::from(severity_name));
        let rule = Rule::deserialize(Value::Object(text.clone()))
            .map_err(|error| reading(&error.to_string(), path.clone()))?;
        if field.is_some_and(|name| !columns(&rule).contains(&name)) {
            let message = format!("a rule of {} is about {}", field.unwrap_or(""), rule.field());
            return Err(Wrong::new(path, "contract.rule", message)
                .hint("rules over other fields stand under [[rule]]"));
        }
        self.compiles(&rule, path).map_err(|wrong| at_value(wrong, text))?;
        if let Ok(Value::Object(normal)) = serde_json::to_value(&rule) {
            *text = normal;
        }
        Ok(rule)
    }

    fn compiles(&self, rule: &Rule, path: Vec<Step>) -> Result<(), Wrong> {
        let mut context = Context::on(Date::from_days(0));
        context.tables = self.tables.to_vec();
        if let Rule::Reference(rule) = rule {
            // The keys come with the data.
            context.references.insert(rule.to.clone(), Arc::new(KeySet::new(1)));
        }
        match Checker::new(self.schema, std::slice::from_ref(rule), context) {
            Ok(_) => Ok(()),
            Err(error) => {
                // The checker counts the rules that it was given; here the place says which one it is.
                let message = error.message();
                let message =
                    message.split_once("): ").map_or(message, |(_, rest)| rest).to_owned();
                let mut plain = Error::new(error.kind(), error.code().to_owned(), message);
                if let Some(hint) = error.hint_text() {
                    plain = plain.hint(hint.to_owned());
                }
                Err(at(path, plain))
            }
        }
    }
}

/// The same, at the key of the rule whose value the message is about.
fn at_value(mut wrong: Wrong, rule: &RuleText) -> Wrong {
    let message = wrong.error.message();
    let about =
        |value: &Value| value.as_str().is_some_and(|value| message.ends_with(&format!(" {value}")));
    if let Some((name, _)) = rule.iter().find(|(_, value)| about(value)) {
        wrong.path.push(key(name));
    }
    wrong
}

/// An error of `serde` about a rule, at the key that it names.
fn reading(message: &str, mut path: Vec<Step>) -> Wrong {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let first = quoted.next().unwrap_or_default().to_owned();
    let known: Vec<&str> = quoted.collect();
    let short = message.split(", expected").next().unwrap_or(message).to_owned();
    if message.starts_with("unknown field") {
        path.push(key(&first));
    } else if message.starts_with("unknown variant") {
        path.push(key("rule"));
    }
    let wrong = Wrong::new(path, "contract.rule", short);
    match nearest(&first, known.iter().copied()) {
        _ if !message.starts_with("unknown") => wrong,
        Some(near) => wrong.hint(format!("did you mean {near}?")),
        None => wrong.hint(format!("known are {}", known.join(", "))),
    }
}

fn arrow_field(field: &Field) -> ArrowField {
    let mut arrow = ArrowField::new(&field.name, field.kind.data_type().clone(), !field.required);
    let mut add = |key: &str, value: String| arrow = with(arrow.clone(), key, value);
    add(NATIVE_TYPE, field.kind.to_string());
    if !field.title.is_empty() {
        add(TITLE, field.title.clone());
    }
    if let Some(max) = field.length.and_then(|length| length.max) {
        add(LENGTH, max.to_string());
    }
    if let Some(table) = &field.written.code_table {
        add(CODE_TABLE, table.clone());
    }
    if let Some(sensitivity) = field.written.sensitivity {
        add(SENSITIVITY, sensitivity.as_str().into());
    }
    arrow
}

fn at(path: Vec<Step>, error: Error) -> Wrong {
    Wrong { path, error }
}

fn unknown<'a>(
    path: Vec<Step>,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Wrong {
    let known: Vec<&str> = known.collect();
    let wrong = Wrong::new(path, "contract.unknown", format!("there is no {what} {name}"));
    match nearest(name, known.iter().copied()) {
        Some(near) => wrong.hint(format!("did you mean {near}?")),
        None => wrong.hint(format!("known are {}", known.join(", "))),
    }
}
