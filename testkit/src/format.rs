//! What every [`Format`] promises, as checks over cases that the format's room supplies.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    Companion, DecodeOptions, Decoder, EncodeOptions, Error, Format, Input, Kind, Limits, Output,
    Part, Position, ReadAt, Reject, Sample,
};

use crate::rows;

/// One well-formed stream and how to read it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name in messages.
    pub name: String,
    /// The format with its options.
    pub format: Arc<dyn Format>,
    /// The stream.
    pub bytes: Bytes,
    /// Schema, dataset, companions and whatever else the decoder needs.
    pub options: DecodeOptions,
    /// Whether decode then encode must give the same bytes.
    pub lossless: bool,
}

/// A stream with broken records, and what must be said about them.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The stream and how to read it.
    pub case: Case,
    /// Record number (from 1), byte offset (from 0) and code of every reject, in order.
    pub rejects: Vec<(u64, u64, &'static str)>,
    /// Rows that must be delivered all the same.
    pub rows: usize,
}

/// Everything that came out of a decoder.
#[derive(Debug)]
pub struct Decoded {
    /// Schema of the batches.
    pub schema: Option<SchemaRef>,
    /// Rows as NDJSON lines.
    pub rows: Vec<String>,
    /// Record number of each row.
    pub numbers: Vec<u64>,
    /// The batches themselves.
    pub batches: Vec<RecordBatch>,
    /// All rejects.
    pub rejects: Vec<Reject>,
    /// Position after each batch, with the rows and rejects up to there.
    pub positions: Vec<(Position, usize, usize)>,
    /// Records read, by the spans.
    pub read: u64,
    /// The fatal error, if there was one.
    pub error: Option<Error>,
}

impl Case {
    /// A case with the format's default decode options, not claimed to be lossless.
    pub fn new(name: impl Into<String>, format: Arc<dyn Format>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let options = DecodeOptions {
            size: Some(bytes.len() as u64),
            ..DecodeOptions::default()
        };
        Self {
            name: name.into(),
            format,
            bytes,
            options,
            lossless: false,
        }
    }

    /// Claims that decode then encode gives the same bytes.
    #[must_use]
    pub fn lossless(mut self) -> Self {
        self.lossless = true;
        self
    }

    /// Adds a companion file.
    #[must_use]
    pub fn companion(mut self, extension: &str, bytes: impl Into<Bytes>) -> Self {
        let data: Arc<dyn ReadAt> = Arc::new(bytes.into());
        self.options.companions.push(Companion {
            extension: extension.into(),
            data,
        });
        self
    }

    /// Sets the schema to decode to.
    #[must_use]
    pub fn schema(mut self, schema: SchemaRef) -> Self {
        self.options.schema = Some(schema);
        self
    }

    /// Sets the dataset to decode.
    #[must_use]
    pub fn dataset(mut self, name: &str) -> Self {
        self.options.dataset = Some(name.into());
        self
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        self.format
            .decoder(self.options.clone())
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    fn decode(&self) -> Decoded {
        let decoded = decode(self.decoder(), self.feed([self.bytes.clone()]));
        if let Some(error) = &decoded.error {
            panic!("{}: a well-formed stream fails: {error}", self.name);
        }
        decoded
    }

    fn feed(&self, chunks: impl IntoIterator<Item = Bytes>) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.format.info().whole_object {
            let whole: BytesMut = chunks.into_iter().flatten().collect();
            inputs.push(Input::Object(Arc::new(whole.freeze())));
        } else {
            inputs.extend(
                chunks
                    .into_iter()
                    .filter(|c| !c.is_empty())
                    .map(Input::Bytes),
            );
        }
        inputs.push(Input::EndOfStream);
        inputs
    }
}

