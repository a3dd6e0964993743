//! From the layout to the tree of columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, FieldRef, Fields, Schema, SchemaRef};
use fenhe_core::{Limits, Result, schema as core_schema};
use fenhe_kernels::Pools;

use super::{Choice, ListNode, Node, StructNode};
use crate::columns::Leaf;
use crate::error;
use crate::expand::Counter;
use crate::layout::{Field, Layout, MAX_FLAT};
use crate::options::{CopybookOptions, Fillers, Redefines, RenamedItems};
use crate::schema;
use crate::segments::{Rule, Selector};
use crate::value::Characters;

/// The tree of columns of a record (or of several record types), and the schema of its rows.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) root: StructNode,
    /// Columns from the copybook; what a reader adds comes after them.
    pub(crate) schema: SchemaRef,
    /// For each column, its index in the tree's order.
    pub(crate) order: Vec<usize>,
    pub(crate) flat: bool,
}

/// Plans the columns of `record` (an index of level 01), or of all record types.
pub(crate) fn plan(
    layout: &Layout,
    options: &CopybookOptions,
    rules: &[Rule],
    record: Option<usize>,
    columns: Option<&[String]>,
    rows: usize,
) -> Result<Plan> {
    let mut planner = Planner {
        layout,
        options,
        rules,
        pools: Pools::default(),
        rows,
        wanted: None,
        leaves: 0,
        unrolled: Vec::new(),
        prefix: Vec::new(),
    };
    let all = planner.root(record)?;
    let whole = schema_of(&all, options.flatten);
    let schema = core_schema::project(&whole, columns)?;
    let Some(columns) = columns else {
        let order = (0..whole.fields().len()).collect();
        return Ok(Plan { root: all, schema, order, flat: options.flatten });
    };
    planner.wanted = Some(columns.iter().cloned().collect());
    planner.leaves = 0;
    let root = planner.root(record)?;
    let built = schema_of(&root, options.flatten);
    let order = core_schema::projection(&built, columns)?;
    Ok(Plan { root, schema, order, flat: options.flatten })
}

fn schema_of(root: &StructNode, flat: bool) -> SchemaRef {
    let mut fields: Vec<FieldRef> = Vec::new();
    if flat {
        root.children.iter().for_each(|child| child.flat_fields(&mut fields));
    } else {
        fields.extend(root.children.iter().map(Node::field));
    }
    let metadata = HashMap::from([(core_schema::FORMAT.to_owned(), "copybook".to_owned())]);
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

struct Planner<'a> {
    layout: &'a Layout,
    options: &'a CopybookOptions,
    rules: &'a [Rule],
    pools: Pools,
    rows: usize,
    wanted: Option<std::collections::HashSet<String>>,
    leaves: u64,
    /// Tables that are unrolled around the current item, with the occurrence.
    unrolled: Vec<(usize, usize)>,
    /// Names around the current item, for flattened names.
    prefix: Vec<String>,
}

