//! The suites that every format passes, over cases of this one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::sync::Arc;

use fenhe_core::{Format, Options};
use fenhe_csv::Csv;
use fenhe_testkit::format::{Broken, Case, conforms};

fn format(pairs: &[&str]) -> Arc<dyn Format> {
    let options = Options::from_pairs(pairs.iter().copied()).unwrap();
    Arc::new(Csv::from_options(&options).unwrap())
}

fn text(pairs: &[&str]) -> Arc<dyn Format> {
    format(&[&["types=text"], pairs].concat())
}

const PLAIN: &str = "id,name,remark\n1,张伟,好\n2,李娜,\n3,王芳,平常\n4,刘洋,无\n5,陈静,x\n";
const QUOTED: &str = "id,name,remark\n1,\"张,伟\",\"\"\n2,\"李\"\"娜\",\"a\nb\"\n3,王芳,\n\"4\",刘洋,\"\"\"\"\n5,陈静,x\n";

#[test]
fn well_formed_streams_keep_every_promise() {
    let settled = ["encoding=utf-8", "delimiter=,", "quote=\"", "escape=doubled", "header=true"];
    let crlf = PLAIN.replace('\n', "\r\n");
    let cr = PLAIN.replace('\n', "\r");
    let unfinished = PLAIN.trim_end().to_owned();
    let bom = format!("\u{FEFF}{PLAIN}");
    let preamble = format!("居民登记表\n2026年\n{PLAIN}");
    let blank = PLAIN.replace("\n3", "\n\n\n3");
    let comment = PLAIN.replace("\n3", "\n#no record, at all\n3");
    let tail = format!("{PLAIN}合计,5\n制表人,某\n");
    let bars = PLAIN.replace(',', "|!");
    let backslash = "id,name\n1,\"a\\\"b\"\n2,c\\,d\n3,\"e\\\nf\"\n";
    let wide = encoding_rs_gbk("编号|姓名\n1|張檤\n2|李|\n3|王\n");
    let one = "a\n\nb\nc\n";
    let cases = [
        Case::new("plain", text(&settled), PLAIN).lossless(),
        Case::new("quoted", text(&settled), QUOTED),
        Case::new("crlf", text(&settled), crlf.clone()).lossless(),
        Case::new("quoted where needed", text(&settled), QUOTED.replace("\"4\"", "4")).lossless(),
        Case::new("all quoted", text(&settled), "\"id\",\"name\"\n\"1\",\"\"\n\"2\",\"张伟\"\n")
            .lossless(),
        Case::new(
            "values quoted",
            text(&settled),
            "\"id\",\"name\"\r\n\"1\",\r\n\"2\",\"张伟\"\r\n",
        )
        .lossless(),
        Case::new("crlf quoted", text(&settled), QUOTED.replace('\n', "\r\n")),
        Case::new("cr", text(&settled), cr).lossless(),
        Case::new("mixed line ends", text(&settled), format!("{crlf}6,a,b\n7,c,d\r8,e,f")),
        Case::new("no final line end", text(&settled), unfinished).lossless(),
        Case::new("byte order mark", text(&settled), bom).lossless(),
        Case::new("preamble", text(&[&settled[..], &["skip_lines=2"]].concat()), preamble)
            .lossless(),
        Case::new("blank lines", text(&settled), blank),
        Case::new("comments", text(&[&settled[..], &["comment=#"]].concat()), comment),
        Case::new(
            "several delimiter characters",
            text(&["encoding=utf-8", "delimiter=|!", "header=true", "quote=none"]),
            bars,
        )
        .lossless(),
        Case::new(
            "backslash",
            text(&["encoding=utf-8", "delimiter=,", "header=true", "escape=\\"]),
            backslash,
        ),
        Case::new(
            "gbk bars",
            text(&["encoding=gbk", "delimiter=|", "header=true", "quote=none", "ragged=pad"]),
            wide,
        ),
        Case::new(
            "one column",
            text(&["encoding=utf-8", "delimiter=none", "header=false", "quote=none"]),
            one,
        )
        .lossless(),
    ];
    conforms(&cases, &[], &[]);
    let tail = Case::new("trailer", text(&[&settled[..], &["skip_tail=2"]].concat()), tail);
    fenhe_testkit::format::rechunking(&tail);
    fenhe_testkit::format::resumes_everywhere(&tail);
}

