//! Tests what `certctl order` checks before it orders, and what it says when the CA refuses, with the
//! real pebble, nginx, knot and unbound on loopback.
//! Needs: bash ip kdig knotd nginx pebble unbound unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use support::dns::{NameServer, port_53, with_port_53};
use support::external::{external_program, succeed};
use support::install_sandbox::codes;
use support::json::Json;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::{Run, Sandbox};

/// Orders from a CA of the table, behind a proxy that does not exist: nothing leaves this machine.
fn order_from(sandbox: &Sandbox, ca: &str, more: &[&str]) -> Run {
    let words = ["--root", "tree", "order", "shop.example", "--ca", ca];
    let files = ["--webroot", "webroot", "--agree-tos", "--json"];
    let mut command = sandbox.command(&[&words[..], &files, more].concat());
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    sandbox.run_command(command)
}

fn with_webroot() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.join("webroot")).unwrap();
    sandbox
}

/// The command of the first step of an error.
fn first_command(run: &Run) -> Vec<String> {
    let document = run.json();
    let argv = document["error"]["next"][0]["argv"].as_array().unwrap();
    let words = argv.iter().map(|word| word.as_str().unwrap().to_owned());
    words.skip(1).collect()
}

#[test]
fn a_certificate_that_may_cost_money_needs_consent() {
    let sandbox = with_webroot();
    for ca in ["sectigo", "ssl.com", "digicert", "globalsign"] {
        let refused = order_from(&sandbox, ca, &[]).expect(3);
        let repeated = first_command(&refused);
        assert!(
            repeated.contains(&"--accept-charges".to_owned()),
            "{refused}"
        );
        // With consent, the CA is contacted, which the proxy prevents.
        order_from(&sandbox, ca, &["--accept-charges"]).expect(4);
    }
    order_from(&sandbox, "letsencrypt", &[]).expect(4);
}

#[test]
fn consent_to_charges_is_saved_for_its_names_and_ca() {
    let sandbox = with_webroot();
    let placeholder = ["install", "--placeholder", "shop.example"];
    let words = [&["--root", "tree"], &placeholder[..]].concat();
    sandbox.run(&words).expect(0);
    let path = sandbox.join("tree/etc/ssl/certctl/shop.example/settings.json");
    for (ca, name, code) in [
        ("sectigo", "shop.example", 4),
        ("sectigo", "other.example", 3),
        ("digicert", "shop.example", 3),
    ] {
        let mut settings = Json::parse(&std::fs::read_to_string(&path).unwrap());
        let order = serde_json::json!({"ca": ca, "charges_accepted": [name]});
        settings.set("order", order);
        std::fs::write(&path, settings.to_string()).unwrap();
        order_from(&sandbox, "sectigo", &[]).expect(code);
    }
}

/// Writes when certificates for shop.example were issued by Let's Encrypt, in hours before now.
fn write_issuances(sandbox: &Sandbox, hours: &[i64]) {
    let directory = "https://acme-v02.api.letsencrypt.org/directory";
    let text = format!("{directory}\nshop.example");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let digits: String = hash.as_ref()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let now = jiff::Timestamp::now();
    let times = hours
        .iter()
        .map(|hours| (now - jiff::SignedDuration::from_hours(*hours)).to_string());
    let times: Vec<String> = times.collect();
    let path = format!("tree/var/lib/certctl/issued/{digits}.json");
    sandbox.write_key(&path, serde_json::json!(times).to_string());
}

#[test]
fn a_fourth_order_of_the_same_names_in_a_week_needs_force() {
    for (hours, is_refused) in [
        (&[][..], false),
        (&[1, 2], false),
        (&[1, 2, 167], true),
        (&[1, 2, 169], false),
        (&[1, 2, 3, 4], true),
    ] {
        let sandbox = with_webroot();
        write_issuances(&sandbox, hours);
        let run = order_from(&sandbox, "letsencrypt", &[]);
        let run = run.expect(if is_refused { 3 } else { 4 });
        if is_refused {
            assert!(first_command(&run).contains(&"--force".to_owned()), "{run}");
            order_from(&sandbox, "letsencrypt", &["--force"]).expect(4);
        }
        // The staging CA has no such limit.
        order_from(&sandbox, "letsencrypt-staging", &[]).expect(4);
    }
}

