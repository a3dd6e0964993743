//! The records of a workbook stream (MS-XLS 2.4), of BIFF5 and BIFF8.

use std::collections::{BTreeMap, BTreeSet};

use fenhe_core::{Error, Kind, Limits, Result};
use fenhe_text::Encoding;

use super::PART;
use crate::cells::{Area, Cell, Value, offset};
use crate::container::{u16_at, u32_at, u64_at};
use crate::dates::Epoch;
use crate::error::{damaged, encrypted, limit, truncated};
use crate::strings::Strings;
use crate::styles::{Shown, Styles, built_in, of_code};
use crate::workbook::{Around, Sheet};

/// What the global part says.
pub(super) struct Globals {
    pub(super) wide: bool,
    pub(super) encoding: Encoding,
    pub(super) epoch: Epoch,
    pub(super) sheets: Vec<Sheet>,
    pub(super) strings: Strings,
    pub(super) styles: Styles,
    pub(super) notes: Vec<String>,
}

/// The cells of a sheet in order of rows and columns.
#[derive(Default)]
pub(super) struct Cells {
    pub(super) cells: Vec<(u32, Cell)>,
    pub(super) text: String,
    pub(super) hidden: BTreeSet<u32>,
    pub(super) around: Around,
}

struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    /// Number, content and offset of the next record; `None` at the end of the stream.
    fn next(&mut self) -> Result<Option<(u16, &'a [u8], usize)>> {
        let at = self.at;
        let rest = self.stream.get(at..).unwrap_or_default();
        if rest.len() < 4 {
            return Ok(None);
        }
        let length = usize::from(u16_at(rest, 2));
        let body = rest.get(4..4 + length).ok_or_else(|| truncated(PART, at as u64))?;
        self.at = at + 4 + length;
        Ok(Some((u16_at(rest, 0), body, at)))
    }

    /// The contents of the `CONTINUE` records that follow.
    fn continued(&mut self, first: &'a [u8]) -> Result<Vec<&'a [u8]>> {
        let mut parts = vec![first];
        while self.stream.get(self.at..).is_some_and(|rest| u16_at(rest, 0) == 0x3C) {
            match self.next()? {
                Some((_, body, _)) => parts.push(body),
                None => break,
            }
        }
        Ok(parts)
    }
}

/// Reads the global part.
pub(super) fn globals(stream: &[u8], limits: &Limits) -> Result<Globals> {
    let mut records = Records { stream, at: 0 };
    let wide = version(records.next()?)?;
    let mut found = Globals {
        wide,
        encoding: Encoding::for_code_page(1252).unwrap_or(Encoding::UTF_8),
        epoch: Epoch::Of1900,
        sheets: Vec::new(),
        // The stream is held, too.
        strings: Strings::with_limit_beside(limits, stream.len() as u64),
        styles: Styles::default(),
        notes: Vec::new(),
    };
    let (mut codes, mut formats) = (BTreeMap::new(), Vec::new());
    loop {
        let Some((number, body, at)) = records.next()? else {
            return Err(truncated(PART, stream.len() as u64));
        };
        match number {
            0x000A => break,
            0x002F => return Err(encrypted()),
            0x0022 if u16_at(body, 0) == 1 => found.epoch = Epoch::Of1904,
            0x0042 => found.encoding = code_page(u16_at(body, 0)).unwrap_or(found.encoding),
            0x0085 => found.sheet(body, at, limits)?,
            0x041E => {
                let text = if wide {
                    Text::new(vec![body], 2).string()
                } else {
                    bytes(body.get(3..).unwrap_or_default(), u8_at(body, 2).into(), found.encoding)
                };
                codes.insert(u32::from(u16_at(body, 0)), of_code(&text.unwrap_or_default()));
            }
            0x00E0 => formats.push(u32::from(u16_at(body, 2))),
            0x00FC => {
                let mut text = Text::new(records.continued(body)?, 8);
                while !text.is_empty() {
                    let string = text.string().ok_or_else(|| {
                        damaged(PART, "the shared strings are cut off", at as u64)
                    })?;
                    found.strings.push(&string, PART)?;
                }
            }
            _ => {}
        }
    }
    let shown = |id: &u32| codes.get(id).copied().unwrap_or_else(|| built_in(*id));
    let styles: Vec<Shown> = formats.iter().map(shown).collect();
    found.styles = Styles(styles);
    Ok(found)
}

