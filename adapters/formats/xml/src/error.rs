//! What can be wrong with a document, and where.

use fenhe_core::{Error, Kind};

/// A fault at a byte of the text that is looked at; the decoder knows where that text lies in the source.
#[derive(Debug)]
pub(crate) struct Bad {
    /// Byte in the text.
    pub(crate) at: usize,
    /// The error, without its place.
    pub(crate) error: Error,
}

/// Result with [`Bad`].
pub(crate) type Parsed<T> = Result<T, Bad>;

/// Start and end tags have at most so many bytes.
pub(crate) const MAX_TAG: usize = 64 << 10;
/// Names have at most so many bytes.
pub(crate) const MAX_NAME: usize = 1 << 10;
/// Namespace declarations of one element.
pub(crate) const MAX_DECLARATIONS: usize = 64;
/// Namespace declarations in force.
pub(crate) const MAX_BINDINGS: usize = 1_024;
/// Bytes of a document type declaration.
pub(crate) const MAX_DOCTYPE: usize = 256 << 10;
/// Entity references within entity references.
pub(crate) const MAX_ENTITY_DEPTH: usize = 8;

impl Bad {
    pub(crate) fn new(at: usize, code: &'static str, what: impl Into<String>) -> Self {
        Self { at, error: Error::new(Kind::Invalid, code, what) }
    }

    /// Not well-formed.
    pub(crate) fn syntax(at: usize, what: impl Into<String>) -> Self {
        Self::new(at, "xml.syntax", what)
    }

    /// The document ends too early.
    pub(crate) fn truncated(at: usize, what: &str) -> Self {
        Self {
            at,
            error: Error::new(
                Kind::Truncated,
                "xml.truncated",
                format!("the document ends within {what}"),
            ),
        }
    }

    /// A limit by its name. What the data ask for is not known before they were read, so the first size beyond it is named.
    pub(crate) fn limit(at: usize, name: &'static str, limit: u64) -> Self {
        Self { at, error: Error::limit(name, limit, limit.saturating_add(1)) }
    }

    /// What quick-xml found.
    pub(crate) fn quick(at: usize, cause: &quick_xml::Error) -> Self {
        use quick_xml::Error as E;
        // The texts of these hold names or values of the document.
        let (code, what) = match cause {
            E::Syntax(e) => ("xml.syntax", e.to_string()),
            E::IllFormed(quick_xml::errors::IllFormedError::DoubleHyphenInComment) => {
                ("xml.syntax", "a comment holds two hyphens".into())
            }
            E::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference) => {
                ("xml.entity", "an ampersand that starts no reference".into())
            }
            E::IllFormed(_) => ("xml.end_tag", "start and end tags do not match".into()),
            E::Escape(_) => ("xml.entity", "a reference that cannot be resolved".into()),
            _ => ("xml.syntax", "not well-formed".into()),
        };
        Self::new(at, code, what)
    }

    /// The same fault in a text that starts `by` bytes further on.
    pub(crate) fn shifted(mut self, by: usize) -> Self {
        self.at = self.at.saturating_add(by);
        self
    }
}

/// An option that says something impossible.
pub(crate) fn config(option: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Config, "xml.option", format!("option {option}: {what}"))
}
