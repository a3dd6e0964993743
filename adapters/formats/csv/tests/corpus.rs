//! Every delimited file of the shared test data against what an independent reader (Python's `csv`, glibc `iconv`) says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use fenhe_core::{DecodeOptions, Format, Options};
use fenhe_csv::Csv;
use fenhe_testkit::format::{Decoded, decode};
use serde_json::Value;

/// Records with other numbers of fields than the rest are rejects here, while Python returns them; and blank lines are
/// nothing here, while Python returns an empty list. Both are told from the rows that Python returned.
fn agrees(name: &str, bytes: Vec<u8>, options: &[String], rows: &[Vec<String>]) {
    let fields = usual(rows);
    let wanted: Vec<&Vec<String>> = rows.iter().filter(|row| row.len() == fields).collect();
    let refused = rows.iter().filter(|row| row.len() != fields && !row.is_empty()).count();
    let got = read(bytes, options);
    assert!(got.error.is_none(), "{name}: {:?}", got.error);
    let found: Vec<Vec<String>> = got.batches.iter().flat_map(texts).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{name}");
    assert_eq!(got.rejects.len(), refused, "{name}: rejects");
    assert!(
        got.rejects.iter().all(|r| r.fault.code == "csv.fields"),
        "{name}: {:?}",
        got.rejects.first().map(ToString::to_string)
    );
}

#[test]
fn every_case_of_the_shared_data_reads_as_the_independent_reader_says() {
    let Some(folder) = fenhe_testkit::shared::data("csv") else { return };
    let (mut files, mut cases) = (0, 0);
    let mut entries: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    entries.sort();
    for case in entries {
        let before = files;
        files += rows_of(&case) + characters_of(&case) + prose_of(&case);
        assert!(files > before, "{}: nothing was checked", case.display());
        cases += 1;
    }
    println!("{cases} cases, {files} files agree");
    assert!(cases >= 16 && files >= 31, "the shared data hold at least 16 cases and 31 files");
}

#[test]
fn every_case_of_the_own_corpus_reads_as_the_independent_reader_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let cases = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let files: usize = cases.map(|case| rows_of(&case)).sum();
    assert_eq!(files, 17);
}

/// Files with `rows.json`.
fn rows_of(case: &Path) -> usize {
    let mut checked = 0;
    for expected in listing(&case.join("expected"), ".rows.json") {
        let name = expected
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rows.json")
            .to_owned();
        let json: Value = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
        let rows: Vec<Vec<String>> = serde_json::from_value(json["rows"].clone()).unwrap();
        // The dialect is that of the reader: escapes only by doubling, whatever stands behind a closing quote is kept.
        let mut options = vec![
            "types=text".to_owned(),
            "header=false".to_owned(),
            "escape=doubled".to_owned(),
            "stray_quotes=keep".to_owned(),
            format!(
                "encoding={}",
                json["encoding"].as_str().unwrap().replace("utf-8-sig", "utf-8")
            ),
            format!("delimiter={}", json["dialect"]["delimiter"].as_str().unwrap_or(",")),
        ];
        let unquoted = json["dialect"]["quoting"].as_i64() == Some(3);
        options.push(if unquoted { "quote=none".into() } else { "quote=\"".into() });
        agrees(&name, fs::read(case.join(&name)).unwrap(), &options, &rows);
        checked += 1;
    }
    checked
}

/// Files with one character a line, as a code page test.
fn characters_of(case: &Path) -> usize {
    let description: Value =
        serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
    if description["options"]["decode_only"] != true {
        return 0;
    }
    let encoding = description["options"]["encoding"].as_str().unwrap();
    let mut checked = 0;
    for expected in listing(&case.join("expected"), ".utf8.txt") {
        let name = expected
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".utf8.txt")
            .to_owned();
        let wanted = fs::read_to_string(&expected).unwrap();
        let options = [
            "types=text",
            "header=false",
            "delimiter=none",
            "quote=none",
            "line_end=lf",
            "blank_lines=record",
        ];
        let options: Vec<String> = options
            .iter()
            .map(ToString::to_string)
            .chain([format!("encoding={encoding}")])
            .collect();
        let got = read(fs::read(case.join(&name)).unwrap(), &options);
        assert!(got.error.is_none(), "{name}: {:?}", got.error);
        let found: Vec<String> =
            got.batches.iter().flat_map(texts).map(|mut row| row.remove(0)).collect();
        let lines: Vec<&str> = wanted
            .strip_suffix('\n')
            .unwrap_or(&wanted)
            .split('\n')
            .map(|l| l.strip_suffix('\r').unwrap_or(l))
            .collect();
        let differ = differences(&found, &got, &lines);
        println!(
            "{name}: {} of {} characters as iconv has them",
            lines.len() - differ,
            lines.len()
        );
        assert!(differ * 200 <= lines.len(), "{name}: {differ} of {} lines differ", lines.len());
        checked += 1;
    }
    checked
}

