use super::blocks;
use crate::simd::Simd;

const BLOCK: usize = 64;

/// What a pass over lines saw, without listing them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineScan {
    /// A quote was seen.
    pub quotes: bool,
    /// A CR stands somewhere else than in front of an LF.
    pub stray_cr: bool,
    /// Bytes up to and including the last LF.
    pub end: usize,
    /// Number of LF.
    pub feeds: u64,
    /// Lines that hold nothing, or a CR alone.
    pub blank: u64,
    /// No line has more bytes than this (what follows the last LF is a line, too).
    pub longest: usize,
}

/// Counts lines, at a fraction of what it costs to list them with [`csv_positions`](super::csv_positions).
///
/// ```
/// use fenhe_kernels::index::lines;
///
/// let scan = lines(b"a,b\r\n\r\n1,2\r\n3,", Some(b'"'));
/// assert_eq!((scan.feeds, scan.blank, scan.end), (3, 1, 12));
/// assert!(!scan.quotes && !scan.stray_cr);
/// ```
#[must_use]
pub fn lines(window: &[u8], quote: Option<u8>) -> LineScan {
    lines_with(Simd::detect(), window, quote)
}

/// [`lines`] on a chosen instruction set.
#[must_use]
pub fn lines_with(simd: Simd, window: &[u8], quote: Option<u8>) -> LineScan {
    blocks::lines(simd, window, quote)
}

/// What is known between two blocks.
pub(super) struct LinePass {
    quotes: u64,
    feeds: u64,
    blank: u64,
    crs: u64,
    crs_before_feeds: u64,
    /// Bit 0: the last byte was an LF; was a CR; was a CR at the start of a line.
    after_feed: u64,
    after_cr: u64,
    after_first_cr: u64,
    /// Blocks without an LF in a row, now and at most.
    gap: usize,
    longest_gap: usize,
}

impl Default for LinePass {
    fn default() -> Self {
        Self {
            quotes: 0,
            feeds: 0,
            blank: 0,
            crs: 0,
            crs_before_feeds: 0,
            // The window starts with a line.
            after_feed: 1,
            after_cr: 0,
            after_first_cr: 0,
            gap: 0,
            longest_gap: 0,
        }
    }
}

impl LinePass {
    /// Takes where the special bytes of the next block are.
    #[inline(always)]
    pub(super) fn step(&mut self, quotes: u64, crs: u64, feeds: u64) {
        self.quotes |= quotes;
        self.feeds += u64::from(feeds.count_ones());
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
        self.gap = if feeds == 0 { self.gap + 1 } else { 0 };
        self.longest_gap = self.longest_gap.max(self.gap);
    }

    pub(super) fn finish(self, window: &[u8]) -> LineScan {
        LineScan {
            quotes: self.quotes != 0,
            stray_cr: self.crs != self.crs_before_feeds,
            end: memchr::memrchr(b'\n', window).map_or(0, |at| at + 1),
            feeds: self.feeds,
            blank: self.blank,
            // The blocks between two LF, and nearly a block on either side of them.
            longest: ((self.longest_gap + 2) * BLOCK).min(window.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by cutting lines; with the true length of the longest.
    fn naive(window: &[u8]) -> (LineScan, usize) {
        let mut scan = LineScan {
            quotes: window.contains(&b'"'),
            end: window.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1),
            ..LineScan::default()
        };
        let pieces: Vec<&[u8]> = window.split(|b| *b == b'\n').collect();
        for (at, line) in pieces.iter().enumerate() {
            let ended = at + 1 < pieces.len();
            scan.feeds += u64::from(ended);
            scan.blank += u64::from(ended && (line.is_empty() || *line == b"\r"));
            let body = if ended { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
            scan.stray_cr |= body.contains(&b'\r');
        }
        (scan, pieces.iter().map(|line| line.len()).max().unwrap_or(0))
    }

    proptest! {
        #[test]
        fn counting_agrees_with_cutting(
            pieces in proptest::collection::vec(
                (proptest::sample::select(vec!["\n", "\r\n", "\n\n", "\r\n\r\n", "\r", "\"", "x,", ""]), 0usize..90), 0..14
            )
        ) {
            let text: String = pieces.iter().map(|(mark, n)| format!("{}{mark}", "a".repeat(*n))).collect();
            let (expected, longest) = naive(text.as_bytes());
            for simd in Simd::available() {
                let found = lines_with(simd, text.as_bytes(), Some(b'"'));
                prop_assert!(found.longest >= longest, "{simd:?} {} < {longest}", found.longest);
                prop_assert!(found.longest <= longest + 192);
                prop_assert_eq!(LineScan { longest: 0, ..found }, expected, "{:?}", simd);
            }
        }

        #[test]
        fn a_mark_at_every_place_of_a_block_agrees_with_cutting(
            length in 0usize..200, first in 0usize..200, second in 0usize..200, marks in any::<(u8, u8)>()
        ) {
            let mut text = vec![b'a'; length];
            for (at, mark) in [(first, marks.0), (second, marks.1)] {
                if let Some(place) = text.get_mut(at) {
                    *place = [b'\n', b'\r', b'"'][usize::from(mark % 3)];
                }
            }
            let (expected, longest) = naive(&text);
            for simd in Simd::available() {
                let found = lines_with(simd, &text, Some(b'"'));
                prop_assert!(found.longest >= longest);
                prop_assert_eq!(LineScan { longest: 0, ..found }, expected, "{:?}", simd);
            }
        }
    }
}
