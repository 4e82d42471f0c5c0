//! The key of a request: generated for it, found beside it, or given with `--key`.

use std::path::{Path, PathBuf};

use super::args::CsrArgs;
use crate::advice::{csr_command, key_files};
use crate::context::Context;
use crate::csr_lint::ReusedKey;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::{self, InputReader, NamedKeyOrigin};
use crate::install::installed;
use crate::matching::FolderContents;
use crate::matching::key_trust::{DoubtfulKeyFile, RefusedKeyFile, TrustedKeyFile};
use crate::pki::alt_name::AltNames;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKeyId};
use crate::scan::newer;
use crate::system::fs::files;
use crate::wording::day;

/// Where the key of a request comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyOrigin {
    /// It existed beside its request.
    Found,
    /// This run generated it.
    Made,
    /// It was given with `--key`.
    Given,
}

/// The file of a request's key.
#[derive(Clone, Debug)]
pub(super) struct RequestKeyFile {
    pub path: PathBuf,
    pub algorithm: KeyAlgorithm,
    pub id: PublicKeyId,
    pub encrypted: bool,
    pub origin: KeyOrigin,
    /// Whether `install` finds it in the directory without `--key`.
    pub found_here: bool,
    /// What other users can do with the file.
    pub doubtful: Option<DoubtfulKeyFile>,
}

impl RequestKeyFile {
    /// Reports an encrypted key that was not compared with its request because no password was given.
    pub(super) fn unchecked_key_finding(&self, args: &CsrArgs) -> Option<Finding> {
        let has_password = args.reading.password_file.is_some();
        if !self.encrypted || has_password || self.origin != KeyOrigin::Found {
            return None;
        }
        let message = format!(
            "{} is encrypted, so it was not compared with the request",
            self.path.display()
        );
        Some(Finding::note("key-not-opened", message))
    }

    /// Warns that other users own the key file, can read it or can replace it.
    pub(super) fn doubtful_key_finding(&self) -> Option<Finding> {
        self.doubtful.as_ref().map(key_files::doubtful_key)
    }

    /// Describes the key: the mode of its file, its algorithm and whether it is encrypted.
    pub(super) fn describe(&self) -> String {
        let mode = files::read_mode(&self.path)
            .map(|mode| format!("{mode}, "))
            .unwrap_or_default();
        let encrypted = if self.encrypted { ", encrypted" } else { "" };
        format!("{mode}{}{encrypted}", self.algorithm)
    }
}

/// A key that is not used.
#[derive(Clone)]
pub(super) struct RefusedRequestKey {
    pub file: DoubtfulKeyFile,
    /// Whether a certificate here or on this machine needs it.
    pub has_certificate: bool,
}

impl RefusedRequestKey {
    pub(super) fn new(context: &Context, here: &FolderContents, refused: RefusedKeyFile) -> Self {
        let is_needed = |id| {
            here.has_certificate_for(id)
                || installed::list_keys(context)
                    .iter()
                    .any(|(_, key)| *key == id)
        };
        Self {
            has_certificate: refused.id.is_some_and(is_needed),
            file: *refused.file,
        }
    }
}

/// Reports the certificates for the same names: first a valid one that a server does not serve yet,
/// then the one that is installed.
#[must_use]
pub(super) fn about_installed(
    context: &Context,
    names: &AltNames,
    id: PublicKeyId,
) -> Vec<Finding> {
    let mut findings = Vec::from_iter(newer::find_unserved(context, &names.texts()));
    findings.extend(already_installed(context, names, id));
    findings
}

/// Warns that a certificate for all of `names` is installed, which `renew` can replace.
fn already_installed(context: &Context, names: &AltNames, id: PublicKeyId) -> Option<Finding> {
    let (stem, leaf) = installed::find_with_names(context, &names.texts())?;
    let same_key = if leaf.key_id == id {
        "; it has the same key as this request, and some CAs refuse to issue for a key twice"
    } else {
        ""
    };
    let message = format!(
        "a certificate for these names is installed as {stem} and expires on {}{same_key}",
        day(leaf.not_after)
    );
    let mut words = context.command_words("renew");
    words.push(stem);
    let finding = Finding::warning("already-installed", message);
    Some(finding.with_step(csr_command::renew_installed(&words)))
}

/// The key of `--key`.
pub(super) struct GivenKey {
    pub key: PrivateKey,
    pub file: RequestKeyFile,
    directory: FolderContents,
}

impl GivenKey {
    /// Reads the key file in any format; prompts for a password if the key is encrypted.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no usable key or several keys.
    pub(super) fn read(
        context: &Context,
        reading: &InputReader,
        path: &Path,
    ) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let message = "`--key` needs a file, because `install` reads the key again";
            let failure = Failure::new(FailureKind::Usage, message);
            return Err(failure.with_step(csr_command::pass_key_as_file()));
        }
        let origin = NamedKeyOrigin::User;
        let (mut keys, opened_ids) = inputs::read_named_keys(reading, path, origin)?;
        keys.dedup_by_key(|key| key.value.id());
        if keys.len() > 1 {
            return Err(several_keys(path, &keys));
        }
        let Some(held) = keys.pop() else {
            return Err(several_keys(path, &keys));
        };
        let id = held.value.id();
        let directory = FolderContents::read(context)?;
        let found_here =
            directory.key(id).is_some() || directory.locked.iter().any(|held| held.path == path);
        let file = RequestKeyFile {
            path: path.to_owned(),
            algorithm: held.value.algorithm(),
            id,
            encrypted: opened_ids.contains(&id),
            origin: KeyOrigin::Given,
            found_here,
            doubtful: held.doubtful(),
        };
        Ok(Self {
            key: held.into_held().value,
            file,
            directory,
        })
    }

    /// Returns the requests and certificates that have this key, except for the file `request`.
    pub(super) fn reused_key(&self, context: &Context, request: &Path) -> ReusedKey {
        let mut others = self.requests_with_key(request);
        others.extend(self.certificates_with_key());
        others.extend(self.installed_with_key(context));
        ReusedKey {
            spki: self.key.spki().to_vec(),
            also_used_by: others,
        }
    }

    fn requests_with_key(&self, except: &Path) -> Vec<String> {
        self.directory
            .requests
            .iter()
            .filter(|held| held.value.key_id == self.file.id && held.path != except)
            .map(|held| held.path.display().to_string())
            .collect()
    }

    fn certificates_with_key(&self) -> Vec<String> {
        let id = self.file.id;
        self.directory
            .certificates
            .iter()
            .filter(|held| {
                held.value
                    .iter()
                    .any(|certificate| certificate.key_id == id)
            })
            .map(|held| held.path.display().to_string())
            .collect()
    }

    fn installed_with_key(&self, context: &Context) -> Vec<String> {
        let mut stems: Vec<String> = installed::list_keys(context)
            .into_iter()
            .filter(|(_, id)| *id == self.file.id)
            .map(|(stem, _)| stem)
            .collect();
        stems.dedup();
        stems
            .into_iter()
            .map(|stem| format!("the installed certificate of {stem}"))
            .collect()
    }
}

fn several_keys(path: &Path, keys: &[TrustedKeyFile<PrivateKey>]) -> Failure {
    let message = format!("{} contains several private keys", path.display());
    let mut failure = Failure::new(FailureKind::Ambiguous, message);
    for key in keys {
        let algorithm = key.value.algorithm();
        failure = failure.because(format!("{algorithm} {}", key.value.id().short()));
    }
    failure.with_step(csr_command::pass_single_key())
}
