use std::sync::OnceLock;

use arrow_array::Array;
use encoding_rs::{GBK, WINDOWS_1252};
use proptest::prelude::*;

use super::*;

/// The column under test beside a plain vector.
struct Pair {
    column: StringColumn,
    rows: Vec<Option<String>>,
}

fn gbk() -> &'static DoubleByteTable {
    static TABLE: OnceLock<DoubleByteTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        DoubleByteTable::new(|lead, trail| {
            let pair = [lead, trail];
            GBK.decode_without_bom_handling_and_without_replacement(&pair)
                .filter(|text| text.chars().count() == 1)
                .and_then(|text| text.chars().next())
        })
    })
}

fn latin() -> SingleByteTable {
    SingleByteTable::new(|byte| WINDOWS_1252.decode(&[byte]).0.chars().next())
}

impl Pair {
    /// Appends `value` in the way number `way`, to both.
    fn append(&mut self, way: u8, value: &str) {
        let bytes = value.as_bytes();
        let window = format!("é{value}中文字符串后面的内容");
        let range = 2..2 + value.len();
        let done = match way {
            0 => self.column.append_str(value).map_err(AppendError::from),
            1 => self.column.append_ascii(bytes),
            2 => self.column.append_ascii_in(window.as_bytes(), range),
            3 => self.column.append_utf8(bytes),
            4 => self.column.append_validated(Validated::new(&window), range),
            5 => self.column.append_double_byte(&GBK.encode(value).0, gbk()),
            6 => {
                value.chars().for_each(|character| self.column.push_char(character));
                self.column.end_value().map_err(AppendError::from)
            }
            7 => {
                self.column.push_str(value);
                self.column.rollback_value();
                self.column.append_option(Some(value)).map_err(AppendError::from)
            }
            8 => {
                self.column.push_str(value);
                assert_eq!(self.column.open_value(), value);
                self.column.append_null();
                self.rows.push(None);
                return;
            }
            _ => {
                // A byte that is not of the encoding, behind the value.
                let mut broken = bytes.to_vec();
                broken.push(0xFF);
                let before = self.column.text_len();
                assert_eq!(
                    self.column.append_utf8(&broken),
                    Err(AppendError::Invalid { at: bytes.len() })
                );
                assert_eq!((self.column.text_len(), self.column.open_value()), (before, ""));
                return;
            }
        };
        match value.bytes().position(|byte| !byte.is_ascii()) {
            Some(at) if matches!(way, 1 | 2) => assert_eq!(done, Err(AppendError::Invalid { at })),
            _ => {
                assert_eq!(done, Ok(()));
                self.rows.push(Some(value.to_owned()));
            }
        }
        assert_eq!(self.column.len(), self.rows.len());
    }

    fn finish(&mut self) {
        let array = self.column.finish();
        let again = StringArray::try_new(
            array.offsets().clone(),
            array.values().clone(),
            array.nulls().cloned(),
        );
        assert_eq!(again.ok().as_ref(), Some(&array), "the checked constructor takes it too");
        let rows: Vec<_> = array.iter().map(|row| row.map(str::to_owned)).collect();
        assert_eq!(rows, std::mem::take(&mut self.rows));
        assert!(self.column.is_empty());
    }
}

proptest! {
    #[test]
    fn every_way_of_appending_agrees_with_a_vector_of_strings(
        batches in proptest::collection::vec(
            (proptest::collection::vec((0u8..10, "[a-z0-9 ]{0,20}|[a-z分合数据]{0,20}"), 0..70), 0usize..80), 1..4)
    ) {
        let mut pair = Pair { column: StringColumn::new(&Pools::default(), 0, 0), rows: Vec::new() };
        for (values, keep) in batches {
            for (way, value) in values.iter().rev() {
                pair.append(*way, value);
            }
            pair.column.push_str("开放");
            pair.column.truncate(keep);
            pair.rows.truncate(keep);
            assert_eq!(pair.column.open_value(), "");
            for (way, value) in &values[..values.len() / 3] {
                pair.append(*way, value);
            }
            pair.finish();
        }
    }
}

#[test]
fn a_value_beyond_the_limit_is_refused_and_the_column_goes_on() {
    let mut column = StringColumn::new(&Pools::default(), 0, 0);
    let half = "x".repeat(MAX_TEXT / 2);
    column.append_str(&half).unwrap();
    column.append_ascii(half.as_bytes()).unwrap();
    assert_eq!(column.append_str("y"), Err(Full));
    assert_eq!(column.append_utf8(b"y"), Err(AppendError::Full));
    column.append_str("").unwrap();
    column.truncate(1);
    column.append_str("y").unwrap();
    let array = column.finish();
    assert_eq!((array.len(), array.value(1)), (2, "y"));
}

#[test]
fn a_code_page_value_is_continued_after_a_character_the_table_does_not_hold() {
    let mut column = StringColumn::new(&Pools::default(), 0, 0);
    // Four-byte GB18030 for U+20000, between two pairs.
    let source = b"\xD6\xD0\x95\x32\x82\x36\xCE\xC4";
    assert_eq!(column.append_double_byte(source, gbk()), Err(AppendError::Invalid { at: 2 }));
    assert_eq!(column.push_double_byte(source, gbk()), Err(2));
    column.push_char('\u{20000}');
    column.push_double_byte(&source[6..], gbk()).unwrap();
    column.end_value().unwrap();
    column.append_single_byte(b"\x80 caf\xE9", &latin()).unwrap();
    let array = column.finish();
    assert_eq!((array.value(0), array.value(1)), ("中\u{20000}文", "€ café"));
}

#[test]
fn the_memory_of_a_dropped_batch_serves_the_next() {
    let pools = Pools::default();
    let mut column = StringColumn::new(&pools, 5000, 50_000);
    let mut addresses = Vec::new();
    for _ in 0..6 {
        for row in 0..5000 {
            column.append_str(if row % 2 == 0 { "数据交换" } else { "x" }).unwrap();
        }
        let array = column.finish();
        addresses.push(array.value_data().as_ptr().addr());
    }
    addresses.sort_unstable();
    addresses.dedup();
    assert!(addresses.len() <= 2, "two buffers take turns");
}
