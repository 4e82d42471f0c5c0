//! Which leaves are meant. By key id where a key or a request fits, else the only one; never by
//! guess.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use jiff::Timestamp;

use super::error::MatchingError;
use super::keyring::{KeyCandidates, NamedKeys};
use crate::delivery::CaDelivery;
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;

/// What there is to choose from.
pub(crate) struct LeafCandidates<'a> {
    /// Sites' certificates, each once, the best first.
    pub leaves: Vec<&'a Certificate>,
    /// Whether rounds of one site compete: so it is in a folder, not in a delivery.
    rounds: bool,
}

impl<'a> LeafCandidates<'a> {
    /// The leaves of `bag`: those of the delivery, and in the folder those for `names` (without
    /// any, all).
    pub(crate) fn new(
        bag: &'a [Certificate],
        delivery: Option<&CaDelivery>,
        names: &[DnsName],
        at: Timestamp,
    ) -> Self {
        let delivered: HashSet<[u8; 32]> = delivery
            .iter()
            .flat_map(|delivery| &delivery.certificates)
            .map(|found| found.fingerprint)
            .collect();
        let wanted: HashSet<&str> = names.iter().map(DnsName::as_str).collect();
        let named = |leaf: &Certificate| {
            leaf.dns_names
                .iter()
                .any(|name| wanted.contains(&*name.to_ascii_lowercase()))
        };
        let everything = delivery.is_none() && names.is_empty();
        let mut seen = HashSet::new();
        let mut leaves: Vec<&Certificate> = bag
            .iter()
            .filter(|one| one.is_site() && seen.insert(one.fingerprint))
            .filter(|one| everything || delivered.contains(&one.fingerprint) || named(one))
            .collect();
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.rank(at)));
        Self {
            leaves,
            rounds: delivery.is_none(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct LeafChoice<'a> {
    /// The leaves, in the order of the bag.
    pub leaves: Vec<&'a Certificate>,
    /// Older certificates for the key of a chosen one.
    pub older: Vec<&'a Certificate>,
    /// Leaves that nothing here fits, beside some that fit.
    pub unfitted: Vec<&'a Certificate>,
}

/// Chooses. Without any site's certificate, a CA's certificate is taken for one: the judge says
/// what is wrong with it.
pub(crate) fn choose<'a>(
    scope: &LeafCandidates<'a>,
    bag: &'a [Certificate],
    keyring: &KeyCandidates,
) -> Result<LeafChoice<'a>, MatchingError> {
    let fits = |leaf: &&Certificate| keyring.fits(leaf.key_id);
    let (fitted, unfitted): (Vec<&Certificate>, Vec<&Certificate>) =
        scope.leaves.iter().copied().partition(fits);
    if !fitted.is_empty() {
        let (mut leaves, older) = current(&fitted, scope);
        in_order(&mut leaves, bag);
        return Ok(LeafChoice {
            leaves,
            older,
            unfitted: if scope.rounds { Vec::new() } else { unfitted },
        });
    }
    let (leaves, older) = current(&scope.leaves, scope);
    match leaves.as_slice() {
        [] => {
            let leaf = bag
                .iter()
                .find(|one| keyring.fits(one.key_id))
                .or_else(|| bag.first());
            Ok(LeafChoice {
                leaves: leaf.into_iter().collect(),
                older: Vec::new(),
                unfitted: Vec::new(),
            })
        }
        [_] => Ok(LeafChoice {
            leaves,
            older,
            unfitted: Vec::new(),
        }),
        several => {
            let words = |leaf: &&Certificate| {
                format!(
                    "{} (key {}, until {})",
                    leaf.label(),
                    leaf.key_id.short(),
                    leaf.not_after
                )
            };
            Err(MatchingError::Ambiguous {
                leaves: several.iter().map(words).collect(),
                looked: keyring.looked(),
            })
        }
    }
}

/// Every site's certificate of a folder that is to be judged: the newest of each site, whether
/// anything here fits it or not, and the newest that something fits. With `--key` those alone that
/// it fits, where it fits any.
pub(crate) fn judged<'a>(
    scope: &LeafCandidates<'a>,
    bag: &'a [Certificate],
    keyring: &KeyCandidates,
) -> Vec<&'a Certificate> {
    let fitted: Vec<&Certificate> = scope
        .leaves
        .iter()
        .copied()
        .filter(|leaf| keyring.fits(leaf.key_id))
        .collect();
    let (mut leaves, _) = newest(&fitted, site);
    if leaves.is_empty() || keyring.named == NamedKeys::Nothing {
        let (latest, _) = newest(&scope.leaves, site);
        let known: HashSet<_> = leaves.iter().map(|leaf| leaf.fingerprint).collect();
        leaves.extend(
            latest
                .into_iter()
                .filter(|leaf| !known.contains(&leaf.fingerprint)),
        );
    }
    in_order(&mut leaves, bag);
    leaves
}

/// Sorts `leaves` as they lie in `bag`.
fn in_order(leaves: &mut [&Certificate], bag: &[Certificate]) {
    let mut places = HashMap::new();
    for (place, one) in bag.iter().enumerate() {
        places.entry(one.fingerprint).or_insert(place);
    }
    leaves.sort_by_key(|leaf| places.get(&leaf.fingerprint).copied());
}

/// The best of each key, in a folder of each site, and the others.
fn current<'a>(
    leaves: &[&'a Certificate],
    scope: &LeafCandidates<'_>,
) -> (Vec<&'a Certificate>, Vec<&'a Certificate>) {
    let (mut leaves, mut older) = newest(leaves, |leaf| leaf.key_id);
    if scope.rounds {
        let (latest, past) = newest(&leaves, site);
        leaves = latest;
        older.extend(past);
    }
    (leaves, older)
}

/// The first of each `class`, and the others.
fn newest<'a, C: Eq + Hash>(
    leaves: &[&'a Certificate],
    class: impl Fn(&Certificate) -> C,
) -> (Vec<&'a Certificate>, Vec<&'a Certificate>) {
    let mut seen = HashSet::new();
    leaves
        .iter()
        .copied()
        .partition(|leaf| seen.insert(class(leaf)))
}

/// What rounds of one site share: the names and the kind of key.
fn site(leaf: &Certificate) -> (bool, Vec<String>) {
    let mut names: Vec<String> = leaf
        .dns_names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    names.sort();
    (matches!(leaf.algorithm, KeyAlgorithm::Rsa(_)), names)
}
