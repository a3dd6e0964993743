//! What the next version of a contract does to those who supply and those who read.

#![allow(clippy::unwrap_used, clippy::panic)]

use fenhe_contract::{Bump, Compatibility, Contract, NoFiles};

const OLD: &str = include_str!("resident.contract.toml");

fn compare(change: impl Fn(&str) -> String) -> Compatibility {
    let parse = |text: &str| Contract::parse(text, "c", &NoFiles).unwrap();
    Compatibility::between(&parse(OLD), &parse(&change(OLD)))
}

#[test]
fn every_change_says_whom_it_breaks() {
    let add = |more: &'static str| move |old: &str| format!("{old}\n{more}");
    let swap = |from: &'static str, to: &'static str| {
        move |old: &str| {
            assert!(old.contains(from), "{from}");
            old.replacen(from, to, 1)
        }
    };
    type Edit = Box<dyn Fn(&str) -> String>;
    // The edit, the attribute, breaks suppliers, breaks readers, needed step.
    let cases: Vec<(Edit, &str, bool, bool, Bump)> = vec![
        (
            Box::new(add("[[field]]\nname = \"n\"\ntype = \"n1\"")),
            "field",
            false,
            false,
            Bump::Minor,
        ),
        (
            Box::new(add("[[field]]\nname = \"n\"\ntype = \"n1\"\nrequired = true")),
            "field",
            true,
            false,
            Bump::Major,
        ),
        (
            Box::new(swap("title = \"年收入\"", "title = \"收入\"")),
            "title",
            false,
            false,
            Bump::Patch,
        ),
        (Box::new(swap("\"n12,2\"", "\"n14,2\"")), "type", false, true, Bump::Major),
        (Box::new(swap("\"n12,2\"", "\"n10,2\"")), "type", true, false, Bump::Major),
        (Box::new(swap("\"n12,2\"", "\"n11,3\"")), "type", true, true, Bump::Major),
        (Box::new(swap("\"d8\"", "\"dt14\"")), "type", true, true, Bump::Major),
        // The length of the name is a warning: breaking it is counted.
        (Box::new(swap("length = 50", "length = 40")), "length", false, false, Bump::Minor),
        (Box::new(swap("\"an18\"", "\"an17\"")), "length", true, true, Bump::Major),
        (Box::new(swap("unit = \"元\"", "unit = \"万元\"")), "unit", true, true, Bump::Major),
        (Box::new(swap("unit = \"元\"\n", "")), "unit", false, true, Bump::Major),
        (
            Box::new(swap("update = \"每日\"", "update = \"每月\"")),
            "update",
            false,
            true,
            Bump::Major,
        ),
        (
            Box::new(swap("update = \"每日\"", "update = \"实时\"")),
            "update",
            true,
            false,
            Bump::Major,
        ),
        (
            Box::new(swap("totals = [\"income\"]", "totals = []")),
            "totals",
            false,
            true,
            Bump::Major,
        ),
        (
            Box::new(swap("key = [\"person_id\"]", "key = [\"name\"]")),
            "key",
            true,
            true,
            Bump::Major,
        ),
        (
            Box::new(swap("kind = \"citizen\"", "kind = \"person\"")),
            "rule",
            true,
            false,
            Bump::Major,
        ),
        (
            Box::new(swap(
                "title = \"学校集体户\"\nparent = \"2\"",
                "title = \"学校集体户\"\n[[table.code]]\ncode = \"9\"\ntitle = \"其他\"",
            )),
            "code_table",
            false,
            false,
            Bump::Minor,
        ),
    ];
    for (edit, attribute, suppliers, readers, needed) in cases {
        let found = compare(edit);
        let change = found.changes.iter().find(|c| c.difference.attribute == attribute);
        let change = change.unwrap_or_else(|| panic!("{attribute}: {:?}", found.changes));
        assert_eq!(
            (change.breaks_suppliers, change.breaks_readers, found.needed),
            (suppliers, readers, needed),
            "{attribute}: {:?}",
            found.changes
        );
        assert!(!change.why.is_empty());
    }
}

#[test]
fn a_bound_that_moves_breaks_one_side() {
    let contract = |bound: &str, version: u32| {
        let text = format!(
            "name = \"fee\"\nversion = \"{version}\"\n[[field]]\nname = \"amount\"\ntype = \"n9,2\"\n\
             rules = [{{ rule = \"range\", severity = \"reject\", {bound} }}]\n"
        );
        Contract::parse(&text, "fee", &NoFiles).unwrap()
    };
    for (old, new, suppliers, readers) in [
        ("min = 0", "min = 5", true, false),
        ("min = 5", "min = 0", false, true),
        ("max = 5", "min = 6", true, true),
    ] {
        let found = Compatibility::between(&contract(old, 1), &contract(new, 2));
        assert_eq!((!found.is_backward(), !found.is_forward()), (suppliers, readers), "{found:?}");
    }
}

#[test]
fn patterns_are_compared_by_what_they_match() {
    let contract = |pattern: &str, version: u32| {
        let text = format!(
            "name = \"c\"\nversion = \"{version}\"\n[[field]]\nname = \"code\"\ntype = \"text\"\nseverity = \"reject\"\npattern = '{pattern}'\n"
        );
        Contract::parse(&text, "c", &NoFiles).unwrap()
    };
    for (old, new, suppliers, readers) in [
        ("[0-9]{6}", "[0-9]{6,8}", false, true),
        ("[0-9]{6,8}", "[0-9]{6}", true, false),
        ("[0-9]{6}", "[0123456789]{6}", false, false),
        ("[0-9]{6}", "[A-Z]+", true, true),
    ] {
        let found = Compatibility::between(&contract(old, 1), &contract(new, 2));
        assert_eq!((!found.is_backward(), !found.is_forward()), (suppliers, readers), "{found:?}");
    }
}

#[test]
fn a_field_that_goes_breaks_readers_alone() {
    let found = compare(|old| {
        old.replace("name = \"birth_date\"", "name = \"born\"")
            .replace("birth = \"birth_date\"", "birth = \"born\"")
    });
    let of = |name: &str| found.changes.iter().find(|c| c.difference.field == name).unwrap();
    assert!(of("birth_date").breaks_readers && !of("birth_date").breaks_suppliers);
    assert!(!of("born").is_breaking());
    assert!(!found.is_forward());
}

#[test]
fn nothing_changed_needs_nothing() {
    let found = compare(str::to_owned);
    assert_eq!((found.changes.len(), found.needed), (0, Bump::None));
    assert!(found.is_sound() && found.is_backward() && found.is_forward());
}

#[test]
fn the_version_has_to_say_what_happened() {
    let wide = |version: &'static str| {
        compare(move |old| old.replace("\"n12,2\"", "\"n14,2\"").replace("\"2.1\"", version))
    };
    assert_eq!(wide("\"2.1\"").remarks, ["the content changed and the version did not go up"]);
    assert_eq!(wide("\"2.2\"").remarks, ["the changes need a major step of the version"]);
    assert_eq!(wide("\"3.0\"").remarks, Vec::<String>::new());
    let other = compare(|old| old.replace("name = \"resident\"", "name = \"person\""));
    assert!(other.remarks[0].contains("two contracts"), "{:?}", other.remarks);
}
