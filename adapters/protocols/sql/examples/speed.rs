//! Rows in a second through SQLite, twelve columns: `cargo run --release --example speed -- 1000000`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use fenhe_core::{Batch, Exchange, Limits, Position, ReadRequest, Span, WriteMode, WriteRequest};

fn batch(first: i64, n: i64) -> Batch {
    let ids = first..first + n;
    let text = |f: &dyn Fn(i64) -> String| {
        Arc::new(ids.clone().map(|i| Some(f(i))).collect::<StringArray>()) as ArrayRef
    };
    let decimal = |scale: i8| {
        let values: Decimal128Array = ids.clone().map(|i| Some(i128::from(i) * 101 + 7)).collect();
        Arc::new(values.with_precision_and_scale(14, scale).unwrap()) as ArrayRef
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
        ("name", text(&|i| format!("欧阳{}", i % 1000))),
        ("card", text(&|i| format!("11010119800101{i:04}"))),
        ("fee", decimal(2)),
        ("balance", decimal(2)),
        ("born", Arc::new(ids.clone().map(|i| Some((i % 20_000) as i32)).collect::<Date32Array>())),
        (
            "stamp",
            Arc::new(
                ids.clone().map(|i| Some(i * 1_000_003)).collect::<TimestampMicrosecondArray>(),
            ),
        ),
        ("ok", Arc::new(ids.clone().map(|i| Some(i % 2 == 0)).collect::<BooleanArray>())),
        ("rate", Arc::new(ids.clone().map(|i| Some(i as f64 / 7.0)).collect::<Float64Array>())),
        ("region", Arc::new(ids.clone().map(|i| Some((i % 99) as i32)).collect::<Int32Array>())),
        ("note", text(&|i| if i % 3 == 0 { String::new() } else { "备注文字".into() })),
        ("code", text(&|i| format!("{:06}", i % 999_999))),
    ];
    let records = RecordBatch::try_from_iter(columns).unwrap();
    let span = Span { first: first as u64 + 1, read: n as u64, ..Span::default() };
    Batch::new(records, Vec::new(), span, Position::new("speed", 1, &first).unwrap()).unwrap()
}

fn main() {
    let rows: i64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir_in(".").unwrap();
    let db = fenhe_sql::Sqlite::file(folder.path().join("speed.db"));
    tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(async {
        let batches: Vec<_> = (0..rows / 8_192).map(|n| batch(n * 8_192, 8_192)).collect();
        let rows = batches.iter().map(Batch::rows).sum::<usize>() as f64;
        for (mode, name) in [
            (WriteMode::Append, "append"),
            (WriteMode::Upsert, "upsert"),
            (WriteMode::Upsert, "upsert again"),
        ] {
            let request = WriteRequest {
                dataset: if mode == WriteMode::Append {
                    "appended".into()
                } else {
                    "upserted".into()
                },
                schema: batches[0].records.schema(),
                mode,
                key: if mode == WriteMode::Append { Vec::new() } else { vec!["id".into()] },
                pipeline: "speed".into(),
                limits: Limits::default(),
            };
            let start = Instant::now();
            let mut writer = db.write(request).await.unwrap();
            for (n, batch) in batches.iter().enumerate() {
                writer.write(batch).await.unwrap();
                if n % 16 == 15 {
                    writer.commit().await.unwrap();
                }
            }
            writer.close().await.unwrap();
            println!("{name}: {:.0} rows/s", rows / start.elapsed().as_secs_f64());
        }
        let start = Instant::now();
        let request = ReadRequest { dataset: "appended".into(), ..ReadRequest::default() };
        let mut reader = db.read(request).await.unwrap();
        let mut read = 0;
        while let Some(batch) = reader.next().await.unwrap() {
            read += batch.rows();
        }
        println!("read: {:.0} rows/s", read as f64 / start.elapsed().as_secs_f64());
    });
}
