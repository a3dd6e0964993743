//! PICTURE character-strings.

/// What a PICTURE describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// `A`.
    Alphabetic,
    /// `X`, or a mixture of `X`, `A` and `9`.
    Alphanumeric,
    /// Alphanumeric with `B`, `0` or `/` inserted.
    AlphanumericEdited,
    /// `9`, `S`, `V` and `P`.
    Numeric,
    /// Numeric with editing symbols.
    NumericEdited,
    /// `N`.
    National,
    /// `G`.
    Dbcs,
    /// `E`: a floating-point number in characters.
    ExternalFloat,
}

/// A PICTURE clause, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// As written.
    pub text: String,
    /// What it describes.
    pub category: Category,
    /// Whether it has `S`, or a sign in an edited picture.
    pub signed: bool,
    /// Digit positions, without `P`.
    pub digits: u32,
    /// Digits after the decimal point, `P` included; negative for `P` at the right end.
    pub scale: i32,
    /// Character positions when stored as DISPLAY, without a separate sign.
    pub size: u32,
    /// Assumed digits (`P`).
    pub assumed: u32,
    /// Whether an edited picture has only suppressible digits, so that zero is all blank.
    pub blank_is_zero: bool,
    /// Whether it has the insertion symbols `B`, `0` or `/`.
    pub inserts: bool,
    /// Whether it has `S` beside editing symbols: a sign over the last digit.
    pub overpunched: bool,
}

/// Symbols and how often each stands there, in order.
type Symbols = Vec<(char, u32)>;

impl Picture {
    /// Takes a character-string apart. With `comma`, `,` is the decimal point (`DECIMAL-POINT IS COMMA`).
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str, comma: bool) -> Result<Self, String> {
        let symbols = symbols(text)?;
        let point = if comma { ',' } else { '.' };
        let category = category(&symbols)?;
        let (mut size, mut all) = (0u64, 0u64);
        for (symbol, count) in &symbols {
            all += u64::from(*count);
            size += u64::from(*count)
                * match symbol {
                    'S' | 'V' | 'P' => 0,
                    'C' | 'D' => 2,
                    _ => 1,
                };
        }
        // Positions of P take no room, but they are counted as well.
        let counted = all.max(size) <= u64::from(MAX_SIZE);
        let size = u32::try_from(size).ok().filter(|_| counted);
        let size =
            size.ok_or_else(|| format!("the picture is longer than {MAX_SIZE} characters"))?;
        if size == 0 {
            return Err("the picture has no character position".into());
        }
        let has = |wanted: &[char]| symbols.iter().any(|(s, _)| wanted.contains(s));
        let numeric = matches!(category, Category::Numeric | Category::NumericEdited);
        let (digits, scale, assumed) =
            if numeric { magnitude(&symbols, point)? } else { (0, 0, 0) };
        if numeric && digits + assumed > MAX_DIGITS {
            return Err(format!("{} digits; at most {MAX_DIGITS} are supported", digits + assumed));
        }
        let edited = category == Category::NumericEdited;
        Ok(Self {
            text: text.to_owned(),
            category,
            signed: has(&['S', '+', '-', 'C', 'D']),
            digits,
            scale,
            size,
            assumed,
            blank_is_zero: edited && !has(&['9']),
            inserts: has(&['B', '0', '/']),
            overpunched: edited && has(&['S']),
        })
    }
}

/// What a record can hold anyway.
const MAX_SIZE: u32 = 1 << 30;

/// What a 128-bit decimal holds.
const MAX_DIGITS: u32 = 38;

fn symbols(text: &str) -> Result<Symbols, String> {
    let mut out: Symbols = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let c = c.to_ascii_uppercase();
        if c == '(' {
            let mut number = String::new();
            let mut closed = false;
            for d in chars.by_ref() {
                closed = d == ')';
                if closed {
                    break;
                }
                number.push(d);
            }
            if !closed {
                return Err("a parenthesis does not close".into());
            }
            let count: u32 =
                number.trim().parse().map_err(|_| format!("({number}) is no repetition"))?;
            match out.last_mut() {
                Some(last) if count > 0 => last.1 = last.1.saturating_add(count - 1),
                _ => return Err(format!("({number}) repeats nothing")),
            }
            continue;
        }
        let pair = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, second: char| {
            chars.next_if(|c| c.eq_ignore_ascii_case(&second)).is_some()
        };
        let symbol = match c {
            'C' if pair(&mut chars, 'R') => 'C',
            'D' if pair(&mut chars, 'B') => 'D',
            'X' | 'A' | '9' | 'S' | 'V' | 'P' | 'N' | 'G' | 'B' | '0' | '/' | ',' | '.' | '+'
            | '-' | '*' | 'Z' | 'E' | '$' | '¥' | '￥' | '€' | '£' => c,
            _ => return Err(format!("{c} is no picture symbol")),
        };
        match out.last_mut() {
            Some((last, count)) if *last == symbol => *count = count.saturating_add(1),
            _ => out.push((symbol, 1)),
        }
    }
    Ok(out)
}