impl Planner<'_> {
    fn root(&mut self, record: Option<usize>) -> Result<StructNode> {
        let records = self.layout.records.as_slice();
        let field =
            |fields: Fields| Arc::new(ArrowField::new("record", DataType::Struct(fields), true));
        match (record, records) {
            (Some(one), _) | (None, &[one]) => {
                let Some(item) = self.layout.field(one) else {
                    return Err(error::config("the copybook has no record"));
                };
                if item.children.is_empty() {
                    // A record that is one item, or a table of items.
                    let children: Vec<Node> = self.item(one, true)?.into_iter().collect();
                    return Ok(StructNode::new(field(Fields::empty()), children, Vec::new()));
                }
                let (mut children, mut choices) = self.children(&item.children.clone(), true)?;
                self.renames(one, true, &mut children, &mut choices)?;
                Ok(StructNode::new(field(Fields::empty()), children, choices))
            }
            (None, several) => {
                let (children, choices) = self.children(several, true)?;
                Ok(StructNode::new(field(Fields::empty()), children, choices))
            }
        }
    }

    /// The nodes of the items of a group, and which of them share storage.
    fn children(&mut self, items: &[usize], top: bool) -> Result<(Vec<Node>, Vec<Choice>)> {
        let records = self.layout.records.len() > 1 && items == self.layout.records.as_slice();
        let mut nodes: Vec<Node> = Vec::new();
        let mut choices: Vec<(usize, Choice)> = Vec::new();
        let mut names: HashMap<String, usize> = HashMap::new();
        for index in items {
            let Some(item) = self.layout.field(*index) else { continue };
            let shares = records || item.redefined || item.redefines.is_some();
            let first = if records {
                items.first().copied().unwrap_or(*index)
            } else {
                item.redefines.unwrap_or(*index)
            };
            if shares
                && self.options.redefines == Redefines::First
                && first != *index
                && self.rule(*index).is_none()
            {
                continue;
            }
            if shares && !choices.iter().any(|(f, _)| *f == first) {
                let path = if records { String::new() } else { self.layout.path(first) };
                choices.push((first, Choice { branches: Vec::new(), complete: true, path }));
            }
            let choice = choices.iter().position(|(f, _)| shares && *f == first);
            let Some(mut node) = self.item(*index, top)? else {
                if let Some((_, choice)) = choice.and_then(|at| choices.get_mut(at)) {
                    choice.complete = false;
                }
                continue;
            };
            // The same name twice in one group is legal COBOL; columns need different ones.
            let name = node.field().name().clone();
            let seen = names.entry(name.to_uppercase()).or_insert(0);
            *seen += 1;
            if *seen > 1 && !self.options.flatten {
                rename(&mut node, &format!("{name}_{seen}"));
            }
            if let Some((_, choice)) = choice.and_then(|at| choices.get_mut(at)) {
                choice.branches.push((nodes.len(), self.selector(*index)));
            }
            nodes.push(node);
        }
        Ok((nodes, choices.into_iter().map(|(_, choice)| choice).collect()))
    }

    fn rule(&self, branch: usize) -> Option<&Rule> {
        self.rules.iter().find(|r| r.branch == branch)
    }

    fn selector(&self, branch: usize) -> Option<Selector> {
        let rule = self.rule(branch)?;
        let mut tests = Vec::new();
        for other in self.rules.iter().filter(|r| r.branch == branch && r.field == rule.field) {
            tests.extend(other.tests.iter().cloned());
        }
        let characters = Characters::new(self.layout.page, self.options);
        Some(Selector { place: self.place(rule.field)?, tests, characters })
    }

    /// Where an item is, seen from the occurrences that are unrolled.
    fn place(&self, index: usize) -> Option<Counter> {
        let mut place = Counter::of(self.layout, index)?;
        if self.options.flatten {
            let field = self.layout.field(index)?;
            place.depth = 0;
            place.at = usize::try_from(field.offset).ok()? + self.shift(field);
        }
        Some(place)
    }

    /// How far the occurrences that are unrolled around an item move it.
    fn shift(&self, field: &Field) -> usize {
        let length = |table: usize| {
            self.layout.field(table).map_or(0, |f| usize::try_from(f.length).unwrap_or(0))
        };
        let around = self.unrolled.iter().filter(|(table, _)| field.tables.contains(table));
        around.map(|(table, n)| length(*table) * n).sum()
    }

    /// The node of an item with all its occurrences; `None` when it gives no column.
    fn item(&mut self, index: usize, top: bool) -> Result<Option<Node>> {
        let Some(field) = self.layout.field(index) else { return Ok(None) };
        if field.filler && field.children.is_empty() && self.options.fillers == Fillers::Drop {
            return Ok(None);
        }
        if top
            && !self.options.flatten
            && self.wanted.as_ref().is_some_and(|w| !w.contains(&field.name))
        {
            return Ok(None);
        }
        match field.occurs {
            None => self.one(index, &field.name),
            Some(_) if self.options.flatten => self.unroll(index),
            Some(table) => {
                let Some(item) = self.one(index, "item")? else { return Ok(None) };
                let path = self.layout.path(index);
                let characters = Characters::new(self.layout.page, self.options);
                let counter = table.counter.and_then(|c| self.place(c));
                let outer = self.before(field);
                let length = usize::try_from(field.length).unwrap_or(usize::MAX);
                Ok(Some(Node::List(ListNode::new(
                    &field.name,
                    path,
                    outer,
                    length,
                    table,
                    counter,
                    characters,
                    item,
                ))))
            }
        }
    }

    /// Offset of a table from the start of the occurrence (or record) around it.
    fn before(&self, field: &Field) -> usize {
        let outer = field
            .tables
            .iter()
            .rev()
            .nth(1)
            .and_then(|t| self.layout.field(*t))
            .map_or(0, |t| t.offset);
        usize::try_from(field.offset.saturating_sub(outer)).unwrap_or(usize::MAX)
    }

    /// One occurrence.
    fn one(&mut self, index: usize, name: &str) -> Result<Option<Node>> {
        let Some(field) = self.layout.field(index) else { return Ok(None) };
        if field.children.is_empty() {
            return self.leaf(field, self.layout.path(index), name);
        }
        self.prefix.push(name.to_owned());
        let made = self.children(&field.children, false);
        self.prefix.pop();
        let (mut children, mut choices) = made?;
        self.prefix.push(name.to_owned());
        let renamed = self.renames(index, false, &mut children, &mut choices);
        self.prefix.pop();
        renamed?;
        if children.is_empty() {
            return Ok(None);
        }
        let fields: Fields = children.iter().map(Node::field).collect();
        let arrow = Arc::new(ArrowField::new(name, DataType::Struct(fields), true));
        Ok(Some(Node::Struct(StructNode::new(arrow, children, choices))))
    }

    /// Columns for the level 66 items of a record: alternatives of what they rename.
    fn renames(
        &mut self,
        record: usize,
        top: bool,
        nodes: &mut Vec<Node>,
        choices: &mut Vec<Choice>,
    ) -> Result<()> {
        if self.options.renames == RenamedItems::Drop || !self.layout.records.contains(&record) {
            return Ok(());
        }
        let layout = self.layout;
        for (_, field) in layout.renames.iter().filter(|(of, _)| *of == record) {
            let wanted = |w: &std::collections::HashSet<String>| w.contains(&field.name);
            if top && !self.options.flatten && !self.wanted.as_ref().is_none_or(wanted) {
                continue;
            }
            let Some(node) = self.leaf(field, field.name.clone(), &field.name)? else { continue };
            let branches = vec![(nodes.len(), None)];
            choices.push(Choice { branches, complete: false, path: field.name.clone() });
            nodes.push(node);
        }
        Ok(())
    }

    fn leaf(&mut self, field: &Field, path: String, name: &str) -> Result<Option<Node>> {
        let name = if self.options.flatten {
            self.prefix.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("_")
        } else {
            name.to_owned()
        };
        self.leaves += 1;
        if self.options.flatten {
            Limits::check("flattened fields", MAX_FLAT, self.leaves)?;
            if self.wanted.as_ref().is_some_and(|w| !w.contains(&name)) {
                return Ok(None);
            }
        }
        let at = if self.options.flatten {
            usize::try_from(field.offset).unwrap_or(usize::MAX).saturating_add(self.shift(field))
        } else {
            usize::try_from(field.at).unwrap_or(usize::MAX)
        };
        let leaf = Leaf::new(field, path, self.layout.page, self.options, &self.pools, self.rows)?;
        let arrow = Arc::new(schema::leaf(self.layout, field, &name));
        Ok(Some(Node::Leaf { field: arrow, at, leaf: Box::new(leaf) }))
    }

    /// Each occurrence as a part of its own.
    fn unroll(&mut self, index: usize) -> Result<Option<Node>> {
        let Some(field) = self.layout.field(index) else { return Ok(None) };
        let Some(table) = field.occurs else { return Ok(None) };
        Limits::check("flattened fields", MAX_FLAT, u64::from(table.max))?;
        let mut children = Vec::new();
        for n in 0..table.max {
            let counter = table.counter.and_then(|c| self.place(c));
            self.unrolled.push((index, n as usize));
            let node = self.one(index, &format!("{}_{}", field.name, n + 1));
            self.unrolled.pop();
            let Some(node) = node? else { continue };
            children.push(match counter {
                None => node,
                Some(counter) => Node::Guard {
                    name: self.layout.path(index),
                    counter,
                    table,
                    index: n,
                    characters: Characters::new(self.layout.page, self.options),
                    node: Box::new(node),
                },
            });
        }
        if children.is_empty() {
            return Ok(None);
        }
        let arrow = Arc::new(ArrowField::new(&field.name, DataType::Struct(Fields::empty()), true));
        Ok(Some(Node::Struct(StructNode::new(arrow, children, Vec::new()))))
    }
}

fn rename(node: &mut Node, name: &str) {
    let new = |field: &FieldRef| Arc::new(field.as_ref().clone().with_name(name));
    match node {
        Node::Leaf { field, .. } => *field = new(field),
        Node::Struct(inner) => inner.field = new(&inner.field),
        Node::List(inner) => inner.field = new(&inner.field),
        Node::Guard { node, .. } => rename(node, name),
    }
}
