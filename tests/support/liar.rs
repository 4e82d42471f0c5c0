//! A UDP socket that answers questions with rubbish: what a name server must never be believed.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};

/// How many times certctl sends one question at the most.
pub const TRANSMISSIONS: usize = 5;

/// A UDP socket that answers each message with whatever `rubbish` makes of it, any number of
/// packets, until dropped.
pub struct Liar {
    pub address: SocketAddr,
    questions: Arc<Mutex<BTreeMap<Vec<u8>, usize>>>,
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Liar {
    pub fn new(rubbish: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mouth = socket.try_clone().unwrap();
        Self::speaking(socket, mouth, rubbish)
    }

    /// One that answers from another port than it was asked at.
    pub fn from_elsewhere(rubbish: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self::speaking(socket, UdpSocket::bind("127.0.0.1:0").unwrap(), rubbish)
    }

    /// Returns each question that came, and how many times: one that is sent again has the same id,
    /// so the same bytes.
    pub fn questions(&self) -> BTreeMap<Vec<u8>, usize> {
        self.questions.lock().unwrap().clone()
    }

    fn speaking(
        socket: UdpSocket,
        mouth: UdpSocket,
        rubbish: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        use std::sync::atomic::Ordering;
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let address = socket.local_addr().unwrap();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        let questions = Arc::<Mutex<BTreeMap<Vec<u8>, usize>>>::default();
        let heard = Arc::clone(&questions);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                *heard
                    .lock()
                    .unwrap()
                    .entry(buffer[..length].to_vec())
                    .or_default() += 1;
                for packet in rubbish(&buffer[..length]) {
                    let _ = mouth.send_to(&packet, from);
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

impl Drop for Liar {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Returns what answers each question as the real server at `server` does.
pub fn forward_to(server: SocketAddr) -> impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    socket.connect(server).unwrap();
    move |question| {
        let mut answer = [0; 4096];
        socket.send(question).unwrap();
        // An answer that was too late for the last question is not one to this.
        while let Ok(length) = socket.recv(&mut answer) {
            if answer[..2] == question[..2] {
                return vec![answer[..length].to_vec()];
            }
        }
        Vec::new()
    }
}

/// The answer `code` to a question.
pub fn coded(question: &[u8], code: ResponseCode) -> Message {
    let question = Message::from_vec(question).unwrap();
    let mut answer = question.clone().into_response();
    answer.metadata.response_code = code;
    answer
}
