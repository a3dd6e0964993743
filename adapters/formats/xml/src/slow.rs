//! Elements by quick-xml: every rule of XML and of namespaces that this crate knows is checked here, and everything that
//! reads a document in another way gives up to this.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use fenhe_core::Limits;

use crate::attlist;
use crate::chars::{check_chars, check_name, is_space};
use crate::entities::{Entities, push_lines, simple_reference};
use crate::error::{Bad, Parsed};
use crate::names::{Bindings, Element};

/// Takes what an element holds, in document order.
pub(crate) trait Sink {
    /// An element starts; its content starts at `inner`.
    fn open(&mut self, element: &Element<'_>, inner: usize);
    /// Some of its text, line ends and references resolved.
    fn text(&mut self, text: &str);
    /// The element ends; its content ends at `inner`.
    fn close(&mut self, inner: usize);
}

/// What is in force where an element stands.
pub(crate) struct Context<'a> {
    pub(crate) bindings: &'a mut Bindings,
    pub(crate) entities: &'a mut Entities,
    pub(crate) limits: &'a Limits,
    /// Elements open around it.
    pub(crate) depth: usize,
}

/// Reads one whole element, which starts at byte `base` of whatever the sink knows.
pub(crate) fn element(
    text: &str,
    base: usize,
    context: &mut Context<'_>,
    sink: &mut dyn Sink,
) -> Parsed<()> {
    check_chars(text).map_err(|bad| bad.shifted(base))?;
    fragment(text, base, 0, context, sink)
}

/// Content that is balanced in itself: an element, or the replacement text of an entity (`nested` deep; then `base` is
/// the place of the reference).
fn fragment(
    text: &str,
    base: usize,
    nested: usize,
    context: &mut Context<'_>,
    sink: &mut dyn Sink,
) -> Parsed<()> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_comments = true;
    config.expand_empty_elements = true;
    let place = |n: u64| if nested > 0 { base } else { base + usize::try_from(n).unwrap_or(0) };
    let outer = context.depth;
    let mut line = String::new();
    loop {
        let from = reader.buffer_position();
        let at = place(from);
        let event = reader
            .read_event()
            .map_err(|cause| Bad::quick(place(reader.error_position()), &cause))?;
        match event {
            Event::Start(start) => {
                if context.depth as u64 >= context.limits.depth {
                    return Err(Bad::limit(at, "depth", context.limits.depth));
                }
                let whole = attlist::completed(context.entities, &start, at)?;
                let start = whole.as_deref().map_or(start, lone_tag);
                let element = tag(&start, at, context)?;
                context.depth += 1;
                sink.open(&element, place(reader.buffer_position()));
            }
            // Expanded to start and end.
            Event::Empty(_) => return Err(Bad::syntax(at, "an empty element")),
            Event::End(_) => {
                if context.depth == outer {
                    return Err(Bad::new(at, "xml.end_tag", "an end tag without its start tag"));
                }
                sink.close(at);
                context.bindings.leave(context.depth);
                context.depth -= 1;
            }
            Event::Text(text) => {
                check_text(&text, at)?;
                line.clear();
                push_lines(&text, &mut line);
                sink.text(&line);
            }
            Event::CData(text) => {
                line.clear();
                push_lines(&text, &mut line);
                sink.text(&line);
            }
            Event::GeneralRef(name) => reference(&name, at, nested, context, sink)?,
            Event::Comment(inside) => check_comment(&inside, at)?,
            Event::PI(pi) => check_instruction(&pi, at)?,
            Event::Decl(_) => {
                return Err(Bad::syntax(at, "an XML declaration that is not at the start"));
            }
            Event::DocType(_) => {
                return Err(Bad::syntax(at, "a document type declaration in an element"));
            }
            Event::Eof => break,
        }
    }
    if context.depth != outer {
        return Err(Bad::new(base, "xml.end_tag", "an element that is not closed"));
    }
    Ok(())
}

