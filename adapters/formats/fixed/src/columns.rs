//! Records to columns: the fields of one record type, a column at a time over blocks of records.

use arrow_array::ArrayRef;
use fenhe_core::{Fault, Result};
use fenhe_kernels::{BinaryColumn, Pools, Validated};
use fenhe_text::{BadReason, Encoding};
use fenhe_values::{ColumnBuilder, FaultMask, FieldSpec, Source, Spans, Trim};

use crate::error::CUT_CHARACTER;
use crate::layout::{FieldLayout, Layout, RecordLayout};
use crate::options::{Count, Cut, FixedOptions};
use crate::prepare::{Prepare, Rewrite};

/// Records of one type in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) window: &'a [u8],
    /// Where each record starts, and where its content ends.
    pub(crate) starts: &'a [u32],
    pub(crate) ends: &'a [u32],
    /// The distance between records, when all are of full length and evenly spaced.
    pub(crate) stride: Option<usize>,
}

/// The columns of one record type.
#[derive(Debug)]
pub(crate) struct RecordColumns {
    columns: Vec<Column>,
    fillers: Option<BinaryColumn>,
    gaps: Vec<(usize, usize)>,
    utf8: bool,
    map: CharMap,
    faults: FaultMask,
    good: (Vec<u32>, Vec<u32>),
    rows: usize,
}

/// One column: where its field is, how its bytes are made ready, and its values.
#[derive(Debug)]
struct Column {
    at: usize,
    length: usize,
    prepare: Prepare,
    builder: ColumnBuilder,
    starts: Vec<u32>,
    ends: Vec<u32>,
    scratch: Vec<u8>,
}

/// One field by itself, for totals.
#[derive(Debug)]
pub(crate) struct SoleColumn {
    column: Column,
    map: CharMap,
}

/// Byte positions of characters in the records of a block that is not ASCII.
#[derive(Debug, Default)]
struct CharMap {
    /// Not set: fields are counted in bytes.
    encoding: Option<Encoding>,
    /// The character positions that fields start or end at, in order.
    bounds: Vec<usize>,
    /// For each record, the byte of each bound, from the start of the window.
    bytes: Vec<u32>,
    active: bool,
}

impl RecordColumns {
    /// Columns for these fields of a record type, with room for `rows`.
    pub(crate) fn new(
        layout: &Layout,
        record: &RecordLayout,
        fields: &[FieldLayout],
        fillers: bool,
        options: &FixedOptions,
        pools: &Pools,
        rows: usize,
    ) -> Result<Self> {
        let columns = fields
            .iter()
            .map(|field| Column::new(layout.encoding, field, options, pools, rows))
            .collect::<Result<Vec<_>>>()?;
        let fields = columns.iter().map(|c| (c.at, c.length));
        let map = CharMap::new(layout, fields.chain(record.gaps.iter().copied()));
        Ok(Self {
            columns,
            fillers: fillers.then(|| BinaryColumn::new(pools, rows, 0)),
            gaps: record.gaps.clone(),
            utf8: layout.encoding == Encoding::UTF_8,
            map,
            faults: FaultMask::new(),
            good: (Vec::new(), Vec::new()),
            rows: 0,
        })
    }

    /// Appends a block of records and returns those that were left out because a field is bad, and how many values of the
    /// others were forgiven.
    pub(crate) fn append(&mut self, rows: Rows<'_>) -> &FaultMask {
        let before = self.rows;
        self.faults.reset(rows.starts.len());
        self.fill(rows);
        if self.faults.any() {
            self.append_good(rows, before);
        } else {
            self.append_fillers(rows);
            self.rows += rows.starts.len();
        }
        &self.faults
    }

    /// What is wrong with a record that was left out.
    #[cold]
    pub(crate) fn explain(&self, record: &[u8]) -> Vec<Fault> {
        let explain =
            |column: &Column| column.explain(self.field(record, column.at, column.length));
        self.columns.iter().filter_map(explain).collect()
    }