fn category(symbols: &Symbols) -> Result<Category, String> {
    let has = |wanted: &[char]| symbols.iter().any(|(s, _)| wanted.contains(s));
    let edits = ['Z', '*', '+', '-', ',', '.', '$', '¥', '￥', '€', '£', 'C', 'D'];
    if has(&['N']) {
        return Ok(Category::National);
    }
    if has(&['G']) {
        return Ok(Category::Dbcs);
    }
    if has(&['X', 'A']) {
        if has(&['S', 'V', 'P', 'Z', '*', '$']) {
            return Err("letters and numeric symbols in one picture".into());
        }
        return Ok(match (has(&['X', '9']), has(&['B', '0', '/'])) {
            (false, false) => Category::Alphabetic,
            (true, false) => Category::Alphanumeric,
            (_, true) => Category::AlphanumericEdited,
        });
    }
    if has(&['E']) {
        return Ok(Category::ExternalFloat);
    }
    if has(&edits) || has(&['B', '0', '/']) {
        return Ok(Category::NumericEdited);
    }
    Ok(Category::Numeric)
}

/// Digit positions, scale and assumed positions.
fn magnitude(symbols: &Symbols, point: char) -> Result<(u32, i32, u32), String> {
    let (mut digits, mut decimals, mut assumed) = (0u32, 0u32, 0u32);
    let mut after_point = false;
    let (mut left, mut right) = (0u32, 0u32);
    for (symbol, count) in symbols {
        let positions = match symbol {
            '9' | 'Z' | '*' => *count,
            // A floating string has one position more than digits.
            '+' | '-' | '$' | '¥' | '￥' | '€' | '£' => 0,
            'V' => {
                after_point = true;
                0
            }
            'P' => {
                assumed += count;
                if digits == 0 {
                    left += count
                } else {
                    right += count
                }
                0
            }
            c if *c == point => {
                after_point = true;
                0
            }
            _ => 0,
        };
        digits = digits.checked_add(positions).ok_or("too many digits")?;
        if after_point {
            decimals += positions;
        }
    }
    let (floats, float_decimals) = floating(symbols, point);
    digits += floats;
    decimals += float_decimals;
    if digits == 0 {
        return Err("the picture has no digit position".into());
    }
    let scale = match (left, right) {
        (0, 0) => decimals.cast_signed(),
        (left, 0) => (left + digits).cast_signed(),
        (0, right) => -right.cast_signed(),
        _ => return Err("P on both sides of the digits".into()),
    };
    Ok((digits, scale, assumed))
}

/// Digit positions of floating `+`, `-` and currency strings: all but the first, and those after the point.
fn floating(symbols: &Symbols, point: char) -> (u32, u32) {
    let (mut seen, mut digits, mut decimals) = (Vec::new(), 0, 0);
    let mut after_point = false;
    for (symbol, count) in symbols {
        if *symbol == point || *symbol == 'V' {
            after_point = true;
        }
        if !matches!(symbol, '+' | '-' | '$' | '¥' | '￥' | '€' | '£') {
            continue;
        }
        let first = !seen.contains(symbol);
        seen.push(*symbol);
        let positions = count - u32::from(first);
        digits += positions;
        if after_point {
            decimals += positions;
        }
    }
    (digits, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_taken_apart() {
        let table: &[(&str, Category, u32, i32, u32)] = &[
            ("X(10)", Category::Alphanumeric, 0, 0, 10),
            ("s9(5)v99", Category::Numeric, 7, 2, 7),
            ("99v999", Category::Numeric, 5, 3, 5),
            ("PPP9(5)", Category::Numeric, 5, 8, 5),
            ("S99999PPP", Category::Numeric, 5, -3, 5),
            ("Z(6)VZZ-", Category::NumericEdited, 8, 2, 9),
            ("9(6).99-", Category::NumericEdited, 8, 2, 10),
            ("--,---,---,---,---,--9.99", Category::NumericEdited, 18, 2, 25),
            ("$$,$$9.99CR", Category::NumericEdited, 6, 2, 11),
            ("99/99/9999", Category::NumericEdited, 8, 0, 10),
            ("N(3)", Category::National, 0, 0, 3),
            ("GG", Category::Dbcs, 0, 0, 2),
            ("AAB99", Category::AlphanumericEdited, 0, 0, 5),
            ("S9(3).99", Category::NumericEdited, 5, 2, 6),
        ];
        for (text, category, digits, scale, size) in table {
            let picture = Picture::parse(text, false).unwrap();
            let found = (picture.category, picture.digits, picture.scale, picture.size);
            assert_eq!(found, (*category, *digits, *scale, *size), "{text}");
        }
    }

    #[test]
    fn with_a_decimal_comma_the_roles_are_exchanged() {
        let picture = Picture::parse("Z.ZZ9,99", true).unwrap();
        assert_eq!((picture.digits, picture.scale, picture.size), (6, 2, 8));
    }

    #[test]
    fn hostile_pictures_are_refused() {
        for text in [
            "X(999999999999)",
            "X(4000000000)",
            "X(4294967295)X",
            "9P(4294967295)",
            "9P(2147483648)",
            "P(4294967295)9",
            "P(4294967295)VP(4294967295)9",
            "S(4294967295)S9",
            "9(1073741824)P(4294967295)",
            "Z(4294967295)-(4294967295)",
            "9(40)",
            "Q",
            "X(",
            "(3)",
            "S",
            "X(0)",
            "",
        ] {
            assert!(Picture::parse(text, false).is_err(), "{text}");
        }
    }
}
