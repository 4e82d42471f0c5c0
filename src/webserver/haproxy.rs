//! HAProxy's dialect: its configuration as blocks, the section that serves in plain text, its
//! complaints. Pure: works
//! on texts and file contents that `webserver::control`, which also runs HAProxy, reads.

mod address;
mod bind;
pub(crate) mod build;
mod condition;
pub(crate) mod config;
pub(crate) mod crt;
mod crt_store;
mod destination;
mod expression;
pub(crate) mod lex;
mod list;
mod passing;
mod plain_site;
mod route;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod words;

pub(crate) use build::HaproxyBuild;
pub(crate) use config::{HaproxyConfig, HaproxyFiles};
pub(crate) use crt::{CrtCertificate, CrtPathContent};
pub(crate) use lex::HaproxyEnvironment;
pub(crate) use words::complaint;
