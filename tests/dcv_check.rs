//! Tests `certctl dcv-check` against real name servers: provokes each verdict and finding.
//! Needs: ip knotd unbound
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::net::UdpSocket;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use support::ca::TestCa;
use support::dns::{NameServer, free_port, port_53, with_port_53};
use support::fake_dns_server::{FakeDnsServer, TRANSMISSIONS, forward_to, with_response_code};
use support::json::Json;
use support::{Run, Sandbox};

const UNIQUE: &str = "69ff68dc5168c.comodoca.com";

/// A request for `shop.example`, and the parts of its record.
struct RequestWithRecord {
    sandbox: Sandbox,
    label: String,
    hash: String,
}

impl RequestWithRecord {
    fn new(names: &[&str], more: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let created = sandbox
            .run(&[&["csr", "--json"], names, more].concat())
            .expect(0)
            .json();
        let label = format!("_{}", created["request"]["md5"].as_str().unwrap());
        let sha256 = created["request"]["sha256"].as_str().unwrap().to_owned();
        Self {
            sandbox,
            label,
            hash: format!("{}.{}", &sha256[..32], &sha256[32..]),
        }
    }

    fn for_shop() -> Self {
        Self::new(&["shop.example", "www.shop.example"], &[])
    }

    fn value(&self) -> String {
        format!("{}.{UNIQUE}", self.hash)
    }

    /// Returns the zone's line for the record.
    fn line(&self) -> String {
        format!("{} CNAME {}.", self.label, self.value())
    }

    /// Returns the reseller's record in two columns, in upper case as resellers write it.
    fn given(&self) -> String {
        format!(
            "{}.shop.example {}.{UNIQUE}",
            self.label.to_uppercase(),
            self.hash.to_uppercase()
        )
    }

    /// Runs `dcv-check` with the reseller's record at this server.
    fn check(&self, server: &str) -> Run {
        self.sandbox.run(&[
            "dcv-check",
            "--record",
            &self.given(),
            "--resolver",
            server,
            "--json",
        ])
    }
}

fn verdict(document: &Json) -> &str {
    assert_eq!(document["schema"], "certctl.dcv-check/1", "{document}");
    document["verdict"].as_str().unwrap()
}

