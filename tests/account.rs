//! Tests `certctl account` with the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use support::Run;
use support::dns::with_port_53;
use support::install_sandbox::mode;
use support::order_lab::{OrderLab, verdict};
use support::pebble::PebbleOptions;

/// Runs `certctl account` for the lab's CA.
fn account(lab: &OrderLab, words: &[&str]) -> Run {
    let directory = lab.pebble.directory();
    let roots = lab.pebble.roots().display().to_string();
    let first = ["--root", "tree", "account"];
    let at = ["--ca", &directory, "--trust", &roots, "--json"];
    lab.sandbox.run(&[&first[..], words, &at].concat())
}

/// The id of the key of the only account.
fn key_id(lab: &OrderLab) -> String {
    let listed = account(lab, &["list"]).expect(0).json();
    assert_eq!(listed["accounts"].len(), 1, "{listed}");
    let id = listed["accounts"][0]["key_id"].as_str().unwrap();
    id.to_owned()
}

/// The file in the state with this ending.
fn state_file(lab: &OrderLab, ending: &str) -> Option<PathBuf> {
    let mut files = lab.state("accounts").into_iter();
    files.find(|path| path.display().to_string().ends_with(ending))
}

fn order(lab: &OrderLab) {
    let issued = lab.order(&["--no-install", "--force"]).expect(0).json();
    assert_eq!(verdict(&issued), "issued", "{issued}");
}

#[test]
fn an_account_gets_a_new_key_and_orders_with_it() {
    with_port_53("an_account_gets_a_new_key_and_orders_with_it", || {
        let lab = OrderLab::start(0, PebbleOptions::default());
        let _nginx = lab.nginx(&lab.plain_block());
        account(&lab, &["show"]).expect(3);
        let empty = account(&lab, &["list"]).expect(0).json();
        assert_eq!(empty["accounts"].len(), 0, "{empty}");
        order(&lab);
        let first = key_id(&lab);
        let shown = account(&lab, &["show"]).expect(0).json();
        assert_eq!(shown["accounts"][0]["status"], "valid", "{shown}");
        let url = shown["accounts"][0]["url"].as_str().unwrap().to_owned();

        let planned = account(&lab, &["rollover", "--dry-run"]).expect(0).json();
        assert_eq!(verdict(&planned), "planned", "{planned}");
        assert_eq!(key_id(&lab), first);
        let rolled = account(&lab, &["rollover"]).expect(0).json();
        assert_eq!(verdict(&rolled), "rolled-over", "{rolled}");
        let second = key_id(&lab);
        assert_ne!(second, first);
        order(&lab);
        let shown = account(&lab, &["show"]).expect(0).json();
        assert_eq!(shown["accounts"][0]["url"], url.as_str(), "{shown}");
        assert_eq!(lab.state("accounts").len(), 2);
        let private = support::private_lines(&lab.sandbox.join("tree/var/lib/certctl"));
        assert_eq!(private, Vec::<String>::new());
    });
}

#[test]
fn a_rollover_that_was_killed_is_finished_by_the_next_command() {
    with_port_53(
        "a_rollover_that_was_killed_is_finished_by_the_next_command",
        || {
            let lab = OrderLab::start(1, PebbleOptions::default());
            let _nginx = lab.nginx(&lab.plain_block());
            order(&lab);
            let path = state_file(&lab, ".key").unwrap();
            let next = path.with_extension("next-key");
            let old = std::fs::read(&path).unwrap();
            account(&lab, &["rollover"]).expect(0);
            let new = std::fs::read(&path).unwrap();
            let id = key_id(&lab);
            // Killed after the CA's answer: both keys are on the disk.
            for finish in ["order", "rollover", "show"] {
                std::fs::write(&path, &old).unwrap();
                std::fs::write(&next, &new).unwrap();
                match finish {
                    "order" => order(&lab),
                    command => {
                        account(&lab, &[command]).expect(0);
                    }
                }
                assert_eq!(std::fs::read(&path).unwrap(), new, "{finish}");
                assert!(!next.exists(), "{finish}");
                assert_eq!(key_id(&lab), id);
            }
            // Killed before the CA heard of it: the next rollover uses the same key.
            let unused = account(&lab, &["rollover"]).expect(0).json();
            let third = std::fs::read(&path).unwrap();
            assert_eq!(verdict(&unused), "rolled-over");
            std::fs::write(&next, &old).unwrap();
            order(&lab);
            assert_eq!(std::fs::read(&path).unwrap(), third);
            account(&lab, &["rollover"]).expect(0);
            assert_eq!(std::fs::read(&path).unwrap(), old);
            order(&lab);
        },
    );
}

#[test]
fn an_account_is_exported_and_imported() {
    with_port_53("an_account_is_exported_and_imported", || {
        let lab = OrderLab::start(2, PebbleOptions::default());
        let _nginx = lab.nginx(&lab.plain_block());
        order(&lab);
        let id = key_id(&lab);
        let exported = account(&lab, &["export", "--out", "account.pem"]);
        let exported = exported.expect(0).json();
        assert_eq!(verdict(&exported), "exported", "{exported}");
        assert_eq!(mode(&lab.sandbox.join("account.pem")), 0o600);
        assert!(!exported.to_string().contains("PRIVATE"));
        // It overwrites no file.
        account(&lab, &["export", "--out", "account.pem"]).expect(3);
        account(&lab, &["export"]).expect(2);
        account(&lab, &["import"]).expect(2);
        let import = ["import", "--key", "account.pem"];
        let same = account(&lab, &import).expect(0).json();
        assert_eq!(verdict(&same), "unchanged", "{same}");

        std::fs::remove_dir_all(lab.sandbox.join("tree/var/lib/certctl")).unwrap();
        let planned = account(&lab, &[&import[..], &["--dry-run"]].concat());
        assert_eq!(verdict(&planned.expect(0).json()), "planned");
        assert_eq!(lab.state("accounts").len(), 0);
        let imported = account(&lab, &import).expect(0).json();
        assert_eq!(verdict(&imported), "imported", "{imported}");
        assert_eq!(key_id(&lab), id);
        order(&lab);

        std::fs::remove_dir_all(lab.sandbox.join("tree/var/lib/certctl")).unwrap();
        for key_type in ["ecdsa-p256", "rsa-2048"] {
            let name = format!("{key_type}.example");
            let csr = ["csr", &name, "--key-type", key_type];
            lab.sandbox.run(&csr).expect(0);
            let key = format!("{name}.key");
            let refused = account(&lab, &["import", "--key", &key]);
            let refused = refused.expect(3);
            let reason = match key_type {
                "ecdsa-p256" => "has no account with the key",
                _ => "ECDSA P-256 keys only",
            };
            assert!(refused.stdout.contains(reason), "{refused}");
            assert_eq!(lab.state("accounts").len(), 0);
        }
    });
}
