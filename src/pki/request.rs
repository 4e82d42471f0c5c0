//! The request (PKCS#10, RFC 2986): built from names and a key, or read as given. Hashes are over the DER as given.

use md5::{Digest, Md5};
use rcgen::{CertificateParams, DistinguishedName, DnType, PublicKeyData, SignatureAlgorithm, SigningKey};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use super::key::{KeyAlgorithm, PrivateKey, PublicKeyId, sha256};
use super::name::Names;
use super::signature::{self, SignatureError};
use super::{certificate::printable_name, der, pem};

/// Why bytes are no request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The request could not be built from names and key.
    #[error("the request could not be made: {0}")]
    Build(String),
    /// Not PKCS#10.
    #[error("not a certificate request")]
    Malformed,
    /// Its own signature does not hold: damaged, or not made with the key in it.
    #[error("the request's own signature does not hold")]
    Signature(#[source] SignatureError),
}

/// A request whose signature by the key in it holds.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    der: Vec<u8>,
    /// The names asked for: the DNS names of the subject alternative name, else the common name; as written.
    pub dns_names: Vec<String>,
    /// The subject in RFC 4514 order, readable.
    pub subject: String,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// The identity of the key.
    pub key_id: PublicKeyId,
}

impl SigningRequest {
    /// Builds and signs a request: the primary name as common name, all names as subject alternative names.
    ///
    /// # Errors
    /// [`RequestError::Build`].
    pub fn build(names: &Names, key: &PrivateKey) -> Result<Self, RequestError> {
        let failed = |error: rcgen::Error| RequestError::Build(error.to_string());
        let wanted: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
        let mut params = CertificateParams::new(wanted).map_err(failed)?;
        let mut subject = DistinguishedName::new();
        // X.520 ub-common-name is 64; a longer primary name lives in the alternative names only.
        if names.primary().as_str().len() <= 64 {
            subject.push(DnType::CommonName, names.primary().as_str());
        }
        params.distinguished_name = subject;
        let signer = Signer::new(key).map_err(failed)?;
        Self::from_der(params.serialize_request(&signer).map_err(failed)?.der())
    }

    /// Reads DER and checks the request's own signature.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let (rest, parsed) = X509CertificationRequest::from_der(der).map_err(|_| RequestError::Malformed)?;
        let der = &der[..der.len() - rest.len()];
        let info = &parsed.certification_request_info;
        let spki = info.subject_pki.raw;
        let algorithm = KeyAlgorithm::of_spki(spki);
        signature::check(der, spki).map_err(|error| match (error, algorithm) {
            // Short keys are not tried at all.
            (_, KeyAlgorithm::Rsa(..2048)) => RequestError::Signature(SignatureError::Unsupported),
            (error, _) => RequestError::Signature(error),
        })?;
        Ok(Self {
            dns_names: requested_names(&parsed),
            subject: printable_name(&info.subject),
            algorithm,
            key_id: PublicKeyId::of_spki(spki),
            der: der.to_vec(),
        })
    }

    /// The DER as given.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The names, where all of them are DNS names that a certificate can carry.
    #[must_use]
    pub fn names(&self) -> Option<Names> {
        Names::parse(&self.dns_names).ok()
    }

    /// A `CERTIFICATE REQUEST` block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE REQUEST", &self.der)
    }

    /// MD5 of the DER, lower-case hex: the host label of CSR-hash DCV. Not a security use.
    #[must_use]
    pub fn md5(&self) -> String {
        hex::encode(Md5::digest(&self.der))
    }

    /// SHA-256 of the DER, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(sha256(&self.der))
    }
}

/// A key as rcgen asks for it: no copy of its bytes is made.
struct Signer<'a> {
    key: &'a PrivateKey,
    algorithm: &'static SignatureAlgorithm,
    public: &'a [u8],
}

impl<'a> Signer<'a> {
    fn new(key: &'a PrivateKey) -> Result<Self, rcgen::Error> {
        let algorithm = match key.algorithm() {
            KeyAlgorithm::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyAlgorithm::EcdsaP521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            KeyAlgorithm::Ed25519 => &rcgen::PKCS_ED25519,
            KeyAlgorithm::Rsa(_) => &rcgen::PKCS_RSA_SHA256,
            KeyAlgorithm::Unknown => return Err(rcgen::Error::CouldNotParseKeyPair),
        };
        let (_, public) = der::public_key(key.spki()).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
        Ok(Self { key, algorithm, public })
    }
}

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// DNS names of the subject alternative name extension (RFC 2985 5.4.2), else the common name.
fn requested_names(parsed: &X509CertificationRequest<'_>) -> Vec<String> {
    let mut names: Vec<String> = parsed
        .requested_extensions()
        .into_iter()
        .flatten()
        .filter_map(|extension| match extension {
            ParsedExtension::SubjectAlternativeName(san) => Some(&san.general_names),
            _ => None,
        })
        .flatten()
        .filter_map(|name| match name {
            GeneralName::DNSName(dns) => Some((*dns).to_owned()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        let subject = &parsed.certification_request_info.subject;
        names.extend(subject.iter_common_name().filter_map(|cn| cn.as_str().ok()).map(str::to_owned));
    }
    names
}

/// True when `der` has the outline of a PKCS#10 request: its body starts with version 0, not with a version tag or a
/// long serial number as a certificate's does.
#[must_use]
pub fn looks_like_request(der: &[u8]) -> bool {
    let version = der::signed(der).and_then(|signed| {
        let (body, _) = der::split(signed.body)?;
        der::split(body.value)
    });
    version.is_some_and(|(element, _)| element.tag == 0x02 && element.value == [0])
}

#[cfg(test)]
mod tests {
    use super::{RequestError, SigningRequest, looks_like_request};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::Names;

    #[test]
    fn a_request_carries_names_and_key() {
        for algorithm in [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa(2048),
        ] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let names = Names::parse(&["*.example.com", "bücher.example"]).unwrap();
            let request = SigningRequest::build(&names, &key).unwrap();
            assert_eq!(request.key_id, key.id());
            assert_eq!(request.algorithm, algorithm);
            assert_eq!(request.dns_names, ["*.example.com", "xn--bcher-kva.example"]);
            assert_eq!(request.subject, "CN=*.example.com");
            assert!(looks_like_request(request.der()));
        }
    }

    #[test]
    fn a_changed_request_is_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request = SigningRequest::build(&Names::parse(&["example.com"]).unwrap(), &key).unwrap();
        let mut der = request.der().to_vec();
        let at = der.windows(7).position(|w| w == b"example").unwrap();
        der[at] = b'f';
        assert!(matches!(SigningRequest::from_der(&der), Err(RequestError::Signature(_))));
        assert_eq!(SigningRequest::from_der(b"x").unwrap_err(), RequestError::Malformed);
    }
}
