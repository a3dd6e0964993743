//! Mixed EBCDIC: single bytes, and pairs between SO (0E) and SI (0F).

use std::sync::OnceLock;

use crate::reverse::Reverse;

pub(crate) const SO: u8 = 0x0E;
pub(crate) const SI: u8 = 0x0F;

/// Rows of 191 `u16` by lead byte; see `tables/build.py`.
static BYTES: &[u8] = include_bytes!("tables/shifted.bin");
const ROW: usize = 191;
const COUNT: usize = 4;

/// The double-byte half of one mixed page, both ways.
#[derive(Debug)]
pub(crate) struct ShiftedPage {
    /// Row number + 1 for each lead byte; 0: no row.
    rows: [u8; 256],
    units: Vec<u16>,
    pub(crate) reverse: Reverse,
}

impl ShiftedPage {
    #[inline]
    pub(crate) fn decode(&self, lead: u8, trail: u8) -> Option<char> {
        #[expect(clippy::indexing_slicing, reason = "256 rows, one for each byte")]
        let row = usize::from(self.rows[usize::from(lead)].checked_sub(1)?);
        let cell = usize::from(trail.checked_sub(0x40)?);
        if cell >= ROW {
            return None;
        }
        let unit = *self.units.get(row * ROW + cell)?;
        if unit == 0xFFFF { None } else { char::from_u32(u32::from(unit)) }
    }

    /// Read the page at the start of `bytes`; also what follows it.
    #[expect(clippy::indexing_slicing, reason = "256 rows, one for each byte")]
    fn load(bytes: &'static [u8]) -> Option<(Self, &'static [u8])> {
        let (&count, rest) = bytes.split_first()?;
        let (leads, rest) = rest.split_at_checked(usize::from(count))?;
        let (cells, rest) = rest.split_at_checked(usize::from(count) * ROW * 2)?;
        let mut rows = [0; 256];
        for (&lead, number) in leads.iter().zip(1u8..) {
            rows[usize::from(lead)] = number;
        }
        let units = cells.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        let mut made = Self { rows, units, reverse: Reverse::default() };
        // IBM937 has the radicals (48xx) apart from the same characters in running text (4Cxx, 69xx and above): the later
        // code is the one IBM's tables write.
        let codes = leads
            .iter()
            .rev()
            .flat_map(|&lead| (0x40..=0xFEu8).rev().map(move |trail| (lead, trail)));
        made.reverse = Reverse::new(codes.filter_map(|(lead, trail)| {
            Some((made.decode(lead, trail)?, u32::from(u16::from_be_bytes([lead, trail]))))
        }));
        Some((made, rest))
    }
}

/// The page with that number in `shifted.bin`.
pub(crate) fn page(number: u8) -> Option<&'static ShiftedPage> {
    static PAGES: [OnceLock<Option<ShiftedPage>>; COUNT] = [const { OnceLock::new() }; COUNT];
    let slot = PAGES.get(usize::from(number))?;
    slot.get_or_init(|| load(number)).as_ref()
}

fn load(number: u8) -> Option<ShiftedPage> {
    let mut bytes = BYTES;
    for _ in 0..number {
        let count = usize::from(*bytes.first()?);
        bytes = bytes.get(1 + count + count * ROW * 2..)?;
    }
    ShiftedPage::load(bytes).map(|(page, _)| page)
}
