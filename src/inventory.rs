//! What is there, what of it is served, what ends when: items that were found become groups by key
//! id, groups become rows, each with its state, an ordered list of reasons, and the rounds that
//! come next. Pure: items, the instant and the measure come as values; nothing is read, asked or
//! printed here, and advice is `failure`'s.

mod by_key;
mod chain_check;
pub mod crls;
pub mod due;
pub mod file_reader;
pub mod item;
mod judge;
mod policy;
pub mod reason;
mod request_history;
pub mod row;
pub mod rule_changes;
pub mod schedule;
mod sent_certificates;
mod supersession;
pub mod zip;

pub use by_key::is_a_sites;
pub use due::RenewBefore;
pub use item::{Item, Origin, Place, What};
pub use judge::rows;
pub use policy::Measure;
pub use reason::{Reason, Weight};
pub use row::{Row, State, Verdict};

#[cfg(test)]
mod tests;
