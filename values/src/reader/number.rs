//! Numbers in any declared spelling, rewritten to the plain one.

use crate::fault::FaultKind;
use crate::parse::{self, Scaled};
use crate::spec::{NumberSpelling, SignStyle};

/// Longer spellings of numbers are not numbers: 76 digits with groups, signs and a currency stay far below.
const LONGEST: usize = 160;

/// Rewrites numbers to `-12.50` on the stack.
#[derive(Clone, Debug)]
pub(crate) struct NumberReader {
    spelling: NumberSpelling,
    plain: bool,
    only_implied: Option<u8>,
    decimal_mark: u8,
    thousands: Vec<u8>,
    prefixes: Vec<Vec<u8>>,
    suffixes: Vec<Vec<u8>>,
    /// Full-width characters and the plain ones they stand for.
    full_width: Vec<(Vec<u8>, u8)>,
}

/// The plain spelling and how many digits its decimal mark has still to move.
struct Plain {
    bytes: [u8; LONGEST],
    length: usize,
    shift: usize,
}

impl NumberReader {
    pub(crate) fn new(
        spelling: &NumberSpelling,
        encode: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let decimal_mark = match spelling.decimal_mark {
            '.' => b'.',
            ',' => b',',
            other => return Err(format!("the decimal mark is `.` or `,`, not `{other}`")),
        };
        if let Some(mark) = spelling.thousands {
            if !matches!(mark, ',' | '.' | ' ' | '\u{A0}' | '\u{202F}' | '\'') {
                return Err(format!("`{mark}` is no mark between groups of digits"));
            }
            if mark == spelling.decimal_mark {
                return Err("the decimal mark and the thousands mark are the same".to_owned());
            }
        }
        if spelling.implied.is_some() && spelling.percent {
            return Err("implied decimals and percent exclude each other".to_owned());
        }
        let encode_all = |words: &[String]| {
            let encoded = words.iter().map(|w| encode(w).filter(|b| !b.is_empty()));
            encoded
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| "an affix that the code page cannot spell".to_owned())
        };
        let thousands = match spelling.thousands {
            Some(mark) => encode(mark.encode_utf8(&mut [0; 4]))
                .ok_or("the code page has no such thousands mark")?,
            None => Vec::new(),
        };
        Ok(Self {
            plain: spelling.is_plain(),
            only_implied: spelling
                .implied
                .filter(|_| NumberSpelling { implied: None, ..spelling.clone() }.is_plain()),
            decimal_mark,
            thousands,
            prefixes: encode_all(&spelling.prefixes)?,
            suffixes: encode_all(&spelling.suffixes)?,
            full_width: if spelling.full_width { full_width(encode) } else { Vec::new() },
            spelling: spelling.clone(),
        })
    }

    /// Whether fields are in the plain spelling already.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// The number of implied decimals, when nothing else is unusual.
    #[inline]
    pub(crate) fn only_implied(&self) -> Option<u8> {
        self.only_implied
    }

    pub(crate) fn decimal(
        &self,
        bytes: &[u8],
        precision: u8,
        scale: u8,
    ) -> Result<i128, FaultKind> {
        let plain = self.rewrite(bytes)?;
        let read = parse::scaled(plain.as_bytes())?;
        let fraction = read.fraction + plain.shift;
        parse::rescale(Scaled { fraction, ..read }, precision, scale)
    }

    pub(crate) fn decimal256(
        &self,
        bytes: &[u8],
        precision: u8,
        scale: u8,
    ) -> Result<arrow_buffer::i256, FaultKind> {
        let plain = self.rewrite(bytes)?;
        let read = parse::scaled_wide(plain.as_bytes())?;
        let fraction = read.fraction + plain.shift;
        parse::rescale_wide(Scaled { fraction, ..read }, precision, scale)
    }

    /// A floating-point number by one of the plain readers.
    pub(crate) fn float<T>(
        &self,
        bytes: &[u8],
        read: impl Fn(&[u8]) -> Result<T, FaultKind>,
    ) -> Result<T, FaultKind> {
        if self.plain {
            return read(bytes);
        }
        let mut plain = self.rewrite(bytes)?;
        // The exponent lets the reader round once, from the exact number.
        let exponent = format!("e-{}", plain.shift);
        for byte in exponent.bytes() {
            plain.push(byte)?;
        }
        read(plain.as_bytes())
    }

    fn rewrite(&self, bytes: &[u8]) -> Result<Plain, FaultKind> {
        let mut narrow = Plain::new();
        let bytes = self.narrow(bytes, &mut narrow)?;
        let (negative, body) = self.split_affixes(bytes)?;
        let mut plain = Plain::new();
        if negative {
            plain.push(b'-')?;
        }
        self.digits(body, &mut plain)?;
        plain.shift = match self.spelling.implied {
            Some(digits) => usize::from(digits),
            None if self.spelling.percent => 2,
            None => 0,
        };
        Ok(plain)
    }

    /// Full-width characters to plain ones.
    fn narrow<'a>(&self, bytes: &'a [u8], buffer: &'a mut Plain) -> Result<&'a [u8], FaultKind> {
        if self.full_width.is_empty() || bytes.is_ascii() {
            return Ok(bytes);
        }
        let mut rest = bytes;
        while let Some((&first, after)) = rest.split_first() {
            let wide = self
                .full_width
                .iter()
                .find_map(|(wide, plain)| Some((*plain, rest.strip_prefix(wide.as_slice())?)));
            let (byte, after) = wide.unwrap_or((first, after));
            buffer.push(byte)?;
            rest = after;
        }
        Ok(buffer.as_bytes())
    }

    /// Takes away the sign, currency, unit and percent sign; what is left is digits and marks.
    fn split_affixes<'a>(&self, bytes: &'a [u8]) -> Result<(bool, &'a [u8]), FaultKind> {
        let mut body = bytes.trim_ascii();
        let mut sign = None;
        let style = self.spelling.sign;
        if style == SignStyle::Parentheses
            && let [b'(', inside @ .., b')'] = body
        {
            (sign, body) = (Some(true), inside.trim_ascii());
        }
        let leading = matches!(style, SignStyle::Leading | SignStyle::Parentheses);
        // The sign may stand before or after the currency: `-¥12`, `¥-12`.
        (sign, body) = take_leading(sign, body, leading);
        if let Some(rest) = self.prefixes.iter().find_map(|p| body.strip_prefix(p.as_slice())) {
            (sign, body) = take_leading(sign, rest.trim_ascii_start(), leading);
        }
        let mut suffixed = false;
        for _ in 0..2 {
            if !suffixed
                && let Some(rest) =
                    self.suffixes.iter().find_map(|s| body.strip_suffix(s.as_slice()))
            {
                (suffixed, body) = (true, rest.trim_ascii_end());
            }
            (sign, body) = take_trailing(sign, body, style);
        }
        if self.spelling.percent {
            body = body.strip_suffix(b"%").ok_or(FaultKind::NotANumber)?.trim_ascii_end();
        }
        Ok((sign.unwrap_or(false), body))
    }

    /// Digits with groups and a decimal mark, to digits and a point.
    fn digits(&self, body: &[u8], plain: &mut Plain) -> Result<(), FaultKind> {
        let (whole, fraction) = match body.iter().position(|b| *b == self.decimal_mark) {
            Some(_) if self.spelling.implied.is_some() => return Err(FaultKind::NotANumber),
            Some(at) => (body.get(..at).unwrap_or_default(), body.get(at + 1..)),
            None => (body, None),
        };
        let mut rest = whole;
        let mut group = 0;
        let mut grouped = false;
        while let Some((&byte, after)) = rest.split_first() {
            if byte.is_ascii_digit() {
                plain.push(byte)?;
                group += 1;
                rest = after;
            } else if let Some(after) =
                rest.strip_prefix(self.thousands.as_slice()).filter(|_| !self.thousands.is_empty())
            {
                if group == 0 || group > 3 || (grouped && group != 3) {
                    return Err(FaultKind::NotANumber);
                }
                (group, grouped, rest) = (0, true, after);
            } else {
                return Err(FaultKind::NotANumber);
            }
        }
        if grouped && group != 3 {
            return Err(FaultKind::NotANumber);
        }
        let Some(fraction) = fraction else { return Ok(()) };
        plain.push(b'.')?;
        for &byte in fraction {
            if !byte.is_ascii_digit() {
                return Err(FaultKind::NotANumber);
            }
            plain.push(byte)?;
        }
        Ok(())
    }
}

