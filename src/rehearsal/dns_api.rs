//! A DNS provider with an API for one rehearsal: the part of Cloudflare's API (v4) that certctl uses,
//! for TXT records of one zone. The token is checked as Cloudflare does.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::zone::RehearsalZone;
use crate::publishing::zone_text::join_strings;
use crate::system::serve::http::{HttpServer, ServedReply, ServedRequest};

/// The identifier of the only zone.
const ZONE_ID: &str = "0123456789abcdef0123456789abcdef";
/// The token of the rehearsal, which is valid nowhere else.
pub(crate) const TOKEN: &str = "token-of-the-rehearsal";

/// A provider whose records are those of `zone`.
struct DnsApi {
    zone: RehearsalZone,
}

/// The zone in a list.
#[derive(Serialize)]
struct ApiZone {
    id: &'static str,
    name: String,
}

/// A record, in a list or to be added.
#[derive(Deserialize, Serialize)]
struct ApiRecord {
    /// Missing in a record that is to be added.
    #[serde(default)]
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// The value in quotes.
    content: String,
}

impl ApiRecord {
    fn new(name: &str, value: &str) -> Self {
        Self {
            id: record_id(name, value),
            name: name.to_owned(),
            kind: "TXT".to_owned(),
            content: format!("\"{value}\""),
        }
    }
}

/// Starts the provider's API.
///
/// # Errors
/// When no loopback port is free.
pub(crate) fn start(zone: &RehearsalZone) -> Result<HttpServer> {
    let api = DnsApi { zone: zone.clone() };
    let reply = move |request: &ServedRequest| api.reply(request);
    let server = HttpServer::start(Arc::new(reply))?;
    Ok(server)
}

impl DnsApi {
    fn reply(&self, request: &ServedRequest) -> ServedReply {
        let expected = format!("Bearer {TOKEN}");
        if request.header("authorization") != Some(&expected) {
            return refusal(403, 9109, "Invalid access token");
        }
        if request.path() == "/zones" {
            let zone = ApiZone {
                id: ZONE_ID,
                name: self.zone.name(),
            };
            return success(&[zone]);
        }
        let records = format!("/zones/{ZONE_ID}/dns_records");
        let Some(record) = request.path().strip_prefix(&records) else {
            return refusal(404, 7003, "Could not route to the path");
        };
        match request.method.as_str() {
            "GET" => self.list(request.query_value("name")),
            "POST" => self.add(&request.body),
            "DELETE" => self.remove(record.trim_start_matches('/')),
            _ => refusal(405, 10405, "Method not allowed"),
        }
    }

    fn list(&self, name: &str) -> ServedReply {
        let mut records = Vec::new();
        for value in self.zone.texts(name) {
            records.push(ApiRecord::new(name, &value));
        }
        success(&records)
    }

    fn add(&self, body: &[u8]) -> ServedReply {
        let record: ApiRecord = match serde_json::from_slice(body) {
            Ok(record) => record,
            Err(error) => return refusal(400, 9207, &error.to_string()),
        };
        if record.kind != "TXT" {
            return refusal(400, 9005, "The rehearsal publishes TXT records only");
        }
        let value = join_strings(&record.content);
        if let Err(error) = self.zone.add_text(&record.name, &value) {
            return refusal(400, 9000, &error.to_string());
        }
        success(&ApiRecord::new(&record.name, &value))
    }

    fn remove(&self, id: &str) -> ServedReply {
        let Some((name, value)) = record_of(id) else {
            return refusal(404, 81044, "Record does not exist");
        };
        self.zone.remove_text(&name, &value);
        success(&ApiRecord::new(&name, &value))
    }
}

/// The identifier of a record: its name and value, so that nothing has to be kept.
fn record_id(name: &str, value: &str) -> String {
    hex::encode(format!("{name} {value}"))
}

fn record_of(id: &str) -> Option<(String, String)> {
    let bytes = hex::decode(id).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, value) = text.split_once(' ')?;
    Some((name.to_owned(), value.to_owned()))
}

fn success(result: &(impl Serialize + ?Sized)) -> ServedReply {
    let envelope = json!({
        "success": true,
        "errors": [],
        "result": result,
    });
    ServedReply::new(200, "application/json", envelope.to_string())
}

fn refusal(status: u16, code: u32, message: &str) -> ServedReply {
    let error = json!({
        "code": code,
        "message": message,
    });
    let envelope = json!({
        "success": false,
        "errors": [error],
        "result": null,
    });
    ServedReply::new(status, "application/json", envelope.to_string())
}
