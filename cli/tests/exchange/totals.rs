use crate::support::{Ran, Work};

const LAYOUT: &str = "[layout]\nname = \"fee\"\nversion = \"1\"\nencoding = \"ascii\"\nline_end = \"lf\"\n\
    [[record]]\nname = \"detail\"\nwhen = { at = 1, equals = \"D\" }\n\
    [[record.field]]\nname = \"KIND\"\nat = 1\nlength = 1\n\
    [[record.field]]\nname = \"ID\"\nlength = 2\n\
    [[record.field]]\nname = \"AMT\"\nlength = 6\ntype = \"decimal(6,2)\"\nimplied = 2\n\
    [[record.field]]\nname = \"PCS\"\nlength = 2\ntype = \"int32\"\npad = \"0\"\n\
    [[record]]\nname = \"trailer\"\nwhen = { at = 1, equals = \"T\" }\n\
    [[record.field]]\nname = \"KIND\"\nat = 1\nlength = 1\n\
    [[record.field]]\nname = \"COUNT\"\nlength = 2\ntype = \"int32\"\npad = \"0\"\n\
    [[record.field]]\nname = \"TOTAL\"\nlength = 8\ntype = \"decimal(8,2)\"\nimplied = 2\n\
    [record.totals]\nrecords = \"COUNT\"\nsums = { TOTAL = \"detail.AMT\" }\n";

const CONTRACT: &str = "name = \"fee\"\nversion = \"1\"\nkey = [\"id\"]\ntotals = [\"amount\", \"pieces\"]\n\
    [[field]]\nname = \"id\"\ntype = \"an2\"\npattern = \"[0-9]+\"\nseverity = \"reject\"\n\
    [[field]]\nname = \"amount\"\ntype = \"n8,2\"\n\
    [[field]]\nname = \"pieces\"\ntype = \"int32\"\n";

const FIELDS: &str = "id = \"ID\"\namount = \"AMT\"\npieces = \"PCS\"\n";

fn work(data: &str, fields: &str) -> Work {
    let work = Work::new();
    work.write("fee.txt", data);
    work.write("layout.toml", LAYOUT);
    work.write("fee.contract.toml", CONTRACT);
    work.write(
        "exchange.toml",
        format!(
            "[budget]\nrejects = 1\n[[flow]]\nname = \"fees\"\nfrom = \"fee.txt\"\nto = \"sqlite:p.db#fee\"\n\
             contract = \"fee.contract.toml\"\n[flow.read]\nformat = \"fixed\"\nlayout = \"layout.toml\"\n[flow.fields]\n{fields}"
        ),
    );
    work
}

