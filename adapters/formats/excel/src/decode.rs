//! The decoder: a whole workbook in, the batches of one sheet out.

use std::collections::VecDeque;
use std::sync::Arc;

use fenhe_core::{
    Batch, DecodeOptions, Decoder, Error, Fault, Input, Kind, Limits, Output, Position, Raw,
    ReadAt, Reject, Result, SchemaRef, Span,
};

use crate::cells::{Area, Block, Cell, Row, Rows, Value};
use crate::columns::Columns;
use crate::error::{NAME, limit, not_a_workbook};
use crate::options::{ExcelOptions, Hidden, Invalid, Merged};
use crate::settle::{SAMPLE, Settled, needs_around, place, settle};
use crate::values::{Context, display};
use crate::workbook::{Sheet, Workbook};

/// Decodes one sheet of a workbook.
pub(crate) struct ExcelDecoder {
    options: Arc<ExcelOptions>,
    open: DecodeOptions,
    state: State,
}

enum State {
    Waiting,
    Open { run: Box<Run>, ended: bool },
    Poisoned,
}

impl ExcelDecoder {
    pub(crate) fn new(options: Arc<ExcelOptions>, open: DecodeOptions) -> Result<Self> {
        if let Some(position) = &open.from {
            position.read::<u64>(NAME, 1)?;
        }
        Ok(Self { options, open, state: State::Waiting })
    }

    fn start(&mut self, object: Arc<dyn ReadAt>) -> Result<()> {
        let workbook = Workbook::open(object, &self.open.limits)?;
        let run = Run::open(&workbook, &self.options, &self.open)?;
        self.state = State::Open { run: Box::new(run), ended: false };
        Ok(())
    }
}

impl Decoder for ExcelDecoder {
    fn schema(&self) -> Option<SchemaRef> {
        match &self.state {
            State::Open { run, .. } => Some(Arc::clone(&run.settled.schema)),
            _ => None,
        }
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        let fed = match (&mut self.state, input) {
            (State::Poisoned, _) => return Err(Error::poisoned(NAME)),
            (State::Waiting, Input::Object(object)) => self.start(object),
            (State::Open { ended, .. }, Input::EndOfStream) => {
                *ended = true;
                Ok(())
            }
            (_, Input::EndOfMessage) => Ok(()),
            (State::Waiting, Input::EndOfStream) => Err(not_a_workbook()),
            (_, Input::Bytes(_) | Input::Object(_)) => {
                Err(Error::new(Kind::Internal, "core.turn", "excel takes one whole object"))
            }
        };
        fed.inspect_err(|_| self.state = State::Poisoned)
    }

    fn next(&mut self) -> Result<Output> {
        let next = match &mut self.state {
            State::Poisoned => return Err(Error::poisoned(NAME)),
            State::Waiting => return Ok(Output::NeedInput),
            State::Open { run, ended } => match run.batch() {
                Ok(Some(batch)) => Ok(Output::Batch(batch)),
                Ok(None) if *ended => Ok(Output::Done),
                Ok(None) => Ok(Output::NeedInput),
                Err(error) => Err(error),
            },
        };
        next.inspect_err(|_| self.state = State::Poisoned)
    }

    fn notes(&self) -> Vec<String> {
        match &self.state {
            State::Open { run, .. } => run.notes.clone(),
            _ => Vec::new(),
        }
    }
}

/// A sheet on its way.
pub(crate) struct Run {
    rows: Box<dyn Rows>,
    pub(crate) settled: Settled,
    cx: Context,
    columns: Columns,
    open: DecodeOptions,
    options: Arc<ExcelOptions>,
    sheet: Sheet,
    bounded: bool,
    fill: Option<Fill>,
    /// Blocks read ahead for the sample, then one at a time.
    queue: VecDeque<Block>,
    /// The next row of the first block.
    at: usize,
    drained: bool,
    /// Records seen so far, and up to which they were handed out by an earlier run.
    seen: u64,
    skip: u64,
    /// A fatal error that waits until the rows before it are out.
    fatal: Option<Error>,
    notes: Vec<String>,
}

