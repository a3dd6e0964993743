//! Items to Arrow fields.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField};
use fenhe_core::schema::{CHARSET, LENGTH, NATIVE_TYPE, with};

use crate::layout::{Field, Layout};
use crate::storage::Storage;

/// Name of the column with the bytes of each record.
pub(crate) const RAW: &str = "_raw";
/// Name of the column with the number of each record.
pub(crate) const RECORD: &str = "_record";
/// Name of the column with the number of the parent record.
pub(crate) const PARENT: &str = "_parent";

/// The Arrow type of an elementary item.
pub(crate) fn data_type(field: &Field) -> DataType {
    let Some(storage) = field.storage else { return DataType::Null };
    match storage {
        Storage::Text | Storage::National | Storage::Dbcs => DataType::Utf8,
        Storage::Opaque => DataType::Binary,
        Storage::HexFloat => DataType::Float64,
        Storage::Float { .. } if field.length == 4 => DataType::Float32,
        Storage::Float { .. } => DataType::Float64,
        Storage::Binary { signed, .. } => binary(field, signed),
        _ => digits(field.digits, field.scale),
    }
}

/// Binary items hold more than the digits of their PICTURE: the type is that of the whole field.
fn binary(field: &Field, signed: bool) -> DataType {
    let full = match field.length {
        1 => 3,
        2 => 5,
        3 => 8,
        4 => 10,
        5..=8 if signed => 19,
        5..=8 => 20,
        _ => 38,
    };
    if field.scale != 0 {
        return digits(full.max(field.digits), field.scale);
    }
    match (field.length, signed) {
        (0..=2, _) | (3..=4, true) => DataType::Int32,
        (3..=4, false) | (5..=8, true) => DataType::Int64,
        (5..=8, false) => DataType::UInt64,
        _ => DataType::Decimal128(38, 0),
    }
}

fn digits(digits: u32, scale: i32) -> DataType {
    let precision = if scale < 0 {
        digits.saturating_add(scale.unsigned_abs())
    } else {
        digits.max(scale.unsigned_abs())
    };
    match (scale, precision) {
        (..=0, 0..=9) => DataType::Int32,
        (..=0, 10..=18) => DataType::Int64,
        (scale, precision) => {
            let precision = u8::try_from(precision.min(38)).unwrap_or(38);
            DataType::Decimal128(precision, i8::try_from(scale.max(0)).unwrap_or(38))
        }
    }
}

/// The Arrow field of an elementary item with what the copybook says about it.
pub(crate) fn leaf(layout: &Layout, field: &Field, name: &str) -> ArrowField {
    let mut native = field.picture.clone();
    if !matches!(field.usage, crate::copybook::Usage::Display) || native.is_empty() {
        native = format!("{native} {}", field.usage.name()).trim().to_owned();
    }
    let native = if field.picture.is_empty() { native } else { format!("PIC {native}") };
    let arrow = ArrowField::new(name, data_type(field), true);
    let arrow = with(with(arrow, NATIVE_TYPE, native), LENGTH, field.length.to_string());
    match field.storage {
        Some(Storage::Text | Storage::Dbcs) => with(arrow, CHARSET, layout.page.to_string()),
        _ => arrow,
    }
}

/// The list type of a table.
pub(crate) fn list(name: &str, item: ArrowField) -> ArrowField {
    ArrowField::new(name, DataType::List(Arc::new(item.with_name("item"))), true)
}
