//! Values read straight from the bytes of a field, in the plain spelling: no allocation, no text decoding.
//!
//! The bytes may be of any code page whose digits and signs are those of ASCII (UTF-8, GBK, GB18030, Big5, Shift-JIS,
//! Windows code pages). Blanks are not taken away here.

mod binary;
mod date;
mod number;

pub use binary::{base64, hex};
pub use date::{date_compact, date_iso, timestamp_iso};
pub use number::{decimal, decimal256, float, float32, int, uint};

pub(crate) use date::{from_word, iso_word, time_compact, time_iso};
pub(crate) use number::FixedPoint;
pub(crate) use number::{Scaled, int_at_end, rescale, rescale_wide, scaled, scaled_wide};
