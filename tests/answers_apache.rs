//! The model predicts which certificate a real Apache sends: generated configurations with every
//! feature that decides which virtual host answers, each asked at several addresses with and without
//! a name.
//! Needs: apache2 ip unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use certctl::facade::webserver::model::{ModelRule, ServerSoftware};
use support::external::external_program;
use support::seed::Generator;
use support::served_answers::{
    AnswerReport, CertificateWriter, GeneratedCase, ServerUnderTest, TestedSystem, WrittenKey,
    addresses,
};
use support::server_process::ServerProcess;

const APACHE: ServerUnderTest = ServerUnderTest {
    software: ServerSoftware::Apache,
    configurations: 96,
    features: &FEATURES,
    may_be_unknown: &[],
    rules: &[
        ModelRule::ApacheAddress,
        ModelRule::ApacheFirstHost,
        ModelRule::ApacheIfFile,
        ModelRule::ApacheInheritance,
        ModelRule::ApacheMacro,
        ModelRule::ApacheManagedDomain,
        ModelRule::ApacheMainName,
    ],
    system: TestedSystem::Installed,
    generate,
};

const FEATURES: [&str; 22] = [
    "_default_",
    "address of loopback",
    "another address of loopback",
    "any port",
    "Define",
    "ECDSA and RSA",
    "first host is the default",
    "IfDefine",
    "IfFile",
    "IfModule",
    "Include",
    "IncludeOptional",
    "IPv6 address",
    "Listen with an address",
    "mod_macro",
    "mod_md",
    "no ServerName",
    "no certificate of its own",
    "server root (-d)",
    "ServerAlias with a wildcard",
    "SSLEngine inherited",
    "SSLEngine optional",
];

const PORTS: [u16; 2] = [443, 8443];

const NAMES: [&str; 7] = [
    "a.example",
    "www.a.example",
    "b.example",
    "x.b.example",
    "c.test",
    "main.example",
    "other.test",
];

const ALIASES: [&str; 6] = [
    "*.a.example",
    "*.example",
    "w?w.a.example",
    "*.b.example",
    "c.*",
    "*",
];

/// The files that a configuration can name: `CERTIFICATE.pem` and `CERTIFICATE.key`.
const CERTIFICATES: usize = 8;

#[test]
fn apache_serves_what_the_model_predicts() {
    if !APACHE.run_batch_if_asked() {
        APACHE.assert_agreement(report());
    }
}

#[test]
fn each_rule_for_apache_is_needed() {
    APACHE.assert_rules_are_tested(report());
}

fn report() -> &'static AnswerReport {
    static REPORT: OnceLock<AnswerReport> = OnceLock::new();
    REPORT.get_or_init(|| APACHE.run_batches("apache_serves_what_the_model_predicts"))
}

/// A configuration that is being written.
struct Draft<'a> {
    random: Generator,
    /// The feature that this configuration certainly has.
    wanted: &'static str,
    features: BTreeSet<&'static str>,
    folder: &'a Path,
    /// Whether the main server has certificates that hosts inherit.
    main_certificates: bool,
    /// Whether the main server enables TLS.
    main_engine: bool,
}

fn generate(number: usize, folder: &Path) -> GeneratedCase {
    let writer = CertificateWriter::new();
    let mut draft = Draft {
        random: Generator::new(7_000 + u64::try_from(number).unwrap() * 7919),
        wanted: FEATURES[number % FEATURES.len()],
        features: BTreeSet::new(),
        folder,
        main_certificates: false,
        main_engine: false,
    };
    for at in 0..CERTIFICATES {
        let key = if at % 2 == 0 {
            WrittenKey::Ecdsa
        } else {
            WrittenKey::Rsa
        };
        let written = writer.issue(key, &["pool.example"], "pool.example");
        std::fs::create_dir_all(folder.join("tls")).unwrap();
        std::fs::write(folder.join(format!("tls/{at}.pem")), written.certificate).unwrap();
        std::fs::write(folder.join(format!("tls/{at}.key")), written.key).unwrap();
    }
    draft.main_certificates = draft.decide("no certificate of its own", 3);
    draft.main_engine = draft.main_certificates && draft.decide("SSLEngine inherited", 2);
    let text = draft.text();
    let flags = draft.flags();
    let config = match flags.root {
        true => folder.join("conf/site.conf"),
        false => folder.join("apache2.conf"),
    };
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, text).unwrap();
    GeneratedCase {
        features: draft.features,
        start: starter(folder, &config, flags),
        config,
        addresses: addresses(&["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"], &PORTS),
        names: NAMES.map(str::to_owned).to_vec(),
        find_file: managed_certificate,
    }
}

