//! Tests `certctl dcv-publish` with real name servers that accept dynamic updates.
//! Needs: ip kdig knotd knsupdate unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::SocketAddr;
use std::process::Command;

use support::dns::{NameServer, TsigKey, ZONE, port_53, with_port_53};
use support::external::{external_program, path_of};
use support::json::Json;
use support::program::clock_words;
use support::{Run, Sandbox};

/// A zone that can be updated, at two addresses, with an account for it.
struct UpdatableZone {
    sandbox: Sandbox,
    servers: [SocketAddr; 2],
    _knot: NameServer,
    key: TsigKey,
}

impl UpdatableZone {
    /// `number` is different in each test; `records` are in the zone already, and `rule` limits what
    /// the key may update.
    fn start(number: u8, records: &str, rule: &str) -> Self {
        let servers = [port_53(0, number * 2), port_53(0, number * 2 + 1)];
        let key = TsigKey::new("certctl");
        let hosts = format!(
            "ns1 A {}\nns2 A {}\n{records}",
            servers[0].ip(),
            servers[1].ip()
        );
        let knot = NameServer::knot_with_updates(&servers, &hosts, &key, rule);
        let zone = Self {
            sandbox: Sandbox::new(),
            servers,
            _knot: knot,
            key,
        };
        zone.write_credentials(&zone.key.secret);
        zone
    }

    fn write_credentials(&self, secret: &str) {
        let text = format!(
            "[dns.rfc2136]\nnameserver = \"{}\"\ntsig_key = \"{}\"\ntsig_secret = \"{secret}\"\n",
            self.servers[0], self.key.name
        );
        self.sandbox
            .write_key("tree/etc/certctl/credentials.toml", text);
    }

    /// The same, but the second address is another server, which has its own copy of the zone.
    fn start_apart(number: u8) -> (Self, NameServer) {
        let mut zone = Self::start(number, "", "");
        let (first, second) = (port_53(2, number), port_53(1, number));
        let hosts = format!("ns1 A {}\nns2 A {}", first.ip(), second.ip());
        zone._knot = NameServer::knot_with_updates(&[first], &hosts, &zone.key, "");
        zone.servers = [first, second];
        zone.write_credentials(&zone.key.secret);
        (zone, NameServer::knot_at(&[second], &hosts, ""))
    }

    /// Writes a program for `exec:` and returns the value for `--dns`.
    fn write_program(&self, text: &str) -> String {
        let path = self.sandbox.write("hook", text);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        format!("exec:{}", path.display())
    }

    /// Runs `dcv-publish` with this zone's server as the resolver.
    fn publish(&self, args: &[&str]) -> Run {
        let resolver = self.servers[0].ip().to_string();
        let mut all = vec![
            "--root",
            "tree",
            "dcv-publish",
            "--json",
            "--resolver",
            &resolver,
        ];
        all.extend(args);
        let command = self.sandbox.command(&all);
        let run = self.sandbox.run_command(command);
        assert!(!run.stdout.contains(&self.key.secret), "{run}");
        assert!(!run.stderr.contains(&self.key.secret), "{run}");
        run
    }

    /// The values of a type at a name, as the second address answers them.
    fn values(&self, kind: &str, name: &str) -> Vec<String> {
        let server = format!("@{}", self.servers[1].ip());
        let mut kdig: Command = external_program("kdig");
        let output = kdig
            .args([&server, "+short", "+norec", kind, name])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut values: Vec<String> = text
            .lines()
            .map(|line| line.trim_matches('"').to_owned())
            .collect();
        values.sort();
        values
    }
}

fn codes(document: &Json) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

fn verdict(run: &Run) -> String {
    run.json()["verdict"].as_str().unwrap().to_owned()
}

const CHALLENGE: &str = "_acme-challenge.shop.example";

