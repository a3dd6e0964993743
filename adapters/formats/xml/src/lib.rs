#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::cast_possible_truncation))]
#![cfg_attr(not(test), warn(clippy::cast_possible_wrap, clippy::cast_sign_loss))]

mod attlist;
mod chars;
mod columns;
mod decode;
mod detect;
mod dialect;
mod encode;
mod entities;
mod error;
mod find;
mod format;
mod infer;
mod markup;
mod names;
mod options;
mod outline;
mod path;
mod plan;
mod run;
mod scan;
mod settle;
mod slow;
mod splitter;
mod stage;
mod subset;
mod template;
mod walk;
mod window;

pub use format::Xml;
pub use options::{Dtd, Extra, Mixed, Nil, Trimming, Types, XmlOptions};
