//! How a certificate is ordered through an API, as it is saved.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a certificate is ordered through an API. Never a secret.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct StoredOrder {
    /// The CA, as a value of `order --ca`.
    pub ca: String,
    /// The values of `--webroot`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webroot: Vec<String>,
    /// The value of `--dns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<String>,
    /// The value of `--standalone`; empty if it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standalone: Option<String>,
    /// The values of `--resolver`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolver: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether renewals keep the key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reuse_key: bool,
    /// The names for which charges were accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charges_accepted: Vec<String>,
    /// The id of the certificate at a reseller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The mail address that a reseller writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The program that has ordered the certificate so far; forgotten by the first renewal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportedOrder>,
    /// Unknown fields, which a later version wrote; they are kept.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The program that has ordered a certificate before certctl.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct ImportedOrder {
    /// The program's name: `certbot`.
    pub tool: String,
    /// The file without which that program does not renew the certificate.
    pub renewal_file: PathBuf,
    /// Unknown fields, which a later version wrote; they are kept.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
