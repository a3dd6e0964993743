//! The lines of a copybook: reference format, comments, continuation.

use serde::{Deserialize, Serialize};

/// How the text of a copybook is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceForm {
    /// Decided by looking at columns 1 to 7.
    #[default]
    Auto,
    /// Columns 1 to 6 sequence, 7 indicator, 8 to 72 text.
    Fixed,
    /// The whole line is text, `*>` starts a comment.
    Free,
}

/// One character of the text with its place (line and column from 1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ch {
    pub(crate) c: char,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The text of all lines in order, one `\n` between them, without sequence numbers, comments and continuation marks.
pub(crate) fn characters(text: &str, form: SourceForm) -> Vec<Ch> {
    let lines: Vec<Vec<char>> = text.lines().map(expand_tabs).collect();
    let tabbed: Vec<bool> = text.lines().map(|l| l.contains('\t')).collect();
    let fixed = match form {
        SourceForm::Fixed => true,
        SourceForm::Free => false,
        SourceForm::Auto => looks_fixed(&lines),
    };
    let mut out: Vec<Ch> = Vec::with_capacity(text.len());
    let mut open: Option<char> = None;
    for (number, line) in (1u32..).zip(&lines) {
        let tabs = tabbed.get(number as usize - 1).copied().unwrap_or(false);
        let (start, indicator, end) = area(line, fixed, tabs);
        let body = line.get(start..end).unwrap_or_default();
        let first = body.iter().position(|c| !c.is_whitespace());
        if is_comment(indicator, body, first, open.is_some()) {
            continue;
        }
        let Some(first) = first else { continue };
        // Files whose text is moved by a column have the mark in column 8.
        let moved = fixed && open.is_some() && body.get(first) == Some(&'-');
        let skip = if indicator == Some('-') {
            Some(first)
        } else if moved {
            body.iter().skip(first + 1).position(|c| !c.is_whitespace()).map(|at| first + 1 + at)
        } else {
            None
        };
        let from = match skip {
            Some(at) => join(&mut out, body, at, open, number, start),
            None => {
                out.push(Ch { c: '\n', line: number, column: 1 });
                open = None;
                0
            }
        };
        for (at, c) in body.iter().enumerate().skip(from) {
            open = match open {
                Some(quote) if quote == *c => None,
                None if matches!(c, '\'' | '"') => Some(*c),
                same => same,
            };
            let column = u32::try_from(start + at + 1).unwrap_or(u32::MAX);
            out.push(Ch { c: *c, line: number, column });
        }
        if fixed && open.is_some() {
            // A continued literal runs through column 72.
            for column in (1..=72).skip(end) {
                out.push(Ch { c: ' ', line: number, column });
            }
        }
    }
    out
}

/// Makes ready for a continuation line and returns where its text goes on.
fn join(
    out: &mut Vec<Ch>,
    body: &[char],
    at: usize,
    open: Option<char>,
    line: u32,
    start: usize,
) -> usize {
    let _ = (line, start);
    match open {
        // The first quote of the line only says that the literal goes on.
        Some(_) if matches!(body.get(at), Some('\'' | '"')) => at + 1,
        Some(_) => at,
        None => {
            while out.last().is_some_and(|ch| ch.c.is_whitespace()) {
                out.pop();
            }
            at
        }
    }
}

/// Start of the text, the indicator, and the end of the text.
fn area(line: &[char], fixed: bool, tabs: bool) -> (usize, Option<char>, usize) {
    if !fixed {
        return (0, None, line.len());
    }
    let end = if tabs { line.len() } else { line.len().min(72) };
    match line.get(6) {
        None => (line.len(), None, line.len()),
        Some(c) if matches!(c, ' ' | '*' | '/' | '-' | 'D' | 'd' | '$') && !word_at(line, 6) => {
            (7.min(end), Some(*c), end)
        }
        // Text that begins in column 7, as in many copybooks that never met a compiler.
        Some(_) => (6, None, end),
    }
}

/// Whether column 7 begins a word (`DATA`) and is no indicator.
fn word_at(line: &[char], at: usize) -> bool {
    matches!(line.get(at), Some('D' | 'd')) && line.get(at + 1).is_some_and(|c| c.is_alphanumeric())
}

fn is_comment(indicator: Option<char>, body: &[char], first: Option<usize>, open: bool) -> bool {
    if matches!(indicator, Some('*' | '/' | 'D' | 'd' | '$')) {
        return true;
    }
    !open && first.is_some_and(|at| body.get(at) == Some(&'*'))
}

/// Fixed form, unless a line has an entry where the sequence number would stand.
fn looks_fixed(lines: &[Vec<char>]) -> bool {
    lines.iter().all(|line| {
        let head: String = line.iter().take(6).collect();
        let word = head.trim();
        if word.is_empty() || word.starts_with('*') {
            return true;
        }
        if word.chars().count() == 6 && !word.contains(' ') {
            // A sequence number or a change mark, if an indicator follows.
            return line
                .get(6)
                .is_none_or(|c| matches!(c, ' ' | '*' | '/' | '-' | 'D' | 'd' | '$'));
        }
        // Two digits are a level number.
        word.len() > 2 && word.chars().all(|c| c.is_ascii_digit())
    })
}

/// Tabs to the next multiple of eight columns.
fn expand_tabs(line: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => {
                out.push(' ');
                while !out.len().is_multiple_of(8) {
                    out.push(' ');
                }
            }
            '\u{1A}' | '\r' | '\u{FEFF}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str, form: SourceForm) -> String {
        characters(source, form).iter().map(|ch| ch.c).collect::<String>().trim().to_owned()
    }

    #[test]
    fn sequence_numbers_comments_and_columns_after_72_are_left_out() {
        let line = format!("{:<72}{}", "000100 01  A PIC X.", "CHANGED1");
        let source = format!("000000* comment\n{line}\n");
        assert_eq!(text(&source, SourceForm::Auto), "01  A PIC X.");
    }

    #[test]
    fn a_literal_goes_on_over_lines_and_runs_through_column_72() {
        let source = format!("{:<72}\n      -    'DEF'.", "       05 A PIC X(9) VALUE 'ABC");
        let joined = text(&source, SourceForm::Fixed);
        let spaces = 72 - "       05 A PIC X(9) VALUE 'ABC".len();
        assert!(joined.ends_with(&format!("'ABC{}DEF'.", " ".repeat(spaces))), "{joined}");
    }

    #[test]
    fn a_word_goes_on_without_a_blank() {
        assert_eq!(text("       05 AB\n      -    CD PIC X.", SourceForm::Fixed), "05 ABCD PIC X.");
    }

    #[test]
    fn an_entry_in_columns_1_to_6_means_free_form() {
        assert_eq!(
            text("01 REC.\n  05 A PIC X. *> note", SourceForm::Auto),
            "01 REC.\n  05 A PIC X. *> note"
        );
        assert_eq!(
            text("      01 REC.\n         05 A PIC X.", SourceForm::Auto),
            "01 REC.\n  05 A PIC X."
        );
    }
}
