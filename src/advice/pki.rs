//! Advice for names, keys, requests, certificates and what is wrong with chains.

use std::net::IpAddr;

use crate::advice::inputs::ADD_BUNDLE;
use crate::advice::rerun::{self, RepeatOption, repeat_with};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::pki::certificate::CertificateError;
use crate::pki::client_rules::BrokenRule;
use crate::pki::idna2008;
use crate::pki::key::KeyError;
use crate::pki::lint::{LintSeverity, LintViolation, RetiredCertificate};
use crate::pki::name::NameError;
use crate::pki::request::RequestError;
use crate::pki::subject::SubjectError;
use crate::pki::trust::{TrustScope, TrustSource};
use crate::pki::verify::ChainProblem;

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        match error {
            NameError::Empty => failure.with_step(example_names()),
            NameError::Address(_) => failure
                .because(
                    "certctl requests certificates for DNS names; control of an address cannot be \
                        validated through DNS",
                )
                .with_step(NextStep::say("Use the DNS name that clients connect to")),
            NameError::Disallowed { text, .. } => {
                let failure = failure.because(
                    "text programs replace hyphens and quotes by characters that look alike; \
                        registries accept letters, digits and hyphens (IDNA2008, RFC 5892)",
                );
                match idna2008::with_plain_punctuation(&text) {
                    Some(plain) => failure.with_step(rerun::repeat_replacing(
                        "If you mean the name with ASCII characters",
                        &text,
                        &plain,
                    )),
                    None => failure.with_step(NextStep::say(
                        "Type the name as it is registered. If the registry accepted this \
                            character, pass the ASCII form that begins with `xn--`",
                    )),
                }
            }
            NameError::Malformed(text) if text.contains(char::is_whitespace) => {
                failure.with_step(NextStep::say(
                    "Put no quotes around several names, for example \
                        `certctl csr example.com www.example.com`",
                ))
            }
            NameError::Malformed(_) => failure
                .because(
                    "a DNS name has letters, digits and '-' in labels of at most 63 characters, \
                        and at most 253 characters in total",
                )
                .with_step(example_names()),
            NameError::Mailbox(_) => failure
                .because("the part before the @ may contain ASCII letters, digits and dots")
                .with_step(NextStep::say(
                    "Pass an address such as `certctl csr ann@example.com --ca private`",
                )),
            NameError::Url(text) => {
                let without_scheme = text.split("://").last().unwrap_or_default();
                let host = without_scheme.split('/').next().unwrap_or_default();
                failure.with_step(NextStep::say(format!("Pass only the name: `{host}`")))
            }
            NameError::Wildcard(_) => failure.with_step(NextStep::say(
                "Pass a wildcard such as `certctl csr '*.example.com'`",
            )),
        }
    }
}

fn example_names() -> NextStep {
    NextStep::say("Pass DNS names, such as `certctl csr example.com www.example.com`")
}

/// Sentences that recommend a new request; its names are not known here.
const NEW_KEY: &str =
    "Create a new key and request, for example with `certctl csr example.com www.example.com`";

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Encrypted => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                    "Decrypt a copy, for example with `(umask 077; set -C; openssl pkey -in \
                        encrypted.key >decrypted.key)`",
                ))
            }
            KeyError::Generate | KeyError::Sign => Self::from_error(FailureKind::Internal, &error),
            KeyError::OtherKind(_) | KeyError::ShortRsa(_) => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(NEW_KEY))
            }
            KeyError::Unreadable => Self::from_error(FailureKind::Malformed, &error)
                .because(
                    "certctl reads PKCS#8, PKCS#1 and SEC1 with RSA, P-256, P-384, P-521 or \
                    Ed25519 keys",
                )
                .with_step(NextStep::say(
                    "Check whether OpenSSL can read it, for example with \
                    `openssl pkey -in example.com.key -noout -text_pub`",
                )),
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Build(_) => Self::from_error(FailureKind::Internal, &error),
            RequestError::Malformed => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                    "Show its structure, for example with `openssl asn1parse -in example.com.csr`",
                ))
            }
            RequestError::Signature(_) => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say(
                    "Copy the whole request again, or create a new one, for example with \
                    `certctl csr example.com`",
                )),
        }
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        let example = NextStep::say(
            "Write the subject with its most specific part first, such as \
            `--subject 'CN=example.com,OU=Web,O=Acme\\, Inc.,L=Berlin,C=DE'`",
        );
        match error {
            SubjectError::Letters(attribute, _)
                if attribute == "C" || attribute == "jurisdictionC" =>
            {
                failure.with_step(NextStep::say(
                    "Write a country as its two letters in ISO 3166-1, such as `C=DE`",
                ))
            }
            SubjectError::Letters(..) => failure
                .because(
                    "control characters are never allowed; serialNumber takes letters and digits, \
                    emailAddress and DC take ASCII",
                )
                .with_step(example),
            SubjectError::NoValue(attribute) => failure.with_step(NextStep::say(format!(
                "Omit {attribute}, or give it a value"
            ))),
            SubjectError::Slashes(same) => failure
                .because("RFC 4514 separates parts with commas, the most specific part first")
                .with_step(NextStep::say(format!(
                    "Write it as `--subject {}`",
                    shell_word(&same)
                ))),
            SubjectError::Unescaped(_) => failure
                .because("these characters are special in a value: , + \" \\ < > ;")
                .with_step(example),
            SubjectError::NotAPair(_) | SubjectError::Unfinished(_) => failure.with_step(example),
            SubjectError::UnknownType(_) => failure
                .because(
                    "known names are CN, O, OU, L, ST, C, street, postalCode, serialNumber, \
                    emailAddress, DC, UID and similar; any other attribute is written with its \
                    OID, as 1.2.3.4=value",
                )
                .with_step(example),
        }
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
            "Download the certificate from the CA or reseller again",
        ))
    }
}

