//! Remarks on the chosen certificate, key and request, besides the problems of the chain. The
//! advice is in `advice`.

use std::path::{Path, PathBuf};

use crate::delivery::{AppliedRepair, DecryptError, RepairKind};
use crate::matching::key_trust::DoubtfulKeyFile;
use crate::pki::certificate::Certificate;
use crate::pki::chain::OmissionReason;
use crate::pki::key::PublicKeyId;
pub(crate) use crate::pki::name::join_listed;
use crate::pki::request::SigningRequest;
use crate::pki::verify::ChainProblem;

/// The source of the names for a request with a new key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RequestTemplate {
    /// The file of the certificate.
    File(PathBuf),
    Names(Vec<String>),
}

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MatchingRemark {
    /// The directory has the missing issuer.
    #[error("the missing intermediate was found in {}", path.display())]
    IssuerInDirectory {
        /// The file that contains it.
        path: PathBuf,
        /// The `certctl bundle` command for the arguments.
        bundle: Vec<String>,
    },
    /// The directory has the root that issued the last certificate.
    #[error("the root {label} was found in {}", path.display())]
    RootInDirectory {
        /// The label of the root.
        label: String,
        path: PathBuf,
    },
    /// A PKCS#12 file that was passed has the root, which `--trust` cannot read there.
    #[error("the root {label} was found in {}", path.display())]
    RootInKeyFile {
        /// The label of the root.
        label: String,
        path: PathBuf,
    },
    /// A key in the directory matches, which `--key` does not name.
    #[error("the matching key was found in {}", path.display())]
    MatchingKeyInDirectory { path: PathBuf },
    /// An encrypted key is written unencrypted.
    #[error("the key in {} is encrypted; it is written without encryption, so that servers can \
        start without a password", path.display())]
    KeyDecrypted { path: PathBuf },
    /// The key matches, but must not be used.
    #[error("{} matches {label}, but it is not used: {}", file.path().display(), file.reasons())]
    RefusedKey {
        /// The label of the certificate.
        label: String,
        file: DoubtfulKeyFile,
    },
    /// The key that the user named is used, although other users may know or control it.
    #[error("{} is used: {}", file.path().display(), file.reasons())]
    DoubtfulKey { file: DoubtfulKeyFile },
    /// The private key came with the certificate.
    #[error("{} also contains the private key: everyone who could read that file has the key", path.display())]
    KeyCameWithCertificate {
        /// The file with both.
        path: PathBuf,
    },
    /// Certificates that were not needed.
    #[error("omitted: {} ({})", join_listed(labels), reason(*why))]
    Omitted {
        labels: Vec<String>,
        why: OmissionReason,
    },
    /// Repairs that were necessary to read a file.
    #[error("{} when reading {}: {what}", repair_verb(*what), join_listed(sources))]
    Repaired {
        what: RepairKind,
        sources: Vec<String>,
    },
    /// The CA did not include all requested names.
    #[error("requested in {}, but not in the certificate: {}", request.display(), join_listed(names))]
    NameNotIssued {
        names: Vec<String>,
        request: PathBuf,
    },
    /// There is no key and no request to compare with.
    #[error("no key and no request for {label} was found; searched {searched_places}")]
    NoKey {
        /// The label of the certificate.
        label: String,
        searched_places: String,
        /// The source of the names for a request with a new key.
        template: RequestTemplate,
    },
    /// A key is encrypted, so that it cannot be compared without its password.
    #[error("{} is encrypted: {}", path.display(), locked_reason(*why, label))]
    Locked {
        /// The label of the certificate.
        label: String,
        path: PathBuf,
        /// Why the given password does not decrypt it; none if no password was given.
        why: Option<DecryptError>,
        /// The source of the names for a request with a new key.
        template: RequestTemplate,
    },
    /// A request matches, but its key was not found.
    #[error("{} matches {label}, but its private key was not found; searched {searched_places}", request.display())]
    OnlyRequest {
        /// The label of the certificate.
        label: String,
        request: PathBuf,
        searched_places: String,
    },
    /// Certificates for other keys, which were not found.
    #[error(
        "omitted, because no key and no request matches: {}",
        join_listed(labels)
    )]
    UnmatchedCertificates { labels: Vec<String> },
    /// Older certificates for the same key, or for the same names.
    #[error(
        "omitted, because a newer certificate was found: {}",
        join_listed(labels)
    )]
    OlderCertificates { labels: Vec<String> },
    /// The key that should match does not.
    #[error("{}: {problem}", path.display())]
    WrongKey {
        /// How it differs.
        problem: ChainProblem,
        path: PathBuf,
    },
    /// The request that should match does not.
    #[error(
        "the certificate {label} was not issued for the request {}: the request has the key {}, \
            the certificate has {}",
        path.display(), request.short(), leaf.short()
    )]
    WrongRequest {
        /// The label of the certificate.
        label: String,
        path: PathBuf,
        request: PublicKeyId,
        leaf: PublicKeyId,
    },
}

impl MatchingRemark {
    /// Returns the remark that no key and no request for `leaf` was found.
    #[must_use]
    pub(crate) fn no_key(
        leaf: &Certificate,
        searched_places: String,
        template: RequestTemplate,
    ) -> Self {
        Self::NoKey {
            label: leaf.label(),
            searched_places,
            template,
        }
    }
}

fn locked_reason(why: Option<DecryptError>, label: &str) -> String {
    why.map_or_else(
        || format!("without its password it cannot be compared with the certificate {label}"),
        |why| why.to_string(),
    )
}

fn reason(why: OmissionReason) -> &'static str {
    match why {
        OmissionReason::Duplicate => "duplicate",
        OmissionReason::Root => "root: clients already have it",
        OmissionReason::Unrelated => "not part of the chain",
    }
}

/// Other formats are converted; everything else is a repair.
fn repair_verb(kind: RepairKind) -> &'static str {
    match kind {
        RepairKind::Der | RepairKind::Pkcs7 | RepairKind::Pkcs12 | RepairKind::Utf16 => "converted",
        _ => "repaired",
    }
}

/// Returns a remark about the names of `request` that `leaf` does not cover.
#[must_use]
pub(crate) fn find_names_not_issued(
    leaf: &Certificate,
    request: &SigningRequest,
    path: &Path,
) -> Option<MatchingRemark> {
    let names: Vec<String> = request
        .dns_names
        .iter()
        .filter(|name| !leaf.covers(name))
        .cloned()
        .collect();
    (!names.is_empty()).then(|| MatchingRemark::NameNotIssued {
        names,
        request: path.to_owned(),
    })
}

/// Returns one remark per kind of repair, with all its sources.
#[must_use]
pub(crate) fn remark_repairs(repairs: &[AppliedRepair]) -> Vec<MatchingRemark> {
    let mut remarks: Vec<(RepairKind, Vec<String>)> = Vec::new();
    for AppliedRepair {
        kind: what, source, ..
    } in repairs
    {
        let source = source.to_string();
        match remarks.iter_mut().find(|(known, _)| known == what) {
            Some((_, sources)) if sources.contains(&source) => {}
            Some((_, sources)) => sources.push(source),
            None => remarks.push((*what, vec![source])),
        }
    }
    remarks
        .into_iter()
        .map(|(what, sources)| MatchingRemark::Repaired { what, sources })
        .collect()
}
