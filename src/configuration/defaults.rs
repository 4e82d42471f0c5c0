//! `config.toml`: defaults for options of the command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::folders::ConfigurationFolders;
use super::toml_file::{ConfigurationAccess, ConfigurationError, read_table};
use crate::dcv::ca::Ca;
use crate::publishing::provider::ProviderChoice;
use crate::system::dns::parse_address;

/// The name of the file.
pub(crate) const DEFAULTS_FILE: &str = "config.toml";

/// The keys of the file.
const KEYS: [&str; 4] = ["ca", "dns", "lexicon_python", "resolver"];

/// The defaults that are configured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ConfiguredDefaults {
    /// For `--ca`.
    pub ca: Option<Ca>,
    /// For `--dns`.
    pub dns: Option<ProviderChoice>,
    /// The Python interpreter that has dns-lexicon, for `--dns lexicon:NAME`.
    pub lexicon_python: Option<PathBuf>,
    /// For `--resolver`.
    pub resolvers: Vec<SocketAddr>,
}

/// Reads the files; the values of a later one override those of the earlier ones.
///
/// # Errors
/// A file that cannot be read, a key that is unknown, or a value that is not valid: an option that
/// has no effect would be worse.
pub(crate) fn read_defaults(
    folders: &ConfigurationFolders,
) -> Result<ConfiguredDefaults, ConfigurationError> {
    let mut defaults = ConfiguredDefaults::default();
    for path in folders.paths_of(DEFAULTS_FILE) {
        if let Some(table) = read_table(&path, ConfigurationAccess::Readable)? {
            defaults.apply(&path, &table)?;
        }
    }
    Ok(defaults)
}

impl ConfiguredDefaults {
    fn apply(&mut self, path: &Path, table: &toml::Table) -> Result<(), ConfigurationError> {
        for (key, value) in table {
            match key.as_str() {
                "ca" => {
                    let name = text_of(path, key, value)?;
                    self.ca = Some(Ca::by_name(&name.to_ascii_lowercase()).ok_or_else(|| {
                        wrong_value(path, key, "is not a reseller or CA that certctl knows")
                    })?);
                }
                "dns" => {
                    let choice = text_of(path, key, value)?.parse::<ProviderChoice>();
                    let choice =
                        choice.map_err(|error| wrong_value(path, key, &error.to_string()))?;
                    self.dns = Some(choice);
                }
                "lexicon_python" => {
                    let program = PathBuf::from(text_of(path, key, value)?);
                    if !program.is_absolute() {
                        return Err(wrong_value(path, key, "is not an absolute path"));
                    }
                    self.lexicon_python = Some(program);
                }
                "resolver" => self.resolvers = resolvers_of(path, key, value)?,
                _ => {
                    return Err(ConfigurationError::UnknownKey {
                        origin: path.display().to_string(),
                        key: key.clone(),
                        known: KEYS.join(", "),
                    });
                }
            }
        }
        Ok(())
    }
}

fn resolvers_of(
    path: &Path,
    key: &str,
    value: &toml::Value,
) -> Result<Vec<SocketAddr>, ConfigurationError> {
    let several = value
        .as_array()
        .map_or_else(|| std::slice::from_ref(value), |several| several.as_slice());
    let mut addresses = Vec::new();
    for one in several {
        let text = text_of(path, key, one)?;
        let address = parse_address(text);
        addresses.push(address.map_err(|reason| wrong_value(path, key, reason))?);
    }
    Ok(addresses)
}

fn text_of<'v>(
    path: &Path,
    key: &str,
    value: &'v toml::Value,
) -> Result<&'v str, ConfigurationError> {
    value.as_str().ok_or_else(|| ConfigurationError::WrongType {
        origin: path.display().to_string(),
        key: key.to_owned(),
        expected: "text in quotation marks",
    })
}

fn wrong_value(path: &Path, key: &str, reason: &str) -> ConfigurationError {
    ConfigurationError::WrongValue {
        origin: path.display().to_string(),
        key: key.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::ConfiguredDefaults;

    fn read(text: &str) -> Result<ConfiguredDefaults, String> {
        let mut defaults = ConfiguredDefaults::default();
        let table = text.parse().unwrap();
        let applied = defaults.apply(Path::new("config.toml"), &table);
        applied
            .map(|()| defaults)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_read() {
        let defaults = read(
            "ca = \"Namecheap\"\ndns = \"rfc2136@work\"\nresolver = [\"9.9.9.9\", \"[::1]:5353\"]",
        )
        .unwrap();
        assert_eq!(defaults.ca.map(|ca| ca.name()), Some("namecheap"));
        assert_eq!(
            defaults.dns.map(|dns| dns.to_string()).as_deref(),
            Some("rfc2136@work")
        );
        assert_eq!(defaults.resolvers.len(), 2);
        assert_eq!(read("resolver = \"9.9.9.9\"").unwrap().resolvers.len(), 1);
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        for (text, part) in [
            ("renew_befor = \"30d\"", "unknown key renew_befor"),
            ("dns = 1", "dns must be text"),
            ("dns = \"route66\"", "does not know this DNS provider"),
            ("ca = \"acme\"", "ca is not a reseller"),
            ("lexicon_python = \"python3\"", "not an absolute path"),
            ("resolver = [\"dns.example\"]", "not an address"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
