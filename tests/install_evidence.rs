//! `certctl install` with servers that certctl's TLS library cannot complete a handshake with: the
//! certificate is read in the clear, or reported as not verified; and servers that refuse clients
//! since the new certificate is installed, which ends in a rollback at once.
//! Needs: apache2 haproxy nginx openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::{KeyCheck, ProbeTarget, TlsHandshake};
use certctl::facade::system::tls::{ProbeError, probe_all, probe_with_fallback};
use support::Run;
use support::any_server::{Running, ServerKind};
use support::apache::Apache;
use support::external::{external_program, succeed};
use support::haproxy::Haproxy;
use support::install_sandbox::{InstallSandbox, codes};
use support::json::Json;
use support::nginx::{Nginx, free_port};

/// A server that certctl's TLS library does not support.
#[derive(Clone, Copy)]
struct Variant {
    name: &'static str,
    /// The value of `--key-type`, or a key that openssl generates: `openssl:` and its arguments.
    key: &'static str,
    /// The TLS versions: the first and the last.
    versions: (&'static str, &'static str),
    /// The cipher suites in OpenSSL's spelling; empty for the usual ones.
    ciphers: &'static str,
    /// The only group; empty for the usual ones.
    group: &'static str,
    /// What the probes report.
    protocol: &'static str,
}

const TLS12: (&str, &str) = ("1.2", "1.2");

/// An RSA key and these cipher suites of TLS 1.2.
const fn suites(name: &'static str, ciphers: &'static str) -> Variant {
    Variant {
        name,
        key: "rsa-2048",
        versions: TLS12,
        ciphers,
        group: "",
        protocol: "TLS 1.2",
    }
}

/// An ECDSA key and this group in TLS 1.2.
const fn group(name: &'static str, group: &'static str) -> Variant {
    Variant {
        key: "ecdsa-p256",
        group,
        ..suites(name, "")
    }
}

const OLD_VERSION: &str = "DEFAULT@SECLEVEL=0";

/// The certificate of these servers can be read in the clear.
const READABLE: [Variant; 12] = [
    Variant {
        key: "openssl:ecparam -name secp521r1 -genkey -noout",
        ..suites("a P-521 key", "")
    },
    suites("RSA key exchange", "AES256-GCM-SHA384"),
    suites("DHE", "DHE-RSA-AES256-GCM-SHA384"),
    suites("CBC", "ECDHE-RSA-AES256-SHA384"),
    Variant {
        versions: ("1.0", "1.0"),
        protocol: "TLS 1.0",
        ..suites("TLS 1.0", OLD_VERSION)
    },
    group("the group P-521", "secp521r1"),
    group("the group X448", "X448"),
    group("a brainpool group", "brainpoolP256r1"),
    // Not among the reported cases.
    Variant {
        versions: ("1.1", "1.1"),
        protocol: "TLS 1.1",
        ..suites("TLS 1.1", OLD_VERSION)
    },
    suites("Camellia", "ECDHE-RSA-CAMELLIA256-SHA384"),
    suites("ARIA", "ECDHE-ARIA256-GCM-SHA384"),
    suites("CCM with RSA key exchange", "AES128-CCM8"),
];

struct Fixture {
    setup: InstallSandbox,
    kind: ServerKind,
    port: u16,
}

