use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int32Type};
use arrow_array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};
use fenhe_core::{Batch, Limits, Position, Raw, Source, Span};

use super::*;

fn rule(name: &str, from: &str, data_type: Option<DataType>, required: bool) -> FieldRule {
    FieldRule { name: name.into(), from: from.into(), data_type, required, title: None }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Batch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let records = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let span = Span { first: 10, read: records.num_rows() as u64, ..Span::default() };
    Batch::new(records, vec![], span, Position::new("t", 1, &0).unwrap()).unwrap()
}

fn apply(fields: &Fields, batch: Batch) -> Batch {
    let mapping = fields.bind(&batch.records.schema()).unwrap();
    let source = Source::named("in.csv");
    mapping.apply(batch, &source, &Limits::default()).unwrap()
}

#[test]
fn a_row_that_cannot_be_cast_is_rejected_and_the_others_go_on() {
    let text = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let batch = batch(vec![
        ("XM", text(vec![Some("张三"), Some("李四"), None, Some("赵六")])),
        ("RQ", text(vec![Some("1983-02-28"), Some("1983-02-31"), Some("2000-01-01"), None])),
    ]);
    let fields = Fields {
        rules: vec![
            rule("born", "RQ", Some(DataType::Date32), false),
            rule("name", "XM", None, true),
        ],
        unlisted: Unlisted::Drop,
    };
    let mapped = apply(&fields, batch);
    assert_eq!(mapped.record_numbers(), [10, 13]);
    assert_eq!(mapped.records.schema().field(0).name(), "born");
    let born = mapped.records.column(0).as_primitive::<Date32Type>();
    // 1983-02-28 is day 4806 since 1970-01-01 (date -d 1983-02-28 +%s / 86400).
    assert_eq!(born.iter().collect::<Vec<_>>(), [Some(4806), None]);
    let found: Vec<_> = mapped
        .rejects
        .iter()
        .map(|r| (r.record, r.fault.code.as_ref(), r.fault.field.as_str(), r.raw_is))
        .collect();
    assert_eq!(
        found,
        [(11, "fields.cast", "born", Raw::Row), (12, "fields.required", "name", Raw::Row)]
    );
    assert_eq!(
        mapped.rejects[0].raw.as_ref(),
        "{\"XM\":\"李四\",\"RQ\":\"1983-02-31\"}".as_bytes()
    );
    assert!(!mapped.rejects[0].to_string().contains("李四"));
}

#[test]
fn no_digit_is_rounded_away() {
    let fee =
        Decimal128Array::from(vec![1250, 1200, 1205]).with_precision_and_scale(12, 2).unwrap();
    let columns = vec![("FEE", Arc::new(fee) as ArrayRef)];
    let whole = Fields {
        rules: vec![rule("fee", "FEE", Some(DataType::Int32), false)],
        ..Fields::default()
    };
    let mapped = apply(&whole, batch(columns.clone()));
    assert_eq!(mapped.records.column(0).as_primitive::<Int32Type>().values(), &[12]);
    assert_eq!(mapped.rejects.len(), 2);
    let tenths = Fields {
        rules: vec![rule("fee", "FEE", Some(DataType::Decimal128(10, 1)), false)],
        ..Fields::default()
    };
    let mapped = apply(&tenths, batch(columns));
    assert_eq!(mapped.records.column(0).as_primitive::<Decimal128Type>().values(), &[125, 120]);
    assert_eq!(mapped.rejects[0].record, 12);
}

#[test]
fn text_with_more_decimals_than_the_type_is_rejected() {
    let text = Arc::new(StringArray::from(vec!["12.34", "12.345"])) as ArrayRef;
    let fields = Fields {
        rules: vec![rule("fee", "FEE", Some(DataType::Decimal128(10, 2)), false)],
        ..Fields::default()
    };
    let mapped = apply(&fields, batch(vec![("FEE", text)]));
    assert_eq!(mapped.records.column(0).as_primitive::<Decimal128Type>().values(), &[1234]);
    assert_eq!(mapped.rejects[0].record, 11);
}

#[test]
fn an_unknown_column_names_the_nearest() {
    let schema = Arc::new(Schema::new(vec![Field::new("SFZH", DataType::Utf8, true)]));
    let fields = Fields { rules: vec![rule("id", "SFZ", None, false)], ..Fields::default() };
    let error = fields.bind(&schema).unwrap_err();
    assert_eq!(error.code(), "fields.unknown");
    assert!(error.to_string().contains("SFZH"), "{error}");
}

#[test]
fn unlisted_columns_are_left_out_kept_or_refused() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Utf8, true),
        Field::new("b", DataType::Utf8, true),
    ]));
    let mut fields = Fields { rules: vec![rule("B", "b", None, false)], unlisted: Unlisted::Drop };
    assert_eq!(fields.left_out(&schema), ["a"]);
    assert_eq!(fields.wanted().unwrap(), ["b"]);
    fields.unlisted = Unlisted::Keep;
    let names: Vec<_> =
        fields.bind(&schema).unwrap().schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["B", "a"]);
    fields.unlisted = Unlisted::Refuse;
    assert_eq!(fields.bind(&schema).unwrap_err().code(), "fields.unlisted");
}
