//! Workbooks of Excel 5 to 2003 (MS-CFB, MS-XLS).

mod biff;
mod cfb;

pub(crate) use biff::{error_text, rk};

use std::sync::Arc;

use fenhe_core::{Limits, ReadAt, Result};

use crate::cells::{Block, Cell, Row, Rows, offset};
use crate::container::read;
use crate::error::limit;
use crate::workbook::{Around, Body, Workbook};

const PART: &str = "the workbook stream";

/// The workbook stream of an xls file and what its global part says.
#[derive(Debug)]
pub(crate) struct Xls {
    stream: Vec<u8>,
    wide: bool,
    encoding: fenhe_text::Encoding,
    limits: Limits,
    /// Bytes of the stream and the shared strings.
    held: u64,
}

impl Xls {
    /// Opens a compound file. It is held in memory, so its size is bounded by the limit first.
    pub(crate) fn open(object: Arc<dyn ReadAt>, limits: &Limits) -> Result<Workbook> {
        let stream = cfb::workbook(&whole(object.as_ref(), limits)?)?;
        Self::workbook(stream, limits)
    }

    /// Opens a workbook stream that stands alone.
    pub(crate) fn open_bare(object: Arc<dyn ReadAt>, limits: &Limits) -> Result<Workbook> {
        Self::workbook(whole(object.as_ref(), limits)?, limits)
    }

    fn workbook(stream: Vec<u8>, limits: &Limits) -> Result<Workbook> {
        let globals = biff::globals(&stream, limits)?;
        let xls = Self {
            held: stream.len() as u64 + globals.strings.held(),
            stream,
            wide: globals.wide,
            encoding: globals.encoding,
            limits: limits.clone(),
        };
        Ok(Workbook {
            sheets: globals.sheets,
            strings: Arc::new(globals.strings),
            styles: Arc::new(globals.styles),
            epoch: globals.epoch,
            notes: globals.notes,
            limits: limits.clone(),
            body: Body::Xls(Arc::new(xls)),
        })
    }

    fn read(&self, at: u64) -> Result<biff::Cells> {
        biff::cells(&self.stream, at, self.wide, self.encoding, &self.limits, self.held)
    }

    /// The rows of the sheet that starts at this offset of the stream.
    pub(crate) fn sheet(&self, at: u64) -> Result<XlsSheet> {
        Ok(XlsSheet { cells: self.read(at)?, at: 0 })
    }

    pub(crate) fn around(&self, at: u64) -> Result<Around> {
        Ok(self.read(at)?.around)
    }
}

fn whole(object: &dyn ReadAt, limits: &Limits) -> Result<Vec<u8>> {
    let size = object.size();
    if size > limits.memory / 2 {
        return Err(limit("memory", limits.memory / 2, size, "the xls file"));
    }
    read(object, 0, size)
}

/// A sheet whose cells are read and in order.
pub(crate) struct XlsSheet {
    cells: biff::Cells,
    at: usize,
}

/// Rows of a block.
const ROWS: usize = 1_024;

impl Rows for XlsSheet {
    fn fill(&mut self, block: &mut Block) -> Result<bool> {
        block.clear();
        while block.rows.len() < ROWS {
            let Some((number, _)) = self.cells.cells.get(self.at) else { break };
            let number = *number;
            let first = block.cells.len();
            while let Some((row, cell)) = self.cells.cells.get(self.at)
                && *row == number
            {
                self.at += 1;
                let mut cell: Cell = *cell;
                if matches!(cell.value, crate::cells::Value::Inline | crate::cells::Value::Error) {
                    let text = self.cells.text.get(cell.a as usize..cell.b as usize);
                    cell.a = offset(block.text.len());
                    block.text.push_str(text.unwrap_or_default());
                    cell.b = offset(block.text.len());
                }
                block.cells.push(cell);
            }
            let cells = block.cells.len() - first;
            block.rows.push(Row {
                number,
                hidden: self.cells.hidden.contains(&number),
                first: offset(first),
                cells: offset(cells),
                offset: 0,
                length: 16 * cells as u64,
            });
        }
        Ok(!block.rows.is_empty())
    }
}
