//! A rule and a schema to a compiled rule. Whatever can be wrong with a rule is found here, before the data come.

use arrow_schema::{DataType, Schema};
use fenhe_core::{Error, Kind, Result, nearest};
use regex::{Regex, RegexBuilder};

use super::column::{DAY, Lane, is_text};
use super::keys::{self, Part, Reference, Unique};
use super::pair::{Agrees, Compare, Ground};
use super::value::{Coded, FloatRange, Identified, Length, NotNull, Pattern, Range};
use super::{Compiled, Context, KeySet, Test};
use crate::identifiers::Policy;
use crate::{Bound, CodeTable, Date, Rule, Unit, rule};

/// What a compiled pattern may take: a contract must not bring down its reader.
const PATTERN_BYTES: usize = 1 << 20;
/// Nesting of a pattern; the default of the library would allow a deep parse.
const PATTERN_DEPTH: u32 = 64;

/// Where errors happened, and the schema.
struct Place<'a> {
    number: usize,
    rule: &'a Rule,
    schema: &'a Schema,
}

type Built = (Box<dyn Test>, String);

pub(super) fn compile(
    number: usize,
    rule: &Rule,
    schema: &Schema,
    context: &Context,
) -> Result<Compiled> {
    let place = Place { number, rule, schema };
    let (test, expected) = match rule {
        Rule::NotNull(rule) => place.not_null(rule),
        Rule::Length(rule) => place.length(rule),
        Rule::Pattern(rule) => place.pattern(rule),
        Rule::Range(rule) => place.range(rule),
        Rule::CodeTable(rule) => place.code_table(rule, context),
        Rule::Identifier(rule) => place.identifier(rule, context),
        Rule::DateNotFuture(rule) => place.date_not_future(rule, context),
        Rule::Agrees(rule) => place.agrees(rule),
        Rule::Compare(rule) => place.compare(rule),
        Rule::Unique(rule) => place.unique(rule, context),
        Rule::Reference(rule) => place.reference(rule, context),
    }?;
    Ok(Compiled {
        severity: rule.severity(),
        code: match rule.own_code() {
            Some(code) => code.to_owned().into(),
            None => format!("rules.{}", rule.name()).into(),
        },
        field: rule.field().to_owned(),
        expected: rule.message().map_or(expected, str::to_owned),
        test,
    })
}

