//! Whole columns: spellings to Arrow values, faults, and rows taken back.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use fenhe_kernels::{Pools, Validated};
use fenhe_text::{Encoding, Invalid};
use fenhe_values::{
    ColumnBuilder, Columns, FaultKind, FaultMask, FieldSpec, SignStyle, Source, Spans, Spelling,
    Trim,
};
use proptest::prelude::*;

/// Reads fields separated by `|` and returns the array and the bad rows.
fn read(spec: &FieldSpec, encoding: Encoding, line: &[u8]) -> (ArrayRef, Vec<usize>) {
    let ends: Vec<u32> =
        (0u32..).zip(line).filter(|(_, b)| **b == b'|').map(|(at, _)| at).collect();
    let starts: Vec<u32> = std::iter::once(u32::MAX).chain(ends.iter().copied()).collect();
    let spans = Spans::Listed {
        starts: &starts,
        ends: &ends,
        skip: 1,
        first: 0,
        stride: 1,
        rows: ends.len(),
    };
    let mut column = ColumnBuilder::new(spec, encoding, &Pools::default(), 8).unwrap();
    let mut faults = FaultMask::new();
    faults.reset(ends.len());
    column.append(Source::Bytes(line), spans, &mut faults);
    (column.finish().unwrap(), faults.iter().collect())
}

fn decimals(spelling: impl FnOnce(&mut Spelling), line: &str) -> Vec<Result<Option<i128>, ()>> {
    let mut spec = FieldSpec::new("fee", DataType::Decimal128(20, 2));
    spelling(&mut spec.spelling);
    let (array, bad) = read(&spec, Encoding::UTF_8, line.as_bytes());
    let values = array.as_primitive::<Decimal128Type>();
    values
        .iter()
        .enumerate()
        .map(|(row, v)| if bad.contains(&row) { Err(()) } else { Ok(v) })
        .collect()
}

#[test]
fn numbers_are_read_in_every_declared_spelling() {
    assert_eq!(
        decimals(|_| {}, "12.5|-0.01|  +7 ||1,000.00|12.345|"),
        [Ok(Some(1250)), Ok(Some(-1)), Ok(Some(700)), Ok(None), Err(()), Err(())]
    );
    assert_eq!(
        decimals(
            |s| s.number.thousands = Some(','),
            "1,234,567.89|1234|12,34|1,23|,123|1,2345|999|-1,000|"
        ),
        [
            Ok(Some(123_456_789)),
            Ok(Some(123_400)),
            Err(()),
            Err(()),
            Err(()),
            Err(()),
            Ok(Some(99_900)),
            Ok(Some(-100_000))
        ]
    );
    let german = |s: &mut Spelling| (s.number.decimal_mark, s.number.thousands) = (',', Some('.'));
    assert_eq!(decimals(german, "1.234,56|-,5|1.5|"), [Ok(Some(123_456)), Ok(Some(-50)), Err(())]);
    let french =
        |s: &mut Spelling| (s.number.decimal_mark, s.number.thousands) = (',', Some('\u{A0}'));
    assert_eq!(decimals(french, "1\u{A0}234,56|"), [Ok(Some(123_456))]);
    assert_eq!(
        decimals(|s| s.number.implied = Some(2), "12345|-5|00000|1.5|"),
        [Ok(Some(12_345)), Ok(Some(-5)), Ok(Some(0)), Err(())]
    );
    assert_eq!(decimals(|s| s.number.implied = Some(3), "12340|12345|"), [Ok(Some(1234)), Err(())]);
    assert_eq!(
        decimals(|s| s.number.sign = SignStyle::Trailing, "12.5-|12+|12|-12|"),
        [Ok(Some(-1250)), Ok(Some(1200)), Ok(Some(1200)), Err(())]
    );
    assert_eq!(
        decimals(|s| s.number.sign = SignStyle::Parentheses, "(12.5)|-1|(-1)|( 3 )|"),
        [Ok(Some(-1250)), Ok(Some(-100)), Err(()), Ok(Some(-300))]
    );
    assert_eq!(
        decimals(|s| s.number.sign = SignStyle::Credit, "12.50CR|12.50 DB|12.5|1dr|"),
        [Ok(Some(-1250)), Ok(Some(1250)), Ok(Some(1250)), Ok(Some(100))]
    );
    assert_eq!(
        decimals(|s| s.number.sign = SignStyle::CreditOrDebit, "12.50CR|12.50DB|"),
        [Ok(Some(-1250)), Ok(Some(-1250))]
    );
    assert_eq!(
        decimals(|s| s.number.full_width = true, "－１２．５|3|"),
        [Ok(Some(-1250)), Ok(Some(300))]
    );
    assert_eq!(
        decimals(|s| s.number.percent = true, "100%|-250 %|5|"),
        [Ok(Some(100)), Ok(Some(-250)), Err(())]
    );
    let money = |s: &mut Spelling| {
        s.number.prefixes = vec!["¥".into(), "CNY".into()];
        s.number.suffixes = vec!["元".into()];
        s.number.thousands = Some(',');
    };
    assert_eq!(
        decimals(money, "¥1,200.00|-¥5|¥-5|CNY 7|8元|9|"),
        [
            Ok(Some(120_000)),
            Ok(Some(-500)),
            Ok(Some(-500)),
            Ok(Some(700)),
            Ok(Some(800)),
            Ok(Some(900))
        ]
    );
}

