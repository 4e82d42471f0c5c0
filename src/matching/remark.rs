//! What there is to say about a choice besides the judgement of its chain: facts only; the advice
//! is `failure`'s.

use std::path::{Path, PathBuf};

use crate::delivery::{AppliedRepair, DecryptError, RepairKind};
use crate::pki::certificate::Certificate;
use crate::pki::chain::OmissionReason;
use crate::pki::key::PublicKeyId;
pub(crate) use crate::pki::name::listed;
use crate::pki::request::SigningRequest;
use crate::pki::verify::ChainProblem;

/// What a request for the same names and a new key can be made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RequestTemplate {
    /// What the certificate came in.
    File(PathBuf),
    Names(Vec<String>),
}

#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MatchingRemark {
    /// The issuer that is missing lies in the directory.
    #[error("the missing intermediate lies here, in {}", path.display())]
    IssuerHere {
        /// The file that has it.
        path: PathBuf,
        /// The words of `certctl bundle` for what was passed.
        bundle: Vec<String>,
    },
    /// The root that issued the last certificate lies in the directory.
    #[error("the root {label} lies here, in {}", path.display())]
    RootHere {
        /// The root in words.
        label: String,
        path: PathBuf,
    },
    /// Another key than the one that was named fits.
    #[error("the key that fits lies here: {}", path.display())]
    KeyHere { path: PathBuf },
    /// A key that needed a passphrase is written without it.
    #[error("the key in {} is encrypted; it is written without its password, which no server can \
        ask for", path.display())]
    KeyDecrypted { path: PathBuf },
    /// The private key came with the certificate.
    #[error("its private key came with it, in {}: who had the delivery, had the key", path.display())]
    KeySent {
        /// What it came in.
        path: PathBuf,
    },
    /// Certificates that were not needed.
    #[error("left out: {} ({})", listed(labels), reason(*why))]
    LeftOut {
        labels: Vec<String>,
        why: OmissionReason,
    },
    /// What was mended while reading.
    #[error("mended: {what} in {}", listed(sources))]
    Mended {
        what: RepairKind,
        sources: Vec<String>,
    },
    /// The CA left out names.
    #[error("asked for in {} but not issued: {}", request.display(), listed(names))]
    NameNotIssued {
        names: Vec<String>,
        request: PathBuf,
    },
    /// Nothing to compare with.
    #[error("no key and no request for {label} is here; looked at {looked}")]
    NoKey {
        /// The certificate in words.
        label: String,
        looked: String,
        /// What a request for a new key would be made from.
        anew: RequestTemplate,
    },
    /// Only a password tells whether a key that is here is the one.
    #[error("{} is locked: {}", path.display(), shut(*why, label))]
    Locked {
        /// The certificate in words.
        label: String,
        path: PathBuf,
        /// Why the password that was given does not open it.
        why: Option<DecryptError>,
        /// What a request for a new key would be made from.
        anew: RequestTemplate,
    },
    /// A request fits, and the key that it was made with was not found.
    #[error("{} fits {label}, and the key that it was made with is not here; looked at {looked}", request.display())]
    OnlyRequest {
        /// The certificate in words.
        label: String,
        request: PathBuf,
        looked: String,
    },
    /// Other pairs' certificates, without their keys.
    #[error(
        "left out, because no key and no request here fits: {}",
        listed(labels)
    )]
    NotOurs { labels: Vec<String> },
    /// Older certificates for the same key, or for the same site.
    #[error("left out, because a newer one is here: {}", listed(labels))]
    Older { labels: Vec<String> },
    /// The key that was meant does not fit.
    #[error("{}: {problem}", path.display())]
    WrongKey {
        /// How it does not fit.
        problem: ChainProblem,
        path: PathBuf,
    },
    /// The request that was meant does not fit.
    #[error(
        "the certificate {label} was issued for another request than {}: the request has key {}, \
            the certificate {}",
        path.display(), request.short(), leaf.short()
    )]
    WrongRequest {
        /// The certificate in words.
        label: String,
        path: PathBuf,
        request: PublicKeyId,
        leaf: PublicKeyId,
    },
}

impl MatchingRemark {
    /// That nothing is here to compare `leaf` with.
    #[must_use]
    pub fn no_key(leaf: &Certificate, looked: String, anew: RequestTemplate) -> Self {
        Self::NoKey {
            label: leaf.label(),
            looked,
            anew,
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

/// Names that `request` asks for and `leaf` does not cover.
#[must_use]
pub(crate) fn not_issued(
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

/// One remark a kind, with all its places.
#[must_use]
pub(crate) fn mended(repairs: &[AppliedRepair]) -> Vec<MatchingRemark> {
    let mut remarks: Vec<(RepairKind, Vec<String>)> = Vec::new();
    for AppliedRepair { what, source, .. } in repairs {
        let source = source.to_string();
        match remarks.iter_mut().find(|(known, _)| known == what) {
            Some((_, sources)) if sources.contains(&source) => {}
            Some((_, sources)) => sources.push(source),
            None => remarks.push((*what, vec![source])),
        }
    }
    remarks
        .into_iter()
        .map(|(what, sources)| MatchingRemark::Mended { what, sources })
        .collect()
}
