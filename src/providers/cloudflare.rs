//! Cloudflare (API v4) with a token that may read one zone and edit its records. A record is never
//! proxied: the servers would answer with Cloudflare's own addresses instead of it.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::api_provider::{AnswerJudgement, ProviderApi};
use super::provider::{DnsProvider, ProviderError, ProviderFault, ProviderView};
use crate::configuration::{ConfigurationFolders, find_credentials};
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::profiles::CLOUDFLARE;
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::publishing::zone_text::{join_strings, quote_strings};
use crate::secret::SecretText;
use crate::system::http::api::{ApiAnswer, ApiMethod, ApiRequest, ApiUrl};
use crate::system::signals::InterruptSignal;

const API_URL: &str = "https://api.cloudflare.com/client/v4";
/// How many records are asked for at once, and how many pages are read.
const PAGE_SIZE: u32 = 100;
const PAGE_LIMIT: u32 = 50;
/// The codes for a record that exists already: "An identical record already exists" and "The record
/// already exists".
const DUPLICATE: [&str; 2] = ["81058", "81057"];

/// An account at Cloudflare.
pub(super) struct CloudflareProvider {
    api: ProviderApi,
    token: SecretText,
}

/// The envelope of every answer.
#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: T,
    result_info: Option<ResultInfo>,
}

#[derive(Deserialize)]
struct ResultInfo {
    total_pages: Option<u32>,
}

