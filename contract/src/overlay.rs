//! Local overlays: a base contract made narrower, or added to in a reserved namespace. Never against it.

mod merge;

use std::collections::HashSet;

use fenhe_core::{Located, nearest};
use fenhe_rules::Severity;
use serde::{Deserialize, Serialize};

use crate::catalogue::UpdateCycle;
use crate::check;
use crate::compare::{Difference, Relation, differences};
use crate::draft::{FieldDraft, RuleText, TableText, is_default};
use crate::text::{Step, Tables, Wrong, key};
use crate::{Contract, Version};
use merge::{back_to_overlay, merge};

/// Names of added fields and tables begin with this unless the overlay says otherwise.
const PREFIX: &str = "x_";

/// An overlay as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayDraft {
    /// Name of the overlay.
    pub name: String,
    /// Version of the overlay.
    pub version: String,
    /// The base contract, a file relative to the overlay.
    pub base: String,
    /// Version of the base that it was made for; another major version, or an older one, is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_version: Option<String>,
    /// Hash of the base that it was made for; any other base is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_hash: Option<String>,
    /// The reserved namespace: names of added fields and tables begin with it. `x_` unless written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Title for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// A more frequent update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateCycle>,
    /// Further control totals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<String>,
    /// Severity of the checks and rules that the overlay adds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub severity: Severity,
    /// Fields of the base by name with what becomes narrower, and added fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<FieldDraft>,
    /// Further rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule: Vec<RuleText>,
    /// Further code tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<TableText>,
}

/// An overlay laid over its base, with every divergence judged.
///
/// ```
/// use fenhe_contract::{Contract, NoFiles, Overlay, Verdict};
/// let base = "name = \"p\"\nversion = \"1\"\n[[field]]\nname = \"name\"\ntype = \"c..50\"\n";
/// let base = Contract::parse(base, "p", &NoFiles)?;
/// let local = r#"
/// name = "p-city"
/// version = "1"
/// base = "p.contract.toml"
/// [[field]]
/// name = "name"
/// type = "c..80"
/// [[field]]
/// name = "x_grid"
/// type = "n6"
/// "#;
/// let overlay = Overlay::parse(local, "p-city", base, &NoFiles)?;
/// let verdicts: Vec<_> = overlay.divergence().iter().map(|d| (d.difference.field.as_str(), d.verdict)).collect();
/// assert_eq!(verdicts, [("name", Verdict::Contradicts), ("x_grid", Verdict::Adds)]);
/// assert!(overlay.contract().is_err());
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Overlay {
    name: String,
    version: Version,
    prefix: String,
    base: Contract,
    merged: Contract,
    divergence: Vec<Divergence>,
    /// Names of the fields that it speaks of, in its order.
    fields: Vec<String>,
    /// Its text, where it was read from one.
    text: Option<(Located, String)>,
}

/// One place in which an overlay leaves its base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// What differs: `before` is the base, `after` the overlay.
    #[serde(flatten)]
    pub difference: Difference,
    /// Whether it may.
    pub verdict: Verdict,
    /// Why.
    pub why: &'static str,
}

/// Whether a divergence is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It asks for more or allows less: what satisfies the overlay satisfies the base.
    Narrows,
    /// It is new, in the reserved namespace.
    Adds,
    /// It concerns people alone.
    Words,
    /// It asks for nothing that the base does not ask for already.
    NoEffect,
    /// It is against the base.
    Contradicts,
}

impl Overlay {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The reserved namespace.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The base.
    #[must_use]
    pub fn base(&self) -> &Contract {
        &self.base
    }

    /// Every divergence from the base, field by field.
    #[must_use]
    pub fn divergence(&self) -> &[Divergence] {
        &self.divergence
    }

    /// The divergences that are not allowed.
    pub fn contradictions(&self) -> impl Iterator<Item = &Divergence> {
        self.divergence.iter().filter(|d| d.verdict == Verdict::Contradicts)
    }

