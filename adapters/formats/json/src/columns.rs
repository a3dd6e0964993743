//! Places to arrays: the tree of columns, a block at a time.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use fenhe_core::{Error, Fault, Kind, Result};
use fenhe_values::{FaultKind, FaultMask, Source, Spans};

use crate::node::{Leaf, ListNode, NULL, Node, StructNode};

impl StructNode {
    /// Turns the rows of the block into values; whether any row has a fault.
    pub(crate) fn append(&mut self, source: Source<'_>) -> bool {
        let mut any = false;
        for child in &mut self.children {
            any |= child.append(source, Some(&self.valid));
        }
        any
    }

    /// Marks the rows that have a fault anywhere.
    pub(crate) fn mark(&self, rows: &mut FaultMask) {
        self.children.iter().for_each(|child| child.mark(rows));
    }

    /// Takes the block back and leaves out the marked rows.
    pub(crate) fn keep(&mut self, bad: &FaultMask) {
        retain(&mut self.valid, bad);
        self.children.iter_mut().for_each(|child| child.keep(bad));
    }

    /// The block is good: its rows belong to the batch.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.done.append(&mut self.valid);
        self.children.iter_mut().try_for_each(Node::commit)
    }

    /// Every fault of a row.
    pub(crate) fn explain(&self, row: usize, path: &str, source: &[u8], faults: &mut Vec<Fault>) {
        for (name, child) in self.names.iter().zip(&self.children) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            child.explain(row, &path, source, faults);
        }
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let rows = self.done.len();
        let arrays = self.children.iter_mut().map(Node::finish).collect::<Result<Vec<_>>>()?;
        let nulls = nulls(&mut self.done);
        StructArray::try_new_with_length(self.fields.clone(), arrays, nulls, rows)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(wrong)
    }
}

impl Node {
    /// The array of all rows; the column is empty then.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        match self {
            Self::Leaf(leaf) => leaf.builder.finish(),
            Self::Struct(node) => node.finish(),
            Self::List(list) => list.finish(),
            Self::Skip(_) => {
                Err(Error::new(Kind::Internal, "json.column", "a column that was not read"))
            }
        }
    }

    fn append(&mut self, source: Source<'_>, parent: Option<&[bool]>) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.append(source, parent),
            Self::Struct(node) => {
                let missing = node.required && absent(&node.valid, parent, &mut node.faults);
                node.append(source) | missing
            }
            Self::List(list) => {
                let missing = list.required && absent(&list.valid, parent, &mut list.faults);
                list.child.append(source, None) | missing
            }
            Self::Skip(_) => false,
        }
    }

    fn mark(&self, rows: &mut FaultMask) {
        match self {
            Self::Leaf(leaf) => leaf.faults.iter().for_each(|row| rows.set(row)),
            Self::Struct(node) => {
                node.faults.iter().for_each(|row| rows.set(row));
                node.mark(rows);
            }
            Self::List(list) => list.mark(rows),
            Self::Skip(_) => {}
        }
    }

    fn keep(&mut self, bad: &FaultMask) {
        match self {
            Self::Leaf(leaf) => {
                leaf.builder.truncate(leaf.before);
                retain(&mut leaf.starts, bad);
                retain(&mut leaf.ends, bad);
            }
            Self::Struct(node) => node.keep(bad),
            Self::List(list) => list.keep(bad),
            Self::Skip(_) => {}
        }
    }

    fn commit(&mut self) -> Result<()> {
        match self {
            Self::Leaf(leaf) => {
                leaf.starts.clear();
                leaf.ends.clear();
                Ok(())
            }
            Self::Struct(node) => node.commit(),
            Self::List(list) => list.commit(),
            Self::Skip(had) => {
                *had = 0;
                Ok(())
            }
        }
    }

    fn explain(&self, row: usize, path: &str, source: &[u8], faults: &mut Vec<Fault>) {
        match self {
            Self::Leaf(leaf) => faults.extend(leaf.explain(row, path, source)),
            Self::Struct(node) if node.faults.contains(row) => {
                faults.push(missing(path, "an object", FaultKind::NullNotAllowed));
            }
            Self::Struct(node) => node.explain(row, path, source, faults),
            Self::List(list) if list.faults.contains(row) => {
                faults.push(missing(path, "an array", FaultKind::NullNotAllowed));
            }
            Self::List(list) => {
                let items = list.range(row);
                let first = items.start;
                for item in items {
                    list.child.explain(item, &format!("{path}[{}]", item - first), source, faults);
                }
            }
            Self::Skip(_) => {}
        }
    }
}