impl Globals {
    fn sheet(&mut self, body: &[u8], at: usize, limits: &Limits) -> Result<()> {
        let name = if self.wide {
            Text::new(vec![body], 6).short_string()
        } else {
            bytes(body.get(7..).unwrap_or_default(), u8_at(body, 6).into(), self.encoding)
        };
        let name = name.ok_or_else(|| damaged(PART, "a sheet name cannot be read", at as u64))?;
        let wanted = self.sheets.len() as u64 + 1;
        if wanted > limits.entries {
            return Err(limit("entries", limits.entries, wanted, PART));
        }
        if u8_at(body, 5) == 0 {
            let (hidden, offset) = (u8_at(body, 4) & 3 != 0, u64::from(u32_at(body, 0)));
            self.sheets.push(Sheet { name, hidden, part: String::new(), offset });
        } else {
            self.notes.push(format!("sheet {name} holds no cells (chart, macro or module)"));
        }
        Ok(())
    }
}

/// Whether texts are Unicode: BIFF8.
fn version(first: Option<(u16, &[u8], usize)>) -> Result<bool> {
    match first {
        Some((0x0809, body, _)) if u16_at(body, 0) == 0x0600 => Ok(true),
        Some((0x0809, body, _)) if u16_at(body, 0) == 0x0500 => Ok(false),
        Some((0x0009 | 0x0209 | 0x0409, ..)) => {
            let message = "workbooks of Excel 4 and older are not read";
            Err(Error::new(Kind::Unsupported, "excel.old", message)
                .at_offset(0)
                .hint("open it with a spreadsheet program and save it as xlsx"))
        }
        _ => Err(damaged(PART, "it does not start with a workbook record", 0)),
    }
}

fn code_page(number: u16) -> Option<Encoding> {
    match number {
        1200 => None,
        // Apple Roman and Windows Latin 1 by their numbers of old (2.4.52).
        0x8000 => Encoding::for_code_page(10_000),
        0x8001 => Encoding::for_code_page(1252),
        other => Encoding::for_code_page(u32::from(other)),
    }
}

/// Reads the cells of the sheet at `at`.
pub(super) fn cells(
    stream: &[u8],
    at: u64,
    wide: bool,
    encoding: Encoding,
    limits: &Limits,
    beside: u64,
) -> Result<Cells> {
    let mut records = Records { stream, at: usize::try_from(at).unwrap_or(usize::MAX) };
    match records.next()? {
        Some((0x0809, ..)) => {}
        _ => return Err(damaged(PART, "no sheet starts where the list of sheets says", at)),
    }
    let mut found = Cells::default();
    let mut nested = 0_u32;
    let mut waiting: Option<(u32, u16, u16)> = None;
    loop {
        let Some((number, body, at)) = records.next()? else {
            return Err(truncated(PART, stream.len() as u64));
        };
        match number {
            0x0809 => nested += 1,
            0x000A if nested == 0 => break,
            0x000A => nested -= 1,
            _ if nested > 0 => {}
            0x0207 => {
                if let Some((row, column, style)) = waiting.take() {
                    let parts = records.continued(body)?;
                    let text = long_text(parts, 0, wide, encoding);
                    found.text(row, column, style, Value::Inline, text);
                }
            }
            0x0006 => waiting = found.formula(body),
            0x0204 | 0x00D6 => {
                let text = long_text(records.continued(body)?, 6, wide, encoding);
                let (row, column, style) = place(body);
                found.text(row, column, style, Value::Inline, text);
            }
            0x00E5 => found.merged(body),
            0x007D => {
                if u16_at(body, 8) & 1 == 1 {
                    found.around.hidden_columns.push((u16_at(body, 0), u16_at(body, 2)));
                }
            }
            _ => found.plain(number, body),
        }
        let held = beside + found.held();
        if held > limits.memory {
            return Err(limit("memory", limits.memory, held, PART).at_offset(at as u64));
        }
    }
    let ordered = found.cells.is_sorted_by_key(|(row, cell)| (*row, cell.column));
    if !ordered {
        found.cells.sort_by_key(|(row, cell)| (*row, cell.column));
    }
    let before = found.cells.len();
    found.cells.dedup_by_key(|(row, cell)| (*row, cell.column));
    if found.cells.len() < before {
        return Err(damaged(PART, "a cell stands in it twice", at));
    }
    Ok(found)
}

