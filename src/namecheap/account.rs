//! The account at Namecheap: what each call has to contain.

use crate::publishing::credentials_table::{CredentialKey, CredentialsTable};
use crate::publishing::profile::CredentialNeed;
use crate::secret::SecretText;

/// The name for people.
pub(crate) const TITLE: &str = "Namecheap";
/// The API. The one for tests is `https://api.sandbox.namecheap.com/xml.response`, with accounts of its
/// own.
pub(crate) const API_URL: &str = "https://api.namecheap.com/xml.response";

/// The global parameters of the API.
#[derive(Clone, Debug)]
pub(crate) struct ApiAccount {
    pub api_user: String,
    pub api_key: SecretText,
    /// The user on whose account the command acts; mostly the same.
    pub user_name: String,
    /// The IPv4 address that the account allows.
    pub client_ip: String,
}

/// The values of `[ca.namecheap]` in the credentials file, with the environment variables that lego
/// uses where it has one.
#[must_use]
pub(crate) fn credentials_table() -> CredentialsTable {
    use CredentialNeed::{Optional, Required};
    let fields = [
        ("api_user", "NAMECHEAP_API_USER", Required, "yourname"),
        (
            "api_key",
            "NAMECHEAP_API_KEY",
            Required,
            "0123456789abcdef0123456789abcdef",
        ),
        ("client_ip", "NAMECHEAP_CLIENT_IP", Required, "203.0.113.7"),
        ("username", "NAMECHEAP_USERNAME", Optional, ""),
        ("api_url", "NAMECHEAP_API_URL", Optional, ""),
    ];
    let fields = fields.map(|(key, variable, need, example)| CredentialKey {
        key: key.to_owned(),
        variable: variable.to_owned(),
        need,
        example: example.to_owned(),
    });
    CredentialsTable::of_ca(TITLE, "namecheap", fields.to_vec())
}