fn codes(document: &Json) -> Vec<&str> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// Returns the answers of all servers to the query for the first record.
fn answers(document: &Json) -> Vec<&str> {
    document["records"][0]["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["answer"].as_str().unwrap())
        .collect()
}

#[test]
fn each_state_of_the_zone_gets_its_verdict() {
    let order = RequestWithRecord::for_shop();
    let (label, hash, value) = (&order.label, &order.hash, order.value());
    let upper = format!("{} CNAME {}.", label.to_uppercase(), value.to_uppercase());
    let other = "00000000000000000000000000000000.11111111111111111111111111111111.sectigo.com.";
    let states = [
        (order.line(), 0, "visible", vec![]),
        (upper, 0, "visible", vec![]),
        (String::new(), 1, "absent", vec!["not-published"]),
        (
            format!("{label} TXT \"{value}\""),
            1,
            "absent",
            vec!["txt-instead-of-cname"],
        ),
        (
            format!("{label} TXT \"v=spf1 -all\""),
            1,
            "absent",
            vec!["records-conflict-with-cname"],
        ),
        (
            format!("{label} A 192.0.2.80"),
            1,
            "absent",
            vec!["cname-flattened"],
        ),
        (
            "* A 192.0.2.80".to_owned(),
            1,
            "absent",
            vec!["wildcard-answers"],
        ),
        (
            format!("{label}.shop.example CNAME {value}."),
            1,
            "wrong-place",
            vec!["zone-doubled"],
        ),
        (
            format!("{label}.www CNAME {value}."),
            1,
            "wrong-place",
            vec!["record-below-domain"],
        ),
        (
            format!("{} CNAME {value}.", &label[1..]),
            1,
            "wrong-place",
            vec!["underscore-lost"],
        ),
        (
            format!("{label} CNAME {other}"),
            1,
            "different",
            vec!["value-from-another-request"],
        ),
        (
            format!("{label} CNAME {value}"),
            1,
            "different",
            vec!["zone-appended-to-value"],
        ),
        (
            format!("{label} CNAME {hash}.5a955211b1f8c.comodoca.com."),
            1,
            "different",
            vec!["wrong-unique-value"],
        ),
        (
            format!("{label} CNAME elsewhere.example."),
            1,
            "different",
            vec!["wrong-value"],
        ),
        (
            "* CNAME parking.example.".to_owned(),
            1,
            "different",
            vec!["wildcard-answers"],
        ),
    ];
    let mut server = NameServer::knot("");
    for (serial, (records, code, wanted, findings)) in (2..).zip(states) {
        server.publish(&records, serial);
        let document = order.check(&server.at()).expect(code).json();
        assert_eq!(
            (verdict(&document), codes(&document)),
            (wanted, findings),
            "{records}\n{document:#}"
        );
    }
}

/// Replaces the values that differ from run to run by placeholders.
fn masked(order: &RequestWithRecord, server: &NameServer, output: &str) -> String {
    let (first, last) = order.hash.split_once('.').unwrap();
    output
        .replace(&order.label[1..], "[MD5]")
        .replace(first, "[SHA256 FIRST]")
        .replace(last, "[SHA256 LAST]")
        .replace(&server.address.port().to_string(), "[PORT]")
}

#[test]
fn the_text_output_is_pinned() {
    let order = RequestWithRecord::new(
        &["shop.example", "www.shop.example"],
        &["--ca", "namecheap"],
    );
    let mut server = NameServer::knot("");
    let at = server.at();
    let check = |server: &NameServer, args: &[&str]| {
        let args = [&["dcv-check", "--resolver", &at], args].concat();
        masked(&order, server, &order.sandbox.run(&args).to_string())
    };
    insta::assert_snapshot!(check(&server, &[]), @"
    error   the record _[MD5].shop.example was not found at resolver 127.0.0.1:[PORT]
    note    it says: absent (NXDOMAIN: the name does not exist)
    next    Add this record in the DNS provider's console for shop.example; Namecheap shows its complete value:
                Type   CNAME
                Host   _[MD5]
                Value  [SHA256 FIRST].[SHA256 LAST].<unique value>.<zone>
    next    Run this command, paste the record that the CA shows (host and value), and press Ctrl-D:
                certctl dcv-check --wait --resolver 127.0.0.1:[PORT] --record -
    --- exit 1
    ");
    insta::assert_snapshot!(check(&server, &["--record", &order.given()]), @"
    found   the record belongs to shop.example.csr; saved in shop.example.dcv
    error   the record _[MD5].shop.example was not found at resolver 127.0.0.1:[PORT]
    note    it says: absent (NXDOMAIN: the name does not exist)
    next    Add this record in the DNS provider's console for shop.example:
                Type   CNAME
                Host   _[MD5]
                Value  [SHA256 FIRST].[SHA256 LAST].69ff68dc5168c.comodoca.com
    next    Repeat the check until it passes, for up to 2 hours:
                certctl dcv-check --wait --resolver 127.0.0.1:[PORT]
    --- exit 1
    ");
    server.publish(
        &format!("{}.shop.example CNAME {}.", order.label, order.value()),
        2,
    );
    insta::assert_snapshot!(check(&server, &[]), @"
    error   the record is at _[MD5].shop.example.shop.example: the host was entered with shop.example, which the DNS provider's console appends automatically
    next    In the DNS provider's console for shop.example, change the host to:
                _[MD5]
    found   expected record in zone shop.example:
                Type   CNAME
                Host   _[MD5]
                Value  [SHA256 FIRST].[SHA256 LAST].69ff68dc5168c.comodoca.com
            found at another name (_[MD5].shop.example.shop.example): resolver 127.0.0.1:[PORT]
    next    Repeat the check until it passes, for up to 2 hours:
                certctl dcv-check --wait --resolver 127.0.0.1:[PORT]
    --- exit 1
    ");
    server.publish(&order.line(), 3);
    insta::assert_snapshot!(check(&server, &["www.shop.example", "--wait"]), @"
    found   validation record in zone shop.example:
                Type   CNAME
                Host   _[MD5]
                Value  [SHA256 FIRST].[SHA256 LAST].69ff68dc5168c.comodoca.com
            visible: resolver 127.0.0.1:[PORT]
    done    the record is visible at all servers that were queried, so the CA would see it now; CAA allows issuance
    next    Press Retry at Namecheap, and leave the record in place. When the zip has arrived in this folder, install it:
                sudo certctl install
    --- exit 0
    ");
    insta::assert_snapshot!(check(&server, &["-q"]), @"
    next    Press Retry at Namecheap, and leave the record in place. When the zip has arrived in this folder, install it:
                sudo certctl install
    --- exit 0
    ");
}

#[test]
fn the_document_is_pinned() {
    let order = RequestWithRecord::new(&["shop.example"], &["--ca", "namecheap"]);
    let server = NameServer::knot(&format!(
        "{} CNAME {}.5a955211b1f8c.comodoca.com.",
        order.label, order.hash
    ));
    let pretty = format!("{:#}", order.check(&server.at()).expect(1).json());
    insta::assert_snapshot!(masked(&order, &server, &pretty), @r#"
    {
      "schema": "certctl.dcv-check/1",
      "comment": "_[MD5].shop.example has a record of this request with another unique value: [SHA256 FIRST].[SHA256 LAST].5a955211b1f8c.comodoca.com",
      "verdict": "different",
      "changed": true,
      "records": [
        {
          "name": "_[MD5].shop.example",
          "zone": "shop.example",
          "relative_name": "_[MD5]",
          "type": "CNAME",
          "value": "[SHA256 FIRST].[SHA256 LAST].69ff68dc5168c.comodoca.com",
          "complete": true,
          "validates": [
            "shop.example"
          ],
          "also_at": [],
          "request": "shop.example.csr",
          "verdict": "different",
          "dnssec": "unknown",
          "caa": [
            {
              "name": "shop.example",
              "verdict": "free",
              "at": null,
              "records": [],
              "server": null
            }
          ],
          "servers": [
            {
              "address": "127.0.0.1:[PORT]",
              "name": null,
              "role": "resolver",
              "answer": "cname",
              "verdict": "different",
              "at": "_[MD5].shop.example",
              "value": "[SHA256 FIRST].[SHA256 LAST].5a955211b1f8c.comodoca.com"
            }
          ]
        }
      ],
      "findings": [
        {
          "code": "wrong-unique-value",
          "severity": "error",
          "message": "_[MD5].shop.example has a record of this request with another unique value: [SHA256 FIRST].[SHA256 LAST].5a955211b1f8c.comodoca.com",
          "next": [
            {
              "text": "Change the value to",
              "lines": [
                "[SHA256 FIRST].[SHA256 LAST].69ff68dc5168c.comodoca.com"
              ],
              "needs_root": false,
              "when": "later"
            }
          ]
        }
      ],
      "next": [
        {
          "text": "Repeat the check until it passes, for up to 2 hours",
          "command": "certctl dcv-check --wait --resolver 127.0.0.1:[PORT]",
          "argv": [
            "certctl",
            "dcv-check",
            "--wait",
            "--resolver",
            "127.0.0.1:[PORT]"
          ],
          "needs_root": false,
          "when": "now"
        }
      ]
    }
    "#);
}

#[test]
fn nxdomain_and_nodata_are_distinguished() {
    let order = RequestWithRecord::for_shop();
    let nothing = NameServer::knot("");
    assert_eq!(
        answers(&order.check(&nothing.at()).expect(1).json()),
        ["nxdomain"]
    );
    let text = NameServer::knot(&format!("{} TXT x", order.label));
    assert_eq!(
        answers(&order.check(&text.at()).expect(1).json()),
        ["nodata"]
    );
}

#[test]
fn servers_without_an_answer_are_reported_with_the_cause() {
    let order = RequestWithRecord::for_shop();
    let elsewhere = NameServer::knot_serving(&[free_port()], "other.example", Some(""), "");
    let broken = NameServer::knot_serving(&[free_port()], support::dns::ZONE, None, "");
    for (server, answer, finding) in [
        (elsewhere.at(), "refused", "server-refused"),
        (broken.at(), "servfail", "server-servfail"),
        (
            "127.0.0.1:1".to_owned(),
            "closed",
            "server-connection-refused",
        ),
    ] {
        let document = order.check(&server).expect(4).json();
        assert_eq!(
            (verdict(&document), answers(&document)),
            ("unreachable", vec![answer]),
            "{document:#}"
        );
        assert_eq!(codes(&document), [finding]);
    }
}

#[test]
fn error_responses_are_not_queried_again() {
    let order = RequestWithRecord::for_shop();
    for (code, finding) in [
        (ResponseCode::Refused, "server-refused"),
        (ResponseCode::ServFail, "server-servfail"),
    ] {
        let server = FakeDnsServer::new(move |question| {
            vec![with_response_code(question, code).to_vec().unwrap()]
        });
        let document = order.check(&server.address.to_string()).expect(4).json();
        assert_eq!(codes(&document), [finding]);
        // Without their ids, all queries are different: each was sent once.
        let questions: Vec<Vec<u8>> = server
            .questions()
            .into_iter()
            .map(|(question, _)| question[2..].to_vec())
            .collect();
        let distinct: std::collections::BTreeSet<&Vec<u8>> = questions.iter().collect();
        assert_eq!(questions.len(), distinct.len(), "{finding}");
    }
}

#[test]
fn rejected_signatures_are_distinguished_from_failures() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    // The resolver expects a key, and the zone has none.
    let anchor = "  trust-anchor: \"shop.example. DS 1 13 2 \
        0000000000000000000000000000000000000000000000000000000000000000\"\n";
    let resolver = NameServer::unbound(free_port(), server.address, anchor);
    let document = order.check(&resolver.at()).expect(1).json();
    assert_eq!(
        (verdict(&document), answers(&document)),
        ("unreachable", vec!["bogus"])
    );
    assert_eq!(codes(&document), ["server-bogus"]);
}

/// Returns the type that `question` is for, and whether signatures are to be checked for it.
fn type_and_checking(question: &[u8]) -> (RecordType, bool) {
    let question = Message::from_vec(question).unwrap();
    (
        question.queries[0].query_type(),
        !question.metadata.checking_disabled,
    )
}

/// A function that returns a server's response code to a query for CAA records; its argument says
/// whether signatures are to be checked. `None`: no response.
type Fails = fn(bool) -> Option<ResponseCode>;

#[test]
fn a_failed_caa_lookup_at_a_single_resolver_is_an_error() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    let failing = |fails: Fails| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        socket.connect(server.address).unwrap();
        FakeDnsServer::new(move |question| {
            let (kind, checked) = type_and_checking(question);
            if kind == RecordType::CAA {
                let code = fails(checked);
                return code
                    .map(|code| with_response_code(question, code).to_vec().unwrap())
                    .into_iter()
                    .collect();
            }
            let mut answer = [0; 4096];
            socket.send(question).unwrap();
            let length = socket.recv(&mut answer).unwrap();
            vec![answer[..length].to_vec()]
        })
    };
    let bogus = |checked| {
        Some(if checked {
            ResponseCode::ServFail
        } else {
            ResponseCode::NoError
        })
    };
    let failures: [(Fails, &str); 4] = [
        (|_| Some(ResponseCode::ServFail), "SERVFAIL"),
        (|_| Some(ResponseCode::Refused), "REFUSED"),
        (|_| None, "no answer"),
        (bogus, "invalid DNSSEC signatures"),
    ];
    for (fails, cause) in failures {
        let document = order
            .check(&failing(fails).address.to_string())
            .expect(1)
            .json();
        assert_eq!(
            (verdict(&document), codes(&document)),
            ("visible", vec!["caa-lookup-failed"]),
            "{document:#}"
        );
        let message = document["findings"][0]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!(
                "the CAA records of shop.example cannot be looked up ({cause})"
            )),
            "{message}"
        );
        assert_eq!(document["records"][0]["caa"][0]["verdict"], "failed");
    }
}

#[test]
fn the_ca_climbs_to_the_registrable_domain() {
    let order = RequestWithRecord::new(&["a.b.shop.example"], &[]);
    let server = NameServer::knot(&order.line());
    let document = order.check(&server.at()).expect(0).json();
    assert_eq!(
        (verdict(&document), codes(&document)),
        ("visible", vec![]),
        "without a given record, the CA queries the parents too"
    );

    let given = format!("{}.a.b.shop.example {}", order.label, order.value());
    let run = order
        .sandbox
        .run(&[
            "dcv-check",
            "--record",
            &given,
            "--resolver",
            &server.at(),
            "--json",
        ])
        .expect(0);
    assert_eq!(codes(&run.json()), ["found-at-parent"]);
}

#[test]
fn a_unique_value_counts_only_if_it_was_compared() {
    let order = RequestWithRecord::for_shop();
    let with = NameServer::knot(&order.line());
    let without = NameServer::knot(&format!(
        "{} CNAME {}.sectigo.com.",
        order.label, order.hash
    ));
    for (server, ca, code, wanted) in [
        (&with, None, 1, "unchecked"),
        (&with, Some("namecheap"), 1, "unchecked"),
        (&with, Some("sectigo"), 1, "unchecked"),
        (&without, None, 1, "unchecked"),
        (&without, Some("namecheap"), 1, "unchecked"),
        (&without, Some("sectigo"), 0, "visible"),
    ] {
        let at = server.at();
        let mut args = vec!["dcv-check", "shop.example", "--resolver", &at, "--json"];
        args.extend(ca.iter().flat_map(|ca| ["--ca", ca]));
        let document = order.sandbox.run(&args).expect(code).json();
        assert_eq!(verdict(&document), wanted, "{ca:?}");
        assert_eq!(
            codes(&document).contains(&"unique-value-unchecked"),
            code == 1
        );
    }
}

/// Sectigo adds a unique value if a key is reused, so a record without one is not enough then.
#[test]
fn a_reused_key_needs_a_compared_value() {
    let order = RequestWithRecord::new(&["shop.example"], &["--ca", "sectigo"]);
    let again = [
        "csr",
        "mail.shop.example",
        "--key",
        "shop.example.key",
        "--ca",
        "sectigo",
        "--json",
    ];
    let created = order.sandbox.run(&again).expect(0).json();
    let (md5, sha256) = (
        created["request"]["md5"].as_str().unwrap(),
        created["request"]["sha256"].as_str().unwrap(),
    );
    let hash = format!("{}.{}", &sha256[..32], &sha256[32..]);
    let own = format!("{} CNAME {}.sectigo.com.", order.label, order.hash);
    let mut server = NameServer::knot(&format!("{own}\n_{md5}.mail CNAME {hash}.sectigo.com."));
    let at = server.at();
    let check = |name: &str, more: &[&str]| {
        order
            .sandbox
            .run(&[&["dcv-check", name, "--resolver", &at, "--json"], more].concat())
    };
    assert_eq!(
        verdict(&check("shop.example", &[]).expect(0).json()),
        "visible",
        "the key was created for this request"
    );
    let document = check("mail.shop.example", &[]).expect(1).json();
    assert_eq!(
        (verdict(&document), codes(&document)),
        ("unchecked", vec!["unique-value-unchecked"])
    );
    assert_eq!(document["records"][0]["value"], Json::Null);
    order.sandbox.write("list", "mail.shop.example\n");
    let listed = order
        .sandbox
        .run(&["dcv-check", "--batch", "list", "--resolver", &at, "--json"])
        .expect(1);
    assert!(
        listed.stdout.starts_with("{") && listed.stdout.contains("unique-value-unchecked"),
        "{listed}"
    );
    // `csr` reports the same when it runs again, whichever name the key was found by.
    let shown = order
        .sandbox
        .run(&["csr", "mail.shop.example", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&shown["changed"], &shown["records"][0]["complete"]),
        (&false.into(), &false.into())
    );
    // The reseller's record contains the unique value.
    let given = format!("_{md5}.mail.shop.example {hash}.{UNIQUE}");
    server.publish(&format!("{own}\n_{md5}.mail CNAME {hash}.{UNIQUE}."), 2);
    assert_eq!(
        verdict(
            &check("mail.shop.example", &["--record", &given])
                .expect(0)
                .json()
        ),
        "visible"
    );
}

/// Even if the earlier request no longer exists, the certificate shows that the key was used.
#[test]
fn the_key_of_a_certificate_needs_a_compared_value_too() {
    let order = RequestWithRecord::new(&["shop.example"], &["--ca", "sectigo"]);
    let server = NameServer::knot(&format!(
        "{} CNAME {}.sectigo.com.",
        order.label, order.hash
    ));
    let at = server.at();
    let check = |args: &[&str]| {
        order
            .sandbox
            .run(&[&["dcv-check", "--resolver", &at, "--json"], args].concat())
    };
    assert_eq!(verdict(&check(&[]).expect(0).json()), "visible");
    order.sandbox.write(
        "old.crt",
        TestCa::new().issue(&order.sandbox.read("shop.example.csr")),
    );
    order
        .sandbox
        .write("list", "shop.example\nshop.example.csr\n");
    for named in ["shop.example", "shop.example.csr"] {
        assert_eq!(
            verdict(&check(&[named]).expect(1).json()),
            "unchecked",
            "{named}"
        );
    }
    let listed = check(&["--batch", "list"]).expect(1).stdout;
    assert_eq!(
        listed
            .matches("\"verdict\":\"unchecked\",\"changed\"")
            .count(),
        2,
        "{listed}"
    );
}

/// DigiCert, GlobalSign, GoDaddy and AWS use a random value in a CNAME or TXT record, at the domain
/// or at a label below it.
#[test]
fn given_records_of_any_ca_are_checked() {
    let mut server = NameServer::knot("");
    let at = server.at();
    let token = "_0123456789abcdef0123456789abcdef CNAME _fedcba9876543210fedcba9876543210.mzlfeqexyx.acm-validations.aws.";
    let many = "@ TXT \"v=spf1 -all\"\n@ TXT \"MS=ms123\"\n";
    for (serial, (given, zone, code, wanted, findings)) in (2..).zip([
        (
            "_dnsauth CNAME abc.dcv.digicert.com",
            "_dnsauth CNAME abc.dcv.digicert.com.",
            0,
            "visible",
            vec![],
        ),
        (
            "_dnsauth CNAME abc.dcv.digicert.com",
            "_dnsauth CNAME xyz.dcv.digicert.com.",
            1,
            "different",
            vec!["token-from-another-order"],
        ),
        (
            "_dnsauth CNAME abc.dcv.digicert.com",
            "_dnsauth CNAME abc.dcv.digicert.com",
            1,
            "different",
            vec!["zone-appended-to-value"],
        ),
        (
            "_dnsauth CNAME abc.dcv.digicert.com",
            "_dnsauth.shop.example CNAME abc.dcv.digicert.com.",
            1,
            "wrong-place",
            vec!["zone-doubled"],
        ),
        (
            "_dnsauth CNAME abc.dcv.digicert.com",
            "_dnsauth TXT abc.dcv.digicert.com",
            1,
            "absent",
            vec!["txt-instead-of-cname"],
        ),
        (
            "_dnsauth TXT Abc123",
            "_dnsauth TXT Abc123",
            0,
            "visible",
            vec![],
        ),
        (
            "_dnsauth TXT Abc123",
            "_dnsauth TXT abc123",
            1,
            "absent",
            vec!["not-published"],
        ),
        (
            "_dnsauth TXT Abc123",
            "_dnsauth TXT \"\\\"Abc123\\\"\"",
            1,
            "different",
            vec!["value-quoted"],
        ),
        (
            "_dnsauth TXT abc.def",
            "_dnsauth CNAME abc.def.",
            1,
            "absent",
            vec!["cname-instead-of-txt"],
        ),
        (
            "_dnsauth TXT Abc123",
            "_dnsauth CNAME other.example.",
            1,
            "absent",
            vec!["alias-without-text"],
        ),
        (
            "_dnsauth TXT Abc123",
            "_dnsauth CNAME there\nthere TXT Abc123",
            0,
            "visible",
            vec![],
        ),
        (
            "_dnsauth TXT Abc123",
            "dnsauth TXT Abc123",
            1,
            "wrong-place",
            vec!["underscore-lost"],
        ),
        (
            "@ TXT Abc123",
            &format!("{many}@ TXT Abc123"),
            0,
            "visible",
            vec![],
        ),
        ("@ TXT Abc123", many, 1, "absent", vec!["not-published"]),
        (token, token, 0, "visible", vec![]),
        (
            "@ TXT _globalsign-domain-verification=one",
            "@ TXT _globalsign-domain-verification=two",
            1,
            "different",
            vec!["token-from-another-order"],
        ),
    ]) {
        let order = RequestWithRecord::for_shop();
        server.publish(zone, serial);
        let document = order
            .sandbox
            .run(&["dcv-check", "--record", given, "--resolver", &at, "--json"])
            .expect(code)
            .json();
        assert_eq!(
            (verdict(&document), codes(&document)),
            (wanted, findings),
            "{given} | {zone}\n{document:#}"
        );
        assert_eq!(
            document["records"][0]["validates"],
            serde_json::json!(["shop.example", "www.shop.example"])
        );
        let again = order
            .sandbox
            .run(&["dcv-check", "--resolver", &at, "--json"])
            .expect(code)
            .json();
        assert_eq!(
            (verdict(&again), &again["changed"]),
            (wanted, &Json::Bool(false)),
            "the given record was saved"
        );
    }
}

#[test]
fn a_random_value_is_never_visible_without_the_given_record() {
    let server = NameServer::knot("_dnsauth CNAME abc.dcv.digicert.com.");
    let at = server.at();
    let order = RequestWithRecord::new(&["shop.example"], &["--ca", "rapidssl"]);
    let document = order
        .sandbox
        .run(&["dcv-check", "--resolver", &at, "--json"])
        .expect(1)
        .json();
    assert_eq!(
        (verdict(&document), codes(&document)),
        ("unchecked", vec!["unique-value-unchecked"])
    );
    assert_eq!(document["records"][0]["shape"], "<token>.dcv.digicert.com");
    let aws = RequestWithRecord::new(&["shop.example"], &["--ca", "aws-acm"]);
    let run = aws.sandbox.run(&["dcv-check", "--resolver", &at]).expect(3);
    assert!(
        run.stderr.contains(
            "only AWS Certificate Manager knows the host of the record: _<32 hex>.shop.example"
        ),
        "{run}"
    );
}

#[test]
fn a_record_without_hashes_is_matched_by_its_domain() {
    let order = RequestWithRecord::new(&["shop.example"], &[]);
    order.sandbox.run(&["csr", "other.example"]).expect(0);
    let server = NameServer::knot("_dnsauth CNAME abc.dcv.digicert.com.");
    let at = server.at();
    let check = |record: &str| {
        order
            .sandbox
            .run(&["dcv-check", "--record", record, "--resolver", &at, "--json"])
    };
    let document = check("_dnsauth.shop.example CNAME abc.dcv.digicert.com")
        .expect(0)
        .json();
    assert_eq!(document["records"][0]["request"], "shop.example.csr");
    let ambiguous = check("_dnsauth CNAME abc.dcv.digicert.com")
        .expect(3)
        .json();
    assert_eq!(ambiguous["error"]["kind"], "ambiguous");
    for (step, file) in ["other.example.csr", "shop.example.csr"].iter().enumerate() {
        let command = format!("certctl dcv-check --wait --resolver {at} {file} --record -");
        assert_eq!(ambiguous["error"]["next"][step]["command"], command);
    }
    for elsewhere in [
        "_dnsauth.third.example",
        "_dnsauth.www.shop.example",
        "www.shop.example",
    ] {
        let stray = check(&format!("{elsewhere} CNAME abc.dcv.digicert.com"))
            .expect(1)
            .json();
        assert!(
            codes(&stray).contains(&"record-for-another-domain"),
            "{elsewhere}\n{stray:#}"
        );
    }
}

#[test]
fn a_record_is_saved_and_matched_by_its_hash() {
    let order = RequestWithRecord::new(&["shop.example"], &["--ca", "namecheap"]);
    let other = order
        .sandbox
        .run(&["csr", "mail.shop.example", "--json"])
        .expect(0)
        .json();
    let server = NameServer::knot(&order.line());
    let run = order.sandbox.run_with_input(
        &[
            "dcv-check",
            "--record",
            "-",
            "--resolver",
            &server.at(),
            "--json",
        ],
        order.given().as_bytes(),
    );
    let document = run.expect(0).json();
    assert_eq!(document["changed"], true);
    assert_eq!(
        document["records"].as_array().unwrap().len(),
        1,
        "the other request is not checked"
    );
    assert_eq!(document["records"][0]["request"], "shop.example.csr");
    let saved = format!(
        "; ca namecheap\n{}.shop.example. 300 IN CNAME {}.\n",
        order.label,
        order.value()
    );
    assert_eq!(order.sandbox.read("shop.example.dcv"), saved);

    let again = order.sandbox.run(&[
        "dcv-check",
        "shop.example.csr",
        "--resolver",
        &server.at(),
        "--json",
    ]);
    assert_eq!(
        again.expect(0).json()["changed"],
        false,
        "the saved record is used"
    );

    let other_request = format!("_{:032x}.shop.example {}", 7, order.value());
    let stray = order.sandbox.run(&[
        "dcv-check",
        "--record",
        &other_request,
        "--resolver",
        &server.at(),
        "--json",
    ]);
    assert!(codes(&stray.expect(1).json()).contains(&"record-from-another-request"));
    let mixed = format!(
        "_{}.mail.shop.example {}",
        other["request"]["md5"].as_str().unwrap(),
        order.value()
    );
    let stray = order.sandbox.run(&[
        "dcv-check",
        "--record",
        &mixed,
        "--resolver",
        &server.at(),
        "--json",
    ]);
    assert!(codes(&stray.expect(1).json()).contains(&"record-from-another-request"));
    let other_domain = format!("{}.other.example {}", order.label, order.value());
    let stray = order.sandbox.run(&[
        "dcv-check",
        "--record",
        &other_domain,
        "--resolver",
        &server.at(),
        "--json",
    ]);
    let stray = stray.expect(1).json();
    assert!(codes(&stray).contains(&"record-for-another-domain"));
    assert_eq!(
        stray["findings"][0]["message"],
        "the given record is for other.example; the names in the request are shop.example"
    );
    assert_eq!(
        order.sandbox.read("shop.example.dcv"),
        saved,
        "a record of another request is not saved"
    );
}

/// A certificate for such a request cannot be used, whatever the DNS has.
#[test]
fn the_missing_key_of_a_request_is_reported_before_the_record() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    let given = order.given();
    let check = || {
        let words = ["dcv-check", "--resolver", &server.at(), "--record", &given];
        let run = order.sandbox.run(&[&words[..], &["--json"]].concat());
        run.json()
    };
    let status = || order.sandbox.run(&["status", "--root", "tree", "--json"]);
    std::fs::create_dir(order.sandbox.join("tree")).unwrap();
    assert!(!codes(&check()).contains(&"key-missing"));
    assert_eq!(status().expect(1).json()["verdict"], "due");
    let key = order.sandbox.join("shop.example.key");
    std::fs::rename(&key, order.sandbox.join("shop.example.key~")).unwrap();
    let command = "certctl csr shop.example www.shop.example --force";
    let found = check();
    assert_eq!(codes(&found)[0], "key-missing");
    assert_eq!(found["findings"][0]["next"][0]["command"], command);
    let status = status().expect(1).json();
    assert_eq!(status["verdict"], "wrong");
    let reason = &status["rows"][0]["reasons"][0];
    assert_eq!(reason["code"], "key-missing", "{status}");
    let bare = order.sandbox.run(&["--json"]).expect(0).json();
    assert_eq!(bare["next"][0]["command"], command);
}

#[test]
fn malformed_records_and_missing_requests_are_rejected() {
    let order = RequestWithRecord::for_shop();
    let check = |args: &[&str]| order.sandbox.run(args);
    for (record, message) in [
        (
            "_0123.shop.example 47cba4df.sectigo.com",
            "does not start with '_' and the 32 hex digits",
        ),
        ("", "no record was given"),
        (
            "http://shop.example/.well-known/pki-validation/A.txt",
            "is a URL without the content of the file",
        ),
        (
            "_dnsauth.shop.example MX abc",
            "this is a record of type MX",
        ),
        (
            "88f0000000000000000000000000a5a5.7ca50000000000000000000000005a5a.69ff.comodoca.com",
            "is the value (target) of the record; its host is missing",
        ),
        (
            "_dnsauth.shop.example TXT <unique value>",
            "the text has certctl's placeholder <unique value>",
        ),
        (
            "-----BEGIN CERTIFICATE REQUEST-----",
            "this is PEM text (CERTIFICATE REQUEST), not a DNS record",
        ),
        (
            "hello world this is not a record",
            "this is not a DNS record",
        ),
    ] {
        let run = check(&["dcv-check", &format!("--record={record}")]).expect(3);
        assert!(run.stderr.contains(message), "{record}\n{run}");
    }
    check(&["dcv-check", "unknown.example"]).expect(3);
    check(&["dcv-check", "--resolver", "dns.example"]).expect(2);
    check(&["dcv-check", "--wait=soon"]).expect(2);
    let private = RequestWithRecord::new(&["shop.example"], &["--ca", "private"]);
    private.sandbox.run(&["dcv-check"]).expect(3);
    assert_eq!(
        Sandbox::new()
            .run(&["dcv-check", "--json"])
            .expect(3)
            .json()["error"]["kind"],
        "not-found"
    );
}

#[test]
fn servers_are_queried_by_ipv6_if_it_is_available() {
    let order = RequestWithRecord::for_shop();
    if std::net::UdpSocket::bind("[::1]:0").is_ok() {
        let address =
            std::net::SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), free_port().port());
        let server = NameServer::knot_at(&[address], &order.line(), "");
        assert_eq!(
            verdict(&order.check(&server.at()).expect(0).json()),
            "visible"
        );
    } else {
        assert_eq!(
            codes(&order.check("[::1]:5353").expect(4).json()),
            ["unreachable-from-here"]
        );
    }
}

