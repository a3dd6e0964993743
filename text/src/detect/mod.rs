//! Guessing an encoding, with reasons a person can follow.

mod cjk;
mod ebcdic;
mod frequent;
mod wide;

use fenhe_kernels::Utf8Buf;

use crate::decode::Step;
use crate::encoding::Encoding;
use crate::pages::{Family, Kind};
use crate::{double, unicode};

/// What a sample looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The best guess.
    pub encoding: Encoding,
    /// From 0 (a mere default) to 1 (a byte order mark, or nothing but ASCII).
    pub confidence: f32,
    /// One sentence for each thing found, the decisive ones first. Never holds text of the sample.
    pub evidence: Vec<String>,
    /// Bytes of the byte order mark at the start, to be skipped; 0 without one.
    pub bom_len: usize,
    /// Other readings that cannot be ruled out, the more likely first.
    pub alternatives: Vec<Encoding>,
    /// The hint was given and the sample speaks against it.
    pub contradicts_hint: bool,
}

/// Look at a sample (its first 256 KiB), which may end inside a character but must begin at the start of one.
///
/// The order is fixed: byte order mark; UTF-16 and UTF-32 by their NUL bytes; nothing but ASCII;
/// UTF-8, with broken places if they are few; EBCDIC by its blanks, digits and letters; then the multi-byte encodings of East Asia by
/// validity and frequent characters, with `chardetng` as one voice among these. `hint` is what a
/// header or a person declared; a sample that allows it keeps it, and one that does not says so.
///
/// ```
/// use fenhe_text::{Encoding, detect};
/// let found = detect("姓名,住址\n王小明,北京市".as_bytes(), None);
/// assert_eq!(found.encoding, Encoding::UTF_8);
/// ```
#[must_use]
pub fn detect(sample: &[u8], hint: Option<Encoding>) -> Detection {
    let sample = sample.get(..LOOKED_AT).unwrap_or(sample);
    let mut found = guess(sample, hint);
    if let Some(hint) = hint {
        weigh_hint(&mut found, hint, sample);
    }
    found.alternatives.retain(|&a| a != found.encoding);
    found
}

impl Detection {
    fn new(encoding: Encoding, confidence: f32, why: String) -> Self {
        Self {
            encoding,
            confidence,
            evidence: vec![why],
            bom_len: 0,
            alternatives: Vec::new(),
            contradicts_hint: false,
        }
    }

    fn or(mut self, others: &[Encoding]) -> Self {
        self.alternatives.extend_from_slice(others);
        self
    }

    fn because(mut self, why: impl Into<String>) -> Self {
        self.evidence.push(why.into());
        self
    }
}

/// More of a sample than this is not looked at: it would not change the guess.
const LOOKED_AT: usize = 1 << 18;

fn guess(sample: &[u8], hint: Option<Encoding>) -> Detection {
    if sample.is_empty() {
        let why = "the sample is empty: nothing speaks for or against any encoding".to_owned();
        return Detection::new(hint.unwrap_or(Encoding::UTF_8), 0.0, why);
    }
    by_mark(sample)
        .or_else(|| wide::by_nul_bytes(sample))
        .or_else(|| only_ascii(sample, hint))
        .or_else(|| by_utf8(sample))
        .or_else(|| by_broken_utf8(sample))
        .or_else(|| ebcdic::by_ranges(sample, hint))
        .unwrap_or_else(|| unless_lone(sample, cjk::by_frequency(sample)))
}

/// Byte order marks; four bytes before two, because FF FE 00 00 begins with FF FE.
fn by_mark(sample: &[u8]) -> Option<Detection> {
    const MARKED: [Encoding; 6] = [
        Encoding::UTF_8,
        Encoding::UTF_32LE,
        Encoding::UTF_32BE,
        Encoding::UTF_16LE,
        Encoding::UTF_16BE,
        Encoding::GB18030,
    ];
    let encoding = MARKED.into_iter().find(|e| sample.starts_with(e.bom()))?;
    let mark = encoding.bom();
    let errors = survey(encoding, sample.get(mark.len()..).unwrap_or_default());
    let why =
        format!("the sample begins with the byte order mark of {encoding} ({} bytes)", mark.len());
    let mut found = Detection::new(encoding, 1.0, why);
    found.bom_len = mark.len();
    if let Some(at) = errors.first {
        found.confidence = 0.5;
        found = found.because(format!(
            "but what follows is not valid {encoding}: first at byte {}",
            at + mark.len()
        ));
    }
    Some(found)
}

