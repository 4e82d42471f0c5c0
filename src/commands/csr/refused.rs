//! What `csr` ends with where the CA would not take what is asked for: nothing is written.

use serde_json::{Value, json};

use super::args::CsrArgs;
use crate::commands::csr::command_line;
use crate::context::Context;
use crate::finding::{Finding, NextStep, Severity};
use crate::pki::alt_name::AltNames;
use crate::report::{Outcome, TextOutput};

/// Nothing was written.
#[derive(Debug)]
pub(super) struct CsrRefusal {
    names: AltNames,
    findings: Vec<Finding>,
    /// The same command line, with all of it allowed.
    anyway: Vec<String>,
}

impl CsrRefusal {
    /// Because of the errors among `findings`.
    pub(super) fn new(
        context: &Context,
        args: &CsrArgs,
        names: AltNames,
        findings: Vec<Finding>,
    ) -> Self {
        let mut args = args.clone();
        for finding in findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
        {
            if !args.allow.contains(&finding.code) {
                args.allow.push(finding.code);
            }
        }
        Self {
            names,
            findings,
            anyway: command_line::line(context, &args),
        }
    }

    fn next(&self) -> NextStep {
        let step = NextStep::run(&self.anyway);
        NextStep {
            text: format!("{}   (to ask for it all the same)", step.text),
            ..step
        }
    }
}

impl Outcome for CsrRefusal {
    fn json(&self) -> Value {
        json!({
            "schema": "certctl.csr/1",
            "changed": false,
            "names": self.names.texts(),
            "key": null,
            "request": null,
            "records": [],
            "backups": [],
            "findings": self.findings,
            "next": [self.next()],
        })
    }

    fn human(&self, text: &mut TextOutput) {
        text.findings(&self.findings);
        text.nexts(&[self.next()]);
        text.fact("left", "no file was written");
    }

    fn exit_code(&self) -> u8 {
        1
    }
}
