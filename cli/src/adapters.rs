use fenhe::Registry;
use fenhe::core::Result;
use serde_json::json;

use crate::out;
use crate::table::Table;

/// List the formats and places of this build
#[derive(clap::Args)]
pub(crate) struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn adapters(args: &Args) -> Result<u8> {
    let registry = Registry::with_defaults();
    if args.json {
        let places: Vec<_> = registry
            .schemes()
            .map(|s| json!({"scheme": s.name, "title": s.title, "read": s.read, "write": s.write, "options": s.options}))
            .collect();
        out::json(&json!({"formats": registry.formats().collect::<Vec<_>>(), "places": places}))?;
        return Ok(0);
    }
    let mut formats = Table::new(&["format", "", "extensions", "version"]);
    for info in registry.formats() {
        formats.row([
            info.name.into(),
            abilities(info.read, info.write),
            info.extensions.join(" "),
            info.version.into(),
        ]);
    }
    let mut places = Table::new(&["place", "", ""]);
    for scheme in registry.schemes() {
        places.row([
            format!("{}:", scheme.name),
            abilities(scheme.read, scheme.write),
            scheme.title.clone(),
        ]);
    }
    out::data(&format!("{}\n{}", formats.text(0), places.text(0)))?;
    Ok(0)
}

fn abilities(read: bool, write: bool) -> String {
    match (read, write) {
        (true, true) => "read, write",
        (true, false) => "read",
        (false, true) => "write",
        (false, false) => "",
    }
    .into()
}
