//! `certctl install` where files belong to the old certificate: stored OCSP responses, issuers, CT
//! timestamps, trusted certificates; and warnings of the server's own test.
//! Needs: apache2 curl haproxy nginx openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use rcgen::CertificateParams;
use support::Run;
use support::apache::Apache;
use support::ca::{Leaf, TestCa, today};
use support::external::{external_program, succeed};
use support::haproxy::Haproxy;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY};
use support::json::Json;
use support::nginx::{Nginx, free_port};

const BOTH: &str = "tree/etc/ssl/private/example.com.pem";
const OUTDATED: &str = "related-file-outdated";
const STAPLED: &str = "stapled-response-differs";

struct RelatedFixture {
    setup: InstallSandbox,
    port: u16,
}

/// rcgen derives the serial number from the key, which both certificates have.
fn with_serial(change: fn(&mut CertificateParams)) -> Leaf {
    Leaf {
        change,
        ..Leaf::default()
    }
}

fn old_serial(params: &mut CertificateParams) {
    params.serial_number = Some(vec![0x11, 0x22, 0x33].into());
}

fn new_serial(params: &mut CertificateParams) {
    params.serial_number = Some(vec![0x44, 0x55, 0x66].into());
}

impl RelatedFixture {
    /// Issues an old certificate at the paths of nginx, Apache and HAProxy, and a new one in
    /// `new.crt`; their leaves are `old.pem` and `new.pem`.
    fn new() -> Self {
        let setup = InstallSandbox::new();
        let sandbox = &setup.sandbox;
        sandbox.write("int.pem", setup.ca.intermediate_pem());
        sandbox.write("int.key", setup.ca.intermediate.key().serialize_pem());
        sandbox
            .run(&["csr", "example.com", "www.example.com"])
            .expect(0);
        let request = sandbox.read("example.com.csr");
        let key = sandbox.read("example.com.key");
        let old = setup.ca.issue_as(&request, with_serial(old_serial));
        let chain = old.clone() + &setup.ca.intermediate_pem();
        sandbox.write("old.pem", old);
        sandbox.write(CHAIN, &chain);
        sandbox.write(KEY, &key);
        sandbox.write(BOTH, chain + &key);
        let new = setup.ca.issue_as(&request, with_serial(new_serial));
        sandbox.write("new.crt", setup.ca.bundle_pem() + &new);
        sandbox.write("new.pem", new);
        Self {
            setup,
            port: free_port(),
        }
    }

    fn path(&self, path: &str) -> String {
        self.setup.sandbox.join(path).display().to_string()
    }

    fn openssl(&self, arguments: &[&str]) -> String {
        let mut command = external_program("openssl");
        succeed(
            command
                .args(arguments)
                .current_dir(self.setup.sandbox.path()),
        )
    }

    /// Writes the intermediate's OCSP response for a leaf to `file`.
    fn write_response(&self, leaf: &str, file: &str) {
        let serial = self.openssl(&["x509", "-in", leaf, "-noout", "-serial"]);
        let serial = serial.trim().strip_prefix("serial=").unwrap();
        let year = i32::from(today().year()) % 100 + 1;
        let index = format!("V\t{year}1207000000Z\t\t{serial}\tunknown\t/CN=example.com\n");
        self.setup.sandbox.write("index.txt", index);
        let file = self.path(file);
        self.openssl(&[
            "ocsp",
            "-index",
            "index.txt",
            "-rsigner",
            "int.pem",
            "-rkey",
            "int.key",
            "-CA",
            "int.pem",
            "-issuer",
            "int.pem",
            "-cert",
            leaf,
            "-ndays",
            "7",
            "-respout",
            &file,
        ]);
    }

    /// An nginx block with these directives.
    fn nginx_block(&self, more: &str) -> String {
        format!(
            "server {{ listen 127.0.0.1:{} ssl; server_name example.com www.example.com; ssl_certificate {};\n\
             ssl_certificate_key {};\n{more}\nreturn 204; }}",
            self.port,
            self.path(CHAIN),
            self.path(KEY)
        )
    }

