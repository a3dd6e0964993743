//! What records hold, judged from a sample: the tree of their elements and the types of the values.

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use fenhe_core::Limits;
use fenhe_text::Encoding;
use fenhe_values::{FieldSpec, Guess};

use crate::names::{Element, XSI};
use crate::options::{Mixed, Types, XmlOptions};
use crate::plan::{MARKUP, NAMESPACE, TEXT, is_nil};
use crate::slow::Sink;

/// The tree of what was seen in records.
#[derive(Debug)]
pub(crate) struct Seen {
    shapes: Vec<Shape>,
    frames: Vec<Frame>,
    nulls: Option<Vec<String>>,
    most: u64,
    /// Records seen.
    pub(crate) records: u64,
    /// There was more than the limit of fields allows.
    pub(crate) full: bool,
}

/// An element or attribute.
#[derive(Debug)]
struct Shape {
    attribute: bool,
    uri: String,
    local: String,
    repeated: bool,
    /// It has attributes or elements.
    compound: bool,
    /// It has elements in it.
    elements: bool,
    /// It has text that is not blank.
    text: bool,
    guess: Guess,
    children: Vec<usize>,
}

struct Frame {
    shape: usize,
    counts: Vec<(usize, u64)>,
    text: String,
    nil: bool,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "frame of shape {}", self.shape)
    }
}

impl Seen {
    pub(crate) fn new(options: &XmlOptions, limits: &Limits) -> Self {
        let mut seen = Self {
            shapes: Vec::new(),
            frames: Vec::new(),
            nulls: options.nulls.clone(),
            most: limits.fields,
            records: 0,
            full: false,
        };
        seen.shapes.push(seen.shape(false, "", "record"));
        seen
    }

    /// The fields of a record and why they are what they are.
    pub(crate) fn fields(&self, options: &XmlOptions) -> (Vec<Field>, Vec<(String, String)>) {
        let mut reasons = Vec::new();
        let fields = self.fields_of(0, "", options, &mut reasons);
        (fields, reasons)
    }

    fn shape(&self, attribute: bool, uri: &str, local: &str) -> Shape {
        let guess = Guess::new(local, Encoding::UTF_8);
        Shape {
            attribute,
            uri: uri.to_owned(),
            local: local.to_owned(),
            repeated: false,
            compound: false,
            elements: false,
            text: false,
            guess: match &self.nulls {
                Some(nulls) => guess.with_nulls(nulls),
                None => guess,
            },
            children: Vec::new(),
        }
    }

    fn child(&mut self, parent: usize, attribute: bool, uri: &str, local: &str) -> Option<usize> {
        let above = self.shapes.get(parent)?;
        let same = |n: &&usize| {
            self.shapes
                .get(**n)
                .is_some_and(|s| s.attribute == attribute && s.uri == uri && s.local == local)
        };
        if let Some(found) = above.children.iter().find(same) {
            return Some(*found);
        }
        if self.shapes.len() as u64 >= self.most {
            self.full = true;
            return None;
        }
        let number = self.shapes.len();
        self.shapes.push(self.shape(attribute, uri, local));
        self.shapes.get_mut(parent)?.children.push(number);
        Some(number)
    }

    fn fields_of(
        &self,
        number: usize,
        path: &str,
        options: &XmlOptions,
        reasons: &mut Vec<(String, String)>,
    ) -> Vec<Field> {
        let Some(shape) = self.shapes.get(number) else { return Vec::new() };
        let below = |n: &usize| self.shapes.get(*n).map(|shape| (*n, shape));
        let attributes = shape.children.iter().filter_map(below).filter(|(_, s)| s.attribute);
        let elements = shape.children.iter().filter_map(below).filter(|(_, s)| !s.attribute);
        let mut fields = Vec::new();
        for (number, inner) in attributes {
            fields.push(self.field(number, inner, &fields, path, options, reasons));
        }
        if shape.text || (number == 0 && shape.children.is_empty()) {
            let (field, reason) = value(TEXT.to_owned(), shape, options);
            reasons.push((join(path, TEXT), reason));
            fields.push(field);
        }
        for (number, inner) in elements {
            fields.push(self.field(number, inner, &fields, path, options, reasons));
        }
        fields
    }

