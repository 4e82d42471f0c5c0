//! Asks a site for its home page, in plain text and over TLS: two tries, a few redirects, no cookies,
//! bounded in size and time. The certificate is not verified here; handshakes of the probe prove it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ChainRecorder, config, connect, proxy_header};
use crate::probe::http::{
    HomePageVisit, HttpReply, HttpRequest, HttpScheme, NextRequest, RedirectRules, SiteAnswer,
};
use crate::system::activity;
use crate::system::runtime;
use crate::system::signals::InterruptSignal;
use crate::wording::with_causes;

/// The maximum time for one try, including its redirects.
pub(crate) const TRY_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before the second try.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);
/// The maximum number of bytes that are read of one response.
pub(crate) const BYTE_LIMIT: usize = 64 << 10;
/// The maximum time for all visits of a run; those that are left are not made.
pub(crate) const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the rest of a response is read, so that the server can finish it.
const REST_TIMEOUT: Duration = Duration::from_secs(1);
/// How many visits are made at once.
const AT_ONCE: usize = 32;

/// Makes all visits, many at a time; returns the answers in their order. `None` for a visit that was
/// not made, because the time was up or a signal arrived.
#[must_use]
pub(crate) fn visit_all(
    visits: &[HomePageVisit],
    interrupt: &InterruptSignal,
) -> Vec<Option<SiteAnswer>> {
    let mut answers: Vec<Option<SiteAnswer>> = visits.iter().map(|_| None).collect();
    if visits.is_empty() {
        return answers;
    }
    let all = async {
        tokio::select! {
            () = visit_concurrently(visits, &mut answers) => {}
            () = sleep(TOTAL_TIMEOUT) => {}
            _signal = interrupt.wait_for_signal() => {}
        }
    };
    // Without a runtime nothing is visited.
    let _ = runtime::block_on(all);
    answers
}

/// Makes one visit; follows the redirects that `rules` allow.
#[must_use]
pub(crate) fn visit(
    request: HttpRequest,
    rules: RedirectRules,
    interrupt: &InterruptSignal,
) -> SiteAnswer {
    let visit = HomePageVisit {
        request,
        rules: Arc::new(rules),
        before: None,
    };
    let mut answers = visit_all(&[visit], interrupt);
    let answer = answers.pop().flatten();
    answer.unwrap_or_else(|| SiteAnswer::Nothing("the time was up".to_owned()))
}

/// Sends one request, and follows no redirect.
///
/// # Errors
/// The answer without a reply.
pub(crate) fn fetch(request: &HttpRequest) -> Result<HttpReply, SiteAnswer> {
    let fetching = runtime::block_on(async { timeout(TRY_TIMEOUT, get(request)).await });
    match fetching {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => Err(SiteAnswer::Nothing(format!(
            "no answer within {} s",
            TRY_TIMEOUT.as_secs()
        ))),
        Err(error) => Err(SiteAnswer::Nothing(error.to_string())),
    }
}

/// What a web server tells the application about a visitor.
const FORWARDED: &str =
    "X-Real-IP: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n";

/// Asks an application at a Unix socket for its home page, as a web server asks for a visitor over
/// https; `host` is the site's name.
#[must_use]
pub(crate) fn ask_socket(path: &Path, host: &str) -> SiteAnswer {
    let asking = async {
        let mut connection = UnixStream::connect(path).await;
        let connection = connection.as_mut().map_err(|error| error.to_string())?;
        exchange_text(connection, "/", host, FORWARDED).await
    };
    match runtime::block_on(async { timeout(TRY_TIMEOUT, asking).await }) {
        Ok(Ok(Ok(reply))) => SiteAnswer::Status(reply.status),
        Ok(Ok(Err(reason))) => SiteAnswer::Nothing(reason),
        Ok(Err(_)) => SiteAnswer::Nothing(format!("no answer within {} s", TRY_TIMEOUT.as_secs())),
        Err(error) => SiteAnswer::Nothing(error.to_string()),
    }
}

async fn visit_concurrently(visits: &[HomePageVisit], answers: &mut [Option<SiteAnswer>]) {
    let mut waiting = visits.iter().cloned().enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((index, visit)) = waiting.next()
        {
            running.spawn(async move { (index, visit_twice(&visit).await) });
        }
        match running.join_next().await {
            Some(Ok((index, answer))) => answers[index] = Some(answer),
            // A task is never cancelled here and does not panic.
            Some(Err(_)) => {}
            None => return,
        }
    }
}

async fn visit_twice(visit: &HomePageVisit) -> SiteAnswer {
    let first = visit_once(visit).await;
    if !first.is_worth_another_try(visit.before.as_ref()) {
        return first;
    }
    sleep(PAUSE).await;
    visit_once(visit).await
}

async fn visit_once(visit: &HomePageVisit) -> SiteAnswer {
    match timeout(TRY_TIMEOUT, follow(visit)).await {
        Ok(answer) => answer,
        Err(_) => SiteAnswer::Nothing(format!("no answer within {} s", TRY_TIMEOUT.as_secs())),
    }
}

