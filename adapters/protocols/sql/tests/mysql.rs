//! Against a real MariaDB, each test in a database of its own: `eval "$(tests/services.sh up mariadb)"`.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
};
use fenhe_core::{Batch, Exchange, ExchangeExt, Kind, Limits, ReadRequest, WriteMode};
use fenhe_sql::{Mysql, ServerConfig, Tombstone};
use fenhe_testkit::rows as ndjson;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use crate::{batch, request};

/// A fresh database.
struct Server {
    url: String,
    conn: Conn,
}

impl Server {
    async fn new(name: &str, sql: &str) -> Self {
        let base = std::env::var("FENHE_MARIADB").expect("FENHE_MARIADB of tests/services.sh up");
        let mut admin = Conn::from_url(&base).await.unwrap();
        admin.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        admin.query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await.unwrap();
        let url = format!("{}/{name}", base.rsplit_once('/').unwrap().0);
        let mut conn = Conn::from_url(&url).await.unwrap();
        if !sql.is_empty() {
            conn.query_drop(sql).await.unwrap();
        }
        Self { url, conn }
    }

    fn exchange(&self) -> Mysql {
        self.with(|_| {})
    }

    fn with(&self, change: impl FnOnce(&mut ServerConfig)) -> Mysql {
        let mut config = ServerConfig::new(self.url.clone());
        change(&mut config);
        Mysql::new(config).unwrap()
    }

    /// One line for each row, as the database itself writes it.
    async fn rows(&mut self, sql: &str) -> Vec<String> {
        let rows: Vec<mysql_async::Row> = self.conn.query(sql).await.unwrap();
        let line = |row: mysql_async::Row| {
            let cells = row.unwrap().into_iter().map(|value| match value {
                mysql_async::Value::NULL => "null".to_owned(),
                mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                other => other.as_sql(true),
            });
            cells.collect::<Vec<_>>().join("|")
        };
        rows.into_iter().map(line).collect()
    }
}

async fn write(
    exchange: &Mysql,
    table: &str,
    mode: WriteMode,
    key: &[&str],
    batch: &Batch,
) -> fenhe_core::Committed {
    let mut writer = exchange.write(request(table, mode, key, batch)).await.unwrap();
    writer.write(batch).await.unwrap();
    writer.close().await.unwrap()
}

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap())
}

