//! A seeded generator of a resident and enterprise registry, spelled as the formats spell it.
//!
//! The writers here are independent of fenhe's encoders on purpose: benchmarks and tests that read what
//! they write compare two implementations. Text draws on the 3,755 level-1 characters of GB 2312, so
//! that code page tables are exercised about as widely as by real names and addresses.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use encoding_rs::{GB18030, GBK};

use crate::format::Random;

/// One record of the registry. Amounts are in hundredths (fen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 18-digit citizen number with a valid check character (GB 11643).
    pub person_id: String,
    /// Two to four characters.
    pub name: String,
    /// `1` or `2` (GB/T 2261.1).
    pub sex: char,
    /// Year, month, day.
    pub birth: (u16, u8, u8),
    /// Six-digit administrative division.
    pub region: String,
    /// Ten to twenty-six characters, some digits among them.
    pub address: String,
    /// Registered capital, absent in one of twenty records.
    pub capital: Option<i64>,
    /// Tax of the year, may be negative.
    pub tax: i64,
    /// Number of employees.
    pub employees: u32,
    /// Year, month, day.
    pub issued: (u16, u8, u8),
    /// Seconds within the day of `issued`.
    pub updated: u32,
    /// Two-letter status.
    pub status: &'static str,
    /// Empty in half of the records; one in fifty holds a comma, one in five hundred a rare character.
    pub remark: String,
}

/// An endless, repeatable stream of [`Row`]s.
#[derive(Clone, Debug)]
pub struct Registry {
    random: Random,
    level_1: Arc<[char]>,
    rare: bool,
}

/// Character set of a generated text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// GB18030, with some four-byte characters.
    Gb18030,
    /// GBK, which cannot hold the rare ones.
    Gbk,
}

/// Widths in bytes of the fields in [`write_fixed`] and [`write_dbf`], in the order of [`Row`].
pub const WIDTHS: [usize; 13] = [18, 12, 1, 8, 6, 60, 16, 14, 8, 8, 14, 2, 40];

/// Names of the columns, in the order of [`Row`]; at most ten characters, for DBF.
pub const NAMES: [&str; 13] = [
    "person_id",
    "name",
    "sex",
    "birth",
    "region",
    "address",
    "capital",
    "tax",
    "employees",
    "issued",
    "updated",
    "status",
    "remark",
];

/// Columns and types of the registry.
pub fn schema() -> SchemaRef {
    let types = [
        DataType::Utf8,
        DataType::Utf8,
        DataType::Utf8,
        DataType::Date32,
        DataType::Utf8,
        DataType::Utf8,
        DataType::Decimal128(16, 2),
        DataType::Decimal128(14, 2),
        DataType::Int64,
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::Utf8,
        DataType::Utf8,
    ];
    let field = |(name, data_type): (&str, DataType)| Field::new(name, data_type, true);
    Arc::new(Schema::new(NAMES.into_iter().zip(types).map(field).collect::<Vec<_>>()))
}

impl Registry {
    /// The stream of this seed, without characters outside GBK.
    pub fn new(seed: u64) -> Self {
        let level_1: Vec<char> = (0xb0..=0xd7_u8)
            .flat_map(|row| (0xa1..=0xfe_u8).map(move |cell| [row, cell]))
            .filter_map(|code| {
                let text = GBK.decode_without_bom_handling_and_without_replacement(&code)?;
                text.chars().next()
            })
            .collect();
        Self { random: Random(seed), level_1: level_1.into(), rare: false }
    }

    /// With some characters outside GBK in the remarks.
    #[must_use]
    pub fn with_rare(mut self) -> Self {
        self.rare = true;
        self
    }

    fn hanzi(&mut self, n: u64) -> String {
        let count = self.level_1.len() as u64;
        (0..n).map(|_| self.level_1[self.random.below(count) as usize]).collect()
    }

    fn date(&mut self, from: u16, years: u64) -> (u16, u8, u8) {
        let year = from + self.random.below(years) as u16;
        (year, 1 + self.random.below(12) as u8, 1 + self.random.below(28) as u8)
    }

    fn address(&mut self) -> String {
        let (street, estate) = (2 + self.random.below(3), 2 + self.random.below(6));
        let (number, house, room) =
            (self.random.below(900) + 1, self.random.below(40) + 1, self.random.below(2_900) + 101);
        let (street, estate) = (self.hanzi(street), self.hanzi(estate));
        format!("{street}区{estate}路{number}号{house}栋{room}室")
    }