impl Fixture {
    fn new(kind: ServerKind) -> Self {
        Self {
            setup: InstallSandbox::new(),
            kind,
            port: free_port(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.setup.sandbox.join(self.kind.name())
    }

    /// Chain and key; HAProxy has both in one file.
    fn paths(&self) -> (PathBuf, PathBuf) {
        self.kind.default_paths(&self.setup.sandbox.join("tree"))
    }

    fn config(&self, variant: Variant) -> String {
        let (chain, key) = self.paths();
        let (chain, key) = (chain.display(), key.display());
        let (port, (first, last)) = (self.port, variant.versions);
        let (ciphers, group) = (variant.ciphers, variant.group);
        let versions = ["1.0", "1.1", "1.2", "1.3"];
        let at = |version: &str| versions.iter().position(|known| *known == version).unwrap();
        let used: Vec<&str> = versions[at(first)..=at(last)].to_vec();
        let named = |prefix: &str| {
            let all: Vec<String> = used
                .iter()
                .map(|version| format!("{prefix}{}", version.replace("1.0", "1")))
                .collect();
            all.join(" ")
        };
        let optional = |value: &str, line: String| {
            if value.is_empty() {
                String::new()
            } else {
                line
            }
        };
        match self.kind {
            ServerKind::Nginx => format!(
                "server {{ listen 127.0.0.1:{port} ssl; server_name example.com www.example.com;\n\
                 ssl_protocols {}; {}{}{} ssl_certificate {chain}; ssl_certificate_key {key}; return 204; }}",
                named("TLSv"),
                optional(ciphers, format!("ssl_ciphers {ciphers};")),
                optional(group, format!("ssl_ecdh_curve {group};")),
                optional(
                    if ciphers.starts_with("DHE") { "dh" } else { "" },
                    format!("ssl_dhparam {};", self.dh_parameters().display())
                ),
            ),
            ServerKind::Apache => format!(
                "Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\nServerName example.com\nServerAlias www.example.com\n\
                 SSLEngine on\nSSLProtocol -all {}\n{}{}SSLCertificateFile {chain}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n",
                named("+TLSv"),
                optional(ciphers, format!("SSLCipherSuite {ciphers}\n")),
                optional(group, format!("SSLOpenSSLConfCmd Curves {group}\n")),
            ),
            ServerKind::Haproxy => format!(
                "global\n    tune.ssl.default-dh-param 2048\nfrontend f\n    bind 127.0.0.1:{port} ssl crt {chain} ssl-min-ver TLSv{first} ssl-max-ver TLSv{last}{}{}\n    \
                 http-request return status 204\n",
                optional(ciphers, format!(" ciphers {ciphers}")),
                optional(group, format!(" curves {group}")),
            ),
        }
    }

    /// Diffie-Hellman parameters of RFC 7919, which need no time to generate.
    fn dh_parameters(&self) -> PathBuf {
        let path = self.setup.sandbox.join("dh.pem");
        if !path.exists() {
            succeed(
                external_program("openssl")
                    .args(["genpkey", "-genparam", "-algorithm", "DH"])
                    .args(["-pkeyopt", "group:ffdhe2048", "-out"])
                    .arg(&path),
            );
        }
        path
    }

    fn start(&self, variant: Variant) -> Running {
        let text = self.config(variant);
        match self.kind {
            ServerKind::Apache => Running::Apache(Apache::start(&self.folder(), &text)),
            ServerKind::Haproxy => Running::Haproxy(Haproxy::start(&self.folder(), &text)),
            ServerKind::Nginx => Running::Nginx(Nginx::start(&self.folder(), &text)),
        }
    }

    /// Creates a key of this kind and a request.
    fn request(&self, key: &str) {
        let sandbox = &self.setup.sandbox;
        // A key of another type would get another name.
        for name in ["example.com.key", "example.com.csr"] {
            let _ = std::fs::remove_file(sandbox.join(name));
        }
        let request = ["csr", "example.com", "www.example.com", "--force"];
        let Some(arguments) = key.strip_prefix("openssl:") else {
            let with_type = [&request[..], &["--key-type", key]].concat();
            sandbox.run(&with_type).expect(0);
            return;
        };
        let arguments: Vec<&str> = arguments.split(' ').collect();
        self.openssl(&[&arguments[..], &["-out", "example.com.key"]].concat());
        self.openssl(&[
            "req",
            "-sha512",
            "-new",
            "-key",
            "example.com.key",
            "-subj",
            "/CN=example.com",
            "-out",
            "example.com.csr",
            "-addext",
            "subjectAltName=DNS:example.com,DNS:www.example.com",
        ]);
    }

    /// Issues a certificate for a new key and writes both where the server reads them.
    fn write_old(&self, key: &str) {
        self.request(key);
        let sandbox = &self.setup.sandbox;
        let pem = self.issue(key) + &self.setup.ca.intermediate_pem();
        let key_pem = sandbox.read("example.com.key");
        let (chain, key) = self.paths();
        let chain = chain
            .strip_prefix(sandbox.path())
            .unwrap()
            .display()
            .to_string();
        let key = key
            .strip_prefix(sandbox.path())
            .unwrap()
            .display()
            .to_string();
        if chain == key {
            sandbox.write(&chain, pem + &key_pem);
        } else {
            sandbox.write(&chain, pem);
            sandbox.write(&key, key_pem);
        }
    }

    /// Issues a certificate for a new key of this kind into `new.crt`.
    fn write_new(&self, key: &str) {
        self.request(key);
        let leaf = self.issue(key);
        let sandbox = &self.setup.sandbox;
        sandbox.write("new.crt", self.setup.ca.bundle_pem() + &leaf);
    }

    /// Issues a certificate for the request; with openssl if it made the key, because rcgen cannot
    /// verify every request.
    fn issue(&self, key: &str) -> String {
        let (sandbox, ca) = (&self.setup.sandbox, &self.setup.ca);
        if !key.starts_with("openssl:") {
            return ca.issue(&sandbox.read("example.com.csr"));
        }
        sandbox.write("int.pem", ca.intermediate_pem());
        sandbox.write("int.key", ca.intermediate.key().serialize_pem());
        sandbox.write(
            "leaf.ext",
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
             extendedKeyUsage=serverAuth\nsubjectAltName=DNS:example.com,DNS:www.example.com\n",
        );
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            "example.com.csr",
            "-CA",
            "int.pem",
            "-CAkey",
            "int.key",
            "-days",
            "40",
            "-extfile",
            "leaf.ext",
            "-out",
            "leaf.crt",
        ]);
        sandbox.read("leaf.crt")
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = external_program("openssl");
        succeed(
            command
                .args(arguments)
                .current_dir(self.setup.sandbox.path()),
        );
    }

