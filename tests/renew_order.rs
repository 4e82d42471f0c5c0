//! Tests `certctl renew` for certificates that are ordered, with the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use support::Run;
use support::dns::with_port_53;
use support::external::path_of;
use support::install_sandbox::{codes, link};
use support::json::Json;
use support::nginx::Nginx;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::stub_api::{StubApi, StubReply};
use support::stub_ca::{StubBehaviour, StubCa};

/// Makes every certificate of the test CA due.
const ALL_DUE: [&str; 2] = ["--renew-before", "9000d"];

/// Orders a certificate and installs it in an nginx, which keeps running.
fn installed(lab: &OrderLab) -> Nginx {
    let placeholder = [
        "--root",
        "tree",
        "install",
        "--placeholder",
        NAMES[0],
        NAMES[1],
    ];
    lab.sandbox.run(&placeholder).expect(0);
    let nginx = lab.nginx(&lab.both_blocks());
    let config = nginx.config().display().to_string();
    let server = ["--server", "nginx", "--server-config", &config];
    lab.sandbox
        .run(&[&placeholder[..], &server].concat())
        .expect(0);
    let ordered = lab.order(&[]).expect(0).json();
    assert_eq!(verdict(&ordered), "live", "{ordered}");
    nginx
}

/// Runs `renew` for the tree of the test.
fn renew(lab: &OrderLab, more: &[&str]) -> Run {
    let words = ["--root", "tree", "renew", "--json"];
    lab.sandbox.run(&[&words[..], more].concat())
}

fn due(lab: &OrderLab, more: &[&str]) -> Run {
    renew(lab, &[&ALL_DUE[..], more].concat())
}

/// The id of the key that servers read after a renewal.
fn key_id(document: &Json) -> String {
    let after = &document["certificates"][0]["after"];
    after["key_id"].as_str().unwrap().to_owned()
}

fn issued(lab: &OrderLab) -> usize {
    lab.pebble.log().matches("Issued certificate").count()
}

#[test]
fn a_renewal_orders_and_installs_with_the_saved_options() {
    with_port_53(
        "a_renewal_orders_and_installs_with_the_saved_options",
        || {
            let lab = OrderLab::start(0, PebbleOptions::default());
            let _nginx = installed(&lab);
            let nothing = renew(&lab, &[]).expect(0).json();
            assert_eq!(verdict(&nothing), "nothing-due", "{nothing}");
            let named = renew(&lab, &[NAMES[1]]).expect(0).json();
            assert_eq!(verdict(&named), "nothing-due", "{named}");
            let planned = due(&lab, &["--dry-run"]).expect(0).json();
            assert_eq!(verdict(&planned), "planned", "{planned}");
            assert_eq!(planned["would_change"], true);
            assert_eq!(issued(&lab), 1);

            let renewed = due(&lab, &[]).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            let first = &renewed["certificates"][0];
            assert_eq!(first["ordered"]["verdict"], "live");
            assert_eq!(first["ordered"]["certificates"][0]["proof"], "live");
            assert_ne!(first["before"]["sha256"], first["after"]["sha256"]);
            assert_ne!(first["before"]["key_id"], first["after"]["key_id"]);
            assert_eq!(issued(&lab), 2);
            // Nothing is left of the order but the account and the files of the request.
            assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
            assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
            assert_eq!(lab.state("requests").len(), 3);

            // The key is kept from the first time that this is asked for, until a new one is forced.
            for more in [&["--reuse-key"][..], &[]] {
                let kept = due(&lab, more).expect(0).json();
                assert_eq!(verdict(&kept), "renewed", "{kept}");
                assert_eq!(key_id(&kept), key_id(&renewed), "{kept}");
            }
            for more in [&[NAMES[0], "--force"][..], &ALL_DUE] {
                let last = renew(&lab, more).expect(0).json();
                assert_eq!(verdict(&last), "renewed", "{last}");
                let first = &last["certificates"][0];
                assert_ne!(
                    first["before"]["key_id"], first["after"]["key_id"],
                    "{last}"
                );
            }
        },
    );
}

#[test]
fn what_was_obtained_is_installed_later_without_another_order() {
    with_port_53(
        "what_was_obtained_is_installed_later_without_another_order",
        || {
            let lab = OrderLab::start(1, PebbleOptions::default());
            let _nginx = installed(&lab);
            due(&lab, &[]).expect(0);
            for _ in 0..2 {
                let ready = due(&lab, &["--no-install"]).expect(0).json();
                assert_eq!(verdict(&ready), "ready", "{ready}");
                let first = &ready["certificates"][0];
                assert_eq!(first["before"], first["after"], "{ready}");
                assert_eq!(issued(&lab), 3);
            }
            let renewed = due(&lab, &[]).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            assert_eq!(issued(&lab), 3);
            assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
        },
    );
}

