//! Sends many concurrent questions, each for one record at one server, at little cost for each: no
//! task, no timer and no socket of its own. The questions are distributed at random over a few
//! sockets, each at a port that the system chose and closed after some questions: an attacker who
//! does not see the questions has to guess port, id and name of each (RFC 5452 sections 9.2 and
//! 10).
//!
//! Serves the target for `dcv-check --batch` (20,000 records, benches/README.md). What it saves,
//! per question, over [`DnsClient`]: a task, two timers, a socket with its three system calls, and
//! the parsing of messages with a single alias ([`fast_path`]). [`BulkClient`] is the only entry
//! point.

use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hickory_proto::op::Message;
use tokio::time::{Instant, Sleep, sleep_until};

use super::message::{read_answer, shortest_ttl};
use crate::dcv::answer::{DnsAnswer, RecordKind, ServerRole};
use crate::system::activity;
use crate::system::dns::client::{
    self, DnsClient, QUESTION, QueryError, RecursionDesired, TRANSMISSIONS, no_answer,
};
use crate::system::dns::congestion::{SendSlot, ServerCongestion};
use crate::system::dns::connected_socket::ConnectedSocket;
use crate::system::dns::fast_path;
use crate::system::dns::server_queries::record_type;

/// How many ports questions to one server are distributed over, and for how many each is used.
const PORTS: usize = 4;
const QUESTIONS_OF_A_PORT: usize = 128;

/// The answer to a question.
#[derive(Debug)]
pub(super) enum BulkAnswer {
    /// The answer, and the TTL of its record.
    Answer(DnsAnswer, Option<u32>),
    /// The message needs to be parsed by a full query.
    NeedsFullQuery,
}

/// The questions that are open or wait, each with the key that the caller gave it.
#[derive(Debug)]
pub(super) struct BulkClient<T> {
    client: DnsClient,
    servers: Vec<ServerQueue<T>>,
    answers: Vec<(T, BulkAnswer)>,
    alarm: Pin<Box<Sleep>>,
}

impl<T> BulkClient<T> {
    /// Creates a client without questions, which shares the congestion state of `client`. Must be
    /// called in a runtime.
    pub(super) fn new(client: &DnsClient) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now() + QUESTION));
        Self {
            client: client.clone(),
            servers: Vec::new(),
            answers: Vec::new(),
            alarm,
        }
    }

    /// Adds one question; it is sent when the server's window allows.
    pub(super) fn add_query(&mut self, key: T, server: SocketAddr, kind: RecordKind, name: &str) {
        match fast_path::write_question(random_id(), name, kind) {
            Some(bytes) => self
                .server_queue(server)
                .queue
                .push_back((key, kind, bytes)),
            None => self.answers.push((key, BulkAnswer::NeedsFullQuery)),
        }
    }

    fn server_queue(&mut self, server: SocketAddr) -> &mut ServerQueue<T> {
        let at = self
            .servers
            .iter()
            .position(|queue| queue.server == server)
            .unwrap_or(self.servers.len());
        if at == self.servers.len() {
            let congestion = self.client.server_congestion(server);
            self.servers.push(ServerQueue {
                server,
                congestion,
                ports: Vec::new(),
                queue: VecDeque::new(),
                due: None,
            });
        }
        &mut self.servers[at]
    }

    /// Returns the answers to some questions, as soon as there are any.
    pub(super) async fn next_answers(&mut self) -> Vec<(T, BulkAnswer)> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Vec<(T, BulkAnswer)>> {
        loop {
            for queue in &mut self.servers {
                queue.receive(context, &mut self.answers);
                queue.send_waiting(&mut self.answers);
            }
            if !self.answers.is_empty() {
                return Poll::Ready(std::mem::take(&mut self.answers));
            }
            let Some(due) = self.servers.iter().filter_map(|queue| queue.due).min() else {
                return Poll::Pending;
            };
            if self.alarm.deadline() != due {
                self.alarm.as_mut().reset(due);
            }
            ready!(self.alarm.as_mut().poll(context));
            for queue in &mut self.servers {
                queue.retransmit(&mut self.answers);
            }
        }
    }
}

/// The questions to one server.
#[derive(Debug)]
struct ServerQueue<T> {
    server: SocketAddr,
    congestion: Arc<ServerCongestion>,
    ports: Vec<Port<T>>,
    /// The questions that wait for the server's window.
    queue: VecDeque<(T, RecordKind, Vec<u8>)>,
    /// No timer expires before this time.
    due: Option<Instant>,
}

