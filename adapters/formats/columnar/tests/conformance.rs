//! The published suite, and a second reader's word for what we wrote.

#![allow(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use bytes::BytesMut;
use fenhe_columnar::{Compression, Ipc, IpcOptions, Parquet, ParquetOptions};
use fenhe_core::{EncodeOptions, Format, Limits};
use fenhe_testkit::format::{Case, conforms};

fn batch() -> RecordBatch {
    let columns: [(&str, ArrayRef); 5] = [
        ("id", Arc::new(Int64Array::from_iter_values(0..23))),
        (
            "姓名",
            Arc::new(
                (0..23).map(|i| (i % 5 != 2).then(|| format!("欧阳{i}"))).collect::<StringArray>(),
            ),
        ),
        (
            "fee",
            Arc::new(
                (0..23)
                    .map(Some)
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(12, 2)
                    .unwrap(),
            ),
        ),
        ("day", Arc::new((0..23).map(|i| (i != 7).then_some(i * 400)).collect::<Date32Array>())),
        (
            "codes",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
                (0..23).map(|i| Some((0..i % 3).map(Some))),
            )),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap()
}

fn written(format: &dyn Format) -> BytesMut {
    let batch = batch();
    let options = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = format.encoder(options).unwrap();
    let mut file = BytesMut::new();
    for (from, n) in [(0, 10), (10, 13)] {
        assert!(encoder.encode(&batch.slice(from, n), &mut file).unwrap().is_empty());
    }
    encoder.finish(&mut file).unwrap();
    file
}

#[test]
fn every_kind_of_file_conforms() {
    let formats: Vec<(&str, Arc<dyn Format>)> = vec![
        ("parquet", Arc::new(Parquet::default())),
        (
            "parquet zstd",
            Arc::new(Parquet::new(ParquetOptions { compression: Compression::Zstd, row_group: 7 })),
        ),
        ("arrow file", Arc::new(Ipc::default())),
        ("arrow stream", Arc::new(Ipc::new(IpcOptions { stream: true }))),
    ];
    let cases: Vec<Case> = formats
        .into_iter()
        .map(|(name, format)| Case::new(name, Arc::clone(&format), written(format.as_ref())))
        .collect();
    let empty = Case::new("no file at all", Arc::new(Parquet::default()), &b""[..]);
    let text =
        Case::new("text in place of parquet", Arc::new(Parquet::default()), &b"id,name\n1,a\n"[..]);
    let ipc = Case::new("text in place of arrow", Arc::new(Ipc::default()), &b"id,name\n1,a\n"[..]);
    conforms(&cases, &[], &[empty, text, ipc]);
}

#[test]
fn the_rows_are_those_that_were_written() {
    for format in [&Parquet::default() as &dyn Format, &Ipc::default()] {
        let case = fenhe_testkit::format::decode(
            format.decoder(Default::default()).unwrap(),
            vec![
                fenhe_core::Input::Object(Arc::new(written(format).freeze())),
                fenhe_core::Input::EndOfStream,
            ],
        );
        assert_eq!(case.rows, fenhe_testkit::rows([&batch()]), "{}", format.info().name);
    }
}
