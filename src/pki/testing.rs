//! CAs and certificates for tests, all valid from 2026-01-01 to 2026-12-31 unless a test changes
//! it.

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData,
};

use super::certificate::Certificate;
use super::key::PrivateKey;

/// A time within the validity of everything here.
pub(crate) fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// A CA: a name and the key that signs certificates.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        dates(&mut params, 2026, 2026);
        Self {
            params,
            key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
        }
    }

    /// Its self-signed certificate.
    pub(crate) fn root(&self) -> Certificate {
        read(&self.params.self_signed(&self.key).unwrap())
    }

    /// Its self-signed certificate with a change.
    pub(crate) fn root_as(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = self.params.clone();
        change(&mut params);
        read(&params.self_signed(&self.key).unwrap())
    }

    /// A CA certificate for `other`.
    pub(crate) fn certify(&self, other: &Self) -> Certificate {
        self.certify_as(other, |_| {})
    }

    /// A CA certificate for `other` with a change.
    pub(crate) fn certify_as(
        &self,
        other: &Self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let mut params = other.params.clone();
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        read(&params.signed_by(&other.key, &self.issuer()).unwrap())
    }

    /// A server certificate.
    pub(crate) fn leaf(&self, names: &[&str]) -> Certificate {
        self.leaf_as(names, &site_key(), |_| {})
    }

    /// A server certificate for a key with a change.
    pub(crate) fn leaf_as(
        &self,
        names: &[&str],
        key: &impl PublicKeyData,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let mut params = CertificateParams::new(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
        .unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, names[0]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        dates(&mut params, 2026, 2026);
        change(&mut params);
        read(&params.signed_by(key, &self.issuer()).unwrap())
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

/// From the first day of `from` to the last second before the last day of `to`.
pub(crate) fn dates(params: &mut CertificateParams, from: i32, to: i32) {
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 12, 31);
}

pub(crate) fn site_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

pub(crate) fn rsa_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()
}

/// Converts a key to the type of certctl.
pub(crate) fn private(key: &KeyPair) -> PrivateKey {
    PrivateKey::from_der(&key.serialize_der()).unwrap()
}

fn read(certificate: &rcgen::Certificate) -> Certificate {
    Certificate::from_der(certificate.der()).unwrap()
}