impl Cells {
    /// Bytes of memory, whatever of it a hostile file makes large.
    fn held(&self) -> u64 {
        let around = self.around.merged.len() * 16 + self.around.hidden_columns.len() * 4;
        (self.cells.len() * 24 + self.text.len() + self.hidden.len() * 16 + around) as u64
    }

    fn plain(&mut self, number: u16, body: &[u8]) {
        let (row, column, style) = place(body);
        match number {
            0x0203 if body.len() >= 14 => {
                let number = f64::from_bits(u64_at(body, 6));
                self.cells.push((row, Cell::float(column, style, number)));
            }
            0x027E if body.len() >= 10 => {
                self.cells.push((row, Cell::float(column, style, rk(u32_at(body, 6)))));
            }
            0x00BD => {
                let list = body.get(4..body.len().saturating_sub(2)).unwrap_or_default();
                for (at, pair) in list.chunks_exact(6).enumerate() {
                    let column = column.saturating_add(u16::try_from(at).unwrap_or(u16::MAX));
                    let cell = Cell::float(column, u16_at(pair, 0), rk(u32_at(pair, 2)));
                    self.cells.push((row, cell));
                }
            }
            0x00FD if body.len() >= 10 => {
                let a = u32_at(body, 6);
                self.cells.push((row, Cell { a, b: 0, column, style, value: Value::Shared }));
            }
            0x0205 if body.len() >= 8 => {
                self.boolean_or_error(row, column, style, u8_at(body, 6), u8_at(body, 7) == 1);
            }
            // ROW: the bit fDyZero hides it.
            0x0208 if u16_at(body, 12) & 0x20 != 0 => {
                self.hidden.insert(row);
            }
            _ => {}
        }
    }

    fn boolean_or_error(&mut self, row: u32, column: u16, style: u16, code: u8, error: bool) {
        if error {
            self.text(row, column, style, Value::Error, Some(error_text(code).to_owned()));
        } else {
            let a = u32::from(code != 0);
            self.cells.push((row, Cell { a, b: 0, column, style, value: Value::Boolean }));
        }
    }

    /// A formula's stored value (2.5.133); `Some`: its text follows in a record of its own.
    fn formula(&mut self, body: &[u8]) -> Option<(u32, u16, u16)> {
        let (row, column, style) = place(body);
        if body.len() < 14 {
            return None;
        }
        if u16_at(body, 12) != 0xFFFF {
            let number = f64::from_bits(u64_at(body, 6));
            self.cells.push((row, Cell::float(column, style, number)));
            return None;
        }
        match u8_at(body, 6) {
            0 => return Some((row, column, style)),
            1 => self.boolean_or_error(row, column, style, u8_at(body, 8), false),
            2 => self.boolean_or_error(row, column, style, u8_at(body, 8), true),
            _ => {}
        }
        None
    }

    /// A text, or a cell that is refused later when its bytes are no characters.
    fn text(&mut self, row: u32, column: u16, style: u16, value: Value, text: Option<String>) {
        let cell = match text {
            Some(text) if text.is_empty() => return,
            Some(text) => {
                let a = offset(self.text.len());
                self.text.push_str(&text);
                Cell { a, b: offset(self.text.len()), column, style, value }
            }
            None => Cell { a: u32::MAX, b: 0, column, style, value: Value::Shared },
        };
        self.cells.push((row, cell));
    }

    fn merged(&mut self, body: &[u8]) {
        for area in body.get(2..).unwrap_or_default().chunks_exact(8) {
            let [first, last] = [0, 2].map(|at| u32::from(u16_at(area, at)) + 1);
            let area = Area {
                first_row: first,
                last_row: last,
                first_column: u16_at(area, 4),
                last_column: u16_at(area, 6).min(255),
            };
            self.around.merged.push(area);
        }
    }
}

