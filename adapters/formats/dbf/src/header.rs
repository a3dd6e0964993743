//! The header: 32 bytes, one descriptor a field, a terminator, and what some dialects add.
//!
//! ```text
//!  0 version   1-3 date   4-7 records   8-9 header length   10-11 record length
//! 14 transaction   15 encryption   28 table flags   29 language   32.. descriptors   0D
//! dBASE II: 0 version   1-2 records   3-5 date   6-7 record length   8.. descriptors of 16   0D   ... 521
//! dBASE 7: 32-63 language driver name   68.. descriptors of 48   0D   field properties
//! ```

use bytes::Bytes;
use fenhe_core::{Limits, Result};

use crate::error;
use crate::version::Dialect;

/// Length of a dBASE II header, always.
pub(crate) const DBASE2_HEADER: usize = 521;

/// Table flag: a structural index (`.cdx`, `.mdx`) belongs to the table.
pub const FLAG_INDEX: u8 = 0x01;

const TERMINATOR: u8 = 0x0D;
/// The backlink of Visual FoxPro, after the terminator.
const BACKLINK: usize = 263;

/// A header as it stands in the file.
#[derive(Clone, Debug)]
pub struct Header {
    /// The version byte.
    pub version: u8,
    /// What it means.
    pub dialect: Dialect,
    /// Records as counted by the header.
    pub records: u32,
    /// Bytes before the first record.
    pub length: usize,
    /// Bytes of a record, deletion mark included. When the header says less than its fields take, what they take.
    pub record_length: usize,
    /// What the header says about it.
    pub declared_record_length: usize,
    /// Offset 28: 01 structural index, 02 memo, 04 database.
    pub flags: u8,
    /// Offset 29: language driver.
    pub language: u8,
    /// Offset 15: the table is encrypted (dBASE IV).
    pub encrypted: bool,
    /// The fields in order.
    pub fields: Vec<Descriptor>,
    /// All bytes of the header.
    pub raw: Bytes,
    /// Findings that lost nothing.
    pub notes: Vec<String>,
}

/// One field descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The name's bytes, up to the first NUL.
    pub name: Vec<u8>,
    /// The type letter.
    pub kind: u8,
    /// Where the field starts in the record (the first one at 1).
    pub offset: usize,
    /// Bytes of the field.
    pub length: usize,
    /// Digits after the decimal point.
    pub decimals: u8,
    /// Visual FoxPro: 01 hidden, 02 nullable, 04 binary, 08 autoincrement.
    pub flags: u8,
    /// Where the descriptor starts in the header.
    pub at: usize,
}

impl Header {
    /// How many bytes the header takes, given the start of the file; `None` when that does not say it yet.
    ///
    /// # Errors
    /// `dbf.version` and `dbf.header` for what cannot be a table.
    pub fn length_of(start: &[u8]) -> Result<Option<usize>> {
        let Some(&version) = start.first() else { return Ok(None) };
        let dialect = Dialect::of(version).ok_or_else(|| error::not_a_table(version))?;
        if dialect == Dialect::Dbase2 {
            return Ok(Some(DBASE2_HEADER));
        }
        let Some(length) = u16_at(start, 8) else { return Ok(None) };
        let least = first_descriptor(dialect) + 1;
        if length < least {
            let message = format!("header length {length} is below the least possible, {least}");
            return Err(error::header(message, 8));
        }
        Ok(Some(length))
    }

    /// Reads a whole header ([`length_of`](Self::length_of) bytes).
    ///
    /// # Errors
    /// `dbf.header`, `dbf.field`, `dbf.record_length`, or a limit.
    pub fn parse(raw: Bytes, limits: &Limits) -> Result<Self> {
        let Some(length) = Self::length_of(&raw)?.filter(|n| raw.len() >= *n) else {
            return Err(error::header_cut(32, raw.len() as u64));
        };
        let raw = raw.slice(..length);
        let version = raw.first().copied().unwrap_or(0);
        let dialect = Dialect::of(version).ok_or_else(|| error::not_a_table(version))?;
        let two = dialect == Dialect::Dbase2;
        let records =
            if two { u16_at(&raw, 1).and_then(|n| u32::try_from(n).ok()) } else { u32_at(&raw, 4) };
        let declared = u16_at(&raw, if two { 6 } else { 10 }).unwrap_or(0);
        let mut header = Self {
            version,
            dialect,
            records: records.unwrap_or(0),
            length,
            record_length: declared,
            declared_record_length: declared,
            flags: if two { 0 } else { byte_at(&raw, 28) },
            language: if two { 0 } else { byte_at(&raw, 29) },
            encrypted: !two && dialect != Dialect::VisualFoxPro && byte_at(&raw, 15) == 1,
            fields: Vec::new(),
            raw,
            notes: Vec::new(),
        };
        header.read_fields(limits)?;
        header.settle_record_length(limits)?;
        Ok(header)
    }

