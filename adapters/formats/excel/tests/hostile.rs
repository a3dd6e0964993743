//! Files made to exhaust memory or to abort: each ends as an error that says what was exceeded or broken.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::sync::Arc;

use bytes::Bytes;
use fenhe_core::{DecodeOptions, Format, Input, Kind, Limits, Options};
use fenhe_excel::Excel;
use fenhe_testkit::format::{Decoded, decode};

mod common;

use common::xlsb::{self, archive, cell, parts, rk, strings_part, styles_part, wide, words};
use common::zip;

/// What refusing all of them may take of memory at its height, in bytes.
const MOST: u64 = 96 << 20;

const NS: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";

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

/// What a file is refused for.
enum Refused {
    /// A limit of this name.
    Limit(&'static str),
    /// A fault of the file; these words tell which.
    Fault(&'static str),
}
use Refused::{Fault, Limit};

struct Hostile {
    name: &'static str,
    file: Vec<u8>,
    limits: Limits,
    options: Vec<&'static str>,
    refused: Refused,
}

fn hostile(name: &'static str, file: Vec<u8>, refused: Refused) -> Hostile {
    Hostile { name, file, limits: Limits::default(), options: Vec::new(), refused }
}

fn limited(name: &'static str, file: Vec<u8>, limits: Limits, refused: Refused) -> Hostile {
    Hostile { limits, ..hostile(name, file, refused) }
}

/// Every file ends as an error that names its limit, or else its fault, and the place; what does not is told.
fn check(cases: &[Hostile]) -> Vec<String> {
    let wrong =
        cases.iter().filter_map(|case| wrong(case).map(|why| format!("{}: {why}", case.name)));
    wrong.collect()
}

fn wrong(case: &Hostile) -> Option<String> {
    // Readers have to fit a small stack.
    let got = std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let read = || read(case.file.clone(), &case.limits, &case.options);
        small.spawn_scoped(scope, read).unwrap().join().unwrap()
    });
    let Some(error) = got.error else { return Some(format!("no error, {} rows", got.rows.len())) };
    let named = match case.refused {
        Limit(limit) => {
            error.kind() == Kind::Limit && error.message().starts_with(&format!("limit {limit} is"))
        }
        Fault(words) => {
            error.kind() != Kind::Limit
                && error.code().starts_with("excel.")
                && !words.is_empty()
                && error.to_string().contains(words)
        }
    };
    let placed = error.offset().is_some();
    (!named || !placed).then(|| error.to_string())
}

#[test]
fn hostile_workbooks_are_refused_within_bounded_memory() {
    fenhe_testkit::memory::within(
        256,
        "hostile_workbooks_are_refused_within_bounded_memory",
        || {
            let kinds = [large(), broken_parts(), broken_containers(), compound_files(), binary()];
            let count: usize = kinds.iter().map(Vec::len).sum();
            let mut wrong = Vec::new();
            let taken = fenhe_testkit::memory::taken(|| {
                wrong = kinds.iter().flat_map(|kind| check(kind)).collect();
            });
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            println!("{count} hostile workbooks refused, {:?} KiB taken", taken.map(|t| t >> 10));
            assert!(count >= 100, "{count}");
            assert!(taken.is_none_or(|taken| taken < MOST), "{taken:?}");
        },
    );
}

