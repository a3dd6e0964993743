//! A dataset that grows by sealed parts: whole files that never change again, and a list of them that is replaced at
//! every commit. The list is what counts: a file that it does not name is not there yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::Schema;
use async_trait::async_trait;
use bytes::Bytes;
use fenhe_core::{
    Batch, Committed, Entry, Error, Format, Kind, Position, Reject, Result, Store, WriteRequest,
    Writer,
};
use serde::{Deserialize, Serialize};

use super::companions;
use super::identity::start_of;
use super::writer::FilesWriter;

/// How the name of the list goes on after that of the dataset.
const LIST: &str = ".parts.json";
/// More than a million parts take. 256 MiB.
const LONGEST_LIST: u64 = 256 << 20;
const VERSION: u16 = 1;
/// Ends of names that say how an object is packed, and nothing about its format.
const PACKED: [&str; 2] = [".gz", ".zst"];

/// What the file beside the parts holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct List {
    version: u16,
    /// Names of the columns of every part; empty before the first one.
    columns: Vec<String>,
    parts: Vec<Part>,
    /// Where each pipeline stands, stored with the parts that brought it there.
    watermarks: BTreeMap<String, Position>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    /// Name within the folder of the list.
    name: String,
    rows: u64,
    /// Size in bytes, where the place tells it.
    size: Option<u64>,
}

impl List {
    fn new() -> Self {
        Self {
            version: VERSION,
            columns: Vec::new(),
            parts: Vec::new(),
            watermarks: BTreeMap::new(),
        }
    }

