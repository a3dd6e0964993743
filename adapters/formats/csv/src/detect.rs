//! Encoding, delimiter, quotes and header by looking at the first bytes, with reasons.

mod header;

use std::collections::{BTreeMap, HashSet};

use fenhe_core::Result;
use fenhe_text::Encoding;

use crate::dialect::{Dialect, Escape, Quoting, Syntax, encoding, working};
use crate::options::{BlankLines, CsvOptions, LineEnd, config, literal};
use crate::split::{Cell, Cut, Form};
use crate::tail;
use crate::wide::is_wide;
use header::find_header;

/// A dialect, and sentences that say why.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) dialect: Dialect,
    pub(crate) reasons: Vec<String>,
}

/// Delimiters to try, the usual ones first: the first of equals wins.
const DELIMITERS: [&str; 9] = [",", "\t", ";", "|!", "||", "|", "\x1f", "\x01", "^"];

/// Records looked at to choose a delimiter.
const LOOKED_AT: usize = 300;

/// How well the records of a sample hold together under a dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fit {
    pub(crate) records: usize,
    /// Records with the most frequent number of fields, and that number.
    pub(crate) usual: usize,
    pub(crate) fields: usize,
    /// Fields of the first record, and records of several fields.
    first: usize,
    divided: usize,
    /// Records with text behind a closing quote.
    strays: usize,
    quoted: usize,
}

/// Settles a dialect; what the options say is never contradicted.
///
/// # Errors
/// `csv.option` for options that cannot be.
pub(crate) fn detect(options: &CsvOptions, sample: &[u8], complete: bool) -> Result<Found> {
    let mut reasons = Vec::new();
    let (encoding, why) = find_encoding(options, sample)?;
    reasons.extend(why);
    let mark = working(encoding).bom();
    let bom = !mark.is_empty() && sample.starts_with(mark);
    let body = sample.get(if bom { mark.len() } else { 0 }..).unwrap_or_default();
    let named = sep_line(body).filter(|_| options.skip_lines == 0);
    let body = after_lines(body, options.skip_lines + u32::from(named.is_some()));
    let body = tail::before(body, options.skip_tail);
    let line_end = options.line_end.unwrap_or(LineEnd::Any);
    let start = Dialect {
        encoding: encoding.name().to_owned(),
        bom,
        delimiter: String::new(),
        quote: Some('"'),
        escape: Escape::Doubled,
        comment: options.comment.clone().unwrap_or_default(),
        line_end,
        blank_is_record: false,
        header: false,
        ends_with: first_line_end(sample, line_end).to_owned(),
        quoting: Quoting::Minimal,
        final_newline: true,
        sep_line: named.is_some(),
        prologue: None,
        names: Vec::new(),
    };
    let start = overlay(start, options)?;
    let (mut dialect, fit) = match named.filter(|_| options.delimiter.is_none()) {
        Some(delimiter) => {
            reasons
                .push(format!("the first line is no record: sep={delimiter} names the delimiter"));
            let options = CsvOptions { delimiter: Some(delimiter.to_string()), ..options.clone() };
            find_delimiter(overlay(start, &options)?, &options, body, complete, &mut reasons)?
        }
        None => find_delimiter(start, options, body, complete, &mut reasons)?,
    };
    if options.blank_lines.is_none() {
        dialect.blank_is_record = fit.fields <= 1;
    }
    if options.header.is_none() {
        let (header, why) = find_header(&Syntax::new(&dialect)?, body, complete, fit.fields);
        dialect.header = header;
        reasons.push(why);
    }
    Ok(Found { dialect, reasons })
}

/// Puts what the options say over a dialect.
///
/// # Errors
/// `csv.option` for options that cannot be.
pub(crate) fn overlay(mut dialect: Dialect, options: &CsvOptions) -> Result<Dialect> {
    if let Some(label) = &options.encoding {
        dialect.encoding = encoding(label)?.name().to_owned();
    }
    if let Some(delimiter) = &options.delimiter {
        dialect.delimiter = literal("delimiter", delimiter)?.unwrap_or_default();
    }
    if let Some(quote) = &options.quote {
        let mut chars = literal("quote", quote)?.unwrap_or_default();
        dialect.quote = chars.pop();
        if !chars.is_empty() {
            return Err(config("quote", "one character, or none"));
        }
    }
    match options.escape.as_deref() {
        None => {}
        Some("doubled") => dialect.escape = Escape::Doubled,
        Some("c") => dialect.escape = Escape::C,
        Some("backslash") => dialect.escape = Escape::Char('\\'),
        Some(escape) => {
            let text = literal("escape", escape)?.unwrap_or_default();
            let mut chars = text.chars();
            dialect.escape = match (chars.next(), chars.next()) {
                (None, _) => Escape::None,
                (Some(c), None) => Escape::Char(c),
                _ => {
                    return Err(config("escape", "doubled, none, c, or one character"));
                }
            };
        }
    }
    if let Some(comment) = &options.comment {
        dialect.comment.clone_from(comment);
    }
    if let Some(line_end) = options.line_end {
        dialect.line_end = line_end;
        match line_end {
            LineEnd::Lf => dialect.ends_with = "\n".into(),
            LineEnd::Crlf => dialect.ends_with = "\r\n".into(),
            LineEnd::Cr => dialect.ends_with = "\r".into(),
            LineEnd::Any => {}
        }
    }
    if let Some(blank_lines) = options.blank_lines {
        dialect.blank_is_record = blank_lines == BlankLines::Record;
    }
    if let Some(header) = options.header {
        dialect.header = header;
    }
    Ok(dialect)
}

