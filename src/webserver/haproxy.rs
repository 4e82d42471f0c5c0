//! HAProxy's dialect: its configuration as blocks, the section to add, its complaints. Pure: works
//! on texts and file contents that `webserver::control`, which also runs HAProxy, reads.

mod address;
mod bind;
pub(crate) mod build;
mod condition;
pub(crate) mod config;
pub(crate) mod crt;
mod expression;
pub(crate) mod lex;
mod list;
pub(crate) mod master;
mod passing;
pub(crate) mod words;
pub(crate) mod write;

pub(crate) use build::HaproxyBuild;
pub(crate) use config::{HaproxyConfig, HaproxyFiles};
pub(crate) use crt::{CrtCertificate, CrtPathContent};
pub(crate) use lex::HaproxyEnvironment;
pub(crate) use master::MasterProcess;
pub(crate) use words::complaint;
pub(crate) use write::HaproxyWriter;
