//! Record paths and field paths.

use std::fmt;

use fenhe_core::Result;

use crate::error::config;
use crate::options::XmlOptions;

/// A name as a path or a schema asks for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Wanted {
    /// The namespace, empty for none; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<String>,
    /// The local name, `*` for any.
    pub(crate) local: String,
}

/// The way from the root element to the records.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Path(pub(crate) Vec<Wanted>);

impl Wanted {
    pub(crate) fn matches(&self, uri: &str, local: &str) -> bool {
        (self.local == local || self.local == "*")
            && self.uri.as_deref().is_none_or(|wanted| wanted == uri)
    }

    /// `name`, `{uri}name` or `p:name`.
    pub(crate) fn parse(text: &str, option: &str, prefixes: &[(String, String)]) -> Result<Self> {
        if let Some((uri, local)) = text.strip_prefix('{').and_then(|t| t.split_once('}')) {
            return Ok(Self { uri: Some(uri.into()), local: local.into() });
        }
        match text.split_once(':') {
            None if text.is_empty() => Err(config(option, "a step of the path is empty")),
            None => Ok(Self { uri: None, local: text.into() }),
            Some((prefix, local)) => {
                let known = prefixes.iter().find(|(name, _)| name == prefix);
                let (_, uri) = known.ok_or_else(|| {
                    config(option, format!("prefix {prefix} is not declared"))
                        .hint("declare it: namespaces=prefix=uri")
                })?;
                Ok(Self { uri: Some(uri.clone()), local: local.into() })
            }
        }
    }
}

impl Path {
    pub(crate) fn parse(text: &str, prefixes: &[(String, String)]) -> Result<Self> {
        let Some(steps) = text.strip_prefix('/') else {
            return Err(config("record", "a path starts with / and the name of the root element"));
        };
        let steps = split(steps).into_iter().map(|step| Wanted::parse(step, "record", prefixes));
        steps.collect::<Result<_>>().map(Self)
    }

    /// Elements from the root to a record, both included.
    pub(crate) fn depth(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step.uri.as_deref() {
                None | Some("") => write!(f, "/{}", step.local)?,
                Some(uri) => write!(f, "/{{{uri}}}{}", step.local)?,
            }
        }
        Ok(())
    }
}

/// Steps of a path; slashes within `{uri}` do not count.
pub(crate) fn split(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    let (mut from, mut inside) = (0, false);
    for (at, c) in path.char_indices() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            '/' if !inside => {
                steps.push(path.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    steps.push(path.get(from..).unwrap_or_default());
    steps
}

/// The prefixes that the option declares.
pub(crate) fn prefixes(options: &XmlOptions) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| match text.split_once('=') {
        Some((prefix, uri)) => Ok((prefix.trim().to_owned(), uri.trim().to_owned())),
        None => Err(config("namespaces", "write prefix=uri, several with commas")),
    };
    options.namespaces.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_elements_in_any_or_in_one_namespace() {
        let prefixes = [("p".to_owned(), "urn:p".to_owned())];
        let path = Path::parse("/a/p:b/{http://x/y}c/*", &prefixes).unwrap();
        assert_eq!(path.to_string(), "/a/{urn:p}b/{http://x/y}c/*");
        assert!(path.0[0].matches("urn:any", "a") && path.0[1].matches("urn:p", "b"));
        assert!(!path.0[1].matches("", "b") && path.0[3].matches("", "z"));
        for wrong in ["a/b", "/a//b", "/q:a", "/"] {
            assert_eq!(Path::parse(wrong, &prefixes).unwrap_err().code(), "xml.option", "{wrong}");
        }
    }
}
