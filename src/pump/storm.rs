//! When rejects are so many that the fault is not in the records.

use super::Flow;

/// Records after which a share of rejects says something.
const ENOUGH: u64 = 1_000;

/// Whether a flow that read and rejected so many records stops. A declared budget that bears more raises the share;
/// the plain number of rejects is a ceiling that nothing raises.
pub(super) fn is_storm(flow: &Flow, read: u64, rejects: u64) -> bool {
    let limits = &flow.limits;
    if rejects > limits.rejects {
        return true;
    }
    // What is sent again was rejected before: most of it may well be again.
    if read < ENOUGH || flow.replay.is_some() {
        return false;
    }
    let share =
        u128::from(rejects) * 1_000 > u128::from(read) * u128::from(limits.rejects_per_mille);
    share && rejects > flow.policy.budget.map_or(0, |budget| budget.allows(read))
}