    fn remark(&mut self) -> String {
        let choice = self.random.below(1_000);
        let text = match choice {
            0..500 => return String::new(),
            500..980 => {
                let n = 3 + self.random.below(12);
                self.hanzi(n)
            }
            _ => format!("{},{}", self.hanzi(4), self.hanzi(5)),
        };
        if self.rare && choice % 250 == 3 { format!("{text}㐂𠮷") } else { text }
    }
}

impl Iterator for Registry {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let birth = self.date(1940, 70);
        let region = format!(
            "{:02}{:02}{:02}",
            11 + self.random.below(55),
            1 + self.random.below(20),
            1 + self.random.below(30)
        );
        let sequence = self.random.below(1_000);
        let sex = if sequence % 2 == 1 { '1' } else { '2' };
        let letters = 2 + self.random.below(3);
        Some(Row {
            person_id: citizen_number(&region, birth, sequence),
            name: self.hanzi(letters),
            sex,
            birth,
            address: self.address(),
            capital: (self.random.below(20) != 0).then(|| self.random.below(9_000_000_000) as i64),
            tax: self.random.below(300_000_000) as i64 - 10_000_000,
            employees: self.random.below(5_000) as u32,
            issued: self.date(2001, 25),
            updated: self.random.below(86_400) as u32,
            status: ["正常", "注销", "吊销", "迁出"][self.random.below(4) as usize],
            remark: self.remark(),
            region,
        })
    }
}

