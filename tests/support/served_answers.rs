//! Compares what the model predicts with what real servers send: generated configurations, each
//! started in a network namespace, so that all addresses and ports are free. Several batches run at
//! the same time, each in a process of this test of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::pki::key::KeyAlgorithm;
use certctl::facade::probe::{ProbeTarget, TlsHandshake};
use certctl::facade::system::tls::{ProbeError, probe_all};
use certctl::facade::webserver::control::{ServerObservation, ServerProgram};
use certctl::facade::webserver::model::{
    ClientHello, ConfiguredPath, ModelRule, ServedAnswer, ServerSoftware,
};

use super::Sandbox;
use super::external::{external_program, succeed};
use super::namespace::is_root;
use super::server_process::ServerProcess;

/// The number of batches that run at the same time.
const BATCHES: usize = 3;

/// Tells a process of this test which batch to run.
const BATCH: &str = "CERTCTL_TEST_BATCH";

/// Tells it where to write its report.
const REPORT: &str = "CERTCTL_TEST_REPORT";

/// The share of configurations, in percent, that each feature must appear in.
const FEATURE_SHARE: usize = 10;

/// The highest share of unknown predictions, in percent.
const UNKNOWN_SHARE: usize = 5;

/// A server whose configurations are generated.
pub struct ServerUnderTest {
    pub software: ServerSoftware,
    /// The number of configurations.
    pub configurations: usize,
    /// Every feature that a configuration may have.
    pub features: &'static [&'static str],
    /// Features whose answers may be unknown.
    pub may_be_unknown: &'static [&'static str],
    /// Each of them, switched off, must lead to a wrong prediction.
    pub rules: &'static [ModelRule],
    /// The system that the server is part of.
    pub system: TestedSystem,
    /// Generates the configuration with this number in an empty folder.
    pub generate: fn(usize, &Path) -> GeneratedCase,
}

/// Where a server comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestedSystem {
    /// This machine.
    Installed,
    /// The folder that `scripts/debian13` makes; the batches run in it (chroot).
    Debian13,
}

impl TestedSystem {
    /// Enters the folder `ROOT`, in which this test is at its usual path.
    const ENTER: &str = "ip link set lo up; mount --make-rprivate /
        for folder in proc sys dev tmp; do mount --rbind /$folder \"$ROOT/$folder\"; done
        mkdir -p \"$ROOT$PROGRAMS\"; mount --bind \"$PROGRAMS\" \"$ROOT$PROGRAMS\"
        for file in passwd group; do touch \"$ROOT/etc/$file\"; mount --bind /etc/$file \"$ROOT/etc/$file\"; done
        cd /; exec chroot \"$ROOT\" \"$0\" \"$@\"";

    /// Returns a command that runs a program, which the caller adds, in a network of its own.
    fn command(self) -> Command {
        let user = if is_root() { "" } else { "r" };
        let mut command = external_program("unshare");
        match self {
            Self::Installed => {
                let script = "ip link set lo up && exec \"$0\" \"$@\"";
                command.args([&format!("-{user}n"), "sh", "-ec", script]);
            }
            Self::Debian13 => {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian13");
                assert!(
                    root.is_dir(),
                    "{} is missing: run scripts/debian13",
                    root.display()
                );
                let this = std::env::current_exe().unwrap();
                command
                    .args([&format!("-{user}nm"), "sh", "-ec", Self::ENTER])
                    .env("ROOT", root)
                    .env("PROGRAMS", this.parent().unwrap());
            }
        }
        command
    }
}

/// One generated configuration.
pub struct GeneratedCase {
    pub features: BTreeSet<&'static str>,
    /// The configuration file that certctl is given.
    pub config: PathBuf,
    /// Starts the server and waits until it listens.
    pub start: Box<dyn Fn() -> ServerProcess>,
    /// The addresses to ask.
    pub addresses: Vec<SocketAddr>,
    /// The names to ask for; each address is also asked without a name.
    pub names: Vec<String>,
    /// Returns the file of a certificate that the configuration does not name by its path.
    pub find_file: fn(&Path, &str) -> Option<PathBuf>,
}

/// What a client asked, and what the server sent.
struct AskedQuestion {
    target: ProbeTarget,
    name: Option<String>,
    sent: SentAnswer,
}

/// What a server sent.
#[derive(Clone, Debug, Eq, PartialEq)]
enum SentAnswer {
    /// The leaf, DER.
    Leaf(Vec<u8>),
    /// It ended the handshake with this alert.
    Alert(String),
    /// It did not answer with TLS.
    NoTls,
    NotListening,
}

/// The result of one comparison.
enum Comparison {
    Agrees,
    Unknown,
    Disagrees(String),
}

