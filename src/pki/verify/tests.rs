//! The codes of the problems of a chain, one row per rule.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyUsagePurpose, NameConstraints,
};

use super::{ChainProblem, VerifiedChain, VerifyPolicy, assemble_chain, find_problems};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::{CertifiedKey, find_key_problem};
use crate::pki::chain::{Chain, ChainCriteria, ChainPreference};
use crate::pki::key::KeyAlgorithm;
use crate::pki::signature::counted;
use crate::pki::testing::{Authority, dates, now, private, rsa_key, site_key};
use crate::pki::trust::TrustAnchors;

fn criteria(anchors: &TrustAnchors, at: jiff::Timestamp) -> ChainCriteria<'_> {
    ChainCriteria {
        anchors,
        at,
        prefer: ChainPreference::Compatible,
    }
}

fn policy(anchors: &TrustAnchors) -> VerifyPolicy<'_> {
    VerifyPolicy {
        hosts: &[],
        anchors,
        at: now(),
    }
}

fn codes_of(problems: &[ChainProblem]) -> Vec<&'static str> {
    problems.iter().map(ChainProblem::code).collect()
}

type CertificateChange = fn(&mut CertificateParams);

/// Restricts the names that a CA may issue for.
fn permit_only(params: &mut CertificateParams, name: &str) {
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())],
        excluded_subtrees: Vec::new(),
    });
}

fn add_unknown_critical_extension(params: &mut CertificateParams) {
    let oid = [1, 3, 6, 1, 4, 1, 99999, 1];
    let mut unknown = rcgen::CustomExtension::from_oid_content(&oid, vec![5, 0]);
    unknown.set_criticality(true);
    params.custom_extensions = vec![unknown];
}

struct World {
    root: Authority,
    lower: Authority,
    anchors: TrustAnchors,
}

impl World {
    fn new() -> Self {
        let root = Authority::new("Root");
        let lower = Authority::new("Lower");
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
        let chain = Chain::assemble(leaf, bag, criteria(&self.anchors, policy.at)).chain;
        codes_of(&VerifiedChain::new(chain, policy).err().unwrap_or_default())
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
fn hosts_must_be_covered_by_the_names_of_the_certificate() {
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
fn certificates_are_valid_until_their_last_second() {
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

fn for_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}

#[test]
fn cas_may_issue_only_what_their_certificate_permits() {
    let world = World::new();
    assert_eq!(
        world.judged(|params| permit_only(params, "example.org"), |_| {}, &[]),
        ["chain-refused"]
    );
    assert_eq!(world.judged(for_clients, |_| {}, &[]), ["chain-refused"]);
    assert_eq!(world.judged(|_| {}, for_clients, &[]), ["chain-refused"]);
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
fn key_usages_are_enforced() {
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
        ["chain-refused"],
        "an ECDSA key has to sign"
    );
}

/// The codes for a chain to a root of a file, which `change` is applied to.
fn codes_under_root(change: CertificateChange) -> Vec<&'static str> {
    let world = World::new();
    let leaf = world.lower.leaf(&["example.com"]);
    let bag = [world.root.certify(&world.lower)];
    let anchors = TrustAnchors::from_certificates("roots.pem", &[world.root.root_as(change)]);
    let chain = Chain::assemble(&leaf, &bag, criteria(&anchors, now())).chain;
    codes_of(&find_problems(&chain, policy(&anchors)))
}

#[test]
fn roots_of_a_file_may_permit_a_chain() {
    let permitting: [CertificateChange; 3] = [
        |_| {},
        // Old roots have no basic constraints.
        |params| params.is_ca = IsCa::NoCa,
        |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)),
    ];
    for change in permitting {
        assert_eq!(codes_under_root(change), FINE);
    }
}

#[test]
fn restrictions_of_a_root_of_a_file_are_enforced() {
    let faults: [CertificateChange; 5] = [
        |params| dates(params, 2024, 2025),
        |params| params.is_ca = IsCa::ExplicitNoCa,
        |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
        |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection],
    ];
    for fault in faults {
        assert_eq!(codes_under_root(fault), ["chain-refused"]);
    }
}

