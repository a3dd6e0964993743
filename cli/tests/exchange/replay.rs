use crate::support::{Work, query};

#[test]
fn rows_with_times_of_a_zone_are_kept_and_come_back() {
    let work = Work::new();
    work.write(
        "in.csv",
        "id,at,fee\n1,2026-01-02T03:04:05Z,1.00\n2,2026-01-02T03:04:06Z,x\n3,2026-01-02T03:04:07Z,3.00\n",
    );
    work.write(
        "exchange.toml",
        "[budget]\nrejects = 1\n[[flow]]\nname = \"f\"\nfrom = \"in.csv\"\nto = \"sqlite:p.db#t\"\n\
         [flow.read]\nschema = \"schema.toml\"\n[flow.write]\nkey = [\"id\"]\n\
         [flow.fields]\nid = \"id\"\nat = \"at\"\nfee = { from = \"fee\", type = \"decimal(5,2)\" }\n",
    );
    work.write(
        "schema.toml",
        "[[field]]\nname = \"id\"\ntype = \"int64\"\n[[field]]\nname = \"at\"\n\
         type = \"timestamp(ms, UTC)\"\n[[field]]\nname = \"fee\"\ntype = \"text\"\n",
    );
    work.ends("run exchange.toml", 0);
    let reject: serde_json::Value =
        serde_json::from_str(&work.read("exchange.rejects.ndjson")).unwrap();
    let raw = hex_decode(reject["raw"].as_str().unwrap());
    assert_eq!(raw, "{\"id\":2,\"at\":\"2026-01-02T03:04:06Z\",\"fee\":\"x\"}");
    work.ends("replay exchange.toml --export list.csv", 0);
    let list = work.read("list.csv");
    assert!(list.contains("2026-01-02T03:04:06Z"), "{list}");
    work.write("list.csv", list.replace(",x", ",2.00"));
    work.ends("replay exchange.toml --corrected list.csv", 0);
    let rows = query(&work.sqlite("p.db"), "SELECT id, at, fee FROM t ORDER BY id");
    let times: Vec<_> = rows.iter().map(|row| row.split('|').nth(1).unwrap()).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(times[1], times[0].replace("05", "06"), "spelled like the others");
}

fn hex_decode(text: &str) -> String {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    String::from_utf8((0..text.len()).step_by(2).map(byte).collect()).unwrap()
}

/// A flow of three fields into a table with a key.
fn flow(from: &str, read: &str, rejects: &str) -> String {
    format!(
        "{rejects}[budget]\nrejects = 3\n[[flow]]\nname = \"f\"\nfrom = \"{from}\"\nto = \"sqlite:p.db#t\"\n\
         [flow.read]\n{read}\n[flow.write]\nkey = [\"no\"]\n[flow.fields]\nno = {{ from = \"id\", type = \"text\" }}\n\
         name = {{ from = \"name\", steps = [\"trim\"] }}\nfee = {{ from = \"fee\", type = \"decimal(8,2)\", required = true }}\n"
    )
}

/// GBK, with a comma too many in the second record and one too few in the fourth.
const CSV: &[u8] = b"id,name,fee\r\n1,\xd5\xc5\xc8\xfd,1.00\r\n2,\xc0\xee\xcb\xc4,2,250.00\r\n3,\xcd\xf5\xce\xe5,3.25\r\n4\xd5\xd4\xc1\xf9,4.00\r\n";

fn totals(work: &Work) -> Vec<String> {
    query(&work.sqlite("p.db"), "SELECT no, name, fee FROM t ORDER BY no")
}

