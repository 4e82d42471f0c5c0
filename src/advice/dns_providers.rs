//! Advice on failures of DNS providers: which credential, permission or program to change.

use std::path::Path;

use super::command_lines::shell_path;
use super::dns_api;
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_line};
use crate::providers::{EXEC_DECLARATION, LexiconFault, ProviderError};
use crate::system::dns::UpdateError;

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Configuration(error) => error.into(),
            ProviderError::Program(error) => error.into(),
            ProviderError::Api(error) => error.into(),
            ProviderError::Refused {
                provider,
                ref fault,
            } => dns_api::refused(&error, provider, fault),
            ProviderError::NoZone { .. } => dns_api::no_zone(&error),
            ProviderError::Proxied { .. } => dns_api::proxied(&error),
            ProviderError::TooManyRecords { .. } => dns_api::too_many(&error),
            ProviderError::ServerAddress { .. } => {
                Self::from_error(FailureKind::Network, &error).with_step(NextStep::say(
                    "Check the name of the server in the credentials: its host name or address, and \
                        the port if it is not 53",
                ))
            }
            ProviderError::Update {
                source: UpdateError::Dns(error),
                ..
            } => error.into(),
            ProviderError::Update { ref source, .. } => update_failed(&error, source),
            ProviderError::Lexicon {
                ref provider,
                ref reason,
            } => lexicon_failed(&error, provider, reason),
            ProviderError::ProgramFailed { ref output, .. } => program_failed(&error, output),
            ProviderError::UnsupportedKind { ref program, .. } => undeclared(&error, program),
        }
    }
}

fn update_failed(error: &ProviderError, source: &UpdateError) -> Failure {
    let kind = match source {
        UpdateError::Name(..) | UpdateError::Key(_) => FailureKind::Malformed,
        _ => FailureKind::Network,
    };
    Failure::from_error(kind, error).with_step(update_step(source))
}

fn lexicon_failed(error: &ProviderError, provider: &str, fault: &LexiconFault) -> Failure {
    let kind = match fault {
        LexiconFault::Exposed(_) => FailureKind::Hostile,
        LexiconFault::Refused | LexiconFault::Failed(_) | LexiconFault::TimedOut(_) => {
            FailureKind::Network
        }
        _ => FailureKind::NotFound,
    };
    Failure::from_error(kind, error).with_step(lexicon_step(provider, fault))
}

fn program_failed(error: &ProviderError, output: &[String]) -> Failure {
    let mut failure = Failure::from_error(FailureKind::Io, error);
    for line in output {
        failure = failure.because(format!("it printed: {line}"));
    }
    failure.with_step(NextStep::say(
        "Run the program by hand with the same arguments, and correct what it reports",
    ))
}

fn undeclared(error: &ProviderError, program: &str) -> Failure {
    let step = NextStep::run_shell(
        "See whether the program handles CERTCTL_DNS_TYPE; if it does, add the line that declares it",
        shell_line(&["head", "-n", "20", program]),
    )
    .with_lines([format!("# {EXEC_DECLARATION} TXT CNAME")]);
    Failure::from_error(FailureKind::Malformed, error).with_step(step)
}

/// What to do about a failure of dns-lexicon.
fn lexicon_step(provider: &str, fault: &LexiconFault) -> NextStep {
    let install_with = |python: &Path| {
        let package = format!("dns-lexicon[{provider}]");
        let words = [
            &*python.display().to_string(),
            "-m",
            "pip",
            "install",
            "-U",
            &package,
        ];
        NextStep::run_shell("Install it for this Python", shell_line(&words))
    };
    match fault {
        LexiconFault::NoPython => NextStep::run_shell(
            "Install dns-lexicon in a folder of its own, and add the line to config.toml",
            format!(
                "sudo python3 -m venv /opt/lexicon && \
                    sudo /opt/lexicon/bin/pip install 'dns-lexicon[{provider}]'"
            ),
        )
        .with_lines(["lexicon_python = \"/opt/lexicon/bin/python\"".to_owned()]),
        LexiconFault::NotInstalled(python)
        | LexiconFault::TooOld(python)
        | LexiconFault::ExtraNeeded(python) => install_with(python),
        LexiconFault::Exposed(path) => NextStep::run_shell(
            "Check its content, then let only root write to it",
            format!(
                "chown root {0} && chmod go-w {0}",
                shell_path(Path::new(path))
            ),
        ),
        LexiconFault::UnknownProvider(_) => {
            NextStep::say("Name one of these providers, as in `--dns lexicon:gandi`")
        }
        LexiconFault::RewritesZone => {
            NextStep::say("Add the record in the console of the DNS provider")
        }
        LexiconFault::NoFilter => {
            NextStep::say("Remove the record in the console of the DNS provider")
        }
        LexiconFault::Refused | LexiconFault::Failed(_) | LexiconFault::TimedOut(_) => {
            NextStep::say(
                "Compare the credentials with the provider's console, and what they allow; then \
                    run the command again",
            )
        }
    }
}

/// What to do about an update that failed.
fn update_step(error: &UpdateError) -> NextStep {
    let sentence = match error {
        UpdateError::WrongSignature { .. } => {
            "Compare name, algorithm and secret of the TSIG key with the server's, and what it allows \
                the key to update"
        }
        UpdateError::Rejected { code, .. } => match code.as_str() {
            "NOTAUTH" => {
                "Check that this server is the primary of the zone, and that it knows the TSIG key"
            }
            "REFUSED" => {
                "Allow the key to update this name and type: `update-policy` in BIND, an `acl` with \
                    `action: update` in Knot"
            }
            "NOTZONE" | "NOTIMP" => "Name the primary server of the zone, which accepts updates",
            "YXDOMAIN" | "YXRRSET" | "NXRRSET" => {
                "Another record at this name does not allow the change; look at the records of the \
                    zone, and repeat the command"
            }
            _ => "Look into the log of the name server",
        },
        UpdateError::Unsigned { .. } => {
            "Check that the server is the one that has the key: its answer could be forged"
        }
        UpdateError::Unreachable { .. } => {
            "Check that the server runs and that this machine may reach its port 53 by TCP and UDP"
        }
        UpdateError::Dns(_) | UpdateError::Key(_) | UpdateError::Name(..) => {
            "Correct the value in the credentials"
        }
    };
    NextStep::say(sentence)
}
