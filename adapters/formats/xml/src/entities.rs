//! References, and the entities of an internal subset. There is no resolver: what lies outside the document stays there.

use std::collections::HashMap;

use crate::attlist::{self, AttributeLists};
use crate::chars::{check_chars, check_name, is_char};
use crate::error::{Bad, MAX_ENTITY_DEPTH, Parsed};
use crate::subset::Subset;

/// Expansion is not looked at before it has made so many bytes.
const FREE: u64 = 1 << 20;
/// Then it may make so many times the bytes of the document.
const FACTOR: u64 = 10;

/// Entities that a document declares, and what their expansion came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entities {
    declared: HashMap<String, Entity>,
    pub(crate) lists: AttributeLists,
    /// Bytes that expansion made.
    pub(crate) expanded: u64,
    /// Bytes of the document read so far.
    pub(crate) consumed: u64,
}

#[derive(Clone, Debug)]
enum Entity {
    Internal(String),
    External,
}

impl Entities {
    /// Reads a document type declaration (clause 2.8). `(name, whether it names an external subset)`.
    pub(crate) fn read_doctype(&mut self, text: &str, at: usize) -> Parsed<bool> {
        check_chars(text).map_err(|bad| bad.shifted(at))?;
        let mut subset = Subset { text, at: "<!DOCTYPE".len(), base: at };
        subset.must_space()?;
        let name = subset.name()?;
        check_name(name, at)?;
        let spaced = subset.space();
        let external = spaced && subset.external_id()?;
        subset.space();
        if subset.take("[") {
            self.read_subset(&mut subset)?;
            subset.space();
        }
        if !subset.take(">") || subset.at != text.len() {
            return Err(subset.wrong("expected > at the end of the document type declaration"));
        }
        Ok(external)
    }

    fn read_subset(&mut self, subset: &mut Subset<'_>) -> Parsed<()> {
        loop {
            subset.space();
            if subset.take("]") {
                return Ok(());
            }
            if subset.take("<!--") {
                let inside = subset.until("-->")?;
                if inside.contains("--") || inside.ends_with('-') {
                    return Err(subset.wrong("a comment holds two hyphens"));
                }
            } else if subset.take("<?") {
                subset.until("?>")?;
            } else if subset.take("<!ENTITY") {
                self.read_entity(subset)?;
            } else if subset.take("<!ATTLIST") {
                let read = attlist::declaration(subset, |raw, at| self.attribute(raw, at))?;
                self.lists.add(read.0, read.1);
            } else if subset.take("<!ELEMENT") || subset.take("<!NOTATION") {
                subset.must_space()?;
                subset.declaration()?;
            } else if subset.rest().starts_with('%') {
                return Err(Bad::new(
                    subset.base + subset.at,
                    "xml.entity",
                    "a parameter entity reference",
                ));
            } else {
                return Err(subset.wrong("expected a declaration of the internal subset"));
            }
        }
    }

    fn read_entity(&mut self, subset: &mut Subset<'_>) -> Parsed<()> {
        subset.must_space()?;
        let parameter = subset.take("%");
        if parameter {
            subset.must_space()?;
        }
        let name = subset.name()?;
        check_name(name, subset.base + subset.at)?;
        subset.must_space()?;
        let entity = if subset.external_id()? {
            if subset.space() && subset.take("NDATA") {
                subset.must_space()?;
                subset.name()?;
            }
            Entity::External
        } else {
            let at = subset.base + subset.at;
            Entity::Internal(literal(subset.quoted()?, at)?)
        };
        subset.space();
        if !subset.take(">") {
            return Err(subset.wrong("expected > at the end of an entity declaration"));
        }
        // The first declaration binds (clause 4.2).
        if !parameter {
            self.declared.entry(name.to_owned()).or_insert(entity);
        }
        Ok(())
    }

