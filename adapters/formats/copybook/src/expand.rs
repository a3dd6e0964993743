//! Tables of variable size: from the bytes in use to the greatest size and back.

use crate::layout::{Layout, Table};
use crate::storage::Storage;
use crate::value::{Characters, integer};

/// What a record is made of, from its start.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    ops: Vec<Op>,
    characters: Characters,
    /// Length at the greatest size.
    pub(crate) length: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Op {
    /// Bytes that are always there.
    Copy(usize),
    /// A table whose occurrences have these parts.
    Table { index: usize, counter: Option<Counter>, table: Table, length: usize, body: Vec<Op> },
}

/// Where a counter is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counter {
    /// Tables around it.
    pub(crate) depth: usize,
    /// Offset from the start of the innermost of them.
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) storage: Storage,
    /// Power of ten (trailing `P`).
    pub(crate) factor: i128,
}

/// How an expansion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expanded {
    /// Bytes used of the source, and how far the target is filled.
    Done { used: usize, filled: usize },
    /// The counter of this table (index in the layout) is no number or out of its range.
    BadCounter { table: usize },
}

impl Counter {
    pub(crate) fn of(layout: &Layout, index: usize) -> Option<Self> {
        let field = layout.field(index)?;
        Some(Self {
            depth: field.tables.len(),
            at: usize::try_from(field.at).ok()?,
            length: usize::try_from(field.length).ok()?,
            storage: field.storage?,
            factor: 10i128.checked_pow(field.scale.min(0).unsigned_abs())?,
        })
    }

    /// The count that the counter says, if it is within the range.
    pub(crate) fn count(&self, bytes: &[u8], table: Table, characters: Characters) -> Option<u32> {
        let value = integer(self.storage, bytes, characters).ok()?.checked_mul(self.factor)?;
        u32::try_from(value).ok().filter(|n| (table.min..=table.max).contains(n))
    }
}

impl Program {
    pub(crate) fn new(layout: &Layout, record: usize, characters: Characters) -> Self {
        let mut ops = Vec::new();
        item(layout, record, &mut ops);
        let length = layout.field(record).map_or(0, |f| f.length);
        Self { ops, characters, length: usize::try_from(length).unwrap_or(usize::MAX) }
    }

    /// Puts a record of the bytes in use into `target`, which has the greatest length.
    pub(crate) fn expand(&self, source: &[u8], target: &mut [u8]) -> Expanded {
        let mut walk = Walk { program: self, from: 0, bases: vec![0] };
        match walk.expand(&self.ops, source, target, 0) {
            Ok(Some(filled)) => Expanded::Done { used: walk.from, filled },
            Ok(None) => Expanded::Done { used: walk.from, filled: self.length },
            Err(table) => Expanded::BadCounter { table },
        }
    }

    /// Appends the bytes in use of a record of the greatest length; the table with a bad counter otherwise.
    pub(crate) fn compact(&self, source: &[u8], out: &mut Vec<u8>) -> Result<(), usize> {
        Walk { program: self, from: 0, bases: vec![0] }.compact(&self.ops, source, 0, out)
    }
}

struct Walk<'a> {
    program: &'a Program,
    from: usize,
    /// Where the record and the occurrences around start in the bytes of the greatest size.
    bases: Vec<usize>,
}

impl Walk<'_> {
    /// `Some`: the source ended, and the target is filled so far.
    fn expand(
        &mut self,
        ops: &[Op],
        source: &[u8],
        target: &mut [u8],
        mut to: usize,
    ) -> Result<Option<usize>, usize> {
        for op in ops {
            match op {
                Op::Copy(length) => {
                    let left = source.get(self.from..).unwrap_or_default();
                    let taken = left.len().min(*length);
                    if let (Some(old), Some(new)) =
                        (left.get(..taken), target.get_mut(to..to + taken))
                    {
                        new.copy_from_slice(old);
                    }
                    self.from += taken;
                    if taken < *length {
                        return Ok(Some(to + taken));
                    }
                    to += length;
                }
                Op::Table { index, counter, table, length, body } => {
                    if source.len() <= self.from && table.min == 0 && self.missing(counter, to) {
                        return Ok(Some(to));
                    }
                    let count = self.count(*counter, *table, target).ok_or(*index)?;
                    for n in 0..count as usize {
                        self.bases.push(to + n * length);
                        let ended = self.expand(body, source, target, to + n * length)?;
                        self.bases.pop();
                        if ended.is_some() {
                            return Ok(ended);
                        }
                    }
                    to += length * table.max as usize;
                }
            }
        }
        Ok(None)
    }

    /// Whether the counter itself is behind what the record has.
    fn missing(&self, counter: &Option<Counter>, to: usize) -> bool {
        counter
            .is_some_and(|c| self.bases.get(c.depth).is_none_or(|base| base + c.at + c.length > to))
    }

    fn compact(
        &mut self,
        ops: &[Op],
        source: &[u8],
        mut at: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), usize> {
        for op in ops {
            match op {
                Op::Copy(length) => {
                    out.extend_from_slice(source.get(at..at + length).unwrap_or_default());
                    at += length;
                }
                Op::Table { index, counter, table, length, body } => {
                    let count = self.count(*counter, *table, source).ok_or(*index)?;
                    for n in 0..count as usize {
                        self.bases.push(at + n * length);
                        self.compact(body, source, at + n * length, out)?;
                        self.bases.pop();
                    }
                    at += length * table.max as usize;
                }
            }
        }
        Ok(())
    }

    fn count(&self, counter: Option<Counter>, table: Table, record: &[u8]) -> Option<u32> {
        let Some(counter) = counter else { return Some(table.max) };
        let at = self.bases.get(counter.depth)? + counter.at;
        counter.count(record.get(at..at + counter.length)?, table, self.program.characters)
    }
}

