//! A format over a store: files as an exchange.

mod companions;
mod identity;
mod look;
mod notes;
mod parallel;
mod parts;
mod position;
mod reader;
mod record;
mod sequential;
mod spool;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fenhe_core::{
    Batch, Capability, ControlTotal, Dataset, Entry, Error, Evidence, Exchange, Format, Found,
    Info, Kind, Limits, Options, ReadRequest, Reader, Result, Sample, Store, WriteMode,
    WriteRequest, Writer, schema,
};
use tokio::sync::OnceCell;

pub(crate) use companions::Copies;
use identity::{Object, together};
pub(crate) use look::{entries, not_found, sample};
use parts::PartsWriter;
use position::Cut;
use reader::{FilesReader, Plan};
use writer::FilesWriter;

/// Makes a format out of options.
pub type MakeFormat = Arc<dyn Fn(&Options) -> Result<Arc<dyn Format>> + Send + Sync>;

/// One object, or all that match a pattern, read and written in one format.
///
/// Read, several objects are one dataset, in the order of their names. Written, the object and its companions
/// are seen as a whole when the writer is closed; or rows are added in sealed parts ([`in_parts`](Self::in_parts)).
#[derive(Clone)]
pub struct Files {
    store: Arc<dyn Store>,
    name: String,
    format: Arc<dyn Format>,
    make: Option<(MakeFormat, Options)>,
    /// Options that hold whatever the content looks like.
    insisted: Options,
    threads: usize,
    limits: Limits,
    once: bool,
    parts: bool,
    shown: Option<String>,
    settled: Arc<OnceCell<Settled>>,
    copies: Copies,
    notes: Arc<Mutex<Vec<String>>>,
}

/// What looking at the first object settled.
#[derive(Clone, Debug)]
struct Settled {
    objects: Vec<Object>,
    format: Arc<dyn Format>,
    evidence: Evidence,
}

impl Files {
    /// The object `name` of the store, or those that match the pattern `name`.
    pub fn new(store: Arc<dyn Store>, name: impl Into<String>, format: Arc<dyn Format>) -> Self {
        Self {
            store,
            name: name.into(),
            format,
            make: None,
            insisted: Options::new(),
            threads: 1,
            limits: Limits::default(),
            once: false,
            parts: false,
            shown: None,
            settled: Arc::default(),
            copies: Copies::default(),
            notes: Arc::default(),
        }
    }

    /// Options that are settled by looking at the content are set by making the format again.
    #[must_use]
    pub fn settled_by(mut self, make: MakeFormat, options: Options) -> Self {
        self.make = Some((make, options));
        self
    }

    /// The same files read with further options, above what was given and what the content says. Looking at the content
    /// does not know of them. Only for files whose format is made again (`settled_by`).
    pub(crate) fn insisting(&self, options: Options) -> Self {
        Self { insisted: options, settled: Arc::default(), ..self.clone() }
    }

    /// Companions that were fetched while the format was looked for.
    pub(crate) fn having(self, copies: Copies) -> Self {
        Self { copies, ..self }
    }

    /// Decodes with several threads where the format can be split. Needs a runtime with blocking threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Limits of looking at the content, as long as nobody reads it with limits of its own.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The store gives its content only once (standard input).
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Written, every commit that has rows adds a whole object: `fee.csv` gets `fee.000001.csv`, `fee.000002.csv`, and
    /// so on. They are listed in `fee.csv.parts.json`, which is replaced as the last step of a commit and holds the
    /// watermark as well. Read by the name `fee.csv`, the listed parts are one dataset, and the others do not count.
    ///
    /// One writer at a time: a place has no lock, so a second one is only noticed by what it left in the list.
    #[must_use]
    pub fn in_parts(mut self) -> Self {
        self.parts = true;
        self
    }

