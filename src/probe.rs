//! Compares a handshake with the installed certificate: the leaf by its SHA-256, then the whole
//! chain in its order. Pure: handshakes and elapsed times are values.

pub(crate) mod client_hello;
pub(crate) mod http;
pub(crate) mod server_flight;
pub(crate) mod stapled;
pub(crate) mod start_tls;

use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use self::start_tls::StartTls;
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::KeyAlgorithm;

/// A server to probe, and the name to send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProbeTarget {
    /// The address of the server.
    pub address: SocketAddr,
    /// The name to send (SNI).
    pub name: String,
    /// The only key type to accept, for a server with several certificates for a name; `None` for
    /// any.
    pub algorithm: Option<KeyAlgorithm>,
    /// The server expects a PROXY header before anything else.
    pub proxy_header: bool,
    /// The protocol before the handshake; `None` if the connection starts with TLS.
    pub starttls: Option<StartTls>,
}

impl ProbeTarget {
    /// Returns a target with TLS from the start and any key type.
    #[must_use]
    pub fn new(address: SocketAddr, name: impl Into<String>) -> Self {
        Self {
            address,
            name: name.into(),
            algorithm: None,
            proxy_header: false,
            starttls: None,
        }
    }
}

/// Whether a server proved that it has the key of its certificate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyCheck {
    /// It signed the handshake with that key.
    Checked,
    /// certctl could not complete the handshake, or not verify the signature.
    #[default]
    Unchecked,
}

/// What a server sent in a handshake.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TlsHandshake {
    /// The certificates as received, DER, the leaf first. Untrusted bytes.
    pub chain: Vec<Vec<u8>>,
    /// `TLS 1.0` to `TLS 1.3`.
    pub protocol: &'static str,
    /// Whether the server proved that it has the key.
    pub key: KeyCheck,
    /// The stapled OCSP response; empty without one. Untrusted bytes.
    pub stapled: Vec<u8>,
}

impl TlsHandshake {
    /// SHA-256 of the leaf, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.chain
            .first()
            .map(|leaf| Fingerprint::of(leaf).to_string())
            .unwrap_or_default()
    }
}

/// The outcome of comparing a handshake with the expected chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProbeVerdict {
    /// The expected leaf and the full chain, in order.
    Matches,
    /// The server sent another leaf.
    OtherLeaf {
        /// SHA-256 of the served leaf, lower-case hex.
        sha256: String,
        /// Its label. Untrusted text.
        label: String,
    },
    /// The expected leaf, but other certificates after it.
    ChainDiffers {
        /// The labels of the expected certificates after the leaf, in order.
        expected: Vec<String>,
        /// The labels of the served ones. Untrusted text.
        served: Vec<String>,
    },
}

/// Compares a handshake with the chain that should be served, leaf first.
#[must_use]
pub fn compare_handshake(handshake: &TlsHandshake, expected: &[Certificate]) -> ProbeVerdict {
    let served = &handshake.chain;
    if served.first().map(Vec::as_slice) != expected.first().map(Certificate::der) {
        let label = served.first().map(|der| label(der)).unwrap_or_default();
        return ProbeVerdict::OtherLeaf {
            sha256: handshake.sha256(),
            label,
        };
    }
    if served
        .iter()
        .map(Vec::as_slice)
        .eq(expected.iter().map(Certificate::der))
    {
        return ProbeVerdict::Matches;
    }
    ProbeVerdict::ChainDiffers {
        expected: expected.iter().skip(1).map(Certificate::label).collect(),
        served: served.iter().skip(1).map(|der| label(der)).collect(),
    }
}

fn label(der: &[u8]) -> String {
    Certificate::from_der(der).map_or_else(
        |_| "unreadable".to_owned(),
        |certificate| certificate.label(),
    )
}

/// How long to probe after a reload: a server that reloads gracefully serves the old certificate
/// for some more milliseconds, and its workers do not change at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProbePatience {
    /// Successive rounds in which all targets must agree, each with new handshakes.
    pub rounds: u32,
    /// The time between two rounds of probes.
    pub pause: Duration,
    /// The time after which the last round decides.
    pub deadline: Duration,
}

