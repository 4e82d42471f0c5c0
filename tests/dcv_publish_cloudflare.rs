//! Tests `certctl dcv-publish --dns cloudflare` against a stub that is built from Cloudflare's API
//! reference (v4), with a real name server behind it.
//! Needs: ip kdig knotd knsupdate prlimit strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::sync::{Arc, Mutex};

use support::Run;
use support::dns::{ZONE, with_port_53};
use support::json::Json;
use support::stub_api::{StubApi, StubReply, StubRequest};
use support::traced_publication::{check_secret, kill_at_calls};
use support::updatable_zone::{CHALLENGE, UpdatableZone, ZoneWriter, codes, verdict};

const TOKEN: &str = "planted_Cloudflare-token0123456789abcdef";
const ZONE_ID: &str = "023e105f4ecef8ad9ca31a8372d0c353";

/// How the stub differs from the documentation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fault {
    #[default]
    None,
    Nothing,
    NotServed,
    WrongValue,
    /// The record exists at the provider before it is added.
    Race,
    /// The token may not read or write.
    Forbidden,
    /// It refuses the first request because of the rate.
    Throttled,
    OtherZone,
    NoSuccess,
    /// A record that was removed is added again once, after the list without it was read: as if the
    /// change of a killed run had arrived late.
    Late,
}

#[derive(Clone, Debug)]
struct StubRecord {
    id: String,
    name: String,
    kind: String,
    /// As it is shown: a text in quotation marks.
    content: String,
    proxied: bool,
}

struct CloudflareStub {
    writer: ZoneWriter,
    records: Vec<StubRecord>,
    count: usize,
    throttled: bool,
    late: Option<StubRecord>,
    fault: Arc<Mutex<Fault>>,
}

impl CloudflareStub {
    fn answer(&mut self, request: &StubRequest) -> StubReply {
        let fault = *self.fault.lock().unwrap();
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        if fault == Fault::Throttled && !std::mem::replace(&mut self.throttled, true) {
            let mut reply = error(429, 10429, "Rate limited.");
            reply.headers.push(("retry-after", "1".to_owned()));
            return reply;
        }
        if fault == Fault::Forbidden {
            return error(403, 10000, "Authentication error");
        }
        let records = format!("/client/v4/zones/{ZONE_ID}/dns_records");
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/client/v4/zones") => {
                let name = if fault == Fault::OtherZone {
                    "example"
                } else {
                    ZONE
                };
                success(
                    &format!(
                        "[{{\"id\":\"{ZONE_ID}\",\"name\":\"{name}\",\"status\":\"active\"}}]"
                    ),
                    1,
                )
            }
            ("GET", path) if path == records => self.list(request),
            ("POST", path) if path == records => self.add(request, fault),
            ("DELETE", path) => {
                let id = path
                    .strip_prefix(&format!("{records}/"))
                    .unwrap()
                    .to_owned();
                let found = self.records.iter().position(|one| one.id == id).unwrap();
                let record = self.records.remove(found);
                let name = relative(&record.name);
                self.writer
                    .delete(name, &record.kind, record.content.trim_matches('"'));
                if fault == Fault::Late {
                    self.late = Some(record);
                    *self.fault.lock().unwrap() = Fault::None;
                }
                success(&format!("{{\"id\":\"{id}\"}}"), 1)
            }
            (method, path) => panic!("{method} {path} is not a request that certctl needs"),
        }
    }

    fn list(&mut self, request: &StubRequest) -> StubReply {
        let page: usize = request.parameter("page").parse().unwrap();
        let name = request.parameter("name");
        let all: Vec<&StubRecord> = self.records.iter().filter(|one| one.name == name).collect();
        let listed: Vec<String> = all
            .chunks(2)
            .nth(page - 1)
            .unwrap_or_default()
            .iter()
            .map(|record| {
                format!(
                    "{{\"id\":\"{}\",\"name\":\"{}\",\"type\":\"{}\",\"content\":{:?},\"proxied\":{},\"ttl\":60}}",
                    record.id, record.name, record.kind, record.content, record.proxied
                )
            })
            .collect();
        let reply = success(
            &format!("[{}]", listed.join(",")),
            all.len().div_ceil(2).max(1),
        );
        if let Some(record) = self.late.take() {
            let value = record.content.trim_matches('"');
            self.writer.add(relative(&record.name), &record.kind, value);
            self.records.push(record);
        }
        reply
    }

    fn add(&mut self, request: &StubRequest, fault: Fault) -> StubReply {
        let body: Json = request.body.parse().unwrap();
        assert_eq!(body["proxied"], false);
        assert_eq!(body["ttl"], 60);
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let mut record = StubRecord {
            id: format!("record{}", self.count),
            name: text("name"),
            kind: text("type"),
            content: text("content"),
            proxied: false,
        };
        self.count += 1;
        if fault == Fault::WrongValue {
            record.content = "\"another\"".to_owned();
        }
        let id = record.id.clone();
        if fault == Fault::Nothing {
            return success(&format!("{{\"id\":\"{id}\"}}"), 1);
        }
        if fault != Fault::NotServed {
            let value = record.content.trim_matches('"');
            self.writer.add(relative(&record.name), &record.kind, value);
        }
        self.records.push(record);
        match fault {
            Fault::Race => error(400, 81058, "An identical record already exists."),
            Fault::NoSuccess => StubReply::json(
                200,
                "{\"success\":false,\"errors\":[],\"messages\":[],\"result\":{\"id\":\"x\"}}",
            ),
            _ => success(&format!("{{\"id\":\"{id}\"}}"), 1),
        }
    }
}

