//! One loop a type over the rows of a block. The fast reader of a loop may fail for any reason; the slow one decides.

use fenhe_kernels::column::ColumnElement;
use fenhe_kernels::{AppendError, PrimitiveColumn};

use super::memo::{Memo, in_unit};
use super::places::{Fixed, Listed, Places};
use super::sink::Sink;
use super::{Store, TextColumn};
use crate::fault::{FaultKind, FaultMask};
use crate::parse::{self, FixedPoint, Scaled};
use crate::reader::{self, FieldReader, Shape, blanks};
use crate::spans::{Source, Spans};

/// What all loops need.
struct Block<'a, P> {
    reader: &'a FieldReader,
    source: Source<'a>,
    places: P,
    rows: usize,
    nullable: bool,
}

/// Appends a block.
pub(super) fn block(
    reader: &FieldReader,
    store: &mut Store,
    source: Source<'_>,
    spans: Spans<'_>,
    faults: &mut FaultMask,
) {
    let nullable = reader.spec().nullable;
    match spans {
        Spans::Listed { starts, ends, skip, first, stride, rows } => {
            let starts = starts.get(first..).unwrap_or_default();
            let ends = ends.get(first..).unwrap_or_default();
            let places = Listed { starts, ends, skip, stride };
            fill(&Block { reader, source, places, rows, nullable }, store, faults);
        }
        Spans::Fixed { first, record, length, rows } => {
            let places = Fixed { first, record, length };
            fill(&Block { reader, source, places, rows, nullable }, store, faults);
        }
    }
}

/// The type switch: once a block.
fn fill<P: Places>(block: &Block<'_, P>, store: &mut Store, faults: &mut FaultMask) {
    let reader = block.reader;
    match (reader.shape(), store) {
        (Shape::Text, Store::Text(column)) => block.texts(column, faults),
        (Shape::Boolean(words), Store::Boolean(column)) => {
            block.rows(column, faults, |b| words.read(b).ok(), |b| words.read(b));
        }
        (Shape::Float, Store::F64(column)) => {
            block.rows(column, faults, |b| reader.float(b).ok(), |b| reader.float(b))
        }
        (Shape::Float, Store::F32(column)) => {
            block.rows(column, faults, |b| reader.float32(b).ok(), |b| reader.float32(b))
        }
        (Shape::Decimal { precision, scale }, Store::I128(column)) => {
            block.decimals(column, *precision, *scale, faults)
        }
        (Shape::Decimal256 { precision, scale }, Store::I256(column)) => {
            block.rows(column, faults, |_| None, |b| reader.decimal256(b, *precision, *scale));
        }
        (Shape::Date(dates), Store::I32(column)) => {
            let mut memo = Memo::new(dates);
            block.rows(column, faults, |b| memo.date(b), |b| dates.date(b));
        }
        (Shape::Time { dates, unit }, Store::I32(column)) => {
            let read =
                |b: &[u8]| i32::try_from(dates.time(b, *unit)?).map_err(|_| FaultKind::OutOfRange);
            block.rows(column, faults, |_| None, read);
        }
        (Shape::Time { dates, unit }, Store::I64(column)) => {
            block.rows(column, faults, |_| None, |b| dates.time(b, *unit))
        }
        (Shape::Timestamp { dates, unit, zone }, Store::I64(column)) => {
            let mut memo = Memo::new(dates);
            let east = i64::from(zone.unwrap_or(0)) * 60;
            let unit = *unit;
            let fast = |b: &[u8]| memo.seconds(b).and_then(|s| in_unit(s - east, unit));
            block.rows(column, faults, fast, |b| dates.timestamp(b, unit, *zone));
        }
        (Shape::Binary(spelling), Store::Binary(column)) => {
            let read = |b: &[u8]| {
                let mut out = Vec::with_capacity(b.len() / 2);
                reader::binary(*spelling, b, &mut out).map(|()| out)
            };
            block.rows(column, faults, |_| None, read);
        }
        (Shape::Int { min, max }, store) => block.ints(store, *min, *max, faults),
        (Shape::UInt { max }, store) => block.uints(store, *max, faults),
        // `ColumnBuilder::new` makes the store from the type the shape was made from.
        _ => (0..block.rows).for_each(|row| faults.set(row)),
    }
}

