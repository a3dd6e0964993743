//! Where a chunk can be cut and how many records that makes, without looking at fields: a tenth of the work of a
//! [`Table`](crate::table::Table). Whatever it is not sure of it leaves to the general way.

use fenhe_core::Boundary;
use fenhe_kernels::index::{CsvSyntax, QuoteState, csv_positions, lines};

use crate::dialect::Syntax;
use crate::table::Policy;

/// The whole records of a chunk that starts with one. `None`: something is unusual. `feeds` is room to work in.
pub(crate) fn count(
    chunk: &[u8],
    syntax: &Syntax,
    csv: CsvSyntax,
    policy: &Policy,
    feeds: &mut Vec<u32>,
) -> Option<Boundary> {
    // A delimiter of several bytes, or of a byte that is part of characters, has to be looked at in its place.
    if syntax.delimiter.len() > 1 || syntax.stepping.is_some() {
        return None;
    }
    let longest = policy.limits.record.min(policy.limits.field).min(policy.limits.fields);
    let scan = lines(chunk, csv.quote);
    if !scan.quotes && !scan.stray_cr && (scan.longest as u64) < longest {
        let passed = if syntax.blank_is_record { 0 } else { scan.blank };
        return Some(Boundary { end: scan.end, records: scan.feeds - passed, lines: scan.feeds });
    }
    feeds.clear();
    let lines_only = CsvSyntax { delimiter: None, ..csv };
    let scan = csv_positions(chunk, lines_only, &mut QuoteState::default(), feeds).ok()?;
    let end = feeds.last().map_or(0, |at| *at as usize + 1);
    let whole = chunk.get(..end)?;
    let usual = (!scan.quotes || quotes_stand_around_fields(whole, csv))
        && (!scan.cr || returns_stand_before_feeds(whole));
    if !usual {
        return None;
    }
    let (mut start, mut blank) = (0, 0);
    for &at in feeds.iter() {
        let line = whole.get(start..at as usize)?;
        if line.len() as u64 >= longest {
            return None;
        }
        blank += u64::from(line.is_empty() || line == b"\r");
        start = at as usize + 1;
    }
    let lines = match scan.quotes {
        true => memchr::memchr_iter(b'\n', whole).count(),
        false => feeds.len(),
    };
    let passed = if syntax.blank_is_record { 0 } else { blank };
    Some(Boundary { end, records: feeds.len() as u64 - passed, lines: lines as u64 })
}

/// Whether every quote opens a field at its start or closes it at its end, or is doubled inside.
fn quotes_stand_around_fields(whole: &[u8], csv: CsvSyntax) -> bool {
    let Some(quote) = csv.quote else { return true };
    let ends_field = |at: usize| match whole.get(at) {
        Some(b'\n') => true,
        Some(b'\r') => whole.get(at + 1) == Some(&b'\n'),
        byte => byte == csv.delimiter.as_ref(),
    };
    let mut quotes = memchr::memchr_iter(quote, whole);
    while let Some(open) = quotes.next() {
        let before = open.checked_sub(1).and_then(|at| whole.get(at));
        if before.is_some_and(|byte| *byte != b'\n' && Some(byte) != csv.delimiter.as_ref()) {
            return false;
        }
        loop {
            let Some(next) = quotes.next() else { return false };
            if ends_field(next + 1) {
                break;
            }
            if quotes.next() != Some(next + 1) {
                return false;
            }
        }
    }
    true
}

fn returns_stand_before_feeds(whole: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', whole).all(|at| whole.get(at + 1) == Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use fenhe_core::{DecodeOptions, Format, Options};
    use proptest::prelude::*;

    use crate::Csv;

    fn cut(options: &[&str], header: &str, body: &str) -> (usize, u64) {
        let options = Options::from_pairs(options.iter().copied()).unwrap();
        let mut splitter =
            Csv::from_options(&options).unwrap().splitter(&DecodeOptions::default()).unwrap();
        splitter.prologue(header.as_bytes(), false).unwrap();
        let found = splitter.last_boundary(body.as_bytes(), false);
        found.map_or((0, 0), |found| (found.end, found.records))
    }

    proptest! {
        /// A comment sign that never occurs forbids every quick way, and changes nothing else.
        #[test]
        fn the_quick_count_is_the_exact_one(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "a", "张三", ",", "\n", "\r\n", "\"", "\"\"", "\",\"", "\"x,\ny\"", ",\"a\"\"b\"\n", "\r", "1,2,3\n",
            ]), 0..60)
        ) {
            let body: String = pieces.concat();
            let usual = ["header=true", "encoding=utf-8", "delimiter=,", "types=text"];
            let general = ["header=true", "encoding=utf-8", "delimiter=,", "types=text", "comment=\u{7f}"];
            let header = "x,y,z\n";
            // Behind a stray quote the quick way may see less, but what it cuts off is cut right.
            let (end, records) = cut(&usual, header, &body);
            let exact = [cut(&general, header, &body), cut(&general, header, &body[..end])];
            prop_assert!(exact.contains(&(end, records)), "{:?} of {:?}", (end, records), exact);
        }
    }
}
