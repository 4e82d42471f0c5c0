//! Turns each module's errors into a [`Failure`](crate::failure::Failure): kind, message, causes
//! and what to do next. One file per module; advice is written nowhere else.

pub(crate) mod caa;
pub(crate) mod csr_lint;
pub(crate) mod dcv;
pub(crate) mod dcv_methods;
pub(crate) mod delivery;
pub(crate) mod dnssec;
pub(crate) mod export;
pub(crate) mod inputs;
pub(crate) mod install;
pub(crate) mod inventory;
pub(crate) mod matching;
pub(crate) mod pki;
pub(crate) mod rehearsal;
pub(crate) mod system;
pub(crate) mod webserver;
pub(crate) mod zone_consistency;
