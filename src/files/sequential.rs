//! One object decoded in place.

use std::sync::Arc;

use async_trait::async_trait;
use fenhe_core::{
    Batch, ByteStream, ControlTotal, DecodeOptions, Decoder, Error, Format, Input, Kind, Output,
    ReadAt, Result, Store,
};

use super::identity::start_of;
use super::{Decoding, Step};

/// A decoder and the bytes that it is fed.
pub(crate) struct Sequential {
    decoder: Box<dyn Decoder>,
    /// What comes before the stream: the header again, when the read goes on in the middle.
    first: Option<Input>,
    stream: Option<Box<dyn ByteStream>>,
    done: bool,
}

impl Sequential {
    pub(crate) async fn open(
        store: &dyn Store,
        name: &str,
        format: &Arc<dyn Format>,
        options: DecodeOptions,
    ) -> Result<Self> {
        if format.info().whole_object {
            let object: Arc<dyn ReadAt> = store.open(name).await?;
            let decoder = format.decoder(options)?;
            return Ok(Self {
                decoder,
                first: Some(Input::Object(object)),
                stream: None,
                done: false,
            });
        }
        let (mut first, mut offset) = (None, 0);
        if let Some(from) = &options.from {
            offset = from.offset();
            if from.prologue() > 0 {
                let mut start = store.get(name, 0).await?;
                let prologue = start_of(&mut *start, from.prologue()).await?;
                first = Some(Input::Bytes(prologue));
            }
        }
        // A part to the end of the stream: nobody looked for boundaries in it.
        if let Some(part) = &options.part {
            offset = part.offset;
        }
        let stream = store.get(name, offset).await?;
        Ok(Self { decoder: format.decoder(options)?, first, stream: Some(stream), done: false })
    }

    async fn feed(&mut self) -> Result<()> {
        if let Some(first) = self.first.take() {
            return self.decoder.feed(first);
        }
        match &mut self.stream {
            Some(stream) => match stream.next().await? {
                Some(chunk) => self.decoder.feed(Input::Bytes(chunk)),
                None => {
                    self.stream = None;
                    self.decoder.feed(Input::EndOfStream)
                }
            },
            None if !self.done => {
                self.done = true;
                self.decoder.feed(Input::EndOfStream)
            }
            None => Err(Error::new(
                Kind::Internal,
                "files.decoder",
                "the decoder asks for more after the end",
            )),
        }
    }
}

#[async_trait]
impl Decoding for Sequential {
    async fn next(&mut self) -> Result<Option<Step>> {
        loop {
            match self.decoder.next()? {
                Output::Batch(batch) => return Ok(Some(Step { batch, cut: None })),
                Output::Done => return Ok(None),
                Output::NeedInput => self.feed().await?,
            }
        }
    }

    fn declared(&self) -> Vec<ControlTotal> {
        self.decoder.declared()
    }

    fn notes(&self) -> Vec<String> {
        self.decoder.notes()
    }
}

/// Everything that a decoder makes of pieces that are all at hand.
pub(crate) fn decode_all(
    decoder: &mut dyn Decoder,
    pieces: Vec<bytes::Bytes>,
) -> (Vec<Batch>, Result<()>) {
    let mut batches = Vec::new();
    let bytes = pieces.into_iter().filter(|piece| !piece.is_empty()).map(Input::Bytes);
    let mut inputs = bytes.chain([Input::EndOfStream]);
    let result = loop {
        match decoder.next() {
            Ok(Output::Batch(batch)) => batches.push(batch),
            Ok(Output::Done) => break Ok(()),
            Ok(Output::NeedInput) => {
                let Some(input) = inputs.next() else {
                    break Err(Error::new(
                        Kind::Internal,
                        "files.decoder",
                        "the decoder asks for more after the end",
                    ));
                };
                if let Err(error) = decoder.feed(input) {
                    break Err(error);
                }
            }
            Err(error) => break Err(error),
        }
    };
    (batches, result)
}
