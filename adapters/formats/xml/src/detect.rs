//! Which characters the bytes stand for: byte order mark, then the option, then the declaration, then UTF-8
//! (XML 1.0, appendix F). A document that contradicts itself is refused.

use fenhe_core::{Error, Kind, Result};
use fenhe_text::Encoding;

/// What was found about the encoding.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) encoding: Encoding,
    pub(crate) bom: usize,
    pub(crate) reason: String,
    /// Worth telling although nothing is lost.
    pub(crate) note: Option<String>,
}

/// Characters beyond ASCII that are enough to tell UTF-8 from another encoding that happens to be valid UTF-8.
const ENOUGH: usize = 3;

/// Settles the encoding by the start of a document.
///
/// # Errors
/// Code `xml.encoding_lie` when mark, option, declaration and bytes contradict each other, `xml.encoding_unknown` for a
/// label that nobody knows.
pub(crate) fn encoding(start: &[u8], option: Option<&str>) -> Result<Found> {
    let (mark, bom) = byte_order_mark(start);
    let family = mark.or_else(|| by_pattern(start));
    let declared = declared(start.get(bom..).unwrap_or_default(), family);
    let chosen = option.map(|label| known(label, "the option")).transpose()?;
    if let (Some(mark), Some(chosen)) = (mark, chosen)
        && !agrees(mark, chosen)
    {
        return Err(lie(
            format!("the byte order mark says {mark}, the option {chosen}"),
            "leave the option out",
        ));
    }
    if let Some(encoding) = chosen {
        let encoding = mark.unwrap_or(encoding);
        let differs =
            declared.as_deref().filter(|label| Encoding::for_label(label) != Some(encoding));
        let note = differs.map(|label| {
            format!("the document declares {label}; read as {encoding}, as the option says")
        });
        return Ok(Found { encoding, bom, reason: format!("encoding {encoding}: given"), note });
    }
    let words = declared.as_deref().map(|label| known(label, "the declaration")).transpose()?;
    let found = |encoding, reason: String| Ok(Found { encoding, bom, reason, note: None });
    match (mark, family, words) {
        (Some(mark), _, Some(words))
            if !agrees(mark, words) && !wide_label(declared.as_deref(), mark) =>
        {
            Err(lie(
                format!("the byte order mark says {mark}, the declaration {words}"),
                "encoding=... decides",
            ))
        }
        (Some(mark), ..) => found(mark, format!("encoding {mark}: byte order mark")),
        (None, Some(family), words) => {
            by_family(family, words, declared.as_deref()).and_then(|encoding| {
                found(encoding, format!("encoding {encoding}: the first bytes, no byte order mark"))
            })
        }
        (None, None, Some(words)) => {
            if !words.is_ascii_superset() {
                return Err(lie(
                    format!("the declaration says {words}, but is not written in it"),
                    "encoding=... decides",
                ));
            }
            check_not_utf8(start, words)?;
            found(words, format!("encoding {words}: declared"))
        }
        (None, None, None) => {
            found(Encoding::UTF_8, "encoding UTF-8: nothing else is declared".into())
        }
    }
}

/// Why bytes at `offset` are no characters, and what they may be.
pub(crate) fn broken(encoding: Encoding, offset: u64, around: &[u8]) -> Error {
    let error = Error::new(
        Kind::Invalid,
        "xml.encoding",
        format!("bytes that are no character of {encoding}"),
    );
    let better = fenhe_text::detect(around, None).encoding;
    let error = error.at_offset(offset);
    if better == encoding {
        error
    } else {
        error.hint(format!("the bytes look like {better}: try encoding={better}"))
    }
}

fn byte_order_mark(start: &[u8]) -> (Option<Encoding>, usize) {
    // UTF-32LE first: its mark starts like that of UTF-16LE.
    for encoding in [
        Encoding::UTF_32LE,
        Encoding::UTF_32BE,
        Encoding::UTF_8,
        Encoding::UTF_16LE,
        Encoding::UTF_16BE,
    ] {
        let mark = encoding.bom();
        if !mark.is_empty() && start.starts_with(mark) {
            return (Some(encoding), mark.len());
        }
    }
    (None, 0)
}

/// Appendix F.1: the first bytes of `<?xml` or of a tag.
fn by_pattern(start: &[u8]) -> Option<Encoding> {
    match start {
        [0, 0, 0, b'<', ..] => Some(Encoding::UTF_32BE),
        [b'<', 0, 0, 0, ..] => Some(Encoding::UTF_32LE),
        [0, b'<', ..] => Some(Encoding::UTF_16BE),
        [b'<', 0, ..] => Some(Encoding::UTF_16LE),
        [0x4C, 0x6F, 0xA7, 0x94, ..] => Some(Encoding::IBM037),
        _ => None,
    }
}

fn by_family(family: Encoding, words: Option<Encoding>, label: Option<&str>) -> Result<Encoding> {
    match words {
        Some(words) if family.is_ebcdic() && words.is_ebcdic() && !words.is_stateful() => Ok(words),
        None if family.is_ebcdic() => Err(Error::new(
            Kind::Invalid,
            "xml.encoding_unknown",
            "an EBCDIC document that does not declare its code page",
        )
        .at_offset(0)
        .hint("encoding=ibm-1047 or another page decides")),
        Some(words) if !agrees(family, words) && !wide_label(label, family) => Err(lie(
            format!("the first bytes are {family}, the declaration says {words}"),
            "encoding=... decides",
        )),
        _ => Ok(family),
    }
}

