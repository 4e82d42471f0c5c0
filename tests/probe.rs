//! Handshakes with servers that stall, refuse, close, do not speak TLS, or require a client
//! certificate.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "support/held_connections.rs"]
mod held_connections;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use certctl::facade::pki::key::KeyAlgorithm;
use certctl::facade::probe::{ProbeTarget, TlsHandshake};
use certctl::facade::system::tls::{ProbeError, probe_all, resolve};
use held_connections::HeldConnections;
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    PKCS_RSA_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

/// Long enough for any server that answers, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

fn handshake_with(address: SocketAddr) -> Result<TlsHandshake, ProbeError> {
    probe_all(&[ProbeTarget::new(address, "example.com")], DEADLINE)
        .pop()
        .unwrap()
}

/// Starts a listener that calls `answer` with each connection; returns its address.
fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&answer));
    address
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn issue(
    algorithm: &'static rcgen::SignatureAlgorithm,
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(["example.com".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    (
        certificate.der().clone(),
        PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    )
}

/// Starts a TLS server; returns its address and the leaf that it serves.
fn tls(
    algorithm: &'static rcgen::SignatureAlgorithm,
    version: &'static SupportedProtocolVersion,
    wants_certificate: Option<()>,
) -> (SocketAddr, Vec<u8>) {
    let (certificate, key) = issue(algorithm);
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap();
    let builder = match wants_certificate {
        None => builder.with_no_client_auth(),
        Some(()) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(certificate.clone()).unwrap();
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                    .build()
                    .unwrap(),
            )
        }
    };
    let config = Arc::new(
        builder
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap(),
    );
    (serve_tls(config), certificate.to_vec())
}

fn serve_tls(config: Arc<ServerConfig>) -> SocketAddr {
    serve(move |mut connection| {
        let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
        while session.is_handshaking() && session.complete_io(&mut connection).is_ok() {}
        // Sends a pending alert, if there is one.
        let _ = session.complete_io(&mut connection);
    })
}

#[test]
fn all_key_types_are_supported_in_both_protocol_versions() {
    for algorithm in [
        &PKCS_ECDSA_P256_SHA256,
        &PKCS_ECDSA_P384_SHA384,
        &PKCS_ED25519,
        &PKCS_RSA_SHA256,
    ] {
        for (version, name) in [
            (&rustls::version::TLS12, "TLS 1.2"),
            (&rustls::version::TLS13, "TLS 1.3"),
        ] {
            let (address, leaf) = tls(algorithm, version, None);
            let handshake = handshake_with(address).unwrap();
            assert_eq!(
                (handshake.chain, handshake.protocol),
                (vec![leaf], name),
                "{algorithm:?}"
            );
        }
    }
}

#[test]
fn the_leaf_is_read_although_the_server_requires_a_client_certificate() {
    for (version, name) in [
        (&rustls::version::TLS12, "TLS 1.2"),
        (&rustls::version::TLS13, "TLS 1.3"),
    ] {
        let (address, leaf) = tls(&PKCS_ECDSA_P256_SHA256, version, Some(()));
        let handshake = handshake_with(address).unwrap();
        assert_eq!((handshake.chain, handshake.protocol), (vec![leaf], name));
    }
}

#[test]
fn a_server_without_the_key_of_its_certificate_is_rejected() {
    let (certificate, _) = issue(&PKCS_ECDSA_P256_SHA256);
    let (_, other) = issue(&PKCS_ECDSA_P256_SHA256);
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&other).unwrap();
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(
        CertifiedKey::new(vec![certificate], key),
    ));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap();
        let config = builder
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&resolver));
        let answer = handshake_with(serve_tls(Arc::new(config)));
        assert!(matches!(answer, Err(ProbeError::Signature)), "{answer:?}");
    }
}

#[test]
fn only_the_requested_key_type_is_accepted() {
    let (address, leaf) = tls(&PKCS_RSA_SHA256, &rustls::version::TLS13, None);
    let target = |algorithm| ProbeTarget {
        algorithm: Some(algorithm),
        ..ProbeTarget::new(address, "example.com")
    };
    let mut answers = probe_all(
        &[
            target(KeyAlgorithm::EcdsaP256),
            target(KeyAlgorithm::Rsa(2048)),
        ],
        DEADLINE,
    );
    assert_eq!(answers.pop().unwrap().unwrap().chain, [leaf]);
    let refused = answers.pop().unwrap();
    assert!(matches!(&refused, Err(ProbeError::Alert(_))), "{refused:?}");
}

#[test]
fn faults_are_distinguished() {
    let closed_port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let refused = handshake_with(closed_port);
    assert!(matches!(refused, Err(ProbeError::Refused)), "{refused:?}");

    let junk = handshake_with(serve(|mut connection| {
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = connection.read(&mut [0; 4096]);
    }));
    assert!(matches!(junk, Err(ProbeError::NotTls)), "{junk:?}");

    let closed = handshake_with(serve(|mut connection| {
        let _ = connection.read(&mut [0; 4096]);
    }));
    assert!(matches!(closed, Err(ProbeError::Closed)), "{closed:?}");

    let alert = handshake_with(serve(|mut connection| {
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(&[21, 3, 3, 0, 2, 2, 112]);
    }));
    assert!(
        matches!(&alert, Err(ProbeError::Alert(name)) if name == "UnrecognisedName"),
        "{alert:?}"
    );

    let name = probe_all(&[ProbeTarget::new(closed_port, "a b")], DEADLINE)
        .pop()
        .unwrap();
    assert!(matches!(name, Err(ProbeError::Name(_))), "{name:?}");
}

#[test]
fn hosts_are_resolved() {
    for host in ["127.0.0.1", "localhost"] {
        let addresses = resolve(host, 443, DEADLINE).unwrap();
        assert!(
            addresses
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 443),
            "{addresses:?}"
        );
    }
    assert_eq!(
        resolve("[::1]", 443, DEADLINE).unwrap(),
        ["[::1]:443".parse().unwrap()]
    );
    assert!(matches!(
        resolve("a b", 443, DEADLINE),
        Err(ProbeError::NoAddress(_))
    ));
}

#[test]
fn stalled_servers_share_one_deadline() {
    let held = HeldConnections::default();
    let stalling = held.serve(|_| {});
    let (address, leaf) = tls(&PKCS_ECDSA_P256_SHA256, &rustls::version::TLS13, None);
    let deadline = Duration::from_secs(3);
    let mut targets = vec![ProbeTarget::new(stalling, "example.com"); 40];
    targets.insert(20, ProbeTarget::new(address, "example.com"));
    let answers = probe_all(&targets, deadline);
    let counts = held.counts();
    assert_eq!(counts.accepted, 40, "each server is probed once");
    assert_eq!(
        counts.most, 32,
        "32 probes run at the same time: {counts:?}"
    );
    for (index, answer) in answers.iter().enumerate() {
        match answer {
            Ok(handshake) => assert_eq!((index, &handshake.chain[0]), (20, &leaf)),
            Err(error) => assert!(
                matches!(error, ProbeError::Stalled(_)) && index != 20,
                "{error:?}"
            ),
        }
    }
}
