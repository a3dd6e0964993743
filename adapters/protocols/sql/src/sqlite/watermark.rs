//! Where a pipeline stands, kept beside the rows and changed in the same transaction.

use fenhe_core::{Error, Kind, Position, Result};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::fatal;

/// One row for each pipeline and dataset.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS _fenhe_watermark (
    pipeline TEXT NOT NULL, dataset TEXT NOT NULL, position TEXT NOT NULL, batch INTEGER NOT NULL,
    updated TEXT NOT NULL, PRIMARY KEY (pipeline, dataset)) WITHOUT ROWID";

const STORE: &str = "INSERT INTO _fenhe_watermark VALUES (?1, ?2, ?3, ?4 + ?5, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    ON CONFLICT (pipeline, dataset) DO UPDATE SET position = excluded.position, batch = excluded.batch,
    updated = excluded.updated WHERE batch = ?4";

/// The watermark of one pipeline and dataset.
#[derive(Debug)]
pub(crate) struct Watermark {
    pipeline: String,
    dataset: String,
    pub(crate) position: Option<Position>,
    /// Batches committed by this pipeline so far. It also fences: who finds another number than its own is
    /// not the only writer.
    batch: i64,
}

impl Watermark {
    /// Reads it; `None` for a write without pipeline.
    pub(crate) fn load(
        connection: &Connection,
        pipeline: &str,
        dataset: &str,
    ) -> Result<Option<Self>> {
        if pipeline.is_empty() {
            return Ok(None);
        }
        let mut watermark =
            Self { pipeline: pipeline.into(), dataset: dataset.into(), position: None, batch: 0 };
        let exists = connection
            .query_row(
                "SELECT 1 FROM sqlite_schema WHERE name = '_fenhe_watermark'",
                [],
                |_| Ok(()),
            )
            .optional()
            .map_err(fatal)?;
        if exists.is_none() {
            return Ok(Some(watermark));
        }
        let row = connection
            .query_row(
                "SELECT position, batch FROM _fenhe_watermark WHERE pipeline = ?1 AND dataset = ?2",
                [pipeline, dataset],
                |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(fatal)?;
        if let Some((position, batch)) = row {
            watermark.position = Some(serde_json::from_str(&position).map_err(|e| {
                Error::new(Kind::Invalid, "sql.watermark", "the stored watermark is damaged")
                    .caused_by(e)
            })?);
            watermark.batch = batch;
        }
        Ok(Some(watermark))
    }

    /// Stores a position inside the transaction that is open.
    pub(crate) fn store(
        &mut self,
        connection: &Connection,
        position: &Position,
        batches: i64,
    ) -> Result<()> {
        let text = serde_json::to_string(position).map_err(|e| {
            Error::new(Kind::Internal, "sql.watermark", "a position has no text").caused_by(e)
        })?;
        connection.execute_batch(CREATE).map_err(fatal)?;
        let changed = connection
            .prepare_cached(STORE)
            .and_then(|mut s| {
                s.execute(params![self.pipeline, self.dataset, text, self.batch, batches])
            })
            .map_err(fatal)?;
        if changed != 1 {
            return Err(Error::new(
                Kind::Conflict,
                "sql.fenced",
                "another run of the same pipeline wrote to this dataset meanwhile",
            )
            .hint("let one of them run only, then start again from the watermark"));
        }
        self.batch = self.batch.saturating_add(batches);
        self.position = Some(position.clone());
        Ok(())
    }
}
