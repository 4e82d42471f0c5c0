//! Tests every failure: a snapshot of its text for review, and the rules that all of them must
//! follow.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::advice::install::owner_failure;
use crate::dcv::answer::{DnsAnswer, RecordKind, UnqueriedServers};
use crate::dcv::parse::RecordError;
use crate::dcv::reason::{ConflictingRecord, DcvReason, OtherServers, WrongPlace};
use crate::dcv::value_check::ValueFlaw;
use crate::delivery::{DeliveryError, IgnoredItem, ItemSource, UnusedContent};
use crate::export::{ExportError, ExportFormat};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{ProbeAnswer, StepError};
use crate::install_plan::observe::PathObstacle;
use crate::matching::MatchingError;
use crate::permissions::Mode;
use crate::pki::certificate::CertificateError;
use crate::pki::key::{KeyAlgorithm, KeyError, PublicKeyId};
use crate::pki::name::NameError;
use crate::pki::request::RequestError;
use crate::pki::subject::SubjectError;
use crate::pki::trust::TrustSource;
use crate::pki::verify::ChainProblem;
use crate::probe::ProbeTarget;
use crate::report::TextOutput;
use crate::store::key_access::owner::OwnerError;
use crate::store::settings::LineageSettings;
use crate::system::command_words::WordsError;
use crate::system::dns::DnsError;
use crate::system::fs::files::FileError;
use crate::system::fs::scratch::ScratchError;
use crate::system::process::{FinishedCommand, ProcessError};
use crate::system::terminal::AskError;
use crate::system::tls::ProbeError;
use crate::webserver::control::ServerError;
use crate::webserver::model::ServerSoftware;
use crate::webserver::nginx::NginxParseError;
use crate::webserver::nginx::lex::NginxSyntaxFault;

fn file(doing: &'static str, path: &str, errno: i32) -> Failure {
    FileError::at(doing, Path::new(path))(io::Error::from_raw_os_error(errno)).into()
}

fn source() -> ItemSource {
    ItemSource {
        input: "example_com.zip".into(),
        entry: None,
    }
}

/// Returns the failure for a file that contains only this.
fn ignored(what: UnusedContent) -> Failure {
    [IgnoredItem {
        content: what,
        source: ItemSource {
            input: "your site.crt".into(),
            entry: None,
        },
    }]
    .as_slice()
    .into()
}

const ENOENT: i32 = 2;
const EIO: i32 = 5;
const ENOEXEC: i32 = 8;
const EACCES: i32 = 13;
const EEXIST: i32 = 17;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// Returns one failure of each kind, in the order of the snapshot.
fn failures() -> Vec<Failure> {
    [
        pki_failures(),
        request_failures(),
        delivery_failures(),
        matching_failures(),
        missing_file_failures(),
        export_failures(),
        file_failures(),
        record_failures(),
        server_failures(),
    ]
    .concat()
}

fn pki_failures() -> Vec<Failure> {
    vec![
        NameError::Empty.into(),
        NameError::Address("192.0.2.1".into()).into(),
        NameError::Malformed("a..b".into()).into(),
        NameError::Mailbox("a b@example.com".into()).into(),
        NameError::Url("https://example.com/x".into()).into(),
        NameError::Wildcard("www.*.example.com".into()).into(),
        KeyError::Encrypted.into(),
        KeyError::Generate.into(),
        KeyError::Sign.into(),
        KeyError::Unreadable.into(),
        KeyError::OtherKind("Ed448").into(),
        KeyError::ShortRsa(1024).into(),
    ]
}

fn request_failures() -> Vec<Failure> {
    vec![
        RequestError::Build(KeyError::Sign).into(),
        RequestError::Malformed.into(),
        SubjectError::Letters("C".into(), "\u{d6}".into()).into(),
        SubjectError::Letters("emailAddress".into(), "\u{e4}@b.c".into()).into(),
        SubjectError::NoValue("O".into()).into(),
        SubjectError::NotAPair("Acme".into()).into(),
        SubjectError::Slashes("CN=x,O=Acme\\, Inc.,C=DE".into()).into(),
        SubjectError::Unescaped(';').into(),
        SubjectError::UnknownType("XX".into()).into(),
        SubjectError::Unfinished("O".into()).into(),
        CertificateError::Malformed.into(),
    ]
}

