//! Domain control validation: the record that each CA looks for, and whether what servers answer
//! would satisfy it. Pure: answers come as values, `system::dns` asks for them.

pub mod answer;
pub mod ca;
pub mod caa;
pub mod dcv_file;
pub mod dnssec;
pub mod expectation;
pub mod finding_codes;
pub mod http_file;
pub mod judge;
pub mod mailbox;
pub mod parse;
pub mod public_address;
pub mod reason;
pub mod record;
pub mod reseller_record;
pub mod value_check;
pub mod zone_consistency;
