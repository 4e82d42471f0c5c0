//! Why existing files block a new request, and what the user can do instead.

use std::path::PathBuf;

use super::args::CsrArgs;
use super::command_line;
use crate::advice::csr_command;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::request_files::RequestPaths;
use crate::pki::key::KeyAlgorithm;

/// Why existing files block a new request.
pub(super) enum CsrConflict {
    /// A key exists without a request.
    KeyAlone,
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
    /// The failure that names the blocking file and offers other command lines.
    pub(super) fn failure(
        &self,
        context: &Context,
        args: &CsrArgs,
        paths: &RequestPaths,
    ) -> Failure {
        let path = self.blocking_path(paths).display();
        let message = format!("{path} is in the way: {}", self.reason());
        let mut failure = Failure::new(FailureKind::Exists, message);
        match self {
            Self::KeyAlone => {
                let with_key = with_existing_key(args, paths.key.clone());
                let words = command_line::words(context, &with_key);
                failure = failure.with_step(csr_command::request_existing_key(&words));
            }
            Self::RequestAlone if args.key.is_none() => {
                let words = command_line::words(context, args);
                failure = failure.with_step(csr_command::add_missing_key(&words));
            }
            _ => {}
        }
        let another_stem = command_line::words(context, &with_another_stem(args));
        let forced = command_line::words(context, &with_force(args));
        failure
            .with_step(csr_command::use_another_stem(&another_stem))
            .with_step(csr_command::replace_existing_files(&forced))
    }

    fn blocking_path<'a>(&self, paths: &'a RequestPaths) -> &'a PathBuf {
        match self {
            Self::KeyAlone
            | Self::NotEncrypted
            | Self::OtherKey
            | Self::OtherKeyType(_)
            | Self::Unusable => &paths.key,
            Self::OtherNames
            | Self::OtherSubject(_)
            | Self::RequestAlone
            | Self::RequestOfOtherKey => &paths.request,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::KeyAlone => "a key is there without a request".to_owned(),
            Self::NotEncrypted => "it is not encrypted".to_owned(),
            Self::OtherKeyType(algorithm) => format!("it is {algorithm}"),
            Self::OtherKey | Self::RequestOfOtherKey => {
                "it is of another key than the one that was named".to_owned()
            }
            Self::OtherSubject(subject) => format!("its subject is {subject}"),
            Self::RequestAlone => "a request is there without its key".to_owned(),
            Self::OtherNames => "it asks for other names".to_owned(),
            Self::Unusable => {
                "key and request are there but do not belong together, or cannot be read".to_owned()
            }
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
