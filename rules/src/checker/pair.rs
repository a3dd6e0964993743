//! Rules about several columns of a row.

use std::cmp::Ordering;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use fenhe_core::Result;

use super::column::{Numbers, Text, is_text};
use super::value::day;
use super::{Budget, Test, column};
use crate::Operator;
use crate::identifiers::{Person, Sex, normalise};

pub(super) struct Agrees {
    pub(super) at: usize,
    pub(super) birth: Option<usize>,
    pub(super) sex: Option<usize>,
    pub(super) region: Option<usize>,
    pub(super) region_digits: usize,
    pub(super) male: Vec<String>,
    pub(super) female: Vec<String>,
}

/// How the two columns of a comparison are brought together.
pub(super) enum Ground {
    /// Both are text.
    Text,
    /// Both are numbers of one lane, each to be multiplied by its factor.
    Numbers(i128, i128),
    /// Both are floating point.
    Floats,
}

pub(super) struct Compare {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) op: Operator,
    pub(super) ground: Ground,
}

/// The columns of a batch that a number of a person is compared with.
struct Beside<'a> {
    number: Text<'a>,
    birth: Option<Numbers>,
    sex: Option<Sexes<'a>>,
    region: Option<Text<'a>>,
}

enum Sexes<'a> {
    Text(Text<'a>),
    Numbers(Numbers),
}

impl Agrees {
    fn beside<'a>(&self, batch: &'a RecordBatch) -> Result<Beside<'a>> {
        let beside = |at: Option<usize>| at.map(|at| column(batch, at)).transpose();
        Ok(Beside {
            number: Text::new(column(batch, self.at)?),
            birth: beside(self.birth)?.map(Numbers::of),
            sex: beside(self.sex)?.map(|array| {
                if is_text(array.data_type()) {
                    Sexes::Text(Text::new(array))
                } else {
                    Sexes::Numbers(Numbers::of(array))
                }
            }),
            region: beside(self.region)?.map(Text::new),
        })
    }

    /// What disagrees in this row.
    fn disagreement(&self, beside: &Beside<'_>, row: usize) -> Option<&'static str> {
        let text = beside.number.get(row)?;
        let person = Person::read(text.as_bytes()).or_else(|| {
            // Full width and blanks are another rule's business.
            normalise(text.as_bytes()).and_then(|normal| Person::read(normal.as_bytes()))
        })?;
        let birth = beside.birth.as_ref().and_then(|births| day(births.get(row)));
        if birth.is_some_and(|birth| !same_birth(&person, birth)) {
            return Some("another birth date than in the number");
        }
        if let Some(sexes) = &beside.sex
            && self.sex(sexes, row).is_some_and(|sex| sex != person.sex)
        {
            return Some("another sex than in the number");
        }
        let region = beside.region.and_then(|regions| regions.get(row))?;
        let digits = ..self.region_digits;
        (region.trim().as_bytes().get(digits) != person.region.get(digits))
            .then_some("another region than in the number")
    }

    fn sex(&self, sexes: &Sexes<'_>, row: usize) -> Option<Sex> {
        let listed =
            |list: &[String], same: &dyn Fn(&str) -> bool| list.iter().any(|word| same(word));
        let of = |same: &dyn Fn(&str) -> bool| {
            if listed(&self.male, same) {
                Some(Sex::Male)
            } else {
                listed(&self.female, same).then_some(Sex::Female)
            }
        };
        match sexes {
            Sexes::Text(texts) => {
                let text = texts.get(row)?.trim();
                of(&|word| word == text)
            }
            Sexes::Numbers(numbers) => {
                let number = numbers.get(row)?;
                of(&|word| word.parse() == Ok(number))
            }
        }
    }
}

impl Test for Agrees {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let beside = self.beside(batch)?;
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), |row| {
            self.disagreement(&beside, row).is_some()
        }))
    }

    fn reason(&self, batch: &RecordBatch, row: usize) -> &'static str {
        let beside = self.beside(batch).ok();
        beside.and_then(|beside| self.disagreement(&beside, row)).unwrap_or("another value")
    }
}

impl Test for Compare {
    fn find(&mut self, batch: &RecordBatch, _: &mut Budget) -> Result<BooleanBuffer> {
        let (left, right) = (column(batch, self.left)?, column(batch, self.right)?);
        let rows = batch.num_rows();
        let wrong = |ordering: Option<Ordering>| ordering.is_some_and(|it| !self.op.holds(it));
        Ok(match self.ground {
            Ground::Text => {
                let (left, right) = (Text::new(left), Text::new(right));
                BooleanBuffer::collect_bool(rows, |row| {
                    wrong(left.get(row).zip(right.get(row)).map(|(l, r)| l.cmp(r)))
                })
            }
            Ground::Numbers(by_left, by_right) => {
                let (left, right) = (Numbers::of(left), Numbers::of(right));
                BooleanBuffer::collect_bool(rows, |row| {
                    // Saturation keeps the order: the other side has at most 38 digits, and i128 ends above them.
                    wrong(
                        left.get(row).zip(right.get(row)).map(|(l, r)| {
                            l.saturating_mul(by_left).cmp(&r.saturating_mul(by_right))
                        }),
                    )
                })
            }
            Ground::Floats => {
                let (left, right) = (floats(left), floats(right));
                BooleanBuffer::collect_bool(rows, |row| {
                    let pair =
                        left.get(row).copied().flatten().zip(right.get(row).copied().flatten());
                    pair.is_some_and(|(l, r)| l.partial_cmp(&r).is_none_or(|it| !self.op.holds(it)))
                })
            }
        })
    }

    fn reason(&self, _: &RecordBatch, _: usize) -> &'static str {
        "a value that is not"
    }
}

/// Whether a birth date is the one of the number; of a number that leaves the century open, up to the century.
fn same_birth(person: &Person, birth: crate::Date) -> bool {
    if !person.century_assumed {
        return person.birth == birth;
    }
    let ((a, b, c), (d, e, f)) = (person.birth.civil(), birth.civil());
    (a.rem_euclid(100), b, c) == (d.rem_euclid(100), e, f)
}

fn floats(array: &dyn Array) -> Vec<Option<f64>> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float32Type, Float64Type};
    match array.as_primitive_opt::<Float32Type>() {
        Some(array) => array.iter().map(|value| value.map(f64::from)).collect(),
        None => array
            .as_primitive_opt::<Float64Type>()
            .map(|array| array.iter().collect())
            .unwrap_or_default(),
    }
}
