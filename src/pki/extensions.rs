//! Everything else that a certificate or a request says of itself: for people who want to look at
//! it. Nothing is judged by what is here, and nothing is left out for being odd.

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{
    DistributionPointName, ExtendedKeyUsage, GeneralName, KeyUsage, ParsedExtension, X509Extension,
};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;

use super::certificate::{address, printable_name};
use super::oid as names;

/// One extension as it stands there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExtensionSummary {
    pub oid: String,
    /// Its name, the number where it has none here.
    pub name: String,
    /// Who does not know it must refuse the certificate.
    pub critical: bool,
}

/// A promise of a Certificate Transparency log (RFC 6962 3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sct {
    /// The log: SHA-256 of its key, lower-case hex.
    pub log_id: String,
    /// When the log saw the certificate.
    pub timestamp: Option<Timestamp>,
}

/// What stands in the extensions, and around them. Text is foreign.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct CertificateDetails {
    /// The version as people count it: 3.
    pub version: u32,
    /// The algorithm of the signature on it.
    pub signature_algorithm: String,
    /// `iPAddress` entries of the subject alternative name.
    pub ip_addresses: Vec<String>,
    /// The other entries that are no DNS names, as `kind:value`.
    pub other_names: Vec<String>,
    /// Key usages (RFC 5280 4.2.1.3).
    pub key_usages: Vec<&'static str>,
    /// Extended key usages (RFC 5280 4.2.1.12).
    pub extended_key_usages: Vec<String>,
    /// Where its revocation can be asked (RFC 5280 4.2.2.1).
    pub ocsp_urls: Vec<String>,
    /// Where its issuer can be fetched.
    pub issuer_urls: Vec<String>,
    /// Where the list of revoked certificates can be fetched (RFC 5280 4.2.1.13).
    pub crl_urls: Vec<String>,
    /// The policies as dotted numbers, each with its name where it has one (RFC 5280 4.2.1.4).
    pub policies: Vec<(String, Option<&'static str>)>,
    /// `cA`, where basic constraints are there.
    pub is_ca: Option<bool>,
    /// `pathLenConstraint`.
    pub path_length: Option<u32>,
    /// The key's name for itself, lower-case hex (RFC 5280 4.2.1.2).
    pub subject_key_id: Option<String>,
    /// The issuer's key by its name (RFC 5280 4.2.1.1).
    pub authority_key_id: Option<String>,
    /// Promises of Certificate Transparency logs.
    pub scts: Vec<Sct>,
    /// The server must staple an OCSP answer (RFC 7633).
    pub must_staple: bool,
    /// Every extension in its order.
    pub extensions: Vec<ExtensionSummary>,
    /// Attributes of a request (RFC 2986 4.1) by name; never their values, one of which may be a
    /// password.
    pub attributes: Vec<String>,
}

impl CertificateDetails {
    /// Of a certificate's DER; empty where it is none.
    #[must_use]
    pub(crate) fn of_certificate(der: &[u8]) -> Self {
        let Ok((_, parsed)) = X509Certificate::from_der(der) else {
            return Self::default();
        };
        let mut details = Self {
            version: parsed.version().0.saturating_add(1),
            signature_algorithm: names::signature(&parsed.signature_algorithm.algorithm),
            ..Self::default()
        };
        details.take_all(parsed.extensions().iter());
        details
    }

    /// Of a request's DER; empty where it is none.
    #[must_use]
    pub(crate) fn of_request(der: &[u8]) -> Self {
        let Ok((_, parsed)) = X509CertificationRequest::from_der(der) else {
            return Self::default();
        };
        let info = &parsed.certification_request_info;
        let mut details = Self {
            version: info.version.0.saturating_add(1),
            signature_algorithm: names::signature(&parsed.signature_algorithm.algorithm),
            ..Self::default()
        };
        for attribute in info.iter_attributes() {
            details.attributes.push(names::extension(&attribute.oid));
            if let ParsedCriAttribute::ExtensionRequest(asked) = attribute.parsed_attribute() {
                details.take_all(asked.extensions.iter());
            }
        }
        details
    }

