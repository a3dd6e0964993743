//! Which files a run reads and writes: none of them may destroy another.

use std::path::{Component, Path, PathBuf};

use fenhe_core::{Error, Kind, Result};

use crate::files::Files;
use crate::place::Place;

/// Links that are followed before a path counts as it is written.
const LINKS: u32 = 40;

/// What a run does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read,
    /// A database: rows of it are read or written, the file stays.
    Rows,
    /// It is written as a whole or appended to, and belongs to nobody else.
    Write,
}

/// The files of a run, by what they are for.
///
/// Two names are the same file when they lead to the same device and inode, or to the same path where nothing is
/// yet. Devices such as `/dev/null` may be named as often as one likes.
///
/// ```
/// use std::path::Path;
/// use fenhe::{Access, Claims};
/// let mut claims = Claims::default();
/// claims.add("TO", Path::new("out.csv"), Access::Write);
/// claims.add("the rejects", Path::new("./sub/../out.csv"), Access::Write);
/// assert_eq!(claims.check().unwrap_err().code(), "engine.same_file");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Claims {
    all: Vec<Claim>,
}

#[derive(Clone, Debug)]
struct Claim {
    role: String,
    path: PathBuf,
    access: Access,
    file: Option<Identity>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    Path(PathBuf),
}

/// Two claims that cannot both be met, by their numbers in the order of [`Claims::add`].
#[derive(Debug)]
pub(crate) struct Clash {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) error: Error,
}

impl Claims {
    /// Adds a file and what it is for, as people call it.
    pub fn add(&mut self, role: impl Into<String>, path: &Path, access: Access) {
        let claim =
            Claim { role: role.into(), path: path.into(), access, file: Identity::of(path) };
        self.all.push(claim);
    }

    /// Adds what is read at a place: the file, or the objects that a pattern matched, with their companions.
    ///
    /// # Errors
    /// Those of listing the objects.
    pub async fn add_source(
        &mut self,
        role: &str,
        place: &Place,
        files: Option<&Files>,
    ) -> Result<()> {
        self.add_place(role, place, Access::Read);
        let Some(files) = files.filter(|_| place.scheme() == "file") else { return Ok(()) };
        let folder = place.path();
        let text = folder.to_string_lossy();
        let fixed = text.find(['*', '?', '[']).map_or(&*text, |at| text.get(..at).unwrap_or("."));
        let folder = fixed.rfind('/').map_or("", |at| fixed.get(..=at).unwrap_or_default());
        for name in files.names().await? {
            let object = PathBuf::from(format!("{folder}{name}"));
            self.add(role, &object, Access::Read);
            for companion in beside(&object, files.companions()) {
                self.add(format!("{role} (with its companion)"), &companion, Access::Read);
            }
        }
        Ok(())
    }

    /// Adds what is written at a place, with the companions that the format may write.
    pub fn add_target(&mut self, role: &str, place: &Place, files: Option<&Files>) {
        let access = if files.is_some() { Access::Write } else { Access::Rows };
        self.add_place(role, place, access);
        let Some(files) = files.filter(|_| place.scheme() == "file") else { return };
        let main = place.path();
        for companion in files.companions_to_write(&main.to_string_lossy()) {
            let role = format!("{role} (with its companion)");
            self.add(role, Path::new(&companion), Access::Write);
        }
        for part in files.parts_to_write(&main) {
            self.add(format!("{role} (with its parts)"), &part, Access::Write);
        }
    }

    /// Refuses what would destroy a file.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `engine.same_file`.
    pub fn check(&self) -> Result<()> {
        self.clash().map_or(Ok(()), |clash| Err(clash.error))
    }

    /// The first two claims that cannot both be met.
    pub(crate) fn clash(&self) -> Option<Clash> {
        self.all.iter().enumerate().find_map(|(second, claim)| {
            let first = self.all.iter().take(second).position(|other| other.clashes(claim))?;
            let error = self.all.get(first)?.refused(claim);
            Some(Clash { first, second, error })
        })
    }

    /// Number of claims so far.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds the file of a place, if it is one.
    pub(crate) fn add_place(&mut self, role: &str, place: &Place, access: Access) {
        match place.scheme() {
            "file" => self.add(role, &outside_of_archives(place), access),
            "sqlite" => self.add(role, &place.path(), Access::Rows),
            _ => {}
        }
    }
}

