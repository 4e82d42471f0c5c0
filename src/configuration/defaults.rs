//! `config.toml`: defaults for options of the command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folders::ConfigurationFolders;
use super::toml_file::{ConfigurationAccess, ConfigurationError, read_table};
use crate::dcv::ca::Ca;
use crate::publishing::provider::ProviderChoice;
use crate::system::clock;
use crate::system::dns::parse_address;
use crate::wording::spell_keyword;

/// The name of the file.
pub(crate) const DEFAULTS_FILE: &str = "config.toml";

/// The keys of the file.
const KEYS: [&str; 10] = [
    "after",
    "ca",
    "dns",
    "hook_timeout",
    "install_window",
    "keep",
    "lexicon_python",
    "renew_before",
    "resolver",
    "trust",
];

/// The largest value of `keep`.
pub(crate) const MOST_KEPT: usize = 100;

/// The values of `keep`: the version that a rollback restores is always kept.
const KEEP_RANGE: std::ops::RangeInclusive<i64> = 1..=100;

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
    /// For `--trust`: a keyword, or an absolute path.
    pub trust: Option<String>,
    /// For `--renew-before`.
    pub renew_before: Option<ConfiguredText>,
    /// When `renew` installs.
    pub install_window: Option<ConfiguredText>,
    /// How many older versions of a certificate are kept.
    pub keep: Option<usize>,
    /// For `--after`.
    pub after: Option<String>,
    /// For `--hook-timeout`.
    pub hook_timeout: Option<Duration>,
}

/// A value that is checked where it is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ConfiguredText {
    pub text: String,
    path: PathBuf,
    key: String,
}

impl ConfiguredText {
    fn read(path: &Path, key: &str, value: &toml::Value) -> Result<Self, ConfigurationError> {
        Ok(Self {
            text: text_of(path, key, value)?.to_owned(),
            path: path.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Returns the error for a value that is not valid.
    #[must_use]
    pub(crate) fn wrong(&self, reason: &str) -> ConfigurationError {
        wrong_value(&self.path, &self.key, reason)
    }
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
            if self.apply_install_default(path, key, value)? == KeyUse::Read {
                continue;
            }
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

/// Whether a key was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum KeyUse {
    Read,
    Other,
}

impl ConfiguredDefaults {
    /// Reads what applies to installed certificates.
    fn apply_install_default(
        &mut self,
        path: &Path,
        key: &str,
        value: &toml::Value,
    ) -> Result<KeyUse, ConfigurationError> {
        match key {
            "after" => self.after = Some(text_of(path, key, value)?.to_owned()),
            "hook_timeout" => {
                let limit = clock::parse_duration(text_of(path, key, value)?);
                self.hook_timeout = Some(limit.map_err(|reason| wrong_value(path, key, reason))?);
            }
            "keep" => self.keep = Some(count_of(path, key, value)?),
            "install_window" => {
                self.install_window = Some(ConfiguredText::read(path, key, value)?);
            }
            "renew_before" => self.renew_before = Some(ConfiguredText::read(path, key, value)?),
            "trust" => self.trust = Some(trust_of(path, key, value)?),
            _ => return Ok(KeyUse::Other),
        }
        Ok(KeyUse::Read)
    }
}

fn count_of(path: &Path, key: &str, value: &toml::Value) -> Result<usize, ConfigurationError> {
    let count = value
        .as_integer()
        .ok_or_else(|| ConfigurationError::WrongType {
            origin: path.display().to_string(),
            key: key.to_owned(),
            expected: "a number",
        })?;
    let allowed = Some(count).filter(|count| KEEP_RANGE.contains(count));
    let allowed = allowed.and_then(|count| usize::try_from(count).ok());
    allowed.ok_or_else(|| wrong_value(path, key, "must be between 1 and 100"))
}

fn trust_of(path: &Path, key: &str, value: &toml::Value) -> Result<String, ConfigurationError> {
    let text = spell_keyword(text_of(path, key, value)?, &["mozilla", "system"]);
    let is_keyword = matches!(text.as_str(), "mozilla" | "system");
    if is_keyword || Path::new(&text).is_absolute() {
        return Ok(text);
    }
    Err(wrong_value(
        path,
        key,
        "must be mozilla, system or the absolute path of a file",
    ))
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
    use std::time::Duration;

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
        let installs = read(
            "keep = 5\ntrust = \"System\"\nafter = \"/usr/local/bin/copy\"\nhook_timeout = \"30s\"\n\
            renew_before = \"20d\"\ninstall_window = \"Tue 02:00-04:00\"",
        )
        .unwrap();
        assert_eq!(installs.keep, Some(5));
        assert_eq!(installs.trust.as_deref(), Some("system"));
        assert_eq!(installs.after.as_deref(), Some("/usr/local/bin/copy"));
        assert_eq!(installs.hook_timeout, Some(Duration::from_secs(30)));
        assert_eq!(installs.renew_before.unwrap().text, "20d");
        assert_eq!(installs.install_window.unwrap().text, "Tue 02:00-04:00");
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        for (text, part) in [
            ("renew_befor = \"30d\"", "unknown key renew_befor"),
            ("keep = 0", "keep must be between 1 and 100"),
            ("keep = \"3\"", "keep must be a number"),
            ("trust = \"roots.pem\"", "must be mozilla, system or"),
            ("hook_timeout = \"soon\"", "hook_timeout"),
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
