//! Patterns for dates and times: `YYYY-MM-DD`, `YYYY年M月D日`, `DD MMM YYYY HH:mm:ss`.

mod read;
mod write;

use fenhe_core::nearest;

/// A compiled date or time pattern.
///
/// | in the pattern | means |
/// | --- | --- |
/// | `YYYY` `YY` | year of four or two digits (see [`DateSpelling::pivot`](crate::DateSpelling::pivot)) |
/// | `MM` `M` `MMM` `MMMM` | month: two digits, one or two digits, `Jan`, `January` (either case is read) |
/// | `DD` `D` `DDD` | day of the month: two digits, one or two; day of the year: three digits |
/// | `HH` `H` `hh` `h` | hour 0 to 23, hour 1 to 12 (needs `A` or `上午`) |
/// | `mm` `m` `ss` `s` | minute, second |
/// | `SSS` (1 to 9 times `S`) | so many digits of the fraction of a second |
/// | `f` | `.` or `,` and one to nine digits of the fraction, or nothing |
/// | `A` `上午` | AM or PM (either case is read), 上午 or 下午 |
/// | `Z` | `Z`, `+08:00`, `+0800` or `+08` |
/// | `T`, anything that is no ASCII letter, `'quoted text'` | itself; `''` is one quote |
///
/// A pattern without a day means the first of the month; one without a time means midnight.
///
/// ```
/// use fenhe_values::Pattern;
/// let pattern = Pattern::new("YYYY年M月D日", 69)?;
/// let moment = pattern.read("2026年1月2日".as_bytes())?;
/// assert_eq!(moment.days, 20_455);
/// let mut out = Vec::new();
/// pattern.write(&moment, &mut out)?;
/// assert_eq!(out, "2026年1月2日".as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
    pivot: u8,
    fast: Fast,
    has: Has,
    /// The smallest part of the clock that it spells, in nanoseconds.
    step: u64,
}

/// A point in time as a pattern spells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Days since 1970-01-01 (0 when the pattern has no date).
    pub days: i32,
    /// Seconds since midnight.
    pub seconds: u32,
    /// The fraction of the second, in nanoseconds.
    pub nanos: u32,
    /// Minutes east of UTC, when the pattern spells a zone.
    pub offset: Option<i16>,
}

/// A pattern that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern `{pattern}` cannot be used: {reason}")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// Why, and what to write instead.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Year4,
    Year2,
    Month { fixed: bool },
    MonthName { long: bool },
    Day { fixed: bool },
    Ordinal,
    Hour { fixed: bool },
    Hour12 { fixed: bool },
    Minute { fixed: bool },
    Second { fixed: bool },
    Fraction(u8),
    OptionalFraction,
    HalfDay { before: Vec<u8>, after: Vec<u8> },
    Zone,
    Literal(Vec<u8>),
}

/// Patterns that have a reader of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fast {
    /// `YYYYMMDD`
    Compact,
    /// `YYYY-MM-DD`
    Iso,
    /// `YYYY-MM-DD HH:mm:ss`, perhaps with a fraction behind, or with `T`
    IsoSeconds {
        separator: u8,
    },
    /// `YYYYMMDDHHmmss`
    CompactSeconds,
    No,
}

/// What a pattern spells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Has {
    date: bool,
    day: bool,
    time: bool,
    zone: bool,
    short_year: bool,
}

impl Pattern {
    /// Compiles a pattern for UTF-8 data.
    ///
    /// # Errors
    /// [`BadPattern`] says what is wrong with it.
    pub fn new(pattern: &str, pivot: u8) -> Result<Self, BadPattern> {
        Self::encoded(pattern, pivot, &|text| Some(text.as_bytes().to_vec()))
    }

