//! Zip archives: the directory, and one entry as a stream. Nothing is ever extracted to disk by its own name.

use std::io::{BufReader, Read, Seek, SeekFrom};

use fenhe_core::{Error, Kind, Limits, Result};
use zip::{CompressionMethod, ZipArchive, result::ZipError};

use crate::inflate::Inflated;
use crate::version::Watched;

/// One entry of a zip archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name: the bytes as UTF-8, else as GB18030, which is what Chinese Windows tools write.
    pub name: String,
    /// The bytes of the name as they stand in the archive.
    pub raw_name: Vec<u8>,
    /// Size in bytes, as the archive's directory says.
    pub size: u64,
    /// Bytes that it takes in the archive.
    pub compressed: u64,
    /// Whether it needs a password; such entries cannot be read.
    pub encrypted: bool,
    index: usize,
    method: CompressionMethod,
    crc: u32,
}

/// An open archive.
pub(crate) struct Archive {
    zip: ZipArchive<BufReader<Watched>>,
    pub(crate) members: Vec<Member>,
}

impl Archive {
    /// Reads the directory of an archive. Folders are no members.
    pub(crate) fn open(file: Watched, limits: &Limits) -> Result<Self> {
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        Limits::check("entries", limits.entries, zip.len() as u64)?;
        if zip.has_duplicate_names() {
            return Err(invalid("two entries of the archive have the same name"));
        }
        let mut members = Vec::with_capacity(zip.len());
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(damaged)?;
            if entry.is_dir() {
                continue;
            }
            members.push(Member {
                name: decode(entry.name_raw())?,
                raw_name: entry.name_raw().to_vec(),
                size: entry.size(),
                compressed: entry.compressed_size(),
                encrypted: entry.encrypted(),
                index,
                method: entry.compression(),
                crc: entry.crc32(),
            });
        }
        Ok(Self { zip, members })
    }

    /// The entry of this name; without a name the only one there is.
    pub(crate) fn find(&self, name: Option<&str>) -> Result<&Member> {
        if let Some(name) = name {
            return self.members.iter().find(|m| m.name == name).ok_or_else(|| {
                let known = fenhe_core::nearest(name, self.members.iter().map(|m| m.name.as_str()));
                let error =
                    Error::new(Kind::NotFound, "file.entry", "the archive has no such entry");
                match known {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint(self.names()),
                }
            });
        }
        // Archives made on a Mac carry a shadow of every file.
        let mut real = self.members.iter().filter(|m| !m.name.starts_with("__MACOSX/"));
        match (real.next(), real.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Error::new(Kind::NotFound, "file.entry", "the archive is empty")),
            _ => Err(Error::new(Kind::Config, "file.entries", "the archive holds several entries")
                .hint(self.names())),
        }
    }

    /// The content of a member.
    pub(crate) fn content(mut self, member: &Member, ratio: u64) -> Result<Inflated> {
        if member.encrypted {
            return Err(Error::new(
                Kind::Unsupported,
                "file.encrypted",
                "the entry needs a password",
            )
            .hint("unpack the archive with the tool that made it"));
        }
        let deflated = match member.method {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            _ => {
                return Err(Error::new(
                    Kind::Unsupported,
                    "file.zip_method",
                    "the entry is compressed by a method other than deflate",
                )
                .hint("pack it again with the usual method"));
            }
        };
        let start = self.zip.by_index_raw(member.index).map_err(damaged)?.data_start();
        let start =
            start.ok_or_else(|| invalid("the archive does not say where the entry starts"))?;
        let mut file = self.zip.into_inner().into_inner();
        file.seek(SeekFrom::Start(start))?;
        Ok(Inflated::entry(file.take(member.compressed), deflated, member.size, member.crc, ratio))
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.members.iter().take(8).map(|m| m.name.as_str()).collect();
        let more = if self.members.len() > names.len() { ", ..." } else { "" };
        format!("name one as archive.zip!/entry; there are: {}{more}", names.join(", "))
    }
}

fn decode(raw: &[u8]) -> Result<String> {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030
            .decode_without_bom_handling_and_without_replacement(raw)
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| invalid("the name of an entry is neither UTF-8 nor GB18030"))?,
    };
    if text.chars().any(char::is_control) {
        return Err(invalid("the name of an entry holds a control character"));
    }
    Ok(text)
}

fn damaged(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            crate::error::io(error, "")
        }
        ZipError::UnsupportedArchive(what) => {
            Error::new(Kind::Unsupported, "file.zip_unsupported", what)
        }
        error => Error::new(Kind::Invalid, "file.zip", "this is no zip archive, or a damaged one")
            .caused_by(error)
            .hint("copy it again in binary mode; set compression=none if it is no archive"),
    }
}

fn invalid(what: &str) -> Error {
    Error::new(Kind::Invalid, "file.zip", what)
}
