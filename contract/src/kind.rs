//! Types of fields: data elements and type names.

use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Kind, Result};
use fenhe_rules::{DataElement, ElementKind};
use fenhe_values::TYPE_NAMES;

/// The type of a field, from either notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldType {
    data_type: DataType,
    element: Option<DataElement>,
}

/// How two types stand to each other, by the values they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Containment {
    Same,
    /// The second holds a part of what the first holds.
    Narrower,
    /// The second holds more.
    Wider,
    Other,
}

impl FieldType {
    /// Reads `an18`, `n10,2`, `d8`, or `text`, `decimal(12,2)`, `date`.
    ///
    /// ```
    /// use fenhe_contract::FieldType;
    /// assert_eq!(FieldType::parse("C..50")?.to_string(), "c..50");
    /// assert_eq!(FieldType::parse("Decimal(12, 2)")?.to_string(), "decimal(12,2)");
    /// let error = FieldType::parse("decmal(12,2)").unwrap_err();
    /// assert!(error.to_string().contains("did you mean decimal"), "{error}");
    /// # Ok::<(), fenhe_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Kind::Config`] with code `contract.type`, naming the nearest type.
    pub fn parse(text: &str) -> Result<Self> {
        let element = text.parse::<DataElement>();
        if let Ok(element) = element {
            return Ok(Self { data_type: element.data_type(), element: Some(element) });
        }
        match fenhe_values::parse_type(text) {
            Ok(data_type) => Ok(Self { data_type, element: None }),
            Err(unknown) => {
                let wrong =
                    Error::new(Kind::Config, "contract.type", format!("no type is called {text}"));
                Err(match unknown.near {
                    Some(near) => wrong.hint(format!("did you mean {near}?")),
                    None => wrong.hint(format!(
                        "data elements are like an18, c..50, n10,2, d8; types are {}",
                        TYPE_NAMES.join(", ")
                    )),
                })
            }
        }
    }

    /// The Arrow type.
    #[must_use]
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The data element, if it was written as one.
    #[must_use]
    pub fn element(&self) -> Option<&DataElement> {
        self.element.as_ref()
    }

    /// Whether values are text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.data_type == DataType::Utf8
    }

    /// Whether values are whole numbers or decimals, which have exact sums.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.data_type.is_integer() || self.data_type.is_decimal()
    }

    /// Least and most characters of text, as far as the notation says.
    pub(crate) fn length(&self) -> (u32, Option<u32>) {
        match &self.element {
            Some(element) if self.is_text() => {
                (element.min, element.max.map(|max| max.saturating_mul(element.lines)))
            }
            _ => (0, None),
        }
    }

    /// The characters that the notation allows; `None` for any.
    pub(crate) fn characters(&self) -> Option<&'static str> {
        if !self.is_text() {
            return None;
        }
        match self.element?.kind {
            ElementKind::Letters => Some("[A-Za-z]"),
            ElementKind::Digits => Some("[0-9]"),
            ElementKind::Alphanumeric => Some("[0-9A-Za-z]"),
            _ => None,
        }
    }

    /// How the values of `after` stand to those of this type. Lengths of text are compared apart.
    pub(crate) fn containment(&self, after: &Self) -> Containment {
        if self.is_text() && after.is_text() {
            return characters_within(self.repertoire(), after.repertoire());
        }
        match (Digits::of(&self.data_type), Digits::of(&after.data_type)) {
            (Some(before), Some(after)) => before.containment(after),
            _ if self.data_type == after.data_type => Containment::Same,
            _ => Containment::Other,
        }
    }

    /// Which of letters, digits and other characters text may have.
    fn repertoire(&self) -> [bool; 3] {
        match self.characters() {
            Some("[A-Za-z]") => [true, false, false],
            Some("[0-9]") => [false, true, false],
            Some(_) => [true, true, false],
            None => [true; 3],
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.element {
            Some(element) => element.fmt(f),
            None => f.write_str(&fenhe_values::type_name(&self.data_type).unwrap_or_default()),
        }
    }
}

fn characters_within(before: [bool; 3], after: [bool; 3]) -> Containment {
    let within = |a: [bool; 3], b: [bool; 3]| a.iter().zip(b).all(|(a, b)| !a || b);
    match (within(after, before), within(before, after)) {
        (true, true) => Containment::Same,
        (true, false) => Containment::Narrower,
        (false, true) => Containment::Wider,
        (false, false) => Containment::Other,
    }
}

/// What numbers a type holds: all with `full` digits before the point, some with `most`, `scale` after it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Digits {
    full: i16,
    most: i16,
    scale: i16,
    signed: bool,
}

impl Digits {
    fn of(data_type: &DataType) -> Option<Self> {
        let whole = |full, signed| Self { full, most: full + 1, scale: 0, signed };
        Some(match data_type {
            DataType::Int8 => whole(2, true),
            DataType::Int16 => whole(4, true),
            DataType::Int32 => whole(9, true),
            DataType::Int64 => whole(18, true),
            DataType::UInt8 => whole(2, false),
            DataType::UInt16 => whole(4, false),
            DataType::UInt32 => whole(9, false),
            DataType::UInt64 => whole(19, false),
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                let before = i16::from(*precision) - i16::from(*scale);
                Self { full: before, most: before, scale: i16::from(*scale), signed: true }
            }
            _ => return None,
        })
    }

    fn within(self, other: Self) -> bool {
        self == other
            || self.most <= other.full
                && self.scale <= other.scale
                && (other.signed || !self.signed)
    }

    fn containment(self, after: Self) -> Containment {
        match (after.within(self), self.within(after)) {
            (true, true) => Containment::Same,
            (true, false) => Containment::Narrower,
            (false, true) => Containment::Wider,
            (false, false) => Containment::Other,
        }
    }
}

