//! Tests `certctl order` with a CA that answers wrongly, late or with malice. The CA is a stub in this
//! process: pebble does none of this. Each time the error is clear, the order is kept, and the same
//! command finishes it once the CA works.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use support::install_sandbox::tree;
use support::json::Json;
use support::order_lab::verdict;
use support::stub_api::StubReply;
use support::stub_ca::{StubBehaviour, StubCa, problem};
use support::{Run, Sandbox};

/// A folder to order in, and a CA.
struct FaultLab {
    sandbox: Sandbox,
    ca: StubCa,
}

impl FaultLab {
    fn start(behaviour: StubBehaviour) -> Self {
        let lab = Self {
            sandbox: Sandbox::new(),
            ca: StubCa::start(behaviour),
        };
        std::fs::create_dir_all(lab.sandbox.join("webroot")).unwrap();
        let root = lab.ca.authority.root_pem();
        lab.sandbox.write("root.pem", root);
        lab
    }

    /// Orders a certificate for a name that nothing resolves.
    fn order(&self, more: &[&str]) -> Run {
        let directory = self.ca.directory();
        let words = ["--root", "tree", "order", "shop.example", "--no-install"];
        let files = ["--webroot", "webroot", "--agree-tos", "--trust", "root.pem"];
        let unchecked = ["--allow", "challenge-file-unchecked"];
        let at = ["--resolver", "127.0.0.1:9", "--ca", &directory];
        let words = [&words[..], &files, &unchecked, &at, more].concat();
        self.sandbox.run(&words)
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        tree(&self.sandbox.join(folder)).into_keys().collect()
    }

    /// The run was stopped by the CA: the order and the account are kept.
    fn expect_pending(&self, run: Run, code: i32) -> Json {
        let document = run.expect(code).json();
        assert_eq!(verdict(&document), "pending", "{document}");
        assert_eq!(self.files("tree/var/lib/certctl/orders").len(), 1);
        assert_eq!(self.files("tree/var/lib/certctl/accounts").len(), 2);
        document
    }

    /// The CA works again: the same command finishes the order.
    fn expect_finished(&self) {
        self.ca.behave(StubBehaviour::default());
        let issued = self.order(&["--json"]).expect(0).json();
        assert_eq!(verdict(&issued), "issued", "{issued}");
        let none = Vec::<PathBuf>::new();
        assert_eq!(self.files("tree/var/lib/certctl/orders"), none);
        assert_eq!(self.files("webroot/.well-known/acme-challenge"), none);
    }
}

/// A problem that asks to come back.
fn busy(retry_after: &str) -> StubReply {
    let mut reply = problem(429, "rateLimited", "too many orders");
    reply.headers.push(("retry-after", retry_after.to_owned()));
    reply
}

/// The seconds from now to the time in a document before which nothing is to be done.
fn seconds_until(document: &Json) -> i64 {
    let at = document["order"]["not_before"].as_str().unwrap();
    let at: Timestamp = at.parse().unwrap();
    at.duration_since(Timestamp::now()).as_secs()
}

#[test]
fn a_rate_limit_ends_with_the_time_to_come_back() {
    let date = Timestamp::now() + SignedDuration::from_hours(2);
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let day = 24 * 3600;
    for (header, seconds) in [
        ("3600", 3600),
        (date.as_str(), 7200),
        ("18446744073709551615", day),
    ] {
        let lab = FaultLab::start(StubBehaviour::replying("/order", busy(header)));
        let document = lab.expect_pending(lab.order(&["--json"]), 4);
        let until = seconds_until(&document);
        assert!(
            (seconds - 30..=seconds).contains(&until),
            "{until}: {document}"
        );
        assert!(
            document.to_string().contains("too many orders"),
            "{document}"
        );
        lab.expect_finished();
        assert_eq!(lab.ca.count("/order"), 2);
    }
}

#[test]
fn a_page_of_a_load_balancer_is_no_answer_of_the_ca() {
    let page = StubReply {
        status: 503,
        headers: vec![
            ("content-type", "text/html".to_owned()),
            ("retry-after", "120".to_owned()),
        ],
        body: "<html>busy</html>".to_owned(),
    };
    let lab = FaultLab::start(StubBehaviour::replying("/finalize/*", page.clone()));
    let document = lab.expect_pending(lab.order(&["--json"]), 4);
    assert!(document.to_string().contains("status 503"), "{document}");
    lab.expect_finished();
    // The same order was continued.
    assert_eq!(lab.ca.count("/order"), 1);
    let fine = StubReply {
        status: 200,
        ..page.clone()
    };
    for (path, reply) in [("/dir", page), ("/dir", fine.clone()), ("/account", fine)] {
        let lab = FaultLab::start(StubBehaviour::replying(path, reply));
        let failed = lab.order(&["--json"]).expect(4);
        assert!(failed.stdout.contains("certctl.error/1"), "{failed}");
        assert_eq!(lab.ca.count("/order"), 0);
        lab.expect_finished();
    }
}

