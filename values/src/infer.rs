//! What a column is, judged from a sample of its fields, with the evidence.

mod dates;
mod marks;
mod numbers;

use arrow_schema::DataType;
use fenhe_text::Encoding;

use crate::fault::FaultKind;
use crate::reader::blanks;
use crate::spec::{FieldSpec, Spelling};
use dates::Dates;
use marks::Marks;
use numbers::Numbers;

/// Looks at fields of one column and says what they are.
///
/// It is conservative: text when in doubt. A type is given only when every value has it, and its plain spelling writes the
/// values back as they were (but for zeros at the end of a fraction). Codes stay text: leading zeros, citizen numbers, telephone numbers, columns of
/// equally long numbers.
///
/// ```
/// use arrow_schema::DataType;
/// use fenhe_text::Encoding;
/// use fenhe_values::Guess;
/// let mut guess = Guess::new("出生日期", Encoding::UTF_8);
/// for field in ["20260102", "19991231", "", "20240229"] {
///     guess.feed(field.as_bytes());
/// }
/// let found = guess.finish();
/// assert_eq!(found.spec.data_type, DataType::Date32);
/// assert_eq!(found.reasons, ["3 of 3 values are dates YYYYMMDD", "1 of 4 fields is empty"]);
/// ```
#[derive(Clone, Debug)]
pub struct Guess {
    name: String,
    encoding: Encoding,
    nulls: Vec<Vec<u8>>,
    null_words: Vec<String>,
    rows: u64,
    null_rows: u64,
    max_bytes: usize,
    min_bytes: usize,
    bad_characters: Option<u64>,
    numbers: Numbers,
    dates: Dates,
    words: Words,
    marks: Marks,
}

/// What a [`Guess`] came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Guessed {
    /// The field: name, type and spelling. It is nullable whatever the sample held.
    pub spec: FieldSpec,
    /// Why, in sentences, most important first. They count and name rows (from 1), and hold no values.
    pub reasons: Vec<String>,
    /// Fields seen.
    pub rows: u64,
    /// How many of them were null.
    pub nulls: u64,
    /// Length of the longest field in bytes, without blanks around it.
    pub max_bytes: usize,
    /// Most digits of a number and most digits after its mark, when the column is numeric.
    pub digits: Option<(usize, usize)>,
}

/// Up to two distinct words, for truth values.
#[derive(Clone, Debug, Default)]
struct Words {
    distinct: Vec<Vec<u8>>,
    more: bool,
}

/// Pairs that are truth values when a column has both and nothing else. `1` and `0` are left to be numbers: more often
/// than not they are codes.
const TRUTHS: [(&str, &str); 9] = [
    ("true", "false"),
    ("TRUE", "FALSE"),
    ("True", "False"),
    ("T", "F"),
    ("Y", "N"),
    ("y", "n"),
    ("yes", "no"),
    ("YES", "NO"),
    ("是", "否"),
];

/// Fewer rows than this prove no truth values.
const ENOUGH_FOR_TRUTH: u64 = 4;

impl Guess {
    /// A guess about a column of data in `encoding`. Only empty fields are null.
    #[must_use]
    pub fn new(name: impl Into<String>, encoding: Encoding) -> Self {
        Self {
            name: name.into(),
            encoding,
            nulls: vec![Vec::new()],
            null_words: vec![String::new()],
            rows: 0,
            null_rows: 0,
            max_bytes: 0,
            min_bytes: usize::MAX,
            bad_characters: None,
            numbers: Numbers::default(),
            dates: Dates::new(encoding),
            words: Words::default(),
            marks: Marks::default(),
        }
    }

    /// The same with these spellings of null.
    #[must_use]
    pub fn with_nulls(mut self, nulls: &[String]) -> Self {
        self.nulls = nulls.iter().filter_map(|w| self.encoding.encode(w).ok()).collect();
        self.null_words = nulls.to_vec();
        self
    }

    /// Takes in the field of the next record.
    pub fn feed(&mut self, field: &[u8]) {
        self.rows += 1;
        let value = blanks(field);
        if self.nulls.iter().any(|null| null == value) {
            self.null_rows += 1;
            return;
        }
        let row = self.rows;
        self.max_bytes = self.max_bytes.max(value.len());
        self.min_bytes = self.min_bytes.min(value.len());
        if self.bad_characters.is_none() && self.encoding.decode(field).is_err() {
            self.bad_characters = Some(row);
        }
        self.marks.feed(value);
        self.words.feed(value);
        self.numbers.feed(value, row);
        self.dates.feed(value, row);
    }

    /// Takes in a record that does not have the field.
    pub fn feed_missing(&mut self) {
        self.rows += 1;
        self.null_rows += 1;
    }

