//! The format: options and copybook in, decoders and encoders out.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Error, Evidence, Format, FormatInfo, Found,
    Kind, Options, Result, Sample, Splitter,
};

use crate::batch::BatchBuilder;
use crate::columns::to_ascii;
use crate::copybook::Copybook;
use crate::decode::CopybookDecoder;
use crate::encode::CopybookEncoder;
use crate::error;
use crate::frame::Framer;
use crate::layout::Layout;
use crate::options::CopybookOptions;
use crate::segments::{Rule, rules};
use crate::splitter::CopybookSplitter;

/// COBOL data by a copybook.
///
/// ```
/// use fenhe_core::{DecodeOptions, Format, Input, Options, Output};
/// use fenhe_copybook::CopybookFormat;
/// let mut options = Options::from_pairs(["encoding=ascii"])?;
/// let text = "01 PERSON.\n 05 ID PIC 9(3).\n 05 NAME PIC X(4).";
/// options.set("copybook", serde_json::json!({"name": "person.cpy", "text": text}));
/// let format = CopybookFormat::from_options(&options)?;
/// let mut decoder = format.decoder(DecodeOptions::default())?;
/// decoder.feed(Input::Bytes("001ANN 002BOB ".into()))?;
/// assert!(matches!(decoder.next()?, Output::NeedInput));
/// decoder.feed(Input::EndOfStream)?;
/// let Output::Batch(batch) = decoder.next()? else { panic!("two records") };
/// assert_eq!(batch.rows(), 2);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CopybookFormat {
    options: CopybookOptions,
    setup: Option<Arc<Setup>>,
}

/// A copybook with its options, worked out once.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) options: CopybookOptions,
    pub(crate) layout: Arc<Layout>,
    pub(crate) rules: Vec<Rule>,
    /// The table to translate windows with.
    pub(crate) ascii: Option<Box<[u8; 256]>>,
    pub(crate) adapter: String,
}

impl CopybookFormat {
    /// The format with these options.
    ///
    /// # Errors
    /// [`Config`](Kind::Config) for a wrong option, or for a mistake in the copybook, with its line and column.
    pub fn from_options(options: &Options) -> Result<Self> {
        Self::with(CopybookOptions::from_options(options)?)
    }

    /// The format with options that were read already.
    ///
    /// # Errors
    /// As [`from_options`](Self::from_options).
    pub fn with(options: CopybookOptions) -> Result<Self> {
        let setup = match &options.copybook {
            None => None,
            Some(text) => {
                let named = |e: Error| {
                    if e.line().is_some() { e.source_name(text.name.clone()) } else { e }
                };
                let book =
                    Copybook::parse_with(&text.text, &options.parse_options()).map_err(named)?;
                Some(Arc::new(Setup::new(&book, options.clone(), &text.name).map_err(named)?))
            }
        };
        Ok(Self { options, setup })
    }

    /// The format for a copybook that was parsed already.
    ///
    /// # Errors
    /// As [`from_options`](Self::from_options).
    pub fn of(book: &Copybook, options: CopybookOptions) -> Result<Self> {
        let setup = Arc::new(Setup::new(book, options.clone(), "copybook")?);
        Ok(Self { options, setup: Some(setup) })
    }

    /// Where the items of the copybook are; `None` without a copybook.
    pub fn layout(&self) -> Option<&Layout> {
        self.setup.as_deref().map(|s| s.layout.as_ref())
    }

    /// The options.
    pub fn options(&self) -> &CopybookOptions {
        &self.options
    }

    pub(crate) fn setup(&self) -> Result<&Arc<Setup>> {
        self.setup
            .as_ref()
            .ok_or_else(|| error::config("COBOL data need a copybook").hint("give copybook=FILE"))
    }
}

