//! A UDP server that answers DNS queries with arbitrary packets, which certctl must not accept as
//! answers.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};

/// The most times that certctl sends one query.
pub const TRANSMISSIONS: usize = 5;

/// The queries that were received, each with the address that it came from, and how often.
type ReceivedQueries = BTreeMap<(SocketAddr, Vec<u8>), usize>;

/// A UDP server that answers each message with the packets that a function returns for it, until it
/// is dropped.
pub struct FakeDnsServer {
    pub address: SocketAddr,
    questions: Arc<Mutex<ReceivedQueries>>,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl FakeDnsServer {
    pub fn new(answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = socket.try_clone().unwrap();
        Self::start(socket, sender, answer)
    }

    /// Starts a server that answers from another port than the one that received the query.
    pub fn answering_from_another_port(
        answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self::start(socket, UdpSocket::bind("127.0.0.1:0").unwrap(), answer)
    }

    /// Returns each query that was received, and how often. A query that is sent again comes from
    /// the same port with the same id, so with the same bytes; the id alone, of 16 bits, can be
    /// that of another query by chance.
    pub fn questions(&self) -> Vec<(Vec<u8>, usize)> {
        let questions = self.questions.lock().unwrap();
        let counted = questions.iter();
        counted
            .map(|((_, query), times)| (query.clone(), *times))
            .collect()
    }

    fn start(
        socket: UdpSocket,
        sender: UdpSocket,
        answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        use std::sync::atomic::Ordering;
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let address = socket.local_addr().unwrap();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        let questions = Arc::<Mutex<ReceivedQueries>>::default();
        let received = Arc::clone(&questions);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                *received
                    .lock()
                    .unwrap()
                    .entry((from, buffer[..length].to_vec()))
                    .or_default() += 1;
                for packet in answer(&buffer[..length]) {
                    let _ = sender.send_to(&packet, from);
                }
            }
        });
        Self {
            address,
            questions,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for FakeDnsServer {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Returns a function that answers each query like the real server at `server`.
pub fn forward_to(server: SocketAddr) -> impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    socket.connect(server).unwrap();
    move |question| {
        let mut answer = [0; 4096];
        socket.send(question).unwrap();
        // A late answer to the previous query is not one to this query.
        while let Ok(length) = socket.recv(&mut answer) {
            if answer[..2] == question[..2] {
                return vec![answer[..length].to_vec()];
            }
        }
        Vec::new()
    }
}

/// Returns an answer with the response code `code` to a query.
pub fn with_response_code(question: &[u8], code: ResponseCode) -> Message {
    let question = Message::from_vec(question).unwrap();
    let mut answer = question.clone().into_response();
    answer.metadata.response_code = code;
    answer
}
