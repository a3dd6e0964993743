//! Names, numbers and what is known about each encoding.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use fenhe_text::{Encoding, label_asks_for_bom};

#[test]
fn every_name_and_number_leads_back_to_its_encoding() {
    for page in Encoding::all() {
        assert_eq!(Encoding::for_label(page.name()), Some(page));
        assert_eq!(Encoding::for_label(&page.to_string()), Some(page));
        if let Some(number) = page.code_page() {
            assert_eq!(Encoding::for_code_page(number), Some(page));
            assert_eq!(Encoding::for_label(&number.to_string()), Some(page));
        }
    }
}

#[test]
fn the_names_of_iana_python_java_ibm_and_hl7_are_known() {
    for (label, name) in [
        ("utf-8-sig", "UTF-8"),
        ("UTF8", "UTF-8"),
        ("utf-16", "UTF-16LE"),
        ("gb2312", "GBK"),
        ("GB 18030-2000", "GB18030"),
        ("gb18030_2022", "GB18030"),
        ("cp936", "CP936"),
        ("MS936", "CP936"),
        ("windows-936", "CP936"),
        ("936", "CP936"),
        ("big5-hkscs", "Big5"),
        ("BIG-5", "Big5"),
        ("x-windows-950", "Big5"),
        ("cp932", "Shift_JIS"),
        ("windows-31j", "Shift_JIS"),
        ("euc_kr", "EUC-KR"),
        ("KS X 1001", "EUC-KR"),
        ("latin-1", "ISO-8859-1"),
        ("8859/1", "ISO-8859-1"),
        ("iso8859_15", "ISO-8859-15"),
        ("cp1252", "windows-1252"),
        ("Win1251", "windows-1251"),
        ("koi8-r", "KOI8-R"),
        ("mac_roman", "macintosh"),
        ("cp437", "CP437"),
        ("IBM850", "CP850"),
        ("ibm-037", "IBM037"),
        ("cp037", "IBM037"),
        ("x-IBM935", "IBM935"),
        ("CCSID 1388", "IBM1388"),
        ("Cp1047", "IBM1047"),
        ("ascii", "US-ASCII"),
    ] {
        assert_eq!(Encoding::for_label(label).map(Encoding::name), Some(name), "{label}");
    }
    for label in ["", "  ", "klingon", "cp", "cp99999", "strict", "utf-7", "中文", "x"] {
        assert_eq!(Encoding::for_label(label), None, "{label}");
    }
}

#[test]
fn the_code_pages_of_dbf_files_are_all_known() {
    // Language driver bytes.
    for number in [
        437, 850, 1252, 10000, 865, 932, 863, 852, 860, 866, 936, 949, 950, 874, 861, 895, 620,
        737, 857, 1255, 1256, 10007, 10029, 10006, 1250, 1251, 1254, 1253, 1257,
    ] {
        assert!(Encoding::for_code_page(number).is_some(), "{number}");
    }
}

#[test]
fn a_mark_is_asked_for_by_the_labels_that_mean_one() {
    assert!(label_asks_for_bom("utf-8-sig") && label_asks_for_bom("UTF-16"));
    assert!(
        !label_asks_for_bom("utf-8")
            && !label_asks_for_bom("utf-16le")
            && !label_asks_for_bom("gbk")
    );
}
