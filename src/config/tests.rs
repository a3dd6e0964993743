use std::path::Path;

use super::*;
use crate::registry::Registry;

fn parse(text: &str) -> Result<ExchangeConfig> {
    ExchangeConfig::parse(text, "x.toml", Path::new(""))
}

const HEAD: &str = "[[flow]]\nname = \"f\"\nfrom = \"a.dbf\"\nto = \"null:\"\n";

#[test]
fn errors_point_at_line_and_column() {
    // Text, line, column, code, a word of the message or hint.
    let cases = [
        ("x = ", 1, 5, "exchange.toml", ""),
        ("[[flow]]\nname = 3\n", 2, 8, "exchange.toml", "string"),
        ("", 1, 1, "exchange.empty", "flow"),
        (
            &format!("{HEAD}[flow.fields]\nb = {{ from = \"B\", typ = \"text\" }}\n"),
            6,
            19,
            "exchange.toml",
            "type",
        ),
        (
            &format!("{HEAD}[flow.fields]\nb = {{ from = \"B\", type = \"decmal(3,1)\" }}\n"),
            6,
            5,
            "type.unknown",
            "decimal",
        ),
        (&format!("{HEAD}[flow.write]\nmode = \"upsrt\"\n"), 6, 8, "exchange.mode", "upsert"),
        (&format!("{HEAD}[flow.write]\nmode = \"upsert\"\n"), 6, 8, "exchange.key", "key"),
        (&format!("{HEAD}[flow.read]\nformat = \"dbff\"\n"), 6, 10, "registry.format", "dbf"),
        (
            &format!("{HEAD}[flow.read]\nformat = \"dbf\"\nencodng = \"gbk\"\n"),
            7,
            1,
            "core.option",
            "encoding",
        ),
        (
            "[[flow]]\nname = \"f\"\nfrom = \"a.dbf\"\nto = \"nul:\"\n",
            4,
            6,
            "registry.scheme",
            "null:",
        ),
        (&format!("{HEAD}{HEAD}"), 6, 8, "exchange.name", "two"),
        (&format!("[source]\nrows_per_second = 0\n{HEAD}"), 2, 19, "exchange.toml", "nonzero"),
        (&format!("[budget]\npercent = 101.0\n{HEAD}"), 2, 11, "exchange.toml", "from 0 to 100"),
        (&format!("[budget]\npercent = -1.0\n{HEAD}"), 2, 11, "exchange.toml", "from 0 to 100"),
        (
            &format!(
                "{HEAD}[flow.fields]\na = \"A\"\nborn = {{ from = \"B\", steps = [{{ dat = \"usual\" }}] }}\n"
            ),
            7,
            33,
            "exchange.toml",
            "field born",
        ),
    ];
    for (text, line, column, code, word) in cases {
        let error =
            parse(text).and_then(|config| config.check(&Registry::with_defaults())).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert_eq!(error.line(), Some((line, column)), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
        assert_eq!(error.source_name_of(), Some("x.toml"));
    }
}

#[test]
fn columns_are_characters_not_bytes() {
    let error = parse("[[flow]]\nname = \"人口\"\nfrom = \"x\" to\n").unwrap_err();
    assert_eq!(error.line(), Some((3, 12)), "{error}");
}

#[test]
fn names_and_files_follow_from_the_file() {
    let config = ExchangeConfig::parse(HEAD, "conf/registry.toml", Path::new("conf")).unwrap();
    assert_eq!(config.name(), "registry");
    assert_eq!(config.receipt(), Path::new("conf/registry.receipt.json"));
    assert_eq!(config.flows().collect::<Vec<_>>(), ["f"]);
}