#[test]
fn a_csv_record_is_corrected_as_text_and_decoded_again() {
    let work = Work::new();
    work.write("in.csv", CSV);
    work.write("exchange.toml", flow("in.csv", "types = \"text\"\nencoding = \"gbk\"", ""));
    work.ends("run exchange.toml", 0);
    assert_eq!(totals(&work), ["1|张三|1", "3|王五|3.25"]);
    work.ends("replay exchange.toml --export list.csv", 0);
    let list = work.read("list.csv");
    // The clerk reads the record; the file is GBK, the list is not.
    assert!(list.contains("\"2,李四,2,250.00\""), "{list}");
    let list = list.replace("2,李四,2,250.00", "2,李四,2250.00").replace("4赵六,4.00", "4,赵六");
    work.write("list.csv", list);
    let sent = work.ends("replay exchange.toml --corrected list.csv", 0);
    assert!(sent.out.contains("the books balance"), "{}", sent.out);
    assert_eq!(totals(&work), ["1|张三|1", "2|李四|2250", "3|王五|3.25"]);
    // What is refused once more stays open, with its new bytes, and under its own number.
    work.ends("replay exchange.toml --export rest.csv", 0);
    let rest = work.read("rest.csv");
    assert!(rest.lines().count() == 2 && rest.contains("\"4,赵六\""), "{rest}");
    work.write("rest.csv", rest.replace("4,赵六", "4,赵六,4.00"));
    let sent = work.ends("replay exchange.toml --corrected rest.csv", 0);
    assert!(
        sent.out.lines().any(|line| line.contains("still rejected") && line.ends_with(" 0")),
        "{}",
        sent.out
    );
    assert_eq!(totals(&work).len(), 4);
    let books = query(
        &work.sqlite(".fenhe/ledger.db"),
        "SELECT read, delivered, rejected, replayed FROM books ORDER BY read DESC LIMIT 1",
    );
    assert_eq!(books, ["4|2|2|2"]);
}

#[test]
fn lines_of_the_file_of_rejects_are_corrected_in_their_digits() {
    let work = Work::new();
    work.write("in.csv", CSV);
    work.write("exchange.toml", flow("in.csv", "types = \"text\"", "rejects = \"r.ndjson\"\n"));
    work.ends("run exchange.toml", 0);
    let rejects = work.read("r.ndjson");
    assert_eq!(rejects.lines().count(), 2);
    // 2C is a comma: the one within the amount goes, and one comes behind the number.
    let corrected = rejects
        .replace("322cc0eecbc42c322c3235302e3030", "322cc0eecbc42c323235302e3030")
        .replace("34d5d4c1f92c", "342cd5d4c1f92c");
    assert_ne!(corrected, rejects);
    work.write("corrected.ndjson", corrected);
    work.ends("replay exchange.toml --corrected corrected.ndjson", 0);
    assert_eq!(totals(&work), ["1|张三|1", "2|李四|2250", "3|王五|3.25", "4|赵六|4"]);
}

#[test]
fn a_fixed_record_is_decoded_by_its_layout_also_beside_control_totals() {
    let work = Work::new();
    work.write(
        "layout.toml",
        "[layout]\nname = \"fee\"\nversion = \"1\"\nencoding = \"gbk\"\nline_end = \"lf\"\n\
         [[record]]\nname = \"detail\"\nwhen = { at = 1, equals = \"D\" }\n\
         [[record.field]]\nname = \"kind\"\nat = 1\nlength = 1\n\
         [[record.field]]\nname = \"id\"\nlength = 2\n\
         [[record.field]]\nname = \"name\"\nlength = 6\n\
         [[record.field]]\nname = \"fee\"\nlength = 6\ntype = \"decimal(6,2)\"\nimplied = 2\n\
         [[record]]\nname = \"trailer\"\nwhen = { at = 1, equals = \"T\" }\n\
         [[record.field]]\nname = \"kind\"\nat = 1\nlength = 1\n\
         [[record.field]]\nname = \"count\"\nlength = 4\ntype = \"int32\"\npad = \"0\"\n\
         [record.totals]\nrecords = \"count\"\n",
    );
    // The second record lacks a digit, the third has a letter for one.
    work.write("in.txt", b"D01\xd5\xc5\xc8\xfd  000100\nD02\xc0\xee\xcb\xc4  00250\nD03\xcd\xf5\xce\xe5  00O325\nT0003\n");
    work.write("exchange.toml", flow("in.txt", "format = \"fixed\"\nlayout = \"layout.toml\"", ""));
    work.ends("run exchange.toml", 0);
    assert_eq!(totals(&work), ["01|张三|1"]);
    work.ends("replay exchange.toml --export list.csv", 0);
    let list = work.read("list.csv");
    assert!(list.contains("D02李四  00250"), "{list}");
    let list = list
        .replace("D02李四  00250", "D02李四  000250")
        .replace("D03王五  00O325", "D03王五  000325");
    work.write("list.csv", list);
    work.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(totals(&work), ["01|张三|1", "02|李四|2.5", "03|王五|3.25"]);
}

