//! The whole life of a certificate with other programs: knot serves the zone, openssl is the CA, zip(1)
//! packs the files of the reseller, the real nginx is the server and `openssl s_client` the browser.
//! Nothing is verified by certctl alone.
//! Needs: knotd, nginx, openssl, zip
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use support::Sandbox;
use support::dns::{NameServer, ZONE};
use support::external::{external_program, succeed};
use support::json::Json;
use support::nginx::{Nginx, free_port};
use support::openssl_ca::{CaKey, OpensslCa};

const WWW: &str = "www.shop.example";

#[test]
fn the_life_of_an_ecdsa_certificate() {
    run_story(CaKey::Ec, "ecdsa-p256");
}

#[test]
fn the_life_of_an_rsa_certificate() {
    run_story(CaKey::Rsa, "rsa-2048");
}

/// A renewal consists of `renew`, the record and the zip, and no visitor gets an error.
#[test]
fn two_renewals_without_a_failed_visit() {
    let sandbox = Sandbox::new();
    let site = Site::new(&sandbox, CaKey::Ec);
    sandbox
        .run(&["csr", ZONE, WWW, "--ca", "sectigo"])
        .expect(0);
    let mut served = site.receive_zip("shop.example.csr", "shop_example.zip");
    site.nginx.rewrite(&site.block(""));
    let (config, root) = (
        site.nginx.config().to_str().unwrap().to_owned(),
        site.ca.root(),
    );
    let flags = [
        "--server",
        "nginx",
        "--server-config",
        &config,
        "--trust",
        root.to_str().unwrap(),
    ];
    site.install(
        "shop_example.zip",
        &[&flags[..], &["--paid-until", "2099-06-10"]].concat(),
        0,
    );
    let mut knot = NameServer::knot("ns1 A 127.0.0.1\nns2 A 127.0.0.1");
    for number in 2..=3 {
        let nothing = sandbox
            .run(&["renew", "--root", "tree", "--json"])
            .expect(0)
            .json();
        assert_eq!(nothing["verdict"], "nothing-due", "{nothing:#}");
        let made = sandbox
            .run(&["renew", ZONE, "--root", "tree", "--json"])
            .expect(0)
            .json();
        let prepared = &made["certificates"][0];
        assert_eq!(
            (&made["verdict"], &made["changed"]),
            (&"prepared".into(), &true.into()),
            "{made:#}"
        );
        assert_eq!(prepared["order"], "reissue", "{made:#}");
        assert_eq!(site.served().as_ref(), Ok(&served));

        let record = &prepared["records"][0];
        let line = format!(
            "{} CNAME {}.",
            record["relative_name"].as_str().unwrap(),
            record["value"].as_str().unwrap()
        );
        knot.publish(&format!("ns1 A 127.0.0.1\nns2 A 127.0.0.1\n{line}"), number);
        let check = [
            "dcv-check",
            "--root",
            "tree",
            "--resolver",
            &knot.at(),
            "--json",
        ];
        let checked = sandbox.run(&check).expect(0).json();
        assert_eq!(
            (&checked["verdict"], &checked["records"][0]["name"]),
            (&"visible".into(), &record["name"]),
            "{checked:#}"
        );

        let next = site.receive_zip(&format!("shop.example-{number}.csr"), "shop_example.zip");
        let visitors = Visitors::of(&site, &[&served, &next]);
        visitors.await_visits(4);
        let done = site.install("shop_example.zip", &[], 0);
        visitors.await_visits(8);
        visitors.assert_no_failure();
        assert_eq!(
            (&done["verdict"], &done["certificates"][0]["name"]),
            (&"live".into(), &ZONE.into()),
            "{done:#}"
        );
        assert_eq!(site.served().as_ref(), Ok(&next));
        assert_eq!(
            sandbox.read("tree/etc/ssl/private/shop.example.key"),
            sandbox.read(&format!("shop.example-{number}.key"))
        );
        served = next;
    }
}

/// A site: its sandbox, its CA, and the nginx that serves it from a tree in the sandbox.
struct Site<'a> {
    sandbox: &'a Sandbox,
    ca: OpensslCa<'a>,
    nginx: Nginx,
    port: u16,
}

