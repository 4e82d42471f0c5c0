//! The outputs of `certctl status`: metrics that promtool accepts, a calendar that an independent
//! library can read, a table that fits the terminal.
//! Needs: promtool, python3, python3-icalendar
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fs::File;
use std::process::Stdio;

use support::ca::{DAYS_UNTIL_DUE, Leaf, add_issuer_url, days, noon, today};
use support::external::{external_program, path_of, succeed};
use support::install_sandbox::{InstallSandbox, LINEAGE};
use support::json::Json;
use support::mask::masked;
use support::program::program;

/// The last day of the paid term, after the certificate's expiry.
fn paid_until() -> String {
    days(today(), 500).to_string()
}

/// Creates an installed certificate with a paid term, and a pending request.
fn setup() -> InstallSandbox {
    let setup = InstallSandbox::new();
    setup.write_delivery_with(
        "new.crt",
        Leaf {
            change: add_issuer_url,
            ..Leaf::default()
        },
    );
    setup.install("new.crt", &[]).expect(0);
    let settings = format!("{LINEAGE}/settings.json");
    let mut document = Json::parse(&setup.sandbox.read(&settings));
    document.set("paid_until", paid_until());
    // Without `trust` it counts as a public CA's, so that renewals are scheduled.
    document.remove("trust");
    setup.sandbox.write(&settings, document.to_string());
    setup.sandbox.run(&["csr", "b\u{fc}cher.example"]).expect(0);
    setup
}

#[test]
fn promtool_accepts_the_metrics() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let late = noon(DAYS_UNTIL_DUE);
    let run = sandbox.run(&[
        "status",
        "--root",
        "tree",
        "--at",
        &late,
        "--prometheus",
        "certctl.prom",
        "--json",
    ]);
    let run = run.expect(1).json();
    assert_eq!(run["outputs"][0]["format"], "prometheus", "{run}");
    let text = sandbox.read("certctl.prom");
    let file = File::open(sandbox.join("certctl.prom")).unwrap();
    let problems = succeed(
        external_program("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::from(file)),
    );
    assert_eq!(problems, "", "{text}");
    for line in [
        "certctl_certificate_expiry_timestamp_seconds{name=\"example.com\",state=\"installed\",key_algorithm=\"ecdsa-p256\"",
        "certctl_certificate_paid_until_timestamp_seconds{name=\"example.com\"",
        ",code=\"due\"} 1\n",
        "certctl_rows{verdict=\"due\"} 2\n",
        ",code=\"request-pending\"} 1\n",
        "certctl_unreadable 0\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // Exactly the names that the documentation lists.
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md"))
        .unwrap();
    let families: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    assert!(
        families
            .iter()
            .all(|name| page.contains(&format!("| `{name}` |"))),
        "{families:?}"
    );
    assert_eq!(page.matches("| `certctl_").count(), families.len());
    sandbox
        .run(&[
            "status",
            "--root",
            "tree",
            "--prometheus",
            "no/such/folder/x.prom",
        ])
        .expect(3);
}

const READ: &str = "
import sys; sys.path.append('/usr/lib/python3/dist-packages')
import icalendar
calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())
for event in calendar.walk('VEVENT'):
    assert not event.errors, event.errors
    alarms = [(str(a['action']), a.decoded('trigger').total_seconds(), str(a['description']) == str(event['summary'])) for a in event.walk('VALARM')]
    estimated = 'estimated' in str(event['summary'])
    due = str(event['summary']).startswith('Renew')
    assert alarms == ([] if estimated else [('DISPLAY', 9 * 3600 if due else -7 * 86400, True)]), alarms
    print(event.decoded('dtstart').isoformat(), str(event['uid']), str(event['summary']), str(event['description']).count('\\n'))
";

