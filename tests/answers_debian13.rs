//! The model predicts which certificate Debian 13's servers send: HAProxy 3.0 with its certificate
//! storage (`crt-store`), nginx 1.26 with `http2 on`. `scripts/debian13` unpacks them.
//! Needs: ip unshare mount chroot debootstrap
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use certctl::facade::webserver::model::ServerSoftware;
use support::external::external_program;
use support::nginx::write_config;
use support::seed::Generator;
use support::served_answers::{
    AnswerReport, CertificateWriter, GeneratedCase, ServerUnderTest, TestedSystem, WrittenKey,
    addresses,
};
use support::server_process::ServerProcess;

const HAPROXY: ServerUnderTest = ServerUnderTest {
    software: ServerSoftware::Haproxy,
    configurations: 40,
    features: &HAPROXY_FEATURES,
    may_be_unknown: &[],
    rules: &[],
    system: TestedSystem::Debian13,
    generate: generate_haproxy,
};

const HAPROXY_FEATURES: [&str; 10] = [
    "alias",
    "crt-base of the global section",
    "crt-base of the store",
    "crt-list",
    "key of its own",
    "key of its own in a crt-list",
    "key-base of the global section",
    "key-base of the store",
    "named store",
    "store without a name",
];

const NGINX: ServerUnderTest = ServerUnderTest {
    software: ServerSoftware::Nginx,
    configurations: 40,
    features: &NGINX_FEATURES,
    may_be_unknown: &[],
    rules: &[],
    system: TestedSystem::Debian13,
    generate: generate_nginx,
};

const NGINX_FEATURES: [&str; 5] = [
    "default_server",
    "http2 off",
    "http2 on for a server",
    "http2 on for all",
    "two key types",
];

/// The names of certificates, filters and servers.
const NAMES: [&str; 6] = [
    "a.example",
    "www.a.example",
    "*.a.example",
    "b.example",
    "c.test",
    "*.test",
];

/// The names that clients send.
const ASKED: [&str; 5] = [
    "a.example",
    "www.a.example",
    "b.example",
    "c.test",
    "nothing.invalid",
];

#[test]
fn haproxy_serves_what_the_model_predicts() {
    if !HAPROXY.run_batch_if_asked() {
        static REPORT: OnceLock<AnswerReport> = OnceLock::new();
        let report =
            REPORT.get_or_init(|| HAPROXY.run_batches("haproxy_serves_what_the_model_predicts"));
        HAPROXY.assert_agreement(report);
    }
}

#[test]
fn nginx_serves_what_the_model_predicts() {
    if !NGINX.run_batch_if_asked() {
        static REPORT: OnceLock<AnswerReport> = OnceLock::new();
        let report =
            REPORT.get_or_init(|| NGINX.run_batches("nginx_serves_what_the_model_predicts"));
        NGINX.assert_agreement(report);
    }
}

/// A configuration that is being written.
struct Draft<'a> {
    random: Generator,
    /// The feature that this configuration certainly has.
    wanted: &'static str,
    features: BTreeSet<&'static str>,
    folder: &'a Path,
    writer: CertificateWriter,
    certificates: usize,
}

/// A store of certificates that is being written.
struct DraftStore {
    name: &'static str,
    /// The folders of relative paths of certificates and keys; empty if there is none.
    crt_base: String,
    key_base: String,
    lines: String,
}

impl<'a> Draft<'a> {
    fn new(number: usize, features: &[&'static str], folder: &'a Path) -> Self {
        let seed = 13_000 + u64::try_from(number).unwrap() * 104_729;
        Self {
            random: Generator::new(seed),
            wanted: features[number % features.len()],
            features: BTreeSet::new(),
            folder,
            writer: CertificateWriter::new(),
            certificates: 0,
        }
    }

    fn decide(&mut self, feature: &'static str, odds: usize) -> bool {
        let has = self.wanted == feature || self.random.below(odds) == 0;
        if has {
            self.features.insert(feature);
        }
        has
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.random.below(of.len())]
    }