    /// Compiles a pattern for data in another code page: `encode` spells its literal text there, or says that it cannot.
    ///
    /// # Errors
    /// [`BadPattern`] says what is wrong with it.
    pub fn encoded(
        pattern: &str,
        pivot: u8,
        encode: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, BadPattern> {
        let bad = |reason: String| BadPattern { pattern: pattern.to_owned(), reason };
        let tokens = tokens(pattern, encode).map_err(bad)?;
        let has = check(&tokens).map_err(|reason| bad(reason.to_owned()))?;
        let fast = match pattern {
            "YYYYMMDD" => Fast::Compact,
            "YYYYMMDDHHmmss" => Fast::CompactSeconds,
            "YYYY-MM-DD" => Fast::Iso,
            "YYYY-MM-DD HH:mm:ss" | "YYYY-MM-DD HH:mm:ssf" => Fast::IsoSeconds { separator: b' ' },
            "YYYY-MM-DDTHH:mm:ss" | "YYYY-MM-DDTHH:mm:ssf" => Fast::IsoSeconds { separator: b'T' },
            _ => Fast::No,
        };
        let step = write::step(&tokens);
        Ok(Self { text: pattern.to_owned(), tokens, pivot, fast, has, step })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it spells a date.
    #[must_use]
    pub fn has_date(&self) -> bool {
        self.has.date
    }

    /// Whether it spells a time of day.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.has.time
    }

    /// Whether it spells a zone.
    #[must_use]
    pub fn has_zone(&self) -> bool {
        self.has.zone
    }

    pub(crate) fn fast(&self) -> Fast {
        self.fast
    }
}

fn tokens(pattern: &str, encode: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Vec<Token>, String> {
    let encode = |text: &str| encode(text).ok_or_else(|| format!("the code page has no `{text}`"));
    let mut out = Vec::new();
    let mut literal = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some((token, length)) = word(rest, &encode)? {
            flush(&mut literal, &mut out, &encode)?;
            out.push(token);
            rest = rest.get(length..).unwrap_or_default();
        } else if first == '\'' {
            rest = quoted(rest, &mut literal)?;
        } else if first.is_ascii_alphabetic() && first != 'T' {
            let run: String = rest.chars().take_while(|c| *c == first).collect();
            let near = nearest(&run, ["yyyy", "mm", "dd", "hh", "ss"]).map(|_| run.to_uppercase());
            let hint = match (run.as_str(), near) {
                ("d" | "dd", _) => "; the day is `DD`".to_owned(),
                ("yyyy" | "yy", _) => "; the year is `YYYY`".to_owned(),
                (_, Some(upper)) if upper != run => format!("; did you mean `{upper}`?"),
                _ => "; put literal text in single quotes".to_owned(),
            };
            return Err(format!("`{run}` means nothing{hint}"));
        } else {
            literal.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    flush(&mut literal, &mut out, &encode)?;
    Ok(out)
}

/// The token at the start of the pattern and its length there.
fn word(
    rest: &str,
    encode: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Option<(Token, usize)>, String> {
    if rest.starts_with("上午") {
        let token = Token::HalfDay { before: encode("上午")?, after: encode("下午")? };
        return Ok(Some((token, "上午".len())));
    }
    let first = rest.bytes().next().unwrap_or_default();
    let length = rest.bytes().take_while(|b| *b == first).count();
    let token = match (first, length) {
        (b'Y', 4) => Token::Year4,
        (b'Y', 2) => Token::Year2,
        (b'M', 1 | 2) => Token::Month { fixed: length == 2 },
        (b'M', 3 | 4) => Token::MonthName { long: length == 4 },
        (b'D', 1 | 2) => Token::Day { fixed: length == 2 },
        (b'D', 3) => Token::Ordinal,
        (b'H', 1 | 2) => Token::Hour { fixed: length == 2 },
        (b'h', 1 | 2) => Token::Hour12 { fixed: length == 2 },
        (b'm', 1 | 2) => Token::Minute { fixed: length == 2 },
        (b's', 1 | 2) => Token::Second { fixed: length == 2 },
        (b'S', 1..=9) => Token::Fraction(u8::try_from(length).unwrap_or(9)),
        (b'f', 1) => Token::OptionalFraction,
        (b'A', 1) => Token::HalfDay { before: b"AM".to_vec(), after: b"PM".to_vec() },
        (b'Z', 1) => Token::Zone,
        (b'Y' | b'M' | b'D' | b'H' | b'h' | b'm' | b's' | b'S', _) => {
            return Err(format!(
                "`{}` is not a length that means something",
                rest.get(..length).unwrap_or_default()
            ));
        }
        _ => return Ok(None),
    };
    Ok(Some((token, length)))
}

fn quoted<'a>(rest: &'a str, literal: &mut String) -> Result<&'a str, String> {
    let inside = rest.get(1..).unwrap_or_default();
    let Some((text, after)) = inside.split_once('\'') else {
        return Err("a quote is not closed".to_owned());
    };
    literal.push_str(if text.is_empty() { "'" } else { text });
    Ok(after)
}

fn flush(
    literal: &mut String,
    out: &mut Vec<Token>,
    encode: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    if !literal.is_empty() {
        out.push(Token::Literal(encode(literal)?));
        literal.clear();
    }
    Ok(())
}

/// Each part at most once, no part without the parts that give it a meaning, no run of digits without a known end.
fn check(tokens: &[Token]) -> Result<Has, &'static str> {
    let count = |wanted: fn(&Token) -> bool| tokens.iter().filter(|t| wanted(t)).count();
    let year = count(|t| matches!(t, Token::Year4 | Token::Year2));
    let month = count(|t| matches!(t, Token::Month { .. } | Token::MonthName { .. }));
    let day = count(|t| matches!(t, Token::Day { .. }));
    let ordinal = count(|t| matches!(t, Token::Ordinal));
    let hour24 = count(|t| matches!(t, Token::Hour { .. }));
    let hour12 = count(|t| matches!(t, Token::Hour12 { .. }));
    let half = count(|t| matches!(t, Token::HalfDay { .. }));
    let minute = count(|t| matches!(t, Token::Minute { .. }));
    let second = count(|t| matches!(t, Token::Second { .. }));
    let fraction = count(|t| matches!(t, Token::Fraction(_) | Token::OptionalFraction));
    let zone = count(|t| matches!(t, Token::Zone));
    let parts = [year, month, day, ordinal, hour24 + hour12, half, minute, second, fraction, zone];
    if parts.iter().any(|n| *n > 1) {
        return Err("a part stands in it twice");
    }
    if year + month + day + ordinal > 0 && year + month.max(ordinal) != 2 {
        return Err("a date needs a year and a month, or a year and the day of the year `DDD`");
    }
    if ordinal == 1 && month + day > 0 {
        return Err("the day of the year `DDD` leaves no room for month and day");
    }
    if hour12 != half {
        return Err("hours 1 to 12 (`hh`) need `A` or `上午`, and those need `hh`");
    }
    if minute > hour24 + hour12 || second > minute || fraction > second {
        return Err("minutes need hours, seconds need minutes, fractions need seconds");
    }
    if year + hour24 + hour12 == 0 {
        return Err("it spells neither a date nor a time");
    }
    if zone == 1 && (year == 0 || hour24 + hour12 == 0) {
        return Err("a zone needs a date and a time");
    }
    let digits_follow = |t: &Token| {
        !matches!(
            t,
            Token::MonthName { .. } | Token::HalfDay { .. } | Token::Zone | Token::OptionalFraction
        ) && !matches!(t, Token::Literal(l) if !l.first().is_some_and(u8::is_ascii_digit))
    };
    let open_end = |t: &Token| {
        use Token::{Day, Hour, Hour12, Minute, Month, OptionalFraction, Second};
        matches!(
            t,
            Month { fixed: false }
                | Day { fixed: false }
                | Hour { fixed: false }
                | Hour12 { fixed: false }
                | Minute { fixed: false }
                | Second { fixed: false }
                | OptionalFraction
        )
    };
    if tokens.windows(2).any(|pair| matches!(pair, [a, b] if open_end(a) && digits_follow(b))) {
        return Err("digits follow a number of one or two digits; write it with two (`MM`)");
    }
    Ok(Has {
        date: year == 1,
        day: day + ordinal == 1,
        time: hour24 + hour12 == 1,
        zone: zone == 1,
        short_year: tokens.contains(&Token::Year2),
    })
}

#[cfg(test)]
mod tests;
