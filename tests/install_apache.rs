//! `certctl install` with a real Apache: certificates that are served or not configured yet, broken
//! configurations, reloads without effect, a server that does not run, and keys that would make
//! Apache exit.
//! Needs: apache2
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Run;
use support::apache::{Apache, write_config};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes};
use support::nginx::free_port;

/// A CA, a request and a tree to install into, with an Apache that serves what is installed.
struct ApacheSite {
    setup: InstallSandbox,
    port: u16,
}

impl ApacheSite {
    fn new() -> Self {
        Self {
            setup: InstallSandbox::new(),
            port: free_port(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.setup.sandbox.join("apache")
    }

    fn path(&self, path: &str) -> String {
        self.setup.sandbox.join(path).display().to_string()
    }

    fn listen(&self) -> String {
        format!("Listen 127.0.0.1:{}\n", self.port)
    }

    /// Returns a TLS host for these names with the chain and key at these paths of the sandbox.
    fn host_of(&self, names: &str, chain: &str, key: &str) -> String {
        let (first, others) = names.split_once(' ').unwrap_or((names, "none.invalid"));
        format!(
            "<VirtualHost *:{}>\nServerName {first}\nServerAlias {others}\nSSLEngine on\nSSLCertificateFile {}\n\
             SSLCertificateKeyFile \"{}\"\n</VirtualHost>\n",
            self.port,
            self.path(chain),
            self.path(key)
        )
    }

    fn host(&self) -> String {
        self.listen() + &self.host_of("example.com www.example.com", CHAIN, KEY)
    }

    fn start(&self, hosts: &str) -> Apache {
        Apache::start(&self.folder(), hosts)
    }

    fn flags(&self) -> [String; 4] {
        let config = self.folder().join("apache2.conf").display().to_string();
        [
            "--server".to_owned(),
            "apache".to_owned(),
            "--server-config".to_owned(),
            config,
        ]
    }

    fn renew_and_install(&self, more: &[&str]) -> Run {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.setup.renew_and_install(&[&flags[..], more].concat())
    }

    fn assert_serves(&self, path: &str) {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com");
        let handshake = probe_all(&[target], Duration::from_secs(20))
            .pop()
            .unwrap()
            .expect("a handshake");
        let leaf = Certificate::from_der(&handshake.chain[0]).unwrap().to_pem();
        assert!(
            self.setup.sandbox.read(path).contains(&leaf),
            "Apache serves another certificate than {path}"
        );
    }
}

#[test]
fn a_certificate_is_installed_replaced_and_rolled_back() {
    let web = ApacheSite::new();
    let mut apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&web.host());
    let first = web.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(
        (&first["verdict"], &first["certificates"][0]["proof"]),
        (&"live".into(), &"live".into())
    );
    assert_eq!(
        first["certificates"][0]["probes"].as_array().unwrap().len(),
        2,
        "both names: {first}"
    );
    web.assert_serves(CHAIN);
    let one = web.setup.served();

    let run = web.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    web.assert_serves(CHAIN);
    assert_ne!(web.setup.served(), one);

    web.setup
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(web.setup.served(), one);
    web.assert_serves(CHAIN);
    assert!(apache.runs());
}

#[test]
fn the_lines_to_add_are_printed_when_no_host_answers() {
    let web = ApacheSite::new();
    let (plain, enabled) = (free_port(), web.folder().join("sites-enabled"));
    std::fs::create_dir_all(&enabled).unwrap();
    let hosts = format!(
        "Listen 127.0.0.1:{plain}\n{}\nIncludeOptional sites-enabled/*.conf\n<VirtualHost *:{plain}>\nServerName example.com\n\
         DocumentRoot /var/www/html\n</VirtualHost>\n",
        web.listen()
    );
    let apache = web.start(&hosts);
    let run = web.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    assert_eq!(run["next"][0]["lines"][0], "Listen 443", "{run}");
    let lines = run["next"][1]["lines"].as_array().unwrap();
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(
        lines[..3],
        [
            "ServerName example.com",
            "ServerAlias www.example.com",
            "SSLEngine on"
        ]
    );
    assert!(lines[3].contains(&web.path(CHAIN)), "{run}");

    // A host with these lines that is not enabled has to be enabled.
    let available = web.folder().join("sites-available");
    std::fs::create_dir_all(&available).unwrap();
    let host = format!(
        "<VirtualHost *:{}>\n{}\n</VirtualHost>\n",
        web.port,
        lines.join("\n")
    );
    std::fs::write(available.join("example.com.conf"), &host).unwrap();
    let run = web.setup.install("new.crt", &["--json"]).expect(1).json();
    assert!(
        run["findings"]
            .to_string()
            .contains("sites-available/example.com.conf"),
        "{run}"
    );
    let command = run["next"][0]["command"].as_str().unwrap();
    assert!(
        command.starts_with("sudo a2ensite -q example.com && certctl install"),
        "{run}"
    );

    std::fs::write(enabled.join("example.com.conf"), &host).unwrap();
    let run = web.setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}\n{}", apache.log());
    web.assert_serves(CHAIN);
}

