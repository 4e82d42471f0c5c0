//! `certctl install --placeholder NAME...`: a self-signed certificate that lets the server start
//! until the CA has sent the real one.

use crate::advice::install_command;
use crate::commands::install::outcome::{CertificateOutcome, InstallResult};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::outcome::{InstallVerdict, TransactionOutcome};
use crate::install::placeholder;
use crate::pki::name::DnsName;
use crate::wording::day;

/// The names of a placeholder.
pub(super) struct PlaceholderNames {
    pub first: DnsName,
    pub all: Vec<DnsName>,
}

impl PlaceholderNames {
    /// A single name stands for all names of its request in the folder.
    ///
    /// # Errors
    /// When a name is malformed, no name is given, or the folder cannot be read.
    pub(super) fn parse(context: &Context, names: &[String]) -> Result<Self, Failure> {
        let names = names
            .iter()
            .map(|name| DnsName::parse(name))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(first) = names.first().cloned() else {
            let message = "`--placeholder` needs the names of the certificate";
            return Err(Failure::new(FailureKind::Usage, message)
                .with_step(install_command::placeholder_example()));
        };
        let all = if names.len() == 1 {
            placeholder::names_of_request(context, &first)?
        } else {
            names
        };
        Ok(Self { first, all })
    }
}

/// The outcome of a placeholder's transaction.
pub(super) fn outcome(context: &Context, transaction: TransactionOutcome) -> CertificateOutcome {
    let leaf = &transaction.leaf;
    let description = format!(
        "placeholder for {}, expires {}",
        leaf.dns_names.join(", "),
        day(leaf.not_after)
    );
    let findings = match transaction.verdict {
        InstallVerdict::Refused => Vec::new(),
        _ => vec![placeholder::warn_about_placeholder(context, leaf.not_after)],
    };
    CertificateOutcome {
        stem: transaction.name.clone(),
        description,
        findings,
        result: InstallResult::Done(Box::new(transaction)),
        undo: None,
    }
}
