//! The configuration files: `config.toml` with defaults for options, and the credentials of DNS
//! providers and CAs. They are optional. Secrets leave this module only as
//! [`SecretText`](crate::secret::SecretText).

pub(crate) mod credentials;
pub(crate) mod defaults;
pub(crate) mod folders;
pub(crate) mod toml_file;

pub(crate) use self::credentials::{Credentials, find_credentials};
pub(crate) use self::defaults::{ConfiguredDefaults, read_defaults};
pub(crate) use self::folders::ConfigurationFolders;
pub(crate) use self::toml_file::ConfigurationError;