#[test]
fn without_a_method_each_possible_one_is_a_command() {
    let sandbox = with_webroot();
    let words = ["--root", "tree", "order", "*.shop.example", "--json"];
    let words = [&words[..], &["--ca", "letsencrypt"]].concat();
    let none = sandbox.run(&words).expect(3);
    let next = none.json()["error"]["next"].clone();
    assert_eq!(next.len(), 1, "{none}");
    assert!(next[0].get("argv").is_none_or(Json::is_null), "{none}");
    let credentials = "[dns.rfc2136]\nnameserver = \"127.0.0.1\"\n\
                       tsig_key = \"k\"\ntsig_secret = \"c2VjcmV0\"\n";
    sandbox.write_key("tree/etc/certctl/credentials.toml", credentials);
    let one = sandbox.run(&words).expect(3);
    let next = one.json()["error"]["next"].clone();
    // A file validates no wildcard, whatever folders exist here.
    assert_eq!(next.len(), 1, "{one}");
    let command = first_command(&one);
    assert!(command.ends_with(&["--dns".to_owned(), "rfc2136".to_owned()]));
    let repeated: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut repeated = sandbox.command(&repeated);
    repeated.env("HTTPS_PROXY", "http://127.0.0.1:9");
    sandbox.run_command(repeated).expect(4);
}

#[test]
fn a_profile_that_the_ca_does_not_offer_is_refused() {
    with_port_53("a_profile_that_the_ca_does_not_offer_is_refused", || {
        let lab = OrderLab::start(0, PebbleOptions::default());
        let refused = lab.order(&["--no-install", "--profile", "tlsserver"]);
        let refused = refused.expect(3);
        assert!(refused.stdout.contains("no profile tlsserver"), "{refused}");
        assert_eq!(lab.state("accounts"), Vec::<PathBuf>::new());
    });
}

#[test]
fn a_redirect_to_https_is_followed_as_the_ca_does() {
    with_port_53("a_redirect_to_https_is_followed_as_the_ca_does", || {
        let lab = OrderLab::start(1, PebbleOptions::default());
        let placeholder = ["install", "--placeholder", NAMES[0], NAMES[1]];
        let words = [&["--root", "tree"], &placeholder[..]].concat();
        lab.sandbox.run(&words).expect(0);
        let redirect = |to: &str| {
            let webroot = lab.sandbox.join("webroot").display().to_string();
            let blocks = lab.both_blocks();
            let (plain, tls) = blocks.split_once('\n').unwrap();
            let plain = plain.replace(&format!("root {webroot};"), &format!("return 301 {to};"));
            let tls = tls.replace("return 204;", &format!("root {webroot};"));
            format!("{plain}\n{tls}")
        };
        // The path is lost.
        let nginx = lab.nginx(&redirect("https://$host/"));
        let refused = lab.order(&["--no-install"]).expect(1).json();
        assert_eq!(codes(&refused), ["challenge-file-wrong"; 2], "{refused}");
        assert!(!lab.pebble.log().contains("sign-me-up"));
        drop(nginx);
        let _nginx = lab.nginx(&redirect("https://$host$request_uri"));
        let issued = lab.order(&["--no-install"]).expect(0).json();
        assert_eq!(verdict(&issued), "issued", "{issued}");
    });
}

