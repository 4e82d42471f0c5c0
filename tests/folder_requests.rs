//! Requests in a folder that no CA accepts: every command reports them, with the same words and the
//! same step as when the file itself is passed.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use support::external::{path_of, succeed};
use support::{Run, Sandbox};

const WEAK: &str =
    "weak.example.csr is a certificate request signed with an algorithm that CAs do not accept";
const FORGED: &str = "forged.example.csr is a certificate request whose own signature is invalid";
const CUT: &str = "cut.example.csr is damaged in the CERTIFICATE REQUEST block";

/// Requests the CA accepts none of: with a short key, with a wrong signature, and damaged.
fn folder() -> Sandbox {
    let sandbox = Sandbox::new();
    let request = |key: &[&str], file: &str| {
        let new_key = [&["req", "-newkey"], key, &["-nodes", "-keyout", "gone.key"]].concat();
        let subject = format!("/CN={file}");
        succeed(
            Command::new(path_of("openssl"))
                .args(new_key)
                .args(["-subj", &subject, "-out", &format!("{file}.csr"), "-batch"])
                .current_dir(sandbox.path()),
        );
        std::fs::remove_file(sandbox.join("gone.key")).unwrap();
    };
    request(&["rsa:1024"], "weak.example");
    request(
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "forged.example",
    );
    let text = sandbox.read("forged.example.csr");
    let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = BASE64_STANDARD.decode(lines).unwrap();
    sandbox.write("cut.example.csr", block(&der[..der.len() / 2]));
    *der.last_mut().unwrap() ^= 1;
    sandbox.write("forged.example.csr", block(&der));
    sandbox
}

fn block(der: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        BASE64_STANDARD.encode(der)
    )
}

/// The output without line breaks.
fn text(run: &Run) -> String {
    let both = format!("{} {}", run.stdout, run.stderr);
    both.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn unusable_requests_of_a_folder_are_reported_by_every_command() {
    let sandbox = folder();
    for (args, code) in [
        (&["dcv-check"][..], 3),
        (&["install"], 3),
        (&["verify"], 3),
        (&["status"], 0),
        (&["status", "."], 0),
        (&["inspect", "."], 0),
    ] {
        let run = text(&sandbox.run(args).expect(code));
        for words in [WEAK, FORGED, CUT] {
            // The cards of `inspect` show a request whose signature is wrong.
            if args[0] != "inspect" || words == CUT {
                assert!(run.contains(words), "{args:?} {words}: {run}");
            }
        }
        // A failure has the step for its first cause.
        let step = "Copy or download it again";
        assert!(run.contains(step), "{args:?}: {run}");
    }
    // The same words as for the file itself.
    for (file, words) in [("weak.example.csr", WEAK), ("forged.example.csr", FORGED)] {
        for command in ["dcv-check", "verify", "status"] {
            let run = text(&sandbox.run(&[command, file]));
            assert!(run.contains(words), "{command} {file}: {run}");
        }
    }
}

#[test]
fn a_request_that_can_be_used_is_checked_beside_one_that_cannot() {
    let sandbox = folder();
    sandbox.run(&["csr", "good.example"]).expect(0);
    let status = sandbox.run(&["status", "--json"]).expect(1).json();
    assert_eq!(status["rows"][0]["state"], "pending", "{status}");
    let codes: Vec<&str> = status["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert!(
        codes.contains(&"request-pending") && codes.len() == 4,
        "{codes:?}"
    );
}
