//! CPU seconds to read a sheet of 100,000 rows and 13 columns, here and by calamine, in one run.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program")]

use std::sync::Arc;

use bytes::Bytes;
use calamine::{Reader, Xlsx};
use fenhe_core::{Format, Input, Output};
use fenhe_excel::Excel;
use rust_xlsxwriter::{Format as Style, Workbook};

fn main() {
    let which = std::env::args().nth(1).unwrap_or_default();
    let path = std::env::args().nth(2).unwrap();
    if which == "make" {
        return make(&path);
    }
    let file = Bytes::from(std::fs::read(&path).unwrap());
    for _ in 0..3 {
        if which != "calamine" {
            let before = cpu();
            let rows = ours(&file);
            println!("fenhe    {rows} rows {:.3} s, peak {} MB", cpu() - before, peak());
        }
        if which != "fenhe" {
            let before = cpu();
            let cells = theirs(&file);
            println!("calamine {cells} cells {:.3} s, peak {} MB", cpu() - before, peak());
        }
    }
}

fn ours(file: &Bytes) -> usize {
    let mut decoder = Excel::default().decoder(Default::default()).unwrap();
    decoder.feed(Input::Object(Arc::new(file.clone()))).unwrap();
    let mut rows = 0;
    while let Output::Batch(batch) = decoder.next().unwrap() {
        assert!(batch.rejects.is_empty());
        rows += batch.rows();
    }
    rows
}

fn theirs(file: &Bytes) -> usize {
    let cursor = std::io::Cursor::new(file.clone());
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(cursor).unwrap();
    let name = book.sheet_names().remove(0);
    let mut cells = 0;
    let mut reader = book.worksheet_cells_reader(&name).unwrap();
    while let Some(cell) = reader.next_cell().unwrap() {
        std::hint::black_box(&cell);
        cells += 1;
    }
    cells
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
