use super::{TooLong, blocks, check_len};
use crate::simd::Simd;

/// What the bytes of a delimited file mean. All must be ASCII, and different from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvSyntax {
    /// Ends a field; `None` if lines have one field only.
    pub delimiter: Option<u8>,
    /// Opens and closes a quoted field, doubled inside it; `None` if nothing is quoted.
    pub quote: Option<u8>,
    /// Whether a CR outside quotes is indexed too (files whose lines end in CR alone).
    pub index_cr: bool,
}

impl Default for CsvSyntax {
    /// RFC 4180: comma and double quote.
    fn default() -> Self {
        Self { delimiter: Some(b','), quote: Some(b'"'), index_cr: false }
    }
}

/// Whether the next window starts inside quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteState {
    inside: bool,
}

impl QuoteState {
    /// The state at a place known to be inside or outside quotes.
    #[must_use]
    pub const fn new(inside: bool) -> Self {
        Self { inside }
    }

    /// Whether the last window ended inside quotes.
    #[must_use]
    pub const fn is_inside(self) -> bool {
        self.inside
    }
}

/// What a pass over a window saw; chooses the way its fields are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsvScan {
    /// A quote was seen, or the window began inside quotes.
    pub quotes: bool,
    /// A CR was seen, inside or outside quotes.
    pub cr: bool,
    /// Number of LF outside quotes.
    pub line_feeds: usize,
}

/// Appends to `out` the positions of the delimiters and line feeds (and CRs, if asked for) outside quotes.
///
/// Every quote toggles, wherever it stands; so `a"b,c` (a quote inside an unquoted field) hides the comma. Where
/// [`CsvScan::quotes`] is false this makes no difference; where it is true the cutter must check each field's quotes.
///
/// ```
/// use fenhe_kernels::index::{CsvSyntax, QuoteState, csv_positions};
///
/// let mut out = Vec::new();
/// let mut state = QuoteState::default();
/// let scan = csv_positions(b"a,\"b,c\"\nd,e\n", CsvSyntax::default(), &mut state, &mut out)?;
/// assert_eq!(out, [1, 7, 9, 11]);
/// assert_eq!((scan.quotes, scan.cr, scan.line_feeds, state.is_inside()), (true, false, 2, false));
/// # Ok::<(), fenhe_kernels::index::TooLong>(())
/// ```
///
/// # Errors
/// [`TooLong`]: the window has more than 4 GiB; nothing is appended.
pub fn csv_positions(
    window: &[u8],
    syntax: CsvSyntax,
    state: &mut QuoteState,
    out: &mut Vec<u32>,
) -> Result<CsvScan, TooLong> {
    csv_positions_with(Simd::detect(), window, syntax, state, out)
}

/// [`csv_positions`] on a chosen instruction set.
///
/// # Errors
/// See [`csv_positions`].
pub fn csv_positions_with(
    simd: Simd,
    window: &[u8],
    syntax: CsvSyntax,
    state: &mut QuoteState,
    out: &mut Vec<u32>,
) -> Result<CsvScan, TooLong> {
    check_len(window)?;
    Ok(blocks::csv(simd, window, syntax, state, out))
}

