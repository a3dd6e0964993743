use fenhe::{Control, ExchangeConfig, Registry, Settings, Status};
use rusqlite::Connection;

use crate::support::Work;

const CONTRACT: &str = r#"
name = "person"
version = "1.0"
key = ["person_id"]
totals = ["amount"]

[[field]]
name = "person_id"
type = "an18"
rules = [{ rule = "identifier", kind = "citizen", any_region = true, severity = "reject" }]

[[field]]
name = "name"
title = "姓名"
type = "c..4"
required = true

[[field]]
name = "sex_code"
type = "n1"
code_table = "gbt2261.1"

[[field]]
name = "amount"
type = "n10,2"
"#;

const EXCHANGE: &str = r#"
name = "people"
rejects = "out/rejects.ndjson"
receipt = "out/receipt.json"

[budget]
rejects = 10

[[flow]]
name = "person"
from = "people.csv"
to = "sqlite:out/platform.db#person"
contract = "person.contract.toml"

[flow.read]
types = "text"

[flow.fields]
person_id = "SFZH"
name = "XM"
sex_code = "XB"
amount = "JE"
"#;

/// Numbers with check characters by GB 11643-1999; the third is one digit off, the fourth row has no name, the fifth an
/// unknown code, the sixth a name that is too long.
const PEOPLE: &str = "SFZH,XM,XB,JE\n\
    110101190001010014,张三,1,1.10\n\
    11010119491001001X,李四,2,2.20\n\
    110101190001010015,王五,1,3.30\n\
    999901200002291235,,1,4.40\n\
    99990120000229003X,赵六,7,5.50\n\
    999901200002290080,欧阳修文一,2,6.60\n";

fn work(exchange: &str, contract: &str) -> (Work, ExchangeConfig) {
    let work = Work::new();
    work.write("people.csv", PEOPLE);
    work.write("person.contract.toml", contract);
    let path = work.write("exchange.toml", exchange);
    (work, ExchangeConfig::load(&path).unwrap())
}

async fn run(config: &ExchangeConfig) -> fenhe::core::Result<fenhe::Ran> {
    let flows = config.prepare(&Registry::with_defaults(), &Settings::default()).await?;
    config.run(&flows, &Control::default()).await
}