/// An 18-digit citizen number: region, birth date, sequence and the check character of ISO 7064 MOD 11-2.
pub fn citizen_number(region: &str, birth: (u16, u8, u8), sequence: u64) -> String {
    let body = format!("{region}{:04}{:02}{:02}{sequence:03}", birth.0, birth.1, birth.2);
    // GB 11643: weights 2^(18-i) mod 11, check characters in the order of the remainder.
    let sum: u32 = body
        .bytes()
        .zip([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
        .map(|(d, w)| u32::from(d - b'0') * w)
        .sum();
    let check = char::from(b"10X98765432"[(sum % 11) as usize]);
    format!("{body}{check}")
}

/// Comma-separated with header and LF, dates `YYYY-MM-DD`, timestamps `YYYY-MM-DD hh:mm:ss`, quotes only where needed.
///
/// # Errors
/// Those of `out`.
pub fn write_csv(out: &mut impl Write, rows: usize, seed: u64, charset: Charset) -> io::Result<()> {
    writeln!(out, "{}", NAMES.join(","))?;
    let registry = Registry { rare: charset != Charset::Gbk, ..Registry::new(seed) };
    for row in registry.take(rows) {
        let capital = row.capital.map(fen).unwrap_or_default();
        let remark =
            if row.remark.contains(',') { format!("\"{}\"", row.remark) } else { row.remark };
        let line = format!(
            "{},{},{},{},{},{},{capital},{},{},{},{} {},{},{remark}\n",
            row.person_id,
            row.name,
            row.sex,
            dashed(row.birth),
            row.region,
            row.address,
            fen(row.tax),
            row.employees,
            dashed(row.issued),
            dashed(row.issued),
            clock(row.updated, ":"),
            row.status,
        );
        out.write_all(&encode(&line, charset))?;
    }
    Ok(())
}

/// One JSON object a line, amounts as numbers.
///
/// # Errors
/// Those of `out`.
pub fn write_ndjson(out: &mut impl Write, rows: usize, seed: u64) -> io::Result<()> {
    for row in Registry::new(seed).with_rare().take(rows) {
        let capital = row.capital.map_or("null".into(), fen);
        writeln!(
            out,
            "{{\"person_id\":\"{}\",\"name\":\"{}\",\"sex\":\"{}\",\"birth\":\"{}\",\"region\":\"{}\",\"address\":\"{}\",\
             \"capital\":{capital},\"tax\":{},\"employees\":{},\"issued\":\"{}\",\"updated\":\"{}T{}\",\"status\":\"{}\",\"remark\":\"{}\"}}",
            row.person_id,
            row.name,
            row.sex,
            dashed(row.birth),
            row.region,
            row.address,
            fen(row.tax),
            row.employees,
            dashed(row.issued),
            dashed(row.issued),
            clock(row.updated, ":"),
            row.status,
            row.remark,
        )?;
    }
    Ok(())
}

/// GBK records of [`WIDTHS`] bytes and LF: text left-justified, numbers right-justified with a point, dates `YYYYMMDD`,
/// timestamps `YYYYMMDDhhmmss`.
///
/// # Errors
/// Those of `out`.
pub fn write_fixed(out: &mut impl Write, rows: usize, seed: u64) -> io::Result<()> {
    for row in Registry::new(seed).take(rows) {
        let mut record = fields(&row);
        record.push(b'\n');
        out.write_all(&record)?;
    }
    Ok(())
}

/// A dBase III table with the language byte of GBK; timestamps are a character field.
///
/// # Errors
/// Those of `out`.
pub fn write_dbf(out: &mut impl Write, rows: usize, seed: u64) -> io::Result<()> {
    let kinds = *b"CCCDCCNNNDCCC";
    let length: usize = 1 + WIDTHS.iter().sum::<usize>();
    let mut header = vec![0x03, 126, 1, 2];
    header.extend(u32::try_from(rows).unwrap_or(u32::MAX).to_le_bytes());
    header.extend((32 + 32 * NAMES.len() as u16 + 1).to_le_bytes());
    header.extend((length as u16).to_le_bytes());
    header.extend([0; 20]);
    header[29] = 0x4d;
    for ((name, kind), width) in NAMES.iter().zip(kinds).zip(WIDTHS) {
        let mut descriptor = [0; 32];
        descriptor[..name.len()].copy_from_slice(name.to_ascii_uppercase().as_bytes());
        descriptor[11] = kind;
        descriptor[16] = width as u8;
        descriptor[17] = if matches!(*name, "capital" | "tax") { 2 } else { 0 };
        header.extend(descriptor);
    }
    header.push(0x0d);
    out.write_all(&header)?;
    for row in Registry::new(seed).take(rows) {
        out.write_all(b" ")?;
        out.write_all(&fields(&row))?;
    }
    out.write_all(&[0x1a])
}

/// The fields of a record at [`WIDTHS`], in GBK, without a separator.
fn fields(row: &Row) -> Vec<u8> {
    let mut record = Vec::with_capacity(224);
    let text = |text: &str, width: usize, record: &mut Vec<u8>| {
        let end = record.len() + width;
        for c in text.chars() {
            let code = encode(c.encode_utf8(&mut [0; 4]), Charset::Gbk);
            if record.len() + code.len() > end {
                break;
            }
            record.extend_from_slice(&code);
        }
        record.resize(end, b' ');
    };
    let compact = |d: (u16, u8, u8)| format!("{:04}{:02}{:02}", d.0, d.1, d.2);
    text(&row.person_id, 18, &mut record);
    text(&row.name, 12, &mut record);
    text(&row.sex.to_string(), 1, &mut record);
    text(&compact(row.birth), 8, &mut record);
    text(&row.region, 6, &mut record);
    text(&row.address, 60, &mut record);
    text(&format!("{:>16}", row.capital.map(fen).unwrap_or_default()), 16, &mut record);
    text(&format!("{:>14}", fen(row.tax)), 14, &mut record);
    text(&format!("{:>8}", row.employees), 8, &mut record);
    text(&compact(row.issued), 8, &mut record);
    text(&format!("{}{}", compact(row.issued), clock(row.updated, "")), 14, &mut record);
    // Two bytes hold one character of the status.
    text(row.status, 2, &mut record);
    text(&row.remark, 40, &mut record);
    record
}

fn encode(text: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Gb18030 => GB18030.encode(text).0.into_owned(),
        Charset::Gbk => GBK.encode(text).0.into_owned(),
    }
}

fn fen(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    format!("{sign}{}.{:02}", amount / 100, amount % 100)
}

fn dashed(date: (u16, u8, u8)) -> String {
    format!("{:04}-{:02}-{:02}", date.0, date.1, date.2)
}

fn clock(seconds: u32, mark: &str) -> String {
    format!("{:02}{mark}{:02}{mark}{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_is_that_of_the_standard() {
        // The sample number of GB 11643-1999, section 4.
        assert_eq!(citizen_number("110105", (1949, 12, 31), 2), "11010519491231002X");
    }

    #[test]
    fn a_record_has_its_width_and_a_seed_repeats() {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        write_fixed(&mut a, 50, 7).unwrap();
        write_fixed(&mut b, 50, 7).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.len(), 50 * (WIDTHS.iter().sum::<usize>() + 1));
    }
}
