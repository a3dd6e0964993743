//! Control totals that a contract nominates, beside what the source declares about the same fields.

use fenhe_core::ControlTotal;
use fenhe_mapping::{FieldMapping, Origin};
use serde::{Deserialize, Serialize};

use crate::pump::Flow;
use crate::receipt::FlowReceipt;
use crate::totals::subtract_digits;

/// A control total of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreedTotal {
    /// What it is about: `records`, or the field.
    pub of: String,
    /// The figure over the rows given to the target, exact; `None` beyond 76 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<String>,
    /// What the source declares, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// What of the declared total was not delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Whether both agree; `None` where nothing is declared, or rejected records explain the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agrees: Option<bool>,
}

/// The totals of the contract of a flow, from the figures of its receipt.
pub(crate) fn agreed(flow: &Flow, receipt: &FlowReceipt) -> Vec<AgreedTotal> {
    let nominated = flow.totals();
    if nominated.is_empty() {
        return Vec::new();
    }
    let records = AgreedTotal {
        of: "records".into(),
        delivered: Some(receipt.books.delivered.to_string()),
        declared: None,
        missing: None,
        agrees: None,
    };
    let of_field = |field: &String| total(field, flow, receipt);
    std::iter::once(records).chain(nominated.iter().map(of_field)).collect()
}

fn total(field: &str, flow: &Flow, receipt: &FlowReceipt) -> AgreedTotal {
    let column = receipt.columns.iter().find(|column| column.name == *field);
    let delivered = column.and_then(|column| column.sum.clone());
    let source = declared_for(field, flow, receipt);
    let missing = source.zip(delivered.as_deref());
    let missing = missing.and_then(|(total, sum)| subtract_digits(&total.declared, sum));
    let nothing = |digits: &String| digits.chars().all(|c| matches!(c, '0' | '.' | '-'));
    let agrees = match (&missing, source) {
        (Some(missing), _) if nothing(missing) => Some(true),
        // Records that were kept back, or whose digits nobody could read, may be the difference.
        (Some(_), Some(total)) if receipt.books.rejects() == 0 && total.unreadable == 0 => {
            Some(false)
        }
        _ => None,
    };
    AgreedTotal {
        of: field.to_owned(),
        delivered,
        declared: source.map(|total| total.declared.clone()),
        missing: missing.filter(|missing| !nothing(missing)),
        agrees,
    }
}

/// The total of the source for the column that a field is taken from as it is: after a change of the value, the sums say
/// nothing about each other.
fn declared_for<'a>(
    field: &str,
    flow: &Flow,
    receipt: &'a FlowReceipt,
) -> Option<&'a ControlTotal> {
    let mapping = &flow.fields.mapping;
    let column = match mapping.fields.iter().find(|one| one.name == field) {
        Some(one) => as_it_is(one)?,
        None if mapping.fields.is_empty() => field,
        None => return None,
    };
    let dataset = &flow.source.dataset;
    let about = |total: &&ControlTotal| match total.of.rsplit_once('.') {
        Some((record, name)) => name == column && (dataset.is_empty() || dataset == record),
        None => total.of == column,
    };
    let mut found =
        receipt.declared.iter().filter(|total| !total.declared.is_empty()).filter(about);
    found.next().filter(|_| found.next().is_none())
}

fn as_it_is(field: &FieldMapping) -> Option<&str> {
    match &field.origin {
        Origin::Column(column)
            if field.steps.is_empty() && field.when.is_none() && field.default.is_none() =>
        {
            Some(column)
        }
        _ => None,
    }
}

impl AgreedTotal {
    /// Whether the source declares another sum than was delivered, and no rejected record explains it.
    pub fn contradicts(&self) -> bool {
        self.agrees == Some(false)
    }
}
