//! Domain control validation: the record that each CA looks for, and whether what servers answer would satisfy it.
//! Pure: answers come as values, `system::dns` asks for them.

pub mod answer;
pub mod ca;
pub mod caa;
pub mod dnssec;
pub mod expect;
pub mod file;
pub mod given;
pub mod judge;
pub mod kept;
pub mod mailbox;
pub mod outside;
pub mod parse;
pub mod reason;
pub mod record;
pub mod value;
pub mod vantage;
