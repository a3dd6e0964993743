//! What a flow can promise about delivery, derived from what its two ends declare.

use std::fmt;

use fenhe_core::{Capability, Error, Kind, Result, WriteMode};
use serde::{Deserialize, Serialize};

use crate::pump::mode_name;

/// Delivery guarantee, from weakest to strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// At least once: after an interruption rows may be there twice.
    L0,
    /// Effectively once by key: a repeated row replaces itself.
    L1,
    /// Effectively once by watermark: rows and the place to go on are made durable in one transaction.
    L2,
}

impl Level {
    /// The level that source, target and mode give together.
    pub fn derive(source: &Capability, target: &Capability, mode: WriteMode) -> Self {
        let repeatable = source.replay || source.resume;
        match mode {
            _ if !repeatable => Self::L0,
            // Seen as a whole or not at all, and a repeated run leaves the same.
            WriteMode::Replace => Self::L1,
            WriteMode::Upsert | WriteMode::Append if target.watermark && source.resume => Self::L2,
            WriteMode::Upsert => Self::L1,
            WriteMode::Append if target.idempotent => Self::L1,
            WriteMode::Append => Self::L0,
        }
    }

    /// Refuses a mode that the target does not have, so that nothing is promised about it.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `engine.mode`.
    pub fn possible(target: &Capability, mode: WriteMode) -> Result<()> {
        let able = [
            (WriteMode::Append, target.append, "append"),
            (WriteMode::Upsert, target.upsert, "upsert"),
            (WriteMode::Replace, target.replace, "replace"),
        ];
        let name = mode_name(mode);
        if able.iter().any(|(has, able, _)| *has == mode && *able) {
            return Ok(());
        }
        let message = format!("the target cannot be written with mode = \"{name}\"");
        let error = Error::new(Kind::Config, "engine.mode", message);
        let able: Vec<_> =
            able.iter().filter(|(_, able, _)| *able).map(|(_, _, name)| *name).collect();
        Err(match able.is_empty() {
            true => error.hint("it can only be read"),
            false => error.hint(format!("it takes {}", able.join(", "))),
        })
    }

    /// Refuses a promise that the ends cannot keep.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `engine.guarantee`.
    pub fn require(self, wanted: Option<Level>) -> Result<()> {
        match wanted {
            Some(wanted) if wanted > self => Err(Error::new(
                Kind::Config,
                "engine.guarantee",
                format!(
                    "the guarantee {wanted:?} is asked for, but source and target give {self:?}"
                ),
            )
            .hint("write with a key (mode = \"upsert\") or to a target that stores a watermark")),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L0 => "L0, at least once: after an interruption rows may be there twice",
            Self::L1 => "L1, effectively once: a repeated row replaces itself",
            Self::L2 => "L2, effectively once: rows and position are committed together",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_part_decides() {
        let source = Capability { replay: true, resume: true, ..Capability::default() };
        let database = Capability { watermark: true, upsert: true, ..Capability::default() };
        let plain = Capability::default();
        use WriteMode::{Append, Replace, Upsert};
        for (from, to, mode, level) in [
            (&source, &database, Append, Level::L2),
            (&source, &plain, Append, Level::L0),
            (&source, &plain, Upsert, Level::L1),
            (&source, &plain, Replace, Level::L1),
            (&plain, &database, Upsert, Level::L0),
        ] {
            assert_eq!(Level::derive(from, to, mode), level, "{mode:?}");
        }
        let error = Level::possible(&database, Replace).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("engine.mode", Kind::Config));
        assert!(error.to_string().contains("it takes upsert"), "{error}");
        assert!(Level::possible(&database, Upsert).is_ok());
        assert!(Level::L1.require(Some(Level::L2)).is_err());
        assert!(Level::L1.require(Some(Level::L0)).is_ok());
    }
}
