//! Advice for matching certificates with keys and requests: none was found, several are possible,
//! or they do not match.

use std::path::Path;

use crate::advice::call_context::trust_if_own;
use crate::advice::command_lines::unused_copy_name;
use crate::advice::inputs::repeat_with_trust;
use crate::advice::install_command;
use crate::advice::key_files;
use crate::advice::rerun::{RepeatOption, repeat_with};
use crate::delivery::DecryptError;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::matching::{MatchingError, MatchingRemark, RequestTemplate, ServedFault};
use crate::pki::chain::OmissionReason;
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;

impl From<MatchingError> for Failure {
    fn from(error: MatchingError) -> Self {
        let failure = Self::from_error(failure_kind(&error), &error);
        match &error {
            MatchingError::Ambiguous {
                leaves,
                searched_places,
            } => ambiguous(failure, leaves, searched_places),
            MatchingError::LockedKey(path) => locked_key(failure, path),
            MatchingError::WrongPassword(path, _) => failure
                .with_step(check_password(path))
                .with_step(pass_password()),
            MatchingError::NoAnchor(path) => no_anchor(failure, path),
            MatchingError::NoKey { holds, .. } => failure
                .because(format!("it contains {holds}"))
                .with_step(NextStep::say(PASS_KEY)),
            MatchingError::NoRequest { holds, .. } => failure
                .because(format!("it contains {holds}"))
                .with_step(NextStep::say(PASS_REQUEST)),
            MatchingError::NoSuchFile(_) => no_such_file(failure),
            MatchingError::NoCertificateInDirectory { name, .. } => {
                no_certificate(failure, name.as_deref())
            }
            MatchingError::OnlyKey(_) => {
                failure.with_step(NextStep::say("Also pass the certificate that the CA sent"))
            }
            MatchingError::OnlyRequest(_) => failure
                .because("a request is sent to the CA; the CA answers with a certificate")
                .with_step(NextStep::say(
                    "Pass the zip or the .crt file that the CA sent by mail or offers for download",
                )),
            MatchingError::Unknown { known, .. } => unknown_name(failure, known),
        }
    }
}

/// The file `path` of `--trust` contains no CA certificate.
fn no_anchor(failure: Failure, path: &str) -> Failure {
    failure
        .with_step(NextStep::say(
            "Pass your CA's root certificate, for example `--trust root.pem`",
        ))
        .with_step(NextStep::run_certctl(
            "Show what the file contains",
            &["inspect", path],
        ))
}

fn no_such_file(failure: Failure) -> Failure {
    failure
        .because(
            "paths are relative to the current folder; names are looked up in the folder of `-C`",
        )
        .with_step(NextStep::run_shell(
            "List the files in the current folder",
            "ls -l",
        ))
}

const PASS_REQUEST: &str =
    "Pass the request that was given to the CA, for example `--csr example.com.csr`";
const PASS_KEY: &str =
    "Pass the key that was created with the request, for example `--key example.com.key`";

fn failure_kind(error: &MatchingError) -> FailureKind {
    match error {
        MatchingError::Ambiguous { .. } => FailureKind::Ambiguous,
        MatchingError::LockedKey(_)
        | MatchingError::WrongPassword(..)
        | MatchingError::NoAnchor(_)
        | MatchingError::NoKey { .. }
        | MatchingError::NoRequest { .. }
        | MatchingError::OnlyKey(_)
        | MatchingError::OnlyRequest(_) => FailureKind::Malformed,
        MatchingError::NoSuchFile(_)
        | MatchingError::NoCertificateInDirectory { .. }
        | MatchingError::Unknown { .. } => FailureKind::NotFound,
    }
}

/// Several certificates are possible, and neither a key nor a request selects one.
fn ambiguous(mut failure: Failure, leaves: &[String], searched_places: &str) -> Failure {
    failure.causes.extend(leaves.iter().take(12).cloned());
    failure
        .because(format!("searched {searched_places}"))
        .with_step(NextStep::say(
            "Select one by its key or its request, for example `--key example.com.key` or \
                            `--csr example.com.csr`",
        ))
        .with_step(search_for_key())
}

fn locked_key(failure: Failure, path: &Path) -> Failure {
    failure
        .with_step(pass_password())
        .with_step(decrypt_copy("Or decrypt a copy, and pass it", path))
}

fn pass_password() -> NextStep {
    NextStep::say(
        "Put its password into a file with mode 0600 and pass it: `--password-file password.txt`",
    )
}

