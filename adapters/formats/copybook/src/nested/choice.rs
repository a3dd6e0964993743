//! Alternatives: items that share storage, and records of several types.

use fenhe_core::{Fault, Result};

use super::{Block, Node};
use crate::columns::{Mask, Reasons};
use crate::error;
use crate::segments::Selector;

/// Children that share storage.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// Index of the child and the rule that selects it.
    pub(crate) branches: Vec<(usize, Option<Selector>)>,
    /// Whether all alternatives are among the children.
    pub(crate) complete: bool,
    /// Names, for the message when none applies.
    pub(crate) path: String,
}

/// The alternatives of one storage area: those selected by a rule, or all of them with at least one readable.
pub(super) fn append_choice(
    children: &mut [Node],
    choice: &Choice,
    block: &mut Block<'_>,
    mask: Option<&[bool]>,
    faults: &mut Mask,
    mut reasons: Reasons<'_>,
) -> Result<()> {
    let rows = block.rows();
    let there = |row: usize| mask.is_none_or(|m| m.get(row).copied().unwrap_or(false));
    let ruled = choice.branches.iter().any(|(_, rule)| rule.is_some());
    let selected = ruled.then(|| select(choice, block, rows));
    let open = choice.branches.iter().filter(|(_, rule)| rule.is_none()).count();
    let mut unreadable = vec![0usize; rows];
    let mut found: Vec<(usize, Fault)> = Vec::new();
    for (at, (child, rule)) in choice.branches.iter().enumerate() {
        let Some(node) = children.get_mut(*child) else { continue };
        let present: Option<Vec<bool>> = selected.as_ref().map(|selected| {
            let wanted = if rule.is_some() { Some(at) } else { None };
            (0..rows).map(|row| there(row) && selected.get(row) == Some(&wanted)).collect()
        });
        let mask = present.as_deref().or(mask);
        if rule.is_some() {
            node.append(block, mask, faults, reasons.as_deref_mut())?;
            continue;
        }
        let mut own = Mask::new(rows);
        node.append(block, mask, &mut own, reasons.is_some().then_some(&mut found))?;
        for row in own.rows() {
            if let Some(count) = unreadable.get_mut(row) {
                *count += 1;
            }
        }
    }
    for (row, unreadable) in unreadable.into_iter().enumerate().filter(|(row, _)| there(*row)) {
        let unselected = selected.as_ref().is_some_and(|s| s.get(row) == Some(&None));
        let bad = if open == 0 { unselected } else { unreadable == open && (!ruled || unselected) };
        if !bad || !choice.complete {
            continue;
        }
        faults.set(row);
        if let Some(reasons) = &mut reasons {
            match found.iter().find(|(at, _)| *at == row) {
                Some(first) => reasons.push(first.clone()),
                None => reasons.push((row, none_selected(&choice.path))),
            }
        }
    }
    Ok(())
}

/// The branch whose rule holds first, for each row.
fn select(choice: &Choice, block: &Block<'_>, rows: usize) -> Vec<Option<usize>> {
    let holds =
        |rule: &Selector, row: usize| block.bytes(&rule.place, row).is_some_and(|b| rule.holds(b));
    (0..rows)
        .map(|row| {
            choice
                .branches
                .iter()
                .position(|(_, rule)| rule.as_ref().is_some_and(|r| holds(r, row)))
        })
        .collect()
}

#[cold]
fn none_selected(path: &str) -> Fault {
    Fault::new(
        error::REDEFINES,
        path,
        "one of the alternatives of the rules in select",
        "a value that no rule names",
    )
}
