//! Which values the rules of a field leave: whether there are any, and whether a rule asks for anything new.
//!
//! Everything here errs on one side: what cannot be shown cheaply is taken to be possible, and to be asked for.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::DataType;
use fenhe_rules::{Bound, Checker, Context, Date, Rule, Severity, Unit};

use super::language::{meet, within};
use crate::FieldType;
use crate::contract::{Contract, columns};

/// A longer text is not written out as an expression.
const LONGEST: u64 = 1_000;

/// The rules about one field alone.
#[derive(Clone, Default)]
pub(super) struct Limits {
    rules: Vec<Limit>,
    /// Each character is a byte.
    ascii: bool,
}

#[derive(Clone)]
struct Limit {
    rule: Rule,
    /// The codes of the table that the rule names.
    codes: Option<BTreeSet<String>>,
}

impl Limits {
    /// Everything that a contract says about the values of a field.
    pub(super) fn of(contract: &Contract, name: &str) -> Self {
        let Some(field) = contract.field(name) else { return Self::default() };
        let mut limits = Self { rules: Vec::new(), ascii: field.kind.characters().is_some() };
        limits.rules.extend(range_of(name, &field.kind).map(|rule| Limit { rule, codes: None }));
        for rule in contract.rules().iter().filter(|rule| columns(rule) == [name]) {
            limits.add(contract, rule);
        }
        limits
    }

    /// What the type of a field holds.
    pub(super) fn add_type(&mut self, name: &str, kind: &FieldType) {
        self.rules.extend(range_of(name, kind).map(|rule| Limit { rule, codes: None }));
    }

    /// One more rule.
    pub(super) fn add(&mut self, contract: &Contract, rule: &Rule) {
        self.rules.push(Limit::of(contract, rule));
    }

    /// Whether a value may satisfy them all; `false` only where none can.
    pub(super) fn possible(&self) -> bool {
        let bounds = || self.rules.iter().filter_map(Limit::bounds);
        let apart = |min: &Bound, max: &Bound| order(min, max) == Some(Ordering::Greater);
        let below = |max: &Bound| bounds().filter_map(|b| b.0).any(|min| apart(min, max));
        if bounds().filter_map(|b| b.1).any(below) {
            return false;
        }
        let (min, max) = self.characters();
        if max.is_some_and(|max| max < min) {
            return false;
        }
        match self.codes() {
            Some(codes) => self.any_of(&codes),
            None => {
                let languages = self.languages();
                let languages: Vec<&str> = languages.iter().map(String::as_str).collect();
                languages.len() < 2 || meet(&languages) != Some(false)
            }
        }
    }

    /// Whether these ask, as strictly, for all that the rule asks for; `true` only where they do.
    pub(super) fn imply(&self, contract: &Contract, rule: &Rule) -> bool {
        let strict = |limit: &&Limit| {
            rule.severity() == Severity::Warn || limit.rule.severity() == Severity::Reject
        };
        let rules = self.rules.iter().filter(strict).cloned().collect();
        let by = Self { rules, ascii: self.ascii };
        let asked = Limit::of(contract, rule);
        match &asked.rule {
            Rule::Range(range) => by.within_range(range.min.as_ref(), range.max.as_ref()),
            Rule::CodeTable(_) => match (by.codes(), &asked.codes) {
                (Some(codes), Some(asked)) => codes.is_subset(asked),
                _ => false,
            },
            Rule::Length(_) | Rule::Pattern(_) => by.within_text(&asked),
            _ => false,
        }
    }

    fn within_range(&self, min: Option<&Bound>, max: Option<&Bound>) -> bool {
        let bounds = || self.rules.iter().filter_map(Limit::bounds);
        let at_least = |asked: &Bound| {
            let mut own = bounds().filter_map(|b| b.0);
            own.any(|own| order(own, asked).is_some_and(Ordering::is_ge))
        };
        let at_most = |asked: &Bound| {
            let mut own = bounds().filter_map(|b| b.1);
            own.any(|own| order(own, asked).is_some_and(Ordering::is_le))
        };
        min.is_none_or(at_least) && max.is_none_or(at_most)
    }