/// `UTF-16` and `UTF-32` without byte order fit either.
fn wide_label(label: Option<&str>, encoding: Encoding) -> bool {
    let word: String =
        label.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let word = word.to_ascii_lowercase();
    match encoding {
        Encoding::UTF_16LE | Encoding::UTF_16BE => {
            matches!(word.as_str(), "utf16" | "ucs2" | "iso10646ucs2")
        }
        Encoding::UTF_32LE | Encoding::UTF_32BE => {
            matches!(word.as_str(), "utf32" | "ucs4" | "iso10646ucs4")
        }
        _ => false,
    }
}

fn agrees(mark: Encoding, words: Encoding) -> bool {
    mark == words
}

fn known(label: &str, who: &str) -> Result<Encoding> {
    let encoding = Encoding::for_label(label).filter(|e| !e.is_stateful());
    encoding.ok_or_else(|| {
        Error::new(
            Kind::Invalid,
            "xml.encoding_unknown",
            format!("{who} names an encoding that cannot be read"),
        )
        .at_offset(0)
        .hint("encoding=... with another name of it decides")
    })
}

/// The value of `encoding` in an XML declaration, whatever family it is written in.
fn declared(start: &[u8], family: Option<Encoding>) -> Option<String> {
    let head = start.get(..1_024).unwrap_or(start);
    let text = match family {
        None | Some(Encoding::UTF_8) => String::from_utf8_lossy(head).into_owned(),
        Some(family) => {
            let whole = head.len() - family.incomplete_tail(head).min(head.len());
            let mut text = fenhe_text::Utf8Buf::default();
            let _ = family
                .decode_into(head.get(..whole)?, fenhe_text::Invalid::Replace, &mut text)
                .ok()?;
            text.as_str().to_owned()
        }
    };
    let (inside, _) = text.strip_prefix("<?xml")?.split_once("?>")?;
    let start = quick_xml::events::BytesStart::from_content(inside, 0);
    let value = start.attributes().flatten().find(|a| a.key.0 == "encoding")?.value;
    Some(value.into_owned())
}

/// Declared otherwise, but every character beyond ASCII is valid UTF-8.
fn check_not_utf8(sample: &[u8], words: Encoding) -> Result<()> {
    if words == Encoding::UTF_8 {
        return Ok(());
    }
    let valid = match std::str::from_utf8(sample) {
        Ok(text) => Some(text),
        Err(e) if e.error_len().is_none() => {
            sample.get(..e.valid_up_to()).and_then(|s| std::str::from_utf8(s).ok())
        }
        Err(_) => None,
    };
    match valid {
        Some(text) if text.chars().filter(|c| !c.is_ascii()).take(ENOUGH).count() == ENOUGH => {
            Err(lie(
                format!("the declaration says {words}, the bytes are UTF-8"),
                "encoding=utf-8 reads them, the declared name insists",
            ))
        }
        _ => Ok(()),
    }
}

fn lie(what: String, hint: &'static str) -> Error {
    Error::new(Kind::Invalid, "xml.encoding_lie", what).at_offset(0).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Result<Encoding> {
        encoding(bytes, None).map(|f| f.encoding)
    }

    #[test]
    fn mark_then_declaration_then_utf_8() {
        let wide = |text: &str, e: Encoding| e.encode(text).unwrap();
        assert_eq!(found(b"<a/>").unwrap(), Encoding::UTF_8);
        assert_eq!(found(b"<?xml version='1.0' encoding='GBK'?><a/>").unwrap(), Encoding::GBK);
        assert_eq!(found(b"\xEF\xBB\xBF<a/>").unwrap(), Encoding::UTF_8);
        let declared = "<?xml version='1.0' encoding='UTF-16'?><a/>";
        assert_eq!(found(&wide(declared, Encoding::UTF_16LE)).unwrap(), Encoding::UTF_16LE);
        assert_eq!(
            found(&[b"\xFE\xFF".as_slice(), &wide(declared, Encoding::UTF_16BE)].concat()).unwrap(),
            Encoding::UTF_16BE
        );
        let ebcdic = wide(
            "<?xml version='1.0' encoding='ibm-1047'?><a/>",
            Encoding::for_label("ibm-1047").unwrap(),
        );
        assert_eq!(found(&ebcdic).unwrap().name(), Encoding::for_label("ibm-1047").unwrap().name());
    }

    #[test]
    fn a_document_that_contradicts_itself_is_refused() {
        for bytes in [
            "<?xml version='1.0' encoding='GBK'?><a>中华人民</a>".as_bytes(),
            b"<?xml version='1.0' encoding='UTF-16'?><a/>",
            b"\xEF\xBB\xBF<?xml version='1.0' encoding='GBK'?><a/>",
            &Encoding::UTF_16LE.encode("<?xml version='1.0' encoding='UTF-8'?><a/>").unwrap(),
        ] {
            let error = found(bytes).unwrap_err();
            assert_eq!((error.code(), error.offset()), ("xml.encoding_lie", Some(0)), "{error}");
        }
        assert!(
            encoding(
                "<?xml version='1.0' encoding='GBK'?><a>中华人民</a>".as_bytes(),
                Some("utf-8")
            )
            .unwrap()
            .note
            .is_some()
        );
        assert_eq!(encoding(b"\xFF\xFE<\0", Some("gbk")).unwrap_err().code(), "xml.encoding_lie");
        assert_eq!(
            found(b"<?xml version='1.0' encoding='x-no'?><a/>").unwrap_err().code(),
            "xml.encoding_unknown"
        );
    }
}
