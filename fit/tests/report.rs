//! What a report says about systems that differ from the contract in the ways systems do.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use fenhe_contract::{Contract, NoFiles};
use fenhe_core::{Batch, Fault, Position, Reject, Span};
use fenhe_fit::report::{ConflictKind, ContractFit, Item, Status};
use fenhe_fit::{Fit, Profile, Profiler, Report};
use fenhe_mapping::Mapping;
use fenhe_rules::{Context, Date};

const CONTRACT: &str = r#"
name = "resident"
version = "1.0"
title = "常住人口"
key = ["person_id"]
[[field]]
name = "person_id"
title = "公民身份号码"
type = "an18"
rules = [{ rule = "identifier", kind = "citizen", any_region = true, severity = "reject" }]
[[field]]
name = "name"
title = "姓名"
type = "c..4"
required = true
[[field]]
name = "sex_code"
title = "性别代码"
type = "n1"
code_table = "gbt2261.1"
[[field]]
name = "birth_date"
title = "出生日期"
type = "d8"
[[field]]
name = "income"
title = "年收入"
type = "n12,2"
unit = "元"
[[field]]
name = "phone"
title = "联系电话"
type = "an..20"
[[rule]]
rule = "agrees"
field = "person_id"
birth = "birth_date"
"#;

// Check characters by GB 11643-1999; see the vectors of fenhe-rules.
const GOOD: &str = "110101190001010014";
const WRONG: &str = "110101190001010015";

fn contract() -> Contract {
    Contract::parse(CONTRACT, "c", &NoFiles).unwrap()
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(values.iter().map(|v| (!v.is_empty()).then_some(*v)).collect::<StringArray>())
}

fn today() -> Date {
    Date::from_civil(2026, 1, 2).unwrap()
}

fn profile(system: &str, rows: &RecordBatch) -> Profile {
    let mut profiler = Profiler::new(system, &rows.schema(), today());
    profiler.add(rows).unwrap();
    profiler.finish()
}

fn report(rows: &RecordBatch, others: &[Profile], mapping: Option<&str>) -> Report {
    let mapping = mapping.map(|text| Mapping::parse(text, "m").unwrap());
    let contracts = [contract()];
    let profile = profile("system", rows);
    let mut fit = Fit::new(
        &profile,
        &contracts,
        others,
        mapping.as_ref(),
        &Default::default(),
        &Context::on(today()),
    )
    .unwrap();
    let read = rows.num_rows() as u64;
    let span = Span { first: 1, read, ..Span::default() };
    let position = Position::new("t", 1, &0).unwrap();
    fit.check(&Batch::new(rows.clone(), vec![], span, position).unwrap()).unwrap();
    fit.finish()
}

fn item<'a>(fit: &'a ContractFit, name: &str) -> &'a Item {
    fit.items.iter().find(|item| item.name == name).unwrap()
}

/// A population table as hospitals get it: pinyin initials, words for codes, dates as text.
fn pinyin() -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("GMSFHM", text(&[GOOD, "11010119491001001x", WRONG, "110101900307001"]), true),
        ("XM", text(&["张三", "李四", "", "欧阳修文一"]), true),
        ("XB", text(&["男", "女", "男", "男"]), true),
        ("CSRQ", text(&["1900年1月1日", "1949.10.01", "19000101", "1990-03-07"]), true),
        ("NSR(万元)", text(&["1.5", "2", "约3", ""]), true),
        ("BZ", text(&["", "", "", ""]), true),
    ])
    .unwrap()
}

#[test]
fn columns_are_found_by_what_they_are_called_and_hold() {
    let report = report(&pinyin(), &[], None);
    let fit = &report.contracts[0];
    let found: Vec<_> = fit.items.iter().map(|item| (item.from.join("+"), item.status)).collect();
    assert_eq!(
        found,
        [
            ("GMSFHM".into(), Status::Derivable),
            ("XM".into(), Status::Conflicting),
            ("XB".into(), Status::Derivable),
            ("CSRQ".into(), Status::Derivable),
            ("NSR(万元)".into(), Status::Derivable),
            (String::new(), Status::Missing),
        ]
    );
    assert_eq!(item(fit, "name").conflicts[0].kind, ConflictKind::Length);
    assert_eq!(report.unasked, ["BZ"]);
    assert_eq!(item(fit, "name").filled, Some(0.75));
}

