//! Tests `certctl import` with the real certbot, lego, pebble, nginx and knot on loopback. The tree of acme.sh,
//! which Debian does not have, is a fake: it is written as acme.sh's documentation describes it.
//! Needs: bash certbot ip knotd lego nginx openssl pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::Run;
use support::dns::with_port_53;
use support::external::{external_program, succeed};
use support::install_sandbox::codes;
use support::json::Json;
use support::nginx::Nginx;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::visitors::Visitors;

/// Makes every certificate of the test CA due.
const DUE: [&str; 5] = ["--root", "tree", "renew", "--renew-before", "9000d"];

fn import(lab: &OrderLab, more: &[&str]) -> Run {
    let roots = lab.pebble.roots().display().to_string();
    let resolver = lab.resolver().to_string();
    let at = ["--trust", &roots, "--resolver", &resolver, "--json"];
    let words = ["--root", "tree", "import"];
    lab.sandbox.run(&[&words[..], more, &at].concat())
}

fn renew(lab: &OrderLab) -> Run {
    lab.sandbox.run(&[&DUE[..], &["--json"]].concat())
}

fn issued(lab: &OrderLab) -> usize {
    lab.pebble.log().matches("Issued certificate").count()
}

/// certbot with its folders in the tree.
fn certbot(lab: &OrderLab, words: &[&str]) -> Command {
    let mut command = external_program("certbot");
    command.args(words);
    for (option, folder) in [
        ("--config-dir", "tree/etc/letsencrypt"),
        ("--work-dir", "certbot-work"),
        ("--logs-dir", "certbot-log"),
    ] {
        command.arg(option).arg(lab.sandbox.join(folder));
    }
    command.env("REQUESTS_CA_BUNDLE", lab.pebble.roots());
    command
}

/// lego with its folder beside the tree.
fn lego(lab: &OrderLab, words: &[&str]) -> Command {
    let mut command = external_program("lego");
    let directory = lab.pebble.directory();
    command.args(["--server", &directory, "--accept-tos"]);
    command.args(["--email", "admin@shop.example", "--http", "--http.webroot"]);
    command.arg(lab.sandbox.join("webroot"));
    command.arg("--path").arg(lab.sandbox.join("lego"));
    for name in NAMES {
        command.args(["--domains", name]);
    }
    command.args(words);
    command.env("LEGO_CA_CERTIFICATES", lab.pebble.roots());
    command
}

/// Runs a command that certctl prints, as root, which the test is already.
fn paste(lab: &OrderLab, step: &Json) {
    let line = step["command"].as_str().unwrap().replace("sudo ", "");
    let program = env!("CARGO_BIN_EXE_certctl");
    let line = line.replace("certctl forget", &format!("{program} forget"));
    let mut command = external_program("bash");
    command.current_dir(lab.sandbox.path());
    succeed(command.args(["-ec", &line]));
}

/// The text of a server's configuration with other files.
fn blocks_with(lab: &OrderLab, chain: &str, key: &str) -> String {
    let ours = lab.both_blocks();
    let tree = lab.sandbox.join("tree").display().to_string();
    let own_chain = format!("{tree}/etc/ssl/shop.example.fullchain.pem");
    let own_key = format!("{tree}/etc/ssl/private/shop.example.key");
    let path = |name: &str| lab.sandbox.join(name).display().to_string();
    let blocks = ours.replace(&own_chain, &path(chain));
    blocks.replace(&own_key, &path(key))
}