/// Text of one column: the same text, and the same bytes again.
fn prose_of(case: &Path) -> usize {
    let mut checked = 0;
    for expected in listing(&case.join("expected"), "-utf8.txt") {
        let encoding = expected
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches("-utf8.txt")
            .to_owned();
        let bytes = fs::read(case.join(format!("{encoding}.txt"))).unwrap();
        let options = ["types=text", "header=false", "delimiter=none", "quote=none"];
        let options: Vec<String> = options
            .iter()
            .map(ToString::to_string)
            .chain([format!("encoding={encoding}")])
            .collect();
        let format =
            Csv::from_options(&Options::from_pairs(options.iter().map(String::as_str)).unwrap())
                .unwrap();
        let got = read(bytes.clone(), &options);
        let found: Vec<String> =
            got.batches.iter().flat_map(texts).map(|mut row| row.remove(0)).collect();
        let wanted = fs::read_to_string(&expected).unwrap();
        let differ =
            found.iter().zip(wanted.lines()).filter(|(found, wanted)| found != wanted).count();
        assert_eq!(found.len(), wanted.lines().count(), "{encoding}");
        // Syllables spelled as jamo behind a filler (KS X 1001, annex 3) stay jamo: composing them would lose the bytes.
        assert_eq!(differ, usize::from(encoding == "euc_kr"), "{encoding}: lines that differ");
        let schema = got.schema.unwrap();
        let mut encoder = format
            .encoder(fenhe_core::EncodeOptions { schema, limits: fenhe_core::Limits::default() })
            .unwrap();
        let mut out = bytes::BytesMut::new();
        for batch in &got.batches {
            assert!(encoder.encode(batch, &mut out).unwrap().is_empty(), "{encoding}");
        }
        encoder.finish(&mut out).unwrap();
        assert_eq!(out, bytes, "{encoding}: encoded again");
        checked += 1;
    }
    checked
}

/// Lines that differ, by their place: rejected records are lines too.
fn differences(found: &[String], got: &Decoded, lines: &[&str]) -> usize {
    let mut by_number = vec![None; lines.len()];
    for (text, number) in found.iter().zip(&got.numbers) {
        if let Some(place) = by_number.get_mut(usize::try_from(*number).unwrap() - 1) {
            *place = Some(text.as_str());
        }
    }
    by_number.iter().zip(lines).filter(|(found, wanted)| **found != Some(**wanted)).count()
}

fn read(bytes: Vec<u8>, options: &[String]) -> Decoded {
    let options = Options::from_pairs(options.iter().map(String::as_str)).unwrap();
    let format = Csv::from_options(&options).unwrap();
    let decoder = format.decoder(DecodeOptions::default()).unwrap();
    decode(decoder, vec![fenhe_core::Input::Bytes(bytes.into()), fenhe_core::Input::EndOfStream])
}

/// Raw strings: a null is an empty field.
fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let columns: Vec<_> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
    let cell = |column: &arrow_array::StringArray, row: usize| {
        if column.is_null(row) { String::new() } else { column.value(row).to_owned() }
    };
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| cell(column, row)).collect())
        .collect()
}

fn usual(rows: &[Vec<String>]) -> usize {
    let count = |fields: usize| rows.iter().filter(|row| row.len() == fields).count();
    rows.iter().map(Vec::len).filter(|n| *n > 0).max_by_key(|n| count(*n)).unwrap_or(1)
}

fn listing(folder: &Path, suffix: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.to_str().unwrap().ends_with(suffix))
        .collect();
    paths.sort();
    paths
}
