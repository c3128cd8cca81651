//! The file of `--jwt-key`. Its content decides the algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use rsa::RsaPublicKey;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::traits::PublicKeyParts as _;

/// Shortest secret, in bytes: as long as the hash (RFC 7518 §3.2).
const SECRET_BYTES: usize = 32;

/// Shortest modulus of an RSA key, in bytes: 2,048 bits (RFC 7518 §3.3).
const MODULUS_BYTES: usize = 256;

const NEITHER: &str = "this is neither a public key in PEM nor a secret. A secret is one line of text without spaces; make one with `openssl rand -base64 48`";

const TOO_SHORT: &str =
    "this secret is too short: HS256 needs at least 32 bytes. Make one with `openssl rand -base64 48`";

const NOT_PUBLIC: &str = "this PEM file must hold exactly one public key (-----BEGIN PUBLIC KEY-----). If you have a private key, `openssl pkey -in private.pem -pubout` prints its public key; if you have a certificate, `openssl x509 -in cert.pem -noout -pubkey` does";

const NO_SECRET: &str = "this is a public key or a certificate without its PEM lines. It cannot serve as a secret, because it is public. Put a public key between -----BEGIN PUBLIC KEY----- and -----END PUBLIC KEY-----";

const UNKNOWN_KIND: &str =
    "this public key cannot be used; use RSA with 2,048 to 4,096 bits, elliptic P-256, or Ed25519";

/// A key, and the one algorithm with which it is used.
pub(super) struct Key {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
}

impl Key {
    /// Reads the content of the file.
    ///
    /// # Errors
    /// A sentence that says what to do; it repeats nothing of the file.
    pub(super) fn read(file: &[u8]) -> Result<Self, &'static str> {
        let text = str::from_utf8(file).map_err(|_| NEITHER)?;
        if text.contains("-----BEGIN") { public(text) } else { secret(text) }
    }
}

/// A secret, as it is written: nothing is decoded, and the end of the line does not belong to it.
///
/// Invariant: nothing that is public by its nature (a key or a certificate in DER, as a JWK, or in
/// OpenSSH's form) is taken for a secret.
fn secret(text: &str) -> Result<Key, &'static str> {
    let text = text.trim_end_matches(['\r', '\n']);
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.starts_with(['{', '[']) {
        return Err(NEITHER);
    }
    if text.len() < SECRET_BYTES {
        return Err(TOO_SHORT);
    }
    if BASE64.decode(text.trim_end_matches('=')).is_ok_and(|bytes| is_der(&bytes)) {
        return Err(NO_SECRET);
    }
    Ok(Key { key: DecodingKey::from_secret(text.as_bytes()), algorithm: Algorithm::HS256 })
}

fn public(text: &str) -> Result<Key, &'static str> {
    if text.matches("-----BEGIN").count() != 1 || !text.contains("-----BEGIN PUBLIC KEY-----") {
        return Err(NOT_PUBLIC);
    }
    let pem = text.as_bytes();
    let (key, algorithm) = if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        (key, Algorithm::RS256)
    } else if let Ok(key) = DecodingKey::from_ec_pem(pem) {
        (key, Algorithm::ES256)
    } else if let Ok(key) = DecodingKey::from_ed_pem(pem) {
        (key, Algorithm::EdDSA)
    } else {
        return Err(UNKNOWN_KIND);
    };
    let bytes = key.as_bytes();
    // The library reads the key only when it verifies, so a bad key is found here.
    let usable = match algorithm {
        Algorithm::RS256 => RsaPublicKey::from_pkcs1_der(bytes).is_ok_and(|key| key.size() >= MODULUS_BYTES),
        Algorithm::EdDSA => bytes.len() == 32,
        _ => true,
    };
    if usable && crypto::verify("", b"", &key, algorithm).is_ok() {
        Ok(Key { key, algorithm })
    } else {
        Err(UNKNOWN_KIND)
    }
}

/// Whether these bytes are one DER sequence, as every public key and certificate is: its tag, and a
/// length that is that of the rest (X.690 §8.1.3). Of random secrets about one in 60,000 is.
fn is_der(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, length @ 0..=0x7f, rest @ ..] => usize::from(*length) == rest.len(),
        [0x30, 0x81, length, rest @ ..] => usize::from(*length) == rest.len(),
        [0x30, 0x82, high, low, rest @ ..] => usize::from(u16::from_be_bytes([*high, *low])) == rest.len(),
        _ => false,
    }
}
