//! The codes that each rule reports, one row per case.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType, SerialNumber};

use super::{LintSeverity, dns_fault, find_lost_client_auth, find_retired_root, lint_chain};
use crate::pki::chain::{Chain, ChainCriteria, ChainPreference};
use crate::pki::testing::{Authority, dates, now, site_key};
use crate::pki::trust::TrustAnchors;

/// The codes for a leaf that was changed before it was signed.
fn codes(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Vec<&'static str> {
    let root = Authority::new("Root");
    let leaf = root.leaf_as(names, &site_key(), change);
    let anchors = TrustAnchors::from_certificates("roots.pem", &[root.root()]);
    let chain = Chain::assemble(
        &leaf,
        &[],
        ChainCriteria {
            anchors: &anchors,
            at: now(),
            prefer: ChainPreference::Compatible,
        },
    )
    .chain;
    lint_chain(&chain)
        .iter()
        .map(|lint| lint.rule.code)
        .collect()
}

/// The first day of validity: year, month, day.
#[derive(Clone, Copy, Debug)]
struct FirstDay(i32, u8, u8);

fn set_validity(params: &mut CertificateParams, from: FirstDay, days: i64) {
    params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    params.not_after = params.not_before + time::Duration::seconds(days * 86_400 - 1);
}

#[test]
fn the_validity_period_is_limited_by_the_day_of_issue() {
    for (from, most) in [
        (FirstDay(2026, 3, 14), 398),
        (FirstDay(2026, 3, 15), 200),
        (FirstDay(2027, 3, 14), 200),
        (FirstDay(2027, 3, 15), 100),
        (FirstDay(2029, 3, 15), 47),
    ] {
        assert_eq!(
            codes(&["example.com"], |params| set_validity(params, from, most)),
            [""; 0],
            "{from:?}"
        );
        assert_eq!(
            codes(&["example.com"], |params| set_validity(
                params,
                from,
                most + 1
            )),
            ["validity-too-long"],
            "{from:?}"
        );
    }
    let second = |params: &mut CertificateParams| {
        set_validity(params, FirstDay(2026, 3, 15), 200);
        params.not_after += time::Duration::SECOND;
    };
    assert_eq!(codes(&["example.com"], second), ["validity-too-long"]);
}

#[test]
fn usages_must_be_those_of_a_public_server() {
    let usages = |purposes: &[ExtendedKeyUsagePurpose], year| {
        let purposes = purposes.to_vec();
        move |params: &mut CertificateParams| {
            params.extended_key_usages = purposes;
            set_validity(params, FirstDay(year, 6, 1), 40);
        }
    };
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    for (purposes, year, found) in [
        ([ServerAuth, ClientAuth].as_slice(), 2026, [].as_slice()),
        (&[ServerAuth, ClientAuth], 2027, &["client-auth"]),
        (&[ServerAuth, Any], 2026, &["any-extended-key-usage"]),
        (&[], 2026, &["no-server-auth"]),
    ] {
        assert_eq!(
            codes(&["example.com"], usages(purposes, year)),
            found,
            "{purposes:?} {year}"
        );
    }
}

#[test]
fn the_loss_of_client_authentication_is_reported() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    let root = Authority::new("Root");
    let of = |purposes: &[ExtendedKeyUsagePurpose]| {
        let change =
            |params: &mut CertificateParams| params.extended_key_usages = purposes.to_vec();
        root.leaf_as(&["example.com"], &site_key(), change)
    };
    let (both, servers, any, unsaid) = (
        of(&[ServerAuth, ClientAuth]),
        of(&[ServerAuth]),
        of(&[Any]),
        of(&[]),
    );
    for (before, after, is_reported) in [
        (&both, &servers, true),
        (&any, &servers, true),
        (&both, &both, false),
        (&both, &unsaid, false),
        (&servers, &servers, false),
        (&servers, &both, false),
        (&unsaid, &servers, false),
    ] {
        let code = find_lost_client_auth(before, after).map(|lint| lint.rule.code);
        assert_eq!(code, is_reported.then_some("client-auth-removed"));
    }
}

/// RFC 9500 2.3, the public halves.
const PRINTED: [&str; 3] = [
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==",
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEWwkBuIUjKW65GdUP+hqcs3S8TUCVhigr/soRsdla27VHNK9XC/grcijPImvPTCXdvP47GjrTlDDv92Ph1o0uFR2Rcgt3lbWNprNGOWE6j7m1qNpIxnRxF/mRnoQk837I",
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB0P1yV6hMdH9WJXXAc4Xb6/L1K+pYCD24L90VMdiq48yHX/Av9/otomDY62LW0vXWSSeOMhc2oGKMu7MDCLbmGNsA9irSBMZGA1m8gYq4lhvw8PwOxaropCgXPOVvAN6bFXweXILGT1Yvyt78Skwo9tNCzz72FvyC0ztyhckh8r82/dg=",
];

