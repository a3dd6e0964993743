//! The text of a copybook and what it says, before any bytes are counted.

mod clauses;
mod item;
mod lexer;
mod parser;
mod picture;
mod replace;
mod source;

use fenhe_core::{Attachment, Limits, Result};

pub use item::{Condition, Figurative, Item, OccursClause, Renames, SignClause, Usage, Value};
pub use picture::{Category, Picture};
pub use source::SourceForm;

/// The longest text of a copybook, in bytes.
pub const MAX_TEXT: u64 = 4 << 20;

/// Most data description entries of one copybook.
pub(crate) const MAX_ITEMS: usize = 10_000;

/// A parsed copybook: its entries as written, in a tree by level numbers.
///
/// ```
/// use fenhe_copybook::Copybook;
/// let book = Copybook::parse("01 R.\n   05 ID PIC 9(4) COMP.\n   05 NAME PIC X(20).")?;
/// assert_eq!(book.records[0].children[1].name.as_deref(), Some("NAME"));
/// let error = Copybook::parse("01 R.\n   05 ID PIC Q.").unwrap_err();
/// assert_eq!(error.line(), Some((2, 14)));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Copybook {
    /// Entries of level 01 (or of the lowest level there is).
    pub records: Vec<Item>,
    /// Whether `DECIMAL-POINT IS COMMA` was in force.
    pub decimal_comma: bool,
}

/// How to read the text of a copybook.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions<'a> {
    /// Reference format.
    pub source_form: SourceForm,
    /// Other copybooks that COPY statements may name.
    pub library: &'a [Attachment],
    /// `==a== BY ==b== ...`, as in the COPY statement that includes this copybook.
    pub replacing: Option<&'a str>,
    /// Take `,` as the decimal point.
    pub decimal_comma: bool,
}

impl Copybook {
    /// Parses the text of a copybook, or the data division of a program.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) with code `copybook.syntax` and line and column;
    /// [`Limit`](fenhe_core::Kind::Limit) for a text above [`MAX_TEXT`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &ParseOptions::default())
    }

    /// As [`parse`](Self::parse), with options.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(text: &str, options: &ParseOptions<'_>) -> Result<Self> {
        let library_size: usize = options.library.iter().map(|m| m.text.len()).sum();
        Limits::check("copybook text", MAX_TEXT, (text.len() + library_size) as u64)?;
        let tokens = lexer::tokens(text, options.source_form)?;
        let library = replace::Library { members: options.library, form: options.source_form };
        let mut tokens = replace::expand(tokens, &library)?;
        if let Some(rules) = options.replacing {
            tokens = replace::replacing(rules, tokens)?;
        }
        parser::parse(&tokens, options.decimal_comma)
    }
}
