//! Advice for requests that a CA would refuse: the same command line with the change that repairs
//! the request.

use crate::advice::csr_command::annotated_command;
use crate::csr_lint::{LintFault, RequestChange};
use crate::finding::{Finding, NextStep, Severity};

impl LintFault {
    /// The fault as a finding; `command` gives the command line with a change.
    #[must_use]
    pub(crate) fn to_finding(&self, command: impl Fn(&RequestChange) -> Vec<String>) -> Finding {
        let code = self.rule.code;
        let message = self.to_string();
        let finding = match self.rule.severity {
            Severity::Error => Finding::error(code, message),
            Severity::Warning => Finding::warning(code, message),
            Severity::Note => Finding::note(code, message),
        };
        match &self.repair {
            Some(change) => finding.with_step(annotated_command(&command(change), reason(change))),
            None => match advice(code) {
                "" => finding,
                advice => finding.with_step(NextStep::say(advice)),
            },
        }
    }
}

fn reason(change: &RequestChange) -> &'static str {
    match change {
        RequestChange::Add(_) => "to be sure of it; else leave it as it is",
        RequestChange::Omit(_) => "without",
        RequestChange::NewKey => "with a key of its own",
        RequestChange::Private => "if your company's own CA issues it",
    }
}

/// What to do if no flag repairs the request.
fn advice(code: &str) -> &'static str {
    match code {
        "client-auth" => {
            "for a certificate that clients log in with, ask your company's own CA:  --ca private"
        }
        "common-name-not-listed" => {
            "name one of the names in CN, or leave CN out: then it is the first of them"
        }
        "country-code" => "--subject '...,C=DE'",
        "look-alike-name" => "compare it with the name in your DNS panel, letter by letter",
        "must-staple" => {
            "if your CA still answers by OCSP and you want it, ask the CA for it by hand"
        }
        "subject-too-long" => "shorten it",
        "shared-suffix" => "go on only if the whole of it is yours",
        "too-many-names" => "ask for several certificates, or a wildcard",
        _ => "",
    }
}
