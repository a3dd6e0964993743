//! Records as trees: the records of child types as lists in the record that they belong to.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray, UInt32Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow_select::take::take;
use fenhe_core::Result;

use crate::columns::full;
use crate::error;
use crate::layout::Layout;

/// Makes rows of trees out of rows of records.
#[derive(Debug)]
pub(crate) struct Forest {
    kinds: Vec<Kind>,
    /// Columns that every record has, whatever its type.
    common: Vec<usize>,
    flat: SchemaRef,
    schema: SchemaRef,
}

/// A record type with a parent or children.
#[derive(Debug)]
struct Kind {
    branch: usize,
    /// Its column among those of the records.
    column: usize,
    parent: Option<usize>,
    children: Vec<usize>,
}

/// What a row is: its record type, its number, and the number of its parent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) branch: Option<usize>,
    pub(crate) record: u64,
    pub(crate) parent: Option<u64>,
}

/// Rows by kind. A row of `None` stands for a parent that is not there.
#[derive(Debug, Default)]
struct Sorted {
    /// Row and number of each tree.
    top: Vec<(Option<u32>, u64)>,
    items: Vec<Vec<Node>>,
    /// Number and place of the last item of each kind.
    open: Vec<Option<(Option<u64>, u32)>>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    row: Option<u32>,
    /// Its parent among the items of its kind, or its tree.
    up: u32,
}

impl Forest {
    /// For columns of records, and for each child branch its parent branch.
    pub(crate) fn new(
        layout: &Layout,
        parents: &BTreeMap<usize, usize>,
        flat: SchemaRef,
    ) -> Result<Self> {
        let mut branches: Vec<usize> = parents.iter().flat_map(|(c, p)| [*c, *p]).collect();
        branches.sort_unstable();
        branches.dedup();
        let place = |branch: &usize| branches.iter().position(|b| b == branch);
        let mut kinds = Vec::new();
        for branch in &branches {
            let name = layout.field(*branch).map_or("", |f| f.name.as_str());
            let group = |at: &usize| matches!(flat.field(*at).data_type(), DataType::Struct(_));
            let column = flat.index_of(name).ok().filter(group).ok_or_else(|| {
                error::config(format!("nest: {name} is no group that has a column of its own"))
            })?;
            // A chain longer than there are kinds goes round.
            let chain = std::iter::successors(Some(branch), |b| parents.get(b));
            if chain.take(branches.len() + 1).count() > branches.len() {
                return Err(error::config(format!("parents: {name} is its own ancestor")));
            }
            let parent = parents.get(branch).and_then(place);
            let children =
                branches.iter().enumerate().filter(|(_, b)| parents.get(b) == Some(branch));
            let children = children.map(|(at, _)| at).collect();
            kinds.push(Kind { branch: *branch, column, parent, children });
        }
        let every = |column: &usize| !is_alternative(layout, flat.field(*column).name());
        let common = (0..flat.fields().len()).filter(every).collect();
        let mut forest = Self { kinds, common, schema: Arc::clone(&flat), flat };
        let fields: Vec<FieldRef> = forest
            .top()
            .map(|(at, kind)| {
                let field = forest.flat.field(at).clone();
                Arc::new(match kind {
                    Some(kind) => field.with_data_type(DataType::Struct(forest.fields(kind))),
                    None => field,
                })
            })
            .collect();
        let metadata = forest.flat.metadata().clone();
        forest.schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        Ok(forest)
    }