    /// The rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The arrays of all rows; the columns are empty then.
    pub(crate) fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        let mut arrays =
            self.columns.iter_mut().map(|c| c.builder.finish()).collect::<Result<Vec<_>>>()?;
        if let Some(fillers) = &mut self.fillers {
            arrays.push(std::sync::Arc::new(fillers.finish()));
        }
        Ok(arrays)
    }

    fn fill(&mut self, rows: Rows<'_>) {
        self.map.read(rows);
        // One check for all text columns of the block; fields are then cut out of it without another.
        let source = match self.utf8.then(|| Validated::check(rows.window)) {
            Some(Ok(window)) => Source::Utf8(window),
            _ => Source::Bytes(rows.window),
        };
        for column in &mut self.columns {
            column.append(source, rows, &self.map, &mut self.faults);
        }
    }

    /// The second pass over a block with faults, without the bad records.
    #[cold]
    fn append_good(&mut self, rows: Rows<'_>, before: usize) {
        let mut good = std::mem::take(&mut self.good);
        let bad = std::mem::take(&mut self.faults);
        good.0.clear();
        good.1.clear();
        for (row, (start, end)) in rows.starts.iter().zip(rows.ends).enumerate() {
            if !bad.contains(row) {
                good.0.push(*start);
                good.1.push(*end);
            }
        }
        for column in &mut self.columns {
            column.builder.truncate(before);
        }
        let kept = Rows { starts: &good.0, ends: &good.1, stride: None, ..rows };
        self.faults.reset(good.0.len());
        self.fill(kept);
        debug_assert!(!self.faults.any(), "what was good once is good again");
        self.append_fillers(kept);
        self.rows = before + good.0.len();
        self.good = good;
        let forgiven = std::mem::replace(&mut self.faults, bad).forgiven();
        self.faults.set_forgiven(forgiven);
    }

    fn append_fillers(&mut self, rows: Rows<'_>) {
        let Some(mut fillers) = self.fillers.take() else { return };
        let mut bytes = Vec::new();
        for (start, end) in rows.starts.iter().zip(rows.ends) {
            bytes.clear();
            let record = rows.window.get(*start as usize..*end as usize).unwrap_or_default();
            for (at, length) in &self.gaps {
                bytes.extend_from_slice(self.field(record, *at, *length).unwrap_or_default());
            }
            // A batch is cut far below the 2 GiB of a column.
            if fillers.append(&bytes).is_err() {
                fillers.append_null();
            }
        }
        self.fillers = Some(fillers);
    }

    /// A field of one record; `None` when the record ends before it.
    fn field<'r>(&self, record: &'r [u8], at: usize, length: usize) -> Option<&'r [u8]> {
        let (start, end) = match self.map.encoding.filter(|_| !record.is_ascii()) {
            None => (at, at.saturating_add(length)),
            Some(encoding) => (place(encoding, record, at), place(encoding, record, at + length)),
        };
        if start >= record.len() {
            return None;
        }
        record.get(start..end.min(record.len()))
    }
}

impl CharMap {
    fn new(layout: &Layout, fields: impl Iterator<Item = (usize, usize)>) -> Self {
        if layout.count == Count::Bytes || !layout.encoding.is_multi_byte() {
            return Self::default();
        }
        let mut bounds: Vec<usize> = fields.flat_map(|(at, length)| [at, at + length]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        Self { encoding: Some(layout.encoding), bounds, ..Self::default() }
    }

    /// Finds the bounds in the records of a block.
    fn read(&mut self, rows: Rows<'_>) {
        self.active = false;
        let Some(encoding) = self.encoding.filter(|_| !rows.window.is_ascii()) else { return };
        self.active = true;
        self.bytes.clear();
        for (start, end) in rows.starts.iter().zip(rows.ends) {
            let record = rows.window.get(*start as usize..*end as usize).unwrap_or_default();
            let mut step = encoding.char_step();
            let (mut at, mut character) = (0, 0);
            for bound in &self.bounds {
                while character < *bound && at < record.len() {
                    at += step.len(record.get(at..).unwrap_or_default()).max(1);
                    character += 1;
                }
                self.bytes.push(start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)));
            }
        }
    }
}

impl SoleColumn {
    pub(crate) fn new(
        layout: &Layout,
        field: &FieldLayout,
        options: &FixedOptions,
        pools: &Pools,
    ) -> Result<Self> {
        let column = Column::new(layout.encoding, field, options, pools, 512)?;
        let map = CharMap::new(layout, std::iter::once((column.at, column.length)));
        Ok(Self { column, map })
    }

    /// Values of the field in these records, nulls where it cannot be read, and how often that was.
    pub(crate) fn values(&mut self, rows: Rows<'_>) -> Result<(ArrayRef, u64)> {
        let mut faults = FaultMask::new();
        faults.reset(rows.starts.len());
        self.map.read(rows);
        self.column.append(Source::Bytes(rows.window), rows, &self.map, &mut faults);
        Ok((self.column.builder.finish()?, faults.count() as u64))
    }
}

