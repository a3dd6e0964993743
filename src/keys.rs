//! Keys of other datasets, which rules of contracts refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenhe_contract::Contract;
use fenhe_core::{Error, Kind, Limits, ReadRequest, Result};
use fenhe_ledger::{RowEncoder, RowSet};
use fenhe_rules::{KeySet, Severity};

use crate::contract::references;
use crate::pump::Input;

/// Keys of other datasets for rules of the kind `reference`, and the memory that rules have for keys of their own.
#[derive(Clone, Debug)]
pub struct Keys {
    /// By the name that rules call them.
    pub references: BTreeMap<String, Reference>,
    /// Limit `key_memory`, for keys that have to be unique.
    pub memory: u64,
}

/// The keys of one other dataset.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The keys.
    pub keys: Arc<KeySet>,
    /// What identifies them: other keys may let other rows pass.
    pub digest: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self { references: BTreeMap::new(), memory: Limits::default().key_memory }
    }
}

impl Keys {
    /// The sets as checkers take them.
    pub(crate) fn sets(&self) -> BTreeMap<String, Arc<KeySet>> {
        let references = self.references.iter();
        references.map(|(name, one)| (name.clone(), Arc::clone(&one.keys))).collect()
    }

    /// Digests of the keys that decide about rows of this contract.
    pub(crate) fn decisive(&self, contract: &Contract) -> impl Iterator<Item = &str> {
        references(contract.rules())
            .filter(|rule| rule.severity == Severity::Reject)
            .filter_map(|rule| Some(self.references.get(&rule.to)?.digest.as_str()))
    }
}

impl Reference {
    /// Reads the keys in these columns of a dataset into at most `memory` bytes. Rows in which a part is absent have none.
    ///
    /// # Errors
    /// Those of reading; [`Kind::Invalid`] with code `exchange.reference` for a record that cannot be read,
    /// [`Kind::Limit`] (`key_memory`) for more keys than there is memory for.
    pub async fn read(
        input: &Input,
        columns: &[&str],
        memory: u64,
        limits: &Limits,
    ) -> Result<Self> {
        let request = ReadRequest {
            dataset: input.dataset.clone(),
            columns: Some(columns.iter().map(|&name| name.to_owned()).collect()),
            limits: limits.clone(),
            ..ReadRequest::default()
        };
        let mut reader = input.exchange.read(request).await?;
        let mut encoder = RowEncoder::new(&reader.schema());
        let (mut keys, mut digest) = (KeySet::new(memory), RowSet::default());
        while let Some(batch) = reader.next().await? {
            if let Some(reject) = batch.rejects.first() {
                let message = format!("a record of the keys cannot be read: {reject}");
                return Err(Error::new(Kind::Invalid, "exchange.reference", message));
            }
            keys.insert(&batch.records, columns)?;
            digest.plus(&encoder.hashes(&batch.records)?.sum());
        }
        Ok(Self { keys: Arc::new(keys), digest: digest.to_string() })
    }
}
