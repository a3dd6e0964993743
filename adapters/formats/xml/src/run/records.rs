//! Records on their way through a run: read plainly or by quick-xml, staged, made columns of or rejected.

use fenhe_core::{Fault, Reject};
use fenhe_text::Invalid;

use super::Run;
use crate::error::Parsed;
use crate::plan::Mark;
use crate::slow::{self, Context};
use crate::stage::{self, Stager};
use crate::walk::{Gap, LEVELS, Walker};

/// Names of passed-over elements that are told.
const TOLD: usize = 20;

impl Run {
    /// Reads plain records as long as there are some.
    pub(super) fn walk(&mut self) {
        let Some((open, close)) = &self.record else { return };
        let careful = self.window.is_suspect();
        if self.epoch != self.outline.epoch
            || careful
            || !self.outline.entities.lists.is_empty()
            || self.path.depth() < 2
            || !self.outline.among_records(&self.path)
        {
            return;
        }
        let limits = &self.open.limits;
        let taken = self.span.map_or(0, |(from, to)| to.saturating_sub(from)) + self.staged_bytes();
        let bytes_left =
            usize::try_from(limits.batch_bytes.saturating_sub(taken)).unwrap_or(usize::MAX);
        let rows_left =
            limits.batch_rows.saturating_sub((self.table.rows() + self.stage.rows()) as u64);
        let until = self.at.saturating_add(bytes_left);
        let mut walker = Walker {
            plan: &self.plan,
            stage: &mut self.stage,
            text: self.window.as_str(),
            rules: self.rules,
            open,
            close,
            limit: limits.record,
            gaps: [Gap::default(); LEVELS],
            level: 0,
        };
        let bytes = walker.text.as_bytes();
        for _ in 0..rows_left {
            let mut from = self.at;
            while bytes.get(from).is_some_and(|b| crate::chars::is_space(*b)) {
                from += 1;
            }
            let Some(end) = walker.record(from) else { return };
            self.records += 1;
            self.staged.push((self.records, from, end));
            self.at = end;
            if end >= until {
                return;
            }
        }
    }

    /// Reads one record by quick-xml.
    pub(super) fn slow(&mut self, from: usize, end: usize) -> Parsed<()> {
        self.prologue.get_or_insert_with(|| self.window.offset(from));
        let text = self.window.as_str();
        let record = text.get(from..end).unwrap_or_default();
        if self.epoch != self.outline.epoch {
            self.plan.forget();
            (self.epoch, self.record) = (self.outline.epoch, None);
        }
        let broken = self.window.broken(from, end);
        let rows = self.stage.rows();
        let scratch = self.stage.scratch.len();
        let depth = self.outline.open.len();
        let rules = stage::Rules {
            broken_is_null: broken && self.options.invalid == Invalid::Null,
            ..self.rules
        };
        let mut stager = Stager::new(&mut self.plan, &mut self.stage, rules, text.len(), depth);
        let mut context = Context {
            bindings: &mut self.outline.bindings,
            entities: &mut self.outline.entities,
            limits: &self.open.limits,
            depth,
        };
        let outcome = slow::element(record, from, &mut context, &mut stager);
        let (mut faults, ignored) = (stager.faults, stager.ignored);
        if outcome.is_err() {
            self.stage.rollback(&self.plan, rows);
            return outcome;
        }
        self.ignored += ignored.len() as u64;
        for name in ignored {
            if self.ignored_names.len() < TOLD && !self.ignored_names.contains(&name) {
                self.ignored_names.push(name);
            }
        }
        self.records += 1;
        if broken && self.options.invalid == Invalid::Reject {
            let expected = format!(
                "characters of {}",
                self.options.encoding.as_deref().unwrap_or("the document's encoding")
            );
            faults.insert(
                0,
                Fault::new("value.bad_characters", "", expected, "bytes that are no character"),
            );
        }
        if faults.is_empty() {
            self.staged.push((self.records, from, end));
            self.learn(from);
        } else {
            self.stage.rollback(&self.plan, rows);
            self.stage.scratch.truncate(scratch);
            self.reject(self.records, from, end, faults);
            self.cover(from, end);
        }
        Ok(())
    }

    /// Notes how the record's tags are spelled, unless it declares that itself.
    fn learn(&mut self, from: usize) {
        if self.record.is_some() {
            return;
        }
        let rest = self.window.as_str().get(from + 1..).unwrap_or_default();
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
        let name = rest.split(ends).next().unwrap_or_default();
        let tag = rest.split('>').next().unwrap_or_default();
        if !tag.contains("xmlns") && !name.is_empty() {
            self.record = Some((
                Mark::new(format!("<{name}").as_bytes()),
                Mark::new(format!("</{name}>").as_bytes()),
            ));
        }
    }

    /// Makes columns of what is staged.
    pub(super) fn settle_staged(&mut self) {
        let (Some((_, from, _)), Some((_, _, end))) =
            (self.staged.first().copied(), self.staged.last().copied())
        else {
            self.stage.clear();
            return;
        };
        let scratch = std::mem::take(&mut self.stage.scratch);
        let (table, plan, stage) = (&mut self.table, &self.plan, &mut self.stage);
        let bad = if scratch.is_empty() {
            table.append(plan, stage, self.window.as_str())
        } else {
            self.window.with_scratch(&scratch, |text| table.append(plan, stage, text))
        };
        self.stage.clear();
        self.stage.scratch = scratch;
        self.stage.scratch.clear();
        for row in bad {
            if let Some((number, from, end)) = self.staged.get(row.row).copied() {
                self.reject(number, from, end, row.faults);
            }
        }
        self.cover(from, end);
        self.staged.clear();
    }

    #[cold]
    fn reject(&mut self, number: u64, from: usize, end: usize, faults: Vec<Fault>) {
        let mut faults = faults.into_iter();
        let Some(first) = faults.next() else { return };
        let offset = self.window.offset(from);
        let raw = self.window.raw(from, end);
        let reject = Reject::new(first)
            .and(faults)
            .at(number, offset, raw.len() as u64)
            .on_line(self.window.place_of(from).line)
            .raw_bytes(&raw, self.open.limits.reject_raw)
            .from_source(&self.open.source)
            .by("xml");
        self.rejects.push(reject);
    }

    /// Counts records at these places of the window into the batch.
    fn cover(&mut self, from: usize, end: usize) {
        let (from, end) = (self.window.offset(from), self.window.offset(end));
        let (first, last) = self.span.unwrap_or((from, end));
        self.span = Some((first.min(from), last.max(end)));
    }
}
