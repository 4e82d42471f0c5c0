//! `dcv-check --batch` against real name servers: one JSON line each, and the summary last.
//! Needs: ip knotd unbound
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;

use serde_json::json;
use support::dns::NameServer;
use support::json::Json;
use support::liar::{Liar, TRANSMISSIONS, forward_to};
use support::{Run, Sandbox};

/// Requests for names below `shop.example`, and the lines of the zone that prove them.
struct Shop {
    sandbox: Sandbox,
    lines: BTreeMap<String, String>,
}

impl Shop {
    fn new(names: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let lines = names.iter().map(|name| {
            let made = sandbox
                .run(&["csr", name, "--ca", "sectigo", "--json"])
                .expect(0)
                .json();
            let (md5, sha256) = (
                made["request"]["md5"].as_str().unwrap(),
                made["request"]["sha256"].as_str().unwrap(),
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

/// The lines of a stream: those of the list by their numbers, and the summary.
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

/// The verdict on a line; an error has none.
fn verdict(line: &Json) -> Option<&str> {
    line.get("verdict").map(|verdict| verdict.as_str().unwrap())
}

#[test]
fn a_list_is_checked_line_by_line() {
    let shop = Shop::new(&["a.shop.example", "b.shop.example", "c.shop.example"]);
    let records = [&shop.lines["a.shop.example"], &shop.lines["c.shop.example"]]
        .map(String::as_str)
        .join("\n");
    let server = NameServer::knot(&records);
    let list = "# names\na.shop.example\n\n  b.shop.example  \nc.shop.example.csr\nnobody.example\nnot a name\n; end";
    let run = shop.batch(list, &server.at(), &[]).expect(1);
    let (lines, summary) = stream(&run);
    let said: Vec<(u64, &str, Option<&str>)> = lines
        .iter()
        .map(|(number, line)| (*number, line["input"].as_str().unwrap(), verdict(line)))
        .collect();
    assert_eq!(
        said,
        [
            (2, "a.shop.example", Some("visible")),
            (4, "b.shop.example", Some("absent")),
            (5, "c.shop.example.csr", Some("visible")),
            (6, "nobody.example", None),
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
    assert_eq!(
        summary,
        json!({
            "schema": "certctl.summary/1",
            "verdict": "absent",
            "lines": 5,
            "verdicts": { "visible": 2, "absent": 1 },
            "errors": 2,
        })
    );
    assert!(run.stderr.is_empty(), "{run}");

    // What a line says is what the name alone says.
    let alone = shop
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

/// A wildcard is told by asking beside the record, and a CAA record as for the name alone.
#[test]
fn what_is_around_a_record_is_told_as_for_the_name_alone() {
    let shop = Shop::new(&["a.shop.example", "b.shop.example"]);
    let b = &shop.lines["b.shop.example"];
    let server = NameServer::knot(&format!(
        "*.a A 192.0.2.80\n{b}\nb CAA 0 issue \"letsencrypt.org\""
    ));
    let (lines, _) = stream(
        &shop
            .batch("a.shop.example\nb.shop.example", &server.at(), &[])
            .expect(1),
    );
    for (line, name, code) in [
        (1, "a.shop.example", "wildcard-answers"),
        (2, "b.shop.example", "caa-forbids"),
    ] {
        let alone = shop
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
fn the_worst_decides_the_exit() {
    let shop = Shop::new(&["a.shop.example", "b.shop.example"]);
    let server = NameServer::knot(&shop.lines["a.shop.example"]);
    for (list, at, code) in [
        ("a.shop.example", server.at(), 0),
        (
            "a.shop.example\nb.shop.example\nnobody.example",
            server.at(),
            1,
        ),
        ("a.shop.example\nnobody.example", server.at(), 3),
        ("a.shop.example", "127.0.0.1:1".to_owned(), 4),
        (
            "a.shop.example\nnobody.example",
            "127.0.0.1:1".to_owned(),
            3,
        ),
    ] {
        shop.batch(list, &at, &[]).expect(code);
    }
    for list in ["", "# nothing\n"] {
        let run = shop.batch(list, &server.at(), &["--json"]).expect(3);
        assert_eq!(run.json()["error"]["kind"], "not-found", "{run}");
    }
    let quiet = shop
        .batch("a.shop.example\nb.shop.example", &server.at(), &["-q"])
        .expect(1);
    assert_eq!(
        stream(&quiet).0.into_keys().collect::<Vec<_>>(),
        [2],
        "only what needs action"
    );
    shop.sandbox
        .run(&["dcv-check", "--batch", "nowhere"])
        .expect(3);
    shop.sandbox
        .run(&["dcv-check", "--batch", "list", "a.shop.example"])
        .expect(2);
    let piped = ["dcv-check", "--batch", "-", "--resolver", &server.at()];
    let run = shop
        .sandbox
        .run_with_input(&piped, b"a.shop.example\r\n")
        .expect(0);
    assert_eq!(stream(&run).1["lines"], 1);
}

/// What a resolver is to somebody whose zones it cannot all reach: it answers for the one at
/// `server`, and never for others.
fn resolver(server: &NameServer) -> Liar {
    let forward = forward_to(server.address);
    Liar::new(move |question| {
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
    let shop = Shop::new(&["a.shop.example", "www.stalled.example"]);
    let server = NameServer::knot(&shop.lines["a.shop.example"]);
    let resolver = resolver(&server);
    let list = format!(
        "{}{}",
        "www.stalled.example\n".repeat(200),
        "a.shop.example\n".repeat(200)
    );
    let run = shop
        .batch(&list, &resolver.address.to_string(), &[])
        .expect(4);
    let questions = resolver.questions();
    let stalled: Vec<&usize> = questions
        .iter()
        .filter_map(|(question, times)| is_stalled(question).then_some(times))
        .collect();
    // Each of its 200 lines would ask at least one. A few lines are under way at once, and three
    // without an answer are enough.
    assert!(
        (1..=40).contains(&stalled.len()),
        "the rest of a lost zone is not asked for again: {stalled:?}"
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
        "all of the other zone come first"
    );
    assert_eq!(
        stream(&run).1["verdicts"],
        json!({ "visible": 200, "unreachable": 200 })
    );
}

#[test]
fn records_are_checked_as_they_stand() {
    let shop = Shop::new(&["a.shop.example"]);
    let line = &shop.lines["a.shop.example"];
    let server = NameServer::knot(&format!("{line}\n_x TXT \"one two\""));
    let (host, value) = line.split_once(" CNAME ").unwrap();
    let other = value.replace("sectigo.com", "other.sectigo.com");
    let list = format!(
        "{host} {value}\n{host} 300 IN CNAME {other}\n_x.shop.example TXT \"one two\"\n_x {value}\n_y.shop.example TXT gone"
    );
    let run = shop.batch(&list, &server.at(), &[]).expect(1);
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
fn a_long_line_is_told_and_the_rest_goes_on() {
    let shop = Shop::new(&["a.shop.example"]);
    let server = NameServer::knot(&shop.lines["a.shop.example"]);
    let list = format!("{}\na.shop.example\n\u{1b}[2J.example", "x".repeat(100_000));
    let run = shop.batch(&list, &server.at(), &[]).expect(3);
    let (lines, _) = stream(&run);
    assert_eq!(
        (&lines[&1]["error"]["kind"], &lines[&2]["verdict"]),
        (&Json::from("malformed"), &Json::from("visible"))
    );
    assert!(!run.stdout.contains('\x1b'), "{run}");
}
