//! A contract as the rows of a catalogue sheet.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field as ArrowField, Schema};
use fenhe_core::Result;

use super::headings::{Column, HEADINGS};
use crate::Contract;
use crate::contract::Field;
use crate::kind::letter;

/// The rows: one an item, with what concerns the resource in each of them. All columns are text; any format can write them.
///
/// Rules, patterns and severities have no column in such a sheet.
///
/// # Errors
/// None that a contract causes.
pub fn write(contract: &Contract) -> Result<RecordBatch> {
    let columns: Vec<Column> =
        HEADINGS.iter().map(|(column, _)| *column).filter(|c| *c != Column::Nullable).collect();
    let schema = Schema::new(
        columns
            .iter()
            .map(|column| ArrowField::new(column.heading(), DataType::Utf8, true))
            .collect::<Vec<_>>(),
    );
    let arrays = columns.iter().map(|column| {
        let cells = contract.fields().iter().enumerate().map(|(at, field)| {
            let cell = cell(*column, contract, field, at);
            cell.filter(|cell| !cell.is_empty())
        });
        Arc::new(cells.collect::<StringArray>()) as ArrayRef
    });
    Ok(RecordBatch::try_new(Arc::new(schema), arrays.collect())?)
}

fn cell(column: Column, contract: &Contract, field: &Field, at: usize) -> Option<String> {
    let catalogue = contract.catalogue();
    let written = &field.written;
    let yes = |yes: bool| Some(if yes { "是" } else { "否" }.to_owned());
    let (word, length, scale) = letter(&field.kind);
    // A length that stands beside the type counts as well.
    let length = field.length.and_then(|length| length.max).or(length);
    match column {
        Column::Number => Some((at + 1).to_string()),
        Column::Key => yes(contract.key().contains(&field.name)),
        Column::Title => Some(match field.title.as_str() {
            "" => field.name.clone(),
            title => title.to_owned(),
        }),
        Column::Name => Some(field.name.clone()),
        Column::Type if word == "备注型M" && length.is_some() => Some("字符型C".into()),
        Column::Type => Some(word.to_owned()),
        Column::Length => length.map(|length| length.to_string()),
        Column::Scale => scale.map(|scale| scale.to_string()),
        Column::Unit => written.unit.clone(),
        Column::Format => written.format.clone(),
        Column::Origin => written.origin.clone(),
        Column::Table => {
            let table = contract.table(written.code_table.as_deref()?)?;
            let source = table.source();
            Some(if source.is_empty() { table.name() } else { source }.to_owned())
        }
        Column::Required => yes(field.required),
        Column::Nullable => None,
        Column::Sensitivity => written.sensitivity.map(|level| level.zh().to_owned()),
        Column::Grade => written.grade.map(|grade| grade.zh().to_owned()),
        Column::About => written.about.clone(),
        Column::Class => Some(catalogue.class.join("/")),
        Column::Resource => Some(contract.title().to_owned()),
        Column::Code => catalogue.code.clone(),
        Column::Provider => catalogue.provider.clone(),
        Column::ProviderCode => catalogue.provider_code.clone(),
        Column::Summary => Some(contract.draft().about.clone()),
        Column::FormatClass => catalogue.format.as_ref().map(|f| f.class.zh().to_owned()),
        Column::FormatKind => catalogue.format.as_ref().map(|f| f.kind.clone()),
        Column::SharingType => {
            let own = written.sharing.as_ref().and_then(|sharing| sharing.kind);
            own.or(catalogue.sharing.kind).map(|kind| kind.zh().to_owned())
        }
        Column::SharingCondition => {
            let own = written.sharing.as_ref().and_then(|sharing| sharing.condition.clone());
            own.or_else(|| catalogue.sharing.condition.clone())
        }
        Column::SharingMode => {
            let own = written.sharing.as_ref().and_then(|sharing| sharing.mode);
            own.or(catalogue.sharing.mode).map(|mode| mode.zh().to_owned())
        }
        Column::Open => catalogue.open.open.and_then(yes),
        Column::OpenCondition => catalogue.open.condition.clone(),
        Column::Update => contract.update().map(|cycle| cycle.zh().to_owned()),
        Column::Published => catalogue.published.map(|date| date.to_string()),
        Column::Related => Some(catalogue.related.join(";")),
    }
}
