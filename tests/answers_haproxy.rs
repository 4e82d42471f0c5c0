//! The model predicts which certificate a real HAProxy sends: generated configurations with every
//! feature that decides which certificate is selected, each asked at several addresses with and
//! without a name, by clients that accept one key type or all.
//! Needs: haproxy ip unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use certctl::facade::webserver::model::{ModelRule, ServerSoftware};
use support::external::external_program;
use support::seed::Generator;
use support::served_answers::{
    AnswerReport, CertificateWriter, GeneratedCase, ServerUnderTest, TestedSystem, WrittenKey,
    addresses,
};
use support::server_process::ServerProcess;

const HAPROXY: ServerUnderTest = ServerUnderTest {
    software: ServerSoftware::Haproxy,
    configurations: 96,
    features: &FEATURES,
    may_be_unknown: &[],
    rules: &[
        ModelRule::HaproxyBase,
        ModelRule::HaproxyCondition,
        ModelRule::HaproxyDefault,
        ModelRule::HaproxyExclusion,
        ModelRule::HaproxyKeyType,
        ModelRule::HaproxyPassThrough,
        ModelRule::HaproxyStrictSni,
    ],
    system: TestedSystem::Installed,
    generate,
};

const FEATURES: [&str; 19] = [
    "condition (.if)",
    "crt directory",
    "crt file",
    "crt-base",
    "crt-list",
    "default certificate",
    "disabled frontend",
    "ECDSA and RSA bundle",
    "environment variable",
    "key in a file of its own",
    "negated SNI filter",
    "setenv",
    "several binds",
    "several files (-f)",
    "several frontends",
    "SNI filter",
    "ssl-default-bind",
    "strict-sni",
    "TCP frontend by name",
];

/// The names of certificates and of filters.
const NAMES: [&str; 8] = [
    "a.example",
    "www.a.example",
    "*.a.example",
    "b.example",
    "*.example",
    "c.test",
    "*.test",
    "A.Example",
];

/// The names that clients send.
const ASKED: [&str; 6] = [
    "a.example",
    "www.a.example",
    "deep.www.a.example",
    "b.example",
    "c.test",
    "nothing.invalid",
];

/// Where frontends listen; those of the first three are asked.
const ADDRESSES: [&str; 6] = [
    ":443",
    "127.0.0.2:443",
    ":::8443",
    "127.0.0.1:8443",
    "[::1]:443",
    "127.0.0.2:8443",
];

/// The port of the TCP frontend.
const FRONT: u16 = 7443;

const CONDITIONS: [&str; 8] = [
    "defined(GIVEN)",
    "!defined(NOT_GIVEN)",
    "version_atleast(2.4)",
    "version_before(2.4-dev9)",
    "streq(\"$GIVEN\",yes) && feature(OPENSSL)",
    "strneq(\"$GIVEN\",yes) || !feature(OPENSSL)",
    "streq(\"$GIVEN\",no) || version_atleast(2.6.1)",
    "(0 || defined(GIVEN)) && !0",
];

#[test]
fn haproxy_serves_what_the_model_predicts() {
    if !HAPROXY.run_batch_if_asked() {
        HAPROXY.assert_agreement(report());
    }
}

#[test]
fn each_rule_for_haproxy_is_needed() {
    HAPROXY.assert_rules_are_tested(report());
}

fn report() -> &'static AnswerReport {
    static REPORT: OnceLock<AnswerReport> = OnceLock::new();
    REPORT.get_or_init(|| HAPROXY.run_batches("haproxy_serves_what_the_model_predicts"))
}

/// A configuration that is being written.
struct Draft<'a> {
    random: Generator,
    /// The feature that this configuration certainly has.
    wanted: &'static str,
    features: BTreeSet<&'static str>,
    folder: &'a Path,
    writer: CertificateWriter,
    /// The number of certificates written so far.
    certificates: usize,
    /// The number of lists and folders written so far.
    sources: usize,
    has_base: bool,
}

