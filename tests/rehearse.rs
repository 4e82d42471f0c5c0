//! `certctl rehearse`: the first thing a newcomer runs. Here with the parts of its own;
//! `rehearse_foreign.rs` has the real nginx.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::json::Json;

#[test]
fn a_newcomer_sees_the_whole_round() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["rehearse"]).expect(0);
    assert!(run.stderr.is_empty(), "{run}");
    assert!(run.stdout.lines().count() <= 40, "at most 40 lines:\n{run}");
    assert!(
        run.stdout.lines().all(|line| line.chars().count() <= 120),
        "no line is wider than 120 columns:\n{run}"
    );
    for part in [
        "$      certctl csr shop.example",
        "wrong-place",
        "visible",
        "rolled-back",
        "live   https://shop.example",
    ] {
        assert!(run.stdout.contains(part), "{part} is missing:\n{run}");
    }
    let again = sandbox.run(&["rehearse"]).expect(0);
    assert_eq!(
        masked(&run.stdout),
        masked(&again.stdout),
        "it runs again cleanly and says the same"
    );
}

#[test]
fn only_its_own_folder_is_touched() {
    let sandbox = Sandbox::new();
    sandbox.write("rehearsal/precious", "x");
    let run = sandbox.run(&["rehearse"]).expect(3);
    assert!(run.stderr.contains("was not made by a rehearsal"), "{run}");
    assert_eq!(sandbox.read("rehearsal/precious"), "x");
    assert_eq!(
        std::fs::read_dir(sandbox.join("rehearsal"))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(
        sandbox.run(&["rehearse", "--json"]).expect(3).json()["error"]["kind"],
        "exists"
    );

    sandbox.write("elsewhere/note", "x");
    sandbox.run(&["rehearse", "-C", "elsewhere"]).expect(0);
    let mut left: Vec<_> = std::fs::read_dir(sandbox.join("elsewhere"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["note", "rehearsal"]);
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 2);
}

#[test]
fn other_names_and_times_than_the_default() {
    for name in [
        "www.bücher.example",
        "*.shop.example",
        "deep.down.shop.co.uk",
    ] {
        Sandbox::new().run(&["rehearse", name]).expect(0);
    }
    let sandbox = Sandbox::new();
    let then = sandbox
        .run(&["rehearse", "--at", "2028-02-29T12:00:00Z", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        then["proof"]["not_after"], "2028-09-15T12:00:00Z",
        "dates are those of --at"
    );

    let sandbox = Sandbox::new();
    for arguments in [
        &["rehearse", "not a name"][..],
        &["rehearse", "--root", "x"],
        &["rehearse", "--server", "iis"],
    ] {
        sandbox.run(arguments).expect(2);
    }
    assert_eq!(
        std::fs::read_dir(sandbox.path()).unwrap().count(),
        0,
        "nothing is made for a wrong command line"
    );
}

#[test]
fn it_never_says_yes_to_what_did_not_go_as_it_should() {
    let sandbox = Sandbox::new();
    // The reload that should do nothing does what the real one does: then the new pair is live
    // where it should not be.
    let program = sandbox.write("bin/true", "#!/bin/sh\n: > rehearsal/web/reload\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.env("PATH", sandbox.path().join("bin"));
        sandbox.run_command(command).expect(1)
    };
    let document = run(&["rehearse", "--json"]).json();
    assert_eq!(document["verdict"], "unexpected");
    assert_eq!(document["proof"], Json::Null);
    assert_eq!(
        document["findings"][0]["message"],
        "step 4 ended with exit 0 (live), not with exit 5 (rolled-back)"
    );
    let text = run(&["rehearse"]);
    assert!(
        text.stdout.contains("exit 0 live") && !text.stdout.contains("live   https"),
        "{text}"
    );
}

#[test]
fn the_document_says_all_of_it() {
    let sandbox = Sandbox::new();
    let mut document = sandbox.run(&["rehearse", "--json"]).expect(0).json();
    let steps = document["steps"].as_array_mut().unwrap();
    assert_eq!(steps.len(), 5);
    for step in steps.iter_mut() {
        assert_eq!(step["as_expected"], true);
        assert_eq!(step["argv"][1], "-C");
        // Each command's own document is pinned by the tests of that command.
        step["outcome"] = Json::from(step["outcome"]["schema"].as_str().unwrap());
        for masked_field in ["command", "argv", "remarks"] {
            step[masked_field] = "[MASKED]".into();
        }
    }
    for masked_field in ["address", "sha256", "not_after"] {
        assert!(document["proof"][masked_field].as_str().is_some());
        document["proof"][masked_field] = "[MASKED]".into();
    }
    insta::assert_snapshot!(format!("{:#}", document), @r#"
    {
      "schema": "certctl.rehearse/1",
      "verdict": "as-expected",
      "changed": true,
      "name": "shop.example",
      "directory": "rehearsal",
      "steps": [
        {
          "command": "[MASKED]",
          "argv": "[MASKED]",
          "title": "A key, which never leaves this machine, and a request (CSR), which the shop gets",
          "expected": {
            "exit_code": 0,
            "verdict": null
          },
          "exit_code": 0,
          "as_expected": true,
          "outcome": "certctl.csr/1",
          "remarks": "[MASKED]"
        },
        {
          "command": "[MASKED]",
          "argv": "[MASKED]",
          "title": "The record is published, with the usual mistake: the whole name as host, though the DNS panel adds the zone",
          "expected": {
            "exit_code": 1,
            "verdict": "wrong-place"
          },
          "exit_code": 1,
          "as_expected": true,
          "outcome": "certctl.dcv-check/1",
          "remarks": "[MASKED]"
        },
        {
          "command": "[MASKED]",
          "argv": "[MASKED]",
          "title": "Published again, with the host alone; certctl has kept the shop's record",
          "expected": {
            "exit_code": 0,
            "verdict": "visible"
          },
          "exit_code": 0,
          "as_expected": true,
          "outcome": "certctl.dcv-check/1",
          "remarks": "[MASKED]"
        },
        {
          "command": "[MASKED]",
          "argv": "[MASKED]",
          "title": "Installed, with a reload that says it worked and did nothing: certctl looks, sees it, and puts all back",
          "expected": {
            "exit_code": 5,
            "verdict": "rolled-back"
          },
          "exit_code": 5,
          "as_expected": true,
          "outcome": "certctl.install/1",
          "remarks": "[MASKED]"
        },
        {
          "command": "[MASKED]",
          "argv": "[MASKED]",
          "title": "The same with the reload that this server knows: key and chain switch at once, and the site is asked",
          "expected": {
            "exit_code": 0,
            "verdict": "live"
          },
          "exit_code": 0,
          "as_expected": true,
          "outcome": "certctl.install/1",
          "remarks": "[MASKED]"
        }
      ],
      "proof": {
        "host": "shop.example",
        "address": "[MASKED]",
        "protocol": "TLS 1.3",
        "sha256": "[MASKED]",
        "not_after": "[MASKED]"
      },
      "findings": [],
      "next": [
        {
          "text": "certctl csr YOUR-DOMAIN.com www.YOUR-DOMAIN.com --ca namecheap",
          "argv": [
            "certctl",
            "csr",
            "YOUR-DOMAIN.com",
            "www.YOUR-DOMAIN.com",
            "--ca",
            "namecheap"
          ],
          "needs_root": false,
          "when": "now"
        }
      ]
    }
    "#);
}

/// Without what differs from run to run: hashes, ports, unique values.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let hex = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = hex.len() >= 4 && hex.chars().all(|c| c.is_ascii_hexdigit());
        out.push_str(if number { "#" } else { hex });
        out.push_str(&word[hex.len()..]);
    }
    out
}
