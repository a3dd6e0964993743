//! Overlays: what may be narrowed, what may be added, and that nothing else gets through.

#![allow(clippy::unwrap_used, clippy::panic)]

use fenhe_contract::{Contract, NoFiles, Overlay, Verdict};

fn base() -> Contract {
    Contract::parse(include_str!("resident.contract.toml"), "base", &NoFiles).unwrap()
}

const HEAD: &str = "name = \"city\"\nversion = \"1\"\nbase = \"resident.contract.toml\"\n";

fn overlay(more: &str) -> fenhe_core::Result<Overlay> {
    Overlay::parse(&format!("{HEAD}{more}"), "city.toml", base(), &NoFiles)
}

fn verdicts(more: &str) -> Vec<(String, &'static str, Verdict)> {
    let overlay = overlay(more).unwrap();
    overlay
        .divergence()
        .iter()
        .map(|d| (d.difference.field.clone(), d.difference.attribute, d.verdict))
        .collect()
}

#[test]
fn each_attribute_may_be_narrowed_and_not_widened() {
    // Overlay of a field that narrows, one that contradicts, the attribute.
    let cases = [
        ("person_id", "type = \"n18\"", "type = \"c18\"", "type"),
        ("income", "type = \"n10,2\"", "type = \"n12,3\"", "type"),
        ("income", "type = \"n10,1\"", "type = \"n13,2\"", "type"),
        ("name", "length = 30", "length = 51", "length"),
        ("sex_code", "required = true", "", "required"),
        ("name", "", "required = false", "required"),
        ("name", "severity = \"reject\"", "", "severity"),
        ("person_id", "", "severity = \"warn\"", "severity"),
        ("name", "sensitivity = \"sensitive\"", "sensitivity = \"public\"", "sensitivity"),
        ("person_id", "grade = \"core\"", "grade = \"general\"", "grade"),
        ("sex_code", "code_table = \"sex\"", "code_table = \"gbt2261.2\"", "code_table"),
        ("birth_date", "", "type = \"dt14\"", "type"),
        ("income", "", "unit = \"万元\"", "unit"),
        ("birth_date", "unit = \"天\"", "", "unit"),
        ("income", "rules = [{ rule = \"range\", min = 0 }]", "", "rule"),
        ("person_id", "", "sharing = { type = \"unconditional\" }", "sharing"),
        ("person_id", "", "sharing = { type = \"none\" }", "sharing"),
    ];
    let table = "[[table]]\nname = \"sex\"\n[[table.code]]\ncode = \"1\"\ntitle = \"男性\"\n[[table.code]]\ncode = \"2\"\ntitle = \"女性\"\n";
    for (field, narrow, wide, attribute) in cases {
        for (text, verdict) in [(narrow, Verdict::Narrows), (wide, Verdict::Contradicts)] {
            if text.is_empty() {
                continue;
            }
            let found = verdicts(&format!("[[field]]\nname = \"{field}\"\n{text}\n{table}"));
            assert_eq!(found, [(field.to_owned(), attribute, verdict)], "{field} {text}");
        }
    }
}

#[test]
fn a_second_pattern_is_asked_for_beside_the_first() {
    let overlay = overlay("[[field]]\nname = \"name\"\npattern = '.{2,}'\n").unwrap();
    let [only] = overlay.divergence() else { panic!("{:?}", overlay.divergence()) };
    assert_eq!((only.difference.attribute, only.verdict), ("rule", Verdict::Narrows));
    let contract = overlay.contract().unwrap();
    let patterns = contract.field("name").unwrap().rules.iter().filter(|r| r.name() == "pattern");
    assert_eq!(patterns.count(), 2);
}

