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
    /// What was expected.
    pub expected: String,
    /// What stood there, as a kind of thing.
    pub found: String,
    /// Other things stood there in other records.
    #[serde(default, skip_serializing_if = "is_false")]
    pub various: bool,
    /// Number of the first record.
    pub first: u64,
}

pub(crate) fn count_reason(reasons: &mut Vec<Reason>, reject: &Reject) {
    let fault = &reject.fault;
    let known = reasons.iter_mut().find(|reason| {
        reason.code == fault.code
            && reason.field == fault.field
            && reason.expected == fault.expected
    });
    if let Some(reason) = known {
        reason.count += 1;
        reason.various |= reason.found != fault.found;
        return;
    }
    if reasons.len() < KINDS {
        reasons.push(Reason {
            code: fault.code.to_string(),
            field: fault.field.clone(),
            count: 1,
            expected: fault.expected.clone(),
            found: fault.found.clone(),
            various: false,
            first: reject.record,
        });
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(truth: &bool) -> bool {
    !truth
}

pub(crate) fn by_frequency(reasons: &[Reason]) -> Vec<Reason> {
    let mut sorted = reasons.to_vec();
    sorted.sort_by_key(|reason| (std::cmp::Reverse(reason.count), reason.first));
    sorted
}

#[cfg(test)]
mod tests {
    use fenhe_core::Fault;

    use super::*;

    #[test]
    fn what_is_expected_tells_reasons_apart_and_what_is_found_does_not() {
        let mut reasons = Vec::new();
        for (record, expected, found) in [
            (1, "3 fields", "2 fields"),
            (2, "3 fields", "4 fields"),
            (3, "an even number of quotes", "3 quotes"),
            (4, "3 fields", "2 fields"),
        ] {
            let fault = Fault::new("csv.record", "", expected, found);
            count_reason(&mut reasons, &Reject::new(fault).at(record, 0, 1));
        }
        let told: Vec<_> =
            reasons.iter().map(|r| (r.count, r.expected.as_str(), r.various, r.first)).collect();
        assert_eq!(told, [(3, "3 fields", true, 1), (1, "an even number of quotes", false, 3)]);
    }
}
