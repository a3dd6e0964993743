//! Tables built byte by byte, independent of the encoder.

/// A table of dBASE III or FoxPro.
#[derive(Clone)]
pub struct Table {
    pub version: u8,
    pub language: u8,
    pub flags: u8,
    pub fields: Vec<(&'static str, u8, u8, u8, u8)>,
    pub rows: Vec<Vec<u8>>,
    pub count: Option<u32>,
    pub record_length: Option<u16>,
    pub end: &'static [u8],
    pub memo: Option<(String, Vec<u8>)>,
}

pub fn dbase3(fields: &[(&'static str, u8, u8, u8)]) -> Table {
    Table {
        version: 0x03,
        language: 0x4D,
        flags: 0,
        fields: fields.iter().map(|(n, k, l, d)| (*n, *k, *l, *d, 0)).collect(),
        rows: Vec::new(),
        count: None,
        record_length: None,
        end: b"\x1a",
        memo: None,
    }
}

/// Every type of Visual FoxPro, with nulls and short varchars.
pub fn vfp() -> Table {
    let mut table = dbase3(&[]);
    table.version = 0x32;
    table.flags = 0x02;
    table.fields = vec![
        ("ID", b'I', 4, 0, 0x0C),
        ("NAME", b'C', 6, 0, 0x02),
        ("CODE", b'V', 5, 0, 0x02),
        ("BIN", b'Q', 4, 0, 0x04),
        ("FEE", b'Y', 8, 4, 0),
        ("SEEN", b'T', 8, 0, 0),
        ("RATE", b'B', 8, 2, 0),
        ("NOTE", b'M', 4, 0, 0),
        ("_NullFlags", b'0', 1, 0, 0x05),
    ];
    // Bits: NAME null, CODE short, CODE null, BIN short.
    let row = |id: i32, name: &[u8], code: &[u8], bin: &[u8], memo: u32, flags: u8| {
        let mut row = id.to_le_bytes().to_vec();
        row.extend(name);
        row.extend(code);
        row.extend(bin);
        row.extend(10_000i64.to_le_bytes());
        row.extend(2_461_043u32.to_le_bytes());
        row.extend(0u32.to_le_bytes());
        row.extend(1.5f64.to_le_bytes());
        row.extend(memo.to_le_bytes());
        row.push(flags);
        row
    };
    table = table
        .row(b' ', &row(1, b"\xD6\xD0\xB9\xFA  ", b"ab\0\0\x02", &[1, 2, 3, 4], 8, 0b0010))
        .row(b' ', &row(-2, b"      ", b"\0\0\0\0\0", &[9, 0, 0, 1], 0, 0b1101))
        .row(b' ', &row(3, b"abcdef", b"abcde", &[0, 0, 0, 0], 9, 0b1000));
    table.memo = Some(("fpt".into(), fpt(64, &["备注".into(), vec![b'x'; 100].into()])));
    table
}

/// A FoxPro memo file of text entries; GBK for the text given as UTF-8 is written by the caller.
pub fn fpt(block: u16, memos: &[Memo]) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[6..8].copy_from_slice(&block.to_be_bytes());
    for Memo(memo) in memos {
        bytes.extend(1u32.to_be_bytes());
        bytes.extend(u32::try_from(memo.len()).unwrap().to_be_bytes());
        bytes.extend(memo);
        let filled = bytes.len().next_multiple_of(usize::from(block));
        bytes.resize(filled, 0);
    }
    if block > 0 {
        let next = u32::try_from(bytes.len() / usize::from(block)).unwrap();
        bytes[..4].copy_from_slice(&next.to_be_bytes());
    }
    bytes
}

/// The bytes of a memo.
pub struct Memo(Vec<u8>);

impl From<&str> for Memo {
    fn from(text: &str) -> Self {
        // Code points looked up in the GBK table: D6D0 B9FA, B1B8 D7A2.
        match text {
            "中国" => Self(b"\xD6\xD0\xB9\xFA".to_vec()),
            "备注" => Self(b"\xB1\xB8\xD7\xA2".to_vec()),
            ascii => Self(ascii.as_bytes().to_vec()),
        }
    }
}

impl From<Vec<u8>> for Memo {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Table {
    pub fn row(mut self, mark: u8, values: &[u8]) -> Self {
        let mut row = vec![mark];
        row.extend(values);
        self.rows.push(row);
        self
    }

    pub fn end(mut self, end: &'static [u8]) -> Self {
        self.end = end;
        self
    }

    pub fn header(&self) -> Vec<u8> {
        let visual = matches!(self.version, 0x30..=0x32);
        let length = 33 + 32 * self.fields.len() + if visual { 263 } else { 0 };
        let record = 1 + self.fields.iter().map(|f| usize::from(f.2)).sum::<usize>();
        let record = self.record_length.unwrap_or(u16::try_from(record).unwrap());
        let mut bytes = vec![self.version, 126, 7, 29];
        bytes.extend(self.count.unwrap_or(u32::try_from(self.rows.len()).unwrap()).to_le_bytes());
        bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
        bytes.extend(record.to_le_bytes());
        bytes.resize(32, 0);
        bytes[28] = self.flags;
        bytes[29] = self.language;
        for (name, kind, length, decimals, flags) in &self.fields {
            let at = bytes.len();
            bytes.extend(name.as_bytes());
            bytes.resize(at + 11, 0);
            bytes.extend([*kind, 0, 0, 0, 0, *length, *decimals, *flags]);
            bytes.resize(at + 32, 0);
        }
        bytes.push(0x0D);
        bytes.resize(length, 0);
        bytes
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.extend(self.rows.iter().flatten());
        bytes.extend(self.end);
        bytes
    }
}
