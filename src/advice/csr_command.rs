//! Advice that `csr` prints: other command lines to choose from, and what to do with a new request.

use std::path::Path;

use crate::finding::{NextStep, shell_word};

/// A certctl command line with the reason to run it in parentheses.
pub(crate) fn annotated_command(words: &[String], reason: &str) -> NextStep {
    let step = NextStep::run(words);
    NextStep {
        text: format!("{}   ({reason})", step.text),
        ..step
    }
}

/// The command line that makes a request for a key file that exists without one.
pub(crate) fn request_existing_key(words: &[String]) -> NextStep {
    annotated_command(words, "a request for that key")
}

/// The command line that uses another file name, so that the existing files stay.
pub(crate) fn use_another_stem(words: &[String]) -> NextStep {
    annotated_command(words, "both stay")
}

/// The command line with `--force`.
pub(crate) fn replace_existing_files(words: &[String]) -> NextStep {
    annotated_command(words, "the old files become numbered backups")
}

/// The command line to which the user adds the key of a request that exists without it.
pub(crate) fn add_missing_key(words: &[String]) -> NextStep {
    let command = NextStep::run(words).text;
    NextStep::say(format!(
        "{command} --key FILE   (its key, where you have it)"
    ))
}

/// The command line with `--allow` for every finding that refused the request.
pub(crate) fn allow_refused_findings(words: &[String]) -> NextStep {
    annotated_command(words, "to ask for it all the same")
}

/// The command line that checks the validation record.
pub(crate) fn check_validation(words: &[String]) -> NextStep {
    NextStep::run(words)
}

/// The command that submits `request` to a CA that runs on Windows (AD CS).
pub(crate) fn submit_to_windows_ca(request: &Path) -> NextStep {
    let certificate = request.with_extension("cer");
    NextStep::say(format!(
        "where it is Active Directory's (AD CS):  certreq -submit -attrib \
            CertificateTemplate:WebServer {} {}",
        path_word(request),
        path_word(&certificate)
    ))
}

/// The command that installs the issued certificate; `words` are its first words, and `key` is the
/// key file if `install` does not find it by itself.
pub(crate) fn install_when_issued(words: &[String], key: Option<&Path>) -> NextStep {
    let install = NextStep::run(words).text;
    let key_flag = match key {
        Some(path) => format!(" --key {}", path_word(path)),
        None => String::new(),
    };
    NextStep::say(format!(
        "when the certificate has come:  sudo {install} FILE{key_flag}"
    ))
}

/// The command line that renews a certificate that is already installed.
pub(crate) fn renew_installed(words: &[String]) -> NextStep {
    NextStep::run(words)
}

/// `--key -` was given, and stdin cannot be read again by `install`.
pub(crate) fn pass_key_as_file() -> NextStep {
    NextStep::say("--key example.com.key")
}

/// The file of `--key` holds several keys.
pub(crate) fn pass_single_key() -> NextStep {
    NextStep::say("put the one that is meant into a file of its own, and pass that:  --key FILE")
}

/// Everybody on this machine may read the key file.
pub(crate) fn restrict_key_file(key: &Path) -> NextStep {
    NextStep::shell(format!("chmod o= {}", path_word(key)))
}

/// `--key-type` contradicts the key of `--key`.
pub(crate) fn choose_key_or_key_type() -> NextStep {
    NextStep::say("leave one of the two out: --key uses that key, --key-type makes a new one")
}

/// The source of `--like` holds neither a server's certificate nor a request.
pub(crate) fn pass_template_source() -> NextStep {
    NextStep::say("pass one of them, or a server that shows it:  --like example.com:443")
}

/// The source of `--like` holds several certificates or requests that differ.
pub(crate) fn pass_single_template() -> NextStep {
    NextStep::say("pass the one that is meant:  --like FILE")
}

/// The names in the source of `--like` cannot be requested.
pub(crate) fn type_names_instead() -> NextStep {
    NextStep::say("type the names, and take the rest from it:  certctl csr NAME... --like FILE")
}

fn path_word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}
