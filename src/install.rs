//! `install`, `rollback` and `forget`, from the arguments that were understood to the report. The
//! plan of an install and the steps that carry it out are `install_plan`'s.

pub mod drift_check;
pub mod forget;
pub mod installed;
pub mod outcome;
pub mod placeholder;
pub mod preflight;
pub mod request;
pub mod rollback;
pub mod servers;
pub mod transaction;
