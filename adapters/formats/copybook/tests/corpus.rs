//! The shared cases of `data/cobol`: every one is read here, or README says why not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;

use common::{decoded, format, read};
use fenhe_copybook::{Copybook, CopybookOptions, Layout};
use serde_json::{Map, Value};

/// Cobrix spells `-` in names as `_`, leaves nulls out, and writes lists and structs as they are.
fn as_cobrix(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, v)| !v.is_null());
            Value::Object(
                kept.map(|(k, v)| (k.replace('-', "_"), as_cobrix(v))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(as_cobrix).collect()),
        Value::Number(n) => {
            // 59.80 and 59.8 are one number.
            let text = n.to_string();
            Value::String(match text.contains('.') && !text.contains(['e', 'E']) {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            })
        }
        // Its default tables make blanks of control characters.
        Value::String(s) if s.chars().any(char::is_control) => {
            Value::String(s.replace(char::is_control, " ").trim().to_owned())
        }
        other => other,
    }
}

/// Blank text and absent text are told apart differently by the other tool.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(k, v)| (k, without_empty(v)))
                .filter(|(_, v)| {
                    !(v == &Value::String(String::new()) || v == &Value::Object(Map::new()))
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty).collect()),
        // Its default table has ASCII characters only.
        Value::String(s) => {
            Value::String(s.replace(|c: char| !c.is_ascii(), " ").trim().to_owned())
        }
        other => other,
    }
}

