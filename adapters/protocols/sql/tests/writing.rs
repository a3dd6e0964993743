use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array,
    Int64Array, StringArray, TimestampMillisecondArray, UInt64Array,
};
use fenhe_core::{Exchange, ExchangeExt, Kind, ReadRequest, WriteMode};
use fenhe_testkit::rows as ndjson;

use fenhe_sql::{Sqlite, Tombstone};

use crate::{batch, database, request, rows};

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap())
}

#[tokio::test]
async fn a_new_table_holds_what_sqlite_itself_can_read() {
    let (keep, db) = database("");
    let b = batch(
        1,
        vec![
            ("编号", Arc::new(Int64Array::from(vec![1, i64::MIN])) as ArrayRef),
            ("姓名", Arc::new(StringArray::from(vec![Some("欧阳"), None]))),
            ("金额", decimals(vec![Some(-110), Some(999_999_999_999)], 12, 2)),
            ("大额", decimals(vec![Some(5), Some(-(10_i128.pow(29)))], 30, 4)),
            ("生日", Arc::new(Date32Array::from(vec![19_782, -1]))),
            ("时间", Arc::new(TimestampMillisecondArray::from(vec![1_709_251_198_123, -1]))),
            ("有效", Arc::new(BooleanArray::from(vec![true, false]))),
            ("系数", Arc::new(Float64Array::from(vec![0.1, 1e300]))),
            ("照片", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b""]))),
        ],
    );
    let mut writer = db.write(request("费用", WriteMode::Append, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    assert_eq!(writer.close().await.unwrap().rows, 2);
    let path = keep.path().join("t.db");
    assert_eq!(
        rows(&path, "SELECT * FROM 费用"),
        [
            "1|'欧阳'|-1.1|'0.0005'|'2024-02-29'|'2024-02-29 23:59:58.123'|1|0.1|x[0, 255]",
            "-9223372036854775808|null|9999999999.99|'-10000000000000000000000000.0000'|'1969-12-31'|'1969-12-31 23:59:59.999'|0|1e300|x[]",
        ]
    );
    assert_eq!(
        rows(&path, "SELECT strftime('%s', 时间), 金额 > 0 FROM 费用"),
        ["'1709251198'|0", "'-1'|1"]
    );
    let back = db.read_all("费用").await.unwrap();
    assert_eq!(ndjson([&back[0].records]), ndjson([&b.records]));
}

#[tokio::test]
async fn a_refused_row_is_a_reject_and_the_others_go_in() {
    let (keep, db) = database(
        "CREATE TABLE dept (id INTEGER PRIMARY KEY); INSERT INTO dept VALUES (1);
         CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, fee DECIMAL(8,2) CHECK (fee >= 0),
                         dept INTEGER REFERENCES dept);",
    );
    let b = batch(
        101,
        vec![
            ("id", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5, 1, 6])) as ArrayRef),
            (
                "name",
                Arc::new(StringArray::from(vec![
                    Some("甲"),
                    None,
                    Some("丙"),
                    Some("甲"),
                    Some("戊"),
                    Some("己"),
                    Some("庚"),
                ])),
            ),
            (
                "fee",
                decimals(
                    vec![Some(150), Some(0), Some(-1), Some(0), Some(0), Some(0), Some(1)],
                    8,
                    2,
                ),
            ),
            ("dept", Arc::new(Int32Array::from(vec![1, 1, 1, 1, 9, 1, 1]))),
        ],
    );
    let mut writer = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    let refused = writer.refused();
    let committed = writer.commit().await.unwrap();
    assert!(committed.rejects.is_empty(), "every refusal is handed out once");
    let found: Vec<_> =
        refused.iter().map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str())).collect();
    assert_eq!(
        found,
        [
            (102, "sql.not_null", "name"),
            (103, "sql.check", ""),
            (104, "sql.unique", "name"),
            (105, "sql.foreign_key", ""),
            (106, "sql.unique", "id"),
        ]
    );
    assert_eq!(refused[1].raw, r#"{"id":3,"name":"丙","fee":-0.01,"dept":1}"#);
    assert_eq!((committed.rows, committed.in_doubt), (2, 0));
    assert_eq!(
        rows(&keep.path().join("t.db"), "SELECT * FROM t"),
        ["1|'甲'|1.5|1", "6|'庚'|0.01|1"]
    );
    db.check().await.unwrap();
}

