//! Numbers and dates as JSON has them, whatever their source wrote.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, RecordBatch};
use arrow_schema::{Field, SchemaRef};
use bytes::BytesMut;
use fenhe_core::{EncodeOptions, Format, Kind, Limits, Options, Result};
use fenhe_json::Json;
use fenhe_values::SchemaFile;

/// A schema file as a source with other habits has it.
const SOURCE: &str = r#"
    [[field]]
    name = "implied"
    type = "decimal(9,2)"
    implied = 2

    [[field]]
    name = "european"
    type = "decimal(9,2)"
    decimal_mark = ","
    thousands = "."
    suffixes = ["EUR"]

    [[field]]
    name = "day"
    type = "date"
    pattern = "DD/MM/YYYY"

    [[field]]
    name = "paid"
    type = "bool"
    true = ["JA"]
    false = ["NEIN"]
"#;

fn rows() -> RecordBatch {
    let fee = |value| {
        let array = Decimal128Array::from(vec![value]).with_precision_and_scale(9, 2).unwrap();
        Arc::new(array) as ArrayRef
    };
    // 2024-12-31 is day 20088 after 1970-01-01: 54 years of 365 days, 13 leap days, 365 more days (the last of 366).
    let day = Arc::new(Date32Array::from(vec![54 * 365 + 13 + 365]));
    let schema: SchemaRef = Arc::new(SchemaFile::parse(SOURCE).unwrap().schema());
    let paid = Arc::new(BooleanArray::from(vec![true]));
    RecordBatch::try_new(schema, vec![fee(12_345), fee(123_456), day, paid]).unwrap()
}

fn write(options: &Options, batch: &RecordBatch) -> Result<String> {
    let open = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = Json::from_options(options)?.encoder(open)?;
    let mut out = BytesMut::new();
    assert!(encoder.encode(batch, &mut out)?.is_empty());
    encoder.finish(&mut out)?;
    Ok(String::from_utf8(out.to_vec()).unwrap())
}

fn with_schema(text: &str) -> Options {
    let mut options = Options::new();
    options.set("schema", serde_json::json!({ "name": "out.toml", "text": text }));
    options
}

#[test]
fn the_spelling_of_the_source_stays_with_the_source() {
    let text = write(&Options::new(), &rows()).unwrap();
    assert_eq!(
        text,
        "{\"implied\":123.45,\"european\":1234.56,\"day\":\"2024-12-31\",\"paid\":true}\n"
    );
}

#[test]
fn nested_values_are_plain_too() {
    let flat = rows();
    let fields = flat.schema().fields().clone();
    let inner = arrow_array::StructArray::new(fields.clone(), flat.columns().to_vec(), None);
    let field = Field::new("r", arrow_schema::DataType::Struct(fields), true);
    let schema = Arc::new(arrow_schema::Schema::new(vec![field]));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(inner)]).unwrap();
    let text = write(&Options::new(), &batch).unwrap();
    assert!(text.contains("\"european\":1234.56,\"day\":\"2024-12-31\""), "{text}");
}

#[test]
fn the_schema_file_of_the_writer_is_obeyed() {
    // What is no JSON number in that spelling stands in quotes: the output is always JSON.
    let text = write(&with_schema(SOURCE), &rows()).unwrap();
    assert_eq!(
        text,
        "{\"implied\":12345,\"european\":\"1.234,56EUR\",\"day\":\"31/12/2024\",\"paid\":\"JA\"}\n"
    );
    let other = "[[field]]\nname = \"dya\"\ntype = \"date\"\n";
    let error = write(&with_schema(other), &rows()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Config, "value.schema"));
}