    /// Bytes that the fields take, deletion mark included.
    #[must_use]
    pub fn fields_length(&self) -> usize {
        self.fields.last().map_or(1, |f| f.offset + f.length)
    }

    /// Whether a structural index belongs to the table: it grows stale when records are added elsewhere.
    #[must_use]
    pub fn has_index(&self) -> bool {
        self.flags & FLAG_INDEX != 0
    }

    /// Whole records in a file of `size` bytes.
    #[must_use]
    pub fn records_in(&self, size: u64) -> u64 {
        size.saturating_sub(self.length as u64) / self.record_length.max(1) as u64
    }

    fn read_fields(&mut self, limits: &Limits) -> Result<()> {
        let raw = self.raw.clone();
        let step = descriptor_length(self.dialect);
        let mut at = first_descriptor(self.dialect);
        let mut offset = 1;
        let ended = loop {
            match raw.get(at) {
                Some(&TERMINATOR) => break true,
                None | Some(&0) => break false,
                Some(_) => {}
            }
            let Some(bytes) = raw.get(at..at + step) else { break false };
            let number = self.fields.len() + 1;
            let field = descriptor(self.dialect, bytes, at, offset);
            if field.length == 0 && !matches!(field.kind, b'0') {
                return Err(error::descriptor("length 0", at as u64 + 16, number));
            }
            offset += field.length;
            self.fields.push(field);
            Limits::check("fields", limits.fields, self.fields.len() as u64)?;
            at += step;
        };
        if self.fields.is_empty() {
            return Err(error::header("the header describes no field", at as u64));
        }
        if !ended {
            self.missing_terminator(at)?;
        }
        Ok(())
    }

    /// Without 0D the end of the header ends the fields, provided that they fill the record.
    fn missing_terminator(&mut self, at: usize) -> Result<()> {
        if self.fields_length() != self.declared_record_length {
            let message = "the descriptors have no end mark 0D within the header length, \
                           and their fields do not fill the record";
            return Err(error::header(message, at as u64));
        }
        self.notes.push("the field descriptors have no end mark 0D".into());
        Ok(())
    }

    fn settle_record_length(&mut self, limits: &Limits) -> Result<()> {
        let (declared, fields) = (self.declared_record_length, self.fields_length());
        if declared == 0 {
            return Err(error::record_length("record length 0")
                .hint("the header is damaged: restore it from a copy"));
        }
        if declared < fields {
            self.notes.push(format!(
                "the header gives a record length of {declared}, its fields take {fields}: read by the fields"
            ));
        }
        if declared > fields {
            self.notes.push(format!(
                "records have {} bytes behind their fields, which are not read",
                declared - fields
            ));
        }
        self.record_length = declared.max(fields);
        Limits::check("record", limits.record, self.record_length as u64)
    }
}

/// Where the first descriptor stands.
pub(crate) fn first_descriptor(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Dbase2 => 8,
        Dialect::Dbase7 => 68,
        _ => 32,
    }
}

/// Length of one descriptor.
pub(crate) fn descriptor_length(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Dbase2 => 16,
        Dialect::Dbase7 => 48,
        _ => 32,
    }
}

/// Bytes behind the terminator of a fresh header.
pub(crate) fn trailer_length(dialect: Dialect) -> usize {
    if dialect.is_visual() { BACKLINK } else { 0 }
}

