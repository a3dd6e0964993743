//! Records that are lines.

use fenhe_text::Encoding;
use memchr::memchr2;

use super::Found;

/// The next line: LF or CRLF, in EBCDIC NEL (15) or LF (25).
pub(super) fn next(
    ends: (u8, u8),
    page: Encoding,
    searched: &mut usize,
    rest: &[u8],
    end: bool,
) -> Found {
    let from = (*searched).min(rest.len());
    let found = memchr2(ends.0, ends.1, rest.get(from..).unwrap_or_default()).map(|at| from + at);
    match found {
        Some(at) => {
            *searched = 0;
            let cr =
                !page.is_ebcdic() && rest.get(..at).is_some_and(|line| line.last() == Some(&b'\r'));
            Found::Record { from: 0, to: at - usize::from(cr), next: at + 1 }
        }
        None if !end => {
            *searched = rest.len();
            Found::More
        }
        None if rest.iter().all(|b| *b == 0x1A) => Found::Fill,
        None => {
            *searched = 0;
            Found::Record { from: 0, to: rest.len(), next: rest.len() }
        }
    }
}
