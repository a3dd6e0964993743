//! Files, formats, the clock and the table that the benches share.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::type_complexity,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    unused_imports,
    missing_docs
)]

mod contest;
mod sink;

pub use contest::{Contest, cpu, median};
pub use sink::Sink;

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::{DecodeOptions, Format, Input, Options, Output};
use fenhe_kernels::ChunkPool;
use fenhe_testkit::generate::{self, Charset};

/// The generated files.
pub struct Files {
    pub csv: PathBuf,
    pub csv_gb18030: PathBuf,
    pub fixed: PathBuf,
    pub dbf: PathBuf,
    pub ndjson: PathBuf,
}

/// Writes the files once for a size and seed; later runs find them.
pub fn files() -> Files {
    let megabytes: usize = setting("FENHE_BENCH_MB").and_then(|v| v.parse().ok()).unwrap_or(4);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("registry-{megabytes}"));
    fs::create_dir_all(&folder).expect("a folder for the files");
    let make = |name: &str,
                bytes_a_row: usize,
                write: &dyn Fn(&mut BufWriter<File>, usize) -> std::io::Result<()>| {
        let path = folder.join(name);
        if !path.exists() {
            let part = folder.join(format!("{name}.part"));
            let mut out = BufWriter::with_capacity(1 << 20, File::create(&part).expect("create"));
            write(&mut out, megabytes * 1_000_000 / bytes_a_row).expect("write");
            out.flush().expect("flush");
            fs::rename(part, &path).expect("rename");
        }
        path
    };
    Files {
        csv: make("registry.csv", 205, &|out, rows| {
            generate::write_csv(out, rows, 1, Charset::Utf8)
        }),
        csv_gb18030: make("registry.gb18030.csv", 175, &|out, rows| {
            generate::write_csv(out, rows, 1, Charset::Gb18030)
        }),
        fixed: make("registry.txt", 208, &|out, rows| generate::write_fixed(out, rows, 1)),
        dbf: make("registry.dbf", 208, &|out, rows| generate::write_dbf(out, rows, 1)),
        ndjson: make("registry.ndjson", 345, &|out, rows| generate::write_ndjson(out, rows, 1)),
    }
}

/// What is measured.
pub const NAMES: [&str; 5] = ["csv-utf8", "csv-gb18030", "fixed-gbk", "dbf-gbk", "ndjson"];

/// Format, schema and file of one of [`NAMES`].
pub fn subject(name: &str, files: &Files) -> (Arc<dyn Format>, Option<SchemaRef>, PathBuf) {
    let words = |pairs: &[&str]| Options::from_pairs(pairs.iter().copied()).expect("options");
    let typed = Some(generate::schema());
    let csv = |encoding: &str| -> Arc<dyn Format> {
        let options = words(&["header=true", &format!("encoding={encoding}")]);
        Arc::new(fenhe_csv::Csv::from_options(&options).expect("csv"))
    };
    match name {
        "csv-utf8" => (csv("utf-8"), typed, files.csv.clone()),
        "csv-gb18030" => (csv("gb18030"), typed, files.csv_gb18030.clone()),
        "fixed-gbk" => {
            let mut options = Options::new();
            let layout = include_str!("registry.layout.toml");
            options
                .set("layout", serde_json::json!({"name": "registry.layout.toml", "text": layout}));
            (
                Arc::new(fenhe_fixed::Fixed::from_options(&options).expect("a layout")),
                None,
                files.fixed.clone(),
            )
        }
        "dbf-gbk" => (
            Arc::new(fenhe_dbf::Dbf::from_options(&Options::new()).expect("dbf")),
            None,
            files.dbf.clone(),
        ),
        "ndjson" => {
            let options = words(&["shape=lines"]);
            (
                Arc::new(fenhe_json::Json::from_options(&options).expect("json")),
                typed,
                files.ndjson.clone(),
            )
        }
        other => panic!("nothing is called {other}"),
    }
}

/// The columns of the register, all as text.
pub fn text_schema() -> SchemaRef {
    let fields = generate::NAMES.map(|name| Field::new(name, DataType::Utf8, true));
    Arc::new(Schema::new(fields.to_vec()))
}

/// Decodes a whole file on this thread and returns its rows; every reject is a failure here.
pub fn decode_file(format: &dyn Format, schema: Option<SchemaRef>, path: &Path) -> usize {
    let mut rows = 0;
    decode_each(format, schema, path, |batch| rows += batch.num_rows());
    rows
}

/// Decodes a whole file on this thread and hands over its batches; every reject is a failure here.
pub fn decode_each(
    format: &dyn Format,
    schema: Option<SchemaRef>,
    path: &Path,
    each: impl FnMut(RecordBatch),
) {
    let file = File::open(path).expect("the file");
    let size = file.metadata().expect("its size").len();
    decode_from(format, schema, file, size, each);
}

/// Decodes a whole stream of that size on this thread and hands over its batches; every reject is a failure here.
pub fn decode_from(
    format: &dyn Format,
    schema: Option<SchemaRef>,
    mut input: impl Read,
    size: u64,
    mut each: impl FnMut(RecordBatch),
) {
    let options = DecodeOptions { schema, size: Some(size), ..DecodeOptions::default() };
    let mut decoder = format.decoder(options).expect("a decoder");
    let pool = ChunkPool::new(1 << 20);
    loop {
        match decoder.next().expect("decoded") {
            Output::Batch(batch) => {
                assert!(batch.rejects.is_empty(), "{}", batch.rejects[0]);
                each(batch.records);
            }
            Output::Done => return,
            Output::NeedInput => {
                let mut chunk = pool.get();
                let n = input.read(&mut chunk).expect("read");
                let input = if n == 0 { Input::EndOfStream } else { Input::Bytes(chunk.freeze(n)) };
                decoder.feed(input).expect("fed");
            }
        }
    }
}

/// Whether this run measures `name`.
pub fn wanted(name: &str) -> bool {
    setting("FENHE_BENCH_ONLY").is_none_or(|only| name.contains(&only))
}

pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
