//! Options of the format.

use fenhe_core::{Attachment, Options, Result};
use fenhe_text::{Encoding, Trim, UnknownEncoding};
use serde::{Deserialize, Serialize};

use crate::copybook::{ParseOptions, SourceForm};
use crate::error;

/// Options of [`CopybookFormat`](crate::CopybookFormat), by the names of the command line.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CopybookOptions {
    /// The copybook (`copybook=FILE`).
    pub copybook: Option<Attachment>,
    /// A copybook that COPY statements name.
    pub library: Option<Attachment>,
    /// Reference format of the copybook.
    pub source_form: SourceForm,
    /// `==a== BY ==b== ...`, as in the COPY statement that includes the copybook.
    pub replacing: Option<String>,
    /// `DECIMAL-POINT IS COMMA`.
    pub decimal_comma: bool,
    /// Code page of DISPLAY items. EBCDIC pages imply big-endian COMP-5 and IBM floating point.
    pub encoding: String,
    /// How records are told apart.
    pub record_format: RecordFormat,
    /// Bytes of a record for F and FB; the layout's length when not set.
    pub record_length: Option<u64>,
    /// Byte order of the record descriptor word.
    pub rdw: ByteOrder,
    /// Whether the descriptor word counts itself.
    pub rdw_inclusive: bool,
    /// A descriptor of another shape: `size:at:bytes:big|little|digits[:adjust]`.
    pub record_header: Option<String>,
    /// The item that holds the length of the record.
    pub length_field: Option<String>,
    /// Added to what `length_field` says.
    pub length_adjust: i64,
    /// Bytes before the first record.
    pub file_header: u64,
    /// Bytes after the last record.
    pub file_trailer: u64,
    /// Bytes before the data of each record.
    pub record_prefix: u64,
    /// Bytes after the data of each record.
    pub record_suffix: u64,
    /// Which alternative is in force: `BRANCH:FIELD=VALUE|VALUE` or `BRANCH:CONDITION-NAME`.
    pub select: Vec<String>,
    /// Alternatives of REDEFINES without a rule.
    pub redefines: Redefines,
    /// Items of level 66.
    pub renames: RenamedItems,
    /// Adds `_record` and `_parent`: `CHILD:PARENT` for record types.
    pub parents: Vec<String>,
    /// Makes one row of a record and the records below it by `parents`: they are lists in its group.
    pub nest: bool,
    /// How tables of variable size are stored.
    pub variable_occurs: Option<VariableOccurs>,
    /// COMP-1 and COMP-2.
    pub floats: Option<Floats>,
    /// Byte order of COMP-5 and its kind.
    pub native: Option<ByteOrder>,
    /// Bytes of COMP by digits.
    pub binary_size: BinarySize,
    /// Bytes of POINTER, and of INDEX.
    pub pointer_size: PointerSize,
    /// PIC N without USAGE.
    pub nsymbol: NSymbol,
    /// Signs over digits in ASCII pages.
    pub ascii_sign: AsciiSign,
    /// Whether SYNCHRONIZED inserts slack bytes.
    pub sync: bool,
    /// Unnamed items.
    pub fillers: Fillers,
    /// Digits and characters that cannot be read.
    pub invalid: Invalid,
    /// Fillings of a numeric item that mean "absent".
    pub nulls: Vec<NullFill>,
    /// Numeric edited items.
    pub edited: Edited,
    /// NUL in text items.
    pub low_values: LowValues,
    /// Blanks of text items.
    pub trim: Trim,
    /// Records that end before their layout does.
    pub short: Option<Short>,
    /// Records that are longer than their layout.
    pub long: Long,
    /// One column an elementary item, none nested.
    pub flatten: bool,
    /// Whether a writer cuts binary values to the digits of the PICTURE.
    pub trunc: Trunc,
    /// Adds `_raw`, the bytes of each record, from which unchanged items are written back.
    pub raw: bool,
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
    };
}

