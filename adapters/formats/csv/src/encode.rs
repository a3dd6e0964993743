//! Rows to delimited text, in the dialect that the schema carries or the options say.

use arrow_schema::Schema;
use bytes::BytesMut;
use fenhe_core::{
    EncodeOptions, Encoder, Error, Fault, Kind, Patch, RecordBatch, Reject, Result, SchemaRef,
};
use fenhe_text::Encoding;
use fenhe_values::{FaultMask, FieldSpec, FieldWriter, Spelling, TextBlock, plainly_spelled};

use crate::detect;
use crate::dialect::{Dialect, Escape, Quoting, Syntax, encoding};
use crate::options::{CsvOptions, FormulaGuard, LineEnd, config};
use crate::settle::{dialect_of, schema_file};
use crate::spell::{Spelled, Speller};
use crate::wide::is_wide;

/// Rows spelled together.
const BLOCK: usize = 512;

/// Encodes one delimited stream.
pub(crate) struct CsvEncoder {
    schema: SchemaRef,
    dialect: Dialect,
    speller: Speller,
    guard: FormulaGuard,
    prologue: Vec<u8>,
    started: bool,
    /// Whether what was written last is a line without its end.
    line_open: bool,
    writers: Vec<FieldWriter>,
    blocks: Vec<TextBlock>,
    faults: FaultMask,
}

impl CsvEncoder {
    /// # Errors
    /// [`Kind::Config`] for a schema or options that cannot be written.
    pub(crate) fn new(options: &CsvOptions, open: EncodeOptions) -> Result<Self> {
        let read = dialect_of(&open.schema);
        let mut dialect = detect::overlay(read.clone().unwrap_or_else(usual), options)?;
        let wide = is_wide(encoding(&dialect.encoding)?);
        let other = read.as_ref().is_none_or(|read| read.encoding != dialect.encoding);
        // Without its mark nobody can be sure of UTF-16.
        dialect.bom = options.bom.unwrap_or(dialect.bom || (wide && other));
        if let Some(last) = options.final_newline {
            dialect.final_newline = last;
        }
        match options.always_quote {
            Some(true) => dialect.quoting = Quoting::Always,
            Some(false) => dialect.quoting = Quoting::Minimal,
            None => {}
        }
        if options.line_end == Some(LineEnd::Any) {
            return Err(config("line_end", "a writer needs lf, crlf or cr"));
        }
        let syntax = Syntax::new(&dialect)?;
        let writers = specs(options, &open.schema, read.is_some())?
            .iter()
            .map(|spec| FieldWriter::new(spec, syntax.encoding))
            .collect::<Result<Vec<_>>>()?;
        let speller = Speller::new(&dialect, syntax, open.schema.fields().len());
        let prologue = prologue(&dialect, read.as_ref(), &speller, &open.schema)?;
        let blocks = writers.iter().map(|_| TextBlock::new()).collect();
        Ok(Self {
            line_open: !prologue.is_empty()
                && !matches!(prologue.last(), Some(b'\n' | b'\r'))
                && prologue != bom(&dialect, &speller),
            schema: open.schema,
            dialect,
            speller,
            guard: options.formula_guard,
            prologue,
            started: false,
            writers,
            blocks,
            faults: FaultMask::new(),
        })
    }

    /// The encoding that the output is transcoded to, if it is not the one in which it is written.
    pub(crate) fn wide(&self) -> Option<Encoding> {
        encoding(&self.dialect.encoding).ok().filter(|encoding| is_wide(*encoding))
    }

    fn start(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.started, true) {
            out.extend_from_slice(&self.prologue);
        }
    }

    /// Spells the rows of a block, column by column.
    fn spell(&mut self, batch: &RecordBatch, rows: std::ops::Range<usize>) -> Result<()> {
        self.faults.reset(rows.len());
        for ((writer, array), block) in
            self.writers.iter().zip(batch.columns()).zip(&mut self.blocks)
        {
            block.clear();
            writer.write(array, rows.clone(), block, &mut self.faults)?;
        }
        Ok(())
    }

    /// Appends one row; on a fault nothing is appended.
    fn row(&self, row: usize, out: &mut BytesMut) -> std::result::Result<(), Fault> {
        let before = out.len();
        for (place, (writer, block)) in self.writers.iter().zip(&self.blocks).enumerate() {
            if place > 0 {
                out.extend_from_slice(self.speller.delimiter());
            }
            let spelled =
                Spelled { bytes: block.field(row), null: block.is_null(row), first: place == 0 };
            let written = self.speller.field(&spelled, writer.spec(), self.guard, out);
            if let Err(reason) = written {
                out.truncate(before);
                return Err(Fault::new(
                    reason.code,
                    writer.spec().name.clone(),
                    reason.expected,
                    reason.found,
                ));
            }
        }
        Ok(())
    }

    fn refuse(&self, batch: &RecordBatch, row: usize, own: Option<Fault>) -> Reject {
        let explain = |(writer, array): (&FieldWriter, _)| writer.explain(array, row);
        let mut faults: Vec<Fault> =
            self.writers.iter().zip(batch.columns()).filter_map(explain).chain(own).collect();
        let also = faults.split_off(1.min(faults.len()));
        let fault = faults.pop().unwrap_or_else(|| {
            Fault::new("csv.unwritable", "", "a row that can be written", "another")
        });
        Reject::new(fault).at(row as u64 + 1, 0, 0).by("csv").and(also)
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        let given = batch.schema();
        let same = given.fields().iter().map(|f| (f.name(), f.data_type()));
        if !same.eq(self.schema.fields().iter().map(|f| (f.name(), f.data_type()))) {
            return Err(Error::new(
                Kind::Config,
                "csv.schema",
                "the batch has another schema than the stream",
            ));
        }
        self.start(out);
        let mut rejects = Vec::new();
        let mut from = 0;
        while from < batch.num_rows() {
            let to = batch.num_rows().min(from + BLOCK);
            self.spell(batch, from..to)?;
            for row in 0..to - from {
                if self.faults.contains(row) {
                    rejects.push(self.refuse(batch, from + row, None));
                    continue;
                }
                let before = out.len();
                if self.line_open {
                    out.extend_from_slice(self.dialect.ends_with.as_bytes());
                }
                match self.row(row, out) {
                    Ok(()) => self.line_open = true,
                    Err(fault) => {
                        out.truncate(before);
                        rejects.push(self.refuse(batch, from + row, Some(fault)));
                    }
                }
            }
            from = to;
        }
        Ok(rejects)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        self.start(out);
        if std::mem::take(&mut self.line_open) && self.dialect.final_newline {
            out.extend_from_slice(self.dialect.ends_with.as_bytes());
        }
        Ok(Vec::new())
    }
}

