//! A short-lived self-signed certificate with which a server can start before the CA has issued one.
//! Pure, except for the random key.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use zeroize::Zeroizing;

use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::name::DnsName;
use crate::store::release::{KeyAccess, Release, UnloadableReason};

/// The lifetime: short, because a placeholder is to be replaced soon; long enough for a slow CA.
pub(crate) const DAYS: i64 = 7;

pub(crate) struct PlaceholderCertificate {
    certificate: Certificate,
    key: PrivateKey,
}

impl std::fmt::Debug for PlaceholderCertificate {
    /// Shows the names, never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Placeholder({})", self.certificate.label())
    }
}

/// The placeholder could not be generated.
#[derive(Debug, thiserror::Error)]
#[error("cannot generate the placeholder certificate")]
pub(crate) struct PlaceholderError;

impl PlaceholderCertificate {
    /// Generates a certificate for these names that is valid for a week from `now`.
    ///
    /// # Errors
    /// When the system provides no random bytes, which is not expected.
    pub(crate) fn new(names: &[DnsName], now: Timestamp) -> Result<Self, PlaceholderError> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).map_err(|_| PlaceholderError)?;
        let made = sign(names, &key, now).map_err(|_| PlaceholderError)?;
        let certificate = Certificate::from_der(made.der()).map_err(|_| PlaceholderError)?;
        Ok(Self { certificate, key })
    }

    #[must_use]
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Returns a release with the certificate and its key.
    ///
    /// # Errors
    /// Not expected: certctl can parse the certificate that it made.
    pub(crate) fn release(&self, access: KeyAccess) -> Result<Release, UnloadableReason> {
        let chain = Zeroizing::new(self.certificate.to_pem().into_bytes());
        Release::take_over(
            chain,
            Zeroizing::new(self.key.to_pem().as_bytes().to_vec()),
            access,
        )
    }
}

fn sign(
    names: &[DnsName],
    key: &PrivateKey,
    now: Timestamp,
) -> Result<rcgen::Certificate, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "certctl placeholder");
    // Also valid on a client whose clock is a little slow.
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(now - SignedDuration::from_hours(1));
    params.not_after = epoch + since_epoch(now + SignedDuration::from_hours(24 * DAYS));
    params.self_signed(&KeyPair::try_from(key.pkcs8())?)
}

fn since_epoch(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{DnsName, KeyAccess, PlaceholderCertificate};

    #[test]
    fn servers_can_load_placeholders() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let names = ["example.com", "*.example.com"].map(|name| DnsName::parse(name).unwrap());
        let placeholder = PlaceholderCertificate::new(&names, now).unwrap();
        let release = placeholder.release(KeyAccess::default()).unwrap();
        assert_eq!(release.leaf().dns_names, ["example.com", "*.example.com"]);
        assert_eq!(release.not_after().to_string(), "2026-11-30T10:00:00Z");
        assert_eq!(release.leaf().key_id, placeholder.key.id());
    }
}
