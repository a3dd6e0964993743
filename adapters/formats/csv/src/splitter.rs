//! Where a delimited stream can be cut so that its parts decode in parallel.

use fenhe_core::{Boundary, DecodeOptions, Result, Splitter};

use crate::count::count;
use crate::decode::SAMPLE;
use crate::dialect::Syntax;
use crate::options::CsvOptions;
use crate::rows::count_lines;
use crate::settle::{dialect_of, settle};
use crate::table::{Policy, Table};
use crate::{error, wide};

/// Finds record ends by cutting like the decoder does, without looking at values.
pub(crate) struct CsvSplitter {
    options: CsvOptions,
    open: DecodeOptions,
    /// Whether there is nothing to find out by looking.
    settled: bool,
    cut: Option<Cutter>,
}

struct Cutter {
    syntax: Syntax,
    policy: Policy,
    table: Table,
}

impl CsvSplitter {
    pub(crate) fn new(options: CsvOptions, open: &DecodeOptions) -> Self {
        let known = open.schema.as_deref().is_some_and(|schema| dialect_of(schema).is_some());
        let settled = known || options.are_settled();
        let (schema, limits) = (open.schema.clone(), open.limits.clone());
        let open = DecodeOptions { schema, limits, ..DecodeOptions::default() };
        Self { options, open, settled, cut: None }
    }
}

impl Splitter for CsvSplitter {
    fn prologue(&mut self, start: &[u8], end_of_stream: bool) -> Result<Option<Boundary>> {
        // With something left to find out, the first MiB decides, as it does for a decoder.
        let enough = self.settled || start.len() >= SAMPLE || end_of_stream;
        let sample = start.get(..SAMPLE).unwrap_or(start);
        if !self.settled && self.options.encoding.is_none() && wide::found(sample).is_some() {
            return Err(error::whole());
        }
        let complete = end_of_stream && start.len() <= SAMPLE;
        let Some(settled) = settle(&self.options, &self.open, sample, complete)? else {
            return Ok(None);
        };
        let boundary = Boundary { end: settled.prologue, records: 0, lines: settled.lines };
        let policy = Policy {
            ragged: self.options.ragged,
            stray: self.options.stray_quotes,
            unterminated: self.options.unterminated,
            limits: self.open.limits.clone(),
        };
        self.cut =
            Some(Cutter { table: Table::new(settled.names.len()), syntax: settled.syntax, policy });
        // Whoever goes on from a position gives the header alone: it will do to cut by.
        Ok(enough.then_some(boundary))
    }

    fn last_boundary(&mut self, chunk: &[u8], end_of_stream: bool) -> Option<Boundary> {
        let Cutter { syntax, policy, table } = self.cut.as_mut()?;
        let csv = syntax.indexable().filter(|_| !end_of_stream);
        if let Some(found) = csv.and_then(|csv| count(chunk, syntax, csv, policy)) {
            return (found.end > 0).then_some(found);
        }
        let indexed = csv.and_then(|csv| table.index(chunk, syntax, csv, policy));
        if indexed.is_none() {
            table.walk(chunk, syntax, policy, end_of_stream, usize::MAX);
        }
        let records = (table.rows + table.bad.len()) as u64;
        if table.consumed == 0 {
            return None;
        }
        let cut = chunk.get(..table.consumed).unwrap_or(chunk);
        let lines = table.lines.unwrap_or_else(|| count_lines(cut, syntax.line_end));
        Some(Boundary { end: table.consumed, records, lines })
    }
}
