//! The promises of every format, on documents of many kinds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use fenhe_core::{Options, Sample};
use fenhe_testkit::format::{
    Broken, Case, columns_can_be_chosen, conforms, parts_decode_alike, rechunking,
    resumes_everywhere, round_trip, schema_is_stable, truncation,
};
use fenhe_text::Encoding;
use fenhe_xml::Xml;

const PEOPLE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<registry>\n  <person>\n    <name>王小明</name>\n    <born>1990-02-03</born>\n    <fee>12.50</fee>\n  </person>\n  <person>\n    <name>A&amp;B &#x4E2D;</name>\n    <born>2001-12-31</born>\n    <fee>-7.00</fee>\n  </person>\n  <person>\n    <name>c</name>\n    <born>1999-01-01</born>\n    <fee>0.25</fee>\n  </person>\n</registry>\n";

const ORDERS: &str = r#"<o:orders xmlns:o="urn:orders" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <!-- a comment --><o:order id="1" when="2026-01-02"><o:note>first</o:note>
   <o:item sku="a1"><o:count>2</o:count></o:item><o:item sku="b2"><o:count>3</o:count></o:item><o:tag>x</o:tag></o:order>
 <o:order id="2"><o:note><![CDATA[<b>&]]></o:note><o:tag>y</o:tag><o:tag>z</o:tag></o:order>
 <o:order id="3"><o:note xsi:nil="true"/><o:item sku="c"><o:count/></o:item></o:order>
 <o:order id="4"><o:note></o:note></o:order>
 text <o:order id='5'><?pi x?><p:note xmlns:p="urn:orders">p</p:note></o:order>
</o:orders>"#;

const LISTS: &str = "<!DOCTYPE r [<!ENTITY c '上海'><!ATTLIST p city CDATA '&c; &amp; more' kind (a|b) 'b' id NMTOKEN #IMPLIED>]>\n<r>\n<p city='x' id=' 1 '><v>1</v></p>\n<p id='2' kind=' a '><v>2</v></p>\n<p><v>3</v></p><p id='4'><v>4</v></p></r>\n";

fn xml(options: &[&str]) -> Arc<Xml> {
    Arc::new(Xml::from_options(&Options::from_pairs(options.iter().copied()).unwrap()).unwrap())
}

fn cases() -> Vec<Case> {
    let encoded = |label: &str| {
        let encoding = Encoding::for_label(label).unwrap();
        let text = PEOPLE.replace("UTF-8", label).replace("&#x4E2D;", "中");
        let body = encoding.encode(&text).unwrap();
        if label.starts_with("UTF-16") { [encoding.bom(), &body].concat() } else { body }
    };
    vec![
        Case::new("people", xml(&[]), PEOPLE.replace("&#x4E2D;", "中")).lossless(),
        Case::new("people in GBK", xml(&[]), encoded("GBK")).lossless(),
        Case::new("people in GB18030", xml(&[]), encoded("GB18030")),
        Case::new("people in UTF-16LE", xml(&[]), encoded("UTF-16LE")).lossless(),
        Case::new("people, as text", xml(&["types=text", "trim=both"]), PEOPLE),
        Case::new("orders", xml(&[]), ORDERS),
        Case::new("items", xml(&["record=/orders/order/item"]), ORDERS),
        Case::new("one record", xml(&[]), "<a><b>1</b><c d='2'/></a>"),
        Case::new(
            "values with attributes",
            xml(&[]),
            "<a>\n<b k=\"1\">x</b>\n<b k=\"2\">y &amp; z</b>\n<b k=\"3\"/>\n<b k=\"4\"/>\n</a>\n",
        )
        .lossless(),
        Case::new("bare values", xml(&[]), "<a><b>1</b><b>2</b></a>"),
        Case::new("attribute lists", xml(&["dtd=internal"]), LISTS),
        Case::new("carriage returns", xml(&[]), PEOPLE.replace('\n', "\r\n")),
    ]
}

fn broken() -> Vec<Broken> {
    let bytes = "<r><p><n>1</n></p>\n<p><n>x</n></p>\n<p><n>3</n><m/></p>\n<p><n>4</n><n>4</n></p><p><n>5</n></p></r>";
    let schema = "[[field]]\nname = \"n\"\ntype = \"int64\"\n";
    let mut options = Options::new();
    options
        .set("schema", serde_json::json!({"name": "n.toml", "text": schema}))
        .set("record", "/r/p")
        .set("extra", "reject");
    let format = Arc::new(Xml::from_options(&options).unwrap());
    vec![
        Broken {
            case: Case::new("bad values", format, bytes),
            rejects: vec![
                (2, 19, "value.not_a_number"),
                (3, 35, "xml.extra"),
                (4, 55, "xml.repeated"),
            ],
            rows: 2,
        },
        Broken {
            case: Case::new(
                "bad characters",
                xml(&["types=text"]),
                b"<r><p><n>\xE4\xB8\xAD</n></p><p><n>a\xFFb</n></p><p><n>c</n></p></r>".to_vec(),
            ),
            rejects: vec![(2, 20, "value.bad_characters")],
            rows: 2,
        },
    ]
}

fn fatal() -> Vec<Case> {
    ["<r><p/><p></r>", "<r><p/><p/></r><x/>", "<r><p/>", "x", "", "<r><p>\x01</p></r>"]
        .map(|bytes| Case::new(bytes, xml(&["record=/r/p", "types=text"]), bytes))
        .into()
}

/// The case with the schema that is inferred, as an engine opens it that cuts streams into parts.
fn with_schema(case: Case) -> Case {
    let sample = Sample { bytes: case.bytes.clone(), complete: true, ..Sample::default() };
    let evidence = case.format.infer(&sample).unwrap();
    case.schema(evidence.datasets[0].schema.clone())
}

#[test]
fn the_format_keeps_its_promises() {
    let cases: Vec<Case> = cases().into_iter().map(with_schema).collect();
    conforms(&cases, &broken(), &fatal());
}

#[test]
fn it_keeps_them_when_path_and_types_are_found_on_the_way() {
    for case in &cases() {
        rechunking(case);
        schema_is_stable(case);
        columns_can_be_chosen(case);
        resumes_everywhere(case);
        truncation(case);
        round_trip(case);
    }
}

#[test]
fn parts_are_cut_where_lists_change_and_around_comments() {
    let many =
        |n: usize| (0..n).map(|i| format!("<p k='{i}'>{i} &gt; x</p>\n")).collect::<String>();
    for document in [
        format!("<r>\n{}</r>\n", many(300)),
        format!("<r><l>{}</l> <l a='1'>{}</l></r>", many(50), many(70)),
        format!("<r><l>{}</l><l xmlns='urn:x'>{}</l><l>{}</l></r>", many(20), many(20), many(20)),
        format!("<r><!-- <p>x</p> -->{}<![CDATA[</p>]]>{}</r>", many(30), many(30)),
        format!("<r>{}<p/><p k='x'/><pp/>{}</r>", many(30), many(30)),
        format!("<r>{}<q><p>no record</p></q>{}</r>", many(30), many(30)),
    ] {
        let path = if document.contains("<l") { "record=/r/l/p" } else { "record=/r/p" };
        let case = Case::new(
            document.split_at(40).0.to_owned(),
            xml(&[path, "types=text", "extra=ignore"]),
            document,
        );
        parts_decode_alike(&with_schema(case));
    }
}
