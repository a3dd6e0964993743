//! The decoder both formats share: a whole object becomes a row of Arrow batches, which are cut to the limits.

use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use fenhe_core::{
    Batch, DecodeOptions, Decoder, Error, Evidence, Found, Input, Kind, Options, Output, Position,
    ReadAt, Result, Sample, Span, schema,
};

/// An opened object: its schema, and its batches from a row on.
pub(crate) struct Rows {
    pub(crate) schema: SchemaRef,
    pub(crate) total: Option<u64>,
    pub(crate) batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
}

/// How one of the formats opens an object.
pub(crate) trait Open: Send + Sync {
    const NAME: &'static str;

    /// Opens `object` with these columns in file order, to give batches of at most `batch_rows` from `from_row` on.
    fn open(&self, object: Arc<dyn ReadAt>, wanted: &Wanted) -> Result<Rows>;
}

/// What to take out of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) from_row: u64,
    pub(crate) batch_rows: usize,
}

/// Runs a reader of the Arrow project, whose code may panic on damaged files, and turns that into an error.
pub(crate) fn guarded<T>(name: &str, what: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(what))
        .unwrap_or_else(|_| Err(damaged(name, "its parts contradict each other")))
}

pub(crate) fn damaged(name: &str, why: impl Into<String>) -> Error {
    Error::new(
        Kind::Invalid,
        format!("{name}.damaged"),
        format!("the {name} file is damaged: {}", why.into()),
    )
    .at_offset(0)
    .hint("fetch the file again")
}

pub(crate) struct ObjectDecoder<F> {
    format: F,
    options: DecodeOptions,
    state: State,
    row: u64,
}

enum State {
    Waiting,
    Open { rows: Rows, held: Option<RecordBatch>, ended: bool },
    Poisoned,
}

impl<F: Open> ObjectDecoder<F> {
    pub(crate) fn new(format: F, options: DecodeOptions) -> Result<Self> {
        let row = match &options.from {
            Some(position) => position.read::<u64>(F::NAME, 1)?,
            None => 0,
        };
        Ok(Self { format, options, state: State::Waiting, row })
    }

    fn open(&mut self, object: Arc<dyn ReadAt>) -> Result<()> {
        let wanted = Wanted {
            columns: self.options.columns.clone(),
            from_row: self.row,
            batch_rows: usize::try_from(self.options.limits.batch_rows)
                .unwrap_or(usize::MAX)
                .max(1),
        };
        let rows = guarded(F::NAME, || self.format.open(object, &wanted))?;
        if let Some(given) = &self.options.schema
            && self.options.columns.is_none()
            && given.fields() != rows.schema.fields()
        {
            return Err(Error::new(
                Kind::Config,
                format!("{}.schema", F::NAME),
                "the file has another schema than the one asked for",
            )
            .hint("leave the schema out: the file carries its own"));
        }
        self.state = State::Open { rows, held: None, ended: false };
        Ok(())
    }

    fn pull(&mut self) -> Result<Output> {
        let limit = usize::try_from(self.options.limits.batch_rows).unwrap_or(usize::MAX).max(1);
        let State::Open { rows, held, ended } = &mut self.state else {
            return Ok(Output::NeedInput);
        };
        let whole = loop {
            match held.take() {
                Some(batch) if batch.num_rows() > 0 => break batch,
                _ => match guarded(F::NAME, || rows.batches.next().transpose())? {
                    Some(batch) => *held = Some(batch),
                    None if *ended => return Ok(Output::Done),
                    None => return Ok(Output::NeedInput),
                },
            }
        };
        let n = whole.num_rows().min(limit);
        if n < whole.num_rows() {
            *held = Some(whole.slice(n, whole.num_rows() - n));
        }
        let read = n as u64;
        let span = Span { first: self.row + 1, read, ..Span::default() };
        self.row += read;
        let position = Position::new(F::NAME, 1, &self.row)?;
        Batch::new(whole.slice(0, n), Vec::new(), span, position).map(Output::Batch)
    }
}

impl<F: Open> Decoder for ObjectDecoder<F> {
    fn schema(&self) -> Option<SchemaRef> {
        match &self.state {
            State::Open { rows, .. } => Some(rows.schema.clone()),
            _ => None,
        }
    }

    fn feed(&mut self, input: Input) -> Result<()> {
        let fed = match (&mut self.state, input) {
            (State::Poisoned, _) => return Err(Error::poisoned(F::NAME)),
            (State::Waiting, Input::Object(object)) => self.open(object),
            (State::Open { ended, .. }, Input::EndOfStream) => {
                *ended = true;
                Ok(())
            }
            (_, Input::EndOfMessage) => Ok(()),
            (State::Waiting, Input::EndOfStream) => Err(damaged(F::NAME, "it is empty")),
            (_, Input::Bytes(_) | Input::Object(_)) => Err(Error::new(
                Kind::Internal,
                "core.turn",
                format!("{} takes one whole object", F::NAME),
            )),
        };
        fed.inspect_err(|_| self.state = State::Poisoned)
    }

    fn next(&mut self) -> Result<Output> {
        if let State::Poisoned = self.state {
            return Err(Error::poisoned(F::NAME));
        }
        self.pull().inspect_err(|_| self.state = State::Poisoned)
    }
}

/// Opens the sample's object and tells what its own schema says.
pub(crate) fn infer<F: Open>(format: &F, sample: &Sample) -> Result<Evidence> {
    let object = match &sample.object {
        Some(object) => Arc::clone(object),
        None if sample.complete => Arc::new(sample.bytes.clone()),
        None => {
            return Err(damaged(
                F::NAME,
                "only its beginning was given, and its schema stands at its end",
            ));
        }
    };
    let wanted = Wanted { batch_rows: 1, ..Wanted::default() };
    let rows = guarded(F::NAME, || format.open(object, &wanted))?;
    let reason = format!(
        "the file describes itself: {} columns{}",
        rows.schema.fields().len(),
        rows.total.map(|n| format!(", {n} rows")).unwrap_or_default()
    );
    let columns =
        rows.schema.fields().iter().map(|f| (f.name().clone(), "declared by the file".into()));
    Ok(Evidence {
        datasets: vec![Found {
            name: String::new(),
            records: rows.total,
            columns: columns.collect(),
            schema: rows.schema,
        }],
        confidence: 100,
        options: Options::new(),
        reasons: vec![reason],
    })
}

/// The columns of `file` that are asked for, by index.
pub(crate) fn indices(file: &SchemaRef, wanted: &Wanted) -> Result<Option<Vec<usize>>> {
    wanted.columns.as_deref().map(|columns| schema::projection(file, columns)).transpose()
}

/// A [`ReadAt`] as a seekable stream.
#[derive(Debug)]
pub(crate) struct Cursor {
    object: Arc<dyn ReadAt>,
    at: u64,
}

impl Cursor {
    pub(crate) fn new(object: Arc<dyn ReadAt>, at: u64) -> Self {
        Self { object, at }
    }
}

impl Read for Cursor {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.object.read_at(self.at, buf).map_err(io::Error::other)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.object.size().checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        self.at = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
