//! Certificate revocation lists (CRLs, RFC 5280 section 5) that were passed: whether they apply,
//! and whether they are current.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::item::{InventoryItem, ItemContent, ItemLocation};

use crate::inventory::by_key::is_server_certificate;
use crate::inventory::reason::StatusReason;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::wording::day;

/// Returns the CRLs among `items`, each with its file.
pub(super) fn lists_with_files(items: &[InventoryItem]) -> Vec<(PathBuf, RevocationList)> {
    among(items)
        .map(|(path, list)| (path.to_owned(), list.clone()))
        .collect()
}

fn among(items: &[InventoryItem]) -> impl Iterator<Item = (&Path, &RevocationList)> {
    items
        .iter()
        .filter_map(|item| match (&item.content, &item.location) {
            (ItemContent::Revoked(list), ItemLocation::File { path, .. }) => {
                Some((path.as_path(), list))
            }
            _ => None,
        })
}

/// Why a CRL is not complete, not current or not used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CrlRemark {
    /// A delta CRL (RFC 5280 section 5.2.4).
    #[error("{} is a delta CRL of {issuer}; it lists only the changes since a complete CRL", path.display())]
    Delta {
        path: PathBuf,
        /// The issuer of the CRL. Untrusted text.
        issuer: String,
    },
    /// Its nextUpdate is in the past.
    #[error(
        "{}, a CRL of {issuer}, was issued on {}, and the next one was due on {}; it does not \
            list later revocations",
        path.display(),
        day(*made),
        day(*next)
    )]
    Old {
        path: PathBuf,
        /// The issuer of the CRL. Untrusted text.
        issuer: String,
        /// When it was issued (thisUpdate).
        made: Timestamp,
        /// When the next one was due (nextUpdate).
        next: Timestamp,
    },
    /// Its issuer issued none of the certificates that were found.
    #[error("{} is a CRL of {issuer}, which issued none of the certificates found", path.display())]
    OfOthers {
        path: PathBuf,
        /// The issuer of the CRL. Untrusted text.
        issuer: String,
    },
}

/// Returns remarks on the CRLs among `items`.
#[must_use]
pub(crate) fn remarks(items: &[InventoryItem], now: Timestamp) -> Vec<CrlRemark> {
    let mut lists = among(items).peekable();
    if lists.peek().is_none() {
        return Vec::new();
    }
    let server_certificates = items.iter().flat_map(|item| match &item.content {
        ItemContent::Certificates(chain) => chain.as_slice(),
        _ => &[],
    });
    let issuers: HashSet<&[u8]> = server_certificates
        .filter(|one| is_server_certificate(one))
        .map(|one| one.issuer_der())
        .collect();
    lists
        .filter_map(|(path, list)| remark(path, list, &issuers, now))
        .collect()
}

/// Returns the remark on one CRL; `issuers` are those of the certificates that were found.
fn remark(
    path: &Path,
    list: &RevocationList,
    issuers: &HashSet<&[u8]>,
    now: Timestamp,
) -> Option<CrlRemark> {
    let path = path.to_owned();
    let issuer = list.issuer.clone();
    if !list.issuers().any(|name| issuers.contains(name)) {
        return Some(CrlRemark::OfOthers { path, issuer });
    }
    match list.next_update.filter(|next| *next < now) {
        Some(next) => Some(CrlRemark::Old {
            path,
            issuer,
            made: list.this_update,
            next,
        }),
        None => list.delta.then_some(CrlRemark::Delta { path, issuer }),
    }
}

/// Returns a reason if a CRL lists the certificate and no later CRL removes it (RFC 5280 section
/// 5.3.1).
pub(super) fn revoked(
    certificate: &Certificate,
    lists: &[(PathBuf, RevocationList)],
) -> Option<StatusReason> {
    let (path, list) = lists.iter().find(|(_, list)| list.revokes(certificate))?;
    let is_lifted = lists
        .iter()
        .any(|(_, other)| other.this_update > list.this_update && other.removes(certificate));
    (!is_lifted).then(|| StatusReason::Revoked {
        list: path.display().to_string(),
    })
}
