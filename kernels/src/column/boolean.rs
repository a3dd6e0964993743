use arrow_array::BooleanArray;

use super::bits::Bits;
use crate::pool::Pools;

/// A column of true and false.
#[derive(Clone, Debug)]
pub struct BooleanColumn {
    values: Bits,
    present: Bits,
}

impl BooleanColumn {
    /// An empty column with room for `rows`.
    #[must_use]
    pub fn new(pools: &Pools, rows: usize) -> Self {
        Self { values: Bits::new(pools, rows), present: Bits::new(pools, rows) }
    }

    /// Rows.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a value.
    #[inline]
    pub fn append(&mut self, value: bool) {
        self.values.push(value);
        self.present.push(true);
    }

    /// Adds an absent value.
    #[inline]
    pub fn append_null(&mut self) {
        self.values.push(false);
        self.present.push(false);
    }

    /// Adds a value that may be absent.
    #[inline]
    pub fn append_option(&mut self, value: Option<bool>) {
        self.values.push(value.unwrap_or(false));
        self.present.push(value.is_some());
    }

    /// Adds `count` absent values.
    pub fn append_nulls(&mut self, count: usize) {
        self.values.push_many(false, count);
        self.present.push_many(false, count);
    }

    /// Takes back all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.present.truncate(rows);
    }

    /// Makes an array of the rows and starts again.
    pub fn finish(&mut self) -> BooleanArray {
        BooleanArray::new(self.values.finish(), self.present.finish_nulls())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_agree_with_a_vector_of_options(
            mut rows in proptest::collection::vec(any::<Option<bool>>(), 0..300), keep in 0usize..300
        ) {
            let mut column = BooleanColumn::new(&Pools::default(), 0);
            for _ in 0..2 {
                rows.iter().for_each(|row| column.append_option(*row));
                column.append_nulls(1);
                column.truncate(keep);
                rows.push(None);
                rows.truncate(keep);
                prop_assert_eq!(column.finish().iter().collect::<Vec<_>>(), rows.clone());
                prop_assert!(column.is_empty());
            }
        }
    }
}