#[test]
fn a_configuration_with_another_error_is_not_changed() {
    let web = ApacheSite::new();
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&("NoSuchDirective on\n".to_owned() + &web.host()));
    let run = web.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused");
    assert!(
        run["findings"].to_string().contains("NoSuchDirective"),
        "{run}"
    );
    assert!(!web.setup.sandbox.join("tree").exists());
    // Apache stops at its first error, which is here the missing certificate.
    apache.rewrite(&(web.host() + "NoSuchDirective on"));
    let run = web.renew_and_install(&["--json"]).expect(5).json();
    assert!(
        run["findings"].to_string().contains("NoSuchDirective"),
        "{run}"
    );
    assert!(!web.setup.sandbox.join(CHAIN).exists());
}

#[test]
fn a_reload_without_effect_is_detected_and_rolled_back() {
    let web = ApacheSite::new();
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&web.host());
    web.renew_and_install(&[]).expect(0);
    let first = web.setup.served();
    let run = web
        .renew_and_install(&["--reload", "true", "--json"])
        .expect(5)
        .json();
    assert_eq!(run["verdict"], "rolled-back");
    assert!(codes(&run).contains(&"reload-no-effect"), "{run}");
    assert_eq!(web.setup.served(), first);
    web.assert_serves(CHAIN);
}

#[test]
fn the_next_step_starts_a_server_that_does_not_run() {
    let web = ApacheSite::new();
    write_config(&web.folder(), &web.host());
    let run = web.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    assert!(codes(&run).contains(&"server-not-running"), "{run}");
    let next = run["next"][0]["command"].as_str().unwrap();
    assert!(
        next.contains("-k start") && next.contains("apache2.conf"),
        "{next}"
    );
    web.setup.served();
    let _apache = web.start(&web.host());
    assert_eq!(
        web.setup.install("new.crt", &["--json"]).expect(0).json()["verdict"],
        "live"
    );
}

#[test]
fn a_wrong_key_never_reaches_apache() {
    let web = ApacheSite::new();
    let sandbox = &web.setup.sandbox;
    let mut apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&web.host());
    web.renew_and_install(&[]).expect(0);
    let one = web.setup.served();
    // The files of another site no longer match; Apache keeps what it has loaded.
    let other = ("tree/etc/ssl/other.crt", "tree/etc/ssl/other.key");
    sandbox.write(other.0, &one.0);
    sandbox.write(other.1, &one.1);
    apache.rewrite(&(web.host() + &web.host_of("other.example", other.0, other.1)));
    web.renew_and_install(&[]).expect(0);
    let two = web.setup.served();
    web.setup.write_delivery("wrong.crt");
    sandbox.write(other.1, sandbox.read("example.com.key"));
    let run = web.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused", "{run}");
    let findings = run["findings"].to_string();
    assert!(
        findings.contains("Apache would exit at the next reload") && findings.contains("other.key"),
        "{findings}"
    );
    assert_eq!(web.setup.served(), two);
    assert!(apache.runs());
    web.assert_serves(CHAIN);

    // The files are broken between the test and the reload: only the check before the reload finds it.
    sandbox.write(other.1, &one.1);
    let breaks = format!("cp {} {}", web.path("example.com.key"), web.path(other.1));
    sandbox.write("breaks.sh", format!("#!/bin/sh\n{breaks}\n"));
    let run =
        web.renew_and_install(&["--test", &format!("sh {}", web.path("breaks.sh")), "--json"]);
    assert_ne!(run.code, 0, "{run}");
    assert!(apache.runs(), "{}", apache.log());
    assert!(!apache.log().contains("AH00020"), "{}", apache.log());
}

