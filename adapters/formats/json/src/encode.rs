//! Rows to JSON text: one object a line, or one array.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use bytes::BytesMut;
use fenhe_core::schema::NATIVE_TYPE;
use fenhe_core::{EncodeOptions, Encoder, Error, Fault, Kind, Patch, Raw, Reject, Result};
use fenhe_text::Encoding;
use fenhe_values::{
    BooleanSpelling, FaultMask, FieldSpec, FieldWriter, NumberSpelling, SchemaFile, TextBlock,
    plainly_spelled,
};

use crate::escape;
use crate::node::{RAW, spec};
use crate::options::{JsonOptions, Nulls, Shape};
use crate::token::{Cursor, MAX_DEPTH};

/// Encodes one stream of JSON. Characters are written as they are, those that the encoding does not have as `\uXXXX`.
pub(crate) struct JsonEncoder {
    schema: SchemaRef,
    root: Object,
    encoding: Encoding,
    /// Around the records of a document.
    open: Vec<u8>,
    close: Vec<u8>,
    array: bool,
    omit: bool,
    /// Rows written so far.
    rows: u64,
    finished: bool,
    line: Vec<u8>,
}

/// The keys of an object, ready to be written, and their values.
struct Object {
    fields: Vec<(String, Vec<u8>, Value)>,
}

/// How the values of a column are written.
enum Value {
    Plain(Box<Spelled>),
    Text(Box<Spelled>),
    /// Text that is JSON already.
    Raw(Box<Spelled>),
    Object(Object),
    List(Box<Value>),
}

/// The spelled values of a batch.
struct Spelled {
    writer: FieldWriter,
    block: TextBlock,
    faults: FaultMask,
}

impl JsonEncoder {
    pub(crate) fn new(json: &JsonOptions, options: &EncodeOptions) -> Result<Self> {
        let path = json.path()?;
        let (mut open, mut close) = (Vec::new(), b"]".to_vec());
        for key in &path {
            open.push(b'{');
            quoted(key, &mut open);
            open.push(b':');
            close.push(b'}');
        }
        open.push(b'[');
        close.push(b'\n');
        Ok(Self {
            schema: options.schema.clone(),
            root: Object::new(written_as(json, &options.schema)?.fields(), 0)?,
            encoding: json.encoding()?.unwrap_or(Encoding::UTF_8),
            open,
            close,
            array: json.shape == Shape::Array || !path.is_empty(),
            omit: json.nulls == Nulls::Omit,
            rows: 0,
            finished: false,
            line: Vec::new(),
        })
    }

    /// Appends what stands before the first record.
    #[inline]
    fn begin(&self, out: &mut BytesMut) {
        if self.array && self.rows == 0 {
            self.put(&self.open, out);
        }
    }

    /// Appends JSON text in the encoding of the stream.
    #[inline]
    fn put(&self, text: &[u8], out: &mut BytesMut) {
        if self.encoding == Encoding::UTF_8 {
            out.extend_from_slice(text);
        } else {
            put_encoded(self.encoding, text, out);
        }
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        let types =
            |fields: &Fields| fields.iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
        if types(batch.schema().fields()) != types(self.schema.fields()) {
            return Err(Error::new(
                Kind::Config,
                "json.schema",
                "the batch has another schema than the stream",
            ));
        }
        self.root.spell(batch.columns())?;
        let mut rejects = Vec::new();
        for row in 0..batch.num_rows() {
            self.line.clear();
            let (before, behind): (&[u8], &[u8]) = match (self.array, self.rows) {
                (false, _) => (b"", b"\n"),
                (true, 0) => (b"\n", b""),
                (true, _) => (b",\n", b""),
            };
            match self.root.write(batch.columns(), row, self.omit, &mut self.line) {
                Ok(()) => {
                    self.begin(out);
                    self.put(before, out);
                    self.put(&self.line, out);
                    self.put(behind, out);
                    self.rows += 1;
                }
                Err(fault) => {
                    let mut reject = Reject::new(*fault).at(row as u64 + 1, 0, 0).by("json");
                    reject.raw_is = Raw::Row;
                    rejects.push(reject);
                }
            }
        }
        Ok(rejects)
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        if self.array && !self.finished {
            self.begin(out);
            self.put(if self.rows == 0 { b"" } else { b"\n" }, out);
            self.put(&self.close, out);
        }
        self.finished = true;
        Ok(Vec::new())
    }
}