/// Calls `look` with the fields of each whole record, at most `most` of them; `true`: its quotes are in order.
pub(crate) fn records(
    syntax: &Syntax,
    body: &[u8],
    complete: bool,
    most: usize,
    mut look: impl FnMut(&[Cell], bool),
) -> Option<usize> {
    let mut cells = Vec::new();
    let (mut at, mut seen) = (0, 0);
    while at < body.len() && seen < most {
        cells.clear();
        match syntax.cut(body, at, complete, 16_384, &mut cells) {
            Cut::Passed { end } => at = end,
            Cut::Record { end, stray, .. } => {
                look(&cells, stray.is_none());
                seen += 1;
                at = end;
            }
            Cut::More { .. } => return None,
            Cut::Open { quote } => return Some(quote),
        }
    }
    None
}

/// The most frequent number of fields.
pub(crate) fn usual_fields(syntax: &Syntax, body: &[u8], complete: bool) -> usize {
    fit(syntax, body, complete).fields
}

/// The text of a field in the sample; characters that cannot be read are U+FFFD (this is for names only).
pub(crate) fn text(syntax: &Syntax, bytes: &[u8], cell: &Cell) -> String {
    let raw = bytes.get(cell.start..cell.end).unwrap_or_default();
    let mut value = Vec::new();
    if cell.form == Form::Escaped {
        syntax.unescape(raw, &mut value);
    } else {
        value.extend_from_slice(raw);
    }
    let mut out = fenhe_text::Utf8Buf::default();
    match syntax.encoding.decode_into(&value, fenhe_text::Invalid::Replace, &mut out) {
        Ok(_) => out.as_str().to_owned(),
        Err(_) => String::new(),
    }
}

