//! The same for programs, complete.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::commands::inspect::outcome::{
    CertificateGroup, InspectOutcome, in_order, is_locked_key,
};
use crate::dcv::http_file;
use crate::delivery::{CaDelivery, FoundItem};
use crate::inputs::{HostAnswers, HostCertificates};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::extensions::{CertificateDetails, ExtensionSummary};
use crate::pki::key::{PrivateKey, PublicKeyId};
use crate::pki::request::SigningRequest;
use crate::probe::StartTls;
use crate::report;

impl InspectOutcome {
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "schema": "certctl.inspect/1",
            "file": self.file,
            "items": self.items(),
            "findings": self.findings(),
            "next": [],
        });
        if let (Some(answers), Value::Object(fields)) = (&self.answers, &mut document) {
            fields.insert("host".to_owned(), json!(answers.host.name));
            fields.insert("port".to_owned(), json!(answers.host.port));
            fields.insert("served".to_owned(), self.served(answers));
        }
        document
    }

    fn served(&self, answers: &HostAnswers) -> Value {
        let group = |(seen, group): (&HostCertificates, CertificateGroup<'_>)| {
            json!({
                "addresses": seen.addresses,
                "protocol": seen.protocol,
                "starttls": answers.starttls.map(StartTls::name),
                "sent": seen.sent.len(),
                "in_order": in_order(&group.certificates),
            })
        };
        answers.seen.iter().zip(self.groups()).map(group).collect()
    }

    fn items(&self) -> Vec<Value> {
        let CaDelivery {
            certificates,
            requests,
            unproven,
            keys,
            public_keys,
            ignored,
            ..
        } = &self.delivery;
        let mut items: Vec<Value> = certificates
            .iter()
            .map(|one| item("certificate", one, certificate_json(one, self.at)))
            .collect();
        let request = |one: &SigningRequest| {
            request_json(
                one,
                &http_file::listed(&self.records(one), &self.files(one)),
            )
        };
        // False too where the signature is of a kind that is not checked.
        let (holds, unproved) = (
            json!({"signature_holds": true}),
            json!({"signature_holds": false}),
        );
        items.extend(
            requests
                .iter()
                .map(|one| item("request", one, merged(request(one), holds.clone()))),
        );
        items.extend(unproven.iter().map(|one| {
            item(
                "request",
                one,
                merged(request(one.shown()), unproved.clone()),
            )
        }));
        items.extend(
            keys.iter()
                .map(|one| item("key", one, key_json(one, &self.delivery.opened))),
        );
        items.extend(public_keys.iter().map(|one| {
            let key = json!({"algorithm": one.algorithm.to_string(), "id": one.id.to_string()});
            item("public-key", one, json!({"key": key}))
        }));
        let locked = ignored.iter().filter(|one| is_locked_key(&one.what));
        items.extend(
            locked.map(|one| json!({"kind": "encrypted-key", "source": one.source.to_string(), "encrypted": true})),
        );
        items.extend(
            self.delivery
                .lists
                .iter()
                .map(|one| item("crl", one, list_json(one))),
        );
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
    merged(
        json!({"kind": kind, "source": found.source.to_string()}),
        facts,
    )
}

fn merged(mut to: Value, from: Value) -> Value {
    if let (Value::Object(to), Value::Object(from)) = (&mut to, from) {
        to.extend(from);
    }
    to
}

fn certificate_json(one: &Certificate, at: Timestamp) -> Value {
    let details = CertificateDetails::of_certificate(one.der());
    let days = (one.not_after.as_second() - at.as_second()).div_euclid(86_400);
    let promises = details
        .scts
        .iter()
        .map(|one| json!({"log_id": one.log_id, "timestamp": one.timestamp}));
    let policies = details
        .policies
        .iter()
        .map(|(oid, name)| json!({"oid": oid, "name": name}));
    let own = json!({
        "days_left": days,
        "is_site": one.is_site(),
        "is_ca": details.is_ca,
        "path_length": details.path_length,
        "subject_key_id": details.subject_key_id,
        "authority_key_id": details.authority_key_id,
        "issuer_urls": details.issuer_urls,
        "ocsp_urls": details.ocsp_urls,
        "crl_urls": details.crl_urls,
        "policies": policies.collect::<Vec<_>>(),
        "scts": promises.collect::<Vec<_>>(),
    });
    merged(merged(report::certificate_json(one), said(&details)), own)
}

/// What certificates and requests say alike.
fn said(details: &CertificateDetails) -> Value {
    let extension = |one: &ExtensionSummary| json!({"oid": one.oid, "name": one.name, "critical": one.critical});
    json!({
        "version": details.version,
        "signature_algorithm": details.signature_algorithm,
        "other_names": details.other_names,
        "key_usages": details.key_usages,
        "extended_key_usages": details.extended_key_usages,
        "must_staple": details.must_staple,
        "extensions": details.extensions.iter().map(extension).collect::<Vec<_>>(),
    })
}

fn request_json(request: &SigningRequest, records: &Value) -> Value {
    let details = CertificateDetails::of_request(request.der());
    let known = json!({
        "subject": request.subject,
        "dns_names": request.dns_names,
        "ip_addresses": details.ip_addresses,
        "key": {"algorithm": request.algorithm.to_string(), "id": request.key_id.to_string()},
        "md5": request.md5(),
        "sha256": request.sha256(),
        "records": records,
    });
    merged(
        merged(known, said(&details)),
        json!({"attributes": details.attributes}),
    )
}

fn key_json(key: &PrivateKey, opened: &[PublicKeyId]) -> Value {
    json!({"encrypted": opened.contains(&key.id()), "key": {"algorithm": key.algorithm().to_string(), "id": key.id().to_string()}})
}
