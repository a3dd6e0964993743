//! What lies outside the records: prolog, the elements around them, and what follows.

use fenhe_core::Limits;

use crate::attlist;
use crate::chars::{check_chars, is_space};
use crate::entities::{Entities, simple_reference};
use crate::error::{Bad, Parsed};
use crate::names::Bindings;
use crate::options::Dtd;
use crate::path::Path;
use crate::scan::{self, Piece};
use crate::slow::{self, Context};

/// Where in a document the reader stands, outside the records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// Qualified names of the open elements, outermost first.
    pub(crate) open: Vec<String>,
    pub(crate) bindings: Bindings,
    /// How many of them, from the outermost on, are on the path.
    matched: usize,
    /// Whether the root element was seen, so that it may not come again.
    root: bool,
    doctype: bool,
    started: bool,
    pub(crate) entities: Entities,
    /// Changes whenever names may mean something else.
    pub(crate) epoch: u64,
    /// What was seen and is no record, for the notes.
    pub(crate) passed: Passed,
}

/// What was passed over outside the records.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passed {
    /// Texts that are not blank.
    pub(crate) texts: u64,
    /// A document type declaration names an external subset.
    pub(crate) external_subset: bool,
}

/// The state of an outline as a position keeps it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Saved {
    open: Vec<String>,
    bindings: Bindings,
    matched: usize,
    root: bool,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A record from here to there.
    Record {
        from: usize,
        end: usize,
    },
    /// An element that is no record starts, with its expanded name, or ends. Only told when there is no path.
    Open {
        uri: String,
        local: String,
        attributes: usize,
        from: usize,
    },
    Close {
        end: usize,
    },
    /// More text is needed; everything before `at` is done with.
    More,
    /// The document is over.
    End,
}

/// What reading needs to know.
pub(crate) struct Rules<'a> {
    pub(crate) path: Option<&'a Path>,
    pub(crate) dtd: Dtd,
    pub(crate) limits: &'a Limits,
    /// Whether no more text comes.
    pub(crate) ended: bool,
    /// Whether the text ends with the document, and not in its middle.
    pub(crate) last: bool,
}

impl Outline {
    /// Goes on from `at` to the next record, and leaves `at` there.
    pub(crate) fn next(&mut self, text: &str, at: &mut usize, rules: &Rules<'_>) -> Parsed<Next> {
        loop {
            let here = *at;
            let Some((piece, end)) = self.piece(text, here, rules)? else {
                return if here >= text.len() && rules.ended {
                    self.finish(here, rules)
                } else {
                    Ok(Next::More)
                };
            };
            let inside = text.get(here..end).unwrap_or_default();
            match piece {
                Piece::Start | Piece::Empty => {
                    if let Some(next) = self.start(text, inside, here, end, piece, rules)? {
                        if !matches!(next, Next::More) {
                            self.started = true;
                            *at = end;
                        }
                        return Ok(next);
                    }
                }
                Piece::End => {
                    self.end(inside, here)?;
                    if rules.path.is_none() {
                        *at = end;
                        return Ok(Next::Close { end });
                    }
                }
                _ => self.other(piece, inside, here, rules)?,
            }
            self.started = true;
            *at = end;
        }
    }

    /// Whether records may stand here.
    pub(crate) fn among_records(&self, path: &Path) -> bool {
        self.open.len() == self.matched && self.matched + 1 == path.depth()
    }

    pub(crate) fn save(&self) -> Saved {
        Saved {
            open: self.open.clone(),
            bindings: self.bindings.clone(),
            matched: self.matched,
            root: self.root,
        }
    }

    pub(crate) fn restore(&mut self, saved: Saved) {
        (self.open, self.bindings) = (saved.open, saved.bindings);
        (self.matched, self.root, self.started) = (saved.matched, saved.root, true);
        self.epoch += 1;
    }

