//! The next round of one certificate: what is prepared already, or a new key and request beside the
//! last ones.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::args::RenewArgs;
use super::folders::{RequestFolder, RequestFolders, asked, set};
use crate::commands::renew::previous::{PreviousCertificate, asked_in_order, past, place};
use crate::context::Context;
use crate::csr_lint::{self, EarlierContent, LintedRequest, ReusedKey};
use crate::dcv::ca::Ca;
use crate::dcv::dcv_file::StoredRecord;
use crate::dcv::expectation;
use crate::dcv::record::DcvRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::dcv_file;
use crate::inputs::folder::HeldFile;
use crate::inputs::request_files::{RequestPaths, StagedRequestFiles};
use crate::install::installed;
use crate::inventory::schedule::{self, PaymentCoverage, RenewalTerms, ValidationMethod};
use crate::inventory::{RenewBefore, StatusRow};
use crate::matching::file_names;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::store::settings::LineageSettings;
use crate::system::fs::files;

/// The next round of one certificate.
#[derive(Debug)]
pub(super) struct RenewalAttempt {
    /// The pair's name in /etc/ssl, else the first of its names.
    pub(super) name: String,
    /// The names asked for.
    pub(super) names: Vec<String>,
    /// From when on it is due.
    pub(super) due: Timestamp,
    /// The end of the certificate.
    pub(super) ends: Timestamp,
    /// The last day of the term that is paid for.
    pub(super) paid_until: Option<Date>,
    /// Whether the new certificate is part of what was bought; none where no term is known.
    pub(super) paid: Option<PaymentCoverage>,
    /// What control of the names is shown by.
    pub(super) proof: ValidationMethod,
    /// The shop or CA.
    pub(super) ca: Option<Ca>,
    /// What there is of it.
    pub(super) came: RenewalResult,
    /// What is worth knowing.
    pub(super) findings: Vec<Finding>,
    /// The words of certctl command lines that look in the folder of the request:
    /// `dcv-check`, `install`.
    pub(super) check: Vec<String>,
    /// The same that installs.
    pub(super) install: Vec<String>,
}

/// What there is of a round.
#[derive(Debug)]
pub(super) enum RenewalResult {
    /// What would be made.
    Planned(RenewalFiles),
    Prepared(Box<PreparedRequest>),
    /// A newer certificate and its key lie in this file already.
    Ready(PathBuf),
}

/// The files of a round and the key's kind.
#[derive(Debug)]
pub(super) struct RenewalFiles {
    pub(super) key: PathBuf,
    pub(super) request: PathBuf,
    /// The kind of key.
    pub(super) algorithm: KeyAlgorithm,
}

/// Key and request of a round.
#[derive(Debug)]
pub(super) struct PreparedRequest {
    /// Whether they were made in this run.
    pub(super) made: bool,
    pub(super) files: RenewalFiles,
    pub(super) request: SigningRequest,
    /// What to publish, as far as it can be known.
    pub(super) records: Vec<DcvRecord>,
}

/// Looks for what is prepared of the next round of `row`, and prepares it where nothing is.
pub(super) fn prepare(
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
    let place = place(context, &settings, &mut findings);
    let folder = folders.read(&place, &place.directory)?;
    let past = past(context, leaf, settings, &folder, folders)?;
    let mut round = described(
        &place,
        row,
        &past,
        args.renew_before.unwrap_or_default(),
        context.now(),
    );
    round.findings = findings;
    round.came = match (
        newer(&past, &folder, context.now()),
        waiting(context, row, &past, &folder),
    ) {
        (Some(path), _) => RenewalResult::Ready(path),
        (None, Some(held)) => {
            RenewalResult::Prepared(Box::new(found(&mut round, args, &past, &folder, held)?))
        }
        (None, None) => make(&place, args, row, &past, &folder, &mut round)?,
    };
    if let RenewalResult::Prepared(prepared) = &round.came {
        round.names = asked_in_order(&prepared.request);
    }
    Ok(round)
}

/// All but what there is of it.
fn described(
    place: &Context,
    row: &StatusRow,
    past: &PreviousCertificate<'_>,
    before: RenewBefore,
    now: Timestamp,
) -> RenewalAttempt {
    let ends = row.ends.unwrap_or(past.leaf.not_after);
    let due = row.due.unwrap_or(ends);
    let paid_until = past.settings.paid_until;
    // It is done today, whenever it is due.
    let clocks = RenewalTerms {
        ends,
        due: due.min(now),
        proven: past.leaf.not_before,
        paid_until,
    };
    let next = schedule::rounds(clocks, before, now).into_iter().next();
    RenewalAttempt {
        name: row.stem.clone().unwrap_or_else(|| row.name.clone()),
        names: past
            .names()
            .map_or_else(|_| past.listed(), |names| names.texts()),
        due,
        ends,
        paid_until,
        paid: next.as_ref().and_then(|next| next.paid),
        proof: next.map_or(ValidationMethod::New, |next| next.proof),
        ca: past.ca(),
        came: RenewalResult::Ready(PathBuf::new()),
        findings: Vec::new(),
        check: place.again("dcv-check"),
        install: place.again("install"),
    }
}

