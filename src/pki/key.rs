//! Private keys and key ids. Key bytes are wiped when dropped and can be neither printed nor
//! serialized.

use crate::pki::fingerprint::Fingerprint;
use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use rustls::pki_types::{AlgorithmIdentifier, alg_id};
use zeroize::Zeroizing;

use super::{der, pem};

pub(crate) use explicit_curve::has_explicit_curve;

mod explicit_curve;
mod named;
mod odd;

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256 (secp256r1).
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521.
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA; holds the bits of the modulus.
    Rsa(usize),
    /// Any other algorithm; only certificates from elsewhere have such keys.
    Unknown,
}

impl KeyAlgorithm {
    /// Reads it from a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        let Some((algorithm, key)) = der::split_public_key(spki) else {
            return Self::Unknown;
        };
        if let Some(curve) = Curve::find(algorithm) {
            return curve.algorithm;
        }
        match algorithm {
            a if a == alg_id::ED25519.as_ref() => Self::Ed25519,
            a if a == alg_id::RSA_ENCRYPTION.as_ref() => {
                rsa_bits(key).map_or(Self::Unknown, Self::Rsa)
            }
            _ => Self::Unknown,
        }
    }
}

/// Counts the bits of the modulus in a PKCS#1 `RSAPublicKey` (RFC 8017 A.1.1).
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let (outer, _) = der::split_element(key)?;
    let (modulus, _) = der::split_element(outer.value)?;
    der::count_bits(modulus.value).filter(|_| modulus.tag == der::INTEGER)
}

impl fmt::Display for KeyAlgorithm {
    /// Writes the name that `--key-type` uses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ecdsa-p256"),
            Self::EcdsaP384 => f.write_str("ecdsa-p384"),
            Self::EcdsaP521 => f.write_str("ecdsa-p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Rsa(bits) => write!(f, "rsa-{bits}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// A public key without its private key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey {
    pub algorithm: KeyAlgorithm,
    /// Its key id, by which the private key is found.
    pub id: PublicKeyId,
}

impl PublicKey {
    /// Reads it from a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        Self {
            algorithm: KeyAlgorithm::of_spki(spki),
            id: PublicKeyId::of_spki(spki),
        }
    }

    /// Reads a PKCS#1 `RSAPublicKey` (RFC 8017 A.1.1).
    #[must_use]
    pub(crate) fn of_pkcs1(der: &[u8]) -> Option<Self> {
        rsa_bits(der)?;
        let spki = named::public(alg_id::RSA_ENCRYPTION.as_ref(), der);
        Some(Self::of_spki(&spki))
    }

    /// Reads the public half of an RSA private key that is too short to be used.
    #[must_use]
    pub(crate) fn of_short_rsa(private: &[u8]) -> Option<Self> {
        Self::of_pkcs1(&odd::public_half(private)?)
    }

    /// Reads the public half that a DER private key states, if it does. Nothing proves that the
    /// secret half belongs to it.
    #[must_use]
    pub fn stated_in(private: &[u8]) -> Option<Self> {
        named::spki(private).map(|spki| Self::of_spki(&spki))
    }
}

/// The key id: SHA-256 of the DER `SubjectPublicKeyInfo`, which key, request, leaf and live server
/// have in common. A curve whose parameters are spelled out counts as the name of the curve, so that
/// a key matches its certificate whichever of both forms either has.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKeyId(Fingerprint);

impl PublicKeyId {
    /// Reads it from a DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        let named = explicit_curve::with_named_curve(spki);
        Self(Fingerprint::of(named.as_deref().unwrap_or(spki)))
    }

    /// The SHA-256 value itself.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.0
    }

    /// The first eight hex digits and an ellipsis, for people to compare.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}…", self.0.first_digits())
    }
}

impl fmt::Display for PublicKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PublicKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKeyId({self})")
    }
}

/// Why a private key cannot be used or generated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// A password is needed.
    #[error("the private key is encrypted")]
    Encrypted,
    /// Key generation failed: no randomness, or an unsupported algorithm.
    #[error("cannot generate a key")]
    Generate,
    /// A type that web servers do not use; holds its name.
    #[error("a private key of type {0}, which web servers do not use")]
    OtherKind(&'static str),
    /// An RSA key that is too short for any CA; holds its bits.
    #[error("an RSA key of {0} bits; CAs require at least 2048")]
    ShortRsa(usize),
    /// Signing failed: no randomness.
    #[error("cannot sign with the key")]
    Sign,
    /// Not PKCS#8, PKCS#1 or SEC1, damaged, or of an unsupported kind.
    #[error("not a private key in a supported format")]
    Unreadable,
}

