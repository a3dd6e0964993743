//! Nanoseconds a value, column by column: `cargo bench -p fenhe-values`. Figures to compare by hand, no assertions.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::time::Instant;

use fenhe_kernels::{Pools, Validated};
use fenhe_text::Encoding;
use fenhe_values::{
    ColumnBuilder, FaultMask, FieldSpec, FieldWriter, Source, Spans, TextBlock, parse_type,
};

const ROWS: usize = 512;
const BLOCKS: usize = 4_000;

fn main() {
    let mut seed = 42u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    #[allow(clippy::type_complexity)]
    let mut fields = |make: &mut dyn FnMut(&mut dyn FnMut(u64) -> u64) -> String| -> Vec<String> {
        (0..ROWS).map(|_| make(&mut random)).collect()
    };
    let cases: Vec<(&str, &str, &str, Vec<String>)> = vec![
        ("int32, 1 to 4 digits", "int32", "", fields(&mut |r| r(9999).to_string())),
        (
            "int64, 10 digits",
            "int64",
            "",
            fields(&mut |r| (1_000_000_000 + r(999_999_999)).to_string()),
        ),
        (
            "decimal(12,2)",
            "decimal(12,2)",
            "",
            fields(&mut |r| format!("{}.{:02}", r(999_999), r(100))),
        ),
        (
            "decimal(12,2), thousands",
            "decimal(12,2)",
            ",",
            fields(&mut |r| format!("{},{:03}.{:02}", 1 + r(999), r(1000), r(100))),
        ),
        (
            "date, ISO",
            "date",
            "YYYY-MM-DD",
            fields(&mut |r| format!("{}-{:02}-{:02}", 1950 + r(70), 1 + r(12), 1 + r(28))),
        ),
        (
            "date, ISO, same day in runs",
            "date",
            "YYYY-MM-DD",
            fields(&mut |_| "2026-01-02".to_owned()),
        ),
        (
            "date, YYYYMMDD",
            "date",
            "YYYYMMDD",
            fields(&mut |r| format!("{}{:02}{:02}", 1950 + r(70), 1 + r(12), 1 + r(28))),
        ),
        (
            "date, YYYY年M月D日",
            "date",
            "YYYY年M月D日",
            fields(&mut |r| format!("{}年{}月{}日", 1950 + r(70), 1 + r(12), 1 + r(28))),
        ),
        (
            "timestamp(ms), ISO",
            "timestamp(ms)",
            "",
            fields(&mut |r| {
                format!("2026-01-{:02}T{:02}:{:02}:{:02}", 1 + r(28), r(24), r(60), r(60))
            }),
        ),
        ("bool, 是/否", "bool", "", fields(&mut |r| ["是", "否"][r(2) as usize].to_owned())),
        ("float64", "float64", "", fields(&mut |r| format!("{}.{}", r(9999), r(999_999)))),
        (
            "text, 9 bytes of hanzi",
            "text",
            "",
            fields(&mut |r| ["张三丰", "李四海", "王五一"][r(3) as usize].to_owned()),
        ),
        ("text, 18 digits", "text", "", fields(&mut |r| format!("1101051949{:08}", r(99_999_999)))),
    ];
    for (title, type_name, pattern, fields) in &cases {
        let mut spec = FieldSpec::new("f", parse_type(type_name).unwrap());
        match *pattern {
            "" => {}
            "," => spec.spelling.number.thousands = Some(','),
            pattern => spec.spelling.date.patterns = vec![pattern.to_owned()],
        }
        for encoding in [Encoding::UTF_8, Encoding::GBK] {
            measure(title, &spec, encoding, fields);
        }
    }
}

fn measure(title: &str, spec: &FieldSpec, encoding: Encoding, fields: &[String]) {
    let mut bytes = Vec::new();
    let mut marks = vec![u32::MAX];
    for field in fields {
        bytes.extend(encoding.encode(field).unwrap());
        marks.push(u32::try_from(bytes.len()).unwrap());
        bytes.push(b',');
    }
    let spans = Spans::Listed {
        starts: &marks,
        ends: &marks[1..],
        skip: 1,
        first: 0,
        stride: 1,
        rows: fields.len(),
    };
    let window = Validated::check(&bytes).ok().filter(|_| encoding == Encoding::UTF_8);
    let source = window.map_or(Source::Bytes(&bytes), Source::Utf8);
    let mut column = ColumnBuilder::new(spec, encoding, &Pools::default(), 16 * ROWS).unwrap();
    let mut faults = FaultMask::new();
    let writer = FieldWriter::new(spec, encoding).unwrap();
    let mut block = TextBlock::new();
    let (mut best_read, mut best_write) = (f64::MAX, f64::MAX);
    for _ in 0..BLOCKS / 16 {
        let start = Instant::now();
        for _ in 0..16 {
            faults.reset(fields.len());
            column.append(source, spans, &mut faults);
            assert!(!faults.any());
        }
        best_read = best_read.min(start.elapsed().as_secs_f64());
        let array = column.finish().unwrap();
        let start = Instant::now();
        block.clear();
        faults.reset(array.len());
        writer.write(&array, 0..array.len(), &mut block, &mut faults).unwrap();
        best_write = best_write.min(start.elapsed().as_secs_f64());
    }
    let a_value = 1e9 / (16 * fields.len()) as f64;
    println!(
        "{title:32} {encoding:6} read {:6.1} ns  write {:6.1} ns",
        best_read * a_value,
        best_write * a_value
    );
}