    fn take_all<'a>(&mut self, extensions: impl Iterator<Item = &'a X509Extension<'a>>) {
        for extension in extensions {
            let (oid, name) = (
                extension.oid.to_id_string(),
                names::extension(&extension.oid),
            );
            self.extensions.push(ExtensionSummary {
                oid,
                name,
                critical: extension.critical,
            });
            if extension.oid == TLS_FEATURE {
                // SEQUENCE { INTEGER 5 }: status_request.
                self.must_staple |= extension
                    .value
                    .windows(3)
                    .any(|window| window == [0x02, 0x01, 0x05]);
            }
            self.take(extension.parsed_extension());
        }
    }

    fn take(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::AuthorityInfoAccess(access) => {
                for one in access.iter() {
                    match (&one.access_location, one.access_method == OCSP) {
                        (GeneralName::URI(url), true) => self.ocsp_urls.push((*url).to_owned()),
                        (GeneralName::URI(url), false) => self.issuer_urls.push((*url).to_owned()),
                        _ => {}
                    }
                }
            }
            ParsedExtension::AuthorityKeyIdentifier(issuer) => {
                self.authority_key_id = issuer.key_identifier.as_ref().map(|id| hex::encode(id.0));
            }
            ParsedExtension::BasicConstraints(basic) => {
                (self.is_ca, self.path_length) = (Some(basic.ca), basic.path_len_constraint);
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                let named =
                    points
                        .points
                        .iter()
                        .filter_map(|point| match &point.distribution_point {
                            Some(DistributionPointName::FullName(all)) => Some(all),
                            _ => None,
                        });
                self.crl_urls.extend(named.flatten().map(in_words));
            }
            ParsedExtension::CertificatePolicies(policies) => {
                let oids = policies.iter().map(|one| one.policy_id.to_id_string());
                self.policies
                    .extend(oids.map(|oid| (oid.clone(), names::policy(&oid))));
            }
            ParsedExtension::ExtendedKeyUsage(purposes) => {
                self.extended_key_usages.extend(purposes_of(purposes))
            }
            ParsedExtension::KeyUsage(usage) => self.key_usages.extend(usages_of(usage)),
            ParsedExtension::SCT(promises) => {
                self.scts.extend(promises.iter().map(|one| {
                    Sct {
                        log_id: hex::encode(one.id.key_id),
                        timestamp: i64::try_from(one.timestamp)
                            .ok()
                            .and_then(|at| Timestamp::from_millisecond(at).ok()),
                    }
                }));
            }
            ParsedExtension::SubjectAlternativeName(san) => {
                for name in &san.general_names {
                    match name {
                        GeneralName::DNSName(_) => {}
                        GeneralName::IPAddress(octets) if address(octets).is_some() => {
                            self.ip_addresses
                                .extend(address(octets).map(|address| address.to_string()));
                        }
                        other => self.other_names.push(in_words(other)),
                    }
                }
            }
            ParsedExtension::SubjectKeyIdentifier(id) => {
                self.subject_key_id = Some(hex::encode(id.0))
            }
            _ => {}
        }
    }
}

/// id-pe-tlsfeature (RFC 7633 6) and id-ad-ocsp (RFC 5280 4.2.2.1).
const TLS_FEATURE: Oid<'static> = oid!(1.3.6.1.5.5.7.1.24);
const OCSP: Oid<'static> = oid!(1.3.6.1.5.5.7.48.1);

/// `kind:value`; a URL as it is.
fn in_words(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("dns:{name}"),
        GeneralName::DirectoryName(name) => format!("directory:{}", printable_name(name)),
        GeneralName::EDIPartyName(any) => format!("edi-party:#{}", hex::encode(any.data)),
        GeneralName::IPAddress(octets) => format!("ip:#{}", hex::encode(octets)),
        GeneralName::Invalid(tag, bytes) => format!("invalid:{}:#{}", tag.0, hex::encode(bytes)),
        GeneralName::OtherName(oid, bytes) => {
            format!("other:{}:#{}", oid.to_id_string(), hex::encode(bytes))
        }
        GeneralName::RFC822Name(mail) => format!("email:{mail}"),
        GeneralName::RegisteredID(oid) => format!("id:{}", oid.to_id_string()),
        GeneralName::URI(url) => (*url).to_owned(),
        GeneralName::X400Address(any) => format!("x400:#{}", hex::encode(any.data)),
    }
}

fn usages_of(usage: &KeyUsage) -> Vec<&'static str> {
    let all = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ];
    all.into_iter()
        .filter_map(|(set, name)| set.then_some(name))
        .collect()
}

fn purposes_of(purposes: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let all = [
        (purposes.any, "any"),
        (purposes.server_auth, "serverAuth"),
        (purposes.client_auth, "clientAuth"),
        (purposes.code_signing, "codeSigning"),
        (purposes.email_protection, "emailProtection"),
        (purposes.time_stamping, "timeStamping"),
        (purposes.ocsp_signing, "OCSPSigning"),
    ];
    let known = all
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name.to_owned());
    known
        .chain(purposes.other.iter().map(names::purpose))
        .collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType};

    use super::CertificateDetails;
    use crate::pki::testing::{Authority, site_key};

    #[test]
    fn what_stands_there_is_told() {
        let ca = Authority::new("CA");
        let leaf = ca.leaf_as(&["example.com"], &site_key(), |params| {
            params.key_usages = vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyAgreement,
            ];
            params
                .extended_key_usages
                .push(ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 5, 2, 3, 5]));
            params
                .subject_alt_names
                .push(SanType::IpAddress("192.0.2.1".parse().unwrap()));
            params
                .subject_alt_names
                .push(SanType::URI("urn:x".try_into().unwrap()));
            let staple = CustomExtension::from_oid_content(
                &[1, 3, 6, 1, 5, 5, 7, 1, 24],
                vec![48, 3, 2, 1, 5],
            );
            params.custom_extensions.push(staple);
        });
        let details = CertificateDetails::of_certificate(leaf.der());
        assert_eq!(
            (details.version, details.signature_algorithm.as_str()),
            (3, "ecdsa-with-SHA256")
        );
        assert_eq!(details.key_usages, ["digitalSignature", "keyAgreement"]);
        assert_eq!(details.extended_key_usages, ["serverAuth", "kerberosKDC"]);
        assert_eq!(
            (details.ip_addresses, details.other_names),
            (vec!["192.0.2.1".into()], vec!["urn:x".into()])
        );
        assert!(details.must_staple);
        assert!(
            details
                .extensions
                .iter()
                .any(|one| one.name == "subjectAltName" && !one.critical)
        );
        let root = CertificateDetails::of_certificate(ca.root().der());
        assert_eq!(
            (root.is_ca, root.key_usages),
            (Some(true), vec!["keyCertSign"])
        );
        assert_eq!(
            CertificateDetails::of_certificate(b"no"),
            CertificateDetails::default()
        );
        assert_eq!(
            CertificateDetails::of_request(b"no"),
            CertificateDetails::default()
        );
    }
}
