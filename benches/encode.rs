//! Encoding of the same record batches, beside the field's own writers, in the same run.
//!
//! `cargo bench --bench encode` measures small files; sizes, names and the clock are those of the bench `decode`. The
//! batches are in memory before the clock starts, and what is written is dropped. Before the rounds each side writes once
//! into memory: both must be the very bytes of the file that the batches were read from, or hold the same values when
//! they are read back.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a program for the terminal")]

#[path = "common/mod.rs"]
mod common;
mod peers;

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use bytes::BytesMut;
use common::{Contest, Files, Sink, decode_each, decode_from, subject, wanted};
use fenhe_core::{EncodeOptions, Format, Limits, SchemaRef};
use peers::writers;

type Writer = fn(&[RecordBatch], &mut Sink) -> usize;

fn main() {
    let files = common::files();
    compare(
        "csv-utf8",
        &files,
        &[("arrow-csv", writers::arrow_csv), ("csv crate", writers::csv_crate)],
    );
    compare("csv-gb18030", &files, &[("arrow-csv + encoding_rs", writers::arrow_csv_gb18030)]);
    compare("fixed-gbk", &files, &[("format, encode, pad", writers::fixed_loop)]);
    compare("dbf-gbk", &files, &[("dbase typed writer", writers::dbase_typed)]);
    compare("ndjson", &files, &[("arrow-json", writers::arrow_json)]);
}

/// One format beside its peers.
fn compare(name: &str, files: &Files, peers: &[(&str, Writer)]) {
    if !wanted(name) {
        return;
    }
    let (format, schema, path) = subject(name, files);
    let batches = batches(&*format, schema.clone(), &path);
    let ours = encoded(|sink| encode(&*format, &batches, sink));
    let file = std::fs::read(&path).expect("the file");
    let same = |what: &str, bytes: &[u8], as_in: &[u8]| {
        if bytes != as_in {
            let read = |bytes: &[u8]| values(&*format, schema.clone(), bytes);
            assert_same_values(&format!("{name}: {what}"), &read(bytes), &read(as_in));
        }
    };
    same("fenhe", &ours, &file);
    drop(file);
    for (peer_name, peer) in peers {
        let theirs = encoded(|sink| peer(&batches, sink));
        same(peer_name, &theirs, &ours);
        drop(theirs);
        Contest::new(name, peer_name, ours.len() as u64).run(
            || encode(&*format, &batches, &mut Sink::default()),
            || peer(&batches, &mut Sink::default()),
        );
    }
}

fn batches(format: &dyn Format, schema: Option<SchemaRef>, path: &Path) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    decode_each(format, schema, path, |batch| batches.push(batch));
    batches
}

/// Encodes on this thread and returns the rows; every reject is a failure here.
fn encode(format: &dyn Format, batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let schema = batches.first().expect("a batch").schema();
    let options = EncodeOptions { schema, limits: Limits::default() };
    let mut encoder = format.encoder(options).expect("an encoder");
    let (mut out, mut rows) = (BytesMut::new(), 0);
    for batch in batches {
        let rejects = encoder.encode(batch, &mut out).expect("encoded");
        assert!(rejects.is_empty(), "{}", rejects[0]);
        sink.write_all(&out).expect("written");
        out.clear();
        rows += batch.num_rows();
    }
    let patches = encoder.finish(&mut out).expect("finished");
    sink.write_all(&out).expect("written");
    for patch in patches {
        sink.seek(SeekFrom::Start(patch.offset)).expect("a place");
        sink.write_all(&patch.bytes).expect("patched");
    }
    rows
}

fn encoded(write: impl FnOnce(&mut Sink) -> usize) -> Vec<u8> {
    let mut sink = Sink::keeping();
    write(&mut sink);
    sink.into_bytes()
}

/// What a reader finds in `bytes`, as one batch without what else the schema tells of the file.
fn values(format: &dyn Format, schema: Option<SchemaRef>, bytes: &[u8]) -> RecordBatch {
    let mut batches = Vec::new();
    decode_from(format, schema, bytes, bytes.len() as u64, |batch| batches.push(batch));
    let all = concat_batches(&batches.first().expect("a batch").schema(), &batches);
    let all = all.expect("one batch");
    let schema = all.schema();
    let names = schema.fields().iter().map(|field| field.name().to_lowercase());
    let columns = names.zip(all.columns()).map(|(name, column)| (name, column.clone(), true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns")
}

fn assert_same_values(what: &str, found: &RecordBatch, expected: &RecordBatch) {
    assert_eq!(found.schema(), expected.schema(), "{what}");
    assert_eq!(found.num_rows(), expected.num_rows(), "{what}");
    for (at, (one, other)) in found.columns().iter().zip(expected.columns()).enumerate() {
        if one != other {
            let differs = |row: &usize| one.slice(*row, 1) != other.slice(*row, 1);
            let row = (0..found.num_rows()).find(differs).unwrap_or_default();
            let (one, other) = (one.slice(row, 1), other.slice(row, 1));
            panic!("{what}: column {at}, row {row}: {one:?}, expected {other:?}");
        }
    }
}
