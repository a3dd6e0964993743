//! Changing a table in place: one field of one record, or records behind the last one.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use fenhe_core::{EncodeOptions, Encoder, Error, Kind, Limits, Patch, Result};

use crate::encode::TableEncoder;
use crate::error;
use crate::header::Header;
use crate::options::DbfOptions;
use crate::schema::Layout;

/// Writes single fields of a table that stays as it is everywhere else.
///
/// ```
/// # use std::sync::Arc;
/// use arrow_array::Int64Array;
/// use fenhe_dbf::{DbfOptions, TablePatch};
/// # let mut file = vec![0x03, 126, 7, 29, 1, 0, 0, 0, 65, 0, 6, 0];
/// # file.resize(32, 0);
/// # file.extend(b"AGE\0\0\0\0\0\0\0\0N\0\0\0\0\x05\0");
/// # file.resize(64, 0);
/// # file.extend(b"\x0d    41\x1a");
///
/// let table = TablePatch::new(&file, &DbfOptions::default())?;
/// let range = table.record(1).unwrap();
/// for patch in table.field(&file[range], 1, "AGE", Arc::new(Int64Array::from(vec![42])))? {
///     let at = patch.offset as usize;
///     file[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
/// }
/// assert_eq!(&file[65..], b"    42\x1a");
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TablePatch {
    header: Header,
    schema: SchemaRef,
    options: DbfOptions,
}

