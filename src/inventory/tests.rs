//! Tests of each state and reason of a row, with items in memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData};

use super::item::{HeldKey, InstallTerms, ListedRequest, OtherBlock, ServedLeaf, ServerProbe};
use super::{
    InventoryItem, ItemContent, ItemLocation, ItemOrigin, RenewBefore, StatusPolicy, StatusRow,
    rows,
};
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::testing::{Authority, dates, now, site_key};
use crate::pki::trust::TrustAnchors;

/// A CA with one intermediate, a server's key, and the policy.
struct World {
    root: Authority,
    middle: Authority,
    key: KeyPair,
    anchors: Vec<TrustAnchors>,
    terms: HashMap<String, InstallTerms>,
    server_probes: Vec<ServerProbe>,
    uncovered: Vec<(String, Fingerprint, Vec<String>)>,
}

impl World {
    fn new() -> Self {
        let root = Authority::new("Root");
        let anchors = vec![TrustAnchors::from_certificates("roots.pem", &[root.root()])];
        Self {
            root,
            middle: Authority::new("Middle"),
            key: site_key(),
            anchors,
            terms: HashMap::new(),
            server_probes: Vec::new(),
            uncovered: Vec::new(),
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
        let policy = StatusPolicy {
            now: at,
            renew_before: RenewBefore::Usual,
            anchors: &self.anchors,
            terms: &self.terms,
            own_anchors: &HashMap::new(),
            configured_anchors: None,
            server_probes: &self.server_probes,
            uncovered: &self.uncovered,
            refused_keys: &HashMap::new(),
        };
        rows(items, &policy)
    }

    /// `STATE VERDICT CODE...` of each row.
    fn summaries(&self, items: Vec<InventoryItem>, at: &str) -> Vec<String> {
        let at = if at.is_empty() {
            now()
        } else {
            format!("{at}T00:00:00Z").parse().unwrap()
        };
        self.rows(items, at).iter().map(summary).collect()
    }

    /// The intermediate, cross-signed until `year`-`month`-01.
    fn intermediate_until(&self, year: i32, month: u8) -> Certificate {
        self.root.certify_as(&self.middle, |params| {
            params.not_after = rcgen::date_time_ymd(year, month, 1)
        })
    }
}

fn summary(row: &StatusRow) -> String {
    let mut words = vec![row.state.name(), row.verdict().name()];
    words.extend(row.reasons.iter().map(super::StatusReason::code));
    words.join(" ")
}

/// A chain that an address sends.
fn sent(address: SocketAddr, chain: &[Certificate]) -> InventoryItem {
    InventoryItem {
        location: ItemLocation::Address {
            address,
            name: "a.example".to_owned(),
        },
        content: certificates(chain),
    }
}

fn file(path: &str, what: ItemContent) -> InventoryItem {
    InventoryItem {
        location: ItemLocation::file(path, ItemOrigin::Given),
        content: what,
    }
}

fn installed(path: &str, what: ItemContent) -> InventoryItem {
    InventoryItem {
        location: ItemLocation::file(path, ItemOrigin::Installed("a.example".to_owned())),
        content: what,
    }
}

fn certificates(chain: &[Certificate]) -> ItemContent {
    ItemContent::Certificates(chain.iter().map(|one| Arc::new(one.clone())).collect())
}

fn key(key: &KeyPair, permission_bits: u32) -> ItemContent {
    let id = PublicKeyId::of_spki(&key.subject_public_key_info());
    ItemContent::Key(HeldKey {
        id,
        algorithm: KeyAlgorithm::EcdsaP256,
        mode: Mode::new(permission_bits),
    })
}

fn locked_key() -> ItemContent {
    ItemContent::LockedKey {
        mode: Mode::new(0o600),
    }
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
fn keys_and_requests_without_a_certificate_have_rows() {
    let world = World::new();
    let key = || file("a.key", key(&world.key, 0o600));
    let request = file("a.csr", request(&world.key, &["a.example"]));
    assert_eq!(world.summaries(vec![key()], ""), ["unused-key fine"]);
    let rows = world.summaries(vec![key(), request.clone()], "");
    assert_eq!(rows, ["pending due request-pending"]);
    let rows = world.summaries(vec![request.clone()], "");
    assert_eq!(rows, ["pending wrong key-missing request-pending"]);
    let hidden = file("a.key", ItemContent::UnreadableKey);
    assert_eq!(
        world.summaries(vec![hidden, request], ""),
        ["pending due request-pending"]
    );
}

#[test]
fn the_state_depends_on_where_certificate_and_key_are() {
    let world = World::new();
    let chain = world.chain();
    let here = || file("a.pem", certificates(&chain));
    let key_here = || file("a.key", key(&world.key, 0o600));
    let request_here = || file("a.csr", request(&world.key, &["a.example"]));
    let deployed = vec![
        here(),
        installed("/a.pem", certificates(&chain)),
        installed("/a.key", key(&world.key, 0o600)),
    ];
    for (items, expected) in [
        (vec![here()], "key-missing fine"),
        (vec![here(), key_here(), request_here()], "ready fine"),
        (deployed, "installed fine"),
        (vec![sent(address(), &chain), here()], "served fine"),
    ] {
        assert_eq!(world.summaries(items, ""), [expected]);
    }
}

#[test]
fn an_encrypted_key_belongs_to_the_request_with_the_same_file_name() {
    let world = World::new();
    let chain = world.chain();
    for (key_file, expected) in [("b.key", "ready fine"), ("c.key", "key-missing fine")] {
        let items = vec![
            file("a.pem", certificates(&chain)),
            file("b.csr", request(&world.key, &["a.example"])),
            file(key_file, locked_key()),
        ];
        assert_eq!(world.summaries(items, ""), [expected], "{key_file}");
    }
}

#[test]
fn ca_certificates_and_encrypted_keys_alone_have_no_row() {
    let world = World::new();
    let items = vec![
        file("ca.pem", certificates(&world.chain()[1..])),
        file("x", locked_key()),
    ];
    assert_eq!(world.summaries(items, ""), <[&str; 0]>::default());
}

#[test]
fn dates_decide_the_verdict() {
    let world = World::new();
    let chain = world.chain();
    for (at, expected) in [
        ("2025-12-31", "installed wrong not-yet-valid"),
        ("2026-11-30", "installed fine"),
        ("2026-12-02", "installed due due"),
        ("2027-01-01", "installed wrong expired"),
    ] {
        let items = vec![installed("/a.pem", certificates(&chain))];
        let rows = world.summaries(items, at);
        assert!(rows[0].starts_with(expected), "{at}: {rows:?}");
    }
}

#[test]
fn an_intermediate_that_expires_first_decides_when_renewal_is_due() {
    let world = World::new();
    let chain = world.chain();
    let live = |chain: &[Certificate]| vec![installed("/a.pem", certificates(chain))];
    let crossed = [chain[0].clone(), world.intermediate_until(2026, 9)];
    for (at, expected) in [
        ("", "installed fine intermediate-expires-first"),
        ("2026-08-10", "installed due due intermediate-expires-first"),
        (
            "2026-09-02",
            "installed wrong due intermediate-expired intermediate-expires-first",
        ),
    ] {
        assert_eq!(world.summaries(live(&crossed), at), [expected]);
    }
    // With another intermediate in the file, no intermediate expires before the leaf.
    let both = [crossed.as_slice(), &chain[1..]].concat();
    assert_eq!(world.summaries(live(&both), ""), ["installed fine"]);
}

/// Without AIA the missing issuer may be the root of a company's own CA.
#[test]
fn a_missing_intermediate_is_reported_if_a_server_uses_the_chain() {
    let world = World::new();
    let leaf = certificates(&world.chain()[..1]);
    assert_eq!(
        world.summaries(vec![file("a.pem", leaf.clone())], ""),
        ["key-missing fine"]
    );
    assert_eq!(
        world.summaries(vec![installed("/a.pem", leaf)], ""),
        ["installed fine missing-intermediate"]
    );
}

#[test]
fn a_host_is_judged_by_what_it_sends() {
    let world = World::new();
    let chain = world.chain();
    let live = || installed("/a.pem", certificates(&chain));
    let crossed = [chain[0].clone(), world.intermediate_until(2026, 9)];
    let leaf = &chain[..1];
    for (items, expected, first_reason) in [
        (vec![live(), sent(host(1), &chain)], "served fine", ""),
        (
            vec![live(), sent(host(1), &chain), sent(host(2), leaf)],
            "served fine missing-intermediate",
            "at 192.0.2.2:443: ",
        ),
        (
            vec![sent(host(1), leaf), sent(host(2), leaf)],
            "served fine missing-intermediate",
            "an intermediate",
        ),
        (
            vec![live(), sent(host(1), &crossed)],
            "served fine intermediate-expires-first",
            "at 192.0.2.1:443: ",
        ),
        (
            vec![sent(host(1), &crossed)],
            "served fine intermediate-expires-first",
            "the intermediate Middle",
        ),
    ] {
        assert_first_reason(&world.rows(items, now())[0], expected, first_reason);
    }
}

fn host(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 443))
}