/// What a row is.
enum Class {
    Before,
    After,
    Blank,
    Hidden,
    Outside(Cell),
    Record,
}

impl Run {
    pub(crate) fn open(
        workbook: &Workbook,
        options: &Arc<ExcelOptions>,
        open: &DecodeOptions,
    ) -> Result<Self> {
        let place = place(workbook, options, open.dataset.as_deref())?;
        let around = match needs_around(options, &place) {
            true => workbook.around(&place.sheet)?,
            false => Default::default(),
        };
        let cx = Context {
            strings: Arc::clone(&workbook.strings),
            styles: Arc::clone(&workbook.styles),
            epoch: workbook.epoch,
            lenient: options.invalid == Invalid::Null,
        };
        let mut fill = (options.merged == Merged::Fill && !around.merged.is_empty())
            .then(|| Fill::new(&around.merged));
        let mut rows = workbook.rows(&place.sheet)?;
        let (mut queue, mut count, mut bytes) = (VecDeque::new(), 0, 0);
        let (mut drained, mut fatal) = (false, None);
        while count < SAMPLE && bytes < 4 << 20 {
            let mut block = Block::default();
            match rows.fill(&mut block).and_then(|more| {
                if more && let Some(fill) = &mut fill {
                    fill.apply(&mut block)?;
                }
                Ok(more)
            }) {
                Ok(true) => {
                    count += block.rows.len();
                    bytes += block.xml.len() + block.text.len() + 16 * block.cells.len();
                    queue.push_back(block);
                }
                Ok(false) => {
                    drained = true;
                    break;
                }
                Err(error) => {
                    (fatal, drained) = (Some(error), true);
                    if !block.rows.is_empty() {
                        queue.push_back(block);
                    }
                    break;
                }
            }
        }
        if queue.is_empty()
            && let Some(error) = fatal.take()
        {
            return Err(error);
        }
        let blocks: Vec<&Block> = queue.iter().collect();
        let settled = settle(options, open, &place, &around, &cx, &blocks)?;
        let first = settled.area.first_column;
        let columns = Columns::new(&settled.specs, &settled.places, first)?;
        let skip = match &open.from {
            Some(position) => position.read::<u64>(NAME, 1)?,
            None => 0,
        };
        Ok(Self {
            rows,
            columns,
            cx,
            notes: workbook.notes.iter().chain(&settled.reasons).cloned().collect(),
            settled,
            open: open.clone(),
            options: Arc::clone(options),
            bounded: place.bounded,
            sheet: place.sheet,
            fill,
            queue,
            at: 0,
            drained,
            seen: 0,
            skip,
            fatal,
        })
    }

    /// The next batch, `None` behind the last one.
    fn batch(&mut self) -> Result<Option<Batch>> {
        let Limits { batch_rows, batch_bytes, .. } = self.open.limits;
        let mut pending = Pending::default();
        while pending.read < batch_rows.max(1) && pending.bytes < batch_bytes.max(1) {
            if !self.block()? {
                break;
            }
            self.take(&mut pending, batch_rows.max(1));
        }
        if pending.read == 0 {
            return match self.fatal.take() {
                Some(error) => Err(error),
                None => Ok(None),
            };
        }
        let records = self.columns.finish(&self.settled.schema)?;
        let span = Span {
            first: self.seen + 1 - pending.read,
            read: pending.read,
            skipped: pending.skipped,
            offset: pending.offset.unwrap_or(0),
            length: pending.bytes,
        };
        let position = Position::new(NAME, 1, &self.seen)?;
        Batch::with_ordinals(records, pending.rejects, span, position, pending.ordinals).map(Some)
    }

