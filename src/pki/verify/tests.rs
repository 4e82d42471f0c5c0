//! One row a rule: what is wrong with a chain, by its code.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints,
};

use super::{ChainProblem, VerifiedChain, VerifyPolicy, assemble, problems};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::{CertifiedKey, mismatch};
use crate::pki::chain::{Chain, ChainCriteria, ChainPreference};
use crate::pki::key::KeyAlgorithm;
use crate::pki::signature::counted;
use crate::pki::testing::{Authority, dates, now, private, rsa_key, site_key};
use crate::pki::trust::TrustAnchors;

fn wanted(anchors: &TrustAnchors, at: jiff::Timestamp) -> ChainCriteria<'_> {
    ChainCriteria {
        anchors,
        at,
        prefer: ChainPreference::Compatible,
    }
}

struct World {
    root: Authority,
    lower: Authority,
    anchors: TrustAnchors,
}

impl World {
    fn new() -> Self {
        let (root, lower) = (Authority::new("Root"), Authority::new("Lower"));
        Self {
            anchors: TrustAnchors::from_certificates("roots.pem", &[root.root()]),
            root,
            lower,
        }
    }

    fn codes(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
        hosts: &[&str],
        at: &str,
    ) -> Vec<&'static str> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let policy = VerifyPolicy {
            hosts: &hosts,
            anchors: &self.anchors,
            at: at.parse().unwrap(),
        };
        let chain = Chain::assemble(leaf, bag, wanted(&self.anchors, policy.at)).chain;
        let problems = VerifiedChain::new(chain, policy).err().unwrap_or_default();
        problems.iter().map(ChainProblem::code).collect()
    }

    /// A leaf below one intermediate, each changed before it is signed.
    fn judged(
        &self,
        intermediate: impl FnOnce(&mut CertificateParams),
        leaf: impl FnOnce(&mut CertificateParams),
        hosts: &[&str],
    ) -> Vec<&'static str> {
        let bag = [self.root.certify_as(&self.lower, intermediate)];
        let leaf = self.lower.leaf_as(
            &["example.com", "*.example.com", "192.0.2.7"],
            &site_key(),
            leaf,
        );
        self.codes(&leaf, &bag, hosts, "2026-06-01T00:00:00Z")
    }
}

const FINE: [&str; 0] = [];

#[test]
fn names_are_those_of_the_certificate() {
    let world = World::new();
    for (host, codes) in [
        ("example.com", FINE.as_slice()),
        ("EXAMPLE.com.", &FINE),
        ("www.example.com", &FINE),
        ("192.0.2.7", &FINE),
        ("a.b.example.com", &["host-not-covered"]),
        ("example.org", &["host-not-covered"]),
        ("192.0.2.8", &["host-not-covered"]),
        ("2001:db8::1", &["host-not-covered"]),
    ] {
        assert_eq!(world.judged(|_| {}, |_| {}, &[host]), codes, "{host}");
    }
}

#[test]
fn the_last_second_counts() {
    let world = World::new();
    let bag = [world
        .root
        .certify_as(&world.lower, |params| dates(params, 2020, 2030))];
    let leaf = world.lower.leaf(&["example.com"]);
    for (at, codes) in [
        ("2025-12-31T23:59:59.999Z", ["not-yet-valid"].as_slice()),
        ("2026-01-01T00:00:00Z", &FINE),
        ("2026-12-31T00:00:00Z", &FINE),
        ("2026-12-31T00:00:00.999Z", &FINE),
        ("2026-12-31T00:00:01Z", &["expired"]),
    ] {
        let codes: Vec<&str> = codes.to_vec();
        let found = world.codes(&leaf, &bag, &[], at);
        assert_eq!(found, codes, "{at}");
    }
}

