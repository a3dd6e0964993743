//! Binary workbooks (MS-XLSB): the same container, parts of records instead of XML.

mod records;
mod sheet;

use std::collections::BTreeMap;
use std::sync::Arc;

use fenhe_core::{Limits, Result};

use self::records::{Record, Records, wide, wide_or_null};
pub(crate) use self::sheet::XlsbSheet;
use crate::cells::{Area, MAX_COLUMNS, MAX_ROWS};
use crate::container::{Container, u16_at, u32_at};
use crate::dates::Epoch;
use crate::error::damaged;
use crate::strings::Strings;
use crate::styles::{Shown, Styles, built_in, of_code};
use crate::workbook::{Body, Relation, Sheet, Table, Workbook};

/// Numbers of the records that are read (2.3.2).
mod brt {
    pub(super) const ROW: u16 = 0;
    pub(super) const BLANK: u16 = 1;
    pub(super) const RK: u16 = 2;
    pub(super) const ERROR: u16 = 3;
    pub(super) const BOOL: u16 = 4;
    pub(super) const REAL: u16 = 5;
    pub(super) const TEXT: u16 = 6;
    pub(super) const SHARED: u16 = 7;
    pub(super) const FORMULA_TEXT: u16 = 8;
    pub(super) const FORMULA_NUMBER: u16 = 9;
    pub(super) const FORMULA_BOOL: u16 = 10;
    pub(super) const FORMULA_ERROR: u16 = 11;
    pub(super) const SHORT_BLANK: u16 = 12;
    pub(super) const SHORT_RK: u16 = 13;
    pub(super) const SHORT_ERROR: u16 = 14;
    pub(super) const SHORT_BOOL: u16 = 15;
    pub(super) const SHORT_REAL: u16 = 16;
    pub(super) const SHORT_TEXT: u16 = 17;
    pub(super) const SHORT_SHARED: u16 = 18;
    pub(super) const STRING: u16 = 19;
    pub(super) const FORMAT: u16 = 44;
    pub(super) const XF: u16 = 47;
    pub(super) const COLUMN: u16 = 60;
    pub(super) const RICH_TEXT: u16 = 62;
    pub(super) const BEGIN_ROWS: u16 = 145;
    pub(super) const END_ROWS: u16 = 146;
    pub(super) const WORKBOOK: u16 = 153;
    pub(super) const SHEET: u16 = 156;
    pub(super) const MERGED: u16 = 176;
    pub(super) const TABLE: u16 = 343;
    pub(super) const BEGIN_XFS: u16 = 617;
    pub(super) const END_XFS: u16 = 618;
}

/// Opens the workbook whose main part is `main`.
pub(crate) fn open(
    container: Container,
    main: &str,
    related: &[Relation],
    limits: &Limits,
) -> Result<Workbook> {
    let of_type = |kind: &str| {
        let relation = related.iter().find(|r| r.kind.ends_with(kind))?;
        container.has(&relation.target).then_some(relation.target.as_str())
    };
    let strings = match of_type("/sharedStrings") {
        Some(part) => strings(&container, part, limits)?,
        None => Strings::default(),
    };
    let styles = match of_type("/styles") {
        Some(part) => styles(&container, part, limits)?,
        None => Styles::default(),
    };
    let mut workbook = Workbook {
        sheets: Vec::new(),
        strings: Arc::new(strings),
        styles: Arc::new(styles),
        epoch: Epoch::Of1900,
        notes: Vec::new(),
        limits: limits.clone(),
        body: Body::Xlsb(container.clone()),
    };
    let mut records = Records::new(container.part(main)?, limits);
    while let Some(record) = records.next()? {
        match record.number {
            brt::WORKBOOK if u32_at(record.body, 0) & 1 != 0 => workbook.epoch = Epoch::Of1904,
            brt::SHEET => listed(&mut workbook, &record, main, related)?,
            _ => {}
        }
    }
    Ok(workbook)
}

