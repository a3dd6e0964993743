//! Decoding records: one pass over the text in memory after the other.

use bytes::Bytes;
use fenhe_core::{Batch, DecodeOptions, Error, Fault, Position, Reject, Result, Span};
use fenhe_kernels::Pools;
use fenhe_text::Invalid;

use crate::columns::Table;
use crate::detect;
use crate::error::{Bad, Parsed};
use crate::options::{Extra, XmlOptions};
use crate::outline::{Next, Outline, Rules, Saved};
use crate::path::Path;
use crate::plan::{Mark, Plan};
use crate::settle::{Settled, placed};
use crate::slow::{self, Context};
use crate::stage::{self, Stage, Stager};
use crate::walk::{Gap, LEVELS, Walker};
use crate::window::{Place, Window};

/// Version of the position token.
pub(crate) const TOKEN: u16 = 1;
/// Bytes taken into the window at a time: they stay in the cache.
const SLICE: usize = 256 << 10;
/// Names of passed-over elements that are told.
const TOLD: usize = 20;

/// Where a stream was left.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Token {
    /// Records before.
    pub(crate) record: u64,
    pub(crate) place: Place,
    pub(crate) outline: Saved,
    pub(crate) encoding: String,
    /// Schema or path were found by looking at the prologue, and whether that was all of the stream.
    pub(crate) sampled: bool,
    pub(crate) complete: bool,
}

/// What a position needs to know about the start of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Bytes that were looked at; `None`: those before the first record.
    pub(crate) sampled: Option<u64>,
    pub(crate) complete: bool,
}

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    More,
    Full,
    Over,
}

/// A running decoder.
#[derive(Debug)]
pub(crate) struct Run {
    options: XmlOptions,
    open: DecodeOptions,
    rules: stage::Rules,
    start: Start,
    window: Window,
    inbox: Bytes,
    /// No more input comes; and the window has been told.
    ended: bool,
    flushed: bool,
    last: bool,
    path: Path,
    outline: Outline,
    plan: Plan,
    stage: Stage,
    table: Table,
    /// How the record's own tags are spelled, and under which declarations that was learnt.
    record: Option<(Mark, Mark)>,
    epoch: u64,
    /// Read up to here.
    at: usize,
    /// Not worth reading again before the window is so long.
    enough: usize,
    over: bool,
    failed: Option<Error>,
    /// Number, start and end of each staged record.
    staged: Vec<(u64, usize, usize)>,
    rejects: Vec<Reject>,
    /// Records read in all, and before this batch.
    records: u64,
    first: u64,
    /// Offsets of the batch's first record and behind its last one.
    span: Option<(u64, u64)>,
    /// Offset of the first record.
    prologue: Option<u64>,
    notes: Vec<String>,
    ignored: u64,
    ignored_names: Vec<String>,
}

impl Run {
    pub(crate) fn new(
        options: &XmlOptions,
        open: &DecodeOptions,
        settled: Settled,
        start: Start,
        pools: &Pools,
    ) -> Result<Self> {
        let rows = usize::try_from(open.limits.batch_rows).unwrap_or(usize::MAX).max(1);
        let schema_file = options.schema.is_some() && open.schema.is_none();
        let usual = if schema_file { Extra::Ignore } else { Extra::Reject };
        let mut notes: Vec<String> = settled.found.note.clone().into_iter().collect();
        notes.shrink_to_fit();
        Ok(Self {
            rules: stage::Rules {
                trim: options.trim,
                empty_is_null: options
                    .nulls
                    .as_ref()
                    .is_some_and(|nulls| nulls.iter().any(String::is_empty)),
                extra: options.extra.unwrap_or(usual),
                field: open.limits.field,
                broken_is_null: false,
            },
            window: Window::new(settled.found.encoding, settled.found.bom as u64, Place::START),
            inbox: Bytes::new(),
            ended: false,
            flushed: false,
            last: open.part.as_ref().is_none_or(|part| part.last),
            path: settled.path,
            outline: Outline::default(),
            stage: Stage::new(&settled.plan),
            table: Table::new(&settled.plan, pools, rows.min(64 << 10))?,
            plan: settled.plan,
            record: None,
            epoch: 0,
            at: 0,
            enough: 0,
            over: false,
            failed: None,
            staged: Vec::new(),
            rejects: Vec::new(),
            records: 0,
            first: 0,
            span: None,
            prologue: None,
            notes,
            ignored: 0,
            ignored_names: Vec::new(),
            options: options.clone(),
            open: open.clone(),
            start,
        })
    }

    /// Starts elsewhere than at the start of the document.
    pub(crate) fn go_to(
        &mut self,
        offset: u64,
        place: Place,
        records: u64,
        outline: Outline,
        prologue: u64,
        encoding: fenhe_text::Encoding,
    ) {
        self.window = Window::new(encoding, offset, place);
        (self.records, self.first) = (records, records);
        self.outline = outline;
        self.prologue = Some(prologue);
    }

    pub(crate) fn schema(&self) -> fenhe_core::SchemaRef {
        fenhe_core::SchemaRef::clone(&self.plan.schema)
    }

