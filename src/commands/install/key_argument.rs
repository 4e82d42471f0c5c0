//! The value of `install --key`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::store::layout::KeyStorage;
use crate::wording::find_keyword;

/// The keyword for a key that is not a file.
const NONE: &str = "none";

/// The value of `install --key`.
#[derive(Clone, Debug)]
pub(crate) enum KeyArgument {
    /// The file of the key.
    File(PathBuf),
    /// `none`: the key is not a file.
    External,
}

impl KeyArgument {
    fn parse(text: OsString) -> Self {
        let keyword = text.to_str().and_then(|text| find_keyword(text, &[NONE]));
        match keyword {
            Some(_) => Self::External,
            None => Self::File(text.into()),
        }
    }

    /// The file, if the key is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::External => None,
        }
    }

    /// Where the key is.
    pub(super) fn storage(&self) -> KeyStorage {
        match self {
            Self::File(_) => KeyStorage::File,
            Self::External => KeyStorage::External,
        }
    }
}

/// Parses the keyword in any case, else a path.
pub(super) fn parser() -> impl TypedValueParser<Value = KeyArgument> {
    OsStringValueParser::new().map(KeyArgument::parse)
}
