//! The layout of a file: its record types and where their fields stand.

mod field;
mod parse;
mod quick;

use arrow_schema::Field;
use fenhe_core::{Attachment, Error, Kind, Result, schema};
use fenhe_text::Encoding;
use fenhe_values::FieldSpec;

use crate::options::{Count, FixedOptions, LineEnd};

/// A checked layout: positions are in range, names are unique, types are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Its name; empty for a quick layout.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The encoding of the file.
    pub encoding: Encoding,
    /// The unit of positions and lengths.
    pub count: Count,
    /// What ends a record.
    pub line_end: LineEnd,
    /// The record types, in the order in which their conditions are tried.
    pub records: Vec<RecordLayout>,
    /// Whether it was made from widths or a CSV: short records are filled up and texts trimmed on both sides.
    pub quick: bool,
}

/// One record type.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordLayout {
    /// Its name, which is the name of the dataset.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// How it is told from the others.
    pub when: When,
    /// Length without the line end, in the unit of the layout.
    pub length: usize,
    /// Whether a file without such a record is complete.
    pub optional: bool,
    /// The fields, by position.
    pub fields: Vec<FieldLayout>,
    /// What belongs to no field: position and length.
    pub gaps: Vec<(usize, usize)>,
    /// What is written there.
    pub filler: char,
    /// What its fields declare about other records.
    pub totals: Vec<Total>,
}

/// What a record type is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Before the data.
    Header,
    /// The data.
    #[default]
    Detail,
    /// After the data.
    Trailer,
}

/// How a record type is told from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Every record that no other condition took.
    #[default]
    Otherwise,
    /// The first record of the stream.
    First,
    /// One of these byte strings stands at this byte.
    Equals {
        /// Byte offset, from 0.
        at: usize,
        /// The byte strings, in the encoding of the file.
        values: Vec<Vec<u8>>,
    },
}

/// A field that declares a total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// Index of the field that holds the declared number.
    pub field: usize,
    /// What is counted or added up.
    pub of: TotalOf,
}

/// What a total is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TotalOf {
    /// The records of these types, by index.
    Records(Vec<usize>),
    /// A field of a type, both by index.
    Sum(usize, usize),
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldLayout {
    /// Position, from 0, in the unit of the layout.
    pub at: usize,
    /// Length in the unit of the layout.
    pub length: usize,
    /// Name, type and spelling.
    pub spec: FieldSpec,
    /// Where the sign of a number is.
    pub sign: Sign,
    /// On which side the value stands.
    pub justify: Justify,
    /// What fills the field up.
    pub pad: char,
    /// Whether the padding is taken away before the value is read.
    pub trim_pad: bool,
    /// Whether it lies over other fields: read, but not written.
    pub overlay: bool,
    /// Metadata for the Arrow field.
    pub metadata: Vec<(&'static str, String)>,
}

/// Where the sign of a number is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// As the plain spelling has it: `-` before the digits, nothing for positive numbers.
    #[default]
    Leading,
    /// `-` after the digits.
    Trailing,
    /// `+` or `-` in the first place (`SIGN LEADING SEPARATE`).
    LeadingSeparate,
    /// `+` or `-` in the last place (`SIGN TRAILING SEPARATE`).
    TrailingSeparate,
    /// In the last digit: `0` to `9` or `p` to `y` (Micro Focus and GnuCOBOL, ASCII).
    Overpunch,
    /// In the first digit, spelled as in `Overpunch`.
    OverpunchLeading,
    /// In the last digit: `{ABCDEFGHI` or `}JKLMNOPQR` (EBCDIC, also after conversion to ASCII).
    OverpunchEbcdic,
    /// In the first digit, spelled as in `OverpunchEbcdic`.
    OverpunchEbcdicLeading,
    /// There is none; a sign is a fault.
    None,
}

/// On which side of a field the value stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Justify {
    /// At the start; the padding follows.
    #[default]
    Left,
    /// At the end; the padding comes first.
    Right,
}

