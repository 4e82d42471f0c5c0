//! `certctl install --key none`: the key is in a hardware security module, which only the server
//! opens; the chain is installed alone, and a handshake proves that the key fits.
//! Needs: apache2 haproxy nginx softhsm2-util
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;

use support::Run;
use support::apache::Apache;
use support::haproxy::Haproxy;
use support::hardware_key::HardwareToken;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, codes, link, tree};
use support::nginx::{Nginx, free_port};
use support::site::Site;

/// An nginx whose key is in a token.
struct HardwareSite {
    site: Site,
    token: HardwareToken,
}

impl HardwareSite {
    fn new() -> Self {
        let site = Site::new();
        let token = HardwareToken::new(&site.setup.sandbox);
        Self { site, token }
    }

    /// Makes a request and a certificate for it, and moves its key into the token.
    fn issue(&self, file: &str, key_name: &str) {
        self.site.setup.write_delivery(file);
        let sandbox = &self.site.setup.sandbox;
        self.token.take_key(sandbox, "example.com.key", key_name);
    }

    fn block(&self, key_name: &str) -> String {
        let key = self.site.setup.sandbox.join(KEY).display().to_string();
        let reference = format!("\"{}\"", self.token.reference(key_name));
        self.site.block(CHAIN, KEY).replace(&key, &reference)
    }

    /// Starts nginx with a plain chain file, which certctl takes over later.
    fn start(&self, file: &str, key_name: &str) -> Nginx {
        let sandbox = &self.site.setup.sandbox;
        sandbox.write(CHAIN, sandbox.read(file));
        let block = self.block(key_name);
        Nginx::start_as_user(&self.site.folder(), &block, &self.token.environment())
    }

    /// Runs certctl where nginx's own test can open the token.
    fn run(&self, args: &[&str]) -> Run {
        let sandbox = &self.site.setup.sandbox;
        let mut command = sandbox.command(args);
        command.envs(self.token.environment());
        sandbox.run_command(command)
    }

    fn install(&self, file: &str, more: &[&str]) -> Run {
        let config = self.site.folder().join("nginx.conf").display().to_string();
        let common = ["install", file, "--root", "tree", "--trust", "root.pem"];
        let server = ["--server", "nginx", "--server-config", &config];
        self.run(&[&common[..], &server, more].concat())
    }

    /// The files in the tree with a private key.
    fn key_files(&self) -> Vec<PathBuf> {
        let files = tree(&self.site.setup.sandbox.join("tree")).into_iter();
        files
            .filter(|(path, content)| content.contains("PRIVATE KEY") || path.ends_with("key.pem"))
            .map(|(path, _)| path)
            .collect()
    }
}

/// Writes the chain as nginx reads it: leaf first, then the intermediate.
fn write_chain(site: &HardwareSite, delivery: &str, file: &str) {
    let sandbox = &site.site.setup.sandbox;
    let text = sandbox.read(delivery);
    let leaf = text.rfind("-----BEGIN CERTIFICATE-----").unwrap();
    let chain = text[leaf..].to_owned() + &site.site.setup.ca.intermediate_pem();
    sandbox.write(file, chain);
}

