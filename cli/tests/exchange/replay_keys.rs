//! A corrected row whose key belongs to another record.

use crate::support::{Ran, Work, query};

/// Persons by their number. The third has a fee that is none, the fourth a comma too many.
const IN: &str = "id,name,fee\n1,张三,1.00\n2,李四,2.00\n3,王五,x\n4,赵六,4.00,\n";

fn exchange(ledger: &str, write: &str) -> String {
    format!(
        "{ledger}[budget]\nrejects = 9\n[[flow]]\nname = \"f\"\nfrom = \"in.csv\"\nto = \"sqlite:p.db#t\"\n\
         [flow.read]\ntypes = \"text\"\ndelimiter = \",\"\n[flow.write]\n{write}\n[flow.fields]\nno = \"id\"\n\
         name = \"name\"\nfee = {{ from = \"fee\", type = \"decimal(8,2)\" }}\n"
    )
}

fn work(exchange: &str) -> Work {
    let work = Work::new();
    work.write("exchange.toml", exchange);
    work.write("in.csv", IN);
    work.ends("run exchange.toml", 0);
    work
}

/// Sends the list of what is open with these words replaced.
fn send(work: &Work, words: &[(&str, &str)]) -> Ran {
    work.ends("replay exchange.toml --export list.csv", 0);
    let mut list = work.read("list.csv");
    for (from, to) in words {
        assert!(list.contains(from), "{from}: {list}");
        list = list.replace(from, to);
    }
    work.write("list.csv", list);
    work.ends("replay exchange.toml --corrected list.csv", 0)
}

fn persons(work: &Work) -> Vec<String> {
    query(&work.sqlite("p.db"), "SELECT no, name, fee FROM t ORDER BY no, name")
}

fn open(work: &Work) -> Vec<String> {
    let sql = "SELECT record FROM open_reject ORDER BY record";
    query(&work.sqlite(".fenhe/ledger.db"), sql)
}

const KEYED: &str = "mode = \"upsert\"\nkey = [\"no\"]";

#[test]
fn a_key_of_a_delivered_record_is_refused_and_nothing_is_overwritten() {
    let work = work(&exchange("", KEYED));
    // The number of person 1 for person 3, in the values; that of person 2 for person 4, in the bytes.
    let sent = send(&work, &[(",3,王五,x", ",1,王五,3.00"), ("4,赵六,4.00,", "2,赵六,4.00")]);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2"], "{}{}", sent.out, sent.err);
    assert_eq!(open(&work), ["3", "4"]);
    let receipt = work.json("exchange.receipt.replay.json");
    let books = &receipt["flows"][0]["books"];
    assert_eq!((&books["rejected"]["replay.key"], &books["delivered"]), (&2.into(), &0.into()));
    work.ends("verify .fenhe/ledger.db", 0);
    // Said by record, never by value; under the names that the row came with.
    let listed = work.ends("replay exchange.toml", 0).out;
    assert!(listed.contains("the key of record 1, which was sent before"), "{listed}");
    assert!(listed.contains("the key of record 2, which was sent before"), "{listed}");
    work.ends("replay exchange.toml --export list.csv", 0);
    let list = work.read("list.csv");
    assert!(list.contains(",replay.key,no,") && list.contains(",1,王五,3.00"), "{list}");
    // Corrected once more, under numbers of their own, they are delivered, and the books net off.
    let sent = send(&work, &[(",1,王五,3.00", ",3,王五,3.00"), (",2,赵六,4.00", ",4,赵六,4.00")]);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2", "3|王五|3", "4|赵六|4"], "{}", sent.out);
    assert_eq!(open(&work), Vec::<String>::new());
    work.ends("verify .fenhe/ledger.db", 0);
    work.ends("reconcile exchange.receipt.json sqlite:p.db#t", 0);
}

#[test]
fn a_key_that_a_replay_delivered_is_taken_as_well() {
    let work = work(&exchange("", KEYED));
    send(&work, &[(",3,王五,x", ",3,王五,3.00")]);
    send(&work, &[("4,赵六,4.00,", "3,赵六,4.00")]);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2", "3|王五|3"]);
    assert_eq!(open(&work), ["4"]);
    let listed = work.ends("replay exchange.toml", 0).out;
    assert!(listed.contains("the key of record 3, which was sent before"), "{listed}");
}

