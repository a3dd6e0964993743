//! Rules as they are written: which came, which went, and whether the rest asks for as much.

use fenhe_rules::{Rule, Severity};
use serde_json::Value;

use super::values::Limits;
use super::{Found, Relation, severity_relation};
use crate::contract::{Contract, Field, columns};
use crate::draft::RuleText;

/// Rules as written and as they are checked.
pub(super) struct Asked<'a> {
    contract: &'a Contract,
    texts: &'a [RuleText],
    rules: &'a [Rule],
}

impl<'a> Asked<'a> {
    pub(super) fn of_field(contract: &'a Contract, field: &'a Field) -> Self {
        let texts = field.written.rules.as_slice();
        Self { contract, texts, rules: last(&field.rules, texts.len()) }
    }

    pub(super) fn of_contract(contract: &'a Contract) -> Self {
        let texts = contract.draft.rule.as_slice();
        Self { contract, texts, rules: last(&contract.rules, texts.len()) }
    }

    fn each(&self) -> impl Iterator<Item = (&'a RuleText, &'a Rule)> {
        self.texts.iter().zip(self.rules)
    }

    /// Whether all that the contract says about the field of the rule asks for as much.
    fn implies(&self, other: &Contract, rule: &Rule) -> bool {
        match columns(rule).as_slice() {
            [field] => Limits::of(self.contract, field).imply(other, rule),
            _ => false,
        }
    }
}

fn last<T>(all: &[T], number: usize) -> &[T] {
    all.get(all.len().saturating_sub(number)..).unwrap_or_default()
}

/// Rules are the same when they check the same; their severity is compared then.
pub(super) fn rules(field: &str, before: &Asked<'_>, after: &Asked<'_>, found: &mut Found) {
    for (text, rule) in after.each() {
        match before.texts.iter().find(|old| bare(old) == bare(text)) {
            Some(old) if severity(old) != severity(text) => {
                let relation = severity_relation(severity(old), severity(text));
                let (old, new) = (said(old, true), said(text, true));
                found.add(field, "rule", &old, &new, relation, true);
            }
            Some(_) => {}
            None => {
                let relation = match before.implies(after.contract, rule) {
                    true => Relation::Same,
                    false => Relation::Narrower,
                };
                let enforced = severity(text) == Severity::Reject;
                found.add(field, "rule", "", &said(text, true), relation, enforced);
                found.asks(std::iter::once(rule));
            }
        }
    }
    for (text, rule) in before.each() {
        if after.texts.iter().any(|new| bare(new) == bare(text)) {
            continue;
        }
        let relation = match after.implies(before.contract, rule) {
            true => Relation::Same,
            false => Relation::Wider,
        };
        let enforced = severity(text) == Severity::Reject;
        found.add(field, "rule", &said(text, true), "", relation, enforced);
    }
}

/// A rule without the words that do not change what it checks.
fn bare(rule: &RuleText) -> RuleText {
    let mut rule = rule.clone();
    for words in ["severity", "code", "message"] {
        rule.remove(words);
    }
    rule
}

fn severity(rule: &RuleText) -> Severity {
    match rule.get("severity").and_then(Value::as_str) {
        Some("reject") => Severity::Reject,
        _ => Severity::Warn,
    }
}

/// A rule in one line: its name and what it is about, without the field.
fn said(rule: &RuleText, with_severity: bool) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("+"),
        other => other.to_string(),
    };
    let mut text = rule.get("rule").map(word).unwrap_or_default();
    for (key, value) in rule {
        let hidden = matches!(key.as_str(), "rule" | "field" | "severity" | "code" | "message");
        if !hidden && *value != Value::Bool(false) {
            text.push_str(&format!(" {key}={}", word(value)));
        }
    }
    if with_severity && rule.get("severity").and_then(Value::as_str) == Some("reject") {
        text.push_str(", reject");
    }
    text
}
