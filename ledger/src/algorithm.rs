//! The hash functions that receipts are chained with.

use std::fmt;

use fenhe_core::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use sha2::Digest;

/// A hash function, named in every receipt that uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256, FIPS 180-4.
    #[default]
    Sha256,
    /// SM3, GB/T 32905-2016.
    Sm3,
}

impl Algorithm {
    /// The algorithm of this name.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `ledger.algorithm`.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "sha256" => Ok(Self::Sha256),
            "sm3" => Ok(Self::Sm3),
            _ => {
                Err(Error::new(Kind::Config, "ledger.algorithm", "there is no such hash algorithm")
                    .hint("sha256 or sm3"))
            }
        }
    }

    /// The hash of the parts, one after the other.
    pub fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        match self {
            Self::Sha256 => digest::<sha2::Sha256>(parts),
            Self::Sm3 => digest::<sm3::Sm3>(parts),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        })
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(&hash.finalize());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_functions_give_the_vectors_of_their_standards() {
        // FIPS 180-4 example and GB/T 32905-2016 appendix A.1, both over "abc".
        assert_eq!(
            hex::encode(Algorithm::Sha256.hash(&[b"a", b"bc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex::encode(Algorithm::Sm3.hash(&[b"ab", b"c"])),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }
}
