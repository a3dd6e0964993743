use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Exchange, ExchangeExt, Kind, Limits, ReadRequest, schema::NATIVE_TYPE};
use fenhe_sql::{Sqlite, SqliteConfig, Types};
use fenhe_testkit::rows as ndjson;

use crate::database;

const LEGACY: &str = "
CREATE TABLE 费用 (编号 INTEGER PRIMARY KEY, 姓名 VARCHAR(20) NOT NULL, 金额 DECIMAL(12,2), 大额 DECIMAL_TEXT(30,4),
    生日 DATE, 录入 DATETIME, 有效 BOOLEAN, 系数 REAL, 照片 BLOB);
INSERT INTO 费用 VALUES (1, '欧阳娜娜', '1234567890.12', '12345678901234567890123456.7891', '2000-02-29',
    '2024-01-31 08:09:10.5', 1, 0.25, x'00ff'), (2, '张''伟', 7, NULL, NULL, NULL, 0, 3, NULL),
    (3, '李', 0.1, '-0.0001', '1999-12-31', '1999-12-31', NULL, -1e300, x'');
CREATE VIEW 女 AS SELECT 编号, 金额 * 2 AS 双 FROM 费用;";

#[tokio::test]
async fn declared_types_become_arrow_types_and_values_stay_exact() {
    let (_keep, db) = database(LEGACY);
    let batches = db.read_all("费用").await.unwrap();
    let schema = batches[0].records.schema();
    let types: Vec<_> = schema.fields().iter().map(|f| f.data_type().clone()).collect();
    assert_eq!(
        types,
        [
            DataType::Int64,
            DataType::Utf8,
            DataType::Decimal128(12, 2),
            DataType::Decimal128(30, 4),
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Boolean,
            DataType::Float64,
            DataType::Binary,
        ]
    );
    assert_eq!(schema.field(2).metadata()[NATIVE_TYPE], "DECIMAL(12,2)");
    assert!(
        !schema.field(0).is_nullable()
            && !schema.field(1).is_nullable()
            && schema.field(2).is_nullable()
    );
    let lines = ndjson(batches.iter().map(|b| &b.records));
    assert!(lines[0].contains("1234567890.12"), "{}", lines[0]);
    assert!(lines[0].contains("12345678901234567890123456.7891"), "{}", lines[0]);
    assert!(lines[0].contains("2024-01-31T08:09:10.5"), "{}", lines[0]);
    assert!(
        lines[1].contains("7.00") && lines[2].contains("0.10") && lines[2].contains("-0.0001"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn tables_and_views_are_listed_with_their_keys() {
    let (_keep, db) = database(
        "CREATE TABLE b (y TEXT, x INT, v, PRIMARY KEY (x, y)) WITHOUT ROWID; CREATE TABLE \"a\"\"b\" (z);
         CREATE VIEW w AS SELECT x FROM b; INSERT INTO b VALUES ('q', 1, 2.5);",
    );
    let all = db.discover().await.unwrap();
    let listed: Vec<_> = all.iter().map(|d| (d.name.as_str(), d.key.join(","))).collect();
    assert_eq!(listed, [("a\"b", String::new()), ("b", "x,y".into()), ("w", String::new())]);
    assert_eq!(all[1].schema.field(2).data_type(), &DataType::Float64, "found in the rows");
}

async fn resumes_everywhere(db: &Sqlite, dataset: &str, expected: usize) {
    let limits = Limits { batch_rows: 7, ..Limits::default() };
    let request = ReadRequest { dataset: dataset.into(), limits, ..ReadRequest::default() };
    let mut reader = db.read(request.clone()).await.unwrap();
    let mut all = Vec::new();
    while let Some(batch) = reader.next().await.unwrap() {
        all.push(batch);
    }
    let lines = ndjson(all.iter().map(|b| &b.records));
    assert_eq!(lines.len(), expected);
    let mut seen = 0;
    for batch in &all {
        seen += batch.rows();
        let from = Some(batch.position.clone());
        let mut reader = db.read(ReadRequest { from, ..request.clone() }).await.unwrap();
        let mut rest = Vec::new();
        while let Some(batch) = reader.next().await.unwrap() {
            rest.push(batch);
        }
        assert_eq!(
            ndjson(rest.iter().map(|b| &b.records)),
            lines[seen..],
            "{dataset} after {seen}"
        );
        if let Some(next) = rest.first() {
            assert_eq!(next.span.first, seen as u64 + 1);
        }
    }
}

#[tokio::test]
async fn every_kind_of_table_resumes_after_every_batch() {
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)";
    let (_keep, db) = database(&format!(
        "CREATE TABLE plain (i INT, t TEXT); INSERT INTO plain {fill} SELECT i, 'x' || i FROM n;
         DELETE FROM plain WHERE i % 5 = 0;
         CREATE TABLE keyed (t TEXT, i INT, r REAL, PRIMARY KEY (t, i)) WITHOUT ROWID;
         INSERT INTO keyed {fill} SELECT '区' || i % 3, i, i / 7.0 FROM n;
         CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT); INSERT INTO hidden {fill} SELECT i, i, i FROM n;
         CREATE VIEW seen AS SELECT * FROM plain;"
    ));
    for (dataset, rows) in [("plain", 48), ("keyed", 60), ("hidden", 60), ("seen", 48)] {
        resumes_everywhere(&db, dataset, rows).await;
    }
}

#[tokio::test]
async fn a_value_that_is_not_of_its_columns_type_is_a_reject_with_its_row() {
    let (_keep, db) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, fee DECIMAL(6,2), born DATE, name TEXT, ok BOOLEAN);
         INSERT INTO t VALUES (1, 1.5, '2024-02-29', 'a', 1), (2, 1.005, '2024-02-30', 'b', 1),
         (3, 'many', '2024-01-01', 'c', 1), (4, 1, '2024-01-01', CAST(x'D5C5' AS TEXT), 2), (5, 99999, 20240101, 'e', 0),
         (6, 2, '2024-03-01', 'f', 0);",
    );
    let batches = db.read_all("t").await.unwrap();
    let batch = &batches[0];
    assert_eq!(batch.record_numbers(), [1, 6]);
    let found: Vec<_> = batch
        .rejects
        .iter()
        .map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str(), r.also.len()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "value.too_many_fraction_digits", "fee", 1),
            (3, "value.not_a_number", "fee", 0),
            (4, "sql.text_encoding", "name", 1),
            (5, "value.out_of_range", "fee", 1),
        ]
    );
    assert_eq!(
        batch.rejects[1].raw,
        r#"{"id":3,"fee":"many","born":"2024-01-01","name":"c","ok":1}"#
    );
    assert_eq!(
        batch.rejects[2].raw,
        r#"{"id":4,"fee":1,"born":"2024-01-01","name":"d5c5","ok":2}"#
    );
    assert!(!batch.rejects[1].to_string().contains("many"));
}

