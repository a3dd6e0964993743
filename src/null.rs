//! `null:` takes rows, counts them and drops them: for measuring and for checking a source.

use async_trait::async_trait;
use fenhe_core::{Batch, Capability, Committed, Exchange, Info, Result, WriteRequest, Writer};

/// A sink that counts and drops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

#[async_trait]
impl Exchange for Null {
    fn info(&self) -> Info {
        Info {
            scheme: "null",
            version: env!("CARGO_PKG_VERSION"),
            capability: Capability {
                append: true,
                upsert: true,
                replace: true,
                ..Capability::default()
            },
        }
    }

    async fn write(&self, _request: WriteRequest) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Counter { rows: 0 }))
    }
}

struct Counter {
    rows: u64,
}

#[async_trait]
impl Writer for Counter {
    async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.rows += batch.rows() as u64;
        Ok(())
    }

    async fn commit(&mut self) -> Result<Committed> {
        Ok(Committed { rows: std::mem::take(&mut self.rows), ..Committed::default() })
    }

    async fn close(mut self: Box<Self>) -> Result<Committed> {
        self.commit().await
    }
}