    /// The contract that holds here: the base with the overlay on it.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) with code `contract.contradiction` when a divergence is not allowed.
    pub fn contract(&self) -> fenhe_core::Result<&Contract> {
        let mut against = self.contradictions();
        let Some(first) = against.next() else {
            return Ok(&self.merged);
        };
        let Difference { field, attribute, .. } = &first.difference;
        let place = if field.is_empty() { *attribute } else { field.as_str() };
        let more = match against.count() {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        let message = format!(
            "overlay {} contradicts {}: {place}: {}{more}",
            self.name,
            self.base.name(),
            first.why
        );
        let mut wrong =
            Wrong::new(self.place(&first.difference), "contract.contradiction", message)
                .hint("fenhe check shows the whole divergence");
        let known = self.base.fields().iter().map(|field| field.name.as_str());
        if first.difference.relation == Relation::Added
            && let Some(near) = nearest(field, known)
        {
            wrong = wrong.hint(format!("did you mean {near}, a field of {}?", self.base.name()));
        }
        Err(match &self.text {
            Some((located, text)) => wrong.point(located, text),
            None => wrong.error,
        })
    }

    /// Where the overlay says what differs.
    fn place(&self, difference: &Difference) -> Vec<Step> {
        let attribute = match difference.attribute {
            "rule" if difference.field.is_empty() => "rule",
            "rule" => "rules",
            "field" => "name",
            other => other,
        };
        match self.fields.iter().position(|name| *name == difference.field) {
            Some(index) => vec![key("field"), Step::At(index), key(attribute)],
            None => vec![key(attribute)],
        }
    }

    /// The same, read from a text that contradictions are shown in.
    pub(crate) fn read_from(mut self, located: Located, text: &str) -> Self {
        self.text = Some((located, text.to_owned()));
        self
    }

    /// Lays an overlay over its base.
    pub(crate) fn apply(
        text: OverlayDraft,
        base: Contract,
        tables: &dyn Tables,
    ) -> Result<Self, Wrong> {
        let version: Version =
            text.version.parse().map_err(|error| Wrong { path: vec![key("version")], error })?;
        check::name(&text.name, vec![key("name")], "contract.name")?;
        fits(&text, &base)?;
        once(&text)?;
        let prefix = text.prefix.clone().unwrap_or_else(|| PREFIX.to_owned());
        if prefix.is_empty() {
            let message = "without a prefix, names added here and later in the base could meet";
            return Err(Wrong::new(vec![key("prefix")], "contract.prefix", message));
        }
        let (draft, origins) = merge(&text, &base, version);
        let merged =
            check::contract(draft, tables).map_err(|wrong| back_to_overlay(wrong, &origins))?;
        let divergence = differences(&base, &merged)
            .into_iter()
            .map(|difference| Divergence::judge(difference, &prefix))
            .collect();
        let fields = text.field.into_iter().map(|field| field.name).collect();
        let name = text.name;
        Ok(Self { name, version, prefix, base, merged, divergence, fields, text: None })
    }
}

impl Divergence {
    fn judge(difference: Difference, prefix: &str) -> Self {
        use Relation as R;
        let (verdict, why) = match (difference.attribute, difference.relation) {
            ("sharing", _) => (
                Verdict::Contradicts,
                "who shares with whom is for the base to say; conditions may not be added locally",
            ),
            ("key" | "dataset", _) => {
                (Verdict::Contradicts, "key and dataset are those of the base")
            }
            ("unit", R::Other) => (
                Verdict::Contradicts,
                "the same number is another amount, and nothing can notice it",
            ),
            (_, R::Words) => (Verdict::Words, "words for people"),
            (_, R::Narrower) => (Verdict::Narrows, "what satisfies the overlay satisfies the base"),
            (_, R::Same) => (Verdict::NoEffect, "the base asks for as much already"),
            (_, R::Disjoint) => {
                (Verdict::Contradicts, "no value satisfies both the base and the overlay")
            }
            (_, R::Wider) => (Verdict::Contradicts, "it allows what the base does not"),
            (_, R::Other) => (
                Verdict::Contradicts,
                "it cannot be shown that what satisfies the overlay satisfies the base",
            ),
            (_, R::Removed) => (Verdict::Contradicts, "a field of the base cannot be left out"),
            (_, R::Added) if difference.field.starts_with(prefix) => {
                (Verdict::Adds, "a new field in the reserved namespace")
            }
            (_, R::Added) => (
                Verdict::Contradicts,
                "names of added fields begin with the prefix, or the next version of the base may meet them",
            ),
        };
        Self { difference, verdict, why }
    }
}

/// A field is said once: of two, nobody could tell which one counts.
fn once(text: &OverlayDraft) -> Result<(), Wrong> {
    let mut seen = HashSet::new();
    match text.field.iter().position(|field| !seen.insert(field.name.as_str())) {
        Some(index) => {
            let path = vec![key("field"), Step::At(index), key("name")];
            let name = text.field.get(index).map_or("", |field| field.name.as_str());
            let message = format!("{name} is there twice");
            Err(Wrong::new(path, "contract.name", message).hint("put both into one [[field]]"))
        }
        None => Ok(()),
    }
}

/// The base is the one that the overlay was made for.
fn fits(text: &OverlayDraft, base: &Contract) -> Result<(), Wrong> {
    if let Some(wanted) = &text.base_version {
        let path = vec![key("base_version")];
        let wanted: Version =
            wanted.parse().map_err(|error| Wrong { path: path.clone(), error })?;
        let is = base.version();
        if is.major != wanted.major || is < wanted {
            let message = format!("made for {wanted} of {}, the base is {is}", base.name());
            return Err(Wrong::new(path, "contract.base", message)
                .hint("compare the two versions, then raise base_version"));
        }
    }
    if let Some(wanted) = &text.base_hash
        && wanted != base.hash()
    {
        let message = format!("the base {} has another hash", base.name());
        return Err(Wrong::new(vec![key("base_hash")], "contract.base", message)
            .hint(format!("it is {}", base.hash())));
    }
    Ok(())
}
