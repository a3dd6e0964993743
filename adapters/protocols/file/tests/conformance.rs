use fenhe_testkit::store::{Abilities, conforms};

use crate::folder;

#[tokio::test]
async fn files_conform() {
    let (_keep, files) = folder();
    let can =
        Abilities { list: true, open: true, put: true, rename: true, remove: true, patch: true };
    conforms(&files, can).await;
}

#[test]
fn files_work_without_a_runtime_of_their_own() {
    let (_keep, files) = folder();
    futures_util::future::FutureExt::now_or_never(async {
        fenhe_testkit::store::put(&files, "a.txt", b"one").await;
        assert_eq!(fenhe_testkit::store::get(&files, "a.txt", 1).await, b"ne");
    })
    .expect("nothing waits when there is no runtime");
}
