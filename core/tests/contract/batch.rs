//! Batches and their books.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use fenhe_core::{Batch, Fault, Position, Reject, Span};

fn rows(n: i32) -> RecordBatch {
    let column: ArrayRef = Arc::new((0..n).collect::<Int32Array>());
    RecordBatch::try_from_iter([("n", column)]).unwrap()
}

fn reject(record: u64) -> Reject {
    Reject::new(Fault::new("t.t", "", "a", "b")).at(record, 0, 0)
}

#[test]
fn row_numbers_leave_out_the_rejects() {
    let span = Span { first: 11, read: 5, ..Span::default() };
    let at = Position::new("t", 1, &0).unwrap();
    let batch = Batch::new(rows(3), vec![reject(11), reject(14)], span, at).unwrap();
    assert_eq!(batch.record_numbers(), [12, 13, 15]);
}

#[test]
fn a_lost_record_is_noticed() {
    let span = Span { first: 1, read: 4, ..Span::default() };
    let at = Position::new("t", 1, &0).unwrap();
    let error = Batch::new(rows(3), vec![], span, at).unwrap_err();
    assert_eq!(error.code(), "core.books");
}
