//! Rejects by field and fault, in words.

use fenhe_core::Reject;
use serde::{Deserialize, Serialize};

/// Kinds of rejects that are told apart; the others are counted by code alone.
const KINDS: usize = 50;

/// Rejects of one field for one fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code.
    pub code: String,
    /// Field, empty for the record as a whole.
    pub field: String,
    /// How many records.
    pub count: u64,
    /// What was expected in the first of them.
    pub expected: String,
    /// What stood there, as a kind of thing.
    pub found: String,
    /// Number of the first record.
    pub first: u64,
}

pub(crate) fn count_reason(reasons: &mut Vec<Reason>, reject: &Reject) {
    let fault = &reject.fault;
    let known =
        reasons.iter_mut().find(|reason| reason.code == fault.code && reason.field == fault.field);
    if let Some(reason) = known {
        reason.count += 1;
        return;
    }
    if reasons.len() < KINDS {
        reasons.push(Reason {
            code: fault.code.to_string(),
            field: fault.field.clone(),
            count: 1,
            expected: fault.expected.clone(),
            found: fault.found.clone(),
            first: reject.record,
        });
    }
}

pub(crate) fn by_frequency(reasons: &[Reason]) -> Vec<Reason> {
    let mut sorted = reasons.to_vec();
    sorted.sort_by_key(|reason| (std::cmp::Reverse(reason.count), reason.first));
    sorted
}
