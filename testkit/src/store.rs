//! What every [`Store`] promises.

use bytes::Bytes;
use fenhe_core::{ByteStream, Kind, Store};

/// What a store declares that it can do, checked in both directions.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// `list`.
    pub list: bool,
    /// `open`.
    pub open: bool,
    /// `put`.
    pub put: bool,
    /// `rename`.
    pub rename: bool,
    /// `remove`.
    pub remove: bool,
    /// `ByteSink::patch`.
    pub patch: bool,
}

/// Checks a writable, empty store.
///
/// # Panics
/// On the first broken promise.
pub async fn conforms(store: &dyn Store, can: Abilities) {
    missing_is_not_found(store).await;
    if !can.put {
        refused(store.put("a.txt").await.map(drop));
        return;
    }
    puts_appear_whole_at_close(store).await;
    gets_from_any_byte(store).await;
    if can.patch {
        patches_before_close(store).await;
    }
    if can.list {
        lists_by_glob_in_order(store).await;
    } else {
        refused(store.list("*").await.map(drop));
    }
    if can.open {
        opens_for_random_access(store).await;
    } else {
        refused(store.open("a.txt").await.map(drop));
    }
    if can.rename {
        renames_over_what_is_there(store).await;
    } else {
        refused(store.rename("a.txt", "b.txt").await);
    }
    if can.remove {
        store.remove("a.txt").await.expect("remove");
        let gone = store.head("a.txt").await.expect_err("head after remove");
        assert_eq!(gone.kind(), Kind::NotFound, "{gone}");
    } else {
        refused(store.remove("a.txt").await);
    }
}

/// Writes one object whole.
///
/// # Panics
/// When the store refuses.
pub async fn put(store: &dyn Store, name: &str, bytes: &[u8]) {
    let mut sink = store.put(name).await.expect("put");
    sink.write(Bytes::copy_from_slice(bytes)).await.expect("write");
    sink.close().await.expect("close");
}

/// Reads one object from `from` to its end.
///
/// # Panics
/// When the store refuses, or gives an empty chunk.
pub async fn get(store: &dyn Store, name: &str, from: u64) -> Vec<u8> {
    let mut stream = store.get(name, from).await.expect("get");
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await.expect("next") {
        assert!(!chunk.is_empty(), "an empty chunk");
        all.extend_from_slice(&chunk);
    }
    assert!(stream.next().await.expect("next after the end").is_none(), "more after the end");
    all
}

fn refused(result: fenhe_core::Result<()>) {
    let error = result.expect_err("an undeclared ability works");
    assert_eq!(error.kind(), Kind::Unsupported, "{error}");
}

async fn missing_is_not_found(store: &dyn Store) {
    let head = store.head("missing.txt").await.expect_err("head of a missing object");
    assert_eq!(head.kind(), Kind::NotFound, "{head}");
    let got = match store.get("missing.txt", 0).await {
        Err(error) => error,
        Ok(mut stream) => stream.next().await.expect_err("a missing object has content"),
    };
    assert_eq!(got.kind(), Kind::NotFound, "{got}");
}

async fn puts_appear_whole_at_close(store: &dyn Store) {
    let mut sink = store.put("a.txt").await.expect("put");
    sink.write(Bytes::from_static(b"half")).await.expect("write");
    assert!(store.head("a.txt").await.is_err(), "an object is seen before close");
    drop(sink);
    assert!(store.head("a.txt").await.is_err(), "an aborted object is seen");
    put(store, "a.txt", "分合 one".as_bytes()).await;
    let entry = store.head("a.txt").await.expect("head");
    assert_eq!(entry.size, Some(10));
    put(store, "a.txt", "分合 two!".as_bytes()).await;
    assert_eq!(get(store, "a.txt", 0).await, "分合 two!".as_bytes(), "put replaces");
    put(store, "empty.txt", b"").await;
    assert_eq!(get(store, "empty.txt", 0).await, b"");
}

async fn gets_from_any_byte(store: &dyn Store) {
    let long: Vec<u8> = (0..3_000_000_u32).flat_map(|n| [n as u8, (n >> 8) as u8]).collect();
    put(store, "long.bin", &long).await;
    for from in [0, 1, 4_095, 65_536, 1 << 20, long.len() as u64 - 1, long.len() as u64] {
        let got = get(store, "long.bin", from).await;
        assert!(got == long[from as usize..], "other bytes from {from}");
    }
}

async fn patches_before_close(store: &dyn Store) {
    let mut sink = store.put("patched.bin").await.expect("put");
    sink.write(Bytes::from_static(b"count=??;rows")).await.expect("write");
    sink.patch(6, Bytes::from_static(b"42")).await.expect("patch");
    sink.write(Bytes::from_static(b".")).await.expect("write after patch");
    sink.sync().await.expect("sync");
    sink.close().await.expect("close");
    assert_eq!(get(store, "patched.bin", 0).await, b"count=42;rows.");
}

async fn lists_by_glob_in_order(store: &dyn Store) {
    for name in ["folder/2.csv", "folder/1.csv", "folder/数据.csv", "folder/1.txt"] {
        put(store, name, b"x").await;
    }
    let names =
        |entries: Vec<fenhe_core::Entry>| entries.into_iter().map(|e| e.name).collect::<Vec<_>>();
    let found = names(store.list("folder/*.csv").await.expect("list"));
    assert_eq!(found, ["folder/1.csv", "folder/2.csv", "folder/数据.csv"]);
    assert!(names(store.list("nothing/*").await.expect("list")).is_empty());
}

async fn opens_for_random_access(store: &dyn Store) {
    let object = store.open("a.txt").await.expect("open");
    assert_eq!(object.size(), 11);
    let mut buf = [0; 4];
    assert_eq!(object.read_at(7, &mut buf).expect("read_at"), 4);
    assert_eq!(&buf, b"two!");
    assert_eq!(object.read_at(11, &mut buf).expect("read_at the end"), 0);
}

async fn renames_over_what_is_there(store: &dyn Store) {
    put(store, "new.txt", b"new").await;
    put(store, "old.txt", b"old").await;
    store.rename("new.txt", "old.txt").await.expect("rename");
    assert_eq!(get(store, "old.txt", 0).await, b"new");
    let gone = store.head("new.txt").await.expect_err("the old name stays");
    assert_eq!(gone.kind(), Kind::NotFound, "{gone}");
}

/// Collects a byte stream.
///
/// # Panics
/// When the stream fails.
pub async fn collect(mut stream: Box<dyn ByteStream>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await.expect("next") {
        all.extend_from_slice(&chunk);
    }
    all
}