#[test]
fn what_a_ca_may_not_do() {
    let world = World::new();
    let constrained = |name: &str| {
        let name = GeneralSubtree::DnsName(name.to_owned());
        move |params: &mut CertificateParams| {
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![name],
                excluded_subtrees: Vec::new(),
            });
        }
    };
    assert_eq!(
        world.judged(constrained("example.org"), |_| {}, &[]),
        ["chain-refused"]
    );
    let client = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]
    };
    assert_eq!(world.judged(client, |_| {}, &[]), ["chain-refused"]);
    assert_eq!(world.judged(|_| {}, client, &[]), ["chain-refused"]);
    assert_eq!(
        world.judged(|params| params.is_ca = IsCa::ExplicitNoCa, |_| {}, &[]),
        ["chain-refused"]
    );
    assert_eq!(
        world.judged(|params| dates(params, 2024, 2025), |_| {}, &[]),
        ["intermediate-expired"]
    );
    assert_eq!(world.judged(|_| {}, |_| {}, &[]), FINE);
}

#[test]
fn keys_are_used_for_what_they_may() {
    let world = World::new();
    let only = |usage: KeyUsagePurpose| {
        move |params: &mut CertificateParams| params.key_usages = vec![usage]
    };
    assert_eq!(
        world.judged(only(KeyUsagePurpose::DigitalSignature), |_| {}, &[]),
        ["chain-refused"]
    );
    assert_eq!(
        world.judged(|_| {}, only(KeyUsagePurpose::CrlSign), &[]),
        ["chain-refused"]
    );
    assert_eq!(
        world.judged(|_| {}, only(KeyUsagePurpose::DigitalSignature), &[]),
        FINE
    );
    assert_eq!(
        world.judged(|_| {}, only(KeyUsagePurpose::KeyEncipherment), &[]),
        FINE
    );
}

#[test]
fn a_root_of_a_file_is_held_to_its_word() {
    let world = World::new();
    let (leaf, lower) = (
        world.lower.leaf(&["example.com"]),
        world.root.certify(&world.lower),
    );
    let under = |change: fn(&mut CertificateParams)| {
        let anchors = TrustAnchors::from_certificates("roots.pem", &[world.root.root_as(change)]);
        let chain =
            Chain::assemble(&leaf, std::slice::from_ref(&lower), wanted(&anchors, now())).chain;
        let found = problems(
            &chain,
            VerifyPolicy {
                hosts: &[],
                anchors: &anchors,
                at: now(),
            },
        );
        found.iter().map(ChainProblem::code).collect::<Vec<_>>()
    };
    assert_eq!(under(|_| {}), FINE);
    assert_eq!(
        under(|params| params.is_ca = IsCa::NoCa),
        FINE,
        "old roots have no basic constraints"
    );
    assert_eq!(
        under(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1))),
        FINE
    );
    let faults: [fn(&mut CertificateParams); 5] = [
        |params| dates(params, 2024, 2025),
        |params| params.is_ca = IsCa::ExplicitNoCa,
        |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
        |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection],
    ];
    for fault in faults {
        assert_eq!(under(fault), ["chain-refused"]);
    }
}

#[test]
fn a_certificate_names_its_site() {
    let world = World::new();
    let nameless = |params: &mut CertificateParams| params.subject_alt_names.clear();
    assert_eq!(world.judged(|_| {}, nameless, &[]), ["no-names"]);
    assert_eq!(
        world.judged(|_| {}, nameless, &["example.com"]),
        ["no-names"]
    );
}

#[test]
fn no_end_is_a_date() {
    let world = World::new();
    let forever =
        |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    assert_eq!(world.judged(forever, forever, &[]), FINE);
}

#[test]
fn a_path_may_not_be_longer_than_a_ca_allows() {
    let world = World::new();
    let upper = Authority::new("Upper");
    let leaf = world.lower.leaf(&["example.com"]);
    let short =
        |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let bag = [
        world.root.certify_as(&upper, short),
        upper.certify(&world.lower),
    ];
    assert_eq!(
        world.codes(&leaf, &bag, &[], "2026-06-01T00:00:00Z"),
        ["chain-refused"]
    );
}

