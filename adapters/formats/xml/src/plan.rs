//! The schema compiled: which element or attribute of a record goes into which column.

use std::sync::Arc;

use arrow_schema::{DataType, Field, SchemaRef};
use fenhe_core::schema::{project, projection};
use fenhe_core::{Error, Kind as ErrorKind, Result};
use fenhe_values::FieldSpec;

use crate::names::{Element, XSI};
use crate::path::{Wanted, split};

/// Field metadata: the namespace of the element or attribute.
pub(crate) const NAMESPACE: &str = "fenhe.xml_namespace";
/// Field metadata: the text is the markup inside the element.
pub(crate) const MARKUP: &str = "fenhe.xml_markup";
/// Name of the field that holds an element's own text.
pub(crate) const TEXT: &str = "#text";

/// What a node is in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Element,
    Attribute,
    /// The text of the element above.
    Text,
}

/// An element, attribute or text of the record.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) wanted: Wanted,
    /// For people: `address.city`.
    pub(crate) path: String,
    /// The column, for a value; `None`: a struct.
    pub(crate) leaf: Option<usize>,
    /// Whether it may come several times.
    pub(crate) list: bool,
    /// The value is text, so that blanks and emptiness count.
    pub(crate) text: bool,
    pub(crate) markup: bool,
    pub(crate) parent: usize,
    pub(crate) children: Vec<usize>,
    /// The field of its own text, when it has no elements below: then it is read like a value.
    pub(crate) bare: Option<usize>,
    /// How elements below are spelled in this document, in the order in which they came first.
    pub(crate) spelled: Vec<Spelled>,
    /// How attributes are spelled.
    pub(crate) attributes: Vec<(Box<[u8]>, usize)>,
}

/// An element as it is spelled under the prefixes in force.
#[derive(Debug)]
pub(crate) struct Spelled {
    pub(crate) name: Box<[u8]>,
    pub(crate) node: usize,
    pub(crate) open: Mark,
    pub(crate) close: Mark,
}

/// Some bytes, compared sixteen at a time where they are no more.
#[derive(Debug)]
pub(crate) struct Mark {
    bytes: Box<[u8]>,
    word: u128,
    mask: u128,
}

/// The record's tree. Node 0 is the record itself.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<Node>,
    /// The columns, by leaf.
    pub(crate) specs: Vec<FieldSpec>,
    /// The node of each leaf.
    pub(crate) leaves: Vec<usize>,
    /// Leaves that are asked for.
    pub(crate) wanted: Vec<bool>,
    /// Node of each field of the batches.
    pub(crate) tops: Vec<usize>,
    /// Schema of the batches.
    pub(crate) schema: SchemaRef,
    prefixes: Vec<(String, String)>,
}

impl Plan {
    /// Compiles a schema; `columns` are the fields asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a schema that no record can have, [`ErrorKind::NotFound`] for an unknown column.
    pub(crate) fn new(
        schema: &SchemaRef,
        columns: Option<&[String]>,
        prefixes: &[(String, String)],
    ) -> Result<Self> {
        let root =
            Node::new(Kind::Element, Wanted { uri: None, local: "*".into() }, String::new(), 0);
        let mut plan = Self {
            nodes: vec![root],
            specs: Vec::new(),
            leaves: Vec::new(),
            wanted: Vec::new(),
            tops: Vec::new(),
            schema: project(schema, columns)?,
            prefixes: prefixes.to_vec(),
        };
        for field in schema.fields() {
            let node = plan.top(field)?;
            plan.tops.push(node);
        }
        plan.find_bare();
        if let Some(columns) = columns {
            let chosen = projection(schema, columns)?;
            plan.tops = chosen.iter().filter_map(|n| plan.tops.get(*n).copied()).collect();
            plan.wanted = vec![false; plan.leaves.len()];
            for top in plan.tops.clone() {
                plan.want(top);
            }
        } else {
            plan.wanted = vec![true; plan.leaves.len()];
        }
        Ok(plan)
    }

