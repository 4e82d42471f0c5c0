//! Remarks on the chosen certificate, key and request, besides the problems of the chain. The advice
//! is in `advice`.

use std::path::{Path, PathBuf};

use crate::delivery::{AppliedRepair, DecryptError, RepairKind};
use crate::pki::certificate::Certificate;
use crate::pki::chain::OmissionReason;
use crate::pki::key::PublicKeyId;
pub(crate) use crate::pki::name::join_listed;
use crate::pki::request::SigningRequest;
use crate::pki::verify::ChainProblem;

/// What a request for the same names and a new key is made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RequestTemplate {
    /// The file of the certificate.
    File(PathBuf),
    Names(Vec<String>),
}

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MatchingRemark {
    /// The directory has the missing issuer.
    #[error("the missing intermediate lies here, in {}", path.display())]
    IssuerInDirectory {
        /// The file that has it.
        path: PathBuf,
        /// The `certctl bundle` command for the arguments.
        bundle: Vec<String>,
    },
    /// The directory has the root that issued the last certificate.
    #[error("the root {label} lies here, in {}", path.display())]
    RootInDirectory {
        /// The label of the root.
        label: String,
        path: PathBuf,
    },
    /// Another key than the named one matches.
    #[error("the key that fits lies here: {}", path.display())]
    MatchingKeyInDirectory { path: PathBuf },
    /// An encrypted key is written without its password.
    #[error("the key in {} is encrypted; it is written without its password, which no server can \
        ask for", path.display())]
    KeyDecrypted { path: PathBuf },
    /// The private key came with the certificate.
    #[error("its private key came with it, in {}: who had the delivery, had the key", path.display())]
    KeyCameWithCertificate {
        /// The file with both.
        path: PathBuf,
    },
    /// Certificates that were not needed.
    #[error("left out: {} ({})", join_listed(labels), reason(*why))]
    Omitted {
        labels: Vec<String>,
        why: OmissionReason,
    },
    /// Repairs that were necessary to read a file.
    #[error("mended: {what} in {}", join_listed(sources))]
    Repaired {
        what: RepairKind,
        sources: Vec<String>,
    },
    /// The CA did not include all requested names.
    #[error("asked for in {} but not issued: {}", request.display(), join_listed(names))]
    NameNotIssued {
        names: Vec<String>,
        request: PathBuf,
    },
    /// There is no key and no request to compare with.
    #[error("no key and no request for {label} is here; looked at {searched_places}")]
    NoKey {
        /// The label of the certificate.
        label: String,
        searched_places: String,
        /// What a request for a new key is made from.
        template: RequestTemplate,
    },
    /// A key is encrypted, so that it cannot be compared without its password.
    #[error("{} is locked: {}", path.display(), shut(*why, label))]
    Locked {
        /// The label of the certificate.
        label: String,
        path: PathBuf,
        /// Why the given password does not decrypt it.
        why: Option<DecryptError>,
        /// What a request for a new key is made from.
        template: RequestTemplate,
    },
    /// A request matches, but its key was not found.
    #[error("{} fits {label}, and the key that it was made with is not here; looked at {searched_places}", request.display())]
    OnlyRequest {
        /// The label of the certificate.
        label: String,
        request: PathBuf,
        searched_places: String,
    },
    /// Certificates for other keys, which were not found.
    #[error(
        "left out, because no key and no request here fits: {}",
        join_listed(labels)
    )]
    UnmatchedCertificates { labels: Vec<String> },
    /// Older certificates for the same key, or for the same names.
    #[error("left out, because a newer one is here: {}", join_listed(labels))]
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
        "the certificate {label} was issued for another request than {}: the request has key {}, \
            the certificate {}",
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
    /// The remark that there is no key and no request to compare `leaf` with.
    #[must_use]
    pub fn no_key(leaf: &Certificate, looked: String, template: RequestTemplate) -> Self {
        Self::NoKey {
            label: leaf.label(),
            searched_places: looked,
            template,
        }
    }
}

fn shut(why: Option<DecryptError>, label: &str) -> String {
    why.map_or_else(
        || format!("only its password tells whether it is the key of {label}"),
        |why| why.to_string(),
    )
}

fn reason(why: OmissionReason) -> &'static str {
    match why {
        OmissionReason::Duplicate => "there twice",
        OmissionReason::Root => "a root: clients have it",
        OmissionReason::Unrelated => "not on the way to a root",
    }
}

/// Remarks on names of `request` that `leaf` does not cover.
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

/// One remark per kind of repair, with all its sources.
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
