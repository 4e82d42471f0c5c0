//! Alibaba Cloud DNS (API version 2015-01-09): DescribeSubDomainRecords, AddDomainRecord and
//! DeleteDomainRecord, each about one record. DeleteSubDomainRecords is not used, because it removes
//! all records of a name.

use std::time::Duration;

use serde::Deserialize;

use super::api_provider::{AnswerJudgement, ProviderApi};
use super::provider::{DnsProvider, ProviderError, ProviderFault, ProviderView};
use crate::configuration::{ConfigurationFolders, find_credentials};
use crate::publishing::alidns_signature::{AccessKey, ActionCall};
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::profiles::ALIDNS;
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::system::clock;
use crate::system::http::api::{ApiAnswer, ApiMethod, ApiRequest};
use crate::system::nonce;
use crate::system::signals::InterruptSignal;

const API_URL: &str = "https://alidns.aliyuncs.com/";
const VERSION: &str = "2015-01-09";
/// The line of resolvers for which no other line has a record.
const DEFAULT_LINE: &str = "default";
/// The highest number of records on one page that the API allows, and how many pages are read.
const PAGE_SIZE: u64 = 500;
const PAGE_LIMIT: u64 = 20;

/// An account at Alibaba Cloud DNS.
pub(super) struct AliDnsProvider {
    api: ProviderApi,
    key: AccessKey,
}

