//! The format: what it is, what a sample holds, and the decoders and encoders of one table.

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Found, Options,
    Result, Sample, Splitter,
};
use fenhe_kernels::Pools;
use fenhe_text::Encoding;

use crate::codepage::{self, Settled};
use crate::decode::TableDecoder;
use crate::encode::TableEncoder;
use crate::error;
use crate::header::Header;
use crate::options::DbfOptions;
use crate::splitter::RecordSplitter;
use crate::{schema, table};

/// dBase and FoxPro tables.
///
/// ```
/// use fenhe_core::{Format, Options};
/// use fenhe_dbf::Dbf;
///
/// let format = Dbf::from_options(&Options::from_pairs(["encoding=gbk", "deleted=true"])?)?;
/// assert_eq!(format.info().extensions, ["dbf"]);
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dbf {
    options: DbfOptions,
    /// Shared by the decoders of all parts of a table.
    pools: Pools,
}

impl Dbf {
    /// The format with these options.
    #[must_use]
    pub fn new(options: DbfOptions) -> Self {
        Self { options, pools: Pools::default() }
    }

    /// The format with the options of a command line or a configuration.
    ///
    /// # Errors
    /// [`Kind::Config`](fenhe_core::Kind::Config) for an unknown name or a value that does not fit.
    pub fn from_options(options: &Options) -> Result<Self> {
        DbfOptions::parse(options).map(Self::new)
    }
}

impl Format for Dbf {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "dbf",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["dbf"],
            media_types: &["application/vnd.dbf", "application/dbase", "application/x-dbf"],
            read: true,
            write: true,
            whole_object: false,
            patches: true,
            companions: &["fpt", "dbt", "cpg"],
            file_options: &[],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        let header = sample_header(sample)?;
        let decode = DecodeOptions {
            size: sample.size.or(sample.complete.then_some(sample.bytes.len() as u64)),
            companions: sample.companions.clone(),
            limits: sample.limits.clone(),
            ..DecodeOptions::default()
        };
        let records = sample.bytes.get(header.length..).unwrap_or_default();
        let content = table::sniff(&header, records);
        let settled = table::encoding(&header, &self.options, &decode)?
            .or_else(|| content.clone())
            .unwrap_or_else(|| table::undecided(&header));
        let layout =
            schema::Layout::of(&header, settled.encoding, &self.options, decode.size, None);
        let (columns, notes) =
            match table::open(&header, settled.encoding, &self.options, &decode, &self.pools) {
                Ok((columns, notes)) => (Some(columns), notes),
                Err(error) => (None, vec![error.to_string()]),
            };
        let found_schema = columns.map_or(layout.schema, |c| c.schema().clone());
        let mut options = Options::new();
        if settled.sniffed {
            options.set("encoding", settled.encoding.to_string());
        }
        let mut reasons = vec![
            format!("version byte {:02X}: {}", header.version, header.dialect.name()),
            settled.reason.clone(),
        ];
        reasons.extend(contradiction(&settled, content.as_ref()));
        reasons.extend(counts(&header, decode.size));
        reasons.extend(header.notes.iter().cloned());
        reasons.extend(notes);
        if header.has_index() {
            reasons.push("a structural index belongs to the table".into());
        }
        let columns = found_schema
            .fields()
            .iter()
            .filter_map(|f| {
                Some((f.name().clone(), f.metadata().get(fenhe_core::schema::NATIVE_TYPE)?.clone()))
            })
            .collect();
        let dataset = Found {
            name: String::new(),
            schema: found_schema,
            records: Some(header.records.into()),
            columns,
        };
        let confidence = if header.notes.is_empty() { 98 } else { 80 };
        Ok(Evidence { datasets: vec![dataset], confidence, options, reasons })
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(TableDecoder::new(self.options.clone(), self.pools.clone(), options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(TableEncoder::new(&self.options, options)?))
    }

    fn splitter(&self, _options: &DecodeOptions) -> Option<Box<dyn Splitter>> {
        Some(Box::new(RecordSplitter::default()))
    }
}

fn sample_header(sample: &Sample) -> Result<Header> {
    let wanted = Header::length_of(&sample.bytes)?.unwrap_or(12);
    if let Some(object) = sample.object.as_ref().filter(|_| sample.bytes.len() < wanted) {
        let raw = fenhe_core::read_exact_at(&**object, 0..wanted as u64, wanted as u64)?;
        return Header::parse(raw.into(), &sample.limits);
    }
    if sample.bytes.len() < wanted {
        return Err(error::header_cut(wanted as u64, sample.bytes.len() as u64));
    }
    Header::parse(sample.bytes.clone(), &sample.limits)
}

/// Both numbers, always; people compare them.
fn counts(header: &Header, size: Option<u64>) -> Vec<String> {
    match size {
        Some(size) => {
            let held = header.records_in(size);
            vec![format!(
                "{} records by the header, {held} by the size of the file",
                header.records
            )]
        }
        None => vec![format!("{} records by the header", header.records)],
    }
}

/// Chinese programs often leave 03 or 57 in the language byte of GBK tables.
fn contradiction(settled: &Settled, content: Option<&Settled>) -> Option<String> {
    let content = content?;
    let same = content.encoding == settled.encoding
        || [Encoding::GBK, Encoding::CP936, Encoding::GB18030].contains(&settled.encoding)
            && content.encoding == Encoding::CP936;
    (!same && !settled.sniffed).then(|| {
        format!(
            "but {}: if text comes out wrong, try encoding={}",
            content.reason,
            codepage::label(content.encoding)
        )
    })
}
