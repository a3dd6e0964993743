//! The objects of a dataset, one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use fenhe_core::{
    Batch, ControlTotal, DecodeOptions, Error, Format, Kind, Position, ReadRequest, Reader, Result,
    Source, Store,
};

use super::companions::Copies;
use super::identity::Object;
use super::parallel::{Parallel, Stream};
use super::position::At;
use super::sequential::Sequential;
use super::{Decoding, companions};

/// What is common to all objects of a read.
pub(crate) struct Plan {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) format: Arc<dyn Format>,
    pub(crate) request: ReadRequest,
    /// Schema to decode to, all columns.
    pub(crate) decode: SchemaRef,
    /// Schema of the batches.
    pub(crate) schema: SchemaRef,
    pub(crate) threads: usize,
    /// Companions that were fetched already.
    pub(crate) copies: Copies,
    /// How people know the place, for rejects; empty: the object's own name.
    pub(crate) shown: Option<String>,
    pub(crate) notes: Arc<Mutex<Vec<String>>>,
}

/// A read of one or more objects.
pub(crate) struct FilesReader {
    plan: Plan,
    left: VecDeque<Object>,
    from: Option<At>,
    now: Option<(Object, Box<dyn Decoding>)>,
    declared: Vec<ControlTotal>,
    ended: Option<(Kind, String, String)>,
}

impl FilesReader {
    /// # Errors
    /// [`Kind::Changed`] when the object of the position is gone or has other content.
    pub(crate) fn new(plan: Plan, objects: Vec<Object>) -> Result<Self> {
        let mut left = VecDeque::from(objects);
        let from = plan.request.from.as_ref().map(At::from_position).transpose()?;
        if let Some(at) = &from {
            while left.front().is_some_and(|object| object.entry.name != at.name) {
                left.pop_front();
            }
            let same = left.front().is_some_and(|object| object.fingerprint == at.fingerprint);
            if !same || at.fingerprint.is_empty() {
                return Err(Error::new(
                    Kind::Changed,
                    "files.changed",
                    "the file is not the one that was read before",
                )
                .source_name(at.name.clone())
                .hint("put the old file back, or start from the beginning"));
            }
        }
        Ok(Self { plan, left, from, now: None, declared: Vec::new(), ended: None })
    }

    async fn open(plan: &Plan, at: Option<&At>, object: &Object) -> Result<Box<dyn Decoding>> {
        let (name, info) = (&object.entry.name, plan.format.info());
        let options = DecodeOptions {
            source: Arc::new(Source {
                name: plan.shown.clone().unwrap_or_else(|| name.clone()),
                fingerprint: object.fingerprint.clone(),
            }),
            size: object.entry.size,
            schema: Some(Arc::clone(&plan.decode)),
            dataset: Some(plan.request.dataset.clone()).filter(|name| !name.is_empty()),
            columns: plan.request.columns.clone(),
            from: at.map(|at| at.inner.clone()),
            part: None,
            companions: companions::open(&*plan.store, name, info.companions, &plan.copies).await?,
            limits: plan.request.limits.clone(),
        };
        let cut = at.and_then(|at| at.cut);
        let parallel = plan.threads > 1 && !info.whole_object && (at.is_none() || cut.is_some());
        let parts = DecodeOptions { from: None, ..options.clone() };
        let splitter = if parallel { plan.format.splitter(&parts) } else { None };
        let (store, format) = (&plan.store, &plan.format);
        Ok(match splitter {
            Some(splitter) => {
                let stream = Stream {
                    store: Arc::clone(store),
                    name: name.clone(),
                    format: Arc::clone(format),
                    options: parts,
                };
                Box::new(Parallel::open(stream, splitter, cut, plan.threads).await?)
            }
            None => Box::new(Sequential::open(&**store, name, format, options).await?),
        })
    }

    async fn step(&mut self) -> Result<Option<Batch>> {
        loop {
            let (object, decoding) = match &mut self.now {
                Some(now) => now,
                None => {
                    let Some(object) = self.left.front().cloned() else {
                        return Ok(None);
                    };
                    let decoding = Self::open(&self.plan, self.from.as_ref(), &object).await?;
                    self.left.pop_front();
                    self.from = None;
                    self.now.insert((object, decoding))
                }
            };
            if let Some(step) = decoding.next().await? {
                let at = At {
                    name: object.entry.name.clone(),
                    fingerprint: object.fingerprint.clone(),
                    inner: step.batch.position.clone(),
                    cut: step.cut,
                };
                return Ok(Some(Batch { position: at.position()?, ..step.batch }));
            }
            self.declared.extend(decoding.declared());
            let mut known = self.plan.notes.lock().unwrap_or_else(PoisonError::into_inner);
            for note in decoding.notes() {
                if !known.contains(&note) {
                    known.push(note);
                }
            }
            drop(known);
            self.now = None;
        }
    }
}

#[async_trait]
impl Reader for FilesReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.plan.schema)
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        if let Some((kind, code, message)) = &self.ended {
            return Err(Error::new(*kind, code.clone(), message.clone()));
        }
        let result = self.step().await;
        if let Err(error) = &result {
            self.ended = Some((error.kind(), error.code().into(), error.message().into()));
        }
        let name = self.now.as_ref().map(|(object, _)| object.entry.name.clone());
        result.map_err(|error| match name {
            Some(name) if error.source_name_of().is_none() => error.source_name(name),
            _ => error,
        })
    }

    async fn commit(&mut self, _upto: &Position) -> Result<()> {
        Ok(())
    }

    fn declared(&self) -> Vec<ControlTotal> {
        self.declared.clone()
    }
}
