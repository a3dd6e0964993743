//! The encoder: arrays to spelled values, values to elements.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use bytes::BytesMut;
use fenhe_core::{
    EncodeOptions, Encoder, Error, Fault, Kind as ErrorKind, Patch, Reject, Result, SchemaRef,
};
use fenhe_text::Encoding;
use fenhe_values::{FaultMask, FieldWriter, SchemaFile, TextBlock, plainly_spelled};

use crate::dialect::Dialect;
use crate::error::config;
use crate::markup::{self, Escape};
use crate::names::XSI;
use crate::options::{Nil, XmlOptions};
use crate::path::{Path, prefixes};
use crate::plan::{Kind, Plan};
use crate::template::Template;

/// Encodes one document.
#[derive(Debug)]
pub(crate) struct XmlEncoder {
    options: XmlOptions,
    schema: SchemaRef,
    plan: Plan,
    template: Template,
    encoding: Encoding,
    writers: Vec<FieldWriter>,
    /// Names of the nodes as they are written, by node; empty for texts.
    names: Vec<String>,
    /// Declarations that the record's tag needs.
    declarations: String,
    row: String,
    started: bool,
    finished: bool,
}

/// What a batch holds for each node.
#[derive(Default)]
struct View {
    /// A value's spellings, and which failed.
    block: TextBlock,
    faults: FaultMask,
    array: Option<ArrayRef>,
    nulls: Option<NullBuffer>,
    /// Of a list: where its items start and end.
    offsets: Option<Vec<i32>>,
    /// The node is a field, not only a step of a path.
    there: bool,
}

impl XmlEncoder {
    pub(crate) fn new(options: &XmlOptions, encode: &EncodeOptions) -> Result<Self> {
        let schema = &encode.schema;
        let known = prefixes(options)?;
        let read = Dialect::of(schema);
        let plan = Plan::new(&written_as(options, schema, read.is_some())?, None, &known)?;
        let dialect = read.unwrap_or_default();
        let label = options.encoding.clone().unwrap_or_else(|| dialect.encoding.clone());
        let encoding = match label.as_str() {
            "" => Encoding::UTF_8,
            label => Encoding::for_label(label).filter(|e| !e.is_stateful()).ok_or_else(|| {
                config("encoding", format!("documents cannot be written in {label}"))
            })?,
        };
        let path = options.record.as_deref().map(|path| Path::parse(path, &known)).transpose()?;
        let template = Template::new(options, &dialect, path.as_ref(), encoding)?;
        let writers = plan
            .specs
            .iter()
            .map(|spec| FieldWriter::new(spec, Encoding::UTF_8))
            .collect::<Result<_>>()?;
        let (names, declarations) = names(&plan, &template, options, &known)?;
        for name in &names {
            if encoding.encode(name).is_err() {
                return Err(config(
                    "encoding",
                    format!("{encoding} has not all characters of the names"),
                ));
            }
        }
        Ok(Self {
            options: options.clone(),
            schema: SchemaRef::clone(schema),
            plan,
            template,
            encoding,
            writers,
            names,
            declarations,
            row: String::new(),
            started: false,
            finished: false,
        })
    }

    fn start(&mut self, out: &mut BytesMut) -> Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            if self.template.bom {
                out.extend_from_slice(self.encoding.bom());
            }
            self.put(&self.template.before, out)?;
        }
        Ok(())
    }

    /// Appends text that needs no references.
    fn put(&self, text: &str, out: &mut BytesMut) -> Result<()> {
        if self.encoding == Encoding::UTF_8 {
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let bytes = markup::encode(text, self.encoding).map_err(|_| {
            Error::new(
                ErrorKind::Invalid,
                "xml.encoding",
                format!("markup with characters that {} has not", self.encoding),
            )
        })?;
        out.extend_from_slice(&bytes);
        Ok(())
    }

    fn views(&mut self, batch: &RecordBatch) -> Result<Vec<View>> {
        let mut views: Vec<View> = self.plan.nodes.iter().map(|_| View::default()).collect();
        let tops = self.plan.tops.clone();
        for (top, array) in tops.iter().zip(batch.columns()) {
            self.view(*top, array, &mut views)?;
        }
        Ok(views)
    }

    fn view(&self, number: usize, array: &ArrayRef, views: &mut [View]) -> Result<()> {
        let (Some(node), Some(view)) = (self.plan.nodes.get(number), views.get_mut(number)) else {
            return Ok(());
        };
        view.there = true;
        let array = match array.as_list_opt::<i32>().filter(|_| node.list) {
            Some(list) => {
                view.offsets = Some(list.offsets().to_vec());
                list.values()
            }
            None => array,
        };
        if let Some(writer) = node.leaf.and_then(|leaf| self.writers.get(leaf)) {
            view.faults.reset(array.len());
            writer.write(array, 0..array.len(), &mut view.block, &mut view.faults)?;
            view.array = Some(array.clone());
            return Ok(());
        }
        view.nulls = array.nulls().cloned();
        let Some(inner) = array.as_struct_opt() else { return Ok(()) };
        for (child, column) in node.children.iter().zip(inner.columns()) {
            self.view(*child, column, views)?;
        }
        Ok(())
    }
}