#[test]
fn a_chain_alone_is_installed_renewed_and_rolled_back() {
    let site = HardwareSite::new();
    site.issue("one.crt", "one");
    write_chain(&site, "one.crt", "one.pem");
    let _nginx = site.start("one.pem", "one");
    let request = site.site.setup.sandbox.read("example.com.csr");

    let renewed = site.site.setup.ca.issue(&request);
    let delivery = site.site.setup.ca.bundle_pem() + &renewed;
    site.site.setup.sandbox.write("two.crt", delivery);
    let run = site
        .install("two.crt", &["--key", "none", "--json"])
        .expect(0)
        .json();
    let installed = &run["certificates"][0];
    assert_eq!(
        (&run["verdict"], &installed["proof"]),
        (&"live".into(), &"live".into())
    );
    assert_eq!(installed["probes"][0]["key_checked"], true);
    assert!(installed["key_path"].is_null() && installed["key_mode"].is_null());
    assert_eq!(installed["settings"]["key"], "none");
    assert_eq!(site.key_files(), Vec::<PathBuf>::new());
    assert!(link(&site.site.setup.sandbox, CHAIN).ends_with("live/fullchain.pem"));
    site.site.assert_serves("two.crt");

    // The next install needs no option.
    let third = site.site.setup.ca.bundle_pem() + &site.site.setup.ca.issue(&request);
    site.site.setup.sandbox.write("three.crt", third);
    site.install("three.crt", &[]).expect(0);
    site.site.assert_serves("three.crt");
    let check = [
        "install",
        "--check",
        "example.com",
        "--root",
        "tree",
        "--json",
    ];
    let checked = site.run(&check).expect(0).json();
    assert!(
        checked["certificates"][0]["key_path"].is_null(),
        "{checked}"
    );

    site.run(&["rollback", "example.com", "--root", "tree"])
        .expect(0);
    site.site.assert_serves("two.crt");
    let status = site.run(&["status", "--root", "tree", "--json"]).json();
    let row = &status["rows"][0];
    assert_eq!(
        (&row["installed_as"], &row["state"]),
        (&"example.com".into(), &"served".into())
    );
    let renew = ["renew", "example.com", "--force", "--root", "tree"];
    let refused = site.run(&renew).expect(3);
    assert!(refused.stderr.contains("--key none"), "{refused}");

    site.run(&["forget", "example.com", "--root", "tree"])
        .expect(0);
    let left = site.site.setup.sandbox.join(CHAIN);
    assert!(left.symlink_metadata().unwrap().is_file());
    assert!(!site.site.setup.sandbox.join(LINEAGE).exists());
    site.site.assert_serves("two.crt");
}

#[test]
fn a_chain_for_another_key_is_never_left_in_place() {
    let site = HardwareSite::new();
    site.issue("one.crt", "one");
    write_chain(&site, "one.crt", "one.pem");
    let _nginx = site.start("one.pem", "one");
    let before = site.site.setup.sandbox.read(CHAIN);
    site.issue("other.crt", "other");
    let run = site.install("other.crt", &["--key", "none", "--json"]);
    let document = run.expect(5).json();
    assert_eq!(document["verdict"], "rolled-back", "{document}");
    assert_eq!(site.site.setup.sandbox.read(CHAIN), before);
    site.site.assert_serves("one.crt");
}

#[test]
fn without_the_option_a_key_that_is_not_a_file_is_left_alone() {
    let site = HardwareSite::new();
    site.issue("one.crt", "one");
    write_chain(&site, "one.crt", "one.pem");
    let _nginx = site.start("one.pem", "one");
    let sandbox = &site.site.setup.sandbox;
    let own = format!("{}.own", CHAIN);
    sandbox.write(&own, sandbox.read("one.pem"));
    let config = site.block("one").replace(
        &sandbox.join(CHAIN).display().to_string(),
        &sandbox.join(&own).display().to_string(),
    );
    support::nginx::write_config(&site.site.folder(), &config);
    site.site.setup.write_delivery("two.crt");
    let planned = site
        .install("two.crt", &["--dry-run", "--json"])
        .expect(0)
        .json();
    assert!(codes(&planned).contains(&"paths-not-adopted"), "{planned}");
    assert!(
        planned["findings"].to_string().contains("--key"),
        "{planned}"
    );
    assert!(
        planned["findings"].to_string().contains("engine:pkcs11"),
        "{planned}"
    );
    assert_eq!(sandbox.read(&own), sandbox.read("one.pem"));
}

/// An Apache that opens the key in the token and serves the plain chain `one.crt`.
fn start_apache(site: &HardwareSite) -> Apache {
    site.issue("one.crt", "one");
    let sandbox = &site.site.setup.sandbox;
    site.token.open_to_all_users(sandbox);
    write_chain(site, "one.crt", CHAIN);
    let (port, chain) = (site.site.port, sandbox.join(CHAIN));
    let hosts = format!(
        "SSLCryptoDevice pkcs11\nListen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\n\
         ServerName example.com\nServerAlias www.example.com\nSSLEngine on\n\
         SSLCertificateFile {}\nSSLCertificateKeyFile \"{}\"\n</VirtualHost>",
        chain.display(),
        site.token.uri("one")
    );
    Apache::start_with(&sandbox.join("apache"), &hosts, &site.token.environment())
}