#[test]
fn two_records_of_a_list_with_one_key_are_both_refused() {
    let work = work(&exchange("", KEYED));
    send(&work, &[(",3,王五,x", ",4,王五,3.00"), ("4,赵六,4.00,", "4,赵六,4.00")]);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2"]);
    assert_eq!(open(&work), ["3", "4"]);
    let listed = work.ends("replay exchange.toml", 0).out;
    assert!(listed.contains("the key of record 3 of the same list"), "{listed}");
    assert!(listed.contains("the key of record 4 of the same list"), "{listed}");
}

#[test]
fn fields_that_were_filled_in_are_looked_at_too() {
    let work = work(&exchange("", KEYED));
    work.ends("replay exchange.toml --export list.ndjson", 0);
    let list = work.read("list.ndjson");
    let line = list.lines().find(|line| line.contains("\"_record\":\"4\"")).unwrap();
    let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
    for (name, value) in [("no", "1"), ("name", "赵六"), ("fee", "4.00")] {
        row[name] = value.into();
    }
    work.write("list.ndjson", format!("{row}\n"));
    work.ends("replay exchange.toml --corrected list.ndjson", 0);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2"]);
    // The bytes of the first time and the values of the last stay there to be corrected.
    row["no"] = "4".into();
    work.write("list.ndjson", format!("{row}\n"));
    work.ends("replay exchange.toml --corrected list.ndjson", 0);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2", "4|赵六|4"]);
    assert_eq!(open(&work), ["3"]);
}

#[test]
fn without_the_keys_of_the_rows_it_is_said_that_nothing_is_compared() {
    const NOTE: &str = "does not have the key of every row";
    let quiet = work(&exchange("", KEYED));
    let sent = send(&quiet, &[(",3,王五,x", ",3,王五,3.00")]);
    assert!(!sent.out.contains(NOTE) && !sent.err.contains(NOTE), "{}{}", sent.out, sent.err);
    for rows in ["digest", "none"] {
        let work = work(&exchange(&format!("[ledger]\nrows = \"{rows}\"\n"), KEYED));
        let sent = send(&work, &[(",3,王五,x", ",1,王五,3.00")]);
        assert!(sent.out.contains(NOTE), "{}{}", sent.out, sent.err);
        // The limit that the note tells.
        assert_eq!(persons(&work), ["1|王五|3", "2|李四|2"]);
    }
    // An index that was emptied on purpose.
    let emptied = work(&exchange("", KEYED));
    emptied
        .sqlite(".fenhe/ledger.db")
        .execute("UPDATE row_index SET digests = x'', keys = NULL, records = NULL", [])
        .unwrap();
    let sent = send(&emptied, &[(",3,王五,x", ",3,王五,3.00")]);
    assert!(sent.out.contains(NOTE), "{}{}", sent.out, sent.err);
}

#[test]
fn a_rule_over_other_fields_says_what_it_compares() {
    let work = Work::new();
    work.write(
        "c.contract.toml",
        "name = \"c\"\nversion = \"1\"\nkey = [\"no\"]\n[[field]]\nname = \"no\"\ntype = \"an..4\"\n\
         [[field]]\nname = \"name\"\ntype = \"c..10\"\n[[field]]\nname = \"fee\"\ntype = \"n..8,2\"\n\
         [[rule]]\nrule = \"unique\"\nfields = [\"no\"]\nseverity = \"reject\"\n\
         [[rule]]\nrule = \"unique\"\nfields = [\"name\"]\nseverity = \"reject\"\n",
    );
    work.write(
        "exchange.toml",
        exchange("", "mode = \"upsert\"")
            .replace("[flow.read]", "contract = \"c.contract.toml\"\n[flow.read]"),
    );
    work.write("in.csv", IN);
    work.ends("run exchange.toml", 0);
    // The rule over the key is kept by the ledger, that over the name only within the list.
    let sent = send(&work, &[(",3,王五,x", ",2,王五,3.00"), ("4,赵六,4.00,", "4,李四,4.00")]);
    assert_eq!(persons(&work), ["1|张三|1", "2|李四|2", "4|李四|4"], "{}", sent.out);
    assert_eq!(open(&work), ["3"]);
    assert!(
        sent.out.contains("unique name: compared among the rows that are sent here"),
        "{}",
        sent.out
    );
    assert!(!sent.out.contains("unique no:"), "{}", sent.out);
}
