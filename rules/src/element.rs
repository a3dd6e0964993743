//! The notation of data elements in the standards: `an18`, `n10,2`, `d8`, `c..50`.

use std::fmt;
use std::str::FromStr;

use arrow_schema::{DataType, Field, TimeUnit};
use fenhe_core::schema::{LENGTH, NATIVE_TYPE, with};

/// The representation of a data element (GB/T 19488, WS 363, and the tables of local specifications), parsed.
///
/// | notation | meaning | Arrow type |
/// |---|---|---|
/// | `a3`, `a..8`, `a3..8` | letters: exactly, up to, from to | `Utf8` |
/// | `an18`, `c..50`, `an..ul` | letters and digits; any text; unlimited | `Utf8` |
/// | `an..100x3` | up to three lines of it | `Utf8` |
/// | `n6` | exactly six digits: a code, whose leading zeros count | `Utf8` |
/// | `n..10` | a whole number of up to ten digits | `Decimal128(10, 0)` |
/// | `n10,2`, `n..10,2` | up to ten digits, two after the point | `Decimal128(10, 2)` |
/// | `d8`, `d10` | date `YYYYMMDD`, `YYYY-MM-DD` | `Date32` |
/// | `t6`, `t8` | time `hhmmss`, `hh:mm:ss` | `Time32(s)` |
/// | `dt14`, `dt15`, `dt19` | date and time, together or with `T` or a blank and separators | `Timestamp(s)` |
/// | `bl`, `l` | yes or no | `Boolean` |
/// | `by`, `by..ul` | bytes | `Binary` |
///
/// Case and blanks do not matter. Numbers that no Arrow decimal holds (more than 76 digits) are text.
///
/// ```
/// use fenhe_rules::DataElement;
/// use arrow_schema::DataType;
/// let fee: DataElement = "n10,2".parse()?;
/// assert_eq!(fee.data_type(), DataType::Decimal128(10, 2));
/// let name: DataElement = "C..50".parse()?;
/// assert_eq!((name.min, name.max, name.to_string().as_str()), (0, Some(50), "c..50"));
/// # Ok::<(), fenhe_rules::BadElement>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataElement {
    /// Kind of value.
    pub kind: ElementKind,
    /// Least number of characters (digits of a number, bytes of binary data).
    pub min: u32,
    /// Most of them; `None` for unlimited.
    pub max: Option<u32>,
    /// Digits after the point.
    pub scale: u32,
    /// Lines of that length, 1 unless the notation has `x`.
    pub lines: u32,
}

/// Kind of value of a data element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// `a`: letters.
    Letters,
    /// `n`: digits.
    Digits,
    /// `an`: letters and digits.
    Alphanumeric,
    /// `c`: any text.
    Text,
    /// `d`: date.
    Date,
    /// `t`: time of the day.
    Time,
    /// `dt`: date and time.
    DateTime,
    /// `bl`, `l`: yes or no.
    Boolean,
    /// `by`: bytes.
    Binary,
}

/// Text that is no notation of a data element, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadElement(&'static str);

impl DataElement {
    /// The Arrow type; see the table above.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self.kind {
            ElementKind::Letters | ElementKind::Alphanumeric | ElementKind::Text => DataType::Utf8,
            ElementKind::Digits => self.number_type(),
            ElementKind::Date => DataType::Date32,
            ElementKind::Time => DataType::Time32(TimeUnit::Second),
            ElementKind::DateTime => DataType::Timestamp(TimeUnit::Second, None),
            ElementKind::Boolean => DataType::Boolean,
            ElementKind::Binary => DataType::Binary,
        }
    }

    /// A column of this element, with the notation and the length in its `fenhe.*` metadata.
    #[must_use]
    pub fn field(&self, name: &str) -> Field {
        let field = with(Field::new(name, self.data_type(), true), NATIVE_TYPE, self.to_string());
        match self.max {
            Some(max) => with(field, LENGTH, max.saturating_mul(self.lines).to_string()),
            None => field,
        }
    }

    fn number_type(&self) -> DataType {
        let code = self.scale == 0 && Some(self.min) == self.max;
        match (self.max.and_then(|max| u8::try_from(max).ok()), i8::try_from(self.scale)) {
            (Some(max @ 1..=38), Ok(scale)) if !code => DataType::Decimal128(max, scale),
            (Some(max @ 39..=76), Ok(scale)) if !code => DataType::Decimal256(max, scale),
            _ => DataType::Utf8,
        }
    }
}

impl FromStr for DataElement {
    type Err = BadElement;