fn drop_keys(value: &mut Value, keys: &[&str]) {
    if let Value::Object(map) = value {
        map.retain(|k, _| !keys.contains(&k.as_str()));
        map.values_mut().for_each(|v| drop_keys(v, keys));
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = read(path);
    let text = String::from_utf8(text).unwrap();
    if text.trim_start().starts_with('[') {
        return serde_json::from_str::<Vec<Value>>(&text).unwrap();
    }
    text.lines()
        .filter(|l| !l.trim().is_empty())
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

struct Case {
    folder: &'static str,
    copybook: &'static str,
    data: &'static str,
    expected: &'static str,
    options: Value,
    /// Keys that the other tool adds, or that we leave out by design.
    without: &'static [&'static str],
    /// The other tool treats blank and absent text alike here.
    blank_is_absent: bool,
}

fn check(case: &Case) {
    let Some(root) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = root.join(case.folder);
    let text = String::from_utf8(read(&folder.join(case.copybook))).unwrap();
    let format = format(&text, &case.options);
    let got = decoded(&format, read(&folder.join(case.data)));
    assert!(got.error.is_none(), "{}: {:?}", case.folder, got.error);
    assert!(
        got.rejects.is_empty(),
        "{}: {} rejects, first {}",
        case.folder,
        got.rejects.len(),
        got.rejects[0]
    );
    let expected = lines(&folder.join(case.expected));
    assert!(
        got.rows.len() >= expected.len(),
        "{}: {} rows for {}",
        case.folder,
        got.rows.len(),
        expected.len()
    );
    for (number, (row, wanted)) in got.rows.iter().zip(expected).enumerate() {
        let mut row: Value = serde_json::from_str(row).unwrap();
        let mut wanted = wanted;
        row = as_cobrix(row);
        wanted = as_cobrix(wanted);
        drop_keys(&mut row, case.without);
        drop_keys(&mut wanted, case.without);
        if case.blank_is_absent {
            (row, wanted) = (without_empty(row), without_empty(wanted));
        }
        assert_eq!(row, wanted, "{}: row {}", case.folder, number + 1);
    }
}

fn json(value: Value) -> Value {
    value
}

#[test]
fn cobrix_test1_fixed_length_with_tables_by_a_counter() {
    check(&Case {
        folder: "cobrix_test1_fixed_odo",
        copybook: "test1_copybook.cob",
        data: "example.bin",
        expected: "expected/test1.txt",
        options: json(serde_json::json!({"low_values": "blank"})),
        without: &[],
        blank_is_absent: false,
    });
}

#[test]
fn cobrix_test1a_bytes_before_and_after_each_record() {
    check(&Case {
        folder: "cobrix_test1a_offsets",
        copybook: "test1a_copybook.cob",
        data: "example.bin",
        expected: "expected/test1a.txt",
        options: json(
            serde_json::json!({"low_values": "blank", "record_prefix": 2, "record_suffix": 27}),
        ),
        without: &[],
        blank_is_absent: false,
    });
}

#[test]
fn cobrix_test3_every_way_of_trimming() {
    for (trim, expected) in [
        ("none", "expected/test3_trim_none.txt"),
        ("start", "expected/test3_trim_left.txt"),
        ("end", "expected/test3_trim_right.txt"),
        ("both", "expected/test3_trim_both.txt"),
    ] {
        check(&Case {
            folder: "cobrix_test3_trim",
            copybook: "test3_copybook.cob",
            data: "TRAN2.AUG31.DATA.dat",
            expected,
            options: json(serde_json::json!({"low_values": "blank", "trim": trim})),
            without: &[],
            blank_is_absent: false,
        });
    }
}

#[test]
fn cobrix_test4_two_record_types_in_ascii_with_a_little_endian_descriptor() {
    check(&Case {
        folder: "cobrix_test4_multiseg_ascii",
        copybook: "test4_copybook.cob",
        data: "COMP.DETAILS.SEP30.DATA.dat",
        expected: "expected/test4.txt",
        options: json(serde_json::json!({
            "encoding": "ascii", "record_format": "V", "rdw": "little", "rdw_inclusive": false, "low_values": "blank",
            "trim": "both",
        })),
        // The other tool drops NULs inside of text; here they are blanks.
        without: &[
            "File_Id",
            "Record_Id",
            "Record_Byte_Length",
            "Seg_Id0",
            "Seg_Id1",
            "CONTACTS",
            "STATIC_DETAILS",
        ],
        blank_is_absent: true,
    });
}

#[test]
fn cobrix_test5_two_record_types_in_ebcdic() {
    let options = serde_json::json!({
        "record_format": "V", "rdw": "little", "rdw_inclusive": false, "low_values": "blank", "trim": "both",
    });
    for expected in ["expected/test5.txt", "expected/test5a.txt"] {
        check(&Case {
            folder: "cobrix_test5_multiseg_ebcdic",
            copybook: "test5_copybook.cob",
            data: "COMP.DETAILS.SEP30.DATA.dat",
            expected,
            options: options.clone(),
            without: &[
                "File_Id",
                "Record_Id",
                "Record_Byte_Length",
                "Seg_Id0",
                "Seg_Id1",
                "TAXPAYER_NUM",
            ],
            blank_is_absent: true,
        });
    }
}

#[test]
fn cobrix_test5c_a_rule_selects_the_alternative() {
    check(&Case {
        folder: "cobrix_test5_multiseg_ebcdic",
        copybook: "test5_copybook.cob",
        data: "COMP.DETAILS.SEP30.DATA.dat",
        expected: "expected/test5c.txt",
        options: serde_json::json!({
            "record_format": "V", "rdw": "little", "rdw_inclusive": false, "low_values": "blank", "trim": "both",
            "select": ["STATIC-DETAILS:SEGMENT-ID=C|D", "CONTACTS:SEGMENT-ID=P"],
        }),
        without: &[
            "File_Id",
            "Record_Id",
            "Record_Byte_Length",
            "Seg_Id0",
            "Seg_Id1",
            "TAXPAYER_NUM",
        ],
        blank_is_absent: true,
    });
}

#[test]
fn cobrix_test6_two_hundred_numeric_items() {
    check(&Case {
        folder: "cobrix_test6_type_variety",
        copybook: "test6_copybook.cob",
        data: "INTEGR.TYPES.NOV28.DATA.dat",
        expected: "expected/test6.txt",
        options: serde_json::json!({"floats": "ieee754", "invalid": "null"}),
        without: &[],
        blank_is_absent: false,
    });
}

#[test]
fn cobrix_test7_unnamed_items_are_left_out_or_kept() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("cobrix_test7_fillers");
    let text = String::from_utf8(read(&folder.join("test7_fillers.cob"))).unwrap();
    for (fillers, expected) in [("drop", "expected/test7.txt"), ("keep", "expected/test7c.txt")] {
        let options =
            serde_json::json!({"low_values": "blank", "trim": "both", "fillers": fillers});
        let got =
            decoded(&format(&text, &options), read(&folder.join("TEST.FILLERS.DEC07.DATA.dat")));
        assert!(got.error.is_none() && got.rejects.is_empty());
        // Unnamed items are numbered otherwise; the expected rows are sorted by amount.
        let plain = |mut row: Value| {
            let named = |k: &str| !k.starts_with("FILLER");
            row = without_empty(as_cobrix(row));
            let mut unnamed: Vec<String> = Vec::new();
            collect_unnamed(&row, false, &mut unnamed);
            unnamed.sort();
            if let Value::Object(map) = &mut row {
                map.retain(|k, _| named(k) && k != "FILL_FIELD");
            }
            (row, if fillers == "keep" { unnamed } else { Vec::new() })
        };
        let rows: Vec<_> =
            got.rows.iter().map(|r| plain(serde_json::from_str(r).unwrap())).collect();
        for wanted in lines(&folder.join(expected)).into_iter().map(plain) {
            assert!(rows.contains(&wanted), "{wanted:?}");
        }
    }
}

