//! Turns items into judged rows: states, reasons, renewals.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::due::days_between;
use super::item::{
    HeldKey, InstallTerms, InventoryItem, ItemLocation, ItemOrigin, ListedRequest, ServerProbe,
};
use super::reason::{self, StatusReason};
use super::row::{RowState, StatusRow};
use crate::inventory::by_key::{KeyGroup, LeafCopies, groups};
use crate::inventory::chain_check::CheckedChain;
use crate::inventory::folder_issuers::FolderIssuers;
use crate::inventory::policy::StatusPolicy;
use crate::inventory::rule_changes::{ClientAuthUse, rule_changes_within};
use crate::inventory::schedule::{self, PaymentCoverage, RenewalTerms, ScheduledRenewal};
use crate::inventory::served_answers::served_differently;
use crate::inventory::{chain_check, crls, supersession};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::trust::TrustScope;
use crate::pki::verify::ChainProblem;

/// Returns the rows of `items`, sorted by name: certificates, and requests and keys without one.
#[must_use]
pub(crate) fn rows(items: Vec<InventoryItem>, policy: &StatusPolicy<'_>) -> Vec<StatusRow> {
    let lists = crls::lists_with_files(&items);
    let issuers = FolderIssuers::collect(&items);
    let mut groups = groups(items, policy.now);
    for group in &mut groups {
        // Usable keys come first.
        let is_refused = |place: &ItemLocation| policy.refused_key(place).is_some();
        group.keys.sort_by_key(|(place, _)| is_refused(place));
    }
    let known = RowIndexes::new(&groups, &lists, issuers, policy);
    let mut rows = Vec::new();
    for group in &groups {
        if group.leaves.is_empty() {
            rows.extend(row_without_certificate(group, policy));
        }
        for leaf in &group.leaves {
            rows.push(LeafContext::new(group, leaf, &known, policy).into_row());
        }
    }
    supersession::settle(&mut rows, policy);
    rows.sort_by_cached_key(|row| {
        (
            row.state == RowState::Superseded,
            row.name.clone(),
            row.state,
            row.expiry,
        )
    });
    rows
}

/// Indexes over keys, CRLs and probes: with thousands of rows, a linear search for each row would
/// take millions of comparisons.
struct RowIndexes<'a> {
    /// The keys in files that servers read, by the origin of the file.
    keys: HashMap<&'a ItemOrigin, Vec<(&'a ItemLocation, PublicKeyId)>>,
    lists: &'a [(PathBuf, RevocationList)],
    issuers: FolderIssuers,
    /// The probes by the certificate that the server should send.
    server_probes: HashMap<Fingerprint, Vec<&'a ServerProbe>>,
    shown: HashSet<Fingerprint>,
    /// Blocks that use a certificate for names that it lacks.
    uncovered: HashMap<Fingerprint, Vec<(&'a String, &'a [String])>>,
}

impl<'a> RowIndexes<'a> {
    fn new(
        groups: &'a [KeyGroup],
        lists: &'a [(PathBuf, RevocationList)],
        issuers: FolderIssuers,
        policy: &StatusPolicy<'a>,
    ) -> Self {
        let mut known = Self {
            keys: HashMap::new(),
            lists,
            issuers,
            server_probes: HashMap::new(),
            shown: HashSet::new(),
            uncovered: HashMap::new(),
        };
        for (place, key) in groups.iter().flat_map(|group| &group.keys) {
            if let Some(origin) = live_origin(place) {
                let keys = known.keys.entry(origin).or_default();
                keys.push((place, key.id));
            }
        }
        for probe in policy.server_probes {
            if let Some(leaf) = probe.expected {
                known.server_probes.entry(leaf).or_default().push(probe);
            }
            if let Ok(shown) = &probe.answer {
                known.shown.insert(shown.fingerprint);
            }
        }
        for (block, leaf, names) in policy.uncovered {
            let blocks = known.uncovered.entry(*leaf).or_default();
            blocks.push((block, names.as_slice()));
        }
        known
    }

