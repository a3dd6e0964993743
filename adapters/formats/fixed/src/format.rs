//! The format: options and layout in, decoders and encoders out.

use std::sync::Arc;

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Options, Result,
    Sample, Splitter,
};
use fenhe_kernels::Pools;

use crate::decode::FixedDecoder;
use crate::encode::FixedEncoder;
use crate::error;
use crate::frame::Framer;
use crate::infer;
use crate::layout::Layout;
use crate::options::FixedOptions;
use crate::splitter::FixedSplitter;

/// Fixed-width records by a layout.
///
/// ```
/// use fenhe_core::{Format, Options};
/// use fenhe_fixed::Fixed;
/// let options = Options::from_pairs(["widths=4,10", "encoding=gbk"])?;
/// let fixed = Fixed::from_options(&options)?;
/// assert_eq!(fixed.info().name, "fixed");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fixed {
    options: FixedOptions,
    layout: Option<Arc<Layout>>,
    /// Shared by the decoders of all parts of a stream.
    pools: Pools,
}

impl Fixed {
    /// The format with these options.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) for a wrong option, or for a mistake in the layout, with its line and column.
    pub fn from_options(options: &Options) -> Result<Self> {
        Self::with(FixedOptions::from_options(options)?)
    }

    /// The format with options that were read already.
    ///
    /// # Errors
    /// As [`from_options`](Self::from_options).
    pub fn with(options: FixedOptions) -> Result<Self> {
        let layout = Layout::from_options(&options)?.map(Arc::new);
        if layout.is_some()
            && let Some(label) = &options.encoding
        {
            error::encoding(label)?;
        }
        Ok(Self { options, layout, pools: Pools::default() })
    }

    /// The layout, if the options describe one.
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_deref()
    }

    fn known_layout(&self) -> Result<Arc<Layout>> {
        self.layout.clone().ok_or_else(|| {
            error::config("fixed-width records need a layout")
                .hint("give layout=FILE or widths=4,10,8; inspect proposes widths")
        })
    }
}

impl Format for Fixed {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "fixed",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["txt", "dat", "fwf"],
            media_types: &["text/plain"],
            read: true,
            write: true,
            whole_object: false,
            patches: false,
            companions: &[],
            file_options: &["layout", "schema"],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        infer::infer(&self.options, self.layout.as_deref(), sample)
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(FixedDecoder::new(
            self.known_layout()?,
            self.options.clone(),
            self.pools.clone(),
            options,
        )?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(FixedEncoder::new(self.known_layout()?, &self.options, &options)?))
    }

    fn splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        let layout = self.layout.as_deref()?;
        // Totals run over the whole stream, and the first record is told by its number.
        if layout.has_totals() {
            return None;
        }
        let framer = Framer::new(layout, &self.options, options.limits.record);
        framer.splits().then(|| {
            Box::new(FixedSplitter::new(framer, self.options.clone())) as Box<dyn Splitter>
        })
    }

    fn record_splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        let layout = self.layout.as_deref()?;
        let framer = Framer::new(layout, &self.options, options.limits.record);
        Some(Box::new(FixedSplitter::new(framer, self.options.clone())))
    }
}
