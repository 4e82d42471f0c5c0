//! `certctl install` where nginx has other blocks too: what it must not call done, and what it must not adopt.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::shop::{CHAIN, KEY, codes};
use support::site::Site;

const OLD: (&str, &str) = ("outside/old.crt", "outside/old.key");
const A: (&str, &str) = ("tree/etc/ssl/a.crt", "tree/etc/ssl/a.key");
const B: (&str, &str) = ("tree/etc/ssl/b.crt", "tree/etc/ssl/b.key");

#[test]
fn a_first_block_with_another_pair_is_not_done() {
    let site = Site::new();
    site.plain(OLD.0, OLD.1);
    let nginx = site.start("");
    nginx.rewrite(&format!("{}\n{}", site.block(OLD.0, OLD.1), site.block(CHAIN, KEY)));
    let run = site.round(&["--json"]).expect(1).json();
    assert_eq!((&run["verdict"], &run["certificates"][0]["proof"]), (&"not-served".into(), &"none".into()), "{run}");
    let finding = run["findings"].as_array().unwrap().iter().find(|one| one["code"] == "served-elsewhere").unwrap();
    let told = finding.to_string();
    assert!(
        told.contains("nginx.conf:") && told.contains("two lines") && told.contains("example.com.fullchain.pem"),
        "{told}"
    );
    site.shop.served();
    assert!(!run["next"].as_array().unwrap().is_empty());
    let human = site.shop.install("new.crt", &[]).expect(1);
    assert!(!human.stdout.contains("done"), "{human}");

    nginx.rewrite(&site.block(CHAIN, KEY));
    assert_eq!(site.shop.install("new.crt", &["--json"]).expect(0).json()["verdict"], "live");
}

#[test]
fn a_name_whose_block_keeps_its_own_pair_is_not_done() {
    let site = Site::new();
    site.plain(A.0, A.1);
    site.plain(B.0, B.1);
    let _nginx = site.start(&format!(
        "{}\n{}",
        site.block_of("example.com", A.0, A.1),
        site.block_of("www.example.com", B.0, B.1)
    ));
    let run = site.round(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served", "{run}");
    assert!(codes(&run).contains(&"served-elsewhere"), "{run}");
    assert_eq!(run["certificates"][0]["probes"][0]["sha256"], run["certificates"][0]["sha256"]);
}

#[test]
fn a_block_that_cannot_be_asked_is_not_done() {
    let site = Site::new();
    let nginx = site.start("");
    let socket = format!("unix:{}", site.folder().join("s").display());
    nginx.rewrite(&site.block(CHAIN, KEY).replace(&format!("127.0.0.1:{}", site.port), &socket));
    let run = site.round(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served", "{run}");
    assert!(run["findings"].to_string().contains("--probe none"), "{run}");
    let run = site.shop.install("new.crt", &["--probe", "none", "--json"]).expect(0).json();
    assert_eq!(run["verdict"], "files", "{run}");
    assert!(codes(&run).contains(&"not-asked"), "{run}");
}

#[test]
fn flags_are_remembered_whenever_they_are_given() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&site.block(CHAIN, KEY));
    site.round(&["--probe", "none"]).expect(0);
    let at = format!("127.0.0.1:{}", site.port);
    let settings = || site.shop.sandbox.read("tree/etc/ssl/certctl/example.com/settings.json");
    assert!(settings().contains("\"none\""));
    let run = site.shop.install("new.crt", &["--json"]).expect(0).json();
    assert!(codes(&run).contains(&"not-asked"), "said each time: {run}");
    let run = site.shop.install("new.crt", &["--probe", &at, "--json"]).expect(0).json();
    assert_eq!((&run["verdict"], &run["changed"]), (&"unchanged".into(), &false.into()), "{run}");
    assert!(settings().contains(&at), "{}", settings());
    let run = site.round(&["--reload", "true", "--json"]).expect(5).json();
    assert_eq!(run["verdict"], "taken-back");
}
