//! Tests `certctl order --ca namecheap` against a stub of its API, built from the documentation, with
//! the real knot and nginx on loopback.
//! Needs: bash ip kdig knotd nginx strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use support::dns::with_port_53;
use support::external::external_program;
use support::install_sandbox::{codes, tree};
use support::json::Json;
use support::namecheap_lab::{BOUGHT, NamecheapLab};
use support::order_lab::{sha256, verdict};
use support::program::program;
use support::stub_namecheap::API_KEY;

/// The id that is saved for the next renewal.
fn saved_id(lab: &NamecheapLab) -> String {
    let text = lab
        .sandbox
        .read("tree/etc/ssl/certctl/shop.example/settings.json");
    let settings = Json::parse(&text);
    settings["order"]["certificate"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_bought_certificate_is_activated_installed_and_reissued() {
    with_port_53(
        "a_bought_certificate_is_activated_installed_and_reissued",
        || {
            let lab = NamecheapLab::with_zone(0);
            let _nginx = lab.serve_placeholder();
            let planned = lab.order(&["--dry-run"]).expect(0).json();
            assert_eq!(verdict(&planned), "planned", "{planned}");
            let steps = planned["order"]["steps"].to_string();
            assert!(
                steps.contains("activate the certificate 953413 (PositiveSSL)"),
                "{planned}"
            );
            assert_eq!(lab.namecheap.counts(), [0, 0, 0]);

            let ordered = lab.order(&[]).expect(0).json();
            assert_eq!(verdict(&ordered), "live", "{ordered}");
            assert_eq!(ordered["order"]["method"], "cname");
            assert_eq!(ordered["order"]["certificate"], BOUGHT.to_string().as_str());
            assert_eq!(ordered["certificates"][0]["proof"], "live");
            assert!(
                codes(&ordered).contains(&"activation-is-final"),
                "{ordered}"
            );
            assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
            assert_eq!(saved_id(&lab), BOUGHT.to_string());
            // The record is removed, and nothing is left of the order.
            for folder in ["orders", "records"] {
                assert_eq!(lab.state(folder), Vec::<PathBuf>::new());
            }
            let unchanged = lab.order(&[]).expect(0).json();
            assert_eq!(verdict(&unchanged), "unchanged", "{unchanged}");

            // A renewal reissues: another key, another id.
            let words = [
                "--root",
                "tree",
                "renew",
                "--renew-before",
                "9000d",
                "--json",
            ];
            let renewed = lab.sandbox.run(&words).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            let first = &renewed["certificates"][0];
            assert_ne!(first["before"]["key_id"], first["after"]["key_id"]);
            assert_ne!(first["after"]["sha256"].as_str().unwrap(), sha256(&ordered));
            assert_eq!(lab.namecheap.counts(), [0, 1, 1]);
            assert_eq!(saved_id(&lab), "953414");

            // Somebody has reissued it on the web page: the new id is followed.
            lab.namecheap.with(|account| {
                let copy = account.certificates[&953_414].clone();
                account.certificates.insert(953_415, copy);
                let old = account.certificates.get_mut(&953_414).unwrap();
                old.status = "REPLACED";
                old.replaced_by = Some(953_415);
            });
            let renewed = lab.sandbox.run(&words).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            assert_eq!(lab.namecheap.counts(), [0, 1, 2]);
            assert_eq!(saved_id(&lab), "953416");
            lab.namecheap.assert_clean();
        },
    );
}

/// The files below a folder that contain the key, except for the credentials.
fn files_with_key(lab: &NamecheapLab) -> Vec<PathBuf> {
    let files = tree(lab.sandbox.path()).into_keys();
    let has_key = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(API_KEY)
    };
    let files = files.filter(|path| !path.ends_with("credentials.toml"));
    files
        .filter(|path| path.is_file() && has_key(path))
        .collect()
}

#[test]
fn the_key_is_in_no_call_but_those_that_read_and_send_it() {
    let lab = NamecheapLab::offline();
    let own = [
        "--no-install",
        "--allow",
        "unchecked-record",
        "-v",
        "--certificate",
    ];
    let mut words = lab.words(&own);
    words.push(BOUGHT.to_string());
    let log = lab.sandbox.join("trace").display().to_string();
    let output = external_program("strace")
        .args(["-f", "-qq", "-o", &log, "-yy", "-v", "-s", "100000"])
        .arg(program())
        .args(&words)
        .current_dir(lab.sandbox.path())
        .output()
        .unwrap();
    let text = lab.sandbox.read("trace");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    std::fs::remove_file(&log).unwrap();
    let with_key: Vec<&str> = text.lines().filter(|line| line.contains(API_KEY)).collect();
    let is_read = |line: &&str| line.contains("read") && line.contains("credentials.toml>");
    // On loopback the API is plain HTTP; elsewhere TLS encrypts it. It is in the body, not in the URL.
    let is_sent = |line: &&str| {
        line.contains("<TCP:[") && line.contains("ApiUser=shopuser&ApiKey=") && !line.contains('?')
    };
    let read = with_key.iter().filter(|line| is_read(line)).count();
    let sent = with_key.iter().filter(|line| is_sent(line)).count();
    assert!(read > 0, "{with_key:?}");
    assert_eq!(sent, lab.namecheap.commands().len(), "{with_key:?}");
    assert_eq!(with_key.len(), sent + read, "{with_key:?}");
    assert_eq!(files_with_key(&lab), Vec::<PathBuf>::new());
    lab.namecheap.assert_clean();
}

#[test]
fn without_a_dns_provider_the_record_is_printed_and_awaited() {
    with_port_53(
        "without_a_dns_provider_the_record_is_printed_and_awaited",
        || {
            let lab = NamecheapLab::with_zone(1);
            let id = BOUGHT.to_string();
            let words = lab.words(&["--certificate", &id, "--no-install", "--json"]);
            for _ in 0..2 {
                let waiting = lab.run(&words).expect(1).json();
                assert_eq!(verdict(&waiting), "pending", "{waiting}");
                let record = &waiting["order"]["records"][0];
                let name = record["name"].as_str().unwrap();
                let value = record["value"].as_str().unwrap();
                assert!(name.ends_with(".shop.example"), "{waiting}");
                let line = format!("{name}. CNAME {value}.");
                assert!(waiting["next"].to_string().contains(&line), "{waiting}");
            }
            // The person adds the record at the provider; here certctl does.
            let mut words = words;
            words.extend(["--dns", "rfc2136"].map(str::to_owned));
            let issued = lab.run(&words).expect(0).json();
            assert_eq!(verdict(&issued), "issued", "{issued}");
            assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
            assert_eq!(lab.state("records"), Vec::<PathBuf>::new());
        },
    );
}

#[test]
fn a_renewal_ends_with_the_paid_term_and_prints_what_buys() {
    let lab = NamecheapLab::offline();
    let own = ["--allow", "unchecked-record", "--json", "--certificate"];
    let mut words = lab.words(&own);
    words.push(BOUGHT.to_string());
    let issued = lab.run(&words).expect(0).json();
    assert_eq!(verdict(&issued), "files", "{issued}");
    lab.namecheap.with(|account| {
        account.certificates.get_mut(&BOUGHT).unwrap().status = "Expired";
    });
    let words = [
        "--root",
        "tree",
        "renew",
        "--renew-before",
        "9000d",
        "--json",
    ];
    let over = lab.sandbox.run(&words).expect(1).json();
    assert!(codes(&over).contains(&"paid-term-ends"), "{over}");
    assert!(
        over.to_string().contains("--buy PositiveSSL --years 1"),
        "{over}"
    );
    assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
    // The same where the end of the term is saved, and the certificate is active.
    lab.namecheap.with(|account| {
        account.certificates.get_mut(&BOUGHT).unwrap().status = "Active";
    });
    let path = "tree/etc/ssl/certctl/shop.example/settings.json";
    let settings = lab.sandbox.read(path);
    let saved = settings.replacen('{', "{\"paid_until\":\"2026-12-10\",", 1);
    lab.sandbox.write(path, saved);
    let over = lab.sandbox.run(&[&words[..], &["shop.example"]].concat());
    let over = over.expect(1).json();
    assert!(codes(&over).contains(&"paid-term-ends"), "{over}");
    assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
    lab.namecheap.assert_clean();
}
