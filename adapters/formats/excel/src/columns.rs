//! Rows of cells to Arrow columns: the type switch is outside of the loop over the rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Fault, Kind, Result, SchemaRef};
use fenhe_kernels::{BooleanColumn, Pools, PrimitiveColumn, StringColumn};
use fenhe_text::Encoding;
use fenhe_values::{ColumnBuilder, FaultKind, FaultMask, FieldSpec, format, parse, type_name};

use crate::cells::{Block, Cell, Row, Value, letters};
use crate::dates::{DAY, Epoch, time, whole, write_date, write_time};
use crate::strings::Strings;
use crate::styles::{Shown, Styles};

/// What the meaning of a cell depends on besides its block.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) strings: Arc<Strings>,
    pub(crate) styles: Arc<Styles>,
    pub(crate) epoch: Epoch,
    /// Cells that are no values become nulls.
    pub(crate) lenient: bool,
}

/// Why a cell is no value of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Value(FaultKind),
    /// `#N/A` and its like.
    ErrorValue,
    /// A number of a string that is not there.
    NoString,
    /// A formula that was never calculated.
    Uncached,
    /// A whole number of more than 15 digits: a double has lost the last ones.
    DigitsLost,
}

impl From<FaultKind> for Flaw {
    fn from(kind: FaultKind) -> Self {
        Self::Value(kind)
    }
}

/// The columns of the batch under way.
pub(crate) struct Columns {
    columns: Vec<Column>,
    faults: FaultMask,
    rows: usize,
}

struct Column {
    spec: FieldSpec,
    /// Column of the sheet, and where its cell stands in a full row.
    place: u16,
    guess: usize,
    /// Values as text go through here, one by one.
    odd: ColumnBuilder,
    store: Store,
}

enum Store {
    Text(StringColumn),
    Int(PrimitiveColumn<i64>),
    Float(PrimitiveColumn<f64>),
    Decimal(PrimitiveColumn<i128>, u8, u8),
    Boolean(BooleanColumn),
    Date(PrimitiveColumn<i32>),
    Timestamp(PrimitiveColumn<i64>, TimeUnit),
    /// Every other type: by way of its plain spelling.
    Other(Box<ColumnBuilder>),
}

macro_rules! each {
    ($store:expr, $column:ident => $body:expr) => {
        match $store {
            Store::Text($column) => $body,
            Store::Int($column) => $body,
            Store::Float($column) => $body,
            Store::Decimal($column, ..) => $body,
            Store::Boolean($column) => $body,
            Store::Date($column) => $body,
            Store::Timestamp($column, _) => $body,
            Store::Other($column) => $body,
        }
    };
}

impl Columns {
    /// Columns for these fields, each at a column of the sheet, the first cell of a full row being in `first`.
    pub(crate) fn new(specs: &[FieldSpec], places: &[u16], first: u16) -> Result<Self> {
        let pools = Pools::default();
        // A sheet may be 16,384 columns wide: room is made for a bounded number of cells.
        let rows = ((1 << 18) / specs.len().max(1)).min(8_192);
        let columns = specs.iter().zip(places).map(|(spec, place)| {
            Ok(Column {
                store: Store::new(spec, &pools, rows)?,
                odd: ColumnBuilder::new(spec, Encoding::UTF_8, &pools, 1)?,
                spec: spec.clone(),
                place: *place,
                guess: usize::from(place.saturating_sub(first)),
            })
        });
        Ok(Self { columns: columns.collect::<Result<_>>()?, faults: FaultMask::new(), rows: 0 })
    }

    /// Appends rows; those with a fault stay out and are given back by their place in `rows`.
    pub(crate) fn append(&mut self, cx: &Context, block: &Block, rows: &[Row]) -> Vec<usize> {
        self.faults.reset(rows.len());
        for column in &mut self.columns {
            column.append(cx, block, rows, &mut self.faults);
        }
        if !self.faults.any() {
            self.rows += rows.len();
            return Vec::new();
        }
        let bad: Vec<usize> = self.faults.iter().collect();
        let good: Vec<Row> = rows
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.faults.contains(*at))
            .map(|(_, row)| *row)
            .collect();
        for column in &mut self.columns {
            each!(&mut column.store, store => store.truncate(self.rows));
            self.faults.reset(good.len());
            column.append(cx, block, &good, &mut self.faults);
        }
        self.rows += good.len();
        bad
    }

    /// What is wrong with a row.
    pub(crate) fn faults_of(
        &mut self,
        cx: &Context,
        block: &Block,
        row: &Row,
        sheet: &str,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        for column in &mut self.columns {
            let cell = block.cell(row, column.place, column.guess);
            if let Err(flaw) = column.check(cx, block, cell) {
                let address = format!("{sheet}!{}{}", letters(column.place), row.number);
                faults.push(column.explain(cx, flaw, block, cell, &address));
            }
        }
        faults
    }

    /// The batch; the columns are empty then.
    pub(crate) fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        let arrays: Result<Vec<ArrayRef>> = self.columns.iter_mut().map(Column::finish).collect();
        let options =
            RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays?, &options)?)
    }
}