/// Names of columns: never empty, never twice.
pub(crate) fn names(cells: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::new();
    for (place, cell) in cells.iter().enumerate() {
        let base = match cell.trim() {
            "" => format!("column_{}", place + 1),
            name => name.to_owned(),
        };
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}

fn find_encoding(options: &CsvOptions, sample: &[u8]) -> Result<(Encoding, Vec<String>)> {
    if let Some(label) = &options.encoding {
        let encoding = encoding(label)?;
        return Ok((encoding, vec![format!("encoding {encoding}: as set")]));
    }
    let found = fenhe_text::detect(sample, None);
    // GBK is a part of GB 18030: what comes behind the sample may need the whole.
    let found_encoding =
        if found.encoding == Encoding::GBK { Encoding::GB18030 } else { found.encoding };
    if is_wide(found_encoding) {
        return Err(config(
            "encoding",
            format!("{found_encoding} is not cut into parts; say encoding={found_encoding}"),
        ));
    }
    let mut why = found.evidence.into_iter();
    let first = format!("encoding {found_encoding}: {}", why.next().unwrap_or_default());
    Ok((encoding(found_encoding.name())?, std::iter::once(first).chain(why.take(2)).collect()))
}

fn find_delimiter(
    start: Dialect,
    options: &CsvOptions,
    body: &[u8],
    complete: bool,
    reasons: &mut Vec<String>,
) -> Result<(Dialect, Fit)> {
    let mut best: Option<(Dialect, Fit)> = None;
    for candidate in candidates(&start, options) {
        let Ok(syntax) = Syntax::new(&candidate) else { continue };
        let found = fit(&syntax, body, complete);
        if best.as_ref().is_none_or(|(_, best)| found.score() > best.score()) {
            best = Some((candidate, found));
        }
    }
    // Without a delimiter anywhere it is a text of one column, not one that any delimiter fits.
    if let Some((dialect, fit)) = &mut best
        && fit.records > 0
        && fit.fields <= 1
        && options.delimiter.is_none()
    {
        dialect.delimiter.clear();
    }
    let Some((dialect, fit)) = best else {
        // No candidate is possible: say why of the first.
        Syntax::new(&start)?;
        return Ok((start, Fit::default()));
    };
    let name = match dialect.delimiter.as_str() {
        "" => "none".to_owned(),
        text => format!("{text:?}"),
    };
    let why = if options.delimiter.is_some() { ", as set".to_owned() } else { String::new() };
    let (usual, records, fields) = (fit.usual, fit.records, fit.fields);
    reasons
        .push(format!("delimiter {name}{why}: {usual} of {records} records have {fields} fields"));
    if let Some(quote) = dialect.quote {
        let escape = match dialect.escape {
            Escape::Doubled => "doubled inside".to_owned(),
            Escape::None => "without escape".to_owned(),
            Escape::C => "with C escapes".to_owned(),
            Escape::Char(c) => format!("escaped by {c:?}"),
        };
        reasons.push(format!(
            "quote {quote:?}, {escape}: {} fields in quotes, {} records with text behind them",
            fit.quoted, fit.strays
        ));
    }
    Ok((dialect, fit))
}

/// Every dialect that the options leave possible, the usual ones first.
fn candidates(start: &Dialect, options: &CsvOptions) -> Vec<Dialect> {
    let delimiters: Vec<String> = match options.delimiter {
        Some(_) => vec![start.delimiter.clone()],
        None => DELIMITERS.iter().map(ToString::to_string).chain([String::new()]).collect(),
    };
    let quotes =
        if options.quote.is_some() { vec![start.quote] } else { vec![Some('"'), Some('\'')] };
    let escapes = if options.escape.is_some() {
        vec![start.escape]
    } else {
        vec![Escape::Doubled, Escape::Char('\\')]
    };
    let mut all = Vec::new();
    for quote in quotes {
        for escape in &escapes {
            for delimiter in &delimiters {
                all.push(Dialect {
                    delimiter: delimiter.clone(),
                    quote,
                    escape: *escape,
                    ..start.clone()
                });
            }
        }
    }
    all
}

pub(crate) fn fit(syntax: &Syntax, body: &[u8], complete: bool) -> Fit {
    let mut counts = BTreeMap::new();
    let mut fit = Fit::default();
    let open = records(syntax, body, complete, LOOKED_AT, |cells, in_order| {
        *counts.entry(cells.len()).or_insert(0_usize) += 1;
        if fit.records == 0 {
            fit.first = cells.len();
        }
        fit.records += 1;
        fit.divided += usize::from(cells.len() > 1);
        fit.strays += usize::from(!in_order);
        fit.quoted += cells.iter().filter(|cell| cell.form == Form::Quoted).count();
    });
    fit.strays += usize::from(open.is_some());
    if let Some((fields, usual)) =
        // Of equals the first record's number: it is the header's, if there is one.
        counts.iter().max_by_key(|(fields, count)| (**count, **fields == fit.first))
    {
        (fit.fields, fit.usual) = (*fields, *usual);
    }
    fit
}

impl Fit {
    /// More is better: several fields at all, then agreement in thousandths, then quotes in order, then more fields.
    fn score(&self) -> (bool, usize, i64, usize) {
        // A delimiter that stands in the header and in most records is one, even where records are ragged: as rejects they
        // are seen, as texts of one column they are not.
        let ragged = self.first == self.fields && self.divided * 2 > self.records;
        let several = self.fields > 1 && (self.usual * 2 > self.records || ragged);
        let agreement = (self.usual * 1_000).checked_div(self.records).unwrap_or(0);
        let strays = i64::try_from(self.strays).unwrap_or(i64::MAX);
        (several, agreement / 50, -strays, self.fields)
    }
}

/// The delimiter that a spreadsheet names in a line of its own before the header: `sep=;`.
fn sep_line(body: &[u8]) -> Option<char> {
    let line = body.get(..body.iter().take(8).position(|b| matches!(b, b'\r' | b'\n'))?)?;
    match line {
        [s, e, p, b'=', mark] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && mark.is_ascii() => {
            Some(char::from(*mark))
        }
        _ => None,
    }
}

fn first_line_end(sample: &[u8], ends: LineEnd) -> &'static str {
    match ends {
        LineEnd::Lf => return "\n",
        LineEnd::Crlf => return "\r\n",
        LineEnd::Cr => return "\r",
        LineEnd::Any => {}
    }
    match memchr::memchr2(b'\r', b'\n', sample) {
        Some(at) if sample.get(at..at + 2) == Some(b"\r\n") => "\r\n",
        Some(at) if sample.get(at) == Some(&b'\r') => "\r",
        _ => "\n",
    }
}

fn after_lines(body: &[u8], lines: u32) -> &[u8] {
    let mut rest = body;
    for _ in 0..lines {
        match memchr::memchr2(b'\n', b'\r', rest) {
            Some(at) if rest.get(at..at + 2) == Some(b"\r\n") => {
                rest = rest.get(at + 2..).unwrap_or_default()
            }
            Some(at) => rest = rest.get(at + 1..).unwrap_or_default(),
            None => return &[],
        }
    }
    rest
}
