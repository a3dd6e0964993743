//! What every [`Format`] promises, as checks over cases that the format's room supplies.

mod bytes_back;
mod chunks;
mod decoded;
mod faults;
mod reading;

use std::sync::Arc;

use arrow_schema::SchemaRef;
use bytes::{Bytes, BytesMut};
use fenhe_core::{Companion, DecodeOptions, Decoder, Format, Input, Limits, ReadAt};

pub use bytes_back::round_trip;
pub use chunks::{parts_decode_alike, rechunking};
pub use decoded::{Decoded, decode};
pub use faults::{
    anything, flipped_bits, poisoned_after_a_fatal_error, rejects_and_goes_on, truncation,
};
pub use reading::{
    columns_can_be_chosen, infers_what_it_decodes, resumes_everywhere, schema_is_stable,
};

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

impl Case {
    /// A case with the format's default decode options, not claimed to be lossless.
    pub fn new(name: impl Into<String>, format: Arc<dyn Format>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let options = DecodeOptions { size: Some(bytes.len() as u64), ..DecodeOptions::default() };
        Self { name: name.into(), format, bytes, options, lossless: false }
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
        self.options.companions.push(Companion { extension: extension.into(), data });
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
        self.format.decoder(self.options.clone()).unwrap_or_else(|e| panic!("{}: {e}", self.name))
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
            inputs.extend(chunks.into_iter().filter(|c| !c.is_empty()).map(Input::Bytes));
        }
        inputs.push(Input::EndOfStream);
        inputs
    }
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

fn with_batch_rows(case: &Case, batch_rows: u64) -> DecodeOptions {
    let limits = Limits { batch_rows, ..case.options.limits.clone() };
    DecodeOptions { limits, ..case.options.clone() }
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
