//! Where a run starts: from the beginning, where an earlier one stopped, or not at all.

use fenhe_core::{Capability, Error, Kind, Result, WriteMode};

use super::Flow;
use crate::checkpoint::Checkpoint;

/// Where to start.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Start {
    /// From the beginning, with a remark for the receipt if an earlier delivery is left behind.
    Fresh(Option<&'static str>),
    /// After this checkpoint of the same delivery.
    After(Box<Checkpoint>),
    /// After this checkpoint, as a delivery of its own: the source only ever grows.
    Onward(Box<Checkpoint>),
    /// Everything was delivered.
    Done(Box<Checkpoint>),
}

/// Decides by the last checkpoint that stands.
///
/// # Errors
/// [`Kind::Changed`] when going on would mix two contents or two configurations.
pub(super) fn decide(
    flow: &Flow,
    source: &Capability,
    stands: Option<Checkpoint>,
) -> Result<Start> {
    let Some(stands) = stands.filter(|_| !flow.policy.restart) else {
        return Ok(Start::Fresh(None));
    };
    let same_plan = stands.plan == flow.plan;
    let same_source = stands.source == flow.source.fingerprint;
    // By key or as a whole everything is delivered anew, so that changed rows get there as well.
    let growing = flow.source.fingerprint.is_empty()
        && source.resume
        && flow.target.mode == WriteMode::Append;
    if stands.complete {
        return Ok(match () {
            () if growing && same_plan => Start::Onward(Box::new(stands)),
            () if flow.source.fingerprint.is_empty() => Start::Fresh(None),
            () if same_plan && same_source && flow.target.present => Start::Done(Box::new(stands)),
            () => Start::Fresh(None),
        });
    }
    let repeatable = matches!(flow.target.mode, WriteMode::Upsert | WriteMode::Replace);
    if flow.target.mode == WriteMode::Replace {
        return Ok(Start::Fresh(None));
    }
    if !same_source {
        return Err(changed(
            "the source changed since the delivery that was interrupted",
            "put the old source back to finish it, or run with --restart to deliver the new one from the start",
        ));
    }
    if !same_plan {
        return match repeatable {
            true => Ok(Start::Fresh(Some(
                "the configuration changed since the interrupted delivery: delivered from the start",
            ))),
            false => Err(changed(
                "the configuration changed since the delivery that was interrupted",
                "run with --restart to deliver from the start; rows delivered so far are added a second time",
            )),
        };
    }
    match stands.at {
        Some(_) if source.resume => Ok(Start::After(Box::new(stands))),
        _ if repeatable => Ok(Start::Fresh(None)),
        _ => Ok(Start::Fresh(Some(
            "the source cannot go on in the middle: rows of the interrupted delivery may be there twice",
        ))),
    }
}

fn changed(what: &'static str, advice: &'static str) -> Error {
    Error::new(Kind::Changed, "engine.changed", what).hint(advice)
}
