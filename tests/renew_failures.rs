//! Tests what follows when a renewal fails: the advice, the next try, and the way past a certificate that
//! was refused; and its warning about TLSA records. With the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use jiff::Timestamp;
use support::dns::with_port_53;
use support::install_sandbox::codes;
use support::json::Json;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::stub_api::StubReply;
use support::stub_ca::{StubBehaviour, StubCa, problem};
use support::{Run, Sandbox};

/// Makes every certificate of the test CA due.
const ALL_DUE: [&str; 4] = ["renew", "--json", "--renew-before", "9000d"];

fn renew(sandbox: &Sandbox, more: &[&str]) -> Run {
    sandbox.run(&[&["--root", "tree"], &ALL_DUE[..], more].concat())
}

fn issued(lab: &OrderLab) -> usize {
    lab.pebble.log().matches("Issued certificate").count()
}

/// The only entry of the journal.
fn journal(lab: &OrderLab) -> (PathBuf, Json) {
    let path = lab.state("orders").pop().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    (path, Json::parse(&text))
}

/// Runs the first command with this word among all steps of a document.
fn run_step(sandbox: &Sandbox, document: &Json, word: &str) -> Run {
    let mut steps = Vec::new();
    for finding in document["findings"].as_array().unwrap() {
        steps.extend(finding["next"].as_array().unwrap());
    }
    steps.extend(document["next"].as_array().unwrap());
    for step in steps {
        let Some(argv) = step.get("argv").and_then(|argv| argv.as_array()) else {
            continue;
        };
        let mut words: Vec<&str> = argv.iter().map(|word| word.as_str().unwrap()).collect();
        if words.contains(&word) {
            assert_eq!(words[0], "certctl", "{document}");
            words.retain(|word| *word != "--json");
            return sandbox.run(&[&words[1..], &["--json"]].concat());
        }
    }
    panic!("no step has {word}: {document}");
}

/// `renew` has no option that skips a check: the step is an order of the same certificate.
#[test]
fn a_renewal_that_cannot_check_its_files_leads_to_an_order() {
    with_port_53(
        "a_renewal_that_cannot_check_its_files_leads_to_an_order",
        || {
            let lab = OrderLab::start(0, PebbleOptions::default());
            let nginx = lab.nginx(&lab.plain_block());
            let named = ["--cert-name", "shop"];
            let ordered = lab.order(&named).expect(0).json();
            assert_eq!(verdict(&ordered), "files", "{ordered}");
            drop(nginx);
            let refused = renew(&lab.sandbox, &[]).expect(1).json();
            assert_eq!(codes(&refused), ["challenge-file-unchecked"; 2]);
            assert!(refused.to_string().contains("\"--force\""), "{refused}");
            // `order` follows the configured rule, too.
            let config = "tree/etc/certctl/config.toml";
            lab.sandbox.write(config, "renew_before = \"9000d\"\n");
            let waiting = lab.sandbox.run(&["--root", "tree", "renew", "--json"]);
            let waiting = waiting.expect(1).json();
            assert_eq!(codes(&waiting), ["last-renewal-failed"], "{waiting}");
            let due = run_step(&lab.sandbox, &waiting, "renew").expect(1).json();
            assert!(!due.to_string().contains("\"--force\""), "{due}");
            std::fs::remove_file(lab.sandbox.join(config)).unwrap();
            // The CA can reach the site again.
            let _nginx = lab.nginx(&lab.plain_block());
            let ordered = run_step(&lab.sandbox, &refused, "--allow").expect(0).json();
            assert_eq!(verdict(&ordered), "files", "{ordered}");
            assert_eq!(ordered["certificates"][0]["name"], "shop", "{ordered}");
            assert_eq!(issued(&lab), 2);
        },
    );
}

#[test]
fn force_orders_again_only_after_a_refusal() {
    with_port_53("force_orders_again_only_after_a_refusal", || {
        let lab = OrderLab::start(1, PebbleOptions::default());
        let _nginx = lab.nginx(&lab.plain_block());
        let api_only = lab.pebble.api_root().display().to_string();
        let untrusted = ["--trust", &api_only];
        let words = |more: &[&str]| {
            let files = ["--webroot", "webroot", "--agree-tos", "--json"];
            let mut words = lab.words(&NAMES, &[&files[..], more].concat());
            let trust = words.iter().position(|word| word == "--trust").unwrap();
            words.drain(trust..trust + 2);
            words
        };
        let order = |more: &[&str]| {
            let words = words(more);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            lab.sandbox.run(&words)
        };
        let mut refused = Json::parse("{}");
        for _ in 0..2 {
            refused = order(&untrusted).expect(1).json();
            assert_eq!(verdict(&refused), "refused", "{refused}");
            assert_eq!(issued(&lab), 1);
        }
        // The certificate was refused, and another one is wanted.
        let again = run_step(&lab.sandbox, &refused, "--force").expect(1).json();
        assert_eq!(verdict(&again), "refused", "{again}");
        assert_eq!(issued(&lab), 2);
        // As if that run had been killed before the install: it is continued.
        let (path, mut entry) = journal(&lab);
        assert!(entry.get("refused").is_some(), "{entry}");
        entry.remove("refused");
        std::fs::write(&path, entry.to_string()).unwrap();
        let roots = lab.pebble.roots().display().to_string();
        let installed = order(&["--force", "--trust", &roots]).expect(0).json();
        assert_eq!(verdict(&installed), "files", "{installed}");
        assert_eq!(issued(&lab), 2);
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
    });
}

