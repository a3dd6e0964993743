use super::blocks::{self, prefix_xor};
use super::csv::CsvSyntax;
use crate::simd::Simd;

const BLOCK: usize = 64;

/// What a pass over lines saw, without listing them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineScan {
    /// Something makes the other figures worthless: a quote that neither begins nor ends a field and is not one of a pair
    /// inside quotes, or a CR outside quotes that is not in front of an LF.
    pub irregular: bool,
    /// Bytes up to and including the last LF outside quotes.
    pub end: usize,
    /// Number of LF outside quotes.
    pub records: u64,
    /// Number of LF up to `end`, inside and outside quotes.
    pub feeds: u64,
    /// Of `records`, those that hold nothing, or a CR alone.
    pub blank: u64,
    /// No record has more bytes than this (what follows `end` is one, too).
    pub longest: usize,
}

/// Counts the records of a window that starts with one, at a fraction of what it costs to list them with
/// [`csv_positions`](super::csv_positions). CR is taken for part of an LF behind it, whatever `index_cr` says.
///
/// ```
/// use fenhe_kernels::index::{CsvSyntax, lines};
///
/// let scan = lines(b"a,\"b\nc\"\r\n\r\n1,2\r\n3,", CsvSyntax::default());
/// assert_eq!((scan.records, scan.feeds, scan.blank, scan.end), (3, 4, 1, 16));
/// assert!(!scan.irregular);
/// assert!(lines(b"a\"b,c\n", CsvSyntax::default()).irregular);
/// ```
#[must_use]
pub fn lines(window: &[u8], syntax: CsvSyntax) -> LineScan {
    lines_with(Simd::detect(), window, syntax)
}

/// [`lines`] on a chosen instruction set.
#[must_use]
pub fn lines_with(simd: Simd, window: &[u8], syntax: CsvSyntax) -> LineScan {
    blocks::lines(simd, window, syntax)
}

/// What is known between two blocks. Of the last byte, bit 0 says what it was.
pub(super) struct LinePass {
    /// All ones inside quotes, else 0.
    inside: u64,
    /// Quotes that stand where none can.
    misplaced: u64,
    records: u64,
    feeds: u64,
    blank: u64,
    crs: u64,
    crs_before_feeds: u64,
    /// A field may begin behind it.
    before_field: u64,
    after_closing: u64,
    after_feed: u64,
    after_cr: u64,
    /// It was a CR at the start of a record.
    after_first_cr: u64,
    blocks: usize,
    /// The last block with the end of a record: its number, those ends, and `feeds` up to its last end.
    last: (usize, u64, u64),
    /// Most blocks without the end of a record in a row.
    longest_gap: usize,
}

impl Default for LinePass {
    fn default() -> Self {
        Self {
            inside: 0,
            misplaced: 0,
            records: 0,
            feeds: 0,
            blank: 0,
            crs: 0,
            crs_before_feeds: 0,
            // The window starts with a record.
            before_field: 1,
            after_closing: 0,
            after_feed: 1,
            after_cr: 0,
            after_first_cr: 0,
            blocks: 0,
            last: (0, 0, 0),
            longest_gap: 0,
        }
    }
}

impl LinePass {
    /// Takes where the special bytes of the next block are, and which of its bytes belong to the window.
    #[inline(always)]
    pub(super) fn step(&mut self, delimiters: u64, quotes: u64, crs: u64, feeds: u64, valid: u64) {
        let (all, quoted) = (feeds, self.quoted(quotes));
        let (delimiters, crs, feeds) = (delimiters & !quoted, crs & !quoted, feeds & !quoted);
        self.check(quotes, quoted, delimiters | feeds, crs, valid);
        self.records += u64::from(feeds.count_ones());
        let starts = feeds << 1 | self.after_feed;
        self.blank += u64::from((feeds & starts).count_ones());
        self.after_feed = feeds >> 63;
        if crs | self.after_cr != 0 {
            let behind = crs << 1 | self.after_cr;
            let first = crs & starts;
            self.crs += u64::from(crs.count_ones());
            self.crs_before_feeds += u64::from((feeds & behind).count_ones());
            self.blank += u64::from((feeds & (first << 1 | self.after_first_cr)).count_ones());
            (self.after_cr, self.after_first_cr) = (crs >> 63, first >> 63);
        }
        if feeds != 0 {
            self.longest_gap = self.longest_gap.max(self.blocks - self.last.0);
            let upto = u64::MAX >> feeds.leading_zeros();
            self.last = (self.blocks, feeds, self.feeds + u64::from((all & upto).count_ones()));
        }
        self.feeds += u64::from(all.count_ones());
        self.blocks += 1;
    }

    /// A bit for each byte between an opening quote (included) and its closing quote (excluded).
    #[inline(always)]
    fn quoted(&mut self, quotes: u64) -> u64 {
        if quotes | self.inside == 0 {
            return 0;
        }
        let quoted = prefix_xor(quotes) ^ self.inside;
        self.inside = (quoted.cast_signed() >> 63).cast_unsigned();
        quoted
    }

