//! What people read at the end of a run.

use std::fmt::Write;

use fenhe::core::Error;
use fenhe::ledger::DeliveryBooks;
use fenhe::{FlowReceipt, Reason, Receipt, Status};

use crate::out::message;
use crate::table::Table;

/// Says an error with what is behind it.
pub(crate) fn error(error: &Error) {
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(behind) = cause {
        // Only our own errors are known to hold no values.
        if let Some(known) = behind.downcast_ref::<Error>()
            && known.message() != error.message()
        {
            let _ = write!(text, "\n  because: {known}");
        }
        cause = behind.source();
    }
    message(&text);
}

/// The table of a whole run: one block a flow, in words a clerk understands.
pub(crate) fn receipt(receipt: &Receipt) -> String {
    let mut text = String::new();
    for flow in &receipt.flows {
        text.push_str(&block(flow));
        text.push('\n');
    }
    text
}

fn block(flow: &FlowReceipt) -> String {
    let mut text = format!("{}: {} -> {}\n", flow.flow, flow.source.name, flow.target.name);
    let _ = writeln!(text, "  {}", words(flow));
    let books = &flow.books;
    let mut counts = Table::default().right(1);
    counts.row(["records read".into(), number(books.read)]);
    counts.row(["delivered".into(), number(books.delivered)]);
    counts.row(["rejected".into(), number(books.rejects())]);
    if flow.replayed > 0 {
        counts.row(["of these delivered since, corrected".into(), number(flow.replayed)]);
    }
    if books.skipped > 0 {
        counts.row(["skipped by rule".into(), number(books.skipped)]);
    }
    if books.in_doubt > 0 {
        counts.row(["in doubt".into(), number(books.in_doubt)]);
    }
    text.push_str(&counts.text(2));
    text.push_str(&reasons(flow));
    text.push_str(&findings(flow));
    text.push_str(&sums(flow));
    for note in &flow.notes {
        let _ = writeln!(text, "  note: {}", crate::out::printable(note));
    }
    if !flow.left_out.is_empty() {
        let _ = writeln!(text, "  columns left out: {}", flow.left_out.join(", "));
    }
    if let Some(path) = &flow.rejects {
        let _ = writeln!(text, "  rejects: {}", path.display());
    }
    let _ = writeln!(text, "  guarantee: {}", flow.guarantee);
    text
}

/// Why records were rejected, the most frequent reason first.
fn reasons(flow: &FlowReceipt) -> String {
    let mut text = String::new();
    for reason in &flow.reasons {
        let what = if reason.field.is_empty() { "record" } else { reason.field.as_str() };
        let Reason { count, expected, found, first, code, .. } = reason;
        let where_ = match count {
            1 => format!("record {first}"),
            _ => format!("first in record {first}"),
        };
        let line =
            format!("    {count} x {what}: expected {expected}, found {found}; {where_} [{code}]");
        text.push_str(&crate::out::printable(&line));
        text.push('\n');
    }
    text
}

/// The books of a delivery with what replays took off them.
pub(crate) fn netted(flow: &str, books: &DeliveryBooks) -> String {
    let mut table = Table::default().right(1);
    table.row(["records read".into(), number(books.read)]);
    table.row(["delivered at once".into(), number(books.delivered)]);
    table.row(["delivered since, corrected".into(), number(books.replayed)]);
    table.row(["still rejected".into(), number(books.open())]);
    if books.skipped > 0 {
        table.row(["skipped by rule".into(), number(books.skipped)]);
    }
    if books.in_doubt > 0 {
        table.row(["in doubt".into(), number(books.in_doubt)]);
    }
    let verdict = if books.balance() { "the books balance" } else { "THE BOOKS DO NOT BALANCE" };
    format!("{flow}, the delivery as a whole: {verdict}\n{}", table.text(2))
}

/// What rules of the contract found and let pass.
fn findings(flow: &FlowReceipt) -> String {
    let mut text = String::new();
    for found in &flow.findings {
        let line = format!(
            "    {} x {}: delivered although it breaks {} ({}); first in record {} [{}]",
            number(found.rows),
            found.field,
            found.rule,
            found.expected,
            found.first,
            found.code
        );
        text.push_str(&crate::out::printable(&line));
        text.push('\n');
    }
    text
}

fn words(flow: &FlowReceipt) -> String {
    let within = match (flow.budget, flow.open_rejects()) {
        (_, 0) => String::new(),
        (Some(budget), _) if flow.within_budget => {
            format!(", rejects within the budget of {budget}")
        }
        (Some(budget), _) => format!(", MORE REJECTS THAN THE BUDGET OF {budget}"),
        (None, _) => ", with rejects, and no budget allows any".into(),
    };
    let resumed = match flow.resumed_after {
        0 => String::new(),
        after => format!(", going on after record {after}"),
    };
    match flow.status {
        Status::Complete => format!("complete{resumed}{within}"),
        Status::AlreadyDelivered => {
            format!("already delivered by an earlier run, nothing delivered now{within}")
        }
        Status::Incomplete => format!("THE FIGURES DO NOT AGREE{resumed}{within}"),
        Status::Interrupted => format!("interrupted{resumed}: run it again to go on"),
        Status::Failed => format!("FAILED{resumed}"),
    }
}

/// Control sums on both sides: what was given to the target, and what it returned when it was asked.
fn sums(flow: &FlowReceipt) -> String {
    let back = flow.read_back.as_ref();
    let mut both = match back {
        Some(_) => Table::new(&["", "sent", "at the target"]).right(1).right(2),
        None => Table::default().right(1),
    };
    if let Some(back) = back {
        let verdict = if back.agrees { "agrees" } else { "DOES NOT AGREE" };
        let sent = number(flow.books.delivered + flow.replayed);
        both.row(["rows".into(), sent, number(back.found), verdict.into()]);
    }
    let nominated = |name: &str| flow.totals.iter().any(|total| total.of == name);
    for column in &flow.columns {
        let Some(sum) = &column.sum else { continue };
        let what = if nominated(&column.name) { "control total of" } else { "sum of" };
        let name = format!("{what} {}", column.name);
        let there = back.and_then(|back| back.columns.iter().find(|c| c.name == column.name));
        match there.and_then(|there| there.sum.clone()) {
            Some(there) => both.row([name, sum.clone(), there]),
            None => both.row([name, sum.clone()]),
        }
    }
    let mut table = Table::default().right(1);
    for total in &flow.declared {
        let verdict = match () {
            () if total.agrees() => "agrees".into(),
            () if total.contradicts() => "DOES NOT AGREE".into(),
            () => format!("differs, {} could not be read", total.unreadable),
        };
        table.row([
            format!("{}, declared", total.of),
            total.declared.clone(),
            format!("counted {}", total.counted),
            verdict,
        ]);
    }
    for total in &flow.totals {
        let (Some(declared), Some(delivered)) = (&total.declared, &total.delivered) else {
            continue;
        };
        let verdict = match (&total.missing, total.agrees) {
            (_, Some(true)) => "agrees".into(),
            (_, Some(false)) => "DOES NOT AGREE".into(),
            (Some(missing), None) => format!("{missing} not delivered, with the rejected records"),
            (None, None) => String::new(),
        };
        table.row([
            format!("control total of {}, declared", total.of),
            declared.clone(),
            format!("delivered {delivered}"),
            verdict,
        ]);
    }
    both.text(2) + &table.text(2)
}

/// Digits in groups of three.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::number(n), text);
        }
    }
}