    fn nginx(&self, more: &str) -> Nginx {
        Nginx::start(&self.folder("nginx"), &self.nginx_block(more))
    }

    fn haproxy(&self, words: &str) -> Haproxy {
        let section = format!(
            "frontend f\n    bind 127.0.0.1:{} ssl crt {} {words}\n    http-request return status 204\n",
            self.port,
            self.path(BOTH)
        );
        Haproxy::start(&self.folder("haproxy"), &section)
    }

    fn apache(&self, more: &str) -> Apache {
        let port = self.port;
        let text = format!(
            "Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\nServerName example.com\nServerAlias www.example.com\n\
             SSLEngine on\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n{more}\n</VirtualHost>\n",
            self.path(CHAIN),
            self.path(KEY)
        );
        Apache::start(&self.folder("apache"), &text)
    }

    fn folder(&self, server: &str) -> PathBuf {
        self.setup.sandbox.join(server)
    }

    fn install(&self, server: &str) -> Run {
        self.install_with(server, &[])
    }

    fn install_with(&self, server: &str, more: &[&str]) -> Run {
        let config = match server {
            "nginx" => "nginx/nginx.conf",
            "haproxy" => "haproxy/haproxy.cfg",
            _ => "apache/apache2.conf",
        };
        let config = self.path(config);
        let flags = ["--server", server, "--server-config", &config, "--json"];
        self.setup.install("new.crt", &[&flags[..], more].concat())
    }

    fn check(&self) -> Run {
        self.setup.sandbox.run(&[
            "install",
            "--check",
            "example.com",
            "--root",
            "tree",
            "--json",
        ])
    }
}

/// The certificate that the stapled response is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stapled {
    New,
    Old,
}

impl RelatedFixture {
    /// `curl --cert-status` ends with 91 if the response is for another certificate. Its OpenSSL does not
    /// speak X448 with these options.
    fn assert_verify_agrees_with_curl(&self, stapled: Stapled, tls: &str) {
        let host = format!("127.0.0.1:{}", self.port);
        let words = [
            "verify",
            &host,
            "--host",
            "example.com",
            "--trust",
            "root.pem",
        ];
        let run = self
            .setup
            .sandbox
            .run(&[&words[..], &["--json"]].concat())
            .json();
        let found = findings(&run, STAPLED).len();
        assert_eq!(found, usize::from(stapled == Stapled::Old), "{tls} {run}");
        if tls.contains("X448") {
            return;
        }
        let mut curl = external_program("curl");
        curl.current_dir(self.setup.sandbox.path())
            .args(["-s", "--cert-status", "--cacert", "root.pem", "--resolve"])
            .arg(format!("example.com:{}:127.0.0.1", self.port))
            .arg(format!("https://example.com:{}/", self.port));
        let code = curl.output().unwrap().status.code().unwrap();
        assert_eq!(code, if stapled == Stapled::Old { 91 } else { 0 }, "{tls}");
    }
}

/// The codes of findings that are more than notes.
fn problems(run: &Json) -> Vec<&str> {
    let all = run["findings"].as_array().unwrap();
    let problems = all.iter().filter(|one| one["severity"] != "note");
    problems.map(|one| one["code"].as_str().unwrap()).collect()
}

fn findings<'a>(run: &'a Json, code: &str) -> Vec<&'a Json> {
    let all = run["findings"].as_array().unwrap();
    all.iter().filter(|one| one["code"] == code).collect()
}

/// Asserts that there is one warning of this code, about `file`, with a next step.
#[track_caller]
fn assert_outdated(run: &Json, file: &str) {
    let found = findings(run, OUTDATED);
    let [finding] = found[..] else {
        panic!("{found:?}: {run}")
    };
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains(file), "{finding}");
    assert_eq!(finding["severity"], "warning", "{finding}");
    assert!(!finding["next"].as_array().unwrap().is_empty(), "{finding}");
}

