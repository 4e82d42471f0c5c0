//! Files, folders and stdin: bounded reads, atomic writes, listing, locking, extended attributes,
//! free space.

pub(crate) mod access;
pub(crate) mod disk_space;
pub(crate) mod files;
pub(crate) mod folders;
pub(crate) mod kept;
pub(crate) mod listing;
pub(crate) mod lock;
pub(crate) mod mounts;
mod new_file;
pub(crate) mod owned_folder;
pub(crate) mod parallel_read;
pub(crate) mod path_walk;
pub(crate) mod remote;
mod reused_buffer;
pub(crate) mod root_only;
pub(crate) mod scratch;
pub(crate) mod stdin;
pub(crate) mod tree;
pub(crate) mod tree_root;
pub(crate) mod walk;
pub(crate) mod webroot;
pub(crate) mod xattrs;
