//! Who may read the key: owner and mode, access-control lists, and what a new key file inherits
//! from the one it replaces.

pub mod acl;
pub mod inherit;
pub mod on_disk;
pub mod owner;