/// A file with a certificate for the same names that ends later, and whose key is there.
fn newer(
    past: &PreviousCertificate<'_>,
    folder: &RequestFolder,
    now: Timestamp,
) -> Option<PathBuf> {
    let names = set(past.listed().into_iter());
    let same = |leaf: &&Certificate| {
        let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
        set(leaf.dns_names.iter().cloned().chain(addresses)) == names
    };
    let later = |leaf: &&Certificate| leaf.not_after > past.leaf.not_after && leaf.is_in_date(now);
    let leaves = folder.here.leaves(now);
    let leaf = leaves
        .into_iter()
        .filter(later)
        .filter(same)
        .find(|leaf| folder.here.key(leaf.key_id).is_some())?;
    folder
        .here
        .files_of(leaf)
        .first()
        .map(|path| (*path).to_owned())
}

/// A request for the same names and kind of key that no certificate answers yet: the latest round.
fn waiting<'a>(
    context: &Context,
    row: &StatusRow,
    past: &PreviousCertificate<'_>,
    folder: &'a RequestFolder,
) -> Option<&'a HeldFile<SigningRequest>> {
    let certificates = folder.here.certificates.iter().flat_map(|file| &file.value);
    let mut issued: HashSet<PublicKeyId> =
        certificates.map(|certificate| certificate.key_id).collect();
    issued.extend(
        row.stem
            .iter()
            .flat_map(|stem| installed::issued(context, stem)),
    );
    issued.insert(past.leaf.key_id);
    let waiting: HashSet<&Path> = folder
        .here
        .waiting(&issued)
        .into_iter()
        .map(|held| held.path.as_path())
        .collect();
    let of_names = |names: &[String]| folder.asking(names).collect::<Vec<_>>();
    let mut asking = of_names(&past.listed());
    asking.extend(
        past.request
            .iter()
            .flat_map(|held| of_names(&asked(&held.value))),
    );
    let rsa = |algorithm: KeyAlgorithm| matches!(algorithm, KeyAlgorithm::Rsa(_));
    let open = asking.into_iter().filter(|held| {
        let fresh = waiting.contains(held.path.as_path())
            && rsa(held.value.algorithm) == rsa(past.leaf.algorithm);
        let again =
            held.value.key_id == past.leaf.key_id && is_after(&held.path, past.request.as_ref());
        fresh && has_key(folder, held) || again
    });
    open.max_by_key(|held| file_names::lineage(&held.path).1)
}

/// Whether `path` is of a later round than the request that was answered.
fn is_after(path: &Path, answered: Option<&HeldFile<SigningRequest>>) -> bool {
    let (lineage, round) = file_names::lineage(path);
    answered.is_some_and(|held| {
        let (known, last) = file_names::lineage(&held.path);
        known == lineage && round > last
    })
}

/// A request without its key is of no use; one that needs a passphrase cannot be told.
fn has_key(folder: &RequestFolder, held: &HeldFile<SigningRequest>) -> bool {
    let beside = held.path.with_extension("key");
    folder.here.key(held.value.key_id).is_some()
        || folder
            .here
            .locked
            .iter()
            .any(|locked| locked.path == beside)
}

/// What was prepared before, said again.
fn found(
    round: &mut RenewalAttempt,
    args: &RenewArgs,
    past: &PreviousCertificate<'_>,
    folder: &RequestFolder,
    held: &HeldFile<SigningRequest>,
) -> Result<PreparedRequest, Failure> {
    let kept = dcv_file::read(&dcv_file::beside(&held.path))?;
    round.ca = kept.ca().or(round.ca);
    if args.reuse_key && held.value.key_id != past.leaf.key_id {
        let message = format!("{} was prepared with a key of its own", held.path.display());
        round.findings.push(
            Finding::note("prepared-with-new-key", message).with(NextStep::say(
                "to use the old key all the same, move the prepared key and request away first",
            )),
        );
    }
    let key = folder
        .here
        .key(held.value.key_id)
        .map(|key| key.path.clone());
    let files = RenewalFiles {
        key: key.unwrap_or_else(|| held.path.with_extension("key")),
        request: held.path.clone(),
        algorithm: held.value.algorithm,
    };
    Ok(PreparedRequest {
        made: false,
        records: records(&held.value, round.ca, &kept, past),
        request: held.value.clone(),
        files,
    })
}

fn records(
    request: &SigningRequest,
    ca: Option<Ca>,
    kept: &StoredRecord,
    past: &PreviousCertificate<'_>,
) -> Vec<DcvRecord> {
    let given: Vec<_> = kept
        .records()
        .into_iter()
        .filter(|record| expectation::belongs(record, request))
        .collect();
    let mut expected = expectation::expectations(request, ca, &given);
    if request.key_id == past.leaf.key_id {
        expected
            .iter_mut()
            .for_each(|one| one.shop_decides(request));
    }
    expected.into_iter().map(|one| one.record).collect()
}