fn only_ascii(sample: &[u8], hint: Option<Encoding>) -> Option<Detection> {
    if !sample.is_ascii() {
        return None;
    }
    // In EBCDIC, bytes below 80 are blanks, punctuation and controls: text has letters as well.
    let blanks = sample.iter().filter(|&&b| b == 0x40).count();
    if blanks * 2 > sample.len() {
        return None;
    }
    let encoding = hint.filter(|h| h.is_ascii_superset()).unwrap_or(Encoding::UTF_8);
    let why = format!(
        "all {} bytes are below 80: every superset of ASCII reads them alike",
        sample.len()
    );
    let found = Detection::new(encoding, 1.0, why);
    Some(match escapes(sample) {
        Some(name) => Detection {
            confidence: 0.3,
            ..found.because(format!("escape sequences of {name} occur, which is not supported"))
        },
        None => found,
    })
}

/// Seven-bit encodings of East Asia, recognised and not read.
fn escapes(sample: &[u8]) -> Option<&'static str> {
    let has = |needle: &[u8]| memchr::memmem::find(sample, needle).is_some();
    if has(b"\x1B$B") || has(b"\x1B$@") {
        Some("ISO-2022-JP")
    } else if has(b"\x1B$)A") {
        Some("ISO-2022-CN")
    } else if has(b"\x1B$)C") {
        Some("ISO-2022-KR")
    } else if has(b"~{") && has(b"~}") {
        Some("HZ")
    } else {
        None
    }
}

fn by_utf8(sample: &[u8]) -> Option<Detection> {
    let whole = sample.len() - Encoding::UTF_8.incomplete_tail(sample);
    let text = std::str::from_utf8(sample.get(..whole)?).ok()?;
    let long = text.chars().filter(|c| c.len_utf8() >= 3).count();
    let short = text.chars().filter(|c| c.len_utf8() == 2).count();
    if long + short == 0 {
        return None;
    }
    let why =
        format!("valid UTF-8 throughout, with {} characters of more than one byte", long + short);
    let found = |confidence| Detection::new(Encoding::UTF_8, confidence, why.clone());
    if long > 0 || short > 8 {
        return Some(found(if long + short > 2 { 0.99 } else { 0.9 }));
    }
    // A few pairs such as C4 A3 are valid in either.
    let pairs = survey(Encoding::GBK, sample);
    Some(if pairs.errors == 0 {
        found(0.6)
            .or(&[Encoding::GBK])
            .because("the same few bytes would be valid GBK: too little to be sure")
    } else {
        found(0.9)
    })
}

/// UTF-8 with a few broken places: text of another encoding hardly ever holds a valid sequence, so where these far
/// outnumber the errors, the errors are faults of single records and not the sign of another encoding.
fn by_broken_utf8(sample: &[u8]) -> Option<Detection> {
    let (mut long, mut short, mut errors, mut first) = (0_usize, 0_usize, 0_usize, None);
    each_char(Encoding::UTF_8, sample, |at, c| match c.map(char::len_utf8) {
        Some(1) => {}
        Some(2) => short += 1,
        Some(_) => long += 1,
        None => {
            errors += 1;
            first = first.or(Some(at));
        }
    });
    // Three bytes in a row that fit by chance are much rarer than two.
    let at = first.filter(|_| short + 4 * long >= 10 * errors)?;
    let why = format!(
        "UTF-8 with {} characters of more than one byte, broken at {errors} place(s), the first at byte {at}",
        long + short
    );
    Some(Detection::new(Encoding::UTF_8, 0.8, why))
}

/// One place that is not ASCII says too little for a page of single bytes, where any byte means something: read as
/// UTF-8, its record is refused where everybody sees it.
fn unless_lone(sample: &[u8], found: Detection) -> Detection {
    let read = survey(Encoding::UTF_8, sample);
    let lone = (read.errors, read.beyond_ascii) == (1, 0) && !found.encoding.is_multi_byte();
    let Some(at) = read.first.filter(|_| lone) else { return found };
    let why = format!(
        "ASCII but for one place, at byte {at}, which is not UTF-8: too little to tell a page of single bytes; \
         if it is {}, say so",
        found.encoding
    );
    let others = [&[found.encoding], found.alternatives.as_slice()].concat();
    Detection::new(Encoding::UTF_8, 0.3, why).or(&others)
}

