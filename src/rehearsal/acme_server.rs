//! An ACME server (RFC 8555) for one rehearsal: ECDSA P-256 accounts, dns-01, and renewal information
//! (RFC 9773). It checks signatures, nonces and URLs as a CA does, and looks up the records itself.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::acme_message::{self, SignedBy, VerifiedMessage};
use super::acme_orders::{AcmeRefusal, EmbeddedOrder, JSON, NameState, OrderedName};
use super::ca::RehearsalCa;
use crate::pki::certificate::Certificate;
use crate::pki::request::SigningRequest;
use crate::system::serve::dns;
use crate::system::serve::http::{HttpServer, ServedReply, ServedRequest};

/// How long its certificates are valid, as those of Let's Encrypt.
pub(crate) const ACME_DAYS: i64 = 90;
/// When it suggests to renew a certificate, unless it asks for an early renewal.
const RENEWAL_DAYS: i64 = 60;
const VALID_ACCOUNT: &str = r#"{"status": "valid"}"#;

/// A CA with ACME. Clones share the accounts and orders.
#[derive(Clone, Debug)]
pub(crate) struct AcmeServer {
    authority: Arc<RehearsalCa>,
    resolver: SocketAddr,
    now: Timestamp,
    state: Arc<Mutex<AcmeState>>,
}

#[derive(Debug, Default)]
struct AcmeState {
    nonces: HashSet<String>,
    /// The public keys, as JSON Web Keys; the number of an account is its index.
    accounts: Vec<Value>,
    orders: Vec<EmbeddedOrder>,
    asks_for_early_renewal: bool,
}

/// A signed request of an account.
struct AcmeCall {
    /// `http://127.0.0.1:1234`.
    base: String,
    account: usize,
    payload: Value,
    /// The number of an order in the URL.
    order: usize,
    /// The number of a name in the URL.
    name: usize,
}

impl AcmeCall {
    fn challenge_url(&self) -> String {
        let base = &self.base;
        let order = self.order;
        let name = self.name;
        format!("{base}/challenge/{order}/{name}")
    }
}

type AcmeReply = Result<ServedReply, AcmeRefusal>;

impl AcmeServer {
    /// Creates a CA that issues for names whose records `resolver` knows.
    pub(crate) fn new(authority: RehearsalCa, resolver: SocketAddr, now: Timestamp) -> Self {
        Self {
            authority: Arc::new(authority),
            resolver,
            now,
            state: Arc::default(),
        }
    }

    /// Starts to listen; the directory is at `/directory`.
    ///
    /// # Errors
    /// When no loopback port is free.
    pub(crate) fn start(&self) -> Result<HttpServer> {
        let server = self.clone();
        let reply = move |request: &ServedRequest| server.reply(request);
        Ok(HttpServer::start(Arc::new(reply))?)
    }

    /// Returns the certificate that was issued last.
    pub(crate) fn last_issued(&self) -> Option<Certificate> {
        let state = self.lock();
        let mut newest_first = state.orders.iter().rev();
        newest_first.find_map(|order| order.leaf.clone())
    }

    /// From now on, suggests to renew every certificate at once, as a CA does before it revokes them.
    pub(crate) fn ask_for_early_renewal(&self) {
        self.lock().asks_for_early_renewal = true;
    }

    fn reply(&self, request: &ServedRequest) -> ServedReply {
        let answer = match self.answer(request) {
            Ok(reply) => reply,
            Err(refusal) => refusal.reply(),
        };
        answer.with_header("Replay-Nonce", self.new_nonce())
    }