/// Lets nginx read its configuration, and waits until it serves TLS.
fn reload(lab: &OrderLab, nginx: &Nginx) {
    let mut command = external_program("nginx");
    command.arg("-c").arg(nginx.config()).args(["-s", "reload"]);
    succeed(&mut command);
    while TcpStream::connect((lab.site, 443)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reloads nginx with the lines to which the site is changed by hand.
fn use_own_files(lab: &OrderLab, nginx: &Nginx) {
    nginx.rewrite(&lab.both_blocks());
    let words = ["--root", "tree", "install", "shop.example", "--json"];
    let installed = lab.sandbox.run(&words).expect(0).json();
    assert_eq!(verdict(&installed), "live", "{installed}");
}

#[test]
fn a_certificate_of_certbot_is_taken_over_without_an_order() {
    with_port_53(
        "a_certificate_of_certbot_is_taken_over_without_an_order",
        || {
            let lab = OrderLab::start(0, PebbleOptions::default());
            let nginx = lab.nginx(&lab.plain_block());
            let directory = lab.pebble.directory();
            let webroot = lab.sandbox.join("webroot").display().to_string();
            let order = [
                "certonly",
                "--webroot",
                "-w",
                &webroot,
                "-d",
                NAMES[0],
                "-d",
                NAMES[1],
                "--server",
                &directory,
                "--agree-tos",
                "--register-unsafely-without-email",
                "--non-interactive",
                "--deploy-hook",
                "/bin/true",
            ];
            succeed(&mut certbot(&lab, &order));
            let live = "tree/etc/letsencrypt/live/shop.example";
            let chain = format!("{live}/fullchain.pem");
            let theirs = blocks_with(&lab, &chain, &format!("{live}/privkey.pem"));
            nginx.rewrite(&theirs);
            reload(&lab, &nginx);
            assert_eq!(issued(&lab), 1);
            let roots = std::fs::read_to_string(lab.pebble.roots()).unwrap();
            let issuing = roots.rsplit_once("-----BEGIN").unwrap().1;
            let issuing = format!("-----BEGIN{issuing}");
            let address = SocketAddr::new(lab.site, 443);
            let visitors = Visitors::start(&[address], "shop.example", &issuing);

            let config = nginx.config().display().to_string();
            let server = ["--server", "nginx", "--server-config", &config];
            let unknown = import(&lab, &["certbot", "other.example"]).expect(3);
            assert!(unknown.stdout.contains("shop.example"), "{unknown}");
            let words = [&["certbot", "shop.example"], &server[..]].concat();
            let planned = import(&lab, &[&words[..], &["--dry-run"]].concat());
            assert_eq!(verdict(&planned.expect(0).json()), "planned");
            assert!(!lab.sandbox.join("tree/etc/ssl/certctl").exists());

            // nginx reads certbot's files, which certctl does not touch.
            let imported = import(&lab, &words).expect(1).json();
            assert_eq!(verdict(&imported), "imported", "{imported}");
            let one = &imported["certificates"][0];
            assert_eq!(one["verdict"], "not-served", "{imported}");
            assert_eq!(one["method"], "http-01");
            assert_eq!(one["account"]["result"], "new");
            let found = codes(&imported);
            for code in ["account-not-imported", "hook-not-imported"] {
                assert!(found.contains(&code), "{imported}");
            }
            assert_eq!(issued(&lab), 1);
            use_own_files(&lab, &nginx);

            // Two programs do not renew the same certificate.
            let refused = renew(&lab).expect(1).json();
            assert!(codes(&refused).contains(&"renewed-elsewhere"), "{refused}");
            assert_eq!(issued(&lab), 1);
            paste(&lab, &one["stop"][0]);
            let forced = ["renew", "--force-renewal", "--no-random-sleep-on-renew"];
            let forced = [&forced[..], &["--non-interactive"]].concat();
            succeed(&mut certbot(&lab, &forced));
            assert_eq!(issued(&lab), 1);
            let renewed = renew(&lab).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            assert_eq!(issued(&lab), 2);

            // And back.
            nginx.rewrite(&theirs);
            reload(&lab, &nginx);
            paste(&lab, &one["back"][0]);
            succeed(&mut certbot(&lab, &forced));
            assert_eq!(issued(&lab), 3);
            visitors.await_visits(3);
            visitors.assert_no_failure();
        },
    );
}

#[test]
fn a_certificate_of_lego_is_taken_over_with_its_account() {
    with_port_53(
        "a_certificate_of_lego_is_taken_over_with_its_account",
        || {
            let lab = OrderLab::start(1, PebbleOptions::default());
            let nginx = lab.nginx(&lab.plain_block());
            succeed(&mut lego(&lab, &["run"]));
            let path = |end: &str| format!("lego/certificates/shop.example.{end}");
            nginx.rewrite(&blocks_with(&lab, &path("crt"), &path("key")));
            reload(&lab, &nginx);
            let config = nginx.config().display().to_string();
            let server = ["--server", "nginx", "--server-config", &config];
            let words = ["lego", "shop.example", "--from", "lego"];
            let words = [&words[..], &server].concat();
            let directory = lab.pebble.directory();
            let unknown = import(&lab, &words).expect(3);
            assert!(unknown.stdout.contains("--ca"), "{unknown}");
            let words = [&words[..], &["--ca", &directory]].concat();
            let unknown = import(&lab, &words).expect(3);
            assert!(unknown.stdout.contains("--webroot"), "{unknown}");

            let words = [&words[..], &["--webroot", "webroot"]].concat();
            let imported = import(&lab, &words).json();
            assert_eq!(verdict(&imported), "imported", "{imported}");
            let one = &imported["certificates"][0];
            assert_eq!(one["account"]["result"], "imported", "{imported}");
            let account = one["account"]["url"].as_str().unwrap().to_owned();
            // The plain files that the server reads are not lego's any more.
            if one["verdict"] == "not-served" {
                use_own_files(&lab, &nginx);
            }
            paste(&lab, &one["stop"][0]);
            let run = lego(&lab, &["renew", "--days", "9000", "--no-random-sleep"]).output();
            assert!(!run.unwrap().status.success());
            assert_eq!(issued(&lab), 1);
            let renewed = renew(&lab).expect(0).json();
            assert_eq!(verdict(&renewed), "renewed", "{renewed}");
            assert_eq!(issued(&lab), 2);
            let listed = ["--root", "tree", "account", "list", "--json"];
            let listed = lab.sandbox.run(&listed).expect(0).json();
            assert_eq!(listed["accounts"][0]["url"], account.as_str(), "{listed}");
        },
    );
}

/// A fake: no acme.sh has written this tree.
#[test]
fn a_certificate_in_a_tree_of_acme_sh_is_taken_over() {
    with_port_53("a_certificate_in_a_tree_of_acme_sh_is_taken_over", || {
        let lab = OrderLab::start(2, PebbleOptions::default());
        let _nginx = lab.nginx(&lab.plain_block());
        lab.order(&["--no-install"]).expect(0);
        let directory = lab.pebble.directory();
        let roots = lab.pebble.roots().display().to_string();
        let export = [
            "account",
            "export",
            "--out",
            "account.pem",
            "--ca",
            &directory,
        ];
        let export = [&["--root", "tree"], &export[..], &["--trust", &roots]].concat();
        lab.sandbox.run(&export).expect(0);

        let home = "tree/root/.acme.sh";
        let ip = directory.split(['/', ':']).nth(3).unwrap();
        let account = lab.sandbox.join(&format!("{home}/ca/{ip}/dir/account.key"));
        std::fs::create_dir_all(account.parent().unwrap()).unwrap();
        // acme.sh writes keys as openssl does (SEC 1).
        let mut convert = external_program("openssl");
        convert
            .args(["ec", "-in"])
            .arg(lab.sandbox.join("account.pem"));
        succeed(convert.arg("-out").arg(&account));
        let webroot = lab.sandbox.join("webroot").display().to_string();
        let conf = format!(
            "Le_Domain='shop.example'\nLe_Alt='www.shop.example'\nLe_Webroot='{webroot}'\n\
             Le_PreHook=''\nLe_API='{directory}'\nLe_Keylength='ec-256'\n"
        );
        let folder = format!("{home}/shop.example_ecc");
        lab.sandbox
            .write(&format!("{folder}/shop.example.conf"), conf);
        for (from, to) in [
            ("fullchain.pem", "fullchain.cer"),
            ("key", "shop.example.key"),
        ] {
            let from = lab.sandbox.join(&format!("shop.example.{from}"));
            std::fs::rename(from, lab.sandbox.join(&format!("{folder}/{to}"))).unwrap();
        }
        std::fs::remove_file(lab.sandbox.join("shop.example.csr")).unwrap();
        std::fs::remove_dir_all(lab.sandbox.join("tree/var/lib/certctl")).unwrap();

        let imported = import(&lab, &["acme.sh"]).expect(0).json();
        assert_eq!(verdict(&imported), "imported", "{imported}");
        let one = &imported["certificates"][0];
        assert_eq!(one["verdict"], "files", "{imported}");
        assert_eq!(one["source"], "shop.example_ecc");
        assert_eq!(one["account"]["result"], "imported");
        let again = import(&lab, &["acme.sh"]).expect(0).json();
        assert_eq!(again["certificates"][0]["account"]["result"], "kept");
        assert_eq!(again["changed"].as_bool(), Some(false), "{again}");
        renew(&lab).expect(1);
        paste(&lab, &one["stop"][0]);
        let removed = format!("{folder}/shop.example.conf.removed");
        assert!(lab.sandbox.join(&removed).exists());
        let renewed = renew(&lab).expect(0).json();
        assert_eq!(verdict(&renewed), "renewed", "{renewed}");
        assert_eq!(issued(&lab), 2);
        assert_eq!(lab.state("accounts").len(), 2);
        import(&lab, &["acme.sh"]).expect(3);
        assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
    });
}
