//! The transaction of `site`: writes the block, tests and reloads the server, verifies the
//! certificate and the page at every address, and restores everything if a step fails.

pub(crate) mod baseline;
pub(crate) mod certificate;
pub(crate) mod change_record;
pub(crate) mod changed_files;
pub(crate) mod evidence;
pub(crate) mod faults;
pub(crate) mod observe;
pub(crate) mod transaction;
