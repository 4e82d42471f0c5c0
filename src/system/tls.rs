//! Makes full TLS handshakes and records what a server sends for a name. `probe` and `pki::verify`
//! verify the chains; the handshake itself checks that the server has the leaf's key.

pub(crate) mod clear_text;
pub(crate) mod hosts;
pub(crate) mod http_get;
pub(crate) mod starttls;
mod verifiable_key;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, InvalidMessage,
    SignatureScheme,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use self::starttls::StartTlsError;
use super::activity;
use super::runtime;
use crate::pki::key::KeyAlgorithm;
use crate::probe::{KeyCheck, ProbeTarget, TlsHandshake};
use crate::wording::with_causes;

/// The name of an alert as RFC 8446 section 6 and everybody who writes about it spell it, from the one
/// of rustls, such as `HandshakeFailure`.
fn standard_name(alert: &str) -> String {
    let mut name = String::new();
    for letter in alert.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name.replace("unrecognised", "unrecognized")
}

/// Why a server sent no certificate.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The server ended the handshake with an alert (RFC 8446 section 6.2).
    #[error("the server ended the handshake with the alert {}", standard_name(.0))]
    Alert(String),
    /// The server closed the connection before it sent a certificate.
    #[error("the server closed the connection during the handshake")]
    Closed,
    /// The name cannot be sent in a handshake.
    #[error("{0:?} is not a valid server name for a handshake")]
    Name(String),
    /// The host name has no address.
    #[error("cannot resolve {0}")]
    NoAddress(String),
    /// The server does not speak TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The port is closed.
    #[error("the connection was refused")]
    Refused,
    /// The server cannot prove that it has the key of its certificate.
    #[error("the server does not have the key of the certificate that it sends")]
    Signature,
    /// The protocol before TLS failed.
    #[error(transparent)]
    StartTls(#[from] StartTlsError),
    /// The server accepted the connection and did not complete the handshake in time.
    #[error("no handshake within {} s", .0.as_secs_f32())]
    Stalled(Duration),
    /// The server sends more certificates than clients accept.
    #[error("the server sends more than 64 KiB of certificates, which clients reject")]
    TooMuch,
    /// The handshake failed for another reason.
    #[error("the handshake failed")]
    Tls(#[source] TlsError),
    /// There was no connection in time.
    #[error("no connection within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The network or this machine failed.
    #[error("cannot connect")]
    Unreachable(#[source] io::Error),
    /// Neither a handshake nor an offer of everything up to TLS 1.2 got a certificate.
    #[error(
        "certctl offered TLS 1.2 and TLS 1.3 with the groups {groups}: {}; it offered TLS 1.2 and \
         earlier with every cipher suite and group: {}",
        with_causes(&**handshake),
        with_causes(&**clear_text)
    )]
    Unsupported {
        /// Why the handshake failed.
        handshake: Box<Self>,
        /// Why no certificate could be read in the clear.
        clear_text: Box<Self>,
        /// The groups that the handshake offered.
        groups: String,
    },
}

/// How many handshakes run at once.
const AT_ONCE: usize = 32;

/// Makes one full handshake with each target; returns the answers in the order of the targets. Each
/// has its own `deadline`.
///
/// At most `AT_ONCE` run at a time; at most 64 KiB of handshake are read from any server (the limit
/// of rustls).
#[must_use]
pub fn probe_all(
    targets: &[ProbeTarget],
    deadline: Duration,
) -> Vec<Result<TlsHandshake, ProbeError>> {
    run_all(targets, |target| {
        Box::pin(async move { probe(&target, deadline).await })
    })
}

/// One attempt to read the certificate of a server.
type ProbeAttempt = Pin<Box<dyn Future<Output = Result<TlsHandshake, ProbeError>> + Send>>;

/// Makes an attempt for each target; returns the answers in the order of the targets. At most
/// `AT_ONCE` run at a time.
fn run_all(
    targets: &[ProbeTarget],
    attempt: impl Fn(ProbeTarget) -> ProbeAttempt,
) -> Vec<Result<TlsHandshake, ProbeError>> {
    match runtime::block_on(probe_concurrently(targets, attempt)) {
        Ok(answers) => answers,
        Err(error) => targets
            .iter()
            .map(|_| {
                let same_error = io::Error::new(error.kind(), error.to_string());
                Err(ProbeError::Unreachable(same_error))
            })
            .collect(),
    }
}