    fn answer(&self, request: &ServedRequest) -> AcmeReply {
        let host = request.header("host").unwrap_or_default();
        let base = format!("http://{host}");
        let path = request.path().trim_start_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["directory"]) => Ok(directory(&base)),
            ("GET" | "HEAD", ["nonce"]) => Ok(ServedReply::new(200, JSON, "")),
            ("GET", ["renewal-info", _]) => Ok(self.renewal_info()),
            ("POST", ["account"]) => self.register(&base, request),
            ("POST", parts) => self.answer_signed(base, parts, request),
            _ => Err(AcmeRefusal::not_found()),
        }
    }

    /// Creates an account, or returns the one that the key has.
    fn register(&self, base: &str, request: &ServedRequest) -> AcmeReply {
        let message = self.verify(base, request)?;
        let SignedBy::Key(key) = message.signed_by else {
            return Err(AcmeRefusal::malformed("a new account needs its key"));
        };
        let mut state = self.lock();
        let mut accounts = state.accounts.iter();
        let known = accounts.position(|one| *one == key);
        let only_existing = message.payload["onlyReturnExisting"] == true;
        let (status, number) = match known {
            Some(number) => (200, number),
            None if only_existing => {
                return Err(AcmeRefusal {
                    status: 400,
                    kind: "accountDoesNotExist",
                    detail: "this key has no account".to_owned(),
                });
            }
            None => {
                let number = state.accounts.len();
                state.accounts.push(key);
                (201, number)
            }
        };
        let reply = ServedReply::new(status, JSON, VALID_ACCOUNT);
        let url = format!("{base}/account/{number}");
        Ok(reply.with_header("Location", url))
    }

    fn answer_signed(&self, base: String, parts: &[&str], request: &ServedRequest) -> AcmeReply {
        let message = self.verify(&base, request)?;
        let SignedBy::Account(account) = message.signed_by else {
            return Err(AcmeRefusal::malformed("this request needs an account"));
        };
        let call = AcmeCall {
            base,
            account,
            payload: message.payload,
            order: number_in(parts, 1),
            name: number_in(parts, 2),
        };
        match parts {
            ["account", _] => Ok(ServedReply::new(200, JSON, VALID_ACCOUNT)),
            ["order"] => self.create_order(&call),
            ["order", _] => self.show_order(&call),
            ["order", _, "finalize"] => self.finalize(&call),
            ["authorization", ..] => self.show_authorization(&call),
            ["challenge", ..] => self.validate(&call),
            ["certificate", ..] => self.send_certificate(&call),
            _ => Err(AcmeRefusal::not_found()),
        }
    }

    /// Checks signature, nonce and URL of a message (RFC 8555 section 6.2).
    fn verify(&self, base: &str, request: &ServedRequest) -> Result<VerifiedMessage, AcmeRefusal> {
        let mut state = self.lock();
        let message = acme_message::verify(&request.body, &state.accounts);
        let Some(message) = message else {
            return Err(AcmeRefusal::malformed("the signature is not valid"));
        };
        if !state.nonces.remove(&message.nonce) {
            return Err(AcmeRefusal {
                status: 400,
                kind: "badNonce",
                detail: "the nonce is not known".to_owned(),
            });
        }
        let target = &request.target;
        if message.url != format!("{base}{target}") {
            return Err(AcmeRefusal {
                status: 401,
                kind: "unauthorized",
                detail: "the message is signed for another URL".to_owned(),
            });
        }
        Ok(message)
    }

    fn create_order(&self, call: &AcmeCall) -> AcmeReply {
        let mut names = Vec::new();
        let identifiers = call.payload["identifiers"].as_array();
        for identifier in identifiers.into_iter().flatten() {
            let name = identifier["value"].as_str().unwrap_or_default();
            names.push(OrderedName {
                name: name.to_owned(),
                token: random_text(),
                state: NameState::Pending,
            });
        }
        if names.is_empty() {
            return Err(AcmeRefusal::malformed("an order needs a name"));
        }
        let order = EmbeddedOrder {
            account: call.account,
            names,
            leaf: None,
        };
        let mut state = self.lock();
        let number = state.orders.len();
        let mut reply = order_reply(&call.base, number, &order);
        reply.status = 201;
        state.orders.push(order);
        Ok(reply)
    }

    fn show_order(&self, call: &AcmeCall) -> AcmeReply {
        let mut state = self.lock();
        let order = state.order(call)?;
        Ok(order_reply(&call.base, call.order, order))
    }

    fn show_authorization(&self, call: &AcmeCall) -> AcmeReply {
        let mut state = self.lock();
        let order = state.order(call)?;
        let ordered = order.name(call.name)?;
        let document = ordered.authorization(&call.challenge_url());
        Ok(ServedReply::new(200, JSON, document.to_string()))
    }

    /// Looks up the record of a name.
    fn validate(&self, call: &AcmeCall) -> AcmeReply {
        let mut state = self.lock();
        let key = state.accounts.get(call.account);
        let thumbprint = key.map(acme_message::thumbprint).unwrap_or_default();
        let order = state.order(call)?;
        let ordered = order.name(call.name)?;
        let authorization = format!("{}.{thumbprint}", ordered.token);
        let hash = digest(&SHA256, authorization.as_bytes());
        let expected = encode(hash.as_ref());
        let record = format!("_acme-challenge.{}", ordered.bare_name());
        let found = self.texts(&record).unwrap_or_default();
        ordered.state = if found.contains(&expected) {
            NameState::Valid
        } else {
            NameState::Invalid
        };
        let document = ordered.challenge(&call.challenge_url());
        Ok(ServedReply::new(200, JSON, document.to_string()))
    }

    /// Returns the TXT records at a name. It does not use certctl's DNS client, so that a bug there is
    /// not hidden here.
    fn texts(&self, name: &str) -> Result<Vec<String>> {
        let mut query = Message::query();
        query.metadata.recursion_desired = true;
        let name = Name::from_ascii(format!("{name}."))?;
        query.add_query(Query::query(name, RecordType::TXT));
        let reply = dns::query_once(self.resolver, &query.to_vec()?)
            .context("the CA's DNS query got no answer")?;
        let mut texts = Vec::new();
        for record in Message::from_vec(&reply)?.answers {
            if let RData::TXT(text) = record.data {
                let bytes = text.txt_data.concat();
                let text = String::from_utf8_lossy(&bytes);
                texts.push(text.into_owned());
            }
        }
        Ok(texts)
    }

    fn finalize(&self, call: &AcmeCall) -> AcmeReply {
        let mut state = self.lock();
        let order = state.order(call)?;
        if order.status() != "ready" {
            return Err(AcmeRefusal {
                status: 403,
                kind: "orderNotReady",
                detail: "not every name is validated".to_owned(),
            });
        }
        let csr = call.payload["csr"].as_str();
        match self.issue(order, csr.unwrap_or_default()) {
            Ok(leaf) => order.leaf = Some(leaf),
            Err(error) => {
                return Err(AcmeRefusal {
                    status: 400,
                    kind: "badCSR",
                    detail: error.to_string(),
                });
            }
        }
        Ok(order_reply(&call.base, call.order, order))
    }

    fn issue(&self, order: &EmbeddedOrder, csr: &str) -> Result<Certificate> {
        let csr = BASE64_URL_SAFE_NO_PAD.decode(csr)?;
        let request = SigningRequest::from_der(&csr)?;
        let mut ordered = BTreeSet::new();
        for name in &order.names {
            ordered.insert(&name.name);
        }
        let requested = BTreeSet::from_iter(&request.dns_names);
        anyhow::ensure!(requested == ordered, "the names are not those of the order");
        self.authority.issue(&request, ACME_DAYS)
    }

    fn send_certificate(&self, call: &AcmeCall) -> AcmeReply {
        let mut state = self.lock();
        let order = state.order(call)?;
        let (Some(leaf), Ok(intermediate)) = (&order.leaf, self.authority.intermediate()) else {
            return Err(AcmeRefusal::not_found());
        };
        let chain = leaf.to_pem() + &intermediate.to_pem();
        let content_type = "application/pem-certificate-chain";
        Ok(ServedReply::new(200, content_type, chain))
    }

    fn renewal_info(&self) -> ServedReply {
        let day = |days: i64| self.now + SignedDuration::from_hours(24 * days);
        let (start, end) = if self.lock().asks_for_early_renewal {
            (day(-2), day(-1))
        } else {
            (day(RENEWAL_DAYS), day(RENEWAL_DAYS + 2))
        };
        let window = json!({
            "start": start,
            "end": end,
        });
        let document = json!({
            "suggestedWindow": window,
        });
        let reply = ServedReply::new(200, JSON, document.to_string());
        reply.with_header("Retry-After", "21600")
    }

    fn new_nonce(&self) -> String {
        let nonce = random_text();
        self.lock().nonces.insert(nonce.clone());
        nonce
    }

    /// Ignores poisoning: the state is consistent after every change.
    fn lock(&self) -> MutexGuard<'_, AcmeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AcmeState {
    /// Returns the order of a call, if it is one of the account that asks.
    fn order(&mut self, call: &AcmeCall) -> Result<&mut EmbeddedOrder, AcmeRefusal> {
        let order = self.orders.get_mut(call.order);
        let own = order.filter(|order| order.account == call.account);
        own.ok_or_else(AcmeRefusal::not_found)
    }
}

