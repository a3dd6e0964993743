//! Files that are added to, in sealed parts.

use crate::support::Work;

/// A hundred residents of a month; one fee is no number.
fn month(number: usize) -> String {
    let mut text = String::from("id,name,fee\n");
    for id in 1..=100 {
        let fee = if id == 50 { "x".to_owned() } else { format!("{id}.25") };
        text.push_str(&format!("{number}{id:03},张{id},{fee}\n"));
    }
    text
}

fn exchange(to: &str) -> String {
    format!(
        "receipt = \"receipt.json\"\nrejects = \"rejects.ndjson\"\n[budget]\nrejects = 1\n[limits]\nbatch_rows = 5\n\
         [[flow]]\nname = \"f\"\nfrom = \"in.csv\"\nto = \"{to}\"\n[flow.read]\ntypes = \"text\"\n\
         [flow.write]\nmode = \"append\"\n[flow.fields]\nid = {{ type = \"int64\", required = true }}\n\
         name = \"name\"\nfee = {{ type = \"decimal(8,2)\", required = true }}\n"
    )
}

fn work(to: &str) -> Work {
    let work = Work::new();
    std::fs::create_dir(work.path("out")).unwrap();
    work.write("in.csv", month(1));
    work.write("exchange.toml", exchange(to));
    work
}

/// Names of the files in the folder `out`, in order.
fn files(work: &Work) -> Vec<String> {
    let items = std::fs::read_dir(work.path("out")).unwrap();
    let mut names: Vec<_> =
        items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// All lines of the parts, without their headers.
fn lines(work: &Work) -> Vec<String> {
    let parts = files(work).into_iter().filter(|name| name.ends_with(".csv"));
    let text = parts.map(|name| work.read(&format!("out/{name}")));
    text.flat_map(|text| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_commit_seals_a_part_and_nothing_is_delivered_twice() {
    let work = work("out/fee.csv");
    let ran = work.ends("run exchange.toml", 0);
    assert!(ran.out.contains("L2"), "{}", ran.out);
    // A commit is due after eight batches: 40, 40 and 20 records, the fiftieth left out.
    let names = ["fee.000001.csv", "fee.000002.csv", "fee.000003.csv", "fee.csv.parts.json"];
    assert_eq!(files(&work), names);
    let part = work.read("out/fee.000002.csv");
    assert_eq!(part.lines().next(), Some("id,name,fee"), "a part is a file of its own");
    assert_eq!(part.lines().count(), 40);
    let list = work.json("out/fee.csv.parts.json");
    assert_eq!(list["parts"][1]["rows"], 39);
    assert_eq!(list["parts"][1]["size"], part.len());
    let once = lines(&work);
    assert_eq!(once.len(), 99);
    work.ends("run exchange.toml", 0);
    assert_eq!((files(&work).len(), lines(&work)), (4, once.clone()), "the same again");
    // The next month is added; what was sealed stays as it is.
    work.write("in.csv", month(2));
    work.ends("run exchange.toml", 0);
    let both = lines(&work);
    assert_eq!((both.len(), &both[..99]), (198, &once[..]));
}

#[test]
fn parts_are_read_by_the_name_of_the_target() {
    let work = work("out/fee.csv");
    work.ends("run exchange.toml", 0);
    work.ends("convert out/fee.csv all.csv", 0);
    let all = work.read("all.csv");
    assert_eq!(all.lines().skip(1).collect::<Vec<_>>(), lines(&work));
    // A file that is not listed was never delivered.
    work.write("out/fee.000004.csv", "id,name,fee\n9,x,9\n");
    work.ends("convert out/fee.csv again.csv", 0);
    assert_eq!(work.read("again.csv"), all);
    let found = work.ends("reconcile receipt.json out/fee.csv", 0);
    assert!(found.out.contains("every delivered row is there"), "{}", found.out);
    let part = work.read("out/fee.000002.csv");
    work.write("out/fee.000002.csv", part.replace("1060,张60,60.25", "1060,张60,60.26"));
    let found = work.ends("reconcile receipt.json out/fee.csv", 4);
    assert!(found.out.contains("record 60"), "{}", found.out);
    work.write("out/fee.000002.csv", part.replace("1060,张60,60.25\n", ""));
    let told = work.ends("convert out/fee.csv again.csv", 1).err;
    assert!(told.contains("files.part") && told.contains("fee.000002.csv"), "{told}");
    std::fs::remove_file(work.path("out/fee.000002.csv")).unwrap();
    let told = work.ends("convert out/fee.csv again.csv", 1).err;
    assert!(told.contains("a part that was delivered is gone"), "{told}");
}

#[test]
fn a_corrected_reject_comes_in_a_part_of_its_own() {
    let work = work("out/fee.csv");
    work.ends("run exchange.toml", 0);
    work.ends("replay exchange.toml --export list.csv", 0);
    work.write("list.csv", work.read("list.csv").replace(",x", ",50.25"));
    let sent = work.ends("replay exchange.toml --corrected list.csv", 0);
    assert!(sent.out.contains("the books balance"), "{}", sent.out);
    assert_eq!(work.read("out/fee.000004.csv"), "id,name,fee\n1050,张50,50.25\n");
    assert_eq!(lines(&work).len(), 100);
}

#[test]
fn what_an_interruption_left_is_no_part_and_is_written_over() {
    let work = work("out/fee.csv");
    work.ends("run exchange.toml", 0);
    let (names, all) = (files(&work), lines(&work));
    // As after a kill between the second part and the list that names it.
    let mut list = work.json("out/fee.csv.parts.json");
    let first = list["parts"][0].clone();
    list["parts"] = serde_json::json!([first]);
    list["watermarks"] = serde_json::json!({});
    work.write("out/fee.csv.parts.json", list.to_string());
    std::fs::remove_file(work.path("out/fee.000003.csv")).unwrap();
    std::fs::remove_file(work.path("out/fee.000001.csv")).unwrap();
    let told = work.ends("convert out/fee.csv all.csv", 1).err;
    assert!(told.contains("fee.000001.csv"), "{told}");
    list["parts"] = serde_json::json!([]);
    work.write("out/fee.csv.parts.json", list.to_string());
    work.ends("run exchange.toml", 0);
    assert_eq!((files(&work), lines(&work)), (names, all));
}

#[test]
fn files_of_others_are_not_written_over() {
    let work = work("out/fee.csv");
    for (name, told) in [("fee.csv", "a whole file"), ("fee.000001.csv", "no list of parts")] {
        let path = format!("out/{name}");
        work.write(&path, "mine\n");
        let ran = work.ends("run exchange.toml", 2);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("files.in_the_way") && said.contains(told), "{said}");
        assert_eq!((files(&work), work.read(&path)), (vec![name.to_owned()], "mine\n".to_owned()));
        std::fs::remove_file(work.path(&path)).unwrap();
    }
    let elsewhere = r#"{"version":1,"columns":[],"parts":[{"name":"../in.csv","rows":1,"size":null}],"watermarks":{}}"#;
    for (list, told) in [
        ("{", "damaged"),
        (elsewhere, "no parts"),
        (&*elsewhere.replace(":1,", ":2,"), "a later version"),
    ] {
        work.write("out/fee.csv.parts.json", list);
        for command in ["run exchange.toml", "convert out/fee.csv -"] {
            let ran = work.ends(command, 1);
            let said = format!("{}{}", ran.out, ran.err);
            assert!(said.contains("files.parts") && said.contains(told), "{said}");
        }
        assert_eq!(files(&work).len(), 1);
    }
}

#[test]
fn a_file_that_grows_is_not_replaced() {
    let work = work("out/fee.csv");
    work.ends("run exchange.toml", 0);
    let before = (files(&work), lines(&work));
    let whole = exchange("out/fee.csv").replace("\"append\"", "\"replace\"");
    work.write("whole.toml", whole.replace("[budget]", "state = \"other\"\n[budget]"));
    let ran = work.ends("run whole.toml", 2);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("files.in_the_way") && said.contains("fee.csv.parts.json"), "{said}");
    assert_eq!((files(&work), lines(&work)), before);
    work.write(
        "key.toml",
        exchange("out/fee.csv").replace("\"append\"", "\"upsert\"\nkey = [\"id\"]"),
    );
    let told = work.ends("check key.toml", 2).err;
    assert!(told.contains("engine.mode") && told.contains("line 14"), "{told}");
}

#[test]
fn parts_of_other_columns_are_refused() {
    let work = work("out/fee.csv");
    work.ends("run exchange.toml", 0);
    let before = (files(&work), lines(&work));
    work.write("in.csv", month(2));
    work.write("exchange.toml", exchange("out/fee.csv").replace("name = \"name\"\n", ""));
    let ran = work.ends("run exchange.toml", 2);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("files.parts_columns") && said.contains("id, name, fee"), "{said}");
    assert_eq!((files(&work), lines(&work)), before);
}

