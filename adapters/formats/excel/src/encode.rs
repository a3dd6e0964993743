//! Arrow batches to an xlsx sheet, row by row through the writer of rust_xlsxwriter.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::BytesMut;
use fenhe_core::schema::{CODE_TABLE, FORMAT, SPELLING, TITLE};
use fenhe_core::{EncodeOptions, Encoder, Error, Fault, Kind, Patch, Reject, Result};
use fenhe_text::Encoding;
use fenhe_values::{FaultMask, FieldSpec, FieldWriter, TextBlock};
use rust_xlsxwriter::{
    DataValidation, Format, FormatAlign, Formula, Workbook, Worksheet, XlsxError,
};

use crate::cells::MAX_ROWS;
use crate::dates::{DAY, Epoch};
use crate::error::{NAME, config};
use crate::options::{ExcelOptions, FormulaGuard};

/// Bytes of a text a cell can hold, in UTF-16 units.
pub(crate) const MAX_TEXT: usize = 32_767;
/// Whole numbers a double keeps with all digits a spreadsheet shows.
const MAX_WHOLE: u64 = 1_000_000_000_000_000;
/// Letters a list of values may have before it goes to a sheet of its own.
const LIST: usize = 255;

/// Writes one sheet. The workbook comes out at the end: rows wait in a temporary file of the writer, not in memory.
pub(crate) struct ExcelEncoder {
    schema: SchemaRef,
    workbook: Workbook,
    columns: Vec<Column>,
    guard: FormulaGuard,
    row: u32,
    done: bool,
}

struct Column {
    name: String,
    format: Option<Format>,
    /// For types without a cell of their own: their plain spelling.
    writer: FieldWriter,
}

enum Cell {
    Blank,
    Number(f64),
    Boolean(bool),
    Text(String),
}

impl ExcelEncoder {
    pub(crate) fn new(options: &ExcelOptions, open: EncodeOptions) -> Result<Self> {
        let schema = open.schema;
        if schema.fields().len() > 16_384 {
            return Err(Error::limit("fields", 16_384, schema.fields().len() as u64));
        }
        let columns = schema.fields().iter().map(|f| Column::new(f)).collect::<Result<Vec<_>>>()?;
        let mut workbook = Workbook::new();
        let name = sheet_name(options, &schema);
        let lists = lists(options, &schema);
        let sheet = workbook.add_worksheet_with_low_memory().map_err(refused)?;
        sheet.set_name(&name).map_err(|_| {
            config("sheet", "a sheet name has at most 31 characters and none of [ ] : * ? / \\")
        })?;
        prepare(sheet, &schema, &columns)?;
        let mut long = Vec::new();
        for (column, values) in &lists {
            validate(sheet, *column, values, &mut long)?;
        }
        if !long.is_empty() {
            code_sheet(&mut workbook, &long)?;
        }
        let guard = options.formula_guard;
        Ok(Self { schema, workbook, columns, guard, row: 1, done: false })
    }

    fn sheet(&mut self) -> Result<&mut Worksheet> {
        self.workbook.worksheet_from_index(0).map_err(refused)
    }

    /// The cells of a row, or what the sheet cannot hold of it.
    fn cells(
        &self,
        batch: &RecordBatch,
        texts: &[TextBlock],
        bad: &[FaultMask],
        row: usize,
    ) -> Result<Vec<Cell>, Fault> {
        let mut cells = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let array = batch.column(at);
            if array.is_null(row) {
                cells.push(Cell::Blank);
                continue;
            }
            let cell = match native(array, row) {
                Some(cell) => cell,
                None => {
                    if bad.get(at).is_some_and(|mask| mask.contains(row)) {
                        let expected = "a value that can be spelled as text";
                        return Err(Fault::new("excel.value", &column.name, expected, "another"));
                    }
                    let text = texts.get(at).map(|t| t.field(row)).unwrap_or_default();
                    Cell::Text(String::from_utf8_lossy(text).into_owned())
                }
            };
            cells.push(self.guarded(&column.name, cell)?);
        }
        Ok(cells)
    }

    fn guarded(&self, name: &str, cell: Cell) -> Result<Cell, Fault> {
        let Cell::Text(mut text) = cell else { return Ok(cell) };
        if is_formula(&text) {
            match self.guard {
                FormulaGuard::Off => {}
                FormulaGuard::Escape => text.insert(0, '\''),
                FormulaGuard::Reject => {
                    let expected = "no text that starts like a formula";
                    return Err(Fault::new("excel.formula", name, expected, "one that does"));
                }
            }
        }
        let length = text.encode_utf16().count();
        if length > MAX_TEXT {
            let (most, found) = (format!("at most {MAX_TEXT} characters"), format!("{length}"));
            return Err(Fault::new("excel.text_too_long", name, most, found));
        }
        Ok(Cell::Text(text))
    }
}