impl Store {
    fn new(spec: &FieldSpec, pools: &Pools, rows: usize) -> Result<Self> {
        Ok(match &spec.data_type {
            DataType::Utf8 => Self::Text(StringColumn::new(pools, rows, 0)),
            DataType::Int64 => Self::Int(PrimitiveColumn::new(pools, rows)),
            DataType::Float64 => Self::Float(PrimitiveColumn::new(pools, rows)),
            DataType::Decimal128(p, s) if *s >= 0 => {
                Self::Decimal(PrimitiveColumn::new(pools, rows), *p, s.unsigned_abs())
            }
            DataType::Boolean => Self::Boolean(BooleanColumn::new(pools, rows)),
            DataType::Date32 => Self::Date(PrimitiveColumn::new(pools, rows)),
            DataType::Timestamp(unit, None) => {
                Self::Timestamp(PrimitiveColumn::new(pools, rows), *unit)
            }
            _ => Self::Other(Box::new(ColumnBuilder::new(spec, Encoding::UTF_8, pools, rows)?)),
        })
    }
}

impl Column {
    fn append(&mut self, cx: &Context, block: &Block, rows: &[Row], faults: &mut FaultMask) {
        let (place, guess, odd, nullable) =
            (self.place, self.guess, &mut self.odd, self.spec.nullable);
        let required = !nullable;
        macro_rules! fill {
            ($column:ident, $read:expr) => {
                for (at, row) in rows.iter().enumerate() {
                    let value = match block.cell(row, place, guess) {
                        Some(cell) => $read(cell),
                        None => Ok(None),
                    };
                    match value {
                        Ok(Some(value)) => $column.append(value),
                        Ok(None) => {
                            if required {
                                faults.set(at);
                            }
                            $column.append_null();
                        }
                        Err(_) => {
                            if !(cx.lenient && nullable) {
                                faults.set(at);
                            }
                            $column.append_null();
                        }
                    }
                }
            };
        }
        match &mut self.store {
            Store::Text(column) => {
                let (mut scratch, spelling) = (Vec::new(), &self.spec.spelling);
                for (at, row) in rows.iter().enumerate() {
                    let text = match block.cell(row, place, guess) {
                        Some(cell) => text_of(cx, block, cell, &mut scratch),
                        None => Ok(""),
                    };
                    let lenient = cx.lenient && nullable;
                    let Ok(text) = text else {
                        if !lenient {
                            faults.set(at);
                        }
                        column.append_null();
                        continue;
                    };
                    let text = trimmed(spelling, text);
                    if text.is_empty() || spelling.nulls.iter().any(|null| null == text) {
                        if required {
                            faults.set(at);
                        }
                        column.append_null();
                    } else if column.append_str(text).is_err() {
                        faults.set(at);
                        column.append_null();
                    }
                }
            }
            Store::Int(column) => fill!(column, |cell: &Cell| int(cx, block, cell, odd)),
            Store::Float(column) => fill!(column, |cell: &Cell| float(cx, block, cell, odd)),
            Store::Decimal(column, p, s) => {
                let (p, s) = (*p, *s);
                fill!(column, |cell: &Cell| decimal(cx, block, cell, odd, p, s))
            }
            Store::Boolean(column) => fill!(column, |cell: &Cell| boolean(cx, block, cell, odd)),
            Store::Date(column) => fill!(column, |cell: &Cell| date(cx, block, cell, odd)),
            Store::Timestamp(column, unit) => {
                let unit = *unit;
                fill!(column, |cell: &Cell| timestamp(cx, block, cell, odd, unit))
            }
            Store::Other(column) => {
                let mut scratch = Vec::new();
                for (at, row) in rows.iter().enumerate() {
                    let done = match block.cell(row, place, guess) {
                        None => column.append_null().map_err(Flaw::from),
                        Some(cell) => spelled(cx, block, cell, &mut scratch)
                            .and_then(|text| Ok(column.append_value(text.as_bytes())?)),
                    };
                    if done.is_err() {
                        let kept = cx.lenient && column.append_null().is_ok();
                        if !kept {
                            faults.set(at);
                            // Keeps the columns in step until the block is taken back.
                            let _ = column.append_null();
                        }
                    }
                }
            }
        }
    }

