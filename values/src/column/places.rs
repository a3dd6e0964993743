//! Where the field of a row stands in the source.

/// Where the field of a row stands: the two kinds of [`Spans`](crate::Spans), each with loops of its own.
pub(super) trait Places {
    fn place(&self, row: usize) -> (usize, usize);
}

/// [`Spans::Listed`](crate::Spans::Listed), from the first entry on.
pub(super) struct Listed<'a> {
    pub(super) starts: &'a [u32],
    pub(super) ends: &'a [u32],
    pub(super) skip: u32,
    pub(super) stride: usize,
}

/// [`Spans::Fixed`](crate::Spans::Fixed).
pub(super) struct Fixed {
    pub(super) first: usize,
    pub(super) record: usize,
    pub(super) length: usize,
}

impl Places for Listed<'_> {
    #[inline(always)]
    fn place(&self, row: usize) -> (usize, usize) {
        let at = row.wrapping_mul(self.stride);
        match (self.starts.get(at), self.ends.get(at)) {
            (Some(&start), Some(&end)) => (start.wrapping_add(self.skip) as usize, end as usize),
            _ => (0, usize::MAX),
        }
    }
}

impl Places for Fixed {
    #[inline(always)]
    fn place(&self, row: usize) -> (usize, usize) {
        let start = self.first.wrapping_add(row.wrapping_mul(self.record));
        (start, start.wrapping_add(self.length))
    }
}
