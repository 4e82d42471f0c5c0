//! Prepares the renewal of one certificate: finds the request of an earlier run, or makes a new one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::args::RenewArgs;
use super::folders::{RequestFolder, RequestFolders, requested_names, sorted_names};
use crate::advice::{key_files, renew_command};
use crate::commands::renew::previous::{self, PreviousCertificate};
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::record::DcvRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::dcv_file;
use crate::inputs::folder::{FolderContents, HeldFile};
use crate::inputs::request_steps::RequestStep;
use crate::install::installed;
use crate::inventory::StatusRow;
use crate::inventory::due::is_urgent;
use crate::inventory::schedule::{self, PaymentCoverage, RenewalTerms, ValidationMethod};
use crate::matching::file_names;
use crate::matching::key_trust::RefusedKeyFile;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::scan::newer::{self, UnservedCertificates};
use crate::store::deployed::DeployedCertificate;
use crate::store::layout::KeyStorage;
use crate::store::settings::LineageSettings;

/// The renewal of one certificate.
#[derive(Debug)]
pub(super) struct RenewalAttempt {
    /// The certificate's name in /etc/ssl, else the first of its names.
    pub name: String,
    /// The names that are requested.
    pub names: Vec<String>,
    /// The time from which it is due.
    pub due: Timestamp,
    /// The expiry date of the certificate.
    pub not_after: Timestamp,
    /// The last day of the order term.
    pub paid_until: Option<Date>,
    /// Whether the new certificate is part of the order; `None` if the term is unknown.
    pub payment: Option<PaymentCoverage>,
    /// How the names are validated.
    pub validation: ValidationMethod,
    /// The reseller or CA.
    pub ca: Option<Ca>,
    pub result: RenewalResult,
    /// Whether little time is left until it expires.
    pub is_urgent: bool,
    /// What this run wrote, or would write.
    pub steps: Vec<RequestStep>,
    /// The fingerprint of the certificate that is renewed.
    pub sha256: String,
    /// What servers read at the certificate's paths; it stays until the new one is installed.
    pub deployed: Option<DeployedCertificate>,
    pub findings: Vec<Finding>,
    /// The words of the `dcv-check` command line for the folder of the request.
    pub check_command: Vec<String>,
    /// The words of the `install` command line for the folder of the request.
    pub install_command: Vec<String>,
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
    pub key: PathBuf,
    pub request: PathBuf,
    /// The algorithm of the key.
    pub algorithm: KeyAlgorithm,
}

/// Key and request of a renewal.
#[derive(Debug)]
pub(super) struct PreparedRequest {
    /// Whether they were made in this run.
    pub is_new: bool,
    pub files: RenewalFiles,
    pub request: SigningRequest,
    /// The DNS records to publish, as far as they are known.
    pub records: Vec<DcvRecord>,
}

/// A certificate to renew, and what is known about it.
pub(super) struct RenewalContext<'a> {
    pub context: &'a Context,
    /// The context for the folder of the next request.
    pub folder_context: Context,
    pub args: &'a RenewArgs,
    pub row: &'a StatusRow,
    pub previous: PreviousCertificate<'a>,
    pub folder: Rc<RequestFolder>,
}

/// Finds what is prepared for the renewal of `row`, and prepares it if nothing is.
pub(super) fn prepare_renewal(
    context: &Context,
    args: &RenewArgs,
    row: &StatusRow,
    folders: &mut RequestFolders,
    unserved: &UnservedCertificates,
) -> Result<RenewalAttempt, Failure> {
    let Some(leaf) = row.certificate.as_deref() else {
        return Err(Failure::new(
            FailureKind::NotFound,
            format!("{} has no certificate", row.name),
        ));
    };
    let settings = saved_settings(context, row)?;
    let mut findings = Vec::new();
    let folder_context = previous::in_request_folder(context, &settings, &mut findings);
    let folder = folders.read(&folder_context, &folder_context.directory)?;
    let previous = previous::find_previous(context, leaf, settings, &folder, folders)?;
    let renewal = RenewalContext {
        context,
        folder_context,
        args,
        row,
        previous,
        folder,
    };
    if leaf.is_in_date(context.now()) {
        findings.extend(unserved.find(context, &row.names));
    }
    let mut attempt = renewal.describe(findings);
    // What can fail comes before the files of the request are written.
    if let Some(stem) = &row.installed_as {
        attempt.deployed = installed::find_deployed(context, stem)?;
    }
    attempt.result = renewal.prepare(&mut attempt)?;
    attempt.adopt_result();
    Ok(attempt)
}

