//! Turns each module's errors into a [`Failure`](crate::failure::Failure): kind, message, causes
//! and what to do next. One file per module; advice is written nowhere else.

pub mod caa;
pub mod csr_lint;
pub mod dcv;
pub mod dcv_methods;
pub mod delivery;
pub mod dnssec;
pub mod export;
pub mod install;
pub mod inventory;
pub mod matching;
pub mod pki;
pub mod rehearsal;
pub mod system;
pub mod webserver;
pub mod zone_consistency;
