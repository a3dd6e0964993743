//! Blocks of records to nested arrays: groups are structs, tables are lists.

mod choice;
mod plan;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{Field as ArrowField, FieldRef, Fields};
use fenhe_core::{Fault, Result};

use crate::columns::{Leaf, MISSING, Mask, Places, Reasons, Window};
use crate::error;
use crate::expand::Counter;
use crate::layout::Table;
use crate::value::Characters;
pub(crate) use choice::Choice;
use choice::append_choice;
pub(crate) use plan::{Plan, plan};

/// A part of the tree of columns.
#[derive(Debug)]
pub(crate) enum Node {
    Leaf {
        field: FieldRef,
        at: usize,
        leaf: Box<Leaf>,
    },
    Struct(StructNode),
    List(ListNode),
    /// One occurrence of an unrolled table.
    Guard {
        name: String,
        counter: Counter,
        table: Table,
        index: u32,
        characters: Characters,
        node: Box<Node>,
    },
}

/// A group.
#[derive(Debug)]
pub(crate) struct StructNode {
    pub(crate) field: FieldRef,
    pub(crate) children: Vec<Node>,
    pub(crate) choices: Vec<Choice>,
    /// Whether each row has it; empty while all rows do.
    present: Vec<bool>,
    rows: usize,
}

/// A table.
#[derive(Debug)]
pub(crate) struct ListNode {
    pub(crate) field: FieldRef,
    pub(crate) path: String,
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) table: Table,
    pub(crate) counter: Option<Counter>,
    pub(crate) characters: Characters,
    pub(crate) item: Box<Node>,
    offsets: Vec<i32>,
    present: Vec<bool>,
}

/// The rows of one depth: records, or occurrences of a table.
#[derive(Debug, Default)]
pub(crate) struct Level {
    pub(crate) starts: Vec<u32>,
    pub(crate) limits: Vec<u32>,
    /// The row of the level above that each row belongs to.
    pub(crate) up: Vec<u32>,
    /// First start and distance, when all records are whole.
    pub(crate) even: Option<(usize, usize)>,
}

/// A block of records under way through the tree.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(crate) window: Window<'a>,
    pub(crate) levels: Vec<Level>,
}

impl Block<'_> {
    fn level(&self) -> &Level {
        // There is always the level of the records.
        const NONE: &Level =
            &Level { starts: Vec::new(), limits: Vec::new(), up: Vec::new(), even: None };
        self.levels.last().unwrap_or(NONE)
    }

    fn rows(&self) -> usize {
        self.level().starts.len()
    }

    /// The bytes of an item that belongs to an outer or the same occurrence; `None` beyond the end of the record.
    fn bytes(&self, place: &Counter, row: usize) -> Option<&[u8]> {
        let mut row = row;
        for level in self.levels.get(place.depth + 1..).unwrap_or_default().iter().rev() {
            row = *level.up.get(row)? as usize;
        }
        let level = self.levels.get(place.depth)?;
        let from = (*level.starts.get(row)? as usize).checked_add(place.at)?;
        let to = from.checked_add(place.length)?;
        self.window
            .raw
            .get(from..to)
            .filter(|_| level.limits.get(row).is_some_and(|l| to <= *l as usize))
    }
}

impl Node {
    pub(crate) fn field(&self) -> FieldRef {
        match self {
            Self::Leaf { field, .. } => Arc::clone(field),
            Self::Struct(node) => Arc::clone(&node.field),
            Self::List(node) => Arc::clone(&node.field),
            Self::Guard { node, .. } => node.field(),
        }
    }

    /// Appends the rows of the innermost level; `mask` says which of them have this part.
    pub(crate) fn append(
        &mut self,
        block: &mut Block<'_>,
        mask: Option<&[bool]>,
        faults: &mut Mask,
        reasons: Reasons<'_>,
    ) -> Result<()> {
        match self {
            Self::Leaf { at, leaf, .. } => append_leaf(leaf, *at, block, mask, faults, reasons),
            Self::Struct(node) => node.append(block, mask, faults, reasons),
            Self::List(node) => node.append(block, mask, faults, reasons),
            Self::Guard { name, counter, table, index, characters, node, .. } => {
                let mut reasons = reasons;
                let mut present = Vec::with_capacity(block.rows());
                for row in 0..block.rows() {
                    let wanted = mask.is_none_or(|m| m.get(row).copied().unwrap_or(false));
                    let count = block
                        .bytes(counter, row)
                        .and_then(|b| counter.count(b, *table, *characters));
                    if wanted && count.is_none() && *index == 0 {
                        bad_count(name, *table, row, faults, reasons.as_deref_mut());
                    }
                    present.push(wanted && count.is_some_and(|n| n > *index));
                }
                node.append(block, Some(&present), faults, reasons)
            }
        }
    }

