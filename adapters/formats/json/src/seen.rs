//! What the values of one column look like.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};
use fenhe_core::schema::{NATIVE_TYPE, with};
use fenhe_values::parse;

use crate::error::Flaw;
use crate::escape;
use crate::node::{ANY, RAW};
use crate::token::Cursor;

/// Nesting that becomes nested columns; what is deeper stays JSON text.
const DEEPEST: usize = 16;
/// Keys of one object; more of them are data, not names.
const MOST_KEYS: usize = 1_024;

/// The values of one column so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    rows: u64,
    nulls: u64,
    booleans: u64,
    numbers: Numbers,
    texts: Texts,
    objects: u64,
    names: Vec<(String, Seen)>,
    index: HashMap<String, usize>,
    arrays: u64,
    items: Option<Box<Seen>>,
    /// Nested too deep, too many keys.
    shapeless: bool,
}

#[derive(Debug, Default)]
struct Numbers {
    count: u64,
    whole: u64,
    exponents: u64,
    digits: usize,
    scale: usize,
    beyond_int64: bool,
}

#[derive(Debug, Default)]
struct Texts {
    count: u64,
    dates: u64,
    moments: u64,
    zoned: u64,
    fraction: usize,
    zone: Option<String>,
    zones_differ: bool,
}

impl Seen {
    /// Takes in the valid value at the cursor.
    pub(crate) fn observe(&mut self, cursor: &mut Cursor<'_>, depth: usize) {
        // The value was checked before: flaws cannot come up.
        let _ = self.value(cursor, depth);
    }

