//! Test data that stands beside the repository.

use std::path::PathBuf;

/// The folder of a format in the shared test data: `FENHE_SHARED/data/<format>`, or `../shared/data/<format>`
/// beside the workspace. `None`, with a printed line, when it is not there: the test should return.
pub fn data(format: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("FENHE_SHARED") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    let folder = root.join("data").join(format);
    if folder.is_dir() {
        return Some(folder);
    }
    #[allow(clippy::print_stdout, reason = "a test that checked nothing has to say so")]
    {
        println!("skipped: shared data not present ({format})");
    }
    None
}
