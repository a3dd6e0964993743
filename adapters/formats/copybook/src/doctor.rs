//! Ranked guesses about record format, code page and offset. Advisory: nothing is ever applied by itself.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use fenhe_core::{DecodeOptions, Format, Input, Limits, Options, Output, Result, Sample};
use serde::Serialize;

use crate::copybook::Copybook;
use crate::format::CopybookFormat;
use crate::layout::Layout;
use crate::options::{ByteOrder, CopybookOptions, RecordFormat, VariableOccurs};

/// Bytes of the sample that each hypothesis is tried on.
const LOOK: usize = 64 << 10;

/// Code pages worth a try: US EBCDIC, the EBCDIC of simplified Chinese, and the same without EBCDIC.
const PAGES: [&str; 4] = ["ibm037", "ibm1388", "ascii", "gbk"];

/// A score from which on the options at hand need no advice.
const CONTENT: u8 = 95;

/// How a file might be read, and how well that went on a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hypothesis {
    /// The options in their spelling on the command line.
    pub options: Options,
    /// 0 to 100: records that could be read, and how much of their text is printable.
    pub score: u8,
    /// Records seen.
    pub records: u64,
    /// The first record that could not be read.
    pub first_failure: Option<Failure>,
}

/// A record that a hypothesis cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its number, from 1.
    pub record: u64,
    /// Bytes before it in the sample.
    pub offset: u64,
    /// What was wrong; never a value.
    pub reason: String,
}