/// Feeds a decoder and collects what it gives.
///
/// # Panics
/// When the decoder breaks the protocol of [`Decoder`]: more output after the end, no progress,
/// books that do not balance, a batch of another schema.
pub fn decode(mut decoder: Box<dyn Decoder>, inputs: Vec<Input>) -> Decoded {
    let mut all = Decoded {
        schema: None,
        rows: Vec::new(),
        numbers: Vec::new(),
        batches: Vec::new(),
        rejects: Vec::new(),
        positions: Vec::new(),
        read: 0,
        error: None,
    };
    let mut inputs = inputs.into_iter();
    let mut next_record = None;
    loop {
        match decoder.next() {
            Err(error) => {
                all.error = Some(error);
                break;
            }
            Ok(Output::Done) => {
                assert!(
                    inputs.next().is_none(),
                    "done before the end of the stream was fed"
                );
                assert!(
                    matches!(decoder.next(), Ok(Output::Done)),
                    "not done any more"
                );
                break;
            }
            Ok(Output::NeedInput) => {
                let input = inputs
                    .next()
                    .expect("asks for input after the end of the stream");
                if let Err(error) = decoder.feed(input) {
                    all.error = Some(error);
                    break;
                }
            }
            Ok(Output::Batch(batch)) => {
                let schema = batch.records.schema();
                assert_eq!(
                    decoder.schema().as_ref(),
                    Some(&schema),
                    "a batch of another schema"
                );
                assert_eq!(
                    *all.schema.get_or_insert(schema.clone()),
                    schema,
                    "the schema changed"
                );
                let counted = batch.rows() as u64 + batch.rejects.len() as u64 + batch.span.skipped;
                assert_eq!(
                    counted, batch.span.read,
                    "the books of a batch do not balance"
                );
                assert!(batch.span.read > 0, "an empty batch");
                let expected = *next_record.get_or_insert(batch.span.first);
                assert_eq!(batch.span.first, expected, "a gap in the record numbers");
                next_record = Some(expected + batch.span.read);
                all.read += batch.span.read;
                all.numbers.extend(batch.record_numbers());
                all.rows.extend(rows([&batch.records]));
                all.rejects.extend(batch.rejects);
                all.batches.push(batch.records);
                all.positions
                    .push((batch.position, all.rows.len(), all.rejects.len()));
            }
        }
    }
    all.schema = all.schema.or_else(|| decoder.schema());
    if all.error.is_some() {
        for _ in 0..2 {
            let error = decoder
                .next()
                .expect_err("a decoder goes on after a fatal error");
            assert_eq!(error.kind(), Kind::Poisoned, "{error}");
        }
        let fed = decoder
            .feed(Input::EndOfStream)
            .expect_err("a poisoned decoder takes input");
        assert_eq!(fed.kind(), Kind::Poisoned, "{fed}");
    }
    all
}

/// Runs every check on every case, those that need broken input on the broken ones.
///
/// # Panics
/// On the first broken promise, with the name of the case.
pub fn conforms(cases: &[Case], broken: &[Broken], fatal: &[Case]) {
    for case in cases {
        rechunking(case);
        schema_is_stable(case);
        columns_can_be_chosen(case);
        resumes_everywhere(case);
        parts_decode_alike(case);
        truncation(case);
        flipped_bits(case);
        round_trip(case);
        infers_what_it_decodes(case);
    }
    for case in broken {
        rejects_and_goes_on(case);
        rechunking(&case.case);
    }
    for case in fatal {
        poisoned_after_a_fatal_error(case);
    }
}

/// The same rows, record numbers, rejects and offsets, however the bytes are cut.
pub fn rechunking(case: &Case) {
    if case.format.info().whole_object {
        return;
    }
    let whole = decode(case.decoder(), case.feed([case.bytes.clone()]));
    let mut random = Random(case.bytes.len() as u64 + 1);
    for size in [1, 2, 3, 7, 4_096, 0] {
        let mut chunks = Vec::new();
        let mut rest = case.bytes.clone();
        while !rest.is_empty() {
            let n = if size == 0 {
                1 + random.below(97) as usize
            } else {
                size
            };
            chunks.push(rest.split_to(n.min(rest.len())));
        }
        if size < 3 && chunks.len() > 20_000 {
            continue;
        }
        let cut = decode(case.decoder(), case.feed(chunks));
        let what = format!("{}: chunks of {size} bytes", case.name);
        assert_eq!(cut.rows, whole.rows, "{what}: rows differ");
        assert_eq!(cut.numbers, whole.numbers, "{what}: record numbers differ");
        assert_eq!(cut.rejects, whole.rejects, "{what}: rejects differ");
        assert_eq!(
            cut.error.map(|e| e.to_string()),
            whole.error.as_ref().map(ToString::to_string),
            "{what}: the fatal error differs"
        );
    }
}

/// Every batch has the decoder's schema, whatever the batch size.
pub fn schema_is_stable(case: &Case) {
    let whole = case.decode();
    for batch_rows in [1, 3] {
        let small = Case {
            options: with_batch_rows(case, batch_rows),
            ..case.clone()
        }
        .decode();
        assert_eq!(
            small.schema, whole.schema,
            "{}: the schema depends on the batch size",
            case.name
        );
        assert_eq!(
            small.rows, whole.rows,
            "{}: rows depend on the batch size",
            case.name
        );
        let largest = small
            .batches
            .iter()
            .map(RecordBatch::num_rows)
            .max()
            .unwrap_or(0);
        assert!(
            largest as u64 <= batch_rows,
            "{}: a batch of {largest} rows",
            case.name
        );
    }
}

