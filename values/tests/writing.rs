//! What is written reads back, in every spelling.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Int32Array, StringArray,
    Time32MillisecondArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, TimeUnit};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;
use fenhe_values::{
    BinarySpelling, ColumnBuilder, FaultMask, FieldSpec, FieldWriter, SignStyle, Source, Spans,
    Spelling, TextBlock,
};
use proptest::prelude::*;

fn write(spec: &FieldSpec, encoding: Encoding, array: &ArrayRef) -> (TextBlock, Vec<usize>) {
    let (mut block, mut faults) = (TextBlock::new(), FaultMask::new());
    faults.reset(array.len());
    FieldWriter::new(spec, encoding)
        .unwrap()
        .write(array, 0..array.len(), &mut block, &mut faults)
        .unwrap();
    (block, faults.iter().collect())
}

fn read_back(spec: &FieldSpec, encoding: Encoding, block: &TextBlock) -> ArrayRef {
    let mut bytes = Vec::new();
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for (field, _) in block.iter() {
        starts.push(bytes.len() as u32);
        bytes.extend_from_slice(field);
        ends.push(bytes.len() as u32);
    }
    let mut column = ColumnBuilder::new(spec, encoding, &Pools::default(), 8).unwrap();
    let mut faults = FaultMask::new();
    faults.reset(starts.len());
    column.append(Source::Bytes(&bytes), Spans::each(&starts, &ends), &mut faults);
    assert!(!faults.any(), "{:?}", String::from_utf8_lossy(&bytes));
    column.finish().unwrap()
}

fn spelled(spelling: impl FnOnce(&mut Spelling), value: i128) -> String {
    let mut spec = FieldSpec::new("fee", DataType::Decimal128(38, 2));
    spelling(&mut spec.spelling);
    let array: ArrayRef =
        Arc::new(Decimal128Array::from(vec![value]).with_precision_and_scale(38, 2).unwrap());
    let (block, bad) = write(&spec, Encoding::UTF_8, &array);
    if bad.is_empty() {
        String::from_utf8(block.field(0).to_vec()).unwrap()
    } else {
        "fault".to_owned()
    }
}

#[test]
fn numbers_are_written_in_the_declared_spelling() {
    assert_eq!(spelled(|_| {}, -123_450), "-1234.50");
    assert_eq!(spelled(|s| s.number.thousands = Some(','), -123_456_789), "-1,234,567.89");
    assert_eq!(spelled(|s| s.number.thousands = Some(','), 99_999), "999.99");
    assert_eq!(
        spelled(|s| (s.number.decimal_mark, s.number.thousands) = (',', Some('.')), 123_456),
        "1.234,56"
    );
    assert_eq!(spelled(|s| s.number.implied = Some(2), -5), "-5");
    assert_eq!(spelled(|s| s.number.implied = Some(3), 5), "50");
    assert_eq!(spelled(|s| s.number.implied = Some(0), 500), "5");
    assert_eq!(spelled(|s| s.number.implied = Some(0), 501), "fault");
    assert_eq!(spelled(|s| s.number.sign = SignStyle::Trailing, -5), "0.05-");
    assert_eq!(spelled(|s| s.number.sign = SignStyle::Parentheses, -500), "(5.00)");
    assert_eq!(spelled(|s| s.number.sign = SignStyle::Credit, -500), "5.00CR");
    assert_eq!(spelled(|s| s.number.plus = true, 500), "+5.00");
    assert_eq!(spelled(|s| s.number.percent = true, 5), "5%");
    assert_eq!(spelled(|s| s.number.percent = true, -12_345), "-12345%");
    let money = |s: &mut Spelling| {
        (s.number.prefixes, s.number.suffixes) = (vec!["¥".into()], vec!["元".into()])
    };
    assert_eq!(spelled(money, -500), "-¥5.00元");
}

#[test]
fn a_value_that_would_read_as_null_is_a_fault() {
    let mut spec = FieldSpec::new("d", DataType::Date32);
    spec.spelling.nulls = vec!["99991231".into()];
    spec.spelling.date.patterns = vec!["YYYYMMDD".into()];
    let array: ArrayRef = Arc::new(Date32Array::from(vec![Some(20_455), Some(2_932_896), None]));
    let (block, bad) = write(&spec, Encoding::UTF_8, &array);
    assert_eq!(
        (block.field(0), block.field(2), bad),
        (&b"20260102"[..], &b"99991231"[..], vec![1])
    );
    assert_eq!(block.iter().map(|(_, null)| null).collect::<Vec<_>>(), [false, false, true]);
    let fault = FieldWriter::new(&spec, Encoding::UTF_8).unwrap().explain(&array, 1).unwrap();
    assert_eq!(fault.code, "value.looks_like_null");
}

#[test]
fn characters_the_code_page_lacks_are_a_fault() {
    let array: ArrayRef = Arc::new(StringArray::from(vec![Some("张伟"), Some("\u{1F600}"), None]));
    let (block, bad) = write(&FieldSpec::new("n", DataType::Utf8), Encoding::GBK, &array);
    assert_eq!((block.field(0), bad), (&b"\xD5\xC5\xCE\xB0"[..], vec![1]));
    let required = FieldSpec::new("n", DataType::Utf8).required(true);
    assert_eq!(write(&required, Encoding::GBK, &array).1, [1, 2]);
}

