//! From options, schema and the first bytes to everything a decoder needs to know.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use fenhe_core::schema::{FORMAT, SPELLING};
use fenhe_core::{DecodeOptions, Error, Kind, Result};
use fenhe_values::SchemaFile;

use crate::detect::{self, Found};
use crate::dialect::Dialect;
use crate::error::{Bad, Parsed};
use crate::find::record_path;
use crate::infer::Seen;
use crate::options::XmlOptions;
use crate::outline::{Next, Outline, Rules};
use crate::path::{Path, prefixes};
use crate::plan::Plan;
use crate::slow::{self, Context};
use crate::window::{Place, Window};

/// What is settled before the first record is decoded.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) found: Found,
    pub(crate) path: Path,
    pub(crate) plan: Plan,
    /// Schema with all fields.
    pub(crate) schema: SchemaRef,
    /// The outline where the first record stands, or where the sample ends.
    pub(crate) outline: Outline,
    /// Whether types or path were found by looking.
    pub(crate) sampled: bool,
    /// Records in the sample.
    pub(crate) records: u64,
    pub(crate) reasons: Vec<String>,
    pub(crate) columns: Vec<(String, String)>,
}

/// What is known without looking.
pub(crate) struct Known {
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) path: Option<Path>,
    prefixes: Vec<(String, String)>,
    dialect: Option<Dialect>,
}

impl Known {
    /// # Errors
    /// [`Kind::Config`] for options that cannot be understood.
    pub(crate) fn new(options: &XmlOptions, open: &DecodeOptions) -> Result<Self> {
        let prefixes = prefixes(options)?;
        let file = match &options.schema {
            Some(file) if open.schema.is_none() => {
                let parsed =
                    SchemaFile::parse(&file.text).map_err(|e| e.source_name(&file.name))?;
                Some(Arc::new(parsed.schema()))
            }
            _ => None,
        };
        let dialect = open.schema.as_deref().and_then(Dialect::of);
        let given =
            options.record.as_deref().map(|path| Path::parse(path, &prefixes)).transpose()?;
        let path = given.or_else(|| dialect.as_ref()?.record.clone());
        Ok(Self { schema: open.schema.clone().or(file), path, prefixes, dialect })
    }

    /// Whether nothing has to be found out but the encoding.
    pub(crate) fn all(&self) -> bool {
        self.schema.is_some() && self.path.is_some()
    }
}

/// Settles everything by the start of a stream. `encoding` overrides the option: a position knows it.
///
/// # Errors
/// Options and schemas that do not fit; a document whose first record cannot be reached.
pub(crate) fn settle(
    options: &XmlOptions,
    open: &DecodeOptions,
    sample: &[u8],
    complete: bool,
    encoding: Option<&str>,
) -> Result<Settled> {
    let known = Known::new(options, open)?;
    let found = detect::encoding(sample, encoding.or(options.encoding.as_deref()))?;
    let mut window = Window::new(found.encoding, found.bom as u64, Place::START);
    window.push(sample.get(found.bom..).unwrap_or_default(), complete);
    let mut reasons = vec![found.reason.clone()];
    reasons.extend(found.note.clone());
    let text = window.as_str();
    let sampled = !known.all();
    let path = match &known.path {
        Some(path) => path.clone(),
        None => match record_path(text, options.dtd, &open.limits, complete) {
            (Some((path, reason)), _) => {
                reasons.push(reason);
                path
            }
            (None, Err(bad)) => return Err(placed(bad, &window)),
            (None, Ok(())) if complete => {
                let bad = Bad::truncated(text.len(), "the prolog: there is no root element");
                return Err(placed(bad, &window));
            }
            (None, Ok(())) => return Err(no_root(sample.len())),
        },
    };
    let look = Look { options, open, known: &known, path: &path, complete };
    let looked = look.over(&window);
    if let Err(bad) = looked.outcome
        && looked.seen.records == 0
        && !known.all()
    {
        return Err(placed(bad, &window));
    }
    let mut dialect = looked.dialect;
    (dialect.encoding, dialect.bom) = (found.encoding.name().to_owned(), found.bom > 0);
    dialect.record = Some(path.clone());
    let mut columns = Vec::new();
    let schema = match &known.schema {
        Some(schema) => SchemaRef::clone(schema),
        None if looked.seen.records == 0 => return Err(no_record(&path, complete)),
        None => {
            let (fields, why) = looked.seen.fields(options);
            columns = why;
            if looked.seen.full {
                return Err(
                    Error::limit("fields", open.limits.fields, open.limits.fields + 1).at_offset(0)
                );
            }
            Arc::new(Schema::new(fields))
        }
    };
    let schema = with_dialect(&schema, known.dialect.as_ref().unwrap_or(&dialect))?;
    let plan = Plan::new(&schema, open.columns.as_deref(), &known.prefixes)?;
    Ok(Settled {
        found,
        path,
        plan,
        schema,
        outline: looked.outline,
        sampled,
        records: looked.seen.records,
        reasons,
        columns,
    })
}

