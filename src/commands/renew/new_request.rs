//! Makes the request of a renewal, with a new key or the previous one, and writes its files.

use std::path::{Path, PathBuf};

use crate::advice::{key_files, renew_command};
use crate::audit::{self, AuditAction};
use crate::commands::renew::attempt::{
    PreparedRequest, RenewalAttempt, RenewalContext, RenewalFiles, RenewalResult,
};
use crate::csr_lint::{self, EarlierContent, LintedRequest, ReusedKey};
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, Severity};
use crate::inputs::request_files::{RequestPaths, StagedRequestFiles};
use crate::inputs::request_steps::RequestStep;
use crate::inputs::{self, FoundKeyFile};
use crate::matching::key_trust::RefusedKeyFile;
use crate::matching::{file_names, file_stem_of};
use crate::pki::alt_name::AltNames;
use crate::pki::key::PrivateKey;
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;
use crate::system::fs::access::check_writable;
use crate::system::fs::files;
use crate::wording::day;

/// The key of the previous certificate.
struct PreviousKey {
    /// Its file, if that is in the folder of the requests.
    path: Option<PathBuf>,
    key: PrivateKey,
}

/// A request that is about to be made.
struct PlannedRequest {
    names: AltNames,
    subject: SubjectName,
    /// The key to reuse.
    previous_key: Option<PreviousKey>,
    paths: RequestPaths,
    /// The `.dcv` file's content.
    stored: StoredRecord,
    files: RenewalFiles,
}

