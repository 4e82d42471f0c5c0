//! The text that chooses a DNS provider (`--dns`).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::profiles::{ALIDNS, CLOUDFLARE, RFC2136};

/// The provider that `--dns` names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ProviderChoice {
    pub kind: ProviderKind,
    /// The profile after `@`: a table of its own in the credentials file.
    pub account: Option<String>,
}

/// How records are published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ProviderKind {
    AliDns,
    Cloudflare,
    Rfc2136,
    /// A provider of dns-lexicon, by its name there.
    Lexicon(String),
    /// A program of the user.
    Exec(PathBuf),
}

/// What `--dns` accepts.
pub(crate) const CHOICES: &str = "alidns, cloudflare, rfc2136, lexicon:NAME, exec:PROGRAM";

/// Why a text does not name a provider.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ProviderChoiceError {
    #[error("certctl does not know this DNS provider; known are: {CHOICES}")]
    Unknown,
    #[error("a profile after @ consists of letters, digits, hyphens and underscores")]
    Account,
    #[error("lexicon: needs the name of a provider, as in lexicon:gandi")]
    Lexicon,
    #[error("exec: needs the path of a program, as in exec:/usr/local/sbin/dns-hook")]
    Program,
}

impl FromStr for ProviderChoice {
    type Err = ProviderChoiceError;

    fn from_str(text: &str) -> Result<Self, ProviderChoiceError> {
        if let Some(program) = text.strip_prefix("exec:") {
            if program.is_empty() {
                return Err(ProviderChoiceError::Program);
            }
            return Ok(Self {
                kind: ProviderKind::Exec(PathBuf::from(program)),
                account: None,
            });
        }
        let (name, account) = match text.split_once('@') {
            Some((name, account)) => (name, Some(account)),
            None => (text, None),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if account.is_some_and(|one| one.is_empty() || !one.chars().all(is_plain)) {
            return Err(ProviderChoiceError::Account);
        }
        let name = name.to_ascii_lowercase();
        let kind = match name.as_str() {
            "alidns" => ProviderKind::AliDns,
            "cloudflare" => ProviderKind::Cloudflare,
            "rfc2136" => ProviderKind::Rfc2136,
            _ if name.starts_with(LEXICON) => ProviderKind::Lexicon(lexicon_name(&name)?),
            _ => return Err(ProviderChoiceError::Unknown),
        };
        Ok(Self {
            kind,
            account: account.map(str::to_owned),
        })
    }
}

/// What precedes the name of a provider of dns-lexicon.
const LEXICON: &str = "lexicon:";

/// Returns the name of a provider of dns-lexicon, which is that of a Python module.
fn lexicon_name(choice: &str) -> Result<String, ProviderChoiceError> {
    let name = choice.trim_start_matches(LEXICON);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(ProviderChoiceError::Lexicon);
    }
    Ok(name.to_owned())
}

/// Writes it as `--dns` accepts it.
impl fmt::Display for ProviderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ProviderKind::AliDns => f.write_str(ALIDNS.name)?,
            ProviderKind::Cloudflare => f.write_str(CLOUDFLARE.name)?,
            ProviderKind::Rfc2136 => f.write_str(RFC2136.name)?,
            ProviderKind::Lexicon(name) => write!(f, "{LEXICON}{name}")?,
            ProviderKind::Exec(program) => write!(f, "exec:{}", program.display())?,
        }
        match &self.account {
            Some(account) => write!(f, "@{account}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ProviderChoice, ProviderChoiceError};
    use crate::publishing::profiles::PROFILES;

    #[test]
    fn choices_are_read_and_written() {
        for (typed, read) in [
            ("rfc2136", Ok("rfc2136")),
            ("RFC2136@home_1", Ok("rfc2136@home_1")),
            ("exec:/opt/x@y", Ok("exec:/opt/x@y")),
            ("lexicon:Gandi@work", Ok("lexicon:gandi@work")),
            ("lexicon:", Err(ProviderChoiceError::Lexicon)),
            ("lexicon:os.path", Err(ProviderChoiceError::Lexicon)),
            ("exec:", Err(ProviderChoiceError::Program)),
            ("rfc2136@", Err(ProviderChoiceError::Account)),
            ("rfc2136@a.b", Err(ProviderChoiceError::Account)),
            ("bind", Err(ProviderChoiceError::Unknown)),
        ] {
            let choice: Result<ProviderChoice, _> = typed.parse();
            let written = choice.map(|choice| choice.to_string());
            assert_eq!(written, read.map(str::to_owned), "{typed}");
        }
    }

    #[test]
    fn each_profile_has_a_source_and_unambiguous_keys() {
        for profile in PROFILES {
            assert!(profile.source.contains("20"), "{}", profile.name);
            let mut keys: Vec<&str> = profile.credentials.iter().map(|one| one.key).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), profile.credentials.len(), "{}", profile.name);
        }
    }
}