impl Layout {
    /// The layout that the options describe; `None` when they describe none.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) with code `fixed.layout` and the line and column of the mistake.
    pub fn from_options(options: &FixedOptions) -> Result<Option<Self>> {
        let layout = match &options.layout {
            Some(file) => Some(Self::read(file, options)?),
            None if options.widths.is_empty() => None,
            None => Some(quick::from_widths(options)?),
        };
        Ok(layout)
    }

    /// Reads a layout file: TOML, or CSV with the columns `column`, `start` and `length`.
    ///
    /// # Errors
    /// As [`from_options`](Self::from_options).
    pub fn read(file: &Attachment, options: &FixedOptions) -> Result<Self> {
        if quick::is_csv(&file.text) {
            quick::from_csv(file, options)
        } else {
            parse::from_toml(file, options)
        }
    }

    /// How rejects name it: `fixed fee/3`.
    pub fn adapter(&self) -> String {
        match (self.name.as_str(), self.version.as_str()) {
            ("", _) => "fixed".into(),
            (name, "") => format!("fixed {name}"),
            (name, version) => format!("fixed {name}/{version}"),
        }
    }

    /// Index of a record type by name.
    pub fn record(&self, name: &str) -> Option<usize> {
        self.records.iter().position(|r| r.name == name)
    }

    /// Whether records have to be looked at to know their type.
    pub fn has_types(&self) -> bool {
        self.records.len() > 1 || self.records.iter().any(|r| r.when != When::Otherwise)
    }

    /// Names the columns of a quick layout by a line of the file: what stands in their places.
    pub(crate) fn name_columns(&mut self, line: &[u8]) -> Result<()> {
        let encoding = self.encoding;
        let characters = self.count == Count::Characters;
        let place =
            |at: usize| if characters { crate::columns::place(encoding, line, at) } else { at };
        let Some(record) = self.records.first_mut() else { return Ok(()) };
        let mut names: Vec<String> = Vec::new();
        for field in &mut record.fields {
            let (from, to) = (place(field.at), place(field.at + field.length).min(line.len()));
            let bytes = line.get(from..to).unwrap_or_default();
            let text = encoding.decode(bytes).map_err(|e| {
                Error::new(Kind::Invalid, "fixed.header", "the names of the columns cannot be read")
                    .at_offset(from as u64)
                    .caused_by(e)
            })?;
            let name = text.trim().trim_end_matches(field.pad);
            if !name.is_empty() {
                let taken = names.iter().any(|n| n == name);
                field.spec.name =
                    if taken { format!("{name}_{}", names.len() + 1) } else { name.to_owned() };
            }
            names.push(field.spec.name.clone());
        }
        Ok(())
    }

    /// Whether any record type declares totals.
    pub fn has_totals(&self) -> bool {
        self.records.iter().any(|r| !r.totals.is_empty())
    }
}

impl FieldLayout {
    /// Whether the value is a number that the format spells itself.
    pub fn is_number(&self) -> bool {
        self.spec.data_type.is_numeric()
    }

    /// The Arrow field.
    pub fn arrow(&self, layout: &Layout) -> Field {
        let field = Field::new(&self.spec.name, self.spec.data_type.clone(), self.spec.nullable);
        let field = schema::with(field, schema::LENGTH, self.length.to_string());
        let field = schema::with(field, schema::CHARSET, layout.encoding.to_string());
        self.metadata.iter().fold(field, |field, (key, value)| schema::with(field, key, value))
    }
}

/// The places that no written field takes.
fn gaps(fields: &[FieldLayout], length: usize) -> Vec<(usize, usize)> {
    let mut taken: Vec<(usize, usize)> =
        fields.iter().filter(|f| !f.overlay).map(|f| (f.at, f.at + f.length)).collect();
    taken.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = 0;
    for (start, end) in taken {
        if start > next {
            gaps.push((next, start - next));
        }
        next = next.max(end);
    }
    if length > next {
        gaps.push((next, length - next));
    }
    gaps
}
