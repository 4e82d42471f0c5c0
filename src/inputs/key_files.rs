//! Judges key files when they are read: who owns them, who else can read them, and who can replace
//! them on the way there. What counts is the file that was read, not what is at its path afterwards.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::delivery::{CaDelivery, DeliveryLimits, FoundItem};
use crate::failure::Failure;
use crate::inputs::folder;
use crate::matching::key_trust::{
    KeyFileJudgement, KeySource, RefusedKeyFile, TrustedAccounts, TrustedKeyFile,
};
use crate::matching::{FolderContents, HeldFile};
use crate::pki::key::{PrivateKey, PublicKeyId};
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

/// A file in which a command found keys.
pub(crate) struct FoundKeyFile {
    /// What it contains.
    pub(crate) delivery: CaDelivery,
    judgement: KeyFileJudgement,
}

impl FoundKeyFile {
    /// Reads a file that was not named by the user.
    ///
    /// # Errors
    /// When it cannot be read or exceeds a limit.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let (input, identity) = folder::read_identified(path)?;
        let judgement = match identity {
            Some(identity) => KeyFileInspector::default().judge(path, &identity, KeySource::Found),
            None => KeyFileJudgement::not_needed(),
        };
        Ok(Self {
            delivery: CaDelivery::read(vec![input], &DeliveryLimits::default())?,
            judgement,
        })
    }

    /// Reads the file of an installed key.
    ///
    /// # Errors
    /// When it cannot be read or exceeds a limit.
    pub(crate) fn read_installed(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            delivery: folder::read_file(path)?,
            judgement: KeyFileJudgement::not_needed(),
        })
    }

    /// Returns whether the keys in the file may be used, without the keys; `None` if it has none.
    pub(crate) fn access(&self, path: &Path) -> Option<Result<TrustedKeyFile<()>, RefusedKeyFile>> {
        let id = self.delivery.keys.first().map(|key| key.id());
        if id.is_none() && self.delivery.encrypted_keys.is_empty() {
            return None;
        }
        let file = HeldFile {
            path: path.to_owned(),
            value: (),
        };
        Some(TrustedKeyFile::admit(file, id, &self.judgement))
    }

    /// Returns the key with this id, if it may be used.
    pub(crate) fn into_key(
        self,
        path: &Path,
        id: PublicKeyId,
    ) -> Option<Result<TrustedKeyFile<PrivateKey>, RefusedKeyFile>> {
        let mut keys = self.delivery.keys.into_iter().map(|key| key.value);
        let value = keys.find(|key| key.id() == id)?;
        let file = HeldFile {
            path: path.to_owned(),
            value,
        };
        Some(TrustedKeyFile::admit(file, Some(id), &self.judgement))
    }
}

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