/// One page of DescribeSubDomainRecords.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecordPage {
    total_count: u64,
    domain_records: RecordList,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecordList {
    record: Vec<ListedRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedRecord {
    domain_name: String,
    record_id: String,
    #[serde(rename = "RR")]
    relative_name: String,
    #[serde(rename = "Type")]
    kind: String,
    value: String,
    line: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddedRecord {
    #[serde(rename = "RecordId")]
    _record_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorAnswer {
    code: String,
    #[serde(default)]
    message: String,
    request_id: Option<String>,
}

impl AliDnsProvider {
    pub(super) fn open(
        folders: &ConfigurationFolders,
        account: Option<&str>,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ProviderError> {
        let table = CredentialsTable::of_profile(&ALIDNS, account);
        let credentials = find_credentials(folders, &table)?;
        credentials.require_all()?;
        let key = AccessKey {
            id: credentials.require("access_key_id")?.value.trimmed(),
            secret: credentials.require("access_key_secret")?.value.trimmed(),
            token: credentials
                .get("security_token")
                .map(|found| found.value.trimmed()),
        };
        Ok(Self {
            api: ProviderApi::open(&ALIDNS, &credentials, API_URL, interrupt)?,
            key,
        })
    }

    fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<ApiAnswer, ProviderError> {
        let request = || self.signed_request(action, parameters);
        self.api.send(request, judge_answer)
    }

    fn signed_request(&self, action: &str, parameters: &[(&str, &str)]) -> ApiRequest {
        let url = self.api.url();
        let host = url.host_header();
        let call = ActionCall {
            host: &host,
            action,
            version: VERSION,
            parameters,
            at: clock::now(),
            nonce: &nonce::random_digits(),
        };
        let url = url.with_encoded_query(&call.query());
        let mut request = ApiRequest::new(ApiMethod::Post, url);
        for header in call.headers(&self.key) {
            request = request.with_header(header.name, header.value);
        }
        request
    }

    /// Returns the records at a name that are in use, on every line.
    fn list(&self, at: &RecordLocation) -> Result<Vec<ListedRecord>, ProviderError> {
        let full_name = format!("{}.{}", at.relative_name(), at.zone);
        let page_size = PAGE_SIZE.to_string();
        let mut listed = Vec::new();
        let mut seen: u64 = 0;
        for page in 1..=PAGE_LIMIT {
            let page = page.to_string();
            let answer = self.call(
                "DescribeSubDomainRecords",
                &[
                    ("DomainName", &at.zone),
                    ("SubDomain", &full_name),
                    ("PageNumber", &page),
                    ("PageSize", &page_size),
                ],
            )?;
            let page: RecordPage = answer.parse()?;
            let records = page.domain_records.record;
            seen += u64::try_from(records.len()).unwrap_or(u64::MAX);
            let is_last = seen >= page.total_count || records.is_empty();
            listed.extend(records.into_iter().filter(|record| record.is_at(at)));
            if is_last && seen < page.total_count {
                return Err(self
                    .api
                    .unexpected(&answer, "it lacks records that it counts"));
            }
            if is_last {
                return Ok(listed);
            }
        }
        Err(ProviderError::TooManyRecords {
            name: at.name.clone(),
        })
    }
}

impl ListedRecord {
    /// Returns whether the record is at this name, and in use.
    fn is_at(&self, at: &RecordLocation) -> bool {
        self.domain_name.eq_ignore_ascii_case(&at.zone)
            && self.relative_name.eq_ignore_ascii_case(at.relative_name())
            && self.status.eq_ignore_ascii_case("ENABLE")
    }

    /// Returns the record if it is of a type that certctl publishes, and for all resolvers.
    fn value(&self) -> Option<RecordValue> {
        if self.line != DEFAULT_LINE {
            return None;
        }
        let kind = match self.kind.as_str() {
            "CNAME" => PublishableKind::Cname,
            "TXT" => PublishableKind::Txt,
            _ => return None,
        };
        let value = match kind {
            PublishableKind::Cname => self.value.trim_end_matches('.'),
            PublishableKind::Txt => &self.value,
        };
        Some(RecordValue {
            kind,
            value: value.to_owned(),
        })
    }
}

/// Judges an answer by its status and its error code.
fn judge_answer(answer: &ApiAnswer) -> AnswerJudgement {
    if answer.is_success() {
        return AnswerJudgement::Success;
    }
    let parsed = answer.parse::<ErrorAnswer>().ok();
    let mut fault = ProviderFault {
        status: answer.status,
        code: String::new(),
        message: String::new(),
        request: None,
        retry_at: answer.retry_at(),
    };
    if let Some(error) = parsed {
        fault.code = error.code;
        fault.message = error.message;
        fault.request = error.request_id;
    }
    // The message repeats what the server has signed, with the key's id and the token.
    if fault.code.starts_with("SignatureDoesNotMatch") || fault.code == "IncompleteSignature" {
        fault.message = "the signature is not the one that the server computed".to_owned();
    }
    let may_repeat = fault.code.starts_with("Throttling") || fault.code == "SignatureNonceUsed";
    if may_repeat {
        AnswerJudgement::Repeat(fault)
    } else {
        AnswerJudgement::Failure(fault)
    }
}

impl DnsProvider for AliDnsProvider {
    fn title(&self) -> String {
        ALIDNS.title.to_owned()
    }

    fn propagation(&self) -> Duration {
        ALIDNS.propagation
    }

    fn read_records(&self, location: &RecordLocation) -> Result<ProviderView, ProviderError> {
        let listed = self.list(location)?;
        let records = listed.iter().filter_map(ListedRecord::value);
        Ok(ProviderView::Records(records.collect()))
    }

    fn add_record(
        &self,
        location: &RecordLocation,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        let ttl = ALIDNS.ttl.to_string();
        let value = match new_record.kind {
            PublishableKind::Cname => new_record.value.trim_end_matches('.'),
            PublishableKind::Txt => &new_record.value,
        };
        let added = self.call(
            "AddDomainRecord",
            &[
                ("DomainName", &location.zone),
                ("RR", location.relative_name()),
                ("Type", new_record.kind.word()),
                ("Value", value),
                ("TTL", &ttl),
                ("Line", DEFAULT_LINE),
            ],
        );
        match added {
            // The records are read again afterwards, and compared.
            Err(ProviderError::Refused { fault, .. }) if fault.code == "DomainRecordDuplicate" => {
                Ok(())
            }
            Err(error) => Err(error),
            Ok(answer) => {
                let _added: AddedRecord = answer.parse()?;
                Ok(())
            }
        }
    }

    fn remove_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        for listed in self.list(location)? {
            if listed
                .value()
                .is_some_and(|value| value.is_same(old_record))
            {
                self.call("DeleteDomainRecord", &[("RecordId", &listed.record_id)])?;
            }
        }
        Ok(())
    }
}