    /// Makes sure that the first block of the queue has rows left.
    fn block(&mut self) -> Result<bool> {
        loop {
            if self.queue.front().is_some_and(|block| self.at < block.rows.len()) {
                return Ok(true);
            }
            let mut block = self.queue.pop_front().unwrap_or_default();
            self.at = 0;
            if !self.queue.is_empty() {
                continue;
            }
            if self.drained {
                return Ok(false);
            }
            let filled = self.rows.fill(&mut block).and_then(|more| {
                if more && let Some(fill) = &mut self.fill {
                    fill.apply(&mut block)?;
                }
                Ok(more)
            });
            match filled {
                Ok(true) => self.queue.push_back(block),
                Ok(false) => self.drained = true,
                Err(error) => {
                    (self.drained, self.fatal) = (true, Some(error));
                    // The rows before the fault go out first.
                    if !block.rows.is_empty() {
                        self.queue.push_back(block);
                    }
                }
            }
        }
    }

    /// Takes rows of the first block until it or the batch is at its end.
    fn take(&mut self, pending: &mut Pending, most: u64) {
        let Some(block) = self.queue.pop_front() else { return };
        let mut good: Vec<Row> = Vec::new();
        let mut numbers: Vec<u64> = Vec::new();
        let mut outside: Vec<(u64, Row, Cell)> = Vec::new();
        while let Some(row) = block.rows.get(self.at) {
            if pending.read >= most || pending.bytes >= self.open.limits.batch_bytes.max(1) {
                break;
            }
            self.at += 1;
            let class = self.class(&block, row);
            match class {
                Class::Before | Class::Blank => continue,
                Class::After => {
                    self.drained = true;
                    self.queue.clear();
                    self.at = block.rows.len();
                    break;
                }
                _ => {}
            }
            self.seen += 1;
            if self.seen <= self.skip {
                continue;
            }
            pending.read += 1;
            pending.bytes += row.length.max(u64::from(row.cells) * 16);
            pending.offset.get_or_insert(row.offset);
            match class {
                Class::Hidden => pending.skipped += 1,
                Class::Outside(cell) => outside.push((self.seen, *row, cell)),
                _ => {
                    good.push(*row);
                    numbers.push(self.seen);
                }
            }
        }
        let bad = self.columns.append(&self.cx, &block, &good);
        let mut rejects = Vec::new();
        let mut next_bad = bad.iter().peekable();
        for (at, (row, number)) in good.iter().zip(&numbers).enumerate() {
            if next_bad.next_if_eq(&&at).is_none() {
                pending.ordinals.push(*number);
                continue;
            }
            let faults = self.columns.faults_of(&self.cx, &block, row, &self.sheet.name);
            rejects.push(self.reject(&block, row, *number, faults));
        }
        for (number, row, cell) in outside {
            let address =
                format!("{}!{}{}", self.sheet.name, crate::cells::letters(cell.column), row.number);
            let fault = Fault::new(
                "excel.outside",
                "",
                "cells of the table's columns only",
                format!("a value in cell {address}"),
            );
            rejects.push(self.reject(&block, &row, number, vec![fault]));
        }
        rejects.sort_by_key(|reject| reject.record);
        pending.rejects.extend(rejects);
        self.queue.push_front(block);
    }

    fn class(&self, block: &Block, row: &Row) -> Class {
        let area = &self.settled.area;
        if row.number <= self.settled.header_end || row.number < area.first_row {
            return Class::Before;
        }
        if row.number > area.last_row {
            return Class::After;
        }
        let cells = block.cells_of(row);
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else { return Class::Blank };
        if area.has_column(first.column) && area.has_column(last.column) {
            // The usual row: nothing to look for.
        } else if !self.bounded {
            let cell = if area.has_column(first.column) { last } else { first };
            return Class::Outside(*cell);
        } else if !cells.iter().any(|cell| area.has_column(cell.column)) {
            return Class::Blank;
        }
        if row.hidden && self.options.hidden == Hidden::Skip {
            return Class::Hidden;
        }
        Class::Record
    }

