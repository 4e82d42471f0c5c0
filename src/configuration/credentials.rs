//! The credentials of a provider, each value with where it was found. The order, of which later ones
//! override: environment variables with the names that lego uses; the same with `_FILE`, which name a
//! file with the value; files of these names in systemd's `$CREDENTIALS_DIRECTORY`; the tables of
//! `credentials.toml`. Variables belong to no profile: `--dns rfc2136@work` reads only its own table.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::folders::ConfigurationFolders;
use super::toml_file::{ConfigurationAccess, ConfigurationError, read_protected, read_table};
use crate::publishing::credentials_table::{CredentialsTable, EnvironmentUse};
use crate::publishing::profile::CredentialNeed;
use crate::secret::SecretText;
use crate::system::environment;
use crate::system::fs::files;

/// The name of the file with the tables.
pub(crate) const CREDENTIALS_FILE: &str = "credentials.toml";

/// The values that were found for a provider.
#[derive(Debug)]
pub(crate) struct Credentials {
    table: CredentialsTable,
    values: BTreeMap<String, FoundCredential>,
    /// The file in which a missing value belongs.
    path: PathBuf,
}

/// A value, and where it is from.
#[derive(Debug)]
pub(crate) struct FoundCredential {
    pub value: SecretText,
    pub source: CredentialSource,
}

/// Where a value was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CredentialSource {
    /// An environment variable with this name.
    Variable(String),
    /// The variable that names the file.
    FileVariable(String, PathBuf),
    /// A file that systemd provides to the service.
    Systemd(PathBuf),
    /// A table of a credentials file, and the file.
    Table(String, PathBuf),
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::FileVariable(name, path) => write!(f, "{} ({name})", path.display()),
            Self::Systemd(path) => write!(f, "{}", path.display()),
            Self::Table(table, path) => write!(f, "[{table}] in {}", path.display()),
        }
    }
}

/// Finds the values for a provider; a missing one is no error yet.
///
/// # Errors
/// A file that cannot be read or that others may read, or an unknown key in the provider's table.
pub(crate) fn find_credentials(
    folders: &ConfigurationFolders,
    table: &CredentialsTable,
) -> Result<Credentials, ConfigurationError> {
    let mut found = Credentials {
        table: table.clone(),
        values: BTreeMap::new(),
        path: folders.own_path_of(CREDENTIALS_FILE),
    };
    if table.environment == EnvironmentUse::Read {
        found.read_environment()?;
    }
    for path in folders.paths_of(CREDENTIALS_FILE) {
        if let Some(tables) = read_table(&path, ConfigurationAccess::OwnerOnly)? {
            found.read_tables(&path, tables)?;
        }
    }
    Ok(found)
}

impl Credentials {
    /// Returns the value of a key.
    #[must_use]
    pub(crate) fn get(&self, key: &str) -> Option<&FoundCredential> {
        self.values.get(key)
    }

    /// Returns the value of a key that the provider needs.
    ///
    /// # Errors
    /// [`ConfigurationError::Missing`].
    pub(crate) fn require(&self, key: &str) -> Result<&FoundCredential, ConfigurationError> {
        self.get(key).ok_or_else(|| self.missing(key))
    }

    /// Returns the error for a value that is not set; `missing` names it.
    #[must_use]
    pub(crate) fn missing(&self, missing: &str) -> ConfigurationError {
        ConfigurationError::Missing {
            table: Box::new(self.table.clone()),
            missing: missing.to_owned(),
            path: self.path.clone(),
        }
    }

    /// Checks that every value that the provider always needs is set.
    ///
    /// # Errors
    /// [`ConfigurationError::Missing`] with the first one.
    pub(crate) fn require_all(&self) -> Result<(), ConfigurationError> {
        let required = self.table.fields.iter();
        for field in required.filter(|field| field.need == CredentialNeed::Required) {
            self.require(&field.key)?;
        }
        Ok(())
    }

    /// Returns whether any value is set.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns all values that are set, for `redact`.
    #[must_use]
    pub(crate) fn secrets(&self) -> Vec<SecretText> {
        let values = self.values.values();
        values.map(|found| found.value.clone()).collect()
    }