    /// A quote opens behind the end of a field or a closing one, and closes before the end of a field or an opening one: of
    /// two together inside quotes, the first closes and the second opens. Behind the window anything may follow.
    #[inline(always)]
    fn check(&mut self, quotes: u64, quoted: u64, ends: u64, crs: u64, valid: u64) {
        let (opening, closing) = (quotes & quoted, quotes & !quoted);
        if quotes | self.after_closing != 0 {
            let may_open = (ends | closing) << 1 | self.before_field;
            let behind = closing << 1 | self.after_closing;
            self.misplaced |= (opening & !may_open | behind & !(ends | crs | opening)) & valid;
            self.after_closing = closing >> 63;
        }
        self.before_field = (ends | closing) >> 63;
    }

    pub(super) fn finish(self, window: &[u8]) -> LineScan {
        let (block, ends, feeds) = self.last;
        let end = match ends {
            0 => 0,
            _ => block * BLOCK + BLOCK - ends.leading_zeros() as usize,
        };
        let gap = self.longest_gap.max(self.blocks - block);
        LineScan {
            irregular: self.misplaced != 0 || self.crs != self.crs_before_feeds,
            end,
            records: self.records,
            feeds,
            blank: self.blank,
            // The blocks between two ends, and nearly a block on either side of them.
            longest: ((gap + 1) * BLOCK).min(window.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same byte by byte; with the true length of the longest record.
    fn naive(window: &[u8]) -> (LineScan, usize) {
        let mut scan = LineScan::default();
        let (mut inside, mut start, mut feeds, mut longest) = (false, 0, 0, 0);
        let at = |at: usize| window.get(at).copied();
        let mut place = 0;
        while let Some(byte) = at(place) {
            let before = place.checked_sub(1).and_then(at);
            let next = at(place + 1);
            feeds += u64::from(byte == b'\n');
            match byte {
                b'"' if !inside => {
                    inside = true;
                    scan.irregular |= !matches!(before, None | Some(b',' | b'\n'));
                }
                b'"' if next == Some(b'"') => place += 1,
                b'"' => {
                    inside = false;
                    scan.irregular |= !matches!(next, None | Some(b',' | b'\n' | b'\r'));
                }
                b'\r' if !inside => scan.irregular |= next != Some(b'\n'),
                b'\n' if !inside => {
                    let record = &window[start..place];
                    scan.records += 1;
                    scan.blank += u64::from(record.is_empty() || record == b"\r");
                    longest = longest.max(record.len());
                    start = place + 1;
                    (scan.end, scan.feeds) = (start, feeds);
                }
                _ => {}
            }
            place += 1;
        }
        (scan, longest.max(window.len() - start))
    }

    fn agree(text: &[u8]) -> Result<(), TestCaseError> {
        let (expected, longest) = naive(text);
        for simd in Simd::available() {
            let found = lines_with(simd, text, CsvSyntax::default());
            prop_assert_eq!(found.irregular, expected.irregular, "{:?}", simd);
            if !found.irregular {
                prop_assert!(found.longest >= longest, "{simd:?} {} < {longest}", found.longest);
                prop_assert!(found.longest <= longest + 192);
                prop_assert_eq!(LineScan { longest: 0, ..found }, expected, "{:?}", simd);
            }
        }
        Ok(())
    }

    #[test]
    fn a_window_may_end_with_a_closing_quote() -> Result<(), TestCaseError> {
        for length in 0..200 {
            let text = format!("{}\"\"\"\"", "a,".repeat(length));
            prop_assert!(!lines(text.as_bytes(), CsvSyntax::default()).irregular);
            agree(text.as_bytes())?;
            agree(format!("{},\"b\"", "a".repeat(length)).as_bytes())?;
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn counting_agrees_with_cutting(
            pieces in proptest::collection::vec(
                (proptest::sample::select(vec![
                    "\n", "\r\n", "\n\n", "\r\n\r\n", "\r", "\"", "x,", "", ",\"a\nb\",", ",\"\"\"\"\r\n", "\n\"\"\n", "\"\"",
                ]), 0usize..90), 0..14
            )
        ) {
            let text: String = pieces.iter().map(|(mark, n)| format!("{}{mark}", "a".repeat(*n))).collect();
            agree(text.as_bytes())?;
        }

        #[test]
        fn marks_at_every_place_of_a_block_agree_with_cutting(
            length in 0usize..200, marks in proptest::collection::vec((0usize..200, 0usize..4), 0..6)
        ) {
            let mut text = vec![b'a'; length];
            for (at, mark) in marks {
                if let Some(place) = text.get_mut(at) {
                    *place = b"\n\r\","[mark];
                }
            }
            agree(&text)?;
        }

        #[test]
        fn short_texts_of_marks_alone_agree_with_cutting(marks in proptest::collection::vec(0usize..5, 0..150)) {
            let text: Vec<u8> = marks.into_iter().map(|mark| b"\n\r\",a"[mark]).collect();
            agree(&text)?;
        }

        /// Fields in quotes as they are written, so that regular texts with quotes are many.
        #[test]
        fn written_fields_agree_with_cutting(
            fields in proptest::collection::vec(proptest::sample::select(vec![
                "a,", "\"b\",", "\"b\"\"c\",", "\"\"\"\",", "\"\",", "\"x\ny\",", "\"x\r\ny\"\n", "1\n", "1\r\n", "\"z\"\r\n", "\n", ",",
            ]), 0..90)
        ) {
            let text = fields.concat();
            prop_assert!(!lines(text.as_bytes(), CsvSyntax::default()).irregular);
            agree(text.as_bytes())?;
        }
    }
}
