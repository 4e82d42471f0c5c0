//! Tests `certctl dcv-publish` with real name servers that accept dynamic updates.
//! Needs: ip kdig knotd unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::Sandbox;
use support::dns::{ZONE, with_port_53};
use support::updatable_zone::{CHALLENGE, UpdatableZone, codes, verdict};

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

    // So is a key file that others can read.
    let key = sandbox.write("update.key", "hmac-sha256:certctl:c2VjcmV0");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let text = format!(
        "[dns.rfc2136]\nnameserver = '192.0.2.53'\ntsig_file = '{}'\n",
        key.display()
    );
    sandbox.write_key("tree/etc/certctl/credentials.toml", text);
    let exposed = publish("rfc2136").expect(3);
    assert!(exposed.stdout.contains("update.key must be"), "{exposed}");
    assert!(exposed.stdout.contains("mode 0644"), "{exposed}");
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
