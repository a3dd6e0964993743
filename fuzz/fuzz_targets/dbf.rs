#![no_main]
//! The dbf decoder over any bytes.

use std::sync::Arc;

use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let format = fenhe_dbf::Dbf::from_options(&Options::from_pairs(["encoding=gb18030"]).expect("options"));
    fenhe_testkit::format::anything(Arc::new(format.expect("a format")), data);
});
