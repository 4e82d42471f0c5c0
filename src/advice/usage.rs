//! Advice for command lines that cannot be parsed, and for bare `certctl`. No step here installs,
//! overwrites, buys or deletes anything, except the install that bare `certctl` proposes.

use std::path::Path;

pub(crate) use super::call_context::RootToTrust;
use super::call_context::trust_if_own;
use crate::finding::NextStep;

/// Lists the commands.
#[must_use]
pub(crate) fn list_commands() -> NextStep {
    NextStep::run_certctl("List the commands", &["--help"])
}

/// Shows the help of `command`.
#[must_use]
pub(crate) fn show_help(command: &str) -> NextStep {
    let sentence = format!("Show the arguments and options of `{command}`");
    NextStep::run_certctl(sentence, &[command, "--help"])
}

/// Checks the validation records of requests for `names`; `words` are the command line.
#[must_use]
pub(crate) fn check_pending(names: &[&str], words: &[String]) -> NextStep {
    let requests = match names {
        [name] => format!("the request for {name} has"),
        several => format!("{} requests here have", several.len()),
    };
    let sentence = format!(
        "Check whether the CA can see the validation record; {requests} no certificate yet"
    );
    NextStep::run_certctl(sentence, words)
}

/// Installs the files from the CA; `words` are the command line.
#[must_use]
pub(crate) fn install_delivery(
    name: &str,
    words: &[String],
    root: Option<&Path>,
    private_root: Option<&RootToTrust>,
) -> NextStep {
    let mut sentence = format!("Install the certificate for {name} that is in this folder");
    let mut words = words.to_vec();
    if let Some(RootToTrust::File(file) | RootToTrust::Doubtful(file)) = private_root {
        words.extend(["--trust".to_owned(), file.display().to_string()]);
    }
    if let Some(RootToTrust::Doubtful(file)) = private_root {
        sentence = trust_if_own(&file.display().to_string(), &sentence);
    }
    let step = NextStep::run_certctl(sentence, &words);
    if root.is_some() {
        step
    } else {
        step.with_sudo()
    }
}

/// Installs the certificate for `name` once the issuer that is missing is in the folder;
/// `words` are the command line.
#[must_use]
pub(crate) fn install_with_bundle(name: &str, words: &[String], root: Option<&Path>) -> NextStep {
    let sentence = format!(
        "Its issuer is missing: when the CA's bundle, or the root of your company's CA, is in this \
            folder too, install the certificate for {name}"
    );
    let step = NextStep::run_certctl(sentence, words).later();
    if root.is_some() {
        step
    } else {
        step.with_sudo()
    }
}

/// Finishes an install that no server was verified to serve; `words` are the command line.
#[must_use]
pub(crate) fn finish_install(name: &str, words: &[String], root: Option<&Path>) -> NextStep {
    let sentence =
        format!("The install of {name} is not finished; verify it, or see what is missing");
    let step = NextStep::run_certctl(sentence, words);
    if root.is_some() {
        step
    } else {
        step.with_sudo()
    }
}

/// Checks the certificate for `name`, whose key is not in the folder; `words` are the command line.
#[must_use]
pub(crate) fn check_certificate_without_key(name: &str, words: &[String]) -> NextStep {
    let sentence =
        format!("The key of the certificate for {name} is not in this folder; see what to do");
    NextStep::run_certctl(sentence, words)
}

/// A word of another tool, or one that certctl used before, and what does the same here.
pub(crate) struct ForeignWord {
    /// The word, which is not a certctl command.
    pub word: &'static str,
    /// What the person wants, as the sentence of the next step.
    sentence: &'static str,
    /// The command line that is right, without `certctl`; it changes nothing.
    command: &'static [&'static str],
}

const REQUEST: &str = "Show how to request a certificate";
const REQUEST_COMMAND: &[&str] = &["csr", "--help"];
const INSTALL: &str = "Show how to install a certificate";
const INSTALL_COMMAND: &[&str] = &["install", "--help"];
const LIST: &str = "List the certificates on this machine";
const LIST_COMMAND: &[&str] = &["status"];
const RENEW: &str = "Show how to renew certificates";
const RENEW_COMMAND: &[&str] = &["renew", "--help"];
const FORGET: &str = "Show how to stop managing a certificate";
const FORGET_COMMAND: &[&str] = &["forget", "--help"];
const VERIFY: &str = "Show how to check a certificate";
const VERIFY_COMMAND: &[&str] = &["verify", "--help"];
const CONVERT: &str = "Show how to write a certificate in other formats";
const CONVERT_COMMAND: &[&str] = &["bundle", "--help"];

const fn word(
    word: &'static str,
    sentence: &'static str,
    command: &'static [&'static str],
) -> ForeignWord {
    ForeignWord {
        word,
        sentence,
        command,
    }
}