fn delivery_failures() -> Vec<Failure> {
    vec![
        DeliveryError::DuplicateNames(source()).into(),
        DeliveryError::TooDeep(source(), 3).into(),
        DeliveryError::TooLarge(source(), 16 << 20).into(),
        DeliveryError::TooManyBlocks(source(), 10_000).into(),
        DeliveryError::TooManyEntries(source(), 1000).into(),
        DeliveryError::TooMuchTogether("100000 archived files".to_owned()).into(),
        DeliveryError::Zip(source(), "could not find EOCD".into()).into(),
        ignored(UnusedContent::Empty),
        ignored(UnusedContent::Html("Log in".into())),
        ignored(UnusedContent::Jks),
        ignored(UnusedContent::Pkcs7),
        ignored(UnusedContent::LockedPkcs12),
        ignored(UnusedContent::WrongPassword("a PKCS#12 file")),
        ignored(UnusedContent::TooMuchWork(2_000_000_000)),
        ignored(UnusedContent::UnknownEncryption),
        ignored(UnusedContent::TraditionalKey),
        ignored(UnusedContent::LongKey(32_768)),
        ignored(UnusedContent::OtherKey("Ed448")),
        ignored(UnusedContent::ShortKey(1024)),
        ignored(UnusedContent::UnusableKey),
        ignored(UnusedContent::Office),
        ignored(UnusedContent::OpenSsh),
        ignored(UnusedContent::OtherMethod),
        ignored(UnusedContent::Text),
    ]
}

fn matching_failures() -> Vec<Failure> {
    vec![
        MatchingError::Ambiguous {
            leaves: vec!["a".into(), "b".into()],
            searched_places: "the files of .".into(),
        }
        .into(),
        MatchingError::LockedKey("my.key".into()).into(),
        MatchingError::NoAnchor("root.pem".into()).into(),
        MatchingError::NoKey {
            path: "x.key".into(),
            holds: "a certificate".into(),
        }
        .into(),
        MatchingError::NoRequest {
            path: "x.csr".into(),
            holds: "a certificate".into(),
        }
        .into(),
    ]
}

fn missing_file_failures() -> Vec<Failure> {
    vec![
        MatchingError::NoSuchFile("x.crt".into()).into(),
        MatchingError::NoCertificateInDirectory {
            directory: "this folder".into(),
            name: None,
        }
        .into(),
        MatchingError::NoCertificateInDirectory {
            directory: "this folder".into(),
            name: Some("example.com".into()),
        }
        .into(),
        MatchingError::OnlyKey("x.key".into()).into(),
        MatchingError::OnlyRequest("x.csr".into()).into(),
        MatchingError::Unknown {
            text: "example.net".into(),
            directory: "this folder".into(),
            known: vec!["example.com".into()],
        }
        .into(),
        MatchingError::Unknown {
            text: "example.net".into(),
            directory: "this folder".into(),
            known: Vec::new(),
        }
        .into(),
    ]
}

fn export_failures() -> Vec<Failure> {
    vec![
        ExportError::Differs(ExportFormat::Pem).into(),
        ExportError::NoChain {
            label: "example.com".into(),
        }
        .into(),
        ExportError::NoKey {
            format: ExportFormat::Haproxy,
            label: "example.com".into(),
            searched_places: "the files of this folder".into(),
        }
        .into(),
        ExportError::NoPassword(ExportFormat::Pfx).into(),
        ExportError::Password.into(),
        ExportError::Unpackable {
            format: ExportFormat::Pfx,
            reason: "ASN.1".into(),
        }
        .into(),
    ]
}

