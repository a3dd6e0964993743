//! Bytes of one field to text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::encoding::{Encoding, PrivateUse};
use crate::pages::Kind;
use crate::private_use::is_private_use;
use crate::{double, shifted, single, unicode};
use fenhe_kernels::Utf8Buf;

/// What to do with bytes that are no character. Spelt in options as `invalid=reject|replace|null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Invalid {
    /// The field is refused.
    #[default]
    Reject,
    /// U+FFFD stands in their place, and they are counted.
    Replace,
    /// The whole field counts as absent.
    Null,
}

/// What happened while a field was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Decoded {
    /// The field held bytes that are no character and the policy is [`Invalid::Null`]: nothing was written.
    pub null: bool,
    /// How often U+FFFD was written.
    pub replaced: usize,
    /// Mixed EBCDIC: the field ended between SO and SI, and that was tolerated.
    pub open_shift: bool,
    /// Private-use characters met. Counted by the multi-byte encodings only, where they are in use.
    pub private_use: usize,
}

/// Bytes that are no character. Neither this nor its text holds the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the field: {len} byte(s) are no character in {encoding}: {reason}")]
pub struct BadBytes {
    /// Byte offset within the field, from 0.
    pub at: usize,
    /// How many bytes make up what is wrong, at least 1.
    pub len: usize,
    /// What is wrong.
    pub reason: BadReason,
    /// The encoding the bytes were read as.
    pub encoding: Encoding,
}

/// Why bytes are no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BadReason {
    /// The field ends inside a character.
    #[error("the field ends inside a character (cut at a column boundary?)")]
    Truncated,
    /// No character begins with this byte.
    #[error("no character begins with this byte")]
    NotALead,
    /// The byte after a lead byte cannot follow one.
    #[error("the byte after the lead byte cannot follow it")]
    InvalidTrail,
    /// The code is well formed and stands for nothing.
    #[error("the code is well formed but stands for no character")]
    Unassigned,
    /// A four-byte code of GB 18030 in a field declared GBK.
    #[error("a four-byte code: this is GB 18030, not GBK (try encoding=gb18030)")]
    FourByteForm,
    /// A surrogate without its partner (UTF-16), or a surrogate code point (UTF-8, UTF-32).
    #[error("a surrogate without its partner")]
    Surrogate,
    /// A private-use character where they are refused.
    #[error("a private-use character, and these are refused")]
    PrivateUse,
    /// SO without SI or SI without SO in mixed EBCDIC.
    #[error("shift-out (0E) and shift-in (0F) do not balance within the field")]
    UnbalancedShift,
}

/// One character, or what is wrong, at the start of some bytes; with the number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Char(char, usize),
    /// Four codes of Big5 are a letter and a combining mark.
    Two(char, char, usize),
    Bad(usize, BadReason),
}

impl Encoding {
    /// Decode one field and append it to `out`.
    ///
    /// Strict: nothing is guessed and no U+FFFD is written unless `policy` says so. A byte order mark
    /// is not looked for: that belongs to the start of a file, not to a field. On an error, and when the
    /// field becomes null, `out` is as it was.
    ///
    /// # Errors
    /// [`BadBytes`] at the first bytes that are no character, under [`Invalid::Reject`].
    pub fn decode_into(
        self,
        bytes: &[u8],
        policy: Invalid,
        out: &mut Utf8Buf,
    ) -> Result<Decoded, BadBytes> {
        // The most common field by far, before anything else.
        let whole = matches!(self.kind(), Kind::Utf8) && self.private_use() == PrivateUse::Accept;
        if whole && out.push_utf8(bytes).is_ok() {
            return Ok(Decoded::default());
        }
        self.decode_field(bytes, policy, false, out)
    }

