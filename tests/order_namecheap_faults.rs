//! Tests `certctl order --ca namecheap` with an API that refuses, breaks off, answers nonsense, or whose
//! client is killed. The stub counts: whatever happens, nothing is bought or activated twice.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::process::Stdio;
use std::sync::Arc;

use support::Run;
use support::install_sandbox::codes;
use support::json::Json;
use support::namecheap_lab::{BOUGHT, NamecheapLab};
use support::order_lab::verdict;
use support::stub_api::StubReply;
use support::stub_namecheap::{API_KEY, CLIENT_IP, KillTarget, StubFault};

const CERTIFICATE: [&str; 2] = ["--certificate", "953413"];
const BUY: [&str; 4] = ["--buy", "PositiveSSL", "--years", "1"];

/// The answer has this verdict.
fn expect(run: Run, code: i32, word: &str) -> Json {
    let document = run.expect(code).json();
    assert_eq!(verdict(&document), word, "{document}");
    document
}

/// One error of the API, at the call of this command.
fn refused(lab: &NamecheapLab, command: &str, number: &'static str, message: &str) {
    let fault = StubFault::Errors(vec![(number, message.to_owned())]);
    lab.namecheap.fail_next(command, fault);
}

#[test]
fn each_error_says_what_to_do_and_changes_nothing() {
    let lab = NamecheapLab::offline();
    for (number, message, code, text) in [
        (
            "1011150",
            "Invalid request IP: 198.51.100.9",
            3,
            "Whitelisted IPs",
        ),
        (
            "1017150",
            "Parameter RequestIP is disabled or locked",
            3,
            "Whitelisted IPs",
        ),
        (
            "1011105",
            "Parameter ClientIP is missing",
            3,
            "Whitelisted IPs",
        ),
        (
            "1011102",
            "API Key is invalid or API access has not been enabled",
            3,
            "API Access",
        ),
        ("1010102", "Parameter APIKey is missing", 3, "API Access"),
        (
            "1019103",
            "Parameter UserName is not available",
            3,
            "api_user",
        ),
        (
            "1016103",
            "Parameter UserName is unauthorized",
            3,
            "api_user",
        ),
        ("1017410", "Too many declined payments", 3, "Add funds"),
        ("1017411", "Too many login attempts", 4, "in an hour"),
        ("500000", "Too many requests", 4, "in an hour"),
        ("2011294", "CertificateID is invalid", 3, "--certificate"),
        (
            "4011331",
            "Certificate status is invalid",
            3,
            "SSL Certificates",
        ),
        ("3022295", "Failed to retrieve", 4, "Namecheap's support"),
        ("5050900", "Unhandled exceptions", 4, "later"),
        ("4022330", "Failed", 4, "later"),
    ] {
        refused(&lab, "getInfo", number, message);
        let failed = lab.order_by_hand(&CERTIFICATE).expect(code);
        let document = failed.json();
        assert_eq!(document["schema"], "certctl.error/1", "{failed}");
        let causes = document["error"]["causes"].to_string();
        assert!(
            causes.contains(message) && causes.contains(number),
            "{failed}"
        );
        assert!(
            document["error"]["next"].to_string().contains(text),
            "{number}: {failed}"
        );
    }
    assert!(lab.state("orders").is_empty());
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
}

#[test]
fn a_wrong_key_is_never_shown() {
    let lab = NamecheapLab::offline();
    let wrong = "wr0ng-k3y-wr0ng-k3y";
    lab.write_credentials(wrong, CLIENT_IP, "");
    // The stub repeats the key in its message.
    let failed = lab.order_by_hand(&CERTIFICATE).expect(3);
    assert!(failed.stdout.contains("1011102"), "{failed}");
    assert!(failed.stdout.contains("[secret]"), "{failed}");
    assert!(!failed.stdout.contains(wrong), "{failed}");
    assert!(!failed.stderr.contains(wrong), "{failed}");
    lab.write_credentials(API_KEY, "192.0.2.1", "");
    let failed = lab.order_by_hand(&CERTIFICATE).expect(3);
    assert!(failed.stdout.contains("198.51.100.9"), "{failed}");
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
}

