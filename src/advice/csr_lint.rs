//! Advice for requests that a CA would reject: the same command line with the flag that fixes it.

use crate::csr_lint::{LintFault, RequestChange};
use crate::finding::{Finding, NextStep, Severity};

impl LintFault {
    /// As a finding; `again` is the command line with a cure, where the cure is one of its flags.
    #[must_use]
    pub(crate) fn finding(&self, again: impl Fn(&RequestChange) -> Vec<String>) -> Finding {
        let code = self.rule.code;
        let message = self.to_string();
        let finding = match self.rule.severity {
            Severity::Error => Finding::error(code, message),
            Severity::Warning => Finding::warning(code, message),
            Severity::Note => Finding::note(code, message),
        };
        match &self.cure {
            Some(cure) => finding.with(step(&again(cure), self.why(cure))),
            None => match advice(code) {
                "" => finding,
                advice => finding.with(NextStep::say(advice)),
            },
        }
    }

    fn why(&self, cure: &RequestChange) -> &'static str {
        match cure {
            RequestChange::Add(_) => "to be sure of it; else leave it as it is",
            RequestChange::Leave(_) => "without",
            RequestChange::NewKey => "with a key of its own",
            RequestChange::Private => "if your company's own CA issues it",
        }
    }
}

/// What to do where no flag is the cure.
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

fn step(words: &[String], why: &str) -> NextStep {
    let step = NextStep::run(words);
    NextStep {
        text: format!("{}   ({why})", step.text),
        ..step
    }
}
