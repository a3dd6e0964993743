use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Date32Type;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use fenhe_core::{Batch, Limits, Position, Raw, Source, Span};

use super::*;

fn text(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Batch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let records = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let span = Span { first: 10, read: records.num_rows() as u64, ..Span::default() };
    Batch::new(records, vec![], span, Position::new("t", 1, &0).unwrap()).unwrap()
}

fn bound(mapping: &str, batch: &Batch) -> BoundFields {
    let fields = Fields::from(Mapping::parse(mapping, "m.toml").unwrap());
    fields.bind(&batch.records.schema()).unwrap()
}

#[test]
fn a_row_that_cannot_be_mapped_is_rejected_and_the_others_go_on() {
    let batch = batch(vec![
        ("XM", text(vec![Some("张三"), Some("李四"), None, Some("赵六")])),
        ("RQ", text(vec![Some("1983-02-28"), Some("1983-02-31"), Some("2000-01-01"), None])),
    ]);
    let fields = bound(
        "[fields]\nborn = { from = \"RQ\", type = \"date\" }\nname = { from = \"XM\", required = true }",
        &batch,
    );
    let mapped = fields.apply(batch, &Source::named("in.csv"), &Limits::default()).unwrap();
    assert_eq!(mapped.record_numbers(), [10, 13]);
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
        [(11, "mapping.cast", "born", Raw::Row), (12, "mapping.required", "name", Raw::Row)]
    );
    assert_eq!(
        mapped.rejects[0].raw.as_ref(),
        "{\"XM\":\"李四\",\"RQ\":\"1983-02-31\"}".as_bytes()
    );
    assert!(!mapped.rejects[0].to_string().contains("李四"));
}

#[test]
fn what_stood_in_is_told_for_the_whole_run() {
    let one = batch(vec![("XB", text(vec![Some("1"), None, Some("7")]))]);
    let fields = bound(
        "[fields.sex]\nfrom = \"XB\"\nsteps = [{ code = { 1 = \"1\" }, otherwise = { value = \"9\" } }]\n\
         default = { value = \"0\", reason = \"not asked before 2003\" }",
        &one,
    );
    for _ in 0..2 {
        fields.apply(one.clone(), &Source::named("in.csv"), &Limits::default()).unwrap();
    }
    assert_eq!(
        fields.notes(),
        [
            "sex: became 9 by step: code by 1 pairs, in 2 rows",
            "sex: default 0 (not asked before 2003), in 2 rows"
        ]
    );
}