    fn field(
        &self,
        number: usize,
        shape: &Shape,
        before: &[Field],
        path: &str,
        options: &XmlOptions,
        reasons: &mut Vec<(String, String)>,
    ) -> Field {
        let mark = if shape.attribute { "@" } else { "" };
        let mut name = format!("{mark}{}", shape.local);
        if before.iter().any(|field| *field.name() == name) {
            name = format!("{mark}{{{}}}{}", shape.uri, shape.local);
        }
        let path = join(path, &name);
        let markup = shape.text && shape.elements && options.mixed == Mixed::Markup;
        let mut field = if shape.compound && !markup {
            let fields = self.fields_of(number, &path, options, reasons);
            Field::new(&name, DataType::Struct(fields.into()), true)
        } else {
            let (field, reason) = value(name.clone(), shape, options);
            reasons.push((
                path,
                if markup { "text and elements: the markup as text".into() } else { reason },
            ));
            field
        };
        if markup {
            field = Field::new(&name, DataType::Utf8, true);
        }
        if shape.repeated {
            let item = field.clone().with_name("item");
            field = Field::new(&name, DataType::List(Arc::new(item)), false);
        }
        let mut metadata = field.metadata().clone();
        if markup {
            metadata.insert(MARKUP.into(), "true".into());
        }
        if !shape.uri.is_empty() {
            metadata.insert(NAMESPACE.into(), shape.uri.clone());
        }
        if !shape.repeated || metadata.len() > field.metadata().len() {
            field = field.with_metadata(metadata);
        }
        field
    }

    fn seen_text(&mut self, number: usize, text: &str, nil: bool) {
        let Some(shape) = self.shapes.get_mut(number) else { return };
        let blank = text.bytes().all(crate::chars::is_space);
        shape.text |= !blank;
        if nil || (blank && shape.elements) {
            shape.guess.feed_missing();
        } else {
            shape.guess.feed(text.trim_matches([' ', '\t', '\n', '\r']).as_bytes());
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn value(name: String, shape: &Shape, options: &XmlOptions) -> (Field, String) {
    if options.types == Types::Text {
        let mut spec = FieldSpec::new(&name, DataType::Utf8);
        if let Some(nulls) = &options.nulls {
            spec.spelling.nulls.clone_from(nulls);
        }
        return (spec.to_field(), "every field is text, as asked".into());
    }
    let found = shape.guess.finish();
    let mut spec = found.spec;
    spec.name = name;
    spec.spelling.invalid = options.invalid;
    (spec.to_field(), found.reasons.join("; "))
}

impl Sink for Seen {
    fn open(&mut self, element: &Element<'_>, _inner: usize) {
        let parent = self.frames.last().map(|frame| frame.shape);
        let number = match parent {
            None => Some(0),
            Some(usize::MAX) => None,
            Some(parent) => self.child(parent, false, &element.uri, element.local),
        };
        let Some(number) = number else {
            self.frames.push(Frame {
                shape: usize::MAX,
                counts: Vec::new(),
                text: String::new(),
                nil: false,
            });
            return;
        };
        if let (Some(parent), Some(frame)) = (parent, self.frames.last_mut()) {
            let repeated = match frame.counts.iter_mut().find(|(n, _)| *n == number) {
                Some((_, count)) => {
                    *count += 1;
                    true
                }
                None => {
                    frame.counts.push((number, 1));
                    false
                }
            };
            if let Some(shape) = self.shapes.get_mut(parent) {
                (shape.compound, shape.elements) = (true, true);
            }
            if let Some(shape) = self.shapes.get_mut(number) {
                shape.repeated |= repeated;
            }
        }
        for attribute in &element.attributes {
            if attribute.uri == XSI && attribute.local == "nil" {
                continue;
            }
            if let Some(child) = self.child(number, true, &attribute.uri, attribute.local) {
                self.seen_text(child, &attribute.value, false);
            }
            if let Some(shape) = self.shapes.get_mut(number) {
                shape.compound = true;
            }
        }
        self.frames.push(Frame {
            shape: number,
            counts: Vec::new(),
            text: String::new(),
            nil: is_nil(element),
        });
    }

    fn text(&mut self, text: &str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.text.push_str(text);
        }
    }

    fn close(&mut self, _inner: usize) {
        if let Some(frame) = self.frames.pop() {
            self.seen_text(frame.shape, &frame.text, frame.nil);
        }
        if self.frames.is_empty() {
            self.records += 1;
        }
    }
}
