//! `certctl install` with a real Apache whose configuration is unusual: what Apache accepts does not
//! block the install, and the virtual host that Apache selects is the one that is checked.
//! Needs: apache2
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Run;
use support::apache::Apache;
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, codes};
use support::nginx::free_port;

/// A CA, a request and a tree to install into, with an Apache that serves what is installed.
struct OddSite {
    setup: InstallSandbox,
    port: u16,
}

impl OddSite {
    fn new() -> Self {
        let site = Self {
            setup: InstallSandbox::new(),
            port: free_port(),
        };
        site.plain(CHAIN, KEY);
        site
    }

    /// Issues a certificate and writes its chain and key to these files.
    fn plain(&self, chain: &str, key: &str) {
        let sandbox = &self.setup.sandbox;
        let names = ["csr", "example.com", "www.example.com", "--force"];
        sandbox.run(&names).expect(0);
        let leaf = self.setup.ca.issue(&sandbox.read("example.com.csr"));
        sandbox.write(chain, leaf + &self.setup.ca.intermediate_pem());
        sandbox.write(key, sandbox.read("example.com.key"));
    }

    /// Starts Apache; in `hosts`, `PORT`, `CHAIN`, `KEY` and `FOLDER` are replaced.
    fn start(&self, hosts: &str) -> Apache {
        let path = |path: &str| self.setup.sandbox.join(path).display().to_string();
        let hosts = hosts
            .replace("PORT", &self.port.to_string())
            .replace("CHAIN", &path(CHAIN))
            .replace("KEY", &path(KEY))
            .replace("FOLDER", &path(""));
        Apache::start(&self.setup.sandbox.join("apache"), &hosts)
    }

    fn install(&self) -> Run {
        let config = self.setup.sandbox.join("apache/apache2.conf");
        let config = config.display().to_string();
        let flags = ["--server", "apache", "--server-config", &config, "--json"];
        self.setup.renew_and_install(&flags)
    }

    fn assert_serves_installed(&self) {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com");
        let answer = probe_all(&[target], Duration::from_secs(20)).pop().unwrap();
        let leaf = Certificate::from_der(&answer.unwrap().chain[0]).unwrap();
        assert!(
            self.setup.sandbox.read(CHAIN).contains(&leaf.to_pem()),
            "Apache serves another certificate"
        );
    }
}

/// The host of the certificate.
const HOST: &str = "Listen 127.0.0.1:PORT\n<VirtualHost *:PORT>\nServerName example.com\n\
     ServerAlias www.example.com\nSSLEngine on\nSSLCertificateFile CHAIN\nSSLCertificateKeyFile KEY\n\
     </VirtualHost>\n";

const MANAGED: &str = "LoadModule md_module /usr/lib/apache2/modules/mod_md.so\n\
     MDCertificateAgreement accepted\nMDContactEmail admin@example.com\nMDRenewMode manual\n";

#[test]
fn what_apache_accepts_does_not_block_the_install() {
    let host = |name: &str, lines: &str| {
        format!("<VirtualHost *:PORT>\nServerName {name}\nSSLEngine on\n{lines}</VirtualHost>\n")
    };
    let managed = host("md.example", "");
    let broken = host(
        "none.example",
        "SSLCertificateFile /none\nSSLCertificateKeyFile /none\n",
    );
    let files = "MDCertificateFile FOLDER/other.crt\nMDCertificateKeyFile FOLDER/other.key\n";
    for (more, expected) in [
        // mod_md provides the certificate of a host that names none.
        (format!("{MANAGED}MDomain md.example\n{managed}"), &[][..]),
        (
            format!("{MANAGED}<MDomainSet md.example>\n{files}</MDomainSet>\n{managed}"),
            &[],
        ),
        // Conditions that do not hold.
        (format!("<IfFile /none>\n{broken}</IfFile>\n"), &[]),
        (
            format!("<IfModule none_module>\n{broken}</IfModule>\n"),
            &[],
        ),
        (
            format!("<IfDirective NoSuch>\n{broken}</IfDirective>\n"),
            &["config-unclear"],
        ),
        // A macro that is used by other hosts.
        (
            format!(
                "LoadModule macro_module /usr/lib/apache2/modules/mod_macro.so\n<Macro Other $n>\n{}</Macro>\nUse Other o\n",
                host(
                    "$n.example",
                    "SSLCertificateFile CHAIN\nSSLCertificateKeyFile KEY\n"
                )
            ),
            &["names-not-covered"],
        ),
    ] {
        let site = OddSite::new();
        site.plain("other.crt", "other.key");
        let mut apache = site.start(&format!("{HOST}{more}"));
        let run = site.install();
        assert_eq!(run.code, 0, "{more}\n{run}");
        assert_eq!(run.json()["verdict"], "live", "{more}\n{run}");
        let document = run.json();
        let found = codes(&document);
        for code in ["config-unclear", "names-not-covered"] {
            assert_eq!(
                found.contains(&code),
                expected.contains(&code),
                "{more}\n{run}"
            );
        }
        site.assert_serves_installed();
        assert!(apache.runs());
    }
}

#[test]
fn a_host_that_a_macro_defines_is_found_and_served() {
    let site = OddSite::new();
    let inside = HOST
        .replace("Listen 127.0.0.1:PORT\n", "")
        .replace("example.com", "$name");
    let _apache = site.start(&format!(
        "Listen 127.0.0.1:PORT\nLoadModule macro_module /usr/lib/apache2/modules/mod_macro.so\n\
         <Macro Site $name>\n{inside}</Macro>\nUse Site example.com\n"
    ));
    let run = site.install().expect(0);
    assert_eq!(run.json()["verdict"], "live", "{run}");
    site.assert_serves_installed();
}

#[test]
fn a_more_specific_address_is_reported_as_serving_other_files() {
    let site = OddSite::new();
    site.plain("other.crt", "other.key");
    let specific = HOST
        .replace("Listen 127.0.0.1:PORT\n", "")
        .replace("*:PORT", "127.0.0.1:PORT")
        .replace("CHAIN", "FOLDER/other.crt")
        .replace("KEY", "FOLDER/other.key");
    let _apache = site.start(&format!("{HOST}{specific}"));
    let run = site.install();
    assert_ne!(run.code, 0, "{run}");
    let document = run.json();
    let found = codes(&document);
    assert!(found.contains(&"configured-elsewhere"), "{run}");
}
