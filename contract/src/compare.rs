//! How one contract stands to another: every attribute of every field, and which holds more.

mod language;
mod rules;
mod values;

use std::collections::BTreeSet;

use fenhe_rules::{Rule, Severity};
use serde::Serialize;

use crate::check::attributes::attribute;
use crate::contract::{Contract, Field, Lengths, columns};
use crate::kind::Containment;
use rules::{Asked, rules};
use values::Limits;

/// How the second contract stands to the first in one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It asks for more or allows less: what satisfies the second satisfies the first.
    Narrower,
    /// It asks for less or allows more: what satisfies the first satisfies the second.
    Wider,
    /// Neither can be said.
    Other,
    /// It asks for nothing that the first does not ask for already.
    Same,
    /// What the first asks for and what it asks for exclude each other: no value satisfies both.
    Disjoint,
    /// A field that only the second has.
    Added,
    /// A field that only the first has.
    Removed,
    /// Words for people; data are the same.
    Words,
}

/// One attribute in which two contracts differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field, empty for the contract as a whole.
    pub field: String,
    /// The attribute.
    pub attribute: &'static str,
    /// What the first says, empty for nothing.
    pub before: String,
    /// What the second says, empty for nothing.
    pub after: String,
    /// How the second stands to the first.
    pub relation: Relation,
    /// Whether data that break it are rejected; otherwise they are counted, or people are concerned alone.
    pub enforced: bool,
}

/// Everything in which `after` differs from `before`, in the order of the fields of `after`.
pub(crate) fn differences(before: &Contract, after: &Contract) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    whole(before, after, &mut found);
    for field in &after.fields {
        match before.field(&field.name) {
            Some(old) => fields(before, old, after, field, &mut found),
            None => found.add(&field.name, "field", "", &outline(field), Relation::Added, true),
        }
    }
    for field in before.fields.iter().filter(|field| after.field(&field.name).is_none()) {
        found.add(&field.name, "field", &outline(field), "", Relation::Removed, true);
    }
    rules("", &Asked::of_contract(before), &Asked::of_contract(after), &mut found);
    for field in after.fields.iter().filter(|field| before.field(&field.name).is_some()) {
        disjoint(before, after, field, &mut found.0);
    }
    found.0.into_iter().map(|(difference, _)| difference).collect()
}

/// Marks the first difference after which no value satisfies the field any more.
fn disjoint(before: &Contract, after: &Contract, field: &Field, found: &mut [Noted]) {
    let mut limits = Limits::of(before, &field.name);
    if !limits.possible() {
        return;
    }
    for (difference, asks) in found {
        if difference.relation != Relation::Narrower {
            continue;
        }
        let mine = asks.iter().filter(|rule| columns(rule) == [field.name.as_str()]);
        mine.for_each(|rule| limits.add(after, rule));
        if difference.attribute == "type" && difference.field == field.name {
            limits.add_type(&field.name, &field.kind);
        }
        if !limits.possible() {
            difference.relation = Relation::Disjoint;
            return;
        }
    }
}

/// A difference, and the rules that it adds.
type Noted = (Difference, Vec<Rule>);

struct Found(Vec<Noted>);

impl Found {
    fn add(
        &mut self,
        field: &str,
        attribute: &'static str,
        before: &str,
        after: &str,
        relation: Relation,
        enforced: bool,
    ) {
        let (field, before, after) = (field.to_owned(), before.to_owned(), after.to_owned());
        let difference = Difference { field, attribute, before, after, relation, enforced };
        self.0.push((difference, Vec::new()));
    }

    /// The last difference comes from these rules.
    fn asks<'a>(&mut self, rules: impl Iterator<Item = &'a Rule>) {
        if let Some((_, asks)) = self.0.last_mut() {
            asks.extend(rules.cloned());
        }
    }

    fn words(&mut self, field: &str, attribute: &'static str, before: &str, after: &str) {
        if before != after {
            self.add(field, attribute, before, after, Relation::Words, false);
        }
    }

    /// Something that grows stricter with its order.
    fn ordered<T: Ord>(
        &mut self,
        field: &str,
        attribute: &'static str,
        (before, before_words): (T, &str),
        (after, after_words): (T, &str),
    ) {
        let relation = match after.cmp(&before) {
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => Relation::Narrower,
            std::cmp::Ordering::Less => Relation::Wider,
        };
        self.add(field, attribute, before_words, after_words, relation, false);
    }
}