#[test]
fn an_independent_library_can_read_the_calendar() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    assert!(path_of("/usr/lib/python3/dist-packages/icalendar").exists());
    let read = || -> Vec<String> {
        sandbox
            .run(&["status", "--root", "tree", "--ics", "certctl.ics"])
            .expect(1);
        let text = sandbox.read("certctl.ics");
        assert!(
            text.split("\r\n")
                .all(|line| line.len() <= 75 && !line.contains('\n')),
            "{text}"
        );
        succeed(
            external_program("python3")
                .args(["-c", READ, "certctl.ics"])
                .current_dir(sandbox.path()),
        )
        .lines()
        .map(str::to_owned)
        .collect()
    };
    let events = read();
    assert!(
        events[0].contains("Renew example.com (expires on "),
        "{events:#?}"
    );
    assert!(
        events
            .iter()
            .any(|event| event.starts_with(&paid_until()) && event.contains("paid term")),
        "{events:#?}"
    );
    assert!(
        events
            .iter()
            .filter(|event| event.starts_with("2029"))
            .count()
            >= 8,
        "{events:#?}"
    );
    assert_eq!(read(), events, "a second run writes the same events");
    let uids: std::collections::BTreeSet<&str> = events
        .iter()
        .map(|event| event.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(uids.len(), events.len());
}

#[test]
fn the_table_fits_the_terminal() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    let plain = sandbox.run(&["status", "--root", "tree"]).expect(1);
    assert!(
        plain.stdout.is_ascii() || plain.stdout.contains("b\u{fc}cher.example"),
        "{plain}"
    );
    // With few rows, the requirements of the next renewals are shown.
    let needs = ": a new request, a reissue, a new domain validation; valid for at most";
    // From 2029-03-15 on, it is 47 days.
    assert!(
        [100, 47]
            .iter()
            .any(|days| plain.stdout.contains(&format!("{needs} {days} days"))),
        "{plain}"
    );
    let quiet = sandbox.run(&["status", "--root", "tree", "-q"]).expect(1);
    let shown: Vec<&str> = quiet
        .stdout
        .lines()
        .filter(|line| line.starts_with("due ") || line.starts_with("fine "))
        .collect();
    assert_eq!(shown.len(), 1, "only the request needs action: {quiet}");
    assert!(shown[0].contains("cher.example"), "{quiet}");
    let late = noon(DAYS_UNTIL_DUE);
    let quiet = sandbox
        .run(&["status", "--root", "tree", "-q", "--at", &late])
        .expect(1);
    assert!(
        quiet.stdout.starts_with("due     example.com +1")
            && quiet.stdout.contains("\ndue     xn--bcher-kva.example"),
        "{quiet}"
    );
    assert!(
        quiet
            .stdout
            .contains("certctl --root tree renew example.com"),
        "{quiet}"
    );
    // A name that is longer than any column, and one whose letters take two columns each.
    let long = format!("{}.{}.example", "very-long".repeat(6), "label".repeat(12));
    sandbox.run(&["csr", &long]).expect(0);
    sandbox.run(&["csr", "\u{65e5}\u{672c}.example"]).expect(0);
    for columns in [40, 60, 80, 100, 120, 200] {
        let command = format!(
            "stty cols {columns} < /dev/tty; unset COLUMNS; NO_COLOR=1 exec {} status --root tree",
            program()
        );
        let output = succeed(
            external_program("python3")
                .current_dir(sandbox.path())
                .args(["-c", IN_TERMINAL, &command]),
        );
        let is_row = |line: &&str| line.contains(" installed") || line.contains(" pending");
        let rows: Vec<&str> = output.lines().filter(is_row).map(str::trim_end).collect();
        assert_eq!(rows.len(), 4, "{output}");
        // Two Han letters, if there is room for the Unicode form.
        let width = |row: &str| row.chars().count() + if row.contains('\u{65e5}') { 2 } else { 0 };
        assert!(
            rows.iter().all(|row| width(row) <= columns),
            "{columns}: {output}"
        );
        assert!(!output.contains('\u{1b}'), "{output}");
        // No name is cut, however long it is.
        assert!(output.contains(&long), "{output}");
        assert!(
            rows.iter().any(|row| row.contains("example.com +1")),
            "{output}"
        );
    }
}

const IN_TERMINAL: &str = "
import os, pty, sys
pty.spawn(['/bin/sh', '-c', sys.argv[1]])
";

