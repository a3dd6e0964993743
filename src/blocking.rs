//! The engine for callers without a runtime: one of their own, with as many threads as they say.

use std::future::Future;

use fenhe_core::{Batch, Exchange, ReadRequest, Reader, Result};

/// A runtime for callers that are not asynchronous.
///
/// ```
/// use fenhe::{Opening, Place, Registry, blocking::Blocking};
/// let blocking = Blocking::new(1)?;
/// let registry = Registry::with_defaults();
/// let place = Place::parse("examples/registry/data/RK.DBF");
/// let source = blocking.wait(registry.source(&place, &Opening::default()))?;
/// let mut rows = 0;
/// for batch in blocking.read(&source.input.exchange, Default::default())? {
///     rows += batch?.rows();
/// }
/// assert_eq!(rows, 294);
/// # Ok::<(), fenhe::core::Error>(())
/// ```
#[derive(Debug)]
pub struct Blocking {
    runtime: tokio::runtime::Runtime,
}

impl Blocking {
    /// A runtime with so many worker threads; 0 counts as 1.
    ///
    /// # Errors
    /// Those of the operating system when it has no threads to give.
    pub fn new(threads: usize) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .enable_all()
            .build()?;
        Ok(Self { runtime })
    }

    /// Waits for the end of `future`. Must not be called from asynchronous code.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The batches of a dataset, one after the other.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn read(&self, exchange: &dyn Exchange, request: ReadRequest) -> Result<Batches<'_>> {
        let reader = self.wait(exchange.read(request))?;
        Ok(Batches { blocking: self, reader })
    }
}

/// An iterator over the batches of a dataset. After an error or the end it stays there.
pub struct Batches<'a> {
    blocking: &'a Blocking,
    reader: Box<dyn Reader>,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.blocking.wait(self.reader.next()).transpose()
    }
}

impl std::fmt::Debug for Batches<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}
