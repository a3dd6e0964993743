//! A schema by looking at values, and the sentences that say why.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use fenhe_core::{Evidence, Found, Limits, Options, Result, Sample};
use fenhe_text::{Encoding, detect};
use fenhe_values::type_name;

use crate::array::{Document, can_cut};
use crate::decode::SAMPLE;
use crate::error::{Flaw, config};
use crate::frame::{Bad, Block, Framed};
use crate::lines::Lines;
use crate::options::{JsonOptions, Shape, Types};
use crate::seen::Seen;
use crate::settle;
use crate::token::{Cursor, MAX_DEPTH};

/// Looks at a sample of a stream.
pub(crate) fn infer(json: &JsonOptions, sample: &Sample) -> Result<Evidence> {
    let bytes = sample.bytes.slice(..sample.bytes.len().min(SAMPLE));
    let whole = sample.complete && bytes.len() == sample.bytes.len();
    let mut reasons = Vec::new();
    let (encoding, bom) = encoding(json, &bytes, &mut reasons)?;
    let text = bytes.slice(bom.min(bytes.len())..);
    let shape = match json.shape {
        Shape::Auto => settle::shape(json, &text, encoding, whole),
        shape => shape,
    };
    let look = Look::at(json, text, encoding, shape, whole, &sample.limits)?;
    look.refuse_other_formats(shape)?;
    reasons.splice(0..0, look.reasons(shape));
    let given = json.schema.as_ref().map(settle::schema_file).transpose()?;
    let schema = settle::with_rest(&given.unwrap_or_else(|| look.schema(json)), json.unknown)?;
    let mut options = Options::new();
    options.set("shape", if shape == Shape::Lines { "lines" } else { "array" });
    if encoding != Encoding::UTF_8 {
        options.set("encoding", encoding.to_string().to_lowercase());
    }
    let columns = schema.fields().iter().map(|field| {
        let why =
            look.seen.field(field.name()).map_or_else(|| "not in the sample".to_owned(), Seen::why);
        let name = type_name(field.data_type()).unwrap_or_else(|| "nested".to_owned());
        (field.name().clone(), format!("{name}: {why}"))
    });
    let found = Found {
        name: String::new(),
        columns: columns.collect(),
        records: Some(look.records).filter(|_| whole && look.fault.is_none()),
        schema,
    };
    let good = look.records - look.bad;
    // Text of which every record parses is hardly anything else: surer than delimited text ever is.
    let most = if look.bad == 0 && look.fault.is_none() { 98 } else { 95 };
    let confidence = (most * good).checked_div(look.records).unwrap_or(10);
    Ok(Evidence {
        datasets: vec![found],
        confidence: u8::try_from(confidence).unwrap_or(0),
        options,
        reasons,
    })
}

/// The schema that the first bytes of a stream show.
pub(crate) fn schema(
    json: &JsonOptions,
    sample: &Bytes,
    (encoding, bom): (Encoding, usize),
    shape: Shape,
    whole: bool,
    limits: &Limits,
) -> Result<SchemaRef> {
    let text = sample.slice(bom.min(sample.len())..);
    Ok(Look::at(json, text, encoding, shape, whole, limits)?.schema(json))
}

/// What the records of a sample hold.
struct Look {
    seen: Seen,
    records: u64,
    bad: u64,
    /// Records that are no good because they are nested too deeply.
    deep: u64,
    /// Why the sample was not read to its end.
    fault: Option<String>,
}

impl Look {
    fn at(
        json: &JsonOptions,
        text: Bytes,
        encoding: Encoding,
        shape: Shape,
        whole: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let mut look = Self { seen: Seen::default(), records: 0, bad: 0, deep: 0, fault: None };
        if shape == Shape::Lines {
            let mut lines = Lines::new(limits, encoding, 0, 1);
            lines.feed(text);
            lines.end(whole);
            while let Framed::Block(block) = lines.next(usize::MAX) {
                look.block(block, encoding);
            }
            return Ok(look);
        }
        if !can_cut(encoding) {
            return Err(config(format!(
                "a JSON document in {encoding} is not read; convert it to UTF-8 first"
            )));
        }
        let mut document = Document::new(limits, encoding, json.path()?, (0, 1), None);
        document.feed(text);
        document.end(whole);
        loop {
            match document.next(usize::MAX) {
                Ok(Framed::Block(block)) => look.block(block, encoding),
                Ok(_) => return Ok(look),
                Err(fault) => {
                    look.fault = Some(fault.to_string());
                    return Ok(look);
                }
            }
        }
    }

