//! Layouts without a layout file: widths, or a CSV of `column,start,length` (as csvkit's `in2csv` takes it).

use arrow_schema::DataType;
use fenhe_core::{Attachment, Error, Kind, Result};
use fenhe_text::Encoding;
use fenhe_values::{FieldSpec, Trim, parse_type};

use super::parse::Source;
use super::{FieldLayout, Justify, Layout, RecordLayout, Role, Sign, When, gaps};
use crate::options::FixedOptions;

/// Columns of these widths, side by side.
pub(super) fn from_widths(options: &FixedOptions) -> Result<Layout> {
    let bad = |message: String| Error::new(Kind::Config, "core.option", message);
    if options.widths.contains(&0) {
        return Err(bad("a column is at least one wide".into()).at_field("widths"));
    }
    if !options.names.is_empty() && options.names.len() != options.widths.len() {
        let (names, widths) = (options.names.len(), options.widths.len());
        return Err(bad(format!("{names} names for {widths} widths")).at_field("names"));
    }
    let mut at = 0;
    let mut fields = Vec::new();
    for (index, width) in options.widths.iter().enumerate() {
        let name = options.names.get(index).cloned().unwrap_or_else(|| format!("col{}", index + 1));
        let length = *width as usize;
        fields.push(field(name, at, length, DataType::Utf8, options)?);
        at += length;
    }
    layout(fields, options)
}

/// Whether a layout file is a CSV and not TOML: its first line names `column`, `start` and `length`.
pub(super) fn is_csv(text: &str) -> bool {
    let first = text.trim_start_matches('\u{FEFF}').lines().next().unwrap_or_default();
    let has = |name: &str| cells(first).any(|c| c.eq_ignore_ascii_case(name));
    has("column") && has("start") && has("length")
}

/// Reads the CSV. Starts count from 0, or from 1 when the first one is 1, as csvkit has it; `type` is an optional column.
pub(super) fn from_csv(file: &Attachment, options: &FixedOptions) -> Result<Layout> {
    let source = Source(file);
    let mut offset = 0;
    let mut heads: Vec<String> = Vec::new();
    let mut origin = None;
    let mut fields: Vec<FieldLayout> = Vec::new();
    for line in file.text.split_inclusive('\n') {
        let at = offset;
        offset += line.len();
        let line = line.trim_end().trim_start_matches('\u{FEFF}');
        if heads.is_empty() {
            heads = cells(line).map(str::to_ascii_lowercase).collect();
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let cell = |name: &str| {
            let index = heads.iter().position(|h| h == name)?;
            cells(line).nth(index).filter(|c| !c.is_empty())
        };
        let number = |name: &str| {
            let text = cell(name).and_then(|c| c.parse::<u32>().ok());
            text.map(|n| n as usize)
                .ok_or_else(|| source.mistake(at, format!("{name} is no whole number")))
        };
        let name = cell("column").ok_or_else(|| source.mistake(at, "a column without a name"))?;
        let (start, length) = (number("start")?, number("length")?);
        let origin = *origin.get_or_insert(usize::from(start == 1));
        let start = start
            .checked_sub(origin)
            .ok_or_else(|| source.mistake(at, "starts count from 1 here"))?;
        if length == 0 {
            return Err(source.mistake(at, "a column is at least one wide"));
        }
        if fields.iter().any(|f| f.spec.name == name) {
            return Err(source.mistake(at, format!("the column {name} is there twice")));
        }
        let data_type = match cell("type") {
            None => DataType::Utf8,
            Some(name) => parse_type(name).map_err(|e| source.mistake(at, e.to_string()))?,
        };
        let mut found = field(name.to_owned(), start, length, data_type, options)?;
        found.overlay = fields.iter().any(|f| f.at < start + length && start < f.at + f.length);
        fields.push(found);
    }
    if fields.is_empty() {
        return Err(source.mistake(0, "the layout has no columns"));
    }
    layout(fields, options)
}

fn field(
    name: String,
    at: usize,
    length: usize,
    data_type: DataType,
    options: &FixedOptions,
) -> Result<FieldLayout> {
    let number = data_type.is_numeric();
    let mut spec = FieldSpec::new(name, data_type);
    let pad = options.pad.unwrap_or(' ');
    let default = if pad == ' ' { Trim::BOTH } else { Trim::NONE };
    spec.spelling.trim =
        options.trim.as_deref().map_or(Some(default), Trim::from_word).ok_or_else(|| {
            Error::new(Kind::Config, "core.option", "trim is none, left, right or both")
                .at_field("trim")
        })?;
    if let Some(nulls) = &options.nulls {
        spec.spelling.nulls.clone_from(nulls);
    }
    Ok(FieldLayout {
        at,
        length,
        spec,
        sign: Sign::Leading,
        justify: if number { Justify::Right } else { Justify::Left },
        pad,
        trim_pad: pad != ' ',
        overlay: false,
        metadata: Vec::new(),
    })
}

fn layout(fields: Vec<FieldLayout>, options: &FixedOptions) -> Result<Layout> {
    let needed = fields.iter().map(|f| f.at + f.length).max().unwrap_or(0);
    let length = options.record_length.map_or(needed, |l| l as usize);
    if length < needed {
        let message = format!("the columns take {needed} places, the record has {length}");
        return Err(Error::new(Kind::Config, "core.option", message).at_field("record_length"));
    }
    let encoding = match &options.encoding {
        Some(label) => crate::error::encoding(label)?,
        None => Encoding::UTF_8,
    };
    let record = RecordLayout {
        name: "records".into(),
        role: Role::Detail,
        when: When::Otherwise,
        length,
        optional: true,
        gaps: gaps(&fields, length),
        fields,
        filler: ' ',
        totals: Vec::new(),
    };
    Ok(Layout {
        name: String::new(),
        version: String::new(),
        encoding,
        count: options.count.unwrap_or_default(),
        line_end: options.line_end.unwrap_or_default(),
        records: vec![record],
        quick: true,
    })
}

/// The cells of a line, unquoted: names of columns hold no commas.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"'))
}