impl RenewalContext<'_> {
    /// Makes a new request, with a new key or the previous one.
    pub(super) fn prepare_new(
        &self,
        attempt: &mut RenewalAttempt,
    ) -> Result<RenewalResult, Failure> {
        let planned = self.plan_new(attempt.ca)?;
        attempt.steps = planned.steps();
        attempt.findings.extend(self.lint(&planned, attempt.ca));
        if self.args.dry_run {
            check_writable(files::parent(&planned.paths.request))?;
            return Ok(RenewalResult::Planned(planned.files));
        }
        let prepared = self.write_new(planned, attempt.ca, &mut attempt.findings)?;
        Ok(RenewalResult::Prepared(Box::new(prepared)))
    }

    fn plan_new(&self, ca: Option<Ca>) -> Result<PlannedRequest, Failure> {
        let names = self.previous.names()?;
        let subject = self.previous.subject(&names);
        let previous_key = if self.args.reuse_key {
            Some(self.previous_key()?)
        } else {
            None
        };
        let paths = self.unused_paths();
        let algorithm = match &previous_key {
            Some(previous) => previous.key.algorithm(),
            None => self.previous.algorithm(),
        };
        // A key that exists in this folder is not copied.
        let existing_key = previous_key
            .as_ref()
            .and_then(|previous| previous.path.clone());
        let files = RenewalFiles {
            key: existing_key.unwrap_or_else(|| paths.key.clone()),
            request: paths.request.clone(),
            algorithm,
        };
        Ok(PlannedRequest {
            names,
            subject,
            previous_key,
            paths,
            stored: ca.map(StoredRecord::of_ca).unwrap_or_default(),
            files,
        })
    }

    /// Warns about what a CA would no longer accept, and about a reused key. Other findings about the
    /// names were reported by `csr`.
    fn lint(&self, planned: &PlannedRequest, ca: Option<Ca>) -> Vec<Finding> {
        let reused = planned
            .previous_key
            .as_ref()
            .map(|previous| self.reuse(previous));
        let faults = csr_lint::find_faults(&LintedRequest {
            names: &planned.names,
            subject: &planned.subject,
            algorithm: planned.files.algorithm,
            reused_key: reused,
            earlier_content: EarlierContent::default(),
            ca,
        });
        let mut findings = Vec::new();
        for fault in faults {
            let code = fault.rule.code;
            if fault.rule.severity == Severity::Error || code == "key-reused" {
                findings.push(Finding::warning(code, fault.to_string()));
            }
        }
        findings
    }

    fn write_new(
        &self,
        planned: PlannedRequest,
        ca: Option<Ca>,
        findings: &mut Vec<Finding>,
    ) -> Result<PreparedRequest, Failure> {
        let (key, writes_key) = match planned.previous_key {
            Some(previous) => (previous.key, previous.path.is_none()),
            None => (PrivateKey::generate(planned.files.algorithm)?, true),
        };
        let request = SigningRequest::build_with_subject(&planned.names, &planned.subject, &key)?;
        let new_key = writes_key.then_some(&key);
        write_files(&planned.paths, new_key, &request, &planned.stored)?;
        if new_key.is_some() {
            let path = &planned.paths.key;
            let key_id = request.key_id.to_string();
            let failed = audit::record_key(self.context, AuditAction::CreateKey, path, key_id);
            findings.extend(failed);
        }
        Ok(PreparedRequest {
            is_new: true,
            files: planned.files,
            records: self.records(&request, ca, &planned.stored),
            request,
        })
    }

    fn reuse(&self, previous: &PreviousKey) -> ReusedKey {
        let expiry = day(self.previous.leaf.not_after);
        ReusedKey {
            spki: previous.key.spki().to_vec(),
            also_used_by: vec![format!("the certificate that expires on {expiry}")],
        }
    }

    /// Reads the key of the previous certificate from the folder of the requests, else the installed
    /// one.
    fn previous_key(&self) -> Result<PreviousKey, Failure> {
        let key_id = self.previous.leaf.key_id;
        let contents = &self.folder.contents;
        let in_folder = contents.key(key_id).map(|held| held.path.clone());
        let path = match (&in_folder, self.row.keys.first()) {
            (Some(path), _) => Some(path.clone()),
            (None, Some((location, _))) => Some(PathBuf::from(location.to_string())),
            (None, None) => None,
        };
        if let Some(refused) = contents.refused_key(key_id) {
            return Err(refused_previous_key(refused));
        }
        let Some(path) = path else {
            let message = format!(
                "the key of {} was not found in {}",
                self.row.name,
                contents.describe()
            );
            return Err(Failure::new(FailureKind::NotFound, message)
                .with_step(renew_command::omit_reuse_key()));
        };
        let file = if in_folder.is_some() {
            FoundKeyFile::read(&path)?
        } else {
            FoundKeyFile::read_installed(&path)?
        };
        Ok(PreviousKey {
            key: self.take_key(file, &path)?,
            path: in_folder,
        })
    }

    /// Returns the key of the previous certificate from its file.
    fn take_key(&self, file: FoundKeyFile, path: &Path) -> Result<PrivateKey, Failure> {
        match file.into_key(path, self.previous.leaf.key_id) {
            Some(Ok(key)) => Ok(key.into_held().value),
            Some(Err(refused)) => Err(refused_previous_key(&refused)),
            None => {
                let path = path.display();
                let message = format!("{path} does not contain the key of {}", self.row.name);
                Err(Failure::new(FailureKind::Malformed, message))
            }
        }
    }

    /// Returns the paths of the next renewal number that has no files yet.
    fn unused_paths(&self) -> RequestPaths {
        let last = self.last_stem();
        let mut number = file_names::renewal_number(&last).saturating_add(1);
        loop {
            let stem = file_names::renewal_stem(&last, number);
            let paths = RequestPaths::new(&self.folder_context, &stem);
            let chain = self.folder_context.path_of(format!("{stem}.fullchain.pem"));
            let is_taken = [&paths.key, &paths.request, &paths.record, &chain]
                .into_iter()
                .any(|path| files::exists(path));
            if number == u32::MAX || !is_taken {
                return paths;
            }
            number += 1;
        }
    }

    /// Returns the stem of the last request, else that of the certificate.
    fn last_stem(&self) -> String {
        let previous = &self.previous;
        let request = previous
            .request
            .as_ref()
            .map(|held| file_stem_of(&held.path));
        request
            .filter(|stem| file_names::is_safe_name(stem))
            .or_else(|| {
                let stored = previous.settings.request.clone();
                stored.filter(|stem| file_names::is_safe_name(stem))
            })
            .or_else(|| self.row.installed_as.clone())
            .unwrap_or_else(|| inputs::file_stem_of(previous.leaf))
    }
}

fn refused_previous_key(refused: &RefusedKeyFile) -> Failure {
    key_files::key_not_used(&refused.file, "belongs to the certificate", None)
}

impl PlannedRequest {
    /// Lists what [`RenewalContext::write_new`] writes.
    fn steps(&self) -> Vec<RequestStep> {
        let is_in_folder = self
            .previous_key
            .as_ref()
            .is_some_and(|previous| previous.path.is_some());
        let new_key = (!is_in_folder).then_some(self.files.algorithm);
        RequestStep::list(&self.paths, new_key, &self.stored, &[])
    }
}

/// Writes the request, its `.dcv` file, and the key if it is new.
fn write_files(
    paths: &RequestPaths,
    new_key: Option<&PrivateKey>,
    request: &SigningRequest,
    stored: &StoredRecord,
) -> Result<(), Failure> {
    let key = new_key.map(PrivateKey::to_pem);
    let key = key.as_ref().map(|pem| pem.as_str());
    StagedRequestFiles::stage(paths, key, request, stored)?.move_into_place(&[])?;
    Ok(())
}
