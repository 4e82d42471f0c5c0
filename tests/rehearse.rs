//! `certctl rehearse` with its built-in web server; `rehearse_external.rs` uses the real nginx.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::json::Json;

#[test]
fn all_steps_are_shown_with_complete_commands_and_their_output() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["rehearse"]).expect(0);
    assert!(run.stderr.is_empty(), "{run}");
    for part in [
        "Step 1. You make a private key",
        "\n$ certctl -C rehearsal --root rehearsal csr shop.example --ca namecheap\n",
        "\nwrote   rehearsal/shop.example.key",
        "\n[6 lines omitted]\n",
        "Step 5. ",
        "\nlive    https://shop.example",
    ] {
        assert!(run.stdout.contains(part), "{part} is missing:\n{run}");
    }
    let results: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("[exit code"))
        .collect();
    assert_eq!(
        results,
        [
            "[exit code 0]",
            "[exit code 1, wrong-place]",
            "[exit code 0, visible]",
            "[exit code 5, rolled-back]",
            "[exit code 0, live]"
        ]
    );
    let again = sandbox.run(&["rehearse"]).expect(0);
    assert_eq!(
        masked(&run.stdout),
        masked(&again.stdout),
        "a second rehearsal prints something else"
    );
}

#[test]
fn only_commands_and_values_are_wider_than_80_columns() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["rehearse"]);
    command.env_remove("COLUMNS");
    let run = sandbox.run_command(command).expect(0);
    let is_short = |line: &str| line.chars().count() <= 80;
    for line in run.stdout.lines().filter(|line| !is_short(line)) {
        let is_single_word = line.split_whitespace().count() == 1;
        let is_copied = line.starts_with("$ certctl ") || line.starts_with("            ");
        assert!(is_copied || is_single_word, "too wide: {line}\n{run}");
    }
}

/// The commands of a document run outside of the rehearsal and end in the same way: the printed
/// words are all of the command.
#[test]
fn the_printed_commands_are_complete() {
    let sandbox = Sandbox::new();
    let document = sandbox.run(&["rehearse", "--json"]).expect(0).json();
    let text = sandbox.run(&["rehearse"]).expect(0).stdout;
    let printed: Vec<&str> = text.lines().filter(|line| line.starts_with("$ ")).collect();
    let commands = document["steps"].as_array().unwrap();
    assert_eq!(printed.len(), commands.len());
    for (line, step) in printed.iter().zip(commands) {
        let command = step["command"].as_str().unwrap();
        assert_eq!(masked(line), masked(&format!("$ {command}")));
    }
}

/// The embedded CA checks signatures, nonces and records, so a result other than the expected one is a
/// fault of `order` or `renew`.
#[test]
fn a_certificate_is_ordered_and_renewed_through_apis() {
    let sandbox = Sandbox::new();
    let document = sandbox
        .run(&["rehearse", "--api", "--json"])
        .expect(0)
        .json();
    assert_eq!(document["verdict"], "as-expected");
    let mut verdicts = Vec::new();
    for step in document["steps"].as_array().unwrap() {
        verdicts.push(step["outcome"]["verdict"].as_str().unwrap());
    }
    assert_eq!(verdicts, ["live", "nothing-due", "renewed"]);
    let served = document["proof"]["sha256"].as_str().unwrap();
    let chain = sandbox.join("rehearsal/etc/ssl/shop.example.fullchain.pem");
    let installed = sandbox
        .run(&["inspect", "--json", chain.to_str().unwrap()])
        .expect(0)
        .json();
    assert_eq!(installed["items"][0]["sha256"], served);
    assert!(
        sandbox.join("rehearsal/shop.example-2.key").exists(),
        "the renewal has no new key"
    );
    let log: Vec<_> = std::fs::read_dir(sandbox.join("rehearsal/var/lib/certctl/records"))
        .map(|folder| folder.collect())
        .unwrap_or_default();
    assert!(
        log.is_empty(),
        "published records are left in the journal: {log:?}"
    );
}

