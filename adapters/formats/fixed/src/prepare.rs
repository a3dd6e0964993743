//! Bytes of a field made ready for the value readers: padding taken away, signs brought to the front, EBCDIC digits to ASCII.

use std::borrow::Cow;

use arrow_schema::DataType;
use fenhe_text::Encoding;
use fenhe_values::{Spans, Trim};

use crate::layout::{FieldLayout, Justify, Sign};

/// What has to be done to a field before it is read.
#[derive(Clone, Debug)]
pub(crate) enum Prepare {
    /// It can be read as it stands.
    Nothing,
    /// It gets shorter.
    Trim(Trimmer),
    /// It is spelled anew.
    Rewrite(Rewrite),
}

/// Takes padding away.
#[derive(Clone, Debug)]
pub(crate) struct Trimmer {
    start: bool,
    end: bool,
    pads: Vec<Vec<u8>>,
    /// Leave out half a character at the end.
    drop_cut: Option<Encoding>,
    blanks: Trim,
}

/// Spells a number in ASCII with its sign in front.
#[derive(Clone, Debug)]
pub(crate) struct Rewrite {
    sign: Sign,
    table: Option<Box<[u8; 256]>>,
    trimmer: Option<Trimmer>,
}

/// Stands for a byte that is no digit, sign or letter: no reader accepts it.
const BAD: u8 = 0x1A;

impl Prepare {
    pub(crate) fn new(encoding: Encoding, field: &FieldLayout, drop_cut: bool) -> Self {
        let ascii = encoding.is_ascii_superset();
        let text = field.spec.data_type == DataType::Utf8;
        let trimmer = Trimmer::new(encoding, field, drop_cut);
        let rewrites = field.sign.is_overpunch() || field.sign == Sign::None || (!ascii && !text);
        if rewrites {
            let table = (!ascii).then(|| to_ascii(encoding));
            return Self::Rewrite(Rewrite { sign: field.sign, table, trimmer });
        }
        trimmer.map_or(Self::Nothing, Self::Trim)
    }

    /// One field, as the readers of the values get to see it.
    pub(crate) fn one<'f>(&self, field: &'f [u8]) -> Cow<'f, [u8]> {
        match self {
            Self::Nothing => field.into(),
            Self::Trim(trimmer) => trimmer.apply(field).into(),
            Self::Rewrite(rewrite) => {
                let mut out = vec![b' '; Rewrite::stride(field.len())];
                rewrite.one(field, &mut out);
                out.into()
            }
        }
    }
}

impl Trimmer {
    fn new(encoding: Encoding, field: &FieldLayout, drop_cut: bool) -> Option<Self> {
        let ascii = encoding.is_ascii_superset();
        let blanks = if ascii { Trim::NONE } else { field.spec.spelling.trim };
        let own = field.trim_pad || drop_cut || blanks != Trim::NONE;
        if !own {
            return None;
        }
        let mut pads = Vec::new();
        if field.trim_pad {
            // The rest of a field that no whole pad character fits into is filled with blanks.
            pads.push(encoding.encode(&field.pad.to_string()).unwrap_or_default());
            if pads.iter().any(|p| p.len() > 1) {
                pads.push(encoding.blank().to_vec());
            }
        }
        if !ascii && blanks != Trim::NONE {
            pads.push(encoding.blank().to_vec());
        }
        pads.retain(|p| !p.is_empty());
        let side = |justify| field.trim_pad && field.justify == justify;
        Some(Self {
            start: side(Justify::Right) || blanks.start,
            end: side(Justify::Left) || blanks.end,
            pads,
            drop_cut: drop_cut.then_some(encoding),
            blanks: if drop_cut { field.spec.spelling.trim } else { Trim::NONE },
        })
    }

    fn apply<'f>(&self, mut field: &'f [u8]) -> &'f [u8] {
        if let Some(encoding) = self.drop_cut.filter(|_| !field.is_ascii()) {
            let keep = field.len().saturating_sub(encoding.incomplete_tail(field));
            field = field.get(..keep).unwrap_or(field);
            field = self.blanks.apply(field);
        }
        while let Some(rest) = self
            .end
            .then(|| self.pads.iter().find_map(|p| field.strip_suffix(p.as_slice())))
            .flatten()
        {
            field = rest;
        }
        while let Some(rest) = self
            .start
            .then(|| self.pads.iter().find_map(|p| field.strip_prefix(p.as_slice())))
            .flatten()
        {
            field = rest;
        }
        field
    }

    /// The same for a list of fields in a window.
    pub(crate) fn spans(&self, window: &[u8], starts: &mut [u32], ends: &mut [u32]) {
        for (start, end) in starts.iter_mut().zip(ends) {
            let Some(field) = window.get(*start as usize..*end as usize) else { continue };
            let kept = self.apply(field);
            let before = kept.as_ptr().addr().saturating_sub(field.as_ptr().addr());
            *start = start.saturating_add(u32::try_from(before).unwrap_or(0));
            *end = start.saturating_add(u32::try_from(kept.len()).unwrap_or(0));
        }
    }
}