impl Format for CopybookFormat {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "copybook",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["ebc", "ebcdic", "bin", "dat"],
            media_types: &["application/octet-stream"],
            read: true,
            write: true,
            whole_object: false,
            patches: false,
            companions: &[],
            file_options: &["copybook", "library"],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        let setup = self.setup()?;
        let (hypotheses, confidence) = crate::doctor::look(self, sample);
        let decode = DecodeOptions::default();
        let mut names: Vec<(String, Option<usize>)> = vec![(String::new(), None)];
        if setup.layout.records.len() > 1 && !setup.rules.is_empty() {
            let named = |r: &usize| setup.layout.field(*r).map(|f| (f.name.clone(), Some(*r)));
            names.extend(setup.layout.records.iter().filter_map(named));
        }
        let parents = setup.parents()?;
        if setup.options.nest {
            names.truncate(1);
        }
        let found = |(name, record): (String, Option<usize>)| {
            let (layout, options, rules) = (&setup.layout, &setup.options, &setup.rules);
            let batch = BatchBuilder::new(layout, options, rules, record, &parents, &decode)?;
            Ok(Found { name, schema: batch.schema(), records: None, columns: Vec::new() })
        };
        let datasets = names.into_iter().map(found).collect::<Result<Vec<_>>>()?;
        let mut reasons = vec![format!(
            "{} items in records of {} to {} bytes by the copybook",
            setup.layout.fields.len(),
            setup.layout.minimum,
            setup.layout.length
        )];
        reasons.extend(hypotheses.iter().take(3).map(ToString::to_string));
        reasons.extend(setup.layout.notes.iter().cloned());
        Ok(Evidence { datasets, confidence, options: Options::new(), reasons })
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(CopybookDecoder::new(Arc::clone(self.setup()?), options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(CopybookEncoder::new(Arc::clone(self.setup()?), options)?))
    }

    fn splitter(&self, options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        let setup = self.setup.as_ref()?;
        // A parent may be in an earlier part.
        if !setup.options.parents.is_empty() || setup.options.file_trailer > 0 {
            return None;
        }
        let framer = Framer::new(&setup.layout, &setup.options, options.limits.record).ok()?;
        framer.splits().then(|| {
            Box::new(CopybookSplitter::new(framer, setup.options.file_header)) as Box<dyn Splitter>
        })
    }
}

impl Setup {
    fn new(book: &Copybook, options: CopybookOptions, name: &str) -> Result<Self> {
        let layout = Layout::new(book, &options)?;
        check_length(book, &layout, &options)?;
        let rules = rules(&layout, &options)?;
        if options.nest && (options.parents.is_empty() || options.flatten || options.raw) {
            return Err(error::config("nest=true needs parents, and neither flatten nor raw"));
        }
        let ascii = to_ascii(layout.page, options.low_values);
        let adapter = format!("copybook {name}");
        Ok(Self { options, layout: Arc::new(layout), rules, ascii, adapter })
    }

    /// The record type of a dataset name.
    pub(crate) fn record(&self, dataset: Option<&str>) -> Result<Option<usize>> {
        let Some(dataset) = dataset.filter(|d| !d.is_empty()) else { return Ok(None) };
        let of =
            |i: &usize| self.layout.field(*i).is_some_and(|f| f.name.eq_ignore_ascii_case(dataset));
        self.layout.records.iter().copied().find(of).map(Some).ok_or_else(|| {
            let names = self
                .layout
                .records
                .iter()
                .filter_map(|i| self.layout.field(*i))
                .map(|f| f.name.as_str());
            Error::new(
                Kind::NotFound,
                "copybook.dataset",
                format!("the copybook has no record {dataset}"),
            )
            .hint(format!("records are {}", names.collect::<Vec<_>>().join(", ")))
        })
    }

    /// `parents`: for each child branch its parent branch.
    pub(crate) fn parents(&self) -> Result<BTreeMap<usize, usize>> {
        let find = |name: &str| {
            let index = self.layout.resolve(name.trim(), None);
            index.filter(|i| self.rules.iter().any(|r| r.branch == *i)).ok_or_else(|| {
                error::config(format!("parents: no rule in select names {}", name.trim()))
            })
        };
        let mut parents = BTreeMap::new();
        for pair in &self.options.parents {
            let (child, parent) = pair
                .split_once(':')
                .ok_or_else(|| error::config(format!("parents={pair}: write CHILD:PARENT")))?;
            parents.insert(find(child)?, find(parent)?);
        }
        Ok(parents)
    }
}

/// A record length that only fits with (or without) slack bytes says which it is.
fn check_length(book: &Copybook, layout: &Layout, options: &CopybookOptions) -> Result<()> {
    let Some(length) = options.record_length else { return Ok(()) };
    let data = length.saturating_sub(options.record_prefix).saturating_sub(options.record_suffix);
    if data == layout.length {
        return Ok(());
    }
    let other = CopybookOptions { sync: !options.sync, ..options.clone() };
    if Layout::new(book, &other)?.length == data {
        return Err(error::config(format!(
            "records of {data} bytes fit the copybook only with sync={}",
            other.sync
        ))
        .hint(format!("set sync={}", other.sync)));
    }
    Ok(())
}
