//! One record: checked against the grammar and the schema, and its values noted where they stand.

mod flaws;
mod rest;

use fenhe_core::Limits;
use fenhe_values::Spans;

use crate::error::{Flaw, Found};
use crate::escape;
use crate::node::{Accept, Leaf, ListNode, NULL, Node, StructNode};
use crate::options::Unknown;
use crate::token::{Cursor, MAX_DEPTH, Text};
use flaws::{again, limit, name_of, too_long, type_of, wanted, wrong_type};
pub(crate) use rest::Ignored;
use rest::{keep_rest, unknown};

type Read<T = ()> = Result<T, Flaw>;

/// What records of a block need beside the columns.
#[derive(Debug)]
pub(crate) struct Context {
    /// Text that does not stand in the block as it is: without escapes, digits written out. Places count from `base`.
    pub(crate) extra: Vec<u8>,
    /// Length of the text of the block.
    pub(crate) base: usize,
    /// Number of the record that is read.
    pub(crate) record: u64,
    /// What was passed over because no column takes it.
    pub(crate) ignored: Ignored,
    unknown: Unknown,
    /// The column that keeps the rest of the record.
    rest_column: Option<usize>,
    rest: Vec<u8>,
    key: Vec<u8>,
    keys: u64,
    depth: usize,
    field: usize,
    fields: u64,
    extra_most: usize,
}

impl Context {
    pub(crate) fn new(limits: &Limits, unknown: Unknown, rest_column: Option<usize>) -> Self {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            extra: Vec::new(),
            base: 0,
            record: 1,
            ignored: Ignored::default(),
            unknown,
            rest_column,
            rest: Vec::new(),
            key: Vec::new(),
            keys: 0,
            depth: size(limits.depth).min(MAX_DEPTH),
            field: size(limits.field),
            fields: limits.fields,
            extra_most: size(limits.record.max(limits.batch_bytes)).saturating_mul(4),
        }
    }

    /// Starts a block of so many bytes.
    pub(crate) fn block(&mut self, base: usize) {
        self.base = base;
        self.extra.clear();
    }

    /// The place of what was appended to `extra` since `mark`.
    fn extra_from(&self, mark: usize, at: usize) -> Read<(u32, u32)> {
        if self.extra.len() > self.extra_most {
            return Err(too_long(at, self.extra.len(), self.extra_most, "record"));
        }
        place(self.base + mark, self.base + self.extra.len(), at)
    }
}

/// Reads the record at `bytes[start..end]` as row `row` of the root. After a flaw, truncate the root to `row` rows.
pub(crate) fn read(
    root: &mut StructNode,
    context: &mut Context,
    bytes: &[u8],
    (start, end): (usize, usize),
    row: usize,
) -> Read {
    let mut cursor = Cursor::new(bytes, start, end);
    let mark = context.extra.len();
    context.keys = 0;
    context.rest.clear();
    let ignored = context.ignored.mark();
    let done = match cursor.token() {
        Some(b'{') => object(root, row, &mut cursor, context, 1),
        Some(byte) => match cursor.skip_value(context.depth) {
            Ok(()) => Err(Flaw::new(start, "json.record", "an object", Found::Type(type_of(byte)))),
            Err(flaw) => Err(flaw),
        },
        None => Err(cursor.unexpected("an object")),
    }
    .and_then(|()| match cursor.token() {
        None => keep_rest(root, row, context, cursor.at()),
        Some(_) => Err(Flaw::new(cursor.at(), "json.record", "one object", Found::More)),
    });
    if done.is_err() {
        context.extra.truncate(mark);
        context.ignored.back_to(ignored);
    }
    done
}

