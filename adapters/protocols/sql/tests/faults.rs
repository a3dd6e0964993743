use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use fenhe_core::{Exchange, ExchangeExt, Kind, Retry, WriteMode};
use fenhe_sql::{Sqlite, SqliteConfig};

use crate::{batch, database, request};

#[tokio::test]
async fn what_is_no_database_is_told_apart_from_what_is_missing() {
    let (keep, db) = database("");
    assert_eq!(db.discover().await.unwrap_err().kind(), Kind::NotFound);
    fs::write(keep.path().join("t.db"), "id,name\n1,x\n".repeat(100)).unwrap();
    let error = db.discover().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Invalid, "sql.not_a_database"));
    assert_eq!(
        Sqlite::file(":memory:").discover().await.map(drop).unwrap_err().kind(),
        Kind::NotFound
    );
    let mut config = SqliteConfig::new(keep.path().join("new.db"));
    config.create = false;
    let b = batch(1, vec![("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let error = Sqlite::new(config)
        .write(request("t", WriteMode::Append, &[], &b))
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(error.code(), "sql.open");
    assert!(!keep.path().join("new.db").exists());
}

#[tokio::test]
async fn a_locked_database_is_worth_another_try() {
    let (keep, _) = database("CREATE TABLE t (id INTEGER);");
    let mut config = SqliteConfig::new(keep.path().join("t.db"));
    config.busy_ms = 50;
    let db = Sqlite::new(config);
    let b = batch(1, vec![("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    let other = rusqlite::Connection::open(keep.path().join("t.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = writer.write(&b).await.unwrap_err();
    assert_eq!((error.code(), error.retry()), ("sql.busy", Retry::Later(None)));
}

#[tokio::test]
async fn a_trigger_that_rolls_back_ends_the_write_instead_of_losing_rows() {
    let (keep, db) = database(
        "CREATE TABLE t (id INTEGER); CREATE TRIGGER no BEFORE INSERT ON t WHEN new.id = 3
         BEGIN SELECT RAISE(ROLLBACK, 'secret text'); END;",
    );
    let b = batch(1, vec![("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef)]);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    let error = writer.write(&b).await.unwrap_err();
    assert_eq!(error.code(), "sql.constraint");
    assert!(!error.to_string().contains("secret"), "{error}");
    drop(writer);
    assert!(crate::rows(&keep.path().join("t.db"), "SELECT * FROM t").is_empty());
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_never_a_short_table() {
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
    let (keep, db) = database(&format!(
        "CREATE TABLE t (i INT, t TEXT); INSERT INTO t {fill} SELECT i, hex(i) FROM n;"
    ));
    let path = keep.path().join("t.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let error = db.read_all("t").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Invalid, "sql.corrupt"));
    assert_eq!(db.check().await.unwrap_err().code(), "sql.corrupt");
}

#[tokio::test]
async fn a_reader_dropped_half_way_leaves_no_thread_and_no_lock() {
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)";
    let (keep, db) =
        database(&format!("CREATE TABLE t (i INT); INSERT INTO t {fill} SELECT i FROM n;"));
    for _ in 0..20 {
        let mut reader = db
            .read(fenhe_core::ReadRequest { dataset: "t".into(), ..Default::default() })
            .await
            .unwrap();
        assert!(reader.next().await.unwrap().is_some());
    }
    let other = rusqlite::Connection::open(keep.path().join("t.db")).unwrap();
    other.execute_batch("DROP TABLE t").unwrap();
}

#[test]
fn an_unknown_field_of_the_configuration_is_refused() {
    let error =
        serde_json::from_str::<SqliteConfig>(r#"{"path": "a.db", "buzy_ms": 1}"#).unwrap_err();
    assert!(error.to_string().contains("buzy_ms"), "{error}");
}
