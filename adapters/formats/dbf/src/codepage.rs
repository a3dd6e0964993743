//! Which code page: caller, `.cpg` file, language byte, content, in this order of trust.

use fenhe_core::{Result, read_exact_at};
use fenhe_text::Encoding;

use crate::error;
use crate::header::Header;

/// A code page and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The code page.
    pub encoding: Encoding,
    /// Why, for people.
    pub reason: String,
    /// Found by looking at content.
    pub sniffed: bool,
}

impl Settled {
    pub(crate) fn new(encoding: Encoding, reason: impl Into<String>) -> Self {
        Self { encoding, reason: reason.into(), sniffed: false }
    }
}

/// The code page of a language driver byte (header offset 29). `None`: 00, 57 ("current ANSI"), or unknown.
///
/// Source: the tables of FoxPro's documentation as dbfread and the Ruby library `dbf` have them, agreeing.
#[must_use]
pub fn language(byte: u8) -> Option<Encoding> {
    let number = match byte {
        0x01 | 0x09 | 0x0B | 0x0D | 0x0F | 0x11 | 0x15 | 0x18 | 0x19 | 0x1B => 437,
        0x02 | 0x0A | 0x0E | 0x10 | 0x12 | 0x14 | 0x16 | 0x1A | 0x1D | 0x25 | 0x37 => 850,
        0x03 | 0x58 | 0x59 => 1252,
        0x04 => 10000,
        0x08 | 0x17 | 0x66 => 865,
        0x13 | 0x7B => 932,
        0x1C | 0x6C => 863,
        0x1F | 0x22 | 0x23 | 0x40 | 0x64 | 0x87 => 852,
        0x24 => 860,
        0x26 | 0x65 => 866,
        0x4D | 0x7A => 936,
        0x4E | 0x79 => 949,
        0x4F | 0x78 => 950,
        0x50 | 0x7C => 874,
        0x67 => 861,
        0x68 => 895,
        0x69 => 620,
        0x6A | 0x86 => 737,
        0x6B | 0x88 => 857,
        0x7D => 1255,
        0x7E => 1256,
        0x96 => 10007,
        0x97 => 10029,
        0x98 => 10006,
        0xC8 => 1250,
        0xC9 => 1251,
        0xCA => 1254,
        0xCB => 1253,
        0xCC => 1257,
        _ => return None,
    };
    Encoding::for_code_page(number)
}

/// The name to give as option `encoding`.
pub(crate) fn label(encoding: Encoding) -> String {
    if encoding == Encoding::CP936 { "gbk".into() } else { encoding.to_string().to_lowercase() }
}

/// The language byte that FoxPro writes for a code page; 00 when there is none.
#[must_use]
pub fn language_byte(encoding: Encoding) -> u8 {
    if encoding == Encoding::GBK {
        return 0x4D;
    }
    match encoding.code_page() {
        Some(936) => 0x4D,
        Some(1252) => 0x03,
        Some(950) => 0x4F,
        Some(949) => 0x4E,
        Some(932) => 0x13,
        Some(866) => 0x65,
        _ => (1..=u8::MAX).find(|byte| language(*byte) == Some(encoding)).unwrap_or(0),
    }
}

/// The code page that a `.cpg` file names (`GBK`, `936`, `UTF-8`, `OEM 936`).
pub(crate) fn sidecar(data: &dyn fenhe_core::ReadAt) -> Result<Option<Settled>> {
    let bytes = read_exact_at(data, 0..data.size().min(64), 64)?;
    let text = String::from_utf8_lossy(&bytes);
    let label = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\0' | '\u{FEFF}'));
    if label.is_empty() {
        return Ok(None);
    }
    let found = Encoding::for_label(label)
        .or_else(|| Encoding::for_label(label.rsplit(' ').next().unwrap_or(label)))
        .or_else(|| esri(label));
    match found {
        Some(encoding) => {
            Ok(Some(Settled::new(encoding, format!("the .cpg file says {encoding}"))))
        }
        None => Err(error::unknown_encoding("the .cpg file names a code page that is not known")),
    }
}

/// ESRI writes `88591` and the like for ISO 8859-1.
fn esri(label: &str) -> Option<Encoding> {
    let part = label.strip_prefix("8859").filter(|p| !p.is_empty())?;
    Encoding::for_label(&format!("iso-8859-{part}"))
}

/// What the language byte says.
pub(crate) fn from_language(header: &Header) -> Option<Settled> {
    let encoding = language(header.language)?;
    Some(Settled::new(encoding, format!("language byte {:02X} means {encoding}", header.language)))
}

