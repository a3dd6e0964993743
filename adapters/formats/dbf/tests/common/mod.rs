//! Reading tables in tests.
#![allow(dead_code)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fenhe_core::{
    Companion, DecodeOptions, Error, Format, Input, Options, Reject, SchemaRef, Source,
};
use fenhe_dbf::Dbf;
use serde_json::Value;

/// Everything that came out of a table, rows as JSON.
pub(crate) struct Decoded {
    pub(crate) rows: Vec<Value>,
    pub(crate) numbers: Vec<u64>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) error: Option<Error>,
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) batches: Vec<fenhe_core::RecordBatch>,
}

pub(crate) fn format(words: &[&str]) -> Dbf {
    Dbf::from_options(&Options::from_pairs(words.iter().copied()).unwrap()).unwrap()
}

/// The companions that lie beside a file.
pub(crate) fn companions(path: &Path) -> Vec<Companion> {
    let stem = path.file_stem().unwrap().to_str().unwrap().to_lowercase();
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let other = entry.unwrap().path();
        let same = other.file_stem().is_some_and(|s| s.to_str().unwrap().to_lowercase() == stem);
        let extension =
            other.extension().map(|e| e.to_str().unwrap().to_lowercase()).unwrap_or_default();
        if same && ["fpt", "dbt", "cpg"].contains(&extension.as_str()) {
            let data = Arc::new(Bytes::from(std::fs::read(&other).unwrap()));
            all.push(Companion { extension, data });
        }
    }
    all
}

pub(crate) fn decode_file(path: &Path, words: &[&str]) -> Decoded {
    let bytes = Bytes::from(std::fs::read(path).unwrap());
    decode(bytes, companions(path), words)
}

pub(crate) fn decode(bytes: Bytes, companions: Vec<Companion>, words: &[&str]) -> Decoded {
    let options = DecodeOptions {
        source: Source::named("test.dbf"),
        size: Some(bytes.len() as u64),
        companions,
        ..DecodeOptions::default()
    };
    decode_with(bytes, options, words)
}

pub(crate) fn decode_with(bytes: Bytes, options: DecodeOptions, words: &[&str]) -> Decoded {
    let decoder = format(words).decoder(options).unwrap();
    let inputs = vec![Input::Bytes(bytes), Input::EndOfStream];
    let got = fenhe_testkit::format::decode(decoder, inputs);
    Decoded {
        rows: got.rows.iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
        numbers: got.numbers,
        rejects: got.rejects,
        error: got.error,
        schema: got.schema,
        batches: got.batches,
    }
}
