//! What is wrong with one field, for people: the cold path.

use arrow_schema::DataType;
use fenhe_core::Fault;

use super::{FieldReader, Shape};
use crate::fault::FaultKind;
use crate::types::type_name;

impl FieldReader {
    /// The detailed fault of these bytes; `None` when nothing is wrong. The value itself is never part of it.
    #[must_use]
    pub fn explain(&self, bytes: &[u8]) -> Option<Fault> {
        self.check(bytes).map(|kind| self.fault(kind, bytes))
    }

    /// The fault of a record that does not have this field at all; `None` when it need not have it.
    #[must_use]
    pub fn explain_missing(&self) -> Option<Fault> {
        (!self.spec().nullable).then(|| self.fault(FaultKind::Missing, b""))
    }

    fn fault(&self, kind: FaultKind, bytes: &[u8]) -> Fault {
        let found = match kind {
            FaultKind::Missing => "no such field in the record".to_owned(),
            FaultKind::NullNotAllowed => format!("no value ({})", sort_of(bytes)),
            _ => format!("{} ({kind})", sort_of(bytes)),
        };
        Fault::new(kind.code(), self.spec().name.clone(), self.expected(), found)
    }

    /// What the field asks for, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        let spec = self.spec();
        let name = type_name(&spec.data_type).unwrap_or_else(|| spec.data_type.to_string());
        let body = match self.shape() {
            Shape::Int { min, max } => format!("a whole number from {min} to {max}"),
            Shape::UInt { max } => format!("a whole number from 0 to {max}"),
            Shape::Decimal { precision, scale } | Shape::Decimal256 { precision, scale } => {
                format!(
                    "a number of at most {} digits before the mark and {scale} after it",
                    precision - scale
                )
            }
            Shape::Float => "a number".to_owned(),
            Shape::Boolean(_) => "a spelling of true or false".to_owned(),
            Shape::Date(dates) => format!("a date as {}", dates.first_pattern()),
            Shape::Time { dates, .. } => format!("a time as {}", dates.first_pattern()),
            Shape::Timestamp { dates, .. } => format!("a timestamp as {}", dates.first_pattern()),
            Shape::Text => format!("text in {}", self.encoding()),
            Shape::Binary(_) => "binary data in the declared spelling".to_owned(),
        };
        let number = &spec.spelling.number;
        let mut details = Vec::new();
        if matches!(
            self.shape(),
            Shape::Int { .. }
                | Shape::UInt { .. }
                | Shape::Decimal { .. }
                | Shape::Decimal256 { .. }
        ) {
            if let Some(digits) = number.implied {
                details.push(format!("{digits} implied decimals"));
            }
            if number.decimal_mark == ',' {
                details.push("decimal comma".to_owned());
            }
        }
        if spec.data_type != DataType::Utf8 {
            details.insert(0, name);
        }
        if details.is_empty() { body } else { format!("{body} ({})", details.join(", ")) }
    }
}

/// The kind of thing that stands in a field, never the thing itself.
fn sort_of(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "an empty field".to_owned();
    }
    let all = |test: fn(&u8) -> bool| bytes.iter().all(test);
    let sort = if all(|b| matches!(b, b' ' | b'\t' | 0)) {
        "blanks"
    } else if all(|b| *b == b'*') {
        "asterisks, the mark of an overflow"
    } else if all(u8::is_ascii_digit) {
        "digits"
    } else if all(|b| {
        b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+' | b' ' | b'/' | b':')
    }) {
        "digits and marks"
    } else if all(u8::is_ascii_alphabetic) {
        "letters"
    } else if all(|b| (b' '..=b'~').contains(b)) {
        "letters, digits or marks"
    } else if bytes.iter().any(|b| b.is_ascii_control()) {
        "text with control characters"
    } else {
        "text that is not ASCII"
    };
    format!("{} bytes: {sort}", bytes.len())
}
