//! Certificate signing requests (PKCS#10, RFC 2986): built from names and a key, or parsed. Hashes
//! are of the DER as given.

use crate::pki::fingerprint::Fingerprint;
use std::net::IpAddr;

use md5::{Digest, Md5};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use super::alt_name::AltNames;
use super::certificate::{parse_ip_address, printable_name};
use super::key::{KeyAlgorithm, KeyError, PrivateKey, PublicKeyId};
use super::name::DnsNames;
use super::signature::{self, SignatureError};
use super::subject::SubjectName;
use super::{der, pem};

mod build;

/// Why a request cannot be built or read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The request could not be signed.
    #[error("cannot create the request")]
    Build(#[source] KeyError),
    /// Not PKCS#10.
    #[error("not a certificate request")]
    Malformed,
    /// Its own signature is wrong: it is damaged, or not signed with the key in it.
    #[error("the request's own signature is invalid")]
    Signature(#[source] SignatureError),
}

/// A request whose own signature is valid.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    der: Vec<u8>,
    /// The requested DNS names of the subject alternative name, else the common names; as written.
    pub dns_names: Vec<String>,
    /// The requested IP addresses.
    pub ip_addresses: Vec<IpAddr>,
    /// The requested email addresses, as written.
    pub mailboxes: Vec<String>,
    /// The subject in RFC 4514 order, readable.
    pub subject: String,
    /// The algorithm of the key.
    pub algorithm: KeyAlgorithm,
    /// The key id.
    pub key_id: PublicKeyId,
}

impl SigningRequest {
    /// Builds and signs a request for DNS names only: the primary name as common name, all names as
    /// subject alternative names.
    ///
    /// # Errors
    /// [`RequestError::Build`].
    pub fn build(names: &DnsNames, key: &PrivateKey) -> Result<Self, RequestError> {
        let names = AltNames::from(names);
        Self::build_with_subject(&names, &SubjectName::default().or_named(&names), key)
    }

    /// Builds and signs a request.
    ///
    /// # Errors
    /// [`RequestError::Build`].
    pub fn build_with_subject(
        names: &AltNames,
        subject: &SubjectName,
        key: &PrivateKey,
    ) -> Result<Self, RequestError> {
        let der = build::request(names, subject, key).map_err(RequestError::Build)?;
        // Checking the new signature would cost more than signing.
        Self::parse_unchecked(&der).map(|(request, _)| request)
    }

    /// Parses DER and checks the request's own signature.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let (request, spki) = Self::parse_unchecked(der)?;
        signature::check_signature(&request.der, spki).map_err(|error| {
            match (error, request.algorithm) {
                // Short keys are not supported.
                (_, KeyAlgorithm::Rsa(..2048)) => {
                    RequestError::Signature(SignatureError::Unsupported)
                }
                (error, _) => RequestError::Signature(error),
            }
        })?;
        Ok(request)
    }

    /// Parses DER without checking the signature; returns the `SubjectPublicKeyInfo` too.
    fn parse_unchecked(der: &[u8]) -> Result<(Self, &[u8]), RequestError> {
        let (rest, parsed) =
            X509CertificationRequest::from_der(der).map_err(|_| RequestError::Malformed)?;
        let der = &der[..der.len() - rest.len()];
        let info = &parsed.certification_request_info;
        let spki = info.subject_pki.raw;
        let mut request = Self {
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            mailboxes: Vec::new(),
            subject: printable_name(&info.subject),
            algorithm: KeyAlgorithm::of_spki(spki),
            key_id: PublicKeyId::of_spki(spki),
            der: der.to_vec(),
        };
        request.add_names(&parsed);
        Ok((request, spki))
    }

    /// Adds the names of the subject alternative name extensions (RFC 2985 5.4.2), else the common
    /// names.
    fn add_names(&mut self, parsed: &X509CertificationRequest<'_>) {
        let requested = parsed
            .certification_request_info
            .iter_attributes()
            .filter_map(|attribute| match attribute.parsed_attribute() {
                ParsedCriAttribute::ExtensionRequest(requested) => Some(&requested.extensions),
                _ => None,
            });
        for extension in requested.flatten() {
            let ParsedExtension::SubjectAlternativeName(san) = extension.parsed_extension() else {
                continue;
            };
            for name in &san.general_names {
                match name {
                    GeneralName::DNSName(dns) => self.dns_names.push((*dns).to_owned()),
                    GeneralName::IPAddress(octets) => {
                        self.ip_addresses.extend(parse_ip_address(octets))
                    }
                    GeneralName::RFC822Name(mailbox) => self.mailboxes.push((*mailbox).to_owned()),
                    _ => {}
                }
            }
        }
        if self.dns_names.is_empty() && self.ip_addresses.is_empty() && self.mailboxes.is_empty() {
            let subject = &parsed.certification_request_info.subject;
            let names = subject
                .iter_common_name()
                .filter_map(|name| name.as_str().ok());
            self.dns_names.extend(names.map(str::to_owned));
        }
    }

    /// The DER as given.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DNS names; `None` if one is not valid in a certificate.
    #[must_use]
    pub fn names(&self) -> Option<DnsNames> {
        DnsNames::parse(&self.dns_names).ok()
    }

    /// All names; `None` if certctl could not request one of them.
    #[must_use]
    pub fn alt_names(&self) -> Option<AltNames> {
        let addresses = self.ip_addresses.iter().map(IpAddr::to_string);
        let all: Vec<String> = self
            .dns_names
            .iter()
            .cloned()
            .chain(addresses)
            .chain(self.mailboxes.clone())
            .collect();
        AltNames::parse(&all).ok()
    }

    /// The DER of the subject.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        find_subject(&self.der).unwrap_or_default()
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
        Fingerprint::of(&self.der).to_string()
    }
}

