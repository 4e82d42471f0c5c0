//! Certificates that servers send over TLS and STARTTLS, and servers that answer otherwise:
//! `inspect` shows them, `verify` and `status` check them.
//! Needs: openssl, python3, python3-aiosmtpd, dovecot, id
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ServerConfig, ServerConnection};
use support::Sandbox;
use support::ca::{DAYS_LEFT, Leaf, TestCa};
use support::external::{external_program, path_of, succeed};
use support::issued_certificate::IssuedCertificate;
use support::json::Json;
use support::mask::masked;
use support::nginx::free_port;

const PROTOCOLS: [&str; 11] = [
    "smtp", "lmtp", "imap", "pop3", "sieve", "ftp", "ldap", "xmpp", "mysql", "postgres", "nntp",
];

/// A running `openssl s_server`, which is stopped when this is dropped.
struct Server(Child, u16);

impl Server {
    fn start(sandbox: &Sandbox, more: &[&str]) -> Self {
        let port = free_port();
        let mut command = external_program("openssl");
        command.args([
            "s_server",
            "-accept",
            &format!("127.0.0.1:{port}"),
            "-key",
            "example.com.key",
            "-quiet",
        ]);
        let child = command
            .args(more)
            .current_dir(sandbox.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = child.stderr(Stdio::null()).spawn().unwrap();
        let ends = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < ends, "openssl s_server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child, port)
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn plain(text: &str, port: u16) -> String {
    masked(
        &text
            .replace(&format!(":{port}"), ":[PORT]")
            .replace(&format!(" {port}\n"), " [PORT]\n")
            .replace(&format!(" {port}."), " [PORT]."),
    )
}

#[test]
fn certificates_served_by_openssl_are_shown_and_verified() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("leaf.pem", &setup.leaf);
    sandbox.write("chain.pem", setup.ca.bundle_pem());
    let server = Server::start(sandbox, &["-cert", "leaf.pem", "-cert_chain", "chain.pem"]);
    let text = sandbox.run(&["inspect", &server.host()]).expect(0);
    insta::assert_snapshot!(plain(&text.to_string(), server.1), @"
    found   127.0.0.1:[PORT]: TLS 1.3, 3 certificates, each signed by the next
            certificate 1 of 3: server certificate for example.com, from 127.0.0.1:[PORT]
                Names      example.com, www.example.com
                Valid      [DATE] to [DATE], 43 days left
                Subject    CN=example.com
                Issuer     CN=Test DV CA R2,O=certctl tests (certificate 2)
                Serial     [HEX]
                Key        ecdsa-p256
                Key id     [HEX]
                SHA-256    [HEX]
                Signature  ecdsa-with-SHA256
                Usage      digitalSignature, serverAuth
            certificate 2 of 3: CA certificate Test DV CA R2, from 127.0.0.1:[PORT]
                Valid      [DATE] to [DATE], 1799 days left
                Subject    CN=Test DV CA R2,O=certctl tests
                Issuer     CN=Test Root R1,O=certctl tests (certificate 3)
                Serial     [HEX]
                Key        ecdsa-p256
                Key id     [HEX]
                SHA-256    [HEX]
                Signature  ecdsa-with-SHA256
                Usage      keyCertSign, cRLSign
                CA         yes
            certificate 3 of 3: CA certificate Test Root R1, from 127.0.0.1:[PORT]
                Valid      [DATE] to [DATE], 1799 days left
                Subject    CN=Test Root R1,O=certctl tests
                Issuer     CN=Test Root R1,O=certctl tests (self-issued)
                Serial     [HEX]
                Key        ecdsa-p256
                Key id     [HEX]
                SHA-256    [HEX]
                Signature  ecdsa-with-SHA256
                Usage      keyCertSign, cRLSign
                CA         yes
    --- exit 0
    ");
    let document = sandbox
        .run(&["inspect", &server.host(), "--json"])
        .expect(0)
        .json();
    let mut summary = document.clone();
    let sources = document["items"].iter().map(|item| item["source"].clone());
    summary["items"] = Json::Array(sources.collect());
    insta::assert_snapshot!(plain(&summary.to_string(), server.1), @r#"{"schema":"certctl.inspect/1","comment":"127.0.0.1:[PORT]: TLS 1.3, 3 certificates, each signed by the next","changed":false,"file":"127.0.0.1:[PORT]","items":["127.0.0.1:[PORT]","127.0.0.1:[PORT]","127.0.0.1:[PORT]"],"findings":[],"next":[],"host":"127.0.0.1","port":[PORT],"served":[{"addresses":["127.0.0.1:[PORT]"],"protocol":"TLS 1.3","starttls":null,"sent":3,"in_order":true}]}"#);
    let verified = sandbox
        .run(&["verify", &server.host(), "--trust", "root.pem"])
        .expect(1);
    insta::assert_snapshot!(plain(&verified.to_string(), server.1), @"
    found   127.0.0.1:[PORT]: example.com, www.example.com, expires [DATE]; TLS 1.3, ecdsa-p256 key; probed with ECDSA and RSA keys, with and without SNI; 1 intermediate
    error   the certificate does not cover 127.0.0.1; it covers example.com, www.example.com
    next    Say which name to ask the server for with `--host example.com`:
                certctl verify 127.0.0.1:[PORT] --trust root.pem --host example.com
    note    127.0.0.1:[PORT] includes roots that need not be sent (clients have them, or do not trust them): Test Root R1
    --- exit 1
    ");
    // Next to `--host`, an address says only where the server is.
    let verify = ["verify", &server.host(), "--trust", "root.pem", "--host"];
    let verified = sandbox
        .run(&[&verify[..], &["www.example.com"]].concat())
        .expect(0);
    insta::assert_snapshot!(plain(&verified.to_string(), server.1), @"
    done    127.0.0.1:[PORT]: example.com, www.example.com, expires [DATE]; TLS 1.3, ecdsa-p256 key; probed with ECDSA and RSA keys, with and without SNI; 1 intermediate; trusted by root.pem; covers www.example.com
    note    127.0.0.1:[PORT] includes roots that need not be sent (clients have them, or do not trust them): Test Root R1
    --- exit 0
    ");
    sandbox
        .run(&[&verify[..], &["other.example.com"]].concat())
        .expect(1);
}

#[test]
fn served_certificates_are_verified_as_sent() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let names = Some(vec!["localhost".to_owned(), "example.com".to_owned()]);
    let leaf = setup.ca.issue_as(
        &sandbox.read("example.com.csr"),
        Leaf {
            names,
            ..Leaf::default()
        },
    );
    let intermediate = setup.ca.intermediate_pem();
    let other = TestCa::new().intermediate_pem();
    sandbox.write("leaf.pem", &leaf);
    for (chain, code, expected) in [
        (
            intermediate.clone(),
            0,
            "without SNI; 1 intermediate; trusted by root.pem; covers localhost, example.com",
        ),
        (String::new(), 1, "an intermediate certificate is missing"),
        (
            format!("{intermediate}{}", setup.ca.root_pem()),
            0,
            "includes roots that need not be sent",
        ),
        (
            format!("{other}{intermediate}"),
            0,
            "includes certificates that are not part of the chain: Test DV CA R2",
        ),
    ] {
        sandbox.write("chain.pem", &chain);
        let more: &[&str] = if chain.is_empty() {
            &[]
        } else {
            &["-cert_chain", "chain.pem"]
        };
        let server = Server::start(sandbox, &[&["-cert", "leaf.pem"], more].concat());
        let host = format!("localhost:{}", server.1);
        let args = [
            "verify",
            &host,
            "--trust",
            "root.pem",
            "--host",
            "example.com",
        ];
        let verified = sandbox.run(&args).expect(code);
        assert!(verified.stdout.contains(expected), "{verified}");
        let document = sandbox
            .run(&[&args[..], &["--json"]].concat())
            .expect(code)
            .json();
        let address = format!("127.0.0.1:{}", server.1);
        assert_eq!(
            document["certificates"][0]["addresses"],
            serde_json::json!([address]),
            "{document}"
        );
        let late = sandbox
            .run(&[&args[..], &["--at", "2050-01-01T00:00:00Z"]].concat())
            .expect(1);
        assert!(late.stdout.contains("expired on"), "{late}");
    }
    // A name without a port is never looked up in the network.
    sandbox.run(&["verify", "unknown.invalid"]).expect(3);
    sandbox
        .run(&["verify", "leaf.pem", "--starttls", "smtp"])
        .expect(2);
}

#[test]
fn too_many_served_certificates_are_reported() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("leaf.pem", &setup.leaf);
    sandbox.write("chain.pem", setup.ca.intermediate_pem().repeat(2000));
    let server = Server::start(sandbox, &["-cert", "leaf.pem", "-cert_chain", "chain.pem"]);
    let reported = sandbox.run(&["inspect", &server.host()]).expect(4);
    assert!(
        reported.stderr.contains("more than 64 KiB of certificates"),
        "{reported}"
    );
    let reported = sandbox.run(&["status", &server.host()]).expect(1);
    assert!(
        reported.stdout.contains("more than 64 KiB of certificates"),
        "{reported}"
    );
}

#[test]
fn unreachable_hosts_are_reported() {
    let sandbox = Sandbox::new();
    let port = free_port();
    let run = sandbox
        .run(&["inspect", &format!("127.0.0.1:{port}")])
        .expect(4);
    insta::assert_snapshot!(plain(&run.to_string(), port), @"
    --- stderr
    error   127.0.0.1:[PORT] sends no certificate
            cause: 127.0.0.1:[PORT]: the connection was refused
    next    Check whether a server listens on that port:
                nc -vz 127.0.0.1 [PORT]
    --- exit 4
    ");
    let unknown = sandbox
        .run(&["inspect", "no-such-host.invalid:443", "--json"])
        .expect(4)
        .json();
    assert_eq!(unknown["error"]["kind"], "network");
    for (args, code) in [
        (&["inspect", "missing.crt"][..], 3),
        (&["inspect", "./example.com"], 3),
        (&["inspect", "a b"], 3),
        (&["inspect", "x.crt/y", "--starttls", "smtp"], 2),
        (&["inspect", "127.0.0.1:1", "--starttls", "gopher"], 2),
    ] {
        sandbox.run(args).expect(code);
    }
}

#[test]
fn known_names_mean_their_files() {
    let setup = IssuedCertificate::new();
    setup
        .sandbox
        .write("example.com.fullchain.pem", setup.chain());
    let shown = setup
        .sandbox
        .run(&["inspect", "example.com", "--json"])
        .expect(0)
        .json();
    let sources: Vec<&str> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["source"].as_str().unwrap())
        .collect();
    assert_eq!(
        sources,
        [
            "example.com.fullchain.pem",
            "example.com.fullchain.pem",
            "example.com.csr",
            "example.com.key"
        ]
    );
}

/// Reads the next line and returns it in lower case.
fn read_line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.to_lowercase()
}

/// Acts as a server of `protocol` up to the start of TLS.
fn dialog(protocol: &str, connection: &TcpStream) {
    let mut to = connection.try_clone().unwrap();
    let mut from = BufReader::with_capacity(1, connection.try_clone().unwrap());
    match protocol {
        "smtp" => {
            to.write_all(b"220-mail.example.com\r\n220 ESMTP ready\r\n")
                .unwrap();
            assert!(read_line(&mut from).starts_with("ehlo "));
            to.write_all(b"250-mail.example.com\r\n250-STARTTLS\r\n250 SIZE\r\n")
                .unwrap();
            assert_eq!(read_line(&mut from), "starttls\r\n");
            to.write_all(b"220 go ahead\r\n").unwrap();
        }
        "imap" => {
            to.write_all(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
                .unwrap();
            loop {
                let line = read_line(&mut from);
                let tag = line.split(' ').next().unwrap();
                let last = line.ends_with("starttls\r\n");
                let more = if last {
                    "* still here"
                } else {
                    "* CAPABILITY IMAP4rev1 STARTTLS"
                };
                to.write_all(format!("{more}\r\n{tag} OK done\r\n").as_bytes())
                    .unwrap();
                if last {
                    break;
                }
            }
        }
        "pop3" => {
            to.write_all(b"+OK ready\r\n").unwrap();
            assert_eq!(read_line(&mut from), "stls\r\n");
            to.write_all(b"+OK go\r\n").unwrap();
        }
        "lmtp" => {
            to.write_all(b"220 mail.example.com LMTP\r\n").unwrap();
            assert!(read_line(&mut from).starts_with("lhlo "));
            to.write_all(b"250-STARTTLS\r\n250 PIPELINING\r\n").unwrap();
            assert_eq!(read_line(&mut from), "starttls\r\n");
            to.write_all(b"220 go ahead\r\n").unwrap();
        }
        "sieve" => {
            to.write_all(
                b"\"IMPLEMENTATION\" \"sieved\"\r\n\"SIEVE\" \"fileinto\"\r\n\"STARTTLS\"\r\nOK\r\n",
            )
            .unwrap();
            assert_eq!(read_line(&mut from), "starttls\r\n");
            to.write_all(b"OK \"begin\"\r\n").unwrap();
        }
        "ftp" => {
            // The lines between the first and the last need no code (RFC 959 section 4.2).
            to.write_all(b"220-Welcome\r\n no code here\r\n220 ready\r\n")
                .unwrap();
            loop {
                match read_line(&mut from).as_str() {
                    "auth tls\r\n" => break,
                    // OpenSSL asks for the features first.
                    _ => to
                        .write_all(b"211-Features\r\n AUTH TLS\r\n211 end\r\n")
                        .unwrap(),
                }
            }
            to.write_all(b"234 go ahead\r\n").unwrap();
        }
        "nntp" => {
            to.write_all(b"201 no posting\r\n").unwrap();
            loop {
                match read_line(&mut from).as_str() {
                    "starttls\r\n" => break,
                    _ => to
                        .write_all(b"101 capabilities\r\nSTARTTLS\r\n.\r\n")
                        .unwrap(),
                }
            }
            to.write_all(b"382 go ahead\r\n").unwrap();
        }
        _ => binary_dialog(protocol, &mut to, &mut from),
    }
}

/// The same for the protocols of packets and of XML.
fn binary_dialog(protocol: &str, to: &mut TcpStream, from: &mut BufReader<TcpStream>) {
    match protocol {
        "ldap" => {
            let mut request = [0; 31];
            from.read_exact(&mut request).unwrap();
            assert_eq!(&request[9..], b"1.3.6.1.4.1.1466.20037");
            to.write_all(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")
                .unwrap();
        }
        "mysql" => {
            // Version 10, a text, thread, challenge, capabilities, and what follows them.
            let mut greeting = b"\x0a8.0.0\0aaaabbbbbbbb\0\xff\xff\x2d\x02\0\xff\xff\x15".to_vec();
            greeting.extend([0; 10]);
            greeting.extend(b"cccccccccccc\0mysql_native_password\0");
            let length = u8::try_from(greeting.len()).unwrap();
            to.write_all(&[length, 0, 0, 0]).unwrap();
            to.write_all(&greeting).unwrap();
            let mut request = [0; 36];
            from.read_exact(&mut request).unwrap();
            assert_eq!((request[0], request[3]), (32, 1));
            assert_ne!(request[5] & 0x08, 0, "CLIENT_SSL");
        }
        "xmpp" => {
            let read_tag = |from: &mut BufReader<TcpStream>| {
                let mut tag = Vec::new();
                from.read_until(b'>', &mut tag).unwrap();
                String::from_utf8(tag).unwrap()
            };
            let mut tag = read_tag(from);
            while !tag.contains("<stream:stream") {
                tag = read_tag(from);
            }
            to.write_all(
                b"<?xml version='1.0'?><stream:stream version='1.0'><stream:features>\
                <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
            )
            .unwrap();
            assert!(read_tag(from).contains("starttls"));
            to.write_all(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                .unwrap();
        }
        _ => {
            let mut request = [0; 8];
            from.read_exact(&mut request).unwrap();
            assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
            to.write_all(b"S").unwrap();
        }
    }
}

/// Starts a listener that passes each connection to `answer`; returns its port.
fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&answer));
    port
}

fn tls(setup: &IssuedCertificate) -> Arc<ServerConfig> {
    let certificates = CertificateDer::pem_slice_iter(setup.chain().as_bytes())
        .map(Result::unwrap)
        .collect();
    let key =
        PrivateKeyDer::from_pem_slice(setup.sandbox.read("example.com.key").as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    Arc::new(
        builder
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap(),
    )
}

#[test]
fn every_starttls_protocol_is_supported() {
    let setup = IssuedCertificate::new();
    let config = tls(&setup);
    for protocol in PROTOCOLS {
        let config = Arc::clone(&config);
        let port = serve(move |mut connection| {
            dialog(protocol, &connection);
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            while session.is_handshaking() && session.complete_io(&mut connection).is_ok() {}
            let _ = session.complete_io(&mut connection);
        });
        let host = format!("127.0.0.1:{port}");
        // OpenSSL confirms that this server speaks the protocol.
        let mut client = external_program("openssl");
        client
            .args(["s_client", "-starttls", protocol, "-connect", &host])
            .stdin(Stdio::null());
        let printed = String::from_utf8_lossy(&client.output().unwrap().stdout).into_owned();
        assert!(
            printed.contains("subject=CN = example.com"),
            "{protocol}: {printed}"
        );
        let shown = setup
            .sandbox
            .run(&["inspect", &host, "--starttls", protocol, "--json"])
            .expect(0)
            .json();
        assert_eq!(shown["served"][0]["starttls"], protocol);
        assert_eq!(shown["items"][0]["subject"], "CN=example.com", "{protocol}");
        let verified = setup
            .sandbox
            .run(&[
                "verify",
                &host,
                "--starttls",
                protocol,
                "--trust",
                "root.pem",
            ])
            .expect(1);
        assert!(
            verified.stdout.contains("does not cover 127.0.0.1"),
            "{verified}"
        );
        assert_eq!(
            row(&setup.sandbox, &host, protocol)["names"][0],
            "example.com",
            "{protocol}"
        );
        // Without STARTTLS, it is not a TLS server.
        setup.sandbox.run(&["inspect", &host]).expect(4);
        let silent = setup
            .sandbox
            .run(&["status", &host, "--json"])
            .expect(1)
            .json();
        assert_eq!(silent["findings"][0]["code"], "host-no-answer", "{silent}");
    }
}

/// Returns the `status` row of a server whose certificate is not on this machine.
fn row(sandbox: &Sandbox, host: &str, protocol: &str) -> Json {
    // It is probed by its address, which the certificate does not cover.
    let run = sandbox
        .run(&["status", host, "--starttls", protocol, "--json"])
        .expect(1)
        .json();
    let rows = run["rows"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &rows[0]["state"], &run["findings"][0]["code"]),
        (1, &"served".into(), &"host-not-covered".into()),
        "{run}"
    );
    assert_eq!(rows[0]["places"][0]["address"], host, "{run}");
    rows[0].clone()
}

#[test]
fn unexpected_server_answers_are_quoted_safely() {
    let sandbox = Sandbox::new();
    let hostile = "\x1b]0;owned\x07\u{202e}500 no\r\n";
    let lines = "220-x\r\n".repeat(10_000);
    let endless = "x".repeat(1_000_000);
    let none = "N".to_owned();
    let answers: [(&str, &str, String); 11] = [
        ("mysql", "does not speak MySQL", hostile.to_owned()),
        ("ldap", "does not speak LDAP", hostile.to_owned()),
        ("xmpp", "does not speak XMPP", endless.clone()),
        ("sieve", "does not speak ManageSieve", hostile.to_owned()),
        ("smtp", "does not speak SMTP", hostile.to_owned()),
        ("smtp", "more than 64 lines", lines),
        ("imap", "does not speak IMAP", endless),
        (
            "pop3",
            "does not start TLS; it sent -ERR",
            "+OK\r\n-ERR \u{9b}31m\r\n".to_owned(),
        ),
        (
            "imap",
            "does not start TLS; it sent a1 NO",
            "* OK\r\na1 NO\r\n".to_owned(),
        ),
        (
            "postgres",
            "speaks PostgreSQL, but does not start TLS",
            none,
        ),
        ("postgres", "the connection failed", String::new()),
    ];
    for (protocol, expected, answer) in answers {
        let port = serve(move |mut connection| {
            let _ = connection.write_all(answer.as_bytes());
            let _ = connection.shutdown(std::net::Shutdown::Write);
            let _ = connection.read(&mut [0; 4096]);
        });
        let host = format!("127.0.0.1:{port}");
        for json in [&[][..], &["--json"]] {
            let args = [&["inspect", &host, "--starttls", protocol][..], json].concat();
            let run = sandbox.run(&args).expect(4);
            let page = run.to_string();
            assert!(page.contains(expected), "{protocol}: {page}");
            assert!(
                !page.contains(['\x1b', '\x07', '\u{202e}', '\u{9b}']),
                "{page}"
            );
            assert!(page.len() < 4000, "{page}");
        }
    }
}

/// A mail server (aiosmtpd) on its own port, which is stopped when the test ends.
const MAIL: &str = r#"
import signal, ssl, sys
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain("chain.pem", "example.com.key")
server = Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]), tls_context=tls)
server.start()
signal.alarm(120)
signal.pause()
"#;