/// Installs a chain alone for Apache.
fn install_for_apache(site: &HardwareSite, apache: &Apache, file: &str, more: &[&str]) -> Run {
    let config = apache.config().display().to_string();
    let server = ["--server", "apache", "--server-config", &config];
    let common = [
        "install", "--root", "tree", "--trust", "root.pem", "--key", "none", "--json", file,
    ];
    site.run(&[&common[..], &server, more].concat())
}

/// Issues the next certificate for the key in the token.
fn renew_chain(site: &HardwareSite, request: &str, file: &str) {
    let setup = &site.site.setup;
    let renewed = setup.ca.bundle_pem() + &setup.ca.issue(request);
    setup.sandbox.write(file, renewed);
}

#[test]
fn apache_opens_the_key_itself() {
    let site = HardwareSite::new();
    let apache = start_apache(&site);
    let request = site.site.setup.sandbox.read("example.com.csr");
    renew_chain(&site, &request, "two.crt");
    let install = |file: &str| install_for_apache(&site, &apache, file, &[]);
    let run = install("two.crt").expect(0).json();
    assert_eq!(run["certificates"][0]["probes"][0]["key_checked"], true);
    site.site.assert_serves("two.crt");

    // Apache ends at a reload with a wrong key, and its test does not find it.
    site.issue("other.crt", "other");
    let refused = install("other.crt").expect(1).json();
    assert!(codes(&refused).contains(&"apache-reload-risk"), "{refused}");
    site.site.assert_serves("two.crt");
}

/// With links and with copies: a chain that Apache does not load leaves the plain file as it was,
/// and `certctl rollback` serves the previous chain.
#[test]
fn apache_serves_the_previous_chain_after_a_rollback() {
    for deploy in ["link", "copy"] {
        let site = HardwareSite::new();
        let apache = start_apache(&site);
        let sandbox = &site.site.setup.sandbox;
        let request = sandbox.read("example.com.csr");
        let before = sandbox.read(CHAIN);
        renew_chain(&site, &request, "two.crt");
        let install = |file: &str, more: &[&str]| {
            let more = [&["--deploy", deploy], more].concat();
            install_for_apache(&site, &apache, file, &more)
        };
        let failed = install("two.crt", &["--reload", "true"]);
        let failed = failed.expect(5).json();
        assert_eq!(failed["verdict"], "rolled-back", "{failed}");
        assert!(codes(&failed).contains(&"reload-no-effect"), "{failed}");
        let chain = sandbox.join(CHAIN).symlink_metadata().unwrap();
        assert!(chain.is_file(), "{deploy}: {failed}");
        assert_eq!(sandbox.read(CHAIN), before, "{deploy}");
        site.site.assert_serves("one.crt");

        install("two.crt", &[]).expect(0);
        renew_chain(&site, &request, "three.crt");
        install("three.crt", &[]).expect(0);
        site.site.assert_serves("three.crt");
        let rollback = ["rollback", "example.com", "--root", "tree"];
        site.run(&rollback).expect(0);
        site.site.assert_serves("two.crt");
        let is_link = sandbox.join(CHAIN).is_symlink();
        assert_eq!(is_link, deploy == "link");
        assert_eq!(site.key_files(), Vec::<PathBuf>::new());
    }
}

/// Another address still sends an older chain for the same key: the new one stays.
#[test]
fn an_address_that_sends_another_chain_makes_the_install_incomplete() {
    let site = HardwareSite::new();
    site.issue("one.crt", "one");
    write_chain(&site, "one.crt", "one.pem");
    let sandbox = &site.site.setup.sandbox;
    sandbox.write(CHAIN, sandbox.read("one.pem"));
    let block = site.block("one");
    let path = |path: &str| sandbox.join(path).display().to_string();
    let other = free_port();
    let elsewhere = block
        .replace(&site.site.port.to_string(), &other.to_string())
        .replace(&path(CHAIN), &path("one.pem"));
    let _nginx = Nginx::start_as_user(
        &site.site.folder(),
        &format!("{block}\n{elsewhere}"),
        &site.token.environment(),
    );
    let request = sandbox.read("example.com.csr");
    renew_chain(&site, &request, "two.crt");
    let run = site
        .install("two.crt", &["--key", "none", "--json"])
        .expect(7)
        .json();
    assert_eq!(run["verdict"], "live-incomplete", "{run}");
    assert!(codes(&run).contains(&"other-certificate-served"), "{run}");
    assert!(run.to_string().contains(&format!("127.0.0.1:{other}")));
    site.site.assert_serves("two.crt");
    assert_eq!(site.key_files(), Vec::<PathBuf>::new());
}

