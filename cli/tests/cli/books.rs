//! Refusals, corrections, and books that are looked through.

use std::fmt::Write as _;

use serde_json::Value;

use crate::work::Work;
use crate::{EXCHANGE, SCHEMA, exchange, rows};

/// A platform that refuses three of a hundred rows, and a second one that takes them all, from one reading.
fn two_platforms(work: &Work) {
    let mut csv = String::from("XH,XM,JE\n");
    for i in 1..=100 {
        let fee = if [17, 42, 99].contains(&i) { i + 1_000 } else { i };
        writeln!(csv, "{i:03},张{i},{fee}.50").unwrap();
    }
    work.write("fees.csv", csv);
    let strict = rusqlite::Connection::open(work.path("strict.db")).unwrap();
    strict
        .execute_batch(
            "CREATE TABLE fee (id TEXT PRIMARY KEY, name TEXT, amount DECIMAL(12,2) CHECK (amount < 1000))",
        )
        .unwrap();
    work.write(
        "exchange.toml",
        "name = \"fees\"\nreceipt = \"out/receipt.json\"\nrejects = \"out/rejects.ndjson\"\n\
         [ledger]\nread_back = true\nhash = \"sm3\"\n\
         [budget]\nrejects = 2\n\
         [[flow]]\nname = \"fees\"\nfrom = \"fees.csv\"\n[flow.read]\ntypes = \"text\"\n\
         [[flow.target]]\nname = \"strict\"\nto = \"sqlite:strict.db#fee\"\n\
         [flow.target.write]\nkey = [\"id\"]\n\
         [flow.target.fields]\nid = \"XH\"\nname = \"XM\"\namount = { from = \"JE\", type = \"decimal(12,2)\" }\n\
         [[flow.target]]\nname = \"plain\"\nto = \"sqlite:plain.db#payment\"\n\
         [flow.target.write]\nkey = [\"number\"]\n\
         [flow.target.fields]\nnumber = \"XH\"\nyuan = { from = \"JE\", type = \"decimal(12,2)\", required = true }\n",
    );
}