#[test]
fn a_host_that_answers_first_with_another_certificate_is_not_served() {
    let web = ApacheSite::new();
    let old = ("outside/old.crt", "outside/old.key");
    web.setup.write_delivery("old.pem");
    let leaf = web
        .setup
        .ca
        .issue(&web.setup.sandbox.read("example.com.csr"));
    web.setup
        .sandbox
        .write(old.0, leaf + &web.setup.ca.intermediate_pem());
    web.setup
        .sandbox
        .write(old.1, web.setup.sandbox.read("example.com.key"));
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    // Apache selects the first host that has the name, even if only by a pattern.
    let first = web.host_of("first.example *.com", old.0, old.1);
    apache.rewrite(
        &(web.listen() + &first + &web.host_of("example.com www.example.com", CHAIN, KEY)),
    );
    let run = web.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"not-served".into(), &"none".into()),
        "{run}"
    );
    assert!(codes(&run).contains(&"configured-elsewhere"), "{run}");
    apache.rewrite(&(web.host() + &first));
    assert_eq!(
        web.setup.install("new.crt", &["--json"]).expect(0).json()["verdict"],
        "live"
    );
}

#[test]
fn both_ip_families_are_probed() {
    let web = ApacheSite::new();
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    let both = format!("Listen 127.0.0.1:{0}\nListen [::1]:{0}\n", web.port);
    apache.rewrite(&(both + &web.host_of("example.com www.example.com", CHAIN, KEY)));
    let run = web.renew_and_install(&["--json"]).expect(0).json();
    let probes = run["certificates"][0]["probes"].to_string();
    assert!(
        probes.contains("127.0.0.1:") && probes.contains("[::1]:"),
        "{probes}"
    );
}

#[test]
fn a_proxy_header_is_sent_and_a_required_client_certificate_does_not_prevent_the_probe() {
    let web = ApacheSite::new();
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    let root = web.path("root.pem");
    let wants = format!(
        "SSLVerifyClient require\nSSLCACertificateFile {root}\nRemoteIPProxyProtocol On\n</VirtualHost>"
    );
    for protocol in ["TLSv1.2", "TLSv1.3"] {
        let wants = format!("SSLProtocol {protocol}\n{wants}");
        apache.rewrite(&web.host().replace("</VirtualHost>", &wants));
        let run = web.renew_and_install(&["--json"]).expect(0).json();
        assert_eq!(run["verdict"], "live", "{protocol} {run}\n{}", apache.log());
        assert!(
            run.to_string().contains(&protocol.replace("TLSv", "TLS ")),
            "{run}"
        );
    }
}

#[test]
fn of_two_key_types_in_a_host_only_the_new_one_is_replaced() {
    let web = ApacheSite::new();
    let sandbox = &web.setup.sandbox;
    sandbox
        .run(&[
            "csr",
            "example.com",
            "www.example.com",
            "--key-type",
            "rsa-2048",
            "--force",
        ])
        .expect(0);
    let rsa = ("tree/etc/ssl/rsa.crt", "tree/etc/ssl/rsa.key");
    sandbox.write(
        rsa.0,
        web.setup.ca.issue(&sandbox.read("example.com.csr")) + &web.setup.ca.intermediate_pem(),
    );
    sandbox.write(rsa.1, sandbox.read("example.com.key"));
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    let lines = format!(
        "SSLCertificateFile {}\nSSLCertificateKeyFile {}\n</VirtualHost>",
        web.path(rsa.0),
        web.path(rsa.1)
    );
    apache.rewrite(&web.host().replace("</VirtualHost>", &lines));
    let before = sandbox.read(rsa.0);
    let run = web.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}\n{}", apache.log());
    assert_eq!(sandbox.read(rsa.0), before);
    let probes = run["certificates"][0]["probes"].as_array().unwrap();
    assert!(!probes.is_empty(), "{run}");
    for probe in probes {
        assert_eq!(probe["algorithm"], "ecdsa-p256", "{run}");
    }
}