    /// The judgement. More fields may be fed afterwards.
    #[must_use]
    pub fn finish(&self) -> Guessed {
        let values = self.rows - self.null_rows;
        let mut spelling = Spelling { nulls: self.null_words.clone(), ..Spelling::default() };
        let mut reasons = Vec::new();
        let mut digits = None;
        let data_type = if values == 0 {
            reasons.push("no values in the sample: text".to_owned());
            DataType::Utf8
        } else if let Some((yes, no)) = self.words.truth(values, self.encoding) {
            reasons.push(format!("{} values are either {yes} or {no}", count(values)));
            (spelling.boolean.yes, spelling.boolean.no) =
                (vec![yes.to_owned()], vec![no.to_owned()]);
            DataType::Boolean
        } else if let Some(found) = self.dates.judge(values, &mut spelling.date, &mut reasons) {
            found
        } else if let Some((found, most)) =
            self.numbers.judge(values, &mut spelling.number, &mut reasons)
        {
            digits = Some(most);
            found
        } else {
            reasons.push(self.why_text(values));
            DataType::Utf8
        };
        self.remarks(&data_type, &mut reasons);
        let spec = FieldSpec::new(&self.name, data_type).spelled(spelling);
        Guessed {
            spec,
            reasons,
            rows: self.rows,
            nulls: self.null_rows,
            max_bytes: self.max_bytes,
            digits,
        }
    }

    fn why_text(&self, values: u64) -> String {
        let nearly = self.dates.nearly(values).or_else(|| self.numbers.nearly(values));
        self.numbers.obstacle(values, self.min_bytes, self.max_bytes).or(nearly).unwrap_or_else(
            || format!("{} values, the longest of {} bytes: text", count(values), self.max_bytes),
        )
    }

    fn remarks(&self, data_type: &DataType, reasons: &mut Vec<String>) {
        self.marks.remarks(reasons);
        let serial = *data_type == DataType::Int64 && self.numbers.within(20_000, 60_000);
        if serial
            && ["日期", "时间", "date", "time"].iter().any(|w| self.name.to_lowercase().contains(w))
        {
            reasons.push(
                "whole numbers in a column named after dates: serial days of a spreadsheet?"
                    .to_owned(),
            );
        }
        if let Some(row) = self.bad_characters {
            reasons.push(format!(
                "bytes that are no characters of {}, first in row {row}",
                self.encoding
            ));
        }
        if self.null_rows > 0 {
            let what = if self.null_words.iter().all(String::is_empty) { "empty" } else { "null" };
            let verb = if self.null_rows == 1 { "is" } else { "are" };
            reasons.push(format!(
                "{} of {} fields {verb} {what}",
                count(self.null_rows),
                count(self.rows)
            ));
        }
    }
}

impl Words {
    fn feed(&mut self, value: &[u8]) {
        if self.more || self.distinct.iter().any(|known| known == value) {
            return;
        }
        // The longest truth value, 否 or false, is short in every encoding.
        if self.distinct.len() == 2 || value.len() > 8 {
            self.more = true;
        } else {
            self.distinct.push(value.to_vec());
        }
    }

    fn truth(&self, values: u64, encoding: Encoding) -> Option<(&'static str, &'static str)> {
        if self.more || self.distinct.len() != 2 || values < ENOUGH_FOR_TRUTH {
            return None;
        }
        let has =
            |word: &str| encoding.encode(word).is_ok_and(|bytes| self.distinct.contains(&bytes));
        TRUTHS.into_iter().find(|(yes, no)| has(yes) && has(no))
    }
}

/// A number with marks between its thousands, for people.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How many values fit, and the first row that does not.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    fits: u64,
    first_miss: Option<u64>,
}

impl Tally {
    fn take(&mut self, fits: bool, row: u64) {
        if fits {
            self.fits += 1;
        } else {
            self.first_miss = self.first_miss.or(Some(row));
        }
    }

    /// "997 of 1,000 values are whole numbers, the first other one is in row 13: text", when most are.
    fn nearly(self, values: u64, what: &str) -> Option<String> {
        let row = self.first_miss?;
        (self.fits > values / 2).then(|| {
            format!(
                "{} of {} values are {what}, the first other one is in row {row}: text",
                count(self.fits),
                count(values)
            )
        })
    }
}

/// Whether a read came to a value that writes back to the same bytes.
fn same_when_written<T>(
    value: &[u8],
    read: Result<T, FaultKind>,
    write: impl FnOnce(T, &mut Vec<u8>) -> Result<(), FaultKind>,
) -> bool {
    let mut out = Vec::new();
    read.and_then(|v| write(v, &mut out)).is_ok() && out == value
}

#[cfg(test)]
mod tests;