#[test]
fn a_domain_without_delegation_is_reported() {
    let order = RequestWithRecord::new(&["www.unregistered-shop.com"], &[]);
    let registry = NameServer::knot_serving(&[free_port()], "com", Some(""), "");
    let run = order
        .sandbox
        .run(&["dcv-check", "--resolver", &registry.at(), "--json"])
        .expect(1);
    assert_eq!(
        codes(&run.json()),
        ["not-published", "domain-not-delegated"]
    );
    assert_eq!(run.json()["records"][0]["zone"], "unregistered-shop.com");
}

#[test]
fn answers_of_servers_cannot_control_a_terminal() {
    let order = RequestWithRecord::for_shop();
    let liar = FakeDnsServer::new(|question| {
        let mut answer = with_response_code(question, ResponseCode::NoError);
        let target =
            Name::from_labels([&b"\x1b[31m\xc2\x9bred\xe2\x80\xae"[..], b"example"]).unwrap();
        let owner = answer.queries[0].name.clone();
        answer.add_answer(Record::from_rdata(owner, 60, RData::CNAME(CNAME(target))));
        vec![answer.to_vec().unwrap()]
    });
    let (at, given) = (liar.address.to_string(), order.given());
    for json in [&["--json"][..], &[]] {
        let args = [&["dcv-check", "--record", &given, "--resolver", &at], json].concat();
        let run = order.sandbox.run(&args).expect(1);
        assert!(
            run.stdout.contains("red") && !run.stdout.contains(['\x1b', '\u{9b}', '\u{202e}']),
            "{run}"
        );
    }
}

