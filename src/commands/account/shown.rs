//! An account as it is shown. Never its key.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::acme::ca_table::AcmeChoice;
use crate::advice::account_command as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::report::{Label, TextOutput};
use crate::state::{AcmeAccount, StateFolder};
use crate::wording::day;

/// An account as it is shown.
#[derive(Debug)]
pub(super) struct ShownAccount {
    pub ca: String,
    pub account: AcmeAccount,
    pub key_id: String,
    pub key_path: PathBuf,
    /// The installed certificates that are ordered with it.
    pub used_by: Vec<String>,
    /// What the CA says. Untrusted text.
    pub status: Option<String>,
}

impl ShownAccount {
    /// Adds what this machine knows about an account.
    pub(super) fn find(
        context: &Context,
        state: &StateFolder,
        account: AcmeAccount,
    ) -> Result<Self, Failure> {
        let directory = account.directory.as_str();
        let ca = parse_ca(directory)?;
        let key = state.account_key(directory)?;
        Ok(Self {
            ca: ca.title().to_owned(),
            key_id: key.id().to_string(),
            key_path: state.account_key_path(directory),
            used_by: used_by(context, directory)?,
            status: None,
            account,
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "ca": self.ca,
            "directory": self.account.directory,
            "url": self.account.url,
            "contact": self.account.contact,
            "created": self.account.created,
            "status": self.status,
            "key_id": self.key_id,
            "key_path": self.key_path.display().to_string(),
            "used_by": self.used_by,
        })
    }

    pub(super) fn print(&self, text: &mut TextOutput) {
        let mut state = format!("here since {}", day(self.account.created));
        if let Some(status) = &self.status {
            state = format!("{state}, {status}");
        }
        let line = format!("{}: {} ({state})", self.ca, self.account.url);
        text.add(Label::Found, line);
        let path = self.key_path.display();
        let line = format!("key {} in {path}", self.key_id);
        text.add(Label::Note, line);
        let line = match self.used_by.as_slice() {
            [] => "no certificate here uses it".to_owned(),
            names => format!("used by {}", names.join(", ")),
        };
        text.add(Label::Note, line);
        let line = match self.account.contact.as_slice() {
            [] => "the CA has no email address for it".to_owned(),
            addresses => format!("contact {}", addresses.join(", ")),
        };
        text.add(Label::Note, line);
    }
}

/// The CA of an account.
pub(super) fn parse_ca(directory: &str) -> Result<AcmeChoice, Failure> {
    match directory.parse() {
        Ok(ca) => Ok(ca),
        Err(_) => Err(advice::damaged_account(directory)),
    }
}

/// The certificates that are ordered from a CA.
fn used_by(context: &Context, directory: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for stem in installed::list_installed(context)? {
        let settings = installed::read_settings(context, &stem)?;
        let Some(order) = settings.order else {
            continue;
        };
        let Ok(ca) = parse_ca(&order.ca) else {
            continue;
        };
        if ca.directory() == directory {
            names.push(stem);
        }
    }
    Ok(names)
}
