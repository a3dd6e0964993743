//! Reading contracts and overlays from text, with errors that point into it.

use std::ops::Range;
use std::path::Path;

use fenhe_core::{Error, Kind, Located, Result};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::draft::Draft;
use crate::overlay::OverlayDraft;
use crate::{Contract, Overlay, check};

/// A contract of this size is a mistake. 4 MiB.
const LARGEST: u64 = 4 << 20;
/// A file of codes of this size is one. 64 MiB.
const LARGEST_TABLE: u64 = 64 << 20;

/// Where the files of code tables come from.
pub trait Tables {
    /// The bytes of the file that a contract calls `name`.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn read(&self, name: &str) -> Result<Vec<u8>>;
}

/// No files: every table is inside the contract.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Tables for NoFiles {
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        Err(Error::new(Kind::NotFound, "contract.table", format!("there is no file {name} here")))
    }
}

/// The folder of a contract.
impl Tables for &Path {
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        read(&self.join(name), LARGEST_TABLE)
    }
}

/// What a file holds, told by its keys.
#[derive(Clone, Debug)]
pub enum Document {
    /// It has `[[field]]`.
    Contract(Box<Contract>),
    /// It has `base`.
    Overlay(Box<Overlay>),
}

impl Document {
    /// Whether the text looks like a contract or an overlay, and not like an exchange.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        if is_json(text) {
            return true;
        }
        let Ok(table) = DeTable::parse(text) else {
            return false;
        };
        let has = |key: &str| table.get_ref().contains_key(key);
        !has("flow") && (has("field") || has("base") || has("catalogue") || has("dataset"))
    }

    /// Reads a file of either kind.
    ///
    /// # Errors
    /// As [`Contract::load`] and [`Overlay::load`].
    pub fn load(path: &Path) -> Result<Self> {
        let text = text_of(path)?;
        let has_base = match is_json(&text) {
            true => serde_json::from_str::<serde_json::Value>(&text)
                .is_ok_and(|value| value.get("base").is_some()),
            false => DeTable::parse(&text).is_ok_and(|table| table.get_ref().contains_key("base")),
        };
        match has_base {
            true => Overlay::load(path).map(Box::new).map(Self::Overlay),
            false => Contract::load(path).map(Box::new).map(Self::Contract),
        }
    }
}

impl Contract {
    /// Reads a file, TOML or (told by the `{` at its beginning) JSON. Files of code tables count from its folder.
    ///
    /// # Errors
    /// Input/output errors, and those of [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self> {
        let text = text_of(path)?;
        let name = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        match is_json(&text) || is_named_json(path) {
            true => Self::from_json(&text, &name, &folder),
            false => Self::parse(&text, &name, &folder),
        }
    }

    /// Reads TOML that people know as `name`.
    ///
    /// # Errors
    /// [`Kind::Config`] with line and column, and the nearest known name after a slip: `contract.toml` for what is no
    /// TOML or has unknown or missing keys, other codes `contract.*` and `rules.*` for what does not fit together.
    pub fn parse(text: &str, name: &str, tables: &dyn Tables) -> Result<Self> {
        let located = Located::new(name, text);
        let draft: Draft = from_toml(&located, text)?;
        check::contract(draft, tables).map_err(|wrong| wrong.point(&located, text))
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); what does not fit together is named by its path instead of line and column.
    pub fn from_json(text: &str, name: &str, tables: &dyn Tables) -> Result<Self> {
        let draft: Draft = from_json(&Located::new(name, text), text)?;
        check::contract(draft, tables).map_err(|wrong| wrong.name().source_name(name))
    }

    /// Checks a contract that a program put together.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_draft(draft: Draft, tables: &dyn Tables) -> Result<Self> {
        check::contract(draft, tables).map_err(Wrong::name)
    }
}

