//! Tests `certctl dcv-publish --dns lexicon:NAME` with the real dns-lexicon (scripts/test-python) and its
//! provider `localzone`, which changes the zone file of a real name server.
//! Needs: dns-lexicon ip kdig knotd unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::Path;

use support::dns::{ZONE, with_port_53};
use support::external::test_python;
use support::updatable_zone::{CHALLENGE, UpdatableZone, codes, verdict};
use support::{Run, Sandbox};

const LOCALZONE: [&str; 2] = ["--dns", "lexicon:localzone"];

fn configure(sandbox: &Sandbox) {
    let line = format!("lexicon_python = \"{}\"\n", test_python().display());
    sandbox.write("tree/etc/certctl/config.toml", line);
}

/// A zone whose file `localzone` changes.
fn start(number: u8, records: &str) -> UpdatableZone {
    let zone = UpdatableZone::start(number, records, "");
    configure(&zone.sandbox);
    write_filename(&zone, &zone.server.zone_file());
    zone
}

fn write_filename(zone: &UpdatableZone, path: &Path) {
    let text = format!(
        "[dns.lexicon.localzone]\nfilename = \"{}\"\n",
        path.display()
    );
    let path = "tree/etc/certctl/credentials.toml";
    zone.sandbox.write_key(path, text);
}

fn publish(zone: &UpdatableZone, record: &str, more: &[&str]) -> Run {
    let args = [&LOCALZONE[..], &["--record", record], more].concat();
    zone.publish(&args)
}

#[test]
fn lexicon_publishes_and_removes_exactly_one_value() {
    with_port_53("lexicon_publishes_and_removes_exactly_one_value", || {
        let zone = start(0, "_acme-challenge TXT other");
        let _reloads = zone.server.reload_changes();
        let published = publish(&zone, &format!("{CHALLENGE} TXT first"), &[]).expect(0);
        assert_eq!(verdict(&published), "published");
        assert_eq!(zone.values("TXT", CHALLENGE), ["first", "other"]);

        let alias = format!("_x.{ZONE}");
        let published = publish(&zone, &format!("{alias} CNAME a.example.org"), &[]).expect(0);
        assert_eq!(verdict(&published), "published");
        assert_eq!(zone.values("CNAME", &alias), ["a.example.org."]);

        let removed = zone.publish(&[ZONE, "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
        assert_eq!(zone.values("TXT", CHALLENGE), ["other"]);
        assert!(zone.values("CNAME", &alias).is_empty());
    });
}

#[test]
fn success_that_lexicon_reports_is_no_proof() {
    with_port_53("success_that_lexicon_reports_is_no_proof", || {
        // The server never reads the file that lexicon changes.
        let zone = start(1, "");
        let record = format!("{CHALLENGE} TXT first");
        let run = publish(&zone, &record, &["--wait=1s"]).expect(1);
        assert_eq!(verdict(&run), "not-visible");
        assert!(codes(&run.json()).contains(&"record-not-visible"), "{run}");
        assert!(zone.values("TXT", CHALLENGE).is_empty());
    });
}

#[test]
fn options_of_lexicon_do_not_appear_in_its_errors() {
    with_port_53("options_of_lexicon_do_not_appear_in_its_errors", || {
        let zone = start(2, "");
        write_filename(&zone, Path::new("/nonexistent/hunter2-secret"));
        let run = publish(&zone, &format!("{CHALLENGE} TXT first"), &["-v"]).expect(4);
        assert!(run.stdout.contains("FileNotFoundError"), "{run}");
        assert!(run.stdout.contains("[secret]"), "{run}");
        assert!(!run.to_string().contains("hunter2"), "{run}");
    });
}

#[test]
fn options_are_read_where_credentials_are() {
    let sandbox = Sandbox::new();
    configure(&sandbox);
    let record = format!("{CHALLENGE} TXT first");
    // No query may reach this resolver.
    let resolver = ["--resolver", "127.0.0.1:9", "--record", &record];
    let args = |dns| {
        let args = ["--root", "tree", "dcv-publish", "--json", "--dns", dns];
        [&args[..], &resolver[..]].concat()
    };
    let missing = sandbox.run(&args("lexicon:localzone")).expect(3);
    assert!(
        missing.stdout.contains("[dns.lexicon.localzone]"),
        "{missing}"
    );
    assert!(missing.stdout.contains("filename = "), "{missing}");
    let unknown = sandbox.run(&args("lexicon:localhost")).expect(3);
    assert!(unknown.stdout.contains("cloudflare, "), "{unknown}");
    let rewriting = sandbox.run(&args("lexicon:namecheap")).expect(3);
    assert!(
        rewriting.stdout.contains("replaces all records"),
        "{rewriting}"
    );
    let extra = sandbox.run(&args("lexicon:route53")).expect(3);
    assert!(extra.stdout.contains("dns-lexicon[route53]"), "{extra}");

    // With the option, the next failure is that of the resolver.
    let credentials = sandbox.join("credentials");
    sandbox.write("credentials/LEXICON_LOCALZONE_FILENAME", "/zone\n");
    for (variable, value) in [
        ("LEXICON_LOCALZONE_FILENAME", Path::new("/zone")),
        (
            "LEXICON_LOCALZONE_FILENAME_FILE",
            &credentials.join("LEXICON_LOCALZONE_FILENAME"),
        ),
        ("CREDENTIALS_DIRECTORY", &credentials),
    ] {
        let mut command = sandbox.command(&args("lexicon:localzone"));
        command.env(variable, value);
        let run = sandbox.run_command(command).expect(4);
        assert!(
            run.stdout.contains("publication-failed"),
            "{variable}: {run}"
        );
        // A profile has only its own table.
        let mut command = sandbox.command(&args("lexicon:localzone@work"));
        command.env(variable, value);
        let run = sandbox.run_command(command).expect(3);
        assert!(run.stdout.contains("[dns.lexicon.localzone.work]"), "{run}");
    }
    let text = "[dns.lexicon.localzone]\nfile = \"/zone\"\n";
    sandbox.write_key("tree/etc/certctl/credentials.toml", text);
    let unknown = sandbox.run(&args("lexicon:localzone")).expect(3);
    assert!(unknown.stdout.contains("known are: filename"), "{unknown}");
}

#[test]
fn a_python_without_lexicon_is_reported() {
    let sandbox = Sandbox::new();
    let record = format!("{CHALLENGE} TXT first");
    let args = [
        "--root",
        "tree",
        "dcv-publish",
        "--json",
        "--dns",
        "lexicon:gandi",
        "--record",
        &record,
    ];
    let mut command = sandbox.command(&args);
    command.env("PATH", "/nonexistent");
    let none = sandbox.run_command(command).expect(3);
    assert!(none.stdout.contains("-m venv"), "{none}");
    let line = "lexicon_python = \"/usr/bin/python3\"\n";
    sandbox.write("tree/etc/certctl/config.toml", line);
    let none = sandbox.run(&args).expect(3);
    assert!(none.stdout.contains("has no dns-lexicon"), "{none}");
}