#[test]
fn full_width_digits_are_those_of_the_encoding() {
    let mut spec = FieldSpec::new("n", DataType::Int64);
    spec.spelling.number.full_width = true;
    // ０１２ is A3B0 A3B1 A3B2 in GBK.
    let (array, bad) = read(&spec, Encoding::GBK, b"\xA3\xB1\xA3\xB2|34|\xA3|");
    assert_eq!(
        (array.as_primitive::<Int64Type>().values()[..2].to_vec(), bad),
        (vec![12, 34], vec![2])
    );
}

#[test]
fn dates_nulls_and_sentinels() {
    let mut spec = FieldSpec::new("d", DataType::Date32);
    spec.spelling.date.patterns = vec!["YYYYMMDD".into(), "YYYY年M月D日".into()];
    spec.spelling.date.zero_is_null = true;
    spec.spelling.nulls = vec![String::new(), "99991231".into()];
    let line = "20260102|00000000|99991231|2026年1月2日|20250229|        |2026-01-02|0000年0月0日|";
    let (array, bad) = read(&spec, Encoding::UTF_8, line.as_bytes());
    let days: Vec<_> = array.as_primitive::<Date32Type>().iter().collect();
    assert_eq!(days, [Some(20_455), None, None, Some(20_455), None, None, None, None]);
    assert_eq!(bad, [4, 6, 7]);
    let gbk = Encoding::GBK.encode(line).unwrap();
    let (again, bad) = read(&spec, Encoding::GBK, &gbk);
    assert_eq!((&again, bad), (&array, vec![4, 6, 7]));
}

#[test]
fn timestamps_keep_the_moment_in_utc() {
    let plain = FieldSpec::new("t", DataType::Timestamp(TimeUnit::Millisecond, None));
    let values = |spec: &FieldSpec, line: &str| {
        let (array, bad) = read(spec, Encoding::UTF_8, line.as_bytes());
        (array.as_primitive::<TimestampMillisecondType>().iter().collect::<Vec<_>>(), bad)
    };
    // `date -u -d '2026-01-02 03:04:05' +%s` is 1767323045.
    let moment = 1_767_323_045_000;
    let line = "2026-01-02 03:04:05|2026-01-02T03:04:05|2026-01-02T03:04:05.678|2026-01-02T03:04:05.6789|2026-01-02 03:04:05Z|";
    assert_eq!(
        values(&plain, line),
        (vec![Some(moment), Some(moment), Some(moment + 678), None, None], vec![3, 4])
    );
    let mut zoned =
        FieldSpec::new("t", DataType::Timestamp(TimeUnit::Millisecond, Some("+08:00".into())));
    let line = "2026-01-02T11:04:05+08:00|2026-01-02T03:04:05Z|";
    assert_eq!(values(&zoned, line), (vec![Some(moment); 2], vec![]));
    zoned.spelling.date.patterns = vec!["YYYY-MM-DD HH:mm:ss".into()];
    assert_eq!(values(&zoned, "2026-01-02 11:04:05|"), (vec![Some(moment)], vec![]));
    let mut strict = plain;
    strict.spelling.date.patterns = vec!["YYYY-MM-DD HH:mm:ss".into()];
    assert_eq!(values(&strict, "2026-01-02T03:04:05|2026-01-02 03:04:05|").1, [0]);
}

