//! The access to a key: owner and mode, access control lists, and what a new key file inherits from
//! the file that it replaces.

pub(crate) mod acl;
pub(crate) mod inherit;
pub(crate) mod on_disk;
pub(crate) mod owner;
pub(crate) mod reader;
