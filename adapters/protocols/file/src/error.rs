//! Errors of the operating system and of decompressors, as core errors that say what to do.

use std::io;

use fenhe_core::{Error, Kind};

/// An error of the operating system while working on `name`.
pub(crate) fn io(error: io::Error, name: &str) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        // A core error that travelled through `std::io::Read`.
        if let Some(Ok(inner)) = error.into_inner().map(|inner| inner.downcast::<Error>()) {
            return named(*inner, name);
        }
        return named(Error::new(Kind::Internal, "file.error", "an error was lost"), name);
    }
    let kind = error.kind();
    let text = error.to_string();
    let mapped = match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::new(Kind::Io, "io.storage_full", text)
                .caused_by(error)
                .hint("make room and run again; nothing was left behind under the final name")
        }
        io::ErrorKind::IsADirectory => folder(),
        io::ErrorKind::NotADirectory => Error::new(Kind::NotFound, "io.not_found", text)
            .hint("check the name: a part of it is a file, not a folder"),
        io::ErrorKind::InvalidFilename => Error::new(Kind::Config, "file.name", text),
        io::ErrorKind::TimedOut => Error::new(Kind::Io, "io.timeout", text).caused_by(error),
        _ => Error::from(error),
    };
    named(mapped, name)
}

/// An error of a decompressor: broken data, not a broken disk.
pub(crate) fn inflate(error: io::Error, format: &str, name: &str) -> Error {
    match error.kind() {
        _ if error.get_ref().is_some_and(|inner| inner.is::<Error>()) => io(error, name),
        io::ErrorKind::UnexpectedEof => named(
            Error::new(
                Kind::Truncated,
                "file.compressed_truncated",
                format!("the {format} data end too early"),
            )
            .caused_by(error)
            .hint("the file was cut off: copy or make it again"),
            name,
        ),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => named(
            Error::new(Kind::Invalid, "file.compressed", format!("the {format} data are damaged"))
                .caused_by(error)
                .hint("set compression=none if the file is not compressed in spite of its name"),
            name,
        ),
        _ => io(error, name),
    }
}

/// A core error on its way through `std::io::Read`.
pub(crate) fn through_io(error: Error) -> io::Error {
    io::Error::other(error)
}

pub(crate) fn folder() -> Error {
    Error::new(Kind::Config, "file.folder", "this is a folder, not a file")
        .hint("name a file, or several with a pattern such as folder/*.DBF")
}

/// The task that did the work is gone.
pub(crate) fn task(error: tokio::task::JoinError) -> Error {
    Error::new(Kind::Internal, "file.task", "the task that reads or writes was ended")
        .caused_by(error)
}

fn named(error: Error, name: &str) -> Error {
    if error.source_name_of().is_some() { error } else { error.source_name(name) }
}
