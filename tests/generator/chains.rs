//! Bags of certificates in which the chain has to be found: by signature and not by name or order,
//! within limits.

use rcgen::{KeyPair, SubjectPublicKeyInfo};

use super::world::{Authority, World, root_named, unix};
use super::{ExpectedOutcome, Row};
use crate::support::ca::{TestCa, ca_params};
use crate::support::issued_certificate::IssuedCertificate;

pub fn rows(world: &World) -> Vec<Row> {
    let World {
        leaf,
        middle,
        root,
        cross,
        older,
        expired,
        ..
    } = world;
    let row = |expected, name: &str, parts: &[&str]| {
        Row::one(
            expected,
            format!("chain: {name}"),
            "bag.pem",
            parts.concat(),
        )
    };
    let decoys: String = (0..400).map(|_| TestCa::new().intermediate_pem()).collect();
    let (twin, mesh) = (expired_twin(world), mesh(9));
    let stranger = TestCa::new();
    let other_leaf = world
        .ca()
        .issue(&IssuedCertificate::new().sandbox.read("example.com.csr"));
    let self_signed = unix(
        &rcgen::generate_simple_self_signed(vec!["example.com".to_owned()])
            .unwrap()
            .cert
            .pem(),
    );
    vec![
        row(ExpectedOutcome::Invalid, "the leaf alone", &[leaf]),
        row(
            ExpectedOutcome::Invalid,
            "the root in place of the intermediate",
            &[leaf, root],
        ),
        row(
            ExpectedOutcome::Invalid,
            "another CA's intermediate",
            &[leaf, &stranger.intermediate_pem()],
        ),
        row(
            ExpectedOutcome::Invalid,
            "the intermediate alone",
            &[middle],
        ),
        row(
            ExpectedOutcome::Invalid,
            "a certificate signed by itself",
            &[&self_signed],
        ),
        row(
            ExpectedOutcome::Invalid,
            "for another key",
            &[&other_leaf, middle],
        ),
        row(
            ExpectedOutcome::Invalid,
            "expired",
            &[&world.leaf_from_to(-144, -100), middle],
        ),
        row(
            ExpectedOutcome::Invalid,
            "not yet valid",
            &[&world.leaf_from_to(20, 64), middle],
        ),
        row(
            ExpectedOutcome::Chain,
            "beside another site's",
            &[&other_leaf, leaf, middle],
        ),
        row(
            ExpectedOutcome::Chain,
            "old and new for one key",
            &[&world.leaf_from_to(-40, 4), leaf, middle],
        ),
        row(
            ExpectedOutcome::Chain,
            "new, old, expired, future for one key",
            &[
                leaf,
                &world.leaf_from_to(-40, 4),
                &world.leaf_from_to(-45, -1),
                &world.leaf_from_to(10, 54),
                middle,
            ],
        ),
        row(
            ExpectedOutcome::Chain,
            "cross-signed roots in a circle",
            &[leaf, middle, cross, &expired.1, older, &expired.0, root],
        ),
        row(
            ExpectedOutcome::Chain,
            "decoys of the intermediate's name",
            &[&decoys, leaf, middle],
        ),
        row(
            ExpectedOutcome::Chain,
            "an expired twin of the intermediate first",
            &[&twin, leaf, middle],
        ),
        row(
            ExpectedOutcome::Chain,
            "nine CAs that all sign each other",
            &[&mesh, leaf, middle, &mesh],
        ),
        row(
            ExpectedOutcome::Chain,
            "everything twice",
            &[leaf, middle, root, leaf, middle, root],
        ),
    ]
}

/// Returns the intermediate with the same key, but expired long ago.
fn expired_twin(world: &World) -> String {
    let known =
        certctl::facade::pki::certificate::Certificate::from_der(&super::world::der(&world.middle))
            .unwrap();
    let public = SubjectPublicKeyInfo::from_der(known.spki()).unwrap();
    let mut params = ca_params("Test DV CA R2");
    params.not_before = rcgen::date_time_ymd(2015, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    unix(&params.signed_by(&public, &world.ca().root).unwrap().pem())
}

/// Returns CAs that all certify each other.
fn mesh(count: usize) -> String {
    let keys: Vec<KeyPair> = (0..count).map(|_| KeyPair::generate().unwrap()).collect();
    let name = |number: usize| format!("Mesh CA {number}");
    let publics: Vec<Vec<u8>> = keys
        .iter()
        .map(rcgen::PublicKeyData::subject_public_key_info)
        .collect();
    let issuers: Vec<Authority> = keys
        .into_iter()
        .enumerate()
        .map(|(number, key)| Authority::self_signed(ca_params(&name(number)), key).unwrap())
        .collect();
    let mut all = String::new();
    for (by, issuer) in issuers.iter().enumerate() {
        for (to, public) in publics.iter().enumerate().filter(|(to, _)| *to != by) {
            let public = SubjectPublicKeyInfo::from_der(public).unwrap();
            all.push_str(&unix(
                &ca_params(&name(to))
                    .signed_by(&public, issuer)
                    .unwrap()
                    .pem(),
            ));
        }
    }
    all + &unix(&root_named("Mesh root", 0).pem())
}
