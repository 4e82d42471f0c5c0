//! A stub: an ACME CA in this process, for what pebble cannot do: answers that are wrong, hostile or
//! late. It checks no signatures and validates every name at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::ca::TestCa;
use super::json::Json;
use super::stub_api::{StubApi, StubReply, StubRequest};

/// A token of the length that CAs use.
pub const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";

/// What the CA does differently; the default is a CA that works.
#[derive(Clone, Default)]
pub struct StubBehaviour {
    /// Answers that replace the usual ones, by path; a path that ends in `*` is a beginning.
    pub replies: BTreeMap<&'static str, StubReply>,
    /// The token of every challenge, in place of [`TOKEN`].
    pub token: Option<String>,
    /// Whether an order stays in the state `processing`.
    pub stays_processing: bool,
    /// `Retry-After` of an order in that state.
    pub retry_after: Option<String>,
    /// `caaIdentities` of the directory.
    pub caa_identities: Vec<&'static str>,
    /// `profiles` of the directory.
    pub profiles: Vec<&'static str>,
    /// Whether the CA says that every certificate is due (RFC 9773), and refuses orders that replace one,
    /// because another order has replaced it.
    pub has_replaced_all: bool,
}

/// What the CA remembers.
#[derive(Default)]
struct StubState {
    has_account: bool,
    orders: Vec<StubOrder>,
}

struct StubOrder {
    identifiers: Json,
    status: &'static str,
    request: String,
    deactivated: bool,
}

/// The CA, which ends when the value is dropped.
pub struct StubCa {
    pub api: StubApi,
    pub authority: Arc<TestCa>,
    behaviour: Arc<Mutex<StubBehaviour>>,
}

impl StubCa {
    pub fn start(behaviour: StubBehaviour) -> Self {
        let authority = Arc::new(TestCa::new());
        let behaviour = Arc::new(Mutex::new(behaviour));
        let mut state = StubState::default();
        let (issuer, current) = (Arc::clone(&authority), Arc::clone(&behaviour));
        let api = StubApi::start(move |request| {
            let behaviour = current.lock().unwrap().clone();
            let mut reply = match behaviour.reply(&request.path) {
                Some(reply) => reply,
                None => state.answer(request, &behaviour, &issuer),
            };
            reply.headers.push(("replay-nonce", "nonce-1".to_owned()));
            reply
        });
        Self {
            api,
            authority,
            behaviour,
        }
    }

    /// The URL of the directory.
    pub fn directory(&self) -> String {
        format!("{}/dir", self.api.url)
    }

    /// Changes what it does from now on.
    pub fn behave(&self, behaviour: StubBehaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// How often a path was requested.
    pub fn count(&self, path: &str) -> usize {
        let requests = self.api.requests();
        requests.iter().filter(|one| one.path == path).count()
    }

    /// The payloads that were sent to a path.
    pub fn payloads(&self, path: &str) -> Vec<Json> {
        let requests = self.api.requests().into_iter();
        let sent = requests.filter(|one| one.path == path);
        sent.map(|request| payload(&request)).collect()
    }
}

impl StubBehaviour {
    /// A CA that answers one path with this.
    pub fn replying(path: &'static str, reply: StubReply) -> Self {
        Self {
            replies: BTreeMap::from([(path, reply)]),
            ..Self::default()
        }
    }

    fn reply(&self, path: &str) -> Option<StubReply> {
        let mut replies = self.replies.iter();
        let found = replies.find(|(pattern, _)| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == **pattern,
        });
        found.map(|(_, reply)| reply.clone())
    }
}

/// A problem document (RFC 9457).
pub fn problem(status: u16, kind: &str, detail: &str) -> StubReply {
    let kind = format!("urn:ietf:params:acme:error:{kind}");
    let body = json!({"type": kind, "detail": detail, "status": status});
    StubReply {
        headers: vec![("content-type", "application/problem+json".to_owned())],
        ..StubReply::json(status, body.to_string())
    }
}

/// What the message contains; an empty object for a request that only reads.
fn payload(request: &StubRequest) -> Json {
    if request.body.is_empty() {
        return Json::from(json!({}));
    }
    let message = Json::parse(&request.body);
    let payload = message["payload"].as_str().unwrap();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    if payload.is_empty() {
        return Json::from(json!({}));
    }
    Json::parse(&String::from_utf8(payload).unwrap())
}

fn reply(status: u16, body: impl ToString) -> StubReply {
    StubReply::json(status, body.to_string())
}

/// The number at the end of a path.
fn number_of(path: &str) -> usize {
    let digits = path.rsplit('/').next().unwrap();
    digits.parse().unwrap()
}

impl StubState {
    fn answer(
        &mut self,
        request: &StubRequest,
        behaviour: &StubBehaviour,
        authority: &TestCa,
    ) -> StubReply {
        let base = format!("http://{}", request.headers["host"]);
        let payload = payload(request);
        let kind = request.path.split('/').nth(1).unwrap_or_default();
        match kind {
            "dir" => reply(200, directory(&base, behaviour)),
            "nonce" => StubReply::json(200, ""),
            "account" => self.account(&base, &payload),
            "renewal-info" => reply(200, long_due()),
            "order" if request.path == "/order" => {
                if behaviour.has_replaced_all && payload.get("replaces").is_some() {
                    return problem(409, "alreadyReplaced", "another order has replaced it");
                }
                self.new_order(&base, &payload)
            }
            "order" => self.show_order(&base, number_of(&request.path), behaviour),
            "authz" => self.authorization(&base, &request.path, &payload, behaviour),
            "chall" => self.challenge(&base, &request.path, behaviour),
            "finalize" => self.finalize(&base, number_of(&request.path), &payload, behaviour),
            "cert" => self.certificate(number_of(&request.path), authority),
            _ => problem(404, "malformed", "no such page"),
        }
    }

