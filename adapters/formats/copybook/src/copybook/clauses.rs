//! The clauses of one data description entry.

use fenhe_core::Result;

use super::item::{Condition, Figurative, Item, OccursClause, Renames, SignClause, Usage, Value};
use super::lexer::{Literal, Token, TokenKind};
use super::picture::Picture;

/// What one sentence describes.
#[derive(Debug)]
pub(crate) enum Entry {
    Item(Item),
    Condition(Condition),
    Renames(Renames),
    /// Level 78: a constant, no storage.
    Constant,
}

/// Words that begin a clause and therefore are no name.
const CLAUSES: [&str; 28] = [
    "REDEFINES",
    "PIC",
    "PICTURE",
    "USAGE",
    "OCCURS",
    "SIGN",
    "LEADING",
    "TRAILING",
    "SYNC",
    "SYNCHRONIZED",
    "JUST",
    "JUSTIFIED",
    "BLANK",
    "VALUE",
    "VALUES",
    "RENAMES",
    "EXTERNAL",
    "GLOBAL",
    "INDEXED",
    "ASCENDING",
    "DESCENDING",
    "IS",
    "THREAD-LOCAL",
    "VOLATILE",
    "DYNAMIC",
    "TYPEDEF",
    "ALIGNED",
    "GROUP-USAGE",
];

/// Parses one sentence that begins with a level number.
pub(crate) fn entry(sentence: &[Token], comma: bool) -> Result<Entry> {
    let mut clauses = Clauses { tokens: sentence, at: 0, comma };
    let Some(first) = clauses.take() else { return Ok(Entry::Constant) };
    let level: u8 = first.upper().parse().map_err(|_| first.error("not a level number"))?;
    let named = clauses.name();
    match level {
        1..=49 | 77 => clauses.item(first, level, named).map(Entry::Item),
        66 => clauses.renames(first, named).map(Entry::Renames),
        78 => Ok(Entry::Constant),
        88 => clauses.condition(first, named).map(Entry::Condition),
        _ => Err(first.error(format!("level {level:02} does not exist"))),
    }
}

struct Clauses<'a> {
    tokens: &'a [Token],
    at: usize,
    comma: bool,
}

impl<'a> Clauses<'a> {
    fn take(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn peek(&self) -> String {
        self.tokens.get(self.at).map(Token::upper).unwrap_or_default()
    }

    /// Takes the next word if it is one of these.
    fn accept(&mut self, words: &[&str]) -> bool {
        let found = words.contains(&self.peek().as_str());
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, after: &Token, what: &str) -> Result<&'a str> {
        let missing = || after.error(format!("{} needs {what}", after.upper()));
        self.take().and_then(Token::word).ok_or_else(missing)
    }

    fn number(&mut self, after: &Token) -> Result<u32> {
        let word = self.word(after, "a number")?;
        word.parse()
            .map_err(|_| after.error(format!("{} needs a number, not {word}", after.upper())))
    }

