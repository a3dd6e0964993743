//! Work that blocks, kept off the async threads, and never lost when the future that waits for it is dropped.

use fenhe_core::{Error, Kind, Result};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// A piece of work under way.
pub(crate) enum Job<T> {
    Running(JoinHandle<T>),
    Ready(T),
}

impl<T: Send + 'static> Job<T> {
    /// Starts the work on the runtime's blocking threads; without a runtime it is done at once, here.
    pub(crate) fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        match Handle::try_current() {
            Ok(runtime) => Job::Running(runtime.spawn_blocking(work)),
            Err(_) => Job::Ready(work()),
        }
    }
}

/// The outcome of the job in `slot`, which is empty afterwards. Cancel-safe: a job that is still running stays there.
pub(crate) async fn outcome<T: Send + 'static>(slot: &mut Option<Job<T>>) -> Result<Option<T>> {
    if let Some(Job::Running(handle)) = slot {
        let done = handle.await;
        *slot = None;
        return done.map(Some).map_err(ended);
    }
    Ok(slot.take().and_then(|job| match job {
        Job::Ready(value) => Some(value),
        Job::Running(_) => None,
    }))
}

/// Does the work and waits for it.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match Job::start(work) {
        Job::Ready(result) => result,
        Job::Running(handle) => handle.await.map_err(ended)?,
    }
}

fn ended(error: JoinError) -> Error {
    Error::new(Kind::Internal, "sql.task", "the task that talks to the database was ended")
        .caused_by(error)
}
