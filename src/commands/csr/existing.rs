//! What is there under a stem already, and the ways on where it is in the way.

use std::path::{Path, PathBuf};

use super::args::CsrArgs;
use super::key::{GivenKey, KeyOrigin, RequestKeyFile};
use crate::commands::csr::command_line;
use crate::commands::csr::spec::CsrSpec;
use crate::context::Context;
use crate::delivery::CaDelivery;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::inputs::InputReader;
use crate::inputs::folder;
use crate::inputs::request_files::RequestPaths;
use crate::matching::FolderContents;
use crate::pki::key::KeyAlgorithm;
use crate::pki::request::SigningRequest;
use crate::system::fs::files;

/// What is there under a stem already.
pub(super) enum ExistingFiles {
    Nothing,
    /// A request and the key that it was made with.
    Pair(Box<RequestKeyFile>, Box<SigningRequest>),
    KeyAlone,
    /// A pair whose key is not locked, and a locked one was asked for.
    NotLocked,
    RequestAlone,
    /// A pair of the same family of keys but another kind than asked for.
    OtherKind(KeyAlgorithm),
    /// A pair, or a key, and another key was named.
    OtherKey,
    /// A pair for the same names with another subject; holds that.
    OtherSubject(String),
    /// Both are there but do not belong together, or one cannot be read.
    Unusable,
}

/// The paths to use and what is there. A key of a second algorithm for the same names lies beside
/// the first one as `example.com.rsa.key`.
pub(super) fn settle(
    context: &Context,
    args: &CsrArgs,
    wanted: &CsrSpec,
    stem: &str,
) -> Result<(RequestPaths, ExistingFiles), Failure> {
    let paths = RequestPaths::new(context, stem);
    let existing = look(context, args, wanted, &paths)?;
    if let (ExistingFiles::Pair(key, request), Some(asked)) = (&existing, wanted.key_type) {
        let suffix = family(asked);
        if wanted.is_for(request) && family(key.algorithm) != suffix {
            let paths = RequestPaths::new(context, &format!("{stem}.{suffix}"));
            let existing = look(context, args, wanted, &paths)?;
            return Ok((paths, existing));
        }
    }
    Ok((paths, existing))
}

fn family(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Rsa(_) => "rsa",
        KeyAlgorithm::Ed25519 => "ed25519",
        _ => "ecdsa",
    }
}

fn look(
    context: &Context,
    args: &CsrArgs,
    wanted: &CsrSpec,
    paths: &RequestPaths,
) -> Result<ExistingFiles, Failure> {
    let (key, request) = (files::occupied(&paths.key), files::occupied(&paths.request));
    let key = if key {
        Some(folder::read_file(&paths.key)?)
    } else {
        None
    };
    let request = match request {
        true => Some(
            folder::read_file(&paths.request)?
                .requests
                .into_iter()
                .next()
                .map(|found| found.value),
        ),
        false => None,
    };
    match (key, request, &wanted.given) {
        (None, None, _) => Ok(ExistingFiles::Nothing),
        (key, None, Some(given)) => Ok(if holds(&key, given, &paths.key) {
            ExistingFiles::Nothing
        } else {
            ExistingFiles::OtherKey
        }),
        (Some(_), None, None) => Ok(ExistingFiles::KeyAlone),
        (_, Some(None), _) => Ok(ExistingFiles::Unusable),
        (_, Some(Some(request)), Some(given)) => Ok(beside(given, request)),
        (None, Some(Some(request)), None) => elsewhere(context, request),
        (Some(key), Some(Some(request)), None) => paired(context, args, &paths.key, &key, request),
    }
}

/// Whether what lies there is the key that was named. A locked one does not show whose it is: then
/// the file tells.
fn holds(key: &Option<CaDelivery>, given: &GivenKey, path: &Path) -> bool {
    let holds = |key: &CaDelivery| key.keys.iter().any(|key| key.id() == given.file.id);
    key.as_ref().is_none_or(holds) || files::are_one(path, &given.file.path)
}

/// What gives way to new files. A key that is used again stays.
pub(super) fn old<'a>(wanted: &CsrSpec, paths: &'a RequestPaths) -> Result<Vec<&'a Path>, Failure> {
    let mut old: Vec<&Path> = vec![&paths.request, &paths.record];
    let stays = match &wanted.given {
        Some(given) if files::occupied(&paths.key) => {
            holds(&Some(folder::read_file(&paths.key)?), given, &paths.key)
        }
        given => given.is_some(),
    };
    if !stays {
        old.insert(0, &paths.key);
    }
    Ok(old)
}

