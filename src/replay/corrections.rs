//! Corrected rows, as they stand in a list.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use fenhe_core::{
    Batch, Error, Exchange, Kind, Limits, Options, ReadRequest, Reader, Reject, Result, nearest,
};

use super::list::{BYTES, DELIVERY, OWN, RECORD, SHAPE, TEXT};
use super::raw::Given;
use super::waiting::Shape;
use crate::pump::Outline;
use crate::registry::SourceEnd;

/// One row of a list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The line that it begins in, the first being 1.
    pub(super) at: u64,
    pub(super) delivery: Option<String>,
    pub(super) record: u64,
    pub(super) shape: Option<Shape>,
    pub(super) values: Vec<(String, Option<String>)>,
    /// What was given for its bytes.
    pub(super) given: Given,
    /// Whether it is a line of a file of rejects, whose values stand in its bytes.
    pub(super) of_rejects: bool,
}

/// Corrected rows, read from a list.
#[derive(Clone, Debug, Default)]
pub struct Corrections {
    name: String,
    columns: Vec<String>,
    lines: Vec<Line>,
}

impl Corrections {
    /// Reads a corrected list, whose columns must all be text. Lines out of the file of rejects, their `raw` corrected, are
    /// a list as well.
    ///
    /// Errors name the line of the list: in CSV the physical one, as values with line feeds go over several, and as
    /// somebody may have put blank lines between the rows.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `replay.list` when it lacks the column `_record` or a row is damaged; those of
    /// reading it.
    pub async fn read(list: &SourceEnd, limits: &Limits) -> Result<Self> {
        let (mut reader, mut ruler) = open(list, limits).await?;
        let mut read = Self { name: list.input.name.clone(), ..Self::default() };
        while let Some(batch) = reader.next().await? {
            if let Some(reject) = batch.rejects.iter().find(|reject| !is_blank(reject)) {
                let what = format!("the list itself is damaged: {reject}");
                let line = reject.line.unwrap_or(ruler.header + reject.record);
                return Err(read.wrong("replay.list", line, what));
            }
            read.take(&batch, &mut ruler)?;
            Limits::check("rejects", limits.rejects, read.lines.len() as u64)?;
        }
        Ok(read)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What is wrong with a line of this list.
    pub(super) fn wrong(&self, code: &'static str, line: u64, what: impl Into<String>) -> Error {
        Error::new(Kind::Config, code, what).source_name(self.name.clone()).at_line(line, 1)
    }

    /// Every column that holds values is one of the flows: a misspelt one would lose them.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `replay.list` and the column.
    pub(super) fn check_columns(&self, outlines: &[&Outline]) -> Result<()> {
        let shapes = [Shape::Source, Shape::Target].into_iter();
        let schemas = shapes.flat_map(|shape| outlines.iter().map(move |one| shape.columns(one)));
        let names: Vec<&str> =
            schemas.flat_map(|schema| schema.fields().iter().map(|f| f.name().as_str())).collect();
        let unknown = |name: &&String| !names.contains(&name.as_str());
        let Some(column) = self.columns.iter().find(unknown) else { return Ok(()) };
        let what = format!("neither source nor target has a column {column}");
        let error = Error::new(Kind::Config, "replay.list", what)
            .source_name(self.name.clone())
            .at_field(column.clone());
        Err(match nearest(column, names.iter().copied().chain(OWN)) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("the columns of values are {}", listed(&names))),
        })
    }

    /// The list has every column that a row of this shape needs, and the row has no value in another.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `replay.list` and the column.
    pub(super) fn check_row(&self, line: &Line, shape: Shape, outline: &Outline) -> Result<()> {
        let schema = shape.columns(outline);
        let mut fields = schema.fields().iter().map(|field| field.name());
        if let Some(missing) = fields.find(|name| {
            !OWN.contains(&name.as_str()) && !line.values.iter().any(|v| v.0 == **name)
        }) {
            let what = format!("record {} needs the column {missing}", line.record);
            return Err(self
                .wrong("replay.list", line.at, what)
                .at_field(missing.clone())
                .hint("keep all columns of the list: one that is missing would be no value"));
        }
        let stray = |(name, value): &&(String, Option<String>)| {
            value.is_some() && schema.index_of(name).is_err()
        };
        let Some((name, _)) = line.values.iter().find(stray) else { return Ok(()) };
        let what =
            format!("record {} has the shape {} and no field {name}", line.record, shape.name());
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        Err(self
            .wrong("replay.list", line.at, what)
            .at_field(name.clone())
            .hint(format!("its values stand under {}", listed(&names))))
    }

    fn take(&mut self, batch: &Batch, ruler: &mut Ruler) -> Result<()> {
        let schema = batch.records.schema();
        // A file of rejects has names of its own, and lists that are no text.
        let of_rejects = schema.index_of(RECORD).is_err() && schema.index_of("raw_is").is_ok();
        let [record, delivery, bytes] = match of_rejects {
            true => ["record", "delivery", "raw"],
            false => [RECORD, DELIVERY, BYTES],
        };
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for (field, array) in schema.fields().iter().zip(batch.records.columns()) {
            let name = field.name().as_str();
            if !of_rejects || [record, delivery, bytes].contains(&name) {
                columns.push((name, arrow_cast::cast(array, &DataType::Utf8)?));
            }
            if !of_rejects && !OWN.contains(&name) && !self.columns.iter().any(|c| c == name) {
                self.columns.push(name.to_owned());
            }
        }
        let of = |name: &str, row: usize| -> Option<String> {
            let (_, array) = columns.iter().find(|(other, _)| *other == name)?;
            let text = array.as_string::<i32>();
            let value = (!text.is_null(row)).then(|| text.value(row).to_owned());
            value.filter(|value| !value.is_empty())
        };
        for (row, number) in batch.record_numbers().into_iter().enumerate() {
            let at = ruler.next(number, &batch.records, row);
            let text = of(record, row).and_then(|text| text.trim().parse().ok());
            let Some(record) = text else {
                let what = format!("there is no number of a record in {record}");
                return Err(self.wrong("replay.list", at, what));
            };
            let shape = match of(SHAPE, row) {
                None => None,
                Some(name) => Some(Shape::named(name.trim()).ok_or_else(|| {
                    let what = format!("{SHAPE} is source, target or raw");
                    self.wrong("replay.list", at, what)
                })?),
            };
            let values = columns.iter().filter(|(name, _)| !of_rejects && !OWN.contains(name));
            self.lines.push(Line {
                at,
                delivery: of(delivery, row),
                record,
                shape,
                values: values.map(|(name, _)| ((*name).to_owned(), of(name, row))).collect(),
                given: Given { text: of(TEXT, row), digits: of(bytes, row) },
                of_rejects,
            });
        }
        Ok(())
    }
}

