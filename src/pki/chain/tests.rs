//! Bags of certificates in any order and state, and the chain that each has.

use super::search::MOST_INTERMEDIATES;
use super::{AssembledChain, Chain, ChainCriteria, ChainEnd, ChainPreference, OmissionReason};
use crate::pki::certificate::Certificate;
use crate::pki::signature::counted;
use crate::pki::testing::{Authority, dates, now, site_key};
use crate::pki::trust::TrustAnchors;

fn trust(roots: &[Certificate]) -> TrustAnchors {
    TrustAnchors::from_certificates("roots.pem", roots)
}

fn assemble(leaf: &Certificate, bag: &[Certificate], anchors: &TrustAnchors) -> AssembledChain {
    Chain::assemble(
        leaf,
        bag,
        ChainCriteria {
            anchors,
            at: now(),
            prefer: ChainPreference::Compatible,
        },
    )
}

fn labels(assembly: &AssembledChain) -> Vec<String> {
    assembly
        .chain
        .certificates()
        .iter()
        .map(Certificate::label)
        .collect()
}

/// A root, two CAs below each other, a leaf.
struct Plain {
    root: Authority,
    leaf: Certificate,
    upper: Certificate,
    lower: Certificate,
}

fn plain() -> Plain {
    let (root, upper, lower) = (
        Authority::new("Root"),
        Authority::new("Upper"),
        Authority::new("Lower"),
    );
    let leaf = lower.leaf(&["example.com"]);
    Plain {
        leaf,
        upper: root.certify(&upper),
        lower: upper.certify(&lower),
        root,
    }
}

#[test]
fn order_does_not_matter_and_root_and_duplicates_are_omitted() {
    let Plain {
        root,
        leaf,
        upper,
        lower,
    } = plain();
    let root = root.root();
    let all = [&leaf, &lower, &upper, &root, &lower];
    for turn in 0..all.len() {
        for reverse in [false, true] {
            let mut bag: Vec<Certificate> = all[turn..]
                .iter()
                .chain(&all[..turn])
                .map(|&one| one.clone())
                .collect();
            if reverse {
                bag.reverse();
            }
            let assembly = assemble(&leaf, &bag, &trust(std::slice::from_ref(&root)));
            assert_eq!(labels(&assembly), ["example.com", "Lower", "Upper"]);
            assert_eq!(assembly.chain.end(), &ChainEnd::Anchored);
            let mut why: Vec<_> = assembly
                .omitted
                .iter()
                .map(|(one, why)| (one.label(), *why))
                .collect();
            why.sort_by_key(|(label, _)| label.clone());
            assert_eq!(
                why,
                [
                    ("Lower".into(), OmissionReason::Duplicate),
                    ("Root".into(), OmissionReason::Root)
                ]
            );
        }
    }
}

#[test]
fn issuers_are_identified_by_signature_and_not_by_name() {
    let Plain {
        root,
        leaf,
        upper,
        lower,
    } = plain();
    let impostors: Vec<Certificate> = (0..40)
        .map(|_| root.certify(&Authority::new("Lower")))
        .collect();
    let bag = [impostors.as_slice(), &[upper, lower]].concat();
    let assembly = assemble(&leaf, &bag, &trust(&[root.root()]));
    assert_eq!(labels(&assembly), ["example.com", "Lower", "Upper"]);
    assert!(
        assembly
            .omitted
            .iter()
            .all(|(_, why)| *why == OmissionReason::Unrelated)
    );
    let alone = assemble(&leaf, &impostors, &trust(&[root.root()]));
    assert!(matches!(alone.chain.end(), ChainEnd::Gap { .. }));
}