    fn from_str(notation: &str) -> Result<Self, BadElement> {
        if notation.len() > 64 {
            return Err(BadElement("longer than any notation"));
        }
        let small: String = notation
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| match c {
                '×' | '*' => 'x',
                '，' => ',',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        let letters = small.bytes().take_while(u8::is_ascii_lowercase).count();
        let (kind, rest) = kind(small.get(..letters).unwrap_or_default(), &small)
            .ok_or(BadElement("unknown kind; it is one of a, n, an, c, d, t, dt, bl, by"))?;
        let (rest, lines) = match rest.split_once('x') {
            Some((rest, lines)) => (rest, count(lines)?),
            None => (rest, 1),
        };
        let (rest, scale) = match rest.split_once(',') {
            Some((rest, scale)) => (rest, count(scale)?),
            None => (rest, 0),
        };
        let (min, max) = lengths(rest, kind, scale > 0)?;
        Self { kind, min, max, scale, lines }.sound()
    }
}

impl DataElement {
    fn sound(self) -> Result<Self, BadElement> {
        let text = matches!(
            self.kind,
            ElementKind::Letters | ElementKind::Alphanumeric | ElementKind::Text
        );
        let lengths: &[u32] = match self.kind {
            ElementKind::Date => &[8, 10],
            ElementKind::Time => &[6, 8],
            ElementKind::DateTime => &[14, 15, 19],
            _ => &[],
        };
        if !lengths.is_empty() && !self.max.is_some_and(|max| lengths.contains(&max)) {
            return Err(BadElement(
                "a date has 8 or 10 characters, a time 6 or 8, both 14, 15 or 19",
            ));
        }
        if self.max.is_some_and(|max| max < self.min || max == 0) {
            return Err(BadElement("the most is less than the least, or nothing"));
        }
        if self.scale > 0 && self.kind != ElementKind::Digits {
            return Err(BadElement("only numbers have digits after the point"));
        }
        if self.max.is_some_and(|max| self.scale > max) {
            return Err(BadElement("more digits after the point than digits"));
        }
        if self.lines == 0 || self.lines > 1 && !text {
            return Err(BadElement("only text has several lines"));
        }
        Ok(self)
    }
}

impl fmt::Display for DataElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ElementKind::Letters => "a",
            ElementKind::Digits => "n",
            ElementKind::Alphanumeric => "an",
            ElementKind::Text => "c",
            ElementKind::Date => "d",
            ElementKind::Time => "t",
            ElementKind::DateTime => "dt",
            ElementKind::Boolean => return f.write_str("bl"),
            ElementKind::Binary => "by",
        };
        f.write_str(kind)?;
        match (self.min, self.max) {
            (0, None) => f.write_str("..ul")?,
            (min, None) => write!(f, "{min}..ul")?,
            // Numbers with a point are written without the two dots.
            (0, Some(max)) if self.scale > 0 => write!(f, "{max}")?,
            (0, Some(max)) => write!(f, "..{max}")?,
            (min, Some(max)) if min == max => write!(f, "{max}")?,
            (min, Some(max)) => write!(f, "{min}..{max}")?,
        }
        if self.scale > 0 {
            write!(f, ",{}", self.scale)?;
        }
        if self.lines > 1 {
            write!(f, "x{}", self.lines)?;
        }
        Ok(())
    }
}

impl fmt::Display for BadElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no notation of a data element: {}", self.0)
    }
}

impl std::error::Error for BadElement {}

/// The kind and what stands after it. `anul` and `by-ul` are read as `an..ul` and `by..ul`.
fn kind<'a>(letters: &str, whole: &'a str) -> Option<(ElementKind, &'a str)> {
    let bare = match letters {
        "ul" => return None,
        other => other.strip_suffix("ul").unwrap_or(other),
    };
    let kind = match bare {
        "a" => ElementKind::Letters,
        "n" => ElementKind::Digits,
        "an" => ElementKind::Alphanumeric,
        "c" | "anc" => ElementKind::Text,
        "d" => ElementKind::Date,
        "t" => ElementKind::Time,
        "dt" => ElementKind::DateTime,
        "bl" | "b" | "l" => ElementKind::Boolean,
        "by" => ElementKind::Binary,
        _ => return None,
    };
    Some((kind, whole.get(bare.len()..)?))
}

fn lengths(text: &str, kind: ElementKind, point: bool) -> Result<(u32, Option<u32>), BadElement> {
    let text = text.strip_prefix('-').filter(|_| kind == ElementKind::Binary).unwrap_or(text);
    match (kind, text) {
        (ElementKind::Boolean, "" | "1") => return Ok((1, Some(1))),
        (ElementKind::Boolean, _) => return Err(BadElement("yes or no has no length")),
        (ElementKind::Binary, "") | (_, "ul" | "..ul") => return Ok((0, None)),
        (_, "") => return Err(BadElement("the length is missing")),
        _ => {}
    }
    match text.split_once("..") {
        Some(("", max)) => Ok((0, Some(count(max)?))),
        Some((min, "ul")) => Ok((count(min)?, None)),
        Some((min, max)) => Ok((count(min)?, Some(count(max)?))),
        // `n10,2` says how many digits there may be, not how many there are.
        None if point => Ok((0, Some(count(text)?))),
        None => count(text).map(|length| (length, Some(length))),
    }
}

fn count(text: &str) -> Result<u32, BadElement> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadElement("a length is a number of up to nine digits"));
    }
    text.parse().map_err(|_| BadElement("a length is a number of up to nine digits"))
}