#[test]
fn another_way_is_found_where_a_ca_may_not() {
    let world = World::new();
    let leaf = world.lower.leaf(&["example.com"]);
    let good = world.root.certify(&world.lower);
    let at = now();
    let faults: [fn(&mut CertificateParams); 5] = [
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
        |params| params.is_ca = IsCa::ExplicitNoCa,
        |params| {
            let permitted_subtrees = vec![GeneralSubtree::DnsName("example.org".to_owned())];
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees,
                excluded_subtrees: Vec::new(),
            });
        },
        |params| {
            let mut unknown =
                rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
            unknown.set_criticality(true);
            params.custom_extensions = vec![unknown];
        },
    ];
    for fault in faults {
        // Longer valid, so tried first.
        let barred = |years| {
            let change = move |params: &mut CertificateParams| {
                dates(params, 2026, 2030 + years);
                fault(params);
            };
            world.root.certify_as(&world.lower, change)
        };
        let bag = [barred(0), barred(1), barred(2), good.clone()];
        let assembly = assemble(&leaf, &bag, wanted(&world.anchors, at));
        assert_eq!(assembly.chain.intermediates(), std::slice::from_ref(&good));
        assert_eq!(assembly.left_out.len(), 3);
        assert_eq!(
            problems(
                &assembly.chain,
                VerifyPolicy {
                    hosts: &[],
                    anchors: &world.anchors,
                    at
                }
            ),
            []
        );
        let none = assemble(&leaf, &bag[..3], wanted(&world.anchors, at));
        assert_eq!(none.chain.intermediates().len(), 1);
        let refused = problems(
            &none.chain,
            VerifyPolicy {
                hosts: &[],
                anchors: &world.anchors,
                at,
            },
        );
        assert_eq!(
            refused.iter().map(ChainProblem::code).collect::<Vec<_>>(),
            ["chain-refused"]
        );
    }
}

#[test]
fn a_length_or_an_anchor_that_refuses_is_gone_around() {
    let world = World::new();
    let (upper, old) = (Authority::new("Upper"), Authority::new("Old"));
    let leaf = world.lower.leaf(&["example.com"]);
    let at = now();
    let short = |params: &mut CertificateParams| {
        dates(params, 2026, 2030);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    };
    let good = world.root.certify(&upper);
    let bag = [
        upper.certify(&world.lower),
        world.root.certify_as(&upper, short),
        good.clone(),
    ];
    let assembly = assemble(&leaf, &bag, wanted(&world.anchors, at));
    assert_eq!(assembly.chain.intermediates(), [bag[0].clone(), good]);
    // The farther anchor has ended: the nearer one will do.
    let ended = old.root_as(|params| dates(params, 2020, 2025));
    let anchors = TrustAnchors::from_certificates("roots.pem", &[ended, world.root.root()]);
    let bag = [world.root.certify(&world.lower), old.certify(&world.root)];
    let assembly = assemble(&leaf, &bag, wanted(&anchors, at));
    assert_eq!(assembly.chain.intermediates(), &bag[..1]);
    assert_eq!(
        problems(
            &assembly.chain,
            VerifyPolicy {
                hosts: &[],
                anchors: &anchors,
                at
            }
        ),
        []
    );
}

#[test]
fn each_signature_is_checked_once() {
    let world = World::new();
    let (leaf, bag) = (
        world.lower.leaf(&["example.com"]),
        [world.root.certify(&world.lower), world.root.root()],
    );
    let policy = VerifyPolicy {
        hosts: &[],
        anchors: &world.anchors,
        at: now(),
    };
    let (refused, checked) = counted::during(|| {
        let chain = assemble(&leaf, &bag, wanted(&world.anchors, now())).chain;
        problems(&chain, policy).len()
            + VerifiedChain::new(chain, policy)
                .err()
                .unwrap_or_default()
                .len()
    });
    assert_eq!((refused, checked), (0, 2));
}

#[test]
fn what_cannot_be_a_sites_certificate() {
    let world = World::new();
    let at = "2026-06-01T00:00:00Z";
    let intermediate = world.root.certify(&world.lower);
    assert_eq!(world.codes(&intermediate, &[], &[], at), ["ca-as-leaf"]);
    let stranger = Authority::new("Stranger");
    assert_eq!(
        world.codes(&stranger.root(), &[], &[], at),
        ["ca-as-leaf", "self-signed"]
    );
    let leaf = world.lower.leaf(&["example.com"]);
    assert_eq!(world.codes(&leaf, &[], &[], at), ["missing-intermediate"]);
    let bag = [stranger.certify(&world.lower), stranger.root()];
    assert_eq!(world.codes(&leaf, &bag, &[], at), ["unknown-root"]);
}

