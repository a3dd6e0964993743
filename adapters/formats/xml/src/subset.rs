//! A cursor over a document type declaration (clause 2.8).

use crate::chars::is_space;
use crate::error::{Bad, Parsed};

/// A cursor over a document type declaration.
pub(crate) struct Subset<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    /// Place of the declaration.
    pub(crate) base: usize,
}

impl<'a> Subset<'a> {
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The place of the cursor.
    pub(crate) fn place(&self) -> usize {
        self.base + self.at
    }

    pub(crate) fn wrong(&self, what: &str) -> Bad {
        Bad::new(self.place(), "xml.doctype", what)
    }

    pub(crate) fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    pub(crate) fn space(&mut self) -> bool {
        let n = self.rest().bytes().take_while(|b| is_space(*b)).count();
        self.at += n;
        n > 0
    }

    pub(crate) fn must_space(&mut self) -> Parsed<()> {
        if self.space() { Ok(()) } else { Err(self.wrong("expected white space")) }
    }

    pub(crate) fn name(&mut self) -> Parsed<&'a str> {
        let ends =
            |c: char| c.is_ascii_whitespace() || matches!(c, '[' | '>' | '"' | '\'' | '%' | '<');
        let rest = self.rest();
        let name = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        if name.is_empty() {
            return Err(self.wrong("expected a name"));
        }
        self.at += name.len();
        Ok(name)
    }

    pub(crate) fn quoted(&mut self) -> Parsed<&'a str> {
        let quote = match self.rest().chars().next() {
            Some(c @ ('"' | '\'')) => c,
            _ => return Err(self.wrong("expected a literal in quotes")),
        };
        self.at += 1;
        let mut word = [0; 4];
        self.until(quote.encode_utf8(&mut word))
    }

    pub(crate) fn until(&mut self, end: &str) -> Parsed<&'a str> {
        let Some((inside, _)) = self.rest().split_once(end) else {
            return Err(self.wrong("the document type declaration ends too early"));
        };
        self.at += inside.len() + end.len();
        Ok(inside)
    }

    /// `SYSTEM "..."` or `PUBLIC "..." "..."`: noted, never opened.
    pub(crate) fn external_id(&mut self) -> Parsed<bool> {
        let public = self.take("PUBLIC");
        if !public && !self.take("SYSTEM") {
            return Ok(false);
        }
        self.must_space()?;
        self.quoted()?;
        if public {
            self.must_space()?;
            self.quoted()?;
        }
        Ok(true)
    }

    /// The rest of a declaration that changes nothing here.
    pub(crate) fn declaration(&mut self) -> Parsed<()> {
        loop {
            let rest = self.rest();
            match rest
                .find(['>', '"', '\'', '<', '%'])
                .and_then(|n| Some((n, rest.get(n..)?.chars().next()?)))
            {
                Some((n, '>')) => {
                    self.at += n + 1;
                    return Ok(());
                }
                Some((n, '"' | '\'')) => {
                    self.at += n;
                    self.quoted()?;
                }
                _ => return Err(self.wrong("a declaration without an end")),
            }
        }
    }
}
