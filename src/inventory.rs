//! Judges which certificates exist, which are served, and when they expire. Items are grouped by
//! key id; groups become rows, each with its state, a sorted list of reasons, and its scheduled
//! renewals. Pure: items, the time and the policy are passed in; nothing is read, probed or printed
//! here. Advice is in `advice`.

pub(crate) mod backoff;
mod by_key;
mod chain_check;
pub(crate) mod crls;
pub(crate) mod due;
pub(crate) mod file_reader;
mod folder_issuers;
pub(crate) mod install_window;
pub(crate) mod item;
mod judge;
mod policy;
pub(crate) mod reason;
mod request_history;
pub(crate) mod row;
pub(crate) mod rule_changes;
pub(crate) mod schedule;
mod sent_certificates;
mod served_answers;
mod supersession;
pub(crate) mod zip;

pub(crate) use by_key::is_server_certificate;
pub(crate) use due::RenewBefore;
pub use item::ItemContent;
pub(crate) use item::{InventoryItem, ItemLocation, ItemOrigin};
pub(crate) use judge::rows;
pub(crate) use policy::StatusPolicy;
pub(crate) use reason::{ReasonSeverity, StatusReason};
pub(crate) use row::{RowState, RowVerdict, StatusRow};

#[cfg(test)]
mod tests;
