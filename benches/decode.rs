//! Decoding to typed Arrow columns, beside the field's own readers, on the same file, in the same run.
//!
//! `cargo bench --bench decode` measures small files; `FENHE_BENCH_MB=200` the size that `docs/performance.md` quotes.
//! `FENHE_BENCH_ONLY=dbf` measures one format. What is compared is the CPU time of one thread, reading included, as
//! the median of interleaved rounds: on a shared machine only the ratio means something.

#[path = "common/mod.rs"]
mod common;
mod peers;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use common::{Contest, decode_file, files};
use fenhe_core::{Format, Options};
use fenhe_testkit::generate;

fn main() {
    let files = files();
    let csv = format(|o| Ok(Arc::new(fenhe_csv::Csv::from_options(o)?)), &["encoding=utf-8", "header=true"]);
    let csv_gb = format(|o| Ok(Arc::new(fenhe_csv::Csv::from_options(o)?)), &["encoding=gb18030", "header=true"]);
    let fixed = fixed();
    let dbf = format(|o| Ok(Arc::new(fenhe_dbf::Dbf::from_options(o)?)), &[]);
    let json = format(|o| Ok(Arc::new(fenhe_json::Json::from_options(o)?)), &["shape=lines"]);
    let typed = Some(generate::schema());

    Contest::new("csv utf-8", "arrow-csv", &files.csv)
        .ours(|path| decode_file(csv.as_ref(), typed.clone(), path))
        .peer(peers::arrow_csv)
        .run();
    Contest::new("csv gb18030", "encoding_rs + arrow-csv", &files.csv_gb18030)
        .ours(|path| decode_file(csv_gb.as_ref(), typed.clone(), path))
        .peer(peers::arrow_csv_gb18030)
        .run();
    Contest::new("fixed gbk", "slice, decode, parse", &files.fixed)
        .ours(|path| decode_file(fixed.as_ref(), None, path))
        .peer(peers::fixed_loop)
        .run();
    Contest::new("dbf gbk", "dbase typed reader", &files.dbf)
        .ours(|path| decode_file(dbf.as_ref(), None, path))
        .peer(peers::dbase_typed)
        .run();
    Contest::new("ndjson", "arrow-json", &files.ndjson)
        .ours(|path| decode_file(json.as_ref(), typed.clone(), path))
        .peer(peers::arrow_json)
        .run();
    black_box(Path::new("."));
}

fn format(
    make: impl Fn(&Options) -> fenhe_core::Result<Arc<dyn Format>>,
    pairs: &[&str],
) -> Arc<dyn Format> {
    make(&Options::from_pairs(pairs.iter().copied()).expect("options")).expect("a format")
}

/// The layout of [`generate::write_fixed`].
fn fixed() -> Arc<dyn Format> {
    let mut options = Options::new();
    let layout = include_str!("common/registry.layout.toml");
    options.set("layout", serde_json::json!({"name": "registry.layout.toml", "text": layout}));
    Arc::new(fenhe_fixed::Fixed::from_options(&options).expect("a layout"))
}
