//! One row a state and a reason.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData};

use super::item::{HeldKey, InstallTerms, ListedRequest, ServedLeaf, ServedQuestion};
use super::{
    InventoryItem, ItemContent, ItemLocation, ItemOrigin, RenewBefore, StatusPolicy, StatusRow,
    rows,
};
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::testing::{Authority, dates, now, site_key};
use crate::pki::trust::TrustAnchors;

/// A CA with one intermediate, a site's key, and what was asked.
struct World {
    root: Authority,
    middle: Authority,
    key: KeyPair,
    anchors: Vec<TrustAnchors>,
    terms: HashMap<String, InstallTerms>,
    questions: Vec<ServedQuestion>,
    uncovered: Vec<(String, [u8; 32], Vec<String>)>,
}

impl World {
    fn new() -> Self {
        let (root, middle) = (Authority::new("Root"), Authority::new("Middle"));
        let anchors = vec![TrustAnchors::from_certificates("roots.pem", &[root.root()])];
        let (terms, questions, uncovered) = (HashMap::new(), Vec::new(), Vec::new());
        Self {
            root,
            middle,
            key: site_key(),
            anchors,
            terms,
            questions,
            uncovered,
        }
    }

    fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        self.middle
            .leaf_as(&["a.example", "www.a.example"], &self.key, change)
    }

    /// Leaf and intermediate.
    fn chain(&self) -> Vec<Certificate> {
        vec![self.leaf(|_| {}), self.root.certify(&self.middle)]
    }

    fn rows(&self, items: Vec<InventoryItem>, at: Timestamp) -> Vec<StatusRow> {
        let measure = StatusPolicy {
            now: at,
            before: RenewBefore::Usual,
            anchors: &self.anchors,
            terms: &self.terms,
            own_anchors: &HashMap::new(),
            questions: &self.questions,
            uncovered: &self.uncovered,
        };
        rows(items, &measure)
    }

    /// `STATE VERDICT CODE...` of each row.
    fn told(&self, items: Vec<InventoryItem>, at: &str) -> Vec<String> {
        let told = |row: &StatusRow| {
            let codes = row.reasons.iter().map(super::StatusReason::code);
            [row.state.name(), row.verdict().name()]
                .into_iter()
                .chain(codes)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let at = if at.is_empty() {
            now()
        } else {
            format!("{at}T00:00:00Z").parse().unwrap()
        };
        self.rows(items, at).iter().map(told).collect()
    }
}

fn file(path: &str, what: ItemContent) -> InventoryItem {
    InventoryItem {
        place: ItemLocation::file(path, ItemOrigin::Given),
        what,
    }
}

fn installed(path: &str, what: ItemContent) -> InventoryItem {
    InventoryItem {
        place: ItemLocation::file(path, ItemOrigin::Installed("a.example".to_owned())),
        what,
    }
}

fn certificates(chain: &[Certificate]) -> ItemContent {
    ItemContent::Certificates(chain.iter().map(|one| Arc::new(one.clone())).collect())
}

fn key(key: &KeyPair, mode: u32) -> ItemContent {
    let id = PublicKeyId::of_spki(&key.subject_public_key_info());
    ItemContent::Key(HeldKey {
        id,
        algorithm: KeyAlgorithm::EcdsaP256,
        mode,
    })
}

fn request(key: &KeyPair, names: &[&str]) -> ItemContent {
    let id = PublicKeyId::of_spki(&key.subject_public_key_info());
    let names = names.iter().map(|&name| name.to_owned()).collect();
    ItemContent::Request(ListedRequest {
        names,
        id,
        algorithm: KeyAlgorithm::EcdsaP256,
    })
}

fn address() -> SocketAddr {
    ([127, 0, 0, 1], 443).into()
}

