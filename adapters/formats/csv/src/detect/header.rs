//! Whether the first record holds names.

use std::collections::HashSet;

use super::{records, text};
use crate::dialect::Syntax;

/// A header has names: none twice, none that is a number or a date. Some may be empty, if the records below show that
/// the first one is not like them.
pub(super) fn find_header(
    syntax: &Syntax,
    body: &[u8],
    complete: bool,
    fields: usize,
) -> (bool, String) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    records(syntax, body, complete, 50, |cells, _| {
        let cells = cells.iter().map(|cell| text(syntax, body, cell).trim().to_owned());
        rows.push(cells.collect());
    });
    let Some((first, below)) = rows.split_first() else {
        return (true, "header: assumed, there is nothing to see".into());
    };
    if let Some(value) = first.iter().position(|cell| looks_like_a_value(cell)) {
        return (
            false,
            format!("no header: field {} of the first record is a value, not a name", value + 1),
        );
    }
    let names: Vec<&String> = first.iter().filter(|cell| !cell.is_empty()).collect();
    let distinct: HashSet<&&String> = names.iter().collect();
    if distinct.len() < names.len() {
        return (false, "no header: the first record has the same text twice".into());
    }
    if names.len() == first.len() {
        let why = format!(
            "header: the first record has {} different texts that look like names",
            names.len()
        );
        return (true, why);
    }
    let empty: Vec<usize> =
        (0..first.len()).filter(|at| first.get(*at).is_some_and(String::is_empty)).collect();
    let below: Vec<&Vec<String>> = below.iter().filter(|row| row.len() == fields).collect();
    if names.is_empty() || !(differs(first, &below) || ends_empty(first.len(), &empty, &below)) {
        let why = "no header: the first record has an empty field, and the records below look alike; \
                   if it holds names, say header=true";
        return (false, why.into());
    }
    let made: Vec<String> = empty.iter().map(|at| format!("column_{}", at + 1)).collect();
    (true, format!("header: the first record has names; those without one are {}", made.join(", ")))
}

/// Whether a column holds values below the first record, which has none there.
fn differs(first: &[String], below: &[&Vec<String>]) -> bool {
    (0..first.len()).any(|at| {
        let mut filled =
            below.iter().filter_map(|row| row.get(at)).filter(|c| !c.is_empty()).peekable();
        filled.peek().is_some() && filled.all(|cell| looks_like_a_value(cell))
    })
}

/// Whether the only column without a name is the last one and it is empty throughout: every line ends in a delimiter.
fn ends_empty(fields: usize, empty: &[usize], below: &[&Vec<String>]) -> bool {
    empty == [fields - 1]
        && !below.is_empty()
        && below.iter().all(|row| row.last().is_some_and(String::is_empty))
}

/// A number, a date or a code of digits.
fn looks_like_a_value(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let others = text.bytes().all(|b| {
        b.is_ascii_digit()
            || matches!(b, b'-' | b'+' | b'.' | b',' | b'/' | b':' | b' ' | b'T' | b'%')
    });
    digits > 0 && others
}
