//! Files that belong to a main file: `RK.DBF` has `RK.FPT`, or `rk.fpt`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fenhe_core::{Companion, Kind, ReadAt, Result, Store};

use super::spool::Copied;

/// Copies of companions whose place has no random access, by name: each is fetched once, for looking at the content and for
/// every reading. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copies(Arc<Mutex<BTreeMap<String, Arc<dyn ReadAt>>>>);

impl Copies {
    fn get(&self, name: &str) -> Option<Arc<dyn ReadAt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn put(&self, name: &str, copy: &Arc<dyn ReadAt>) {
        let mut copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        copies.insert(name.to_owned(), Arc::clone(copy));
    }
}

/// The companions of `name` that exist, opened.
pub(crate) async fn open(
    store: &dyn Store,
    name: &str,
    extensions: &[&str],
    copies: &Copies,
) -> Result<Vec<Companion>> {
    let mut found = Vec::new();
    if extensions.is_empty() {
        return Ok(found);
    }
    let (folder, stem, _) = parts(name);
    let pattern = format!("{folder}{}.*", any_case(stem));
    let entries = match store.list(&pattern).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == Kind::Unsupported => {
            return by_name(store, name, extensions, copies).await;
        }
        Err(error) => return Err(error),
    };
    for extension in extensions {
        let belongs = entries.iter().find(|entry| {
            let plain = entry.name.strip_suffix(".gz").or(entry.name.strip_suffix(".zst"));
            let (_, other, end) = parts(plain.unwrap_or(&entry.name));
            // `RK.OLD.FPT` belongs to `RK.OLD.DBF`.
            other.eq_ignore_ascii_case(stem) && end.eq_ignore_ascii_case(extension)
        });
        if let Some(entry) = belongs {
            let data = store.open(&entry.name).await?;
            found.push(Companion { extension: (*extension).into(), data });
        }
    }
    Ok(found)
}

/// The companions that a place without a list gives out when it is asked for them by name, in capitals or not.
async fn by_name(
    store: &dyn Store,
    name: &str,
    extensions: &[&str],
    copies: &Copies,
) -> Result<Vec<Companion>> {
    let (folder, stem, _) = parts(name);
    let mut found = Vec::new();
    for extension in extensions {
        let first = name_for(name, extension);
        let others = [extension.to_uppercase(), extension.to_lowercase()]
            .map(|extension| format!("{folder}{stem}.{extension}"));
        let others = others.into_iter().filter(|name| *name != first);
        for candidate in std::iter::once(first.clone()).chain(others) {
            if let Some(data) = fetch(store, &candidate, copies).await? {
                found.push(Companion { extension: (*extension).into(), data });
                break;
            }
        }
    }
    Ok(found)
}

/// The object with random access, through a temporary file where the place has none. `None`: it is not there, or not for us.
async fn fetch(store: &dyn Store, name: &str, copies: &Copies) -> Result<Option<Arc<dyn ReadAt>>> {
    if let Some(copy) = copies.get(name) {
        return Ok(Some(copy));
    }
    let mut stream = match store.get(name, 0).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Permission) => return Ok(None),
        Err(error) => return Err(error),
    };
    match store.open(name).await {
        Err(error) if error.kind() == Kind::Unsupported => {}
        opened => return opened.map(Some),
    }
    let mut copy = Copied::new()?;
    while let Some(chunk) = stream.next().await? {
        copy.add(&chunk)?;
    }
    let copy: Arc<dyn ReadAt> = Arc::new(copy);
    copies.put(name, &copy);
    Ok(Some(copy))
}

/// The name of a companion to be written, in capitals if the main file's extension is.
pub(crate) fn name_for(main: &str, extension: &str) -> String {
    let (folder, stem, own) = parts(main);
    let capitals = !own.is_empty() && own.chars().all(|c| !c.is_lowercase());
    let extension = if capitals { extension.to_uppercase() } else { extension.to_lowercase() };
    format!("{folder}{stem}.{extension}")
}