    /// Columns of the trees.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The trees of whole records, and the number of the record that each begins with.
    #[expect(clippy::indexing_slicing, reason = "items are sorted by kind, and name their tree")]
    pub(crate) fn grow(
        &self,
        records: &RecordBatch,
        links: &[Link],
    ) -> Result<(RecordBatch, Vec<u64>)> {
        let mut sorted = Sorted {
            items: self.kinds.iter().map(|_| Vec::new()).collect(),
            open: vec![None; self.kinds.len()],
            ..Sorted::default()
        };
        for (row, link) in (0u32..).zip(links) {
            self.sort(&mut sorted, row, link);
        }
        let rows = UInt32Array::from_iter(sorted.top.iter().map(|(row, _)| *row));
        let columns = self.top().map(|(at, kind)| match kind {
            None => Ok(take(records.column(at), &rows, None)?),
            Some(kind) => {
                let mut of = vec![None; sorted.top.len()];
                for (item, node) in (0u32..).zip(&sorted.items[kind]) {
                    of[node.up as usize] = Some(item);
                }
                let items: ArrayRef = Arc::new(self.items(kind, records, &sorted)?);
                Ok(take(&items, &UInt32Array::from(of), None)?)
            }
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        let count = RecordBatchOptions::new().with_row_count(Some(sorted.top.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &count)?;
        Ok((batch, sorted.top.iter().map(|(_, number)| *number).collect()))
    }

    /// Columns of a tree: those of no kind, and those of kinds without a parent.
    fn top(&self) -> impl Iterator<Item = (usize, Option<usize>)> {
        (0..self.flat.fields().len()).filter_map(|column| {
            match self.kinds.iter().enumerate().find(|(_, kind)| kind.column == column) {
                None => Some((column, None)),
                Some((at, kind)) => kind.parent.is_none().then_some((column, Some(at))),
            }
        })
    }

    /// Columns of every record: a child keeps its own, beside those of its group.
    #[expect(clippy::indexing_slicing, reason = "numbers of kinds are made by `new`")]
    fn common(&self, kind: usize) -> impl Iterator<Item = usize> {
        let child = self.kinds[kind].parent.is_some();
        self.common.iter().copied().filter(move |_| child)
    }

    #[expect(clippy::indexing_slicing, reason = "numbers of kinds are made by `new`")]
    fn fields(&self, kind: usize) -> Fields {
        let mut fields: Vec<FieldRef> = Vec::new();
        let mut add = |field: FieldRef| {
            let taken = |name: &str| fields.iter().any(|f| f.name().eq_ignore_ascii_case(name));
            let mut name = field.name().clone();
            let mut n = 2;
            while taken(&name) {
                name = format!("{}_{n}", field.name());
                n += 1;
            }
            let field = if name == *field.name() {
                field
            } else {
                Arc::new(field.as_ref().clone().with_name(name))
            };
            fields.push(field);
        };
        self.common(kind).for_each(|column| add(Arc::clone(&self.flat.fields()[column])));
        if let DataType::Struct(own) = self.flat.field(self.kinds[kind].column).data_type() {
            own.iter().for_each(|field| add(Arc::clone(field)));
        }
        for child in &self.kinds[kind].children {
            let item = Field::new("item", DataType::Struct(self.fields(*child)), true);
            let name = self.flat.field(self.kinds[*child].column).name();
            add(Arc::new(crate::schema::list(name, item)));
        }
        fields.into()
    }

    fn sort(&self, sorted: &mut Sorted, row: u32, link: &Link) {
        let kind = self.kinds.iter().position(|k| Some(k.branch) == link.branch);
        match kind {
            Some(kind) => self.put(sorted, kind, Some(row), Some(link.record), link),
            None => sorted.top.push((Some(row), link.record)),
        }
    }

    /// Adds an item to the parent that it names, or to an empty one when that was rejected or never came.
    #[expect(clippy::indexing_slicing, reason = "one entry of each kind")]
    fn put(
        &self,
        sorted: &mut Sorted,
        kind: usize,
        row: Option<u32>,
        number: Option<u64>,
        link: &Link,
    ) {
        let up = match self.kinds[kind].parent {
            None => {
                sorted.top.push((row, link.record));
                sorted.top.len() - 1
            }
            Some(parent) => {
                // What is made up belongs to the parent at hand.
                let there = sorted.open[parent].filter(|(n, _)| row.is_none() || *n == link.parent);
                if there.is_none() {
                    self.put(sorted, parent, None, link.parent, link);
                }
                sorted.open[parent].map_or(0, |(_, at)| at as usize)
            }
        };
        let at = place(sorted.items[kind].len());
        sorted.items[kind].push(Node { row, up: place(up) });
        sorted.open[kind] = Some((number, at));
    }

    /// All items of a kind with their children.
    #[expect(
        clippy::indexing_slicing,
        reason = "one entry of each kind, items name one of their parent kind, and a field is made for each column"
    )]
    fn items(&self, kind: usize, records: &RecordBatch, sorted: &Sorted) -> Result<StructArray> {
        let nodes = &sorted.items[kind];
        let rows = UInt32Array::from_iter(nodes.iter().map(|node| node.row));
        let mut columns: Vec<ArrayRef> = Vec::new();
        for column in self.common(kind) {
            columns.push(take(records.column(column), &rows, None)?);
        }
        let own = take(records.column(self.kinds[kind].column), &rows, None)?;
        columns.extend(own.as_struct().columns().iter().cloned());
        let fields = self.fields(kind);
        for child in &self.kinds[kind].children {
            let values: ArrayRef = Arc::new(self.items(*child, records, sorted)?);
            let mut counts = vec![0usize; nodes.len()];
            sorted.items[*child].iter().for_each(|node| counts[node.up as usize] += 1);
            if values.len() > i32::MAX as usize {
                return Err(full(fenhe_kernels::Full));
            }
            let offsets = OffsetBuffer::<i32>::from_lengths(counts);
            let DataType::List(item) = fields[columns.len()].data_type() else {
                return Err(error::config("a list of children that is none"));
            };
            columns.push(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?));
        }
        Ok(StructArray::try_new_with_length(fields, columns, None, nodes.len())?)
    }
}

/// Whether the column is one of several record types, or shares its storage.
fn is_alternative(layout: &Layout, column: &str) -> bool {
    layout.fields.iter().enumerate().any(|(index, field)| {
        let record = layout.records.len() > 1 && layout.records.contains(&index);
        let top = record || field.parent.is_some_and(|p| layout.records.contains(&p));
        let shares = record || field.redefined || field.redefines.is_some();
        top && shares && field.name.eq_ignore_ascii_case(column)
    })
}

/// Rows of a batch are far below 4 billion.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