fn assert_first_reason(row: &StatusRow, expected: &str, start: &str) {
    assert_eq!(summary(row), expected);
    let reason = row.reasons.first().map(ToString::to_string);
    let reason = reason.unwrap_or_default();
    assert!(reason.starts_with(start), "{reason}");
}

#[test]
fn the_earliest_expiry_of_all_chains_counts() {
    let world = World::new();
    let chain = world.chain();
    let crossed = [chain[0].clone(), world.intermediate_until(2026, 9)];
    let items = vec![
        installed("/a.pem", certificates(&chain)),
        sent(address(), &crossed),
    ];
    assert_eq!(
        world.summaries(items, "2026-08-10"),
        ["served due due intermediate-expires-first"]
    );
}

#[test]
fn keys_names_and_placeholders_are_checked() {
    let mut world = World::new();
    let chain = world.chain();
    let live = || installed("/a.pem", certificates(&chain));
    let other = site_key();
    let matching_key = || installed("/a.key", key(&world.key, 0o640));
    assert_eq!(
        world.summaries(vec![live(), matching_key()], ""),
        ["installed fine"]
    );
    let wrong = world.summaries(vec![live(), installed("/a.key", key(&other, 0o600))], "");
    assert!(
        wrong.contains(&"installed wrong wrong-key".to_owned()),
        "{wrong:?}"
    );
    assert_eq!(
        world.summaries(
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
        world.summaries(vec![live()], ""),
        ["installed wrong placeholder-in-place"]
    );
    world.terms.clear();
    world.uncovered.push((
        "/etc/nginx/x.conf:3".to_owned(),
        chain[0].fingerprint,
        vec!["b.example".to_owned()],
    ));
    assert_eq!(
        world.summaries(vec![live()], ""),
        ["installed wrong host-not-covered"]
    );
}

/// The order: expired, served differently, due, chain, key, names, weak, revoked, rule changes.
#[test]
fn reasons_are_sorted() {
    let mut world = World::new();
    world.anchors = vec![TrustAnchors::system(&[world.root.root()])];
    let chain = [world.leaf(|_| {}), world.intermediate_until(2026, 11)];
    let fingerprint = chain[0].fingerprint;
    world.uncovered.push((
        "/etc/nginx/x.conf:3".to_owned(),
        fingerprint,
        vec!["b.example".to_owned()],
    ));
    world.server_probes.push(ServerProbe {
        expected: Some(fingerprint),
        address: address(),
        name: "a.example".to_owned(),
        other_block: None,
        answer: Err("the connection was refused".to_owned()),
    });
    let next = site_key();
    let items = vec![
        installed("/a.pem", certificates(&chain)),
        installed("/a.key", key(&world.key, 0o644)),
        file("a-2.csr", request(&next, &["a.example", "www.a.example"])),
        file("a-2.key", key(&next, 0o600)),
    ];
    let rows = world.summaries(items.clone(), "2026-10-20");
    let due = "installed wrong not-served due intermediate-expires-first key-readable-by-others \
        host-not-covered prepared";
    assert_eq!(rows, [due, "pending due request-pending"]);
    let rows = world.summaries(items, "2027-04-01");
    let ended = "installed wrong expired not-served intermediate-expired intermediate-expires-first \
        key-readable-by-others";
    assert_eq!(
        rows[0],
        format!("{ended} host-not-covered prepared rule-100-days")
    );
}

#[test]
fn served_certificates_are_compared_with_the_files() {
    let mut world = World::new();
    let chain = world.chain();
    let shown = |fingerprint, same_chain| {
        Ok(ServedLeaf {
            fingerprint,
            label: "x".to_owned(),
            not_after: Some(now()),
            same_chain,
            stapled_for: None,
        })
    };
    for (answer, expected) in [
        (shown(chain[0].fingerprint, true), "served fine"),
        (
            shown(chain[0].fingerprint, false),
            "served wrong served-certificate-differs",
        ),
        (
            shown(Fingerprint::of(b""), false),
            "installed wrong served-certificate-differs",
        ),
        (
            Err("the connection was refused".to_owned()),
            "installed wrong not-served",
        ),
    ] {
        let expected_leaf = Some(chain[0].fingerprint);
        let probe = ServerProbe {
            expected: expected_leaf,
            address: address(),
            name: "a.example".to_owned(),
            other_block: None,
            answer,
        };
        world.server_probes = vec![probe];
        assert_eq!(
            world.summaries(vec![installed("/a.pem", certificates(&chain))], ""),
            [expected]
        );
    }
}

#[test]
fn another_certificate_of_a_block_with_other_files_is_reported_as_such() {
    let mut world = World::new();
    let chain = world.chain();
    world.server_probes = vec![ServerProbe {
        expected: Some(chain[0].fingerprint),
        address: address(),
        name: "a.example".to_owned(),
        other_block: Some(OtherBlock {
            place: "/etc/nginx/x.conf:3".to_owned(),
            next: Vec::new(),
        }),
        answer: Ok(ServedLeaf {
            fingerprint: Fingerprint::of(b""),
            label: "x".to_owned(),
            not_after: Some(now()),
            same_chain: false,
            stapled_for: None,
        }),
    }];
    assert_eq!(
        world.summaries(vec![installed("/a.pem", certificates(&chain))], ""),
        ["installed wrong other-certificate-served"]
    );
}

/// The next certificate for the same names, with a key of its own.
fn newer_leaf(world: &World, key: &KeyPair) -> Certificate {
    world
        .middle
        .leaf_as(&["www.A.example", "a.example"], key, |params| {
            params.not_before = rcgen::date_time_ymd(2026, 5, 1);
            params.not_after = rcgen::date_time_ymd(2027, 3, 1);
        })
}

#[test]
fn a_pending_request_for_the_same_names_is_for_the_next_renewal() {
    let world = World::new();
    let chain = world.chain();
    let next = site_key();
    let request = || file("a-2.csr", request(&next, &["a.example", "www.a.example"]));
    let next_key = || file("a-2.key", key(&next, 0o600));
    let live = installed("/a.pem", certificates(&chain));
    assert_eq!(
        world.summaries(vec![live, request(), next_key()], ""),
        ["installed fine prepared", "pending due request-pending"]
    );
    let not_installed = vec![
        file("a.pem", certificates(&chain)),
        file("a.key", key(&world.key, 0o600)),
        request(),
        next_key(),
    ];
    assert_eq!(
        world.summaries(not_installed, ""),
        ["ready fine prepared", "pending due request-pending"]
    );
}

#[test]
fn a_newer_certificate_is_ready_or_supersedes() {
    let world = World::new();
    let chain = certificates(&world.chain());
    let next = site_key();
    let newer = certificates(&[newer_leaf(&world, &next)]);
    let ready = [file("b.pem", newer), file("b.key", key(&next, 0o600))];
    let request = file("a-2.csr", request(&next, &["a.example", "www.a.example"]));
    let live = [installed("/a.pem", chain.clone()), request];
    assert_eq!(
        world.summaries([&live[..], &ready].concat(), "2026-12-10"),
        [
            "installed due due newer-ready",
            "ready fine missing-intermediate"
        ]
    );
    // An old certificate that is not in use is superseded, even after it has expired.
    let old = [file("a.pem", chain)];
    assert_eq!(
        world.summaries([&old[..], &ready].concat(), "2027-01-10"),
        ["ready fine missing-intermediate", "superseded fine"]
    );
    // In the working directory, the issuer may be in a file of its own.
    let issuer = file("ca.pem", certificates(&world.chain()[1..]));
    let mut here = [&ready[..], &[issuer]].concat();
    for item in &mut here {
        let path = item.location.to_string();
        item.location = ItemLocation::file(path, ItemOrigin::Here);
    }
    let ready = world.summaries(here, "2026-12-10");
    assert!(!ready[0].contains("missing-intermediate"), "{ready:?}");
}

#[test]
fn certificates_for_other_names_supersede_nothing() {
    let world = World::new();
    let live = installed("/a.pem", certificates(&world.chain()));
    let other = world.middle.leaf_as(&["a.example"], &site_key(), |_| {});
    let items = vec![live, file("c.pem", certificates(&[other]))];
    assert_eq!(
        world.summaries(items, ""),
        ["installed fine", "key-missing fine"]
    );
}

/// A certificate for TLS clients too, from 2026-11-01 to 2027-05-01, so that its renewal is due on
/// 2027-04-01.
fn client_chain(world: &World) -> [Certificate; 2] {
    let leaf = world.leaf(|params| {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ClientAuth);
        params.not_before = rcgen::date_time_ymd(2026, 11, 1);
        params.not_after = rcgen::date_time_ymd(2027, 5, 1);
    });
    let intermediate = world
        .root
        .certify_as(&world.middle, |params| dates(params, 2026, 2027));
    [leaf, intermediate]
}