    fn install(&self, more: &[&str]) -> Run {
        let config = self.kind.config(&self.folder()).display().to_string();
        let server = ["--server", self.kind.name(), "--server-config", &config];
        self.setup.install("new.crt", &[&server[..], more].concat())
    }

    fn target(&self) -> ProbeTarget {
        ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com")
    }

    fn answer(&self) -> Result<TlsHandshake, ProbeError> {
        let deadline = Duration::from_secs(20);
        probe_with_fallback(&[self.target()], deadline)
            .pop()
            .unwrap()
    }

    fn assert_serves_its_files(&self, what: &str) {
        let served = self
            .answer()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let leaf = Certificate::from_der(&served.chain[0]).unwrap().to_pem();
        let chain = std::fs::read_to_string(self.paths().0).unwrap();
        assert!(
            chain.contains(&leaf),
            "{what}: another certificate is served"
        );
    }
}

fn first<'a>(run: &'a Json, field: &str) -> &'a Json {
    &run["certificates"][0][field]
}

fn probes(run: &Json) -> &[Json] {
    first(run, "probes").as_array().unwrap()
}

/// Installs with each kind of server; `expect` checks the document.
fn install_with_each(variant: Variant, expect: fn(&str, &Json, &Fixture)) {
    for kind in ServerKind::ALL {
        install_with(kind, variant, expect);
    }
}

fn install_with(kind: ServerKind, variant: Variant, expect: fn(&str, &Json, &Fixture)) {
    let fixture = Fixture::new(kind);
    let what = format!("{} with {kind:?}", variant.name);
    fixture.write_old(variant.key);
    let _running = fixture.start(variant);
    // A new certificate, then a renewal over certctl's own links.
    for _ in 0..2 {
        fixture.write_new(variant.key);
        let run = fixture.install(&["--json"]);
        assert_eq!(run.code, 0, "{what}: {run}");
        expect(&what, &run.json(), &fixture);
    }
}

