//! Writes a file of the seeded generator: `generate dbf|csv|gb18030|fixed|ndjson ROWS FILE`.
#![allow(clippy::panic, clippy::expect_used, clippy::print_stderr)]

use std::fs::File;
use std::io::{BufWriter, Write};

use fenhe_testkit::generate::{self, Charset};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [kind, rows, file] = words.as_slice() else {
        eprintln!("usage: generate dbf|csv|gb18030|fixed|ndjson ROWS FILE");
        std::process::exit(2);
    };
    let rows = rows.parse().expect("a number of rows");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
    match kind.as_str() {
        "dbf" => generate::write_dbf(&mut out, rows, 1)?,
        "csv" => generate::write_csv(&mut out, rows, 1, Charset::Utf8)?,
        "gb18030" => generate::write_csv(&mut out, rows, 1, Charset::Gb18030)?,
        "fixed" => generate::write_fixed(&mut out, rows, 1)?,
        "ndjson" => generate::write_ndjson(&mut out, rows, 1)?,
        other => panic!("nothing is called {other}"),
    }
    out.flush()
}