    /// The array of all rows.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        match self {
            Self::Leaf { leaf, .. } => leaf.finish(),
            Self::Struct(node) => node.finish(),
            Self::List(node) => node.finish(),
            Self::Guard { node, .. } => node.finish(),
        }
    }

    /// The leaves as columns of their own.
    pub(crate) fn finish_flat(&mut self, out: &mut Vec<ArrayRef>) -> Result<()> {
        match self {
            Self::Struct(node) => {
                node.reset();
                node.children.iter_mut().try_for_each(|child| child.finish_flat(out))
            }
            Self::Guard { node, .. } => node.finish_flat(out),
            other => {
                out.push(other.finish()?);
                Ok(())
            }
        }
    }

    /// The fields of the leaves, in the order of [`finish_flat`](Self::finish_flat).
    pub(crate) fn flat_fields(&self, out: &mut Vec<FieldRef>) {
        match self {
            Self::Struct(node) => node.children.iter().for_each(|child| child.flat_fields(out)),
            Self::Guard { node, .. } => node.flat_fields(out),
            other => out.push(other.field()),
        }
    }
}

impl StructNode {
    pub(crate) fn new(field: FieldRef, children: Vec<Node>, choices: Vec<Choice>) -> Self {
        Self { field, children, choices, present: Vec::new(), rows: 0 }
    }

    /// Appends all rows of a block of records.
    pub(crate) fn append_rows(
        &mut self,
        block: &mut Block<'_>,
        faults: &mut Mask,
        reasons: Reasons<'_>,
    ) -> Result<()> {
        self.append(block, None, faults, reasons)
    }

