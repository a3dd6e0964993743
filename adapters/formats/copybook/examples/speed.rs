//! How fast a file of 17 items a record is read: `speed make FILE [RECORDS]` writes it (and FILE.cpy), `speed read FILE [ROUNDS]`
//! reads it to typed columns on one thread and prints CPU seconds and the peak of memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::fs::File;
use std::io::{BufWriter, Read, Write};

use fenhe_copybook::CopybookFormat;
use fenhe_core::{DecodeOptions, Format, Input, Options, Output};
use fenhe_kernels::ChunkPool;

const COPYBOOK: &str = "       01  REC.
           05  PERSON-ID        PIC X(18).
           05  NAME             PIC X(30).
           05  SEX              PIC X(1).
           05  BIRTH            PIC 9(8).
           05  REGION           PIC 9(6).
           05  ADDRESS-LINE     PIC X(60).
           05  CAPITAL          PIC S9(13)V99 COMP-3.
           05  TAX              PIC S9(9)V99 COMP-3.
           05  EMPLOYEES        PIC 9(8) COMP.
           05  BRANCHES         PIC S9(4) COMP.
           05  ISSUED           PIC 9(8).
           05  BALANCE          PIC S9(11)V99.
           05  STAT             PIC X(2).
           05  REMARK           PIC X(40).
           05  SEQ              PIC S9(15) COMP.
           05  RATE             PIC S9(3)V9(4) COMP-3.
           05  KIND             PIC X(3).
";

const WORDS: [&str; 8] =
    ["NORTH", "LAKE", "ROAD", "AVENUE", "BUILDING", "UNIT", "COUNTY", "VILLAGE"];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number =
        |at: usize, usual: usize| args.get(at).map_or(usual, |n| n.parse().expect("a number"));
    match args.get(1..3) {
        Some([verb, file]) if verb == "make" => make(file, number(3, 920_000)),
        Some([verb, file]) if verb == "read" => (0..number(3, 5)).for_each(|_| read(file)),
        _ => panic!("write: speed make|read FILE"),
    }
}

fn make(file: &str, records: usize) {
    std::fs::write(format!("{file}.cpy"), COPYBOOK).unwrap();
    let mut out = BufWriter::new(File::create(file).unwrap());
    let mut seed = 7u64;
    let mut below = |limit: u64| {
        // xorshift64
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % limit
    };
    for _ in 0..records {
        let mut r = Vec::with_capacity(221);
        let id: String = (0..18).map(|_| char::from(b'0' + below(10) as u8)).collect();
        text(&mut r, &id, 18);
        let letters: String =
            (0..3 + below(11)).map(|_| char::from(b'A' + below(26) as u8)).collect();
        text(
            &mut r,
            &format!("{} {letters}", ["WANG", "LI", "ZHANG", "CHEN"][below(4) as usize]),
            30,
        );
        text(&mut r, ["1", "2"][below(2) as usize], 1);
        zoned(&mut r, 19_500_101 + below(700_000) as i64, 8, false);
        zoned(&mut r, below(999_999) as i64, 6, false);
        let mut words =
            |n: u64| (0..n).map(|_| WORDS[below(8) as usize]).collect::<Vec<_>>().join(" ");
        let (address, remark) = (words(5), words(2));
        text(&mut r, &address, 60);
        packed(&mut r, below(20_000_000_000_000) as i64 - 10_000_000_000_000, 8);
        packed(&mut r, below(2_000_000_000) as i64 - 1_000_000_000, 6);
        r.extend((below(10_000_000) as u32).to_be_bytes());
        r.extend((below(2_000) as i16 - 1_000).to_be_bytes());
        zoned(&mut r, 20_000_101 + below(250_000) as i64, 8, false);
        zoned(&mut r, below(20_000_000_000) as i64 - 10_000_000_000, 13, true);
        text(&mut r, ["OK", "NO", "AB"][below(3) as usize], 2);
        text(&mut r, &remark, 40);
        r.extend((below(200_000_000_000_000) as i64 - 100_000_000_000_000).to_be_bytes());
        packed(&mut r, below(2_000_000) as i64 - 1_000_000, 4);
        text(&mut r, ["A1", "B22", "C"][below(3) as usize], 3);
        out.write_all(&r).unwrap();
    }
    out.flush().unwrap();
}

fn text(out: &mut Vec<u8>, text: &str, length: usize) {
    let ebcdic = |c: u8| match c {
        b'0'..=b'9' => c - b'0' + 0xF0,
        b'A'..=b'I' => c - b'A' + 0xC1,
        b'J'..=b'R' => c - b'J' + 0xD1,
        b'S'..=b'Z' => c - b'S' + 0xE2,
        _ => 0x40,
    };
    out.extend(text.bytes().map(ebcdic).chain(std::iter::repeat(0x40)).take(length));
}

fn zoned(out: &mut Vec<u8>, value: i64, digits: usize, signed: bool) {
    out.extend(format!("{:0digits$}", value.abs()).bytes().map(|d| d - b'0' + 0xF0));
    if let Some(last) = out.last_mut().filter(|_| signed) {
        *last = *last & 15 | if value < 0 { 0xD0 } else { 0xC0 };
    }
}

fn packed(out: &mut Vec<u8>, value: i64, bytes: usize) {
    let digits = 2 * bytes - 1;
    let text = format!("{:0digits$}{}", value.abs(), if value < 0 { 'D' } else { 'C' });
    let nibble = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    out.extend(text.as_bytes().chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])));
}

fn read(file: &str) {
    let mut options = Options::new();
    let text = std::fs::read_to_string(format!("{file}.cpy")).unwrap();
    options.set("copybook", serde_json::json!({"name": "bench.cpy", "text": text}));
    let format = CopybookFormat::from_options(&options).unwrap();
    let (begun, mut rows, mut rejects) = (cpu(), 0, 0);
    let pool = ChunkPool::new(256 << 10);
    let mut input = File::open(file).unwrap();
    let mut decoder = format.decoder(DecodeOptions::default()).unwrap();
    loop {
        match decoder.next().unwrap() {
            Output::Done => break,
            Output::Batch(batch) => {
                rows += batch.rows();
                rejects += batch.rejects.len();
            }
            Output::NeedInput => {
                let mut chunk = pool.get();
                let n = input.read(&mut chunk).unwrap();
                let end = Input::EndOfStream;
                decoder.feed(if n == 0 { end } else { Input::Bytes(chunk.freeze(n)) }).unwrap();
            }
        }
    }
    println!("{rows} rows, {rejects} rejects, {:.3} s, peak {} KiB", cpu() - begun, peak());
}

/// Seconds that this thread was on a processor (Linux).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Largest resident size in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