fn collect_unnamed(value: &Value, below: bool, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(k, v)| collect_unnamed(v, below || k.starts_with("FILLER"), out))
        }
        other if below => out.push(other.to_string()),
        _ => {}
    }
}

#[test]
fn cobrix_test9_code_page_037() {
    check(&Case {
        folder: "cobrix_test9_cp037",
        copybook: "test9_copybook.cob",
        data: "TRAN.APR14.NPT.DATA.dat",
        expected: "expected/test9_cp037.txt",
        options: serde_json::json!({"encoding": "cp037", "low_values": "blank", "trim": "both"}),
        without: &[],
        blank_is_absent: false,
    });
}

#[test]
fn cobrix_test10_ascii_with_the_root_as_a_struct() {
    check_with_root(
        "cobrix_test10_non_terminals",
        "test10_copybook.cob",
        "expected/test10.txt",
        Some("RECORD"),
        &["NAME_NT", "ACCOUNT_NO_NT"],
    );
}

#[test]
fn cobrix_test12_two_records_as_redefinitions() {
    check_with_root(
        "cobrix_test12_merge_copybooks",
        "test12_copybook.cob",
        "expected/test12.txt",
        None,
        &[],
    );
}

fn check_with_root(
    folder: &str,
    copybook: &str,
    expected: &str,
    root: Option<&str>,
    without: &[&str],
) {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join(folder);
    let text = String::from_utf8(read(&folder.join(copybook))).unwrap();
    let format = format(&text, &serde_json::json!({"encoding": "ascii", "trim": "both"}));
    let got = decoded(&format, read(&folder.join("data.dat")));
    assert!(got.error.is_none() && got.rejects.is_empty(), "{:?} {:?}", got.error, got.rejects);
    for (row, wanted) in got.rows.iter().zip(lines(&folder.join(expected))) {
        let mut row: Value = serde_json::from_str(row).unwrap();
        if let Some(root) = root {
            row = serde_json::json!({ root: row });
        }
        let mut wanted = as_cobrix(wanted);
        drop_keys(&mut wanted, without);
        assert_eq!(as_cobrix(row), wanted);
    }
}

#[test]
fn cobrix_test12_merged_from_two_copybooks_reads_the_same() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("cobrix_test12_merge_copybooks");
    let part = |name: &str| String::from_utf8(read(&folder.join(name))).unwrap();
    let merged = format!("{}{}", part("test12_copybook_a.cob"), part("test12_copybook_b.cob"));
    let options = serde_json::json!({"encoding": "ascii"});
    let data = read(&folder.join("data.dat"));
    let one = decoded(&format(&merged, &options), data.clone());
    let other = decoded(&format(&part("test12_copybook.cob"), &options), data);
    assert_eq!((one.rows.len(), one.rows), (1, other.rows));
}

#[test]
fn cobrix_test19_numbers_of_characters_and_what_is_no_number() {
    check(&Case {
        folder: "cobrix_test19_display_num",
        copybook: "test19_display_num.cob",
        data: "data.dat",
        expected: "expected/test19.txt",
        options: serde_json::json!({"invalid": "null"}),
        // Record 6 has an amount of low-values that the other tool reads as 0.
        without: &["File_Id", "Record_Id", "WS_AMOUNT_FRACTION"],
        blank_is_absent: false,
    });
}

