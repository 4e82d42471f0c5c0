//! The key of a request: made for it, found beside it, or one that is used again and stays where it
//! is.

use std::path::{Path, PathBuf};

use super::args::CsrArgs;
use crate::context::Context;
use crate::csr_lint::ReusedKey;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::inputs::{self, InputReader};
use crate::install::installed;
use crate::matching::FolderContents;
use crate::pki::alt_name::AltNames;
use crate::pki::key::{KeyAlgorithm, PrivateKey, PublicKeyId};
use crate::system::fs::files;

/// Where the key of a request comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyOrigin {
    /// It was there, beside its request.
    Found,
    /// It was made now.
    Made,
    /// `--key`.
    Named,
}

/// What there is to say of a key.
#[derive(Clone, Debug)]
pub(super) struct RequestKeyFile {
    pub path: PathBuf,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// The identity of the key.
    pub id: PublicKeyId,
    /// Whether a passphrase opens it.
    pub encrypted: bool,
    /// Where it comes from.
    pub origin: KeyOrigin,
    /// Whether `install` finds it by itself in the directory.
    pub found_here: bool,
}

impl RequestKeyFile {
    /// That a locked key was not looked into: a password that opens it was not given.
    pub(super) fn not_opened(&self, args: &CsrArgs) -> Option<Finding> {
        (self.encrypted && args.reading.password_file.is_none() && self.origin == KeyOrigin::Found)
            .then(|| {
                let message = format!(
                    "{} is encrypted: whether it belongs to the request was not looked at",
                    self.path.display()
                );
                Finding::note("key-not-opened", message)
            })
    }

    /// Its kind and how it lies there, in words.
    pub(super) fn in_words(&self) -> String {
        let mode = files::mode(&self.path)
            .map(|mode| format!("{mode:04o}, "))
            .unwrap_or_default();
        let locked = if self.encrypted { ", encrypted" } else { "" };
        format!("{mode}{}{locked}", self.algorithm)
    }
}

/// That a certificate for all of `names` is installed already: the next round is `renew`'s.
pub(super) fn installed(context: &Context, names: &AltNames, id: PublicKeyId) -> Option<Finding> {
    let (stem, leaf) = installed::with_names(context, &names.texts())?;
    let again = if leaf.key_id == id {
        ", made from this very request, which some CAs refuse a second time"
    } else {
        ""
    };
    let message = format!(
        "a certificate for these names is installed ({stem}, until {}){again}",
        leaf.not_after
    );
    let words = [context.again("renew"), vec![stem]].concat();
    Some(Finding::warning("already-installed", message).with(NextStep::run(&words)))
}

/// The key of `--key`.
pub(super) struct GivenKey {
    pub(super) key: PrivateKey,
    pub(super) file: RequestKeyFile,
    here: FolderContents,
}

impl GivenKey {
    /// Reads it in any form; a passphrase is asked for where one is needed.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no key that can be used, or several.
    pub(super) fn read(
        context: &Context,
        reading: &InputReader,
        path: &Path,
    ) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Err(Failure::new(
                FailureKind::Usage,
                "--key takes a file: the key is needed again to install",
            )
            .with(NextStep::say("--key example.com.key")));
        }
        let (mut keys, opened) = inputs::named_keys(reading, path)?;
        keys.dedup_by_key(|key| key.value.id());
        let key = match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => key.value,
            (last, _) => {
                let ids = keys
                    .iter()
                    .chain(&last)
                    .map(|key| format!("{} {}", key.value.algorithm(), key.value.id().short()));
                let failure = Failure::new(
                    FailureKind::Ambiguous,
                    format!("{} holds several private keys", path.display()),
                );
                let failure = ids.fold(failure, Failure::because);
                return Err(failure.with(NextStep::say(
                    "put the one that is meant into a file of its own, and pass that:  --key FILE",
                )));
            }
        };
        let here = FolderContents::read(context)?;
        let (id, algorithm) = (key.id(), key.algorithm());
        let found_here = here.key(id).is_some() || here.locked.iter().any(|held| held.path == path);
        let (path, encrypted) = (path.to_owned(), opened.contains(&id));
        let file = RequestKeyFile {
            path,
            algorithm,
            id,
            encrypted,
            origin: KeyOrigin::Named,
            found_here,
        };
        Ok(Self { key, file, here })
    }

    /// Who else has the key, `request` aside.
    pub(super) fn reused(&self, context: &Context, request: &Path) -> ReusedKey {
        let id = self.file.id;
        let requests = self
            .here
            .requests
            .iter()
            .filter(|held| held.value.key_id == id && held.path != request);
        let certificates = self
            .here
            .certificates
            .iter()
            .filter(|held| held.value.iter().any(|one| one.key_id == id));
        let mut others: Vec<String> = requests
            .map(|held| held.path.display().to_string())
            .collect();
        others.extend(certificates.map(|held| held.path.display().to_string()));
        let mut pairs: Vec<String> = installed::keys(context)
            .into_iter()
            .filter(|(_, key)| *key == id)
            .map(|(stem, _)| stem)
            .collect();
        pairs.dedup();
        others.extend(
            pairs
                .into_iter()
                .map(|stem| format!("the installed certificate of {stem}")),
        );
        ReusedKey {
            spki: self.key.spki().to_vec(),
            others,
        }
    }

    /// A file of a key that everybody on the machine may read.
    pub(super) fn readable(&self) -> Option<Finding> {
        let path = &self.file.path;
        let mode = files::mode(path)
            .ok()
            .filter(|mode| mode & 0o004 != 0 && !self.file.encrypted)?;
        let step = format!("chmod o= {}", shell_word(&path.display().to_string()));
        let message = format!(
            "{} may be read by everybody on this machine ({mode:04o})",
            path.display()
        );
        Some(Finding::warning("key-readable-by-others", message).with(NextStep::say(step)))
    }
}