#[test]
fn a_source_that_takes_in_the_parts_of_its_own_target_is_refused() {
    let work = work("out/fee.csv");
    work.ends("run exchange.toml", 0);
    work.write("again.toml", exchange("out/fee.csv").replace("\"in.csv\"", "\"out/*.csv\""));
    let told = work.ends("run again.toml", 2).err;
    assert!(told.contains("engine.same_file"), "{told}");
}

#[test]
fn every_format_and_packing_is_sealed_whole() {
    for to in ["out/fee.dbf", "out/fee.csv.gz", "out/fee.xlsx", "out/fee.parquet"] {
        let work = work(to);
        let width = if to.ends_with("dbf") { "width = 20\n" } else { "" };
        work.write(
            "exchange.toml",
            exchange(to).replace("[flow.fields]", &format!("{width}[flow.fields]")),
        );
        work.ends("run exchange.toml", 0);
        assert_eq!(files(&work).len(), 4, "{:?}", files(&work));
        work.ends(&format!("convert {to} all.csv -O header=true"), 0);
        let all = work.read("all.csv");
        assert_eq!(all.lines().count(), 100, "{to}: {all}");
        assert!(all.contains("1100,张100,100.25"), "{to}: {all}");
    }
}

#[test]
fn a_conversion_adds_a_part_where_it_is_told_to() {
    let work = Work::new();
    work.write("a.csv", "id,name\n1,张\n");
    work.write("b.csv", "id,name\n2,李\n");
    work.ends("convert a.csv all.csv -O mode=append", 0);
    work.ends("convert b.csv all.csv -O mode=append", 0);
    assert_eq!(work.read("all.000001.csv"), "id,name\n1,张\n");
    assert_eq!(work.read("all.000002.csv"), "id,name\n2,李\n");
    work.ends("convert a.csv - --to csv -O mode=append", 2);
}
