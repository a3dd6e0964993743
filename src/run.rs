//! All flows of an exchange, one after the other, and their receipt.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use fenhe_core::{Error, Result};
#[cfg(feature = "excel")]
use fenhe_ledger::OpenReject;
use fenhe_ledger::{Algorithm, Ledger, Run, Signer};

use crate::clock::utc;
use crate::config::{ExchangeConfig, Prepared};
use crate::pump::{Control, Flow, Input, KeepRows, pump_together};
use crate::receipt::{FlowReceipt, Receipt, Status, run_id, write_receipt};
use crate::reconcile::reconcile;
#[cfg(feature = "excel")]
use crate::reject_workbook::flow_workbook;

/// The end of an exchange: the receipt, which is written already, and the errors of single flows.
#[derive(Debug)]
pub struct Ran {
    /// What was done.
    pub receipt: Receipt,
    /// Errors that ended flows, by the name of the flow.
    pub errors: Vec<(String, Error)>,
    /// The workbooks of rejects that were written, and how many records each holds.
    pub workbooks: Vec<(PathBuf, u64)>,
}

impl ExchangeConfig {
    /// Runs the flows in their order and writes the receipt. A flow that fails does not keep the next from
    /// running, unless the first reject shall end everything; a stop does.
    ///
    /// # Errors
    /// Only when ledger or receipt cannot be written; what happened to a flow stands in the result.
    pub async fn run(&self, flows: &[Prepared], control: &Control) -> Result<Ran> {
        let mut receipt = Receipt::begin(self.name());
        let control = control.clone().for_run(&receipt.run);
        let books = self.books()?;
        books.ledger.begin(&Run {
            run: receipt.run.clone(),
            exchange: receipt.exchange.clone(),
            configuration: self.file().display().to_string(),
            tool: receipt.tool.clone(),
            started: receipt.started.clone(),
        })?;
        let (mut errors, mut workbooks) = (Vec::new(), Vec::new());
        for group in flows.chunk_by(|a, b| a.group == b.group) {
            let together: Vec<_> = group.iter().map(|prepared| &prepared.flow).collect();
            let ended = pump_together(&together, &control).await;
            for (prepared, mut ended) in group.iter().zip(ended) {
                if let Some(files) = &prepared.files {
                    ended.receipt.notes.extend(files.take_notes());
                }
                if self.reads_back() && ended.receipt.status <= Status::AlreadyDelivered {
                    let back = read_back(&mut ended.receipt, &prepared.flow, &books.ledger).await;
                    ended.error = ended.error.or(back.err());
                }
                match self.explain(prepared, &ended.receipt).await {
                    Ok(written) => workbooks.extend(written),
                    Err(error) => {
                        let note = format!("there is no workbook of the rejects: {error}");
                        ended.receipt.notes.push(note);
                        ended.error = ended.error.or(Some(error));
                    }
                }
                receipt.add(ended.receipt);
                if let Some(error) = ended.error {
                    let error = self.blame(&prepared.flow.name, error);
                    errors.push((prepared.flow.name.clone(), error));
                }
            }
            if control.stopped() {
                break;
            }
        }
        receipt.ended = utc(SystemTime::now());
        let document = books.close(&receipt)?;
        write_receipt(&self.receipt(), &document)?;
        let receipt = serde_json::from_slice(&document).map_err(std::io::Error::from)?;
        Ok(Ran { receipt, errors, workbooks })
    }

    /// Writes the workbook of rejects that is asked for. A delivery that was made before leaves the one that is there: it
    /// may be corrected by now.
    #[cfg(feature = "excel")]
    async fn explain(
        &self,
        prepared: &Prepared,
        receipt: &FlowReceipt,
    ) -> Result<Option<(PathBuf, u64)>> {
        let Some(path) = self.reject_workbook(&prepared.flow.name) else { return Ok(None) };
        let before = receipt.status == Status::AlreadyDelivered && path.exists();
        if before || receipt.open_rejects() == 0 {
            return Ok(None);
        }
        let open = match receipt.replayed {
            0 => Vec::new(),
            _ => self.open_rejects()?,
        };
        let is_open = |record| {
            let same =
                |one: &OpenReject| one.delivery == receipt.delivery && one.reject.record == record;
            receipt.replayed == 0 || open.iter().any(same)
        };
        let count = flow_workbook(prepared, &receipt.delivery, is_open, &path).await?;
        Ok((count > 0).then_some((path, count)))
    }

    #[cfg(not(feature = "excel"))]
    async fn explain(&self, _: &Prepared, _: &FlowReceipt) -> Result<Option<(PathBuf, u64)>> {
        Ok(None)
    }
}

/// Asks the target for the rows, where it can be asked.
async fn read_back(receipt: &mut FlowReceipt, flow: &Flow, ledger: &Ledger) -> Result<()> {
    if !flow.target.exchange.info().capability.read || flow.rows == KeepRows::None {
        receipt.notes.push("the target cannot be asked what it holds".into());
        return Ok(());
    }
    let target = Input {
        exchange: Arc::clone(&flow.target.exchange),
        dataset: flow.target.dataset.clone(),
        name: flow.target.name.clone(),
        fingerprint: String::new(),
    };
    let found = reconcile(receipt, &target, Some(ledger), &flow.limits).await?;
    receipt.take_read_back(found);
    Ok(())
}

/// The ledger of an exchange, and how its receipts are closed.
#[derive(Debug)]
pub(crate) struct ExchangeBooks {
    pub(crate) ledger: Ledger,
    pub(crate) algorithm: Algorithm,
    pub(crate) signer: Option<Signer>,
}

impl ExchangeBooks {
    /// Puts a receipt at the end of the chain; returns the document.
    pub(crate) fn close(&self, receipt: &Receipt) -> Result<Vec<u8>> {
        let status = serde_json::to_value(receipt.status).map_err(std::io::Error::from)?;
        self.ledger.close(
            &receipt.run,
            &receipt.ended,
            status.as_str().unwrap_or_default(),
            receipt.value()?,
            self.algorithm,
            self.signer.as_ref(),
        )
    }
}

impl Receipt {
    /// The receipt of a run that begins now.
    pub fn begin(exchange: &str) -> Self {
        let now = utc(SystemTime::now());
        Self {
            receipt: 1,
            run: run_id(),
            exchange: exchange.into(),
            tool: format!("fenhe {}", env!("CARGO_PKG_VERSION")),
            started: now.clone(),
            ended: now,
            status: Status::Complete,
            flows: Vec::new(),
            chain: None,
            seal: None,
        }
    }

    /// Adds a flow; the run is as good as the worst of them.
    pub fn add(&mut self, flow: crate::receipt::FlowReceipt) {
        self.status = match self.flows.is_empty() {
            true => flow.status,
            // Delivered now and delivered before make a complete run.
            false if self.status.max(flow.status) == Status::AlreadyDelivered => {
                if self.status == flow.status { self.status } else { Status::Complete }
            }
            false => self.status.max(flow.status),
        };
        self.flows.push(flow);
    }
}