    /// The list as it stands, and its bytes. `None`: nothing was ever delivered.
    async fn load(store: &dyn Store, name: &str) -> Result<Option<(Self, Bytes)>> {
        let at = list_name(name);
        let mut stream = match store.get(&at, 0).await {
            Ok(stream) => stream,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = start_of(&mut *stream, LONGEST_LIST).await?;
        let damaged = |what: &str| {
            Error::new(Kind::Invalid, "files.parts", format!("the list of parts {what}"))
                .source_name(at.clone())
                .hint("put it back as it was; or take list and parts away, and they are delivered anew")
        };
        let list: Self = serde_json::from_slice(&bytes)
            .map_err(|cause| damaged("is damaged").caused_by(cause))?;
        if list.version != VERSION {
            return Err(damaged("was written by a later version"));
        }
        // A name that leads elsewhere is none that was written here.
        let (folder, _, _) = companions::parts(name);
        match list.parts.iter().all(|part| is_part(name, &format!("{folder}{}", part.name))) {
            true => Ok(Some((list, bytes))),
            false => Err(damaged("names files that are no parts")),
        }
    }

    fn bytes(&self) -> Result<Bytes> {
        Ok(serde_json::to_vec_pretty(self).map_err(std::io::Error::from)?.into())
    }
}

/// Name of the list of parts of the dataset `name`.
pub(crate) fn list_name(name: &str) -> String {
    format!("{name}{LIST}")
}

/// `d/fee.csv.gz` has the parts `d/fee.000001.csv.gz`, ...
fn part_name(name: &str, number: usize) -> String {
    let (before, after) = around_number(name);
    format!("{before}{number:06}{after}")
}

/// Whether `other` may be a part of `name`, now or later.
fn is_part(name: &str, other: &str) -> bool {
    let (before, after) = around_number(name);
    let number = other.strip_prefix(&*before).and_then(|rest| rest.strip_suffix(&*after));
    number.is_some_and(|number| {
        number.len() >= 6 && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// What stands before and behind the number in the names of parts.
fn around_number(name: &str) -> (String, String) {
    let packed = PACKED.into_iter().find(|end| name.ends_with(end)).unwrap_or_default();
    let plain = name.strip_suffix(packed).unwrap_or(name);
    let (folder, stem, extension) = companions::parts(plain);
    let dot = if extension.is_empty() { "" } else { "." };
    (format!("{folder}{stem}."), format!("{dot}{extension}{packed}"))
}

/// The list of parts of a local file `main`, and the files of the same folder that have the names of parts.
pub(crate) fn beside(main: &Path) -> Vec<PathBuf> {
    let text = main.to_string_lossy();
    let mut all = vec![PathBuf::from(list_name(&text))];
    let folder = main.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = main.file_name().unwrap_or_default().to_string_lossy();
    let items = std::fs::read_dir(folder).into_iter().flatten().flatten();
    all.extend(
        items
            .filter(|item| is_part(&name, &item.file_name().to_string_lossy()))
            .map(|item| item.path()),
    );
    all
}

/// The sealed parts of the dataset `name` in order; `None` when it was not delivered in parts.
///
/// # Errors
/// `files.part` when a part is gone or has another size than it was sealed with.
pub(crate) async fn entries(store: &dyn Store, name: &str) -> Result<Option<Vec<Entry>>> {
    let Some((list, _)) = List::load(store, name).await? else { return Ok(None) };
    let (folder, _, _) = companions::parts(name);
    let mut all = Vec::with_capacity(list.parts.len());
    for part in list.parts {
        let entry = store.head(&format!("{folder}{}", part.name)).await;
        let entry = entry.map_err(|error| match error.kind() {
            Kind::NotFound => changed(&part.name, "is gone").caused_by(error),
            _ => error,
        })?;
        if let (Some(sealed), Some(size)) = (part.size, entry.size)
            && sealed != size
        {
            return Err(changed(
                &part.name,
                &format!("has {size} bytes and was sealed with {sealed}"),
            ));
        }
        all.push(entry);
    }
    Ok(Some(all))
}

fn changed(part: &str, what: &str) -> Error {
    Error::new(Kind::Changed, "files.part", format!("a part that was delivered {what}"))
        .source_name(part)
        .hint("put the part back as it was: others may have read it")
}

/// Adds parts to a dataset: one for every commit that has rows.
pub(crate) struct PartsWriter {
    store: Arc<dyn Store>,
    name: String,
    format: Arc<dyn Format>,
    request: WriteRequest,
    list: List,
    /// The list as this writer left it; `None` while there is none.
    stored: Option<Bytes>,
    part: Option<FilesWriter>,
    refused: Vec<Reject>,
    position: Option<Position>,
    failed: bool,
}

/// Refuses to put a whole file beside parts: whoever reads the name would not know which of them count.
///
/// # Errors
/// `files.in_the_way`.
pub(crate) async fn none(store: &dyn Store, name: &str) -> Result<()> {
    // Some servers answer whatever is asked for: only what is a list counts.
    match List::load(store, name).await {
        Ok(Some(_)) => {
            let list = list_name(name);
            Err(in_the_way(&list, "the file grows by parts, of which this is the list"))
        }
        Ok(None) | Err(_) => Ok(()),
    }
}

impl PartsWriter {
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        name: &str,
        format: &Arc<dyn Format>,
        request: WriteRequest,
    ) -> Result<Self> {
        if store.head(name).await.is_ok() {
            return Err(in_the_way(
                name,
                "there is a whole file of this name, which takes no parts",
            ));
        }
        let (list, stored) = match List::load(&*store, name).await? {
            Some((list, bytes)) => (list, Some(bytes)),
            None => (List::new(), None),
        };
        if !list.parts.is_empty() && list.columns != columns(&request.schema) {
            let message = format!("the parts have other columns: {}", list.columns.join(", "));
            return Err(Error::new(Kind::Config, "files.parts_columns", message)
                .source_name(list_name(name))
                .hint("deliver these columns, in this order, or name another target"));
        }
        let first = part_name(name, 1);
        if stored.is_none() && store.head(&first).await.is_ok() {
            return Err(in_the_way(&first, "there is a file of this name, and no list of parts"));
        }
        Ok(Self {
            store,
            name: name.into(),
            format: Arc::clone(format),
            request,
            list,
            stored,
            part: None,
            refused: Vec::new(),
            position: None,
            failed: false,
        })
    }

    async fn part(&mut self) -> Result<&mut FilesWriter> {
        let part = match self.part.take() {
            Some(part) => part,
            None => {
                let name = part_name(&self.name, self.list.parts.len() + 1);
                let (store, request) = (Arc::clone(&self.store), self.request.clone());
                FilesWriter::open(store, &name, &self.format, request).await?
            }
        };
        Ok(self.part.insert(part))
    }

    async fn seal(&mut self) -> Result<Committed> {
        let Some(position) = self.position.take() else { return Ok(Committed::default()) };
        self.list_is_ours().await?;
        let mut committed = Committed::default();
        if let Some(part) = self.part.take().filter(|part| part.rows() > 0) {
            if self.stored.is_none() {
                // From here on the numbers are ours: what has the next one was left by an interruption.
                self.save().await?;
            }
            let (folder, _, _) = companions::parts(&self.name);
            let name = part.name().strip_prefix(folder).unwrap_or(part.name()).to_owned();
            let (sealed, entry) = part.seal().await?;
            self.list.columns = columns(&self.request.schema);
            self.list.parts.push(Part { name, rows: sealed.rows, size: entry.size });
            committed = sealed;
        }
        self.list.watermarks.insert(self.request.pipeline.clone(), position.clone());
        self.save().await?;
        committed.rejects.splice(..0, std::mem::take(&mut self.refused));
        Ok(Committed { watermark: Some(position), ..committed })
    }

    /// Refuses to write over what another program delivered in the meantime.
    async fn list_is_ours(&mut self) -> Result<()> {
        let there = List::load(&*self.store, &self.name).await?.map(|(_, bytes)| bytes);
        if there == self.stored {
            return Ok(());
        }
        Err(Error::new(Kind::Changed, "files.parts_changed", "another program adds parts at the same time")
            .source_name(list_name(&self.name))
            .hint("let one exchange at a time deliver to it; nothing of this commit was delivered: run again"))
    }

    async fn save(&mut self) -> Result<()> {
        let bytes = self.list.bytes()?;
        let mut sink = self.store.put(&list_name(&self.name)).await?;
        sink.write(bytes.clone()).await?;
        sink.close().await?;
        self.stored = Some(bytes);
        Ok(())
    }

    /// After a commit that failed half-way nothing may be added: it would be listed without what came before.
    fn usable(&self) -> Result<()> {
        match self.failed {
            true => Err(Error::poisoned("the writer of parts")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Writer for PartsWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.usable()?;
        self.failed = true;
        if batch.rows() > 0 {
            let part = self.part().await?;
            part.write(batch).await?;
            let refused = part.refused();
            self.refused.extend(refused);
        }
        self.position = Some(batch.position.clone());
        self.failed = false;
        Ok(())
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.refused)
    }

    fn mark(&mut self, position: &Position) {
        if let Some(last) = &mut self.position {
            last.clone_from(position);
        }
    }

    async fn commit(&mut self) -> Result<Committed> {
        self.usable()?;
        self.failed = true;
        let committed = self.seal().await?;
        self.failed = false;
        Ok(committed)
    }

    async fn watermark(&mut self) -> Result<Option<Position>> {
        Ok(self.list.watermarks.get(&self.request.pipeline).cloned())
    }

    async fn close(mut self: Box<Self>) -> Result<Committed> {
        self.commit().await
    }
}

fn columns(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn in_the_way(name: &str, what: &str) -> Error {
    Error::new(Kind::Config, "files.in_the_way", what)
        .source_name(name)
        .hint("name another target, or move the file away")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_after_the_dataset_and_stay_of_its_format() {
        for (name, part) in [
            ("fee.csv", "fee.000001.csv"),
            ("d/人口.DBF", "d/人口.000001.DBF"),
            ("fee.csv.gz", "fee.000001.csv.gz"),
            ("d.x/fee", "d.x/fee.000001"),
            ("d.000000/a.000000.csv", "d.000000/a.000000.000001.csv"),
        ] {
            assert_eq!(part_name(name, 1), part);
            assert!(is_part(name, part), "{part}");
            assert!(is_part(name, &part_name(name, 12_345_678)), "{part}");
            assert!(!is_part(name, name) && !is_part(name, &list_name(name)), "{name}");
        }
        for other in ["fee.00001.csv", "fee.000001.txt", "fees.000001.csv", "fee.00000a.csv"] {
            assert!(!is_part("fee.csv", other), "{other}");
        }
    }
}
