//! What every [`Exchange`] promises.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use fenhe_core::{
    Batch, Exchange, ExchangeExt, Kind, Limits, Message, Position, ReadRequest, Span, WriteMode,
    WriteRequest,
};
use futures_util::FutureExt;

use crate::rows;

/// Checks what `info` declares, in both directions, on an exchange into which datasets may be written.
///
/// # Panics
/// On the first broken promise.
pub async fn conforms(exchange: &dyn Exchange) {
    undeclared_verbs_are_refused(exchange).await;
    let can = exchange.info().capability;
    if can.append {
        appends(exchange).await;
        a_dropped_writer_leaves_nothing(exchange).await;
    }
    if can.upsert {
        upserts(exchange).await;
    }
    if can.replace {
        replaces(exchange).await;
    }
    if can.watermark {
        keeps_the_watermark(exchange).await;
    }
    if can.append && can.read && can.discover {
        lists_what_was_written(exchange).await;
    }
    if can.append && can.read {
        reads_cancel_safely(exchange).await;
        chooses_columns(exchange).await;
    }
    if can.append && can.read && can.resume {
        resumes_after_every_batch(exchange).await;
    }
}

/// The schema of [`sample`].
pub fn sample_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
        Field::new("fee", DataType::Decimal128(12, 2), true),
    ]))
}

/// Rows `first..first + n` with a Chinese name, a decimal and some nulls; the name ends with `mark`.
pub fn sample(first: i64, n: i64, mark: &str) -> Batch {
    let ids = first..first + n;
    let names = ids.clone().map(|i| (i % 7 != 3).then(|| format!("欧阳{i}{mark}")));
    let fees = ids.clone().map(|i| (i % 5 != 4).then_some(i128::from(i) * 101 - 500));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids)),
        Arc::new(names.collect::<StringArray>()),
        Arc::new(fees.collect::<Decimal128Array>().with_precision_and_scale(12, 2).expect("12,2")),
    ];
    let records = RecordBatch::try_new(sample_schema(), columns).expect("a batch of the schema");
    let count = n as u64;
    let span = Span { first: first as u64 + 1, read: count, ..Span::default() };
    let position = Position::new("testkit", 1, &(first + n)).expect("a position");
    Batch::new(records, Vec::new(), span, position).expect("balanced books")
}

fn request(dataset: &str, mode: WriteMode) -> WriteRequest {
    WriteRequest {
        dataset: dataset.into(),
        schema: sample_schema(),
        mode,
        key: if mode == WriteMode::Upsert { vec!["id".into()] } else { Vec::new() },
        pipeline: "testkit".into(),
        limits: Limits::default(),
    }
}

async fn write(exchange: &dyn Exchange, dataset: &str, mode: WriteMode, batches: &[Batch]) {
    let mut writer = exchange.write(request(dataset, mode)).await.expect("write");
    let mut committed = 0;
    for batch in batches {
        writer.write(batch).await.expect("write a batch");
        committed += writer.commit().await.expect("commit").rows;
    }
    committed += writer.close().await.expect("close").rows;
    let sent: u64 = batches.iter().map(|b| b.rows() as u64).sum();
    assert_eq!(committed, sent, "rows made durable");
}

async fn content(exchange: &dyn Exchange, dataset: &str) -> Vec<String> {
    let batches = exchange.read_all(dataset).await.expect("read");
    let mut lines = rows(batches.iter().map(|b| &b.records));
    lines.sort();
    lines
}

fn expected(batches: &[Batch]) -> Vec<String> {
    let mut lines = rows(batches.iter().map(|b| &b.records));
    lines.sort();
    lines
}

