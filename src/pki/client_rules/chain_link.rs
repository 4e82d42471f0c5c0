//! A certificate of a chain with its role.

use super::broken_rule::BrokenRule;
use super::clients::TlsClient;
use super::table::ClientRule;
use crate::pki::certificate::Certificate;
use crate::pki::certificate_fields::CertificateFields;

/// The role of a certificate in a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChainRole {
    Intermediate,
    Leaf,
    Root,
}

/// A certificate of a chain with its role.
pub(super) struct ChainLink<'a> {
    pub certificate: &'a Certificate,
    pub fields: CertificateFields<'a>,
    pub role: ChainRole,
}

impl<'a> ChainLink<'a> {
    pub(super) fn read(certificate: &'a Certificate, role: ChainRole) -> Option<Self> {
        let fields = CertificateFields::read(certificate.der())?;
        Some(Self {
            certificate,
            fields,
            role,
        })
    }

    pub(super) fn broken(&self, rule: &'static ClientRule, how: String) -> BrokenRule {
        let mut broken = BrokenRule::new(rule, self.certificate.label(), how);
        if self.role == ChainRole::Root {
            // They use only the name, the key and the name constraints of a root.
            broken = broken.except(&[TlsClient::Chrome, TlsClient::Firefox, TlsClient::Rustls]);
        }
        broken
    }
}
