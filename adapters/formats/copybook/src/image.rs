//! The bytes of one record at its greatest size, and the tree's values written into them.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use fenhe_core::Fault;

use crate::columns::Leaf;
use crate::error;
use crate::expand::Counter;
use crate::layout::Layout;
use crate::nested::Node;
use crate::storage::Storage;
use crate::value::{Characters, write};
use crate::write::{Cell, FieldWriter};

/// A record under way.
#[derive(Debug)]
pub(crate) struct Image<'a> {
    bytes: &'a mut [u8],
    /// The bytes it had before, and how far they go.
    original: Option<&'a [u8]>,
    limit: usize,
    writer: &'a FieldWriter,
    pub(crate) pass: Pass,
    pub(crate) changed: bool,
    /// Behind the last byte written.
    pub(crate) end: usize,
    /// Counters with their base, the items of their list, and its path.
    pub(crate) counts: Vec<(Counter, usize, u32, String)>,
    bases: Vec<usize>,
}

/// Alternatives share bytes: what was written first may be overwritten, which a second pass notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Write,
    Check,
}

impl<'a> Image<'a> {
    pub(crate) fn new(
        bytes: &'a mut [u8],
        original: Option<&'a [u8]>,
        limit: usize,
        writer: &'a FieldWriter,
    ) -> Self {
        let (changed, end, counts) = (original.is_none(), 0, Vec::new());
        Self {
            bytes,
            original,
            limit,
            writer,
            pass: Pass::Write,
            changed,
            end,
            counts,
            bases: vec![0],
        }
    }

    /// A part of the tree. `shared`: its storage has alternatives, so that absent values leave it alone.
    pub(crate) fn node(
        &mut self,
        node: &Node,
        array: &ArrayRef,
        row: usize,
        base: usize,
        shared: bool,
    ) -> Result<(), Fault> {
        match node {
            Node::Leaf { at, leaf, .. } => {
                self.leaf(leaf, &Cell::of(array, row), base + at, shared)
            }
            Node::Guard { node, .. } => self.node(node, array, row, base, true),
            Node::Struct(inner) => {
                if array.is_null(row) {
                    return Ok(());
                }
                let columns = array.as_struct();
                // The first alternative is written last: it is the one that the others redefine.
                for (at, (child, column)) in
                    inner.children.iter().zip(columns.columns()).enumerate().rev()
                {
                    let alternative =
                        inner.choices.iter().any(|c| c.branches.iter().any(|(b, _)| *b == at));
                    self.node(child, column, row, base, shared || alternative)?;
                }
                Ok(())
            }
            Node::List(list) => {
                if array.is_null(row) && shared {
                    return Ok(());
                }
                let values = array.as_list::<i32>();
                let (offsets, items) = (values.value_offsets(), values.values());
                let bound =
                    |at: usize| offsets.get(at).map_or(0, |o| usize::try_from(*o).unwrap_or(0));
                let (from, to) = (bound(row), bound(row + 1));
                let count = u32::try_from(to - from).unwrap_or(u32::MAX);
                let range = if list.counter.is_some() {
                    list.table.min..=list.table.max
                } else {
                    list.table.max..=list.table.max
                };
                if !range.contains(&count) {
                    let expected = format!("{} to {} items", range.start(), range.end());
                    return Err(Fault::new(
                        error::OCCURS,
                        list.path.clone(),
                        expected,
                        format!("{count} items"),
                    ));
                }
                if let (Some(counter), Pass::Check) = (list.counter, self.pass) {
                    let base = self.bases.get(counter.depth).copied().unwrap_or(0);
                    self.counts.push((counter, base, count, list.path.clone()));
                }
                for (n, item) in (from..to).enumerate() {
                    let start = base + list.at + n * list.length;
                    self.bases.push(start);
                    let done = self.node(&list.item, items, item, start, false);
                    self.bases.pop();
                    done?;
                }
                Ok(())
            }
        }
    }

    /// The leaves of an unrolled tree, each with a column of its own.
    pub(crate) fn flat<'c>(
        &mut self,
        node: &Node,
        columns: &mut impl Iterator<Item = &'c ArrayRef>,
        row: usize,
    ) -> Result<(), Fault> {
        match node {
            Node::Struct(inner) => {
                inner.children.iter().try_for_each(|child| self.flat(child, columns, row))
            }
            Node::Guard { node, .. } => self.flat(node, columns, row),
            Node::Leaf { at, leaf, .. } => match columns.next() {
                Some(array) => self.leaf(leaf, &Cell::of(array, row), *at, true),
                None => Ok(()),
            },
            Node::List(_) => Ok(()),
        }
    }

    fn leaf(&mut self, leaf: &Leaf, cell: &Cell, at: usize, shared: bool) -> Result<(), Fault> {
        let to = at + leaf.length;
        if let Some(before) = self.original.and_then(|o| o.get(at..to)) {
            let cut = to > self.limit;
            if cut && *cell == Cell::Absent {
                return Ok(());
            }
            if !cut && self.writer.has(leaf, before, cell) {
                return Ok(());
            }
            // A text that is cut off by the end of the record reads as its beginning.
            let there =
                before.get(..self.limit.saturating_sub(at).min(leaf.length)).unwrap_or_default();
            if cut && self.writer.has(leaf, there, cell) {
                return Ok(());
            }
        }
        if *cell == Cell::Absent && shared {
            return Ok(());
        }
        let Some(field) = self.bytes.get_mut(at..to) else { return Ok(()) };
        if self.pass == Pass::Check {
            if *cell != Cell::Absent && !self.writer.has(leaf, field, cell) {
                let expected = "alternatives that agree, or only one that is there";
                return Err(Fault::new(
                    error::REDEFINES,
                    leaf.path.clone(),
                    expected,
                    "values that contradict each other, or blanks that are trimmed",
                ));
            }
            return Ok(());
        }
        self.writer.put(leaf, field, cell)?;
        self.changed = true;
        self.end = self.end.max(to);
        Ok(())
    }
}

/// An empty record: blank text, zero numbers, blank unnamed items.
pub(crate) fn template(layout: &Layout, characters: Characters) -> Vec<u8> {
    let length = usize::try_from(layout.length).unwrap_or(0);
    let mut bytes = vec![characters.blank(); length];
    // What is redefined comes before what redefines it: backwards, the first alternative wins.
    for field in layout.fields.iter().rev().filter(|f| f.tables.is_empty()) {
        let at = usize::try_from(field.offset).unwrap_or(usize::MAX);
        let to = at.saturating_add(usize::try_from(field.length).unwrap_or(usize::MAX));
        let Some(target) = bytes.get_mut(at..to) else { continue };
        match field.storage {
            Some(Storage::Text | Storage::Edited { .. } | Storage::National | Storage::Dbcs) => {
                target.fill(characters.blank())
            }
            Some(Storage::HexFloat | Storage::Float { .. } | Storage::Opaque) => target.fill(0),
            Some(storage) => {
                write(storage, 0, target, characters);
            }
            None => {}
        }
    }
    bytes
}
