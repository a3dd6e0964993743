//! What a person can say about a fixed-width file.

use fenhe_core::{Attachment, Options, Result};
use fenhe_text::Invalid;
use serde::{Deserialize, Serialize};

/// Options of the format, by the names used on the command line.
///
/// Where a layout file says the same thing, the option wins.
///
/// ```
/// use fenhe_core::Options;
/// use fenhe_fixed::FixedOptions;
/// let options = Options::from_pairs(["widths=12,38,20,8", "encoding=gbk", "comment=#"])?;
/// assert_eq!(FixedOptions::from_options(&options)?.widths, [12, 38, 20, 8]);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FixedOptions {
    /// The layout: TOML (see the page of this format), or a CSV of `column,start,length`.
    #[serde(alias = "schema")]
    pub layout: Option<Attachment>,
    /// Quick layout: the widths of the columns, in order.
    pub widths: Vec<u32>,
    /// Names of the columns of a quick layout; not set: `col1`, `col2`, ...
    pub names: Vec<String>,
    /// Whether the first line (after `skip_lines`) names the columns of a quick layout.
    pub header: bool,
    /// Label of the encoding (`gbk`, `gb18030`, `utf-8`, `ibm037`).
    pub encoding: Option<String>,
    /// Bytes that are no character: reject the record, write U+FFFD, or make the field null.
    pub invalid: Invalid,
    /// A character cut in two by the end of a byte-counted field: reject the record, or leave the half character out.
    pub cut: Cut,
    /// Records shorter than the layout: reject them, or fill them up with blanks. Default: `reject` with a layout
    /// file, `pad` with a quick layout.
    pub short: Option<Short>,
    /// Records longer than the layout: reject them, or accept them when nothing but blanks follows.
    pub long: Long,
    /// Blanks taken from texts: `none`, `left`, `right` or `both`. Default: the padding side with a layout file,
    /// both sides with a quick layout.
    pub trim: Option<String>,
    /// What fills a field of a quick layout up. Default: the blank.
    #[serde(alias = "padding")]
    pub pad: Option<char>,
    /// Spellings of null in a quick layout. Default: the empty field.
    pub nulls: Option<Vec<String>>,
    /// Whether fields are counted in bytes or in characters.
    pub count: Option<Count>,
    /// Lines that start with this text are no records.
    pub comment: Option<String>,
    /// Lines to pass over at the start of the stream.
    pub skip_lines: u32,
    /// Length of a record without its line end, in the unit of `count`.
    pub record_length: Option<u32>,
    /// What ends a record.
    pub line_end: Option<LineEnd>,
    /// Whether a record ends at its line end, or after its length (a line end within a field is data then).
    pub frame: FrameBy,
    /// Lines without a single character: pass over them, or reject them as records that are too short.
    pub blank_lines: BlankLines,
    /// The record type to read or write, or `all`.
    pub select: Option<String>,
    /// Bytes between the fields: left out, or carried in a binary column `_fillers`.
    pub fillers: Fillers,
}

impl FixedOptions {
    /// The options out of names and values.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) with code `core.option` for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        options.parse("fixed")
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }
    };
}

words! {
    /// What to do with half a character at the end of a field.
    Cut {
        /// The record is rejected.
        #[default]
        Reject,
        /// The half character is left out.
        Drop,
    }
}

words! {
    /// What to do with a short record.
    Short {
        /// It is rejected.
        #[default]
        Reject,
        /// It is filled up with blanks.
        Pad,
    }
}

words! {
    /// What to do with a long record.
    Long {
        /// It is rejected.
        #[default]
        Reject,
        /// It is accepted when nothing but blanks follows.
        Blank,
    }
}

words! {
    /// The unit of positions and lengths.
    Count {
        /// Bytes of the encoding: what COBOL, C and database unloads write.
        #[default]
        Bytes,
        /// Characters, however many bytes they take.
        Characters,
    }
}

words! {
    /// What ends a record.
    LineEnd {
        /// LF or CRLF when reading, LF when writing.
        #[default]
        Auto,
        /// LF is written; CRLF is accepted and noted.
        Lf,
        /// CRLF is written; LF is accepted and noted.
        Crlf,
        /// Nothing: the next record follows at once.
        None,
    }
}

words! {
    /// How the end of a record is found.
    FrameBy {
        /// By its line end.
        #[default]
        Lines,
        /// By its length; the line end must follow there.
        Length,
    }
}

words! {
    /// What to do with empty lines.
    BlankLines {
        /// They are no records.
        #[default]
        Skip,
        /// They are records that are too short.
        Reject,
    }
}

words! {
    /// What to do with bytes that belong to no field.
    Fillers {
        /// They are left out; the layout's filler is written.
        #[default]
        Drop,
        /// They are carried in the binary column `_fillers`.
        Keep,
    }
}
