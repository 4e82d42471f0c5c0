//! Chains that are right except for one or two changes, and what other verifiers say about them.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "test support"
)]

pub mod certificate;
pub mod chain;
pub mod faults;
pub mod judges;
pub mod odd_faults;
pub mod odd_names;