#[tokio::test]
async fn rows_and_watermark_come_and_go_together() {
    let (keep, db) = database("");
    let path = keep.path().join("t.db");
    let one = batch(1, vec![("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    let two = batch(3, vec![("id", Arc::new(Int64Array::from(vec![3])) as ArrayRef)]);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &one)).await.unwrap();
    assert_eq!(writer.commit().await.unwrap().watermark, None);
    writer.write(&one).await.unwrap();
    let committed = writer.commit().await.unwrap();
    assert_eq!(committed.watermark, Some(one.position.clone()));
    writer.write(&two).await.unwrap();
    // As a killed process leaves it: nothing of the second batch, neither rows nor watermark.
    drop(writer);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &one)).await.unwrap();
    assert_eq!(writer.watermark().await.unwrap(), Some(one.position.clone()));
    assert_eq!(
        writer.commit().await.unwrap().watermark,
        Some(one.position.clone()),
        "asked by an empty commit"
    );
    assert_eq!(rows(&path, "SELECT * FROM t"), ["1", "2"]);
    assert_eq!(rows(&path, "SELECT pipeline, dataset, batch FROM _fenhe_watermark"), ["'p'|'t'|1"]);
    writer.write(&two).await.unwrap();
    assert_eq!(writer.close().await.unwrap().watermark, Some(two.position.clone()));
    let names: Vec<_> = db.discover().await.unwrap().into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["t"], "the watermark table is not listed");
}

