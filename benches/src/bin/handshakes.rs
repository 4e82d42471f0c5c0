//! One TLS handshake with each of many servers, on one thread with tokio and rustls. Like
//! `certctl status`, it verifies the signature of the handshake and accepts every certificate. Prints a line for each (address, expiry, subject). Usage: handshakes LIST AT_ONCE,
//! where LIST has an `address:port` on each line.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

fn main() {
    let mut args = std::env::args().skip(1);
    let list = std::fs::read_to_string(args.next().unwrap()).unwrap();
    let at_once: usize = args.next().unwrap().parse().unwrap();
    let mut addresses: Vec<SocketAddr> = list.lines().map(|line| line.parse().unwrap()).collect();
    addresses.reverse();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(default_provider().signature_verification_algorithms)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let connector = TlsConnector::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines: Vec<String> = runtime.block_on(async move {
        let (mut running, mut lines) = (JoinSet::new(), Vec::new());
        let mut start =
            |running: &mut JoinSet<_>| addresses.pop().map(|address| running.spawn(ask(connector.clone(), address)));
        while running.len() < at_once && start(&mut running).is_some() {}
        while let Some(line) = running.join_next().await {
            lines.push(line.unwrap().unwrap());
            start(&mut running);
        }
        lines
    });
    println!("{}", lines.join("\n"));
    eprintln!("{} servers", lines.len());
}

async fn ask(connector: TlsConnector, address: SocketAddr) -> Result<String, Box<dyn Error + Send + Sync>> {
    let connection = TcpStream::connect(address).await?;
    let mut shown = connector.connect(ServerName::from(address.ip()), connection).await?;
    let line = {
        let (_, session) = shown.get_ref();
        let leaf = session.peer_certificates().and_then(<[_]>::first).ok_or("no certificate")?;
        let (_, leaf) = x509_parser::parse_x509_certificate(leaf)?;
        format!("{address} {} {}", leaf.validity().not_after.timestamp(), leaf.subject())
    };
    let _ = shown.shutdown().await;
    Ok(line)
}

/// Accepts every certificate whose key signed the handshake.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
