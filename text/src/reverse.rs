//! From character to code: two levels of blocks of 256, only those in use.

const NONE: u32 = u32::MAX;

/// Codes of the characters of the basic plane, and a short list for those above it.
#[derive(Debug, Default)]
pub(crate) struct Reverse {
    /// Block number + 1 for the high byte of a character; 0: no block.
    index: Vec<u16>,
    blocks: Vec<[u32; 256]>,
    /// Characters above U+FFFF, sorted.
    above: Vec<(u32, u32)>,
}

impl Reverse {
    /// Collect pairs of character and code; the first code given for a character stays.
    pub(crate) fn new(pairs: impl Iterator<Item = (char, u32)>) -> Self {
        let mut made = Self { index: vec![0; 256], blocks: Vec::new(), above: Vec::new() };
        for (c, code) in pairs {
            made.insert(c, code);
        }
        made.above.sort_by_key(|&(c, _)| c);
        made.above.dedup_by_key(|&mut (c, _)| c);
        made
    }

    /// The code of a character, its bytes from the highest used one down.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "blocks have 256 codes")]
    pub(crate) fn get(&self, c: char) -> Option<u32> {
        let c = u32::from(c);
        if c > 0xFFFF {
            let at = self.above.binary_search_by_key(&c, |&(c, _)| c).ok()?;
            return self.above.get(at).map(|&(_, code)| code);
        }
        let block = usize::from(*self.index.get((c >> 8) as usize)?).checked_sub(1)?;
        let code = self.blocks.get(block)?[(c & 0xFF) as usize];
        (code != NONE).then_some(code)
    }

    fn insert(&mut self, c: char, code: u32) {
        let c = u32::from(c);
        let Some(slot) = self.index.get_mut((c >> 8) as usize) else {
            self.above.push((c, code));
            return;
        };
        if *slot == 0 {
            self.blocks.push([NONE; 256]);
            *slot = u16::try_from(self.blocks.len()).unwrap_or(0);
        }
        if let Some(block) = usize::from(*slot).checked_sub(1).and_then(|b| self.blocks.get_mut(b))
        {
            #[expect(clippy::indexing_slicing, reason = "blocks have 256 codes")]
            let cell = &mut block[(c & 0xFF) as usize];
            if *cell == NONE {
                *cell = code;
            }
        }
    }
}