fn directory(base: &str) -> ServedReply {
    let meta = json!({
        "termsOfService": format!("{base}/terms"),
    });
    let document = json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/account"),
        "newOrder": format!("{base}/order"),
        "renewalInfo": format!("{base}/renewal-info"),
        "meta": meta,
    });
    ServedReply::new(200, JSON, document.to_string())
}

fn order_reply(base: &str, number: usize, order: &EmbeddedOrder) -> ServedReply {
    let document = order.document(base, number);
    let reply = ServedReply::new(200, JSON, document.to_string());
    let url = format!("{base}/order/{number}");
    reply.with_header("Location", url)
}

/// Returns the number in a part of a path; one that does not exist if there is none.
fn number_in(parts: &[&str], index: usize) -> usize {
    let part = parts.get(index);
    let number = part.and_then(|part| part.parse().ok());
    number.unwrap_or(usize::MAX)
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A text that cannot be guessed: 256 bits of entropy in base64url. Empty if the system has no random
/// numbers, which no client accepts.
fn random_text() -> String {
    let mut bytes = [0; 32];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => encode(&bytes),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::AcmeServer;
    use crate::acme::signer::{MessageSender, MessageSigner};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::rehearsal::ca::RehearsalCa;
    use crate::system::serve::http::{ServedReply, ServedRequest};

    const BASE: &str = "http://127.0.0.1:1";

    fn server() -> AcmeServer {
        let now = jiff::Timestamp::now();
        let resolver = "127.0.0.1:1".parse().unwrap();
        AcmeServer::new(RehearsalCa::new(now).unwrap(), resolver, now)
    }

    fn send(server: &AcmeServer, target: &str, message: &Value) -> ServedReply {
        let request = ServedRequest::post("127.0.0.1:1", target, &message.to_string());
        server.reply(&request)
    }

    fn kind(reply: &ServedReply) -> String {
        let document: Value = serde_json::from_slice(&reply.body).unwrap();
        document["type"]
            .as_str()
            .unwrap_or("none")
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned()
    }

    /// A CA that accepts anything would hide faults of `order`.
    #[test]
    fn wrong_messages_are_refused() {
        let server = server();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let signer = MessageSigner::new(&key).unwrap();
        let terms = json!({"termsOfServiceAgreed": true});
        let url = format!("{BASE}/account");
        let sign = |nonce: &str, url: &str| {
            signer
                .sign(MessageSender::Key, Some(&terms), url, nonce)
                .unwrap()
        };
        let nonce = server.new_nonce();
        let good = sign(&nonce, &url);
        assert_eq!(send(&server, "/account", &good).status, 201);
        assert_eq!(kind(&send(&server, "/account", &good)), "badNonce");
        let invented = sign("invented", &url);
        assert_eq!(kind(&send(&server, "/account", &invented)), "badNonce");
        let elsewhere = sign(&server.new_nonce(), &format!("{BASE}/order"));
        assert_eq!(kind(&send(&server, "/account", &elsewhere)), "unauthorized");
        let mut changed = sign(&server.new_nonce(), &url);
        changed["payload"] = json!("e30");
        assert_eq!(kind(&send(&server, "/account", &changed)), "malformed");

        let account = format!("{BASE}/account/0");
        let names = json!({"identifiers": [{"type": "dns", "value": "a.example"}]});
        let order = |nonce: &str, payload: &Value, path: &str| {
            let sender = MessageSender::Account(&account);
            let url = format!("{BASE}{path}");
            signer.sign(sender, Some(payload), &url, nonce).unwrap()
        };
        let created = order(&server.new_nonce(), &names, "/order");
        assert_eq!(send(&server, "/order", &created).status, 201);
        let early = order(
            &server.new_nonce(),
            &json!({"csr": ""}),
            "/order/0/finalize",
        );
        assert_eq!(
            kind(&send(&server, "/order/0/finalize", &early)),
            "orderNotReady"
        );
        let missing = order(&server.new_nonce(), &json!({}), "/order/1");
        assert_eq!(send(&server, "/order/1", &missing).status, 404);
    }
}
