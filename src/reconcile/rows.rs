//! Rows of the ledger against rows of the target.

use std::collections::HashMap;
use std::hash::BuildHasher;

use arrow_schema::DataType;
use fenhe_core::{Fault, Result};
use fenhe_ledger::{BatchRows, Ledger, RowHashes, key_text, unpack_keys};
use serde::Serialize;

use crate::receipt::FlowReceipt;

/// What one row of the ledger takes in memory, about.
const ROW: u64 = 160;

/// A row that is not as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Difference {
    /// Its content is another.
    Changed(Row),
    /// It is not there.
    Missing(Row),
    /// It is there more often than it was delivered.
    Repeated(Row),
    /// It was not delivered, in a target that holds this delivery only.
    Unknown(Row),
}

impl Difference {
    /// The row.
    pub fn row(&self) -> &Row {
        match self {
            Self::Changed(row) | Self::Missing(row) | Self::Repeated(row) | Self::Unknown(row) => {
                row
            }
        }
    }
}

/// How a row is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Row {
    /// Number of its record in the source; none for a row that was not delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Its key, values joined by `|`; empty if the flow has no key.
    pub key: String,
    /// Why it cannot be read any more, if that is how it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// Readings of the target that keep what is held of the ledger within `memory`.
pub(super) fn passes(rows: u64, memory: u64) -> u64 {
    (rows.saturating_mul(ROW) / memory.max(1)).saturating_add(1)
}

/// Rows that should be there: by key, or by digest when there is no key.
pub(super) struct Expected {
    keyed: bool,
    rows: HashMap<Vec<u8>, Group>,
    hasher: std::hash::BuildHasherDefault<std::hash::DefaultHasher>,
    pass: (u64, u64),
    others: u64,
    superseded: u64,
    unknown: Vec<Vec<u8>>,
}

/// Rows of one key.
#[derive(Default)]
struct Group {
    delivered: Vec<Delivered>,
    /// Rows of the target with this key that match none.
    odd: u64,
    /// Why rows of the target with this key cannot be read.
    unreadable: Vec<String>,
}

struct Delivered {
    digest: [u8; 16],
    record: u64,
    found: bool,
}

/// What came out.
pub(super) struct Found {
    pub(super) all: Vec<Difference>,
    pub(super) others: u64,
    pub(super) superseded: u64,
}

impl Expected {
    /// Loads the part of the rows that belongs to this pass, with those that replays delivered.
    pub(super) fn load(
        ledger: &Ledger,
        receipt: &FlowReceipt,
        key: &[String],
        pass: (u64, u64),
    ) -> Result<Self> {
        let mut expected = Self {
            keyed: !key.is_empty(),
            rows: HashMap::new(),
            hasher: Default::default(),
            pass,
            others: 0,
            superseded: 0,
            unknown: Vec::new(),
        };
        // By key, a later row takes the place of an earlier one.
        let last_wins = receipt.target.options.get("mode").is_some_and(|mode| mode == "upsert");
        let mut deliveries = vec![receipt.delivery.clone()];
        deliveries.extend(ledger.replays_of(&receipt.delivery)?);
        for delivery in deliveries {
            ledger.rows(&delivery, |batch| expected.take(batch, last_wins))?;
        }
        Ok(expected)
    }

    fn take(&mut self, batch: BatchRows, last_wins: bool) {
        let keyed = self.keyed;
        let mut keys = batch.keys.into_iter();
        for (digest, record) in batch.digests.into_iter().zip(batch.records) {
            let key = match keyed {
                true => keys.next().unwrap_or_default(),
                false => digest.to_vec(),
            };
            if !self.is_mine(&key) {
                continue;
            }
            let group = self.rows.entry(key).or_default();
            if last_wins {
                self.superseded += group.delivered.len() as u64;
                group.delivered.clear();
            }
            group.delivered.push(Delivered { digest, record, found: false });
        }
    }

    fn is_mine(&self, key: &[u8]) -> bool {
        self.pass.1 == 1 || self.hasher.hash_one(key) % self.pass.1 == self.pass.0
    }

    /// Takes in rows of the target.
    pub(super) fn meet(&mut self, hashes: &RowHashes, keys: Option<&[u8]>) {
        let mut keys = keys.map(unpack_keys).unwrap_or_default().into_iter();
        for hash in hashes.iter() {
            let mut digest = [0; 16];
            digest.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
            let key = match self.keyed {
                true => keys.next().unwrap_or_default(),
                false => digest.to_vec(),
            };
            if !self.is_mine(&key) {
                continue;
            }
            match self.rows.get_mut(&key) {
                None => self.other(key),
                Some(group) => {
                    let same = |row: &&mut Delivered| !row.found && row.digest == digest;
                    match group.delivered.iter_mut().find(same) {
                        Some(row) => row.found = true,
                        None => group.odd += 1,
                    }
                }
            }
        }
    }

    /// Takes in a row of the target that cannot be read; without a key nobody can say which one it is.
    pub(super) fn meet_unreadable(&mut self, key: Option<Vec<u8>>, why: &Fault) {
        match key {
            // Every pass meets it, one counts it.
            None => self.others += u64::from(self.pass.0 == 0),
            Some(key) if !self.is_mine(&key) => {}
            Some(key) => match self.rows.get_mut(&key) {
                Some(group) => group.unreadable.push(why.to_string()),
                None => self.other(key),
            },
        }
    }

    fn other(&mut self, key: Vec<u8>) {
        self.others += 1;
        if self.unknown.len() < super::NAMED {
            self.unknown.push(key);
        }
    }

    /// What differs, in the order of the records. `whole`: nothing else may be there.
    pub(super) fn differences(self, kinds: &[DataType], whole: bool) -> Found {
        let shown = |key: &[u8]| if self.keyed { key_text(key, kinds) } else { String::new() };
        let mut all = Vec::new();
        for (key, group) in &self.rows {
            // What stands there in place of the rows that were not found.
            let readable = (0..group.odd).map(|_| None);
            let mut odd = group.unreadable.iter().cloned().map(Some).chain(readable);
            for row in group.delivered.iter().filter(|row| !row.found) {
                let name =
                    |unreadable| Row { record: Some(row.record), key: shown(key), unreadable };
                all.push(match odd.next() {
                    None => Difference::Missing(name(None)),
                    Some(why) => Difference::Changed(name(why)),
                });
            }
            let record = group.delivered.last().map(|row| row.record);
            for unreadable in odd {
                all.push(Difference::Repeated(Row { record, key: shown(key), unreadable }));
            }
        }
        if whole {
            let unknown = self.unknown.iter();
            all.extend(
                unknown.map(|key| Difference::Unknown(Row { key: shown(key), ..Row::default() })),
            );
        }
        all.sort_by(|a, b| a.row().cmp(b.row()));
        Found { all, others: self.others, superseded: self.superseded }
    }
}