fn file_failures() -> Vec<Failure> {
    vec![
        AskError::Io(io::Error::from_raw_os_error(EIO)).into(),
        AskError::NoTerminal.into(),
        AskError::Unreadable.into(),
        file("read", "example.com.key", ENOENT),
        file("create", "new folder/example.com.key", ENOENT),
        file("read", "example.com.key", EACCES),
        file("create", "example.com.key", EEXIST),
        file("write", "/etc/ssl/x", ENOSPC),
        file("write", "/etc/ssl/x", EROFS),
        file("read", "x", EIO),
        ProcessError::Empty.into(),
        ProcessError::NotFound {
            program: "nginx".into(),
        }
        .into(),
        ProcessError::Start {
            program: "/usr/sbin/nginx".into(),
            source: io::Error::from_raw_os_error(ENOEXEC),
        }
        .into(),
    ]
}

fn record_failures() -> Vec<Failure> {
    vec![
        RecordError::Empty.into(),
        RecordError::Host("_0.exa_mple".into()).into(),
        RecordError::HostForm("_dnsauth.example.com".into()).into(),
        RecordError::HostDigits {
            host: "_0123.example.com".into(),
            digits: 31,
        }
        .into(),
        RecordError::NoValue("_0123.example.com".into()).into(),
        RecordError::Many.into(),
        RecordError::NoHost("abc.dcv.digicert.com".into()).into(),
        RecordError::Target("x".into()).into(),
        RecordError::Type("MX".into()).into(),
        RecordError::Underscore("0123.example.com".into()).into(),
        RecordError::Url("http://example.com/.well-known/pki-validation/0123.txt".into()).into(),
        RecordError::ValueForm("example.net".into()).into(),
        RecordError::ValueDigits {
            half: "first",
            digits: 31,
        }
        .into(),
        RecordError::ValueHalf.into(),
        RecordError::ValueZone.into(),
    ]
}

fn server_failures() -> Vec<Failure> {
    vec![
        DnsError::Interrupted(2).into(),
        ServerError::Config(NginxParseError {
            file: "/etc/nginx/nginx.conf".into(),
            line: 7,
            fault: NginxSyntaxFault::Unclosed,
        })
        .into(),
        ServerError::UnexpectedProgram {
            software: ServerSoftware::Nginx,
            binary: "/usr/sbin/nginx".into(),
        }
        .into(),
        ServerError::TooManyFiles(ServerSoftware::Nginx).into(),
        ServerError::NoProc.into(),
        ServerError::ProcessesHidden.into(),
        ScratchError::Busy("rehearsal".into()).into(),
        ScratchError::Foreign("rehearsal".into()).into(),
        WordsError::Empty.into(),
        WordsError::Shell('&').into(),
        WordsError::Unclosed.into(),
    ]
}

/// Returns the failures that prevent an install from starting.
fn install_failures() -> Vec<Failure> {
    let path = || PathBuf::from("/etc/ssl/certctl/example.com/settings.json");
    let source = LineageSettings::parse(b"{").unwrap_err();
    vec![
        InstallError::Damaged {
            path: path(),
            how: "it is shorter",
        }
        .into(),
        InstallError::NotWritable {
            folder: "/etc/ssl".into(),
            user: 1000,
            source: std::io::ErrorKind::PermissionDenied.into(),
        }
        .into(),
        InstallError::Interrupted { signal: 15 }.into(),
        InstallError::ReplacedByLink {
            path: path(),
            to: "/srv/elsewhere".into(),
        }
        .into(),
        InstallError::LockHeld {
            path: "/etc/ssl/certctl/.lock".into(),
            waited: Duration::from_secs(60),
        }
        .into(),
        InstallError::DiskFull {
            folder: "/etc/ssl".into(),
            what: "inodes",
            free: 2,
            needed: 12,
        }
        .into(),
        InstallError::NotOurs { path: path() }.into(),
        owner_failure(&OwnerError::Empty, Path::new("/etc/passwd")),
        owner_failure(
            &OwnerError::NoGroup("ssl-crt".into()),
            Path::new("/etc/group"),
        ),
        owner_failure(
            &OwnerError::NoUser("nobdy".into()),
            Path::new("/etc/passwd"),
        ),
        owner_failure(&OwnerError::Unknown(4711), Path::new("/etc/passwd")),
        InstallError::Settings {
            path: path(),
            source,
        }
        .into(),
        InstallError::WritableByOthers {
            path: path(),
            mode: Mode::new(0o666),
            user: 1000,
        }
        .into(),
    ]
}