/// What concerns the contract as a whole.
fn whole(before: &Contract, after: &Contract, found: &mut Found) {
    if before.dataset() != after.dataset() {
        found.add("", "dataset", before.dataset(), after.dataset(), Relation::Other, true);
    }
    if before.key() != after.key() {
        let (old, new) = (before.key().join(", "), after.key().join(", "));
        found.add("", "key", &old, &new, Relation::Other, true);
    }
    // From most to least often: often is strict, and none stricter than what says nothing.
    let cycle = |contract: &Contract| {
        let cycle = contract.update();
        (cycle.map(std::cmp::Reverse), cycle.map_or("", |cycle| cycle.as_str()))
    };
    found.ordered("", "update", cycle(before), cycle(after));
    let totals = |contract: &Contract| contract.totals().iter().cloned().collect::<BTreeSet<_>>();
    for total in totals(after).difference(&totals(before)) {
        found.add("", "totals", "", total, Relation::Narrower, false);
    }
    for total in totals(before).difference(&totals(after)) {
        found.add("", "totals", total, "", Relation::Wider, true);
    }
    found.words("", "title", &before.draft.title, &after.draft.title);
    found.words("", "about", &before.draft.about, &after.draft.about);
    sharing("", &before.draft.catalogue.sharing, &after.draft.catalogue.sharing, found);
}

fn fields(before: &Contract, old: &Field, after: &Contract, new: &Field, found: &mut Found) {
    let name = &new.name;
    let words = |text: &Option<String>| text.clone().unwrap_or_default();
    let (was, is) = (&old.written, &new.written);
    found.words(name, "title", &old.title, &new.title);
    found.words(name, "about", &words(&was.about), &words(&is.about));
    unit(name, &words(&was.unit), &words(&is.unit), found);
    found.words(name, "format", &words(&was.format), &words(&is.format));
    found.words(name, "origin", &words(&was.origin), &words(&is.origin));
    found.words(name, "also", &was.also.join(", "), &is.also.join(", "));
    types(old, new, found);
    lengths(old, new, found);
    if old.required != new.required {
        let relation = if new.required { Relation::Narrower } else { Relation::Wider };
        let said = |required| if required { "required" } else { "optional" };
        found.add(name, "required", said(old.required), said(new.required), relation, true);
    }
    code_tables(before, old, after, new, found);
    patterns(before, old, after, new, found);
    // Without anything to check, the severity says nothing.
    let checked = |field: &Field| field.rules.iter().any(|rule| !matches!(rule, Rule::NotNull(_)));
    if checked(old) && checked(new) && old.severity != new.severity {
        let relation = severity_relation(old.severity, new.severity);
        let words = (severity_word(old.severity), severity_word(new.severity));
        found.add(name, "severity", words.0, words.1, relation, true);
    }
    rules(name, &Asked::of_field(before, old), &Asked::of_field(after, new), found);
    let level = |field: &Field| {
        let level = field.written.sensitivity;
        (level, level.map_or("", |level| level.as_str()))
    };
    found.ordered(name, "sensitivity", level(old), level(new));
    let grade = |field: &Field| {
        let grade = field.written.grade;
        (grade, grade.map_or("", |grade| grade.as_str()))
    };
    found.ordered(name, "grade", grade(old), grade(new));
    let share = |field: &Field| field.written.sharing.clone().unwrap_or_default();
    sharing(name, &share(old), &share(new), found);
}

/// The rules of a field that follow from an attribute.
fn of_attribute<'a>(field: &'a Field, name: &'static str) -> impl Iterator<Item = &'a Rule> {
    let attributes = field.rules.len().saturating_sub(field.written.rules.len());
    field.rules.iter().take(attributes).filter(move |rule| attribute(rule) == name)
}

/// The same number in another unit is another amount, though nothing can check it.
fn unit(field: &str, before: &str, after: &str, found: &mut Found) {
    let relation = match (before, after) {
        (before, after) if before == after => return,
        ("", _) => Relation::Narrower,
        (_, "") => Relation::Wider,
        _ => Relation::Other,
    };
    found.add(field, "unit", before, after, relation, false);
}

fn patterns(before: &Contract, old: &Field, after: &Contract, new: &Field, found: &mut Found) {
    let (was, is) = (&old.written.pattern, &new.written.pattern);
    if was == is {
        return;
    }
    let implied = |by: &Contract, contract: &Contract, field: &Field| {
        let limits = Limits::of(by, &field.name);
        of_attribute(field, "pattern").all(|rule| limits.imply(contract, rule))
    };
    // Where there is none before or after, nothing is asked for, and that is implied.
    let relation = match (implied(before, after, new), implied(after, before, old)) {
        (true, true) => Relation::Same,
        (false, true) => Relation::Narrower,
        (true, false) => Relation::Wider,
        (false, false) => Relation::Other,
    };
    let said = |pattern: &Option<String>| pattern.clone().unwrap_or_default();
    let enforced = old.severity.max_of(new.severity);
    found.add(&new.name, "pattern", &said(was), &said(is), relation, enforced);
    found.asks(of_attribute(new, "pattern"));
}

