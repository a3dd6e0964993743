//! The column that marks deletions.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use fenhe_core::{Fault, Result};

/// Which rows are deletions, and which rows do not say. Nothing and blanks mean no.
pub(crate) fn deletions(
    name: &str,
    array: &ArrayRef,
) -> Result<(BooleanArray, Vec<(usize, Fault)>)> {
    let text = match array.data_type() {
        DataType::Boolean => {
            let flags = array.as_boolean();
            let marked = (0..flags.len()).map(|row| Some(flags.is_valid(row) && flags.value(row)));
            return Ok((marked.collect(), Vec::new()));
        }
        _ => cast(array, &DataType::Utf8)?,
    };
    let text = text.as_string::<i32>();
    let mut faults = Vec::new();
    let marked = text.iter().enumerate().map(|(row, word)| {
        let marked = meaning(word.unwrap_or_default());
        if marked.is_none() {
            let expected = "a mark for deleted (1, true, Y, D, 是, 删除) or its contrary";
            faults.push((row, Fault::new("sql.marker", name, expected, "another word")));
        }
        Some(marked.unwrap_or_default())
    });
    Ok((marked.collect(), faults))
}

fn meaning(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "d" | "deleted" | "*" | "是" | "删除" => Some(true),
        "" | "0" | "f" | "false" | "n" | "no" | "否" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn words_and_numbers_mark_deletions_and_others_are_faults() {
        let words = StringArray::from(vec![Some("Y"), None, Some(" 删除 "), Some("否"), Some("x")]);
        let (marked, faults) = deletions("del", &(Arc::new(words) as ArrayRef)).unwrap();
        assert_eq!(marked, BooleanArray::from(vec![true, false, true, false, false]));
        assert_eq!(
            faults.iter().map(|(row, f)| (*row, f.code.as_ref())).collect::<Vec<_>>(),
            [(4, "sql.marker")]
        );
        let (marked, faults) =
            deletions("del", &(Arc::new(Int64Array::from(vec![0, 1])) as ArrayRef)).unwrap();
        assert_eq!((marked, faults.len()), (BooleanArray::from(vec![false, true]), 0));
    }
}
