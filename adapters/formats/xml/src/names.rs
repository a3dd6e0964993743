//! Namespaces in force (Namespaces in XML 1.0).

use crate::chars::qualified;
use crate::error::{Bad, MAX_BINDINGS, MAX_DECLARATIONS, Parsed};

/// The namespace of `xsi:nil`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Prefixes and what they stand for, innermost last.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Bindings {
    /// Prefix (empty for the default namespace), namespace, and the depth of the element that declares it.
    list: Vec<(String, String, usize)>,
}

/// An attribute with its value normalised, of which the namespace is known.
#[derive(Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) raw: &'a str,
    pub(crate) uri: String,
    pub(crate) local: &'a str,
    pub(crate) value: String,
}

/// An element's names and attributes, namespace declarations left out.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    pub(crate) raw: &'a str,
    pub(crate) uri: String,
    pub(crate) local: &'a str,
    pub(crate) attributes: Vec<Attribute<'a>>,
    /// How deep the declaration of its namespace stands; 0 for none.
    pub(crate) declared_at: usize,
}

impl Bindings {
    /// Takes in the declarations of an element at `depth` and resolves its names.
    pub(crate) fn enter<'a>(
        &mut self,
        raw: &'a str,
        attributes: Vec<(&'a str, String)>,
        depth: usize,
        at: usize,
    ) -> Parsed<Element<'a>> {
        let mut declarations = 0;
        for (name, value) in &attributes {
            let prefix = match name.split_once(':') {
                None if *name == "xmlns" => "",
                Some(("xmlns", prefix)) if !prefix.is_empty() => prefix,
                _ => continue,
            };
            declarations += 1;
            if declarations > MAX_DECLARATIONS {
                return Err(Bad::limit(at, "namespace_declarations", MAX_DECLARATIONS as u64));
            }
            if self.list.len() >= MAX_BINDINGS {
                return Err(Bad::limit(at, "namespaces", MAX_BINDINGS as u64));
            }
            check_declaration(prefix, value, at)?;
            self.list.push((prefix.to_owned(), value.clone(), depth));
        }
        let (prefix, local) = qualified(raw, at)?;
        let (uri, declared_at) = self.resolve(prefix, at)?;
        let mut element = Element {
            raw,
            uri,
            local,
            attributes: Vec::with_capacity(attributes.len()),
            declared_at,
        };
        for (name, value) in attributes {
            let (prefix, local) = qualified(name, at)?;
            if name == "xmlns" || prefix == "xmlns" {
                continue;
            }
            let uri = if prefix.is_empty() { String::new() } else { self.resolve(prefix, at)?.0 };
            element.attributes.push(Attribute { raw: name, uri, local, value });
        }
        twice(&element.attributes, at)?;
        Ok(element)
    }

    /// Forgets what elements at `depth` and deeper declared.
    pub(crate) fn leave(&mut self, depth: usize) -> bool {
        let before = self.list.len();
        while self.list.last().is_some_and(|(_, _, at)| *at >= depth) {
            self.list.pop();
        }
        self.list.len() != before
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Prefixes and namespaces in force, inner ones last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(prefix, uri, _)| (prefix.as_str(), uri.as_str()))
    }

    fn resolve(&self, prefix: &str, at: usize) -> Parsed<(String, usize)> {
        if prefix == "xml" {
            return Ok((XML.into(), 0));
        }
        match self.list.iter().rev().find(|(name, _, _)| name == prefix) {
            Some((_, uri, depth)) => Ok((uri.clone(), *depth)),
            None if prefix.is_empty() => Ok((String::new(), 0)),
            None => Err(Bad::new(at, "xml.namespace", "a prefix that is not declared")),
        }
    }
}

/// Clauses 3 and 5: which declarations are allowed.
fn check_declaration(prefix: &str, uri: &str, at: usize) -> Parsed<()> {
    let wrong = match prefix {
        "xmlns" => true,
        "xml" => uri != XML,
        _ => uri == XML || uri == XMLNS || (uri.is_empty() && !prefix.is_empty()),
    };
    if wrong {
        return Err(Bad::new(at, "xml.namespace", "a namespace declaration that is not allowed"));
    }
    Ok(())
}

/// Clause 6.3: no two attributes with the same expanded name. Same spellings were refused before.
fn twice(attributes: &[Attribute<'_>], at: usize) -> Parsed<()> {
    let mut names: Vec<_> = attributes.iter().map(|a| (a.uri.as_str(), a.local)).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(Bad::new(at, "xml.attribute", "two attributes with the same expanded name"));
    }
    Ok(())
}
