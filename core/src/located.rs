//! Errors that point into the text of a configuration.

use std::ops::Range;

use crate::{Error, Kind, nearest};

/// A text written by people (a configuration, a contract, a layout) that errors point into.
///
/// ```
/// use fenhe_core::Located;
/// let text = Located::new("a.toml", "name = 1\n人口 = x\n");
/// let error = text.at(18..19, "config.value", "x is no value");
/// assert_eq!(error.line(), Some((2, 6)), "columns are characters");
/// let error = text.reader(Some(9..15), "config.toml", "unknown field `nam`, expected `name` or `from`");
/// assert_eq!(error.to_string(), "unknown field `nam` (a.toml, line 2, column 1) [config.toml]; did you mean name?");
/// ```
#[derive(Clone, Debug)]
pub struct Located {
    name: String,
    text: String,
}

impl Located {
    /// A text that people know as `name`.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// How people know the text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An error of the configuration at a place in it (bytes of the text).
    pub fn at(&self, span: Range<usize>, code: &'static str, message: impl Into<String>) -> Error {
        let (line, column) = self.line_column(span.start);
        Error::new(Kind::Config, code, message).source_name(self.name.clone()).at_line(line, column)
    }

    /// An error from elsewhere, with the place in the configuration that it is about.
    pub fn here(&self, span: Range<usize>, error: Error) -> Error {
        let (line, column) = self.line_column(span.start);
        let place = match (error.source_name_of(), error.line()) {
            // It already points into another text, such as a layout.
            (Some(name), Some((l, c))) if name != self.name => {
                format!("{name} line {l}, column {c}: ")
            }
            (Some(name), None) if name != self.name => format!("{name}: "),
            _ => String::new(),
        };
        let field = error.field().map_or(String::new(), |field| format!("{field}: "));
        let message = format!("{place}{field}{}", error.message());
        let code = error.code().to_owned();
        let hint = error.hint_text().map(str::to_owned);
        let mut located = Error::new(error.kind(), code, message)
            .source_name(self.name.clone())
            .at_line(line, column)
            .caused_by(error);
        if let Some(hint) = hint {
            located = located.hint(hint);
        }
        located
    }

    /// What a `serde` reader (TOML, JSON) said, and where it said so; after a slip the nearest known name is named.
    pub fn reader(&self, span: Option<Range<usize>>, code: &'static str, message: &str) -> Error {
        let located = self.at(span.unwrap_or(0..0), code, first_line(message));
        match unknown_name(message) {
            Some(hint) => located.hint(hint),
            None => located,
        }
    }

    fn line_column(&self, offset: usize) -> (u64, u64) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        (line as u64, column as u64)
    }
}

fn first_line(message: &str) -> &str {
    // The list of all known names follows in the hint, if it helps at all.
    let line = message.lines().next().unwrap_or(message);
    line.split_once(", expected").filter(|_| line.starts_with("unknown ")).map_or(line, |(m, _)| m)
}

/// The nearest known name, out of "unknown field `frm`, expected one of `name`, `from`".
fn unknown_name(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    Some(match nearest(unknown, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", known.join(", ")),
    })
}
