//! Files and folders: reading within bounds, writing by rename, listing, locking, extended
//! attributes, free space.

pub mod disk_space;
pub mod files;
pub mod folders;
pub mod listing;
pub mod lock;
pub mod parallel_read;
pub mod scratch;
pub mod walk;
pub mod xattrs;
