//! ACME (RFC 8555) as far as it needs no network: the CAs that offer it, signed messages, reasons of
//! revocation, and tokens. Pure, except for the random number in a signature.

pub(crate) mod ca_table;
pub(crate) mod registration;
pub(crate) mod renewal_info;
pub(crate) mod revocation_reason;
pub(crate) mod signer;
pub(crate) mod token;
