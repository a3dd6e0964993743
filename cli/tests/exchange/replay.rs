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
