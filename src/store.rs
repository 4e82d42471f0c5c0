//! Everything below /etc/ssl/certctl: layout, releases, settings and history, and the access to
//! keys. Pure, except for [`disk`], [`root`] and `key_access::on_disk`, which use the disk.

pub(crate) mod combined_order;
pub(crate) mod deployed;
pub(crate) mod disk;
pub(crate) mod drift;
pub(crate) mod history;
pub(crate) mod key_access;
pub(crate) mod layout;
pub(crate) mod release;
pub(crate) mod root;
pub(crate) mod settings;
