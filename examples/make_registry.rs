//! Writes the files of `examples/registry/data`: what two departments would hand over.
//!
//! `RK.DBF` with `RK.FPT`: a resident register as a FoxPro 2.x program keeps it, GBK text, memo notes.
//! `FEE.TXT`: a fee file as a bank front end sends it, GBK, fixed width, header, details and a trailer with
//! count and sum. `GRID.CSV`: what a community's clerk keeps in a spreadsheet, for `fenhe fit`. People and numbers are invented by a seeded generator; some records are broken on purpose,
//! in the ways such files are broken in practice. The bytes are put together here, without fenhe's encoders.
//!
//! Run it again with `cargo run --example make_registry`; the files come out the same.

use std::fs;
use std::path::Path;

use encoding_rs::GBK;
use fenhe_testkit::generate::{Registry, Row};

const RESIDENTS: usize = 300;
const MEMO_BLOCK: usize = 64;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/registry/data");
    fs::create_dir_all(&folder)?;
    let rows: Vec<Row> = Registry::new(2026).take(RESIDENTS).collect();
    let (table, memo) = residents(&rows);
    fs::write(folder.join("RK.DBF"), table)?;
    fs::write(folder.join("RK.FPT"), memo)?;
    fs::write(folder.join("GRID.CSV"), grid(&rows))?;
    fs::write(folder.join("FEE.TXT"), fees(&rows))
}

/// A FoxPro 2.x table (version F5, language byte 7A = code page 936) and its memo file.
fn residents(rows: &[Row]) -> (Vec<u8>, Vec<u8>) {
    let fields: [(&str, u8, u8, u8); 9] = [
        ("SFZH", b'C', 18, 0),
        ("XM", b'C', 20, 0),
        ("XB", b'C', 1, 0),
        ("CSRQ", b'D', 8, 0),
        ("XZQH", b'C', 6, 0),
        ("ZZ", b'C', 60, 0),
        ("NSR", b'N', 12, 2),
        ("HJ", b'L', 1, 0),
        ("BZ", b'M', 10, 0),
    ];
    let length: usize = 1 + fields.iter().map(|f| usize::from(f.2)).sum::<usize>();
    let mut table = vec![0xf5, 126, 11, 20];
    table.extend((rows.len() as u32).to_le_bytes());
    table.extend((32 + 32 * fields.len() as u16 + 1).to_le_bytes());
    table.extend((length as u16).to_le_bytes());
    table.resize(32, 0);
    table[29] = 0x7a;
    let mut displacement = 1_u32;
    for (name, kind, width, decimals) in fields {
        let mut descriptor = [0; 32];
        descriptor[..name.len()].copy_from_slice(name.as_bytes());
        descriptor[11] = kind;
        descriptor[12..16].copy_from_slice(&displacement.to_le_bytes());
        descriptor[16] = width;
        descriptor[17] = decimals;
        table.extend(descriptor);
        displacement += u32::from(width);
    }
    table.push(0x0d);

    let mut memo = vec![0; 512];
    for (i, row) in rows.iter().enumerate() {
        let number = i + 1;
        // Two residents were struck off; the rows stay in the file until someone packs it.
        table.push(if matches!(number, 40 | 41) { b'*' } else { b' ' });
        text(&mut table, &row.person_id, 18);
        let name = table.len();
        text(&mut table, &row.name, 20);
        text(&mut table, &row.sex.to_string(), 1);
        let born = table.len();
        text(&mut table, &compact(row.birth), 8);
        text(&mut table, &row.region, 6);
        text(&mut table, &row.address, 60);
        let income = table.len();
        let yuan = row.tax.unsigned_abs();
        text(&mut table, &format!("{:>12}", format!("{}.{:02}", yuan / 100, yuan % 100)), 12);
        table.push([b'T', b'F', b' '][i % 3]);
        let pointer = table.len();
        let block = match i % 10 {
            0 => add_memo(&mut memo, &format!("{}，{}。\r\n{}", row.status, row.address, row.name)),
            _ => String::new(),
        };
        text(&mut table, &format!("{block:>10}"), 10);
        match number {
            // A day that no calendar has.
            17 => table[born..born + 8].copy_from_slice(b"19830231"),
            // The program wrote stars because the amount did not fit.
            58 => table[income..income + 12].fill(b'*'),
            // Half a character, left by a cut at a byte count.
            133 => table[name..name + 20].copy_from_slice(b"\xd5\xc5\xc8\xfd               \xc8"),
            // The memo file was restored from an older copy.
            201 => table[pointer..pointer + 10].copy_from_slice(b"    999999"),
            _ => {}
        }
    }
    table.push(0x1a);
    let next = (memo.len() / MEMO_BLOCK) as u32;
    memo[..4].copy_from_slice(&next.to_be_bytes());
    memo[6..8].copy_from_slice(&(MEMO_BLOCK as u16).to_be_bytes());
    (table, memo)
}

