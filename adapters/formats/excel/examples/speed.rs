//! CPU seconds and peak memory to read a sheet of 100,000 rows and 13 columns from a file into typed columns, here and by
//! calamine: by its stream of cells (`calamine`) and by its range (`range`).
//!
//! ```console
//! cargo run --release -p fenhe-excel --example speed make big.xlsx
//! cargo run --release -p fenhe-excel --example speed fenhe|calamine|range|all big.xlsx
//! ```
//!
//! Peaks are those of the process: run one reader at a time for them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use calamine::{Data, DataRef, Reader, Xlsx};
use fenhe_core::{Format, Input, Output, ReadAt, Result};
use fenhe_excel::Excel;
use rust_xlsxwriter::{Format as Style, Workbook};

/// Rows of a batch.
const BATCH: usize = 8_192;

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let path = std::env::args().nth(2).unwrap();
    if which == "make" {
        return make(&path);
    }
    for _ in 0..3 {
        for (name, read) in
            [("fenhe", ours as fn(&str) -> usize), ("calamine", stream), ("range", range)]
        {
            if which == name || which == "all" {
                let before = cpu();
                let rows = read(&path);
                println!("{name:8} {rows} rows {:.2} s, peak {} MB", cpu() - before, peak());
            }
        }
    }
}

#[derive(Debug)]
struct OnDisk(File, u64);

impl ReadAt for OnDisk {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        Ok(self.0.read_at(buf, offset).unwrap())
    }
}

fn ours(path: &str) -> usize {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut decoder = Excel::default().decoder(Default::default()).unwrap();
    decoder.feed(Input::Object(Arc::new(OnDisk(file, size)))).unwrap();
    let mut rows = 0;
    while let Output::Batch(batch) = decoder.next().unwrap() {
        assert!(batch.rejects.is_empty());
        rows += batch.rows();
        std::hint::black_box(&batch);
    }
    rows
}

fn open(path: &str) -> (Xlsx<BufReader<File>>, String) {
    let book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let name = book.sheet_names().remove(0);
    (book, name)
}

/// The cells one by one, the way that needs least memory.
fn stream(path: &str) -> usize {
    let (mut book, name) = open(path);
    let mut reader = book.worksheet_cells_reader(&name).unwrap();
    let (mut columns, mut rows, mut last) = (columns(), 0, 0);
    while let Some(cell) = reader.next_cell().unwrap() {
        let (row, column) = cell.get_position();
        if row == 0 {
            continue;
        }
        if row != last {
            last = row;
            rows += 1;
            if rows % BATCH == 1 && rows > 1 {
                finish(&mut columns);
            }
        }
        let (text, number) = match cell.get_value() {
            DataRef::String(text) => (text.as_str(), f64::NAN),
            DataRef::SharedString(text) => (*text, f64::NAN),
            DataRef::Int(number) => ("", *number as f64),
            DataRef::Float(number) => ("", *number),
            DataRef::DateTime(day) => ("", day.as_f64()),
            DataRef::Bool(truth) => ("", f64::from(u8::from(*truth))),
            other => panic!("{other:?}"),
        };
        columns[column as usize].push(text, number);
    }
    finish(&mut columns);
    rows
}

/// The sheet as one range, the way its guide shows.
fn range(path: &str) -> usize {
    let (mut book, name) = open(path);
    let sheet = book.worksheet_range(&name).unwrap();
    let (mut columns, mut rows) = (columns(), 0);
    for row in sheet.rows().skip(1) {
        rows += 1;
        for (column, value) in columns.iter_mut().zip(row) {
            match value {
                Data::String(text) => column.push(text, f64::NAN),
                Data::Int(number) => column.push("", *number as f64),
                Data::Float(number) => column.push("", *number),
                Data::DateTime(day) => column.push("", day.as_f64()),
                Data::Bool(truth) => column.push("", f64::from(u8::from(*truth))),
                other => panic!("{other:?}"),
            }
        }
        if rows % BATCH == 0 {
            finish(&mut columns);
        }
    }
    finish(&mut columns);
    rows
}

enum Column {
    Int(Int64Builder),
    Text(StringBuilder),
    Day(Date32Builder),
    Cents(Decimal128Builder),
    Float(Float64Builder),
    Truth(BooleanBuilder),
}

/// The columns of [`make`].
fn columns() -> Vec<Column> {
    (0..13)
        .map(|at| match at {
            0 => Column::Int(Int64Builder::new()),
            2 | 8 => Column::Day(Date32Builder::new()),
            3 | 9 | 10 => {
                Column::Cents(Decimal128Builder::new().with_precision_and_scale(18, 2).unwrap())
            }
            6 => Column::Float(Float64Builder::new()),
            11 => Column::Truth(BooleanBuilder::new()),
            _ => Column::Text(StringBuilder::new()),
        })
        .collect()
}

impl Column {
    fn push(&mut self, text: &str, number: f64) {
        match self {
            Self::Int(column) => column.append_value(number as i64),
            Self::Text(column) => column.append_value(text),
            Self::Day(column) => column.append_value(number as i32 - 25_569),
            Self::Cents(column) => column.append_value((number * 100.0).round() as i128),
            Self::Float(column) => column.append_value(number),
            Self::Truth(column) => column.append_value(number == 1.0),
        }
    }
}

fn finish(columns: &mut [Column]) {
    let arrays = columns.iter_mut().enumerate().map(|(at, column)| {
        let array: ArrayRef = match column {
            Column::Int(column) => Arc::new(column.finish()),
            Column::Text(column) => Arc::new(column.finish()),
            Column::Day(column) => Arc::new(column.finish()),
            Column::Cents(column) => Arc::new(column.finish()),
            Column::Float(column) => Arc::new(column.finish()),
            Column::Truth(column) => Arc::new(column.finish()),
        };
        (at.to_string(), array)
    });
    std::hint::black_box(RecordBatch::try_from_iter(arrays).unwrap());
}

fn make(path: &str) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Style::new().set_num_format("yyyy-mm-dd");
    let money = Style::new().set_num_format("0.00");
    for column in 0..13 {
        sheet.write_string(0, column, format!("列{column}")).unwrap();
    }
    for row in 1..=100_000_u32 {
        let n = f64::from(row);
        sheet.write_number(row, 0, n).unwrap();
        for column in [1, 4, 7] {
            sheet
                .write_string(row, column, format!("姓名{}", row % 30_000 + u32::from(column)))
                .unwrap();
        }
        for column in [2, 8] {
            sheet
                .write_number_with_format(row, column, 40_000.0 + f64::from(row % 5_000), &day)
                .unwrap();
        }
        for column in [3, 9, 10] {
            let cents = (n * 37.0 + f64::from(column)) % 1e7;
            sheet.write_number_with_format(row, column, cents / 100.0, &money).unwrap();
        }
        sheet.write_string(row, 5, format!("11010119900{row:07}")).unwrap();
        sheet.write_number(row, 6, n / 7.0).unwrap();
        sheet.write_boolean(row, 11, row % 3 == 0).unwrap();
        sheet.write_string(row, 12, if row % 2 == 0 { "男" } else { "女" }).unwrap();
    }
    book.save(path).unwrap();
}

/// CPU seconds of this process, by clock ticks of 10 ms.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Peak of the resident memory in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
