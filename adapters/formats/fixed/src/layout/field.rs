//! One field of a layout file.

use arrow_schema::DataType;
use fenhe_core::{Result, schema};
use fenhe_text::Encoding;
use fenhe_values::{FieldSpec, SignStyle, Trim, parse_type};
use serde::Deserialize;
use toml::Spanned;

use super::parse::{OneOrMore, Source};
use super::{FieldLayout, Justify, Sign};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldText {
    name: Spanned<String>,
    at: Option<Spanned<u32>>,
    start: Option<Spanned<u32>>,
    length: Spanned<u32>,
    #[serde(rename = "type")]
    data_type: Option<Spanned<String>>,
    implied: Option<u8>,
    sign: Option<Spanned<SignText>>,
    justify: Option<JustifyText>,
    pad: Option<Spanned<char>>,
    trim: Option<Spanned<String>>,
    pattern: Option<OneOrMore>,
    pivot: Option<u8>,
    zero_is_null: Option<bool>,
    nulls: Option<Vec<String>>,
    yes: Option<OneOrMore>,
    no: Option<OneOrMore>,
    decimal_mark: Option<char>,
    thousands: Option<char>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    overlay: bool,
    title: Option<String>,
    sensitivity: Option<String>,
    code_table: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SignText {
    Leading,
    Trailing,
    LeadingSeparate,
    TrailingSeparate,
    Overpunch,
    OverpunchLeading,
    OverpunchEbcdic,
    OverpunchEbcdicLeading,
    None,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum JustifyText {
    Left,
    Right,
}

/// What all fields of a layout have in common.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) source: Source<'a>,
    pub(super) encoding: Encoding,
    /// The option `trim`.
    pub(super) trim: Option<&'a str>,
}

impl FieldText {
    /// The field; `next` is where the one before it ends.
    pub(super) fn read(&self, shared: Shared<'_>, next: usize) -> Result<FieldLayout> {
        let source = shared.source;
        let at = self.position(source, next)?;
        let length = *self.length.get_ref() as usize;
        if length == 0 {
            return Err(source.mistake(self.length.span().start, "a field has at least one place"));
        }
        let data_type = self.data_type(source)?;
        let mut field = FieldLayout {
            at,
            length,
            spec: FieldSpec::new(self.name.get_ref(), data_type).required(self.required),
            sign: self.sign.as_ref().map_or(Sign::Leading, |s| (*s.get_ref()).into()),
            justify: Justify::Left,
            pad: ' ',
            trim_pad: false,
            overlay: self.overlay,
            metadata: self.metadata(),
        };
        self.spell(&mut field);
        self.place(shared, &mut field)?;
        self.check_sign(source, &field)?;
        Ok(field)
    }

    fn position(&self, source: Source<'_>, next: usize) -> Result<usize> {
        match (&self.at, &self.start) {
            (Some(at), None) => (*at.get_ref() as usize).checked_sub(1).ok_or_else(|| {
                source.mistake(at.span().start, "`at` counts from 1; `start` counts from 0")
            }),
            (None, Some(start)) => Ok(*start.get_ref() as usize),
            (None, None) => Ok(next),
            (Some(at), Some(_)) => Err(source
                .mistake(at.span().start, "`at` and `start` say the same thing: leave one out")),
        }
    }

    fn data_type(&self, source: Source<'_>) -> Result<DataType> {
        let Some(name) = &self.data_type else { return Ok(DataType::Utf8) };
        parse_type(name.get_ref()).map_err(|error| {
            let found =
                source.mistake(name.span().start, format!("no type is called {}", error.name));
            match error.near {
                Some(near) => found.hint(format!("did you mean {near}?")),
                None => found.hint("see the types in the page of the layout"),
            }
        })
    }

    fn spell(&self, field: &mut FieldLayout) {
        let spelling = &mut field.spec.spelling;
        if let Some(nulls) = &self.nulls {
            spelling.nulls.clone_from(nulls);
        }
        spelling.date.patterns = match &self.pattern {
            Some(patterns) => patterns.clone().into_vec(),
            // Eight places hold no hyphens, so ISO 8601 means the basic format there.
            None if field.spec.data_type == DataType::Date32 && field.length == 8 => {
                vec!["YYYYMMDD".into()]
            }
            None => Vec::new(),
        };
        spelling.date.pivot = self.pivot.unwrap_or(spelling.date.pivot);
        spelling.date.zero_is_null = self.zero_is_null.unwrap_or(false);
        if let Some(yes) = &self.yes {
            spelling.boolean.yes = yes.clone().into_vec();
        }
        if let Some(no) = &self.no {
            spelling.boolean.no = no.clone().into_vec();
        }
        spelling.number.decimal_mark = self.decimal_mark.unwrap_or('.');
        spelling.number.thousands = self.thousands;
        spelling.number.implied = self.implied.or(match &field.spec.data_type {
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)
                if field.sign.is_overpunch() =>
            {
                u8::try_from(*scale).ok().filter(|s| *s > 0)
            }
            _ => None,
        });
        if matches!(field.sign, Sign::Trailing | Sign::TrailingSeparate) {
            spelling.number.sign = SignStyle::Trailing;
        }
    }

    fn place(&self, shared: Shared<'_>, field: &mut FieldLayout) -> Result<()> {
        let source = shared.source;
        let number = field.is_number();
        field.justify = match self.justify {
            Some(JustifyText::Left) => Justify::Left,
            Some(JustifyText::Right) => Justify::Right,
            None if number => Justify::Right,
            None => Justify::Left,
        };
        let zeros = number
            && (field.spec.spelling.number.implied.is_some() || field.sign.fills_the_field());
        field.pad = self.pad.as_ref().map_or(if zeros { '0' } else { ' ' }, |p| *p.get_ref());
        let pad_at = self.pad.as_ref().map_or(0, |p| p.span().start);
        if number && field.pad == '0' && field.justify == Justify::Left {
            return Err(source
                .mistake(pad_at, "zeros after a number change it")
                .hint("justify = \"right\""));
        }
        let pad = shared.encoding.encode(&field.pad.to_string());
        if let Err(missing) = pad {
            return Err(source.mistake(pad_at, missing.to_string()));
        }
        field.trim_pad = field.pad != ' ' && !(number && field.pad == '0');
        let word = self.trim.as_ref().map(|t| t.get_ref().as_str()).or(shared.trim);
        field.spec.spelling.trim = match word {
            None => match field.justify {
                _ if field.pad != ' ' => Trim::NONE,
                Justify::Left => Trim::END,
                Justify::Right => Trim::START,
            },
            Some(word) => Trim::from_word(word).ok_or_else(|| {
                let at = self.trim.as_ref().map_or(0, |t| t.span().start);
                source.mistake(at, format!("trim is none, left, right or both, not {word}"))
            })?,
        };
        Ok(())
    }

    fn check_sign(&self, source: Source<'_>, field: &FieldLayout) -> Result<()> {
        let Some(sign) = &self.sign else { return Ok(()) };
        let exact = field.spec.data_type.is_integer() || field.spec.data_type.is_decimal();
        if !exact && field.sign != Sign::Leading {
            return Err(
                source.mistake(sign.span().start, "a sign belongs to a whole or decimal number")
            );
        }
        Ok(())
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        [
            (schema::TITLE, &self.title),
            (schema::SENSITIVITY, &self.sensitivity),
            (schema::CODE_TABLE, &self.code_table),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.clone()?)))
        .collect()
    }
}

impl Sign {
    /// Whether the sign is part of a digit.
    pub(crate) fn is_overpunch(self) -> bool {
        matches!(
            self,
            Self::Overpunch
                | Self::OverpunchLeading
                | Self::OverpunchEbcdic
                | Self::OverpunchEbcdicLeading
        )
    }

    /// Whether digits and sign take up the whole field, as in COBOL.
    fn fills_the_field(self) -> bool {
        self.is_overpunch() || matches!(self, Self::LeadingSeparate | Self::TrailingSeparate)
    }
}

impl From<SignText> for Sign {
    fn from(text: SignText) -> Self {
        match text {
            SignText::Leading => Self::Leading,
            SignText::Trailing => Self::Trailing,
            SignText::LeadingSeparate => Self::LeadingSeparate,
            SignText::TrailingSeparate => Self::TrailingSeparate,
            SignText::Overpunch => Self::Overpunch,
            SignText::OverpunchLeading => Self::OverpunchLeading,
            SignText::OverpunchEbcdic => Self::OverpunchEbcdic,
            SignText::OverpunchEbcdicLeading => Self::OverpunchEbcdicLeading,
            SignText::None => Self::None,
        }
    }
}