async fn undeclared_verbs_are_refused(exchange: &dyn Exchange) {
    let can = exchange.info().capability;
    let mut refusals = Vec::new();
    if !can.discover {
        refusals.push(exchange.discover().await.map(drop));
    }
    if !can.read {
        refusals.push(exchange.read(ReadRequest::default()).await.map(drop));
    }
    let modes = [
        (can.append, WriteMode::Append),
        (can.upsert, WriteMode::Upsert),
        (can.replace, WriteMode::Replace),
    ];
    for (declared, mode) in modes {
        if !declared {
            refusals.push(exchange.write(request("refused", mode)).await.map(drop));
        }
    }
    if !can.call {
        refusals.push(exchange.call(Message::default()).await.map(drop));
    }
    for refusal in refusals {
        let error = refusal.expect_err("an undeclared verb works");
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
    }
    if can.read {
        let request = ReadRequest { dataset: "no such dataset".into(), ..ReadRequest::default() };
        let error = exchange.read(request).await.map(drop).expect_err("an unknown dataset opens");
        assert_eq!(error.kind(), Kind::NotFound, "{error}");
    }
}

async fn appends(exchange: &dyn Exchange) {
    let batches = [sample(0, 50, ""), sample(50, 1, ""), sample(51, 30, "")];
    write(exchange, "appended", WriteMode::Append, &batches).await;
    if exchange.info().capability.read {
        assert_eq!(content(exchange, "appended").await, expected(&batches), "appended rows");
    }
}

async fn a_dropped_writer_leaves_nothing(exchange: &dyn Exchange) {
    if !exchange.info().capability.read {
        return;
    }
    write(exchange, "aborted", WriteMode::Append, &[sample(0, 3, "")]).await;
    let mut writer = exchange.write(request("aborted", WriteMode::Append)).await.expect("write");
    writer.write(&sample(3, 3, "")).await.expect("write a batch");
    drop(writer);
    assert_eq!(
        content(exchange, "aborted").await,
        expected(&[sample(0, 3, "")]),
        "uncommitted rows are seen"
    );
}

async fn upserts(exchange: &dyn Exchange) {
    write(exchange, "upserted", WriteMode::Upsert, &[sample(0, 20, "")]).await;
    write(exchange, "upserted", WriteMode::Upsert, &[sample(10, 20, "改"), sample(10, 20, "改")])
        .await;
    if exchange.info().capability.read {
        let wanted = expected(&[sample(0, 10, ""), sample(10, 20, "改")]);
        assert_eq!(content(exchange, "upserted").await, wanted, "upserted rows");
    }
}

async fn replaces(exchange: &dyn Exchange) {
    write(exchange, "replaced", WriteMode::Replace, &[sample(0, 20, "")]).await;
    write(exchange, "replaced", WriteMode::Replace, &[sample(5, 3, "")]).await;
    if exchange.info().capability.read {
        assert_eq!(
            content(exchange, "replaced").await,
            expected(&[sample(5, 3, "")]),
            "replaced rows"
        );
    }
}

async fn keeps_the_watermark(exchange: &dyn Exchange) {
    let mode = match exchange.info().capability.upsert {
        true => WriteMode::Upsert,
        false => WriteMode::Append,
    };
    let mut writer = exchange.write(request("marked", mode)).await.expect("write");
    assert_eq!(
        writer.watermark().await.expect("watermark"),
        None,
        "a watermark before the first commit"
    );
    let batch = sample(0, 8, "");
    writer.write(&batch).await.expect("write a batch");
    let committed = writer.commit().await.expect("commit");
    assert_eq!(committed.watermark.as_ref(), Some(&batch.position));
    writer.write(&sample(8, 8, "")).await.expect("write a batch");
    drop(writer);
    let mut writer = exchange.write(request("marked", mode)).await.expect("write");
    let kept = writer.watermark().await.expect("watermark");
    assert_eq!(kept.as_ref(), Some(&batch.position), "the watermark of the last commit");
    let marked = Position::new("testkit", 1, &"what the refusals left").expect("a position");
    writer.write(&sample(8, 8, "")).await.expect("write a batch");
    writer.mark(&marked);
    let committed = writer.commit().await.expect("commit");
    assert_eq!(committed.watermark.as_ref(), Some(&marked), "a marked position is stored");
    // There is no batch for it.
    writer.mark(&batch.position);
    writer.close().await.expect("close");
    let mut writer = exchange.write(request("marked", mode)).await.expect("write");
    let kept = writer.watermark().await.expect("watermark");
    assert_eq!(kept.as_ref(), Some(&marked), "a marked position is kept");
}

