//! Requests to misbehaving servers on loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;

use super::{ApiClient, ApiError, ApiMethod, ApiRequest, ApiUrl, MOST_ANSWER};
use crate::secret::SecretText;
use crate::system::signals::InterruptSignal;

/// What the server does after it has sent its answer.
#[derive(Clone, Copy)]
enum ServerEnd {
    Closes,
    Repeats(&'static [u8]),
    Stalls,
}

/// A server on loopback that gives one answer to every request.
struct AnsweringServer {
    url: String,
    /// The head of each request.
    heads: Receiver<String>,
}

fn serve(answer: &str, end: ServerEnd) -> AnsweringServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let answer = answer.to_owned();
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = sender.send(read_head(&stream));
            let _ = stream.write_all(answer.as_bytes());
            match end {
                ServerEnd::Closes => {}
                ServerEnd::Repeats(bytes) => while stream.write_all(bytes).is_ok() {},
                ServerEnd::Stalls => std::thread::sleep(Duration::from_secs(5)),
            }
        }
    });
    AnsweringServer { url, heads }
}

fn read_head(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines();
    let mut head = String::new();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            break;
        }
        head.push_str(&line);
        head.push('\n');
    }
    head
}

fn client() -> ApiClient {
    ApiClient::new(None, &InterruptSignal::default()).unwrap()
}

fn get(url: &str) -> ApiRequest {
    ApiRequest::new(ApiMethod::Get, ApiUrl::parse(url).unwrap())
}

fn error_of(answer: &str, end: ServerEnd) -> ApiError {
    let server = serve(answer, end);
    client().send(&get(&server.url)).unwrap_err()
}

#[test]
fn json_is_returned_with_any_status() {
    for (status, is_success) in [("200 OK", true), ("403 Forbidden", false)] {
        let server = serve(
            &format!(
                "HTTP/1.1 {status}\r\nContent-Type: Application/JSON; charset=utf-8\r\n\
                 Retry-After: 60\r\nContent-Length: 8\r\n\r\n{{\"a\": 1}}"
            ),
            ServerEnd::Closes,
        );
        let request = get(&server.url)
            .with_header(
                "authorization",
                SecretText::new("Bearer hunter2".to_owned()),
            )
            .with_body("application/json", b"{}".to_vec());
        let answer = client().send(&request).unwrap();
        assert_eq!(answer.is_success(), is_success);
        assert_eq!(answer.retry_after(), Some(Duration::from_secs(60)));
        let value: serde_json::Value = answer.parse().unwrap();
        assert_eq!(value["a"], 1);
        let head = server.heads.recv().unwrap().to_lowercase();
        for part in [
            "get /v1 ",
            "authorization: bearer hunter2",
            "user-agent: certctl/",
            "content-type: application/json",
            "accept: application/json, application/problem+json",
        ] {
            assert!(head.contains(part), "{part}: {head}");
        }
    }
}

