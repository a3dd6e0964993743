//! Which column holds an item: by name, title, what names are known to mean, and what the values look like.

use fenhe_contract::{Contract, Field};
use fenhe_core::nearest;
use fenhe_rules::Rule;
use fenhe_rules::identifiers::Identifier;

use crate::Words;
use crate::names::{plain, same_thing};
use crate::profile::{Column, KINDS, Profile};
use crate::propose::table_title;
use crate::words::percent;

/// A column with less is not taken for an item.
const ENOUGH: i32 = 50;
/// The share of values that tells an identifier.
const SURE: f64 = 0.8;

/// A column that was found for an item.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) column: &'a Column,
    pub(crate) reasons: Vec<Words>,
    score: i32,
}

/// The best column of each field; no column serves two.
pub(crate) fn columns<'a>(contract: &Contract, profile: &'a Profile) -> Vec<Option<Found<'a>>> {
    let mut candidates: Vec<(usize, usize, Found<'a>)> = Vec::new();
    for (at, field) in contract.fields().iter().enumerate() {
        for (index, column) in profile.columns.iter().enumerate() {
            let found = weigh(contract, field, column);
            if found.score >= ENOUGH {
                candidates.push((at, index, found));
            }
        }
    }
    // Among equals the earlier field and column: the result does not depend on chance.
    candidates.sort_by_key(|(at, index, found)| (std::cmp::Reverse(found.score), *at, *index));
    let mut result: Vec<Option<Found<'a>>> = vec![None; contract.fields().len()];
    let mut taken = vec![false; profile.columns.len()];
    for (at, index, found) in candidates {
        let (Some(place), Some(used)) = (result.get_mut(at), taken.get_mut(index)) else {
            continue;
        };
        if place.is_none() && !*used {
            *place = Some(found);
            *used = true;
        }
    }
    result
}

/// The identifier that the rules of a field ask for.
pub(crate) fn identifier(field: &Field) -> Option<Identifier> {
    field.rules.iter().find_map(|rule| match rule {
        Rule::Identifier(rule) => Some(rule.kind),
        _ => None,
    })
}

fn weigh<'a>(contract: &Contract, field: &Field, column: &'a Column) -> Found<'a> {
    let (name_score, name_reason) = by_name(field, column);
    let mut reasons: Vec<Words> = name_reason.into_iter().collect();
    let (value_score, value_reason) = by_values(contract, field, column);
    reasons.extend(value_reason.filter(|_| value_score > 0));
    Found { column, reasons, score: name_score + value_score }
}

fn by_name(field: &Field, column: &Column) -> (i32, Option<Words>) {
    let title = column.title.as_deref().unwrap_or_default();
    let names = [column.name.as_str(), title];
    let means = |wanted: &str| {
        !plain(wanted).is_empty() && names.iter().any(|name| plain(name) == plain(wanted))
    };
    if means(&field.name) {
        return (100, Some(Words::new("the same name", "名称相同")));
    }
    if field.written.also.iter().any(|also| means(also)) {
        return (98, Some(Words::new("a name that the contract lists", "合约列出的别名")));
    }
    if means(&field.title) {
        return (96, Some(Words::new("the same title", "标题相同")));
    }
    let own = [field.name.as_str(), field.title.as_str()];
    let own = own.into_iter().chain(field.written.also.iter().map(String::as_str));
    if own.clone().any(|a| names.iter().any(|b| same_thing(a, b))) {
        let words = Words::new(
            format!("{} usually means {}", column.name, title_of(field)),
            format!("{} 通常表示“{}”", column.name, title_of(field)),
        );
        return (80, Some(words));
    }
    // Chinese names of four characters are near each other and mean other things.
    let near = |a: &str| {
        let (a, b) = (plain(a), plain(&column.name));
        a.len() > 5 && a.is_ascii() && b.is_ascii() && nearest(&a, [b.as_str()]).is_some()
    };
    if own.clone().any(near) {
        return (40, Some(Words::new("a similar name", "名称相近")));
    }
    (0, None)
}

/// What the values say for or against a column.
fn by_values(contract: &Contract, field: &Field, column: &Column) -> (i32, Option<Words>) {
    if column.present == 0 {
        return (0, None);
    }
    if let Some(kind) = identifier(field) {
        let share = column.identifier_share(nearest_kind(kind));
        let words = Words::new(
            format!("{} of the values are such numbers", percent(share)),
            format!("{} 的值通过该类号码校验", percent(share)),
        );
        return match share {
            share if share >= SURE => (60, Some(words)),
            share if share >= 0.3 => (20, Some(words)),
            _ => (-30, None),
        };
    }
    if let Some(table) = field.written.code_table.as_deref().and_then(|name| contract.table(name)) {
        let Some((codes, titles)) = column.codes(&table) else { return (-20, None) };
        let share = column.share(codes + titles);
        let words = Words::new(
            format!("{} of the values are in {}", percent(share), table_title(&table)),
            format!("{} 的值在 {} 中", percent(share), table_title(&table)),
        );
        // Small numbers are codes of many tables; titles speak for themselves.
        return match share {
            share if share >= SURE && titles > codes => (50, Some(words)),
            share if share >= SURE => (15, Some(words)),
            share if share < 0.3 => (-20, None),
            _ => (0, None),
        };
    }
    if matches!(field.kind.data_type(), arrow_schema::DataType::Date32) {
        let share = column.date_share();
        if column.is_text() && share >= SURE {
            let words = Words::new(
                format!("{} of the values are dates", percent(share)),
                format!("{} 的值是日期", percent(share)),
            );
            return (15, Some(words));
        }
        if column.data_type.is_temporal() {
            return (10, None);
        }
        return (-20, None);
    }
    if field.kind.is_exact() && column.is_text() && column.number_share() < 0.5 {
        return (-30, None);
    }
    // A person's number is no name, whatever the column is called.
    let text = field.kind.is_text();
    let number = column.is_text() && column.identifier_share(Identifier::Person) >= SURE;
    if text && number { (-40, None) } else { (0, None) }
}

/// The kind that columns are searched for which tells this one.
fn nearest_kind(kind: Identifier) -> Identifier {
    match kind {
        Identifier::Citizen18 | Identifier::Citizen15 => Identifier::Citizen,
        Identifier::ResidencePermit | Identifier::ForeignResident => Identifier::Person,
        Identifier::BusinessRegistration => Identifier::Taxpayer,
        other if KINDS.contains(&other) => other,
        _ => Identifier::Person,
    }
}

/// Title, else name.
pub(crate) fn title_of(field: &Field) -> &str {
    if field.title.is_empty() { &field.name } else { &field.title }
}