#[test]
fn a_certificate_without_names_is_refused() {
    let world = World::new();
    let nameless = |params: &mut CertificateParams| params.subject_alt_names.clear();
    assert_eq!(world.judged(|_| {}, nameless, &[]), ["no-names"]);
    assert_eq!(
        world.judged(|_| {}, nameless, &["example.com"]),
        ["no-names"]
    );
}

#[test]
fn certificates_without_expiry_are_accepted() {
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

/// Faults that make path validation refuse a CA certificate.
const CA_FAULTS: [CertificateChange; 5] = [
    for_clients,
    |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
    |params| params.is_ca = IsCa::ExplicitNoCa,
    |params| permit_only(params, "example.org"),
    add_unknown_critical_extension,
];

impl World {
    /// Three certificates of the lower CA with a fault. They expire late, so they are tried first.
    fn refused_intermediates(&self, fault: CertificateChange) -> [Certificate; 3] {
        [2030, 2031, 2032].map(|year| {
            self.root.certify_as(&self.lower, |params| {
                dates(params, 2026, year);
                fault(params);
            })
        })
    }
}

#[test]
fn a_path_without_the_refused_certificates_is_found() {
    let world = World::new();
    let leaf = world.lower.leaf(&["example.com"]);
    let good = world.root.certify(&world.lower);
    for fault in CA_FAULTS {
        let mut bag = world.refused_intermediates(fault).to_vec();
        bag.push(good.clone());
        let assembly = assemble_chain(&leaf, &bag, criteria(&world.anchors, now()));
        assert_eq!(assembly.chain.intermediates(), std::slice::from_ref(&good));
        assert_eq!(assembly.omitted.len(), 3);
        assert_eq!(find_problems(&assembly.chain, policy(&world.anchors)), []);
    }
}

#[test]
fn a_path_is_refused_if_there_is_no_other() {
    let world = World::new();
    let leaf = world.lower.leaf(&["example.com"]);
    for fault in CA_FAULTS {
        let bag = world.refused_intermediates(fault);
        let chain = assemble_chain(&leaf, &bag, criteria(&world.anchors, now())).chain;
        assert_eq!(chain.intermediates().len(), 1);
        let found = find_problems(&chain, policy(&world.anchors));
        assert_eq!(codes_of(&found), ["chain-refused"]);
    }
}

#[test]
fn a_path_that_exceeds_a_path_length_is_avoided() {
    let world = World::new();
    let upper = Authority::new("Upper");
    let leaf = world.lower.leaf(&["example.com"]);
    let short = world.root.certify_as(&upper, |params| {
        dates(params, 2026, 2030);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let good = world.root.certify(&upper);
    let bag = [upper.certify(&world.lower), short, good.clone()];
    let assembly = assemble_chain(&leaf, &bag, criteria(&world.anchors, now()));
    assert_eq!(assembly.chain.intermediates(), [bag[0].clone(), good]);
}

#[test]
fn an_expired_anchor_is_avoided() {
    let world = World::new();
    let old = Authority::new("Old");
    let leaf = world.lower.leaf(&["example.com"]);
    // The farther anchor is preferred unless it has expired.
    let expired = old.root_as(|params| dates(params, 2020, 2025));
    let anchors = TrustAnchors::from_certificates("roots.pem", &[expired, world.root.root()]);
    let bag = [world.root.certify(&world.lower), old.certify(&world.root)];
    let assembly = assemble_chain(&leaf, &bag, criteria(&anchors, now()));
    assert_eq!(assembly.chain.intermediates(), &bag[..1]);
    assert_eq!(find_problems(&assembly.chain, policy(&anchors)), []);
}

#[test]
fn each_signature_is_checked_once() {
    let world = World::new();
    let (leaf, bag) = (
        world.lower.leaf(&["example.com"]),
        [world.root.certify(&world.lower), world.root.root()],
    );
    let policy = policy(&world.anchors);
    let (refused, checked) = counted::during(|| {
        let chain = assemble_chain(&leaf, &bag, criteria(&world.anchors, now())).chain;
        find_problems(&chain, policy).len()
            + VerifiedChain::new(chain, policy)
                .err()
                .unwrap_or_default()
                .len()
    });
    assert_eq!((refused, checked), (0, 2));
}

#[test]
fn certificates_that_are_not_for_servers_are_refused() {
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
fn keys_of_other_certificates_are_mismatches() {
    let world = World::new();
    let own = site_key();
    let other = site_key();
    let rsa = rsa_key();
    let leaf = world.lower.leaf_as(&["example.com"], &own, |_| {});
    let rsa_leaf = world.lower.leaf_as(&["example.com"], &rsa, |_| {});
    assert_eq!(find_key_problem(&leaf, &private(&own)), None);
    assert_eq!(find_key_problem(&rsa_leaf, &private(&rsa)), None);
    assert_eq!(
        find_key_problem(&leaf, &private(&other)).unwrap().code(),
        "wrong-key"
    );
    assert_eq!(
        find_key_problem(&rsa_leaf, &private(&own)).unwrap(),
        ChainProblem::WrongKeyKind {
            key: KeyAlgorithm::EcdsaP256,
            leaf: KeyAlgorithm::Rsa(2048),
            label: "example.com".into()
        }
    );
}

#[test]
fn a_certified_key_requires_the_key_of_the_leaf() {
    let world = World::new();
    let own = site_key();
    let leaf = world.lower.leaf_as(&["example.com"], &own, |_| {});
    let bag = [world.root.certify(&world.lower)];
    let chain = Chain::assemble(&leaf, &bag, criteria(&world.anchors, now())).chain;
    let verified = VerifiedChain::new(chain, policy(&world.anchors)).unwrap();
    assert!(CertifiedKey::new(verified.clone(), private(&site_key())).is_err());
    let certified = CertifiedKey::new(verified, private(&own)).unwrap();
    assert_eq!(certified.leaf(), &leaf);
}

/// A generator of reproducible numbers (xorshift).
struct RandomNumbers(u64);

impl RandomNumbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number, less than `limit`.
    fn below(&mut self, limit: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit).unwrap()
    }
}

/// Changes to the certificates of [`random_world`]; most of them make a certificate unusable.
const RANDOM_CHANGES: [CertificateChange; 8] = [
    |_| {},
    |_| {},
    |params| dates(params, 2024, 2025),
    |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
    for_clients,
    |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
    |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)),
    |params| permit_only(params, "example.org"),
];

