//! The rows of a binary sheet (2.1.7.62), as a stream.

use fenhe_core::{Limits, Result};

use super::records::{Record, Records, wide};
use super::{area, brt};
use crate::cells::{Block, Cell, MAX_COLUMNS, MAX_ROWS, MERGED, Row, Rows, Value, offset};
use crate::container::{Part, u32_at, u64_at};
use crate::error::{damaged, limit};
use crate::workbook::Around;
use crate::xls::{error_text, rk};

/// Rows of a block, and the cells and bytes of text after which it is handed out.
const ROWS: usize = 1_024;
const CELLS: usize = 1 << 16;
const TEXT: usize = 192 << 10;

/// A sheet being read.
pub(crate) struct XlsbSheet {
    records: Records,
    limits: Limits,
    /// A row whose head was read when the block was full.
    waiting: Option<Row>,
    previous: u32,
    /// The column behind the last cell of the row.
    next: u32,
    ended: bool,
    drained: bool,
}

impl XlsbSheet {
    /// Reads what stands before the rows.
    pub(crate) fn open(stream: Part, limits: &Limits) -> Result<Self> {
        let mut sheet = Self {
            records: Records::new(stream, limits),
            limits: limits.clone(),
            waiting: None,
            previous: 0,
            next: 0,
            ended: false,
            drained: false,
        };
        while let Some(record) = sheet.records.next()? {
            if record.number == brt::BEGIN_ROWS {
                return Ok(sheet);
            }
        }
        Err(damaged(sheet.records.part(), "it holds no rows", sheet.records.offset()))
    }

    /// Reads the whole part for merged areas and hidden columns.
    pub(crate) fn around(stream: Part, limits: &Limits) -> Result<Around> {
        let mut records = Records::new(stream, limits);
        let part = records.part().to_owned();
        let mut found = Around::default();
        while let Some(record) = records.next()? {
            match record.number {
                brt::COLUMN if record.body.get(16).is_some_and(|flags| flags & 1 != 0) => {
                    let column = |at| u16::try_from(u32_at(record.body, at)).unwrap_or(u16::MAX);
                    found.hidden_columns.push((column(0), column(4)));
                }
                brt::MERGED => {
                    let area = area(record.body).ok_or_else(|| {
                        damaged(&part, "a merged area is no range", record.offset)
                    })?;
                    found.merged.push(area);
                }
                _ => continue,
            }
            let wanted = found.merged.len().max(found.hidden_columns.len()) as u64;
            if wanted > MERGED {
                return Err(limit("merged areas", MERGED, wanted, &part));
            }
        }
        Ok(found)
    }

    fn read(&mut self, block: &mut Block) -> Result<()> {
        block.rows.extend(self.waiting.take());
        loop {
            let Some(record) = self.records.next()? else {
                let (part, at) = (self.records.part(), self.records.offset());
                return Err(damaged(part, "it ends inside the rows", at));
            };
            match record.number {
                brt::ROW => {
                    let Some(row) = row(&record, self.previous) else {
                        return Err(self.broken("rows are out of order or outside the grid"));
                    };
                    (self.previous, self.next) = (row.number, 0);
                    let full = block.rows.len() >= ROWS
                        || block.cells.len() >= CELLS
                        || block.text.len() >= TEXT;
                    if full {
                        self.waiting = Some(row);
                        return Ok(());
                    }
                    block.rows.push(Row { first: offset(block.cells.len()), ..row });
                }
                brt::END_ROWS => {
                    self.ended = true;
                    return Ok(());
                }
                brt::BLANK..=brt::SHORT_SHARED | brt::RICH_TEXT => {
                    let Some(row) = block.rows.last().copied() else {
                        return Err(self.broken("a cell stands outside of the rows"));
                    };
                    let length = record.offset + record.length - row.offset;
                    if length > self.limits.record {
                        let error =
                            limit("record", self.limits.record, length, self.records.part());
                        return Err(error.at_offset(row.offset));
                    }
                    let before = block.cells.len();
                    match cell(&record, self.next, block) {
                        Ok(column) => self.next = column + 1,
                        Err(why) => return Err(self.broken(why)),
                    }
                    if let Some(row) = block.rows.last_mut() {
                        row.cells += offset(block.cells.len() - before);
                        row.length = length;
                    }
                }
                _ => {}
            }
        }
    }

