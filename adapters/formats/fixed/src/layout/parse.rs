//! Layout files in TOML.

use std::collections::BTreeMap;

use fenhe_core::{Attachment, Error, Kind, Result, nearest};
use fenhe_text::Encoding;
use serde::Deserialize;
use toml::Spanned;

use super::field::{FieldText, Shared};
use super::{FieldLayout, Layout, RecordLayout, Role, Total, TotalOf, When};
use crate::options::{Count, FixedOptions, LineEnd};

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutText {
    #[serde(default)]
    layout: HeadText,
    #[serde(default, rename = "record")]
    records: Vec<RecordText>,
    /// For the only record type.
    #[serde(default, rename = "field")]
    fields: Vec<Spanned<FieldText>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadText {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    encoding: Option<Spanned<String>>,
    #[serde(default)]
    count: Count,
    record_length: Option<Spanned<u32>>,
    line_end: Option<LineEnd>,
    #[serde(default)]
    #[allow(dead_code, reason = "for the reader of the layout")]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText {
    name: Spanned<String>,
    role: Option<RoleText>,
    when: Option<Spanned<WhenText>>,
    length: Option<Spanned<u32>>,
    #[serde(default)]
    optional: bool,
    filler: Option<char>,
    #[serde(default, rename = "field")]
    fields: Vec<Spanned<FieldText>>,
    totals: Option<TotalsText>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleText {
    Header,
    Detail,
    Trailer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhenText {
    at: Option<u32>,
    equals: Option<OneOrMore>,
    #[serde(default)]
    first: bool,
}

/// A text or a list of texts.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::More(texts) => texts,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalsText {
    /// The field that counts all records of the data.
    records: Option<Spanned<String>>,
    /// Fields that count the records of one type.
    #[serde(default)]
    counts: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Fields that add up a field of a type.
    #[serde(default)]
    sums: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// The text of a layout file, to point into.
#[derive(Clone, Copy)]
pub(super) struct Source<'a>(pub(super) &'a Attachment);

impl Source<'_> {
    /// A mistake at a byte of the text.
    pub(super) fn mistake(self, at: usize, message: impl Into<String>) -> Error {
        let before = self.0.text.get(..at).unwrap_or(&self.0.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::new(Kind::Config, "fixed.layout", message)
            .source_name(&self.0.name)
            .at_line(line as u64, column as u64)
    }

    fn at<T>(self, place: &Spanned<T>, message: impl Into<String>) -> Error {
        self.mistake(place.span().start, message)
    }

    fn unknown<'k>(
        self,
        place: &Spanned<String>,
        what: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Error {
        let name = place.get_ref();
        let error = self.at(place, format!("there is no {what} {name}"));
        match nearest(name, known.clone()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("known are {}", known.collect::<Vec<_>>().join(", "))),
        }
    }

    /// What the TOML reader found, with the nearest known name for an unknown one.
    fn syntax(self, error: &toml::de::Error) -> Error {
        let message = error.message().lines().next().unwrap_or_default();
        let found = self.mistake(error.span().map_or(0, |s| s.start), message.to_owned());
        let mut names = message.split('`').skip(1).step_by(2);
        match names.next().filter(|_| message.starts_with("unknown")) {
            Some(wrong) => match nearest(wrong, names) {
                Some(near) => found.hint(format!("did you mean {near}?")),
                None => found,
            },
            None => found,
        }
    }
}

/// Reads and checks a layout.
pub(super) fn from_toml(file: &Attachment, options: &FixedOptions) -> Result<Layout> {
    let source = Source(file);
    let text: LayoutText = toml::from_str(&file.text).map_err(|e| source.syntax(&e))?;
    let count = options.count.unwrap_or(text.layout.count);
    let shared = Shared {
        source,
        encoding: encoding(source, &text.layout, options)?,
        trim: options.trim.as_deref(),
    };
    let length = text.layout.record_length.as_ref().map(|l| *l.get_ref()).or(options.record_length);
    let mut records = Vec::new();
    let fields = text.fields;
    let only = (!fields.is_empty() || text.records.is_empty()).then(|| only_record(fields));
    let texts: Vec<RecordText> = only.into_iter().chain(text.records).collect();
    for (index, record) in texts.iter().enumerate() {
        if let Some(first) =
            texts.iter().take(index).find(|r| r.name.get_ref() == record.name.get_ref())
        {
            return Err(source
                .at(&record.name, format!("the record {} is there twice", first.name.get_ref())));
        }
        records.push(read_record(shared, record, length, count)?);
    }
    for (index, record) in texts.iter().enumerate() {
        let totals = totals(source, record, index, &records)?;
        if let Some(layout) = records.get_mut(index) {
            if !totals.is_empty() && record.role.is_none() {
                layout.role = Role::Trailer;
            }
            layout.totals = totals;
        }
    }
    let layout = Layout {
        name: text.layout.name,
        version: text.layout.version,
        encoding: shared.encoding,
        count,
        line_end: options.line_end.or(text.layout.line_end).unwrap_or_default(),
        records,
        quick: false,
    };
    check_frames(source, &layout, &texts)?;
    Ok(layout)
}

fn encoding(source: Source<'_>, head: &HeadText, options: &FixedOptions) -> Result<Encoding> {
    if let Some(label) = &options.encoding {
        return crate::error::encoding(label);
    }
    match &head.encoding {
        None => Ok(Encoding::UTF_8),
        Some(label) => crate::error::encoding(label.get_ref())
            .map_err(|error| source.at(label, error.message().to_owned())),
    }
}

fn only_record(fields: Vec<Spanned<FieldText>>) -> RecordText {
    RecordText {
        name: Spanned::new(0..0, "records".to_owned()),
        role: None,
        when: None,
        length: None,
        optional: true,
        filler: None,
        fields,
        totals: None,
    }
}

fn read_record(
    shared: Shared<'_>,
    text: &RecordText,
    length: Option<u32>,
    count: Count,
) -> Result<RecordLayout> {
    let source = shared.source;
    let mut fields: Vec<FieldLayout> = Vec::new();
    let mut next = 0;
    for field in &text.fields {
        let layout = field.get_ref().read(shared, next)?;
        if fields.iter().any(|f| f.spec.name == layout.spec.name) {
            return Err(source.at(field, format!("the field {} is there twice", layout.spec.name)));
        }
        let end = layout.at.saturating_add(layout.length);
        let clash = fields.iter().find(|f| !f.overlay && f.at < end && layout.at < f.at + f.length);
        if let Some(other) = clash.filter(|_| !layout.overlay) {
            let message = format!("{} lies over {}", layout.spec.name, other.spec.name);
            return Err(source
                .at(field, message)
                .hint("overlay = true if it is another view of the same bytes"));
        }
        next = end;
        fields.push(layout);
    }
    if fields.is_empty() {
        return Err(
            source.at(&text.name, format!("the record {} has no fields", text.name.get_ref()))
        );
    }
    let needed = fields.iter().map(|f| f.at + f.length).max().unwrap_or(0);
    let given = text.length.as_ref().map(|l| *l.get_ref()).or(length);
    let length = given.map_or(needed, |l| l as usize);
    if let Some(field) = text.fields.iter().zip(&fields).find(|(_, f)| f.at + f.length > length) {
        let message = format!(
            "the field ends at {}, but the record at {length}",
            field.1.at + field.1.length
        );
        return Err(source.at(field.0, message));
    }
    Ok(RecordLayout {
        name: text.name.get_ref().clone(),
        role: match text.role {
            Some(RoleText::Header) => Role::Header,
            Some(RoleText::Trailer) => Role::Trailer,
            _ => Role::Detail,
        },
        when: when(shared, text, length, count)?,
        length,
        optional: text.optional,
        gaps: super::gaps(&fields, length),
        fields,
        filler: text.filler.unwrap_or(' '),
        totals: Vec::new(),
    })
}

fn when(shared: Shared<'_>, text: &RecordText, length: usize, count: Count) -> Result<When> {
    let Some(place) = &text.when else { return Ok(When::Otherwise) };
    let bad = |message: &str| shared.source.at(place, message);
    let (at, values) = match place.get_ref().clone_parts() {
        (true, None, None) => return Ok(When::First),
        (false, Some(at), Some(values)) => (at as usize, values),
        _ => return Err(bad("a condition is { at = N, equals = \"...\" } or { first = true }")),
    };
    let at = at.checked_sub(1).ok_or_else(|| bad("positions count from 1"))?;
    let values: Vec<Vec<u8>> = values
        .iter()
        .map(|v| shared.encoding.encode(v).map_err(|e| bad(&e.to_string())))
        .collect::<Result<_>>()?;
    if values.is_empty() || values.iter().any(Vec::is_empty) {
        return Err(bad("a condition needs something to compare with"));
    }
    if count == Count::Bytes && values.iter().any(|v| at + v.len() > length) {
        return Err(bad("the condition looks behind the end of the record"));
    }
    Ok(When::Equals { at, values })
}

impl WhenText {
    fn clone_parts(&self) -> (bool, Option<u32>, Option<Vec<String>>) {
        (self.first, self.at, self.equals.clone().map(OneOrMore::into_vec))
    }
}

fn totals(
    source: Source<'_>,
    text: &RecordText,
    index: usize,
    records: &[RecordLayout],
) -> Result<Vec<Total>> {
    let (Some(totals), Some(record)) = (&text.totals, records.get(index)) else {
        return Ok(Vec::new());
    };
    let declared = |name: &Spanned<String>| {
        let fields = &record.fields;
        let found = fields.iter().position(|f| f.spec.name == *name.get_ref());
        let field = found.ok_or_else(|| {
            source.unknown(name, "field", fields.iter().map(|f| f.spec.name.as_str()))
        })?;
        match fields.get(field) {
            Some(f) if exact(f) => Ok(field),
            _ => Err(source.at(name, format!("{} is no whole or decimal number", name.get_ref()))),
        }
    };
    let type_named = |place: &Spanned<String>, name: &str| {
        records.iter().position(|r| r.name == name).ok_or_else(|| {
            source.unknown(
                &Spanned::new(place.span(), name.to_owned()),
                "record",
                records.iter().map(|r| r.name.as_str()),
            )
        })
    };
    let mut found = Vec::new();
    if let Some(name) = &totals.records {
        let mine = |(i, r): (usize, &RecordLayout)| {
            (i != index && r.role == Role::Detail && r.totals.is_empty()).then_some(i)
        };
        let details = records.iter().enumerate().filter_map(mine).collect();
        found.push(Total { field: declared(name)?, of: TotalOf::Records(details) });
    }
    for (name, of) in &totals.counts {
        let of = TotalOf::Records(vec![type_named(of, of.get_ref())?]);
        found.push(Total { field: declared(name)?, of });
    }
    for (name, path) in &totals.sums {
        let Some((record, field)) = path.get_ref().split_once('.') else {
            return Err(source.at(path, "a sum is written record.field"));
        };
        let record = type_named(path, record)?;
        let fields = records.get(record).map(|r| r.fields.as_slice()).unwrap_or_default();
        let Some(at) = fields.iter().position(|f| f.spec.name == field) else {
            let wrong = Spanned::new(path.span(), field.to_owned());
            return Err(source.unknown(
                &wrong,
                "field",
                fields.iter().map(|f| f.spec.name.as_str()),
            ));
        };
        if !fields.get(at).is_some_and(exact) {
            return Err(source.at(path, format!("{field} is no whole or decimal number")));
        }
        found.push(Total { field: declared(name)?, of: TotalOf::Sum(record, at) });
    }
    Ok(found)
}

/// Whether a field can be added up without rounding.
fn exact(field: &FieldLayout) -> bool {
    field.spec.data_type.is_integer() || field.spec.data_type.is_decimal()
}

/// Records that follow each other without line ends must have one length.
fn check_frames(source: Source<'_>, layout: &Layout, texts: &[RecordText]) -> Result<()> {
    let lengths = || layout.records.iter().map(|r| r.length);
    let several = lengths().min() != lengths().max();
    if layout.line_end == LineEnd::None && several {
        let place = texts.first().map_or(0, |t| t.name.span().start);
        return Err(source
            .mistake(place, "records without line ends must all have the same length")
            .hint("set record_length"));
    }
    for (text, record) in texts.iter().zip(&layout.records).rev().skip(1) {
        if record.when == When::Otherwise {
            return Err(source
                .at(
                    &text.name,
                    format!(
                        "the record {} takes everything, so those after it never match",
                        record.name
                    ),
                )
                .hint("give it a `when`, or put it last"));
        }
    }
    Ok(())
}
