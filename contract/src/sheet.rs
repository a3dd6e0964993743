//! Catalogue sheets: the field lists that departments fill in, as rows of any format.
//!
//! A sheet has one row an information item (信息项). Columns are known by their headings, in the spellings that are met;
//! those of the resource (信息资源名称, 提供方, 共享类型, ...) may be filled in once and left blank below, as merged cells
//! come out. Types are the letters of the guideline, which are those of FoxPro (`C`, `N`, `D`, ...), their Chinese words,
//! or the words of databases.

mod headings;
mod read;
mod write;

pub use headings::means;
pub use read::{Resource, read};
pub use write::write;
