//! Tests `certctl dcv-publish --dns alidns` against a stub that is built from the API reference of
//! Alibaba Cloud DNS (2015-01-09), with a real name server behind it. The official SDK
//! (scripts/test-python) judges the signatures.
//! Needs: alibabacloud-tea-openapi ip kdig knotd knsupdate prlimit strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::sync::{Arc, Mutex};

use support::Run;
use support::dns::{ZONE, with_port_53};
use support::external::{succeed, test_python};
use support::json::Json;
use support::stub_api::{StubApi, StubReply, StubRequest};
use support::traced_publication::{check_secret, kill_at_calls};
use support::updatable_zone::{CHALLENGE, UpdatableZone, ZoneWriter, codes, verdict};

const ID: &str = "LTAI5tPlantedAccessKeyId";
const SECRET: &str = "plantedAccessKeySecret0123456789";
const TOKEN: &str = "planted/sts+token==";

/// How the stub differs from the documentation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fault {
    #[default]
    None,
    /// It reports success and does nothing.
    Nothing,
    /// It lists the record, and its name servers do not have it.
    NotServed,
    WrongValue,
    WrongName,
    WrongZone,
    /// It adds the record, and the answer is lost.
    LostReply,
    /// It refuses the first requests because of their rate.
    Throttled,
    /// It refuses every change with this error.
    Refusal(u16, &'static str, &'static str),
}

#[derive(Clone, Debug)]
struct StubRecord {
    id: usize,
    zone: String,
    relative_name: String,
    kind: String,
    value: String,
}

/// The state of the stub.
struct AliDnsStub {
    writer: ZoneWriter,
    records: Vec<StubRecord>,
    count: usize,
    throttled: usize,
    fault: Arc<Mutex<Fault>>,
    page: usize,
}

impl AliDnsStub {
    fn answer(&mut self, request: &StubRequest) -> StubReply {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/")
        );
        assert_eq!(request.headers["x-acs-version"], "2015-01-09");
        let fault = *self.fault.lock().unwrap();
        if fault == Fault::Throttled && self.throttled < 2 {
            self.throttled += 1;
            return error(
                400,
                "Throttling.User",
                "Request was denied due to user flow control.",
            );
        }
        match request.headers["x-acs-action"].as_str() {
            "DescribeSubDomainRecords" => self.list(request),
            _ if matches!(fault, Fault::Refusal(..)) => match fault {
                Fault::Refusal(status, code, message) => error(status, code, message),
                _ => unreachable!(),
            },
            "AddDomainRecord" => self.add(request, fault),
            "DeleteDomainRecord" => self.delete(request, fault),
            action => panic!("{action} is not one of the actions that certctl needs"),
        }
    }

    fn list(&self, request: &StubRequest) -> StubReply {
        let name = request.parameter("SubDomain");
        let number: usize = request.parameter("PageNumber").parse().unwrap();
        assert_eq!(request.parameter("PageSize"), "500");
        let is_at = |record: &&StubRecord| {
            format!("{}.{}", record.relative_name, record.zone) == name
                && record.zone == request.parameter("DomainName")
        };
        let all: Vec<&StubRecord> = self.records.iter().filter(is_at).collect();
        let listed: Vec<String> = all
            .chunks(self.page)
            .nth(number - 1)
            .unwrap_or_default()
            .iter()
            .map(|record| {
                format!(
                    "{{\"DomainName\":\"{}\",\"RecordId\":\"{}\",\"RR\":\"{}\",\"Type\":\"{}\",\"Value\":{:?},\
                     \"TTL\":600,\"Line\":\"default\",\"Status\":\"Enable\",\"Locked\":false}}",
                    record.zone, record.id, record.relative_name, record.kind, record.value
                )
            })
            .collect();
        StubReply::json(
            200,
            format!(
                "{{\"TotalCount\":{},\"PageNumber\":{number},\"PageSize\":500,\"RequestId\":\"R-1\",\
                 \"DomainRecords\":{{\"Record\":[{}]}}}}",
                all.len(),
                listed.join(",")
            ),
        )
    }

    fn add(&mut self, request: &StubRequest, fault: Fault) -> StubReply {
        let mut record = StubRecord {
            id: self.count,
            zone: request.parameter("DomainName"),
            relative_name: request.parameter("RR"),
            kind: request.parameter("Type"),
            value: request.parameter("Value"),
        };
        assert_eq!(request.parameter("TTL"), "600");
        assert_eq!(request.parameter("Line"), "default");
        match fault {
            Fault::WrongValue => record.value.push('x'),
            Fault::WrongName => record.relative_name.push_str(".shop.example"),
            Fault::WrongZone => record.zone.push_str(".cn"),
            _ => {}
        }
        let is_served = !matches!(fault, Fault::Nothing | Fault::NotServed | Fault::WrongZone);
        let id = self.count;
        self.count += 1;
        if is_served {
            self.writer
                .add(&record.relative_name, &record.kind, &record.value);
        }
        if fault != Fault::Nothing {
            self.records.push(record);
        }
        if fault == Fault::LostReply {
            return StubReply {
                status: 502,
                headers: vec![("content-type", "text/html".to_owned())],
                body: "<html>bad gateway</html>".to_owned(),
            };
        }
        StubReply::json(
            200,
            format!("{{\"RequestId\":\"R-2\",\"RecordId\":\"{id}\"}}"),
        )
    }

    fn delete(&mut self, request: &StubRequest, fault: Fault) -> StubReply {
        let id = request.parameter("RecordId");
        if fault != Fault::Nothing {
            let found = self.records.iter().position(|one| one.id.to_string() == id);
            let record = self.records.remove(found.unwrap());
            self.writer
                .delete(&record.relative_name, &record.kind, &record.value);
        }
        StubReply::json(
            200,
            format!("{{\"RequestId\":\"R-3\",\"RecordId\":\"{id}\"}}"),
        )
    }
}

