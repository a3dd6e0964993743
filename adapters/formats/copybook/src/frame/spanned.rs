//! Records in segments, each with a segment descriptor word (VS, VBS).
//!
//! z/OS DFSMS, "Segment descriptor word": length including the word, then the segment control code in the two low
//! bits: 00 the whole record, 01 its first segment, 10 its last, 11 one between.

use super::rdw::block;
use super::{Found, lost};

/// The next record, joined from its segments.
pub(super) fn next(
    blocks: bool,
    block_left: &mut u64,
    rest: &[u8],
    end: bool,
    assembly: &mut Vec<u8>,
    limit: u64,
) -> Found {
    let (mut at, mut left) = (0usize, *block_left);
    let start = assembly.len();
    let mut begun = false;
    loop {
        if blocks && left == 0 {
            match block(rest.get(at..).unwrap_or_default()) {
                Ok(Some(data)) => {
                    at += 4;
                    left = data;
                }
                Ok(None) => return more(assembly, start, end && at == 0, rest),
                Err(found) => {
                    return give_up(assembly, start, at, "a block descriptor word", found);
                }
            }
        }
        let Some([a, b, code, zero]) = rest.get(at..).and_then(<[u8]>::first_chunk::<4>).copied()
        else {
            return more(assembly, start, end && at == 0, rest);
        };
        let length = usize::from(u16::from_be_bytes([a, b]));
        if length < 4 || zero != 0 || code > 3 {
            return give_up(
                assembly,
                start,
                at,
                "a segment descriptor word",
                "another length or control code",
            );
        }
        // A first or whole segment inside a record means that its end is lost.
        if begun != matches!(code, 2 | 3) {
            return give_up(
                assembly,
                start,
                at,
                "the segments of a record in order",
                "a segment of another record",
            );
        }
        if blocks && length as u64 > left {
            return give_up(assembly, start, at, "a segment within its block", "a longer one");
        }
        let Some(data) = rest.get(at + 4..at + length) else {
            return more(assembly, start, false, rest);
        };
        if (assembly.len() - start + data.len()) as u64 > limit {
            return give_up(
                assembly,
                start,
                at,
                "a record within the limit record",
                "a longer one",
            );
        }
        assembly.extend_from_slice(data);
        at += length;
        left = left.saturating_sub(length as u64);
        begun = true;
        if matches!(code, 0 | 2) {
            *block_left = left;
            return Found::Joined { from: start, next: at };
        }
    }
}

fn more(assembly: &mut Vec<u8>, start: usize, last: bool, rest: &[u8]) -> Found {
    assembly.truncate(start);
    if last && super::fixed::is_fill(rest) { Found::Fill } else { Found::More }
}

fn give_up(
    assembly: &mut Vec<u8>,
    start: usize,
    at: usize,
    expected: &'static str,
    found: &'static str,
) -> Found {
    assembly.truncate(start);
    lost(at, expected, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_over_two_blocks_is_joined() {
        let stream = [0, 11, 0, 0, 0, 7, 1, 0, 1, 2, 3, 0, 10, 0, 0, 0, 6, 2, 0, 4, 5];
        let (mut left, mut assembly) = (0, Vec::new());
        let found = next(true, &mut left, &stream, true, &mut assembly, 1 << 20);
        assert_eq!(found, Found::Joined { from: 0, next: 21 });
        assert_eq!((assembly.as_slice(), left), (&[1, 2, 3, 4, 5][..], 0));
        assembly.clear();
        assert_eq!(
            next(true, &mut left, &stream[..20], false, &mut assembly, 1 << 20),
            Found::More
        );
        assert!(assembly.is_empty());
    }
}