impl<T> ServerQueue<T> {
    fn receive(&mut self, context: &mut Context<'_>, answers: &mut Vec<(T, BulkAnswer)>) {
        let congestion = &self.congestion;
        self.ports
            .retain_mut(|port| match port.receive(context, congestion, answers) {
                Ok(()) => port.left > 0 || !port.open.is_empty(),
                Err(error) => port.fail(congestion, error, answers),
            });
    }

    /// Sends waiting questions as far as the window allows.
    fn send_waiting(&mut self, answers: &mut Vec<(T, BulkAnswer)>) {
        while !self.queue.is_empty() {
            match self.congestion.try_take_slot() {
                SendSlot::Full => return,
                SendSlot::Silent => {
                    answers.extend(
                        self.queue
                            .drain(..)
                            .map(|(key, ..)| (key, unanswered(QueryError::Timeout))),
                    );
                }
                SendSlot::Taken => match self.queue.pop_front() {
                    Some((key, kind, bytes)) => self.send_one(key, kind, bytes, answers),
                    None => self.congestion.release_slot(),
                },
            }
        }
    }

    fn send_one(
        &mut self,
        key: T,
        kind: RecordKind,
        bytes: Vec<u8>,
        answers: &mut Vec<(T, BulkAnswer)>,
    ) {
        let at = match self.choose_port() {
            Ok(at) => at,
            Err(error) => {
                self.congestion.release_slot();
                return answers.push((key, unanswered(no_answer(error))));
            }
        };
        let now = Instant::now();
        let due = now
            + self
                .congestion
                .timeout(0, RecursionDesired::Desired.least());
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        let question = Question {
            key,
            kind,
            bytes,
            transmission: 0,
            sent: now,
            due,
            until: now + QUESTION,
        };
        if let Err(error) = self.ports[at].send(question) {
            self.ports.remove(at).fail(&self.congestion, error, answers);
        }
    }

    /// Returns the index of a port that may be used once more: a random one of [`PORTS`], opened if
    /// needed.
    fn choose_port(&mut self) -> io::Result<usize> {
        let mut fresh = (0..self.ports.len()).filter(|at| self.ports[*at].left > 0);
        let any = usize::from(random_id()) % PORTS;
        match fresh.nth(any) {
            Some(at) => Ok(at),
            None => {
                drop(fresh);
                self.ports.push(Port::open(self.server)?);
                Ok(self.ports.len() - 1)
            }
        }
    }

    /// Retransmits questions whose timer expired.
    fn retransmit(&mut self, answers: &mut Vec<(T, BulkAnswer)>) {
        let congestion = &self.congestion;
        self.ports
            .retain_mut(|port| match port.retransmit(congestion, answers) {
                Ok(()) => true,
                Err(error) => port.fail(congestion, error, answers),
            });
        self.due = self
            .ports
            .iter()
            .flat_map(|port| port.open.values())
            .map(|question| question.due)
            .min();
    }
}

#[derive(Debug)]
struct Question<T> {
    key: T,
    kind: RecordKind,
    bytes: Vec<u8>,
    transmission: u32,
    sent: Instant,
    due: Instant,
    until: Instant,
}

/// A socket, and its open questions by their ids.
#[derive(Debug)]
struct Port<T> {
    socket: ConnectedSocket,
    /// For how many more questions it may be used.
    left: usize,
    open: HashMap<u16, Question<T>>,
}

