//! A small writer of binary workbooks, after MS-XLSB and by other code than the reader's.

use super::zip;

/// One record: number and size by seven bits a byte (2.1.4).
pub fn record(number: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let number = usize::from(number);
    if number < 128 {
        out.push(number as u8);
    } else {
        out.extend([(number % 128 + 128) as u8, (number / 128) as u8]);
    }
    let mut size = body.len();
    while size >= 128 {
        out.push((size % 128 + 128) as u8);
        size /= 128;
    }
    out.push(size as u8);
    out.extend(body);
    out
}

/// XLWideString (2.5.168).
pub fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut out = u32::try_from(units.len()).unwrap().to_le_bytes().to_vec();
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    out
}

pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// BrtRowHdr (2.4.741): number from 0, style, height, outline and flags, and no spans.
pub fn row(number: u32, hidden: bool) -> Vec<u8> {
    let mut body = words(&[number, 0]);
    body.extend([0x2C, 0x01, 0, if hidden { 0x10 } else { 0 }, 0]);
    body.extend(words(&[0]));
    record(0, &body)
}

/// A cell's record: column, style and what follows.
pub fn cell(number: u16, column: u32, style: u32, rest: &[u8]) -> Vec<u8> {
    record(number, &[&words(&[column, style])[..], rest].concat())
}

/// A number in 30 bits (2.5.123): `whole` of the integer kind, a hundredth of it when `cents`.
pub fn rk(whole: i32, cents: bool) -> [u8; 4] {
    ((whole << 2) as u32 | 2 | u32::from(cents)).to_le_bytes()
}

/// One sheet of a workbook.
pub struct Sheet {
    pub name: &'static str,
    /// 0 visible, 1 hidden, 2 very hidden.
    pub state: u32,
    /// Records before the rows, the rows, records behind them.
    pub before: Vec<u8>,
    pub rows: Vec<u8>,
    pub after: Vec<u8>,
}

pub fn sheet(name: &'static str, rows: Vec<u8>) -> Sheet {
    Sheet { name, state: 0, before: Vec::new(), rows, after: Vec::new() }
}

pub fn sheet_part(sheet: &Sheet) -> Vec<u8> {
    [
        record(129, &[]),
        record(148, &words(&[0, 10, 0, 7])),
        sheet.before.clone(),
        record(145, &[]),
        sheet.rows.clone(),
        record(146, &[]),
        sheet.after.clone(),
        record(130, &[]),
    ]
    .concat()
}

pub fn strings_part(strings: &[&str]) -> Vec<u8> {
    let count = u32::try_from(strings.len()).unwrap();
    let mut out = record(159, &words(&[count, count]));
    for text in strings {
        out.extend(record(19, &[&[0][..], &wide(text)].concat()));
    }
    out.extend(record(160, &[]));
    out
}

/// Number formats of the workbook's own, and the format of every style.
pub fn styles_part(own: &[(u16, &str)], styles: &[u16]) -> Vec<u8> {
    let xf = |format: u16| {
        let mut body = vec![0, 0];
        body.extend(format.to_le_bytes());
        body.extend([0; 12]);
        record(47, &body)
    };
    let mut out = record(278, &[]);
    out.extend(record(615, &words(&[u32::try_from(own.len()).unwrap()])));
    for (id, code) in own {
        out.extend(record(44, &[&id.to_le_bytes()[..], &wide(code)].concat()));
    }
    out.extend(record(616, &[]));
    // Styles of styles stand in records of the same number, elsewhere.
    out.extend(record(626, &words(&[1])));
    out.extend(xf(14));
    out.extend(record(627, &[]));
    out.extend(record(617, &words(&[u32::try_from(styles.len()).unwrap()])));
    out.extend(styles.iter().flat_map(|format| xf(*format)));
    out.extend(record(618, &[]));
    out.extend(record(279, &[]));
    out
}

pub fn workbook_part(sheets: &[Sheet], of_1904: bool) -> Vec<u8> {
    let mut out = record(131, &[]);
    out.extend(record(153, &[&words(&[u32::from(of_1904), 0])[..], &wide("")].concat()));
    out.extend(record(143, &[]));
    for (sheet, number) in sheets.iter().zip(1_u32..) {
        let ids = words(&[sheet.state, number]);
        let body = [ids, wide(&format!("rId{number}")), wide(sheet.name)].concat();
        out.extend(record(156, &body));
    }
    out.extend(record(144, &[]));
    out.extend(record(132, &[]));
    out
}

const REL: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn relations(list: &[(String, &str, String)]) -> Vec<u8> {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">",
    );
    for (id, kind, target) in list {
        out += &format!("<Relationship Id=\"{id}\" Type=\"{REL}/{kind}\" Target=\"{target}\"/>");
    }
    (out + "</Relationships>").into_bytes()
}

/// The parts of a whole workbook; `tables` belong to the first sheet.
pub fn parts(
    sheets: &[Sheet],
    strings: Vec<u8>,
    styles: Vec<u8>,
    of_1904: bool,
    tables: &[Vec<u8>],
) -> Vec<(String, Vec<u8>)> {
    let mut kinds = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"bin\" ContentType=\"application/vnd.ms-excel.sheet.binary.macroEnabled.main\"/><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>",
    );
    kinds += "</Types>";
    let mut list: Vec<_> = (1..=sheets.len())
        .map(|n| (format!("rId{n}"), "worksheet", format!("worksheets/sheet{n}.bin")))
        .collect();
    list.push(("rIdS".into(), "sharedStrings", "sharedStrings.bin".into()));
    list.push(("rIdT".into(), "styles", "styles.bin".into()));
    let main = [("rId1".into(), "officeDocument", "xl/workbook.bin".into())];
    let mut parts = vec![
        ("[Content_Types].xml".into(), kinds.into_bytes()),
        ("_rels/.rels".into(), relations(&main)),
        ("xl/workbook.bin".into(), workbook_part(sheets, of_1904)),
        ("xl/_rels/workbook.bin.rels".into(), relations(&list)),
        ("xl/sharedStrings.bin".into(), strings),
        ("xl/styles.bin".into(), styles),
    ];
    for (sheet, number) in sheets.iter().zip(1..) {
        parts.push((format!("xl/worksheets/sheet{number}.bin"), sheet_part(sheet)));
    }
    if !tables.is_empty() {
        let list: Vec<_> = (1..=tables.len())
            .map(|n| (format!("rId{n}"), "table", format!("../tables/table{n}.bin")))
            .collect();
        parts.push(("xl/worksheets/_rels/sheet1.bin.rels".into(), relations(&list)));
        for (table, number) in tables.iter().zip(1..) {
            parts.push((format!("xl/tables/table{number}.bin"), table.clone()));
        }
    }
    parts
}

pub fn archive(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let parts: Vec<(&str, Vec<u8>)> =
        parts.iter().map(|(name, body)| (name.as_str(), body.clone())).collect();
    zip(&parts)
}