fn relative(name: &str) -> &str {
    name.strip_suffix(&format!(".{ZONE}")).unwrap()
}

fn success(result: &str, pages: usize) -> StubReply {
    let body = format!(
        "{{\"success\":true,\"errors\":[],\"messages\":[],\"result\":{result},\"result_info\":{{\"page\":1,\
         \"per_page\":100,\"total_pages\":{pages}}}}}"
    );
    StubReply::json(200, body)
}

fn error(status: u16, code: u32, message: &str) -> StubReply {
    let body = format!(
        "{{\"success\":false,\"errors\":[{{\"code\":{code},\"message\":\"{message}\"}}],\"messages\":[],\"result\":null}}"
    );
    StubReply::json(status, body)
}

/// A zone at the stub, with its name server.
struct CloudflareZone {
    zone: UpdatableZone,
    _stub: StubApi,
    fault: Arc<Mutex<Fault>>,
}

impl CloudflareZone {
    fn start(number: u8, records: &[StubRecord]) -> Self {
        let served: String = records
            .iter()
            .filter(|record| !record.proxied)
            .map(|record| format!("{}. {} {}\n", record.name, record.kind, record.content))
            .collect();
        let zone = UpdatableZone::start(number, &served, "");
        let fault = Arc::<Mutex<Fault>>::default();
        let mut state = CloudflareStub {
            writer: zone.writer(),
            records: records.to_vec(),
            count: records.len(),
            throttled: false,
            late: None,
            fault: Arc::clone(&fault),
        };
        let stub = StubApi::start(move |request| state.answer(request));
        let text = format!(
            "[dns.cloudflare]\napi_token = \"{TOKEN}\"\napi_url = \"{}/client/v4\"\n",
            stub.url
        );
        let path = "tree/etc/certctl/credentials.toml";
        zone.sandbox.write_key(path, text);
        Self {
            zone,
            _stub: stub,
            fault,
        }
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn publish(&self, record: &str) -> Run {
        let args = ["--dns", "cloudflare", "--record", record, "--wait=1s", "-v"];
        let run = self.zone.publish(&args);
        assert!(!run.to_string().contains(TOKEN), "{run}");
        run
    }
}

fn text_record(number: usize) -> StubRecord {
    StubRecord {
        id: format!("record{number}"),
        name: CHALLENGE.to_owned(),
        kind: "TXT".to_owned(),
        content: format!("\"other{number}\""),
        proxied: false,
    }
}

#[test]
fn records_are_published_and_removed_by_value() {
    with_port_53("records_are_published_and_removed_by_value", || {
        let at = CloudflareZone::start(0, &[0, 1, 2].map(text_record));
        let run = at.publish(&format!("{CHALLENGE} TXT first")).expect(0);
        assert_eq!(verdict(&run), "published");
        let run = at
            .publish(&format!("_x.{ZONE} CNAME a.example.org"))
            .expect(0);
        assert_eq!(verdict(&run), "published");
        let run = at.publish(&format!("{CHALLENGE} TXT other2")).expect(0);
        assert_eq!(verdict(&run), "unchanged");
        let run = at.zone.publish(&[ZONE, "--remove"]).expect(0);
        assert_eq!(verdict(&run), "removed");
        assert_eq!(
            at.zone.values("TXT", CHALLENGE),
            ["other0", "other1", "other2"]
        );
        assert!(at.zone.values("CNAME", &format!("_x.{ZONE}")).is_empty());
    });
}

#[test]
fn success_that_the_api_reports_is_no_proof() {
    with_port_53("success_that_the_api_reports_is_no_proof", || {
        let at = CloudflareZone::start(1, &[]);
        for (index, (fault, code)) in [
            (Fault::Nothing, "provider-did-nothing"),
            (Fault::WrongValue, "provider-did-nothing"),
            (Fault::NotServed, "record-not-visible"),
        ]
        .into_iter()
        .enumerate()
        {
            at.set(fault);
            let run = at
                .publish(&format!("{CHALLENGE} TXT value{index}"))
                .expect(1);
            assert_eq!(verdict(&run), "not-visible", "{fault:?}");
            assert!(codes(&run.json()).contains(&code), "{fault:?}: {run}");
        }
        // What is there counts, not what the answer says.
        for (fault, value) in [(Fault::Race, "race"), (Fault::NoSuccess, "no-success")] {
            at.set(fault);
            let run = at.publish(&format!("{CHALLENGE} TXT {value}")).expect(0);
            assert_eq!(verdict(&run), "published", "{fault:?}");
        }
    });
}

#[test]
fn errors_of_the_api_become_advice() {
    with_port_53("errors_of_the_api_become_advice", || {
        let proxied = StubRecord {
            name: format!("_p.{ZONE}"),
            kind: "CNAME".to_owned(),
            content: "a.example.org".to_owned(),
            proxied: true,
            ..text_record(0)
        };
        let at = CloudflareZone::start(2, &[proxied]);
        let record = format!("{CHALLENGE} TXT first");
        at.set(Fault::Forbidden);
        let run = at.publish(&record).expect(4);
        assert!(run.stdout.contains("Zone Read and DNS Write"), "{run}");
        at.set(Fault::OtherZone);
        let run = at.publish(&record).expect(3);
        assert!(run.stdout.contains("no zone shop.example"), "{run}");
        at.set(Fault::Throttled);
        let run = at.publish(&record).expect(0);
        assert_eq!(verdict(&run), "published");
        at.set(Fault::None);
        let run = at
            .publish(&format!("_p.{ZONE} CNAME a.example.org"))
            .expect(3);
        assert!(run.stdout.contains("DNS only"), "{run}");
    });
}

#[test]
fn a_record_that_returns_is_removed_again() {
    with_port_53("a_record_that_returns_is_removed_again", || {
        let at = CloudflareZone::start(5, &[]);
        at.publish(&format!("{CHALLENGE} TXT first")).expect(0);
        at.set(Fault::Late);
        let run = at.zone.publish(&[ZONE, "--remove", "--wait=30s"]).expect(0);
        assert_eq!(verdict(&run), "removed");
        assert!(at.zone.values("TXT", CHALLENGE).is_empty());
        let again = at.zone.publish(&[ZONE, "--remove"]).expect(3);
        assert!(again.stdout.contains("has not published"), "{again}");
    });
}

#[test]
fn a_killed_run_loses_no_record() {
    with_port_53("a_killed_run_loses_no_record", || {
        let other = StubRecord {
            content: "\"other\"".to_owned(),
            ..text_record(0)
        };
        let at = CloudflareZone::start(3, &[other]);
        kill_at_calls(&at.zone, "cloudflare", 3);
    });
}

#[test]
fn the_token_is_only_read_and_sent() {
    with_port_53("the_token_is_only_read_and_sent", || {
        let at = CloudflareZone::start(4, &[]);
        check_secret(&at.zone, "cloudflare", TOKEN);
    });
}
