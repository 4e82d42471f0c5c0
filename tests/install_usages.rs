//! `certctl install` of a certificate that lacks a use of the previous one: OCSP stapling, client
//! authentication.
//! Needs: apache2, nginx
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose};
use support::apache::Apache;
use support::ca::Leaf;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes};
use support::json::Json;
use support::nginx::free_port;
use support::site::Site;

/// Adds the address of an OCSP responder (RFC 5280, 4.2.2.1) on which nothing listens.
fn with_ocsp(params: &mut CertificateParams) {
    let url = b"http://127.0.0.1:9/";
    let method = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
    let sequence =
        |content: Vec<u8>| [vec![0x30, u8::try_from(content.len()).unwrap()], content].concat();
    let place = [&[0x86, u8::try_from(url.len()).unwrap()], &url[..]].concat();
    let value = sequence(sequence([&method[..], &place].concat()));
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 1],
            value,
        ));
}

fn finding<'a>(document: &'a Json, code: &str) -> &'a Json {
    let found = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {document}"))
}

#[test]
fn stapling_without_a_responder_is_a_warning_for_nginx() {
    let site = Site::new();
    let nginx = site.start("");
    nginx.rewrite(
        &site
            .block(CHAIN, KEY)
            .replace("return 204;", "\nssl_stapling on; return 204;"),
    );
    let config = site.folder().join("nginx.conf").display().to_string();
    let flags = ["--server", "nginx", "--server-config", &config, "--json"];
    site.setup.write_delivery_with(
        "new.crt",
        Leaf {
            change: with_ocsp,
            ..Leaf::default()
        },
    );
    let run = site.setup.install("new.crt", &flags).expect(0).json();
    assert!(!codes(&run).contains(&"stapling-without-ocsp"), "{run}");

    let run = site.setup.renew_and_install(&flags).expect(0).json();
    assert_eq!(
        run["verdict"], "live",
        "nginx serves it without stapling: {run}"
    );
    let finding = finding(&run, "stapling-without-ocsp");
    let line = std::fs::read_to_string(&config)
        .unwrap()
        .lines()
        .position(|line| line.contains("ssl_stapling"))
        .unwrap();
    let place = format!("{config}:{}", line + 1);
    assert_eq!(finding["severity"], "warning");
    assert!(
        finding["next"][0]["text"]
            .as_str()
            .unwrap()
            .contains(&place),
        "{finding}"
    );
    let log = std::fs::read_to_string(site.folder().join("error.log")).unwrap();
    assert!(
        log.contains("\"ssl_stapling\" ignored"),
        "nginx reports the same: {log}"
    );
}

#[test]
fn stapling_without_a_responder_is_a_warning_for_apache() {
    let setup = InstallSandbox::new();
    let (port, folder) = (free_port(), setup.sandbox.join("apache"));
    let path = |path: &str| setup.sandbox.join(path).display().to_string();
    let mut apache = Apache::start(&folder, &format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&format!(
        "Listen 127.0.0.1:{port}\nSSLStaplingCache shmcb:{}/stapling\nSSLUseStapling On\n<VirtualHost *:{port}>\n\
         ServerName example.com\nServerAlias www.example.com\nSSLEngine on\nSSLCertificateFile {}\n\
         SSLCertificateKeyFile {}\n</VirtualHost>",
        folder.display(),
        path(CHAIN),
        path(KEY)
    ));
    let config = folder.join("apache2.conf").display().to_string();
    let flags = ["--server", "apache", "--server-config", &config, "--json"];
    let run = setup.renew_and_install(&flags).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}\n{}", apache.log());
    let finding = finding(&run, "stapling-without-ocsp");
    let line = std::fs::read_to_string(&config)
        .unwrap()
        .lines()
        .position(|line| line.contains("SSLUse"))
        .unwrap();
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{config}:{} ", line + 1)),
        "{finding}"
    );
    assert!(
        apache.log().contains("no OCSP URI in certificate"),
        "{}",
        apache.log()
    );
    assert!(apache.runs());
}

#[test]
fn a_certificate_that_lost_client_authentication_is_reported_once() {
    let setup = InstallSandbox::new();
    let both = |params: &mut CertificateParams| {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ClientAuth)
    };
    let flags = ["--server", "none", "--json"];
    setup.write_delivery_with(
        "old.crt",
        Leaf {
            change: both,
            ..Leaf::default()
        },
    );
    let first = setup.install("old.crt", &flags).expect(0).json();
    assert!(!codes(&first).contains(&"client-auth-removed"), "{first}");

    let run = setup.renew_and_install(&flags).expect(0).json();
    let finding = finding(&run, "client-auth-removed");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["next"].len(), 1, "{finding}");
    let again = setup.install("new.crt", &flags).expect(0).json();
    assert!(
        !codes(&again).contains(&"client-auth-removed"),
        "reported once: {again}"
    );
}
