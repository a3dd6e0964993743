#![no_main]
//! The dbf decoder over any bytes.

use fenhe_core::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let registry = fenhe::Registry::with_defaults();
    let options = Options::from_pairs(OPTIONS).expect("options");
    let format = registry.format_at("dbf", &options, std::path::Path::new(".")).expect("a format");
    fenhe_testkit::format::anything(format, data);
});

const OPTIONS: [&str; 1] = ["encoding=gb18030"];