#[test]
fn rules_for_public_cas_do_not_apply_to_a_private_ca() {
    let world = World::new();
    let items = vec![installed("/a.pem", certificates(&client_chain(&world)))];
    assert_eq!(
        world.summaries(items.clone(), "2026-11-23"),
        ["installed fine"]
    );
    assert!(world.rows(items, now())[0].renewals.is_empty());
}

#[test]
fn rules_that_change_before_the_next_renewal_are_listed() {
    let mut world = World::new();
    world.anchors = vec![TrustAnchors::system(&[world.root.root()])];
    let items = vec![installed("/a.pem", certificates(&client_chain(&world)))];
    assert_eq!(
        world.summaries(items.clone(), "2026-11-23"),
        ["installed fine rule-client-auth rule-100-days"]
    );
    let at = "2026-11-23T00:00:00Z".parse().unwrap();
    assert!(world.rows(items, at)[0].renewals.len() > 8);
}

#[test]
fn a_paid_term_that_ends_before_the_next_renewal_is_listed() {
    let mut world = World::new();
    world.anchors = vec![TrustAnchors::system(&[world.root.root()])];
    let items = vec![installed("/a.pem", certificates(&client_chain(&world)))];
    for (paid_until, is_listed) in [("2027-12-31", false), ("2027-04-15", true)] {
        let terms = InstallTerms {
            paid_until: Some(paid_until.parse().unwrap()),
            ..InstallTerms::default()
        };
        world.terms.insert("a.example".to_owned(), terms);
        let rows = world.summaries(items.clone(), "2026-11-23");
        assert_eq!(
            rows[0].contains("order-term-ends"),
            is_listed,
            "{paid_until}"
        );
    }
}