impl Column {
    fn new(
        encoding: Encoding,
        field: &FieldLayout,
        options: &FixedOptions,
        pools: &Pools,
        rows: usize,
    ) -> Result<Self> {
        let mut spec: FieldSpec = field.spec.clone();
        spec.spelling.invalid = options.invalid;
        let text = spec.data_type == arrow_schema::DataType::Utf8;
        let drop_cut = text && options.cut == Cut::Drop;
        let prepare = Prepare::new(encoding, field, drop_cut);
        let ascii = encoding.is_ascii_superset();
        if !ascii {
            spec.spelling.trim = Trim::NONE;
        }
        // Numbers of other code pages are rewritten in ASCII first.
        let encoding = if ascii || text { encoding } else { Encoding::US_ASCII };
        Ok(Self {
            at: field.at,
            length: field.length,
            prepare,
            builder: ColumnBuilder::new(&spec, encoding, pools, rows)?,
            starts: Vec::new(),
            ends: Vec::new(),
            scratch: Vec::new(),
        })
    }

    fn append(
        &mut self,
        source: Source<'_>,
        rows: Rows<'_>,
        map: &CharMap,
        faults: &mut FaultMask,
    ) {
        let fixed = match rows.stride.filter(|_| !map.active) {
            Some(record) => Some(Spans::Fixed {
                first: rows.starts.first().map_or(0, |s| *s as usize) + self.at,
                record,
                length: self.length,
                rows: rows.starts.len(),
            }),
            None => {
                self.list(rows, map);
                None
            }
        };
        match (&self.prepare, fixed) {
            (Prepare::Nothing, Some(spans)) => self.builder.append(source, spans, faults),
            (Prepare::Nothing, None) => {
                self.builder.append(source, Spans::each(&self.starts, &self.ends), faults);
            }
            (Prepare::Trim(trim), fixed) => {
                if let Some(spans) = fixed {
                    spans.keep(&FaultMask::new(), &mut self.starts, &mut self.ends);
                }
                trim.spans(rows.window, &mut self.starts, &mut self.ends);
                self.builder.append(source, Spans::each(&self.starts, &self.ends), faults);
            }
            (Prepare::Rewrite(rewrite), fixed) => {
                let spans = fixed.unwrap_or(Spans::each(&self.starts, &self.ends));
                let stride = Rewrite::stride(self.length_in_bytes(rows.window));
                rewrite.block(rows.window, spans, stride, &mut self.scratch);
                let spans =
                    Spans::Fixed { first: 0, record: stride, length: stride, rows: spans.rows() };
                self.builder.append(Source::Bytes(&self.scratch), spans, faults);
            }
        }
    }

    /// The most bytes the field takes in any record of the block.
    fn length_in_bytes(&self, window: &[u8]) -> usize {
        if self.starts.is_empty() {
            return self.length;
        }
        let length = |(start, end): (&u32, &u32)| {
            window.get(*start as usize..*end as usize).map_or(0, <[u8]>::len)
        };
        self.starts.iter().zip(&self.ends).map(length).max().unwrap_or(0).max(self.length)
    }

    /// Start and end of the field in each record, cut off at the end of the record.
    fn list(&mut self, rows: Rows<'_>, map: &CharMap) {
        self.starts.clear();
        self.ends.clear();
        let bound = |at: usize| map.bounds.binary_search(&at).unwrap_or(0);
        let (first, last) = (bound(self.at), bound(self.at + self.length));
        for (row, (start, end)) in rows.starts.iter().zip(rows.ends).enumerate() {
            let (from, to) = if map.active {
                let base = row * map.bounds.len();
                let byte = |k: usize| map.bytes.get(base + k).copied().unwrap_or(*end);
                (byte(first), byte(last))
            } else {
                let place = |at: usize| start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
                (place(self.at), place(self.at + self.length))
            };
            let missing = from >= *end;
            self.starts.push(if missing { 0 } else { from });
            self.ends.push(if missing { Spans::MISSING } else { to.min(*end) });
        }
    }

    #[cold]
    fn explain(&self, field: Option<&[u8]>) -> Option<Fault> {
        let Some(raw) = field else { return self.builder.reader().explain_missing() };
        let ready = self.prepare.one(raw);
        let mut fault = self.builder.reader().explain(&ready)?;
        let cut = self.builder.reader().encoding().decode(&ready).err();
        if fault.code == "value.bad_characters"
            && cut.is_some_and(|e| e.reason == BadReason::Truncated)
        {
            fault.code = CUT_CHARACTER.into();
            fault.expected = format!("whole characters in {}", self.builder.reader().encoding());
            fault.found = format!("{} bytes that end inside a character", raw.len());
        }
        Some(fault)
    }
}

/// The byte at which a character of the record starts.
pub(crate) fn place(encoding: Encoding, record: &[u8], character: usize) -> usize {
    let mut step = encoding.char_step();
    let mut at = 0;
    for _ in 0..character {
        let Some(rest) = record.get(at..).filter(|r| !r.is_empty()) else { break };
        at += step.len(rest).max(1);
    }
    at
}
