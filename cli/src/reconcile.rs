use std::path::PathBuf;

use fenhe::core::{Error, Kind, Limits, Options, Result};
use fenhe::ledger::{Ledger, check};
use fenhe::{
    Difference, FlowReceipt, Opening, Place, Receipt, Reconciled, Registry, reconcile as compare,
};

use crate::table::Table;
use crate::{cores, out, report};

/// Compare what a target returns with a receipt, and name the rows that differ
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The receipt
    #[arg(value_name = "RECEIPT.json")]
    receipt: PathBuf,
    /// Where the rows are now: a table, a file
    #[arg(value_name = "PLACE")]
    place: String,
    /// The flow, where the receipt has several
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// The ledger, which knows every row [default: .fenhe/ledger.db beside the receipt]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Format of the place, when its name does not tell
    #[arg(long = "as", value_name = "FORMAT")]
    format: Option<String>,
    /// Options for reading the place
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn reconcile(args: Args) -> Result<u8> {
    let receipt = sound(&args.receipt)?;
    let flow = flow_of(&receipt, args.flow.as_deref())?;
    let path =
        args.ledger.clone().unwrap_or_else(|| args.receipt.with_file_name(".fenhe/ledger.db"));
    let ledger = match (path.exists(), &args.ledger) {
        (false, None) => None,
        _ => Some(Ledger::open_existing(&path)?),
    };
    let opening = Opening {
        format: args.format.clone(),
        options: Options::from_pairs(args.options.iter().map(String::as_str))?,
        threads: cores(),
        limits: Limits::default(),
        ..Opening::default()
    };
    let source = Registry::with_defaults().source(&Place::parse(&args.place), &opening).await?;
    let found = compare(flow, &source.input, ledger.as_ref(), &opening.limits).await?;
    match args.json {
        true => out::json(&found)?,
        false => out::data(&shown(&found, &args.place))?,
    }
    Ok(if found.agrees() { 0 } else { 4 })
}

/// A receipt that proves itself: figures that were altered are compared with nothing.
fn sound(path: &std::path::Path) -> Result<Receipt> {
    let shown = path.display().to_string();
    let text = std::fs::read(path).map_err(|e| Error::from(e).source_name(shown.clone()))?;
    let checked = check(&text).map_err(|error| error.source_name(shown.clone()))?;
    serde_json::from_value(checked.receipt).map_err(|cause| {
        Error::new(Kind::Invalid, "receipt.shape", "this is no receipt of a run")
            .source_name(shown)
            .caused_by(cause)
    })
}

fn flow_of<'a>(receipt: &'a Receipt, name: Option<&str>) -> Result<&'a FlowReceipt> {
    let names = || receipt.flows.iter().map(|f| f.flow.as_str()).collect::<Vec<_>>().join(", ");
    let found = match (name, receipt.flows.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(name), flows) => flows.iter().find(|flow| flow.flow == name),
    };
    found.ok_or_else(|| {
        Error::new(Kind::Config, "reconcile.flow", "which flow is meant?")
            .hint(format!("--flow with one of: {}", names()))
    })
}

fn shown(found: &Reconciled, place: &str) -> String {
    let verdict = match (found.agrees(), found.by_row) {
        (true, true) => "every delivered row is there as it was delivered".into(),
        (true, false) => "the rows are the ones that were delivered".into(),
        (false, true) if found.different == 0 => {
            format!(
                "THE ROWS ARE THERE, BUT THE FIGURES DIFFER: {}",
                found.contradictions.join(", ")
            )
        }
        (false, true) => format!("{} ROWS DIFFER", report::number(found.different)),
        (false, false) => "THE ROWS ARE NOT THE ONES THAT WERE DELIVERED".into(),
    };
    let mut text = format!("{}: {}\n  {verdict}\n", found.flow, out::printable(place));
    let mut table = Table::new(&["", "receipt", "target"]).right(1).right(2);
    table.row(["rows".into(), report::number(found.delivered), report::number(found.found)]);
    for (ours, theirs) in found.sent.iter().zip(&found.columns) {
        if let (Some(a), Some(b)) = (&ours.sum, &theirs.sum) {
            table.row([format!("sum of {}", ours.name), a.clone(), b.clone()]);
        }
        if ours.nulls != theirs.nulls {
            let name = format!("without {}", ours.name);
            table.row([name, report::number(ours.nulls), report::number(theirs.nulls)]);
        }
    }
    text.push_str(&table.text(2));
    if found.others > 0 {
        let others = report::number(found.others);
        text.push_str(&format!("  {others} rows of the target are not of this delivery\n"));
    }
    if found.superseded > 0 {
        let superseded = report::number(found.superseded);
        text.push_str(&format!(
            "  {superseded} rows gave way to later ones of the same key: the sums of the receipt have both\n"
        ));
    }
    let mut rows = Table::default();
    for difference in &found.differences {
        let what = match difference {
            Difference::Changed(_) => "changed",
            Difference::Missing(_) => "missing",
            Difference::Repeated(_) => "there more than once",
            Difference::Unknown(_) => "not delivered, but there",
        };
        let row = difference.row();
        let record = row.record.map_or_else(String::new, |n| format!("record {n}"));
        let why = row.unreadable.as_ref();
        let why =
            why.map_or_else(String::new, |why| format!("cannot be read: {}", out::printable(why)));
        rows.row([what.into(), row.key.clone(), record, why]);
    }
    text.push_str(&rows.text(4));
    let rest = found.different.saturating_sub(found.differences.len() as u64);
    if rest > 0 {
        text.push_str(&format!("    and {} more\n", report::number(rest)));
    }
    text
}
