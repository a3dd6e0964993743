//! One system against one or several contracts.

use std::collections::BTreeSet;

use fenhe_contract::{Contract, Field};
use fenhe_core::{Batch, Result};
use fenhe_mapping::{Context, FieldMapping, Mapping, Origin};
use fenhe_rules::identifiers::Identifier;

use crate::Words;
use crate::evaluate::Check;
use crate::find::{self, identifier, title_of};
use crate::profile::{Column, Profile, ratio};
use crate::propose::{Proposal, derive, propose};
use crate::report::{
    Conflict, ConflictKind, ContractFit, Counts, Elsewhere, Item, Report, Rows, Status, System,
    Unreadable,
};
use crate::words::wanted;

/// A report in the making: items are known after the profile, quality after the rows were shown once more.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, RecordBatch, StringArray};
/// use fenhe_contract::{Contract, NoFiles};
/// use fenhe_core::{Batch, Position, Span};
/// use fenhe_fit::{Fit, Profiler, report::Status};
/// use fenhe_rules::Date;
///
/// let contract = Contract::parse(r#"
/// name = "resident"
/// version = "1"
/// key = ["person_id"]
/// [[field]]
/// name = "person_id"
/// type = "an18"
/// rules = [{ rule = "identifier", kind = "citizen" }]
/// [[field]]
/// name = "sex_code"
/// type = "n1"
/// code_table = "gbt2261.1"
/// [[field]]
/// name = "birth_date"
/// type = "d8"
/// [[field]]
/// name = "phone"
/// type = "an..20"
/// "#, "c", &NoFiles)?;
/// let column = |values: [&str; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
/// let rows = RecordBatch::try_from_iter([
///     ("SFZH", column(["110101190001010014", "110101190001010015"])),
///     ("XB", column(["男", "女"])),
/// ])?;
/// let today = Date::from_civil(2026, 1, 2).unwrap();
/// let mut profiler = Profiler::new("RK.DBF", &rows.schema(), today);
/// profiler.add(&rows)?;
/// let profile = profiler.finish();
///
/// let rules = fenhe_rules::Context::on(today);
/// let mut fit = Fit::new(&profile, &[contract], &[], None, &Default::default(), &rules)?;
/// let span = Span { first: 1, read: 2, ..Span::default() };
/// fit.check(&Batch::new(rows, vec![], span, Position::new("t", 1, &0)?)?)?;
/// let report = fit.finish();
///
/// let status: Vec<_> = report.contracts[0].items.iter().map(|item| item.status).collect();
/// assert_eq!(status, [Status::Supplied, Status::Derivable, Status::Derivable, Status::Missing]);
/// let worst = &report.contracts[0].quality[0];
/// assert_eq!((worst.code.as_str(), worst.findings, &worst.examples[..]), ("rules.identifier", 1, &[2][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Fit {
    report: Report,
    checks: Vec<Check>,
}

impl Fit {
    /// Finds out what a system can supply. `others` are systems that may hold the same; `mapping` is one that a person
    /// wrote: its fields are taken as they are; `context` has what it refers to. `rules` has the day of the check, and
    /// keys of other datasets for rules of the kind `reference`; without its keys such a rule is not checked.
    ///
    /// # Errors
    /// Those of contracts whose rules cannot be compiled.
    pub fn new(
        profile: &Profile,
        contracts: &[Contract],
        others: &[Profile],
        mapping: Option<&Mapping>,
        context: &Context,
        rules: &fenhe_rules::Context,
    ) -> Result<Self> {
        let mut fits = Vec::new();
        let mut checks = Vec::new();
        for contract in contracts {
            let mut items = items(contract, profile, mapping);
            for item in &mut items {
                item.item.elsewhere = elsewhere(contract, &item.item.name, others);
            }
            let check = Check::new(contract, profile, &mut items, context, rules)?;
            let fields: Vec<FieldMapping> =
                items.iter().filter_map(|item| item.proposal.mapping.clone()).collect();
            fits.push(fit_of(contract, profile, items, &fields));
            checks.push(check);
        }
        let report = Report {
            fit: 1,
            tool: env!("CARGO_PKG_VERSION"),
            day: rules.today.to_string(),
            system: system(profile),
            others: others.iter().map(|other| other.system.clone()).collect(),
            unasked: unasked(profile, &fits),
            contracts: fits,
        };
        Ok(Self { report, checks })
    }

