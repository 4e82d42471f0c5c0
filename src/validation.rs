//! The records that validate requests: which ones the arguments select, and whether the CA would see
//! them now. Shared by the commands that check and publish records.

pub(crate) mod expected;
pub(crate) mod key_reuse;
pub(crate) mod publishable;
pub(crate) mod record_check;
pub(crate) mod select;
mod selected_request;
pub(crate) mod zone_health;