#[test]
fn text_is_trimmed_decoded_and_checked() {
    let mut spec = FieldSpec::new("name", DataType::Utf8);
    spec.spelling.trim = Trim::END;
    let gbk = b"\xD5\xC5\xCE\xB0  | x|\xFF\xFF||\xD5|";
    let (array, bad) = read(&spec, Encoding::GBK, gbk);
    assert_eq!(
        array.as_string::<i32>().iter().collect::<Vec<_>>(),
        [Some("张伟"), Some(" x"), None, None, None]
    );
    assert_eq!(bad, [2, 4]);
    spec.spelling.invalid = Invalid::Replace;
    assert!(read(&spec, Encoding::GBK, gbk).1.is_empty());
    spec.spelling.invalid = Invalid::Null;
    let (array, bad) = read(&spec, Encoding::GBK, gbk);
    assert_eq!((array.null_count(), bad), (3, vec![]));
}

#[test]
fn gb18030_four_byte_characters_take_the_thorough_road() {
    let spec = FieldSpec::new("name", DataType::Utf8);
    // U+20087 is 95 32 90 31 in GB 18030 (table of the standard); 㐀 (U+3400) is 81 39 EE 39.
    let (array, bad) = read(&spec, Encoding::GB18030, b"\x95\x32\x90\x31|a\x81\x39\xEE\x39b|");
    assert_eq!(
        array.as_string::<i32>().iter().flatten().collect::<Vec<_>>(),
        ["\u{20087}", "a\u{3400}b"]
    );
    assert_eq!(bad, [0usize; 0]);
}

#[test]
fn a_checked_window_is_cut_at_characters_only() {
    let text = "张伟|王";
    let window = Validated::check(text.as_bytes()).unwrap();
    let mut column = ColumnBuilder::new(
        &FieldSpec::new("n", DataType::Utf8),
        Encoding::UTF_8,
        &Pools::default(),
        8,
    )
    .unwrap();
    let mut faults = FaultMask::new();
    faults.reset(3);
    column.append(Source::Utf8(window), Spans::each(&[0, 1, 7], &[6, 6, 10]), &mut faults);
    assert_eq!(faults.iter().collect::<Vec<_>>(), [1]);
    assert_eq!(
        column.finish().unwrap().as_string::<i32>().iter().collect::<Vec<_>>(),
        [Some("张伟"), None, Some("王")]
    );
}

#[test]
fn a_missing_field_is_null_or_a_fault() {
    for (required, bad) in [(false, vec![]), (true, vec![1])] {
        let spec = FieldSpec::new("n", DataType::Int64).required(required);
        let mut column = ColumnBuilder::new(&spec, Encoding::UTF_8, &Pools::default(), 8).unwrap();
        let mut faults = FaultMask::new();
        faults.reset(2);
        column.append(
            Source::Bytes(b"12"),
            Spans::each(&[0, 0], &[2, Spans::MISSING]),
            &mut faults,
        );
        assert_eq!(faults.iter().collect::<Vec<_>>(), bad);
        assert_eq!(column.reader().explain_missing().is_some(), required);
    }
}

#[test]
fn single_values_are_appended_or_refused() {
    let spec = FieldSpec::new("n", DataType::Int8).required(true);
    let mut column = ColumnBuilder::new(&spec, Encoding::UTF_8, &Pools::default(), 8).unwrap();
    assert_eq!(column.append_value(b"127"), Ok(()));
    assert_eq!(column.append_value(b"128"), Err(FaultKind::OutOfRange));
    assert_eq!(column.append_value(b""), Err(FaultKind::NullNotAllowed));
    assert_eq!(column.append_null(), Err(FaultKind::NullNotAllowed));
    assert_eq!(column.len(), 1);
}