#[test]
fn a_renewal_gets_past_a_certificate_that_was_refused_or_has_expired() {
    with_port_53(
        "a_renewal_gets_past_a_certificate_that_was_refused_or_has_expired",
        || {
            let lab = OrderLab::start(2, PebbleOptions::default());
            let _nginx = lab.nginx(&lab.plain_block());
            lab.order(&[]).expect(0);
            let kept = "tree/etc/ssl/certctl/shop.example/trust.pem";
            let roots = lab.sandbox.read(kept);
            let api_only = std::fs::read_to_string(lab.pebble.api_root()).unwrap();
            lab.sandbox.write(kept, &api_only);
            for _ in 0..2 {
                let refused = renew(&lab.sandbox, &[NAMES[0]]).expect(1).json();
                assert_eq!(verdict(&refused), "pending", "{refused}");
                assert_eq!(issued(&lab), 2);
            }
            let forced = ["--root", "tree", "renew", NAMES[0], "--force", "--json"];
            lab.sandbox.run(&forced).expect(1);
            assert_eq!(issued(&lab), 3);
            // Once it has expired, it is ordered without `--force`. The new one of this CA would have expired too.
            let later = ["--root", "tree", "--at", "2045-01-01T00:00:00Z", "renew"];
            lab.sandbox
                .run(&[&later[..], &["--json"]].concat())
                .expect(1);
            assert_eq!(issued(&lab), 4);
            lab.sandbox.write(kept, &roots);
            let renewed = renew(&lab.sandbox, &[NAMES[0]]).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            assert_eq!(issued(&lab), 4);
            assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
            assert_eq!(lab.state("failed-renewals"), Vec::<PathBuf>::new());
        },
    );
}

/// The seconds between the last failed try and the next one.
fn pause(lab: &OrderLab) -> i64 {
    let path = lab.state("failed-renewals").pop().unwrap();
    let entry = Json::parse(&std::fs::read_to_string(path).unwrap());
    let time = |field: &str| -> Timestamp { entry[field].as_str().unwrap().parse().unwrap() };
    time("again_at").duration_since(time("at")).as_secs()
}

/// The CA is a stub that answers "busy".
#[test]
fn the_ca_lengthens_the_pause_before_the_next_try() {
    with_port_53("the_ca_lengthens_the_pause_before_the_next_try", || {
        let lab = OrderLab::start(3, PebbleOptions::default());
        let ca = StubCa::start(StubBehaviour::default());
        lab.sandbox.write("stub.pem", ca.authority.root_pem());
        let directory = ca.directory();
        let resolver = lab.resolver().to_string();
        let words = ["--root", "tree", "order", NAMES[0], "--ca", &directory];
        let at = ["--trust", "stub.pem", "--resolver", &resolver];
        let records = ["--dns", "rfc2136", "--agree-tos", "--json"];
        let words = [&words[..], &at, &records].concat();
        lab.sandbox.run(&words).expect(0);
        let hour = 3600;
        for (path, status, hours) in [("/order", 429, 5), ("/dir", 503, 9), ("/order", 500, 0)] {
            let mut reply = problem(status, "rateLimited", "too many orders");
            if hours > 0 {
                let seconds = (hours * hour).to_string();
                reply.headers.push(("retry-after", seconds));
            }
            ca.behave(StubBehaviour::replying(path, StubReply { ..reply }));
            renew(&lab.sandbox, &[NAMES[0]]).expect(4);
            let pause = pause(&lab);
            let expected = hours * hour;
            // Without a wish of the CA, the third failure is followed by a pause of four hours.
            let expected = if hours == 0 { 4 * hour } else { expected };
            assert!(
                (expected..expected + 60).contains(&pause),
                "{path}: {pause}"
            );
        }
    });
}

#[test]
fn tlsa_records_for_the_renewed_certificate_are_warnings() {
    with_port_53(
        "tlsa_records_for_the_renewed_certificate_are_warnings",
        || {
            let mut lab = OrderLab::start(4, PebbleOptions::default());
            let _nginx = lab.nginx(&lab.plain_block());
            lab.order(&[]).expect(0);
            let file = "shop.example.fullchain.pem";
            let inspected = lab
                .sandbox
                .run(&["inspect", file, "--json"])
                .expect(0)
                .json();
            let leaf = &inspected["items"][0];
            let text = |value: &Json| value.as_str().unwrap().to_owned();
            let (key, whole) = (text(&leaf["key"]["id"]), text(&leaf["sha256"]));
            let (server, site) = (lab.resolver, lab.site);
            let records = format!(
                "ns1 A {server}\nns2 A {server}\n@ A {site}\nwww A {site}\n\
             _443._tcp TLSA 3 1 1 {key}\n_25._tcp.www TLSA 3 0 1 {whole}\n\
             _443._tcp.www TLSA 2 1 1 {key}\n_25._tcp TLSA 3 1 1 {whole}"
            );
            lab.knot.publish(&records, 2);
            let warnings = |document: &Json| {
                let found = codes(document).into_iter();
                found.filter(|code| *code == "tlsa-mismatch").count()
            };
            let planned = renew(&lab.sandbox, &["--dry-run"]).expect(0).json();
            assert_eq!(warnings(&planned), 2, "{planned}");
            let planned = renew(&lab.sandbox, &["--dry-run", "--reuse-key"]);
            let planned = planned.expect(0).json();
            assert_eq!(warnings(&planned), 1, "{planned}");
            let renewed = renew(&lab.sandbox, &[]).expect(0);
            let document = renewed.json();
            assert_eq!(warnings(&document), 2, "{document}");
            let after = text(&document["certificates"][0]["after"]["key_id"]);
            let line = format!("_443._tcp.shop.example. TLSA 3 1 1 {after}");
            assert!(renewed.stdout.contains(&line), "{document}");
        },
    );
}