impl Plain {
    fn new() -> Self {
        Self { bytes: [0; LONGEST], length: 0, shift: 0 }
    }

    fn push(&mut self, byte: u8) -> Result<(), FaultKind> {
        *self.bytes.get_mut(self.length).ok_or(FaultKind::NotANumber)? = byte;
        self.length += 1;
        Ok(())
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn take_leading(sign: Option<bool>, body: &[u8], allowed: bool) -> (Option<bool>, &[u8]) {
    match body {
        [b'-', rest @ ..] if allowed && sign.is_none() => (Some(true), rest.trim_ascii_start()),
        [b'+', rest @ ..] if allowed && sign.is_none() => (Some(false), rest.trim_ascii_start()),
        _ => (sign, body),
    }
}

fn take_trailing(sign: Option<bool>, body: &[u8], style: SignStyle) -> (Option<bool>, &[u8]) {
    if sign.is_some() {
        return (sign, body);
    }
    let (negative, rest) = match (style, body) {
        (SignStyle::Trailing, [rest @ .., b'-']) => (true, rest),
        (SignStyle::Trailing, [rest @ .., b'+']) => (false, rest),
        (SignStyle::Credit | SignStyle::CreditOrDebit, [rest @ .., b'C' | b'c', b'R' | b'r']) => {
            (true, rest)
        }
        (SignStyle::Credit, [rest @ .., b'D' | b'd', b'B' | b'b' | b'R' | b'r']) => (false, rest),
        (SignStyle::CreditOrDebit, [rest @ .., b'D' | b'd', b'B' | b'b']) => (true, rest),
        _ => return (sign, body),
    };
    (Some(negative), rest.trim_ascii_end())
}

fn full_width(encode: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<(Vec<u8>, u8)> {
    let pairs = "０0１1２2３3４4５5６6７7８8９9．.，,－-＋+％%（(）)　 ";
    let mut out = Vec::new();
    let mut letters = pairs.chars();
    while let (Some(wide), Some(plain)) = (letters.next(), letters.next()) {
        if let (Some(bytes), Ok(plain)) =
            (encode(wide.encode_utf8(&mut [0; 4])), u8::try_from(plain))
        {
            out.push((bytes, plain));
        }
    }
    out
}
