//! Tests `dcv-check --batch` against real name servers: one JSON line for each entry, and the summary
//! last.
//! Needs: ip knotd unbound
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;

use serde_json::json;
use support::dns::NameServer;
use support::fake_dns_server::{FakeDnsServer, TRANSMISSIONS, forward_to};
use support::json::Json;
use support::{Run, Sandbox};

/// Requests for names below `shop.example`, and the lines of the zone that validate them.
struct RequestSet {
    sandbox: Sandbox,
    lines: BTreeMap<String, String>,
}

impl RequestSet {
    fn new(names: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let lines = names.iter().map(|name| {
            let created = sandbox
                .run(&["csr", name, "--ca", "sectigo", "--json"])
                .expect(0)
                .json();
            let (md5, sha256) = (
                created["request"]["md5"].as_str().unwrap(),
                created["request"]["sha256"].as_str().unwrap(),
            );
            let line = format!(
                "_{md5}.{name}. CNAME {}.{}.sectigo.com.",
                &sha256[..32],
                &sha256[32..]
            );
            ((*name).to_owned(), line)
        });
        let lines = lines.collect();
        Self { sandbox, lines }
    }

    fn batch(&self, list: &str, server: &str, more: &[&str]) -> Run {
        self.sandbox.write("list", list);
        self.sandbox.run(
            &[
                &["dcv-check", "--batch", "list", "--resolver", server],
                more,
            ]
            .concat(),
        )
    }
}

/// Returns the lines of a stream: those of the list by their numbers, and the summary.
fn stream(run: &Run) -> (BTreeMap<u64, Json>, Json) {
    let mut lines = run.json_lines();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["schema"], "certctl.summary/1", "{run}");
    (
        lines
            .into_iter()
            .map(|line| (line["line"].as_u64().unwrap(), line))
            .collect(),
        summary,
    )
}

/// Returns the verdict on a line; an error has none.
fn verdict(line: &Json) -> Option<&str> {
    line.get("verdict").map(|verdict| verdict.as_str().unwrap())
}

#[test]
fn a_list_is_checked_line_by_line() {
    let requests = RequestSet::new(&["a.shop.example", "b.shop.example", "c.shop.example"]);
    let records = [
        &requests.lines["a.shop.example"],
        &requests.lines["c.shop.example"],
    ]
    .map(String::as_str)
    .join("\n");
    let server = NameServer::knot(&records);
    let list = "# names\na.shop.example\n\n  b.shop.example  \nc.shop.example.csr\nunknown.example\nnot a name\n; end";
    let run = requests.batch(list, &server.at(), &[]).expect(1);
    let (lines, summary) = stream(&run);
    let verdicts: Vec<(u64, &str, Option<&str>)> = lines
        .iter()
        .map(|(number, line)| (*number, line["input"].as_str().unwrap(), verdict(line)))
        .collect();
    assert_eq!(
        verdicts,
        [
            (2, "a.shop.example", Some("visible")),
            (4, "b.shop.example", Some("absent")),
            (5, "c.shop.example.csr", Some("visible")),
            (6, "unknown.example", None),
            (7, "not a name", None),
        ]
    );
    assert_eq!(
        (&lines[&2]["schema"], &lines[&6]["schema"]),
        (
            &Json::from("certctl.dcv-check/1"),
            &Json::from("certctl.error/1")
        )
    );
    assert_eq!(
        (&lines[&6]["error"]["kind"], &lines[&7]["error"]["kind"]),
        (&Json::from("not-found"), &Json::from("malformed"))
    );
    assert_eq!(lines[&4]["findings"][0]["code"], "not-published");
    assert_eq!(lines[&4]["comment"], lines[&4]["findings"][0]["message"]);
    assert_eq!(
        summary,
        json!({
            "schema": "certctl.summary/1",
            "comment": "5 checked: 2 visible, 1 absent, 2 unreadable",
            "verdict": "absent",
            "lines": 5,
            "verdicts": { "visible": 2, "absent": 1 },
            "errors": 2,
        })
    );
    assert!(run.stderr.is_empty(), "{run}");

    // A line gets the same result as a check of the name alone.
    let alone = requests
        .sandbox
        .run(&[
            "dcv-check",
            "b.shop.example",
            "--resolver",
            &server.at(),
            "--json",
        ])
        .expect(1)
        .json();
    assert_eq!(lines[&4]["findings"], alone["findings"]);
    assert_eq!(lines[&4]["records"], alone["records"]);
    assert_eq!(lines[&4]["next"], alone["next"]);
}

/// Wildcard and CAA records are found by further queries, which a list sends too.
#[test]
fn lines_get_the_same_findings_as_the_name_alone() {
    let requests = RequestSet::new(&["a.shop.example", "b.shop.example"]);
    let b = &requests.lines["b.shop.example"];
    let server = NameServer::knot(&format!(
        "*.a A 192.0.2.80\n{b}\nb CAA 0 issue \"letsencrypt.org\""
    ));
    let (lines, _) = stream(
        &requests
            .batch("a.shop.example\nb.shop.example", &server.at(), &[])
            .expect(1),
    );
    for (line, name, code) in [
        (1, "a.shop.example", "wildcard-answers"),
        (2, "b.shop.example", "caa-forbids"),
    ] {
        let alone = requests
            .sandbox
            .run(&["dcv-check", name, "--resolver", &server.at(), "--json"])
            .expect(1)
            .json();
        assert_eq!(alone["findings"][0]["code"], code, "{alone:#}");
        for part in ["verdict", "findings", "records"] {
            assert_eq!(lines[&line][part], alone[part], "{name}");
        }
    }
}

