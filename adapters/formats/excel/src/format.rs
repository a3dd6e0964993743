//! Workbooks as a [`Format`].

use std::sync::Arc;

use fenhe_core::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, Evidence, Format, FormatInfo, Found, Options,
    ReadAt, Result, Sample,
};

use crate::decode::{ExcelDecoder, Run};
use crate::encode::ExcelEncoder;
use crate::error::{NAME, not_a_workbook, truncated};
use crate::options::ExcelOptions;
use crate::workbook::{Body, Workbook};

/// The workbooks of spreadsheet programs: xlsx, xlsm, xlsb and xls are read, xlsx is written.
///
/// ```
/// use fenhe_core::Format;
/// assert_eq!(fenhe_excel::Excel::default().info().extensions[0], "xlsx");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Excel(Arc<ExcelOptions>);

impl Excel {
    /// The format with these options.
    pub fn new(options: ExcelOptions) -> Self {
        Self(Arc::new(options))
    }

    /// The format with options by name.
    ///
    /// # Errors
    /// [`Config`](fenhe_core::Kind::Config) for an unknown option or value.
    pub fn from_options(options: &Options) -> Result<Self> {
        Ok(Self::new(ExcelOptions::from_options(options)?))
    }
}

impl Format for Excel {
    fn info(&self) -> FormatInfo {
        FormatInfo {
            name: NAME,
            version: env!("CARGO_PKG_VERSION"),
            extensions: &["xlsx", "xls", "xlsm", "xlsb", "xltx", "xltm", "xlt"],
            media_types: &[
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.ms-excel",
                "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
            ],
            read: true,
            write: true,
            whole_object: true,
            patches: false,
            companions: &[],
            file_options: &["schema"],
        }
    }

    fn infer(&self, sample: &Sample) -> Result<Evidence> {
        let object: Arc<dyn ReadAt> = match &sample.object {
            Some(object) => Arc::clone(object),
            None if sample.complete => Arc::new(sample.bytes.clone()),
            None if sample.bytes.starts_with(b"PK") || sample.bytes.starts_with(b"\xD0\xCF") => {
                return Err(truncated("the sample: a workbook is read as a whole", 0));
            }
            None => return Err(not_a_workbook()),
        };
        let workbook = Workbook::open(object, &sample.limits)?;
        let mut reasons = vec![kind(&workbook)];
        reasons.extend(workbook.notes.iter().cloned());
        let mut datasets = Vec::new();
        for name in self.names(&workbook)? {
            let open = DecodeOptions {
                dataset: Some(name.clone()),
                limits: sample.limits.clone(),
                ..DecodeOptions::default()
            };
            let settled = Run::open(&workbook, &self.0, &open)?.settled;
            reasons.extend(settled.reasons);
            let (schema, columns) = (settled.schema, settled.why);
            datasets.push(Found { name, schema, records: None, columns });
        }
        Ok(Evidence { datasets, confidence: 100, options: Options::new(), reasons })
    }

    fn decoder(&self, options: DecodeOptions) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(ExcelDecoder::new(Arc::clone(&self.0), options)?))
    }

    fn encoder(&self, options: EncodeOptions) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(ExcelEncoder::new(&self.0, options)?))
    }
}

impl Excel {
    /// The sheets that are datasets: the one that is asked for, or all, visible ones first.
    fn names(&self, workbook: &Workbook) -> Result<Vec<String>> {
        if self.0.sheet.is_some() || self.0.table.is_some() {
            let place = crate::settle::place(workbook, &self.0, None)?;
            return Ok(vec![place.sheet.name]);
        }
        let (hidden, visible): (Vec<_>, Vec<_>) =
            workbook.sheets.iter().partition(|sheet| sheet.hidden);
        Ok(visible.into_iter().chain(hidden).map(|sheet| sheet.name.clone()).collect())
    }
}

fn kind(workbook: &Workbook) -> String {
    let kind = match workbook.body {
        Body::Xlsx(_) => "an Office Open XML workbook (xlsx)",
        Body::Xlsb(_) => "a binary workbook (xlsb)",
        Body::Xls(_) => "a workbook of Excel 5 to 2003 (xls)",
    };
    let hidden = workbook.sheets.iter().filter(|sheet| sheet.hidden).count();
    match workbook.sheets.len() {
        1 => format!("{kind} of one sheet"),
        count => format!("{kind} of {count} sheets, {hidden} of them hidden"),
    }
}
