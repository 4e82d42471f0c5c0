//! `certctl install --check`: checks that the installed files and the served certificate are
//! unchanged.

use serde_json::{Value, json};

use super::InstallArgs;
use crate::advice::lineages;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::install::drift_check::{self, DriftCheck};
use crate::install::installed;
use crate::install::outcome::InstallVerdict;
use crate::install::public_facts;
use crate::report::{self, Label, Outcome, TextOutput};
use crate::scan::newer::UnservedCertificates;
use crate::store::deployed::DeployedCertificate;
use crate::store::release::Release;

/// The outcome of `install --check`: one entry per certificate.
#[derive(Debug)]
pub(crate) struct CheckOutcome(Vec<DriftCheck>);

/// Checks the named certificates, or all installed ones if none is named.
///
/// # Errors
/// When a name has no installed certificate, or files cannot be read.
pub(crate) fn run(context: &Context, args: &InstallArgs) -> Result<CheckOutcome, Failure> {
    let mut stems = Vec::new();
    for name in &args.files {
        let stem = match installed::find_folder(context, name)? {
            Some(stem) => stem,
            None => installed::find_named(context, "install --check", Some(name))?,
        };
        if !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    if args.files.is_empty() {
        stems = installed::list_installed(context)?;
    }
    if stems.is_empty() {
        let message = "certctl has not installed any certificate here";
        return Err(Failure::new(FailureKind::NotFound, message)
            .with_step(lineages::install_one(context.root.as_deref())));
    }
    let mut checks = drift_check::check(context, &stems)
        .map_err(|failure| public_facts::add_drift_facts(context, &stems, failure))?;
    let unserved = UnservedCertificates::default();
    for check in &mut checks {
        name_unserved(context, &unserved, check);
    }
    Ok(CheckOutcome(checks))
}

/// Where no server was probed for a valid certificate: puts first that a server of this machine serves
/// an older one.
fn name_unserved(context: &Context, unserved: &UnservedCertificates, check: &mut DriftCheck) {
    let leaf = check.release.as_ref().map(Release::leaf);
    let valid = leaf.filter(|leaf| check.probes.is_empty() && leaf.is_in_date(context.now()));
    if let Some(finding) = valid.and_then(|leaf| unserved.find(context, &leaf.dns_names)) {
        check.findings.insert(0, finding);
    }
}

impl CheckOutcome {
    fn verdict(&self) -> InstallVerdict {
        for verdict in [InstallVerdict::Refused, InstallVerdict::NotServed] {
            if self.count(verdict) > 0 {
                return verdict;
            }
        }
        InstallVerdict::Unchanged
    }

    /// How many certificates have this verdict.
    fn count(&self, verdict: InstallVerdict) -> usize {
        self.0
            .iter()
            .filter(|check| check.verdict() == verdict)
            .count()
    }
}

impl Outcome for CheckOutcome {
    fn json(&self) -> Value {
        let mut findings: Vec<&Finding> = Vec::new();
        let mut certificates = Vec::new();
        for check in &self.0 {
            findings.extend(&check.findings);
            certificates.push(check_json(check));
        }
        json!({
            "schema": "certctl.install/1",
            "verdict": self.verdict().name(),
            "changed": false,
            "certificates": certificates,
            "findings": findings,
            "next": [],
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for check in &self.0 {
            print_check(check, text);
        }
        if self.0.len() > 1 {
            let unchanged = self.count(InstallVerdict::Unchanged);
            let line = format!("{unchanged} of {} certificates are unchanged", self.0.len());
            text.add(Label::Done, line);
        }
    }

    fn exit_code(&self) -> u8 {
        self.verdict().exit_code()
    }
}

fn print_check(check: &DriftCheck, text: &mut TextOutput) {
    let leaf = check
        .release
        .as_ref()
        .map(|release| report::certificate_in_words(release.leaf()));
    let leaf = leaf.unwrap_or_else(|| "the certificate cannot be loaded".to_owned());
    let state = match (check.verdict(), check.probes.len()) {
        (InstallVerdict::Unchanged, 0) => "links, files, modes and owners are unchanged",
        (InstallVerdict::Unchanged, _) => {
            "links, files, modes and owners are unchanged, and servers serve the certificate"
        }
        (InstallVerdict::NotServed, _) => {
            "the installed files are unchanged, but the certificate is not served as it should be"
        }
        _ if check.is_unfinished() => "the installed files are unchanged, but not verified live",
        _ => "changed since it was installed",
    };
    let label = if check.verdict() == InstallVerdict::Unchanged {
        Label::Done
    } else {
        Label::Found
    };
    text.add(label, format!("{}: {leaf}; {state}", check.name));
    text.add_findings(&check.findings);
}

fn check_json(check: &DriftCheck) -> Value {
    let release = check.release.as_ref();
    let deployed = release.map(|release| DeployedCertificate::new(release, &check.layout));
    let has_key = check.layout.key_path().is_some();
    let key_mode = release
        .filter(|_| has_key)
        .map(|release| release.access.mode);
    json!({
        "name": check.name,
        "verdict": check.verdict().name(),
        "changed": false,
        "release": release.map(|release| release.id.to_string()),
        "chain_path": report::path_text(check.layout.chain_path()),
        "key_path": check.layout.key_path().map(report::path_text),
        "key_mode": key_mode.map(|mode| mode.to_string()),
        "not_after": release.map(Release::not_after),
        "sha256": release.map(|release| release.leaf().sha256()),
        "before": deployed,
        "after": deployed,
        "proof": check.proof(),
        "probes": check.probes,
        "plan": null,
        "findings": check.findings,
        "next": [],
    })
}
