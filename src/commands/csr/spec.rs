//! The content of the new request, from the command line and from the source of `--like`.

use std::path::Path;

use super::args::CsrArgs;
use super::command_line;
use super::key::GivenKey;
use super::template::CsrTemplate;
use crate::advice::csr_command;
use crate::context::Context;
use crate::csr_lint::{self, EarlierContent, LintedRequest};
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, Severity};
use crate::inputs::InputReader;
use crate::pki::alt_name::{AltName, AltNames};
use crate::pki::key::KeyAlgorithm;
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;

/// The content of a new request.
pub(super) struct CsrSpec {
    pub names: AltNames,
    /// The subject with its common name.
    pub subject: SubjectName,
    /// The kind of key, if one was requested.
    pub key_type: Option<KeyAlgorithm>,
    /// The key of `--key`.
    pub given: Option<GivenKey>,
    /// A description of the source of `--like`.
    pub from: Option<String>,
    /// Reads encrypted files. The only one of a run: it has read the password, which stdin sends only
    /// once.
    pub reader: InputReader,
    /// False if the subject is only a common name made from the names.
    has_own_subject: bool,
    before: EarlierContent,
}

impl CsrSpec {
    /// Combines the command line and the source of `--like`; command-line values take precedence.
    ///
    /// # Errors
    /// When names or subject are invalid, or a file cannot be read.
    pub(super) fn new(context: &Context, args: &CsrArgs) -> Result<Self, Failure> {
        let reader = InputReader::new(context, &args.reading)?;
        let template = args
            .like
            .as_deref()
            .map(|from| CsrTemplate::read(context, &reader, from))
            .transpose()?;
        let given = args
            .key
            .as_deref()
            .map(|path| GivenKey::read(context, &reader, path))
            .transpose()?;
        let names = match &template {
            Some(template) if args.names.is_empty() => template.names.clone(),
            _ => AltNames::parse(&args.names)?,
        };
        let given_subject = given_subject(args, template.as_ref(), &names)?;
        let key_type = key_type(args, given.as_ref(), template.as_ref())?;
        let before = earlier_content(args, given.as_ref(), template.as_ref());
        Ok(Self {
            subject: subject_for(given_subject.clone(), &names),
            names,
            key_type,
            given,
            from: template.map(|template| template.label),
            reader,
            has_own_subject: given_subject.is_some(),
            before,
        })
    }

    /// Returns the algorithm of the request's key.
    pub(super) fn algorithm(&self) -> KeyAlgorithm {
        self.key_type.unwrap_or(KeyAlgorithm::EcdsaP256)
    }

    /// Returns whether `request` is for the same names.
    pub(super) fn matches_names(&self, request: &SigningRequest) -> bool {
        request
            .alt_names()
            .is_some_and(|names| names.same_set(&self.names))
    }

    /// Returns whether `request` has another subject than the one that was given.
    pub(super) fn differs_in_subject(&self, request: &SigningRequest) -> bool {
        self.has_own_subject && self.subject.to_der() != request.subject_der()
    }

    /// Reports what a CA would refuse; findings with a code of `--allow` become warnings. `request` is
    /// the path of the new request.
    pub(super) fn findings(
        &self,
        context: &Context,
        args: &CsrArgs,
        request: &Path,
    ) -> Vec<Finding> {
        let mut faults = csr_lint::find_faults(&self.linted_request(context, args, request));
        csr_lint::repair_together(&mut faults, &args.allow, self.names.iter().count());
        let is_refused = faults.iter().any(|fault| {
            fault.rule.severity == Severity::Error && !args.allow.contains(&fault.rule.code)
        });
        // Once the files exist, a corrected request has to replace them.
        let writes_files = !is_refused && !args.dry_run;
        let args = CsrArgs {
            force: args.force || writes_files,
            ..args.clone()
        };
        let mut findings = Vec::new();
        for fault in &faults {
            let finding = fault.to_finding(|changes| {
                command_line::changed_words(context, &args, &self.names, changes)
            });
            findings.push(demote_allowed(finding, &args.allow));
        }
        findings.extend(
            self.given
                .as_ref()
                .and_then(|given| given.file.doubtful_key_finding()),
        );
        findings
    }