/// A new request, with a key of its own or the one before.
fn make(
    place: &Context,
    args: &RenewArgs,
    row: &StatusRow,
    past: &PreviousCertificate<'_>,
    folder: &RequestFolder,
    round: &mut RenewalAttempt,
) -> Result<RenewalResult, Failure> {
    let names = past.names()?;
    let subject = past.subject(&names);
    let old = if args.reuse_key {
        Some(old_key(row, past, folder)?)
    } else {
        None
    };
    let paths = free(place, past, row);
    let algorithm = old
        .as_ref()
        .map_or_else(|| past.algorithm(), |(_, key)| key.algorithm());
    let reused = old.as_ref().map(|(_, key)| ReusedKey {
        spki: key.spki().to_vec(),
        others: vec![format!(
            "the certificate that ends on {}",
            crate::inventory::reason::day(past.leaf.not_after)
        )],
    });
    let order = LintedRequest {
        names: &names,
        subject: &subject,
        algorithm,
        reused,
        before: EarlierContent::default(),
        ca: round.ca,
    };
    round.findings.extend(remarks(&order));
    // A key that lies there already is not copied.
    let there = old.as_ref().and_then(|(path, _)| path.clone());
    let files = RenewalFiles {
        key: there.clone().unwrap_or_else(|| paths.key.clone()),
        request: paths.request.clone(),
        algorithm,
    };
    if args.dry_run {
        return Ok(RenewalResult::Planned(files));
    }
    let key = match old {
        Some((_, key)) => key,
        None => PrivateKey::generate(algorithm)?,
    };
    let request = SigningRequest::ask(&names, &subject, &key)?;
    let mut kept = StoredRecord::default();
    round.ca.iter().for_each(|ca| kept.set_ca(*ca));
    let text = if there.is_some() {
        None
    } else {
        Some(key.to_pem())
    };
    StagedRequestFiles::stage(
        &paths,
        text.as_ref().map(|text| text.as_str()),
        &request,
        &kept,
    )?
    .put(&[])?;
    let records = records(&request, round.ca, &kept, past);
    Ok(RenewalResult::Prepared(Box::new(PreparedRequest {
        made: true,
        files,
        request,
        records,
    })))
}

/// What a CA would not take any more, and that a key is used again. What else there is to say of
/// the names was said when they were chosen.
fn remarks(order: &LintedRequest<'_>) -> Vec<Finding> {
    let faults = csr_lint::faults(order).into_iter();
    let told = faults
        .filter(|fault| fault.rule.severity == Severity::Error || fault.rule.code == "key-reused");
    told.map(|fault| Finding::warning(fault.rule.code, fault.to_string()))
        .collect()
}

/// The key of the certificate, and its file where it lies in the folder of the requests.
fn old_key(
    row: &StatusRow,
    past: &PreviousCertificate<'_>,
    folder: &RequestFolder,
) -> Result<(Option<PathBuf>, PrivateKey), Failure> {
    let places = folder
        .here
        .key(past.leaf.key_id)
        .map(|held| held.path.clone());
    let installed = || {
        row.keys
            .first()
            .map(|(place, _)| PathBuf::from(place.to_string()))
    };
    let path = places.clone().or_else(installed).ok_or_else(|| {
        Failure::new(
            FailureKind::NotFound,
            format!(
                "the key of {} is not in {}",
                row.name,
                folder.here.in_words()
            ),
        )
        .with(NextStep::say(
            "leave --reuse-key out: a new key is as good, and nobody has had it yet",
        ))
    })?;
    let keys = crate::inputs::folder::read_file(&path)?.keys;
    let key = keys
        .into_iter()
        .map(|key| key.value)
        .find(|key| key.id() == past.leaf.key_id);
    let key = key.ok_or_else(|| {
        Failure::new(
            FailureKind::Malformed,
            format!("{} does not hold the key of {}", path.display(), row.name),
        )
    })?;
    Ok((places, key))
}

/// The files of the first round that has none yet.
fn free(place: &Context, past: &PreviousCertificate<'_>, row: &StatusRow) -> RequestPaths {
    let last = past
        .request
        .as_ref()
        .map(|held| crate::matching::stem(&held.path))
        .filter(|stem| file_names::plain(stem));
    let last = last.or_else(|| {
        past.settings
            .request
            .clone()
            .filter(|stem| file_names::plain(stem))
    });
    let last = last
        .or_else(|| row.stem.clone())
        .unwrap_or_else(|| crate::inputs::stem_of(past.leaf));
    let mut round = file_names::round(&last).saturating_add(1);
    loop {
        let stem = file_names::of_round(&last, round);
        let paths = RequestPaths::new(place, &stem);
        let taken = [
            &paths.key,
            &paths.request,
            &paths.record,
            &place.here(format!("{stem}.fullchain.pem")),
        ];
        if round == u32::MAX || !taken.into_iter().any(|path| files::occupied(path)) {
            return paths;
        }
        round += 1;
    }
}
