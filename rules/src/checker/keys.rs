//! Sets of keys: exact, in one arena, without an allocation a key.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use fenhe_core::{Error, Kind, Result};
use hashbrown::HashTable;

use super::column::{Lane, Numbers, Text, is_text};
use super::{Budget, Test, column};

/// A set of keys of one or more columns, for [`Reference`](crate::rule::Reference).
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, RecordBatch, StringArray};
/// use fenhe_rules::KeySet;
/// let codes: ArrayRef = Arc::new(StringArray::from(vec!["A1", "B2", "A1"]));
/// let batch = RecordBatch::try_from_iter([("code", codes)])?;
/// let mut keys = KeySet::new(1 << 20);
/// keys.insert(&batch, &["code"])?;
/// assert_eq!(keys.len(), 2);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeySet {
    /// What the columns are; empty until the first key came.
    shape: Vec<Part>,
    bytes: Vec<u8>,
    /// Where each key ends in `bytes`.
    ends: Vec<usize>,
    index: HashTable<usize>,
    hasher: RandomState,
    limit: u64,
}

/// What a column of a key is, so that equal values are equal keys whatever their width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    Number,
    Time,
}

enum Values<'a> {
    Text(Text<'a>),
    Numbers(Numbers, u32),
}

pub(super) struct Unique {
    pub(super) at: Vec<usize>,
    pub(super) seen: KeySet,
}

pub(super) struct Reference {
    pub(super) at: Vec<usize>,
    pub(super) keys: Arc<KeySet>,
}

impl KeySet {
    /// An empty set that may take up to `limit` bytes of memory.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            shape: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::new(),
            limit,
        }
    }

    /// Adds the keys of these columns. Rows in which a part is absent have none.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown column, [`Kind::Config`] with code `rules.type` for a column that cannot be a key or
    /// is not like that of the batch before, [`Kind::Limit`] (`key_memory`) above the limit.
    pub fn insert(&mut self, batch: &RecordBatch, columns: &[&str]) -> Result<()> {
        let names: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        let at = fenhe_core::schema::projection(&batch.schema(), &names)?;
        let shape = shape(batch, &at)?;
        if self.shape.is_empty() {
            self.shape = shape;
        } else if self.shape != shape {
            return Err(wrong_type("the key columns are not like those of the keys before"));
        }
        let mut budget = Budget { limit: self.limit, used: self.memory() };
        each_key(batch, &at, |key| {
            let Some(key) = key else { return Ok(()) };
            self.add(key, &mut budget).map(|_| ())
        })
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes that the keys take, bookkeeping included.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.bytes.len() as u64 + self.ends.len() as u64 * PER_KEY
    }

    pub(super) fn shape(&self) -> &[Part] {
        &self.shape
    }

    /// Whether the key was new.
    fn add(&mut self, key: &[u8], budget: &mut Budget) -> Result<bool> {
        let hash = self.hasher.hash_one(key);
        if self.find(hash, key) {
            return Ok(false);
        }
        budget.take(key.len() as u64 + PER_KEY)?;
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        let (ends, bytes, hasher) = (&self.ends, &self.bytes, &self.hasher);
        self.index
            .insert_unique(hash, ends.len() - 1, |&at| hasher.hash_one(key_at(bytes, ends, at)));
        Ok(true)
    }

    fn contains(&self, key: &[u8]) -> bool {
        self.find(self.hasher.hash_one(key), key)
    }

    fn find(&self, hash: u64, key: &[u8]) -> bool {
        self.index.find(hash, |&at| key_at(&self.bytes, &self.ends, at) == key).is_some()
    }
}

impl Test for Unique {
    fn find(&mut self, batch: &RecordBatch, budget: &mut Budget) -> Result<BooleanBuffer> {
        let mut repeated = Vec::with_capacity(batch.num_rows());
        each_key(batch, &self.at, |key| {
            repeated.push(match key {
                Some(key) => !self.seen.add(key, budget)?,
                None => false,
            });
            Ok(())
        })?;
        Ok(repeated.into())
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "a key that came before"
    }
}

impl Test for Reference {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let mut missing = Vec::with_capacity(batch.num_rows());
        each_key(batch, &self.at, |key| {
            missing.push(key.is_some_and(|key| !self.keys.contains(key)));
            Ok(())
        })?;
        Ok(missing.into())
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "a key that is not there"
    }
}

/// The shape of the key columns of a batch.
pub(super) fn part(data_type: &arrow_schema::DataType) -> Option<Part> {
    if is_text(data_type) {
        return Some(Part::Text);
    }
    match Lane::of(data_type)? {
        Lane::Number(0..) => Some(Part::Number),
        Lane::Time => Some(Part::Time),
        // Equality of floating point numbers is no key; negative scales are nobody's.
        Lane::Number(_) | Lane::Float => None,
    }
}

/// Bytes beside the key itself: its end, its place in the index and the index' own room.
const PER_KEY: u64 = 32;

fn shape(batch: &RecordBatch, at: &[usize]) -> Result<Vec<Part>> {
    at.iter()
        .map(|&at| {
            let data_type = column(batch, at)?.data_type();
            part(data_type)
                .ok_or_else(|| wrong_type("a key is made of text, exact numbers and dates"))
        })
        .collect()
}

fn values<'a>(batch: &'a RecordBatch, at: &[usize]) -> Result<Vec<Values<'a>>> {
    at.iter()
        .map(|&at| {
            let array = column(batch, at)?;
            Ok(match Lane::of(array.data_type()) {
                None => Values::Text(Text::new(array)),
                Some(Lane::Number(scale)) => {
                    Values::Numbers(Numbers::of(array), u32::try_from(scale).unwrap_or(0))
                }
                Some(_) => Values::Numbers(Numbers::of(array), 0),
            })
        })
        .collect()
}

/// Calls `each` with the key of every row, `None` where a part is absent.
fn each_key(
    batch: &RecordBatch,
    at: &[usize],
    mut each: impl FnMut(Option<&[u8]>) -> Result<()>,
) -> Result<()> {
    let columns = values(batch, at)?;
    let mut key = Vec::new();
    for row in 0..batch.num_rows() {
        let whole = write_key(&columns, row, &mut key);
        each(whole.then_some(key.as_slice()))?;
    }
    Ok(())
}

/// Writes the key of the row; `false` when a part is absent. Keys of several columns alternate between
/// types by nature; the branch is one of two.
fn write_key(columns: &[Values<'_>], row: usize, key: &mut Vec<u8>) -> bool {
    key.clear();
    for column in columns {
        match column {
            Values::Text(texts) => {
                let Some(text) = texts.get(row) else { return false };
                key.extend_from_slice(&(text.len() as u64).to_le_bytes());
                key.extend_from_slice(text.as_bytes());
            }
            Values::Numbers(numbers, scale) => {
                let Some(number) = numbers.get(row) else { return false };
                let (number, scale) = shortest(number, *scale);
                key.extend_from_slice(&number.to_le_bytes());
                key.extend_from_slice(&scale.to_le_bytes());
            }
        }
    }
    true
}

/// 1.50 and 1.5 are the same key.
fn shortest(mut number: i128, mut scale: u32) -> (i128, u32) {
    while scale > 0 && number % 10 == 0 {
        number /= 10;
        scale -= 1;
    }
    (number, scale)
}

fn key_at<'a>(bytes: &'a [u8], ends: &[usize], at: usize) -> &'a [u8] {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(at).copied().unwrap_or(start);
    bytes.get(start..end).unwrap_or_default()
}

fn wrong_type(message: &str) -> Error {
    Error::new(Kind::Config, "rules.type", message)
}