fn ints(values: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn mysql_conforms() {
    let server = Server::new("t_conforms", "").await;
    fenhe_testkit::exchange::conforms(&server.exchange()).await;
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn types_go_in_and_come_back_exactly() {
    let mut server = Server::new("t_types", "").await;
    let most = 10_i128.pow(38) - 1;
    let b = batch(
        1,
        vec![
            ("编号", ints(vec![1, i64::MIN, i64::MAX])),
            ("姓名", texts(vec![Some("欧阳\u{20BB7}"), None, Some("a\0b")])),
            ("大额", decimals(vec![Some(most), Some(-most), Some(1)], 38, 10)),
            ("整数", decimals(vec![Some(most), Some(0), Some(-10_000)], 38, 0)),
            ("生日", Arc::new(Date32Array::from(vec![19_782, -25_568, -719_162]))),
            ("时刻", Arc::new(Time64MicrosecondArray::from(vec![0, 86_399_999_999, 1]))),
            (
                "时间",
                Arc::new(TimestampMicrosecondArray::from(vec![
                    1_709_251_198_123_456,
                    -2_208_988_800_000_001,
                    0,
                ])),
            ),
            (
                "秒",
                Arc::new(
                    TimestampSecondArray::from(vec![1_709_251_198, 1, 2]).with_timezone("UTC"),
                ),
            ),
            ("有效", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
            ("系数", Arc::new(Float64Array::from(vec![0.1, 1e300, -2.5e-300]))),
            ("单", Arc::new(Float32Array::from(vec![0.1, 3.4e38, 1e-30]))),
            ("短", Arc::new(Int16Array::from(vec![i16::MIN, 0, 7]))),
            ("无号", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 7]))),
            ("照片", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b"", b"x"]))),
        ],
    );
    let db = server.exchange();
    assert_eq!(write(&db, "费用", WriteMode::Append, &[], &b).await.rows, 3);
    // What the server shows as text is the independent word.
    assert_eq!(
        server.rows("SELECT 编号, 姓名, 大额, 整数, 生日, 时刻, 时间, 有效, 系数, 短, 无号, HEX(照片) FROM 费用 LIMIT 2").await,
        [
            "1|欧阳\u{20BB7}|9999999999999999999999999999.9999999999|99999999999999999999999999999999999999|2024-02-29|00:00:00.000000|2024-02-29 23:59:58.123456|1|0.1|-32768|18446744073709551615|00FF",
            "-9223372036854775808|null|-9999999999999999999999999999.9999999999|0|1899-12-31|23:59:59.999999|1899-12-31 23:59:59.999999|0|1e300|0|0|",
        ]
    );
    let back = db.read_all("费用").await.unwrap();
    for (wanted, got) in b.records.columns().iter().zip(back[0].records.columns()) {
        assert_eq!(wanted, got);
    }
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn tables_of_others_are_read_by_their_types() {
    let server = Server::new(
        "t_foreign",
        "CREATE TABLE t (a tinyint, b char(4) CHARACTER SET gbk, c int unsigned, d decimal(40,2), e enum('在','离'), f year, \
         g json, h datetime(3), i time, j bit(3), k mediumint);
         INSERT INTO t VALUES (-1, '甲', 4000000000, 1.25, '离', 2024, '{}', '1899-12-31 00:00:00.5', '23:00', b'101', 5);
         SET sql_mode = ''; INSERT INTO t (h, i) VALUES ('0000-00-00', '-01:00'); CREATE VIEW v AS SELECT a, b FROM t",
    )
    .await;
    let db = server.exchange();
    let batches = db.read_all("t").await.unwrap();
    assert_eq!(
        ndjson([&batches[0].records]),
        [
            r#"{"a":-1,"b":"甲","c":4000000000,"d":"1.25","e":"离","f":2024,"g":"{}","h":"1899-12-31T00:00:00.500","i":"23:00:00","j":"05","k":5}"#
        ]
    );
    let reject = &batches[0].rejects[0];
    assert_eq!(
        (reject.record, reject.fault.field.as_str(), reject.also[0].field.as_str()),
        (2, "h", "i")
    );
    let names: Vec<_> = db.discover().await.unwrap().into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["t", "v"]);
    let limits = Limits { batch_rows: 1, ..Limits::default() };
    for name in ["t", "v"] {
        let read =
            ReadRequest { dataset: name.into(), limits: limits.clone(), ..ReadRequest::default() };
        let mut reader = db.read(read.clone()).await.unwrap();
        let first = reader.next().await.unwrap().unwrap();
        drop(reader);
        let mut rest = db.read(ReadRequest { from: Some(first.position), ..read }).await.unwrap();
        let second = rest.next().await.unwrap().unwrap();
        assert_eq!((second.span.first, second.span.read), (2, 1), "{name}");
        assert!(rest.next().await.unwrap().is_none());
    }
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn a_refused_row_is_a_reject_and_the_others_go_in() {
    let mut server = Server::new(
        "t_refused",
        "CREATE TABLE dept (id int PRIMARY KEY); INSERT INTO dept VALUES (1);
         CREATE TABLE t (id smallint PRIMARY KEY, name varchar(3) CHARACTER SET gbk NOT NULL UNIQUE, fee decimal(8,2) CHECK (fee >= 0), \
         dept int REFERENCES dept (id))",
    )
    .await;
    let db = server.exchange();
    let b = batch(
        101,
        vec![
            ("id", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5, 1, 6, 7, 8, 40_000])) as ArrayRef),
            (
                "name",
                texts(vec![
                    Some("甲"),
                    None,
                    Some("丙"),
                    Some("甲"),
                    Some("戊"),
                    Some("己"),
                    Some("庚"),
                    Some("辛辛辛辛"),
                    Some("\u{20BB7}"),
                    Some("壬"),
                ]),
            ),
            (
                "fee",
                decimals(
                    vec![
                        Some(150),
                        Some(0),
                        Some(-1),
                        Some(0),
                        Some(0),
                        Some(0),
                        Some(1),
                        None,
                        None,
                        None,
                    ],
                    8,
                    2,
                ),
            ),
            ("dept", Arc::new(Int32Array::from(vec![1, 1, 1, 1, 9, 1, 1, 1, 1, 1]))),
        ],
    );
    let mut writer = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    let refused = writer.refused();
    let committed = writer.commit().await.unwrap();
    let found: Vec<_> =
        refused.iter().map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str())).collect();
    assert_eq!(
        found,
        [
            (102, "sql.not_null", "name"),
            (103, "sql.check", ""),
            (104, "sql.unique", ""),
            (105, "sql.foreign_key", ""),
            (106, "sql.unique", ""),
            (108, "sql.too_long", "name"),
            (109, "sql.datatype", ""),
            (110, "sql.number_range", "id"),
        ]
    );
    assert_eq!((committed.rows, committed.rejects.len(), committed.in_doubt), (2, 0, 0));
    assert_eq!(server.rows("SELECT * FROM t").await, ["1|甲|1.50|1", "6|庚|0.01|1"]);
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn rows_and_watermark_come_and_go_together_and_a_second_run_is_fenced() {
    let mut server = Server::new("t_watermark", "").await;
    let db = server.exchange();
    let one = batch(1, vec![("id", ints(vec![1, 2]))]);
    let two = batch(3, vec![("id", ints(vec![3]))]);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &one)).await.unwrap();
    writer.write(&one).await.unwrap();
    assert_eq!(writer.commit().await.unwrap().watermark, Some(one.position.clone()));
    writer.write(&two).await.unwrap();
    // As a killed process leaves it: nothing of the second batch, neither rows nor watermark.
    drop(writer);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &one)).await.unwrap();
    let mut late = db.write(request("t", WriteMode::Append, &[], &one)).await.unwrap();
    assert_eq!(writer.watermark().await.unwrap(), Some(one.position.clone()));
    assert_eq!(server.rows("SELECT * FROM t").await, ["1", "2"]);
    writer.write(&two).await.unwrap();
    assert_eq!(writer.close().await.unwrap().watermark, Some(two.position.clone()));
    late.write(&two).await.unwrap();
    let error = late.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, "sql.fenced"));
    drop(late);
    assert_eq!(server.rows("SELECT * FROM t").await, ["1", "2", "3"]);
    assert_eq!(
        server.rows("SELECT pipeline, dataset, batch FROM _fenhe_watermark").await,
        ["p|t|2"]
    );
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn a_connection_killed_in_the_middle_loses_and_doubles_nothing() {
    let mut server = Server::new("t_killed", "").await;
    let db = server.exchange();
    let part = |n: i64| {
        batch(n.unsigned_abs() * 100 + 1, vec![("id", ints((n * 100..n * 100 + 100).collect()))])
    };
    let (mut next, mut kills) = (0, 0);
    while next < 20 {
        let mut writer = db.write(request("t", WriteMode::Append, &[], &part(0))).await.unwrap();
        let stands: Option<u64> =
            writer.watermark().await.unwrap().map(|p| p.read("test", 1).unwrap());
        next = stands.map_or(0, |first| i64::try_from(first / 100).unwrap());
        for turn in next..20 {
            let part = part(turn);
            let result = async {
                writer.write(&part).await?;
                if kills < 6 && turn % 3 == 0 {
                    kills += 1;
                    let others = "SELECT id FROM information_schema.processlist WHERE db = 't_killed' AND id <> connection_id()";
                    for id in server.rows(others).await {
                        // One that has just ended by itself is no failure.
                        let _ = server.conn.query_drop(format!("KILL {id}")).await;
                    }
                }
                writer.commit().await
            };
            match result.await {
                Ok(committed) => assert_eq!(committed.rows, 100),
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
                    break;
                }
            }
        }
    }
    assert_eq!(kills, 6);
    assert_eq!(
        server.rows("SELECT count(*), count(DISTINCT id), max(id) FROM t").await,
        ["2000|2000|1999"]
    );
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn an_upsert_goes_by_its_key_and_by_no_other_index() {
    let mut server = Server::new(
        "t_upsert",
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(9)); CREATE TABLE u (id int PRIMARY KEY, name varchar(9) UNIQUE)",
    )
    .await;
    let db = server.exchange();
    let b = batch(
        1,
        vec![
            ("id", ints(vec![1, 2, 1, 3, 1])),
            ("name", texts(vec![Some("一"), Some("二"), Some("三"), Some("二"), Some("五")])),
        ],
    );
    let done = write(&db, "t", WriteMode::Upsert, &[], &b).await;
    assert_eq!((done.rows, done.rejects.len()), (5, 0));
    assert_eq!(server.rows("SELECT id, name FROM t ORDER BY id").await, ["1|五", "2|二", "3|二"]);
    let done = write(&db, "u", WriteMode::Upsert, &["id"], &b).await;
    assert_eq!(
        (done.rows, done.rejects[0].record, done.rejects[0].fault.code.as_ref()),
        (4, 4, "sql.unique")
    );
    assert_eq!(server.rows("SELECT id, name FROM u ORDER BY id").await, ["1|五", "2|二"]);
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn a_tombstone_takes_the_row_away_or_marks_it() {
    let sql = "CREATE TABLE t (id int PRIMARY KEY, name text, del int); INSERT INTO t VALUES (1, '旧', 0), (2, '旧', 0), (3, '旧', 0)";
    let b = batch(
        1,
        vec![
            ("id", ints(vec![1, 2, 4, 3, 3, 4])),
            ("name", texts(vec![None, Some("新"), Some("新"), None, Some("回"), None])),
            ("del", ints(vec![1, 0, 0, 1, 0, 1])),
        ],
    );
    let mut server = Server::new("t_tombstone", sql).await;
    let db = server.with(|c| c.deleted = Some("del".into()));
    assert_eq!(write(&db, "t", WriteMode::Upsert, &[], &b).await.rows, 6);
    assert_eq!(server.rows("SELECT * FROM t ORDER BY id").await, ["2|新|0", "3|回|null"]);
    let mut server = Server::new("t_tombstone", sql).await;
    let db = server.with(|c| (c.deleted, c.tombstone) = (Some("del".into()), Tombstone::Mark));
    write(&db, "t", WriteMode::Upsert, &[], &b).await;
    assert_eq!(
        server.rows("SELECT * FROM t ORDER BY id").await,
        ["1|旧|1", "2|新|0", "3|回|0", "4|新|1"]
    );
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn a_replace_is_seen_at_its_end_and_not_before() {
    let mut server =
        Server::new("t_replace", "CREATE TABLE t (id int); INSERT INTO t VALUES (7), (8)").await;
    let db = server.exchange();
    let b = batch(1, vec![("id", ints(vec![1]))]);
    let mut writer = db.write(request("t", WriteMode::Replace, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    assert_eq!(writer.commit().await.unwrap().rows, 0);
    assert_eq!(server.rows("SELECT * FROM t").await, ["7", "8"]);
    assert_eq!(writer.close().await.unwrap().rows, 1);
    assert_eq!(server.rows("SELECT * FROM t").await, ["1"]);
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn a_front_table_is_only_added_to_and_its_receipts_are_read() {
    let mut server = Server::new("t_front", "").await;
    let db = server.with(|c| {
        c.front_table = true;
        c.front_region = Some("370100".into());
    });
    let first =
        batch(1, vec![("XM", texts(vec![Some("甲"), Some("乙")])), ("BH", ints(vec![1, 2]))]);
    let second =
        batch(3, vec![("XM", texts(vec![Some("甲改"), Some("丙")])), ("BH", ints(vec![1, 3]))]);
    assert_eq!(write(&db, "上报", WriteMode::Upsert, &["BH"], &first).await.rows, 2);
    server.rows("UPDATE 上报 SET SJSCZT = 1").await;
    server.rows("UPDATE 上报 SET SBYY = '证件号错' WHERE BH = 2").await;
    assert_eq!(write(&db, "上报", WriteMode::Upsert, &["BH"], &second).await.rows, 2);
    assert_eq!(
        server.rows("SELECT BH, XM, SJYXBS, SJSCZT, SBYY, XZQHDM FROM 上报 ORDER BY LSH").await,
        [
            "1|甲|1|1|null|370100",
            "2|乙|1|1|证件号错|370100",
            "1|甲|0|0|null|370100",
            "1|甲改|1|0|null|370100",
            "3|丙|1|0|null|370100",
        ]
    );
    let columns = Some(vec!["BH".into(), "outcome".into()]);
    let read = ReadRequest { dataset: "上报@receipts".into(), columns, ..ReadRequest::default() };
    let receipts = db.read(read).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(
        ndjson([&receipts.records])[..3],
        [
            r#"{"BH":1,"outcome":"taken"}"#,
            r#"{"BH":2,"outcome":"refused"}"#,
            r#"{"BH":1,"outcome":"waiting"}"#,
        ]
    );
    // From outside, by name alone; with front_table, the table itself.
    for (db, dataset) in [(server.with(|_| ()), "上报@current"), (db, "上报")] {
        let columns = Some(vec!["XM".into()]);
        let read = ReadRequest { dataset: dataset.into(), columns, ..ReadRequest::default() };
        let current = db.read(read).await.unwrap().next().await.unwrap().unwrap();
        let mut names = ndjson([&current.records]);
        names.sort();
        assert_eq!(names, [r#"{"XM":"丙"}"#, r#"{"XM":"乙"}"#, r#"{"XM":"甲改"}"#], "{dataset}");
    }
}

#[tokio::test]
#[ignore = "needs MariaDB (tests/services.sh up)"]
async fn a_login_is_checked_and_its_password_never_shown() {
    let server = Server::new("t_login", "").await;
    let place = server.url.rsplit_once('@').unwrap().1.to_owned();
    let config = ServerConfig::new(format!("mysql://fenhe:canary-s3cret@{place}"));
    let error = Mysql::new(config).unwrap().discover().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Auth, "sql.login"));
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    for name in ["a\0b", "", "_fenhe_watermark", &"长".repeat(65)] {
        let b = batch(1, vec![("n", ints(vec![1]))]);
        let error =
            server.exchange().write(request(name, WriteMode::Append, &[], &b)).await.map(drop);
        assert_eq!(error.unwrap_err().code(), "sql.name", "{name:?}");
    }
}
