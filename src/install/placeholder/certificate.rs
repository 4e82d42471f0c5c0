//! A short self-signed pair, so that a server whose configuration names files can start before the
//! CA has sent any. Pure, but for the randomness of its key.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use zeroize::Zeroizing;

use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::name::DnsName;
use crate::store::release::{KeyAccess, Release, UnloadableReason};

/// It is to be replaced at once; long enough for a CA that takes its time.
const DAYS: i64 = 7;

pub(crate) struct PlaceholderCertificate {
    certificate: Certificate,
    key: PrivateKey,
}

impl std::fmt::Debug for PlaceholderCertificate {
    /// Never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Placeholder({})", self.certificate.label())
    }
}

/// It could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the placeholder could not be made")]
pub(crate) struct PlaceholderError;

impl PlaceholderCertificate {
    /// For these names, from `now` for a week.
    ///
    /// # Errors
    /// When there is no randomness: not to be expected.
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

    /// As files.
    ///
    /// # Errors
    /// Cannot happen: our own reader reads what was made.
    pub(crate) fn release(&self, access: KeyAccess) -> Result<Release, UnloadableReason> {
        let chain = Zeroizing::new(self.certificate.to_pem().into_bytes());
        Release::taken(
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
    let since = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
    // A clock that is a little behind does not refuse it.
    params.not_before =
        rcgen::date_time_ymd(1970, 1, 1) + since(now - SignedDuration::from_hours(1));
    params.not_after =
        rcgen::date_time_ymd(1970, 1, 1) + since(now + SignedDuration::from_hours(24 * DAYS));
    params.self_signed(&KeyPair::try_from(key.pkcs8())?)
}

#[cfg(test)]
mod tests {
    use super::{DnsName, KeyAccess, PlaceholderCertificate};

    #[test]
    fn a_server_can_load_it() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let names = ["example.com", "*.example.com"].map(|name| DnsName::parse(name).unwrap());
        let pair = PlaceholderCertificate::new(&names, now).unwrap();
        let release = pair.release(KeyAccess::default()).unwrap();
        assert_eq!(release.leaf().dns_names, ["example.com", "*.example.com"]);
        assert_eq!(release.not_after().to_string(), "2026-11-30T10:00:00Z");
        assert_eq!(release.leaf().key_id, pair.key.id());
    }
}
