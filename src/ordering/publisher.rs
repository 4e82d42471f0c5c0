//! The DNS provider of an order.

use super::spec::{OrderSpec, ValidationSetup};
use crate::configuration::ConfigurationFolders;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::providers::{DnsProvider, HOOK_TIMEOUT, open_provider};
use crate::publishing::provider::ProviderChoice;

/// A DNS provider whose credentials are known.
pub(super) struct RecordPublisher {
    pub choice: ProviderChoice,
    pub provider: Box<dyn DnsProvider>,
}

/// Opens the provider; its credentials are complete before anything is contacted.
pub(super) fn open_publisher(
    context: &Context,
    spec: &OrderSpec,
) -> Result<Option<RecordPublisher>, Failure> {
    let ValidationSetup::Records(choice) = &spec.method else {
        return Ok(None);
    };
    Ok(Some(RecordPublisher {
        choice: choice.clone(),
        provider: open(context, choice)?,
    }))
}

/// Opens the provider of a published record; `name` is a value of `--dns`.
pub(super) fn open_named(context: &Context, name: &str) -> Result<Box<dyn DnsProvider>, Failure> {
    let choice: Result<ProviderChoice, _> = name.parse();
    match choice {
        Ok(choice) => open(context, &choice),
        Err(error) => Err(Failure::from_error(FailureKind::Malformed, &error)),
    }
}

fn open(context: &Context, choice: &ProviderChoice) -> Result<Box<dyn DnsProvider>, Failure> {
    let folders = ConfigurationFolders::find(context.root.as_deref());
    let opened = open_provider(choice, &folders, HOOK_TIMEOUT, &context.interrupt);
    Ok(opened?)
}
