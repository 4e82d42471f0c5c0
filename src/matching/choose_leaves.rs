//! Chooses leaf certificates: those that a key or a request matches, else the only one. Reports an
//! ambiguity instead of guessing.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;

use super::error::MatchingError;
use super::keyring::{KeyCandidates, NamedKeys};
use crate::delivery::CaDelivery;
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;
use crate::wording::day;

/// The certificates to choose from.
pub(crate) struct LeafCandidates<'a> {
    /// Server certificates, each once, the best first.
    pub leaves: Vec<&'a Certificate>,
    /// Whether they may be renewals of each other: true for a directory, false for files from a CA.
    has_renewals: bool,
}

impl<'a> LeafCandidates<'a> {
    /// Selects the leaves of `bag`: those of the delivery, and those of the directory for `names`
    /// (all if there are no names).
    pub(crate) fn new(
        bag: &'a [Certificate],
        delivery: Option<&CaDelivery>,
        names: &[DnsName],
        at: Timestamp,
    ) -> Self {
        let delivered: HashSet<Fingerprint> = delivery
            .iter()
            .flat_map(|delivery| &delivery.certificates)
            .map(|found| found.fingerprint)
            .collect();
        let names: HashSet<&str> = names.iter().map(DnsName::as_str).collect();
        let selects_all = delivery.is_none() && names.is_empty();
        let mut seen = HashSet::new();
        let mut leaves: Vec<&Certificate> = bag
            .iter()
            .filter(|certificate| {
                certificate.is_server_certificate() && seen.insert(certificate.fingerprint)
            })
            .filter(|leaf| {
                selects_all || delivered.contains(&leaf.fingerprint) || has_name(leaf, &names)
            })
            .collect();
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.usability_rank(at)));
        Self {
            leaves,
            has_renewals: delivery.is_none(),
        }
    }
}

fn has_name(leaf: &Certificate, names: &HashSet<&str>) -> bool {
    leaf.dns_names
        .iter()
        .any(|name| names.contains(&*name.to_ascii_lowercase()))
}

#[derive(Debug)]
pub(crate) struct LeafChoice<'a> {
    /// The leaves, in the order of the bag.
    pub leaves: Vec<&'a Certificate>,
    /// Older certificates for the key of a chosen one.
    pub older: Vec<&'a Certificate>,
    /// Leaves that no key or request matches, if there are others that one matches.
    pub unmatched: Vec<&'a Certificate>,
}

/// Chooses the leaves to continue with. Without any server certificate, a CA certificate is chosen:
/// verification then reports what is wrong with it.
pub(crate) fn choose_leaves<'a>(
    candidates: &LeafCandidates<'a>,
    bag: &'a [Certificate],
    keyring: &KeyCandidates,
) -> Result<LeafChoice<'a>, MatchingError> {
    let (matched, unmatched): (Vec<&Certificate>, Vec<&Certificate>) = candidates
        .leaves
        .iter()
        .copied()
        .partition(|leaf| keyring.matches_key_id(leaf.key_id));
    if matched.is_empty() {
        return choose_without_key(candidates, bag, keyring);
    }
    let (mut leaves, older) = select_current(&matched, candidates);
    sort_as_in_bag(&mut leaves, bag);
    let reported_unmatched = if candidates.has_renewals {
        Vec::new()
    } else {
        unmatched
    };
    Ok(LeafChoice {
        leaves,
        older,
        unmatched: reported_unmatched,
    })
}

/// Chooses the only leaf, or a CA certificate; no key or request matches any leaf.
fn choose_without_key<'a>(
    candidates: &LeafCandidates<'a>,
    bag: &'a [Certificate],
    keyring: &KeyCandidates,
) -> Result<LeafChoice<'a>, MatchingError> {
    let (mut leaves, older) = select_current(&candidates.leaves, candidates);
    if leaves.len() > 1 {
        return Err(MatchingError::Ambiguous {
            leaves: leaves.iter().map(|leaf| describe_leaf(leaf)).collect(),
            searched_places: keyring.describe_search(),
        });
    }
    if leaves.is_empty() {
        let matched = bag.iter().find(|one| keyring.matches_key_id(one.key_id));
        leaves.extend(matched.or_else(|| bag.first()));
    }
    Ok(LeafChoice {
        leaves,
        older,
        unmatched: Vec::new(),
    })
}