    /// As [`Encoding::decode_into`], but in mixed EBCDIC a field may end without the last SI, as programs
    /// write it that cut a field without looking; [`Decoded::open_shift`] tells.
    ///
    /// # Errors
    /// As [`Encoding::decode_into`].
    pub fn decode_tolerating_open_shift(
        self,
        bytes: &[u8],
        policy: Invalid,
        out: &mut Utf8Buf,
    ) -> Result<Decoded, BadBytes> {
        self.decode_field(bytes, policy, true, out)
    }

    /// Decode one field, strictly. Borrows where the bytes already are the text.
    ///
    /// # Errors
    /// [`BadBytes`] at the first bytes that are no character.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, BadBytes> {
        let same = match self.kind() {
            Kind::Utf8 => self.private_use() == PrivateUse::Accept,
            _ => bytes.is_ascii() && self.is_ascii_superset(),
        };
        if same && let Ok(text) = std::str::from_utf8(bytes) {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = Utf8Buf::default();
        let _ = self.decode_into(bytes, Invalid::Reject, &mut out)?;
        Ok(Cow::Owned(out.as_str().to_owned()))
    }

    fn decode_field(
        self,
        bytes: &[u8],
        policy: Invalid,
        open_shift: bool,
        out: &mut Utf8Buf,
    ) -> Result<Decoded, BadBytes> {
        let start = out.len();
        let mut sink = Sink { encoding: self, policy, open_shift, out, seen: Decoded::default() };
        match sink.field(bytes) {
            Ok(()) => Ok(sink.seen),
            Err(stop) => {
                // `start` was the length of the buffer, so it is a boundary.
                let _ = sink.out.truncate(start);
                match stop {
                    Stop::Null => Ok(Decoded { null: true, ..Decoded::default() }),
                    Stop::Bad(bad) => Err(bad),
                }
            }
        }
    }
}

/// Why the decoding of a field ended early.
enum Stop {
    Null,
    Bad(BadBytes),
}

/// Where the text of one field goes, and what is to be done with what is no text.
struct Sink<'a> {
    encoding: Encoding,
    policy: Invalid,
    /// Whether a field may end between SO and SI.
    open_shift: bool,
    out: &'a mut Utf8Buf,
    seen: Decoded,
}