/// A request whose signature is invalid or uses an unsupported algorithm: it may only be displayed.
#[derive(Clone, Debug)]
pub struct UnprovenRequest(SigningRequest);

impl UnprovenRequest {
    /// Parses DER without checking the signature.
    ///
    /// # Errors
    /// [`RequestError::Malformed`].
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        SigningRequest::parse_unchecked(der).map(|(request, _)| Self(request))
    }

    #[must_use]
    pub fn request(&self) -> &SigningRequest {
        &self.0
    }

    /// Returns whether its signature is valid; `None` if its algorithm is not supported.
    #[must_use]
    pub(crate) fn signature_holds(&self) -> Option<bool> {
        let (_, spki) = SigningRequest::parse_unchecked(self.0.der()).ok()?;
        match signature::check_signature(self.0.der(), spki) {
            Ok(()) => Some(true),
            Err(error) => signature::check_old_rsa(self.0.der(), spki)
                .or_else(|| (error == SignatureError::Wrong).then_some(false)),
        }
    }
}

/// The DER of the subject in a request.
fn find_subject(der: &[u8]) -> Option<&[u8]> {
    let signed = der::split_signed(der)?;
    let (info, _) = der::split_element(signed.body)?;
    let (version, rest) = der::split_element(info.value)?;
    let (subject, _) = der::split_element(rest)?;
    (version.tag == der::INTEGER).then_some(subject.whole)
}

/// Returns whether `der` has the outline of a PKCS#10 request: its body starts with version 0, not
/// with a version tag or a long serial number as that of a certificate.
#[must_use]
pub(crate) fn looks_like_request(der: &[u8]) -> bool {
    let version = der::split_signed(der).and_then(|signed| {
        let (body, _) = der::split_element(signed.body)?;
        der::split_element(body.value)
    });
    version.is_some_and(|(element, _)| element.tag == 0x02 && element.value == [0])
}

#[cfg(test)]
mod tests {
    use super::{AltNames, SubjectName, build};
    use super::{RequestError, SigningRequest, looks_like_request};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;

    #[test]
    fn requests_contain_their_names_and_key() {
        for algorithm in [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa(2048),
        ] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let names = DnsNames::parse(&["*.example.com", "bücher.example"]).unwrap();
            let request = SigningRequest::build(&names, &key).unwrap();
            assert_eq!(
                SigningRequest::from_der(request.der()).unwrap().der(),
                request.der()
            );
            assert_eq!(request.key_id, key.id());
            assert_eq!(request.algorithm, algorithm);
            assert_eq!(
                request.dns_names,
                ["*.example.com", "xn--bcher-kva.example"]
            );
            assert_eq!(request.subject, "CN=*.example.com");
            assert!(looks_like_request(request.der()));
        }
    }

    #[test]
    fn names_of_all_extension_requests_are_read() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let first = AltNames::parse(&["a.example"]).unwrap();
        let second = AltNames::parse(&["b.example"]).unwrap();
        let attributes =
            [&first, &second].map(|names| build::attribute(names, &SubjectName::default()));
        let request = SigningRequest::from_der(
            &build::signed(&SubjectName::default(), &key, &attributes.concat()).unwrap(),
        );
        assert_eq!(request.unwrap().dns_names, ["a.example", "b.example"]);
        let none =
            SigningRequest::from_der(&build::signed(&SubjectName::default(), &key, &[]).unwrap())
                .unwrap();
        assert_eq!((none.dns_names.len(), none.alt_names()), (0, None));
    }

    #[test]
    fn changed_requests_are_rejected() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request =
            SigningRequest::build(&DnsNames::parse(&["example.com"]).unwrap(), &key).unwrap();
        let mut der = request.der().to_vec();
        let at = der.windows(7).position(|w| w == b"example").unwrap();
        der[at] = b'f';
        assert!(matches!(
            SigningRequest::from_der(&der),
            Err(RequestError::Signature(_))
        ));
        assert_eq!(
            SigningRequest::from_der(b"x").unwrap_err(),
            RequestError::Malformed
        );
    }
}