async fn probe_concurrently(
    targets: &[ProbeTarget],
    attempt: impl Fn(ProbeTarget) -> ProbeAttempt,
) -> Vec<Result<TlsHandshake, ProbeError>> {
    let mut answers: Vec<_> = targets.iter().map(|_| Err(ProbeError::Closed)).collect();
    let mut waiting = targets.iter().cloned().enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((index, target)) = waiting.next()
        {
            let attempt = attempt(target);
            running.spawn(async move { (index, attempt.await) });
        }
        match running.join_next().await {
            Some(Ok((index, answer))) => answers[index] = answer,
            // A task is never cancelled here and does not panic.
            Some(Err(_)) => {}
            None => return answers,
        }
    }
}

/// Returns true if an address belongs to this machine: only then does the kernel choose it as the
/// source of a packet to itself. Nothing is sent. That a socket can be bound to an address proves
/// nothing where `ip_nonlocal_bind` is set.
#[must_use]
pub(crate) fn is_here(address: SocketAddr) -> bool {
    if address.ip().is_loopback() {
        return true;
    }
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let source = std::net::UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(address)?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address.ip())
}

/// Returns the IPv4 address from which this machine reaches the internet; `None` without a route.
/// Nothing is sent.
#[must_use]
pub(crate) fn outgoing_address() -> Option<IpAddr> {
    // An address of documentation (RFC 5737).
    let target = (Ipv4Addr::new(192, 0, 2, 1), 443);
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(target).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Resolves a host name (or an address) with the resolver of this machine.
///
/// # Errors
/// When it has no address, or there is no answer in time.
pub fn resolve(host: &str, port: u16, deadline: Duration) -> Result<Vec<SocketAddr>, ProbeError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    activity::report_query(|| format!("addresses of {bare} from the system's resolver"));
    let lookup = async { timeout(deadline, tokio::net::lookup_host((bare, port))).await };
    let found = runtime::block_on(lookup)
        .map_err(ProbeError::Unreachable)?
        .map_err(|_| ProbeError::Timeout(deadline))?
        .map_err(|_| ProbeError::NoAddress(host.to_owned()))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(ProbeError::NoAddress(host.to_owned()));
    }
    Ok(addresses)
}

pub(super) async fn probe(
    target: &ProbeTarget,
    deadline: Duration,
) -> Result<TlsHandshake, ProbeError> {
    let name = ServerName::try_from(target.name.clone())
        .map_err(|_| ProbeError::Name(target.name.clone()))?;
    let recorder = Arc::new(ChainRecorder::new(target.algorithm));
    let config = config(&recorder).map_err(ProbeError::Tls)?;
    let ends = tokio::time::Instant::now() + deadline;
    activity::report_query(|| format!("TLS handshake with {} for {}", target.address, target.name));
    let connection = connect(target.address, deadline).await?;
    let handshake = complete_handshake(target, config, name, connection);
    let error = match tokio::time::timeout_at(ends, handshake).await {
        Ok(Ok(())) => ProbeError::Closed,
        Ok(Err(error)) => error,
        Err(_) => ProbeError::Stalled(deadline),
    };
    // A server that requires a client certificate fails the handshake after it has sent its own
    // certificate, which is sufficient.
    recorder.proven_handshake().ok_or(error)
}

async fn complete_handshake(
    target: &ProbeTarget,
    config: ClientConfig,
    name: ServerName<'static>,
    mut connection: TcpStream,
) -> Result<(), ProbeError> {
    start_tls(target, &mut connection).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, connection)
        .await
        .map(drop)
        .map_err(handshake_error)
}

/// Sends what the server expects before TLS: a PROXY header, a request to start TLS.
async fn start_tls(target: &ProbeTarget, connection: &mut TcpStream) -> Result<(), ProbeError> {
    if target.proxy_header {
        let from = connection.local_addr().map_err(handshake_error)?;
        let to = connection.peer_addr().map_err(handshake_error)?;
        connection
            .write_all(proxy_header(from, to).as_bytes())
            .await
            .map_err(handshake_error)?;
    }
    if let Some(protocol) = target.starttls {
        starttls::open(connection, protocol, target).await?;
    }
    Ok(())
}