/// HAProxy loads a key from a file: the chain alone would stop it at the next start.
#[test]
fn haproxy_needs_the_key_file() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("one.crt");
    let both = setup.ca.issue(&sandbox.read("example.com.csr"))
        + &setup.ca.intermediate_pem()
        + &sandbox.read("example.com.key");
    let path = sandbox.write("tree/etc/haproxy/example.com.pem", &both);
    let port = free_port();
    let sections = format!(
        "frontend web\n bind 127.0.0.1:{port} ssl crt {}\n http-request return status 200",
        path.display()
    );
    let haproxy = Haproxy::start(&sandbox.join("haproxy"), &sections);
    let config = haproxy.config().display().to_string();
    let before = setup.tree();
    let server = ["--server", "haproxy", "--server-config", &config];
    setup.write_delivery("two.crt");
    let more = [&server[..], &["--key", "none"]].concat();
    let refused = setup.install("two.crt", &more).expect(1);
    let text = refused.stdout.split_whitespace();
    let text = text.collect::<Vec<_>>().join(" ");
    for part in [
        "HAProxy loads keys from files only, and `--key none` installs none",
        "Install with the key file, without `--key none`",
        "certctl install two.crt --root tree --trust root.pem --server haproxy",
    ] {
        assert!(text.contains(part), "{part}\n{refused}");
    }
    let document = setup.install("two.crt", &[&more[..], &["--json"]].concat());
    let document = document.expect(1).json();
    assert_eq!(document["verdict"], "refused");
    assert!(codes(&document).contains(&"key-file-needed"), "{document}");
    assert_eq!(setup.tree(), before, "nothing was changed");
    // The step of the finding installs with the key.
    setup.install("two.crt", &server).expect(0);
}

#[test]
fn a_chain_that_no_handshake_can_prove_is_refused() {
    let site = Site::new();
    site.setup.write_delivery("one.crt");
    std::fs::remove_file(site.setup.sandbox.join("example.com.key")).unwrap();
    let options = ["--key", "none", "--server", "none", "--json"];
    let refused = site.setup.install("one.crt", &options).expect(1).json();
    assert_eq!(refused["verdict"], "refused");
    assert!(codes(&refused).contains(&"key-not-checked"), "{refused}");
    assert!(!site.setup.sandbox.join(CHAIN).exists());

    let allowed = [&options[..], &["--allow", "key-not-checked"]].concat();
    let run = site.setup.install("one.crt", &allowed).expect(0).json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"files".into(), &"files".into())
    );
    assert!(codes(&run).contains(&"key-not-checked"), "{run}");
}

#[test]
fn the_kind_of_key_does_not_change() {
    let site = Site::new();
    let server = ["--server", "none", "--json"];
    site.setup.renew_and_install(&server).expect(0);
    site.setup.write_delivery("two.crt");
    let without = [&server[..], &["--key", "none"]].concat();
    let refused = site.setup.install("two.crt", &without).expect(1).json();
    assert!(
        codes(&refused).contains(&"key-storage-changed"),
        "{refused}"
    );
    assert!(site.setup.sandbox.join(KEY).exists());
    let forget = ["forget", "example.com", "--root", "tree"];
    site.setup.sandbox.run(&forget).expect(0);
    let allowed = [&without[..], &["--allow", "key-not-checked"]].concat();
    site.setup.install("two.crt", &allowed).expect(0);
    let with = [&server[..], &["--key", "example.com.key"]].concat();
    let refused = site.setup.install("two.crt", &with).expect(1).json();
    assert!(
        codes(&refused).contains(&"key-storage-changed"),
        "{refused}"
    );
}
