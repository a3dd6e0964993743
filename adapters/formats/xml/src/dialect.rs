//! How a document is spelled around its values, kept with the schema so that it can be written back.

use arrow_schema::Schema;
use fenhe_core::schema::{FORMAT, SPELLING};

use crate::path::Path;

/// Longest piece of a document that is kept.
const MOST: usize = 16 << 10;

/// The spelling of a document.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Dialect {
    pub(crate) record: Option<Path>,
    pub(crate) encoding: String,
    pub(crate) bom: bool,
    /// Everything before the first record; empty when it is too long to keep.
    pub(crate) before: String,
    /// White space between records, and before the elements in one.
    pub(crate) between: String,
    pub(crate) inside: String,
    /// Everything after the last record, if that was seen.
    pub(crate) after: Option<String>,
    /// The record's name with its prefix.
    pub(crate) name: String,
    /// Prefixes in force where records stand.
    pub(crate) prefixes: Vec<(String, String)>,
    /// How empty texts are spelled: `<a/>`.
    pub(crate) short: bool,
    /// Names of the elements open around the records, for the end.
    pub(crate) open: Vec<String>,
}

impl Dialect {
    /// The dialect that a schema carries, if the schema came from here.
    pub(crate) fn of(schema: &Schema) -> Option<Self> {
        let metadata = schema.metadata();
        if metadata.get(FORMAT).map(String::as_str) != Some("xml") {
            return None;
        }
        serde_json::from_str(metadata.get(SPELLING)?).ok()
    }

    /// Takes in what stands before the first record.
    pub(crate) fn set_before(&mut self, before: &str) {
        if before.len() <= MOST {
            before.clone_into(&mut self.before);
        }
    }

    /// Takes in the first record: its name, the white space inside, and how empty elements look.
    pub(crate) fn set_record(&mut self, record: &str) {
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
        let name = record.strip_prefix('<').and_then(|r| r.split(ends).next());
        name.unwrap_or_default().clone_into(&mut self.name);
        let inner = record.split_once('>').map_or("", |(_, inner)| inner);
        let space = inner.len() - inner.trim_start_matches([' ', '\t', '\n', '\r']).len();
        if inner.get(space..).is_some_and(|rest| rest.starts_with('<') && !rest.starts_with("</")) {
            inner.get(..space).unwrap_or_default().clone_into(&mut self.inside);
        }
        self.short |= record.contains("/>");
    }

    /// Takes in what stands between two records, or after the last one.
    pub(crate) fn set_between(&mut self, between: &str) {
        if between.len() <= MOST && between.bytes().all(crate::chars::is_space) {
            between.clone_into(&mut self.between);
        }
    }

    /// Takes in what stands after the last record.
    pub(crate) fn set_after(&mut self, after: &str) {
        if after.len() <= MOST {
            self.after = Some(after.to_owned());
        }
    }
}