#[test]
fn every_failure_reads_well() {
    let mut page = String::new();
    for failure in failures().into_iter().chain(install_failures()) {
        let mut text = TextOutput::default();
        text.add_failure(&failure);
        writeln!(
            page,
            "[{}, exit {}]\n{text}",
            failure.kind.name(),
            failure.kind.exit_code()
        )
        .unwrap();
        let broken = broken_rules(&failure);
        assert!(broken.is_empty(), "{text}{}", broken.join("\n"));
    }
    insta::assert_snapshot!(page);
}

fn reasons() -> Vec<DcvReason> {
    [
        wrong_places(),
        conflicting_records(),
        server_reasons(),
        unusable_answers(),
        wrong_values(),
    ]
    .concat()
}

/// The name of the record.
const AT: &str = "_0123.example.com";

fn dns_servers() -> Vec<String> {
    vec![
        "dns1.example.net (192.0.2.1)".to_owned(),
        "resolver 127.0.0.53".to_owned(),
    ]
}

fn wrong_places() -> Vec<DcvReason> {
    let places = [
        WrongPlace::Below {
            domain: "example.com".into(),
        },
        WrongPlace::Doubled {
            zone: "example.com".into(),
            relative: "_0123.www".into(),
        },
        WrongPlace::NoUnderscore,
        WrongPlace::Parent,
    ];
    places
        .map(|how| DcvReason::WrongName {
            at: AT.into(),
            cause: how,
        })
        .into()
}

fn conflicting_records() -> Vec<DcvReason> {
    let records = [
        ConflictingRecord::Addresses(vec!["192.0.2.80".parse().unwrap()]),
        ConflictingRecord::Alias("other.example".into()),
        ConflictingRecord::Beside(RecordKind::Txt),
        ConflictingRecord::Blocking(RecordKind::Txt),
        ConflictingRecord::Wildcard("192.0.2.80".to_owned()),
        ConflictingRecord::WrongType {
            wanted: RecordKind::Cname,
            found: RecordKind::Txt,
        },
        ConflictingRecord::WrongType {
            wanted: RecordKind::Txt,
            found: RecordKind::Cname,
        },
    ];
    records
        .map(|what| DcvReason::Conflict {
            at: AT.into(),
            conflict: what,
        })
        .into()
}

fn server_reasons() -> Vec<DcvReason> {
    vec![
        no_route(OtherServers::ZoneServers),
        no_route(OtherServers::Resolver),
        no_route(OtherServers::NoServer),
        DcvReason::NotDelegated {
            domain: "example.com".into(),
        },
        DcvReason::NotEverywhere {
            servers: dns_servers(),
        },
        DcvReason::NotPublished {
            name: "_0123.www.example.com".into(),
            servers: dns_servers(),
        },
        DcvReason::OwnServersNotFound {
            domain: "example.com".into(),
        },
        DcvReason::ResolverCachedAbsence {
            servers: dns_servers(),
            seconds: Some(600),
        },
        DcvReason::TooManyServers {
            domain: "example.com".into(),
            omitted: UnqueriedServers {
                names: 2,
                addresses: 1,
            },
        },
    ]
}

fn unusable_answers() -> Vec<DcvReason> {
    let answers = [
        DnsAnswer::Bogus,
        DnsAnswer::Closed,
        DnsAnswer::Failed("Not Implemented".into()),
        DnsAnswer::Lame,
        DnsAnswer::NoAddress,
        DnsAnswer::Refused,
        DnsAnswer::ServFail,
        DnsAnswer::Timeout,
    ];
    answers
        .map(|answer| DcvReason::NoAnswer {
            servers: dns_servers(),
            answer,
        })
        .into()
}

fn wrong_values() -> Vec<DcvReason> {
    let flaws = [
        ValueFlaw::AnotherRequest,
        ValueFlaw::Unrelated,
        ValueFlaw::OtherToken,
        ValueFlaw::OtherUnique,
        ValueFlaw::Quoted,
        ValueFlaw::Unchecked,
        ValueFlaw::WithZone,
    ];
    flaws
        .map(|flaw| DcvReason::Value {
            at: AT.into(),
            found: "seen".into(),
            expected: Some("wanted".into()),
            flaw,
        })
        .into()
}