    /// The replacement text of a general entity that is not predefined.
    pub(crate) fn replacement(&mut self, name: &str, depth: usize, at: usize) -> Parsed<String> {
        check_name(name, at)?;
        let wrong = |what: &str| Err(Bad::new(at, "xml.entity", what));
        if depth >= MAX_ENTITY_DEPTH {
            return Err(Bad::limit(at, "entity_depth", MAX_ENTITY_DEPTH as u64));
        }
        match self.declared.get(name) {
            None => wrong("a reference to an entity that is not declared"),
            Some(Entity::External) => {
                wrong("a reference to an entity outside the document, which is never opened")
            }
            Some(Entity::Internal(text)) => {
                let text = text.clone();
                self.count(text.len(), at)?;
                Ok(text)
            }
        }
    }

    /// Counts bytes that declarations put into the document.
    pub(crate) fn count(&mut self, bytes: usize, at: usize) -> Parsed<()> {
        self.expanded = self.expanded.saturating_add(bytes as u64);
        if self.expanded > FREE && self.expanded > self.consumed.saturating_mul(FACTOR) {
            return Err(Bad::limit(at, "entity_expansion", FACTOR));
        }
        Ok(())
    }

    /// An attribute's value, normalised (clause 3.3.3, for attributes of type CDATA).
    pub(crate) fn attribute(&mut self, raw: &str, at: usize) -> Parsed<String> {
        let mut out = String::with_capacity(raw.len());
        self.attribute_into(raw, 0, at, &mut out)?;
        Ok(out)
    }

    fn attribute_into(
        &mut self,
        raw: &str,
        depth: usize,
        at: usize,
        out: &mut String,
    ) -> Parsed<()> {
        if raw.contains('<') {
            return Err(Bad::new(at, "xml.attribute", "< in an attribute value"));
        }
        let mut rest = raw;
        while let Some(next) = rest.find(['&', '\t', '\n', '\r']) {
            out.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix('&') {
                let Some((name, behind)) = after.split_once(';') else {
                    return Err(Bad::new(
                        at,
                        "xml.entity",
                        "an ampersand that starts no reference",
                    ));
                };
                match simple_reference(name, at)? {
                    Some(c) => out.push(c),
                    None => {
                        let text = self.replacement(name, depth, at)?;
                        self.attribute_into(&text, depth + 1, at, out)?;
                    }
                }
                rest = behind;
            } else {
                out.push(' ');
                rest = rest.strip_prefix("\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
            }
        }
        out.push_str(rest);
        Ok(())
    }
}

/// A character reference or predefined entity (clauses 4.1 and 4.6); `None` for another name.
pub(crate) fn simple_reference(name: &str, at: usize) -> Parsed<Option<char>> {
    Ok(Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => char_reference(number, at)?,
            None => return Ok(None),
        },
    }))
}

/// Line ends as every reader of XML sees them (clause 2.11).
pub(crate) fn push_lines(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('\r') {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push('\n');
        let behind = rest.get(at + 1..).unwrap_or_default();
        rest = behind.strip_prefix('\n').unwrap_or(behind);
    }
    out.push_str(rest);
}

fn char_reference(number: &str, at: usize) -> Parsed<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| char::from(b).is_digit(radix));
    let code = if plain { u32::from_str_radix(digits, radix).ok() } else { None };
    code.and_then(char::from_u32)
        .filter(|c| is_char(*c))
        .ok_or_else(|| Bad::new(at, "xml.entity", "a character reference to no character of XML"))
}

/// The literal of an entity: character references are replaced, others stay (clause 4.5).
fn literal(raw: &str, at: usize) -> Parsed<String> {
    let mut out = String::new();
    let mut rest = raw;
    while let Some(next) = rest.find(['&', '%']) {
        out.push_str(rest.get(..next).unwrap_or_default());
        let Some(after) = rest.get(next..).and_then(|r| r.strip_prefix('&')) else {
            return Err(Bad::new(at, "xml.entity", "a parameter entity reference"));
        };
        let Some((name, behind)) = after.split_once(';') else {
            return Err(Bad::new(at, "xml.entity", "an ampersand that starts no reference"));
        };
        match name.strip_prefix('#') {
            Some(number) => out.push(char_reference(number, at)?),
            None => {
                check_name(name, at)?;
                out.push('&');
                out.push_str(name);
                out.push(';');
            }
        }
        rest = behind;
    }
    push_lines(rest, &mut out);
    Ok(out)
}
