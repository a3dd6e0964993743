//! Words, literals and periods of a copybook, each with its place.

use fenhe_core::Result;

use super::source::{Ch, SourceForm, characters};
use crate::error;

/// One word, literal or separator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word(String),
    Literal(Literal),
    Period,
    /// The text between `==` and `==`.
    Pseudo(Vec<Token>),
}

/// A literal of a VALUE clause or a COPY statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Hex(Vec<u8>),
}

impl Token {
    /// The word in upper case, empty for everything else.
    pub(crate) fn upper(&self) -> String {
        match &self.kind {
            TokenKind::Word(word) => word.to_uppercase(),
            _ => String::new(),
        }
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> fenhe_core::Error {
        error::syntax(message, self.line, self.column)
    }
}

/// The tokens of a text.
pub(crate) fn tokens(text: &str, form: SourceForm) -> Result<Vec<Token>> {
    let chars = characters(text, form);
    Lexer { chars: &chars, at: 0 }.all()
}

struct Lexer<'a> {
    chars: &'a [Ch],
    at: usize,
}

impl Lexer<'_> {
    fn all(&mut self) -> Result<Vec<Token>> {
        let mut tokens = Vec::new();
        while let Some(token) = self.next()? {
            tokens.push(token);
        }
        Ok(tokens)
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|ch| ch.c)
    }

    /// Whether a separator `.` `,` or `;` at this distance ends a word: it must be followed by blank or end.
    fn separates(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), Some('.' | ',' | ';'))
            && self.peek(ahead + 1).is_none_or(char::is_whitespace)
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek(0) {
            if c == '*' && self.peek(1) == Some('>') {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if c.is_whitespace() || (matches!(c, ',' | ';') && self.separates(0)) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn next(&mut self) -> Result<Option<Token>> {
        self.skip_blanks();
        let Some(start) = self.chars.get(self.at).copied() else { return Ok(None) };
        let token = |kind| Token { kind, line: start.line, column: start.column };
        match start.c {
            '.' if self.separates(0) => {
                self.at += 1;
                Ok(Some(token(TokenKind::Period)))
            }
            '\'' | '"' => Ok(Some(token(TokenKind::Literal(Literal::Text(self.quoted(start)?))))),
            // Text that went through a generator has its quotes escaped.
            '\\' if matches!(self.peek(1), Some('\'' | '"')) => {
                self.at += 1;
                let quote = Ch { c: self.peek(0).unwrap_or('"'), ..start };
                let mut text = self.quoted(quote)?;
                text.truncate(text.trim_end_matches('\\').len());
                Ok(Some(token(TokenKind::Literal(Literal::Text(text)))))
            }
            '=' if self.peek(1) == Some('=') => self.pseudo(start).map(Some),
            _ => self.word(start).map(Some),
        }
    }

    fn quoted(&mut self, start: Ch) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek(0) {
                None | Some('\n') => {
                    return Err(error::syntax("a literal does not end", start.line, start.column));
                }
                Some(c) if c == start.c => {
                    self.at += 1;
                    if self.peek(0) != Some(start.c) {
                        return Ok(text);
                    }
                    text.push(c);
                }
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
    }

    fn pseudo(&mut self, start: Ch) -> Result<Token> {
        self.at += 2;
        let mut inner = Vec::new();
        loop {
            self.skip_blanks();
            if self.peek(0) == Some('=') && self.peek(1) == Some('=') {
                self.at += 2;
                let kind = TokenKind::Pseudo(inner);
                return Ok(Token { kind, line: start.line, column: start.column });
            }
            match self.next()? {
                Some(token) => inner.push(token),
                None => {
                    return Err(error::syntax(
                        "pseudo-text does not end with ==",
                        start.line,
                        start.column,
                    ));
                }
            }
        }
    }

    fn word(&mut self, start: Ch) -> Result<Token> {
        let mut word = String::new();
        while let Some(c) = self.peek(0) {
            if c.is_whitespace() || self.separates(0) || (c == '=' && self.peek(1) == Some('=')) {
                break;
            }
            if matches!(c, '\'' | '"') {
                if let Some(literal) = self.prefixed(&word)? {
                    let kind = TokenKind::Literal(literal);
                    return Ok(Token { kind, line: start.line, column: start.column });
                }
                break;
            }
            word.push(c);
            self.at += 1;
        }
        Ok(Token { kind: TokenKind::Word(word), line: start.line, column: start.column })
    }

    /// `X'C1'`, `N'..'`, `G'..'`, `Z'..'` and their kind.
    fn prefixed(&mut self, prefix: &str) -> Result<Option<Literal>> {
        let Some(quote) = self.chars.get(self.at).copied() else { return Ok(None) };
        let prefix = prefix.to_uppercase();
        if !matches!(prefix.as_str(), "X" | "N" | "G" | "Z" | "U" | "NX" | "H") {
            return Ok(None);
        }
        let text = self.quoted(quote)?;
        if !matches!(prefix.as_str(), "X" | "NX" | "H") {
            return Ok(Some(Literal::Text(text)));
        }
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        match digits {
            Some(digits) if digits.len().is_multiple_of(2) => {
                let pair = |pair: &[u8]| pair.iter().fold(0u8, |byte, digit| (byte << 4) | digit);
                Ok(Some(Literal::Hex(digits.chunks(2).map(pair).collect())))
            }
            _ => Err(error::syntax("not a hexadecimal literal", quote.line, quote.column)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let show = |token: &Token| match &token.kind {
            TokenKind::Word(word) => word.clone(),
            TokenKind::Literal(literal) => format!("{literal:?}"),
            TokenKind::Period => ".".into(),
            TokenKind::Pseudo(inner) => format!("=={}==", inner.len()),
        };
        tokens(text, SourceForm::Free).unwrap().iter().map(show).collect()
    }

    #[test]
    fn periods_and_commas_separate_only_before_a_blank() {
        assert_eq!(
            words("05 A PIC ZZ,ZZ9.99, COMP."),
            ["05", "A", "PIC", "ZZ,ZZ9.99", "COMP", "."]
        );
    }

    #[test]
    fn literals_keep_doubled_quotes_and_hexadecimal_bytes() {
        assert_eq!(words("'a''b' X\"C1f2\""), ["Text(\"a'b\")", "Hex([193, 242])"]);
    }

    #[test]
    fn an_open_literal_is_an_error_with_its_place() {
        let error = tokens("01 A\n  VALUE 'x", SourceForm::Free).unwrap_err();
        assert_eq!(error.line(), Some((2, 9)));
    }
}
