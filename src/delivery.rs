//! Anything that a CA or a person hands over, read into certificates, requests and keys. Pure: bytes in, values out.

use crate::pki::certificate::Certificate;
use crate::pki::key::PrivateKey;
use crate::pki::request::SigningRequest;

/// What was found in one or more inputs.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Certificates in the order found, doubles included.
    pub certificates: Vec<Certificate>,
    /// Requests.
    pub requests: Vec<SigningRequest>,
    /// Private keys.
    pub keys: Vec<PrivateKey>,
}
