//! Lists of revoked certificates that were given: what they are good for, and for how long.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::item::{InventoryItem, ItemContent, ItemLocation};

use crate::inventory::by_key::is_server_certificate;
use crate::pki::crl::RevocationList;
use crate::wording::day;

/// The lists among `items`, each with its file.
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

/// Why a list that was given does not tell all that it could.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CrlRemark {
    #[error("{} only tells what changed since another list of {issuer}: what that one revokes is \
        not in it", path.display())]
    Delta {
        path: PathBuf,
        /// Whose it is. Foreign text.
        issuer: String,
    },
    /// A newer one was due.
    #[error("{}, the list of {issuer}, is of {}, and a newer one was due on {}: what was revoked \
        since is not in it", path.display(), day(*made), day(*next))]
    Old {
        path: PathBuf,
        /// Whose it is. Foreign text.
        issuer: String,
        /// When it was made.
        made: Timestamp,
        /// When the next one was due.
        next: Timestamp,
    },
    /// Of certificates that are not here.
    #[error("{} is the list of {issuer}, which issued no certificate here: it says nothing of any", path.display())]
    OfOthers {
        path: PathBuf,
        /// Whose it is. Foreign text.
        issuer: String,
    },
}

/// What is to be said of the lists among `items`.
#[must_use]
pub(crate) fn remarks(items: &[InventoryItem], now: Timestamp) -> Vec<CrlRemark> {
    let mut lists = among(items).peekable();
    if lists.peek().is_none() {
        return Vec::new();
    }
    let sites = items.iter().flat_map(|item| match &item.content {
        ItemContent::Certificates(chain) => chain.as_slice(),
        _ => &[],
    });
    let issuers: HashSet<&[u8]> = sites
        .filter(|one| is_server_certificate(one))
        .map(|one| one.issuer_der())
        .collect();
    lists
        .filter_map(|(path, list)| remark(path, list, &issuers, now))
        .collect()
}

/// What is to be said of one list; `issuers` are those of the certificates that were found.
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
