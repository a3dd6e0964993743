//! What is in the columns of a dataset, in counts. Values are looked at and not kept, but for a few short ones that tell codes.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use fenhe_core::schema::{NATIVE_TYPE, TITLE};
use fenhe_core::{Reject, Result};
use fenhe_rules::identifiers::{Identifier, Policy, normalise};
use fenhe_rules::{CodeTable, Date};

/// Distinct short values that are kept to tell code tables.
const DISTINCT: usize = 128;
/// Characters of a value that may be a code or its title.
const SHORT: usize = 24;

/// What was found in a dataset.
#[derive(Clone, Debug)]
pub struct Profile {
    /// How people know the system.
    pub system: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Records read.
    pub read: u64,
    /// Rows among them.
    pub rows: u64,
    /// Records that could not become rows, by code, with the first record numbers.
    pub unreadable: BTreeMap<String, (u64, Vec<u64>)>,
    pub(crate) schema: SchemaRef,
}

/// What was found in a column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its title, where the system has one.
    pub title: Option<String>,
    /// Its type as the system spells it, else as fenhe does.
    pub native: String,
    /// Its type.
    pub data_type: DataType,
    /// Values that are there (not null, not blank).
    pub present: u64,
    /// Most characters of a text.
    pub longest: u64,
    evidence: Evidence,
    /// `None`: there were too many, or they were too long.
    distinct: Option<BTreeMap<String, u64>>,
}

/// How many values look like what.
#[derive(Clone, Debug, Default)]
struct Evidence {
    /// By kind, values that are right after plain spelling.
    identifiers: [u64; KINDS.len()],
    /// Right citizen numbers of 15 digits.
    old_citizens: u64,
    /// Identifiers that are right only in plain spelling.
    odd_spelling: u64,
    dates: u64,
    numbers: u64,
    blanks_at_ends: u64,
}

/// Identifiers that columns are searched for.
pub(crate) const KINDS: [Identifier; 7] = [
    Identifier::Citizen,
    Identifier::Person,
    Identifier::Uscc,
    Identifier::Organisation,
    Identifier::Taxpayer,
    Identifier::BankCard,
    Identifier::Mobile,
];

/// Takes the profile of a dataset, batch by batch.
#[derive(Debug)]
pub struct Profiler {
    profile: Profile,
    policy: Policy,
}

impl Profiler {
    /// A profiler for a dataset of the system that people know by this name. `today` limits birth dates in numbers.
    #[must_use]
    pub fn new(system: &str, schema: &SchemaRef, today: Date) -> Self {
        let columns = columns(schema);
        let profile = Profile {
            system: system.into(),
            columns,
            read: 0,
            rows: 0,
            unreadable: BTreeMap::new(),
            schema: SchemaRef::clone(schema),
        };
        // Regions are no evidence: test data have none, and old ones are in no list.
        Self { profile, policy: Policy::on(today).any_region() }
    }

    /// Looks at a batch.
    ///
    /// # Errors
    /// [`Kind::Internal`](fenhe_core::Kind::Internal) for columns that no cast makes text of.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.profile.rows += batch.num_rows() as u64;
        self.profile.read += batch.num_rows() as u64;
        for (column, array) in self.profile.columns.iter_mut().zip(batch.columns()) {
            match is_text(array.data_type()) {
                true => {
                    let text = arrow_cast::cast(array, &DataType::LargeUtf8)?;
                    for value in text.as_string::<i64>().iter().flatten() {
                        column.look(value, &self.policy);
                    }
                }
                false => column.present += (array.len() - array.null_count()) as u64,
            }
        }
        Ok(())
    }

    /// Counts records that could not become rows.
    pub fn reject(&mut self, rejects: &[Reject]) {
        self.profile.read += rejects.len() as u64;
        for reject in rejects {
            let what = match reject.fault.field.as_str() {
                "" => reject.fault.code.to_string(),
                field => format!("{field}: {}", reject.fault.code),
            };
            let (count, examples) = self.profile.unreadable.entry(what).or_default();
            *count += 1;
            if examples.len() < crate::EXAMPLES {
                examples.push(reject.record);
            }
        }
    }

    /// The profile.
    #[must_use]
    pub fn finish(self) -> Profile {
        self.profile
    }
}

impl Profile {
    /// A profile of names and types alone, of a system whose data are not looked at.
    #[must_use]
    pub fn of_schema(system: &str, schema: &SchemaRef) -> Self {
        Profiler::new(system, schema, Date::from_days(0)).profile
    }

    pub(crate) fn unreadable_rows(&self) -> u64 {
        self.read - self.rows
    }
}

impl Column {
    fn look(&mut self, value: &str, policy: &Policy) {
        let plain = value.trim_matches(is_blank);
        if plain.is_empty() {
            return;
        }
        self.present += 1;
        self.longest = self.longest.max(plain.chars().count() as u64);
        let evidence = &mut self.evidence;
        evidence.blanks_at_ends += u64::from(plain.len() < value.len());
        evidence.dates += u64::from(is_date(plain));
        evidence.numbers += u64::from(is_number(plain));
        identify(evidence, plain, policy);
        self.remember(plain);
    }

