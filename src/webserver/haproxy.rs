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

pub(crate) use config::{Config, World};
pub(crate) use crt::{Lying, Shown};
pub(crate) use lex::Environment;
pub(crate) use master::Master;
pub(crate) use words::complaint;
pub(crate) use write::Writer;