/// Lets OpenSSL ask for the password of the key at `path`.
fn check_password(path: &Path) -> NextStep {
    NextStep::run_shell(
        "Find out which password opens it",
        format!("openssl pkey -in {} -noout", path_word(path)),
    )
}

/// Decrypts the key at `path` into a copy; `sentence` is what the step says before it names the
/// copy.
fn decrypt_copy(sentence: &str, path: &Path) -> NextStep {
    let copy = unused_copy_name(path, "plain.key");
    NextStep::run_shell(
        format!("{sentence} with `--key {}`", shell_word(&copy)),
        format!(
            "(umask 077; openssl pkey -in {} -out {})",
            path_word(path),
            shell_word(&copy)
        ),
    )
}

/// No certificate was found in the directory; `name` is the one that was requested.
fn no_certificate(failure: Failure, name: Option<&str>) -> Failure {
    match name {
        Some(name) => failure
            .because("only its request was found; the files from the CA are not in this folder")
            .with_step(NextStep::say("Pass the zip or the files that the CA sent"))
            .with_step(NextStep::run_certctl(
                "If the CA has not issued it yet, check the domain validation",
                &["dcv-check", name],
            )),
        None => failure.with_step(NextStep::say(
            "Pass the zip or the files that the CA sent, or their folder with `-C`",
        )),
    }
}

/// The argument is neither a file nor one of the names `known` in the directory.
fn unknown_name(failure: Failure, known: &[String]) -> Failure {
    const SHOWN: usize = 8;
    if known.is_empty() {
        return failure.with_step(NextStep::say(
            "Pass a file, or the folder of the files with `-C`",
        ));
    }
    let shown: Vec<String> = known.iter().take(SHOWN).cloned().collect();
    let shown = shown.join(", ");
    let more = if known.len() > SHOWN { ", ..." } else { "" };
    failure
        .because(format!("known names: {shown}{more}"))
        .with_step(NextStep::say(
            "Pass one of these names, a file, or another folder with `-C`",
        ))
}

/// A path as a shell reads it back unchanged.
fn path_word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

fn search_for_key() -> NextStep {
    NextStep::say("Search another folder for its key, for example `certctl status /root/certs`")
}

/// The maximum number of names that a proposed command line lists.
const MOST_TYPED_NAMES: usize = 20;

/// What to do when a key is lost: the CA reissues the certificate for a new request.
fn reissue(template: &RequestTemplate) -> NextStep {
    const SENTENCE: &str = "If the key is lost, create a new key and request, and have the certificate reissued for it";
    let names = match template {
        RequestTemplate::File(path) => {
            let path = path.display().to_string();
            return NextStep::run_certctl(SENTENCE, &["csr", "--like", &path]).later();
        }
        RequestTemplate::Names(names) => names,
    };
    let names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| DnsName::parse(name).is_ok())
        .collect();
    if names.is_empty() {
        return NextStep::say(format!(
            "{SENTENCE}, for example with `certctl csr example.com`"
        ));
    }
    if names.len() > MOST_TYPED_NAMES {
        return NextStep::say(format!(
            "{SENTENCE}; `certctl csr --like` takes its {} names from the certificate's file",
            names.len()
        ));
    }
    let words = [&["csr"], names.as_slice()].concat();
    NextStep::run_certctl(SENTENCE, &words).later()
}

impl From<&MatchingRemark> for Finding {
    fn from(remark: &MatchingRemark) -> Self {
        let text = remark.to_string();
        match remark {
            MatchingRemark::IssuerInDirectory { .. }
            | MatchingRemark::RootInDirectory { .. }
            | MatchingRemark::RootInKeyFile { .. }
            | MatchingRemark::MatchingKeyInDirectory { .. } => found_here(text, remark),
            MatchingRemark::KeyCameWithCertificate { .. } => Self::note("key-in-delivery", text),
            MatchingRemark::RefusedKey { file, .. } => key_files::refused_key(text, file),
            MatchingRemark::DoubtfulKey { file } => key_files::doubtful_key(file),
            MatchingRemark::KeyDecrypted { .. } => Self::note("key-decrypted", text),
            MatchingRemark::Omitted { why, .. } => omitted(text, *why),
            MatchingRemark::Repaired { what, .. } => Self::note(what.code(), text),
            MatchingRemark::NameNotIssued { .. } => name_not_issued(text),
            MatchingRemark::Locked {
                path,
                why,
                template,
                ..
            } => key_stays_locked(text, path, *why, template),
            MatchingRemark::NoKey { template, .. } => no_key(text, template),
            MatchingRemark::UnmatchedCertificates { .. } => not_ours(text),
            MatchingRemark::OnlyRequest { .. } => only_request(text),
            MatchingRemark::OlderCertificates { .. } => Self::note("older-certificate", text),
            MatchingRemark::WrongKey { problem, .. } => wrong_key(text, problem),
            MatchingRemark::WrongRequest { .. } => wrong_request(text),
        }
    }
}