    fn linted_request(
        &self,
        context: &Context,
        args: &CsrArgs,
        request: &Path,
    ) -> LintedRequest<'_> {
        let reused = self
            .given
            .as_ref()
            .map(|given| given.reused_key(context, request));
        LintedRequest {
            names: &self.names,
            subject: &self.subject,
            algorithm: self.algorithm(),
            reused_key: reused,
            earlier_content: self.before,
            ca: args.ca,
        }
    }
}

/// Returns the algorithm of the key of `--key`, else `--key-type`, else that of `--like`.
///
/// # Errors
/// When `--key-type` contradicts the key of `--key`.
fn key_type(
    args: &CsrArgs,
    given: Option<&GivenKey>,
    template: Option<&CsrTemplate>,
) -> Result<Option<KeyAlgorithm>, Failure> {
    let typed = args.key_type.map(KeyAlgorithm::from);
    match (given, typed) {
        (Some(given), Some(typed)) if typed != given.file.algorithm => {
            Err(contradicting_key_type(given, typed))
        }
        (Some(given), _) => Ok(Some(given.file.algorithm)),
        (None, Some(typed)) => Ok(Some(typed)),
        (None, None) => Ok(template.and_then(|template| template.key_type)),
    }
}

/// Returns what the source of `--like` contains and the new request does not take over.
fn earlier_content(
    args: &CsrArgs,
    given: Option<&GivenKey>,
    template: Option<&CsrTemplate>,
) -> EarlierContent {
    let mut before = template.map(|template| template.before).unwrap_or_default();
    if given.is_some() || args.key_type.is_some() {
        before.short_rsa = None;
    }
    before
}

/// Returns the subject of `--subject`, else that of `--like`. A common name of `--like` that is not
/// among the names is removed, except for a private CA.
fn given_subject(
    args: &CsrArgs,
    template: Option<&CsrTemplate>,
    names: &AltNames,
) -> Result<Option<SubjectName>, Failure> {
    if let Some(typed) = &args.subject {
        return Ok(Some(SubjectName::parse(typed)?));
    }
    let Some(template) = template else {
        return Ok(None);
    };
    let subject = template.subject.clone();
    let keeps_common_name = args.ca == Some(Ca::Private)
        || template
            .subject
            .common_names()
            .all(|name| listed_name(name, names).is_some());
    Ok(Some(if keeps_common_name {
        subject
    } else {
        subject.without_common_name()
    }))
}

/// Returns the subject with a common name: `CN=Example.COM` becomes the listed name example.com, and
/// the first name is used if there is none.
fn subject_for(given: Option<SubjectName>, names: &AltNames) -> SubjectName {
    given
        .unwrap_or_default()
        .spelling_common_names(|name| Some(listed_name(name, names)?.text()))
        .or_named(names)
}

fn listed_name(text: &str, names: &AltNames) -> Option<AltName> {
    let name = AltName::parse(text).ok()?;
    names.iter().any(|listed| *listed == name).then_some(name)
}

fn contradicting_key_type(given: &GivenKey, typed: KeyAlgorithm) -> Failure {
    let path = given.file.path.display();
    let algorithm = given.file.algorithm;
    let message = format!("`--key-type {typed}` contradicts `--key`: {path} is {algorithm}");
    Failure::new(FailureKind::Usage, message).with_step(csr_command::choose_key_or_key_type())
}

/// Turns an error whose code is in `allowed` into a warning that says so.
pub(super) fn demote_allowed(mut finding: Finding, allowed: &[&'static str]) -> Finding {
    if finding.severity == Severity::Error && allowed.contains(&finding.code) {
        finding.severity = Severity::Warning;
        let note = format!("; accepted because of `--allow {}`", finding.code);
        finding.message.push_str(&note);
        finding.next.clear();
    }
    finding
}

pub(super) fn has_errors(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}
