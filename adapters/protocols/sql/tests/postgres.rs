//! Against a real PostgreSQL, each test in a database of its own: `eval "$(tests/services.sh up postgres)"`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, StringArray, StringViewArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use fenhe_core::{Batch, Exchange, ExchangeExt, Kind, Limits, ReadRequest, WriteMode};
use fenhe_sql::{Postgres, ServerConfig, Tombstone};
use fenhe_testkit::rows as ndjson;
use tokio_postgres::{Client, NoTls};

use crate::{batch, request};

/// A fresh database.
struct Server {
    url: String,
    client: Client,
}

impl Server {
    async fn new(name: &str, sql: &str) -> Self {
        let base = std::env::var("FENHE_POSTGRES").expect("FENHE_POSTGRES of tests/services.sh up");
        let admin = connect(&base).await;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = format!("{}/{name}", base.rsplit_once('/').unwrap().0);
        let client = connect(&url).await;
        client.batch_execute(sql).await.unwrap();
        Self { url, client }
    }

    fn exchange(&self) -> Postgres {
        self.with(|_| {})
    }

    fn with(&self, change: impl FnOnce(&mut ServerConfig)) -> Postgres {
        let mut config = ServerConfig::new(self.url.clone());
        change(&mut config);
        Postgres::new(config).unwrap()
    }

