//! `exchange.toml`: what to move from where to where. Every error points at line and column.

mod books;
mod build;
mod contract;
mod fields;
mod grammar;
mod reference;

use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Located, Result};

use grammar::Text;

pub use build::{Prepared, Settings, usual_mode, write_mode};

/// A configuration of this size is a mistake. 1 MiB.
const LARGEST: u64 = 1 << 20;

/// An exchange as written in a TOML file. `docs/exchange.md` is the reference.
///
/// ```
/// use fenhe::ExchangeConfig;
/// let text = "[[flow]]\nname = \"people\"\nfrm = \"RK.DBF\"\nto = \"null:\"\n";
/// let error = ExchangeConfig::parse(text, "exchange.toml", std::path::Path::new("")).unwrap_err();
/// assert_eq!(error.line(), Some((3, 1)));
/// assert!(error.to_string().contains("did you mean from?"), "{error}");
/// ```
#[derive(Clone, Debug)]
pub struct ExchangeConfig {
    name: String,
    base: PathBuf,
    source: Located,
    text: Text,
}

impl ExchangeConfig {
    /// Reads a file. Relative paths in it count from its folder.
    ///
    /// # Errors
    /// Input/output errors, and those of [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let named = |error: std::io::Error| Error::from(error).source_name(shown.clone());
        let size = std::fs::metadata(path).map_err(named)?.len();
        if size > LARGEST {
            return Err(Error::limit("configuration", LARGEST, size).source_name(shown));
        }
        let bytes = std::fs::read(path).map_err(named)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::new(Kind::Config, "exchange.encoding", "the configuration is not UTF-8")
                .source_name(shown.clone())
                .hint("save it as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Self::parse(text, &shown, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a configuration that is known as `name` and whose relative paths count from `base`.
    ///
    /// # Errors
    /// [`Kind::Config`] with line and column: `exchange.toml` for what is no TOML or has an unknown or missing
    /// name, other codes `exchange.*` for what contradicts itself.
    pub fn parse(text: &str, name: &str, base: &Path) -> Result<Self> {
        let source = Located::new(name, text);
        let parsed: Text = toml::from_str(text)
            .map_err(|e| source.reader(e.span(), "exchange.toml", e.message()))?;
        let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let own = parsed.name.as_ref().map(|name| name.get_ref().clone());
        let mut config = Self {
            name: own.or(stem).unwrap_or_default(),
            base: base.into(),
            source,
            text: parsed,
        };
        config.spread()?;
        config.check_names()?;
        config.check_workbook()?;
        Ok(config)
    }

    /// Name of the exchange: as written, else that of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of the configuration.
    pub fn file(&self) -> PathBuf {
        let path = PathBuf::from(self.source.name());
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Where the receipt goes.
    pub fn receipt(&self) -> PathBuf {
        self.beside(self.text.receipt.as_deref(), "receipt.json")
    }

    /// Where the rejects go, record by record, before anything else: beside the workbook if one is asked for.
    pub fn rejects(&self) -> PathBuf {
        let path = self.beside(self.given_rejects(), "rejects.ndjson");
        match self.wants_workbook() {
            true => PathBuf::from(format!("{}.ndjson", path.display())),
            false => path,
        }
    }

    /// Where the rejects of a flow go once more, as a workbook to be corrected: `rejects = "bad.xlsx"`. Each of several
    /// flows has one of its own, `bad.FLOW.xlsx`, because its columns are its own.
    pub fn reject_workbook(&self, flow: &str) -> Option<PathBuf> {
        let path = self.base.join(self.given_rejects().filter(|_| self.wants_workbook())?);
        if self.text.flow.len() == 1 {
            return Some(path);
        }
        let stem = path.file_stem()?.to_string_lossy();
        let end = path.extension()?.to_string_lossy();
        Some(path.with_file_name(format!("{stem}.{flow}.{end}")))
    }

    fn given_rejects(&self) -> Option<&str> {
        self.text.rejects.as_ref().map(|path| path.get_ref().as_str())
    }

    fn wants_workbook(&self) -> bool {
        let end = self.given_rejects().and_then(|path| Path::new(path).extension());
        end.is_some_and(|end| end.eq_ignore_ascii_case("xlsx"))
    }

    /// Names of the flows, in the order in which they run.
    pub fn flows(&self) -> impl Iterator<Item = &str> {
        self.text.flow.iter().map(|flow| flow.get_ref().name.get_ref().as_str())
    }

    fn beside(&self, given: Option<&str>, end: &str) -> PathBuf {
        match given {
            Some(path) => self.base.join(path),
            None => self.base.join(format!("{}.{end}", self.name)),
        }
    }

    fn check_workbook(&self) -> Result<()> {
        let Some(path) = self.text.rejects.as_ref().filter(|_| self.wants_workbook()) else {
            return Ok(());
        };
        if cfg!(feature = "excel") {
            return Ok(());
        }
        let message = "this build makes no workbooks: the feature excel is off";
        let error = self.source.at(path.span(), "exchange.rejects", message);
        Err(error.hint("name a file that ends in .ndjson"))
    }

    fn check_names(&self) -> Result<()> {
        let at = |span, code, message: String| Err(self.source.at(span, code, message));
        if self.text.flow.is_empty() {
            return at(0..0, "exchange.empty", "there is no [[flow]]".into());
        }
        let mut seen: Vec<&str> = Vec::new();
        for flow in &self.text.flow {
            let name = &flow.get_ref().name;
            let plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | ':');
            if name.get_ref().is_empty() || !name.get_ref().chars().all(plain) {
                return at(
                    name.span(),
                    "exchange.name",
                    "a flow needs a name without / \\ :".into(),
                );
            }
            if seen.contains(&name.get_ref().as_str()) {
                return at(
                    name.span(),
                    "exchange.name",
                    format!("two flows are called {}", name.get_ref()),
                );
            }
            seen.push(name.get_ref());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
