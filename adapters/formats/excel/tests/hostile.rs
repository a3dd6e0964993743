//! Files made to exhaust memory or to abort: each ends as an error that says what was exceeded or broken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Input, Limits, Options};
use fenhe_excel::Excel;
use fenhe_testkit::format::{Decoded, decode};
use flate2::Compression;
use flate2::write::DeflateEncoder;

const NS: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";

/// A zip archive with right check sums, deflated.
fn zip(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, body) in parts {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(body).unwrap();
        let packed = deflate.finish().unwrap();
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(body);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        common.extend(hasher.finalize().to_le_bytes());
        common.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        common.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        let at = u32::try_from(out.len()).unwrap();
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn book(sheet: &[u8], strings: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    vec![
        ("_rels/.rels", format!("<Relationships><Relationship Id=\"r\" Type=\"{rel}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>").into_bytes()),
        ("xl/workbook.xml", format!("<workbook {NS}><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>").into_bytes()),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships><Relationship Id=\"a\" Type=\"{rel}/worksheet\" Target=\"worksheets/s.xml\"/><Relationship Id=\"b\" Type=\"{rel}/sharedStrings\" Target=\"t.xml\"/></Relationships>").into_bytes()),
        ("xl/worksheets/s.xml", sheet.to_vec()),
        ("xl/t.xml", strings.to_vec()),
    ]
}

fn sheet(rows: &str) -> Vec<u8> {
    format!("<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>").into_bytes()
}

fn strings(inside: &str) -> Vec<u8> {
    format!("<sst {NS} count=\"4000000000\" uniqueCount=\"4000000000\">{inside}</sst>").into_bytes()
}

fn row(cells: &str) -> String {
    format!("<row r=\"1\">{cells}</row>")
}

fn read(bytes: Vec<u8>, limits: &Limits, options: &[&str]) -> Decoded {
    let options = Options::from_pairs(options.iter().copied()).unwrap();
    let open = DecodeOptions { limits: limits.clone(), ..Default::default() };
    let decoder = Excel::from_options(&options).unwrap().decoder(open).unwrap();
    decode(decoder, vec![Input::Object(Arc::new(Bytes::from(bytes))), Input::EndOfStream])
}

fn says(name: &str, bytes: Vec<u8>, limits: &Limits, options: &[&str], word: &str) {
    let got = read(bytes, limits, options);
    let error = got.error.unwrap_or_else(|| panic!("{name}: no error, {} rows", got.rows.len()));
    assert!(error.to_string().contains(word), "{name}: {error}");
    assert!(error.offset().is_some(), "{name}: no place: {error}");
}

#[test]
fn what_is_too_large_names_its_limit() {
    let small = Limits::default();
    let blank = || sheet(&row("<c r=\"A1\"><v>1</v></c>"));
    let none = || strings("");
    let spaces = |n: usize| " ".repeat(n);
    let tight = |f: fn(&mut Limits)| {
        let mut limits = Limits::default();
        f(&mut limits);
        limits
    };
    type Large<'a> = (&'a str, Vec<(&'a str, Vec<u8>)>, Limits, Vec<&'a str>, &'a str);
    let cases: Vec<Large<'_>> = vec![
        ("a sheet of blanks", book(&sheet(&spaces(8 << 20)), &none()), small.clone(), vec![], "inflate_ratio"),
        ("strings of blanks", book(&blank(), &strings(&spaces(8 << 20))), small.clone(), vec![], "inflate_ratio"),
        ("one huge string", book(&blank(), &strings(&format!("<si><t>{}</t></si>", "a".repeat(8 << 20)))), small.clone(), vec![], "inflate_ratio"),
        ("a huge prolog", book(&[&b"<worksheet>"[..], &spaces(8 << 20).into_bytes()].concat(), &none()), small.clone(), vec![], "inflate_ratio"),
        ("an entry too large", book(&sheet(&spaces(300_000)), &none()), tight(|l| l.inflated_entry = 100_000), vec![], "inflated_entry"),
        ("entries too large together", book(&sheet(&spaces(300_000)), &none()), tight(|l| l.inflated_total = 100_000), vec![], "inflated_total"),
        ("too many strings", book(&blank(), &strings(&"<si><t>x</t></si>".repeat(9_000))), tight(|l| l.memory = 10_000), vec![], "memory"),
        ("a string over the record limit", book(&blank(), &strings(&format!("<si><t>{}", "ab".repeat(200_000)))), tight(|l| l.record = 100_000), vec![], "record"),
        ("a row over the record limit", book(&sheet(&row(&format!("<c r=\"A1\" t=\"str\"><v>{}</v></c>", "ab".repeat(200_000)))), &none()), tight(|l| l.record = 100_000), vec![], "record"),
        ("too many columns", book(&sheet(&row("<c r=\"A1\"><v>1</v></c><c r=\"XFD1\"><v>2</v></c>")), &none()), tight(|l| l.fields = 100), vec![], "fields"),
        ("a part over the memo limit", book(&blank(), &none()), tight(|l| l.memo = 200), vec![], "memo"),
        ("too many entries", book(&blank(), &none()), tight(|l| l.entries = 3), vec![], "entries"),
        (
            "a flood of merged areas",
            book(&format!("<worksheet {NS}><sheetData/><mergeCells>{}</mergeCells></worksheet>", "<mergeCell ref=\"A1:B2\"/>".repeat(70_000)).into_bytes(), &none()),
            tight(|l| l.inflate_ratio = 100_000),
            vec!["merged=fill"],
            "merged areas",
        ),
        (
            "merged areas that fill the grid",
            book(
                &format!(
                    "<worksheet {NS}><sheetData>{}</sheetData><mergeCells><mergeCell ref=\"A1:XFD1048576\"/></mergeCells></worksheet>",
                    (1..2_000).map(|n| format!("<row r=\"{n}\"><c r=\"A{n}\"><v>1</v></c></row>")).collect::<String>()
                )
                .into_bytes(),
                &none(),
            ),
            small.clone(),
            vec!["merged=fill"],
            "merged cells",
        ),
    ];
    for (name, parts, limits, options, word) in cases {
        says(name, zip(&parts), &limits, &options, word);
    }
}