#[test]
fn truncated_answers_are_queried_again_over_tcp() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot_at(&[free_port()], &order.line(), "    module: mod-noudp\n");
    assert_eq!(
        verdict(&order.check(&server.at()).expect(0).json()),
        "visible"
    );
    let cut = FakeDnsServer::new(|question| {
        let mut answer = with_response_code(question, ResponseCode::NoError);
        answer.metadata.truncation = true;
        vec![answer.to_vec().unwrap()]
    });
    let document = order.check(&cut.address.to_string()).expect(4).json();
    assert_eq!(codes(&document), ["server-no-tcp"]);
}

#[test]
fn malformed_answers_are_ignored_until_the_time_limit() {
    let order = RequestWithRecord::for_shop();
    let liar = FakeDnsServer::new(|question| {
        let good = with_response_code(question, ResponseCode::NXDomain);
        let mut wrong_id = good.clone();
        wrong_id.metadata.id = wrong_id.metadata.id.wrapping_add(1);
        let mut other_question = good.clone();
        other_question.queries[0].name = "other.example.".parse().unwrap();
        let mut no_response = Message::from_vec(question).unwrap();
        no_response.metadata.recursion_available = true;
        // The question's name is a compression pointer to itself.
        let mut pointer_loop = good.to_vec().unwrap();
        pointer_loop.truncate(12);
        pointer_loop.extend([0xc0, 12, 0, 5, 0, 1]);
        let whole = good.to_vec().unwrap();
        let cut = whole[..whole.len() - 3].to_vec();
        let mut packets: Vec<Vec<u8>> = [wrong_id, other_question, no_response]
            .iter()
            .map(|message| message.to_vec().unwrap())
            .collect();
        packets.extend([
            pointer_loop,
            cut,
            vec![],
            vec![0xff; 4096],
            question[..2].to_vec(),
        ]);
        packets
    });
    let document = order.check(&liar.address.to_string()).expect(4).json();
    assert_eq!(
        (answers(&document), codes(&document)),
        (vec!["timeout"], vec!["server-timeout"])
    );
    let questions = liar.questions();
    let most = questions.iter().map(|(_, times)| *times).max().unwrap();
    assert!(
        (2..=TRANSMISSIONS).contains(&most),
        "queries are sent again a few times: {questions:?}"
    );
}

