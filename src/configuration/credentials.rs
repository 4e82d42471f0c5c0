//! The credentials of a provider, each value with where it was found. The order, of which later ones
//! override: environment variables with the names that lego uses; the same with `_FILE`, which name a
//! file with the value; files of these names in systemd's `$CREDENTIALS_DIRECTORY`; the tables of
//! `credentials.toml`. Variables belong to no profile: `--dns rfc2136@work` reads only its own table.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::folders::ConfigurationFolders;
use super::toml_file::{ConfigurationAccess, ConfigurationError, read_table};
use crate::publishing::provider::{CredentialNeed, ProviderProfile};
use crate::secret::SecretText;
use crate::system::environment;
use crate::system::fs::files;

/// The name of the file with the tables.
pub(crate) const CREDENTIALS_FILE: &str = "credentials.toml";

/// The maximum number of bytes of a file with one value.
const VALUE_LIMIT: u64 = 64 * 1024;

/// The values that were found for a provider.
#[derive(Debug)]
pub(crate) struct Credentials {
    profile: &'static ProviderProfile,
    account: Option<String>,
    values: BTreeMap<&'static str, FoundCredential>,
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
    profile: &'static ProviderProfile,
    account: Option<&str>,
) -> Result<Credentials, ConfigurationError> {
    let mut found = Credentials {
        profile,
        account: account.map(str::to_owned),
        values: BTreeMap::new(),
        path: folders.own_path_of(CREDENTIALS_FILE),
    };
    if account.is_none() {
        found.read_environment()?;
    }
    for path in folders.paths_of(CREDENTIALS_FILE) {
        if let Some(table) = read_table(&path, ConfigurationAccess::OwnerOnly)? {
            found.read_tables(&path, table)?;
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
            profile: self.profile,
            account: self.account.clone(),
            missing: missing.to_owned(),
            path: self.path.clone(),
        }
    }

    /// Checks that every value that the provider always needs is set.
    ///
    /// # Errors
    /// [`ConfigurationError::Missing`] with the first one.
    pub(crate) fn require_all(&self) -> Result<(), ConfigurationError> {
        let required = self.profile.credentials.iter();
        for field in required.filter(|field| field.need == CredentialNeed::Required) {
            self.require(field.key)?;
        }
        Ok(())
    }

    fn read_environment(&mut self) -> Result<(), ConfigurationError> {
        let systemd = environment::variable("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        for field in self.profile.credentials {
            if let Some(value) = environment::variable(field.variable) {
                let source = CredentialSource::Variable(field.variable.to_owned());
                let value = text_of_variable(field.variable, value)?;
                self.set(field.key, value, source);
            }
            let with_file = format!("{}_FILE", field.variable);
            if let Some(path) = environment::variable(&with_file).map(PathBuf::from) {
                let value = read_value(&path)?;
                let source = CredentialSource::FileVariable(with_file, path);
                self.set(field.key, value, source);
            }
            if let Some(folder) = &systemd {
                let path = folder.join(field.variable);
                if files::exists(&path) {
                    let value = read_value(&path)?;
                    self.set(field.key, value, CredentialSource::Systemd(path));
                }
            }
        }
        Ok(())
    }

    /// Takes the values out of the provider's table, `[dns.NAME]` or `[dns.NAME.ACCOUNT]`.
    fn read_tables(
        &mut self,
        file_path: &Path,
        tables: toml::Table,
    ) -> Result<(), ConfigurationError> {
        let mut name = format!("dns.{}", self.profile.name);
        let mut table = inner_table(tables, "dns");
        table = table.and_then(|dns| inner_table(dns, self.profile.name));
        if let Some(account) = &self.account {
            name = format!("{name}.{account}");
            table = table.and_then(|provider| inner_table(provider, account));
        }
        for (key, value) in table.unwrap_or_default() {
            // The table of another profile.
            if self.account.is_none() && value.is_table() {
                continue;
            }
            let source = CredentialSource::Table(name.clone(), file_path.to_owned());
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
        let mut fields = self.profile.credentials.iter().map(|field| field.key);
        let Some(known) = fields.find(|known| *known == key) else {
            let fields = self.profile.credentials.iter();
            let known: Vec<&str> = fields.map(|field| field.key).collect();
            return Err(ConfigurationError::UnknownKey {
                origin: source.to_string(),
                key: key.to_owned(),
                known: known.join(", "),
            });
        };
        let toml::Value::String(value) = value else {
            return Err(ConfigurationError::WrongType {
                origin: source.to_string(),
                key: key.to_owned(),
                expected: "text in quotation marks",
            });
        };
        self.set(known, SecretText::new(value), source);
        Ok(())
    }

    fn set(&mut self, key: &'static str, value: SecretText, source: CredentialSource) {
        if !value.expose().is_empty() {
            self.values.insert(key, FoundCredential { value, source });
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

/// Reads a file with one value; line ends after it do not belong to it.
fn read_value(path: &Path) -> Result<SecretText, ConfigurationError> {
    let bytes = files::read(path, VALUE_LIMIT)?;
    let text = String::from_utf8(bytes).map(SecretText::new);
    let text = text.map_err(|_| ConfigurationError::WrongValue {
        origin: path.display().to_string(),
        key: "the value".to_owned(),
        reason: "is not UTF-8 text".to_owned(),
    })?;
    let value = text.expose().trim_start_matches('\u{feff}');
    Ok(SecretText::new(
        value.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
