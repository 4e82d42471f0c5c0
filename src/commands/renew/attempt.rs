//! Prepares the renewal of one certificate: finds what is prepared already, or makes a new key and
//! request beside the last ones.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::args::RenewArgs;
use super::folders::{RequestFolder, RequestFolders, requested_names, sorted_names};
use crate::advice::renew_command;
use crate::commands::renew::previous::{self, PreviousCertificate};
use crate::context::Context;
use crate::csr_lint::{self, EarlierContent, LintedRequest, ReusedKey};
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::record::DcvRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, Severity};
use crate::inputs::folder::{self, HeldFile};
use crate::inputs::request_files::{RequestPaths, StagedRequestFiles};
use crate::inputs::{self, dcv_file};
use crate::install::installed;
use crate::inventory::StatusRow;
use crate::inventory::reason::day;
use crate::inventory::schedule::{self, PaymentCoverage, RenewalTerms, ValidationMethod};
use crate::matching::{file_names, stem};
use crate::pki::alt_name::AltNames;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;
use crate::store::settings::LineageSettings;
use crate::system::fs::files;

/// The renewal of one certificate.
#[derive(Debug)]
pub(super) struct RenewalAttempt {
    /// The certificate's name in /etc/ssl, else the first of its names.
    pub(super) name: String,
    /// The names that are requested.
    pub(super) names: Vec<String>,
    /// From when on it is due.
    pub(super) due: Timestamp,
    /// The expiry date of the certificate.
    pub(super) not_after: Timestamp,
    /// The last day of the order term.
    pub(super) paid_until: Option<Date>,
    /// Whether the new certificate is part of the order; `None` if the term is unknown.
    pub(super) payment: Option<PaymentCoverage>,
    /// How control of the names is proven.
    pub(super) validation: ValidationMethod,
    /// The reseller or CA.
    pub(super) ca: Option<Ca>,
    pub(super) result: RenewalResult,
    pub(super) findings: Vec<Finding>,
    /// The words of the `dcv-check` command line for the folder of the request.
    pub(super) check_command: Vec<String>,
    /// The words of the `install` command line for the folder of the request.
    pub(super) install_command: Vec<String>,
}

/// What is prepared.
#[derive(Debug)]
pub(super) enum RenewalResult {
    /// The files that a dry run would write.
    Planned(RenewalFiles),
    Prepared(Box<PreparedRequest>),
    /// A newer certificate with its key exists in this file.
    Ready(PathBuf),
}

/// The files of a renewal.
#[derive(Debug)]
pub(super) struct RenewalFiles {
    pub(super) key: PathBuf,
    pub(super) request: PathBuf,
    /// The algorithm of the key.
    pub(super) algorithm: KeyAlgorithm,
}

/// Key and request of a renewal.
#[derive(Debug)]
pub(super) struct PreparedRequest {
    /// Whether they were made in this run.
    pub(super) is_new: bool,
    pub(super) files: RenewalFiles,
    pub(super) request: SigningRequest,
    /// The DNS records to publish, as far as they are known.
    pub(super) records: Vec<DcvRecord>,
}

/// A certificate to renew, and what is known about it.
struct RenewalContext<'a> {
    context: &'a Context,
    /// The run as it would be in the folder of the next request.
    place: Context,
    args: &'a RenewArgs,
    row: &'a StatusRow,
    previous: PreviousCertificate<'a>,
    folder: Rc<RequestFolder>,
}

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
    files: RenewalFiles,
}

/// Finds what is prepared for the next renewal of `row`, and prepares it if nothing is.
pub(super) fn prepare_renewal(
    context: &Context,
    args: &RenewArgs,
    row: &StatusRow,
    folders: &mut RequestFolders,
) -> Result<RenewalAttempt, Failure> {
    let Some(leaf) = row.certificate.as_deref() else {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("{} has no certificate", row.name),
        ));
    };
    let settings = match &row.stem {
        Some(stem) => installed::settings(context, stem)?,
        None => LineageSettings::default(),
    };
    let mut findings = Vec::new();
    let place = previous::in_request_folder(context, &settings, &mut findings);
    let folder = folders.read(&place, &place.directory)?;
    let previous = previous::find_previous(context, leaf, settings, &folder, folders)?;
    let renewal = RenewalContext {
        context,
        place,
        args,
        row,
        previous,
        folder,
    };
    let mut attempt = renewal.describe(findings);
    attempt.result = renewal.prepare(&mut attempt)?;
    if let RenewalResult::Prepared(prepared) = &attempt.result {
        attempt.names = requested_names(&prepared.request).collect();
    }
    Ok(attempt)
}

