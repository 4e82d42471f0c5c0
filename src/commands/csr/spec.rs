//! What is asked for, put together from the command line and from what `--like` names.

use std::path::Path;

use super::args::CsrArgs;
use super::key::GivenKey;
use crate::commands::csr::command_line;
use crate::commands::csr::template::CsrTemplate;
use crate::context::Context;
use crate::csr_lint::{self, EarlierContent, LintFault, LintedRequest};
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::InputReader;
use crate::pki::alt_name::{AltName, AltNames};
use crate::pki::key::KeyAlgorithm;
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;

/// What is asked for.
pub(super) struct CsrSpec {
    pub(super) names: AltNames,
    /// With its common name.
    pub(super) subject: SubjectName,
    /// The kind of key, where one was asked for.
    pub(super) key_type: Option<KeyAlgorithm>,
    /// The key of `--key`.
    pub(super) given: Option<GivenKey>,
    /// What was taken over from, in words.
    pub(super) from: Option<String>,
    /// Whether another subject than that of the names was asked for.
    subject_given: bool,
    before: EarlierContent,
}

impl CsrSpec {
    /// What is typed goes before what is taken over.
    ///
    /// # Errors
    /// Names or a subject that are none, files that cannot be read.
    pub(super) fn new(context: &Context, args: &CsrArgs) -> Result<Self, Failure> {
        let reading = InputReader::new(context, &args.reading)?;
        let from = args
            .from
            .as_deref()
            .map(|from| CsrTemplate::read(context, &reading, from))
            .transpose()?;
        let given = args
            .key
            .as_deref()
            .map(|path| GivenKey::read(context, &reading, path))
            .transpose()?;
        let names = match &from {
            Some(from) if args.names.is_empty() => from.names.clone(),
            _ => AltNames::parse(&args.names)?,
        };
        let (subject, subject_given) = subject(args, from.as_ref(), &names)?;
        let key_type = match (&given, args.key_type.map(KeyAlgorithm::from)) {
            (Some(given), Some(typed)) if typed != given.file.algorithm => {
                return Err(other_kind(given, typed));
            }
            (Some(given), _) => Some(given.file.algorithm),
            (None, typed) => typed.or_else(|| from.as_ref().and_then(|from| from.key_type)),
        };
        let mut before = from.as_ref().map(|from| from.before).unwrap_or_default();
        if given.is_some() || args.key_type.is_some() {
            before.short_rsa = None;
        }
        let from = from.map(|from| from.label);
        Ok(Self {
            names,
            subject,
            key_type,
            given,
            from,
            subject_given,
            before,
        })
    }

    /// Whether `request` asks for the same names.
    pub(super) fn is_for(&self, request: &SigningRequest) -> bool {
        request
            .alt_names()
            .is_some_and(|has| has.same_set(&self.names))
    }

    /// Whether `request` has another subject than was asked for.
    pub(super) fn differs_in_subject(&self, request: &SigningRequest) -> bool {
        self.subject_given && self.subject.to_der() != request.subject_der()
    }

    /// What a CA would not take; what is allowed is told all the same. Whether it refuses, too.
    /// `request` is the file that will be written.
    pub(super) fn findings(
        &self,
        context: &Context,
        args: &CsrArgs,
        request: &Path,
    ) -> (Vec<Finding>, bool) {
        let order = LintedRequest {
            names: &self.names,
            subject: &self.subject,
            algorithm: self.key_type.unwrap_or(KeyAlgorithm::EcdsaP256),
            reused: self
                .given
                .as_ref()
                .map(|given| given.reused(context, request)),
            before: self.before,
            ca: args.ca,
        };
        let faults = csr_lint::faults(&order);
        let refuses = |fault: &LintFault| {
            fault.rule.severity == Severity::Error && !args.allow.contains(&fault.rule.code)
        };
        let refused = faults.iter().any(refuses);
        // Once files are made, another request takes their place.
        let args = CsrArgs {
            force: args.force || !refused,
            ..args.clone()
        };
        let finding = |fault: &LintFault| {
            fault.finding(|cure| command_line::cured(context, &args, &self.names, cure))
        };
        let mut findings: Vec<Finding> = faults
            .iter()
            .map(|fault| allowed(finding(fault), &args.allow))
            .collect();
        findings.extend(self.given.as_ref().and_then(GivenKey::readable));
        (findings, refused)
    }
}

/// With a common name, and whether it was given. `CN=Example.COM` is the name example.com; one that
/// is taken over and is none of the names gives way to the first of them.
fn subject(
    args: &CsrArgs,
    from: Option<&CsrTemplate>,
    names: &AltNames,
) -> Result<(SubjectName, bool), Failure> {
    let listed = |name: &str| {
        AltName::parse(name)
            .ok()
            .filter(|name| names.iter().any(|one| one == name))
    };
    let given = match (&args.subject, from) {
        (Some(typed), _) => Some(SubjectName::parse(typed)?),
        (None, Some(from)) => {
            let stays = args.ca == Some(Ca::Private)
                || from
                    .subject
                    .common_names()
                    .all(|name| listed(name).is_some());
            Some(if stays {
                from.subject.clone()
            } else {
                from.subject.clone().without_common_name()
            })
        }
        (None, None) => None,
    };
    let is_given = given.is_some();
    let subject = given
        .unwrap_or_default()
        .spelling_common_names(|name| Some(listed(name)?.text()));
    Ok((subject.or_named(names), is_given))
}

fn other_kind(given: &GivenKey, typed: KeyAlgorithm) -> Failure {
    let (path, algorithm) = (given.file.path.display(), given.file.algorithm);
    Failure::new(
        FailureKind::Usage,
        format!("--key-type {typed} is not the kind of {path}, which is {algorithm}"),
    )
    .with(NextStep::say(
        "leave one of the two out: --key uses that key, --key-type makes a new one",
    ))
}

/// An error whose code is among `codes` is a warning that says so.
pub(super) fn allowed(mut finding: Finding, codes: &[&'static str]) -> Finding {
    if finding.severity == Severity::Error && codes.contains(&finding.code) {
        finding.severity = Severity::Warning;
        finding
            .message
            .push_str(&format!("; allowed by --allow {}", finding.code));
        finding.next.clear();
    }
    finding
}