fn is_variable(layout: &Layout, index: usize) -> bool {
    layout.field(index).is_some_and(|f| {
        f.occurs.is_some_and(|t| t.counter.is_some())
            || f.children.iter().any(|c| is_variable(layout, *c))
    })
}

/// All occurrences of an item.
fn item(layout: &Layout, index: usize, ops: &mut Vec<Op>) {
    let Some(field) = layout.field(index) else { return };
    let length = usize::try_from(field.length).unwrap_or(usize::MAX);
    match field.occurs {
        Some(table) if is_variable(layout, index) => {
            let mut body = Vec::new();
            one(layout, index, &mut body);
            let counter = table.counter.and_then(|c| Counter::of(layout, c));
            ops.push(Op::Table { index, counter, table, length, body });
        }
        Some(table) => copy(ops, length.saturating_mul(table.max as usize)),
        None => one(layout, index, ops),
    }
}

/// One occurrence of an item.
fn one(layout: &Layout, index: usize, ops: &mut Vec<Op>) {
    let Some(field) = layout.field(index) else { return };
    if !is_variable(layout, index) || field.children.is_empty() {
        copy(ops, usize::try_from(field.length).unwrap_or(usize::MAX));
        return;
    }
    for child in &field.children {
        let Some(part) = layout.field(*child) else { continue };
        if part.redefines.is_some() {
            continue;
        }
        copy(ops, usize::try_from(part.slack).unwrap_or(0));
        let alternatives = if part.redefined { layout.alternatives(*child) } else { Vec::new() };
        // A table of variable size may only be in the redefined item; then that one gives the length.
        if part.redefined && !is_variable(layout, *child) {
            let extent = |i: &usize| {
                layout.field(*i).map_or(0, |f| f.length * f.occurs.map_or(1, |t| u64::from(t.max)))
            };
            let longest = alternatives.iter().map(extent).max().unwrap_or(0);
            copy(ops, usize::try_from(longest).unwrap_or(usize::MAX));
        } else {
            item(layout, *child, ops);
        }
    }
}

fn copy(ops: &mut Vec<Op>, length: usize) {
    match ops.last_mut() {
        _ if length == 0 => {}
        Some(Op::Copy(before)) => *before = before.saturating_add(length),
        _ => ops.push(Op::Copy(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::AsciiSign;
    use crate::{Copybook, CopybookOptions};

    #[test]
    fn nested_tables_of_variable_size_go_both_ways() {
        let text = "01 R. 02 N PIC 9. 02 G OCCURS 0 TO 2 DEPENDING ON N. 03 M PIC 9.
            03 I OCCURS 0 TO 3 DEPENDING ON M. 04 F PIC X. 02 END PIC X(2).";
        let options = CopybookOptions { encoding: "ascii".into(), ..CopybookOptions::default() };
        let layout = Layout::new(&Copybook::parse(text).unwrap(), &options).unwrap();
        let characters = Characters { ebcdic: false, sign: AsciiSign::MicroFocus };
        let program = Program::new(&layout, 0, characters);
        assert_eq!(program.length, 11);
        for source in [&b"0zz"[..], b"10zz", b"12ABzz", b"21A2BCzz"] {
            let mut target = vec![b'.'; program.length];
            assert_eq!(
                program.expand(source, &mut target),
                Expanded::Done { used: source.len(), filled: 11 }
            );
            let mut back = Vec::new();
            program.compact(&target, &mut back).unwrap();
            assert_eq!(back, source);
        }
        let mut target = vec![b'.'; program.length];
        program.expand(b"21A2BCzz", &mut target);
        assert_eq!(target, b"21A..2BC.zz");
        assert_eq!(program.expand(b"3", &mut target), Expanded::BadCounter { table: 2 });
    }
}