/// How records are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum RecordFormat {
    /// Records of one length, or (with `variable_occurs=shift`) of the length that their counters say.
    #[default]
    #[serde(alias = "f")]
    F,
    /// The same as F: blocks leave no trace in a file.
    #[serde(alias = "fb")]
    FB,
    /// A record descriptor word before each record.
    #[serde(alias = "v")]
    V,
    /// Block descriptor words, and a record descriptor word before each record.
    #[serde(alias = "vb")]
    VB,
    /// Segment descriptor words: records may span blocks; no block descriptor words.
    #[serde(alias = "vs")]
    VS,
    /// Segment descriptor words within blocks with block descriptor words.
    #[serde(alias = "vbs")]
    VBS,
    /// Four ASCII or EBCDIC digits before each record (ANSI tapes).
    #[serde(alias = "d")]
    D,
    /// Lines.
    #[serde(rename = "lines")]
    Lines,
}

choice! {
    /// Byte order.
    ByteOrder {
        /// Most significant byte first.
        #[default] Big,
        /// Least significant byte first.
        Little,
    }
}
choice! {
    /// Alternatives of REDEFINES that no rule selects.
    Redefines {
        /// All become columns; what cannot be read as one alternative is null there, as long as another can be read.
        #[default] All,
        /// Only the redefined item becomes a column.
        First,
    }
}
choice! {
    /// What becomes of items of level 66.
    RenamedItems {
        /// They are not read.
        #[default] Drop,
        /// They are columns behind those of their record. One that cannot be read is null.
        Columns,
    }
}
choice! {
    /// How tables with DEPENDING ON are stored.
    VariableOccurs {
        /// Always the most occurrences.
        #[default] Max,
        /// As many as the counter says; what follows moves up.
        Shift,
        /// The same, and the record is filled up to its greatest length.
        Pad,
    }
}
choice! {
    /// Format of COMP-1 and COMP-2.
    Floats {
        /// IBM hexadecimal floating point.
        #[default] Ibm,
        /// IEEE 754.
        Ieee754,
    }
}
choice! {
    /// Bytes of COMP by digits.
    BinarySize {
        /// 2, 4 or 8 bytes: IBM.
        #[default] #[serde(rename = "2-4-8")] Ibm,
        /// 1, 2, 4 or 8 bytes: GnuCOBOL.
        #[serde(rename = "1-2-4-8")] Gnu,
        /// The fewest bytes, 1 to 8: Micro Focus without IBMCOMP.
        #[serde(rename = "1--8")] Minimal,
    }
}
choice! {
    /// Bytes of an address.
    PointerSize {
        /// 31-bit and 32-bit programs.
        #[default] #[serde(rename = "4")] Four,
        /// 64-bit programs.
        #[serde(rename = "8")] Eight,
    }
}
choice! {
    /// What PIC N means without a USAGE clause.
    NSymbol {
        /// UTF-16.
        #[default] National,
        /// Double-byte characters.
        Dbcs,
    }
}
choice! {
    /// How a sign over a digit looks in ASCII data.
    AsciiSign {
        /// Minus sets bit 6 of the digit: `p` to `y` (Micro Focus, GnuCOBOL).
        #[default] MicroFocus,
        /// The EBCDIC signs after a text conversion: `{`, `A` to `I`, `}`, `J` to `R`.
        Converted,
    }
}
choice! {
    /// Unnamed items.
    Fillers {
        /// Elementary ones are left out, groups stay when they hold named items.
        #[default] Drop,
        /// They become columns `FILLER_1`, `FILLER_2`, ...
        Keep,
    }
}
choice! {
    /// What happens to a record with digits or characters that cannot be read.
    Invalid {
        /// The record is rejected.
        #[default] Reject,
        /// The value is absent.
        Null,
        /// A number is zero; a text is absent.
        Zero,
    }
}
choice! {
    /// A filling that stands for "no number".
    NullFill {
        /// All blanks.
        #[default] Blank,
        /// All bytes 00.
        Low,
        /// All bytes FF.
        High,
    }
}
choice! {
    /// Type of numeric edited items.
    Edited {
        /// A number, unless the picture inserts `B`, `0` or `/`.
        #[default] Number,
        /// Text as it stands.
        Text,
    }
}
choice! {
    /// NUL in text items.
    LowValues {
        /// A character like others.
        #[default] Keep,
        /// A blank.
        Blank,
    }
}
choice! {
    /// Records that end before their layout does.
    Short {
        /// They are rejected when an item is cut off that every record of their kind has.
        #[default] Reject,
        /// What is cut off is absent.
        Pad,
    }
}
choice! {
    /// Records that are longer than their layout.
    Long {
        /// They are rejected, unless blanks (or what `variable_occurs=pad` filled up) follow.
        #[default] Reject,
        /// What follows is left out.
        Ignore,
    }
}
choice! {
    /// Whether a writer keeps binary values to the digits of their PICTURE.
    Trunc {
        /// More digits than the PICTURE are refused.
        #[default] Std,
        /// The whole binary field is used.
        Bin,
    }
}