/// The columns as they are spelled in the document: as in the document that was read, plainly when they come from
/// another format, and above both as the writer's own schema file says.
fn written_as(options: &XmlOptions, schema: &SchemaRef, from_xml: bool) -> Result<SchemaRef> {
    let start = if from_xml { schema.as_ref().clone() } else { plainly_spelled(schema) };
    Ok(SchemaRef::new(match &options.schema {
        Some(file) => SchemaFile::parse(&file.text)
            .and_then(|said| said.spell(&start))
            .map_err(|e| e.source_name(&file.name))?,
        None => start,
    }))
}

impl Encoder for XmlEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        if batch.schema().fields() != self.schema.fields() {
            return Err(Error::new(ErrorKind::Config, "xml.schema", "a batch of another schema"));
        }
        let views = self.views(batch)?;
        self.start(out)?;
        let mut rejects = Vec::new();
        let mut row = std::mem::take(&mut self.row);
        for number in 0..batch.num_rows() {
            row.clear();
            let mut writer = RowWriter { encoder: self, views: &views, out: &mut row, fault: None };
            writer.record(number);
            let mut fault = writer.fault;
            if self.template.one && !self.template.first {
                let expected = "one record, the root element";
                fault = Some(Fault::new("xml.one_record", "", expected, "another one"));
            }
            if let Some(fault) = fault {
                rejects.push(Reject::new(fault).at(number as u64 + 1, 0, 0).by("xml"));
                continue;
            }
            let between = if self.template.first { "" } else { self.template.between.as_str() };
            let whole = markup::encode(&row, self.encoding);
            let Ok(bytes) = whole else { continue };
            self.put(between, out)?;
            out.extend_from_slice(&bytes);
            self.template.first = false;
        }
        self.row = row;
        Ok(rejects)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        self.start(out)?;
        if !std::mem::replace(&mut self.finished, true) {
            self.put(&self.template.after, out)?;
        }
        Ok(Vec::new())
    }
}

/// Writes one row.
struct RowWriter<'a> {
    encoder: &'a XmlEncoder,
    views: &'a [View],
    out: &'a mut String,
    fault: Option<Fault>,
}

