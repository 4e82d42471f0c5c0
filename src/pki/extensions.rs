//! All other fields of a certificate or a request, for display only: no check depends on them, and
//! unusual values are kept.

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{
    AuthorityInfoAccess, CRLDistributionPoints, DistributionPointName, ExtendedKeyUsage,
    GeneralName, KeyUsage, ParsedExtension, SignedCertificateTimestamp, X509Extension,
};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;

use super::certificate::{parse_ip_address, printable_name};
use super::oid as names;

/// One extension as it is encoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExtensionSummary {
    pub oid: String,
    /// Its name; the dotted number if the name is unknown.
    pub name: String,
    /// Software that does not know it must reject the certificate.
    pub critical: bool,
}

/// A signed timestamp of a Certificate Transparency log (RFC 6962 3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sct {
    /// The log: SHA-256 of its key, lower-case hex.
    pub log_id: String,
    /// The time when the log received the certificate.
    pub timestamp: Option<Timestamp>,
}

/// The values of the extensions and the fields around them. Untrusted text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct CertificateDetails {
    /// The version as people count it: 3.
    pub version: u32,
    /// The algorithm of the signature on it.
    pub signature_algorithm: String,
    /// `iPAddress` entries of the subject alternative name.
    pub ip_addresses: Vec<String>,
    /// The other entries except DNS names, as `kind:value`.
    pub other_names: Vec<String>,
    /// Key usages (RFC 5280 4.2.1.3).
    pub key_usages: Vec<&'static str>,
    /// Extended key usages (RFC 5280 4.2.1.12).
    pub extended_key_usages: Vec<String>,
    /// URLs of its OCSP responders (RFC 5280 4.2.2.1).
    pub ocsp_urls: Vec<String>,
    /// URLs of the certificate of its issuer.
    pub issuer_urls: Vec<String>,
    /// URLs of the revocation list (RFC 5280 4.2.1.13).
    pub crl_urls: Vec<String>,
    /// The policies as dotted numbers, each with its name if it is known (RFC 5280 4.2.1.4).
    pub policies: Vec<(String, Option<&'static str>)>,
    /// `cA` of the basic constraints, if there are any.
    pub is_ca: Option<bool>,
    /// `pathLenConstraint`.
    pub path_length: Option<u32>,
    /// The subject key identifier, lower-case hex (RFC 5280 4.2.1.2).
    pub subject_key_id: Option<String>,
    /// The authority key identifier, lower-case hex (RFC 5280 4.2.1.1).
    pub authority_key_id: Option<String>,
    /// Timestamps of Certificate Transparency logs.
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
    /// Parses the DER of a certificate; empty if it is none.
    #[must_use]
    pub(crate) fn from_certificate(der: &[u8]) -> Self {
        let Ok((_, parsed)) = X509Certificate::from_der(der) else {
            return Self::default();
        };
        let mut details = Self {
            version: parsed.version().0.saturating_add(1),
            signature_algorithm: names::signature(&parsed.signature_algorithm.algorithm),
            ..Self::default()
        };
        details.add_extensions(parsed.extensions().iter());
        details
    }

    /// Parses the DER of a request; empty if it is none.
    #[must_use]
    pub(crate) fn from_request(der: &[u8]) -> Self {
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
            if let ParsedCriAttribute::ExtensionRequest(requested) = attribute.parsed_attribute() {
                details.add_extensions(requested.extensions.iter());
            }
        }
        details
    }

    fn add_extensions<'a>(&mut self, extensions: impl Iterator<Item = &'a X509Extension<'a>>) {
        for extension in extensions {
            self.extensions.push(ExtensionSummary {
                oid: extension.oid.to_id_string(),
                name: names::extension(&extension.oid),
                critical: extension.critical,
            });
            if extension.oid == TLS_FEATURE {
                // SEQUENCE { INTEGER 5 }: status_request.
                self.must_staple |= extension
                    .value
                    .windows(3)
                    .any(|window| window == [0x02, 0x01, 0x05]);
            }
            self.add_content(extension.parsed_extension());
        }
    }

    fn add_content(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::AuthorityInfoAccess(access) => self.add_access_urls(access),
            ParsedExtension::AuthorityKeyIdentifier(issuer) => {
                self.authority_key_id = issuer.key_identifier.as_ref().map(|id| hex::encode(id.0));
            }
            ParsedExtension::BasicConstraints(basic) => {
                self.is_ca = Some(basic.ca);
                self.path_length = basic.path_len_constraint;
            }
            ParsedExtension::CRLDistributionPoints(points) => self.add_crl_urls(points),
            ParsedExtension::CertificatePolicies(policies) => {
                for policy in policies.iter() {
                    let oid = policy.policy_id.to_id_string();
                    let name = names::policy(&oid);
                    self.policies.push((oid, name));
                }
            }
            ParsedExtension::ExtendedKeyUsage(purposes) => {
                self.extended_key_usages.extend(purpose_names(purposes));
            }
            ParsedExtension::KeyUsage(usage) => self.key_usages.extend(key_usage_names(usage)),
            ParsedExtension::SCT(timestamps) => {
                self.scts.extend(timestamps.iter().map(read_sct));
            }
            ParsedExtension::SubjectAlternativeName(san) => self.add_names(&san.general_names),
            ParsedExtension::SubjectKeyIdentifier(id) => {
                self.subject_key_id = Some(hex::encode(id.0));
            }
            _ => {}
        }
    }

    fn add_access_urls(&mut self, access: &AuthorityInfoAccess<'_>) {
        for description in access.iter() {
            let GeneralName::URI(url) = &description.access_location else {
                continue;
            };
            let urls = if description.access_method == OCSP {
                &mut self.ocsp_urls
            } else {
                &mut self.issuer_urls
            };
            urls.push((*url).to_owned());
        }
    }

    fn add_crl_urls(&mut self, points: &CRLDistributionPoints<'_>) {
        for point in &points.points {
            if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                self.crl_urls.extend(names.iter().map(format_general_name));
            }
        }
    }

    /// Adds the entries of a subject alternative name except DNS names.
    fn add_names(&mut self, names: &[GeneralName<'_>]) {
        for name in names {
            let ip_address = match name {
                GeneralName::DNSName(_) => continue,
                GeneralName::IPAddress(octets) => parse_ip_address(octets),
                _ => None,
            };
            match ip_address {
                Some(ip_address) => self.ip_addresses.push(ip_address.to_string()),
                None => self.other_names.push(format_general_name(name)),
            }
        }
    }
}

