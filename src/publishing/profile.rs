//! What is known about a DNS provider that certctl speaks to itself; `profiles` has the data.

use std::time::Duration;

/// What is known about a provider.
#[derive(Debug)]
pub(crate) struct ProviderProfile {
    /// The word for `--dns`, and the table in the credentials file.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    pub credentials: &'static [CredentialField],
    /// What the user does at the provider to get the credentials.
    pub setup: &'static [&'static str],
    /// The text that the last of these steps is about, such as a policy.
    pub policy: &'static [&'static str],
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
    /// An example for the credentials file; empty for a value that is rarely needed.
    pub example: &'static str,
}

/// Whether a provider works without a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CredentialNeed {
    Optional,
    Required,
}
