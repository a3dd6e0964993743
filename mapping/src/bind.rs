//! A mapping against the schema of a source: what it becomes, or why it cannot.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use fenhe_core::{Error, Kind, Result, Secret, nearest, schema};
use fenhe_kernels::Pools;
use fenhe_rules::CodeTable;

use crate::cast;
use crate::extension::Extension;
use crate::mapper::{Condition, Line, Mapper, Replacement, Start};
use crate::mapping::{self, FieldMapping, Mapping, Origin, Unlisted};
use crate::step::{Operation, Otherwise, Step};
use crate::work::{self, has_spelling};

/// What a mapping refers to and does not hold: the caller reads files and the environment, a mapping does not.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Code tables beside the built-in ones; one of the same name takes the place of a built-in table.
    pub tables: Vec<CodeTable>,
    /// Datasets by their place as [`Mapping::lookups`] names it.
    pub lookups: BTreeMap<String, Vec<RecordBatch>>,
    /// Keys by their name as [`Mapping::secrets`] names it.
    pub secrets: BTreeMap<String, Secret>,
}

pub(crate) fn bind(mapping: &Mapping, source: &SchemaRef, context: &Context) -> Result<Mapper> {
    let left = mapping.left_out(source);
    if mapping.unlisted == Unlisted::Refuse && !left.is_empty() {
        let message = format!("no field is made from: {}", left.join(", "));
        return Err(Error::new(Kind::Config, "mapping.unlisted", message)
            .hint("name them under fields, or set unlisted = \"drop\""));
    }
    let mut binding = Binding { source, context, replacements: Vec::new() };
    let mut lines = Vec::with_capacity(mapping.fields.len());
    for field in &mapping.fields {
        lines.push(binding.line(field).map_err(|error| match error.field() {
            Some(_) => error,
            None => error.at_field(&field.name),
        })?);
    }
    let used = mapping.used();
    let others = || {
        let fields = source.fields().iter().enumerate();
        fields.filter(|(_, field)| !used.iter().any(|name| name == field.name()))
    };
    let mut extension = None;
    match &mapping.unlisted {
        Unlisted::Extension(name) => {
            let columns: Vec<usize> = others().map(|(index, _)| index).collect();
            extension = Some(Extension::new(name, source, columns)?);
        }
        Unlisted::Keep => lines.extend(others().map(|(index, field)| Line::same(index, field))),
        _ if mapping.fields.is_empty() => {
            lines.extend(others().map(|(index, field)| Line::same(index, field)));
        }
        Unlisted::Drop | Unlisted::Refuse => {}
    }
    let mut fields: Vec<FieldRef> = lines.iter().map(|line| Arc::clone(&line.field)).collect();
    fields.extend(extension.as_ref().map(Extension::field));
    twice(&fields)?;
    Ok(Mapper {
        lines,
        extension,
        schema: Arc::new(Schema::new_with_metadata(fields, source.metadata().clone())),
        source: Arc::clone(source),
        replacements: binding.replacements,
        pools: Pools::default(),
    })
}

/// Two fields of one name cannot be told apart at the target.
fn twice(fields: &[FieldRef]) -> Result<()> {
    for (at, field) in fields.iter().enumerate() {
        if fields.iter().take(at).any(|other| other.name() == field.name()) {
            let message = "the target would have two fields of this name";
            return Err(Error::new(Kind::Config, "mapping.twice", message).at_field(field.name()));
        }
    }
    Ok(())
}

struct Binding<'a> {
    source: &'a SchemaRef,
    context: &'a Context,
    replacements: Vec<Replacement>,
}