    fn within_text(&self, asked: &Limit) -> bool {
        let same_unit = |limit: &&Limit| limit.unit() == asked.unit() || self.ascii;
        let own: Vec<(u64, Option<u64>)> =
            self.rules.iter().filter(same_unit).filter_map(Limit::length).collect();
        if let Some((min, max)) = asked.length() {
            let least = own.iter().any(|(own, _)| *own >= min) || min == 0;
            let most =
                max.is_none_or(|max| own.iter().any(|(_, own)| own.is_some_and(|own| own <= max)));
            if least && most {
                return true;
            }
        }
        if let Some(codes) = self.codes() {
            let asked = Self { rules: vec![asked.clone()], ascii: self.ascii };
            return asked.all_of(&codes);
        }
        let languages = self.languages();
        let languages: Vec<&str> = languages.iter().map(String::as_str).collect();
        match asked.language(self.ascii) {
            Some(asked) if !languages.is_empty() => within(&languages, &asked) == Some(true),
            _ => false,
        }
    }

    /// The codes that are in all tables; `None` without a table.
    fn codes(&self) -> Option<BTreeSet<String>> {
        let mut tables = self.rules.iter().filter_map(|limit| limit.codes.as_ref());
        let first = tables.next()?.clone();
        Some(tables.fold(first, |all, codes| all.intersection(codes).cloned().collect()))
    }

    /// The lengths that are left, in characters: a character has one to four bytes.
    fn characters(&self) -> (u64, Option<u64>) {
        let widest = if self.ascii { 1 } else { 4 };
        let mut left = (0_u64, None::<u64>);
        for limit in &self.rules {
            let Some((min, max)) = limit.length() else { continue };
            let min = if limit.unit() == Some(Unit::Bytes) { min.div_ceil(widest) } else { min };
            left.0 = left.0.max(min);
            left.1 = [left.1, max].into_iter().flatten().min();
        }
        left
    }

    fn languages(&self) -> Vec<String> {
        self.rules.iter().filter_map(|limit| limit.language(self.ascii)).collect()
    }

    fn any_of(&self, codes: &BTreeSet<String>) -> bool {
        self.fitting(codes).is_none_or(|fitting| fitting > 0)
    }

    fn all_of(&self, codes: &BTreeSet<String>) -> bool {
        self.fitting(codes).is_some_and(|fitting| fitting == codes.len())
    }

    /// How many of these texts have the lengths and match the patterns.
    fn fitting(&self, codes: &BTreeSet<String>) -> Option<usize> {
        let rules = self.rules.iter().filter_map(|limit| limit.rejecting("code"));
        let rules: Vec<Rule> = rules.collect();
        let column: ArrayRef = Arc::new(StringArray::from_iter_values(codes));
        let batch = RecordBatch::try_from_iter([("code", column)]).ok()?;
        let context = Context::on(Date::from_days(0));
        let mut checker = Checker::new(&batch.schema(), &rules, context).ok()?;
        let found = checker.check(&batch).ok()?;
        Some(codes.len() - found.rejected().count_set_bits())
    }
}

impl Limit {
    fn of(contract: &Contract, rule: &Rule) -> Self {
        let codes = match rule {
            Rule::CodeTable(rule) if rule.on.is_none() && rule.on_field.is_none() => {
                let table = contract.table(&rule.table);
                table.map(|t| t.codes().iter().map(|code| code.code.clone()).collect())
            }
            _ => None,
        };
        Self { rule: rule.clone(), codes }
    }

    fn bounds(&self) -> Option<(Option<&Bound>, Option<&Bound>)> {
        match &self.rule {
            Rule::Range(range) => Some((range.min.as_ref(), range.max.as_ref())),
            _ => None,
        }
    }

    fn length(&self) -> Option<(u64, Option<u64>)> {
        match &self.rule {
            Rule::Length(length) => Some((length.min, length.max)),
            _ => None,
        }
    }

    fn unit(&self) -> Option<Unit> {
        match &self.rule {
            Rule::Length(length) => Some(length.unit),
            _ => None,
        }
    }