/// The columns as they are spelled in JSON: plainly, because the spelling of the source belongs to the source, or as the
/// writer's own schema file says.
fn written_as(json: &JsonOptions, schema: &Schema) -> Result<Schema> {
    let plain = plainly_spelled(schema);
    match &json.schema {
        Some(file) => SchemaFile::parse(&file.text)
            .and_then(|f| f.spell(&plain))
            .map_err(|e| e.source_name(&file.name)),
        None => Ok(plain),
    }
}

/// Whether the values of a column are JSON numbers or truth values as they are spelled; otherwise they are strings.
fn is_bare(spec: &FieldSpec) -> bool {
    let number = NumberSpelling {
        implied: spec.spelling.number.implied,
        full_width: spec.spelling.number.full_width,
        ..NumberSpelling::default()
    };
    match &spec.data_type {
        DataType::Boolean => spec.spelling.boolean == BooleanSpelling::default(),
        _ => spec.spelling.number == number,
    }
}

impl Object {
    fn new(fields: &Fields, depth: usize) -> Result<Self> {
        let one = |field: &std::sync::Arc<Field>| {
            let mut key = Vec::new();
            quoted(field.name().as_bytes(), &mut key);
            key.push(b':');
            Ok((field.name().clone(), key, Value::new(field, depth)?))
        };
        Ok(Self { fields: fields.iter().map(one).collect::<Result<_>>()? })
    }

    fn spell(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.fields
            .iter_mut()
            .zip(columns)
            .try_for_each(|((.., value), column)| value.spell(column))
    }

    fn write(
        &self,
        columns: &[ArrayRef],
        row: usize,
        omit: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<Fault>> {
        out.push(b'{');
        let start = out.len();
        for ((name, key, value), column) in self.fields.iter().zip(columns) {
            if omit && column.is_null(row) {
                continue;
            }
            if out.len() > start {
                out.push(b',');
            }
            out.extend_from_slice(key);
            value.write(column, row, omit, out).map_err(|fault| inside(fault, name))?;
        }
        out.push(b'}');
        Ok(())
    }
}

impl Value {
    fn new(field: &Field, depth: usize) -> Result<Self> {
        if depth > MAX_DEPTH / 2 {
            return Err(Error::limit("depth", MAX_DEPTH as u64 / 2, depth as u64));
        }
        let raw = field.metadata().get(NATIVE_TYPE).is_some_and(|native| native == RAW);
        Ok(match field.data_type() {
            DataType::Struct(fields) => Self::Object(Object::new(fields, depth + 1)?),
            DataType::List(item) => Self::List(Box::new(Self::new(item, depth + 1)?)),
            data_type => {
                let spec = spec(field)?;
                let bare = is_bare(&spec);
                let spelled = Spelled {
                    writer: FieldWriter::new(&spec, Encoding::UTF_8)?,
                    block: TextBlock::new(),
                    faults: FaultMask::new(),
                };
                match data_type {
                    DataType::Boolean | DataType::Float32 | DataType::Float64 if bare => {
                        Self::Plain(Box::new(spelled))
                    }
                    _ if bare && (data_type.is_integer() || data_type.is_decimal()) => {
                        Self::Plain(Box::new(spelled))
                    }
                    _ if raw => Self::Raw(Box::new(spelled)),
                    _ => Self::Text(Box::new(spelled)),
                }
            }
        })
    }