fn no_route(others: OtherServers) -> DcvReason {
    DcvReason::NoRoute {
        servers: dns_servers(),
        others,
    }
}

#[test]
fn every_reason_reads_well() {
    let mut page = String::new();
    for finding in reasons().iter().map(Finding::from) {
        let mut text = TextOutput::default();
        text.add_finding(&finding);
        writeln!(page, "[{}]\n{text}", finding.code).unwrap();
    }
    insta::assert_snapshot!(page);
}

/// Returns the findings about chains and keys, about paths that block an install, and about steps
/// that fail after the new release is live.
fn chain_and_step_findings() -> Vec<Finding> {
    let problems = chain_problems();
    let obstacles = path_obstacles();
    let errors = step_errors();
    problems
        .iter()
        .map(Finding::from)
        .chain(obstacles.iter().map(Finding::from))
        .chain(errors.iter().map(Finding::from))
        .collect()
}

fn label() -> String {
    "example.com".to_owned()
}

fn chain_problems() -> Vec<ChainProblem> {
    vec![
        ChainProblem::CaAsLeaf {
            label: "DV CA 2".into(),
        },
        ChainProblem::Expired {
            label: label(),
            not_after: "2026-05-11T00:00:00Z".parse().unwrap(),
            leaf: true,
        },
        ChainProblem::Expired {
            label: label(),
            not_after: "2026-05-11T00:00:00Z".parse().unwrap(),
            leaf: false,
        },
        ChainProblem::HostNotCovered {
            host: "mail.example.com".into(),
            names: vec![label(), "www.example.com".to_owned()],
        },
        missing_intermediate(Vec::new()),
        missing_intermediate(vec!["http://ca.example/2.crt".to_owned()]),
        ChainProblem::NotYetValid {
            label: label(),
            not_before: "2026-05-11T00:00:00Z".parse().unwrap(),
            at: "2026-05-10T00:00:00Z".parse().unwrap(),
        },
        ChainProblem::Refused {
            reason: "a name constraint".into(),
        },
        ChainProblem::SelfSigned { label: label() },
        ChainProblem::UnknownRoot {
            root: "Company Root".into(),
            source_name: "Mozilla's list".into(),
        },
        ChainProblem::WrongKey {
            key: PublicKeyId::of_spki(&[1]),
            leaf: PublicKeyId::of_spki(&[2]),
            label: label(),
        },
        ChainProblem::WrongKeyKind {
            key: KeyAlgorithm::EcdsaP256,
            leaf: KeyAlgorithm::Rsa(2048),
            label: label(),
        },
    ]
}

fn missing_intermediate(urls: Vec<String>) -> ChainProblem {
    ChainProblem::MissingIntermediate {
        subject: label(),
        issuer: "DV CA 2".into(),
        urls,
        trust: TrustSource::Mozilla,
    }
}

fn install_step() -> NextStep {
    NextStep::run_certctl("Install x", &["install", "x"]).with_sudo()
}

fn path_obstacles() -> Vec<PathObstacle> {
    vec![
        PathObstacle::Folder("/etc/ssl/x".into()),
        PathObstacle::Link(
            "/etc/ssl/x".into(),
            "/etc/letsencrypt/live/x/fullchain.pem".into(),
        ),
        PathObstacle::OtherLineage {
            path: "/etc/ssl/x".into(),
            target: "certctl/y/live/fullchain.pem".into(),
            owner: "y".into(),
        },
        PathObstacle::Present("/etc/ssl/x".into(), Box::new(install_step())),
        PathObstacle::NotRegular("/etc/ssl/x".into()),
        PathObstacle::NotOurLink("/etc/ssl/x".into(), Box::new(install_step())),
    ]
}

