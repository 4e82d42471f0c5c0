//! One row a rule: what is wrong with a chain, by its code.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose,
    NameConstraints,
};

use super::{Policy, Problem, VerifiedChain, assemble, problems};
use crate::pki::certificate::Certificate;
use crate::pki::certified_key::{CertifiedKey, mismatch};
use crate::pki::chain::Chain;
use crate::pki::key::KeyAlgorithm;
use crate::pki::testing::{Authority, dates, now, private, rsa_key, site_key};
use crate::pki::trust::TrustAnchors;

struct World {
    root: Authority,
    lower: Authority,
    anchors: TrustAnchors,
}

impl World {
    fn new() -> Self {
        let (root, lower) = (Authority::new("Root"), Authority::new("Lower"));
        Self { anchors: TrustAnchors::from_certificates("roots.pem", &[root.root()]), root, lower }
    }

    fn codes(&self, leaf: &Certificate, bag: &[Certificate], hosts: &[&str], at: &str) -> Vec<&'static str> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let policy = Policy { hosts: &hosts, anchors: &self.anchors, at: at.parse().unwrap() };
        let chain = Chain::assemble(leaf, bag, &self.anchors, policy.at).chain;
        let problems = VerifiedChain::new(chain, policy).err().unwrap_or_default();
        problems.iter().map(Problem::code).collect()
    }

    /// A leaf below one intermediate, each changed before it is signed.
    fn judged(
        &self,
        intermediate: impl FnOnce(&mut CertificateParams),
        leaf: impl FnOnce(&mut CertificateParams),
        hosts: &[&str],
    ) -> Vec<&'static str> {
        let bag = [self.root.certify_as(&self.lower, intermediate)];
        let leaf = self.lower.leaf_as(&["example.com", "*.example.com", "192.0.2.7"], &site_key(), leaf);
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
    let bag = [world.root.certify_as(&world.lower, |params| dates(params, 2020, 2030))];
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
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees: vec![name], excluded_subtrees: Vec::new() });
        }
    };
    assert_eq!(world.judged(constrained("example.org"), |_| {}, &[]), ["chain-refused"]);
    let client =
        |params: &mut CertificateParams| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(world.judged(client, |_| {}, &[]), ["chain-refused"]);
    assert_eq!(world.judged(|_| {}, client, &[]), ["chain-refused"]);
    assert_eq!(world.judged(|params| params.is_ca = IsCa::ExplicitNoCa, |_| {}, &[]), ["chain-refused"]);
    assert_eq!(world.judged(|params| dates(params, 2024, 2025), |_| {}, &[]), ["intermediate-expired"]);
    assert_eq!(world.judged(|_| {}, |_| {}, &[]), FINE);
}

#[test]
fn keys_are_used_for_what_they_may() {
    let world = World::new();
    let only = |usage: KeyUsagePurpose| move |params: &mut CertificateParams| params.key_usages = vec![usage];
    assert_eq!(world.judged(only(KeyUsagePurpose::DigitalSignature), |_| {}, &[]), ["chain-refused"]);
    assert_eq!(world.judged(|_| {}, only(KeyUsagePurpose::CrlSign), &[]), ["chain-refused"]);
    assert_eq!(world.judged(|_| {}, only(KeyUsagePurpose::DigitalSignature), &[]), FINE);
    assert_eq!(world.judged(|_| {}, only(KeyUsagePurpose::KeyEncipherment), &[]), FINE);
}

#[test]
fn a_root_of_a_file_is_held_to_its_word() {
    let world = World::new();
    let (leaf, lower) = (world.lower.leaf(&["example.com"]), world.root.certify(&world.lower));
    let under = |change: fn(&mut CertificateParams)| {
        let anchors = TrustAnchors::from_certificates("roots.pem", &[world.root.root_as(change)]);
        let chain = Chain::assemble(&leaf, std::slice::from_ref(&lower), &anchors, now()).chain;
        let found = problems(&chain, Policy { hosts: &[], anchors: &anchors, at: now() });
        found.iter().map(Problem::code).collect::<Vec<_>>()
    };
    assert_eq!(under(|_| {}), FINE);
    assert_eq!(under(|params| params.is_ca = IsCa::NoCa), FINE, "old roots have no basic constraints");
    assert_eq!(under(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1))), FINE);
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
    assert_eq!(world.judged(|_| {}, nameless, &["example.com"]), ["no-names"]);
}

#[test]
fn no_end_is_a_date() {
    let world = World::new();
    let forever = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    assert_eq!(world.judged(forever, forever, &[]), FINE);
}

#[test]
fn a_path_may_not_be_longer_than_a_ca_allows() {
    let world = World::new();
    let upper = Authority::new("Upper");
    let leaf = world.lower.leaf(&["example.com"]);
    let short = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let bag = [world.root.certify_as(&upper, short), upper.certify(&world.lower)];
    assert_eq!(world.codes(&leaf, &bag, &[], "2026-06-01T00:00:00Z"), ["chain-refused"]);
}

#[test]
fn another_way_is_found_where_a_ca_may_not() {
    let world = World::new();
    let leaf = world.lower.leaf(&["example.com"]);
    let barred = |params: &mut CertificateParams| {
        dates(params, 2026, 2030);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let good = world.root.certify(&world.lower);
    let bag = [world.root.certify_as(&world.lower, barred), good.clone()];
    let at = now();
    assert_eq!(world.codes(&leaf, &bag, &[], &at.to_string()), ["chain-refused"]);
    let assembly = assemble(&leaf, &bag, &world.anchors, at);
    assert_eq!(assembly.chain.intermediates(), [good]);
    assert_eq!(assembly.left_out.len(), 1);
    assert_eq!(problems(&assembly.chain, Policy { hosts: &[], anchors: &world.anchors, at }), []);
    let none = assemble(&leaf, &bag[..1], &world.anchors, at);
    assert_eq!(none.chain.intermediates(), &bag[..1]);
}

#[test]
fn what_cannot_be_a_sites_certificate() {
    let world = World::new();
    let at = "2026-06-01T00:00:00Z";
    let intermediate = world.root.certify(&world.lower);
    assert_eq!(world.codes(&intermediate, &[], &[], at), ["ca-as-leaf"]);
    let stranger = Authority::new("Stranger");
    assert_eq!(world.codes(&stranger.root(), &[], &[], at), ["ca-as-leaf", "self-signed"]);
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
    assert_eq!(mismatch(&leaf, &private(&other)).unwrap().code(), "wrong-key");
    assert_eq!(
        mismatch(&rsa_leaf, &private(&own)).unwrap(),
        Problem::WrongKeyKind {
            key: KeyAlgorithm::EcdsaP256,
            leaf: KeyAlgorithm::Rsa(2048),
            label: "example.com".into()
        }
    );
    let policy = Policy { hosts: &[], anchors: &world.anchors, at: now() };
    let verified = VerifiedChain::new(Chain::assemble(&leaf, &bag, &world.anchors, now()).chain, policy).unwrap();
    assert!(CertifiedKey::new(verified.clone(), private(&other)).is_err());
    assert_eq!(CertifiedKey::new(verified, private(&own)).unwrap().leaf(), &leaf);
}
