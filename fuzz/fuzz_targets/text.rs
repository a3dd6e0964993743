#![no_main]
//! Every encoding over any bytes: what decodes must encode back to bytes that decode the same.

use fenhe_text::{Encoding, Unmappable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for encoding in Encoding::all() {
        let Ok(text) = encoding.decode(data) else { continue };
        let mut back = Vec::new();
        if encoding.encode_into(&text, Unmappable::Reject, &mut back).is_ok() {
            assert_eq!(encoding.decode(&back).as_deref(), Ok(text.as_ref()), "{}", encoding.name());
        }
    }
});
