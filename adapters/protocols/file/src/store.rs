use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fenhe_core::{ByteSink, ByteStream, Companion, Entry, Error, Kind, ReadAt, Result, Store};
use fenhe_kernels::ChunkPool;

use crate::archive::{Archive, Member};
use crate::blocking::run;
use crate::inflate::{Codec, Inflated, behind_the_end};
use crate::list::{self, Glob};
use crate::name::{self, IN_ARCHIVE, Name};
use crate::part::{Part, sync_folder_of};
use crate::random::FileAt;
use crate::root::Root;
use crate::sink::{FileSink, Work};
use crate::stream::{Content, FileStream};
use crate::version::Watched;
use crate::{Compression, FilesConfig, Symlinks, error};

/// Files below a folder.
///
/// ```
/// use fenhe_core::Store;
/// use fenhe_file::{Files, FilesConfig};
/// # fn main() -> fenhe_core::Result<()> {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// let files = Files::new(FilesConfig::new(folder.path()))?;
/// let mut sink = files.put("2024/费用.csv.gz").await?;
/// sink.write("编号,金额\n1,2.50\n".into()).await?;
/// sink.close().await?;
/// let mut stream = files.get("2024/费用.csv.gz", 0).await?;
/// assert_eq!(stream.next().await?.unwrap(), "编号,金额\n1,2.50\n");
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: FilesConfig,
    root: Root,
    pool: ChunkPool,
}

impl Files {
    /// Files below `config.root`. Nothing is read yet.
    ///
    /// # Errors
    /// [`Kind::Config`] for figures out of range.
    pub fn new(config: FilesConfig) -> Result<Self> {
        config.check()?;
        let root = Root::new(&config);
        let pool = ChunkPool::with_headroom(config.chunk_bytes, 0);
        Ok(Self { inner: Arc::new(Inner { config, root, pool }) })
    }

    /// The store and the name for a path that a person gave: the folder becomes the root, links are
    /// followed, `folder/archive.zip!/entry.csv` and globs work.
    ///
    /// ```
    /// let (_, name) = fenhe_file::Files::at("in/2024.zip!/表/费用.csv").unwrap();
    /// assert_eq!(name, "2024.zip!/表/费用.csv");
    /// let (_, name) = fenhe_file::Files::at("in/*/RK.DBF").unwrap();
    /// assert_eq!(name, "*/RK.DBF");
    /// ```
    ///
    /// # Errors
    /// [`Kind::Config`] when the path ends in a slash.
    pub fn at(path: &str) -> Result<(Self, String)> {
        let file = name::split(path).filter(|_| !Path::new(path).exists()).map_or(path, |(f, _)| f);
        let fixed = match file.find(['*', '?', '[']) {
            Some(wild) if !Path::new(file).exists() => file.get(..wild).unwrap_or_default(),
            _ => file,
        };
        let cut = fixed.rfind('/').map_or(0, |slash| slash + 1);
        let (folder, name) = path.split_at(cut);
        if name.is_empty() {
            return Err(error::folder().source_name(path));
        }
        let mut config = FilesConfig::new(if folder.is_empty() { "." } else { folder });
        config.symlinks = Symlinks::Follow;
        Ok((Self::new(config)?, name.into()))
    }

    /// The configuration.
    pub fn config(&self) -> &FilesConfig {
        &self.inner.config
    }

    /// The entries of a zip archive, in the order of its directory.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for what is no archive, [`Kind::Limit`] for one with too many entries.
    pub async fn members(&self, archive: &str) -> Result<Vec<Member>> {
        let (inner, archive) = (Arc::clone(&self.inner), archive.to_owned());
        run(move || {
            let name = Name::parse(&archive, false)?;
            Ok(inner.archive(&name)?.members)
        })
        .await
    }