    fn check(&mut self, cx: &Context, block: &Block, cell: Option<&Cell>) -> Result<(), Flaw> {
        let mut scratch = Vec::new();
        let odd = &mut self.odd;
        let lenient = cx.lenient && self.spec.nullable;
        let present = match cell {
            None => Ok(false),
            Some(cell) => match &self.store {
                Store::Text(_) => text_of(cx, block, cell, &mut scratch).map(|text| {
                    let text = trimmed(&self.spec.spelling, text);
                    !text.is_empty() && !self.spec.spelling.nulls.iter().any(|null| null == text)
                }),
                Store::Int(_) => int(cx, block, cell, odd).map(|v| v.is_some()),
                Store::Float(_) => float(cx, block, cell, odd).map(|v| v.is_some()),
                Store::Decimal(_, p, s) => {
                    decimal(cx, block, cell, odd, *p, *s).map(|v| v.is_some())
                }
                Store::Boolean(_) => boolean(cx, block, cell, odd).map(|v| v.is_some()),
                Store::Date(_) => date(cx, block, cell, odd).map(|v| v.is_some()),
                Store::Timestamp(_, unit) => {
                    timestamp(cx, block, cell, odd, *unit).map(|v| v.is_some())
                }
                Store::Other(_) => spelled(cx, block, cell, &mut scratch)
                    .and_then(|text| Ok(through(odd, text, |_| Some(()))?.is_some())),
            },
        };
        match present {
            Err(_) if lenient => Ok(()),
            Err(flaw) => Err(flaw),
            Ok(false) if !self.spec.nullable => Err(FaultKind::NullNotAllowed.into()),
            Ok(_) => Ok(()),
        }
    }

    fn explain(
        &self,
        cx: &Context,
        flaw: Flaw,
        block: &Block,
        cell: Option<&Cell>,
        address: &str,
    ) -> Fault {
        let name = &self.spec.name;
        let wanted = type_name(&self.spec.data_type).unwrap_or_else(|| "a value".into());
        let (code, expected, found) = match flaw {
            Flaw::ErrorValue => ("excel.error_value", wanted, "an error value".to_owned()),
            Flaw::NoString => {
                ("excel.no_string", "a shared string".into(), "a number that none has".into())
            }
            Flaw::Uncached => {
                let found = "a formula that was never calculated";
                ("excel.formula_without_value", "a stored value".into(), found.into())
            }
            Flaw::DigitsLost => {
                let found = "a number of more than 15 digits, whose last ones are lost";
                ("excel.digits_lost", "at most 15 digits, or text".into(), found.into())
            }
            Flaw::Value(kind) => (kind.code(), wanted, kind.to_string()),
        };
        let _ = (cx, block, cell);
        Fault::new(code, name, expected, format!("{found} in cell {address}"))
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let data_type = &self.spec.data_type;
        let wrong = |e| {
            Error::new(Kind::Internal, "excel.column", "a column does not suit its type")
                .caused_by(e)
        };
        Ok(match &mut self.store {
            Store::Text(column) => Arc::new(column.finish()),
            Store::Int(column) => column.finish(data_type).map_err(wrong)?,
            Store::Float(column) => column.finish(data_type).map_err(wrong)?,
            Store::Decimal(column, ..) => column.finish(data_type).map_err(wrong)?,
            Store::Boolean(column) => Arc::new(column.finish()),
            Store::Date(column) => column.finish(data_type).map_err(wrong)?,
            Store::Timestamp(column, _) => column.finish(data_type).map_err(wrong)?,
            Store::Other(column) => column.finish()?,
        })
    }
}

fn trimmed<'a>(spelling: &fenhe_values::Spelling, text: &'a str) -> &'a str {
    match (spelling.trim.start, spelling.trim.end) {
        (false, false) => text,
        (true, false) => text.trim_start(),
        (false, true) => text.trim_end(),
        (true, true) => text.trim(),
    }
}

