//! What identifies the content of an object, cheaply enough for every run.

use bytes::{Bytes, BytesMut};
use fenhe_core::{ByteStream, Entry, Result, Store};
use sha2::{Digest, Sha256};

/// Bytes looked at from each end.
const END: u64 = 64 << 10;

/// One object that is read, with what identifies its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) entry: Entry,
    /// Size and digest of both ends; where they are not all of it, the version that the store gives as well,
    /// so that a change in the middle is a change. Empty for what can be read only once.
    pub(crate) fingerprint: String,
}

impl Object {
    pub(crate) async fn look(store: &dyn Store, entry: Entry, once: bool) -> Result<Self> {
        let fingerprint = match once {
            true => String::new(),
            false => fingerprint(store, &entry).await?,
        };
        Ok(Self { entry, fingerprint })
    }
}

async fn fingerprint(store: &dyn Store, entry: &Entry) -> Result<String> {
    let mut hash = Sha256::new();
    let mut head = store.get(&entry.name, 0).await?;
    hash.update(start_of(&mut *head, END).await?);
    drop(head);
    match entry.size {
        Some(size) if size > END => {
            let tail_from = size.saturating_sub(END).max(END);
            let mut tail = store.get(&entry.name, tail_from).await?;
            hash.update(start_of(&mut *tail, END).await?);
            if size > 2 * END {
                hash.update(entry.version.as_bytes());
            }
        }
        Some(_) => {}
        None => hash.update(entry.version.as_bytes()),
    }
    let digest: String = hex::encode(hash.finalize()).chars().take(32).collect();
    Ok(match entry.size {
        Some(size) => format!("{size}-{digest}"),
        None => digest,
    })
}

/// The first `limit` bytes of a stream, fewer if it is shorter.
pub(crate) async fn start_of(stream: &mut dyn ByteStream, limit: u64) -> Result<Bytes> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::new();
    while bytes.len() < limit {
        match stream.next().await? {
            Some(chunk) => bytes.extend_from_slice(&chunk),
            None => break,
        }
    }
    bytes.truncate(limit);
    Ok(bytes.freeze())
}

/// One fingerprint for several objects; that of the only one as it is.
pub(crate) fn together(objects: &[Object]) -> String {
    match objects {
        [only] => only.fingerprint.clone(),
        all if all.iter().any(|object| object.fingerprint.is_empty()) => String::new(),
        all => {
            let mut hash = Sha256::new();
            for object in all {
                hash.update(object.entry.name.as_bytes());
                hash.update([0]);
                hash.update(object.fingerprint.as_bytes());
                hash.update([0]);
            }
            let digest: String = hex::encode(hash.finalize()).chars().take(32).collect();
            format!("{}x-{digest}", all.len())
        }
    }
}
