//! The rejects of a run as NDJSON: appended, made durable before the batch is committed, never rewritten
//! except to drop what an interrupted run appended beyond its last commit.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Reject, Result};
use serde::{Deserialize, Serialize};

use crate::claims::destination;
use crate::durable::{blocking, is_pipe_or_device, start_afresh, sync_data};

pub(crate) use crate::durable::sync_folder;

/// One line of the log: the reject, and the delivery and batch that it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// Name of the flow.
    pub flow: String,
    /// Identifies source content, flow and configuration: the same over restarts.
    pub delivery: String,
    /// Number of the batch within the delivery, from 1.
    pub batch: u64,
    /// What was rejected, where and why.
    #[serde(flatten)]
    pub reject: Reject,
}

/// What [`RejectLog::open`] may leave of an older file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: the file is an output of this run.
    Nothing,
    /// Other deliveries, and this one up to and including this batch.
    UpTo(u64),
}

/// An append-only file of rejects. It is created when the first reject comes.
#[derive(Debug)]
pub struct RejectLog {
    path: PathBuf,
    flow: String,
    delivery: String,
    file: Option<BufWriter<File>>,
    unsynced: bool,
    poisoned: bool,
}

impl RejectLog {
    /// Opens the log of one delivery, and counts by code what stands there of it already.
    ///
    /// # Errors
    /// Input/output errors; [`Kind::Invalid`] with code `rejects.damaged` for a line (other than a torn
    /// last one) that is no reject: the file is not touched then.
    pub fn open(
        path: &Path,
        flow: &str,
        delivery: &str,
        keep: Keep,
    ) -> Result<(Self, BTreeMap<String, u64>)> {
        let mut log = Self {
            path: path.into(),
            flow: flow.into(),
            delivery: delivery.into(),
            file: None,
            unsynced: false,
            poisoned: false,
        };
        let counts = match keep {
            Keep::Nothing => {
                start_afresh(path).map_err(|error| named(error, path))?;
                BTreeMap::new()
            }
            Keep::UpTo(batch) => log.drop_uncommitted(batch)?,
        };
        Ok((log, counts))
    }

    /// Appends rejects of a batch. They are durable after the next [`sync`](Self::sync).
    ///
    /// # Errors
    /// Input/output errors; from then on the log is poisoned.
    pub fn append(&mut self, batch: u64, rejects: &[Reject]) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let result = self.try_append(batch, rejects);
        self.settle(result)
    }

    /// Makes everything appended durable.
    ///
    /// # Errors
    /// Input/output errors; from then on the log is poisoned, because a second fsync may lie.
    pub async fn sync(&mut self) -> Result<()> {
        self.alive()?;
        if !self.unsynced {
            return Ok(());
        }
        let Some(writer) = &mut self.file else {
            return Ok(());
        };
        let result = match writer.flush().and_then(|()| writer.get_ref().try_clone()) {
            Ok(file) => blocking(move || sync_data(&file)).await,
            Err(error) => Err(error.into()),
        };
        self.unsynced = result.is_err();
        self.settle(result)
    }

    /// Where the rejects lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn try_append(&mut self, batch: u64, rejects: &[Reject]) -> Result<()> {
        self.alive()?;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::with_capacity(64 << 10, open_append(&self.path)?)),
        };
        self.unsynced = true;
        for reject in rejects {
            let line = LineRef { flow: &self.flow, delivery: &self.delivery, batch, reject };
            serde_json::to_writer(&mut *file, &line).map_err(std::io::Error::from)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }

    fn alive(&self) -> Result<()> {
        if self.poisoned {
            return Err(Error::poisoned("the file of rejects"));
        }
        Ok(())
    }

    fn settle(&mut self, result: Result<()>) -> Result<()> {
        result.map_err(|error| {
            self.poisoned = true;
            named(error, &self.path)
        })
    }

    /// Drops the lines of this delivery beyond `batch` and a torn last line; returns what is left by code.
    fn drop_uncommitted(&mut self, batch: u64) -> Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        if is_pipe_or_device(&self.path) {
            return Ok(counts);
        }
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(counts),
            Err(error) => return Err(named(error.into(), &self.path)),
        };
        let mut kept = KeptLines::default();
        let mut lines = BufReader::new(file);
        let (mut line, mut offset, mut number) = (Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            let n = lines.read_until(b'\n', &mut line)? as u64;
            if n == 0 {
                break;
            }
            number += 1;
            let keep = line.ends_with(b"\n") && {
                let found: Rejected = serde_json::from_slice(&line).map_err(|cause| {
                    Error::new(
                        Kind::Invalid,
                        "rejects.damaged",
                        "this line of the file of rejects is no reject",
                    )
                    .source_name(self.path.display().to_string())
                    .at_line(number, 1)
                    .hint("move the file away, or name another one for the rejects")
                    .caused_by(cause)
                })?;
                let ours = found.delivery == self.delivery && found.flow == self.flow;
                if ours && found.batch <= batch {
                    *counts.entry(found.reject.fault.code.into_owned()).or_default() += 1;
                }
                !ours || found.batch <= batch
            };
            kept.push(keep, offset, n);
            offset += n;
        }
        kept.apply(&self.path, offset)?;
        Ok(counts)
    }
}

