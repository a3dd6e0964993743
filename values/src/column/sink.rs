//! What the loops write to.

use fenhe_kernels::column::ColumnElement;
use fenhe_kernels::{BinaryColumn, BooleanColumn, PrimitiveColumn};

use super::{TextColumn, WideColumn};
use crate::fault::FaultKind;

/// A column that a loop writes to.
pub(super) trait Sink<T> {
    fn value(&mut self, value: T) -> Result<(), FaultKind>;
    fn null(&mut self);
}

impl<T: ColumnElement> Sink<T> for PrimitiveColumn<T> {
    #[inline(always)]
    fn value(&mut self, value: T) -> Result<(), FaultKind> {
        self.append(value);
        Ok(())
    }

    fn null(&mut self) {
        self.append_null();
    }
}

impl Sink<bool> for BooleanColumn {
    #[inline(always)]
    fn value(&mut self, value: bool) -> Result<(), FaultKind> {
        self.append(value);
        Ok(())
    }

    fn null(&mut self) {
        self.append_null();
    }
}

impl Sink<arrow_buffer::i256> for WideColumn {
    fn value(&mut self, value: arrow_buffer::i256) -> Result<(), FaultKind> {
        self.append(value);
        Ok(())
    }

    fn null(&mut self) {
        self.append_null();
    }
}

impl Sink<Vec<u8>> for BinaryColumn {
    fn value(&mut self, value: Vec<u8>) -> Result<(), FaultKind> {
        self.append(&value).map_err(|_| FaultKind::ColumnFull)
    }

    fn null(&mut self) {
        self.append_null();
    }
}

impl Sink<()> for TextColumn {
    fn value(&mut self, (): ()) -> Result<(), FaultKind> {
        Ok(())
    }

    fn null(&mut self) {
        self.append_null();
    }
}
