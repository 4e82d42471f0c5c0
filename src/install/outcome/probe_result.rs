//! What was probed, as documents list it.

use crate::install_plan::apply::ProbeAnswer;
use crate::pki::certificate::Certificate;
use crate::probe::start_tls::service_name;
use crate::probe::{KeyCheck, TlsHandshake};

/// What one address served for one name.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct ProbeResult {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) sha256: Option<String>,
    pub(super) protocol: Option<&'static str>,
    /// The algorithm of the served key: an address may serve one certificate for each.
    pub(super) algorithm: Option<String>,
    /// The status of the home page, after redirects.
    pub(super) http_status: Option<u16>,
    /// The service that is not a web site, if the port or the protocol shows it.
    #[serde(skip)]
    pub(super) service: Option<&'static str>,
    /// Whether the server proved that it has the key; `None` without a certificate.
    pub(super) key_checked: Option<bool>,
}

impl ProbeResult {
    /// Returns the address, if the server sent this certificate there.
    #[must_use]
    pub(crate) fn address_with(&self, sha256: &str) -> Option<&str> {
        let is_same = self.sha256.as_deref() == Some(sha256);
        is_same.then_some(self.address.as_str())
    }

    /// Adds what the site answered over HTTP at this address.
    #[must_use]
    pub(super) fn with_status(probe: &ProbeAnswer, http_status: Option<u16>) -> Self {
        Self {
            http_status,
            ..Self::from(probe)
        }
    }

    /// The word for what these answers prove, if every one that could be read is as it should be.
    #[must_use]
    pub(crate) fn proof(results: &[Self]) -> &'static str {
        if results.is_empty() || results.iter().any(|result| result.sha256.is_none()) {
            "files"
        } else if results
            .iter()
            .any(|result| result.key_checked == Some(false))
        {
            "certificate"
        } else {
            "live"
        }
    }
}

impl From<&ProbeAnswer> for ProbeResult {
    fn from(probe: &ProbeAnswer) -> Self {
        let handshake = probe.answer.as_ref().ok().map(|(handshake, _)| handshake);
        Self {
            address: probe.target.address.to_string(),
            name: probe.target.name.clone(),
            sha256: handshake.map(TlsHandshake::sha256),
            protocol: handshake.map(|handshake| handshake.protocol),
            algorithm: handshake.and_then(served_algorithm),
            http_status: None,
            service: service_name(probe.target.starttls, probe.target.address.port()),
            key_checked: handshake.map(|handshake| handshake.key == KeyCheck::Checked),
        }
    }
}

fn served_algorithm(handshake: &TlsHandshake) -> Option<String> {
    let leaf = handshake.chain.first()?;
    Some(Certificate::from_der(leaf).ok()?.algorithm.to_string())
}
