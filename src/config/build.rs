//! From the text of a configuration to flows that can run.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenhe_contract::Contract;
use fenhe_core::{Capability, Error, Kind, Limits, Options, Result, WriteMode};
use sha2::{Digest, Sha256};

use super::ExchangeConfig;
use super::blame::span_of;
use super::fields::mapping_span;
use super::grammar::{FlowText, Table, mode};
use crate::fields::{Fields, resources};
use crate::files::Files;
use crate::guarantee::Level;
use crate::keys::{Keys, Reference};
use crate::place::Place;
use crate::pump::{Flow, MadeBy, Output, Policy, RejectFile};
use crate::registry::{Opening, Registry, SourceEnd, TargetEnd};

/// What the caller adds to a configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Threads that decode, unless the configuration says.
    pub threads: usize,
    /// Deliver from the start, whatever was delivered before.
    pub restart: bool,
}

/// A flow ready to run, with what was found out on the way.
#[derive(Debug)]
pub struct Prepared {
    /// The flow.
    pub flow: Flow,
    /// Flows with the same number read the same source together.
    pub group: usize,
    /// The files that are read, when it is a format over a store.
    pub files: Option<Files>,
    /// Format of the source and why.
    pub format: Option<&'static str>,
    /// Why this format was chosen.
    pub reason: Option<String>,
}

impl ExchangeConfig {
    /// Opens the ends of all flows. Nothing is written yet.
    ///
    /// # Errors
    /// Errors of configuration with line and column, and those of opening the sources.
    pub async fn prepare(&self, registry: &Registry, settings: &Settings) -> Result<Vec<Prepared>> {
        let references = self.read_references(registry, settings).await?;
        let mut prepared = Vec::new();
        let mut opened: Option<(usize, SourceEnd)> = None;
        let mut claimed = self.claims();
        for flow in &self.text.flow {
            let flow = flow.get_ref();
            let source = match opened {
                Some((group, source)) if group == flow.group => source,
                _ => self.source(flow, registry, settings).await?,
            };
            opened = Some((flow.group, source.clone()));
            let target = self.target(flow, self.contract(flow)?.as_ref(), registry)?;
            self.claim_flow(flow, registry, &source, &target, &mut claimed).await?;
            prepared.push(self.prepare_flow(flow, registry, settings, source, &references).await?);
        }
        self.distinct(claimed)?;
        Ok(prepared)
    }

    async fn prepare_flow(
        &self,
        text: &FlowText,
        registry: &Registry,
        settings: &Settings,
        source: SourceEnd,
        references: &BTreeMap<String, Reference>,
    ) -> Result<Prepared> {
        let mapping = self.mapping(text)?;
        let context = resources(&mapping, registry, &self.base, &self.limits()).await;
        let mut context = context.map_err(|error| match error.field() {
            Some(_) => self.blame(text.name.get_ref(), error),
            None => self.source.here(mapping_span(text), error),
        })?;
        let contract = self.contract(text)?;
        self.covered(text, contract.as_ref(), &mapping)?;
        self.referred(text, contract.as_ref(), &mapping)?;
        context.tables.extend(contract.iter().flat_map(|contract| contract.tables()).cloned());
        let target = self.target(text, contract.as_ref(), registry)?;
        let keys = Keys { references: references.clone(), memory: self.limits().key_memory };
        let fields = Fields { mapping, context, contract: contract.map(Arc::new), keys };
        let name = text.name.get_ref().clone();
        let present = match &target.end.files {
            Some(files) => files.exists().await,
            None => true,
        };
        let rows = self.rows(target.end.exchange.info().scheme);
        let guarantee = self.guarantee(text);
        let flow = Flow {
            pipeline: format!("{}/{name}", self.name),
            plan: self.plan(text, &source, &fields),
            source: source.input,
            target: Output {
                exchange: target.end.exchange,
                dataset: target.end.dataset,
                name: target.end.name,
                mode: target.mode,
                key: target.key,
                present,
            },
            columns: None,
            policy: Policy {
                budget: text.budget.or(self.text.budget),
                on_error: self.text.on_error,
                restart: settings.restart,
                guarantee,
                protection: text.source.protection(&self.text.source),
            },
            rejects: Some(RejectFile { path: self.rejects(), fresh: false }),
            ledger: Some(self.ledger()),
            rows,
            replay: None,
            made_by: MadeBy {
                mapping: Some(fields.mapping.digest()),
                contract: fields.contract.as_ref().map(|contract| contract.hash().to_owned()),
            },
            limits: self.limits(),
            fields,
            name,
        };
        Ok(Prepared {
            flow,
            group: text.group,
            files: source.files,
            format: source.format,
            reason: source.reason,
        })
    }

