//! What number formats say about a number: a date, a time, so many decimals (ISO/IEC 29500-1, 18.8.30 and 18.8.31).

use std::collections::BTreeMap;

use fenhe_core::Result;

use crate::container::Container;
use crate::slow::{Events, Node, attribute};

/// What a number is shown as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As it is.
    #[default]
    General,
    Date,
    DateTime,
    Time,
    /// Hours that go on behind 24 (`[h]:mm`).
    Elapsed,
    /// With so many decimals of the stored value (percentages have two more than are shown).
    Decimals(u8),
    /// As text.
    Text,
}

/// What each cell style shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Styles(pub(crate) Vec<Shown>);

impl Styles {
    #[inline]
    pub(crate) fn shown(&self, style: u16) -> Shown {
        self.0.get(usize::from(style)).copied().unwrap_or_default()
    }

    /// Reads the styles part.
    pub(crate) fn read(container: &Container, part: &str) -> Result<Self> {
        let text = container.text(part)?;
        let mut events = Events::new(&text, part, 0);
        let (mut codes, mut styles, mut inside) = (BTreeMap::new(), Vec::new(), false);
        while let Some(node) = events.next()? {
            let Node::Open(start, _) = node else { continue };
            match start.local_name().as_ref() {
                "numFmt" => {
                    let id = attribute(&start, "numFmtId").and_then(|id| id.parse::<u32>().ok());
                    if let (Some(id), Some(code)) = (id, attribute(&start, "formatCode")) {
                        codes.insert(id, of_code(&code));
                    }
                }
                "cellXfs" => inside = true,
                "cellStyles" | "dxfs" | "cellStyleXfs" => inside = false,
                "xf" if inside => {
                    let id = attribute(&start, "numFmtId").and_then(|id| id.parse::<u32>().ok());
                    let id = id.unwrap_or(0);
                    styles.push(codes.get(&id).copied().unwrap_or_else(|| built_in(id)));
                }
                _ => {}
            }
        }
        Ok(Self(styles))
    }
}

/// The formats that are not spelled out in files. 27 to 36 and 50 to 58 are those of Chinese, Japanese and Korean versions.
pub(crate) fn built_in(id: u32) -> Shown {
    match id {
        1 | 3 | 37 | 38 | 41 | 42 => Shown::Decimals(0),
        2 | 4 | 9 | 39 | 40 | 43 | 44 => Shown::Decimals(2),
        10 => Shown::Decimals(4),
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Shown::Time,
        22 => Shown::DateTime,
        46 => Shown::Elapsed,
        49 => Shown::Text,
        _ => Shown::General,
    }
}

/// What a format code shows: its first section counts.
pub(crate) fn of_code(code: &str) -> Shown {
    if code.trim().eq_ignore_ascii_case("general") {
        return Shown::General;
    }
    let mut seen = Seen::default();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '\\' | '_' | '*' => drop(chars.next()),
            '[' => seen.bracket(&chars.by_ref().take_while(|c| *c != ']').collect::<String>()),
            'E' | 'e' if matches!(chars.peek(), Some('+' | '-')) => seen.exponent = true,
            'A' | 'a' if matches!(chars.peek(), Some('M' | 'm' | '/')) => {
                seen.time = true;
                while chars.next_if(|c| matches!(c, 'M' | 'm' | '/' | 'P' | 'p')).is_some() {}
            }
            'y' | 'Y' | 'd' | 'D' | 'e' | 'g' | 'b' => seen.date = true,
            'h' | 'H' | 's' | 'S' => seen.time = true,
            'm' | 'M' => seen.month_or_minute = true,
            '.' => seen.point = true,
            '0' | '#' | '?' => {
                seen.digits = true;
                seen.decimals = seen.decimals.saturating_add(u8::from(seen.point));
            }
            '%' => seen.percent = true,
            '/' if seen.digits => seen.fraction = true,
            '@' => seen.text = true,
            _ => {}
        }
    }
    seen.judge()
}

#[derive(Default)]
struct Seen {
    date: bool,
    time: bool,
    month_or_minute: bool,
    elapsed: bool,
    exponent: bool,
    point: bool,
    digits: bool,
    percent: bool,
    fraction: bool,
    text: bool,
    decimals: u8,
}

impl Seen {
    fn bracket(&mut self, inside: &str) {
        let elapsed = !inside.is_empty() && inside.chars().all(|c| "hHmMsS".contains(c));
        self.elapsed |= elapsed;
    }

    fn judge(&self) -> Shown {
        match self {
            Self { elapsed: true, .. } => Shown::Elapsed,
            Self { date: true, time: true, .. } => Shown::DateTime,
            Self { date: true, .. } => Shown::Date,
            Self { time: true, .. } => Shown::Time,
            Self { month_or_minute: true, digits: false, .. } => Shown::Date,
            Self { text: true, .. } => Shown::Text,
            Self { exponent: true, .. }
            | Self { fraction: true, .. }
            | Self { digits: false, .. } => Shown::General,
            Self { percent, decimals, .. } => {
                Shown::Decimals(decimals.saturating_add(if *percent { 2 } else { 0 }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_codes_say_what_a_number_is() {
        for (code, shown) in [
            ("General", Shown::General),
            ("yyyy\\-mm\\-dd", Shown::Date),
            ("yyyy\"年\"m\"月\"d\"日\"", Shown::Date),
            ("[$-409]d\\-mmm\\-yy;@", Shown::Date),
            ("yyyy/m/d h:mm", Shown::DateTime),
            ("h:mm:ss AM/PM", Shown::Time),
            ("mm:ss.0", Shown::Time),
            ("[h]:mm:ss", Shown::Elapsed),
            ("[mm]:ss", Shown::Elapsed),
            ("#,##0.00_);[Red](#,##0.00)", Shown::Decimals(2)),
            ("0.0%", Shown::Decimals(3)),
            ("[Red]0", Shown::Decimals(0)),
            ("0.00E+00", Shown::General),
            ("# ?/?", Shown::General),
            ("@", Shown::Text),
            ("\"day\"0", Shown::Decimals(0)),
        ] {
            assert_eq!(of_code(code), shown, "{code}");
        }
    }
}
