//! Advice for requests that a CA would refuse: the same command line with the change that repairs
//! the request.

use crate::csr_lint::{LintFault, RequestChange};
use crate::finding::{Finding, NextStep, Severity};
use crate::pki::name::join_listed;

impl LintFault {
    /// Returns the fault as a finding; `command` returns the command line with changes.
    #[must_use]
    pub(crate) fn to_finding(&self, command: impl Fn(&[RequestChange]) -> Vec<String>) -> Finding {
        let code = self.rule.code;
        let message = self.to_string();
        let finding = match self.rule.severity {
            Severity::Error => Finding::error(code, message),
            Severity::Warning => Finding::warning(code, message),
            Severity::Note => Finding::note(code, message),
        };
        if self.repair.is_empty() {
            return match advice(code) {
                "" => finding,
                advice => finding.with_step(NextStep::say(advice)),
            };
        }
        let step = NextStep::run_certctl(sentence(&self.repair), &command(&self.repair));
        finding.with_step(step)
    }
}

/// Says what the command line with the changes does.
fn sentence(changes: &[RequestChange]) -> String {
    let mut clauses: Vec<String> = Vec::new();
    for change in changes {
        clauses.push(match change {
            RequestChange::Add(names) => format!(
                "To be sure that no name is missing, also request {}",
                join_listed(names)
            ),
            RequestChange::Omit(names) => {
                format!("Request the certificate without {}", join_listed(names))
            }
            RequestChange::NewKey if changes.len() > 1 => "with a new key".to_owned(),
            RequestChange::NewKey => "Create the request with a new key".to_owned(),
            RequestChange::Private => "If your company's own CA issues the certificate, create \
                the request for it"
                .to_owned(),
        });
    }
    clauses.join(", ")
}

/// Says what to do if no option repairs the request.
fn advice(code: &str) -> &'static str {
    match code {
        "client-auth" => {
            "Request a separate certificate for TLS clients from your company's own CA, with \
                `--ca private`"
        }
        "common-name-not-listed" => {
            "Set CN to one of the requested names, or omit it: certctl then uses the first name"
        }
        "country-code" => "Use the two-letter code, for example `--subject 'O=Acme,C=DE'`",
        "look-alike-name" => "Compare it with the name in your DNS console, letter by letter",
        "must-staple" => "If you want Must-Staple and your CA still offers OCSP, ask the CA for it",
        "subject-too-long" => "Shorten this attribute",
        "shared-suffix" => "Continue only if the whole domain is yours",
        "too-many-names" => "Request several certificates, or a wildcard",
        _ => "",
    }
}