fn descriptor(dialect: Dialect, bytes: &[u8], at: usize, offset: usize) -> Descriptor {
    let (name, kind, length, decimals, flags) = match dialect {
        Dialect::Dbase2 => (11, 11, 12, 15, None),
        Dialect::Dbase7 => (32, 32, 33, 34, None),
        _ => (11, 11, 16, 17, Some(18)),
    };
    let kind = byte_at(bytes, kind);
    let (mut length, mut decimals) =
        (usize::from(byte_at(bytes, length)), byte_at(bytes, decimals));
    // Clipper and FoxPro: the decimals of a character field are the high byte of its length.
    if kind == b'C' && !matches!(dialect, Dialect::Dbase2 | Dialect::Dbase7) {
        length += usize::from(decimals) << 8;
        decimals = 0;
    }
    let flags = flags.filter(|_| dialect.is_visual()).map_or(0, |at| byte_at(bytes, at));
    let name = bytes.get(..name).unwrap_or_default();
    let name = name.split(|b| *b == 0).next().unwrap_or_default().trim_ascii_end().to_vec();
    Descriptor { name, kind, offset, length, decimals, flags, at }
}

fn byte_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*pair)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(version: u8, length: u16, record: u16, fields: &[(&str, u8, u8, u8)]) -> Vec<u8> {
        let mut raw = vec![version, 126, 7, 29, 3, 0, 0, 0];
        raw.extend(length.to_le_bytes());
        raw.extend(record.to_le_bytes());
        raw.resize(32, 0);
        for (name, kind, length, decimals) in fields {
            let at = raw.len();
            raw.extend(name.as_bytes());
            raw.resize(at + 11, 0);
            raw.extend([*kind, 0, 0, 0, 0, *length, *decimals]);
            raw.resize(at + 32, 0);
        }
        raw.push(TERMINATOR);
        raw
    }

    fn parse(raw: Vec<u8>) -> Result<Header> {
        Header::parse(raw.into(), &Limits::default())
    }

    #[test]
    fn fields_follow_one_another() {
        let header =
            parse(bytes(0x03, 97, 13, &[("ID", b'N', 4, 0), ("NAME", b'C', 8, 0)])).unwrap();
        assert_eq!((header.records, header.record_length), (3, 13));
        let places: Vec<_> = header.fields.iter().map(|f| (f.offset, f.length)).collect();
        assert_eq!(places, [(1, 4), (5, 8)]);
        assert!(header.notes.is_empty());
    }

    #[test]
    fn the_decimals_of_a_character_field_are_the_high_byte_of_its_length() {
        let header = parse(bytes(0x03, 65, 1 + 0x0102, &[("LONG", b'C', 2, 1)])).unwrap();
        assert_eq!(header.fields[0].length, 0x0102);
    }

    #[test]
    fn lying_headers_are_errors_that_say_where() {
        let one = &[("ID", b'N', 4, 0)];
        for (raw, code) in [
            (bytes(0x99, 65, 5, one), "dbf.version"),
            (bytes(0xE5, 65, 5, one), "dbf.version"),
            (bytes(0x03, 20, 5, one), "dbf.header"),
            (bytes(0x03, 65, 0, one), "dbf.record_length"),
            (bytes(0x03, 9000, 5, one), "dbf.header"),
            (bytes(0x03, 65, 5, &[("ID", b'N', 0, 0)]), "dbf.field"),
            (bytes(0x03, 33, 5, &[]), "dbf.header"),
            (bytes(0x03, 65, 9, &[("ID", b'N', 4, 0), ("X", b'N', 4, 0)]), "dbf.header"),
        ] {
            let error = parse(raw).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.offset().is_some(), "{error}");
        }
    }

    #[test]
    fn a_missing_end_mark_is_noted_when_the_fields_fill_the_record() {
        let mut raw = bytes(0x03, 64, 5, &[("ID", b'N', 4, 0)]);
        raw.pop();
        let header = parse(raw).unwrap();
        assert_eq!(header.fields.len(), 1);
        assert_eq!(header.notes.len(), 1);
    }

    #[test]
    fn a_record_length_below_its_fields_gives_way_to_them() {
        let header = parse(bytes(0x03, 65, 4, &[("ID", b'N', 4, 0)])).unwrap();
        assert_eq!((header.record_length, header.declared_record_length), (5, 4));
        assert_eq!(header.notes.len(), 1);
    }
}
