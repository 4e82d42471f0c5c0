//! The surroundings of certctl in a rehearsal, all in this process: a DNS zone, a reseller with a CA,
//! a web server. They behave like real ones, so that the commands run unchanged.
//!
//! Errors here are `anyhow`: no user can act on them.

pub(crate) mod ca;
pub(crate) mod reseller;
pub(crate) mod web;
pub(crate) mod zone;