/// The words of the line that begins with these.
fn line(ran: &Ran, start: &str) -> String {
    let found = ran.out.lines().find(|line| line.trim_start().starts_with(start));
    let found = found.unwrap_or_else(|| panic!("{start}: {}", ran.out));
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// 1.00 + 2.50 + 3.25 = 6.75; 4 + 5 + 6 = 15.
const GOOD: &str = "D0100010004\nD0200025005\nD0300032506\nT0300000675\n";

#[test]
fn totals_of_the_contract_are_summed_and_agree_with_the_trailer() {
    let work = work(GOOD, FIELDS);
    let ran = work.ends("run exchange.toml", 0);
    assert_eq!(line(&ran, "control total of amount "), "control total of amount 6.75");
    assert_eq!(line(&ran, "control total of pieces "), "control total of pieces 15");
    assert_eq!(
        line(&ran, "control total of amount, declared"),
        "control total of amount, declared 6.75 delivered 6.75 agrees"
    );
    let receipt = work.json("exchange.receipt.json");
    let totals = &receipt["flows"][0]["totals"];
    assert_eq!(totals[0], serde_json::json!({"of": "records", "delivered": "3"}));
    assert_eq!(
        totals[1],
        serde_json::json!({"of": "amount", "delivered": "6.75", "declared": "6.75", "agrees": true})
    );
    // Nobody declares the pieces.
    assert_eq!(totals[2], serde_json::json!({"of": "pieces", "delivered": "15"}));
    // The second run delivers nothing, and the totals are still those.
    let again = work.ends("run exchange.toml", 0);
    assert!(again.out.contains("already delivered"), "{}", again.out);
    assert_eq!(&work.json("exchange.receipt.json")["flows"][0]["totals"], totals);
    work.ends("verify .fenhe/ledger.db", 0);
    work.ends("reconcile exchange.receipt.json sqlite:p.db#fee", 0);
}

#[test]
fn what_rejected_records_keep_back_is_said_in_the_declared_figure() {
    // The number of the second is no number, which the contract refuses: 2.50 stay behind.
    let work = work(&GOOD.replace("D02", "DXX"), FIELDS);
    let ran = work.ends("run exchange.toml", 0);
    assert_eq!(
        line(&ran, "control total of amount, declared"),
        "control total of amount, declared 6.75 delivered 4.25 2.50 not delivered, with the rejected records"
    );
    let total = &work.json("exchange.receipt.json")["flows"][0]["totals"][1];
    assert_eq!((&total["missing"], total.get("agrees")), (&"2.50".into(), None));
}

#[test]
fn a_replay_has_the_totals_of_what_it_brought() {
    let work = work(&GOOD.replace("D02", "DXX"), FIELDS);
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.csv", 0);
    work.write("list.csv", work.read("list.csv").replace(",XX,", ",02,"));
    let ran = work.ends("replay exchange.toml --corrected list.csv", 0);
    assert_eq!(line(&ran, "control total of amount "), "control total of amount 2.50");
    assert_eq!(line(&ran, "control total of pieces "), "control total of pieces 5");
    let receipt = work.json("exchange.receipt.replay.json");
    // A list of corrections declares nothing.
    let totals = serde_json::json!([
        {"of": "records", "delivered": "1"},
        {"of": "amount", "delivered": "2.50"},
        {"of": "pieces", "delivered": "5"},
    ]);
    assert_eq!(receipt["flows"][0]["totals"], totals, "{}", receipt["flows"][0]);
    // Both together are what the target holds: 4 + 6 of the run, 5 of the replay.
    let ran = work.ends("reconcile exchange.receipt.json sqlite:p.db#fee --json", 0);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(json.to_string().contains("\"15\""), "{json}");
}

#[test]
fn a_trailer_that_declares_another_sum_is_not_agreed_with() {
    let work = work(&GOOD.replace("0675", "0676"), FIELDS);
    let ran = work.ends("run exchange.toml", 4);
    assert_eq!(
        line(&ran, "control total of amount, declared"),
        "control total of amount, declared 6.76 delivered 6.75 DOES NOT AGREE"
    );
    let receipt = work.json("exchange.receipt.json");
    assert_eq!(receipt["flows"][0]["totals"][1]["agrees"], false);
    assert_eq!(receipt["flows"][0]["status"], "incomplete");
}

#[test]
fn a_sum_of_changed_values_is_not_compared_with_that_of_the_source() {
    let fields =
        FIELDS.replace("\"AMT\"", "{ from = \"AMT\", steps = [{ unit = \"元\", to = \"分\" }] }");
    let work = work(GOOD, &fields);
    let ran = work.ends("run exchange.toml", 0);
    assert_eq!(line(&ran, "control total of amount "), "control total of amount 675.00");
    assert!(!ran.out.contains("control total of amount, declared"), "{}", ran.out);
}

#[test]
fn a_total_that_cannot_be_kept_is_found_before_anything_is_read() {
    // What the mapping says of the amount, the place of the error, its code and words of it.
    let cases = [
        ("", (12, 1), "contract.total", "control total of amount, and nothing is made for it"),
        (
            "amount = { from = \"AMT\", type = \"text\" }\n",
            (13, 1),
            "contract.type",
            "mapped as text, and the contract asks for decimal(8,2)",
        ),
    ];
    for (amount, (row, column), code, words) in cases {
        let work = work(GOOD, &FIELDS.replace("amount = \"AMT\"\n", amount));
        std::fs::remove_file(work.path("fee.txt")).unwrap();
        let wrong = work.ends("check exchange.toml", 2);
        assert!(wrong.err.contains(words) && wrong.err.contains(code), "{}", wrong.err);
        assert!(wrong.err.contains(&format!("line {row}, column {column}")), "{}", wrong.err);
    }
}