#[test]
fn certificates_of_smtp_servers_are_shown() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("chain.pem", setup.chain());
    path_of("/usr/lib/python3/dist-packages/aiosmtpd");
    let port = free_port();
    let mut command = external_program("python3");
    command
        .args(["-c", MAIL, &port.to_string()])
        .current_dir(setup.sandbox.path())
        .stdin(Stdio::null());
    let server = Server(command.spawn().unwrap(), port);
    let ends = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < ends, "aiosmtpd did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = setup
        .sandbox
        .run(&["inspect", &server.host(), "--starttls", "smtp"])
        .expect(0);
    assert!(
        text.stdout.starts_with(&format!(
            "found   {}: SMTP, then TLS 1.3, 2 certificates, each signed by",
            server.host()
        )),
        "{text}"
    );
    let ends = row(&setup.sandbox, &server.host(), "smtp")["days_left"]
        .as_i64()
        .unwrap();
    assert!((DAYS_LEFT - 2..=DAYS_LEFT).contains(&ends), "{ends}");
    // It does not speak IMAP, and certctl does not wait for it.
    let other = setup
        .sandbox
        .run(&["inspect", &server.host(), "--starttls", "imap"])
        .expect(4);
    assert!(
        other.stderr.contains("does not speak IMAP; it sent 220 "),
        "{other}"
    );
}