fn describe_leaf(leaf: &Certificate) -> String {
    format!(
        "{} (key {}, expires {})",
        leaf.label(),
        leaf.key_id.short(),
        day(leaf.not_after)
    )
}

/// Selects the server certificates of a directory to check: the newest for each set of names,
/// whether a key or a request matches it or not, and the newest that one matches. With `--key`,
/// only those that it matches, if there are any.
pub(crate) fn select_leaves_to_check<'a>(
    candidates: &LeafCandidates<'a>,
    bag: &'a [Certificate],
    keyring: &KeyCandidates,
) -> Vec<&'a Certificate> {
    let matched: Vec<&Certificate> = candidates
        .leaves
        .iter()
        .copied()
        .filter(|leaf| keyring.matches_key_id(leaf.key_id))
        .collect();
    let (mut leaves, _) = partition_newest(&matched, renewal_group);
    if leaves.is_empty() || keyring.named_option == NamedKeys::Nothing {
        let (latest, _) = partition_newest(&candidates.leaves, renewal_group);
        let known: HashSet<_> = leaves.iter().map(|leaf| leaf.fingerprint).collect();
        leaves.extend(
            latest
                .into_iter()
                .filter(|leaf| !known.contains(&leaf.fingerprint)),
        );
    }
    sort_as_in_bag(&mut leaves, bag);
    leaves
}

/// Sorts `leaves` in the order of `bag`.
fn sort_as_in_bag(leaves: &mut [&Certificate], bag: &[Certificate]) {
    let mut places = HashMap::new();
    for (place, one) in bag.iter().enumerate() {
        places.entry(one.fingerprint).or_insert(place);
    }
    leaves.sort_by_key(|leaf| places.get(&leaf.fingerprint).copied());
}

/// Splits `leaves` into the best of each key and set of names, and the others: a certificate with
/// the same key and other names is that of another site. In a directory, where the files of all
/// renewals are, the key may also have been certified again with more or fewer names: there, those
/// with the same key and first name are renewals, and those with the same names.
fn select_current<'a>(
    leaves: &[&'a Certificate],
    candidates: &LeafCandidates<'_>,
) -> (Vec<&'a Certificate>, Vec<&'a Certificate>) {
    if !candidates.has_renewals {
        return partition_newest(leaves, |leaf| (leaf.key_id, renewal_group(leaf)));
    }
    let (mut leaves, mut older) = partition_newest(leaves, |leaf| {
        let first_name = leaf.dns_names.first();
        (
            leaf.key_id,
            first_name.map(|name| name.to_ascii_lowercase()),
        )
    });
    let (latest, replaced) = partition_newest(&leaves, renewal_group);
    leaves = latest;
    older.extend(replaced);
    (leaves, older)
}

/// Splits `leaves` into the first of each `class`, and the others.
fn partition_newest<'a, C: Eq + Hash>(
    leaves: &[&'a Certificate],
    class: impl Fn(&Certificate) -> C,
) -> (Vec<&'a Certificate>, Vec<&'a Certificate>) {
    let mut seen = HashSet::new();
    leaves
        .iter()
        .copied()
        .partition(|leaf| seen.insert(class(leaf)))
}

/// Returns what renewals of one certificate have in common: whether the key is RSA, and the names.
fn renewal_group(leaf: &Certificate) -> (bool, Vec<String>) {
    let mut names: Vec<String> = leaf
        .dns_names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    names.sort();
    (matches!(leaf.algorithm, KeyAlgorithm::Rsa(_)), names)
}
