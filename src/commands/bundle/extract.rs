//! `--extract-key`: a key that came with its certificate becomes a file of its own. Never over
//! another one.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::{Next, shell_word};
use crate::inputs::folder;
use crate::inputs::{KeyPlace, Taken};
use crate::system::fs::files;

/// The file of a key that came with its certificate.
#[derive(Debug)]
pub(crate) struct Extracted {
    /// `NAME.key` in the directory, or the file there that has the key already.
    pub path: PathBuf,
    /// False when the same key was there already.
    pub changed: bool,
}

/// Where the key of each pair goes; none where it did not come with the certificate. Nothing is
/// written yet.
pub(super) fn plan(context: &Context, all: &[Taken]) -> Result<Vec<Option<Extracted>>, Failure> {
    if all.iter().all(|taken| taken.key_place == KeyPlace::Own) {
        return Err(Failure::new(
            Kind::NotFound,
            "no private key that fits came with the certificate",
        )
        .because("--extract-key takes it out of what was passed")
        .with(Next::say(
            "leave --extract-key away: the key that was made with the request stays where it is",
        )));
    }
    all.iter().map(|taken| place(context, taken)).collect()
}

fn place(context: &Context, taken: &Taken) -> Result<Option<Extracted>, Failure> {
    let key = match (&taken.key, taken.key_place) {
        (Some((path, _)), KeyPlace::Both) => {
            return Ok(Some(Extracted {
                path: path.clone(),
                changed: false,
            }));
        }
        (Some((_, key)), KeyPlace::Sent) => key,
        _ => return Ok(None),
    };
    let path = context.here(format!("{}.key", taken.stem));
    if !files::occupied(&path) {
        return Ok(Some(Extracted {
            path,
            changed: true,
        }));
    }
    let there = folder::read_file(&path)?;
    if there.keys.iter().any(|one| one.id() == key.id()) {
        return Ok(Some(Extracted {
            path,
            changed: false,
        }));
    }
    let word = shell_word(&path.display().to_string());
    let away = shell_word(&format!("{}.old", path.display()));
    Err(Failure::new(
        Kind::Exists,
        format!(
            "{} is there, and is not the key that came with the certificate",
            path.display()
        ),
    )
    .because("a private key is never overwritten: it may be the only one of its kind")
    .with(Next::say(format!(
        "if it is no longer needed, move it away:  mv {word} {away}"
    ))))
}

/// Writes the keys, born with mode 0600, and lets each pair name its new file.
pub(super) fn write(all: &mut [Taken], extracted: &[Option<Extracted>]) -> Result<(), Failure> {
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
