//! Offsets and lengths: where each item of a copybook is in a record.

mod build;
mod counters;

use fenhe_core::{Error, Kind, Result};
use fenhe_text::Encoding;

use crate::copybook::{Condition, Copybook, Usage};
use crate::options::CopybookOptions;
use crate::storage::Storage;

/// Most columns of a flattened record.
pub(crate) const MAX_FLAT: u64 = 10_000;

/// Where the items of a copybook are, with tables at their greatest size.
///
/// ```
/// use fenhe_copybook::{Copybook, CopybookOptions, Layout};
/// let book = Copybook::parse("01 R.\n 05 N PIC 9 COMP-3.\n 05 T PIC X(4) OCCURS 1 TO 9 DEPENDING ON N.")?;
/// let layout = Layout::new(&book, &CopybookOptions::default())?;
/// assert_eq!((layout.length, layout.minimum), (37, 5));
/// assert_eq!(layout.find("T").unwrap().offset, 1);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// All items in the order of the copybook.
    pub fields: Vec<Field>,
    /// The items of level 01, by index: several are alternatives of one record area.
    pub records: Vec<usize>,
    /// Greatest length of a record in bytes.
    pub length: u64,
    /// Least length of a record in bytes: the shortest record type with the fewest occurrences.
    pub minimum: u64,
    /// Whether the decimal point is `,`.
    pub decimal_comma: bool,
    /// Code page of DISPLAY items.
    pub(crate) page: Encoding,
    /// What is worth telling about the copybook.
    pub notes: Vec<String>,
    /// Items of level 66, each with the index of its record: other names for storage that the fields have.
    pub renames: Vec<(usize, Field)>,
}

/// One item.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Level number.
    pub level: u8,
    /// Name as written; `FILLER_1`, `FILLER_2`, ... for unnamed items.
    pub name: String,
    /// Whether the copybook gives no name.
    pub filler: bool,
    /// Index of the group that it belongs to.
    pub parent: Option<usize>,
    /// Items below, by index.
    pub children: Vec<usize>,
    /// PICTURE as written, empty for groups.
    pub picture: String,
    /// USAGE.
    pub usage: Usage,
    /// Offset of the first occurrence from the start of the record, in bytes.
    pub offset: u64,
    /// Bytes of one occurrence.
    pub length: u64,
    /// Table.
    pub occurs: Option<Table>,
    /// Index of the item that it redefines (the first of the area).
    pub redefines: Option<usize>,
    /// Whether others redefine it.
    pub redefined: bool,
    /// How it is stored; `None` for groups.
    pub storage: Option<Storage>,
    /// Decimal digits.
    pub digits: u32,
    /// Digits after the point; negative for trailing `P`.
    pub scale: i32,
    /// JUSTIFIED RIGHT.
    pub justified: bool,
    /// BLANK WHEN ZERO.
    pub blank_when_zero: bool,
    /// Slack bytes before it.
    pub slack: u64,
    /// Level 88 entries.
    pub conditions: Vec<Condition>,
    /// Line in the copybook.
    pub line: u32,
    /// Column in the copybook.
    pub column: u32,
    /// Offset from the start of the innermost enclosing table occurrence (its own, if it is a table).
    pub(crate) at: u64,
    /// Enclosing tables from the outside, itself included.
    pub(crate) tables: Vec<usize>,
}

/// An OCCURS clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Fewest occurrences.
    pub min: u32,
    /// Most occurrences.
    pub max: u32,
    /// Index of the item that counts, for DEPENDING ON.
    pub counter: Option<usize>,
}

impl Layout {
    /// Counts the bytes of a copybook.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) with line and column of the entry that does not fit.
    pub fn new(book: &Copybook, options: &CopybookOptions) -> Result<Self> {
        let mut layout = build::build(book, options)?;
        counters::resolve(&mut layout, book)?;
        counters::measure(&mut layout)?;
        layout.renames = build::renames(&layout, book)?;
        Ok(layout)
    }

    /// The first item of this name, without regard to case.
    pub fn find(&self, name: &str) -> Option<&Field> {
        self.index_of(name).and_then(|index| self.fields.get(index))
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name))
    }

    /// The item of a path (`A.B` or `B`), below `within` when given.
    pub(crate) fn resolve(&self, path: &str, within: Option<usize>) -> Option<usize> {
        let mut parts = path.rsplit('.');
        let name = parts.next()?;
        let qualifiers: Vec<&str> = parts.collect();
        let found = self.fields.iter().enumerate().find(|&(index, field)| {
            field.name.eq_ignore_ascii_case(name)
                && within.is_none_or(|w| index == w || self.is_below(index, w))
                && self.has_ancestors(index, &qualifiers)
        });
        found.map(|(index, _)| index)
    }

    /// Whether `index` is somewhere below `group`.
    pub(crate) fn is_below(&self, index: usize, group: usize) -> bool {
        self.ancestors(index).any(|a| a == group)
    }

    /// The groups around an item, from the inside.
    pub(crate) fn ancestors(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.field(index).and_then(|f| f.parent), |i| {
            self.field(*i).and_then(|f| f.parent)
        })
    }

    pub(crate) fn has_ancestors(&self, index: usize, names: &[&str]) -> bool {
        let mut wanted = names.iter();
        let mut next = wanted.next();
        for ancestor in self.ancestors(index) {
            if let (Some(name), Some(field)) = (next, self.field(ancestor))
                && field.name.eq_ignore_ascii_case(name)
            {
                next = wanted.next();
            }
        }
        next.is_none()
    }

    pub(crate) fn field(&self, index: usize) -> Option<&Field> {
        self.fields.get(index)
    }

    /// Names from the record to the item.
    pub(crate) fn path(&self, index: usize) -> String {
        let mut names: Vec<&str> =
            self.ancestors(index).filter_map(|a| self.field(a)).map(|f| f.name.as_str()).collect();
        names.reverse();
        names.extend(self.field(index).map(|f| f.name.as_str()));
        // The record itself goes without saying where there is only one.
        let from = usize::from(self.records.len() == 1 && names.len() > 1);
        names.get(from..).unwrap_or_default().join(".")
    }

    /// Whether any table has a counter.
    pub(crate) fn is_variable(&self) -> bool {
        self.fields.iter().any(|f| f.occurs.is_some_and(|t| t.counter.is_some()))
    }

    /// The items that share storage with a redefined item, itself first.
    pub(crate) fn alternatives(&self, first: usize) -> Vec<usize> {
        let siblings = self.field(first).and_then(|f| f.parent).and_then(|p| self.field(p));
        let siblings = siblings.map_or(self.records.as_slice(), |p| p.children.as_slice());
        let shares =
            |i: &usize| *i == first || self.field(*i).is_some_and(|f| f.redefines == Some(first));
        siblings.iter().copied().filter(shares).collect()
    }
}

/// A mistake in the layout, at the line and column of its entry.
pub(crate) fn error(message: impl Into<String>, line: u32, column: u32) -> Error {
    Error::new(Kind::Config, "copybook.layout", message).at_line(u64::from(line), u64::from(column))
}
