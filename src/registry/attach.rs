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
/// [`Kind::NotFound`] and other input/output errors, [`Kind::Limit`] for a file above 4 MiB,
/// [`Kind::Invalid`] for one that is neither UTF-8 nor GB 18030.
pub(super) fn files(options: &Options, info: &FormatInfo, base: &Path) -> Result<Options> {
    let mut read = options.clone();
    for option in info.file_options {
        if let Some(Value::String(name)) = options.get(option) {
            let attachment = attachment(name, base).map_err(|e| e.at_field(*option))?;
            let value = serde_json::json!({ "name": attachment.name, "text": attachment.text });
            read.set(*option, value);
        }
    }
    Ok(read)
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
