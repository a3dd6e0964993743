//! The columns of a record as a tree: where their values stand in a block, and the arrays they become.
//!
//! Records fill in places (`u32` pairs into the text of the block), blocks turn places into values. A row that a
//! record says nothing about is filled up later, so absent keys cost nothing.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, FieldRef, Fields};
use fenhe_core::schema::{NATIVE_TYPE, SPELLING};
use fenhe_core::{Error, Kind, Result};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;
use fenhe_values::{ColumnBuilder, FaultMask, FieldSpec, SchemaField, Spans};

use crate::token::MAX_DEPTH;

/// Native type of a text column that holds the text of a JSON value of any kind.
pub(crate) const RAW: &str = "json";
/// Native type of a text column that holds strings as they are and the text of any other JSON value.
pub(crate) const ANY: &str = "json any";
/// Where the start of an absent value would be; an explicit null has 1.
pub(crate) const ABSENT: u32 = 0;
pub(crate) const NULL: u32 = 1;

/// One column, at any depth.
#[derive(Debug)]
pub(crate) enum Node {
    Leaf(Box<Leaf>),
    Struct(Box<StructNode>),
    List(Box<ListNode>),
    /// A column of the schema that was not asked for: how many rows have had it.
    Skip(usize),
}

/// A column of single values.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) accept: Accept,
    pub(crate) starts: Vec<u32>,
    pub(crate) ends: Vec<u32>,
    pub(crate) builder: ColumnBuilder,
    pub(crate) required: bool,
    pub(crate) faults: FaultMask,
    pub(crate) before: usize,
}

/// Which JSON values a leaf takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    Text,
    Boolean,
    /// A number that is read exactly: exponents are written out.
    Exact,
    Float,
    Raw,
    Any,
}

/// An object. The root is one.
#[derive(Debug)]
pub(crate) struct StructNode {
    pub(crate) names: Vec<String>,
    pub(crate) children: Vec<Node>,
    pub(crate) index: HashMap<Vec<u8>, usize>,
    pub(crate) fields: Fields,
    /// Whether each row of the block is an object.
    pub(crate) valid: Vec<bool>,
    /// The same for the blocks before.
    pub(crate) done: Vec<bool>,
    pub(crate) required: bool,
    pub(crate) faults: FaultMask,
}

/// A list.
#[derive(Debug)]
pub(crate) struct ListNode {
    pub(crate) item: FieldRef,
    pub(crate) child: Node,
    /// Where the items of each row of the block end, among those of the block.
    pub(crate) ends: Vec<u32>,
    pub(crate) valid: Vec<bool>,
    /// The same for the blocks before, as offsets of the array.
    pub(crate) done_ends: Vec<i32>,
    pub(crate) done: Vec<bool>,
    pub(crate) required: bool,
    pub(crate) faults: FaultMask,
}

impl StructNode {
    /// The root for these columns. `wanted`: which of them become arrays.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for types that JSON values do not become.
    pub(crate) fn root(
        fields: &Fields,
        wanted: impl Fn(usize) -> bool,
        pools: &Pools,
        rows: usize,
    ) -> Result<Self> {
        Self::new(fields, &wanted, pools, rows, 0)
    }

    fn new(
        fields: &Fields,
        wanted: &dyn Fn(usize) -> bool,
        pools: &Pools,
        rows: usize,
        depth: usize,
    ) -> Result<Self> {
        let node = |(number, field): (usize, &FieldRef)| match wanted(number) {
            true => Node::new(field, pools, rows, depth + 1),
            false => Ok(Node::Skip(0)),
        };
        let names: Vec<String> = fields.iter().map(|f| f.name().clone()).collect();
        let index: HashMap<_, _> =
            names.iter().enumerate().map(|(i, n)| (n.as_bytes().to_vec(), i)).collect();
        if index.len() < names.len() {
            return Err(crate::error::config("two columns of the schema have the same name"));
        }
        Ok(Self {
            children: fields.iter().enumerate().map(node).collect::<Result<_>>()?,
            names,
            index,
            fields: fields.clone(),
            valid: Vec::new(),
            done: Vec::new(),
            required: false,
            faults: FaultMask::new(),
        })
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
        self.children.iter_mut().for_each(|child| child.truncate(rows));
    }

    pub(crate) fn pad(&mut self, rows: usize) {
        self.valid.resize(rows, false);
        self.children.iter_mut().for_each(|child| child.pad(rows));
    }
}