#[test]
fn the_missing_issuer_is_reported() {
    let Plain {
        root,
        leaf,
        upper,
        lower,
    } = plain();
    let anchors = trust(&[root.root()]);
    for (bag, expected) in [
        (vec![], "CN=Lower"),
        (vec![upper.clone()], "CN=Lower"),
        (vec![lower.clone()], "CN=Upper"),
    ] {
        let assembly = assemble(&leaf, &bag, &anchors);
        let ChainEnd::Gap { issuer, .. } = assembly.chain.end() else {
            panic!("{:?}", assembly.chain.end())
        };
        assert_eq!(issuer, expected);
    }
    let unknown = assemble(
        &leaf,
        &[upper, lower, root.root()],
        &TrustAnchors::mozilla(),
    );
    assert_eq!(unknown.chain.end(), &ChainEnd::UnknownRoot("Root".into()));
    assert_eq!(labels(&unknown), ["example.com", "Lower", "Upper"]);
}

#[test]
fn valid_certificates_of_a_ca_are_preferred_to_expired_ones() {
    let (root, lower) = (Authority::new("Root"), Authority::new("Lower"));
    let leaf = lower.leaf(&["example.com"]);
    let old = root.certify_as(&lower, |params| dates(params, 2024, 2025));
    let future = root.certify_as(&lower, |params| dates(params, 2027, 2029));
    let good = root.certify(&lower);
    let anchors = trust(&[root.root()]);
    let assembly = assemble(&leaf, &[old.clone(), future, good.clone()], &anchors);
    assert_eq!(assembly.chain.intermediates(), [good]);
    // An expired intermediate, which verification reports, is better than a missing one.
    let assembly = assemble(&leaf, std::slice::from_ref(&old), &anchors);
    assert_eq!(
        (assembly.chain.intermediates(), assembly.chain.end()),
        ([old].as_slice(), &ChainEnd::Anchored)
    );
}

#[test]
fn cross_certificates_are_followed_without_cycles() {
    let (old, new, lower) = (
        Authority::new("Old"),
        Authority::new("New"),
        Authority::new("Lower"),
    );
    let leaf = lower.leaf(&["example.com"]);
    let bag = [
        new.certify(&lower),
        old.certify(&new),
        new.certify(&old),
        old.root(),
        new.root(),
    ];
    for (roots, chain) in [
        // Both roots are anchors: the chain to the older root also works for old clients, and it
        // ends there.
        (
            vec![old.root(), new.root()],
            vec!["example.com", "Lower", "New"],
        ),
        (vec![old.root()], vec!["example.com", "Lower", "New"]),
        (vec![new.root()], vec!["example.com", "Lower"]),
    ] {
        let assembly = assemble(&leaf, &bag, &trust(&roots));
        assert_eq!(assembly.chain.end(), &ChainEnd::Anchored);
        assert_eq!(labels(&assembly), chain);
    }
    let none = assemble(&leaf, &bag, &TrustAnchors::mozilla());
    assert!(matches!(none.chain.end(), ChainEnd::UnknownRoot(_)));
}

#[test]
fn dead_ends_are_abandoned() {
    let (root, upper, lower) = (
        Authority::new("Root"),
        Authority::new("Upper"),
        Authority::new("Lower"),
    );
    let stranger = Authority::new("Stranger");
    let leaf = lower.leaf(&["example.com"]);
    // It expires later, so it is tried first; its issuer is not in the bag.
    let astray = stranger.certify_as(&lower, |params| dates(params, 2026, 2030));
    let bag = [astray, upper.certify(&lower), root.certify(&upper)];
    let assembly = assemble(&leaf, &bag, &trust(&[root.root()]));
    assert_eq!(labels(&assembly), ["example.com", "Lower", "Upper"]);
}