#[test]
fn every_type_has_a_column() {
    for (name, good, bad) in [
        ("int8", "-128", "-129"),
        ("int16", "32767", "32768"),
        ("int32", "-2147483648", "-2147483649"),
        ("int64", "9223372036854775807", "9223372036854775808"),
        ("uint8", "255", "256"),
        ("uint16", "65535", "-1"),
        ("uint32", "4294967295", "4294967296"),
        ("uint64", "18446744073709551615", "18446744073709551616"),
        ("float32", "3.4e38", "3.5e38"),
        ("float64", "-1e308", "1e309"),
        ("decimal(3,1)", "-99.9", "100"),
        ("decimal(40,1)", "99.9", "99.99"),
        ("bool", "是", "maybe"),
        ("date", "2024-02-29", "2023-02-29"),
        ("time(s)", "23:59:59", "23:59:60"),
        ("time(us)", "23:59:59.000001", "23:59:59.0000001"),
        ("timestamp(ns)", "2026-01-02T03:04:05.123456789", "2026-01-02"),
        ("timestamp(s, UTC)", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05"),
        ("binary", "00ff", "0"),
    ] {
        let spec = FieldSpec::new("f", fenhe_values::parse_type(name).unwrap());
        let (array, faults) = read(&spec, Encoding::UTF_8, format!("{good}|{bad}||").as_bytes());
        assert_eq!(faults, [1], "{name}");
        assert_eq!(
            (array.is_valid(0), array.is_null(2), array.data_type()),
            (true, true, &spec.data_type),
            "{name}"
        );
    }
}

#[test]
fn records_with_a_fault_stay_out_of_all_columns() {
    let specs = [
        FieldSpec::new("id", DataType::Int64),
        FieldSpec::new("name", DataType::Utf8).required(true),
    ];
    let mut columns = Columns::new(&specs, Encoding::UTF_8, &Pools::default(), 8).unwrap();
    let block = Source::Bytes(b"1ax2bb3  4dd5ee");
    let spans =
        |column: usize| Spans::Fixed { first: column, record: 3, length: 1 + column, rows: 5 };
    let rejected: Vec<usize> = columns.append(block, 5, spans, &[4]).iter().collect();
    assert_eq!(rejected, [4]);
    let rejected: Vec<usize> = columns
        .append(
            Source::Bytes(b"6xx?yy8zz"),
            3,
            |c| Spans::Fixed { first: c, record: 3, length: 1 + c, rows: 3 },
            &[],
        )
        .iter()
        .collect();
    assert_eq!((rejected, columns.rows()), (vec![1], 6));
    let fields: Vec<_> = columns.columns().iter().map(ColumnBuilder::field).collect();
    let batch = columns.finish(&std::sync::Arc::new(arrow_schema::Schema::new(fields))).unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[1, 2, 3, 4, 6, 8]);
    let names: Vec<_> = batch.column(1).as_string::<i32>().iter().flatten().collect();
    assert_eq!(names, ["ax", "bb", "  ", "dd", "xx", "zz"]);
    assert_eq!(columns.rows(), 0);
}

#[test]
fn a_fault_is_explained_without_the_value() {
    let specs = [
        FieldSpec::new("fee", DataType::Decimal128(6, 2)),
        FieldSpec::new("born", DataType::Date32),
    ];
    let columns = Columns::new(&specs, Encoding::UTF_8, &Pools::default(), 8).unwrap();
    let bytes = b"12.345secret";
    let spans = |c| Spans::Fixed { first: [0, 6][c], record: 12, length: 6, rows: 1 };
    let texts: Vec<String> =
        columns.faults_of(Source::Bytes(bytes), 0, spans).iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "fee: expected a number of at most 4 digits before the mark and 2 after it (decimal(6,2)), found 6 bytes: digits and marks \
             (more digits after the decimal mark than the scale) [value.too_many_fraction_digits]",
            "born: expected a date as YYYY-MM-DD (date), found 6 bytes: letters (not spelled like the declared date or time) \
             [value.not_a_date]",
        ]
    );
}