impl Encoder for ExcelEncoder {
    fn encode(&mut self, batch: &RecordBatch, _: &mut BytesMut) -> Result<Vec<Reject>> {
        if self.done {
            return Err(Error::poisoned(NAME));
        }
        if batch.schema().fields() != self.schema.fields() {
            let message = "the batch has another schema than the sheet";
            return Err(Error::new(Kind::Config, "excel.schema", message));
        }
        let (texts, bad) = spelled(&self.columns, batch)?;
        let mut rejects = Vec::new();
        for row in 0..batch.num_rows() {
            let number = row as u64 + 1;
            if self.row >= MAX_ROWS {
                let fault = Fault::new("excel.full", "", "at most 1,048,576 rows", "one more");
                rejects.push(Reject::new(fault).at(number, 0, 0).by(NAME));
                continue;
            }
            match self.cells(batch, &texts, &bad, row) {
                Ok(cells) => {
                    let line = self.row;
                    let formats: Vec<_> = self.columns.iter().map(|c| c.format.clone()).collect();
                    let sheet = self.sheet()?;
                    for (at, (cell, format)) in cells.into_iter().zip(&formats).enumerate() {
                        let column = u16::try_from(at).unwrap_or(u16::MAX);
                        put(sheet, line, column, cell, format.as_ref()).map_err(refused)?;
                    }
                    self.row += 1;
                }
                Err(fault) => rejects.push(Reject::new(fault).at(number, 0, 0).by(NAME)),
            }
        }
        Ok(rejects)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        if self.done {
            return Err(Error::poisoned(NAME));
        }
        self.done = true;
        out.extend_from_slice(&self.workbook.save_to_buffer().map_err(refused)?);
        Ok(Vec::new())
    }
}

impl Column {
    fn new(field: &Field) -> Result<Self> {
        let mut plain = FieldSpec::new(field.name(), field.data_type().clone());
        if let Ok(spec) = FieldSpec::from_field(field) {
            plain.spelling.binary = spec.spelling.binary;
        }
        let writer = FieldWriter::new(&plain, Encoding::UTF_8)?;
        let format = number_format(field.data_type());
        let format = format.map(|code| Format::new().set_num_format(code));
        Ok(Self { name: field.name().clone(), format, writer })
    }
}

pub(crate) fn refused(error: XlsxError) -> Error {
    Error::new(Kind::Config, "excel.write", "the workbook cannot be written").caused_by(error)
}

fn sheet_name(options: &ExcelOptions, schema: &Schema) -> String {
    let known = || {
        let metadata = schema.metadata();
        let spelling =
            metadata.get(SPELLING).filter(|_| metadata.get(FORMAT).is_some_and(|f| f == NAME))?;
        let json: serde_json::Value = serde_json::from_str(spelling).ok()?;
        Some(json.get("sheet")?.as_str()?.to_owned())
    };
    options.sheet.clone().or_else(known).unwrap_or_else(|| "Sheet1".to_owned())
}