#[test]
fn each_state_by_what_was_found() {
    let world = World::new();
    let chain = world.chain();
    let here = || file("a.pem", certificates(&chain));
    let shown = InventoryItem {
        place: ItemLocation::Address {
            address: address(),
            name: "a.example".to_owned(),
        },
        what: certificates(&chain),
    };
    for (items, expected) in [
        (
            vec![file("a.key", key(&world.key, 0o600))],
            "unused-key fine",
        ),
        (
            vec![
                file("a.key", key(&world.key, 0o600)),
                file("a.csr", request(&world.key, &["a.example"])),
            ],
            "pending fine",
        ),
        (vec![here()], "key-missing fine"),
        (
            vec![
                here(),
                file("a.key", key(&world.key, 0o600)),
                file("a.csr", request(&world.key, &["a.example"])),
            ],
            "ready fine",
        ),
        (
            vec![
                here(),
                installed("/a.pem", certificates(&chain)),
                installed("/a.key", key(&world.key, 0o600)),
            ],
            "installed fine",
        ),
        (vec![shown, here()], "served fine"),
        // A locked key is that of the request beside it.
        (
            vec![
                here(),
                file("b.csr", request(&world.key, &["a.example"])),
                file("b.key", ItemContent::LockedKey { mode: 0o600 }),
            ],
            "ready fine",
        ),
        (
            vec![
                here(),
                file("b.csr", request(&world.key, &["a.example"])),
                file("c.key", ItemContent::LockedKey { mode: 0o600 }),
            ],
            "key-missing fine",
        ),
    ] {
        assert_eq!(world.told(items, ""), [expected]);
    }
    // CAs and what is locked are nobody's row.
    assert!(
        world
            .told(
                vec![
                    file("ca.pem", certificates(&chain[1..])),
                    file("x", ItemContent::LockedKey { mode: 0o600 })
                ],
                ""
            )
            .is_empty()
    );
}

#[test]
fn dates_and_the_chain() {
    let world = World::new();
    let chain = world.chain();
    let live = |chain: &[Certificate]| vec![installed("/a.pem", certificates(chain))];
    for (at, expected) in [
        ("2025-12-31", "installed wrong not-yet-valid"),
        ("2026-11-30", "installed fine"),
        ("2026-12-02", "installed due due"),
        ("2027-01-01", "installed wrong expired"),
    ] {
        let told = world.told(live(&chain), at);
        assert!(told[0].starts_with(expected), "{at}: {told:?}");
    }
    // A cross-signed intermediate that ends before the leaf; its end counts.
    let early = world.root.certify_as(&world.middle, |params| {
        params.not_after = rcgen::date_time_ymd(2026, 9, 1)
    });
    let crossed = [chain[0].clone(), early];
    assert_eq!(
        world.told(live(&crossed), ""),
        ["installed fine intermediate-expires-first"]
    );
    assert_eq!(
        world.told(live(&crossed), "2026-08-10"),
        ["installed due due intermediate-expires-first"]
    );
    let broken = world.told(live(&crossed), "2026-09-02");
    assert_eq!(
        broken,
        ["installed wrong due intermediate-expired intermediate-expires-first"]
    );
    // A whole chain beside it lies in the bag too: then nothing ends first.
    let both = [crossed.as_slice(), &chain[1..]].concat();
    assert_eq!(world.told(live(&both), ""), ["installed fine"]);
    // What no server sends is not judged as if one did; without AIA the missing issuer may be a
    // root of somebody's own.
    assert_eq!(
        world.told(vec![file("a.pem", certificates(&chain[..1]))], ""),
        ["key-missing fine"]
    );
    assert_eq!(
        world.told(live(&chain[..1]), ""),
        ["installed fine missing-intermediate"]
    );
}

