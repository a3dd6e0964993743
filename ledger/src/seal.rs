//! One receipt: canonical bytes, the hash that links it to the one before, and a signature if a key is there.

use fenhe_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::sign::{Signer, Verifier};

/// Bound into every hash, so that a receipt cannot be passed off as something else.
const DOMAIN: &str = "fenhe-receipt/1";
const SIGNED: &str = "fenhe-receipt-signature/1";

/// Where a receipt stands in its chain. Part of what is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// Number in the chain, from 1.
    pub sequence: u64,
    /// Hash function of this receipt.
    pub algorithm: Algorithm,
    /// Hash of the receipt before, hexadecimal; 64 zeros for the first.
    pub previous: String,
    /// Hash function of the receipt before, where it was another: a chain never changes it silently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched_from: Option<Algorithm>,
    /// Public key of the signature that the receipt has to carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

impl Chain {
    /// The first link of a chain.
    pub fn first(algorithm: Algorithm) -> Self {
        Self { sequence: 1, algorithm, previous: "0".repeat(64), switched_from: None, signer: None }
    }
}

/// What closes a receipt. The only part that is not hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Hash of the receipt without its seal, hexadecimal.
    pub hash: String,
    /// Signature over the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// A signature by the key that [`Chain::signer`] names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(pub String);

/// A receipt that is in itself sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its place in the chain.
    pub chain: Chain,
    /// Its own hash, hexadecimal.
    pub hash: String,
    /// The document.
    pub receipt: Value,
}

/// Closes a receipt: adds `chain` and `seal` and returns the file: the canonical bytes (RFC 8785) of the whole and a line
/// feed.
///
/// The hash is taken over five parts: `fenhe-receipt/1`, the name of the algorithm, the previous hash and the
/// length of the body in bytes, each followed by a line feed, and the body: the canonical receipt without `seal`.
///
/// # Errors
/// [`Kind::Internal`] when the receipt is no JSON object, [`Kind::Config`] when signing fails.
pub fn seal(mut receipt: Value, mut chain: Chain, signer: Option<&Signer>) -> Result<Vec<u8>> {
    chain.signer = signer.map(Signer::public_key);
    let Some(object) = receipt.as_object_mut() else {
        return Err(Error::new(Kind::Internal, "receipt.shape", "a receipt is a JSON object"));
    };
    object.remove("seal");
    object.insert("chain".into(), serde_json::to_value(&chain).map_err(json)?);
    let body = canonical(&receipt)?;
    let hash = hash_of(&chain, &body);
    let signature = signer.map(|signer| signer.sign(&signed(&hash))).transpose()?;
    let seal = Seal { hash, signature: signature.map(Signature) };
    if let Some(object) = receipt.as_object_mut() {
        object.insert("seal".into(), serde_json::to_value(&seal).map_err(json)?);
    }
    let mut file = canonical(&receipt)?;
    file.push(b'\n');
    Ok(file)
}

/// Checks one receipt by itself: canonical form with the line feed that ends the file, hash, and the signature if it names a
/// signer.
///
/// # Errors
/// [`Kind::Invalid`] with code `receipt.json`, `receipt.canonical`, `receipt.shape`, `receipt.hash` or
/// `receipt.signature`.
pub fn check(text: &[u8]) -> Result<Checked> {
    // Nothing in the file may be lost unnoticed, its last byte no more than any other.
    let Some(text) = text.strip_suffix(b"\n") else {
        return Err(broken(
            "receipt.canonical",
            "the line feed at the end is missing: the file was cut",
        )
        .hint("use the file as it was written"));
    };
    let mut receipt: Value = serde_json::from_slice(text)
        .map_err(|cause| broken("receipt.json", "this is not JSON").caused_by(cause))?;
    if canonical(&receipt)? != text {
        return Err(broken(
            "receipt.canonical",
            "the bytes are not those that were written: not in canonical form",
        )
        .hint("a receipt that was formatted anew or saved by an editor is no proof; use the file as it was written"));
    }
    let (chain, seal) = links(&mut receipt)?;
    let body = canonical(&receipt)?;
    if hash_of(&chain, &body) != seal.hash {
        return Err(broken("receipt.hash", "the content is not what the hash was made of"));
    }
    check_signature(&chain, &seal)?;
    if let Some(object) = receipt.as_object_mut() {
        object.insert("seal".into(), serde_json::to_value(&seal).map_err(json)?);
    }
    Ok(Checked { chain, hash: seal.hash, receipt })
}

/// Takes the seal out, and reads both it and the chain.
fn links(receipt: &mut Value) -> Result<(Chain, Seal)> {
    let shape = || broken("receipt.shape", "this is no receipt of a chain");
    let object = receipt.as_object_mut().ok_or_else(shape)?;
    let seal = object.remove("seal").ok_or_else(shape)?;
    let seal: Seal = serde_json::from_value(seal).map_err(|e| shape().caused_by(e))?;
    let chain = object.get("chain").cloned().ok_or_else(shape)?;
    let chain: Chain = serde_json::from_value(chain).map_err(|e| shape().caused_by(e))?;
    Ok((chain, seal))
}

fn check_signature(chain: &Chain, seal: &Seal) -> Result<()> {
    let wrong = |what| Err(broken("receipt.signature", what));
    match (&chain.signer, &seal.signature) {
        (None, None) => Ok(()),
        (Some(_), None) => wrong("the signature is missing"),
        (None, Some(_)) => wrong("there is a signature, but the receipt names no signer"),
        (Some(key), Some(Signature(signature))) => {
            let verifier = Verifier::parse(key)?;
            match verifier.verify(&signed(&seal.hash), signature) {
                true => Ok(()),
                false => wrong("the signature is not that of the signer over this receipt"),
            }
        }
    }
}

fn hash_of(chain: &Chain, body: &[u8]) -> String {
    let head = format!("{DOMAIN}\n{}\n{}\n{}\n", chain.algorithm, chain.previous, body.len());
    hex::encode(chain.algorithm.hash(&[head.as_bytes(), body]))
}

fn signed(hash: &str) -> Vec<u8> {
    format!("{SIGNED}\n{hash}\n").into_bytes()
}

fn canonical(value: &Value) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(json)
}

fn json(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Internal, "receipt.json", "the receipt has no JSON form").caused_by(cause)
}

fn broken(code: &'static str, what: &'static str) -> Error {
    Error::new(Kind::Invalid, code, what)
}
