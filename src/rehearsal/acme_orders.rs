//! The orders of the ACME server of a rehearsal (RFC 8555 section 7.1), and its refusals.

use serde_json::{Value, json};

use crate::pki::certificate::Certificate;
use crate::system::serve::http::ServedReply;

/// The content type of every document that is not a refusal.
pub(super) const JSON: &str = "application/json";

/// An order of one account.
#[derive(Debug)]
pub(super) struct EmbeddedOrder {
    pub account: usize,
    pub names: Vec<OrderedName>,
    /// The leaf, once it is issued.
    pub leaf: Option<Certificate>,
}

/// One name of an order, and its only challenge.
#[derive(Debug)]
pub(super) struct OrderedName {
    /// As it was ordered, maybe with `*.`.
    pub name: String,
    pub token: String,
    pub state: NameState,
}

/// Whether the record of a name was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NameState {
    Pending,
    Valid,
    Invalid,
}

/// A refusal (RFC 8555 section 6.7).
pub(super) struct AcmeRefusal {
    pub status: u16,
    pub kind: &'static str,
    pub detail: String,
}

impl AcmeRefusal {
    pub(super) fn malformed(detail: &str) -> Self {
        Self {
            status: 400,
            kind: "malformed",
            detail: detail.to_owned(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self {
            status: 404,
            kind: "malformed",
            detail: "there is no such resource".to_owned(),
        }
    }

    pub(super) fn reply(&self) -> ServedReply {
        let kind = format!("urn:ietf:params:acme:error:{}", self.kind);
        let document = json!({
            "type": kind,
            "detail": self.detail,
        });
        let body = document.to_string();
        ServedReply::new(self.status, "application/problem+json", body)
    }
}

impl EmbeddedOrder {
    /// Returns a name by its number in URLs.
    pub(super) fn name(&mut self, number: usize) -> Result<&mut OrderedName, AcmeRefusal> {
        let name = self.names.get_mut(number);
        name.ok_or_else(AcmeRefusal::not_found)
    }

    fn has_name_in(&self, state: NameState) -> bool {
        let mut names = self.names.iter();
        names.any(|name| name.state == state)
    }

    /// The status of RFC 8555 section 7.1.6.
    pub(super) fn status(&self) -> &'static str {
        if self.leaf.is_some() {
            "valid"
        } else if self.has_name_in(NameState::Invalid) {
            "invalid"
        } else if self.has_name_in(NameState::Pending) {
            "pending"
        } else {
            "ready"
        }
    }

    /// Returns the order as a document; its URLs begin with `base`.
    pub(super) fn document(&self, base: &str, number: usize) -> Value {
        let mut identifiers = Vec::new();
        let mut authorizations = Vec::new();
        for (index, name) in self.names.iter().enumerate() {
            let identifier = json!({
                "type": "dns",
                "value": name.name,
            });
            identifiers.push(identifier);
            let authorization = format!("{base}/authorization/{number}/{index}");
            authorizations.push(authorization);
        }
        let mut document = json!({
            "status": self.status(),
            "identifiers": identifiers,
            "authorizations": authorizations,
            "finalize": format!("{base}/order/{number}/finalize"),
        });
        if self.leaf.is_some() {
            let certificate = format!("{base}/certificate/{number}");
            document["certificate"] = certificate.into();
        }
        document
    }
}

impl OrderedName {
    /// Returns the name without its `*.`.
    pub(super) fn bare_name(&self) -> &str {
        self.name.trim_start_matches("*.")
    }

    /// Returns the challenge as a document.
    pub(super) fn challenge(&self, url: &str) -> Value {
        let mut challenge = json!({
            "type": "dns-01",
            "url": url,
            "token": self.token,
            "status": self.state.word(),
        });
        if self.state == NameState::Invalid {
            challenge["error"] = json!({
                "type": "urn:ietf:params:acme:error:unauthorized",
                "detail": "the TXT record was not found",
            });
        }
        challenge
    }

    /// Returns the authorization as a document.
    pub(super) fn authorization(&self, challenge_url: &str) -> Value {
        let identifier = json!({
            "type": "dns",
            "value": self.bare_name(),
        });
        json!({
            "status": self.state.word(),
            "identifier": identifier,
            "wildcard": self.bare_name() != self.name,
            "challenges": [self.challenge(challenge_url)],
        })
    }
}

impl NameState {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }
}
