use fenhe_mapping::Mapping;

#[test]
fn errors_point_at_line_and_column_and_name_the_nearest() {
    let steps = |list: &str| format!("[fields.a]\nfrom = \"A\"\nsteps = [{list}]\n");
    // Text, line, column, code, words of the message or hint.
    let cases = [
        (steps("\"trimm\""), 3, 10, "mapping.toml", "trim"),
        (steps("{ dat = \"usual\" }"), 3, 12, "mapping.toml", "date"),
        (steps("\"trim\", { split = \"-\" }"), 3, 18, "mapping.toml", "part"),
        (steps("{ trim = \"both\", part = 2 }"), 3, 10, "mapping.toml", "no part"),
        (steps("{ split = \"-\", cut = [1, 2], part = 1 }"), 3, 10, "mapping.toml", "one thing"),
        (steps("{ date = \"YYMMDD\" }"), 3, 10, "mapping.toml", "pivot"),
        (steps("{ date = \"YYYYMMDQ\" }"), 3, 10, "mapping.toml", "pattern"),
        (steps("{ date = \"ussual\" }"), 3, 10, "mapping.toml", "did you mean usual?"),
        (
            steps("{ date = [\"usual\", \"excel\", \"YYMMDD\"], pivot = 30 }"),
            3,
            10,
            "mapping.toml",
            "put YYMMDD first",
        ),
        (steps("{ dat = \"usual\" }"), 3, 12, "mapping.toml", "field a"),
        ("[fields]\nz = \"Z\"\nb = { typ = \"text\" }\n".into(), 3, 7, "mapping.toml", "field b"),
        (steps("{ match = '(' }"), 3, 10, "mapping.toml", "pattern"),
        (steps("{ mask = \"nmae\" }"), 3, 19, "mapping.toml", "name"),
        (steps("{ unit = \"万圆\", to = \"元\" }"), 3, 19, "mapping.toml", "万元"),
        (steps("{ hash = \"hmac-sm3\", key = \"secret\" }"), 3, 10, "mapping.toml", "env:NAME"),
        (steps("{ trim = \"both\", otherwise = \"null\" }"), 3, 10, "mapping.toml", "otherwise"),
        (steps("{ date = \"usual\", otherwise = \"keep\" }"), 3, 10, "mapping.toml", "kept"),
        (steps("\"join\""), 1, 1, "mapping.field", "several columns"),
        (
            "[fields]\na = { from = [\"A\", \"B\"] }\n".into(),
            2,
            5,
            "mapping.field",
            "join or first",
        ),
        ("[fields]\na = { frm = \"A\" }\n".into(), 2, 7, "mapping.toml", "did you mean from?"),
        ("[fields]\na = { type = \"decmal(3,1)\" }\n".into(), 2, 5, "type.unknown", "decimal"),
        (
            "[fields]\na = { from = \"A\", constant = \"x\" }\n".into(),
            2,
            5,
            "mapping.field",
            "not both",
        ),
        ("[fields]\na = { when = { column = \"B\" } }\n".into(), 2, 5, "mapping.field", "equals"),
        ("[fields]\na = { default = { value = \"B\" } }\n".into(), 2, 17, "mapping.toml", "reason"),
        ("unlistd = \"drop\"\n".into(), 1, 1, "mapping.toml", "unlisted"),
    ];
    for (text, line, column, code, word) in cases {
        let error = Mapping::parse(&text, "m.toml").unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert_eq!(error.line(), Some((line, column)), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
}

const EVERYTHING: &str = r#"
unlisted = { extension = "others" }

[fields]
z = "A"
a = { from = "A", steps = ["trim", { trim = "end" }, "half_width", "full_width", "upper", "lower", { absent = ["无"] }] }
b = { from = "B", steps = [{ replace = "a", with = "b" }, { match = '.' }, { extract = '.', otherwise = "keep" }] }
c = { from = "B", steps = [{ split = "-", part = -1, otherwise = { value = "x" } }, { cut = [1, 6] }] }
d = { from = ["A", "B"], steps = [{ join = "-" }], title = "两列" }
e = { from = ["A", "B"], steps = ["first"] }
f = { from = "D", steps = [{ date = ["usual", "YYMMDD", "excel"], pivot = 30, otherwise = "null" }], required = true }
g = { from = "E", steps = [{ unit = "万元", to = "元" }], type = "decimal(14,2)" }
h = { from = "E", steps = [{ scale = "0.01" }] }
i = { from = "F", steps = [{ code = { "男" = "1" }, otherwise = "null" }] }
j = { from = "F", steps = [{ code = "gbt3304" }] }
k = { from = "F", steps = [{ code = "gbt3304", give = "title" }] }
l = { from = "F", steps = [{ lookup = "x.csv", by = "old", give = "new" }] }
m = { from = "G", steps = ["plain_id", "upgrade_id", { mask = "id" }] }
n = { from = "G", steps = [{ upgrade_id = true, century = "assume" }, { derive = "sex" }] }
o = { from = "G", steps = [{ hash = "hmac-sm3", key = "env:K" }], when = { column = "A", equals = "1" } }
p = { from = "G", steps = [{ mask = [2, 2] }], default = { value = "x", reason = "y" } }
q = { constant = "HIS" }
"#;

#[test]
fn what_is_written_back_says_the_same() {
    let mapping = Mapping::parse(EVERYTHING, "m.toml").unwrap();
    for field in &mapping.fields {
        let json = serde_json::to_string(&field.written()).unwrap();
        let text: fenhe_mapping::FieldText = serde_json::from_str(&json).unwrap();
        assert_eq!(text.named(&field.name).unwrap(), *field, "{json}");
    }
}

#[test]
fn the_digest_is_that_of_what_is_said_and_not_of_its_layout() {
    let digest = |text: &str| Mapping::parse(text, "m.toml").unwrap().digest();
    let one = digest("[fields]\na = \"A\"\nb = { from = \"B\", steps = [\"trim\"] }\n");
    let same = digest(
        "# a remark\n[fields.a]\nfrom = \"A\"\n[fields.b]\nsteps = [{ trim = \"both\" }]\nfrom = \"B\"\n",
    );
    assert_eq!(one, same);
    assert_eq!(one.len(), 64);
    for other in [
        "[fields]\nb = { from = \"B\", steps = [\"trim\"] }\na = \"A\"\n",
        "[fields]\na = \"A\"\nb = { from = \"B\", steps = [\"upper\"] }\n",
        "unlisted = \"keep\"\n[fields]\na = \"A\"\nb = { from = \"B\", steps = [\"trim\"] }\n",
    ] {
        assert_ne!(one, digest(other), "{other}");
    }
}

#[test]
fn every_field_is_explained_in_one_line_in_the_order_of_the_text() {
    let lines = Mapping::parse(EVERYTHING, "m.toml").unwrap().explain();
    assert_eq!(lines.len(), 18);
    assert_eq!(lines[0], "z: from A");
    assert_eq!(lines[7], "g: from E; from 万元 to 元; as decimal(14,2)");
    assert_eq!(
        lines[13],
        "m: from G; identifier in plain spelling; 15 digits become 18; masked as id"
    );
    assert_eq!(lines[15], "o: from G; where A is 1; hmac-sm3 with a secret key");
    assert!(lines.iter().all(|line| !line.contains('\n')));
}