#[test]
fn what_is_broken_is_an_error_with_its_place() {
    let cell = "<c r=\"A1\"><v>1</v></c>";
    let long =
        format!("<worksheet {}>", (0..5_000).map(|n| format!(" a{n}=\"\"")).collect::<String>());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("document type", b"<!DOCTYPE x [<!ENTITY a \"b\">]><worksheet><sheetData/></worksheet>".to_vec(), "document type"),
        ("billion laughs", b"<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]><worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"str\"><v>&c;</v></c></row></sheetData></worksheet>".to_vec(), "document type"),
        ("unknown entity", sheet(&row("<c r=\"A1\" t=\"str\"><v>&bomb;</v></c>")), "entity"),
        ("rows backwards", sheet("<row r=\"2\"></row><row r=\"1\"></row>"), "out of order"),
        ("rows twice", sheet("<row r=\"2\"></row><row r=\"2\"></row>"), "out of order"),
        ("row zero", sheet("<row r=\"0\"></row>"), "outside the grid"),
        ("row beyond the grid", sheet("<row r=\"1048577\"></row>"), "outside the grid"),
        ("row number of many digits", sheet("<row r=\"99999999999999999999\"></row>"), "outside the grid"),
        ("column beyond the grid", sheet(&row("<c r=\"XFE1\"><v>1</v></c>")), "outside the grid"),
        ("column of many letters", sheet(&row("<c r=\"AAAAAAAAAAAAAAAAAAAA1\"><v>1</v></c>")), "outside the grid"),
        ("cells backwards", sheet(&row("<c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c>")), "out of order"),
        ("cells twice", sheet(&row("<c r=\"A1\"><v>1</v></c><c r=\"A1\"><v>1</v></c>")), "out of order"),
        ("no sheetData", b"<worksheet></worksheet>".to_vec(), "sheetData"),
        ("text among the rows", sheet("rows of another kind"), "something other"),
        ("ends in a row", format!("<worksheet><sheetData><row r=\"1\">{cell}").into_bytes(), "ends inside"),
        ("ends in a value", b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1".to_vec(), "ends inside"),
        ("ends in a tag", b"<worksheet><sheetData><row r=".to_vec(), "ends inside"),
        ("ends behind the rows", b"<worksheet><sheetData><row r=\"1\"></row>".to_vec(), "ends inside"),
        ("comment without end", b"<worksheet><sheetData><!-- ".to_vec(), "ends inside"),
        ("not UTF-8", [&b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"str\"><v>\xff\xfe</v></c></row></sheetData></worksheet>"[..]].concat(), "UTF-8"),
        ("UTF-16", "<worksheet/>".encode_utf16().flat_map(u16::to_le_bytes).collect(), "sheetData"),
        ("empty part", Vec::new(), "sheetData"),
        ("a flood of attributes", long.into_bytes(), "sheetData"),
        ("nested without end", [&b"<worksheet><sheetData><row r=\"1\">"[..], &b"<c><is>".repeat(20_000)].concat(), "ends inside"),
    ];
    let limits = Limits { inflate_ratio: 10_000, ..Limits::default() };
    let count = cases.len();
    for (name, bytes, word) in cases {
        says(name, zip(&book(&bytes, &strings(""))), &limits, &[], word);
    }
    let strings_cases: [(&str, &str, &str); 5] = [
        ("strings end", "<sst><si><t>abc", "ends"),
        ("strings are something else", "<sst><row r=\"1\"></row></sst>", "something other"),
        ("no root", "nothing at all", "no root"),
        ("entity in strings", "<sst><si><t>&x;</t></si></sst>", "entity"),
        ("document type in strings", "<!DOCTYPE sst><sst><si><t>a</t></si></sst>", "document type"),
    ];
    let whole = sheet(&row(cell));
    for (name, text, word) in strings_cases {
        says(name, zip(&book(&whole, text.as_bytes())), &limits, &[], word);
    }
    assert!(count >= 24);
}

