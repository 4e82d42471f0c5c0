//! A stub: an HTTP server that stands in for the API of a DNS provider, for which there is no account
//! in tests. What it answers is built from the provider's documentation.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A request that the stub received.
#[derive(Clone, Debug)]
pub struct StubRequest {
    pub method: String,
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// With names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl StubRequest {
    /// The decoded value of a parameter in the query; empty if it is missing.
    pub fn parameter(&self, name: &str) -> String {
        Self::value_in(&self.query, name)
    }

    /// The same of a form in the body.
    pub fn form_value(&self, name: &str) -> String {
        Self::value_in(&self.body, name)
    }

    fn value_in(form: &str, name: &str) -> String {
        let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value);
        percent_decode(value.unwrap_or_default())
    }
}

/// What the stub answers.
#[derive(Clone, Debug)]
pub struct StubReply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// A status that stands for no answer: the connection is closed.
pub const SILENCE: u16 = 0;

impl StubReply {
    pub fn silence() -> Self {
        Self::of_type(SILENCE, "text/plain", "")
    }

    pub fn of_type(status: u16, media_type: &str, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", media_type.to_owned())],
            body: body.into(),
        }
    }

    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.into(),
        }
    }
}

/// The stub, which ends when the value is dropped.
pub struct StubApi {
    pub url: String,
    requests: Arc<Mutex<Vec<StubRequest>>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl StubApi {
    pub fn start(answer: impl FnMut(&StubRequest) -> StubReply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<StubRequest>>>::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (received, is_over) = (Arc::clone(&requests), Arc::clone(&stop));
        let mut answer = answer;
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                serve(&mut stream.unwrap(), &mut |request| {
                    received.lock().unwrap().push(request.clone());
                    answer(request)
                });
            }
        });
        Self {
            url,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    /// The requests that were received, in order.
    pub fn requests(&self) -> Vec<StubRequest> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for StubApi {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Serves one request; a client that goes away is no failure of the test.
fn serve(stream: &mut TcpStream, answer: &mut dyn FnMut(&StubRequest) -> StubReply) {
    let Some(request) = read_request(stream) else {
        return;
    };
    let reply = answer(&request);
    if reply.status == SILENCE {
        return;
    }
    let mut head = format!("HTTP/1.1 {} Stub\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let length = reply.body.len();
    head += &format!("content-length: {length}\r\n\r\n{}", reply.body);
    let _ = stream.write_all(head.as_bytes());
}

fn read_request(stream: &TcpStream) -> Option<StubRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length");
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(StubRequest {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: String::from_utf8(body).ok()?,
    })
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
