//! The compound file (MS-CFB) around a workbook stream. Chains are bounded by the number of sectors the file really has, so
//! a cycle ends as an error; sizes are bounded by the file.

use fenhe_core::Result;

use crate::container::{u16_at, u32_at, u64_at};
use crate::error::{damaged, encrypted};

const PART: &str = "the compound file";
/// Sector numbers from here on are marks, not sectors (2.1).
const MARKS: u32 = 0xFFFF_FFFA;

struct Compound<'a> {
    file: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
}

/// The stream `Workbook` (or `Book`, of Excel 5).
pub(super) fn workbook(file: &[u8]) -> Result<Vec<u8>> {
    let shift = u16_at(file, 30);
    if !matches!(shift, 9 | 12) {
        return Err(damaged(PART, "the sector size is neither 512 nor 4096", 30));
    }
    let mut compound = Compound { file, sector: 1 << shift, fat: Vec::new() };
    compound.read_fat()?;
    let directory = compound.chain(u32_at(file, 48), file.len(), "the directory")?;
    let (mut found, mut root) = (None, None);
    for entry in directory.chunks_exact(128) {
        let length = usize::from(u16_at(entry, 64)).saturating_sub(2).min(62);
        let units: Vec<u16> =
            entry.get(..length).unwrap_or_default().chunks_exact(2).map(|c| u16_at(c, 0)).collect();
        let name = String::from_utf16_lossy(&units);
        // The upper half of the size is not to be trusted in files of 512-byte sectors (2.6.1).
        let size = if shift == 9 { u64::from(u32_at(entry, 120)) } else { u64_at(entry, 120) };
        let place = (u32_at(entry, 116), size);
        match (entry.get(66), name.as_str()) {
            (Some(5), _) => root = Some(place),
            (Some(2), "EncryptedPackage") => return Err(encrypted()),
            (Some(2), "Workbook") => found = Some(place),
            (Some(2), "Book") if found.is_none() => found = Some(place),
            _ => {}
        }
    }
    let (start, size) = found.ok_or_else(|| damaged(PART, "there is no workbook in it", 0))?;
    let size = usize::try_from(size).ok().filter(|size| *size <= file.len());
    let size =
        size.ok_or_else(|| damaged(PART, "the workbook claims to be larger than the file", 0))?;
    let cutoff = usize::try_from(u32_at(file, 56)).unwrap_or(usize::MAX);
    if size >= cutoff {
        return compound.chain(start, size, "the workbook");
    }
    let (root, root_size) = root.ok_or_else(|| damaged(PART, "it has no root", 0))?;
    let root_size = usize::try_from(root_size).unwrap_or(usize::MAX).min(file.len());
    let small = compound.chain(root, root_size, "the small sectors")?;
    let table = compound.chain(u32_at(file, 60), file.len(), "the table of small sectors")?;
    let fat = table.chunks_exact(4).map(|c| u32_at(c, 0)).collect();
    Compound { file: &small, sector: 64, fat }.small(start, size)
}

impl Compound<'_> {
    fn sectors(&self) -> usize {
        self.file.len() / self.sector
    }

    fn get(&self, number: u32, what: &str) -> Result<&[u8]> {
        let at = (number as usize).saturating_add(1).saturating_mul(self.sector);
        let bytes = self.file.get(at..).filter(|rest| !rest.is_empty());
        let bytes = bytes.map(|rest| rest.get(..self.sector).unwrap_or(rest));
        bytes.ok_or_else(|| {
            damaged(PART, format!("{what} points beyond the end of the file"), at as u64)
        })
    }

    /// The sector table by way of the list of its own sectors (2.5).
    fn read_fat(&mut self) -> Result<()> {
        let mut list: Vec<u32> = (0..109).map(|n| u32_at(self.file, 76 + 4 * n)).collect();
        let mut next = u32_at(self.file, 68);
        let most = self.sectors();
        let mut steps = 0;
        while next < MARKS {
            steps += 1;
            if steps > most {
                return Err(damaged(PART, "the list of table sectors is a cycle", 68));
            }
            let sector = self.get(next, "the list of table sectors")?;
            let (entries, link) = sector.split_at(sector.len().saturating_sub(4));
            list.extend(entries.chunks_exact(4).map(|c| u32_at(c, 0)));
            next = if link.len() == 4 { u32_at(link, 0) } else { u32::MAX };
        }
        for number in list.into_iter().filter(|n| *n < MARKS) {
            let sector = self.get(number, "the sector table")?;
            let entries: Vec<u32> = sector.chunks_exact(4).map(|c| u32_at(c, 0)).collect();
            self.fat.extend(entries);
            // More entries than sectors serve nothing.
            if self.fat.len() > most + self.sector {
                break;
            }
        }
        Ok(())
    }

    fn chain(&self, start: u32, size: usize, what: &str) -> Result<Vec<u8>> {
        self.follow(start, size, what, |number| self.get(number, what))
    }

    fn small(&self, start: u32, size: usize) -> Result<Vec<u8>> {
        self.follow(start, size, "the workbook", |number| {
            let at = (number as usize).saturating_mul(self.sector);
            let bytes = self.file.get(at..at.saturating_add(self.sector));
            bytes.ok_or_else(|| {
                damaged(PART, "a small sector is outside of their stream", at as u64)
            })
        })
    }

    fn follow<'s>(
        &self,
        start: u32,
        size: usize,
        what: &str,
        get: impl Fn(u32) -> Result<&'s [u8]>,
    ) -> Result<Vec<u8>> {
        let (mut out, mut number) = (Vec::new(), start);
        let mut visited = vec![false; self.sectors() + 1];
        while number < MARKS && out.len() < size {
            // A number beyond the file is refused by `get`.
            if let Some(visited) = visited.get_mut(number as usize)
                && std::mem::replace(visited, true)
            {
                return Err(damaged(PART, format!("the chain of {what} is a cycle"), 0));
            }
            out.extend_from_slice(get(number)?);
            number = self.fat.get(number as usize).copied().ok_or_else(|| {
                damaged(PART, format!("the chain of {what} leaves the sector table"), 0)
            })?;
        }
        out.truncate(size);
        Ok(out)
    }
}
