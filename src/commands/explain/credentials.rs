//! `explain credentials`: which credentials of DNS providers are set, and where each is from; never a
//! value.

use serde_json::{Value, json};

use crate::configuration::{ConfigurationFolders, Credentials, find_credentials};
use crate::context::Context;
use crate::failure::Failure;
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::profile::ProviderProfile;
use crate::publishing::profiles::PROFILES;
use crate::report::{Label, Outcome, TextOutput};

/// The word after `explain`.
pub(super) const TOPIC: &str = "credentials";

/// The credentials of each provider.
#[derive(Debug)]
pub(super) struct CredentialsOutcome {
    providers: Vec<ProviderCredentials>,
}

#[derive(Debug)]
struct ProviderCredentials {
    profile: &'static ProviderProfile,
    values: Vec<CredentialState>,
}

/// One value, and where it is from if it is set.
#[derive(Debug)]
struct CredentialState {
    key: &'static str,
    variable: &'static str,
    source: Option<String>,
}

/// Finds the credentials of all providers.
///
/// # Errors
/// A file that cannot be used.
pub(super) fn list_credentials(context: &Context) -> Result<CredentialsOutcome, Failure> {
    let folders = ConfigurationFolders::find(context.root.as_deref());
    let mut providers = Vec::with_capacity(PROFILES.len());
    for profile in PROFILES {
        let found = find_credentials(&folders, &CredentialsTable::of_profile(profile, None))?;
        providers.push(ProviderCredentials::new(profile, &found));
    }
    Ok(CredentialsOutcome { providers })
}

impl ProviderCredentials {
    fn new(profile: &'static ProviderProfile, found: &Credentials) -> Self {
        let fields = profile.credentials.iter();
        let values = fields.map(|field| CredentialState {
            key: field.key,
            variable: field.variable,
            source: found.get(field.key).map(|value| value.source.to_string()),
        });
        Self {
            profile,
            values: values.collect(),
        }
    }

    fn document(&self) -> Value {
        let values = self.values.iter().map(|one| {
            json!({
                "key": one.key,
                "variable": one.variable,
                "set": one.source.is_some(),
                "source": one.source,
            })
        });
        let values: Vec<Value> = values.collect();
        json!({
            "provider": self.profile.name,
            "source": self.profile.source,
            "values": values,
        })
    }
}

impl Outcome for CredentialsOutcome {
    fn json(&self) -> Value {
        let providers = self.providers.iter().map(ProviderCredentials::document);
        let providers: Vec<Value> = providers.collect();
        json!({
            "schema": "certctl.explain/1",
            "changed": false,
            "entries": [],
            "renamed": [],
            "credentials": providers,
            "findings": [],
            "next": [],
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for provider in &self.providers {
            let line = format!("credentials for `--dns {}`:", provider.profile.name);
            text.add(Label::Found, line);
            let states: Vec<(&str, String)> = provider
                .values
                .iter()
                .map(|one| {
                    let source = one.source.as_ref();
                    let state = source.map_or_else(
                        || format!("not set ({})", one.variable),
                        |source| format!("set by {source}"),
                    );
                    (one.key, state)
                })
                .collect();
            let fields: Vec<(&str, &str)> = states
                .iter()
                .map(|(key, state)| (*key, state.as_str()))
                .collect();
            text.add_fields(&fields);
        }
        text.add(
            Label::Note,
            "only dns-lexicon knows the options of its providers. Each one has a variable, for \
                example LEXICON_GANDI_AUTH_TOKEN, or a key in the table [dns.lexicon.gandi]",
        );
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