/// Version 1 of <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, with the addresses
/// of the connection itself: Apache's mod_remoteip rejects the shorter `UNKNOWN`.
fn proxy_header(from: SocketAddr, to: SocketAddr) -> String {
    let family = if to.is_ipv4() { "TCP4" } else { "TCP6" };
    format!(
        "PROXY {family} {} {} {} {}\r\n",
        from.ip(),
        to.ip(),
        from.port(),
        to.port()
    )
}

async fn connect(address: SocketAddr, deadline: Duration) -> Result<TcpStream, ProbeError> {
    match timeout(deadline, TcpStream::connect(address)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(ProbeError::Refused)
        }
        Ok(Err(error)) => Err(ProbeError::Unreachable(error)),
        Err(_) => Err(ProbeError::Timeout(deadline)),
    }
}

fn config(recorder: &Arc<ChainRecorder>) -> Result<ClientConfig, TlsError> {
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<ChainRecorder>::clone(recorder);
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&recorder.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn handshake_error(error: io::Error) -> ProbeError {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<TlsError>())
    {
        Some(TlsError::AlertReceived(alert)) => ProbeError::Alert(format!("{alert:?}")),
        Some(TlsError::InvalidMessage(
            InvalidMessage::CertificatePayloadTooLarge | InvalidMessage::HandshakePayloadTooLarge,
        )) => ProbeError::TooMuch,
        Some(TlsError::InvalidMessage(_)) => ProbeError::NotTls,
        Some(TlsError::InvalidCertificate(CertificateError::BadSignature)) => ProbeError::Signature,
        Some(other) => ProbeError::Tls(other.clone()),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => ProbeError::Closed,
            _ => ProbeError::Unreachable(error),
        },
    }
}

/// A verifier that records the chain as sent, and rejects only a server that cannot sign with the
/// leaf's key. A signature that certctl cannot verify is accepted, and recorded as not checked.
#[derive(Debug)]
struct ChainRecorder {
    provider: Arc<CryptoProvider>,
    algorithm: Option<KeyAlgorithm>,
    seen: Mutex<TlsHandshake>,
}

impl ChainRecorder {
    fn new(algorithm: Option<KeyAlgorithm>) -> Self {
        let seen = Mutex::new(TlsHandshake::default());
        Self {
            provider: Arc::new(aws_lc_rs::default_provider()),
            algorithm,
            seen,
        }
    }

    /// Returns the chain, if the server has signed the handshake.
    fn proven_handshake(&self) -> Option<TlsHandshake> {
        let seen = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        (!seen.protocol.is_empty()).then_some(seen)
    }

    fn record_signature(
        &self,
        protocol: &'static str,
        certificate: &CertificateDer<'_>,
        checked: Result<HandshakeSignatureValid, TlsError>,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let (key, checked) = match checked {
            Ok(valid) => (KeyCheck::Checked, valid),
            Err(error) if verifiable_key::is_unsupported(&error, certificate) => {
                (KeyCheck::Unchecked, HandshakeSignatureValid::assertion())
            }
            Err(error) => return Err(error),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.protocol = protocol;
        seen.key = key;
        Ok(checked)
    }
}

impl ServerCertVerifier for ChainRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let chain = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|der| der.to_vec())
            .collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.chain = chain;
        seen.stapled = ocsp_response.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.record_signature(
            "TLS 1.2",
            certificate,
            verify_tls12_signature(message, certificate, signed, algorithms),
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.record_signature(
            "TLS 1.3",
            certificate,
            verify_tls13_signature(message, certificate, signed, algorithms),
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self
            .provider
            .signature_verification_algorithms
            .supported_schemes();
        schemes.retain(|&scheme| {
            self.algorithm
                .is_none_or(|algorithm| can_sign_with(algorithm, scheme))
        });
        schemes
    }
}

/// Returns whether a key of that algorithm can sign with that scheme. A server selects its
/// certificate by the schemes that the client offers.
fn can_sign_with(algorithm: KeyAlgorithm, scheme: SignatureScheme) -> bool {
    let schemes: &[SignatureScheme] = match algorithm {
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521 => &[
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
        ],
        KeyAlgorithm::Ed25519 => &[SignatureScheme::ED25519],
        KeyAlgorithm::Rsa(_) => &[
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
        ],
        KeyAlgorithm::Unknown => return true,
    };
    schemes.contains(&scheme)
}
