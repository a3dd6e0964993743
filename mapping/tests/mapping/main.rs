//! Mappings from their text to arrays. Expected values come from the standards, from `date`, `openssl` and Python.

#![allow(clippy::unwrap_used)]

mod anything;
mod dates;
mod fields;
mod grammar;
mod people;
mod secrets;
mod support;
mod tables;
mod text;
mod units;
