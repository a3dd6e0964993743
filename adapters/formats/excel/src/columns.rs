//! Rows of cells to Arrow columns: the type switch is outside of the loop over the rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, TimeUnit};
use fenhe_core::{Error, Fault, Kind, Result, SchemaRef};
use fenhe_kernels::{BooleanColumn, Pools, PrimitiveColumn, StringColumn};
use fenhe_text::Encoding;
use fenhe_values::{ColumnBuilder, FaultKind, FaultMask, FieldSpec, type_name};

use crate::cells::{Block, Cell, Row, letters};
use crate::values::{
    Context, Flaw, boolean, date, decimal, float, int, spelled, text_of, through, timestamp,
};

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
            Flaw::NoString => (
                "excel.no_string",
                "a text".into(),
                "a string that is missing or is no Unicode".into(),
            ),
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
