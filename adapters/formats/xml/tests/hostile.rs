//! Documents made to do harm: each ends with an error that names the limit or the fault, soon and in little memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use fenhe_core::{DecodeOptions, Error, Format, Input, Kind, Limits, Options};
use fenhe_testkit::format::decode;
use fenhe_xml::Xml;

/// What refusing all of them may take of memory at its height, in bytes.
const MOST: u64 = 64 << 20;

/// What a document is refused for.
#[derive(Clone)]
enum Refused {
    /// A limit of this name.
    Limit(&'static str),
    /// This code.
    Code(&'static str),
}
use Refused::{Code, Limit};

#[derive(Clone)]
struct Hostile {
    name: &'static str,
    bytes: Vec<u8>,
    internal: bool,
    refused: Refused,
}

fn hostile(name: &'static str, bytes: impl Into<Vec<u8>>, refused: Refused) -> Hostile {
    Hostile { name, bytes: bytes.into(), internal: false, refused }
}

fn with_dtd(name: &'static str, subset: &str, body: &str, refused: Refused) -> Hostile {
    let bytes = format!("<!DOCTYPE r [{subset}]><r><p>{body}</p></r>").into_bytes();
    Hostile { name, bytes, internal: true, refused }
}

/// Entities of which each stands for `width` of the one before.
fn laughs(levels: usize, width: usize) -> String {
    let mut subset = format!("<!ENTITY e0 \"{}\">", "ha".repeat(50));
    for n in 1..levels {
        subset.push_str(&format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(width)));
    }
    subset
}

fn floods() -> Vec<Hostile> {
    let many = |n: usize, one: &dyn Fn(usize) -> String| (0..n).map(one).collect::<String>();
    let attributes = |n| format!("<r><p {}/></r>", many(n, &|i| format!(" a{i}='1'")));
    let long = "a".repeat(70_000);
    let name = "n".repeat(2_000);
    vec![
        hostile("2,000 attributes", attributes(2_000), Limit("attributes")),
        hostile("6,000 attributes", attributes(6_000), Limit("attributes")),
        hostile("100,000 attributes", attributes(100_000), Limit("tag")),
        hostile(
            "attributes on the root",
            format!("<r {}><p/></r>", many(2_000, &|i| format!(" a{i}='1'"))),
            Limit("attributes"),
        ),
        hostile(
            "declarations",
            format!("<r><p {}/></r>", many(100, &|i| format!(" xmlns:a{i}='u{i}'"))),
            Limit("namespace_declarations"),
        ),
        hostile(
            "declarations on the root",
            format!("<r {}/>", many(100, &|i| format!(" xmlns:a{i}='u{i}'"))),
            Limit("namespace_declarations"),
        ),
        hostile(
            "declarations by depth",
            format!(
                "<r>{}</r>",
                many(40, &|d| format!("<p {}>", many(60, &|i| format!(" xmlns:a{d}x{i}='u'"))))
                    + &"</p>".repeat(40)
            ),
            Limit("namespaces"),
        ),
        hostile("a long element name", format!("<r><{name}/></r>"), Limit("name")),
        hostile("a long root name", format!("<{name}/>"), Limit("name")),
        hostile("a long attribute name", format!("<r><p {name}='1'/></r>"), Limit("name")),
        hostile("a long prefix", format!("<r><p xmlns:{name}='1'/></r>"), Limit("name")),
        hostile("a long target", format!("<?{name} x?><r/>"), Limit("name")),
        hostile("a long tag", format!("<r><p a='{long}'/></r>"), Limit("tag")),
        hostile("a long end tag", format!("<r><p></p{}></r>", " ".repeat(70_000)), Limit("tag")),
        hostile("a tag that does not end", format!("<r><p {long}"), Limit("tag")),
        hostile("a quote that does not end", format!("<r><p a='{long}<p/>"), Limit("tag")),
        hostile("a long root tag", format!("<r a='{long}'/>"), Limit("tag")),
        hostile(
            "depth in a record",
            format!("<r><p>{}", "<a>".repeat(200)) + &"</a>".repeat(200) + "</p></r>",
            Limit("depth"),
        ),
        hostile("depth 100,000", "<a>".repeat(100_000) + &"</a>".repeat(100_000), Limit("depth")),
        hostile("depth around records", "<a>".repeat(1_000), Limit("depth")),
        hostile("a record without end", format!("<r><p>{}", "x".repeat(70_000)), Limit("record")),
        hostile(
            "a record of many elements",
            format!("<r><p>{}", "<x/>".repeat(20_000)),
            Limit("record"),
        ),
        hostile("a text around records", format!("<r>{}", "x".repeat(70_000)), Limit("record")),
        hostile(
            "white space around records",
            format!("<r>{}<p/></r>", " ".repeat(70_000)),
            Limit("record"),
        ),
        hostile("a comment", format!("<r><!--{}--><p/></r>", "x".repeat(70_000)), Limit("record")),
        hostile("a comment without end", format!("<r><!--{}", "x".repeat(70_000)), Limit("record")),
        hostile(
            "an instruction",
            format!("<r><?x {}?><p/></r>", "x".repeat(70_000)),
            Limit("record"),
        ),
        hostile(
            "CDATA without end",
            format!("<r><p><![CDATA[{}", "x".repeat(70_000)),
            Limit("record"),
        ),
        hostile(
            "fields",
            format!("<r><p>{}</p></r>", many(3_000, &|i| format!("<f{i}/>"))),
            Limit("fields"),
        ),
    ]
}

fn entities() -> Vec<Hostile> {
    let cycle = "<!ENTITY a \"&b;\"><!ENTITY b \"&a;\">";
    let doctype = |inside: &str| format!("<!DOCTYPE r {inside}><r><p/></r>");
    let internal = |name, inside: &str, refused| Hostile {
        name,
        bytes: doctype(inside).into(),
        internal: true,
        refused,
    };
    let block = format!("<!ENTITY a \"{}\">", "x".repeat(60_000));
    let markup = format!("<!ENTITY a \"{}\">", "<i>x</i>".repeat(7_000));
    vec![
        hostile("a document type declaration", doctype("[]"), Code("xml.doctype_forbidden")),
        hostile(
            "an external subset",
            doctype("SYSTEM 'file:///etc/passwd'"),
            Code("xml.doctype_forbidden"),
        ),
        hostile(
            "billion laughs, refused",
            format!("<!DOCTYPE r [{}]><r>&e7;</r>", laughs(8, 10)),
            Code("xml.doctype_forbidden"),
        ),
        with_dtd("billion laughs", &laughs(8, 20), "&e7;", Limit("entity_expansion")),
        with_dtd("billion laughs of depth 30", &laughs(30, 2), "&e29;", Limit("entity_depth")),
        with_dtd(
            "billion laughs in an attribute",
            &laughs(8, 20),
            "<x a='&e7;'/>",
            Limit("entity_expansion"),
        ),
        with_dtd("quadratic expansion", &block, &"&a;".repeat(1_000), Limit("entity_expansion")),
        with_dtd(
            "quadratic expansion of markup",
            &markup,
            &"&a;".repeat(1_000),
            Limit("entity_expansion"),
        ),
        with_dtd("a cycle", cycle, "&a;", Limit("entity_depth")),
        with_dtd("a cycle in an attribute", cycle, "<x a='&a;'/>", Limit("entity_depth")),
        with_dtd(
            "a reference to itself",
            "<!ENTITY a \"<b>&a;</b>\">",
            "&a;",
            Limit("entity_depth"),
        ),
        with_dtd(
            "a default for every element",
            &format!("<!ATTLIST x a CDATA '{}'>", "x".repeat(60_000)),
            &"<x/>".repeat(1_000),
            Limit("entity_expansion"),
        ),
        with_dtd(
            "many defaults for every element",
            &format!(
                "<!ATTLIST x {}>",
                (0..300).map(|n| format!("a{n} CDATA '' ")).collect::<String>()
            ),
            &"<x/>".repeat(10_000),
            Limit("entity_expansion"),
        ),
        with_dtd(
            "more defaults than attributes are allowed",
            &format!(
                "<!ATTLIST x {}>",
                (0..2_000).map(|n| format!("a{n} CDATA '' ")).collect::<String>()
            ),
            "<x/>",
            Limit("attributes"),
        ),
        with_dtd(
            "a default that is a cycle",
            "<!ENTITY a '&b;'><!ENTITY b '&a;'><!ATTLIST p x CDATA '&a;'>",
            "",
            Limit("entity_depth"),
        ),
        with_dtd(
            "a local file",
            "<!ENTITY a SYSTEM 'file:///etc/passwd'>",
            "&a;",
            Code("xml.entity"),
        ),
        with_dtd(
            "a page of the network",
            "<!ENTITY a PUBLIC 'x' 'http://127.0.0.1/'>",
            "&a;",
            Code("xml.entity"),
        ),
        with_dtd(
            "a parameter entity",
            "<!ENTITY % a SYSTEM 'file:///etc/passwd'> %a;",
            "",
            Code("xml.entity"),
        ),
        with_dtd("a parameter entity in a value", "<!ENTITY b '%a;'>", "", Code("xml.entity")),
        with_dtd(
            "an entity that closes the record",
            "<!ENTITY a '</p></r><r><p>'>",
            "&a;",
            Code("xml.end_tag"),
        ),
        with_dtd(
            "an entity that opens an element",
            "<!ENTITY a '<x>'>",
            "&a;",
            Code("xml.end_tag"),
        ),
        with_dtd(
            "an entity with < in an attribute",
            "<!ENTITY a '&#60;x>'>",
            "<x a='&a;'/>",
            Code("xml.attribute"),
        ),
        internal("a subset without end", "[<!ENTITY a 'x'", Code("xml.truncated")),
        internal(
            "a long subset",
            &format!("[{}]", "<!ENTITY a 'x'>".repeat(80_000)),
            Limit("doctype"),
        ),
        internal("a conditional section", "[<![INCLUDE[<!ENTITY a 'x'>]]>]", Code("xml.doctype")),
        hostile("an undeclared entity", "<r><p>&nbsp;</p></r>", Code("xml.entity")),
    ]
}

fn lies() -> Vec<Hostile> {
    let bom = |mark: &[u8], text: &str| [mark, text.as_bytes()].concat();
    vec![
        hostile(
            "GBK declared, UTF-8 written",
            "<?xml version='1.0' encoding='GBK'?><r><p>中华人民共和国</p></r>",
            Code("xml.encoding_lie"),
        ),
        hostile(
            "UTF-16 declared, ASCII written",
            "<?xml version='1.0' encoding='UTF-16'?><r><p/></r>",
            Code("xml.encoding_lie"),
        ),
        hostile(
            "EBCDIC declared, ASCII written",
            "<?xml version='1.0' encoding='ibm037'?><r><p/></r>",
            Code("xml.encoding_lie"),
        ),
        hostile(
            "a mark against the declaration",
            bom(b"\xEF\xBB\xBF", "<?xml version='1.0' encoding='gb18030'?><r/>"),
            Code("xml.encoding_lie"),
        ),
        hostile(
            "an unknown encoding",
            "<?xml version='1.0' encoding='x-secret'?><r/>",
            Code("xml.encoding_unknown"),
        ),
        hostile(
            "a switching encoding",
            "<?xml version='1.0' encoding='ibm935'?><r/>",
            Code("xml.encoding_unknown"),
        ),
        hostile(
            "GBK undeclared",
            b"<r>\xD6\xD0\xB9\xFA<p a='1'/><p a='2'/></r>".to_vec(),
            Code("xml.encoding"),
        ),
        hostile("NUL", b"<r><p>\0</p></r>".to_vec(), Code("xml.character")),
        hostile("NUL in a name", b"<r><p\0/></r>".to_vec(), Code("xml.character")),
        hostile("an overlong slash", b"<r><p><\xC0\xAFp></r>".to_vec(), Code("xml.truncated")),
        hostile("a surrogate", "<r><p>&#xD800;</p></r>", Code("xml.entity")),
        hostile("a reference beyond Unicode", "<r><p>&#x110000;</p></r>", Code("xml.entity")),
        hostile(
            "a reference of many digits",
            format!("<r><p>&#{};</p></r>", "9".repeat(1_000)),
            Code("xml.entity"),
        ),
        hostile("a reference to NUL", "<r><p>&#0;</p></r>", Code("xml.entity")),
        hostile("the same attribute twice", "<r><p a='1' a='2'/></r>", Code("xml.attribute")),
        hostile(
            "the same expanded name twice",
            "<r xmlns:a='u' xmlns:b='u'><p a:x='1' b:x='2'/></r>",
            Code("xml.attribute"),
        ),
        hostile("a prefix that is not declared", "<r><a:p/></r>", Code("xml.namespace")),
        hostile("xmlns bound", "<r xmlns:xmlns='u'/>", Code("xml.namespace")),
        hostile("crossed tags", "<r><p><a></p></a></r>", Code("xml.end_tag")),
        hostile("a second root", "<r><p/></r><r/>", Code("xml.syntax")),
        hostile("a second declaration", "<r/><?xml version='1.0'?>", Code("xml.syntax")),
        hostile("nothing", "", Code("xml.truncated")),
        hostile("only white space", " \n", Code("xml.truncated")),
    ]
}

fn read(case: &Hostile, chunk: usize) -> Error {
    let dtd = if case.internal { "dtd=internal" } else { "dtd=refuse" };
    let format = Xml::from_options(&Options::from_pairs([dtd, "record=/r/p"]).unwrap()).unwrap();
    // Small limits where a document would have to be large; the others are the usual ones.
    let record = if matches!(case.refused, Limit("record")) { 64 << 10 } else { 16 << 20 };
    let limits = Limits { record, fields: 2_000, ..Limits::default() };
    let decoder = format.decoder(DecodeOptions { limits, ..DecodeOptions::default() }).unwrap();
    let mut inputs: Vec<Input> =
        case.bytes.chunks(chunk).map(|c| Input::Bytes(Bytes::copy_from_slice(c))).collect();
    inputs.push(Input::EndOfStream);
    decode(decoder, inputs).error.unwrap_or_else(|| panic!("{}: accepted", case.name))
}

fn check(cases: &[Hostile]) {
    for case in cases {
        // Parsers have to fit a small stack.
        let error = std::thread::scope(|scope| {
            let small = std::thread::Builder::new().stack_size(256 << 10);
            small.spawn_scoped(scope, || read(case, 1 << 20)).unwrap().join().unwrap()
        });
        let cut = read(case, 777);
        assert_eq!(error.to_string(), cut.to_string(), "{}: the chunks matter", case.name);
        match case.refused {
            Limit(name) => {
                assert_eq!(error.kind(), Kind::Limit, "{}: {error}", case.name);
                assert!(
                    error.message().starts_with(&format!("limit {name} is")),
                    "{}: {error}",
                    case.name
                );
            }
            Code(code) => assert_eq!(error.code(), code, "{}: {error}", case.name),
        }
        assert!(error.offset().is_some(), "{}: no place: {error}", case.name);
    }
}

#[test]
fn hostile_documents_are_refused_within_bounded_memory() {
    let name = "hostile_documents_are_refused_within_bounded_memory";
    fenhe_testkit::memory::within(256, name, || {
        let cases = [floods(), entities(), lies()].concat();
        let taken = fenhe_testkit::memory::taken(|| check(&cases));
        println!(
            "{} hostile documents refused, {:?} KiB taken",
            cases.len(),
            taken.map(|t| t >> 10)
        );
        assert!(cases.len() >= 75, "{}", cases.len());
        assert!(taken.is_none_or(|taken| taken < MOST), "{taken:?}");
    });
}
