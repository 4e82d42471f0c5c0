//! `--extract-key`: a key that came with its certificate becomes a file of its own. Never over
//! another one.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::inputs::folder;
use crate::inputs::{KeyLocation, MatchedCertificate};
use crate::system::fs::files;

/// The file of a key that came with its certificate.
#[derive(Debug)]
pub(crate) struct ExtractedKey {
    /// `NAME.key` in the directory, or the file there that has the key already.
    pub path: PathBuf,
    /// False when the same key was there already.
    pub changed: bool,
}

/// Where the key of each pair goes; none where it did not come with the certificate. Nothing is
/// written yet.
pub(super) fn plan(
    context: &Context,
    all: &[MatchedCertificate],
) -> Result<Vec<Option<ExtractedKey>>, Failure> {
    if all.iter().all(|taken| taken.key_place == KeyLocation::Own) {
        return Err(Failure::new(
            FailureKind::NotFound,
            "no private key that fits came with the certificate",
        )
        .because("--extract-key takes it out of what was passed")
        .with(NextStep::say(
            "leave --extract-key away: the key that was made with the request stays where it is",
        )));
    }
    all.iter().map(|taken| place(context, taken)).collect()
}

fn place(context: &Context, taken: &MatchedCertificate) -> Result<Option<ExtractedKey>, Failure> {
    let key = match (&taken.key, taken.key_place) {
        (Some((path, _)), KeyLocation::Both) => {
            return Ok(Some(ExtractedKey {
                path: path.clone(),
                changed: false,
            }));
        }
        (Some((_, key)), KeyLocation::Sent) => key,
        _ => return Ok(None),
    };
    let path = context.here(format!("{}.key", taken.stem));
    if !files::occupied(&path) {
        return Ok(Some(ExtractedKey {
            path,
            changed: true,
        }));
    }
    let there = folder::read_file(&path)?;
    if there.keys.iter().any(|one| one.id() == key.id()) {
        return Ok(Some(ExtractedKey {
            path,
            changed: false,
        }));
    }
    let word = shell_word(&path.display().to_string());
    let away = shell_word(&format!("{}.old", path.display()));
    Err(Failure::new(
        FailureKind::Exists,
        format!(
            "{} is there, and is not the key that came with the certificate",
            path.display()
        ),
    )
    .because("a private key is never overwritten: it may be the only one of its kind")
    .with(NextStep::say(format!(
        "if it is no longer needed, move it away:  mv {word} {away}"
    ))))
}

/// Writes the keys, born with mode 0600, and lets each pair name its new file.
pub(super) fn write(
    all: &mut [MatchedCertificate],
    extracted: &[Option<ExtractedKey>],
) -> Result<(), Failure> {
    for (taken, extracted) in all.iter_mut().zip(extracted) {
        let (Some((path, key)), Some(new)) = (taken.key.as_mut(), extracted) else {
            continue;
        };
        if new.changed {
            files::create_new(&new.path, key.to_pem().as_bytes(), 0o600)?;
        }
        *path = new.path.clone();
    }
    Ok(())
}
