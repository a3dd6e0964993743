//! UTF-16 and UTF-32 without a mark: NUL bytes at every second or at three of four places.

use super::{Detection, each_char, survey};
use crate::encoding::Encoding;

#[expect(clippy::indexing_slicing, reason = "a remainder of 4")]
pub(super) fn by_nul_bytes(sample: &[u8]) -> Option<Detection> {
    if sample.len() < 4 || !sample.contains(&0) {
        return None;
    }
    let mut nul = [0usize; 4];
    for (at, _) in sample.iter().enumerate().filter(|(_, b)| **b == 0) {
        nul[at % 4] += 1;
    }
    let units = sample.len() / 4;
    let [a, b, c, d] = nul;
    let candidates = [
        (Encoding::UTF_32LE, c >= units && d >= units && a == 0),
        (Encoding::UTF_32BE, a >= units && b >= units && d == 0),
        (Encoding::UTF_16LE, a + c == 0 && b + d > 0),
        (Encoding::UTF_16BE, b + d == 0 && a + c > 0),
    ];
    let (encoding, _) = candidates
        .into_iter()
        .find(|&(encoding, fits)| fits && survey(encoding, sample).errors == 0)?;
    let count = nul.iter().sum::<usize>();
    // Wide text whose other bytes are all below 80 is Latin, and then every second byte is NUL. With fewer it is narrow
    // text that holds some NUL bytes.
    let latin = sample.iter().all(u8::is_ascii);
    if latin && count * 5 < sample.len() * 2 {
        return None;
    }
    let why = format!(
        "{count} NUL bytes, all at the places where {encoding} has the high byte of Latin letters, digits and line ends"
    );
    // A handful of NUL bytes may as well be binary fields in something else; text has no other control characters.
    let mut controls = 0;
    each_char(encoding, sample, |_, c| {
        controls +=
            usize::from(c.is_some_and(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')));
    });
    let enough = count * 8 >= sample.len() || count >= 8;
    enough.then(|| Detection::new(encoding, if controls == 0 { 0.95 } else { 0.5 }, why))
}