fn weigh_hint(found: &mut Detection, hint: Encoding, sample: &[u8]) {
    let body = sample.get(found.bom_len..).unwrap_or_default();
    let read = survey(hint, body);
    let fits = read.errors == 0;
    if hint == found.encoding || (fits && covers(hint, found.encoding)) {
        found.encoding = hint;
        found.evidence.push(format!("declared {hint}, and nothing speaks against it"));
        return;
    }
    match read.first {
        Some(at) => found.evidence.push(format!(
            "declared {hint}, but {} place(s) are not valid in it, the first at byte {}",
            read.errors,
            at + found.bom_len
        )),
        None => {
            found.evidence.push(format!("declared {hint}, which would read without an error too"))
        }
    }
    if fits && found.confidence < 0.75 {
        found.alternatives.insert(0, found.encoding);
        found.encoding = hint;
        found
            .evidence
            .push("the declaration is kept: the sample is too weak to overrule it".to_owned());
    } else {
        found.contradicts_hint = true;
    }
}

/// Whether reading as `wide` gives what reading as `narrow` gives, for text valid in `narrow`.
fn covers(wide: Encoding, narrow: Encoding) -> bool {
    let gb = |e: Encoding| match e.kind() {
        Kind::Double(Family::Gbk) => 1,
        Kind::Double(Family::Cp936) => 2,
        Kind::Double(Family::Gb18030 | Family::Gb18030y2005) => 3,
        _ => 0,
    };
    gb(narrow) > 0 && gb(wide) > 0 || wide.is_ebcdic() && narrow.is_ebcdic()
}

/// How a sample reads in one encoding.
#[derive(Debug, Clone, Copy, Default)]
struct Survey {
    errors: usize,
    /// Byte offset of the first error.
    first: Option<usize>,
    /// Characters outside ASCII.
    beyond_ascii: usize,
}

/// Read a sample, but for a character cut at its end.
fn survey(encoding: Encoding, sample: &[u8]) -> Survey {
    let mut seen = Survey::default();
    each_char(encoding, sample, |at, c| match c {
        Some(c) => seen.beyond_ascii += usize::from(!c.is_ascii()),
        None => {
            seen.errors += 1;
            seen.first = seen.first.or(Some(at));
        }
    });
    seen
}

/// Every character of a sample; `None`, with its byte offset, for what is none.
fn each_char(encoding: Encoding, sample: &[u8], mut visit: impl FnMut(usize, Option<char>)) {
    let whole = sample.len() - encoding.incomplete_tail(sample).min(sample.len());
    let mut at = 0;
    let kind = encoding.kind();
    if encoding.is_stateful() || !encoding.is_multi_byte() {
        return by_fields(encoding, sample.get(..whole).unwrap_or_default(), visit);
    }
    let mut run = Utf8Buf::default();
    while let Some(rest) = sample.get(at..whole).filter(|r| !r.is_empty()) {
        if let Kind::Double(family) = kind {
            run.clear();
            let forward = &double::tables(family).forward;
            at += run.push_double_byte(rest, forward).err().unwrap_or(rest.len());
            run.as_str().chars().for_each(|c| visit(at, Some(c)));
        }
        let Some(rest) = sample.get(at..whole).filter(|r| !r.is_empty()) else { break };
        let step = match kind {
            Kind::Double(family) => double::step(family, rest),
            _ => unicode::step(kind, rest),
        };
        at += match step {
            Step::Char(c, len) => {
                visit(at, Some(c));
                len
            }
            Step::Two(c, d, len) => {
                visit(at, Some(c));
                visit(at, Some(d));
                len
            }
            Step::Bad(len, _) => {
                visit(at, None);
                len
            }
        };
    }
}

/// Pages without a step function of their own: the strict decoder up to the first error, and on after it.
fn by_fields(encoding: Encoding, sample: &[u8], mut visit: impl FnMut(usize, Option<char>)) {
    let mut out = Utf8Buf::default();
    match encoding.decode_into(sample, crate::Invalid::Replace, &mut out) {
        Ok(seen) if seen.replaced == 0 => out.as_str().chars().for_each(|c| visit(0, Some(c))),
        _ => {
            let first = encoding.decode(sample).err().map_or(0, |bad| bad.at);
            for c in out.as_str().chars() {
                visit(first, Some(c).filter(|&c| c != char::REPLACEMENT_CHARACTER));
            }
        }
    }
}