#[test]
fn cobrix_test21_records_as_long_as_their_counters_say() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("cobrix_test21_variable_occurs");
    let text = String::from_utf8(read(&folder.join("test21_copybook.cob"))).unwrap();
    let format =
        format(&text, &serde_json::json!({"encoding": "ascii", "variable_occurs": "shift"}));
    let got = decoded(&format, read(&folder.join("data.dat")));
    assert!(got.error.is_none() && got.rejects.is_empty(), "{:?} {:?}", got.error, got.rejects);
    let expected = lines(&folder.join("expected/test21.txt"));
    assert_eq!(got.rows.len(), expected.len());
    for (row, wanted) in got.rows.iter().zip(expected) {
        let row = serde_json::json!({"RECORD": serde_json::from_str::<Value>(row).unwrap()});
        assert_eq!(as_cobrix(row), as_cobrix(wanted));
    }
}

#[test]
fn jrecord_dtar020_reads_as_the_other_tool_wrote_it() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("jrecord_dtar020");
    let text = String::from_utf8(read(&folder.join("DTAR020.cbl"))).unwrap();
    let format = format(&text, &serde_json::json!({"encoding": "cp037", "record_length": 27}));
    let got = decoded(&format, read(&folder.join("DTAR020.bin")));
    assert!(got.error.is_none() && got.rejects.is_empty());
    let csv = String::from_utf8(read(&folder.join("expected/DTAR020.csv"))).unwrap();
    let expected: Vec<Vec<&str>> = csv.lines().skip(1).map(|l| l.split('\t').collect()).collect();
    assert_eq!(got.rows.len(), expected.len());
    for (row, wanted) in got.rows.iter().zip(expected) {
        let row: Value = serde_json::from_str(row).unwrap();
        let key = &row["DTAR020-KCODE-STORE-KEY"];
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let found = [
            text(&key["DTAR020-KEYCODE-NO"]),
            text(&key["DTAR020-STORE-NO"]),
            text(&row["DTAR020-DATE"]),
            text(&row["DTAR020-DEPT-NO"]),
            text(&row["DTAR020-QTY-SOLD"]),
            format!("{:.2}", row["DTAR020-SALE-PRICE"].as_f64().unwrap()),
        ];
        assert_eq!(found.to_vec(), wanted);
    }
}

#[test]
fn jrecord_ams_po_has_three_record_types_in_lines() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("jrecord_ams_po_multirecord");
    let text = String::from_utf8(read(&folder.join("amsPoDownload.cbl"))).unwrap();
    let counts: Value =
        serde_json::from_slice(&read(&folder.join("expected/record_type_counts.json"))).unwrap();
    let options = serde_json::json!({
        // Some numbers are followed by blanks, as COBOL would not have written them.
        "encoding": "ascii", "record_format": "lines", "invalid": "null",
        "select": ["PO-Record:PO-Record.Record-Type=H1", "Product-Record:Product-Record.Record-Type=D1",
            "Location-Record:Location-Record.Record-Type=S1"],
    });
    for (record, key) in [("PO-Record", "H1"), ("Product-Record", "D1"), ("Location-Record", "S1")]
    {
        let data = read(&folder.join("Ams_PODownload_20041231.txt"));
        let got = common::dataset(&format(&text, &options), data, Some(record));
        assert!(got.error.is_none(), "{:?}", got.error);
        assert!(got.rejects.is_empty(), "{record}: {}", got.rejects[0]);
        assert_eq!(Value::from(got.rows.len()), counts[key], "{record}");
        assert_eq!(
            Value::from(got.read),
            Value::from(
                counts.as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum::<u64>()
            )
        );
    }
}