#[test]
fn missing_values_and_options_are_named_before_anything_is_sent() {
    let lab = NamecheapLab::offline();
    lab.sandbox
        .write_key("tree/etc/certctl/credentials.toml", "");
    let failed = lab.order_by_hand(&CERTIFICATE).expect(3);
    assert!(failed.stdout.contains("[ca.namecheap]"), "{failed}");
    assert!(failed.stdout.contains("api_user"), "{failed}");
    assert!(lab.namecheap.commands().is_empty());
    lab.write_credentials(API_KEY, CLIENT_IP, "");

    for (words, text) in [
        (&["--webroot", "."][..], "CNAME"),
        (&["--buy", "PositiveSSL"], "--years"),
        (&["--years", "1"], "--buy"),
        (&["--certificate", "x"], "--certificate"),
        (
            &["--certificate", "1", "--buy", "x", "--years", "1"],
            "--buy",
        ),
        (&["--buy", "x", "--years", "6"], "--years"),
    ] {
        let wrong = lab.order_by_hand(words).expect(2);
        assert!(wrong.stdout.contains(text), "{wrong}");
    }
    assert!(lab.namecheap.commands().is_empty());

    // Without a certificate, those that are unused are listed.
    let failed = lab.order_by_hand(&[]).expect(3);
    assert!(failed.stdout.contains("--certificate 953413"), "{failed}");
    // Several domains are not bought: the API does not say what they cost.
    let several = [&["mail.example.net"][..], &BUY].concat();
    let failed = lab.order_by_hand(&several).expect(3);
    assert!(failed.stdout.contains("for one domain"), "{failed}");
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
}

#[test]
fn what_is_no_answer_of_the_api_is_an_error_and_nothing_is_repeated() {
    let page = StubReply::of_type(200, "text/html", "<html>busy</html>");
    let replies = [
        ("html", page.clone()),
        (
            "error",
            StubReply {
                status: 503,
                ..page
            },
        ),
        (
            "other xml",
            StubReply::of_type(200, "text/xml", "<html>busy</html>"),
        ),
        (
            "cut off",
            StubReply::of_type(200, "text/xml", "<ApiResponse Status=\"OK\"><Comm"),
        ),
        ("empty", StubReply::of_type(200, "text/xml", "")),
        (
            "no result",
            StubReply::of_type(
                200,
                "text/xml",
                "<ApiResponse Status=\"OK\"><CommandResponse/></ApiResponse>",
            ),
        ),
        ("silence", StubReply::silence()),
    ];
    let lab = NamecheapLab::offline();
    for (name, reply) in replies {
        for command in ["getInfo", "activate"] {
            lab.namecheap
                .fail_next(command, StubFault::Reply(reply.clone()));
            let failed = lab.order_by_hand(&CERTIFICATE);
            assert!([3, 4].contains(&failed.code), "{name} {command}: {failed}");
        }
    }
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
    expect(lab.order_by_hand(&CERTIFICATE), 0, "issued");
    assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
}

#[test]
fn each_state_says_what_to_do() {
    for (status, code, found, text) in [
        ("PURCHASEERROR", 1, "certificate-not-usable", "support"),
        (
            "CANCELLED",
            1,
            "certificate-not-usable",
            "another certificate",
        ),
        (
            "Replaced",
            1,
            "certificate-not-usable",
            "newest certificate",
        ),
        (
            "Expired",
            1,
            "certificate-not-usable",
            "another certificate",
        ),
        ("ONHOLD", 1, "certificate-not-usable", "waits for"),
    ] {
        let lab = NamecheapLab::offline();
        lab.namecheap.with(|account| {
            let one = account.certificates.get_mut(&BOUGHT).unwrap();
            one.status = status;
            one.description = "Words of the API";
        });
        let document = expect(lab.order_by_hand(&CERTIFICATE), code, "refused");
        assert_eq!(codes(&document), [found], "{document}");
        let finding = document["findings"].to_string();
        assert!(
            finding.contains(text) && finding.contains("Words of the API"),
            "{document}"
        );
        assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
    }
    // A renewal that was bought is activated like a first purchase.
    let lab = NamecheapLab::offline();
    lab.namecheap.with(|account| {
        account.certificates.get_mut(&BOUGHT).unwrap().status = "NEWRENEWAL";
    });
    expect(lab.order_by_hand(&CERTIFICATE), 0, "issued");
    assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
}