/// The list being read, and what tells its lines. Blank lines of a CSV list are read as records that are none: so they are
/// counted.
async fn open(list: &SourceEnd, limits: &Limits) -> Result<(Box<dyn Reader>, Ruler)> {
    let request = ReadRequest {
        dataset: list.input.dataset.clone(),
        limits: limits.clone(),
        ..ReadRequest::default()
    };
    let Some(files) = list.files.as_ref().filter(|_| list.format == Some("csv")) else {
        let ruler = Ruler { header: u64::from(list.format == Some("excel")), feeds: None };
        return Ok((list.input.exchange.read(request).await?, ruler));
    };
    // A blank line must not be taken for the header.
    let above = blank_lines(&files.sample(limits).await?.bytes);
    let mut options = Options::new();
    options.set("blank_lines", "record");
    if above > 0 {
        options.set("skip_lines", above);
    }
    let reader = files.insisting(options).read(request).await?;
    let names = reader.schema();
    let header = 1 + above + names.fields().iter().map(|field| feeds(field.name())).sum::<u64>();
    Ok((reader, Ruler { header, feeds: Some(0) }))
}

/// Blank lines at the start of a text.
fn blank_lines(bytes: &[u8]) -> u64 {
    let mut rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut lines = 0;
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        (rest, lines) = (after, lines + 1);
    }
    lines
}

/// Whether what was rejected is a blank line, in one byte a character or in two.
fn is_blank(reject: &Reject) -> bool {
    !reject.raw_cut && reject.raw.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// Tells the lines of a list.
struct Ruler {
    /// Lines above the first record.
    header: u64,
    /// Line feeds in the rows so far, where a value with line feeds goes over several lines.
    feeds: Option<u64>,
}

impl Ruler {
    /// The line that a row begins in; rows are asked for in their order.
    fn next(&mut self, number: u64, records: &RecordBatch, row: usize) -> u64 {
        let at = self.header + self.feeds.unwrap_or_default() + number;
        if let Some(all) = &mut self.feeds {
            let texts = records.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
            let texts = texts.filter(|texts| texts.is_valid(row));
            *all += texts.map(|texts| feeds(texts.value(row))).sum::<u64>();
        }
        at
    }
}

fn feeds(text: &str) -> u64 {
    text.matches('\n').count() as u64
}

fn listed(names: &[&str]) -> String {
    names.join(", ")
}