/// Only the asked columns, in the asked order; an unknown one is `NotFound` at once.
pub fn columns_can_be_chosen(case: &Case) {
    let whole = case.decode();
    let Some(schema) = whole.schema else { return };
    let mut names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    names.reverse();
    names.truncate(2);
    if whole.rejects.is_empty() {
        let options = DecodeOptions {
            columns: Some(names.clone()),
            ..case.options.clone()
        };
        let some = Case {
            options,
            ..case.clone()
        }
        .decode();
        let wanted: Vec<usize> = names.iter().map(|n| schema.index_of(n).unwrap()).collect();
        let projected: Vec<_> = whole
            .batches
            .iter()
            .map(|b| b.project(&wanted).unwrap())
            .collect();
        assert_eq!(
            some.rows,
            rows(&projected),
            "{}: chosen columns differ",
            case.name
        );
    }
    let columns = Some(vec!["no such column".to_owned()]);
    let options = DecodeOptions {
        columns,
        ..case.options.clone()
    };
    let refused = match case.format.decoder(options) {
        Err(error) => error,
        // A format that learns its columns from the stream can only say it then.
        Ok(decoder) => decode(decoder, case.feed([case.bytes.clone()]))
            .error
            .unwrap_or_else(|| panic!("{}: an unknown column is accepted", case.name)),
    };
    assert_eq!(refused.kind(), Kind::NotFound, "{}: {refused}", case.name);
}

/// Going on from any position gives exactly the rest.
pub fn resumes_everywhere(case: &Case) {
    let options = with_batch_rows(case, 2);
    let case = Case {
        options,
        ..case.clone()
    };
    let whole = case.decode();
    let step = whole.positions.len().div_ceil(40).max(1);
    for (at, rows_before, rejects_before) in whole.positions.iter().step_by(step) {
        let text = through_text(at);
        let options = DecodeOptions {
            from: Some(text),
            ..case.options.clone()
        };
        let decoder = case
            .format
            .decoder(options)
            .unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let from = |n: u64| usize::try_from(n).unwrap().min(case.bytes.len());
        let chunks = if case.format.info().whole_object {
            vec![case.bytes.clone()]
        } else {
            vec![
                case.bytes.slice(..from(at.prologue())),
                case.bytes.slice(from(at.offset())..),
            ]
        };
        let rest = decode(decoder, case.feed(chunks));
        let what = format!("{}: resumed after row {rows_before}", case.name);
        assert!(rest.error.is_none(), "{what}: {:?}", rest.error);
        assert_eq!(rest.rows, whole.rows[*rows_before..], "{what}: rows differ");
        assert_eq!(
            rest.numbers,
            whole.numbers[*rows_before..],
            "{what}: record numbers differ"
        );
        assert_eq!(
            rest.rejects,
            whole.rejects[*rejects_before..],
            "{what}: rejects differ"
        );
    }
}