    /// Returns the key that the same server reads together with `leaf` and that does not match it,
    /// unless a matching key is there too.
    fn wrong_key(&self, leaf: &LeafCopies) -> Option<StatusReason> {
        let id = leaf.certificate.key_id;
        let origins = leaf
            .copies
            .iter()
            .filter_map(|copy| live_origin(&copy.place));
        for keys in origins.filter_map(|origin| self.keys.get(origin)) {
            let fits = keys.iter().any(|(_, key)| *key == id);
            if let (false, Some((place, key))) = (fits, keys.first()) {
                return Some(StatusReason::WrongKey {
                    path: PathBuf::from(place.to_string()),
                    key: *key,
                    leaf: id,
                });
            }
        }
        None
    }
}

/// Returns the origin of a file that a server reads.
fn live_origin(place: &ItemLocation) -> Option<&ItemOrigin> {
    match place {
        ItemLocation::File { origin, .. } if origin.is_live() => Some(origin),
        _ => None,
    }
}

/// A request or a key without a certificate.
struct KeyWithoutCertificate {
    name: String,
    names: Vec<String>,
    key_id: PublicKeyId,
    algorithm: KeyAlgorithm,
    state: RowState,
}

impl KeyWithoutCertificate {
    fn of_request(request: &ListedRequest) -> Self {
        let first_name = request.names.first().cloned();
        Self {
            name: first_name.unwrap_or_else(|| request.id.short()),
            names: request.names.clone(),
            key_id: request.id,
            algorithm: request.algorithm,
            state: RowState::Pending,
        }
    }

    /// A key without a request is named after its file.
    fn of_key(place: &ItemLocation, key: &HeldKey) -> Self {
        let path = PathBuf::from(place.to_string());
        let file_name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self {
            name: file_name.unwrap_or_else(|| key.id.short()),
            names: Vec::new(),
            key_id: key.id,
            algorithm: key.algorithm,
            state: RowState::UnusedKey,
        }
    }
}

/// Returns the row of a request or a key without a certificate.
fn row_without_certificate(group: &KeyGroup, policy: &StatusPolicy<'_>) -> Option<StatusRow> {
    let about = match (group.requests.first(), group.keys.first()) {
        (Some((_, request)), _) => KeyWithoutCertificate::of_request(request),
        (None, Some((place, key))) => KeyWithoutCertificate::of_key(place, key),
        (None, None) => return None,
    };
    let mut reasons = readable_keys(&group.keys);
    if about.state == RowState::Pending {
        reasons.extend(refused_key(group, policy));
        reasons.extend(request_pending(group));
    }
    reasons.extend(request_without_key(group));
    let of_ca = group.ca_certificate.clone();
    reasons.extend(of_ca.map(|certificate| StatusReason::KeyOfCa { certificate }));
    reason::sort(&mut reasons);
    Some(StatusRow {
        name: about.name,
        names: about.names,
        state: about.state,
        certificate: None,
        algorithm: about.algorithm,
        key_id: about.key_id,
        expiry: None,
        due: None,
        days_left: None,
        locations: Vec::new(),
        keys: group.keys.clone(),
        requests: request_places(group),
        installed_as: None,
        paid_until: None,
        validation_until: None,
        renewals: Vec::new(),
        expected_renewals: Vec::new(),
        reasons,
    })
}

/// Returns the reason for a request without a certificate: it is due until the CA has issued.
fn request_pending(group: &KeyGroup) -> Option<StatusReason> {
    let (request, _) = group.requests.first()?;
    Some(StatusReason::RequestPending {
        request: request.clone(),
    })
}

/// Returns the reason for a request whose key was not found, unless it may be in a file that could not
/// be read.
fn request_without_key(group: &KeyGroup) -> Option<StatusReason> {
    let (ItemLocation::File { path, .. }, _) = group.requests.first()? else {
        return None;
    };
    let is_missing = group.keys.is_empty() && !group.has_unreadable_key;
    is_missing.then(|| StatusReason::RequestWithoutKey {
        request: path.clone(),
    })
}

fn request_places(group: &KeyGroup) -> Vec<ItemLocation> {
    let places = group.requests.iter().map(|(place, _)| place);
    places.cloned().collect()
}