/// The words, with the tool that people know them from.
pub(crate) const FOREIGN_WORDS: [ForeignWord; 29] = [
    word("certificates", LIST, LIST_COMMAND), // certbot certificates
    word("certonly", REQUEST, REQUEST_COMMAND), // certbot certonly
    word("check", VERIFY, VERIFY_COMMAND),    // cert-manager, many scripts
    word("convert", CONVERT, CONVERT_COMMAND), // keytool and converters on the web
    word("create", REQUEST, REQUEST_COMMAND), // step ca certificate, cloud consoles
    word("createCSR", REQUEST, REQUEST_COMMAND), // acme.sh --createCSR
    word("cron", RENEW, RENEW_COMMAND),       // acme.sh --cron, dehydrated --cron
    word("delete", FORGET, FORGET_COMMAND),   // certbot delete
    word("deploy", INSTALL, INSTALL_COMMAND), // acme.sh --deploy
    word("export", CONVERT, CONVERT_COMMAND), // Windows, keytool -exportcert
    word("gencsr", REQUEST, REQUEST_COMMAND), // cfssl gencsr
    word("generate", REQUEST, REQUEST_COMMAND), // generators on the web
    word("info", LIST, LIST_COMMAND),         // acme.sh --info
    word("install-cert", INSTALL, INSTALL_COMMAND), // acme.sh --install-cert
    word("installcert", INSTALL, INSTALL_COMMAND), // acme.sh --installcert
    word("issue", REQUEST, REQUEST_COMMAND),  // acme.sh --issue
    word("list", LIST, LIST_COMMAND),         // acme.sh --list, lego list
    word("ls", LIST, LIST_COMMAND),           // the shell
    word("new", REQUEST, REQUEST_COMMAND),    // openssl req -new
    word("obtain", REQUEST, REQUEST_COMMAND), // the name of the operation in lego and Caddy
    word("reissue", RENEW, RENEW_COMMAND),    // the word of resellers
    word("remove", FORGET, FORGET_COMMAND),   // certctl until 2026, acme.sh --remove
    word("renew-all", RENEW, RENEW_COMMAND),  // acme.sh --renew-all
    word("renewall", RENEW, RENEW_COMMAND),   // acme.sh --renewall
    word("req", REQUEST, REQUEST_COMMAND),    // openssl req
    word("request", REQUEST, REQUEST_COMMAND), // certreq, getcert request
    word("run", REQUEST, REQUEST_COMMAND),    // lego run, certbot run
    word("validate", VERIFY, VERIFY_COMMAND), // many tools
    word("version", "Print the version", &["--version"]), // Go programs, lego
];

/// What to run in place of `typed`, which may be written as an option (`--issue`).
#[must_use]
pub(crate) fn foreign_word(typed: &str) -> Option<&'static ForeignWord> {
    let typed = typed.trim_start_matches('-');
    FOREIGN_WORDS
        .iter()
        .find(|known| known.word.eq_ignore_ascii_case(typed))
}

impl ForeignWord {
    /// The step that answers the word.
    #[must_use]
    pub(crate) fn step(&self) -> NextStep {
        NextStep::run_certctl(self.sentence, self.command)
    }

    /// The certctl command that does what the word asks for; `None` if an option does it.
    #[must_use]
    pub(crate) fn command(&self) -> Option<&'static str> {
        let first = self.command.first().copied()?;
        (!first.starts_with('-')).then_some(first)
    }
}

/// Options that have another name now: the command, the old option, the new one.
pub(crate) const RENAMED_OPTIONS: [(&str, &str, &str); 1] = [("csr", "--from", "--like")];

/// Values that other programs have for an option: the option, the value, what to know about it.
const FOREIGN_VALUES: [(&str, &str, &str); 6] = [
    (
        "--ca",
        "letsencrypt",
        "Let's Encrypt issues through ACME only, with `certctl order`; no CSR can be uploaded there",
    ),
    (
        "--ca",
        "lets-encrypt",
        "Let's Encrypt issues through ACME only, with `certctl order`; no CSR can be uploaded there",
    ),
    (
        "--format",
        "p12",
        "this format is called `pfx` here (PKCS#12)",
    ),
    (
        "--format",
        "pkcs12",
        "this format is called `pfx` here (PKCS#12)",
    ),
    (
        "--format",
        "pkcs7",
        "this format is called `p7b` here (PKCS#7)",
    ),
    (
        "--key-type",
        "rsa",
        "the size is part of the value: `rsa-2048`, `rsa-3072` or `rsa-4096`",
    ),
];

/// What to know about a value that other programs accept for `option`.
#[must_use]
pub(crate) fn foreign_value(option: &str, value: &str) -> Option<&'static str> {
    FOREIGN_VALUES
        .iter()
        .find(|(of, known, _)| *of == option && known.eq_ignore_ascii_case(value))
        .map(|(_, _, remark)| *remark)
}

/// How other tools call the option whose values are plain arguments of `csr`.
const NAME_OPTIONS: [&str; 7] = [
    "-d",
    "--cn",
    "--common-name",
    "--domain",
    "--domains",
    "--name",
    "--san",
];

/// Returns whether other tools expect names after this option, which are plain arguments here.
#[must_use]
pub(crate) fn is_name_option(command: &str, option: &str) -> bool {
    command == "csr" && NAME_OPTIONS.contains(&option)
}

/// The present name of an option of `command`.
#[must_use]
pub(crate) fn renamed_option(command: &str, option: &str) -> Option<&'static str> {
    RENAMED_OPTIONS
        .iter()
        .find(|(of, old, _)| *of == command && *old == option)
        .map(|(_, _, new)| *new)
}