fn step_errors() -> Vec<StepError> {
    vec![
        StepError::Interrupted(15),
        StepError::NotServed(vec![
            failed_probe(ProbeError::Refused),
            failed_probe(ProbeError::Stalled(Duration::from_secs(5))),
            failed_probe(ProbeError::Signature),
            failed_probe(ProbeError::Unsupported {
                handshake: Box::new(ProbeError::Alert("HandshakeFailure".into())),
                clear_text: Box::new(ProbeError::Alert("ProtocolVersion".into())),
                groups: "X25519, secp256r1".into(),
            }),
        ]),
        StepError::Reload(FinishedCommand {
            status: Some(1),
            signal: None,
            output: "nginx: [emerg] no".into(),
            timed_out: false,
        }),
        StepError::Test(FinishedCommand {
            status: None,
            signal: None,
            output: String::new(),
            timed_out: true,
        }),
        StepError::NoServer("reload the server: `kill -HUP 12`".to_owned()),
        StepError::Skipped,
    ]
}

fn failed_probe(error: ProbeError) -> ProbeAnswer {
    ProbeAnswer {
        target: ProbeTarget::new("127.0.0.1:443".parse().unwrap(), label()),
        answer: Err(error),
        agreed_earlier: false,
        baseline: None,
        refuses_all: false,
    }
}

#[test]
fn every_judgement_reads_well() {
    let mut page = String::new();
    for finding in chain_and_step_findings() {
        let mut text = TextOutput::default();
        text.add_finding(&finding);
        writeln!(page, "[{}]\n{text}", finding.code).unwrap();
        assert!(!finding.next.is_empty(), "no next step:\n{text}");
    }
    insta::assert_snapshot!(page);
}

#[test]
fn the_document_matches_the_failure() {
    for failure in failures().into_iter().chain(install_failures()) {
        let document = failure.json();
        assert_eq!(document["schema"], "certctl.error/1");
        let error = document["error"].as_object().unwrap();
        assert_eq!(
            error.keys().collect::<Vec<_>>(),
            ["kind", "message", "causes", "next"]
        );
        assert_eq!(error["kind"], failure.kind.name());
        assert_eq!(error["message"], failure.message.as_str());
        for (step, next) in error["next"].as_array().unwrap().iter().zip(&failure.next) {
            assert_eq!(step["text"], next.text.as_str());
        }
    }
}

#[test]
fn each_rule_detects_its_violation() {
    let fine = Failure::new(FailureKind::Io, "it is broken").with_step(NextStep::say("fix it"));
    assert_eq!(broken_rules(&fine), Vec::<&str>::new());
    let named = Failure::new(FailureKind::Io, "It is broken.")
        .because("it is broken")
        .because("It is broken.");
    assert_eq!(
        broken_rules(&named),
        [
            "starts with a capital",
            "ends with a period",
            "a cause repeats it",
            "no next step"
        ]
    );
    let debug = Failure::new(FailureKind::Internal, "failed: Error { kind: Other }");
    assert_eq!(broken_rules(&debug), ["shows the internals of a type"]);
}

fn broken_rules(failure: &Failure) -> Vec<&'static str> {
    let mut complaints = Vec::new();
    let message = &failure.message;
    let first: String = message
        .chars()
        .take_while(|c| c.is_alphanumeric())
        .collect();
    let acronym = first.len() > 1 && first.chars().all(|c| c.is_uppercase() || c.is_numeric());
    if first.starts_with(char::is_uppercase) && !acronym {
        complaints.push("starts with a capital");
    }
    if message.ends_with('.') {
        complaints.push("ends with a period");
    }
    if failure.causes.iter().any(|cause| cause == message) {
        complaints.push("a cause repeats it");
    }
    if failure.next.is_empty() && failure.kind != FailureKind::Internal {
        complaints.push("no next step");
    }
    if std::iter::once(message)
        .chain(&failure.causes)
        .any(|line| line.contains(" { ") || line.contains("Error("))
    {
        complaints.push("shows the internals of a type");
    }
    complaints
}

#[test]
fn findings_follow_the_same_rules() {
    let finding = Finding::error("wrong-key", "it is wrong")
        .with_step(NextStep::run_certctl("Verify it", &["verify", "a b"]));
    let mut text = TextOutput::default();
    text.add_findings(&[Finding::note("duplicate", "a note"), finding]);
    assert_eq!(
        text.to_string(),
        "error   it is wrong\nnext    Verify it:\n            certctl verify 'a b'\nnote    a note\n"
    );
}
