//! Keys: Ed25519 (RFC 8032) and SM2 (GB/T 32918), as `ed25519:HEX` and `sm2:HEX`.

use fenhe_core::{Error, Kind, Result, Secret};
use sm2::dsa::signature::{Signer as _, Verifier as _};

/// The default identity of GM/T 0009-2012, clause 10.
const IDENTITY: &str = "1234567812345678";

/// A private key that closes receipts.
pub struct Signer(Key);

enum Key {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Sm2(Box<sm2::dsa::SigningKey>),
}

impl Signer {
    /// Reads a key: `ed25519:` or `sm2:` and 64 hexadecimal digits (the seed, or the secret scalar).
    ///
    /// # Errors
    /// [`Kind::Config`] with code `ledger.key`; the message never holds the key.
    pub fn parse(text: &Secret) -> Result<Self> {
        let text = text.reveal().trim();
        let (kind, digits) = text.split_once(':').ok_or_else(bad_key)?;
        let bytes = zeroize::Zeroizing::new(hex::decode(digits).map_err(|_| bad_key())?);
        match kind {
            "ed25519" => {
                let seed: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| bad_key())?;
                Ok(Self(Key::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))))
            }
            "sm2" => {
                let secret = sm2::SecretKey::from_slice(&bytes).map_err(|_| bad_key())?;
                let key = sm2::dsa::SigningKey::new(IDENTITY, &secret).map_err(|_| bad_key())?;
                Ok(Self(Key::Sm2(Box::new(key))))
            }
            _ => Err(bad_key()),
        }
    }

    /// The public key, for [`Verifier::parse`].
    pub fn public_key(&self) -> String {
        match &self.0 {
            Key::Ed25519(key) => format!("ed25519:{}", hex::encode(key.verifying_key().as_bytes())),
            Key::Sm2(key) => {
                format!("sm2:{}", hex::encode(key.verifying_key().to_sec1_bytes()))
            }
        }
    }

    /// The signature over a message, hexadecimal.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the key cannot sign.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<String> {
        match &self.0 {
            Key::Ed25519(key) => Ok(hex::encode(key.sign(message).to_bytes())),
            Key::Sm2(key) => {
                let signature: sm2::dsa::Signature = key.try_sign(message).map_err(|_| {
                    Error::new(Kind::Internal, "ledger.sign", "the receipt could not be signed")
                })?;
                Ok(hex::encode(signature.to_bytes()))
            }
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.public_key())
    }
}

/// A public key.
#[derive(Clone, Debug)]
pub struct Verifier(PublicKey);

#[derive(Clone, Debug)]
enum PublicKey {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Sm2(Box<sm2::dsa::VerifyingKey>),
}

impl Verifier {
    /// Reads a public key: `ed25519:` and 64 hexadecimal digits, or `sm2:` and the point as SEC 1 has it.
    ///
    /// # Errors
    /// [`Kind::Config`] with code `ledger.key`.
    pub fn parse(text: &str) -> Result<Self> {
        let (kind, digits) = text.trim().split_once(':').ok_or_else(bad_key)?;
        let bytes = hex::decode(digits).map_err(|_| bad_key())?;
        match kind {
            "ed25519" => {
                let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| bad_key())?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| bad_key())?;
                Ok(Self(PublicKey::Ed25519(Box::new(key))))
            }
            "sm2" => {
                let key = sm2::dsa::VerifyingKey::from_sec1_bytes(IDENTITY, &bytes)
                    .map_err(|_| bad_key())?;
                Ok(Self(PublicKey::Sm2(Box::new(key))))
            }
            _ => Err(bad_key()),
        }
    }

    /// Whether the hexadecimal signature is this key's over the message.
    pub(crate) fn verify(&self, message: &[u8], signature: &str) -> bool {
        // Upper case would be another text for the same signature.
        if signature.bytes().any(|b| b.is_ascii_uppercase()) {
            return false;
        }
        let Ok(bytes) = hex::decode(signature) else { return false };
        match &self.0 {
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(&bytes)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            PublicKey::Sm2(key) => sm2::dsa::Signature::from_slice(&bytes)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

fn bad_key() -> Error {
    Error::new(Kind::Config, "ledger.key", "this is no key of a kind known here")
        .hint("ed25519: or sm2: followed by hexadecimal digits")
}