#[test]
fn a_key_fits_one_certificate() {
    let world = World::new();
    let bag = [world.root.certify(&world.lower)];
    let (own, other, rsa) = (site_key(), site_key(), rsa_key());
    let leaf = world.lower.leaf_as(&["example.com"], &own, |_| {});
    let rsa_leaf = world.lower.leaf_as(&["example.com"], &rsa, |_| {});
    assert_eq!(mismatch(&leaf, &private(&own)), None);
    assert_eq!(mismatch(&rsa_leaf, &private(&rsa)), None);
    assert_eq!(
        mismatch(&leaf, &private(&other)).unwrap().code(),
        "wrong-key"
    );
    assert_eq!(
        mismatch(&rsa_leaf, &private(&own)).unwrap(),
        ChainProblem::WrongKeyKind {
            key: KeyAlgorithm::EcdsaP256,
            leaf: KeyAlgorithm::Rsa(2048),
            label: "example.com".into()
        }
    );
    let policy = VerifyPolicy {
        hosts: &[],
        anchors: &world.anchors,
        at: now(),
    };
    let verified = VerifiedChain::new(
        Chain::assemble(&leaf, &bag, wanted(&world.anchors, now())).chain,
        policy,
    )
    .unwrap();
    assert!(CertifiedKey::new(verified.clone(), private(&other)).is_err());
    assert_eq!(
        CertifiedKey::new(verified, private(&own)).unwrap().leaf(),
        &leaf
    );
}

/// A small world of CAs that certify each other at random, some of them wrongly: a leaf, a bag, a
/// root.
fn random_world(seed: u64) -> (Certificate, Vec<Certificate>, Certificate) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % most).unwrap()
    };
    // Some share a name.
    let authorities: Vec<Authority> = (0..6)
        .map(|_| Authority::new(&format!("CA {}", below(5))))
        .collect();
    let root = Authority::new("Root");
    let faults: [fn(&mut CertificateParams); 8] = [
        |_| {},
        |_| {},
        |params| dates(params, 2024, 2025),
        |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
        |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)),
        |params| {
            let permitted_subtrees = vec![GeneralSubtree::DnsName("example.org".to_owned())];
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees,
                excluded_subtrees: Vec::new(),
            });
        },
    ];
    let mut bag = Vec::new();
    for _ in 0..14 {
        let (issuer, subject, fault) = (below(6), below(6), faults[below(8)]);
        bag.push(authorities[issuer].certify_as(&authorities[subject], fault));
    }
    bag.insert(
        below(14),
        root.certify_as(&authorities[below(6)], faults[below(8)]),
    );
    (
        authorities[below(6)].leaf(&["example.com"]),
        bag,
        root.root(),
    )
}

/// webpki tries every way; it leaves out the key usage of CAs.
fn webpki_finds_a_way(leaf: &Certificate, bag: &[Certificate], root: &Certificate) -> bool {
    let der = |one: &Certificate| rustls::pki_types::CertificateDer::from(one.der().to_vec());
    let (leaf, root) = (der(leaf), der(root));
    let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    let bag: Vec<_> = bag
        .iter()
        .filter(|one| one.usage.signs_certificates)
        .map(der)
        .collect();
    let seconds = u64::try_from(now().as_second()).unwrap();
    let time =
        rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = webpki::KeyUsage::server_auth();
    let leaf = webpki::EndEntityCert::try_from(&leaf).unwrap();
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &bag,
        time,
        usage,
        None,
        None,
    )
    .is_ok()
}

#[test]
fn a_way_is_found_whenever_there_is_one() {
    let mut found = 0;
    for seed in 1..=400 {
        let (leaf, bag, root) = random_world(seed);
        let anchors = TrustAnchors::from_certificates("root.pem", std::slice::from_ref(&root));
        let chain = assemble(&leaf, &bag, wanted(&anchors, now())).chain;
        let holds = problems(
            &chain,
            VerifyPolicy {
                hosts: &[],
                anchors: &anchors,
                at: now(),
            },
        )
        .is_empty();
        assert_eq!(holds, webpki_finds_a_way(&leaf, &bag, &root), "seed {seed}");
        found += usize::from(holds);
    }
    assert!(
        (40..360).contains(&found),
        "{found} of 400 have a way: the worlds are too easy or too hard"
    );
}