/// The text of a cell in a column of text; error values are text too, so nothing of them is lost.
#[inline]
fn text_of<'a>(
    cx: &'a Context,
    block: &'a Block,
    cell: &Cell,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a str, Flaw> {
    match cell.value {
        Value::Shared => cx.strings.get(cell.a).ok_or(Flaw::NoString),
        Value::Inline | Value::Error | Value::Iso => Ok(block.inline(cell)),
        Value::Uncached => Err(Flaw::Uncached),
        Value::Boolean => Ok(if cell.a == 1 { "TRUE" } else { "FALSE" }),
        Value::Number | Value::Float => {
            scratch.clear();
            write_number(cx, block, cell, scratch)?;
            Ok(std::str::from_utf8(scratch).unwrap_or_default())
        }
    }
}

/// The text of a cell in a column of another type: error values are none.
fn spelled<'a>(
    cx: &'a Context,
    block: &'a Block,
    cell: &Cell,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a str, Flaw> {
    match cell.value {
        Value::Error => Err(Flaw::ErrorValue),
        _ => text_of(cx, block, cell, scratch),
    }
}

/// The text of any cell, for people: whatever it is.
pub(crate) fn display(cx: &Context, block: &Block, cell: &Cell) -> String {
    let mut scratch = Vec::new();
    let text = text_of(cx, block, cell, &mut scratch).map(str::to_owned);
    text.unwrap_or_else(|flaw| match flaw {
        Flaw::DigitsLost => number_of(block, cell).map(|n| n.to_string()).unwrap_or_default(),
        _ => String::new(),
    })
}

/// The number of a cell.
#[inline]
pub(crate) fn number_of(block: &Block, cell: &Cell) -> Option<f64> {
    match cell.value {
        Value::Float => Some(cell.as_float()),
        Value::Number => parse::float(block.number(cell)).ok(),
        _ => None,
    }
}

/// Whether the double of a whole number may have lost digits: citizen and account numbers have 16 to 19.
pub(crate) fn digits_lost(number: f64) -> bool {
    (1e15..1e19).contains(&number.abs()) && number.fract() == 0.0
}

fn write_number(cx: &Context, block: &Block, cell: &Cell, out: &mut Vec<u8>) -> Result<(), Flaw> {
    let shown = cx.styles.shown(cell.style);
    let number = number_of(block, cell).ok_or(Flaw::Value(FaultKind::NotANumber))?;
    match shown {
        Shown::General | Shown::Text | Shown::Decimals(_) => {
            if digits_lost(number) {
                return Err(Flaw::DigitsLost);
            }
            match whole(number) {
                Some(number) => format::int(number, out),
                None => format::float(number, out)?,
            }
        }
        Shown::Elapsed => {
            let seconds = whole((number * 86_400.0).round()).ok_or(FaultKind::OutOfRange)?;
            if seconds < 0 {
                out.push(b'-');
            }
            let s = seconds.abs();
            out.extend_from_slice(
                format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60).as_bytes(),
            );
        }
        Shown::Time if (0.0..1.0).contains(&number) => write_time(time(number).unwrap_or(0), out),
        Shown::Date | Shown::DateTime | Shown::Time => match cx.epoch.moment(number) {
            Some((days, ms)) => {
                write_date(days, out);
                if ms > 0 || shown != Shown::Date {
                    out.push(b'T');
                    write_time(ms, out);
                }
            }
            None if (0.0..1.0).contains(&number) => write_time(time(number).unwrap_or(0), out),
            // No day: the number itself says more than nothing.
            None => format::float(number, out)?,
        },
    }
    Ok(())
}

/// A value that stands as text, read by the rules of the column's spelling.
fn through<T>(
    odd: &mut ColumnBuilder,
    text: &str,
    take: impl Fn(&ArrayRef) -> Option<T>,
) -> Result<Option<T>, Flaw> {
    odd.append_value(text.as_bytes())?;
    let array = odd.finish().map_err(|_| Flaw::Value(FaultKind::OutOfRange))?;
    Ok(if array.is_null(0) { None } else { take(&array) })
}

#[cold]
fn by_text<T>(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
    take: impl Fn(&ArrayRef) -> Option<T>,
) -> Result<Option<T>, Flaw> {
    let mut scratch = Vec::new();
    let text = spelled(cx, block, cell, &mut scratch)?;
    if text.is_empty() {
        return Ok(None);
    }
    through(odd, text, take)
}

