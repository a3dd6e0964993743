//! Ledger, source protection and several targets of one reading, as an exchange writes them.

use std::num::NonZeroU64;
use std::path::PathBuf;

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
    key_env: Option<String>,
    key_file: Option<PathBuf>,
    read_back: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerTable {
    file: Option<PathBuf>,
    rows: Option<KeepRows>,
    #[serde(default)]
    hash: Algorithm,
    key_env: Option<String>,
    key_file: Option<PathBuf>,
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
        Some(self.base.join(file))
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
        let signer = match (&text.key_env, &text.key_file) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    Kind::Config,
                    "exchange.key_twice",
                    "a key is in the environment or in a file, not in both",
                ));
            }
            (Some(name), None) => Some(Signer::parse(&Secret::new(from_env(name)?))?),
            (None, Some(file)) => {
                Some(Signer::parse(&Secret::new(from_file(&self.base.join(file))?))?)
            }
        };
        let ledger = Ledger::open(&self.ledger())?;
        Ok(ExchangeBooks { ledger, algorithm: text.hash, signer })
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

fn from_env(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| {
        Error::new(Kind::Config, "exchange.key_env", format!("the variable {name} holds no key"))
    })
}

/// A key that others may read is no secret any more.
fn from_file(path: &std::path::Path) -> Result<String> {
    let named = |error: Error| error.source_name(path.display().to_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(|e| named(e.into()))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(named(
                Error::new(Kind::Permission, "exchange.key_file", "others may read the key file")
                    .hint("chmod 600"),
            ));
        }
    }
    std::fs::read_to_string(path).map_err(|e| named(e.into()))
}