    fn remember(&mut self, value: &str) {
        let Some(known) = &mut self.distinct else { return };
        if let Some(count) = known.get_mut(value) {
            *count += 1;
        } else if known.len() < DISTINCT && value.chars().count() <= SHORT {
            known.insert(value.to_owned(), 1);
        } else {
            self.distinct = None;
        }
    }

    /// Whether its values are text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        is_text(&self.data_type)
    }

    /// The share of values that are right identifiers of this kind.
    pub(crate) fn identifier_share(&self, kind: Identifier) -> f64 {
        let at = KINDS.iter().position(|known| *known == kind);
        let found = at.and_then(|at| self.evidence.identifiers.get(at)).copied().unwrap_or(0);
        self.share(found)
    }

    pub(crate) fn date_share(&self) -> f64 {
        self.share(self.evidence.dates)
    }

    pub(crate) fn number_share(&self) -> f64 {
        self.share(self.evidence.numbers)
    }

    pub(crate) fn has_old_citizens(&self) -> bool {
        self.evidence.old_citizens > 0
    }

    pub(crate) fn has_odd_spelling(&self) -> bool {
        self.evidence.odd_spelling > 0
    }

    pub(crate) fn has_blanks(&self) -> bool {
        self.evidence.blanks_at_ends > 0
    }

    /// Values that are codes of the table, and values that are titles in it; `None` when there are too many different ones.
    pub(crate) fn codes(&self, table: &CodeTable) -> Option<(u64, u64)> {
        let (mut codes, mut titles) = (0, 0);
        for (value, count) in self.distinct.as_ref()? {
            if table.get(value, None).is_some() {
                codes += count;
            } else if table.titled(value, None).is_some() {
                titles += count;
            }
        }
        Some((codes, titles))
    }

    /// Whether all values are among these, and there are some.
    pub(crate) fn all_among(&self, words: &[&str]) -> bool {
        let known = |value: &String| words.contains(&value.as_str());
        self.distinct.as_ref().is_some_and(|d| !d.is_empty() && d.keys().all(known))
    }

    pub(crate) fn share(&self, count: u64) -> f64 {
        match self.present {
            0 => 0.0,
            present => ratio(count, present),
        }
    }
}

/// A share needs no more precision than a float has.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    }
}

fn columns(schema: &Schema) -> Vec<Column> {
    let of = |field: &arrow_schema::FieldRef| {
        let said = |key| field.metadata().get(key).cloned();
        Column {
            name: field.name().clone(),
            title: said(TITLE),
            native: said(NATIVE_TYPE).unwrap_or_else(|| type_words(field.data_type())),
            data_type: field.data_type().clone(),
            present: 0,
            longest: 0,
            evidence: Evidence::default(),
            distinct: Some(BTreeMap::new()),
        }
    };
    schema.fields().iter().map(of).collect()
}

/// A type in one or two words.
pub(crate) fn type_words(data_type: &DataType) -> String {
    fenhe_values::type_name(data_type).unwrap_or_else(|| match data_type {
        DataType::List(_) | DataType::LargeList(_) => "list".into(),
        DataType::Struct(_) => "group".into(),
        other => other.to_string(),
    })
}

fn identify(evidence: &mut Evidence, value: &str, policy: &Policy) {
    // No identifier is shorter, and only text of this kind is worth the sums.
    if !(9..=72).contains(&value.len()) || !(9..=24).contains(&value.chars().count()) {
        return;
    }
    let Some(normal) = normalise(value.as_bytes()) else { return };
    let mut any = false;
    for (kind, count) in KINDS.iter().zip(&mut evidence.identifiers) {
        if kind.check(normal.as_bytes(), policy).is_ok() {
            *count += 1;
            any = true;
            if *kind == Identifier::Citizen && normal.as_bytes().len() == 15 {
                evidence.old_citizens += 1;
            }
        }
    }
    evidence.odd_spelling += u64::from(any && normal.as_bytes() != value.as_bytes());
}

/// A date in one of the spellings that leave no doubt, or in Chinese words.
fn is_date(value: &str) -> bool {
    if !value.starts_with(|c: char| c.is_ascii_digit()) || value.len() > 24 {
        return false;
    }
    let spelled = value.replace(['年', '月'], "-").replace('日', "");
    Date::from_text(spelled.as_bytes()).is_some_and(|date| (1850..=2200).contains(&date.civil().0))
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction)
}

/// Blanks as text columns hold them: also the ideographic and the no-break one.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_in_the_usual_spellings() {
        for yes in ["20260102", "2026-1-2", "2026.01.02", "2026/1/2", "2026年1月2日"] {
            assert!(is_date(yes), "{yes}");
        }
        for no in ["00000000", "20261302", "110101", "99991231", "二〇二六年", ""] {
            assert!(!is_date(no), "{no}");
        }
    }
}
