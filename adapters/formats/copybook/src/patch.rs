//! One field of a record, and no other byte.

use fenhe_core::{Error, Kind, Result};

use crate::encode::locate;
use crate::expand::{Expanded, Program};
use crate::format::CopybookFormat;
use crate::nested::plan;
use crate::options::{CopybookOptions, Fillers, VariableOccurs};
use crate::write::{Cell, FieldWriter};

impl CopybookFormat {
    /// Writes a value (text, or a number in digits with `.`) into one item of a record and leaves all other bytes.
    /// The record is without framing; `path` is as in rejects: `ACCOUNT.DETAIL[2].AMOUNT`.
    ///
    /// ```
    /// # use fenhe_core::Options;
    /// # use fenhe_copybook::CopybookFormat;
    /// let mut options = Options::from_pairs(["encoding=ibm037"])?;
    /// let text = "01 R.\n 05 A PIC X(2).\n 05 N PIC S9(5)V99 COMP-3.";
    /// options.set("copybook", serde_json::json!({"name": "r.cpy", "text": text}));
    /// let mut record = vec![0xC1, 0xC2, 0x01, 0x23, 0x45, 0x6F];
    /// CopybookFormat::from_options(&options)?.patch(&mut record, "N", "-1.50")?;
    /// assert_eq!(record, [0xC1, 0xC2, 0x00, 0x00, 0x15, 0x0D]);
    /// # Ok::<(), fenhe_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](Kind::NotFound) for a path that is no elementary item, [`Invalid`](Kind::Invalid) for a value
    /// that does not fit or a record that ends before the item. The record is as it was then.
    pub fn patch(&self, record: &mut Vec<u8>, path: &str, value: &str) -> Result<()> {
        let setup = self.setup()?;
        let options =
            CopybookOptions { flatten: false, fillers: Fillers::Keep, ..setup.options.clone() };
        let plan = plan(&setup.layout, &options, &[], None, None, 0)?;
        let (leaf, at) = locate(&plan.root.children, path, 0).ok_or_else(|| {
            Error::new(Kind::NotFound, "copybook.path", format!("{path} is no elementary item"))
        })?;
        let writer = FieldWriter::new(options, setup.layout.page, setup.layout.decimal_comma);
        let wrong = |what: &str| {
            Error::new(Kind::Invalid, "copybook.patch", what.to_owned()).at_field(path)
        };
        let cell = cell(leaf, value).ok_or_else(|| wrong("the value does not fit the item"))?;
        let varies = setup.options.occurs() != VariableOccurs::Max && setup.layout.is_variable();
        let kind = setup.layout.records.first().copied().unwrap_or(0);
        let program =
            varies.then(|| Program::new(&setup.layout, kind, &setup.rules, writer.characters()));
        let mut bytes = record.clone();
        let mut used = record.len();
        if let Some(program) = &program {
            bytes = vec![writer.characters().blank(); program.length];
            match program.expand(record, &mut bytes) {
                Expanded::Done { used: n, filled } if filled == program.length => used = n,
                _ => return Err(wrong("the record does not fit its counters")),
            }
        }
        let field = bytes
            .get_mut(at..at + leaf.length)
            .ok_or_else(|| wrong("the record ends before the item"))?;
        writer.put(leaf, field, &cell).map_err(|fault| wrong(&fault.to_string()))?;
        if let Some(program) = &program {
            let mut compact = Vec::with_capacity(record.len());
            program
                .compact(&bytes, &mut compact)
                .map_err(|_| wrong("the count is out of its range"))?;
            compact.extend_from_slice(record.get(used..).unwrap_or_default());
            bytes = compact;
        }
        if bytes.len() != record.len() {
            return Err(wrong(
                "a count decides where other items are: write the whole record instead",
            ));
        }
        *record = bytes;
        Ok(())
    }
}

fn cell(leaf: &crate::columns::Leaf, value: &str) -> Option<Cell> {
    use crate::storage::Storage;
    Some(match leaf.item.storage? {
        Storage::Text | Storage::National | Storage::Dbcs => Cell::Text(value.to_owned()),
        Storage::Opaque => return None,
        Storage::HexFloat | Storage::Float { .. } => Cell::Float(value.parse().ok()?),
        _ => {
            let (sign, digits) = match value.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, value.strip_prefix('+').unwrap_or(value)),
            };
            let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
            let scale = usize::try_from(leaf.item.scale.max(0)).ok()?;
            let decimals = decimals.trim_end_matches('0');
            let all = whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit());
            if decimals.len() > scale || !all {
                return None;
            }
            let number: i128 = format!("{whole}{decimals:0<scale$}").parse().ok()?;
            Cell::Number(sign * number)
        }
    })
}
