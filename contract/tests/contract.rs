//! Contracts as TOML and JSON: what is read, what is refused and where, what follows.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use arrow_schema::DataType;
use fenhe_contract::{Contract, Document, NoFiles, SharingMode, UpdateCycle};
use fenhe_core::schema::{CODE_TABLE, LENGTH, NATIVE_TYPE, SENSITIVITY, TITLE};

const RESIDENT: &str = include_str!("resident.contract.toml");

fn parse(text: &str) -> fenhe_core::Result<Contract> {
    Contract::parse(text, "c.toml", &NoFiles)
}

#[test]
fn a_contract_becomes_a_schema_with_what_the_platform_says() {
    let contract = parse(RESIDENT).unwrap();
    assert_eq!(contract.update(), Some(UpdateCycle::Daily));
    assert_eq!(contract.catalogue().sharing.mode, Some(SharingMode::Database));
    let schema = contract.schema();
    let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
    let text = DataType::Utf8;
    let income = DataType::Decimal128(12, 2);
    assert_eq!(types, [text.clone(), text.clone(), text.clone(), DataType::Date32, text, income]);
    let required: Vec<_> = schema.fields().iter().map(|field| !field.is_nullable()).collect();
    assert_eq!(required, [true, true, false, false, false, false]);
    let id = schema.field(0).metadata();
    for (key, value) in
        [(TITLE, "公民身份号码"), (NATIVE_TYPE, "an18"), (LENGTH, "18"), (SENSITIVITY, "sensitive")]
    {
        assert_eq!(id[key], value);
    }
    assert_eq!(schema.field(2).metadata()[CODE_TABLE], "gbt2261.1");
}

#[test]
fn attributes_become_rules_with_the_severity_of_the_field() {
    let contract = parse(RESIDENT).unwrap();
    let rules: Vec<_> = contract
        .rules()
        .iter()
        .map(|rule| format!("{} {} {:?}", rule.field(), rule.name(), rule.severity()))
        .collect();
    assert_eq!(
        rules,
        [
            "person_id not_null Reject",
            "person_id pattern Reject",
            "person_id identifier Reject",
            "person_id unique Reject",
            "name not_null Reject",
            "name length Warn",
            "name pattern Warn",
            "sex_code pattern Warn",
            "sex_code code_table Warn",
            "house_code length Warn",
            "house_code code_table Warn",
            "person_id agrees Warn",
        ]
    );
}

#[test]
fn json_and_toml_are_the_same_contract() {
    let contract = parse(RESIDENT).unwrap();
    let json = contract.to_json().unwrap();
    let from_json = Contract::from_json(&json, "c.json", &NoFiles).unwrap();
    let from_toml = parse(&contract.to_toml().unwrap()).unwrap();
    for other in [&from_json, &from_toml] {
        assert_eq!(other.hash(), contract.hash());
        assert_eq!(other.draft(), contract.draft());
        assert_eq!(other.rules(), contract.rules());
    }
}

#[test]
fn the_hash_sees_content_and_not_spelling() {
    let hash = |text: &str| parse(text).unwrap().hash().to_owned();
    let short = "name = \"f\"\nversion = \"1\"\n[[field]]\nname = \"a\"\ntype = \"N10,2\"\n";
    let long = "# a remark\nversion = \"1.0.0\"\nname = 'f'\ndataset = \"f\"\nseverity = \"warn\"\n\
                [[field]]\ntype = \"n10,2\"\nname = \"a\"\nrequired = false\n";
    assert_eq!(hash(short), hash(long));
    assert_ne!(hash(short), hash(&short.replace("10,2", "11,2")));
    // sha256sum of {"dataset":"f","field":[{"name":"a","required":false,"severity":"warn",
    // "type":"n10,2"}],"name":"f","version":"1.0.0"} without the line break.
    assert_eq!(hash(short), "a6cb827928933dbed1791774bf1003d71fec40b22851baf5055039e569a18feb");
}