#[tokio::test]
async fn rules_that_reject_keep_rows_back_and_others_are_counted() {
    let (work, config) = work(EXCHANGE, CONTRACT);
    let ran = run(&config).await.unwrap();
    assert!(ran.errors.is_empty(), "{:?}", ran.errors);
    let flow = &ran.receipt.flows[0];
    assert_eq!(flow.status, Status::Complete);
    assert_eq!((flow.books.read, flow.books.delivered), (6, 4));
    let rejected: Vec<_> = flow.books.rejected.iter().map(|(c, n)| (c.as_str(), *n)).collect();
    assert_eq!(rejected, [("contract.required", 1), ("rules.identifier", 1)]);
    let found: Vec<_> = flow
        .findings
        .iter()
        .map(|f| (f.field.as_str(), f.code.as_str(), f.rows, f.first))
        .collect();
    assert_eq!(
        found,
        [("name", "contract.length", 1, 6), ("sex_code", "contract.code_table", 1, 5)]
    );
    // Types and key are those of the contract: the amount is summed exactly, the target has a primary key.
    let amount = flow.columns.iter().find(|column| column.name == "amount").unwrap();
    assert_eq!(amount.sum.as_deref(), Some("15.40"));
    assert_eq!(flow.target.options["key"], "person_id");
    let contract = fenhe::contracts::Contract::load(&work.path("person.contract.toml")).unwrap();
    assert_eq!(flow.contract.as_deref(), Some(contract.hash()));

    let rejects = std::fs::read_to_string(work.path("out/rejects.ndjson")).unwrap();
    let rejects: Vec<serde_json::Value> =
        rejects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects.iter().map(|r| r["record"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(rejects[0]["field"], "person_id");
    // The row as the source has it, so that it can be corrected and sent again.
    let raw = hex::decode(rejects[0]["raw"].as_str().unwrap()).unwrap();
    let row: serde_json::Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(row["SFZH"], "110101190001010015");

    let database = Connection::open(work.path("out/platform.db")).unwrap();
    let names: Vec<String> = database
        .prepare("SELECT name FROM person ORDER BY amount")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(names, ["张三", "李四", "赵六", "欧阳修文一"]);
}

#[tokio::test]
async fn without_a_mapping_columns_are_taken_by_name() {
    let exchange = EXCHANGE.split("[flow.fields]").next().unwrap();
    let contract = CONTRACT
        .replace("\"person_id\"", "\"SFZH\"")
        .replace("\"name\"\ntitle", "\"XM\"\ntitle")
        .replace("\"amount\"", "\"JE\"");
    let (_work, config) = work(exchange, &contract);
    let ran = run(&config).await.unwrap();
    assert!(ran.errors.is_empty(), "{:?}", ran.errors);
    let flow = &ran.receipt.flows[0];
    let names: Vec<_> = flow.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["SFZH", "XM", "JE"]);
    assert_eq!(flow.left_out, ["XB"]);
}

#[tokio::test]
async fn a_mapping_that_does_not_serve_the_contract_is_found_before_anything_is_read() {
    // What is changed in the exchange, line and code of the error, a word of it.
    let cases = [
        ("name = \"XM\"", "nam = \"XM\"", 20, "contract.unknown", "did you mean name?"),
        ("name = \"XM\"\n", "", 19, "contract.unmapped", "requires name"),
        ("person.contract.toml", "persons.contract.toml", 13, "", "persons.contract.toml"),
    ];
    for (from, to, line, code, word) in cases {
        let at = EXCHANGE.replacen("name = \"XM\"", "\u{1}", 1);
        let text = match from.starts_with("name") {
            true => at.replace(if from.ends_with('\n') { "\u{1}\n" } else { "\u{1}" }, to),
            false => EXCHANGE.replace(from, to),
        };
        let (_work, config) = work(&text, CONTRACT);
        let error = config.check(&Registry::with_defaults()).unwrap_err();
        assert_eq!(error.line().map(|(line, _)| line), Some(line), "{error}");
        assert!(code.is_empty() || error.code() == code, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn another_type_than_the_contract_asks_for_is_refused() {
    let exchange =
        EXCHANGE.replace("amount = \"JE\"", "amount = { from = \"JE\", type = \"text\" }");
    let contract = CONTRACT.replace("totals = [\"amount\"]\n", "");
    let (_work, config) = work(&exchange, &contract);
    let ran = run(&config).await.unwrap();
    let (_, error) = &ran.errors[0];
    assert_eq!(error.code(), "contract.type", "{error}");
    // As a control total it is refused before the data are looked at.
    let (_work, config) = work(&exchange, CONTRACT);
    let error = config.check(&Registry::with_defaults()).unwrap_err();
    assert_eq!(error.code(), "contract.total", "{error}");
}

#[tokio::test]
async fn an_overlay_stands_for_its_contract() {
    let (work, _) = work(EXCHANGE, CONTRACT);
    work.write(
        "city.overlay.toml",
        "name = \"city\"\nversion = \"1\"\nbase = \"person.contract.toml\"\n\
         [[field]]\nname = \"sex_code\"\nseverity = \"reject\"\n",
    );
    let exchange = EXCHANGE.replace("person.contract.toml", "city.overlay.toml");
    let path = work.write("exchange.toml", exchange);
    let config = ExchangeConfig::load(&path).unwrap();
    let ran = run(&config).await.unwrap();
    let flow = &ran.receipt.flows[0];
    assert_eq!(flow.books.rejected.get("contract.code_table"), Some(&1));
    assert_eq!(flow.books.delivered, 3);

    work.write(
        "city.overlay.toml",
        "name = \"city\"\nversion = \"1\"\nbase = \"person.contract.toml\"\n\
         [[field]]\nname = \"name\"\nrequired = false\n",
    );
    let error = config.check(&Registry::with_defaults()).unwrap_err();
    assert_eq!(error.code(), "contract.contradiction");
    assert_eq!(error.line().map(|(line, _)| line), Some(13));
}
