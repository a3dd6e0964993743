//! The readers we are measured against, each used the way its own documentation shows.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    Date32Builder, Decimal128Builder, Int64Builder, StringBuilder, TimestampSecondBuilder,
};
use encoding_rs::{Decoder, GB18030, GBK};
use fenhe_testkit::generate::{WIDTHS, schema};

use super::Resident;

const BUFFER: usize = 1 << 20;
const ROWS: usize = 8_192;

/// arrow-csv over the UTF-8 file.
pub fn arrow_csv(path: &Path) -> usize {
    read_csv(BufReader::with_capacity(BUFFER, File::open(path).expect("the file")))
}

/// encoding_rs in front of arrow-csv.
pub fn arrow_csv_gb18030(path: &Path) -> usize {
    let file = File::open(path).expect("the file");
    let utf8 = Transcoded {
        file,
        decoder: GB18030.new_decoder(),
        raw: vec![0; BUFFER],
        from: 0,
        to: 0,
        ended: false,
    };
    read_csv(BufReader::with_capacity(BUFFER, utf8))
}

fn read_csv(input: impl BufRead) -> usize {
    let reader = arrow_csv::ReaderBuilder::new(schema())
        .with_header(true)
        .with_batch_size(ROWS)
        .build_buffered(input)
        .expect("a reader");
    reader.map(|batch| batch.expect("a batch").num_rows()).sum()
}

/// A reader that gives UTF-8 for GB18030.
struct Transcoded {
    file: File,
    decoder: Decoder,
    raw: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
}

impl Read for Transcoded {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if self.from == self.to && !self.ended {
                (self.from, self.to) = (0, self.file.read(&mut self.raw)?);
                self.ended = self.to == 0;
            } else if self.ended {
                return Ok(0);
            }
            let (_, read, written, _) =
                self.decoder.decode_to_utf8(&self.raw[self.from..self.to], out, self.ended);
            self.from += read;
            if written > 0 || self.ended {
                return Ok(written);
            }
        }
    }
}

/// arrow-json over NDJSON.
pub fn arrow_json(path: &Path) -> usize {
    let input = BufReader::with_capacity(BUFFER, File::open(path).expect("the file"));
    let reader = arrow_json::ReaderBuilder::new(schema())
        .with_batch_size(ROWS)
        .build(input)
        .expect("a reader");
    reader.map(|batch| batch.expect("a batch").num_rows()).sum()
}

/// What an integrator writes by hand: a line, its slices, encoding_rs, trim, parse, Arrow builders.
pub fn fixed_loop(path: &Path) -> usize {
    let mut input = BufReader::with_capacity(BUFFER, File::open(path).expect("the file"));
    let mut line = Vec::new();
    let mut columns = Columns::default();
    let (mut rows, mut all) = (0, 0);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).expect("a line") == 0 {
            break;
        }
        let mut at = 0;
        let mut next = |width: usize| {
            let field = &line[at..at + width];
            at += width;
            field
        };
        let mut fields = WIDTHS.map(|width| GBK.decode_without_bom_handling(next(width)).0);
        columns.push(&mut fields);
        rows += 1;
        if rows == ROWS {
            all += columns.finish();
            rows = 0;
        }
    }
    all + columns.finish()
}

#[derive(Default)]
struct Columns {
    text: [StringBuilder; 7],
    birth: Date32Builder,
    capital: Decimal128Builder,
    tax: Decimal128Builder,
    employees: Int64Builder,
    issued: Date32Builder,
    updated: TimestampSecondBuilder,
}

impl Columns {
    fn push(&mut self, fields: &mut [std::borrow::Cow<'_, str>; 13]) {
        let value = |i: usize| Some(fields[i].trim()).filter(|v| !v.is_empty());
        for (builder, i) in self.text.iter_mut().zip([0, 1, 2, 4, 5, 11, 12]) {
            builder.append_option(value(i));
        }
        self.birth.append_option(value(3).map(date));
        self.capital.append_option(value(6).map(fen));
        self.tax.append_option(value(7).map(fen));
        self.employees.append_option(value(8).map(|v| v.parse().expect("a number")));
        self.issued.append_option(value(9).map(date));
        self.updated.append_option(value(10).map(|v| {
            let clock = |i: usize| v[i..i + 2].parse::<i64>().expect("a clock");
            i64::from(date(&v[..8])) * 86_400 + clock(8) * 3_600 + clock(10) * 60 + clock(12)
        }));
    }

    fn finish(&mut self) -> usize {
        let mut columns: Vec<ArrayRef> =
            self.text.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
        columns.push(Arc::new(self.birth.finish()));
        columns.push(Arc::new(self.capital.finish()));
        columns.push(Arc::new(self.tax.finish()));
        columns.push(Arc::new(self.employees.finish()));
        columns.push(Arc::new(self.issued.finish()));
        columns.push(Arc::new(self.updated.finish()));
        columns[0].len()
    }
}

/// Days since 1970 of `YYYYMMDD` (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(text: &str) -> i32 {
    let part = |range: std::ops::Range<usize>| text[range].parse::<i32>().expect("a date");
    let (y, m, d) = (part(0..4), part(4..6), part(6..8));
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

fn fen(text: &str) -> i128 {
    let (whole, hundredths) = text.split_once('.').expect("a point");
    let amount = whole.trim_start_matches('-').parse::<i128>().expect("a number") * 100
        + hundredths.parse::<i128>().expect("hundredths");
    if text.starts_with('-') { -amount } else { amount }
}

/// The dbase crate reading records into a struct.
pub fn dbase_typed(path: &Path) -> usize {
    let mut reader = dbase::Reader::from_path(path).expect("a table");
    let records = reader.iter_records_as::<Resident>();
    records.fold(0, |rows, row| {
        std::hint::black_box(row.expect("a record"));
        rows + 1
    })
}