#[test]
fn jrecord_csvtst1_is_read_line_by_line() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("jrecord_csvtst1");
    let text = String::from_utf8(read(&folder.join("CsvTst1.cbl"))).unwrap();
    let options = serde_json::json!({
        "encoding": "ascii", "record_format": "lines", "ascii_sign": "converted",
        "select": ["record-1:record-1.record-type=1", "record-2:record-2.record-type=2"],
    });
    let got = decoded(&format(&text, &options), read(&folder.join("CsvTst1.txt")));
    assert!(got.error.is_none(), "{:?}", got.error);
    // Lines of type 1 have letters in the number; 0001B is +12 in the converted form, 0034E is 345.
    assert_eq!(
        (got.rows.len(), got.rejects.len()),
        (12, 0),
        "{:?}",
        got.rejects.first().map(ToString::to_string)
    );
    assert!(got.rows[0].contains(r#""field11":12"#), "{}", got.rows[0]);
}

#[test]
fn every_copybook_of_the_shared_data_parses_and_can_be_laid_out() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let mut seen = 0;
    for folder in
        std::fs::read_dir(shared).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir())
    {
        for file in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if !matches!(file.extension().and_then(|e| e.to_str()), Some("cbl" | "cob")) {
                continue;
            }
            let text = String::from_utf8_lossy(&read(&file)).into_owned();
            let book = Copybook::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            Layout::new(&book, &CopybookOptions::default())
                .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            seen += 1;
        }
    }
    assert!(seen >= 36, "{seen} copybooks");
}

#[test]
fn cb2xml_layouts_have_the_same_positions_lengths_and_scales() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    let folder = shared.join("cb2xml_layouts");
    let mut items = 0;
    for file in std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
        if file.extension().and_then(|e| e.to_str()) != Some("cbl") {
            continue;
        }
        let name = file.file_name().unwrap().to_str().unwrap();
        let book = Copybook::parse(&String::from_utf8_lossy(&read(&file))).unwrap();
        let layout = Layout::new(&book, &CopybookOptions::default()).unwrap();
        let xml = String::from_utf8(read(&folder.join(format!("expected/{name}.xml")))).unwrap();
        let fields =
            layout.fields.iter().filter(|f| !(f.name == "RECORD" && f.level == 1 && f.line == 0));
        let mut fields = fields.skip(usize::from(book.records[0].level != 1));
        for item in xml.split("<item ").skip(1).map(|i| i.split('>').next().unwrap()) {
            let attribute = |key: &str| {
                let from = item.find(&format!(" {key}=\"")).map(|at| at + key.len() + 3);
                from.map(|at| item[at..].split('"').next().unwrap())
            };
            let field = fields.next().unwrap_or_else(|| panic!("{name}: too few items"));
            let number =
                |key: &str| attribute(key).and_then(|v| v.parse::<u64>().ok()).unwrap_or(0);
            let place = format!("{name} {}", field.name);
            assert_eq!(field.offset + 1, number("position"), "{place}: position");
            assert_eq!(field.length, number("storage-length"), "{place}: length");
            assert_eq!(u64::try_from(field.scale).unwrap(), number("scale"), "{place}: scale");
            if !field.filler {
                assert_eq!(Some(field.name.as_str()), attribute("name"), "{place}: name");
            }
            items += 1;
        }
        assert!(fields.next().is_none(), "{name}: too many items");
    }
    assert!(items > 100, "{items}");
}

#[test]
fn cobrix_layouts_have_the_same_positions() {
    let Some(shared) = fenhe_testkit::shared::data("cobol") else { return };
    for (folder, copybook, expected) in [
        ("cobrix_test6_type_variety", "test6_copybook.cob", "expected/test6_layout.txt"),
        ("cobrix_test7_fillers", "test7_fillers.cob", "expected/test7_layout.txt"),
        ("cobrix_test19_display_num", "test19_display_num.cob", "expected/test19_layout.txt"),
    ] {
        let folder = shared.join(folder);
        let book =
            Copybook::parse(&String::from_utf8_lossy(&read(&folder.join(copybook)))).unwrap();
        let layout = Layout::new(&book, &CopybookOptions::default()).unwrap();
        let text = String::from_utf8(read(&folder.join(expected))).unwrap();
        let mut fields = layout.fields.iter();
        for line in text.lines().skip(2) {
            let numbers: Vec<u64> =
                line.split_whitespace().rev().map_while(|w| w.parse().ok()).collect();
            let (Some(length), Some(start)) = (numbers.first(), numbers.get(2)) else { continue };
            let field = fields.next().unwrap();
            // The other tool stretches items that share storage to the longest of them.
            if field.redefines.is_none() && !field.redefined {
                assert_eq!(
                    (field.offset + 1, field.length),
                    (*start, *length),
                    "{expected} {}",
                    field.name
                );
            }
        }
        assert!(fields.next().is_none(), "{expected}: too many items");
    }
}