#[test]
fn an_order_in_which_the_provider_fails_is_kept() {
    let lab = NamecheapLab::offline();
    refused(
        &lab,
        "activate",
        "3011295",
        "Provider error: CSR was refused",
    );
    let document = expect(lab.order_by_hand(&CERTIFICATE), 4, "pending");
    assert!(
        document.to_string().contains("CSR was refused"),
        "{document}"
    );
    lab.namecheap.with(|account| {
        account.certificates.get_mut(&BOUGHT).unwrap().status = "PURCHASEERROR";
    });
    let document = expect(lab.order_by_hand(&CERTIFICATE), 1, "pending");
    assert_eq!(
        codes(&document).last(),
        Some(&"certificate-not-usable"),
        "{document}"
    );
    // Namecheap's support has reset it.
    lab.namecheap.with(|account| {
        account.certificates.get_mut(&BOUGHT).unwrap().status = "NEWPURCHASE";
    });
    expect(lab.order_by_hand(&CERTIFICATE), 0, "issued");
    assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
}

#[test]
fn insufficient_funds_buy_nothing() {
    let lab = NamecheapLab::offline();
    let message = "ORDER CREATION FAILED; INSUFFICIENTFUNDS;Insufficient funds in account";
    refused(&lab, "create", "2528166", message);
    let document = expect(lab.order_by_hand(&BUY), 3, "pending");
    assert!(document.to_string().contains("Add funds"), "{document}");
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
    // The product has another name by now; that is the API's affair.
    lab.namecheap
        .with(|account| account.delivered_product = Some("Standard SSL"));
    let document = expect(lab.order_by_hand(&BUY), 0, "issued");
    assert!(
        codes(&document).contains(&"certificate-bought"),
        "{document}"
    );
    assert!(document.to_string().contains("9.0000"), "{document}");
    assert_eq!(lab.namecheap.counts(), [1, 1, 0]);
    // The certificate is not due: nothing is bought.
    expect(lab.order_by_hand(&BUY), 0, "unchanged");
    assert_eq!(lab.namecheap.counts(), [1, 1, 0]);
}

#[test]
fn a_purchase_that_fails_inside_of_the_api_is_not_repeated() {
    for number in ["3031510", "4011295", "5050900"] {
        let lab = NamecheapLab::offline();
        refused(&lab, "create", number, "Unhandled exceptions");
        let document = expect(lab.order_by_hand(&BUY), 4, "pending");
        let text = document.to_string();
        assert!(text.contains("does not know whether"), "{document}");
        assert!(text.contains(number), "{document}");
        let document = expect(lab.order_by_hand(&BUY), 1, "pending");
        let is_asked = codes(&document).contains(&"purchase-unconfirmed");
        assert!(is_asked, "{document}");
        assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
    }
}

#[test]
fn a_lost_answer_to_a_purchase_is_settled_by_the_user() {
    let lab = NamecheapLab::offline();
    lab.namecheap.fail_next("create", StubFault::LostAnswer);
    let document = expect(lab.order_by_hand(&BUY), 4, "pending");
    assert!(
        document.to_string().contains("does not know whether"),
        "{document}"
    );
    for _ in 0..2 {
        let document = expect(lab.order_by_hand(&BUY), 1, "pending");
        assert_eq!(
            codes(&document),
            ["caa-unchecked", "purchase-unconfirmed"][1..],
            "{document}"
        );
        assert!(
            document.to_string().contains("--certificate 953414"),
            "{document}"
        );
    }
    assert_eq!(lab.namecheap.counts(), [1, 0, 0]);
    let bought = ["--certificate", "953414"];
    expect(lab.order_by_hand(&bought), 0, "issued");
    assert_eq!(lab.namecheap.counts(), [1, 1, 0]);

    // The same where it did not arrive: the user forgets it.
    let lab = NamecheapLab::offline();
    lab.namecheap
        .fail_next("create", StubFault::Reply(StubReply::silence()));
    expect(lab.order_by_hand(&BUY), 4, "pending");
    let document = expect(lab.order_by_hand(&BUY), 1, "pending");
    assert!(
        document.to_string().contains("no new certificate"),
        "{document}"
    );
    assert!(document.to_string().contains("rm "), "{document}");
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
}

