//! Visits of misbehaving servers on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{parse_reply, visit_all};
use crate::pki::name::DnsName;
use crate::probe::http::{
    HomePageVisit, HttpPlace, HttpRequest, HttpScheme, RedirectRules, SiteAnswer,
};
use crate::system::signals::InterruptSignal;

/// Starts a server that sends the n-th of these responses to the n-th connection, and the last one
/// to all others; counts the connections. The requests are checked.
fn server(responses: &[&str]) -> (HttpPlace, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let port = address.port().to_string();
    let responses = responses.iter().map(|text| text.replace("PORT", &port));
    let responses: Vec<String> = responses.collect();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let last = responses.len() - 1;
            respond(stream.unwrap(), &responses[number.min(last)]);
        }
    });
    let place = HttpPlace {
        scheme: HttpScheme::Http,
        address,
        proxy_header: false,
    };
    (place, count)
}

/// Reads a request, checks it, and sends the response.
fn respond(mut stream: TcpStream, response: &str) {
    let mut request = [0; 1024];
    let length = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    assert!(request.starts_with("GET /"), "{request}");
    assert!(request.contains("\r\nHost: a.example:"), "{request}");
    assert!(!request.contains("Cookie"), "{request}");
    let _ = stream.write_all(response.as_bytes());
}

fn visit(place: HttpPlace, before: Option<SiteAnswer>) -> SiteAnswer {
    let rules = RedirectRules {
        names: vec![DnsName::parse("a.example").unwrap()],
        places: vec![place],
    };
    let visit = HomePageVisit {
        request: HttpRequest::home(place, "a.example"),
        rules: Arc::new(rules),
        before,
    };
    let answers = visit_all(&[visit], &InterruptSignal::default());
    answers.into_iter().next().unwrap().expect("a visit")
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const BAD: &str = "HTTP/1.1 502 Bad Gateway\r\n\r\n";

#[test]
fn a_second_try_is_made_only_after_a_failure() {
    for (responses, before, answer, tries) in [
        (&[OK][..], None, SiteAnswer::Status(200), 1),
        (&[BAD, OK], None, SiteAnswer::Status(200), 2),
        (&[BAD], None, SiteAnswer::Status(502), 2),
        (
            &[BAD],
            Some(SiteAnswer::Status(503)),
            SiteAnswer::Status(502),
            1,
        ),
        (
            &[BAD, OK],
            Some(SiteAnswer::Status(200)),
            SiteAnswer::Status(200),
            2,
        ),
        (
            &["HTTP/1.1 404 Not Found\r\n\r\n"],
            None,
            SiteAnswer::Status(404),
            1,
        ),
    ] {
        let (place, count) = server(responses);
        assert_eq!(visit(place, before), answer, "{responses:?}");
        assert_eq!(count.load(Ordering::SeqCst), tries, "{responses:?}");
    }
}

#[test]
fn at_most_five_redirects_are_followed() {
    let again = "HTTP/1.1 302 Found\r\nlocation: http://a.example:PORT/next\r\n\r\n";
    let (place, count) = server(&[again]);
    assert_eq!(visit(place, None), SiteAnswer::RedirectLoop);
    assert_eq!(count.load(Ordering::SeqCst), 6);
    let (place, count) = server(&[again, again, OK]);
    assert_eq!(visit(place, None), SiteAnswer::Status(200));
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let away = "HTTP/1.1 302 Found\r\nLocation: http://b.example:PORT/\r\n\r\n";
    let (place, count) = server(&[away]);
    assert_eq!(visit(place, None), SiteAnswer::Status(302));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn other_responses_are_no_answer() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
    for (response, reason) in [
        ("", "without a response"),
        ("* OK IMAP4rev1 ready\r\n", "not HTTP"),
        ("HTTP/1.1 nonsense\r\n\r\n", "not HTTP"),
        ("HTTP/1.1 200 OK\r\n", "without a response"),
        (&endless, "larger than 64 KiB"),
    ] {
        let (place, _) = server(&[response]);
        let answer = visit(place, Some(SiteAnswer::Nothing(String::new())));
        let SiteAnswer::Nothing(found) = answer else {
            panic!("{answer}");
        };
        // A connection with unread data may be reset.
        assert!(found.contains(reason) || found.contains("reset"), "{found}");
    }
}

#[test]
fn replies_are_parsed_when_they_are_complete() {
    for (bytes, status) in [
        ("", Ok(None)),
        ("HTT", Ok(None)),
        ("HTTP/1.1 200 OK\r\n", Ok(None)),
        ("HTTP/1.1 200 OK\r\n\r\n", Ok(Some(200))),
        ("HTTP/1.0 404\r\n\r\nx", Ok(Some(404))),
        ("HTTP/1.1 100 Continue\r\n\r\n", Ok(None)),
        (
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            Ok(Some(204)),
        ),
        ("HTTP/1.1 999 x\r\n\r\n", Err(())),
        ("SSH-2.0", Err(())),
    ] {
        let parsed = parse_reply(bytes.as_bytes());
        let parsed = parsed.map(|reply| reply.map(|reply| reply.status));
        assert_eq!(parsed.map_err(drop), status, "{bytes:?}");
    }
}
