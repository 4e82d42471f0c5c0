//! Many questions under way at once, each for one record at one server, with as little as each
//! needs: no task, no timer and no socket of its own. A few sockets, each at a port that the system
//! drew, share them out at random, and each is given up after some: who does not see the questions
//! has to guess port, id and name of each (RFC 5452 9.2, 10).

use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hickory_proto::op::Message;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, Sleep, sleep_until};

use super::message::{read_answer, shortest_ttl};
use crate::dcv::answer::{DnsAnswer, RecordKind, ServerRole};
use crate::system::dns::ask_server::record_type;
use crate::system::dns::client::{
    DnsClient, DnsQuery, QUESTION, QueryError, QueryForm, RecursionDesired, TRANSMISSIONS,
    no_answer,
};
use crate::system::dns::congestion::{SendSlot, ServerCongestion};
use crate::system::dns::fast_path;

/// The ports that questions to one server are shared out among, and how many each is used for.
const PORTS: usize = 4;
const QUESTIONS_OF_A_PORT: usize = 128;

/// What a question came to.
#[derive(Debug)]
pub(super) enum BulkAnswer {
    /// The record, and for how long it may be remembered; or silence.
    Said(DnsAnswer, Option<u32>),
    /// Something else, which is to be looked into.
    Else,
}

/// The questions, each with what the caller knows it by.
#[derive(Debug)]
pub(super) struct BulkClient<T> {
    client: DnsClient,
    posts: Vec<Post<T>>,
    came: Vec<(T, BulkAnswer)>,
    alarm: Pin<Box<Sleep>>,
}

impl<T> BulkClient<T> {
    /// Nothing yet; what is known of ways to servers is the client's. To be called in a runtime.
    pub(super) fn new(client: &DnsClient) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now() + QUESTION));
        Self {
            client: client.clone(),
            posts: Vec::new(),
            came: Vec::new(),
            alarm,
        }
    }

    /// Takes one question; it is sent when there is room at the server.
    pub(super) fn ask(&mut self, key: T, server: SocketAddr, kind: RecordKind, name: &str) {
        match fast_path::question(random(), name, kind) {
            Some(bytes) => self.post(server).queue.push_back((key, kind, bytes)),
            None => self.came.push((key, BulkAnswer::Else)),
        }
    }

    fn post(&mut self, server: SocketAddr) -> &mut Post<T> {
        let at = self
            .posts
            .iter()
            .position(|post| post.server == server)
            .unwrap_or(self.posts.len());
        if at == self.posts.len() {
            let way = self.client.way(server);
            self.posts.push(Post {
                server,
                way,
                ports: Vec::new(),
                queue: VecDeque::new(),
                due: None,
            });
        }
        &mut self.posts[at]
    }

    /// The answers to some questions, as soon as there are any.
    pub(super) async fn next_answers(&mut self) -> Vec<(T, BulkAnswer)> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Vec<(T, BulkAnswer)>> {
        loop {
            for post in &mut self.posts {
                post.receive(context, &mut self.came);
                post.send(&mut self.came);
            }
            if !self.came.is_empty() {
                return Poll::Ready(std::mem::take(&mut self.came));
            }
            let Some(due) = self.posts.iter().filter_map(|post| post.due).min() else {
                return Poll::Pending;
            };
            if self.alarm.deadline() != due {
                self.alarm.as_mut().reset(due);
            }
            ready!(self.alarm.as_mut().poll(context));
            self.posts
                .iter_mut()
                .for_each(|post| post.send_again(&mut self.came));
        }
    }
}

/// One server and what is asked of it.
#[derive(Debug)]
struct Post<T> {
    server: SocketAddr,
    way: Arc<ServerCongestion>,
    ports: Vec<Port<T>>,
    /// What waits for room.
    queue: VecDeque<(T, RecordKind, Vec<u8>)>,
    /// No timer runs out before.
    due: Option<Instant>,
}

impl<T> Post<T> {
    fn receive(&mut self, context: &mut Context<'_>, came: &mut Vec<(T, BulkAnswer)>) {
        let (server, way) = (self.server, &self.way);
        self.ports
            .retain_mut(|port| match port.receive(context, server, way, came) {
                Ok(()) => port.left > 0 || !port.open.is_empty(),
                Err(error) => port.fail(way, error, came),
            });
    }

    /// Sends what waited, as far as there is room.
    fn send(&mut self, came: &mut Vec<(T, BulkAnswer)>) {
        while !self.queue.is_empty() {
            match self.way.take() {
                SendSlot::Full => return,
                SendSlot::Silent => {
                    came.extend(
                        self.queue
                            .drain(..)
                            .map(|(key, ..)| (key, silence(QueryError::Timeout))),
                    );
                }
                SendSlot::Taken => match self.queue.pop_front() {
                    Some((key, kind, bytes)) => self.send_one(key, kind, bytes, came),
                    None => self.way.leave(),
                },
            }
        }
    }