impl Leaf {
    fn append(&mut self, source: Source<'_>, parent: Option<&[bool]>) -> bool {
        self.before = self.builder.len();
        self.faults.reset(self.starts.len());
        self.builder.append(source, Spans::each(&self.starts, &self.ends), &mut self.faults);
        if self.required {
            for (row, _) in self.ends.iter().enumerate().filter(|(_, end)| **end == Spans::MISSING)
            {
                if parent.is_none_or(|p| p.get(row) == Some(&true)) {
                    self.faults.set(row);
                }
            }
        }
        self.faults.any()
    }

    fn explain(&self, row: usize, path: &str, source: &[u8]) -> Option<Fault> {
        if !self.faults.contains(row) {
            return None;
        }
        let reader = self.builder.reader();
        let spans = Spans::each(&self.starts, &self.ends);
        let fault = match spans.field(source, row) {
            Some(bytes) => reader.explain(bytes),
            None if self.starts.get(row) == Some(&NULL) => {
                Some(missing(path, &reader.expected(), FaultKind::NullNotAllowed))
            }
            None => Some(missing(path, &reader.expected(), FaultKind::Missing)),
        };
        let fault =
            fault.unwrap_or_else(|| missing(path, &reader.expected(), FaultKind::ColumnFull));
        Some(Fault { field: path.to_owned(), ..fault })
    }
}

impl ListNode {
    fn mark(&self, rows: &mut FaultMask) {
        self.faults.iter().for_each(|row| rows.set(row));
        let mut items = FaultMask::new();
        items.reset(self.items());
        self.child.mark(&mut items);
        if items.any() {
            for row in 0..self.ends.len() {
                if self.range(row).any(|item| items.contains(item)) {
                    rows.set(row);
                }
            }
        }
    }

    fn keep(&mut self, bad: &FaultMask) {
        let mut items = FaultMask::new();
        items.reset(self.items());
        bad.iter().flat_map(|row| self.range(row)).for_each(|item| items.set(item));
        self.child.keep(&items);
        let mut end = 0u32;
        let lengths: Vec<u32> = (0..self.ends.len())
            .filter(|row| !bad.contains(*row))
            .map(|row| u32::try_from(self.range(row).len()).unwrap_or(0))
            .collect();
        self.ends.clear();
        for length in lengths {
            end += length;
            self.ends.push(end);
        }
        retain(&mut self.valid, bad);
    }

    fn commit(&mut self) -> Result<()> {
        let base = self.done_ends.last().copied().unwrap_or(0);
        for end in self.ends.drain(..) {
            let end = i32::try_from(end).ok().and_then(|end| base.checked_add(end));
            self.done_ends
                .push(end.ok_or_else(|| Error::limit("batch_bytes", i32::MAX as u64, u64::MAX))?);
        }
        self.done.append(&mut self.valid);
        self.child.commit()
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let child = self.child.finish()?;
        let ends = std::mem::replace(&mut self.done_ends, vec![0]);
        let nulls = nulls(&mut self.done);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        ListArray::try_new(self.item.clone(), offsets, child, nulls)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(wrong)
    }
}

/// Marks the rows that have nothing though what they are part of is there.
fn absent(valid: &[bool], parent: Option<&[bool]>, faults: &mut FaultMask) -> bool {
    faults.reset(valid.len());
    for (row, _) in valid.iter().enumerate().filter(|(_, valid)| !**valid) {
        if parent.is_none_or(|p| p.get(row) == Some(&true)) {
            faults.set(row);
        }
    }
    faults.any()
}

fn retain<T>(rows: &mut Vec<T>, bad: &FaultMask) {
    let mut row = 0;
    rows.retain(|_| {
        row += 1;
        !bad.contains(row - 1)
    });
}

fn nulls(valid: &mut Vec<bool>) -> Option<NullBuffer> {
    let buffer: BooleanBuffer = valid.drain(..).collect();
    Some(NullBuffer::new(buffer)).filter(|n| n.null_count() > 0)
}

fn missing(path: &str, expected: &str, kind: FaultKind) -> Fault {
    Fault::new(kind.code(), path, expected, kind.to_string())
}

#[cold]
fn wrong(error: arrow_schema::ArrowError) -> Error {
    Error::new(Kind::Internal, "json.column", "the values do not make an array of their type")
        .caused_by(error)
}