/// An object; the cursor is on its brace.
fn object(
    node: &mut StructNode,
    row: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    level: usize,
) -> Read {
    deep(cursor, context, level)?;
    cursor.step();
    if node.valid.len() < row {
        node.valid.resize(row, false);
    }
    node.valid.push(true);
    if cursor.take(b'}') {
        return Ok(());
    }
    let mut next = 0;
    loop {
        if cursor.token() != Some(b'"') {
            return Err(cursor.unexpected("a key in quotes"));
        }
        let at = cursor.at();
        let key = cursor.string()?;
        let child = find(node, cursor, context, key, next)?;
        if !cursor.take(b':') {
            return Err(cursor.unexpected("`:`"));
        }
        context.keys += 1;
        if context.keys > context.fields {
            return Err(limit(at, "fields", context.fields, context.keys));
        }
        match child {
            Some(number) => {
                next = number + 1;
                if let Some(child) = node.children.get_mut(number)
                    && let Err(flaw) = value(child, row, cursor, context, level, at)
                {
                    return Err(flaw.under(name_of(&node.names, number)));
                }
            }
            None => unknown(cursor, context, level, key, at)?,
        }
        match cursor.token() {
            Some(b',') => cursor.step(),
            Some(b'}') => {
                cursor.step();
                return Ok(());
            }
            _ => return Err(cursor.unexpected("`,` or `}`")),
        }
    }
}

/// The number of the column of a key. Records tend to have their keys in one order: the next one is tried first.
#[inline(always)]
fn find(
    node: &StructNode,
    cursor: &Cursor<'_>,
    context: &mut Context,
    key: Text,
    next: usize,
) -> Read<Option<usize>> {
    let spelled = cursor.slice(key.start, key.end);
    if !key.escaped && node.names.get(next).is_some_and(|name| name.as_bytes() == spelled) {
        return Ok(Some(next));
    }
    if !key.escaped {
        return Ok(node.index.get(spelled).copied());
    }
    context.key.clear();
    escape::unescape(cursor, key, &mut context.key)?;
    Ok(node.index.get(&context.key).copied())
}

/// A value of a known column. `key_at` is where its key stands.
#[inline(always)]
fn value(
    node: &mut Node,
    row: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    level: usize,
    key_at: usize,
) -> Read {
    let fresh = match node {
        Node::Leaf(node) => leaf(node, row, cursor, context, level)?,
        Node::Struct(node) => structure(node, row, cursor, context, level)?,
        Node::List(node) => list(node, row, cursor, context, level)?,
        Node::Skip(had) => {
            cursor.skip_value(context.depth - level.min(context.depth))?;
            let fresh = *had <= row;
            *had = row + 1;
            fresh
        }
    };
    if fresh { Ok(()) } else { Err(again(key_at)) }
}

/// A single value; `false` when the row has one already.
#[inline(always)]
fn leaf(
    leaf: &mut Leaf,
    row: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    level: usize,
) -> Read<bool> {
    let first = cursor.token();
    let at = cursor.at();
    let (start, end) = match (first, leaf.accept) {
        (Some(b'"'), Accept::Text | Accept::Any) => {
            let text = cursor.string()?;
            let place = match text.escaped {
                false => place(text.start, text.end, at)?,
                true => {
                    let mark = context.extra.len();
                    escape::unescape(cursor, text, &mut context.extra)?;
                    context.extra_from(mark, at)?
                }
            };
            fits(place, at, context)?
        }
        (Some(b'-' | b'0'..=b'9'), Accept::Exact) => {
            let number = cursor.number()?;
            let place = match number.exponent {
                false => place(number.start, number.end, at)?,
                true => exponent(cursor.slice(number.start, number.end), at, context)?,
            };
            fits(place, at, context)?
        }
        (Some(b'-' | b'0'..=b'9'), Accept::Float) => {
            let number = cursor.number()?;
            fits(place(number.start, number.end, at)?, at, context)?
        }
        (Some(b't' | b'f'), Accept::Boolean) => {
            cursor.literal()?;
            place(at, cursor.at(), at)?
        }
        (Some(b'n'), _) => {
            cursor.literal()?;
            (NULL, Spans::MISSING)
        }
        (Some(_), Accept::Raw | Accept::Any) => fits(raw(cursor, context, level)?, at, context)?,
        (Some(byte), accept) => return Err(wrong_type(cursor, context, byte, wanted(accept))),
        (None, _) => return Err(cursor.unexpected("a JSON value")),
    };
    Ok(leaf.put(row, start, end))
}