fn error(status: u16, code: &str, message: &str) -> StubReply {
    let body = format!(
        "{{\"RequestId\":\"R-9\",\"HostId\":\"alidns.aliyuncs.com\",\"Code\":\"{code}\",\"Message\":{message:?},\
         \"Recommend\":\"\"}}"
    );
    StubReply::json(status, body)
}

/// A zone at the stub, with its name server.
struct AliDnsZone {
    zone: UpdatableZone,
    stub: StubApi,
    fault: Arc<Mutex<Fault>>,
}

impl AliDnsZone {
    fn start(number: u8, records: &[(&str, &str, &str)]) -> Self {
        let served: String = records
            .iter()
            .map(|(name, kind, value)| format!("{name} {kind} {value}\n"))
            .collect();
        let zone = UpdatableZone::start(number, &served, "");
        let fault = Arc::<Mutex<Fault>>::default();
        let known = records.iter().enumerate();
        let mut state = AliDnsStub {
            writer: zone.writer(),
            records: known
                .map(|(id, (name, kind, value))| StubRecord {
                    id,
                    zone: ZONE.to_owned(),
                    relative_name: (*name).to_owned(),
                    kind: (*kind).to_owned(),
                    value: (*value).to_owned(),
                })
                .collect(),
            count: records.len(),
            throttled: 0,
            fault: Arc::clone(&fault),
            page: 2,
        };
        let stub = StubApi::start(move |request| state.answer(request));
        let text = format!(
            "[dns.alidns]\naccess_key_id = \"{ID}\"\naccess_key_secret = \"{SECRET}\"\napi_url = \"{0}\"\n\
             [dns.alidns.sts]\naccess_key_id = \"{ID}\"\naccess_key_secret = \"{SECRET}\"\n\
             security_token = \"{TOKEN}\"\napi_url = \"{0}\"\n",
            stub.url
        );
        let path = "tree/etc/certctl/credentials.toml";
        zone.sandbox.write_key(path, text);
        Self { zone, stub, fault }
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn publish(&self, dns: &str, record: &str) -> Run {
        let args = ["--dns", dns, "--record", record, "--wait=1s", "-v"];
        self.check(self.zone.publish(&args))
    }

    fn remove(&self) -> Run {
        self.check(self.zone.publish(&[ZONE, "--remove", "--wait=1s"]))
    }

    /// No credential appears in any output.
    fn check(&self, run: Run) -> Run {
        for planted in [ID, SECRET, TOKEN] {
            assert!(!run.to_string().contains(planted), "{run}");
        }
        run
    }
}

#[test]
fn records_are_published_and_removed_by_value() {
    with_port_53("records_are_published_and_removed_by_value", || {
        let others = [
            ("_acme-challenge", "TXT", "a"),
            ("_acme-challenge", "TXT", "b"),
            ("_acme-challenge", "TXT", "c"),
        ];
        let at = AliDnsZone::start(0, &others);
        let run = at
            .publish("alidns", &format!("{CHALLENGE} TXT first; b=c d*e~f"))
            .expect(0);
        assert_eq!(verdict(&run), "published");
        let run = at
            .publish("alidns@sts", &format!("_x.{ZONE} CNAME a.example.org"))
            .expect(0);
        assert_eq!(verdict(&run), "published");
        let run = at
            .publish("alidns", &format!("{CHALLENGE} TXT b"))
            .expect(0);
        assert_eq!(verdict(&run), "unchanged");
        // The last one of three pages is found, and only it is removed.
        let run = at.remove().expect(0);
        assert_eq!(verdict(&run), "removed");
        assert_eq!(at.zone.values("TXT", CHALLENGE), ["a", "b", "c"]);
        assert!(at.zone.values("CNAME", &format!("_x.{ZONE}")).is_empty());
        check_signatures(&at.stub.requests());
    });
}

/// The official SDK computes the signature of each request again.
fn check_signatures(requests: &[StubRequest]) {
    const PROGRAM: &str = "
import json, sys
from urllib.parse import parse_qsl
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
for one in json.loads(sys.argv[1]):
    request = DaraRequest()
    request.method, request.pathname = 'POST', '/'
    request.query = dict(parse_qsl(one['query'], keep_blank_values=True))
    request.headers = {name: value for name, value in one['headers'].items() if name == 'host' or name.startswith('x-acs-')}
    payload = one['headers']['x-acs-content-sha256']
    expected = Utils.get_authorization(request, 'ACS3-HMAC-SHA256', payload, sys.argv[2], sys.argv[3])
    assert one['headers']['authorization'] == expected, (one, expected)
    print('signed', one['headers']['x-acs-action'])
";
    let mut documents = Vec::new();
    let mut nonces = Vec::new();
    for request in requests {
        let headers = request.headers.iter();
        let headers: Vec<String> = headers
            .map(|(name, value)| format!("{name:?}:{value:?}"))
            .collect();
        documents.push(format!(
            "{{\"query\":{:?},\"headers\":{{{}}}}}",
            request.query,
            headers.join(",")
        ));
        nonces.push(&request.headers["x-acs-signature-nonce"]);
    }
    let mut python = std::process::Command::new(test_python());
    python.args([
        "-c",
        PROGRAM,
        &format!("[{}]", documents.join(",")),
        ID,
        SECRET,
    ]);
    let printed = succeed(&mut python);
    assert_eq!(
        printed.matches("signed ").count(),
        requests.len(),
        "{printed}"
    );
    for action in [
        "AddDomainRecord",
        "DescribeSubDomainRecords",
        "DeleteDomainRecord",
    ] {
        assert!(printed.contains(action), "{printed}");
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), requests.len());
}