impl Claim {
    fn clashes(&self, other: &Self) -> bool {
        let writes = self.access == Access::Write || other.access == Access::Write;
        writes && self.file.is_some() && self.file == other.file
    }

    fn refused(&self, other: &Self) -> Error {
        let message = format!("{} and {} are the same file", self.role, other.role);
        Error::new(Kind::Config, "engine.same_file", message)
            .source_name(other.path.display().to_string())
            .hint("name another file for one of them: it would be overwritten")
    }
}

impl Identity {
    /// `None` for what everybody may use at the same time.
    fn of(path: &Path) -> Option<Self> {
        let path = destination(path);
        let Ok(there) = std::fs::metadata(&path) else { return Some(Self::Path(path)) };
        if is_device(&there) {
            return None;
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(Self::Inode(there.dev(), there.ino()))
        }
        #[cfg(not(unix))]
        Some(Self::Path(path))
    }
}

fn is_device(there: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = there.file_type();
        kind.is_char_device() || kind.is_block_device()
    }
    #[cfg(not(unix))]
    {
        let _ = there;
        false
    }
}

/// Where a file is or will be: links followed, dots taken out.
pub(crate) fn destination(path: &Path) -> PathBuf {
    follow(path, LINKS)
}

fn follow(path: &Path, links: u32) -> PathBuf {
    if let (Ok(to), true) = (std::fs::read_link(path), links > 0) {
        let folder = path.parent().unwrap_or(Path::new(""));
        return follow(&folder.join(to), links - 1);
    }
    if let Ok(real) = std::fs::canonicalize(path) {
        return real;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    match (plain.parent(), plain.file_name()) {
        (Some(folder), Some(name)) => follow(folder, links).join(name),
        _ => plain,
    }
}

/// `a.zip!/b.csv` is in the file `a.zip`.
fn outside_of_archives(place: &Place) -> PathBuf {
    let path = place.path();
    let text = path.to_string_lossy();
    match text.split_once("!/") {
        Some((archive, _)) if !path.exists() => PathBuf::from(archive),
        _ => path,
    }
}

/// Files of the same folder and stem with one of these extensions, in any case.
fn beside(main: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let folder = main.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(stem), false) = (main.file_stem(), extensions.is_empty()) else { return Vec::new() };
    let Ok(items) = std::fs::read_dir(folder) else { return Vec::new() };
    let belongs = |path: &PathBuf| {
        let end = path.extension().unwrap_or_default().to_string_lossy();
        path.file_stem().is_some_and(|other| other.eq_ignore_ascii_case(stem))
            && extensions.iter().any(|extension| end.eq_ignore_ascii_case(extension))
    };
    items.flatten().map(|item| item.path()).filter(belongs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(names: [(&Path, Access); 2]) -> bool {
        let mut claims = Claims::default();
        for (path, access) in names {
            claims.add("x", path, access);
        }
        claims.check().is_err()
    }

    #[test]
    fn one_file_has_one_writer_and_no_reader_beside_it() {
        use Access::{Read, Rows, Write};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        std::fs::write(&file, "x").unwrap();
        for (one, other, refused) in [
            (Read, Read, false),
            (Read, Rows, false),
            (Rows, Rows, false),
            (Read, Write, true),
            (Write, Rows, true),
            (Write, Write, true),
        ] {
            assert_eq!(clash([(&file, one), (&file, other)]), refused, "{one:?} {other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_paths_that_are_not_there_yet_lead_to_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.csv"), "x").unwrap();
        std::fs::hard_link(at("a.csv"), at("hard.csv")).unwrap();
        std::os::unix::fs::symlink("a.csv", at("soft.csv")).unwrap();
        std::os::unix::fs::symlink("later.csv", at("dangling.csv")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at("folder")).unwrap();
        for (one, other) in [
            ("a.csv", "hard.csv"),
            ("a.csv", "soft.csv"),
            ("later.csv", "dangling.csv"),
            ("new/x.csv", "folder/new/y/../x.csv"),
        ] {
            let pair = [(&*at(one), Access::Read), (&*at(other), Access::Write)];
            assert!(clash(pair), "{one} {other}");
        }
        let other = [(&*at("a.csv"), Access::Read), (&*at("b.csv"), Access::Write)];
        assert!(!clash(other));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_may_be_named_twice() {
        let null = Path::new("/dev/null");
        assert!(!clash([(null, Access::Write), (null, Access::Write)]));
    }
}