/// A fault with its place in the source.
pub(crate) fn placed(bad: Bad, window: &Window) -> Error {
    let place = window.place_of(bad.at.min(window.len()));
    bad.error.at_offset(window.offset(bad.at.min(window.len()))).at_line(place.line, place.column)
}

/// A look over the records of a sample.
struct Look<'a> {
    options: &'a XmlOptions,
    open: &'a DecodeOptions,
    known: &'a Known,
    path: &'a Path,
    complete: bool,
}

struct Looked {
    outline: Outline,
    seen: Seen,
    dialect: Dialect,
    outcome: Parsed<()>,
}

impl Look<'_> {
    fn over(&self, window: &Window) -> Looked {
        let text = window.as_str();
        let mut outline = Outline::default();
        let mut looked = Looked {
            outline: Outline::default(),
            seen: Seen::new(self.options, &self.open.limits),
            dialect: Dialect::default(),
            outcome: Ok(()),
        };
        let rules = Rules {
            path: Some(self.path),
            dtd: self.options.dtd,
            limits: &self.open.limits,
            ended: self.complete,
            last: self.complete && self.open.part.is_none(),
        };
        let (mut at, mut last) = (0, None);
        loop {
            outline.entities.consumed = at as u64;
            match outline.next(text, &mut at, &rules) {
                Ok(Next::Record { from, end }) => {
                    let record = text.get(from..end).unwrap_or_default();
                    match last {
                        None => {
                            looked.outline = outline.clone();
                            looked.dialect.set_before(text.get(..from).unwrap_or_default());
                            looked.dialect.set_record(record);
                            looked.dialect.open.clone_from(&outline.open);
                            let prefixes = outline.bindings.iter();
                            looked.dialect.prefixes =
                                prefixes.map(|(p, u)| (p.to_owned(), u.to_owned())).collect();
                            if self.known.all() {
                                return looked;
                            }
                        }
                        Some(last) => {
                            looked.dialect.set_between(text.get(last..from).unwrap_or_default())
                        }
                    }
                    looked.dialect.short |= record.contains("/>");
                    let depth = outline.open.len();
                    let mut context = Context {
                        bindings: &mut outline.bindings,
                        entities: &mut outline.entities,
                        limits: &self.open.limits,
                        depth,
                    };
                    if let Err(bad) = slow::element(record, from, &mut context, &mut looked.seen) {
                        looked.outcome = Err(bad);
                        return looked;
                    }
                    (at, last) = (end, Some(end));
                }
                Ok(Next::End) => {
                    if let Some(last) = last {
                        looked.dialect.set_after(text.get(last..).unwrap_or_default());
                    }
                    break;
                }
                Ok(_) => break,
                Err(bad) => {
                    looked.outcome = Err(bad);
                    break;
                }
            }
        }
        if last.is_none() {
            looked.outline = outline;
        }
        looked
    }
}

fn with_dialect(schema: &SchemaRef, dialect: &Dialect) -> Result<SchemaRef> {
    let text = serde_json::to_string(dialect).map_err(|e| {
        Error::new(Kind::Internal, "xml.dialect", "the dialect has no JSON form").caused_by(e)
    })?;
    let mut metadata: HashMap<_, _> = schema.metadata().clone();
    metadata.insert(FORMAT.into(), "xml".into());
    metadata.insert(SPELLING.into(), text);
    Ok(Arc::new(schema.as_ref().clone().with_metadata(metadata)))
}

fn no_root(looked_at: usize) -> Error {
    let message = format!("the first {looked_at} bytes hold no element");
    Error::new(Kind::NotFound, "xml.record_path", message)
        .at_offset(0)
        .hint("give schema and record for a document with so long a prolog")
}

fn no_record(path: &Path, complete: bool) -> Error {
    let whereabouts = if complete { "the document" } else { "the sample" };
    Error::new(Kind::NotFound, "xml.record_path", format!("{whereabouts} has no element {path}"))
        .at_offset(0)
        .hint("leave record out to see what is there, or give a schema for a document without records")
}
