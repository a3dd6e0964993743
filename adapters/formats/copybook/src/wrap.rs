//! Records to a file: descriptors, blocks, line ends.

use bytes::{BufMut, BytesMut};
use fenhe_core::{Fault, Result};

use crate::error;
use crate::frame::Descriptor;
use crate::layout::Layout;
use crate::options::{ByteOrder, CopybookOptions, RecordFormat, VariableOccurs};

/// The largest block of z/OS.
const BLOCK: usize = 32_760;

/// Writes records with what tells them apart.
#[derive(Debug)]
pub(crate) struct Wrapper {
    format: RecordFormat,
    descriptor: Option<Descriptor>,
    /// F: the length of all records.
    fixed: Option<usize>,
    around: (usize, usize),
    blank: u8,
    line_end: u8,
    /// The block under way.
    block: Vec<u8>,
}

impl Wrapper {
    pub(crate) fn new(layout: &Layout, options: &CopybookOptions) -> Result<Self> {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let around = (size(options.record_prefix), size(options.record_suffix));
        let little = options.rdw == ByteOrder::Little;
        let descriptor = match (&options.record_header, options.record_format) {
            (Some(text), _) => Some(Descriptor::parse(text, layout.page)?),
            (None, RecordFormat::V | RecordFormat::VB) => {
                Some(Descriptor::word(little, options.rdw_inclusive))
            }
            (None, RecordFormat::D) => Some(Descriptor::digits(layout.page)),
            _ => None,
        };
        let free = options.length_field.is_some()
            || (options.occurs() == VariableOccurs::Shift
                && layout.is_variable()
                && options.record_length.is_none());
        let whole = size(
            options
                .record_length
                .unwrap_or(layout.length + options.record_prefix + options.record_suffix),
        );
        let is_fixed = matches!(options.record_format, RecordFormat::F | RecordFormat::FB)
            && !free
            && descriptor.is_none();
        Ok(Self {
            format: options.record_format,
            descriptor,
            fixed: is_fixed.then_some(whole),
            around,
            blank: layout.page.blank().first().copied().unwrap_or(b' '),
            line_end: layout.page.newline().map_or(b'\n', |n| n.next_line),
            block: Vec::new(),
        })
    }

    /// Bytes before and after the data of a record.
    pub(crate) fn around(&self) -> (usize, usize) {
        self.around
    }

    /// Appends a record. `exact`: its length is the one it was read with.
    pub(crate) fn put(
        &mut self,
        record: &[u8],
        exact: bool,
        out: &mut BytesMut,
    ) -> Result<(), Fault> {
        let too_long = |most: usize| {
            Fault::new(
                error::TOO_LARGE,
                "",
                format!("a record of at most {most} bytes"),
                format!("{} bytes", record.len()),
            )
        };
        match (self.format, &self.descriptor) {
            (RecordFormat::VB, Some(descriptor)) => {
                let head = header(descriptor, record.len()).ok_or_else(|| too_long(BLOCK - 8))?;
                if record.len() + 8 > BLOCK {
                    return Err(too_long(BLOCK - 8));
                }
                if self.block.len() + head.len() + record.len() + 4 > BLOCK {
                    self.finish(out);
                }
                self.block.extend_from_slice(&head);
                self.block.extend_from_slice(record);
            }
            (RecordFormat::VS | RecordFormat::VBS, _) => self.segments(record, out),
            (_, Some(descriptor)) => {
                let head = header(descriptor, record.len()).ok_or_else(|| too_long(BLOCK - 4))?;
                out.put_slice(&head);
                out.put_slice(record);
            }
            (RecordFormat::Lines, None) => {
                let kept = if exact {
                    record.len()
                } else {
                    record.iter().rposition(|b| *b != self.blank).map_or(0, |l| l + 1)
                };
                out.put_slice(record.get(..kept).unwrap_or(record));
                out.put_u8(self.line_end);
            }
            _ => {
                let length = self.fixed.unwrap_or(record.len());
                if record.len() > length {
                    return Err(too_long(length));
                }
                out.put_slice(record);
                out.put_bytes(self.blank, length - record.len());
            }
        }
        Ok(())
    }

    /// Writes the block under way.
    pub(crate) fn finish(&mut self, out: &mut BytesMut) {
        if self.block.is_empty() {
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most BLOCK bytes")]
        out.put_u16(self.block.len() as u16 + 4);
        out.put_u16(0);
        out.put_slice(&self.block);
        self.block.clear();
    }

    fn segments(&mut self, record: &[u8], out: &mut BytesMut) {
        let most = BLOCK - 8;
        let last = record.len().div_ceil(most).max(1) - 1;
        for (n, part) in record.chunks(most).enumerate() {
            let code: u8 = match (n == 0, n == last) {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            };
            let blocked = self.format == RecordFormat::VBS;
            if blocked && self.block.len() + part.len() + 8 > BLOCK {
                self.finish(out);
            }
            let mut segment = Vec::with_capacity(part.len() + 4);
            #[expect(clippy::cast_possible_truncation, reason = "parts are shorter than BLOCK")]
            segment.put_u16(part.len() as u16 + 4);
            segment.put_u8(code);
            segment.put_u8(0);
            segment.put_slice(part);
            if blocked { self.block.extend_from_slice(&segment) } else { out.put_slice(&segment) }
        }
    }
}

/// The descriptor for a record of this length; `None` when it cannot say it.
fn header(descriptor: &Descriptor, length: usize) -> Option<Vec<u8>> {
    use crate::frame::Units;
    let value = i64::try_from(length).ok()?.checked_sub(descriptor.adjust)?;
    let mut head = vec![0; descriptor.size];
    // A little-endian word is the whole word turned round.
    let at = if descriptor.word && descriptor.units == Units::Little { 2 } else { descriptor.at };
    let field = head.get_mut(at..at + descriptor.bytes)?;
    let mut rest = u64::try_from(value).ok()?;
    for at in 0..descriptor.bytes {
        let (byte, place) = match descriptor.units {
            Units::Little => ((rest & 0xFF) as u8, at),
            Units::Big => ((rest & 0xFF) as u8, descriptor.bytes - 1 - at),
            Units::Digits { zero } => (zero + (rest % 10) as u8, descriptor.bytes - 1 - at),
        };
        rest = if matches!(descriptor.units, Units::Digits { .. }) { rest / 10 } else { rest >> 8 };
        *field.get_mut(place)? = byte;
    }
    (rest == 0).then_some(head)
}
