//! What was probed, as documents list it.

use crate::install_plan::apply::ProbeAnswer;

/// What one address served for one name.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct ProbeResult {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) sha256: Option<String>,
    pub(super) protocol: Option<&'static str>,
    /// The status of the home page, after redirects.
    pub(super) http_status: Option<u16>,
}

impl ProbeResult {
    /// Adds what the site answered over HTTP at this address.
    #[must_use]
    pub(super) fn with_status(probe: &ProbeAnswer, http_status: Option<u16>) -> Self {
        Self {
            http_status,
            ..Self::from(probe)
        }
    }
}

impl From<&ProbeAnswer> for ProbeResult {
    fn from(probe: &ProbeAnswer) -> Self {
        let handshake = probe.answer.as_ref().ok().map(|(handshake, _)| handshake);
        Self {
            address: probe.target.address.to_string(),
            name: probe.target.name.clone(),
            sha256: handshake.map(crate::probe::TlsHandshake::sha256),
            protocol: handshake.map(|handshake| handshake.protocol),
            http_status: None,
        }
    }
}
