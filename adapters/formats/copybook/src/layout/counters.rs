//! DEPENDING ON: which item counts, and how short a record may be.

use fenhe_core::Result;

use super::{Layout, error};
use crate::copybook::{Copybook, Item};
use crate::storage::Storage;

/// Finds the counter of each table.
pub(super) fn resolve(layout: &mut Layout, book: &Copybook) -> Result<()> {
    let mut wanted = Vec::new();
    for record in &book.records {
        collect(record, &mut wanted);
    }
    for (item, names) in wanted {
        let Some(table) = layout
            .fields
            .iter()
            .position(|f| f.line == item.line && f.column == item.column && f.occurs.is_some())
        else {
            continue;
        };
        let counter =
            find(layout, table, names).map_err(|message| error(message, item.line, item.column))?;
        if let Some(occurs) = layout.fields.get_mut(table).and_then(|f| f.occurs.as_mut()) {
            occurs.counter = Some(counter);
        }
    }
    Ok(())
}

fn collect<'a>(item: &'a Item, wanted: &mut Vec<(&'a Item, &'a [String])>) {
    if let Some(names) = item.occurs.as_ref().and_then(|o| o.depending.as_deref()) {
        wanted.push((item, names));
    }
    for child in &item.children {
        collect(child, wanted);
    }
}

/// The nearest item of this name before the table, outside of it, and in the same or an outer table occurrence.
fn find(layout: &Layout, table: usize, names: &[String]) -> Result<usize, String> {
    let Some((name, qualifiers)) = names.split_first() else {
        return Err("DEPENDING ON without a name".into());
    };
    let qualifiers: Vec<&str> = qualifiers.iter().map(String::as_str).collect();
    let outer = layout.field(table).map(|f| f.tables.as_slice()).unwrap_or_default();
    let outer = outer.get(..outer.len().saturating_sub(1)).unwrap_or_default();
    let root = |index: usize| layout.ancestors(index).last().unwrap_or(index);
    let candidates = (0..table).rev().filter(|&i| {
        layout.field(i).is_some_and(|f| f.name.eq_ignore_ascii_case(name))
            && layout.has_ancestors(i, &qualifiers)
    });
    let mut seen = false;
    for candidate in candidates {
        seen = true;
        let Some(field) = layout.field(candidate) else { continue };
        let whole = field.scale <= 0
            && matches!(
                field.storage,
                Some(
                    Storage::Zoned(_)
                        | Storage::Packed { .. }
                        | Storage::PackedUnsigned
                        | Storage::Binary { .. }
                )
            );
        if whole && outer.starts_with(&field.tables) && root(candidate) == root(table) {
            return Ok(candidate);
        }
    }
    Err(match seen {
        true => {
            format!("DEPENDING ON {name}: the item does not count whole occurrences of this table")
        }
        false => format!("DEPENDING ON {name}: no item of this name before the table"),
    })
}

/// Computes the least length of a record.
pub(super) fn measure(layout: &mut Layout) -> Result<()> {
    let least = layout.records.iter().map(|r| shortest(layout, *r)).min().unwrap_or(0);
    layout.minimum = least;
    Ok(())
}

/// Bytes of an item with the fewest occurrences; of alternatives the shortest.
pub(crate) fn shortest(layout: &Layout, index: usize) -> u64 {
    let Some(field) = layout.field(index) else { return 0 };
    let one = if field.children.is_empty() {
        field.length
    } else {
        let mut sum: u64 = 0;
        for child in &field.children {
            let Some(item) = layout.field(*child) else { continue };
            if item.redefines.is_some() {
                continue;
            }
            let of = if item.redefined {
                layout.alternatives(*child).iter().map(|a| shortest(layout, *a)).min().unwrap_or(0)
            } else {
                shortest(layout, *child)
            };
            sum = sum.saturating_add(item.slack).saturating_add(of);
        }
        sum
    };
    match field.occurs {
        Some(table) if table.counter.is_some() => one.saturating_mul(u64::from(table.min)),
        Some(table) => one.saturating_mul(u64::from(table.max)),
        None => one,
    }
}
