//! Entries to fields with offsets.

use fenhe_core::Result;
use fenhe_text::Encoding;

use super::{Field, Layout, Table, error};
use crate::copybook::{Copybook, Item, Usage};
use crate::options::CopybookOptions;
use crate::storage::{Storage, Stored, stored};

/// A record of this many bytes is a mistake whatever the limits are.
const MAX_LENGTH: u64 = 1 << 30;

pub(super) fn build(book: &Copybook, options: &CopybookOptions) -> Result<Layout> {
    let page = options.page()?;
    let mut builder = Builder {
        options,
        page,
        comma: book.decimal_comma,
        fields: Vec::new(),
        fillers: 0,
        synced: 0,
        notes: Vec::new(),
    };
    let stand_alone = book.records.iter().all(|r| r.level == 77);
    let top: Vec<&Item> = book.records.iter().filter(|r| stand_alone || r.level != 77).collect();
    let lowest = top.iter().map(|r| r.level).min().unwrap_or(1);
    let mut records = Vec::new();
    if lowest == 1 || lowest == 77 {
        for item in &top {
            records.push(builder.item(item, None, 0, 0, &[])?);
        }
    } else {
        records.push(builder.wrap(&top)?);
    }
    let mut notes = std::mem::take(&mut builder.notes);
    if builder.synced > 0 && !options.sync {
        notes.push(format!(
            "{} items are SYNCHRONIZED; set sync=true if the record length shows slack bytes",
            builder.synced
        ));
    }
    let mut layout = Layout {
        fields: builder.fields,
        records,
        length: 0,
        minimum: 0,
        decimal_comma: book.decimal_comma,
        page,
        notes,
        renames: Vec::new(),
    };
    layout.length =
        layout.records.iter().filter_map(|r| layout.field(*r)).map(extent).max().unwrap_or(0);
    Ok(layout)
}

/// Bytes of all occurrences.
pub(super) fn extent(field: &Field) -> u64 {
    field.length.saturating_mul(field.occurs.map_or(1, |t| u64::from(t.max)))
}

/// The items that level 66 gives another name: all that its record has from the first to the last.
///
/// IBM Enterprise COBOL for z/OS Language Reference, "RENAMES clause": without THRU the attributes are those of the
/// item; a group, or a run of items, is alphanumeric.
pub(super) fn renames(layout: &Layout, book: &Copybook) -> Result<Vec<(usize, Field)>> {
    let mut all = Vec::new();
    for item in &book.records {
        let at = |r: &&usize| {
            layout.field(**r).is_some_and(|f| (f.line, f.column) == (item.line, item.column))
        };
        let record = layout.records.iter().find(at).or(layout.records.first()).copied();
        for clause in &item.renames {
            let wrong = |what: String| {
                let message = format!("66 {} RENAMES {}: {what}", clause.name, clause.from);
                error(message, clause.line, clause.column)
            };
            let find = |name: &str| {
                let found = layout.resolve(name, record).and_then(|index| layout.field(index));
                let found = found.ok_or_else(|| wrong(format!("there is no item {name}")))?;
                match found.tables.is_empty() {
                    true => Ok(found),
                    false => Err(wrong(format!("{name} is in a table"))),
                }
            };
            let first = find(&clause.from)?;
            let last = clause.thru.as_deref().map_or(Ok(first), find)?;
            let end = last.offset.saturating_add(last.length);
            let length = end.checked_sub(first.offset).filter(|length| *length > 0);
            let Some(length) = length.filter(|_| first.offset <= last.offset) else {
                return Err(wrong(format!("{} does not end behind it", last.name)));
            };
            let alone = clause.thru.is_none() && first.storage.is_some();
            let mut field = group(66, clause.name.clone(), (clause.line, clause.column));
            if alone {
                field = Field { level: 66, name: clause.name.clone(), ..first.clone() };
                (field.line, field.column) = (clause.line, clause.column);
                (field.redefines, field.redefined) = (None, false);
                field.conditions.clear();
            } else {
                field.storage = Some(Storage::Text);
                (field.offset, field.at, field.length) = (first.offset, first.offset, length);
            }
            field.parent = record;
            all.push((record.unwrap_or(0), field));
        }
    }
    Ok(all)
}

struct Builder<'a> {
    options: &'a CopybookOptions,
    page: Encoding,
    comma: bool,
    fields: Vec<Field>,
    fillers: usize,
    synced: usize,
    notes: Vec<String>,
}

