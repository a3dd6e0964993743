//! The format: a factory of decoders, encoders and splitters.

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Found, Options,
    Result, Sample, Splitter,
};

use crate::decode::{SAMPLE, XmlDecoder};
use crate::encode::XmlEncoder;
use crate::options::XmlOptions;
use crate::settle::settle;
use crate::splitter::XmlSplitter;

/// XML documents that hold records.
#[derive(Clone, Debug, Default)]
pub struct Xml {
    options: XmlOptions,
}

impl Xml {
    /// The format with these options.
    pub fn new(options: XmlOptions) -> Self {
        Self { options }
    }

    /// The format with options by name, as they come from a command line.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        XmlOptions::from_options(options).map(Self::new)
    }

    /// The options.
    pub fn options(&self) -> &XmlOptions {
        &self.options
    }
}

impl Format for Xml {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "xml",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["xml"],
            media_types: &["application/xml", "text/xml"],
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
        let settled = settle(&self.options, &open, cut, complete, None)?;
        let mut options = Options::new();
        options.set("record", settled.path.to_string());
        options.set("encoding", settled.found.encoding.name());
        let found = Found {
            name: String::new(),
            schema: settled.schema,
            records: complete.then_some(settled.records),
            columns: settled.columns,
        };
        let declared = cut.windows(5).take(8).any(|w| w == b"<?xml");
        let confidence = if declared { 100 } else { 90 };
        Ok(Evidence { datasets: vec![found], confidence, options, reasons: settled.reasons })
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(XmlDecoder::new(self.options.clone(), options)?))
    }

    fn splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        Some(Box::new(XmlSplitter::new(self.options.clone(), options)))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(XmlEncoder::new(&self.options, &options)?))
    }
}
