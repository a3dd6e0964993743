#![no_main]
//! The fixed-width decoder over any bytes.

use std::sync::Arc;

use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let format = fenhe_fixed::Fixed::from_options(&Options::from_pairs(["widths=8,4,12"]).expect("options"));
    fenhe_testkit::format::anything(Arc::new(format.expect("a format")), data);
});