impl Builder<'_> {
    /// A record around items of a copybook that has no level 01.
    fn wrap(&mut self, items: &[&Item]) -> Result<usize> {
        self.fields.push(group(
            1,
            "RECORD".into(),
            items.first().map_or((1, 1), |i| (i.line, i.column)),
        ));
        let (children, length) = self.children(items.iter().copied(), 0, 0, 0, &[])?;
        if let Some(field) = self.fields.first_mut() {
            field.children = children;
            field.length = length;
        }
        Ok(0)
    }

    /// Adds an item and what is below it. `base` is the offset of the enclosing table occurrence.
    fn item(
        &mut self,
        item: &Item,
        parent: Option<usize>,
        offset: u64,
        base: u64,
        tables: &[usize],
    ) -> Result<usize> {
        let index = self.fields.len();
        let mut field = group(item.level, self.name(item), (item.line, item.column));
        field.filler = item.name.is_none();
        field.parent = parent;
        field.usage = item.usage;
        field.offset = offset;
        field.occurs =
            item.occurs.as_ref().map(|o| Table { min: o.min, max: o.max, counter: None });
        field.conditions.clone_from(&item.conditions);
        field.justified = item.justified;
        field.blank_when_zero = item.blank_when_zero;
        field.picture = item.picture.as_ref().map(|p| p.text.clone()).unwrap_or_default();
        field.tables = tables.to_vec();
        let base = if item.occurs.is_some() {
            field.tables.push(index);
            offset
        } else {
            base
        };
        field.at = offset - base;
        let tables = field.tables.clone();
        self.synced += usize::from(item.sync);
        self.fields.push(field);
        if is_empty_group(item) {
            self.notes.push(format!(
                "{} (line {}) has neither a PICTURE nor items below it",
                self.label(index),
                item.line
            ));
        } else if item.children.is_empty() {
            let stored = self.stored(item)?;
            if let Some(field) = self.fields.get_mut(index) {
                (field.storage, field.length) = (Some(stored.storage), stored.bytes);
                (field.digits, field.scale) = (stored.digits, stored.scale);
            }
        } else {
            let (children, end) =
                self.children(item.children.iter(), index, offset, base, &tables)?;
            let mut length = end - offset;
            if item.occurs.is_some() && self.options.sync {
                // Each occurrence begins on the boundary of its strictest item.
                length = length.next_multiple_of(self.strictest(item));
            }
            if let Some(field) = self.fields.get_mut(index) {
                field.children = children;
                field.length = length;
            }
        }
        if self.fields.get(index).map_or(0, extent) > MAX_LENGTH {
            return Err(error("the item is longer than 1 GiB", item.line, item.column));
        }
        Ok(index)
    }

    /// Adds the items of a group one after the other; returns their indices and the offset behind the last.
    fn children<'i>(
        &mut self,
        items: impl Iterator<Item = &'i Item>,
        parent: usize,
        start: u64,
        base: u64,
        tables: &[usize],
    ) -> Result<(Vec<usize>, u64)> {
        let mut indices: Vec<usize> = Vec::new();
        let mut end = start;
        for item in items {
            let target = item
                .redefines
                .as_ref()
                .map(|name| self.redefined(item, name, &indices))
                .transpose()?;
            let from = match target.and_then(|t| self.fields.get(t)) {
                Some(first) => first.offset,
                None if self.options.sync => end.next_multiple_of(self.boundary(item)),
                None => end,
            };
            let index = self.item(item, Some(parent), from, base, tables)?;
            if let Some(first) = target
                && let Some(field) = self.fields.get_mut(first)
            {
                field.redefined = true;
            }
            let Some(field) = self.fields.get_mut(index) else { continue };
            field.redefines = target;
            field.slack = if target.is_none() { from - end } else { 0 };
            end = end.max(from.saturating_add(extent(field)));
            if end > MAX_LENGTH {
                return Err(error("the record is longer than 1 GiB", item.line, item.column));
            }
            indices.push(index);
        }
        Ok((indices, end))
    }

    /// The first item of the area that `name` is in.
    fn redefined(&self, item: &Item, name: &str, siblings: &[usize]) -> Result<usize> {
        let found = siblings
            .iter()
            .rev()
            .copied()
            .find(|i| self.fields.get(*i).is_some_and(|f| f.name.eq_ignore_ascii_case(name)));
        let Some(found) = found else {
            let message =
                format!("REDEFINES {name}: no item of this name before it in the same group");
            return Err(error(message, item.line, item.column));
        };
        Ok(self.fields.get(found).and_then(|f| f.redefines).unwrap_or(found))
    }

    fn stored(&self, item: &Item) -> Result<Stored> {
        stored(item, self.options, self.page, self.comma).map_err(|message| {
            error(
                format!("{}: {message}", item.name.as_deref().unwrap_or("FILLER")),
                item.line,
                item.column,
            )
        })
    }

    /// The boundary before an item: its own, or that of the first item in a group.
    fn boundary(&self, item: &Item) -> u64 {
        self.boundary_of(item, item.sync)
    }

    fn boundary_of(&self, item: &Item, sync: bool) -> u64 {
        match item.children.first() {
            Some(first) => self.boundary_of(first, sync || first.sync),
            None if sync && !is_empty_group(item) => {
                self.stored(item).map_or(1, |s| s.align.max(1))
            }
            None => 1,
        }
    }

    fn strictest(&self, item: &Item) -> u64 {
        let own = if item.children.is_empty() { self.boundary_of(item, item.sync) } else { 1 };
        item.children.iter().map(|c| self.strictest(c)).max().unwrap_or(1).max(own)
    }

    fn label(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", |f| f.name.as_str())
    }

    fn name(&mut self, item: &Item) -> String {
        match &item.name {
            Some(name) => name.clone(),
            None => {
                self.fillers += 1;
                format!("FILLER_{}", self.fillers)
            }
        }
    }
}

