//! The real rows through the proposed mapping and the rules of the contract, in counts.

use std::collections::BTreeMap;

use arrow_array::{BooleanArray, RecordBatch};
use fenhe_contract::Contract;
use fenhe_core::{Fault, Kind, Result};
use fenhe_mapping::{Context as MappingContext, Mapper, Mapping};
use fenhe_rules::{Checker, Context, Rule, Severity};

use crate::EXAMPLES;
use crate::Words;
use crate::fit::Draft;
use crate::profile::{Profile, ratio};
use crate::report::{ContractFit, Quality, Rows};

/// The check of one contract.
#[derive(Debug)]
pub(crate) struct Check {
    mapper: Option<Mapper>,
    checker: Option<Checker>,
    rules: Vec<Rule>,
    by_rule: Vec<Tally>,
    unconverted: BTreeMap<(String, String), Tally>,
    unchecked: Vec<String>,
    titles: BTreeMap<String, String>,
    rows: Rows,
}

/// Rows with one finding.
#[derive(Clone, Debug, Default)]
struct Tally {
    findings: u64,
    examples: Vec<u64>,
    expected: String,
}

impl Tally {
    fn add(&mut self, record: u64) {
        self.findings += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(record);
        }
    }
}

impl Check {
    pub(crate) fn new(
        contract: &Contract,
        profile: &Profile,
        items: &mut [Draft],
        context: &MappingContext,
        rules: &Context,
    ) -> Result<Self> {
        let mapper = mapper(contract, profile, items, context);
        let mut unchecked = Vec::new();
        let mut context = rules.clone();
        context.tables = contract.tables().to_vec();
        let rules = match &mapper {
            None => Vec::new(),
            Some(mapper) => applicable(contract, mapper, &context, &mut unchecked),
        };
        let checker =
            mapper.as_ref().map(|m| Checker::new(m.schema(), &rules, context)).transpose()?;
        let titles = items.iter().map(|d| (d.item.name.clone(), d.item.title.clone())).collect();
        Ok(Self {
            mapper,
            checker,
            by_rule: vec![Tally::default(); rules.len()],
            rules,
            unconverted: BTreeMap::new(),
            unchecked,
            titles,
            rows: Rows::default(),
        })
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch, numbers: &[u64]) -> Result<()> {
        self.rows.read += batch.num_rows() as u64;
        let (Some(mapper), Some(checker)) = (&self.mapper, &mut self.checker) else {
            return Ok(());
        };
        let mapped = mapper.apply(batch)?;
        let number = |row: usize| numbers.get(row).copied().unwrap_or_default();
        for row in &mapped.faults {
            self.rows.unconverted += 1;
            for fault in std::iter::once(&row.fault).chain(&row.also) {
                let place = (fault.field.clone(), fault.code.to_string());
                let tally = self.unconverted.entry(place).or_default();
                tally.expected.clone_from(&fault.expected);
                tally.add(number(row.row));
            }
        }
        let kept = kept_numbers(numbers, mapped.kept.as_ref());
        let findings = checker.check(&mapped.records)?;
        let mut any = vec![false; mapped.records.num_rows()];
        for (rule, row) in findings.iter() {
            let Some(tally) = self.by_rule.get_mut(rule) else { continue };
            if tally.expected.is_empty() {
                let fault: Option<Fault> = checker.fault(&mapped.records, rule, row);
                tally.expected = fault.map(|fault| fault.expected).unwrap_or_default();
            }
            tally.add(kept.get(row).copied().unwrap_or_default());
            if let Some(any) = any.get_mut(row) {
                *any = true;
            }
        }
        let rows = mapped.records.num_rows() as u64;
        let rejected = findings.rejected().count_set_bits() as u64;
        self.rows.rejected += rejected;
        self.rows.deliverable += rows - rejected;
        self.rows.faultless += any.iter().filter(|any| !**any).count() as u64;
        Ok(())
    }