    /// Returns all values that are set, by key.
    #[must_use]
    pub(crate) fn into_values(self) -> BTreeMap<String, SecretText> {
        let values = self.values.into_iter();
        values.map(|(key, found)| (key, found.value)).collect()
    }

    fn read_environment(&mut self) -> Result<(), ConfigurationError> {
        let systemd = environment::variable("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        for field in self.table.fields.clone() {
            if let Some(value) = environment::variable(&field.variable) {
                let source = CredentialSource::Variable(field.variable.clone());
                let value = text_of_variable(&field.variable, value)?;
                self.set(&field.key, value, source);
            }
            let with_file = format!("{}_FILE", field.variable);
            if let Some(path) = environment::variable(&with_file).map(PathBuf::from) {
                let value = read_value(&path)?;
                let source = CredentialSource::FileVariable(with_file, path);
                self.set(&field.key, value, source);
            }
            if let Some(folder) = &systemd {
                let path = folder.join(&field.variable);
                if files::exists(&path) {
                    let value = read_value(&path)?;
                    self.set(&field.key, value, CredentialSource::Systemd(path));
                }
            }
        }
        Ok(())
    }

    /// Takes the values out of the account's table.
    fn read_tables(
        &mut self,
        file_path: &Path,
        tables: toml::Table,
    ) -> Result<(), ConfigurationError> {
        let mut table = inner_table(tables, self.table.section);
        for name in &self.table.path {
            table = table.and_then(|outer| inner_table(outer, name));
        }
        for (key, value) in table.unwrap_or_default() {
            // The table of another profile.
            if self.table.environment == EnvironmentUse::Read && value.is_table() {
                continue;
            }
            let source = CredentialSource::Table(self.table.name(), file_path.to_owned());
            self.set_from_table(&key, value, source)?;
        }
        Ok(())
    }

    fn set_from_table(
        &mut self,
        key: &str,
        value: toml::Value,
        source: CredentialSource,
    ) -> Result<(), ConfigurationError> {
        let fields = self.table.fields.iter();
        let mut known = Vec::new();
        for field in fields {
            known.push(field.key.as_str());
        }
        if !known.contains(&key) {
            return Err(ConfigurationError::UnknownKey {
                origin: source.to_string(),
                key: key.to_owned(),
                known: known.join(", "),
            });
        }
        let toml::Value::String(value) = value else {
            return Err(ConfigurationError::WrongType {
                origin: source.to_string(),
                key: key.to_owned(),
                expected: "text in quotation marks",
            });
        };
        self.set(key, SecretText::new(value), source);
        Ok(())
    }

    fn set(&mut self, key: &str, value: SecretText, source: CredentialSource) {
        if !value.expose().is_empty() {
            let found = FoundCredential { value, source };
            self.values.insert(key.to_owned(), found);
        }
    }
}

/// Takes a table out of another one.
fn inner_table(mut table: toml::Table, name: &str) -> Option<toml::Table> {
    match table.remove(name) {
        Some(toml::Value::Table(inner)) => Some(inner),
        _ => None,
    }
}

fn text_of_variable(
    name: &str,
    value: std::ffi::OsString,
) -> Result<SecretText, ConfigurationError> {
    let value = value
        .into_string()
        .map_err(|_| ConfigurationError::WrongValue {
            origin: "the environment".to_owned(),
            key: name.to_owned(),
            reason: "is not UTF-8 text".to_owned(),
        })?;
    Ok(SecretText::new(value))
}

/// Reads a file with one value; line ends after it do not belong to it. Programs that provide secrets
/// to containers let everybody read them there, so that only writing is checked.
fn read_value(path: &Path) -> Result<SecretText, ConfigurationError> {
    let bytes = read_protected(path, ConfigurationAccess::Readable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ConfigurationError::WrongValue {
        origin: path.display().to_string(),
        key: "the value".to_owned(),
        reason: "is not UTF-8 text".to_owned(),
    })?;
    let value = text.trim_start_matches('\u{feff}');
    Ok(SecretText::new(
        value.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