/// What Apache is started with.
#[derive(Clone, Copy)]
struct StartFlags {
    /// Whether `-d` names another folder than that of the configuration file.
    root: bool,
    /// Whether `-D GIVEN` is on the command line.
    given: bool,
}

fn starter(folder: &Path, config: &Path, flags: StartFlags) -> Box<dyn Fn() -> ServerProcess> {
    let (folder, config) = (folder.to_owned(), config.to_owned());
    Box::new(move || {
        let pid_file = folder.join("apache2.pid");
        let is_up = |master: &ServerProcess| {
            std::fs::read_to_string(&pid_file)
                .is_ok_and(|pid| pid.trim() == master.id().to_string())
        };
        let log = || {
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            let text = std::fs::read_to_string(&config).unwrap();
            format!("{}{}\n{text}", read("error.log"), read("stderr"))
        };
        let mut command = external_program("apache2");
        command.args(["-D", "FOREGROUND", "-d"]).arg(&folder);
        if flags.given {
            command.arg("-DGIVEN");
        }
        command.arg("-f").arg(&config);
        command.stderr(std::fs::File::create(folder.join("stderr")).unwrap());
        command.stdin(Stdio::null());
        ServerProcess::start(&mut command, is_up, log)
    })
}

/// The certificate that mod_md uses as long as it has no other one.
fn managed_certificate(config_folder: &Path, text: &str) -> Option<PathBuf> {
    let name = text.strip_prefix("mod_md: ")?;
    let roots = [config_folder, config_folder.parent()?];
    let mut files = roots
        .iter()
        .map(|root| root.join(format!("md/domains/{name}/fallback-pubcert.pem")));
    files.find(|path| path.exists())
}