#[test]
fn publicly_known_keys_are_rejected() {
    let root = Authority::new("Root");
    let anchors = TrustAnchors::from_certificates("roots.pem", &[root.root()]);
    let criteria = ChainCriteria {
        anchors: &anchors,
        at: now(),
        prefer: ChainPreference::Compatible,
    };
    for printed in PRINTED {
        let key = rcgen::SubjectPublicKeyInfo::from_der(&BASE64_STANDARD.decode(printed).unwrap())
            .unwrap();
        let leaf = root.leaf_as(&["example.com"], &key, |_| {});
        let found = lint_chain(&Chain::assemble(&leaf, &[], criteria).chain);
        let broken = found
            .iter()
            .find(|lint| lint.rule.code == "broken-key")
            .unwrap();
        assert_eq!(broken.rule.severity, LintSeverity::Refuses);
        assert!(broken.message.contains("RFC 9500"), "{}", broken.message);
    }
}

#[test]
fn serial_numbers_must_be_positive_and_short() {
    for (octets, found) in [
        (vec![0x7f; 20], [].as_slice()),
        (vec![0], &["invalid-serial"]),
        (vec![0x7f; 21], &["invalid-serial"]),
    ] {
        let serial = SerialNumber::from_slice(&octets);
        assert_eq!(
            codes(&["example.com"], |params| params.serial_number =
                Some(serial)),
            found,
            "{octets:?}"
        );
    }
    assert!(super::check_serial(&[0x80, 1]).is_some(), "negative");
}

#[test]
fn names_must_be_host_names() {
    let named = |name: &str| {
        let name = SanType::DnsName(name.to_owned().try_into().unwrap());
        move |params: &mut CertificateParams| params.subject_alt_names.push(name)
    };
    for name in [
        "a_b.example.com",
        "example.com.",
        "w*.example.com",
        "a.*.example.com",
        "192.0.2.1",
        "*.com",
        "a b",
    ] {
        assert_eq!(
            codes(&["example.com"], named(name)),
            ["malformed-name"],
            "{name}"
        );
    }
    for name in [
        "www.example.com",
        "*.example.com",
        "xn--bcher-kva.example",
        "EXAMPLE.com",
    ] {
        assert_eq!(codes(&["example.com"], named(name)), [""; 0], "{name}");
    }
    assert_eq!(dns_fault(""), Some("is empty"));
    let other = |params: &mut CertificateParams| {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Shop")
    };
    assert_eq!(codes(&["example.com"], other), ["common-name-not-listed"]);
    let address = |params: &mut CertificateParams| {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "192.0.2.7")
    };
    assert_eq!(codes(&["example.com", "192.0.2.7"], address), [""; 0]);
}

#[test]
fn an_intermediate_that_expires_before_the_leaf_is_reported() {
    let root = Authority::new("Root");
    let lower = Authority::new("Lower");
    let leaf = lower.leaf_as(&["example.com"], &site_key(), |params| {
        set_validity(params, FirstDay(2026, 6, 1), 200);
    });
    let short = root.certify_as(&lower, |params| {
        dates(params, 2026, 2026);
        params.not_after = rcgen::date_time_ymd(2026, 10, 1);
    });
    let anchors = TrustAnchors::from_certificates("roots.pem", &[root.root()]);
    let criteria = ChainCriteria {
        anchors: &anchors,
        at: now(),
        prefer: ChainPreference::Compatible,
    };
    let chain = Chain::assemble(&leaf, &[short], criteria).chain;
    let found: Vec<_> = lint_chain(&chain)
        .iter()
        .map(|lint| (lint.rule.code, lint.rule.severity))
        .collect();
    assert_eq!(found, [("intermediate-expires-first", LintSeverity::Warns)]);
}

#[test]
fn old_roots_are_found_by_common_name_or_unit() {
    let root = Authority::new("AddTrust External CA Root");
    let lower = Authority::new("USERTrust RSA Certification Authority");
    let cross_certificate = root.certify(&lower);
    assert_eq!(
        find_retired_root(&cross_certificate).unwrap().root.since,
        "2020-05-30"
    );
    assert_eq!(
        find_retired_root(&root.root()).unwrap().label,
        "AddTrust External CA Root"
    );
    let with_unit = Authority::new("GlobalSign").root_as(|params| {
        params.distinguished_name.push(
            rcgen::DnType::OrganizationalUnitName,
            "GlobalSign Root CA - R2",
        );
    });
    assert_eq!(
        find_retired_root(&with_unit).unwrap().root.since,
        "2021-12-15"
    );
    assert_eq!(find_retired_root(&lower.leaf(&["example.com"])), None);
    assert_eq!(find_retired_root(&Authority::new("Other").root()), None);
}