impl Default for ProbePatience {
    /// The rounds take 200 ms: the old workers of nginx accept connections together with the new
    /// ones for 100 ms before they must exit (`ngx_master_process_cycle`), and rounds within that
    /// time prove nothing.
    fn default() -> Self {
        Self {
            rounds: 5,
            pause: Duration::from_millis(50),
            deadline: Duration::from_secs(10),
        }
    }
}

/// How to continue after a round.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProbeDecision {
    /// Probe all targets again after this pause.
    ProbeAgain(Duration),
    /// Enough successive rounds agreed.
    Proven,
    /// The deadline has passed, and the last round did not agree.
    GaveUp,
}

impl ProbePatience {
    /// One round of probes decides, for what is not about to change.
    #[must_use]
    pub(crate) fn once() -> Self {
        Self {
            rounds: 1,
            deadline: Duration::ZERO,
            ..Self::default()
        }
    }

    /// Decides how to continue after `agreed` successive rounds that agreed (0 after one that did
    /// not), `passed` after the first probe. Once a round has agreed, the few remaining ones are
    /// completed even after the deadline.
    #[must_use]
    pub fn decide_next(&self, agreed: u32, passed: Duration) -> ProbeDecision {
        if agreed >= self.rounds {
            ProbeDecision::Proven
        } else if agreed == 0 && passed >= self.deadline {
            ProbeDecision::GaveUp
        } else {
            ProbeDecision::ProbeAgain(self.pause)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ProbeDecision, ProbePatience, ProbeVerdict, TlsHandshake, compare_handshake};
    use crate::pki::certificate::Certificate;

    fn certificate(name: &str) -> Certificate {
        let generated = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Certificate::from_der(generated.cert.der()).unwrap()
    }

    #[test]
    fn the_chain_is_compared_in_order() {
        let [leaf, a, b] = ["leaf.example", "a.example", "b.example"].map(certificate);
        let expected = [leaf.clone(), a.clone(), b.clone()];
        let served = |chain: &[&Certificate]| {
            let chain = chain
                .iter()
                .map(|certificate| certificate.der().to_vec())
                .collect();
            compare_handshake(
                &TlsHandshake {
                    chain,
                    protocol: "TLS 1.3",
                    ..TlsHandshake::default()
                },
                &expected,
            )
        };
        let differs = |served: &[&str]| ProbeVerdict::ChainDiffers {
            expected: vec!["a.example".to_owned(), "b.example".to_owned()],
            served: served.iter().map(|&name| name.to_owned()).collect(),
        };
        assert_eq!(served(&[&leaf, &a, &b]), ProbeVerdict::Matches);
        assert_eq!(served(&[&leaf]), differs(&[]));
        assert_eq!(served(&[&leaf, &a]), differs(&["a.example"]));
        assert_eq!(
            served(&[&leaf, &b, &a]),
            differs(&["b.example", "a.example"])
        );
        assert_eq!(
            served(&[&leaf, &leaf, &a, &b]),
            differs(&["leaf.example", "a.example", "b.example"])
        );
        assert_eq!(
            served(&[&a, &b]),
            ProbeVerdict::OtherLeaf {
                sha256: a.sha256(),
                label: "a.example".to_owned()
            }
        );
        assert_eq!(
            served(&[]),
            ProbeVerdict::OtherLeaf {
                sha256: String::new(),
                label: String::new()
            }
        );
    }

    #[test]
    fn successive_rounds_must_agree_before_the_deadline() {
        let patience = ProbePatience {
            rounds: 2,
            pause: Duration::from_millis(1),
            deadline: Duration::from_secs(1),
        };
        let again = ProbeDecision::ProbeAgain(Duration::from_millis(1));
        for (agreed, millis, expected) in [
            (0, 0, again),
            (1, 0, again),
            (2, 0, ProbeDecision::Proven),
            (0, 1000, ProbeDecision::GaveUp),
            (1, 1000, again),
        ] {
            assert_eq!(
                patience.decide_next(agreed, Duration::from_millis(millis)),
                expected,
                "{agreed} {millis}"
            );
        }
    }
}
