//! `status --crl`: downloads the CRL that each certificate names, and checks whether it revokes the
//! certificate.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::advice::crls;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs;
use crate::inventory::{ItemContent, RowState, StatusReason, StatusRow, reason};
use crate::pki::certificate::Certificate;
use crate::pki::downloaded_list::{
    DownloadedList, DownloadedListError, ListQuery, ListedState, issuer_keys,
};
use crate::pki::extensions::CertificateDetails;
use crate::pki::name::join_listed;
use crate::pki::trust::TrustAnchors;
use crate::scan::results::ScanResults;
use crate::system::http::lists::fetch_lists;
use crate::system::http::{HttpError, NetworkReach};

/// The maximum number of URLs of one certificate that are tried.
const URLS_OF_CERTIFICATE: usize = 4;

/// Why a list was not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusedList {
    #[error(transparent)]
    Fetch(HttpError),
    #[error(transparent)]
    Unfit(DownloadedListError),
}

/// The CA certificates that were found, by subject (DER), and the trust anchors.
pub(crate) struct KnownIssuers {
    certificates: HashMap<Vec<u8>, Vec<Arc<Certificate>>>,
    anchors: Vec<TrustAnchors>,
}

impl ScanResults {
    /// Returns the issuers among the items, which judging the rows consumes.
    #[must_use]
    pub(crate) fn known_issuers(&self) -> KnownIssuers {
        let mut certificates: HashMap<Vec<u8>, Vec<Arc<Certificate>>> = HashMap::new();
        let chains = self.items.iter().filter_map(|item| match &item.content {
            ItemContent::Certificates(chain) => Some(chain),
            _ => None,
        });
        for certificate in chains.flatten().filter(|one| !one.is_server_certificate()) {
            let name = certificate.subject_der().to_vec();
            let known = certificates.entry(name).or_default();
            if !known.contains(certificate) {
                known.push(Arc::clone(certificate));
            }
        }
        let mut anchors = vec![TrustAnchors::mozilla()];
        anchors.extend(inputs::trust_anchors(Some("system")).ok());
        anchors.extend(self.own_anchors.values().cloned());
        KnownIssuers {
            certificates,
            anchors,
        }
    }
}

impl KnownIssuers {
    fn keys_for(&self, certificate: &Certificate) -> Vec<Vec<u8>> {
        let found = self.certificates.get(certificate.issuer_der());
        let candidates = found.into_iter().flatten().map(Arc::as_ref);
        let anchors: Vec<&TrustAnchors> = self.anchors.iter().collect();
        issuer_keys(certificate, candidates, &anchors)
    }
}

/// Downloads the lists of the certificates in `rows` that have not expired, each once, and adds what
/// they say to the rows. Returns a finding for each list that could not be used.
///
/// # Errors
/// A signal.
pub(crate) fn check(
    context: &Context,
    rows: &mut [StatusRow],
    issuers: &KnownIssuers,
    reach: NetworkReach,
) -> Result<Vec<Finding>, Failure> {
    let questions: Vec<Option<Vec<String>>> = rows
        .iter()
        .map(|row| is_checked(row, context).then(|| list_urls(row)))
        .collect();
    let urls = questions.iter().flatten().flatten();
    let lists = download(context, urls, reach)?;
    let mut unchecked = UncheckedLists::default();
    for (row, urls) in rows.iter_mut().zip(&questions) {
        let Some(urls) = urls else {
            continue;
        };
        let question = RowQuestion {
            now: context.now(),
            urls,
            lists: &lists,
            issuers,
        };
        if let Some(reason) = question.answer(row, &mut unchecked) {
            row.reasons.push(reason);
            reason::sort(&mut row.reasons);
        }
    }
    Ok(unchecked.into_findings())
}

/// Downloads the list at each URL once.
fn download<'a>(
    context: &Context,
    urls: impl Iterator<Item = &'a String>,
    reach: NetworkReach,
) -> Result<ListsByUrl, Failure> {
    let mut urls: Vec<String> = urls.cloned().collect();
    urls.sort();
    urls.dedup();
    let listening = context.interrupt.listen();
    listening.map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let lists = fetch_lists(&urls, reach, &context.interrupt, read_list);
    let lists = lists.map_err(|signal| {
        let kind = FailureKind::Interrupted(signal);
        Failure::new(kind, "interrupted while downloading CRLs")
    })?;
    Ok(urls.into_iter().zip(lists).collect())
}