/// A server certificate with everything that its row depends on.
struct LeafContext<'a> {
    group: &'a KeyGroup,
    leaf: &'a LeafCopies,
    known: &'a RowIndexes<'a>,
    policy: &'a StatusPolicy<'a>,
    /// The name under which certctl installed it, and the stored options.
    stem: Option<String>,
    terms: InstallTerms,
    state: RowState,
    chain: CheckedChain,
    /// When its renewal is due.
    due: Timestamp,
}

impl<'a> LeafContext<'a> {
    fn new(
        group: &'a KeyGroup,
        leaf: &'a LeafCopies,
        known: &'a RowIndexes<'a>,
        policy: &'a StatusPolicy<'a>,
    ) -> Self {
        let mut stems = leaf.copies.iter().filter_map(|copy| copy.place.stem());
        let stem = stems.next().map(str::to_owned);
        let terms = stem
            .as_ref()
            .and_then(|stem| policy.terms.get(stem))
            .cloned()
            .unwrap_or_default();
        let state = state(group, leaf, known, policy);
        let chain = chain_check::judge(leaf, stem.as_deref(), state, &known.issuers, policy);
        let due = policy
            .renew_before
            .due(leaf.certificate.not_before, chain.expiry);
        Self {
            group,
            leaf,
            known,
            policy,
            stem,
            terms,
            state,
            chain,
            due,
        }
    }

    /// Returns whether a public CA issued it. Without a known trust anchor, an AIA URL counts as a
    /// sign of a public CA. The rules for renewals do not apply to a company's own CA.
    fn is_public(&self) -> bool {
        match self.chain.scope {
            Some(scope) => scope == TrustScope::Public,
            None => !self.leaf.certificate.issuer_urls.is_empty(),
        }
    }

    fn renewals(&self) -> Vec<ScheduledRenewal> {
        if !self.is_public() {
            return Vec::new();
        }
        let terms = RenewalTerms {
            expiry: self.chain.expiry,
            due: self.due,
            validated_at: self.leaf.certificate.not_before,
            paid_until: self.terms.paid_until,
        };
        schedule::renewals(terms, self.policy.renew_before, self.policy.now)
    }

    fn expected_renewals(&self) -> Vec<Timestamp> {
        if self.is_public() {
            return Vec::new();
        }
        let certificate = &self.leaf.certificate;
        let validity = certificate.not_before.duration_until(certificate.not_after);
        let policy = self.policy;
        schedule::expected_renewals(validity, self.due, policy.renew_before, policy.now)
    }

    fn reasons(&self, next: Option<&ScheduledRenewal>) -> Vec<StatusReason> {
        let certificate = &self.leaf.certificate;
        let mut reasons = date_problems(certificate, self.policy.now);
        let is_in_date = reasons.is_empty();
        reasons.extend(crls::revoked(certificate, self.known.lists));
        reasons.extend(self.known.wrong_key(self.leaf));
        let server_probes = self.known.server_probes.get(&certificate.fingerprint);
        let server_probes = server_probes.map(Vec::as_slice).unwrap_or_default();
        reasons.extend(served_differently(certificate, server_probes));
        if self.policy.now >= self.due && is_in_date {
            reasons.push(StatusReason::Due {
                since: self.due,
                expiry: self.chain.expiry,
            });
        }
        reasons.extend_from_slice(&self.chain.reasons);
        reasons.extend(readable_keys(&self.group.keys));
        if self.state == RowState::KeyRefused {
            reasons.extend(refused_key(self.group, self.policy));
        }
        reasons.extend(uncovered(certificate, self.known));
        if self.terms.placeholder {
            reasons.push(StatusReason::Placeholder);
        }
        reasons.extend(self.end_of_term(next));
        reasons.extend(self.rule_changes());
        reasons
    }

    /// Returns the end of the paid term, if the next certificate has to be purchased.
    fn end_of_term(&self, next: Option<&ScheduledRenewal>) -> Option<StatusReason> {
        let on = self.terms.paid_until?;
        let is_purchase = next?.payment == Some(PaymentCoverage::Purchase);
        is_purchase.then_some(StatusReason::TermEnds { on })
    }

