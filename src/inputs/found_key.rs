//! A file in which a command finds keys by itself, outside of the folder that it reads.

use std::path::Path;

use crate::delivery::{CaDelivery, DeliveryLimits};
use crate::failure::Failure;
use crate::inputs::folder;
use crate::inputs::key_files::KeyFileInspector;
use crate::matching::HeldFile;
use crate::matching::key_trust::{KeyFileJudgement, KeySource, RefusedKeyFile, TrustedKeyFile};
use crate::pki::key::{PrivateKey, PublicKeyId};

/// A file in which a command found keys.
pub(crate) struct FoundKeyFile {
    /// What it contains.
    pub delivery: CaDelivery,
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
