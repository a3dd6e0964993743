use calamine::{Data, Reader, Xlsx, open_workbook};

use crate::support::Work;

/// Two datasets below each other, with the cells of the resource merged, as departments fill it in.
const SHEET: &str = "信息资源名称,信息资源提供方,共享类型,共享方式,信息资源格式,更新周期,序号,信息项名称,字段名称,数据类型（必填）,字段长度,小数位数,主键,是否必填\r\n\
    个体工商户登记信息,示例市市场监督管理局,无条件共享,数据库,数据库,每日,1,纳税人识别号,NSRSBH,字符型C,20,,是,是\r\n\
    ,,,,,,2,注册资金,ZCZJ,数值型N,14,2,,否\r\n\
    ,,,,,,3,登记日期,DJRQ,日期型D,8,,,\r\n\
    企业年报信息,,有条件共享,,,每年,1,年份,ND,整型I,,,是,\r\n";

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[test]
fn a_sheet_becomes_contracts_and_they_become_the_same_sheet() {
    let work = Work::new();
    work.write("sheet.csv", gbk(SHEET));
    let made = work.ends("catalogue sheet.csv contracts/", 0);
    assert!(made.out.contains("个体工商户登记信息 1.0.0, 3 fields"), "{}", made.out);
    let (one, two) =
        ("contracts/个体工商户登记信息.contract.toml", "contracts/企业年报信息.contract.toml");
    work.ends(&format!("check {one}"), 0);
    let text = work.read(one);
    for line in [
        "title = \"个体工商户登记信息\"",
        "key = [\"NSRSBH\"]",
        "update = \"daily\"",
        "type = \"n14,2\"",
    ] {
        assert!(text.contains(line), "{text}");
    }
    // Into a workbook and a GBK file, and back: nothing is another.
    for (sheet, options) in [("back.xlsx", ""), ("back.csv", " -o encoding=gbk")] {
        let written = work.ends(&format!("catalogue {one} {two} {sheet}{options}"), 0);
        assert!(written.out.contains("4 items"), "{}", written.out);
        let folder = format!("{sheet}.d/");
        work.ends(&format!("catalogue {sheet} {folder}"), 0);
        for file in [one, two] {
            let again = file.replace("contracts/", &folder);
            assert_eq!(work.read(&again), work.read(file), "{sheet}");
        }
        // The sheet of those is the same sheet.
        let third = format!("third-{sheet}");
        let files = [one, two].map(|file| file.replace("contracts/", &folder)).join(" ");
        work.ends(&format!("catalogue {files} {third}{options}"), 0);
        if sheet.ends_with("csv") {
            let bytes = |name: &str| std::fs::read(work.path(name)).unwrap();
            assert_eq!(bytes(&third), bytes(sheet));
            assert!(bytes(sheet).starts_with(&gbk("信息资源分类,信息资源名称")));
        }
    }
    // One of them, as JSON; the sheet is not told by its name alone.
    work.ends("catalogue back.xlsx one.contract.json --resource 企业年报信息", 0);
    assert_eq!(work.json("one.contract.json")["field"][0]["type"], "int32");
    work.ends("check one.contract.json", 0);
}

#[test]
fn another_program_opens_the_workbook() {
    let work = Work::new();
    work.write("sheet.csv", gbk(SHEET));
    work.ends("catalogue sheet.csv contracts/", 0);
    work.ends("catalogue contracts/个体工商户登记信息.contract.toml sheet.xlsx", 0);
    let mut book: Xlsx<_> = open_workbook(work.path("sheet.xlsx")).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let rows: Vec<Vec<String>> =
        range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect();
    let column = |heading: &str| rows[0].iter().position(|cell| cell == heading).unwrap();
    let cells = |heading: &str| {
        rows[1..].iter().map(|row| row[column(heading)].clone()).collect::<Vec<_>>()
    };
    assert_eq!(cells("字段名称"), ["NSRSBH", "ZCZJ", "DJRQ"]);
    assert_eq!(cells("数据类型"), ["字符型C", "数值型N", "日期型D"]);
    assert_eq!(cells("字段长度"), ["20", "14", "8"]);
    assert_eq!(cells("信息资源提供方")[2], "示例市市场监督管理局");
    assert_eq!(cells("主键"), ["是", "否", "否"]);
}

#[test]
fn what_is_there_is_not_written_over() {
    let work = Work::new();
    work.write("sheet.csv", gbk(SHEET));
    work.write("a.contract.toml", "mine");
    let refused = work.ends("catalogue sheet.csv a.contract.toml --resource 企业年报信息", 2);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(work.read("a.contract.toml"), "mine");
    work.ends("catalogue sheet.csv a.contract.toml --resource 企业年报信息 --force", 0);
    work.write("b.csv", "mine");
    work.ends("catalogue a.contract.toml b.csv", 2);
    assert_eq!(work.read("b.csv"), "mine");
    work.ends("catalogue a.contract.toml b.csv --force", 0);
}

#[test]
fn several_datasets_need_a_folder_and_names_are_known() {
    let work = Work::new();
    work.write("sheet.csv", gbk(SHEET));
    let several = work.ends("catalogue sheet.csv a.contract.toml", 2);
    assert!(
        several.err.contains("2 datasets: 个体工商户登记信息, 企业年报信息"),
        "{}",
        several.err
    );
    let other = work.ends("catalogue sheet.csv a.contract.toml --resource 企业", 2);
    assert!(other.err.contains("企业年报信息"), "{}", other.err);
    work.ends("catalogue a.contract.toml b.contract.toml", 2);
    work.ends("catalogue sheet.csv b.csv", 2);
}

#[test]
fn mistakes_in_a_sheet_are_named_by_row_and_column_and_nothing_is_written() {
    let work = Work::new();
    let wrong = SHEET
        .replace("数值型N,14,2", "数值型Q,14,2")
        .replace("日期型D,8", "日期型D,八")
        .replace("整型I", "");
    work.write("sheet.csv", gbk(&wrong));
    let ended = work.ends("catalogue sheet.csv contracts/", 1);
    for words in [
        "row 2 below the heading, column J: ",
        "row 3 below the heading, column K: ",
        "row 4 below the heading, item ND: ND has no type",
        "3 mistakes in the sheet, nothing was written",
    ] {
        assert!(ended.err.contains(words), "{words}: {}", ended.err);
    }
    assert!(!work.path("contracts").exists());
}

#[test]
fn what_a_sheet_cannot_hold_is_said() {
    let work = Work::new();
    work.write(
        "a.contract.toml",
        "name = \"a\"\nversion = \"1\"\ntotals = [\"n\"]\n[[field]]\nname = \"n\"\ntype = \"n10,2\"\n\
         [[field]]\nname = \"t\"\ntype = \"c..5\"\npattern = \"[a-z]+\"\nrules = [{ rule = \"unique\" }]\n",
    );
    let written = work.ends("catalogue a.contract.toml a.xlsx", 0);
    let words = "a: no column of a sheet holds 1 rules, 1 patterns, 1 control totals";
    assert!(written.err.contains(words), "{}", written.err);
}