#[test]
fn the_proposed_mapping_is_one_that_can_be_read() {
    let report = report(&pinyin(), &[], None);
    let text = report.contracts[0].mapping.replace("[flow.fields]", "[fields]");
    let mapping = Mapping::parse(&text, "m").unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(mapping.fields.len(), 5, "{text}");
    assert!(mapping.bind(&pinyin().schema(), &Default::default()).is_ok());
    let explained = mapping.explain().join("\n");
    for word in ["GMSFHM", "gbt2261.1", "万元"] {
        assert!(explained.contains(word), "{explained}");
    }
}

#[test]
fn quality_is_counted_on_the_rows_with_record_numbers_alone() {
    let report = report(&pinyin(), &[], None);
    let fit = &report.contracts[0];
    let rows = fit.rows;
    // Record 3 has an amount that is no number: it cannot be converted.
    assert_eq!((rows.read, rows.unconverted, rows.rejected, rows.deliverable), (4, 1, 0, 3));
    let found: Vec<_> = fit
        .quality
        .iter()
        .filter(|quality| quality.findings > 0)
        .map(|q| (q.field.as_str(), q.code.as_str(), q.findings, q.examples.clone()))
        .collect();
    assert_eq!(
        found,
        [("income", "mapping.unit", 1, vec![3]), ("name", "contract.length", 1, vec![4])]
    );
    let json = serde_json::to_string(&report).unwrap() + &report.html();
    for value in [GOOD, WRONG, "11010119491001001", "欧阳修文", "约3"] {
        assert!(!json.contains(value), "{value}");
    }
}

#[test]
fn a_wrong_number_is_a_finding_and_its_row_is_not_deliverable() {
    let rows = RecordBatch::try_from_iter([
        ("person_id", text(&[GOOD, WRONG])),
        ("name", text(&["甲", "乙"])),
    ])
    .unwrap();
    let report = report(&rows, &[], None);
    let fit = &report.contracts[0];
    assert_eq!((fit.rows.deliverable, fit.rows.rejected), (1, 1));
    assert_eq!(fit.quality[0].examples, [2]);
    // The birth date comes out of the number; the rule that compares both therefore has something to compare.
    assert_eq!(item(fit, "birth_date").status, Status::Derivable);
    assert_eq!(item(fit, "birth_date").from, ["person_id"]);
}

