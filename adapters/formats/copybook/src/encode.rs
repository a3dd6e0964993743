use crate::format::Setup;
use fenhe_core::*;
use std::sync::Arc;
#[derive(Debug)]
pub(crate) struct CopybookEncoder {}
impl CopybookEncoder {
    pub(crate) fn new(_: Arc<Setup>, _: EncodeOptions) -> Result<Self> {
        Err(Error::unsupported("copybook", "encoder"))
    }
}
impl Encoder for CopybookEncoder {
    fn encode(&mut self, _: &RecordBatch, _: &mut bytes::BytesMut) -> Result<Vec<Reject>> {
        Ok(Vec::new())
    }
    fn finish(&mut self, _: &mut bytes::BytesMut) -> Result<Vec<Patch>> {
        Ok(Vec::new())
    }
}
