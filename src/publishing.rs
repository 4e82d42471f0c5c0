//! What is published in the DNS, and how it changes: the providers' data, the record, and the plan.
//! Pure: the system's answers are arguments.

pub(crate) mod alidns_signature;
pub(crate) mod credentials_table;
pub(crate) mod name_servers;
pub(crate) mod plan;
pub(crate) mod profile;
pub(crate) mod profiles;
pub(crate) mod provider;
pub(crate) mod tsig_key;
pub(crate) mod zone_record;
pub(crate) mod zone_text;