fn reference(
    name: &str,
    at: usize,
    nested: usize,
    context: &mut Context<'_>,
    sink: &mut dyn Sink,
) -> Parsed<()> {
    if let Some(c) = simple_reference(name, at)? {
        sink.text(c.encode_utf8(&mut [0; 4]));
        return Ok(());
    }
    let text = context.entities.replacement(name, nested, at)?;
    fragment(&text, at, nested + 1, context, sink)
}

/// Name and attributes of a start tag that stands at `at`, for an element one deeper than the context.
pub(crate) fn tag<'a>(
    start: &'a BytesStart<'_>,
    at: usize,
    context: &mut Context<'_>,
) -> Parsed<Element<'a>> {
    let raw = start.name().0;
    check_spacing(start.attributes_raw(), at)?;
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| {
            Bad::new(
                at,
                "xml.attribute",
                "an attribute without name, value or quotes, or twice the same",
            )
        })?;
        if attributes.len() as u64 >= context.limits.attributes {
            return Err(Bad::limit(at, "attributes", context.limits.attributes));
        }
        let name = attribute.key.0;
        check_name(name, at)?;
        attributes.push((name, context.entities.attribute(&attribute.value, at)?));
    }
    context.bindings.enter(raw, attributes, context.depth + 1, at)
}

/// The tag of an element by itself, `<name a="b">` or `<name/>`.
pub(crate) fn lone_tag(text: &str) -> BytesStart<'_> {
    let inside = text.strip_prefix('<').unwrap_or(text);
    let inside = inside.strip_suffix("/>").or_else(|| inside.strip_suffix('>')).unwrap_or(inside);
    let name = inside.bytes().position(is_space).unwrap_or(inside.len());
    BytesStart::from_content(inside, name)
}

/// The name in an end tag.
pub(crate) fn end_name(text: &str, at: usize) -> Parsed<&str> {
    let name = text.strip_prefix("</").and_then(|t| t.strip_suffix('>')).unwrap_or_default();
    let name = name.trim_end_matches([' ', '\t', '\n', '\r']);
    check_name(name, at)?;
    Ok(name)
}

/// Text without references: `]]>` may not stand in it (clause 2.4).
pub(crate) fn check_text(text: &str, at: usize) -> Parsed<()> {
    match text.find("]]>") {
        Some(n) => Err(Bad::syntax(at + n, "]]> outside a CDATA section")),
        None => Ok(()),
    }
}

/// Clause 2.5.
pub(crate) fn check_comment(inside: &str, at: usize) -> Parsed<()> {
    if inside.contains("--") || inside.ends_with('-') {
        return Err(Bad::syntax(at, "a comment holds two hyphens"));
    }
    Ok(())
}

/// Clause 2.6: a target that is a name other than `xml`.
pub(crate) fn check_instruction(inside: &str, at: usize) -> Parsed<()> {
    let target =
        inside.split(|c: char| c.is_ascii() && is_space(c as u8)).next().unwrap_or_default();
    check_name(target, at)?;
    if target.contains(':') {
        return Err(Bad::new(at, "xml.name", "a colon in the target of a processing instruction"));
    }
    if target.eq_ignore_ascii_case("xml") {
        return Err(Bad::syntax(at, "an XML declaration that is not at the start"));
    }
    Ok(())
}

/// Clause 3.1: white space before every attribute. quick-xml does not ask for it.
pub(crate) fn check_spacing(attributes: &str, at: usize) -> Parsed<()> {
    let bytes = attributes.as_bytes();
    let mut n = 0;
    while let Some(quote) =
        bytes.get(n..).and_then(|r| memchr::memchr2(b'"', b'\'', r)).map(|k| n + k)
    {
        let mark = bytes.get(quote).copied().unwrap_or_default();
        let Some(end) = bytes.get(quote + 1..).and_then(|r| memchr::memchr(mark, r)) else { break };
        n = quote + end + 2;
        if bytes.get(n).is_some_and(|b| !is_space(*b)) {
            return Err(Bad::new(at, "xml.attribute", "no white space between attributes"));
        }
    }
    Ok(())
}
