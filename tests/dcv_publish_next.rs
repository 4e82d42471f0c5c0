//! Tests that `csr`, `dcv-check` and `install` lead to `dcv-publish` and to the removal of the record.
//! Needs: ip kdig knotd unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::ca::TestCa;
use support::dns::{ZONE, with_port_53};
use support::json::Json;
use support::updatable_zone::{UpdatableZone, verdict};

/// The command lines of a document's next steps.
fn commands(document: &Json) -> Vec<String> {
    let steps = document["next"].as_array().unwrap().iter();
    let lines = steps.filter_map(|step| step.get("command").and_then(Json::as_str));
    lines.map(str::to_owned).collect()
}

#[test]
fn from_the_request_to_the_removal_of_its_record() {
    with_port_53("from_the_request_to_the_removal_of_its_record", || {
        let zone = UpdatableZone::start(0, "", "");
        let sandbox = &zone.sandbox;
        sandbox.write("tree/etc/certctl/config.toml", "dns = \"rfc2136\"\n");
        let created = sandbox
            .run(&["--root", "tree", "csr", ZONE, "--json"])
            .expect(0)
            .json();
        let publish =
            format!("certctl --root tree dcv-publish --dns rfc2136 {ZONE} --wait --record -");
        assert!(commands(&created).contains(&publish), "{created}");

        // dcv-check leads there too, as long as the record is missing.
        let sha256 = created["request"]["sha256"].as_str().unwrap();
        let record = format!(
            "_{}.{ZONE} CNAME {}.{}.5a955211b1f8c.comodoca.com",
            created["request"]["md5"].as_str().unwrap(),
            &sha256[..32],
            &sha256[32..]
        );
        // A dry run stores nothing, and what it proposes stores the record.
        let stored = sandbox.join(&format!("{ZONE}.dcv"));
        let planned = zone
            .publish(&["--dns", "rfc2136", "--record", &record, "--dry-run"])
            .expect(0)
            .json();
        assert_eq!(planned["changed"], false, "{planned}");
        assert_eq!(planned["would_change"], true, "{planned}");
        assert!(!stored.exists());
        let stores = |line: &String| line.ends_with(&format!("--record '{record}'"));
        assert!(commands(&planned).iter().any(stores), "{planned}");
        let resolver = zone.servers[0].ip().to_string();
        let check = [
            "--root",
            "tree",
            "dcv-check",
            "--json",
            "--resolver",
            &resolver,
            "--record",
            &record,
        ];
        let missing = sandbox.run(&check).expect(1).json();
        let publish = format!("certctl --root tree dcv-publish {ZONE}.csr --dns rfc2136");
        assert!(commands(&missing).contains(&publish), "{missing}");
        let published = zone
            .publish(&[&format!("{ZONE}.csr"), "--wait=1s"])
            .expect(0);
        assert_eq!(verdict(&published), "published");
        let visible = sandbox.run(&check).expect(0).json();
        let is_publishing = |line: &String| line.contains("dcv-publish");
        assert!(!commands(&visible).iter().any(is_publishing), "{visible}");

        // A certificate of another request does not end the need for it.
        let ca = TestCa::new();
        sandbox.write("root.pem", ca.root_pem());
        let install = |request: &str, key: &str| {
            let chain = ca.issue(&sandbox.read(request)) + &ca.intermediate_pem();
            sandbox.write("chain.pem", chain);
            let args = [
                "--root",
                "tree",
                "install",
                "--json",
                "chain.pem",
                "--key",
                key,
                "--trust",
                "root.pem",
                "--cert-name",
                ZONE,
                "--allow",
                "ends-earlier",
            ];
            sandbox.run(&args)
        };
        sandbox
            .run(&["csr", ZONE, "--cert-name", "other"])
            .expect(0);
        let other = install("other.csr", "other.key").expect(0).json();
        let is_removal = |line: &String| line.ends_with("--remove");
        assert!(!commands(&other).iter().any(is_removal), "{other}");

        let installed = install(&format!("{ZONE}.csr"), &format!("{ZONE}.key"));
        let installed = installed.expect(0).json();
        let lines = commands(&installed);
        let removal = lines.iter().find(|line| is_removal(line)).unwrap();
        let name = record.split(' ').next().unwrap();
        assert_eq!(
            *removal,
            format!("certctl --root tree dcv-publish {name} --remove")
        );
        let removed = zone.publish(&[name, "--remove"]).expect(0);
        assert_eq!(verdict(&removed), "removed");
        assert!(zone.values("CNAME", name).is_empty());
        let again = install(&format!("{ZONE}.csr"), &format!("{ZONE}.key"));
        let again = again.expect(0).json();
        assert!(!commands(&again).iter().any(is_removal), "{again}");
    });
}