#[test]
fn moments_are_written_in_the_zone_of_the_type() {
    for (zone, pattern, expected) in [
        (Some("+08:00"), None, "2026-01-02T11:04:05+08:00"),
        (Some("UTC"), None, "2026-01-02T03:04:05Z"),
        (Some("Asia/Shanghai"), None, "2026-01-02T03:04:05Z"),
        (Some("+08:00"), Some("YYYY年M月D日 H:mm:ss"), "2026年1月2日 11:04:05"),
        (None, None, "2026-01-02T03:04:05"),
        (None, Some("YYYYMMDDHHmmss"), "20260102030405"),
    ] {
        let mut spec =
            FieldSpec::new("t", DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into)));
        spec.spelling.date.patterns = pattern.map(str::to_owned).into_iter().collect();
        let array: ArrayRef = Arc::new(
            TimestampMicrosecondArray::from(vec![1_767_323_045_000_000]).with_timezone_opt(zone),
        );
        let (block, bad) = write(&spec, Encoding::UTF_8, &array);
        assert_eq!((String::from_utf8_lossy(block.field(0)).as_ref(), bad.len()), (expected, 0));
        assert_eq!(&read_back(&spec, Encoding::UTF_8, &block), &array);
    }
}

#[test]
fn an_array_of_another_type_is_refused() {
    let array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let writer = FieldWriter::new(&FieldSpec::new("n", DataType::Int64), Encoding::UTF_8).unwrap();
    let refused =
        writer.write(&array, 0..1, &mut TextBlock::new(), &mut FaultMask::new()).unwrap_err();
    assert_eq!(refused.code(), "value.type");
    let list = DataType::new_list(DataType::Int8, true);
    assert_eq!(
        FieldWriter::new(&FieldSpec::new("n", list), Encoding::UTF_8).unwrap_err().code(),
        "value.type"
    );
}

prop_compose! {
    fn number_spelling()(
        comma: bool, thousands in prop::option::of(prop::sample::select(vec![' ', '\u{A0}', '\u{202F}', '\''])), sign in 0usize..5,
        plus: bool, full_width: bool, percent: bool, implied in prop::option::of(4u8..8), affix: bool,
    ) -> Spelling {
        let mut spelling = Spelling::default();
        let number = &mut spelling.number;
        number.decimal_mark = if comma { ',' } else { '.' };
        number.thousands = thousands;
        number.sign = [SignStyle::Leading, SignStyle::Trailing, SignStyle::Parentheses, SignStyle::Credit, SignStyle::CreditOrDebit][sign];
        (number.plus, number.full_width) = (plus, full_width);
        number.percent = percent && implied.is_none();
        number.implied = implied;
        if affix {
            number.prefixes = vec!["CNY".into(), "¥".into()];
            number.suffixes = vec!["元".into()];
        }
        spelling
    }
}

proptest! {
    #[test]
    fn decimals_read_back_in_any_spelling(
        spelling in number_spelling(), scale in 0i8..=4,
        values in prop::collection::vec(prop::option::of(-(10i128.pow(20))..10i128.pow(20)), 1..8), small in -200i128..200,
    ) {
        let mut values = values;
        values.push(Some(small));
        let spec = FieldSpec::new("f", DataType::Decimal128(38, scale)).spelled(spelling);
        let array: ArrayRef = Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap());
        let (block, bad) = write(&spec, Encoding::UTF_8, &array);
        prop_assert_eq!(bad.len(), 0);
        prop_assert_eq!(&read_back(&spec, Encoding::UTF_8, &block), &array);
    }

    #[test]
    fn plain_types_read_back(
        ints in prop::collection::vec(any::<Option<i32>>(), 4), flags in prop::collection::vec(any::<Option<bool>>(), 4),
        days in prop::collection::vec(prop::option::of(-719_162i32..=2_932_896), 4),
        bytes in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 1..9)), 4),
        times in prop::collection::vec(0i32..86_400_000, 4),
    ) {
        let binary = BinaryArray::from_iter(bytes.iter().map(Option::as_deref));
        let base64 = Spelling { binary: BinarySpelling::Base64, ..Spelling::default() };
        let mut long_dates = Spelling::default();
        long_dates.date.patterns = vec!["D MMMM YYYY".into()];
        for (spelling, array) in [
            (Spelling::default(), Arc::new(Int32Array::from(ints)) as ArrayRef),
            (Spelling::default(), Arc::new(BooleanArray::from(flags))),
            (long_dates, Arc::new(Date32Array::from(days))),
            (Spelling::default(), Arc::new(binary.clone())),
            (base64, Arc::new(binary)),
            (Spelling::default(), Arc::new(Time32MillisecondArray::from(times))),
        ] {
            let spec = FieldSpec::new("f", array.data_type().clone()).spelled(spelling);
            let (block, bad) = write(&spec, Encoding::GBK, &array);
            prop_assert_eq!(bad.len(), 0);
            prop_assert_eq!(&read_back(&spec, Encoding::GBK, &block), &array);
        }
    }
}

#[test]
fn a_nested_column_is_refused_in_words() {
    let list = DataType::new_list(DataType::new_list(DataType::Utf8, true), true);
    let refused = FieldWriter::new(&FieldSpec::new("items", list), Encoding::UTF_8).unwrap_err();
    let text = format!("{refused:#}");
    assert_eq!((refused.kind(), refused.code()), (fenhe_core::Kind::Config, "value.type"));
    assert!(
        text.contains("items") && text.contains("nested") && text.contains("--columns"),
        "{text}"
    );
    assert!(!text.contains("List"), "{text}");
}