/// Returns the configuration of a Dovecot on its own ports, with the certificate lines that
/// `bundle --for dovecot` prints.
fn dovecot_config(setup: &IssuedCertificate, imap: u16, pop3: u16) -> String {
    let sandbox = &setup.sandbox;
    sandbox.write("in.pem", setup.chain());
    let shown = sandbox
        .run(&[
            "bundle", "in.pem", "--trust", "root.pem", "--for", "dovecot", "--json",
        ])
        .expect(0)
        .json();
    let lines = shown["next"][1]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap());
    let here = sandbox.path().display();
    let ours = |line: &str| {
        line.replace("/etc/ssl/private/", "/etc/ssl/")
            .replace("/etc/ssl", &here.to_string())
    };
    // The last two are for Dovecot 2.4; Debian 12 has 2.3.
    let certificate: Vec<String> = lines.take(2).map(ours).collect();
    let id = |what: &str| succeed(external_program("id").arg(what)).trim().to_owned();
    let (user, group) = (id("-un"), id("-gn"));
    let users = match user.as_str() {
        "root" => String::new(),
        _ => format!(
            "default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}\n"
        ),
    };
    let login = |name: &str, port: u16| {
        format!(
            "service {name}-login {{\n chroot =\n inet_listener {name} {{\n  address = 127.0.0.1\n  port = {port}\n }}\n \
             inet_listener {name}s {{\n  port = 0\n }}\n}}\n"
        )
    };
    format!(
        "base_dir = {here}/run\nstate_dir = {here}/state\nlog_path = {here}/log\nprotocols = imap pop3\nssl = yes\n{}\n\
         mail_location = maildir:{here}/mail\npassdb {{\n driver = static\n}}\nservice anvil {{\n chroot =\n}}\n{users}{}{}",
        certificate.join("\n"),
        login("imap", imap),
        login("pop3", pop3),
    )
}

