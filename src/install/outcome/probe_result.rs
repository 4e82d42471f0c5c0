//! What was probed, as documents list it.

use crate::install_plan::apply::ProbeAnswer;

/// What one address served for one name.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct ProbeResult {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) sha256: Option<String>,
    pub(super) protocol: Option<&'static str>,
}

impl From<&ProbeAnswer> for ProbeResult {
    fn from(probe: &ProbeAnswer) -> Self {
        let handshake = probe.answer.as_ref().ok().map(|(handshake, _)| handshake);
        Self {
            address: probe.target.address.to_string(),
            name: probe.target.name.clone(),
            sha256: handshake.map(crate::probe::TlsHandshake::sha256),
            protocol: handshake.map(|handshake| handshake.protocol),
        }
    }
}