#[test]
fn success_that_the_api_reports_is_no_proof() {
    with_port_53("success_that_the_api_reports_is_no_proof", || {
        let at = AliDnsZone::start(1, &[]);
        for (index, (fault, code)) in [
            (Fault::Nothing, "provider-did-nothing"),
            (Fault::WrongValue, "provider-did-nothing"),
            (Fault::WrongName, "provider-did-nothing"),
            (Fault::WrongZone, "provider-did-nothing"),
            (Fault::NotServed, "record-not-visible"),
        ]
        .into_iter()
        .enumerate()
        {
            at.set(fault);
            let run = at
                .publish("alidns", &format!("{CHALLENGE} TXT value{index}"))
                .expect(1);
            assert_eq!(verdict(&run), "not-visible", "{fault:?}");
            assert!(codes(&run.json()).contains(&code), "{fault:?}: {run}");
        }
        // The same when it removes.
        at.set(Fault::None);
        at.publish("alidns", &format!("_y.{ZONE} TXT kept"))
            .expect(0);
        at.set(Fault::Nothing);
        let run = at
            .zone
            .publish(&[&format!("_y.{ZONE}"), "--remove"])
            .expect(1);
        assert!(
            codes(&run.json()).contains(&"provider-did-nothing"),
            "{run}"
        );
        at.set(Fault::None);
        at.zone
            .publish(&[&format!("_y.{ZONE}"), "--remove"])
            .expect(0);
    });
}

