//! Tests `certctl dcv-publish --dns exec:PROGRAM`: programs that publish records on a real name server,
//! and programs that misbehave.
//! Needs: ip kdig knotd knsupdate unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::process::Stdio;

use support::dns::{ZONE, with_port_53};
use support::external::path_of;
use support::program::clock_words;
use support::updatable_zone::{CHALLENGE, UpdatableZone, codes, verdict};

#[test]
fn a_program_publishes_what_it_declares() {
    with_port_53("a_program_publishes_what_it_declares", || {
        let zone = UpdatableZone::start(0, "", "");
        let script = format!(
            "test \"$2 $3\" = \"$CERTCTL_DNS_NAME. $CERTCTL_DNS_VALUE\" || exit 9\nenv >>{}\n{}",
            zone.sandbox.join("environment").display(),
            zone.update_script()
        );
        let name = format!("_x.{ZONE}");
        let record = format!("{name} CNAME a.example.org");
        let dns = zone.write_program(&format!("#!/bin/sh\n{script}"));
        let undeclared = zone
            .publish(&["--dns", &dns, "--record", &record])
            .expect(3);
        assert!(
            undeclared.stdout.contains("does not declare"),
            "{undeclared}"
        );
        assert!(zone.values("CNAME", &name).is_empty());

        zone.write_program(&format!(
            "#!/bin/sh\n# certctl-dns-types: TXT CNAME\n{script}"
        ));
        let published = zone
            .publish(&["--dns", &dns, "--record", &record])
            .expect(0);
        assert_eq!(verdict(&published), "published");
        assert_eq!(zone.values("CNAME", &name), ["a.example.org."]);
        let environment = zone.sandbox.read("environment");
        assert!(
            environment.contains("CERTCTL_DNS_ZONE=shop.example\n"),
            "{environment}"
        );
        let removed = zone.publish(&[ZONE, &name, "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
        assert!(zone.values("CNAME", &name).is_empty());
    });
}

/// A secret in the environment of certctl.
const PLANTED: &str = "cGxhbnRlZCBzZWNyZXQ";

#[test]
fn a_program_that_misbehaves_is_never_believed() {
    with_port_53("a_program_that_misbehaves_is_never_believed", || {
        let zone = UpdatableZone::start(1, "", "");
        let record = format!("{CHALLENGE} TXT first");
        for (script, code, part) in [
            ("exit 0", 1, "not-visible"),
            ("echo no such zone >&2; exit 3", 4, "no such zone"),
            ("kill -9 $$", 4, "signal 9"),
            ("sleep 1000", 4, "did not end within 1 s"),
            ("(sleep 1000 & sleep 1000) & exit 0", 1, "not-visible"),
            ("yes | head -c 1000000; exit 1", 4, "exit code 1"),
            ("setsid sleep 1000 & exit 0", 1, "not-visible"),
            ("printf '\\033[2J\\377\\000junk'; exit 1", 4, "junk"),
            ("exec >&- 2>&-; exit 1", 4, "exit code 1"),
            ("env; exit 1", 4, "CERTCTL_DNS_ZONE"),
        ] {
            let dns = zone.write_program(&format!("#!/bin/sh\n{script}\n"));
            let args = [
                "--dns",
                &dns,
                "--record",
                &record,
                "--wait=1s",
                "--hook-timeout",
                "1s",
            ];
            let mut command = zone.command(&args);
            // A program gets no secret, so that it can print none.
            command.env("RFC2136_TSIG_SECRET", PLANTED);
            let run = zone.sandbox.run_command(command).expect(code);
            assert!(run.stdout.contains(part), "{script}: {run}");
            assert!(!run.to_string().contains(PLANTED), "{script}: {run}");
            assert!(!run.stdout.contains('\u{1b}'), "{script}: {run}");
        }
        assert!(zone.values("TXT", CHALLENGE).is_empty());
    });
}

#[test]
fn a_record_that_cannot_be_checked_is_accepted_only_on_request() {
    let name = "a_record_that_cannot_be_checked_is_accepted_only_on_request";
    with_port_53(name, || {
        let zone = UpdatableZone::start_unreachable(2, "_x CNAME a.example.org.");
        let record = format!("{CHALLENGE} TXT first");
        let dns = zone.write_program(&format!("#!/bin/sh\n{}", zone.update_script()));
        for dns in [dns.as_str(), "rfc2136"] {
            let args = ["--dns", dns, "--record", &record];
            let refused = zone.publish(&args).expect(4);
            assert_ne!(verdict(&refused), "published");
            let allowed = [&args[..], &["--allow", "unchecked-record"]].concat();
            let accepted = zone.publish(&allowed).expect(0);
            assert_eq!(verdict(&accepted), "unchecked");
            assert_eq!(codes(&accepted.json()), ["unchecked-record"]);
            assert_eq!(zone.values("TXT", CHALLENGE), ["first"]);
            // It is in the journal, and its removal cannot be confirmed.
            zone.publish(&[ZONE, "--remove"]).expect(1);
            assert!(zone.values("TXT", CHALLENGE).is_empty());
        }
        // The resolver shows a CNAME that does not allow the record.
        let beside = format!("_x.{ZONE} TXT second");
        let args = ["--dns", &dns, "--allow", "unchecked-record", "--record"];
        let refused = zone.publish(&[&args[..], &[&beside]].concat()).expect(1);
        assert_eq!(codes(&refused.json()), ["record-conflict"]);
    });
}

#[test]
fn runs_in_one_zone_wait_for_each_other() {
    with_port_53("runs_in_one_zone_wait_for_each_other", || {
        let zone = UpdatableZone::start(3, "_acme-challenge TXT other", "");
        // A program that can only replace all values of a name, as some APIs do.
        let script = format!(
            "#!/bin/sh\nname=$CERTCTL_DNS_NAME\nvalues=$({kdig} @{server} +short +norec TXT $name)\nsleep 0.3\n\
             {{ printf 'server {server} 53\\nzone {ZONE}.\\nupdate del %s. TXT\\n' $name\n\
             for value in $values \"$CERTCTL_DNS_VALUE\"; do printf 'update add %s. 60 TXT %s\\n' $name \"$value\"; done\n\
             echo send; }} | env {clock}{update} -y hmac-sha256:{}:{}\n",
            zone.key.name,
            zone.key.secret,
            clock = clock_words(),
            kdig = path_of("kdig").display(),
            server = zone.servers[0].ip(),
            update = path_of("knsupdate").display(),
        );
        let dns = zone.write_program(&script);
        let values = ["first", "second", "third"];
        let children = values.map(|value| {
            let record = format!("{CHALLENGE} TXT {value}");
            let mut command = zone.command(&["--dns", &dns, "--record", &record]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        for child in children {
            let run = zone.sandbox.wait_for(child).expect(0);
            assert_eq!(verdict(&run), "published");
        }
        assert_eq!(
            zone.values("TXT", CHALLENGE),
            ["first", "other", "second", "third"]
        );
    });
}