async fn lists_what_was_written(exchange: &dyn Exchange) {
    write(exchange, "listed", WriteMode::Append, &[sample(0, 3, "")]).await;
    let all = exchange.discover().await.expect("discover");
    let listed =
        all.iter().find(|d| d.name == "listed").expect("a dataset that was written is listed");
    let names: Vec<_> = listed.schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["id", "name", "fee"]);
    for dataset in all {
        let request = ReadRequest { dataset: dataset.name.clone(), ..ReadRequest::default() };
        let reader = exchange.read(request).await.expect("every listed dataset opens");
        assert_eq!(reader.schema(), dataset.schema, "schema of {}", dataset.name);
    }
}

async fn reads_cancel_safely(exchange: &dyn Exchange) {
    let all = [sample(0, 60, "")];
    write(exchange, "cancelled", WriteMode::Append, &all).await;
    let limits = Limits { batch_rows: 7, ..Limits::default() };
    let request = ReadRequest { dataset: "cancelled".into(), limits, ..ReadRequest::default() };
    let mut reader = exchange.read(request).await.expect("read");
    let mut got = Vec::new();
    loop {
        // Polled once and dropped: whatever it had begun must not be lost.
        let next = match reader.next().now_or_never() {
            Some(done) => done,
            None => reader.next().await,
        };
        match next.expect("next") {
            Some(batch) => got.push(batch),
            None => break,
        }
    }
    assert!(reader.next().await.expect("next after the end").is_none(), "more after the end");
    assert_eq!(expected(&got), expected(&all), "rows after cancelled reads");
}

async fn chooses_columns(exchange: &dyn Exchange) {
    let columns = Some(vec!["fee".to_owned(), "id".to_owned()]);
    let request = ReadRequest { dataset: "cancelled".into(), columns, ..ReadRequest::default() };
    let mut reader = exchange.read(request).await.expect("read two columns");
    let batch = reader.next().await.expect("next").expect("a batch");
    let names: Vec<_> = batch.records.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["fee", "id"]);
    let columns = Some(vec!["no such column".to_owned()]);
    let request = ReadRequest { dataset: "cancelled".into(), columns, ..ReadRequest::default() };
    let error = exchange.read(request).await.map(drop).expect_err("an unknown column is accepted");
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

async fn resumes_after_every_batch(exchange: &dyn Exchange) {
    let limits = Limits { batch_rows: 9, ..Limits::default() };
    let request = ReadRequest { dataset: "cancelled".into(), limits, ..ReadRequest::default() };
    let mut reader = exchange.read(request.clone()).await.expect("read");
    let mut batches = Vec::new();
    while let Some(batch) = reader.next().await.expect("next") {
        batches.push(batch);
    }
    assert!(batches.len() > 2, "the limit of rows in a batch is not kept");
    for (i, batch) in batches.iter().enumerate() {
        let text = serde_json::to_string(&batch.position).expect("a position has a text");
        let from = Some(serde_json::from_str(&text).expect("a position is read from its text"));
        let mut reader =
            exchange.read(ReadRequest { from, ..request.clone() }).await.expect("resume");
        let mut rest = Vec::new();
        while let Some(batch) = reader.next().await.expect("next") {
            rest.push(batch);
        }
        assert_eq!(
            expected(&rest),
            expected(&batches[i + 1..]),
            "rows after resuming behind batch {i}"
        );
    }
}
