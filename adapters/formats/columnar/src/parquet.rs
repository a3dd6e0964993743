//! Apache Parquet.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Error, Evidence, Format, FormatInfo, Kind,
    Options, Patch, ReadAt, Reject, Result, Sample,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression as Codec;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, Length};

use crate::object::{Cursor, ObjectDecoder, Open, Rows, Wanted, damaged, indices, infer};
use crate::output::Drain;

/// The Parquet format.
///
/// ```
/// use fenhe_columnar::Parquet;
/// use fenhe_core::{Format, Options};
/// let parquet = Parquet::from_options(&Options::from_pairs(["compression=zstd"]).unwrap()).unwrap();
/// assert_eq!(parquet.info().name, "parquet");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Parquet(ParquetOptions);

/// Options of [`Parquet`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParquetOptions {
    /// How pages are compressed when writing.
    pub compression: Compression,
    /// Rows of a row group when writing.
    pub row_group: usize,
}

/// How pages are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy: fast, read everywhere.
    #[default]
    Snappy,
    /// Zstandard: smaller.
    Zstd,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        // A row group is held in memory until it is complete: 64 Ki rows stay within the default limit.
        Self { compression: Compression::Snappy, row_group: 65_536 }
    }
}

impl Parquet {
    /// The format with these options.
    pub fn new(options: ParquetOptions) -> Self {
        Self(options)
    }

    /// The format with options by name.
    ///
    /// # Errors
    /// [`Kind::Config`] for an unknown option or value.
    pub fn from_options(options: &Options) -> Result<Self> {
        Ok(Self(options.parse("parquet")?))
    }
}

impl Format for Parquet {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: "parquet",
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["parquet", "pq"],
            media_types: &["application/vnd.apache.parquet"],
            read: true,
            write: true,
            whole_object: true,
            patches: false,
            companions: &[],
            file_options: &[],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        infer(&Opener, sample)
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(ObjectDecoder::new(Opener, options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        let codec = match self.0.compression {
            Compression::None => Codec::UNCOMPRESSED,
            Compression::Snappy => Codec::SNAPPY,
            Compression::Zstd => Codec::ZSTD(Default::default()),
        };
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_max_row_group_row_count(Some(self.0.row_group.max(1)))
            .build();
        let drain = Drain::default();
        let writer = ArrowWriter::try_new(drain.clone(), options.schema, Some(properties))
            .map_err(|e| {
                Error::new(
                    Kind::Config,
                    "parquet.schema",
                    "Parquet cannot hold one of the column types",
                )
                .caused_by(e)
            })?;
        let memory = usize::try_from(options.limits.memory / 4).unwrap_or(usize::MAX);
        Ok(Box::new(ParquetEncoder { writer: Some(writer), drain, memory }))
    }
}

struct Opener;

impl Open for Opener {
    const NAME: &'static str = "parquet";

    fn open(&self, object: Arc<dyn ReadAt>, wanted: &Wanted) -> Result<Rows> {
        let broken =
            |e: ParquetError| damaged(Self::NAME, "its metadata cannot be read").caused_by(e);
        let builder = ParquetRecordBatchReaderBuilder::try_new(Object(object)).map_err(broken)?;
        let total = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
        let file = builder.schema().clone();
        let columns = indices(&file, wanted)?;
        let mask = match &columns {
            Some(columns) => {
                ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied())
            }
            None => ProjectionMask::all(),
        };
        let reader = builder
            .with_batch_size(wanted.batch_rows)
            .with_projection(mask)
            .with_offset(usize::try_from(wanted.from_row).unwrap_or(usize::MAX))
            .build()
            .map_err(broken)?;
        // The reader keeps the order of the file; the caller's order is put in afterwards.
        let order: Option<Vec<usize>> = columns.as_ref().map(|columns| {
            columns.iter().map(|c| columns.iter().filter(|other| *other < c).count()).collect()
        });
        let schema = match &columns {
            Some(columns) => Arc::new(file.project(columns)?),
            None => file,
        };
        let out = schema.clone();
        let batches = reader.map(move |batch| {
            let batch =
                batch.map_err(|e| damaged(Self::NAME, "a page cannot be read").caused_by(e))?;
            let batch = match &order {
                Some(order) => batch.project(order)?,
                None => batch,
            };
            Ok(batch.with_schema(out.clone())?)
        });
        Ok(Rows { schema, total, batches: Box::new(batches) })
    }
}

/// Random access as the Parquet reader wants it.
struct Object(Arc<dyn ReadAt>);

impl Length for Object {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Object {
    type T = std::io::BufReader<Cursor>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(std::io::BufReader::new(Cursor::new(Arc::clone(&self.0), start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.saturating_add(length as u64);
        let bytes = fenhe_core::read_exact_at(self.0.as_ref(), start..end, self.0.size());
        bytes.map(Bytes::from).map_err(|e| ParquetError::External(Box::new(e)))
    }
}

struct ParquetEncoder {
    writer: Option<ArrowWriter<Drain>>,
    drain: Drain,
    memory: usize,
}

impl Encoder for ParquetEncoder {
    fn encode(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<Vec<Reject>> {
        let writer = self.writer.as_mut().ok_or_else(|| Error::poisoned("parquet"))?;
        writer.write(batch).map_err(write_error)?;
        if writer.in_progress_size() > self.memory {
            writer.flush().map_err(write_error)?;
        }
        self.drain.take(out);
        Ok(Vec::new())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<Vec<Patch>> {
        let writer = self.writer.take().ok_or_else(|| Error::poisoned("parquet"))?;
        writer.close().map_err(write_error)?;
        self.drain.take(out);
        Ok(Vec::new())
    }
}

fn write_error(error: ParquetError) -> Error {
    Error::new(
        Kind::Config,
        "parquet.write",
        "Parquet refuses the rows: they do not fit the schema it was opened with",
    )
    .caused_by(error)
}
