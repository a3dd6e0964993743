//! Numbers of persons: plain spelling, 15 to 18 digits, and what they say.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use fenhe_core::{Error, Kind, Result};
use fenhe_kernels::PrimitiveColumn;
use fenhe_rules::identifiers::{self, Person, Sex};

use super::{Cell, Compiled, Pass, Policy, Work, is_blank, kind_of, spelled};
use crate::step::Derived;

#[derive(Debug)]
struct Plain(Policy);

#[derive(Debug)]
struct Upgrade {
    assume_century: bool,
    policy: Policy,
    /// What is said of a number whose century is open.
    century: Policy,
}

#[derive(Debug)]
struct Derive {
    what: Derived,
    policy: Policy,
}

pub(super) fn plain(policy: Policy) -> Result<Compiled> {
    Ok((Box::new(Plain(policy)), DataType::Utf8))
}

pub(super) fn upgrade(assume_century: bool, policy: Policy) -> Result<Compiled> {
    let century = Policy {
        otherwise: policy.otherwise.clone(),
        code: "mapping.century",
        expected: "a number that tells the century of birth".into(),
        ..policy
    };
    Ok((Box::new(Upgrade { assume_century, policy, century }), DataType::Utf8))
}

pub(super) fn derive(what: Derived, policy: Policy) -> Result<Compiled> {
    let to = if what == Derived::BirthDate { DataType::Date32 } else { DataType::Utf8 };
    Ok((Box::new(Derive { what, policy }), to))
}

/// Whether every value that is there fulfils a test.
fn all(text: &StringArray, mut test: impl FnMut(&[u8]) -> bool) -> bool {
    (0..text.len()).all(|row| text.is_null(row) || test(text.value(row).as_bytes()))
}

fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

impl Work for Plain {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        if all(&text, |value| !value.is_empty() && is_plain(value)) {
            return Ok(Arc::new(text));
        }
        pass.rewrite(&text, Some(&self.0), |text, out| {
            if is_blank(text) {
                return Cell::Absent;
            }
            match identifiers::normalise(text.as_bytes()) {
                Some(normal) if normal.changes().is_empty() => Cell::Same,
                Some(normal) => {
                    out.push_str(normal.as_str());
                    Cell::Written
                }
                None => Cell::Bad,
            }
        })
    }
}

impl Work for Upgrade {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        if all(&text, |value| value.len() == 18 && value.is_ascii()) {
            return Ok(Arc::new(text));
        }
        // The century is open in a handful of rows; they are looked at in a pass of their own.
        let open = |text: &str| {
            !self.assume_century
                && identifiers::upgrade(text.as_bytes()).is_some_and(|u| u.century_assumed)
        };
        let text = match (0..text.len()).any(|row| text.is_valid(row) && open(text.value(row))) {
            false => text,
            true => spelled(&pass.rewrite(&text, Some(&self.century), |text, _| {
                if open(text) { Cell::Bad } else { Cell::Same }
            })?)?,
        };
        pass.rewrite(&text, Some(&self.policy), |text, out| {
            if text.len() == 18 && text.is_ascii() || open(text) {
                return Cell::Same;
            }
            if is_blank(text) {
                return Cell::Absent;
            }
            match identifiers::upgrade(text.as_bytes()) {
                Some(upgraded) => {
                    out.extend(upgraded.number.map(char::from));
                    Cell::Written
                }
                None => Cell::Bad,
            }
        })
    }
}

impl Work for Derive {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        if self.what == Derived::BirthDate {
            return self.births(&text, pass);
        }
        pass.rewrite(&text, Some(&self.policy), |text, out| {
            if is_blank(text) {
                return Cell::Absent;
            }
            let Some(person) = Person::read(text.as_bytes()) else { return Cell::Bad };
            match self.what {
                Derived::Sex => out.push(if person.sex == Sex::Male { '1' } else { '2' }),
                _ if person.region.iter().all(u8::is_ascii_digit) => {
                    out.extend(person.region.map(char::from));
                }
                _ => return Cell::Bad,
            }
            Cell::Written
        })
    }
}

impl Derive {
    fn births(&self, text: &StringArray, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let mut column = PrimitiveColumn::<i32>::new(pass.pools, text.len());
        for row in 0..text.len() {
            let value = if text.is_null(row) { "" } else { text.value(row) };
            let person = Person::read(value.as_bytes());
            if person.is_none() && !is_blank(value) {
                pass.take_away(row, &self.policy, || kind_of(value));
            }
            column.append_option(person.map(|person| person.birth.days()));
        }
        column
            .finish(&DataType::Date32)
            .map_err(|error| Error::new(Kind::Internal, "mapping.column", error.to_string()))
    }
}
