//! One field to the bytes that stand in the file: quotes, escapes, formula guard.

use arrow_schema::DataType;
use bytes::BytesMut;
use fenhe_text::Encoding;
use fenhe_values::FieldSpec;

use crate::dialect::{Dialect, Escape, Quoting, Syntax};
use crate::options::FormulaGuard;

/// A value in the encoding of the file, not yet quoted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spelled<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) null: bool,
    /// Whether it is the first field of its record.
    pub(crate) first: bool,
}

/// Why a value cannot stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) found: &'static str,
}

/// Writes fields in a dialect.
#[derive(Clone, Debug)]
pub(crate) struct Speller {
    syntax: Syntax,
    quoting: Quoting,
    /// The only field of its record: an empty line may be no record.
    single: bool,
    /// What spreadsheets take for the start of a formula.
    formulas: Vec<Vec<u8>>,
}

/// What a value holds that would be read as something else.
#[derive(Clone, Copy, Debug, Default)]
struct Contents {
    /// Delimiter, line end, or what a reader takes for the start of something.
    structure: bool,
    quote: bool,
    quote_first: bool,
    escape: bool,
}

impl Speller {
    pub(crate) fn new(dialect: &Dialect, syntax: Syntax, fields: usize) -> Self {
        let starts = ["=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠"];
        Self {
            formulas: starts
                .iter()
                .filter_map(|start| syntax.encoding.encode(start).ok())
                .collect(),
            quoting: dialect.quoting,
            single: fields == 1,
            syntax,
        }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.syntax.encoding
    }

    pub(crate) fn delimiter(&self) -> &[u8] {
        &self.syntax.delimiter
    }

    /// Appends a field. On an error the caller takes back what was appended.
    pub(crate) fn field(
        &self,
        value: &Spelled<'_>,
        spec: &FieldSpec,
        guard: FormulaGuard,
        out: &mut BytesMut,
    ) -> Result<(), Refused> {
        let text = spec.data_type == DataType::Utf8;
        let guarded;
        let mut bytes = value.bytes;
        if text && !value.null && guard != FormulaGuard::Off && self.is_formula(bytes) {
            if guard == FormulaGuard::Reject {
                return Err(Refused {
                    code: "csv.formula",
                    expected: "no text that starts like a formula",
                    found: "one",
                });
            }
            guarded = [b"'", bytes].concat();
            bytes = &guarded;
        }
        let contents = self.contents(bytes, value.first);
        let Some(quote) = self.syntax.quote else {
            return self.without_quotes(bytes, contents, out);
        };
        let empty_text = text
            && !value.null
            && bytes.is_empty()
            && spec.spelling.nulls.iter().any(String::is_empty);
        let by_rule = match self.quoting {
            Quoting::Minimal => false,
            Quoting::Always => !(value.null && text),
            Quoting::Values => !value.null,
            Quoting::Texts => text && !value.null,
        };
        let blank = self.single && bytes.is_empty() && !self.syntax.blank_is_record;
        if blank && value.null && text {
            return Err(Refused {
                code: "csv.blank_record",
                expected: "a value: a blank line is no record",
                found: "a null",
            });
        }
        let needed =
            contents.structure || contents.quote_first || contents.escape || empty_text || blank;
        let wants = by_rule || needed || (contents.quote && self.syntax.escape != Escape::None);
        if !wants {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        if contents.quote && self.syntax.escape == Escape::None {
            return Err(Refused {
                code: "csv.unquotable",
                expected: "no quote: escape=none",
                found: "a quote",
            });
        }
        out.extend_from_slice(&[quote]);
        if contents.quote || contents.escape {
            self.escape(bytes, out);
        } else {
            out.extend_from_slice(bytes);
        }
        out.extend_from_slice(&[quote]);
        Ok(())
    }

    /// Without quotes, escapes are all there is.
    fn without_quotes(
        &self,
        bytes: &[u8],
        contents: Contents,
        out: &mut BytesMut,
    ) -> Result<(), Refused> {
        if !contents.structure && !contents.escape {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        if !matches!(self.syntax.escape, Escape::C | Escape::Char(_)) {
            let expected = "no delimiter and no line end: quote=none";
            return Err(Refused { code: "csv.unquotable", expected, found: "one of them" });
        }
        self.escape(bytes, out);
        Ok(())
    }

    /// Writes a value with escapes, for inside or outside quotes.
    fn escape(&self, bytes: &[u8], out: &mut BytesMut) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let length = self.syntax.stepping.map_or(1, |encoding| encoding.lead_len(rest).max(1));
            let character = rest.get(..length).unwrap_or(rest);
            at += length;
            match (self.syntax.escape, character) {
                (Escape::Doubled, [byte]) if Some(*byte) == self.syntax.quote => {
                    out.extend_from_slice(&[*byte, *byte])
                }
                (Escape::C, [byte @ (b'\n' | b'\r' | b'\t' | 0 | b'\\')]) => {
                    let letter = match byte {
                        b'\n' => b'n',
                        b'\r' => b'r',
                        b'\t' => b't',
                        0 => b'0',
                        other => *other,
                    };
                    out.extend_from_slice(&[b'\\', letter]);
                }
                (Escape::Char(_) | Escape::C, [byte]) if self.must_escape(*byte) => {
                    let escape = self.syntax.escape_byte().unwrap_or(b'\\');
                    out.extend_from_slice(&[escape, *byte]);
                }
                _ => out.extend_from_slice(character),
            }
        }
    }

    fn must_escape(&self, byte: u8) -> bool {
        let outside = self.syntax.quote.is_none()
            && (matches!(byte, b'\n' | b'\r')
                || self.syntax.delimiter.first() == Some(&byte)
                || self.syntax.comment.first() == Some(&byte));
        self.syntax.is_escape(byte) || Some(byte) == self.syntax.quote || outside
    }

    fn is_formula(&self, bytes: &[u8]) -> bool {
        self.formulas.iter().any(|start| bytes.starts_with(start))
    }

    fn contents(&self, bytes: &[u8], first: bool) -> Contents {
        let mut contents = Contents::default();
        let syntax = &self.syntax;
        contents.quote_first = syntax.quote.is_some() && bytes.first().copied() == syntax.quote;
        if first && !bytes.is_empty() {
            let bom = syntax.encoding.bom();
            let comment = !syntax.comment.is_empty() && bytes.starts_with(&syntax.comment);
            contents.structure = comment
                || bytes.starts_with(b"\x1A")
                || (!bom.is_empty() && bytes.starts_with(bom));
        }
        if !bytes.iter().any(|byte| syntax.is_special(*byte) || Some(*byte) == syntax.quote) {
            return contents;
        }
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(&byte) = rest.first() else { break };
            if syntax.is_special(byte) || Some(byte) == syntax.quote {
                contents.quote |= Some(byte) == syntax.quote;
                contents.escape |= syntax.is_escape(byte);
                let several = syntax.delimiter.len() > 1;
                let delimiter = syntax.delimiter.first() == Some(&byte)
                    && (!several
                        || rest.starts_with(&syntax.delimiter)
                        || syntax.delimiter.starts_with(rest));
                contents.structure |= delimiter || matches!(byte, b'\n' | b'\r');
                at += syntax.stepping.map_or(1, |encoding| encoding.lead_len(rest).max(1));
            } else {
                at += 1;
            }
        }
        contents
    }
}
