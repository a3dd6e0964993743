//! The engine's own exchanges keep what every exchange promises.

use async_trait::async_trait;
use fenhe::core::{Dataset, Exchange, Info, ReadRequest, Reader, Result, WriteRequest, Writer};
use fenhe::{Null, Opening, Place, Registry};

use crate::support::Work;

#[tokio::test]
async fn null_conforms() {
    fenhe_testkit::exchange::conforms(&Null).await;
}

/// A file holds one dataset, which the format names; this one goes by the names of the checks as well.
#[derive(Debug)]
struct OneDataset(std::sync::Arc<dyn Exchange>);

#[async_trait]
impl Exchange for OneDataset {
    fn info(&self) -> Info {
        self.0.info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        self.0.discover().await
    }

    async fn read(&self, mut request: ReadRequest) -> Result<Box<dyn Reader>> {
        if request.dataset == "replaced" {
            request.dataset.clear();
        }
        self.0.read(request).await
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        self.0.write(request).await
    }
}

#[tokio::test]
async fn files_conform() {
    for name in ["out.parquet", "out.arrow"] {
        let work = Work::new();
        let place = Place::relative_to(name, work.folder.path());
        let target = Registry::with_defaults().target(&place, &Opening::default()).unwrap();
        // What is written has to be there before its shape can be looked at.
        fenhe_testkit::exchange::conforms(&OneDataset(target.exchange)).await;
    }
}

/// Every dataset of the checks is a file of a name of its own, looked at anew each time.
#[derive(Debug)]
struct InParts {
    folder: std::path::PathBuf,
    end: &'static str,
}

impl InParts {
    fn file(&self, dataset: &str) -> std::sync::Arc<dyn Exchange> {
        let name = format!("{}{}", if dataset.is_empty() { "any" } else { dataset }, self.end);
        let opening = Opening { append: true, ..Opening::default() };
        let place = Place::relative_to(&name, &self.folder);
        Registry::with_defaults().target(&place, &opening).unwrap().exchange
    }
}

#[async_trait]
impl Exchange for InParts {
    fn info(&self) -> Info {
        self.file("").info()
    }

    async fn discover(&self) -> Result<Vec<Dataset>> {
        let mut all = Vec::new();
        for item in std::fs::read_dir(&self.folder).unwrap() {
            let name = item.unwrap().file_name().into_string().unwrap();
            if let Some(dataset) = name.strip_suffix(&format!("{}.parts.json", self.end)) {
                let found = self.file(dataset).discover().await?;
                all.extend(
                    found.into_iter().map(|found| Dataset { name: dataset.into(), ..found }),
                );
            }
        }
        Ok(all)
    }

    async fn read(&self, request: ReadRequest) -> Result<Box<dyn Reader>> {
        let file = self.file(&request.dataset);
        file.read(ReadRequest { dataset: String::new(), ..request }).await
    }

    async fn write(&self, request: WriteRequest) -> Result<Box<dyn Writer>> {
        self.file(&request.dataset).write(request).await
    }
}

#[tokio::test]
async fn files_in_parts_conform() {
    for end in [".parquet", ".arrow"] {
        let work = Work::new();
        let parts = InParts { folder: work.folder.path().into(), end };
        fenhe_testkit::exchange::conforms(&parts).await;
    }
}