    /// The rule as an expression.
    fn language(&self, ascii: bool) -> Option<String> {
        match &self.rule {
            Rule::Pattern(rule) => Some(rule.pattern.clone()),
            Rule::Length(rule) if rule.unit == Unit::Chars || ascii => match rule.max {
                Some(max) if max <= LONGEST => Some(format!("(?s:.){{{},{max}}}", rule.min)),
                None if rule.min <= LONGEST => Some(format!("(?s:.){{{},}}", rule.min)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The rule about texts of a column of this name, as one that rejects.
    fn rejecting(&self, name: &str) -> Option<Rule> {
        let mut rule = self.rule.clone();
        match &mut rule {
            Rule::Pattern(rule) => {
                rule.field = name.to_owned();
                rule.severity = Severity::Reject;
            }
            Rule::Length(rule) => {
                rule.field = name.to_owned();
                rule.severity = Severity::Reject;
            }
            _ => return None,
        }
        Some(rule)
    }
}

/// The numbers that a type holds; nothing else passes its cast.
fn range_of(field: &str, kind: &FieldType) -> Option<Rule> {
    let text = |number: String| Bound::Text(number);
    let (min, max) = match kind.data_type() {
        DataType::Int8 => (text(i8::MIN.to_string()), text(i8::MAX.to_string())),
        DataType::Int16 => (text(i16::MIN.to_string()), text(i16::MAX.to_string())),
        DataType::Int32 => (text(i32::MIN.to_string()), text(i32::MAX.to_string())),
        DataType::Int64 => (text(i64::MIN.to_string()), text(i64::MAX.to_string())),
        DataType::UInt8 => (Bound::Whole(0), text(u8::MAX.to_string())),
        DataType::UInt16 => (Bound::Whole(0), text(u16::MAX.to_string())),
        DataType::UInt32 => (Bound::Whole(0), text(u32::MAX.to_string())),
        DataType::UInt64 => (Bound::Whole(0), text(u64::MAX.to_string())),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            let scale = usize::try_from(*scale).ok()?;
            let before = usize::from(*precision).checked_sub(scale)?;
            let most = format!("0{}.{}", "9".repeat(before), "9".repeat(scale));
            (text(format!("-{most}")), text(most))
        }
        _ => return None,
    };
    Some(Rule::Range(fenhe_rules::rule::Range {
        field: field.to_owned(),
        min: Some(min),
        max: Some(max),
        severity: Severity::Reject,
        code: None,
        message: None,
    }))
}

/// How two bounds of one column stand to each other; `None` for a number and a date.
fn order(a: &Bound, b: &Bound) -> Option<Ordering> {
    let (a, b) = (a.to_string(), b.to_string());
    if let (Ok(a), Ok(b)) = (a.parse::<Date>(), b.parse::<Date>()) {
        return Some(a.days().cmp(&b.days()));
    }
    let ((a_negative, a), (b_negative, b)) = (Number::parse(&a)?, Number::parse(&b)?);
    Some(match (a_negative, b_negative) {
        (false, false) => a.cmp(&b),
        (true, true) => b.cmp(&a),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

/// A decimal without its sign, in the order of its size.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Number<'a> {
    digits: usize,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Number<'a> {
    fn parse(text: &'a str) -> Option<(bool, Self)> {
        let negative = text.starts_with('-');
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let zero = whole.is_empty() && fraction.is_empty();
        Some((negative && !zero, Self { digits: whole.len(), whole, fraction }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_compared_exactly() {
        let text = |text: &str| Bound::Text(text.to_owned());
        for (a, b, expected) in [
            (Bound::Whole(-5), Bound::Whole(0), Some(Ordering::Less)),
            (text("9.5"), Bound::Whole(10), Some(Ordering::Less)),
            (text("-9.5"), text("-9.51"), Some(Ordering::Greater)),
            (text("-0.00"), Bound::Whole(0), Some(Ordering::Equal)),
            (text("1.10"), text("+01.1"), Some(Ordering::Equal)),
            (text("1949-10-01"), text("1950-01-01"), Some(Ordering::Less)),
            (text("1949-10-01"), Bound::Whole(3), None),
        ] {
            assert_eq!(order(&a, &b), expected, "{a} {b}");
        }
    }
}
