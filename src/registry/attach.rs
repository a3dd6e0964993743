//! Options that name a file: the file is read here, because formats do no input of their own.

use std::path::Path;

use fenhe_core::{Attachment, Error, FormatInfo, Kind, Options, Result};
use fenhe_text::Encoding;
use serde_json::Value;

use crate::place::Place;

/// A layout or copybook above this size is none.
const LARGEST: u64 = 4 << 20;

/// The options with every named file read, relative to `base`.
///
/// # Errors
/// [`Kind::Config`] with code `registry.attachment` for a file that cannot be read, is above 4 MiB, or is neither UTF-8
/// nor GB 18030.
pub(super) fn files(options: &Options, info: &FormatInfo, base: &Path) -> Result<Options> {
    let mut read = options.clone();
    for option in info.file_options {
        if let Some(Value::String(name)) = options.get(option) {
            let attachment = attachment(name, base).map_err(|error| unreadable(error, option))?;
            let value = serde_json::json!({ "name": attachment.name, "text": attachment.text });
            read.set(*option, value);
        }
    }
    Ok(read)
}

/// Refuses an encoding that nobody knows, whatever the format.
///
/// # Errors
/// [`Kind::Config`] with code `core.option`.
pub(super) fn encoding(options: &Options) -> Result<()> {
    let Some(Value::String(label)) = options.get("encoding") else { return Ok(()) };
    match Encoding::for_label(label) {
        Some(_) => Ok(()),
        None => {
            Err(Error::new(Kind::Config, "core.option", format!("there is no encoding {label}"))
                .at_field("encoding")
                .hint("usual ones are utf-8, gbk, gb18030, big5, shift_jis, windows-1252, ibm037"))
        }
    }
}

/// The person can put it right: it is an error of configuration, whatever the system says.
fn unreadable(error: Error, option: &str) -> Error {
    let message = match error.kind() {
        Kind::NotFound => "there is no such file".to_owned(),
        _ => error.message().to_owned(),
    };
    let hint = match error.kind() {
        Kind::NotFound => {
            "relative paths count from the folder of the configuration, on the command line from the working directory"
        }
        _ => "name a text file",
    };
    let name = error.source_name_of().unwrap_or_default().to_owned();
    Error::new(Kind::Config, "registry.attachment", message)
        .source_name(name)
        .at_field(option.to_owned())
        .hint(hint)
        .caused_by(error)
}

fn attachment(name: &str, base: &Path) -> Result<Attachment> {
    let path = Place::relative_to(name, base).path();
    let named = |error: Error| error.source_name(name.to_owned());
    let size = std::fs::metadata(&path).map_err(|e| named(e.into()))?.len();
    if size > LARGEST {
        return Err(named(Error::limit("attachment", LARGEST, size)));
    }
    let bytes = std::fs::read(&path).map_err(|e| named(e.into()))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => match Encoding::GB18030.decode(bytes) {
            Ok(text) => text.into_owned(),
            Err(_) => {
                return Err(named(Error::new(
                    Kind::Invalid,
                    "registry.attachment",
                    "the file is neither UTF-8 nor GB 18030 text",
                )));
            }
        },
    };
    Ok(Attachment { name: name.into(), text })
}