/// Format codes by which the reader knows the types again.
fn number_format(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Date32 => "yyyy-mm-dd".into(),
        DataType::Timestamp(TimeUnit::Second, None) => "yyyy-mm-dd hh:mm:ss".into(),
        DataType::Timestamp(_, None) => "yyyy-mm-dd hh:mm:ss.000".into(),
        DataType::Time32(TimeUnit::Second) => "hh:mm:ss".into(),
        DataType::Time32(_) | DataType::Time64(_) => "hh:mm:ss.000".into(),
        DataType::Decimal128(p, s) if *p <= 18 && (1..=15).contains(s) => {
            format!("0.{}", "0".repeat(usize::from(s.unsigned_abs())))
        }
        DataType::Utf8 => "@".into(),
        _ => return None,
    })
}

/// Header, widths and the pane that keeps the header in view.
fn prepare(sheet: &mut Worksheet, schema: &Schema, columns: &[Column]) -> Result<()> {
    let bold =
        Format::new().set_bold().set_background_color(0xDD_EB_F7).set_align(FormatAlign::Left);
    for (at, (field, column)) in schema.fields().iter().zip(columns).enumerate() {
        let place = u16::try_from(at).unwrap_or(u16::MAX);
        let title = field.metadata().get(TITLE).map_or(0, |t| width(t));
        let least = match field.data_type() {
            DataType::Timestamp(..) => 21,
            DataType::Date32 | DataType::Time32(_) | DataType::Decimal128(..) => 12,
            _ => 8,
        };
        let wide = width(field.name()).max(title).max(least).min(60);
        sheet
            .set_column_width(place, f64::from(u32::try_from(wide + 2).unwrap_or(10)))
            .map_err(refused)?;
        if let Some(format) = &column.format {
            sheet.set_column_format(place, format).map_err(refused)?;
        }
    }
    for (at, field) in schema.fields().iter().enumerate() {
        let place = u16::try_from(at).unwrap_or(u16::MAX);
        sheet.write_string_with_format(0, place, field.name(), &bold).map_err(refused)?;
    }
    sheet.set_freeze_panes(1, 0).map_err(refused)?;
    Ok(())
}

/// Columns a text takes: two for a wide character.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c > '\u{2e80}' { 2 } else { 1 }).sum()
}

/// The values that columns may have.
fn lists(options: &ExcelOptions, schema: &Schema) -> BTreeMap<u16, Vec<String>> {
    let of = |field: &Field| {
        let table = field.metadata().get(CODE_TABLE);
        options.codes.get(field.name()).or_else(|| options.codes.get(table?))
    };
    let fields = schema.fields().iter().enumerate();
    fields.filter_map(|(at, f)| Some((u16::try_from(at).ok()?, of(f)?.clone()))).collect()
}

fn validate(
    sheet: &mut Worksheet,
    column: u16,
    values: &[String],
    long: &mut Vec<Vec<String>>,
) -> Result<()> {
    let letters = values.iter().map(|v| v.encode_utf16().count() + 1).sum::<usize>();
    let rule = if letters <= LIST && values.iter().all(|v| !v.contains(',')) {
        DataValidation::new().allow_list_strings(values).map_err(refused)?
    } else {
        let column = crate::cells::letters(u16::try_from(long.len()).unwrap_or(u16::MAX));
        long.push(values.to_vec());
        let range = format!("='codes'!${column}$1:${column}${}", values.len());
        DataValidation::new().allow_list_formula(Formula::new(range))
    };
    sheet.add_data_validation(1, column, MAX_ROWS - 1, column, &rule).map_err(refused)?;
    Ok(())
}

/// Long lists stand on a hidden sheet.
fn code_sheet(workbook: &mut Workbook, lists: &[Vec<String>]) -> Result<()> {
    let sheet = workbook.add_worksheet();
    sheet.set_name("codes").map_err(refused)?;
    sheet.set_hidden(true);
    for (column, values) in lists.iter().enumerate() {
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        for (row, value) in values.iter().enumerate() {
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            sheet.write_string(row, column, value).map_err(refused)?;
        }
    }
    Ok(())
}

