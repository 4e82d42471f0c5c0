//! Fetching from misbehaving servers on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::{HttpError, MOST_BYTES, NetworkReach, fetch};
use crate::system::signals::InterruptSignal;

/// Starts a server that answers every request with `answer`, followed by `endless` again and again;
/// returns its URL.
fn server(answer: impl Into<Vec<u8>>, endless: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ca.crt", listener.local_addr().unwrap());
    let answer = String::from_utf8(answer.into())
        .unwrap()
        .replace("URL", &url);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
            match endless {
                Some([]) => std::thread::sleep(Duration::from_secs(5)),
                bytes => while bytes.is_some_and(|bytes| stream.write_all(bytes).is_ok()) {},
            }
        }
    });
    url
}

fn get(url: &str) -> Result<Vec<u8>, HttpError> {
    fetch(
        url,
        NetworkReach::Any,
        Duration::from_secs(30),
        &InterruptSignal::default(),
    )
}

#[test]
fn a_file_is_fetched() {
    let url = server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", None);
    assert_eq!(get(&url).unwrap(), b"hello");
    let there = server(
        format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"),
        None,
    );
    assert_eq!(get(&there).unwrap(), b"hello");
}

#[test]
fn misbehaving_servers_are_errors() {
    let chunk: &[u8] = &[0x30; 4096];
    for (answer, endless, wrong) in [
        (
            "HTTP/1.1 302 Found\r\nLocation: URL\r\nContent-Length: 0\r\n\r\n",
            None,
            "more than 5 redirects",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
            None,
            "only http:// and https://",
        ),
        (
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            None,
            "status 302",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            None,
            "status 404",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n",
            Some(chunk),
            "larger than 256 KiB",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
            None,
            "the transfer failed",
        ),
        ("no http", None, "the transfer failed"),
    ] {
        let error = get(&server(answer, endless)).unwrap_err().to_string();
        assert!(error.contains(wrong), "{answer:?}: {error}");
    }
    assert!(matches!(get("ldap://127.0.0.1/"), Err(HttpError::Scheme)));
    assert!(matches!(get("no url"), Err(HttpError::Url)));
    assert_eq!(MOST_BYTES, 262_144);
}

#[test]
fn stalled_transfers_end_at_the_deadline() {
    let (silent, dripping): (&str, &[u8]) = ("", &[]);
    for url in [
        server(silent, Some(dripping)),
        server(
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            Some(dripping),
        ),
    ] {
        let result = fetch(
            &url,
            NetworkReach::Any,
            Duration::from_millis(300),
            &InterruptSignal::default(),
        );
        // The server never stops sending, so that only the deadline can end the transfer.
        assert!(matches!(result, Err(HttpError::Slow(_))), "{result:?}");
    }
}

#[test]
fn non_public_addresses_are_not_contacted() {
    let url = server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", None);
    let port = url.rsplit(':').next().unwrap().to_owned();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0x7f.1",
        "2130706433",
        "192.168.0.1",
    ] {
        let result = fetch(
            &format!("http://{host}:{port}"),
            NetworkReach::Public,
            Duration::from_secs(5),
            &InterruptSignal::default(),
        );
        assert!(
            matches!(result, Err(HttpError::Private(_))),
            "{host}: {result:?}"
        );
    }
}

#[test]
fn a_signal_ends_the_transfer_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let interrupt = InterruptSignal::default();
    interrupt.listen().unwrap();
    std::thread::spawn(move || {
        let _connection = listener.accept();
        signal_hook::low_level::raise(signal_hook::consts::SIGHUP).unwrap();
        std::thread::sleep(Duration::from_secs(20));
    });
    // At the deadline the error would be `Slow`.
    let result = fetch(&url, NetworkReach::Any, Duration::from_secs(10), &interrupt);
    assert!(
        matches!(result, Err(HttpError::Interrupted { signal: 1, .. })),
        "{result:?}"
    );
}
