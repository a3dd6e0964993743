//! Records of a block made ready for the columns: types, greatest size, whole or cut.

use std::sync::Arc;

use fenhe_core::{Fault, Result};

use crate::error;
use crate::expand::{Expanded, Program};
use crate::frame::Frame;
use crate::layout::Layout;
use crate::options::{CopybookOptions, Long, VariableOccurs};
use crate::segments::{Rule, Selector};
use crate::value::Characters;

/// Tells the type of records and brings them to the greatest size of their type.
#[derive(Debug)]
pub(crate) struct Shaper {
    layout: Arc<Layout>,
    long: Long,
    occurs: VariableOccurs,
    blank: u8,
    /// For each record type its selectors; empty when there are no rules.
    types: Vec<Selectors>,
    programs: Vec<Option<Program>>,
    /// Branches with rules outside of tables: what `parents` speaks of.
    pub(crate) branches: Vec<(usize, Selector)>,
    ruled: bool,
}

type Selectors = Vec<Selector>;

/// One record ready for the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shaped {
    /// Which frame of the block it is.
    pub(crate) frame: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl Shaper {
    pub(crate) fn new(layout: Arc<Layout>, options: &CopybookOptions, rules: &[Rule]) -> Self {
        let characters = Characters::new(layout.page, options);
        let selector = |rule: &Rule| {
            let place = crate::expand::Counter::of(&layout, rule.field)?;
            (place.depth == 0).then(|| Selector { place, tests: rule.tests.clone(), characters })
        };
        let of = |index: usize| {
            rules.iter().filter(|r| r.branch == index).filter_map(selector).collect::<Vec<_>>()
        };
        let types: Vec<Selectors> = layout.records.iter().map(|r| of(*r)).collect();
        let shifts = options.occurs() != VariableOccurs::Max && layout.is_variable();
        let programs = layout
            .records
            .iter()
            .map(|r| shifts.then(|| Program::new(&layout, *r, rules, characters)))
            .collect();
        let branches = rules.iter().filter_map(|r| Some((r.branch, selector(r)?))).collect();
        let ruled = types.iter().any(|t| !t.is_empty());
        Self {
            long: options.long,
            occurs: options.occurs(),
            blank: characters.blank(),
            types,
            programs,
            branches,
            ruled,
            layout,
        }
    }

    /// Whether records are copied to their greatest size.
    pub(crate) fn expands(&self) -> bool {
        self.programs.iter().any(Option::is_some)
    }

    /// Whether all records are of one type and none is copied.
    pub(crate) fn is_plain(&self) -> bool {
        !self.ruled && !self.expands()
    }

    /// Bytes of a record at its greatest size.
    pub(crate) fn length(&self) -> usize {
        usize::try_from(self.layout.length).unwrap_or(usize::MAX)
    }

    /// The type (position among the record types) of a record; `Err` when rules exist and none applies.
    pub(crate) fn kind(&self, data: &[u8]) -> Result<Option<usize>, Fault> {
        if !self.ruled {
            return Ok(None);
        }
        let holds = |s: &Selector| {
            data.get(s.place.at..s.place.at + s.place.length).is_some_and(|b| s.holds(b))
        };
        if let Some(kind) = self.types.iter().position(|t| t.iter().any(holds)) {
            return Ok(Some(kind));
        }
        // A type without a rule takes what no rule names.
        match self.types.iter().position(Vec::is_empty) {
            Some(kind) => Ok(Some(kind)),
            None => {
                let names = self
                    .layout
                    .records
                    .iter()
                    .filter_map(|r| self.layout.field(*r))
                    .map(|f| f.name.as_str());
                let expected =
                    format!("one of the records {}", names.collect::<Vec<_>>().join(", "));
                Err(Fault::new(
                    error::RECORD_TYPE,
                    "",
                    expected,
                    "a record that no rule in select names",
                ))
            }
        }
    }

    /// The branch whose rule holds first.
    pub(crate) fn branch(&self, data: &[u8]) -> Option<usize> {
        let holds = |s: &Selector| {
            data.get(s.place.at..s.place.at + s.place.length).is_some_and(|b| s.holds(b))
        };
        self.branches.iter().find(|(_, s)| holds(s)).map(|(branch, _)| *branch)
    }

    /// Checks the length of a record, and appends it to `expanded` in its greatest size when tables vary.
    pub(crate) fn shape(
        &self,
        data: &[u8],
        frame: usize,
        kind: Option<usize>,
        at: &Frame,
        expanded: &mut Vec<u8>,
    ) -> Result<Shaped, Fault> {
        let kind = kind.unwrap_or(0);
        let Some(program) = self.programs.get(kind).and_then(Option::as_ref) else {
            let length = self.kind_length(kind);
            if data.len() > length && !self.accepts(data.get(length..).unwrap_or_default()) {
                return Err(too_long(length, data.len()));
            }
            return Ok(Shaped { frame, from: at.from, to: at.to });
        };
        let from = expanded.len();
        let length = program.length.max(self.length());
        expanded.resize(from + length, self.blank);
        let target = expanded.get_mut(from..from + program.length).unwrap_or_default();
        match program.expand(data, target) {
            Expanded::Done { used, filled } => {
                let more = data.get(used..).unwrap_or_default();
                if !more.is_empty() && self.occurs != VariableOccurs::Pad && !self.accepts(more) {
                    expanded.truncate(from);
                    return Err(too_long(used, data.len()));
                }
                Ok(Shaped { frame, from, to: from + filled })
            }
            Expanded::BadCounter { table } => {
                expanded.truncate(from);
                let field = self.layout.field(table);
                let range = field.and_then(|f| f.occurs).map_or((0, 0), |t| (t.min, t.max));
                Err(Fault::new(
                    error::OCCURS,
                    self.layout.path(table),
                    format!("a count from {} to {}", range.0, range.1),
                    "another count, or no number",
                ))
            }
        }
    }

    /// The length that a record of this type may have at most.
    fn kind_length(&self, kind: usize) -> usize {
        if !self.ruled {
            return self.length();
        }
        let record = self.layout.records.get(kind).and_then(|r| self.layout.field(*r));
        record.map_or(self.length(), |f| usize::try_from(f.length).unwrap_or(usize::MAX))
    }

    fn accepts(&self, more: &[u8]) -> bool {
        self.long == Long::Ignore || more.iter().all(|b| *b == self.blank)
    }
}

fn too_long(wanted: usize, found: usize) -> Fault {
    Fault::new(
        error::LONG,
        "",
        format!("at most {wanted} bytes"),
        format!("{found} bytes (long=ignore leaves the rest out)"),
    )
}
