//! Tests that `certctl order` checks CAA before the order, with a real knot on loopback. The CA is a stub
//! in this process, because pebble does not say how CAA names it.
//! Needs: ip knotd unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::Sandbox;
use support::dns::{NameServer, port_53, with_port_53};
use support::install_sandbox::codes;
use support::order_lab::verdict;
use support::stub_ca::{StubBehaviour, StubCa};

#[test]
fn records_that_forbid_the_order_are_found_before_it() {
    with_port_53("records_that_forbid_the_order_are_found_before_it", || {
        let server = port_53(0, 0);
        let hosts = format!(
            "ns1 A {ip}\nns2 A {ip}\n@ A {ip}\nwww A {ip}\n",
            ip = server.ip()
        );
        let mut knot = NameServer::knot_at(&[server], &hosts, "");
        let ca = StubCa::start(StubBehaviour {
            caa_identities: vec!["stub-ca.example"],
            ..StubBehaviour::default()
        });
        let sandbox = Sandbox::new();
        std::fs::create_dir_all(sandbox.join("webroot")).unwrap();
        sandbox.write("root.pem", ca.authority.root_pem());
        let directory = ca.directory();
        let resolver = server.ip().to_string();
        let order = || {
            let words = ["--root", "tree", "order", "www.shop.example", "--json"];
            let files = ["--webroot", "webroot", "--agree-tos", "--no-install"];
            let at = ["--ca", &directory, "--trust", "root.pem"];
            let unchecked = ["--allow", "challenge-file-unchecked"];
            let resolver = ["--resolver", &resolver];
            let words = [&words[..], &files, &at, &unchecked, &resolver].concat();
            sandbox.run(&words)
        };
        let account = format!("{}/acct/1", ca.api.url);
        let mut serial = 1;
        for (record, message, line) in [
            (
                "0 issue \"other.example\"",
                "may not issue for www.shop.example",
                "shop.example. CAA 0 issue \"stub-ca.example\"",
            ),
            (
                "0 issue \"stub-ca.example; accounturi=https://x.example/9\"",
                "but not to the account",
                &format!("shop.example. CAA 0 issue \"stub-ca.example; accounturi={account}\""),
            ),
            (
                "0 issue \"stub-ca.example; validationmethods=dns-01\"",
                "but not after validation by http-01",
                "shop.example. CAA 0 issue \"stub-ca.example; validationmethods=http-01\"",
            ),
        ] {
            serial += 1;
            knot.publish(&format!("{hosts}@ CAA {record}"), serial);
            let refused = order().expect(1).json();
            assert_eq!(verdict(&refused), "refused", "{refused}");
            let found = codes(&refused);
            assert!(found.contains(&"caa-forbids"), "{refused}");
            let findings = refused["findings"].as_array().unwrap();
            let finding = findings.iter().find(|one| one["code"] == "caa-forbids");
            let finding = finding.unwrap();
            assert!(finding["message"].as_str().unwrap().contains(message));
            assert_eq!(finding["next"][0]["lines"][0], line, "{finding}");
            assert_eq!(ca.count("/order"), 0);
        }
        // The line that was printed last, and the right account.
        let both = format!(
            "{hosts}@ CAA 0 issue \"stub-ca.example; validationmethods=http-01; accounturi={account}\""
        );
        knot.publish(&both, serial + 1);
        let issued = order().expect(0).json();
        assert_eq!(verdict(&issued), "issued", "{issued}");
        assert_eq!(ca.count("/order"), 1);
    });
}