#[test]
fn the_document_and_the_text() {
    let setup = setup();
    let sandbox = &setup.sandbox;
    std::fs::remove_file(sandbox.join("new.crt")).unwrap();
    let run = sandbox
        .run(&["status", "--root", "tree", "--json"])
        .expect(1);
    let mut document = run.json();
    // Rule changes and renewals depend on the day of the test; they have unit tests in `inventory`.
    let renewals = std::mem::replace(&mut document["rows"][1]["renewals"], Json::Null);
    let fields = renewals[0].keys();
    assert_eq!(
        fields,
        [
            "due",
            "expires",
            "most_days",
            "order",
            "request",
            "dcv",
            "dcv_reusable_until"
        ]
    );
    let lasting = |list: &mut Json| {
        let rule = |one: &Json| one["code"].as_str().unwrap().starts_with("rule-");
        list.as_array_mut().unwrap().retain(|one| !rule(one));
    };
    lasting(&mut document["rows"][1]["reasons"]);
    lasting(&mut document["findings"]);
    document["machine"].set("hostname", "[HOST]");
    let plain =
        |text: &str| masked(&text.replace(&sandbox.path().display().to_string(), "[SANDBOX]"));
    insta::assert_snapshot!(plain(&format!("{:#}", document)), @r#"
    {
      "schema": "certctl.status/1",
      "comment": "the request xn--bcher-kva.example.csr waits for its certificate",
      "verdict": "due",
      "changed": false,
      "machine": {
        "hostname": "[HOST]",
        "version": "0.1.0"
      },
      "at": "[DATE]",
      "rows": [
        {
          "name": "xn--bcher-kva.example",
          "names": [
            "xn--bcher-kva.example"
          ],
          "state": "pending",
          "verdict": "due",
          "not_before": null,
          "not_after": null,
          "expires": null,
          "days_left": null,
          "due": null,
          "issuer": null,
          "serial": null,
          "sha256": null,
          "key": {
            "algorithm": "ecdsa-p256",
            "id": "[HEX]"
          },
          "installed_as": null,
          "places": [],
          "keys": [
            {
              "kind": "file",
              "path": "xn--bcher-kva.example.key",
              "found": "here",
              "mode": "0600"
            }
          ],
          "requests": [
            {
              "kind": "file",
              "path": "xn--bcher-kva.example.csr",
              "found": "here"
            }
          ],
          "reasons": [
            {
              "code": "request-pending",
              "severity": "error",
              "message": "the request xn--bcher-kva.example.csr waits for its certificate",
              "next": [
                {
                  "text": "Check whether the CA can see the record that validates the domain",
                  "command": "certctl --root tree dcv-check xn--bcher-kva.example",
                  "argv": [
                    "certctl",
                    "--root",
                    "tree",
                    "dcv-check",
                    "xn--bcher-kva.example"
                  ],
                  "needs_root": false,
                  "when": "now"
                }
              ]
            }
          ],
          "paid_until": null,
          "dcv_reusable_until": null,
          "renewals": [],
          "next": [
            {
              "text": "Check whether the CA can see the record that validates the domain",
              "command": "certctl --root tree dcv-check xn--bcher-kva.example",
              "argv": [
                "certctl",
                "--root",
                "tree",
                "dcv-check",
                "xn--bcher-kva.example"
              ],
              "needs_root": false,
              "when": "now"
            }
          ]
        },
        {
          "name": "example.com",
          "names": [
            "example.com",
            "www.example.com"
          ],
          "state": "installed",
          "verdict": "fine",
          "not_before": "[DATE]",
          "not_after": "[DATE]",
          "expires": "[DATE]",
          "days_left": 43,
          "due": "[DATE]",
          "issuer": "CN=Test DV CA R2,O=certctl tests",
          "serial": "[HEX]",
          "sha256": "[HEX]",
          "key": {
            "algorithm": "ecdsa-p256",
            "id": "[HEX]"
          },
          "installed_as": "example.com",
          "places": [
            {
              "kind": "file",
              "path": "[SANDBOX]/tree/etc/ssl/example.com.fullchain.pem",
              "found": "installed"
            }
          ],
          "keys": [
            {
              "kind": "file",
              "path": "[SANDBOX]/tree/etc/ssl/private/example.com.key",
              "found": "installed",
              "mode": "0600"
            },
            {
              "kind": "file",
              "path": "example.com.key",
              "found": "here",
              "mode": "0600"
            }
          ],
          "requests": [
            {
              "kind": "file",
              "path": "example.com.csr",
              "found": "here"
            }
          ],
          "reasons": [
            {
              "code": "unknown-issuer",
              "severity": "warning",
              "message": "the issuer of Test DV CA R2 was not found: CN=Test Root R1,O=certctl tests is neither with it nor in Mozilla's list of [DATE]; it is a missing intermediate or the root of a company's own CA",
              "next": [
                {
                  "text": "When all files from the CA are in this folder, install the complete chain",
                  "command": "certctl --root tree install example.com",
                  "argv": [
                    "certctl",
                    "--root",
                    "tree",
                    "install",
                    "example.com"
                  ],
                  "needs_root": false,
                  "when": "later"
                }
              ]
            }
          ],
          "paid_until": "[DATE]",
          "dcv_reusable_until": "[DATE]",
          "renewals": null,
          "next": [
            {
              "text": "When all files from the CA are in this folder, install the complete chain",
              "command": "certctl --root tree install example.com",
              "argv": [
                "certctl",
                "--root",
                "tree",
                "install",
                "example.com"
              ],
              "needs_root": false,
              "when": "later"
            }
          ]
        }
      ],
      "outputs": [],
      "findings": [
        {
          "code": "request-pending",
          "severity": "error",
          "message": "xn--bcher-kva.example: the request xn--bcher-kva.example.csr waits for its certificate",
          "next": [
            {
              "text": "Check whether the CA can see the record that validates the domain",
              "command": "certctl --root tree dcv-check xn--bcher-kva.example",
              "argv": [
                "certctl",
                "--root",
                "tree",
                "dcv-check",
                "xn--bcher-kva.example"
              ],
              "needs_root": false,
              "when": "now"
            }
          ]
        },
        {
          "code": "unknown-issuer",
          "severity": "warning",
          "message": "example.com: the issuer of Test DV CA R2 was not found: CN=Test Root R1,O=certctl tests is neither with it nor in Mozilla's list of [DATE]; it is a missing intermediate or the root of a company's own CA",
          "next": [
            {
              "text": "When all files from the CA are in this folder, install the complete chain",
              "command": "certctl --root tree install example.com",
              "argv": [
                "certctl",
                "--root",
                "tree",
                "install",
                "example.com"
              ],
              "needs_root": false,
              "when": "later"
            }
          ]
        }
      ],
      "next": [
        {
          "text": "Check whether the CA can see the record that validates the domain",
          "command": "certctl --root tree dcv-check xn--bcher-kva.example",
          "argv": [
            "certctl",
            "--root",
            "tree",
            "dcv-check",
            "xn--bcher-kva.example"
          ],
          "needs_root": false,
          "when": "now"
        }
      ]
    }
    "#);
    let text = sandbox.run(&["status", "--root", "tree"]).expect(1);
    let text: String = text
        .to_string()
        .lines()
        .filter(|line| {
            ![" on, a new cert", ": a new request"]
                .iter()
                .any(|part| line.contains(part))
        })
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(plain(&text), @r#"
    VERDICT NAME                                    STATE      EXPIRES           LEFT        PLACE
    due     xn--bcher-kva.example (bücher.example)  pending                                  xn--bcher-kva.example.csr
    warning the request xn--bcher-kva.example.csr waits for its certificate
    next    Check whether the CA can see the record that validates the domain:
                certctl --root tree dcv-check xn--bcher-kva.example
    warning example.com +1                          installed  [DATE], 43 d  ##########  [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
    warning the issuer of Test DV CA R2 was not found: CN=Test Root R1,O=certctl tests is neither with it nor in Mozilla's list of [DATE]; it is a missing intermediate or the root of a company's own CA
    note    names: example.com, www.example.com
            renew from [DATE]; paid until [DATE]; the CA may reuse its domain validation until [DATE]
    next    When all files from the CA are in this folder, install the complete chain:
                certctl --root tree install example.com
    found   2 rows: 0 wrong, 1 due, 1 with a warning, 0 fine; the bars show how much of the lifetime is left
    --- exit 1
    "#);
}

/// A rename over a device or a pipe would replace it for every program.
#[test]
fn outputs_replace_only_regular_files() {
    let setup = setup();
    let socket = setup.sandbox.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for option in ["--prometheus", "--ics", "--html"] {
        let path = socket.display().to_string();
        let run = setup
            .sandbox
            .run(&["status", option, &path, "--root", "tree"]);
        assert_ne!(run.code, 0, "{option}: {run}");
        let cause = "it is a device, a pipe or a socket, not a file";
        assert!(run.stderr.contains(cause), "{option}: {run}");
        assert!(!socket.is_file(), "{option}");
    }
}