    /// The values under a key of the objects.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        self.index.get(name).and_then(|n| self.names.get(*n)).map(|(_, seen)| seen)
    }

    /// The columns of the objects.
    pub(crate) fn fields(&self, text: bool) -> Fields {
        self.names.iter().map(|(name, seen)| seen.arrow(name, text)).collect()
    }

    /// Why the column has its type.
    pub(crate) fn why(&self) -> String {
        let mut parts = Vec::new();
        let mut part = |n: u64, what: &str| {
            if n > 0 {
                parts.push(format!("{n} {what}"));
            }
        };
        part(self.booleans, "true or false");
        part(self.numbers.whole, "whole numbers");
        part(self.numbers.count - self.numbers.whole - self.numbers.exponents, "decimal numbers");
        part(self.numbers.exponents, "numbers with an exponent");
        part(self.texts.dates, "dates");
        part(self.texts.moments, "timestamps");
        part(self.texts.count - self.texts.dates - self.texts.moments, "strings");
        part(self.objects, "objects");
        part(self.arrays, "arrays");
        part(self.nulls, "nulls");
        if self.numbers.count > 0 {
            parts.push(format!(
                "at most {} digits before the mark and {} after it",
                self.numbers.digits, self.numbers.scale
            ));
        }
        parts.join(", ")
    }

    fn value(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Flaw> {
        self.rows += 1;
        match cursor.token() {
            Some(b'{') if depth < DEEPEST => self.object(cursor, depth)?,
            Some(b'[') if depth < DEEPEST => self.array(cursor, depth)?,
            Some(b'{' | b'[') => {
                self.shapeless = true;
                cursor.skip_value(crate::token::MAX_DEPTH)?;
            }
            Some(b'"') => {
                let text = cursor.string()?;
                self.texts.take(cursor.slice(text.start, text.end));
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = cursor.number()?;
                self.numbers.take(cursor.slice(number.start, number.end), number.exponent);
            }
            Some(first) => {
                cursor.literal()?;
                *(if first == b'n' { &mut self.nulls } else { &mut self.booleans }) += 1;
            }
            None => {}
        }
        Ok(())
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Flaw> {
        self.objects += 1;
        cursor.step();
        let mut open = !cursor.take(b'}');
        while open {
            cursor.token();
            let text = cursor.string()?;
            let mut key = Vec::new();
            escape::unescape(cursor, text, &mut key)?;
            cursor.take(b':');
            match self.child(String::from_utf8_lossy(&key).into_owned()) {
                Some(child) => child.value(cursor, depth + 1)?,
                None => cursor.skip_value(crate::token::MAX_DEPTH)?,
            }
            open = cursor.take(b',');
        }
        cursor.take(b'}');
        Ok(())
    }

    fn child(&mut self, key: String) -> Option<&mut Self> {
        let next = self.names.len();
        let number = *self.index.entry(key.clone()).or_insert(next);
        if number == next {
            if next >= MOST_KEYS {
                self.shapeless = true;
                self.index.remove(&key);
                return None;
            }
            self.names.push((key, Self::default()));
        }
        self.names.get_mut(number).map(|(_, seen)| seen)
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Flaw> {
        self.arrays += 1;
        cursor.step();
        let mut open = !cursor.take(b']');
        while open {
            self.items.get_or_insert_default().value(cursor, depth + 1)?;
            open = cursor.take(b',');
        }
        cursor.take(b']');
        Ok(())
    }

    /// The column of these values. A sample proves no column free of nulls.
    fn arrow(&self, name: &str, text: bool) -> Field {
        let marked =
            |native: &str| with(Field::new(name, DataType::Utf8, true), NATIVE_TYPE, native);
        if text {
            return marked(ANY);
        }
        let kinds =
            [self.booleans, self.numbers.count, self.texts.count, self.objects, self.arrays];
        let data_type = match kinds.map(|n| n > 0) {
            [false, false, false, false, false] if !self.shapeless => return marked(ANY),
            _ if self.shapeless => None,
            [true, false, false, false, false] => Some(DataType::Boolean),
            [false, true, false, false, false] => self.numbers.arrow(),
            [false, false, true, false, false] => Some(self.texts.arrow()),
            [false, false, false, true, false] => {
                Some(DataType::Struct(self.fields(false))).filter(|_| !self.names.is_empty())
            }
            [false, false, false, false, true] => {
                let empty = Self::default();
                let item = self.items.as_deref().unwrap_or(&empty).arrow("item", false);
                Some(DataType::List(Arc::new(item)))
            }
            _ => None,
        };
        data_type.map_or_else(|| marked(RAW), |data_type| Field::new(name, data_type, true))
    }
}

impl Numbers {
    fn take(&mut self, number: &[u8], exponent: bool) {
        self.count += 1;
        if exponent {
            self.exponents += 1;
            return;
        }
        let digits = number.strip_prefix(b"-").unwrap_or(number);
        let mark = digits.iter().position(|b| *b == b'.');
        self.digits = self.digits.max(mark.unwrap_or(digits.len()));
        match mark {
            Some(at) => self.scale = self.scale.max(digits.len() - at - 1),
            None => {
                self.whole += 1;
                self.beyond_int64 |= parse::int(number).is_err();
            }
        }
    }

    /// The narrowest type that holds them exactly; `None` when there is none. A number with an exponent stands for a
    /// measured value: it becomes a float.
    fn arrow(&self) -> Option<DataType> {
        if self.exponents > 0 {
            return Some(DataType::Float64);
        }
        if self.scale == 0 && !self.beyond_int64 {
            return Some(DataType::Int64);
        }
        let scale = i8::try_from(self.scale).ok()?;
        match self.digits + self.scale {
            0..=38 => Some(DataType::Decimal128(38, scale)),
            39..=76 => Some(DataType::Decimal256(76, scale)),
            _ => None,
        }
    }
}

impl Texts {
    fn take(&mut self, text: &[u8]) {
        self.count += 1;
        if parse::date_iso(text).is_ok() {
            self.dates += 1;
        } else if let Some((fraction, zone)) = moment(text) {
            self.moments += 1;
            self.fraction = self.fraction.max(fraction);
            if let Some(zone) = zone {
                self.zoned += 1;
                self.zones_differ |= self.zone.as_ref().is_some_and(|z| *z != zone);
                self.zone.get_or_insert(zone);
            }
        }
    }

    fn arrow(&self) -> DataType {
        let unit = match self.fraction {
            0 => TimeUnit::Second,
            1..=3 => TimeUnit::Millisecond,
            4..=6 => TimeUnit::Microsecond,
            _ => TimeUnit::Nanosecond,
        };
        if self.dates == self.count {
            DataType::Date32
        } else if self.moments == self.count && self.zoned == 0 {
            DataType::Timestamp(unit, None)
        } else if self.moments == self.count && self.zoned == self.count {
            let zone = self.zone.as_deref().filter(|_| !self.zones_differ).unwrap_or("+00:00");
            DataType::Timestamp(unit, Some(zone.into()))
        } else {
            DataType::Utf8
        }
    }
}

/// The digits of the fraction and the zone of an ISO 8601 timestamp `YYYY-MM-DDThh:mm:ss[.f][Z|+hh:mm]`.
fn moment(text: &[u8]) -> Option<(usize, Option<String>)> {
    let (date, rest) = text.split_at_checked(10)?;
    parse::date_iso(date).ok()?;
    let (clock, rest) = rest.split_at_checked(9)?;
    let [b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
    let number = |a: &u8, b: &u8| match (a, b) {
        (b'0'..=b'9', b'0'..=b'9') => Some((a - b'0') * 10 + b - b'0'),
        _ => None,
    };
    let good = number(h1, h2)? < 24 && number(m1, m2)? < 60 && number(s1, s2)? < 60;
    let digits =
        rest.strip_prefix(b".").map_or(0, |f| f.iter().take_while(|b| b.is_ascii_digit()).count());
    let zone = match rest.strip_prefix(b".") {
        Some(_) if digits == 0 || digits > 9 => return None,
        Some(fraction) => fraction.get(digits..)?,
        None => rest,
    };
    let zone = match zone {
        [] => None,
        b"Z" => Some("+00:00".to_owned()),
        [b'+' | b'-', h1, h2, b':', m1, m2] if number(h1, h2)? < 15 && number(m1, m2)? < 60 => {
            Some(String::from_utf8_lossy(zone).into_owned())
        }
        _ => return None,
    };
    good.then_some((digits, zone))
}
