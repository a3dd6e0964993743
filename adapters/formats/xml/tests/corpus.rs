//! Every document of the shared test data, accounted for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use bytes::Bytes;
use fenhe_core::{DecodeOptions, Error, Format, Input, Options};
use fenhe_testkit::format::{Decoded, decode};
use fenhe_testkit::shared;
use fenhe_xml::Xml;

fn xml(options: &[&str]) -> Xml {
    Xml::from_options(&Options::from_pairs(options.iter().copied()).unwrap()).unwrap()
}

/// Reads a document with any record path: all of it is checked to be well-formed.
fn read(bytes: &[u8], options: &[&str]) -> Result<Decoded, Error> {
    let format = xml(options);
    let bytes = Bytes::copy_from_slice(bytes);
    let decoder = format.decoder(DecodeOptions::default())?;
    let mut decoded = decode(decoder, vec![Input::Bytes(bytes), Input::EndOfStream]);
    match decoded.error.take() {
        Some(error) => Err(error),
        None => Ok(decoded),
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && path.file_name().unwrap() != "case.json")
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Names of the manifest and whether the suite calls them well-formed.
fn manifest(folder: &Path) -> Vec<(String, bool)> {
    let text = std::fs::read_to_string(folder.join("expected/manifest.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    list.iter().map(|c| (c["file"].as_str().unwrap().to_owned(), c["type"] != "not-wf")).collect()
}

/// Documents that are judged otherwise than by the suite, and why.
const DEVIATIONS: [(&str, &str); 1] = [(
    "valid-sa-012.xml",
    "an attribute called `:` is well-formed, but no qualified name, and names are read with namespaces",
)];

#[test]
fn the_w3c_suite_is_judged_as_it_says() {
    let Some(root) = shared::data("xml") else { return };
    let mut wrong = Vec::new();
    let mut count = 0;
    for folder in ["w3c_not_wf_sa", "w3c_valid_sa", "w3c_ns_basic"] {
        for (name, well_formed) in manifest(&root.join(folder)) {
            let bytes = std::fs::read(root.join(folder).join(&name)).unwrap();
            let result = read(&bytes, &["dtd=internal", "types=text"]);
            count += 1;
            let deviates = DEVIATIONS.iter().any(|(deviation, _)| *deviation == name);
            if result.is_ok() != (well_formed != deviates) {
                wrong.push(format!(
                    "{name}: well-formed {well_formed}, got {:?}",
                    result.map(|d| d.rows)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 73);
}

/// Whether libxml2 calls a document well-formed.
fn xmllint(folder: &Path) -> Vec<(String, bool)> {
    let text = std::fs::read_to_string(folder.join("expected/xmllint.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    list.iter().map(|c| (c["file"].as_str().unwrap().to_owned(), c["wellformed"] == true)).collect()
}

#[test]
fn other_documents_are_judged_as_libxml2_does_but_nothing_outside_is_opened() {
    let Some(root) = shared::data("xml") else { return };
    let mut count = 0;
    for folder in ["defused_bombs", "libxml2_basic", "quickxml_encodings"] {
        let folder = root.join(folder);
        let judged = xmllint(&folder);
        for (name, bytes) in files(&folder) {
            let well_formed =
                judged.iter().find(|(judged, _)| *judged == name).is_some_and(|(_, good)| *good);
            let result = read(&bytes, &["dtd=internal", "types=text"]);
            count += 1;
            if ["external.xml", "ent2"].contains(&name.as_str()) {
                let error = result.unwrap_err();
                assert!(error.message().contains("never opened"), "{name}: {error}");
                assert_eq!(error.code(), "xml.entity", "{name}");
            } else if name == "xmlbomb.xml" {
                // Defused: its 640 characters are within the limits once entities are asked for.
                assert_eq!(result.unwrap().rows[0].len(), 640 + "{'#text':''}".len());
            } else {
                assert_eq!(result.is_ok(), well_formed, "{name}: {:?}", result.map(|d| d.rows));
            }
            let declares = bytes.windows(9).any(|w| w == b"<!DOCTYPE");
            let strict = read(&bytes, &["types=text"]);
            if declares {
                assert_eq!(strict.unwrap_err().code(), "xml.doctype_forbidden", "{name}");
            }
        }
    }
    assert_eq!(count, 29);
}

#[test]
fn legacy_encodings_are_refused_for_their_names_and_not_for_their_characters() {
    // These documents hold an attribute without a value and names with two colons; libxml2 refuses them too.
    let Some(root) = shared::data("xml") else { return };
    for name in ["windows-1251", "windows-1252", "KOI8-R", "ISO-8859-2", "Shift_JIS"] {
        let bytes = std::fs::read(root.join(format!("quickxml_encodings/{name}.xml"))).unwrap();
        let error = read(&bytes, &[]).unwrap_err();
        let expected = if name == "Shift_JIS" { "core.limit" } else { "xml.attribute" };
        assert_eq!((error.code(), error.line()), (expected, Some((3, 1))), "{name}: {error}");
    }
}

#[test]
fn the_texts_of_libxml2_and_of_the_canonical_forms_come_out() {
    let Some(root) = shared::data("xml") else { return };
    let row = |name: &str, options: &[&str]| {
        let options = [&["types=text", "dtd=internal"], options].concat();
        let decoded = read(&std::fs::read(root.join(name)).unwrap(), &options).unwrap();
        serde_json::from_str::<serde_json::Value>(&decoded.rows[0]).unwrap()
    };
    // expected/*.c14n.xml: <project name="project-name">
    for name in ["utf8-bom", "utf16le-bom", "utf16be-bom"] {
        assert_eq!(row(&format!("quickxml_encodings/{name}.xml"), &[])["@name"], "project-name");
    }
    // libxml2_basic/expected
    let cdata = row("libxml2_basic/cdata", &[]);
    assert_eq!(cdata["#text"], "\n<greeting>Hello, world!</greeting>\n");
    assert_eq!(row("libxml2_basic/isolat1", &[])["#text"], "l\u{e0}");
    assert_eq!(row("libxml2_basic/ent1", &["trim=both"])["#text"], "Extensible Markup Language");
    let slash = row("libxml2_basic/slashdot.xml", &[]);
    assert_eq!(
        (slash["author"].as_str(), slash["section"].as_str()),
        (Some("CmdrTaco"), Some("articles"))
    );
    let dav =
        ["namespaces=D=http://www.ietf.org/standards/dav/", "record=/D:multistatus/D:response"];
    let dav = row("libxml2_basic/dav1", &dav);
    assert_eq!(dav["prop"]["author"]["Name"], "J.J. Dingleheimerschmidt");
    assert_eq!(dav["status"], "HTTP/1.1 200 OK");
    // w3c_valid_sa/expected: entities with markup in them are parsed.
    assert_eq!(row("w3c_valid_sa/valid-sa-024.xml", &[])["foo"], "");
    assert_eq!(row("w3c_valid_sa/valid-sa-020.xml", &[])["#text"], "<&]>]");
    assert_eq!(row("w3c_valid_sa/valid-sa-008.xml", &[])["#text"], "&<>\"'");
}
