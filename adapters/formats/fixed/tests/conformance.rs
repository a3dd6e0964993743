//! The suite that every format passes.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use fenhe_core::Options;
use fenhe_fixed::Fixed;
use fenhe_testkit::format::{Broken, Case, conforms};
use fenhe_text::Encoding;

const FEES: &str = r#"
[layout]
name = "fee-2024"
version = "3"
encoding = "gbk"
line_end = "crlf"

[[record]]
name = "header"
role = "header"
when = { at = 1, equals = "H" }
filler = " "
[[record.field]]
name = "kind"
at = 1
length = 1
[[record.field]]
name = "day"
at = 2
length = 8
type = "date"

[[record]]
name = "detail"
when = { at = 1, equals = "D" }
[[record.field]]
name = "kind"
at = 1
length = 1
[[record.field]]
name = "person"
length = 10
required = true
[[record.field]]
name = "fee"
at = 14
length = 9
type = "decimal(9,2)"
implied = 2
[[record.field]]
name = "balance"
length = 7
type = "decimal(7,2)"
sign = "overpunch"
[[record.field]]
name = "paid"
length = 1
type = "bool"
yes = "Y"
no = "N"
[[record.field]]
name = "due"
length = 8
type = "date"
nulls = ["00000000"]

[[record]]
name = "trailer"
when = { at = 1, equals = "T" }
[[record.field]]
name = "kind"
at = 1
length = 1
[[record.field]]
name = "count"
length = 6
type = "int32"
pad = "0"
[[record.field]]
name = "total"
length = 12
type = "decimal(12,2)"
implied = 2
[record.totals]
records = "count"
sums = { total = "detail.fee" }
"#;

const ROWS: [&str; 6] = [
    "H20240131",
    "D张三        0000012500000123Y20240229",
    "D李四        -00000250000012pN00000000",
    "D欧阳  修    0000500000000000 00000000",
    "D王五        999999999012345yY20231231",
    "T000004001000050999",
];

fn layout(text: &str, more: &[(&str, &str)]) -> Arc<Fixed> {
    let mut options = Options::new();
    options.set("layout", serde_json::json!({"name": "fee.toml", "text": text}));
    for (key, value) in more {
        options.set(*key, *value);
    }
    Arc::new(Fixed::from_options(&options).unwrap())
}

fn words(pairs: &[&str]) -> Arc<Fixed> {
    Arc::new(Fixed::from_options(&Options::from_pairs(pairs.iter().copied()).unwrap()).unwrap())
}

fn gbk(lines: &[&str], end: &str) -> Vec<u8> {
    lines.iter().flat_map(|l| Encoding::GBK.encode(&format!("{l}{end}")).unwrap()).collect()
}

#[test]
fn record_types_of_a_layout_conform() {
    let bytes = gbk(&ROWS, "\r\n");
    let fees = layout(FEES, &[]);
    conforms(
        &[
            Case::new("details", fees.clone(), bytes.clone()),
            Case::new("header", fees.clone(), bytes.clone()).dataset("header"),
            Case::new("trailer", fees, bytes.clone()).dataset("trailer"),
            Case::new("all", layout(FEES, &[("select", "all")]), bytes),
        ],
        &[],
        &[],
    );
}

#[test]
fn one_record_type_conforms_in_every_frame() {
    let only = |line_end: &str, more: &str| {
        format!(
            "[layout]\nname = \"one\"\nencoding = \"gbk\"\nline_end = \"{line_end}\"\n{more}\n\
             [[field]]\nname = \"id\"\nlength = 4\ntype = \"int32\"\npad = \"0\"\n\
             [[field]]\nname = \"name\"\nlength = 8\n\
             [[field]]\nname = \"amount\"\nstart = 14\nlength = 8\ntype = \"decimal(8,2)\"\n"
        )
    };
    let lines = [
        "0001张三        12.50",
        "0002            -3.25",
        "0003abc-def         ",
        "0004欧阳公孙  100.00",
    ];
    let cases = [("lf", "\n"), ("crlf", "\r\n"), ("none", ""), ("auto", "\n")];
    let cases =
        cases.map(|(name, end)| Case::new(name, layout(&only(name, ""), &[]), gbk(&lines, end)));
    conforms(&cases, &[], &[]);
    let characters: String =
        lines.iter().map(|l| format!("{:4}{:8}{:8}{:8}\n", &l[..4], "名字", "", "1.00")).collect();
    let text = only("lf", "count = \"characters\"")
        .replace("gbk", "utf-8")
        .replace("length = 8\ntype", "length = 14\ntype");
    conforms(&[Case::new("characters", layout(&text, &[]), characters)], &[], &[]);
}

#[test]
fn quick_layouts_conform() {
    let text = "id  name    city\n1   张三    北京\n\n# remark\n22  李四\n333 王五    上海\n";
    let bytes = Encoding::GBK.encode(text).unwrap();
    let quick = words(&["widths=4,8,4", "header=true", "encoding=gbk", "comment=#"]);
    let plain = words(&["widths=4,4", "skip_lines=1", "short=reject"]);
    conforms(
        &[
            Case::new("quick", quick, bytes),
            Case::new("plain", plain, "skipped\n1   a   \n2   bb  \n"),
        ],
        &[],
        &[],
    );
}

#[test]
fn broken_records_are_rejected_and_the_others_delivered() {
    let mut lines = ROWS.map(str::to_owned);
    lines[2] = "D李四        00000x250000012pN00000000".into();
    lines[4] = "X王五".into();
    let mut bytes = gbk(&lines.each_ref().map(String::as_str), "\r\n");
    bytes.extend(b"D12");
    let case = Case::new("broken", layout(FEES, &[]), bytes);
    conforms(
        &[],
        &[Broken {
            case,
            rejects: vec![
                (3, 11 + 40, "value.not_a_number"),
                (5, 11 + 3 * 40, "fixed.record_type"),
                (7, 11 + 3 * 40 + 7 + 21, "fixed.truncated_tail"),
            ],
            rows: 2,
        }],
        &[],
    );
}