#[test]
fn a_certificate_of_the_same_second_is_not_ordered_again() {
    with_port_53(
        "a_certificate_of_the_same_second_is_not_ordered_again",
        || {
            let lab = OrderLab::start(10, PebbleOptions::default());
            let _nginx = installed(&lab);
            due(&lab, &[]).expect(0);
            let obtained = "tree/var/lib/certctl/requests/shop.example";
            let renewed = lab.sandbox.read(&format!("{obtained}.fullchain.pem"));
            let (key, twin) = with_the_dates_of(&renewed);
            lab.sandbox.write_key(&format!("{obtained}-2.key"), key);
            lab.sandbox
                .write(&format!("{obtained}-2.fullchain.pem"), twin);
            let ready = due(&lab, &["--no-install"]).expect(0).json();
            assert_eq!(verdict(&ready), "ready", "{ready}");
            assert_eq!(issued(&lab), 2);
        },
    );
}

/// Makes a key and another certificate with the names and the dates of this one.
fn with_the_dates_of(chain: &str) -> (String, String) {
    let (_, pem) = x509_parser::pem::parse_x509_pem(chain.as_bytes()).unwrap();
    let validity = pem.parse_x509().unwrap().validity.clone();
    let mut params = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
    params.not_before = validity.not_before.to_datetime();
    params.not_after = validity.not_after.to_datetime();
    let key = KeyPair::generate().unwrap();
    let twin = params.self_signed(&key).unwrap();
    (key.serialize_pem(), twin.pem())
}

#[test]
fn one_failure_does_not_stop_the_others() {
    with_port_53("one_failure_does_not_stop_the_others", || {
        let lab = OrderLab::start(2, PebbleOptions::default());
        let records = ["--dns", "rfc2136", "--agree-tos", "--json"];
        for names in [
            &["a.shop.example"][..],
            &["b.shop.example", "*.b.shop.example"],
        ] {
            let ordered = lab.order_names(names, &records).expect(0).json();
            assert_eq!(verdict(&ordered), "files", "{ordered}");
        }
        let settings = "tree/etc/ssl/certctl/a.shop.example/settings.json";
        let text = lab.sandbox.read(settings);
        let unreachable = text.replace(":14000/", ":1/");
        assert_ne!(text, unreachable);
        lab.sandbox.write(settings, unreachable);

        let mixed = due(&lab, &[]).expect(4).json();
        assert_eq!(verdict(&mixed), "renewed", "{mixed}");
        let failed = codes(&mixed).contains(&"renewal-failed");
        assert!(failed, "{mixed}");
        assert_eq!(mixed["certificates"][0]["name"], "b.shop.example");
        assert_eq!(
            mixed["certificates"][0]["ordered"]["order"]["method"],
            "dns-01"
        );
        assert_eq!(issued(&lab), 3);
        assert_eq!(lab.state("records"), Vec::<PathBuf>::new());
    });
}

#[test]
fn an_interrupted_renewal_is_finished_by_the_next_run() {
    with_port_53("an_interrupted_renewal_is_finished_by_the_next_run", || {
        let options = PebbleOptions {
            validation_seconds: 4,
            ..PebbleOptions::default()
        };
        let lab = OrderLab::start(3, options);
        let _nginx = installed(&lab);
        let words = [&["--root", "tree", "renew"], &ALL_DUE[..]].concat();
        let mut command = lab.sandbox.command(&words);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let is_entry = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
        while !lab.state("orders").iter().any(is_entry) {
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // It is not due with the usual options, and is finished nevertheless.
        let finished = renew(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&finished), "renewed", "{finished}");
        assert_eq!(issued(&lab), 2);
        let nothing = renew(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&nothing), "nothing-due", "{nothing}");
    });
}

#[test]
fn a_failed_renewal_is_tried_again_after_a_pause() {
    with_port_53("a_failed_renewal_is_tried_again_after_a_pause", || {
        let lab = OrderLab::start(5, PebbleOptions::default());
        let _nginx = installed(&lab);
        let webroot = lab.sandbox.join("webroot");
        let elsewhere = lab.sandbox.join("elsewhere");
        std::fs::rename(&webroot, &elsewhere).unwrap();
        let failed = due(&lab, &[]);
        assert_ne!(failed.code, 0, "{failed}");
        assert_eq!(lab.state("failed-renewals").len(), 1);

        // The cause is removed. A timer waits; a person does not.
        std::fs::rename(&elsewhere, &webroot).unwrap();
        let waiting = due(&lab, &[]).expect(1).json();
        assert_eq!(verdict(&waiting), "pending", "{waiting}");
        assert!(
            codes(&waiting).contains(&"last-renewal-failed"),
            "{waiting}"
        );
        let order = &waiting["certificates"][0]["ordered"]["order"];
        assert!(order["not_before"].as_str().is_some(), "{waiting}");
        assert_eq!(issued(&lab), 1);
        let renewed = due(&lab, &[NAMES[0]]).expect(0).json();
        assert_eq!(verdict(&renewed), "renewed", "{renewed}");
        assert_eq!(lab.state("failed-renewals"), Vec::<PathBuf>::new());
    });
}

