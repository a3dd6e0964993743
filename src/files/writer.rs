//! An encoder over the objects of a store: the main one and its companions, seen as a whole at close.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fenhe_core::{
    Batch, ByteSink, Committed, EncodeOptions, Encoder, Entry, Error, Format, Kind, Reject, Result,
    Store, WriteRequest, Writer,
};

use super::companions;
use super::spool::Spool;
use crate::ndjson::with_row;

/// Encoded bytes that are gathered before they go to the store.
const GATHER: usize = 512 << 10;

/// A write of one object with its companions.
pub(crate) struct FilesWriter {
    store: Arc<dyn Store>,
    name: String,
    encoder: Box<dyn Encoder>,
    patches: bool,
    main: Box<dyn ByteSink>,
    companions: BTreeMap<String, Box<dyn ByteSink>>,
    out: BytesMut,
    rows: u64,
    refused: Vec<Reject>,
    reject_raw: u64,
    adapter: &'static str,
}

impl FilesWriter {
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        name: &str,
        format: &Arc<dyn Format>,
        request: WriteRequest,
    ) -> Result<Self> {
        let info = format.info();
        let reject_raw = request.limits.reject_raw;
        let encoder =
            format.encoder(EncodeOptions { schema: request.schema, limits: request.limits })?;
        let main = sink(&*store, name, info.patches).await?;
        Ok(Self {
            store,
            name: name.into(),
            encoder,
            patches: info.patches,
            main,
            companions: BTreeMap::new(),
            out: BytesMut::new(),
            rows: 0,
            refused: Vec::new(),
            reject_raw,
            adapter: info.name,
        })
    }

    /// Name of the main object.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Rows that were encoded since the last commit.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    async fn flush(&mut self, at_least: usize) -> Result<()> {
        for piece in self.encoder.companions() {
            let sink = match self.companions.get_mut(&piece.extension) {
                Some(sink) => sink,
                None => {
                    let name = companions::name_for(&self.name, &piece.extension);
                    let sink = sink(&*self.store, &name, self.patches).await?;
                    self.companions.entry(piece.extension.clone()).or_insert(sink)
                }
            };
            sink.write(piece.bytes).await?;
        }
        if self.out.len() > at_least {
            let bytes: Bytes = self.out.split().freeze();
            self.main.write(bytes).await?;
        }
        Ok(())
    }

    /// Ends the objects and shows them; also gives what the main one became.
    pub(crate) async fn seal(mut self) -> Result<(Committed, Entry)> {
        let patches = self.encoder.finish(&mut self.out)?;
        self.flush(0).await?;
        for patch in patches {
            match &patch.companion {
                None => self.main.patch(patch.offset, patch.bytes).await?,
                Some(extension) => match self.companions.get_mut(extension) {
                    Some(sink) => sink.patch(patch.offset, patch.bytes).await?,
                    None => {
                        return Err(Error::new(
                            Kind::Internal,
                            "files.patch",
                            "a patch for a companion that was never written",
                        ));
                    }
                },
            }
        }
        // The main object last: whoever sees it finds its companions there.
        for (_, sink) in std::mem::take(&mut self.companions) {
            sink.close().await?;
        }
        let entry = self.main.close().await?;
        let committed =
            Committed { rows: self.rows, rejects: self.refused, ..Committed::default() };
        Ok((committed, entry))
    }
}

#[async_trait]
impl Writer for FilesWriter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        let rejects = self.encoder.encode(&batch.records, &mut self.out)?;
        self.rows += (batch.rows() as u64).saturating_sub(rejects.len() as u64);
        if !rejects.is_empty() {
            let numbers = batch.record_numbers();
            for mut reject in rejects {
                // The encoder counts rows of the batch, from 1.
                let row = usize::try_from(reject.record.saturating_sub(1)).unwrap_or(usize::MAX);
                reject.record = numbers.get(row).copied().unwrap_or_default();
                if reject.adapter.is_empty() {
                    reject.adapter = self.adapter.into();
                }
                self.refused.push(with_row(reject, &batch.records, row, self.reject_raw)?);
            }
        }
        self.flush(GATHER).await
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.refused)
    }

    async fn commit(&mut self) -> Result<Committed> {
        self.flush(0).await?;
        for sink in self.companions.values_mut() {
            sink.sync().await?;
        }
        self.main.sync().await?;
        Ok(Committed {
            rows: std::mem::take(&mut self.rows),
            rejects: std::mem::take(&mut self.refused),
            ..Committed::default()
        })
    }

    async fn close(self: Box<Self>) -> Result<Committed> {
        Ok(self.seal().await?.0)
    }
}

/// A sink for the object; through a temporary file when the format patches and the place only appends.
async fn sink(store: &dyn Store, name: &str, patches: bool) -> Result<Box<dyn ByteSink>> {
    let mut sink = store.put(name).await?;
    if !patches {
        return Ok(sink);
    }
    match sink.patch(0, Bytes::new()).await {
        Ok(()) => Ok(sink),
        Err(error) if error.kind() == Kind::Unsupported => Ok(Box::new(Spool::before(sink)?)),
        Err(error) => Err(error),
    }
}
