#![no_main]
//! The XML decoder over any bytes.

use std::sync::Arc;

use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let format = fenhe_xml::Xml::from_options(&Options::from_pairs(["record=/*/*"]).expect("options"));
    fenhe_testkit::format::anything(Arc::new(format.expect("a format")), data);
});
