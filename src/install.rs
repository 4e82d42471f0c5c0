//! `install`, `rollback` and `forget`, from the arguments that were understood to the report. The
//! plan of an install and the steps that carry it out are `install_plan`'s.

pub(crate) mod drift_check;
pub(crate) mod forget;
pub(crate) mod installed;
pub(crate) mod outcome;
pub(crate) mod placeholder;
pub(crate) mod preflight;
pub(crate) mod request;
pub(crate) mod rollback;
pub(crate) mod servers;
pub(crate) mod transaction;