impl RowWriter<'_> {
    fn record(&mut self, row: usize) {
        let encoder = self.encoder;
        let name = &encoder.template.name;
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(&encoder.declarations);
        self.content(0, row, name, 0);
    }

    /// The rest of an element whose start tag has its name already.
    fn content(&mut self, number: usize, item: usize, name: &str, level: usize) {
        let encoder = self.encoder;
        let Some(node) = encoder.plan.nodes.get(number) else { return };
        let of = |kind| {
            node.children
                .iter()
                .copied()
                .filter(move |c| encoder.plan.nodes.get(*c).is_some_and(|n| n.kind == kind))
        };
        let mut attributes: Vec<usize> = of(Kind::Attribute).collect();
        // The order of Canonical XML 1.0: by namespace, then by local name.
        attributes.sort_by_key(|c| {
            encoder
                .plan
                .nodes
                .get(*c)
                .map(|n| (n.wanted.uri.clone().unwrap_or_default(), n.wanted.local.clone()))
        });
        for attribute in attributes {
            if let Some(value) = self.value(attribute, item) {
                self.out.push(' ');
                self.out.push_str(encoder.names.get(attribute).map_or("", String::as_str));
                self.out.push_str("=\"");
                self.escape(attribute, &value, Escape::Attribute);
                self.out.push('"');
            }
        }
        self.out.push('>');
        let start = self.out.len();
        let mut spaced = true;
        for text in of(Kind::Text) {
            if let Some(value) = self.value(text, item) {
                self.escape(text, &value, Escape::Text);
                spaced = false;
            }
        }
        for child in of(Kind::Element) {
            self.child(child, item, level + 1, spaced);
        }
        if self.out.len() == start && encoder.template.short {
            self.out.truncate(start - 1);
            self.out.push_str("/>");
            return;
        }
        if self.out.len() > start && spaced {
            encoder.template.indent(level, self.out);
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// All instances of an element.
    fn child(&mut self, number: usize, item: usize, level: usize, spaced: bool) {
        let Some(view) = self.views.get(number) else { return };
        match &view.offsets {
            Some(offsets) => {
                let end =
                    |n: usize| offsets.get(n).and_then(|n| usize::try_from(*n).ok()).unwrap_or(0);
                for inner in end(item)..end(item + 1) {
                    self.element(number, inner, level, spaced, true);
                }
            }
            None => self.element(number, item, level, spaced, false),
        }
    }

    fn element(&mut self, number: usize, item: usize, level: usize, spaced: bool, in_list: bool) {
        let encoder = self.encoder;
        let (Some(node), Some(view)) = (encoder.plan.nodes.get(number), self.views.get(number))
        else {
            return;
        };
        let name = encoder.names.get(number).map_or("", String::as_str);
        let start = self.out.len();
        let absent = match node.leaf {
            Some(_) => view.block.is_null(item),
            None => view.nulls.as_ref().is_some_and(|nulls| nulls.is_null(item)),
        };
        // An item of a list has to be there to be counted.
        if absent && encoder.options.nil == Nil::Omit && !in_list {
            return self.check(number, item);
        }
        if spaced {
            encoder.template.indent(level, self.out);
        }
        self.out.push('<');
        self.out.push_str(name);
        if absent {
            self.check(number, item);
            let prefix = &encoder.template.xsi;
            self.out.push_str(&format!(" {prefix}:nil=\"true\"/>"));
            return;
        }
        if node.leaf.is_none() {
            let inner = self.out.len();
            self.content(number, item, name, level);
            // A step of a path is there only when something is below it.
            let below = self.out.get(inner..).unwrap_or_default();
            if !view.there
                && (below == "/>"
                    || below
                        .strip_prefix("></")
                        .is_some_and(|rest| rest.strip_suffix('>') == Some(name)))
            {
                self.out.truncate(start);
            }
            return;
        }
        let value = self.value(number, item).unwrap_or_default();
        if value.is_empty() && encoder.template.short {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        self.escape(number, &value, Escape::Text);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// The spelled value; `None` for a null.
    fn value(&mut self, number: usize, item: usize) -> Option<String> {
        self.check(number, item);
        let view = self.views.get(number)?;
        if view.block.is_null(item) {
            return None;
        }
        // The writers write UTF-8.
        Some(String::from_utf8_lossy(view.block.field(item)).into_owned())
    }

    /// Notes the fault of a value, if it has one.
    fn check(&mut self, number: usize, item: usize) {
        let Some(view) = self.views.get(number) else { return };
        if self.fault.is_some() || !view.faults.contains(item) {
            return;
        }
        let leaf = self.encoder.plan.nodes.get(number).and_then(|node| node.leaf);
        let writer = leaf.and_then(|leaf| self.encoder.writers.get(leaf));
        self.fault =
            writer.zip(view.array.as_ref()).and_then(|(writer, array)| writer.explain(array, item));
    }

    fn escape(&mut self, number: usize, value: &str, escape: Escape) {
        let Some(node) = self.encoder.plan.nodes.get(number) else { return };
        let fault = |code, expected: &str, found: &str| {
            Some(Fault::new(code, node.path.clone(), expected, found))
        };
        let spec = node.leaf.and_then(|leaf| self.encoder.plan.specs.get(leaf));
        let nulls = spec.map_or(&[][..], |spec| &spec.spelling.nulls);
        let empty_null =
            self.encoder.options.nulls.as_ref().is_some_and(|n| n.iter().any(String::is_empty));
        let null = if value.is_empty() { empty_null } else { nulls.iter().any(|n| n == value) };
        if node.text && null {
            self.fault =
                fault("value.looks_like_null", "a text that is no spelling of null", "one that is");
        } else if node.markup {
            if markup::is_balanced(value) {
                self.out.push_str(value);
            } else {
                self.fault = fault("xml.markup", "well-formed markup", "something else");
            }
        } else if !markup::escape(value, escape, self.out) {
            self.fault = fault(
                "xml.character",
                "characters that XML allows",
                "a control character or non-character",
            );
        }
    }
}

/// How each node is called, and the declarations that the record's tag needs for it.
fn names(
    plan: &Plan,
    template: &Template,
    options: &XmlOptions,
    known: &[(String, String)],
) -> Result<(Vec<String>, String)> {
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    let mut names = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let local = node.wanted.local.as_str();
        let uri = node.wanted.uri.as_deref().unwrap_or_default();
        let attribute = node.kind == Kind::Attribute;
        if node.kind != Kind::Text && local != "*" {
            crate::chars::qualified(local, 0).map_err(|_| {
                config("schema", "a field whose name is no name of an element").at_field(&node.path)
            })?;
        }
        if uri.is_empty() {
            names.push(local.to_owned());
            continue;
        }
        let prefix = match template.prefix(uri, attribute) {
            Some(prefix) => prefix.to_owned(),
            None => match declared.iter().find(|(_, known)| *known == uri) {
                Some((prefix, _)) => prefix.clone(),
                None => {
                    let given = known
                        .iter()
                        .find(|(_, known)| known == uri)
                        .map(|(prefix, _)| prefix.clone());
                    let prefix = given.unwrap_or_else(|| format!("ns{}", declared.len() + 1));
                    declared.insert(prefix.clone(), uri.to_owned());
                    prefix
                }
            },
        };
        names.push(if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") });
    }
    if (options.nil == Nil::Nil || plan.nodes.iter().any(|n| n.list)) && template.declare_xsi {
        declared.insert(template.xsi.clone(), XSI.to_owned());
    }
    let mut declarations = String::new();
    for (prefix, uri) in declared {
        declarations.push_str(&format!(" xmlns:{prefix}=\""));
        if !markup::escape(&uri, Escape::Attribute, &mut declarations) {
            return Err(config("schema", "a namespace with characters that XML does not allow"));
        }
        declarations.push('"');
    }
    Ok((names, declarations))
}
