//! Tests `certctl dcv-check` in the DNS lab: each fault that a zone or its servers can have, with real
//! servers.
//! Needs: ip kdig knotd ldns-keygen ldns-signzone nsd nsenter unbound unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::sync::LazyLock;

use support::json::Json;
use support::lab::Lab;

static LAB: LazyLock<Lab> = LazyLock::new(Lab::start);

fn verdict(document: &Json) -> &str {
    assert_eq!(document["schema"], "certctl.dcv-check/1", "{document}");
    document["verdict"].as_str().unwrap()
}

fn codes(document: &Json) -> Vec<&str> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// Returns the message of the finding with this code.
fn message(document: &Json, code: &str) -> String {
    let findings = document["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["code"] == code);
    finding.unwrap_or_else(|| panic!("no {code}: {document:#}"))["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns role, name and answer of each server that was queried for the first record.
fn server_answers(document: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().unwrap_or("-").to_owned();
    let servers = document["records"][0]["servers"].as_array().unwrap().iter();
    servers
        .map(|one| {
            format!(
                "{} {} {}",
                text(&one["role"]),
                text(&one["name"]),
                text(&one["answer"])
            )
        })
        .collect()
}

/// Zone, exit code, verdict, state of DNSSEC, findings.
type Row = (
    &'static str,
    i32,
    &'static str,
    &'static str,
    &'static [&'static str],
);

#[track_caller]
fn assert_rows(rows: &[Row], resolver: &str) {
    let mut wrong = Vec::new();
    for (zone, code, expected, state, findings) in rows {
        let run = LAB.check(zone, resolver, &["--ca", "sectigo"]);
        let document = run.json();
        let result = (
            run.code,
            verdict(&document),
            document["records"][0]["dnssec"].as_str().unwrap(),
            codes(&document),
        );
        if result != (*code, *expected, *state, findings.to_vec()) {
            wrong.push(format!("{zone} {result:?} {:?}", server_answers(&document)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_of_servers_are_reported() {
    assert_rows(
        &[
            ("fine.example", 0, "visible", "unsigned", &[]),
            (
                "absent.example",
                1,
                "absent",
                "unsigned",
                &["not-published", "negative-answer-cacheable"],
            ),
            (
                "refused.example",
                1,
                "unreachable",
                "unsigned",
                &["server-refused"],
            ),
            (
                "lame.example",
                1,
                "unreachable",
                "unsigned",
                &["server-lame"],
            ),
            (
                "silent.example",
                1,
                "unreachable",
                "unsigned",
                &["server-timeout"],
            ),
            (
                "closed.example",
                1,
                "unreachable",
                "unsigned",
                &["server-connection-refused"],
            ),
            (
                "differ.example",
                1,
                "different",
                "unsigned",
                &["wrong-value", "servers-disagree"],
            ),
            (
                "no-tcp.example",
                1,
                "unreachable",
                "unsigned",
                &["server-no-tcp"],
            ),
            (
                "registrar.example",
                0,
                "visible",
                "unsigned",
                &["name-servers-differ"],
            ),
            (
                "loop.example",
                1,
                "different",
                "unsigned",
                &["wrong-value", "cname-loop"],
            ),
            (
                "chain.example",
                1,
                "different",
                "unsigned",
                &["wrong-value", "cname-chain-long"],
            ),
            (
                "shadow.example",
                1,
                "absent",
                "unsigned",
                &[
                    "not-published",
                    "child-zone-hides-record",
                    "negative-answer-cacheable",
                ],
            ),
        ],
        &LAB.non_validating(),
    );
}

#[test]
fn mistakes_at_the_dns_provider_are_reported() {
    assert_rows(
        &[
            (
                "doubled.example",
                1,
                "wrong-place",
                "unsigned",
                &["zone-doubled"],
            ),
            (
                "no-underscore.example",
                1,
                "wrong-place",
                "unsigned",
                &["underscore-lost"],
            ),
            (
                "too-low.example",
                1,
                "wrong-place",
                "unsigned",
                &["record-below-domain"],
            ),
            (
                "parent.example",
                0,
                "visible",
                "unsigned",
                &["found-at-parent"],
            ),
            (
                "appended.example",
                1,
                "different",
                "unsigned",
                &["zone-appended-to-value"],
            ),
            (
                "text.example",
                1,
                "absent",
                "unsigned",
                &["txt-instead-of-cname", "negative-answer-cacheable"],
            ),
            (
                "another-request.example",
                1,
                "different",
                "unsigned",
                &["value-from-another-request"],
            ),
            (
                "other-unique.example",
                1,
                "different",
                "unsigned",
                &["wrong-unique-value"],
            ),
            (
                "beside.example",
                0,
                "visible",
                "unsigned",
                &["cname-conflicts-with-records"],
            ),
            (
                "in-the-way.example",
                1,
                "absent",
                "unsigned",
                &["records-conflict-with-cname", "negative-answer-cacheable"],
            ),
            (
                "flattened.example",
                1,
                "absent",
                "unsigned",
                &["cname-flattened", "negative-answer-cacheable"],
            ),
            (
                "wildcard.example",
                1,
                "absent",
                "unsigned",
                &["wildcard-answers", "negative-answer-cacheable"],
            ),
            (
                "wildcard-alias.example",
                1,
                "different",
                "unsigned",
                &["wildcard-answers"],
            ),
            (
                "wildcard-text.example",
                1,
                "absent",
                "unsigned",
                &["wildcard-answers", "negative-answer-cacheable"],
            ),
            (
                "wildcard-below.example",
                1,
                "absent",
                "unsigned",
                &["wildcard-answers", "negative-answer-cacheable"],
            ),
        ],
        &LAB.non_validating(),
    );
}

#[test]
fn missing_delegations_and_server_addresses_are_reported() {
    assert_rows(
        &[
            (
                "unregistered-shop.com",
                1,
                "absent",
                "unknown",
                &["not-published", "domain-not-delegated"],
            ),
            (
                "gone.example",
                1,
                "unreachable",
                "unsigned",
                &["server-no-address"],
            ),
            (
                "too-long.example",
                4,
                "unreachable",
                "unsigned",
                &["server-failed"],
            ),
        ],
        &LAB.non_validating(),
    );
    assert_rows(
        &[(
            "unfound.example",
            1,
            "unreachable",
            "unsigned",
            &["server-no-address", "zone-servers-not-found"],
        )],
        &LAB.address(11),
    );
}

#[test]
fn servers_are_queried_by_ipv6_too() {
    assert_rows(
        &[
            ("both.example", 0, "visible", "unsigned", &[]),
            ("six.example", 0, "visible", "unsigned", &[]),
        ],
        &LAB.non_validating(),
    );
    let far: &[Row] = if LAB.has_route {
        &[
            (
                "far-too.example",
                1,
                "unreachable",
                "unsigned",
                &["server-timeout"],
            ),
            (
                "far.example",
                1,
                "unreachable",
                "unsigned",
                &["server-timeout"],
            ),
        ]
    } else {
        &[
            (
                "far-too.example",
                0,
                "visible",
                "unsigned",
                &["unreachable-from-here"],
            ),
            // Only the resolver was queried: that is not enough for "visible".
            (
                "far.example",
                1,
                "unreachable",
                "unsigned",
                &["unreachable-from-here"],
            ),
        ]
    };
    assert_rows(far, &LAB.non_validating());
    let addresses = |zone| {
        let document = LAB.check(zone, &LAB.non_validating(), &[]).expect(0).json();
        let servers = document["records"][0]["servers"].as_array().unwrap()[1..].iter();
        servers
            .map(|one| one["address"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        addresses("both.example"),
        [format!("{}:53", LAB.address(11)), "[::1]:53".to_owned()]
    );
    assert_eq!(addresses("six.example"), ["[::1]:53"]);
}

#[test]
fn a_server_with_an_old_version_is_listed_with_its_serial() {
    let document = LAB
        .check("behind.example", &LAB.non_validating(), &[])
        .expect(1)
        .json();
    assert_eq!(
        server_answers(&document)[1..],
        [
            "authoritative ns1.dns.example cname",
            "authoritative ns2.dns.example nxdomain"
        ]
    );
    // Whether the resolver has cached the absence depends on the server that it queried.
    assert_eq!(
        codes(&document)[..2],
        ["not-on-all-servers", "serials-differ"]
    );
    let findings = document["findings"].as_array().unwrap();
    let lines: Vec<&str> = findings[1]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert!(
        lines[0].ends_with("serial 2") && lines[1].ends_with("serial 1"),
        "{lines:?}"
    );
    assert!(
        message(&document, "not-on-all-servers").contains("ns2.dns.example"),
        "{document:#}"
    );
}

#[test]
fn a_resolver_with_its_own_view_is_reported() {
    assert_rows(
        &[
            (
                "view.example",
                1,
                "different",
                "unsigned",
                &["wrong-value", "resolver-differs"],
            ),
            ("fine.example", 0, "visible", "unsigned", &[]),
        ],
        &LAB.with_own_view(),
    );
    let both = ["--resolver", &LAB.non_validating()];
    let document = LAB
        .check("view.example", &LAB.with_own_view(), &both)
        .expect(1)
        .json();
    assert_eq!(
        server_answers(&document)[..2],
        ["resolver - cname", "resolver - cname"]
    );
    let message = message(&document, "resolver-differs");
    assert!(
        message.contains(&LAB.with_own_view()) && !message.contains(&LAB.non_validating()),
        "{message}"
    );
}

#[test]
fn zones_without_a_responding_server_are_unreachable() {
    assert_rows(
        &[
            (
                "dark.example",
                4,
                "unreachable",
                "unsigned",
                &["server-timeout", "server-connection-refused"],
            ),
            (
                "unserved.example",
                4,
                "unreachable",
                "unsigned",
                &["server-servfail", "server-refused"],
            ),
        ],
        &LAB.non_validating(),
    );
}

#[test]
fn a_refusal_by_caa_is_the_last_word() {
    let resolver = LAB.non_validating();
    let _ = LAB.check("caa.example", &resolver, &["--ca", "sectigo"]);
    let args = ["dcv-check", "--resolver", &resolver, "--ca", "sectigo"];
    let text = LAB.run("caa.example", &args).expect(1).stdout;
    let visible = text.find("the record is visible").unwrap();
    let refusal = text.find("error   ").unwrap();
    assert!(visible < refusal, "{text}");
    assert!(!text.contains("done "), "{text}");
}

#[test]
fn caa_records_are_judged_like_a_ca_does() {
    assert_rows(
        &[
            ("caa.example", 1, "visible", "unsigned", &["caa-forbids"]),
            (
                "caa-wild.example",
                1,
                "visible",
                "unsigned",
                &["caa-forbids"],
            ),
            (
                "caa-critical.example",
                1,
                "visible",
                "unsigned",
                &["caa-unknown-critical"],
            ),
            (
                "caa-alias.example",
                1,
                "visible",
                "unsigned",
                &["caa-forbids"],
            ),
            (
                "caa-malformed.example",
                1,
                "visible",
                "unsigned",
                &["caa-unreadable"],
            ),
            ("caa-fine.example", 0, "visible", "unsigned", &[]),
            (
                "caa-fails.example",
                1,
                "visible",
                "unsigned",
                &["caa-lookup-failed"],
            ),
        ],
        &LAB.non_validating(),
    );
    let by =
        |resolver: &str, zone: &str, ca: &[&str]| LAB.check(zone, resolver, ca).expect(1).json();
    let unsigned = by(
        &LAB.validating(),
        "caa-unsigned.example",
        &["--ca", "sectigo"],
    );
    assert!(
        message(&unsigned, "caa-lookup-failed").contains("invalid DNSSEC signatures"),
        "{unsigned:#}"
    );
    // Certum's CAA identifier is not confirmed. `--ca` is saved with the record, so the check without
    // a CA comes first.
    for (zone, ca, code) in [
        ("caa-limits.example", &[][..], "caa-needs-ca"),
        ("caa-limits.example", &["--ca", "certum"], "caa-ca-unknown"),
    ] {
        let document = LAB.check(zone, &LAB.non_validating(), ca).expect(0).json();
        assert_eq!(codes(&document), [code], "{document:#}");
    }
}

/// Fault D1: the records count that a CA gets when its resolver has nothing in its cache.
#[test]
fn caa_records_that_a_resolver_has_not_cached_are_judged() {
    let document = LAB
        .check(
            "caa-cached.example",
            &LAB.with_own_view(),
            &["--ca", "sectigo"],
        )
        .expect(1)
        .json();
    assert_eq!(codes(&document), ["caa-forbids"], "{document:#}");
    let message = message(&document, "caa-forbids");
    assert!(
        message.contains("the resolver has another answer"),
        "{message}"
    );
    let caa = &document["records"][0]["caa"][0];
    assert!(caa["server"].as_str().unwrap().starts_with("ns"), "{caa}");
    let agreed = LAB
        .check(
            "caa-cached.example",
            &LAB.non_validating(),
            &["--ca", "sectigo"],
        )
        .expect(1)
        .json();
    assert_eq!(codes(&agreed), ["caa-forbids"], "{agreed:#}");
    assert!(
        agreed["records"][0]["caa"][0]["server"].is_null(),
        "{agreed:#}"
    );
}

/// Returns the lines to paste in the next step of the finding with this code.
fn lines(document: &Json, code: &str) -> Vec<String> {
    let finding = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["code"] == code)
        .unwrap();
    let lines = finding["next"][0]["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn findings_contain_records_times_and_lines_to_add() {
    let ca = |name| ["--ca", name];
    let expired = LAB
        .check("expired.example", &LAB.non_validating(), &[])
        .expect(1)
        .json();
    let text = message(&expired, "dnssec-expired");
    assert!(
        text.contains("expired at 2026-02-01 00:00:00 +00:00") && text.contains("ns1.dns.example"),
        "{text}"
    );

    let other = LAB
        .check("caa.example", &LAB.non_validating(), &ca("namecheap"))
        .expect(1)
        .json();
    let text = message(&other, "caa-forbids");
    assert!(
        text.starts_with("caa.example CAA 0 issue \"letsencrypt.org\""),
        "{text}"
    );
    assert!(
        text.ends_with("may not issue for www.caa.example"),
        "{text}"
    );
    let both = [
        "caa.example. CAA 0 issue \"ssl.com\"",
        "caa.example. CAA 0 issue \"sectigo.com\"",
    ];
    assert_eq!(lines(&other, "caa-forbids"), both);
    let findings = other["findings"].as_array().unwrap().iter();
    let next = findings
        .filter(|one| one["code"] == "caa-forbids")
        .map(|one| one["next"][0]["text"].to_string())
        .next();
    let next = next.unwrap();
    assert!(
        next.contains("the zone of caa.example (resolvers may cache the present records for "),
        "{next}"
    );

    // If one of the reseller's CAs is allowed, only the other one is reported.
    let partly = LAB
        .check("caa-wild.example", &LAB.non_validating(), &ca("namecheap"))
        .expect(1)
        .json();
    assert_eq!(codes(&partly), ["caa-allows-some", "caa-forbids"]);
    assert_eq!(
        lines(&partly, "caa-allows-some"),
        ["caa-wild.example. CAA 0 issue \"ssl.com\""]
    );
    assert_eq!(partly["records"][0]["caa"][1]["name"], "*.caa-wild.example");

    // All CAs have to respect the parameters from a known date; before it, they are a warning.
    let before = ["--ca", "sectigo", "--at", "2027-03-14T23:59:59Z"];
    let terms = LAB
        .check("caa-terms.example", &LAB.non_validating(), &before)
        .expect(0)
        .json();
    assert_eq!(
        (codes(&terms), verdict(&terms)),
        (vec!["caa-parameters"], "visible")
    );
    let later = ["--ca", "sectigo", "--at", "2027-03-15T00:00:00Z"];
    let terms = LAB
        .check("caa-terms.example", &LAB.non_validating(), &later)
        .expect(1)
        .json();
    assert_eq!(codes(&terms), ["caa-parameters"]);

    // Absence is not cached for longer than the minimum in the SOA record.
    let absent = LAB
        .check(
            "absent.example",
            &LAB.non_validating(),
            &["--at", "2026-11-23T14:00:00Z"],
        )
        .expect(1)
        .json();
    let text = message(&absent, "negative-answer-cacheable");
    assert!(
        text.contains("until 14:01 +00:00 by resolver") || text.contains("until 14:00 +00:00 by"),
        "{text}"
    );
}

#[test]
fn csr_checks_caa_before_the_order() {
    for (zone, ca, code, found) in [
        ("caa.example", "sectigo", 1, "caa-forbids"),
        ("caa-critical.example", "sectigo", 1, "caa-unknown-critical"),
        ("caa-fine.example", "sectigo", 0, "caa-allows"),
        ("caa.example", "private", 0, ""),
    ] {
        let resolver = LAB.non_validating();
        let name = if zone == "caa-fine.example" {
            "www.caa-fine.example"
        } else {
            zone
        };
        let args = [
            "csr",
            name,
            "--ca",
            ca,
            "--check-caa",
            "--resolver",
            &resolver,
            "--json",
        ];
        let new = |more: &[&str]| LAB.run(zone, &[&args[..], more].concat());
        let created = new(&["--cert-name", &format!("new-{ca}")])
            .expect(code)
            .json();
        let codes: Vec<&str> = created["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["code"].as_str().unwrap())
            .collect();
        assert!(
            codes.contains(&found) || found.is_empty() && codes.is_empty(),
            "{zone} {ca}: {codes:?}"
        );
        assert_eq!(created["request"].is_null(), code == 1, "{zone}");
        if code == 1 {
            new(&["--cert-name", "allowed", "--allow", found]).expect(0);
        }
    }
}

#[test]
fn dnssec_is_validated_even_if_the_resolver_does_not() {
    assert_rows(
        &[
            ("signed.example", 0, "visible", "signed", &[]),
            (
                "expired.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-expired"],
            ),
            (
                "not-yet.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-not-yet-valid"],
            ),
            (
                "bogus.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-bogus"],
            ),
            (
                "ds-only.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-ds-without-key"],
            ),
            (
                "other-key.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-ds-mismatch"],
            ),
            (
                "unsigned-record.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-signature-missing"],
            ),
        ],
        &LAB.non_validating(),
    );
}

#[test]
fn a_validating_resolver_is_quoted() {
    assert_rows(
        &[
            ("fine.example", 0, "visible", "unsigned", &[]),
            ("signed.example", 0, "visible", "signed", &[]),
            (
                "expired.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-expired"],
            ),
            (
                "not-yet.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-not-yet-valid"],
            ),
            (
                "bogus.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-bogus"],
            ),
            (
                "ds-only.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-ds-without-key"],
            ),
            (
                "other-key.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-ds-mismatch"],
            ),
            (
                "unsigned-record.example",
                1,
                "unreachable",
                "broken",
                &["dnssec-signature-missing"],
            ),
        ],
        &LAB.validating(),
    );
    let expired = LAB
        .check("expired.example", &LAB.validating(), &[])
        .expect(1)
        .json();
    let quoted = expired["findings"][0]["lines"][0].as_str().unwrap();
    assert!(
        quoted.starts_with(&format!("resolver {}: ", LAB.validating())),
        "{quoted}"
    );
    assert_eq!(server_answers(&expired)[0], "resolver - bogus");
}