#[test]
fn errors_point_at_line_and_column() {
    let head = "name = \"f\"\nversion = \"1\"\n[[field]]\nname = \"amount\"\ntype = \"n10,2\"\n";
    // What is appended, line, column, code, a word of the hint.
    let cases = [
        ("typ = \"x\"\n", 6, 1, "contract.toml", "did you mean type?"),
        ("[[field]]\nname = \"b\"\ntype = \"decmal(3,1)\"\n", 8, 8, "contract.type", "decimal"),
        ("[[field]]\nname = \"b\"\n", 7, 8, "contract.type", "no type"),
        ("[[field]]\nname = \"amount\"\ntype = \"d8\"\n", 7, 8, "contract.name", "two"),
        (
            "[[field]]\nname = \"性别\"\ntype = \"n1\"\ncode_table = \"gbt2261\"\n",
            9,
            14,
            "contract.unknown",
            "gbt2261.1",
        ),
        ("rules = [{ rule = \"rang\", min = 0 }]\n", 6, 19, "contract.rule", "range"),
        ("rules = [{ rule = \"range\", mim = 0 }]\n", 6, 34, "contract.rule", "min"),
        (
            "rules = [{ rule = \"range\", min = 0 }, { rule = \"length\", max = 3 }]\n",
            6,
            39,
            "rules.type",
            "text",
        ),
        (
            "[[rule]]\nrule = \"compare\"\nfield = \"amount\"\nop = \"le\"\nother = \"amout\"\n",
            10,
            9,
            "rules.field",
            "amount",
        ),
        ("code_table = \"gbt2261.1\"\n", 6, 14, "contract.type", "text"),
        ("length = 3\n", 6, 10, "contract.length", "n10,2"),
        ("[[table]]\nname = \"t\"\n", 7, 8, "contract.table", "no codes"),
        ("[[table]]\nname = \"t\"\nfile = \"t.toml\"\n", 8, 8, "contract.table", "t.toml"),
    ];
    for (more, line, column, code, word) in cases {
        let text = format!("{head}{more}");
        let error = parse(&text).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert_eq!(error.line(), Some((line, column)), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
        assert_eq!(error.source_name_of(), Some("c.toml"));
    }
    let first = [
        ("key = [\"amont\"]\n", 1, 8, "contract.unknown", "amount"),
        ("totals = [\"amount\", \"b\"]\n", 1, 21, "contract.unknown", "amount"),
        ("update = \"dayly\"\n", 1, 10, "contract.toml", "daily"),
        ("catalogue = { publised = \"2026-01-01\" }\n", 1, 15, "contract.toml", "published"),
    ];
    for (more, line, column, code, word) in first {
        let text = format!("{more}{head}");
        let error = parse(&text).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert_eq!(error.line(), Some((line, column)), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
}

#[test]
fn a_key_is_required_and_cannot_be_optional() {
    let text =
        "name = \"f\"\nversion = \"1\"\nkey = [\"a\"]\n[[field]]\nname = \"a\"\ntype = \"n..4\"\n";
    assert!(parse(text).unwrap().field("a").unwrap().required);
    let error = parse(&format!("{text}required = false\n")).unwrap_err();
    assert_eq!((error.code(), error.line()), ("contract.key", Some((7, 12))));
}

#[test]
fn errors_in_json_name_the_path() {
    let text = r#"{"name":"f","version":"1","field":[{"name":"a","type":"an4","rules":[{"rule":"identifier","kind":"citzen"}]}]}"#;
    let error = Contract::from_json(text, "c.json", &NoFiles).unwrap_err();
    assert_eq!(error.field(), Some("field[0].rules[0].rule"), "{error}");
    assert!(error.to_string().contains("citizen"), "{error}");
}

#[test]
fn tables_come_from_files_beside_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write("t.toml", "source = \"local\"\n[[code]]\ncode = \"1\"\ntitle = \"甲\"\n");
    let contract = write(
        "c.contract.toml",
        "name = \"f\"\nversion = \"1\"\n[[field]]\nname = \"a\"\ntype = \"n1\"\ncode_table = \"t\"\n\
         [[table]]\nname = \"t\"\nfile = \"t.toml\"\n",
    );
    let loaded = Contract::load(&contract).unwrap();
    assert_eq!(loaded.table("t").unwrap().get("1", None).unwrap().title, "甲");
    let inside = loaded.to_json().unwrap();
    assert_eq!(Contract::from_json(&inside, "j", &NoFiles).unwrap().hash(), loaded.hash());

    write("t.toml", "[[code]]\ncode = \"1\"\ntitel = \"甲\"\n");
    let error = Contract::load(&contract).unwrap_err();
    assert_eq!(error.line(), Some((9, 8)), "{error}");
    assert!(error.to_string().contains("t.toml line 3"), "{error}");
    assert!(error.to_string().contains("did you mean title?"), "{error}");
}

#[test]
fn a_file_is_told_by_its_keys() {
    assert!(Document::is_one(RESIDENT));
    assert!(!Document::is_one("[[flow]]\nname = \"f\"\n"));
    let missing = Document::load(Path::new("no/such.contract.toml")).unwrap_err();
    assert_eq!(missing.source_name_of(), Some("no/such.contract.toml"));
}

#[test]
fn a_reviewer_finds_what_does_not_agree() {
    let contract = parse(RESIDENT).unwrap();
    assert_eq!(contract.catalogue().review(contract.title()), Vec::<String>::new());
    let bad = RESIDENT
        .replace("mode = \"库表\"", "mode = \"文件\"")
        .replace("11990000000000000D", "11990000000000000E")
        .replace("condition = \"办理政务服务事项\", ", "");
    let contract = parse(&bad).unwrap();
    let found = contract.catalogue().review("人口管理系统").join("\n");
    for word in ["共享方式", "提供方代码", "共享条件", "信息资源名称"] {
        assert!(found.contains(word), "{found}");
    }
}

#[test]
fn a_value_of_another_type_is_shown_at_its_key() {
    let text = |rule: &str| {
        format!(
            "name = \"c\"\nversion = \"1\"\n[[field]]\nname = \"code\"\ntype = \"text\"\nrules = [{rule}]\n"
        )
    };
    for (rule, column, key) in [
        ("{ rule = \"length\", min = \"2\" }", 35, "min: invalid type"),
        ("{ rule = \"pattern\", pattern = 3 }", 40, "pattern: invalid type"),
        ("{ rule = \"unique\", fields = \"code\" }", 38, "fields: invalid type"),
    ] {
        let error = Contract::parse(&text(rule), "c.toml", &NoFiles).unwrap_err();
        assert_eq!((error.code(), error.line()), ("contract.rule", Some((6, column))), "{error}");
        assert!(error.to_string().contains(key), "{error}");
    }
}