    /// The names of the files that belong to `name`: the same folder (or archive) and stem, one of these
    /// extensions, in any case. `RK.DBF` has the companion `rk.fpt`, or `RK.FPT.gz`.
    ///
    /// # Errors
    /// Those of [`Store::list`].
    pub async fn companions(
        &self,
        name: &str,
        extensions: &[&str],
    ) -> Result<Vec<(String, String)>> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        let extensions: Vec<String> = extensions.iter().map(|e| e.to_lowercase()).collect();
        run(move || inner.companions(&name, &extensions)).await
    }

    /// The companions of `name`, opened for a decoder.
    ///
    /// # Errors
    /// Those of [`companions`](Self::companions) and [`Store::open`].
    pub async fn open_companions(&self, name: &str, extensions: &[&str]) -> Result<Vec<Companion>> {
        let mut opened = Vec::new();
        for (extension, name) in self.companions(name, extensions).await? {
            opened.push(Companion { extension, data: self.open(&name).await? });
        }
        Ok(opened)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for Files {
    fn scheme(&self) -> &'static str {
        "file"
    }

    async fn list(&self, glob: &str) -> Result<Vec<Entry>> {
        let (inner, glob) = (Arc::clone(&self.inner), glob.to_owned());
        run(move || inner.list(&glob)).await
    }

    async fn head(&self, name: &str) -> Result<Entry> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        run(move || inner.head(&name)).await
    }

    async fn get(&self, name: &str, from: u64) -> Result<Box<dyn ByteStream>> {
        let (inner, object) = (Arc::clone(&self.inner), name.to_owned());
        let content = run(move || inner.content(&object, from)).await?;
        Ok(Box::new(FileStream::new(content, self.inner.pool.clone(), name.into())))
    }

    async fn open(&self, name: &str) -> Result<Arc<dyn ReadAt>> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        run(move || {
            let object = match inner.content(&name, 0)? {
                Content::Plain(file) if file.version().is_some() => FileAt::new(file, &name)?,
                content => FileAt::spool(content, &name, &inner.config)?,
            };
            Ok(Arc::new(object) as Arc<dyn ReadAt>)
        })
        .await
    }

    async fn put(&self, name: &str) -> Result<Box<dyn ByteSink>> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        let work = run(move || {
            let checked = inner.plain_file(&name, "put")?;
            if inner.sees_through() && name::has_extension(&checked.file, ".zip") {
                return Err(Error::unsupported("a zip archive", "put").hint(
                    "write .gz or .zst, or set compression=none to copy an archive as it is",
                ));
            }
            let target = inner.root.target(&checked.file)?;
            Work::new(
                Part::create(target, &name)?,
                inner.codec(&checked),
                inner.config.level,
                &name,
            )
        })
        .await?;
        Ok(Box::new(FileSink::new(work)))
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (inner, from, to) = (Arc::clone(&self.inner), from.to_owned(), to.to_owned());
        run(move || {
            let source = inner.root.existing(&inner.plain_file(&from, "rename")?.file)?;
            let target = inner.root.target(&inner.plain_file(&to, "rename")?.file)?;
            fs::rename(&source, &target).map_err(|e| error::io(e, &from))?;
            sync_folder_of(&target)
                .and_then(|()| sync_folder_of(&source))
                .map_err(|e| error::io(e, &to))
        })
        .await
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        run(move || {
            let path = inner.root.existing(&inner.plain_file(&name, "remove")?.file)?;
            fs::remove_file(&path)
                .and_then(|()| sync_folder_of(&path))
                .map_err(|e| error::io(e, &name))
        })
        .await
    }
}

impl Inner {
    fn sees_through(&self) -> bool {
        self.config.compression == Compression::Auto
    }

    fn parse(&self, name: &str) -> Result<Name> {
        let mut name = Name::parse(name, self.sees_through())?;
        // A folder may have such a name, too.
        if let Some(entry) = &name.entry {
            let whole = format!("{}{IN_ARCHIVE}{entry}", name.file);
            if self.root.folder.join(&whole).exists() {
                name = Name::parse(&whole, false)?;
            }
        }
        Ok(name)
    }

    fn plain_file(&self, name: &str, verb: &str) -> Result<Name> {
        let parsed = self.parse(name)?;
        match parsed.entry {
            None => Ok(parsed),
            Some(_) => Err(Error::unsupported("an entry of an archive", verb).source_name(name)),
        }
    }

    fn codec(&self, name: &Name) -> Option<Codec> {
        Codec::of(&name.file).filter(|_| self.sees_through() && name.entry.is_none())
    }

    fn is_archive(&self, name: &Name) -> bool {
        self.sees_through() && name::has_extension(&name.file, ".zip")
    }