    async fn source(
        &self,
        text: &FlowText,
        registry: &Registry,
        settings: &Settings,
    ) -> Result<SourceEnd> {
        self.known(text, registry)?;
        let threads = self.text.threads.as_ref().map(|threads| *threads.get_ref());
        let opening = self.opening(text, threads.unwrap_or(settings.threads))?;
        let place = Place::relative_to(text.from.get_ref(), &self.base);
        let opened = registry.source(&place, &opening).await;
        opened
            .map_err(|error| self.source.here(self.place_of(&error, &text.read, &text.from), error))
    }

    /// How the source of a flow is opened.
    pub(super) fn opening(&self, text: &FlowText, threads: usize) -> Result<Opening> {
        let Side { format, options } = self.side(&text.read)?;
        let format = format.map(|(name, _)| name);
        Ok(Opening { format, options, threads, limits: self.limits(), append: false })
    }

    pub(super) fn target(
        &self,
        text: &FlowText,
        contract: Option<&Contract>,
        registry: &Registry,
    ) -> Result<Target> {
        let mut side = self.side(&text.write)?;
        let place_of = |name: &str| span_of(name, &text.write);
        let (wanted, key) = write_mode(&mut side.options).map_err(|error| {
            let span = error.field().and_then(place_of).unwrap_or_else(|| text.to.span());
            self.source.here(span, error)
        })?;
        let key = match contract {
            Some(contract) if key.is_empty() => contract.key().to_vec(),
            _ => key,
        };
        let opening = Opening {
            format: side.format.map(|(name, _)| name),
            options: side.options,
            threads: 1,
            limits: self.limits(),
            append: wanted == Some(WriteMode::Append),
        };
        let place = Place::relative_to(text.to.get_ref(), &self.base);
        let end = registry.target(&place, &opening).map_err(|error| {
            self.source.here(self.place_of(&error, &text.write, &text.to), error)
        })?;
        let able = end.exchange.info().capability;
        let mode = wanted.unwrap_or_else(|| usual_mode(&able, &key));
        if mode == WriteMode::Upsert && key.is_empty() {
            let span = place_of("mode").unwrap_or_else(|| text.to.span());
            let error = self.source.at(span, "exchange.key", "upsert needs a key");
            return Err(error.hint("key = [\"...\"] names the fields that identify a row"));
        }
        Ok(Target { end, mode, key })
    }

    pub(super) fn side(&self, table: &Table) -> Result<Side> {
        let (mut options, mut format) = (Options::new(), None);
        for (key, value) in table {
            if key.get_ref() == "format" {
                match value.get_ref() {
                    toml::Value::String(name) => format = Some((name.clone(), value.span())),
                    _ => {
                        return Err(self.source.at(
                            value.span(),
                            "exchange.format",
                            "a format is named by text",
                        ));
                    }
                }
                continue;
            }
            options.set(key.get_ref().clone(), json(value.get_ref()));
        }
        Ok(Side { format, options })
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits.clone()
    }

