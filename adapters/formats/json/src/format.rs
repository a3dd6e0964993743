//! JSON as a format.

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Options, Result,
    Sample, Splitter,
};
use fenhe_kernels::Pools;

use crate::decode::JsonDecoder;
use crate::encode::JsonEncoder;
use crate::infer;
use crate::options::{JsonOptions, Shape};
use crate::splitter::LineSplitter;

/// NDJSON and JSON documents.
///
/// ```
/// use fenhe_core::{Format, Sample};
/// use fenhe_json::Json;
/// let sample = Sample { bytes: "{\"姓名\":\"张三\",\"税额\":12.50}\n".into(), complete: true, ..Sample::default() };
/// let evidence = Json::default().infer(&sample)?;
/// assert_eq!(evidence.datasets[0].schema.field(1).data_type().to_string(), "Decimal128(38, 2)");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Json {
    options: JsonOptions,
    /// Shared by the decoders of all parts of a stream.
    pools: Pools,
}

impl Json {
    /// The format with these options.
    #[must_use]
    pub fn new(options: JsonOptions) -> Self {
        Self { options, pools: Pools::default() }
    }

    /// The format with options by name.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) for an unknown option or value.
    pub fn from_options(options: &Options) -> Result<Self> {
        JsonOptions::from_options(options).map(Self::new)
    }
}

impl Format for Json {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "json",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["json", "ndjson", "jsonl", "txt"],
            media_types: &["application/json", "application/x-ndjson", "application/jsonl"],
            read: true,
            write: true,
            whole_object: false,
            patches: false,
            companions: &[],
            file_options: &["schema"],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        infer::infer(&self.options, sample)
    }

    fn options_for(&self, extension: &str) -> Options {
        let mut options = Options::new();
        match extension {
            "json" => options.set("shape", "array"),
            "ndjson" | "jsonl" => options.set("shape", "lines"),
            _ => &mut options,
        };
        options
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(JsonDecoder::new(self.options.clone(), self.pools.clone(), options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(JsonEncoder::new(&self.options, &options)?))
    }

    /// Lines only: a document has to be followed from its start.
    fn splitter(&self, _options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        (self.options.shape == Shape::Lines)
            .then(|| Box::new(LineSplitter::new(self.options.clone())) as Box<dyn Splitter>)
    }
}
