//! EBCDIC: blanks are 40, digits F0..F9, letters C1..E9 and 81..A9 with gaps.

use super::{Detection, survey};
use crate::encoding::Encoding;
use crate::shifted::{SI, SO};

pub(super) fn by_ranges(sample: &[u8], hint: Option<Encoding>) -> Option<Detection> {
    let (single, runs) = split(sample);
    let share = |test: fn(u8) -> bool| {
        let hits = single.iter().filter(|&&b| test(b)).count();
        // Samples are far below 2^24 bytes; a rounded share will do beyond that.
        if single.is_empty() { 0.0 } else { hits as f32 / single.len() as f32 }
    };
    let text = share(is_text);
    let ascii = share(|b| b == b' ' || b == b'\n' || b == b'\r' || b == b',');
    let blanks = share(|b| b == 0x40);
    let digits = share(|b| (0xF0..=0xF9).contains(&b));
    // Packed and binary fields stand among the text of a record: two thirds are enough if blanks and digits agree.
    let enough = text > 0.85 || (text > 0.65 && blanks + digits > 0.2);
    if !enough || ascii > 0.03 || blanks + digits < 0.03 {
        return None;
    }
    let why = format!(
        "{:.0} % of the single bytes are EBCDIC text ({:.0} % blanks 40, {:.0} % digits F0..F9), {:.0} % are ASCII blanks, commas or line ends",
        text * 100.0,
        blanks * 100.0,
        digits * 100.0,
        ascii * 100.0
    );
    let confidence = if text > 0.85 { 0.9 } else { 0.7 };
    Some(match runs {
        0 => single_page(sample, confidence, why),
        _ => mixed_page(sample, runs, confidence, why, hint),
    })
}

/// The bytes outside SO and SI, and the number of well-formed double-byte runs.
fn split(sample: &[u8]) -> (Vec<u8>, usize) {
    let mut single = Vec::with_capacity(sample.len());
    let mut runs = 0;
    let mut rest = sample;
    while let Some(at) = memchr::memchr(SO, rest) {
        let (before, from) = rest.split_at(at);
        single.extend_from_slice(before);
        let inside = from.get(1..).unwrap_or_default();
        match memchr::memchr(SI, inside) {
            Some(end) if end % 2 == 0 && inside.iter().take(end).all(|&b| b >= 0x40) => {
                runs += 1;
                rest = inside.get(end + 1..).unwrap_or_default();
            }
            _ => {
                single.push(SO);
                rest = inside;
            }
        }
    }
    single.extend_from_slice(rest);
    (single, runs)
}

/// 037, 500 and 1047 differ in a few signs only: the brackets tell, if there are any.
fn single_page(sample: &[u8], confidence: f32, why: String) -> Detection {
    let count = |a: u8, b: u8| {
        let has = |x: u8| sample.iter().filter(|&&y| y == x).count();
        has(a).min(has(b))
    };
    let brackets = [
        (Encoding::IBM1047, count(0xAD, 0xBD)),
        (Encoding::IBM037, count(0xBA, 0xBB)),
        (Encoding::IBM500, count(0x4A, 0x5A)),
    ];
    let best = brackets.iter().copied().max_by_key(|&(_, n)| n).filter(|&(_, n)| n > 0);
    let encoding = best.map_or(Encoding::IBM037, |(encoding, _)| encoding);
    let others = [
        Encoding::IBM037,
        Encoding::IBM1047,
        Encoding::IBM500,
        Encoding::IBM1140,
        Encoding::IBM273,
    ];
    let found = Detection::new(encoding, confidence, why).or(&others);
    found.because(match best {
        Some((encoding, _)) => format!("square brackets stand where {encoding} has them"),
        None => "the EBCDIC pages differ in signs that do not occur here: 037 is taken as the most usual".to_owned(),
    })
}

fn mixed_page(
    sample: &[u8],
    runs: usize,
    confidence: f32,
    why: String,
    hint: Option<Encoding>,
) -> Detection {
    let mut pages = [Encoding::IBM935, Encoding::IBM1388, Encoding::IBM937, Encoding::IBM939]
        .map(|e| (survey(e, sample).errors, super::frequent::share(e, sample), e));
    pages.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let best =
        hint.filter(|h| pages.iter().any(|p| p.2 == *h && p.0 == pages[0].0)).unwrap_or(pages[0].2);
    let found = Detection::new(best, confidence, why)
        .or(&pages.map(|(_, _, e)| e))
        .because(format!("{runs} double-byte runs between SO (0E) and SI (0F): a mixed page"));
    found.because(format!(
        "{best} reads these runs with the fewest errors and the most frequent characters"
    ))
}

fn is_text(b: u8) -> bool {
    matches!(
        b,
        0x40 | 0x81..=0x89
            | 0x91..=0x99
            | 0xA2..=0xA9
            | 0xC1..=0xC9
            | 0xD1..=0xD9
            | 0xE2..=0xE9
            | 0xF0..=0xF9
            | 0x15
            | 0x25
            | 0x4B
            | 0x4D
            | 0x5D
            | 0x60
            | 0x61
            | 0x6B
            | 0x6D
            | 0x7A
            | 0x7D
            | 0x7E
            | 0x7F
            | 0x50
            | 0x5C
            | 0x7B
            | 0x7C
    )
}