/// How the process is killed at a call.
type KillFault = fn(Arc<KillTarget>) -> StubFault;

/// Both ways of being killed at a call, with how often the call has its effect.
const KILLS: [(KillFault, usize); 2] = [(StubFault::KillBefore, 0), (StubFault::KillAfter, 1)];

/// Runs an order that the stub kills at a call.
fn killed(
    lab: &NamecheapLab,
    number: usize,
    fault: fn(Arc<KillTarget>) -> StubFault,
    more: &[&str],
) {
    let target = Arc::new(KillTarget::default());
    lab.namecheap.fail_at(number, fault(Arc::clone(&target)));
    let own = ["--no-install", "--allow", "unchecked-record"];
    let words = lab.words(&[&own[..], more].concat());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = lab.sandbox.command(&words);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    target.set(child.id());
    assert_eq!(child.wait().unwrap().code(), None, "it was not killed");
}

/// The calls of an order that nothing disturbs.
fn usual_calls(more: &[&str]) -> Vec<String> {
    let lab = NamecheapLab::offline();
    expect(lab.order_by_hand(more), 0, "issued");
    lab.namecheap.commands()
}

#[test]
fn a_run_that_is_killed_at_any_call_is_continued_and_activates_once() {
    let calls = usual_calls(&CERTIFICATE);
    assert!(calls.contains(&"activate".to_owned()), "{calls:?}");
    for number in 1..=calls.len() {
        for fault in [StubFault::KillBefore, StubFault::KillAfter] {
            let lab = NamecheapLab::offline();
            killed(&lab, number, fault, &CERTIFICATE);
            let call = &calls[number - 1];
            let continued = lab.order_by_hand(&CERTIFICATE);
            assert_eq!(continued.code, 0, "{number} {call}: {continued}");
            assert_eq!(lab.namecheap.counts(), [0, 1, 0], "{number} {call}");
            assert!(lab.state("orders").is_empty(), "{number} {call}");
        }
    }
}

#[test]
fn a_purchase_that_is_killed_at_any_call_buys_once() {
    let calls = usual_calls(&BUY);
    let create = calls.iter().position(|call| call == "create").unwrap() + 1;
    for number in 1..=calls.len() {
        for (fault, arrives) in KILLS {
            let lab = NamecheapLab::offline();
            killed(&lab, number, fault, &BUY);
            if number == create {
                // The clock is set back and forth: that buys nothing either.
                for at in [
                    &[][..],
                    &["--at", "2020-01-01T00:00:00Z"],
                    &["--at", "2031-01-01T00:00:00Z"],
                ] {
                    let document =
                        expect(lab.order_by_hand(&[&BUY[..], at].concat()), 1, "pending");
                    assert_eq!(codes(&document), ["purchase-unconfirmed"], "{document}");
                }
                assert_eq!(lab.namecheap.counts(), [arrives, 0, 0], "{number}");
                continue;
            }
            let continued = lab.order_by_hand(&BUY);
            assert_eq!(continued.code, 0, "{number}: {continued}");
            assert_eq!(lab.namecheap.counts(), [1, 1, 0], "{number}");
        }
    }
}

#[test]
fn a_lost_answer_to_a_reissue_is_found_in_the_account() {
    for fault in [
        StubFault::LostAnswer,
        StubFault::Reply(StubReply::silence()),
    ] {
        let lab = NamecheapLab::offline();
        expect(lab.order_by_hand(&CERTIFICATE), 0, "issued");
        lab.namecheap.fail_next("reissue", fault);
        let again = [&CERTIFICATE[..], &["--force"]].concat();
        expect(lab.order_by_hand(&again), 4, "pending");
        let document = expect(lab.order_by_hand(&again), 0, "issued");
        assert_eq!(document["order"]["certificate"], "953414", "{document}");
        assert_eq!(lab.namecheap.counts(), [0, 1, 1]);
        // The folder has the new number, with which `renew` reissues.
        let saved = Json::parse(&lab.sandbox.read("shop.example.order.json"));
        assert_eq!(saved["order"]["certificate"], "953414");
    }
}

