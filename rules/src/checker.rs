//! Rules compiled for a schema, applied to batches.

mod column;
mod compile;
mod keys;
mod pair;
mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Schema};
use fenhe_core::{Error, Fault, Kind, Limits, Result};

pub use keys::KeySet;

use crate::{CodeTable, Date, Rule, Severity};

/// What rules refer to and may use.
#[derive(Clone, Debug)]
pub struct Context {
    /// The day of the check. It is given, so that a check can be repeated.
    pub today: Date,
    /// Tables beside the built-in ones; one of the same name takes the place of a built-in table.
    pub tables: Vec<CodeTable>,
    /// Sets of keys by their name; checkers share them.
    pub references: BTreeMap<String, Arc<KeySet>>,
    /// Bytes that all [`Unique`](crate::rule::Unique) rules of the checker may hold together (limit `key_memory`). 64 MiB.
    pub key_memory: u64,
}

/// Compiled rules, with what they remember of the batches so far.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, RecordBatch, StringArray};
/// use fenhe_rules::{Checker, Context, Date, Rule};
/// #[derive(serde::Deserialize)]
/// struct File { rule: Vec<Rule> }
/// let file: File = toml::from_str(r#"
///     [[rule]]
///     rule = "identifier"
///     field = "GMSFHM"
///     kind = "citizen"
///     severity = "reject"
/// "#)?;
/// let numbers: ArrayRef = Arc::new(StringArray::from(vec!["110101190001010014", "110101190001010015"]));
/// let batch = RecordBatch::try_from_iter([("GMSFHM", numbers)])?;
/// let context = Context::on(Date::from_civil(2026, 1, 2).unwrap());
/// let mut checker = Checker::new(&batch.schema(), &file.rule, context)?;
/// let findings = checker.check(&batch)?;
/// assert_eq!(findings.iter().collect::<Vec<_>>(), [(0, 1)]);
/// assert!(findings.rejected().value(1));
/// assert_eq!(
///     checker.fault(&batch, 0, 1).unwrap().to_string(),
///     "GMSFHM: expected a citizen number (18 characters, or 15 digits), \
///      found a check character that does not fit [rules.identifier]"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Checker {
    types: Vec<DataType>,
    rules: Vec<Compiled>,
    counts: Vec<u64>,
    budget: Budget,
    poisoned: bool,
}

/// What the rules found in one batch.
#[derive(Clone, Debug)]
pub struct Findings {
    rows: usize,
    /// A set bit is a finding; `None`: there is none.
    by_rule: Vec<Option<BooleanBuffer>>,
    rejected: BooleanBuffer,
}

struct Compiled {
    severity: Severity,
    code: Cow<'static, str>,
    field: String,
    expected: String,
    test: Box<dyn Test>,
}

/// One compiled rule.
trait Test: Send {
    /// A set bit for every row that breaks the rule.
    fn find(&mut self, batch: &RecordBatch, budget: &mut Budget) -> Result<BooleanBuffer>;

    /// Why this row does; the cold path, which looks at the row again.
    fn reason(&self, batch: &RecordBatch, row: usize) -> &'static str;
}

/// Memory for keys.
#[derive(Clone, Copy, Debug)]
struct Budget {
    limit: u64,
    used: u64,
}

impl Context {
    /// No tables but the built-in ones, no keys.
    #[must_use]
    pub fn on(today: Date) -> Self {
        Self { today, tables: Vec::new(), references: BTreeMap::new(), key_memory: 64 << 20 }
    }
}

impl Checker {
    /// The most rules of one checker.
    pub const MAX_RULES: usize = 4_096;

    /// Compiles `rules` for batches of `schema`.
    ///
    /// # Errors
    /// [`Kind::Config`], naming the number of the rule and its column: `rules.field` (unknown column, with the nearest known one),
    /// `rules.type` (the rule is not for such columns), `rules.pattern`, `rules.bound`, `rules.table`, `rules.reference`,
    /// `rules.incomplete`. [`Kind::Limit`] above [`MAX_RULES`](Self::MAX_RULES).
    pub fn new(schema: &Schema, rules: &[Rule], context: Context) -> Result<Self> {
        Limits::check("rules", Self::MAX_RULES as u64, rules.len() as u64)?;
        let compiled: Vec<_> = rules
            .iter()
            .enumerate()
            .map(|(number, rule)| compile::compile(number, rule, schema, &context))
            .collect::<Result<_>>()?;
        Ok(Self {
            types: schema.fields().iter().map(|field| field.data_type().clone()).collect(),
            counts: vec![0; compiled.len()],
            rules: compiled,
            budget: Budget { limit: context.key_memory, used: 0 },
            poisoned: false,
        })
    }