#[derive(Deserialize)]
struct ErrorEnvelope {
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    code: u64,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct ListedZone {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct ListedRecord {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    content: String,
    #[serde(default)]
    proxied: bool,
}

/// What has an identifier, such as a record that was added or removed.
#[derive(Deserialize)]
struct Identified {
    #[serde(rename = "id")]
    _id: String,
}

impl CloudflareProvider {
    pub(super) fn open(
        folders: &ConfigurationFolders,
        account: Option<&str>,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ProviderError> {
        let table = CredentialsTable::of_profile(&CLOUDFLARE, account);
        let credentials = find_credentials(folders, &table)?;
        credentials.require_all()?;
        Ok(Self {
            api: ProviderApi::open(&CLOUDFLARE, &credentials, API_URL, interrupt)?,
            token: credentials.require("api_token")?.value.trimmed(),
        })
    }

    fn request(&self, method: ApiMethod, url: ApiUrl) -> ApiRequest {
        let authorization = SecretText::new(format!("Bearer {}", self.token.expose()));
        ApiRequest::new(method, url).with_header("authorization", authorization)
    }

    /// Sends a request, and returns the result in the answer.
    fn call<T: DeserializeOwned>(
        &self,
        request: &ApiRequest,
    ) -> Result<Envelope<T>, ProviderError> {
        let answer = self.api.send(|| request.clone(), judge_answer)?;
        let envelope: Envelope<T> = answer.parse()?;
        if !envelope.success {
            return Err(self.api.unexpected(&answer, "it reports no success"));
        }
        Ok(envelope)
    }

    /// Returns the identifier of the zone: the one that has exactly this name.
    fn zone_id(&self, zone: &str) -> Result<String, ProviderError> {
        let url = self.api.url().with_path(&["zones"]);
        let url = url.with_query(&[("name", zone)]);
        let listed: Envelope<Vec<ListedZone>> = self.call(&self.request(ApiMethod::Get, url))?;
        let mut zones = listed.result.into_iter();
        let found = zones.find(|one| one.name.eq_ignore_ascii_case(zone));
        found
            .map(|one| one.id)
            .ok_or_else(|| ProviderError::NoZone {
                provider: &CLOUDFLARE,
                zone: zone.to_owned(),
            })
    }

    fn records_url(&self, zone_id: &str) -> ApiUrl {
        let url = self.api.url();
        url.with_path(&["zones", zone_id, "dns_records"])
    }

    /// Returns the records at a name.
    fn list(&self, zone_id: &str, name: &str) -> Result<Vec<ListedRecord>, ProviderError> {
        let size = PAGE_SIZE.to_string();
        let mut records = Vec::new();
        for page in 1..=PAGE_LIMIT {
            let number = page.to_string();
            let query = [("name", name), ("per_page", &size), ("page", &number)];
            let url = self.records_url(zone_id).with_query(&query);
            let listed: Envelope<Vec<ListedRecord>> =
                self.call(&self.request(ApiMethod::Get, url))?;
            let pages = listed.result_info.and_then(|info| info.total_pages);
            let here = listed.result.into_iter();
            records.extend(here.filter(|record| record.name.eq_ignore_ascii_case(name)));
            if page >= pages.unwrap_or(1) {
                return Ok(records);
            }
        }
        Err(ProviderError::TooManyRecords {
            name: name.to_owned(),
        })
    }
}

impl ListedRecord {
    /// Returns the record if it is of a type that certctl publishes.
    fn value(&self) -> Option<RecordValue> {
        let (kind, value) = match self.kind.as_str() {
            "CNAME" => {
                let target = self.content.trim_end_matches('.');
                (PublishableKind::Cname, target.to_owned())
            }
            "TXT" => (PublishableKind::Txt, join_strings(&self.content)),
            _ => return None,
        };
        Some(RecordValue { kind, value })
    }
}

/// Judges an answer by its status; the error has the code of the API.
fn judge_answer(answer: &ApiAnswer) -> AnswerJudgement {
    if answer.is_success() {
        return AnswerJudgement::Success;
    }
    let parsed = answer.parse::<ErrorEnvelope>().ok();
    let first = parsed.and_then(|envelope| envelope.errors.into_iter().next());
    let (code, message) = match first {
        Some(error) => (error.code.to_string(), error.message),
        None => (String::new(), String::new()),
    };
    let fault = ProviderFault {
        status: answer.status,
        code,
        message,
        request: answer.header("cf-ray").map(str::to_owned),
        retry_at: answer.retry_at(),
    };
    if answer.status == 429 {
        AnswerJudgement::Repeat(fault)
    } else {
        AnswerJudgement::Failure(fault)
    }
}

impl DnsProvider for CloudflareProvider {
    fn title(&self) -> String {
        CLOUDFLARE.title.to_owned()
    }

    fn propagation(&self) -> Duration {
        CLOUDFLARE.propagation
    }

    fn read_records(&self, location: &RecordLocation) -> Result<ProviderView, ProviderError> {
        let zone_id = self.zone_id(&location.zone)?;
        let mut records = Vec::new();
        for listed in self.list(&zone_id, &location.name)? {
            if listed.proxied && listed.kind == "CNAME" {
                return Err(ProviderError::Proxied {
                    name: location.name.clone(),
                });
            }
            records.extend(listed.value());
        }
        Ok(ProviderView::Records(records))
    }

    fn add_record(
        &self,
        location: &RecordLocation,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        let zone_id = self.zone_id(&location.zone)?;
        let content = match new_record.kind {
            PublishableKind::Cname => new_record.value.trim_end_matches('.').to_owned(),
            PublishableKind::Txt => quote_strings(&new_record.value),
        };
        let body = json!({
            "type": new_record.kind.word(),
            "name": location.name,
            "content": content,
            "ttl": CLOUDFLARE.ttl,
            "proxied": false,
        });
        let request = self
            .request(ApiMethod::Post, self.records_url(&zone_id))
            .with_body("application/json", body.to_string().into_bytes());
        match self.call::<Identified>(&request) {
            // The records are read again afterwards, and compared.
            Err(ProviderError::Refused { fault, .. })
                if DUPLICATE.contains(&fault.code.as_str()) =>
            {
                Ok(())
            }
            added => added.map(|_| ()),
        }
    }

    fn remove_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        let zone_id = self.zone_id(&location.zone)?;
        for listed in self.list(&zone_id, &location.name)? {
            if listed
                .value()
                .is_some_and(|value| value.is_same(old_record))
            {
                let url = self.records_url(&zone_id).with_path(&[&listed.id]);
                self.call::<Identified>(&self.request(ApiMethod::Delete, url))?;
            }
        }
        Ok(())
    }
}
