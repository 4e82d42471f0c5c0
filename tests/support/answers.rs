//! What the tests share that compare the model of a server with the real server: certificates, a
//! client that reports which of them a server sends, free ports, and a tally of the comparisons.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError, SignatureScheme,
};

/// A read or write that takes longer fails the test.
const DEADLINE: Duration = Duration::from_secs(20);

/// The type of a certificate's key.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum KeyKind {
    Ecdsa,
    Rsa,
}

/// A certificate with its key, in files.
pub struct PoolCertificate {
    pub chain: PathBuf,
    pub key: PathBuf,
    pub kind: KeyKind,
    der: Vec<u8>,
}

/// Certificates that a server can be configured with; each is recognized in a handshake.
pub struct CertificatePool(pub Vec<PoolCertificate>);

impl CertificatePool {
    /// Creates self-signed certificates `e0.pem`, `e0.key`, ..., `r0.pem`, ... in `folder`.
    pub fn generate(folder: &Path, ecdsa: usize, rsa: usize) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let ecdsa = (0..ecdsa).map(|number| (KeyKind::Ecdsa, format!("e{number}")));
        let rsa = (0..rsa).map(|number| (KeyKind::Rsa, format!("r{number}")));
        let certificates = ecdsa.chain(rsa).map(|(kind, stem)| {
            let algorithm = match kind {
                KeyKind::Ecdsa => &PKCS_ECDSA_P256_SHA256,
                KeyKind::Rsa => &PKCS_RSA_SHA256,
            };
            let key = KeyPair::generate_for(algorithm).unwrap();
            let name = format!("{stem}.pool.example");
            let certificate = CertificateParams::new(vec![name])
                .unwrap()
                .self_signed(&key)
                .unwrap();
            let chain = folder.join(format!("{stem}.pem"));
            let key_path = folder.join(format!("{stem}.key"));
            std::fs::write(&chain, certificate.pem()).unwrap();
            std::fs::write(&key_path, key.serialize_pem()).unwrap();
            PoolCertificate {
                chain,
                key: key_path,
                kind,
                der: certificate.der().to_vec(),
            }
        });
        Self(certificates.collect())
    }

    /// The certificate in the file at `path`, however it is spelled.
    pub fn at_path(&self, path: &Path) -> Option<usize> {
        let path = path.canonicalize().ok()?;
        let is_it = |one: &PoolCertificate| one.chain.canonicalize().is_ok_and(|own| own == path);
        self.0.iter().position(is_it)
    }
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct Question {
    pub address: SocketAddr,
    /// The name that is sent (SNI).
    pub name: Option<String>,
    /// The only key type that is accepted.
    pub only: Option<KeyKind>,
    /// Whether TLS 1.2 is the version, instead of TLS 1.3.
    pub is_tls12: bool,
}

/// What a server sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    /// The certificate with this number in the pool, and the server has its key.
    Certificate(usize),
    /// An alert, or the end of the connection, instead of a certificate.
    Refused,
    /// Something that is not TLS.
    PlainText,
    /// The connection was refused.
    NotListening,
    /// Anything else.
    Failed(String),
}

/// Makes a handshake and reports the certificate that the server sends.
pub fn ask(pool: &CertificatePool, question: &Question) -> Seen {
    let stream = match TcpStream::connect(question.address) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Seen::NotListening,
        Err(error) => return Seen::Failed(error.to_string()),
    };
    let recorder = Arc::new(LeafRecorder {
        provider: Arc::new(aws_lc_rs::default_provider()),
        only: question.only,
        leaf: Mutex::new(None),
    });
    match handshake(question, stream, &recorder) {
        Ok(()) => {
            let leaf = recorder.leaf.lock().unwrap().clone().unwrap_or_default();
            let number = pool.0.iter().position(|one| one.der == leaf);
            let unknown = || Seen::Failed("a certificate that is not in the pool".to_owned());
            number.map_or_else(unknown, Seen::Certificate)
        }
        Err(error) => {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
            match tls {
                Some(TlsError::AlertReceived(_)) => Seen::Refused,
                Some(TlsError::InvalidMessage(_)) => Seen::PlainText,
                None if is_closed(error.kind()) => Seen::Refused,
                _ => Seen::Failed(error.to_string()),
            }
        }
    }
}

fn is_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

