//! What can be wrong with JSON, in the words of the one error and the one reject.

use fenhe_core::{Error, Fault, Kind};

/// What is wrong with a record. Boxed: the good path carries one word.
#[derive(Debug)]
pub(crate) struct Flaw(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Place in the text of the block.
    at: usize,
    code: &'static str,
    expected: String,
    found: Found,
    /// Names from the inside to the outside.
    path: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Item(usize),
}

/// What stands where something else should, never the thing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Another byte.
    Byte,
    /// The end of the record.
    End,
    /// A control character within a string.
    Control,
    /// An escape that RFC 8259 does not have.
    Escape,
    /// A surrogate without its partner.
    Surrogate,
    /// More levels than the limit.
    Deep,
    /// A value of this JSON type.
    Type(&'static str),
    /// A key for the second time.
    Again,
    /// A key that the schema does not have.
    Unknown,
    /// A length or count.
    Size(u64),
    /// A second value.
    More,
}

impl Flaw {
    /// Whether it is about nesting.
    pub(crate) fn is_deep(&self) -> bool {
        self.0.found == Found::Deep
    }

    /// A breach of the grammar at a place.
    #[cold]
    pub(crate) fn syntax(at: usize, expected: &'static str, found: Found) -> Self {
        let code = match found {
            Found::Surrogate => "json.surrogate",
            Found::Escape => "json.escape",
            Found::Deep => "core.limit",
            _ => "json.syntax",
        };
        Self::new(at, code, expected, found)
    }

    /// A flaw with a code of its own.
    #[cold]
    pub(crate) fn new(
        at: usize,
        code: &'static str,
        expected: impl Into<String>,
        found: Found,
    ) -> Self {
        Self(Box::new(Inner { at, code, expected: expected.into(), found, path: Vec::new() }))
    }

    /// The same flaw, seen from the object that has it under `key`.
    #[cold]
    pub(crate) fn under(mut self, key: &str) -> Self {
        self.0.path.push(Step::Key(key.to_owned()));
        self
    }

    /// The same flaw, seen from the list that has it as item `number` (from 0).
    #[cold]
    pub(crate) fn item(mut self, number: usize) -> Self {
        self.0.path.push(Step::Item(number));
        self
    }

    /// The fault, with the place counted from the start of the record.
    pub(crate) fn fault(&self, record_start: usize) -> Fault {
        let Inner { at, code, expected, found, path } = &*self.0;
        let mut field = String::new();
        for step in path.iter().rev() {
            match step {
                Step::Key(key) => {
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(key);
                }
                Step::Item(number) => field.push_str(&format!("[{number}]")),
            }
        }
        let place = at.saturating_sub(record_start);
        let found = match found {
            Found::Byte => format!("something else at byte {place} of the record"),
            Found::End => "the end of the record".to_owned(),
            Found::Control => format!("a control character at byte {place} of the record"),
            Found::Escape => format!("another escape at byte {place} of the record"),
            Found::Surrogate => {
                format!("a surrogate without its partner at byte {place} of the record")
            }
            Found::Deep => format!("more at byte {place} of the record"),
            Found::Type(name) => (*name).to_owned(),
            Found::Again => "it a second time".to_owned(),
            Found::Unknown => "a key that the schema does not have".to_owned(),
            Found::Size(size) => size.to_string(),
            Found::More => format!("something behind it at byte {place} of the record"),
        };
        Fault::new(*code, field, expected.clone(), found)
    }
}

/// A document that breaks the grammar outside its records: nobody knows where the next one starts.
#[cold]
pub(crate) fn document(offset: u64, line: u64, expected: &str, found: &str) -> Error {
    Error::new(
        Kind::Invalid,
        "json.document",
        format!("the JSON document is broken on line {line}: expected {expected}, found {found}"),
    )
    .at_offset(offset)
    .hint("fetch the file again; one object a line (shape=lines) would survive such damage")
}

/// A document that ends too early.
#[cold]
pub(crate) fn truncated(offset: u64, line: u64, inside: &str) -> Error {
    Error::new(
        Kind::Truncated,
        "json.truncated",
        format!("the JSON document ends on line {line} inside {inside}"),
    )
    .at_offset(offset)
    .hint("fetch the file again")
}

/// An option that does not fit.
#[cold]
pub(crate) fn config(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, "json.option", message)
}

/// A record path that leads nowhere.
#[cold]
pub(crate) fn no_records(offset: u64) -> Error {
    Error::new(
        Kind::Invalid,
        "json.record_path",
        "the document has nothing where the record path leads",
    )
    .at_offset(offset)
    .hint("see the document's keys with inspect and set record=/key/key")
}