fn read_in_the_clear(kind: ServerKind) {
    for variant in READABLE {
        install_with(kind, variant, |what, run, fixture| {
            assert_eq!(
                (&run["verdict"], first(run, "proof")),
                (&"live".into(), &"certificate".into()),
                "{what}: {run}"
            );
            assert!(codes(run).contains(&"key-not-checked"), "{what}: {run}");
            assert_eq!(probes(run).len(), 2, "{what}: {run}");
            for probe in probes(run) {
                assert_eq!(&probe["sha256"], first(run, "sha256"), "{what}: {run}");
                assert_eq!(probe["key_checked"], false, "{what}: {run}");
                // A site that certctl cannot talk to is not called broken.
                let comment = run["comment"].as_str().unwrap();
                assert!(
                    comment.contains("cannot be checked over HTTP"),
                    "{what}: {run}"
                );
                assert!(
                    what.contains("TLS") || probe["protocol"] == "TLS 1.2",
                    "{run}"
                );
            }
            fixture.assert_serves_its_files(what);
        });
    }
}

#[test]
fn certificates_of_apache_are_read_in_the_clear() {
    read_in_the_clear(ServerKind::Apache);
}

#[test]
fn certificates_of_haproxy_are_read_in_the_clear() {
    read_in_the_clear(ServerKind::Haproxy);
}

#[test]
fn certificates_of_nginx_are_read_in_the_clear() {
    read_in_the_clear(ServerKind::Nginx);
}

#[test]
fn the_version_of_the_answer_is_reported() {
    for variant in READABLE {
        let fixture = Fixture::new(ServerKind::Nginx);
        fixture.write_old(variant.key);
        let _running = fixture.start(variant);
        let handshake = fixture.answer().unwrap();
        assert_eq!(
            (handshake.protocol, handshake.key),
            (variant.protocol, KeyCheck::Unchecked),
            "{}",
            variant.name
        );
        assert_eq!(handshake.chain.len(), 2, "{}", variant.name);
        let address = format!("127.0.0.1:{}", fixture.port);
        let verify = fixture.setup.sandbox.run(&[
            "verify",
            &address,
            "--host",
            "example.com",
            "--trust",
            "root.pem",
            "--json",
        ]);
        assert!(verify.stdout.contains("\"key-not-checked\""), "{verify}");
    }
}

/// certctl's TLS library verifies no signatures with RSA keys of less than 2048 bits.
#[test]
fn keys_of_unusual_sizes_are_no_fault_of_the_server() {
    for bits in ["1024", "2040"] {
        for version in ["1.2", "1.3"] {
            let fixture = Fixture::new(ServerKind::Nginx);
            let (chain, key) = fixture.paths();
            std::fs::create_dir_all(chain.parent().unwrap()).unwrap();
            std::fs::create_dir_all(key.parent().unwrap()).unwrap();
            let size = format!("rsa:{bits}");
            succeed(
                external_program("openssl")
                    .args([
                        "req",
                        "-x509",
                        "-newkey",
                        &size,
                        "-nodes",
                        "-subj",
                        "/CN=example.com",
                    ])
                    .arg("-keyout")
                    .arg(&key)
                    .arg("-out")
                    .arg(&chain),
            );
            let variant = Variant {
                versions: (version, version),
                ..suites(bits, OLD_VERSION)
            };
            let _running = fixture.start(variant);
            let handshake = probe_all(&[fixture.target()], Duration::from_secs(20))
                .pop()
                .unwrap();
            assert_eq!(
                handshake.unwrap().key,
                KeyCheck::Unchecked,
                "{bits} {version}"
            );
            fixture.assert_serves_its_files(bits);
        }
    }
}

