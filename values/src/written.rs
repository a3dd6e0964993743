//! How a writer spells a schema that came from elsewhere.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema};
use fenhe_core::schema::{SPELLING, with};
use fenhe_core::{Error, Kind as ErrorKind, Result, nearest};

use crate::schema::{SchemaField, SchemaFile};

/// The schema without the spellings of its source, nested fields too: every value is written plainly. A writer of another
/// format than the one that the schema came from starts with this, because implied decimals, decimal commas and date
/// patterns belong to the file that was read.
///
/// ```
/// use arrow_schema::{DataType, Schema};
/// use fenhe_values::{FieldSpec, plainly_spelled};
/// let mut fee = FieldSpec::new("fee", DataType::Decimal128(9, 2));
/// fee.spelling.number.implied = Some(2);
/// let plain = plainly_spelled(&Schema::new(vec![fee.to_field()]));
/// assert_eq!(FieldSpec::from_field(plain.field(0))?, FieldSpec::new("fee", DataType::Decimal128(9, 2)));
/// # Ok::<(), fenhe_core::Error>(())
/// ```
#[must_use]
pub fn plainly_spelled(schema: &Schema) -> Schema {
    let fields: Vec<FieldRef> = schema.fields().iter().map(plain).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

impl SchemaFile {
    /// The schema with the spellings of this file, by name; columns that the file does not name stay as they are. Types are
    /// those of the data.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with code `value.schema` for a name that the schema does not have, and for a nested column.
    pub fn spell(&self, schema: &Schema) -> Result<Schema> {
        let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
        for said in &self.fields {
            let name = &said.spec.name;
            let place = schema.index_of(name).map_err(|_| unknown(name, schema))?;
            if let Some(field) = fields.get_mut(place) {
                *field = Arc::new(spelled(field, said)?);
            }
        }
        Ok(Schema::new_with_metadata(fields, schema.metadata().clone()))
    }
}

fn spelled(field: &Field, said: &SchemaField) -> Result<Field> {
    if field.data_type().is_nested() {
        let error =
            Error::new(ErrorKind::Config, "value.schema", "a nested column has no spelling");
        return Err(error.at_field(field.name()));
    }
    let plain = plain(&Arc::new(field.clone()));
    Ok(match said.spec.to_field().metadata().get(SPELLING) {
        Some(keys) => with(plain.as_ref().clone(), SPELLING, keys),
        None => plain.as_ref().clone(),
    })
}

fn unknown(name: &str, schema: &Schema) -> Error {
    let message = format!("the schema file names {name}, which is no column of what is written");
    let error = Error::new(ErrorKind::Config, "value.schema", message).at_field(name);
    let names = schema.fields().iter().map(|field| field.name().as_str());
    match nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("columns are {}", names.collect::<Vec<_>>().join(", "))),
    }
}

fn plain(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(inner) => DataType::Struct(inner.iter().map(plain).collect()),
        DataType::List(item) => DataType::List(plain(item)),
        other => other.clone(),
    };
    let mut metadata = field.metadata().clone();
    metadata.remove(SPELLING);
    Arc::new(field.as_ref().clone().with_data_type(data_type).with_metadata(metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SchemaFile {
        SchemaFile::parse(text).unwrap()
    }

    #[test]
    fn spellings_go_at_every_depth_and_other_words_stay() {
        let source = file(
            "[[field]]\nname = \"d\"\ntype = \"date\"\npattern = \"DD/MM/YYYY\"\nnative_type = \"D\"\n",
        );
        let inner = source.schema().field(0).clone();
        let list = Field::new_list("l", inner.clone(), true);
        let nested = Field::new_struct("s", vec![inner.clone(), list], true);
        let plain = plainly_spelled(&Schema::new(vec![inner, nested]));
        let text = format!("{plain:?}");
        assert!(!text.contains(SPELLING), "{text}");
        assert_eq!(text.matches("fenhe.native_type").count(), 3);
    }

    #[test]
    fn a_file_spells_the_columns_it_names() {
        let day = Field::new("day", DataType::Date32, true);
        let schema = Schema::new(vec![day, Field::new("n", DataType::Int64, true)]);
        let said = file("[[field]]\nname = \"day\"\ntype = \"date\"\npattern = \"DD.MM.YYYY\"\n");
        let spelled = said.spell(&schema).unwrap();
        assert_eq!(spelled.field(0).metadata()[SPELLING], "pattern = \"DD.MM.YYYY\"");
        assert!(spelled.field(1).metadata().is_empty());

        let wrong = file("[[field]]\nname = \"dya\"\ntype = \"date\"\n").spell(&schema);
        let error = wrong.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Config, "value.schema"));
        assert!(format!("{error:#}").contains("day"), "{error:#}");
    }
}
