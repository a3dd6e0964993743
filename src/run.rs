//! All flows of an exchange, one after the other, and their receipt.

use std::time::SystemTime;

use fenhe_core::{Error, Result};

use crate::config::{ExchangeConfig, Prepared};
use crate::pump::{Control, pump};
use crate::receipt::{Receipt, Status, run_id, utc};

/// The end of an exchange: the receipt, which is written already, and the errors of single flows.
#[derive(Debug)]
pub struct Ran {
    /// What was done.
    pub receipt: Receipt,
    /// Errors that ended flows, by the name of the flow.
    pub errors: Vec<(String, Error)>,
}

impl ExchangeConfig {
    /// Runs the flows in their order and writes the receipt. A flow that fails does not keep the next from
    /// running, unless the first reject shall end everything; a stop does.
    ///
    /// # Errors
    /// Only when the receipt cannot be written; what happened to a flow stands in the result.
    pub async fn run(&self, flows: &[Prepared], control: &Control) -> Result<Ran> {
        let mut receipt = Receipt::begin(self.name());
        let mut errors = Vec::new();
        for prepared in flows {
            let mut ended = pump(&prepared.flow, control).await;
            if let Some(files) = &prepared.files {
                ended.receipt.notes.extend(files.take_notes());
            }
            receipt.add(ended.receipt);
            if let Some(error) = ended.error {
                let error = self.blame(&prepared.flow.name, error);
                errors.push((prepared.flow.name.clone(), error));
            }
            if control.stopped() {
                break;
            }
        }
        receipt.ended = utc(SystemTime::now());
        receipt.write(&self.receipt())?;
        Ok(Ran { receipt, errors })
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
