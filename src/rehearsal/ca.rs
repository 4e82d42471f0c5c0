//! A CA for one rehearsal, with a root and an intermediate. Its keys exist only in memory.

use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};

use crate::pki::certificate::Certificate;
use crate::pki::request::SigningRequest;

/// One day less than the longest validity of a public certificate since 2026-03-15 (CA/Browser Forum
/// ballot SC-081).
pub(crate) const LIFETIME_DAYS: i64 = 199;

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A root and the intermediate that signs leaves.
#[derive(Debug)]
pub(crate) struct RehearsalCa {
    root: Issuer,
    intermediate: Issuer,
    now: Timestamp,
}

impl RehearsalCa {
    /// Creates a CA whose certificates are valid around `now`.
    ///
    /// # Errors
    /// When keys or certificates cannot be created.
    pub(crate) fn new(now: Timestamp) -> Result<Self> {
        let root =
            Issuer::self_signed(params("certctl rehearsal root", now), KeyPair::generate()?)?;
        let intermediate = Issuer::signed_by(
            params("certctl rehearsal DV CA", now),
            KeyPair::generate()?,
            &root,
        )?;
        Ok(Self {
            root,
            intermediate,
            now,
        })
    }

    /// Returns the root, which the commands of the rehearsal trust.
    ///
    /// # Errors
    /// When the certificate cannot be parsed, which would be a bug.
    pub(crate) fn root(&self) -> Result<Certificate> {
        Ok(Certificate::from_der(self.root.der())?)
    }

    /// Returns the intermediate that signs the leaves.
    ///
    /// # Errors
    /// When the certificate cannot be parsed, which would be a bug.
    pub(crate) fn intermediate(&self) -> Result<Certificate> {
        Ok(Certificate::from_der(self.intermediate.der())?)
    }

    /// Issues a leaf with the names of `request` that expires in `days` days.
    ///
    /// # Errors
    /// When the request contains something that cannot be signed.
    pub(crate) fn issue(&self, request: &SigningRequest, days: i64) -> Result<Certificate> {
        let mut request = CertificateSigningRequestParams::from_der(&request.der().into())?;
        let leaf = &mut request.params;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let not_before = self.now - SignedDuration::from_hours(1);
        let not_after = self.now + SignedDuration::from_hours(24 * days);
        leaf.not_before = epoch + since_epoch(not_before);
        leaf.not_after = epoch + since_epoch(not_after);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        Ok(Certificate::from_der(
            request.signed_by(&self.intermediate)?.der(),
        )?)
    }
}

fn params(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let year = SignedDuration::from_hours(24 * 365);
    params.not_before = epoch + since_epoch(now - year);
    params.not_after = epoch + since_epoch(now + 10 * year);
    params
}

/// Returns the duration since 1970. It is added to a date of rcgen, whose date type is from a crate
/// that is not used here.
fn since_epoch(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{LIFETIME_DAYS, RehearsalCa};
    use crate::pki::chain::{Chain, ChainCriteria, ChainEnd, ChainPreference};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;
    use crate::pki::request::SigningRequest;
    use crate::pki::trust::TrustAnchors;
    use crate::pki::verify::{VerifyPolicy, find_problems};

    #[test]
    fn issued_certificates_verify() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request =
            SigningRequest::build(&DnsNames::parse(&["shop.example"]).unwrap(), &key).unwrap();
        let authority = RehearsalCa::new(now).unwrap();
        let leaf = authority.issue(&request, LIFETIME_DAYS).unwrap();
        let issuers = [authority.root().unwrap(), authority.intermediate().unwrap()];
        let anchors = TrustAnchors::from_certificates("root.pem", &issuers[..1]);
        let assembly = Chain::assemble(
            &leaf,
            &issuers,
            ChainCriteria {
                anchors: &anchors,
                at: now,
                prefer: ChainPreference::default(),
            },
        );
        assert_eq!(*assembly.chain.end(), ChainEnd::Anchored);
        let hosts = ["shop.example".to_owned()];
        assert_eq!(
            find_problems(
                &assembly.chain,
                VerifyPolicy {
                    anchors: &anchors,
                    hosts: &hosts,
                    at: now
                }
            ),
            []
        );
        assert_eq!(leaf.not_after.to_string(), "2027-06-10T10:00:00Z");
        assert_eq!(leaf.key_id, key.id());
    }
}
