//! Numbers into edited pictures.

/// The value (unscaled) as the picture edits it, in ASCII; `None` when it has too many digits.
pub(crate) fn edit(picture: &str, value: i128, comma: bool, scale: i32) -> Option<String> {
    let symbols = symbols(picture);
    let point = if comma { ',' } else { '.' };
    let floats = floating(&symbols);
    let is_digit = |at: usize, c: char| {
        matches!(c, '9' | 'Z' | '*') || floats.is_some_and(|(f, first)| c == f && at != first)
    };
    let positions = symbols.iter().enumerate().filter(|(at, c)| is_digit(*at, **c)).count();
    let digits = format!("{:0>positions$}", value.unsigned_abs());
    if digits.len() > positions || scale < 0 {
        return None;
    }
    let negative = value < 0;
    let only_suppressed = !symbols.contains(&'9');
    let stars = symbols.contains(&'*');
    let mut digits = digits.chars();
    let mut out: Vec<char> = Vec::new();
    let (mut significant, mut float_at) = (false, None);
    for (at, c) in symbols.iter().copied().enumerate() {
        let float = floats.filter(|(f, _)| *f == c);
        let fill = if stars { '*' } else { ' ' };
        if is_digit(at, c) {
            let digit = digits.next()?;
            significant |= digit != '0' || c == '9';
            if significant {
                out.push(digit);
            } else {
                if float.is_some() {
                    float_at = Some(out.len());
                }
                out.push(if c == '*' { '*' } else { ' ' });
            }
            continue;
        }
        match c {
            _ if float.is_some() => {
                float_at = Some(out.len());
                out.push(' ');
            }
            'V' | 'S' => significant |= c == 'V' && value != 0,
            'P' => {}
            c if c == point => {
                significant |= value != 0 || !only_suppressed;
                out.push(if significant || stars { c } else { ' ' });
            }
            ',' | '.' if !significant => {
                if float_at.is_some() {
                    float_at = Some(out.len());
                }
                out.push(fill);
            }
            'B' => out.push(' '),
            '+' => out.push(if negative { '-' } else { '+' }),
            '-' => out.push(if negative { '-' } else { ' ' }),
            'C' | 'D' => {
                let text = if c == 'C' { "CR" } else { "DB" };
                out.extend(if negative { text } else { "  " }.chars());
            }
            c => out.push(c),
        }
    }
    if value == 0 && only_suppressed {
        // Nothing but the point is left of a picture without a 9.
        let blank = |c: char| {
            if stars && c != point {
                '*'
            } else if stars {
                c
            } else {
                ' '
            }
        };
        return Some(out.into_iter().map(blank).collect());
    }
    if let (Some((f, _)), Some(at)) = (floats, float_at)
        && let Some(place) = out.get_mut(at)
    {
        *place = match f {
            '+' if negative => '-',
            '-' if !negative => ' ',
            f => f,
        };
    }
    Some(out.into_iter().collect())
}

/// The symbols of a picture one by one; CR and DB are `C` and `D`. The picture was checked before.
fn symbols(picture: &str) -> Vec<char> {
    let mut out: Vec<char> = Vec::new();
    let mut chars = picture.chars().map(|c| c.to_ascii_uppercase()).peekable();
    while let Some(c) = chars.next() {
        match c {
            '(' => {
                let number: String = chars.by_ref().take_while(|c| *c != ')').collect();
                let count: usize = number.trim().parse().unwrap_or(1);
                if let Some(last) = out.last().copied() {
                    out.extend(std::iter::repeat_n(last, count.saturating_sub(1).min(64)));
                }
            }
            'C' | 'D' => {
                chars.next();
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// The floating symbol (one that stands there at least twice) and where it begins.
fn floating(symbols: &[char]) -> Option<(char, usize)> {
    ['+', '-', '$', '¥', '￥', '€', '£'].into_iter().find_map(|f| {
        let mut places = symbols.iter().enumerate().filter(|(_, c)| **c == f).map(|(at, _)| at);
        let first = places.next()?;
        places.next().map(|_| (f, first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_edited_as_the_language_says() {
        for (picture, value, scale, expected) in [
            ("ZZ,ZZ9.99", 123_450, 2, " 1,234.50"),
            ("ZZ,ZZ9.99", 5, 2, "     0.05"),
            ("Z(4).ZZ", 0, 2, "       "),
            ("Z(4).ZZ", 5, 2, "    .05"),
            ("--,--9.99", -12_345, 2, "  -123.45"),
            ("+9(4)", 42, 0, "+0042"),
            ("9(4)-", -42, 0, "0042-"),
            ("$$,$$9.99CR", -12_345, 2, "  $123.45CR"),
            ("***,**9.99", 12_345, 2, "****123.45"),
            ("Z(3)-", -7, 0, "  7-"),
        ] {
            assert_eq!(edit(picture, value, false, scale).as_deref(), Some(expected), "{picture}");
        }
        assert_eq!(edit("Z9", 100, false, 0), None);
        assert_eq!(edit("Z.ZZ9,99", 123_450, true, 2).as_deref(), Some("1.234,50"));
    }
}
