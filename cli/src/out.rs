//! Standard output for data, standard error for messages.

use std::io::{ErrorKind, Write};

use fenhe::core::{Error, Kind, Result};

/// Code of the error that the reader of standard output is gone.
pub(crate) const CLOSED: &str = "stdio.closed";

/// Writes data.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => {
            Error::new(Kind::Io, CLOSED, "the reader of the output is gone").caused_by(error)
        }
        _ => error.into(),
    })
}

/// Writes JSON with its line end.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    data(&format!("{text}\n"))
}

/// Writes a message. There is nobody to tell when that fails.
pub(crate) fn message(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
}

/// Control characters out of data must not reach a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