/// A request that is there, and a key that was named.
fn beside(given: &GivenKey, request: SigningRequest) -> ExistingFiles {
    if request.key_id != given.file.id {
        return ExistingFiles::OtherKey;
    }
    ExistingFiles::Pair(Box::new(given.file.clone()), Box::new(request))
}

/// The key of a request may have another name here.
fn elsewhere(context: &Context, request: SigningRequest) -> Result<ExistingFiles, Failure> {
    let here = FolderContents::read(context)?;
    let Some(held) = here.key(request.key_id) else {
        return Ok(ExistingFiles::RequestAlone);
    };
    let key = file(held.path.clone(), &request, false);
    Ok(ExistingFiles::Pair(Box::new(key), Box::new(request)))
}

/// A key file and a request of the same stem. A locked key is opened only with a password that was
/// given.
fn paired(
    context: &Context,
    args: &CsrArgs,
    path: &Path,
    key: &CaDelivery,
    request: SigningRequest,
) -> Result<ExistingFiles, Failure> {
    let fits = key.keys.iter().any(|key| key.id() == request.key_id);
    let locked = key.keys.is_empty() && !key.locked.is_empty();
    let opened = match locked && args.reading.password_file.is_some() {
        true => {
            InputReader::new(context, &args.reading)?
                .file_of_keys(path)?
                .0
                .keys
        }
        false => Vec::new(),
    };
    let unlike = !opened.is_empty() && opened.iter().all(|key| key.id() != request.key_id);
    if !fits && (!locked || unlike) {
        return Ok(match elsewhere(context, request)? {
            ExistingFiles::RequestAlone => ExistingFiles::Unusable,
            found => found,
        });
    }
    Ok(ExistingFiles::Pair(
        Box::new(file(path.to_owned(), &request, locked)),
        Box::new(request),
    ))
}

fn file(path: PathBuf, request: &SigningRequest, encrypted: bool) -> RequestKeyFile {
    let (algorithm, id) = (request.algorithm, request.key_id);
    RequestKeyFile {
        path,
        algorithm,
        id,
        encrypted,
        origin: KeyOrigin::Found,
        found_here: true,
    }
}

/// Neither file is overwritten: why, and the ways on.
pub(super) fn in_the_way(
    context: &Context,
    args: &CsrArgs,
    paths: &RequestPaths,
    existing: &ExistingFiles,
) -> Failure {
    let (path, why) = match existing {
        ExistingFiles::Nothing | ExistingFiles::KeyAlone => {
            (&paths.key, "a key is there without a request".to_owned())
        }
        ExistingFiles::NotLocked => (&paths.key, "it is not encrypted".to_owned()),
        ExistingFiles::OtherKind(algorithm) => (&paths.key, format!("it is {algorithm}")),
        ExistingFiles::OtherKey => {
            let path = if files::occupied(&paths.request) {
                &paths.request
            } else {
                &paths.key
            };
            (
                path,
                "it is of another key than the one that was named".to_owned(),
            )
        }
        ExistingFiles::OtherSubject(subject) => {
            (&paths.request, format!("its subject is {subject}"))
        }
        ExistingFiles::RequestAlone => (
            &paths.request,
            "a request is there without its key".to_owned(),
        ),
        ExistingFiles::Pair(..) => (&paths.request, "it asks for other names".to_owned()),
        ExistingFiles::Unusable => (
            &paths.key,
            "key and request are there but do not belong together, or cannot be read".to_owned(),
        ),
    };
    let or = |args: &CsrArgs, note: &str| {
        let step = NextStep::run(&command_line::line(context, args));
        NextStep {
            text: format!("{}   ({note})", step.text),
            ..step
        }
    };
    let mut failure = Failure::new(
        FailureKind::Exists,
        format!("{} is in the way: {why}", path.display()),
    );
    if matches!(existing, ExistingFiles::KeyAlone) {
        let with_it = CsrArgs {
            key: Some(paths.key.clone()),
            key_type: None,
            encrypt_key: false,
            ..args.clone()
        };
        failure = failure.with(or(&with_it, "a request for that key"));
    }
    if matches!(existing, ExistingFiles::RequestAlone) && args.key.is_none() {
        let words = NextStep::run(&command_line::line(context, args)).text;
        failure = failure.with(NextStep::say(format!(
            "{words} --key FILE   (its key, where you have it)"
        )));
    }
    let another = CsrArgs {
        cert_name: Some("another-name".to_owned()),
        force: false,
        ..args.clone()
    };
    let force = CsrArgs {
        force: true,
        ..args.clone()
    };
    failure
        .with(or(&another, "both stay"))
        .with(or(&force, "the old files become numbered backups"))
}
