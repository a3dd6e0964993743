//! Ledger, source protection and several targets of one reading, as an exchange writes them.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use fenhe_core::{Error, Kind, Result, Secret};
use fenhe_ledger::{Algorithm, Ledger, Signer};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::ExchangeConfig;
use super::grammar::{FlowText, TargetText};
use crate::pump::{Hours, KeepRows, Protection};
use crate::run::ExchangeBooks;

/// `ledger`: a file, or a table about it.
#[derive(Clone, Debug, Default)]
pub(super) struct LedgerText {
    file: Option<PathBuf>,
    rows: Option<KeepRows>,
    hash: Algorithm,
    key_env: Option<Spanned<String>>,
    key_file: Option<Spanned<PathBuf>>,
    read_back: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerTable {
    file: Option<PathBuf>,
    rows: Option<KeepRows>,
    #[serde(default)]
    hash: Algorithm,
    key_env: Option<Spanned<String>>,
    key_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    read_back: bool,
}

impl<'de> Deserialize<'de> for LedgerText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = LedgerText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "a file, or a table with file, rows, hash, key_env, key_file, read_back",
                )
            }

            fn visit_str<E>(self, file: &str) -> std::result::Result<LedgerText, E> {
                Ok(LedgerText { file: Some(file.into()), ..LedgerText::default() })
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                map: A,
            ) -> std::result::Result<LedgerText, A::Error> {
                let table = LedgerTable::deserialize(MapAccessDeserializer::new(map))?;
                let LedgerTable { file, rows, hash, key_env, key_file, read_back } = table;
                Ok(LedgerText { file, rows, hash, key_env, key_file, read_back })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `[source]`: consideration for the source.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceText {
    rows_per_second: Option<NonZeroU64>,
    hours: Option<Hours>,
}

impl SourceText {
    /// What the flow says, else what the exchange says.
    pub(super) fn protection(&self, general: &Self) -> Protection {
        Protection {
            rows_per_second: self.rows_per_second.or(general.rows_per_second).map(NonZeroU64::get),
            hours: self.hours.or(general.hours),
        }
    }
}

impl ExchangeConfig {
    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        let given = self.text.ledger.as_ref().and_then(|ledger| ledger.get_ref().file.as_ref());
        match given {
            Some(file) => self.base.join(file),
            None => self.state().join("ledger.db"),
        }
    }

    /// What is kept of single rows, unless the target cannot show them anyway.
    pub(super) fn rows(&self, scheme: &str) -> KeepRows {
        let wanted = self.text.ledger.as_ref().and_then(|ledger| ledger.get_ref().rows);
        match scheme {
            "null" => wanted.unwrap_or(KeepRows::None),
            _ => wanted.unwrap_or(KeepRows::Each),
        }
    }

    /// The file that holds the key, if there is one.
    pub(super) fn key_file(&self) -> Option<PathBuf> {
        let file = self.text.ledger.as_ref()?.get_ref().key_file.as_ref()?;
        Some(self.base.join(file.get_ref()))
    }

    /// Whether every target is asked afterwards what it holds.
    pub(crate) fn reads_back(&self) -> bool {
        self.text.ledger.as_ref().is_some_and(|ledger| ledger.get_ref().read_back)
    }

    /// Folder of locks, and of the ledger unless it is elsewhere.
    fn state(&self) -> PathBuf {
        match &self.text.state {
            Some(folder) => self.base.join(folder),
            None => self.receipt().with_file_name(".fenhe"),
        }
    }

    /// Opens the ledger and the key.
    pub(crate) fn books(&self) -> Result<ExchangeBooks> {
        let text =
            self.text.ledger.as_ref().map(|ledger| ledger.get_ref().clone()).unwrap_or_default();
        // A wrong key leaves no ledger behind.
        let signer = self.signer()?;
        let ledger = Ledger::open(&self.ledger())?;
        Ok(ExchangeBooks { ledger, algorithm: text.hash, signer })
    }

    /// The key of the receipts is one, as far as it is at hand: a variable may be set only where the exchange runs.
    pub(super) fn check_key(&self) -> Result<()> {
        match self.signer() {
            Err(error) if error.code() == NO_VARIABLE => Ok(()),
            signer => signer.map(drop),
        }
    }

    /// What signs the receipts; errors point at the key that names it.
    fn signer(&self) -> Result<Option<Signer>> {
        let Some(text) = self.text.ledger.as_ref().map(Spanned::get_ref) else { return Ok(None) };
        let (span, key) = match (&text.key_env, &text.key_file) {
            (None, None) => return Ok(None),
            (Some(_), Some(file)) => {
                let message = "a key is in the environment or in a file, not in both";
                return Err(self.source.at(file.span(), "exchange.key_twice", message));
            }
            (Some(name), None) => (name.span(), from_env(name.get_ref())),
            (None, Some(file)) => (file.span(), from_file(&self.base.join(file.get_ref()))),
        };
        let signer = key.and_then(|key| Signer::parse(&Secret::new(key)));
        signer.map(Some).map_err(|error| self.source.here(span, error))
    }

    /// One flow for every target of a flow, numbered by the reading that they share.
    pub(super) fn spread(&mut self) -> Result<()> {
        let mut spread = Vec::new();
        for (group, flow) in std::mem::take(&mut self.text.flow).into_iter().enumerate() {
            let span = flow.span();
            let mut flow = flow.into_inner();
            flow.group = group;
            let targets = std::mem::take(&mut flow.target);
            if targets.is_empty() == flow.to.get_ref().is_empty() {
                let message = "a flow has either to or [[flow.target]]";
                return Err(self.source.at(flow.name.span(), "exchange.target", message));
            }
            match targets.is_empty() {
                true => spread.push(Spanned::new(span, flow)),
                false => {
                    for target in targets {
                        let one = self.one_target(&flow, target.into_inner())?;
                        spread.push(Spanned::new(span.clone(), one));
                    }
                }
            }
        }
        self.text.flow = spread;
        Ok(())
    }

    fn one_target(&self, flow: &FlowText, target: TargetText) -> Result<FlowText> {
        if !flow.write.is_empty() || !flow.fields.is_empty() || flow.mapping.is_some() {
            let message = "where there are several targets, each has its own write and fields";
            return Err(self.source.at(flow.name.span(), "exchange.target", message));
        }
        let name = format!("{}.{}", flow.name.get_ref(), target.name.get_ref());
        Ok(target.into_flow(flow, name))
    }
}

/// The code of a variable that is not set.
const NO_VARIABLE: &str = "exchange.key_env";

fn from_env(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| {
        Error::new(Kind::Config, NO_VARIABLE, format!("the variable {name} holds no key"))
    })
}

/// A key that others may read is no secret any more.
fn from_file(path: &Path) -> Result<String> {
    let named = |error: Error| error.source_name(path.display().to_string());
    let unreadable = |cause: std::io::Error| {
        let message = format!("the key file cannot be read: {cause}");
        named(Error::new(Kind::Config, "exchange.key_file", message).caused_by(cause))
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(named(
                Error::new(Kind::Permission, "exchange.key_file", "others may read the key file")
                    .hint("chmod 600"),
            ));
        }
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
