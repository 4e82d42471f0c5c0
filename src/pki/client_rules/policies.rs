//! Certificate policies (RFC 5280 6.1): clients accept any policy, but a CA can require that the chain
//! has one. Go from 1.24 on and Chrome apply that; the others do not.

use std::collections::BTreeSet;

use super::broken_rule::BrokenRule;
use super::chain_link::{ChainLink, ChainRole};
use super::table;
use crate::pki::certificate_fields::{
    CERTIFICATE_POLICIES, CertificateFields, INHIBIT_ANY_POLICY, POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
};
use crate::pki::der::{DerElements, split_element};

/// anyPolicy (2.5.29.32.0).
const ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x20, 0];
/// `requireExplicitPolicy` and `inhibitPolicyMapping`.
const REQUIRE: u8 = 0x80;
const INHIBIT_MAPPING: u8 = 0x81;

/// The state of RFC 5280 6.1.2, without the tree: the policies that are still valid.
struct PolicyState<'a> {
    valid: BTreeSet<&'a [u8]>,
    /// After how many certificates a policy is required, mappings and anyPolicy no longer count.
    required_after: usize,
    no_mapping_after: usize,
    no_any_after: usize,
}

/// Returns the rule if a CA requires a policy and the chain has none.
pub(super) fn check_required_policy(links: &[ChainLink<'_>]) -> Option<BrokenRule> {
    let below_root = links.iter().filter(|link| link.role != ChainRole::Root);
    let path: Vec<&ChainLink<'_>> = below_root.rev().collect();
    let leaf = path.last()?;
    let mut state = PolicyState {
        valid: [ANY_POLICY].into(),
        required_after: path.len() + 1,
        no_mapping_after: path.len() + 1,
        no_any_after: path.len() + 1,
    };
    for link in &path {
        state.apply_policies(link);
        if state.required_after == 0 && state.valid.is_empty() {
            break;
        }
        if link.role == ChainRole::Intermediate {
            state.apply_constraints(link);
        }
    }
    let at_end = leaf.fields.constraint(REQUIRE) == Some(0);
    // RFC 5280 6.1.5 a: it counts down once more at the end.
    let is_required = state.required_after <= 1 || at_end;
    (is_required && state.valid.is_empty()).then(|| {
        let how = "a CA above it requires a certificate policy, and the chain has none".to_owned();
        leaf.broken(&table::POLICY_REQUIRED, how)
    })
}

impl<'a> PolicyState<'a> {
    /// RFC 5280 6.1.3 d to f.
    fn apply_policies(&mut self, link: &ChainLink<'a>) {
        let own = link.fields.policies();
        let allows_any = self.valid.contains(ANY_POLICY);
        let counts_any = self.no_any_after > 0
            || (link.role == ChainRole::Intermediate && link.fields.issuer == link.fields.subject);
        let mut next: BTreeSet<&[u8]> = BTreeSet::new();
        for policy in own {
            if policy == ANY_POLICY {
                if counts_any {
                    next.extend(self.valid.iter().copied());
                }
            } else if allows_any || self.valid.contains(policy) {
                next.insert(policy);
            }
        }
        self.valid = next;
    }

    /// RFC 5280 6.1.4 a to j.
    fn apply_constraints(&mut self, link: &ChainLink<'a>) {
        let fields = &link.fields;
        let mappings = fields.policy_mappings();
        let is_any = self.valid.contains(ANY_POLICY);
        let mut next = self.valid.clone();
        for (from, to) in &mappings {
            let applies = self.valid.contains(from) || is_any;
            next.remove(from);
            if applies && self.no_mapping_after > 0 {
                next.insert(to);
            }
        }
        self.valid = next;
        if fields.issuer != fields.subject {
            for count in [
                &mut self.required_after,
                &mut self.no_mapping_after,
                &mut self.no_any_after,
            ] {
                *count = count.saturating_sub(1);
            }
        }
        let limit = |count: &mut usize, most: Option<usize>| {
            *count = most.map_or(*count, |most| most.min(*count));
        };
        limit(&mut self.required_after, fields.constraint(REQUIRE));
        limit(
            &mut self.no_mapping_after,
            fields.constraint(INHIBIT_MAPPING),
        );
        limit(&mut self.no_any_after, fields.inhibit_any());
    }
}

/// Reads a small number; a larger one is as good as none.
fn small_number(octets: &[u8]) -> Option<usize> {
    match octets {
        [number] => Some(usize::from(*number)),
        _ => None,
    }
}

impl<'a> CertificateFields<'a> {
    /// The object identifiers of its policies.
    fn policies(&self) -> Vec<&'a [u8]> {
        let ids = self.pairs_of(CERTIFICATE_POLICIES);
        ids.into_iter().map(|(id, _)| id).collect()
    }

    fn policy_mappings(&self) -> Vec<(&'a [u8], &'a [u8])> {
        let pairs = self.pairs_of(POLICY_MAPPINGS);
        let both = |(from, to): (&'a [u8], Option<&'a [u8]>)| Some((from, to?));
        pairs.into_iter().filter_map(both).collect()
    }

    /// The first two values of each element of a list.
    fn pairs_of(&self, number: u8) -> Vec<(&'a [u8], Option<&'a [u8]>)> {
        let list = self.extension(number);
        let list = list.and_then(|extension| split_element(extension.value));
        let elements = list.and_then(|(list, _)| DerElements(list.value).read_all());
        let pair = |element: crate::pki::der::DerElement<'a>| {
            let mut parts = DerElements(element.value);
            let first = parts.next()?.value;
            Some((first, parts.next().map(|second| second.value)))
        };
        elements.into_iter().flatten().filter_map(pair).collect()
    }

    /// A field of the policy constraints.
    fn constraint(&self, tag: u8) -> Option<usize> {
        let extension = self.extension(POLICY_CONSTRAINTS)?;
        let (list, _) = split_element(extension.value)?;
        let fields = DerElements(list.value).read_all()?;
        let field = fields.into_iter().find(|field| field.tag == tag)?;
        small_number(field.value)
    }

    fn inhibit_any(&self) -> Option<usize> {
        let extension = self.extension(INHIBIT_ANY_POLICY)?;
        let (number, _) = split_element(extension.value)?;
        small_number(number.value)
    }
}
