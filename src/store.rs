//! Everything below /etc/ssl/certctl: the layout, releases, settings and history, and who may read
//! a key. Pure, except for [`disk`], [`root`] and `key_access::on_disk`, which use the disk.

pub mod disk;
pub mod drift;
pub mod history;
pub mod key_access;
pub mod layout;
pub mod release;
pub mod root;
pub mod settings;