/// Returns the saved options of an installed certificate.
fn saved_settings(context: &Context, row: &StatusRow) -> Result<LineageSettings, Failure> {
    match &row.installed_as {
        Some(stem) => installed::read_settings(context, stem),
        None => Ok(LineageSettings::default()),
    }
}

impl RenewalAttempt {
    /// Takes the names from the request; a step of the result is not reported twice.
    fn adopt_result(&mut self) {
        match &self.result {
            RenewalResult::Prepared(prepared) => {
                self.names = requested_names(&prepared.request).collect();
            }
            RenewalResult::Ready(_) => self.findings.retain(|one| !newer::is_about_newer(one)),
            RenewalResult::Planned(_) => {}
        }
    }
}

impl RenewalContext<'_> {
    /// Describes the attempt without its result.
    fn describe(&self, findings: Vec<Finding>) -> RenewalAttempt {
        let now = self.context.now();
        let previous = &self.previous;
        let not_after = self.row.expiry.unwrap_or(previous.leaf.not_after);
        let due = self.row.due.unwrap_or(not_after);
        let paid_until = previous.settings.paid_until;
        // The renewal is judged as if it happened today, even if it is due later.
        let terms = RenewalTerms {
            expiry: not_after,
            due: due.min(now),
            validated_at: previous.leaf.not_before,
            paid_until,
        };
        let renew_before = self.args.renew_before.unwrap_or_default();
        let next = schedule::renewals(terms, renew_before, now)
            .into_iter()
            .next();
        RenewalAttempt {
            name: self.name(),
            names: self.names(),
            due,
            not_after,
            paid_until,
            payment: next.as_ref().and_then(|next| next.payment),
            validation: next.map_or(ValidationMethod::New, |next| next.validation),
            ca: previous.ca(),
            result: RenewalResult::Ready(PathBuf::new()),
            is_urgent: is_urgent(now, due.max(previous.leaf.not_before), not_after),
            steps: Vec::new(),
            sha256: previous.leaf.sha256(),
            deployed: None,
            findings,
            check_command: self.folder_context.command_words("dcv-check"),
            install_command: self.folder_context.command_words("install"),
        }
    }

    /// Returns the certificate's name in /etc/ssl, else the first of its names.
    fn name(&self) -> String {
        let installed_as = self.row.installed_as.clone();
        installed_as.unwrap_or_else(|| self.row.name.clone())
    }

    /// Returns the names of the request, else those of the certificate.
    fn names(&self) -> Vec<String> {
        match self.previous.names() {
            Ok(names) => names.texts(),
            Err(_) => self.previous.certificate_names(),
        }
    }

    fn prepare(&self, attempt: &mut RenewalAttempt) -> Result<RenewalResult, Failure> {
        if let Some(path) = self.newer_certificate() {
            return Ok(RenewalResult::Ready(path));
        }
        if let Some(held) = self.pending_request(KeyCheck::Usable) {
            let prepared = self.describe_prepared(attempt, held)?;
            return Ok(RenewalResult::Prepared(Box::new(prepared)));
        }
        if self.previous.settings.key_storage() == KeyStorage::External {
            return Err(renew_command::key_is_not_a_file(&self.name()));
        }
        match self.refused_key() {
            Some(failure) => Err(failure),
            None => self.prepare_new(attempt),
        }
    }

    /// Returns the failure if a newer certificate or a prepared request exists, but its key must not
    /// be used. Another request would leave that one unused.
    fn refused_key(&self) -> Option<Failure> {
        let contents = &self.folder.contents;
        let newer = self.newer_leaf(|id| contents.refused_key(id).is_some());
        if let Some(refused) = newer.and_then(|leaf| contents.refused_key(leaf.key_id)) {
            let purpose = "belongs to a newer certificate";
            return Some(key_files::key_not_used(&refused.file, purpose, None));
        }
        let held = self.pending_request(KeyCheck::Refused)?;
        let refused = refused_key_of(contents, held)?;
        let home = self
            .context
            .in_folder(PathBuf::from(key_files::ROOTS_FOLDER));
        let words = [home.command_words("csr"), self.names()].concat();
        let fresh = key_files::make_fresh_key(&words);
        let purpose = format!("belongs to {}", held.path.display());
        Some(key_files::key_not_used(
            &refused.file,
            &purpose,
            Some(fresh),
        ))
    }

    /// Returns the file with a certificate for the same names that expires later and whose key
    /// exists.
    fn newer_certificate(&self) -> Option<PathBuf> {
        let contents = &self.folder.contents;
        let leaf = self.newer_leaf(|id| contents.key(id).is_some())?;
        contents
            .files_of(leaf)
            .first()
            .map(|path| (*path).to_owned())
    }

    /// Returns the certificate for the same names that expires later and whose key satisfies
    /// `has_key`.
    fn newer_leaf(&self, has_key: impl Fn(PublicKeyId) -> bool) -> Option<&Certificate> {
        let now = self.context.now();
        let previous = self.previous.leaf;
        let names = sorted_names(self.previous.certificate_names().into_iter());
        let mut leaves = self.folder.contents.leaves(now).into_iter();
        leaves.find(|leaf| {
            leaf.not_after > previous.not_after
                && leaf.is_in_date(now)
                && leaf_names(leaf) == names
                && has_key(leaf.key_id)
        })
    }

    /// Returns the latest request for the same names and kind of key that has no certificate yet.
    fn pending_request(&self, check: KeyCheck) -> Option<&HeldFile<SigningRequest>> {
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
                    && match check {
                        KeyCheck::Usable => has_key(&self.folder, held),
                        KeyCheck::Refused => refused_key_of(&self.folder.contents, held).is_some(),
                    };
                is_new || (check == KeyCheck::Usable && self.is_later_request_for_same_key(held))
            })
            .max_by_key(|held| file_names::split_renewal_path(&held.path).1)
    }

    /// Returns the files of requests whose key no known certificate has.
    fn unanswered_requests(&self) -> HashSet<&Path> {
        let contents = &self.folder.contents;
        let certificates = contents.certificates.iter().flat_map(|file| &file.value);
        let mut issued: HashSet<PublicKeyId> =
            certificates.map(|certificate| certificate.key_id).collect();
        if let Some(stem) = &self.row.installed_as {
            issued.extend(installed::list_keys_of(self.context, stem));
        }
        issued.insert(self.previous.leaf.key_id);
        contents
            .requests_without_certificate(&issued)
            .into_iter()
            .map(|held| held.path.as_path())
            .collect()
    }

    /// Returns whether both keys are RSA, or neither is.
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
        let stored = dcv_file::read_record(&dcv_file::dcv_path(&held.path))?;
        attempt.ca = stored.ca().or(attempt.ca);
        if self.args.reuse_key && held.value.key_id != self.previous.leaf.key_id {
            let message = format!(
                "{} is already prepared with a new key, so `--reuse-key` has no effect",
                held.path.display()
            );
            let finding = Finding::note("prepared-with-new-key", message)
                .with_step(renew_command::move_prepared_files_away());
            attempt.findings.push(finding);
        }
        let key = match self.folder.contents.key(held.value.key_id) {
            Some(key) => {
                let doubtful = key.doubtful();
                let findings = doubtful.as_ref().map(key_files::doubtful_key);
                attempt.findings.extend(findings);
                key.path.clone()
            }
            None => held.path.with_extension("key"),
        };
        let files = RenewalFiles {
            key,
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

    /// Returns the DNS records that the request needs.
    pub(super) fn records(
        &self,
        request: &SigningRequest,
        ca: Option<Ca>,
        stored: &StoredRecord,
    ) -> Vec<DcvRecord> {
        let given: Vec<_> = stored
            .records()
            .into_iter()
            .filter(|record| expectation::belongs_to_request(record, request))
            .collect();
        let mut records = Vec::new();
        for mut expected in expectation::expectations(request, ca, &given) {
            if request.key_id == self.previous.leaf.key_id {
                expected.require_reseller_value(request);
            }
            records.push(expected.record);
        }
        records
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

/// Returns whether `path` belongs to a later renewal than the request that was answered.
fn is_later(path: &Path, answered: Option<&HeldFile<SigningRequest>>) -> bool {
    let (lineage, number) = file_names::split_renewal_path(path);
    answered.is_some_and(|held| {
        let (answered_lineage, answered_number) = file_names::split_renewal_path(&held.path);
        answered_lineage == lineage && number > answered_number
    })
}

/// Which requests count as prepared.
#[derive(Clone, Copy, Eq, PartialEq)]
enum KeyCheck {
    /// Those whose key may be used.
    Usable,
    /// Those whose key must not be used.
    Refused,
}

/// Returns the key of the request if it must not be used.
fn refused_key_of<'a>(
    contents: &'a FolderContents,
    held: &HeldFile<SigningRequest>,
) -> Option<&'a RefusedKeyFile> {
    let beside = held.path.with_extension("key");
    let refused = contents.refused_key(held.value.key_id);
    refused.or_else(|| contents.refused_encrypted_key(&beside))
}

/// Returns whether the folder has the key of the request; an encrypted key beside the request counts.
fn has_key(folder: &RequestFolder, held: &HeldFile<SigningRequest>) -> bool {
    let beside = held.path.with_extension("key");
    let contents = &folder.contents;
    contents.key(held.value.key_id).is_some()
        || contents.locked.iter().any(|locked| locked.path == beside)
}
