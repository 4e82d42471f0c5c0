//! Domain control validation: the record that each CA queries, and whether the servers' answers
//! would satisfy the CA. Pure: `system::dns` sends the queries and passes the answers as values.

pub(crate) mod answer;
pub(crate) mod ca;
pub(crate) mod caa;
pub(crate) mod dcv_file;
pub(crate) mod dnssec;
pub(crate) mod expectation;
pub(crate) mod http_file;
pub(crate) mod judge;
pub(crate) mod mailbox;
pub(crate) mod parse;
pub(crate) mod public_address;
pub(crate) mod reason;
pub(crate) mod record;
pub(crate) mod reseller_record;
mod server_comparison;
pub(crate) mod value_check;
mod verdict;
pub(crate) mod zone_consistency;
