//! Rules as data, applied to batches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampSecondArray,
};
use fenhe_core::Kind;
use fenhe_rules::{Checker, Code, CodeTable, Context, Date, KeySet, Rule};

#[derive(Debug, serde::Deserialize)]
struct File {
    rule: Vec<Rule>,
}

fn rules(text: &str) -> Vec<Rule> {
    toml::from_str::<File>(text).unwrap_or_else(|error| panic!("{error}")).rule
}

/// The rules of lines like `rule = "not_null", field = "XM"`.
fn lines(text: &str) -> Vec<Rule> {
    let tables: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| format!("{{ {line} }}"))
        .collect();
    rules(&format!("rule = [{}]", tables.join(",\n")))
}

fn context() -> Context {
    Context::on(Date::from_civil(2026, 1, 2).unwrap())
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn some(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// The rows that the one rule finds.
#[track_caller]
fn found(rule: &str, batch: &RecordBatch) -> Vec<usize> {
    let mut checker = Checker::new(&batch.schema(), &lines(rule), context()).unwrap();
    let findings = checker.check(batch).unwrap();
    findings.iter().map(|(_, row)| row).collect()
}

#[track_caller]
fn refused(rule: &str, batch: &RecordBatch) -> fenhe_core::Error {
    Checker::new(&batch.schema(), &lines(rule), context()).unwrap_err()
}

fn days(dates: &[&str]) -> ArrayRef {
    let days = dates.iter().map(|date| date.parse::<Date>().ok().map(Date::days));
    Arc::new(days.collect::<Date32Array>())
}

#[test]
fn a_missing_value_is_null_or_blank_and_breaks_only_not_null() {
    let names = batch([("XM", text(&[Some("张三"), None, Some(""), Some(" 　"), Some("x")]))]);
    assert_eq!(found(r#"rule = "not_null", field = "XM""#, &names), [1, 2, 3]);
    assert_eq!(found(r#"rule = "not_null", field = "XM", blank = true"#, &names), [1]);
    assert_eq!(found(r#"rule = "length", field = "XM", min = 2"#, &names), [4]);
    assert_eq!(found(r#"rule = "identifier", field = "XM", kind = "citizen""#, &names), [0, 4]);
}

#[test]
fn every_kind_of_text_column_is_read() {
    let values = vec![Some("110101190001010014"), Some("110101190001010015"), None];
    for array in [
        Arc::new(StringArray::from(values.clone())) as ArrayRef,
        Arc::new(LargeStringArray::from(values.clone())),
        Arc::new(StringViewArray::from(values.clone())),
    ] {
        let numbers = batch([("n", array)]);
        assert_eq!(found(r#"rule = "identifier", field = "n", kind = "citizen""#, &numbers), [1]);
        assert_eq!(found(r#"rule = "not_null", field = "n""#, &numbers), [2]);
        assert_eq!(found(r#"rule = "unique", fields = ["n"]"#, &numbers), [0; 0]);
    }
}

#[test]
fn length_counts_characters_or_bytes() {
    let names = batch([("XM", some(&["张三丰", "ab", "abcd"]))]);
    assert_eq!(found(r#"rule = "length", field = "XM", max = 3"#, &names), [2]);
    assert_eq!(found(r#"rule = "length", field = "XM", max = 8, unit = "bytes""#, &names), [0]);
    let binary: ArrayRef =
        Arc::new(BinaryArray::from_opt_vec(vec![Some(b"abc"), None, Some(b"a")]));
    assert_eq!(found(r#"rule = "length", field = "b", min = 2"#, &batch([("b", binary)])), [2]);
}

#[test]
fn a_pattern_matches_the_whole_value() {
    let codes = batch([("c", some(&["a1", "xa1", "a1x", "b", "a1\n"]))]);
    assert_eq!(found(r#"rule = "pattern", field = "c", pattern = "a1|b""#, &codes), [1, 2, 4]);
    let names = batch([("c", some(&["张三", "Zhang", "张3"]))]);
    assert_eq!(found(r#"rule = "pattern", field = "c", pattern = '\p{Han}+'"#, &names), [1, 2]);
}

#[test]
fn patterns_that_could_hurt_are_refused() {
    let codes = batch([("c", some(&["a"]))]);
    for pattern in [r"(?:a{1000}){1000}", r"(a)\1", r"(?=a)", "a)|(b", "("] {
        let rule = format!("rule = \"pattern\", field = \"c\", pattern = '{pattern}'");
        assert_eq!(refused(&rule, &codes).code(), "rules.pattern", "{pattern}");
    }
    let deep = format!(
        "rule = \"pattern\", field = \"c\", pattern = '{}a{}'",
        "(".repeat(100),
        ")".repeat(100)
    );
    assert_eq!(refused(&deep, &codes).code(), "rules.pattern");
    // What explodes in other engines is linear here.
    let long = batch([("c", some(&[&format!("{}b", "a".repeat(50_000))]))]);
    assert_eq!(found(r#"rule = "pattern", field = "c", pattern = '(a+)+'"#, &long), [0]);
}

#[test]
fn ranges_are_exact_for_every_type() {
    let fee = Decimal128Array::from(vec![-126, -125, 0, 1249, 1250, 1251])
        .with_precision_and_scale(12, 2);
    let fees = batch([("fee", Arc::new(fee.unwrap()))]);
    assert_eq!(
        found(r#"rule = "range", field = "fee", min = "-1.25", max = "12.50""#, &fees),
        [0, 5]
    );
    // Bounds finer than the column do not move: -1.251 still admits -1.25, 12.499 no longer 12.50.
    assert_eq!(
        found(r#"rule = "range", field = "fee", min = "-1.251", max = "12.499""#, &fees),
        [0, 4, 5]
    );
    assert_eq!(found(r#"rule = "range", field = "fee", min = "-1.249""#, &fees), [0, 1]);
    assert_eq!(found(r#"rule = "range", field = "fee", max = "-1.251""#, &fees), [1, 2, 3, 4, 5]);
    assert_eq!(found(r#"rule = "range", field = "fee", max = 12"#, &fees), [3, 4, 5]);

    let whole = batch([(
        "n",
        Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(5), Some(i64::MAX)])) as _,
    )]);
    assert_eq!(found(r#"rule = "range", field = "n", min = 0, max = 9"#, &whole), [0, 3]);
    let floats = batch([("f", Arc::new(Float64Array::from(vec![0.5, 1.5, f64::NAN])) as _)]);
    assert_eq!(found(r#"rule = "range", field = "f", max = 1"#, &floats), [1, 2]);

    let dates = batch([("d", days(&["1949-09-30", "1949-10-01", "2026-01-02", "none"]))]);
    assert_eq!(found(r#"rule = "range", field = "d", min = "1949-10-01""#, &dates), [0]);
    // A date as the upper bound of timestamps is its whole day.
    let seconds = TimestampSecondArray::from(vec![1_767_311_999, 1_767_398_399, 1_767_398_400]);
    let times = batch([("t", Arc::new(seconds) as _)]);
    assert_eq!(
        found(r#"rule = "range", field = "t", min = "2026-01-02", max = "2026-01-02""#, &times),
        [0, 2]
    );
    let spelled = batch([("d", some(&["19491001", "1949-9-30", "0000-00-00", "2026.01.02"]))]);
    assert_eq!(found(r#"rule = "range", field = "d", min = "1949-10-01""#, &spelled), [1, 2]);
}

#[test]
fn dates_do_not_lie_in_the_future() {
    let dates =
        batch([("d", days(&["2026-01-02", "2026-01-03"])), ("s", some(&["20260102", "99991231"]))]);
    assert_eq!(found(r#"rule = "date_not_future", field = "d""#, &dates), [1]);
    assert_eq!(found(r#"rule = "date_not_future", field = "s""#, &dates), [1]);
}

#[test]
fn codes_are_looked_up_on_the_day_of_the_rule_or_of_the_row() {
    let people = batch([
        ("XL", text(&[Some("50"), Some("50"), Some("11"), Some("05"), None])),
        ("RQ", days(&["2000-01-01", "2010-01-01", "2010-01-01", "2010-01-01", "2010-01-01"])),
    ]);
    let table = r#"rule = "code_table", field = "XL", table = "gbt4658""#;
    assert_eq!(found(table, &people), [3]);
    assert_eq!(found(&format!("{table}, on = \"2026-01-02\""), &people), [0, 1, 3]);
    assert_eq!(found(&format!("{table}, on_field = \"RQ\""), &people), [1, 3]);
    let rules = lines(&format!("{table}, on_field = \"RQ\""));
    let mut checker = Checker::new(&people.schema(), &rules, context()).unwrap();
    checker.check(&people).unwrap();
    let reason = |row| checker.fault(&people, 0, row).unwrap().found;
    assert_eq!(reason(1), "a code that was not valid on the day");
    assert_eq!(reason(3), "a code that is not in the table");
}

#[test]
fn a_given_table_takes_the_place_of_a_built_in_one() {
    let people = batch([("XB", some(&["M", "1"]))]);
    let mut context = context();
    context.tables =
        vec![CodeTable::new("gbt2261.1", "local", vec![Code::new("M", "男")]).unwrap()];
    let rules = lines(r#"rule = "code_table", field = "XB", table = "gbt2261.1""#);
    let mut checker = Checker::new(&people.schema(), &rules, context).unwrap();
    assert_eq!(checker.check(&people).unwrap().iter().collect::<Vec<_>>(), [(0, 1)]);
}

#[test]
fn other_spellings_of_an_identifier_are_told_unless_the_rule_allows_them() {
    let numbers =
        batch([("n", some(&["11010119491001001x", "11010119491001001X", "999901200002291235"]))]);
    let rule = r#"rule = "identifier", field = "n", kind = "citizen""#;
    assert_eq!(found(rule, &numbers), [0, 2]);
    assert_eq!(found(&format!("{rule}, any_spelling = true"), &numbers), [2]);
    assert_eq!(found(&format!("{rule}, any_region = true"), &numbers), [0]);
    let mut checker = Checker::new(&numbers.schema(), &lines(rule), context()).unwrap();
    checker.check(&numbers).unwrap();
    let fault = checker.fault(&numbers, 0, 0).unwrap();
    assert!(fault.found.contains("spelling"), "{fault}");
    assert!(!fault.to_string().contains("1101"), "no value in the text: {fault}");
}

#[test]
fn birth_sex_and_region_agree_with_the_number() {
    let people = batch([
        (
            "n",
            text(&[
                Some("999901200002291235"),
                Some("999901200002291235"),
                Some("999901200002290080"),
                Some("999901900307123"),
                Some("110101900307998"),
                Some("not a number"),
                None,
                Some("９９９９０１２０００02291235"),
            ]),
        ),
        (
            "birth",
            days(&[
                "2000-02-29",
                "2000-03-01",
                "2000-02-29",
                "1990-03-07",
                "1890-03-07",
                "2000-01-01",
                "2000-01-01",
                "2000-03-01",
            ]),
        ),
        ("sex", some(&["1", "男", "1", "女", "2", "1", "1", "9"])),
        ("code", Arc::new(Int32Array::from(vec![1, 1, 2, 0, 2, 1, 1, 9])) as _),
        ("region", some(&["999901", "999901", "999902", "110101", "110101", "1", "1", "999901"])),
    ]);
    let agrees = r#"rule = "agrees", field = "n""#;
    // The fifth leaves its century open: 1890 agrees, too. The eighth is full width, and read.
    assert_eq!(found(&format!("{agrees}, birth = \"birth\""), &people), [1, 7]);
    assert_eq!(found(&format!("{agrees}, sex = \"sex\""), &people), [2, 3]);
    assert_eq!(found(&format!("{agrees}, sex = \"code\""), &people), [0; 0]);
    assert_eq!(
        found(&format!("{agrees}, sex = \"code\", male = [\"2\"], female = [\"1\"]"), &people),
        [0, 1, 2, 4]
    );
    assert_eq!(found(&format!("{agrees}, region = \"region\""), &people), [2, 3]);
    assert_eq!(found(&format!("{agrees}, region = \"region\", region_digits = 4"), &people), [3]);
    let all = format!("{agrees}, birth = \"birth\", sex = \"sex\", region = \"region\"");
    let mut checker = Checker::new(&people.schema(), &lines(&all), context()).unwrap();
    assert_eq!(
        checker.check(&people).unwrap().iter().map(|it| it.1).collect::<Vec<_>>(),
        [1, 2, 3, 7]
    );
    assert_eq!(checker.fault(&people, 0, 3).unwrap().found, "another sex than in the number");
    let birth_as_text =
        batch([("n", some(&["999901200002291235"])), ("birth", some(&["2000-3-1"]))]);
    assert_eq!(found(&format!("{agrees}, birth = \"birth\""), &birth_as_text), [0]);
}

#[test]
fn two_columns_are_compared_exactly() {
    let rows = batch([
        ("from", days(&["2026-01-01", "2026-01-03", "none"])),
        ("to", some(&["2026-1-2", "20260102", "20260102"])),
        (
            "a",
            Arc::new(
                Decimal128Array::from(vec![150, 151, 1]).with_precision_and_scale(38, 2).unwrap(),
            ) as _,
        ),
        (
            "b",
            Arc::new(
                Decimal128Array::from(vec![15, 15, i128::from(i64::MAX)])
                    .with_precision_and_scale(38, 1)
                    .unwrap(),
            ) as _,
        ),
        ("n", Arc::new(Int32Array::from(vec![Some(1), Some(2), None])) as _),
        ("x", some(&["a", "b", "c"])),
        ("y", some(&["b", "b", "b"])),
    ]);
    assert_eq!(found(r#"rule = "compare", field = "from", op = "le", other = "to""#, &rows), [1]);
    assert_eq!(found(r#"rule = "compare", field = "a", op = "eq", other = "b""#, &rows), [1, 2]);
    assert_eq!(found(r#"rule = "compare", field = "n", op = "lt", other = "a""#, &rows), [1]);
    assert_eq!(found(r#"rule = "compare", field = "x", op = "lt", other = "y""#, &rows), [1, 2]);
    assert_eq!(
        refused(r#"rule = "compare", field = "x", op = "lt", other = "a""#, &rows).code(),
        "rules.type"
    );
}

#[test]
fn saturation_keeps_the_order_at_the_ends_of_the_decimals() {
    let most = 10_i128.pow(38) - 1;
    let rows = batch([
        (
            "a",
            Arc::new(
                Decimal128Array::from(vec![most, -most]).with_precision_and_scale(38, 0).unwrap(),
            ) as _,
        ),
        (
            "b",
            Arc::new(
                Decimal128Array::from(vec![most, -most]).with_precision_and_scale(38, 38).unwrap(),
            ) as _,
        ),
    ]);
    assert_eq!(found(r#"rule = "compare", field = "a", op = "gt", other = "b""#, &rows), [1]);
    assert_eq!(found(r#"rule = "compare", field = "b", op = "gt", other = "a""#, &rows), [0]);
}

#[test]
fn keys_are_unique_across_batches_and_rows_without_a_key_do_not_count() {
    let schema =
        batch([("a", some(&[])), ("n", Arc::new(Int32Array::from(Vec::<i32>::new())) as _)])
            .schema();
    let mut checker = Checker::new(
        &schema,
        &lines(r#"rule = "unique", fields = ["a", "n"], severity = "reject""#),
        context(),
    )
    .unwrap();
    let first = batch([
        ("a", text(&[Some("x"), Some("x"), Some("x"), None, None])),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 1, 1, 1])) as _),
    ]);
    let findings = checker.check(&first).unwrap();
    assert_eq!(findings.iter().collect::<Vec<_>>(), [(0, 2)]);
    assert_eq!(findings.rejected().count_set_bits(), 1);
    let second = batch([
        ("a", text(&[Some("x"), Some("x1"), Some("")])),
        ("n", Arc::new(Int32Array::from(vec![Some(2), Some(2), Some(1)])) as _),
    ]);
    let findings = checker.check(&second).unwrap();
    assert_eq!(findings.iter().collect::<Vec<_>>(), [(0, 0)]);
    assert_eq!(checker.counts(), [2]);
    assert!(checker.key_memory() > 0);
}

#[test]
fn parts_of_a_key_do_not_run_into_each_other() {
    let rows = batch([("a", some(&["ab", "a", "ab"])), ("b", some(&["c", "bc", "c"]))]);
    assert_eq!(found(r#"rule = "unique", fields = ["a", "b"]"#, &rows), [2]);
}

#[test]
fn unique_keys_beyond_the_limit_end_the_run_by_name() {
    let mut context = context();
    context.key_memory = 200;
    let codes: Vec<String> = (0..100).map(|n| format!("code {n}")).collect();
    let rows = batch([("a", Arc::new(StringArray::from(codes)) as _)]);
    let mut checker =
        Checker::new(&rows.schema(), &lines(r#"rule = "unique", fields = ["a"]"#), context)
            .unwrap();
    let error = checker.check(&rows).unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("key_memory"), "{error}");
    assert_eq!(checker.check(&rows).unwrap_err().kind(), Kind::Poisoned);
}

#[test]
fn references_are_found_whatever_the_width_of_their_type() {
    let mut keys = KeySet::new(1 << 20);
    keys.insert(
        &batch([("id", Arc::new(Int64Array::from(vec![Some(1), Some(2), None])) as _)]),
        &["id"],
    )
    .unwrap();
    let wrong = keys.insert(&batch([("id", some(&["1"]))]), &["id"]).unwrap_err();
    assert_eq!(wrong.code(), "rules.type");
    assert_eq!((keys.len(), keys.is_empty()), (2, false));
    let mut context = context();
    context.references.insert("households".into(), Arc::new(keys));
    let decimals = Decimal128Array::from(vec![Some(200), Some(250), None, Some(100)])
        .with_precision_and_scale(9, 2);
    let rows =
        batch([("hh", Arc::new(decimals.unwrap()) as _), ("t", some(&["1", "2", "3", "4"]))]);
    let rule = lines(r#"rule = "reference", fields = ["hh"], to = "households""#);
    let mut checker = Checker::new(&rows.schema(), &rule, context.clone()).unwrap();
    assert_eq!(checker.check(&rows).unwrap().iter().collect::<Vec<_>>(), [(0, 1)]);

    let other = lines(r#"rule = "reference", fields = ["t"], to = "households""#);
    assert_eq!(
        Checker::new(&rows.schema(), &other, context.clone()).unwrap_err().code(),
        "rules.type"
    );
    let unknown = lines(r#"rule = "reference", fields = ["t"], to = "household""#);
    let error = Checker::new(&rows.schema(), &unknown, context).unwrap_err();
    assert!(error.to_string().contains("did you mean households?"), "{error}");
}

#[test]
fn a_key_set_keeps_to_its_limit() {
    let mut keys = KeySet::new(100);
    let rows = batch([("id", some(&["one", "two", "three", "four"]))]);
    assert_eq!(keys.insert(&rows, &["id"]).unwrap_err().kind(), Kind::Limit);
    assert!(keys.memory() <= 100);
}

#[test]
fn severity_is_warn_unless_the_rule_says_reject() {
    let rows = batch([("a", text(&[None, Some("x"), Some("xx")]))]);
    let rules = lines(
        r#"
        rule = "not_null", field = "a"
        rule = "length", field = "a", max = 1, severity = "reject", code = "people.name", message = "one letter"
        "#,
    );
    let mut checker = Checker::new(&rows.schema(), &rules, context()).unwrap();
    let findings = checker.check(&rows).unwrap();
    assert_eq!((findings.count(0), findings.count(1), findings.rows()), (1, 1, 3));
    assert_eq!(findings.rejected().set_indices().collect::<Vec<_>>(), [2]);
    assert_eq!(findings.of(0).unwrap().set_indices().collect::<Vec<_>>(), [0]);
    assert_eq!(checker.code(0), Some("rules.not_null"));
    let fault = checker.fault(&rows, 1, 2).unwrap();
    assert_eq!(fault.to_string(), "a: expected one letter, found another length [people.name]");
    assert!(checker.fault(&rows, 2, 0).is_none() && checker.fault(&rows, 0, 3).is_none());
    let clean = checker.check(&batch([("a", text(&[Some("x")]))])).unwrap();
    assert!(clean.is_empty() && clean.of(0).is_none());
}

#[test]
fn mistakes_in_rules_are_found_before_the_data_come() {
    let rows =
        batch([("GMSFHM", some(&["x"])), ("fee", Arc::new(Float64Array::from(vec![1.0])) as _)]);
    let error = refused(r#"rule = "not_null", field = "GMSFH""#, &rows);
    assert_eq!((error.kind(), error.code()), (Kind::Config, "rules.field"));
    assert!(error.to_string().contains("rule 1 (not_null)"), "{error}");
    assert!(error.to_string().contains("did you mean GMSFHM?"), "{error}");
    for (rule, code) in [
        (r#"rule = "identifier", field = "fee", kind = "uscc""#, "rules.type"),
        (r#"rule = "unique", fields = ["fee"]"#, "rules.type"),
        (r#"rule = "unique", fields = []"#, "rules.incomplete"),
        (r#"rule = "range", field = "fee""#, "rules.incomplete"),
        (r#"rule = "range", field = "fee", min = "a""#, "rules.bound"),
        (r#"rule = "range", field = "GMSFHM", min = 5"#, "rules.bound"),
        (
            r#"rule = "range", field = "GMSFHM", min = "2026-01-02", max = "2026-01-01""#,
            "rules.bound",
        ),
        (r#"rule = "length", field = "GMSFHM", min = 5, max = 4"#, "rules.bound"),
        (r#"rule = "code_table", field = "GMSFHM", table = "gbt3305""#, "rules.table"),
        (r#"rule = "agrees", field = "GMSFHM""#, "rules.incomplete"),
        (
            r#"rule = "agrees", field = "GMSFHM", region = "GMSFHM", region_digits = 3"#,
            "rules.bound",
        ),
    ] {
        assert_eq!(refused(rule, &rows).code(), code, "{rule}");
    }
    let rule = lines(r#"rule = "not_null", field = "GMSFHM""#);
    let mut checker = Checker::new(&rows.schema(), &rule, context()).unwrap();
    let other = batch([("GMSFHM", some(&["x"]))]);
    assert_eq!(checker.check(&other).unwrap_err().code(), "rules.schema");
    let many = vec![rule[0].clone(); Checker::MAX_RULES + 1];
    assert_eq!(Checker::new(&rows.schema(), &many, context()).unwrap_err().kind(), Kind::Limit);
}

#[test]
fn rules_are_data_without_unknown_keys_and_written_back() {
    let text = r#"
        rule = "range", field = "fee", min = 0, max = "12.50", severity = "reject"
        rule = "compare", field = "a", op = "le", other = "b"
        rule = "agrees", field = "n", birth = "CSRQ"
        rule = "code_table", field = "MZ", table = "gbt3304", on = "2026-01-02"
        rule = "identifier", field = "n", kind = "business_registration"
        rule = "reference", fields = ["hh"], to = "households"
    "#;
    #[derive(serde::Serialize)]
    struct Written {
        rule: Vec<Rule>,
    }
    let read = lines(text);
    let names: Vec<_> = read.iter().map(Rule::name).collect();
    assert_eq!(names, ["range", "compare", "agrees", "code_table", "identifier", "reference"]);
    let written = toml::to_string(&Written { rule: read.clone() }).unwrap();
    assert_eq!(rules(&written), read);
    for wrong in [
        r#"rule = "not_null", feild = "a""#,
        r#"rule = "not_null", field = "a", extra = 1"#,
        r#"rule = "notnull", field = "a""#,
        r#"rule = "range", field = "a", max = 12.5"#,
        r#"rule = "identifier", field = "a", kind = "passport""#,
        r#"rule = "not_null", field = "a", severity = "fatal""#,
        r#"rule = "code_table", field = "a", table = "t", on = "2026-02-30""#,
    ] {
        assert!(toml::from_str::<File>(&format!("rule = [{{ {wrong} }}]")).is_err(), "{wrong}");
    }
}
