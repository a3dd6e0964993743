//! CPU time of reading a registry of 13 columns, against a plain quick-xml loop that fills the same typed columns.
//!
//! `cargo run --release -p fenhe-xml --example speed -- FILE [MEGABYTES]` writes the file when it is not there.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{
    Date32Builder, Decimal128Builder, Int64Builder, StringBuilder, TimestampSecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Input, Options, Output};
use fenhe_testkit::generate::{NAMES, Registry};
use fenhe_values::parse;
use fenhe_xml::Xml;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "/tmp/registry.xml".into());
    let megabytes: u64 = arguments.next().map_or(200, |n| n.parse().unwrap());
    let path = Path::new(&path);
    if !path.exists() {
        write(path, megabytes << 20);
    }
    let schema = schema();
    let mode = arguments.next();
    if mode.as_deref() == Some("fenhe") {
        let (rows, _) = fenhe(path, &schema);
        println!("{rows} rows, peak {} MiB", peak() >> 10);
        return;
    }
    let mut ratios = Vec::new();
    for round in 0..5 {
        let start = cpu();
        let (rows, sums) = peer(path, &schema);
        let middle = cpu();
        let (ours, mine) = fenhe(path, &schema);
        let end = cpu();
        assert_eq!((rows, sums), (ours, mine), "the results differ");
        let (peer, fenhe) = (middle - start, end - middle);
        ratios.push(peer / fenhe);
        println!(
            "round {round}: {rows} rows, quick-xml {peer:.3} s, fenhe {fenhe:.3} s, {:.2}x",
            peer / fenhe
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("median {:.2}x, peak {} MiB", ratios[ratios.len() / 2], peak() >> 10);
}

fn schema() -> SchemaRef {
    let decimal = DataType::Decimal128(16, 2);
    let types = [
        DataType::Utf8,
        DataType::Utf8,
        DataType::Utf8,
        DataType::Date32,
        DataType::Utf8,
        DataType::Utf8,
        decimal.clone(),
        decimal,
        DataType::Int64,
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::Utf8,
        DataType::Utf8,
    ];
    let fields = NAMES.iter().zip(types).map(|(name, kind)| Field::new(*name, kind, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn write(path: &Path, bytes: u64) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let mut written = 0;
    out.write_all("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<registry>\n".as_bytes()).unwrap();
    let date = |(y, m, d): (u16, u8, u8)| format!("{y:04}-{m:02}-{d:02}");
    let fen = |n: i64| {
        let sign = if n < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", n.abs() / 100, n.abs() % 100)
    };
    for row in Registry::new(7) {
        let time = row.updated;
        let values = [
            row.person_id.clone(),
            row.name.clone(),
            row.sex.to_string(),
            date(row.birth),
            row.region.clone(),
            row.address.clone(),
            row.capital.map(fen).unwrap_or_default(),
            fen(row.tax),
            row.employees.to_string(),
            date(row.issued),
            format!(
                "{}T{:02}:{:02}:{:02}",
                date(row.issued),
                time / 3600,
                time / 60 % 60,
                time % 60
            ),
            row.status.to_owned(),
            row.remark.replace('&', "&amp;").replace('<', "&lt;"),
        ];
        let mut record = String::from("  <person>\n");
        for (name, value) in NAMES.iter().zip(values) {
            record.push_str(&format!("    <{name}>{value}</{name}>\n"));
        }
        record.push_str("  </person>\n");
        out.write_all(record.as_bytes()).unwrap();
        written += record.len() as u64;
        if written >= bytes {
            break;
        }
    }
    out.write_all(b"</registry>\n").unwrap();
}

/// Rows, and something of every column, so that nothing is optimised away and results can be compared.
fn sum(batch: &RecordBatch, sums: &mut Vec<u64>) {
    sums.resize(batch.num_columns(), 0);
    for (sum, column) in sums.iter_mut().zip(batch.columns()) {
        *sum += column.null_count() as u64 * 31;
        let data = column.to_data();
        for buffer in data.buffers().iter().rev().take(1) {
            // Values only: offsets differ with the batches.
            let bytes = if data.data_type() == &DataType::Utf8 {
                let offsets = data.buffers()[0].typed_data::<i32>();
                &buffer.as_slice()[offsets[0] as usize..offsets[data.len()] as usize]
            } else {
                continue;
            };
            *sum += bytes.len() as u64;
        }
    }
}

fn fenhe(path: &Path, schema: &SchemaRef) -> (usize, Vec<u64>) {
    let options = Options::from_pairs(["record=/registry/person"]).unwrap();
    let format = Xml::from_options(&options).unwrap();
    let open = DecodeOptions { schema: Some(schema.clone()), ..DecodeOptions::default() };
    let mut decoder = format.decoder(open).unwrap();
    let mut file = File::open(path).unwrap();
    let pool = fenhe_kernels::ChunkPool::new(512 << 10);
    let (mut rows, mut sums) = (0, Vec::new());
    loop {
        match decoder.next().unwrap() {
            Output::Batch(batch) => {
                assert!(batch.rejects.is_empty(), "{}", batch.rejects[0]);
                rows += batch.rows();
                sum(&batch.records, &mut sums);
            }
            Output::NeedInput => {
                let mut chunk = pool.get();
                let n = file.read(&mut chunk).unwrap();
                let bytes: Bytes = chunk.freeze(n);
                decoder
                    .feed(if n == 0 { Input::EndOfStream } else { Input::Bytes(bytes) })
                    .unwrap();
            }
            Output::Done => return (rows, sums),
        }
    }
}

/// The usual way: events from a buffered reader, text into a string, a search for the name, builders.
fn peer(path: &Path, schema: &SchemaRef) -> (usize, Vec<u64>) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(
        512 << 10,
        File::open(path).unwrap(),
    ));
    let mut buffer = Vec::new();
    let mut columns: Vec<Builder> =
        schema.fields().iter().map(|f| Builder::new(f.data_type())).collect();
    let (mut rows, mut sums, mut in_batch) = (0, Vec::new(), 0);
    let mut column = None;
    let mut text = String::new();
    loop {
        match reader.read_event_into(&mut buffer).unwrap() {
            Event::Start(start) => {
                text.clear();
                column = NAMES.iter().position(|name| *name == start.name().0);
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(name) => {
                if let Some(c) = name.resolve_char_ref().unwrap() {
                    text.push(c);
                } else {
                    text.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap());
                }
            }
            Event::End(end) => {
                if let Some(at) = column.take() {
                    columns[at].append(&text);
                } else if end.name().0 == "person" {
                    rows += 1;
                    in_batch += 1;
                    if in_batch == 8_192 {
                        sum(&finish(schema, &mut columns), &mut sums);
                        in_batch = 0;
                    }
                }
            }
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    sum(&finish(schema, &mut columns), &mut sums);
    (rows, sums)
}

fn finish(schema: &SchemaRef, columns: &mut [Builder]) -> RecordBatch {
    let arrays = columns.iter_mut().map(Builder::finish).collect();
    RecordBatch::try_new(schema.clone(), arrays).unwrap()
}

enum Builder {
    Text(StringBuilder),
    Date(Date32Builder),
    Decimal(Decimal128Builder),
    Int(Int64Builder),
    Timestamp(TimestampSecondBuilder),
}

impl Builder {
    fn new(kind: &DataType) -> Self {
        match kind {
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Decimal128(..) => {
                Self::Decimal(Decimal128Builder::new().with_data_type(kind.clone()))
            }
            DataType::Int64 => Self::Int(Int64Builder::new()),
            DataType::Timestamp(..) => Self::Timestamp(TimestampSecondBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn append(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let date = |b: &[u8]| parse::date_iso(b).unwrap();
        match self {
            Self::Text(b) => b.append_value(text),
            Self::Date(b) if bytes.is_empty() => b.append_null(),
            Self::Date(b) => b.append_value(date(bytes)),
            Self::Decimal(b) if bytes.is_empty() => b.append_null(),
            Self::Decimal(b) => b.append_value(parse::decimal(bytes, 16, 2).unwrap()),
            Self::Int(b) if bytes.is_empty() => b.append_null(),
            Self::Int(b) => b.append_value(text.parse().unwrap()),
            Self::Timestamp(b) => b.append_value(parse::timestamp_iso(bytes).unwrap()),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Decimal(b) => Arc::new(b.finish()),
            Self::Int(b) => Arc::new(b.finish()),
            Self::Timestamp(b) => Arc::new(b.finish()),
        }
    }
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// Largest resident size in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
