//! What is written around the values: as the document was that the schema came from, or as the options say.

use fenhe_core::Result;
use fenhe_text::Encoding;

use crate::dialect::Dialect;
use crate::error::config;
use crate::names::XSI;
use crate::options::XmlOptions;
use crate::path::Path;

/// The text around records.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) bom: bool,
    pub(crate) before: String,
    pub(crate) between: String,
    pub(crate) after: String,
    /// The record's name.
    pub(crate) name: String,
    /// Line end and blanks before a record, and what every level adds. Empty: everything in one line.
    line: String,
    unit: String,
    /// Empty elements are written `<a/>`.
    pub(crate) short: bool,
    /// The record is the root element: there can be no second one.
    pub(crate) one: bool,
    /// No record was written yet.
    pub(crate) first: bool,
    pub(crate) xsi: String,
    pub(crate) declare_xsi: bool,
    prefixes: Vec<(String, String)>,
}

impl Template {
    pub(crate) fn new(
        options: &XmlOptions,
        dialect: &Dialect,
        path: Option<&Path>,
        encoding: Encoding,
    ) -> Result<Self> {
        let one = dialect.record.as_ref().is_some_and(|path| path.depth() == 1);
        let as_read = (!dialect.before.is_empty() || one)
            && !dialect.name.is_empty()
            && path.is_none_or(|path| dialect.record.as_ref() == Some(path))
            && options.indent.is_none();
        let same_encoding = Encoding::for_label(&dialect.encoding) == Some(encoding);
        let wide = !encoding.is_ascii_superset() && !encoding.is_ebcdic();
        let bom = options.bom.unwrap_or((same_encoding && dialect.bom) || (!same_encoding && wide));
        let mut template =
            if as_read { Self::as_read(dialect) } else { Self::plain(options, dialect, path)? };
        if !(as_read && same_encoding) {
            template.declare(encoding);
        }
        template.one = as_read && one;
        template.bom = bom && !encoding.bom().is_empty();
        let xsi = template.prefix(XSI, true).map(str::to_owned);
        template.declare_xsi = xsi.is_none();
        template.xsi = xsi.unwrap_or_else(|| "xsi".into());
        Ok(template)
    }

    /// Appends the line end and blanks before an element so many levels within the record.
    pub(crate) fn indent(&self, level: usize, out: &mut String) {
        if self.unit.is_empty() {
            return;
        }
        out.push_str(&self.line);
        for _ in 0..level {
            out.push_str(&self.unit);
        }
    }

    /// The prefix in force for a namespace; attributes need one that is not empty.
    pub(crate) fn prefix(&self, uri: &str, attribute: bool) -> Option<&str> {
        let inner = |prefix: &str| {
            self.prefixes.iter().rev().find(|(p, _)| p == prefix).map(|(_, u)| u.as_str())
        };
        let found = self.prefixes.iter().rev().find(|(prefix, known)| {
            known == uri && !(attribute && prefix.is_empty()) && inner(prefix) == Some(uri)
        });
        found.map(|(prefix, _)| prefix.as_str())
    }

    fn as_read(dialect: &Dialect) -> Self {
        let line = tail_space(&dialect.before);
        let unit = dialect.inside.strip_prefix(line).unwrap_or_default();
        let after = dialect.after.clone().unwrap_or_else(|| {
            let mut after = String::new();
            for name in dialect.open.iter().rev() {
                after.push_str(&format!("\n</{name}>"));
            }
            after + "\n"
        });
        Self {
            bom: false,
            before: dialect.before.clone(),
            between: if dialect.between.is_empty() && unit.is_empty() {
                String::new()
            } else if dialect.between.is_empty() {
                line.to_owned()
            } else {
                dialect.between.clone()
            },
            after,
            name: dialect.name.clone(),
            line: line.to_owned(),
            unit: unit.to_owned(),
            short: dialect.short,
            one: false,
            first: true,
            xsi: String::new(),
            declare_xsi: false,
            prefixes: dialect.prefixes.clone(),
        }
    }

    fn plain(options: &XmlOptions, dialect: &Dialect, path: Option<&Path>) -> Result<Self> {
        let path = path.or(dialect.record.as_ref()).filter(|path| path.depth() > 1);
        let mut names: Vec<(String, Option<String>)> = match path {
            Some(path) => {
                path.0.iter().map(|step| (step.local.clone(), step.uri.clone())).collect()
            }
            None => vec![("records".into(), None), ("record".into(), None)],
        };
        if names.iter().any(|(name, _)| crate::chars::qualified(name, 0).is_err()) {
            return Err(config("record", "a path with names of elements is needed for writing"));
        }
        let uris: Vec<&str> = names
            .iter()
            .filter_map(|(_, uri)| uri.as_deref())
            .filter(|uri| !uri.is_empty())
            .collect();
        let namespace = uris.first().copied().unwrap_or_default().to_owned();
        if uris.iter().any(|uri| *uri != namespace) {
            return Err(config(
                "record",
                "one namespace for all steps of the path is all that can be written",
            ));
        }
        let Some((record, _)) = names.pop() else {
            return Err(config("record", "the path is empty"));
        };
        let width = usize::from(options.indent.unwrap_or(2));
        let line = |level: usize| {
            if width == 0 { String::new() } else { format!("\n{}", " ".repeat(width * level)) }
        };
        let (mut before, mut after) = (String::new(), String::new());
        let mut prefixes = Vec::new();
        for (level, (name, _)) in names.iter().enumerate() {
            if level > 0 {
                before.push_str(&line(level));
            }
            before.push('<');
            before.push_str(name);
            if level == 0 && !namespace.is_empty() {
                before.push_str(" xmlns=\"");
                if !crate::markup::escape(&namespace, crate::markup::Escape::Attribute, &mut before)
                {
                    return Err(config(
                        "record",
                        "a namespace with characters that XML does not allow",
                    ));
                }
                before.push('"');
                prefixes.push((String::new(), namespace.clone()));
            }
            before.push('>');
        }
        for (level, (name, _)) in names.iter().enumerate().rev() {
            after.push_str(&line(level));
            after.push_str(&format!("</{name}>"));
        }
        if width > 0 {
            after.push('\n');
        }
        let line = line(names.len());
        before.push_str(&line);
        Ok(Self {
            bom: false,
            before,
            between: line.clone(),
            after,
            name: record,
            line,
            unit: " ".repeat(width),
            short: true,
            one: false,
            first: true,
            xsi: String::new(),
            declare_xsi: false,
            prefixes,
        })
    }

    /// Puts an XML declaration in front, or another one in place of the one that is there.
    fn declare(&mut self, encoding: Encoding) {
        let rest = match self.before.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
            Some((_, rest)) => rest.to_owned(),
            None => format!("\n{}", self.before),
        };
        let name = encoding.name();
        let name = if name.starts_with("UTF-16") { "UTF-16" } else { name };
        self.before = format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{rest}");
    }
}

/// The line end and blanks at the end of a text.
fn tail_space(text: &str) -> &str {
    let trimmed = text.trim_end_matches([' ', '\t', '\n', '\r']);
    text.get(trimmed.len()..).unwrap_or_default()
}
