use arrow_array::BinaryArray;
use arrow_buffer::OffsetBuffer;

use super::Full;
use super::bits::Bits;
use crate::pool::Pools;
use crate::utf8::extend_short;

/// A column of byte strings.
#[derive(Clone, Debug)]
pub struct BinaryColumn {
    bytes: Vec<u8>,
    /// Where each value starts, and a last entry where the last one ends.
    offsets: Vec<i32>,
    present: Bits,
    pools: Pools,
}

impl BinaryColumn {
    /// An empty column with room for `rows` values of `bytes` bytes together.
    #[must_use]
    pub fn new(pools: &Pools, rows: usize, bytes: usize) -> Self {
        let mut offsets = pools.of::<i32>().get(rows.saturating_add(1));
        offsets.push(0);
        Self {
            bytes: pools.of::<u8>().get(bytes),
            offsets,
            present: Bits::new(pools, rows),
            pools: pools.clone(),
        }
    }

    /// Rows.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.present.len()
    }

    /// Whether there are no rows.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a value.
    ///
    /// # Errors
    /// [`Full`]: the value would end beyond 2 GiB; it is not added.
    #[inline]
    pub fn append(&mut self, value: &[u8]) -> Result<(), Full> {
        let end = self.bytes.len().checked_add(value.len()).ok_or(Full)?;
        let end = i32::try_from(end).map_err(|_| Full)?;
        extend_short(&mut self.bytes, value);
        self.offsets.push(end);
        self.present.push(true);
        Ok(())
    }

    /// Adds an absent value.
    #[inline]
    pub fn append_null(&mut self) {
        self.offsets.push(self.end());
        self.present.push(false);
    }

    /// Adds a value that may be absent.
    ///
    /// # Errors
    /// See [`append`](Self::append).
    #[inline]
    pub fn append_option(&mut self, value: Option<&[u8]>) -> Result<(), Full> {
        match value {
            Some(value) => self.append(value)?,
            None => self.append_null(),
        }
        Ok(())
    }

    /// Takes back all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        if rows < self.len() {
            self.offsets.truncate(rows + 1);
            self.present.truncate(rows);
            #[expect(clippy::cast_sign_loss, reason = "offsets are never negative")]
            self.bytes.truncate(self.end() as usize);
        }
    }

    /// Makes an array of the rows and starts again.
    pub fn finish(&mut self) -> BinaryArray {
        let fresh = Self::new(&self.pools, self.len(), self.bytes.len());
        let Self { bytes, offsets, mut present, pools } = std::mem::replace(self, fresh);
        let offsets = OffsetBuffer::new(pools.of::<i32>().freeze_scalar(offsets));
        BinaryArray::new(offsets, pools.of::<u8>().freeze(bytes), present.finish_nulls())
    }

    #[inline(always)]
    fn end(&self) -> i32 {
        self.offsets.last().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_agree_with_a_vector_of_options(
            mut rows in proptest::collection::vec(
                proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)), 0..80),
            keep in 0usize..100
        ) {
            let mut column = BinaryColumn::new(&Pools::default(), 0, 0);
            for _ in 0..2 {
                rows.iter().for_each(|row| column.append_option(row.as_deref()).unwrap());
                column.truncate(keep);
                rows.truncate(keep);
                let array = column.finish();
                let found: Vec<_> = array.iter().map(|row| row.map(<[u8]>::to_vec)).collect();
                prop_assert_eq!(found, rows.clone());
                prop_assert!(column.is_empty());
            }
        }
    }
}