#[test]
fn a_certificate_is_installed_in_its_window() {
    with_port_53("a_certificate_is_installed_in_its_window", || {
        let lab = OrderLab::start(6, PebbleOptions::default());
        let _nginx = installed(&lab);
        let hour = |hours: i64| {
            let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
            at.strftime("%H:%M").to_string()
        };
        let config = "tree/etc/certctl/config.toml";
        let window = |start, end| format!("install_window = \"{}-{}\"\n", hour(start), hour(end));
        lab.sandbox.write(config, window(6, 7));
        let ready = due(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&ready), "ready", "{ready}");
        assert!(codes(&ready).contains(&"outside-install-window"), "{ready}");
        lab.sandbox.write(config, window(-1, 1));
        let renewed = due(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&renewed), "renewed", "{renewed}");
        assert_eq!(issued(&lab), 2);
        lab.sandbox.write(config, "install_window = \"soon\"\n");
        let refused = due(&lab, &[]).expect(3);
        assert!(refused.stdout.contains("install_window"), "{refused}");
    });
}

/// A stub: the directory of pebble with renewal information, which Debian's pebble lacks. pebble itself
/// does not repeat what an order replaces, so certctl orders without it.
#[test]
fn the_ca_says_when_to_renew() {
    with_port_53("the_ca_says_when_to_renew", || {
        let lab = OrderLab::start(7, PebbleOptions::default());
        let pebble = lab.pebble.directory().replace("/dir", "");
        let window = Arc::new(Mutex::new(("2090-01-01", "2090-01-02")));
        let suggested = Arc::clone(&window);
        let stub = StubApi::start(move |request| {
            if request.path.starts_with("/renewal-info/") {
                let (start, end) = *suggested.lock().unwrap();
                return StubReply::json(
                    200,
                    format!(
                        "{{\"suggestedWindow\": {{\"start\": \"{start}T00:00:00Z\", \"end\": \"{end}T00:00:00Z\"}}}}"
                    ),
                );
            }
            let host = &request.headers["host"];
            StubReply::json(
                200,
                format!(
                    "{{\"newNonce\": \"{pebble}/nonce-plz\", \"newAccount\": \"{pebble}/sign-me-up\", \
                     \"newOrder\": \"{pebble}/order-plz\", \"revokeCert\": \"{pebble}/revoke-cert\", \
                     \"keyChange\": \"{pebble}/rollover-account-key\", \
                     \"renewalInfo\": \"http://{host}/renewal-info\"}}"
                ),
            )
        });
        let directory = format!("{}/dir", stub.url);
        let records = [
            "--dns",
            "rfc2136",
            "--agree-tos",
            "--ca",
            &directory,
            "--json",
        ];
        let words = lab.words(&["a.shop.example"], &records);
        let first = words.iter().position(|word| word == "--ca").unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let words = [&words[..first], &words[first + 2..]].concat();
        let ordered = lab.sandbox.run(&words).expect(0).json();
        assert_eq!(verdict(&ordered), "files", "{ordered}");

        // A window that comes too late is not followed, and the certificate is not due yet.
        let nothing = renew(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&nothing), "nothing-due", "{nothing}");
        *window.lock().unwrap() = ("2026-01-01", "2026-01-02");
        let renewed = renew(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&renewed), "renewed", "{renewed}");
        assert_eq!(issued(&lab), 2);
        let asked = stub.requests().into_iter().map(|request| request.path);
        let asked: Vec<String> = asked
            .filter(|path| path.contains("renewal-info/"))
            .collect();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert_eq!(asked[0], asked[1]);
    });
}

