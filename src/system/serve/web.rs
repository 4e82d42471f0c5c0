//! A TLS server on loopback that serves the certificate and key at two paths, and a client. Like
//! real servers, it uses what it loaded until it is reloaded.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::{Background, PATIENCE};
use crate::system::fs::files;

/// The maximum number of bytes read from a chain or a key.
const FILE_LIMIT: u64 = 1024 * 1024;

/// The files that the server reads.
#[derive(Clone, Debug)]
pub(crate) struct ServedSite {
    /// The chain, PEM.
    pub chain: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
    /// Touching this file makes the server read the certificate and key again (like uWSGI's
    /// `touch-reload`). In a rehearsal, the server and the program that reloads it are one process,
    /// and a signal would hit both. A file can be created by a user's `--reload` command, and it
    /// shows that the server has reloaded: the server removes it.
    pub reload: PathBuf,
}

/// A running TLS server.
#[derive(Debug)]
pub(crate) struct WebServer {
    address: SocketAddr,
    _background: Background,
}

impl WebServer {
    /// Listens on a free port of 127.0.0.1 and reads the certificate and key; if they are unusable,
    /// handshakes fail until a reload finds usable ones.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub(crate) fn start(site: ServedSite) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut loaded = load(&site).ok();
        let background = Background::start("rehearsal-web", move || async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                // Checked before each handshake, so that a client which touched the file before
                // it connected sees the new certificate.
                if std::fs::remove_file(&site.reload).is_ok() {
                    // A certificate that cannot be loaded leaves the old one in use, as in nginx.
                    loaded = load(&site).ok().or(loaded);
                }
                if let Some(config) = loaded.clone() {
                    tokio::spawn(tokio::time::timeout(
                        PATIENCE,
                        complete_handshake(config, stream),
                    ));
                }
            }
        })?;
        Ok(Self {
            address,
            _background: background,
        })
    }

    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Completes a handshake and closes the connection; clients need no more from this server.
async fn complete_handshake(
    config: Arc<ServerConfig>,
    stream: tokio::net::TcpStream,
) -> io::Result<()> {
    let mut stream = TlsAcceptor::from(config).accept(stream).await?;
    stream.shutdown().await
}

/// Loads the configuration, if chain and key can be read and match.
fn load(site: &ServedSite) -> io::Result<Arc<ServerConfig>> {
    let chain = files::read(&site.chain, FILE_LIMIT).map_err(io::Error::other)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(io::Error::other)?;
    let key = Zeroizing::new(files::read(&site.key, FILE_LIMIT).map_err(io::Error::other)?);
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    Ok(Arc::new(config))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What the server sent to a client that trusts one root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SiteVisit {
    /// `TLS 1.2` or `TLS 1.3`.
    pub protocol: &'static str,
    /// The leaf, DER.
    pub leaf: Vec<u8>,
}

/// A clock that always returns the time at which everything else is evaluated.
#[derive(Debug)]
struct FixedClock(UnixTime);

impl TimeProvider for FixedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// Makes a handshake as a browser does at `at`: chain, name, dates and trust are all checked, with
/// `root` (DER) as the only anchor.
///
/// # Errors
/// When there is no connection, or the certificate is refused.
pub(crate) fn visit(
    address: SocketAddr,
    host: &str,
    root: &[u8],
    at: Timestamp,
) -> io::Result<SiteVisit> {
    let config = browser_config(root, at)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    while client.is_handshaking() {
        client.complete_io(&mut stream)?;
    }
    let leaf = client
        .peer_certificates()
        .and_then(|chain| chain.first())
        .ok_or_else(|| io::Error::other("no certificate"))?;
    let protocol = match client.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    Ok(SiteVisit {
        protocol,
        leaf: leaf.to_vec(),
    })
}

fn browser_config(root: &[u8], at: Timestamp) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(root))
        .map_err(io::Error::other)?;
    let seconds = u64::try_from(at.as_second()).map_err(io::Error::other)?;
    let instant = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let config = ClientConfig::builder_with_details(provider(), Arc::new(FixedClock(instant)))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
