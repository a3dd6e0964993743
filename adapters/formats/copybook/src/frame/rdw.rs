//! Records with a descriptor before them: RDW, and other headers that hold a length.
//!
//! z/OS DFSMS, "Record descriptor word": two bytes of length that include the four bytes of the word, two zero
//! bytes. "Block descriptor word": the same; with bit 0 on, a length of 31 bits.

use fenhe_core::Result;
use fenhe_text::Encoding;

use super::{Found, lost};
use crate::error;

/// A header with the length of what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// Bytes of the header.
    pub(crate) size: usize,
    /// Where the length is in it, and how many bytes it has.
    pub(crate) at: usize,
    pub(crate) bytes: usize,
    pub(crate) units: Units,
    /// Added to the length to get the bytes of data after the header.
    pub(crate) adjust: i64,
    /// A descriptor word of z/OS: the other two bytes are zero.
    pub(crate) word: bool,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    Big,
    Little,
    Digits { zero: u8 },
}

impl Descriptor {
    /// A record descriptor word.
    pub(crate) fn word(little: bool, inclusive: bool) -> Self {
        let units = if little { Units::Little } else { Units::Big };
        Self { size: 4, at: 0, bytes: 2, units, adjust: if inclusive { -4 } else { 0 }, word: true }
    }

    /// Four digits that count themselves (ISO 1001 and ANSI X3.27 format D).
    pub(crate) fn digits(page: Encoding) -> Self {
        let zero = if page.is_ebcdic() { 0xF0 } else { b'0' };
        Self { size: 4, at: 0, bytes: 4, units: Units::Digits { zero }, adjust: -4, word: false }
    }

    /// `size:at:bytes:big|little|digits[:adjust]`.
    pub(crate) fn parse(text: &str, page: Encoding) -> Result<Self> {
        let wrong = || {
            error::config(format!("record_header={text} is no header"))
                .hint("write size:at:bytes:big|little|digits[:adjust]")
        };
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        let (numbers, units, adjust) = match parts.as_slice() {
            [size, at, bytes, units] => ([*size, *at, *bytes], *units, "0"),
            [size, at, bytes, units, adjust] => ([*size, *at, *bytes], *units, *adjust),
            _ => return Err(wrong()),
        };
        let [size, at, bytes] = numbers.map(|n| n.parse::<usize>().ok().filter(|n| *n <= 1024));
        let units = match units {
            "big" => Units::Big,
            "little" => Units::Little,
            "digits" => Units::Digits { zero: if page.is_ebcdic() { 0xF0 } else { b'0' } },
            _ => return Err(wrong()),
        };
        let (Some(size), Some(at), Some(bytes), Ok(adjust)) = (size, at, bytes, adjust.parse())
        else {
            return Err(wrong());
        };
        if bytes == 0 || bytes > 8 || at + bytes > size {
            return Err(wrong());
        }
        Ok(Self { size, at, bytes, units, adjust, word: false })
    }

    /// Bytes of data after the header.
    pub(crate) fn length(&self, header: &[u8]) -> Result<usize, &'static str> {
        if self.word {
            return self.word_length(header);
        }
        let bytes = header.get(self.at..self.at + self.bytes).ok_or("no header")?;
        let mut value: i64 = 0;
        for at in 0..bytes.len() {
            let byte = match self.units {
                Units::Little => bytes.iter().rev().nth(at),
                _ => bytes.get(at),
            };
            let byte = byte.copied().unwrap_or(0);
            value = match self.units {
                Units::Digits { zero } => {
                    let digit = byte.wrapping_sub(zero);
                    if digit > 9 {
                        return Err("characters that are no digits");
                    }
                    value * 10 + i64::from(digit)
                }
                _ => {
                    value.checked_mul(256).ok_or("a length of more than 63 bits")? + i64::from(byte)
                }
            };
        }
        let length = value.checked_add(self.adjust).ok_or("a length of more than 63 bits")?;
        usize::try_from(length).map_err(|_| "a length below the least")
    }

    fn word_length(&self, header: &[u8]) -> Result<usize, &'static str> {
        let [a, b, c, d] = *header.first_chunk::<4>().ok_or("no header")?;
        let value = match self.units {
            Units::Little => match ([a, b], [c, d]) {
                // The whole word was turned round, or only the length.
                ([0, 0], high) => u16::from_le_bytes(high),
                (low, [0, 0]) => u16::from_le_bytes(low),
                _ => return Err("two bytes other than zero beside the length"),
            },
            _ if [c, d] != [0, 0] => {
                return Err(ascii_or("two bytes other than zero after the length", header));
            }
            _ => u16::from_be_bytes([a, b]),
        };
        let length = i64::from(value) + self.adjust;
        match usize::try_from(length) {
            Ok(length) if length > 0 || self.adjust != 0 => Ok(length),
            Ok(_) => Err("a length of zero"),
            Err(_) => Err("a length below that of the word itself"),
        }
    }
}

