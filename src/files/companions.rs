//! Files that belong to a main file: `RK.DBF` has `RK.FPT`, or `rk.fpt`.

use fenhe_core::{Companion, Kind, Result, Store};

/// The companions of `name` that exist, opened.
pub(crate) async fn open(
    store: &dyn Store,
    name: &str,
    extensions: &[&str],
) -> Result<Vec<Companion>> {
    let mut found = Vec::new();
    if extensions.is_empty() {
        return Ok(found);
    }
    let (folder, stem, _) = parts(name);
    let pattern = format!("{folder}{}.*", any_case(stem));
    let entries = match store.list(&pattern).await {
        Ok(entries) => entries,
        // A place that cannot list has no companions to offer; a format that needs one says so.
        Err(error) if error.kind() == Kind::Unsupported => return Ok(found),
        Err(error) => return Err(error),
    };
    for extension in extensions {
        let belongs = entries.iter().find(|entry| {
            let plain = entry.name.strip_suffix(".gz").or(entry.name.strip_suffix(".zst"));
            let (_, _, other) = parts(plain.unwrap_or(&entry.name));
            other.eq_ignore_ascii_case(extension)
        });
        if let Some(entry) = belongs {
            let data = store.open(&entry.name).await?;
            found.push(Companion { extension: (*extension).into(), data });
        }
    }
    Ok(found)
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
    use super::*;

    #[test]
    fn names_of_companions_follow_the_case_of_the_main_file() {
        assert_eq!(name_for("d/RK.DBF", "fpt"), "d/RK.FPT");
        assert_eq!(name_for("d/rk.dbf", "fpt"), "d/rk.fpt");
        assert_eq!(name_for("人口", "fpt"), "人口.fpt");
    }

    #[test]
    fn a_glob_takes_special_characters_as_they_are() {
        assert_eq!(any_case("R1[a]"), "[Rr]1[[][Aa]]");
    }
}
