//! The DNS providers that certctl can publish records with, as data: their credentials, limits and
//! name servers, each with its source. Everything that differs between providers and is not a
//! request to their API is here.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What is known about a provider.
#[derive(Debug)]
pub(crate) struct ProviderProfile {
    /// The word for `--dns`, and the table in the credentials file.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    pub credentials: &'static [CredentialField],
    /// The TTL of new records, in seconds: the lowest that every plan of the provider allows.
    pub ttl: u32,
    /// How long the provider may take to update all of its servers after the first answers.
    pub propagation: Duration,
    /// Where the figures are from.
    pub source: &'static str,
}

/// One value that a provider needs.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct CredentialField {
    /// The key in the credentials file.
    pub key: &'static str,
    /// The environment variable with the name that lego uses.
    pub variable: &'static str,
    pub need: CredentialNeed,
    /// An example for the credentials file.
    pub example: &'static str,
}

/// Whether a provider works without a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CredentialNeed {
    Optional,
    Required,
}

/// The providers that certctl speaks to itself.
pub(crate) const PROFILES: [&ProviderProfile; 1] = [&RFC2136];

/// An own name server that accepts dynamic updates (RFC 2136).
pub(crate) const RFC2136: ProviderProfile = ProviderProfile {
    name: "rfc2136",
    title: "the name server",
    credentials: &[
        CredentialField {
            key: "nameserver",
            variable: "RFC2136_NAMESERVER",
            need: CredentialNeed::Required,
            example: "ns1.example.com",
        },
        CredentialField {
            key: "tsig_file",
            variable: "RFC2136_TSIG_FILE",
            need: CredentialNeed::Optional,
            example: "/etc/certctl/update.key",
        },
        CredentialField {
            key: "tsig_key",
            variable: "RFC2136_TSIG_KEY",
            need: CredentialNeed::Optional,
            example: "certctl",
        },
        CredentialField {
            key: "tsig_algorithm",
            variable: "RFC2136_TSIG_ALGORITHM",
            need: CredentialNeed::Optional,
            example: "hmac-sha256",
        },
        CredentialField {
            key: "tsig_secret",
            variable: "RFC2136_TSIG_SECRET",
            need: CredentialNeed::Optional,
            example: "the secret that tsig-keygen printed",
        },
    ],
    ttl: 60,
    propagation: Duration::ZERO,
    source: "RFC 2136; names of the variables: go-acme.github.io/lego/dns/rfc2136 (2026-11-29)",
};

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
    Rfc2136,
    /// A provider of dns-lexicon, by its name there.
    Lexicon(String),
    /// A program of the user.
    Exec(PathBuf),
}

/// What `--dns` accepts.
pub(crate) const CHOICES: &str = "rfc2136, lexicon:NAME, exec:PROGRAM";

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
    use super::{PROFILES, ProviderChoice, ProviderChoiceError};

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
