use crate::support::*;

#[test]
fn blanks_of_every_width_go() {
    let values = ["  张 三\u{3000}", "\u{a0}x\t", "abc", "\0\0", "王\0"];
    assert_eq!(taken("\"trim\"", &values), some(&["张 三", "x", "abc", "", "王"]));
    assert_eq!(
        taken("\"trim\"", &["张 ", "张三\u{3000}", "\u{3000}张", "张é\u{a0}", "𠮷\u{2003}"]),
        some(&["张", "张三", "张", "张é", "𠮷"])
    );
    assert_eq!(taken("{ trim = \"start\" }", &[" a "]), some(&["a "]));
    assert_eq!(taken("{ trim = \"end\" }", &[" a "]), some(&[" a"]));
}

#[test]
fn widths_change_both_ways() {
    assert_eq!(
        taken("\"half_width\"", &["ＡＢ１２－\u{3000}中。", "中文"]),
        some(&["AB12- 中。", "中文"])
    );
    assert_eq!(taken("\"full_width\"", &["A1 号"]), some(&["Ａ１\u{3000}号"]));
}

#[test]
fn letters_change_their_case() {
    assert_eq!(taken("\"upper\"", &["aé张x"]), some(&["Aé张X"]));
    assert_eq!(taken("\"lower\"", &["AÉ张X"]), some(&["aÉ张x"]));
}

#[test]
fn blank_text_and_words_for_nothing_are_absent() {
    assert_eq!(
        taken("{ absent = [\"无\", \"-\"] }", &["无", " ", "无名", "-"]),
        [None, None, Some("无名".to_owned()), None]
    );
    assert_eq!(taken("\"absent\"", &["\u{3000}", "a"]), [None, Some("a".to_owned())]);
}

#[test]
fn text_is_replaced_wherever_it_stands() {
    assert_eq!(
        taken("{ replace = \",\", with = \"\" }", &["1,234,567.00", "5"]),
        some(&["1234567.00", "5"])
    );
}

#[test]
fn a_pattern_holds_for_the_whole_text() {
    let (kept, faults) =
        steps("{ match = '\\d{6}|[A-Z]' }", &["310115", "3101156", "B", "x310115"]);
    assert_eq!(kept, some(&["310115", "B"]));
    assert_eq!(faults, [(1, "mapping.pattern".to_owned()), (3, "mapping.pattern".to_owned())]);
}

#[test]
fn a_pattern_finds_a_part() {
    let (kept, faults) = steps("{ extract = '(\\d+)号' }", &["振华路8号", "无号"]);
    assert_eq!((kept, faults), (some(&["8"]), vec![(1, "mapping.extract".to_owned())]));
    assert_eq!(
        taken("{ extract = '\\d+', otherwise = \"keep\" }", &["a12", "b"]),
        some(&["12", "b"])
    );
}

#[test]
fn parts_are_counted_from_both_ends() {
    assert_eq!(taken("{ split = \"/\", part = 2 }", &["浙江/杭州/西湖"]), some(&["杭州"]));
    assert_eq!(taken("{ split = \"/\", part = -1 }", &["浙江/杭州/西湖"]), some(&["西湖"]));
    assert_eq!(steps("{ split = \"/\", part = 4 }", &["a/b"]).1, [(0, "mapping.split".to_owned())]);
    assert_eq!(taken("{ split = \"/\", part = 4, otherwise = \"null\" }", &["a/b"]), [None]);
}

#[test]
fn characters_are_cut_by_their_numbers() {
    assert_eq!(
        taken("{ cut = [2, 3] }", &["张三丰", "ab", "a", "李四光儿"]),
        [Some("三丰".to_owned()), Some("b".to_owned()), None, Some("四光".to_owned())]
    );
}

#[test]
fn several_targets_are_made_of_one_column() {
    let mapped = map(
        r#"
        [fields]
        province = { from = "A", steps = [{ split = " ", part = 1 }] }
        city = { from = "A", steps = [{ split = " ", part = 2 }, { match = '.*市' }] }
        whole = "A"
        "#,
        &column(&["浙江省 杭州市", "江苏省 南京"]),
    );
    assert_eq!(texts(&mapped, "province"), some(&["浙江省"]));
    assert_eq!(texts(&mapped, "whole"), some(&["浙江省 杭州市"]));
    assert_eq!(mapped.faults[0].row, 1);
}