impl Rewrite {
    /// Bytes that a rewritten field of this length takes: one more, for the sign.
    pub(crate) fn stride(length: usize) -> usize {
        length.saturating_add(1)
    }

    /// Rewrites a column of a block into `out`, `stride` bytes a record. A field that is not there becomes blanks.
    pub(crate) fn block(&self, window: &[u8], spans: Spans<'_>, stride: usize, out: &mut Vec<u8>) {
        out.clear();
        out.resize(spans.rows().saturating_mul(stride), b' ');
        for (row, target) in out.chunks_exact_mut(stride.max(1)).enumerate() {
            if let Some(field) = spans.field(window, row) {
                self.one(field, target);
            }
        }
    }

    /// Rewrites one field into `target`, which is blank and one byte longer.
    fn one(&self, field: &[u8], target: &mut [u8]) {
        let field = self.trimmer.as_ref().map_or(field, |t| t.apply(field));
        let Some(digits) = target.get_mut(1..=field.len()) else { return };
        digits.copy_from_slice(field);
        if let Some(table) = &self.table {
            digits.iter_mut().for_each(|b| *b = table.get(usize::from(*b)).copied().unwrap_or(BAD));
        }
        if digits.iter().all(|b| *b == b' ') {
            return;
        }
        let negative = match self.sign {
            Sign::Overpunch => punched(digits.last_mut(), micro_focus),
            Sign::OverpunchLeading => punched(digits.first_mut(), micro_focus),
            Sign::OverpunchEbcdic => punched(digits.last_mut(), ebcdic),
            Sign::OverpunchEbcdicLeading => punched(digits.first_mut(), ebcdic),
            Sign::None => {
                digits.iter_mut().filter(|b| matches!(b, b'-' | b'+')).for_each(|b| *b = BAD);
                false
            }
            Sign::Leading | Sign::Trailing | Sign::LeadingSeparate | Sign::TrailingSeparate => {
                false
            }
        };
        if let (true, Some(sign)) = (negative, target.first_mut()) {
            *sign = b'-';
        }
    }
}

/// Replaces a digit that carries a sign by the digit; says whether the sign is minus.
fn punched(byte: Option<&mut u8>, read: fn(u8) -> Option<(u8, bool)>) -> bool {
    let Some(byte) = byte else { return false };
    match read(*byte) {
        Some((digit, negative)) => {
            *byte = digit;
            negative
        }
        None => {
            *byte = BAD;
            false
        }
    }
}

/// Micro Focus and GnuCOBOL on ASCII machines: minus sets bit 6 of the last digit (30 to 39 become 70 to 79).
fn micro_focus(byte: u8) -> Option<(u8, bool)> {
    match byte {
        b'0'..=b'9' => Some((byte, false)),
        b'p'..=b'y' => Some((byte - b'p' + b'0', true)),
        _ => None,
    }
}

/// EBCDIC zones C and D as they read in ASCII; zone F is unsigned.
fn ebcdic(byte: u8) -> Option<(u8, bool)> {
    match byte {
        b'0'..=b'9' => Some((byte, false)),
        b'{' => Some((b'0', false)),
        b'A'..=b'I' => Some((byte - b'A' + b'1', false)),
        b'}' => Some((b'0', true)),
        b'J'..=b'R' => Some((byte - b'J' + b'1', true)),
        _ => None,
    }
}

/// The digit that carries a sign, for writing: the inverse of the two above.
pub(crate) fn punch(sign: Sign, digit: u8, negative: bool) -> u8 {
    match (sign, negative) {
        (Sign::Overpunch | Sign::OverpunchLeading, false) => digit,
        (Sign::Overpunch | Sign::OverpunchLeading, true) => digit - b'0' + b'p',
        (_, false) if digit == b'0' => b'{',
        (_, false) => digit - b'1' + b'A',
        (_, true) if digit == b'0' => b'}',
        (_, true) => digit - b'1' + b'J',
    }
}

/// Each byte of a code page as ASCII, or [`BAD`].
fn to_ascii(encoding: Encoding) -> Box<[u8; 256]> {
    let mut table = Box::new([BAD; 256]);
    for (byte, slot) in (0..=u8::MAX).zip(table.iter_mut()) {
        if let Ok(text) = encoding.decode(&[byte])
            && let [ascii] = text.as_bytes()
        {
            *slot = *ascii;
        }
    }
    table
}