impl<T> Port<T> {
    fn open(server: SocketAddr) -> io::Result<Self> {
        let any = if server.is_ipv4() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        } else {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        };
        let socket = ConnectedSocket::open((any, 0).into(), server)?;
        Ok(Self {
            socket,
            left: QUESTIONS_OF_A_PORT,
            open: HashMap::new(),
        })
    }

    fn send(&mut self, mut question: Question<T>) -> io::Result<()> {
        let mut id = random_id();
        while self.open.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        question.bytes[..2].copy_from_slice(&id.to_be_bytes());
        self.left -= 1;
        activity::report_query(|| self.describe_query(&question.bytes));
        let sent = self.socket.send(&question.bytes);
        self.open.insert(id, question);
        sent
    }

    /// Describes a question for `-v`.
    fn describe_query(&self, bytes: &[u8]) -> String {
        let message = Message::from_vec(bytes).ok();
        let question = message.as_ref().and_then(|message| message.queries.first());
        match question {
            Some(question) => {
                let server = self.socket.server();
                client::describe_query(question.name(), question.query_type(), server)
            }
            None => "a question".to_owned(),
        }
    }

    fn receive(
        &mut self,
        context: &mut Context<'_>,
        congestion: &ServerCongestion,
        answers: &mut Vec<(T, BulkAnswer)>,
    ) -> io::Result<()> {
        let mut buffer = [0_u8; 4096];
        while let Poll::Ready(length) = self.socket.poll_receive(context, &mut buffer) {
            self.read_datagram(&buffer[..length?], congestion, answers);
        }
        Ok(())
    }

    /// Reads a datagram; ignores it if it does not answer a question of this port.
    fn read_datagram(
        &mut self,
        bytes: &[u8],
        congestion: &ServerCongestion,
        answers: &mut Vec<(T, BulkAnswer)>,
    ) {
        let Some(id) = bytes.first_chunk().copied().map(u16::from_be_bytes) else {
            return;
        };
        let Some(question) = self.open.get(&id) else {
            return;
        };
        let Some(answer) = read_bulk_answer(bytes, &question.bytes, question.kind) else {
            return;
        };
        if let Some(question) = self.open.remove(&id) {
            congestion.note_answer((question.transmission == 0).then(|| question.sent.elapsed()));
            congestion.release_slot();
            answers.push((question.key, answer));
        }
    }

    fn retransmit(
        &mut self,
        congestion: &ServerCongestion,
        answers: &mut Vec<(T, BulkAnswer)>,
    ) -> io::Result<()> {
        let now = Instant::now();
        for question in self
            .open
            .values_mut()
            .filter(|question| question.due <= now && question.until > now)
        {
            congestion.note_loss();
            question.transmission += 1;
            if question.transmission == TRANSMISSIONS {
                // It was sent often enough; a late answer may arrive until the deadline.
                question.due = question.until;
                continue;
            }
            self.socket.send(&question.bytes)?;
            let wait = congestion.timeout(question.transmission, RecursionDesired::Desired.least());
            question.due = question.until.min(now + wait);
        }
        for (_, question) in self.open.extract_if(|_, question| question.until <= now) {
            // A resolver that has ever answered may be waiting for other servers, so it does not
            // count as unresponsive.
            if !congestion.has_answered() {
                congestion.note_silence();
            }
            congestion.release_slot();
            answers.push((question.key, unanswered(QueryError::Timeout)));
        }
        Ok(())
    }

    /// Fails all open questions. Always returns false, because the port is no longer usable.
    fn fail(
        &mut self,
        congestion: &ServerCongestion,
        error: io::Error,
        answers: &mut Vec<(T, BulkAnswer)>,
    ) -> bool {
        let error = no_answer(error);
        for (_, question) in self.open.drain() {
            congestion.release_slot();
            answers.push((question.key, unanswered(error.clone())));
        }
        false
    }
}

/// Returns the answer to a question in `bytes`; `None` if they do not answer it.
fn read_bulk_answer(bytes: &[u8], question: &[u8], kind: RecordKind) -> Option<BulkAnswer> {
    if !fast_path::is_answer_to(question, bytes) {
        return None;
    }
    if let Some((target, ttl)) =
        fast_path::read_alias(question.len(), bytes).filter(|_| kind == RecordKind::Cname)
    {
        return Some(BulkAnswer::Answer(DnsAnswer::Cname(target), Some(ttl)));
    }
    let message = Message::from_vec(bytes).ok()?;
    let Some(name) = message.queries.first().map(|query| query.name.clone()) else {
        return Some(BulkAnswer::NeedsFullQuery);
    };
    let answer = read_answer(&message, &name, record_type(kind), ServerRole::Resolver);
    Some(match answer {
        answer @ (DnsAnswer::Cname(_) | DnsAnswer::Txt(_)) if !message.metadata.truncation => {
            BulkAnswer::Answer(answer, shortest_ttl(&message))
        }
        _ => BulkAnswer::NeedsFullQuery,
    })
}

fn unanswered(error: QueryError) -> BulkAnswer {
    BulkAnswer::Answer(error.into(), None)
}