fn spelled(columns: &[Column], batch: &RecordBatch) -> Result<(Vec<TextBlock>, Vec<FaultMask>)> {
    let rows: Range<usize> = 0..batch.num_rows();
    let (mut texts, mut masks) = (Vec::new(), Vec::new());
    for (column, array) in columns.iter().zip(batch.columns()) {
        let (mut block, mut mask) = (TextBlock::new(), FaultMask::new());
        mask.reset(rows.end);
        if !is_native(array.data_type()) {
            column.writer.write(array, rows.clone(), &mut block, &mut mask)?;
        }
        texts.push(block);
        masks.push(mask);
    }
    Ok((texts, masks))
}

/// Types whose every value may have a cell of its own, or a text for some.
fn is_native(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8
            | DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::Float32
            | DataType::Float64
    )
}

/// The value as a cell, `None` when only its spelling keeps it whole.
fn native(array: &ArrayRef, row: usize) -> Option<Cell> {
    macro_rules! small {
        ($type:ty) => {
            Cell::Number(f64::from(array.as_primitive::<$type>().value(row)))
        };
    }
    Some(match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => small!(Int8Type),
        DataType::Int16 => small!(Int16Type),
        DataType::Int32 => small!(Int32Type),
        DataType::UInt8 => small!(UInt8Type),
        DataType::UInt16 => small!(UInt16Type),
        DataType::UInt32 => small!(UInt32Type),
        DataType::Float32 => small!(Float32Type),
        DataType::Float64 => Cell::Number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Int64 => {
            let value = array.as_primitive::<Int64Type>().value(row);
            kept(value.unsigned_abs(), value.to_string())?
        }
        DataType::UInt64 => {
            let value = array.as_primitive::<UInt64Type>().value(row);
            kept(value, value.to_string())?
        }
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            let mut text = Vec::new();
            fenhe_values::format::decimal(value, u8::try_from(*scale).ok()?, &mut text);
            let small = u64::try_from(value.unsigned_abs()).ok()?;
            kept(small, String::from_utf8(text).ok()?)?
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Cell::Number(Epoch::Of1900.serial(days)?)
        }
        DataType::Timestamp(unit @ (TimeUnit::Second | TimeUnit::Millisecond), None) => {
            let value = array
                .to_data()
                .buffers()
                .first()?
                .typed_data::<i64>()
                .get(row + array.offset())
                .copied()?;
            moment(if *unit == TimeUnit::Second { value.checked_mul(1000)? } else { value })?
        }
        DataType::Time32(unit) => {
            let value = array
                .to_data()
                .buffers()
                .first()?
                .typed_data::<i32>()
                .get(row + array.offset())
                .copied()?;
            let ms =
                if *unit == TimeUnit::Second { i64::from(value) * 1000 } else { i64::from(value) };
            Cell::Number(of_day(ms)?)
        }
        _ => return None,
    })
}

/// A number whose digits a double keeps.
fn kept(magnitude: u64, text: String) -> Option<Cell> {
    (magnitude < MAX_WHOLE).then(|| text.parse().ok().map(Cell::Number)).flatten()
}

fn moment(ms: i64) -> Option<Cell> {
    let days = i32::try_from(ms.div_euclid(DAY)).ok()?;
    Some(Cell::Number(Epoch::Of1900.serial(days)? + of_day(ms.rem_euclid(DAY))?))
}

/// Milliseconds as a part of a day.
fn of_day(ms: i64) -> Option<f64> {
    Some(f64::from(i32::try_from(ms).ok()?) / 86_400_000.0)
}

/// What spreadsheets take for the start of a formula, full-width forms too (CWE-1236).
pub(crate) fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '＝', '＋', '－', '＠'])
}

fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    format: Option<&Format>,
) -> Result<(), XlsxError> {
    match (cell, format) {
        (Cell::Blank, _) => return Ok(()),
        (Cell::Number(number), Some(format)) => {
            sheet.write_number_with_format(row, column, number, format)?
        }
        (Cell::Number(number), None) => sheet.write_number(row, column, number)?,
        (Cell::Boolean(truth), _) => sheet.write_boolean(row, column, truth)?,
        (Cell::Text(text), Some(format)) => {
            sheet.write_string_with_format(row, column, &text, format)?
        }
        (Cell::Text(text), None) => sheet.write_string(row, column, &text)?,
    };
    Ok(())
}