#[test]
fn broken_containers_are_errors() {
    let good = zip(&book(&sheet(&row("<c r=\"A1\"><v>1</v></c>")), &strings("")));
    let end = good.len();
    let patch = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let directory = u32::from_le_bytes(good[end - 6..end - 2].try_into().unwrap()) as usize;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", Vec::new(), "neither"),
        ("text", b"PX nothing".to_vec(), "neither"),
        ("only the mark", b"PK\x03\x04".to_vec(), "cut off"),
        ("half of it", good[..end / 2].to_vec(), "cut off"),
        ("count that lies", patch(end - 12, &[200, 0]), "broken"),
        ("directory beyond the end", patch(end - 6, &[0xff, 0xff, 0xff, 0x7f]), "beyond"),
        ("directory of 4 GiB", patch(end - 10, &[0xfe, 0xff, 0xff, 0xff]), "beyond"),
        ("64-bit record missing", patch(end - 6, &[0xff; 4]), ""),
        ("encrypted entry", patch(directory + 8, &[1, 0]), "encrypted"),
        ("unknown method", patch(directory + 10, &[99, 0]), "method 99"),
        ("size that lies", patch(directory + 20, &[0xff, 0xff, 0xff, 0x7f]), "cut off"),
        ("check sum", patch(directory + 16, &[1, 2, 3, 4]), "check sum"),
        ("local header elsewhere", patch(directory + 42, &[7, 0, 0, 0]), "local header"),
    ];
    for (name, bytes, word) in cases {
        says(name, bytes, &Limits::default(), &[], word);
    }
}

#[test]
fn a_sparse_sheet_and_lying_counts_cost_nothing() {
    let rows = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>";
    let got = read(zip(&book(&sheet(rows), &strings(""))), &Limits::default(), &["header=false"]);
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!((got.rows.len(), got.schema.unwrap().fields().len()), (2, 16_384));
    let indexed = row("<c r=\"A1\" t=\"s\"><v>4000000000</v></c><c r=\"B1\"><v>7</v></c>");
    let got =
        read(zip(&book(&sheet(&indexed), &strings(""))), &Limits::default(), &["header=false"]);
    assert_eq!(got.rejects[0].fault.code, "excel.no_string");
    assert!(got.rejects[0].to_string().contains("S!A1"), "{}", got.rejects[0]);
}