impl Node {
    fn new(field: &Field, pools: &Pools, rows: usize, depth: usize) -> Result<Self> {
        // Half of the depth of input: the tree is walked by recursion.
        if depth > MAX_DEPTH / 2 {
            return Err(Error::limit("depth", MAX_DEPTH as u64 / 2, depth as u64));
        }
        let required = !field.is_nullable();
        Ok(match field.data_type() {
            DataType::Struct(fields) if !fields.is_empty() => {
                let node = StructNode::new(fields, &|_| true, pools, rows, depth)?;
                Self::Struct(Box::new(StructNode { required, ..node }))
            }
            DataType::List(item) => Self::List(Box::new(ListNode {
                item: item.clone(),
                child: Self::new(item, pools, rows, depth + 1)?,
                ends: Vec::new(),
                valid: Vec::new(),
                done_ends: vec![0],
                done: Vec::new(),
                required,
                faults: FaultMask::new(),
            })),
            _ => Self::Leaf(Box::new(Leaf::new(field, pools, rows)?)),
        })
    }

    /// Takes back all rows of the block from `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Leaf(leaf) => {
                leaf.starts.truncate(rows);
                leaf.ends.truncate(rows);
            }
            Self::Struct(node) => node.truncate(rows),
            Self::List(list) => {
                list.valid.truncate(rows);
                list.ends.truncate(rows);
                list.child.truncate(list.items());
            }
            Self::Skip(had) => *had = (*had).min(rows),
        }
    }

    /// Fills up with absent values to `rows` rows.
    pub(crate) fn pad(&mut self, rows: usize) {
        match self {
            Self::Leaf(leaf) => {
                leaf.starts.resize(rows, ABSENT);
                leaf.ends.resize(rows, Spans::MISSING);
            }
            Self::Struct(node) => node.pad(rows),
            Self::List(list) => {
                list.pad(rows);
                let items = list.items();
                list.child.pad(items);
            }
            Self::Skip(had) => *had = rows,
        }
    }
}

impl Leaf {
    fn new(field: &Field, pools: &Pools, rows: usize) -> Result<Self> {
        let native = field.metadata().get(NATIVE_TYPE).map(String::as_str);
        let accept = match (field.data_type(), native) {
            (DataType::Utf8, Some(RAW)) => Accept::Raw,
            (DataType::Utf8, Some(ANY)) => Accept::Any,
            (DataType::Boolean, _) => Accept::Boolean,
            (DataType::Float32 | DataType::Float64, _) => Accept::Float,
            (data_type, _) if data_type.is_integer() || data_type.is_decimal() => Accept::Exact,
            _ => Accept::Text,
        };
        let builder =
            ColumnBuilder::new(&spec(field)?, Encoding::UTF_8, pools, rows).map_err(|e| {
                if e.kind() != Kind::Unsupported && e.code() != "value.spec" {
                    return e;
                }
                Error::new(
                    Kind::Config,
                    "json.type",
                    format!("JSON values do not become {}", field.data_type()),
                )
                .at_field(field.name())
                .caused_by(e)
            })?;
        Ok(Self {
            accept,
            starts: Vec::new(),
            ends: Vec::new(),
            builder,
            required: !field.is_nullable(),
            faults: FaultMask::new(),
            before: 0,
        })
    }

    /// Sets the value of a row; `false` when it has one.
    #[inline(always)]
    pub(crate) fn put(&mut self, row: usize, start: u32, end: u32) -> bool {
        if self.starts.len() < row {
            self.starts.resize(row, ABSENT);
            self.ends.resize(row, Spans::MISSING);
        }
        if self.starts.len() != row {
            return false;
        }
        self.starts.push(start);
        self.ends.push(end);
        true
    }
}

impl ListNode {
    /// Items of the block so far.
    pub(crate) fn items(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }

    pub(crate) fn pad(&mut self, rows: usize) {
        let last = self.ends.last().copied().unwrap_or(0);
        self.ends.resize(rows, last);
        self.valid.resize(rows, false);
    }

    /// The items of a row of the block.
    pub(crate) fn range(&self, row: usize) -> std::ops::Range<usize> {
        let end = |row: usize| self.ends.get(row).map_or(0, |end| *end as usize);
        row.checked_sub(1).map_or(0, end)..end(row)
    }
}

/// How the values of a field are spelled within JSON: as a schema file says, else plainly. Absence is JSON's own `null`
/// unless the schema spells it. That a field is required is checked by the tree, because the fields of an absent
/// object are absent.
pub(crate) fn spec(field: &Field) -> Result<FieldSpec> {
    let mut spec = FieldSpec::new(field.name(), field.data_type().clone());
    spec.spelling.nulls = Vec::new();
    if field.metadata().contains_key(SPELLING) {
        spec.spelling = SchemaField::from_field(field)?.spec.spelling;
        spec.spelling.nulls.retain(|word| !word.is_empty());
    }
    Ok(spec)
}