async fn follow(visit: &HomePageVisit) -> SiteAnswer {
    let mut request = visit.request.clone();
    let mut followed = 0;
    loop {
        let reply = match get(&request).await {
            Ok(reply) => reply,
            Err(answer) => return answer,
        };
        match visit.rules.decide(&request, &reply, followed) {
            NextRequest::Done(answer) => return answer,
            NextRequest::Follow(next) => request = next,
        }
        followed += 1;
    }
}

/// Sends one request; the error is the answer without a reply.
async fn get(request: &HttpRequest) -> Result<HttpReply, SiteAnswer> {
    let place = request.place;
    activity::report_query(|| format!("GET {request} at {}", place.address));
    let connecting = connect(place.address, TRY_TIMEOUT).await;
    let mut connection = connecting.map_err(|error| SiteAnswer::Nothing(with_causes(&error)))?;
    if place.proxy_header {
        let sent = send_proxy_header(&mut connection).await;
        sent.map_err(SiteAnswer::Nothing)?;
    }
    let replied = match place.scheme {
        HttpScheme::Http => exchange(&mut connection, request).await,
        HttpScheme::Https => {
            let mut connection = encrypt(connection, &request.host).await?;
            exchange(&mut connection, request).await
        }
    };
    replied.map_err(SiteAnswer::Nothing)
}

async fn encrypt(connection: TcpStream, host: &str) -> Result<TlsStream<TcpStream>, SiteAnswer> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| SiteAnswer::Nothing(format!("{host:?} is not a server name")))?;
    let recorder = Arc::new(ChainRecorder::new(None));
    let tls = config(&recorder).map_err(|error| SiteAnswer::Nothing(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(tls));
    let connecting = connector.connect(name, connection).await;
    connecting.map_err(|_| SiteAnswer::NoHandshake)
}

async fn send_proxy_header(connection: &mut TcpStream) -> Result<(), String> {
    let from = connection.local_addr().map_err(|error| error.to_string())?;
    let to = connection.peer_addr().map_err(|error| error.to_string())?;
    connection
        .write_all(proxy_header(from, to).as_bytes())
        .await
        .map_err(|error| error.to_string())
}

async fn exchange(
    connection: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &HttpRequest,
) -> Result<HttpReply, String> {
    exchange_text(connection, &request.path, &request.host_field(), "").await
}

async fn exchange_text(
    connection: &mut (impl AsyncRead + AsyncWrite + Unpin),
    path: &str,
    host: &str,
    further_lines: &str,
) -> Result<HttpReply, String> {
    let text = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: certctl\r\nAccept: */*\r\n{further_lines}Connection: close\r\n\r\n"
    );
    let sent = async {
        connection.write_all(text.as_bytes()).await?;
        connection.flush().await
    };
    sent.await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    loop {
        if let Some(reply) = parse_reply(&bytes)? {
            // The answer is known: whatever goes wrong with the rest is not an error of the site.
            let _ = timeout(REST_TIMEOUT, read_rest(connection, bytes.len())).await;
            return Ok(reply);
        }
        if bytes.len() >= BYTE_LIMIT {
            return Err("the header of the response is larger than 64 KiB".to_owned());
        }
        if connection
            .read_buf(&mut bytes)
            .await
            .map_err(|error| error.to_string())?
            == 0
        {
            return Err("the server closed the connection without a response".to_owned());
        }
    }
}

async fn read_rest(connection: &mut (impl AsyncRead + Unpin), read_before: usize) {
    let mut count = read_before;
    let mut buffer = [0; 4096];
    while count < BYTE_LIMIT {
        match connection.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(more) => count += more,
        }
    }
}

/// Parses the header of a response; `None` while it is incomplete. Informational responses (1xx) are
/// skipped.
fn parse_reply(bytes: &[u8]) -> Result<Option<HttpReply>, String> {
    let mut rest = bytes;
    loop {
        const START: &[u8] = b"HTTP/1.";
        if !rest.starts_with(&START[..START.len().min(rest.len())]) {
            return Err("the response is not HTTP".to_owned());
        }
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end else {
            return Ok(None);
        };
        let header = String::from_utf8_lossy(&rest[..end]);
        let mut lines = header.split("\r\n");
        let status = lines.next().and_then(parse_status);
        let status = status.ok_or_else(|| "the response is not HTTP".to_owned())?;
        if (100..200).contains(&status) && status != 101 {
            rest = &rest[end + 4..];
            continue;
        }
        let location = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location")
                .then(|| value.trim().to_owned())
        });
        return Ok(Some(HttpReply { status, location }));
    }
}

/// Parses `HTTP/1.1 200 OK`.
fn parse_status(line: &str) -> Option<u16> {
    let status: u16 = line.split(' ').nth(1)?.parse().ok()?;
    (100..600).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests;
