//! Keyed hashes: HMAC (RFC 2104, GB/T 15852.2) with SHA-256 or SM3.

use std::fmt;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use fenhe_core::{Error, Kind, Result, Secret};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sm3::Sm3;

use super::{Cell, Compiled, Pass, Work, is_blank, spelled};
use crate::bind::Context;
use crate::step::Algorithm;

/// A key shorter than this can be found by trying. NIST SP 800-107 asks for 112 bits at least.
const SHORTEST: usize = 14;

/// A key that has been read into the hash function once.
enum Keyed {
    Sha256(Hmac<Sha256>),
    Sm3(Hmac<Sm3>),
}

pub(super) fn compile(algorithm: Algorithm, key: &str, context: &Context) -> Result<Compiled> {
    let wrong = |message: String| Error::new(Kind::Config, "mapping.key", message);
    let secret: &Secret =
        context.secrets.get(key).ok_or_else(|| wrong(format!("the key {key} was not given")))?;
    let bytes = secret.reveal().as_bytes();
    if bytes.len() < SHORTEST {
        let message = format!("the key {key} has fewer than {SHORTEST} bytes");
        return Err(wrong(message).hint("make one with: openssl rand -hex 32"));
    }
    let refused = |_| wrong(format!("the key {key} cannot be used"));
    let keyed = match algorithm {
        Algorithm::Sha256 => Keyed::Sha256(Hmac::new_from_slice(bytes).map_err(refused)?),
        Algorithm::Sm3 => Keyed::Sm3(Hmac::new_from_slice(bytes).map_err(refused)?),
    };
    Ok((Box::new(keyed), DataType::Utf8))
}

impl Work for Keyed {
    fn run(&self, input: &ArrayRef, pass: &mut Pass<'_>) -> Result<ArrayRef> {
        let text = spelled(input)?;
        pass.rewrite(&text, None, |text, out| {
            if is_blank(text) {
                return Cell::Absent;
            }
            match self {
                Self::Sha256(key) => {
                    digits(&key.clone().chain_update(text).finalize().into_bytes(), out)
                }
                Self::Sm3(key) => {
                    digits(&key.clone().chain_update(text).finalize().into_bytes(), out)
                }
            }
            Cell::Written
        })
    }
}

fn digits(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            out.push(char::from_digit(half.into(), 16).unwrap_or_default());
        }
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(***)")
    }
}