    fn append(
        &mut self,
        block: &mut Block<'_>,
        mask: Option<&[bool]>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        let rows = block.rows();
        if mask.is_some() && self.present.is_empty() {
            self.present.resize(self.rows, true);
        }
        match mask {
            Some(mask) => self.present.extend_from_slice(mask),
            None if !self.present.is_empty() => self.present.resize(self.rows + rows, true),
            None => {}
        }
        self.rows += rows;
        let mut next = 0;
        while next < self.children.len() {
            let choice = self.choices.iter().find(|c| c.branches.iter().any(|(b, _)| *b == next));
            match choice {
                None => {
                    if let Some(child) = self.children.get_mut(next) {
                        child.append(block, mask, faults, reasons.as_deref_mut())?;
                    }
                    next += 1;
                }
                Some(choice) => {
                    next = choice.branches.iter().map(|(b, _)| b + 1).max().unwrap_or(next + 1);
                    append_choice(
                        &mut self.children,
                        choice,
                        block,
                        mask,
                        faults,
                        reasons.as_deref_mut(),
                    )?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn reset(&mut self) {
        self.present.clear();
        self.rows = 0;
    }

    /// The arrays of the children.
    pub(crate) fn finish_children(&mut self) -> Result<Vec<ArrayRef>> {
        self.reset();
        self.children.iter_mut().map(Node::finish).collect()
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let present = std::mem::take(&mut self.present);
        let rows = self.rows;
        let nulls = present.iter().any(|p| !p).then(|| NullBuffer::from(present));
        let arrays = self.finish_children()?;
        let fields: Fields = self.children.iter().map(Node::field).collect();
        Ok(Arc::new(StructArray::try_new_with_length(fields, arrays, nulls, rows)?))
    }
}

impl ListNode {
    #[allow(clippy::too_many_arguments, reason = "the parts of a table, once, from the plan")]
    pub(crate) fn new(
        name: &str,
        path: String,
        at: usize,
        length: usize,
        table: Table,
        counter: Option<Counter>,
        characters: Characters,
        item: Node,
    ) -> Self {
        let inner: ArrowField = item.field().as_ref().clone();
        let field = Arc::new(crate::schema::list(name, inner));
        Self {
            field,
            path,
            at,
            length,
            table,
            counter,
            characters,
            item: Box::new(item),
            offsets: vec![0],
            present: Vec::new(),
        }
    }

    fn append(
        &mut self,
        block: &mut Block<'_>,
        mask: Option<&[bool]>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        let rows = block.rows();
        let mut level = Level::default();
        let mut end = self.offsets.last().copied().unwrap_or(0);
        for row in 0..rows {
            let there = mask.is_none_or(|m| m.get(row).copied().unwrap_or(false));
            let count = if there { self.count(block, row) } else { Some(0) };
            if count.is_none() {
                bad_count(&self.path, self.table, row, faults, reasons.as_deref_mut());
            }
            let count = count.unwrap_or(0);
            let outer = block.level();
            let (start, limit) = match (outer.starts.get(row), outer.limits.get(row)) {
                (Some(start), Some(limit)) => (*start as usize + self.at, *limit),
                _ => (0, 0),
            };
            for n in 0..count as usize {
                level.starts.push(place(start + n * self.length));
                level.limits.push(limit);
                level.up.push(place(row));
            }
            end = i32::try_from(count)
                .ok()
                .and_then(|n| end.checked_add(n))
                .ok_or_else(|| crate::columns::full(fenhe_kernels::Full))?;
            self.offsets.push(end);
            self.present.push(there);
        }
        let mut inner = Mask::new(level.starts.len());
        block.levels.push(level);
        let mut found: Vec<(usize, Fault)> = Vec::new();
        let result =
            self.item.append(block, None, &mut inner, reasons.is_some().then_some(&mut found));
        let level = block.levels.pop().unwrap_or_default();
        result?;
        for row in inner.rows() {
            faults.set(level.up.get(row).map_or(0, |r| *r as usize));
        }
        if let Some(reasons) = reasons {
            for (row, fault) in found {
                let up = level.up.get(row).map_or(0, |r| *r as usize);
                let first = level.up.iter().position(|u| *u as usize == up).unwrap_or(0);
                let field = indexed(&fault.field, &self.path, row - first);
                reasons.push((up, Fault { field, ..fault }));
            }
        }
        Ok(())
    }

    fn count(&self, block: &Block<'_>, row: usize) -> Option<u32> {
        match &self.counter {
            None => Some(self.table.max),
            Some(counter) => counter.count(block.bytes(counter, row)?, self.table, self.characters),
        }
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let present = std::mem::take(&mut self.present);
        let nulls = present.iter().any(|p| !p).then(|| NullBuffer::from(present));
        let values = self.item.finish()?;
        let arrow_schema::DataType::List(item) = self.field.data_type() else {
            return Err(error::config("a table that is no list"));
        };
        let array =
            ListArray::try_new(Arc::clone(item), OffsetBuffer::new(offsets.into()), values, nulls)?;
        Ok(Arc::new(array) as Arc<dyn Array>)
    }
}

/// The path of a fault below a table, with the number of the occurrence (from 1).
fn indexed(field: &str, table: &str, index: usize) -> String {
    match field.strip_prefix(table) {
        Some(rest) => format!("{table}[{}]{rest}", index + 1),
        None => field.to_owned(),
    }
}

fn append_leaf(
    leaf: &mut Leaf,
    at: usize,
    block: &Block<'_>,
    mask: Option<&[bool]>,
    faults: &mut Mask,
    reasons: Reasons<'_>,
) -> Result<()> {
    let level = block.level();
    let rows = level.starts.len();
    if let (Some((first, stride)), None) = (level.even, mask) {
        return leaf.append(
            block.window,
            Places::Even { first: first + at, stride, rows },
            faults,
            reasons,
        );
    }
    let shift = place(at);
    let there = |row: usize| mask.is_none_or(|m| m.get(row).copied().unwrap_or(false));
    let starts: Vec<u32> = level
        .starts
        .iter()
        .enumerate()
        .map(
            |(row, start)| {
                if there(row) { start.saturating_add(shift).min(MISSING - 1) } else { MISSING }
            },
        )
        .collect();
    leaf.append(
        block.window,
        Places::Listed { starts: &starts, limits: &level.limits },
        faults,
        reasons,
    )
}

#[cold]
fn bad_count(path: &str, table: Table, row: usize, faults: &mut Mask, reasons: Reasons<'_>) {
    faults.set(row);
    if let Some(reasons) = reasons {
        let expected = format!("a count from {} to {}", table.min, table.max);
        reasons
            .push((row, Fault::new(error::OCCURS, path, expected, "another count, or no number")));
    }
}

/// Places within a block are far below 4 GiB.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(MISSING - 1)
}