impl Hypothesis {
    /// The options as they are written on the command line.
    ///
    /// ```
    /// use fenhe_copybook::{Copybook, doctor};
    /// let book = Copybook::parse("01 R.\n 05 ID PIC 9(3).")?;
    /// assert_eq!(doctor(&book, b"\xF0\xF0\xF1")[0].words(), "encoding=IBM037 record_format=F");
    /// # Ok::<(), fenhe_core::Error>(())
    /// ```
    pub fn words(&self) -> String {
        let word = |(key, value): (&str, &serde_json::Value)| {
            format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        self.options.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Hypothesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: score {} over {} records", self.words(), self.score, self.records)?;
        match &self.first_failure {
            Some(Failure { record, offset, reason }) => {
                write!(f, ", record {record} at byte {offset} fails: {reason}")
            }
            None => Ok(()),
        }
    }
}

/// Tries record formats, code pages and headers on a sample and ranks them, best first.
///
/// ```
/// use fenhe_copybook::{Copybook, doctor};
/// let book = Copybook::parse("01 R.\n 05 ID PIC 9(3).\n 05 NAME PIC X(5).")?;
/// let sample = b"\x00\x0c\x00\x00\xF0\xF0\xF1\xC1\xD5\xD5\x40\x40\x00\x0c\x00\x00\xF0\xF0\xF2\xC2\xD6\xC2\x40\x40";
/// let best = &doctor(&book, sample)[0];
/// assert_eq!(best.options.get("record_format").and_then(|v| v.as_str()), Some("V"));
/// assert_eq!((best.score, best.records), (100, 2));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
pub fn doctor(book: &Copybook, sample: &[u8]) -> Vec<Hypothesis> {
    examine(book, &CopybookOptions::default(), sample, false)
}

impl CopybookFormat {
    /// What [`doctor`] finds for the copybook of this format, whose other options (code pages and framing aside) are
    /// kept. Empty without a copybook. Nothing is applied.
    pub fn hypotheses(&self, sample: &Sample) -> Vec<Hypothesis> {
        let options = self.options();
        let book = options
            .copybook
            .as_ref()
            .and_then(|text| Copybook::parse_with(&text.text, &options.parse_options()).ok());
        book.map_or_else(Vec::new, |book| examine(&book, options, &sample.bytes, sample.complete))
    }
}

/// How well the options of a format do, and better ones if there are.
pub(crate) fn look(format: &CopybookFormat, sample: &Sample) -> (Vec<Hypothesis>, u8) {
    let own = judge(format.clone(), Options::new(), &sample.bytes, sample.complete)
        .map_or(0, |h| h.score);
    if own >= CONTENT {
        return (Vec::new(), own);
    }
    let mut better = format.hypotheses(sample);
    better.retain(|h| h.score > own);
    (better, own)
}

fn examine(
    book: &Copybook,
    base: &CopybookOptions,
    sample: &[u8],
    complete: bool,
) -> Vec<Hypothesis> {
    let complete = complete || sample.len() <= LOOK;
    let sample = sample.get(..sample.len().min(LOOK)).unwrap_or(sample);
    let mut all: Vec<Hypothesis> = Vec::new();
    let varies = Layout::new(book, base).is_ok_and(|layout| layout.is_variable());
    for (words, frame) in frames(base, sample, varies) {
        let others = PAGES.iter().copied().filter(|p| !p.eq_ignore_ascii_case(&base.encoding));
        for page in std::iter::once(base.encoding.as_str()).chain(others) {
            let options = CopybookOptions { encoding: page.into(), ..frame.clone() };
            let mut words = words.clone();
            words.set("encoding", page);
            let Ok(format) = CopybookFormat::of(book, options) else { continue };
            all.extend(judge(format, words, sample, complete));
        }
    }
    // Among equals the simplest stays first: the sort is stable.
    all.sort_by_key(|h| std::cmp::Reverse((h.score, h.records > 0)));
    all.truncate(12);
    all
}

/// Record formats worth a try, with their words.
fn frames(base: &CopybookOptions, sample: &[u8], varies: bool) -> Vec<(Options, CopybookOptions)> {
    let mut all = Vec::new();
    let mut add = |words: &[(&str, &str)], change: &dyn Fn(&mut CopybookOptions)| {
        let mut options = base.clone();
        change(&mut options);
        let words = words.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
        all.push((words, options));
    };
    add(&[("record_format", "F")], &|o| o.record_format = RecordFormat::F);
    if varies {
        add(&[("record_format", "F"), ("variable_occurs", "shift")], &|o| {
            o.record_format = RecordFormat::F;
            o.variable_occurs = Some(VariableOccurs::Shift);
        });
    }
    for (name, format) in [("V", RecordFormat::V), ("VB", RecordFormat::VB)] {
        for (order, rdw) in [("big", ByteOrder::Big), ("little", ByteOrder::Little)] {
            for (inclusive, text) in [(true, "true"), (false, "false")] {
                add(&[("record_format", name), ("rdw", order), ("rdw_inclusive", text)], &|o| {
                    (o.record_format, o.rdw, o.rdw_inclusive) = (format, rdw, inclusive);
                });
            }
        }
    }
    add(&[("record_format", "VBS")], &|o| o.record_format = RecordFormat::VBS);
    add(&[("record_format", "D")], &|o| o.record_format = RecordFormat::D);
    add(&[("record_format", "lines")], &|o| o.record_format = RecordFormat::Lines);
    // A header in front of fixed records: what is left over, when the whole file was given.
    for header in [1u64, 4, 8, 16, 32, 64, 80, 128, 256, 512] {
        if header < sample.len() as u64 {
            let text = header.to_string();
            add(&[("record_format", "F"), ("file_header", &text)], &|o| {
                (o.record_format, o.file_header) = (RecordFormat::F, header);
            });
        }
    }
    all
}

/// Reads the sample; `None` when there was no record at all.
fn judge(
    format: CopybookFormat,
    options: Options,
    sample: &[u8],
    complete: bool,
) -> Option<Hypothesis> {
    let limits = Limits { batch_rows: 1024, reject_raw: 0, ..Limits::default() };
    let mut decoder = format.decoder(DecodeOptions { limits, ..DecodeOptions::default() }).ok()?;
    let mut seen = Seen::default();
    if let Err(error) = run(decoder.as_mut(), sample, complete, &mut seen) {
        seen.failure.get_or_insert_with(|| Failure {
            record: error.record().unwrap_or(0),
            offset: error.offset().unwrap_or(0),
            reason: error.message().to_owned(),
        });
        // Everything behind the place where boundaries are lost counts as lost.
        let read = error.offset().unwrap_or(0).max(1);
        seen.lost =
            (sample.len() as u64).saturating_sub(read).saturating_mul(seen.records.max(1)) / read;
        seen.lost = seen.lost.max(1);
    }
    if seen.records + seen.lost == 0 {
        return None;
    }
    let read = seen.good as f64 / (seen.records + seen.lost) as f64;
    let text =
        if seen.characters == 0 { 1.0 } else { seen.printable as f64 / seen.characters as f64 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "two shares make 0 to 100"
    )]
    let score = (100.0 * read * text).floor() as u8;
    Some(Hypothesis { options, score, records: seen.records, first_failure: seen.failure })
}