    /// The element of `name` below `parent`.
    pub(crate) fn element(&self, parent: usize, uri: &str, local: &str) -> Option<usize> {
        self.child(parent, Kind::Element, uri, local)
    }

    /// The attribute of that name of `parent`.
    pub(crate) fn attribute(&self, parent: usize, uri: &str, local: &str) -> Option<usize> {
        self.child(parent, Kind::Attribute, uri, local)
    }

    /// The field of the own text of `parent`.
    pub(crate) fn own_text(&self, parent: usize) -> Option<usize> {
        let children = &self.nodes.get(parent)?.children;
        children
            .iter()
            .copied()
            .find(|n| self.nodes.get(*n).is_some_and(|node| node.kind == Kind::Text))
    }

    /// Notes how an element is spelled, for the walker.
    pub(crate) fn learn(&mut self, parent: usize, raw: &str, node: usize) {
        let Some(parent) = self.nodes.get_mut(parent) else { return };
        if parent.spelled.iter().any(|known| &*known.name == raw.as_bytes()) {
            return;
        }
        parent.spelled.push(Spelled {
            name: raw.as_bytes().into(),
            node,
            open: Mark::new(format!("<{raw}>").as_bytes()),
            close: Mark::new(format!("</{raw}>").as_bytes()),
        });
    }

    /// Notes how an attribute is spelled.
    pub(crate) fn learn_attribute(&mut self, parent: usize, raw: &str, node: usize) {
        let Some(parent) = self.nodes.get_mut(parent) else { return };
        if parent.attributes.iter().all(|(known, _)| &**known != raw.as_bytes()) {
            parent.attributes.push((raw.as_bytes().into(), node));
        }
    }

    /// Prefixes mean something else now.
    pub(crate) fn forget(&mut self) {
        for node in &mut self.nodes {
            node.spelled.clear();
            node.attributes.clear();
        }
    }

    fn child(&self, parent: usize, kind: Kind, uri: &str, local: &str) -> Option<usize> {
        let fits = |n: &usize| {
            self.nodes
                .get(*n)
                .is_some_and(|node| node.kind == kind && node.wanted.matches(uri, local))
        };
        self.nodes.get(parent)?.children.iter().copied().find(fits)
    }

    fn find_bare(&mut self) {
        for number in 0..self.nodes.len() {
            let elements = |n: &usize| self.nodes.get(*n).is_some_and(|n| n.kind == Kind::Element);
            let some =
                self.nodes.get(number).is_some_and(|node| node.children.iter().any(elements));
            let text = self.own_text(number).filter(|_| !some);
            if let Some(node) = self.nodes.get_mut(number) {
                node.bare = text;
            }
        }
    }

    fn want(&mut self, node: usize) {
        let Some(found) = self.nodes.get(node) else { return };
        if let Some(wanted) = found.leaf.and_then(|leaf| self.wanted.get_mut(leaf)) {
            *wanted = true;
        }
        for child in found.children.clone() {
            self.want(child);
        }
    }

    /// A field of the schema; its name may be a path.
    fn top(&mut self, field: &Field) -> Result<usize> {
        let steps = split(field.name());
        let mut parent = 0;
        if let Some((_, groups)) = steps.split_last() {
            for step in groups {
                let wanted = Wanted::parse(step, "schema", &self.prefixes)?;
                let same = |n: &&usize| {
                    self.nodes.get(**n).is_some_and(|node| {
                        node.kind == Kind::Element
                            && node.wanted == wanted
                            && node.leaf.is_none()
                            && !node.list
                    })
                };
                let children = self.nodes.get(parent).map_or(&[][..], |node| &node.children);
                parent = match children.iter().find(same) {
                    Some(found) => *found,
                    None => self.add(Kind::Element, wanted, step, parent),
                };
            }
        }
        let last = steps.last().copied().unwrap_or_default();
        self.field(field, last, parent, true)
    }

