//! The parts of a round that are not certctl's, all in this process: a DNS zone, a shop with a CA
//! that mails a zip, a web server. They stand in for real ones as they are met in the wild, so that
//! the verbs run unchanged.
//!
//! Errors here are `anyhow`: nothing a user could act on.

pub(crate) mod ca;
pub(crate) mod shop;
pub(crate) mod web;
pub(crate) mod zone;
