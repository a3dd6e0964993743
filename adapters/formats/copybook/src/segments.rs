//! Which alternative is in force: rules about the value of an item.

use fenhe_core::{Result, nearest};
use fenhe_text::Encoding;

use crate::copybook::{Figurative, Value};
use crate::error;
use crate::expand::Counter;
use crate::layout::{Field, Layout};
use crate::options::CopybookOptions;
use crate::storage::Storage;
use crate::value::{Characters, integer};

/// `BRANCH:FIELD=VALUE|VALUE` or `BRANCH:CONDITION-NAME`, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The item (or record) that is in force when the tests hold.
    pub(crate) branch: usize,
    /// The item that is looked at.
    pub(crate) field: usize,
    pub(crate) tests: Vec<Test>,
}

/// One value, or a range of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Bytes(Vec<u8>, Vec<u8>),
    Number(i128, i128),
}

/// A rule with the place of its item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selector {
    pub(crate) place: Counter,
    pub(crate) tests: Vec<Test>,
    pub(crate) characters: Characters,
}

impl Selector {
    /// Whether the item has one of the values.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let number = || integer(self.place.storage, bytes, self.characters).ok();
        self.tests.iter().any(|test| match test {
            Test::Bytes(from, to) => {
                (from.as_slice() <= bytes && bytes <= to.as_slice())
                    || (from == to && self.same_text(from, bytes))
            }
            Test::Number(from, to) => number().is_some_and(|n| (from..=to).contains(&&n)),
        })
    }
}

impl Selector {
    /// Whether two texts differ only in the blanks or NULs that they are filled up with.
    fn same_text(&self, a: &[u8], b: &[u8]) -> bool {
        let blank = self.characters.blank();
        let trimmed = |text: &[u8]| {
            text.iter().rposition(|c| *c != blank && *c != 0).map_or(0, |last| last + 1)
        };
        let (n, m) = (trimmed(a), trimmed(b));
        n > 0 && n == m && a.get(..n) == b.get(..m)
    }
}

/// The rules of `select`.
pub(crate) fn rules(layout: &Layout, options: &CopybookOptions) -> Result<Vec<Rule>> {
    options.select.iter().map(|text| rule(layout, text, options)).collect()
}

fn rule(layout: &Layout, text: &str, options: &CopybookOptions) -> Result<Rule> {
    let shape = || {
        error::config(format!("select={text} is no rule"))
            .hint("write BRANCH:FIELD=VALUE|VALUE or BRANCH:CONDITION-NAME")
    };
    let (branch, test) = text.split_once(':').ok_or_else(shape)?;
    let branch_index =
        layout.resolve(branch.trim(), None).ok_or_else(|| unknown(layout, branch))?;
    let record = layout.ancestors(branch_index).last().unwrap_or(branch_index);
    let Some((name, values)) = test.split_once('=') else {
        return condition(layout, branch_index, record, test.trim(), options)
            .ok_or_else(|| unknown(layout, test));
    };
    let name = name.trim();
    let field = layout.resolve(name, Some(record)).ok_or_else(|| unknown(layout, name))?;
    let Some(item) = layout.field(field).filter(|f| f.storage.is_some()) else {
        return Err(error::config(format!("select={text}: {name} is a group")));
    };
    let values = values.split('|').map(|v| written(item, v.trim(), layout.page));
    let tests = values
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| error::config(format!("select={text}: a value does not fit {name}")))?;
    Ok(Rule { branch: branch_index, field, tests })
}

fn unknown(layout: &Layout, name: &str) -> fenhe_core::Error {
    let error = error::config(format!("the copybook has no item {}", name.trim()));
    match nearest(name.trim(), layout.fields.iter().map(|f| f.name.as_str())) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    }
}

