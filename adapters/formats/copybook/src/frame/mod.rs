//! Bytes to records: where each record begins and ends.

mod fixed;
mod lines;
mod rdw;
mod spanned;

use fenhe_core::Result;
use fenhe_text::Encoding;

use crate::error;
use crate::expand::{Counter, Expanded, Program};
use crate::layout::Layout;
use crate::options::{ByteOrder, CopybookOptions, RecordFormat, VariableOccurs};
use crate::value::{Characters, integer};
pub(crate) use rdw::{Descriptor, Units};

/// Finds records one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Framer {
    kind: Kind,
    pub(crate) prefix: usize,
    pub(crate) suffix: usize,
    /// Longest record, framing included.
    limit: u64,
    /// Bytes left of the current block (VB, VBS).
    pub(crate) block_left: u64,
    scratch: Vec<u8>,
    /// How far a search for a line end has been without success.
    searched: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    Fixed {
        length: usize,
    },
    /// Records as long as their counters say.
    Counted(Box<Program>),
    /// Records whose length is in one of their items.
    Field {
        place: Counter,
        adjust: i64,
        characters: Characters,
    },
    Described {
        descriptor: Descriptor,
        blocks: bool,
    },
    Spanned {
        blocks: bool,
    },
    Lines {
        ends: (u8, u8),
        page: Encoding,
    },
}

/// What stands next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Data from `from` to `to`, the next record at `next`.
    Record { from: usize, to: usize, next: usize },
    /// Data in the assembly from here on, because segments had to be joined.
    Joined { from: usize, next: usize },
    /// More bytes are needed.
    More,
    /// The rest is no record: fill bytes after the last one.
    Fill,
    /// The stream ends inside a record.
    Tail,
    /// Boundaries are lost at this distance.
    Lost { at: usize, expected: &'static str, found: &'static str },
}

/// A record in the window and where it was in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Data, in the window (or in the assembly).
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The whole record with its framing, in the window.
    pub(crate) start: usize,
    pub(crate) next: usize,
    /// Whether the stream ended inside.
    pub(crate) tail: bool,
}

impl Framer {
    pub(crate) fn new(layout: &Layout, options: &CopybookOptions, limit: u64) -> Result<Self> {
        let size = |n: u64, what: &str| {
            usize::try_from(n).map_err(|_| error::config(format!("{what}={n} is too large")))
        };
        let prefix = size(options.record_prefix, "record_prefix")?;
        let suffix = size(options.record_suffix, "record_suffix")?;
        let kind = kind(layout, options, prefix + suffix)?;
        Ok(Self { kind, prefix, suffix, limit, block_left: 0, scratch: Vec::new(), searched: 0 })
    }

    /// The length of all records, when they have one.
    pub(crate) fn fixed(&self) -> Option<usize> {
        match self.kind {
            Kind::Fixed { length } => Some(length),
            _ => None,
        }
    }

    /// Whether a chunk can be cut at the end of a record or block. Spanned records end where blocks do only by chance.
    pub(crate) fn splits(&self) -> bool {
        !matches!(self.kind, Kind::Spanned { .. })
    }

    /// What stands at the beginning of `rest`. Joined segments are appended to `assembly`.
    pub(crate) fn next(&mut self, rest: &[u8], end: bool, assembly: &mut Vec<u8>) -> Found {
        if rest.is_empty() {
            return Found::More;
        }
        let found = match &mut self.kind {
            Kind::Fixed { length } => fixed::next(rest, end, *length),
            Kind::Counted(program) => {
                counted(program, &mut self.scratch, rest, end, self.prefix, self.suffix)
            }
            Kind::Field { place, adjust, characters } => {
                by_field(place, *adjust, *characters, rest, end, self.prefix)
            }
            Kind::Described { descriptor, blocks } => {
                rdw::next(descriptor, *blocks, &mut self.block_left, rest, end, self.limit)
            }
            Kind::Spanned { blocks } => {
                spanned::next(*blocks, &mut self.block_left, rest, end, assembly, self.limit)
            }
            Kind::Lines { ends, page } => lines::next(*ends, *page, &mut self.searched, rest, end),
        };
        match found {
            Found::Record { from, to, next } if next as u64 > self.limit => {
                let _ = (from, to);
                lost(0, "a record within the limit record", "a longer one")
            }
            Found::More if rest.len() as u64 > self.limit.saturating_add(8) => {
                lost(0, "a record within the limit record", "a longer one")
            }
            Found::More if end => Found::Tail,
            found => found,
        }
    }
}