/// Returns the address records of the zone's two name servers.
fn name_servers(net: u8) -> String {
    format!(
        "ns1 A {}\nns2 A {}",
        port_53(net, 1).ip(),
        port_53(net, 2).ip()
    )
}

#[test]
fn the_zones_own_servers_are_found_and_queried() {
    with_port_53("the_zones_own_servers_are_found_and_queried", || {
        let order = RequestWithRecord::for_shop();
        let servers = name_servers(1);
        let records = format!("{servers}\n{}", order.line());
        let resolver = port_53(1, 53).ip().to_string();
        let _first = NameServer::knot_at(&[port_53(1, 1)], &records, "");
        let mut second = NameServer::knot_at(&[port_53(1, 2)], &servers, "");
        let _resolver = NameServer::unbound(port_53(1, 53), port_53(1, 1), "");

        let document = order.check(&resolver).expect(1).json();
        assert_eq!(
            (verdict(&document), codes(&document)),
            ("absent", vec!["not-on-all-servers"])
        );
        let servers = &document["records"][0]["servers"];
        assert_eq!(servers[0]["role"], "resolver");
        assert_eq!(
            (&servers[1]["role"], &servers[1]["name"]),
            (&"authoritative".into(), &"ns1.shop.example".into())
        );
        assert_eq!(answers(&document), ["cname", "cname", "nxdomain"]);

        second.publish(&records, 2);
        assert_eq!(verdict(&order.check(&resolver).expect(0).json()), "visible");

        drop(second);
        let document = order.check(&resolver).expect(1).json();
        assert_eq!(
            (verdict(&document), codes(&document)),
            ("unreachable", vec!["server-connection-refused"])
        );
    });
}