    fn file(&self, name: &Name) -> Result<Watched> {
        let failed = |e| error::io(e, &name.file);
        let file = File::open(self.root.existing(&name.file)?).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(error::folder().source_name(&*name.file));
        }
        Watched::new(file).map_err(failed)
    }

    fn archive(&self, name: &Name) -> Result<Archive> {
        Archive::open(self.file(name)?, &self.config.limits)
            .map_err(|e| if e.source_name_of().is_some() { e } else { e.source_name(&*name.file) })
    }

    fn head(&self, name: &str) -> Result<Entry> {
        let parsed = self.parse(name)?;
        let file = self.file(&parsed)?;
        let metadata = file.file.metadata().map_err(|e| error::io(e, name))?;
        let mut entry = list::entry(name, &metadata);
        if self.codec(&parsed).is_some() {
            entry.size = None;
        } else if self.is_archive(&parsed) {
            let archive = Archive::open(file, &self.config.limits)?;
            entry.size = Some(archive.find(parsed.entry.as_deref())?.size);
        }
        Ok(entry)
    }

    fn list(&self, glob: &str) -> Result<Vec<Entry>> {
        if let Some((archive, entries)) = name::split(glob).filter(|_| self.sees_through()) {
            return self.list_archive(archive, entries);
        }
        let mut found = list::files(&self.root, &Glob::parse(glob)?)?;
        for entry in &mut found {
            let name = Name { file: entry.name.clone(), entry: None };
            if self.codec(&name).is_some() || self.is_archive(&name) {
                entry.size = None;
            }
        }
        Ok(found)
    }

    fn list_archive(&self, archive: &str, entries: &str) -> Result<Vec<Entry>> {
        let (name, glob) = (Name::parse(archive, false)?, Glob::parse(entries)?);
        let file = self.file(&name)?;
        let version = file.version().map(|v| v.text()).unwrap_or_default();
        let members = Archive::open(file, &self.config.limits)?.members;
        let mut found: Vec<_> = members
            .into_iter()
            .filter(|m| glob.matches(&m.name))
            .map(|m| Entry {
                name: format!("{}{IN_ARCHIVE}{}", name.file, m.name),
                size: Some(m.size),
                version: version.clone(),
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn content(&self, name: &str, from: u64) -> Result<Content> {
        let parsed = self.parse(name)?;
        let failed = |e| error::io(e, name);
        if self.is_archive(&parsed) {
            let archive = self.archive(&parsed)?;
            let member =
                archive.find(parsed.entry.as_deref()).map_err(|e| e.source_name(name))?.clone();
            let content = archive.content(&member, self.config.limits.inflate_ratio);
            return skipped(content.map_err(|e| e.source_name(name))?, from, name);
        }
        let mut file = self.file(&parsed)?;
        if let Some(codec) = self.codec(&parsed) {
            let stream = Inflated::stream(file, codec, self.config.stream_ratio).map_err(failed)?;
            return skipped(stream, from, name);
        }
        match file.version() {
            Some(version) if from > version.size => behind_the_end(from)?,
            Some(_) => drop(file.seek(SeekFrom::Start(from)).map_err(failed)?),
            None if from > 0 => {
                return Err(Error::new(
                    Kind::Unsupported,
                    "file.pipe",
                    "a pipe cannot be read from its middle",
                )
                .source_name(name));
            }
            None => {}
        }
        Ok(Content::Plain(file))
    }

    fn companions(&self, name: &str, extensions: &[String]) -> Result<Vec<(String, String)>> {
        let parsed = self.parse(name)?;
        let (prefix, object) = match &parsed.entry {
            Some(entry) => (format!("{}{IN_ARCHIVE}", parsed.file), entry.as_str()),
            None => (String::new(), parsed.file.as_str()),
        };
        let folder = object.rfind('/').map_or("", |slash| object.get(..=slash).unwrap_or_default());
        let own = stem_and_extension(object.get(folder.len()..).unwrap_or_default());
        let glob = format!("{prefix}{}*", glob::Pattern::escape(folder));
        let siblings = self.list(&glob)?;
        let mut found = Vec::new();
        for extension in extensions {
            let fits = siblings.iter().filter(|entry| {
                let file = entry.name.get(prefix.len() + folder.len()..).unwrap_or_default();
                let (stem, ending) = stem_and_extension(file);
                ending.to_lowercase() == *extension && stem.to_lowercase() == own.0.to_lowercase()
            });
            // Of RK.FPT and rk.fpt the one that is spelled like RK.DBF.
            let like = |entry: &&Entry| {
                let file = entry.name.get(prefix.len() + folder.len()..).unwrap_or_default();
                !file.starts_with(own.0)
            };
            if let Some(entry) = fits.min_by_key(like) {
                found.push((extension.clone(), entry.name.clone()));
            }
        }
        Ok(found)
    }
}

/// `RK.DBF.gz` as `(RK, DBF)`.
fn stem_and_extension(file: &str) -> (&str, &str) {
    let plain = match Codec::of(file) {
        Some(_) => file.rsplit_once('.').map_or(file, |(plain, _)| plain),
        None => file,
    };
    plain.rsplit_once('.').unwrap_or((plain, ""))
}

fn skipped(mut stream: Inflated, from: u64, name: &str) -> Result<Content> {
    let whole = stream.skip(from).map_err(|e| error::inflate(e, stream.format, name))?;
    if !whole {
        behind_the_end(from)?;
    }
    Ok(Content::Inflated(stream))
}