fn lost(at: usize, expected: &'static str, found: &'static str) -> Found {
    Found::Lost { at, expected, found }
}

fn kind(layout: &Layout, options: &CopybookOptions, around: usize) -> Result<Kind> {
    let characters = Characters::new(layout.page, options);
    if let Some(text) = &options.record_header {
        let descriptor = Descriptor::parse(text, layout.page)?;
        return Ok(Kind::Described { descriptor, blocks: false });
    }
    if let Some(name) = &options.length_field {
        let found =
            layout.resolve(name, None).and_then(|index| Some((layout.field(index)?, index)));
        let Some((field, index)) = found.filter(|(f, _)| f.tables.is_empty()) else {
            return Err(error::config(format!(
                "length_field={name}: no such item outside of tables"
            )));
        };
        let place = Counter::of(layout, index)
            .filter(|_| field.digits > 0)
            .ok_or_else(|| error::config(format!("length_field={name} is no number")))?;
        return Ok(Kind::Field { place, adjust: options.length_adjust, characters });
    }
    Ok(match options.record_format {
        RecordFormat::F | RecordFormat::FB => {
            if options.occurs() == VariableOccurs::Shift
                && layout.is_variable()
                && options.record_length.is_none()
            {
                let record = layout.records.first().copied().unwrap_or(0);
                let rules = crate::segments::rules(layout, options)?;
                return Ok(Kind::Counted(Box::new(Program::new(
                    layout, record, &rules, characters,
                ))));
            }
            let length = match options.record_length {
                Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
                None => usize::try_from(layout.length).unwrap_or(usize::MAX).saturating_add(around),
            };
            if length <= around {
                return Err(error::config(format!("a record of {length} bytes has no data")));
            }
            Kind::Fixed { length }
        }
        RecordFormat::V | RecordFormat::VB => {
            let little = options.rdw == ByteOrder::Little;
            let descriptor = Descriptor::word(little, options.rdw_inclusive);
            Kind::Described { descriptor, blocks: options.record_format == RecordFormat::VB }
        }
        RecordFormat::VS => Kind::Spanned { blocks: false },
        RecordFormat::VBS => Kind::Spanned { blocks: true },
        RecordFormat::D => {
            Kind::Described { descriptor: Descriptor::digits(layout.page), blocks: false }
        }
        RecordFormat::Lines => {
            let ends = layout.page.newline().map_or((b'\n', b'\n'), |n| (n.next_line, n.line_feed));
            Kind::Lines { ends, page: layout.page }
        }
    })
}

fn counted(
    program: &Program,
    scratch: &mut Vec<u8>,
    rest: &[u8],
    end: bool,
    prefix: usize,
    suffix: usize,
) -> Found {
    scratch.resize(program.length, 0);
    let data = rest.get(prefix..).unwrap_or_default();
    match program.expand(data, scratch) {
        Expanded::BadCounter { .. } => {
            lost(prefix, "a count within its OCCURS range", "another count, or no number")
        }
        Expanded::Done { filled, .. } if filled < program.length => {
            if end && fixed::is_fill(rest) {
                Found::Fill
            } else {
                Found::More
            }
        }
        Expanded::Done { used, .. } => {
            let next = prefix + used + suffix;
            if next > rest.len() { Found::More } else { Found::Record { from: 0, to: next, next } }
        }
    }
}

fn by_field(
    place: &Counter,
    adjust: i64,
    characters: Characters,
    rest: &[u8],
    end: bool,
    prefix: usize,
) -> Found {
    let at = prefix + place.at;
    let Some(bytes) = rest.get(at..at + place.length) else {
        return if end && fixed::is_fill(rest) { Found::Fill } else { Found::More };
    };
    let length = integer(place.storage, bytes, characters)
        .ok()
        .and_then(|n| n.checked_add(i128::from(adjust)));
    let length = length.and_then(|n| usize::try_from(n).ok()).filter(|n| *n >= at + place.length);
    match length {
        None => {
            lost(at, "the length of the record", "no number, or one below the item that holds it")
        }
        Some(length) if length > rest.len() => Found::More,
        Some(length) => Found::Record { from: 0, to: length, next: length },
    }
}