#[test]
fn values_that_the_policy_bears_are_counted_in_the_rows_that_stay() {
    for invalid in [Invalid::Null, Invalid::Replace] {
        let spelled = Spelling { invalid, ..Spelling::default() };
        let null = Spelling { invalid: Invalid::Null, ..Spelling::default() };
        let specs = [
            FieldSpec::new("text", DataType::Utf8).spelled(spelled),
            FieldSpec::new("number", DataType::Int64).spelled(null),
            FieldSpec::new("needed", DataType::Int64).required(true),
        ];
        let mut columns = Columns::new(&specs, Encoding::UTF_8, &Pools::default(), 8).unwrap();
        let spans = |c| Spans::Fixed { first: c, record: 3, length: 1, rows: 4 };
        // Blanks are absent, not unreadable.
        let good = columns.append(Source::Bytes(b"ax1\xFFy2b  b44"), 4, spans, &[]);
        assert_eq!((good.iter().collect::<Vec<_>>(), good.forgiven()), (vec![2], 3));
        let none = columns.append(Source::Bytes(b"a11\xFFy2b 3b44"), 4, spans, &[]);
        assert_eq!((none.any(), none.forgiven()), (false, 2));
        // What the third row holds is not lost: it is refused as a whole.
        let again = columns.append(Source::Bytes(b"ax1\xFFy2\xFFz?b44"), 4, spans, &[]);
        assert_eq!((again.iter().collect::<Vec<_>>(), again.forgiven()), (vec![2], 3));
        let clean = columns.append(Source::Bytes(b"a11b22c33d44"), 4, spans, &[1]);
        assert_eq!(clean.forgiven(), 0);
    }
}

#[test]
fn contradictory_specifications_are_refused() {
    let refused = |spec: &FieldSpec, encoding| {
        fenhe_values::FieldReader::new(spec, encoding).unwrap_err().to_string()
    };
    let mut spec = FieldSpec::new("f", DataType::Date32);
    spec.spelling.date.patterns = vec!["HH:mm".into()];
    assert!(refused(&spec, Encoding::UTF_8).contains("spells no date"));
    let mut spec = FieldSpec::new("f", DataType::Int64);
    spec.spelling.number.implied = Some(2);
    assert!(refused(&spec, Encoding::UTF_8).contains("no implied decimals"));
    let mut spec = FieldSpec::new("f", DataType::Boolean);
    spec.spelling.boolean.no = vec!["T".into()];
    assert!(refused(&spec, Encoding::UTF_8).contains("both true and false"));
    assert!(
        refused(&FieldSpec::new("f", DataType::Int64), Encoding::for_label("ibm037").unwrap())
            .contains("decode it")
    );
    let zoned = DataType::Timestamp(TimeUnit::Second, Some("Asia/Shanghai".into()));
    let mut spec = FieldSpec::new("f", zoned);
    assert!(
        fenhe_values::FieldReader::new(&spec, Encoding::UTF_8).is_ok(),
        "offsets are in the data"
    );
    spec.spelling.date.patterns = vec!["YYYY-MM-DD HH:mm".into()];
    assert!(refused(&spec, Encoding::UTF_8).contains("fixed one"));
}

proptest! {
    #[test]
    fn blocks_and_checks_agree_on_any_bytes(
        fields in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..20), kind in 0usize..8,
    ) {
        let types = ["int16", "uint8", "decimal(9,3)", "float64", "bool", "date", "timestamp(ms)", "text"];
        let mut spec = FieldSpec::new("f", fenhe_values::parse_type(types[kind]).unwrap());
        spec.spelling.date.patterns = match kind { 5 => vec!["YYYYMMDD".into()], _ => vec![] };
        let mut base = Vec::new();
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for field in &fields {
            starts.push(base.len() as u32);
            base.extend_from_slice(field);
            ends.push(base.len() as u32);
        }
        for encoding in [Encoding::UTF_8, Encoding::GB18030] {
            let mut column = ColumnBuilder::new(&spec, encoding, &Pools::default(), 8).unwrap();
            let mut faults = FaultMask::new();
            faults.reset(fields.len());
            column.append(Source::Bytes(&base), Spans::each(&starts, &ends), &mut faults);
            for (row, field) in fields.iter().enumerate() {
                prop_assert_eq!(faults.contains(row), column.reader().check(field).is_some(), "{:?}", field);
            }
            prop_assert_eq!(column.finish().unwrap().len(), fields.len());
        }
    }
}
