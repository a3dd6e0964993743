//! Errors that point into the text of the configuration.

use std::ops::Range;

use fenhe_core::{Error, Kind, nearest};

/// A text that errors point into.
#[derive(Clone, Debug)]
pub(super) struct Located {
    name: String,
    text: String,
}

impl Located {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// An error of the configuration at a place in it.
    pub(super) fn at(
        &self,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Error {
        let (line, column) = self.line_column(span.start);
        Error::new(Kind::Config, code, message).source_name(self.name.clone()).at_line(line, column)
    }

    /// An error from elsewhere, with the place in the configuration that it is about.
    pub(super) fn here(&self, span: Range<usize>, error: Error) -> Error {
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

    /// An error of the TOML reader.
    pub(super) fn toml(&self, error: &toml::de::Error) -> Error {
        let message = error.message();
        let located = self.at(error.span().unwrap_or(0..0), "exchange.toml", first_line(message));
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
    line.split_once(", expected")
        .filter(|_| line.starts_with("unknown field"))
        .map_or(line, |(m, _)| m)
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