fn read_sct(timestamp: &SignedCertificateTimestamp<'_>) -> Sct {
    Sct {
        log_id: hex::encode(timestamp.id.key_id),
        timestamp: i64::try_from(timestamp.timestamp)
            .ok()
            .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()),
    }
}

/// id-pe-tlsfeature (RFC 7633 6) and id-ad-ocsp (RFC 5280 4.2.2.1).
const TLS_FEATURE: Oid<'static> = oid!(1.3.6.1.5.5.7.1.24);
const OCSP: Oid<'static> = oid!(1.3.6.1.5.5.7.48.1);

/// Formats a name as `kind:value`; a URL as it is.
fn format_general_name(name: &GeneralName<'_>) -> String {
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

fn key_usage_names(usage: &KeyUsage) -> Vec<&'static str> {
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

fn purpose_names(purposes: &ExtendedKeyUsage<'_>) -> Vec<String> {
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
    fn details_are_those_of_the_extensions() {
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
        let details = CertificateDetails::from_certificate(leaf.der());
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
        let root = CertificateDetails::from_certificate(ca.root().der());
        assert_eq!(
            (root.is_ca, root.key_usages),
            (Some(true), vec!["keyCertSign"])
        );
        assert_eq!(
            CertificateDetails::from_certificate(b"no"),
            CertificateDetails::default()
        );
        assert_eq!(
            CertificateDetails::from_request(b"no"),
            CertificateDetails::default()
        );
    }
}
