//! Numbers in the declared spelling.

use arrow_buffer::i256;

use crate::fault::FaultKind;
use crate::format::{self, DIGITS};
use crate::spec::{NumberSpelling, SignStyle};

/// Puts marks, signs and affixes around digits.
#[derive(Clone, Debug)]
pub(super) struct NumberWriter {
    spelling: NumberSpelling,
    plain: bool,
    thousands: Vec<u8>,
    prefix: Vec<u8>,
    suffix: Vec<u8>,
}

impl NumberWriter {
    pub(super) fn new(
        spelling: &NumberSpelling,
        encode: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let first = |words: &[String]| match words.first() {
            Some(word) => {
                encode(word).ok_or_else(|| "an affix that the code page cannot spell".to_owned())
            }
            None => Ok(Vec::new()),
        };
        let thousands = match spelling.thousands {
            Some(mark) => encode(mark.encode_utf8(&mut [0; 4]))
                .ok_or("the code page has no such thousands mark")?,
            None => Vec::new(),
        };
        // Full-width digits are read, but the ones written are plain.
        let plain = NumberSpelling { full_width: false, ..spelling.clone() }.is_plain();
        let (prefix, suffix) = (first(&spelling.prefixes)?, first(&spelling.suffixes)?);
        Ok(Self { spelling: spelling.clone(), plain, thousands, prefix, suffix })
    }

    pub(super) fn int(&self, value: i64, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        if self.plain {
            format::int(value, out);
            return Ok(());
        }
        self.decimal(value.into(), 0, out)
    }

    pub(super) fn decimal(
        &self,
        value: i128,
        scale: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), FaultKind> {
        if self.plain {
            format::decimal(value, scale, out);
            return Ok(());
        }
        let mut buffer = [0; DIGITS];
        let digits = format::digits(value.unsigned_abs(), usize::from(scale) + 1, &mut buffer);
        self.dress(value < 0, digits, usize::from(scale), out)
    }

    pub(super) fn decimal256(
        &self,
        value: i256,
        scale: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), FaultKind> {
        if self.plain {
            format::decimal256(value, scale, out);
            return Ok(());
        }
        let mut buffer = [0; DIGITS];
        let digits = format::wide_digits(value, usize::from(scale) + 1, &mut buffer);
        self.dress(value.is_negative(), digits, usize::from(scale), out)
    }

    pub(super) fn float(&self, value: f64, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        if self.plain {
            return format::float(value, out);
        }
        if !value.is_finite() {
            return Err(FaultKind::NotANumber);
        }
        self.dress_text(&value.to_string(), out)
    }

    pub(super) fn float32(&self, value: f32, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        if self.plain {
            return format::float32(value, out);
        }
        if !value.is_finite() {
            return Err(FaultKind::NotANumber);
        }
        self.dress_text(&value.to_string(), out)
    }

    /// A plain number with a spelling other than plain: rare, so it may allocate.
    fn dress_text(&self, text: &str, out: &mut Vec<u8>) -> Result<(), FaultKind> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = [whole, fraction].concat();
        self.dress(unsigned.len() < text.len(), digits.as_bytes(), fraction.len(), out)
    }

    /// `digits` has at least one digit more than `fraction`.
    fn dress(
        &self,
        negative: bool,
        digits: &[u8],
        fraction: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), FaultKind> {
        self.front(negative, out);
        if let Some(implied) = self.spelling.implied {
            implied_digits(digits, fraction, usize::from(implied), out)?;
        } else {
            self.marked_digits(digits, fraction, out);
        }
        if self.spelling.percent {
            out.push(b'%');
        }
        let style = self.spelling.sign;
        match style {
            SignStyle::Trailing if negative => out.push(b'-'),
            SignStyle::Trailing if self.spelling.plus => out.push(b'+'),
            SignStyle::Parentheses if negative => {
                out.extend_from_slice(&self.suffix);
                out.push(b')');
                return Ok(());
            }
            SignStyle::Credit | SignStyle::CreditOrDebit if negative => {
                out.extend_from_slice(b"CR")
            }
            _ => {}
        }
        out.extend_from_slice(&self.suffix);
        Ok(())
    }

    fn front(&self, negative: bool, out: &mut Vec<u8>) {
        match (self.spelling.sign, negative) {
            (SignStyle::Leading, true) => out.push(b'-'),
            (SignStyle::Parentheses, true) => out.push(b'('),
            (SignStyle::Leading | SignStyle::Parentheses, false) if self.spelling.plus => {
                out.push(b'+')
            }
            _ => {}
        }
        out.extend_from_slice(&self.prefix);
    }

    fn marked_digits(&self, digits: &[u8], fraction: usize, out: &mut Vec<u8>) {
        // The hundredfold has its mark two digits further on.
        let shift = if self.spelling.percent { 2 } else { 0 };
        let padding = shift - fraction.min(shift);
        let fraction = fraction + padding - shift;
        let all = digits.iter().copied().chain(std::iter::repeat_n(b'0', padding));
        let whole = digits.len() + padding - fraction;
        // A shifted mark leaves zeros in front: `0.05` is `005` per cent.
        let leading =
            digits.iter().take(whole.saturating_sub(1)).take_while(|b| **b == b'0').count();
        for (at, digit) in all.enumerate().skip(leading) {
            if at == whole {
                out.extend(u8::try_from(self.spelling.decimal_mark));
            } else if at > leading && at < whole && (whole - at).is_multiple_of(3) {
                out.extend_from_slice(&self.thousands);
            }
            out.push(digit);
        }
    }
}

/// Digits whose mark is not written. What does not fit must be zeros.
fn implied_digits(
    digits: &[u8],
    fraction: usize,
    implied: usize,
    out: &mut Vec<u8>,
) -> Result<(), FaultKind> {
    let extra = fraction.saturating_sub(implied);
    let (kept, dropped) = digits.split_at(digits.len() - extra.min(digits.len()));
    if dropped.iter().any(|b| *b != b'0') {
        return Err(FaultKind::TooManyFractionDigits);
    }
    let padding = implied.saturating_sub(fraction);
    let leading = kept
        .iter()
        .take((kept.len() + padding).saturating_sub(1))
        .take_while(|b| **b == b'0')
        .count();
    let start = leading.min(kept.len().saturating_sub(1));
    out.extend_from_slice(kept.get(start..).unwrap_or_default());
    out.extend(std::iter::repeat_n(b'0', padding));
    Ok(())
}
