//! Files and flows that the tests share.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use fenhe::core::{Exchange, Limits, Options, WriteMode};
use fenhe::{
    Control, Ended, Fields, Flow, KeepRows, MadeBy, Opening, Output, Place, Policy, Registry,
    RejectFile, SourceEnd, pump,
};

/// `n` rows of id, name and fee; every hundredth (from the fiftieth on) has letters for a fee.
pub fn people(n: usize) -> String {
    let mut text = String::from("id,name,fee\n");
    for i in 1..=n {
        let fee =
            if i % 100 == 50 { "x1.00".into() } else { format!("{}.{:02}", i % 900, i % 100) };
        // Quoted line ends and commas: what a naive cut would break.
        let name = if i % 7 == 3 { format!("\"欧阳,{i}\n二行\"") } else { format!("张{i}") };
        writeln!(text, "{i},{name},{fee}").unwrap();
    }
    text
}

/// Lines of a schema file that types [`people`].
pub const SCHEMA: &str = "\
[[field]]\nname = \"id\"\ntype = \"int64\"\n\
[[field]]\nname = \"name\"\ntype = \"text\"\n\
[[field]]\nname = \"fee\"\ntype = \"decimal(12,2)\"\n";

pub struct Work {
    pub folder: tempfile::TempDir,
}

impl Work {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A CSV file of people, read with the schema and in small batches.
    pub async fn people(&self, n: usize) -> SourceEnd {
        self.write("people.csv", people(n));
        self.source("people.csv", 1).await
    }

    pub async fn source(&self, name: &str, threads: usize) -> SourceEnd {
        self.write("schema.toml", SCHEMA);
        let mut options = Options::new();
        options.set("schema", "schema.toml").set("header", true);
        let opening = Opening {
            format: Some("csv".into()),
            options,
            threads,
            limits: limits(),
            append: false,
        };
        let place = Place::relative_to(name, self.folder.path());
        Registry::with_defaults().source(&place, &opening).await.unwrap()
    }

    pub fn flow(&self, source: &SourceEnd, target: Arc<dyn Exchange>, mode: WriteMode) -> Flow {
        Flow {
            name: "people".into(),
            pipeline: "test/people".into(),
            plan: "plan 1".into(),
            source: source.input.clone(),
            target: Output {
                exchange: target,
                dataset: "person".into(),
                name: "memory".into(),
                mode,
                key: if mode == WriteMode::Upsert { vec!["id".into()] } else { vec![] },
                present: true,
            },
            fields: Fields::default(),
            columns: None,
            policy: Policy::default(),
            rejects: Some(RejectFile { path: self.path("rejects.ndjson"), fresh: false }),
            ledger: None,
            rows: KeepRows::Each,
            replay: None,
            made_by: MadeBy::default(),
            limits: limits(),
        }
    }

    pub fn reject_lines(&self) -> Vec<fenhe::Rejected> {
        let text = std::fs::read_to_string(self.path("rejects.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub fn limits() -> Limits {
    Limits { batch_rows: 50, ..Limits::default() }
}

pub async fn run(flow: &Flow) -> Ended {
    pump(flow, &Control::default()).await
}