impl<P: Places> Block<'_, P> {
    /// The loop of all types that are not text.
    #[inline(always)]
    fn rows<T, S: Sink<T>>(
        &self,
        column: &mut S,
        faults: &mut FaultMask,
        mut fast: impl FnMut(&[u8]) -> Option<T>,
        slow: impl Fn(&[u8]) -> Result<T, FaultKind>,
    ) {
        self.rows_at(column, faults, |_, field| fast(field), slow);
    }

    /// The same, with a fast reader that is given the source up to the field's end too.
    #[inline(always)]
    fn rows_at<T, S: Sink<T>>(
        &self,
        column: &mut S,
        faults: &mut FaultMask,
        mut fast: impl FnMut(&[u8], &[u8]) -> Option<T>,
        slow: impl Fn(&[u8]) -> Result<T, FaultKind>,
    ) {
        let bytes = self.source.bytes();
        let nulls_first = self.reader.nulls_first();
        for row in 0..self.rows {
            let (start, end) = self.places.place(row);
            let Some((head, whole)) =
                bytes.get(..end).and_then(|head| Some((head, head.get(start..)?)))
            else {
                self.missing(row, column, faults);
                continue;
            };
            let field = blanks(whole);
            let blank_end = whole.len() - offset_of(whole, field) - field.len();
            let head = head.get(..head.len() - blank_end).unwrap_or_default();
            if !nulls_first
                && !field.is_empty()
                && let Some(value) = fast(head, field)
                && column.value(value).is_ok()
            {
                continue;
            }
            self.slow_row(row, field, column, faults, &slow);
        }
    }

    fn slow_row<T, S: Sink<T>>(
        &self,
        row: usize,
        field: &[u8],
        column: &mut S,
        faults: &mut FaultMask,
        slow: impl Fn(&[u8]) -> Result<T, FaultKind>,
    ) {
        if self.reader.is_null(field) {
            if !self.nullable {
                faults.set(row);
            }
            return column.null();
        }
        if slow(field).and_then(|value| column.value(value)).is_err() {
            match self.nullable && self.reader.invalid_is_null() {
                true => faults.forgive(),
                false => faults.set(row),
            }
            column.null();
        }
    }

    #[cold]
    fn missing<T, S: Sink<T>>(&self, row: usize, column: &mut S, faults: &mut FaultMask) {
        if !self.nullable {
            faults.set(row);
        }
        column.null();
    }

    fn ints(&self, store: &mut Store, min: i64, max: i64, faults: &mut FaultMask) {
        match store {
            Store::I8(column) => self.signed(column, min, max, faults),
            Store::I16(column) => self.signed(column, min, max, faults),
            Store::I32(column) => self.signed(column, min, max, faults),
            Store::I64(column) => self.signed(column, min, max, faults),
            _ => {}
        }
    }

    fn uints(&self, store: &mut Store, max: u64, faults: &mut FaultMask) {
        match store {
            Store::U8(column) => self.unsigned(column, max, faults),
            Store::U16(column) => self.unsigned(column, max, faults),
            Store::U32(column) => self.unsigned(column, max, faults),
            Store::U64(column) => self.unsigned(column, max, faults),
            _ => {}
        }
    }

    fn signed<T: ColumnElement + TryFrom<i64>>(
        &self,
        column: &mut PrimitiveColumn<T>,
        min: i64,
        max: i64,
        faults: &mut FaultMask,
    ) {
        let plain = self.reader.plain_numbers();
        let narrow = |value: i64| T::try_from(value).map_err(|_| FaultKind::OutOfRange);
        let fast = |head: &[u8], b: &[u8]| {
            if !plain {
                return None;
            }
            let value = match parse::int_at_end(head, b.len()) {
                Some(value) => value,
                None => parse::int(b).ok()?,
            };
            T::try_from(value).ok()
        };
        self.rows_at(column, faults, fast, |b| self.reader.int(b, min, max).and_then(narrow));
    }

    fn unsigned<T: ColumnElement + TryFrom<u64>>(
        &self,
        column: &mut PrimitiveColumn<T>,
        max: u64,
        faults: &mut FaultMask,
    ) {
        let plain = self.reader.plain_numbers();
        let narrow = |value: u64| T::try_from(value).map_err(|_| FaultKind::OutOfRange);
        let fast = |b: &[u8]| {
            if plain { parse::uint(b).ok().and_then(|v| T::try_from(v).ok()) } else { None }
        };
        self.rows(column, faults, fast, |b| self.reader.uint(b, max).and_then(narrow));
    }

    fn decimals(
        &self,
        column: &mut PrimitiveColumn<i128>,
        precision: u8,
        scale: u8,
        faults: &mut FaultMask,
    ) {
        let slow = |b: &[u8]| self.reader.decimal(b, precision, scale);
        if self.reader.plain_numbers() {
            let usual = FixedPoint::new(precision, scale);
            let fast = |head: &[u8], b: &[u8]| {
                usual
                    .and_then(|usual| usual.read(head, b.len()))
                    .or_else(|| parse::decimal(b, precision, scale).ok())
            };
            self.rows_at(column, faults, fast, slow);
        } else if let Some(digits) = self.reader.only_implied() {
            let fraction = usize::from(digits);
            let fast = |b: &[u8]| {
                let read = parse::scaled(b).ok()?;
                // A written mark contradicts an implied one.
                let whole = read.fraction == 0 && !b.contains(&b'.');
                if whole {
                    parse::rescale(Scaled { fraction, ..read }, precision, scale).ok()
                } else {
                    None
                }
            };
            self.rows(column, faults, fast, slow);
        } else {
            self.rows(column, faults, |_| None, slow);
        }
    }

    fn texts(&self, column: &mut TextColumn, faults: &mut FaultMask) {
        let policy = self.reader.spec().spelling.invalid;
        let bytes = self.source.bytes();
        let window = match self.source {
            Source::Utf8(window) if column.takes_windows() => Some(window),
            _ => None,
        };
        let trims = self.reader.spec().spelling.trim != crate::spec::Trim::NONE;
        let empty_is_null = self.reader.empty_is_null();
        let words = self.reader.has_null_words();
        let empty_adds_null = empty_is_null && self.nullable;
        for row in 0..self.rows {
            let (mut start, end) = self.places.place(row);
            let Some(whole) = bytes.get(start..end) else {
                if end != Spans::EMPTY as usize || column.append(b"").is_err() {
                    self.missing(row, column, faults);
                }
                continue;
            };
            let mut field = whole;
            if trims {
                field = self.reader.trim(whole);
                // Blanks at the start move the start; those at the end only shorten.
                start += offset_of(whole, field);
            }
            if field.is_empty() && empty_adds_null {
                column.append_null();
                continue;
            }
            if (field.is_empty() && empty_is_null) || (words && self.reader.is_null(field)) {
                self.missing(row, column, faults);
                continue;
            }
            let appended = match window {
                Some(window) => column.append_window(window, start, start + field.len()),
                None => column.append(field),
            };
            match appended {
                Ok(()) => {}
                Err(AppendError::Invalid { .. }) => match column.append_thorough(field, policy) {
                    Ok(found) if found.null => {
                        faults.forgive();
                        self.missing(row, column, faults);
                    }
                    Ok(found) if found.replaced > 0 => faults.forgive(),
                    Ok(_) => {}
                    Err(_) => self.bad(row, column, faults),
                },
                Err(AppendError::Full) => self.bad(row, column, faults),
            }
        }
    }

    #[cold]
    fn bad(&self, row: usize, column: &mut TextColumn, faults: &mut FaultMask) {
        faults.set(row);
        column.append_null();
    }
}

/// How far into `whole` its part `part` begins.
fn offset_of(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}
