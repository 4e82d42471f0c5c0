//! The other parties of a rehearsal, all in this process: a DNS zone, a reseller with a CA, and a web
//! server. They behave like real ones, so that the commands run unchanged.
//!
//! Errors are of type `anyhow::Error`, because no user can act on them.

pub(crate) mod ca;
pub(crate) mod reseller;
pub(crate) mod web;
pub(crate) mod zone;