/// What the batches found.
#[derive(Default)]
pub struct AnswerReport {
    configurations: usize,
    questions: usize,
    /// The number of configurations, of questions and of unknown predictions of each feature.
    features: BTreeMap<String, [usize; 3]>,
    disagreements: Vec<String>,
    /// The rules that led to a wrong prediction when they were switched off.
    tested_rules: BTreeSet<String>,
}

impl ServerUnderTest {
    /// Runs the batch that this process was started for, if it was.
    pub fn run_batch_if_asked(&self) -> bool {
        let Ok(batch) = std::env::var(BATCH) else {
            return false;
        };
        let batch: usize = batch.parse().unwrap();
        let report = PathBuf::from(std::env::var_os(REPORT).unwrap());
        let mut lines = String::new();
        let mut untested: Vec<ModelRule> = self.rules.to_vec();
        for number in (batch..self.configurations).step_by(BATCHES) {
            self.run_case(number, &mut untested, &mut lines);
        }
        for rule in self.rules.iter().filter(|rule| !untested.contains(rule)) {
            writeln!(lines, "rule {rule:?}").unwrap();
        }
        std::fs::write(report, lines).unwrap();
        true
    }

    fn run_case(&self, number: usize, untested: &mut Vec<ModelRule>, lines: &mut String) {
        let sandbox = Sandbox::new();
        let case = (self.generate)(number, sandbox.path());
        let _server = (case.start)();
        let asked = case.ask(self.software, &self.predict(&case));
        let mut unknown = 0;
        for comparison in self.compare(&case, &asked) {
            match comparison {
                Comparison::Agrees => {}
                Comparison::Unknown => unknown += 1,
                Comparison::Disagrees(what) => {
                    writeln!(lines, "disagreement configuration {number}: {what}").unwrap();
                }
            }
        }
        let features: Vec<&str> = case.features.iter().copied().collect();
        let features = features.join(",");
        writeln!(lines, "configuration {} {unknown} {features}", asked.len()).unwrap();
        untested.retain(|rule| {
            let comparisons = rule.switch_off(|| self.compare(&case, &asked));
            let is_wrong = |one: &Comparison| matches!(one, Comparison::Disagrees(_));
            !comparisons.iter().any(is_wrong)
        });
    }

    fn observe(&self, case: &GeneratedCase) -> ServerObservation {
        let program = ServerProgram::find(self.software, Some(&case.config))
            .unwrap()
            .expect("the server is installed");
        let observation = program.observe().unwrap();
        assert!(
            observation.running.is_some(),
            "certctl finds the server of {}:\n{}",
            case.config.display(),
            succeed(external_program("ps").args(["-eo", "pid,ppid,stat,args"]))
        );
        observation
    }

    /// The answers that the model predicts for clients that accept all key types.
    fn predict(&self, case: &GeneratedCase) -> Vec<ServedAnswer> {
        let config = self.observe(case).config;
        let questions = case.questions();
        let predicted = questions.iter().map(|(address, name)| {
            let hello = ClientHello {
                name: name.as_deref(),
                algorithm: None,
            };
            config.served_at(*address, hello)
        });
        predicted.collect()
    }

    fn compare(&self, case: &GeneratedCase, asked: &[AskedQuestion]) -> Vec<Comparison> {
        let config = self.observe(case).config;
        let compared = asked.iter().map(|question| {
            let hello = ClientHello {
                name: question.name.as_deref(),
                algorithm: question.target.algorithm,
            };
            let predicted = config.served_at(question.target.address, hello);
            case.compare(question, &predicted)
        });
        compared.collect()
    }

