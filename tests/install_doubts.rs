//! `certctl install` where certctl doubts what the server accepts: each doubt can be allowed.
//! Needs: apache2 nginx openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::apache::Apache;
use support::external::{external_program, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY};
use support::json::Json;
use support::nginx::free_port;
use support::site::Site;

const RISK: &str = "apache-reload-risk";
const NOT_UNDERSTOOD: &str = "config-not-understood";

/// Returns the severity of the finding with this code; empty without one.
fn severity<'a>(run: &'a Json, code: &str) -> &'a str {
    let findings = run["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["code"] == code);
    found.map_or("", |one| one["severity"].as_str().unwrap())
}

/// An Apache with the site and another host, whose key has its curve spelled out: Apache loads it,
/// certctl may not be able to read it.
#[test]
fn an_apache_that_certctl_would_not_reload_is_reloaded_if_allowed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let openssl = |arguments: &[&str]| {
        let mut command = external_program("openssl");
        succeed(command.args(arguments).current_dir(sandbox.path()));
    };
    openssl(&[
        "ecparam",
        "-name",
        "prime256v1",
        "-genkey",
        "-noout",
        "-param_enc",
        "explicit",
        "-out",
        "other.key",
    ]);
    openssl(&[
        "req",
        "-x509",
        "-new",
        "-key",
        "other.key",
        "-subj",
        "/CN=other.example",
        "-days",
        "9",
        "-out",
        "other.crt",
    ]);
    let port = free_port();
    let host = |name: &str, chain: &str, key: &str| {
        format!(
            "<VirtualHost *:{port}>\nServerName {name}\nSSLEngine on\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n</VirtualHost>\n",
            sandbox.join(chain).display(),
            sandbox.join(key).display()
        )
    };
    let other = host("other.example", "other.crt", "other.key");
    let listen = format!("Listen 127.0.0.1:{port}\n");
    let apache = Apache::start(&sandbox.join("apache"), &listen);
    let ours = host("example.com", CHAIN, KEY) + &host("www.example.com", CHAIN, KEY);
    apache.rewrite(&(listen.clone() + &ours));
    let config = sandbox.join("apache/apache2.conf").display().to_string();
    let flags = ["--server", "apache", "--server-config", &config, "--json"];
    setup.renew_and_install(&flags).expect(0);
    apache.rewrite(&(listen + &ours + &other));
    setup.write_delivery("new.crt");
    let refused = setup.install("new.crt", &flags);
    if refused.code == 1 {
        assert_eq!(severity(&refused.json(), RISK), "error", "{refused}");
    }
    let allowed = [&flags[..], &["--allow", RISK]].concat();
    let run = setup.install("new.crt", &allowed).expect(0).json();
    if refused.code == 1 {
        assert_eq!(severity(&run, RISK), "warning", "{run}");
        assert_eq!(run["verdict"], "live", "{run}");
    }
}

/// A key that does not belong to its certificate would really stop Apache, and the user can insist.
#[test]
fn a_certificate_with_another_key_is_a_risk() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    for name in ["one", "two"] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        succeed(
            external_program("openssl")
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-subj",
                    "/CN=other.example",
                ])
                .args(["-keyout", &key, "-out", &certificate])
                .current_dir(sandbox.path()),
        );
    }
    let port = free_port();
    let host = |name: &str, chain: &str, key: &str| {
        format!(
            "<VirtualHost *:{port}>\nServerName {name}\nSSLEngine on\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n</VirtualHost>\n",
            sandbox.join(chain).display(),
            sandbox.join(key).display()
        )
    };
    let listen = format!("Listen 127.0.0.1:{port}\n");
    let good = host("other.example", "one.crt", "one.key");
    let mut apache = Apache::start(&sandbox.join("apache"), &(listen.clone() + &good));
    let ours = host("example.com", CHAIN, KEY) + &host("www.example.com", CHAIN, KEY);
    let bad = host("other.example", "one.crt", "two.key");
    apache.rewrite(&(listen.clone() + &good + &ours));
    let config = sandbox.join("apache/apache2.conf").display().to_string();
    let flags = ["--server", "apache", "--server-config", &config, "--json"];
    setup.renew_and_install(&flags).expect(0);
    apache.rewrite(&(listen + &bad + &ours));
    setup.write_delivery("new.crt");
    let refused = setup.install("new.crt", &flags).expect(1).json();
    assert_eq!(severity(&refused, RISK), "error", "{refused}");
    assert!(apache.runs(), "Apache was not touched");
    // With a reload command that does nothing, the allowed risk is only reported.
    let allowed = ["--allow", RISK, "--reload", "true", "--probe", "none"];
    let run = setup.install("new.crt", &[&flags[..], &allowed].concat());
    let run = run.expect(0).json();
    assert_eq!(severity(&run, RISK), "warning", "{run}");
    assert!(apache.runs());
}

/// The test command stands for a server that accepts what certctl cannot read.
#[test]
fn a_configuration_that_only_certctl_cannot_read_can_be_allowed() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(&(site.block(CHAIN, KEY) + "\nserver { # never closed"));
    let refused = site.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(
        severity(&refused, "server-config-broken"),
        "error",
        "{refused}"
    );
    assert_eq!(severity(&refused, NOT_UNDERSTOOD), "", "{refused}");
    let accepts = ["--json", "--test", "true", "--reload", "true"];
    let refused = site.renew_and_install(&accepts).expect(1).json();
    assert_eq!(severity(&refused, NOT_UNDERSTOOD), "error", "{refused}");
    let allowed = [&accepts[..], &["--allow", NOT_UNDERSTOOD]].concat();
    let run = site.renew_and_install(&allowed).expect(0).json();
    assert_eq!(severity(&run, NOT_UNDERSTOOD), "warning", "{run}");
    assert_eq!(run["certificates"][0]["proof"], "files", "{run}");
}