#[test]
fn a_stored_response_for_the_old_certificate_is_not_a_yes() {
    for tls in [
        "",
        "ssl_protocols TLSv1.3;",
        // certctl can only read the certificate and the response.
        "ssl_protocols TLSv1.2; ssl_ecdh_curve X448;",
    ] {
        let site = RelatedFixture::new();
        site.write_response("old.pem", "shop.ocsp");
        let stapling = format!(
            "{tls} ssl_stapling on; ssl_stapling_file {};",
            site.path("shop.ocsp")
        );
        let nginx = site.nginx(&stapling);
        let run = site.install("nginx").expect(7).json();
        assert_eq!(run["verdict"], "live-incomplete", "{run}");
        let found = findings(&run, STAPLED);
        assert_eq!(found.len(), 1, "{run}");
        let message = found[0]["message"].as_str().unwrap();
        let address = format!("127.0.0.1:{} staples", site.port);
        assert!(message.starts_with(&address), "{message}");
        assert_outdated(&run, "shop.ocsp");
        let check = site.check().expect(1).json();
        assert_eq!(check["verdict"], "not-served", "{check}");
        assert!(problems(&check).contains(&STAPLED), "{check}");
        let status = ["status", "example.com", "--root", "tree", "--json"];
        let status = site.setup.sandbox.run(&status).expect(1);
        assert!(status.stdout.contains(STAPLED), "{status}");
        site.assert_verify_agrees_with_curl(Stapled::Old, tls);
        // The next response is for the new certificate.
        site.write_response("new.pem", "shop.ocsp");
        nginx.rewrite(&site.nginx_block(&stapling));
        let run = site.install("nginx").json();
        assert!(findings(&run, OUTDATED).is_empty(), "{run}");
    }
}

#[test]
fn a_stored_response_for_the_new_certificate_is_a_yes() {
    let site = RelatedFixture::new();
    site.write_response("new.pem", "shop.ocsp");
    let stapling = format!(
        "ssl_stapling on; ssl_stapling_file {};",
        site.path("shop.ocsp")
    );
    let _nginx = site.nginx(&stapling);
    let run = site.install("nginx").expect(0).json();
    assert_eq!((&run["verdict"], problems(&run)), (&"live".into(), vec![]));
    site.check().expect(0);
    site.assert_verify_agrees_with_curl(Stapled::New, "");
}

#[test]
fn files_next_to_a_certificate_of_haproxy_are_found() {
    let other = TestCa::new();
    for end in ["ocsp", "issuer", "sctl"] {
        let site = RelatedFixture::new();
        let file = format!("{BOTH}.{end}");
        match end {
            "ocsp" => site.write_response("old.pem", &file),
            "issuer" => drop(site.setup.sandbox.write(&file, other.intermediate_pem())),
            _ => drop(site.setup.sandbox.write(&file, timestamp_list(1))),
        }
        let _haproxy = site.haproxy("");
        let run = site.install_with("haproxy", test_of(end)).expect(0).json();
        assert_outdated(&run, &format!("example.com.pem.{end}"));
        if end == "ocsp" {
            let warning = findings(&run, "server-test-warning");
            let lines = warning[0]["lines"].to_string();
            assert!(lines.contains("Certificate ID does not match"), "{run}");
        }
    }
}

/// HAProxy 2.6 aborts at the end of its own test where it has read a file `.sctl`, whatever is in it.
fn test_of(end: &str) -> &'static [&'static str] {
    if end == "sctl" {
        &["--test", "true"]
    } else {
        &[]
    }
}

/// A list with one timestamp of a log, in milliseconds since 1970 (RFC 6962 3.3).
fn timestamp_list(milliseconds: u64) -> Vec<u8> {
    let mut one = vec![0; 33];
    one.extend_from_slice(&milliseconds.to_be_bytes());
    one.extend_from_slice(&[0, 0, 4, 3, 0, 0]);
    let with_length =
        |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    with_length(&with_length(&one))
}

#[test]
fn files_for_the_new_certificate_of_haproxy_are_not_reported() {
    let site = RelatedFixture::new();
    let sandbox = &site.setup.sandbox;
    site.write_response("new.pem", &format!("{BOTH}.ocsp"));
    sandbox.write(&format!("{BOTH}.issuer"), sandbox.read("int.pem"));
    // Later than every certificate of this test.
    let later = timestamp_list(4_102_444_800_000);
    sandbox.write(&format!("{BOTH}.sctl"), later);
    let _haproxy = site.haproxy("");
    let test = test_of("sctl");
    let run = site.install_with("haproxy", test).expect(0).json();
    assert!(findings(&run, OUTDATED).is_empty(), "{run}");
    assert!(findings(&run, STAPLED).is_empty(), "{run}");
}

