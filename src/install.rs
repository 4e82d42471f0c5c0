//! `install`, `rollback` and `forget`, from the parsed arguments to the report. `install_plan` has
//! the plan of an install and the steps that carry it out.

pub(crate) mod application;
pub(crate) mod drift_check;
pub(crate) mod forget;
pub(crate) mod hook;
mod hook_call;
pub(crate) mod installed;
pub(crate) mod kept_releases;
pub(crate) mod key_owner;
mod labels;
pub(crate) mod newest_files;
pub(crate) mod other_folders;
pub(crate) mod outcome;
pub(crate) mod placeholder;
mod plan_fingerprint;
pub(crate) mod preflight;
pub(crate) mod public_facts;
pub(crate) mod request;
pub(crate) mod revocations;
pub(crate) mod rollback;
pub(crate) mod rollback_argument;
pub(crate) mod servers;
pub(crate) mod site_blocks;
pub(crate) mod site_check;
mod stale_servers;
pub(crate) mod stored_roots;
pub(crate) mod transaction;
pub(crate) mod worker_access;
