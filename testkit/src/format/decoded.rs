//! Running a decoder to its end, with the protocol of the trait checked on the way.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use fenhe_core::{Decoder, Error, Input, Kind, Output, Position, Reject};

use crate::rows;

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

/// Feeds a decoder and collects what it gives.
///
/// # Panics
/// When the decoder breaks the protocol of [`Decoder`]: more output after the end, no progress,
/// books that do not balance, a batch of another schema.
pub fn decode(mut decoder: Box<dyn Decoder>, inputs: Vec<Input>) -> Decoded {
    decode_with(&mut *decoder, inputs)
}

/// [`decode`] with a decoder that is needed afterwards.
pub(crate) fn decode_with(decoder: &mut dyn Decoder, inputs: Vec<Input>) -> Decoded {
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
                assert!(inputs.next().is_none(), "done before the end of the stream was fed");
                assert!(matches!(decoder.next(), Ok(Output::Done)), "not done any more");
                break;
            }
            Ok(Output::NeedInput) => {
                let input = inputs.next().expect("asks for input after the end of the stream");
                if let Err(error) = decoder.feed(input) {
                    all.error = Some(error);
                    break;
                }
            }
            Ok(Output::Batch(batch)) => {
                let schema = batch.records.schema();
                assert_eq!(decoder.schema().as_ref(), Some(&schema), "a batch of another schema");
                assert_eq!(*all.schema.get_or_insert(schema.clone()), schema, "the schema changed");
                let counted = batch.rows() as u64 + batch.rejects.len() as u64 + batch.span.skipped;
                assert_eq!(counted, batch.span.read, "the books of a batch do not balance");
                assert!(batch.span.read > 0, "an empty batch");
                let expected = *next_record.get_or_insert(batch.span.first);
                assert_eq!(batch.span.first, expected, "a gap in the record numbers");
                next_record = Some(expected + batch.span.read);
                all.read += batch.span.read;
                all.numbers.extend(batch.record_numbers());
                all.rows.extend(rows([&batch.records]));
                all.rejects.extend(batch.rejects);
                all.batches.push(batch.records);
                all.positions.push((batch.position, all.rows.len(), all.rejects.len()));
            }
        }
    }
    all.schema = all.schema.or_else(|| decoder.schema());
    if all.error.is_some() {
        for _ in 0..2 {
            let error = decoder.next().expect_err("a decoder goes on after a fatal error");
            assert_eq!(error.kind(), Kind::Poisoned, "{error}");
        }
        let fed = decoder.feed(Input::EndOfStream).expect_err("a poisoned decoder takes input");
        assert_eq!(fed.kind(), Kind::Poisoned, "{fed}");
    }
    all
}
