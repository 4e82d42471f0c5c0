//! HAProxy's dialect: its configuration as blocks, the section that it is to add, its complaints.
//! Pure, from texts and from what lies where; `webserver::control` fetches them and runs HAProxy.

mod address;
mod bind;
mod condition;
pub(crate) mod config;
pub(crate) mod crt;
pub(crate) mod lex;
mod list;
pub(crate) mod master;
pub(crate) mod words;
pub(crate) mod write;

pub(crate) use config::{HaproxyConfig, HaproxyFiles};
pub(crate) use crt::{CrtCertificate, CrtPathContent};
pub(crate) use lex::HaproxyEnvironment;
pub(crate) use master::MasterProcess;
pub(crate) use words::complaint;
pub(crate) use write::HaproxyWriter;
