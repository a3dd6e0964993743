//! Keeping the spelling of what did not change: blanks, zeros, `Y` for `T`, marks, bytes behind the fields.

use crate::fields;
use crate::plan::{Plan, Slot};
use crate::types::Shape;

/// Takes over from `raw`, the record as it was read, every field of `record` that means the same.
pub(crate) fn keep(plan: &Plan, record: &mut [u8], raw: &[u8], no_memo_file: bool) {
    let end = plan.header.fields_length();
    if let (Some(to), Some(from)) = (record.get_mut(end..), raw.get(end..)) {
        to.copy_from_slice(from);
    }
    keep_mark(record, raw);
    keep_free_bits(plan, record, raw);
    for slot in &plan.slots {
        let memo = slot.shape.is_memo();
        if (memo && !no_memo_file) || !(memo || same(slot, record, raw)) {
            continue;
        }
        let range = slot.at..slot.at + slot.length;
        if let (Some(to), Some(from)) = (record.get_mut(range.clone()), raw.get(range)) {
            to.copy_from_slice(from);
        }
        if let Some(bit) = slot.bits.short {
            copy_bit(record, raw, bit);
        }
    }
}

/// Any mark but `*` means live.
fn keep_mark(record: &mut [u8], raw: &[u8]) {
    if let (Some(to), Some(from)) = (record.first_mut(), raw.first())
        && (*to == b'*') == (*from == b'*')
    {
        *to = *from;
    }
}

/// Bits of the null flags that belong to no column.
fn keep_free_bits(plan: &Plan, record: &mut [u8], raw: &[u8]) {
    let Some(flags) = plan.header.fields.iter().find(|f| f.kind == b'0') else { return };
    for byte in flags.offset..flags.offset + flags.length {
        let bits = plan.slots.iter().flat_map(|s| [s.bits.null, s.bits.short]).flatten();
        let used = bits.filter(|b| b.byte == byte).fold(0, |mask, b| mask | b.mask);
        if let (Some(to), Some(from)) = (record.get_mut(byte), raw.get(byte)) {
            *to |= from & !used;
        }
    }
}

fn copy_bit(record: &mut [u8], raw: &[u8], bit: crate::nullflags::Bit) {
    if let (Some(to), Some(from)) = (record.get_mut(bit.byte), raw.get(bit.byte)) {
        *to = (*to & !bit.mask) | (from & bit.mask);
    }
}

/// Whether a field means the same in both records.
fn same(slot: &Slot, new: &[u8], old: &[u8]) -> bool {
    let null = |record: &[u8]| slot.bits.null.is_some_and(|bit| bit.is_set(record));
    if null(new) != null(old) {
        return false;
    }
    if null(new) {
        return true;
    }
    let range = slot.at..slot.at + slot.length;
    let (Some(a), Some(b)) = (new.get(range.clone()), old.get(range)) else { return false };
    fn equal<T: PartialEq, E>(a: Result<T, E>, b: Result<T, E>) -> bool {
        matches!((a, b), (Ok(a), Ok(b)) if a == b)
    }
    let varying = |field, record: &[u8]| match slot.bits.short {
        Some(bit) => fields::varying(field, bit.is_set(record)).map(<[u8]>::to_vec),
        None => Some(fields::trim_end(field).to_vec()),
    };
    match slot.shape {
        Shape::Text => fields::trim_end(a) == fields::trim_end(b),
        Shape::Varchar | Shape::Varbinary => varying(a, new) == varying(b, old),
        Shape::Integer => equal(fields::integer(a), fields::integer(b)),
        Shape::Decimal { precision, scale } => {
            equal(fields::decimal(a, precision, scale), fields::decimal(b, precision, scale))
        }
        Shape::Date => equal(fields::date(a), fields::date(b)),
        Shape::Logical => equal(fields::logical(a), fields::logical(b)),
        Shape::DateTime => equal(fields::date_time(a, false), fields::date_time(b, false)),
        _ => a == b,
    }
}