#[test]
fn other_answers_than_the_apis_are_errors() {
    for (answer, wrong) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
            "answered with text/html (status 200)",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /login?next=hunter2\r\nContent-Length: 0\r\n\r\n",
            "/v1 redirects (status 302) to http://127.0.0.1",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://api.example/\r\nContent-Length: 0\r\n\r\n",
            "/v1 redirects (status 302), which certctl does not follow",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
            "the transfer from http://127.0.0.1",
        ),
        ("no http", "the transfer from http://127.0.0.1"),
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n",
            "answered with status 502",
        ),
    ] {
        let error = error_of(answer, ServerEnd::Closes).to_string();
        assert!(error.contains(wrong), "{answer:?}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_error_page_with_429_keeps_status_and_wait() {
    let error = error_of(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/html\r\nRetry-After: \
         18446744073709551615\r\nContent-Length: 6\r\n\r\n<html>",
        ServerEnd::Closes,
    );
    let ApiError::Status {
        status, retry_at, ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(status, 429);
    // At most a day, whatever the server says.
    let wait = retry_at
        .unwrap()
        .duration_since(crate::system::clock::now());
    assert!(wait.as_secs() <= 86_400, "{wait:?}");
    assert!(wait.as_secs() > 86_000, "{wait:?}");
}

#[test]
fn large_and_slow_answers_end() {
    const CHUNK: &[u8] = &[b' '; 4096];
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    let error = error_of(head, ServerEnd::Repeats(CHUNK));
    assert!(
        error.to_string().contains("larger than 1024 KiB"),
        "{error}"
    );
    assert_eq!(MOST_ANSWER, 1_048_576);
    for silent in ["", head, "HTTP/1.1 200 OK\r\nContent-Ty"] {
        let server = serve(silent, ServerEnd::Stalls);
        let client = client().with_deadline(Duration::from_millis(300));
        let error = client.send(&get(&server.url)).unwrap_err();
        assert!(
            matches!(error, ApiError::Slow { .. }),
            "{silent:?}: {error:?}"
        );
    }
}

#[test]
fn json_that_does_not_fit_is_reported_without_its_content() {
    for (body, reason) in [
        ("", "it is empty"),
        ("{\"key\": \"hunter2", "it ends too early (line 1"),
        ("hunter2", "it is not JSON (line 1"),
        (
            "{\"key\": \"hunter2\"}",
            "it does not have the documented fields",
        ),
    ] {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let server = serve(&answer, ServerEnd::Closes);
        let answer = client().send(&get(&server.url)).unwrap();
        let error = answer.parse::<BTreeMap<String, u8>>().unwrap_err();
        let shown = format!("{error} {error:?} {answer:?}");
        assert!(shown.contains(reason), "{body}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn connections_that_fail_are_explained_without_secrets() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let request = get(&format!("https://{address}/v1?key=hunter2"))
        .with_header("authorization", SecretText::new("hunter2".to_owned()))
        .with_body("application/json", b"hunter2".to_vec());
    let error = client().send(&request).unwrap_err();
    assert!(error.was_not_sent());
    let shown = format!("{error} {error:?} {request:?}");
    assert!(shown.contains("cannot connect to 127.0.0.1:"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");

    let broken = get(&format!("http://{address}/"))
        .with_header("authorization", SecretText::new("hunter2\n".to_owned()));
    let error = client().send(&broken).unwrap_err();
    assert!(matches!(error, ApiError::HeaderValue), "{error:?}");
}

/// A server on loopback with a certificate of its own, which returns what it received.
fn serve_tls() -> (String, JoinHandle<Vec<u8>>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let parameters = rcgen::CertificateParams::new(names).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = rustls::ServerConnection::new(config.into()).unwrap();
        let mut received = Vec::new();
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let _ = tls.read_to_end(&mut received);
        received
    });
    (url, server)
}

#[test]
fn an_untrusted_certificate_is_refused_before_the_request_is_sent() {
    let (url, server) = serve_tls();
    let error = client().send(&get(&url)).unwrap_err();
    assert!(matches!(error, ApiError::Certificate { .. }), "{error:?}");
    assert_eq!(server.join().unwrap(), Vec::<u8>::new());
}

#[test]
fn a_signal_ends_the_wait_at_once() {
    let server = serve("", ServerEnd::Stalls);
    let url = server.url.clone();
    let interrupt = InterruptSignal::default();
    interrupt.listen().unwrap();
    std::thread::spawn(move || {
        let _ = server.heads.recv();
        signal_hook::low_level::raise(signal_hook::consts::SIGHUP).unwrap();
        std::thread::sleep(Duration::from_secs(20));
    });
    let client = ApiClient::new(None, &interrupt).unwrap();
    let error = client.send(&get(&url)).unwrap_err();
    // At the deadline the error would be `Slow`.
    assert!(
        matches!(error, ApiError::Interrupted { signal: 1, .. }),
        "{error:?}"
    );
}