impl Binding<'_> {
    fn line(&mut self, field: &FieldMapping) -> Result<Line> {
        let (start, mut kind) = self.start(field)?;
        let when = field.when.as_ref().map(|when| self.condition(when)).transpose()?;
        let mut steps = Vec::with_capacity(field.steps.len());
        for (number, step) in field.steps.iter().enumerate().filter(|(_, step)| !step.combines()) {
            let slot = self.slot(&field.name, step);
            let compiled = work::compile(step, &kind, self.context, slot);
            let (run, to) = compiled.map_err(|error| at_step(error, number, field.steps.len()))?;
            steps.push(run);
            kind = to;
        }
        let to = field.data_type.clone().unwrap_or_else(|| kind.clone());
        cast::possible(&kind, &to)?;
        let mut arrow = self.described(field, &start, &to);
        let default = field.default.as_ref().map(|default| self.default(default, &arrow));
        let default = default.transpose()?;
        let required = field.required && default.is_none();
        arrow.set_nullable(self.nullable(field, &start) && default.is_none());
        Ok(Line { field: Arc::new(arrow), start, when, steps, from: kind, default, required })
    }

    fn start(&self, field: &FieldMapping) -> Result<(Start, DataType)> {
        Ok(match &field.origin {
            Origin::Column(name) => {
                let index = self.column(name)?;
                (Start::Column(index), self.source.field(index).data_type().clone())
            }
            Origin::Columns(names) => {
                let columns =
                    names.iter().map(|name| self.column(name)).collect::<Result<Vec<_>>>()?;
                let kinds: Vec<&DataType> =
                    columns.iter().map(|index| self.source.field(*index).data_type()).collect();
                let same = kinds.windows(2).all(|pair| pair.first() == pair.last());
                let spelled = kinds.iter().all(|kind| has_spelling(kind));
                let by = match field.steps.first().map(|step| &step.operation) {
                    Some(Operation::Join(by)) => Some(by.clone()),
                    _ => None,
                };
                if !spelled && (by.is_some() || !same) {
                    let message = "columns without a plain text form cannot be put together";
                    return Err(Error::new(Kind::Config, "mapping.type", message));
                }
                let kind = match kinds.first() {
                    Some(kind) if same && by.is_none() => (*kind).clone(),
                    _ => DataType::Utf8,
                };
                match by {
                    Some(by) => (Start::Join(columns, by), kind),
                    None => (Start::First(columns), kind),
                }
            }
            Origin::Constant(value) => {
                let text: ArrayRef = Arc::new(StringArray::from(vec![value.as_str()]));
                (Start::Constant(text), DataType::Utf8)
            }
        })
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.source.index_of(name).map_err(|_| {
            let names: Vec<&str> = self.source.fields().iter().map(|f| f.name().as_str()).collect();
            let message = format!("the source has no column {name}");
            let error = Error::new(Kind::Config, "mapping.unknown", message);
            match nearest(name, names.iter().copied()) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint(format!("columns are {}", names.join(", "))),
            }
        })
    }

    fn condition(&self, when: &mapping::Condition) -> Result<Condition> {
        let column = self.column(&when.column).map_err(|error| in_part(error, "when"))?;
        let kind = self.source.field(column).data_type();
        if !has_spelling(kind) {
            return Err(work::other_type("text", kind));
        }
        Ok(match (&when.equals, &when.one_of, when.blank) {
            (Some(text), ..) => Condition::OneOf(column, vec![text.clone()]),
            (_, Some(texts), _) => Condition::OneOf(column, texts.clone()),
            (.., blank) => Condition::Blank(column, blank.unwrap_or(true)),
        })
    }

    /// The field as the target sees it. What the legacy side said of a column holds as long as its values are unchanged.
    fn described(&self, field: &FieldMapping, start: &Start, to: &DataType) -> Field {
        let metadata = match start {
            Start::Column(index) => {
                let old = self.source.field(*index).metadata();
                match field.steps.is_empty() {
                    true => old.clone(),
                    false => kept(old, &[schema::SENSITIVITY, schema::TITLE]),
                }
            }
            _ => HashMap::new(),
        };
        let arrow = Field::new(&field.name, to.clone(), true).with_metadata(metadata);
        match &field.title {
            Some(title) => schema::with(arrow, schema::TITLE, title),
            None => arrow,
        }
    }

    fn nullable(&self, field: &FieldMapping, start: &Start) -> bool {
        if field.required || matches!(start, Start::Constant(_)) && field.steps.is_empty() {
            return field.when.is_some() && !field.required;
        }
        match start {
            Start::Column(index) => {
                !field.steps.is_empty()
                    || field.when.is_some()
                    || self.source.field(*index).is_nullable()
            }
            _ => true,
        }
    }

    /// The default as one value of the type, and the number under which its use is counted.
    fn default(
        &mut self,
        default: &mapping::DefaultValue,
        field: &Field,
    ) -> Result<(ArrayRef, usize)> {
        let text: ArrayRef = Arc::new(StringArray::from(vec![default.value.as_str()]));
        let mut bad = Vec::new();
        let array = match cast::possible(text.data_type(), field.data_type()) {
            Ok(()) => cast::column(&text, field, &Pools::default(), &mut bad)?,
            Err(error) => return Err(error),
        };
        if !bad.is_empty() || array.is_null(0) {
            return Err(Error::new(
                Kind::Config,
                "mapping.default",
                "the default is no value of the field's type",
            ));
        }
        let what = format!("default {} ({})", default.value, default.reason);
        self.replacements.push(Replacement { field: field.name().clone(), what });
        Ok((array, self.replacements.len() - 1))
    }

    /// The number under which it is counted when a step puts something in place of a value.
    fn slot(&mut self, field: &str, step: &Step) -> usize {
        let what = match &step.otherwise {
            Otherwise::Reject => return usize::MAX,
            Otherwise::Null => format!("taken away by step: {}", step.operation),
            Otherwise::Keep => format!("left as it was by step: {}", step.operation),
            Otherwise::Value(value) => format!("became {value} by step: {}", step.operation),
        };
        self.replacements.push(Replacement { field: field.to_owned(), what });
        self.replacements.len() - 1
    }
}

fn kept(metadata: &HashMap<String, String>, keys: &[&str]) -> HashMap<String, String> {
    let kept = metadata.iter().filter(|(key, _)| keys.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Where there are several steps, the number of the one that an error is about.
pub(crate) fn at_step(error: Error, number: usize, steps: usize) -> Error {
    if steps < 2 {
        return error;
    }
    in_part(error, &format!("step {}", number + 1))
}

/// The error with the part of the field that it is about.
fn in_part(error: Error, part: &str) -> Error {
    let message = format!("{part}: {}", error.message());
    let mut told = Error::new(error.kind(), error.code().to_owned(), message);
    if let Some(hint) = error.hint_text() {
        told = told.hint(hint.to_owned());
    }
    told.caused_by(error)
}
