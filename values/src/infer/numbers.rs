//! Whole numbers and decimals in the usual spellings, and the codes that only look like them.

use arrow_schema::DataType;

use super::{Tally, count};
use crate::parse;
use crate::spec::NumberSpelling;
use crate::types;

/// Values of one length from so many on, and so many of them, are codes rather than numbers.
const CODE_LENGTH: usize = 6;
const ENOUGH_FOR_CODE: u64 = 20;

/// Longer whole numbers are identifiers: nobody counts that far, and a citizen number has 18 digits.
const LONGEST_COUNT: usize = 15;

#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    whole: Reading,
    decimal: Reading,
    /// `,` between thousands, `.` before the fraction.
    grouped: Reading,
    /// `,` before the fraction.
    comma: Reading,
    /// `.` between thousands, `,` before the fraction.
    dotted: Reading,
    /// Values that only marks between groups explain (`1,234.5`, `1,234,567`).
    surely_grouped: u64,
    /// Values that only a decimal comma explains (`12,5`, `1.234,5`).
    surely_comma: u64,
    leading_zero: Option<u64>,
    long: u64,
    citizen: u64,
    phone: u64,
    least: i64,
    most: i64,
}

/// What the values are in one spelling: how many fit, and how many digits they have.
#[derive(Clone, Debug, Default)]
struct Reading {
    tally: Tally,
    whole_digits: usize,
    fraction_digits: usize,
    least_fraction: Option<usize>,
}

/// Digits before and after the mark.
type Lengths = (usize, usize);

/// A number at its mark.
struct Parts<'a> {
    whole: &'a [u8],
    fraction: Option<&'a [u8]>,
}

impl Numbers {
    pub(super) fn feed(&mut self, value: &[u8], row: u64) {
        let unsigned = value.strip_prefix(b"-").unwrap_or(value);
        self.identifiers(value, row);
        let plain = Parts::of(unsigned, b'.').filter(|p| all_digits(p.whole) && p.is_canonical());
        let whole = plain.as_ref().is_some_and(|p| p.fraction.is_none());
        let number = if whole { parse::int(value).ok() } else { None };
        let plain = plain.map(|parts| parts.lengths());
        self.whole.take(plain.filter(|_| number.is_some()), row);
        if let Some(number) = number {
            let first = self.whole.tally.fits == 1;
            self.least = if first { number } else { self.least.min(number) };
            self.most = if first { number } else { self.most.max(number) };
        }
        let minus_zero = value.len() > unsigned.len()
            && unsigned.iter().all(|b| matches!(b, b'0' | b'.' | b','));
        self.decimal.take(plain.filter(|_| !minus_zero), row);
        let grouped = ungroup(unsigned, b',', b'.');
        let comma = Parts::of(unsigned, b',').filter(|p| all_digits(p.whole) && p.is_canonical());
        let comma = comma.map(|parts| parts.lengths());
        let dotted = ungroup(unsigned, b'.', b',').map(|(lengths, _)| lengths);
        match (grouped, comma.or(dotted)) {
            (Some((_, true)), _) if comma.is_none() => self.surely_grouped += 1,
            (None, Some((_, 1..))) => self.surely_comma += 1,
            _ => {}
        }
        self.grouped.take(grouped.map(|(lengths, _)| lengths), row);
        self.comma.take(comma, row);
        self.dotted.take(dotted, row);
    }

    /// The numeric type that all values have, and their digits, unless they are codes.
    pub(super) fn judge(
        &self,
        values: u64,
        spelling: &mut NumberSpelling,
        reasons: &mut Vec<String>,
    ) -> Option<(DataType, Lengths)> {
        if self.is_code(values) {
            return None;
        }
        let all = count(values);
        if self.whole.fits(values) {
            reasons.push(format!("{all} of {all} values are whole numbers"));
            return Some((DataType::Int64, self.whole.digits()));
        }
        let (reading, what) = if self.decimal.fits(values) {
            (&self.decimal, "decimal numbers")
        } else if self.grouped.fits(values) && self.surely_grouped > 0 {
            spelling.thousands = Some(',');
            (&self.grouped, "numbers with `,` between thousands")
        } else if self.comma.fits(values) && self.surely_comma > 0 {
            spelling.decimal_mark = ',';
            (&self.comma, "decimal numbers with a decimal comma")
        } else if self.dotted.fits(values) && self.surely_comma > 0 {
            (spelling.decimal_mark, spelling.thousands) = (',', Some('.'));
            (&self.dotted, "decimal numbers with a decimal comma and `.` between thousands")
        } else {
            return None;
        };
        let (digits, fraction) = reading.digits();
        if fraction == 0 && digits <= LONGEST_COUNT {
            reasons.push(format!("{all} of {all} values are {what}"));
            return Some((DataType::Int64, reading.digits()));
        }
        let data_type = reading.decimal_type()?;
        reasons.push(format!(
            "{all} of {all} values are {what}, at most {digits} digits, {fraction} after the mark"
        ));
        if reading.least_fraction != Some(fraction) {
            reasons.push(format!("the digits after the mark vary; {fraction} are written"));
        }
        Some((data_type, reading.digits()))
    }

    /// Whether all whole numbers lie in a range.
    pub(super) fn within(&self, least: i64, most: i64) -> bool {
        self.whole.tally.fits > 0 && self.least >= least && self.most <= most
    }

