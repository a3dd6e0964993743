//! One column over one block of records: the loops that do the work.

use fenhe_core::Result;
use fenhe_kernels::{AppendError, BinaryColumn, StringColumn};
use fenhe_text::{Invalid, Table};
use fenhe_values::{FaultKind, FaultMask};

use crate::columns::{Block, Place, Reading};
use crate::error;
use crate::fields;
use crate::memo::{MemoFault, MemoFile, pointer};

/// One column over one block.
pub(crate) struct Pass<'p, 'b> {
    pub(crate) block: &'p Block<'b>,
    pub(crate) place: &'p Place,
    pub(crate) reading: &'p mut Reading,
    pub(crate) faults: &'p mut FaultMask,
}

impl<'b> Pass<'_, 'b> {
    /// Each row's record and field; `None` where the null flag is set.
    #[inline]
    fn rows(&self) -> impl Iterator<Item = (&'b [u8], Option<&'b [u8]>)> + use<'b> {
        let block = Block { ..*self.block };
        let (at, end, null) =
            (self.place.at, self.place.at + self.place.length, self.place.bits.null);
        let starts: &'b [usize] = block.starts;
        starts.iter().map(move |start| {
            let record = block.record(*start);
            if null.is_some_and(|bit| bit.is_set(record)) {
                return (record, None);
            }
            (record, Some(record.get(at..end).unwrap_or_default()))
        })
    }

    /// Each row's field; `None` where the null flag is set. Additions wrap: a place outside the data gives no bytes.
    #[inline]
    fn fields(&self) -> impl Iterator<Item = Option<&'b [u8]>> + use<'b> {
        let Block { data, starts, .. } = *self.block;
        let (at, end, null) =
            (self.place.at, self.place.at.wrapping_add(self.place.length), self.place.bits.null);
        starts.iter().map(move |start| {
            if let Some(bit) = null
                && bit.is_set(data.get(*start..).unwrap_or_default())
            {
                return None;
            }
            Some(data.get(start.wrapping_add(at)..start.wrapping_add(end)).unwrap_or_default())
        })
    }

    #[inline]
    pub(crate) fn values<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> Result<Option<T>, FaultKind>,
        mut push: impl FnMut(Option<T>),
    ) -> Result<()> {
        for (row, field) in self.fields().enumerate() {
            match field.map_or(Ok(None), &parse) {
                Ok(value) => push(value),
                Err(_) => {
                    self.refuse(row);
                    push(None);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn text(&mut self, to: &mut StringColumn) -> Result<()> {
        match self.reading.table {
            Some(Table::Double(table)) => {
                self.texts(to, |to, text| to.append_double_byte(text, table))
            }
            Some(Table::Single(table)) => {
                self.texts(to, |to, text| to.append_single_byte(text, table))
            }
            Some(Table::Utf8) => self.texts(to, |to, text| to.append_utf8(text)),
            Some(Table::Ascii) => self.texts(to, |to, text| to.append_ascii(text)),
            None => self.texts(to, |_, _| Err(AppendError::Invalid { at: 0 })),
        }
    }

    #[inline]
    fn texts(
        &mut self,
        to: &mut StringColumn,
        append: impl Fn(&mut StringColumn, &[u8]) -> Result<(), AppendError>,
    ) -> Result<()> {
        for (row, field) in self.fields().enumerate() {
            let Some(field) = field else {
                to.append_null();
                continue;
            };
            let text = self.reading.trimmed(field);
            if append(to, text).is_err() {
                self.slowly(to, row, text)?;
            }
        }
        Ok(())
    }

    /// What the table does not hold: rare characters and errors.
    #[cold]
    fn slowly(&mut self, to: &mut StringColumn, row: usize, text: &[u8]) -> Result<()> {
        let Reading { encoding, invalid, scratch, unreadable, .. } = &mut *self.reading;
        scratch.clear();
        match encoding.decode_into(text, *invalid, scratch) {
            Ok(seen) if seen.null => {
                *unreadable += 1;
                to.append_null();
                Ok(())
            }
            Ok(seen) => {
                *unreadable += u64::from(seen.replaced > 0);
                to.append_str(scratch.as_str()).map_err(|_| error::full())
            }
            Err(_) => {
                self.faults.set(row);
                to.append_null();
                Ok(())
            }
        }
    }

    pub(crate) fn varchar(&mut self, to: &mut StringColumn) -> Result<()> {
        for (row, (record, field)) in self.rows().enumerate() {
            match self.varying(record, field) {
                Ok(Some(text)) => self.slowly(to, row, text)?,
                Ok(None) => to.append_null(),
                Err(()) => {
                    self.refuse(row);
                    to.append_null();
                }
            }
        }
        Ok(())
    }

    pub(crate) fn varbinary(&mut self, to: &mut BinaryColumn) -> Result<()> {
        for (row, (record, field)) in self.rows().enumerate() {
            let value = self.varying(record, field).unwrap_or_else(|()| {
                self.refuse(row);
                None
            });
            to.append_option(value).map_err(|_| error::full())?;
        }
        Ok(())
    }

    fn varying<'f>(&self, record: &[u8], field: Option<&'f [u8]>) -> Result<Option<&'f [u8]>, ()> {
        let Some(field) = field else { return Ok(None) };
        match self.place.bits.short {
            // Without null flags the padding is all there is to go by.
            None => Ok(Some(fields::trim_end(field))),
            Some(bit) => fields::varying(field, bit.is_set(record)).map(Some).ok_or(()),
        }
    }

    pub(crate) fn bytes(&mut self, to: &mut BinaryColumn) -> Result<()> {
        for field in self.fields() {
            to.append_option(field).map_err(|_| error::full())?;
        }
        Ok(())
    }

    pub(crate) fn memo(&mut self, to: &mut StringColumn) -> Result<()> {
        for (row, field) in self.fields().enumerate() {
            let mut memo = self.reading.memo.take();
            let read = read_memo(&mut memo, field);
            let done = match read {
                Ok(Ok(Some(bytes))) => self.slowly(to, row, bytes),
                Ok(Ok(None)) => {
                    to.append_null();
                    Ok(())
                }
                Ok(Err(_)) => {
                    self.refuse(row);
                    to.append_null();
                    Ok(())
                }
                Err(error) => Err(error),
            };
            self.reading.memo = memo;
            done?;
        }
        Ok(())
    }

    pub(crate) fn memo_bytes(&mut self, to: &mut BinaryColumn) -> Result<()> {
        for (row, field) in self.fields().enumerate() {
            let mut memo = self.reading.memo.take();
            let done = match read_memo(&mut memo, field) {
                Ok(Ok(value)) => to.append_option(value).map_err(|_| error::full()),
                Ok(Err(_)) => {
                    self.refuse(row);
                    to.append_null();
                    Ok(())
                }
                Err(error) => Err(error),
            };
            self.reading.memo = memo;
            done?;
        }
        Ok(())
    }

    #[cold]
    fn refuse(&mut self, row: usize) {
        match self.reading.invalid {
            Invalid::Reject => self.faults.set(row),
            Invalid::Replace | Invalid::Null => self.reading.unreadable += 1,
        }
    }
}

/// The memo of a field; `None` when it has none, or when there is no memo file and that was allowed.
pub(crate) fn read_memo<'m>(
    memo: &'m mut Option<MemoFile>,
    field: Option<&[u8]>,
) -> Result<Result<Option<&'m [u8]>, MemoFault>> {
    let (Some(memo), Some(field)) = (memo, field) else { return Ok(Ok(None)) };
    match pointer(field) {
        Ok(Some(block)) => Ok(memo.read(block)?.map(Some)),
        Ok(None) => Ok(Ok(None)),
        Err(fault) => Ok(Err(fault)),
    }
}
