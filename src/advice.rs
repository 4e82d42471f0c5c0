//! Converts the errors of each module into a [`Failure`](crate::failure::Failure): kind, message,
//! causes and next steps. There is one file per module or command, and advice is written only here.

pub(crate) mod bundle_command;
pub(crate) mod caa;
pub(crate) mod command_lines;
pub(crate) mod csr_command;
pub(crate) mod csr_lint;
pub(crate) mod dcv;
pub(crate) mod dcv_check_command;
pub(crate) mod dcv_methods;
pub(crate) mod delivery;
pub(crate) mod dnssec;
pub(crate) mod drift;
pub(crate) mod explain_command;
pub(crate) mod export;
pub(crate) mod inputs;
pub(crate) mod install;
pub(crate) mod install_command;
pub(crate) mod inventory;
pub(crate) mod key_access;
pub(crate) mod lineages;
pub(crate) mod matching;
pub(crate) mod pki;
pub(crate) mod rehearsal;
pub(crate) mod renew_command;
pub(crate) mod rerun;
pub(crate) mod scan;
pub(crate) mod server_blocks;
pub(crate) mod servers;
pub(crate) mod status_command;
pub(crate) mod system;
pub(crate) mod usage;
pub(crate) mod verify_command;
pub(crate) mod webserver;
pub(crate) mod zone_consistency;
