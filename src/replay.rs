//! Rejects that people corrected, sent again under the numbers of their records.

mod assign;
mod corrections;
mod list;
mod raw;
mod rows;
mod taken;
mod waiting;

use std::sync::Arc;
use std::time::SystemTime;

use arrow_array::RecordBatch;
use fenhe_core::{Error, Kind, Result, WriteMode};
use fenhe_ledger::{DeliveryBooks, Ledger, OpenReject, Run};

use crate::clock::utc;
use crate::config::{ExchangeConfig, Prepared};
use crate::pump::{Control, Flow, Input, Policy, Replay, outline, pump};
use crate::receipt::{Receipt, write_receipt};
use crate::run::Ran;

use assign::{Part, assign, fingerprint};
pub use corrections::Corrections;
#[cfg(feature = "excel")]
pub(crate) use list::sheet;
#[cfg(feature = "excel")]
pub(crate) use raw::encoding_of;
use rows::Corrected;
use taken::Taken;

/// The end of a replay.
#[derive(Debug)]
pub struct Resent {
    /// What was done; `None` when there was nothing to send.
    pub ran: Option<Ran>,
    /// Rows of the list without values, and records whose bytes nobody corrected: they were not sent and stay open.
    pub left_out: u64,
}

impl ExchangeConfig {
    /// Rejects of the flows of this exchange that nobody has delivered since.
    ///
    /// # Errors
    /// Those of the ledger; [`Kind::NotFound`] when there is none yet.
    pub fn open_rejects(&self) -> Result<Vec<OpenReject>> {
        let all = Ledger::open_existing(&self.ledger())?.open_rejects(None)?;
        let ours = |open: &OpenReject| self.flows().any(|flow| flow == open.flow);
        Ok(all.into_iter().filter(ours).collect())
    }

    /// Where the receipt of a replay goes.
    pub fn replay_receipt(&self) -> std::path::PathBuf {
        self.receipt().with_extension("replay.json")
    }

    /// Sends corrected records again: those of the list, under the numbers that they had, to the target that they were
    /// meant for. What is refused once more stays open, and so is (`replay.key`) a row whose key another record has that was
    /// sent before or stands in the list. The receipt names the delivery that it completes, stands in
    /// the same chain, and is written to [`replay_receipt`](Self::replay_receipt). Rows without values
    /// are left out, and so are records that could not be decoded when nobody corrected them.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `replay.unknown` for records that are not open rejects, `replay.flow` for those of other
    /// flows than these, `replay.twice` for one that stands in the list twice, `replay.list` for values that have no place,
    /// `replay.whole` for a target that is only ever replaced: nothing is sent then. Those of ledger and receipt. What
    /// happened to a flow stands in the result.
    pub async fn replay(
        &self,
        flows: &[Prepared],
        corrections: &Corrections,
        control: &Control,
    ) -> Result<Resent> {
        let (parts, left_out) = assign(flows, &self.open_rejects()?, corrections).await?;
        if parts.is_empty() {
            return Ok(Resent { ran: None, left_out });
        }
        let mut receipt = Receipt::begin(self.name());
        let control = control.clone().for_run(&receipt.run);
        let mut replays = Vec::new();
        for part in parts {
            replays.push(replay_flow(part).await?);
        }
        let books = self.books()?;
        books.ledger.begin(&Run {
            run: receipt.run.clone(),
            exchange: receipt.exchange.clone(),
            configuration: self.file().display().to_string(),
            tool: receipt.tool.clone(),
            started: receipt.started.clone(),
        })?;
        let mut errors = Vec::new();
        for (flow, notes) in replays {
            let mut ended = pump(&flow, &control).await;
            ended.receipt.notes.extend(notes);
            receipt.add(ended.receipt);
            errors.extend(ended.error.map(|error| (flow.name.clone(), error)));
        }
        receipt.ended = utc(SystemTime::now());
        let document = books.close(&receipt)?;
        write_receipt(&self.replay_receipt(), &document)?;
        let receipt = serde_json::from_slice(&document).map_err(std::io::Error::from)?;
        let ran = Ran { receipt, errors, workbooks: Vec::new() };
        Ok(Resent { ran: Some(ran), left_out })
    }

    /// The books of deliveries, replays taken into account.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn delivery_books(&self, delivery: &str) -> Result<Option<DeliveryBooks>> {
        Ledger::open_existing(&self.ledger())?.books(delivery)
    }
}

impl Prepared {
    /// Open rejects of this flow as a list to correct. Columns that begin with `_` say what it is about; the others hold the
    /// values: under the names of the source where the record was refused before the target saw it, else under those of the
    /// target. A record that never became a row has its bytes as text and as digits, to be corrected in either, and the
    /// fields of the target to be filled in instead.
    ///
    /// # Errors
    /// Those of opening both ends.
    pub async fn correction_list(&self, open: &[OpenReject]) -> Result<RecordBatch> {
        let outline = outline(&self.flow).await?;
        let encoding = raw::encoding_of(self, &self.flow.limits).await?;
        list::correction_list(open, &outline, encoding)
    }
}

/// The flow that sends corrected rows to the target of another flow, and notes on what it cannot see.
async fn replay_flow(part: Part<'_>) -> Result<(Flow, Vec<String>)> {
    let Part { delivery, prepared, mut rows } = part;
    let flow = &prepared.flow;
    if flow.target.mode == WriteMode::Replace {
        return Err(Error::new(
            Kind::Config,
            "replay.whole",
            "the target is replaced as a whole: rows cannot be added to it afterwards",
        )
        .source_name(flow.target.name.clone())
        .hint("correct the source and run again"));
    }
    rows.sort_by_key(|row| row.record);
    let records: Vec<u64> = rows.iter().map(|row| row.record).collect();
    let outline = outline(flow).await?;
    let fingerprint = fingerprint(&rows);
    let (taken, notes) = Taken::of(flow, &delivery, &outline.target)?;
    let corrected = Corrected::make(flow, prepared.files.as_ref(), &outline, rows, taken).await?;
    let replay = Flow {
        pipeline: format!("{}#replay", flow.pipeline),
        plan: Flow::digest([flow.plan.as_str(), &delivery]),
        source: Input {
            exchange: Arc::new(corrected),
            dataset: String::new(),
            name: flow.source.name.clone(),
            fingerprint,
        },
        fields: crate::fields::Fields::default(),
        columns: None,
        policy: Policy { protection: Default::default(), ..flow.policy.clone() },
        replay: Some(Replay { delivery, records, totals: flow.fields.totals().to_vec() }),
        ..flow.clone()
    };
    Ok((replay, notes))
}
