//! Decodes one small generated file once, for a run under callgrind: `instructions NAME`.
//!
//! `.ci/instructions` runs it for every name and compares the counts with `benches/instructions.txt`.

#![allow(missing_docs, clippy::print_stdout, reason = "a program for the terminal")]

#[path = "common/mod.rs"]
mod common;

fn main() {
    let Some(name) = std::env::args().nth(1).filter(|a| !a.starts_with('-')) else {
        println!("{}", common::NAMES.join("\n"));
        return;
    };
    let (format, schema, path) = common::subject(&name, &common::files());
    println!("{} rows", common::decode_file(format.as_ref(), schema, &path));
}
