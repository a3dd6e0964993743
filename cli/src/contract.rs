use std::fmt::Write;
use std::path::Path;

use fenhe::core::{Error, Kind, Result};
use fenhe_contract::{Change, Compatibility, Contract, Document, Overlay, Relation, Verdict};

use crate::out::printable;
use crate::table::Table;

/// Whether a file is a contract or an overlay, told by its keys.
pub(crate) fn is_one(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let by_name = |end: &str| name.as_deref().is_some_and(|name| name.ends_with(end));
    if by_name(".contract.toml") || by_name(".overlay.toml") || by_name(".json") {
        return true;
    }
    std::fs::read_to_string(path).is_ok_and(|text| Document::is_one(&text))
}

/// What one file asks for.
///
/// # Errors
/// Those of reading it; [`Kind::Config`] for an overlay that contradicts its base.
pub(crate) fn explain(path: &Path) -> Result<String> {
    let document = Document::load(path)?;
    let mut text = String::new();
    match &document {
        Document::Contract(contract) => text.push_str(&of_contract(contract)),
        Document::Overlay(overlay) => {
            text.push_str(&of_overlay(overlay));
            text.push_str(&of_contract(overlay.contract().map_err(|error| {
                crate::out::message(&printable(&divergence(overlay)));
                error.source_name(path.display().to_string())
            })?));
        }
    }
    Ok(text)
}

/// What changed between two versions of a contract, as text or data, and whether nobody is taken by surprise.
///
/// # Errors
/// Those of reading the files.
pub(crate) fn compare(before: &Path, after: &Path) -> Result<Compatibility> {
    Ok(Compatibility::between(&load(before)?, &load(after)?))
}

fn load(path: &Path) -> Result<Contract> {
    match Document::load(path)? {
        Document::Contract(contract) => Ok(*contract),
        Document::Overlay(overlay) => overlay.contract().cloned(),
    }
}

fn of_contract(contract: &Contract) -> String {
    let mut text = format!("{} {} {}\n", contract.name(), contract.version(), contract.title());
    let mut facts = vec![format!("dataset {}", contract.dataset())];
    if !contract.key().is_empty() {
        facts.push(format!("key {}", contract.key().join(", ")));
    }
    facts.extend(contract.update().map(|cycle| format!("update {}", cycle.as_str())));
    if !contract.totals().is_empty() {
        facts.push(format!("totals {}", contract.totals().join(", ")));
    }
    let _ = writeln!(text, "  {}", printable(&facts.join("; ")));
    let _ = writeln!(text, "  sha256 {}", contract.hash());
    let mut table = Table::default();
    for field in contract.fields() {
        let must = if field.required { "required" } else { "" };
        let checks: Vec<String> = field
            .rules
            .iter()
            .filter(|rule| rule.name() != "not_null")
            .map(|rule| match rule.severity() {
                fenhe_rules::Severity::Reject => format!("{}, rejects", rule.name()),
                fenhe_rules::Severity::Warn => rule.name().to_owned(),
            })
            .collect();
        let sensitivity = field.written.sensitivity.map_or("", |level| level.as_str());
        table.row([
            field.name.clone(),
            field.title.clone(),
            field.kind.to_string(),
            must.into(),
            sensitivity.into(),
            checks.join("; "),
        ]);
    }
    text.push_str(&table.text(2));
    let own: usize = contract.fields().iter().map(|field| field.rules.len()).sum();
    for rule in contract.rules().iter().skip(own) {
        let _ = writeln!(text, "  rule {} on {}", rule.name(), printable(rule.field()));
    }
    for line in contract.catalogue().review(contract.title()) {
        let _ = writeln!(text, "  catalogue: {}", printable(&line));
    }
    text
}

fn of_overlay(overlay: &Overlay) -> String {
    format!(
        "{} {} over {} {}, prefix {}\n{}",
        overlay.name(),
        overlay.version(),
        overlay.base().name(),
        overlay.base().version(),
        overlay.prefix(),
        divergence(overlay)
    )
}

/// Every place in which an overlay leaves its base.
fn divergence(overlay: &Overlay) -> String {
    let mut table = Table::new(&["field", "attribute", "base", "overlay", "verdict", ""]);
    for found in overlay.divergence() {
        let verdict = match found.verdict {
            Verdict::Narrows => "narrows",
            Verdict::Adds => "adds",
            Verdict::Words => "words",
            Verdict::NoEffect => "no effect",
            Verdict::Contradicts => "CONTRADICTS",
        };
        let difference = &found.difference;
        table.row([
            difference.field.clone(),
            difference.attribute.into(),
            difference.before.clone(),
            difference.after.clone(),
            verdict.into(),
            found.why.into(),
        ]);
    }
    table.text(2)
}

/// The comparison of two versions in words.
pub(crate) fn of_comparison(found: &Compatibility) -> String {
    let mut text = format!("{} {} -> {}\n", found.contract, found.from.version, found.to.version);
    if found.changes.is_empty() {
        text.push_str("  no difference\n");
    }
    let mut table = Table::default();
    for change in &found.changes {
        let Change { difference, why, .. } = change;
        let what = match difference.relation {
            Relation::Added => format!("+ {}", difference.after),
            Relation::Removed => format!("- {}", difference.before),
            _ => format!("{} -> {}", dash(&difference.before), dash(&difference.after)),
        };
        let whom = match (change.breaks_suppliers, change.breaks_readers) {
            (false, false) => "compatible",
            (true, false) => "BREAKS SUPPLIERS",
            (false, true) => "BREAKS READERS",
            (true, true) => "BREAKS BOTH",
        };
        table.row([
            whom.into(),
            difference.field.clone(),
            difference.attribute.into(),
            what,
            (*why).into(),
        ]);
    }
    text.push_str(&table.text(2));
    let verdict = match (found.is_backward(), found.is_forward()) {
        (true, true) => "compatible: data and readers of the old version go on",
        (true, false) => {
            "backward compatible: old data stay good; readers of the old version have to change"
        }
        (false, true) => {
            "forward compatible: readers of the old version go on; data have to change"
        }
        (false, false) => "not compatible: data and readers have to change",
    };
    let _ = writeln!(text, "  {verdict}");
    for remark in &found.remarks {
        let _ = writeln!(text, "  {remark}");
    }
    text
}

fn dash(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// The error for a comparison that a version does not tell.
pub(crate) fn unsound(found: &Compatibility) -> Error {
    Error::new(Kind::Config, "contract.version", found.remarks.join("; "))
        .hint("raise the version, or take back what breaks")
}
