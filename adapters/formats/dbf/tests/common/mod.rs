//! Reading tables in tests.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

pub mod table;

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

/// A shared table, how to read it, and what comes back byte for byte: the table as it is decoded by default (with
/// `deleted=true`), with `raw=true`, and the memo file.
pub struct Shared {
    pub path: &'static str,
    pub words: &'static [&'static str],
    pub plain: bool,
    pub raw: bool,
    pub memo: bool,
}

const fn shared(path: &'static str) -> Shared {
    Shared { path, words: &[], plain: true, raw: true, memo: false }
}

pub const SHARED: &[Shared] = &[
    shared("countries/countries.dbf"),
    shared("cp1251/cp1251.dbf"),
    shared("dbase3_03/dbase_03.dbf"),
    shared("gbk/gbk.dbf"),
    shared("line/line.dbf"),
    shared("stations/stations.dbf"),
    shared("stations_deleted/stations_with_deleted.dbf"),
    shared("vfp_31_autoinc/dbase_31.dbf"),
    Shared { words: &["encoding=cp850"], ..shared("cp850/cp850.dbf") },
    Shared { words: &["encoding=cp866"], ..shared("dbase3_cyrillic/dbase_03_cyrillic.dbf") },
    Shared { words: &["encoding=cp866"], ..shared("php_dbaseIII_bankforms/dBaseIII_nomemo.dbf") },
    Shared { memo: true, ..shared("foxprodb_calls/calls.dbf") },
    Shared { memo: true, ..shared("foxprodb_contacts/contacts.dbf") },
    // The memo file lies by one character in two memos, of two code pages: read as CP437.
    Shared { words: &["encoding=cp437"], memo: true, ..shared("dbase3_83_memo/dbase_83.dbf") },
    // The memo file is missing: the block numbers are kept with the record bytes only.
    Shared { words: &["missing_memo=null"], plain: false, ..shared("books/books.dbf") },
    // Two spellings of true (Y and T), and old text behind the memos.
    Shared { plain: false, ..shared("dbase4_8b_memo/dbase_8b.dbf") },
    // The memo file has a block that no record points to any more, and is written without it.
    Shared { plain: false, raw: false, ..shared("dbfread_memotest/memotest.dbf") },
    // Old bytes behind two memos, in the filling of their last block.
    Shared { memo: false, ..shared("vfp_30_memo/dbase_30.dbf") },
    // dBASE II fills the last sector with old bytes, and spells an absent number `.`.
    Shared { plain: false, raw: false, ..shared("foxbase_02/dbase_02.dbf") },
];
