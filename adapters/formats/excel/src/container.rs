//! The zip container (APPNOTE 6.3.10) under limits: its directory, and its parts as streams.
//!
//! Nothing is allocated from a size in a header: the directory is bounded before it is read, parts are inflated window by
//! window, and what comes out is counted against the ratio, the entry and the total.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crc32fast::Hasher;
use fenhe_core::{Limits, ReadAt, Result};
use flate2::{Decompress, FlushDecompress, Status};

use crate::error::{damaged, encrypted, limit, truncated};

/// Bytes read and inflated at once.
pub(crate) const WINDOW: usize = 64 << 10;
const DIRECTORY: &str = "the zip directory";
/// The ratio is looked at from here on.
const RATIO_FROM: u64 = 1 << 20;

/// An opened container.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    object: Arc<dyn ReadAt>,
    entries: Arc<Vec<Entry>>,
    limits: Limits,
    inflated: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    compressed: u64,
    header: u64,
}

impl Container {
    /// Reads the directory.
    pub(crate) fn open(object: Arc<dyn ReadAt>, limits: &Limits) -> Result<Self> {
        let (count, start, length) = directory(object.as_ref())?;
        if count > limits.entries {
            return Err(limit("entries", limits.entries, count, DIRECTORY));
        }
        if length > limits.memo {
            return Err(limit("memo", limits.memo, length, DIRECTORY));
        }
        let bytes = read(object.as_ref(), start, length)?;
        let mut entries = Vec::new();
        let mut rest = bytes.as_slice();
        for _ in 0..count {
            let at = start + (bytes.len() - rest.len()) as u64;
            let (entry, after) = entry(rest, at)?;
            entries.push(entry);
            rest = after;
        }
        Ok(Self {
            object,
            entries: Arc::new(entries),
            limits: limits.clone(),
            inflated: Arc::default(),
        })
    }

    /// Whether a part is there. Names are compared without case, as OPC asks for.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Starts reading a part.
    pub(crate) fn part(&self, name: &str) -> Result<Part> {
        let entry = self.find(name).ok_or_else(|| damaged(name, "the part is missing", 0))?;
        let header = read(self.object.as_ref(), entry.header, 30)?;
        if header.get(..4) != Some(b"PK\x03\x04") {
            return Err(damaged(
                name,
                "no local header stands where the directory says",
                entry.header,
            ));
        }
        let skip = 30 + u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let at = entry.header.saturating_add(skip);
        let end = at.checked_add(entry.compressed).filter(|end| *end <= self.object.size());
        let inflate = match entry.method {
            0 => None,
            8 => Some(Decompress::new(false)),
            other => {
                return Err(damaged(name, format!("compression method {other}"), entry.header));
            }
        };
        Ok(Part {
            object: Arc::clone(&self.object),
            name: entry.name.clone(),
            at,
            end: end.ok_or_else(|| truncated(name, self.object.size()))?,
            inflate,
            input: Vec::new(),
            used: 0,
            taken: 0,
            given: 0,
            wanted_crc: entry.crc,
            crc: Hasher::new(),
            limits: self.limits.clone(),
            total: Arc::clone(&self.inflated),
            done: false,
        })
    }

    /// A small part as text, at most `memo` bytes of it.
    pub(crate) fn text(&self, name: &str) -> Result<String> {
        let mut part = self.part(name)?;
        let mut bytes = Vec::new();
        while part.read(&mut bytes)? > 0 {
            if bytes.len() as u64 > self.limits.memo {
                return Err(limit("memo", self.limits.memo, bytes.len() as u64, name));
            }
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec).unwrap_or(bytes);
        String::from_utf8(bytes)
            .map_err(|e| damaged(name, "not UTF-8", e.utf8_error().valid_up_to() as u64))
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        let name = name.trim_start_matches('/');
        self.entries.iter().find(|e| e.name.eq_ignore_ascii_case(name))
    }
}

/// One part being read.
pub(crate) struct Part {
    object: Arc<dyn ReadAt>,
    name: String,
    at: u64,
    end: u64,
    inflate: Option<Decompress>,
    input: Vec<u8>,
    used: usize,
    taken: u64,
    given: u64,
    wanted_crc: u32,
    crc: Hasher,
    limits: Limits,
    total: Arc<AtomicU64>,
    done: bool,
}

impl Part {
    /// Name within the container.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Appends the next bytes, at most one window; 0 at the end, when the check sum was right.
    pub(crate) fn read(&mut self, out: &mut Vec<u8>) -> Result<usize> {
        let before = out.len();
        while !self.done && out.len() == before {
            if self.used == self.input.len() {
                self.refill()?;
            }
            out.reserve(WINDOW);
            let input = self.input.get(self.used..).unwrap_or_default();
            match &mut self.inflate {
                None => {
                    out.extend_from_slice(input);
                    self.used = self.input.len();
                    self.done = self.at == self.end;
                }
                Some(inflate) => {
                    let (in_before, flush) = (inflate.total_in(), FlushDecompress::None);
                    let status = inflate.decompress_vec(input, out, flush).map_err(|e| {
                        damaged(&self.name, "the deflated data are broken", self.given).caused_by(e)
                    })?;
                    let consumed = inflate.total_in() - in_before;
                    self.used += usize::try_from(consumed).unwrap_or(usize::MAX);
                    self.done = status == Status::StreamEnd;
                    let stuck = consumed == 0 && out.len() == before;
                    if !self.done && stuck && self.at == self.end {
                        return Err(truncated(&self.name, self.given));
                    }
                }
            }
        }
        let fresh = out.get(before..).unwrap_or_default();
        self.crc.update(fresh);
        let count = fresh.len();
        self.count(count as u64)?;
        if self.done && count == 0 && self.crc.clone().finalize() != self.wanted_crc {
            return Err(damaged(&self.name, "the check sum is wrong", self.given));
        }
        Ok(count)
    }

