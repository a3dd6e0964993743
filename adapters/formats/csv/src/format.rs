//! The format: a factory of decoders, encoders and splitters.

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Options, Result,
    Sample, Splitter,
};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;

use crate::batch::{TOKEN, Token};
use crate::decode::{CsvDecoder, SAMPLE};
use crate::dialect::encoding;
use crate::encode::CsvEncoder;
use crate::options::CsvOptions;
use crate::settle::{dialect_of, settle};
use crate::splitter::CsvSplitter;
use crate::wide::{Front, WideAt, WideDecoder, WideEncoder, is_wide};
use crate::{error, evidence, wide};

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

impl Csv {
    /// The encoding that options or schema name.
    fn said(&self, options: &DecodeOptions) -> Result<Option<Encoding>> {
        let known = options.schema.as_deref().and_then(dialect_of).map(|dialect| dialect.encoding);
        self.options.encoding.clone().or(known).map(|label| encoding(&label)).transpose()
    }

    /// UTF-16, if it was said or the sample shows it, and why.
    fn wide(&self, sample: &[u8]) -> Result<Option<(Encoding, String)>> {
        match &self.options.encoding {
            Some(label) => {
                let encoding = encoding(label)?;
                Ok(is_wide(encoding).then(|| (encoding, "as set".to_owned())))
            }
            None => Ok(wide::found(sample)),
        }
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
        if let Some((encoding, why)) = self.wide(cut)? {
            let options =
                CsvOptions { encoding: Some(encoding.name().to_owned()), ..self.options.clone() };
            let text = wide::transcoded(encoding, cut, complete);
            let mut found = settle(&options, &open, &text, complete)?
                .ok_or_else(|| error::no_header(cut.len() as u64))?;
            if let Some(reason) = found.reasons.first_mut() {
                *reason = format!("encoding {encoding}: {why}");
            }
            return evidence::of(&self.options, found, &text, complete);
        }
        let found = settle(&self.options, &open, cut, complete)?;
        evidence::of(
            &self.options,
            found.ok_or_else(|| error::no_header(cut.len() as u64))?,
            cut,
            complete,
        )
    }

    fn options_for(&self, extension: &str) -> Options {
        let mut options = Options::new();
        match extension {
            "tsv" | "tab" => options.set("delimiter", "tab"),
            "psv" => options.set("delimiter", "pipe"),
            _ => &mut options,
        };
        options
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        let (csv, pools) = (self.options.clone(), self.pools.clone());
        let said = self.said(&options)?;
        let token = options.from.as_ref().map(|at| at.read::<Token>("csv", TOKEN)).transpose()?;
        let wide = token.and_then(|token| token.wide).map(WideAt::encoding);
        let decoder: Box<dyn Decoder> = match (wide, said) {
            (Some(encoding), _) => Box::new(WideDecoder::new(csv, pools, options, encoding)?),
            (None, Some(encoding)) if is_wide(encoding) => {
                Box::new(WideDecoder::new(csv, pools, options, encoding)?)
            }
            (None, None) if token.is_none() && options.part.is_none() => {
                Box::new(Front::new(csv, pools, options)?)
            }
            _ => Box::new(CsvDecoder::new(csv, pools, options)?),
        };
        Ok(decoder)
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        let encoder = CsvEncoder::new(&self.options, options)?;
        let encoder: Box<dyn Encoder> = match encoder.wide() {
            Some(encoding) => Box::new(WideEncoder::new(encoder, encoding)),
            None => Box::new(encoder),
        };
        Ok(encoder)
    }

    fn splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        // The lines at the end may reach into the part before the last; UTF-16 is transcoded as a whole.
        let wide = self.said(options).ok()?.is_some_and(is_wide);
        let cut = self.options.skip_tail == 0 && !wide;
        cut.then(|| Box::new(CsvSplitter::new(self.options.clone(), options)) as Box<dyn Splitter>)
    }

    fn record_splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        // A record was told from the lines at the end already.
        let own = CsvOptions { skip_tail: 0, ..self.options.clone() };
        Some(Box::new(CsvSplitter::new(own, options)))
    }
}
