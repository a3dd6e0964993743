//! Finding an encoding by what people and files call it.

use crate::encoding::{Encoding, PrivateUse};
use crate::pages::PAGES;

/// Words in front of a code page number. Longest first: `windows` before `win`.
const PREFIXES: [&str; 12] = [
    "codepage",
    "cswindows",
    "windows",
    "ccsid",
    "csibm",
    "xibm",
    "oem",
    "ibm",
    "win",
    "dos",
    "ms",
    "cp",
];

impl Encoding {
    /// The encoding that `label` names: IANA and WHATWG names, Python's (`cp932`, `latin-1`),
    /// IBM's (`ibm-037`, `CCSID 935`), HL7's table 0211 (`GB 18030-2000`, `8859/1`) or a bare code page
    /// number. Case, spaces and punctuation do not count. `-strict` at the end of a Chinese, Japanese
    /// or Korean name refuses private-use characters.
    ///
    /// `latin-1` is ISO 8859-1 itself and `ascii` is seven bits, not windows-1252 as in browsers.
    ///
    /// ```
    /// use fenhe_text::Encoding;
    /// assert_eq!(Encoding::for_label("UTF-8-SIG"), Some(Encoding::UTF_8));
    /// assert_eq!(Encoding::for_label("ibm-037"), Some(Encoding::IBM037));
    /// assert_eq!(Encoding::for_label("nonsense"), None);
    /// ```
    #[must_use]
    pub fn for_label(label: &str) -> Option<Self> {
        let folded = fold(label)?;
        find(&folded).or_else(|| {
            let page = find(folded.strip_suffix("strict")?)?;
            Some(page.with_private_use(PrivateUse::Refuse))
        })
    }

    /// The encoding with that code page number, Microsoft's, IBM's (CCSID) or a DBF file's.
    ///
    /// ```
    /// use fenhe_text::Encoding;
    /// assert_eq!(Encoding::for_code_page(936), Some(Encoding::CP936));
    /// assert_eq!(Encoding::for_code_page(37), Some(Encoding::IBM037));
    /// ```
    #[must_use]
    pub fn for_code_page(number: u32) -> Option<Self> {
        Self::all().find(|e| e.page().numbers.contains(&number))
    }
}

/// Whether a label asks for a byte order mark at the start of what is written (`utf-8-sig`,
/// `utf-16`: Python's meaning). When reading, a mark is looked for in any case.
#[must_use]
pub fn label_asks_for_bom(label: &str) -> bool {
    fold(label).is_some_and(|l| {
        l.ends_with("sig") || l.ends_with("bom") || matches!(l.as_str(), "utf16" | "utf32")
    })
}

/// Lower-case letters and digits only. No label is longer than 40 characters.
fn fold(label: &str) -> Option<String> {
    if label.len() > 64 || !label.is_ascii() {
        return None;
    }
    Some(
        label.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect(),
    )
}

fn find(folded: &str) -> Option<Encoding> {
    let by_name = |wanted: &str| {
        Encoding::all()
            .zip(PAGES)
            .find(|(_, p)| p.labels.contains(&wanted) || fold(p.name).as_deref() == Some(wanted))
    };
    if let Some((page, _)) = by_name(folded) {
        return Some(page);
    }
    let number = PREFIXES.iter().find_map(|p| folded.strip_prefix(p)).unwrap_or(folded);
    let number = number.strip_prefix("cp").unwrap_or(number);
    if !number.is_empty() && number.len() <= 5 && number.bytes().all(|b| b.is_ascii_digit()) {
        return Encoding::for_code_page(number.parse().ok()?);
    }
    folded
        .strip_prefix('x')
        .or_else(|| folded.strip_prefix("cs"))
        .and_then(|rest| by_name(rest).map(|(page, _)| page).or_else(|| find_number(rest)))
}

fn find_number(folded: &str) -> Option<Encoding> {
    let number = PREFIXES.iter().find_map(|p| folded.strip_prefix(p))?;
    Encoding::for_code_page(number.parse().ok()?)
}
