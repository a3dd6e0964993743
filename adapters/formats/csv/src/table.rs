//! The records of one window: where their fields stand, and which of them are broken.

use fenhe_core::Limits;

use crate::dialect::Syntax;
use crate::options::{Ragged, Stray, Unterminated};
use crate::split::{Cell, Cut, Form};

/// What the caller wants done with records that are not as they should be.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) ragged: Ragged,
    pub(crate) stray: Stray,
    pub(crate) unterminated: Unterminated,
    pub(crate) limits: Limits,
}

/// Why a record cannot become a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It has this many fields.
    Fields(usize),
    /// Text behind the closing quote at this place.
    Stray(usize),
    /// A quote that is never closed stands at this place.
    Open(usize),
    /// It is longer than the limit.
    TooLong,
    /// The field of this number (from 0) is longer than the limit: its length.
    Field(usize, usize),
}

/// A record that is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    /// How many rows of the window come before it.
    pub(crate) rows_before: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) flaw: Flaw,
}

/// Why the cutting of a window stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the end of the data, or at a record that goes on behind it.
    End,
    /// At a record that cannot be one and whose line goes on behind the data.
    Skip(Flaw),
    /// At a quote that is not closed, and nobody may guess where the next record starts.
    Open { quote: usize },
}

/// The records of a window. Row `r` has its field `c` at entry `r * fields + c` of starts and ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) fields: usize,
    pub(crate) rows: usize,
    /// The place before the first byte of each field.
    pub(crate) starts: Vec<u32>,
    /// The place behind the last byte of each field; empty: the starts, one entry on.
    pub(crate) ends: Vec<u32>,
    /// Entries that stood in quotes or hold escapes, in order.
    pub(crate) formed: Vec<(u32, Form)>,
    /// Start and end of each row; empty: the rows follow each other without a gap.
    pub(crate) extents: Vec<(u32, u32)>,
    pub(crate) bad: Vec<Bad>,
    /// Bytes cut.
    pub(crate) consumed: usize,
    /// Line ends in them, where that is known.
    pub(crate) lines: Option<u64>,
    pub(crate) spare: Vec<u32>,
    cells: Vec<Cell>,
}

impl Table {
    /// The end of a field that its record does not have.
    const MISSING: u32 = u32::MAX;

    /// For records of so many fields.
    pub(crate) fn new(fields: usize) -> Self {
        Self { fields: fields.max(1), ..Self::default() }
    }

    /// Start and end of a row in the window, line end included.
    pub(crate) fn extent(&self, row: usize) -> (usize, usize) {
        if let Some(&(start, end)) = self.extents.get(row) {
            return (start as usize, end as usize);
        }
        let at = |row: usize| {
            self.starts.get(row * self.fields).map_or(self.consumed, |p| p.wrapping_add(1) as usize)
        };
        (at(row), if row + 1 >= self.rows { self.consumed } else { at(row + 1) })
    }

    /// The entries of these rows that stood in quotes or hold escapes.
    pub(crate) fn formed(&self, from: usize, to: usize) -> &[(u32, Form)] {
        if self.formed.is_empty() {
            return &[];
        }
        let at = |row: usize| {
            self.formed.partition_point(|(entry, _)| (*entry as usize) < row * self.fields)
        };
        self.formed.get(at(from)..at(to)).unwrap_or_default()
    }