#[test]
fn cached_absence_and_lame_servers_are_reported() {
    with_port_53("cached_absence_and_lame_servers_are_reported", || {
        let order = RequestWithRecord::for_shop();
        // The second listed server is a resolver: it answers, but not with authority.
        let servers = name_servers(2);
        let resolver = port_53(2, 53).ip().to_string();
        let mut first = NameServer::knot_at(&[port_53(2, 1)], &servers, "");
        let _resolver = NameServer::unbound(port_53(2, 53), port_53(2, 1), "");
        assert_eq!(
            codes(&order.check(&resolver).expect(1).json()),
            [
                "not-published",
                "server-connection-refused",
                "negative-answer-cacheable"
            ]
        );

        first.publish(&format!("{servers}\n{}", order.line()), 2);
        let _lame = NameServer::unbound(port_53(2, 2), port_53(2, 1), "");
        let document = order.check(&resolver).expect(1).json();
        assert_eq!(answers(&document), ["nxdomain", "cname", "lame"]);
        assert_eq!(
            codes(&document),
            [
                "resolver-cached-absence",
                "server-lame",
                "negative-answer-cacheable"
            ]
        );
    });
}

#[test]
fn a_record_is_not_visible_without_the_zones_own_servers() {
    with_port_53(
        "a_record_is_not_visible_without_the_zones_own_servers",
        || {
            let order = RequestWithRecord::for_shop();
            let _server = NameServer::knot_at(&[port_53(3, 1)], &order.line(), "");
            let document = order
                .check(&port_53(3, 1).ip().to_string())
                .expect(1)
                .json();
            assert_eq!(
                (verdict(&document), codes(&document)),
                (
                    "unreachable",
                    vec!["server-no-address", "zone-servers-not-found"]
                )
            );
        },
    );
}

