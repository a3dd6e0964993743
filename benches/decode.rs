//! Decoding to typed Arrow columns, beside the field's own readers, on the same file, in the same run.
//!
//! `cargo bench --bench decode` measures small files; `FENHE_BENCH_MB=200` the size that `docs/performance.md` quotes.
//! `FENHE_BENCH_ONLY=dbf` measures one format. What is compared is the CPU time of one thread, reading included, as
//! the median of interleaved rounds: on a shared machine only the ratio means something.

#![allow(missing_docs, clippy::expect_used, reason = "a program for the terminal")]

#[path = "common/mod.rs"]
mod common;
mod mapping;
mod peers;

use std::path::Path;

use common::{Contest, decode_file, files, subject};
use peers::readers;

fn main() {
    let files = files();
    let contest = |name: &'static str, peer_name: &'static str, peer: fn(&Path) -> usize| {
        let (format, schema, path) = subject(name, &files);
        let bytes = std::fs::metadata(&path).expect("the file").len();
        let ours = || decode_file(format.as_ref(), schema.clone(), &path);
        Contest::new(name, peer_name, bytes).run(ours, || peer(&path));
    };
    contest("csv-utf8", "arrow-csv", readers::arrow_csv);
    contest("csv-gb18030", "encoding_rs + arrow-csv", readers::arrow_csv_gb18030);
    contest("fixed-gbk", "slice, decode, parse", readers::fixed_loop);
    contest("dbf-gbk", "dbase typed reader", readers::dbase_typed);
    contest("ndjson", "arrow-json", readers::arrow_json);
    mapping::run(&files);
}