    fn send_one(
        &mut self,
        key: T,
        kind: RecordKind,
        bytes: Vec<u8>,
        came: &mut Vec<(T, BulkAnswer)>,
    ) {
        let at = match self.port() {
            Ok(at) => at,
            Err(error) => {
                self.way.leave();
                return came.push((key, silence(no_answer(error))));
            }
        };
        let now = Instant::now();
        let due = now + self.way.patience(0, RecursionDesired::Desired.least());
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
            self.ports.remove(at).fail(&self.way, error, came);
        }
    }

    /// Where a port is that may be used once more: any of those that there are to be.
    fn port(&mut self) -> io::Result<usize> {
        let mut fresh = (0..self.ports.len()).filter(|at| self.ports[*at].left > 0);
        let any = usize::from(random()) % PORTS;
        match fresh.nth(any) {
            Some(at) => Ok(at),
            None => {
                drop(fresh);
                self.ports.push(Port::open(self.server)?);
                Ok(self.ports.len() - 1)
            }
        }
    }

    /// Sends again what no answer came to in time.
    fn send_again(&mut self, came: &mut Vec<(T, BulkAnswer)>) {
        let way = &self.way;
        self.ports
            .retain_mut(|port| match port.send_again(way, came) {
                Ok(()) => true,
                Err(error) => port.fail(way, error, came),
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

/// A socket and the questions whose answers come there, by their ids.
#[derive(Debug)]
struct Port<T> {
    socket: AsyncFd<UdpSocket>,
    /// How often it may still be used.
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
        let socket = UdpSocket::bind((any, 0))?;
        // Connected: the system keeps other sources out and tells when nobody listens.
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        #[expect(
            deprecated,
            reason = "the new way in is unsafe, for types that may tell a wrong descriptor: this \
                one does not"
        )]
        // To be written to is no news: tokio's own socket wakes for that, too, with each datagram
        // that was taken.
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Self {
            socket,
            left: QUESTIONS_OF_A_PORT,
            open: HashMap::new(),
        })
    }

    fn send(&mut self, mut question: Question<T>) -> io::Result<()> {
        let mut id = random();
        while self.open.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        question.bytes[..2].copy_from_slice(&id.to_be_bytes());
        self.left -= 1;
        let sent = put(&self.socket, &question.bytes);
        self.open.insert(id, question);
        sent
    }

    fn receive(
        &mut self,
        context: &mut Context<'_>,
        server: SocketAddr,
        way: &ServerCongestion,
        came: &mut Vec<(T, BulkAnswer)>,
    ) -> io::Result<()> {
        let mut buffer = [0_u8; 4096];
        while let Poll::Ready(ready) = self.socket.poll_read_ready(context) {
            let Ok(length) = ready?.try_io(|socket| socket.get_ref().recv(&mut buffer)) else {
                continue;
            };
            self.take(&buffer[..length?], server, way, came);
        }
        // What went wrong is told as an end of writing, and is no datagram.
        if self.socket.poll_write_ready(context).is_ready() {
            return Err(self
                .socket
                .get_ref()
                .take_error()?
                .unwrap_or_else(|| ErrorKind::ConnectionRefused.into()));
        }
        Ok(())
    }

    /// Whatever is not the answer to a question of this port is passed over.
    fn take(
        &mut self,
        bytes: &[u8],
        server: SocketAddr,
        way: &ServerCongestion,
        came: &mut Vec<(T, BulkAnswer)>,
    ) {
        let Some(id) = bytes.first_chunk().copied().map(u16::from_be_bytes) else {
            return;
        };
        let Some(question) = self.open.get(&id) else {
            return;
        };
        let Some(said) = said(bytes, &question.bytes, question.kind, server) else {
            return;
        };
        if let Some(question) = self.open.remove(&id) {
            way.answered((question.transmission == 0).then(|| question.sent.elapsed()));
            way.leave();
            came.push((question.key, said));
        }
    }

    fn send_again(
        &mut self,
        way: &ServerCongestion,
        came: &mut Vec<(T, BulkAnswer)>,
    ) -> io::Result<()> {
        let now = Instant::now();
        for question in self
            .open
            .values_mut()
            .filter(|question| question.due <= now && question.until > now)
        {
            way.lost();
            question.transmission += 1;
            if question.transmission == TRANSMISSIONS {
                // It was sent often enough; what is late may come until the end.
                question.due = question.until;
                continue;
            }
            put(&self.socket, &question.bytes)?;
            let patience = way.patience(question.transmission, RecursionDesired::Desired.least());
            question.due = question.until.min(now + patience);
        }
        for (_, question) in self.open.extract_if(|_, question| question.until <= now) {
            // A resolver that has ever answered may only wait for others, and is asked on.
            if !way.answers() {
                way.silent();
            }
            way.leave();
            came.push((question.key, silence(QueryError::Timeout)));
        }
        Ok(())
    }

    /// Ends its questions; false, for it is of no use any more.
    fn fail(
        &mut self,
        way: &ServerCongestion,
        error: io::Error,
        came: &mut Vec<(T, BulkAnswer)>,
    ) -> bool {
        let none = no_answer(error);
        for (_, question) in self.open.drain() {
            way.leave();
            came.push((question.key, silence(none.clone())));
        }
        false
    }
}