    pub(crate) fn feed(&mut self, bytes: Bytes) {
        self.inbox = bytes;
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The next batch; `Ok(None)`: more input is needed, or the end is reached.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some(error) = self.failed.take_if(|_| self.records == self.first) {
                return Err(error);
            }
            if self.over {
                return self.flush();
            }
            match self.pass() {
                Pass::Full => return self.flush(),
                Pass::Over => self.over = true,
                Pass::More if self.fill() => {}
                Pass::More => return Ok(None),
            }
        }
    }

    /// Whether all was read and handed out.
    pub(crate) fn is_over(&self) -> bool {
        self.over && self.records == self.first && self.failed.is_none()
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        let passed = self.outline.passed;
        if passed.external_subset {
            notes.push(
                "the document type declaration names an external subset, which was not opened"
                    .into(),
            );
        }
        if passed.texts > 0 {
            notes.push(format!("{} texts outside the records were passed over", passed.texts));
        }
        if self.ignored > 0 {
            let names = self.ignored_names.join(", ");
            notes.push(format!(
                "{} elements or attributes that the schema does not have were passed over: {names}",
                self.ignored
            ));
        }
        notes
    }

    /// Takes more into the window; `false` when there is nothing to take.
    fn fill(&mut self) -> bool {
        loop {
            if self.flushed || (self.inbox.is_empty() && !self.ended) {
                return false;
            }
            self.window.discard(self.at);
            self.enough = self.enough.saturating_sub(self.at);
            self.at = 0;
            let slice = self.inbox.split_to(self.inbox.len().min(SLICE));
            self.flushed = self.ended && self.inbox.is_empty();
            self.window.push(&slice, self.flushed);
            if self.flushed || self.window.len() >= self.enough {
                return true;
            }
        }
    }

    fn pass(&mut self) -> Pass {
        if u32::try_from(self.window.len()).is_err() {
            self.fail(Bad::limit(self.at, "record", u64::from(u32::MAX)));
            return Pass::Over;
        }
        let outcome = self.read();
        self.settle_staged();
        match outcome {
            Ok(pass) => {
                if pass == Pass::More {
                    self.enough = self.window.len() + (self.window.len() - self.at);
                }
                pass
            }
            Err(bad) => {
                self.fail(bad);
                Pass::Over
            }
        }
    }

    fn fail(&mut self, bad: Bad) {
        self.failed = Some(placed(bad, &self.window).at_record(self.records + 1));
    }

    fn read(&mut self) -> Parsed<Pass> {
        loop {
            if self.is_full() {
                return Ok(Pass::Full);
            }
            self.walk();
            if self.is_full() {
                return Ok(Pass::Full);
            }
            let before = self.at;
            if !self.plan.nodes.is_empty() && self.options.dtd == crate::options::Dtd::Internal {
                self.outline.entities.consumed = self.window.offset(self.at);
            }
            let rules = Rules {
                path: Some(&self.path),
                dtd: self.options.dtd,
                limits: &self.open.limits,
                ended: self.flushed,
                last: self.last,
            };
            let next = self.outline.next(self.window.as_str(), &mut self.at, &rules)?;
            self.check_characters(before, self.at)?;
            match next {
                Next::Record { from, end } => {
                    self.slow(from, end)?;
                    self.at = end;
                }
                Next::End => return Ok(Pass::Over),
                _ => return Ok(Pass::More),
            }
        }
    }

    /// Whether the batch has all that it may have.
    fn is_full(&self) -> bool {
        let rows = (self.table.rows() + self.stage.rows()) as u64;
        let limits = &self.open.limits;
        let bytes = self.span.map_or(0, |(from, to)| to.saturating_sub(from)) + self.staged_bytes();
        rows >= limits.batch_rows
            || self.rejects.len() as u64 >= limits.batch_rows
            || bytes >= limits.batch_bytes
    }

    /// Bytes of the text since the first record that is staged.
    fn staged_bytes(&self) -> u64 {
        self.staged.first().map_or(0, |(_, from, _)| self.at.saturating_sub(*from) as u64)
    }

    /// Reads plain records as long as there are some.
    fn walk(&mut self) {
        let Some((open, close)) = &self.record else { return };
        let careful = self.window.is_suspect();
        if self.epoch != self.outline.epoch
            || careful
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
    fn slow(&mut self, from: usize, end: usize) -> Parsed<()> {
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

    /// Bytes outside the records that are no characters end the stream.
    fn check_characters(&self, from: usize, to: usize) -> Parsed<()> {
        match self.window.first_broken(from, to) {
            None => Ok(()),
            Some(at) => {
                let raw = self.window.raw(0, self.window.len());
                let error = detect::broken(self.window.encoding(), 0, &raw);
                Err(Bad { at, error })
            }
        }
    }

    /// Makes columns of what is staged.
    fn settle_staged(&mut self) {
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

    fn flush(&mut self) -> Result<Option<Batch>> {
        let Some((from, to)) = self.span.take() else { return Ok(None) };
        let records = self.table.finish(&self.plan)?;
        let mut rejects = std::mem::take(&mut self.rejects);
        rejects.sort_by_key(|reject| reject.record);
        let span = Span {
            first: self.first + 1,
            read: self.records - self.first,
            skipped: 0,
            offset: from,
            length: to - from,
        };
        self.first = self.records;
        let token = Token {
            record: self.records,
            place: self.window.place_of(self.at),
            outline: self.outline.save(),
            encoding: self.window.encoding().name().to_owned(),
            sampled: self.start.sampled.is_some(),
            complete: self.start.complete,
        };
        let prologue = self.start.sampled.or(self.prologue).unwrap_or(from);
        let position =
            Position::new("xml", TOKEN, &token)?.resume_at(prologue, self.window.offset(self.at));
        Batch::new(records, rejects, span, position).map(Some)
    }
}