#[test]
fn servers_without_an_address_are_not_counted_as_queried() {
    with_port_53(
        "servers_without_an_address_are_not_counted_as_queried",
        || {
            let order = RequestWithRecord::for_shop();
            let first = format!("ns1 A {}\n{}", port_53(0, 1).ip(), order.line());
            // The server that knows the address of the second one does not run: SERVFAIL. Without
            // that server in the zone, the address does not exist: NXDOMAIN.
            let dead = format!("{first}\nns2 NS dead\ndead A {}", port_53(0, 4).ip());
            for records in [&dead, &first] {
                let _first = NameServer::knot_at(&[port_53(0, 1)], records, "");
                let _resolver = NameServer::unbound(port_53(0, 53), port_53(0, 1), "");
                let document = order
                    .check(&port_53(0, 53).ip().to_string())
                    .expect(1)
                    .json();
                assert_eq!(
                    (verdict(&document), codes(&document)),
                    ("unreachable", vec!["server-no-address"])
                );
                assert_eq!(answers(&document), ["cname", "cname", "no-address"]);
                let silent = &document["records"][0]["servers"][2];
                assert_eq!(
                    (&silent["address"], &silent["name"]),
                    (&Json::Null, &"ns2.shop.example".into())
                );
            }
        },
    );
}

#[test]
fn servers_beyond_the_limits_are_reported() {
    with_port_53("servers_beyond_the_limits_are_reported", || {
        let order = RequestWithRecord::for_shop();
        let many =
            |count: u32, line: &dyn Fn(u32) -> String| (3..=count).map(line).collect::<String>();
        // certctl queries sixteen names and thirty-two addresses.
        let alias = |number| format!("@ NS ns{number}\nns{number} A {}\n", port_53(3, 1).ip());
        let more =
            |number: u32| format!("ns2 A {}\n", port_53(3, u8::try_from(number).unwrap()).ip());
        for (records, not_queried) in [
            (many(18, &alias), "2 of its name servers"),
            (many(34, &more), "2 of their addresses"),
        ] {
            let own = format!("{}\n{}\n{records}", name_servers(3), order.line());
            let addresses: Vec<_> = (1..=35).map(|host| port_53(3, host)).collect();
            let _server = NameServer::knot_at(&addresses, &own, "");
            let _resolver = NameServer::unbound(port_53(3, 53), port_53(3, 1), "");
            let document = order
                .check(&port_53(3, 53).ip().to_string())
                .expect(1)
                .json();
            assert_eq!(
                (verdict(&document), codes(&document)),
                ("unreachable", vec!["servers-not-queried"])
            );
            assert!(
                document["findings"][0]["message"]
                    .as_str()
                    .unwrap()
                    .contains(not_queried),
                "{document:#}"
            );
        }
    });
}

#[test]
fn commands_contain_the_folder_and_the_resolver() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    let (folder, at) = (order.sandbox.path().display().to_string(), server.at());
    let elsewhere = Sandbox::new();
    let run = |more: &[&str]| {
        elsewhere.run(&[&["-C", &folder, "dcv-check", "--resolver", &at], more].concat())
    };
    // An unchecked value, a record of another request, malformed records, a CA without a record.
    let other_request = format!("_{:032x}.shop.example {}", 7, order.value());
    for (more, code) in [
        (&["shop.example"][..], 1),
        (&["--record", &other_request], 1),
        (&["--record", "_0123.shop.example MX x"], 3),
        (&["--record", ""], 3),
        (
            &["--record", "_0123456789abcdef0123456789abcdef.shop.example"],
            3,
        ),
        (&["shop.example", "--ca", "sectigo"], 1),
        (&["shop.example", "--ca", "private"], 3),
    ] {
        let run = run(more).expect(code).to_string();
        let mut lines = run
            .lines()
            .map(|line| line.trim_start().trim_start_matches("sudo "))
            .filter(|line| line.starts_with("certctl "))
            .peekable();
        assert!(lines.peek().is_some(), "{run}");
        for line in lines {
            let start = format!("certctl -C {folder} ");
            assert!(line.starts_with(&start), "{line}\n{run}");
            let installs = line.contains(" install");
            assert!(installs || line.contains(&at), "{line}\n{run}");
            assert!(installs || line.ends_with(" --record -"), "{line}\n{run}");
        }
    }
    let nothing = elsewhere
        .run(&["-C", "/usr", "dcv-check", "--json"])
        .expect(3)
        .json();
    assert_eq!(
        nothing["error"]["next"][1]["command"],
        "certctl -C /usr csr example.com"
    );
    let given = order.given();
    let visible = run(&["--record", &given, "--json"]).expect(0).json();
    let install = format!("sudo certctl -C {folder} install");
    assert_eq!(visible["next"][0]["command"], install, "{visible:#}");
    let created = elsewhere
        .run(&["-C", &folder, "csr", "x.example", "--ca", "private"])
        .expect(0)
        .to_string();
    assert!(created.contains(&install), "{created}");
}

#[test]
fn lines_of_the_user_stay_in_the_dcv_file() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    let before = "; order 17\n$ORIGIN shop.example.\n; ca unknown\n\nnote TXT \"a  b\"\n\tTXT \"the same owner\"\n";
    order.sandbox.write("shop.example.dcv", before);
    order.check(&server.at()).expect(0);
    let line = format!(
        "{}.shop.example. 300 IN CNAME {}.\n",
        order.label,
        order.value()
    );
    assert_eq!(
        order.sandbox.read("shop.example.dcv"),
        format!("{before}{line}")
    );
    order
        .sandbox
        .run(&[
            "csr",
            "shop.example",
            "www.shop.example",
            "--ca",
            "namecheap",
        ])
        .expect(0);
    assert_eq!(
        order.sandbox.read("shop.example.dcv"),
        format!("; ca namecheap\n{before}{line}")
    );
}

