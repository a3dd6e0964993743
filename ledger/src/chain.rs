//! Receipts one after the other: nothing dropped, swapped, doubled or cut between the first and the last.

use fenhe_core::Error;

use crate::seal::{Checked, check};

/// What is known about a chain from elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// The list is the whole chain and begins with its first receipt. Otherwise it may begin in the middle, and what
    /// came before is not proved.
    pub whole: bool,
    /// Hash of the last receipt as it was noted elsewhere. Without it nobody can tell that receipts at the end are
    /// missing.
    pub anchor: Option<&'a str>,
    /// Public key that must have signed.
    pub signer: Option<&'a str>,
}

/// What is wrong with one receipt of a chain.
#[derive(Debug)]
pub struct Finding {
    /// Place in the list that was given, from 0.
    pub index: usize,
    /// What is wrong.
    pub trouble: Trouble,
}

/// What can be wrong with a receipt among others.
#[derive(Debug)]
pub enum Trouble {
    /// It is not sound in itself.
    Broken(Error),
    /// Its number does not follow that of the one before.
    Sequence {
        /// Number that should stand there.
        expected: u64,
        /// Number that does.
        found: u64,
    },
    /// It is not linked to the one before, or a first one is linked to something.
    Link,
    /// The hash function changed and the receipt does not say so.
    Algorithm,
    /// It is not signed by the key that was asked for.
    Signer,
    /// The chain does not end with the hash that was noted elsewhere: its end was cut off or replaced.
    Anchor,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "{error}"),
            Self::Sequence { expected, found } => {
                write!(f, "number {found} stands where number {expected} belongs")
            }
            Self::Link => f.write_str("it is not linked to the receipt before"),
            Self::Algorithm => f.write_str("the hash function changed without a word"),
            Self::Signer => f.write_str("it is not signed by the expected key"),
            Self::Anchor => f.write_str("the chain does not end where it is known to end"),
        }
    }
}

/// Checks receipts in the order of their chain.
///
/// ```
/// use fenhe_ledger::{Algorithm, Chain, Expected, seal, verify};
/// let receipt = seal(serde_json::json!({"read": 3}), Chain::first(Algorithm::Sha256), None)?;
/// assert!(verify([receipt.as_slice()], &Expected::default()).is_empty());
/// let altered = String::from_utf8_lossy(&receipt).replace("\"read\":3", "\"read\":4");
/// assert_eq!(verify([altered.as_bytes()], &Expected::default()).len(), 1);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
pub fn verify<'a>(
    receipts: impl IntoIterator<Item = &'a [u8]>,
    expected: &Expected<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before: Option<Checked> = None;
    let mut count = 0;
    for (index, text) in receipts.into_iter().enumerate() {
        count = index + 1;
        match check(text) {
            Err(error) => findings.push(Finding { index, trouble: Trouble::Broken(error) }),
            Ok(checked) => {
                let troubles = linked(before.as_ref(), index, &checked, expected);
                findings.extend(troubles.into_iter().map(|trouble| Finding { index, trouble }));
                before = Some(checked);
            }
        }
    }
    let ends = before.map(|last| last.hash);
    if expected.anchor.is_some_and(|anchor| ends.as_deref() != Some(anchor)) {
        findings.push(Finding { index: count.saturating_sub(1), trouble: Trouble::Anchor });
    }
    findings
}

fn linked(
    before: Option<&Checked>,
    index: usize,
    checked: &Checked,
    known: &Expected<'_>,
) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let chain = &checked.chain;
    match before {
        Some(before) => {
            let expected = before.chain.sequence.saturating_add(1);
            if chain.sequence != expected {
                troubles.push(Trouble::Sequence { expected, found: chain.sequence });
            }
            if chain.previous != before.hash {
                troubles.push(Trouble::Link);
            }
            let switched =
                (before.chain.algorithm != chain.algorithm).then_some(before.chain.algorithm);
            if chain.switched_from != switched {
                troubles.push(Trouble::Algorithm);
            }
        }
        None => {
            let first = chain.sequence == 1;
            if known.whole && index == 0 && !first {
                troubles.push(Trouble::Sequence { expected: 1, found: chain.sequence });
            }
            if first != chain.previous.bytes().all(|b| b == b'0') || chain.sequence == 0 {
                troubles.push(Trouble::Link);
            }
        }
    }
    if known.signer.is_some() && chain.signer.as_deref() != known.signer {
        troubles.push(Trouble::Signer);
    }
    troubles
}