#[test]
fn what_a_host_sends_is_judged_whatever_lies_here() {
    let world = World::new();
    let chain = world.chain();
    let sends = |last: u8, chain: &[Certificate]| InventoryItem {
        place: ItemLocation::Address {
            address: ([192, 0, 2, last], 443).into(),
            name: "a.example".to_owned(),
        },
        what: certificates(chain),
    };
    let live = || installed("/a.pem", certificates(&chain));
    let early = world.root.certify_as(&world.middle, |params| {
        params.not_after = rcgen::date_time_ymd(2026, 9, 1)
    });
    let crossed = [chain[0].clone(), early];
    for (items, expected, by) in [
        (vec![live(), sends(1, &chain)], "served fine", ""),
        (
            vec![live(), sends(1, &chain), sends(2, &chain[..1])],
            "served fine missing-intermediate",
            "192.0.2.2:443 sends",
        ),
        (
            vec![sends(1, &chain[..1]), sends(2, &chain[..1])],
            "served fine missing-intermediate",
            "an intermediate",
        ),
        (
            vec![live(), sends(1, &crossed)],
            "served fine intermediate-expires-first",
            "192.0.2.1:443 sends",
        ),
        (
            vec![sends(1, &crossed)],
            "served fine intermediate-expires-first",
            "Middle, on which",
        ),
    ] {
        let row = &world.rows(items.clone(), now())[0];
        assert_eq!(world.told(items, ""), [expected]);
        let said = row
            .reasons
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(said.starts_with(by), "{said}");
    }
    // The first end of all counts.
    let due = world.told(vec![live(), sends(1, &crossed)], "2026-08-10");
    assert_eq!(due, ["served due due intermediate-expires-first"]);
}

#[test]
fn keys_names_lists_and_places() {
    let mut world = World::new();
    let chain = world.chain();
    let live = || installed("/a.pem", certificates(&chain));
    let other = site_key();
    let fits = || installed("/a.key", key(&world.key, 0o640));
    assert_eq!(world.told(vec![live(), fits()], ""), ["installed fine"]);
    let wrong = world.told(vec![live(), installed("/a.key", key(&other, 0o600))], "");
    assert!(
        wrong.contains(&"installed wrong wrong-key".to_owned()),
        "{wrong:?}"
    );
    assert_eq!(
        world.told(
            vec![live(), installed("/a.key", key(&world.key, 0o644))],
            ""
        ),
        ["installed wrong key-readable-by-others"]
    );
    world.terms.insert(
        "a.example".to_owned(),
        InstallTerms {
            placeholder: true,
            ..InstallTerms::default()
        },
    );
    assert_eq!(
        world.told(vec![live()], ""),
        ["installed fine placeholder-in-place"]
    );
    world.terms.clear();
    world.uncovered.push((
        "/etc/nginx/x.conf:3".to_owned(),
        chain[0].fingerprint,
        vec!["b.example".to_owned()],
    ));
    assert_eq!(
        world.told(vec![live()], ""),
        ["installed wrong host-not-covered"]
    );
}

/// Ended, served otherwise, due, chain, key, names, weak, revoked, rules to come.
#[test]
fn reasons_have_one_order() {
    let mut world = World::new();
    world.anchors = vec![TrustAnchors::system(&[world.root.root()])];
    let early = world.root.certify_as(&world.middle, |params| {
        params.not_after = rcgen::date_time_ymd(2026, 11, 1)
    });
    let chain = [world.leaf(|_| {}), early];
    let fingerprint = chain[0].fingerprint;
    world.uncovered.push((
        "/etc/nginx/x.conf:3".to_owned(),
        fingerprint,
        vec!["b.example".to_owned()],
    ));
    world.questions.push(ServedQuestion {
        expected: Some(fingerprint),
        address: address(),
        name: "a.example".to_owned(),
        answer: Err("the connection was refused".to_owned()),
    });
    let next = site_key();
    let items = vec![
        installed("/a.pem", certificates(&chain)),
        installed("/a.key", key(&world.key, 0o644)),
        file("a-2.csr", request(&next, &["a.example", "www.a.example"])),
    ];
    let told = world.told(items.clone(), "2026-10-20");
    let due = "installed wrong not-served due intermediate-expires-first key-readable-by-others \
        host-not-covered prepared";
    assert_eq!(told, [due, "pending fine"]);
    let told = world.told(items, "2027-04-01");
    let ended = "installed wrong expired not-served intermediate-expired intermediate-expires-first \
        key-readable-by-others";
    assert_eq!(
        told[0],
        format!("{ended} host-not-covered prepared rule-100-days")
    );
}

