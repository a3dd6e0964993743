//! What an adapter is and what it promises.

use serde::{Deserialize, Serialize};

/// Name and version of an exchange adapter, with what it promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// URI scheme, e.g. `sqlite`.
    pub scheme: &'static str,
    /// Version of the adapter package.
    pub version: &'static str,
    /// What works and what it promises.
    pub capability: Capability,
}

/// Which verbs work, and how far they can be relied on. The testkit checks it in both directions:
/// what is declared works, what is not declared returns [`Unsupported`](crate::Kind::Unsupported).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capability {
    /// `discover` lists datasets.
    pub discover: bool,
    /// `read` works.
    pub read: bool,
    /// `read` goes on from a position handed out earlier, in another process too.
    pub resume: bool,
    /// The same read gives the same records again.
    pub replay: bool,
    /// `Reader::commit` changes the source (acknowledges, deletes, moves an offset).
    pub acknowledge: bool,
    /// `write` works in mode append.
    pub append: bool,
    /// `write` works in mode upsert: the same key again replaces, so a repeated batch changes nothing.
    pub upsert: bool,
    /// `write` works in mode replace: the dataset holds exactly what was written, seen at once at close.
    pub replace: bool,
    /// A batch sent again under the same idempotency key is applied once.
    pub idempotent: bool,
    /// A watermark is stored in the transaction that makes the rows durable and can be read back.
    pub watermark: bool,
    /// Refusals come per record, not for the whole batch.
    pub per_record: bool,
    /// `call` works.
    pub call: bool,
}

/// What a format is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormatInfo {
    /// Name on the command line, e.g. `dbf`.
    pub name: &'static str,
    /// Version of the adapter package.
    pub version: &'static str,
    /// File extensions without the dot, lower case, most usual first.
    pub extensions: &'static [&'static str],
    /// Media types, most usual first.
    pub media_types: &'static [&'static str],
    /// Whether it decodes.
    pub read: bool,
    /// Whether it encodes.
    pub write: bool,
    /// Decoding needs the whole object by random access ([`Input::Object`](crate::Input)).
    pub whole_object: bool,
    /// The encoder patches bytes that it already gave out ([`Patch`](crate::Patch)).
    pub patches: bool,
    /// Extensions of files that belong to the main one (memo, code page), lower case.
    pub companions: &'static [&'static str],
    /// Options whose value is a file that the caller reads into an [`Attachment`](crate::Attachment).
    pub file_options: &'static [&'static str],
}