fn wrong_key(text: String, problem: &ChainProblem) -> Finding {
    Finding {
        message: text,
        ..Finding::from(problem)
    }
}

fn issuer_here(text: String, path: &Path, bundle: &[String]) -> Finding {
    let path = path.display().to_string();
    let words = [bundle, &[path]].concat();
    Finding::warning("issuer-found", text).with_step(NextStep::run_certctl(
        "Write the chain with this intermediate",
        &words,
    ))
}

/// What was found in the directory, or in a file that was passed, and is not used.
fn found_here(text: String, remark: &MatchingRemark) -> Finding {
    match remark {
        MatchingRemark::IssuerInDirectory { path, bundle } => issuer_here(text, path, bundle),
        MatchingRemark::MatchingKeyInDirectory { path } => key_here(text, path),
        MatchingRemark::RootInDirectory { path, .. } => root_here(text, path),
        MatchingRemark::RootInKeyFile { path, .. } => root_beside_key(text, path),
        _ => Finding::note("root-found", text),
    }
}

fn root_here(text: String, path: &Path) -> Finding {
    Finding::note("root-found", text).with_step(repeat_with_trust(
        "If it is your company's CA, repeat the command",
        &path.display().to_string(),
    ))
}

/// `--trust` reads no file with a password.
fn root_beside_key(text: String, path: &Path) -> Finding {
    let file = path_word(path);
    let write = NextStep::run_shell(
        "If it is your company's CA, write its certificates to root.pem",
        format!("openssl pkcs12 -in {file} -cacerts -nokeys -out root.pem"),
    );
    let repeat = repeat_with_trust("Then repeat the command", "root.pem").later();
    Finding::note("root-found", text)
        .with_step(write)
        .with_step(repeat)
}

/// Moves the step of a root that was found to the error about it, which then names a complete command.
pub(crate) fn use_found_root(findings: &mut [Finding]) {
    let mut found = findings.iter_mut().filter(|one| one.code == "root-found");
    let Some(steps) = found.next().map(|one| std::mem::take(&mut one.next)) else {
        return;
    };
    let mut untrusted = findings.iter_mut().filter(|one| one.code == "unknown-root");
    if let Some(error) = untrusted.next() {
        error.next = steps;
    } else if let Some(found) = findings.iter_mut().find(|one| one.code == "root-found") {
        found.next = steps;
    }
}

/// An archive whose root is not trusted is installed together with that root, if a file has it.
pub(crate) fn trust_root_of_archive(findings: &mut [Finding], issuer: Option<&MatchingRemark>) {
    let Some(MatchingRemark::RootInDirectory { path, .. }) = issuer else {
        return;
    };
    let root = path.display().to_string();
    for finding in findings
        .iter_mut()
        .filter(|one| one.code == "still-archived")
    {
        for step in &mut finding.next {
            let mut words = step.argv.take().unwrap_or_default();
            words.drain(..words.len().min(1));
            words.extend(["--trust".to_owned(), root.clone()]);
            let sentence = trust_if_own(&root, &step.text);
            *step = NextStep::run_certctl(sentence, &words).with_sudo();
        }
    }
}

fn key_here(text: String, path: &Path) -> Finding {
    let path = path.display().to_string();
    let key = RepeatOption {
        name: "--key",
        value: Some(&path),
    };
    let commands = ["bundle", "install", "verify"];
    Finding::warning("key-found", text).with_step(repeat_with(
        "Repeat the command",
        &commands,
        &[key],
    ))
}

fn name_not_issued(text: String) -> Finding {
    Finding::warning("name-missing-in-certificate", text).with_step(NextStep::say(
        "If these names are needed, ask the CA to reissue the certificate with them: browsers \
                    refuse this one for them",
    ))
}

fn not_ours(text: String) -> Finding {
    Finding::warning("no-matching-key", text).with_step(NextStep::say(
        "To include it, pass its key, for example `--key example.com.key`",
    ))
}