    #[cold]
    fn broken(&self, why: &str) -> fenhe_core::Error {
        damaged(self.records.part(), why, self.records.offset())
    }
}

impl Rows for XlsbSheet {
    fn fill(&mut self, block: &mut Block) -> Result<bool> {
        block.clear();
        if !self.ended {
            self.read(block)?;
        }
        if self.ended && !self.drained && block.rows.is_empty() {
            self.drained = true;
            self.records.drain()?;
        }
        Ok(!block.rows.is_empty())
    }
}

/// The head of a row (BrtRowHdr, 2.4.741): its number, style, height, and flags of which one hides it.
fn row(record: &Record<'_>, previous: u32) -> Option<Row> {
    let number = u32_at(record.body.get(..12)?, 0).checked_add(1)?;
    let hidden = record.body.get(11).is_some_and(|flags| flags & 0x10 != 0);
    (number > previous && number <= MAX_ROWS).then_some(Row {
        number,
        hidden,
        first: 0,
        cells: 0,
        offset: record.offset,
        length: record.length,
    })
}

/// Adds the cell of a record (2.5.9 and the records that start with it); its column is given back.
#[inline]
fn cell(record: &Record<'_>, next: u32, block: &mut Block) -> Result<u32, &'static str> {
    const SHORT: &str = "a cell is cut off";
    let short = (brt::SHORT_BLANK..=brt::SHORT_SHARED).contains(&record.number);
    let (column, head) = match short {
        true => (next, 0),
        false => (u32_at(record.body, 0), 4),
    };
    let Some((style, body)) = record.body.get(head..).and_then(|rest| rest.split_at_checked(4))
    else {
        return Err(SHORT);
    };
    if column >= MAX_COLUMNS || column < next {
        return Err("cells are out of order or outside the grid");
    }
    let place = u16::try_from(column).unwrap_or(u16::MAX);
    let style = u16::try_from(u32_at(style, 0) & 0x00FF_FFFF).unwrap_or(u16::MAX);
    let plain = |a, value| Cell { a, b: 0, column: place, style, value };
    let enough = |count: usize| if body.len() < count { Err(SHORT) } else { Ok(()) };
    match record.number {
        brt::RK | brt::SHORT_RK => {
            enough(4)?;
            block.cells.push(Cell::float(place, style, rk(u32_at(body, 0))));
        }
        brt::REAL | brt::SHORT_REAL | brt::FORMULA_NUMBER => {
            enough(8)?;
            block.cells.push(Cell::float(place, style, f64::from_bits(u64_at(body, 0))));
        }
        brt::SHARED | brt::SHORT_SHARED => {
            enough(4)?;
            block.cells.push(plain(u32_at(body, 0), Value::Shared));
        }
        brt::BOOL | brt::SHORT_BOOL | brt::FORMULA_BOOL => {
            enough(1)?;
            block.cells.push(plain(u32::from(body.first() != Some(&0)), Value::Boolean));
        }
        brt::ERROR | brt::SHORT_ERROR | brt::FORMULA_ERROR => {
            let code = *body.first().ok_or(SHORT)?;
            block.push_text(place, style, Value::Error, error_text(code));
        }
        brt::TEXT | brt::SHORT_TEXT | brt::FORMULA_TEXT | brt::RICH_TEXT => {
            let from = usize::from(record.number == brt::RICH_TEXT);
            let (text, _) = wide(body, from).ok_or(SHORT)?;
            let a = offset(block.text.len());
            if !text.push_to(&mut block.text) {
                // Half a character: the row is refused when its values are looked at.
                block.cells.push(plain(u32::MAX, Value::Shared));
            } else if !text.is_empty() {
                let b = offset(block.text.len());
                block.cells.push(Cell { b, ..plain(a, Value::Inline) });
            }
        }
        // BrtCellBlank and BrtShortBlank.
        _ => {}
    }
    Ok(column)
}