    /// Spells all values of a column.
    fn spell(&mut self, array: &ArrayRef) -> Result<()> {
        match self {
            Self::Plain(spelled) | Self::Text(spelled) | Self::Raw(spelled) => {
                spelled.block.clear();
                spelled.faults.reset(array.len());
                spelled.writer.write(array, 0..array.len(), &mut spelled.block, &mut spelled.faults)
            }
            Self::Object(object) => object.spell(array.as_struct().columns()),
            Self::List(value) => value.spell(array.as_list::<i32>().values()),
        }
    }

    fn write(
        &self,
        array: &ArrayRef,
        row: usize,
        omit: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<Fault>> {
        if array.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match self {
            Self::Plain(spelled) => out.extend_from_slice(spelled.text(array, row)?),
            Self::Text(spelled) => quoted(spelled.text(array, row)?, out),
            Self::Raw(spelled) => raw(spelled.text(array, row)?, out)?,
            Self::Object(object) => object.write(array.as_struct().columns(), row, omit, out)?,
            Self::List(value) => {
                let list = array.as_list::<i32>();
                let offset = |n: usize| {
                    list.value_offsets().get(n).and_then(|o| usize::try_from(*o).ok()).unwrap_or(0)
                };
                out.push(b'[');
                for item in offset(row)..offset(row + 1) {
                    if item > offset(row) {
                        out.push(b',');
                    }
                    let number = item - offset(row);
                    value
                        .write(list.values(), item, omit, out)
                        .map_err(|fault| inside(fault, &format!("[{number}]")))?;
                }
                out.push(b']');
            }
        }
        Ok(())
    }
}

impl Spelled {
    /// The spelling of one value.
    #[inline]
    fn text(&self, array: &ArrayRef, row: usize) -> Result<&[u8], Box<Fault>> {
        if self.faults.contains(row) {
            Err(self.fault(array, row))
        } else {
            Ok(self.block.field(row))
        }
    }

    #[cold]
    fn fault(&self, array: &ArrayRef, row: usize) -> Box<Fault> {
        let fault = self.writer.explain(array, row);
        let fault = fault.unwrap_or_else(|| {
            Fault::new("json.value", "", "a value that JSON can hold", "another one")
        });
        Box::new(Fault { field: String::new(), ..fault })
    }
}

/// The fault of what is under `name`, seen from outside.
#[cold]
fn inside(mut fault: Box<Fault>, name: &str) -> Box<Fault> {
    let dot = if fault.field.is_empty() || fault.field.starts_with('[') { "" } else { "." };
    fault.field = format!("{name}{dot}{}", fault.field);
    fault
}

/// Appends text in quotes (RFC 8259 section 7).
fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        match rest.get(at) {
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(b'\r') => out.extend_from_slice(b"\\r"),
            Some(b'\t') => out.extend_from_slice(b"\\t"),
            Some(byte @ (b'"' | b'\\')) => out.extend_from_slice(&[b'\\', *byte]),
            Some(byte) => {
                out.extend_from_slice(b"\\u00");
                fenhe_values::format::hex(&[*byte], out);
            }
            None => {}
        }
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends JSON text in another encoding. What it does not have can only stand in strings, where an escape says it too.
fn put_encoded(encoding: Encoding, text: &[u8], out: &mut BytesMut) {
    let text = std::str::from_utf8(text).unwrap_or_default();
    if let Ok(encoded) = encoding.encode(text) {
        out.extend_from_slice(&encoded);
        return;
    }
    for char in text.chars() {
        let encoded = encoding.encode(char.encode_utf8(&mut [0; 4]));
        out.extend_from_slice(&encoded.unwrap_or_else(|_| {
            let units = char
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|u| format!("\\u{u:04x}"))
                .collect::<String>();
            units.into_bytes()
        }));
    }
}

/// Appends text that must be one JSON value, without white space between its tokens.
fn raw(text: &[u8], out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    let mut cursor = Cursor::new(text, 0, text.len());
    if cursor.skip_value(MAX_DEPTH).is_err() || cursor.token().is_some() {
        return Err(Box::new(Fault::new(
            "json.raw",
            "",
            "the text of one JSON value",
            "other text",
        )));
    }
    escape::minify(text, out);
    Ok(())
}