impl RenewalContext<'_> {
    /// Everything but the result.
    fn describe(&self, findings: Vec<Finding>) -> RenewalAttempt {
        let now = self.context.now();
        let previous = &self.previous;
        let not_after = self.row.ends.unwrap_or(previous.leaf.not_after);
        let due = self.row.due.unwrap_or(not_after);
        let paid_until = previous.settings.paid_until;
        // It is renewed today, even if it is due later.
        let terms = RenewalTerms {
            ends: not_after,
            due: due.min(now),
            proven: previous.leaf.not_before,
            paid_until,
        };
        let renew_before = self.args.renew_before.unwrap_or_default();
        let next = schedule::rounds(terms, renew_before, now)
            .into_iter()
            .next();
        let names = previous.names();
        let name = self.row.stem.clone();
        RenewalAttempt {
            name: name.unwrap_or_else(|| self.row.name.clone()),
            names: names.map_or_else(|_| previous.certificate_names(), |names| names.texts()),
            due,
            not_after,
            paid_until,
            payment: next.as_ref().and_then(|next| next.paid),
            validation: next.map_or(ValidationMethod::New, |next| next.proof),
            ca: previous.ca(),
            result: RenewalResult::Ready(PathBuf::new()),
            findings,
            check_command: self.place.again("dcv-check"),
            install_command: self.place.again("install"),
        }
    }

    fn prepare(&self, attempt: &mut RenewalAttempt) -> Result<RenewalResult, Failure> {
        let newer = self.newer_certificate();
        let pending = self.pending_request();
        match (newer, pending) {
            (Some(path), _) => Ok(RenewalResult::Ready(path)),
            (None, Some(held)) => {
                let prepared = self.describe_prepared(attempt, held)?;
                Ok(RenewalResult::Prepared(Box::new(prepared)))
            }
            (None, None) => self.prepare_new(attempt),
        }
    }

    /// The file with a certificate for the same names that expires later and whose key exists.
    fn newer_certificate(&self) -> Option<PathBuf> {
        let now = self.context.now();
        let previous = self.previous.leaf;
        let contents = &self.folder.contents;
        let names = sorted_names(self.previous.certificate_names().into_iter());
        let leaf = contents.leaves(now).into_iter().find(|leaf| {
            leaf.not_after > previous.not_after
                && leaf.is_in_date(now)
                && leaf_names(leaf) == names
                && contents.key(leaf.key_id).is_some()
        })?;
        contents
            .files_of(leaf)
            .first()
            .map(|path| (*path).to_owned())
    }

    /// The latest request for the same names and kind of key that no certificate answers yet.
    fn pending_request(&self) -> Option<&HeldFile<SigningRequest>> {
        let unanswered = self.unanswered_requests();
        let mut candidates: Vec<_> = self
            .folder
            .with_names(&self.previous.certificate_names())
            .collect();
        if let Some(held) = &self.previous.request {
            let names: Vec<String> = requested_names(&held.value).collect();
            candidates.extend(self.folder.with_names(&names));
        }
        candidates
            .into_iter()
            .filter(|held| {
                let is_new = unanswered.contains(held.path.as_path())
                    && self.has_same_kind_of_key(held)
                    && has_key(&self.folder, held);
                is_new || self.is_later_request_for_same_key(held)
            })
            .max_by_key(|held| file_names::lineage(&held.path).1)
    }

    /// The files of requests whose key no known certificate has.
    fn unanswered_requests(&self) -> HashSet<&Path> {
        let contents = &self.folder.contents;
        let certificates = contents.certificates.iter().flat_map(|file| &file.value);
        let mut issued: HashSet<PublicKeyId> =
            certificates.map(|certificate| certificate.key_id).collect();
        if let Some(stem) = &self.row.stem {
            issued.extend(installed::issued(self.context, stem));
        }
        issued.insert(self.previous.leaf.key_id);
        contents
            .waiting(&issued)
            .into_iter()
            .map(|held| held.path.as_path())
            .collect()
    }

    /// Whether both keys are RSA, or both are not.
    fn has_same_kind_of_key(&self, held: &HeldFile<SigningRequest>) -> bool {
        is_rsa(held.value.algorithm) == is_rsa(self.previous.leaf.algorithm)
    }

    fn is_later_request_for_same_key(&self, held: &HeldFile<SigningRequest>) -> bool {
        held.value.key_id == self.previous.leaf.key_id
            && is_later(&held.path, self.previous.request.as_ref())
    }

    /// Describes a request that was prepared earlier.
    fn describe_prepared(
        &self,
        attempt: &mut RenewalAttempt,
        held: &HeldFile<SigningRequest>,
    ) -> Result<PreparedRequest, Failure> {
        let stored = dcv_file::read(&dcv_file::beside(&held.path))?;
        attempt.ca = stored.ca().or(attempt.ca);
        if self.args.reuse_key && held.value.key_id != self.previous.leaf.key_id {
            let message = format!("{} was prepared with a key of its own", held.path.display());
            let finding = Finding::note("prepared-with-new-key", message)
                .with(renew_command::move_prepared_files_away());
            attempt.findings.push(finding);
        }
        let key = self.folder.contents.key(held.value.key_id);
        let files = RenewalFiles {
            key: key.map_or_else(|| held.path.with_extension("key"), |key| key.path.clone()),
            request: held.path.clone(),
            algorithm: held.value.algorithm,
        };
        Ok(PreparedRequest {
            is_new: false,
            records: self.records(&held.value, attempt.ca, &stored),
            request: held.value.clone(),
            files,
        })
    }

    /// The DNS records that the request needs.
    fn records(
        &self,
        request: &SigningRequest,
        ca: Option<Ca>,
        stored: &StoredRecord,
    ) -> Vec<DcvRecord> {
        let given: Vec<_> = stored
            .records()
            .into_iter()
            .filter(|record| expectation::belongs(record, request))
            .collect();
        let mut records = Vec::new();
        for mut expected in expectation::expectations(request, ca, &given) {
            if request.key_id == self.previous.leaf.key_id {
                expected.shop_decides(request);
            }
            records.push(expected.record);
        }
        records
    }

    /// Makes a new request, with a new key or the previous one.
    fn prepare_new(&self, attempt: &mut RenewalAttempt) -> Result<RenewalResult, Failure> {
        let planned = self.plan_new()?;
        attempt.findings.extend(self.lint(&planned, attempt.ca));
        if self.args.dry_run {
            return Ok(RenewalResult::Planned(planned.files));
        }
        let prepared = self.write_new(planned, attempt.ca)?;
        Ok(RenewalResult::Prepared(Box::new(prepared)))
    }

    fn plan_new(&self) -> Result<PlannedRequest, Failure> {
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
            files,
        })
    }

    /// What a CA would no longer accept, and that a key is reused. Other findings about the names
    /// were reported when they were chosen.
    fn lint(&self, planned: &PlannedRequest, ca: Option<Ca>) -> Vec<Finding> {
        let reused = planned
            .previous_key
            .as_ref()
            .map(|previous| self.reuse(previous));
        let faults = csr_lint::faults(&LintedRequest {
            names: &planned.names,
            subject: &planned.subject,
            algorithm: planned.files.algorithm,
            reused,
            before: EarlierContent::default(),
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
    ) -> Result<PreparedRequest, Failure> {
        let (key, writes_key) = match planned.previous_key {
            Some(previous) => (previous.key, previous.path.is_none()),
            None => (PrivateKey::generate(planned.files.algorithm)?, true),
        };
        let request = SigningRequest::ask(&planned.names, &planned.subject, &key)?;
        let new_key = writes_key.then_some(&key);
        let stored = write_files(&planned.paths, new_key, &request, ca)?;
        Ok(PreparedRequest {
            is_new: true,
            files: planned.files,
            records: self.records(&request, ca, &stored),
            request,
        })
    }

    fn reuse(&self, previous: &PreviousKey) -> ReusedKey {
        let expiry = day(self.previous.leaf.not_after);
        ReusedKey {
            spki: previous.key.spki().to_vec(),
            others: vec![format!("the certificate that ends on {expiry}")],
        }
    }

    /// The key of the previous certificate: from the folder of the requests, else the installed
    /// one.
    fn previous_key(&self) -> Result<PreviousKey, Failure> {
        let key_id = self.previous.leaf.key_id;
        let contents = &self.folder.contents;
        let in_folder = contents.key(key_id).map(|held| held.path.clone());
        let installed = self.row.keys.first();
        let path = in_folder
            .clone()
            .or_else(|| installed.map(|(place, _)| PathBuf::from(place.to_string())));
        let Some(path) = path else {
            let message = format!(
                "the key of {} is not in {}",
                self.row.name,
                contents.in_words()
            );
            return Err(
                Failure::new(FailureKind::NotFound, message).with(renew_command::omit_reuse_key())
            );
        };
        let keys = folder::read_file(&path)?.keys;
        let key = keys
            .into_iter()
            .map(|key| key.value)
            .find(|key| key.id() == key_id);
        let Some(key) = key else {
            return Err(Failure::new(
                FailureKind::Malformed,
                format!(
                    "{} does not hold the key of {}",
                    path.display(),
                    self.row.name
                ),
            ));
        };
        Ok(PreviousKey {
            path: in_folder,
            key,
        })
    }

    /// The paths of the next renewal number that has no files yet.
    fn unused_paths(&self) -> RequestPaths {
        let last = self.last_stem();
        let mut number = file_names::round(&last).saturating_add(1);
        loop {
            let stem = file_names::of_round(&last, number);
            let paths = RequestPaths::new(&self.place, &stem);
            let chain = self.place.here(format!("{stem}.fullchain.pem"));
            let is_taken = [&paths.key, &paths.request, &paths.record, &chain]
                .into_iter()
                .any(|path| files::occupied(path));
            if number == u32::MAX || !is_taken {
                return paths;
            }
            number += 1;
        }
    }

    /// The stem of the last request, else that of the certificate.
    fn last_stem(&self) -> String {
        let previous = &self.previous;
        let request = previous.request.as_ref().map(|held| stem(&held.path));
        request
            .filter(|stem| file_names::plain(stem))
            .or_else(|| {
                let stored = previous.settings.request.clone();
                stored.filter(|stem| file_names::plain(stem))
            })
            .or_else(|| self.row.stem.clone())
            .unwrap_or_else(|| inputs::stem_of(previous.leaf))
    }
}

/// The names of a certificate in a canonical order.
fn leaf_names(leaf: &Certificate) -> Vec<String> {
    let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
    sorted_names(leaf.dns_names.iter().cloned().chain(addresses))
}

fn is_rsa(algorithm: KeyAlgorithm) -> bool {
    matches!(algorithm, KeyAlgorithm::Rsa(_))
}

/// Whether `path` is of a later renewal than the request that was answered.
fn is_later(path: &Path, answered: Option<&HeldFile<SigningRequest>>) -> bool {
    let (lineage, number) = file_names::lineage(path);
    answered.is_some_and(|held| {
        let (answered_lineage, answered_number) = file_names::lineage(&held.path);
        answered_lineage == lineage && number > answered_number
    })
}

/// Whether the folder has the request's key; an encrypted key beside the request counts.
fn has_key(folder: &RequestFolder, held: &HeldFile<SigningRequest>) -> bool {
    let beside = held.path.with_extension("key");
    let contents = &folder.contents;
    contents.key(held.value.key_id).is_some()
        || contents.locked.iter().any(|locked| locked.path == beside)
}

/// Writes the request, its `.dcv` file, and the key if it is new.
fn write_files(
    paths: &RequestPaths,
    new_key: Option<&PrivateKey>,
    request: &SigningRequest,
    ca: Option<Ca>,
) -> Result<StoredRecord, Failure> {
    let mut stored = StoredRecord::default();
    if let Some(ca) = ca {
        stored.set_ca(ca);
    }
    let key = new_key.map(PrivateKey::to_pem);
    let key = key.as_ref().map(|pem| pem.as_str());
    StagedRequestFiles::stage(paths, key, request, &stored)?.put(&[])?;
    Ok(stored)
}