#[tokio::test]
async fn two_runs_of_one_pipeline_cannot_both_go_on() {
    let (keep, db) = database("");
    let b = batch(1, vec![("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let mut first = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    let mut second = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    first.write(&b).await.unwrap();
    first.commit().await.unwrap();
    let outcome = async {
        second.write(&b).await?;
        second.commit().await
    };
    let error = outcome.await.unwrap_err();
    assert!(matches!(error.code(), "sql.fenced" | "sql.statement"), "{error}");
    assert_eq!(second.commit().await.unwrap_err().kind(), Kind::Poisoned);
    drop(second);
    assert_eq!(rows(&keep.path().join("t.db"), "SELECT count(*) FROM t"), ["1"]);
}

#[tokio::test]
async fn values_that_the_column_would_change_are_refused_before_the_first_row() {
    let (_keep, db) =
        database("CREATE TABLE t (id INTEGER PRIMARY KEY, n NUMERIC, r REAL, fee DECIMAL(8,2));");
    let text = || Arc::new(StringArray::from(vec!["007"])) as ArrayRef;
    for name in ["id", "n", "r", "fee"] {
        let b = batch(1, vec![(name, text())]);
        let error = db.write(request("t", WriteMode::Append, &[], &b)).await.map(drop).unwrap_err();
        assert_eq!(
            (error.kind(), error.code(), error.field()),
            (Kind::Config, "sql.type", Some(name))
        );
    }
    let b = batch(1, vec![("other", text())]);
    let error = db.write(request("t", WriteMode::Append, &[], &b)).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "sql.column");
    let b = batch(1, vec![("r", text())]);
    let error =
        db.write(request("new", WriteMode::Upsert, &["nokey"], &b)).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let b = batch(1, vec![("fee", decimals(vec![Some(1)], 8, 2))]);
    let error =
        db.write(request("t", WriteMode::Upsert, &["fee"], &b)).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "sql.key");
}

#[tokio::test]
async fn a_value_without_exact_form_is_a_reject() {
    let (keep, db) =
        database("CREATE TABLE t (id INTEGER PRIMARY KEY, fee DECIMAL(20,2), n INTEGER, r REAL);");
    let b = batch(
        1,
        vec![
            (
                "fee",
                decimals(
                    vec![
                        Some(12_345_678_901_234_567),
                        Some(12_345_678_901_234_500),
                        Some(1),
                        Some(1),
                    ],
                    20,
                    2,
                ),
            ),
            ("n", Arc::new(UInt64Array::from(vec![1, 2, u64::MAX, 4]))),
            ("r", Arc::new(Float64Array::from(vec![0.0, f64::INFINITY, 0.0, f64::NAN]))),
        ],
    );
    let mut writer = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    let committed = writer.close().await.unwrap();
    let codes: Vec<_> =
        committed.rejects.iter().map(|r| (r.record, r.fault.code.as_ref())).collect();
    assert_eq!(codes, [(1, "sql.decimal_inexact"), (3, "sql.integer_range"), (4, "sql.nan")]);
    assert_eq!(
        rows(&keep.path().join("t.db"), "SELECT fee, n, r FROM t"),
        ["123456789012345|2|inf"]
    );
}

#[tokio::test]
async fn names_cannot_break_out_of_their_quotes() {
    let (keep, db) = database("CREATE TABLE victim (x); INSERT INTO victim VALUES (1);");
    let evil = "x\"); DROP TABLE victim; --";
    let b = batch(1, vec![(evil, Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let mut writer = db.write(request(evil, WriteMode::Upsert, &[evil], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(rows(&keep.path().join("t.db"), "SELECT * FROM victim"), ["1"]);
    assert_eq!(db.read_all(evil).await.unwrap()[0].rows(), 1);
    for name in ["a\0b", "", "sqlite_x", "_fenhe_watermark"] {
        let error =
            db.write(request(name, WriteMode::Append, &[], &b)).await.map(drop).unwrap_err();
        assert_eq!(error.code(), "sql.name", "{name:?}");
    }
    let b = batch(1, vec![("a\0b", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    assert_eq!(
        db.write(request("t", WriteMode::Append, &[], &b)).await.map(drop).unwrap_err().code(),
        "sql.name"
    );
}

#[tokio::test]
async fn a_replace_is_seen_at_its_end_and_not_before() {
    let (keep, db) = database("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (7), (8);");
    let path = keep.path().join("t.db");
    let b = batch(1, vec![("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let mut writer = db.write(request("t", WriteMode::Replace, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    assert_eq!(writer.commit().await.unwrap().rows, 0);
    assert_eq!(rows(&path, "SELECT * FROM t"), ["7", "8"]);
    let committed = writer.close().await.unwrap();
    assert_eq!((committed.rows, committed.watermark), (1, Some(b.position.clone())));
    assert_eq!(rows(&path, "SELECT * FROM t"), ["1"]);
    let empty = db.write(request("t", WriteMode::Replace, &[], &b)).await.unwrap();
    empty.close().await.unwrap();
    assert!(rows(&path, "SELECT * FROM t").is_empty(), "a replace by nothing empties the table");
}

#[tokio::test]
async fn a_tombstone_takes_the_row_away_or_marks_it() {
    let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, del INTEGER); \
               INSERT INTO t VALUES (1, '旧', 0), (2, '旧', 0), (3, '旧', 0)";
    let b = batch(
        1,
        vec![
            ("id", Arc::new(Int64Array::from(vec![1, 2, 4, 3, 3, 5])) as ArrayRef),
            (
                "name",
                Arc::new(StringArray::from(vec![
                    None,
                    Some("新"),
                    Some("新"),
                    None,
                    Some("回"),
                    None,
                ])),
            ),
            ("del", Arc::new(Int64Array::from(vec![1, 0, 0, 1, 0, 0]))),
        ],
    );
    let expected: [(Tombstone, &[&str]); 2] = [
        (Tombstone::Delete, &["2|'新'|0", "3|'回'|null", "4|'新'|null"]),
        (Tombstone::Mark, &["1|'旧'|1", "2|'新'|0", "3|'回'|0", "4|'新'|0"]),
    ];
    for (tombstone, expected) in expected {
        let (keep, db) = database(sql);
        let path = keep.path().join("t.db");
        let mut config = db.config().clone();
        (config.deleted, config.tombstone) = (Some("del".into()), tombstone);
        let db = Sqlite::new(config);
        let mut writer = db.write(request("t", WriteMode::Upsert, &["id"], &b)).await.unwrap();
        writer.write(&b).await.unwrap();
        let done = writer.close().await.unwrap();
        let codes: Vec<_> =
            done.rejects.iter().map(|r| (r.record, r.fault.code.as_ref())).collect();
        assert_eq!((done.rows, codes), (5, vec![(6, "sql.not_null")]), "{tombstone:?}");
        assert_eq!(rows(&path, "SELECT * FROM t ORDER BY id"), expected, "{tombstone:?}");
    }
}

#[tokio::test]
async fn a_front_table_is_only_added_to_and_its_receipts_are_read() {
    let (keep, db) = database("");
    let path = keep.path().join("t.db");
    let mut config = db.config().clone();
    (config.front_table, config.front_region) = (true, Some("370100".into()));
    let db = Sqlite::new(config);
    let report = |first: u64, names: Vec<&str>, ids: Vec<i64>| {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("XM", Arc::new(StringArray::from(names))),
            ("BH", Arc::new(Int64Array::from(ids))),
        ];
        batch(first, columns)
    };
    for (b, answer) in [
        (
            report(1, vec!["甲", "乙"], vec![1, 2]),
            "UPDATE 上报 SET SJSCZT = 1; UPDATE 上报 SET SBYY = '证件号错' WHERE BH = 2",
        ),
        (report(3, vec!["甲改", "丙", "甲又"], vec![1, 3, 1]), "SELECT 1"),
    ] {
        let mut writer = db.write(request("上报", WriteMode::Upsert, &["BH"], &b)).await.unwrap();
        writer.write(&b).await.unwrap();
        assert_eq!(writer.close().await.unwrap().rows, b.rows() as u64);
        rusqlite::Connection::open(&path).unwrap().execute_batch(answer).unwrap();
    }
    assert_eq!(
        rows(&path, "SELECT BH, XM, SJYXBS, SJSCZT, SBYY, XZQHDM FROM 上报 ORDER BY LSH"),
        [
            "1|'甲'|1|1|null|'370100'",
            "2|'乙'|1|1|'证件号错'|'370100'",
            "1|'甲'|0|0|null|'370100'",
            "1|'甲改'|1|0|null|'370100'",
            "3|'丙'|1|0|null|'370100'",
            "1|'甲改'|0|0|null|'370100'",
            "1|'甲又'|1|0|null|'370100'",
        ]
    );
    let receipts = db.read_all("上报@receipts").await.unwrap();
    let outcome = receipts[0].records.column_by_name("outcome").unwrap();
    let words: Vec<_> = outcome.as_string::<i32>().iter().flatten().collect();
    assert_eq!(words, ["taken", "refused", "waiting", "waiting", "waiting", "waiting", "waiting"]);
    // Whoever looks at the database from outside says nothing about front tables. Reported last: 甲又, 乙, 丙.
    let outside = Sqlite::file(&path);
    let seen = |batches: &[fenhe_core::Batch]| -> Vec<String> {
        let names = |b: &fenhe_core::Batch| {
            let column = b.records.column_by_name("XM").unwrap().as_string::<i32>().clone();
            column.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        };
        batches.iter().flat_map(names).collect()
    };
    assert_eq!(seen(&outside.read_all("上报@receipts").await.unwrap()).len(), 7);
    assert_eq!(seen(&outside.read_all("上报@current").await.unwrap()), ["乙", "丙", "甲又"]);
    assert_eq!(seen(&outside.read_all("上报").await.unwrap()).len(), 7);
    assert_eq!(seen(&db.read_all("上报").await.unwrap()), ["乙", "丙", "甲又"]);
    // Read on from a place, the same rows are left out.
    let first = outside.read_all("上报@current").await.unwrap();
    let from = Some(first[0].position.clone());
    let request = ReadRequest { dataset: "上报@current".into(), from, ..ReadRequest::default() };
    let mut rest = outside.read(request).await.unwrap();
    assert!(rest.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_record_that_keeps_its_own_key_is_current_once() {
    // The department keeps one DFSJZJ a record: reported, taken back, reported afresh; the second one was deleted.
    let (_keep, db) = database(
        "CREATE TABLE t (SEQ INTEGER PRIMARY KEY, DFSJZJ TEXT, SJYXBS INTEGER, SJSCZT INTEGER, SBYY TEXT);
         INSERT INTO t (DFSJZJ, SJYXBS) VALUES ('a', 1), ('b', 1), ('a', 0), ('a', 1), ('b', 0);
         CREATE TABLE plain (id INTEGER);",
    );
    let batches = db.read_all("t@current").await.unwrap();
    let numbers = batches[0].records.column_by_name("SEQ").unwrap();
    assert_eq!(numbers.as_primitive::<arrow_array::types::Int64Type>().values(), &[4]);
    let error = db.read_all("plain@current").await.unwrap_err();
    assert_eq!(error.code(), "sql.front_columns");
    assert_eq!(db.read_all("none@current").await.unwrap_err().code(), "sql.table");
}
