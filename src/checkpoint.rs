//! What has to be known to go on where a run stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use fenhe_core::{ControlTotal, Error, Kind, Position, Result};
use serde::{Deserialize, Serialize};

use crate::reasons::Reason;
use crate::rejects::{blocking, sync_folder};
use crate::totals::Column;

const ADAPTER: &str = "fenhe";
const VERSION: u16 = 1;

/// The state of a delivery after a batch. With a watermark sink it is stored in the transaction of that
/// batch, inside the batch's position; otherwise in the [`Journal`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Identifies source content, flow and configuration.
    pub delivery: String,
    /// Digest of what was configured.
    pub plan: String,
    /// Fingerprint of the source, empty when it has none.
    pub source: String,
    /// Batches done.
    pub batch: u64,
    /// Where the source goes on.
    pub at: Option<Position>,
    /// Records read up to here.
    pub read: u64,
    /// Records skipped up to here.
    pub skipped: u64,
    /// Rows in doubt up to the commit before.
    pub in_doubt: u64,
    /// Rejects by code, those of this batch's target not yet among them.
    pub rejected: BTreeMap<String, u64>,
    /// The same rejects by field and fault, for people.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// Column totals over the rows given to the target.
    pub columns: Vec<Column>,
    /// What the source says about its totals, known when it is complete.
    #[serde(default)]
    pub declared: Vec<ControlTotal>,
    /// The source reached its true end and everything is delivered.
    pub complete: bool,
}

impl Checkpoint {
    /// As the position of a batch.
    ///
    /// # Errors
    /// As [`Position::new`].
    pub fn position(&self) -> Result<Position> {
        Position::new(ADAPTER, VERSION, self)
    }

    /// Back from the position of a batch.
    ///
    /// # Errors
    /// [`Kind::Config`] when something else than this engine wrote it.
    pub fn from_position(position: &Position) -> Result<Self> {
        position.read(ADAPTER, VERSION).map_err(|error| {
            error.hint("another program writes under the same name: give this exchange another one")
        })
    }
}

/// Checkpoints of one flow in a local file, for targets that cannot store a watermark, and the lock that
/// keeps a second process out.
///
/// One line an entry: CRC-32 (IEEE) of the rest of the line in eight hexadecimal digits, a space, JSON.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Arc<File>,
    last: Option<Checkpoint>,
}

/// Above this size the journal is replaced by one that holds only the last entry.
const COMPACT_ABOVE: u64 = 1 << 20;

impl Journal {
    /// Opens or creates the journal, locks it, and reads the last entry.
    ///
    /// # Errors
    /// [`Kind::Conflict`] with code `journal.locked` while another process holds it; [`Kind::Invalid`] with
    /// code `journal.damaged` for damage that is not a torn last line.
    pub fn open(path: &Path) -> Result<Self> {
        let named = |error: Error| error.source_name(path.display().to_string());
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| named(e.into()))?;
        }
        let new = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|e| named(e.into()))?;
        file.try_lock().map_err(|_| {
            named(Error::new(
                Kind::Conflict,
                "journal.locked",
                "another process runs this exchange",
            ))
            .hint("wait until it has ended")
        })?;
        if new {
            sync_folder(path).map_err(named)?;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|e| named(e.into()))?;
        let (last, whole) = read_entries(&text).map_err(named)?;
        if whole < text.len() {
            file.set_len(whole as u64).map_err(|e| named(e.into()))?;
        }
        if let Some(last) = last.as_ref().filter(|_| whole as u64 > COMPACT_ABOVE) {
            file = compact(path, last).map_err(named)?;
        }
        file.seek(SeekFrom::End(0)).map_err(|e| named(e.into()))?;
        Ok(Self { path: path.into(), file: Arc::new(file), last })
    }

    /// The last entry.
    pub fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    /// Appends an entry and makes it durable.
    ///
    /// # Errors
    /// Input/output errors: the run must stop.
    pub async fn append(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.write(checkpoint)?;
        let file = Arc::clone(&self.file);
        blocking(move || file.sync_data())
            .await
            .map_err(|error| error.source_name(self.path.display().to_string()))?;
        self.last = Some(checkpoint.clone());
        Ok(())
    }

    fn write(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        Ok((&*self.file).write_all(line_of(checkpoint)?.as_bytes())?)
    }
}

fn line_of(checkpoint: &Checkpoint) -> Result<String> {
    let json = serde_json::to_string(checkpoint).map_err(std::io::Error::from)?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())))
}

/// Replaces a long journal by one with only the last entry. The new file is locked before it has the name.
fn compact(path: &Path, last: &Checkpoint) -> Result<File> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let mut file = File::create(&new)?;
    file.try_lock().map_err(std::io::Error::from)?;
    file.write_all(line_of(last)?.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_folder(path)?;
    Ok(file)
}

/// The last entry, and the length of the part that is whole.
fn read_entries(text: &[u8]) -> Result<(Option<Checkpoint>, usize)> {
    let (mut last, mut whole, mut number) = (None, 0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        let is_last = whole + line.len() == text.len();
        match read_entry(line) {
            Some(entry) => last = Some(entry),
            None if is_last && !line.ends_with(b"\n") => break,
            None => {
                return Err(Error::new(
                    Kind::Invalid,
                    "journal.damaged",
                    "the journal is damaged",
                )
                .at_line(number, 1)
                .hint("find out what changed the file; run with --restart to deliver from the start"));
            }
        }
        whole += line.len();
    }
    Ok((last, whole))
}

fn read_entry(line: &[u8]) -> Option<Checkpoint> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (crc, json) = line.split_once(' ')?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    if crc != crc32fast::hash(json.as_bytes()) {
        return None;
    }
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(batch: u64) -> Checkpoint {
        Checkpoint {
            delivery: "d".into(),
            plan: "p".into(),
            source: "s".into(),
            batch,
            at: Some(Position::new("t", 1, &batch).unwrap()),
            read: batch,
            skipped: 0,
            in_doubt: 0,
            rejected: BTreeMap::new(),
            reasons: vec![],
            columns: vec![],
            declared: vec![],
            complete: false,
        }
    }

    #[tokio::test]
    async fn the_last_entry_comes_back_and_a_torn_one_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&checkpoint(1)).await.unwrap();
        journal.append(&checkpoint(2)).await.unwrap();
        drop(journal);
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 3]).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.last(), Some(&checkpoint(1)));
        journal.append(&checkpoint(3)).await.unwrap();
        drop(journal);
        assert_eq!(Journal::open(&path).unwrap().last(), Some(&checkpoint(3)));
    }

    #[tokio::test]
    async fn a_flipped_bit_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        let mut journal = Journal::open(&path).unwrap();
        journal.append(&checkpoint(1)).await.unwrap();
        drop(journal);
        let mut text = std::fs::read(&path).unwrap();
        text[20] ^= 1;
        std::fs::write(&path, &text).unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().code(), "journal.damaged");
    }

    #[test]
    fn a_second_process_is_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        let _held = Journal::open(&path).unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().code(), "journal.locked");
    }

    #[test]
    fn a_checkpoint_travels_as_a_position() {
        let position = checkpoint(7).position().unwrap();
        assert_eq!(Checkpoint::from_position(&position).unwrap(), checkpoint(7));
    }
}