    /// Checks the rows of a batch, each row once.
    ///
    /// # Errors
    /// [`Kind::Limit`](fenhe_core::Kind::Limit) when unique keys need more memory than they may have.
    pub fn check(&mut self, batch: &Batch) -> Result<()> {
        let numbers = batch.record_numbers();
        for check in &mut self.checks {
            check.add(&batch.records, &numbers)?;
        }
        Ok(())
    }

    /// The report.
    #[must_use]
    pub fn finish(mut self) -> Report {
        for (contract, check) in self.report.contracts.iter_mut().zip(self.checks) {
            check.finish(contract);
        }
        self.report
    }
}

/// An item with what the report does not need.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) item: Item,
    pub(crate) proposal: Proposal,
}

fn items(contract: &Contract, profile: &Profile, mapping: Option<&Mapping>) -> Vec<Draft> {
    let found = find::columns(contract, profile);
    let person = person_column(contract, profile, &found);
    let fields = contract.fields().iter().zip(found);
    fields
        .map(|(field, found)| {
            let written = mapping.and_then(|m| m.fields.iter().find(|f| f.name == field.name));
            if let Some(written) = written {
                return by_hand(field, written, profile);
            }
            match (found, person.and_then(|column| Some((column, derive(field, column)?)))) {
                (Some(found), _) => {
                    let proposal = propose(contract, field, found.column);
                    draft(field, profile, &[found.column], found.reasons, proposal)
                }
                (None, Some((column, proposal))) => {
                    draft(field, profile, &[column], Vec::new(), proposal)
                }
                (None, None) => draft(field, profile, &[], Vec::new(), nothing()),
            }
        })
        .collect()
}

/// The column with the number of the person that a row is about: that of the contract's own item, else one whose
/// values leave no doubt.
fn person_column<'a>(
    contract: &Contract,
    profile: &'a Profile,
    found: &[Option<find::Found<'a>>],
) -> Option<&'a Column> {
    let sure = |column: &&Column| column.identifier_share(Identifier::Citizen) >= 0.5;
    let of_contract = contract.fields().iter().zip(found).find_map(|(field, found)| {
        let kind = identifier(field)?;
        let person = matches!(
            kind,
            Identifier::Citizen
                | Identifier::Citizen18
                | Identifier::Citizen15
                | Identifier::Person
        );
        found.as_ref().filter(|_| person).map(|found| found.column)
    });
    of_contract.filter(sure).or_else(|| {
        let mut all = profile.columns.iter().filter(sure);
        // Two such columns may be about two persons.
        all.next().filter(|_| all.next().is_none())
    })
}

/// What a person wrote is taken as it is.
fn by_hand(field: &Field, written: &FieldMapping, profile: &Profile) -> Draft {
    let columns: Vec<&Column> = written
        .columns()
        .filter_map(|name| profile.columns.iter().find(|column| column.name == name))
        .collect();
    let plain = written.steps.is_empty()
        && written.data_type.is_none()
        && matches!(written.origin, Origin::Column(_));
    let proposal = Proposal {
        mapping: Some(written.clone()),
        conversion: match plain {
            true => Vec::new(),
            false => vec![Words::new(written.explain(), written.explain())],
        },
        conflicts: Vec::new(),
    };
    let reasons = vec![Words::new("the mapping says so", "映射中已指定")];
    draft(field, profile, &columns, reasons, proposal)
}

fn nothing() -> Proposal {
    Proposal { mapping: None, conversion: Vec::new(), conflicts: Vec::new() }
}

fn draft(
    field: &Field,
    profile: &Profile,
    columns: &[&Column],
    reasons: Vec<Words>,
    proposal: Proposal,
) -> Draft {
    let first = columns.first();
    let looked_at = profile.rows > 0;
    let item = Item {
        name: field.name.clone(),
        title: title_of(field).to_owned(),
        kind: field.kind.to_string(),
        wanted: wanted(field),
        required: field.required,
        status: Status::Missing,
        from: columns.iter().map(|column| column.name.clone()).collect(),
        native: first.map(|column| column.native.clone()),
        filled: first.filter(|_| looked_at).map(|column| ratio(column.present, profile.rows)),
        reasons,
        conversion: Vec::new(),
        conflicts: Vec::new(),
        elsewhere: Vec::new(),
    };
    let mut draft = Draft { item, proposal };
    draft.settle();
    draft
}

