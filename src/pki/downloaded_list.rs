//! Checks a certificate revocation list that was downloaded from the URL in a certificate (RFC 5280
//! 6.3.3): issuer, signature, dates and scope, before its entries count.

use jiff::Timestamp;
use x509_parser::extensions::{
    DistributionPointName, GeneralName, IssuingDistributionPoint, ParsedExtension, X509Extension,
};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::certificate::Certificate;
use super::crl::RevocationList;
use super::extensions::CertificateDetails;
use super::signature::{self, SignatureError};
use super::trust::TrustAnchors;
use crate::wording::day;

/// `deltaCRLIndicator` (RFC 5280 5.2.4).
const DELTA: Oid<'_> = oid!(2.5.29.27);
/// `certificateIssuer` of an entry (RFC 5280 5.3.3).
const ENTRY_ISSUER: Oid<'_> = oid!(2.5.29.29);

/// Why a downloaded list does not show whether a certificate is revoked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum DownloadedListError {
    #[error("it is not a CRL in DER, or it is damaged")]
    Malformed,
    #[error("it is a CRL of {issuer}, not of the certificate's issuer")]
    OtherIssuer {
        /// The issuer of the list. Untrusted text.
        issuer: String,
    },
    #[error(
        "no certificate of the issuer that may sign CRLs was found, so its signature was not checked"
    )]
    UnknownIssuer,
    #[error("its signature cannot be accepted: {0}")]
    Signature(SignatureError),
    #[error("its date of issue, {}, is in the future", day(*.0))]
    NotYet(Timestamp),
    #[error("it is out of date: the next one was due on {}", day(*.0))]
    Old(Timestamp),
    #[error("it does not say when the next one is due (nextUpdate)")]
    NoNextUpdate,
    #[error("it is a delta CRL, which lists only the changes since a complete one")]
    Delta,
    #[error("it does not cover this certificate: {0}")]
    OtherScope(&'static str),
    #[error("it has a critical extension that certctl does not know")]
    UnknownExtension,
}

/// What a list says about a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ListedState {
    pub is_revoked: bool,
    /// When the list was issued.
    pub as_of: Timestamp,
}

/// A certificate to look up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListQuery<'a> {
    pub certificate: &'a Certificate,
    /// The URLs of its distribution points.
    pub urls: &'a [String],
    /// The keys of its issuer, as DER `SubjectPublicKeyInfo`: see [`issuer_keys`].
    pub issuer_keys: &'a [Vec<u8>],
    pub now: Timestamp,
}

/// A list that was downloaded, parsed but not verified.
#[derive(Debug)]
pub(crate) struct DownloadedList {
    der: Vec<u8>,
    issuer_der: Vec<u8>,
    list: RevocationList,
    /// The URLs that it is for; `None` if it is for all.
    urls: Option<Vec<String>>,
    /// Why it covers no server certificate or not all revocations.
    exclusion: Option<&'static str>,
    has_unknown_extension: bool,
}

impl DownloadedList {
    /// Parses DER.
    ///
    /// # Errors
    /// [`DownloadedListError::Malformed`].
    pub(crate) fn parse(der: Vec<u8>) -> Result<Self, DownloadedListError> {
        let (_, parsed) = CertificateRevocationList::from_der(&der)
            .map_err(|_| DownloadedListError::Malformed)?;
        let list = RevocationList::from_der(&der).ok_or(DownloadedListError::Malformed)?;
        let issuer_der = parsed.issuer().as_raw().to_vec();
        let has_unknown_extension = has_unknown_extension(&parsed);
        let scope = parsed.extensions().iter().find_map(issuing_point);
        let urls = scope.and_then(|scope| scope.distribution_point.as_ref());
        let urls = urls.map(point_urls);
        let exclusion = scope.and_then(exclusion);
        Ok(Self {
            issuer_der,
            list,
            urls,
            exclusion,
            has_unknown_extension,
            der,
        })
    }

    /// Returns whether the list revokes the certificate.
    ///
    /// # Errors
    /// See [`DownloadedListError`].
    pub(crate) fn look_up(
        &self,
        query: &ListQuery<'_>,
    ) -> Result<ListedState, DownloadedListError> {
        if self.issuer_der != query.certificate.issuer_der() {
            let issuer = self.list.issuer.clone();
            return Err(DownloadedListError::OtherIssuer { issuer });
        }
        self.check_signature(query.issuer_keys)?;
        self.check_dates(query.now)?;
        self.check_scope(query.urls)?;
        Ok(ListedState {
            is_revoked: self.list.revokes(query.certificate),
            as_of: self.list.this_update,
        })
    }