/// Every problem of a chain or of a certificate and its key makes the verdict negative.
impl From<&ChainProblem> for Finding {
    fn from(problem: &ChainProblem) -> Self {
        let finding = Self::error(problem.code(), problem.to_string());
        match problem {
            ChainProblem::HostNotCovered { host, names } => {
                finding.with_step(cover_host(host, names))
            }
            ChainProblem::MissingIntermediate { urls, trust, .. } => {
                with_missing_issuer_steps(finding, urls, trust)
            }
            ChainProblem::UnknownIssuer { .. } => {
                with_missing_issuer_steps(finding, &[], &TrustSource::Mozilla)
            }
            other => finding.with_step(NextStep::say(problem_advice(other))),
        }
    }
}

/// What to do about a host that the certificate does not cover. A server that is reached by its
/// address is asked for a name instead.
fn cover_host(host: &str, names: &[String]) -> NextStep {
    let is_address = |name: &str| name.parse::<IpAddr>().is_ok();
    let mut dns_names = names.iter().filter(|name| !is_address(name));
    let name = dns_names.find(|name| !name.starts_with('*'));
    match name {
        Some(name) if is_address(host) => repeat_with(
            "Say which name to ask the server for",
            &["verify"],
            &[RepeatOption {
                name: "--host",
                value: Some(name),
            }],
        ),
        _ => NextStep::say(format!(
            "Order a certificate that also covers {host}, or omit that name"
        )),
    }
}

/// What to do about a problem, where the sentence does not depend on the certificate.
fn problem_advice(problem: &ChainProblem) -> &'static str {
    match problem {
        ChainProblem::CaAsLeaf { .. } => {
            "Also pass the file with the certificate that the CA issued for the site"
        }
        ChainProblem::Expired { leaf: false, .. } => {
            "Download the CA's current bundle (.ca-bundle) and use it in place of this one: the \
                expired certificate is the CA's"
        }
        ChainProblem::Expired { .. } | ChainProblem::NoNames { .. } => {
            "Request a new certificate from the CA, for example with \
                `certctl csr example.com www.example.com`"
        }
        ChainProblem::TooManyCandidates => {
            "Pass only the files that the CA sent for this site: its certificate and its bundle"
        }
        ChainProblem::WeakKey { .. } => {
            "Create a new key and request, for example with `certctl csr example.com --force`, \
                and have the certificate reissued for it"
        }
        ChainProblem::WeakSignature { .. } => {
            "Download the CA's current bundle; if the signature is on the site's own certificate, \
                have that reissued"
        }
        ChainProblem::NotYetValid { .. } => {
            "Wait until then, or correct the clock of this machine if `date -u` is wrong"
        }
        ChainProblem::BrokenRule(broken) => rule_advice(broken),
        ChainProblem::Refused { .. } => {
            "Ask the CA to issue the certificate again, or send it this message"
        }
        ChainProblem::SelfSigned { .. } => {
            "Use the certificate that the CA issued instead of the self-signed one"
        }
        ChainProblem::UnknownRoot { .. } => {
            "If it belongs to your company's CA, pass its root, for example `--trust root.pem`"
        }
        ChainProblem::WrongKey { .. } => {
            "Pass the key that was created with this request, for example \
                `--key example.com.key`; if it is lost, have the certificate reissued for a new \
                request"
        }
        ChainProblem::WrongKeyKind { .. } => {
            "Pass the key that was created with this request, for example \
                `--key example.com.key` (`certctl inspect example.com.key` shows the type of a \
                key); if it is lost, have the certificate reissued for a new request"
        }
        // These have steps of their own.
        ChainProblem::HostNotCovered { .. }
        | ChainProblem::MissingIntermediate { .. }
        | ChainProblem::UnknownIssuer { .. } => ADD_BUNDLE,
    }
}