    /// One line for each row, as the database itself writes it.
    async fn rows(&self, sql: &str) -> Vec<String> {
        let messages = self.client.simple_query(sql).await.unwrap();
        let mut lines = Vec::new();
        for message in messages {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                let cells = (0..row.len()).map(|i| row.get(i).unwrap_or("null"));
                lines.push(cells.collect::<Vec<_>>().join("|"));
            }
        }
        lines
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn write(
    exchange: &Postgres,
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
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn postgres_conforms() {
    let server = Server::new("t_conforms", "").await;
    fenhe_testkit::exchange::conforms(&server.exchange()).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn types_go_in_and_come_back_exactly() {
    let server = Server::new("t_types", "").await;
    let most = 10_i128.pow(38) - 1;
    let b = batch(
        1,
        vec![
            ("编号", ints(vec![1, i64::MIN, i64::MAX])),
            ("姓名", texts(vec![Some("欧阳\u{20BB7}"), None, Some("")])),
            ("大额", decimals(vec![Some(most), Some(-most), Some(1)], 38, 10)),
            ("全小数", decimals(vec![Some(most), None, Some(-1)], 38, 38)),
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
                    TimestampSecondArray::from(vec![1_709_251_198, -1, 0]).with_timezone("UTC"),
                ),
            ),
            ("有效", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
            ("系数", Arc::new(Float64Array::from(vec![0.1, f64::NAN, -0.0]))),
            ("单", Arc::new(Float32Array::from(vec![0.1, f32::INFINITY, 1e-40]))),
            ("短", Arc::new(Int16Array::from(vec![i16::MIN, 0, 7]))),
            ("照片", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b"", b"x"]))),
        ],
    );
    let db = server.exchange();
    assert_eq!(write(&db, "费用", WriteMode::Append, &[], &b).await.rows, 3);
    // What psql shows is the independent word.
    assert_eq!(
        server.rows("SELECT 编号, 姓名, 大额, 整数, 生日, 时刻, 时间, 有效, 系数, 单, 短, 照片 FROM 费用 LIMIT 2").await,
        [
            "1|欧阳\u{20BB7}|9999999999999999999999999999.9999999999|99999999999999999999999999999999999999|2024-02-29|00:00:00|2024-02-29 23:59:58.123456|t|0.1|0.1|-32768|\\x00ff",
            "-9223372036854775808|null|-9999999999999999999999999999.9999999999|0|1899-12-31|23:59:59.999999|1899-12-31 23:59:59.999999|f|NaN|Infinity|0|\\x",
        ]
    );
    assert_eq!(
        server.rows("SELECT 生日, 全小数, extract(epoch FROM 秒)::int8 FROM 费用 OFFSET 2").await,
        ["0001-01-01|-0.00000000000000000000000000000000000001|0"]
    );
    let back = db.read_all("费用").await.unwrap();
    for (wanted, got) in b.records.columns().iter().zip(back[0].records.columns()) {
        assert_eq!(wanted, got);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn tables_of_others_are_read_by_their_types() {
    let server = Server::new(
        "t_foreign",
        "CREATE TYPE 状态 AS ENUM ('在', '离'); CREATE DOMAIN 金额 AS numeric(12,2);
         CREATE TABLE t (a smallint, b char(4), c varchar(3), d numeric, e 金额, f 状态, g uuid, h jsonb, i interval,
                         j int[], k timestamp(0), l timestamptz, m numeric(40,2), n numeric(3,-2), o bit(3));
         INSERT INTO t VALUES (1, '甲', '乙', 1.50, 2.5, '在', '00000000-0000-0000-0000-000000000001', '{\"a\":1}',
             '1 day', '{1,2}', '1899-12-31 00:00:00.6', '2024-01-01 00:00+08', 1.25, 12345, B'101');
         INSERT INTO t (d, e, k) VALUES ('NaN', 'NaN', 'infinity');
         CREATE VIEW v AS SELECT a, b FROM t; CREATE SCHEMA 别; CREATE TABLE 别.t (x int PRIMARY KEY); INSERT INTO 别.t VALUES (5)",
    )
    .await;
    let db = server.exchange();
    let batches = db.read_all("t").await.unwrap();
    let columns = batches[0].records.schema_ref().fields().iter().map(|f| f.name().clone());
    let columns = Some(columns.filter(|name| name != "l").collect());
    let read = ReadRequest { dataset: "t".into(), columns, ..ReadRequest::default() };
    let others = db.read(read).await.unwrap().next().await.unwrap().unwrap();
    // 2023-12-31 16:00:00 UTC, by `date -u +%s`.
    assert_eq!(
        batches[0]
            .records
            .column_by_name("l")
            .unwrap()
            .as_primitive::<arrow_array::types::TimestampMicrosecondType>()
            .value(0),
        1_704_038_400_000_000
    );
    assert_eq!(
        ndjson([&others.records]),
        [
            r#"{"a":1,"b":"甲   ","c":"乙","d":"1.50","e":2.50,"f":"在","g":"00000000-0000-0000-0000-000000000001","h":"{\"a\": 1}","i":"1 day","j":"{1,2}","k":"1899-12-31T00:00:01","m":"1.25","n":"12300","o":"101"}"#
        ]
    );
    let faults: Vec<_> = batches[0].rejects[0]
        .also
        .iter()
        .chain([&batches[0].rejects[0].fault])
        .map(|f| (f.field.as_str(), f.code.as_ref()))
        .collect();
    assert_eq!(faults, [("k", "sql.value"), ("e", "sql.value")]);
    assert_eq!(batches[0].rejects[0].record, 2);
    let names: Vec<_> = db.discover().await.unwrap().into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["t", "v", "别.t"]);
    assert_eq!(
        ndjson(db.read_all("别.t").await.unwrap().iter().map(|b| &b.records)),
        [r#"{"x":5}"#]
    );
    let limits = Limits { batch_rows: 1, ..Limits::default() };
    for name in ["t", "v"] {
        let read =
            ReadRequest { dataset: name.into(), limits: limits.clone(), ..ReadRequest::default() };
        let mut reader = db.read(read.clone()).await.unwrap();
        let first = reader.next().await.unwrap().unwrap();
        let mut rest = db.read(ReadRequest { from: Some(first.position), ..read }).await.unwrap();
        let second = rest.next().await.unwrap().unwrap();
        assert_eq!((second.span.first, second.span.read), (2, 1), "{name}");
        assert!(rest.next().await.unwrap().is_none());
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn columns_of_every_type_are_written() {
    let server = Server::new(
        "t_into",
        "CREATE TYPE mood AS ENUM ('在', '离');
         CREATE TABLE t (id int PRIMARY KEY, m mood, u uuid, j jsonb, n numeric(6,2), s smallint, v varchar(2), r real)",
    )
    .await;
    let db = server.exchange();
    let b = batch(
        1,
        vec![
            ("id", ints(vec![1, 2, 3, 4, 5])),
            ("m", texts(vec![Some("在"), Some("坏"), None, Some("离"), None])),
            (
                "u",
                texts(vec![
                    Some("00000000-0000-0000-0000-000000000001"),
                    None,
                    Some("x"),
                    None,
                    None,
                ]),
            ),
            ("j", texts(vec![Some("{\"a\":1}"), None, None, None, None])),
            ("n", decimals(vec![Some(15), None, None, Some(1_000_000), None], 12, 1)),
            ("s", ints(vec![-32_768, 0, 0, 0, 32_768])),
            ("v", Arc::new(StringViewArray::from(vec!["甲乙", "", "", "", ""]))),
            ("r", Arc::new(Float32Array::from(vec![0.1, 0.0, 0.0, 0.0, 0.0]))),
        ],
    );
    let done = write(&db, "t", WriteMode::Append, &[], &b).await;
    let codes: Vec<_> = done.rejects.iter().map(|r| (r.record, r.fault.code.as_ref())).collect();
    assert_eq!(
        codes,
        [
            (2, "sql.datatype"),
            (3, "sql.datatype"),
            (4, "sql.number_range"),
            (5, "sql.number_range"),
        ]
    );
    assert_eq!(
        server.rows("SELECT * FROM t").await,
        ["1|在|00000000-0000-0000-0000-000000000001|{\"a\": 1}|1.50|-32768|甲乙|0.1"]
    );
    let text = batch(1, vec![("s", texts(vec![Some("007")]))]);
    let error = db.write(request("t", WriteMode::Append, &[], &text)).await.map(drop).unwrap_err();
    assert_eq!((error.code(), error.field()), ("sql.type", Some("s")));
}

/// The batches before and behind the one with the refused row are sent in the same `COPY`.
#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn a_row_refused_among_batches_sent_ahead_takes_no_other_with_it() {
    let server =
        Server::new("t_ahead", "CREATE TABLE t (id int PRIMARY KEY CHECK (id <> 1005))").await;
    let db = server.exchange();
    let part = |number: i32| {
        let ids: Vec<i32> = (number * 100..number * 100 + 10).collect();
        batch(1 + 10 * number as u64, vec![("id", Arc::new(Int32Array::from(ids)))])
    };
    let first = part(0);
    let mut writer = db.write(request("t", WriteMode::Append, &[], &first)).await.unwrap();
    for number in 0..20 {
        writer.write(&part(number)).await.unwrap();
    }
    writer.flush().await.unwrap();
    let refused = writer.refused();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].record, refused[0].fault.code.as_ref()), (106, "sql.check"));
    writer.flush().await.unwrap();
    assert!(writer.refused().is_empty(), "every refusal is handed out once");
    assert_eq!(server.rows("SELECT count(*) FROM t").await, ["0"], "nothing is durable");
    let committed = writer.close().await.unwrap();
    assert_eq!((committed.rows, committed.rejects.len()), (199, 0));
    assert_eq!(server.rows("SELECT count(*), sum(id) FROM t").await, ["199|189895"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn a_refused_row_is_a_reject_and_the_others_go_in() {
    let server = Server::new(
        "t_refused",
        "CREATE TABLE dept (id int PRIMARY KEY); INSERT INTO dept VALUES (1);
         CREATE TABLE t (id int PRIMARY KEY, name varchar(3) NOT NULL UNIQUE, fee numeric(8,2) CHECK (fee >= 0), dept int REFERENCES dept)",
    )
    .await;
    let db = server.exchange();
    let b = batch(
        101,
        vec![
            ("id", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5, 1, 6, 7, 8])) as ArrayRef),
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
                    Some("a\0b"),
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
                    ],
                    8,
                    2,
                ),
            ),
            ("dept", Arc::new(Int32Array::from(vec![1, 1, 1, 1, 9, 1, 1, 1, 1]))),
        ],
    );
    let mut writer = db.write(request("t", WriteMode::Append, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    writer.flush().await.unwrap();
    let refused = writer.refused();
    let committed = writer.commit().await.unwrap();
    assert!(committed.rejects.is_empty(), "every refusal is handed out once");
    let found: Vec<_> =
        refused.iter().map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str())).collect();
    assert_eq!(
        found,
        [
            (102, "sql.not_null", "name"),
            (103, "sql.check", "t_fee_check"),
            (104, "sql.unique", "t_name_key"),
            (105, "sql.foreign_key", "t_dept_fkey"),
            (106, "sql.unique", "t_pkey"),
            (108, "sql.too_long", ""),
            (109, "sql.nul", "name"),
        ]
    );
    assert_eq!(refused[1].raw, r#"{"id":3,"name":"丙","fee":-0.01,"dept":1}"#);
    assert_eq!((committed.rows, committed.in_doubt), (2, 0));
    assert_eq!(server.rows("SELECT * FROM t").await, ["1|甲|1.50|1", "6|庚|0.01|1"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn rows_and_watermark_come_and_go_together_and_a_second_run_is_fenced() {
    let server = Server::new("t_watermark", "").await;
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
    assert_eq!(late.commit().await.unwrap_err().kind(), Kind::Poisoned);
    drop(late);
    assert_eq!(server.rows("SELECT * FROM t").await, ["1", "2", "3"]);
    assert_eq!(
        server.rows("SELECT pipeline, dataset, batch FROM _fenhe_watermark").await,
        ["p|t|2"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn a_connection_killed_in_the_middle_loses_and_doubles_nothing() {
    let server = Server::new("t_killed", "").await;
    let db = server.exchange();
    let part = |n: i64| {
        batch(n.unsigned_abs() * 100 + 1, vec![("id", ints((n * 100..n * 100 + 100).collect()))])
    };
    let mut next = 0;
    let mut kills = 0;
    while next < 20 {
        let mut writer = db.write(request("t", WriteMode::Append, &[], &part(0))).await.unwrap();
        let stands: Option<u64> =
            writer.watermark().await.unwrap().map(|p| p.read("test", 1).unwrap());
        next = stands.map_or(0, |first| i64::try_from(first / 100).unwrap());
        for turn in next..20 {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fenhe' AND datname = 't_killed'";
            let part = part(turn);
            let result = async {
                writer.write(&part).await?;
                // Every third commit meets a connection that is gone, every third batch one that goes.
                if kills < 12 && turn % 3 == 0 {
                    kills += 1;
                    server.rows(kill).await;
                }
                writer.commit().await
            };
            match result.await {
                Ok(committed) => assert_eq!(committed.rows, 100),
                Err(error) => {
                    assert!(matches!(error.kind(), Kind::Unavailable), "{error:?}");
                    break;
                }
            }
            if kills < 12 && turn % 3 == 1 {
                kills += 1;
                server.rows(kill).await;
            }
        }
    }
    assert_eq!(kills, 12);
    assert_eq!(
        server.rows("SELECT count(*), count(DISTINCT id), max(id) FROM t").await,
        ["2000|2000|1999"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn an_upsert_takes_the_last_row_of_a_key_and_needs_an_index() {
    let server =
        Server::new("t_upsert", "CREATE TABLE t (id int PRIMARY KEY, name text, fee int)").await;
    let db = server.exchange();
    let b = batch(
        1,
        vec![
            ("id", ints(vec![1, 2, 1, 3, 1])),
            ("name", texts(vec![Some("一"), Some("二"), Some("三"), None, Some("五")])),
        ],
    );
    let done = write(&db, "t", WriteMode::Upsert, &[], &b).await;
    assert_eq!((done.rows, done.rejects.len()), (5, 0));
    assert_eq!(server.rows("SELECT id, name FROM t ORDER BY id").await, ["1|五", "2|二", "3|null"]);
    let error =
        db.write(request("t", WriteMode::Upsert, &["name"], &b)).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "sql.key");
    let nulls = batch(1, vec![("id", Arc::new(Int64Array::from(vec![None, Some(9)])) as ArrayRef)]);
    let done = write(&db, "t", WriteMode::Upsert, &["id"], &nulls).await;
    assert_eq!((done.rows, done.rejects[0].fault.code.as_ref()), (1, "sql.not_null"));
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
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
    let server = Server::new("t_tombstone", sql).await;
    let db = server.with(|c| c.deleted = Some("del".into()));
    let done = write(&db, "t", WriteMode::Upsert, &[], &b).await;
    assert_eq!((done.rows, done.rejects.len()), (6, 0));
    // The marker is no column of the write: what was there stays, what is new has none.
    assert_eq!(server.rows("SELECT * FROM t ORDER BY id").await, ["2|新|0", "3|回|null"]);
    let server = Server::new("t_tombstone", sql).await;
    let db = server.with(|c| (c.deleted, c.tombstone) = (Some("del".into()), Tombstone::Mark));
    write(&db, "t", WriteMode::Upsert, &[], &b).await;
    assert_eq!(
        server.rows("SELECT * FROM t ORDER BY id").await,
        ["1|旧|1", "2|新|0", "3|回|0", "4|新|1"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn a_replace_is_seen_at_its_end_and_not_before() {
    let server =
        Server::new("t_replace", "CREATE TABLE t (id int); INSERT INTO t VALUES (7), (8)").await;
    let db = server.exchange();
    let b = batch(1, vec![("id", ints(vec![1]))]);
    let mut writer = db.write(request("t", WriteMode::Replace, &[], &b)).await.unwrap();
    writer.write(&b).await.unwrap();
    assert_eq!(writer.commit().await.unwrap().rows, 0);
    assert_eq!(server.rows("SELECT * FROM t").await, ["7", "8"]);
    assert_eq!(writer.close().await.unwrap().rows, 1);
    assert_eq!(server.rows("SELECT * FROM t").await, ["1"]);
    db.write(request("t", WriteMode::Replace, &[], &b)).await.unwrap().close().await.unwrap();
    assert!(
        server.rows("SELECT * FROM t").await.is_empty(),
        "a replace by nothing empties the table"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn a_front_table_is_only_added_to_and_its_receipts_are_read() {
    let server = Server::new("t_front", "").await;
    let db = server.with(|c| {
        c.front_table = true;
        c.front_region = Some("370100".into());
    });
    let first =
        batch(1, vec![("XM", texts(vec![Some("甲"), Some("乙")])), ("BH", ints(vec![1, 2]))]);
    let second = batch(
        3,
        vec![
            ("XM", texts(vec![Some("甲改"), Some("丙"), Some("甲又")])),
            ("BH", ints(vec![1, 3, 1])),
        ],
    );
    assert_eq!(write(&db, "上报", WriteMode::Upsert, &["BH"], &first).await.rows, 2);
    server.client.batch_execute("UPDATE \"上报\" SET \"SJSCZT\" = 1; UPDATE \"上报\" SET \"SBYY\" = '证件号错' WHERE \"BH\" = 2").await.unwrap();
    assert_eq!(write(&db, "上报", WriteMode::Upsert, &["BH"], &second).await.rows, 3);
    assert_eq!(
        server.rows("SELECT \"BH\", \"XM\", \"SJYXBS\", \"SJSCZT\", \"SBYY\", \"XZQHDM\" FROM \"上报\" ORDER BY \"LSH\"").await,
        [
            "1|甲|1|1|null|370100",
            "2|乙|1|1|证件号错|370100",
            "1|甲|0|0|null|370100",
            "1|甲改|1|0|null|370100",
            "1|甲改|0|0|null|370100",
            "3|丙|1|0|null|370100",
            "1|甲又|1|0|null|370100",
        ]
    );
    assert_eq!(server.rows("SELECT count(DISTINCT \"DFSJZJ\") FROM \"上报\"").await, ["5"]);
    let columns = Some(vec!["BH".into(), "SBYY".into(), "outcome".into()]);
    let read = ReadRequest { dataset: "上报@receipts".into(), columns, ..ReadRequest::default() };
    let receipts = db.read(read).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(
        ndjson([&receipts.records])[..3],
        [
            r#"{"BH":1,"SBYY":null,"outcome":"taken"}"#,
            r#"{"BH":2,"SBYY":"证件号错","outcome":"refused"}"#,
            r#"{"BH":1,"SBYY":null,"outcome":"waiting"}"#,
        ]
    );
    // From outside, by name alone; with front_table, the table itself.
    for (db, dataset) in [(server.with(|_| ()), "上报@current"), (db, "上报")] {
        let columns = Some(vec!["XM".into()]);
        let read = ReadRequest { dataset: dataset.into(), columns, ..ReadRequest::default() };
        let current = db.read(read).await.unwrap().next().await.unwrap().unwrap();
        let mut names = ndjson([&current.records]);
        names.sort();
        assert_eq!(names, [r#"{"XM":"丙"}"#, r#"{"XM":"乙"}"#, r#"{"XM":"甲又"}"#], "{dataset}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn what_the_server_has_not_is_refused_row_by_row() {
    let server = Server::new("t_refusals", "").await;
    let b = batch(
        1,
        vec![
            ("n", Arc::new(UInt64Array::from(vec![0, u64::MAX, 1])) as ArrayRef),
            ("d", Arc::new(Date32Array::from(vec![0, i32::MAX, i32::MIN]))),
            ("t", Arc::new(TimestampNanosecondArray::from(vec![1_000, 1_000, 1]))),
        ],
    );
    let done = write(&server.exchange(), "t", WriteMode::Append, &[], &b).await;
    let codes: Vec<_> = done.rejects.iter().map(|r| (r.record, r.fault.code.as_ref())).collect();
    assert_eq!(codes, [(2, "sql.year"), (3, "sql.year")]);
    assert_eq!(server.rows("SELECT * FROM t").await, ["0|1970-01-01|1970-01-01 00:00:00.000001"]);
    for name in ["a\0b", "", "_fenhe_watermark", &"长".repeat(22)] {
        let error =
            server.exchange().write(request(name, WriteMode::Append, &[], &b)).await.map(drop);
        assert_eq!(error.unwrap_err().code(), "sql.name", "{name:?}");
    }
    let evil = "x\"; DROP TABLE t; --";
    let b = batch(1, vec![(evil, ints(vec![1]))]);
    assert_eq!(write(&server.exchange(), evil, WriteMode::Upsert, &[evil], &b).await.rows, 1);
    assert_eq!(server.rows("SELECT count(*) FROM t").await, ["1"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL (tests/services.sh up)"]
async fn a_login_is_checked_and_its_password_never_shown() {
    let server = Server::new("t_login", "").await;
    let place = server.url.rsplit_once('@').unwrap().1.to_owned();
    let open = |password: &str| {
        let mut config = ServerConfig::new(format!("postgres://fenhe_scram@{place}"));
        config.password = Some(fenhe_core::Secret::new(password));
        Postgres::new(config).unwrap()
    };
    assert!(open("fenhe-live-test").discover().await.unwrap().is_empty());
    let error = open("canary-s3cret").discover().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Auth, "sql.login"));
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    let mut config = ServerConfig::new("postgres://fenhe@127.0.0.1:1/x");
    config.connect_ms = 2_000;
    let error = Postgres::new(config).unwrap().discover().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Unavailable, "sql.connect"));
}