impl<'a> Site<'a> {
    /// Starts nginx with a site for plain HTTP only.
    fn new(sandbox: &'a Sandbox, key: CaKey) -> Self {
        let (port, plain) = (free_port(), free_port());
        let http = format!(
            "server {{ listen 127.0.0.1:{plain}; server_name {ZONE} {WWW}; return 200 'plain'; }}"
        );
        let nginx = Nginx::start(&sandbox.join("tree/etc/nginx"), &http);
        Self {
            sandbox,
            ca: OpensslCa::new(sandbox, "ca", key),
            nginx,
            port,
        }
    }

    /// Returns the server block that an administrator writes, with the paths that certctl uses.
    fn block(&self, extra: &str) -> String {
        let (chain, key, port) = (self.chain(), self.key(), self.port);
        format!(
            "server {{ listen 127.0.0.1:{port} ssl; server_name {ZONE} {WWW}; ssl_certificate {}; ssl_certificate_key {};\n\
             {extra} return 200 'served'; }}",
            chain.display(),
            key.display()
        )
    }

    fn chain(&self) -> PathBuf {
        self.sandbox.join("tree/etc/ssl/shop.example.fullchain.pem")
    }

    fn key(&self) -> PathBuf {
        self.sandbox.join("tree/etc/ssl/private/shop.example.key")
    }

    /// Creates a new key and request, and a zip file with the certificate. Returns the SHA-256 of
    /// the leaf.
    fn buy(&self, key_type: &str, zip: &str) -> String {
        self.sandbox
            .run(&["csr", ZONE, WWW, "--key-type", key_type, "--force"])
            .expect(0);
        self.receive_zip("shop.example.csr", zip)
    }

    /// Creates the zip that the reseller sends for a request. Returns the SHA-256 of the leaf.
    fn receive_zip(&self, request: &str, zip: &str) -> String {
        let leaf = self.ca.issue(request, 190);
        self.ca.write_reseller_zip(zip, "shop_example", &leaf);
        let output = succeed_with_input(
            external_program("openssl").args(["x509", "-noout", "-fingerprint", "-sha256"]),
            &leaf,
        );
        fingerprint(&output)
    }

    /// Runs `certctl install` into the tree with more options, and expects the exit code.
    fn install(&self, zip: &str, more: &[&str], code: i32) -> Json {
        let root = self.sandbox.join("tree");
        let args = ["install", zip, "--root", root.to_str().unwrap(), "--json"];
        self.sandbox
            .run(&[&args[..], more].concat())
            .expect(code)
            .json()
    }

    /// Returns the SHA-256 of the leaf that `openssl s_client` gets; fails unless chain and host name
    /// are valid.
    fn served(&self) -> Result<String, String> {
        served(self.port, &self.ca.root(), ZONE)
    }
}