/// Returns an unpredictable number, from hickory's cryptographic generator for ids.
fn random_id() -> u16 {
    Message::query().metadata.id
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::time::Duration;

    use hickory_proto::op::{Message, MessageType};
    use hickory_proto::rr::rdata::CNAME;
    use hickory_proto::rr::{Name, RData, Record};
    use tokio::time::Instant;

    use super::{BulkAnswer, BulkClient, PORTS, QUESTIONS_OF_A_PORT};
    use crate::dcv::answer::{DnsAnswer, RecordKind};
    use crate::system::dns::client::DnsClient;

    fn bulk_client() -> BulkClient<usize> {
        BulkClient::new(&DnsClient::until(Instant::now() + Duration::from_secs(20)))
    }

    /// Starts a server that receives `count` questions and sends the datagrams that `answer`
    /// returns for each.
    fn server(
        count: usize,
        answer: impl Fn(usize, Message) -> Vec<Vec<u8>> + Send + 'static,
    ) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            for number in 0..count {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                for bytes in answer(number, Message::from_vec(&buffer[..length]).unwrap()) {
                    socket.send_to(&bytes, from).unwrap();
                }
            }
        });
        address
    }

    fn right(mut message: Message) -> Message {
        message.metadata.message_type = MessageType::Response;
        let name = message.queries[0].name.clone();
        let target = Name::from_ascii(format!("to.{name}")).unwrap();
        message.add_answer(Record::from_rdata(name, 60, RData::CNAME(CNAME(target))));
        message
    }

    async fn collect_answers(
        client: &mut BulkClient<usize>,
        count: usize,
    ) -> Vec<(usize, BulkAnswer)> {
        let mut answers = Vec::new();
        while answers.len() < count {
            answers.extend(client.next_answers().await);
        }
        answers.sort_by_key(|(number, _)| *number);
        answers
    }

    fn target(answer: &BulkAnswer) -> &str {
        match answer {
            BulkAnswer::Answer(DnsAnswer::Cname(target), Some(60)) => target,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn answers_match_their_questions_and_ports_are_closed_after_use() {
        const COUNT: usize = 3 * PORTS * QUESTIONS_OF_A_PORT;
        let address = server(COUNT, |_, message| vec![right(message).to_vec().unwrap()]);
        let mut client = bulk_client();
        (0..COUNT).for_each(|number| {
            client.add_query(
                number,
                address,
                RecordKind::Cname,
                &format!("n{number}.test"),
            )
        });
        for (number, answer) in collect_answers(&mut client, COUNT).await {
            assert_eq!(target(&answer), format!("to.n{number}.test"));
        }
        let open = &client.servers[0].ports;
        assert!(
            open.len() <= PORTS && open.iter().all(|port| port.open.is_empty()),
            "{}",
            open.len()
        );
    }

    #[tokio::test]
    async fn forged_answers_are_ignored_and_lost_questions_are_sent_again() {
        let address = server(2, |number, message| {
            if number == 0 {
                return Vec::new();
            }
            let mut wrong_id = right(message.clone());
            wrong_id.metadata.id ^= 1;
            let mut wrong_name = message.clone();
            wrong_name.queries[0].name = Name::from_ascii("other.test.").unwrap();
            let lies = [wrong_id, right(wrong_name), message.clone()];
            let mut sent: Vec<Vec<u8>> = lies.iter().map(|lie| lie.to_vec().unwrap()).collect();
            sent.extend([vec![], vec![7], vec![0xff; 400]]);
            sent.push(right(message).to_vec().unwrap());
            sent
        });
        let mut client = bulk_client();
        client.add_query(0, address, RecordKind::Cname, "a.test");
        assert_eq!(
            target(&collect_answers(&mut client, 1).await[0].1),
            "to.a.test"
        );
    }

    #[tokio::test]
    async fn a_closed_port_fails_all_questions_at_once() {
        let address = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut client = bulk_client();
        (0..9).for_each(|number| client.add_query(number, address, RecordKind::Cname, "a.test"));
        let answers = collect_answers(&mut client, 9).await;
        assert!(
            answers
                .iter()
                .all(|(_, answer)| matches!(answer, BulkAnswer::Answer(DnsAnswer::Closed, None))),
            "{answers:?}"
        );
        assert!(client.servers[0].ports.is_empty());
    }

    #[tokio::test]
    async fn other_answers_need_a_full_query() {
        let address = server(2, |number, message| {
            let mut answer = right(message);
            answer.metadata.truncation = number == 0;
            answer.answers.truncate(1 - number);
            vec![answer.to_vec().unwrap()]
        });
        let mut client = bulk_client();
        client.add_query(0, address, RecordKind::Cname, "a.test");
        assert!(matches!(
            collect_answers(&mut client, 1).await[..],
            [(0, BulkAnswer::NeedsFullQuery)]
        ));
        client.add_query(1, address, RecordKind::Cname, "b.test");
        assert!(matches!(
            collect_answers(&mut client, 1).await[..],
            [(1, BulkAnswer::NeedsFullQuery)]
        ));
        client.add_query(2, address, RecordKind::Cname, "no name");
        assert!(matches!(
            collect_answers(&mut client, 1).await[..],
            [(2, BulkAnswer::NeedsFullQuery)]
        ));
    }
}
