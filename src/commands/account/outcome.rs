//! The outcome of `account`, as text and as JSON. Never a key.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::shown::ShownAccount;
use crate::report::{self, DryRunSummary, Label, Outcome, TextOutput};

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AccountVerdict {
    Listed,
    Imported,
    Unchanged,
    Exported,
    RolledOver,
    Planned,
}

impl AccountVerdict {
    fn word(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Imported => "imported",
            Self::Unchanged => "unchanged",
            Self::Exported => "exported",
            Self::RolledOver => "rolled-over",
            Self::Planned => "planned",
        }
    }

    fn is_change(self) -> bool {
        matches!(self, Self::Imported | Self::Exported | Self::RolledOver)
    }
}

/// The outcome of `account`.
#[derive(Debug)]
pub(crate) struct AccountOutcome {
    verdict: AccountVerdict,
    pub(super) accounts: Vec<ShownAccount>,
    /// The file that was written.
    pub(super) file: Option<PathBuf>,
    /// What would be done.
    step: Option<String>,
}

impl AccountOutcome {
    pub(super) fn new(verdict: AccountVerdict) -> Self {
        Self {
            verdict,
            accounts: Vec::new(),
            file: None,
            step: None,
        }
    }

    /// A dry run.
    pub(super) fn planned(step: String) -> Self {
        Self {
            step: Some(step),
            ..Self::new(AccountVerdict::Planned)
        }
    }

    fn summary(&self) -> String {
        match (self.verdict, self.accounts.len()) {
            (AccountVerdict::Listed, 0) => "there is no account here".to_owned(),
            (AccountVerdict::Listed, 1) => "1 account".to_owned(),
            (AccountVerdict::Listed, count) => format!("{count} accounts"),
            (AccountVerdict::Imported, _) => "later orders use this account".to_owned(),
            (AccountVerdict::Unchanged, _) => "this account is in use already".to_owned(),
            (AccountVerdict::Exported, _) => "the key was exported".to_owned(),
            (AccountVerdict::RolledOver, _) => "the account has a new key".to_owned(),
            (AccountVerdict::Planned, _) => "dry run: nothing was changed".to_owned(),
        }
    }
}

impl Outcome for AccountOutcome {
    fn json(&self) -> Value {
        let mut accounts = Vec::new();
        for account in &self.accounts {
            accounts.push(account.json());
        }
        let file = self.file.as_ref();
        let mut document = json!({
            "schema": "certctl.account/1",
            "verdict": self.verdict.word(),
            "changed": self.verdict.is_change(),
            "accounts": accounts,
            "file": file.map(|file| file.display().to_string()),
            "steps": Vec::from_iter(&self.step),
            "findings": [],
            "next": [],
        });
        if self.verdict == AccountVerdict::Planned {
            let dry_run = DryRunSummary {
                would_change: true,
                plan_id: report::plan_id(document.clone()),
            };
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        for account in &self.accounts {
            account.print(text);
        }
        if let Some(step) = &self.step {
            text.add(Label::Plan, step.clone());
        }
        if let Some(file) = &self.file {
            text.add(Label::Wrote, format!("{} (0600)", file.display()));
        }
        text.add(Label::Done, self.summary());
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