/// A compound file of 512-byte sectors with a workbook stream from sector 2 on.
fn compound(stream: &[u8]) -> Vec<u8> {
    let sectors = stream.len().div_ceil(512).max(8);
    let mut file = vec![0; 512 * (3 + sectors)];
    file[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    file[30..32].copy_from_slice(&[9, 0]);
    file[32..34].copy_from_slice(&[6, 0]);
    let word = |file: &mut Vec<u8>, at: usize, value: u32| {
        file[at..at + 4].copy_from_slice(&value.to_le_bytes())
    };
    word(&mut file, 44, 1);
    word(&mut file, 48, 1);
    word(&mut file, 56, 4096);
    word(&mut file, 60, 0xFFFF_FFFE);
    word(&mut file, 68, 0xFFFF_FFFE);
    for n in 1..109 {
        word(&mut file, 76 + 4 * n, u32::MAX);
    }
    word(&mut file, 512, 0xFFFF_FFFD);
    word(&mut file, 516, 0xFFFF_FFFE);
    for n in 0..sectors {
        let next = if n + 1 == sectors { 0xFFFF_FFFE } else { u32::try_from(n + 3).unwrap() };
        word(&mut file, 512 + 4 * (n + 2), next);
    }
    for (at, byte) in "Workbook".encode_utf16().flat_map(u16::to_le_bytes).enumerate() {
        file[1024 + at] = byte;
    }
    file[1024 + 64] = 18;
    file[1024 + 66] = 2;
    word(&mut file, 1024 + 116, 2);
    word(&mut file, 1024 + 120, u32::try_from(512 * sectors).unwrap());
    file[1536..1536 + stream.len()].copy_from_slice(stream);
    file
}

fn record(number: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&number.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
}

#[test]
fn hostile_compound_files_and_record_streams_are_errors() {
    let bof = record(0x0809, &[0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let end = record(0x0A, &[]);
    let sheet_at = |at: u32| {
        let mut body = at.to_le_bytes().to_vec();
        body.extend([0, 0, 1, 0, b'S']);
        record(0x85, &body)
    };
    let head = bof.len() + sheet_at(0).len() + end.len();
    let with = |records: &[u8]| {
        let at = sheet_at(u32::try_from(head).unwrap());
        compound(&[&bof[..], &at, &end, &bof, records].concat())
    };
    let number = record(0x203, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]);
    let good = with(&[&number[..], &end].concat());
    let got = read(good.clone(), &Limits::default(), &["header=false"]);
    assert_eq!((got.error.is_none(), got.rows.len()), (true, 1));
    let patch = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let sst = |body: &[u8]| compound(&[&bof[..], &record(0xFC, body), &end].concat());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("sector size", patch(30, &[40, 0]), "sector size"),
        ("chain that is a cycle", patch(512 + 4 * 3, &[2, 0, 0, 0]), "cycle"),
        ("directory that is a cycle", patch(512 + 4, &[1, 0, 0, 0]), "cycle"),
        ("chain out of the file", patch(512 + 4 * 3, &[0xff, 0xff, 0, 0]), ""),
        ("directory out of the file", patch(48, &[0xff, 0xff, 0xff, 0x7f]), "beyond"),
        ("table out of the file", patch(76, &[0xff, 0xff, 0xff, 0x7f]), "beyond"),
        ("list of tables that is a cycle", [patch(68, &[9, 0, 0, 0]), vec![9; 0]].concat(), ""),
        ("size that lies", patch(1024 + 120, &[0xff, 0xff, 0xff, 0x7f]), "larger than the file"),
        ("no workbook", patch(1024, b"X"), "no workbook"),
        ("cut in the header", good[..100].to_vec(), ""),
        ("cut in the table", good[..700].to_vec(), ""),
        ("cut in the stream", good[..2000].to_vec(), ""),
        ("no first record", compound(&[7; 64]), "workbook record"),
        ("Excel 4", b"\x09\x04\x06\x00\x00\x00\x10\x00\x00\x00".to_vec(), "Excel 4"),
        ("password", compound(&[&bof[..], &record(0x2F, &[0; 6]), &end].concat()), "encrypted"),
        (
            "strings cut off",
            sst(&[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0]),
            "cut off",
        ),
        (
            "rich runs without end",
            sst(&[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 8, 0xff, 0xff, b'a']),
            "cut off",
        ),
        (
            "phonetics of 4 GiB",
            sst(&[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 4, 0xff, 0xff, 0xff, 0xff, b'a']),
            "cut off",
        ),
        ("sheet elsewhere", compound(&[&bof[..], &sheet_at(3), &end].concat()), "no sheet starts"),
        (
            "sheet beyond the stream",
            compound(&[&bof[..], &sheet_at(u32::MAX), &end].concat()),
            "no sheet starts",
        ),
        ("cells twice", with(&[&number[..], &number, &end].concat()), "twice"),
        ("record longer than the stream", with(&[0x03, 0x02, 0xff, 0xff]), "cut off"),
        ("no end of the globals", compound(&bof), "cut off"),
    ];
    for (name, bytes, word) in cases {
        says(name, bytes, &Limits::default(), &[], word);
    }
    let limits = Limits { memory: 1_000, ..Limits::default() };
    says("file over the memory limit", good, &limits, &[], "memory");
}