    /// Puts what was counted into the report.
    pub(crate) fn finish(self, fit: &mut ContractFit) {
        let Self { by_rule, rules, unconverted, rows, titles, checker, unchecked, .. } = self;
        let title = |field: &str| titles.get(field).cloned().unwrap_or_else(|| field.to_owned());
        fit.rows = rows;
        fit.unchecked = unchecked;
        let read = rows.read;
        let mapped = read - rows.unconverted;
        for ((field, code), tally) in unconverted {
            let check = Words::new(
                format!("must be convertible: {}", tally.expected),
                "能够转换为合约要求的类型或代码",
            );
            fit.quality.push(Quality {
                title: title(&field),
                field,
                code,
                check,
                rejects: true,
                rows: read,
                findings: tally.findings,
                share: ratio(tally.findings, read),
                examples: tally.examples,
            });
        }
        for (number, (rule, tally)) in rules.iter().zip(by_rule).enumerate() {
            let code = checker.as_ref().and_then(|checker| checker.code(number));
            fit.quality.push(Quality {
                field: rule.field().to_owned(),
                title: title(rule.field()),
                code: code.unwrap_or_default().to_owned(),
                check: words(rule, &tally.expected),
                rejects: rule.severity() == Severity::Reject,
                rows: mapped,
                findings: tally.findings,
                share: ratio(tally.findings, mapped),
                examples: tally.examples,
            });
        }
        // What stops rows comes before what is only noticed.
        fit.quality.sort_by_key(|q| (q.findings == 0, !q.rejects, std::cmp::Reverse(q.findings)));
    }
}

/// The proposed mapping, compiled. Items that it cannot make after all become conflicts.
fn mapper(
    contract: &Contract,
    profile: &Profile,
    items: &mut [Draft],
    context: &MappingContext,
) -> Option<Mapper> {
    let mut context = context.clone();
    context.tables.extend(contract.tables().iter().cloned());
    loop {
        let fields: Vec<_> = items
            .iter()
            .filter_map(|draft| draft.proposal.mapping.clone())
            // A row without a value is the rules' matter.
            .map(|field| fenhe_mapping::FieldMapping { required: false, ..field })
            .collect();
        if fields.is_empty() {
            return None;
        }
        let mapping = Mapping { fields, ..Mapping::default() };
        let error = match mapping.bind(&profile.schema, &context) {
            Ok(mapper) => return Some(mapper),
            Err(error) => error,
        };
        let at = items.iter_mut().find(|draft| {
            draft.proposal.mapping.is_some() && Some(draft.item.name.as_str()) == error.field()
        });
        // An error that names no item would come again for ever.
        at?.refuse(error.message());
    }
}

/// The rules whose columns are there, and that can be compiled for them.
fn applicable(
    contract: &Contract,
    mapper: &Mapper,
    context: &Context,
    unchecked: &mut Vec<String>,
) -> Vec<Rule> {
    let schema = mapper.schema();
    let there = contract.rules_on(|name| schema.index_of(name).is_ok());
    let fits = |rule: &Rule| match Checker::new(schema, std::slice::from_ref(rule), context.clone())
    {
        Ok(_) => true,
        Err(error) => {
            let why = match error.kind() {
                Kind::Config if error.code() == "rules.reference" => "needs another dataset",
                _ => error.message(),
            };
            unchecked.push(format!("{} ({}): {why}", rule.field(), rule.name()));
            false
        }
    };
    there.into_iter().filter(fits).collect()
}

fn kept_numbers(numbers: &[u64], kept: Option<&BooleanArray>) -> Vec<u64> {
    match kept {
        None => numbers.to_vec(),
        Some(kept) => {
            let rows = numbers.iter().zip(kept.values().iter());
            rows.filter(|(_, kept)| *kept).map(|(number, _)| *number).collect()
        }
    }
}

/// What a rule checks, in words.
fn words(rule: &Rule, expected: &str) -> Words {
    let (en, zh) = match rule {
        Rule::NotNull(_) => ("must have a value", "必填"),
        Rule::Length(_) => ("must have its length", "长度"),
        Rule::Pattern(_) => ("must have its form", "字符与格式"),
        Rule::Range(_) => ("must lie in its range", "取值范围"),
        Rule::CodeTable(_) => ("must be a code of its table", "在代码表中"),
        Rule::Identifier(_) => ("must be a valid number", "号码校验（格式、校验位、日期、区划）"),
        Rule::DateNotFuture(_) => ("must not be in the future", "日期不晚于当天"),
        Rule::Agrees(_) => ("must agree with the number", "与证件号码一致"),
        Rule::Compare(_) => ("must stand in its relation", "字段间关系"),
        Rule::Unique(_) => ("must be there once", "不重复"),
        Rule::Reference(_) => ("must be known elsewhere", "引用存在"),
    };
    match (expected, rule) {
        ("", _) | (_, Rule::NotNull(_)) => Words::new(en, zh),
        (expected, _) => Words::new(format!("{en}: {expected}"), zh),
    }
}
