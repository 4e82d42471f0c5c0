//! Reads the certificate of a server that certctl's TLS library cannot complete a handshake with: up
//! to TLS 1.2 it is sent in the clear. The handshake is not completed, so it is not checked whether
//! the server has the key.

use std::time::Duration;

use rustls::Error as TlsError;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout_at;

use super::{ProbeError, connect, handshake_error, probe_all, run_all, start_tls};
use crate::probe::client_hello::HelloContent;
use crate::probe::server_flight::{ClearCertificates, FlightError, ServerFlight, alert_name};
use crate::probe::{KeyCheck, ProbeTarget, TlsHandshake};
use crate::system::activity;

/// How long one server may take to send its certificate.
const DEADLINE: Duration = Duration::from_secs(5);

/// Alerts of a server that finds nothing it supports in the client's offer (RFC 8446 6.2). Others,
/// such as an unknown name, would come for every offer.
const INCOMPATIBLE: [&str; 6] = [
    "HandshakeFailure",
    "IllegalParameter",
    "InsufficientSecurity",
    "InternalError",
    "MissingExtension",
    "ProtocolVersion",
];

impl ProbeError {
    /// Whether the server may serve other clients: it supports nothing that certctl offered.
    #[must_use]
    pub(crate) fn may_be_incompatible(&self) -> bool {
        match self {
            Self::Alert(name) => INCOMPATIBLE.contains(&name.as_str()),
            Self::Unsupported { handshake, .. } => handshake.may_be_incompatible(),
            Self::Tls(_) => true,
            _ => false,
        }
    }

    /// Whether the server speaks only TLS 1.3, with nothing that certctl supports: what it serves
    /// cannot be determined.
    #[must_use]
    pub(crate) fn is_unverifiable(&self) -> bool {
        let Self::Unsupported { clear_text, .. } = self else {
            return false;
        };
        matches!(&**clear_text, Self::Alert(name) if name == "ProtocolVersion")
    }

    /// Whether the server answered every offer with an alert.
    #[must_use]
    pub(crate) fn is_alert(&self) -> bool {
        match self {
            Self::Alert(_) => true,
            Self::Unsupported { clear_text, .. } => clear_text.is_alert(),
            _ => false,
        }
    }
}

/// Makes a handshake with each target; where one fails because the server may be incompatible, reads
/// its certificate in the clear. Each handshake has its own `deadline`.
#[must_use]
pub fn probe_with_fallback(
    targets: &[ProbeTarget],
    deadline: Duration,
) -> Vec<Result<TlsHandshake, ProbeError>> {
    let mut answers = probe_all(targets, deadline);
    fall_back(targets, &mut answers, |_| true);
    answers
}

/// Reads the certificates of the targets that may be incompatible, if `is_wanted` says so for their
/// index, and replaces their answers.
pub(crate) fn fall_back(
    targets: &[ProbeTarget],
    answers: &mut [Result<TlsHandshake, ProbeError>],
    is_wanted: impl Fn(usize) -> bool,
) {
    let failed: Vec<usize> = (0..targets.len())
        .filter(|&index| {
            let may_be_incompatible = |error: &ProbeError| {
                error.may_be_incompatible() || matches!(error, ProbeError::Closed)
            };
            answers[index].as_ref().is_err_and(may_be_incompatible) && is_wanted(index)
        })
        .collect();
    if failed.is_empty() {
        return;
    }
    let again: Vec<ProbeTarget> = failed.iter().map(|&index| targets[index].clone()).collect();
    let read = run_all(&again, |target| {
        Box::pin(async move { read(&target, DEADLINE).await })
    });
    for (index, clear_text) in failed.into_iter().zip(read) {
        match clear_text {
            Ok(handshake) => answers[index] = Ok(handshake),
            Err(error) => {
                let answer = std::mem::replace(&mut answers[index], Err(ProbeError::Closed));
                answers[index] = answer.map_err(|handshake| unsupported(handshake, error));
            }
        }
    }
}

/// Returns the error of a target that did not answer to either offer.
fn unsupported(handshake: ProbeError, clear_text: ProbeError) -> ProbeError {
    let has_tls_answer = matches!(
        clear_text,
        ProbeError::Alert(_) | ProbeError::Closed | ProbeError::Tls(_)
    );
    if !has_tls_answer || !handshake.may_be_incompatible() {
        return handshake;
    }
    let groups: Vec<String> = aws_lc_rs::default_provider()
        .kx_groups
        .iter()
        .map(|group| format!("{:?}", group.name()))
        .collect();
    ProbeError::Unsupported {
        handshake: Box::new(handshake),
        clear_text: Box::new(clear_text),
        groups: groups.join(", "),
    }
}

/// Reads the certificates that one server sends; at most 64 KiB, within `deadline`.
pub(super) async fn read(
    target: &ProbeTarget,
    deadline: Duration,
) -> Result<TlsHandshake, ProbeError> {
    let ends = tokio::time::Instant::now() + deadline;
    activity::report_query(|| {
        format!(
            "TLS 1.2 certificate of {} for {}",
            target.address, target.name
        )
    });
    let mut connection = connect(target.address, deadline).await?;
    let flight = timeout_at(ends, read_flight(target, &mut connection)).await;
    let found = flight.map_err(|_| ProbeError::Stalled(deadline))??;
    Ok(TlsHandshake {
        chain: found.chain,
        protocol: found.protocol,
        key: KeyCheck::Unchecked,
        stapled: found.stapled,
    })
}

async fn read_flight(
    target: &ProbeTarget,
    connection: &mut TcpStream,
) -> Result<ClearCertificates, ProbeError> {
    start_tls(target, connection).await?;
    let mut random = [0; 32];
    // A predictable value does no harm: the handshake is never completed.
    let _ = ::aws_lc_rs::rand::fill(&mut random);
    let hello = HelloContent {
        name: &target.name,
        algorithm: target.algorithm,
        random: &random,
    };
    let sent = connection.write_all(&hello.to_record()).await;
    sent.map_err(handshake_error)?;
    let mut flight = ServerFlight::default();
    let mut received = [0; 4096];
    loop {
        let count = connection
            .read(&mut received)
            .await
            .map_err(handshake_error)?;
        if count == 0 {
            return flight.finish().ok_or(ProbeError::Closed);
        }
        if let Some(found) = flight.add(&received[..count]).map_err(flight_error)? {
            return Ok(found);
        }
    }
}

fn flight_error(error: FlightError) -> ProbeError {
    match error {
        FlightError::Alert(description) => ProbeError::Alert(alert_name(description)),
        FlightError::Malformed => ProbeError::Tls(TlsError::General(error.to_string())),
        FlightError::NotTls => ProbeError::NotTls,
        FlightError::TooMuch => ProbeError::TooMuch,
    }
}
