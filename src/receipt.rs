//! The receipt: what a run did, in figures that another party can check.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fenhe_core::{ControlTotal, Error, Result};
use fenhe_ledger::{Algorithm, Chain, ROWS_FORM, RowSet, Seal, Signer};
use serde::{Deserialize, Serialize};

use crate::agreed::{AgreedTotal, agreed};
use crate::books::Books;
use crate::clock::utc;
use crate::contract::Finding;
use crate::guarantee::Level;
use crate::pump::{Flow, mode_name};
use crate::reasons::Reason;
use crate::reconcile::Reconciled;
use crate::rejects::sync_folder;
use crate::totals::Column;

/// The receipt of one run of an exchange, or of one conversion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Version of this document's shape.
    pub receipt: u16,
    /// Identifies the run of the program.
    pub run: String,
    /// Name of the exchange.
    pub exchange: String,
    /// Version of fenhe.
    pub tool: String,
    /// Start, UTC.
    pub started: String,
    /// End, UTC.
    pub ended: String,
    /// Whether every flow is complete, or the worst of them.
    pub status: Status,
    /// One entry a flow.
    pub flows: Vec<FlowReceipt>,
    /// Place in the chain of receipts, once it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// What closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

/// What one flow did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowReceipt {
    /// Name of the flow.
    pub flow: String,
    /// Where the records came from.
    pub source: Side,
    /// Where the rows went.
    pub target: Side,
    /// Same source content, flow and configuration: the same delivery, over restarts.
    pub delivery: String,
    /// How it ended.
    pub status: Status,
    /// Why it is not complete, and what is worth knowing otherwise.
    pub notes: Vec<String>,
    /// Stable code of the error that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Records that earlier runs of the same delivery had read.
    pub resumed_after: u64,
    /// `read = delivered + rejected + skipped + in_doubt`, over all runs of the delivery.
    pub books: Books,
    /// The rejects by field and fault, most frequent first, with an example of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What rules of the contract found and let pass in the rows of this run, most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Of the rejected ones: delivered since by replays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replayed: u64,
    /// Whether the equation holds.
    pub balanced: bool,
    /// Null counts and decimal sums over the rows given to the target.
    pub columns: Vec<Column>,
    /// Digest over these rows, where one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsProof>,
    /// Columns of the source that the configuration leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What the source says about its totals, against what was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<ControlTotal>,
    /// The control totals of the contract over the rows given to the target, against those that the source declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<AgreedTotal>,
    /// What the target returned when it was asked afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<ReadBack>,
    /// What delivery is guaranteed.
    pub guarantee: Level,
    /// Digest of the configuration of the flow.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plan: String,
    /// SHA-256 of the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
    /// SHA-256 of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The delivery whose rejects these records are, and the receipt that it stood in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<String>,
    /// Where the rejects lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<PathBuf>,
    /// Rejects that were declared bearable, if any budget was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// Whether the rejects are within the budget (none declared: none).
    pub within_budget: bool,
}

/// The digest of the rows given to the target, without regard to their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsProof {
    /// Name and version of the form of rows and digest.
    pub form: String,
    /// The digest, hexadecimal.
    pub digest: String,
}

/// What a target returned after a delivery. It may hold rows of others as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// Rows found.
    pub found: u64,
    /// Of these: rows that this delivery did not bring.
    pub others: u64,
    /// Delivered rows that are missing, changed or repeated.
    pub different: u64,
    /// Whether every delivered row is there as it was delivered.
    pub agrees: bool,
    /// Digest of the rows found.
    pub digest: String,
    /// Null counts and sums of the rows found.
    pub columns: Vec<Column>,
}

impl RowsProof {
    pub(crate) fn of(rows: RowSet) -> Self {
        Self { form: ROWS_FORM.into(), digest: rows.to_string() }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One end of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// How the person named it, without secrets.
    pub name: String,
    /// What identifies the content, empty if the place has no such thing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// Mode and key, for a target.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// How a flow or a run ended, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything read is accounted for, the source came to its end, and its totals agree.
    Complete,
    /// An earlier run had delivered all of it; this one delivered nothing.
    AlreadyDelivered,
    /// Done, but a total disagrees, records are in doubt, or the equation does not hold.
    Incomplete,
    /// Stopped on request after a commit; the next run goes on.
    Interrupted,
    /// Ended by an error; what was committed stays.
    Failed,
}

impl FlowReceipt {
    /// The receipt of a flow that has not read anything yet.
    pub(crate) fn begin(flow: &Flow) -> Self {
        let mode = mode_name(flow.target.mode);
        let mut options = BTreeMap::from([("mode".to_owned(), mode.to_owned())]);
        if !flow.target.key.is_empty() {
            options.insert("key".into(), flow.target.key.join(","));
        }
        Self {
            flow: flow.name.clone(),
            source: Side {
                name: flow.source.name.clone(),
                fingerprint: flow.source.fingerprint.clone(),
                options: BTreeMap::new(),
            },
            target: Side { name: flow.target.name.clone(), fingerprint: String::new(), options },
            delivery: String::new(),
            status: Status::Failed,
            notes: Vec::new(),
            error: None,
            resumed_after: 0,
            books: Books::default(),
            reasons: Vec::new(),
            findings: Vec::new(),
            replayed: 0,
            balanced: true,
            columns: Vec::new(),
            rows: None,
            left_out: Vec::new(),
            declared: Vec::new(),
            totals: Vec::new(),
            read_back: None,
            guarantee: Level::L0,
            plan: flow.plan.clone(),
            mapping: flow.made_by.mapping.clone(),
            contract: flow.made_by.contract.clone(),
            replay_of: flow.replay.as_ref().map(|replay| replay.delivery.clone()),
            rejects: None,
            budget: None,
            within_budget: true,
        }
    }