    #[cold]
    fn reject(&self, block: &Block, row: &Row, number: u64, mut faults: Vec<Fault>) -> Reject {
        let also = faults.split_off(1.min(faults.len()));
        let fault = faults.pop().unwrap_or_else(|| {
            Fault::new("excel.row", "", "values of the columns' types", "something else")
        });
        let mut json = serde_json::Map::new();
        for (name, place) in &self.settled.all {
            let cell = block.cell(row, *place, usize::MAX);
            let value = cell.map(|cell| display(&self.cx, block, cell).into());
            json.insert(name.clone(), value.unwrap_or(serde_json::Value::Null));
        }
        let area = &self.settled.area;
        for cell in block.cells_of(row).iter().filter(|cell| !area.has_column(cell.column)) {
            json.insert(crate::cells::letters(cell.column), display(&self.cx, block, cell).into());
        }
        let raw = serde_json::Value::Object(json).to_string();
        let mut reject = Reject::new(fault)
            .at(number, row.offset, row.length)
            .on_line(u64::from(row.number))
            .raw_bytes(raw.as_bytes(), self.open.limits.reject_raw)
            .from_source(&self.open.source)
            .by(NAME)
            .and(also);
        reject.raw_is = Raw::Row;
        reject.dataset.clone_from(&self.sheet.name);
        reject
    }
}

#[derive(Default)]
struct Pending {
    read: u64,
    skipped: u64,
    bytes: u64,
    offset: Option<u64>,
    rejects: Vec<Reject>,
    ordinals: Vec<u64>,
}

/// Cells a block may have after merged areas were filled.
const FILLED: usize = 1 << 20;

/// The values of merged areas, carried from their first cell to the others.
struct Fill {
    /// By first row; those that are over are dropped.
    areas: VecDeque<Area>,
    open: Vec<(Area, Option<(Cell, String)>)>,
}

impl Fill {
    fn new(areas: &[Area]) -> Self {
        let mut areas = areas.to_vec();
        areas.sort_by_key(|area| (area.first_row, area.first_column));
        Self { areas: areas.into(), open: Vec::new() }
    }

    fn apply(&mut self, block: &mut Block) -> Result<()> {
        let cells = std::mem::take(&mut block.cells);
        let mut rows = std::mem::take(&mut block.rows);
        for row in &mut rows {
            let own = cells.get(row.first as usize..(row.first + row.cells) as usize);
            let own = own.unwrap_or_default();
            self.open.retain(|(area, _)| area.last_row >= row.number);
            while let Some(area) = self.areas.pop_front_if(|a| a.first_row <= row.number) {
                if area.last_row >= row.number {
                    self.open.push((area, None));
                }
            }
            let mut merged: Vec<Cell> = own.to_vec();
            for (area, value) in &mut self.open {
                if area.first_row == row.number && value.is_none() {
                    let first = own.iter().find(|cell| cell.column == area.first_column);
                    *value = first.map(|cell| held(block, cell));
                }
                let Some((cell, text)) = value else { continue };
                for column in area.first_column..=area.last_column {
                    if own.iter().any(|cell| cell.column == column) {
                        continue;
                    }
                    let mut copy = Cell { column, ..*cell };
                    if matches!(cell.value, Value::Inline | Value::Error | Value::Iso) {
                        copy.a = crate::cells::offset(block.text.len());
                        block.text.push_str(text);
                        copy.b = crate::cells::offset(block.text.len());
                    }
                    merged.push(copy);
                }
                if block.cells.len() + merged.len() > FILLED || block.text.len() > 64 << 20 {
                    let wanted = (block.cells.len() + merged.len()) as u64;
                    return Err(limit("merged cells", FILLED as u64, wanted, "merged areas"));
                }
            }
            merged.sort_by_key(|cell| cell.column);
            merged.dedup_by_key(|cell| cell.column);
            row.first = crate::cells::offset(block.cells.len());
            row.cells = crate::cells::offset(merged.len());
            block.cells.append(&mut merged);
        }
        block.rows = rows;
        Ok(())
    }
}

/// A cell that outlives its block.
fn held(block: &Block, cell: &Cell) -> (Cell, String) {
    match cell.value {
        Value::Number => {
            let number = crate::values::number_of(block, cell).unwrap_or(f64::NAN);
            (Cell::float(cell.column, cell.style, number), String::new())
        }
        Value::Inline | Value::Error | Value::Iso => (*cell, block.inline(cell).to_owned()),
        _ => (*cell, String::new()),
    }
}