#[test]
fn every_address_of_a_name_is_checked() {
    with_port_53("every_address_of_a_name_is_checked", || {
        let records = |site: IpAddr| format!("@ A {site}\n@ AAAA ::1\nv6 AAAA ::1");
        let lab = OrderLab::with_records(2, PebbleOptions::default(), records, None);
        let names = ["shop.example", "v6.shop.example"];
        let block = |listen: &str, root: &str| {
            let root = lab.sandbox.join(root);
            format!("server {{ listen {listen}; root {}; }}\n", root.display())
        };
        let plain = format!("{}:80", lab.site);
        let options = ["--webroot", "webroot", "--agree-tos", "--no-install"];
        let options = [&options[..], &["--json"]].concat();
        // An old AAAA record leads to another server.
        let both = [block(&plain, "webroot"), block("[::1]:80", "other")].concat();
        let nginx = lab.nginx(&both);
        let refused = lab.order_names(&names, &options).expect(1).json();
        assert_eq!(codes(&refused), ["challenge-file-wrong"; 2], "{refused}");
        let message = refused["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains("::1 answers with status 404"), "{message}");
        drop(nginx);
        // Nothing listens at the AAAA record: what the CA would get is not known.
        let nginx = lab.nginx(&block(&plain, "webroot"));
        let refused = lab.order_names(&names[..1], &options).expect(1).json();
        assert_eq!(codes(&refused), ["challenge-file-unchecked"], "{refused}");
        drop(nginx);
        let both = [block(&plain, "webroot"), block("[::1]:80", "webroot")].concat();
        let _nginx = lab.nginx(&both);
        let issued = lab.order_names(&names, &options).expect(0).json();
        assert_eq!(verdict(&issued), "issued", "{issued}");
    });
}

#[test]
fn a_refusal_quotes_the_ca_beside_our_own_check() {
    with_port_53("a_refusal_quotes_the_ca_beside_our_own_check", || {
        // The CA gets another answer from the DNS: an address where no server listens.
        let other = port_53(3, 9);
        let hosts = format!(
            "ns1 A {ip}\nns2 A {ip}\n@ A {ip}\nwww A {ip}",
            ip = other.ip()
        );
        let _elsewhere = NameServer::knot_at(&[other], &hosts, "");
        let records = |site: IpAddr| format!("@ A {site}\nwww A {site}");
        let lab = OrderLab::with_records(3, PebbleOptions::default(), records, Some(other));
        let _nginx = lab.nginx(&lab.plain_block());
        for _ in 0..2 {
            let run = lab.order(&["--no-install"]).expect(1);
            let refused = run.json();
            assert_eq!(verdict(&refused), "refused", "{run}");
            let found = codes(&refused);
            assert!(!found.is_empty() && found.iter().all(|code| *code == "ca-refused"));
            let message = refused["findings"][0]["message"].as_str().unwrap();
            assert!(message.contains("connection"), "{message}");
            assert!(
                run.stdout.contains("certctl itself fetched a test file"),
                "{run}"
            );
            // The order is closed: nothing is left of it.
            assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
            assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
        }
        assert_eq!(lab.state("accounts").len(), 2);
    });
}

/// The CA's resolver, which keeps negative answers for this time and has one for the record.
fn resolver_with_old_answer(number: u8, seconds: u32) -> (NameServer, SocketAddr) {
    let (resolver, zone) = (port_53(3, number * 3), port_53(0, number * 3));
    let options = format!("  cache-max-negative-ttl: {seconds}\n");
    let unbound = NameServer::unbound(resolver, zone, &options);
    let mut kdig = external_program("kdig");
    kdig.arg(format!("@{}", resolver.ip()));
    let answer = succeed(kdig.args(["_acme-challenge.shop.example", "TXT"]));
    assert!(answer.contains("NXDOMAIN"), "{answer}");
    (unbound, resolver)
}

#[test]
fn a_record_that_the_ca_did_not_see_is_tried_once_more() {
    with_port_53(
        "a_record_that_the_ca_did_not_see_is_tried_once_more",
        || {
            let records = |site: IpAddr| format!("@ A {site}\nwww A {site}");
            let resolver = port_53(3, 18);
            let lab = OrderLab::with_records(6, PebbleOptions::default(), records, Some(resolver));
            let more = ["--dns", "rfc2136", "--agree-tos", "--no-install", "--json"];
            // Longer than certctl waits: the second attempt fails too, and there is no third.
            let (old_answers, _) = resolver_with_old_answer(6, 120);
            let refused = lab.order_names(&NAMES[..1], &more).expect(1).json();
            assert_eq!(verdict(&refused), "refused", "{refused}");
            assert_eq!(codes(&refused), ["validation-repeated", "ca-refused"]);
            let message = refused["findings"][1]["message"].as_str().unwrap();
            assert!(message.contains("TXT"), "{message}");
            assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
            assert_eq!(lab.state("records"), Vec::<PathBuf>::new());
            drop(old_answers);
            // Shorter: the second attempt succeeds.
            let (_old_answers, _) = resolver_with_old_answer(6, 6);
            let issued = lab.order_names(&NAMES[..1], &more).expect(0).json();
            assert_eq!(verdict(&issued), "issued", "{issued}");
            assert_eq!(codes(&issued)[0], "validation-repeated");
            assert_eq!(lab.state("orders"), Vec::<PathBuf>::new());
            assert_eq!(lab.state("records"), Vec::<PathBuf>::new());
        },
    );
}

#[test]
fn certctl_serves_the_files_itself_where_port_80_is_free() {
    with_port_53(
        "certctl_serves_the_files_itself_where_port_80_is_free",
        || {
            let lab = OrderLab::start(4, PebbleOptions::default());
            let standalone = format!("--standalone={}", lab.site);
            let options = [&standalone, "--agree-tos", "--no-install", "--json"];
            let nginx = lab.nginx(&lab.plain_block());
            let refused = lab.order_names(&NAMES, &options).expect(3);
            let process = format!("{}:80 is in use by process", lab.site);
            assert!(refused.stdout.contains(&process), "{refused}");
            assert!(refused.stdout.contains("nginx"), "{refused}");
            let repeated = first_command(&refused);
            assert!(!repeated.contains(&standalone), "{refused}");
            assert!(repeated.contains(&"--webroot".to_owned()), "{refused}");
            // Neither an account nor an order was created.
            assert_eq!(lab.state("accounts"), Vec::<PathBuf>::new());
            drop(nginx);
            let issued = lab.order_names(&NAMES, &options).expect(0).json();
            assert_eq!(verdict(&issued), "issued", "{issued}");
            assert_eq!(issued["order"]["method"], "http-01");
            // The port is free again.
            drop(lab.nginx(&lab.plain_block()));
            let wild = ["*.shop.example"];
            let refused = lab.order_names(&wild, &options).expect(3);
            assert!(refused.stdout.contains("--dns"), "{refused}");
        },
    );
}

#[test]
fn an_ip_address_is_validated_by_a_file() {
    with_port_53("an_ip_address_is_validated_by_a_file", || {
        let lab = OrderLab::start(5, PebbleOptions::default());
        let site = lab.site.to_string();
        let standalone = format!("--standalone={site}");
        let options = ["--agree-tos", "--no-install", "--json"];
        let records = [&options[..], &["--dns", "rfc2136"]].concat();
        lab.order_names(&[&site], &records).expect(2);
        let own = [&options[..], &[&standalone]].concat();
        let issued = lab.order_names(&[&site], &own).expect(0).json();
        assert_eq!(verdict(&issued), "issued", "{issued}");
        let chain = issued["order"]["chain_path"].as_str().unwrap();
        let inspected = lab.sandbox.run(&["inspect", chain, "--json"]);
        let inspected = inspected.expect(0).json();
        assert_eq!(inspected["items"][0]["ip_addresses"][0], site.as_str());
        let unchanged = lab.order_names(&[&site], &own).expect(0).json();
        assert_eq!(verdict(&unchanged), "unchanged", "{unchanged}");
    });
}
