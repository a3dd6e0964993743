//! Code tables of a contract, inside it or in files of their own.

use fenhe_core::{Error, Kind, Located};
use fenhe_rules::{Code, CodeTable};
use serde::Deserialize;

use super::at;
use crate::draft::{Draft, TableText};
use crate::text::{Step, Tables, Wrong, key};

/// The tables of a contract, with the content of files in place of their names.
pub(super) fn tables(draft: &mut Draft, files: &dyn Tables) -> Result<Vec<CodeTable>, Wrong> {
    let mut tables: Vec<CodeTable> = Vec::new();
    for (index, text) in draft.table.iter_mut().enumerate() {
        let path = |name: &str| vec![key("table"), Step::At(index), key(name)];
        if tables.iter().any(|other| other.name() == text.name) {
            let message = format!("two tables are called {}", text.name);
            return Err(Wrong::new(path("name"), "contract.table", message));
        }
        if let Some(file) = text.file.take() {
            if !text.code.is_empty() {
                let message = "codes stand here or in a file, not both";
                return Err(Wrong::new(path("file"), "contract.table", message));
            }
            let bytes = files.read(&file).map_err(|error| at(path("file"), error))?;
            from_file(text, &file, &bytes).map_err(|error| at(path("file"), error))?;
        }
        if text.code.is_empty() {
            let message = format!("table {} has no codes", text.name);
            return Err(Wrong::new(path("name"), "contract.table", message));
        }
        let table = CodeTable::new(&text.name, &text.source, text.code.clone())
            .map_err(|error| at(path("code"), error))?;
        text.code = table.codes().to_vec();
        tables.push(table);
    }
    Ok(tables)
}

/// A file of codes: the keys of a table, of which the name is optional.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    #[serde(default)]
    #[allow(dead_code, reason = "the name counts that the contract gives")]
    name: String,
    #[serde(default)]
    source: String,
    code: Vec<Code>,
}

fn from_file(table: &mut TableText, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Error::new(Kind::Config, "contract.encoding", "the table is not UTF-8").source_name(name)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let located = Located::new(name, text);
    let file: TableFile = if name.ends_with(".json") {
        serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line() as u64, error.column() as u64);
            located.reader(None, "contract.json", &error.to_string()).at_line(line, column)
        })?
    } else {
        toml::from_str(text).map_err(|e| located.reader(e.span(), "contract.toml", e.message()))?
    };
    if table.source.is_empty() {
        table.source = file.source;
    }
    table.code = file.code;
    Ok(())
}