    fn names(&mut self) -> Vec<&'static str> {
        let count = 1 + self.random.below(2);
        (0..count).map(|_| self.pick(&NAMES)).collect()
    }

    /// Writes a certificate and its key into two files; returns the number in their names.
    fn write(&mut self, [crt, key]: [&str; 2], kind: WrittenKey, names: &[&str]) -> usize {
        self.certificates += 1;
        let number = self.certificates;
        let written = self.writer.issue(kind, names, "pool");
        for (folder, text) in [(crt, written.certificate), (key, written.key)] {
            let folder = self.folder.join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let extension = if text.contains("CERTIFICATE") {
                "crt"
            } else {
                "key"
            };
            std::fs::write(folder.join(format!("{number}.{extension}")), text).unwrap();
        }
        number
    }

    fn any_kind(&mut self) -> WrittenKey {
        match self.random.below(2) {
            0 => WrittenKey::Ecdsa,
            _ => WrittenKey::Rsa,
        }
    }

    /// Writes a certificate, with its key or beside it; returns the path as it is written below
    /// these bases, and the option for its key.
    fn certificate(
        &mut self,
        crt_base: &str,
        key_base: &str,
        own: &'static str,
    ) -> (String, String) {
        let kind = self.any_kind();
        let names = self.names();
        let folders = [
            if crt_base.is_empty() {
                "certs"
            } else {
                crt_base
            },
            if key_base.is_empty() {
                "certs"
            } else {
                key_base
            },
        ];
        let number = self.write(folders, kind, &names);
        let spelled = |base: &str, file: String| match base.is_empty() {
            true => self.folder.join("certs").join(file).display().to_string(),
            false => file,
        };
        let (crt, key) = (format!("{number}.crt"), format!("{number}.key"));
        let paths = (spelled(crt_base, crt), spelled(key_base, key));
        if self.decide(own, 2) {
            return (paths.0, format!("key {}", paths.1));
        }
        let read = |folder: &str, end: &str| {
            let path = self.folder.join(folder).join(format!("{number}.{end}"));
            std::fs::read_to_string(path).unwrap()
        };
        let both = read(folders[0], "crt") + &read(folders[1], "key");
        let path = self.folder.join(folders[0]).join(format!("{number}.crt"));
        std::fs::write(path, both).unwrap();
        (paths.0, String::new())
    }

    /// Adds a certificate to a store; returns how `bind` refers to it.
    fn load(&mut self, store: &mut DraftStore) -> String {
        let (crt, key) = self.certificate(&store.crt_base, &store.key_base, "key of its own");
        let mut line = format!("    load crt {crt} {key}");
        let reference = if self.decide("alias", 2) {
            let alias = format!("alias{}", self.certificates);
            write!(line, " alias {alias}").unwrap();
            format!("@{}/{alias}", store.name)
        } else if store.name.is_empty() {
            crt
        } else {
            format!("@{}/{}", store.name, crt.trim_start_matches('/'))
        };
        writeln!(store.lines, "{line}").unwrap();
        reference
    }

    fn list(&mut self, crt_base: &str) -> String {
        let mut text = String::new();
        for _ in 0..1 + self.random.below(2) {
            let (crt, key) = self.certificate(crt_base, "", "key of its own in a crt-list");
            let options = if key.is_empty() {
                key
            } else {
                format!("[{key}]")
            };
            let filter = self.pick(&["", "", "*.example", "c.test"]);
            writeln!(text, "{crt} {options} {filter}").unwrap();
        }
        let path = self.folder.join(format!("list{}", self.certificates));
        std::fs::write(&path, text).unwrap();
        format!("crt-list {}", path.display())
    }

    fn base(&mut self, feature: &'static str, folder: &str, text: &mut String) -> Option<String> {
        self.decide(feature, 3).then(|| {
            let keyword = feature.split(' ').next().unwrap();
            let path = self.folder.join(folder);
            writeln!(text, "    {keyword} {}", path.display()).unwrap();
            folder.to_owned()
        })
    }

    fn haproxy(&mut self) -> String {
        let mut text = "global\n    hard-stop-after 1s\n".to_owned();
        let crt_base = self.base("crt-base of the global section", "certs", &mut text);
        let key_base = self.base("key-base of the global section", "keys", &mut text);
        let (crt_base, key_base) = (crt_base.unwrap_or_default(), key_base.unwrap_or_default());
        let mut references = Vec::new();
        let is_named = self.decide("named store", 2);
        if !is_named || self.decide("store without a name", 2) {
            self.features.insert("store without a name");
            let mut store = DraftStore {
                name: "",
                crt_base: crt_base.clone(),
                key_base: key_base.clone(),
                lines: String::new(),
            };
            references.extend((0..1 + self.random.below(2)).map(|_| self.load(&mut store)));
            write!(text, "crt-store\n{}", store.lines).unwrap();
        }
        if is_named || self.wanted.ends_with("of the store") {
            self.features.insert("named store");
            text.push_str("crt-store web\n");
            let own_crt = self.base("crt-base of the store", "store-certs", &mut text);
            let own_key = self.base("key-base of the store", "store-keys", &mut text);
            let mut store = DraftStore {
                name: "web",
                crt_base: own_crt.unwrap_or_else(|| crt_base.clone()),
                key_base: own_key.unwrap_or_else(|| key_base.clone()),
                lines: String::new(),
            };
            references.extend((0..1 + self.random.below(2)).map(|_| self.load(&mut store)));
            text.push_str(&store.lines);
        }
        text.push_str(
            "defaults\n    mode http\n    timeout client 5s\n    timeout connect 5s\n    timeout server 5s\n\
             frontend f\n    bind 127.0.0.1:443 ssl",
        );
        let (last, others) = references.split_last().unwrap();
        for reference in others {
            write!(text, " crt {reference}").unwrap();
        }
        if self.decide("crt-list", 3) || self.wanted == "key of its own in a crt-list" {
            self.features.insert("crt-list");
            let list = self.list(&crt_base);
            write!(text, " {list}").unwrap();
        }
        writeln!(text, " crt {last}\n    bind 127.0.0.2:443 ssl crt {last}").unwrap();
        text
    }

    /// A server with one certificate, or with two key types.
    fn nginx_server(&mut self, address: &str, options: &str) -> String {
        let names = self.names().join(" ");
        let mut kinds = vec![self.any_kind()];
        if self.decide("two key types", 4) {
            kinds = vec![WrittenKey::Ecdsa, WrittenKey::Rsa];
        }
        let mut text = format!("server {{ listen {address} ssl{options}; server_name {names};\n");
        for kind in kinds {
            let number = self.write(["certs"; 2], kind, &["any.example"]);
            let path = self.folder.join("certs").join(number.to_string());
            let path = path.display();
            writeln!(
                text,
                "ssl_certificate {path}.crt; ssl_certificate_key {path}.key;"
            )
            .unwrap();
        }
        if self.decide("http2 on for a server", 3) {
            text.push_str("http2 on;\n");
        } else if self.decide("http2 off", 4) {
            text.push_str("http2 off;\n");
        }
        text + "return 204; }\n"
    }

    fn nginx(&mut self) -> String {
        let mut text = String::new();
        if self.decide("http2 on for all", 3) {
            text.push_str("http2 on;\n");
        }
        for address in ["127.0.0.1:443", "443", "127.0.0.2:8443"] {
            let count = 1 + self.random.below(3);
            let default = self
                .decide("default_server", 2)
                .then(|| self.random.below(count));
            for at in 0..count {
                let options = if default == Some(at) {
                    " default_server"
                } else {
                    ""
                };
                let server = self.nginx_server(address, options);
                text.push_str(&server);
            }
        }
        text
    }
}

