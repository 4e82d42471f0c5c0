//! `--extract-key`: writes a key that came with its certificate to a file of its own, never over
//! another key.

use std::path::PathBuf;

use crate::advice::bundle_command;
use crate::audit::{self, AuditAction};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::folder;
use crate::inputs::{KeyLocation, MatchedCertificate};
use crate::permissions::Mode;
use crate::pki::key::PublicKeyId;
use crate::system::fs::files;

/// The file of a key that came with its certificate.
#[derive(Debug)]
pub(crate) struct ExtractedKey {
    /// `NAME.key` in the directory, or the file there that contains the key already.
    pub path: PathBuf,
    /// False if the file had the same key already.
    pub changed: bool,
}

/// Returns the file for each key; none for a key that did not come with its certificate. Writes
/// nothing.
pub(super) fn plan(
    context: &Context,
    matched: &[MatchedCertificate],
) -> Result<Vec<Option<ExtractedKey>>, Failure> {
    let nothing_sent = matched
        .iter()
        .all(|certificate| certificate.key_location == KeyLocation::OwnFile);
    if nothing_sent {
        let message = "no matching private key came with the certificate";
        return Err(Failure::new(FailureKind::NotFound, message)
            .because("`--extract-key` extracts a key from the files that were passed")
            .with_step(bundle_command::omit_extract_key()));
    }
    matched
        .iter()
        .map(|certificate| key_file(context, certificate))
        .collect()
}

fn key_file(
    context: &Context,
    matched: &MatchedCertificate,
) -> Result<Option<ExtractedKey>, Failure> {
    let Some((path, key)) = &matched.key else {
        return Ok(None);
    };
    match matched.key_location {
        KeyLocation::OwnFile => Ok(None),
        KeyLocation::Both => Ok(Some(ExtractedKey {
            path: path.clone(),
            changed: false,
        })),
        KeyLocation::WithCertificate => {
            let own_path = context.path_of(format!("{}.key", matched.stem));
            let observed = ObservedKeyPath::read(own_path)?;
            observed.plan_key(key.id()).map(Some)
        }
    }
}

/// What exists at the path of an extracted key.
struct ObservedKeyPath {
    path: PathBuf,
    /// The keys in the file; none if there is no file.
    existing_keys: Option<Vec<PublicKeyId>>,
}

impl ObservedKeyPath {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        if !files::exists(&path) {
            return Ok(Self {
                path,
                existing_keys: None,
            });
        }
        let delivery = folder::read_file(&path)?;
        let ids = delivery.keys.iter().map(|key| key.id()).collect();
        Ok(Self {
            path,
            existing_keys: Some(ids),
        })
    }

    /// Decides whether the key `id` can be written here.
    fn plan_key(self, id: PublicKeyId) -> Result<ExtractedKey, Failure> {
        match &self.existing_keys {
            None => Ok(ExtractedKey {
                path: self.path,
                changed: true,
            }),
            Some(ids) if ids.contains(&id) => Ok(ExtractedKey {
                path: self.path,
                changed: false,
            }),
            Some(_) => Err(self.other_key()),
        }
    }

    fn other_key(&self) -> Failure {
        let message = format!(
            "{} exists and is not the key that came with the certificate",
            self.path.display()
        );
        Failure::new(FailureKind::Exists, message)
            .because("certctl never overwrites a private key: it may be the only copy")
            .with_step(bundle_command::move_old_key_away(&self.path))
    }
}

/// Writes the keys with mode 0600 and makes each certificate refer to its new key file.
pub(super) fn write(
    context: &Context,
    matched: &mut [MatchedCertificate],
    key_files: &[Option<ExtractedKey>],
) -> Result<(), Failure> {
    for (certificate, key_file) in matched.iter_mut().zip(key_files) {
        let (Some((path, key)), Some(key_file)) = (certificate.key.as_mut(), key_file) else {
            continue;
        };
        if key_file.changed {
            files::create_new(&key_file.path, key.to_pem().as_bytes(), Mode::new(0o600))?;
            let path = &key_file.path;
            let key_id = key.id().to_string();
            let failed = audit::record_key(context, AuditAction::CreateKey, path, key_id);
            certificate.findings.extend(failed);
        }
        *path = key_file.path.clone();
    }
    Ok(())
}
