#![no_main]
//! The workbook reader over any bytes.

use std::sync::Arc;

use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let format = fenhe_excel::Excel::from_options(&Options::new());
    fenhe_testkit::format::anything(Arc::new(format.expect("a format")), data);
});