/// A sheet of the list of sheets (BrtBundleSh, 2.4.303).
fn listed(
    workbook: &mut Workbook,
    record: &Record<'_>,
    main: &str,
    related: &[Relation],
) -> Result<()> {
    let broken = |why| damaged(main, why, record.offset);
    let (id, at) =
        wide_or_null(record.body, 8).ok_or_else(|| broken("a sheet of the list is cut off"))?;
    let (name, _) = wide(record.body, at).ok_or_else(|| broken("a sheet's name is cut off"))?;
    let name = name.name(main, record.offset)?;
    let wanted = workbook.sheets.len() as u64 + 1;
    Limits::check("entries", workbook.limits.entries, wanted)
        .map_err(|e| e.at_offset(record.offset))?;
    let relation = match id {
        Some(id) => {
            let id = id.name(main, record.offset)?;
            related.iter().find(|r| r.id == id).ok_or_else(|| broken("a sheet has no part"))?
        }
        None => {
            workbook.notes.push(format!("sheet {name} holds no cells (it has no part)"));
            return Ok(());
        }
    };
    if relation.kind.ends_with("/worksheet") {
        let hidden = u32_at(record.body, 0) != 0;
        workbook.sheets.push(Sheet { name, hidden, part: relation.target.clone(), offset: 0 });
    } else {
        workbook.notes.push(format!("sheet {name} holds no cells (chart, dialogue or macro)"));
    }
    Ok(())
}

fn strings(container: &Container, part: &str, limits: &Limits) -> Result<Strings> {
    let mut strings = Strings::with_limit(limits);
    let mut records = Records::new(container.part(part)?, limits);
    let mut text = String::new();
    while let Some(record) = records.next()? {
        if record.number != brt::STRING {
            continue;
        }
        // RichStr (2.5.122): flags, the text, and runs of formats and phonetics that are no part of it.
        let (string, _) = wide(record.body, 1)
            .ok_or_else(|| damaged(part, "a shared string is cut off", record.offset))?;
        text.clear();
        if string.push_to(&mut text) {
            strings.push(&text, part)?;
        } else {
            strings.push_unreadable(part)?;
        }
    }
    Ok(strings)
}

fn styles(container: &Container, part: &str, limits: &Limits) -> Result<Styles> {
    let mut records = Records::new(container.part(part)?, limits);
    let (mut codes, mut styles, mut inside) = (BTreeMap::new(), Vec::new(), false);
    while let Some(record) = records.next()? {
        match record.number {
            brt::FORMAT => {
                let (code, _) = wide(record.body, 2)
                    .ok_or_else(|| damaged(part, "a number format is cut off", record.offset))?;
                let code = of_code(&code.name(part, record.offset)?);
                codes.insert(u32::from(u16_at(record.body, 0)), code);
            }
            brt::BEGIN_XFS => inside = true,
            brt::END_XFS => inside = false,
            // A cell names its style by two bytes at most that matter: a sheet has 65,490.
            brt::XF if inside && styles.len() <= usize::from(u16::MAX) => {
                let id = u32::from(u16_at(record.body, 2));
                let shown: Shown = codes.get(&id).copied().unwrap_or_else(|| built_in(id));
                styles.push(shown);
            }
            _ => {}
        }
    }
    Ok(Styles(styles))
}

/// A table (BrtBeginList, 2.4.118).
pub(crate) fn table(container: &Container, part: &str, limits: &Limits) -> Result<Option<Table>> {
    let mut records = Records::new(container.part(part)?, limits);
    while let Some(record) = records.next()? {
        if record.number != brt::TABLE {
            continue;
        }
        let body = record.body;
        let cut = || damaged(part, "a table is cut off", record.offset);
        // Behind the range: kind, number, header and totals rows, flags and seven numbers of styles.
        let (name, at) = wide_or_null(body, 64).ok_or_else(cut)?;
        let (shown, _) = wide_or_null(body, at).ok_or_else(cut)?;
        let Some(name) = shown.filter(|name| !name.is_empty()).or(name) else { return Ok(None) };
        let name = name.name(part, record.offset)?;
        let area = area(body)
            .ok_or_else(|| damaged(part, "a table lies outside of the grid", record.offset))?;
        let (header, totals) = (u32_at(body, 24) != 0, u32_at(body, 28));
        return Ok(Some(Table { name, area, header, totals }));
    }
    Ok(None)
}

/// A range: first and last row, first and last column, all from 0 (2.5.155).
fn area(body: &[u8]) -> Option<Area> {
    let word = |at| Some(u32_at(body.get(at..at + 4)?, 0));
    let (first, last) = (word(0)?, word(4)?);
    let (left, right) = (word(8)?, word(12)?);
    if first > last || last >= MAX_ROWS || left > right || right >= MAX_COLUMNS {
        return None;
    }
    Some(Area {
        first_row: first + 1,
        last_row: last + 1,
        first_column: u16::try_from(left).ok()?,
        last_column: u16::try_from(right).ok()?,
    })
}
