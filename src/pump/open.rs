//! Opening both ends of flows.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use fenhe_core::{
    Error, Kind, Position, ReadRequest, Reader, Result, WriteRequest, Writer, nearest,
};

use super::Flow;
use crate::guarantee::Level;

/// What a flow would do, found out without reading or writing a record.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Columns that are read.
    pub source: SchemaRef,
    /// Columns that are written.
    pub target: SchemaRef,
    /// Columns of the source that are left out.
    pub left_out: Vec<String>,
    /// What delivery is guaranteed.
    pub guarantee: Level,
}

/// Finds out what a flow would do.
///
/// # Errors
/// As the flow itself would have at its start.
pub async fn outline(flow: &Flow) -> Result<Outline> {
    let guarantee = level(flow);
    promised(flow)?;
    let reader = read(flow, None, flow.columns.clone()).await?;
    let left_out = left_out(flow, &reader.schema())?;
    let reader = match wanted([flow]) {
        None => reader,
        wanted => read(flow, None, wanted).await?,
    };
    let target = Arc::clone(flow.fields.bind(&reader.schema())?.schema());
    has_key(flow, &target)?;
    Ok(Outline { source: reader.schema(), target, left_out, guarantee })
}

/// What the two ends of a flow can keep.
pub(super) fn level(flow: &Flow) -> Level {
    let source = flow.source.exchange.info().capability;
    let target = flow.target.exchange.info().capability;
    Level::derive(&source, &target, flow.target.mode)
}

/// Refuses a mode that the target does not have, and a guarantee beyond what the ends can keep.
pub(super) fn promised(flow: &Flow) -> Result<()> {
    Level::possible(&flow.target.exchange.info().capability, flow.target.mode)?;
    level(flow).require(flow.policy.guarantee)
}

/// The key is made of fields that are delivered.
pub(super) fn has_key(flow: &Flow, schema: &Schema) -> Result<()> {
    let missing = flow.target.key.iter().find(|name| schema.index_of(name).is_err());
    let Some(missing) = missing else { return Ok(()) };
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let message = format!("the key names {missing}, and no such field is delivered");
    let error = Error::new(Kind::Config, "exchange.key", message);
    Err(match nearest(missing, names.clone()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("fields are {}", names.collect::<Vec<_>>().join(", "))),
    })
}

/// The columns that a flow leaves out. It is bound to all columns of the source, so that a wrong name is
/// reported among all names.
pub(super) fn left_out(flow: &Flow, schema: &SchemaRef) -> Result<Vec<String>> {
    flow.fields.bind(schema)?;
    Ok(flow.fields.left_out(schema))
}

/// The columns that these flows of one source need, `None` for all.
pub(super) fn wanted<'a>(flows: impl IntoIterator<Item = &'a Flow>) -> Option<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for flow in flows {
        for column in flow.columns.clone().or_else(|| flow.fields.wanted())? {
            if !all.contains(&column) {
                all.push(column);
            }
        }
    }
    Some(all)
}

pub(super) async fn read(
    flow: &Flow,
    from: Option<Position>,
    columns: Option<Vec<String>>,
) -> Result<Box<dyn Reader>> {
    let mut limits = flow.limits.clone();
    limits.batch_rows = flow.policy.protection.batch_rows(limits.batch_rows);
    let request = ReadRequest {
        dataset: flow.source.dataset.clone(),
        partition: None,
        from,
        columns,
        limits,
    };
    flow.source.exchange.read(request).await
}

pub(super) async fn open_target(flow: &Flow, schema: &SchemaRef) -> Result<Box<dyn Writer>> {
    let request = WriteRequest {
        dataset: flow.target.dataset.clone(),
        schema: Arc::clone(schema),
        mode: flow.target.mode,
        key: flow.target.key.clone(),
        pipeline: flow.pipeline.clone(),
        limits: flow.limits.clone(),
    };
    flow.target.exchange.write(request).await
}