type ListsByUrl = BTreeMap<String, Result<DownloadedList, UnusedList>>;

/// The lists that may revoke the certificate of a row.
struct RowQuestion<'a> {
    now: Timestamp,
    urls: &'a [String],
    lists: &'a ListsByUrl,
    issuers: &'a KnownIssuers,
}

impl RowQuestion<'_> {
    /// Returns what the first usable list says; `None`, and entries in `unchecked`, if there is none.
    fn answer(&self, row: &StatusRow, unchecked: &mut UncheckedLists) -> Option<StatusReason> {
        if self.urls.is_empty() {
            return Some(StatusReason::NoCrl);
        }
        let certificate = row.certificate.as_deref()?;
        let issuer_keys = self.issuers.keys_for(certificate);
        let query = ListQuery {
            certificate,
            urls: self.urls,
            issuer_keys: &issuer_keys,
            now: self.now,
        };
        let mut failures = Vec::new();
        for url in self.urls {
            match self.look_up(url, &query) {
                Ok(state) => return Some(state_reason(url, state)),
                Err(failure) => failures.push((url.clone(), failure)),
            }
        }
        for (url, failure) in failures {
            unchecked.add(url, failure, &row.name);
        }
        None
    }

    fn look_up(&self, url: &str, query: &ListQuery<'_>) -> Result<ListedState, ListFailure> {
        let list = match self.lists.get(url) {
            Some(Ok(list)) => list,
            Some(Err(unused)) => return Err(ListFailure::of(unused)),
            None => return Err(ListFailure::default()),
        };
        list.look_up(query).map_err(|error| ListFailure {
            cause: error.to_string(),
            is_private: false,
        })
    }
}

fn state_reason(url: &str, state: ListedState) -> StatusReason {
    let list = url.to_owned();
    if state.is_revoked {
        StatusReason::Revoked { list }
    } else {
        StatusReason::NotRevoked {
            list,
            as_of: state.as_of,
        }
    }
}

/// Why a list was not used, in words.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct ListFailure {
    cause: String,
    /// Its server has an address from which nothing is downloaded unless the user allows it.
    is_private: bool,
}

impl ListFailure {
    fn of(unused: &UnusedList) -> Self {
        Self {
            cause: unused.to_string(),
            is_private: matches!(unused, UnusedList::Fetch(HttpError::Private(_))),
        }
    }
}

/// The lists that could not be used, each with the names whose revocation was not checked.
#[derive(Default)]
struct UncheckedLists {
    names: BTreeMap<(String, ListFailure), Vec<String>>,
}

impl UncheckedLists {
    fn add(&mut self, url: String, failure: ListFailure, name: &str) {
        let names = self.names.entry((url, failure)).or_default();
        names.push(name.to_owned());
    }

    fn into_findings(self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for ((url, failure), names) in self.names {
            findings.push(unchecked_finding(&url, &failure, &names));
        }
        findings
    }
}

fn unchecked_finding(url: &str, failure: &ListFailure, names: &[String]) -> Finding {
    let names = join_listed(names);
    let cause = &failure.cause;
    let message = format!("the revocation of {names} was not checked: {url}: {cause}");
    let step = if failure.is_private {
        crls::allow_private_list()
    } else {
        crls::check_list_address(url)
    };
    Finding::error("crl-unchecked", message).with_step(step)
}

fn read_list(fetched: Result<Vec<u8>, HttpError>) -> Result<DownloadedList, UnusedList> {
    let der = fetched.map_err(UnusedList::Fetch)?;
    DownloadedList::parse(der).map_err(UnusedList::Unfit)
}

/// Whether the revocation of a row matters: what has expired or was replaced is not used.
fn is_checked(row: &StatusRow, context: &Context) -> bool {
    let is_replaced = row.state == RowState::Superseded;
    row.certificate.as_ref().is_some_and(|certificate| {
        let is_valid = certificate.not_after >= context.now();
        is_valid && !is_replaced && !certificate.is_self_issued()
    })
}

/// The URLs over http in the CRL distribution points of a row's certificate.
fn list_urls(row: &StatusRow) -> Vec<String> {
    let der = row
        .certificate
        .as_ref()
        .map(|certificate| certificate.der());
    let details = CertificateDetails::from_certificate(der.unwrap_or_default());
    let mut urls = details.crl_urls;
    urls.retain(|url| url.starts_with("http://"));
    urls.truncate(URLS_OF_CERTIFICATE);
    urls
}
