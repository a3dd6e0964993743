//! The bytes of records that never became rows: shown as text, and given back by a person.

use bytes::Bytes;
use fenhe_core::schema::CHARSET;
use fenhe_core::{Error, Kind, Limits, Raw, Reject, Result};
use fenhe_text::Encoding;

use crate::config::Prepared;

/// The encoding of the texts of a source, where it is known.
pub(crate) async fn encoding_of(prepared: &Prepared, limits: &Limits) -> Result<Option<Encoding>> {
    let Some(files) = &prepared.files else { return Ok(None) };
    let evidence = files.evidence(limits).await?;
    let named = evidence.options.get("encoding").and_then(|value| value.as_str());
    let of_column = || {
        let fields = evidence.datasets.iter().flat_map(|found| found.schema.fields().iter());
        fields
            .filter_map(|field| field.metadata().get(CHARSET))
            .find_map(|n| Encoding::for_label(n))
    };
    Ok(named.and_then(Encoding::for_label).or_else(of_column))
}

/// The bytes as text in the encoding of the source, without their line end, if they are text.
pub(super) fn text_of(reject: &Reject, encoding: Option<Encoding>) -> Option<String> {
    let (line, _) = split_end(&reject.raw, encoding);
    let text = decoded(line, encoding)?;
    let plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{1f}');
    text.chars().all(plain).then_some(text)
}

/// The bytes as hexadecimal digits.
pub(super) fn digits_of(reject: &Reject) -> String {
    hex::encode(&reject.raw)
}

/// Whether these are bytes that were given out for the reject.
pub(super) fn is_of(bytes: &[u8], reject: &Reject) -> bool {
    reject.raw_is == Raw::Source && reject.raw == bytes
}

fn decoded(bytes: &[u8], encoding: Option<Encoding>) -> Option<String> {
    let try_in = |encoding: Encoding| encoding.decode(bytes).ok().map(|text| text.into_owned());
    match encoding {
        Some(encoding) => try_in(encoding),
        None => {
            std::str::from_utf8(bytes).ok().map(str::to_owned).or_else(|| try_in(Encoding::GB18030))
        }
    }
}

/// A record and its line end, which people do not see; pages without ASCII have other ones, which stay.
fn split_end(bytes: &[u8], encoding: Option<Encoding>) -> (&[u8], &[u8]) {
    if encoding.is_some_and(|encoding| !encoding.is_ascii_superset()) {
        return (bytes, b"");
    }
    let end = bytes.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes.split_at(bytes.len() - end)
}

/// What a person gave for the bytes of a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) text: Option<String>,
    pub(super) digits: Option<String>,
}

impl Given {
    /// The bytes: the digits if they are not those that were given out, else the text in the encoding of the source.
    /// `old` is the reject whose bytes are to be corrected, `first` what it was before that.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `replay.raw`.
    pub(super) fn bytes(
        &self,
        old: &Reject,
        first: &Reject,
        encoding: Option<Encoding>,
    ) -> Result<Bytes> {
        if let Some(digits) = &self.digits {
            let bytes = hex::decode(digits.trim())
                .map_err(|_| wrong(old, "its bytes are not hexadecimal digits in pairs"))?;
            let known = is_of(&bytes, old) || is_of(&bytes, first);
            if !known || self.text.is_none() {
                return Ok(bytes.into());
            }
        }
        let Some(text) = &self.text else { return Ok(old.raw.clone()) };
        let (line, end) = split_end(&old.raw, encoding);
        if decoded(line, encoding).is_some_and(|before| before == *text) {
            return Ok(old.raw.clone());
        }
        if old.raw_cut {
            let why = "it is longer than what was kept of it, so its text is not whole";
            return Err(wrong(old, why).hint("give all its bytes as hexadecimal digits in _bytes"));
        }
        let used = match (encoding, std::str::from_utf8(line)) {
            (Some(encoding), _) => encoding,
            (None, Ok(_)) => Encoding::UTF_8,
            (None, Err(_)) => Encoding::GB18030,
        };
        let mut bytes = used.encode(text).map_err(|_| {
            wrong(old, &format!("{} does not have all of its characters", used.name()))
        })?;
        bytes.extend_from_slice(end);
        Ok(bytes.into())
    }
}

fn wrong(old: &Reject, why: &str) -> Error {
    Error::new(Kind::Config, "replay.raw", format!("record {}: {why}", old.record))
}

#[cfg(test)]
mod tests {
    use fenhe_core::Fault;

    use super::*;

    fn reject(raw: &[u8]) -> Reject {
        Reject::new(Fault::new("x.y", "", "a", "b")).raw_bytes(raw, 1_000)
    }

    #[test]
    fn text_is_that_of_the_encoding_and_goes_back_with_its_line_end() {
        // 張 in Big5 is B1 69, which GB 18030 reads as another character.
        let old = reject(b"1,\xb1\x69,x\r\n");
        let big5 = Encoding::for_label("big5");
        assert_eq!(text_of(&old, big5).as_deref(), Some("1,張,x"));
        assert_ne!(text_of(&old, None).as_deref(), Some("1,張,x"));
        let given = Given { text: Some("1,張,2".into()), digits: Some(hex::encode(&old.raw)) };
        assert_eq!(&given.bytes(&old, &old, big5).unwrap()[..], b"1,\xb1\x69,2\r\n");
        let given = Given { text: text_of(&old, big5), digits: Some("31 2c".replace(' ', "")) };
        assert_eq!(&given.bytes(&old, &old, big5).unwrap()[..], b"1,", "digits that changed count");
    }

    #[test]
    fn bytes_that_are_no_text_are_not_shown_as_text() {
        assert_eq!(text_of(&reject(b"\x00\x01\xff"), None), None);
        let given = Given { text: None, digits: Some("0g".into()) };
        assert_eq!(
            given.bytes(&reject(b"x"), &reject(b"x"), None).unwrap_err().code(),
            "replay.raw"
        );
    }
}
