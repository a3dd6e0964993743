use fenhe::{Control, ExchangeConfig, Registry, Settings, Status};

use crate::support::{SCHEMA, Work, people};

const CONFIG: &str = r#"
name = "people"
rejects = "out/rejects.ndjson"
receipt = "out/receipt.json"

[budget]
percent = 2

[[flow]]
name = "person"
from = "people.csv"
to = "out/person.csv"

[flow.read]
schema = "schema.toml"

[flow.fields]
person_id = "id"
amount = { from = "fee", type = "text", title = "金额" }
"#;

async fn run(work: &Work, text: &str) -> fenhe::core::Result<fenhe::Ran> {
    let path = work.write("exchange.toml", text);
    let config = ExchangeConfig::load(&path)?;
    let flows = config.prepare(&Registry::with_defaults(), &Settings::default()).await?;
    config.run(&flows, &Control::default()).await
}

#[tokio::test]
async fn a_configuration_runs_and_a_second_time_delivers_nothing() {
    let work = Work::new();
    work.write("people.csv", people(1_000));
    work.write("schema.toml", SCHEMA);
    let ran = run(&work, CONFIG).await.unwrap();
    assert!(ran.errors.is_empty(), "{:?}", ran.errors);
    assert_eq!((ran.receipt.status, ran.receipt.exit_code()), (Status::Complete, 0));
    assert_eq!(ran.receipt.flows[0].left_out, ["name"]);
    let text = std::fs::read_to_string(work.path("out/person.csv")).unwrap();
    assert!(text.starts_with("person_id,amount\n1,1.01\n"), "{text:.60}");
    let read: fenhe::Receipt =
        serde_json::from_str(&std::fs::read_to_string(work.path("out/receipt.json")).unwrap())
            .unwrap();
    assert_eq!(read, ran.receipt);
    let again = run(&work, CONFIG).await.unwrap();
    assert_eq!(again.receipt.flows[0].status, Status::AlreadyDelivered);
    std::fs::remove_file(work.path("out/person.csv")).unwrap();
    let restored = run(&work, CONFIG).await.unwrap();
    assert_eq!(restored.receipt.status, Status::Complete);
    assert!(work.path("out/person.csv").exists());
}

#[tokio::test]
async fn a_wrong_column_is_reported_at_its_line() {
    let work = Work::new();
    work.write("people.csv", people(10));
    work.write("schema.toml", SCHEMA);
    let ran = run(&work, &CONFIG.replace("from = \"fee\"", "from = \"feee\"")).await.unwrap();
    let (flow, error) = &ran.errors[0];
    assert_eq!((flow.as_str(), error.code()), ("person", "mapping.unknown"));
    assert_eq!(error.line(), Some((19, 1)), "{error}");
    assert!(error.to_string().contains("did you mean fee?"), "{error}");
    assert_eq!(ran.receipt.status, Status::Failed);
}

#[tokio::test]
async fn a_missing_file_is_reported_at_its_line() {
    let work = Work::new();
    work.write("schema.toml", SCHEMA);
    let error = run(&work, CONFIG).await.unwrap_err();
    assert_eq!(error.line(), Some((11, 8)), "{error}");
    assert_eq!(error.kind(), fenhe::core::Kind::NotFound);
}

const MAPPED: &str = r#"
name = "people"
rejects = "out/rejects.ndjson"
receipt = "out/receipt.json"

[[flow]]
name = "person"
from = "people.csv"
to = "out/person.csv"
mapping = "person.mapping.toml"

[flow.read]
types = "text"
"#;

const MAPPING: &str = r#"
[fields]
id = { from = "ID", steps = ["plain_id", "upgrade_id"] }
town = { from = "TOWN", steps = [{ lookup = "towns.csv", by = "old", give = "new", otherwise = "keep" }] }
link = { from = "ID", steps = [{ hash = "hmac-sha256", key = "file:key.txt" }] }
"#;

#[tokio::test]
async fn a_mapping_file_with_a_lookup_and_a_key_runs() {
    let work = Work::new();
    work.write("people.csv", "ID,TOWN\n110101491001001,01\n99990120000229003X,77\n");
    work.write("towns.csv", "old,new\n01,Alpha\n02,Beta\n");
    work.write("key.txt", "testAppSecret0123456789abcdef\n");
    work.write("person.mapping.toml", MAPPING);
    let ran = run(&work, MAPPED).await.unwrap();
    assert!(ran.errors.is_empty(), "{:?}", ran.errors);
    let text = std::fs::read_to_string(work.path("out/person.csv")).unwrap();
    // printf 110101491001001 | openssl dgst -sha256 -hmac testAppSecret0123456789abcdef
    let link = "6e0684497063c8bc8c99f03cf3fbab9903843fc7ce22abc5cac7b03d7ed07fce";
    assert!(text.contains(&format!("11010119491001001X,Alpha,{link}\n")), "{text}");
    assert!(text.contains("99990120000229003X,77,"), "{text}");
    let notes = &ran.receipt.flows[0].notes;
    assert!(notes.iter().any(|note| note.starts_with("town: left as it was")), "{notes:?}");
    assert!(!format!("{:?}", ran.receipt).contains("testAppSecret"));
}

#[tokio::test]
async fn an_error_in_a_mapping_file_is_reported_at_its_line() {
    let work = Work::new();
    work.write("people.csv", "ID,TOWN\n1,01\n");
    work.write("towns.csv", "old,new\n01,Alpha\n");
    work.write("key.txt", "testAppSecret0123456789abcdef\n");
    work.write("person.mapping.toml", MAPPING.replace("\"TOWN\"", "\"TWON\""));
    let ran = run(&work, MAPPED).await.unwrap();
    let error = &ran.errors[0].1;
    assert_eq!((error.code(), error.line()), ("mapping.unknown", Some((4, 1))), "{error}");
    assert!(error.to_string().contains("person.mapping.toml"), "{error}");
    work.write("person.mapping.toml", MAPPING.replace("\"plain_id\"", "\"plainid\""));
    let error = run(&work, MAPPED).await.unwrap_err();
    assert_eq!((error.code(), error.line()), ("mapping.toml", Some((3, 30))), "{error}");
    std::fs::remove_file(work.path("key.txt")).unwrap();
    work.write("person.mapping.toml", MAPPING);
    let error = run(&work, MAPPED).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.line()),
        (fenhe::core::Kind::NotFound, Some((5, 1))),
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains("person.mapping.toml") && text.contains("link: "), "{text}");
}