/// A guess from the bytes of names and text fields; `None` when they are all ASCII.
///
/// Only code pages under which every byte of the sample is a character are considered.
pub(crate) fn sniff(names: &[u8], text: &[&[u8]]) -> Option<Settled> {
    let pieces = || std::iter::once(names).chain(text.iter().copied()).filter(|p| !p.is_ascii());
    let all = pieces().count();
    if all == 0 {
        return None;
    }
    let fits = |e: Encoding| pieces().filter(|p| e.decode(p).is_ok()).count();
    // A field may end inside a character: one bad value in fifty does not decide.
    let good = |e: Encoding| fits(e) * 50 >= all * 49;
    let found = |encoding: Encoding, how: &str| Settled {
        encoding,
        reason: format!("{how}: {} of {all} values beyond ASCII are {encoding}", fits(encoding)),
        sniffed: true,
    };
    if good(Encoding::UTF_8) {
        return Some(found(Encoding::UTF_8, "content"));
    }
    let mut common = (0usize, 0usize);
    for piece in pieces() {
        let (hanzi, high) = hanzi(piece);
        common = (common.0 + hanzi, common.1 + high);
    }
    // The 3,755 characters of GB 2312 level 1 and its symbols make up nearly all Chinese text.
    if good(Encoding::CP936) && common.0 * 2 * 10 >= common.1 * 7 {
        return Some(found(Encoding::CP936, "content"));
    }
    [Encoding::BIG5, Encoding::GB18030, Encoding::SHIFT_JIS, Encoding::EUC_KR]
        .into_iter()
        .find(|e| good(*e) && looks_wide(*e, &mut pieces()))
        .map(|e| found(e, "content"))
}

/// Pairs of GB 2312 symbols and level 1, and bytes above 7F.
fn hanzi(piece: &[u8]) -> (usize, usize) {
    let (mut pairs, mut high, mut at) = (0, 0, 0);
    while let Some(&lead) = piece.get(at) {
        if lead < 0x80 {
            at += 1;
            continue;
        }
        let trail = piece.get(at + 1).copied().unwrap_or(0);
        let common = matches!(lead, 0xA1..=0xA3 | 0xB0..=0xD7) && trail >= 0xA1;
        pairs += usize::from(common);
        high += 1 + usize::from(trail >= 0x80);
        at += 2;
    }
    (pairs, high)
}

/// Most characters beyond ASCII are ideographs, kana or hangul that stand beside another one. Western text read as
/// pairs gives ideographs too, but lone ones between letters.
fn looks_wide(encoding: Encoding, pieces: &mut dyn Iterator<Item = &[u8]>) -> bool {
    let (mut wide, mut all) = (0usize, 0usize);
    for text in pieces.filter_map(|p| encoding.decode(p).ok()) {
        let kinds: Vec<_> = text.chars().map(|c| (c.is_ascii(), is_wide(c))).collect();
        for (at, (ascii, _)) in kinds.iter().enumerate().filter(|(_, k)| !k.0) {
            let beside = |at: Option<usize>| at.and_then(|at| kinds.get(at)).is_some_and(|k| k.1);
            let own = beside(Some(at)) && (beside(at.checked_sub(1)) || beside(Some(at + 1)));
            all += usize::from(!ascii);
            wide += usize::from(own);
        }
    }
    all > 0 && wide * 10 >= all * 8
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{FF00}'..='\u{FFEF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_bytes_name_their_code_pages() {
        for (byte, number) in
            [(0x4D, 936), (0x7A, 936), (0x4F, 950), (0x03, 1252), (0x65, 866), (0xC9, 1251)]
        {
            assert_eq!(language(byte).and_then(Encoding::code_page), Some(number), "{byte:02X}");
        }
        for silent in [0x00, 0x57, 0xF0] {
            assert_eq!(language(silent), None, "{silent:02X}");
        }
        for byte in 1..=u8::MAX {
            if let Some(encoding) = language(byte) {
                assert_eq!(language(language_byte(encoding)), Some(encoding), "{byte:02X}");
            }
        }
    }

    #[test]
    fn a_sidecar_names_the_code_page_in_several_ways() {
        for (text, name) in [
            ("GBK", "GBK"),
            ("936\r\n", "CP936"),
            ("OEM 936", "CP936"),
            ("UTF-8", "UTF-8"),
            ("88591", "ISO-8859-1"),
        ] {
            let settled = sidecar(&bytes::Bytes::from(text)).unwrap().unwrap();
            assert_eq!(settled.encoding.name(), name, "{text}");
        }
        assert_eq!(
            sidecar(&bytes::Bytes::from_static(b"klingon")).unwrap_err().code(),
            "dbf.encoding"
        );
        assert_eq!(sidecar(&bytes::Bytes::new()).unwrap(), None);
    }

    #[test]
    fn chinese_content_is_recognised() {
        let gbk = Encoding::GBK.encode("北京市朝阳区建国门外大街").unwrap();
        assert_eq!(sniff(b"NAME", &[&gbk]).unwrap().encoding, Encoding::CP936);
        assert_eq!(sniff(b"NAME", &["北京市".as_bytes()]).unwrap().encoding, Encoding::UTF_8);
        let big5 = Encoding::BIG5.encode("臺北市中正區重慶南路一段").unwrap();
        assert_eq!(sniff(b"NAME", &[&big5]).unwrap().encoding, Encoding::BIG5);
        assert_eq!(sniff(b"NAME", &[b"plain"]), None);
        assert_eq!(sniff(b"NAME", &[b"C\xF4te d'Ivoire", b"S\xE3o Tom\xE9"]), None);
    }
}
