//! Types of columns by looking at the first records.

use arrow_schema::DataType;
use fenhe_values::{FieldReader, FieldSpec, Guess, Pattern, Spelling};

use crate::detect;
use crate::dialect::Syntax;
use crate::options::CsvOptions;
use crate::split::Form;

/// Records looked at.
const LOOKED_AT: usize = 5_000;

/// Each column's type and spelling, with the reasons in one sentence.
pub(crate) fn types(
    names: &[String],
    syntax: &Syntax,
    base: &Spelling,
    options: &CsvOptions,
    body: &[u8],
    complete: bool,
) -> Vec<(FieldSpec, String)> {
    let mut guesses: Vec<Guess> = names
        .iter()
        .map(|name| Guess::new(name, syntax.encoding).with_nulls(&base.nulls))
        .collect();
    let mut dated = Dated::new(names.len(), syntax, base, options);
    let mut value = Vec::new();
    detect::records(syntax, body, complete, LOOKED_AT, |cells, in_order| {
        if cells.len() != names.len() || !in_order {
            return;
        }
        for (place, (cell, guess)) in cells.iter().zip(&mut guesses).enumerate() {
            let raw = body.get(cell.start..cell.end).unwrap_or_default();
            let field = if cell.form == Form::Escaped {
                value.clear();
                syntax.unescape(raw, &mut value);
                &value
            } else {
                raw
            };
            guess.feed(field);
            dated.feed(place, field);
        }
    });
    guesses
        .iter()
        .enumerate()
        .map(|(place, guess)| judge(guess, dated.spec(place), base, options))
        .collect()
}

fn judge(
    guess: &Guess,
    dated: Option<DataType>,
    base: &Spelling,
    options: &CsvOptions,
) -> (FieldSpec, String) {
    let found = guess.finish();
    let (mut spec, mut why) = (found.spec, found.reasons.join("; "));
    if let Some(data_type) = dated {
        spec.data_type = data_type;
        spec.spelling = base.clone();
        why = "every value fits the dates that were set".into();
    }
    let marked = matches!(
        spec.data_type,
        DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::Float64
    );
    if marked && options.decimal.is_some_and(|mark| mark != spec.spelling.number.decimal_mark) {
        spec.data_type = DataType::Utf8;
        why =
            format!("text: the numbers have another decimal mark than the one that was set; {why}");
    }
    if spec.data_type == DataType::Utf8 {
        spec.spelling = base.clone();
    }
    spec.spelling.nulls.clone_from(&base.nulls);
    spec.spelling.invalid = base.invalid;
    (spec, why)
}

/// Columns whose values all fit the date patterns that the options set.
struct Dated {
    reader: Option<(FieldReader, DataType)>,
    /// For each column, the values that fit; `None` once one did not.
    fits: Vec<Option<u64>>,
    nulls: Vec<Vec<u8>>,
}

impl Dated {
    fn new(columns: usize, syntax: &Syntax, base: &Spelling, options: &CsvOptions) -> Self {
        let patterns: Vec<Pattern> = options
            .dates
            .iter()
            .flatten()
            .filter_map(|p| Pattern::new(p, base.date.pivot).ok())
            .collect();
        let timed = patterns.iter().any(Pattern::has_time);
        let data_type = if timed {
            DataType::Timestamp(arrow_schema::TimeUnit::Second, None)
        } else {
            DataType::Date32
        };
        let spec = FieldSpec::new("", data_type.clone()).spelled(base.clone());
        let reader = FieldReader::new(&spec, syntax.encoding).ok().filter(|_| !patterns.is_empty());
        Self {
            reader: reader.map(|reader| (reader, data_type)),
            fits: vec![Some(0); columns],
            nulls: base.nulls.iter().filter_map(|null| syntax.encoding.encode(null).ok()).collect(),
        }
    }

    fn feed(&mut self, place: usize, field: &[u8]) {
        let Some((reader, _)) = &self.reader else { return };
        let Some(fits) = self.fits.get_mut(place) else { return };
        if self.nulls.iter().any(|null| null == field) {
            return;
        }
        *fits = fits.filter(|_| reader.check(field).is_none()).map(|count| count + 1);
    }

    fn spec(&self, place: usize) -> Option<DataType> {
        let fits = self.fits.get(place).copied().flatten()?;
        self.reader.as_ref().filter(|_| fits > 0).map(|(_, data_type)| data_type.clone())
    }
}