#[inline]
fn int(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<i64>, Flaw> {
    if cell.value == Value::Number {
        let text = block.number(cell);
        if text.len() <= 15
            && let Ok(value) = parse::int(text)
        {
            return Ok(Some(value));
        }
    }
    match number_of(block, cell) {
        Some(number) if digits_lost(number) => Err(Flaw::DigitsLost),
        Some(number) => match whole(number) {
            Some(value) => Ok(Some(value)),
            None if number.fract() != 0.0 => Err(FaultKind::TooManyFractionDigits.into()),
            None => Err(FaultKind::OutOfRange.into()),
        },
        None => by_text(cx, block, cell, odd, |a| Some(a.as_primitive::<Int64Type>().value(0))),
    }
}

#[inline]
fn float(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<f64>, Flaw> {
    match number_of(block, cell) {
        Some(number) => Ok(Some(number)),
        None => by_text(cx, block, cell, odd, |a| Some(a.as_primitive::<Float64Type>().value(0))),
    }
}

#[inline]
fn decimal(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
    precision: u8,
    scale: u8,
) -> Result<Option<i128>, Flaw> {
    if cell.value == Value::Number {
        let text = block.number(cell);
        if text.len() <= 15
            && let Ok(value) = parse::decimal(text, precision, scale)
        {
            return Ok(Some(value));
        }
    }
    let Some(number) = number_of(block, cell) else {
        return by_text(cx, block, cell, odd, |a| {
            Some(a.as_primitive::<Decimal128Type>().value(0))
        });
    };
    if digits_lost(number) {
        return Err(Flaw::DigitsLost);
    }
    // The shortest text of the double is what was typed in: 0.1, where the file may say 0.10000000000000001.
    let mut text = Vec::new();
    format::float(number, &mut text)?;
    Ok(Some(parse::decimal(&text, precision, scale)?))
}

#[inline]
fn boolean(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<bool>, Flaw> {
    match cell.value {
        Value::Boolean => Ok(Some(cell.a == 1)),
        _ => by_text(cx, block, cell, odd, |a| Some(a.as_boolean().value(0))),
    }
}

/// Day and milliseconds of a cell whose number format says that it is a date.
#[inline]
fn moment(cx: &Context, block: &Block, cell: &Cell) -> Option<Result<(i32, i64), Flaw>> {
    if !matches!(cell.value, Value::Number | Value::Float)
        || !matches!(cx.styles.shown(cell.style), Shown::Date | Shown::DateTime | Shown::Time)
    {
        return None;
    }
    let moment = number_of(block, cell).and_then(|number| cx.epoch.moment(number));
    Some(moment.ok_or(Flaw::Value(FaultKind::NoSuchDate)))
}

#[inline]
fn date(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
) -> Result<Option<i32>, Flaw> {
    match moment(cx, block, cell) {
        Some(Ok((days, 0))) => Ok(Some(days)),
        Some(Ok(_)) => Err(FaultKind::NotADate.into()),
        Some(Err(flaw)) => Err(flaw),
        None => by_text(cx, block, cell, odd, |a| Some(a.as_primitive::<Date32Type>().value(0))),
    }
}

#[inline]
fn timestamp(
    cx: &Context,
    block: &Block,
    cell: &Cell,
    odd: &mut ColumnBuilder,
    unit: TimeUnit,
) -> Result<Option<i64>, Flaw> {
    let Some(moment) = moment(cx, block, cell) else {
        return by_text(cx, block, cell, odd, |a| arrow_value_i64(a.as_ref()));
    };
    let (days, ms) = moment?;
    let ms = i64::from(days) * DAY + ms;
    match unit {
        TimeUnit::Second if ms % 1000 == 0 => Ok(Some(ms / 1000)),
        TimeUnit::Second => Err(FaultKind::OutOfRange.into()),
        TimeUnit::Millisecond => Ok(Some(ms)),
        TimeUnit::Microsecond => Ok(Some(ms * 1000)),
        TimeUnit::Nanosecond => Ok(Some(ms.checked_mul(1_000_000).ok_or(FaultKind::OutOfRange)?)),
    }
}

fn arrow_value_i64(array: &dyn Array) -> Option<i64> {
    array.to_data().buffers().first()?.typed_data::<i64>().first().copied()
}