#[test]
fn two_processes_buy_and_activate_once() {
    for (more, counts) in [(&CERTIFICATE[..], [0, 1, 0]), (&BUY, [1, 1, 0])] {
        let lab = NamecheapLab::offline();
        let own = ["--no-install", "--allow", "unchecked-record", "--json"];
        let words = lab.words(&[&own[..], more].concat());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let start = || {
            let mut command = lab.sandbox.command(&words);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let children = [start(), start()];
        let mut verdicts = Vec::new();
        for child in children {
            let document = lab.sandbox.wait_for(child).expect(0).json();
            verdicts.push(verdict(&document).to_owned());
        }
        verdicts.sort();
        assert_eq!(verdicts, ["issued", "unchanged"]);
        assert_eq!(lab.namecheap.counts(), counts);
    }
}

#[test]
fn a_record_for_another_domain_is_not_accepted() {
    for (host, target) in [
        ("_a.other.example", "b.c.comodoca.com"),
        ("shop.example", "b.c.comodoca.com"),
        ("_a.example", "b.c.comodoca.com"),
        ("_a.shop.example", "b c.comodoca.com"),
        ("_a.shop.example", "comodoca"),
        ("_a.shop.example\u{1b}[31m", "b.c.comodoca.com"),
    ] {
        let lab = NamecheapLab::offline();
        let record = (host.to_owned(), target.to_owned());
        lab.namecheap.with(|account| account.record = Some(record));
        let run = lab.order_by_hand(&CERTIFICATE);
        assert!(!run.stdout.contains('\u{1b}'), "{run}");
        let document = expect(run, 3, "pending");
        assert!(
            document.to_string().contains("validates none of the names"),
            "{document}"
        );
        // Activated, and not again.
        expect(lab.order_by_hand(&CERTIFICATE), 3, "pending");
        assert_eq!(lab.namecheap.counts(), [0, 1, 0]);
    }
    // Another record than the computed one is used, with a warning.
    let lab = NamecheapLab::offline();
    let record = (
        "_dnsauth.shop.example".to_owned(),
        "x.dcv.example".to_owned(),
    );
    lab.namecheap.with(|account| account.record = Some(record));
    let document = expect(lab.order_by_hand(&CERTIFICATE), 0, "issued");
    assert!(
        codes(&document).contains(&"record-differs-from-request"),
        "{document}"
    );
}

#[test]
fn a_foreign_request_blocks_the_order_until_it_is_issued() {
    let lab = NamecheapLab::offline();
    // Activated on the web page with another request.
    let other = NamecheapLab::offline();
    expect(other.order_by_hand(&CERTIFICATE), 0, "issued");
    let request = other.sandbox.read("shop.example.csr");
    lab.namecheap.with(|account| {
        let one = account.certificates.get_mut(&BOUGHT).unwrap();
        one.status = "PURCHASED";
        one.host_name = "shop.example".to_owned();
        one.request = request;
    });
    let document = expect(lab.order_by_hand(&CERTIFICATE), 1, "pending");
    assert_eq!(
        codes(&document).last(),
        Some(&"certificate-not-usable"),
        "{document}"
    );
    assert_eq!(lab.namecheap.counts(), [0, 0, 0]);
    // It is issued: then a reissue has the request of this folder.
    lab.namecheap.with(|account| {
        account.certificates.get_mut(&BOUGHT).unwrap().is_validated = true;
    });
    let document = expect(lab.order_by_hand(&CERTIFICATE), 1, "pending");
    assert_eq!(
        codes(&document).last(),
        Some(&"certificate-not-usable"),
        "{document}"
    );
    expect(lab.order_by_hand(&CERTIFICATE), 0, "issued");
    assert_eq!(lab.namecheap.counts(), [0, 0, 1]);
}
