//! The outcome of `inspect` as JSON, with every field that certctl reads.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::outcome::{InspectOutcome, is_in_order, is_locked_key};
use crate::dcv::http_file;
use crate::delivery::FoundItem;
use crate::inputs::HostAnswers;
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::extensions::CertificateDetails;
use crate::pki::key::{PrivateKey, PublicKey, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::probe::StartTls;
use crate::report;

impl InspectOutcome {
    pub(super) fn to_json(&self) -> Value {
        let mut document = json!({
            "schema": "certctl.inspect/1",
            "changed": false,
            "file": self.file,
            "items": self.items(),
            "findings": self.findings(),
            "next": [],
        });
        if let (Some(answers), Value::Object(fields)) = (&self.answers, &mut document) {
            fields.insert("host".to_owned(), json!(answers.host.name));
            fields.insert("port".to_owned(), json!(answers.host.port));
            fields.insert("served".to_owned(), self.served_json(answers));
        }
        document
    }

    fn served_json(&self, answers: &HostAnswers) -> Value {
        let starttls = answers.starttls.map(StartTls::name);
        let mut served = Vec::new();
        for (seen, group) in answers.answers.iter().zip(self.groups()) {
            served.push(json!({
                "addresses": seen.addresses,
                "protocol": seen.protocol,
                "starttls": starttls,
                "sent": seen.sent.len(),
                "in_order": is_in_order(&group.certificates),
            }));
        }
        Value::Array(served)
    }

    fn items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        for found in &self.delivery.certificates {
            items.push(item("certificate", found, certificate_json(found, self.at)));
        }
        items.extend(self.request_items());
        items.extend(self.key_items());
        for found in &self.delivery.lists {
            items.push(item("crl", found, list_json(found)));
        }
        items
    }

    fn request_items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        for found in &self.delivery.requests {
            let facts = merge_objects(self.request_facts(found), json!({"signature_holds": true}));
            items.push(item("request", found, facts));
        }
        for found in &self.delivery.unproven_requests {
            let facts = merge_objects(
                self.request_facts(found.request()),
                json!({"signature_holds": found.signature_holds()}),
            );
            items.push(item("request", found, facts));
        }
        items
    }

    fn request_facts(&self, request: &SigningRequest) -> Value {
        let records =
            http_file::list_records_and_files(&self.records(request), &self.files(request));
        request_json(request, &records)
    }

    fn key_items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        for found in &self.delivery.keys {
            let facts = key_json(found, &self.delivery.decrypted_key_ids);
            items.push(item("key", found, facts));
        }
        for found in &self.delivery.short_keys {
            let facts = json!({
                "encrypted": false,
                "key": public_key_json(found),
            });
            items.push(item("key", found, facts));
        }
        for found in &self.delivery.public_keys {
            let facts = json!({"key": public_key_json(found)});
            items.push(item("public-key", found, facts));
        }
        for unused in &self.delivery.ignored {
            if is_locked_key(&unused.content) {
                items.push(json!({
                    "kind": "encrypted-key",
                    "source": unused.source.to_string(),
                    "encrypted": true,
                }));
            }
        }
        items
    }
}

fn list_json(list: &RevocationList) -> Value {
    json!({
        "issuer": list.issuer,
        "this_update": list.this_update,
        "next_update": list.next_update,
        "number": list.number,
        "revoked": list.revoked,
        "signature_algorithm": list.signature_algorithm,
        "sha256": list.sha256,
    })
}

fn item<T>(kind: &str, found: &FoundItem<T>, facts: Value) -> Value {
    merge_objects(
        json!({
            "kind": kind,
            "source": found.source.to_string(),
        }),
        facts,
    )
}

/// Returns an object with the fields of both.
fn merge_objects(mut object: Value, added: Value) -> Value {
    if let (Value::Object(fields), Value::Object(added)) = (&mut object, added) {
        fields.extend(added);
    }
    object
}

fn certificate_json(certificate: &Certificate, at: Timestamp) -> Value {
    let details = CertificateDetails::from_certificate(certificate.der());
    let seconds_left = certificate.not_after.as_second() - at.as_second();
    let scts: Vec<Value> = details
        .scts
        .iter()
        .map(|sct| {
            json!({
                "log_id": sct.log_id,
                "timestamp": sct.timestamp,
            })
        })
        .collect();
    let policies: Vec<Value> = details
        .policies
        .iter()
        .map(|(oid, name)| {
            json!({
                "oid": oid,
                "name": name,
            })
        })
        .collect();
    let own = json!({
        "days_left": seconds_left.div_euclid(86_400),
        "is_site": certificate.is_server_certificate(),
        "is_ca": details.is_ca,
        "path_length": details.path_length,
        "subject_key_id": details.subject_key_id,
        "authority_key_id": details.authority_key_id,
        "issuer_urls": details.issuer_urls,
        "ocsp_urls": details.ocsp_urls,
        "crl_urls": details.crl_urls,
        "policies": policies,
        "scts": scts,
    });
    let basic = report::certificate_json(certificate);
    merge_objects(merge_objects(basic, shared_details_json(&details)), own)
}

/// Returns the details that certificates and requests have in common.
fn shared_details_json(details: &CertificateDetails) -> Value {
    let extensions: Vec<Value> = details
        .extensions
        .iter()
        .map(|one| {
            json!({
                "oid": one.oid,
                "name": one.name,
                "critical": one.critical,
            })
        })
        .collect();
    json!({
        "version": details.version,
        "signature_algorithm": details.signature_algorithm,
        "other_names": details.other_names,
        "key_usages": details.key_usages,
        "extended_key_usages": details.extended_key_usages,
        "must_staple": details.must_staple,
        "extensions": extensions,
    })
}

fn request_json(request: &SigningRequest, records: &Value) -> Value {
    let details = CertificateDetails::from_request(request.der());
    let own = json!({
        "subject": request.subject,
        "dns_names": request.dns_names,
        "ip_addresses": details.ip_addresses,
        "key": {"algorithm": request.algorithm.to_string(), "id": request.key_id.to_string()},
        "md5": request.md5(),
        "sha256": request.sha256(),
        "records": records,
    });
    let attributes = json!({"attributes": details.attributes});
    merge_objects(
        merge_objects(own, shared_details_json(&details)),
        attributes,
    )
}

fn public_key_json(key: &PublicKey) -> Value {
    json!({
        "algorithm": key.algorithm.to_string(),
        "id": key.id.to_string(),
    })
}

fn key_json(key: &PrivateKey, opened: &[PublicKeyId]) -> Value {
    json!({
        "encrypted": opened.contains(&key.id()),
        "key": {"algorithm": key.algorithm().to_string(), "id": key.id().to_string()},
    })
}