/// Chunks cut by the splitter decode alone as they do in the stream.
pub fn parts_decode_alike(case: &Case) {
    let Some(mut splitter) = case.format.splitter() else {
        return;
    };
    let whole = case.decode();
    for size in [16, 257, 1 << 20] {
        let prologue = splitter
            .prologue(&case.bytes, true)
            .unwrap_or_else(|e| panic!("{}: {e}", case.name))
            .unwrap_or_else(|| panic!("{}: no prologue in the whole stream", case.name));
        let mut part = Part {
            prologue: case.bytes.slice(..prologue.end),
            offset: prologue.end as u64,
            first_record: 1,
            first_line: 1 + prologue.lines,
            last: false,
        };
        let (mut all, mut numbers, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = case.bytes.slice(prologue.end..);
        let mut want = size;
        while !rest.is_empty() {
            let window = rest.slice(..want.min(rest.len()));
            part.last = window.len() == rest.len();
            let (end, records, lines) = match splitter.last_boundary(&window, part.last) {
                Some(b) if !part.last => (b.end, b.records, b.lines),
                Some(b) => (rest.len(), b.records, b.lines),
                None if part.last => (rest.len(), 0, 0),
                None => {
                    want *= 2;
                    continue;
                }
            };
            let options = DecodeOptions {
                part: Some(part.clone()),
                ..case.options.clone()
            };
            let decoder = case
                .format
                .decoder(options)
                .unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let got = decode(decoder, case.feed([rest.split_to(end)]));
            assert!(
                got.error.is_none(),
                "{}: part at {}: {:?}",
                case.name,
                part.offset,
                got.error
            );
            if !part.last {
                assert_eq!(
                    got.read, records,
                    "{}: the splitter counts otherwise",
                    case.name
                );
            }
            all.extend(got.rows);
            numbers.extend(got.numbers);
            rejects.extend(got.rejects);
            part.offset += end as u64;
            part.first_record += records;
            part.first_line += lines;
            want = size;
        }
        assert_eq!(
            all, whole.rows,
            "{}: parts of {size} bytes: rows differ",
            case.name
        );
        assert_eq!(
            numbers, whole.numbers,
            "{}: parts of {size} bytes: numbers differ",
            case.name
        );
        assert_eq!(
            rejects, whole.rejects,
            "{}: parts of {size} bytes: rejects differ",
            case.name
        );
    }
}

/// Cut at every byte (of the first 8 KiB): no panic, an end, and every row but the last as before.
pub fn truncation(case: &Case) {
    let whole = case.decode();
    let ends = case.bytes.len().min(8 << 10);
    for end in 0..ends {
        let cut_bytes = case.bytes.slice(..end);
        let mut options = case.options.clone();
        options.size = Some(end as u64);
        let Ok(decoder) = case.format.decoder(options) else {
            continue;
        };
        let cut = decode(decoder, case.feed([cut_bytes]));
        let sure = cut.rows.len().saturating_sub(1).min(whole.rows.len());
        assert!(
            cut.rows.len() <= whole.rows.len() + 1,
            "{}: cut at byte {end}: more rows than before",
            case.name
        );
        if cut.schema == whole.schema {
            assert_eq!(
                cut.rows[..sure],
                whole.rows[..sure],
                "{}: cut at byte {end}",
                case.name
            );
        }
    }
}

/// One flipped bit a byte (of the first 4 KiB): no panic, an end, balanced books.
pub fn flipped_bits(case: &Case) {
    for at in 0..case.bytes.len().min(4 << 10) {
        let mut bytes = case.bytes.to_vec();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(decoder) = case.format.decoder(case.options.clone()) {
            decode(decoder, case.feed([bytes.into()]));
        }
    }
}

/// Every broken record is a reject with the right number, offset and code; every other one is delivered.
pub fn rejects_and_goes_on(broken: &Broken) {
    let name = &broken.case.name;
    let got = broken.case.decode();
    let found: Vec<_> = got
        .rejects
        .iter()
        .map(|r| (r.record, r.offset, r.fault.code.as_ref()))
        .collect();
    assert_eq!(
        found, broken.rejects,
        "{name}: rejects (record, offset, code)"
    );
    assert_eq!(got.rows.len(), broken.rows, "{name}: rows delivered");
    for reject in &got.rejects {
        assert!(
            !reject.fault.expected.is_empty(),
            "{name}: a reject without what was expected"
        );
        let from = usize::try_from(reject.offset).unwrap();
        let to = from + usize::try_from(reject.length).unwrap();
        let raw = broken.case.bytes.get(from..to).unwrap_or_default();
        if !reject.raw_cut {
            assert_eq!(
                reject.raw, raw,
                "{name}: record {}: raw bytes",
                reject.record
            );
        }
    }
}

/// After a fatal error every call says `Poisoned` (checked by [`decode`]), and the error says where.
pub fn poisoned_after_a_fatal_error(case: &Case) {
    let got = decode(case.decoder(), case.feed([case.bytes.clone()]));
    let error = got
        .error
        .unwrap_or_else(|| panic!("{}: decodes without a fatal error", case.name));
    assert!(
        error.offset().is_some() || error.record().is_some(),
        "{}: the fatal error does not say where: {error}",
        case.name
    );
}

/// Decode then encode gives the same bytes for a lossless case, and the same rows for every other.
pub fn round_trip(case: &Case) {
    if !case.format.info().write {
        return;
    }
    let first = case.decode();
    let Some(schema) = first.schema.clone() else {
        return;
    };
    let mut encoder = case
        .format
        .encoder(EncodeOptions {
            schema,
            limits: Limits::default(),
        })
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let mut files: BTreeMap<Option<String>, BytesMut> = BTreeMap::new();
    let mut out = BytesMut::new();
    for batch in &first.batches {
        let refused = encoder
            .encode(batch, &mut out)
            .unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert!(
            refused.is_empty(),
            "{}: its own rows are refused: {}",
            case.name,
            refused[0]
        );
        for more in encoder.companions() {
            files
                .entry(Some(more.extension))
                .or_default()
                .extend_from_slice(&more.bytes);
        }
    }
    let patches = encoder
        .finish(&mut out)
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    for more in encoder.companions() {
        files
            .entry(Some(more.extension))
            .or_default()
            .extend_from_slice(&more.bytes);
    }
    files.insert(None, out);
    for patch in patches {
        let file = files
            .get_mut(&patch.companion)
            .expect("a patch of a file that exists");
        let at = usize::try_from(patch.offset).unwrap();
        file[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    let main = files.remove(&None).unwrap_or_default().freeze();
    if case.lossless {
        assert_same_bytes(&case.name, &main, &case.bytes);
        for (extension, bytes) in &files {
            let name = extension.as_deref().unwrap_or_default();
            let before = case
                .options
                .companion(&[name])
                .expect("a companion that was there");
            let mut old = vec![0; usize::try_from(before.data.size()).unwrap()];
            before.data.read_at(0, &mut old).unwrap();
            assert_same_bytes(&format!("{} .{name}", case.name), bytes, &old);
        }
    }
    let mut options = case.options.clone();
    options.size = Some(main.len() as u64);
    for (extension, bytes) in files {
        let extension = extension.unwrap_or_default();
        options.companions.retain(|c| c.extension != extension);
        options.companions.push(Companion {
            extension,
            data: Arc::new(bytes.freeze()),
        });
    }
    let again = Case {
        bytes: main,
        options,
        ..case.clone()
    }
    .decode();
    assert_eq!(
        again.rows, first.rows,
        "{}: rows differ after encode and decode",
        case.name
    );
}

/// What `infer` says about the stream can be given to the decoder, and decodes the same stream.
pub fn infers_what_it_decodes(case: &Case) {
    let sample = Sample {
        bytes: case.bytes.clone(),
        complete: true,
        object: Some(Arc::new(case.bytes.clone())),
        size: Some(case.bytes.len() as u64),
        name: case.name.clone(),
        companions: case.options.companions.clone(),
        limits: case.options.limits.clone(),
    };
    let evidence = case
        .format
        .infer(&sample)
        .unwrap_or_else(|e| panic!("{}: infer: {e}", case.name));
    assert!(
        !evidence.reasons.is_empty(),
        "{}: infers without giving reasons",
        case.name
    );
    let wanted = case.options.dataset.as_deref();
    let found = evidence
        .datasets
        .iter()
        .find(|d| wanted.is_none_or(|w| w == d.name))
        .unwrap_or_else(|| panic!("{}: infers no dataset", case.name));
    let options = DecodeOptions {
        schema: Some(found.schema.clone()),
        ..case.options.clone()
    };
    let decoder = case
        .format
        .decoder(options)
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let got = decode(decoder, case.feed([case.bytes.clone()]));
    assert!(
        got.error.is_none(),
        "{}: the inferred schema does not decode: {:?}",
        case.name,
        got.error
    );
    assert_eq!(
        got.rows.len(),
        case.decode().rows.len(),
        "{}: other rows by the inferred schema",
        case.name
    );
}

fn with_batch_rows(case: &Case, batch_rows: u64) -> DecodeOptions {
    let limits = Limits {
        batch_rows,
        ..case.options.limits.clone()
    };
    DecodeOptions {
        limits,
        ..case.options.clone()
    }
}

/// A position as another process would see it: through its text.
fn through_text(position: &Position) -> Position {
    let text = serde_json::to_string(position).expect("a position has a text");
    serde_json::from_str(&text).expect("a position is read from its text")
}

fn assert_same_bytes(name: &str, got: &[u8], wanted: &[u8]) {
    if got == wanted {
        return;
    }
    let at = got
        .iter()
        .zip(wanted)
        .position(|(a, b)| a != b)
        .unwrap_or(got.len().min(wanted.len()));
    let around = |bytes: &[u8]| {
        let to = bytes.len().min(at + 24);
        String::from_utf8_lossy(&bytes[at.saturating_sub(24).min(to)..to]).into_owned()
    };
    panic!(
        "{name}: other bytes after decode and encode, from byte {at} ({} for {} bytes): {:?} for {:?}",
        got.len(),
        wanted.len(),
        around(got),
        around(wanted)
    );
}

/// A small seeded generator, so that a failure can be repeated.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number (SplitMix64, public domain constants of Steele, Lea and Flood 2014).
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.number() % n.max(1)
    }
}