/// A few CAs that certify each other at random, some of them wrongly: a leaf, a bag, a root.
fn random_world(seed: u64) -> (Certificate, Vec<Certificate>, Certificate) {
    let mut random = RandomNumbers::new(seed);
    // Some have the same name.
    let authorities: Vec<Authority> = (0..6)
        .map(|_| Authority::new(&format!("CA {}", random.below(5))))
        .collect();
    let root = Authority::new("Root");
    let mut bag = Vec::new();
    for _ in 0..14 {
        let issuer = &authorities[random.below(6)];
        let subject = &authorities[random.below(6)];
        let change = RANDOM_CHANGES[random.below(8)];
        bag.push(issuer.certify_as(subject, change));
    }
    let index = random.below(14);
    let subject = &authorities[random.below(6)];
    let change = RANDOM_CHANGES[random.below(8)];
    bag.insert(index, root.certify_as(subject, change));
    let leaf = authorities[random.below(6)].leaf(&["example.com"]);
    (leaf, bag, root.root())
}

/// Returns whether webpki, which tries all paths but ignores the key usage of CAs, finds one.
fn webpki_finds_path(leaf: &Certificate, bag: &[Certificate], root: &Certificate) -> bool {
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
fn a_path_is_found_whenever_there_is_one() {
    let mut found = 0;
    for seed in 1..=400 {
        let (leaf, bag, root) = random_world(seed);
        let anchors = TrustAnchors::from_certificates("root.pem", std::slice::from_ref(&root));
        let chain = assemble_chain(&leaf, &bag, criteria(&anchors, now())).chain;
        let holds = find_problems(&chain, policy(&anchors)).is_empty();
        // webpki counts self-issued certificates in path lengths; RFC 5280 4.2.1.9 does not.
        let is_lenient = holds
            && chain
                .intermediates()
                .iter()
                .any(Certificate::is_self_issued);
        let expected = webpki_finds_path(&leaf, &bag, &root) || is_lenient;
        assert_eq!(holds, expected, "seed {seed}");
        found += usize::from(holds);
    }
    assert!(
        (40..360).contains(&found),
        "{found} of 400 have a way: the worlds are too easy or too hard"
    );
}