#[test]
fn conflicts_of_type_and_code_are_told_apart() {
    let rows = RecordBatch::try_from_iter([
        ("SFZH", text(&[GOOD, GOOD])),
        ("XM", text(&["甲", "乙"])),
        ("XBDM", text(&["3", "4"])),
        ("CSRQ", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ("income", Arc::new(Float64Array::from(vec![0.1, 0.2])) as ArrayRef),
    ])
    .unwrap();
    let report = report(&rows, &[], None);
    let fit = &report.contracts[0];
    let kinds = |name: &str| {
        let item = item(fit, name);
        (item.status, item.conflicts.iter().map(|c| c.kind).collect::<Vec<_>>())
    };
    assert_eq!(kinds("sex_code"), (Status::Conflicting, vec![ConflictKind::Code]));
    assert_eq!(kinds("income"), (Status::Conflicting, vec![ConflictKind::Type]));
    // Numbers are no dates: the birth date is taken from the person's number instead, or is a conflict.
    assert_ne!(item(fit, "birth_date").status, Status::Supplied);
}

#[test]
fn a_column_without_a_telling_name_is_found_by_its_values() {
    let rows = RecordBatch::try_from_iter([
        ("A1", text(&["甲", "乙"])),
        ("A2", text(&[GOOD, "99990120000229003X"])),
        ("A3", text(&["男", "女"])),
    ])
    .unwrap();
    let report = report(&rows, &[], None);
    let fit = &report.contracts[0];
    assert_eq!(item(fit, "person_id").from, ["A2"]);
    assert_eq!(item(fit, "sex_code").from, ["A3"]);
    assert_eq!(item(fit, "name").status, Status::Missing);
    assert_eq!(fit.counts.required_open, 1);
}

#[test]
fn similar_dates_are_not_taken_for_each_other() {
    let rows = RecordBatch::try_from_iter([
        ("姓名", text(&["甲"])),
        ("走访日期", text(&["2026年1月2日"])),
    ])
    .unwrap();
    let report = report(&rows, &[], None);
    assert_eq!(item(&report.contracts[0], "birth_date").status, Status::Missing);
}

#[test]
fn other_systems_are_asked_what_they_hold() {
    let other =
        RecordBatch::try_from_iter([("SFZH", text(&[GOOD])), ("LXDH", text(&["13800000000"]))])
            .unwrap();
    let rows =
        RecordBatch::try_from_iter([("SFZH", text(&[GOOD])), ("XM", text(&["甲"]))]).unwrap();
    let report = report(&rows, &[profile("电信局", &other)], None);
    let phone = item(&report.contracts[0], "phone");
    assert_eq!(phone.status, Status::Missing);
    assert_eq!(
        (phone.elsewhere[0].system.as_str(), phone.elsewhere[0].column.as_str()),
        ("电信局", "LXDH")
    );
    let page = report.html();
    assert!(page.contains("无需重复采集"));
}

#[test]
fn a_mapping_by_hand_is_taken_as_it_is() {
    let rows = RecordBatch::try_from_iter([
        ("SFZH", text(&[GOOD])),
        ("X", text(&["张"])),
        ("M", text(&["三"])),
    ])
    .unwrap();
    let by_hand = "[fields]\nname = { from = [\"X\", \"M\"], steps = [\"join\"] }\n";
    let report = report(&rows, &[], Some(by_hand));
    let name = item(&report.contracts[0], "name");
    assert_eq!((name.status, name.from.join("+")), (Status::Derivable, "X+M".into()));
    assert_eq!(report.contracts[0].rows.faultless, 1);
}

#[test]
fn records_that_cannot_be_read_are_counted() {
    let rows = RecordBatch::try_from_iter([("XM", text(&["甲"]))]).unwrap();
    let mut profiler = Profiler::new("s", &rows.schema(), today());
    profiler.add(&rows).unwrap();
    profiler.reject(&[
        Reject::new(Fault::new("csv.ragged", "", "5 fields", "4")).at(7, 100, 10),
        Reject::new(Fault::new("csv.ragged", "", "5 fields", "3")).at(9, 120, 10),
    ]);
    let profile = profiler.finish();
    let fit =
        Fit::new(&profile, &[contract()], &[], None, &Default::default(), &Context::on(today()))
            .unwrap();
    let report = fit.finish();
    assert_eq!((report.system.read, report.system.unreadable), (3, 2));
    assert_eq!(report.system.reasons[0].examples, [7, 9]);
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_is_told() {
    let amount = Decimal128Array::from(vec![1]).with_precision_and_scale(12, 2).unwrap();
    let rows = RecordBatch::try_from_iter([
        ("<script>alert(1)</script>", text(&["x"])),
        ("年收入", Arc::new(amount) as ArrayRef),
    ])
    .unwrap();
    let page = report(&rows, &[profile("<b>&\"'", &rows)], None).html();
    for bad in ["<script", "http:", "https:", "src=", "url(", "@import", "<link", "<b>&"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&lt;script&gt;"));
    // Every sentence is there twice.
    assert_eq!(
        page.matches("<span lang=\"zh\">").count(),
        page.matches("<span lang=\"en\">").count()
    );
    for tag in ["section", "table", "tbody", "tr", "td", "ol", "li", "ul", "div", "span", "details"]
    {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}