/// A group without items: a mistake in level numbers, mostly, that takes no bytes.
fn is_empty_group(item: &Item) -> bool {
    let alone = matches!(
        item.usage,
        Usage::Float | Usage::Double | Usage::Index | Usage::Pointer | Usage::Sized(..)
    );
    item.children.is_empty() && item.picture.is_none() && !alone
}

fn group(level: u8, name: String, (line, column): (u32, u32)) -> Field {
    Field {
        level,
        name,
        filler: false,
        parent: None,
        children: Vec::new(),
        picture: String::new(),
        usage: Usage::Display,
        offset: 0,
        length: 0,
        occurs: None,
        redefines: None,
        redefined: false,
        storage: None,
        digits: 0,
        scale: 0,
        justified: false,
        blank_when_zero: false,
        slack: 0,
        conditions: Vec::new(),
        line,
        column,
        at: 0,
        tables: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Copybook, CopybookOptions, Layout};

    fn offsets(text: &str, options: &CopybookOptions) -> Vec<(String, u64, u64)> {
        let layout = Layout::new(&Copybook::parse(text).unwrap(), options).unwrap();
        layout.fields.iter().map(|f| (f.name.clone(), f.offset, f.length)).collect()
    }

    #[test]
    fn synchronized_items_get_slack_bytes_as_ibm_describes() {
        let options = CopybookOptions { sync: true, ..CopybookOptions::default() };
        // PIC X then S9(10) COMP SYNC: 3 slack bytes; a group whose first item is synchronized moves as a whole.
        let found = offsets(
            "01 R. 05 A PIC X. 05 B PIC S9(10) COMP SYNC. 05 C PIC X. 05 G. 10 D PIC S9(4) COMP SYNC.",
            &options,
        );
        let at = |name: &str| found.iter().find(|f| f.0 == name).unwrap().1;
        assert_eq!((at("B"), at("C"), at("G"), at("D")), (4, 12, 14, 14));
    }

    #[test]
    fn each_occurrence_is_padded_to_its_strictest_boundary() {
        let options = CopybookOptions { sync: true, ..CopybookOptions::default() };
        let found = offsets("01 R. 05 T OCCURS 3. 10 A PIC S9(9) COMP SYNC. 10 B PIC X.", &options);
        assert_eq!(found[1], ("T".into(), 0, 8));
        assert_eq!(found[0].2, 24);
    }

    #[test]
    fn a_redefinition_may_be_longer_and_the_area_is_the_longest() {
        let found = offsets(
            "01 R. 05 A PIC X(2). 05 B REDEFINES A PIC X(5). 05 C REDEFINES B PIC 9. 05 D PIC X.",
            &CopybookOptions::default(),
        );
        assert_eq!(found[4], ("D".into(), 5, 1));
        assert_eq!(found[3].1, 0);
    }
}
