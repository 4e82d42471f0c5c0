//! The other parties of a rehearsal, all in this process: a DNS zone and its provider's API, a reseller, a
//! CA with ACME, and a web server. They behave like real ones, so that the commands run unchanged.
//!
//! Errors are of type `anyhow::Error`, because no user can act on them.

mod acme_message;
mod acme_orders;
pub(crate) mod acme_server;
pub(crate) mod ca;
pub(crate) mod dns_api;
pub(crate) mod reseller;
pub(crate) mod web;
pub(crate) mod zone;
