//! Single-byte pages, read from `tables/single.bin` when first asked for.

use std::sync::OnceLock;

use crate::reverse::Reverse;
use fenhe_kernels::SingleByteTable;

/// Pages of 256 little-endian `u16`; see `tables/build.py`.
static BYTES: &[u8] = include_bytes!("tables/single.bin");
const PAGE: usize = 512;
const COUNT: usize = BYTES.len() / PAGE;

/// One single-byte page, both ways.
#[derive(Debug)]
pub(crate) struct SinglePage {
    chars: [u16; 256],
    pub(crate) table: SingleByteTable,
    pub(crate) reverse: Reverse,
}

impl SinglePage {
    #[expect(clippy::indexing_slicing, reason = "256 characters, one for each byte")]
    pub(crate) fn decode(&self, byte: u8) -> Option<char> {
        char_of(self.chars[usize::from(byte)])
    }

    fn load(number: usize) -> Self {
        let mut chars = [0xFFFF; 256];
        let bytes = BYTES.get(number * PAGE..).unwrap_or_default();
        for (cell, unit) in chars.iter_mut().zip(bytes.as_chunks().0) {
            *cell = u16::from_le_bytes(*unit);
        }
        #[expect(clippy::indexing_slicing, reason = "256 characters, one for each byte")]
        let table = SingleByteTable::new(|byte| char_of(chars[usize::from(byte)]));
        let reverse = (0u32..).zip(&chars).filter_map(|(byte, unit)| Some((char_of(*unit)?, byte)));
        Self { table, reverse: Reverse::new(reverse), chars }
    }
}

/// The page with that number in `single.bin`.
pub(crate) fn page(number: u8) -> Option<&'static SinglePage> {
    static PAGES: [OnceLock<Box<SinglePage>>; COUNT] = [const { OnceLock::new() }; COUNT];
    let number = usize::from(number);
    Some(PAGES.get(number)?.get_or_init(|| Box::new(SinglePage::load(number))))
}

fn char_of(unit: u16) -> Option<char> {
    if unit == 0xFFFF { None } else { char::from_u32(u32::from(unit)) }
}
