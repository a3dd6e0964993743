//! The writers we are measured against, each used the way its own documentation shows.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampSecondType};
use arrow_array::{
    Array, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use dbase::{FieldName, TableWriterBuilder};
use encoding_rs::{GB18030, GBK};
use fenhe_testkit::generate::{NAMES, WIDTHS};

use super::Resident;
use crate::common::Sink;

/// arrow-csv in UTF-8.
pub fn arrow_csv(batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let mut writer = arrow_csv::WriterBuilder::new().build(sink);
    for batch in batches {
        writer.write(batch).expect("written");
    }
    rows(batches)
}

/// arrow-csv and encoding_rs behind it, a batch at a time.
pub fn arrow_csv_gb18030(batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let (mut utf8, mut out) = (Vec::new(), Vec::new());
    for (number, batch) in batches.iter().enumerate() {
        utf8.clear();
        let builder = arrow_csv::WriterBuilder::new().with_header(number == 0);
        builder.build(&mut utf8).write(batch).expect("written");
        let text = std::str::from_utf8(&utf8).expect("UTF-8");
        let mut encoder = GB18030.new_encoder();
        out.clear();
        let most = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
        out.reserve(most.expect("a length"));
        let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut out, true);
        assert_eq!(result, encoding_rs::EncoderResult::InputEmpty);
        sink.write_all(&out).expect("written");
    }
    rows(batches)
}

/// The csv crate, with values spelled by hand.
pub fn csv_crate(batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let mut writer = csv::Writer::from_writer(sink);
    writer.write_record(NAMES).expect("a header");
    let mut text = String::new();
    for batch in batches {
        let columns = Columns::of(batch);
        for row in 0..batch.num_rows() {
            for column in 0..NAMES.len() {
                text.clear();
                columns.spell(column, row, &DASHED, &mut text);
                writer.write_field(&text).expect("a field");
            }
            writer.write_record(None::<&[u8]>).expect("the end of a record");
        }
    }
    writer.flush().expect("flushed");
    rows(batches)
}

/// arrow-json, one object a line.
pub fn arrow_json(batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let builder = arrow_json::WriterBuilder::new().with_explicit_nulls(true);
    let mut writer = builder.build::<_, arrow_json::writer::LineDelimited>(sink);
    for batch in batches {
        writer.write(batch).expect("written");
    }
    writer.finish().expect("finished");
    rows(batches)
}

/// What an integrator writes by hand: format a value, encode it, pad it.
pub fn fixed_loop(batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let mut out = BufWriter::with_capacity(1 << 20, sink);
    let (mut text, mut line) = (String::new(), Vec::new());
    for batch in batches {
        let columns = Columns::of(batch);
        for row in 0..batch.num_rows() {
            line.clear();
            for (column, width) in WIDTHS.into_iter().enumerate() {
                text.clear();
                columns.spell(column, row, &COMPACT, &mut text);
                let (bytes, _, unmappable) = GBK.encode(&text);
                assert!(!unmappable && bytes.len() <= width, "{text} in {width} bytes");
                let pad = width - bytes.len();
                let right = matches!(column, 6..=8);
                line.resize(line.len() + if right { pad } else { 0 }, b' ');
                line.extend_from_slice(&bytes);
                line.resize(line.len() + if right { 0 } else { pad }, b' ');
            }
            line.push(b'\n');
            out.write_all(&line).expect("written");
        }
    }
    out.flush().expect("flushed");
    rows(batches)
}