#[test]
fn meshes_of_cas_yield_a_chain_that_clients_accept() {
    let root = Authority::new("Root");
    let names: Vec<String> = (0..9).map(|number| format!("CA {number}")).collect();
    let authorities: Vec<Authority> = names.iter().map(|name| Authority::new(name)).collect();
    let mut bag = vec![root.certify(&authorities[8])];
    for one in &authorities {
        for other in &authorities {
            if !std::ptr::eq(one, other) {
                bag.push(one.certify(other));
            }
        }
    }
    let leaf = authorities[0].leaf(&["example.com"]);
    let assembly = assemble(&leaf, &bag, &trust(&[root.root()]));
    assert_eq!(assembly.chain.end(), &ChainEnd::Anchored);
    assert!(
        assembly.chain.intermediates().len() <= MOST_INTERMEDIATES,
        "{:?}",
        labels(&assembly)
    );
    assert!(
        assemble(&leaf, &bag, &TrustAnchors::mozilla())
            .chain
            .certificates()
            .len()
            <= 10
    );
}

#[test]
fn a_new_key_of_the_same_ca_is_followed() {
    let (old, new) = (Authority::new("Root"), Authority::new("Root"));
    let lower = Authority::new("Lower");
    let leaf = lower.leaf(&["example.com"]);
    let bag = [new.certify(&lower), old.certify(&new), new.root()];
    let assembly = assemble(&leaf, &bag, &trust(&[old.root()]));
    assert_eq!(labels(&assembly), ["example.com", "Lower", "Root"]);
    assert_eq!(assembly.chain.end(), &ChainEnd::Anchored);
}

#[test]
fn an_anchor_may_be_an_intermediate() {
    let Plain {
        leaf, upper, lower, ..
    } = plain();
    let assembly = assemble(&leaf, &[upper, lower.clone()], &trust(&[lower]));
    assert_eq!(assembly.chain.end(), &ChainEnd::Anchored);
    assert_eq!(labels(&assembly), ["example.com"]);
}

#[test]
fn the_search_through_decoys_is_limited() {
    let root = Authority::new("Root");
    let (mut bag, mut lower) = (Vec::new(), Authority::new("A"));
    let leaf = lower.leaf(&["example.com"]);
    // Two alternating names, each CA with its own key: every CA with one name is a candidate issuer
    // for all CAs with the other.
    for level in 0..120 {
        let upper = Authority::new(if level % 2 == 0 { "B" } else { "A" });
        bag.push(upper.certify_as(&lower, |params| {
            dates(params, 2026, 2026 + level);
            params.use_authority_key_identifier_extension = false;
        }));
        lower = upper;
    }
    bag.reverse();
    let assembly = assemble(&leaf, &bag, &trust(&[root.root()]));
    assert_eq!(assembly.chain.end(), &ChainEnd::TooManyCandidates);
}

#[test]
fn the_preferred_path_is_taken() {
    let (old, new, lower) = (
        Authority::new("Old"),
        Authority::new("New"),
        Authority::new("Lower"),
    );
    let leaf = lower.leaf(&["example.com"]);
    let bag = [new.certify(&lower), old.certify(&new)];
    let anchors = trust(&[old.root(), new.root()]);
    for (prefer, chain) in [
        (
            ChainPreference::Compatible,
            ["example.com", "Lower", "New"].as_slice(),
        ),
        (ChainPreference::Shortest, &["example.com", "Lower"]),
    ] {
        let assembly = Chain::assemble(
            &leaf,
            &bag,
            ChainCriteria {
                anchors: &anchors,
                at: now(),
                prefer,
            },
        );
        assert_eq!(labels(&assembly), chain, "{prefer:?}");
    }
}

#[test]
fn issuers_that_expire_before_the_leaf_are_avoided() {
    let (old, new, lower) = (
        Authority::new("Old"),
        Authority::new("New"),
        Authority::new("Lower"),
    );
    let leaf = lower.leaf_as(&["example.com"], &site_key(), |params| {
        dates(params, 2026, 2027)
    });
    let lasting = |params: &mut rcgen::CertificateParams| dates(params, 2026, 2030);
    let bag = [
        new.certify_as(&lower, lasting),
        old.certify(&new),
        new.certify(&lower),
    ];
    let anchors = trust(&[old.root(), new.root()]);
    assert_eq!(
        assemble(&leaf, &bag, &anchors).chain.intermediates(),
        &bag[..1]
    );
    // A chain with problems is better than no chain.
    let assembly = assemble(&leaf, &bag[1..], &trust(&[old.root()]));
    assert_eq!(labels(&assembly), ["example.com", "Lower", "New"]);
}