impl Draft<'_> {
    /// Decides whether the configuration has a feature: certainly if it is the wanted one, otherwise
    /// with the probability 1/`odds`.
    fn decide(&mut self, feature: &'static str, odds: usize) -> bool {
        let has = self.wanted == feature || self.random.below(odds) == 0;
        if has {
            self.features.insert(feature);
        }
        has
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.random.below(of.len())]
    }

    fn flags(&mut self) -> StartFlags {
        StartFlags {
            root: self.features.contains("server root (-d)"),
            given: self.features.contains("IfDefine"),
        }
    }

    fn text(&mut self) -> String {
        let place = self.folder.display().to_string();
        let mut text = String::new();
        if !self.decide("server root (-d)", 6) {
            writeln!(text, "ServerRoot {place}").unwrap();
        }
        writeln!(
            text,
            "DefaultRuntimeDir {place}\nPidFile {place}/apache2.pid\nErrorLog {place}/error.log\n\
             User www-data\nGroup www-data\nServerName main.example"
        )
        .unwrap();
        for module in [
            "mpm_event",
            "authz_core",
            "socache_shmcb",
            "ssl",
            "macro",
            "md",
        ] {
            writeln!(
                text,
                "LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so"
            )
            .unwrap();
        }
        text.push_str("SSLSessionCache none\n");
        self.add_listens(&mut text);
        if self.main_certificates {
            text.push_str(&certificate_lines(0));
            text.push_str(&certificate_lines(1));
        }
        if self.main_engine {
            text.push_str("SSLEngine on\n");
        }
        if self.decide("Define", 4) {
            text.push_str("Define SITES sites\nDefine port 443\nDefine LAST a.example\n");
        }
        let managed = self.decide("mod_md", 8);
        if managed {
            self.add_managed_domain(&mut text);
        }
        let hosts = 3 + self.random.below(4);
        for at in 0..hosts {
            let host = self.host(at);
            self.add_host(&mut text, at, &host);
        }
        if managed {
            self.add_managed_host(&mut text);
        }
        if self.features.contains("Define") {
            text.push_str("UnDefine LAST\n");
        }
        self.features.insert("first host is the default");
        text
    }

    fn add_listens(&mut self, text: &mut String) {
        for port in PORTS {
            if self.decide("Listen with an address", 4) {
                for ip in ["127.0.0.1", "127.0.0.2", "[::1]"] {
                    writeln!(text, "Listen {ip}:{port}").unwrap();
                }
            } else {
                writeln!(text, "Listen {port}").unwrap();
            }
        }
    }

    /// A managed domain with certificates of its own, or one for which mod_md has none yet.
    fn add_managed_domain(&mut self, text: &mut String) {
        text.push_str(
            "MDCertificateAgreement accepted\nMDContactEmail a@main.example\nMDRenewMode manual\n",
        );
        let names = self.pick(&["managed.test", "www.managed.test managed.test"]);
        if self.random.below(3) == 0 {
            writeln!(text, "MDomain {names}").unwrap();
        } else {
            writeln!(
                text,
                "<MDomainSet {names}>\nMDCertificateFile tls/6.pem\nMDCertificateKeyFile tls/6.key\n</MDomainSet>"
            )
            .unwrap();
        }
    }

    fn add_managed_host(&mut self, text: &mut String) {
        let own = self.pick(&[
            "ServerName managed.test",
            "ServerName c.test\nServerAlias managed.test",
        ]);
        writeln!(
            text,
            "<VirtualHost *:443>\n{own}\nSSLEngine on\n</VirtualHost>"
        )
        .unwrap();
    }

    /// The addresses of a host.
    fn host_addresses(&mut self) -> String {
        let mut chosen = Vec::new();
        if self.decide("address of loopback", 6) {
            chosen.push("127.0.0.1:443");
        }
        if self.decide("another address of loopback", 7) {
            chosen.push("127.0.0.2:8443");
        }
        if self.decide("IPv6 address", 7) {
            chosen.push("[::1]:443");
        }
        if self.decide("any port", 9) {
            chosen.push(self.pick(&["*", "127.0.0.1", "_default_:*"]));
        }
        if chosen.is_empty() || self.random.below(3) == 0 {
            let any = if self.decide("_default_", 5) {
                self.pick(&["_default_:443", "_default_:8443"])
            } else {
                self.pick(&["*:443", "*:443", "*:8443", "*:443 *:8443", "0.0.0.0:443"])
            };
            chosen.push(any);
        }
        chosen.join(" ")
    }

    /// The section of a host.
    fn host(&mut self, at: usize) -> String {
        let mut addresses = self.host_addresses();
        if self.features.contains("Define") {
            addresses = addresses.replace("*:443", "*:${PORT}");
        }
        let mut lines = String::new();
        if !self.decide("no ServerName", 5) {
            let name = self.pick(&NAMES);
            let name = if self.features.contains("Define") && name == "a.example" {
                "${LAST}"
            } else {
                name
            };
            writeln!(lines, "ServerName {name}").unwrap();
        }
        if self.random.below(2) == 0 {
            writeln!(lines, "ServerAlias {}", self.pick(&NAMES)).unwrap();
        }
        if self.decide("ServerAlias with a wildcard", 4) {
            writeln!(lines, "ServerAlias {}", self.pick(&ALIASES)).unwrap();
        }
        let certificate = 2 + self.random.below(4);
        if self.main_certificates && self.random.below(3) == 0 {
            self.features.insert("no certificate of its own");
        } else {
            lines.push_str(&certificate_lines(certificate));
            if self.decide("ECDSA and RSA", 5) {
                lines.push_str(&certificate_lines(certificate ^ 1));
            }
        }
        let engine = if self.decide("SSLEngine optional", 10) {
            "SSLEngine optional\n"
        } else if self.random.below(8) == 0 {
            "SSLEngine off\n"
        } else if self.main_engine && self.random.below(2) == 0 {
            ""
        } else {
            "SSLEngine on\n"
        };
        lines.push_str(engine);
        let lines = self.conditional_lines(&lines, at);
        format!("<VirtualHost {addresses}>\n{lines}</VirtualHost>\n")
    }

    /// Puts the lines of a host into conditions that hold, next to others that do not.
    fn conditional_lines(&mut self, lines: &str, at: usize) -> String {
        let mut text = lines.to_owned();
        if self.decide("IfModule", 6) {
            let other = self.pick(&NAMES);
            text = format!(
                "<IfModule mod_ssl.c>\n{text}</IfModule>\n<IfModule !ssl_module>\nServerName {other}\n</IfModule>\n"
            );
        }
        if self.decide("IfDefine", 6) {
            let other = self.pick(&NAMES);
            text = format!(
                "<IfDefine GIVEN>\n{text}</IfDefine>\n<IfDefine NOT_GIVEN>\nServerName {other}\n</IfDefine>\n"
            );
        }
        if at > 0 && self.decide("IfFile", 6) {
            let other = self.pick(&NAMES);
            text = format!(
                "<IfFile tls/0.pem>\n{text}</IfFile>\n<IfFile {}/none>\nServerName {other}\nServerAlias *\n</IfFile>\n",
                self.folder.display()
            );
        }
        text
    }

    /// Adds a host to the main file, or to what it includes.
    fn add_host(&mut self, text: &mut String, at: usize, host: &str) {
        let sites = if self.features.contains("Define") {
            "${SITES}"
        } else {
            "sites"
        };
        let write = |name: &str, content: &str| {
            let path = self.folder.join("sites").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        if self.wanted == "Include" || self.random.below(8) == 0 {
            self.features.insert("Include");
            let folder = self.folder.join(format!("sites/{at}-all"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("b.conf"), host).unwrap();
            let mut first = host.replace("ServerName", "ServerAlias");
            first.insert_str(0, "# first\n");
            std::fs::write(folder.join("a"), first).unwrap();
            writeln!(text, "Include {sites}/{at}-all").unwrap();
        } else if self.wanted == "IncludeOptional" || self.random.below(8) == 0 {
            self.features.insert("IncludeOptional");
            write(&format!("{at}-x.conf"), host);
            write(&format!("{at}-y.conf.bak"), "Nonsense");
            writeln!(
                text,
                "IncludeOptional {sites}/{at}-*.conf\nIncludeOptional none/*.conf"
            )
            .unwrap();
        } else if self.decide("mod_macro", 6) {
            let inside = host
                .replace("ServerName ", "ServerName $sub")
                .replace("tls/", "$(dir)/");
            let sub = self.pick(&["", "www."]);
            writeln!(
                text,
                "<Macro Host{at} $sub $subfolder $(dir)>\n# $subfolder\n{inside}</Macro>\nUse HOST{at} \"{sub}\" x tls"
            )
            .unwrap();
        } else if at > 0 && self.random.below(8) == 0 {
            self.features.insert("IfFile");
            let missing = self.pick(&["tls/none", "!tls/0.pem"]);
            writeln!(text, "<IfFile {missing}>\n{host}</IfFile>").unwrap();
        } else {
            text.push_str(host);
        }
    }
}

fn certificate_lines(at: usize) -> String {
    format!("SSLCertificateFile tls/{at}.pem\nSSLCertificateKeyFile tls/{at}.key\n")
}