#[test]
fn a_ca_that_refuses_every_nonce_is_not_asked_for_ever() {
    let reply = problem(400, "badNonce", "unacceptable");
    for path in ["/account", "/order", "/chall/*", "/finalize/*"] {
        let lab = FaultLab::start(StubBehaviour::replying(path, reply.clone()));
        let run = lab.order(&["--json"]).expect(4);
        assert!(run.stdout.contains("badNonce"), "{run}");
        assert!(lab.ca.api.requests().len() < 40);
        lab.expect_finished();
    }
}

#[test]
fn a_huge_answer_is_not_read_to_its_end() {
    let huge = StubReply::json(200, format!("\"{}\"", "x".repeat(8 << 20)));
    for path in ["/dir", "/order", "/cert/*"] {
        let lab = FaultLab::start(StubBehaviour::replying(path, huge.clone()));
        let run = lab.order(&["--json"]).expect(3);
        assert!(run.stdout.contains("is larger than"), "{run}");
        lab.expect_finished();
    }
}

#[test]
fn a_token_never_becomes_a_path() {
    for token in [
        "../../../../../../../../tmp/certctl-token",
        "DGyRejmCefe7v4NfDGDKfA/../../index.html",
        "DGyRejmCefe7v4NfDGDKfA\n\u{1b}[31m",
        ".htaccess",
        "",
    ] {
        let lab = FaultLab::start(StubBehaviour {
            token: Some(token.to_owned()),
            ..StubBehaviour::default()
        });
        let document = lab.expect_pending(lab.order(&["--json"]), 4);
        assert!(document.to_string().contains("base64url"), "{document}");
        assert_eq!(lab.files("webroot/.well-known/acme-challenge").len(), 0);
        assert_eq!(lab.ca.count("/chall/0"), 0);
        lab.expect_finished();
        assert_eq!(lab.ca.count("/order"), 1);
    }
}

#[test]
fn an_order_that_the_ca_does_not_finish_is_continued_later() {
    let lab = FaultLab::start(StubBehaviour {
        stays_processing: true,
        retry_after: Some("900".to_owned()),
        ..StubBehaviour::default()
    });
    for _ in 0..2 {
        let document = lab.expect_pending(lab.order(&["--json"]), 4);
        let until = seconds_until(&document);
        assert!((870..=900).contains(&until), "{until}: {document}");
    }
    let human = lab.order(&[]).expect(4);
    assert!(human.stdout.contains("asks to come back after"), "{human}");
    lab.expect_finished();
    // One order, one request.
    assert_eq!(lab.ca.count("/order"), 1);
    assert_eq!(lab.ca.count("/finalize/0"), 1);
}

#[test]
fn the_words_of_the_ca_are_escaped() {
    let detail = "bad\u{1b}]0;title\u{7}\r\nnext  certctl forget shop.example";
    let reply = problem(403, "rejectedIdentifier", detail);
    let lab = FaultLab::start(StubBehaviour::replying("/order", reply));
    let run = lab.order(&[]).expect(3);
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}', '\r']), "{run}");
    assert!(run.stdout.contains("rejectedIdentifier"), "{run}");
    let is_forged = |line: &str| line.starts_with("next  certctl");
    assert!(!run.stdout.lines().any(is_forged), "{run}");
    lab.expect_finished();
}

#[test]
fn a_profile_that_the_ca_offers_is_ordered() {
    let lab = FaultLab::start(StubBehaviour {
        profiles: vec!["tlsserver"],
        ..StubBehaviour::default()
    });
    let refused = lab.order(&["--profile", "shortlived"]).expect(3);
    assert!(refused.stderr.contains("tlsserver"), "{refused}");
    lab.order(&["--profile", "tlsserver"]).expect(0);
    let orders = lab.ca.payloads("/order");
    assert_eq!(orders[0]["profile"], "tlsserver");
}

#[test]
fn pending_authorizations_of_an_abandoned_order_are_deactivated() {
    let lab = FaultLab::start(StubBehaviour {
        token: Some("..".to_owned()),
        ..StubBehaviour::default()
    });
    lab.expect_pending(lab.order(&["--json"]), 4);
    let deactivated = |path: &str| {
        let payloads = lab.ca.payloads(path).into_iter();
        payloads
            .filter(|one| {
                one.get("status")
                    .is_some_and(|status| *status == "deactivated")
            })
            .count()
    };
    assert_eq!(deactivated("/authz/0-0"), 0);
    lab.ca.behave(StubBehaviour::default());
    let more = ["www.shop.example", "--json"];
    let issued = lab.order(&more).expect(0).json();
    assert_eq!(verdict(&issued), "issued", "{issued}");
    assert_eq!(deactivated("/authz/0-0"), 1);
    assert_eq!(deactivated("/authz/1-0"), 0);
    assert_eq!(lab.ca.count("/order"), 2);
}
