//! Tests `certctl renew -C FOLDER` for certificates of `order --no-install`: how they were ordered is saved
//! beside them. With the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use support::Run;
use support::dns::with_port_53;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;

/// Makes every certificate of the test CA due.
const ALL_DUE: [&str; 2] = ["--renew-before", "9000d"];

fn renew(lab: &OrderLab, more: &[&str]) -> Run {
    let words = ["--root", "tree", "-C", "certs", "renew", "--json"];
    lab.sandbox.run(&[&words[..], more].concat())
}

/// The id of the key of the certificate with this number.
fn key_id(lab: &OrderLab, number: u32) -> String {
    let file = match number {
        1 => "certs/shop.example.fullchain.pem".to_owned(),
        number => format!("certs/shop.example-{number}.fullchain.pem"),
    };
    let inspected = lab.sandbox.run(&["inspect", &file, "--json"]).expect(0);
    let id = &inspected.json()["items"][0]["key"]["id"];
    id.as_str().unwrap().to_owned()
}

fn issued(lab: &OrderLab) -> usize {
    lab.pebble.log().matches("Issued certificate").count()
}

#[test]
fn a_certificate_in_a_folder_is_renewed_there() {
    with_port_53("a_certificate_in_a_folder_is_renewed_there", || {
        let lab = OrderLab::start(0, PebbleOptions::default());
        let _nginx = lab.nginx(&lab.plain_block());
        std::fs::create_dir(lab.sandbox.join("certs")).unwrap();
        let files = ["--webroot", "webroot", "--agree-tos", "--json"];
        let words = lab.words(&NAMES, &[&files[..], &["--no-install"]].concat());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ordered = lab.sandbox.run(&[&["-C", "certs"], &words[..]].concat());
        assert_eq!(verdict(&ordered.expect(0).json()), "issued");

        let nothing = renew(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&nothing), "nothing-due", "{nothing}");
        let planned = renew(&lab, &[&ALL_DUE[..], &["--dry-run"]].concat());
        assert_eq!(verdict(&planned.expect(0).json()), "planned");
        assert_eq!(issued(&lab), 1);
        let renewed = renew(&lab, &ALL_DUE).expect(0).json();
        assert_eq!(verdict(&renewed), "ready", "{renewed}");
        assert_eq!(issued(&lab), 2);
        assert_ne!(key_id(&lab, 1), key_id(&lab, 2));
        assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
        let nothing = renew(&lab, &[]).expect(0).json();
        assert_eq!(verdict(&nothing), "nothing-due", "{nothing}");

        // `--reuse-key` is saved, until a new key is forced.
        let keeps = [&ALL_DUE[..], &["--reuse-key"]].concat();
        for more in [&keeps[..], &ALL_DUE, &[NAMES[0], "--force"]] {
            renew(&lab, more).expect(0);
        }
        assert_eq!(issued(&lab), 5);
        assert_eq!(key_id(&lab, 3), key_id(&lab, 2));
        assert_eq!(key_id(&lab, 4), key_id(&lab, 2));
        assert_ne!(key_id(&lab, 5), key_id(&lab, 2));
        assert!(!lab.sandbox.join("tree/etc/ssl/certctl").exists());

        // It says where certctl writes files: no other user may change it.
        let saved = lab.sandbox.join("certs/shop.example.order.json");
        let exposed = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(&saved, exposed).unwrap();
        let refused = renew(&lab, &ALL_DUE).expect(3);
        assert!(refused.stdout.contains("order.json"), "{refused}");
        assert_eq!(issued(&lab), 5);
    });
}
