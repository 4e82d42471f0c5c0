//! The values that an account at a DNS provider or a CA needs: their names in the credentials file and in the
//! environment.

use super::profile::{CredentialNeed, ProviderProfile};

/// The values of one account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CredentialsTable {
    /// The provider for people.
    pub title: String,
    /// The outer table in the credentials file: `dns` or `ca`.
    pub section: &'static str,
    /// The keys of the table in the credentials file, below the section.
    pub path: Vec<String>,
    /// Whether the environment has them too: variables belong to no profile.
    pub environment: EnvironmentUse,
    pub fields: Vec<CredentialKey>,
}

/// Whether values are also read from the environment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EnvironmentUse {
    Ignored,
    Read,
}

/// One value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CredentialKey {
    /// The key in the credentials file.
    pub key: String,
    /// The environment variable.
    pub variable: String,
    pub need: CredentialNeed,
    /// An example for the credentials file.
    pub example: String,
}

impl CredentialsTable {
    /// Returns the values of a provider that certctl speaks to itself.
    #[must_use]
    pub(crate) fn of_profile(profile: &ProviderProfile, account: Option<&str>) -> Self {
        let mut fields = Vec::with_capacity(profile.credentials.len());
        for field in profile.credentials {
            fields.push(CredentialKey {
                key: field.key.to_owned(),
                variable: field.variable.to_owned(),
                need: field.need,
                example: field.example.to_owned(),
            });
        }
        let path = vec![profile.name.to_owned()];
        Self::new(profile.title.to_owned(), path, account, fields)
    }

    /// Returns the values of a provider of dns-lexicon, which lists its `options`. The variables have
    /// the names that lexicon uses.
    #[must_use]
    pub(crate) fn of_lexicon(provider: &str, account: Option<&str>, options: &[String]) -> Self {
        let mut fields = Vec::with_capacity(options.len());
        for option in options {
            let variable = format!("LEXICON_{provider}_{option}").to_ascii_uppercase();
            fields.push(CredentialKey {
                key: option.clone(),
                variable,
                need: CredentialNeed::Optional,
                example: "...".to_owned(),
            });
        }
        let path = vec!["lexicon".to_owned(), provider.to_owned()];
        Self::new(format!("{provider} (lexicon)"), path, account, fields)
    }

    /// Returns the values of a CA's account.
    #[must_use]
    pub(crate) fn of_ca(title: &str, name: &str, fields: Vec<CredentialKey>) -> Self {
        Self {
            section: "ca",
            ..Self::new(title.to_owned(), vec![name.to_owned()], None, fields)
        }
    }

    fn new(
        title: String,
        mut path: Vec<String>,
        account: Option<&str>,
        fields: Vec<CredentialKey>,
    ) -> Self {
        path.extend(account.map(str::to_owned));
        Self {
            title,
            section: "dns",
            path,
            environment: if account.is_some() {
                EnvironmentUse::Ignored
            } else {
                EnvironmentUse::Read
            },
            fields,
        }
    }

    /// Returns the name of the table in the credentials file.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.section, self.path.join("."))
    }

    /// Returns a complete table for the credentials file.
    #[must_use]
    pub(crate) fn example(&self) -> Vec<String> {
        let mut lines = vec![format!("[{}]", self.name())];
        let shown = self.fields.iter();
        for field in shown.filter(|field| !field.example.is_empty()) {
            lines.push(format!("{} = \"{}\"", field.key, field.example));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::CredentialsTable;

    #[test]
    fn options_of_lexicon_have_its_variables() {
        let options = ["auth_token".to_owned()];
        let table = CredentialsTable::of_lexicon("gandi", Some("work"), &options);
        assert_eq!(table.name(), "dns.lexicon.gandi.work");
        assert_eq!(table.fields[0].variable, "LEXICON_GANDI_AUTH_TOKEN");
        assert_eq!(
            table.example(),
            ["[dns.lexicon.gandi.work]", "auth_token = \"...\""]
        );
    }
}
