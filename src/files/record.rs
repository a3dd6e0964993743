//! One record decoded once more, out of bytes that a person corrected.

use std::sync::Arc;

use bytes::Bytes;
use fenhe_core::{
    Batch, DecodeOptions, Error, Kind, Limits, Part, ReadRequest, Reject, Result, Source,
};

use super::identity::{Object, start_of, together};
use super::look::SAMPLE;
use super::sequential::decode_all;
use super::{Files, companions, dataset_of};

impl Files {
    /// Decodes the bytes of one record as if they stood where the record was rejected: with the header of its file, under
    /// its number. What the format says of the bytes comes as the second result.
    ///
    /// # Errors
    /// [`Kind::Changed`] when none of the files is the one that the record came from, [`Kind::Unsupported`] for a format
    /// whose records do not stand alone.
    pub(crate) async fn decode_record(
        &self,
        reject: &Reject,
        bytes: Bytes,
        request: &ReadRequest,
    ) -> Result<(Vec<Batch>, Result<()>)> {
        let settled = self.settled(&request.limits).await?;
        let object = match settled.objects.as_slice() {
            _ if together(&settled.objects) != reject.source.fingerprint => None,
            [only] => Some(only),
            many => many.iter().find(|object| object.entry.name == *reject.source.name),
        };
        let object = object.ok_or_else(|| changed(&reject.source.name))?;
        let found = dataset_of(&settled.evidence, &request.dataset)?;
        let info = settled.format.info();
        let name = &object.entry.name;
        let mut options = DecodeOptions {
            source: Arc::new(Source {
                name: reject.source.name.clone(),
                fingerprint: object.fingerprint.clone(),
            }),
            size: object.entry.size,
            schema: Some(Arc::clone(&found.schema)),
            dataset: Some(found.name.clone()).filter(|name| !name.is_empty()),
            columns: request.columns.clone(),
            from: None,
            part: None,
            companions: companions::open(&*self.store, name, info.companions, &self.copies).await?,
            limits: request.limits.clone(),
        };
        options.part = Some(Part {
            prologue: self.prologue(object, &options).await?,
            offset: reject.offset,
            first_record: reject.record,
            first_line: reject.line.unwrap_or(1),
            last: false,
        });
        let mut decoder = settled.format.decoder(options)?;
        Ok(decode_all(&mut *decoder, vec![bytes]))
    }

    /// What stands before the first record of an object.
    async fn prologue(&self, object: &Object, options: &DecodeOptions) -> Result<Bytes> {
        let limits = &options.limits;
        let format = Arc::clone(&self.settled(limits).await?.format);
        let info = format.info();
        let splitter = format.record_splitter(options).filter(|_| !info.whole_object);
        let Some(mut splitter) = splitter else {
            return Err(Error::unsupported(info.name, "decoding a record by itself")
                .hint("give the values of the record in the columns of the list"));
        };
        let mut wanted = SAMPLE;
        loop {
            let mut stream = self.store.get(&object.entry.name, 0).await?;
            let start = start_of(&mut *stream, wanted).await?;
            let ended = (start.len() as u64) < wanted;
            if let Some(header) = splitter.prologue(&start, ended)? {
                return Ok(start.slice(..header.end.min(start.len())));
            }
            wanted = wanted.saturating_mul(4);
            Limits::check("record", limits.record, start.len() as u64)?;
            if ended {
                let message = "the file ends before its first record";
                return Err(Error::new(Kind::Truncated, "files.header", message));
            }
        }
    }
}

fn changed(name: &str) -> Error {
    Error::new(
        Kind::Changed,
        "files.changed",
        "the file is not the one that the record came from: its bytes cannot be read by the header of another",
    )
    .source_name(name.to_owned())
    .hint("put the old file back, or give the values of the record in the columns of the list")
}
