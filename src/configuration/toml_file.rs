//! Reads a TOML file of the configuration: bounded, with any line ends and with or without a byte
//! order mark, and only if no other user could have written it. Error messages never contain a part
//! of a value.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::permissions::{Mode, Owner};
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::tsig_key::TsigKeyError;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// The maximum number of bytes of a configuration file.
pub(crate) const FILE_LIMIT: u64 = 256 * 1024;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigurationError {
    /// Other users could read the secrets, or write the file.
    #[error("{} must be {}: it has the owner {owner} and the mode {mode}", path.display(), access.words())]
    Exposed {
        path: PathBuf,
        owner: Owner,
        mode: Mode,
        access: ConfigurationAccess,
    },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} has an error in line {line}: {message}", path.display())]
    Syntax {
        path: PathBuf,
        line: usize,
        message: String,
    },
    #[error("unknown key {key} in {origin}; known are: {known}")]
    UnknownKey {
        origin: String,
        key: String,
        known: String,
    },
    #[error("{origin}: {key} must be {expected}")]
    WrongType {
        origin: String,
        key: String,
        expected: &'static str,
    },
    /// A value has the right type and is not valid.
    #[error("{origin}: {key} {reason}")]
    WrongValue {
        origin: String,
        key: String,
        reason: String,
    },
    #[error("the TSIG key in {origin} cannot be used")]
    TsigKey {
        origin: String,
        #[source]
        source: TsigKeyError,
    },
    /// Values that the provider needs are not set anywhere.
    #[error("the credentials of {} are incomplete: {missing} is not set", table.title)]
    Missing {
        table: Box<CredentialsTable>,
        missing: String,
        /// The file that the example is for.
        path: PathBuf,
    },
}

/// Who may use a configuration file besides its owner, who must be root or the current user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ConfigurationAccess {
    /// No other user.
    OwnerOnly,
    /// Everybody may read it.
    Readable,
}

impl ConfigurationAccess {
    fn words(self) -> &'static str {
        match self {
            Self::OwnerOnly => "readable only by its owner, root or you (mode 0600)",
            Self::Readable => "writable only by its owner, root or you",
        }
    }

    fn allows(self, mode: Mode) -> bool {
        !mode.has_any(match self {
            Self::OwnerOnly => 0o077,
            Self::Readable => 0o022,
        })
    }
}

/// Reads a file; `None` if it does not exist, or if it belongs to root and this user may not read
/// it.
///
/// # Errors
/// See [`ConfigurationError`].
pub(crate) fn read_table(
    path: &Path,
    access: ConfigurationAccess,
) -> Result<Option<toml::Table>, ConfigurationError> {
    match read_protected(path, access) {
        Ok(bytes) => parse_table(path, &bytes).map(Some),
        Err(ConfigurationError::File(error))
            if error.is_missing() || is_roots_secret(&error, path, access) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Reads a file that no other user could have written or, if it is a secret, read.
///
/// # Errors
/// [`ConfigurationError::Exposed`], or the error of the system.
pub(crate) fn read_protected(
    path: &Path,
    access: ConfigurationAccess,
) -> Result<Zeroizing<Vec<u8>>, ConfigurationError> {
    let (bytes, identity) = files::read_identified(path, FILE_LIMIT)?;
    let bytes = Zeroizing::new(bytes);
    let is_owned = [0, folders::current_user()].contains(&identity.owner.uid);
    if !is_owned || !access.allows(identity.mode) {
        return Err(ConfigurationError::Exposed {
            path: path.to_owned(),
            owner: identity.owner,
            mode: identity.mode,
            access,
        });
    }
    Ok(bytes)
}

/// Returns whether the file is root's, which other users do not need to read.
fn is_roots_secret(error: &FileError, path: &Path, access: ConfigurationAccess) -> bool {
    access == ConfigurationAccess::OwnerOnly
        && error.source.kind() == std::io::ErrorKind::PermissionDenied
        && folders::read_status(path)
            .is_ok_and(|status| status.is_none_or(|one| one.owner.uid == 0))
}

fn parse_table(path: &Path, bytes: &[u8]) -> Result<toml::Table, ConfigurationError> {
    let syntax = |line: usize, message: &str| ConfigurationError::Syntax {
        path: path.to_owned(),
        line,
        message: message.to_owned(),
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        syntax(line_at(before), "it is not UTF-8 text")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    text.parse::<toml::Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        // The error's own words name what was expected, and never quote the file.
        syntax(line_at(before), error.message())
    })
}

/// Returns the number of the line that begins or continues after `before`.
fn line_at(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse_table;

    #[test]
    fn any_line_ends_and_a_byte_order_mark_are_accepted() {
        for text in ["a = \"x\"\nb = 2\n", "\u{feff}a = \"x\"\r\nb = 2\r\n"] {
            let table = parse_table(Path::new("x"), text.as_bytes()).unwrap();
            assert_eq!(table["a"].as_str(), Some("x"), "{text:?}");
            assert_eq!(table["b"].as_integer(), Some(2));
        }
    }

    #[test]
    fn errors_have_a_line_and_no_value() {
        for (text, line) in [
            ("a = 1\nsecret = \"hunter2\n", 2),
            ("secret = hunter2\n", 1),
            ("a = 1\n[x\nsecret = 'hunter2'", 2),
            ("secret = \"hunter2\"\nsecret = \"hunter2\"\n", 2),
            ("secret = \"hunter2\" \"hunter2\"", 1),
            ("\n\nhunter2", 3),
        ] {
            let error = parse_table(Path::new("x"), text.as_bytes()).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(&format!("line {line}:")), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        let error = parse_table(Path::new("x"), b"a = 1\nb = '\xff'").unwrap_err();
        assert!(error.to_string().contains("line 2: it is not UTF-8"));
    }
}
