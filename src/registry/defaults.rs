//! The adapters of this build.

use std::sync::Arc;

use fenhe_core::{Format, Options, Result};

use super::{Opened, Registry, Scheme};
use crate::null::Null;
use crate::stdio::Stdio;

impl Registry {
    /// The formats and places that the features of this build bring.
    pub fn with_defaults() -> Self {
        let mut registry = Self::empty();
        registry.add_scheme(Scheme {
            name: "null".into(),
            title: "counts rows and drops them".into(),
            read: false,
            write: true,
            options: &[],
            open: Arc::new(|_, _, _| {
                Ok(Opened::Exchange { exchange: Arc::new(Null), dataset: String::new() })
            }),
        });
        let stdio = Stdio::new();
        registry.add_scheme(Scheme {
            name: "stdio".into(),
            title: "standard input and output, written -".into(),
            read: true,
            write: true,
            options: &[],
            open: Arc::new(move |_, _, _| {
                Ok(Opened::Store { store: Arc::new(stdio.clone()), name: "-".into(), once: true })
            }),
        });
        registry.add_default_places();
        registry.add_default_formats();
        registry
    }

    fn add_default_places(&mut self) {
        #[cfg(feature = "file")]
        self.add_scheme(Scheme {
            name: "file".into(),
            title: "files and folders, through .gz, .zst and .zip".into(),
            read: true,
            write: true,
            options: &[],
            open: Arc::new(|place, _, purpose| {
                if purpose.write {
                    place.is_no_archive()?;
                }
                let (store, name) = fenhe_file::Files::at(&place.path().to_string_lossy())?;
                Ok(Opened::Store { store: Arc::new(store), name, once: false })
            }),
        });
        #[cfg(feature = "http")]
        for name in ["http", "https"] {
            self.add_scheme(super::http::scheme(name));
        }
        #[cfg(feature = "sql")]
        for scheme in super::sql::schemes() {
            self.add_scheme(scheme);
        }
    }

    fn add_default_formats(&mut self) {
        #[cfg(feature = "csv")]
        self.add_default(|options| Ok(Arc::new(fenhe_csv::Csv::from_options(options)?)));
        #[cfg(feature = "fixed")]
        self.add_default(|options| Ok(Arc::new(fenhe_fixed::Fixed::from_options(options)?)));
        #[cfg(feature = "dbf")]
        self.add_default(|options| Ok(Arc::new(fenhe_dbf::Dbf::from_options(options)?)));
        #[cfg(feature = "json")]
        self.add_default(|options| Ok(Arc::new(fenhe_json::Json::from_options(options)?)));
        #[cfg(feature = "copybook")]
        self.add_default(|options| {
            Ok(Arc::new(fenhe_copybook::CopybookFormat::from_options(options)?))
        });
        #[cfg(feature = "xml")]
        self.add_default(|options| Ok(Arc::new(fenhe_xml::Xml::from_options(options)?)));
        #[cfg(feature = "excel")]
        self.add_default(|options| Ok(Arc::new(fenhe_excel::Excel::from_options(options)?)));
        #[cfg(feature = "columnar")]
        {
            self.add_default(|options| {
                Ok(Arc::new(fenhe_columnar::Parquet::from_options(options)?))
            });
            self.add_default(|options| Ok(Arc::new(fenhe_columnar::Ipc::from_options(options)?)));
        }
    }

    /// Formats of this repository bear no options; one that does not is left out rather than a panic.
    fn add_default(
        &mut self,
        make: impl Fn(&Options) -> Result<Arc<dyn Format>> + Send + Sync + 'static,
    ) {
        let added = self.add_format(make);
        debug_assert!(added.is_ok(), "{added:?}");
    }
}
