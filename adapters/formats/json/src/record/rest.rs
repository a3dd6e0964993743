//! Keys without a column: passed over, refused, or kept.

use super::flaws::{again, name_of};
use super::{Context, Read, fits};
use crate::error::{Flaw, Found};
use crate::escape;
use crate::node::{Node, StructNode};
use crate::options::Unknown;
use crate::token::{Cursor, Text};

/// Keys that are named in the note.
const NAMED: usize = 5;

/// Values that were passed over, for the note.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    values: u64,
    /// The first keys, each with the first record that has it.
    keys: Vec<(Vec<u8>, u64)>,
}

impl Ignored {
    fn add(&mut self, key: &[u8], record: u64) {
        self.values += 1;
        if self.keys.len() < NAMED && !self.keys.iter().any(|(known, _)| known == key) {
            self.keys.push((key.to_vec(), record));
        }
    }

    /// Before a record.
    pub(super) fn mark(&self) -> (u64, usize) {
        (self.values, self.keys.len())
    }

    /// The record was refused: nothing of it was lost without a word.
    pub(super) fn back_to(&mut self, (values, keys): (u64, usize)) {
        self.values = values;
        self.keys.truncate(keys);
    }

    /// What a person has to know. Parts of a stream count each for themselves and do not know each other's keys: so the
    /// number stands first, and the keys are some of them.
    pub(crate) fn note(&self) -> Option<String> {
        let (_, first) = self.keys.first()?;
        let short = |key: &[u8]| String::from_utf8_lossy(key).chars().take(40).collect::<String>();
        let names: Vec<String> = self.keys.iter().map(|(key, _)| short(key)).collect();
        Some(format!(
            "{} values under keys without a column were passed over (unknown=keep keeps them, unknown=reject refuses their \
             records): the first in record {first}, among the keys are {}",
            self.values,
            names.join(", ")
        ))
    }
}

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
        context.ignored.add(cursor.slice(key.start, key.end), context.record);
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