#[test]
fn plain_files_that_the_configuration_names_are_adopted() {
    let web = ApacheSite::new();
    let sandbox = &web.setup.sandbox;
    let (chain, key) = ("tree/etc/ssl/your_site.crt", "tree/etc/ssl/your_site.key");
    web.setup.write_delivery("old.crt");
    sandbox.write(
        chain,
        web.setup.ca.issue(&sandbox.read("example.com.csr")) + &web.setup.ca.intermediate_pem(),
    );
    sandbox.write(key, sandbox.read("example.com.key"));
    let _apache =
        web.start(&(web.listen() + &web.host_of("example.com www.example.com", chain, key)));
    let run = web.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    assert!(
        run["certificates"][0]["key_path"]
            .as_str()
            .unwrap()
            .ends_with("your_site.key")
    );
    web.assert_serves(chain);
}

#[test]
fn conditions_that_certctl_cannot_evaluate_are_reported() {
    let web = ApacheSite::new();
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    let condition = "<IfDirective NoSuch>\n<VirtualHost *:1>\nServerName b.example\n</VirtualHost>\n</IfDirective>\n";
    apache.rewrite(&(web.host() + condition));
    let run = web.renew_and_install(&["--json"]).expect(0).json();
    assert!(codes(&run).contains(&"config-unclear"), "{run}");
    assert!(
        run["findings"].to_string().contains("IfDirective NoSuch"),
        "{run}"
    );
}

#[test]
fn a_reload_that_terminates_apache_is_a_failed_rollback() {
    let web = ApacheSite::new();
    let mut apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&web.host());
    web.renew_and_install(&[]).expect(0);
    let one = web.setup.served();
    let ends = format!(
        "sh -c 'kill $(cat {})'",
        web.folder().join("apache2.pid").display()
    );
    let run = web
        .renew_and_install(&["--reload", &ends, "--json"])
        .expect(6)
        .json();
    assert_eq!(run["verdict"], "rollback-failed", "{run}");
    assert_eq!(web.setup.served(), one, "the files are restored");
    assert!(!apache.runs());
    let next = web.renew_and_install(&["--json"]).expect(1).json();
    assert!(codes(&next).contains(&"server-not-running"), "{next}");
}

#[test]
fn leaf_and_chain_in_separate_files_are_adopted() {
    let web = ApacheSite::new();
    let sandbox = &web.setup.sandbox;
    let (leaf, chain, key) = (
        "tree/etc/ssl/site.crt",
        "tree/etc/ssl/site.ca",
        "tree/etc/ssl/site.key",
    );
    web.setup.write_delivery("old.crt");
    sandbox.write(leaf, web.setup.ca.issue(&sandbox.read("example.com.csr")));
    sandbox.write(chain, web.setup.ca.intermediate_pem());
    sandbox.write(key, sandbox.read("example.com.key"));
    let line = format!(
        "SSLCertificateChainFile {}\n</VirtualHost>",
        web.path(chain)
    );
    let host = web
        .host_of("example.com www.example.com", leaf, key)
        .replace("</VirtualHost>", &line);
    let _apache = web.start(&(web.listen() + &host));
    let run = web.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    web.assert_serves(leaf);
    assert_eq!(sandbox.read(chain), web.setup.ca.intermediate_pem());
    let one = sandbox.read(leaf);
    web.renew_and_install(&["--json"]).expect(0);
    sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    assert_eq!(sandbox.read(leaf), one);
    web.assert_serves(leaf);
}

#[test]
fn a_name_of_two_hosts_is_reported() {
    let web = ApacheSite::new();
    let apache = web.start(&format!("Listen 127.0.0.1:{}", free_port()));
    apache.rewrite(&(web.host() + &web.host_of("www.example.com", CHAIN, KEY)));
    let run = web
        .renew_and_install(&["--json", "--allow", "names-not-covered"])
        .expect(0)
        .json();
    assert!(codes(&run).contains(&"duplicate-server-name"), "{run}");
}