/// The dialect of RFC 4180 with LF, in UTF-8.
fn usual() -> Dialect {
    Dialect {
        encoding: "UTF-8".into(),
        bom: false,
        delimiter: ",".into(),
        quote: Some('"'),
        escape: Escape::Doubled,
        comment: String::new(),
        line_end: LineEnd::Any,
        blank_is_record: false,
        header: true,
        ends_with: "\n".into(),
        quoting: Quoting::Minimal,
        final_newline: true,
        sep_line: false,
        prologue: None,
        names: Vec::new(),
    }
}

/// How the columns are spelled: as in the file that was read, plainly when they come from another format; above both
/// what the options say, and above that what the writer's own schema file says of a column.
fn specs(options: &CsvOptions, schema: &Schema, from_csv: bool) -> Result<Vec<FieldSpec>> {
    let start = if from_csv { schema.clone() } else { plainly_spelled(schema) };
    let file = options.schema.as_ref().map(schema_file).transpose()?;
    let mut specs = Vec::new();
    for field in start.fields() {
        let mut spec = FieldSpec::from_field(field)?;
        overlay_spelling(&mut spec.spelling, options);
        specs.push(spec);
    }
    let Some(file) = file else { return Ok(specs) };
    let spelled = Schema::new(specs.iter().map(FieldSpec::to_field).collect::<Vec<_>>());
    file.spell(&spelled)?.fields().iter().map(|field| FieldSpec::from_field(field)).collect()
}

/// What options that are set say about the spelling of all columns.
fn overlay_spelling(spelling: &mut Spelling, options: &CsvOptions) {
    if let Some(nulls) = &options.nulls {
        spelling.nulls.clone_from(nulls);
    }
    if let Some(mark) = options.decimal {
        spelling.number.decimal_mark = mark;
        spelling.number.implied = None;
        if spelling.number.thousands == Some(mark) {
            spelling.number.thousands = None;
        }
    }
    if let Some(mark) = options.thousands {
        spelling.number.thousands = Some(mark);
    }
    if let Some(patterns) = &options.dates {
        spelling.date.patterns.clone_from(patterns);
    }
}

fn bom(dialect: &Dialect, speller: &Speller) -> Vec<u8> {
    if dialect.bom { speller.encoding().bom().to_vec() } else { Vec::new() }
}

/// Byte order mark, and what stood before the records if that still holds; else a header of the names.
fn prologue(
    dialect: &Dialect,
    read: Option<&Dialect>,
    speller: &Speller,
    schema: &SchemaRef,
) -> Result<Vec<u8>> {
    let mut out = bom(dialect, speller);
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let same = read.filter(|read| {
        (&read.delimiter, read.quote, read.escape, read.header, &read.ends_with)
            == (
                &dialect.delimiter,
                dialect.quote,
                dialect.escape,
                dialect.header,
                &dialect.ends_with,
            )
            && read.names == names
    });
    let cannot = |e| {
        Error::new(
            Kind::Config,
            "csv.header",
            "the encoding does not have the characters of the header",
        )
        .caused_by(e)
    };
    if let Some(text) = same.and_then(|read| read.prologue.as_deref()) {
        out.extend(speller.encoding().encode(text).map_err(cannot)?);
        return Ok(out);
    }
    if !dialect.header {
        return Ok(out);
    }
    let mut line = BytesMut::new();
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            line.extend_from_slice(speller.delimiter());
        }
        let bytes = speller.encoding().encode(name).map_err(cannot)?;
        let spelled = Spelled { bytes: &bytes, null: false, first: place == 0 };
        let spec = FieldSpec::new(*name, arrow_schema::DataType::Utf8);
        speller.field(&spelled, &spec, FormulaGuard::Off, &mut line).map_err(|reason| {
            Error::new(Kind::Config, reason.code, format!("the name {name} cannot be written"))
                .hint("rename the column")
        })?;
    }
    out.extend_from_slice(&line);
    out.extend_from_slice(dialect.ends_with.as_bytes());
    Ok(out)
}
