//! From options, schema and the first bytes to everything a decoder needs to know.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use fenhe_core::schema::{FORMAT, SPELLING, projection};
use fenhe_core::{Attachment, DecodeOptions, Error, Kind, Limits, Result, SchemaRef};
use fenhe_text::Invalid;
use fenhe_values::{FieldSpec, SchemaFile, Spelling, Trim};

use crate::batch::Resume;
use crate::detect::{self, Found};
use crate::dialect::{Dialect, Quoting, Syntax};
use crate::error;
use crate::infer;
use crate::options::{CsvOptions, Types, config};
use crate::rows::count_lines;
use crate::split::{Cut, Form};
use crate::tail;

/// What is settled before the first record is decoded.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) dialect: Dialect,
    pub(crate) syntax: Syntax,
    /// Names of all columns of the stream.
    pub(crate) names: Vec<String>,
    /// The columns to decode, by their place in the stream.
    pub(crate) chosen: Vec<usize>,
    /// How they are spelled.
    pub(crate) specs: Vec<FieldSpec>,
    /// For all columns of the stream: whether it is decoded as text.
    pub(crate) texts: Vec<bool>,
    /// Schema of the batches.
    pub(crate) schema: SchemaRef,
    /// Bytes and line ends before the first record.
    pub(crate) prologue: usize,
    pub(crate) lines: u64,
    /// Where the records of the sample end.
    pub(crate) body_end: usize,
    /// What a resumed decoder must be fed first.
    pub(crate) resume: Resume,
    /// Why: sentences for people, and for single columns.
    pub(crate) reasons: Vec<String>,
    pub(crate) columns: Vec<(String, String)>,
}

/// The dialect that a schema carries, if the schema came from here.
pub(crate) fn dialect_of(schema: &Schema) -> Option<Dialect> {
    let metadata = schema.metadata();
    if metadata.get(FORMAT).map(String::as_str) != Some("csv") {
        return None;
    }
    serde_json::from_str(metadata.get(SPELLING)?).ok()
}

/// Settles everything by the start of a stream. `None`: the header goes on behind the sample.
///
/// # Errors
/// [`Kind::Config`] for options and schemas that do not fit, [`Kind::Truncated`] for a stream without a header.
pub(crate) fn settle(
    options: &CsvOptions,
    open: &DecodeOptions,
    sample: &[u8],
    complete: bool,
) -> Result<Option<Settled>> {
    let known = open.schema.as_deref().and_then(dialect_of);
    let is_known = known.is_some();
    let Found { mut dialect, reasons } = match known {
        Some(dialect) => Found {
            dialect: detect::overlay(dialect, options)?,
            reasons: vec!["the schema says how the file is spelled".into()],
        },
        None => detect::detect(options, sample, complete)?,
    };
    let syntax = Syntax::new(&dialect)?;
    let Some(start) = prologue(options, &dialect, &syntax, sample, complete)? else {
        return Ok(None);
    };
    let head = sample.get(..start.end).unwrap_or(sample);
    let body_end = tail::before(sample, options.skip_tail).len().max(start.end);
    let body = sample.get(start.end..body_end).unwrap_or_default();
    let names = match (&start.header, is_known) {
        (Some(cells), _) => detect::names(cells),
        (None, true) => dialect.names.clone(),
        (None, false) => (1..=detect::usual_fields(&syntax, body, complete))
            .map(|n| format!("column_{n}"))
            .collect(),
    };
    Limits::check("fields", open.limits.fields, names.len() as u64)?;
    if !is_known {
        dialect.prologue = syntax
            .encoding
            .decode(head.get(start.bom..).unwrap_or_default())
            .ok()
            .map(String::from)
            .filter(|text| text.len() <= 16 << 10);
        dialect.names.clone_from(&names);
        dialect.final_newline =
            !complete || sample.is_empty() || matches!(sample.last(), Some(b'\n' | b'\r'));
    }
    let mut settled = Settled {
        texts: vec![false; names.len()],
        lines: count_lines(head, syntax.line_end),
        prologue: start.end,
        body_end,
        resume: Resume {
            prologue: if is_known { start.end } else { sample.len() } as u64,
            complete,
            sampled: !is_known,
        },
        chosen: Vec::new(),
        specs: Vec::new(),
        schema: Arc::new(Schema::empty()),
        columns: Vec::new(),
        names,
        dialect,
        syntax,
        reasons,
    };
    settled.choose(options, open, body, complete)?;
    Ok(Some(settled))
}

