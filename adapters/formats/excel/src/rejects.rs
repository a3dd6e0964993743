//! Rejects as a workbook that a clerk corrects and sends back.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use fenhe_core::{Error, Fault, Kind, Limits, Raw, Reject, Result};
use rust_xlsxwriter::{Format, Note, Workbook, Worksheet};
use serde_json::value::RawValue;

use crate::cells::MAX_ROWS;
use crate::encode::{MAX_TEXT, is_formula, refused};

/// The column of what never became fields.
const RAW: &str = "_raw";

/// A workbook of rejected rows: one row a reject with the columns of `schema`, so that the corrected file can be read like the
/// first one (by the schema, which leaves out what follows). The cells that were refused are marked and carry a note; behind the
/// columns stand `_source`, `_row` (the line or record in the source), `_reason`, and `_raw` for rejects that never became
/// fields. All values are texts, as they were shown; none is ever a formula.
///
/// ```
/// use arrow_schema::{DataType, Field, Schema};
/// use fenhe_core::{Fault, Reject, Raw};
/// let schema = Schema::new(vec![Field::new("fee", DataType::Int64, true)]);
/// let fault = Fault::new("value.not_a_number", "fee", "int64", "letters in cell Sheet1!C17");
/// let mut reject = Reject::new(fault).at(16, 0, 0).on_line(17).raw_bytes(br#"{"fee":"12O"}"#, 1024);
/// reject.raw_is = Raw::Row;
/// let workbook = fenhe_excel::reject_workbook(&schema, &[reject])?;
/// assert!(workbook.starts_with(b"PK"));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
///
/// # Errors
/// [`Kind::Limit`] for more rejects than a sheet has rows, [`Kind::Config`] for more columns than it has.
pub fn reject_workbook(schema: &Schema, rejects: &[Reject]) -> Result<Vec<u8>> {
    reject_workbook_with(schema, rejects, &[])
}

/// As [`reject_workbook`], with columns of the caller's behind the others: a name, and one text a reject. A column `_raw` of the
/// caller's takes the place of the usual one.
///
/// # Errors
/// Those of [`reject_workbook`].
pub fn reject_workbook_with(
    schema: &Schema,
    rejects: &[Reject],
    more: &[(&str, Vec<String>)],
) -> Result<Vec<u8>> {
    Limits::check("rejects", u64::from(MAX_ROWS) - 1, rejects.len() as u64)?;
    let mut names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let columns = names.len();
    names.extend(["_source", "_row", "_reason"]);
    let shows_raw = more.iter().all(|(name, _)| *name != RAW);
    names.extend(shows_raw.then_some(RAW));
    let first = names.len();
    names.extend(more.iter().map(|(name, _)| name));
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("rejects").map_err(refused)?;
    let styles = Styles::new();
    for (at, name) in names.iter().enumerate() {
        put(sheet, 0, at, name, &styles.header)?;
        let width = if at < columns { 16.0 } else { 28.0 };
        sheet.set_column_width(place(at)?, width).map_err(refused)?;
    }
    sheet.set_freeze_panes(1, 0).map_err(refused)?;
    for (reject, row) in rejects.iter().zip(1..) {
        line(sheet, row, reject, names.get(..columns).unwrap_or_default(), shows_raw, &styles)?;
    }
    for ((_, texts), at) in more.iter().zip(first..) {
        for (text, row) in texts.iter().take(rejects.len()).zip(1..) {
            let style = if is_formula(text) { &styles.guarded } else { &styles.text };
            put(sheet, row, at, text, style)?;
        }
    }
    workbook.save_to_buffer().map_err(refused)
}

struct Styles {
    header: Format,
    text: Format,
    guarded: Format,
    marked: Format,
}

impl Styles {
    fn new() -> Self {
        let text = Format::new().set_num_format("@");
        Self {
            header: Format::new().set_bold().set_background_color(0x00DD_EBF7),
            guarded: text.clone().set_quote_prefix(),
            marked: text.clone().set_quote_prefix().set_background_color(0x00FF_C7CE),
            text,
        }
    }
}

/// One reject.
fn line(
    sheet: &mut Worksheet,
    row: u32,
    reject: &Reject,
    names: &[&str],
    shows_raw: bool,
    styles: &Styles,
) -> Result<()> {
    let values = match reject.raw_is {
        Raw::Row | Raw::Target => {
            serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&reject.raw).ok()
        }
        Raw::Source => None,
    };
    let faults: Vec<&Fault> = std::iter::once(&reject.fault).chain(&reject.also).collect();
    for (at, name) in names.iter().enumerate() {
        let value = values.as_ref().and_then(|values| values.get(*name));
        let text = value.map(|value| shown(value)).unwrap_or_default();
        let fault = faults.iter().find(|fault| fault.field == *name);
        let style = match fault {
            Some(_) => &styles.marked,
            None if is_formula(&text) => &styles.guarded,
            None => &styles.text,
        };
        put(sheet, row, at, &text, style)?;
        if let Some(fault) = fault {
            let note = Note::new(fault.to_string()).add_author_prefix(false);
            sheet.insert_note(row, place(at)?, &note).map_err(refused)?;
        }
    }
    let reasons: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let number = reject.line.unwrap_or(reject.record).to_string();
    put(sheet, row, names.len(), &reject.source.name, &styles.text)?;
    put(sheet, row, names.len() + 1, &number, &styles.text)?;
    put(sheet, row, names.len() + 2, &reasons.join("; "), &styles.text)?;
    if values.is_none() && shows_raw {
        put(sheet, row, names.len() + 3, &raw(&reject.raw), &styles.guarded)?;
    }
    Ok(())
}

/// Text without its quotes; numbers as they are spelled, with every digit.
fn shown(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        text if text.starts_with('"') => serde_json::from_str(text).unwrap_or_default(),
        other => other.to_owned(),
    }
}

/// Bytes as text if they are UTF-8 or GB 18030, without the end of their line; else as hexadecimal digits.
fn raw(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(_) => fenhe_text::Encoding::GB18030.decode(bytes).ok().map(|text| text.into_owned()),
    };
    match text.filter(|text| !text.contains('\0')) {
        Some(text) => text.trim_end_matches(['\r', '\n']).to_owned(),
        None => {
            let mut digits = Vec::new();
            fenhe_values::format::hex(bytes, &mut digits);
            String::from_utf8(digits).unwrap_or_default()
        }
    }
}

fn put(sheet: &mut Worksheet, row: u32, at: usize, text: &str, style: &Format) -> Result<()> {
    let column = place(at)?;
    if text.encode_utf16().count() > MAX_TEXT {
        // The whole value stays in the reject; what a cell cannot hold is said.
        let note = "longer than a cell can hold; see the reject log";
        sheet.write_string_with_format(row, column, note, style).map_err(refused)?;
    } else if text.is_empty() {
        sheet.write_blank(row, column, style).map_err(refused)?;
    } else {
        sheet.write_string_with_format(row, column, text, style).map_err(refused)?;
    }
    Ok(())
}

fn place(at: usize) -> Result<u16> {
    u16::try_from(at).ok().filter(|at| *at < 16_384).ok_or_else(|| {
        Error::new(Kind::Config, "excel.columns", "a sheet has at most 16,384 columns")
    })
}
