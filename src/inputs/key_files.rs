//! Judges key files when they are read: who owns them, who else can read them, and who can replace
//! them on the way there. What counts is the file that was read, not what is at its path afterwards.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::delivery::{CaDelivery, FoundItem};
use crate::matching::key_trust::{
    DoubtfulKeyFile, KeyFileJudgement, KeySource, RefusedKeyFile, TrustedAccounts, TrustedKeyFile,
};
use crate::matching::{FolderContents, HeldFile};
use crate::pki::key::PublicKeyId;
use crate::system::accounts;
use crate::system::fs::files::FileIdentity;
use crate::system::fs::folders;
use crate::system::fs::path_walk::PathWalker;

/// Judges key files for the user who runs certctl. The accounts of the machine are read once, and
/// only if root runs it.
#[derive(Debug, Default)]
pub(crate) struct KeyFileInspector {
    accounts: OnceCell<TrustedAccounts>,
    walker: RefCell<PathWalker>,
}

impl KeyFileInspector {
    /// Judges the file that was read from `path`.
    pub(crate) fn judge(
        &self,
        path: &Path,
        identity: &FileIdentity,
        source: KeySource,
    ) -> KeyFileJudgement {
        let is_root = folders::current_user() == 0;
        if !is_root && !identity.mode.has_any(0o004) {
            return KeyFileJudgement::not_needed();
        }
        let walked = match self.walker.borrow_mut().walk(path) {
            Ok(walked) if walked.identity.is_same_file(identity) => walked,
            _ if is_root => return KeyFileJudgement::of_replaced_file(source),
            _ => return KeyFileJudgement::not_needed(),
        };
        let mut file = walked.end;
        file.mode = identity.mode;
        file.owner = identity.owner;
        if !is_root {
            return KeyFileJudgement::for_user(&file, &walked.above);
        }
        let accounts = self.accounts.get_or_init(accounts::trusted_accounts);
        KeyFileJudgement::for_root(&file, &walked.above, accounts, source)
    }
}

impl KeyFileInspector {
    /// Returns why a command that finds this file would not use its key; `id` is its key id unless
    /// it is encrypted. Nothing if the file is gone.
    #[must_use]
    pub(crate) fn refuse_found(
        &self,
        path: &Path,
        id: Option<PublicKeyId>,
    ) -> Option<DoubtfulKeyFile> {
        if folders::current_user() != 0 {
            return None;
        }
        let identity = self.walker.borrow_mut().walk(path).ok()?.identity;
        let judgement = self.judge(path, &identity, KeySource::Found);
        let file = HeldFile {
            path: path.to_owned(),
            value: (),
        };
        let refused = TrustedKeyFile::admit(file, id, &judgement).err()?;
        Some(*refused.file)
    }
}

/// The files among the arguments, with the name that the content has in a [`CaDelivery`].
#[derive(Debug, Default)]
pub(crate) struct OpenedFiles {
    by_name: HashMap<String, OpenedFile>,
    inspector: KeyFileInspector,
}

/// A file that was read.
#[derive(Debug)]
struct OpenedFile {
    path: PathBuf,
    identity: FileIdentity,
    source: KeySource,
}

impl OpenedFiles {
    /// Remembers which file was read; none for a pipe.
    pub(crate) fn add(
        &mut self,
        name: &str,
        path: &Path,
        identity: Option<FileIdentity>,
        source: KeySource,
    ) {
        let Some(identity) = identity else {
            return;
        };
        let opened = OpenedFile {
            path: path.to_owned(),
            identity,
            source,
        };
        self.by_name.insert(name.to_owned(), opened);
    }

    /// Lets a key of an argument be used, or refuses it; `id` is its key id unless it is encrypted.
    pub(super) fn admit<T>(
        &self,
        found: FoundItem<T>,
        id: Option<PublicKeyId>,
    ) -> Result<TrustedKeyFile<T>, RefusedKeyFile> {
        let judgement = self.judge(&found.source.input);
        let file = HeldFile {
            path: found.source.input.into(),
            value: found.value,
        };
        TrustedKeyFile::admit(file, id, &judgement)
    }

    /// Judges the file of a key; keys that came through a pipe have none.
    fn judge(&self, name: &str) -> KeyFileJudgement {
        match self.by_name.get(name) {
            Some(opened) => self
                .inspector
                .judge(&opened.path, &opened.identity, opened.source),
            None => KeyFileJudgement::not_needed(),
        }
    }
}

/// Who named a key file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamedKeyOrigin {
    /// The user, with `--key`.
    User,
    /// certctl itself: it installed the key.
    Installed,
    /// The key is compared with a certificate, and used for nothing else.
    Comparison,
}

/// Judges a key file that was named.
pub(super) fn judge_named(
    path: &Path,
    identity: Option<FileIdentity>,
    origin: NamedKeyOrigin,
) -> KeyFileJudgement {
    let path = if path == Path::new("-") {
        Path::new(STDIN)
    } else {
        path
    };
    match (origin, identity) {
        (NamedKeyOrigin::User, Some(identity)) => {
            KeyFileInspector::default().judge(path, &identity, KeySource::Given)
        }
        _ => KeyFileJudgement::not_needed(),
    }
}

/// The path under which the file on stdin can be followed.
pub(crate) const STDIN: &str = "/proc/self/fd/0";

impl FolderContents {
    /// Adds the keys of one file: those that may be used, and those that may not.
    pub(super) fn add_keys(
        &mut self,
        path: &Path,
        found: &mut CaDelivery,
        judgement: &KeyFileJudgement,
    ) {
        for locked in std::mem::take(&mut found.encrypted_keys) {
            let file = HeldFile {
                path: path.to_owned(),
                value: locked.value,
            };
            match TrustedKeyFile::admit(file, None, judgement) {
                Ok(file) => self.locked.push(file),
                Err(refused) => self.refused_keys.push(refused),
            }
        }
        for key in std::mem::take(&mut found.keys) {
            let id = Some(key.value.id());
            let file = HeldFile {
                path: path.to_owned(),
                value: key.value,
            };
            match TrustedKeyFile::admit(file, id, judgement) {
                Ok(file) => self.keys.push(file),
                Err(refused) => self.refused_keys.push(refused),
            }
        }
    }
}