/// A private key. Kept as PKCS#8 v1 DER, which OpenSSL 3.0 reads for every algorithm, unlike v2.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    spki: Vec<u8>,
    /// Computed only once: many certificates are compared with many keys.
    id: PublicKeyId,
    algorithm: KeyAlgorithm,
    pair: LoadedKey,
}

/// The key in the form of aws-lc, which wipes it when freed. Kept, because reading an RSA key costs
/// as much as using it.
enum LoadedKey {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A curve, the identifier of its keys, and its signature algorithm.
struct Curve {
    algorithm: KeyAlgorithm,
    identifier: AlgorithmIdentifier,
    signing: &'static EcdsaSigningAlgorithm,
}

/// Every supported curve.
static CURVES: [Curve; 3] = [
    Curve {
        algorithm: KeyAlgorithm::EcdsaP256,
        identifier: alg_id::ECDSA_P256,
        signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    },
    Curve {
        algorithm: KeyAlgorithm::EcdsaP384,
        identifier: alg_id::ECDSA_P384,
        signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    },
    Curve {
        algorithm: KeyAlgorithm::EcdsaP521,
        identifier: alg_id::ECDSA_P521,
        signing: &ECDSA_P521_SHA512_ASN1_SIGNING,
    },
];

impl Curve {
    /// Finds the curve with that identifier (the value of an `AlgorithmIdentifier`, RFC 5480
    /// 2.1.1).
    fn find(identifier: &[u8]) -> Option<&'static Self> {
        CURVES
            .iter()
            .find(|curve| curve.identifier.as_ref() == identifier)
    }

    /// Finds the curve that PKCS#8 names (RFC 5958 2).
    fn of_pkcs8(der: &[u8]) -> Option<&'static Self> {
        let (outer, _) = der::split_element(der)?;
        let (_version, rest) = der::split_element(outer.value)?;
        let (identifier, _) = der::split_element(rest)?;
        Self::find(identifier.value)
    }

    /// The `SubjectPublicKeyInfo` of an uncompressed point (RFC 5480 2). The library would compute
    /// the point again.
    fn spki(&self, point: &[u8]) -> Vec<u8> {
        let identifier = der::encode_element(der::SEQUENCE, &[self.identifier.as_ref()]);
        der::encode_element(
            der::SEQUENCE,
            &[
                &identifier,
                &der::encode_element(der::BIT_STRING, &[&[0], point]),
            ],
        )
    }
}