    /// Why a column of digits is not numeric.
    pub(super) fn obstacle(&self, values: u64, shortest: usize, longest: usize) -> Option<String> {
        let all = count(values);
        if self.citizen > values / 2 {
            return Some(format!(
                "kept as text: {} of {all} values are identifiers of 18 digits",
                count(self.citizen)
            ));
        }
        if self.phone > values / 2 {
            return Some(format!(
                "kept as text: {} of {all} values look like mobile telephone numbers",
                count(self.phone)
            ));
        }
        if let Some(row) = self.leading_zero {
            return Some(format!("kept as text: a leading zero in row {row}"));
        }
        if self.long > 0 && self.whole.tally.fits + self.long >= values {
            return Some(format!(
                "kept as text: {} of {all} values are numbers of more than {LONGEST_COUNT} digits",
                count(self.long)
            ));
        }
        if self.whole.fits(values) && shortest == longest {
            return Some(format!(
                "kept as text: all {all} values are numbers of {longest} digits, as codes are"
            ));
        }
        if self.grouped.fits(values) && self.comma.fits(values) {
            return Some(
                "kept as text: a comma that may stand between thousands or be a decimal comma"
                    .to_owned(),
            );
        }
        None
    }

    pub(super) fn nearly(&self, values: u64) -> Option<String> {
        let whole = self.whole.tally.nearly(values, "whole numbers");
        whole.or_else(|| self.decimal.tally.nearly(values, "decimal numbers"))
    }

    fn identifiers(&mut self, value: &[u8], row: u64) {
        let digits = all_digits(value);
        self.citizen += u64::from(is_citizen_number(value));
        self.phone +=
            u64::from(digits && value.len() == 11 && matches!(value, [b'1', b'3'..=b'9', ..]));
        self.long += u64::from(digits && value.len() > LONGEST_COUNT);
        if digits && value.len() > 1 && value.first() == Some(&b'0') {
            self.leading_zero = self.leading_zero.or(Some(row));
        }
    }

    fn is_code(&self, values: u64) -> bool {
        let one_length = self.whole.fits(values)
            && self.least >= 0
            && values >= ENOUGH_FOR_CODE
            && self.least.to_string().len() == self.most.to_string().len()
            && self.least.to_string().len() >= CODE_LENGTH;
        self.leading_zero.is_some() || self.long > 0 || one_length || self.phone > values / 2
    }
}

impl Reading {
    fn take(&mut self, lengths: Option<Lengths>, row: u64) {
        self.tally.take(lengths.is_some(), row);
        let Some((whole, fraction)) = lengths else { return };
        self.whole_digits = self.whole_digits.max(whole);
        self.fraction_digits = self.fraction_digits.max(fraction);
        let least = self.least_fraction.map_or(fraction, |least| least.min(fraction));
        self.least_fraction = Some(least);
    }

    fn fits(&self, values: u64) -> bool {
        self.tally.fits == values
    }

    /// Most digits of a number and most digits after the mark.
    fn digits(&self) -> Lengths {
        (self.whole_digits + self.fraction_digits, self.fraction_digits)
    }

    fn decimal_type(&self) -> Option<DataType> {
        // Room for larger values than those of the sample.
        let (precision, scale) = self.digits();
        let precision = [18, 38, 76].into_iter().find(|p| precision <= usize::from(*p))?;
        types::decimal(precision, u8::try_from(scale).ok()?)
    }
}

impl<'a> Parts<'a> {
    fn of(unsigned: &'a [u8], mark: u8) -> Option<Self> {
        match unsigned.iter().position(|b| *b == mark) {
            None => Some(Self { whole: unsigned, fraction: None }),
            Some(at) => {
                let fraction = unsigned.get(at + 1..).filter(|f| all_digits(f))?;
                Some(Self { whole: unsigned.get(..at)?, fraction: Some(fraction) })
            }
        }
    }

    fn lengths(&self) -> Lengths {
        (self.whole.len(), self.fraction.map_or(0, <[u8]>::len))
    }

    /// No zero in front but the one before the mark.
    fn is_canonical(&self) -> bool {
        !matches!(self.whole, [b'0', _, ..])
    }
}

/// Digits before and after the mark of a number in groups of three, and whether it has more to show for its marks than one
/// group, which a decimal comma would explain as well.
fn ungroup(unsigned: &[u8], group: u8, mark: u8) -> Option<(Lengths, bool)> {
    let parts = Parts::of(unsigned, mark)?;
    let groups: Vec<&[u8]> = parts.whole.split(|b| *b == group).collect();
    let (first, rest) = groups.split_first()?;
    let grouped = !rest.is_empty();
    let sound = all_digits(first)
        && (!grouped || first.len() <= 3)
        && rest.iter().all(|g| g.len() == 3 && all_digits(g));
    if !sound
        || matches!(first, [b'0', _, ..])
        || (grouped && first.first() == Some(&b'0'))
        || (!grouped && first.len() > 3)
    {
        return None;
    }
    let digits = groups.iter().map(|g| g.len()).sum();
    let sure = rest.len() > 1 || (grouped && parts.fraction.is_some());
    Some(((digits, parts.fraction.map_or(0, <[u8]>::len)), sure))
}

fn all_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// Seventeen digits and a digit or `X` (GB 11643-1999); the check digit is the business of a contract.
fn is_citizen_number(value: &[u8]) -> bool {
    matches!(value, [body @ .., last] if body.len() == 17 && all_digits(body) && (last.is_ascii_digit() || matches!(last, b'X' | b'x')))
}
