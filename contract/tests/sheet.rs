//! Catalogue sheets as departments fill them in, and as they are written back.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use fenhe_contract::{Contract, NoFiles, SharingType, UpdateCycle, sheet};

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(values.iter().map(|v| (!v.is_empty()).then_some(*v)).collect::<StringArray>())
}

/// The layout that open data portals publish, with blanks as merged cells leave them.
fn portal() -> RecordBatch {
    let number: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let length: ArrayRef = Arc::new(Float64Array::from(vec![
        Some(20.0),
        Some(100.0),
        Some(14.0),
        None,
        Some(1.0),
        None,
    ]));
    RecordBatch::try_from_iter_with_nullable([
        ("序号", number, true),
        ("信息资源名称", text(&["个体工商户登记信息", "", "", "", "", ""]), true),
        ("更新周期", text(&["每月", "", "", "", "", ""]), true),
        ("共享类型（必填）", text(&["有条件共享", "", "", "", "", ""]), true),
        ("主键", text(&["是", "否", "否", "否", "否", ""]), true),
        (
            "信息项名称",
            text(&["纳税人识别号", "纳税人名称", "注册资金", "登记日期", "性别", ""]),
            true,
        ),
        ("字段名称", text(&["NSRSBH", "NSRMC", "ZCZJ", "DJRQ", "XBDM", ""]), true),
        ("数据类型", text(&["短字符", "VARCHAR2(200)", "数值型N", "日期型D", "C", ""]), true),
        ("字段长度", length, true),
        ("小数位数", text(&["", "", "2", "", "", ""]), true),
        ("计量单位", text(&["", "", "万元", "", "", ""]), true),
        ("数据字典", text(&["", "", "", "", "GB/T 2261.1-2003", ""]), true),
    ])
    .unwrap()
}

#[test]
fn a_portal_sheet_becomes_a_contract() {
    let [resource] = sheet::read(&[portal()]).unwrap().try_into().unwrap();
    assert_eq!(resource.faults, []);
    let contract = Contract::from_draft(resource.draft, &NoFiles).unwrap();
    assert_eq!(contract.title(), "个体工商户登记信息");
    assert_eq!(contract.update(), Some(UpdateCycle::Monthly));
    assert_eq!(contract.catalogue().sharing.kind, Some(SharingType::Conditional));
    assert_eq!(contract.key(), ["NSRSBH"]);
    let types: Vec<_> = contract.fields().iter().map(|field| field.kind.to_string()).collect();
    // The length inside the type is nearer to the truth than the column beside it.
    assert_eq!(types, ["c..20", "c..200", "n14,2", "date", "c..1"]);
    assert_eq!(contract.field("XBDM").unwrap().written.code_table.as_deref(), Some("gbt2261.1"));
    assert_eq!(contract.field("ZCZJ").unwrap().written.unit.as_deref(), Some("万元"));
}

#[test]
fn every_letter_of_the_guideline_is_a_type() {
    // The letters of the guideline with their words, and what FoxPro keeps under them.
    let letters = [
        ("字符型C", "c..10"),
        ("数值型N", "n10,2"),
        ("货币型Y", "decimal(19,4)"),
        ("日期型D", "date"),
        ("日期时间型T", "timestamp(s)"),
        ("逻辑型L", "bool"),
        ("备注型M", "text"),
        ("通用型G", "binary"),
        ("双精度型B", "float64"),
        ("整型I", "int32"),
        ("浮点型F", "n10,2"),
    ];
    for (word, kind) in letters {
        for spelling in [
            word.to_owned(),
            word.chars().last().unwrap().to_string(),
            word[..word.len() - 1].to_owned(),
        ] {
            let rows = RecordBatch::try_from_iter([
                ("字段名", text(&["a"])),
                ("数据类型", text(&[&spelling])),
                ("长度", text(&["10"])),
                ("小数位", text(&["2"])),
            ])
            .unwrap();
            let resources = sheet::read(&[rows]).unwrap();
            assert_eq!(resources[0].faults, [], "{spelling}");
            assert_eq!(resources[0].draft.field[0].kind.as_deref(), Some(kind), "{spelling}");
        }
    }
}

#[test]
fn what_cannot_be_understood_is_named_by_row_and_heading() {
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("字段名称", text(&["a", "b", "a", "c"]), true),
        ("数据类型", text(&["字符型N", "N", "C", "C"]), true),
        ("字段长度", text(&["1", "", "2", "二十"]), true),
        ("更新周期", text(&["常常", "", "", ""]), true),
    ])
    .unwrap();
    let [resource] = sheet::read(&[rows]).unwrap().try_into().unwrap();
    let found: Vec<_> = resource
        .faults
        .iter()
        .map(|(row, fault)| (*row, fault.code.as_ref(), fault.field.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (1, "sheet.word", "更新周期"),
            (1, "sheet.type", "数据类型"),
            (2, "sheet.type", "数据类型"),
            (3, "sheet.twice", "a"),
            (4, "sheet.number", "字段长度"),
        ]
    );
}

#[test]
fn rows_without_headings_are_refused() {
    let rows = RecordBatch::try_from_iter([("x", text(&["a"]))]).unwrap();
    let error = sheet::read(&[rows]).unwrap_err();
    assert_eq!(error.code(), "sheet.headings");
}

#[test]
fn several_resources_stand_below_each_other() {
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("资源名称", text(&["甲", "", "", "乙"]), true),
        ("信息项名称", text(&["姓名", "住址", "", "姓名"]), true),
        ("数据类型", text(&["C", "C", "", "C"]), true),
    ])
    .unwrap();
    let resources = sheet::read(&[rows]).unwrap();
    let counts: Vec<_> =
        resources.iter().map(|r| (r.draft.name.as_str(), r.draft.field.len())).collect();
    assert_eq!(counts, [("甲", 2), ("乙", 1)]);
}

#[test]
fn a_contract_written_as_a_sheet_reads_back() {
    let contract = Contract::parse(include_str!("resident.contract.toml"), "c", &NoFiles).unwrap();
    let rows = sheet::write(&contract).unwrap();
    let column = |name: &str| {
        let array = rows.column_by_name(name).unwrap().as_string::<i32>();
        array.iter().map(|cell| cell.unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        column("数据类型"),
        ["字符型C", "字符型C", "字符型C", "日期型D", "字符型C", "数值型N"]
    );
    assert_eq!(column("字段长度"), ["18", "50", "1", "8", "2", "12"]);
    assert_eq!(column("共享方式"), ["接口", "数据库", "数据库", "数据库", "数据库", "数据库"]);
    assert_eq!(column("数据字典")[2], "GB/T 2261.1-2003 性别");

    let [resource] = sheet::read(&[rows]).unwrap().try_into().unwrap();
    assert_eq!(resource.faults, []);
    let mut draft = resource.draft;
    // The sheet has no place for these.
    draft.name = "resident".into();
    let back = Contract::from_draft(draft, &NoFiles).unwrap();
    assert_eq!(back.catalogue().provider_code, contract.catalogue().provider_code);
    assert_eq!(back.key(), contract.key());
    assert_eq!(back.update(), contract.update());
    let outline = |contract: &Contract| {
        let fields = contract.fields().iter();
        fields
            .map(|f| {
                (
                    f.name.clone(),
                    f.title.clone(),
                    f.kind.data_type().clone(),
                    f.required,
                    f.length.and_then(|l| l.max),
                    f.written.sensitivity,
                    f.written.unit.clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(outline(&back), outline(&contract));
}
