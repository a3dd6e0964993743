//! The encoder: columns to fields, fields to records.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, StructArray, UInt32Array};
use arrow_schema::{DataType, Schema};
use bytes::BytesMut;
use fenhe_core::{EncodeOptions, Encoder, Error, Fault, Kind, Patch, Reject, Result};
use fenhe_text::Encoding;
use fenhe_values::{FaultMask, TextBlock};

use crate::batch::{FILLERS, RECORD, Select};
use crate::error;
use crate::layout::{Layout, RecordLayout};
use crate::options::{Count, FixedOptions, FrameBy, LineEnd};
use crate::write::FieldPlace;

/// Rows written in one pass over the columns.
const BLOCK: usize = 1024;

/// Encodes one stream.
#[derive(Debug)]
pub(crate) struct FixedEncoder {
    layout: Arc<Layout>,
    select: Select,
    /// One for each record type that is written.
    types: Vec<Option<RecordWriter>>,
    adapter: String,
    header: Option<Vec<u8>>,
    frame: Frame,
}

/// What separates records, and what must not stand in them.
#[derive(Debug)]
struct Frame {
    line_end: Vec<u8>,
    forbidden: Vec<u8>,
    comment: Vec<u8>,
}

/// Writes records of one type.
#[derive(Debug)]
struct RecordWriter {
    /// By position.
    pieces: Vec<Piece>,
    /// Column of the bytes between the fields.
    fillers: Option<usize>,
    gaps: usize,
    blocks: Vec<TextBlock>,
    counted: Counted,
}

/// How lengths are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) encoding: Encoding,
    pub(crate) characters: bool,
}

/// The rows of one record type: their numbers in the batch, and their columns.
struct Part {
    kind: usize,
    rows: Vec<usize>,
    columns: Vec<ArrayRef>,
}

/// A stretch of a record.
#[derive(Debug)]
enum Piece {
    Field(Box<FieldPlace>),
    Gap { length: usize, filler: Vec<u8> },
}

impl FixedEncoder {
    pub(crate) fn new(
        layout: Arc<Layout>,
        options: &FixedOptions,
        encode: &EncodeOptions,
    ) -> Result<Self> {
        let schema = &encode.schema;
        let all = schema.fields().first().is_some_and(|f| f.name() == RECORD);
        let select = match options.select.as_deref() {
            None if all => Select::All,
            wish => select_for(&layout, wish, schema)?,
        };
        let mut types = Vec::new();
        for (index, record) in layout.records.iter().enumerate() {
            types.push(match select {
                Select::One(one) if one == index => {
                    Some(RecordWriter::new(&layout, record, schema)?)
                }
                Select::One(_) => None,
                Select::All => match schema.field_with_name(&record.name).map(|f| f.data_type()) {
                    Ok(DataType::Struct(fields)) => {
                        Some(RecordWriter::new(&layout, record, &Schema::new(fields.clone()))?)
                    }
                    _ => None,
                },
            });
        }
        let frame = Frame::new(&layout, options);
        // The lines that a reader with the same options passes over are written as empty ones.
        let mut prologue = frame.line_end.repeat(options.skip_lines.min(10_000) as usize);
        if options.header {
            prologue.extend(header(&layout, schema, &frame)?);
        }
        let header = (!prologue.is_empty()).then_some(prologue);
        Ok(Self { adapter: layout.adapter(), select, types, header, frame, layout })
    }