impl PrivateKey {
    /// Generates a key. RSA keys have 2048, 3072 or 4096 bits.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generate;
        match algorithm {
            KeyAlgorithm::Rsa(bits) => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(KeyError::Generate),
                };
                Self::from_rsa(RsaKeyPair::generate(size).map_err(failed)?)
            }
            KeyAlgorithm::Ed25519 => {
                Self::from_ed25519(Ed25519KeyPair::generate().map_err(failed)?)
            }
            KeyAlgorithm::Unknown => Err(KeyError::Generate),
            curve => {
                let curve = CURVES
                    .iter()
                    .find(|known| known.algorithm == curve)
                    .ok_or(KeyError::Generate)?;
                Self::from_ecdsa(
                    curve,
                    EcdsaKeyPair::generate(curve.signing).map_err(failed)?,
                )
            }
        }
    }

    /// Reads PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) or SEC1 (RFC 5915) DER.
    ///
    /// # Errors
    /// [`KeyError::Encrypted`] for `EncryptedPrivateKeyInfo`, else why it cannot be used.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        // First the curve that the file names: a parser for another kind would notice it only after
        // parsing and checking the key, which costs as much as signing.
        let ecdsa = |curve: &'static Curve| {
            EcdsaKeyPair::from_private_key_der(curve.signing, der)
                .ok()
                .map(|ecdsa| (curve, ecdsa))
        };
        if let Some((curve, ecdsa)) = Curve::of_pkcs8(der).and_then(ecdsa) {
            return Self::from_ecdsa(curve, ecdsa);
        }
        if let Ok(rsa) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            return Self::from_rsa(rsa);
        }
        if let Ok(ed25519) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Self::from_ed25519(ed25519);
        }
        if let Some((curve, ecdsa)) = CURVES.iter().find_map(ecdsa) {
            return Self::from_ecdsa(curve, ecdsa);
        }
        Err(match (odd::short_rsa(der), odd::kind(der)) {
            _ if is_encrypted(der) => KeyError::Encrypted,
            (Some(bits), _) => KeyError::ShortRsa(bits),
            (None, Some(kind)) => KeyError::OtherKind(kind),
            (None, None) => KeyError::Unreadable,
        })
    }

    /// The key id, which its request and its certificate share.
    #[must_use]
    pub fn id(&self) -> PublicKeyId {
        self.id
    }

    /// The algorithm of the key.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// PKCS#8 DER. Only this and [`Self::to_pem`] reveal the key: for files of mode 0600 and
    /// signing.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// A `PRIVATE KEY` block, wiped when dropped.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode_key(&self.pkcs8)
    }

    /// Signs `message` with the usual algorithm for requests: PKCS#1 v1.5 with SHA-256 for RSA, a
    /// hash of the size of the curve for ECDSA.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        let failed = |_| KeyError::Sign;
        match &self.pair {
            LoadedKey::Ecdsa(ecdsa) => Ok(ecdsa
                .sign(&random, message)
                .map_err(failed)?
                .as_ref()
                .to_vec()),
            LoadedKey::Ed25519(ed25519) => Ok(ed25519.sign(message).as_ref().to_vec()),
            LoadedKey::Rsa(rsa) => {
                let mut signature = vec![0; rsa.public_modulus_len()];
                rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    fn from_rsa(rsa: RsaKeyPair) -> Result<Self, KeyError> {
        let pkcs8: Pkcs8V1Der<'_> = rsa.as_der().map_err(|_| KeyError::Unreadable)?;
        let spki = spki(rsa.public_key())?;
        Ok(Self::new(pkcs8.as_ref(), spki, LoadedKey::Rsa(rsa)))
    }

    fn from_ed25519(ed25519: Ed25519KeyPair) -> Result<Self, KeyError> {
        let pkcs8 = ed25519.to_pkcs8v1().map_err(|_| KeyError::Unreadable)?;
        let spki = spki(ed25519.public_key())?;
        Ok(Self::new(pkcs8.as_ref(), spki, LoadedKey::Ed25519(ed25519)))
    }

    fn from_ecdsa(curve: &Curve, ecdsa: EcdsaKeyPair) -> Result<Self, KeyError> {
        let pkcs8 = ecdsa.to_pkcs8v1().map_err(|_| KeyError::Unreadable)?;
        Ok(Self::new(
            pkcs8.as_ref(),
            curve.spki(ecdsa.public_key().as_ref()),
            LoadedKey::Ecdsa(ecdsa),
        ))
    }

    fn new(pkcs8: &[u8], spki: Vec<u8>, pair: LoadedKey) -> Self {
        Self {
            pkcs8: Zeroizing::new(pkcs8.to_vec()),
            id: PublicKeyId::of_spki(&spki),
            algorithm: KeyAlgorithm::of_spki(&spki),
            spki,
            pair,
        }
    }
}

impl fmt::Debug for PrivateKey {
    /// Writes only the public half.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, {})", self.algorithm, self.id())
    }
}

fn spki(public: &impl AsDer<PublicKeyX509Der<'static>>) -> Result<Vec<u8>, KeyError> {
    Ok(public
        .as_der()
        .map_err(|_| KeyError::Unreadable)?
        .as_ref()
        .to_vec())
}

/// `EncryptedPrivateKeyInfo` (RFC 5958 3): a sequence of an algorithm identifier and an octet
/// string.
fn is_encrypted(der: &[u8]) -> bool {
    let parts = der::split_element(der).and_then(|(outer, _)| {
        let (algorithm, rest) = der::split_element(outer.value)?;
        let (data, rest) = der::split_element(rest)?;
        Some((algorithm.tag, data.tag, rest.is_empty()))
    });
    parts == Some((0x30, 0x04, true))
}

#[cfg(test)]
mod tests {
    use super::{KeyAlgorithm, KeyError, PrivateKey};

    const MADE: [KeyAlgorithm; 5] = [
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::EcdsaP521,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa(2048),
    ];

    #[test]
    fn keys_survive_a_round_trip() {
        for algorithm in MADE {
            let key = PrivateKey::generate(algorithm).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let again = PrivateKey::from_der(key.pkcs8()).unwrap();
            assert_eq!((again.id(), again.algorithm()), (key.id(), algorithm));
            assert!(key.to_pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
            assert!(key.to_pem().ends_with("-----END PRIVATE KEY-----\n"));
        }
    }

    #[test]
    fn unusable_keys_have_their_own_errors() {
        assert_eq!(
            PrivateKey::generate(KeyAlgorithm::Rsa(1024)).unwrap_err(),
            KeyError::Generate
        );
        assert_eq!(
            PrivateKey::from_der(b"hello").unwrap_err(),
            KeyError::Unreadable
        );
        // EncryptedPrivateKeyInfo in outline: SEQUENCE { SEQUENCE {}, OCTET STRING {} }
        assert_eq!(
            PrivateKey::from_der(&[0x30, 4, 0x30, 0, 0x04, 0]).unwrap_err(),
            KeyError::Encrypted
        );
    }
}
