//! Errors.

use fenhe_core::{Error, Kind, Retry};

#[test]
fn an_input_output_error_keeps_its_meaning() {
    let error = Error::from(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
    assert_eq!(error.kind(), Kind::Permission);
    assert_eq!(error.retry(), Retry::Never);
}

#[test]
fn a_timeout_leaves_the_outcome_in_doubt() {
    let error = Error::new(Kind::Timeout, "http.timeout", "no answer");
    assert_eq!(error.retry(), Retry::InDoubt);
}
