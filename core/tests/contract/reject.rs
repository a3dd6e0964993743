//! Rejects as JSON.

use fenhe_core::{Fault, Reject};

#[test]
fn raw_bytes_survive_json_and_are_cut_at_the_limit() {
    let reject = Reject::new(Fault::new("x.y", "f", "a", "b")).raw_bytes(b"\x00\xff\x10", 2);
    assert!(reject.raw_cut);
    let json = serde_json::to_string(&reject).unwrap();
    assert!(json.contains("\"raw\":\"00ff\""), "{json}");
    assert_eq!(serde_json::from_str::<Reject>(&json).unwrap(), reject);
}

#[test]
fn a_place_that_is_not_known_is_left_out_and_byte_0_is_not() {
    let reject = Reject::new(Fault::new("x.y", "f", "a", "b")).by("t").on_line(2);
    let first = reject.clone().at(1, 0, 79);
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!((json["offset"].as_u64(), json["length"].as_u64()), (Some(0), Some(79)));
    assert!(first.to_string().contains("record 1 at byte 0"), "{first}");
    let unknown = reject.at(10, 0, 0);
    let text = serde_json::to_string(&unknown).unwrap();
    assert_eq!(
        text,
        "{\"source\":{\"name\":\"\",\"fingerprint\":\"\"},\"record\":10,\"line\":2,\"code\":\"x.y\",\
         \"field\":\"f\",\"expected\":\"a\",\"found\":\"b\",\"raw_is\":\"source\",\"raw\":\"\",\"adapter\":\"t\"}"
    );
    // As they were written before.
    let old = text.replace("\"line\":2", "\"line\":2,\"offset\":0,\"length\":0");
    for text in [text, old] {
        assert_eq!(serde_json::from_str::<Reject>(&text).unwrap(), unknown);
    }
}