/// Sends it, or what is as good as lost where there is no room.
fn put(socket: &AsyncFd<UdpSocket>, bytes: &[u8]) -> io::Result<()> {
    match socket.get_ref().send(bytes) {
        Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// What `bytes` say to the question; `None` where they are no answer to it.
fn said(bytes: &[u8], question: &[u8], kind: RecordKind, server: SocketAddr) -> Option<BulkAnswer> {
    if !fast_path::answers(question, bytes) {
        return None;
    }
    if let Some((target, ttl)) =
        fast_path::alias(question.len(), bytes).filter(|_| kind == RecordKind::Cname)
    {
        return Some(BulkAnswer::Said(DnsAnswer::Cname(target), Some(ttl)));
    }
    let message = Message::from_vec(bytes).ok()?;
    let Some(name) = message.queries.first().map(|query| query.name.clone()) else {
        return Some(BulkAnswer::Else);
    };
    let query = DnsQuery {
        server,
        name,
        kind: record_type(kind),
        recursion: RecursionDesired::Desired,
        form: QueryForm::Plain,
    };
    Some(match read_answer(&message, &query, ServerRole::Resolver) {
        answer @ (DnsAnswer::Cname(_) | DnsAnswer::Txt(_)) if !message.metadata.truncation => {
            BulkAnswer::Said(answer, shortest_ttl(&message))
        }
        _ => BulkAnswer::Else,
    })
}

fn silence(none: QueryError) -> BulkAnswer {
    BulkAnswer::Said(none.into(), None)
}

/// What cannot be guessed: hickory's ids come from a generator that is good for keys, too.
fn random() -> u16 {
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

    fn flight() -> BulkClient<usize> {
        BulkClient::new(&DnsClient::until(Instant::now() + Duration::from_secs(20)))
    }

    /// A server that gets so many questions and sends what `answer` makes of each.
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

    async fn all(flight: &mut BulkClient<usize>, count: usize) -> Vec<(usize, BulkAnswer)> {
        let mut came = Vec::new();
        while came.len() < count {
            came.extend(flight.next_answers().await);
        }
        came.sort_by_key(|(number, _)| *number);
        came
    }

    fn target(came: &BulkAnswer) -> &str {
        match came {
            BulkAnswer::Said(DnsAnswer::Cname(target), Some(60)) => target,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn each_answer_finds_its_question_and_ports_are_given_up() {
        const COUNT: usize = 3 * PORTS * QUESTIONS_OF_A_PORT;
        let address = server(COUNT, |_, message| vec![right(message).to_vec().unwrap()]);
        let mut flight = flight();
        (0..COUNT).for_each(|number| {
            flight.ask(
                number,
                address,
                RecordKind::Cname,
                &format!("n{number}.test"),
            )
        });
        for (number, came) in all(&mut flight, COUNT).await {
            assert_eq!(target(&came), format!("to.n{number}.test"));
        }
        let open = &flight.posts[0].ports;
        assert!(
            open.len() <= PORTS && open.iter().all(|port| port.open.is_empty()),
            "{}",
            open.len()
        );
    }

    #[tokio::test]
    async fn lies_are_passed_over_and_what_is_lost_is_sent_again() {
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
        let mut flight = flight();
        flight.ask(0, address, RecordKind::Cname, "a.test");
        assert_eq!(target(&all(&mut flight, 1).await[0].1), "to.a.test");
    }

    #[tokio::test]
    async fn where_nobody_listens_shows_at_once_and_for_all() {
        let address = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut flight = flight();
        (0..9).for_each(|number| flight.ask(number, address, RecordKind::Cname, "a.test"));
        let came = all(&mut flight, 9).await;
        assert!(
            came.iter()
                .all(|(_, came)| matches!(came, BulkAnswer::Said(DnsAnswer::Closed, None))),
            "{came:?}"
        );
        assert!(flight.posts[0].ports.is_empty());
    }

    #[tokio::test]
    async fn what_is_no_plain_answer_is_to_be_looked_into() {
        let address = server(2, |number, message| {
            let mut answer = right(message);
            answer.metadata.truncation = number == 0;
            answer.answers.truncate(1 - number);
            vec![answer.to_vec().unwrap()]
        });
        let mut flight = flight();
        flight.ask(0, address, RecordKind::Cname, "a.test");
        assert!(matches!(
            all(&mut flight, 1).await[..],
            [(0, BulkAnswer::Else)]
        ));
        flight.ask(1, address, RecordKind::Cname, "b.test");
        assert!(matches!(
            all(&mut flight, 1).await[..],
            [(1, BulkAnswer::Else)]
        ));
        flight.ask(2, address, RecordKind::Cname, "no name");
        assert!(matches!(
            all(&mut flight, 1).await[..],
            [(2, BulkAnswer::Else)]
        ));
    }
}
