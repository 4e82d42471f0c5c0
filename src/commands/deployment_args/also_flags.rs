//! `--also`: further files of the certificate, for further readers of it.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::store::layout::{ReleaseFile, StableLink};
use crate::store::settings::{FORGET, LineageSettings};
use crate::system::fs::folders;
use crate::wording::spell_keyword;

/// The options for further files.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct AlsoArgs {
    /// Further file for another reader of the certificate (may be repeated): pem, cert, chain, key or
    /// combined (key and certificates in one file); it is switched, verified and rolled back with the
    /// others; auto forgets the saved ones
    #[arg(long, value_name = "FORMAT=PATH|auto", value_parser = parse_file)]
    pub also: Vec<AlsoFile>,
}

/// A value of `--also`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AlsoFile {
    /// The word that forgets the saved files.
    Forget,
    Path(AlsoFormat, PathBuf),
}

/// What a further file contains.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum AlsoFormat {
    /// The certificate and its intermediates
    Pem,
    /// Only the certificate
    Cert,
    /// Only the intermediates
    Chain,
    /// The private key
    Key,
    /// The key, the certificate and its intermediates
    Combined,
}

impl AlsoFormat {
    fn release_file(self) -> ReleaseFile {
        match self {
            Self::Pem => ReleaseFile::FullChain,
            Self::Cert => ReleaseFile::Cert,
            Self::Chain => ReleaseFile::Ca,
            Self::Key => ReleaseFile::Key,
            Self::Combined => ReleaseFile::Combined,
        }
    }
}

impl AlsoArgs {
    /// Adds them to the options of the command line. A key follows the certificates that it belongs to.
    ///
    /// # Errors
    /// When the working directory does not exist any more.
    pub(super) fn add_to(&self, flags: LineageSettings) -> Result<LineageSettings, Failure> {
        let mut links = Vec::new();
        for file in &self.also {
            if let AlsoFile::Path(format, path) = file {
                let path = folders::absolute(path)?;
                links.push(StableLink::new(path, format.release_file()));
            }
        }
        links.sort_by_key(|link| link.piece);
        Ok(LineageSettings {
            links,
            no_links: !self.also.is_empty(),
            ..flags
        })
    }

    /// Returns whether there is a path.
    pub(super) fn has_path(&self) -> bool {
        let mut files = self.also.iter();
        files.any(|file| *file != AlsoFile::Forget)
    }
}

/// Parses `FORMAT=PATH`, or the word that forgets the saved files.
fn parse_file(text: &str) -> Result<AlsoFile, String> {
    if spell_keyword(text, &[FORGET]) == FORGET {
        return Ok(AlsoFile::Forget);
    }
    let example = "expected FORMAT=PATH, for example combined=/etc/ssl/private/mail.pem";
    let Some((format, path)) = text.split_once('=') else {
        return Err(example.to_owned());
    };
    if path.is_empty() {
        return Err(example.to_owned());
    }
    match AlsoFormat::from_str(format, true) {
        Ok(format) => Ok(AlsoFile::Path(format, PathBuf::from(path))),
        Err(_) => Err("the formats are pem, cert, chain, key and combined".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{AlsoFile, AlsoFormat, parse_file};

    #[test]
    fn a_format_and_a_path_are_parsed() {
        let parsed = parse_file("Combined=/a=b.pem").unwrap();
        let path = "/a=b.pem".into();
        assert_eq!(parsed, AlsoFile::Path(AlsoFormat::Combined, path));
        assert_eq!(parse_file("AUTO").unwrap(), AlsoFile::Forget);
        for text in ["combined", "combined=", "=/a", "p7b=/a", "/a"] {
            assert!(parse_file(text).is_err(), "{text}");
        }
    }
}
