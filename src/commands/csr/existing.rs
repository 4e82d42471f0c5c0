//! The files that exist under a stem: one observation of the disk, and pure checks of it.

use std::path::{Path, PathBuf};

use super::args::CsrArgs;
use super::conflict::CsrConflict;
use super::key::{GivenKey, KeyOrigin, RefusedRequestKey, RequestKeyFile};
use super::spec::CsrSpec;
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::folder;
use crate::inputs::request_files::RequestPaths;
use crate::inputs::{FoundKeyFile, InputReader};
use crate::matching::FolderContents;
use crate::matching::key_trust::{DoubtfulKeyFile, RefusedKeyFile, TrustedKeyFile};
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::system::fs::files;

/// The paths of a request, and the files that exist there.
pub(super) struct RequestTarget {
    pub paths: RequestPaths,
    pub observation: RequestFilesObservation,
}

impl RequestTarget {
    /// Chooses the paths for `spec`. A key of a second algorithm for the same names is written
    /// beside the first one as `example.com.rsa.key`.
    ///
    /// # Errors
    /// When an existing file cannot be read.
    pub(super) fn choose(
        context: &Context,
        args: &CsrArgs,
        spec: &CsrSpec,
        stem: &str,
    ) -> Result<Self, Failure> {
        let target = Self::observe(context, args, spec, stem)?;
        let existing = target.observation.classify();
        if let (ExistingFiles::Request(existing), Some(key_type)) = (existing, spec.key_type) {
            let family = key_family(key_type);
            if spec.matches_names(&existing.request) && key_family(existing.key.algorithm) != family
            {
                return Self::observe(context, args, spec, &format!("{stem}.{family}"));
            }
        }
        Ok(target)
    }

    fn observe(
        context: &Context,
        args: &CsrArgs,
        spec: &CsrSpec,
        stem: &str,
    ) -> Result<Self, Failure> {
        let paths = RequestPaths::new(context, stem);
        let observation = RequestFilesObservation::read(context, args, spec, &paths)?;
        Ok(Self { paths, observation })
    }

    /// Returns the files that new ones replace with `--force`. A key file that is used again stays.
    pub(super) fn replaced_paths(&self) -> Vec<&Path> {
        let mut replaced: Vec<&Path> = vec![&self.paths.request, &self.paths.record];
        let given_key = self.observation.given_key.as_ref();
        let key_stays = given_key.is_some_and(|given| self.observation.key_file_allows(given));
        if !key_stays {
            replaced.insert(0, &self.paths.key);
        }
        replaced
    }
}

fn key_family(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Rsa(_) => "rsa",
        KeyAlgorithm::Ed25519 => "ed25519",
        _ => "ecdsa",
    }
}

/// What exists at the paths of a request.
pub(super) struct RequestFilesObservation {
    /// The file at the path of the key, if there is one.
    key_file: Option<ObservedKeyFile>,
    request: ObservedRequest,
    /// The file in the directory that has the request's key; looked up only if the key file at its
    /// own path does not have it.
    key_elsewhere: Option<TrustedKeyFile<()>>,
    /// The key of `--key`.
    given_key: Option<RequestKeyFile>,
    /// The key that would be used if other users did not control it.
    refused_key: Option<RefusedRequestKey>,
}

/// The file at the path of the key.
struct ObservedKeyFile {
    path: PathBuf,
    key_ids: Vec<PublicKeyId>,
    /// Whether all keys in it are encrypted.
    encrypted: bool,
    /// The encrypted keys that `--password-file` opens.
    opened_ids: Vec<PublicKeyId>,
    /// Whether it is the file of `--key`.
    is_given_file: bool,
    /// Whether its keys may be used; none if it has no key.
    access: Option<Result<TrustedKeyFile<()>, RefusedKeyFile>>,
}

/// What is at the path of the request.
enum ObservedRequest {
    Missing,
    /// A file that holds no request.
    Unusable,
    Readable(Box<SigningRequest>),
}

impl RequestFilesObservation {
    fn read(
        context: &Context,
        args: &CsrArgs,
        spec: &CsrSpec,
        paths: &RequestPaths,
    ) -> Result<Self, Failure> {
        let given = spec.given.as_ref();
        let key_exists = files::exists(&paths.key);
        let request_exists = files::exists(&paths.request);
        let mut key_file = if key_exists {
            Some(ObservedKeyFile::read(&paths.key, given)?)
        } else {
            None
        };
        let request = if request_exists {
            ObservedRequest::read(&paths.request)?
        } else {
            ObservedRequest::Missing
        };
        let mut observation = Self {
            key_file: None,
            request,
            key_elsewhere: None,
            given_key: given.map(|given| given.file.clone()),
            refused_key: None,
        };
        if given.is_none() {
            if let Some(key_file) = &mut key_file {
                key_file.open_with_password_file(args, &spec.reader)?;
            }
            observation.find_key(context, key_file.as_ref())?;
        }
        observation.key_file = key_file;
        Ok(observation)
    }