/// Appends a text entry of an FPT file and returns its block number.
fn add_memo(memo: &mut Vec<u8>, text: &str) -> String {
    let block = memo.len() / MEMO_BLOCK;
    let bytes = gbk(text);
    memo.extend(1_u32.to_be_bytes());
    memo.extend((bytes.len() as u32).to_be_bytes());
    memo.extend(bytes);
    memo.resize(memo.len().next_multiple_of(MEMO_BLOCK), 0);
    block.to_string()
}

/// A list of 120 people as a clerk keeps it: words in place of codes, ten thousands of yuan, numbers as they were typed.
fn grid(rows: &[Row]) -> Vec<u8> {
    let mut file = gbk("姓名,身份证号,性别,联系电话,年收入（万元）,居住地址,走访日期,走访情况\r\n");
    for (i, row) in rows.iter().take(120).enumerate() {
        let number = i + 1;
        let mut id = row.person_id.clone();
        match number {
            // Typed wrong: the last but one digit.
            7 | 33 | 58 | 90 | 111 => {
                let digit = id.as_bytes()[16];
                let other = char::from(b'0' + (digit - b'0' + 1) % 10);
                id.replace_range(16..17, &other.to_string());
            }
            // Copied from an old household register: 15 digits.
            13 | 78 if id[6..8] == *"19" => id = format!("{}{}", &id[..6], &id[8..17]),
            // Typed with the Chinese keyboard on.
            21 | 64 => {
                id = id.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap_or(c)).collect()
            }
            // Entered twice, on two visits.
            40 => id.clone_from(&rows[38].person_id),
            _ => {}
        }
        let name = if matches!(number, 16 | 85) { "" } else { row.name.as_str() };
        let sex = if number == 49 { "不详" } else { ["女", "男"][usize::from(row.sex == '1')] };
        let phone = format!("13{:09}", 100_000_000 + i * 7_919);
        let phone = if number % 9 == 0 { String::new() } else { phone };
        let fen = row.tax.unsigned_abs();
        let income = match number {
            70 => "约5".to_owned(),
            _ => format!("{}.{:02}", fen / 1_000_000 % 100, fen / 10_000 % 100),
        };
        let visited = format!("2026年{}月{}日", number % 9 + 1, number % 27 + 1);
        let what = if number % 4 == 0 { "在家" } else { "" };
        let line = [name, &id, sex, &phone, &income, &row.address, &visited, what].join(",");
        file.extend(gbk(&line));
        file.extend(b"\r\n");
    }
    file
}

/// Records of 80 bytes and CR LF: `H` with the date, `D` details, `T` with count and sum of the details.
fn fees(rows: &[Row]) -> Vec<u8> {
    let mut file = Vec::new();
    line(&mut file, "H20261120医疗保险费");
    let (mut count, mut sum) = (0_u64, 0_i64);
    for (i, row) in rows.iter().enumerate().filter(|(i, _)| i % 2 == 0) {
        let amount = row.tax.abs() % 500_000;
        let due = compact(row.issued);
        let detail = format!("D{}{}{amount:012}{due}", row.person_id, pad(&row.name, 20));
        (count, sum) = (count + 1, sum + amount);
        let start = file.len();
        line(&mut file, &detail);
        match i {
            // Letters where the amount should be: the sum of the trailer counts what the sender meant.
            24 => file[start + 39..start + 51].copy_from_slice(b"00000O012O00"),
            // A line that lost its end on the way.
            90 => {
                file.truncate(start + 44);
                file.extend(b"\r\n");
            }
            // A month that no calendar has.
            166 => file[start + 51..start + 59].copy_from_slice(b"20251301"),
            _ => {}
        }
    }
    line(&mut file, &format!("T{count:08}{sum:015}"));
    file
}

fn line(file: &mut Vec<u8>, content: &str) {
    let start = file.len();
    file.extend(gbk(content));
    file.resize(start + 80, b' ');
    file.extend(b"\r\n");
}

/// Appends `value` in GBK, cut at a character and filled with blanks to `width` bytes.
fn text(record: &mut Vec<u8>, value: &str, width: usize) {
    record.extend(gbk(&pad(value, width)));
}

fn pad(value: &str, width: usize) -> String {
    let (mut out, mut used) = (String::new(), 0);
    for c in value.chars() {
        let n = if c.is_ascii() { 1 } else { 2 };
        if used + n > width {
            break;
        }
        out.push(c);
        used += n;
    }
    out.extend(std::iter::repeat_n(' ', width - used));
    out
}

fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}

fn compact(date: (u16, u8, u8)) -> String {
    format!("{:04}{:02}{:02}", date.0, date.1, date.2)
}