#[test]
fn the_worst_line_decides_the_exit_code() {
    let requests = RequestSet::new(&["a.shop.example", "b.shop.example"]);
    let server = NameServer::knot(&requests.lines["a.shop.example"]);
    for (list, at, code) in [
        ("a.shop.example", server.at(), 0),
        (
            "a.shop.example\nb.shop.example\nunknown.example",
            server.at(),
            1,
        ),
        ("a.shop.example\nunknown.example", server.at(), 3),
        ("a.shop.example", "127.0.0.1:1".to_owned(), 4),
        (
            "a.shop.example\nunknown.example",
            "127.0.0.1:1".to_owned(),
            3,
        ),
    ] {
        requests.batch(list, &at, &[]).expect(code);
    }
    for list in ["", "# nothing\n"] {
        let run = requests.batch(list, &server.at(), &["--json"]).expect(3);
        assert_eq!(run.json()["error"]["kind"], "not-found", "{run}");
    }
    let quiet = requests
        .batch("a.shop.example\nb.shop.example", &server.at(), &["-q"])
        .expect(1);
    assert_eq!(
        stream(&quiet).0.into_keys().collect::<Vec<_>>(),
        [2],
        "only what needs action"
    );
    requests
        .sandbox
        .run(&["dcv-check", "--batch", "nowhere"])
        .expect(3);
    requests
        .sandbox
        .run(&["dcv-check", "--batch", "list", "a.shop.example"])
        .expect(2);
    let piped = ["dcv-check", "--batch", "-", "--resolver", &server.at()];
    let run = requests
        .sandbox
        .run_with_input(&piped, b"a.shop.example\r\n")
        .expect(0);
    assert_eq!(stream(&run).1["lines"], 1);
}

/// Returns a resolver that answers for the zone at `server`, and never for stalled zones.
fn resolver(server: &NameServer) -> FakeDnsServer {
    let forward = forward_to(server.address);
    FakeDnsServer::new(move |question| {
        if is_stalled(question) {
            Vec::new()
        } else {
            forward(question)
        }
    })
}

fn is_stalled(question: &[u8]) -> bool {
    question.windows(7).any(|part| part == b"stalled")
}

#[test]
fn a_stalled_zone_delays_no_other() {
    let requests = RequestSet::new(&["a.shop.example", "www.stalled.example"]);
    let server = NameServer::knot(&requests.lines["a.shop.example"]);
    let resolver = resolver(&server);
    let list = format!(
        "{}{}",
        "www.stalled.example\n".repeat(200),
        "a.shop.example\n".repeat(200)
    );
    let run = requests
        .batch(&list, &resolver.address.to_string(), &[])
        .expect(4);
    let questions = resolver.questions();
    let stalled: Vec<&usize> = questions
        .iter()
        .filter_map(|(question, times)| is_stalled(question).then_some(times))
        .collect();
    // Each of its 200 lines would need at least one query. A few lines are checked at once, and
    // three without an answer are enough to give up on the zone.
    assert!(
        (1..=40).contains(&stalled.len()),
        "the other lines of an unresponsive zone are not queried: {stalled:?}"
    );
    assert!(
        stalled.iter().all(|times| **times <= TRANSMISSIONS),
        "{stalled:?}"
    );
    let verdicts: Vec<Json> = run
        .json_lines()
        .iter()
        .map(|line| line["verdict"].clone())
        .collect();
    let first = verdicts
        .iter()
        .position(|verdict| verdict == "unreachable")
        .unwrap();
    let last = verdicts
        .iter()
        .rposition(|verdict| verdict == "visible")
        .unwrap();
    assert_eq!(
        (first, last),
        (200, 199),
        "all lines of the other zone come first"
    );
    assert_eq!(
        stream(&run).1["verdicts"],
        json!({ "visible": 200, "unreachable": 200 })
    );
}

#[test]
fn listed_records_are_checked_exactly() {
    let requests = RequestSet::new(&["a.shop.example"]);
    let line = &requests.lines["a.shop.example"];
    let server = NameServer::knot(&format!("{line}\n_x TXT \"one two\""));
    let (host, value) = line.split_once(" CNAME ").unwrap();
    let other = value.replace("sectigo.com", "other.sectigo.com");
    let list = format!(
        "{host} {value}\n{host} 300 IN CNAME {other}\n_x.shop.example TXT \"one two\"\n_x {value}\n_y.shop.example TXT gone"
    );
    let run = requests.batch(&list, &server.at(), &[]).expect(1);
    let (lines, summary) = stream(&run);
    let verdicts: Vec<Option<&str>> = lines.values().map(verdict).collect();
    assert_eq!(
        verdicts,
        [
            Some("visible"),
            Some("different"),
            Some("visible"),
            None,
            Some("absent")
        ],
        "{run}"
    );
    assert_eq!(
        (&lines[&1]["records"][0]["request"], &summary["errors"]),
        (&Json::Null, &Json::from(1))
    );
}

#[test]
fn an_overlong_line_does_not_stop_the_others() {
    let requests = RequestSet::new(&["a.shop.example"]);
    let server = NameServer::knot(&requests.lines["a.shop.example"]);
    let list = format!("{}\na.shop.example\n\u{1b}[2J.example", "x".repeat(100_000));
    let run = requests.batch(&list, &server.at(), &[]).expect(3);
    let (lines, _) = stream(&run);
    assert_eq!(
        (&lines[&1]["error"]["kind"], &lines[&2]["verdict"]),
        (&Json::from("malformed"), &Json::from("visible"))
    );
    assert!(!run.stdout.contains('\x1b'), "{run}");
}
