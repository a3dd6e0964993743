//! What the tests share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use std::path::Path;
use std::sync::Arc;

use fenhe_copybook::CopybookFormat;
use fenhe_core::{DecodeOptions, Format, Input, Options};
use fenhe_testkit::format::{Decoded, decode};
use serde_json::Value;

/// The format for a copybook text and options as JSON.
pub fn format(copybook: &str, options: &Value) -> Arc<dyn Format> {
    Arc::new(
        CopybookFormat::from_options(&with(copybook, options)).unwrap_or_else(|e| panic!("{e}")),
    )
}

pub fn with(copybook: &str, options: &Value) -> Options {
    let mut all = Options::new();
    all.set("copybook", serde_json::json!({"name": "test.cpy", "text": copybook}));
    for (key, value) in options.as_object().expect("options are an object") {
        all.set(key, value.clone());
    }
    all
}

pub fn decoded(format: &Arc<dyn Format>, bytes: Vec<u8>) -> Decoded {
    dataset(format, bytes, None)
}

pub fn dataset(format: &Arc<dyn Format>, bytes: Vec<u8>, dataset: Option<&str>) -> Decoded {
    let options = DecodeOptions { dataset: dataset.map(str::to_owned), ..DecodeOptions::default() };
    let decoder = format.decoder(options).unwrap_or_else(|e| panic!("{e}"));
    decode(decoder, vec![Input::Bytes(bytes.into()), Input::EndOfStream])
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