/// Folder with its slash, stem, and extension without the dot.
pub(crate) fn parts(name: &str) -> (&str, &str, &str) {
    let cut = name.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, file) = name.split_at(cut);
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (folder, stem, extension),
        _ => (folder, file, ""),
    }
}

/// A glob that matches the text in any case.
fn any_case(text: &str) -> String {
    let mut glob = String::new();
    for c in text.chars() {
        match c {
            _ if c.is_ascii_alphabetic() => {
                glob.extend(['[', c.to_ascii_uppercase(), c.to_ascii_lowercase(), ']']);
            }
            '*' | '?' | '[' => glob.extend(['[', c, ']']),
            _ => glob.push(c),
        }
    }
    glob
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use fenhe_core::{ByteStream, Entry, Error};

    use super::*;

    #[test]
    fn names_of_companions_follow_the_case_of_the_main_file() {
        assert_eq!(name_for("d/RK.DBF", "fpt"), "d/RK.FPT");
        assert_eq!(name_for("d/rk.dbf", "fpt"), "d/rk.fpt");
        assert_eq!(name_for("人口", "fpt"), "人口.fpt");
    }

    /// A place that gives out what it is asked for by name and has no list, as web servers are.
    #[derive(Debug)]
    struct Shelf(Vec<(&'static str, &'static [u8])>);

    #[derive(Debug)]
    struct Piece(Option<Bytes>);

    #[async_trait]
    impl ByteStream for Piece {
        async fn next(&mut self) -> Result<Option<Bytes>> {
            Ok(self.0.take())
        }
    }

    #[async_trait]
    impl Store for Shelf {
        fn scheme(&self) -> &'static str {
            "shelf"
        }

        async fn head(&self, name: &str) -> Result<Entry> {
            Ok(Entry { name: name.into(), size: None, version: String::new() })
        }

        async fn get(&self, name: &str, _from: u64) -> Result<Box<dyn ByteStream>> {
            let (_, bytes) = self
                .0
                .iter()
                .find(|(have, _)| *have == name)
                .ok_or_else(|| Error::new(Kind::NotFound, "shelf.absent", "not here"))?;
            Ok(Box::new(Piece(Some(Bytes::from_static(bytes)))))
        }
    }

    #[tokio::test]
    async fn a_place_without_a_list_is_asked_by_name_in_either_case() {
        let shelf = Shelf(vec![("d/RK.FPT", b"memo"), ("d/rk2.fpt", b"x"), ("d/Rk3.FPT", b"y")]);
        for (main, memo) in [("d/RK.DBF", "memo"), ("d/rk2.DBF", "x"), ("d/Rk3.dbf", "y")] {
            let found = open(&shelf, main, &["fpt", "dbt"], &Copies::default()).await.unwrap();
            assert_eq!(found.len(), 1, "{main}");
            assert_eq!(found[0].extension, "fpt");
            let mut bytes = [0; 9];
            let n = found[0].data.read_at(0, &mut bytes).unwrap();
            assert_eq!((&bytes[..n], found[0].data.size()), (memo.as_bytes(), n as u64));
            assert_eq!(found[0].data.read_at(1, &mut bytes[..2]).unwrap(), (n - 1).min(2));
        }
        assert!(
            open(&shelf, "d/other.dbf", &["fpt"], &Copies::default()).await.unwrap().is_empty()
        );
    }

    #[tokio::test]
    async fn files_of_longer_names_belong_to_others() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["RK.DBF", "RK.000001.FPT", "RK.OLD.FPT"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let store = fenhe_file::Files::new(fenhe_file::FilesConfig::new(folder.path())).unwrap();
        let copies = Copies::default();
        assert!(open(&store, "RK.DBF", &["fpt"], &copies).await.unwrap().is_empty());
        std::fs::write(folder.path().join("rk.fpt"), "memo").unwrap();
        let found = open(&store, "RK.DBF", &["fpt"], &copies).await.unwrap();
        assert_eq!((found.len(), found[0].data.size()), (1, 4));
    }

    #[test]
    fn a_glob_takes_special_characters_as_they_are() {
        assert_eq!(any_case("R1[a]"), "[Rr]1[[][Aa]]");
    }
}
