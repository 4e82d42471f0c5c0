//! Tests `certctl dcv-check` with a server that sends forged or malformed answers: certctl ignores
//! everything that does not answer its query, within the time limit, over UDP and TCP.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use support::Sandbox;
use support::fake_dns_server::{FakeDnsServer, TRANSMISSIONS, with_response_code};
use support::json::Json;

/// Returns a request for `shop.example`, its record in two columns, and the record's target.
fn order() -> (Sandbox, String, String) {
    let sandbox = Sandbox::new();
    let created = sandbox
        .run(&["csr", "--json", "shop.example"])
        .expect(0)
        .json();
    let sha256 = created["request"]["sha256"].as_str().unwrap();
    let target = format!(
        "{}.{}.69ff68dc5168c.comodoca.com",
        &sha256[..32],
        &sha256[32..]
    );
    let given = format!(
        "_{}.shop.example {target}",
        created["request"]["md5"].as_str().unwrap()
    );
    (sandbox, given, target)
}

/// Returns the right answer: the CNAME if it is queried, an empty answer for other types.
fn right(question: &[u8], target: &str) -> Message {
    let mut answer = with_response_code(question, ResponseCode::NoError);
    let query = answer.queries[0].clone();
    if query.query_type() == RecordType::CNAME && query.name().num_labels() == 3 {
        let target = CNAME(Name::from_ascii(format!("{target}.")).unwrap());
        answer.add_answer(Record::from_rdata(
            query.name().clone(),
            60,
            RData::CNAME(target),
        ));
    }
    answer
}

/// Returns packets that do not answer the question, although many of them look like answers.
fn forged_answers(question: &[u8]) -> Vec<Vec<u8>> {
    let good = right(question, "evil.example");
    let bytes = |change: &dyn Fn(&mut Message)| {
        let mut packet = good.clone();
        change(&mut packet);
        packet.to_vec().unwrap()
    };
    let whole = good.to_vec().unwrap();
    let with = |at: usize, octets: &[u8]| {
        let mut packet = whole.clone();
        packet[at..at + octets.len()].copy_from_slice(octets);
        packet
    };
    let mut long = whole.clone();
    long.resize(65_000, 0);
    // The question's name is a pointer to itself, the answer's owner a pointer to later bytes.
    let mut pointer_loop = whole[..12].to_vec();
    pointer_loop.extend([0xc0, 12, 0, 5, 0, 1]);
    let mut pointer_ahead = with(7, &[2]);
    pointer_ahead.extend([0xc0, 0xff, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12]);
    vec![
        bytes(&|packet| packet.metadata.id = packet.metadata.id.wrapping_add(1)),
        bytes(&|packet| packet.metadata.id = !packet.metadata.id),
        bytes(&|packet| packet.queries[0].name = Name::from_ascii("other.example.").unwrap()),
        bytes(&|packet| packet.queries[0].query_type = RecordType::TXT),
        bytes(&|packet| packet.queries.clear()),
        question.to_vec(),
        pointer_loop,
        // The header announces 65,535 answers.
        with(6, &[0xff, 0xff]),
        with(7, &[2]),
        pointer_ahead,
        whole[..whole.len() - 3].to_vec(),
        whole[..12].to_vec(),
        question[..2].to_vec(),
        Vec::new(),
        vec![0xff; 65_000],
        long.split_off(1),
    ]
}

/// Returns the message as TCP carries it, after its length.
fn framed(packet: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(packet.len()).unwrap().to_be_bytes()[..],
        packet,
    ]
    .concat()
}

fn check(sandbox: &Sandbox, given: &str, server: SocketAddr) -> (i32, Json) {
    let at = server.to_string();
    let run = sandbox.run(&["dcv-check", "--record", given, "--resolver", &at, "--json"]);
    (run.code, run.json())
}

/// Asserts that questions without an answer were sent a few times, and no more.
fn assert_retries_are_bounded(liar: &FakeDnsServer) {
    let questions = liar.questions();
    let most = questions.iter().map(|(_, times)| *times).max().unwrap();
    assert!((2..=TRANSMISSIONS).contains(&most), "{questions:?}");
    assert!(
        questions.len() <= 10,
        "an unresponsive server does not get all queries: {questions:?}"
    );
}

fn codes(document: &Json) -> Vec<&str> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

#[test]
fn the_right_answer_is_accepted_after_forged_ones() {
    let (sandbox, given, target) = order();
    let liar = FakeDnsServer::new(move |question| {
        let mut packets = forged_answers(question);
        packets.push(right(question, &target).to_vec().unwrap());
        packets
    });
    let (code, document) = check(&sandbox, &given, liar.address);
    assert_eq!(
        (code, document["verdict"].as_str(), codes(&document)),
        (0, Some("visible"), vec![]),
        "{document:#}"
    );
}

#[test]
fn forged_answers_are_ignored() {
    let (sandbox, given, _) = order();
    let liar = FakeDnsServer::new(forged_answers);
    let (code, document) = check(&sandbox, &given, liar.address);
    assert_eq!(
        (code, codes(&document)),
        (4, vec!["server-timeout"]),
        "{document:#}"
    );
    assert_retries_are_bounded(&liar);
}

#[test]
fn answers_from_another_port_are_ignored() {
    let (sandbox, given, target) = order();
    let liar = FakeDnsServer::answering_from_another_port(move |question| {
        vec![right(question, &target).to_vec().unwrap()]
    });
    let (code, document) = check(&sandbox, &given, liar.address);
    assert_eq!(
        (code, codes(&document)),
        (4, vec!["server-timeout"]),
        "{document:#}"
    );
    assert_retries_are_bounded(&liar);
}

/// Returns a server that truncates every UDP answer, and a TCP listener at the same port.
fn truncating_server() -> (FakeDnsServer, TcpListener) {
    loop {
        let cut = FakeDnsServer::new(|question| {
            let mut answer = with_response_code(question, ResponseCode::NoError);
            answer.metadata.truncation = true;
            vec![answer.to_vec().unwrap()]
        });
        if let Ok(listener) = TcpListener::bind(cut.address) {
            return (cut, listener);
        }
    }
}

type Forgery = fn(&[u8]) -> Vec<u8>;

#[test]
fn forged_answers_over_tcp_are_ignored() {
    let (sandbox, given, _) = order();
    let wrong_id = |question: &[u8]| framed(&forged_answers(question)[0]);
    let long = |_: &[u8]| framed(&vec![0xff; 65_535]);
    let incomplete = |_: &[u8]| [&[0xff, 0xff][..], &[0; 100]].concat();
    let short = |_: &[u8]| vec![0];
    let forgeries: [(&str, Forgery); 4] = [
        ("a wrong id", wrong_id),
        ("64 KB", long),
        ("less than announced", incomplete),
        ("half a length", short),
    ];
    for (what, forge) in forgeries {
        let (server, listener) = truncating_server();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                count.fetch_add(1, Ordering::SeqCst);
                let mut question = [0; 512];
                let length = stream.read(&mut question).unwrap_or(0);
                let _ = stream.write_all(&forge(question.get(2..length).unwrap_or_default()));
            }
        });
        let (code, document) = check(&sandbox, &given, server.address);
        assert_eq!(
            (code, codes(&document)),
            (4, vec!["server-no-tcp"]),
            "{what}\n{document:#}"
        );
        let (questions, connections) = (server.questions().len(), accepted.load(Ordering::SeqCst));
        assert!(
            (1..=questions).contains(&connections),
            "{what}: {connections} connections for {questions} questions"
        );
    }
}