/// The rows of a workbook as this program reads them.
fn workbook(work: &Work, name: &str) -> Vec<String> {
    let ran = work.run(&["convert", name, "-", "--to", "csv", "-o", "types=text"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn refused_rows_come_back_as_a_list_are_corrected_and_net_off() {
    let work = Work::new();
    two_platforms(&work);
    let first = work.run(&["run", "exchange.toml"]);
    assert_eq!(first.code, 3, "{}{}", first.out, first.err);
    let receipt: Value = serde_json::from_str(&work.read("out/receipt.json")).unwrap();
    let books = |flow: usize| {
        let books = &receipt["flows"][flow]["books"];
        (books["read"].as_u64(), books["delivered"].as_u64())
    };
    assert_eq!((books(0), books(1)), ((Some(100), Some(97)), (Some(100), Some(100))));
    assert_eq!(receipt["flows"][0]["read_back"]["agrees"], true);
    assert!(first.out.contains("at the target"), "{}", first.out);

    let listed = work.run(&["replay", "exchange.toml"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    for record in ["17", "42", "99"] {
        assert!(listed.out.contains(&format!("  {record}")), "{}", listed.out);
    }
    let exported = work.run(&["replay", "out/.fenhe/ledger.db", "--export", "list.csv"]);
    assert_eq!(exported.code, 0, "{}{}", exported.out, exported.err);
    // A person puts two right; the third stays as it is.
    let list = work.read("list.csv").replace("1017.50", "17.50").replace("1099.50", "99.50");
    work.write("corrected.csv", list);
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "corrected.csv"]);
    assert_eq!(
        replayed.code, 0,
        "one reject is within the budget: {}{}",
        replayed.out, replayed.err
    );
    assert!(replayed.out.contains("the books balance"), "{}", replayed.out);
    let replay: Value = serde_json::from_str(&work.read("out/receipt.replay.json")).unwrap();
    let flow = &replay["flows"][0];
    assert_eq!(
        (flow["books"]["read"].as_u64(), flow["books"]["delivered"].as_u64()),
        (Some(3), Some(2))
    );
    assert_eq!(flow["replay_of"], receipt["flows"][0]["delivery"]);
    let strict = rusqlite::Connection::open(work.path("strict.db")).unwrap();
    let sum = |sql| strict.query_row(sql, [], |row| row.get::<_, f64>(0)).unwrap();
    assert_eq!(sum("SELECT count(*) FROM fee"), 99.0);
    assert_eq!(sum("SELECT amount FROM fee WHERE id = '017'"), 17.5);

    // The same list again sends nothing; a second correction closes the books.
    let again = work.run(&["replay", "exchange.toml", "--corrected", "corrected.csv"]);
    assert_eq!(again.code, 2, "record 17 is no open reject any more: {}{}", again.out, again.err);
    let exported = work.run(&["replay", "exchange.toml", "--export", "rest.ndjson"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let rest = work.read("rest.ndjson");
    assert_eq!(rest.lines().count(), 1);
    work.write("rest.ndjson", rest.replace("1042.50", "42.50"));
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "rest.ndjson"]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    let none = |line: &str| line.trim_start().starts_with("still rejected") && line.ends_with(" 0");
    assert!(replayed.out.lines().any(none), "{}", replayed.out);
    let once_more = work.run(&["run", "exchange.toml"]);
    assert_eq!(once_more.code, 0, "nothing is open any more: {}", once_more.out);
    assert!(work.run(&["replay", "exchange.toml"]).out.starts_with("no record"));

    // The chain of four receipts is sound, and the platform returns what was delivered.
    let chain = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(chain.code, 0, "{}", chain.out);
    assert!(chain.out.contains("4 receipts, sound"), "{}", chain.out);
    let reconcile = |flow: &str, place: &str| {
        work.run(&["reconcile", "out/receipt.json", place, "--flow", flow])
    };
    let same = reconcile("fees.strict", "sqlite:strict.db#fee");
    assert_eq!(same.code, 0, "{}{}", same.out, same.err);
    // What the replays brought stands on the side of the receipt, with the ledger and without it.
    work.write("alone.json", work.read("out/receipt.json"));
    let place = "sqlite:strict.db#fee";
    let alone = work.run(&["reconcile", "alone.json", place, "--flow", "fees.strict"]);
    assert_eq!(alone.code, 0, "{}{}", alone.out, alone.err);
    let paid = format!("{:.2}", sum("SELECT sum(amount) FROM fee"));
    for text in [&same.out, &alone.out, &once_more.out] {
        let figures = |of: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(of)).unwrap();
            line.split_whitespace().map(|word| word.replace(',', "")).collect::<Vec<_>>()
        };
        assert_eq!(figures("rows")[1..3], ["100", "100"], "{text}");
        assert!(figures("sum of amount")[3..].iter().all(|sum| *sum == paid), "{text}");
    }
    strict.execute("UPDATE fee SET name = '李四' WHERE id = '063'", []).unwrap();
    let other = reconcile("fees.strict", "sqlite:strict.db#fee");
    assert_eq!(other.code, 4, "{}", other.out);
    assert!(other.out.contains("changed  063  record 63"), "{}", other.out);
}

#[test]
fn rejects_of_an_exchange_become_workbooks_that_are_corrected_and_sent_again() {
    let work = Work::new();
    two_platforms(&work);
    let text = work.read("exchange.toml").replace("rejects.ndjson", "bad.xlsx");
    work.write("exchange.toml", text);
    let plan = work.run(&["run", "exchange.toml", "--plan"]);
    for path in ["out/bad.xlsx.ndjson", "out/bad.fees.strict.xlsx", "out/bad.fees.plain.xlsx"] {
        assert!(plan.out.contains(path), "{}", plan.out);
    }
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("3 rejected records to be corrected: out/bad.fees.strict.xlsx"),
        "{}",
        ran.err
    );
    assert_eq!(work.read("out/bad.xlsx.ndjson").lines().count(), 3);
    assert!(!work.path("out/bad.fees.plain.xlsx").exists(), "nothing was refused there");
    let lines = workbook(&work, "out/bad.fees.strict.xlsx");
    assert_eq!(lines[0], "id,name,amount,_source,_row,_reason,_raw,_delivery,_record,_shape");
    let records = [("017", 17), ("042", 42), ("099", 99)];
    assert_eq!(lines.len(), 1 + records.len(), "{lines:?}");
    for (line, (id, n)) in lines[1..].iter().zip(records) {
        assert!(line.starts_with(&format!("{id},张{n},{}.50,", n + 1_000)), "{line}");
        assert!(line.ends_with(&format!(",{n},target")), "{line}");
    }

    // What a clerk is at work on is not overwritten by a run that delivers nothing.
    let book = std::fs::read(work.path("out/bad.fees.strict.xlsx")).unwrap();
    work.write("out/bad.fees.strict.xlsx", "at work");
    assert_eq!(work.run(&["run", "exchange.toml"]).code, 3);
    assert_eq!(work.read("out/bad.fees.strict.xlsx"), "at work");
    work.write("out/bad.fees.strict.xlsx", book);

    // Two rows are put right; the third goes back as it is and stays open.
    let text = lines.join("\n").replace("1017.50", "17.50").replace("1099.50", "99.50");
    work.write("right.csv", text + "\n");
    let ran = work.run(&["convert", "right.csv", "right.xlsx", "-o", "types=text"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "right.xlsx"]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    let strict = rusqlite::Connection::open(work.path("strict.db")).unwrap();
    let sum = |sql| strict.query_row(sql, [], |row| row.get::<_, f64>(0)).unwrap();
    assert_eq!(sum("SELECT count(*) FROM fee"), 99.0);
    assert_eq!(sum("SELECT amount FROM fee WHERE id = '017'"), 17.5);

    // Asked for again, the workbook holds what is still open.
    std::fs::remove_file(work.path("out/bad.fees.strict.xlsx")).unwrap();
    work.run(&["run", "exchange.toml"]);
    let lines = workbook(&work, "out/bad.fees.strict.xlsx");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].starts_with("042,"), "{lines:?}");
}

