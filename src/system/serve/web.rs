//! A TLS server on loopback that serves the pair at two paths, and a visitor. Like every real
//! server it keeps what it has loaded until it is told to read again.

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

/// The most that is read of a chain or a key.
const PAIR_LIMIT: u64 = 1024 * 1024;

/// What the server reads.
#[derive(Clone, Debug)]
pub(crate) struct ServedSite {
    /// The chain, PEM.
    pub chain: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
    /// Touching this file tells the server to read the pair again (as `touch-reload` of uWSGI
    /// does). The server and whoever reloads it are one process in a rehearsal, where a signal
    /// would hit both; a file is something that a user's `--reload` can name, and a server that is
    /// told by a file is seen to have been told: the file is gone.
    pub reload: PathBuf,
}

/// A running TLS server.
#[derive(Debug)]
pub(crate) struct WebServer {
    address: SocketAddr,
    _background: Background,
}

impl WebServer {
    /// Listens on a free port of 127.0.0.1 and reads the pair; without a usable one handshakes fail
    /// until a reload finds one.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub(crate) fn start(site: ServedSite) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut loaded = load(&site).ok();
        let background = Background::start("rehearsal-web", move || async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                // Looked at before each handshake, so that who touched the file before connecting
                // sees the new pair.
                if std::fs::remove_file(&site.reload).is_ok() {
                    // A pair that cannot be loaded leaves the one before in place, as in nginx.
                    loaded = load(&site).ok().or(loaded);
                }
                if let Some(config) = loaded.clone() {
                    tokio::spawn(tokio::time::timeout(PATIENCE, greet(config, stream)));
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

/// A handshake and a goodbye: nobody asks this server for more.
async fn greet(config: Arc<ServerConfig>, stream: tokio::net::TcpStream) -> io::Result<()> {
    let mut stream = TlsAcceptor::from(config).accept(stream).await?;
    stream.shutdown().await
}

/// The pair, if chain and key can be read and belong together.
fn load(site: &ServedSite) -> io::Result<Arc<ServerConfig>> {
    let chain = files::read(&site.chain, PAIR_LIMIT).map_err(io::Error::other)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(io::Error::other)?;
    let key = Zeroizing::new(files::read(&site.key, PAIR_LIMIT).map_err(io::Error::other)?);
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

/// What a visitor who trusts one root was shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SiteVisit {
    /// `TLS 1.2` or `TLS 1.3`.
    pub protocol: &'static str,
    /// The leaf, DER.
    pub leaf: Vec<u8>,
}

/// A clock that stands: dates are judged by the instant that everything else is judged by.
#[derive(Debug)]
struct At(UnixTime);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// A handshake as a browser makes it at
/// `at`: chain, name, dates and trust are all checked, with `root` (DER) as the only anchor.
///
/// # Errors
/// When there is no connection, or the certificate is refused.
pub(crate) fn visit(
    address: SocketAddr,
    host: &str,
    root: &[u8],
    at: Timestamp,
) -> io::Result<SiteVisit> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(root))
        .map_err(io::Error::other)?;
    let since_epoch = Duration::from_secs(u64::try_from(at.as_second()).map_err(io::Error::other)?);
    let clock = Arc::new(At(UnixTime::since_unix_epoch(since_epoch)));
    let config = ClientConfig::builder_with_details(provider(), clock)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    while client.is_handshaking() {
        client.complete_io(&mut stream)?;
    }
    let leaf = client.peer_certificates().and_then(|chain| chain.first());
    let leaf = leaf
        .ok_or_else(|| io::Error::other("no certificate"))?
        .to_vec();
    let protocol = match client.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    Ok(SiteVisit { protocol, leaf })
}
