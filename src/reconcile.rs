//! Reconciliation: what the target returns, against the receipt and the ledger.

mod rows;

use std::sync::Arc;

use arrow_schema::{DataType, Schema};
use fenhe_core::{Error, Kind, Limits, ReadRequest, Result, Source};
use fenhe_ledger::{Ledger, ROWS_FORM, RowEncoder, RowSet};
use serde::Serialize;

use crate::pump::Input;
use crate::receipt::FlowReceipt;
use crate::totals::{Column, Totals};
use crate::typed::typed;

use rows::Expected;
pub use rows::{Difference, Row};

/// Differences that are named one by one; the others are counted.
const NAMED: usize = 1_000;

/// What a target returned, against what was delivered to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Name of the flow.
    pub flow: String,
    /// Rows that the receipt says are there.
    pub delivered: u64,
    /// Rows that the target returned.
    pub found: u64,
    /// Digest of the rows by the receipt, if it has one.
    pub digest: Option<String>,
    /// Digest of the rows that the target returned.
    pub found_digest: String,
    /// Null counts and sums of what the target returned.
    pub columns: Vec<Column>,
    /// Whether single rows could be compared: the ledger has them.
    pub by_row: bool,
    /// Rows of the target that are not of this delivery; normal where others write too.
    pub others: u64,
    /// How many rows differ.
    pub different: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl Reconciled {
    /// Whether every delivered row is there as it was delivered.
    pub fn agrees(&self) -> bool {
        match self.by_row {
            true => self.different == 0,
            false => self.digest.as_ref() == Some(&self.found_digest),
        }
    }
}

/// Reads back what a flow delivered and compares it with its receipt and, where there is one, with the ledger, which
/// knows every row: a changed, missing or repeated row is named by its key, or by the number of its record when the
/// flow has no key. The order of rows does not count.
///
/// `memory` bounds what is held of the ledger at a time: the target is read as often as that needs.
///
/// # Errors
/// [`Kind::NotFound`] when the receipt has neither digest nor rows to compare with; those of reading the target.
pub async fn reconcile(
    receipt: &FlowReceipt,
    target: &Input,
    ledger: Option<&Ledger>,
    limits: &Limits,
) -> Result<Reconciled> {
    let ledger = match ledger {
        Some(ledger) if ledger.keeps_rows(&receipt.delivery)? => Some(ledger),
        _ => None,
    };
    let proof = receipt.rows.as_ref().filter(|rows| rows.form == ROWS_FORM);
    if ledger.is_none() && proof.is_none() {
        return Err(Error::new(
            Kind::NotFound,
            "reconcile.nothing",
            "neither the receipt nor the ledger says anything about single rows",
        )
        .hint("deliver with a ledger, and rows = \"each\" or \"digest\""));
    }
    let mut reconciled = Reconciled {
        flow: receipt.flow.clone(),
        delivered: receipt.books.delivered + receipt.replayed,
        digest: proof.map(|rows| rows.digest.clone()),
        by_row: ledger.is_some(),
        ..Reconciled::default()
    };
    let key = key_of(receipt, ledger)?;
    let passes = match ledger {
        Some(_) => rows::passes(receipt.books.delivered, limits.memory),
        None => 1,
    };
    for pass in 0..passes {
        let mut expected = match ledger {
            Some(ledger) => Some(Expected::load(ledger, receipt, &key, (pass, passes))?),
            None => None,
        };
        let mut read_back = ReadBack::open(receipt, target, &key, limits).await?;
        while read_back.next(expected.as_mut()).await? {}
        if pass == 0 {
            reconciled.found = read_back.found;
            reconciled.found_digest = read_back.all.to_string();
            reconciled.columns = read_back.totals.columns();
        }
        if let Some(expected) = expected {
            let found = expected.differences(&read_back.kinds, whole(receipt));
            reconciled.others += found.others;
            reconciled.different += found.all.len() as u64;
            let room = NAMED.saturating_sub(reconciled.differences.len());
            reconciled.differences.extend(found.all.into_iter().take(room));
        }
    }
    Ok(reconciled)
}

/// Whether the target holds the rows of this delivery and no others.
fn whole(receipt: &FlowReceipt) -> bool {
    receipt.target.options.get("mode").is_some_and(|mode| mode == "replace")
}

fn key_of(receipt: &FlowReceipt, ledger: Option<&Ledger>) -> Result<Vec<String>> {
    if let Some(ledger) = ledger
        && let Some(delivery) = ledger.delivery(&receipt.delivery)?
    {
        return Ok(delivery.key);
    }
    let written = receipt.target.options.get("key");
    Ok(written.map(|key| key.split(',').map(Into::into).collect()).unwrap_or_default())
}

/// A target being read back in the types of the receipt.
struct ReadBack {
    reader: Box<dyn fenhe_core::Reader>,
    mapping: crate::fields::BoundFields,
    source: Arc<Source>,
    limits: Limits,
    rows: RowEncoder,
    keys: Option<RowEncoder>,
    kinds: Vec<DataType>,
    totals: Totals,
    all: RowSet,
    found: u64,
}

impl ReadBack {
    async fn open(
        receipt: &FlowReceipt,
        target: &Input,
        key: &[String],
        limits: &Limits,
    ) -> Result<Self> {
        let columns = receipt.columns.iter().map(|c| (c.name.as_str(), c.kind.as_str(), false));
        let fields = typed(columns)?;
        let request = ReadRequest {
            dataset: target.dataset.clone(),
            columns: fields.wanted(),
            limits: limits.clone(),
            ..ReadRequest::default()
        };
        let reader = target.exchange.read(request).await?;
        let mapping = fields.bind(&reader.schema())?;
        let schema: &Schema = mapping.schema();
        let keys = match key {
            [] => None,
            key => Some(RowEncoder::columns(schema, key)?),
        };
        let summed = receipt.columns.iter().filter(|column| column.sum.is_some());
        let summed: Vec<String> = summed.map(|column| column.name.clone()).collect();
        Ok(Self {
            rows: RowEncoder::new(schema),
            kinds: keys.as_ref().map(|keys| keys.kinds().to_vec()).unwrap_or_default(),
            keys,
            totals: Totals::new(schema, &summed, &[]),
            all: RowSet::default(),
            found: 0,
            source: Source::named(target.name.clone()),
            limits: limits.clone(),
            reader,
            mapping,
        })
    }

    /// Takes in one batch; `false` at the end. A row that cannot be read back in its type is there and differs: it is
    /// counted as found and matches nothing.
    async fn next(&mut self, expected: Option<&mut Expected>) -> Result<bool> {
        let Some(batch) = self.reader.next().await? else { return Ok(false) };
        let batch = self.mapping.apply(batch, &self.source, &self.limits)?;
        self.found += batch.rows() as u64 + batch.rejects.len() as u64;
        self.totals.add(&batch.records);
        let hashes = self.rows.hashes(&batch.records)?;
        self.all.plus(&hashes.sum());
        if let Some(expected) = expected {
            let keys = match &mut self.keys {
                Some(keys) => Some(keys.packed(&batch.records)?),
                None => None,
            };
            expected.meet(&hashes, keys.as_deref());
        }
        Ok(true)
    }
}