    /// The name that people know a single object by, for rejects and errors.
    #[must_use]
    pub fn shown_as(mut self, name: impl Into<String>) -> Self {
        self.shown = Some(name.into());
        self
    }

    /// What the format found in the first object, and why.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no object matches, and whatever the format says.
    pub async fn evidence(&self, limits: &Limits) -> Result<Evidence> {
        Ok(self.settled(limits).await?.evidence.clone())
    }

    /// The start of the first object, as formats look at it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no object matches, and what reading says.
    pub async fn sample(&self, limits: &Limits) -> Result<Sample> {
        let entries = self.entries().await?;
        let first = entries.first().ok_or_else(|| not_found(&self.name))?;
        sample(&*self.store, first, &*self.format, &self.copies, limits).await
    }

    /// What identifies the content of all objects, empty for what can be read only once.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no object matches.
    pub async fn fingerprint(&self) -> Result<String> {
        Ok(together(&self.settled(&self.limits).await?.objects))
    }

    /// Size of all objects in bytes, if known.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no object matches.
    pub async fn size(&self) -> Result<Option<u64>> {
        let settled = self.settled(&self.limits).await?;
        Ok(settled.objects.iter().map(|object| object.entry.size).sum())
    }

    /// Names of the objects, in the order in which they are read.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no object matches.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let settled = self.settled(&self.limits).await?;
        Ok(settled.objects.iter().map(|object| object.entry.name.clone()).collect())
    }

    /// Extensions of the files that may lie beside an object.
    pub(crate) fn companions(&self) -> &'static [&'static str] {
        self.format.info().companions
    }

    /// Names of the files that may be written beside `main`.
    pub(crate) fn companions_to_write(&self, main: &str) -> Vec<String> {
        let extensions = self.companions().iter();
        extensions.map(|extension| companions::name_for(main, extension)).collect()
    }

    /// Whether the object is there, or the list of its parts.
    pub async fn exists(&self) -> bool {
        let name = match self.parts {
            true => &parts::list_name(&self.name),
            false => &self.name,
        };
        self.store.head(name).await.is_ok()
    }

    /// Files that a write in parts replaces or makes beside `main`: the list, and what has the name of a part.
    pub(crate) fn parts_to_write(&self, main: &Path) -> Vec<PathBuf> {
        if !self.parts {
            return Vec::new();
        }
        parts::beside(main)
    }

    /// Findings about the streams read to their end, since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn settled(&self, limits: &Limits) -> Result<&Settled> {
        self.settled.get_or_try_init(|| self.settle(limits)).await
    }

    async fn settle(&self, limits: &Limits) -> Result<Settled> {
        let mut objects = Vec::new();
        for entry in self.entries().await? {
            objects.push(Object::look(&*self.store, entry, self.once).await?);
        }
        let first = objects.first().ok_or_else(|| not_found(&self.name))?;
        let sample =
            sample(&*self.store, &first.entry, &*self.format, &self.copies, limits).await?;
        let named = |error: Error| match error.source_name_of() {
            Some(_) => error,
            None => {
                error.source_name(self.shown.clone().unwrap_or_else(|| first.entry.name.clone()))
            }
        };
        let evidence = self.format.infer(&sample).map_err(named)?;
        let format = match &self.make {
            Some((make, options)) if !evidence.options.is_empty() => {
                let mut all = evidence.options.clone();
                for (key, value) in options.iter().chain(self.insisted.iter()) {
                    all.set(key, value.clone());
                }
                make(&all)?
            }
            _ => Arc::clone(&self.format),
        };
        Ok(Settled { format, evidence, objects })
    }

    async fn entries(&self) -> Result<Vec<Entry>> {
        entries(&*self.store, &self.name).await
    }
}

