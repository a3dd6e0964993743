//! The built program: exit codes, what goes to which stream, and what is left behind.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod books;
mod convert;
mod memo;
mod run;
mod usage;
#[path = "../work/mod.rs"]
mod work;

use std::fmt::Write as _;
use std::path::Path;

use work::Work;

/// Rows of id, name, fee; one in `broken` has letters in its fee.
pub(crate) fn people(n: usize, broken: usize) -> String {
    let mut text = String::from("id,name,fee\n");
    for i in 1..=n {
        let fee =
            if i % broken == 0 { "x".to_owned() } else { format!("{}.{:02}", i % 977, i % 100) };
        writeln!(text, "{i},张{i},{fee}").unwrap();
    }
    text
}

pub(crate) const SCHEMA: &str = "[[field]]\nname = \"id\"\ntype = \"int64\"\n\
    [[field]]\nname = \"name\"\ntype = \"text\"\n\
    [[field]]\nname = \"fee\"\ntype = \"decimal(12,2)\"\n";

pub(crate) const EXCHANGE: &str = r#"
name = "people"
rejects = "out/rejects.ndjson"
receipt = "out/receipt.json"

[budget]
rejects = 100

[[flow]]
name = "person"
from = "in.csv"
to = "sqlite:out/platform.db#person"

[flow.read]
schema = "schema.toml"

[flow.write]
key = ["person_id"]

[flow.fields]
person_id = { from = "id", required = true, title = "编号" }
name = "name"
fee = "fee"
"#;

pub(crate) fn rows(db: &Path) -> (i64, i64) {
    let db = rusqlite::Connection::open(db).unwrap();
    let query = "SELECT count(*), count(DISTINCT person_id) FROM person";
    db.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

pub(crate) fn exchange(n: usize) -> Work {
    let work = Work::new();
    work.write("in.csv", people(n, 1_000));
    work.write("schema.toml", SCHEMA);
    work.write("exchange.toml", EXCHANGE);
    std::fs::create_dir_all(work.path("out")).unwrap();
    work
}