#[test]
fn what_cannot_be_kept_together_contradicts() {
    // A number from 0 on, a code of six digits, one of two tables, a text of one to fifty characters.
    let base = r#"
name = "base"
version = "1"
[[field]]
name = "amount"
type = "n6,2"
rules = [{ rule = "range", min = 0, severity = "reject" }]
[[field]]
name = "region"
type = "n6"
[[field]]
name = "sex"
type = "text"
code_table = "gbt2261.1"
[[field]]
name = "title"
type = "c1..50"
[[field]]
name = "since"
type = "date"
rules = [{ rule = "range", min = "1949-10-01" }]
"#;
    let base = Contract::parse(base, "base", &NoFiles).unwrap();
    let reject = ", severity = \"reject\"";
    for (field, more, verdict) in [
        ("amount", format!("rules = [{{ rule = \"range\", max = -5{reject} }}]"), "contradicts"),
        ("amount", "rules = [{ rule = \"range\", min = 10000 }]".into(), "contradicts"),
        ("amount", "rules = [{ rule = \"range\", min = \"9999.99\" }]".into(), "narrows"),
        ("amount", format!("rules = [{{ rule = \"range\", min = -5{reject} }}]"), "no_effect"),
        ("amount", "rules = [{ rule = \"range\", min = -5, max = 10000 }]".into(), "no_effect"),
        ("amount", "rules = [{ rule = \"range\", min = 1 }]".into(), "narrows"),
        ("since", "rules = [{ rule = \"range\", max = \"1949-09-30\" }]".into(), "contradicts"),
        ("since", "rules = [{ rule = \"range\", min = \"1911-10-10\" }]".into(), "no_effect"),
        // The base only warns: to reject is more, though the bound is weaker.
        (
            "since",
            format!("rules = [{{ rule = \"range\", min = \"1911-10-10\"{reject} }}]"),
            "narrows",
        ),
        ("region", "pattern = '[A-Z]+'".into(), "contradicts"),
        ("region", "pattern = '33[0-9]+'".into(), "narrows"),
        ("region", "pattern = '.{3,9}'".into(), "no_effect"),
        ("region", "rules = [{ rule = \"length\", max = 4 }]".into(), "contradicts"),
        (
            "region",
            "rules = [{ rule = \"length\", max = 6, unit = \"bytes\" }]".into(),
            "no_effect",
        ),
        ("sex", "pattern = '[A-Z]'".into(), "contradicts"),
        ("sex", "pattern = '[12]'".into(), "narrows"),
        ("sex", "pattern = '[0-9]'".into(), "no_effect"),
        ("sex", "length = 2".into(), "narrows"),
        ("title", "rules = [{ rule = \"length\", min = 51 }]".into(), "contradicts"),
        ("title", "rules = [{ rule = \"length\", max = 60 }]".into(), "no_effect"),
        (
            "title",
            "rules = [{ rule = \"length\", min = 201, unit = \"bytes\" }]".into(),
            "contradicts",
        ),
        ("title", "rules = [{ rule = \"length\", min = 200, unit = \"bytes\" }]".into(), "narrows"),
        ("title", "pattern = '张.*'".into(), "narrows"),
    ] {
        let text = format!("{HEAD}[[field]]\nname = \"{field}\"\n{more}\n");
        let overlay = Overlay::parse(&text, "city.toml", base.clone(), &NoFiles).unwrap();
        let found = serde_json::to_value(overlay.divergence()).unwrap();
        assert_eq!(found[0]["verdict"], verdict, "{field} {more}: {found}");
        assert_eq!(overlay.contract().is_ok(), verdict != "contradicts", "{field} {more}");
    }
}

#[test]
fn a_rule_over_several_fields_is_held_against_the_field_too() {
    let rule = |bound: &str| {
        format!(
            "[[rule]]\nrule = \"range\"\nfield = \"income\"\n{bound}\n[[field]]\nname = \"income\"\nrules = [{{ rule = \"range\", min = 0 }}]\n"
        )
    };
    let of = |bound: &str| verdicts(&rule(bound)).into_iter().map(|v| v.2).collect::<Vec<_>>();
    assert_eq!(of("max = -1"), [Verdict::Narrows, Verdict::Contradicts]);
    assert_eq!(of("max = 1"), [Verdict::Narrows, Verdict::Narrows]);
}

#[test]
fn a_field_is_said_once() {
    let twice =
        "[[field]]\nname = \"name\"\nlength = 30\n[[field]]\nname = \"name\"\nlength = 20\n";
    let error = overlay(twice).unwrap_err();
    assert_eq!((error.code(), error.line()), ("contract.name", Some((8, 8))), "{error}");
}

#[test]
fn additions_live_in_the_reserved_namespace() {
    let field = |name: &str| format!("[[field]]\nname = \"{name}\"\ntype = \"n6\"\n");
    assert_eq!(verdicts(&field("x_grid"))[0].2, Verdict::Adds);
    assert_eq!(verdicts(&field("grid"))[0].2, Verdict::Contradicts);
    let own = format!("prefix = \"hz_\"\n{}", field("hz_grid"));
    assert_eq!(verdicts(&own)[0].2, Verdict::Adds);
    let error = overlay(&format!("prefix = \"\"\n{}", field("grid"))).unwrap_err();
    assert_eq!((error.code(), error.line()), ("contract.prefix", Some((4, 10))));
}

#[test]
fn an_overlay_that_contradicts_gives_no_contract() {
    let bad = overlay("update = \"yearly\"\n[[field]]\nname = \"name\"\nlength = 60\n").unwrap();
    let error = bad.contract().unwrap_err();
    assert_eq!(error.code(), "contract.contradiction");
    assert!(error.to_string().contains("and 1 more"), "{error}");
    let good =
        overlay("update = \"realtime\"\n[[field]]\nname = \"x_a\"\ntype = \"n6\"\n").unwrap();
    let contract = good.contract().unwrap();
    assert_eq!((contract.name(), contract.fields().len()), ("city", 7));
    assert_eq!(contract.dataset(), "resident");
    assert!(contract.rules().len() > base().rules().len());
}

