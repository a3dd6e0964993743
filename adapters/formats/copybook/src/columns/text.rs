//! Text items: trimmed, then out of the code page.

use fenhe_core::{Fault, Result};
use fenhe_kernels::{AppendError, EvenFields, SingleByteTable, StringColumn, gather};
use fenhe_text::{Encoding, Invalid, Table, Trim, Utf8Buf};

use super::{Window, full};
use crate::error;
use crate::options::{CopybookOptions, LowValues};
use crate::storage::Storage;

/// Blocks that are read value by value at most before the next attempt at a whole one.
const LONGEST_PAUSE: u32 = 63;

/// How the bytes of one text item become text.
#[derive(Debug)]
pub(crate) struct TextReader {
    encoding: Encoding,
    road: Road,
    trim: Trim,
    low_blank: bool,
    decoded: Utf8Buf,
    bytes: Vec<u8>,
    pause: Pause,
}

/// Whole blocks are tried again after a pause that grows with each block that has other characters than ASCII.
#[derive(Debug, Default)]
struct Pause {
    left: u32,
    next: u32,
}

#[derive(Debug)]
enum Road {
    /// The window in ASCII has the text, unless it has the top bit set somewhere.
    Translated(Option<&'static SingleByteTable>),
    /// Bytes below 80 are ASCII, the others are decoded.
    Table(Table),
    /// Each value is decoded.
    Slow,
    /// Double-byte characters without the shift bytes that the code page wants around them.
    Dbcs,
}

/// The table to translate a window with, for code pages that are no superset of ASCII.
pub(crate) fn to_ascii(page: Encoding, low: LowValues) -> Option<Box<[u8; 256]>> {
    if page.is_ascii_superset() && low == LowValues::Keep {
        return None;
    }
    let mut table = Box::new([0x80; 256]);
    for (byte, slot) in (0..=u8::MAX).zip(table.iter_mut()) {
        if page.is_ascii_superset() && byte >= 0x80 {
            continue;
        }
        if let Ok(text) = page.decode(&[byte])
            && let [ascii] = text.as_bytes()
        {
            *slot = *ascii;
        }
    }
    if low == LowValues::Blank {
        let [nul, ..] = &mut *table;
        *nul = b' ';
    }
    Some(table)
}

impl TextReader {
    pub(crate) fn new(storage: Storage, page: Encoding, options: &CopybookOptions) -> Self {
        let low_blank = options.low_values == LowValues::Blank;
        let (encoding, road) = match storage {
            Storage::National => (Encoding::UTF_16BE, Road::Slow),
            Storage::Dbcs if page.is_stateful() => (page, Road::Dbcs),
            _ => (
                page,
                match page.table() {
                    Some(Table::Single(table)) if !page.is_ascii_superset() => {
                        Road::Translated(Some(table))
                    }
                    None if page.is_stateful() => Road::Translated(None),
                    Some(_) if low_blank => Road::Translated(None),
                    Some(table) => Road::Table(table),
                    None => Road::Slow,
                },
            ),
        };
        Self {
            encoding,
            road,
            trim: options.trim,
            low_blank,
            decoded: Utf8Buf::default(),
            bytes: Vec::new(),
            pause: Pause::default(),
        }
    }

    /// Appends evenly spaced fields up to the first that cannot be read; says how many.
    pub(crate) fn append_even(
        &mut self,
        column: &mut StringColumn,
        window: Window<'_>,
        fields: EvenFields<'_>,
    ) -> Result<usize> {
        if self.append_block(column, window, fields) {
            return Ok(fields.rows);
        }
        let EvenFields { first, stride, rows, length, .. } = fields;
        if !matches!(self.road, Road::Translated(_)) || !matches!(self.trim, Trim::End | Trim::None)
        {
            return Ok(0);
        }
        let ascii = window.ascii();
        for row in 0..rows {
            let from = first + row * stride;
            let Some(field) = ascii.get(from..from + length) else { return Ok(row) };
            let kept =
                if self.trim == Trim::End { gather::trim_end(field, b' ').len() } else { length };
            match column.append_ascii_in(ascii, from..from + kept) {
                Ok(()) => {}
                Err(AppendError::Invalid { .. }) => {
                    // Other characters are rare in such files: this one by the table, then go on.
                    if let Err(_fault) = self.append(column, window, from, from + length)? {
                        return Ok(row);
                    }
                }
                Err(AppendError::Full) => return Err(full(fenhe_kernels::Full)),
            }
        }
        Ok(rows)
    }

