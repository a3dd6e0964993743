use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fenhe::core::{
    Batch, ByteStream, Entry, Exchange, Kind, Options, ReadRequest, Reader, Result, Store,
    WriteMode, WriteRequest,
};
use fenhe::{Files, Opening, Place, Registry};
use fenhe_testkit::exchange::{sample, sample_schema};
use fenhe_testkit::rows;

use crate::support::{SCHEMA, Work, limits, people};

async fn open(exchange: &Arc<dyn Exchange>, request: ReadRequest) -> Box<dyn Reader> {
    exchange.read(ReadRequest { limits: limits(), ..request }).await.unwrap()
}

async fn all(reader: &mut dyn Reader) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(batch) = reader.next().await.unwrap() {
        batches.push(batch);
    }
    assert!(reader.next().await.unwrap().is_none());
    batches
}

/// Rows with their record numbers, and rejects with everything that says where they are.
fn seen(batches: &[Batch]) -> (Vec<(u64, String)>, Vec<String>) {
    let mut numbered = Vec::new();
    let mut rejects = Vec::new();
    for batch in batches {
        numbered.extend(batch.record_numbers().into_iter().zip(rows([&batch.records])));
        rejects.extend(
            batch.rejects.iter().map(|r| format!("{:?} {r}", (r.line, r.offset, r.length, &r.raw))),
        );
    }
    (numbered, rejects)
}