fn generate_haproxy(number: usize, folder: &Path) -> GeneratedCase {
    let mut draft = Draft::new(number, &HAPROXY_FEATURES, folder);
    let config = folder.join("haproxy.cfg");
    std::fs::write(&config, draft.haproxy()).unwrap();
    GeneratedCase {
        features: draft.features,
        start: starter(folder, config.clone(), &["haproxy", "-W", "-db", "-f"]),
        config,
        addresses: addresses(&["127.0.0.1", "127.0.0.2"], &[443]),
        names: ASKED.map(str::to_owned).to_vec(),
        find_file: |_, _| None,
    }
}

fn generate_nginx(number: usize, folder: &Path) -> GeneratedCase {
    let mut draft = Draft::new(number, &NGINX_FEATURES, folder);
    let text = draft.nginx();
    let config = write_config(folder, &text);
    GeneratedCase {
        features: draft.features,
        start: starter(folder, config.clone(), &["nginx", "-c"]),
        config,
        addresses: addresses(&["127.0.0.1", "127.0.0.2"], &[443, 8443]),
        names: ASKED.map(str::to_owned).to_vec(),
        find_file: |_, _| None,
    }
}

/// Starts a server in the foreground with a configuration; it has written "Loading success" (HAProxy)
/// or its pid file (nginx) when it listens.
fn starter(
    folder: &Path,
    config: PathBuf,
    command_line: &'static [&'static str],
) -> Box<dyn Fn() -> ServerProcess> {
    let folder = folder.to_owned();
    Box::new(move || {
        let path = folder.join("server.log");
        let errors = std::fs::File::create(&path).unwrap();
        let log = || std::fs::read_to_string(&path).unwrap_or_default();
        let mut command = external_program(command_line[0]);
        command
            .args(&command_line[1..])
            .arg(&config)
            .current_dir(&folder)
            .stderr(errors);
        let is_up = |_: &ServerProcess| {
            log().contains("Loading success") || folder.join("nginx.pid").exists()
        };
        let text = || format!("{}\n{}", log(), std::fs::read_to_string(&config).unwrap());
        ServerProcess::start(&mut command, is_up, text)
    })
}
