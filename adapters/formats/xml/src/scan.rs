//! Where the next piece of markup ends, in a text of which more may come. Looks at delimiters only; what is between them is
//! checked by those who read it.

use fenhe_core::Limits;
use memchr::memmem;

use crate::error::{Bad, MAX_DOCTYPE, MAX_TAG, Parsed};

/// What a piece of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text,
    Comment,
    CData,
    /// A processing instruction or the XML declaration.
    Instruction,
    Doctype,
    Start,
    /// `<name/>`
    Empty,
    End,
}

/// The piece that starts at `at`, and where it ends; `None` when its end is not there yet. Text ends before `<`.
pub(crate) fn piece(text: &[u8], at: usize) -> Parsed<Option<(Piece, usize)>> {
    let rest = text.get(at..).unwrap_or_default();
    let ends = |piece, found: Option<usize>| found.map(|end| (piece, at + end));
    match rest {
        [] | [b'<'] => Ok(None),
        [b'<', b'!', ..] => bang(rest, at).map(|found| found.map(|(piece, end)| (piece, at + end))),
        [b'<', b'?', inner @ ..] => {
            Ok(ends(Piece::Instruction, memmem::find(inner, b"?>").map(|n| n + 4)))
        }
        [b'<', b'/', ..] => {
            tag(at, Piece::End, memchr::memchr(b'>', rest).map(|n| n + 1), rest.len())
        }
        [b'<', ..] => {
            let end = start_tag(rest);
            let empty = end.is_some_and(|end| rest.get(end - 2) == Some(&b'/'));
            tag(at, if empty { Piece::Empty } else { Piece::Start }, end, rest.len())
        }
        _ => Ok(ends(Piece::Text, memchr::memchr(b'<', rest))),
    }
}

/// The end of the element whose start tag ends at `at`; `None` when it is not there yet. `from` is where it starts, with
/// `outer` elements around it.
pub(crate) fn element_end(
    text: &[u8],
    from: usize,
    mut at: usize,
    outer: usize,
    limits: &Limits,
) -> Parsed<Option<usize>> {
    let mut depth = 1_usize;
    loop {
        let found = piece(text, at)?;
        let reached = found.map_or(text.len(), |(_, end)| end);
        if reached.saturating_sub(from) as u64 > limits.record {
            return Err(Bad::limit(from, "record", limits.record));
        }
        let Some((piece, end)) = found else { return Ok(None) };
        match piece {
            Piece::Start if (outer + depth) as u64 >= limits.depth => {
                return Err(Bad::limit(at, "depth", limits.depth));
            }
            Piece::Start => depth += 1,
            Piece::End => depth -= 1,
            Piece::Doctype => {
                return Err(Bad::syntax(at, "a document type declaration in an element"));
            }
            _ => {}
        }
        if depth == 0 {
            return Ok(Some(end));
        }
        at = end;
    }
}

fn tag(
    at: usize,
    piece: Piece,
    end: Option<usize>,
    available: usize,
) -> Parsed<Option<(Piece, usize)>> {
    if end.unwrap_or(available) > MAX_TAG {
        return Err(Bad::limit(at, "tag", MAX_TAG as u64));
    }
    Ok(end.map(|end| (piece, at + end)))
}

/// Length of a start tag: the first `>` outside quotes.
fn start_tag(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let hit = memchr::memchr3(b'>', b'"', b'\'', rest.get(at..)?)? + at;
        match rest.get(hit)? {
            b'>' => return Some(hit + 1),
            quote => at = memchr::memchr(*quote, rest.get(hit + 1..)?)? + hit + 2,
        }
    }
}

fn bang(rest: &[u8], at: usize) -> Parsed<Option<(Piece, usize)>> {
    let starts = |word: &[u8]| {
        let n = rest.len().min(word.len());
        (rest.get(..n) == word.get(..n)).then_some(n == word.len())
    };
    let find = |from: usize, what: &[u8]| {
        rest.get(from..).and_then(|r| memmem::find(r, what)).map(|n| from + n + what.len())
    };
    if let Some(whole) = starts(b"<!--") {
        return Ok(if whole { find(4, b"-->").map(|end| (Piece::Comment, end)) } else { None });
    }
    if let Some(whole) = starts(b"<![CDATA[") {
        return Ok(if whole { find(9, b"]]>").map(|end| (Piece::CData, end)) } else { None });
    }
    match starts(b"<!DOCTYPE") {
        None => Err(Bad::syntax(at, "expected a comment, CDATA or DOCTYPE after <!")),
        Some(false) => Ok(None),
        Some(true) => {
            let end = doctype(rest);
            if end.unwrap_or(rest.len()) > MAX_DOCTYPE {
                return Err(Bad::limit(at, "doctype", MAX_DOCTYPE as u64));
            }
            Ok(end.map(|end| (Piece::Doctype, end)))
        }
    }
}

/// Length of a document type declaration: quotes, comments, instructions and the brackets of the internal subset (clause 2.8).
fn doctype(rest: &[u8]) -> Option<usize> {
    let mut at = 9;
    let mut subset = false;
    loop {
        let byte = rest.get(at)?;
        at = match byte {
            b'"' | b'\'' => memchr::memchr(*byte, rest.get(at + 1..)?)? + at + 2,
            b'<' if rest.get(at..)?.starts_with(b"<!--") => {
                memmem::find(rest.get(at + 4..)?, b"-->")? + at + 7
            }
            b'<' if rest.get(at..)?.starts_with(b"<?") => {
                memmem::find(rest.get(at + 2..)?, b"?>")? + at + 4
            }
            b'>' if !subset => return Some(at + 1),
            _ => {
                subset = (subset || *byte == b'[') && *byte != b']';
                at + 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_ends_where_its_delimiter_does() {
        for (text, wanted) in [
            ("abc<", Some((Piece::Text, 3))),
            ("abc", None),
            ("<a>", Some((Piece::Start, 3))),
            ("<a b='>' c=\">\"/>x", Some((Piece::Empty, 16))),
            ("<a b='>", None),
            ("</a >", Some((Piece::End, 5))),
            ("<!-- > -- -->", Some((Piece::Comment, 13))),
            ("<!-", None),
            ("<![CDATA[ ]] > ]]>", Some((Piece::CData, 18))),
            ("<?a > ?>", Some((Piece::Instruction, 8))),
            ("<!DOCTYPE a [<!-- ]> --><!ENTITY b ']>'>]>", Some((Piece::Doctype, 42))),
            ("<!DOCTYPE a [", None),
        ] {
            assert_eq!(piece(text.as_bytes(), 0).unwrap(), wanted, "{text}");
        }
        assert!(piece(b"<!x", 0).is_err());
    }

    #[test]
    fn an_element_ends_with_its_own_end_tag() {
        let text = b"<r><r/><!--</r>--><r></r></r></r>";
        let limits = Limits::default();
        assert_eq!(element_end(text, 0, 3, 0, &limits).unwrap(), Some(29));
        assert_eq!(element_end(&text[..28], 0, 3, 0, &limits).unwrap(), None);
        for small in
            [Limits { record: 20, ..Limits::default() }, Limits { depth: 1, ..Limits::default() }]
        {
            assert_eq!(element_end(text, 0, 3, 0, &small).unwrap_err().error.code(), "core.limit");
        }
    }
}
