//! Keys that other records have: a corrected row must not take the place of one that was delivered.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use fenhe_core::{Batch, Fault, Result};
use fenhe_ledger::{Ledger, RowEncoder, unpack_keys};
use fenhe_rules::Rule;

use crate::pump::{Flow, on_disk};
use crate::types::type_name;

/// The keys of one delivery and of the replays of its rejects, as far as its ledger has them.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    key: Vec<String>,
    delivery: String,
    /// The ledger, where it has all of these keys.
    ledger: Option<PathBuf>,
}

/// Who has the key of a corrected row as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A record that was sent before.
    Sent(u64),
    /// A record of the same list.
    Listed(u64),
}

/// Encoded keys, and the records of the list that have each of them.
type Listed = HashMap<Vec<u8>, Vec<u64>>;

impl Taken {
    /// The keys that rows of this flow must not have, and what cannot be told of them, in sentences for the receipt.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) fn of(flow: &Flow, delivery: &str, target: &Schema) -> Result<(Self, Vec<String>)> {
        let key = flow.target.key.clone();
        let ledger = match &flow.ledger {
            Some(path) if knows(path, delivery, &key, target)? => Some(path.clone()),
            _ => None,
        };
        let notes = blind_spots(flow, target, ledger.is_some());
        Ok((Self { key, delivery: delivery.to_owned(), ledger }, notes))
    }

    /// The fields of the key.
    pub(super) fn key(&self) -> &[String] {
        &self.key
    }

    /// The records of these rows whose key another record has. A row that lacks a part of its key has none.
    ///
    /// # Errors
    /// Those of the ledger.
    pub(super) async fn holders(
        &self,
        batches: impl Iterator<Item = &Batch>,
    ) -> Result<BTreeMap<u64, Holder>> {
        let listed = self.listed(batches)?;
        let mut found = BTreeMap::new();
        // Nobody knows which of them is right.
        for records in listed.values() {
            for record in records {
                let other = records.iter().find(|other| *other != record);
                found.extend(other.map(|other| (*record, Holder::Listed(*other))));
            }
        }
        let Some(path) = self.ledger.clone().filter(|_| !listed.is_empty()) else {
            return Ok(found);
        };
        let delivery = self.delivery.clone();
        found.extend(on_disk(move || sent(&path, delivery, &listed)).await?);
        Ok(found)
    }

    fn listed<'a>(&self, batches: impl Iterator<Item = &'a Batch>) -> Result<Listed> {
        let mut listed = Listed::new();
        if self.key.is_empty() {
            return Ok(listed);
        }
        for batch in batches {
            let schema = batch.records.schema();
            let keys = RowEncoder::columns(&schema, &self.key)?.packed(&batch.records)?;
            let parts = self.key.iter().filter_map(|name| batch.records.column_by_name(name));
            let parts: Vec<_> = parts.collect();
            let numbers = batch.record_numbers().into_iter().enumerate();
            for ((row, number), key) in numbers.zip(unpack_keys(&keys)) {
                if parts.iter().all(|part| part.is_valid(row)) {
                    listed.entry(key).or_default().push(number);
                }
            }
        }
        Ok(listed)
    }
}

impl Holder {
    /// The fault of a row whose key this one has.
    pub(super) fn fault(self, key: &[String]) -> Fault {
        let found = match self {
            Self::Sent(record) => format!("the key of record {record}, which was sent before"),
            Self::Listed(record) => format!("the key of record {record} of the same list"),
        };
        let expected =
            "a key that no other record has; where both are right, the source is to be corrected";
        Fault::new("replay.key", key.join(", "), expected, found)
    }
}

/// Whether the ledger has the keys of all rows in the form that rows of `target` give them.
fn knows(path: &Path, delivery: &str, key: &[String], target: &Schema) -> Result<bool> {
    let ledger = Ledger::open_existing(path)?;
    let Some(before) = ledger.delivery(delivery)? else { return Ok(false) };
    let same = |name: &String| {
        let then = before.columns.iter().find(|(column, _)| column == name);
        let now = target.field_with_name(name).ok().map(|field| type_name(field.data_type()));
        then.map(|(_, kind)| kind) == now.as_ref()
    };
    Ok(before.key == key && key.iter().all(same) && ledger.keeps_keys(delivery)?)
}

/// Records of the list whose key a record has that was sent before. An earlier attempt of the same record is none.
fn sent(path: &Path, delivery: String, listed: &Listed) -> Result<BTreeMap<u64, Holder>> {
    let ledger = Ledger::open_existing(path)?;
    let replays = ledger.replays_of(&delivery)?;
    let mut found = BTreeMap::new();
    for delivery in std::iter::once(delivery).chain(replays) {
        ledger.rows(&delivery, |batch| {
            for (key, record) in batch.keys.iter().zip(batch.records) {
                let ours = listed.get(key).into_iter().flatten();
                let others = ours.filter(|other| **other != record);
                found.extend(others.map(|other| (*other, Holder::Sent(record))));
            }
        })?;
    }
    Ok(found)
}

/// What a replay cannot compare with the rows that were delivered before.
fn blind_spots(flow: &Flow, target: &Schema, known: bool) -> Vec<String> {
    let key = &flow.target.key;
    let mut notes = Vec::new();
    if !key.is_empty() && !known {
        notes.push(
            "the ledger does not have the key of every row that was delivered before (rows = \"each\" keeps them): \
             a corrected row that has the key of another record is not noticed"
                .to_owned(),
        );
    }
    let contract = flow.fields.contract.iter();
    let rules = contract.flat_map(|one| one.rules_on(|name| target.index_of(name).is_ok()));
    for rule in rules {
        let Rule::Unique(rule) = rule else { continue };
        // What holds the whole key is unique where the key is.
        let by_key = !key.is_empty() && key.iter().all(|name| rule.fields.contains(name));
        if !(by_key && known) {
            notes.push(format!(
                "unique {}: compared among the rows that are sent here, not with those delivered before",
                rule.fields.join(", ")
            ));
        }
    }
    notes
}
