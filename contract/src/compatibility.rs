//! Whether data and readers of one version get on with the next.

use serde::Serialize;

use crate::compare::{Difference, Relation, differences};
use crate::{Contract, Version};

/// Everything that changed between two versions, and whom it breaks.
///
/// ```
/// use fenhe_contract::{Bump, Compatibility, Contract, NoFiles};
/// let v1 = "name = \"fee\"\nversion = \"1.0\"\n[[field]]\nname = \"amount\"\ntype = \"n12,2\"\n";
/// let v2 = format!("{v1}required = true\n").replace("1.0", "1.1");
/// let [v1, v2] = [v1, v2.as_str()].map(|text| Contract::parse(text, "fee", &NoFiles).unwrap());
/// let found = Compatibility::between(&v1, &v2);
/// assert!(found.changes[0].breaks_suppliers, "rows without an amount were good");
/// assert_eq!((found.needed, found.given), (Bump::Major, Bump::Minor));
/// assert!(!found.is_backward());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compatibility {
    /// Name of the contract.
    pub contract: String,
    /// Version and hash before.
    pub from: Point,
    /// Version and hash after.
    pub to: Point,
    /// What changed.
    pub changes: Vec<Change>,
    /// The step of the version that the changes need.
    pub needed: Bump,
    /// The step that was made.
    pub given: Bump,
    /// What is wrong with the pair as a whole: other names, a version that does not go up.
    pub remarks: Vec<String>,
}

/// One of the two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Version.
    pub version: String,
    /// Hash of the contract.
    pub hash: String,
}

/// One change and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What differs.
    #[serde(flatten)]
    pub difference: Difference,
    /// Data that satisfied the old version may be rejected by the new one.
    pub breaks_suppliers: bool,
    /// Readers made for the old version may meet what they do not know.
    pub breaks_readers: bool,
    /// Why.
    pub why: &'static str,
}

/// A step of a version, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// None, or backwards.
    None,
    /// The third number.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
}

impl Compatibility {
    /// Compares two versions of a contract.
    #[must_use]
    pub fn between(before: &Contract, after: &Contract) -> Self {
        let changes: Vec<Change> = differences(before, after).into_iter().map(Change::of).collect();
        let needed = changes.iter().map(Change::bump).max().unwrap_or(Bump::None);
        let given = Bump::between(before.version(), after.version());
        let mut remarks = Vec::new();
        if before.name() != after.name() {
            remarks.push(format!(
                "these are two contracts, {} and {}, not two versions of one",
                before.name(),
                after.name()
            ));
        }
        if given == Bump::None && before.hash() != after.hash() {
            remarks.push("the content changed and the version did not go up".to_owned());
        } else if given < needed {
            remarks
                .push(format!("the changes need a {needed:?} step of the version").to_lowercase());
        }
        let point = |contract: &Contract| Point {
            version: contract.version().to_string(),
            hash: contract.hash().to_owned(),
        };
        Self {
            contract: after.name().to_owned(),
            from: point(before),
            to: point(after),
            changes,
            needed,
            given,
            remarks,
        }
    }

    /// Whether data that satisfied the old version satisfy the new one.
    #[must_use]
    pub fn is_backward(&self) -> bool {
        !self.changes.iter().any(|change| change.breaks_suppliers)
    }

    /// Whether readers made for the old version can read data of the new one.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        !self.changes.iter().any(|change| change.breaks_readers)
    }

    /// Whether nobody breaks and the version says what happened.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.remarks.is_empty()
    }
}

impl Change {
    fn of(difference: Difference) -> Self {
        use Relation as R;
        let required = difference.after.ends_with(", required");
        let (breaks_suppliers, breaks_readers, why) = match (
            difference.attribute,
            difference.relation,
        ) {
            ("update", R::Narrower) => (true, false, "data have to come more often than agreed"),
            ("update", R::Wider) => (false, true, "readers wait longer for data"),
            ("key", _) => (true, true, "rows are told apart in another way"),
            ("dataset", _) => (true, true, "data are delivered and found under another name"),
            ("totals", R::Narrower) => (false, false, "one more sum is kept; data are the same"),
            ("totals", _) => (false, true, "a sum that readers reconcile with is gone"),
            ("sharing", _) => (false, true, "who may have the data, and how, was agreed otherwise"),
            ("sensitivity" | "grade", R::Narrower) => {
                (false, false, "data are the same, and have to be kept more carefully")
            }
            ("sensitivity" | "grade", _) => {
                (false, false, "data are the same, and may be kept less carefully")
            }
            ("unit", R::Other) => {
                (true, true, "the same number is another amount, and nothing can notice it")
            }
            ("unit", R::Narrower) => {
                (false, false, "what was left open is said; ask whether everybody meant it")
            }
            ("unit", _) => (false, true, "readers are not told any more what the numbers mean"),
            (_, R::Words) => (false, false, "words for people"),
            (_, R::Added) if required => (true, false, "data without the new field are rejected"),
            (_, R::Added) => (false, false, "data without the new field stay good"),
            (_, R::Removed) => {
                (false, true, "readers find the field no more; data that have it stay good")
            }
            (_, R::Same) => (false, false, "the rest of the contract asks for as much"),
            (_, _) if !difference.enforced => {
                (false, false, "what breaks it is counted, not rejected")
            }
            (_, R::Disjoint) => (true, false, "no value satisfies both versions"),
            (_, R::Narrower) => (true, false, "data that were good may be rejected"),
            (_, R::Wider) => (false, true, "readers may meet values that could not come before"),
            (_, R::Other) => (
                true,
                true,
                "neither holds all of the other: good data may be rejected, new values may come",
            ),
        };
        Self { difference, breaks_suppliers, breaks_readers, why }
    }

    /// Whether anybody breaks.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.breaks_suppliers || self.breaks_readers
    }

    fn bump(&self) -> Bump {
        match self.difference.relation {
            _ if self.is_breaking() => Bump::Major,
            Relation::Words => Bump::Patch,
            _ => Bump::Minor,
        }
    }
}

impl Bump {
    fn between(before: Version, after: Version) -> Self {
        match () {
            () if after <= before => Self::None,
            () if after.major > before.major => Self::Major,
            () if after.minor > before.minor => Self::Minor,
            () => Self::Patch,
        }
    }
}
