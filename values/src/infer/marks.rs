//! Traces that spreadsheets and data bases leave in exported text.

use super::count;

/// How many values bear which trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    formulas: u64,
    scientific: u64,
    apostrophes: u64,
    null_words: u64,
    stars: u64,
    errors: u64,
}

impl Marks {
    pub(super) fn feed(&mut self, value: &[u8]) {
        let is = |words: &[&[u8]]| words.iter().any(|w| value.eq_ignore_ascii_case(w));
        self.formulas += u64::from(matches!(value, [b'=', b'"', .., b'"']));
        self.scientific += u64::from(is_cut_number(value));
        self.apostrophes += u64::from(
            matches!(value, [b'\'', rest @ ..] if rest.iter().all(u8::is_ascii_digit) && !rest.is_empty()),
        );
        self.null_words +=
            u64::from(is(&[b"null", b"\\N", b"n/a", b"none", b"nil", b"(null)", b"-", b"--"]));
        self.stars += u64::from(value.iter().all(|b| *b == b'*'));
        self.errors += u64::from(is(&[
            b"#n/a", b"#ref!", b"#value!", b"#name?", b"#div/0!", b"#null!", b"#num!",
        ]));
    }

    pub(super) fn remarks(&self, reasons: &mut Vec<String>) {
        for (number, remark) in [
            (self.formulas, "are spelled =\"...\", as spreadsheets are made to keep text"),
            (
                self.scientific,
                "are spelled like 1.10101E+17: a spreadsheet has cut digits off; get the data from its source",
            ),
            (self.apostrophes, "are digits behind an apostrophe, as spreadsheets keep text"),
            (self.null_words, "are words that often mean null; declare them as `nulls` if they do"),
            (self.stars, "are asterisks, the mark of an overflow"),
            (self.errors, "are error values of a spreadsheet"),
        ] {
            if number > 0 {
                let remark =
                    if number == 1 { remark.replacen("are", "is", 1) } else { remark.to_owned() };
                reasons.push(format!(
                    "{} {} {remark}",
                    count(number),
                    if number == 1 { "value" } else { "values" }
                ));
            }
        }
    }
}

/// A whole number of twelve digits or more as a spreadsheet shows it: `1.10101E+17`.
fn is_cut_number(value: &[u8]) -> bool {
    let Some(at) = value.windows(2).position(|pair| pair == b"E+" || pair == b"e+") else {
        return false;
    };
    let (mantissa, exponent) =
        (value.get(..at).unwrap_or_default(), value.get(at + 2..).unwrap_or_default());
    let exponent = std::str::from_utf8(exponent).ok().and_then(|e| e.parse::<u8>().ok());
    let digits = mantissa.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && mantissa.first().is_some_and(u8::is_ascii_digit);
    digits && exponent.is_some_and(|e| (11..=30).contains(&e))
}
