//! The DNS providers: reads, adds and removes one record at one name. Each is a module that
//! implements [`DnsProvider`]; its figures are in `publishing::provider`. A provider's success is no
//! proof: `publication` reads back and queries the zone's own servers.

mod alidns;
mod api_provider;
mod cloudflare;
mod exec;
mod lexicon;
mod provider;
mod rfc2136;

use std::time::Duration;

pub(crate) use self::exec::EXEC_DECLARATION;
pub(crate) use self::provider::{
    DnsProvider, HOOK_TIMEOUT, LexiconFault, ProviderError, ProviderFault, ProviderView,
};
use crate::configuration::ConfigurationFolders;
use crate::publishing::provider::{ProviderChoice, ProviderKind};
use crate::system::signals::InterruptSignal;

/// Returns the provider that `--dns` names. Reads the configuration, and contacts nothing.
///
/// # Errors
/// [`ProviderError::Configuration`] if a value is missing or not valid; a program that root may not
/// run.
pub(crate) fn open_provider(
    choice: &ProviderChoice,
    folders: &ConfigurationFolders,
    hook_timeout: Duration,
    interrupt: &InterruptSignal,
) -> Result<Box<dyn DnsProvider>, ProviderError> {
    let account = choice.account.as_deref();
    Ok(match &choice.kind {
        ProviderKind::AliDns => {
            Box::new(alidns::AliDnsProvider::open(folders, account, interrupt)?)
        }
        ProviderKind::Cloudflare => Box::new(cloudflare::CloudflareProvider::open(
            folders, account, interrupt,
        )?),
        ProviderKind::Rfc2136 => {
            Box::new(rfc2136::UpdateProvider::open(folders, account, interrupt)?)
        }
        ProviderKind::Lexicon(name) => Box::new(lexicon::LexiconProvider::open(
            name, account, folders, interrupt,
        )?),
        ProviderKind::Exec(program) => Box::new(exec::ProgramProvider::open(
            program,
            hook_timeout,
            interrupt,
        )?),
    })
}