    fn piece(&self, text: &str, at: usize, rules: &Rules<'_>) -> Parsed<Option<(Piece, usize)>> {
        let found = scan::piece(text.as_bytes(), at)?;
        let size = found.map_or(text.len(), |(_, end)| end).saturating_sub(at) as u64;
        if size > rules.limits.record {
            return Err(Bad::limit(at, "record", rules.limits.record));
        }
        if found.is_some() || !rules.ended || at >= text.len() {
            return Ok(found);
        }
        if text.as_bytes().get(at) == Some(&b'<') {
            return Err(Bad::truncated(at, "a tag, comment or declaration"));
        }
        Ok(Some((Piece::Text, text.len())))
    }

    fn finish(&self, at: usize, rules: &Rules<'_>) -> Parsed<Next> {
        if !rules.last {
            return Ok(Next::End);
        }
        if !self.open.is_empty() {
            return Err(Bad::truncated(at, "an element that is not closed"));
        }
        if !self.root {
            return Err(Bad::truncated(at, "the prolog: there is no root element"));
        }
        Ok(Next::End)
    }

    fn start(
        &mut self,
        text: &str,
        inside: &str,
        at: usize,
        end: usize,
        piece: Piece,
        rules: &Rules<'_>,
    ) -> Parsed<Option<Next>> {
        if self.open.is_empty() && self.root {
            return Err(Bad::syntax(at, "a second root element"));
        }
        if self.open.len() as u64 >= rules.limits.depth {
            return Err(Bad::limit(at, "depth", rules.limits.depth));
        }
        check_chars(inside).map_err(|bad| bad.shifted(at))?;
        let depth = self.open.len();
        let before = self.bindings.len();
        let expanded = self.entities.expanded;
        let start = slow::lone_tag(inside);
        let whole = attlist::completed(&mut self.entities, &start, at)?;
        let start = whole.as_deref().map_or(start, slow::lone_tag);
        let mut context = Context {
            bindings: &mut self.bindings,
            entities: &mut self.entities,
            limits: rules.limits,
            depth,
        };
        let element = slow::tag(&start, at, &mut context)?;
        let step = rules.path.and_then(|path| path.0.get(depth));
        let matches = self.matched == depth
            && step.is_some_and(|wanted| wanted.matches(&element.uri, element.local));
        if matches && rules.path.is_some_and(|path| depth + 1 == path.depth()) {
            // The record is read again as a whole, with its own declarations.
            self.bindings.leave(depth + 1);
            self.entities.expanded = expanded;
            return self.record(text, at, end, piece, rules).map(Some);
        }
        let told = rules.path.is_none().then(|| Next::Open {
            uri: element.uri.clone(),
            local: element.local.to_owned(),
            attributes: element.attributes.len(),
            from: at,
        });
        self.root = true;
        if self.bindings.len() != before {
            self.epoch += 1;
        }
        if piece == Piece::Empty && told.is_none() {
            self.bindings.leave(depth + 1);
            return Ok(None);
        }
        self.open.push(element.raw.to_owned());
        self.matched += usize::from(matches);
        Ok(told)
    }

    fn record(
        &mut self,
        text: &str,
        at: usize,
        end: usize,
        piece: Piece,
        rules: &Rules<'_>,
    ) -> Parsed<Next> {
        let end = match piece {
            Piece::Empty => Some(end),
            _ => scan::element_end(text.as_bytes(), at, end, self.open.len(), rules.limits)?,
        };
        match end {
            Some(end) => {
                self.root = true;
                Ok(Next::Record { from: at, end })
            }
            None if rules.ended => Err(Bad::truncated(at, "a record")),
            None => Ok(Next::More),
        }
    }

    fn end(&mut self, inside: &str, at: usize) -> Parsed<()> {
        let name = slow::end_name(inside, at)?;
        if self.open.last().is_none_or(|open| open != name) {
            return Err(Bad::new(
                at,
                "xml.end_tag",
                "an end tag that does not match the open element",
            ));
        }
        self.close();
        Ok(())
    }

    /// Leaves the innermost open element.
    pub(crate) fn close(&mut self) {
        if self.bindings.leave(self.open.len()) {
            self.epoch += 1;
        }
        self.open.pop();
        self.matched = self.matched.min(self.open.len());
    }

