#![no_main]
//! The JSON decoder over any bytes.

use std::sync::Arc;

use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let format = fenhe_json::Json::from_options(&Options::new());
    fenhe_testkit::format::anything(Arc::new(format.expect("a format")), data);
});