impl Sink<'_> {
    fn field(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match self.encoding.kind() {
            Kind::Single(number) => self.single(bytes, number),
            Kind::Shifted { single, double } => self.shifted(bytes, single, double),
            kind => self.steps(bytes, kind),
        }
    }

    /// Whole runs by the fast road, and the character that stops it by itself.
    fn steps(&mut self, bytes: &[u8], kind: Kind) -> Result<(), Stop> {
        let tables = match kind {
            Kind::Double(family) => Some(double::tables(family)),
            _ => None,
        };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
            at += match (kind, tables) {
                (_, Some(t)) => {
                    self.out.push_double_byte(rest, &t.forward).err().unwrap_or(rest.len())
                }
                (Kind::Ascii, _) => {
                    self.valid_prefix(rest, rest.iter().position(|b| !b.is_ascii()))
                }
                (Kind::Utf8, _) if self.encoding.private_use() == PrivateUse::Accept => self
                    .valid_prefix(rest, std::str::from_utf8(rest).err().map(|e| e.valid_up_to())),
                _ => 0,
            };
            let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) else {
                break;
            };
            let step = match kind {
                Kind::Double(family) => double::step(family, rest),
                _ => unicode::step(kind, rest),
            };
            at += self.take(step, at)?;
        }
        Ok(())
    }

    fn single(&mut self, bytes: &[u8], number: u8) -> Result<(), Stop> {
        let Some(page) = single::page(number) else {
            return Ok(());
        };
        // The apple of the Macintosh pages is the only private-use character here: the slow road will do.
        if self.encoding.private_use() == PrivateUse::Refuse {
            for (at, &byte) in bytes.iter().enumerate() {
                let step = page
                    .decode(byte)
                    .map_or(Step::Bad(1, BadReason::Unassigned), |c| Step::Char(c, 1));
                self.take(step, at)?;
            }
            return Ok(());
        }
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
            let Err(good) = self.out.push_single_byte(rest, &page.table) else {
                break;
            };
            at += good;
            at += self.take(Step::Bad(1, BadReason::Unassigned), at)?;
        }
        Ok(())
    }

    /// Single bytes, and pairs between SO and SI. SO inside a double-byte run and SI outside one are errors,
    /// and so is a run that the field's end leaves open.
    fn shifted(&mut self, bytes: &[u8], single: u8, double: u8) -> Result<(), Stop> {
        let (Some(single), Some(double)) = (single::page(single), shifted::page(double)) else {
            return Ok(());
        };
        let mut at = 0;
        let mut opened = None;
        while let Some(&byte) = bytes.get(at) {
            let step = match (byte, opened) {
                (shifted::SO, None) | (shifted::SI, Some(_)) => {
                    opened = opened.is_none().then_some(at);
                    at += 1;
                    continue;
                }
                (shifted::SO | shifted::SI, _) => Step::Bad(1, BadReason::UnbalancedShift),
                (_, None) => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let run = rest
                        .iter()
                        .position(|&b| b == shifted::SO || b == shifted::SI)
                        .unwrap_or(rest.len());
                    let run = rest.get(..run).unwrap_or_default();
                    match self.out.push_single_byte(run, &single.table) {
                        Ok(()) => {
                            at += run.len();
                            continue;
                        }
                        Err(good) => {
                            at += good;
                            Step::Bad(1, BadReason::Unassigned)
                        }
                    }
                }
                (lead, Some(_)) => match bytes.get(at + 1) {
                    None | Some(&(shifted::SO | shifted::SI)) => Step::Bad(1, BadReason::Truncated),
                    Some(&trail) => match double.decode(lead, trail) {
                        Some(c) => Step::Char(c, 2),
                        None => Step::Bad(2, BadReason::Unassigned),
                    },
                },
            };
            at += self.take(step, at)?;
        }
        match opened {
            Some(_) if self.open_shift => self.seen.open_shift = true,
            Some(so) => {
                self.bad(so, bytes.len() - so, BadReason::UnbalancedShift)?;
            }
            None => {}
        }
        Ok(())
    }

    /// Append the bytes before `bad` (all, if there is none), known to be good.
    fn valid_prefix(&mut self, bytes: &[u8], bad: Option<usize>) -> usize {
        let good = bad.unwrap_or(bytes.len());
        match bytes.get(..good).map(|b| self.out.push_utf8(b)) {
            Some(Ok(())) => good,
            _ => 0,
        }
    }

    /// Append what a step found; the number of bytes it took.
    fn take(&mut self, step: Step, at: usize) -> Result<usize, Stop> {
        match step {
            Step::Char(c, len) if is_private_use(c) => {
                if self.encoding.refuses(c) {
                    return self.bad(at, len, BadReason::PrivateUse);
                }
                self.seen.private_use += 1;
                self.out.push_char(c);
                Ok(len)
            }
            Step::Char(c, len) => {
                self.out.push_char(c);
                Ok(len)
            }
            Step::Two(c, d, len) => {
                self.out.push_char(c);
                self.out.push_char(d);
                Ok(len)
            }
            Step::Bad(len, reason) => self.bad(at, len, reason),
        }
    }

    #[cold]
    fn bad(&mut self, at: usize, len: usize, reason: BadReason) -> Result<usize, Stop> {
        match self.policy {
            Invalid::Reject => {
                Err(Stop::Bad(BadBytes { at, len, reason, encoding: self.encoding }))
            }
            Invalid::Null => Err(Stop::Null),
            Invalid::Replace => {
                self.seen.replaced += 1;
                self.out.push_char(char::REPLACEMENT_CHARACTER);
                Ok(len)
            }
        }
    }
}
