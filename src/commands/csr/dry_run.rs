//! `csr --dry-run`: checks everything, and reports what would be written.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::CsrArgs;
use super::existing::RequestTarget;
use super::key::{self, KeyOrigin};
use super::spec::CsrSpec;
use crate::advice::dcv::not_confirmed;
use crate::context::Context;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::request_steps::RequestStep;
use crate::pki::alt_name::AltNames;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};
use crate::scan::newer;
use crate::system::fs::access::check_writable;
use crate::system::fs::files;

/// What a dry run found out about a request.
pub(super) struct RequestPlan<'a> {
    pub steps: &'a [RequestStep],
    /// The request that exists already.
    pub existing: Option<&'a SigningRequest>,
    pub stored: &'a StoredRecord,
    pub findings: &'a [Finding],
}

impl<'a> RequestPlan<'a> {
    /// A plan for files that do not exist yet.
    pub(super) fn of_new_request(
        steps: &'a [RequestStep],
        stored: &'a StoredRecord,
        findings: &'a [Finding],
    ) -> Self {
        Self {
            steps,
            existing: None,
            stored,
            findings,
        }
    }

    /// Returns the fields of the dry run.
    pub(super) fn summarize(&self, args: &CsrArgs, spec: &CsrSpec) -> DryRunSummary {
        let considered = json!({
            "goal": "csr",
            "names": spec.names.texts(),
            "subject": hex::encode(spec.subject.to_der()),
            "algorithm": spec.algorithm().to_string(),
            "key": spec.given.as_ref().map(|given| given.file.id.to_string()),
            "encrypted": args.encrypt_key,
            "allow": args.allow,
            "force": args.force,
            "existing": self.existing.map(SigningRequest::sha256),
            "record": self.stored.text(),
            "steps": self.steps,
            "findings": report::considered_findings(self.findings),
        });
        DryRunSummary {
            would_change: !self.steps.is_empty(),
            plan_id: report::plan_id(considered),
        }
    }
}

/// A request that is not written.
#[derive(Debug)]
pub(super) struct PlannedCsr {
    names: AltNames,
    /// A description of the source of `--like`.
    from: Option<String>,
    key_path: PathBuf,
    algorithm: KeyAlgorithm,
    /// The id of the key of `--key`; that of a new key is not known yet.
    key_id: Option<PublicKeyId>,
    encrypted: bool,
    origin: KeyOrigin,
    request_path: PathBuf,
    subject: String,
    steps: Vec<RequestStep>,
    findings: Vec<Finding>,
    dry_run: DryRunSummary,
}

impl PlannedCsr {
    /// Checks what can be checked without writing: that the request can be signed, and that the
    /// folder is writable. The password file was read with the names.
    ///
    /// # Errors
    /// When one of these checks fails.
    pub(super) fn new(
        context: &Context,
        args: &CsrArgs,
        spec: &CsrSpec,
        target: &RequestTarget,
        plan: &RequestPlan<'_>,
    ) -> Result<Self, Failure> {
        check_writable(files::parent(&target.paths.request))?;
        let request = sign(spec)?;
        let plan = RequestPlan {
            findings: &further_findings(context, spec, &request, plan),
            ..*plan
        };
        let dry_run = plan.summarize(args, spec);
        let given = spec.given.as_ref().map(|given| &given.file);
        let key_path = given.map_or(&target.paths.key, |file| &file.path).clone();
        Ok(Self {
            names: spec.names.clone(),
            from: spec.from.clone(),
            key_path,
            algorithm: spec.algorithm(),
            key_id: given.map(|file| file.id),
            encrypted: given.map_or(args.encrypt_key, |file| file.encrypted),
            origin: given.map_or(KeyOrigin::Made, |file| file.origin),
            request_path: target.paths.request.clone(),
            subject: request.subject,
            steps: plan.steps.to_vec(),
            findings: plan.findings.to_vec(),
            dry_run,
        })
    }
}

/// Adds what is reported about every request: that a certificate for the names is installed, and that
/// no record of the reseller confirms the CA's form of the record.
fn further_findings(
    context: &Context,
    spec: &CsrSpec,
    request: &SigningRequest,
    plan: &RequestPlan<'_>,
) -> Vec<Finding> {
    let mut findings = plan.findings.to_vec();
    findings.extend(key::about_installed(context, &spec.names, request.key_id));
    let stored = plan.stored;
    let ca = stored.ca().filter(|_| stored.records().is_empty());
    findings.extend(ca.and_then(not_confirmed));
    findings
}

/// Signs the request with the key of `--key`, else with a key that is thrown away.
fn sign(spec: &CsrSpec) -> Result<SigningRequest, Failure> {
    let names = &spec.names;
    let subject = &spec.subject;
    let request = match &spec.given {
        Some(given) => SigningRequest::build_with_subject(names, subject, &given.key)?,
        None => {
            let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
            SigningRequest::build_with_subject(names, subject, &key)?
        }
    };
    Ok(SigningRequest::from_der(request.der())?)
}

/// The entry of the requested certificate in `certificates`.
pub(super) fn certificate_json(names: &AltNames, plan: Value, findings: &[Finding]) -> Value {
    json!({
        "name": names.primary().text(),
        "plan": plan,
        "findings": findings,
    })
}

impl Outcome for PlannedCsr {
    fn json(&self) -> Value {
        let mut document = json!({
            "schema": "certctl.csr/1",
            "changed": false,
            "names": self.names.texts(),
            "from": self.from,
            "key": {
                "path": report::path_text(&self.key_path),
                "algorithm": self.algorithm.to_string(),
                "id": self.key_id.map(|id| id.to_string()),
                "encrypted": self.encrypted,
                "reused": self.origin == KeyOrigin::Given,
            },
            "request": {
                "path": report::path_text(&self.request_path),
                "md5": null,
                "sha256": null,
                "subject": self.subject,
                "pem": null,
            },
            "records": [],
            "backups": [],
            "certificates": [certificate_json(&self.names, report::plan_json(&self.steps), &self.findings)],
            "findings": self.findings,
            "next": newer::first_steps(&self.findings),
        });
        self.dry_run.add_to(&mut document);
        document
    }

    fn human(&self, text: &mut TextOutput) {
        if let Some(from) = &self.from {
            text.add(Label::Found, from);
        }
        show_steps(text, &self.steps);
        text.add_continuation(format!("names: {}", self.names));
        text.add_findings(&self.findings);
        text.add(Label::Done, "dry run: nothing was changed");
    }

    fn exit_code(&self) -> u8 {
        0
    }
}

/// Shows each step of a dry run.
pub(super) fn show_steps(text: &mut TextOutput, steps: &[RequestStep]) {
    if steps.is_empty() {
        text.add(Label::Plan, "nothing: everything is up to date");
    }
    for step in steps {
        text.add(Label::Plan, step.to_string());
    }
}