fn generate(number: usize, folder: &Path) -> GeneratedCase {
    let mut draft = Draft {
        random: Generator::new(11_000 + u64::try_from(number).unwrap() * 104_729),
        wanted: FEATURES[number % FEATURES.len()],
        features: BTreeSet::from(["default certificate"]),
        folder,
        writer: CertificateWriter::new(),
        certificates: 0,
        sources: 0,
        has_base: false,
    };
    std::fs::create_dir_all(folder.join("certs")).unwrap();
    let texts = draft.texts();
    let config = folder.join("haproxy.cfg");
    let mut files = vec![config.clone()];
    std::fs::write(&config, &texts[0]).unwrap();
    if texts.len() > 1 {
        let parts = folder.join("conf.d");
        std::fs::create_dir_all(&parts).unwrap();
        std::fs::write(parts.join("20-last.cfg"), &texts[2]).unwrap();
        std::fs::write(parts.join("10-first.cfg"), &texts[1]).unwrap();
        std::fs::write(parts.join("ignored.txt"), "Nonsense").unwrap();
        files.push(parts);
    }
    let ports = [443, 8443, FRONT];
    let asked = match draft.features.contains("TCP frontend by name") {
        true => &ports[..],
        false => &ports[..2],
    };
    GeneratedCase {
        start: starter(folder, files),
        features: draft.features,
        config,
        addresses: addresses(&["127.0.0.1", "127.0.0.2", "::1"], asked),
        names: ASKED.map(str::to_owned).to_vec(),
        find_file: |_, _| None,
    }
}