fn only_request(text: String) -> Finding {
    Finding::warning("key-missing", text)
        .with_step(NextStep::say(PASS_KEY))
        .with_step(search_for_key())
        .with_step(install_command::install_chain_alone())
}

fn omitted(text: String, reason: OmissionReason) -> Finding {
    let code = match reason {
        OmissionReason::Duplicate => "duplicate",
        OmissionReason::Root => "root-omitted",
        OmissionReason::Unrelated => "unrelated",
    };
    Finding::note(code, text)
}

/// The key is encrypted: no password was given, or `error` says why the password did not help.
fn key_stays_locked(
    text: String,
    path: &Path,
    error: Option<DecryptError>,
    template: &RequestTemplate,
) -> Finding {
    let finding = match error {
        None => Finding::warning("key-locked", text)
            .with_step(pass_password())
            .with_step(NextStep::say(
                "Or run the same command on a terminal, where certctl prompts for the password",
            )),
        Some(DecryptError::Wrong) => Finding::warning("wrong-password", text)
            .with_step(check_password(path))
            .with_step(pass_password()),
        Some(DecryptError::TooMuchWork(_) | DecryptError::Unknown) => {
            Finding::warning("key-locked", text)
                .with_step(decrypt_copy("Decrypt a copy, and pass it", path))
        }
    };
    finding.with_step(reissue(template))
}

fn no_key(text: String, template: &RequestTemplate) -> Finding {
    Finding::warning("key-missing", text)
        .with_step(NextStep::say(
            "Pass the key that was created with the request, for example `--key example.com.key`, \
                or its folder with `-C`; `certctl status FOLDER` lists the keys in a folder",
        ))
        .with_step(install_command::install_chain_alone())
        .with_step(reissue(template))
}

fn wrong_request(text: String) -> Finding {
    Finding::error("wrong-request", text)
        .with_step(NextStep::say(
            "Find the request or the key that was created for this order, and pass it, for example \
                    `--csr example.com.csr` or `--key example.com.key`",
        ))
        .with_step(NextStep::say(
            "If they are lost, have the certificate reissued for the request that was found",
        ))
}

/// Returns what to do about content that cannot be read.
fn step_for_damage(fault: &ServedFault) -> Option<NextStep> {
    let text = match fault {
        ServedFault::Damaged { .. } => {
            "Copy or download the file again: a part of it is missing or changed"
        }
        ServedFault::DamagedForClients { .. } => {
            "Have the certificate issued again, or ask the CA whether it is encoded correctly"
        }
        _ => return None,
    };
    Some(NextStep::say(text))
}

/// Returns the finding for a fault of the files that a server would send; `bundle` is the
/// `certctl bundle` command that writes them correctly.
#[must_use]
pub(crate) fn served_fault_finding(fault: &ServedFault, bundle: &[String]) -> Finding {
    let finding = finding_without_step(fault);
    if let Some(step) = step_for_damage(fault) {
        return finding.with_step(step);
    }
    let rewrite = NextStep::run_certctl("Write a correct chain file", bundle);
    match fault {
        ServedFault::RootIncluded { .. } => finding,
        ServedFault::Packed { file } => finding.with_step(
            NextStep::run_certctl("Install the certificate in it", &["install", file]).with_sudo(),
        ),
        _ => finding.with_step(rewrite),
    }
}

fn finding_without_step(fault: &ServedFault) -> Finding {
    let text = fault.to_string();
    match fault {
        ServedFault::Broken { what, .. } => Finding::error(what.code(), text),
        ServedFault::Damaged { .. } | ServedFault::DamagedForClients { .. } => {
            Finding::error("damaged-block", text)
        }
        ServedFault::Der { .. } => Finding::error("der", text),
        ServedFault::Duplicate { .. } => Finding::warning("duplicate", text),
        ServedFault::JoinedMarkers { .. } => Finding::error("glued-lines", text),
        ServedFault::LoadedInPart { .. } | ServedFault::Unloadable { .. } => {
            Finding::error("not-loadable", text)
        }
        ServedFault::LeafNotFirst { .. } => Finding::error("leaf-not-first", text),
        ServedFault::OutOfOrder { .. } => Finding::warning("out-of-order", text),
        ServedFault::Packed { .. } => Finding::error("still-archived", text),
        ServedFault::RootIncluded { .. } => Finding::note("root-included", text),
        ServedFault::Unrelated { .. } => Finding::warning("unrelated", text),
    }
}
