//! Values one by one: what is missing, absent by its filling, or bad.

use fenhe_core::{Fault, Result};
use fenhe_kernels::EvenFields;

use super::{Leaf, Mask, Places, Reasons, Values, Window, cut, float};
use crate::error;
use crate::options::Invalid;
use crate::value::{Bad, Characters, integer, is_null};

impl Leaf {
    /// One by one: what is missing, null by its filling, or bad.
    #[cold]
    pub(super) fn append_slowly(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        for row in 0..places.rows() {
            let place = cut(places, row, self.length);
            let value = match place {
                None => Ok(None),
                Some((_, _, false)) if self.rules.pad => Ok(None),
                Some((from, to, false)) => Err(short(self.length, to - from)),
                Some((from, to, true)) => self.one(window.raw.get(from..to).unwrap_or_default()),
            };
            let value = match value {
                Ok(value) => value,
                Err(fault) => match self.rules.invalid {
                    Invalid::Null if fault.code != error::SHORT => None,
                    Invalid::Zero if fault.code != error::SHORT => Some(0),
                    _ => {
                        faults.set(row);
                        if let Some(reasons) = &mut reasons {
                            reasons.push((row, Fault { field: self.path.clone(), ..fault }));
                        }
                        None
                    }
                },
            };
            self.push(value);
        }
        Ok(())
    }

    /// One value; `None` when its filling means "absent".
    fn one(&self, bytes: &[u8]) -> Result<Option<i128>, Fault> {
        if is_null(bytes, &self.rules.nulls, self.rules.characters) {
            return Ok(None);
        }
        let too_large = Bad {
            code: error::BINARY,
            expected: "a value that the column holds",
            found: "a larger one",
        };
        let fault = |bad: Bad| {
            Fault::new(
                bad.code,
                "",
                format!("{} in {} bytes", bad.expected, bytes.len()),
                describe(bytes, bad, self.rules.characters),
            )
        };
        let value = integer(self.storage, bytes, self.rules.characters).map_err(fault)?;
        let value = value.checked_mul(self.factor).ok_or_else(|| fault(too_large))?;
        let fits = match &self.values {
            Values::U64(_) => u64::try_from(value).is_ok(),
            Values::I32(_) => i32::try_from(value).is_ok(),
            Values::I64(_) => i64::try_from(value).is_ok(),
            _ => value.unsigned_abs() <= self.most.unsigned_abs(),
        };
        if fits { Ok(Some(value)) } else { Err(fault(too_large)) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0, or a value that `one` found to fit"
    )]
    fn push(&mut self, value: Option<i128>) {
        match &mut self.values {
            Values::I32(c) => c.append_option(value.map(|v| v as i32)),
            Values::I64(c) => c.append_option(value.map(|v| v as i64)),
            Values::U64(c) => c.append_option(value.map(|v| v as u64)),
            Values::Decimal(c, _) => c.append_option(value),
            Values::F32(c) => c.append_option(value.map(|v| v as f32)),
            Values::F64(c) => c.append_option(value.map(|v| v as f64)),
            Values::Text(c) => c.append_null(),
            Values::Binary(c) => c.append_null(),
        }
    }

    pub(super) fn append_floats(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        for row in 0..places.rows() {
            let value = match cut(places, row, self.length) {
                Some((from, to, true)) => {
                    let bytes = window.raw.get(from..to).unwrap_or_default();
                    let null = is_null(bytes, &self.rules.nulls, self.rules.characters);
                    Some(bytes).filter(|_| !null).and_then(|b| float::read(self.storage, b))
                }
                Some((from, to, false)) if !self.rules.pad => {
                    faults.set(row);
                    if let Some(reasons) = &mut reasons {
                        reasons.push((
                            row,
                            Fault { field: self.path.clone(), ..short(self.length, to - from) },
                        ));
                    }
                    None
                }
                _ => None,
            };
            match &mut self.values {
                #[expect(clippy::cast_possible_truncation, reason = "read from four bytes")]
                Values::F32(c) => c.append_option(value.map(|v| v as f32)),
                Values::F64(c) => c.append_option(value),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn append_text(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
    ) -> Result<()> {
        let (Values::Text(column), Some(reader)) = (&mut self.values, &mut self.text) else {
            return Ok(());
        };
        if let Places::Even { first, stride, rows } = places
            && reasons.is_none()
        {
            let length = self.length;
            let fields = EvenFields { window: window.raw, first, stride, rows, length };
            let done = reader.append_even(column, window, fields)?;
            if done == rows {
                return Ok(());
            }
            let (first, rows) = (first + done * stride, rows - done);
            let places = Places::Even { first, stride, rows };
            return self.text_slowly(window, places, faults, None, done);
        }
        self.text_slowly(window, places, faults, reasons.take(), 0)
    }

    fn text_slowly(
        &mut self,
        window: Window<'_>,
        places: Places<'_>,
        faults: &mut Mask,
        mut reasons: Reasons<'_>,
        before: usize,
    ) -> Result<()> {
        let (Values::Text(column), Some(reader)) = (&mut self.values, &mut self.text) else {
            return Ok(());
        };
        for row in 0..places.rows() {
            let Some((from, to, whole)) = cut(places, row, self.length) else {
                column.append_null();
                continue;
            };
            let mut fault = None;
            if from == to && !whole {
                column.append_null();
            } else if let Err(bad) = reader.append(column, window, from, to)? {
                column.append_null();
                if self.rules.invalid == Invalid::Reject {
                    fault = Some(bad);
                }
            }
            if !whole && !self.rules.pad {
                fault = Some(short(self.length, to - from));
            }
            if let Some(fault) = fault {
                faults.set(before + row);
                if let Some(reasons) = &mut reasons {
                    reasons.push((before + row, Fault { field: self.path.clone(), ..fault }));
                }
            }
        }
        Ok(())
    }
}

#[cold]
fn short(wanted: usize, found: usize) -> Fault {
    let found = if found == 0 {
        "the record ends before it".to_owned()
    } else {
        format!("{found} bytes before the record ends")
    };
    Fault::new(error::SHORT, "", format!("{wanted} bytes"), found)
}

/// What stands there, without its value.
fn describe(bytes: &[u8], bad: Bad, characters: Characters) -> String {
    let all = |byte: u8| bytes.iter().all(|b| *b == byte);
    if all(characters.blank()) {
        "blanks only (nulls=blank reads them as absent)".into()
    } else if all(0) {
        "low-values only (nulls=low reads them as absent)".into()
    } else if all(0xFF) {
        "high-values only (nulls=high reads them as absent)".into()
    } else {
        bad.found.into()
    }
}
