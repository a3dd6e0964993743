//! `http:` and `https:`: files by GET and PUT when a format is named or something is read, else rows by POST.

use std::sync::Arc;

use fenhe_core::{Error, Kind, Options, Result};
use fenhe_http::{Http, HttpConfig, HttpStore};

use super::{Opened, Purpose, Scheme};
use crate::place::Place;

const OPTIONS: &[&str] = &[
    "headers",
    "bearer_env",
    "bearer_file",
    "header_env",
    "header_file",
    "forward",
    "roots_pem",
    "redirects",
    "connect_ms",
    "read_ms",
    "total_ms",
    "min_rate",
    "tries",
    "retry_ms",
    "body_bytes",
    "rows",
    "body",
    "idempotent",
];

pub(super) fn scheme(name: &str) -> Scheme {
    Scheme {
        name: name.into(),
        title: "files by GET and PUT (with a format), rows by POST".into(),
        read: true,
        write: true,
        options: OPTIONS,
        open: Arc::new(open),
    }
}

fn open(place: &Place, options: &Options, purpose: Purpose) -> Result<Opened> {
    let config = |url: String| -> Result<HttpConfig> {
        let mut options = options.clone();
        options.set("url", url);
        let mut config: HttpConfig = options.parse("http")?;
        config.find_files(|file| {
            Place::relative_to(file, place.base()).path().to_string_lossy().into_owned()
        });
        Ok(config)
    };
    if purpose.write && !purpose.format {
        let exchange = Arc::new(Http::new(config(place.uri().to_owned())?)?);
        return Ok(Opened::Exchange { exchange, dataset: place.dataset().into() });
    }
    let (url, name) = folder_and_name(place)?;
    Ok(Opened::Store { store: Arc::new(HttpStore::new(config(url)?)?), name, once: false })
}

/// `https://host/in/RK.DBF?v=2` is `RK.DBF` in `https://host/in/?v=2`.
fn folder_and_name(place: &Place) -> Result<(String, String)> {
    let (address, query) = match place.uri().split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (place.uri(), String::new()),
    };
    let authority = address.find("://").map_or(0, |at| at + 3);
    match address.rfind('/').filter(|slash| *slash >= authority) {
        Some(slash) if slash + 1 < address.len() => {
            let (folder, name) = address.split_at(slash + 1);
            Ok((format!("{folder}{query}"), name.to_owned()))
        }
        _ => {
            Err(Error::new(Kind::Config, "place.folder", "the address names a folder, not a file")
                .source_name(place.text()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_folder_and_a_name() {
        let place = Place::parse("https://host/in/RK.DBF?v=2");
        assert_eq!(
            folder_and_name(&place).unwrap(),
            ("https://host/in/?v=2".into(), "RK.DBF".into())
        );
        for folder in ["https://host", "https://host/", "https://host/in/"] {
            assert!(folder_and_name(&Place::parse(folder)).is_err(), "{folder}");
        }
    }

    #[test]
    fn rows_go_by_post_and_files_by_put() {
        let place = Place::parse("http://127.0.0.1:1/in/fees.csv");
        let opened =
            |write, format| open(&place, &Options::new(), Purpose { write, format }).unwrap();
        assert!(matches!(opened(true, false), Opened::Exchange { .. }));
        assert!(matches!(opened(true, true), Opened::Store { .. }));
        assert!(matches!(opened(false, false), Opened::Store { .. }));
    }
}
