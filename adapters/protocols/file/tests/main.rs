//! One test binary: conformance, names and links, compression, faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compressed;
mod conformance;
mod faults;
mod names;

use fenhe_core::Store;
use fenhe_file::{Files, FilesConfig};
use tempfile::TempDir;

fn folder() -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(FilesConfig::new(folder.path())).unwrap();
    (folder, files)
}

/// The whole content, or the error that ended it.
async fn read(store: &dyn Store, name: &str) -> fenhe_core::Result<Vec<u8>> {
    let mut stream = store.get(name, 0).await?;
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}