    /// The general way, record by record. `last`: the stream ends with the data. `enough`: stop behind the first
    /// record that ends here or later.
    pub(crate) fn walk(
        &mut self,
        data: &[u8],
        syntax: &Syntax,
        policy: &Policy,
        last: bool,
        enough: usize,
    ) -> Stop {
        self.clear();
        let limit = usize::try_from(policy.limits.record).unwrap_or(usize::MAX);
        let most = usize::try_from(policy.limits.fields).unwrap_or(usize::MAX).max(self.fields);
        while self.consumed < data.len() && self.consumed < enough {
            let from = self.consumed;
            let seen = data.len().min(from.saturating_add(limit).saturating_add(1));
            let all = seen == data.len();
            let within = data.get(..seen).unwrap_or(data);
            let mut cells = std::mem::take(&mut self.cells);
            cells.clear();
            let room = if policy.ragged == Ragged::Pad { most } else { self.fields };
            let cut = syntax.cut(within, from, last && all, room, &mut cells);
            self.cells = cells;
            let stop = match cut {
                Cut::Passed { end } => {
                    self.consumed = end;
                    None
                }
                Cut::Record { end, .. } if end - from > limit => {
                    self.too_long(data, syntax, limit, last)
                }
                Cut::Record { end, stray: Some(at), .. } if policy.stray == Stray::Reject => {
                    self.stray(within, end, at, syntax, policy, last && all);
                    None
                }
                Cut::Record { end, fields, .. } => {
                    self.take(end, fields, policy);
                    None
                }
                Cut::Open { quote } => self.open(data, quote, syntax, policy, last),
                Cut::More { open: Some(quote) } if !all => {
                    self.open(data, quote, syntax, policy, last)
                }
                Cut::More { open: None } if !all => self.too_long(data, syntax, limit, last),
                Cut::More { .. } => Some(Stop::End),
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
        Stop::End
    }

    pub(crate) fn clear(&mut self) {
        self.starts.clear();
        self.ends.clear();
        self.formed.clear();
        self.extents.clear();
        self.bad.clear();
        (self.rows, self.consumed, self.lines) = (0, 0, None);
    }

    /// Notes a record from the end of what was cut up to `end`.
    pub(crate) fn reject(&mut self, end: usize, flaw: Flaw) {
        self.bad.push(Bad { rows_before: self.rows, start: self.consumed, end, flaw });
        self.consumed = end;
    }

    fn stray(
        &mut self,
        data: &[u8],
        end: usize,
        at: usize,
        syntax: &Syntax,
        policy: &Policy,
        last: bool,
    ) {
        let end = match policy.unterminated {
            Unterminated::Stop => end,
            // A field over several lines that ends like this was opened by a lost quote.
            Unterminated::Resync => {
                syntax.line_end(data, self.consumed, last).unwrap_or(end).min(end)
            }
        };
        self.reject(end, Flaw::Stray(at));
    }

    fn open(
        &mut self,
        data: &[u8],
        quote: usize,
        syntax: &Syntax,
        policy: &Policy,
        last: bool,
    ) -> Option<Stop> {
        if policy.unterminated == Unterminated::Stop {
            return Some(Stop::Open { quote });
        }
        match syntax.line_end(data, self.consumed, last) {
            Some(end) => {
                self.reject(end, Flaw::Open(quote));
                None
            }
            None => Some(Stop::Skip(Flaw::Open(quote))),
        }
    }

    fn too_long(&mut self, data: &[u8], syntax: &Syntax, limit: usize, last: bool) -> Option<Stop> {
        // Line ends within the limit are inside quotes.
        match syntax.line_end(data, self.consumed.saturating_add(limit), last) {
            Some(end) => {
                self.reject(end, Flaw::TooLong);
                None
            }
            None => Some(Stop::Skip(Flaw::TooLong)),
        }
    }

    /// Makes a row of the cells, if they are as they should be.
    fn take(&mut self, end: usize, fields: usize, policy: &Policy) {
        let limit = usize::try_from(policy.limits.field).unwrap_or(usize::MAX);
        let long = self.cells.iter().position(|cell| cell.end - cell.start > limit);
        if let Some((field, cell)) = long.and_then(|at| Some((at, self.cells.get(at)?))) {
            return self.reject(end, Flaw::Field(field, cell.end - cell.start));
        }
        let surplus = self.cells.get(self.fields..).unwrap_or_default();
        let empty = surplus.iter().all(|cell| cell.form == Form::Plain && cell.start == cell.end);
        let pad = policy.ragged == Ragged::Pad && empty && fields <= self.cells.len();
        if fields != self.fields && !pad {
            return self.reject(end, Flaw::Fields(fields));
        }
        let place = |at: usize| u32::try_from(at).unwrap_or(Self::MISSING);
        for cell in self.cells.iter().take(self.fields) {
            if cell.form != Form::Plain {
                self.formed.push((place(self.starts.len()), cell.form));
            }
            self.starts.push(place(cell.start).wrapping_sub(1));
            self.ends.push(place(cell.end));
        }
        self.add_row(end);
    }

    /// A row from the end of what was cut up to `end`, of the entries added since the last one; missing ones are absent.
    pub(crate) fn add_row(&mut self, end: usize) {
        let place = |at: usize| u32::try_from(at).unwrap_or(Self::MISSING);
        self.rows += 1;
        self.starts.resize(self.rows * self.fields, 0);
        self.ends.resize(self.rows * self.fields, Self::MISSING);
        self.extents.push((place(self.consumed), place(end)));
        self.consumed = end;
    }
}
