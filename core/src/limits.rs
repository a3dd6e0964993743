//! The explicit ceiling on everything that is sized by input.

use serde_json::Value;

use crate::{Error, Kind, Result, nearest};

/// Limits that may be nothing: no raw bytes with a reject, no reject at all, no attributes, no memo texts.
const MAY_BE_ZERO: &[&str] = &["reject_raw", "rejects", "rejects_per_mille", "attributes", "memo"];

/// Every limit of a run, passed down explicitly; no process-wide default exists.
///
/// A breach is an error or a reject that names the field of this struct ([`Error::limit`]).
/// Sizes are bytes unless the name says otherwise.
///
/// ```
/// use fenhe_core::Limits;
/// let limits = Limits { record: 1 << 20, ..Limits::default() };
/// assert!(Limits::check("record", limits.record, 2 << 20).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// One record, framing included. 16 MiB.
    pub record: u64,
    /// One field of a record. 1 MiB; raise it for character large objects.
    pub field: u64,
    /// Fields of one record. 16,384.
    pub fields: u64,
    /// One memo or text node. 16 MiB.
    pub memo: u64,
    /// Nesting of XML and JSON. 128.
    pub depth: u64,
    /// Attributes of one XML element. 1,024.
    pub attributes: u64,
    /// One decompressed entry. 1 GiB for office containers; streams are bounded by ratio alone.
    pub inflated_entry: u64,
    /// All decompressed entries of one container. 2 GiB.
    pub inflated_total: u64,
    /// Inflated : deflated, looked at after the first MiB. 100 for containers.
    pub inflate_ratio: u64,
    /// Entries of one archive. 1,000.
    pub entries: u64,
    /// One framed message. 16 MiB.
    pub message: u64,
    /// Rows of one batch. 8,192.
    pub batch_rows: u64,
    /// Bytes of one batch, reached before the rows: the batch is cut. 8 MiB.
    pub batch_bytes: u64,
    /// Batches under way between source and sink. 4.
    pub batches_in_flight: u64,
    /// Raw bytes kept with one reject. 64 KiB.
    pub reject_raw: u64,
    /// Rejects after which the run stops as a storm. 1,000,000.
    pub rejects: u64,
    /// Rejects in a thousand records after which the run stops as a storm, looked at from the
    /// thousandth record on. 50 (5 %); a budget of the exchange that bears more raises it.
    pub rejects_per_mille: u64,
    /// What a pipeline may hold in memory. 128 MiB.
    pub memory: u64,
    /// Keys that rules hold: those that a run has seen, and once more as much for those of other datasets. 64 MiB.
    pub key_memory: u64,
}

impl Limits {
    /// Refuses `wanted` above `limit`, naming the limit.
    ///
    /// # Errors
    /// [`Kind::Limit`](crate::Kind::Limit) with code `core.limit`.
    pub fn check(name: &'static str, limit: u64, wanted: u64) -> Result<()> {
        if wanted > limit {
            return Err(Error::limit(name, limit, wanted));
        }
        Ok(())
    }

    /// Sets the limit of this name to a number, which may end in KiB, MiB or GiB.
    ///
    /// ```
    /// let mut limits = fenhe_core::Limits::default();
    /// limits.set("record", "64MiB")?;
    /// assert_eq!(limits.record, 64 << 20);
    /// assert!(limits.set("recrod", "1").unwrap_err().to_string().contains("did you mean record?"));
    /// # Ok::<(), fenhe_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Kind::Config`] with code `core.limit_name` for an unknown name, `core.limit_value` for what is no such number,
    /// or nothing where nothing could be read then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let mut all = serde_json::to_value(&*self).map_err(std::io::Error::from)?;
        let Some(limit) = all.get_mut(name) else {
            return Err(unknown(name));
        };
        let wrong = |message: String| Error::new(Kind::Config, "core.limit_value", message);
        let number = size(value).ok_or_else(|| {
            wrong(format!("the limit {name} is a whole number"))
                .hint("write 67108864 or 64MiB (KiB, MiB, GiB)")
        })?;
        if number == 0 && !MAY_BE_ZERO.contains(&name) {
            return Err(wrong(format!("the limit {name} is 0: nothing could be read"))
                .hint("leave it out for the default"));
        }
        *limit = Value::from(number);
        *self = serde_json::from_value(all).map_err(std::io::Error::from)?;
        Ok(())
    }

    /// The names of all limits.
    pub(crate) fn names() -> Vec<String> {
        match serde_json::to_value(Self::default()) {
            Ok(Value::Object(limits)) => limits.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

fn unknown(name: &str) -> Error {
    let names = Limits::names();
    let error = Error::new(Kind::Config, "core.limit_name", format!("there is no limit {name}"));
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("limits are {}", names.join(", "))),
    }
}

/// `4096`, `64KiB`, `64 MiB`, `1GiB`.
fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.iter().find_map(|(unit, shift)| {
        let at = text.len().checked_sub(unit.len())?;
        let (number, end) = text.split_at_checked(at)?;
        end.eq_ignore_ascii_case(unit).then_some((number, *shift))
    });
    let (number, shift) = unit.unwrap_or((text, 0));
    number.trim().parse::<u64>().ok()?.checked_mul(1 << shift)
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record: 16 << 20,
            field: 1 << 20,
            fields: 16_384,
            memo: 16 << 20,
            depth: 128,
            attributes: 1_024,
            inflated_entry: 1 << 30,
            inflated_total: 2 << 30,
            inflate_ratio: 100,
            entries: 1_000,
            message: 16 << 20,
            batch_rows: 8_192,
            batch_bytes: 8 << 20,
            batches_in_flight: 4,
            reject_raw: 64 << 10,
            rejects: 1_000_000,
            rejects_per_mille: 50,
            memory: 128 << 20,
            key_memory: 64 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_zero_is_refused_where_it_stops_everything() {
        for (text, bytes) in [
            ("7", Some(7)),
            ("64KiB", Some(65_536)),
            (" 64 mib ", Some(67_108_864)),
            ("1GiB", Some(1_073_741_824)),
            ("1.5MiB", None),
            ("-1", None),
            ("", None),
            ("兆", None),
            ("99999999999999GiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
        let mut limits = Limits::default();
        assert_eq!(limits.set("batch_rows", "0").unwrap_err().code(), "core.limit_value");
        limits.set("rejects", "0").unwrap();
        assert_eq!(limits, Limits { rejects: 0, ..Limits::default() });
    }
}