impl Settled {
    /// Columns, their types and the schema.
    fn choose(
        &mut self,
        options: &CsvOptions,
        open: &DecodeOptions,
        body: &[u8],
        complete: bool,
    ) -> Result<()> {
        let file = options
            .schema
            .as_ref()
            .filter(|_| open.schema.is_none())
            .map(|file| schema_file(file).map(|file| Arc::new(file.schema())))
            .transpose()?;
        let given = open.schema.as_ref().or(file.as_ref());
        if let Some(schema) = given {
            let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
            let known = dialect_of(schema).is_some();
            self.chosen = self.places(&names)?;
            self.specs = schema
                .fields()
                .iter()
                .map(|field| spec_of(field, options, known))
                .collect::<Result<_>>()?;
        } else {
            self.specs = self.specs_of_stream(options, body, complete)?;
            self.chosen = (0..self.names.len()).collect();
        }
        if let Some(columns) = &open.columns {
            let all = Schema::new(
                self.specs
                    .iter()
                    .map(|s| Field::new(&s.name, s.data_type.clone(), true))
                    .collect::<Vec<_>>(),
            );
            let places = projection(&all, columns)?;
            self.chosen = places.iter().filter_map(|at| self.chosen.get(*at).copied()).collect();
            self.specs = places.iter().filter_map(|at| self.specs.get(*at).cloned()).collect();
        }
        for (spec, place) in self.specs.iter().zip(&self.chosen) {
            if let Some(text) = self.texts.get_mut(*place) {
                *text = spec.data_type == DataType::Utf8;
            }
        }
        self.settle_quoting(body, complete);
        self.schema = self.schema_of(given)?;
        Ok(())
    }

    fn schema_of(&self, given: Option<&SchemaRef>) -> Result<SchemaRef> {
        let fields = self.specs.iter().map(|spec| {
            match given.and_then(|schema| schema.field_with_name(&spec.name).ok()) {
                Some(field) => field.clone(),
                None => spec.to_field(),
            }
        });
        let mut metadata = given.map(|schema| schema.metadata().clone()).unwrap_or_default();
        let spelling = serde_json::to_string(&self.dialect).map_err(|e| {
            Error::new(Kind::Internal, "csv.dialect", "the dialect has no JSON form").caused_by(e)
        })?;
        metadata.insert(FORMAT.into(), "csv".into());
        metadata.insert(SPELLING.into(), spelling);
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>()).with_metadata(metadata)))
    }

    /// Where columns of a given schema stand: by name under a header, else by order.
    fn places(&mut self, names: &[String]) -> Result<Vec<usize>> {
        if self.dialect.header
            || self.dialect.names.iter().any(|name| names.contains(name))
                && self.dialect.names.len() >= names.len()
        {
            let place = |name: &String| {
                self.names.iter().position(|have| have == name).ok_or_else(|| {
                    let error = Error::new(
                        Kind::Invalid,
                        "csv.header",
                        format!("the header has no column {name}"),
                    )
                    .at_offset(0);
                    match fenhe_core::nearest(name, self.names.iter().map(String::as_str)) {
                        Some(near) => error.hint(format!("did you mean {near}?")),
                        None => error.hint("check header, delimiter and encoding"),
                    }
                })
            };
            return names.iter().map(place).collect();
        }
        self.names = names.to_vec();
        self.dialect.names = names.to_vec();
        self.texts = vec![false; names.len()];
        Ok((0..names.len()).collect())
    }

    /// Columns as the sample shows them.
    fn specs_of_stream(
        &mut self,
        options: &CsvOptions,
        body: &[u8],
        complete: bool,
    ) -> Result<Vec<FieldSpec>> {
        let base = base_spelling(options)?;
        let text = |name: &String| FieldSpec::new(name, DataType::Utf8).spelled(base.clone());
        if options.types == Types::Text {
            return Ok(self.names.iter().map(text).collect());
        }
        let types = infer::types(&self.names, &self.syntax, &base, options, body, complete);
        self.columns = types.iter().map(|(spec, why)| (spec.name.clone(), why.clone())).collect();
        Ok(types.into_iter().map(|(spec, _)| spec).collect())
    }

    /// Which fields the writer puts in quotes, by the records of the sample.
    fn settle_quoting(&mut self, body: &[u8], complete: bool) {
        let mut seen = [[0_usize; 2]; 2];
        let mut texts_only = true;
        detect::records(&self.syntax, body, complete, 500, |cells, _| {
            for (place, cell) in cells.iter().enumerate() {
                let quoted = cell.form == Form::Quoted
                    || body.get(cell.start).copied() == self.syntax.quote
                        && cell.form == Form::Escaped;
                let empty = cell.start == cell.end;
                if let Some(count) =
                    seen.get_mut(usize::from(quoted)).and_then(|s| s.get_mut(usize::from(empty)))
                {
                    *count += 1;
                }
                let text = self.texts.get(place).copied().unwrap_or_default();
                texts_only &= quoted == (text && !empty) || (quoted && text);
            }
        });
        let [[plain, plain_empty], [quoted, _]] = seen;
        self.dialect.quoting = match (plain, plain_empty, quoted) {
            (_, _, 0) => Quoting::Minimal,
            (0, 0, _) => Quoting::Always,
            (0, _, _) => Quoting::Values,
            _ if texts_only => Quoting::Texts,
            _ => Quoting::Minimal,
        };
    }
}

