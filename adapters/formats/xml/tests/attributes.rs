//! Attribute lists of an internal subset: defaults and types, as clauses 3.3 and 5.1 ask of every processor.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use fenhe_core::{Format, Input, Options};
use fenhe_testkit::format::{Decoded, decode};
use fenhe_xml::Xml;

fn xml(options: &[&str]) -> Xml {
    Xml::from_options(&Options::from_pairs(options.iter().copied()).unwrap()).unwrap()
}

fn read(document: &str) -> Decoded {
    let format = xml(&["dtd=internal", "record=/r/p", "types=text"]);
    let bytes = Bytes::copy_from_slice(document.as_bytes());
    let decoder = format.decoder(Default::default()).unwrap();
    decode(decoder, vec![Input::Bytes(bytes), Input::EndOfStream])
}

const SUBSET: &str = "<!ENTITY city '上海'>\n<!ATTLIST p kind (a|b) 'b'\n  city CDATA \" in &city; &amp; \n more \" id ID #IMPLIED>\n<!ATTLIST p kind CDATA 'late' list NMTOKENS #IMPLIED must CDATA #REQUIRED fix CDATA #FIXED '1'>";

#[test]
fn defaults_stand_where_a_document_leaves_them_out() {
    let got = read(&format!(
        "<!DOCTYPE r [{SUBSET}]><r><p id='x'/><p kind=' a ' city='it is \"x\"' list=' 1  2\t3 ' id=' y ' fix='1'/></r>"
    ));
    assert!(got.error.is_none(), "{:?}", got.error);
    // Expected values as expat gives them.
    assert_eq!(
        got.rows,
        [
            r#"{"@id":"x","@kind":"b","@city":" in 上海 &   more ","@fix":"1","@list":null}"#,
            r#"{"@id":"y","@kind":"a","@city":"it is \"x\"","@fix":"1","@list":"1 2 3"}"#,
        ]
    );
}

#[test]
fn a_default_namespace_declaration_is_in_force() {
    let subset =
        "<!ATTLIST r xmlns:q CDATA #FIXED 'urn:q'><!ATTLIST p xmlns CDATA 'urn:p' q:n CDATA '7'>";
    let document = format!("<!DOCTYPE r [{subset}]><r><p><v>1</v></p></r>");
    let format = xml(&["dtd=internal", "record=/r/{urn:p}p", "types=text"]);
    let decoder = format.decoder(Default::default()).unwrap();
    let got = decode(decoder, vec![Input::Bytes(document.into()), Input::EndOfStream]);
    assert!(got.error.is_none(), "{:?}", got.error);
    assert_eq!(got.rows, [r#"{"@n":"7","v":"1"}"#]);
}

#[test]
fn declarations_that_are_none_are_refused() {
    for (list, code) in [
        ("<!ATTLIST p a>", "xml.doctype"),
        ("<!ATTLIST p a CDATA>", "xml.doctype"),
        ("<!ATTLIST p a TEXT 'x'>", "xml.doctype"),
        ("<!ATTLIST p a (x|) 'x'>", "xml.doctype"),
        ("<!ATTLIST p a (x,y) 'x'>", "xml.doctype"),
        ("<!ATTLIST p a CDATA 'x'b CDATA 'y'>", "xml.doctype"),
        ("<!ATTLIST p a CDATA #FIXED>", "xml.doctype"),
        ("<!ATTLIST p a CDATA '<'>", "xml.attribute"),
        ("<!ATTLIST p a CDATA '&none;'>", "xml.entity"),
        ("<!ATTLIST p 1 CDATA 'x'>", "xml.name"),
        ("<!ATTLIST p a CDATA 'x'", "xml.doctype"),
    ] {
        let got = read(&format!("<!DOCTYPE r [{list}]><r><p/></r>"));
        let error = got.error.unwrap();
        assert_eq!(error.code(), code, "{list}: {error}");
    }
}
