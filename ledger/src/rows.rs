//! Digests of rows that do not depend on their order, on batches, or on where the rows lie.
//!
//! Form `fenhe-rows/1`. A row is the concatenation of its columns in the order of the schema. Each value is a
//! length and that many bytes; the length is one byte up to 252, else `FD` and four bytes, least significant
//! first; `FF` alone is null. The bytes are
//!
//! | type | bytes |
//! | --- | --- |
//! | text | UTF-8 |
//! | binary | as they are |
//! | bool | `00` or `01` |
//! | integers, decimals (unscaled), dates (days), times and timestamps (their unit) | two's complement, least significant first, as few bytes as hold the sign |
//! | floats | IEEE 754 binary64, least significant first; all NaN and both zeros are one |
//! | anything else | JSON as Arrow writes it |
//!
//! The digest of a row is SHA-256 of these bytes, that of many rows the sum of the digests as unsigned
//! little-endian numbers modulo 2^256.

mod columns;
mod text;

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use fenhe_core::{Error, Kind, Result};
use sha2::{Digest, Sha256};

use columns::Column;
pub use text::key_text;

/// Name and version of the form of rows and of their digest.
pub const ROWS_FORM: &str = "fenhe-rows/1";

/// Encodes and hashes rows of one schema, a column at a time.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    columns: Vec<usize>,
    kinds: Vec<DataType>,
    cursors: Vec<usize>,
    starts: Vec<usize>,
    bytes: Vec<u8>,
}

/// The digests of the rows of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowHashes(Vec<[u8; 32]>);

impl RowEncoder {
    /// For all columns of a schema.
    pub fn new(schema: &Schema) -> Self {
        Self::of((0..schema.fields().len()).collect(), schema)
    }

    /// For some columns of a schema, by name.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `ledger.column` for a name that the schema does not have.
    pub fn columns(schema: &Schema, names: &[String]) -> Result<Self> {
        let index = |name: &String| {
            schema.index_of(name).map_err(|_| {
                Error::new(Kind::Config, "ledger.column", format!("there is no column {name}"))
            })
        };
        Ok(Self::of(names.iter().map(index).collect::<Result<_>>()?, schema))
    }

    fn of(columns: Vec<usize>, schema: &Schema) -> Self {
        let kinds = columns.iter().map(|at| schema.field(*at).data_type().clone()).collect();
        Self { columns, kinds, cursors: Vec::new(), starts: Vec::new(), bytes: Vec::new() }
    }

    /// The digest of every row.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the batch has another schema.
    pub fn hashes(&mut self, rows: &RecordBatch) -> Result<RowHashes> {
        self.encode(rows)?;
        let hash = |bytes: &[u8]| -> [u8; 32] { Sha256::digest(bytes).into() };
        Ok(RowHashes(self.rows().map(hash).collect()))
    }

    /// The encoded rows one after the other, each after its length in four bytes, least significant first.
    ///
    /// # Errors
    /// As [`hashes`](Self::hashes).
    pub fn packed(&mut self, rows: &RecordBatch) -> Result<Vec<u8>> {
        self.encode(rows)?;
        let mut packed = Vec::with_capacity(self.bytes.len());
        for row in self.rows() {
            packed.extend_from_slice(&u32::try_from(row.len()).unwrap_or(u32::MAX).to_le_bytes());
            packed.extend_from_slice(row);
        }
        Ok(packed)
    }

    /// Types of the columns, for [`key_text`].
    pub fn kinds(&self) -> &[DataType] {
        &self.kinds
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let spans = self.starts.iter().zip(&self.cursors);
        spans.map(|(start, end)| self.bytes.get(*start..*end).unwrap_or_default())
    }

    fn encode(&mut self, rows: &RecordBatch) -> Result<()> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, kind) in self.columns.iter().zip(&self.kinds) {
            let array = rows.columns().get(*at).filter(|array| array.data_type() == kind);
            columns.push(Column::of(array.ok_or_else(|| {
                Error::new(Kind::Internal, "ledger.schema", "a batch has another schema")
            })?)?);
        }
        // Where each row may begin: after the most that the row before can need.
        self.starts.clear();
        self.starts.resize(rows.num_rows(), columns.iter().map(Column::fixed).sum());
        for column in &columns {
            column.add_lengths(&mut self.starts);
        }
        let mut next = 0_usize;
        for start in &mut self.starts {
            next += std::mem::replace(start, next);
        }
        self.cursors.clear();
        self.cursors.extend_from_slice(&self.starts);
        // The widest store may reach beyond the last row.
        self.bytes.resize(next + columns::SLACK, 0);
        for column in &columns {
            column.write(&mut self.bytes, &mut self.cursors);
        }
        Ok(())
    }
}

impl RowHashes {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The digests in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.0.iter()
    }

    /// The sum over all rows.
    pub fn sum(&self) -> RowSet {
        let mut set = RowSet::default();
        self.0.iter().for_each(|hash| set.add(hash));
        set
    }

    /// Takes rows out, by their place in the batch (ascending); returns their sum.
    pub fn remove(&mut self, rows: &[usize]) -> RowSet {
        let mut set = RowSet::default();
        let (mut at, mut out) = (0, rows.iter().peekable());
        self.0.retain(|hash| {
            let gone = out.next_if(|row| **row == at).is_some();
            at += 1;
            if gone {
                set.add(hash);
            }
            !gone
        });
        set
    }
}

/// A set of rows in which the order does not count and repetitions do: the sum of their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowSet([u64; 4]);

impl RowSet {
    /// Adds a row.
    pub fn add(&mut self, hash: &[u8; 32]) {
        self.plus(&Self::from_bytes(hash));
    }

    /// Adds the rows of another set.
    pub fn plus(&mut self, other: &Self) {
        let mut carry = false;
        for (a, b) in self.0.iter_mut().zip(other.0) {
            let (sum, over) = a.overflowing_add(b);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            (*a, carry) = (sum, over | again);
        }
    }

    /// Takes the rows of another set out.
    pub fn minus(&mut self, other: &Self) {
        let mut borrow = false;
        for (a, b) in self.0.iter_mut().zip(other.0) {
            let (rest, under) = a.overflowing_sub(b);
            let (rest, again) = rest.overflowing_sub(u64::from(borrow));
            (*a, borrow) = (rest, under | again);
        }
    }

    /// The sum, least significant byte first.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, part) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(part);
            *word = u64::from_le_bytes(eight);
        }
        Self(words)
    }

    /// Back from its hexadecimal text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = hex::decode(text).ok()?.try_into().ok()?;
        Some(Self::from_bytes(&bytes))
    }
}

impl fmt::Display for RowSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}