    fn other(&mut self, piece: Piece, inside: &str, at: usize, rules: &Rules<'_>) -> Parsed<()> {
        if piece != Piece::Doctype {
            check_chars(inside).map_err(|bad| bad.shifted(at))?;
        }
        match piece {
            Piece::Text => self.text(inside, at),
            Piece::CData if self.open.is_empty() => {
                Err(Bad::syntax(at, "text outside the root element"))
            }
            Piece::CData => {
                self.passed.texts += 1;
                Ok(())
            }
            Piece::Comment => {
                let inside = inside.strip_prefix("<!--").and_then(|t| t.strip_suffix("-->"));
                inside.map_or_else(
                    || Err(Bad::syntax(at, "a comment that ends before it starts")),
                    |inside| slow::check_comment(inside, at),
                )
            }
            Piece::Instruction => self.instruction(inside, at),
            Piece::Doctype => self.doctype(inside, at, rules),
            Piece::Start | Piece::Empty | Piece::End => Ok(()),
        }
    }

    fn text(&mut self, text: &str, at: usize) -> Parsed<()> {
        if text.bytes().all(is_space) {
            return Ok(());
        }
        if self.open.is_empty() {
            return Err(Bad::syntax(at, "text outside the root element"));
        }
        slow::check_text(text, at)?;
        for (n, _) in text.match_indices('&') {
            let Some((name, _)) = text.get(n + 1..).and_then(|t| t.split_once(';')) else {
                return Err(Bad::new(
                    at + n,
                    "xml.entity",
                    "an ampersand that starts no reference",
                ));
            };
            if simple_reference(name, at + n)?.is_none() {
                self.entities.replacement(name, 0, at + n)?;
            }
        }
        self.passed.texts += 1;
        Ok(())
    }

    fn instruction(&self, text: &str, at: usize) -> Parsed<()> {
        let inside = text.strip_prefix("<?").and_then(|t| t.strip_suffix("?>")).unwrap_or_default();
        let declaration =
            inside.strip_prefix("xml").filter(|rest| rest.starts_with([' ', '\t', '\n', '\r']));
        match declaration {
            Some(rest) if !self.started => check_declaration(rest, at),
            _ => slow::check_instruction(inside, at),
        }
    }

    fn doctype(&mut self, text: &str, at: usize, rules: &Rules<'_>) -> Parsed<()> {
        if self.root || self.doctype {
            return Err(Bad::syntax(at, "a document type declaration where none may stand"));
        }
        if rules.dtd == Dtd::Refuse {
            let mut bad = Bad::new(
                at,
                "xml.doctype_forbidden",
                "a document type declaration, and these are refused",
            );
            bad.error =
                bad.error.hint("dtd=internal reads entities of the internal subset, within limits");
            return Err(bad);
        }
        self.doctype = true;
        self.passed.external_subset |= self.entities.read_doctype(text, at)?;
        Ok(())
    }
}

/// The XML declaration (clause 2.8): version, encoding and standalone, in this order.
fn check_declaration(rest: &str, at: usize) -> Parsed<()> {
    let wrong = |what: &str| Err(Bad::new(at, "xml.declaration", what));
    let start = quick_xml::events::BytesStart::from_content(rest, 0);
    let mut seen = 0;
    for attribute in start.attributes() {
        let Ok(attribute) = attribute else {
            return wrong("an XML declaration that is not well-formed");
        };
        let value = attribute.value.as_ref();
        let (place, good) = match attribute.key.0 {
            "version" => (
                1,
                value
                    .strip_prefix("1.")
                    .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())),
            ),
            "encoding" => (
                2,
                value.starts_with(|c: char| c.is_ascii_alphabetic())
                    && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
            ),
            "standalone" => (3, matches!(value, "yes" | "no")),
            _ => (0, false),
        };
        if place <= seen || !good {
            return wrong("expected version, encoding and standalone, in this order");
        }
        if seen == 0 && place != 1 {
            return wrong("an XML declaration without a version");
        }
        seen = place;
    }
    if seen == 0 { wrong("an XML declaration without a version") } else { Ok(()) }
}