#[test]
fn wildcards_are_ordered_through_apis_too() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .run(&["rehearse", "*.shop.example", "--api"])
        .expect(0);
    assert!(run.stdout.contains("certctl order"), "{run}");
}

#[test]
fn step_needs_a_terminal() {
    let sandbox = Sandbox::new();
    for (more, message) in [
        (
            &[][..],
            "`--step` waits for Enter, but stdin or stdout is not a terminal",
        ),
        (&["--json"], "`--step` cannot be combined with `--json`"),
    ] {
        let run = sandbox
            .run(&[&["rehearse", "--step"], more].concat())
            .expect(2);
        assert!(
            run.stderr.contains(message) || run.stdout.contains(message),
            "{run}"
        );
    }
    assert!(!sandbox.join("rehearsal").exists());
}

#[test]
fn only_its_own_folder_is_touched() {
    let sandbox = Sandbox::new();
    sandbox.write("rehearsal/precious", "x");
    let run = sandbox.run(&["rehearse"]).expect(3);
    assert!(
        run.stderr.contains("was not created by a rehearsal"),
        "{run}"
    );
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
fn other_names_and_times_can_be_rehearsed() {
    for name in [
        "www.bücher.example",
        "*.shop.example",
        "deep.down.shop.co.uk",
    ] {
        Sandbox::new().run(&["rehearse", name]).expect(0);
    }
    let sandbox = Sandbox::new();
    let document = sandbox
        .run(&["rehearse", "--at", "2028-02-29T12:00:00Z", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        document["proof"]["not_after"], "2028-09-15T12:00:00Z",
        "dates are relative to --at"
    );

    let sandbox = Sandbox::new();
    for arguments in [
        &["rehearse", "not a name"][..],
        &["rehearse", "nosuch"],
        &["rehearse", "--root", "x"],
        &["rehearse", "--server", "iis"],
    ] {
        sandbox.run(arguments).expect(2);
    }
    assert_eq!(
        std::fs::read_dir(sandbox.path()).unwrap().count(),
        0,
        "a wrong command line must not create a file"
    );
}

#[test]
fn an_unexpected_result_is_reported_as_such() {
    let sandbox = Sandbox::new();
    // The reload command that should do nothing reloads the server, so the new certificate is live
    // although a rollback is expected.
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
        "step 4 ended with exit code 0, live instead of exit code 5, rolled-back"
    );
    let text = run(&["rehearse"]);
    assert!(
        text.stdout.contains("[exit code 0, live]") && !text.stdout.contains("\nlive    https"),
        "{text}"
    );
}

#[test]
fn the_document_has_these_fields_and_values() {
    let sandbox = Sandbox::new();
    let mut document = sandbox.run(&["rehearse", "--json"]).expect(0).json();
    let steps = document["steps"].as_array_mut().unwrap();
    assert_eq!(steps.len(), 5);
    for step in steps.iter_mut() {
        assert_eq!(step["as_expected"], true);
        assert_eq!(step["argv"][1], "-C");
        // The document of each command is checked by the tests of that command.
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
      "comment": "every step of the rehearsal went as expected",
      "verdict": "as-expected",
      "changed": true,
      "name": "shop.example",
      "directory": "rehearsal",
      "steps": [
        {
          "command": "[MASKED]",
          "argv": "[MASKED]",
          "title": "You make a private key, which never leaves this machine, and a certificate signing request (CSR), which you paste at the reseller",
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
          "title": "You let certctl check the record before the CA does; it reports that the record is at the wrong name",
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
          "title": "You let certctl check again; it stored the reseller's record, so you need not repeat it",
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
          "title": "You install the certificate with a reload command that succeeds but does nothing; certctl detects that the old certificate is still served, and rolls back",
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
          "title": "You install it with the right reload command; certctl replaces certificate and key in one step, reloads the server and verifies that it serves the new certificate",
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
          "text": "To get a real certificate, make its key and CSR in the same way with your own names, for example `certctl csr example.com www.example.com --ca namecheap`",
          "needs_root": false,
          "when": "later"
        }
      ]
    }
    "#);
}

/// Replaces what differs from run to run: hashes, ports, unique values.
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