/// Whether the index of a window proves that every record has exactly `fields` fields: each `fields`-th position is a
/// line feed and there are no other line feeds. `line_feeds` is [`CsvScan::line_feeds`] of the same window.
#[must_use]
pub fn is_regular(window: &[u8], positions: &[u32], fields: usize, line_feeds: usize) -> bool {
    if fields == 0
        || !positions.len().is_multiple_of(fields)
        || positions.len() / fields != line_feeds
    {
        return false;
    }
    let ends = positions.chunks_exact(fields).filter_map(<[u32]>::last);
    ends.fold(true, |regular, at| regular & (window.get(*at as usize) == Some(&b'\n')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(
        window: &[u8],
        syntax: CsvSyntax,
        state: &mut QuoteState,
        out: &mut Vec<u32>,
    ) -> CsvScan {
        let mut scan = CsvScan { quotes: state.inside, ..CsvScan::default() };
        for (at, &byte) in window.iter().enumerate() {
            scan.cr |= byte == b'\r';
            if Some(byte) == syntax.quote {
                scan.quotes = true;
                state.inside = !state.inside;
            } else if !state.inside {
                scan.line_feeds += usize::from(byte == b'\n');
                if Some(byte) == syntax.delimiter
                    || byte == b'\n'
                    || byte == b'\r' && syntax.index_cr
                {
                    out.push(at as u32);
                }
            }
        }
        scan
    }

    fn compare(window: &[u8], syntax: CsvSyntax, cuts: &[usize]) {
        for simd in Simd::available() {
            let (mut state, mut twin) = (QuoteState::default(), QuoteState::default());
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            let mut start = 0;
            for end in cuts.iter().copied().chain([window.len()]) {
                let piece = &window[start.min(end)..end];
                let scan = csv_positions_with(simd, piece, syntax, &mut state, &mut out).unwrap();
                assert_eq!(
                    scan,
                    naive(piece, syntax, &mut twin, &mut expected),
                    "{simd:?} {piece:?}"
                );
                assert_eq!((state, &out), (twin, &expected), "{simd:?}");
                start = end;
            }
        }
    }

    fn syntaxes() -> impl Strategy<Value = CsvSyntax> {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(delimiter, quote, index_cr)| {
            CsvSyntax {
                delimiter: delimiter.then_some(b';'),
                quote: quote.then_some(b'"'),
                index_cr,
            }
        })
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_the_loop_across_chunk_borders(
            window in proptest::collection::vec(proptest::sample::select(b"aaaaaaaa;;\"\r\n\xB0\xA1".to_vec()), 0..400),
            syntax in syntaxes(),
            mut cuts in proptest::collection::vec(0usize..400, 0..4),
        ) {
            cuts.iter_mut().for_each(|cut| *cut = (*cut).min(window.len()));
            cuts.sort_unstable();
            compare(&window, syntax, &cuts);
        }

        #[test]
        fn long_quoted_fields_agree_with_the_loop(
            fields in proptest::collection::vec((0usize..150, any::<bool>()), 0..8), cut in 0usize..400
        ) {
            let mut window = Vec::new();
            for (length, quoted) in fields {
                let quote: &[u8] = if quoted { b"\"" } else { b"" };
                window.extend_from_slice(quote);
                window.extend((0..length).map(|n| if quoted && n % 9 == 0 { b'\n' } else { b'x' }));
                window.extend_from_slice(quote);
                window.push(b',');
            }
            compare(&window, CsvSyntax::default(), &[cut.min(window.len())]);
        }
    }

    #[test]
    fn every_length_with_a_quote_at_every_block_edge_agrees_with_the_loop() {
        for length in 0..200 {
            for at in [0, 1, 31, 32, 62, 63, 64, 65, 127, 128, 129] {
                let mut window: Vec<u8> = (0..length).map(|n| b"ab,\r\n"[n % 5]).collect();
                if let Some(byte) = window.get_mut(at) {
                    *byte = b'"';
                }
                compare(&window, CsvSyntax::default(), &[]);
                compare(
                    &window,
                    CsvSyntax { quote: None, index_cr: true, ..CsvSyntax::default() },
                    &[],
                );
            }
        }
    }

    #[test]
    fn only_records_of_equal_length_are_regular() {
        let regular = |text: &str, fields| {
            let mut out = Vec::new();
            let window = text.as_bytes();
            let scan =
                csv_positions(window, CsvSyntax::default(), &mut QuoteState::default(), &mut out)
                    .unwrap();
            is_regular(window, &out, fields, scan.line_feeds)
        };
        assert!(regular("a,b\nc,\"d\n,\"\n", 2));
        assert!(regular("", 2));
        for text in ["a,b\nc\n", "a,b\nc,d", "a,b,c\nd\n", "a\nb,c,d\n", "a\nb\n"] {
            assert!(!regular(text, 2), "{text:?}");
        }
        assert!(!regular("a\n", 0));
    }
}
