//! Tests `certctl order` with the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use support::dns::with_port_53;
use support::install_sandbox::{codes, mode};
use support::json::Json;
use support::order_lab::{NAMES, OrderLab, sha256, verdict};
use support::pebble::{HMAC_KEY, KEY_ID, PebbleOptions};

#[test]
fn one_command_orders_installs_and_verifies() {
    with_port_53("one_command_orders_installs_and_verifies", || {
        let lab = OrderLab::start(0, PebbleOptions::default());
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

        let planned = lab.order(&["--dry-run"]).expect(0).json();
        assert_eq!(verdict(&planned), "planned", "{planned}");
        assert_eq!(lab.state("accounts"), Vec::<PathBuf>::new());

        let ordered = lab.order(&[]).expect(0).json();
        assert_eq!(verdict(&ordered), "live", "{ordered}");
        assert_eq!(ordered["order"]["method"], "http-01");
        assert_eq!(ordered["certificates"][0]["proof"], "live");
        assert_eq!(ordered["settings"]["order"]["ca"], lab.pebble.directory());
        // Nothing is left of the order but the account, and what was issued.
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
        assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
        let account = lab.state("accounts");
        assert_eq!(account.len(), 2, "{account:?}");
        assert!(account.iter().all(|path| mode(path) == 0o600));

        // A certificate that is not due is not ordered again; the saved options are enough.
        let unchanged = lab.order_names(&NAMES, &["--json"]).expect(0).json();
        assert_eq!(verdict(&unchanged), "unchanged", "{unchanged}");
        let more = lab
            .order_names(&[NAMES[0], NAMES[1], "mail.shop.example"], &["--json"])
            .expect(3);
        assert!(more.stdout.contains("--expand"), "{more}");

        let forced = lab.order(&["--force"]).expect(0).json();
        assert_eq!(verdict(&forced), "live", "{forced}");
        assert_ne!(sha256(&forced), sha256(&ordered));
        assert_eq!(lab.state("accounts"), account);
        assert_eq!(lab.pebble.log().matches("Issued certificate").count(), 2);
    });
}

#[test]
fn a_webroot_that_is_not_served_is_noticed_before_the_order() {
    with_port_53(
        "a_webroot_that_is_not_served_is_noticed_before_the_order",
        || {
            let lab = OrderLab::start(1, PebbleOptions::default());
            let _nginx = lab.nginx(&lab.plain_block().replace("webroot;", "other;"));
            let refused = lab.order(&["--no-install"]).expect(1).json();
            assert_eq!(verdict(&refused), "refused", "{refused}");
            let found = codes(&refused);
            assert_eq!(found, ["challenge-file-wrong"; 2], "{refused}");
            assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
            // Neither an account nor an order was created.
            assert_eq!(lab.state("accounts"), Vec::<PathBuf>::new());
            assert!(
                !lab.pebble.log().contains("sign-me-up"),
                "{}",
                lab.pebble.log()
            );
        },
    );
}

#[test]
fn an_external_account_is_used_once() {
    with_port_53("an_external_account_is_used_once", || {
        let options = PebbleOptions {
            requires_external_account: true,
            ..PebbleOptions::default()
        };
        let lab = OrderLab::start(2, options);
        let _nginx = lab.nginx(&lab.plain_block());
        let missing = lab.order(&["--no-install"]).expect(3);
        assert!(missing.stdout.contains("--eab-kid"), "{missing}");

        lab.sandbox.write_key("wrong", "d3Jvbmc");
        let wrong = ["--eab-kid", KEY_ID, "--eab-hmac-key-file", "wrong"];
        let refused = lab
            .order(&[&["--no-install"], &wrong[..]].concat())
            .expect(3);
        assert!(refused.stdout.contains("unauthorized"), "{refused}");

        lab.sandbox.write_key("right", HMAC_KEY);
        let right = ["--eab-kid", KEY_ID, "--eab-hmac-key-file", "right"];
        let run = lab
            .order(&[&["--no-install"], &right[..]].concat())
            .expect(0);
        assert_eq!(verdict(&run.json()), "issued", "{run}");
        assert!(!run.stdout.contains(HMAC_KEY), "{run}");
        // The account exists: the binding is not needed any more.
        let again = lab.order(&["--no-install", "--force"]).expect(0).json();
        assert_eq!(verdict(&again), "issued", "{again}");
    });
}

