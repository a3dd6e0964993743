//! `fenhe check` on contracts and overlays, `fenhe fit`: exit codes and what goes to which stream.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn fenhe(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fenhe")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/registry");
    root.join(name).display().to_string()
}

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_contracts_of_the_example_are_sound() {
    for name in ["resident.contract.toml", "fee.contract.toml", "city.overlay.toml"] {
        let (code, out, err) = fenhe(&["check", &example(name)]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        // A reviewer of the catalogue would send nothing back.
        assert!(!out.contains("catalogue:"), "{out}");
    }
}

#[test]
fn two_versions_are_compared_and_the_version_has_to_tell() {
    let folder = tempfile::tempdir().unwrap();
    let old = std::fs::read_to_string(example("fee.contract.toml")).unwrap();
    let changed = old.replace("type = \"n12,2\"", "type = \"n10,2\"");
    let before = write(&folder, "1.contract.toml", &old);
    let silent = write(&folder, "2.contract.toml", &changed.replace("1.0.0", "1.0.1"));
    let (code, out, err) = fenhe(&["check", &before, &silent]);
    assert_eq!(code, 2);
    assert!(out.contains("BREAKS SUPPLIERS"), "{out}");
    assert!(err.contains("major"), "{err}");
    let loud = write(&folder, "3.contract.toml", &changed.replace("1.0.0", "2.0.0"));
    let (code, out, _) = fenhe(&["check", "--json", &before, &loud]);
    assert_eq!(code, 0);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["changes"][0]["breaks_suppliers"], true);
    assert_eq!(found["needed"], "major");
}

#[test]
fn an_overlay_that_contradicts_is_an_error_with_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let base = std::fs::read_to_string(example("resident.contract.toml")).unwrap();
    write(&folder, "resident.contract.toml", &base);
    let overlay = "name = \"x\"\nversion = \"1\"\nbase = \"resident.contract.toml\"\n\
                   [[field]]\nname = \"name\"\ntype = \"c..80\"\n";
    let (code, out, err) = fenhe(&["check", &write(&folder, "x.overlay.toml", overlay)]);
    assert_eq!((code, out.as_str()), (2, ""));
    for word in ["CONTRADICTS", "0 to 80 chars", "contract.contradiction"] {
        assert!(err.contains(word), "{err}");
    }
}

#[test]
fn contracts_and_overlays_in_json_are_checked_like_those_in_toml() {
    let folder = tempfile::tempdir().unwrap();
    let json = r#"{"name": "fee", "version": "1", "field": [{"name": "amount", "type": "n12,2"}]}"#;
    let one = write(&folder, "v1.json", json);
    let (code, out, err) = fenhe(&["check", &one]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("n12,2"), "{out}");
    // Whatever its name, and compared with TOML.
    let two = write(&folder, "v2", &json.replace("n12,2", "n14,2").replace("\"1\"", "\"2\""));
    let (code, out, _) = fenhe(&["check", &one, &two]);
    assert_eq!(code, 0);
    assert!(out.contains("BREAKS READERS"), "{out}");
    let overlay = r#"{"name": "city", "version": "1", "base": "v1.json", "field": [{"name": "amount", "type": "n10,2"}]}"#;
    let (code, out, err) = fenhe(&["check", &write(&folder, "city.json", overlay)]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("narrows"), "{out}");
    let (code, _, err) =
        fenhe(&["check", &write(&folder, "bad.json", &json.replace("type", "typ"))]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean type?") && err.contains("line 1"), "{err}");
}

#[test]
fn the_fit_report_counts_what_the_generator_broke() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("fit.html").display().to_string();
    let (grid, contract) = (example("data/GRID.CSV"), example("resident.contract.toml"));
    let register = format!("公安人口库={}", example("data/RK.DBF"));
    let day = "2026-11-23";
    let (code, out, err) = fenhe(&[
        "fit",
        &grid,
        "--contract",
        &contract,
        "--also",
        &register,
        "--html",
        &page,
        "--day",
        day,
        "--json",
    ]);
    assert_eq!((code, err.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&out).unwrap();
    let fit = &report["contracts"][0];
    let counts = ["supplied", "derivable", "conflicting", "missing"]
        .map(|s| fit["counts"][s].as_u64().unwrap());
    assert_eq!(counts, [2, 4, 0, 3]);
    // examples/make_registry.rs: five numbers typed wrong, two names left out, one amount and one sex in words.
    let quality = |field: &str, code: &str| {
        let rules = fit["quality"].as_array().unwrap();
        let rule = rules.iter().find(|q| q["field"] == field && q["code"] == code).unwrap();
        rule["examples"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(quality("person_id", "rules.identifier"), [7, 33, 58, 90, 111]);
    assert_eq!(quality("name", "contract.required"), [16, 85]);
    assert_eq!(quality("income", "mapping.cast"), [70]);
    assert_eq!(quality("sex_code", "mapping.code"), [49]);
    let region =
        fit["items"].as_array().unwrap().iter().find(|i| i["name"] == "region_code").unwrap();
    assert_eq!(region["elsewhere"][0]["column"], "XZQH");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("无需重复采集"));

    let (code, out, _) = fenhe(&["fit", &grid, "--contract", &contract, "--day", day]);
    assert_eq!(code, 0);
    assert!(out.contains("[flow.fields]"), "{out}");
    assert!(out.contains("111 can be delivered, 111 of them"), "{out}");
    // The sheet has no region code: as soon as it is required, no row can be delivered without more.
    let text = std::fs::read_to_string(&contract).unwrap();
    let region = "name = \"region_code\"\n";
    assert!(text.contains(region), "{text}");
    let stricter = text.replace(region, &format!("{region}required = true\n"));
    let stricter = write(&folder, "stricter.contract.toml", &stricter);
    let (code, out, _) = fenhe(&["fit", &grid, "--contract", &stricter, "--day", day]);
    assert_eq!(code, 0);
    assert!(out.contains("can be delivered once 1 required item is settled, "), "{out}");
    for wrong in [["--contract", "nowhere.toml"], ["--mapping", "nowhere.toml"]] {
        let args = ["fit", &grid, "--contract", &contract, wrong[0], wrong[1]];
        let (code, out, err) = fenhe(&args);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("nowhere.toml"), "{err}");
    }
    let (code, _, err) = fenhe(&["fit", &grid, "--contract", &contract, "--day", "2026-13-01"]);
    assert_eq!(code, 2, "{err}");
}