impl Drop for RejectLog {
    fn drop(&mut self) {
        // What was appended and not synced belongs to no commit; a failure here loses nothing.
        if let Some(file) = &mut self.file {
            let _ = file.flush();
        }
    }
}

#[derive(Serialize)]
struct LineRef<'a> {
    flow: &'a str,
    delivery: &'a str,
    batch: u64,
    #[serde(flatten)]
    reject: &'a Reject,
}

/// Byte ranges of a file to keep, joined where they touch.
#[derive(Default)]
struct KeptLines {
    ranges: Vec<(u64, u64)>,
}

impl KeptLines {
    fn push(&mut self, keep: bool, offset: u64, length: u64) {
        if !keep {
            return;
        }
        match self.ranges.last_mut() {
            Some((start, size)) if *start + *size == offset => *size += length,
            _ => self.ranges.push((offset, length)),
        }
    }

    fn apply(&self, path: &Path, size: u64) -> Result<()> {
        match self.ranges.as_slice() {
            [(0, kept)] if *kept == size => Ok(()),
            [] if size == 0 => Ok(()),
            [] | [(0, _)] => {
                let kept = self.ranges.first().map_or(0, |range| range.1);
                let file = OpenOptions::new().write(true).open(path)?;
                file.set_len(kept)?;
                Ok(file.sync_all()?)
            }
            ranges => copy_ranges(path, ranges),
        }
    }
}

fn copy_ranges(path: &Path, ranges: &[(u64, u64)]) -> Result<()> {
    let path = &destination(path);
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut from = File::open(path)?;
    let mut to = BufWriter::new(File::create(&part)?);
    for (start, length) in ranges {
        from.seek(SeekFrom::Start(*start))?;
        std::io::copy(&mut std::io::Read::take(&mut from, *length), &mut to)?;
    }
    let file = to.into_inner().map_err(|error| error.into_error())?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    sync_folder(path)
}

fn open_append(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let new = !path.exists();
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    if new {
        sync_folder(path)?;
    }
    Ok(file)
}

fn named(error: Error, path: &Path) -> Error {
    error.source_name(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use fenhe_core::Fault;

    use super::*;

    fn reject(record: u64) -> Reject {
        Reject::new(Fault::new("t.t", "", "a", "b")).at(record, 0, 1).raw_bytes(b"x", 9)
    }

    async fn write(path: &Path, delivery: &str, keep: u64, batches: &[u64]) -> u64 {
        let (mut log, counts) = RejectLog::open(path, "f", delivery, Keep::UpTo(keep)).unwrap();
        for batch in batches {
            log.append(*batch, &[reject(*batch)]).unwrap();
        }
        log.sync().await.unwrap();
        counts.values().sum()
    }

    #[tokio::test]
    async fn what_an_interrupted_run_appended_after_its_commit_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/rejects.ndjson");
        assert_eq!(write(&path, "old", 0, &[1]).await, 0);
        assert_eq!(write(&path, "a", 0, &[1, 2, 3]).await, 0);
        assert_eq!(write(&path, "b", 0, &[1]).await, 0);
        assert_eq!(write(&path, "a", 2, &[3]).await, 2);
        let text = std::fs::read_to_string(&path).unwrap();
        let found: Vec<(String, u64)> = text
            .lines()
            .map(|line| serde_json::from_str::<Rejected>(line).unwrap())
            .map(|line| (line.delivery, line.batch))
            .collect();
        let expected = [("old", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 3)];
        assert_eq!(found, expected.map(|(d, b)| (d.to_owned(), b)));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_stays_and_a_pipe_is_written_through() {
        use std::io::Read;
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("old.ndjson"), "old\n").unwrap();
        std::os::unix::fs::symlink("old.ndjson", at("link")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        let pipe = at("pipe");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        for name in ["link", "pipe"] {
            let (mut log, _) = RejectLog::open(&at(name), "f", "d", Keep::Nothing).unwrap();
            log.append(1, &[reject(1)]).unwrap();
            log.sync().await.unwrap();
        }
        assert!(std::fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(at("old.ndjson")).unwrap().lines().count(), 1);
        assert!(std::fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap().lines().count(), 1);
    }

    #[tokio::test]
    async fn a_torn_last_line_is_cut_off_and_damage_elsewhere_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.ndjson");
        write(&path, "a", 0, &[1, 2]).await;
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert_eq!(write(&path, "a", 2, &[]).await, 1);
        let mut damaged = whole.clone();
        damaged[0] = b'#';
        std::fs::write(&path, &damaged).unwrap();
        let error = RejectLog::open(&path, "f", "a", Keep::UpTo(9)).unwrap_err();
        assert_eq!((error.code(), error.line()), ("rejects.damaged", Some((1, 1))));
        assert_eq!(std::fs::read(&path).unwrap(), damaged);
    }
}
