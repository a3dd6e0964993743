//! Attribute lists of an internal subset (clauses 3.3 and 5.1): default values, and attributes whose type is not CDATA.
//!
//! A start tag that they change is spelled anew and then read like any other, so that every rule of attributes and
//! namespaces holds for defaults, too.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use quick_xml::events::BytesStart;

use crate::chars::check_name;
use crate::entities::Entities;
use crate::error::Parsed;
use crate::slow::check_spacing;
use crate::subset::Subset;

/// What an attribute counts for beside its name and value.
const COST: usize = 16;

/// What is declared, by the names of elements as they are spelled.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttributeLists(HashMap<String, Arc<List>>);

/// The attributes of an element. A long list costs an element no more than the attributes that it has, and the defaults
/// that it gets, which are counted.
#[derive(Clone, Debug, Default)]
struct List {
    declared: HashSet<String>,
    /// Attributes of another type than CDATA: blanks around and between their tokens do not count.
    tokens: HashSet<String>,
    /// Names and default values, normalised.
    defaults: Vec<(String, String)>,
}

/// One attribute of a declaration.
#[derive(Debug)]
pub(crate) struct Definition {
    name: String,
    tokens: bool,
    default: Option<String>,
}

impl AttributeLists {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in a declaration. Lists of one element are joined; the first declaration of an attribute binds (clause 3.3).
    pub(crate) fn add(&mut self, element: String, definitions: Vec<Definition>) {
        let list = Arc::make_mut(self.0.entry(element).or_default());
        for Definition { name, tokens, default } in definitions {
            if !list.declared.insert(name.clone()) {
                continue;
            }
            if tokens {
                list.tokens.insert(name.clone());
            }
            list.defaults.extend(default.map(|value| (name, value)));
        }
    }

    /// The list that changes a start tag.
    fn list_of(&self, name: &str) -> Option<Arc<List>> {
        let list = self.0.get(name)?;
        (!list.tokens.is_empty() || !list.defaults.is_empty()).then(|| Arc::clone(list))
    }
}

/// What stands behind `<!ATTLIST`; `normalise` resolves the references of default values.
pub(crate) fn declaration(
    subset: &mut Subset<'_>,
    mut normalise: impl FnMut(&str, usize) -> Parsed<String>,
) -> Parsed<(String, Vec<Definition>)> {
    subset.must_space()?;
    let element = subset.name()?.to_owned();
    check_name(&element, subset.place())?;
    let mut definitions = Vec::new();
    loop {
        let spaced = subset.space();
        if subset.take(">") {
            return Ok((element, definitions));
        }
        if !spaced {
            return Err(subset.wrong("expected white space"));
        }
        let name = subset.name()?.to_owned();
        check_name(&name, subset.place())?;
        subset.must_space()?;
        let tokens = kind(subset)?;
        subset.must_space()?;
        let default = match subset.take("#REQUIRED") || subset.take("#IMPLIED") {
            true => None,
            false => {
                if subset.take("#FIXED") {
                    subset.must_space()?;
                }
                let at = subset.place();
                let value = normalise(subset.quoted()?, at)?;
                Some(if tokens { joined(&value) } else { value })
            }
        };
        definitions.push(Definition { name, tokens, default });
    }
}

/// The type of an attribute (clause 3.3.1): whether it is another than CDATA.
fn kind(subset: &mut Subset<'_>) -> Parsed<bool> {
    if subset.take("CDATA") {
        return Ok(false);
    }
    // The longer of two words comes first.
    let words = ["IDREFS", "IDREF", "ID", "ENTITIES", "ENTITY", "NMTOKENS", "NMTOKEN"];
    if words.into_iter().any(|word| subset.take(word)) {
        return Ok(true);
    }
    if subset.take("NOTATION") {
        subset.must_space()?;
    }
    if !subset.take("(") {
        return Err(subset.wrong("expected the type of an attribute"));
    }
    let inside = subset.until(")")?;
    let good = |c: char| !matches!(c, '(' | '<' | '>' | '"' | '\'' | '%' | '&' | ',');
    if inside.split('|').any(|word| word.trim().is_empty()) || !inside.chars().all(good) {
        return Err(subset.wrong("expected words with | between them"));
    }
    Ok(true)
}

/// Clause 3.3.3, for types other than CDATA.
fn joined(value: &str) -> String {
    value.split(' ').filter(|token| !token.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A start tag with what attribute lists add to it or take off it; `None`: as it is.
pub(crate) fn completed(
    entities: &mut Entities,
    start: &BytesStart<'_>,
    at: usize,
) -> Parsed<Option<String>> {
    let name = start.name().0;
    let Some(list) = entities.lists.list_of(name) else { return Ok(None) };
    check_spacing(start.attributes_raw(), at)?;
    let mut tag = format!("<{name}");
    let mut present = HashSet::new();
    for attribute in start.attributes() {
        // Whoever reads the tag as it is says what is wrong with it.
        let Ok(attribute) = attribute else { return Ok(None) };
        let key = attribute.key.0;
        if list.tokens.contains(key) {
            let value = entities.attribute(&attribute.value, at)?;
            push(&mut tag, key, &joined(&value));
        } else {
            // Spelled as it was: it holds no quote of its own kind.
            let quote = if attribute.value.contains('"') { '\'' } else { '"' };
            tag.push_str(&format!(" {key}={quote}{}{quote}", attribute.value));
        }
        present.insert(key);
    }
    for (name, value) in list.defaults.iter().filter(|(name, _)| !present.contains(name.as_str())) {
        // A few bytes of a document may ask for many of its declaration, and each of these is looked at.
        entities.count(name.len() + value.len() + COST, at)?;
        push(&mut tag, name, value);
    }
    tag.push('>');
    Ok(Some(tag))
}

/// Adds an attribute whose value is normalised, so that normalising it again changes nothing.
fn push(tag: &mut String, name: &str, value: &str) {
    tag.push(' ');
    tag.push_str(name);
    tag.push_str("=\"");
    for c in value.chars() {
        match c {
            '&' | '<' | '"' | '\t' | '\n' | '\r' => tag.push_str(&format!("&#{};", u32::from(c))),
            _ => tag.push(c),
        }
    }
    tag.push('"');
}