fn starter(folder: &Path, files: Vec<PathBuf>) -> Box<dyn Fn() -> ServerProcess> {
    let folder = folder.to_owned();
    Box::new(move || {
        let path = folder.join("haproxy.log");
        let errors = std::fs::File::create(&path).unwrap();
        let log = || std::fs::read_to_string(&path).unwrap_or_default();
        let mut command = external_program("haproxy");
        command
            .args(["-W", "-db"])
            .env("GIVEN", "yes")
            .env("CERTS", folder.join("certs"))
            .current_dir(&folder)
            .stderr(errors);
        for file in &files {
            command.arg("-f").arg(file);
        }
        let text = || {
            let text = std::fs::read_to_string(&files[0]).unwrap();
            format!("{}\n{text}", log())
        };
        ServerProcess::start(&mut command, |_| log().contains("Loading success"), text)
    })
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

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The texts of the main file and of the files of a folder, if there are several.
    fn texts(&mut self) -> Vec<String> {
        let mut global = "global\n    hard-stop-after 1s\n".to_owned();
        if self.decide("ssl-default-bind", 4) {
            global.push_str("    ssl-default-bind-options ssl-min-ver TLSv1.2\n");
            global.push_str("    ssl-default-bind-curves X25519:P-256\n");
        }
        if self.decide("setenv", 5) {
            writeln!(global, "    setenv MORE {}", self.path("certs")).unwrap();
            global.push_str("    presetenv GIVEN no\n    setenv GONE x\n    unsetenv GONE\n");
        }
        self.has_base = self.decide("crt-base", 4);
        if self.has_base {
            writeln!(global, "    crt-base {}", self.path("certs")).unwrap();
        }
        global.push_str(
            "defaults\n    mode http\n    timeout client 5s\n    timeout connect 5s\n    timeout server 5s\n",
        );
        let mut sections = self.frontends();
        if self.decide("TCP frontend by name", 4) {
            sections.push(self.tcp_frontend());
        }
        if self.decide("disabled frontend", 8) {
            let bind = self.bind(":443");
            sections.insert(0, format!("frontend off\n    disabled\n{bind}"));
        }
        if !self.decide("several files (-f)", 5) {
            return vec![global + &sections.concat()];
        }
        let middle = sections.len() / 2;
        let last = sections.split_off(middle).concat();
        vec![global, sections.concat(), last]
    }

    fn frontends(&mut self) -> Vec<String> {
        let mut free: Vec<&str> = ADDRESSES.to_vec();
        let count = if self.decide("several frontends", 2) {
            2 + self.random.below(2)
        } else {
            1
        };
        let mut sections = Vec::new();
        for at in 0..count {
            let binds = if self.decide("several binds", 3) {
                2
            } else {
                1
            };
            let mut text = format!("frontend f{at}\n");
            for _ in 0..binds {
                let chosen = free.remove(self.random.below(free.len()));
                let bind = self.bind(chosen);
                text.push_str(&bind);
            }
            if at > 0 && self.decide("condition (.if)", 3) {
                text = self.conditional(&text);
            }
            sections.push(text);
        }
        if self.wanted == "condition (.if)" && count == 1 {
            self.features.insert("condition (.if)");
            let text = sections.remove(0);
            let text = self.conditional(&text);
            // HAProxy needs at least one address.
            sections.push(format!("{text}frontend always\n    bind 127.0.0.9:80\n"));
        }
        sections
    }

    /// Puts a section into a condition; another one listens where the condition does not hold.
    fn conditional(&mut self, section: &str) -> String {
        let condition = self.pick(&CONDITIONS);
        let bind = self.bind("127.0.0.1:8444");
        format!(
            ".if {condition}\n{section}.elif 0\nnonsense\n.else\nfrontend other{}\n{bind}.endif\n",
            self.sources
        )
    }

    /// A `bind` line with certificates.
    fn bind(&mut self, address: &str) -> String {
        let mut line = format!("    bind {address} ssl");
        for _ in 0..1 + self.random.below(3) {
            let source = self.source();
            write!(line, " {source}").unwrap();
        }
        if self.decide("strict-sni", 5) {
            line.push_str(" strict-sni");
        }
        line.push_str(self.pick(&["", " alpn h2,http/1.1", " name x"]));
        line.push('\n');
        line
    }

    fn source(&mut self) -> String {
        if self.decide("crt-list", 4) {
            return self.list();
        }
        if self.decide("crt directory", 6) {
            self.sources += 1;
            let folder = format!("folder{}", self.sources);
            for _ in 0..1 + self.random.below(3) {
                self.certificate(&folder);
            }
            std::fs::write(self.folder.join(&folder).join(".hidden"), "Nonsense").unwrap();
            return format!("crt {}", self.path(&folder));
        }
        self.features.insert("crt file");
        let name = if self.decide("ECDSA and RSA bundle", 6) {
            self.bundle("certs")
        } else {
            self.certificate("certs")
        };
        let path = self.spelled(&name);
        format!("crt {path}")
    }

    /// One of the ways to name a file of the folder `certs`.
    fn spelled(&mut self, name: &str) -> String {
        if self.decide("environment variable", 5) {
            return self
                .pick(&["\"${CERTS}/N\"", "\"$CERTS\"/N", "\"${CERTS-/none}/N\""])
                .replace('N', name);
        }
        if self.features.contains("setenv") && self.random.below(3) == 0 {
            return format!("\"${{MORE}}/{name}\"");
        }
        if self.has_base && self.random.below(3) > 0 {
            return name.to_owned();
        }
        if !self.has_base && self.random.below(4) == 0 {
            return format!("certs/{name}");
        }
        self.path(&format!("certs/{name}"))
    }

    /// A list of certificates with filters.
    fn list(&mut self) -> String {
        let mut text = "# list\n\n".to_owned();
        for _ in 0..1 + self.random.below(4) {
            let name = if self.random.below(6) == 0 {
                self.features.insert("ECDSA and RSA bundle");
                self.bundle("certs")
            } else {
                self.certificate("certs")
            };
            let mut line = if self.has_base {
                name
            } else {
                self.path(&format!("certs/{name}"))
            };
            line.push_str(self.pick(&["", "", " [alpn h2]"]));
            if self.decide("SNI filter", 2) {
                for _ in 0..1 + self.random.below(2) {
                    write!(line, " {}", self.pick(&NAMES)).unwrap();
                }
            }
            if self.decide("negated SNI filter", 5) {
                let filters = [
                    "*.a.example !www.a.example",
                    "*.test !c.test",
                    "!*",
                    "!a.example",
                ];
                write!(line, " {}", self.pick(&filters)).unwrap();
            }
            writeln!(text, "{line}").unwrap();
        }
        self.sources += 1;
        let name = format!("list{}", self.sources);
        std::fs::write(self.folder.join(&name), text).unwrap();
        format!("crt-list {}", self.path(&name))
    }

    /// Writes a certificate with its key, in one file or two, and returns the file's name.
    fn certificate(&mut self, folder: &str) -> String {
        let key = match self.random.below(2) {
            0 => WrittenKey::Ecdsa,
            _ => WrittenKey::Rsa,
        };
        let names = self.certificate_names();
        self.certificates += 1;
        let name = format!("{}.pem", self.certificates);
        let apart = self.decide("key in a file of its own", 6);
        self.write_certificate(&format!("{folder}/{name}"), key, &names);
        if apart {
            self.split_key(&format!("{folder}/{name}"));
        }
        name
    }

    /// Writes `NAME.ecdsa` and `NAME.rsa` with the same names, and returns `NAME`.
    fn bundle(&mut self, folder: &str) -> String {
        let names = self.certificate_names();
        self.certificates += 1;
        let name = format!("{}.pem", self.certificates);
        let path = format!("{folder}/{name}");
        self.write_certificate(&format!("{path}.ecdsa"), WrittenKey::Ecdsa, &names);
        self.write_certificate(&format!("{path}.rsa"), WrittenKey::Rsa, &names);
        name
    }

    fn certificate_names(&mut self) -> Vec<&'static str> {
        let count = 1 + self.random.below(3);
        (0..count).map(|_| self.pick(&NAMES)).collect()
    }

    fn write_certificate(&mut self, path: &str, key: WrittenKey, names: &[&str]) {
        let common_name = self.pick(&["pool", "c.test", "b.example"]);
        let written = self.writer.issue(key, names, common_name);
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, written.certificate + &written.key).unwrap();
    }

    /// Moves the key of a file into `FILE.key`.
    fn split_key(&self, path: &str) {
        let path = self.folder.join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        let at = text.find("-----BEGIN PRIVATE KEY").unwrap();
        std::fs::write(format!("{}.key", path.display()), &text[at..]).unwrap();
        std::fs::write(path, &text[..at]).unwrap();
    }

    /// A frontend that passes connections on to others by the name in the handshake.
    fn tcp_frontend(&mut self) -> String {
        let socket = self.path("inner.sock");
        let (unix, abstract_socket, loopback) = (
            format!("unix@{socket} accept-proxy"),
            format!("abns@{socket} accept-proxy"),
            "127.0.0.1:4443".to_owned(),
        );
        let binds = [unix, abstract_socket, loopback].map(|address| self.bind(&address));
        let rules = [
            "use_backend b0 if { req.ssl_sni -i a.example }",
            "use_backend b1 if { req.ssl_sni -m end .a.example }",
            "use_backend b0 unless { req.ssl_sni -m found }",
            "use_backend b1 if { req_ssl_sni b.example } || { req.ssl_sni -m beg c. }",
            "use_backend b0 if is_test !is_a",
        ];
        let mut text = format!(
            "frontend front\n    mode tcp\n    bind :{FRONT}\n    tcp-request inspect-delay 5s\n    \
             tcp-request content accept if {{ req.ssl_hello_type 1 }}\n    \
             acl is_test req.ssl_sni,lower -m end .test\n    acl is_a req.ssl_sni -m sub a.ex\n"
        );
        for _ in 0..1 + self.random.below(3) {
            writeln!(text, "    {}", self.pick(&rules)).unwrap();
        }
        text.push_str("    default_backend b2\n");
        let servers = [
            format!("unix@{socket} send-proxy"),
            format!("abns@{socket} send-proxy-v2"),
            "127.0.0.1:4443".to_owned(),
        ];
        for (at, server) in servers.iter().enumerate() {
            writeln!(text, "backend b{at}\n    mode tcp\n    server s {server}").unwrap();
        }
        for (at, bind) in binds.iter().enumerate() {
            write!(text, "frontend inner{at}\n{bind}").unwrap();
        }
        text
    }
}