    /// Runs all batches and gathers what they found; `test` is the test that calls
    /// `run_batch_if_asked`.
    pub fn run_batches(&self, test: &str) -> AnswerReport {
        let sandbox = Sandbox::new();
        let reports: Vec<PathBuf> = (0..BATCHES)
            .map(|batch| sandbox.join(&format!("batch-{batch}")))
            .collect();
        let children = reports.iter().enumerate().map(|(batch, report)| {
            let mut command = self.system.command();
            command
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture"])
                .env(BATCH, batch.to_string())
                .env(REPORT, report)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        let children: Vec<_> = children.collect();
        let mut gathered = AnswerReport::default();
        for (child, report) in children.into_iter().zip(reports) {
            let output = child.wait_with_output().unwrap();
            assert!(
                output.status.success(),
                "a batch failed:\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            gathered.add(&std::fs::read_to_string(report).unwrap());
        }
        gathered
    }

    /// Fails unless the model agrees with the server, and every feature appears often enough.
    pub fn assert_agreement(&self, report: &AnswerReport) {
        std::io::stdout()
            .write_all(format!("{}\n", report.text()).as_bytes())
            .unwrap();
        assert_eq!(report.configurations, self.configurations);
        assert!(
            report.disagreements.is_empty(),
            "{} of {} answers differ from the prediction:\n{}",
            report.disagreements.len(),
            report.questions,
            report.disagreements.join("\n")
        );
        for feature in self.features {
            let [configurations, questions, unknown] =
                report.features.get(*feature).copied().unwrap_or_default();
            assert!(
                configurations * 100 >= self.configurations * FEATURE_SHARE,
                "{feature} is in {configurations} configurations only"
            );
            assert!(
                unknown * 100 <= questions * UNKNOWN_SHARE || self.may_be_unknown.contains(feature),
                "{unknown} of {questions} predictions with {feature} are unknown"
            );
        }
    }

    /// Fails unless each rule, switched off, led to a wrong prediction.
    pub fn assert_rules_are_tested(&self, report: &AnswerReport) {
        let rules = self.rules.iter().map(|rule| format!("{rule:?}"));
        let untested: Vec<String> = rules
            .filter(|rule| !report.tested_rules.contains(rule))
            .collect();
        assert!(
            untested.is_empty(),
            "no configuration needs these rules: {}",
            untested.join(", ")
        );
    }
}

impl GeneratedCase {
    /// Every address with every name, and without one.
    fn questions(&self) -> Vec<(SocketAddr, Option<String>)> {
        let names = self.names.iter().cloned().map(Some);
        let names: Vec<Option<String>> = std::iter::once(None).chain(names).collect();
        let of_address = |address: &SocketAddr| {
            let address = *address;
            names.clone().into_iter().map(move |name| (address, name))
        };
        self.addresses.iter().flat_map(of_address).collect()
    }

    /// Asks the server; where the key type may matter, clients that accept only one ask as well.
    fn ask(&self, software: ServerSoftware, predicted: &[ServedAnswer]) -> Vec<AskedQuestion> {
        let mut targets = Vec::new();
        let mut names = Vec::new();
        for ((address, name), predicted) in self.questions().into_iter().zip(predicted) {
            let has_choice = match predicted {
                ServedAnswer::NotListening | ServedAnswer::PlainText => false,
                ServedAnswer::Certificates(files) => {
                    files.len() > 1 || software == ServerSoftware::Haproxy
                }
                ServedAnswer::Refused | ServedAnswer::Unknown(_) => true,
            };
            let mut algorithms = vec![None];
            if has_choice {
                algorithms.extend([Some(KeyAlgorithm::EcdsaP256), Some(KeyAlgorithm::Rsa(2048))]);
            }
            for algorithm in algorithms {
                // rustls sends no name for an address.
                let sent = name.clone().unwrap_or_else(|| address.ip().to_string());
                targets.push(ProbeTarget {
                    algorithm,
                    ..ProbeTarget::new(address, sent)
                });
                names.push(name.clone());
            }
        }
        let answers = probe_all(&targets, Duration::from_secs(20));
        let asked = targets.into_iter().zip(names).zip(answers);
        asked
            .map(|((target, name), answer)| AskedQuestion {
                target,
                name,
                sent: SentAnswer::of(answer),
            })
            .collect()
    }

    fn compare(&self, question: &AskedQuestion, predicted: &ServedAnswer) -> Comparison {
        let AskedQuestion { target, name, sent } = question;
        let agrees = match predicted {
            ServedAnswer::Unknown(_) => return Comparison::Unknown,
            ServedAnswer::NotListening => *sent == SentAnswer::NotListening,
            ServedAnswer::PlainText => *sent == SentAnswer::NoTls,
            ServedAnswer::Refused => {
                matches!(sent, SentAnswer::Alert(alert) if alert.contains("nrecognised") || alert == "HandshakeFailure")
            }
            ServedAnswer::Certificates(files) => self.is_sent(question, files),
        };
        if agrees {
            return Comparison::Agrees;
        }
        let sent = match sent {
            SentAnswer::Leaf(leaf) => self.describe(leaf),
            other => format!("{other:?}"),
        };
        Comparison::Disagrees(format!(
            "{} name {} keys {:?}: predicted {predicted:?}, but the server sent {sent} ({})",
            target.address,
            name.as_deref().unwrap_or("-"),
            target.algorithm,
            self.features.iter().copied().collect::<Vec<_>>().join(", ")
        ))
    }

    /// Whether the server sent one of the certificates in these files: of two with the same key type
    /// the last one. Without one that the client accepts, there is an alert.
    fn is_sent(&self, question: &AskedQuestion, files: &[ConfiguredPath]) -> bool {
        let folder = self.config.parent().unwrap();
        let mut candidates: BTreeMap<bool, Certificate> = BTreeMap::new();
        for file in files {
            let path = match file {
                ConfiguredPath::File(path) => Some(path.clone()),
                ConfiguredPath::Other(text) => (self.find_file)(folder, text),
            };
            if let Some(leaf) = path.and_then(|path| first_certificate(&path)) {
                candidates.insert(is_rsa(leaf.algorithm), leaf);
            }
        }
        if let Some(accepted) = question.target.algorithm {
            candidates.retain(|is_of_rsa, _| *is_of_rsa == is_rsa(accepted));
        }
        match &question.sent {
            SentAnswer::Leaf(sent) => candidates
                .values()
                .any(|leaf| leaf.der() == sent.as_slice()),
            SentAnswer::Alert(_) => candidates.is_empty(),
            SentAnswer::NoTls | SentAnswer::NotListening => false,
        }
    }

    /// The file that contains a certificate.
    fn describe(&self, leaf: &[u8]) -> String {
        let mut folders = vec![self.config.parent().unwrap().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if first_certificate(&path).is_some_and(|own| own.der() == leaf) {
                    return path.display().to_string();
                }
            }
        }
        "a certificate that is in no file".to_owned()
    }
}

impl SentAnswer {
    fn of(answer: Result<TlsHandshake, ProbeError>) -> Self {
        match answer {
            Ok(handshake) => Self::Leaf(handshake.chain[0].clone()),
            Err(ProbeError::Alert(alert)) => Self::Alert(alert),
            Err(ProbeError::Refused) => Self::NotListening,
            Err(ProbeError::NotTls | ProbeError::Closed) => Self::NoTls,
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

impl AnswerReport {
    /// Adds the lines of a batch.
    fn add(&mut self, lines: &str) {
        for line in lines.lines() {
            let (kind, rest) = line.split_once(' ').unwrap();
            match kind {
                "rule" => drop(self.tested_rules.insert(rest.to_owned())),
                "disagreement" => self.disagreements.push(rest.to_owned()),
                _ => self.add_configuration(rest),
            }
        }
    }

    /// Adds a line `QUESTIONS UNKNOWN FEATURE,...`.
    fn add_configuration(&mut self, line: &str) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let questions: usize = words[0].parse().unwrap();
        let unknown: usize = words[1].parse().unwrap();
        self.configurations += 1;
        self.questions += questions;
        for feature in words[2].split(',') {
            let counts = self.features.entry(feature.to_owned()).or_default();
            counts[0] += 1;
            counts[1] += questions;
            counts[2] += unknown;
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} configurations, {} questions, {} disagreements\n",
            self.configurations,
            self.questions,
            self.disagreements.len()
        );
        for (feature, [configurations, questions, unknown]) in &self.features {
            writeln!(
                text,
                "{feature}: {configurations} configurations, {questions} questions, {unknown} unknown"
            )
            .unwrap();
        }
        text
    }
}

fn is_rsa(algorithm: KeyAlgorithm) -> bool {
    matches!(algorithm, KeyAlgorithm::Rsa(_))
}

/// The first certificate of a PEM file.
fn first_certificate(path: &Path) -> Option<Certificate> {
    let text = std::fs::read_to_string(path).ok()?;
    let start = text.find("-----BEGIN CERTIFICATE-----")?;
    let block = pem::parse(&text[start..]).ok()?;
    Certificate::from_der(block.contents()).ok()
}

/// Writes self-signed certificates with the same two keys: only the certificates differ.
pub struct CertificateWriter {
    ecdsa: rcgen::KeyPair,
    rsa: rcgen::KeyPair,
    serial: std::cell::Cell<u64>,
}

/// The type of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WrittenKey {
    Ecdsa,
    Rsa,
}

/// A new certificate and its key, PEM.
pub struct WrittenCertificate {
    pub certificate: String,
    pub key: String,
}

impl CertificateWriter {
    pub fn new() -> Self {
        Self {
            ecdsa: rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap(),
            rsa: rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap(),
            serial: std::cell::Cell::new(1),
        }
    }

    /// Returns a new certificate with these names.
    pub fn issue(&self, key: WrittenKey, names: &[&str], common_name: &str) -> WrittenCertificate {
        let key = match key {
            WrittenKey::Ecdsa => &self.ecdsa,
            WrittenKey::Rsa => &self.rsa,
        };
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common_name);
        self.serial.set(self.serial.get() + 1);
        params.serial_number = Some(self.serial.get().into());
        WrittenCertificate {
            certificate: params.self_signed(key).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

/// Every one of these addresses with every port.
pub fn addresses(ips: &[&str], ports: &[u16]) -> Vec<SocketAddr> {
    let ips: Vec<IpAddr> = ips.iter().map(|ip| ip.parse().unwrap()).collect();
    let with_ports = |ip: &IpAddr| {
        let ip = *ip;
        ports.iter().map(move |port| SocketAddr::new(ip, *port))
    };
    ips.iter().flat_map(with_ports).collect()
}