    fn check_signature(&self, keys: &[Vec<u8>]) -> Result<(), DownloadedListError> {
        let mut outcome = Err(DownloadedListError::UnknownIssuer);
        for key in keys {
            outcome =
                signature::check_signature(&self.der, key).map_err(DownloadedListError::Signature);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn check_dates(&self, now: Timestamp) -> Result<(), DownloadedListError> {
        if self.list.this_update > now {
            return Err(DownloadedListError::NotYet(self.list.this_update));
        }
        match self.list.next_update {
            Some(next) if next < now => Err(DownloadedListError::Old(next)),
            Some(_) => Ok(()),
            None => Err(DownloadedListError::NoNextUpdate),
        }
    }

    fn check_scope(&self, urls: &[String]) -> Result<(), DownloadedListError> {
        if self.list.delta {
            return Err(DownloadedListError::Delta);
        }
        if self.has_unknown_extension {
            return Err(DownloadedListError::UnknownExtension);
        }
        if let Some(exclusion) = self.exclusion {
            return Err(DownloadedListError::OtherScope(exclusion));
        }
        let is_for_other_url = self
            .urls
            .as_ref()
            .is_some_and(|own| own.iter().all(|url| !urls.contains(url)));
        if is_for_other_url {
            let why = "it is for certificates with another CRL distribution point";
            return Err(DownloadedListError::OtherScope(why));
        }
        Ok(())
    }
}

/// Returns the keys that signed `certificate` and may sign lists: those of `candidates` and of the
/// trust anchors.
#[must_use]
pub(crate) fn issuer_keys<'a>(
    certificate: &Certificate,
    candidates: impl Iterator<Item = &'a Certificate>,
    anchors: &[&TrustAnchors],
) -> Vec<Vec<u8>> {
    let name = certificate.issuer_der();
    let issuers = candidates.filter(|one| one.subject_der() == name && may_sign_lists(one));
    let mut keys: Vec<Vec<u8>> = issuers.map(|one| one.spki().to_vec()).collect();
    keys.extend(anchors.iter().flat_map(|anchors| anchors.keys_of(name)));
    keys.sort();
    keys.dedup();
    keys.retain(|key| signature::check_signature(certificate.der(), key).is_ok());
    keys
}

/// Returns whether the key usage, if there is one, has `cRLSign` (RFC 5280 6.3.3 f).
fn may_sign_lists(issuer: &Certificate) -> bool {
    let usages = CertificateDetails::from_certificate(issuer.der()).key_usages;
    usages.is_empty() || usages.contains(&"cRLSign")
}

fn issuing_point<'a>(extension: &'a X509Extension<'a>) -> Option<&'a IssuingDistributionPoint<'a>> {
    match extension.parsed_extension() {
        ParsedExtension::IssuingDistributionPoint(point) => Some(point),
        _ => None,
    }
}

/// The URLs of a distribution point; a name of another form matches no URL.
fn point_urls(name: &DistributionPointName<'_>) -> Vec<String> {
    let DistributionPointName::FullName(names) = name else {
        return Vec::new();
    };
    let urls = names.iter().filter_map(|name| match name {
        GeneralName::URI(url) => Some((*url).to_owned()),
        _ => None,
    });
    urls.collect()
}

fn exclusion(scope: &IssuingDistributionPoint<'_>) -> Option<&'static str> {
    if scope.only_contains_ca_certs {
        return Some("it is for CA certificates alone");
    }
    if scope.only_contains_attribute_certs {
        return Some("it is for attribute certificates alone");
    }
    let is_partial = scope.only_some_reasons.is_some();
    is_partial.then_some("it lists revocations for some reasons alone")
}

/// Returns whether the list or an entry has a critical extension that changes its meaning in an
/// unknown way (RFC 5280 5.2, 5.3).
fn has_unknown_extension(list: &CertificateRevocationList<'_>) -> bool {
    let of_list = list.extensions().iter().any(|extension| {
        let is_known = extension.oid == DELTA || issuing_point(extension).is_some();
        extension.critical && !is_known
    });
    let mut entries = list.iter_revoked_certificates();
    of_list
        || entries.any(|entry| {
            let mut extensions = entry.extensions().iter();
            extensions.any(|extension| extension.critical && extension.oid != ENTRY_ISSUER)
        })
}