/// `count` CAs, each with a certificate of each other one, a leaf below the first and the root's
/// for the last.
fn mesh(count: usize, root: &Authority) -> (Certificate, Vec<Certificate>) {
    let authorities: Vec<Authority> = (0..count)
        .map(|number| Authority::new(&format!("CA {number}")))
        .collect();
    let mut bag = vec![root.certify(&authorities[count - 1])];
    for (number, one) in authorities.iter().enumerate() {
        let others = authorities
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != number);
        bag.extend(others.map(|(_, other)| one.certify(other)));
    }
    (authorities[0].leaf(&["example.com"]), bag)
}

#[test]
fn dense_bags_cost_only_the_signatures_of_the_path() {
    let root = Authority::new("Root");
    let (leaf, bag) = mesh(8, &root);
    let (assembly, checked) = counted::during(|| assemble(&leaf, &bag, &trust(&[root.root()])));
    assert_eq!(
        (assembly.chain.end(), checked),
        (&ChainEnd::Anchored, assembly.chain.certificates().len())
    );
    let again = counted::during(|| assemble(&leaf, &bag, &trust(&[root.root()])));
    assert_eq!(again.1, 0, "known");
    let (leaf, bag) = mesh(8, &root);
    let (none, checked) = counted::during(|| assemble(&leaf, &bag, &TrustAnchors::mozilla()));
    let ChainEnd::Gap { issuer, .. } = none.chain.end() else {
        panic!("{:?}", none.chain.end())
    };
    assert_eq!(
        (issuer.as_str(), checked),
        ("CN=Root", none.chain.certificates().len() - 1)
    );
}

/// A root, a CA below it, and a leaf with the key identifier of that CA.
struct IdentifiedLeaf {
    root: Authority,
    leaf: Certificate,
    lower: Certificate,
}

fn identified_leaf() -> IdentifiedLeaf {
    let root = Authority::new("Root");
    let lower = Authority::new("Lower");
    let leaf = lower.leaf_as(&["example.com"], &site_key(), |params| {
        params.use_authority_key_identifier_extension = true;
    });
    let lower = root.certify_as(&lower, |params| dates(params, 2026, 2027));
    IdentifiedLeaf { root, leaf, lower }
}

/// Counts the signatures that are checked among 30 other CAs of the same name, with this key
/// identifier.
fn signatures_among_decoys(world: &IdentifiedLeaf, key_identifier: &[u8]) -> usize {
    let mut bag: Vec<Certificate> = (0..30)
        .map(|_| {
            world.root.certify_as(&Authority::new("Lower"), |params| {
                // They expire later, so they are tried first.
                dates(params, 2026, 2030);
                params.key_identifier_method =
                    rcgen::KeyIdMethod::PreSpecified(key_identifier.to_vec());
            })
        })
        .collect();
    bag.push(world.lower.clone());
    let anchors = trust(&[world.root.root()]);
    let (assembly, checked) = counted::during(|| assemble(&world.leaf, &bag, &anchors));
    assert_eq!(
        assembly.chain.intermediates(),
        std::slice::from_ref(&world.lower)
    );
    checked
}

#[test]
fn a_key_identifier_saves_signature_checks() {
    let checked = signatures_among_decoys(&identified_leaf(), &[7; 20]);
    assert!(checked <= 2, "{checked} signatures");
}

#[test]
fn a_copied_key_identifier_proves_nothing() {
    let world = identified_leaf();
    let copied = world.lower.subject_key.clone().unwrap();
    let checked = signatures_among_decoys(&world, &copied);
    assert!(checked <= 32, "{checked} signatures");
}