/// Row (from 1), column (from 0) and style.
fn place(body: &[u8]) -> (u32, u16, u16) {
    (u32::from(u16_at(body, 0)) + 1, u16_at(body, 2), u16_at(body, 4))
}

/// A number in 30 bits (2.5.217).
pub(crate) fn rk(bits: u32) -> f64 {
    let number = if bits & 2 != 0 {
        f64::from(bits.cast_signed() >> 2)
    } else {
        f64::from_bits(u64::from(bits & 0xFFFF_FFFC) << 32)
    };
    if bits & 1 != 0 { number / 100.0 } else { number }
}

/// The text of an error value (2.5.10).
pub(crate) fn error_text(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2B => "#GETTING_DATA",
        _ => "#N/A",
    }
}

fn u8_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// A text whose length has two bytes.
fn long_text(parts: Vec<&[u8]>, skip: usize, wide: bool, encoding: Encoding) -> Option<String> {
    if wide {
        return Text::new(parts, skip).string();
    }
    let whole: Vec<u8> = parts.concat();
    let length = usize::from(u16_at(&whole, skip));
    bytes(whole.get(skip + 2..)?, length, encoding)
}

fn bytes(body: &[u8], length: usize, encoding: Encoding) -> Option<String> {
    encoding.decode(body.get(..length)?).ok().map(String::from)
}

/// Unicode texts in a record and its continuations (2.5.293, 2.5.294).
struct Text<'a> {
    parts: Vec<&'a [u8]>,
    part: usize,
    at: usize,
}

impl<'a> Text<'a> {
    fn new(parts: Vec<&'a [u8]>, skip: usize) -> Self {
        Self { parts, part: 0, at: skip }
    }

    fn rest(&self) -> &'a [u8] {
        self.parts.get(self.part).and_then(|part| part.get(self.at..)).unwrap_or_default()
    }

    /// Goes on to the next part when this one is used up.
    fn settle(&mut self) {
        while self.rest().is_empty() && self.part + 1 < self.parts.len() {
            (self.part, self.at) = (self.part + 1, 0);
        }
    }

    fn is_empty(&mut self) -> bool {
        self.settle();
        self.rest().is_empty()
    }

    fn byte(&mut self) -> Option<u8> {
        self.settle();
        let byte = *self.rest().first()?;
        self.at += 1;
        Some(byte)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn string(&mut self) -> Option<String> {
        let length = self.word()?;
        self.characters(usize::from(length))
    }

    fn short_string(&mut self) -> Option<String> {
        let length = self.byte()?;
        self.characters(usize::from(length))
    }

    fn characters(&mut self, length: usize) -> Option<String> {
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { usize::from(self.word()?) } else { 0 };
        let extra = if flags & 4 != 0 {
            let (low, high) = (self.word()?, self.word()?);
            usize::from(low) | usize::from(high) << 16
        } else {
            0
        };
        let mut units: Vec<u16> = Vec::new();
        let mut wide = flags & 1 != 0;
        while units.len() < length {
            if self.rest().is_empty() {
                // A text that goes on in the next part says anew how wide its characters are.
                if self.part + 1 >= self.parts.len() {
                    return None;
                }
                (self.part, self.at) = (self.part + 1, 0);
                wide = self.rest().first()? & 1 != 0;
                self.at = 1;
                continue;
            }
            let (rest, left) = (self.rest(), length - units.len());
            if wide {
                let taken = left.min(rest.len() / 2);
                if taken == 0 {
                    return None;
                }
                units.extend(rest.chunks_exact(2).take(taken).map(|c| u16_at(c, 0)));
                self.at += 2 * taken;
            } else {
                let taken = left.min(rest.len());
                units.extend(rest.iter().take(taken).map(|b| u16::from(*b)));
                self.at += taken;
            }
        }
        self.skip(runs.saturating_mul(4).saturating_add(extra))?;
        String::from_utf16(&units).ok()
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            self.settle();
            let taken = count.min(self.rest().len());
            if taken == 0 {
                return None;
            }
            self.at += taken;
            count -= taken;
        }
        Some(())
    }
}