impl Default for CopybookOptions {
    fn default() -> Self {
        Self {
            copybook: None,
            library: None,
            source_form: SourceForm::Auto,
            replacing: None,
            decimal_comma: false,
            encoding: "IBM037".into(),
            record_format: RecordFormat::F,
            record_length: None,
            rdw: ByteOrder::Big,
            rdw_inclusive: true,
            record_header: None,
            length_field: None,
            length_adjust: 0,
            file_header: 0,
            file_trailer: 0,
            record_prefix: 0,
            record_suffix: 0,
            select: Vec::new(),
            redefines: Redefines::All,
            renames: RenamedItems::Drop,
            parents: Vec::new(),
            nest: false,
            variable_occurs: None,
            floats: None,
            native: None,
            binary_size: BinarySize::Ibm,
            pointer_size: PointerSize::Four,
            nsymbol: NSymbol::National,
            ascii_sign: AsciiSign::MicroFocus,
            sync: false,
            fillers: Fillers::Drop,
            invalid: Invalid::Reject,
            nulls: Vec::new(),
            edited: Edited::Number,
            low_values: LowValues::Keep,
            trim: Trim::End,
            short: None,
            long: Long::Reject,
            flatten: false,
            trunc: Trunc::Std,
            raw: false,
        }
    }
}

impl CopybookOptions {
    /// The options by name.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        options.parse("copybook")
    }

    /// The code page.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) when no code page has this name, or it has no one-byte blank.
    pub fn page(&self) -> Result<Encoding> {
        let page: Encoding =
            self.encoding.parse().map_err(|e: UnknownEncoding| error::config(e.to_string()))?;
        if page.blank().len() != 1 {
            return Err(error::config(format!("DISPLAY items cannot be in {page}"))
                .hint("name the code page of the machine that wrote the file, such as ibm037, ibm1388 or gbk"));
        }
        Ok(page)
    }

    pub(crate) fn parse_options(&self) -> ParseOptions<'_> {
        ParseOptions {
            source_form: self.source_form,
            library: self.library.as_slice(),
            replacing: self.replacing.as_deref(),
            decimal_comma: self.decimal_comma,
        }
    }

    /// The convention for tables of variable size: F files hold the greatest size, all others what is in use.
    pub(crate) fn occurs(&self) -> VariableOccurs {
        self.variable_occurs.unwrap_or(match self.record_format {
            RecordFormat::F | RecordFormat::FB => VariableOccurs::Max,
            _ => VariableOccurs::Shift,
        })
    }

    pub(crate) fn short(&self) -> Short {
        self.short.unwrap_or(match self.record_format {
            RecordFormat::Lines => Short::Pad,
            _ => Short::Reject,
        })
    }

    pub(crate) fn floats(&self, page: Encoding) -> Floats {
        self.floats.unwrap_or(if page.is_ebcdic() { Floats::Ibm } else { Floats::Ieee754 })
    }

    pub(crate) fn native(&self, page: Encoding) -> ByteOrder {
        self.native.unwrap_or(if page.is_ebcdic() { ByteOrder::Big } else { ByteOrder::Little })
    }
}
