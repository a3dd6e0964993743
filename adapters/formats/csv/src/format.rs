//! The format: a factory of decoders, encoders and splitters.

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Options, Result,
    Sample, Splitter,
};
use fenhe_kernels::Pools;

use crate::decode::{CsvDecoder, SAMPLE};
use crate::encode::CsvEncoder;
use crate::options::CsvOptions;
use crate::settle::settle;
use crate::splitter::CsvSplitter;
use crate::{error, evidence};

/// Delimited text.
#[derive(Clone, Debug, Default)]
pub struct Csv {
    options: CsvOptions,
    /// Shared by the decoders of all parts of a stream.
    pools: Pools,
}

impl Csv {
    /// The format with these options.
    pub fn new(options: CsvOptions) -> Self {
        Self { options, pools: Pools::default() }
    }

    /// The format with options by name, as they come from a command line.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        CsvOptions::from_options(options).map(Self::new)
    }

    /// The options.
    pub fn options(&self) -> &CsvOptions {
        &self.options
    }
}

impl Format for Csv {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "csv",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["csv", "tsv", "tab", "psv", "txt", "del"],
            media_types: &["text/csv", "text/tab-separated-values"],
            read: true,
            write: true,
            whole_object: false,
            patches: false,
            companions: &[],
            file_options: &["schema"],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        let cut = sample.bytes.get(..SAMPLE).unwrap_or(&sample.bytes);
        let complete = sample.complete && cut.len() == sample.bytes.len();
        let open = DecodeOptions { limits: sample.limits.clone(), ..DecodeOptions::default() };
        let found = settle(&self.options, &open, cut, complete)?;
        evidence::of(found.ok_or_else(|| error::no_header(cut.len() as u64))?, cut, complete)
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(CsvDecoder::new(self.options.clone(), self.pools.clone(), options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(CsvEncoder::new(&self.options, options)?))
    }

    fn splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        // The lines at the end may reach into the part before the last.
        let whole = self.options.skip_tail == 0;
        whole
            .then(|| Box::new(CsvSplitter::new(self.options.clone(), options)) as Box<dyn Splitter>)
    }

    fn record_splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        // A record was told from the lines at the end already.
        let own = CsvOptions { skip_tail: 0, ..self.options.clone() };
        Some(Box::new(CsvSplitter::new(own, options)))
    }
}
