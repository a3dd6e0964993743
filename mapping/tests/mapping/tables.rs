use fenhe_mapping::{Context, Mapping};

use crate::support::*;

#[test]
fn pairs_become_codes_and_the_policy_holds_for_the_rest() {
    let pairs = "code = { \"男\" = \"1\", \"女\" = \"2\" }";
    let values = ["男", "女", "M", " "];
    let (codes, faults) = steps(&format!("{{ {pairs} }}"), &values);
    assert_eq!(codes, [Some("1".to_owned()), Some("2".to_owned()), None]);
    assert_eq!(faults, [(2, "mapping.code".to_owned())]);
    for (policy, instead) in
        [("\"null\"", None), ("\"keep\"", Some("M")), ("{ value = \"9\" }", Some("9"))]
    {
        let codes = taken(&format!("{{ {pairs}, otherwise = {policy} }}"), &values);
        assert_eq!(codes[2].as_deref(), instead, "{policy}");
    }
}

#[test]
fn built_in_tables_know_titles_old_names_and_codes() {
    // GB/T 3304: 46 is 德昂, once called 崩龙.
    assert_eq!(
        taken("{ code = \"gbt3304\" }", &["汉族", "汉", "崩龙", "01", "56"]),
        some(&["01", "01", "46", "01", "56"])
    );
    assert_eq!(
        taken("{ code = \"gbt2261.1\", give = \"title\" }", &["1", "9"]),
        some(&["男性", "未说明的性别"])
    );
}

#[test]
fn an_unknown_table_names_the_nearest() {
    let error = refused(
        "[fields]\na = { from = \"A\", steps = [{ code = \"gbt3340\" }] }",
        &column(&["x"]),
    );
    assert_eq!((error.code(), error.field()), ("mapping.table", Some("a")));
    assert!(error.to_string().contains("gbt3304"), "{error}");
}

fn regions(old: &[Option<&str>], new: &[Option<&str>]) -> Context {
    let mut context = Context::default();
    let rows = batch(&[("old", text(old)), ("new", text(new))]);
    context.lookups.insert("regions.csv".into(), vec![rows]);
    context
}

const LOOKUP: &str = "[fields]\na = { from = \"A\", steps = [{ lookup = \"regions.csv\", by = \"old\", give = \"new\" }] }";

#[test]
fn rows_of_another_dataset_give_values() {
    let context =
        regions(&[Some("330106"), Some("330103"), None], &[Some("330102"), None, Some("x")]);
    let mapped = map_with(LOOKUP, &column(&["330106", "330103", "330199"]), &context);
    assert_eq!(texts(&mapped, "a"), [Some("330102".to_owned()), None]);
    assert_eq!(mapped.faults[0].fault.code, "mapping.lookup");
}

#[test]
fn a_lookup_with_two_answers_is_refused() {
    let context = regions(&[Some("1"), Some("1")], &[Some("a"), Some("b")]);
    let mapping = Mapping::parse(LOOKUP, "m.toml").unwrap();
    let error = mapping.bind(&column(&["1"]).schema(), &context).unwrap_err();
    assert_eq!(error.code(), "mapping.lookup");
    assert_eq!(mapping.lookups(), ["regions.csv"]);
}

#[test]
fn a_lookup_names_the_nearest_column() {
    let context = regions(&[Some("1")], &[Some("a")]);
    let mapping = Mapping::parse(&LOOKUP.replace("\"new\"", "\"neww\""), "m.toml").unwrap();
    let error = mapping.bind(&column(&["1"]).schema(), &context).unwrap_err();
    assert!(error.to_string().contains("did you mean new?"), "{error}");
}