fn types(old: &Field, new: &Field, found: &mut Found) {
    let relation = match old.kind.containment(&new.kind) {
        Containment::Same => return,
        Containment::Narrower => Relation::Narrower,
        Containment::Wider => Relation::Wider,
        Containment::Other => Relation::Other,
    };
    // Between kinds of text the characters are a check, everything else a cast that fails.
    let enforced = !(old.kind.is_text() && new.kind.is_text()) || old.severity.max_of(new.severity);
    found.add(&new.name, "type", &old.kind.to_string(), &new.kind.to_string(), relation, enforced);
    found.asks(of_attribute(new, "type"));
}

fn lengths(old: &Field, new: &Field, found: &mut Found) {
    if old.length == new.length {
        return;
    }
    let free = Lengths { min: 0, max: None, unit: Default::default() };
    let (a, b) = (old.length.unwrap_or(free), new.length.unwrap_or(free));
    let within = |inner: Lengths, outer: Lengths| {
        inner.min >= outer.min
            && outer.max.is_none_or(|most| inner.max.is_some_and(|max| max <= most))
            && (inner.unit == outer.unit || outer == free || inner == free)
    };
    let relation = match (within(b, a), within(a, b)) {
        (true, _) => Relation::Narrower,
        (false, true) => Relation::Wider,
        (false, false) => Relation::Other,
    };
    let said = |length: Option<Lengths>| {
        length.map_or(String::new(), |Lengths { min, max, unit }| {
            let unit = format!("{unit:?}").to_lowercase();
            match max {
                Some(max) if max == min => format!("{max} {unit}"),
                Some(max) => format!("{min} to {max} {unit}"),
                None => format!("at least {min} {unit}"),
            }
        })
    };
    let enforced = old.severity.max_of(new.severity);
    found.add(&new.name, "length", &said(old.length), &said(new.length), relation, enforced);
    // The length of letters and digits is part of the expression of their type.
    found.asks(of_attribute(new, "length").chain(of_attribute(new, "type")));
}

fn code_tables(before: &Contract, old: &Field, after: &Contract, new: &Field, found: &mut Found) {
    let codes = |contract: &Contract, field: &Field| {
        let table = contract.table(field.written.code_table.as_deref()?)?;
        Some(table.codes().iter().map(|code| code.code.clone()).collect::<BTreeSet<_>>())
    };
    let (was, is) = (codes(before, old), codes(after, new));
    let name = |field: &Field| field.written.code_table.clone().unwrap_or_default();
    let relation = match (&was, &is) {
        (None, None) => return,
        (None, Some(_)) => Relation::Narrower,
        (Some(_), None) => Relation::Wider,
        (Some(was), Some(is)) if was == is => {
            return found.words(&new.name, "code_table", &name(old), &name(new));
        }
        (Some(was), Some(is)) if is.is_subset(was) => Relation::Narrower,
        (Some(was), Some(is)) if was.is_subset(is) => Relation::Wider,
        _ => Relation::Other,
    };
    let said = |field: &Field, codes: &Option<BTreeSet<String>>| match codes {
        Some(codes) => format!("{} ({} codes)", name(field), codes.len()),
        None => String::new(),
    };
    let enforced = old.severity.max_of(new.severity);
    found.add(&new.name, "code_table", &said(old, &was), &said(new, &is), relation, enforced);
    found.asks(of_attribute(new, "code_table"));
}

/// Who shares with whom is decided once: any difference is one.
fn sharing(field: &str, before: &crate::Sharing, after: &crate::Sharing, found: &mut Found) {
    let said = |sharing: &crate::Sharing| {
        let parts = [
            sharing.kind.map(|kind| kind.as_str().to_owned()),
            sharing.condition.clone(),
            sharing.mode.map(|mode| mode.as_str().to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    if before != after {
        let (old, new) = (said(before), said(after));
        found.add(field, "sharing", &old, &new, Relation::Other, false);
    }
}

fn outline(field: &Field) -> String {
    match field.required {
        true => format!("{}, required", field.kind),
        false => field.kind.to_string(),
    }
}

fn severity_relation(before: Severity, after: Severity) -> Relation {
    match (before, after) {
        (Severity::Warn, Severity::Reject) => Relation::Narrower,
        _ => Relation::Wider,
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warn => "warn",
        Severity::Reject => "reject",
    }
}

/// Whether either rejects.
trait MaxOf {
    fn max_of(self, other: Self) -> bool;
}

impl MaxOf for Severity {
    fn max_of(self, other: Self) -> bool {
        self == Self::Reject || other == Self::Reject
    }
}