    fn refill(&mut self) -> Result<()> {
        let length = (self.end - self.at).min(WINDOW as u64);
        self.input.resize(usize::try_from(length).unwrap_or(WINDOW), 0);
        let got = self.object.read_at(self.at, &mut self.input)?;
        if got < self.input.len() {
            return Err(truncated(&self.name, self.at));
        }
        (self.used, self.at, self.taken) = (0, self.at + length, self.taken + length);
        Ok(())
    }

    fn count(&mut self, fresh: u64) -> Result<()> {
        let Limits { inflated_entry, inflated_total, inflate_ratio, .. } = self.limits;
        self.given += fresh;
        let total = self.total.fetch_add(fresh, Ordering::Relaxed) + fresh;
        let over = |name, most, wanted| Err(limit(name, most, wanted, &self.name));
        if self.given > inflated_entry {
            return over("inflated_entry", inflated_entry, self.given);
        }
        if total > inflated_total {
            return over("inflated_total", inflated_total, total);
        }
        // What was read ahead counts as deflated, so the ratio of a good file is never overstated.
        if self.given > RATIO_FROM && self.given / self.taken.max(1) >= inflate_ratio.max(1) {
            return over("inflate_ratio", inflate_ratio, self.given / self.taken.max(1));
        }
        Ok(())
    }
}

/// Number of entries, offset and length of the directory, from the end record (4.3.16) or its 64-bit form (4.3.14).
fn directory(object: &dyn ReadAt) -> Result<(u64, u64, u64)> {
    let size = object.size();
    // The end record is 22 bytes, and a comment of at most 65,535 follows.
    let length = size.min(22 + 65_535);
    let tail = read(object, size - length, length)?;
    let at = (0..tail.len().saturating_sub(21))
        .rev()
        .find(|at| {
            let record = tail.get(*at..).unwrap_or_default();
            record.starts_with(b"PK\x05\x06")
                && 22 + usize::from(u16_at(record, 20)) == record.len()
        })
        .ok_or_else(|| truncated(DIRECTORY, size))?;
    let record = tail.get(at..).unwrap_or_default();
    let end = size - length + at as u64;
    let mut found = (
        u64::from(u16_at(record, 10)),
        u64::from(u32_at(record, 16)),
        u64::from(u32_at(record, 12)),
    );
    if found.0 == 0xffff || found.1 == 0xffff_ffff || found.2 == 0xffff_ffff {
        let locator = end.checked_sub(20).ok_or_else(|| truncated(DIRECTORY, end))?;
        let bytes = read(object, locator, 20)?;
        if bytes.starts_with(b"PK\x06\x07") {
            let wide = read(object, u64_at(&bytes, 8), 56)?;
            if !wide.starts_with(b"PK\x06\x06") {
                return Err(damaged(DIRECTORY, "its 64-bit record is missing", locator));
            }
            found = (u64_at(&wide, 32), u64_at(&wide, 48), u64_at(&wide, 40));
        }
    }
    let (count, start, length) = found;
    if start.checked_add(length).is_none_or(|stop| stop > size) {
        return Err(damaged(DIRECTORY, "it reaches beyond the end of the file", end));
    }
    Ok((count, start, length))
}

/// One entry of the directory (4.3.12), and what follows it.
fn entry(bytes: &[u8], at: u64) -> Result<(Entry, &[u8])> {
    let broken = || damaged(DIRECTORY, "an entry is broken", at);
    let head = bytes.get(..46).filter(|head| head.starts_with(b"PK\x01\x02")).ok_or_else(broken)?;
    if u16_at(head, 8) & 1 != 0 {
        return Err(encrypted());
    }
    let (name, extra) = (usize::from(u16_at(head, 28)), usize::from(u16_at(head, 30)));
    let length = 46 + name + extra + usize::from(u16_at(head, 32));
    let after = bytes.get(length..).ok_or_else(broken)?;
    let raw = bytes.get(46..46 + name).unwrap_or_default();
    let mut entry = Entry {
        name: String::from_utf8_lossy(raw).replace('\\', "/").trim_start_matches('/').to_owned(),
        method: u16_at(head, 10),
        crc: u32_at(head, 16),
        compressed: u64::from(u32_at(head, 20)),
        header: u64::from(u32_at(head, 42)),
    };
    wide(bytes.get(46 + name..46 + name + extra).unwrap_or_default(), head, &mut entry);
    Ok((entry, after))
}

/// The 64-bit sizes of an entry (4.5.3): only those that are all ones in the entry, in this order.
fn wide(mut extra: &[u8], head: &[u8], entry: &mut Entry) {
    while let Some(length) = extra.get(..4).map(|h| usize::from(u16_at(h, 2))) {
        let body = extra.get(4..4 + length).unwrap_or_default();
        if u16_at(extra, 0) == 1 {
            let mut at = if u32_at(head, 24) == u32::MAX { 8 } else { 0 };
            if u32_at(head, 20) == u32::MAX {
                entry.compressed = u64_at(body, at);
                at += 8;
            }
            if u32_at(head, 42) == u32::MAX {
                entry.header = u64_at(body, at);
            }
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
}

/// A range of a file whose length was checked against a limit.
pub(crate) fn read(object: &dyn ReadAt, at: u64, length: u64) -> Result<Vec<u8>> {
    let end = at.saturating_add(length);
    fenhe_core::read_exact_at(object, at..end, length)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b))
}