/// An object or null.
fn structure(
    node: &mut StructNode,
    row: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    level: usize,
) -> Read<bool> {
    if node.valid.len() > row {
        return Ok(false);
    }
    match cursor.token() {
        Some(b'{') => object(node, row, cursor, context, level + 1)?,
        Some(b'n') => {
            cursor.literal()?;
            node.valid.resize(row + 1, false);
        }
        Some(byte) => return Err(wrong_type(cursor, context, byte, "an object")),
        None => return Err(cursor.unexpected("an object")),
    }
    Ok(true)
}

/// An array or null.
fn list(
    node: &mut ListNode,
    row: usize,
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    level: usize,
) -> Read<bool> {
    if node.valid.len() > row {
        return Ok(false);
    }
    match cursor.token() {
        Some(b'[') => {}
        Some(b'n') => {
            cursor.literal()?;
            node.pad(row + 1);
            return Ok(true);
        }
        Some(byte) => return Err(wrong_type(cursor, context, byte, "an array")),
        None => return Err(cursor.unexpected("an array")),
    }
    deep(cursor, context, level + 1)?;
    node.pad(row);
    let first = node.items();
    // The row is there before its items: whoever truncates must find them.
    let mut count = 0;
    cursor.step();
    let mut open = !cursor.take(b']');
    while open {
        let at = cursor.at();
        let done = value(&mut node.child, first + count, cursor, context, level + 1, at);
        count += 1;
        if let Err(flaw) = done {
            node.child.truncate(first);
            return Err(flaw.item(count - 1));
        }
        match cursor.token() {
            Some(b',') => cursor.step(),
            Some(b']') => {
                cursor.step();
                open = false;
            }
            _ => {
                node.child.truncate(first);
                return Err(cursor.unexpected("`,` or `]`"));
            }
        }
    }
    let Ok(end) = u32::try_from(first + count) else {
        return Err(limit(cursor.at(), "record", u64::from(u32::MAX), u64::MAX));
    };
    node.ends.push(end);
    node.valid.push(true);
    Ok(true)
}

/// The text of any value, without the white space between its tokens.
fn raw(cursor: &mut Cursor<'_>, context: &mut Context, level: usize) -> Read<(u32, u32)> {
    let at = cursor.at();
    cursor.skip_value(context.depth - level.min(context.depth))?;
    let text = cursor.slice(at, cursor.at());
    if !escape::has_blanks(text) {
        return place(at, cursor.at(), at);
    }
    let mark = context.extra.len();
    escape::minify(text, &mut context.extra);
    context.extra_from(mark, at)
}

/// A number with an exponent, for a column that is read exactly.
#[cold]
fn exponent(number: &[u8], at: usize, context: &mut Context) -> Read<(u32, u32)> {
    let mark = context.extra.len();
    if !escape::plain_digits(number, &mut context.extra) {
        let expected = "a number within the range of the type";
        return Err(Flaw::new(
            at,
            "value.out_of_range",
            expected,
            Found::Type("a number with a large exponent"),
        ));
    }
    context.extra_from(mark, at)
}

#[inline(always)]
fn deep(cursor: &Cursor<'_>, context: &Context, level: usize) -> Read {
    if level > context.depth {
        return Err(cursor.flaw("less nesting (limit depth)", Found::Deep));
    }
    Ok(())
}

#[inline(always)]
fn place(start: usize, end: usize, at: usize) -> Read<(u32, u32)> {
    match (u32::try_from(start), u32::try_from(end)) {
        (Ok(start), Ok(end)) if end != Spans::MISSING => Ok((start, end)),
        _ => Err(limit(at, "record", u64::from(u32::MAX), end as u64)),
    }
}

#[inline(always)]
fn fits(place: (u32, u32), at: usize, context: &Context) -> Read<(u32, u32)> {
    let length = place.1.wrapping_sub(place.0) as usize;
    if length > context.field {
        Err(too_long(at, length, context.field, "field"))
    } else {
        Ok(place)
    }
}
