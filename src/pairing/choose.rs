//! Which leaves are meant. By key id where a key or a request fits, else the only one; never by guess.

use jiff::Timestamp;

use super::error::PairingError;
use super::keyring::Keyring;
use crate::delivery::Delivery;
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;

/// What there is to choose from.
pub struct Scope<'a> {
    /// Sites' certificates, each once, the best first.
    pub leaves: Vec<&'a Certificate>,
    /// Whether rounds of one site compete: so it is in a folder, not in a delivery.
    rounds: bool,
}

impl<'a> Scope<'a> {
    /// The leaves of `bag`: those of the delivery, and in the folder those for `names` (without any, all).
    pub fn new(bag: &'a [Certificate], delivery: Option<&Delivery>, names: &[DnsName], at: Timestamp) -> Self {
        let delivered = |leaf: &Certificate| {
            delivery.is_some_and(|delivery| delivery.certificates.iter().any(|found| found.value == *leaf))
        };
        let named = |leaf: &Certificate| {
            names.iter().any(|name| leaf.dns_names.iter().any(|other| other.eq_ignore_ascii_case(name.as_str())))
        };
        let everything = delivery.is_none() && names.is_empty();
        let mut leaves: Vec<&Certificate> = Vec::new();
        for leaf in bag.iter().filter(|one| !one.is_ca) {
            if (everything || delivered(leaf) || named(leaf)) && !leaves.contains(&leaf) {
                leaves.push(leaf);
            }
        }
        leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.rank(at)));
        Self { leaves, rounds: delivery.is_none() }
    }
}

/// What was chosen.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The leaves, in the order of the bag.
    pub leaves: Vec<&'a Certificate>,
    /// Older certificates for the key of a chosen one.
    pub older: Vec<&'a Certificate>,
    /// Leaves that nothing here fits, beside some that fit.
    pub unfitted: Vec<&'a Certificate>,
}

/// Chooses. Without any site's certificate, a CA's certificate is taken for one: the judge says what is wrong with it.
pub fn choose<'a>(scope: &Scope<'a>, bag: &'a [Certificate], keyring: &Keyring) -> Result<Choice<'a>, PairingError> {
    let fits = |leaf: &&Certificate| keyring.fits(leaf.key_id);
    let (fitted, unfitted): (Vec<&Certificate>, Vec<&Certificate>) = scope.leaves.iter().copied().partition(fits);
    if !fitted.is_empty() {
        let (mut leaves, mut older) = newest(&fitted, |a, b| a.key_id == b.key_id);
        if scope.rounds {
            let (latest, past) = newest(&leaves, same_site);
            leaves = latest;
            older.extend(past);
        }
        leaves.sort_by_key(|leaf| bag.iter().position(|one| one == *leaf));
        return Ok(Choice { leaves, older, unfitted: if scope.rounds { Vec::new() } else { unfitted } });
    }
    let (leaves, older) = newest(&scope.leaves, |a, b| a.key_id == b.key_id || scope.rounds && same_site(a, b));
    match leaves.as_slice() {
        [] => {
            let leaf = bag.iter().find(|one| keyring.fits(one.key_id)).or_else(|| bag.first());
            Ok(Choice { leaves: leaf.into_iter().collect(), older: Vec::new(), unfitted: Vec::new() })
        }
        [_] => Ok(Choice { leaves, older, unfitted: Vec::new() }),
        several => {
            let words = |leaf: &&Certificate| {
                format!("{} (key {}, until {})", leaf.label(), leaf.key_id.short(), leaf.not_after)
            };
            Err(PairingError::Ambiguous { leaves: several.iter().map(words).collect(), looked: keyring.looked() })
        }
    }
}

/// The first of each class under `same`, and the others.
fn newest<'a>(
    leaves: &[&'a Certificate],
    same: impl Fn(&Certificate, &Certificate) -> bool,
) -> (Vec<&'a Certificate>, Vec<&'a Certificate>) {
    let mut first: Vec<&Certificate> = Vec::new();
    let mut others = Vec::new();
    for leaf in leaves {
        if first.iter().any(|known| same(known, leaf)) { others.push(*leaf) } else { first.push(leaf) }
    }
    (first, others)
}

/// Rounds of one site: the same names, the same kind of key.
fn same_site(a: &Certificate, b: &Certificate) -> bool {
    let names = |one: &Certificate| {
        let mut names: Vec<String> = one.dns_names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort();
        names
    };
    let is_rsa = |one: &Certificate| matches!(one.algorithm, KeyAlgorithm::Rsa(_));
    is_rsa(a) == is_rsa(b) && names(a) == names(b)
}