/// RFC 9773 5: a CA refuses an order that names a certificate which another order has replaced. The CA is a
/// stub, because Debian's pebble knows neither renewal information nor `replaces`.
#[test]
fn a_certificate_that_was_replaced_is_ordered_without_its_name() {
    with_port_53(
        "a_certificate_that_was_replaced_is_ordered_without_its_name",
        || {
            let lab = OrderLab::start(9, PebbleOptions::default());
            let ca = StubCa::start(StubBehaviour {
                has_replaced_all: true,
                ..StubBehaviour::default()
            });
            lab.sandbox.write("stub.pem", ca.authority.root_pem());
            let directory = ca.directory();
            let resolver = lab.resolver().to_string();
            let words = ["--root", "tree", "order", NAMES[0], "--ca", &directory];
            let at = ["--trust", "stub.pem", "--resolver", &resolver];
            let records = ["--dns", "rfc2136", "--agree-tos", "--json"];
            let words = [&words[..], &at, &records].concat();
            let ordered = lab.sandbox.run(&words).expect(0).json();
            assert_eq!(verdict(&ordered), "files", "{ordered}");
            let renewed = renew(&lab, &[]).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            let mut replaces = Vec::new();
            for order in ca.payloads("/order") {
                replaces.push(order.get("replaces").is_some());
            }
            assert_eq!(replaces, [false, true, false]);
        },
    );
}

/// The link to the second certificate.
const B_LIVE: &str = "tree/etc/ssl/certctl/b.shop.example/live";

/// Installs two certificates in one nginx, whose test fails if the second one is not the one that the file
/// `only` names.
fn two_sites(lab: &OrderLab) -> Nginx {
    let sandbox = &lab.sandbox;
    let records = ["--dns", "rfc2136", "--agree-tos", "--json"];
    let mut blocks = String::new();
    let tree = sandbox.join("tree").display().to_string();
    for name in ["a.shop.example", "b.shop.example"] {
        lab.order_names(&[name], &records).expect(0);
        blocks += &format!(
            "server {{ listen {}:443 ssl; server_name {name}; return 204;\n\
             ssl_certificate {tree}/etc/ssl/{name}.fullchain.pem;\n\
             ssl_certificate_key {tree}/etc/ssl/private/{name}.key; }}\n",
            lab.site
        );
    }
    let nginx = lab.nginx(&blocks);
    let config = nginx.config().display().to_string();
    let script = format!(
        "#!/bin/sh\nif [ -e {0} ] && [ \"$(readlink {1})\" != \"$(cat {0})\" ]; then exit 1; fi\n\
         exec {2} -t -c {config}\n",
        sandbox.join("only").display(),
        sandbox.join(B_LIVE).display(),
        path_of("nginx").display(),
    );
    let test = sandbox.write("check", script);
    std::fs::set_permissions(&test, std::fs::Permissions::from_mode(0o755)).unwrap();
    let test = test.display().to_string();
    for name in ["a.shop.example", "b.shop.example"] {
        let words = ["--root", "tree", "install", name, "--json", "--test", &test];
        let server = ["--server", "nginx", "--server-config", &config];
        let installed = sandbox.run(&[&words[..], &server].concat());
        assert_eq!(verdict(&installed.expect(0).json()), "live");
    }
    nginx
}

fn reloads(nginx: &Nginx) -> usize {
    nginx.log().matches("SIGHUP) received").count()
}

/// The verdicts of the installs, by name.
fn installs(document: &Json) -> Vec<(String, String)> {
    let certificates = document["certificates"].as_array().unwrap();
    let mut found = Vec::new();
    for one in certificates {
        let name = one["name"].as_str().unwrap().to_owned();
        let verdict = one["ordered"]["verdict"].as_str().unwrap();
        found.push((name, verdict.to_owned()));
    }
    found.sort();
    found
}

#[test]
fn one_reload_installs_all_that_was_renewed() {
    with_port_53("one_reload_installs_all_that_was_renewed", || {
        let lab = OrderLab::start(8, PebbleOptions::default());
        let nginx = two_sites(&lab);
        let before = reloads(&nginx);
        let renewed = due(&lab, &[]).expect(0).json();
        let both = |a: &str, b: &str| {
            let names = ["a.shop.example", "b.shop.example"].map(str::to_owned);
            let [first, second] = names;
            vec![(first, a.to_owned()), (second, b.to_owned())]
        };
        assert_eq!(installs(&renewed), both("live", "live"), "{renewed}");
        assert_eq!(reloads(&nginx), before + 1);
        assert_eq!(issued(&lab), 4);
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());

        // The server does not accept the second one: the first one is installed without it.
        lab.sandbox.write("only", link(&lab.sandbox, B_LIVE));
        let half = due(&lab, &[]).expect(5).json();
        assert_eq!(installs(&half), both("live", "rolled-back"), "{half}");
        assert_eq!(issued(&lab), 6);
        std::fs::remove_file(lab.sandbox.join("only")).unwrap();
        let rest = renew(&lab, &["b.shop.example"]).expect(0).json();
        assert_eq!(verdict(&rest), "renewed", "{rest}");
        assert_eq!(issued(&lab), 6);
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
        assert_eq!(lab.state("failed-renewals"), Vec::<PathBuf>::new());
    });
}