#[test]
fn a_dbf_record_is_decoded_by_the_header_of_its_table() {
    let work = Work::new();
    work.write("in.csv", "id,name,fee\n1,张三,1.00\n2,李四,22.50\n3,王五,3.25\n");
    work.ends("convert in.csv in.dbf -O width=10 -O encoding=gbk", 0);
    let mut table = std::fs::read(work.path("in.dbf")).unwrap();
    let at = table.windows(5).position(|bytes| bytes == b"22.50").unwrap();
    table[at] = b'x';
    work.write("in.dbf", &table);
    work.write("exchange.toml", flow("in.dbf", "encoding = \"gbk\"", ""));
    work.ends("run exchange.toml", 0);
    assert_eq!(totals(&work).len(), 2);
    work.ends("replay exchange.toml --export list.xlsx", 0);
    work.ends("convert list.xlsx list.csv -o types=text", 0);
    let list = work.read("list.csv");
    assert!(list.contains("x2.50") && list.contains("李四"), "{list}");
    work.write("list.csv", list.replace("x2.50", "22.50"));
    work.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(totals(&work), ["1|张三|1", "2|李四|22.5", "3|王五|3.25"]);
}

#[test]
fn fields_that_are_filled_in_stand_for_the_bytes() {
    let work = Work::new();
    work.write("in.csv", CSV);
    work.write("exchange.toml", flow("in.csv", "types = \"text\"", ""));
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.ndjson", 0);
    let list = work.read("list.ndjson");
    let (first, _) = list.split_once('\n').unwrap();
    let filled = first
        .replace("\"no\":null", "\"no\":\"2\"")
        .replace("\"name\":null", "\"name\":\"李四\"")
        .replace("\"fee\":null", "\"fee\":\"9.90\"");
    work.write("list.ndjson", filled);
    work.ends("replay exchange.toml --corrected list.ndjson", 0);
    assert_eq!(totals(&work)[1], "2|李四|9.9");
}

#[test]
fn bytes_that_cannot_be_read_again_are_said_so() {
    let work = Work::new();
    work.write("in.csv", CSV);
    work.write("exchange.toml", flow("in.csv", "types = \"text\"", ""));
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.csv", 0);
    let list = work.read("list.csv");
    // Two records in the place of one: the first stays open, and nothing is delivered in its stead.
    let two = list.replace("\"2,李四,2,250.00\"", "\"2,李四,2.00\n2,李四,5.00\"");
    assert_ne!(two, list);
    work.write("two.csv", two);
    work.run("replay exchange.toml --corrected two.csv");
    assert_eq!(totals(&work).len(), 2);
    let receipt = work.json("exchange.receipt.replay.json");
    assert_eq!(receipt["flows"][0]["books"]["rejected"]["replay.raw"], 1);
    // Another file has perhaps another header.
    work.write("in.csv", [CSV, b"5,\xd5\xd4\xc1\xf9,5.00\r\n"].concat());
    work.write("list.csv", list.replace("2,250.00", "250.00"));
    let changed = work.run("replay exchange.toml --corrected list.csv");
    assert_ne!(changed.code, 0);
    assert!(changed.err.contains("put the old file back"), "{}", changed.err);
}

#[test]
fn rows_that_the_contract_refused_have_the_names_of_the_source() {
    let work = Work::new();
    work.write("in.csv", "BH,XM\n1,张三\n2,李\n");
    work.write(
        "c.contract.toml",
        "name = \"c\"\nversion = \"1\"\nkey = [\"no\"]\n[[field]]\nname = \"no\"\ntype = \"an..4\"\n\
         [[field]]\nname = \"name\"\ntype = \"c..4\"\npattern = \".{2,4}\"\nseverity = \"reject\"\n",
    );
    work.write(
        "exchange.toml",
        "[budget]\nrejects = 1\n[[flow]]\nname = \"f\"\nfrom = \"in.csv\"\nto = \"sqlite:p.db#t\"\ncontract = \"c.contract.toml\"\n\
         [flow.read]\ntypes = \"text\"\n[flow.fields]\nno = \"BH\"\nname = \"XM\"\n",
    );
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.csv", 0);
    let list = work.read("list.csv");
    assert!(list.lines().next().unwrap().ends_with("BH,XM"), "{list}");
    work.write("list.csv", list.replace(",李", ",李四"));
    work.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(query(&work.sqlite("p.db"), "SELECT name FROM t ORDER BY no"), ["张三", "李四"]);
}