fn condition(
    layout: &Layout,
    branch: usize,
    record: usize,
    name: &str,
    options: &CopybookOptions,
) -> Option<Rule> {
    let inside = |i: &usize| *i == record || layout.is_below(*i, record);
    for index in (0..layout.fields.len()).filter(inside) {
        let field = layout.field(index)?;
        let Some(found) = field.conditions.iter().find(|c| c.name.eq_ignore_ascii_case(name))
        else {
            continue;
        };
        let characters = Characters::new(layout.page, options);
        let test = |(from, to): &(Value, Option<Value>)| {
            let from = literal(field, from, layout.page, characters)?;
            let Some(to) = to else { return Some(from) };
            Some(match (from, literal(field, to, layout.page, characters)?) {
                (Test::Bytes(a, _), Test::Bytes(_, b)) => Test::Bytes(a, b),
                (Test::Number(a, _), Test::Number(_, b)) => Test::Number(a, b),
                _ => return None,
            })
        };
        let tests = found.values.iter().map(test).collect::<Option<Vec<_>>>()?;
        return Some(Rule { branch, field: index, tests });
    }
    None
}

fn is_text(field: &Field) -> bool {
    matches!(
        field.storage,
        Some(Storage::Text | Storage::National | Storage::Dbcs | Storage::Opaque) | None
    )
}

/// A value as it is written in an option.
fn written(field: &Field, value: &str, page: Encoding) -> Option<Test> {
    if is_text(field) { padded(field, value, page) } else { number(field, value) }
}

fn padded(field: &Field, value: &str, page: Encoding) -> Option<Test> {
    let page = if field.storage == Some(Storage::National) { Encoding::UTF_16BE } else { page };
    let mut bytes = page.encode(value).ok()?;
    let length = usize::try_from(field.length).ok()?;
    while bytes.len() < length {
        bytes.extend_from_slice(page.blank());
    }
    (bytes.len() == length).then(|| Test::Bytes(bytes.clone(), bytes))
}

fn number(field: &Field, value: &str) -> Option<Test> {
    let negative = value.starts_with('-');
    let value = value.trim_start_matches(['+', '-']);
    let (whole, decimals) = value.split_once(['.', ',']).unwrap_or((value, ""));
    let mut unscaled: i128 = format!("{whole}{decimals}").parse().ok()?;
    let missing = field.scale.checked_sub(i32::try_from(decimals.len()).ok()?)?;
    unscaled = match u32::try_from(missing) {
        Ok(zeros) => unscaled.checked_mul(10i128.checked_pow(zeros)?)?,
        Err(_) => {
            let divisor = 10i128.checked_pow(missing.unsigned_abs())?;
            (unscaled % divisor == 0).then_some(unscaled / divisor)?
        }
    };
    let signed = if negative { -unscaled } else { unscaled };
    Some(Test::Number(signed, signed))
}

/// A literal of a VALUE clause.
fn literal(field: &Field, value: &Value, page: Encoding, characters: Characters) -> Option<Test> {
    let length = usize::try_from(field.length).ok()?;
    let fill = |byte: u8| Some(Test::Bytes(vec![byte; length], vec![byte; length]));
    match value {
        Value::Text(text) => padded(field, text, page),
        Value::Number(text) if is_text(field) => padded(field, text, page),
        Value::Number(text) => number(field, text),
        Value::Hex(bytes) => {
            let mut bytes = bytes.clone();
            bytes.resize(length, characters.blank());
            Some(Test::Bytes(bytes.clone(), bytes))
        }
        Value::All(text) => {
            let one = page.encode(text).ok().filter(|b| !b.is_empty())?;
            let bytes: Vec<u8> = one.into_iter().cycle().take(length).collect();
            Some(Test::Bytes(bytes.clone(), bytes))
        }
        Value::Figurative(Figurative::Zero) if !is_text(field) => Some(Test::Number(0, 0)),
        Value::Figurative(Figurative::Zero) => fill(page.encode("0").ok()?.first().copied()?),
        Value::Figurative(Figurative::Space) => fill(characters.blank()),
        Value::Figurative(Figurative::LowValue | Figurative::Null) => fill(0),
        Value::Figurative(Figurative::HighValue) => fill(0xFF),
        Value::Figurative(Figurative::Quote) => fill(page.encode("\"").ok()?.first().copied()?),
    }
}