#[tokio::test]
async fn wrong_declarations_can_be_set_aside() {
    let (keep, db) =
        database("CREATE TABLE t (d DATE); INSERT INTO t VALUES (1706659200), (1706745600);");
    assert_eq!(db.read_all("t").await.unwrap()[0].rejects.len(), 2);
    let mut config = SqliteConfig::new(keep.path().join("t.db"));
    config.types = Types::Stored;
    let batches = Sqlite::new(config).read_all("t").await.unwrap();
    assert_eq!(ndjson([&batches[0].records]), [r#"{"d":1706659200}"#, r#"{"d":1706745600}"#]);
}

#[tokio::test]
async fn a_read_sees_the_table_as_it_was_at_its_start() {
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)";
    let (keep, db) = database(&format!(
        "PRAGMA journal_mode=wal; CREATE TABLE t (i INT); INSERT INTO t {fill} SELECT i FROM n;"
    ));
    let limits = Limits { batch_rows: 100, ..Limits::default() };
    let mut reader =
        db.read(ReadRequest { dataset: "t".into(), limits, ..Default::default() }).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().rows(), 100);
    let other = rusqlite::Connection::open(keep.path().join("t.db")).unwrap();
    other.execute_batch("UPDATE t SET i = -1; INSERT INTO t VALUES (-2);").unwrap();
    let mut rest = 0;
    while let Some(batch) = reader.next().await.unwrap() {
        assert!(!ndjson([&batch.records]).iter().any(|line| line.contains('-')));
        rest += batch.rows();
    }
    assert_eq!(rest, 900);
}

#[tokio::test]
async fn unknown_names_are_not_found_at_once() {
    let (_keep, db) = database(LEGACY);
    for dataset in ["residents", "费用\"; DROP TABLE 费用; --", "a\0b"] {
        let error = db
            .read(ReadRequest { dataset: dataset.into(), ..Default::default() })
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{dataset:?}");
    }
    assert_eq!(db.discover().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_long_field_is_a_reject_that_names_the_limit() {
    let (_keep, db) =
        database("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('short'), (hex(zeroblob(50)));");
    let limits = Limits { field: 99, ..Limits::default() };
    let mut reader =
        db.read(ReadRequest { dataset: "t".into(), limits, ..Default::default() }).await.unwrap();
    let batch = reader.next().await.unwrap().unwrap();
    assert_eq!((batch.rows(), batch.rejects[0].fault.code.as_ref()), (1, "core.limit"));
    let schema = Arc::clone(&batch.records.schema());
    assert_eq!(schema, reader.schema());
}