    fn account(&mut self, base: &str, payload: &Json) -> StubReply {
        if !self.has_account && payload.get("onlyReturnExisting").is_some() {
            return problem(400, "accountDoesNotExist", "no account");
        }
        self.has_account = true;
        let mut created = reply(201, json!({"status": "valid"}));
        created.headers.push(("location", format!("{base}/acct/1")));
        created
    }

    fn new_order(&mut self, base: &str, payload: &Json) -> StubReply {
        self.orders.push(StubOrder {
            identifiers: payload["identifiers"].clone(),
            status: "pending",
            request: String::new(),
            deactivated: false,
        });
        let number = self.orders.len() - 1;
        let mut created = reply(201, self.order_document(base, number));
        created
            .headers
            .push(("location", format!("{base}/order/{number}")));
        created
    }

    fn order_document(&self, base: &str, number: usize) -> Json {
        let order = &self.orders[number];
        let count = order.identifiers.as_array().unwrap().len();
        let authorizations: Vec<String> = (0..count)
            .map(|index| format!("{base}/authz/{number}-{index}"))
            .collect();
        let mut document = Json::from(json!({
            "status": order.status,
            "identifiers": order.identifiers.value(),
            "authorizations": authorizations,
            "finalize": format!("{base}/finalize/{number}"),
        }));
        if order.status == "valid" {
            document.set("certificate", format!("{base}/cert/{number}"));
        }
        document
    }

    fn show_order(&mut self, base: &str, number: usize, behaviour: &StubBehaviour) -> StubReply {
        let order = &mut self.orders[number];
        if order.status == "processing" && !behaviour.stays_processing {
            order.status = "valid";
        }
        let is_waiting = order.status == "processing";
        let mut shown = reply(200, self.order_document(base, number));
        if let Some(wait) = behaviour.retry_after.as_ref().filter(|_| is_waiting) {
            shown.headers.push(("retry-after", wait.clone()));
        }
        shown
    }

    fn authorization(
        &mut self,
        base: &str,
        path: &str,
        payload: &Json,
        behaviour: &StubBehaviour,
    ) -> StubReply {
        let name = path.rsplit('/').next().unwrap();
        let (number, index) = name.split_once('-').unwrap();
        let (number, index): (usize, usize) = (number.parse().unwrap(), index.parse().unwrap());
        let order = &mut self.orders[number];
        if payload.get("status").is_some() {
            order.deactivated = true;
        }
        let status = match (order.deactivated, order.status) {
            (true, _) => "deactivated",
            (_, "pending") => "pending",
            _ => "valid",
        };
        let token = behaviour.token.as_deref().unwrap_or(TOKEN);
        let challenge = |kind: &str| {
            json!({
                "type": kind,
                "url": format!("{base}/chall/{number}"),
                "status": status,
                "token": token,
            })
        };
        let document = json!({
            "status": status,
            "identifier": order.identifiers[index].value(),
            "challenges": [challenge("http-01"), challenge("dns-01")],
        });
        reply(200, document)
    }

    fn challenge(&mut self, base: &str, path: &str, behaviour: &StubBehaviour) -> StubReply {
        let number = number_of(path);
        self.orders[number].status = "ready";
        let token = behaviour.token.as_deref().unwrap_or(TOKEN);
        let document = json!({
            "type": "http-01",
            "url": format!("{base}/chall/{number}"),
            "status": "valid",
            "token": token,
        });
        reply(200, document)
    }

    fn finalize(
        &mut self,
        base: &str,
        number: usize,
        payload: &Json,
        behaviour: &StubBehaviour,
    ) -> StubReply {
        let order = &mut self.orders[number];
        payload["csr"]
            .as_str()
            .unwrap()
            .clone_into(&mut order.request);
        order.status = "processing";
        let mut shown = reply(200, self.order_document(base, number));
        if let Some(wait) = &behaviour.retry_after {
            shown.headers.push(("retry-after", wait.clone()));
        }
        shown
    }

    fn certificate(&self, number: usize, authority: &TestCa) -> StubReply {
        let der = BASE64_URL_SAFE_NO_PAD
            .decode(&self.orders[number].request)
            .unwrap();
        let request = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der));
        let chain = authority.issue(&request) + &authority.intermediate_pem();
        StubReply {
            status: 200,
            headers: vec![(
                "content-type",
                "application/pem-certificate-chain".to_owned(),
            )],
            body: chain,
        }
    }
}

/// Renewal information with a window that has passed (RFC 9773 4.2).
fn long_due() -> Json {
    Json::from(json!({
        "suggestedWindow": {
            "start": "2026-01-01T00:00:00Z",
            "end": "2026-01-02T00:00:00Z",
        },
    }))
}

fn directory(base: &str, behaviour: &StubBehaviour) -> Json {
    let mut profiles = Json::from(json!({}));
    for name in &behaviour.profiles {
        profiles.set(name, "a profile");
    }
    let mut directory = Json::from(json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/account"),
        "newOrder": format!("{base}/order"),
        "revokeCert": format!("{base}/revoke"),
        "keyChange": format!("{base}/key-change"),
        "meta": {
            "caaIdentities": behaviour.caa_identities,
            "profiles": profiles.value(),
        },
    }));
    if behaviour.has_replaced_all {
        directory.set("renewalInfo", format!("{base}/renewal-info"));
    }
    directory
}
