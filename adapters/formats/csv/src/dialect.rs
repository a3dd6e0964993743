//! A settled dialect: as it is kept in the schema, and as bytes for the splitter.

use fenhe_core::Result;
use fenhe_kernels::index::CsvSyntax;
use fenhe_text::Encoding;
use serde::{Deserialize, Serialize};

use crate::options::{LineEnd, config};
use crate::wide::is_wide;

/// How a file is spelled. Kept as JSON under `fenhe.spelling` of the schema, so that an encoder can write the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dialect {
    /// Name of the encoding.
    pub(crate) encoding: String,
    /// Byte order mark at the start.
    #[serde(default)]
    pub(crate) bom: bool,
    /// Empty: one column.
    pub(crate) delimiter: String,
    /// Opens and closes fields.
    pub(crate) quote: Option<char>,
    /// How a quote stands inside quotes.
    #[serde(default)]
    pub(crate) escape: Escape,
    /// Start of lines that are no records, empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) comment: String,
    /// What ends a record for the reader.
    pub(crate) line_end: LineEnd,
    /// Whether blank lines are records.
    pub(crate) blank_is_record: bool,
    /// Whether the first record holds the names.
    pub(crate) header: bool,
    /// What the writer puts behind a record.
    pub(crate) ends_with: String,
    /// Which fields the writer puts in quotes.
    #[serde(default)]
    pub(crate) quoting: Quoting,
    /// Whether the last record has a line end.
    #[serde(default = "yes")]
    pub(crate) final_newline: bool,
    /// Whether the first line is `sep=;`, which names the delimiter to spreadsheets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sep_line: bool,
    /// What stands before the first record (preamble, header), where it is known and short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prologue: Option<String>,
    /// The names that the header had when it was read: the prologue holds for these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
}

/// How a quote, a delimiter or a line end can be part of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Escape {
    /// A quote inside quotes is doubled.
    #[default]
    Doubled,
    /// Not at all.
    None,
    /// This character makes the next one a plain one.
    Char(char),
    /// A backslash, with `\n`, `\t`, `\r` and `\0` for control characters.
    C,
}

/// Which fields a writer puts in quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quoting {
    /// Those that need it.
    #[default]
    Minimal,
    /// All of them.
    Always,
    /// All but nulls.
    Values,
    /// All texts but nulls; numbers and dates not.
    Texts,
}

/// A dialect as bytes of its encoding.
#[derive(Clone, Debug)]
pub(crate) struct Syntax {
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: Vec<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Escape,
    escape_byte: Option<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) line_end: LineEnd,
    pub(crate) blank_is_record: bool,
    /// Set when a special byte can be the second byte of a character: then text is walked by characters.
    pub(crate) stepping: Option<Encoding>,
    special: [bool; 256],
    special_inside: [bool; 256],
}

impl Syntax {
    /// # Errors
    /// `csv.option` for characters that the encoding does not have or that contradict each other.
    pub(crate) fn new(dialect: &Dialect) -> Result<Self> {
        let encoding = working(encoding(&dialect.encoding)?);
        let spell = |option: &str, text: &str| {
            encoding
                .encode(text)
                .map_err(|e| config(option, "the encoding does not have it").caused_by(e))
        };
        let one =
            |option: &str, c: char| match spell(option, c.encode_utf8(&mut [0; 4]))?.as_slice() {
                [byte] => Ok(*byte),
                _ => Err(config(option, "one character of one byte is needed")),
            };
        let escape_byte = match dialect.escape {
            Escape::Char(c) => Some(one("escape", c)?),
            Escape::C => Some(b'\\'),
            Escape::Doubled | Escape::None => None,
        };
        let mut syntax = Self {
            encoding,
            delimiter: spell("delimiter", &dialect.delimiter)?,
            quote: dialect.quote.map(|c| one("quote", c)).transpose()?,
            escape: dialect.escape,
            escape_byte,
            comment: spell("comment", &dialect.comment)?,
            line_end: dialect.line_end,
            blank_is_record: dialect.blank_is_record,
            stepping: None,
            special: [false; 256],
            special_inside: [false; 256],
        };
        syntax.check()?;
        syntax.classify();
        Ok(syntax)
    }