fn handshake(
    question: &Question,
    mut stream: TcpStream,
    recorder: &Arc<LeafRecorder>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let versions: &[&rustls::SupportedProtocolVersion] = if question.is_tls12 {
        &[&rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13]
    };
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<LeafRecorder>::clone(recorder);
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&recorder.provider))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config.enable_sni = question.name.is_some();
    let name = question.name.as_deref().unwrap_or("unsent.example");
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(())
}

/// Accepts every certificate whose key the server has, and records it.
#[derive(Debug)]
struct LeafRecorder {
    provider: Arc<CryptoProvider>,
    only: Option<KeyKind>,
    leaf: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for LeafRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        *self.leaf.lock().unwrap() = Some(end_entity.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let mut schemes = algorithms.supported_schemes();
        schemes.retain(|scheme| {
            let name = format!("{scheme:?}");
            match self.only {
                None => true,
                Some(KeyKind::Ecdsa) => name.starts_with("ECDSA"),
                Some(KeyKind::Rsa) => name.starts_with("RSA"),
            }
        });
        schemes
    }
}

/// Returns ports on which nothing listens at any address. They are below those that the kernel gives
/// to other tests and to outgoing connections.
pub fn free_ports(count: usize) -> Vec<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 97).unwrap() * 100;
    let is_free = |port: &u16| {
        let any: [IpAddr; 2] = ["0.0.0.0".parse().unwrap(), "::".parse().unwrap()];
        any.iter()
            .all(|&any| TcpListener::bind((any, *port)).is_ok())
    };
    std::iter::repeat_with(|| 20_000 + (offset + NEXT.fetch_add(1, Ordering::SeqCst)) % 12_000)
        .filter(is_free)
        .take(count)
        .collect()
}

/// How a prediction compares with what was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    Agrees,
    Disagrees,
    /// The model does not know.
    Unknown,
    /// The model does not know, for a reason that is not counted: the server runs a program or reads
    /// a variable.
    UnknownByNature,
}

/// The comparisons of configurations by the features that these have.
pub struct AnswerTally<F> {
    rows: BTreeMap<F, FeatureRow>,
    configurations: usize,
}

#[derive(Clone, Copy, Default)]
struct FeatureRow {
    configurations: usize,
    questions: usize,
    unknown: usize,
    unknown_by_nature: usize,
}

impl<F: Copy + Ord + std::fmt::Debug> AnswerTally<F> {
    /// A tally in which each of `features` has a row.
    pub fn of(features: &[F]) -> Self {
        Self {
            rows: features
                .iter()
                .map(|&feature| (feature, FeatureRow::default()))
                .collect(),
            configurations: 0,
        }
    }

    /// Adds a configuration with these features.
    pub fn add(&mut self, features: impl Iterator<Item = F>, comparisons: &[Comparison]) {
        self.configurations += 1;
        let count = |wanted| comparisons.iter().filter(|&&one| one == wanted).count();
        for feature in features {
            let row = self.rows.get_mut(&feature).unwrap();
            row.configurations += 1;
            row.questions += comparisons.len();
            row.unknown += count(Comparison::Unknown);
            row.unknown_by_nature += count(Comparison::UnknownByNature);
        }
    }

    /// Prints the rows, and returns what is wrong with them: a feature in less than a tenth of the
    /// configurations, or unknown answers to more than a twentieth of its questions.
    pub fn report(&self) -> Vec<String> {
        let mut table = format!(
            "{:22}{:>15}{:>11}{:>9}{:>20}\n",
            "feature", "configurations", "questions", "unknown", "unknown by nature"
        );
        let mut faults = Vec::new();
        for (feature, row) in &self.rows {
            let name = format!("{feature:?}");
            writeln!(
                table,
                "{name:22}{:>15}{:>11}{:>9}{:>20}",
                row.configurations, row.questions, row.unknown, row.unknown_by_nature
            )
            .unwrap();
            if row.configurations * 10 < self.configurations {
                faults.push(format!(
                    "{name} is in less than a tenth of the configurations"
                ));
            }
            if row.unknown * 20 > row.questions {
                faults.push(format!("{name}: more than a twentieth is unknown"));
            }
        }
        std::io::stdout()
            .write_all(format!("{table}\n").as_bytes())
            .unwrap();
        faults
    }
}
