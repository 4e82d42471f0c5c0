//! `explain alidns` and the like: from an account at a DNS provider to a published record.

use serde_json::{Value, json};

use crate::finding::NextStep;
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::profile::ProviderProfile;
use crate::publishing::profiles::PROFILES;
use crate::report::{Label, Outcome, TextOutput};

/// How to set up a provider.
#[derive(Debug)]
pub(super) struct ProviderGuide {
    profile: &'static ProviderProfile,
}

/// Returns the guide to the provider with this name, in any case.
#[must_use]
pub(super) fn find_guide(topic: &str) -> Option<ProviderGuide> {
    let mut profiles = PROFILES.into_iter();
    let profile = profiles.find(|profile| profile.name.eq_ignore_ascii_case(topic))?;
    Some(ProviderGuide { profile })
}

impl ProviderGuide {
    /// The steps, in order.
    fn steps(&self) -> Vec<NextStep> {
        let table = CredentialsTable::of_profile(self.profile, None);
        let name = self.profile.name;
        let policy = self.profile.policy;
        let mut steps = Vec::new();
        for step in self.profile.setup {
            steps.push(NextStep::say(*step).later());
        }
        if !policy.is_empty()
            && let Some(last) = steps.pop()
        {
            let lines = policy.iter().map(|line| (*line).to_owned());
            steps.push(last.with_lines(lines));
        }
        let text = "Write the credentials to /etc/certctl/credentials.toml (mode 0600), or to \
            ~/.config/certctl/credentials.toml";
        steps.push(NextStep::say(text).with_lines(table.example()).later());
        let check = ["explain", "credentials"];
        steps.push(NextStep::run_certctl("See whether certctl finds them", &check).later());
        let words = ["dcv-publish", "--dns", name, "--wait", "--record", "-"];
        steps.push(
            NextStep::run_certctl(
                "Publish a record: paste what the CA shows, and press Ctrl-D",
                &words,
            )
            .later(),
        );
        steps
    }
}

impl Outcome for ProviderGuide {
    fn json(&self) -> Value {
        json!({
            "schema": "certctl.explain/1",
            "changed": false,
            "entries": [],
            "renamed": [],
            "provider": {
                "name": self.profile.name,
                "title": self.profile.title,
                "ttl": self.profile.ttl,
                "source": self.profile.source,
            },
            "findings": [],
            "next": self.steps(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let line = format!("how to publish records with `--dns {}`:", self.profile.name);
        text.add(Label::Found, line);
        text.add_next_steps(&self.steps());
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