/// What to do about a rule that a chain breaks.
fn rule_advice(broken: &BrokenRule) -> &'static str {
    match broken.rule.id {
        "issuer-identifier" => {
            "Ask the CA for the intermediate that belongs to this certificate, and use it in place \
                of this one"
        }
        "key-usage" | "rsa-encipherment" => {
            "Ask the CA to issue the certificate again with the key usage digitalSignature"
        }
        "name-constraints" => {
            "Ask the CA which of its intermediates may issue for these names, or omit the names \
                that it may not certify"
        }
        "unsupported-key" | "unusable-key" => {
            "Create a key that clients accept, for example with \
                `certctl csr example.com --key-type ecdsa-p256`, and have the certificate reissued \
                for it"
        }
        _ if broken.is_only_strict() => {
            "If such clients connect, ask the CA to issue the certificate again by this rule"
        }
        _ => "Ask the CA to issue the certificate again, or send it this message",
    }
}

/// Returns the finding for a rule that only some clients apply.
#[must_use]
pub(crate) fn strict_refusal_finding(broken: &BrokenRule) -> Finding {
    Finding::warning(broken.code(), broken.to_string())
        .with_step(NextStep::say(rule_advice(broken)))
}

/// Adds how to get the intermediate that a chain lacks: from the CA, or from one of `urls`.
fn with_missing_issuer_steps(finding: Finding, urls: &[String], trust: &TrustSource) -> Finding {
    let finding = match urls.first() {
        Some(url) => finding
            .with_step(NextStep::say(
                "Add the CA's bundle (.ca-bundle) from its mail",
            ))
            .with_step(download_issuer(url)),
        None => finding.with_step(NextStep::say(ADD_BUNDLE)),
    };
    match trust {
        TrustSource::File(_) => finding,
        TrustSource::Mozilla | TrustSource::System => finding.with_step(NextStep::say(
            "If the certificate is from your company's CA, also pass its root, for example \
                `--trust root.pem`",
        )),
    }
}

/// Downloads a missing intermediate from `url`, which the certificate names: with the same command, if
/// that can.
fn download_issuer(url: &str) -> NextStep {
    const COMMANDS: [&str; 2] = ["bundle", "install"];
    match rerun::same_line(&COMMANDS) {
        Some(line) if !line.contains(" --aia") => {
            let aia = RepeatOption {
                name: "--aia",
                value: None,
            };
            let sentence = format!(
                "Or let certctl download the intermediate from `{url}`: repeat the command"
            );
            repeat_with(&sentence, &COMMANDS, &[aia])
        }
        _ => NextStep::say(format!("Or download it from `{url}`")),
    }
}

/// Returns the finding for a rule that a certificate breaks; its severity depends on `scope`.
#[must_use]
pub(crate) fn lint_finding(lint: &LintViolation, scope: TrustScope) -> Finding {
    let code = lint.rule.code;
    let message = lint.to_string();
    let advice = NextStep::say(lint_advice(code));
    match lint.severity_in(scope) {
        Some(LintSeverity::Refuses) => Finding::error(code, message).with_step(advice),
        Some(LintSeverity::Warns) => Finding::warning(code, message).with_step(advice),
        // Nothing to do about a note.
        None => Finding::note(code, message),
    }
}

pub(super) fn lint_advice(code: &str) -> &'static str {
    match code {
        "too-few-scts" => {
            "Ask the CA for a certificate with the timestamps in it, unless the server sends them \
                in the handshake"
        }
        "broken-key" => {
            "Create a new key and request with other software or hardware, for example with \
                `certctl csr example.com`, and have the certificate reissued for it"
        }
        "unsupported-key-type" | "unusual-key-type" => {
            "Create a key that browsers accept, for example with \
                `certctl csr example.com --key-type ecdsa-p256`, and have the certificate reissued \
                for it"
        }
        "intermediate-expires-first" => {
            "Ask the CA for its current bundle (.ca-bundle), or renew before that day"
        }
        "client-auth" => {
            "Have it reissued without clientAuth; programs that authenticate with it as a client \
                need a separate certificate"
        }
        "client-auth-removed" => {
            "Get a separate certificate, from a CA that those servers trust, for programs that \
                authenticate with this one: public CAs are phasing out clientAuth"
        }
        "common-name-not-listed" => {
            "Check that every name that clients use is among its subject alternative names, and \
                have it reissued if not"
        }
        "validity-too-long" => "Ask the CA to issue it again with a shorter validity period",
        _ => "Ask the CA to issue it again, or send it this message",
    }
}

impl From<&RetiredCertificate> for Finding {
    fn from(outdated: &RetiredCertificate) -> Self {
        Self::warning("outdated-ca", outdated.to_string()).with_step(NextStep::say(
            "Remove this certificate from the file, as `certctl bundle` does",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{ChainProblem, Finding};

    #[test]
    fn a_server_that_is_reached_by_address_is_asked_for_a_name() {
        for (host, expected) in [
            ("127.0.0.1", "Say which name to ask the server for"),
            ("::1", "Say which name to ask the server for"),
            ("mail.example.com", "Order a certificate that also covers"),
        ] {
            let problem = ChainProblem::HostNotCovered {
                host: host.to_owned(),
                names: vec!["*.example.com".to_owned(), "example.com".to_owned()],
            };
            let step = Finding::from(&problem).next.remove(0);
            assert!(step.text.starts_with(expected), "{host}: {}", step.text);
        }
    }
}