#[test]
fn certificates_of_dovecot_are_shown() {
    let setup = IssuedCertificate::new();
    let (imap, pop3) = (free_port(), free_port());
    let config = setup
        .sandbox
        .write("dovecot.conf", dovecot_config(&setup, imap, pop3));
    let mut command = external_program("dovecot");
    command
        .arg("-F")
        .arg("-c")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut server = command.spawn().unwrap();
    let ends = Instant::now() + Duration::from_secs(30);
    let log = || std::fs::read_to_string(setup.sandbox.join("log")).unwrap_or_default();
    while [imap, pop3]
        .iter()
        .any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err())
    {
        assert!(
            Instant::now() < ends && server.try_wait().unwrap().is_none(),
            "dovecot did not start\n{}",
            log()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let shown = [("imap", imap), ("pop3", pop3)].map(|(protocol, port)| {
        let host = format!("127.0.0.1:{port}");
        let row = row(&setup.sandbox, &host, protocol);
        (
            protocol,
            setup
                .sandbox
                .run(&["inspect", &host, "--starttls", protocol, "--json"]),
            row,
        )
    });
    // Its master process stops its children.
    support::terminate(server.id());
    server.wait().unwrap();
    for (protocol, run, row) in shown {
        assert_eq!(row["names"][0], "example.com");
        let document = run.expect(0).json();
        assert_eq!(document["served"][0]["starttls"], protocol, "{}", log());
        assert_eq!(
            (
                &document["items"][0]["subject"],
                &document["served"][0]["sent"]
            ),
            (&"CN=example.com".into(), &2.into())
        );
    }
}
