//! Text that is valid UTF-8 by construction, so that no column validates it twice.

mod buf;
mod extend;

use std::ops::Range;

pub use buf::{EvenFields, Utf8Buf};
pub(crate) use extend::extend_short;

/// The position of the first byte that is not part of valid UTF-8, or `None` if all of `bytes` is valid.
///
/// An incomplete character at the end counts as invalid, at its first byte.
///
/// ```
/// use fenhe_kernels::utf8::first_invalid;
///
/// assert_eq!(first_invalid("分合".as_bytes()), None);
/// assert_eq!(first_invalid(b"ab\xFFcd"), Some(2));
/// ```
#[inline]
#[must_use]
pub fn first_invalid(bytes: &[u8]) -> Option<usize> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(_) => None,
        Err(_) => Some(locate(bytes)),
    }
}

/// A window of bytes checked once to be UTF-8. Fields are cut out of it for the price of a look at their two ends.
#[derive(Clone, Copy, Debug)]
pub struct Validated<'a> {
    text: &'a str,
}

impl<'a> Validated<'a> {
    /// Checks the window.
    ///
    /// # Errors
    /// The position of the first byte that is not part of valid UTF-8.
    #[inline]
    pub fn check(window: &'a [u8]) -> Result<Self, usize> {
        match simdutf8::basic::from_utf8(window) {
            Ok(text) => Ok(Self { text }),
            Err(_) => Err(locate(window)),
        }
    }

    /// The longest valid beginning of the window; all of it if the window is valid.
    #[must_use]
    pub fn prefix(window: &'a [u8]) -> Self {
        match Self::check(window) {
            Ok(all) => all,
            #[expect(clippy::indexing_slicing, reason = "`locate` names a place in the window")]
            Err(at) => Self { text: std::str::from_utf8(&window[..at]).unwrap_or_default() },
        }
    }

    /// A window over text.
    #[inline]
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// The text from byte `range.start` to `range.end`; `None` if an end is outside the window or inside a character.
    #[inline]
    #[must_use]
    pub fn slice(self, range: Range<usize>) -> Option<&'a str> {
        self.text.get(range)
    }

    /// All of it.
    #[inline]
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// All of it, as bytes.
    #[inline]
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

impl<'a> From<&'a str> for Validated<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

#[cold]
fn locate(bytes: &[u8]) -> usize {
    simdutf8::compat::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(bytes: &[u8]) -> Option<usize> {
        std::str::from_utf8(bytes).err().map(|error| error.valid_up_to())
    }

    #[test]
    fn a_bad_byte_is_found_wherever_it_stands() {
        for length in 0..200 {
            let mut bytes = "中a文b字".repeat(20).into_bytes();
            bytes.truncate(length);
            assert_eq!(first_invalid(&bytes), naive(&bytes), "cut at {length}");
            for at in 0..length {
                let mut broken = bytes.clone();
                broken[at] = 0xFF;
                assert_eq!(first_invalid(&broken), naive(&broken));
            }
        }
    }

    proptest! {
        #[test]
        fn validation_agrees_with_the_standard_library(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(first_invalid(&bytes), naive(&bytes));
            let prefix = Validated::prefix(&bytes).as_bytes();
            prop_assert_eq!(prefix.len(), naive(&bytes).unwrap_or(bytes.len()));
        }

        #[test]
        fn a_slice_exists_exactly_between_characters(text in "\\PC{0,40}", from in 0usize..100, to in 0usize..100) {
            let window = Validated::check(text.as_bytes()).unwrap();
            prop_assert_eq!(window.slice(from..to), text.get(from..to));
        }
    }
}