    fn field(&mut self, field: &Field, step: &str, parent: usize, top: bool) -> Result<usize> {
        if !top && !field.is_nullable() {
            return Err(wrong(
                field,
                "a required field within a struct or list; only fields of the record itself may be required",
            ));
        }
        let (kind, name) = match step.strip_prefix('@') {
            Some(name) => (Kind::Attribute, name),
            None if step == TEXT => (Kind::Text, step),
            None => (Kind::Element, step),
        };
        let wanted = match field.metadata().get(NAMESPACE) {
            Some(uri) => {
                let local = name.rsplit_once('}').map_or(name, |(_, local)| local);
                Wanted { uri: Some(uri.clone()), local: local.to_owned() }
            }
            None if kind == Kind::Text => Wanted { uri: None, local: TEXT.into() },
            None => Wanted::parse(name, "schema", &self.prefixes)?,
        };
        let node = self.add(kind, wanted, step, parent);
        let item = match field.data_type() {
            DataType::List(item) if kind == Kind::Element => {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.list = true;
                }
                item
            }
            _ => &Arc::new(field.clone()),
        };
        match item.data_type() {
            DataType::Struct(fields) if kind == Kind::Element => {
                for inner in fields {
                    self.field(inner, inner.name(), node, false)?;
                }
            }
            _ => self.leaf(field, item, node)?,
        }
        Ok(node)
    }

    fn leaf(&mut self, field: &Field, item: &Field, node: usize) -> Result<()> {
        let mut spec = FieldSpec::from_field(&item.clone().with_name(field.name()))?;
        let leaf = self.leaves.len();
        if let Some(found) = self.nodes.get_mut(node) {
            found.leaf = Some(leaf);
            found.text = spec.data_type == DataType::Utf8;
            found.markup = field.metadata().contains_key(MARKUP);
            spec.name.clone_from(&found.path);
        }
        self.leaves.push(node);
        self.specs.push(spec);
        Ok(())
    }

    fn add(&mut self, kind: Kind, wanted: Wanted, step: &str, parent: usize) -> usize {
        let number = self.nodes.len();
        let above = self.nodes.get(parent).map_or("", |node| &node.path);
        let path = if above.is_empty() { step.to_owned() } else { format!("{above}.{step}") };
        self.nodes.push(Node::new(kind, wanted, path, parent));
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.push(number);
        }
        number
    }
}

impl Node {
    fn new(kind: Kind, wanted: Wanted, path: String, parent: usize) -> Self {
        Self {
            kind,
            wanted,
            path,
            leaf: None,
            list: false,
            text: false,
            markup: false,
            parent,
            children: Vec::new(),
            bare: None,
            spelled: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

impl Mark {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut padded = [0; 16];
        padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let mask = if bytes.len() >= 16 { u128::MAX } else { (1 << (bytes.len() * 8)) - 1 };
        Self { bytes: bytes.into(), word: u128::from_le_bytes(padded), mask }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the text has these bytes at `at`.
    #[inline(always)]
    pub(crate) fn is_at(&self, text: &[u8], at: usize) -> bool {
        let Some(rest) = text.get(at..) else { return false };
        match rest.first_chunk::<16>() {
            Some(step) if self.bytes.len() <= 16 => {
                (u128::from_le_bytes(*step) ^ self.word) & self.mask == 0
            }
            _ => rest.starts_with(&self.bytes),
        }
    }
}

/// Whether the element says that it has no value (XML Schema part 1, clause 2.6.2).
pub(crate) fn is_nil(element: &Element<'_>) -> bool {
    let nil = element.attributes.iter().find(|a| a.uri == XSI && a.local == "nil");
    nil.is_some_and(|a| matches!(a.value.trim(), "true" | "1"))
}

fn wrong(field: &Field, what: &str) -> Error {
    Error::new(ErrorKind::Config, "xml.schema", what).at_field(field.name())
}