/// What the options say about all columns.
pub(crate) fn base_spelling(options: &CsvOptions) -> Result<Spelling> {
    let mut spelling = Spelling { invalid: options.invalid, ..Spelling::default() };
    if let Some(nulls) = &options.nulls {
        spelling.nulls.clone_from(nulls);
    }
    if let Some(word) = &options.trim {
        spelling.trim =
            Trim::from_word(word).ok_or_else(|| config("trim", "none, left, right or both"))?;
    }
    if let Some(mark) = options.decimal {
        spelling.number.decimal_mark = mark;
    }
    spelling.number.thousands = options.thousands;
    if let Some(dates) = &options.dates {
        spelling.date.patterns.clone_from(dates);
    }
    Ok(spelling)
}

/// The schema file of the options.
pub(crate) fn schema_file(file: &Attachment) -> Result<SchemaFile> {
    SchemaFile::parse(&file.text).map_err(|error| error.source_name(file.name.clone()))
}

/// A column of a given schema, spelled as its metadata and the options say.
fn spec_of(field: &Field, options: &CsvOptions, known: bool) -> Result<FieldSpec> {
    let mut spec = FieldSpec::from_field(field)?;
    if !known && !field.metadata().contains_key(SPELLING) {
        spec.spelling = base_spelling(options)?;
    }
    if options.invalid != Invalid::Reject {
        spec.spelling.invalid = options.invalid;
    }
    Ok(spec)
}

/// The bytes before the first record.
pub(crate) struct Prologue {
    pub(crate) bom: usize,
    pub(crate) end: usize,
    /// The texts of the header's fields.
    pub(crate) header: Option<Vec<String>>,
}

/// Byte order mark, lines to pass over, and header. `None`: more bytes are needed.
pub(crate) fn prologue(
    options: &CsvOptions,
    dialect: &Dialect,
    syntax: &Syntax,
    sample: &[u8],
    complete: bool,
) -> Result<Option<Prologue>> {
    let Some(bom) = bom_length(syntax.encoding.bom(), sample, complete) else { return Ok(None) };
    let mut at = bom;
    for _ in 0..options.skip_lines + u32::from(dialect.sep_line) {
        match syntax.line_end(sample, at, complete) {
            Some(end) => at = end,
            None => return Ok(None),
        }
    }
    if !dialect.header {
        return Ok(Some(Prologue { bom, end: at, header: None }));
    }
    loop {
        if at >= sample.len() {
            return if complete { Err(error::no_header(at as u64)) } else { Ok(None) };
        }
        let mut cells = Vec::new();
        match syntax.cut(sample, at, complete, usize::MAX, &mut cells) {
            Cut::Passed { end } => at = end,
            Cut::More { .. } => return Ok(None),
            Cut::Open { quote } => {
                return Err(error::unterminated(
                    quote as u64,
                    0,
                    &fenhe_core::Limits::default(),
                    true,
                ));
            }
            Cut::Record { end, .. } => {
                let texts = cells.iter().map(|cell| detect::text(syntax, sample, cell));
                return Ok(Some(Prologue { bom, end, header: Some(texts.collect()) }));
            }
        }
    }
}

fn bom_length(bom: &[u8], sample: &[u8], complete: bool) -> Option<usize> {
    if bom.is_empty() || !bom.starts_with(sample.get(..bom.len()).unwrap_or(sample)) {
        return Some(0);
    }
    if sample.len() >= bom.len() {
        return Some(bom.len());
    }
    complete.then_some(0)
}