#[test]
fn what_servers_show_is_compared() {
    let mut world = World::new();
    let chain = world.chain();
    let shown = |fingerprint, same_chain| {
        Ok(ServedLeaf {
            fingerprint,
            label: "x".to_owned(),
            not_after: Some(now()),
            same_chain,
        })
    };
    for (answer, expected) in [
        (shown(chain[0].fingerprint, true), "served fine"),
        (
            shown(chain[0].fingerprint, false),
            "served wrong served-certificate-differs",
        ),
        (
            shown([0; 32], false),
            "installed wrong served-certificate-differs",
        ),
        (
            Err("the connection was refused".to_owned()),
            "installed wrong not-served",
        ),
    ] {
        let expected_leaf = Some(chain[0].fingerprint);
        let question = ServedQuestion {
            expected: expected_leaf,
            address: address(),
            name: "a.example".to_owned(),
            answer,
        };
        world.questions = vec![question];
        assert_eq!(
            world.told(vec![installed("/a.pem", certificates(&chain))], ""),
            [expected]
        );
    }
}

#[test]
fn what_took_its_place_and_what_comes_next() {
    let world = World::new();
    let chain = world.chain();
    let next = site_key();
    let newer = world
        .middle
        .leaf_as(&["www.A.example", "a.example"], &next, |params| {
            params.not_before = rcgen::date_time_ymd(2026, 5, 1);
            params.not_after = rcgen::date_time_ymd(2027, 3, 1);
        });
    let live = || installed("/a.pem", certificates(&chain));
    let asked = || file("a-2.csr", request(&next, &["a.example", "www.a.example"]));
    assert_eq!(
        world.told(vec![live(), asked()], ""),
        ["installed fine prepared", "pending fine"]
    );
    // Of what no server reads yet, too.
    let here = || {
        vec![
            file("a.pem", certificates(&chain)),
            file("a.key", key(&world.key, 0o600)),
        ]
    };
    assert_eq!(
        world.told([here(), vec![asked()]].concat(), ""),
        ["ready fine prepared", "pending fine"]
    );
    let ready = || {
        vec![
            file("b.pem", certificates(std::slice::from_ref(&newer))),
            file("b.key", key(&next, 0o600)),
        ]
    };
    let told = world.told([vec![live(), asked()], ready()].concat(), "2026-12-10");
    assert_eq!(told, ["installed due due newer-ready", "ready fine"]);
    // The old one in a file alone is done with, however it ended.
    let told = world.told(
        [vec![file("a.pem", certificates(&chain))], ready()].concat(),
        "2027-01-10",
    );
    assert_eq!(told, ["ready fine", "superseded fine"]);
    // Of another kind, or for other names, it stands beside it.
    let beside = world.middle.leaf_as(&["a.example"], &next, |_| {});
    let told = world.told(vec![live(), file("c.pem", certificates(&[beside]))], "");
    assert_eq!(told, ["installed fine", "key-missing fine"]);
}

#[test]
fn rules_begin_before_the_next_round() {
    let mut world = World::new();
    let clients = |params: &mut CertificateParams| {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ClientAuth);
        params.not_before = rcgen::date_time_ymd(2026, 11, 1);
        params.not_after = rcgen::date_time_ymd(2027, 5, 1);
    };
    let lasting = world
        .root
        .certify_as(&world.middle, |params| dates(params, 2026, 2027));
    let chain = [world.leaf(clients), lasting];
    let items = || vec![installed("/a.pem", certificates(&chain))];
    // Of somebody's own CA no rule for public ones holds, and its rounds are its own.
    assert_eq!(world.told(items(), "2026-11-23"), ["installed fine"]);
    assert!(world.rows(items(), now())[0].rounds.is_empty());
    world.anchors = vec![TrustAnchors::system(&[world.root.root()])];
    assert_eq!(
        world.told(items(), "2026-11-23"),
        ["installed fine rule-client-auth rule-100-days"]
    );
    assert!(
        world.rows(items(), "2026-11-23T00:00:00Z".parse().unwrap())[0]
            .rounds
            .len()
            > 8
    );
    // The next round begins on 2027-04-01.
    for (paid_until, told) in [("2027-12-31", false), ("2027-04-15", true)] {
        let terms = InstallTerms {
            paid_until: Some(paid_until.parse().unwrap()),
            ..InstallTerms::default()
        };
        world.terms.insert("a.example".to_owned(), terms);
        assert_eq!(
            world.told(items(), "2026-11-23")[0].contains("order-term-ends"),
            told,
            "{paid_until}"
        );
    }
}
