use crate::format::CopybookFormat;
use fenhe_core::Sample;
pub(crate) fn look(_: &CopybookFormat, _: &Sample) -> (Vec<String>, u8) {
    (Vec::new(), 50)
}