    fn name(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at)?;
        let upper = token.upper();
        let clause = CLAUSES.contains(&upper.as_str()) || usage(&upper).is_some();
        if clause || token.word().is_none() {
            return None;
        }
        self.at += 1;
        token.word().filter(|_| upper != "FILLER").map(str::to_owned)
    }

    fn item(&mut self, first: &Token, level: u8, name: Option<String>) -> Result<Item> {
        let mut item = Item {
            level,
            name,
            line: first.line,
            column: first.column,
            picture: None,
            usage: Usage::Display,
            sign: None,
            occurs: None,
            redefines: None,
            sync: false,
            justified: false,
            blank_when_zero: false,
            conditions: Vec::new(),
            renames: Vec::new(),
            children: Vec::new(),
        };
        while let Some(token) = self.take() {
            self.clause(token, &mut item)?;
        }
        Ok(item)
    }

    fn clause(&mut self, token: &Token, item: &mut Item) -> Result<()> {
        let word = token.upper();
        match word.as_str() {
            "REDEFINES" => item.redefines = Some(self.word(token, "a name")?.to_owned()),
            "PIC" | "PICTURE" => item.picture = Some(self.picture(token)?),
            "USAGE" => {
                self.accept(&["IS"]);
                let next = self.take().ok_or_else(|| token.error("USAGE needs a word"))?;
                item.usage = usage(&next.upper())
                    .ok_or_else(|| next.error(format!("USAGE {} is not known", next.upper())))?;
                self.binary_sign(item);
            }
            "OCCURS" => item.occurs = Some(self.occurs(token)?),
            "SIGN" => {
                self.accept(&["IS"]);
                let next =
                    self.take().ok_or_else(|| token.error("SIGN needs LEADING or TRAILING"))?;
                item.sign = Some(self.sign(next)?);
            }
            "LEADING" | "TRAILING" => item.sign = Some(self.sign(token)?),
            "SYNC" | "SYNCHRONIZED" => {
                self.accept(&["LEFT", "RIGHT"]);
                item.sync = true;
            }
            "JUST" | "JUSTIFIED" => {
                self.accept(&["RIGHT"]);
                item.justified = true;
            }
            "BLANK" => {
                self.accept(&["WHEN"]);
                if !self.accept(&["ZERO", "ZEROS", "ZEROES"]) {
                    return Err(token.error("BLANK needs WHEN ZERO"));
                }
                item.blank_when_zero = true;
            }
            "VALUE" | "VALUES" => self.skip_value(),
            "EXTERNAL" | "GLOBAL" | "IS" | "THREAD-LOCAL" | "VOLATILE" | "ALIGNED" => {}
            "GROUP-USAGE" => {
                self.accept(&["IS"]);
                self.take();
            }
            other => match usage(other) {
                Some(found) => {
                    item.usage = found;
                    self.binary_sign(item);
                }
                None if token.word().is_some_and(|w| w.chars().all(|c| c.is_ascii_digit())) => {
                    return Err(token.error("a period is missing before this level number"));
                }
                None => {
                    return Err(token.error(format!("{other} is no clause of a data description")));
                }
            },
        }
        Ok(())
    }

    /// `BINARY-LONG UNSIGNED`.
    fn binary_sign(&mut self, item: &mut Item) {
        if let Usage::Sized(bytes, _) = item.usage {
            let unsigned = self.accept(&["UNSIGNED"]);
            self.accept(&["SIGNED"]);
            item.usage = Usage::Sized(bytes, !unsigned);
        }
    }

    fn picture(&mut self, clause: &Token) -> Result<Picture> {
        self.accept(&["IS"]);
        let token = self.take().ok_or_else(|| clause.error("PICTURE needs a character-string"))?;
        let text = token.word().ok_or_else(|| token.error("PICTURE needs a character-string"))?;
        Picture::parse(text, self.comma).map_err(|e| token.error(format!("PICTURE {text}: {e}")))
    }

    fn occurs(&mut self, clause: &Token) -> Result<OccursClause> {
        let first = self.number(clause)?;
        let (min, max) =
            if self.accept(&["TO"]) { (first, self.number(clause)?) } else { (first, first) };
        self.accept(&["TIMES"]);
        let mut depending = None;
        loop {
            if self.accept(&["DEPENDING"]) {
                self.accept(&["ON"]);
                depending = Some(self.qualified(clause)?);
            } else if self.accept(&["ASCENDING", "DESCENDING"]) {
                self.accept(&["KEY"]);
                self.accept(&["IS"]);
                self.names();
            } else if self.accept(&["INDEXED"]) {
                self.accept(&["BY"]);
                self.names();
            } else {
                break;
            }
        }
        if max == 0 || min > max {
            return Err(clause.error(format!("OCCURS {min} TO {max} is no range")));
        }
        // OCCURS n DEPENDING ON, without a lowest number, is found in the field: 0 to n.
        let min = if depending.is_some() && min == max { 0 } else { min };
        Ok(OccursClause { min, max, depending })
    }

    /// A name with its qualifiers.
    fn qualified(&mut self, clause: &Token) -> Result<Vec<String>> {
        let mut names = vec![self.word(clause, "a name after DEPENDING ON")?.to_owned()];
        while self.accept(&["OF", "IN"]) {
            names.push(self.word(clause, "a name after OF")?.to_owned());
        }
        Ok(names)
    }

    /// Passes over names up to the next clause.
    fn names(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            let upper = token.upper();
            let clause = CLAUSES.contains(&upper.as_str())
                || usage(&upper).is_some()
                || upper == "DEPENDING";
            if clause || upper.is_empty() {
                break;
            }
            self.at += 1;
        }
    }

    fn sign(&mut self, place: &Token) -> Result<SignClause> {
        let leading = match place.upper().as_str() {
            "LEADING" => true,
            "TRAILING" => false,
            _ => return Err(place.error("SIGN needs LEADING or TRAILING")),
        };
        let separate = self.accept(&["SEPARATE"]);
        self.accept(&["CHARACTER"]);
        Ok(SignClause { leading, separate })
    }

    /// The VALUE of an item says nothing about a data file.
    fn skip_value(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            let upper = token.upper();
            if (CLAUSES.contains(&upper.as_str()) && upper != "IS") || usage(&upper).is_some() {
                break;
            }
            self.at += 1;
        }
    }

    /// Literals of a VALUE clause, with THRU ranges.
    fn values(&mut self, clause: &Token) -> Result<Vec<(Value, Option<Value>)>> {
        self.accept(&["IS", "ARE"]);
        let mut values = Vec::new();
        while let Some(value) = self.value() {
            let end = if self.accept(&["THRU", "THROUGH"]) {
                Some(self.value().ok_or_else(|| clause.error("THRU needs a literal"))?)
            } else {
                None
            };
            values.push((value, end));
        }
        if values.is_empty() {
            return Err(clause.error("VALUE needs a literal"));
        }
        Ok(values)
    }

    fn value(&mut self) -> Option<Value> {
        let token = self.tokens.get(self.at)?;
        let value = match &token.kind {
            TokenKind::Literal(Literal::Text(text)) => Value::Text(text.clone()),
            TokenKind::Literal(Literal::Hex(bytes)) => Value::Hex(bytes.clone()),
            TokenKind::Word(word) => {
                let upper = word.to_uppercase();
                if upper == "ALL" {
                    self.at += 1;
                    return self.value().map(|value| match value {
                        Value::Text(text) => Value::All(text),
                        other => other,
                    });
                }
                match figurative(&upper) {
                    Some(constant) => Value::Figurative(constant),
                    None if is_number(word) => Value::Number(word.clone()),
                    None => return None,
                }
            }
            _ => return None,
        };
        self.at += 1;
        Some(value)
    }

    fn condition(&mut self, first: &Token, name: Option<String>) -> Result<Condition> {
        let name = name.ok_or_else(|| first.error("level 88 needs a name"))?;
        let clause = self.take().filter(|t| matches!(t.upper().as_str(), "VALUE" | "VALUES"));
        let clause = clause.ok_or_else(|| first.error("level 88 needs VALUE"))?;
        let values = self.values(clause)?;
        // WHEN SET TO FALSE says nothing about data.
        Ok(Condition { name, values })
    }

    fn renames(&mut self, first: &Token, name: Option<String>) -> Result<Renames> {
        let name = name.ok_or_else(|| first.error("level 66 needs a name"))?;
        if !self.accept(&["RENAMES"]) {
            return Err(first.error("level 66 needs RENAMES"));
        }
        let from = self.qualified(first)?.swap_remove(0);
        let thru = if self.accept(&["THRU", "THROUGH"]) {
            Some(self.qualified(first)?.swap_remove(0))
        } else {
            None
        };
        Ok(Renames { name, from, thru, line: first.line, column: first.column })
    }
}

