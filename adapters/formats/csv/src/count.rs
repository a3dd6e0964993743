//! Where a chunk can be cut and how many records that makes, without looking at fields: a tenth of the work of a
//! [`Table`](crate::table::Table). Whatever it is not sure of it leaves to the general way.

use fenhe_core::Boundary;
use fenhe_kernels::index::{CsvSyntax, lines};

use crate::dialect::Syntax;
use crate::table::Policy;

/// The whole records of a chunk that starts with one. `None`: something is unusual.
pub(crate) fn count(
    chunk: &[u8],
    syntax: &Syntax,
    csv: CsvSyntax,
    policy: &Policy,
) -> Option<Boundary> {
    // A delimiter of several bytes, or of a byte that is part of characters, has to be looked at in its place.
    if syntax.delimiter.len() > 1 || syntax.stepping.is_some() {
        return None;
    }
    let scan = lines(chunk, csv);
    let longest = policy.limits.record.min(policy.limits.field).min(policy.limits.fields);
    if scan.irregular || scan.longest as u64 >= longest {
        return None;
    }
    let passed = if syntax.blank_is_record { 0 } else { scan.blank };
    Some(Boundary { end: scan.end, records: scan.records - passed, lines: scan.feeds })
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