impl Place<'_> {
    fn not_null(&self, rule: &rule::NotNull) -> Result<Built> {
        let (at, _) = self.column(&rule.field)?;
        Ok((Box::new(NotNull { at, blank: rule.blank }), "a value".into()))
    }

    fn length(&self, rule: &rule::Length) -> Result<Built> {
        let (at, data_type) = self.column(&rule.field)?;
        if !is_text(data_type) && *data_type != DataType::Binary {
            return Err(self.wrong_type(&rule.field, data_type, "text or binary data"));
        }
        let max = rule.max.unwrap_or(u64::MAX);
        if max < rule.min {
            return Err(self.wrong("rules.bound", "max is less than min"));
        }
        let unit = match (rule.unit, is_text(data_type)) {
            (Unit::Chars, true) => "characters",
            _ => "bytes",
        };
        let expected = match rule.max {
            Some(max) if max == rule.min => format!("{max} {unit}"),
            Some(max) => format!("{} to {max} {unit}", rule.min),
            None => format!("at least {} {unit}", rule.min),
        };
        Ok((Box::new(Length { at, min: rule.min, max, unit: rule.unit }), expected))
    }

    fn pattern(&self, rule: &rule::Pattern) -> Result<Built> {
        let at = self.text(&rule.field)?;
        // Alone first: `a)|(b` is an expression only between the brackets that anchor it.
        self.regex(&rule.pattern)?;
        let regex = self.regex(&format!("\\A(?:{})\\z", rule.pattern))?;
        Ok((Box::new(Pattern { at, regex }), format!("text like {}", rule.pattern)))
    }

    fn range(&self, rule: &rule::Range) -> Result<Built> {
        let (at, data_type) = self.column(&rule.field)?;
        let expected = match (&rule.min, &rule.max) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => return Err(self.wrong("rules.incomplete", "a range needs min or max")),
        };
        let lane = match Lane::of(data_type) {
            None if is_text(data_type) => Lane::Time,
            None => return Err(self.wrong_type(&rule.field, data_type, "a number or a date")),
            Some(lane) => lane,
        };
        if lane == Lane::Float {
            let float = |bound: &Option<Bound>, none: f64| match bound {
                None => Ok(none),
                Some(bound) => bound.to_string().parse().map_err(|_| self.bad_bound("a number")),
            };
            let min = float(&rule.min, f64::NEG_INFINITY)?;
            let max = float(&rule.max, f64::INFINITY)?;
            return Ok((Box::new(FloatRange { at, min, max }), expected));
        }
        let min = rule.min.as_ref().map(|min| self.bound(min, lane, false)).transpose()?;
        let max = rule.max.as_ref().map(|max| self.bound(max, lane, true)).transpose()?;
        if matches!((min, max), (Some(min), Some(max)) if min > max) {
            return Err(self.wrong("rules.bound", "max is less than min"));
        }
        Ok((Box::new(Range { at, min, max }), expected))
    }

    fn code_table(&self, rule: &rule::CodeTable, context: &Context) -> Result<Built> {
        let at = self.text(&rule.field)?;
        let given = context.tables.iter().find(|table| table.name() == rule.table).cloned();
        let table = given.or_else(|| CodeTable::built_in(&rule.table)).ok_or_else(|| {
            let names = context.tables.iter().map(CodeTable::name).chain(CodeTable::BUILT_IN);
            self.unknown("rules.table", "table", &rule.table, names)
        })?;
        let on_field = rule.on_field.as_ref().map(|name| self.date(name)).transpose()?;
        if on_field.is_some() && rule.on.is_some() {
            return Err(self.wrong("rules.incomplete", "`on` and `on_field` exclude each other"));
        }
        let expected = format!("a code of {}", table.name());
        Ok((Box::new(Coded { at, table, on: rule.on, on_field }), expected))
    }

    fn identifier(&self, rule: &rule::Identifier, context: &Context) -> Result<Built> {
        let at = self.text(&rule.field)?;
        let policy = Policy { today: context.today, any_region: rule.any_region };
        let test = Identified { at, kind: rule.kind, policy, any_spelling: rule.any_spelling };
        Ok((Box::new(test), rule.kind.expected().into()))
    }

    fn date_not_future(&self, rule: &rule::DateNotFuture, context: &Context) -> Result<Built> {
        let at = self.date(&rule.field)?;
        let max = Some((i128::from(context.today.days()) + 1) * DAY - 1);
        Ok((Box::new(Range { at, min: None, max }), "a date up to the day of the check".into()))
    }

    fn agrees(&self, rule: &rule::Agrees) -> Result<Built> {
        let at = self.text(&rule.field)?;
        let beside = [&rule.birth, &rule.sex, &rule.region];
        let names: Vec<_> = beside.iter().filter_map(|name| name.as_deref()).collect();
        if names.is_empty() {
            return Err(self.wrong("rules.incomplete", "one of birth, sex and region is needed"));
        }
        if !matches!(rule.region_digits, 2 | 4 | 6) {
            return Err(self.wrong("rules.bound", "region_digits is 2, 4 or 6"));
        }
        let sex = rule.sex.as_ref().map(|name| {
            let (at, data_type) = self.column(name)?;
            let fits = is_text(data_type) || Lane::of(data_type) == Some(Lane::Number(0));
            if fits {
                Ok(at)
            } else {
                Err(self.wrong_type(name, data_type, "text or whole numbers"))
            }
        });
        let test = Agrees {
            at,
            birth: rule.birth.as_ref().map(|name| self.date(name)).transpose()?,
            sex: sex.transpose()?,
            region: rule.region.as_ref().map(|name| self.text(name)).transpose()?,
            region_digits: rule.region_digits.into(),
            male: rule.male.clone(),
            female: rule.female.clone(),
        };
        Ok((Box::new(test), format!("agreement with {}", names.join(", "))))
    }

    fn compare(&self, rule: &rule::Compare) -> Result<Built> {
        let (left, left_type) = self.column(&rule.field)?;
        let (right, right_type) = self.column(&rule.other)?;
        let ground = match (Lane::of(left_type), Lane::of(right_type)) {
            (None, None) if is_text(left_type) && is_text(right_type) => Ground::Text,
            (Some(Lane::Float), Some(Lane::Float)) => Ground::Floats,
            (Some(Lane::Time), Some(Lane::Time)) => Ground::Numbers(1, 1),
            (Some(Lane::Time), None) if is_text(right_type) => Ground::Numbers(1, 1),
            (None, Some(Lane::Time)) if is_text(left_type) => Ground::Numbers(1, 1),
            (Some(Lane::Number(a)), Some(Lane::Number(b))) => {
                let most = a.max(b);
                match (power(most.checked_sub(a)), power(most.checked_sub(b))) {
                    (Some(by_left), Some(by_right)) => Ground::Numbers(by_left, by_right),
                    _ => {
                        return Err(self.wrong_type(
                            &rule.other,
                            right_type,
                            "a number of a nearer scale",
                        ));
                    }
                }
            }
            _ => {
                return Err(self.wrong_type(
                    &rule.other,
                    right_type,
                    "a column comparable with the first",
                ));
            }
        };
        let expected = format!("a value {} {}", rule.op.words(), rule.other);
        Ok((Box::new(Compare { left, right, op: rule.op, ground }), expected))
    }

    fn unique(&self, rule: &rule::Unique, context: &Context) -> Result<Built> {
        let (at, _) = self.key(&rule.fields)?;
        let test = Unique { at, seen: KeySet::new(context.key_memory) };
        Ok((Box::new(test), "a key that no other row has".into()))
    }

    fn reference(&self, rule: &rule::Reference, context: &Context) -> Result<Built> {
        let (at, shape) = self.key(&rule.fields)?;
        let keys = context.references.get(&rule.to).cloned().ok_or_else(|| {
            let names = context.references.keys().map(String::as_str);
            self.unknown("rules.reference", "set of keys", &rule.to, names)
        })?;
        if !keys.is_empty() && keys.shape() != shape {
            let message = format!("the keys of {} have other types than the columns", rule.to);
            return Err(self.wrong("rules.type", &message));
        }
        Ok((Box::new(Reference { at, keys }), format!("a key of {}", rule.to)))
    }

    fn key(&self, fields: &[String]) -> Result<(Vec<usize>, Vec<Part>)> {
        if fields.is_empty() {
            return Err(self.wrong("rules.incomplete", "a key needs one column or more"));
        }
        let part = |name: &String| {
            let (at, data_type) = self.column(name)?;
            match keys::part(data_type) {
                Some(part) => Ok((at, part)),
                None => Err(self.wrong_type(name, data_type, "text, exact numbers or dates")),
            }
        };
        let parts: Vec<_> = fields.iter().map(part).collect::<Result<_>>()?;
        Ok(parts.into_iter().unzip())
    }

    fn regex(&self, pattern: &str) -> Result<Regex> {
        RegexBuilder::new(pattern)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .nest_limit(PATTERN_DEPTH)
            .build()
            .map_err(|error| {
                self.wrong("rules.pattern", match error {
                    regex::Error::CompiledTooBig(_) => "the pattern is too large (limit 1 MiB)",
                    _ => "the pattern is no regular expression of linear time (no look-around, no back references)",
                })
            })
    }

    fn column(&self, name: &str) -> Result<(usize, &DataType)> {
        match self.schema.index_of(name) {
            Ok(at) => Ok((at, self.schema.field(at).data_type())),
            Err(_) => {
                let names = self.schema.fields().iter().map(|field| field.name().as_str());
                Err(self.unknown("rules.field", "column", name, names))
            }
        }
    }

    fn text(&self, name: &str) -> Result<usize> {
        match self.column(name)? {
            (at, data_type) if is_text(data_type) => Ok(at),
            (_, data_type) => Err(self.wrong_type(name, data_type, "text")),
        }
    }

    fn date(&self, name: &str) -> Result<usize> {
        let (at, data_type) = self.column(name)?;
        if is_text(data_type) || Lane::of(data_type) == Some(Lane::Time) {
            return Ok(at);
        }
        Err(self.wrong_type(name, data_type, "a date, or text with dates"))
    }

    /// A bound in the unit of the lane. A decimal with more digits than the column becomes the next number that the
    /// column can hold inside the bound.
    fn bound(&self, bound: &Bound, lane: Lane, upper: bool) -> Result<i128> {
        match (lane, bound) {
            (Lane::Number(scale), bound) => decimal(&bound.to_string(), scale, upper)
                .ok_or_else(|| self.bad_bound("a decimal of up to 38 digits")),
            (_, Bound::Text(text)) => {
                let date: Date = text.parse().map_err(|_| self.bad_bound("a date (YYYY-MM-DD)"))?;
                let start = i128::from(date.days()) * DAY;
                Ok(if upper { start + DAY - 1 } else { start })
            }
            (_, Bound::Whole(_)) => Err(self.bad_bound("a date (\"YYYY-MM-DD\")")),
        }
    }

    fn bad_bound(&self, expected: &str) -> Error {
        self.wrong("rules.bound", &format!("a bound of this column is {expected}"))
    }

    fn wrong(&self, code: &'static str, message: &str) -> Error {
        let text = format!("rule {} ({}): {message}", self.number + 1, self.rule.name());
        Error::new(Kind::Config, code, text).at_field(self.rule.field())
    }

    fn wrong_type(&self, name: &str, found: &DataType, expected: &str) -> Error {
        self.wrong("rules.type", &format!("{name} is {found}, the rule needs {expected}"))
            .at_field(name)
    }

    fn unknown<'n>(
        &self,
        code: &'static str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) -> Error {
        let error = self.wrong(code, &format!("there is no {what} {name}"));
        match nearest(name, known.clone()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("known are {}", known.collect::<Vec<_>>().join(", "))),
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// 10 to this power, as far as `i128` goes.
fn power(exponent: Option<i8>) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent?).ok()?)
}

/// The decimal `text` as a number with `scale` digits after the point; digits beyond are rounded into the range.
fn decimal(text: &str, scale: i8, upper: bool) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let scale = usize::try_from(scale).ok()?;
    let (kept, beyond) = fraction.split_at(fraction.len().min(scale));
    let padding = std::iter::repeat_n(b'0', scale.checked_sub(kept.len())?);
    let mut number = 0_i128;
    for byte in whole.bytes().chain(kept.bytes()).chain(padding) {
        number = number.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    let more = beyond.bytes().any(|byte| byte != b'0');
    // Towards zero is inside for a positive upper and a negative lower bound.
    if more && negative == upper {
        number = number.checked_add(1)?;
    }
    Some(if negative { -number } else { number })
}