#[derive(Debug, Default)]
struct Seen {
    records: u64,
    good: u64,
    lost: u64,
    characters: u64,
    printable: u64,
    failure: Option<Failure>,
}

fn run(
    decoder: &mut dyn fenhe_core::Decoder,
    sample: &[u8],
    complete: bool,
    seen: &mut Seen,
) -> Result<()> {
    let mut fed = 0;
    loop {
        match decoder.next()? {
            Output::Done => return Ok(()),
            Output::NeedInput if fed == 0 && !sample.is_empty() => {
                fed = 1;
                decoder.feed(Input::Bytes(bytes::Bytes::copy_from_slice(sample)))?;
            }
            Output::NeedInput => decoder.feed(Input::EndOfStream)?,
            Output::Batch(batch) => {
                // The cut at the end of a sample is no fault of the hypothesis.
                let cut = |r: &&fenhe_core::Reject| {
                    complete || r.fault.code != crate::error::TRUNCATED_TAIL
                };
                let rejects: Vec<_> = batch.rejects.iter().filter(cut).collect();
                seen.records += batch.rows() as u64 + rejects.len() as u64;
                seen.good += batch.rows() as u64;
                if let (None, Some(first)) = (&seen.failure, rejects.first()) {
                    seen.failure = Some(Failure {
                        record: first.record,
                        offset: first.offset,
                        reason: first.fault.to_string(),
                    });
                }
                batch.records.columns().iter().for_each(|column| count_text(column, seen));
            }
        }
    }
}

/// Printable characters: letters of Latin-1 that EBCDIC pages have everywhere count half.
fn count_text(column: &ArrayRef, seen: &mut Seen) {
    match column.data_type() {
        DataType::Utf8 => {
            for text in column.as_string::<i32>().iter().flatten() {
                for c in text.chars() {
                    seen.characters += 2;
                    seen.printable += match c {
                        c if c.is_control() => 0,
                        ' '..='~' | '\u{2E80}'..='\u{FFEF}' => 2,
                        _ => 1,
                    };
                }
            }
        }
        DataType::Struct(_) => {
            column.as_struct().columns().iter().for_each(|c| count_text(c, seen))
        }
        DataType::List(_) => count_text(column.as_list::<i32>().values(), seen),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_lines_and_a_file_header_are_recognised() {
        let book = Copybook::parse("01 R.\n 05 ID PIC 9(3).\n 05 NAME PIC X(5).").unwrap();
        let option = |h: &Hypothesis, key: &str| {
            h.options.get(key).and_then(|v| v.as_str().map(str::to_owned))
        };
        let lines = doctor(&book, b"001ANNIE\n002BOB\n003CARLA\n");
        assert_eq!(option(&lines[0], "record_format").as_deref(), Some("lines"));
        assert_eq!(option(&lines[0], "encoding").as_deref(), Some("ascii"));
        let header = doctor(&book, b"HEAD001ANNIE002BOB  003CARLA");
        assert_eq!(option(&header[0], "file_header").as_deref(), Some("4"));
        let wrong = header.iter().find(|h| h.score < 100).unwrap();
        assert!(wrong.first_failure.is_some());
    }
}