#[test]
fn a_record_is_published_checked_and_removed() {
    with_port_53("a_record_is_published_checked_and_removed", || {
        let zone = UpdatableZone::start(0, "_acme-challenge TXT other", "");
        let record = format!("{CHALLENGE} TXT first");
        let planned = zone
            .publish(&["--dns", "rfc2136", "--record", &record, "--dry-run"])
            .expect(0);
        assert_eq!(verdict(&planned), "planned");
        assert_eq!(planned.json()["would_change"], true);
        assert_eq!(zone.values("TXT", CHALLENGE), ["other"]);

        let published = zone
            .publish(&["--dns", "rfc2136", "--record", &record])
            .expect(0)
            .json();
        assert_eq!(published["verdict"], "published");
        assert_eq!(published["changed"], true);
        let servers = published["records"][0]["servers"].as_array().unwrap();
        let visible = servers.iter().filter(|one| one["verdict"] == "visible");
        assert_eq!(visible.count(), 3, "{published}");
        assert_eq!(zone.values("TXT", CHALLENGE), ["first", "other"]);

        let again = zone
            .publish(&["--dns", "rfc2136", "--record", &record])
            .expect(0);
        assert_eq!(verdict(&again), "unchanged");

        let removed = zone.publish(&["shop.example", "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
        assert_eq!(zone.values("TXT", CHALLENGE), ["other"]);
        zone.publish(&["shop.example", "--remove"]).expect(3);
    });
}

#[test]
fn records_that_certctl_has_not_published_stay() {
    with_port_53("records_that_certctl_has_not_published_stay", || {
        let zone = UpdatableZone::start(1, "_acme-challenge TXT mine", "");
        let record = format!("{CHALLENGE} TXT mine");
        let kept = zone
            .publish(&["--dns", "rfc2136", "--record", &record])
            .expect(0);
        assert_eq!(verdict(&kept), "unchanged");
        zone.publish(&["shop.example", "--remove"]).expect(3);
        assert_eq!(zone.values("TXT", CHALLENGE), ["mine"]);
    });
}

#[test]
fn only_a_known_cname_is_replaced() {
    with_port_53("only_a_known_cname_is_replaced", || {
        let name = format!("_x.{ZONE}");
        let zone = UpdatableZone::start(2, "_x CNAME old.example.net.\n_t TXT text", "");
        let record = format!("{name} CNAME new.example.org");
        let refused = zone
            .publish(&["--dns", "rfc2136", "--record", &record])
            .expect(1);
        assert_eq!(codes(&refused.json()), ["record-conflict"]);
        let next = &refused.json()["findings"][0]["next"][0]["command"];
        assert!(
            next.as_str()
                .unwrap()
                .ends_with("--replace old.example.net"),
            "{next}"
        );
        let wrong = [
            "--dns",
            "rfc2136",
            "--record",
            &record,
            "--replace",
            "old.example",
        ];
        zone.publish(&wrong).expect(1);
        assert_eq!(zone.values("CNAME", &name), ["old.example.net."]);
        let right = [
            "--dns",
            "rfc2136",
            "--record",
            &record,
            "--replace",
            "OLD.example.net.",
        ];
        assert_eq!(verdict(&zone.publish(&right).expect(0)), "published");
        // What certctl has published itself is replaced without a question.
        let newer = format!("{name} CNAME newer.example.org");
        let replaced = zone
            .publish(&["--dns", "rfc2136", "--record", &newer])
            .expect(0);
        assert_eq!(verdict(&replaced), "published");
        assert_eq!(zone.values("CNAME", &name), ["newer.example.org."]);
        // A server reports success for a CNAME beside a TXT record, and stores nothing.
        let beside = format!("_t.{ZONE} CNAME new.example.org");
        let refused = zone
            .publish(&["--dns", "rfc2136", "--record", &beside])
            .expect(1);
        assert_eq!(verdict(&refused), "refused");
        assert_eq!(zone.values("TXT", &format!("_t.{ZONE}")), ["text"]);
    });
}

#[test]
fn what_is_missing_is_reported_before_anything_is_contacted() {
    let sandbox = Sandbox::new();
    let record = format!("{CHALLENGE} TXT first");
    let publish = |dns: &str| {
        // No query may reach this resolver.
        let resolver = ["--resolver", "192.0.2.1", "--record", &record];
        let args = ["--root", "tree", "dcv-publish", "--json", "--dns", dns];
        sandbox.run(&[&args[..], &resolver[..]].concat())
    };
    let missing = publish("rfc2136@work").expect(3).json();
    let steps = missing["error"]["next"].as_array().unwrap();
    let example: Vec<&str> = steps[1]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert_eq!(example[0], "[dns.rfc2136.work]");
    assert!(
        example
            .iter()
            .any(|line| line.starts_with("tsig_secret = "))
    );
    // The example itself is complete.
    sandbox.write_key("tree/etc/certctl/credentials.toml", example.join("\r\n"));
    let wrong_key = publish("rfc2136@work").expect(3).json();
    let message = wrong_key["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("tree/etc/certctl/credentials.toml") || message.contains("update.key"),
        "{message}"
    );

    let file = sandbox.write_key(
        "tree/etc/certctl/credentials.toml",
        "[dns.rfc2136]\nsecret = 'x'\n",
    );
    let unknown = publish("rfc2136").expect(3);
    assert!(unknown.stdout.contains("unknown key secret"), "{unknown}");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let exposed = publish("rfc2136").expect(3);
    assert!(exposed.stdout.contains("mode 0640"), "{exposed}");
}

#[test]
fn updates_that_a_server_refuses_change_nothing() {
    with_port_53("updates_that_a_server_refuses_change_nothing", || {
        let rule = "    update-type: [TXT]\n";
        let zone = UpdatableZone::start(3, "", rule);
        let dns = ["--dns", "rfc2136", "--record"];
        let cname = format!("_x.{ZONE} CNAME a.example.org");
        let refused = zone.publish(&[&dns[..], &[&cname]].concat()).expect(4);
        assert_eq!(verdict(&refused), "refused");
        // Knot has a key that may do something else, and says that it has none.
        assert!(refused.stdout.contains("NOTAUTH (BADKEY"), "{refused}");
        assert!(zone.values("CNAME", &format!("_x.{ZONE}")).is_empty());
        zone.publish(&[ZONE, "--remove"]).expect(3);

        zone.write_credentials("d3Jvbmcgc2VjcmV0");
        let record = format!("{CHALLENGE} TXT first");
        let wrong = zone.publish(&[&dns[..], &[&record]].concat()).expect(4);
        assert!(wrong.stdout.contains("NOTAUTH (BADSIG"), "{wrong}");
        assert!(zone.values("TXT", CHALLENGE).is_empty());
    });
}

#[test]
fn a_record_that_one_server_lacks_is_not_published() {
    with_port_53("a_record_that_one_server_lacks_is_not_published", || {
        let (zone, _other) = UpdatableZone::start_apart(4);
        let record = format!("{CHALLENGE} TXT first");
        let args = ["--dns", "rfc2136", "--record", &record, "--wait=1s"];
        let run = zone.publish(&args).expect(1);
        assert_eq!(verdict(&run), "not-visible");
        let document = run.json();
        assert!(
            codes(&document).contains(&"record-not-visible"),
            "{document}"
        );
        // It is in the journal, so that it can be removed.
        let removed = zone.publish(&[ZONE, "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
    });
}

#[test]
fn a_delegated_challenge_is_published_where_it_leads() {
    with_port_53("a_delegated_challenge_is_published_where_it_leads", || {
        let zone = UpdatableZone::start(5, "_acme-challenge CNAME x.dcv", "");
        let record = format!("{CHALLENGE} TXT first");
        let published = zone
            .publish(&["--dns", "rfc2136", "--record", &record])
            .expect(0)
            .json();
        assert_eq!(published["verdict"], "published");
        assert_eq!(
            published["records"][0]["published_at"],
            "x.dcv.shop.example"
        );
        assert_eq!(zone.values("TXT", "x.dcv.shop.example"), ["first"]);
        assert_eq!(zone.values("CNAME", CHALLENGE), ["x.dcv.shop.example."]);
        zone.publish(&["x.dcv.shop.example", "--remove"]).expect(0);
        assert!(zone.values("TXT", "x.dcv.shop.example").is_empty());
    });
}

#[test]
fn a_program_publishes_what_it_declares() {
    with_port_53("a_program_publishes_what_it_declares", || {
        let zone = UpdatableZone::start(6, "", "");
        let key = format!("hmac-sha256:{}:{}", zone.key.name, zone.key.secret);
        let script = format!(
            "case $1 in present) action=add;; cleanup) action=del;; esac\n\
             test \"$2 $3\" = \"$CERTCTL_DNS_NAME. $CERTCTL_DNS_VALUE\" || exit 9\n\
             env >>{}\n\
             printf 'server {} 53\\nzone %s.\\nupdate %s %s. %s %s %s\\nsend\\n' \"$CERTCTL_DNS_ZONE\" $action \\\n\
             \"$CERTCTL_DNS_NAME\" \"$CERTCTL_DNS_TTL\" \"$CERTCTL_DNS_TYPE\" \"$CERTCTL_DNS_VALUE\" |\n\
             env {}{} -y {key}\n",
            zone.sandbox.join("environment").display(),
            zone.servers[0].ip(),
            clock_words(),
            path_of("knsupdate").display()
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

#[test]
fn a_program_that_misbehaves_is_never_believed() {
    with_port_53("a_program_that_misbehaves_is_never_believed", || {
        let zone = UpdatableZone::start(7, "", "");
        let record = format!("{CHALLENGE} TXT first");
        for (script, code, part) in [
            ("exit 0", 1, "not-visible"),
            ("echo no such zone >&2; exit 3", 4, "no such zone"),
            ("kill -9 $$", 4, "signal 9"),
            ("sleep 1000", 4, "did not end within 1 s"),
            ("(sleep 1000 & sleep 1000) & exit 0", 1, "not-visible"),
            ("yes | head -c 1000000; exit 1", 4, "exit code 1"),
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
            let run = zone.publish(&args).expect(code);
            assert!(run.stdout.contains(part), "{script}: {run}");
        }
        assert!(zone.values("TXT", CHALLENGE).is_empty());
    });
}