fn figurative(word: &str) -> Option<Figurative> {
    Some(match word {
        "ZERO" | "ZEROS" | "ZEROES" => Figurative::Zero,
        "SPACE" | "SPACES" => Figurative::Space,
        "LOW-VALUE" | "LOW-VALUES" => Figurative::LowValue,
        "HIGH-VALUE" | "HIGH-VALUES" => Figurative::HighValue,
        "QUOTE" | "QUOTES" => Figurative::Quote,
        "NULL" | "NULLS" => Figurative::Null,
        _ => return None,
    })
}

fn is_number(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
        && word
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b',' | b'E' | b'e'))
}

fn usage(word: &str) -> Option<Usage> {
    let word = match word.strip_prefix("COMPUTATIONAL") {
        Some(rest) => format!("COMP{rest}"),
        None => word.to_owned(),
    };
    Some(match word.as_str() {
        "DISPLAY" => Usage::Display,
        "COMP" | "COMP-0" | "COMP-4" | "BINARY" => Usage::Binary,
        "COMP-1" | "FLOAT-SHORT" => Usage::Float,
        "COMP-2" | "FLOAT-LONG" => Usage::Double,
        "COMP-3" | "PACKED-DECIMAL" => Usage::Packed,
        "COMP-5" | "COMP-N" => Usage::Native,
        "COMP-6" => Usage::PackedUnsigned,
        "COMP-9" => Usage::LittleEndian,
        "COMP-X" => Usage::CompX,
        "BINARY-CHAR" => Usage::Sized(1, true),
        "BINARY-SHORT" => Usage::Sized(2, true),
        "BINARY-LONG" => Usage::Sized(4, true),
        "BINARY-DOUBLE" | "BINARY-LONG-LONG" => Usage::Sized(8, true),
        "INDEX" => Usage::Index,
        "POINTER" | "POINTER-32" | "FUNCTION-POINTER" | "PROCEDURE-POINTER" | "PROGRAM-POINTER" => {
            Usage::Pointer
        }
        "NATIONAL" => Usage::National,
        "DISPLAY-1" | "KANJI" => Usage::Display1,
        _ => return None,
    })
}
