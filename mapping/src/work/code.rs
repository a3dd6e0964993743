//! Code tables and lookups: one text for another.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use fenhe_core::{Error, Kind, Limits, Result, nearest};
use fenhe_rules::CodeTable;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::{Cell, Compiled, Pass, Policy, Work, has_spelling, is_blank, spelled};
use crate::bind::Context;
use crate::step::Codes;

/// The most rows of a dataset that a lookup keeps in memory.
const MAX_LOOKUP: u64 = 1 << 22;

struct Table {
    known: HashMap<Box<str>, Option<Box<str>>>,
    policy: Policy,
}

pub(super) fn compile(codes: &Codes, context: &Context, policy: Policy) -> Result<Compiled> {
    let mut known = HashMap::new();
    match codes {
        Codes::Pairs(pairs) => {
            for (from, to) in pairs {
                known.insert(from.as_str().into(), Some(to.as_str().into()));
            }
        }
        Codes::Table(name) => {
            let table = table(name, context)?;
            // Later entries of a code are newer; what is a code already is never taken for a title.
            for entry in table.codes() {
                let titles = std::iter::once(&entry.title).chain(&entry.also);
                for title in titles {
                    known.insert(title.as_str().into(), Some(entry.code.as_str().into()));
                }
            }
            for entry in table.codes() {
                known.insert(entry.code.as_str().into(), Some(entry.code.as_str().into()));
            }
        }
        Codes::Titles(name) => {
            for entry in table(name, context)?.codes() {
                let title: Box<str> = entry.title.as_str().into();
                known.insert(title.clone(), Some(title.clone()));
                known.insert(entry.code.as_str().into(), Some(title));
            }
        }
    }
    Ok((Box::new(Table { known, policy }), DataType::Utf8))
}

pub(super) fn compile_lookup(
    place: &str,
    by: &str,
    give: &str,
    context: &Context,
    policy: Policy,
) -> Result<Compiled> {
    let wrong = |message: String| Error::new(Kind::Config, "mapping.lookup", message);
    let Some(batches) = context.lookups.get(place) else {
        return Err(wrong(format!("the dataset {place} was not given")));
    };
    let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    Limits::check("lookup_rows", MAX_LOOKUP, rows)?;
    let mut known: HashMap<Box<str>, Option<Box<str>>> = HashMap::new();
    for batch in batches {
        let schema = batch.schema();
        let column = |name: &str| {
            let array = batch.column_by_name(name).ok_or_else(|| {
                let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                let error = wrong(format!("{place} has no column {name}"));
                match nearest(name, names.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint(format!("columns are {}", names.join(", "))),
                }
            })?;
            if !has_spelling(array.data_type()) {
                return Err(wrong(format!("column {name} of {place} has no plain text form")));
            }
            spelled(array)
        };
        let (keys, values) = (column(by)?, column(give)?);
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            let value = values.is_valid(row).then(|| values.value(row).into());
            match known.entry(keys.value(row).into()) {
                Entry::Occupied(before) if *before.get() != value => {
                    let message = format!("{place} gives two values of {give} for one {by}");
                    return Err(wrong(message).hint("a lookup needs one row for each key"));
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(value);
                }
            }
        }
    }
    Ok((Box::new(Table { known, policy }), DataType::Utf8))
}

fn table(name: &str, context: &Context) -> Result<CodeTable> {
    table_of(name, &context.tables)
}

/// The table of this name, out of the given ones or built in.
pub(crate) fn table_of(name: &str, tables: &[CodeTable]) -> Result<CodeTable> {
    let given = tables.iter().find(|table| table.name() == name).cloned();
    given.or_else(|| CodeTable::built_in(name)).ok_or_else(|| {
        let given = tables.iter().map(CodeTable::name);
        let names: Vec<&str> = given.chain(CodeTable::BUILT_IN).collect();
        let error =
            Error::new(Kind::Config, "mapping.table", format!("no code table is called {name}"));
        match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("tables are {}", names.join(", "))),
        }
    })
}

impl Work for Table {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        pass.rewrite(&text, Some(&self.policy), |text, out| match self.known.get(text) {
            Some(Some(value)) => {
                out.push_str(value);
                Cell::Written
            }
            Some(None) => Cell::Absent,
            None if is_blank(text) => Cell::Absent,
            None => Cell::Bad,
        })
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A lookup may hold data of people.
        f.debug_struct("Table").field("entries", &self.known.len()).finish_non_exhaustive()
    }
}
