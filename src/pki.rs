//! Names, keys, requests, certificates, chains, and their verification. Pure: nothing here reads a
//! file, uses the network or the clock. Every value has passed the checks of its type.

pub(crate) mod alt_name;
pub(crate) mod baseline_dates;
pub(crate) mod certificate;
mod certificate_fields;
pub(crate) mod certified_key;
pub(crate) mod chain;
pub(crate) mod client_rules;
pub(crate) mod crl;
pub(crate) mod der;
pub(crate) mod downloaded_list;
pub(crate) mod extensions;
pub(crate) mod fingerprint;
mod folded_name;
pub(crate) mod idna2008;
pub(crate) mod installable;
pub(crate) mod key;
pub(crate) mod lint;
pub(crate) mod name;
mod oid;
pub(crate) mod pem;
pub(crate) mod request;
pub(crate) mod signature;
pub(crate) mod subject;
pub(crate) mod tlsa;
pub(crate) mod trust;
pub(crate) mod verify;

#[cfg(test)]
pub(crate) mod testing;