#[test]
fn apex_and_wildcard_are_validated_by_two_records() {
    with_port_53("apex_and_wildcard_are_validated_by_two_records", || {
        let lab = OrderLab::start(3, PebbleOptions::default());
        let names = ["shop.example", "*.shop.example"];
        let files = ["--webroot", "webroot", "--no-install", "--json"];
        let refused = lab.order_names(&names, &files).expect(3);
        assert!(refused.stdout.contains("--dns"), "{refused}");
        let records = ["--dns", "rfc2136", "--agree-tos", "--no-install", "--json"];
        let run = lab.order_names(&names, &records).expect(0).json();
        assert_eq!(verdict(&run), "issued", "{run}");
        assert_eq!(run["order"]["method"], "dns-01");
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
        assert_eq!(lab.state("records"), Vec::<PathBuf>::new());
        let inspected = lab
            .sandbox
            .run(&["inspect", "shop.example.fullchain.pem", "--json"])
            .expect(0)
            .json();
        let issued = inspected["items"][0]["dns_names"].as_array().unwrap();
        assert_eq!(issued.len(), 2, "{inspected}");
        let unchanged = lab.order_names(&names, &records).expect(0).json();
        assert_eq!(verdict(&unchanged), "unchanged", "{unchanged}");
    });
}

#[test]
fn an_order_survives_a_kill_and_bad_nonces() {
    with_port_53("an_order_survives_a_kill_and_bad_nonces", || {
        let options = PebbleOptions {
            bad_nonces: 15,
            validation_seconds: 4,
            ..PebbleOptions::default()
        };
        let lab = OrderLab::start(4, options);
        let _nginx = lab.nginx(&lab.plain_block());
        let more = [
            "--webroot",
            "webroot",
            "--agree-tos",
            "--json",
            "--no-install",
        ];
        let words = lab.words(&NAMES, &more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut orders = Vec::new();
        for _ in 0..3 {
            let mut command = lab.sandbox.command(&words);
            let mut child = command.stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(1500));
            child.kill().unwrap();
            child.wait().unwrap();
            for path in lab.state("orders") {
                let entry: Json = std::fs::read_to_string(path).unwrap().parse().unwrap();
                orders.extend(
                    entry
                        .get("order")
                        .map(|url| url.as_str().unwrap().to_owned()),
                );
            }
        }
        orders.dedup();
        assert_eq!(orders.len(), 1, "{orders:?}");
        // A CA that refuses one nonce after the other may need a further run of the same command, and
        // a run that was killed may have finished the order.
        let mut runs = (0..10).map(|_| lab.order(&["--no-install"]));
        let finished = runs.find(|run| run.code == 0).unwrap().json();
        if verdict(&finished) == "issued" {
            assert_eq!(finished["order"]["url"], orders[0].as_str(), "{finished}");
        }
        assert_eq!(lab.pebble.log().matches("Issued certificate").count(), 1);
        assert_eq!(lab.state("accounts").len(), 2);
        assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
    });
}

#[test]
fn the_options_of_an_install_are_saved_by_an_order() {
    with_port_53("the_options_of_an_install_are_saved_by_an_order", || {
        let lab = OrderLab::start(5, PebbleOptions::default());
        let placeholder = ["--root", "tree", "install", "--placeholder"];
        lab.sandbox
            .run(&[&placeholder[..], &NAMES].concat())
            .expect(0);
        let nginx = lab.nginx(&lab.both_blocks());
        let config = nginx.config().display().to_string();
        let server = ["--server", "nginx", "--server-config", &config];
        let key = ["--key-mode", "0640", "--lock-timeout", "5s"];
        let hook = ["--after", "/bin/true"];
        let run = lab.order(&[&server[..], &key, &hook].concat());
        let ordered = run.expect(0).json();
        assert_eq!(verdict(&ordered), "live", "{ordered}");
        let settings = &ordered["settings"];
        assert_eq!(settings["server"], "nginx", "{ordered}");
        assert_eq!(settings["server_config"], config.as_str(), "{ordered}");
        assert_eq!(settings["key_mode"], "0640", "{ordered}");
        assert_eq!(settings["after"], "/bin/true", "{ordered}");
        let path = lab.sandbox.join("tree/etc/ssl/private/shop.example.key");
        assert_eq!(mode(&path.canonicalize().unwrap()), 0o640);

        let unknown = lab.order(&["--allow", "expired"]).expect(2);
        assert!(unknown.stdout.contains("unchecked-record"), "{unknown}");
        let renewed = lab.sandbox.run(&[
            "--root",
            "tree",
            "renew",
            "--renew-before",
            "9000d",
            "--json",
        ]);
        let renewed = renewed.expect(0).json();
        assert_eq!(verdict(&renewed), "renewed", "{renewed}");
        let after = &renewed["certificates"][0]["ordered"]["settings"];
        for option in ["server", "server_config", "key_mode", "after"] {
            assert_eq!(after[option], settings[option], "{renewed}");
        }
    });
}
