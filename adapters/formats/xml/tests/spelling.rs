//! How values of other formats are spelled in a document.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch};
use bytes::BytesMut;
use fenhe_core::{EncodeOptions, Format, Limits, Options};
use fenhe_values::SchemaFile;
use fenhe_xml::Xml;

const SOURCE: &str = "[[field]]\nname = \"fee\"\ntype = \"decimal(9,2)\"\nimplied = 2\n\n[[field]]\nname = \"day\"\ntype = \"date\"\npattern = \"DD/MM/YYYY\"\n";

fn write(options: &Options) -> String {
    let fee = Decimal128Array::from(vec![12_345]).with_precision_and_scale(9, 2).unwrap();
    let day = Date32Array::from(vec![54 * 365 + 13 + 365]); // 2024-12-31
    let schema = Arc::new(SchemaFile::parse(SOURCE).unwrap().schema());
    let batch =
        RecordBatch::try_new(schema, vec![Arc::new(fee) as ArrayRef, Arc::new(day)]).unwrap();
    let open = EncodeOptions { schema: batch.schema(), limits: Limits::default() };
    let mut encoder = Xml::from_options(options).unwrap().encoder(open).unwrap();
    let mut out = BytesMut::new();
    assert!(encoder.encode(&batch, &mut out).unwrap().is_empty());
    encoder.finish(&mut out).unwrap();
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn values_of_another_format_are_plain_unless_the_writer_says_otherwise() {
    let mut options = Options::new();
    options.set("record", "/r/p");
    let text = write(&options);
    assert!(text.contains("<fee>123.45</fee>") && text.contains("<day>2024-12-31</day>"), "{text}");
    options.set("schema", serde_json::json!({ "name": "out.toml", "text": SOURCE }));
    let text = write(&options);
    assert!(text.contains("<fee>12345</fee>") && text.contains("<day>31/12/2024</day>"), "{text}");
}