impl Overlay {
    /// Reads a file and its base, which counts from its folder.
    ///
    /// # Errors
    /// Input/output errors, and those of [`parse`](Self::parse) and of the base.
    pub fn load(path: &Path) -> Result<Self> {
        let text = text_of(path)?;
        let name = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let located = Located::new(&name, &text);
        let json = is_json(&text) || is_named_json(path);
        let draft: OverlayDraft = match json {
            true => from_json(&located, &text)?,
            false => from_toml(&located, &text)?,
        };
        let placed = |wrong: Wrong| match json {
            true => wrong.name().source_name(&name),
            false => wrong.point(&located, &text),
        };
        let base = Contract::load(&folder.join(&draft.base))
            .map_err(|error| placed(Wrong { path: vec![key("base")], error }))?;
        let overlay = Self::apply(draft, base, &folder).map_err(placed)?;
        Ok(if json { overlay } else { overlay.read_from(located, &text) })
    }

    /// Reads TOML that people know as `name`, over `base`.
    ///
    /// # Errors
    /// As [`Contract::parse`]. An overlay that contradicts its base is no error here: see
    /// [`contradictions`](Self::contradictions).
    pub fn parse(text: &str, name: &str, base: Contract, tables: &dyn Tables) -> Result<Self> {
        let located = Located::new(name, text);
        let draft: OverlayDraft = from_toml(&located, text)?;
        let overlay = Self::apply(draft, base, tables);
        let overlay = overlay.map_err(|wrong| wrong.point(&located, text))?;
        Ok(overlay.read_from(located, text))
    }
}

/// One step into a document.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(String),
    At(usize),
}

/// Something that does not fit, and where in the document it stands.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) path: Vec<Step>,
    pub(crate) error: Error,
}

pub(crate) fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

impl Wrong {
    pub(crate) fn new(path: Vec<Step>, code: &'static str, message: impl Into<String>) -> Self {
        Self { path, error: Error::new(Kind::Config, code, message) }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.error = self.error.hint(hint.into());
        self
    }

    /// The error at its place in the text.
    pub(crate) fn point(self, located: &Located, text: &str) -> Error {
        let span = DeTable::parse(text).map_or(0..0, |table| span(table.get_ref(), &self.path));
        located.here(span, self.error)
    }

    /// The error with the path as its field.
    pub(crate) fn name(self) -> Error {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Key(name) if path.is_empty() => path.push_str(name),
                Step::Key(name) => path.extend([".", name]),
                Step::At(index) => path.push_str(&format!("[{index}]")),
            }
        }
        match path.is_empty() {
            true => self.error,
            false => self.error.at_field(path),
        }
    }
}

/// The span of the deepest part of the path that is there.
fn span(table: &DeTable<'_>, path: &[Step]) -> Range<usize> {
    let mut best = 0..0;
    let mut value: Option<&DeValue<'_>> = None;
    for (depth, step) in path.iter().enumerate() {
        let next = match (step, value) {
            (Step::Key(name), None) if depth == 0 => table.get_key_value(name.as_str()),
            (Step::Key(name), Some(DeValue::Table(table))) => table.get_key_value(name.as_str()),
            (Step::At(index), Some(DeValue::Array(items))) => {
                let Some(item) = items.get(*index) else { break };
                best = item.span();
                value = Some(item.get_ref());
                continue;
            }
            _ => break,
        };
        let Some((name, found)) = next else { break };
        // A key that opens tables has their place; any other is best shown at its value.
        best = match found.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => name.span(),
            _ => found.span(),
        };
        value = Some(found.get_ref());
    }
    best
}

fn from_toml<T: DeserializeOwned>(located: &Located, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|e| located.reader(e.span(), "contract.toml", e.message()))
}

fn from_json<T: DeserializeOwned>(located: &Located, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let wrong = located.reader(None, "contract.json", &error.to_string());
        wrong.at_line(error.line() as u64, error.column() as u64)
    })
}

/// No TOML begins like this.
fn is_json(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{')
}

fn is_named_json(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"))
}

fn text_of(path: &Path) -> Result<String> {
    let text = String::from_utf8(read(path, LARGEST)?).map_err(|_| {
        Error::new(Kind::Config, "contract.encoding", "the contract is not UTF-8")
            .source_name(path.display().to_string())
            .hint("save it as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

fn read(path: &Path, largest: u64) -> Result<Vec<u8>> {
    let shown = path.display().to_string();
    let named = |error: std::io::Error| Error::from(error).source_name(shown.clone());
    let size = std::fs::metadata(path).map_err(named)?.len();
    if size > largest {
        return Err(Error::limit("contract", largest, size).source_name(shown));
    }
    std::fs::read(path).map_err(named)
}