    /// Applies all rules to the next batch of the run. Each row should come once: unique keys are remembered.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `rules.schema` for a batch of another schema; [`Kind::Limit`] (`key_memory`) when unique keys
    /// need more memory, after which every call is [`Kind::Poisoned`].
    pub fn check(&mut self, batch: &RecordBatch) -> Result<Findings> {
        if self.poisoned {
            return Err(Error::poisoned("the checker"));
        }
        self.same_schema(batch)?;
        let rows = batch.num_rows();
        let mut findings = Findings {
            rows,
            by_rule: Vec::with_capacity(self.rules.len()),
            rejected: BooleanBuffer::new_unset(rows),
        };
        for (rule, count) in self.rules.iter_mut().zip(&mut self.counts) {
            let found = match rule.test.find(batch, &mut self.budget) {
                Ok(found) => found,
                Err(error) => {
                    self.poisoned = true;
                    return Err(error.at_field(&rule.field));
                }
            };
            let number = found.count_set_bits();
            *count += number as u64;
            if number > 0 && rule.severity == Severity::Reject {
                findings.rejected = &findings.rejected | &found;
            }
            findings.by_rule.push((number > 0).then_some(found));
        }
        Ok(findings)
    }

    /// Findings of each rule in all batches so far.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Bytes held for unique keys.
    #[must_use]
    pub fn key_memory(&self) -> u64 {
        self.budget.used
    }

    /// The code of the findings of a rule.
    #[must_use]
    pub fn code(&self, rule: usize) -> Option<&str> {
        self.rules.get(rule).map(|rule| rule.code.as_ref())
    }

    /// What is wrong in a row that `rule` found, in words without the value; `None` for an unknown rule or row.
    #[must_use]
    pub fn fault(&self, batch: &RecordBatch, rule: usize, row: usize) -> Option<Fault> {
        let rule = self.rules.get(rule)?;
        if row >= batch.num_rows() || self.same_schema(batch).is_err() {
            return None;
        }
        let reason = rule.test.reason(batch, row);
        Some(Fault::new(rule.code.clone(), &rule.field, &rule.expected, reason))
    }

    fn same_schema(&self, batch: &RecordBatch) -> Result<()> {
        let types = batch.columns().iter().map(|column| column.data_type());
        if types.eq(&self.types) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Config,
            "rules.schema",
            "the batch has other columns than the schema that the rules were compiled for",
        ))
    }
}

impl Findings {
    /// Rows of the batch.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_rule.iter().all(Option::is_none)
    }

    /// The rows that break this rule, as set bits; `None` when there is none.
    #[must_use]
    pub fn of(&self, rule: usize) -> Option<&BooleanBuffer> {
        self.by_rule.get(rule)?.as_ref()
    }

    /// How many rows break this rule.
    #[must_use]
    pub fn count(&self, rule: usize) -> usize {
        self.of(rule).map_or(0, BooleanBuffer::count_set_bits)
    }

    /// The rows that break a rule of severity [`Reject`](Severity::Reject), as set bits.
    #[must_use]
    pub fn rejected(&self) -> &BooleanBuffer {
        &self.rejected
    }

    /// Every finding as rule and row, in the order of the rules.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let found = self.by_rule.iter().enumerate();
        found.flat_map(|(rule, rows)| {
            rows.iter().flat_map(move |rows| rows.set_indices().map(move |row| (rule, row)))
        })
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("severity", &self.severity)
            .field("code", &self.code)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

impl Budget {
    fn take(&mut self, bytes: u64) -> Result<()> {
        let wanted = self.used.saturating_add(bytes);
        Limits::check("key_memory", self.limit, wanted)?;
        self.used = wanted;
        Ok(())
    }
}

fn column(batch: &RecordBatch, at: usize) -> Result<&dyn Array> {
    match batch.columns().get(at) {
        Some(array) => Ok(array.as_ref()),
        None => Err(Error::new(Kind::Internal, "rules.column", "a compiled column is not there")),
    }
}
