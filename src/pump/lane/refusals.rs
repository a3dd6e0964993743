//! What a target refuses: counted, given its source and row, taken out of sums and digests.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenhe_core::{Batch, Error, Kind, Raw, Reject, Result};
use fenhe_ledger::PlannedBatch;

use super::Lane;
use crate::ndjson::with_row;
use crate::pump::OnError;
use crate::pump::storm::is_storm;
use crate::reasons::count_reason;

impl Lane<'_> {
    /// Waits for what the target says of the rows it was given.
    pub(super) async fn answers(&mut self) -> Result<()> {
        self.writer.flush().await?;
        self.take_refusals().await
    }

    pub(super) async fn take_refusals(&mut self) -> Result<()> {
        let refused = self.writer.refused();
        self.written = self.written.saturating_sub(refused.len() as u64);
        let refused = self.book(refused).await?;
        self.stop_at_rejects(&refused).await
    }

    /// Books refusals with the batch whose record each of them is.
    pub(super) async fn book(&mut self, refused: Vec<Reject>) -> Result<Vec<Reject>> {
        if refused.is_empty() {
            return Ok(refused);
        }
        let numbers: Vec<(u64, Vec<u64>)> =
            self.recent.iter().map(|sent| (sent.number, sent.batch.record_numbers())).collect();
        let mut by_batch: BTreeMap<u64, Vec<Reject>> = BTreeMap::new();
        for reject in refused {
            let holds = |(_, all): &&(u64, Vec<u64>)| all.binary_search(&reject.record).is_ok();
            let number = numbers.iter().find(holds).map_or(self.checkpoint.batch, |(n, _)| *n);
            by_batch.entry(number).or_default().push(reject);
        }
        let mut booked = Vec::new();
        for (number, rejects) in by_batch {
            let rejects = self.complete_in(number, rejects)?;
            self.reject(number, &rejects).await?;
            booked.extend(rejects);
        }
        Ok(booked)
    }

    fn complete_in(&mut self, number: u64, rejects: Vec<Reject>) -> Result<Vec<Reject>> {
        let sent = self.recent.iter_mut().find(|sent| sent.number == number);
        // The ledger has the plan already when the refusal comes with the commit.
        let Some((batch, mut held)) = sent.map(|sent| (sent.batch.clone(), sent.planned.take()))
        else {
            return Ok(rejects.into_iter().map(as_given).collect());
        };
        let mut given = if held.is_none() { self.keeper.take_planned(number) } else { None };
        let mut nowhere = PlannedBatch::default();
        let planned = held.as_mut().or(given.as_mut()).unwrap_or(&mut nowhere);
        let rejects = self.complete(rejects, &batch, planned)?;
        if let Some(sent) = self.recent.iter_mut().find(|sent| sent.number == number) {
            sent.planned = held;
        }
        if let Some(given) = given {
            self.keeper.put_planned(given);
        }
        Ok(rejects)
    }

    /// Gives refusals of the target their source and row, and takes the rows out of totals and digests.
    fn complete(
        &mut self,
        refused: Vec<Reject>,
        batch: &Batch,
        planned: &mut PlannedBatch,
    ) -> Result<Vec<Reject>> {
        let numbers = batch.record_numbers();
        let mut gone = Vec::new();
        let mut completed = Vec::with_capacity(refused.len());
        for mut reject in refused {
            if reject.source.name.is_empty() {
                reject.source = Arc::clone(&self.source);
            }
            if let Ok(row) = numbers.binary_search(&reject.record) {
                self.totals.subtract(&batch.records.slice(row, 1));
                reject = with_row(reject, &batch.records, row, self.flow.limits.reject_raw)?;
                gone.push(row);
            }
            completed.push(as_given(reject));
        }
        gone.sort_unstable();
        gone.dedup();
        self.take_out(batch, &gone, planned);
        Ok(completed)
    }

    fn take_out(&mut self, batch: &Batch, gone: &[usize], planned: &mut PlannedBatch) {
        planned.rows = planned.rows.saturating_sub(gone.len() as u64);
        if self.rows.is_none() && planned.digest.is_none() {
            return;
        }
        let Ok(mut hashes) = fenhe_ledger::RowEncoder::new(&self.schema).hashes(&batch.records)
        else {
            return;
        };
        let out = hashes.remove(gone);
        for set in [&mut self.rows, &mut planned.digest].into_iter().flatten() {
            set.minus(&out);
        }
        if let Some(index) = &mut planned.index {
            let numbers = batch.record_numbers();
            let gone: Vec<u64> = gone.iter().filter_map(|row| numbers.get(*row).copied()).collect();
            index.remove(&gone);
        }
    }

    /// Counts and keeps rejects.
    pub(super) async fn reject(&mut self, batch: u64, rejects: &[Reject]) -> Result<()> {
        for reject in rejects {
            count_reason(&mut self.checkpoint.reasons, reject);
            for counts in [&mut self.checkpoint.rejected, &mut self.outcome.rejected] {
                *counts.entry(reject.fault.code.to_string()).or_default() += 1;
            }
        }
        self.keeper.reject(batch, rejects).await
    }

    /// Ends the run at the first reject if that is asked for, or in a storm of them.
    pub(super) async fn stop_at_rejects(&mut self, rejects: &[Reject]) -> Result<()> {
        let Some(first) = rejects.first() else {
            return Ok(());
        };
        let count: u64 = self.checkpoint.rejected.values().sum();
        let storm = is_storm(self.flow, self.checkpoint.read, count);
        if !storm && self.flow.policy.on_error == OnError::Reject {
            return Ok(());
        }
        self.make_durable().await?;
        if storm {
            return Err(Error::new(
                Kind::Limit,
                "engine.reject_storm",
                format!("stopped after {count} rejects in {} records", self.checkpoint.read),
            )
            .hint("check format and options with inspect; the limits are rejects and rejects_per_mille"));
        }
        Err(Error::new(
            Kind::Invalid,
            "engine.first_reject",
            format!("stopped at the first reject: {first}"),
        )
        .hint("allow rejects to put such records aside"))
    }
}

/// What a target refuses is a row as it was given, whatever it says itself.
fn as_given(mut reject: Reject) -> Reject {
    if reject.raw_is == Raw::Row {
        reject.raw_is = Raw::Target;
    }
    reject
}