/// Without a certificate in the clear and without a common group, the files are the only proof.
#[test]
fn a_server_with_tls_1_3_and_an_unsupported_group_is_not_verified() {
    let variant = Variant {
        versions: ("1.3", "1.3"),
        ..group("TLS 1.3 with X448", "X448")
    };
    install_with_each(variant, |what, run, fixture| {
        assert_eq!(
            (&run["verdict"], first(run, "proof")),
            (&"files".into(), &"files".into()),
            "{what}: {run}"
        );
        let findings = run["findings"].as_array().unwrap();
        let finding = findings.iter().find(|one| one["code"] == "not-verified");
        let finding = finding
            .unwrap_or_else(|| panic!("{what}: {run}"))
            .to_string();
        for part in ["X25519", "handshake_failure", "protocol_version"] {
            assert!(finding.contains(part), "{what}: no {part} in {finding}");
        }
        let check = fixture
            .setup
            .sandbox
            .run(&[
                "install",
                "--check",
                "example.com",
                "--root",
                "tree",
                "--json",
            ])
            .expect(0)
            .json();
        assert_eq!(first(&check, "proof"), "files", "{what}: {check}");
    });
}

/// A supported group besides the unsupported one: the handshake proves that the server has the key.
#[test]
fn a_handshake_that_works_is_preferred() {
    let variant = group("X448 and P-256", "X448:prime256v1");
    install_with_each(variant, |what, run, _| {
        assert_eq!(first(run, "proof"), "live", "{what}: {run}");
        assert_eq!(probes(run)[0]["key_checked"], true, "{what}: {run}");
    });
}

/// A reload without effect is detected in the clear as well, and nothing was harmed.
#[test]
fn an_old_certificate_in_the_clear_is_rolled_back() {
    for kind in ServerKind::ALL {
        let variant = suites("RSA key exchange", "AES256-GCM-SHA384");
        let fixture = Fixture::new(kind);
        fixture.write_old(variant.key);
        let _running = fixture.start(variant);
        fixture.write_new(variant.key);
        let run = fixture
            .install(&["--json", "--reload", "true"])
            .expect(5)
            .json();
        assert_eq!(run["verdict"], "rolled-back", "{kind:?}: {run}");
        assert!(codes(&run).contains(&"reload-no-effect"), "{kind:?}: {run}");
        fixture.assert_serves_its_files("after the rollback");
    }
}

/// An RSA certificate for a server that allows only ECDSA suites: every client is refused, but only
/// until the rollback, which does not wait for the deadline of ten seconds.
#[test]
fn a_new_alert_is_rolled_back_at_once() {
    let ecdsa_only = Variant {
        key: "ecdsa-p256",
        ..suites("ECDSA suites", "ECDHE-ECDSA-AES128-GCM-SHA256")
    };
    for kind in ServerKind::ALL {
        let fixture = Fixture::new(kind);
        fixture.write_old(ecdsa_only.key);
        let _running = fixture.start(ecdsa_only);
        fixture.write_new("rsa-2048");
        let (is_done, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
        let run = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let answer = probe_all(&[fixture.target()], Duration::from_secs(5)).pop();
                    if matches!(answer, Some(Err(ProbeError::Alert(_)))) {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
            let run = fixture.install(&["--json"]);
            is_done.store(true, Ordering::Relaxed);
            run
        });
        let run = run.expect(5).json();
        assert_eq!(run["verdict"], "rolled-back", "{kind:?}: {run}");
        assert!(codes(&run).contains(&"handshakes-fail"), "{kind:?}: {run}");
        // A client that connects every 50 ms is refused about 200 times in ten seconds.
        let refused = refused.into_inner();
        assert!((1..60).contains(&refused), "{kind:?}: {refused}");
        fixture.assert_serves_its_files("after the rollback");
    }
}

/// The server answers in the same way before and after: nothing was harmed, so it is not exit 6.
#[test]
fn a_server_that_never_read_the_files_is_as_before() {
    for kind in ServerKind::ALL {
        let fixture = Fixture::new(kind);
        let variant = group("P-256", "prime256v1");
        fixture.write_old(variant.key);
        let _running = fixture.start(variant);
        let before = fixture.answer().unwrap().chain;
        // The server has loaded neither this certificate nor the next one.
        fixture.write_old(variant.key);
        fixture.write_new(variant.key);
        let run = fixture
            .install(&["--json", "--reload", "true"])
            .expect(5)
            .json();
        assert_eq!(run["verdict"], "rolled-back", "{kind:?}: {run}");
        assert_eq!(fixture.answer().unwrap().chain, before, "{kind:?}");
    }
}
