//! Clients that open a site again and again, each time with a new connection, and expect an HTTP
//! response from a server with a valid certificate.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Clients that visit every address over TLS 1.2 and over TLS 1.3 until they are stopped.
pub struct Visitors {
    is_stopped: Arc<AtomicBool>,
    clients: Vec<Client>,
}

/// One client: where it connects, its number of visits, and what failed.
struct Client {
    place: String,
    visits: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<()>,
}

impl Visitors {
    /// Starts two clients for each address, which trust the root in `root_pem`.
    pub fn start(addresses: &[SocketAddr], name: &'static str, root_pem: &str) -> Self {
        Self::start_with_clock(addresses, name, root_pem, Arc::new(DefaultTimeProvider))
    }

    /// Does the same with clients whose clock stands still at this time.
    pub fn start_at(
        addresses: &[SocketAddr],
        name: &'static str,
        root_pem: &str,
        at: Duration,
    ) -> Self {
        Self::start_with_clock(addresses, name, root_pem, Arc::new(StoppedClock(at)))
    }

    fn start_with_clock(
        addresses: &[SocketAddr],
        name: &'static str,
        root_pem: &str,
        clock: Arc<dyn TimeProvider>,
    ) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        for &address in addresses {
            for (version, title) in [(&TLS12, "TLS 1.2"), (&TLS13, "TLS 1.3")] {
                let config = client_config(root_pem, version, Arc::clone(&clock));
                let visits = Arc::new(AtomicUsize::new(0));
                let failures: Arc<Mutex<Vec<String>>> = Arc::default();
                let (stop, counted, failed) = (
                    Arc::clone(&is_stopped),
                    Arc::clone(&visits),
                    Arc::clone(&failures),
                );
                let thread = std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        if let Err(error) = visit(address, name, &config) {
                            failed.lock().unwrap().push(error.to_string());
                        }
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                });
                clients.push(Client {
                    place: format!("{address} over {title}"),
                    visits,
                    failures,
                    thread,
                });
            }
        }
        Self {
            is_stopped,
            clients,
        }
    }

    /// Waits until every client has made `count` more visits.
    pub fn await_visits(&self, count: usize) {
        for client in &self.clients {
            let expected = client.visits.load(Ordering::Relaxed) + count;
            let deadline = Instant::now() + Duration::from_secs(60);
            while client.visits.load(Ordering::Relaxed) < expected {
                assert!(Instant::now() < deadline, "{} hangs", client.place);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Stops the clients, and fails if one of their requests failed.
    #[track_caller]
    pub fn assert_no_failure(self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.thread.join().unwrap();
            let failures = client.failures.lock().unwrap();
            assert!(
                failures.is_empty(),
                "{} of {} requests to {} failed: {}",
                failures.len(),
                client.visits.load(Ordering::Relaxed),
                client.place,
                failures[0]
            );
        }
    }
}

/// The time since 1970.
#[derive(Debug)]
struct StoppedClock(Duration);

impl TimeProvider for StoppedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0))
    }
}

fn client_config(
    root_pem: &str,
    version: &'static SupportedProtocolVersion,
    clock: Arc<dyn TimeProvider>,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::clone(ClientConfig::builder().crypto_provider());
    let config = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Makes one request on a new connection.
fn visit(
    address: SocketAddr,
    name: &'static str,
    config: &Arc<ClientConfig>,
) -> std::io::Result<()> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let name_sent = ServerName::try_from(name).unwrap();
    let session =
        ClientConnection::new(Arc::clone(config), name_sent).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(session, socket);
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    )?;
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    // A page that does not exist is an answer of the site; an error of the server is none.
    if start.starts_with(b"HTTP/1.1 ") && start[9] < b'5' {
        Ok(())
    } else {
        let status = String::from_utf8_lossy(&start).into_owned();
        Err(std::io::Error::other(format!("it answers {status:?}")))
    }
}