    /// Appends all fields, if all of them are ASCII text.
    fn append_block(
        &mut self,
        column: &mut StringColumn,
        window: Window<'_>,
        fields: EvenFields<'_>,
    ) -> bool {
        let plain = !self.low_blank && matches!(self.road, Road::Translated(_) | Road::Table(_));
        let pad = match self.trim {
            Trim::None => None,
            Trim::End => self.encoding.blank().first().copied(),
            _ => return false,
        };
        if !plain {
            return false;
        }
        if self.pause.left > 0 {
            self.pause.left -= 1;
            return false;
        }
        let done = column.append_fields(fields, pad, window.table());
        self.pause.next = if done { 0 } else { (2 * self.pause.next + 1).min(LONGEST_PAUSE) };
        self.pause.left = self.pause.next;
        done
    }

    /// Appends one value, or says what is wrong with it.
    pub(crate) fn append(
        &mut self,
        column: &mut StringColumn,
        window: Window<'_>,
        from: usize,
        to: usize,
    ) -> Result<Result<(), Fault>> {
        if let Road::Translated(table) = self.road {
            let field = window.ascii().get(from..to).unwrap_or_default();
            let text = self.trim_ascii(field);
            if text.is_ascii() {
                return column.append_ascii(text).map_err(full).map(Ok);
            }
            if let Some(table) = table.filter(|_| !self.low_blank) {
                let raw = window.raw.get(from..to).unwrap_or_default();
                let raw = self.encoding.trim_bytes(raw, self.trim);
                if column.append_single_byte(raw, table).is_ok() {
                    return Ok(Ok(()));
                }
            }
        }
        let raw = window.raw.get(from..to).unwrap_or_default();
        if let Road::Table(table) = self.road {
            let raw = self.encoding.trim_bytes(raw, self.trim);
            let done = match table {
                Table::Ascii => column.append_ascii(raw),
                Table::Utf8 => column.append_utf8(raw),
                Table::Single(table) => column.append_single_byte(raw, table),
                Table::Double(table) => column.append_double_byte(raw, table),
            };
            if done.is_ok() {
                return Ok(Ok(()));
            }
        }
        self.decode(column, raw)
    }

    fn trim_ascii<'a>(&self, field: &'a [u8]) -> &'a [u8] {
        let field = if matches!(self.trim, Trim::End | Trim::Both) {
            gather::trim_end(field, b' ')
        } else {
            field
        };
        if matches!(self.trim, Trim::Start | Trim::Both) {
            gather::trim_start(field, b' ')
        } else {
            field
        }
    }

    #[cold]
    fn decode(&mut self, column: &mut StringColumn, raw: &[u8]) -> Result<Result<(), Fault>> {
        self.bytes.clear();
        let dbcs = matches!(self.road, Road::Dbcs);
        if dbcs {
            self.bytes.push(0x0E);
        }
        self.bytes.extend_from_slice(raw);
        if dbcs {
            self.bytes.push(0x0F);
        }
        if self.low_blank {
            let blank = self.encoding.blank().first().copied().unwrap_or(b' ');
            self.bytes.iter_mut().filter(|b| **b == 0).for_each(|b| *b = blank);
        }
        let bytes = self.encoding.trim_bytes(&self.bytes, self.trim);
        self.decoded.clear();
        match self.encoding.decode_into(bytes, Invalid::Reject, &mut self.decoded) {
            Ok(_) => {
                let blanks = if dbcs { fenhe_text::Blanks::Full } else { fenhe_text::Blanks::Half };
                let text = fenhe_text::trim(self.decoded.as_str(), self.trim, blanks);
                column.append_str(text).map_err(full)?;
                Ok(Ok(()))
            }
            Err(bad) => {
                let expected = format!("text in {}", self.encoding);
                let found =
                    format!("{} byte(s) at byte {} of the field: {}", bad.len, bad.at, bad.reason);
                Ok(Err(Fault::new(error::TEXT, "", expected, found)))
            }
        }
    }
}
