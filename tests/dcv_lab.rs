//! `certctl dcv-check` in the DNS lab: what a zone and its servers can have wrong, each at real servers.
//! Needs: ip kdig knotd ldns-keygen ldns-signzone nsd nsenter unbound unshare
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::LazyLock;

use serde_json::Value;
use support::lab::Lab;

static LAB: LazyLock<Lab> = LazyLock::new(Lab::start);

fn verdict(document: &Value) -> &str {
    assert_eq!(document["schema"], "certctl.dcv-check/1", "{document}");
    document["verdict"].as_str().unwrap()
}

fn codes(document: &Value) -> Vec<&str> {
    document["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

/// What each server said about the first record: role, name or address, answer.
fn said(document: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let servers = document["records"][0]["servers"].as_array().unwrap().iter();
    servers.map(|one| format!("{} {} {}", text(&one["role"]), text(&one["name"]), text(&one["answer"]))).collect()
}

#[test]
fn each_zone_of_the_lab_has_its_findings() {
    for (zone, code, wanted, findings) in [
        ("fine.example", 0, "visible", vec![]),
        ("signed.example", 0, "visible", vec![]),
        ("absent.example", 1, "absent", vec!["not-published"]),
        ("behind.example", 1, "absent", vec!["not-on-all-servers"]),
    ] {
        let document = LAB.check(zone, &LAB.validating(), &[]).expect(code).json();
        assert_eq!((verdict(&document), codes(&document)), (wanted, findings), "{zone}\n{document:#}");
    }
}

#[test]
fn every_server_of_the_zone_is_asked() {
    let document = LAB.check("behind.example", &LAB.validating(), &[]).expect(1).json();
    let said = said(&document);
    assert_eq!(said[1..], ["authoritative ns1.dns.example cname", "authoritative ns2.dns.example nxdomain"]);
}
