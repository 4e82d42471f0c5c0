//! The CAs of the suite: a root, its intermediate and a server certificate, and the same root
//! cross-signed by older ones.

use certctl::facade::pki::certificate::Certificate;
use rcgen::{CertifiedIssuer, KeyPair, SubjectPublicKeyInfo};

use crate::support::ca::{Leaf, TestCa, ca_params, days, today};
use crate::support::issued_certificate::IssuedCertificate;

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub struct World {
    pub issued: IssuedCertificate,
    /// PEM: the server certificate.
    pub leaf: String,
    /// PEM: the intermediate that issued it.
    pub middle: String,
    /// PEM: the trusted root.
    pub root: String,
    /// PEM: the same root, cross-signed by an older one.
    pub cross: String,
    /// PEM: the older root.
    pub older: String,
    /// PEM: a retired root, and the trusted root cross-signed by it.
    pub expired: (String, String),
    /// PEM: the key of the server certificate.
    pub key: String,
    /// PEM: the request.
    pub request: String,
}

impl World {
    pub fn new() -> Self {
        let issued = IssuedCertificate::new();
        let (root, middle) = (issued.ca.root_pem(), issued.ca.intermediate_pem());
        let older = root_named("Old Root O1", 0);
        let over = root_named("External Root X1", -3650);
        let known = Certificate::from_der(&der(&root)).unwrap();
        let cross = |by: &Authority| {
            let public = SubjectPublicKeyInfo::from_der(known.spki()).unwrap();
            unix(
                &ca_params("Test Root R1")
                    .signed_by(&public, by)
                    .unwrap()
                    .pem(),
            )
        };
        let (key, request) = (
            issued.sandbox.read("example.com.key"),
            issued.sandbox.read("example.com.csr"),
        );
        Self {
            leaf: issued.leaf.clone(),
            cross: cross(&older),
            expired: (unix(&over.pem()), cross(&over)),
            older: unix(&older.pem()),
            issued,
            middle,
            root,
            key,
            request,
        }
    }

    /// Returns the expected chain file.
    pub fn chain(&self) -> String {
        format!("{}{}", self.leaf, self.middle)
    }

    /// Returns intermediate and root, as resellers bundle them.
    pub fn bundle(&self) -> String {
        format!("{}{}", self.middle, self.root)
    }

    /// Returns leaf, intermediate and root.
    pub fn all(&self) -> String {
        format!("{}{}", self.leaf, self.bundle())
    }

    pub fn ca(&self) -> &TestCa {
        &self.issued.ca
    }

    /// Returns another certificate for the same key.
    pub fn leaf_from_to(&self, from: i64, to: i64) -> String {
        let leaf = Leaf {
            not_before: days(today(), from),
            not_after: days(today(), to),
            ..Leaf::default()
        };
        self.ca().issue_as(&self.request, leaf)
    }
}

/// Returns a separate root, with its dates moved by `shift` days.
pub fn root_named(name: &str, shift: i64) -> Authority {
    let mut params = ca_params(name);
    params.not_before += time::Duration::days(shift);
    params.not_after += time::Duration::days(shift);
    Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub fn der(pem_text: &str) -> Vec<u8> {
    pem::parse(pem_text).unwrap().into_contents()
}

pub fn unix(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}
