//! Tables of variable size: from the bytes in use to the greatest size and back.

use crate::layout::{Layout, Table};
use crate::segments::{Rule, Selector};
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
    /// One of several parts that share storage of this length.
    Branch { alternatives: Vec<Alternative>, length: usize },
}

/// A part, and the rules by which it is in force: any of them.
#[derive(Clone, Debug, PartialEq)]
struct Alternative {
    rules: Vec<Selector>,
    body: Vec<Op>,
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
    pub(crate) fn new(
        layout: &Layout,
        record: usize,
        rules: &[Rule],
        characters: Characters,
    ) -> Self {
        let mut ops = Vec::new();
        Maker { layout, rules, characters }.item(record, &mut ops);
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
                Op::Branch { alternatives, length } => {
                    let body = self.preview(alternatives, *length, source, target, to);
                    let ended = self.expand(body, source, target, to)?;
                    if ended.is_some() {
                        return Ok(ended);
                    }
                    to += length;
                }
            }
        }
        Ok(None)
    }

    /// The part in force, looked up while the bytes stand where they would be if nothing in them varied: the item that
    /// decides is before them, or at their start.
    fn preview<'o>(
        &self,
        alternatives: &'o [Alternative],
        length: usize,
        source: &[u8],
        target: &mut [u8],
        to: usize,
    ) -> &'o [Op] {
        let left = source.get(self.from..).unwrap_or_default();
        let taken = left.len().min(length);
        if let (Some(old), Some(new)) = (left.get(..taken), target.get_mut(to..to + taken)) {
            new.copy_from_slice(old);
        }
        let body = self.chosen(alternatives, target);
        if let Some(area) = target.get_mut(to..to + taken) {
            area.fill(self.program.characters.blank());
        }
        body
    }

    /// The first part with a rule that holds; without one, the part that the others redefine.
    fn chosen<'o>(&self, alternatives: &'o [Alternative], record: &[u8]) -> &'o [Op] {
        let holds = |rule: &Selector| {
            let base = self.bases.get(rule.place.depth).copied().unwrap_or(0);
            let at = base + rule.place.at;
            record.get(at..at + rule.place.length).is_some_and(|bytes| rule.holds(bytes))
        };
        let ruled = alternatives.iter().find(|a| a.rules.iter().any(holds));
        ruled.or(alternatives.first()).map_or(&[], |a| a.body.as_slice())
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
                Op::Branch { alternatives, length } => {
                    let body = self.chosen(alternatives, source);
                    self.compact(body, source, at, out)?;
                    at += length;
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

/// Bytes of all occurrences.
fn extent(layout: &Layout, index: usize) -> usize {
    let all = layout
        .field(index)
        .map_or(0, |f| f.length.saturating_mul(f.occurs.map_or(1, |t| u64::from(t.max))));
    usize::try_from(all).unwrap_or(usize::MAX)
}

/// Makes the parts of a record.
struct Maker<'a> {
    layout: &'a Layout,
    rules: &'a [Rule],
    characters: Characters,
}

impl Maker<'_> {
    /// All occurrences of an item.
    fn item(&self, index: usize, ops: &mut Vec<Op>) {
        let Some(field) = self.layout.field(index) else { return };
        match field.occurs {
            Some(table) if is_variable(self.layout, index) => {
                let mut body = Vec::new();
                self.one(index, &mut body);
                let counter = table.counter.and_then(|c| Counter::of(self.layout, c));
                let length = usize::try_from(field.length).unwrap_or(usize::MAX);
                ops.push(Op::Table { index, counter, table, length, body });
            }
            Some(_) => copy(ops, extent(self.layout, index)),
            None => self.one(index, ops),
        }
    }

    /// One occurrence of an item.
    fn one(&self, index: usize, ops: &mut Vec<Op>) {
        let Some(field) = self.layout.field(index) else { return };
        if !is_variable(self.layout, index) || field.children.is_empty() {
            copy(ops, usize::try_from(field.length).unwrap_or(usize::MAX));
            return;
        }
        for child in &field.children {
            let Some(part) = self.layout.field(*child) else { continue };
            if part.redefines.is_some() {
                continue;
            }
            copy(ops, usize::try_from(part.slack).unwrap_or(0));
            match part.redefined {
                true => self.area(&self.layout.alternatives(*child), ops),
                false => self.item(*child, ops),
            }
        }
    }

    /// Items that share storage. Those that do not vary take the length of the longest of them.
    fn area(&self, items: &[usize], ops: &mut Vec<Op>) {
        let longest = |varies: bool| {
            let of = items.iter().filter(|i| varies || !is_variable(self.layout, **i));
            of.map(|i| extent(self.layout, *i)).max().unwrap_or(0)
        };
        if !items.iter().any(|i| is_variable(self.layout, *i)) {
            return copy(ops, longest(true));
        }
        let alternative = |index: &usize| {
            let mut body = Vec::new();
            match is_variable(self.layout, *index) {
                true => self.item(*index, &mut body),
                false => copy(&mut body, longest(false)),
            }
            let rules = self.rules.iter().filter(|r| r.branch == *index);
            let selector = |rule: &Rule| {
                let place = Counter::of(self.layout, rule.field)?;
                Some(Selector { place, tests: rule.tests.clone(), characters: self.characters })
            };
            Alternative { rules: rules.filter_map(selector).collect(), body }
        };
        let alternatives = items.iter().map(alternative).collect();
        ops.push(Op::Branch { alternatives, length: longest(true) });
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
        let program = Program::new(&layout, 0, &[], characters);
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
