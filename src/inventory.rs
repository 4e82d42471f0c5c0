//! What is there, what of it is served, what ends when: items that were found become groups by key id, groups become rows,
//! each with its state, an ordered list of reasons, and the rounds that come next. Pure: items, the instant and the
//! measure come as values; nothing is read, asked or printed here, and advice is `failure`'s.

mod answered;
mod bag;
mod chained;
pub mod change;
pub mod due;
mod family;
pub mod glance;
mod group;
pub mod item;
mod judge;
pub mod lists;
mod measure;
pub mod packed;
pub mod reason;
pub mod rounds;
pub mod row;

pub use due::RenewBefore;
pub use group::is_a_sites;
pub use item::{Item, Origin, Place, What};
pub use judge::rows;
pub use measure::Measure;
pub use reason::{Reason, Weight};
pub use row::{Row, State, Verdict};

#[cfg(test)]
mod tests;
