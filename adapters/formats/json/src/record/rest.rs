//! Keys without a column: passed over, refused, or kept.

use super::flaws::{again, name_of};
use super::{Context, Read, fits};
use crate::error::{Flaw, Found};
use crate::escape;
use crate::node::{Node, StructNode};
use crate::options::Unknown;
use crate::token::{Cursor, Text};

/// A key without a column.
#[cold]
pub(super) fn unknown(
    cursor: &mut Cursor<'_>,
    context: &mut Context,
    level: usize,
    key: Text,
    at: usize,
) -> Read {
    escape::check(cursor, key)?;
    if context.unknown == Unknown::Reject {
        let flaw = Flaw::new(at, "json.unknown_key", "a key of the schema", Found::Unknown);
        return Err(flaw);
    }
    cursor.token();
    let start = cursor.at();
    cursor.skip_value(context.depth - level.min(context.depth))?;
    if level == 1 && context.rest_column.is_some() {
        context.rest.push(if context.rest.is_empty() { b'{' } else { b',' });
        context.rest.extend_from_slice(cursor.slice(key.start - 1, key.end + 1));
        context.rest.push(b':');
        escape::minify(cursor.slice(start, cursor.at()), &mut context.rest);
    } else {
        context.ignored += 1;
    }
    Ok(())
}

/// Gives what no column took to the column that keeps it.
pub(super) fn keep_rest(
    root: &mut StructNode,
    row: usize,
    context: &mut Context,
    at: usize,
) -> Read {
    if context.rest.is_empty() {
        return Ok(());
    }
    let Some(column) = context.rest_column else { return Ok(()) };
    let mark = context.extra.len();
    context.rest.push(b'}');
    let rest = std::mem::take(&mut context.rest);
    context.extra.extend_from_slice(&rest);
    context.rest = rest;
    let (start, end) = fits(context.extra_from(mark, at)?, at, context)?;
    let fresh = match root.children.get_mut(column) {
        Some(Node::Leaf(leaf)) => leaf.put(row, start, end),
        _ => true,
    };
    if fresh { Ok(()) } else { Err(again(at).under(name_of(&root.names, column))) }
}
