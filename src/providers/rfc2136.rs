//! A name server that accepts dynamic updates (RFC 2136), signed with a TSIG key.

use std::net::SocketAddr;
use std::time::Duration;

use super::provider::{DnsProvider, ProviderError, ProviderView};
use crate::configuration::credentials::FoundCredential;
use crate::configuration::toml_file::{ConfigurationAccess, read_protected};
use crate::configuration::{
    ConfigurationError, ConfigurationFolders, Credentials, find_credentials,
};
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::profiles::RFC2136;
use crate::publishing::tsig_key::{TsigHash, TsigKeyError, TsigKeyText, parse_key};
use crate::publishing::zone_record::{RecordLocation, RecordValue};
use crate::secret::SecretText;
use crate::system::dns::{
    UpdateError, UpdateServer, ZoneUpdate, parse_address, query_signed, send_update,
};
use crate::system::signals::InterruptSignal;
use crate::system::tls;

/// The maximum time for the lookup of the server's addresses.
const LOOKUP: Duration = Duration::from_secs(10);
const DNS_PORT: u16 = 53;

/// The server and the key for it.
pub(super) struct UpdateProvider {
    /// As it is configured.
    server: String,
    key: TsigKeyText,
    interrupt: InterruptSignal,
}

impl UpdateProvider {
    pub(super) fn open(
        folders: &ConfigurationFolders,
        account: Option<&str>,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ProviderError> {
        let credentials =
            find_credentials(folders, &CredentialsTable::of_profile(&RFC2136, account))?;
        credentials.require_all()?;
        let server = credentials.require("nameserver")?;
        let provider = Self {
            server: server.value.expose().trim().to_owned(),
            key: key_of(&credentials)?,
            interrupt: interrupt.clone(),
        };
        // Checks name and secret, before anything is contacted.
        let origin = key_origin(&credentials);
        UpdateServer::new(Vec::new(), &provider.key)
            .map_err(|source| ConfigurationError::TsigKey { origin, source })?;
        Ok(provider)
    }

    fn find_server(&self) -> Result<UpdateServer, ProviderError> {
        let addresses = self.addresses()?;
        let server = UpdateServer::new(addresses, &self.key);
        server.map_err(|source| {
            ConfigurationError::TsigKey {
                origin: self.server.clone(),
                source,
            }
            .into()
        })
    }

    fn addresses(&self) -> Result<Vec<SocketAddr>, ProviderError> {
        if let Ok(address) = parse_address(&self.server) {
            return Ok(vec![address]);
        }
        let (host, port) = match self.server.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().unwrap_or(DNS_PORT)),
            None => (self.server.as_str(), DNS_PORT),
        };
        tls::resolve(host, port, LOOKUP).map_err(|source| ProviderError::ServerAddress {
            server: self.server.clone(),
            source,
        })
    }

    fn update(
        &self,
        location: &RecordLocation,
        zone_update: ZoneUpdate<'_>,
    ) -> Result<(), ProviderError> {
        let server = self.find_server()?;
        let sent = send_update(&server, location, zone_update, RFC2136.ttl, &self.interrupt);
        sent.map_err(|source| update_error(location, source))
    }
}

fn update_error(at: &RecordLocation, source: UpdateError) -> ProviderError {
    ProviderError::Update {
        zone: at.zone.clone(),
        source,
    }
}

/// Returns the key: from the key file, or from name, algorithm and secret.
fn key_of(credentials: &Credentials) -> Result<TsigKeyText, ConfigurationError> {
    if let Some(path) = credentials.get("tsig_file") {
        return key_in_file(path);
    }
    let (Some(name), Some(secret)) = (credentials.get("tsig_key"), credentials.get("tsig_secret"))
    else {
        return Err(credentials.missing("tsig_file, or tsig_key with tsig_secret,"));
    };
    let algorithm = match credentials.get("tsig_algorithm") {
        Some(found) => TsigHash::by_name(found.value.expose().trim()).ok_or_else(|| {
            ConfigurationError::TsigKey {
                origin: found.source.to_string(),
                source: TsigKeyError::Algorithm,
            }
        })?,
        None => TsigHash::default(),
    };
    Ok(TsigKeyText {
        name: name.value.expose().trim().to_owned(),
        algorithm,
        secret: SecretText::new(secret.value.expose().to_owned()),
    })
}

fn key_in_file(path: &FoundCredential) -> Result<TsigKeyText, ConfigurationError> {
    let path = path.value.expose();
    let bytes = read_protected(path.as_ref(), ConfigurationAccess::OwnerOnly)?;
    let failed = |source: TsigKeyError| ConfigurationError::TsigKey {
        origin: path.to_owned(),
        source,
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| failed(TsigKeyError::Form))?;
    parse_key(&SecretText::new(text.to_owned())).map_err(failed)
}

/// Returns where the key is from.
fn key_origin(credentials: &Credentials) -> String {
    let file = credentials.get("tsig_file");
    if let Some(file) = file {
        return file.value.expose().to_owned();
    }
    let secret = credentials.get("tsig_secret");
    secret.map_or_else(String::new, |secret| secret.source.to_string())
}

impl DnsProvider for UpdateProvider {
    fn title(&self) -> String {
        format!("the name server {}", self.server)
    }

    fn propagation(&self) -> Duration {
        RFC2136.propagation
    }

    fn read_records(&self, at: &RecordLocation) -> Result<ProviderView, ProviderError> {
        let server = self.find_server()?;
        query_signed(&server, at, &self.interrupt)
            .map(ProviderView::Records)
            .map_err(|source| update_error(at, source))
    }

    fn add_record(
        &self,
        location: &RecordLocation,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.update(location, ZoneUpdate::Add(new_record))
    }

    fn remove_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.update(location, ZoneUpdate::Remove(old_record))
    }

    fn replace_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.update(location, ZoneUpdate::Replace(old_record, new_record))
    }
}