#[test]
fn trusted_certificates_without_the_new_issuer_are_found() {
    let site = RelatedFixture::new();
    let sandbox = &site.setup.sandbox;
    sandbox.write("trusted.pem", sandbox.read("int.pem"));
    let next = TestCa::new();
    sandbox.write("root.pem", next.root_pem() + &sandbox.read("root.pem"));
    let leaf = next.issue(&sandbox.read("example.com.csr"));
    sandbox.write("new.crt", next.bundle_pem() + &leaf);
    let trusted = format!("ssl_trusted_certificate {};", site.path("trusted.pem"));
    let nginx = site.nginx(&format!("ssl_stapling on; {trusted}"));
    let run = site.install("nginx").expect(0).json();
    assert_outdated(&run, "trusted.pem");
    // Without stapling it is used for client certificates only.
    nginx.rewrite(&site.nginx_block(&trusted));
    let run = site.install("nginx").expect(0).json();
    assert!(findings(&run, OUTDATED).is_empty(), "{run}");
}

#[test]
fn certificates_for_clients_are_not_related() {
    let site = RelatedFixture::new();
    let client_ca = site.path("int.pem");
    let _apache = site.apache(&format!(
        "SSLCACertificateFile {client_ca}\nSSLVerifyClient optional\nSSLStaplingForceURL http://127.0.0.1:1/"
    ));
    let run = site.install("apache").expect(0).json();
    assert_eq!((&run["verdict"], problems(&run)), (&"live".into(), vec![]));
}

#[test]
fn warnings_of_the_test_that_name_the_files_are_passed_on() {
    let site = RelatedFixture::new();
    // The certificate has no OCSP responder: `nginx -t` warns and succeeds.
    let _nginx = site.nginx("ssl_stapling on;");
    let run = site.install("nginx").expect(0).json();
    let warning = findings(&run, "server-test-warning");
    let lines = warning[0]["lines"].to_string();
    assert!(
        lines.contains("[warn]") && lines.contains("example.com.fullchain.pem"),
        "{run}"
    );
    // A warning about something else is not about this certificate.
    let other = RelatedFixture::new();
    let block = other.nginx_block("");
    let twice = format!(
        "{block}\nserver {{ listen 127.0.0.1:{}; server_name a.test; }}\nserver {{ listen 127.0.0.1:{}; server_name a.test; }}",
        free_port(),
        free_port()
    );
    let _nginx = Nginx::start(&other.folder("nginx"), &twice);
    let run = other.install("nginx").expect(0).json();
    assert!(findings(&run, "server-test-warning").is_empty(), "{run}");
}

#[test]
fn old_timestamps_are_compared_with_the_certificate() {
    let site = RelatedFixture::new();
    let sandbox = &site.setup.sandbox;
    let leaf = site.setup.ca.issue_as(
        &sandbox.read("example.com.csr"),
        Leaf {
            not_before: today(),
            ..Leaf::default()
        },
    );
    sandbox.write("new.crt", site.setup.ca.bundle_pem() + &leaf);
    let midnight = jiff::tz::Offset::UTC
        .to_timestamp(today().at(0, 0, 0, 0))
        .unwrap();
    let midnight = u64::try_from(midnight.as_millisecond()).unwrap();
    let _haproxy = {
        sandbox.write(&format!("{BOTH}.sctl"), timestamp_list(midnight - 1));
        site.haproxy("")
    };
    let run = site
        .install_with("haproxy", test_of("sctl"))
        .expect(0)
        .json();
    assert_outdated(&run, ".sctl");
    sandbox.write(&format!("{BOTH}.sctl"), timestamp_list(midnight));
    let run = site.check().expect(0).json();
    assert!(findings(&run, OUTDATED).is_empty(), "{run}");
}
