//! A record that waits for correction: whose names its values have, and what is left of it.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use fenhe_core::{Raw, Reject};
use fenhe_ledger::OpenReject;
use serde_json::value::RawValue;

use crate::pump::Outline;

/// Whose names the values of a row have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Columns of the source: the row goes through the mapping.
    Source,
    /// Fields of the target.
    Target,
    /// None: the bytes of the record are decoded again, and the row goes through the mapping.
    Raw,
}

impl Shape {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::Raw => "raw",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Source, Self::Target, Self::Raw].into_iter().find(|shape| shape.name() == name)
    }

    /// The columns that hold the values of such a row. In place of bytes that cannot be read, the fields of the target are
    /// filled in.
    pub(super) fn columns(self, outline: &Outline) -> &Schema {
        match self {
            Self::Source => &outline.source,
            Self::Target | Self::Raw => &outline.target,
        }
    }
}

/// Values of a row as they are spelled: a number keeps its digits.
pub(super) type Values = BTreeMap<String, Box<RawValue>>;

/// The text of a value; an empty one is no value.
pub(super) fn text_of(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        other => Some(other.to_owned()),
    }
}

/// A record that waits, as the ledger knows it.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    /// What it was rejected as at first.
    pub(super) first: &'a Reject,
    /// What it was rejected as last.
    pub(super) last: &'a Reject,
    /// Whose names `values` have.
    pub(super) shape: Shape,
    /// Its values: those of the last attempt, unless nothing is left of them.
    pub(super) values: Values,
    /// The reject whose bytes are to be corrected, where the record never became a row.
    pub(super) bytes: Option<&'a Reject>,
    shapes: [Shape; 2],
}

impl<'a> Waiting<'a> {
    pub(super) fn of(open: &'a OpenReject, outline: &Outline) -> Self {
        Self::between(open.first.as_ref().unwrap_or(&open.reject), &open.reject, outline)
    }

    /// A record that was rejected once.
    #[cfg(feature = "excel")]
    pub(super) fn once(reject: &'a Reject, outline: &Outline) -> Self {
        Self::between(reject, reject, outline)
    }

    fn between(first: &'a Reject, last: &'a Reject, outline: &Outline) -> Self {
        let [(first_shape, first_values), (last_shape, last_values)] =
            [first, last].map(|reject| state(reject, outline));
        let shapes = [first_shape, last_shape];
        let lasts = match last_shape {
            Shape::Raw => !last.raw.is_empty(),
            _ => !last_values.is_empty(),
        };
        let (shown, shape, values) = match lasts {
            true => (last, last_shape, last_values),
            false => (first, first_shape, first_values),
        };
        // Fields that were filled in for bytes: both stay there to be corrected.
        let filled = first_shape == Shape::Raw && shape == Shape::Target;
        let bytes = match (shape, filled) {
            (Shape::Raw, _) => Some(shown),
            (_, true) => Some(first),
            _ => None,
        };
        let shape = if filled { Shape::Raw } else { shape };
        Self { first, last, shape, values, bytes, shapes }
    }

    /// Whose names the values had at first.
    pub(super) fn first_shape(&self) -> Shape {
        let [first, _] = self.shapes;
        first
    }

    /// Whether a row of this shape can be a correction of the record. What it was refused as decides, not the
    /// list: the names of the target are no way around the mapping.
    pub(super) fn allows(&self, shape: Shape) -> bool {
        self.shape == shape || self.shapes.contains(&shape)
    }

    /// Whether these are the values that the list shows.
    pub(super) fn had<'b>(
        &self,
        mut values: impl Iterator<Item = (&'b str, Option<&'b str>)>,
    ) -> bool {
        values.all(|(name, value)| {
            let before = self.values.get(name).and_then(|value| text_of(value));
            before.as_deref().unwrap_or_default().trim() == value.unwrap_or_default().trim()
        })
    }
}

fn state(reject: &Reject, outline: &Outline) -> (Shape, Values) {
    if reject.raw_is == Raw::Source {
        return (Shape::Raw, Values::new());
    }
    // A row that was cut off at the limit is no object any more: there are the fields to be filled in.
    let row: Values = serde_json::from_slice(&reject.raw).unwrap_or_default();
    let all_in = |schema: &Schema| row.keys().all(|name| schema.index_of(name).is_ok());
    let shape = match (reject.raw_is, &*reject.adapter) {
        (Raw::Target, _) => Shape::Target,
        (_, "fields" | "mapping" | "contract" | "replay") => Shape::Source,
        // Ledgers that do not tell the rows of the target from others yet.
        _ if !row.is_empty() && all_in(&outline.target) && !all_in(&outline.source) => {
            Shape::Target
        }
        _ => Shape::Source,
    };
    (shape, row)
}