#[test]
fn typed_streams_keep_every_promise() {
    let typed = "id,姓名,born,fee,paid,code\n1,张伟,2026-01-02,12.50,2026-01-02 10:20:30,00012\n2,李娜,1999-12-31,0.05,2026-01-03 00:00:00,00013\n3,,,-7.00,,00014\n4,\"王,芳\",2024-02-29,100.00,2026-01-03 23:59:59,00015\n";
    let european = "id;Preis;Tag\r\n1;1.234,50;31.12.2025\r\n2;0,05;01.01.2026\r\n3;1.000.000,00;29.02.2024\r\n";
    let schema = |format: &Arc<dyn Format>, bytes: &str| {
        let sample = fenhe_core::Sample {
            bytes: bytes.to_owned().into(),
            complete: true,
            ..fenhe_core::Sample::default()
        };
        format.infer(&sample).unwrap().datasets.remove(0).schema
    };
    let csv = format(&[]);
    let found = schema(&csv, typed);
    let types: Vec<String> = found.fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Utf8", "Date32", "Decimal128(18, 2)", "Timestamp(s)", "Utf8"]);
    let cases = [
        Case::new("inferred", csv.clone(), typed).schema(found).lossless(),
        Case::new("european", csv.clone(), european).schema(schema(&csv, european)).lossless(),
    ];
    conforms(&cases, &[], &[]);
    // Without a schema every decoder looks for itself and finds the same.
    let alone = Case::new("inferred alone", csv, typed).lossless();
    fenhe_testkit::format::rechunking(&alone);
    fenhe_testkit::format::round_trip(&alone);
    fenhe_testkit::format::resumes_everywhere(&alone);
    fenhe_testkit::format::infers_what_it_decodes(&alone);
}

#[test]
fn broken_records_are_rejected_one_by_one() {
    let settled = ["encoding=utf-8", "delimiter=,", "quote=\"", "escape=doubled", "header=true"];
    let ragged = "a,b\n1,2\n3\n4,5\n6,7,8\n9,0\n";
    let stray = "a,b\n1,\"x\"y\n2,z\n";
    let bad = b"a,b\n1,\xFF\n2,\xE5\xBC\xA0\n3,\xE5\xBC\n".to_vec();
    let gbk = b"a,b\n1,\xD6\xD0\n2,\x81 \n3,\xD6\n4,\xB9\xFA\n".to_vec();
    let lost = "a,b\n1,\"x\n2,y\n3,z\n";
    let broken = [
        Broken {
            case: Case::new("ragged", text(&settled), ragged),
            rejects: vec![(2, 8, "csv.fields"), (4, 14, "csv.fields")],
            rows: 3,
        },
        Broken {
            case: Case::new("stray quote", text(&settled), stray),
            rejects: vec![(1, 4, "csv.stray_quote")],
            rows: 1,
        },
        Broken {
            case: Case::new("bad UTF-8", text(&settled), bad),
            rejects: vec![(1, 4, "value.bad_characters"), (3, 14, "value.bad_characters")],
            rows: 1,
        },
        Broken {
            case: Case::new(
                "bad GBK",
                text(&["encoding=gb18030", "delimiter=,", "header=true"]),
                gbk,
            ),
            rejects: vec![(2, 9, "value.bad_characters"), (3, 14, "value.bad_characters")],
            rows: 2,
        },
        Broken {
            case: Case::new(
                "lost quote",
                text(&[&settled[..], &["unterminated=resync"]].concat()),
                lost,
            ),
            rejects: vec![(1, 4, "csv.unterminated_quote")],
            rows: 2,
        },
    ];
    let fatal = [Case::new("open quote", text(&settled), "a,b\n1,2\n3,\"x\n4,y\n")];
    conforms(&[], &broken, &fatal);
}

fn encoding_rs_gbk(text: &str) -> Vec<u8> {
    fenhe_text::Encoding::GBK.encode(text).unwrap()
}