#[test]
fn a_lost_answer_and_a_limited_rate_are_no_failures() {
    with_port_53("a_lost_answer_and_a_limited_rate_are_no_failures", || {
        let at = AliDnsZone::start(2, &[]);
        at.set(Fault::LostReply);
        let run = at
            .publish("alidns", &format!("{CHALLENGE} TXT first"))
            .expect(0);
        assert_eq!(verdict(&run), "published");
        at.set(Fault::Throttled);
        let run = at
            .publish("alidns", &format!("{CHALLENGE} TXT second"))
            .expect(0);
        assert_eq!(verdict(&run), "published");
        assert_eq!(at.zone.values("TXT", CHALLENGE), ["first", "second"]);
    });
}

#[test]
fn errors_of_the_api_become_advice() {
    with_port_53("errors_of_the_api_become_advice", || {
        let at = AliDnsZone::start(3, &[]);
        let signed =
            format!("Specified signature is not matched. server string to sign is:{ID}&{SECRET}");
        let signed: &'static str = Box::leak(signed.into_boxed_str());
        for (status, code, message, advice) in [
            (
                404,
                "InvalidAccessKeyId.NotFound",
                "Specified access key is not found.",
                "AccessKey",
            ),
            (400, "SignatureDoesNotMatch", signed, "AccessKey"),
            (
                400,
                "InvalidTimeStamp.Expired",
                "Specified time stamp is expired.",
                "clock",
            ),
            (
                403,
                "Forbidden.RAM",
                "User not authorized.",
                "certctl explain alidns",
            ),
            (
                400,
                "InvalidDomainName.NoExist",
                "The domain name does not exist.",
                "account that has the zone",
            ),
            (
                400,
                "DomainRecordConflict",
                "DNS record conflict.",
                "another record",
            ),
            (
                400,
                "QuotaExceeded.Record",
                "Too many records.",
                "larger edition",
            ),
            (500, "InternalError", "Something failed.", "later"),
        ] {
            at.set(Fault::Refusal(status, code, message));
            let run = at
                .publish("alidns", &format!("{CHALLENGE} TXT first"))
                .expect(4);
            assert_eq!(verdict(&run), "refused", "{code}");
            assert!(run.stdout.contains(code), "{code}: {run}");
            assert!(run.stdout.contains(advice), "{code}: {run}");
        }
        // Nothing was added, so that there is nothing to remove, except where that is not known.
        let entries = std::fs::read_dir(at.zone.sandbox.join("tree/var/lib/certctl/records"));
        assert_eq!(entries.unwrap().count(), 1);
    });
}

#[test]
fn what_is_missing_is_shown_as_an_example() {
    let sandbox = support::Sandbox::new();
    let record = format!("{CHALLENGE} TXT first");
    let run = sandbox
        .run(&[
            "--root",
            "tree",
            "dcv-publish",
            "--json",
            "--dns",
            "alidns",
            "--record",
            &record,
        ])
        .expect(3);
    let document = run.json();
    let lines = &document["error"]["next"][1]["lines"];
    let lines: Vec<&str> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert_eq!(lines[0], "[dns.alidns]");
    assert_eq!(lines.len(), 3, "{run}");
    let json: Json = sandbox
        .run(&["explain", "alidns", "--json"])
        .expect(0)
        .json();
    assert!(
        json.to_string().contains("alidns:DescribeSubDomainRecords"),
        "{json}"
    );
}

#[test]
fn a_killed_run_loses_no_record() {
    with_port_53("a_killed_run_loses_no_record", || {
        let at = AliDnsZone::start(4, &[("_acme-challenge", "TXT", "other")]);
        kill_at_calls(&at.zone, "alidns", 3);
    });
}

/// The key signs; it is never sent.
#[test]
fn the_key_is_only_read() {
    with_port_53("the_key_is_only_read", || {
        let at = AliDnsZone::start(5, &[]);
        check_secret(&at.zone, "alidns", SECRET);
    });
}