impl TablePatch {
    /// For the table that starts with these bytes (the header at least).
    ///
    /// # Errors
    /// Those of [`Header::parse`].
    pub fn new(start: &[u8], options: &DbfOptions) -> Result<Self> {
        let header = Header::parse(Bytes::copy_from_slice(start), &Limits::default())?;
        let encoding = options
            .encoding
            .or_else(|| crate::codepage::language(header.language))
            .unwrap_or(fenhe_text::Encoding::US_ASCII);
        let plain = DbfOptions { deleted: true, raw: true, ..DbfOptions::default() };
        let schema = Layout::of(&header, encoding, &plain, None, None).schema;
        Ok(Self {
            header,
            schema,
            options: DbfOptions { encoding: Some(encoding), ..DbfOptions::default() },
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where a record (from 1) stands in the file; `None` beyond the header's count.
    #[must_use]
    pub fn record(&self, number: u64) -> Option<std::ops::Range<usize>> {
        let before = number.checked_sub(1).filter(|n| *n < u64::from(self.header.records))?;
        let before = usize::try_from(before).ok()?;
        let start =
            self.header.length.checked_add(before.checked_mul(self.header.record_length)?)?;
        Some(start..start.checked_add(self.header.record_length)?)
    }

    /// The patches that set one field of record `number` (from 1), whose bytes are `record`, to the one value of
    /// `value`: the field, and a byte of the null flags where they change.
    ///
    /// # Errors
    /// `dbf.patch` for a record of another length, a value of another type or more than one, a memo field, and a value
    /// that the field cannot hold; [`Kind::NotFound`] for a field that is not there.
    pub fn field(
        &self,
        record: &[u8],
        number: u64,
        field: &str,
        value: ArrayRef,
    ) -> Result<Vec<Patch>> {
        let wrong = |what: String| {
            Error::new(Kind::Config, "dbf.patch", what).at_record(number).at_field(field)
        };
        let place =
            self.record(number).ok_or_else(|| wrong("the table has no such record".into()))?;
        if record.len() != self.header.record_length || value.len() != 1 {
            return Err(wrong("one whole record and one value are needed".into()));
        }
        let at = fenhe_core::schema::projection(&self.schema, &[field.to_owned()])?;
        let arrow = self.schema.project(&at)?;
        let schema: SchemaRef = Arc::new(Schema::new_with_metadata(
            arrow.fields().clone(),
            self.schema.metadata().clone(),
        ));
        let mut encoder = OneField::new(&self.header, &schema, &self.options)?;
        let batch = RecordBatch::try_new(schema, vec![value])
            .map_err(|_| wrong("the value has another type than the column".into()))?;
        let new = encoder.write(&batch, record).map_err(wrong)?;
        Ok(differences(record, &new)
            .map(|(from, bytes)| Patch {
                companion: None,
                offset: (place.start + from) as u64,
                bytes: Bytes::copy_from_slice(bytes),
            })
            .collect())
    }

    /// An encoder of records to be added, and the offset at which its output belongs (over the end mark that is there).
    /// Its last patch is the new count. `stale_index`: write although a structural index will not know the records.
    ///
    /// # Errors
    /// `dbf.index` when a structural index belongs to the table and `stale_index` is not set; `dbf.count` when `size`,
    /// the size of the file, does not hold the records the header counts; unsupported for tables with memo fields.
    pub fn append(
        &self,
        schema: SchemaRef,
        size: u64,
        stale_index: bool,
    ) -> Result<(u64, Box<dyn Encoder>)> {
        if self.header.has_index() && !stale_index {
            return Err(Error::new(
                Kind::Conflict,
                "dbf.index",
                "a structural index belongs to the table and would not know the new records",
            )
            .hint("allow a stale index and have the owner of the table reindex it"));
        }
        let (counted, held) = (u64::from(self.header.records), self.header.records_in(size));
        if held < counted {
            return Err(error::fewer(counted, held, size));
        }
        let own = self.schema.metadata().clone();
        let schema: SchemaRef = Arc::new(Schema::new_with_metadata(schema.fields().clone(), own));
        let encode = EncodeOptions { schema, limits: Limits::default() };
        let encoder = TableEncoder::new(&self.options, encode)?;
        if encoder.plan().header.fields != self.header.fields {
            return Err(error::config("dbf.schema", "the columns are not those of the table"));
        }
        let offset = self.header.length as u64 + counted * self.header.record_length as u64;
        Ok((offset, Box::new(encoder.appending(counted)?)))
    }
}

/// Writes one column into a copy of a record.
struct OneField {
    slot: crate::plan::Slot,
    encoding: fenhe_text::Encoding,
}

impl OneField {
    fn new(header: &Header, schema: &Schema, options: &DbfOptions) -> Result<Self> {
        let refuse = || {
            Error::new(Kind::Unsupported, "dbf.patch", "memos and marks cannot be changed in place")
        };
        let field = schema.fields().first().ok_or_else(refuse)?;
        let number =
            field.metadata().get(crate::schema::FIELD).and_then(|n| n.parse::<usize>().ok());
        let number = number.ok_or_else(refuse)?;
        let bits = crate::nullflags::assign(header).get(number).copied().unwrap_or_default();
        let found = header.fields.get(number).ok_or_else(refuse)?;
        let shape = crate::types::Shape::of(found, header.dialect)
            .filter(|s| !s.is_memo())
            .ok_or_else(refuse)?;
        let slot = crate::plan::Slot {
            column: 0,
            name: field.name().clone(),
            kind: found.kind,
            shape,
            at: found.offset,
            length: found.length,
            decimals: found.decimals,
            bits,
        };
        Ok(Self { slot, encoding: options.encoding.unwrap_or(fenhe_text::Encoding::US_ASCII) })
    }

    fn write(
        &mut self,
        batch: &RecordBatch,
        record: &[u8],
    ) -> std::result::Result<Vec<u8>, String> {
        let mut new = record.to_vec();
        for bit in [self.slot.bits.null, self.slot.bits.short].into_iter().flatten() {
            if let Some(byte) = new.get_mut(bit.byte) {
                *byte &= !bit.mask;
            }
        }
        let null = batch.columns().first().is_none_or(|c| c.is_null(0));
        if let Some(field) =
            new.get_mut(self.slot.at..self.slot.at + self.slot.length).filter(|_| null)
        {
            let seven = matches!(self.slot.shape, crate::types::Shape::DateTime);
            field.fill(if seven { 0 } else { b' ' });
        }
        let mut faults = std::collections::BTreeMap::new();
        let length = new.len();
        let mut filling = crate::fill::Filling {
            block: &mut new,
            length,
            encoding: self.encoding,
            scratch: &mut Vec::new(),
            faults: &mut faults,
        };
        if let Some(array) = batch.columns().first() {
            filling.column(&self.slot, array);
        }
        match faults.into_values().flatten().next() {
            Some(fault) => Err(fault.to_string()),
            None => Ok(new),
        }
    }
}

/// Runs of bytes that differ, with where they start.
fn differences<'a>(old: &[u8], new: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in old.iter().zip(new).enumerate().filter(|(_, (a, b))| a != b) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs.into_iter().filter_map(move |run| Some((run.start, new.get(run)?)))
}