impl Draft {
    /// The status and words that follow from the proposal.
    pub(crate) fn settle(&mut self) {
        let there = self.proposal.mapping.is_some() || !self.proposal.conflicts.is_empty();
        self.item.status = if there { self.proposal.status() } else { Status::Missing };
        self.item.conversion.clone_from(&self.proposal.conversion);
        self.item.conflicts.clone_from(&self.proposal.conflicts);
    }

    /// The mapping refuses: no conversion after all.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.proposal.mapping = None;
        self.proposal.conversion.clear();
        let words = Words::new(why, format!("无法转换：{why}"));
        self.proposal.conflicts.push(Conflict { kind: ConflictKind::Type, words });
        self.settle();
    }
}

/// Which other systems hold an item.
fn elsewhere(contract: &Contract, name: &str, others: &[Profile]) -> Vec<Elsewhere> {
    let mut held = Vec::new();
    for other in others {
        let found = items(contract, other, None);
        let item = found.into_iter().map(|draft| draft.item).find(|item| item.name == name);
        let Some(item) = item else { continue };
        if let (Some(column), Status::Supplied | Status::Derivable) =
            (item.from.first(), item.status)
        {
            let (system, column) = (other.system.clone(), column.clone());
            held.push(Elsewhere { system, column, status: item.status });
        }
    }
    held
}

fn fit_of(
    contract: &Contract,
    profile: &Profile,
    items: Vec<Draft>,
    fields: &[FieldMapping],
) -> ContractFit {
    let items: Vec<Item> = items.into_iter().map(|draft| draft.item).collect();
    let with = |status| items.iter().filter(|item| item.status == status).count();
    let open = |item: &&Item| item.required && item.status >= Status::Conflicting;
    let counts = Counts {
        supplied: with(Status::Supplied),
        derivable: with(Status::Derivable),
        conflicting: with(Status::Conflicting),
        missing: with(Status::Missing),
        required_open: items.iter().filter(open).count(),
    };
    ContractFit {
        contract: contract.name().to_owned(),
        version: contract.version().to_string(),
        title: contract.title().to_owned(),
        hash: contract.hash().to_owned(),
        provider: contract.catalogue().provider.clone(),
        counts,
        rows: Rows { read: profile.rows, ..Rows::default() },
        items,
        quality: Vec::new(),
        unchecked: Vec::new(),
        mapping: snippet(fields),
    }
}

/// The mapping as a part of `exchange.toml`.
fn snippet(fields: &[FieldMapping]) -> String {
    let mut text = String::from("[flow.fields]\n");
    for field in fields {
        let bare =
            field.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let name = match bare {
            true => field.name.clone(),
            false => toml::Value::from(field.name.as_str()).to_string(),
        };
        let value = match toml::Value::try_from(field.written()) {
            Ok(toml::Value::Table(table)) if table.len() == 1 && table.contains_key("from") => {
                table.get("from").map(ToString::to_string).unwrap_or_default()
            }
            Ok(value) => value.to_string(),
            Err(_) => continue,
        };
        text.push_str(&format!("{name} = {value}\n"));
    }
    text
}

fn system(profile: &Profile) -> System {
    let mut reasons: Vec<Unreadable> = profile
        .unreadable
        .iter()
        .map(|(what, (records, examples))| Unreadable {
            what: what.clone(),
            records: *records,
            examples: examples.clone(),
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.records));
    System {
        name: profile.system.clone(),
        columns: profile.columns.len(),
        read: profile.read,
        unreadable: profile.unreadable_rows(),
        reasons,
    }
}

fn unasked(profile: &Profile, fits: &[ContractFit]) -> Vec<String> {
    let used: BTreeSet<&String> =
        fits.iter().flat_map(|fit| &fit.items).flat_map(|item| &item.from).collect();
    let names = profile.columns.iter().map(|column| &column.name);
    names.filter(|name| !used.contains(name)).cloned().collect()
}