    /// For the quick index, when the dialect is one that it knows: the first byte of the delimiter, and the quote.
    pub(crate) fn indexable(&self) -> Option<CsvSyntax> {
        // Delimiters that may be parts of characters are sorted out afterwards; quotes cannot be.
        let safe = self.quote.is_none_or(|quote| self.encoding.safe_delimiter(quote));
        let usual = safe
            && self.comment.is_empty()
            && self.line_end != LineEnd::Cr
            && (self.quote.is_none() && self.escape_byte.is_none()
                || self.escape == Escape::Doubled);
        usual.then(|| CsvSyntax {
            delimiter: self.delimiter.first().copied(),
            quote: self.quote,
            index_cr: false,
        })
    }

    pub(crate) fn is_special(&self, byte: u8) -> bool {
        self.special.get(usize::from(byte)).copied().unwrap_or_default()
    }

    pub(crate) fn is_special_inside(&self, byte: u8) -> bool {
        self.special_inside.get(usize::from(byte)).copied().unwrap_or_default()
    }

    pub(crate) fn is_escape(&self, byte: u8) -> bool {
        self.escape_byte == Some(byte)
    }

    pub(crate) fn escape_byte(&self) -> Option<u8> {
        self.escape_byte
    }

    fn check(&self) -> Result<()> {
        let quote = self.quote.as_slice();
        if self.delimiter.iter().any(|b| matches!(b, b'\r' | b'\n')) || self.delimiter.len() > 16 {
            return Err(config("delimiter", "up to 16 bytes, and no line ends"));
        }
        if quote.iter().any(|b| matches!(b, b'\r' | b'\n') || self.delimiter.contains(b)) {
            return Err(config("quote", "it must differ from delimiter and line ends"));
        }
        if self
            .escape_byte
            .is_some_and(|b| matches!(b, b'\r' | b'\n') || self.delimiter.contains(&b))
        {
            return Err(config("escape", "it must differ from delimiter and line ends"));
        }
        if self.escape_byte.is_some() && self.escape_byte == self.quote {
            return Err(config("escape", "for quotes inside quotes write escape=doubled"));
        }
        Ok(())
    }

    fn classify(&mut self) {
        let specials = [self.quote, self.escape_byte, self.delimiter.first().copied()];
        let unsafe_bytes = specials.into_iter().flatten().chain([b'\n', b'\r']);
        if unsafe_bytes.into_iter().any(|byte| !self.encoding.safe_delimiter(byte)) {
            self.stepping = Some(self.encoding);
        }
        for byte in 0..=u8::MAX {
            let escape = self.is_escape(byte);
            let lead = self.stepping.is_some() && byte >= 0x80;
            let at = usize::from(byte);
            if let Some(entry) = self.special.get_mut(at) {
                let line = matches!(byte, b'\r' | b'\n');
                *entry = line || escape || lead || self.delimiter.first() == Some(&byte);
            }
            if let Some(entry) = self.special_inside.get_mut(at) {
                *entry = escape || lead || self.quote == Some(byte);
            }
        }
    }
}

/// The encoding of this name, if delimited text can be split in it.
pub(crate) fn encoding(label: &str) -> Result<Encoding> {
    let encoding = Encoding::for_label(label)
        .ok_or_else(|| config("encoding", format!("{label} is not known")))?;
    if !encoding.is_ascii_superset() && !is_wide(encoding) {
        return Err(config(
            "encoding",
            format!(
                "{encoding} does not contain ASCII, and delimited text is cut before it is decoded"
            ),
        )
        .hint("convert the file to UTF-8 first"));
    }
    Ok(encoding)
}

/// The encoding in which text is cut: UTF-16 is UTF-8 by then.
pub(crate) fn working(encoding: Encoding) -> Encoding {
    if is_wide(encoding) { Encoding::UTF_8 } else { encoding }
}

fn yes() -> bool {
    true
}