    /// Finds the key that `--key` does not give: refused at its own path, or in another file of the
    /// directory.
    fn find_key(
        &mut self,
        context: &Context,
        key_file: Option<&ObservedKeyFile>,
    ) -> Result<(), Failure> {
        let refused = key_file.and_then(ObservedKeyFile::refusal);
        let wanted = self.readable_request().map(|request| request.key_id);
        let wanted = wanted.filter(|id| key_file.is_none_or(|file| !file.fits(*id)));
        if refused.is_none() && wanted.is_none() {
            return Ok(());
        }
        let here = FolderContents::read(context)?;
        let elsewhere = wanted.filter(|_| refused.is_none());
        let key = elsewhere.and_then(|id| here.key(id));
        self.key_elsewhere = key.map(|held| held.with_value(()));
        let refused = refused.or_else(|| elsewhere.and_then(|id| here.refused_key(id)));
        self.refused_key =
            refused.map(|refused| RefusedRequestKey::new(context, &here, refused.clone()));
        Ok(())
    }

    /// Classifies the files without reading the disk.
    pub(super) fn classify(&self) -> ExistingFiles {
        CHECKS
            .iter()
            .find_map(|check| check(self))
            .unwrap_or(ExistingFiles::Nothing)
    }

    /// Returns whether the key file may stay when `given` is used: there is none, or it holds that
    /// key.
    fn key_file_allows(&self, given: &RequestKeyFile) -> bool {
        match &self.key_file {
            Some(file) => file.key_ids.contains(&given.id) || file.is_given_file,
            None => true,
        }
    }

    fn readable_request(&self) -> Option<&SigningRequest> {
        match &self.request {
            ObservedRequest::Readable(request) => Some(request),
            ObservedRequest::Missing | ObservedRequest::Unusable => None,
        }
    }
}

impl ObservedKeyFile {
    fn read(path: &Path, given: Option<&GivenKey>) -> Result<Self, Failure> {
        let found = FoundKeyFile::read(path)?;
        let access = found.access(path);
        let delivery = found.delivery;
        let encrypted = delivery.keys.is_empty() && !delivery.encrypted_keys.is_empty();
        // The id of an encrypted key is unknown; then the file itself is compared.
        let is_given_file = given.is_some_and(|given| files::are_same_file(path, &given.file.path));
        Ok(Self {
            path: path.to_owned(),
            key_ids: delivery.keys.iter().map(|key| key.id()).collect(),
            encrypted,
            opened_ids: Vec::new(),
            is_given_file,
            access,
        })
    }

    /// Returns why its keys must not be used.
    fn refusal(&self) -> Option<&RefusedKeyFile> {
        self.access.as_ref()?.as_ref().err()
    }

    fn doubtful(&self) -> Option<DoubtfulKeyFile> {
        let access = self.access.as_ref()?.as_ref();
        access.ok().and_then(TrustedKeyFile::doubtful)
    }

    /// Decrypts the key if `--password-file` was given.
    fn open_with_password_file(
        &mut self,
        args: &CsrArgs,
        reader: &InputReader,
    ) -> Result<(), Failure> {
        let is_usable = self.refusal().is_none();
        if self.encrypted && is_usable && args.reading.password_file.is_some() {
            let (delivery, _) = reader.read_key_file(&self.path)?;
            self.opened_ids = delivery.keys.iter().map(|key| key.id()).collect();
        }
        Ok(())
    }

    /// Returns whether it holds the key `id`; an encrypted file that was not opened counts as if it
    /// did.
    fn fits(&self, id: PublicKeyId) -> bool {
        if self.encrypted {
            self.opened_ids.is_empty() || self.opened_ids.contains(&id)
        } else {
            self.key_ids.contains(&id)
        }
    }
}

impl ObservedRequest {
    fn read(path: &Path) -> Result<Self, Failure> {
        let delivery = folder::read_file(path)?;
        let first = delivery.requests.into_iter().next();
        Ok(match first {
            Some(found) => Self::Readable(Box::new(found.value)),
            None => Self::Unusable,
        })
    }
}

/// What exists under a stem.
pub(super) enum ExistingFiles {
    Nothing,
    Request(Box<ExistingRequest>),
    /// Files that are not overwritten without `--force`.
    Conflict(CsrConflict),
}

/// An existing request and the key that it was made with.
pub(super) struct ExistingRequest {
    pub key: RequestKeyFile,
    pub request: SigningRequest,
}

impl ExistingRequest {
    /// Returns the first difference between the existing key and request and `spec`.
    pub(super) fn conflict(&self, spec: &CsrSpec, args: &CsrArgs) -> Option<CsrConflict> {
        REQUEST_CHECKS
            .iter()
            .find_map(|check| check(self, spec, args))
    }
}

