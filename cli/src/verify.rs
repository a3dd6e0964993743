use std::path::PathBuf;

use fenhe::core::{Error, Result};
use fenhe::ledger::{Expected, Finding, Ledger, check, verify as verify_chain};

use crate::out;

/// Check receipts, alone or as a chain, from the files alone, and ledgers against their receipts
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Receipts in the order of their chain, or a ledger (.db)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The receipts are a whole chain: the first of them is number 1 (always so for a ledger)
    #[arg(long)]
    whole: bool,
    /// Hash of the last receipt as it was noted elsewhere; without it nobody sees that the end is missing
    #[arg(long, value_name = "HASH")]
    anchor: Option<String>,
    /// Public key that must have signed, as ed25519:HEX or sm2:HEX
    #[arg(long, value_name = "KEY")]
    signer: Option<String>,
}

pub(crate) fn verify(args: &Args) -> Result<u8> {
    let mut receipts: Vec<(String, Vec<u8>)> = Vec::new();
    let (mut bad, mut odd, mut whole) = (false, false, args.whole);
    for file in &args.files {
        let shown = file.display().to_string();
        let named = |error: std::io::Error| Error::from(error).source_name(shown.clone());
        let mut head = [0; 15];
        let size = {
            use std::io::Read;
            std::fs::File::open(file).and_then(|mut f| f.read(&mut head)).map_err(named)?
        };
        if head.get(..size) == Some(b"SQLite format 3") {
            whole = true;
            let ledger = Ledger::open_existing(file)?;
            bad |= from_ledger(&ledger, &mut receipts)?;
            // Tables that SQLite itself finds damaged say nothing.
            odd |= !bad && books_differ(&ledger)?;
        } else {
            receipts.push((shown.clone(), std::fs::read(file).map_err(named)?));
        }
    }
    let expected =
        Expected { whole, anchor: args.anchor.as_deref(), signer: args.signer.as_deref() };
    let findings = verify_chain(receipts.iter().map(|(_, text)| text.as_slice()), &expected);
    for (index, (name, text)) in receipts.iter().enumerate() {
        out::data(&line(name, text, findings.iter().filter(|f| f.index == index)))?;
    }
    if receipts.is_empty() && args.anchor.is_some() {
        out::data("NOT SOUND: there is no receipt, but one was expected\n")?;
    }
    let last = receipts.last().and_then(|(_, text)| check(text).ok());
    if let (Some(last), true) = (last, findings.is_empty() && !bad && !odd) {
        out::data(&format!(
            "{} receipts, sound; note the last hash elsewhere: {}\n",
            receipts.len(),
            last.hash
        ))?;
    }
    Ok(match () {
        () if bad || !findings.is_empty() => 1,
        () if odd => 4,
        () => 0,
    })
}

/// Whether the tables of a ledger say otherwise than its receipts.
fn books_differ(ledger: &Ledger) -> Result<bool> {
    let shown = ledger.path().display();
    let audit = ledger.audit()?;
    for open in &audit.open {
        out::data(&format!("{shown}: {}\n", out::printable(open)))?;
    }
    for finding in &audit.findings {
        out::data(&format!("{shown}: THE BOOKS DIFFER: {}\n", out::printable(finding)))?;
    }
    Ok(!audit.findings.is_empty())
}

/// The chain of a ledger; whether the file itself is at odds with it.
fn from_ledger(ledger: &Ledger, receipts: &mut Vec<(String, Vec<u8>)>) -> Result<bool> {
    let shown = ledger.path().display();
    let damage = ledger.damage()?;
    for found in &damage {
        out::data(&format!("{shown}: NOT SOUND: {}\n", out::printable(found)))?;
    }
    let odds = ledger.receipts_at_odds()?;
    for sequence in &odds {
        out::data(&format!(
            "{shown} number {sequence}: NOT SOUND: its columns differ from its document\n"
        ))?;
    }
    for receipt in ledger.receipts()? {
        receipts
            .push((format!("{shown} number {}", receipt.sequence), receipt.document.into_bytes()));
    }
    Ok(!damage.is_empty() || !odds.is_empty())
}

fn line<'a>(name: &str, text: &[u8], findings: impl Iterator<Item = &'a Finding>) -> String {
    let troubles: Vec<String> = findings.map(|finding| finding.trouble.to_string()).collect();
    if !troubles.is_empty() {
        return format!("{name}: NOT SOUND: {}\n", out::printable(&troubles.join("; ")));
    }
    let Ok(checked) = check(text) else { return String::new() };
    let of = |field: &str| {
        let value = checked.receipt.get(field).and_then(|value| value.as_str());
        out::printable(value.unwrap_or_default())
    };
    let signed = match &checked.chain.signer {
        Some(key) => format!(", signed by {}", out::printable(key)),
        None => String::new(),
    };
    format!(
        "{name}: sound: {} of {}, {}, number {} by {}{signed}\n",
        of("exchange"),
        of("ended"),
        of("status"),
        checked.chain.sequence,
        checked.chain.algorithm
    )
}
