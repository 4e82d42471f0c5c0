//! Which existing files block a new request, and what the user can do instead.

use std::path::PathBuf;

use super::args::CsrArgs;
use super::command_line;
use super::key::RefusedRequestKey;
use crate::advice::{csr_command, key_files};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::request_files::RequestPaths;
use crate::matching::file_stem_of;
use crate::pki::key::KeyAlgorithm;
use crate::system::fs::files;

/// Why existing files block a new request.
pub(super) enum CsrConflict {
    /// The key exists, and other users own it, can read it or can replace it.
    RefusedKey(Box<RefusedRequestKey>),
    /// A key exists without a request.
    UnusedKey,
    /// A request exists, and its key is not in the directory.
    RequestAlone,
    /// The key file holds another key than that of `--key`.
    OtherKey,
    /// The request was made with another key than that of `--key`.
    RequestOfOtherKey,
    /// Key and request do not match, or the request cannot be read.
    Unusable,
    /// The request is for other names.
    OtherNames,
    /// The key has this algorithm, of the same family as the requested one.
    OtherKeyType(KeyAlgorithm),
    /// The request has this subject.
    OtherSubject(String),
    /// The key is not encrypted, and `--encrypt-key` was given.
    NotEncrypted,
}

impl CsrConflict {
    /// Returns the failure, with the blocking file in its message and other command lines.
    pub(super) fn failure(
        &self,
        context: &Context,
        args: &CsrArgs,
        paths: &RequestPaths,
    ) -> Failure {
        if let Self::RefusedKey(refused) = self {
            return refused_key(context, args, paths, refused);
        }
        let mut failure = Failure::new(FailureKind::Exists, self.message(paths));
        match self {
            Self::UnusedKey => {
                let with_key = with_existing_key(args, paths.key.clone());
                let words = command_line::words(context, &with_key);
                failure = failure.with_step(csr_command::request_existing_key(&words));
            }
            Self::RequestAlone if args.key.is_none() => {
                failure = failure.with_step(csr_command::add_missing_key());
            }
            _ => {}
        }
        let another_stem = command_line::words(context, &with_another_stem(args));
        let forced = command_line::words(context, &with_force(args));
        failure
            .with_step(csr_command::use_another_stem(&another_stem))
            .with_step(csr_command::replace_existing_files(&forced))
    }

    fn message(&self, paths: &RequestPaths) -> String {
        let key = paths.key.display();
        let request = paths.request.display();
        match self {
            Self::RefusedKey(refused) => refused.file.reasons(),
            Self::UnusedKey => format!("{key} already exists, and there is no request for it"),
            Self::RequestAlone => format!("{request} already exists, and its key was not found"),
            Self::OtherKey => format!("{key} already exists and contains another key than `--key`"),
            Self::RequestOfOtherKey => {
                format!("{request} already exists and was made with another key than `--key`")
            }
            Self::Unusable => {
                format!("{request} contains no request that can be read, or {key} is not its key")
            }
            Self::OtherNames => format!("{request} already exists and requests other names"),
            Self::OtherKeyType(algorithm) => {
                format!("{key} already exists, and its algorithm is {algorithm}")
            }
            Self::OtherSubject(subject) => {
                format!("{request} already exists, and its subject is {subject}")
            }
            Self::NotEncrypted => format!("{key} already exists and is not encrypted"),
        }
    }
}

/// Nothing is written over a key that others may control, and no step replaces it: a certificate may
/// need it.
fn refused_key(
    context: &Context,
    args: &CsrArgs,
    paths: &RequestPaths,
    refused: &RefusedRequestKey,
) -> Failure {
    if refused.has_certificate {
        let purpose = "exists and belongs to a certificate";
        return key_files::key_not_used(&refused.file, purpose, None);
    }
    let words = if refused.file.is_folder_safe() {
        let named = CsrArgs {
            cert_name: Some(unused_stem(context, paths)),
            force: false,
            ..args.clone()
        };
        command_line::words(context, &named)
    } else {
        let home = context.in_folder(PathBuf::from(key_files::ROOTS_FOLDER));
        command_line::words(&home, args)
    };
    let fresh = key_files::make_fresh_key(&words);
    key_files::key_not_used(&refused.file, "exists", Some(fresh))
}

/// Returns a stem that no file has: `new.example.com`.
fn unused_stem(context: &Context, paths: &RequestPaths) -> String {
    let mut stem = file_stem_of(&paths.key);
    loop {
        stem = format!("new.{stem}");
        let new = RequestPaths::new(context, &stem);
        let mut all = [&new.key, &new.request, &new.record].into_iter();
        if !all.any(|path| files::exists(path)) {
            return stem;
        }
    }
}

fn with_existing_key(args: &CsrArgs, key: PathBuf) -> CsrArgs {
    CsrArgs {
        key: Some(key),
        key_type: None,
        encrypt_key: false,
        ..args.clone()
    }
}

fn with_another_stem(args: &CsrArgs) -> CsrArgs {
    CsrArgs {
        cert_name: Some("another-name".to_owned()),
        force: false,
        ..args.clone()
    }
}

fn with_force(args: &CsrArgs) -> CsrArgs {
    CsrArgs {
        force: true,
        ..args.clone()
    }
}
