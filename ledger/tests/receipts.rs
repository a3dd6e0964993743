use fenhe_core::Secret;
use fenhe_ledger::{Algorithm, Chain, Expected, Signer, Trouble, check, seal, verify};
use serde_json::{Value, json};

fn receipt(n: u64) -> Value {
    json!({"run": format!("r{n}"), "flows": [{"flow": "居民", "books": {"read": n * 7, "delivered": n * 7 - 1,
        "rejected": {"dbf.date": 1}}, "columns": [{"name": "fee", "nulls": 0, "sum": format!("{n}.05")}]}]})
}

fn by(signer: &str) -> Expected<'_> {
    Expected { signer: Some(signer), ..Expected::default() }
}

/// A chain of `n` receipts.
fn chain(n: u64, algorithm: Algorithm, signer: Option<&Signer>) -> Vec<Vec<u8>> {
    let mut link = Chain::first(algorithm);
    let mut made = Vec::new();
    for i in 1..=n {
        let text = seal(receipt(i), link.clone(), signer).unwrap();
        let checked = check(&text).unwrap();
        link = Chain { sequence: i + 1, previous: checked.hash, ..Chain::first(algorithm) };
        made.push(text);
    }
    made
}

fn troubles(receipts: &[Vec<u8>], anchor: Option<&str>) -> Vec<Trouble> {
    let expected = Expected { whole: anchor.is_some(), anchor, signer: None };
    let findings = verify(receipts.iter().map(Vec::as_slice), &expected);
    findings.into_iter().map(|finding| finding.trouble).collect()
}

#[test]
fn the_hash_is_the_one_that_the_description_gives() {
    let text =
        seal(json!({"姓名": "张三", "read": 3}), Chain::first(Algorithm::Sha256), None).unwrap();
    // Computed from the description with Python's hashlib.
    assert_eq!(
        check(&text).unwrap().hash,
        "9e02599fab12dce88999f77471172d8bff010c33a4cc277396ad455197f3c646"
    );
    assert_eq!(
        String::from_utf8(text).unwrap(),
        concat!(
            r#"{"chain":{"algorithm":"sha256","previous":"0000000000000000000000000000000000000000000000000000000000000000","sequence":1},"#,
            r#""read":3,"seal":{"hash":"9e02599fab12dce88999f77471172d8bff010c33a4cc277396ad455197f3c646"},"姓名":"张三"}"#,
            "\n"
        )
    );
}

#[test]
fn a_receipt_is_sound_with_its_last_byte_and_no_more() {
    let text = seal(receipt(1), Chain::first(Algorithm::Sha256), None).unwrap();
    assert!(check(&text).is_ok());
    for length in 0..text.len() {
        assert!(check(&text[..length]).is_err(), "cut to {length} of {} bytes", text.len());
    }
    let error = check(&text[..text.len() - 1]).unwrap_err();
    assert_eq!(error.code(), "receipt.canonical");
    for more in ["\n", " ", "\r\n"] {
        assert!(check(&[&text[..], more.as_bytes()].concat()).is_err(), "{more:?}");
    }
}

#[test]
fn a_thousand_random_alterations_are_all_found() {
    let mut rng = fastrand::Rng::with_seed(20_261_123);
    let key = Secret::new(format!("ed25519:{}", "07".repeat(32)));
    let signer = Signer::parse(&key).unwrap();
    let chains = [
        chain(6, Algorithm::Sha256, None),
        chain(6, Algorithm::Sm3, None),
        chain(6, Algorithm::Sha256, None),
        chain(6, Algorithm::Sm3, Some(&signer)),
    ];
    for receipts in &chains {
        let anchor = check(&receipts[5]).unwrap().hash;
        assert!(troubles(receipts, Some(&anchor)).is_empty(), "a false alarm");
    }
    let mut kinds = std::collections::BTreeMap::<&str, u32>::new();
    for round in 0..1_000 {
        // Signatures are slow without optimisation: fewer of them.
        let receipts = &chains[if round % 20 == 0 { 3 } else { round % 3 }];
        let anchor = check(&receipts[5]).unwrap().hash;
        let mut altered = receipts.clone();
        let at = rng.usize(..6);
        let kind = match rng.usize(..7) {
            0 => {
                altered.remove(at);
                "dropped"
            }
            1 => {
                let other = (at + 1 + rng.usize(..5)) % 6;
                altered.swap(at, other);
                "swapped"
            }
            2 => {
                altered.insert(rng.usize(..=6), receipts[at].clone());
                "duplicated"
            }
            3 => {
                let length = altered[at].len();
                altered[at].truncate(rng.usize(..length));
                "truncated"
            }
            4 => {
                altered.truncate(rng.usize(..6));
                "cut off"
            }
            5 => {
                let byte = rng.usize(..altered[at].len());
                altered[at][byte] ^= 1 << rng.u32(..8);
                "a bit flipped"
            }
            _ => {
                let mut value: Value = serde_json::from_slice(&altered[at]).unwrap();
                value["flows"][0]["books"]["delivered"] = json!(rng.u32(1_000..));
                altered[at] = serde_json_canonicalizer::to_vec(&value).unwrap();
                altered[at].push(b'\n');
                "a figure changed"
            }
        };
        *kinds.entry(kind).or_default() += 1;
        assert!(
            !troubles(&altered, Some(&anchor)).is_empty(),
            "round {round}: {kind} was not found"
        );
    }
    println!("alterations: 1000 found: 1000 {kinds:?}");
    assert!(kinds.len() == 7 && kinds.values().all(|n| *n > 50), "{kinds:?}");
}