    /// Returns the rules for public CAs that change before the next renewal.
    fn rule_changes(&self) -> Vec<StatusReason> {
        if !self.is_public() {
            return Vec::new();
        }
        let certificate = &self.leaf.certificate;
        let client_auth = if certificate.usage.for_clients {
            ClientAuthUse::Yes
        } else {
            ClientAuthUse::No
        };
        let until_renewal = certificate.not_before..=self.due.max(self.policy.now);
        let changes = rule_changes_within(&until_renewal, client_auth);
        changes.into_iter().map(StatusReason::Rule).collect()
    }

    fn into_row(self) -> StatusRow {
        let certificate = &self.leaf.certificate;
        let renewals = self.renewals();
        let expected_renewals = self.expected_renewals();
        let reasons = self.reasons(renewals.first());
        let validation_until = self
            .is_public()
            .then(|| schedule::validation_until(certificate.not_before));
        let places = self.leaf.copies.iter().map(|copy| copy.place.clone());
        StatusRow {
            name: certificate.label(),
            names: names(certificate),
            state: self.state,
            algorithm: certificate.algorithm,
            key_id: certificate.key_id,
            expiry: Some(self.chain.expiry),
            due: Some(self.due),
            days_left: Some(days_between(self.policy.now, self.chain.expiry)),
            locations: places.collect(),
            keys: self.group.keys.clone(),
            requests: request_places(self.group),
            installed_as: self.stem,
            paid_until: self.terms.paid_until,
            validation_until,
            renewals,
            expected_renewals,
            reasons,
            certificate: Some(Arc::clone(certificate)),
        }
    }
}

fn state(
    group: &KeyGroup,
    leaf: &LeafCopies,
    known: &RowIndexes<'_>,
    policy: &StatusPolicy<'_>,
) -> RowState {
    let is_served = leaf
        .copies
        .iter()
        .any(|copy| matches!(copy.place, ItemLocation::Address { .. }));
    if is_served || known.shown.contains(&leaf.certificate.fingerprint) {
        RowState::Served
    } else if leaf.copies.iter().any(|copy| copy.place.is_live()) {
        RowState::Installed
    } else if group.keys.is_empty() {
        RowState::KeyMissing
    } else if refused_key(group, policy).is_some() {
        RowState::KeyRefused
    } else {
        RowState::Ready
    }
}

/// Returns the DNS names, then the IP addresses.
fn names(certificate: &Certificate) -> Vec<String> {
    let addresses = certificate.ip_addresses.iter().map(ToString::to_string);
    certificate
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .collect()
}

fn date_problems(certificate: &Certificate, at: Timestamp) -> Vec<StatusReason> {
    let label = certificate.label();
    let not_before = certificate.not_before;
    let not_after = certificate.not_after;
    let problem = if at.as_second() < not_before.as_second() {
        ChainProblem::NotYetValid {
            label,
            not_before,
            at,
        }
    } else if at.as_second() > not_after.as_second() {
        ChainProblem::Expired {
            label,
            not_after,
            leaf: true,
        }
    } else {
        return Vec::new();
    };
    vec![StatusReason::Problem(problem)]
}

/// Returns a reason for each key file to which all users have access.
fn readable_keys(keys: &[(ItemLocation, HeldKey)]) -> Vec<StatusReason> {
    let readable = keys.iter().filter(|(_, key)| key.mode.has_any(0o007));
    readable
        .map(|(place, key)| StatusReason::KeyReadable {
            path: PathBuf::from(place.to_string()),
            mode: key.mode,
        })
        .collect()
}

/// Returns a reason if no key file of the group may be used.
fn refused_key(group: &KeyGroup, policy: &StatusPolicy<'_>) -> Option<StatusReason> {
    let mut refused = Vec::new();
    for (place, _) in &group.keys {
        refused.push(policy.refused_key(place)?);
    }
    let first = refused.first()?;
    Some(StatusReason::KeyRefused(Box::new((*first).clone())))
}

fn uncovered(certificate: &Certificate, known: &RowIndexes<'_>) -> Vec<StatusReason> {
    let own = known
        .uncovered
        .get(&certificate.fingerprint)
        .into_iter()
        .flatten();
    own.map(|&(block, names)| StatusReason::NamesNotCovered {
        block: block.clone(),
        names: names.to_vec(),
    })
    .collect()
}