type RequestCheck = fn(&ExistingRequest, &CsrSpec, &CsrArgs) -> Option<CsrConflict>;

/// The checks of an existing request, in the order in which conflicts are reported.
const REQUEST_CHECKS: [RequestCheck; 4] =
    [check_names, check_key_type, check_subject, check_encryption];

fn check_names(existing: &ExistingRequest, spec: &CsrSpec, _args: &CsrArgs) -> Option<CsrConflict> {
    let matches = spec.matches_names(&existing.request);
    (!matches).then_some(CsrConflict::OtherNames)
}

fn check_key_type(
    existing: &ExistingRequest,
    spec: &CsrSpec,
    _args: &CsrArgs,
) -> Option<CsrConflict> {
    let key_type = spec.key_type?;
    let algorithm = existing.key.algorithm;
    (key_type != algorithm).then_some(CsrConflict::OtherKeyType(algorithm))
}

fn check_subject(
    existing: &ExistingRequest,
    spec: &CsrSpec,
    _args: &CsrArgs,
) -> Option<CsrConflict> {
    let request = &existing.request;
    spec.differs_in_subject(request)
        .then(|| CsrConflict::OtherSubject(request.subject.clone()))
}

fn check_encryption(
    existing: &ExistingRequest,
    _spec: &CsrSpec,
    args: &CsrArgs,
) -> Option<CsrConflict> {
    (args.encrypt_key && !existing.key.encrypted).then_some(CsrConflict::NotEncrypted)
}

type FilesCheck = fn(&RequestFilesObservation) -> Option<ExistingFiles>;

/// The checks in their order; the first one with a result decides.
const CHECKS: [FilesCheck; 8] = [
    check_nothing_exists,
    check_refused_key,
    check_missing_request,
    check_unusable_request,
    check_request_of_given_key,
    check_key_beside_request,
    check_key_elsewhere,
    check_request_without_its_key,
];

fn check_nothing_exists(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    match (&observation.key_file, &observation.request) {
        (None, ObservedRequest::Missing) => Some(ExistingFiles::Nothing),
        _ => None,
    }
}

fn check_refused_key(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    let refused = observation.refused_key.clone()?;
    Some(ExistingFiles::Conflict(CsrConflict::RefusedKey(Box::new(
        refused,
    ))))
}

fn check_missing_request(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    if !matches!(observation.request, ObservedRequest::Missing) {
        return None;
    }
    Some(match &observation.given_key {
        Some(given) if observation.key_file_allows(given) => ExistingFiles::Nothing,
        Some(_) => ExistingFiles::Conflict(CsrConflict::OtherKey),
        None => ExistingFiles::Conflict(CsrConflict::UnusedKey),
    })
}

fn check_unusable_request(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    match &observation.request {
        ObservedRequest::Unusable => Some(ExistingFiles::Conflict(CsrConflict::Unusable)),
        _ => None,
    }
}

fn check_request_of_given_key(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    let request = observation.readable_request()?;
    let given = observation.given_key.as_ref()?;
    if request.key_id == given.id {
        Some(request_with_key(given.clone(), request))
    } else {
        Some(ExistingFiles::Conflict(CsrConflict::RequestOfOtherKey))
    }
}

fn check_key_beside_request(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    let request = observation.readable_request()?;
    let key_file = observation.key_file.as_ref()?;
    if !key_file.fits(request.key_id) {
        return None;
    }
    let mut key = found_key(&key_file.path, request);
    key.encrypted = key_file.encrypted;
    key.doubtful = key_file.doubtful();
    Some(request_with_key(key, request))
}

fn check_key_elsewhere(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    let request = observation.readable_request()?;
    let file = observation.key_elsewhere.as_ref()?;
    let mut key = found_key(&file.path, request);
    key.doubtful = file.doubtful();
    Some(request_with_key(key, request))
}

fn check_request_without_its_key(observation: &RequestFilesObservation) -> Option<ExistingFiles> {
    let conflict = match observation.key_file {
        Some(_) => CsrConflict::Unusable,
        None => CsrConflict::RequestAlone,
    };
    Some(ExistingFiles::Conflict(conflict))
}

fn request_with_key(key: RequestKeyFile, request: &SigningRequest) -> ExistingFiles {
    let request = request.clone();
    ExistingFiles::Request(Box::new(ExistingRequest { key, request }))
}

/// Describes the key of `request` in the file at `path`.
fn found_key(path: &Path, request: &SigningRequest) -> RequestKeyFile {
    RequestKeyFile {
        path: path.to_owned(),
        algorithm: request.algorithm,
        id: request.key_id,
        encrypted: false,
        origin: KeyOrigin::Found,
        found_here: true,
        doubtful: None,
    }
}