#[test]
fn a_workbook_holds_records_that_never_became_rows_as_they_were_read() {
    let work = exchange(3_000);
    work.write("exchange.toml", EXCHANGE.replace("rejects.ndjson", "rejects.xlsx"));
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 0, "within the budget: {}{}", ran.out, ran.err);
    let lines = workbook(&work, "out/rejects.xlsx");
    assert!(lines[0].starts_with("person_id,name,fee,_source,_row,"), "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].contains(",\"1000,张1000,x\","), "{lines:?}");
    assert!(lines[1].contains("value.not_a_number"), "{lines:?}");

    // The books are not touched by a workbook that cannot be made, and the run does not say that all is well.
    std::fs::remove_file(work.path("out/rejects.xlsx")).unwrap();
    std::fs::create_dir(work.path("out/rejects.xlsx")).unwrap();
    let ran = work.run(&["run", "exchange.toml", "--restart"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2,997") && ran.out.contains("no workbook"), "{}", ran.out);
    assert_eq!(work.read("out/rejects.xlsx.ndjson").lines().count(), 3);
}

#[test]
fn rows_of_a_sheet_are_corrected_under_the_names_of_the_sheet() {
    let work = Work::new();
    work.write("schema.toml", SCHEMA);
    work.write("in.csv", "id,name,fee\n1,张,1.00\n2,李,l2.50\n");
    assert_eq!(work.run(&["convert", "in.csv", "in.xlsx", "-o", "types=text"]).code, 0);
    let text = EXCHANGE.replace("rejects.ndjson", "bad.xlsx").replace("in.csv", "in.xlsx");
    work.write("exchange.toml", text);
    let ran = work.run(&["run", "exchange.toml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let lines = workbook(&work, "out/bad.xlsx");
    assert!(lines[0].starts_with("id,name,fee,_source,"), "{lines:?}");
    assert!(lines[1].starts_with("2,李,l2.50,"), "{lines:?}");
    assert!(lines[1].ends_with(",2,source"), "{lines:?}");
    work.write("right.csv", lines.join("\n").replace("l2.50", "12.50"));
    let replayed = work.run(&["replay", "exchange.toml", "--corrected", "right.csv"]);
    assert_eq!(replayed.code, 0, "{}{}", replayed.out, replayed.err);
    assert_eq!(rows(&work.path("out/platform.db")), (2, 2));
}

#[test]
fn the_books_of_a_ledger_are_compared_with_its_receipts() {
    let work = Work::new();
    two_platforms(&work);
    work.run(&["run", "exchange.toml"]);
    work.run(&["replay", "exchange.toml", "--export", "list.csv"]);
    work.write("list.csv", work.read("list.csv").replace("1017.50", "17.50"));
    work.run(&["replay", "exchange.toml", "--corrected", "list.csv"]);
    // And a run that finds everything delivered.
    work.run(&["run", "exchange.toml"]);
    let ledger = work.path("out/.fenhe/ledger.db");
    let sound = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    let cases = [
        ("DELETE FROM reject WHERE record = 17", "rejects sql.check"),
        ("UPDATE reject SET code = 'sql.other' WHERE record = 42", "rejects sql.other"),
        ("UPDATE delivery SET delivered = delivered + 1", "delivered 98, not 97"),
        ("UPDATE delivery SET read = read + 1, delivered = delivered + 1", "read 101, not 100"),
        ("UPDATE delivery SET complete = 0", "complete false, not true"),
        ("UPDATE delivery SET fingerprint = 'x'", "fingerprint"),
        ("UPDATE delivery SET run = 'x'", "the receipt of its run is gone"),
        ("DELETE FROM delivery WHERE flow = 'fees.plain'", "is gone"),
        ("DELETE FROM row_index WHERE delivery = (SELECT min(delivery) FROM delivery)", "is gone"),
        ("DELETE FROM row_index", "the row index of 1 batches is gone"),
        ("UPDATE row_index SET digests = zeroblob(length(digests))", "does not fit its digest"),
        ("UPDATE row_index SET keys = substr(keys, 8)", "does not fit its digest"),
        ("DELETE FROM position WHERE pipeline LIKE '%plain'", "its position is gone"),
        (
            "UPDATE position SET checkpoint = json_set(checkpoint, '$.columns[2].sum', '1.00')",
            "its position differs from receipt",
        ),
        ("DELETE FROM batch", "records read of its batches 0, not 100"),
        (
            "UPDATE batch SET digest = replace(digest, substr(digest, 5, 4), 'abcd')",
            "digest of its batches",
        ),
        ("UPDATE batch SET rows = rows + 1", "rows of its batches"),
        ("DELETE FROM replay WHERE record = 17", "records sent again 2, not 3"),
        ("UPDATE run SET status = 'failed'", "ended otherwise than receipt"),
        ("DELETE FROM run", "is gone"),
    ];
    for (change, what) in cases {
        std::fs::copy(&ledger, work.path("touched.db")).unwrap();
        let touched = rusqlite::Connection::open(work.path("touched.db")).unwrap();
        assert!(touched.execute(change, []).unwrap() > 0, "{change}");
        drop(touched);
        let found = work.run(&["verify", "touched.db"]);
        assert_eq!(found.code, 4, "{change}: {}", found.out);
        let named = |line: &str| line.contains("THE BOOKS DIFFER") && line.contains(what);
        assert!(found.out.lines().any(named), "{change}: {}", found.out);
    }
    // A delivery that starts over forgets what was sent again of it, and that is no fault.
    assert_eq!(work.run(&["run", "exchange.toml", "--restart"]).code, 3);
    let sound = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    // Row by row nothing is kept any more, and it can be seen that this was meant.
    let thinned = rusqlite::Connection::open(&ledger).unwrap();
    let thin = "UPDATE row_index SET digests = x'', keys = NULL, records = NULL";
    assert!(thinned.execute(thin, []).unwrap() > 0);
    drop(thinned);
    let sound = work.run(&["verify", "out/.fenhe/ledger.db"]);
    assert_eq!(sound.code, 0, "{}", sound.out);
    let place = "sqlite:plain.db#payment";
    let whole = work.run(&["reconcile", "out/receipt.json", place, "--flow", "fees.plain"]);
    assert_eq!(whole.code, 0, "{}", whole.out);
    assert!(whole.out.contains("the rows are the ones that were delivered"), "{}", whole.out);
    // A broken chain is worse than books that differ.
    let touched = rusqlite::Connection::open(work.path("touched.db")).unwrap();
    touched.execute("DELETE FROM receipt WHERE sequence = 2", []).unwrap();
    drop(touched);
    assert_eq!(work.run(&["verify", "touched.db"]).code, 1);
}

#[test]
fn a_receipt_that_was_touched_is_not_sound() {
    let work = Work::new();
    two_platforms(&work);
    work.run(&["run", "exchange.toml"]);
    let sound = work.run(&["verify", "out/receipt.json"]);
    assert_eq!(sound.code, 0, "{}{}", sound.out, sound.err);
    let text = work.read("out/receipt.json");
    work.write("cut.json", text.strip_suffix('\n').unwrap());
    let cut = work.run(&["verify", "cut.json"]);
    assert_eq!(cut.code, 1);
    assert!(cut.out.contains("the line feed at the end is missing"), "{}", cut.out);
    work.write("out/receipt.json", text.replace("\"delivered\":97", "\"delivered\":98"));
    let touched = work.run(&["verify", "out/receipt.json"]);
    assert_eq!(touched.code, 1);
    assert!(touched.out.contains("NOT SOUND"), "{}", touched.out);
    let compared = work.run(&[
        "reconcile",
        "out/receipt.json",
        "sqlite:strict.db#fee",
        "--flow",
        "fees.strict",
    ]);
    assert_eq!(compared.code, 1, "figures that were altered are compared with nothing");
}