fn succeed_with_input(command: &mut std::process::Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the value of `sha256 Fingerprint=AB:CD...` as lower-case hex.
fn fingerprint(output: &str) -> String {
    output
        .trim()
        .rsplit('=')
        .next()
        .unwrap()
        .replace(':', "")
        .to_lowercase()
}

fn served(port: u16, root: &Path, host: &str) -> Result<String, String> {
    let connect = format!("127.0.0.1:{port}");
    let output = external_program("openssl")
        .args([
            "s_client",
            "-connect",
            &connect,
            "-servername",
            host,
            "-verify_hostname",
            host,
        ])
        .args([
            "-verify_return_error",
            "-no-CApath",
            "-no-CAstore",
            "-CAfile",
        ])
        .arg(root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let session = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || !session.contains("Verify return code: 0 (ok)") {
        return Err(session + &String::from_utf8_lossy(&output.stderr));
    }
    let begin = session
        .find("-----BEGIN CERTIFICATE-----")
        .ok_or("no certificate")?;
    let parsed = succeed_with_input(
        external_program("openssl").args(["x509", "-noout", "-fingerprint", "-sha256"]),
        &session[begin..],
    );
    Ok(fingerprint(&parsed))
}

/// Clients that open the site repeatedly, each time with a new connection, until they are stopped.
struct Visitors {
    stop: Arc<AtomicBool>,
    visits: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Visitors {
    fn of(site: &Site<'_>, allowed: &[&str]) -> Self {
        let mut visitors = Self {
            stop: Arc::default(),
            visits: Arc::default(),
            failures: Arc::default(),
            threads: Vec::new(),
        };
        for _ in 0..2 {
            let (stop, visits) = (Arc::clone(&visitors.stop), Arc::clone(&visitors.visits));
            let (failures, port, root) =
                (Arc::clone(&visitors.failures), site.port, site.ca.root());
            let allowed: Vec<String> = allowed.iter().map(|&leaf| leaf.to_owned()).collect();
            visitors.threads.push(std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match served(port, &root, WWW) {
                        Ok(leaf) if allowed.contains(&leaf) => {}
                        other => failures.lock().unwrap().push(format!("{other:?}")),
                    }
                    visits.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        visitors
    }

    /// Waits for `more` visits.
    fn await_visits(&self, more: usize) {
        let expected = self.visits.load(Ordering::Relaxed) + more;
        let ends = Instant::now() + Duration::from_secs(60);
        while self.visits.load(Ordering::Relaxed) < expected {
            assert!(Instant::now() < ends, "the visitors hang");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the visitors and fails if any visit failed.
    fn assert_no_failure(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let failures = self.failures.lock().unwrap();
        assert!(
            failures.is_empty(),
            "{} of {:?}:\n{}",
            failures.len(),
            self.visits,
            failures[0]
        );
    }
}

fn run_story(ca_key: CaKey, key_type: &str) {
    let sandbox = Sandbox::new();
    validate_domain(&sandbox);
    let site = Site::new(&sandbox, ca_key);
    let first = first_install(&site, key_type);
    let second = second_install(&site, key_type, &first);
    install_with_broken_configuration(&site, key_type, &second);
    install_with_idle_reload(&site, key_type, &second);
    roll_back(&site, &first, &second);
}

/// Publishes the record that `csr` prints in the zone of knot; `dcv-check` reports it as visible.
fn validate_domain(sandbox: &Sandbox) {
    let made = sandbox
        .run(&["csr", ZONE, WWW, "--ca", "sectigo", "--json"])
        .expect(0)
        .json();
    let record = &made["records"][0];
    let mut knot = NameServer::knot("ns1 A 127.0.0.1\nns2 A 127.0.0.1");
    let check = ["dcv-check", ZONE, "--resolver", &knot.at(), "--json"];
    assert_eq!(sandbox.run(&check).expect(1).json()["verdict"], "absent");
    let line = format!(
        "{} CNAME {}.",
        record["relative_name"].as_str().unwrap(),
        record["value"].as_str().unwrap()
    );
    knot.publish(&format!("ns1 A 127.0.0.1\nns2 A 127.0.0.1\n{line}"), 2);
    assert_eq!(sandbox.run(&check).expect(0).json()["verdict"], "visible");
}

fn first_install(site: &Site<'_>, key_type: &str) -> String {
    let first = site.buy(key_type, "first.zip");
    site.nginx.rewrite(&site.block(""));
    let config = site.nginx.config().to_str().unwrap().to_owned();
    let root = site.ca.root();
    let flags = [
        "--server",
        "nginx",
        "--server-config",
        &config,
        "--trust",
        root.to_str().unwrap(),
    ];

    // The dry run shows the plan and changes nothing.
    let planned = site.install("first.zip", &[&flags[..], &["--dry-run"]].concat(), 0);
    assert_eq!(planned["verdict"], "planned");
    assert!(!site.chain().exists() && !site.key().exists());

    let done = site.install("first.zip", &flags, 0);
    assert_eq!(
        (&done["verdict"], &done["changed"]),
        (&"live".into(), &true.into()),
        "{done:#}"
    );
    assert_eq!(site.served().as_ref(), Ok(&first));
    let certificate = &done["certificates"][0];
    assert_eq!(certificate["proof"], "live");
    assert_eq!(certificate["probes"][0]["sha256"], first.as_str());

    // openssl verifies the installed chain, which has no root, and the key has mode 0600.
    let chain = site.chain();
    let verified = succeed(
        external_program("openssl")
            .args(["verify", "-CAfile"])
            .arg(site.ca.root())
            .arg("-untrusted")
            .arg(&chain)
            .arg(&chain),
    );
    assert!(verified.contains(": OK"), "{verified}");
    let text = std::fs::read_to_string(&chain).unwrap();
    assert_eq!(
        (
            text.matches("BEGIN CERTIFICATE").count(),
            text.contains('\r')
        ),
        (2, false)
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(site.key()).unwrap().permissions(),
    );
    assert_eq!(mode & 0o7777, 0o600);

    // A second install changes nothing.
    let again = site.install("first.zip", &[], 0);
    assert_eq!(
        (&again["verdict"], &again["changed"]),
        (&"unchanged".into(), &false.into()),
        "{again:#}"
    );
    first
}

/// The second install needs no options, and no visitor gets an error.
fn second_install(site: &Site<'_>, key_type: &str, first: &str) -> String {
    let second = site.buy(key_type, "second.zip");
    let visitors = Visitors::of(site, &[first, &second]);
    visitors.await_visits(10);
    let done = site.install("second.zip", &[], 0);
    visitors.await_visits(20);
    visitors.assert_no_failure();
    assert_eq!(done["verdict"], "live", "{done:#}");
    assert_eq!(site.served().as_ref(), Ok(&second));
    second
}

/// nginx rejects its configuration: the third install stops before it changes a file.
fn install_with_broken_configuration(site: &Site<'_>, key_type: &str, second: &str) {
    site.buy(key_type, "third.zip");
    let before = links(site);
    site.nginx.rewrite(&site.block("no_such_directive;"));
    let visitors = Visitors::of(site, &[second]);
    let refused = site.install("third.zip", &[], 1);
    visitors.await_visits(4);
    visitors.assert_no_failure();
    assert_eq!(
        (&refused["verdict"], &refused["changed"]),
        (&"refused".into(), &false.into()),
        "{refused:#}"
    );
    assert!(
        refused.to_string().contains("no_such_directive"),
        "the message of nginx is missing: {refused:#}"
    );
    assert_eq!(links(site), before);
    site.nginx.rewrite(&site.block(""));
}

/// A reload command that succeeds without effect: certctl detects it by probing, and rolls back.
fn install_with_idle_reload(site: &Site<'_>, _key_type: &str, second: &str) {
    let before = links(site);
    let visitors = Visitors::of(site, &[second]);
    let rolled_back = site.install("third.zip", &["--reload", "true"], 5);
    visitors.await_visits(4);
    visitors.assert_no_failure();
    assert_eq!(rolled_back["verdict"], "rolled-back", "{rolled_back:#}");
    assert_eq!(site.served().as_deref(), Ok(second));
    assert_eq!(links(site), before);
    // With the reload command of nginx, the same zip is installed.
    let done = site.install("third.zip", &["--reload", &nginx_reload(site)], 0);
    assert_eq!(done["verdict"], "live", "{done:#}");
    assert_ne!(site.served().as_deref(), Ok(second));
}

fn nginx_reload(site: &Site<'_>) -> String {
    format!("nginx -c {} -s reload", site.nginx.config().display())
}

/// `rollback` restores the previous certificate.
fn roll_back(site: &Site<'_>, first: &str, second: &str) {
    let root = site.sandbox.join("tree");
    site.sandbox
        .run(&["rollback", ZONE, "--root", root.to_str().unwrap()])
        .expect(0);
    assert_eq!(site.served().as_deref(), Ok(second));
    assert_ne!(first, second);
}

/// Returns the targets of the links `live` and `proven`.
fn links(site: &Site<'_>) -> [PathBuf; 2] {
    ["live", "proven"].map(|link| {
        std::fs::read_link(
            site.sandbox
                .join("tree/etc/ssl/certctl/shop.example")
                .join(link),
        )
        .unwrap()
    })
}