/// Binary data that went through a text transfer have line ends of the other world in them.
fn ascii_or(found: &'static str, header: &[u8]) -> &'static str {
    let text = header.iter().all(|b| matches!(b, 0x20..=0x7E | b'\r' | b'\n'));
    if text { "ASCII text: the file was transferred as text, or is no V file" } else { found }
}

/// The next record with its descriptor, in a block when there are any.
pub(super) fn next(
    descriptor: &Descriptor,
    blocks: bool,
    block_left: &mut u64,
    rest: &[u8],
    end: bool,
    limit: u64,
) -> Found {
    let (mut at, mut left) = (0, *block_left);
    if blocks && left == 0 {
        match block(rest) {
            Ok(Some(data)) => (at, left) = (4, data),
            Ok(None) => return Found::More,
            Err(found) => return lost(0, "a block descriptor word", found),
        }
    }
    let header = match rest.get(at..) {
        Some(header) if header.len() >= descriptor.size => header,
        Some(header) if end && at == 0 && super::fixed::is_fill(header) => return Found::Fill,
        _ => return Found::More,
    };
    let length = match descriptor.length(header) {
        Ok(length) if length as u64 <= limit => length,
        Ok(_) => return lost(at, "a record within the limit record", "a longer one"),
        Err(found) => return lost(at, "a descriptor with the length of the record", found),
    };
    let from = at + descriptor.size;
    let Some(to) = from.checked_add(length) else {
        return lost(at, "a record length", "an impossible one");
    };
    if blocks {
        let used = (to - at) as u64;
        if used > left {
            return lost(
                at,
                "a record within its block",
                "one that is longer than the rest of the block",
            );
        }
        if to <= rest.len() {
            *block_left = left - used;
        }
    }
    if to > rest.len() { Found::More } else { Found::Record { from, to, next: to } }
}

/// Bytes of data in the block whose descriptor word this is; `None`: more bytes are needed.
pub(super) fn block(rest: &[u8]) -> Result<Option<u64>, &'static str> {
    let Some(word) = rest.first_chunk::<4>() else { return Ok(None) };
    let word = u32::from_be_bytes(*word);
    let length = if word >> 31 == 1 {
        word & 0x7FFF_FFFF
    } else if word & 0xFFFF != 0 {
        return Err("two bytes other than zero after the length");
    } else {
        word >> 16
    };
    // A block holds at least one record descriptor word.
    if length < 8 { Err("a length below 8") } else { Ok(Some(u64::from(length) - 4)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_records_is_walked() {
        // z/OS DFSMS: BDW 13, RDW 9, HELLO.
        let block = [0, 0x0D, 0, 0, 0, 9, 0, 0, 0xC8, 0xC5, 0xD3, 0xD3, 0xD6];
        let mut left = 0;
        let found = next(&Descriptor::word(false, true), true, &mut left, &block, true, 1 << 20);
        assert_eq!(found, Found::Record { from: 8, to: 13, next: 13 });
        assert_eq!(left, 0);
    }

    #[test]
    fn hostile_lengths_are_refused() {
        let word = Descriptor::word(false, true);
        assert!(word.length(&[0, 3, 0, 0]).is_err());
        assert!(word.length(&[0, 9, 1, 0]).is_err());
        assert_eq!(
            word.length(b"ABCD"),
            Err("ASCII text: the file was transferred as text, or is no V file")
        );
        assert_eq!(Descriptor::word(true, false).length(&[0, 0, 0x40, 0]), Ok(64));
        assert!(Descriptor::digits(Encoding::US_ASCII).length(b"0003").is_err());
        let header = Descriptor::parse("6:2:2:little:-6", Encoding::US_ASCII).unwrap();
        assert_eq!(header.length(&[9, 9, 10, 0, 9, 9]), Ok(4));
    }
}