    /// The rows of each type, as a batch of their own with the numbers they have in the whole.
    fn nested(&self, batch: &RecordBatch) -> Result<Vec<Part>> {
        let wrong = |what: String| Error::new(Kind::Config, "fixed.schema", what);
        let names = batch.column_by_name(RECORD).and_then(|c| c.as_string_opt::<i32>());
        let names = names.ok_or_else(|| wrong(format!("the column {RECORD} is no text")))?;
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); self.layout.records.len()];
        for (row, name) in names.iter().enumerate() {
            let kind = name.and_then(|n| self.layout.record(n));
            let list = kind.and_then(|k| rows.get_mut(k));
            list.ok_or_else(|| {
                wrong(format!("row {}: {RECORD} names no record of the layout", row + 1))
            })?
            .push(row);
        }
        let mut parts = Vec::new();
        for (kind, rows) in rows.into_iter().enumerate().filter(|(_, r)| !r.is_empty()) {
            let Some(record) = self.layout.records.get(kind) else { continue };
            let column: Option<&StructArray> =
                batch.column_by_name(&record.name).and_then(|c| c.as_struct_opt());
            let column = column.ok_or_else(|| {
                wrong(format!("there is no column {} of its fields", record.name))
            })?;
            let index = |row: &usize| u32::try_from(*row).unwrap_or(u32::MAX);
            let indices: UInt32Array = rows.iter().map(index).collect::<Vec<_>>().into();
            let take = |c: &ArrayRef| arrow_select::take::take(c, &indices, None);
            let columns = column.columns().iter().map(take).collect::<Result<Vec<_>, _>>()?;
            parts.push(Part { kind, rows, columns });
        }
        Ok(parts)
    }

    fn parts(&self, batch: &RecordBatch) -> Result<Vec<Part>> {
        match self.select {
            Select::All => self.nested(batch),
            Select::One(kind) => Ok(vec![Part {
                kind,
                rows: (0..batch.num_rows()).collect(),
                columns: batch.columns().to_vec(),
            }]),
        }
    }
}

impl Encoder for FixedEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        if let Some(header) = self.header.take() {
            out.extend_from_slice(&header);
        }
        let parts = self.parts(batch)?;
        let several = parts.len() > 1;
        let mut rejects = Vec::new();
        // With several types the records are put in the order of the rows at the end.
        let mut records: Vec<(usize, Vec<u8>)> = Vec::new();
        for Part { kind, rows, columns } in parts {
            let Some(writer) = self.types.get_mut(kind).and_then(Option::as_mut) else { continue };
            let mut sink = |row: usize, written: Result<&[u8], Vec<Fault>>| {
                let number = rows.get(row).copied().unwrap_or(row);
                match written {
                    Ok(record) if several => records.push((number, record.to_vec())),
                    Ok(record) => out.extend_from_slice(record),
                    Err(faults) => rejects.push((number, faults)),
                }
            };
            writer.write(&columns, rows.len(), &self.frame, &mut sink)?;
        }
        records.sort_by_key(|(row, _)| *row);
        records.iter().for_each(|(_, record)| out.extend_from_slice(record));
        rejects.sort_by_key(|(row, _)| *row);
        let reject = |(row, faults): (usize, Vec<Fault>)| {
            let mut faults = faults.into_iter();
            let first = faults.next()?;
            Some(Reject::new(first).and(faults).at(row as u64 + 1, 0, 0).by(self.adapter.clone()))
        };
        Ok(rejects.into_iter().filter_map(reject).collect())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        if let Some(header) = self.header.take() {
            out.extend_from_slice(&header);
        }
        Ok(Vec::new())
    }
}

impl RecordWriter {
    fn new(layout: &Layout, record: &RecordLayout, schema: &Schema) -> Result<Self> {
        let counted = Counted {
            encoding: layout.encoding,
            characters: layout.count == Count::Characters && layout.encoding.is_multi_byte(),
        };
        let columns = columns_of(layout, record, schema)?;
        let mut pieces: Vec<(usize, Piece)> = Vec::new();
        for (field, column) in record.fields.iter().zip(columns).filter(|(f, _)| !f.overlay) {
            let data_type = column.and_then(|c| schema.fields().get(c)).map(|f| f.data_type());
            pieces.push((
                field.at,
                Piece::Field(Box::new(FieldPlace::new(counted, field, column, data_type)?)),
            ));
        }
        let filler = layout
            .encoding
            .encode(&record.filler.to_string())
            .unwrap_or_else(|_| layout.encoding.blank().into());
        for (at, length) in &record.gaps {
            pieces.push((*at, Piece::Gap { length: *length, filler: filler.clone() }));
        }
        pieces.sort_by_key(|(at, _)| *at);
        Ok(Self {
            blocks: pieces.iter().map(|_| TextBlock::new()).collect(),
            pieces: pieces.into_iter().map(|(_, piece)| piece).collect(),
            fillers: schema.index_of(FILLERS).ok(),
            gaps: record.gaps.iter().map(|(_, length)| length).sum(),
            counted,
        })
    }

