//! What a sample looks like: evidence for people, not a promise.

use fenhe_core::{Error, Evidence, Found, Kind, Options, Result, Sample};

use crate::batch::{Select, schema_for};
use crate::frame::{Framer, prologue};
use crate::layout::Layout;
use crate::options::FixedOptions;

/// Describes the datasets of a known layout, or proposes columns.
pub(crate) fn infer(options: &FixedOptions, layout: Option<&Layout>, sample: &Sample) -> Result<Evidence> {
    match layout {
        Some(layout) => by_layout(options, layout, sample),
        None => Err(Error::new(Kind::Invalid, "fixed.no_layout", "no layout")),
    }
}

fn by_layout(options: &FixedOptions, layout: &Layout, sample: &Sample) -> Result<Evidence> {
    let mut layout = layout.clone();
    if options.header {
        let framer = Framer::new(&layout, options, sample.limits.record);
        if let Some(found) = prologue(&framer, options, &sample.bytes, sample.complete)
            && let Some((from, to)) = found.header
        {
            layout.name_columns(sample.bytes.get(from..to).unwrap_or_default())?;
        }
    }
    let mut datasets = Vec::new();
    let wish = options.select.as_deref();
    let main = Select::new(&layout, wish).ok();
    let mut add = |name: &str, select: Select| {
        datasets.push(Found {
            name: name.to_owned(),
            schema: schema_for(&layout, options, select),
            records: None,
            columns: Vec::new(),
        });
    };
    if let Some(main) = main {
        add(if layout.records.len() == 1 { "" } else { name_of(&layout, main) }, main);
    }
    for (index, record) in layout.records.iter().enumerate() {
        if main != Some(Select::One(index)) {
            add(&record.name, Select::One(index));
        }
    }
    let (records, length) = (layout.records.len(), layout.records.iter().map(|r| r.length).max().unwrap_or(0));
    Ok(Evidence {
        datasets,
        confidence: 100,
        options: Options::new(),
        reasons: vec![format!(
            "{}: {records} record type(s) of up to {length} places, encoding {}",
            if layout.name.is_empty() { "quick layout" } else { &layout.name },
            layout.encoding
        )],
    })
}

fn name_of(layout: &Layout, select: Select) -> &str {
    match select {
        Select::One(kind) => layout.records.get(kind).map_or("", |r| &r.name),
        Select::All => "all",
    }
}
