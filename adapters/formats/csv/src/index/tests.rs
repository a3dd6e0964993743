//! The index against the general way.

use fenhe_core::Limits;
use proptest::prelude::*;

use super::*;
use crate::dialect::Dialect;
use crate::options::{LineEnd, Stray, Unterminated};
use crate::table::{Bad, Stop};

/// Start and end.
type Place = (usize, usize);

/// What can be said about the records of a window.
#[derive(Debug, PartialEq)]
struct Seen {
    rows: Vec<(Vec<Place>, Place)>,
    formed: Vec<(u32, Form)>,
    bad: Vec<Bad>,
    consumed: usize,
    lines: u64,
}

fn seen(table: &Table, data: &[u8], ends: LineEnd) -> Seen {
    let field = |entry: usize| {
        let end = if table.ends.is_empty() { table.starts[entry + 1] } else { table.ends[entry] };
        (table.starts[entry].wrapping_add(1) as usize, end as usize)
    };
    let row = |row: usize| {
        let fields = (row * table.fields..(row + 1) * table.fields).map(field).collect();
        (fields, table.extent(row))
    };
    let counted = crate::rows::count_lines(&data[..table.consumed], ends);
    assert_eq!(table.lines.unwrap_or(counted), counted, "line ends");
    Seen {
        rows: (0..table.rows).map(row).collect(),
        formed: table.formed.clone(),
        bad: table.bad.clone(),
        consumed: table.consumed,
        lines: counted,
    }
}

fn syntax(
    line_end: LineEnd,
    blank_is_record: bool,
    quote: Option<char>,
    delimiter: &str,
) -> Syntax {
    let dialect = serde_json::json!({
        "encoding": "GB18030", "delimiter": delimiter, "quote": quote, "line_end": line_end, "header": false,
        "blank_is_record": blank_is_record, "ends_with": "\n",
    });
    Syntax::new(&serde_json::from_value::<Dialect>(dialect).unwrap()).unwrap()
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&[u8]; 24] = [
        b"a",
        b",",
        b"\n",
        b"\r\n",
        b"\"",
        b"\"\"",
        b"\xD6\xD0",
        b"\x81",
        b"1,2\n",
        b"\x81|",
        b"|",
        b"!",
        b"\x81\x30\x81\x30",
        b"\x81\x30\x81",
        b"\xD6\xD0,",
        b"\r",
        b"\"x\"\"y\",\"\"\n",
        b"\"q\nr\",b\r\n",
        b"\x1A",
        b" ",
        b"x,\n",
        b"1,2,3\n",
        b"1,2,\n",
        b"\"1\",2,\"\"\n",
    ];
    let piece = (0..PIECES.len()).prop_map(|at| PIECES[at]);
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn the_index_finds_what_the_general_way_finds(
        data in pieces(), fields in 1usize..4, pad: bool, cr: bool, blank: bool, quote: bool, small: bool, kind in 0usize..4,
    ) {
        let ends = if cr { LineEnd::Any } else { LineEnd::Lf };
        let delimiter = [",", "|", "|!", "||"][kind];
        let syntax = syntax(ends, blank, quote.then_some('"'), delimiter);
        let data: Vec<u8> = match kind {
            0 => data,
            _ => data.iter().flat_map(|b| if *b == b',' { delimiter.as_bytes().to_vec() } else { vec![*b] }).collect(),
        };
        let limits = if small { Limits { record: 9, field: 4, ..Limits::default() } } else { Limits::default() };
        let policy = Policy {
            ragged: if pad { Ragged::Pad } else { Ragged::Reject },
            stray: Stray::Reject, unterminated: Unterminated::Stop, limits,
        };
        let mut quick = Table::new(fields);
        let csv = syntax.indexable().unwrap();
        if quick.index(&data, &syntax, csv, &policy).is_some() {
            let whole = &data[..quick.consumed];
            let mut general = Table::new(fields);
            let stop = general.walk(whole, &syntax, &policy, true, usize::MAX);
            prop_assert_eq!(stop, Stop::End);
            prop_assert_eq!(seen(&quick, whole, ends), seen(&general, whole, ends));
        }
    }
}