    /// Writes rows: a record or its faults for each.
    fn write(
        &mut self,
        columns: &[ArrayRef],
        rows: usize,
        frame: &Frame,
        sink: &mut impl FnMut(usize, Result<&[u8], Vec<Fault>>),
    ) -> Result<()> {
        let mut faults = FaultMask::new();
        let mut record = Vec::new();
        let mut first = 0;
        while first < rows {
            let last = rows.min(first + BLOCK);
            faults.reset(last - first);
            for (piece, block) in self.pieces.iter().zip(&mut self.blocks) {
                block.clear();
                if let Piece::Field(field) = piece {
                    field.write(columns, first..last, block, &mut faults)?;
                }
            }
            for row in first..last {
                record.clear();
                let result = if faults.contains(row - first) {
                    Err(self.explain(columns, row))
                } else {
                    self.assemble(columns, row, row - first, &mut record)
                        .and_then(|()| frame.close(&mut record))
                };
                match result {
                    Ok(()) => sink(row, Ok(&record)),
                    Err(found) => sink(row, Err(found)),
                }
            }
            first = last;
        }
        Ok(())
    }

    fn assemble(
        &self,
        columns: &[ArrayRef],
        row: usize,
        at: usize,
        record: &mut Vec<u8>,
    ) -> Result<(), Vec<Fault>> {
        let kept = self.kept_fillers(columns, row);
        let mut gap = 0;
        let mut faults = Vec::new();
        for (piece, block) in self.pieces.iter().zip(&self.blocks) {
            match piece {
                Piece::Gap { length, filler } => {
                    match kept.and_then(|k| k.get(gap..gap + length)) {
                        Some(bytes) => record.extend_from_slice(bytes),
                        None => self.counted.fill(*length, filler, record),
                    }
                    gap += length;
                }
                Piece::Field(field) => {
                    if let Err(fault) =
                        field.place(self.counted, block.field(at), block.is_null(at), record)
                    {
                        faults.push(fault);
                    }
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The bytes of all gaps of a row, when they were carried along.
    fn kept_fillers<'c>(&self, columns: &'c [ArrayRef], row: usize) -> Option<&'c [u8]> {
        let fillers: &BinaryArray = columns.get(self.fillers?)?.as_binary_opt::<i32>()?;
        let bytes = fillers.is_valid(row).then(|| fillers.value(row))?;
        // Kept bytes of another layout, or counted in characters, are no help.
        (bytes.len() == self.gaps).then_some(bytes)
    }

    #[cold]
    fn explain(&self, columns: &[ArrayRef], row: usize) -> Vec<Fault> {
        let explain = |piece: &Piece| match piece {
            Piece::Field(field) => field.explain(columns, row),
            Piece::Gap { .. } => None,
        };
        self.pieces.iter().filter_map(explain).collect()
    }
}

impl Frame {
    fn new(layout: &Layout, options: &FixedOptions) -> Self {
        let newline = layout.encoding.newline();
        let line_end = match (layout.line_end, newline) {
            (LineEnd::None, _) => Vec::new(),
            (_, Some(ebcdic)) => vec![ebcdic.next_line],
            (LineEnd::Crlf, None) => b"\r\n".to_vec(),
            (LineEnd::Auto | LineEnd::Lf, None) => b"\n".to_vec(),
        };
        let forbidden = match newline {
            _ if options.frame == FrameBy::Length => Vec::new(),
            Some(ebcdic) => vec![ebcdic.next_line, ebcdic.line_feed],
            None if line_end.is_empty() => vec![b'\n'],
            None => vec![b'\r', b'\n'],
        };
        let comment = options.comment.as_deref().unwrap_or_default();
        Self { line_end, forbidden, comment: layout.encoding.encode(comment).unwrap_or_default() }
    }

    /// Adds the line end, unless a reader would see other records than were written.
    fn close(&self, record: &mut Vec<u8>) -> Result<(), Vec<Fault>> {
        if !self.forbidden.is_empty() && record.iter().any(|b| self.forbidden.contains(b)) {
            let fault = Fault::new(
                error::LINE_END,
                "",
                "values without line ends",
                "a line end in a value",
            );
            return Err(vec![fault]);
        }
        if !self.comment.is_empty() && record.starts_with(&self.comment) {
            let fault = Fault::new(
                "fixed.comment",
                "",
                "a record that is no comment",
                "the mark of comments at its start",
            );
            return Err(vec![fault]);
        }
        record.extend_from_slice(&self.line_end);
        Ok(())
    }
}

impl Counted {
    /// Length of encoded text in the unit of the layout.
    pub(crate) fn length(self, bytes: &[u8]) -> usize {
        if !self.characters || bytes.is_ascii() {
            return bytes.len();
        }
        let mut step = self.encoding.char_step();
        let (mut at, mut count) = (0, 0);
        while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
            at += step.len(rest).max(1);
            count += 1;
        }
        count
    }

    /// Appends `length` units of filling; what no whole filling character fits into becomes blanks.
    pub(crate) fn fill(self, length: usize, filler: &[u8], out: &mut Vec<u8>) {
        if let [byte] = filler {
            out.resize(out.len() + length, *byte);
            return;
        }
        if self.characters {
            (0..length).for_each(|_| out.extend_from_slice(filler));
            return;
        }
        let whole = length / filler.len().max(1);
        (0..whole).for_each(|_| out.extend_from_slice(filler));
        let rest = length - whole * filler.len();
        (0..rest).for_each(|_| out.extend_from_slice(self.encoding.blank()));
    }
}

/// The record type for rows of a schema: the one asked for, the one that holds data, or the one with its fields.
fn select_for(layout: &Layout, wish: Option<&str>, schema: &Schema) -> Result<Select> {
    let names: Vec<&str> =
        schema.fields().iter().map(|f| f.name().as_str()).filter(|n| *n != FILLERS).collect();
    let fits = |record: &RecordLayout| {
        names.len() == record.fields.len()
            && record.fields.iter().all(|f| names.contains(&f.spec.name.as_str()))
    };
    if wish.is_none() {
        let mut fitting = layout.records.iter().enumerate().filter(|(_, r)| fits(r));
        if let (Some((one, _)), None) = (fitting.next(), fitting.next()) {
            return Ok(Select::One(one));
        }
    }
    Select::new(layout, wish)
}

/// For each field of the record the column that holds its values.
fn columns_of(
    layout: &Layout,
    record: &RecordLayout,
    schema: &Schema,
) -> Result<Vec<Option<usize>>> {
    let bad = |message: String| Error::new(Kind::Config, "fixed.schema", message);
    let given: Vec<&str> =
        schema.fields().iter().map(|f| f.name().as_str()).filter(|n| *n != FILLERS).collect();
    let known = |name: &str| record.fields.iter().any(|f| f.spec.name == name);
    if layout.quick && given.len() == record.fields.len() && !given.iter().all(|n| known(n)) {
        // A quick layout has no names of its own: the columns go by their order.
        return Ok((0..given.len()).map(Some).collect());
    }
    if let Some(extra) = given.iter().find(|name| !known(name)) {
        let error = bad(format!("the record {} has no field for the column {extra}", record.name));
        return Err(
            match fenhe_core::nearest(extra, record.fields.iter().map(|f| f.spec.name.as_str())) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint("leave the column out, or add it to the layout"),
            },
        );
    }
    let missing = |f: &&crate::layout::FieldLayout| {
        !f.spec.nullable && !f.overlay && !given.contains(&f.spec.name.as_str())
    };
    if let Some(missing) = record.fields.iter().find(missing) {
        return Err(bad(format!(
            "the field {} is required, but there is no such column",
            missing.spec.name
        )));
    }
    Ok(record.fields.iter().map(|f| schema.index_of(&f.spec.name).ok()).collect())
}

/// The line with the names of the columns.
fn header(layout: &Layout, schema: &Schema, frame: &Frame) -> Result<Vec<u8>> {
    let counted =
        Counted { encoding: layout.encoding, characters: layout.count == Count::Characters };
    let mut line = Vec::new();
    let mut at = 0;
    let fields = layout.records.first().map(|r| r.fields.as_slice()).unwrap_or_default();
    for (field, column) in fields.iter().zip(schema.fields()) {
        let bad =
            |what: String| Error::new(Kind::Config, "fixed.header", what).at_field(column.name());
        let name = layout.encoding.encode(column.name()).map_err(|e| bad(e.to_string()))?;
        let Some(left) = field.length.checked_sub(counted.length(&name)) else {
            return Err(bad(format!("the name does not fit its {} places", field.length))
                .hint("header=false"));
        };
        counted.fill(field.at.saturating_sub(at), layout.encoding.blank(), &mut line);
        line.extend_from_slice(&name);
        counted.fill(left, layout.encoding.blank(), &mut line);
        at = field.at + field.length;
    }
    line.extend_from_slice(&frame.line_end);
    Ok(line)
}