/// The dbase crate writing records of a struct.
pub fn dbase_typed(batches: &[RecordBatch], sink: &mut Sink) -> usize {
    let name = |column: usize| FieldName::try_from(NAMES[column]).expect("a name");
    let gbk = dbase::encoding::EncodingRs::from(dbase::encoding_rs::GBK);
    let builder = (0..NAMES.len()).fold(TableWriterBuilder::with_encoding(gbk), |table, column| {
        let width = WIDTHS[column] as u8;
        match column {
            3 | 9 => table.add_date_field(name(column)),
            6 | 7 => table.add_numeric_field(name(column), width, 2),
            8 => table.add_numeric_field(name(column), width, 0),
            _ => table.add_character_field(name(column), width),
        }
    });
    let mut writer = builder.build_with_dest(BufWriter::new(sink));
    for batch in batches {
        let columns = Columns::of(batch);
        for row in 0..batch.num_rows() {
            writer.write_record(&columns.resident(row)).expect("a record");
        }
    }
    writer.finalize().expect("the end of the table");
    rows(batches)
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// What stands between the parts of dates and times.
struct Marks {
    date: &'static str,
    between: &'static str,
    time: &'static str,
}

const DASHED: Marks = Marks { date: "-", between: "T", time: ":" };
const COMPACT: Marks = Marks { date: "", between: "", time: "" };

/// The typed columns of a batch.
struct Columns<'a> {
    text: [Option<&'a StringArray>; 13],
    birth: &'a Date32Array,
    capital: &'a Decimal128Array,
    tax: &'a Decimal128Array,
    employees: &'a Int64Array,
    issued: &'a Date32Array,
    /// As text in a table that has no such type.
    updated: Option<&'a TimestampSecondArray>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        let column = |at: usize| batch.column(at);
        Self {
            text: std::array::from_fn(|at| column(at).as_string_opt()),
            birth: column(3).as_primitive::<Date32Type>(),
            capital: column(6).as_primitive::<Decimal128Type>(),
            tax: column(7).as_primitive::<Decimal128Type>(),
            employees: column(8).as_primitive::<Int64Type>(),
            issued: column(9).as_primitive::<Date32Type>(),
            updated: column(10).as_primitive_opt::<TimestampSecondType>(),
        }
    }

    /// Appends the text of a value; nothing for a null.
    fn spell(&self, column: usize, row: usize, marks: &Marks, out: &mut String) {
        match column {
            3 => value(self.birth.is_valid(row), || date(self.birth.value(row), marks, out)),
            6 => value(self.capital.is_valid(row), || fen(self.capital.value(row), out)),
            7 => value(self.tax.is_valid(row), || fen(self.tax.value(row), out)),
            8 if self.employees.is_valid(row) => {
                write!(out, "{}", self.employees.value(row)).expect("a number");
            }
            9 => value(self.issued.is_valid(row), || date(self.issued.value(row), marks, out)),
            10 => {
                let array = self.updated.expect("a timestamp");
                value(array.is_valid(row), || moment(array.value(row), marks, out));
            }
            _ => out.push_str(self.text(column, row).unwrap_or_default()),
        }
    }

    fn text(&self, column: usize, row: usize) -> Option<&'a str> {
        let array = self.text[column]?;
        array.is_valid(row).then(|| array.value(row))
    }

    fn resident(&self, row: usize) -> Resident {
        let text = |column| self.text(column, row).map(str::to_owned);
        let day = |array: &Date32Array| {
            array.is_valid(row).then(|| {
                let (year, month, day) = civil(array.value(row));
                dbase::Date::new(day, month, year as u32).expect("a day")
            })
        };
        let amount =
            |array: &Decimal128Array| array.is_valid(row).then(|| array.value(row) as f64 / 100.0);
        Resident {
            person_id: text(0),
            name: text(1),
            sex: text(2),
            birth: day(self.birth),
            region: text(4),
            address: text(5),
            capital: amount(self.capital),
            tax: amount(self.tax),
            employees: self.employees.is_valid(row).then(|| self.employees.value(row) as f64),
            issued: day(self.issued),
            updated: text(10),
            status: text(11),
            remark: text(12),
        }
    }
}

fn value(valid: bool, write: impl FnOnce()) {
    if valid {
        write();
    }
}

fn fen(amount: i128, out: &mut String) {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    write!(out, "{sign}{}.{:02}", amount / 100, amount % 100).expect("a number");
}

fn date(days: i32, marks: &Marks, out: &mut String) {
    let ((year, month, day), mark) = (civil(days), marks.date);
    write!(out, "{year:04}{mark}{month:02}{mark}{day:02}").expect("a date");
}

fn moment(seconds: i64, marks: &Marks, out: &mut String) {
    date(seconds.div_euclid(86_400) as i32, marks, out);
    let (clock, mark) = (seconds.rem_euclid(86_400), marks.time);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    write!(out, "{}{hour:02}{mark}{minute:02}{mark}{second:02}", marks.between).expect("a time");
}

/// Year, month and day of days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i32) -> (i32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let doe = shifted.rem_euclid(146_097) as u32;
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe as i32 + era * 400 + i32::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}
