use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int32Type};
use arrow_array::{Decimal128Array, Float64Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use fenhe_mapping::{Context, Mapping};

use crate::support::*;

fn two() -> RecordBatch {
    batch(&[
        ("XING", text(&[Some("欧阳"), Some("张"), None])),
        ("MING", text(&[Some("娜"), Some(" "), None])),
    ])
}

#[test]
fn columns_are_joined_and_blanks_are_left_out() {
    let mapped =
        map("[fields]\nname = { from = [\"XING\", \"MING\"], steps = [{ join = \"·\" }] }", &two());
    assert_eq!(texts(&mapped, "name"), [Some("欧阳·娜".to_owned()), Some("张".to_owned()), None]);
    let mapped = map(
        "[fields]\nname = { from = [\"XING\", \"MING\"], steps = [\"join\", { mask = \"name\" }] }",
        &two(),
    );
    assert_eq!(texts(&mapped, "name"), [Some("欧阳*".to_owned()), Some("*".to_owned()), None]);
}

#[test]
fn the_first_column_with_a_value_wins() {
    let mapped =
        map("[fields]\nname = { from = [\"MING\", \"XING\"], steps = [\"first\"] }", &two());
    assert_eq!(texts(&mapped, "name"), [Some("娜".to_owned()), Some("张".to_owned()), None]);
}

#[test]
fn constants_have_the_type_that_is_asked_for() {
    let mapped = map(
        "[fields]\nsystem = { constant = \"HIS-3\" }\nyear = { constant = \"2026\", type = \"int32\" }",
        &two(),
    );
    assert_eq!(texts(&mapped, "system"), some(&["HIS-3"; 3]));
    assert_eq!(mapped.records.column(1).as_primitive::<Int32Type>().values(), &[2026; 3]);
    assert!(!mapped.records.schema().field(0).is_nullable());
}

#[test]
fn a_condition_chooses_the_rows_that_have_a_value() {
    let rows = batch(&[
        ("ZT", text(&[Some("1"), Some("2"), None])),
        ("RQ", text(&[Some("20260102"), Some("not a date"), Some("also none")])),
    ]);
    let mapped = map(
        "[fields]\nfrom = { from = \"RQ\", when = { column = \"ZT\", equals = \"1\" }, steps = [\"date\"] }\n\
         state = { from = \"ZT\", when = { column = \"ZT\", blank = false } }\n\
         either = { constant = \"x\", when = { column = \"ZT\", in = [\"2\", \"3\"] } }",
        &rows,
    );
    assert_eq!(mapped.faults, []);
    assert_eq!(texts(&mapped, "from"), [Some("2026-01-02".to_owned()), None, None]);
    assert_eq!(texts(&mapped, "either"), [None, Some("x".to_owned()), None]);
}

#[test]
fn a_default_is_counted_in_the_rows_that_go_on() {
    let rows = batch(&[
        ("A", text(&[None, Some("5"), None])),
        ("B", text(&[Some("1"), Some("2"), Some("no number")])),
    ]);
    let mapped = map(
        "[fields]\na = { from = \"A\", type = \"int32\", default = { value = \"0\", reason = \"free of charge\" }, required = true }\n\
         b = { from = \"B\", type = \"int32\" }",
        &rows,
    );
    assert_eq!(mapped.records.column(0).as_primitive::<Int32Type>().values(), &[0, 5]);
    assert!(!mapped.records.schema().field(0).is_nullable());
    let replaced: Vec<_> =
        mapped.replaced.iter().map(|r| (r.field.as_str(), r.what.as_str(), r.rows)).collect();
    assert_eq!(replaced, [("a", "default 0 (free of charge)", 1)]);
}

#[test]
fn a_default_of_another_type_is_refused() {
    let mapping = "[fields]\na = { from = \"XING\", steps = [\"date\"], default = { value = \"soon\", reason = \"x\" } }";
    let error = refused(mapping, &two());
    assert_eq!((error.code(), error.field()), ("mapping.default", Some("a")));
}

#[test]
fn a_row_with_several_faults_is_one_reject() {
    let rows =
        batch(&[("A", text(&[Some("x"), Some("20260102")])), ("B", text(&[None, Some("b")]))]);
    let mapped = map(
        "[fields]\nb = { from = \"B\", required = true }\nd = { from = \"A\", steps = [\"date\"], required = true }",
        &rows,
    );
    assert_eq!(mapped.faults.len(), 1);
    let row = &mapped.faults[0];
    assert_eq!((row.row, row.fault.code.as_ref()), (0, "mapping.required"));
    // A date that could not be read is not reported as missing as well.
    let also: Vec<_> = row.also.iter().map(|fault| fault.code.as_ref()).collect();
    assert_eq!(also, ["mapping.date"]);
    assert_eq!(mapped.records.num_rows(), 1);
}

#[test]
fn no_digit_is_rounded_away() {
    let fee =
        Decimal128Array::from(vec![1250, 1200, 1205]).with_precision_and_scale(12, 2).unwrap();
    let rows = batch(&[("FEE", Arc::new(fee))]);
    let mapped = map("[fields]\nfee = { from = \"FEE\", type = \"int32\" }", &rows);
    assert_eq!(mapped.records.column(0).as_primitive::<Int32Type>().values(), &[12]);
    assert_eq!(mapped.faults.len(), 2);
    let mapped = map("[fields]\nfee = { from = \"FEE\", type = \"decimal(10,1)\" }", &rows);
    assert_eq!(mapped.records.column(0).as_primitive::<Decimal128Type>().values(), &[125, 120]);
    assert_eq!((mapped.faults[0].row, mapped.faults[0].fault.code.as_ref()), (2, "mapping.cast"));
}

#[test]
fn text_with_more_decimals_than_the_type_is_rejected() {
    let mapped = map(
        "[fields]\na = { from = \"A\", type = \"decimal(10,2)\" }",
        &column(&["12.34", "12.345"]),
    );
    assert_eq!(mapped.records.column(0).as_primitive::<Decimal128Type>().values(), &[1234]);
    assert_eq!(mapped.faults[0].row, 1);
}

#[test]
fn whole_numbers_and_dates_can_be_taken_as_text() {
    let rows = batch(&[("N", Arc::new(Int64Array::from(vec![20_260_102, 7])))]);
    let mapped = map(
        "[fields]\nd = { from = \"N\", steps = [{ date = \"usual\", otherwise = \"null\" }] }",
        &rows,
    );
    assert_eq!(texts(&mapped, "d"), [Some("2026-01-02".to_owned()), None]);
    let rows = batch(&[("N", Arc::new(Float64Array::from(vec![1.5])))]);
    let error = refused("[fields]\nd = { from = \"N\", steps = [\"trim\"] }", &rows);
    assert_eq!(error.code(), "mapping.type");
}

#[test]
fn unknown_columns_are_kept_together_when_asked() {
    let rows = batch(&[
        ("XM", text(&[Some("张三"), Some("李\n四")])),
        ("BZ", text(&[Some("\"引\"号\n二"), None])),
        (
            "JE",
            Arc::new(Decimal128Array::from(vec![1250, 5]).with_precision_and_scale(9, 2).unwrap()),
        ),
    ]);
    let mapped = map("unlisted = { extension = \"others\" }\n[fields]\nname = \"XM\"", &rows);
    assert_eq!(
        texts(&mapped, "others"),
        some(&[r#"{"BZ":"\"引\"号\n二","JE":12.50}"#, r#"{"JE":0.05}"#])
    );
}

#[test]
fn unlisted_columns_are_left_out_kept_or_refused() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Utf8, true),
        Field::new("b", DataType::Utf8, true),
    ]));
    let mapping =
        |unlisted: &str| parse(&format!("unlisted = \"{unlisted}\"\n[fields]\nB = \"b\""));
    assert_eq!(mapping("drop").left_out(&schema), ["a"]);
    assert_eq!(mapping("drop").wanted().unwrap(), ["b"]);
    let mapper = mapping("keep").bind(&schema, &Context::default()).unwrap();
    let names: Vec<_> = mapper.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["B", "a"]);
    let error = mapping("refuse").bind(&schema, &Context::default()).unwrap_err();
    assert_eq!(error.code(), "mapping.unlisted");
}

#[test]
fn no_fields_mean_every_column_as_it_is() {
    let rows = two();
    let mapper = Mapping::default().bind(&rows.schema(), &Context::default()).unwrap();
    assert_eq!(mapper.apply(&rows).unwrap().records, rows);
}

#[test]
fn an_unknown_column_names_the_nearest() {
    let error = refused("[fields]\nid = \"XIN\"", &two());
    assert_eq!((error.code(), error.field()), ("mapping.unknown", Some("id")));
    assert!(error.to_string().contains("did you mean XING?"), "{error}");
}

#[test]
fn two_fields_of_one_name_are_refused() {
    let error = refused("unlisted = \"keep\"\n[fields]\nMING = \"XING\"", &two());
    assert_eq!(error.code(), "mapping.twice");
}

#[test]
fn one_mapper_serves_several_threads() {
    let rows = two();
    let mapping = parse("[fields]\nname = { from = [\"XING\", \"MING\"], steps = [\"join\"] }");
    let mapper = mapping.bind(&rows.schema(), &Context::default()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(mapper.apply(&rows).unwrap().records.num_rows(), 3));
        }
    });
}