    fn block(&mut self, block: Block, encoding: Encoding) {
        let block = match encoding == Encoding::UTF_8 {
            true => block.without_bad_text(),
            false => block.decoded(encoding),
        };
        for frame in &block.records {
            self.records += 1;
            let (start, end) = frame.text;
            let good = frame.bad == Bad::No && {
                let mut check = Cursor::new(&block.text, start, end);
                check.token() == Some(b'{') && {
                    let passed = check.skip_value(MAX_DEPTH);
                    self.deep += u64::from(passed.as_ref().is_err_and(Flaw::is_deep));
                    passed.is_ok() && check.token().is_none()
                }
            };
            if good {
                self.seen.observe(&mut Cursor::new(&block.text, start, end), 0);
            } else {
                self.bad += 1;
            }
        }
    }

    fn schema(&self, json: &JsonOptions) -> SchemaRef {
        Arc::new(Schema::new(self.seen.fields(json.types == Types::Text)))
    }

    /// Bytes without one good record are not taken for JSON.
    fn refuse_other_formats(&self, shape: Shape) -> Result<()> {
        if self.records > self.bad || (self.records == 0 && self.fault.is_none()) {
            return Ok(());
        }
        if self.deep > 0 {
            let limit = MAX_DEPTH as u64;
            return Err(fenhe_core::Error::new(
                fenhe_core::Kind::Limit,
                "core.limit",
                format!(
                    "the objects of the sample are nested deeper than {limit} levels (limit depth)"
                ),
            )
            .at_offset(0)
            .hint("no setting raises this limit: flatten the data first"));
        }
        let what = if shape == Shape::Lines {
            "no line of the sample is a JSON object"
        } else {
            "the sample holds no JSON object"
        };
        let error =
            fenhe_core::Error::new(fenhe_core::Kind::Invalid, "json.not_json", what).at_offset(0);
        Err(match &self.fault {
            Some(fault) => error.hint(fault.clone()),
            None => error.hint("choose another format, or set shape and record"),
        })
    }

    fn reasons(&self, shape: Shape) -> Vec<String> {
        let good = self.records - self.bad;
        let mut reasons = vec![match shape {
            Shape::Lines => {
                format!("one JSON object a line: {good} of {} lines of the sample", self.records)
            }
            _ => format!(
                "one JSON document: {good} objects of {} records in the sample",
                self.records
            ),
        }];
        reasons.extend(
            self.fault.as_ref().map(|fault| format!("the sample was read up to a fault: {fault}")),
        );
        reasons
    }
}

/// The encoding: as asked for, by the first bytes, or the one that the sample looks like when it is not UTF-8.
fn encoding(
    json: &JsonOptions,
    bytes: &[u8],
    reasons: &mut Vec<String>,
) -> Result<(Encoding, usize)> {
    let (encoding, bom) = settle::encoding(json, bytes)?;
    if encoding != Encoding::UTF_8 || json.encoding.is_some() || bom > 0 {
        reasons.push(match (bom, &json.encoding) {
            (0, Some(_)) => format!("encoding {encoding}: as asked for"),
            (0, None) => format!("encoding {encoding}: by its NUL bytes"),
            _ => format!("encoding {encoding}: by its byte order mark"),
        });
        return Ok((encoding, bom));
    }
    let cut = std::str::from_utf8(bytes).err().is_none_or(|e| e.error_len().is_none());
    if cut {
        reasons.push("encoding UTF-8: the sample is valid".to_owned());
        return Ok((encoding, 0));
    }
    let found = detect(bytes, None);
    if found.encoding.is_ascii_superset() && found.encoding.is_multi_byte() {
        reasons.extend(found.evidence);
        return Ok((found.encoding, found.bom_len));
    }
    reasons.push("encoding UTF-8, though the sample breaks it in places".to_owned());
    Ok((encoding, 0))
}
