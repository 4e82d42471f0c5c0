//! Several handshakes with each address of a host, as clients with different offers make them. One
//! handshake shows one certificate; a server may have others: for another key type, for clients
//! without SNI, or behind the same address on another backend.

use std::net::SocketAddr;
use std::time::Duration;

use super::host::{self, HostAnswers, HostArgument, HostCertificates};
use crate::advice::verify_command;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;
use crate::probe::{ProbeTarget, StartTls, TlsHandshake};
use crate::report::certificate_in_words;
use crate::system::tls;

/// One offer that is made to each address.
struct ProbeOffer {
    /// Its name in JSON.
    name: &'static str,
    /// The only key type that it accepts.
    algorithm: Option<KeyAlgorithm>,
    sni: SniUse,
    /// How often it is made, besides the first handshake with any key type: two backends behind
    /// one address that take turns are both seen.
    times: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SniUse {
    Absent,
    Sent,
}

/// The first is the one that the first handshake with each address made.
const OFFERS: [ProbeOffer; 4] = [
    ProbeOffer {
        name: "any-key",
        algorithm: None,
        sni: SniUse::Sent,
        times: 2,
    },
    ProbeOffer {
        name: "ecdsa",
        algorithm: Some(KeyAlgorithm::EcdsaP256),
        sni: SniUse::Sent,
        times: 2,
    },
    ProbeOffer {
        name: "rsa",
        algorithm: Some(KeyAlgorithm::Rsa(2048)),
        sni: SniUse::Sent,
        times: 2,
    },
    ProbeOffer {
        name: "no-sni",
        algorithm: None,
        sni: SniUse::Absent,
        times: 1,
    },
];

/// The deadline of each further handshake: the address has answered before.
const OFFER_DEADLINE: Duration = Duration::from_secs(5);

/// The names of the offers, as JSON lists them.
pub(crate) fn offer_names() -> Vec<&'static str> {
    OFFERS.iter().map(|offer| offer.name).collect()
}

/// The offers in words, for people.
pub(crate) const OFFERS_IN_WORDS: &str = "probed with ECDSA and RSA keys, with and without SNI";

/// Probes `host` as [`host::probe_host`] does, and then each address that answered with every other
/// offer. What an address does not support is no fault; different answers to the same offer are.
///
/// # Errors
/// When no address sends a certificate.
pub(crate) fn probe_every_offer(
    host: &HostArgument,
    starttls: Option<StartTls>,
    server_name: &str,
) -> Result<HostAnswers, Failure> {
    let mut answers = host::probe_host(host, starttls, server_name)?;
    let addresses = addresses_of(&answers.answers);
    let mut targets = Vec::new();
    for address in &addresses {
        for offer in &OFFERS {
            let target = ProbeTarget {
                starttls: answers.starttls,
                algorithm: offer.algorithm,
                ..ProbeTarget::new(*address, name_for(offer.sni, server_name, *address))
            };
            targets.extend(vec![target; offer.times]);
        }
    }
    let mut seen = tls::probe_all(&targets, OFFER_DEADLINE).into_iter();
    for address in addresses {
        let mut first = sent_by(&answers.answers, address);
        for offer in &OFFERS {
            let handshakes = seen.by_ref().take(offer.times).flatten();
            let distinct = DistinctAnswers::new(first.take(), handshakes);
            judge_offer(&mut answers, offer, address, distinct);
        }
    }
    Ok(answers)
}

/// A name that is an address is not sent as SNI (RFC 6066 3).
fn name_for(sni: SniUse, server_name: &str, address: SocketAddr) -> String {
    match sni {
        SniUse::Sent => server_name.to_owned(),
        SniUse::Absent => address.ip().to_string(),
    }
}

/// The different answers of one address to one offer.
struct DistinctAnswers {
    /// The first certificate of each, DER.
    leaves: Vec<Vec<u8>>,
    handshakes: Vec<TlsHandshake>,
}

impl DistinctAnswers {
    /// `earlier` is the first certificate of an earlier answer to the same offer.
    fn new(earlier: Option<Vec<u8>>, seen: impl Iterator<Item = TlsHandshake>) -> Self {
        let mut distinct = Self {
            leaves: earlier.into_iter().collect(),
            handshakes: Vec::new(),
        };
        for handshake in seen {
            let Some(leaf) = handshake.chain.first() else {
                continue;
            };
            if !distinct.leaves.contains(leaf) {
                distinct.leaves.push(leaf.clone());
                distinct.handshakes.push(handshake);
            }
        }
        distinct
    }
}

/// Adds what an address answered to one offer, and the findings about it.
fn judge_offer(
    answers: &mut HostAnswers,
    offer: &ProbeOffer,
    address: SocketAddr,
    seen: DistinctAnswers,
) {
    if offer.sni == SniUse::Absent {
        let known: Vec<&Vec<u8>> = answers
            .answers
            .iter()
            .filter_map(|answer| answer.sent.first())
            .collect();
        let other = seen.leaves.iter().find(|leaf| !known.contains(leaf));
        let note = other.map(|leaf| other_without_sni(address, leaf));
        answers.findings.extend(note);
        return;
    }
    if seen.leaves.len() > 1 {
        let finding = different_answers(address, &seen.leaves);
        if !answers.findings.contains(&finding) {
            answers.findings.push(finding);
        }
    }
    for handshake in seen.handshakes {
        let is_known = answers.answers.iter().any(|answer| {
            answer.addresses.contains(&address) && answer.sent.first() == handshake.chain.first()
        });
        if is_known {
            continue;
        }
        host::add_handshake(&mut answers.answers, address, handshake);
    }
}

fn addresses_of(answers: &[HostCertificates]) -> Vec<SocketAddr> {
    let addresses = answers.iter().flat_map(|answer| &answer.addresses);
    addresses.copied().collect()
}

/// Returns the first certificate that an address sent.
fn sent_by(answers: &[HostCertificates], address: SocketAddr) -> Option<Vec<u8>> {
    let answer = answers
        .iter()
        .find(|answer| answer.addresses.contains(&address))?;
    answer.sent.first().cloned()
}

fn other_without_sni(address: SocketAddr, leaf: &[u8]) -> Finding {
    let message = format!(
        "{address} sends another certificate to clients without SNI: {}",
        describe(leaf)
    );
    Finding::note("other-without-sni", message)
}

fn different_answers(address: SocketAddr, leaves: &[Vec<u8>]) -> Finding {
    let mut shown = Vec::new();
    for leaf in leaves {
        shown.push(describe(leaf));
    }
    let message = format!(
        "{address} sends different certificates to the same client: {}; probably several servers \
            share the address, and one still has an old certificate",
        shown.join(" and ")
    );
    Finding::error("answers-differ", message).with_step(verify_command::check_each_backend())
}

/// Names, expiry date and the first digits of the fingerprint.
fn describe(leaf: &[u8]) -> String {
    match Certificate::from_der(leaf) {
        Ok(leaf) => format!(
            "{} (SHA-256 {}…)",
            certificate_in_words(&leaf),
            leaf.fingerprint.first_digits()
        ),
        Err(_) => "one that cannot be parsed".to_owned(),
    }
}
