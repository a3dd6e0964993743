#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod decode;
mod detect;
mod double;
mod encode;
mod encoding;
mod fit;
mod gb18030;
mod label;
mod pages;
mod private_use;
mod reverse;
mod scan;
mod shifted;
mod single;
mod table;
mod trim;
mod unicode;

pub use decode::{BadBytes, BadReason, Decoded, Invalid};
pub use detect::{Detection, detect};
pub use encode::{Encoded, Unencodable, Unmappable};
pub use encoding::{EbcdicNewline, Encoding, PrivateUse, UnknownEncoding};
pub use fenhe_kernels::Utf8Buf;
pub use fit::{Align, FieldError, Fitted};
pub use label::label_asks_for_bom;
pub use private_use::{
    PrivateUseChar, is_private_use, private_use_report, replace_private_use, standard_character,
};
pub use scan::CharStep;
pub use table::Table;
pub use trim::{Blanks, Trim, to_full_width, to_half_width, trim};
