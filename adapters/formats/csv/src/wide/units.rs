//! Units of UTF-16 to bytes of UTF-8 and back, one to one: a surrogate without its other half becomes the three bytes that
//! stand for its number, which no reader takes for a character, so its record is refused and the others are not.

use fenhe_text::Encoding;

/// What no text holds: a byte that was left over at the end.
const LEFT_OVER: u8 = 0xFF;

/// Transcodes a stream, however it is cut.
#[derive(Debug)]
pub(super) struct Units {
    big: bool,
    odd: Option<u8>,
    high: Option<u16>,
}

impl Units {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { big: encoding == Encoding::UTF_16BE, odd: None, high: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        let mut rest = bytes;
        if let (Some(odd), [first, behind @ ..]) = (self.odd, rest) {
            self.odd = None;
            self.unit([odd, *first], text);
            rest = behind;
        }
        let (pairs, left) = rest.as_chunks::<2>();
        pairs.iter().for_each(|pair| self.unit(*pair, text));
        if let [odd] = left {
            self.odd = Some(*odd);
        }
    }

    /// The stream is over.
    pub(super) fn end(&mut self, text: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            three(high, text);
        }
        if self.odd.take().is_some() {
            text.push(LEFT_OVER);
        }
    }

    #[inline]
    fn unit(&mut self, pair: [u8; 2], text: &mut Vec<u8>) {
        let unit = if self.big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
        if let Some(high) = self.high.take() {
            if let Some(Ok(c)) = char::decode_utf16([high, unit]).next() {
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return;
            }
            three(high, text);
        }
        match unit {
            0..0x80 => text.push(unit.to_le_bytes()[0]),
            0xD800..0xDC00 => self.high = Some(unit),
            0xDC00..0xE000 => three(unit, text),
            _ => match char::from_u32(u32::from(unit)) {
                Some(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => three(unit, text),
            },
        }
    }
}

/// The text as it stands in the source. A character cut at the end is left out.
pub(super) fn in_source(encoding: Encoding, text: &[u8]) -> Vec<u8> {
    let big = encoding == Encoding::UTF_16BE;
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut put = |unit: u16| {
        out.extend_from_slice(&if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    };
    let low = |byte: u8| u32::from(byte & 0x3F);
    let mut rest = text;
    loop {
        let number;
        (number, rest) = match rest {
            [a @ 0..0x80, rest @ ..] => (u32::from(*a), rest),
            [a @ 0xC0..0xE0, b, rest @ ..] => (u32::from(a & 0x1F) << 6 | low(*b), rest),
            [a @ 0xE0..0xF0, b, c, rest @ ..] => {
                (u32::from(a & 0xF) << 12 | low(*b) << 6 | low(*c), rest)
            }
            [a @ 0xF0..0xF8, b, c, d, rest @ ..] => {
                (u32::from(a & 7) << 18 | low(*b) << 12 | low(*c) << 6 | low(*d), rest)
            }
            _ => return out,
        };
        match (u16::try_from(number), char::from_u32(number)) {
            (Ok(unit), _) => put(unit),
            (Err(_), Some(c)) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| put(*unit)),
            (Err(_), None) => {}
        }
    }
}

/// Units that some text has in the source.
pub(super) fn count(text: &[u8]) -> u64 {
    let of = |byte: &u8| match byte {
        0x80..0xC0 => 0_u64,
        0xF0..0xF8 => 2,
        _ => 1,
    };
    text.iter().map(of).sum()
}

fn three(unit: u16, text: &mut Vec<u8>) {
    let [high, low] = unit.to_be_bytes();
    text.extend_from_slice(&[
        0xE0 | high >> 4,
        0x80 | (high & 0xF) << 2 | low >> 6,
        0x80 | low & 0x3F,
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_back_whatever_they_are_and_however_they_are_cut() {
        // a, 中, U+20087 as a pair, a high and a low surrogate alone, b and c behind them.
        let all = [0x61, 0x4E2D, 0xD840, 0xDC87, 0xD800, 0x62, 0xDFFF, 0x63_u16];
        for encoding in [Encoding::UTF_16LE, Encoding::UTF_16BE] {
            let big = encoding == Encoding::UTF_16BE;
            let bytes: Vec<u8> = all
                .iter()
                .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
                .collect();
            for size in 1..=bytes.len() {
                let (mut units, mut text) = (Units::new(encoding), Vec::new());
                bytes.chunks(size).for_each(|chunk| units.push(chunk, &mut text));
                units.end(&mut text);
                assert_eq!(in_source(encoding, &text), bytes, "{size}");
                assert_eq!(count(&text), all.len() as u64);
                assert!(std::str::from_utf8(&text).is_err());
                assert!(text.starts_with("a中\u{20087}".as_bytes()));
            }
        }
    }
}