#[test]
fn a_built_in_table_cannot_be_replaced_behind_the_base() {
    let table = "[[table]]\nname = \"gbt2261.1\"\n[[table.code]]\ncode = \"7\"\ntitle = \"?\"\n";
    assert_eq!(verdicts(table), [("sex_code".into(), "code_table", Verdict::Contradicts)]);
}

#[test]
fn the_base_is_the_one_it_was_made_for() {
    assert!(overlay("base_version = \"2.0\"\n").is_ok());
    for wanted in ["2.2", "1.9", "3"] {
        let error = overlay(&format!("base_version = \"{wanted}\"\n")).unwrap_err();
        assert_eq!((error.code(), error.line()), ("contract.base", Some((4, 16))), "{wanted}");
    }
    assert!(overlay(&format!("base_hash = \"{}\"\n", base().hash())).is_ok());
    let error = overlay("base_hash = \"00\"\n").unwrap_err();
    assert!(error.to_string().contains(base().hash()), "{error}");
}

#[test]
fn errors_point_into_the_overlay() {
    let cases = [
        ("[[field]]\nname = \"name\"\ntyp = \"c..9\"\n", 6, 1, "type"),
        (
            "[[field]]\nname = \"sex_code\"\n[[field]]\nname = \"x_b\"\ntype = \"nn\"\n",
            8,
            8,
            "no type",
        ),
        (
            "[[field]]\nname = \"person_id\"\nrules = [{ rule = \"lenght\", max = 3 }]\n",
            6,
            19,
            "length",
        ),
        (
            "[[rule]]\nrule = \"compare\"\nfield = \"income\"\nop = \"le\"\nother = \"x\"\n",
            8,
            9,
            "no column",
        ),
    ];
    for (more, line, column, word) in cases {
        let error = overlay(more).unwrap_err();
        assert_eq!(error.line(), Some((line, column)), "{more}: {error}");
        assert!(error.to_string().contains(word), "{more}: {error}");
    }
}

#[test]
fn contradictions_stand_at_their_line() {
    for (more, place) in [
        ("[[field]]\nname = \"sex_code\"\n[[field]]\nname = \"name\"\nlength = 60\n", (8, 10)),
        ("update = \"yearly\"\n", (4, 10)),
        ("[[field]]\nname = \"income\"\nunit = \"万元\"\n", (6, 8)),
    ] {
        let error = overlay(more).unwrap().contract().unwrap_err();
        assert_eq!(
            (error.code(), error.line()),
            ("contract.contradiction", Some(place)),
            "{error}"
        );
        assert_eq!(error.source_name_of(), Some("city.toml"));
    }
    let typo = overlay("[[field]]\nname = \"incomee\"\ntype = \"n6\"\n").unwrap();
    let error = typo.contract().unwrap_err();
    assert_eq!(error.line(), Some((5, 8)), "{error}");
    assert!(error.to_string().contains("did you mean income"), "{error}");
}

#[test]
fn a_type_that_the_rules_of_the_base_do_not_fit_is_refused_at_the_type() {
    // `agrees` of the base looks at the sex code, which is text there; and a number has no code table.
    let base = "name = \"b\"\nversion = \"1\"\n[[field]]\nname = \"id\"\ntype = \"an18\"\n\
                [[field]]\nname = \"region\"\ntype = \"n6\"\nrules = [{ rule = \"pattern\", pattern = \"33.*\" }]\n";
    let over_several = "[[rule]]\nrule = \"agrees\"\nfield = \"id\"\nregion = \"region\"\n";
    let own = base.to_owned();
    let several = format!(
        "{}{over_several}",
        base.replace("rules = [{ rule = \"pattern\", pattern = \"33.*\" }]\n", "")
    );
    for base in [own, several] {
        let base = Contract::parse(&base, "base", &NoFiles).unwrap();
        let text = format!("{HEAD}[[field]]\nname = \"region\"\ntype = \"n..6\"\n");
        let error = Overlay::parse(&text, "city.toml", base, &NoFiles).unwrap_err();
        assert_eq!((error.code(), error.line()), ("rules.type", Some((6, 8))), "{error}");
        assert!(error.to_string().contains("region is n..6, the rule needs text"), "{error}");
    }
}

#[test]
fn the_divergence_is_data() {
    let overlay = overlay("[[field]]\nname = \"name\"\nlength = 30\n").unwrap();
    let json = serde_json::to_value(overlay.divergence()).unwrap();
    assert_eq!(json[0]["field"], "name");
    assert_eq!(json[0]["before"], "0 to 50 chars");
    assert_eq!(json[0]["after"], "0 to 30 chars");
    assert_eq!(json[0]["verdict"], "narrows");
}
