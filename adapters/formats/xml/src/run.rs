//! Decoding records: one pass over the text in memory after the other.

mod records;

use bytes::Bytes;
use fenhe_core::{Batch, DecodeOptions, Error, Position, Reject, Result, Span};
use fenhe_kernels::Pools;

use crate::columns::Table;
use crate::detect;
use crate::error::{Bad, Parsed};
use crate::options::{Extra, XmlOptions};
use crate::outline::{Next, Outline, Rules, Saved};
use crate::path::Path;
use crate::plan::{Mark, Plan};
use crate::settle::{Settled, placed};
use crate::stage::{self, Stage};
use crate::window::{Place, Window};

/// Version of the position token.
pub(crate) const TOKEN: u16 = 1;
/// Bytes taken into the window at a time: they stay in the cache.
const SLICE: usize = 256 << 10;

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