/// The FoxPro letter of a type in catalogue sheets, its words, length and digits after the point.
pub(crate) fn letter(kind: &FieldType) -> (&'static str, Option<u32>, Option<u32>) {
    match kind.data_type() {
        DataType::Decimal128(19, 4) if kind.element.is_none() => ("货币型Y", None, None),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            ("数值型N", Some(u32::from(*precision)), u32::try_from(*scale).ok())
        }
        DataType::Date32 => ("日期型D", Some(8), None),
        DataType::Timestamp(..) => ("日期时间型T", None, None),
        DataType::Time32(TimeUnit::Second) => ("字符型C", Some(8), None),
        DataType::Boolean => ("逻辑型L", Some(1), None),
        DataType::Binary => ("通用型G", None, None),
        DataType::Float32 => ("浮点型F", None, None),
        DataType::Float64 => ("双精度型B", None, None),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            ("整型I", None, None)
        }
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => ("数值型N", Some(20), Some(0)),
        _ => match kind.length().1 {
            Some(most) => ("字符型C", Some(most), None),
            None => ("备注型M", None, None),
        },
    }
}

/// The notation for what a sheet says about a column; the reason when it says nothing that is known.
pub(crate) fn from_sheet(
    said: &str,
    length: Option<u32>,
    scale: Option<u32>,
) -> Result<String, &'static str> {
    let (word, inner_length, inner_scale) = split_type(said);
    let length = inner_length.or(length).filter(|length| *length > 0);
    let scale = inner_scale.or(scale).unwrap_or(0);
    let Some(letter) = letter_of(&word) else {
        return Err("no known data type");
    };
    Ok(match (letter, length) {
        ('C', Some(length)) => format!("c..{length}"),
        ('C' | 'M', _) => "text".into(),
        ('N', Some(length)) if scale > length => return Err("more decimals than digits"),
        ('N', Some(length)) if length > 76 => return Err("more than 76 digits"),
        ('N' | 'F', Some(length)) if scale > 0 => format!("n{length},{scale}"),
        ('N', Some(length)) => format!("n..{length}"),
        ('N', None) => return Err("a number needs a length"),
        ('Y', _) => "decimal(19,4)".into(),
        ('D', _) => "date".into(),
        ('T', _) => "timestamp(s)".into(),
        ('L', _) => "bool".into(),
        ('G', _) => "binary".into(),
        ('I', _) => "int32".into(),
        ('X', _) => "int64".into(),
        _ => "float64".into(),
    })
}

/// `VARCHAR(20)`, `N(12,2)` and `字符型 C（20）` taken apart.
fn split_type(said: &str) -> (String, Option<u32>, Option<u32>) {
    let plain: String = said
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '（' => '(',
            '）' => ')',
            '，' => ',',
            other => other.to_ascii_uppercase(),
        })
        .collect();
    let Some((word, inside)) = plain.split_once('(') else {
        return (plain, None, None);
    };
    let mut numbers = inside.trim_end_matches(')').split(',').map(|n| n.parse().ok());
    (word.to_owned(), numbers.next().flatten(), numbers.next().flatten())
}

/// The letter of a type: its own, the one at the end of its Chinese words, or that of a database's word.
fn letter_of(word: &str) -> Option<char> {
    const WORDS: &[(&str, char)] = &[
        ("字符", 'C'),
        ("短字符", 'C'),
        ("较长字符", 'C'),
        ("长字符", 'M'),
        ("文本", 'C'),
        ("字符串", 'C'),
        ("数值", 'N'),
        ("数字", 'N'),
        ("货币", 'Y'),
        ("日期", 'D'),
        ("日期时间", 'T'),
        ("时间", 'T'),
        ("逻辑", 'L'),
        ("布尔", 'L'),
        ("备注", 'M'),
        ("通用", 'G'),
        ("二进制", 'G'),
        ("双精度", 'B'),
        ("整", 'I'),
        ("整数", 'I'),
        ("浮点", 'F'),
        ("CHAR", 'C'),
        ("VARCHAR", 'C'),
        ("VARCHAR2", 'C'),
        ("NVARCHAR", 'C'),
        ("NVARCHAR2", 'C'),
        ("NCHAR", 'C'),
        ("STRING", 'C'),
        ("TEXT", 'M'),
        ("CLOB", 'M'),
        ("LONGTEXT", 'M'),
        ("NUMBER", 'N'),
        ("NUMERIC", 'N'),
        ("DECIMAL", 'N'),
        ("MONEY", 'Y'),
        ("DATE", 'D'),
        ("DATETIME", 'T'),
        ("TIMESTAMP", 'T'),
        ("BOOL", 'L'),
        ("BOOLEAN", 'L'),
        ("BLOB", 'G'),
        ("DOUBLE", 'B'),
        ("FLOAT", 'B'),
        ("INT", 'I'),
        ("INTEGER", 'I'),
        ("SMALLINT", 'I'),
        ("BIGINT", 'X'),
    ];
    let bare = word.trim_end_matches('型');
    if let Some((_, letter)) = WORDS.iter().find(|(known, _)| *known == bare) {
        return Some(*letter);
    }
    // `C`, or `字符型C`, whose words have to agree with the letter.
    let letter = word.chars().last().filter(|c| "CNYDTLMGBIF".contains(*c))?;
    let before = word.strip_suffix(letter)?.trim_end_matches('型');
    let agrees = WORDS.iter().any(|(known, of)| *known == before && *of == letter);
    (before.is_empty() || agrees).then_some(letter)
}