/// Two parts of a parallel read: five chunks of 1 MiB, of which three make a part.
const MANY: usize = 200_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_threads_read_what_one_reads() {
    let work = Work::new();
    work.write("people.csv", people(MANY));
    let one = work.source("people.csv", 1).await.input.exchange;
    let two = work.source("people.csv", 2).await.input.exchange;
    let request = ReadRequest::default;
    let expected = seen(&all(&mut *open(&one, request()).await).await);
    let found = seen(&all(&mut *open(&two, request()).await).await);
    assert_eq!(expected.0.len(), MANY / 100 * 99);
    assert!(expected == found, "rows, numbers, lines, offsets or rejects differ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_add_up_what_they_have_to_say() {
    let work = Work::new();
    work.write("schema.toml", SCHEMA);
    work.write("people.csv", people(MANY));
    let objects = (1..=MANY).map(|id| format!("{{\"id\":{id},\"age\":{id}}}\n"));
    work.write("people.ndjson", objects.collect::<String>());
    let layout =
        "[layout]\nline_end = \"lf\"\n[[field]]\nname = \"id\"\nlength = 24\ntype = \"int32\"\n";
    work.write("layout.toml", layout);
    let lines = (1..=MANY)
        .map(|id| if id % 10 == 0 { format!("{:>24}\n", "ten") } else { format!("{id:24}\n") });
    work.write("people.txt", lines.collect::<String>());
    let replaced = |values: usize| format!("{values} values could not be read and were replaced");
    for (file, options, note) in [
        ("people.csv", "invalid=null", replaced(MANY / 100)),
        ("people.txt", "invalid=null", replaced(MANY / 10)),
        ("people.ndjson", "unknown=ignore", format!("{MANY} values under keys without a column")),
    ] {
        let mut told = Vec::new();
        for threads in [1, 2] {
            let (key, value) = options.split_once('=').unwrap();
            let mut options = Options::new();
            options.set(key, value);
            match file {
                "people.txt" => options.set("layout", "layout.toml"),
                _ => options.set("schema", "schema.toml"),
            };
            let opening = Opening { options, threads, limits: limits(), ..Opening::default() };
            let place = Place::relative_to(file, work.folder.path());
            let source = Registry::with_defaults().source(&place, &opening).await.unwrap();
            all(&mut *open(&source.input.exchange, ReadRequest::default()).await).await;
            told.push(source.files.unwrap().take_notes());
        }
        assert_eq!(told[0].len(), 1, "{told:?}");
        assert!(told[0][0].starts_with(&note), "{told:?}");
        assert_eq!(told[0], told[1], "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_goes_on_after_any_batch_with_any_number_of_threads() {
    let work = Work::new();
    work.write("people.csv", people(MANY));
    let two = work.source("people.csv", 2).await.input.exchange;
    let one = work.source("people.csv", 1).await.input.exchange;
    let batches = all(&mut *open(&two, ReadRequest::default()).await).await;
    let whole = seen(&batches);
    let step = batches.len() / 4;
    for at in (0..batches.len()).step_by(step.max(1)).chain([batches.len() - 1]) {
        let done: usize = batches[..=at].iter().map(Batch::rows).sum();
        for exchange in [&one, &two] {
            let from = Some(batches[at].position.clone());
            let rest =
                all(&mut *open(exchange, ReadRequest { from, ..ReadRequest::default() }).await)
                    .await;
            assert!(seen(&rest).0 == whole.0[done..], "after batch {at}");
        }
    }
}

/// A record beyond the limit has no end that could be looked for: it is passed over all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_beyond_the_limit_is_one_reject_with_any_number_of_threads() {
    let work = Work::new();
    let (before, after) = (people(30_000), people(20_000));
    let after = after.split_once('\n').unwrap().1;
    let long = "x".repeat(3 << 20);
    work.write("people.csv", format!("{before}{long}\n{after}"));
    let limits = fenhe::core::Limits { record: 64 << 10, ..Default::default() };
    let request = || ReadRequest { limits: limits.clone(), ..ReadRequest::default() };
    let mut found = Vec::new();
    for threads in [1, 2] {
        let exchange = work.source("people.csv", threads).await.input.exchange;
        found.push(seen(&all(&mut *open(&exchange, request()).await).await));
    }
    assert_eq!(found[0].0.len(), 50_000 / 100 * 99);
    assert_eq!(found[0].1.len(), 50_000 / 100 + 1);
    assert!(found[0] == found[1], "rows, numbers, lines, offsets or rejects differ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_future_loses_nothing() {
    let work = Work::new();
    work.write("people.csv", people(20_000));
    for threads in [1, 2] {
        let exchange = work.source("people.csv", threads).await.input.exchange;
        let expected = seen(&all(&mut *open(&exchange, ReadRequest::default()).await).await);
        let mut reader = open(&exchange, ReadRequest::default()).await;
        let mut batches = Vec::new();
        loop {
            // Polled once and dropped, again and again.
            let polled = futures_util::FutureExt::now_or_never(reader.next());
            match polled {
                Some(result) => match result.unwrap() {
                    Some(batch) => batches.push(batch),
                    None => break,
                },
                None => tokio::task::yield_now().await,
            }
        }
        assert!(seen(&batches) == expected, "{threads} threads");
    }
}

#[tokio::test]
async fn several_files_are_one_dataset() {
    let work = Work::new();
    work.write("p-1.csv", people(120));
    work.write("p-2.csv", people(60));
    let exchange = work.source("p-?.csv", 1).await.input.exchange;
    assert_eq!(exchange.discover().await.unwrap()[0].partitions.len(), 2);
    let batches = all(&mut *open(&exchange, ReadRequest::default()).await).await;
    assert_eq!(batches.iter().map(Batch::rows).sum::<usize>(), 119 + 59);
    let names: Vec<&str> =
        batches.iter().flat_map(|b| &b.rejects).map(|r| r.source.name.as_str()).collect();
    assert_eq!(names, ["p-1.csv", "p-2.csv"]);
    let request = ReadRequest { partition: Some("p-2.csv".into()), ..ReadRequest::default() };
    let part = all(&mut *open(&exchange, request).await).await;
    assert_eq!(part.iter().map(Batch::rows).sum::<usize>(), 59);
    // On after the first file's last batch: only the second is left.
    let last_of_first =
        batches.iter().rposition(|b| b.position.offset() > 0 && b.span.first == 101).unwrap();
    let from = Some(batches[last_of_first].position.clone());
    let rest =
        all(&mut *open(&exchange, ReadRequest { from, ..ReadRequest::default() }).await).await;
    assert_eq!(rest.iter().map(Batch::rows).sum::<usize>(), 59);
}

#[tokio::test]
async fn a_file_that_changed_is_not_read_on() {
    let work = Work::new();
    work.write("people.csv", people(200));
    let exchange = work.source("people.csv", 1).await.input.exchange;
    let mut reader = open(&exchange, ReadRequest::default()).await;
    let position = reader.next().await.unwrap().unwrap().position;
    work.write("people.csv", people(201));
    let exchange = work.source("people.csv", 1).await.input.exchange;
    let request = ReadRequest { from: Some(position), ..ReadRequest::default() };
    let error = exchange.read(request).await.map(drop).unwrap_err();
    assert_eq!(error.code(), "files.changed");
}

#[tokio::test]
async fn columns_and_datasets_are_checked_when_opening() {
    let work = Work::new();
    let exchange = work.people(10).await.input.exchange;
    let request = ReadRequest { columns: Some(vec!["nme".into()]), ..ReadRequest::default() };
    let error = exchange.read(request).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("name"), "{error}");
    let request = ReadRequest { dataset: "sheet 7".into(), ..ReadRequest::default() };
    assert_eq!(exchange.read(request).await.map(drop).unwrap_err().code(), "files.dataset");
    let request =
        ReadRequest { columns: Some(vec!["fee".into(), "id".into()]), ..ReadRequest::default() };
    let mut reader = exchange.read(request).await.unwrap();
    let schema = reader.schema();
    assert_eq!(schema.field(0).name(), "fee");
    assert_eq!(reader.next().await.unwrap().unwrap().records.schema(), schema);
}

/// A store with one object that comes in chunks of a given size.
#[derive(Debug)]
struct Choppy {
    content: Bytes,
    chunk: usize,
}

struct Chopped {
    left: Bytes,
    chunk: usize,
}

#[async_trait]
impl Store for Choppy {
    fn scheme(&self) -> &'static str {
        "choppy"
    }

    async fn head(&self, name: &str) -> Result<Entry> {
        Ok(Entry { name: name.into(), size: Some(self.content.len() as u64), version: "1".into() })
    }

    async fn get(&self, _name: &str, from: u64) -> Result<Box<dyn ByteStream>> {
        let from = usize::try_from(from).unwrap().min(self.content.len());
        Ok(Box::new(Chopped { left: self.content.slice(from..), chunk: self.chunk }))
    }
}

#[async_trait]
impl ByteStream for Chopped {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let chunk = self.left.split_to(self.chunk.min(self.left.len()));
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_the_bytes_arrive_the_parts_are_the_same() {
    let work = Work::new();
    work.write("people.csv", people(30_000));
    let one = work.source("people.csv", 1).await.input.exchange;
    let expected = seen(&all(&mut *open(&one, ReadRequest::default()).await).await).0;
    for (content, rows) in
        [(people(30_000), 29_700), (people(0), 0), (people(7).trim_end().to_owned(), 7)]
    {
        for chunk in [3, 1_000, 16_384, 70_001, 1 << 20, 5 << 20] {
            if chunk == 3 && rows > 7 {
                continue; // millions of chunks
            }
            let store = Choppy { content: content.clone().into(), chunk };
            let mut options = Options::new();
            options
                .set("header", true)
                .set("schema", serde_json::json!({"name": "s", "text": SCHEMA}));
            let format =
                Registry::with_defaults().format_at("csv", &options, Path::new("")).unwrap();
            let files: Arc<dyn Exchange> =
                Arc::new(Files::new(Arc::new(store), "x", format).threads(2));
            let found = seen(&all(&mut *open(&files, ReadRequest::default()).await).await).0;
            assert_eq!(found.len(), rows, "chunks of {chunk}");
            assert!(found == expected[..rows] || rows == 7, "chunks of {chunk}");
        }
    }
}

#[tokio::test]
async fn a_name_says_how_it_is_written() {
    let work = Work::new();
    let source = work.people(2).await;
    for (name, format, start) in [
        ("a.csv", None, "id,name,fee\n1,"),
        ("a.tsv", None, "id\tname\tfee\n1\t"),
        ("a.psv", None, "id|name|fee\n1|"),
        ("a.json", None, "[\n{\"id\":1,"),
        ("a.ndjson", None, "{\"id\":1,"),
        ("a.jsonl", None, "{\"id\":1,"),
        ("b.json", Some("ndjson"), "{\"id\":1,"),
        ("b.txt", Some("tsv"), "id\tname\tfee\n"),
        ("b.out", Some("json"), "{\"id\":1,"),
    ] {
        let place = fenhe::Place::relative_to(name, work.folder.path());
        let opening =
            fenhe::Opening { format: format.map(Into::into), ..fenhe::Opening::default() };
        let target = Registry::with_defaults().target(&place, &opening).unwrap().exchange;
        let mut flow = work.flow(&source, target, fenhe::core::WriteMode::Replace);
        flow.rejects = None;
        let ended = crate::support::run(&flow).await;
        assert!(ended.error.is_none(), "{name}: {:?}", ended.error);
        let text = std::fs::read_to_string(work.path(name)).unwrap();
        assert!(text.starts_with(start), "{name}: {text}");
    }
    // What is said goes above the name.
    let options = Options::from_pairs(["delimiter=;"]).unwrap();
    let opening = fenhe::Opening { options, ..fenhe::Opening::default() };
    let place = fenhe::Place::relative_to("c.tsv", work.folder.path());
    let target = Registry::with_defaults().target(&place, &opening).unwrap().exchange;
    let flow = work.flow(&source, target, fenhe::core::WriteMode::Replace);
    crate::support::run(&flow).await;
    assert!(std::fs::read_to_string(work.path("c.tsv")).unwrap().starts_with("id;name;fee"));
}

#[tokio::test]
async fn of_two_writers_of_parts_the_later_commit_is_refused_and_nothing_is_lost() {
    let work = Work::new();
    let opening = Opening { append: true, ..Opening::default() };
    let place = Place::relative_to("fee.csv", work.folder.path());
    let files = Registry::with_defaults().target(&place, &opening).unwrap().exchange;
    let request = |pipeline: &str| WriteRequest {
        dataset: String::new(),
        schema: sample_schema(),
        mode: WriteMode::Append,
        key: Vec::new(),
        pipeline: pipeline.into(),
        limits: limits(),
    };
    let mut first = files.write(request("a")).await.unwrap();
    let mut second = files.write(request("b")).await.unwrap();
    first.write(&sample(0, 3, "")).await.unwrap();
    // The first one holds the next part as long as it is open.
    let error = second.write(&sample(3, 3, "")).await.unwrap_err();
    assert_eq!(error.code(), "file.busy", "{error}");
    first.commit().await.unwrap();
    let mut third = files.write(request("c")).await.unwrap();
    third.write(&sample(6, 3, "")).await.unwrap();
    third.commit().await.unwrap();
    let mut fourth = files.write(request("d")).await.unwrap();
    fourth.write(&sample(9, 3, "")).await.unwrap();
    let sealed = std::fs::read(work.path("fee.000002.csv")).unwrap();
    // What only a place without a lock lets happen: the list changes under a writer.
    let list = work.path("fee.csv.parts.json");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, text.replace("\"c\"", "\"e\"")).unwrap();
    let error = fourth.commit().await.unwrap_err();
    assert_eq!(error.code(), "files.parts_changed", "{error}");
    assert_eq!(fourth.commit().await.unwrap_err().kind(), Kind::Poisoned);
    drop(fourth);
    assert!(!work.path("fee.000003.csv").exists());
    assert_eq!(std::fs::read(work.path("fee.000002.csv")).unwrap(), sealed);
    let mut next = files.write(request("e")).await.unwrap();
    assert!(next.watermark().await.unwrap().is_some());
}

#[tokio::test]
async fn without_rows_there_is_no_part_but_the_position_is_stored() {
    let work = Work::new();
    let opening = Opening { append: true, ..Opening::default() };
    let place = Place::relative_to("fee.csv", work.folder.path());
    let files = Registry::with_defaults().target(&place, &opening).unwrap().exchange;
    let request = WriteRequest {
        dataset: String::new(),
        schema: sample_schema(),
        mode: WriteMode::Append,
        key: Vec::new(),
        pipeline: "a".into(),
        limits: limits(),
    };
    let mut writer = files.write(request).await.unwrap();
    let empty = sample(0, 0, "");
    writer.write(&empty).await.unwrap();
    let committed = writer.commit().await.unwrap();
    assert_eq!((committed.rows, committed.watermark), (0, Some(empty.position)));
    assert!(work.path("fee.csv.parts.json").exists() && !work.path("fee.000001.csv").exists());
}
