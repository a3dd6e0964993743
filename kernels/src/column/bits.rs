use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

use crate::pool::Pools;

/// Bits of a column, collected in a register and stored 64 at a time.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    words: Vec<u64>,
    /// The last `len % 64` bits, lowest first; the others are zero.
    last: u64,
    len: usize,
    pools: Pools,
}

impl Bits {
    pub(crate) fn new(pools: &Pools, rows: usize) -> Self {
        Self {
            words: pools.of::<u64>().get(rows.div_ceil(64)),
            last: 0,
            len: 0,
            pools: pools.clone(),
        }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, bit: bool) {
        self.last |= u64::from(bit) << (self.len % 64);
        self.len += 1;
        if self.len.is_multiple_of(64) {
            self.words.push(self.last);
            self.last = 0;
        }
    }

    pub(crate) fn push_many(&mut self, bit: bool, mut count: usize) {
        let used = self.len % 64;
        if used > 0 && count > 0 {
            // Fill up the word under way.
            let step = count.min(64 - used);
            if bit {
                self.last |= (u64::MAX >> (64 - step)) << used;
            }
            self.len += step;
            count -= step;
            if self.len.is_multiple_of(64) {
                self.words.push(std::mem::take(&mut self.last));
            }
        }
        let words = count / 64;
        self.words.resize(self.words.len() + words, if bit { u64::MAX } else { 0 });
        self.len += words * 64;
        for _ in 0..count % 64 {
            self.push(bit);
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<bool> {
        let word = if at >= self.len {
            return None;
        } else {
            self.words.get(at / 64).unwrap_or(&self.last)
        };
        Some(word >> (at % 64) & 1 == 1)
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        let word = self.words.get(len / 64).copied().unwrap_or(self.last);
        self.words.truncate(len / 64);
        self.last = word & ((1 << (len % 64)) - 1);
        self.len = len;
    }

    /// The bits, leaving none.
    pub(crate) fn finish(&mut self) -> BooleanBuffer {
        let len = std::mem::take(&mut self.len);
        let rows = len.next_multiple_of(64);
        let mut words = std::mem::replace(&mut self.words, self.pools.of::<u64>().get(rows / 64));
        if !len.is_multiple_of(64) {
            words.push(std::mem::take(&mut self.last));
        }
        #[cfg(target_endian = "big")]
        words.iter_mut().for_each(|word| *word = word.to_le());
        let buffer: Buffer = self.pools.of::<u64>().freeze(words);
        BooleanBuffer::new(buffer, 0, len)
    }

    /// The bits as validity (1 = present), leaving none; `None` if all are present.
    pub(crate) fn finish_nulls(&mut self) -> Option<NullBuffer> {
        let full = self.words.iter().all(|word| *word == u64::MAX);
        if full && self.last.count_ones() as usize == self.len % 64 {
            self.words.clear();
            self.last = 0;
            self.len = 0;
            return None;
        }
        Some(NullBuffer::new(self.finish()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_agree_with_a_vector_of_bool(
            steps in proptest::collection::vec((any::<bool>(), 0usize..150, 0usize..400), 0..20)
        ) {
            let mut bits = Bits::new(&Pools::default(), 0);
            let mut naive = Vec::new();
            for (bit, count, keep) in steps {
                bits.push(!bit);
                bits.push_many(bit, count);
                naive.push(!bit);
                naive.extend(std::iter::repeat_n(bit, count));
                bits.truncate(keep);
                naive.truncate(keep);
                prop_assert_eq!(bits.len(), naive.len());
                prop_assert_eq!(bits.get(keep / 2), naive.get(keep / 2).copied());
            }
            let all = naive.iter().all(|bit| *bit);
            prop_assert_eq!(bits.clone().finish_nulls().is_none(), all);
            prop_assert_eq!(bits.finish().iter().collect::<Vec<_>>(), naive);
            prop_assert_eq!(bits.len(), 0);
        }
    }
}
