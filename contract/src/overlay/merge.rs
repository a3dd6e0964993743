//! An overlay laid over the data of its base.

use fenhe_core::Error;
use fenhe_rules::Severity;
use serde_json::Value;

use super::OverlayDraft;
use crate::draft::{FieldDraft, RuleText};
use crate::text::{Step, Wrong};
use crate::{Contract, Draft, Version};

/// For each field of the merged contract, which field of the overlay it was touched by.
pub(super) struct Origins {
    fields: Vec<Option<usize>>,
    /// Rules that the field, and the contract, had before.
    rules_before: Vec<usize>,
    contract_rules: usize,
    tables_before: usize,
    /// Names of the fields of the overlay.
    names: Vec<String>,
}

/// The base with the overlay on it, and where each part came from.
pub(super) fn merge(text: &OverlayDraft, base: &Contract, version: Version) -> (Draft, Origins) {
    let mut draft = base.draft().clone();
    draft.name.clone_from(&text.name);
    draft.version = version.to_string();
    let mut origins = Origins {
        fields: vec![None; draft.field.len()],
        rules_before: draft.field.iter().map(|field| field.rules.len()).collect(),
        contract_rules: draft.rule.len(),
        tables_before: draft.table.len(),
        names: text.field.iter().map(|field| field.name.clone()).collect(),
    };
    if !text.title.is_empty() {
        draft.title.clone_from(&text.title);
    }
    if !text.about.is_empty() {
        draft.about.clone_from(&text.about);
    }
    draft.update = text.update.or(draft.update);
    let new_totals = text.totals.iter().filter(|total| !base.totals().contains(total));
    draft.totals.extend(new_totals.cloned());
    draft.table.extend(text.table.iter().cloned());
    draft.rule.extend(text.rule.iter().map(|rule| severe(rule, text.severity)));
    for (index, over) in text.field.iter().enumerate() {
        match draft.field.iter().position(|field| field.name == over.name) {
            Some(at) => {
                if let Some(field) = draft.field.get_mut(at) {
                    lay_over(field, over, text.severity);
                }
                if let Some(origin) = origins.fields.get_mut(at) {
                    *origin = Some(index);
                }
            }
            None => {
                let mut field = over.clone();
                field.severity = Some(over.severity.unwrap_or(text.severity));
                draft.field.push(field);
                origins.fields.push(Some(index));
                origins.rules_before.push(0);
            }
        }
    }
    (draft, origins)
}

/// What the overlay says takes the place of what the base says; rules and a second pattern come on top.
fn lay_over(field: &mut FieldDraft, over: &FieldDraft, severity: Severity) {
    let FieldDraft {
        name: _,
        title,
        also,
        kind,
        length,
        length_unit,
        required,
        code_table,
        pattern,
        severity: own,
        rules,
        sensitivity,
        grade,
        sharing,
        unit,
        format,
        origin,
        about,
    } = over.clone();
    let own_severity = own;
    macro_rules! replace {
        ($($part:ident),*) => { $( if $part.is_some() { field.$part = $part; } )* };
    }
    if kind.is_some() && length.is_none() {
        // A length of its own belonged to the type that it stood beside.
        field.length = None;
    }
    replace!(
        title,
        kind,
        length,
        length_unit,
        required,
        code_table,
        sensitivity,
        grade,
        sharing,
        unit,
        format,
        origin,
        about
    );
    if own.is_some() {
        field.severity = own;
    }
    let known: Vec<String> = field.also.clone();
    field.also.extend(also.into_iter().filter(|name| !known.contains(name)));
    match (&field.pattern, pattern) {
        (Some(old), Some(new)) if *old != new => {
            // Both have to match: two expressions cannot be compared, but they can both be asked for.
            let mut rule = RuleText::new();
            rule.insert("rule".into(), Value::from("pattern"));
            rule.insert("pattern".into(), Value::from(new));
            field.rules.push(severe(&rule, own_severity.unwrap_or(severity)));
        }
        (None, Some(new)) => field.pattern = Some(new),
        _ => {}
    }
    let severity = own_severity.unwrap_or(severity);
    for rule in rules {
        // The same rule again is the same rule, perhaps with another severity.
        let same = field.rules.iter_mut().find(|old| same_rule(old, &rule, &over.name));
        match same {
            Some(old) => {
                if let Some(severity) = rule.get("severity") {
                    old.insert("severity".into(), severity.clone());
                }
            }
            None => field.rules.push(severe(&rule, severity)),
        }
    }
}

fn same_rule(old: &RuleText, new: &RuleText, field: &str) -> bool {
    let bare = |rule: &RuleText| {
        let mut rule = rule.clone();
        for words in ["severity", "code", "message"] {
            rule.remove(words);
        }
        rule.entry("field").or_insert_with(|| Value::from(field));
        rule.retain(|_, value| *value != Value::Bool(false) && value.as_u64() != Some(0));
        rule
    };
    bare(old) == bare(new)
}

fn severe(rule: &RuleText, severity: Severity) -> RuleText {
    let mut rule = rule.clone();
    let word = if severity == Severity::Reject { "reject" } else { "warn" };
    rule.entry("severity").or_insert_with(|| Value::from(word));
    rule
}

/// What the overlay says of the field that an error is about.
fn of_field(error: &Error, origins: &Origins) -> Vec<Step> {
    let named = origins.names.iter().position(|name| Some(name.as_str()) == error.field());
    named.map_or(Vec::new(), |at| {
        vec![Step::Key("field".into()), Step::At(at), Step::Key("type".into())]
    })
}

/// Paths of the merged contract as paths of the overlay.
pub(super) fn back_to_overlay(mut wrong: Wrong, origins: &Origins) -> Wrong {
    let mut steps = std::mem::take(&mut wrong.path).into_iter();
    let (first, second) = (steps.next(), steps.next());
    let mut path: Vec<Step> = Vec::new();
    match (first, second) {
        // A rule of the base that does not go with what the overlay says of a field.
        (Some(Step::Key(name)), Some(Step::At(at)))
            if name == "rule" && at < origins.contract_rules =>
        {
            path.extend(of_field(&wrong.error, origins));
        }
        (Some(Step::Key(name)), Some(Step::At(at))) if name == "field" => {
            if let Some(Some(index)) = origins.fields.get(at) {
                path.extend([Step::Key(name), Step::At(*index)]);
                let before = origins.rules_before.get(at).copied().unwrap_or(0);
                let own =
                    steps.clone().any(|step| matches!(step, Step::At(rule) if rule >= before));
                if !own && steps.clone().any(|step| matches!(step, Step::At(_))) {
                    // A rule of the base, which the type of the overlay does not go with.
                    path.push(Step::Key("type".into()));
                    wrong.path = path;
                    return wrong;
                }
                path.extend(steps.map(|step| match step {
                    Step::At(rule) => Step::At(rule.saturating_sub(before)),
                    key => key,
                }));
            }
        }
        (Some(Step::Key(name)), Some(Step::At(at))) if name == "rule" || name == "table" => {
            let before = match name.as_str() {
                "rule" => origins.contract_rules,
                _ => origins.tables_before,
            };
            path.extend([Step::Key(name), Step::At(at.saturating_sub(before))]);
            path.extend(steps);
        }
        (Some(first), second) => {
            path.push(first);
            path.extend(second);
            path.extend(steps);
        }
        (None, _) => {}
    }
    wrong.path = path;
    wrong
}