#[async_trait]
impl Exchange for Files {
    fn info(&self) -> Info {
        let format = self.format.info();
        Info {
            scheme: self.store.scheme(),
            version: env!("CARGO_PKG_VERSION"),
            capability: Capability {
                discover: format.read,
                read: format.read,
                resume: format.read && !self.once,
                replay: format.read && !self.once,
                replace: format.write && !self.parts,
                append: format.write && self.parts,
                watermark: format.write && self.parts,
                per_record: format.write,
                ..Capability::default()
            },
        }
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        let settled = self.settled(&self.limits).await?;
        let partitions: Vec<String> = match settled.objects.as_slice() {
            [_] => Vec::new(),
            many => many.iter().map(|object| object.entry.name.clone()).collect(),
        };
        let single = partitions.is_empty();
        let dataset = |found: &Found| Dataset {
            name: found.name.clone(),
            schema: Arc::clone(&found.schema),
            partitions: partitions.clone(),
            key: Vec::new(),
            records: found.records.filter(|_| single),
        };
        Ok(settled.evidence.datasets.iter().map(dataset).collect())
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let settled = self.settled(&request.limits).await?;
        let found = dataset_of(&settled.evidence, &request.dataset)?;
        let objects = match &request.partition {
            None => settled.objects.clone(),
            Some(name) => {
                let one = settled.objects.iter().find(|object| object.entry.name == *name);
                vec![one.cloned().ok_or_else(|| not_found(name))?]
            }
        };
        let plan = Plan {
            store: Arc::clone(&self.store),
            format: Arc::clone(&settled.format),
            decode: Arc::clone(&found.schema),
            schema: schema::project(&found.schema, request.columns.as_deref())?,
            threads: self.threads,
            copies: self.copies.clone(),
            shown: self.shown.clone().filter(|_| settled.objects.len() == 1),
            notes: Arc::clone(&self.notes),
            request: ReadRequest { dataset: found.name.clone(), ..request },
        };
        Ok(Box::new(FilesReader::new(plan, objects)?))
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        let store = Arc::clone(&self.store);
        match (request.mode, self.parts) {
            (WriteMode::Replace, false) => {
                parts::none(&*store, &self.name).await?;
                Ok(Box::new(FilesWriter::open(store, &self.name, &self.format, request).await?))
            }
            (WriteMode::Append, true) => {
                Ok(Box::new(PartsWriter::open(store, &self.name, &self.format, request).await?))
            }
            (WriteMode::Upsert, _) => Err(Error::unsupported("a file", "upsert: it has no keys")
                .hint("use mode = \"replace\" or \"append\", or a database as target")),
            (WriteMode::Append, false) => Err(Error::unsupported("a file", "append")
                .hint("it is added to in sealed parts, where it is opened for that")),
            (WriteMode::Replace, true) => Err(Error::unsupported("a file in parts", "replace")
                .hint("parts that others may have read stay: write to a file of another name")),
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("store", &self.store)
            .field("name", &self.name)
            .field("format", &self.format)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// One object being decoded, by whatever number of threads.
#[async_trait]
trait Decoding: Send {
    /// The next batch, cancel-safe.
    async fn next(&mut self) -> Result<Option<Step>>;

    /// What the object says about its totals.
    fn declared(&self) -> Vec<ControlTotal>;

    /// Findings about the object as a whole.
    fn notes(&self) -> Vec<String>;
}

/// A batch, and where a parallel read can go on after it.
struct Step {
    batch: Batch,
    cut: Option<Cut>,
}

/// The dataset of this name. Without a name the first one is meant: formats list the main one first (the
/// details of a file with header and trailer, the first sheet).
fn dataset_of<'a>(evidence: &'a Evidence, name: &str) -> Result<&'a Found> {
    let all = &evidence.datasets;
    if let (Some(first), true) = (all.first(), name.is_empty()) {
        return Ok(first);
    }
    all.iter().find(|found| found.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|found| found.name.as_str()).collect();
        Error::new(Kind::NotFound, "files.dataset", format!("there is no dataset {name}"))
            .hint(format!("name one after a #: {}", names.join(", ")))
    })
}
