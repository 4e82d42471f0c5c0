//! Handshakes with servers that stall, refuse, close, speak something else, or want a certificate
//! of ours.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/holding.rs"]
mod holding;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use certctl::facade::pki::key::KeyAlgorithm;
use certctl::facade::probe::{ProbeTarget, TlsHandshake};
use certctl::facade::system::tls::{ProbeError, probe_all, resolve};
use holding::Held;
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    PKCS_RSA_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

/// Never used up by a server that answers, however busy the machine.
const DEADLINE: Duration = Duration::from_secs(20);

fn ask(address: SocketAddr) -> Result<TlsHandshake, ProbeError> {
    probe_all(&[ProbeTarget::new(address, "example.com")], DEADLINE)
        .pop()
        .unwrap()
}

/// A listener that does `answer` with each connection.
fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&answer));
    address
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn pair(
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

/// A TLS server; says where it is and the leaf that it serves.
fn tls(
    algorithm: &'static rcgen::SignatureAlgorithm,
    version: &'static SupportedProtocolVersion,
    wants_certificate: Option<()>,
) -> (SocketAddr, Vec<u8>) {
    let (certificate, key) = pair(algorithm);
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
        // An alert that is still to be sent.
        let _ = session.complete_io(&mut connection);
    })
}

#[test]
fn every_kind_of_key_in_both_protocols() {
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
            let seen = ask(address).unwrap();
            assert_eq!(
                (seen.chain, seen.protocol),
                (vec![leaf], name),
                "{algorithm:?}"
            );
        }
    }
}

#[test]
fn a_leaf_counts_though_the_server_then_wants_one_of_ours() {
    for (version, name) in [
        (&rustls::version::TLS12, "TLS 1.2"),
        (&rustls::version::TLS13, "TLS 1.3"),
    ] {
        let (address, leaf) = tls(&PKCS_ECDSA_P256_SHA256, version, Some(()));
        let seen = ask(address).unwrap();
        assert_eq!((seen.chain, seen.protocol), (vec![leaf], name));
    }
}

#[test]
fn a_server_without_the_key_of_its_certificate_is_not_believed() {
    let (certificate, _) = pair(&PKCS_ECDSA_P256_SHA256);
    let (_, other) = pair(&PKCS_ECDSA_P256_SHA256);
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
        let answer = ask(serve_tls(Arc::new(config)));
        assert!(matches!(answer, Err(ProbeError::Signature)), "{answer:?}");
    }
}

#[test]
fn only_the_kind_of_key_that_is_asked_for() {
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
fn faults_are_told_apart() {
    let closed_port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let refused = ask(closed_port);
    assert!(matches!(refused, Err(ProbeError::Refused)), "{refused:?}");

    let junk = ask(serve(|mut connection| {
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = connection.read(&mut [0; 4096]);
    }));
    assert!(matches!(junk, Err(ProbeError::NotTls)), "{junk:?}");

    let closed = ask(serve(|mut connection| {
        let _ = connection.read(&mut [0; 4096]);
    }));
    assert!(matches!(closed, Err(ProbeError::Closed)), "{closed:?}");

    let alert = ask(serve(|mut connection| {
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
fn hosts_have_addresses() {
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
fn servers_that_stall_cost_one_deadline_together() {
    let held = Held::default();
    let stalling = held.serve(|_| {});
    let (address, leaf) = tls(&PKCS_ECDSA_P256_SHA256, &rustls::version::TLS13, None);
    let deadline = Duration::from_secs(3);
    let mut targets = vec![ProbeTarget::new(stalling, "example.com"); 40];
    targets.insert(20, ProbeTarget::new(address, "example.com"));
    let answers = probe_all(&targets, deadline);
    let counts = held.counts();
    assert_eq!(counts.accepted, 40, "each is asked once");
    assert_eq!(
        counts.most, 32,
        "all that run at once stall together, not one after the other: {counts:?}"
    );
    for (index, answer) in answers.iter().enumerate() {
        match answer {
            Ok(seen) => assert_eq!((index, &seen.chain[0]), (20, &leaf)),
            Err(error) => assert!(
                matches!(error, ProbeError::Stalled(_)) && index != 20,
                "{error:?}"
            ),
        }
    }
}
