//! Tokens to entries, and entries to a tree by level numbers.

use fenhe_core::{Limits, Result};

use super::clauses::{Entry, entry};
use super::item::{Item, SignClause, Usage};
use super::lexer::{Token, TokenKind};
use super::{Copybook, MAX_ITEMS};
use crate::error;

/// Parses the data description entries in `tokens`.
pub(crate) fn parse(tokens: &[Token], comma: bool) -> Result<Copybook> {
    let comma = comma || decimal_comma(tokens);
    let mut flat: Vec<Item> = Vec::new();
    for sentence in tokens.split(|t| t.kind == TokenKind::Period) {
        let sentence = without_directives(sentence);
        let Some(first) = sentence.first() else { continue };
        let word = first.upper();
        if word == "PROCEDURE" {
            break;
        }
        if !is_level(&word) {
            skip_or_refuse(first, sentence, &flat)?;
            continue;
        }
        match entry(sentence, comma)? {
            Entry::Item(item) => flat.push(item),
            Entry::Condition(condition) => match flat.last_mut() {
                Some(item) => item.conditions.push(condition),
                None => return Err(first.error("level 88 without an item before it")),
            },
            Entry::Renames(renames) => match flat.iter_mut().rev().find(|i| i.level == 1) {
                Some(record) => record.renames.push(renames),
                None => return Err(first.error("level 66 without a record of level 01 before it")),
            },
            Entry::Constant => {}
        }
        Limits::check("copybook entries", MAX_ITEMS as u64, flat.len() as u64)?;
    }
    if flat.is_empty() {
        return Err(error::syntax("no data description entry (01 NAME ...) was found", 1, 1));
    }
    let mut records = tree(flat)?;
    for record in &mut records {
        inherit(record, None, None);
    }
    Ok(Copybook { records, decimal_comma: comma })
}

fn is_level(word: &str) -> bool {
    !word.is_empty() && word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit())
}

/// Listing directives have no period of their own.
fn without_directives(sentence: &[Token]) -> &[Token] {
    let directive = |t: &Token| matches!(t.upper().as_str(), "EJECT" | "SKIP1" | "SKIP2" | "SKIP3");
    let from = sentence.iter().position(|t| !directive(t)).unwrap_or(sentence.len());
    sentence.get(from..).unwrap_or_default()
}

/// Passes over headers of a program (`FILE SECTION`, `FD X`); anything else is a mistake.
fn skip_or_refuse(first: &Token, sentence: &[Token], flat: &[Item]) -> Result<()> {
    const HEADERS: [&str; 30] = [
        "IDENTIFICATION",
        "ID",
        "PROGRAM-ID",
        "AUTHOR",
        "INSTALLATION",
        "DATE-WRITTEN",
        "DATE-COMPILED",
        "SECURITY",
        "ENVIRONMENT",
        "CONFIGURATION",
        "SOURCE-COMPUTER",
        "OBJECT-COMPUTER",
        "SPECIAL-NAMES",
        "INPUT-OUTPUT",
        "FILE-CONTROL",
        "SELECT",
        "DATA",
        "FILE",
        "WORKING-STORAGE",
        "LOCAL-STORAGE",
        "LINKAGE",
        "FD",
        "SD",
        "CBL",
        "PROCESS",
        "TITLE",
        "DECIMAL-POINT",
        "CURRENCY",
        "REPLACE",
        "DIVISION",
    ];
    let word = first.upper();
    let header = HEADERS.contains(&word.as_str())
        || sentence.iter().any(|t| matches!(t.upper().as_str(), "SECTION" | "DIVISION"));
    // The words after PROGRAM-ID and their kind stand in sentences of their own.
    if header || (flat.is_empty() && sentence.len() == 1) {
        return Ok(());
    }
    Err(first.error("expected a level number").hint("is a period missing or too much just before?"))
}

fn decimal_comma(tokens: &[Token]) -> bool {
    let mut at = tokens.iter().position(|t| t.upper() == "DECIMAL-POINT");
    if let Some(found) = at {
        at =
            Some(found + 1 + usize::from(tokens.get(found + 1).is_some_and(|t| t.upper() == "IS")));
    }
    at.and_then(|at| tokens.get(at)).is_some_and(|t| t.upper() == "COMMA")
}

/// The tree by order of level numbers: a higher number belongs to the entry before it with a lower one.
fn tree(flat: Vec<Item>) -> Result<Vec<Item>> {
    let top = flat.iter().map(|i| i.level).filter(|l| *l != 77).min().unwrap_or(77);
    let mut records: Vec<Item> = Vec::new();
    let mut open: Vec<Item> = Vec::new();
    for item in flat {
        let level = if item.level == 77 { top } else { item.level };
        close(&mut open, &mut records, level);
        if let Some(parent) = open.last()
            && parent.picture.is_some()
        {
            let message = format!("level {:02} below an item that has a PICTURE", item.level);
            return Err(error::syntax(message, item.line, item.column));
        }
        open.push(item);
    }
    close(&mut open, &mut records, 0);
    Ok(records)
}

/// Moves finished entries of at least this level to the entry that they belong to.
fn close(open: &mut Vec<Item>, records: &mut Vec<Item>, level: u8) {
    while open.last().is_some_and(|item| item.level >= level) {
        let Some(done) = open.pop() else { break };
        match open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => records.push(done),
        }
    }
}

/// USAGE and SIGN of a group hold for the items in it. Depth is bounded by the 49 levels.
fn inherit(item: &mut Item, usage: Option<Usage>, sign: Option<SignClause>) {
    if item.usage == Usage::Display
        && let Some(usage) = usage
    {
        item.usage = usage;
    }
    item.sign = item.sign.or(sign);
    let usage = Some(item.usage).filter(|u| *u != Usage::Display);
    for child in &mut item.children {
        inherit(child, usage, item.sign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_follows_the_order_of_level_numbers_not_their_steps() {
        let book = Copybook::parse(
            "01 A.\n 05 B.\n  20 C PIC X.\n  20 D PIC X.\n 07 E PIC X.\n 05 F PIC 9.",
        )
        .unwrap();
        let record = &book.records[0];
        // 07 after 20 is below 05 B: it is higher than 05.
        assert_eq!(record.children.len(), 2);
        assert_eq!(record.children[0].children.len(), 3);
    }

    #[test]
    fn mistakes_point_at_line_and_column() {
        let place = |text: &str| Copybook::parse(text).unwrap_err().line().unwrap();
        assert_eq!(place("01 A.\n  05 B PIC X\n  05 C PIC X."), (3, 3));
        assert_eq!(place("01 A.\n  05 B PIC X(3.\n"), (2, 12));
        assert_eq!(place("01 A.\n  05 B PIC X.\n    10 C PIC X."), (3, 5));
        assert_eq!(place("01 A PIC X.\nHELLO THERE."), (2, 1));
        assert_eq!(place("01 A PIC X OCCURS DEPENDING."), (1, 12));
    }

    #[test]
    fn usage_and_sign_of_a_group_hold_for_its_items() {
        let book = Copybook::parse(
            "01 A COMP-3 SIGN LEADING SEPARATE.\n 05 B PIC 9(3).\n 05 C PIC 9 COMP.",
        )
        .unwrap();
        let [b, c] = book.records[0].children.as_slice() else { panic!("two items") };
        assert_eq!((b.usage, c.usage), (Usage::Packed, Usage::Binary));
        assert_eq!(b.sign, Some(SignClause { leading: true, separate: true }));
    }
}