#[test]
fn an_unreadable_dcv_file_is_not_changed() {
    let order = RequestWithRecord::for_shop();
    order.sandbox.run(&["csr", "other.example"]).expect(0);
    for bytes in [vec![b';'; 70_000], b"; caf\xe9\n".to_vec()] {
        order.sandbox.write("shop.example.dcv", &bytes);
        for json in [&[][..], &["--json"]] {
            let run = order
                .sandbox
                .run(&[&["dcv-check", "--record", &order.given()], json].concat())
                .expect(3);
            assert!(run.to_string().contains("shop.example.dcv"), "{run}");
        }
        let names = [
            "csr",
            "shop.example",
            "www.shop.example",
            "--ca",
            "namecheap",
        ];
        order.sandbox.run(&names).expect(3);
        assert_eq!(
            std::fs::read(order.sandbox.join("shop.example.dcv")).unwrap(),
            bytes
        );
    }
    // Other requests can still be checked.
    order
        .sandbox
        .run(&["dcv-check", "other.example", "--resolver", "127.0.0.1:1"])
        .expect(4);
}

#[test]
fn waiting_ends_when_the_record_is_visible() {
    let order = RequestWithRecord::for_shop();
    let mut server = NameServer::knot("");
    let given = order.given();
    let at = server.at();
    let mut command = order.sandbox.command(&[
        "dcv-check",
        "--wait=60s",
        "--record",
        &given,
        "--resolver",
        &at,
    ]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    server.publish(&order.line(), 2);
    let run = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("absent at resolver 127.0.0.1:") && stderr.contains("next check"),
        "{stderr}"
    );

    // The wait ends while the record is still absent.
    server.publish("", 3);
    let counter = FakeDnsServer::new(forward_to(server.address));
    let at = counter.address.to_string();
    let run = order
        .sandbox
        .run(&["dcv-check", "--wait=1s", "--resolver", &at, "--json"])
        .expect(1);
    assert_eq!(verdict(&run.json()), "absent");
    let record = format!("{}.shop.example.", order.label);
    let is_for_record = |question: &Vec<u8>| {
        Message::from_vec(question).unwrap().queries[0]
            .name()
            .to_ascii()
            .eq_ignore_ascii_case(&record)
    };
    let checks = counter
        .questions()
        .iter()
        .filter(|(question, _)| is_for_record(question))
        .count();
    assert!(
        (1..=2).contains(&checks),
        "one check at the start, and at most one more at the end: {checks}"
    );
}

#[test]
fn a_signal_ends_the_wait_and_the_last_result_is_reported() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot("");
    for (signal, code) in [
        (rustix::process::Signal::INT, 130),
        (rustix::process::Signal::TERM, 143),
    ] {
        let at = server.at();
        let mut command =
            order
                .sandbox
                .command(&["dcv-check", "--wait", "--resolver", &at, "--json"]);
        let child = command
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(400));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        let run = child.wait_with_output().unwrap();
        assert_eq!(run.status.code(), Some(code));
        let document = Json::parse(str::from_utf8(&run.stdout).unwrap());
        assert_eq!(document["error"]["kind"], "interrupted");
        assert!(
            document["error"]["causes"][0]
                .as_str()
                .unwrap()
                .contains("absent at"),
            "{document}"
        );
    }
}

/// A server that answers the query for the record with these records, and anything else as `server`
/// does.
fn with_records(
    server: &NameServer,
    records: impl Fn(&Name) -> Vec<Record> + Send + 'static,
) -> FakeDnsServer {
    let forward = forward_to(server.address);
    FakeDnsServer::new(move |question| {
        let asked = Message::from_vec(question).unwrap();
        let query = &asked.queries[0];
        if query.query_type() == RecordType::CNAME && query.name().to_string().starts_with('_') {
            let mut answer = with_response_code(question, ResponseCode::NoError);
            answer.answers = records(query.name());
            return vec![answer.to_vec().unwrap()];
        }
        forward(question)
    })
}

/// Fault D5.
#[test]
fn several_cnames_are_shown_with_the_one_to_delete() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    let old = format!("{}.bbbbbbbbbbbbb.sectigo.com.", order.hash);
    for (right, advice) in [
        (
            order.value() + ".",
            "Delete the CNAME records with these values",
        ),
        (
            format!("{}.ccccc.sectigo.com.", order.hash),
            "Delete all of them, and add one",
        ),
    ] {
        let targets = [right.clone(), old.clone()];
        let fake = with_records(&server, move |name| {
            let record = |target: &String| {
                let target = Name::from_ascii(target).unwrap();
                Record::from_rdata(name.clone(), 60, RData::CNAME(CNAME(target)))
            };
            targets.iter().map(record).collect()
        });
        let document = order.check(&fake.address.to_string()).expect(1).json();
        assert_eq!(verdict(&document), "different", "{document:#}");
        assert_eq!(codes(&document), ["several-cnames"], "{document:#}");
        let text = document.to_string();
        assert!(text.contains(old.trim_end_matches('.')), "{document:#}");
        assert!(text.contains(right.trim_end_matches('.')), "{document:#}");
        assert!(text.contains(advice), "{document:#}");
    }
}

/// Fault D1: only records of the class IN are an answer.
#[test]
fn a_record_of_another_class_is_no_record() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    for (class, code) in [(DNSClass::CH, 1), (DNSClass::IN, 0)] {
        let value = order.value();
        let fake = with_records(&server, move |name| {
            let target = Name::from_ascii(format!("{value}.")).unwrap();
            let mut record = Record::from_rdata(name.clone(), 60, RData::CNAME(CNAME(target)));
            record.dns_class = class;
            vec![record]
        });
        let run = order.check(&fake.address.to_string()).expect(code).json();
        let expected = if code == 0 { "visible" } else { "absent" };
        assert_eq!(verdict(&run), expected, "{class}: {run:#}");
    }
}

/// A resolver with another port is the only server that is asked, so nothing is known about what the
/// zone's own servers say to a CA.
#[test]
fn caa_that_only_a_resolver_answered_is_not_checked() {
    let order = RequestWithRecord::for_shop();
    let server = NameServer::knot(&order.line());
    let args = ["csr", "shop.example", "www.shop.example", "--ca", "sectigo"];
    let at = server.at();
    let more = ["--check-caa", "--resolver", &at, "--json"];
    let created = order.sandbox.run(&[&args[..], &more].concat());
    let created = created.expect(0).json();
    assert!(codes(&created).contains(&"caa-not-checked"), "{created:#}");
    assert!(!codes(&created).contains(&"caa-allows"), "{created:#}");
}
