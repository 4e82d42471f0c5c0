//! THE NOUNS, pure: names, keys, requests, certificates, chains, and what proves that they fit.
//! Nothing here reads a file, asks the network or knows the time; whoever holds a value has passed
//! its check.

pub mod alt_name;
pub mod baseline_dates;
pub mod certificate;
pub mod certified_key;
pub mod chain;
pub mod crl;
pub(crate) mod der;
pub mod extensions;
pub mod key;
pub mod lint;
pub mod name;
mod oid;
pub mod pem;
pub mod request;
pub mod signature;
pub mod subject;
pub mod trust;
pub mod verify;

#[cfg(test)]
pub(crate) mod testing;