    /// The guarantee that is asked for.
    pub(super) fn guarantee(&self, text: &FlowText) -> Option<Level> {
        let asked = text.guarantee.as_ref().or(self.text.guarantee.as_ref());
        asked.map(|level| *level.get_ref())
    }

    /// What makes two runs the same delivery: everything that changes rows, nothing that only changes reporting.
    fn plan(&self, text: &FlowText, source: &SourceEnd, fields: &Fields) -> String {
        let mapping = &fields.mapping;
        let mut parts: Vec<String> = Vec::new();
        let mut add = |part: &str| parts.push(part.to_owned());
        add(text.from.get_ref());
        add(text.to.get_ref());
        add(source.format.unwrap_or_default());
        for table in [&text.read, &text.write] {
            for (key, value) in table {
                add(key.get_ref());
                add(&value.get_ref().to_string());
                // The content of a layout counts, not only its name.
                if let toml::Value::String(name) = value.get_ref()
                    && let Ok(bytes) = std::fs::read(self.base.join(name))
                {
                    add(&hex::encode(Sha256::digest(bytes)));
                }
            }
            add("");
        }
        add(&mapping.canonical());
        for place in mapping.lookups() {
            if let Ok(bytes) = std::fs::read(self.base.join(place)) {
                add(&hex::encode(Sha256::digest(bytes)));
            }
        }
        if let Some(contract) = &fields.contract {
            add(contract.hash());
            fields.keys.decisive(contract).for_each(&mut add);
        }
        Flow::digest(parts.iter().map(String::as_str))
    }
}

pub(super) struct Side {
    pub(super) format: Option<(String, std::ops::Range<usize>)>,
    pub(super) options: Options,
}

pub(super) struct Target {
    pub(super) end: TargetEnd,
    pub(super) mode: WriteMode,
    pub(super) key: Vec<String>,
}

/// How a target is written when nobody says: by key if there is one, as a whole if it can only be that.
pub fn usual_mode(able: &Capability, key: &[String]) -> WriteMode {
    match () {
        () if !key.is_empty() && able.upsert => WriteMode::Upsert,
        () if able.append => WriteMode::Append,
        () => WriteMode::Replace,
    }
}

/// Takes `mode` and `key` out of the options of a target.
///
/// # Errors
/// [`Kind::Config`] with code `exchange.mode` or `exchange.key`.
pub fn write_mode(options: &mut Options) -> Result<(Option<WriteMode>, Vec<String>)> {
    let wrong = |code: &'static str, field: &str, what: &str| {
        Error::new(Kind::Config, code, what.to_owned()).at_field(field.to_owned())
    };
    let key = match options.take("key") {
        None => Some(Vec::new()),
        Some(serde_json::Value::String(names)) => {
            Some(names.split(',').map(|n| n.trim().into()).collect())
        }
        Some(serde_json::Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>(),
        Some(_) => None,
    };
    let key = key
        .filter(|names| names.iter().all(|name| !name.is_empty()))
        .ok_or_else(|| wrong("exchange.key", "key", "a key is a list of field names"))?;
    let mode = match options.take("mode") {
        None => None,
        Some(value) => Some(value.as_str().and_then(mode).ok_or_else(|| {
            wrong("exchange.mode", "mode", "there is no such mode")
                .hint("modes are append, upsert, replace")
        })?),
    };
    Ok((mode, key))
}

fn json(value: &toml::Value) -> serde_json::Value {
    use serde_json::Value as J;
    match value {
        toml::Value::String(text) => J::String(text.clone()),
        toml::Value::Integer(number) => J::from(*number),
        toml::Value::Float(number) => J::from(*number),
        toml::Value::Boolean(truth) => J::Bool(*truth),
        toml::Value::Datetime(time) => J::String(time.to_string()),
        toml::Value::Array(items) => J::Array(items.iter().map(json).collect()),
        toml::Value::Table(table) => {
            J::Object(table.iter().map(|(k, v)| (k.clone(), json(v))).collect())
        }
    }
}