#[test]
fn without_an_anchor_only_a_cut_end_goes_unseen() {
    let receipts = chain(4, Algorithm::Sha256, None);
    assert!(troubles(&receipts[..3], None).is_empty());
    assert!(troubles(&receipts[1..], None).is_empty(), "a part of a chain may be shown alone");
    let anchor = check(&receipts[3]).unwrap().hash;
    assert!(matches!(troubles(&receipts[..3], Some(&anchor))[..], [Trouble::Anchor]));
    let mut holed = receipts.clone();
    holed.remove(1);
    assert!(matches!(troubles(&holed, None)[..], [Trouble::Sequence { .. }, Trouble::Link]));
}

#[test]
fn a_forger_without_the_key_is_found_and_one_with_his_own_key_as_well() {
    for kind in ["ed25519", "sm2"] {
        let signer = Signer::parse(&Secret::new(format!("{kind}:{}", "11".repeat(32)))).unwrap();
        let text = seal(receipt(1), Chain::first(Algorithm::Sm3), Some(&signer)).unwrap();
        let ours = signer.public_key();
        assert!(verify([text.as_slice()], &by(&ours)).is_empty(), "{kind}");
        // Sealed anew without a key.
        let forged = seal(receipt(2), Chain::first(Algorithm::Sm3), None).unwrap();
        let found = verify([forged.as_slice()], &by(&ours));
        assert!(matches!(found[0].trouble, Trouble::Signer), "{kind}");
        // The signature of another receipt.
        let mut value: Value = serde_json::from_slice(&text).unwrap();
        let other: Value = serde_json::from_slice(
            &seal(receipt(3), Chain::first(Algorithm::Sm3), Some(&signer)).unwrap(),
        )
        .unwrap();
        value["seal"]["signature"] = other["seal"]["signature"].clone();
        let forged = [serde_json_canonicalizer::to_vec(&value).unwrap(), b"\n".to_vec()].concat();
        let error = check(&forged).unwrap_err();
        assert_eq!(error.code(), "receipt.signature");
        let theirs = Signer::parse(&Secret::new(format!("{kind}:{}", "12".repeat(32)))).unwrap();
        let forged = seal(receipt(1), Chain::first(Algorithm::Sm3), Some(&theirs)).unwrap();
        assert!(matches!(verify([forged.as_slice()], &by(&ours))[0].trouble, Trouble::Signer));
    }
}

#[test]
fn ed25519_signs_as_rfc_8032_says() {
    // RFC 8032, 7.1, test 1: the public key of the seed.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let signer = Signer::parse(&Secret::new(format!("ed25519:{seed}"))).unwrap();
    assert_eq!(
        signer.public_key(),
        "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    for wrong in ["", "ed25519:00", "sm2:zz", "rsa:00", "ed25519"] {
        let error = Signer::parse(&Secret::new(wrong)).unwrap_err();
        assert_eq!(error.code(), "ledger.key");
    }
}

#[test]
fn a_change_of_the_hash_function_has_to_be_said() {
    let first = seal(receipt(1), Chain::first(Algorithm::Sha256), None).unwrap();
    let previous = check(&first).unwrap().hash;
    let link = Chain { sequence: 2, previous, ..Chain::first(Algorithm::Sm3) };
    let silent = seal(receipt(2), link.clone(), None).unwrap();
    assert!(matches!(troubles(&[first.clone(), silent], None)[..], [Trouble::Algorithm]));
    let said = Chain { switched_from: Some(Algorithm::Sha256), ..link };
    let said = seal(receipt(2), said, None).unwrap();
    assert!(troubles(&[first, said], None).is_empty());
}
