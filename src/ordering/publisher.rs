//! The DNS provider of an order.

use super::spec::{OrderSpec, ValidationSetup};
use crate::configuration::ConfigurationFolders;
use crate::context::Context;
use crate::failure::Failure;
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
    let folders = ConfigurationFolders::find(context.root.as_deref());
    let provider = open_provider(choice, &folders, HOOK_TIMEOUT, &context.interrupt)?;
    Ok(Some(RecordPublisher {
        choice: choice.clone(),
        provider,
    }))
}
