//! What is wrong with a record as a whole, in words: the cold part of the decoder.

use fenhe_core::{Fault, Reject};

use super::{FixedDecoder, Place};
use crate::error;
use crate::frame::{Broken, Frames};
use crate::layout::RecordLayout;
use crate::options::{Count, LineEnd, Long, Short};

impl FixedDecoder {
    pub(super) fn no_type(&self) -> Fault {
        let names: Vec<&str> = self.layout.records.iter().map(|r| r.name.as_str()).collect();
        let found = "a record to which no condition applies";
        Fault::new(
            error::RECORD_TYPE,
            "",
            format!("one of the records {}", names.join(", ")),
            found,
        )
    }

    pub(super) fn broken(
        &self,
        broken: Broken,
        window: &[u8],
        frames: &Frames,
        row: usize,
    ) -> Fault {
        let place = |list: &[u32]| list.get(row).map_or(0, |at| *at as usize);
        let record = window.get(place(&frames.starts)..place(&frames.ends)).unwrap_or_default();
        let length = self.layout.records.first().map_or(0, |r| r.length);
        let unit = unit(self.layout.count);
        match broken {
            Broken::Tail => Fault::new(
                error::TRUNCATED_TAIL,
                "",
                format!("{length} {unit}"),
                format!("{} {unit} before the end of the stream", self.units(record)),
            ),
            Broken::LineEnd if self.layout.line_end == LineEnd::None => Fault::new(
                error::LINE_END,
                "",
                "records without line ends (line_end = none)",
                "a line end",
            ),
            Broken::LineEnd => Fault::new(
                error::LINE_END,
                "",
                format!("a line end after {length} {unit}"),
                "more data",
            ),
            Broken::TooLong => self.too_long(),
        }
    }

    pub(super) fn too_long(&self) -> Fault {
        let limit = self.decode.limits.record;
        Fault::new(
            error::RECORD_LIMIT,
            "",
            format!("at most {limit} bytes (limit record)"),
            "a longer line",
        )
    }

    pub(super) fn length_fault(&self, kind: usize, record: &[u8], last: bool) -> Option<Fault> {
        let layout: &RecordLayout = self.layout.records.get(kind)?;
        let (wanted, found) = (layout.length, self.units(record));
        let unit = unit(self.layout.count);
        let default = if self.layout.quick { Short::Pad } else { Short::Reject };
        let fault =
            |code, found: String| Some(Fault::new(code, "", format!("{wanted} {unit}"), found));
        if found < wanted && self.options.short.unwrap_or(default) == Short::Reject {
            if last {
                return fault(
                    error::TRUNCATED_TAIL,
                    format!("{found} {unit} before the end of the stream"),
                );
            }
            return fault(error::SHORT, format!("{found} {unit}"));
        }
        if found > wanted {
            let blank = self.layout.encoding.blank();
            let blanks = record.iter().rev().take_while(|b| blank.first() == Some(b)).count();
            let accepted = self.options.long == Long::Blank || self.layout.quick;
            if !(accepted && found - blanks.min(found) <= wanted) {
                return fault(error::LONG, format!("{found} {unit}"));
            }
        }
        None
    }

    pub(super) fn reject(
        &self,
        place: Place,
        raw: &[u8],
        length: u64,
        lines: bool,
        kind: Option<usize>,
        faults: Vec<Fault>,
    ) -> Reject {
        let mut faults = faults.into_iter();
        let unexplained =
            || Fault::new("fixed.record", "", "a record of the layout", "something else");
        let first = faults.next().unwrap_or_else(unexplained);
        let mut reject = Reject::new(first)
            .and(faults)
            .at(place.record, place.offset, length)
            .raw_bytes(raw, self.decode.limits.reject_raw)
            .from_source(&self.decode.source)
            .by(self.adapter.clone());
        reject.raw_cut = (reject.raw.len() as u64) < length;
        if lines {
            reject = reject.on_line(place.line);
        }
        if let Some(record) =
            kind.filter(|_| self.layout.records.len() > 1).and_then(|k| self.layout.records.get(k))
        {
            reject.dataset.clone_from(&record.name);
        }
        reject
    }

    /// Length of a record in the unit of the layout.
    pub(super) fn units(&self, record: &[u8]) -> usize {
        if self.layout.count == Count::Bytes || record.is_ascii() {
            return record.len();
        }
        let mut step = self.layout.encoding.char_step();
        let (mut at, mut count) = (0, 0);
        while let Some(rest) = record.get(at..).filter(|r| !r.is_empty()) {
            at += step.len(rest).max(1);
            count += 1;
        }
        count
    }
}

fn unit(count: Count) -> &'static str {
    match count {
        Count::Bytes => "bytes",
        Count::Characters => "characters",
    }
}