    /// Fills in what follows from the figures, and takes back `complete` when they do not allow it.
    pub(crate) fn judge(&mut self, flow: &Flow) {
        // What a replay delivered is no reject any more.
        let rejects = self.books.rejects().saturating_sub(self.replayed);
        self.balanced = self.books.balance();
        let allowed = flow.policy.budget.map(|budget| budget.allows(self.books.read));
        self.budget = allowed;
        self.within_budget = rejects <= allowed.unwrap_or(0);
        let file = flow.rejects.as_ref().filter(|file| rejects > 0 && file.path.exists());
        self.rejects = file.map(|file| file.path.clone());
        let lost = flow.rejects.as_ref().filter(|file| rejects > 0 && !file.path.exists());
        self.notes
            .extend(lost.map(|file| format!("the rejects are gone from {}", file.path.display())));
        let mut against = Vec::new();
        if !self.balanced {
            against.push("the records read are not all accounted for".to_owned());
        }
        if self.books.in_doubt > 0 {
            against.push(format!(
                "the target could not tell the fate of {} rows",
                self.books.in_doubt
            ));
        }
        for total in self.declared.iter().filter(|total| total.contradicts()) {
            against.push(format!(
                "{}: the source declares {}, counted are {}",
                total.of, total.declared, total.counted
            ));
        }
        self.totals = agreed(flow, self);
        for total in self.totals.iter().filter(|total| total.contradicts()) {
            against.push(format!(
                "control total {}: the source declares {}, delivered were {}",
                total.of,
                total.declared.as_deref().unwrap_or_default(),
                total.delivered.as_deref().unwrap_or_default()
            ));
        }
        if !against.is_empty() && self.status < Status::Incomplete {
            self.status = Status::Incomplete;
        }
        self.notes.extend(against);
    }

    /// Notes that the source may not be read at this hour.
    pub(crate) fn interrupted_by_hours(&mut self, flow: &Flow) {
        self.status = Status::Interrupted;
        if let Some(hours) = flow.policy.protection.hours {
            self.notes.push(format!("the source may be read only at {hours}"));
        }
    }

    /// Takes up what the target returned; a delivery whose rows are not there is not complete.
    pub(crate) fn take_read_back(&mut self, found: Reconciled) {
        let agrees = found.agrees();
        if !agrees {
            self.status = self.status.max(Status::Incomplete);
            self.notes.push(
                "the target does not return what was delivered: compare with fenhe reconcile"
                    .into(),
            );
        }
        self.read_back = Some(ReadBack {
            found: found.found,
            others: found.others,
            different: found.different,
            agrees,
            digest: found.found_digest,
            columns: found.columns,
        });
    }

    /// Rejects that nobody has delivered since.
    pub fn open_rejects(&self) -> u64 {
        self.books.rejects().saturating_sub(self.replayed)
    }

    /// Whether the equation holds and no declared total contradicts it.
    pub fn agrees(&self) -> bool {
        self.balanced
            && self.books.in_doubt == 0
            && self.read_back.as_ref().is_none_or(|back| back.agrees)
            && !self.declared.iter().any(ControlTotal::contradicts)
            && !self.totals.iter().any(AgreedTotal::contradicts)
    }
}

/// A name for this run of the program: time, process, and what tells two runs of one second apart.
pub fn run_id() -> String {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let time = utc(SystemTime::now()).replace(['-', ':'], "");
    format!("{time}-{:08x}", random & 0xffff_ffff)
}

impl Receipt {
    /// What a program that did this returns: 0 done, 1 failed or interrupted, 3 rejects beyond the budget,
    /// 4 the books do not balance.
    pub fn exit_code(&self) -> u8 {
        let any = |test: fn(&FlowReceipt) -> bool| self.flows.iter().any(test);
        match () {
            () if any(|flow| flow.status >= Status::Interrupted) => 1,
            () if any(|flow| !flow.agrees()) => 4,
            () if any(|flow| !flow.within_budget) => 3,
            () => 0,
        }
    }

    /// Closes a receipt that stands alone: canonical JSON (RFC 8785) with the first link of a chain of its own.
    ///
    /// # Errors
    /// Those of [`fenhe_ledger::seal`].
    pub fn seal(&self, algorithm: Algorithm, signer: Option<&Signer>) -> Result<Vec<u8>> {
        fenhe_ledger::seal(self.value()?, Chain::first(algorithm), signer)
    }

    /// The receipt as a JSON value, without chain and seal.
    pub(crate) fn value(&self) -> Result<serde_json::Value> {
        let open = Self { chain: None, seal: None, ..self.clone() };
        Ok(serde_json::to_value(open).map_err(std::io::Error::from)?)
    }
}

/// Writes a closed receipt so that a reader sees the old one or the whole new one.
///
/// # Errors
/// Input/output errors.
pub fn write_receipt(path: &Path, document: &[u8]) -> Result<()> {
    let named = |error: std::io::Error| Error::from(error).source_name(path.display().to_string());
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(named)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = std::fs::File::create(&part).map_err(named)?;
    file.write_all(document).map_err(named)?;
    file.write_all(b"\n").map_err(named)?;
    file.sync_all().map_err(named)?;
    std::fs::rename(&part, path).map_err(named)?;
    sync_folder(path)
}