fn tight(set: fn(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

fn large() -> Vec<Hostile> {
    let small = Limits::default();
    let blank = || sheet(&row("<c r=\"A1\"><v>1</v></c>"));
    let none = || strings("");
    let spaces = |n: usize| " ".repeat(n);
    type Large =
        (&'static str, Vec<(&'static str, Vec<u8>)>, Limits, Vec<&'static str>, &'static str);
    let cases: Vec<Large> = vec![
        ("a sheet of blanks", book(&sheet(&spaces(2 << 20)), &none()), small.clone(), vec![], "inflate_ratio"),
        ("strings of blanks", book(&blank(), &strings(&spaces(2 << 20))), small.clone(), vec![], "inflate_ratio"),
        ("one huge string", book(&blank(), &strings(&format!("<si><t>{}</t></si>", "a".repeat(2 << 20)))), small.clone(), vec![], "inflate_ratio"),
        ("a huge prolog", book(&[&b"<worksheet>"[..], &spaces(2 << 20).into_bytes()].concat(), &none()), small.clone(), vec![], "inflate_ratio"),
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
    let case = |(name, parts, limits, options, limit): Large| Hostile {
        name,
        file: zip(&parts),
        limits,
        options,
        refused: Limit(limit),
    };
    cases.into_iter().map(case).collect()
}

fn broken_parts() -> Vec<Hostile> {
    let cell = "<c r=\"A1\"><v>1</v></c>";
    let long =
        format!("<worksheet {}>", (0..5_000).map(|n| format!(" a{n}=\"\"")).collect::<String>());
    let cases: Vec<(&'static str, Vec<u8>, &'static str)> = vec![
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
    let mut all: Vec<Hostile> = Vec::new();
    for (name, bytes, words) in cases {
        let file = zip(&book(&bytes, &strings("")));
        all.push(limited(name, file, limits.clone(), Fault(words)));
    }
    let strings_cases: [(&'static str, &str, &'static str); 5] = [
        ("strings end", "<sst><si><t>abc", "ends"),
        ("strings are something else", "<sst><row r=\"1\"></row></sst>", "something other"),
        ("no root", "nothing at all", "no root"),
        ("entity in strings", "<sst><si><t>&x;</t></si></sst>", "entity"),
        ("document type in strings", "<!DOCTYPE sst><sst><si><t>a</t></si></sst>", "document type"),
    ];
    let whole = sheet(&row(cell));
    for (name, text, words) in strings_cases {
        let file = zip(&book(&whole, text.as_bytes()));
        all.push(limited(name, file, limits.clone(), Fault(words)));
    }
    all
}

fn broken_containers() -> Vec<Hostile> {
    let good = zip(&book(&sheet(&row("<c r=\"A1\"><v>1</v></c>")), &strings("")));
    let end = good.len();
    let patch = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let directory = u32::from_le_bytes(good[end - 6..end - 2].try_into().unwrap()) as usize;
    let cases: Vec<(&'static str, Vec<u8>, &'static str)> = vec![
        ("nothing", Vec::new(), "neither"),
        ("text", b"PX nothing".to_vec(), "neither"),
        ("only the mark", b"PK\x03\x04".to_vec(), "cut off"),
        ("half of it", good[..end / 2].to_vec(), "cut off"),
        ("count that lies", patch(end - 12, &[200, 0]), "broken"),
        ("directory beyond the end", patch(end - 6, &[0xff, 0xff, 0xff, 0x7f]), "beyond"),
        ("directory of 4 GiB", patch(end - 10, &[0xfe, 0xff, 0xff, 0xff]), "beyond"),
        ("64-bit record missing", patch(end - 6, &[0xff; 4]), "beyond the end"),
        ("encrypted entry", patch(directory + 8, &[1, 0]), "encrypted"),
        ("unknown method", patch(directory + 10, &[99, 0]), "method 99"),
        ("size that lies", patch(directory + 20, &[0xff, 0xff, 0xff, 0x7f]), "cut off"),
        ("check sum", patch(directory + 16, &[1, 2, 3, 4]), "check sum"),
        ("local header elsewhere", patch(directory + 42, &[7, 0, 0, 0]), "local header"),
    ];
    cases.into_iter().map(|(name, file, words)| hostile(name, file, Fault(words))).collect()
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

fn compound(stream: &[u8]) -> Vec<u8> {
    common::compound("Workbook", stream)
}

fn record(number: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&number.to_le_bytes()[..], &length.to_le_bytes(), body].concat()
}

fn compound_files() -> Vec<Hostile> {
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
    let cases: Vec<(&'static str, Vec<u8>, &'static str)> = vec![
        ("sector size", patch(30, &[40, 0]), "sector size"),
        ("chain that is a cycle", patch(512 + 4 * 3, &[2, 0, 0, 0]), "cycle"),
        ("directory that is a cycle", patch(512 + 4, &[1, 0, 0, 0]), "cycle"),
        ("chain out of the file", patch(512 + 4 * 3, &[0xff, 0xff, 0, 0]), "beyond the end"),
        ("directory out of the file", patch(48, &[0xff, 0xff, 0xff, 0x7f]), "beyond"),
        ("table out of the file", patch(76, &[0xff, 0xff, 0xff, 0x7f]), "beyond"),
        ("list of tables that is a cycle", patch(68, &[9, 0, 0, 0]), "table sectors is a cycle"),
        ("size that lies", patch(1024 + 120, &[0xff, 0xff, 0xff, 0x7f]), "larger than the file"),
        ("no workbook", patch(1024, b"X"), "no workbook"),
        ("cut in the header", good[..100].to_vec(), "the sector table points beyond"),
        ("cut in the table", good[..700].to_vec(), "the directory points beyond"),
        ("cut in the stream", good[..2000].to_vec(), "larger than the file"),
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
    let mut all: Vec<Hostile> =
        cases.into_iter().map(|(name, file, words)| hostile(name, file, Fault(words))).collect();
    let name = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let mut encrypted = good.clone();
    encrypted[1024..1024 + name.len()].copy_from_slice(&name);
    encrypted[1024 + 64] = 34;
    all.push(hostile("a workbook with a password", encrypted, Fault("encrypted")));

    // A workbook stream that stands alone may be of any size.
    let bare = |records: &[u8]| {
        let at = sheet_at(u32::try_from(head).unwrap());
        [&bof[..], &at, &end, &bof, records, &end].concat()
    };
    let numbers = |row: u16| {
        let list: Vec<u8> = (0..200).flat_map(|_| [0, 0, 2, 0, 0, 0]).collect();
        record(0xBD, &[&row.to_le_bytes()[..], &[0, 0], &list, &[199, 0]].concat())
    };
    let cells: Vec<u8> = (0..400).flat_map(numbers).collect();
    let areas = record(0xE5, &[&[0, 4][..], &[0, 0, 9, 0, 0, 0, 9, 0].repeat(1_000)].concat());
    let string = [&[200, 0, 0][..], &[0xE9; 200]].concat();
    let pool = record(0xFC, &[&[0; 8][..], &string.repeat(40)].concat());
    let globals = |records: &[u8]| [&bof[..], records, &end].concat();
    let list: Vec<u8> = (0..50).flat_map(|_| sheet_at(0)).collect();
    let memory = |memory: u64| Limits { memory, ..Limits::default() };
    all.extend([
        limited("a file over the memory limit", good, memory(1_000), Limit("memory")),
        limited("a flood of cells", bare(&cells), memory(1 << 20), Limit("memory")),
        limited("a flood of areas", bare(&areas.repeat(50)), memory(1 << 20), Limit("memory")),
        limited("a flood of strings", globals(&pool.repeat(60)), memory(980_000), Limit("memory")),
        limited("a flood of sheets", globals(&list), tight(|l| l.entries = 40), Limit("entries")),
    ]);
    all
}

/// Binary workbooks: records that lie, and floods of them.
fn binary() -> Vec<Hostile> {
    let styles = || styles_part(&[], &[0]);
    let of = |rows: Vec<u8>| {
        archive(&parts(&[xlsb::sheet("S", rows)], strings_part(&[]), styles(), false, &[]))
    };
    let around = |after: Vec<u8>| {
        let sheet = xlsb::Sheet { after, ..xlsb::sheet("S", xlsb::row(0, false)) };
        archive(&parts(&[sheet], strings_part(&[]), styles(), false, &[]))
    };
    let one = || [xlsb::row(0, false), cell(2, 0, 0, &rk(1, false))].concat();
    // One part replaced by these bytes.
    let with = |part: &str, bytes: Vec<u8>| {
        let mut all = parts(&[xlsb::sheet("S", one())], strings_part(&["a"]), styles(), false, &[]);
        all.iter_mut().find(|(name, _)| name == part).unwrap().1 = bytes;
        archive(&all)
    };
    let sheet_part = |bytes: Vec<u8>| with("xl/worksheets/sheet1.bin", bytes);
    let begin = || [xlsb::record(129, &[]), xlsb::record(145, &[])].concat();
    let row = |number| xlsb::row(number, false);
    let head = [0x13, 0xFF, 0xFF, 0xFF, 0x7F];
    let lying = || [&[0][..], &words(&[u32::MAX - 1]), b"a"].concat();
    let table = |body: &[u8]| {
        let sheet = xlsb::sheet("S", one());
        let table = xlsb::record(343, body);
        archive(&parts(&[sheet], strings_part(&[]), styles(), false, &[table]))
    };
    let loose = || Limits { inflate_ratio: 1_000_000, ..Limits::default() };
    let wide_row =
        (0..16_385).flat_map(|_| xlsb::record(13, &[&words(&[0])[..], &rk(1, false)].concat()));
    let wide_row = [row(0), wide_row.collect()].concat();
    let many = xlsb::record(156, &[words(&[0, 1]), wide("rId1"), wide("S")].concat()).repeat(50);
    let merged = xlsb::record(176, &words(&[0, 1, 0, 1])).repeat(70_000);
    let hidden = xlsb::record(60, &[&words(&[0, 1, 0, 0])[..], &[1, 0]].concat()).repeat(70_000);
    let long = [row(0), cell(6, 0, 0, &wide(&"长".repeat(100_000)))].concat();
    let asks = |case: Hostile, option| Hostile { options: vec![option], ..case };
    vec![
        hostile(
            "a record of 268 MB",
            sheet_part([begin(), head.to_vec()].concat()),
            Limit("record"),
        ),
        hostile("a string of 268 MB", with("xl/sharedStrings.bin", head.to_vec()), Limit("record")),
        hostile("a style of 268 MB", with("xl/styles.bin", head.to_vec()), Limit("record")),
        hostile("a list of 268 MB", with("xl/workbook.bin", head.to_vec()), Limit("record")),
        hostile(
            "a record that is cut off",
            sheet_part([begin(), vec![0, 25, 1]].concat()),
            Fault("cut off"),
        ),
        hostile(
            "a head that is cut off",
            sheet_part([begin(), vec![0x81]].concat()),
            Fault("cut off"),
        ),
        hostile(
            "a string that is cut off",
            with("xl/sharedStrings.bin", vec![0x13, 9, 0]),
            Fault("cut off"),
        ),
        hostile(
            "a string that lies",
            with("xl/sharedStrings.bin", xlsb::record(19, &lying())),
            Fault("a shared string is cut off"),
        ),
        hostile(
            "a cell's text that lies",
            of([row(0), cell(6, 0, 0, &lying()[1..])].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "a rich text that lies",
            of([row(0), cell(62, 0, 0, &lying())].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "a number of two bytes",
            of([row(0), cell(5, 0, 0, &[0, 0])].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "a cell without style",
            of([row(0), xlsb::record(2, &words(&[0]))].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "a truth without value",
            of([row(0), cell(4, 0, 0, &[])].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "an error without value",
            of([row(0), cell(3, 0, 0, &[])].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "a string without number",
            of([row(0), cell(7, 0, 0, &[1])].concat()),
            Fault("a cell is cut off"),
        ),
        hostile(
            "a row of three bytes",
            of(xlsb::record(0, &[0, 0, 0])),
            Fault("rows are out of order"),
        ),
        hostile("rows twice", of([row(3), row(3)].concat()), Fault("rows are out of order")),
        hostile("rows backwards", of([row(3), row(2)].concat()), Fault("rows are out of order")),
        hostile("a row beyond the grid", of(row(1 << 20)), Fault("outside the grid")),
        hostile("the last row of all", of(row(u32::MAX)), Fault("outside the grid")),
        hostile(
            "a column beyond the grid",
            of([row(0), cell(2, 16_384, 0, &rk(1, false))].concat()),
            Fault("outside the grid"),
        ),
        hostile(
            "the last column of all",
            of([row(0), cell(2, u32::MAX, 0, &rk(1, false))].concat()),
            Fault("outside the grid"),
        ),
        hostile("cells that follow without end", of(wide_row), Fault("outside the grid")),
        hostile(
            "cells twice",
            of([one(), cell(2, 0, 0, &rk(1, false))].concat()),
            Fault("cells are out of order"),
        ),
        hostile(
            "a cell without a row",
            of(cell(2, 0, 0, &rk(1, false))),
            Fault("outside of the rows"),
        ),
        hostile(
            "rows without end",
            sheet_part([begin(), one()].concat()),
            Fault("ends inside the rows"),
        ),
        hostile("no rows", sheet_part(xlsb::record(129, &[])), Fault("holds no rows")),
        hostile("an empty sheet part", sheet_part(Vec::new()), Fault("holds no rows")),
        hostile(
            "a workbook part of XML",
            with("xl/workbook.bin", b"<workbook/>".to_vec()),
            Fault("cut off"),
        ),
        hostile(
            "a sheet that is cut off",
            with("xl/workbook.bin", xlsb::record(156, &words(&[0, 1]))),
            Fault("a sheet of the list is cut off"),
        ),
        hostile(
            "a name that lies",
            with(
                "xl/workbook.bin",
                xlsb::record(156, &[words(&[0, 1]), wide("rId1"), words(&[99])].concat()),
            ),
            Fault("name is cut off"),
        ),
        hostile(
            "a sheet without a part",
            with(
                "xl/workbook.bin",
                xlsb::record(156, &[words(&[0, 1]), wide("rId9"), wide("S")].concat()),
            ),
            Fault("a sheet has no part"),
        ),
        hostile(
            "a format that lies",
            with("xl/styles.bin", xlsb::record(44, &[164, 0, 99, 0, 0, 0])),
            Fault("a number format is cut off"),
        ),
        asks(
            hostile("a table that is cut off", table(&words(&[0; 9])), Fault("a table is cut off")),
            "table=T",
        ),
        asks(
            hostile(
                "a table beyond the grid",
                table(
                    &[
                        words(&[0, u32::MAX, 0, 1, 0, 1, 1, 0]),
                        words(&[0; 8]),
                        wide("T"),
                        wide("T"),
                    ]
                    .concat(),
                ),
                Fault("outside of the grid"),
            ),
            "table=T",
        ),
        asks(
            hostile(
                "a merged area that is none",
                around(xlsb::record(176, &words(&[5, 1, 0, 1]))),
                Fault("no range"),
            ),
            "merged=fill",
        ),
        asks(
            limited("a flood of merged areas", around(merged), loose(), Limit("merged areas")),
            "merged=fill",
        ),
        asks(
            limited("a flood of hidden columns", around(hidden), loose(), Limit("merged areas")),
            "hidden=skip",
        ),
        limited(
            "too many strings",
            with("xl/sharedStrings.bin", strings_part(&["x"; 9_000])),
            tight(|l| l.memory = 10_000),
            Limit("memory"),
        ),
        limited(
            "too many sheets",
            with("xl/workbook.bin", many),
            tight(|l| l.entries = 40),
            Limit("entries"),
        ),
        limited(
            "a row over the record limit",
            of([
                row(0),
                cell(2, 0, 0, &rk(1, false)).repeat(1),
                (1..5_000).flat_map(|n| cell(2, n, 0, &rk(1, false))).collect(),
            ]
            .concat()),
            tight(|l| l.record = 10_000),
            Limit("record"),
        ),
        limited(
            "a text over the record limit",
            of(long),
            tight(|l| l.record = 100_000),
            Limit("record"),
        ),
        hostile(
            "a bomb of records",
            of([row(0), xlsb::record(4_000, &[0; 10_000]).repeat(900)].concat()),
            Limit("inflate_ratio"),
        ),
        hostile(
            "a bomb of strings",
            with("xl/sharedStrings.bin", strings_part(&["\u{101}".repeat(40_000).as_str(); 150])),
            Limit("inflate_ratio"),
        ),
    ]
}
